"""The live properties: what can be asked of the root, a principal, a calendar and an object, and what the answer is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache

from gateway.ical import read
from gateway.store import Collection, Row
from plugins import apart, availability, principals, privileges, proxies, publishing, push, scheduling, timezones
from plugins.features import REPORTS, Kind
from plugins.moments import EARLIEST, LATEST
from plugins.multistatus import APPLE, CALDAV, DAV, SERVER, empty, escape, tag
from plugins.request import etag
from plugins.seen import Seen, Value, on_calendar, on_object
from plugins.tokens import ctag, home_token, state_of, token

TEXTUAL = {f"{{{DAV}}}displayname", f"{{{CALDAV}}}calendar-description", f"{{{APPLE}}}calendar-color", f"{{{APPLE}}}calendar-order"} | {
    f"{{{CALDAV}}}calendar-timezone",
    f"{{{CALDAV}}}calendar-timezone-id",
}
"""Properties a viewer sets whose value is text; of all others the XML is kept."""

ATTRIBUTES = "@"
"""Ends the name under which the attributes of a dead property are kept, ready for its tag (`symbolic-color`, xml:lang)."""

COLLATIONS = ("i;ascii-casemap", "i;octet", "i;unicode-casemap")


def _resourcetype(seen: Seen) -> str:
    if seen.row is not None:
        return ""
    if seen.collection is not None:
        return "<D:collection/><C:calendar/>"
    if seen.kind is Kind.PERSON:
        return "<D:principal/>"
    return "<D:collection/><D:principal/>" if seen.place.handle else "<D:collection/>"


def _displayname(seen: Seen) -> str | None:
    if seen.row is not None:
        return None
    if seen.collection is not None:
        return escape(seen.collection.properties.get(f"{{{DAV}}}displayname") or seen.collection.title)
    return escape(seen.staff.name) if seen.staff is not None and seen.place.handle else "Calendars"


def _etag(seen: Seen) -> str | None:
    if seen.row is not None:
        return etag(seen.epoch, seen.row.revision)
    return ctag(seen.epoch, seen.collection) if seen.collection is not None else None


def _sync_token(seen: Seen) -> str | None:
    if seen.row is not None:
        return None
    if seen.collection is not None:
        return token(seen.epoch, seen.collection, seen.collection.last)
    if seen.kind is not Kind.HOME or seen.staff is None:
        return None
    return home_token(seen.epoch, seen.staff.id, state_of(seen.calendars))


@lru_cache(maxsize=len(Kind))
def _reports(kind: Kind) -> str:
    names = (empty(name) for name, kinds in REPORTS.items() if kind in kinds)
    return "".join(f"<D:supported-report><D:report>{name}</D:report></D:supported-report>" for name in names)


def _components(seen: Seen, collection: Collection) -> str:
    return "".join(f'<C:comp name="{component}"/>' for component in collection.components)


def _length(seen: Seen, row: Row) -> str | None:
    return str(len(row.octets)) if row.octets is not None else None


def _constant(value: str) -> Value:
    return on_calendar(lambda seen, collection: value)


LIVE: Mapping[str, Value] = {
    f"{{{DAV}}}resourcetype": _resourcetype,
    f"{{{DAV}}}displayname": _displayname,
    f"{{{DAV}}}getetag": _etag,
    f"{{{DAV}}}getcontenttype": on_object(lambda seen, row: f"text/calendar; charset=utf-8; component={row.component}"),
    f"{{{DAV}}}getcontentlength": on_object(_length),
    f"{{{DAV}}}supported-report-set": lambda seen: _reports(seen.kind),
    f"{{{DAV}}}sync-token": _sync_token,
    f"{{{SERVER}}}getctag": on_calendar(lambda seen, collection: ctag(seen.epoch, collection)),
    f"{{{CALDAV}}}supported-calendar-component-set": on_calendar(_components),
    f"{{{CALDAV}}}supported-calendar-data": _constant('<C:calendar-data content-type="text/calendar" version="2.0"/>'),
    f"{{{CALDAV}}}supported-collation-set": _constant(
        "".join(f"<C:supported-collation>{name}</C:supported-collation>" for name in COLLATIONS)
    ),
    f"{{{CALDAV}}}supported-rscale-set": _constant("<C:supported-rscale>GREGORIAN</C:supported-rscale>"),
    f"{{{CALDAV}}}max-resource-size": on_calendar(lambda seen, collection: str(seen.request.limits.object_octets)),
    f"{{{CALDAV}}}max-instances": on_calendar(lambda seen, collection: str(seen.request.limits.instances)),
    f"{{{CALDAV}}}max-attendees-per-instance": _constant(str(read.ATTENDEES)),
    f"{{{CALDAV}}}min-date-time": _constant(f"{EARLIEST:%Y%m%dT%H%M%SZ}"),
    f"{{{CALDAV}}}max-date-time": _constant(f"{LATEST - timedelta(seconds=1):%Y%m%dT%H%M%SZ}"),
    **principals.LIVE,
    **privileges.LIVE,
    **push.LIVE,
    **scheduling.LIVE,
    **availability.LIVE,
    **timezones.LIVE,
    **proxies.LIVE,
    **publishing.LIVE,
}

SETTABLE = frozenset({f"{{{DAV}}}displayname", timezones.ZONE, timezones.ZONE_ID, scheduling.TRANSPARENCY})
"""Live properties that are a viewer's own choice."""

_ALLPROP = tuple(f"{{{DAV}}}{name}" for name in ("resourcetype", "displayname", "getetag", "getcontenttype", "getcontentlength"))
"""What allprop tells, beside the dead ones: those of RFC 4918. RFC 3744 §5, RFC 4791 §5.2 and RFC 6578 §4 keep theirs out of it."""


def found(seen: Seen, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The elements of the properties asked for that exist here, and empty elements for those that do not.

    The latter are left out for who prefers a small answer (RFC 8144 §2.1).
    """
    dead, narrow = seen.dead, _narrow(seen.kind)
    there: list[str] = []
    missing: list[str] = []
    plan = _planned if sum(map(len, names)) < _REMEMBERED else _planned.__wrapped__
    for name, live, opening, closing, blank in plan(tuple(names)):
        if narrow is not None:
            live = narrow.get(name)
        value = live(seen) if live is not None else _dead(name, dead)
        if value is None:
            missing.append(blank)
            continue
        if dead and (attributes := dead.get(name + ATTRIBUTES)):
            opening = f"<{tag(name)[0]}{attributes}>"
            blank = f"{opening[:-1]}/>"
        there.append(f"{opening}{value}{closing}" if value else blank)
    return there, [] if seen.request.prefer.minimal else missing


_REMEMBERED = 8192
"""Characters of names above which a list of them is not remembered: no client's real list is so long, and memory is finite."""


@lru_cache(maxsize=len(Kind))
def _narrow(kind: Kind) -> Mapping[str, Value] | None:
    """What alone is answered by a resource that is no home, calendar or object of one's own; None: whatever there is."""
    if kind is Kind.PERSON:
        return {name: LIVE[name] for name in principals.OF_COLLEAGUES}
    own = apart.OWN.get(kind)
    return None if own is None else {**{name: LIVE[name] for name in apart.GENERAL}, **own}


@lru_cache(maxsize=512)
def _planned(names: tuple[str, ...]) -> tuple[tuple[str, Value | None, str, str, str], ...]:
    """Every name with what answers for it, and its tags: a client asks for the same ones all day."""
    tags = ((name, *tag(name)) for name in names)
    return tuple((name, LIVE.get(name), f"<{opening}>", f"</{closing}>", f"<{opening}/>") for name, opening, closing in tags)


def _dead(name: str, dead: Mapping[str, str]) -> str | None:
    value = dead.get(name)
    return escape(value) if value is not None and name in TEXTUAL else value


def all_names(seen: Seen) -> list[str]:
    """What allprop is about here."""
    return _names(seen, _ALLPROP)


def known_names(seen: Seen) -> list[str]:
    """What propname is about here: everything there is."""
    return _names(seen, LIVE)


def _names(seen: Seen, names: Sequence[str] | Mapping[str, Value]) -> list[str]:
    narrow = _narrow(seen.kind)
    there = LIVE if narrow is None else narrow
    wanted = there if names is LIVE else [name for name in names if name in there]
    live = [name for name in wanted if there[name](seen) is not None]
    return [*live, *(name for name in seen.dead if name not in LIVE and not name.endswith(ATTRIBUTES))]
