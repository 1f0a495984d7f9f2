"""The time-zone service: every IANA zone as iCalendar, so that clients need not carry them in each object (RFC 7808, RFC 7809).

It lies at the well-known address itself (RFC 7808 §4.2.1.3). Anybody may ask, nothing here is anybody's own; answers change only
with the zone database, whose edition is in every ETag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiohttp import hdrs, web

from gateway.ical import zonelist
from gateway.model import Span
from gateway.web import conditions
from gateway.web.parts import on_thread

CONTEXT = "/.well-known/timezone"

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC)
"""Within these instants a zone can be asked for: further off, answers would cost much and tell little."""

_ERRORS = "urn:ietf:params:tzdist:error:"
_CACHE = "public, max-age=86400"
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_LONGEST = 255  # characters of a name or pattern


class _Odd(Exception):
    """A request that is not understood, by the local name of its error (RFC 7808 §9.1)."""

    def __init__(self, status: int, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.name = name


def routes() -> list[web.RouteDef]:
    return [
        web.get(CONTEXT, capabilities),
        web.get(f"{CONTEXT}/capabilities", capabilities),
        web.get(f"{CONTEXT}/zones", zones),
        web.get(f"{CONTEXT}/zones/{{name:.+}}/observances", expanded),
        web.get(f"{CONTEXT}/zones/{{name:.+}}", zone),
    ]


async def capabilities(request: web.Request) -> web.Response:
    """What can be asked (RFC 7808 §5.1)."""
    bounds = [{"name": name, "required": False, "multi": False} for name in ("start", "end")]
    listing = [{"name": name, "required": False, "multi": False} for name in ("changedsince", "pattern")]
    actions = [
        {"name": "capabilities", "uri-template": f"{CONTEXT}/capabilities", "parameters": []},
        {"name": "list", "uri-template": f"{CONTEXT}/zones{{?changedsince}}", "parameters": listing[:1]},
        {"name": "get", "uri-template": f"{CONTEXT}/zones{{/tzid}}{{?start,end}}", "parameters": bounds},
        {"name": "expand", "uri-template": f"{CONTEXT}/zones{{/tzid}}/observances{{?start,end}}", "parameters": bounds},
        {"name": "find", "uri-template": f"{CONTEXT}/zones{{?pattern}}", "parameters": [{**listing[1], "required": True}]},
    ]
    info = {
        "primary-source": f"IANA:{zonelist.version()}",
        "formats": ["text/calendar"],
        "truncated": {"any": True, "untruncated": False},
    }
    return _json(request, {"version": 1, "info": info, "actions": actions})


async def zones(request: web.Request) -> web.Response:
    """All zones, none if nothing has changed, or those that a pattern finds (RFC 7808 §5.2, §5.5)."""
    since, pattern = request.query.get("changedsince"), request.query.get("pattern")
    names: Sequence[str] = zonelist.names()
    if pattern is not None:
        try:
            names = _found(pattern)
        except _Odd as odd:
            return _problem(odd)
    elif since is not None and since == _edition():
        names = []
    published = f"{_year()}-01-01T00:00:00Z"
    listed = [
        {"tzid": name, "etag": _etag(), "last-modified": published, "publisher": "IANA", "version": zonelist.version()} for name in names
    ]
    return _json(request, {"synctoken": _edition(), "timezones": listed})


async def zone(request: web.Request) -> web.Response:
    """One zone as text/calendar (RFC 7808 §5.3)."""
    try:
        name, window = _named(request), _window(request)
    except _Odd as odd:
        return _problem(odd)
    if response := _unchanged(request):
        return response
    body = await on_thread(request.app, zonelist.text, name, window)
    return web.Response(body=body.encode(), headers={**_headers(), "Content-Type": "text/calendar; charset=utf-8"})


async def expanded(request: web.Request) -> web.Response:
    """The changes of clocks of one zone (RFC 7808 §5.4)."""
    try:
        name, window = _named(request), _window(request)
    except _Odd as odd:
        return _problem(odd)
    if response := _unchanged(request):
        return response
    found = await on_thread(request.app, zonelist.observances, name, window)
    told = [
        {
            "name": each.name,
            "onset": f"{each.onset:%Y-%m-%dT%H:%M:%SZ}",
            "utc-offset-from": int(each.before.total_seconds()),
            "utc-offset-to": int(each.after.total_seconds()),
        }
        for each in found
    ]
    return _json(request, {"tzid": name, "start": _said(window.start), "end": _said(window.end), "observances": told})


def _named(request: web.Request) -> str:
    name = request.match_info["name"]
    if not zonelist.known(name):
        raise _Odd(404, "tzid-not-found", "There is no such time zone.")
    return name


def _window(request: web.Request) -> Span:
    start = _instant(request.query.get("start"), "start", zonelist.YEARS.start)
    end = _instant(request.query.get("end"), "end", max(zonelist.YEARS.end, min(start + timedelta(days=366), LAST)))
    if end <= start:
        raise _Odd(400, "invalid-end", "The end lies after the start.")
    return Span(start, end)


def _instant(value: str | None, name: str, usual: datetime) -> datetime:
    if value is None:
        return usual
    try:
        found = datetime.fromisoformat(value) if _UTC.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None or not FIRST <= found <= LAST:
        raise _Odd(400, f"invalid-{name}", f"An instant is written 2026-01-01T00:00:00Z, and lies between {FIRST.year} and {LAST.year}.")
    return found.astimezone(UTC)


def _found(pattern: str) -> Sequence[str]:
    """Stars at the ends stand for anything; case, and whether a blank or an underscore is written, mean nothing (RFC 7808 §5.5)."""
    core = _plain(pattern.strip("*"))
    if not core or "*" in core or len(core) > _LONGEST:
        raise _Odd(400, "invalid-pattern", "A pattern is a part of a name, with a star where something else may stand before or after it.")
    before, after = pattern.startswith("*"), pattern.endswith("*")

    def matches(name: str) -> bool:
        if before and after:
            return core in name
        return name.endswith(core) if before else name.startswith(core) if after else name == core

    return [name for name in zonelist.names() if matches(_plain(name))]


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ")


def _edition() -> str:
    return f"tzdb-{zonelist.version()}"


def _year() -> str:
    found = re.match(r"\d{4}", zonelist.version())
    return found[0] if found else "1970"


def _etag() -> str:
    return f'"{_edition()}"'


def _said(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _headers() -> dict[str, str]:
    return {"ETag": _etag(), "Cache-Control": _CACHE}


def _unchanged(request: web.Request) -> web.Response | None:
    known = request.headers.get(hdrs.IF_NONE_MATCH)
    return web.Response(status=304, headers=_headers()) if conditions.known(known, _etag()) else None


def _json(request: web.Request, body: object) -> web.Response:
    return _unchanged(request) or web.json_response(body, headers=_headers())


def _problem(odd: _Odd) -> web.Response:
    body = {"type": f"{_ERRORS}{odd.name}", "title": str(odd), "status": odd.status}
    return web.json_response(body, status=odd.status, content_type="application/problem+json")
