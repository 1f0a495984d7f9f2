"""events.list and events.instances: filters, pages, and sync tokens with every rule they come with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.fakes import times as clock
from gateway.fakes.cursors import fingerprint, seal, unseal
from gateway.fakes.google import instances, rendering
from gateway.fakes.google.problems import empty_range, gone, invalid, problem
from gateway.fakes.google.state import Calendar, GoogleWorld, Row
from gateway.fakes.google.writing import TYPES
from gateway.fakes.provider import page
from gateway.fakes.series import HORIZON
from gateway.fakes.times import FOREVER
from gateway.fakes.wire import Json, Request
from gateway.model import Span

FORBIDDEN = ("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin")
"""What cannot be combined with a sync token."""

UNSYNCABLE = ("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin")
"""A listing with these gives no sync token."""

FREE = ("syncToken", "pageToken", "maxResults", "showDeleted", "alt", "fields", "key", "prettyPrint", "quotaUser", "userIp", "access_token")
"""What may differ from one request to the next; every other parameter is part of what a token stands for."""

LARGEST = 2500


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What is asked for."""

    window: Span | None
    upper: bool  # whether the window has an end
    single: bool
    deleted: bool
    types: tuple[str, ...]
    uid: str
    text: str
    private: tuple[tuple[str, str], ...]
    shared: tuple[tuple[str, str], ...]
    updated: datetime | None
    order: str
    zone: str
    size: int
    print: str  # of every parameter that must stay the same


def events(world: GoogleWorld, epoch: int, calendar: Calendar, request: Request) -> Json:
    """One page of events.list. Raises Rejected: 400, 410."""
    token, query = request.first("syncToken"), _query(calendar, request)
    since, query = _since(world, epoch, calendar, request, token, query) if token else (-1, query)
    place = _place(calendar, request, query, since)
    if since < 0:
        rows = [row for row in calendar.rows.values() if _listed(calendar, row, query)]
    else:
        rows = [row for row in calendar.rows.values() if row.seq > since and _reported(row, query)]
    rows = list(_shown(world, calendar, rows, query, tombstones=since >= 0))
    keyed = [(_key(row, query), rendering.event(world, calendar, row, query.zone)) for row in rows]
    part = page(keyed, place["after"], min(query.size, world.knobs.page_size or LARGEST), empty=world.knobs.empty_pages)
    return _answer(calendar, query, part.items, part.onward, place, epoch, since)


def _answer(calendar: Calendar, query: Query, items: list[Json], onward: str | None, place: Json, epoch: int, since: int) -> Json:
    shown: Json = {
        "kind": "calendar#events",
        "etag": f'"{fingerprint([calendar.id, items, onward])}"',
        "summary": calendar.summary,
        "updated": clock.stamp(max([calendar.updated, *(row.updated for row in calendar.rows.values())])),
        "timeZone": query.zone or calendar.zone,
        "accessRole": "owner",
        "defaultReminders": [{"method": "popup", "minutes": 30}] if calendar.primary else [],
        "items": items,
    }
    if calendar.description:
        shown["description"] = calendar.description
    if onward is not None:
        shown["nextPageToken"] = seal({"page": calendar.id, "after": onward, "upto": place["upto"], "print": query.print, "since": since})
    elif place["syncable"]:
        window = [query.window.start.isoformat(), query.window.end.isoformat(), query.upper] if query.window else None
        facts = {"sync": calendar.id, "seq": place["upto"], "epoch": epoch, "print": query.print, "window": window}
        shown["nextSyncToken"] = seal(facts)
    return shown


def _place(calendar: Calendar, request: Request, query: Query, since: int) -> Json:
    """Where in the listing this page begins. What changes while pages are read is told again by the next sync."""
    top = max((row.seq for row in calendar.rows.values()), default=0)
    syncable = not any(request.first(name) for name in UNSYNCABLE)
    token = request.first("pageToken")
    if not token:
        return {"after": None, "upto": top, "syncable": syncable}
    facts = unseal(token)
    if facts is None or facts.get("page") != calendar.id or facts["print"] != query.print or facts["since"] != since:
        raise invalid("Invalid page token value.", "pageToken")
    return {"after": facts["after"], "upto": facts["upto"], "syncable": syncable}


def _since(world: GoogleWorld, epoch: int, calendar: Calendar, request: Request, token: str, query: Query) -> tuple[int, Query]:
    """The position a sync token stands for, and the query with the restriction it keeps. Raises Rejected: 400, 410."""
    for name in FORBIDDEN:
        if request.first(name):
            raise invalid(f"Sync token cannot be used with {name}.", name)
    if request.first("showDeleted") == "false":
        raise invalid("Sync token cannot be used with showDeleted=false.", "showDeleted")
    facts = unseal(token)
    if facts is None or facts.get("sync") != calendar.id:
        raise invalid("Invalid sync token value.", "syncToken")
    if facts["epoch"] != epoch:
        raise gone()
    mine = _query(calendar, request, restriction=facts["window"])
    if facts["print"] != mine.print:
        raise invalid("The parameters differ from those of the request that gave the sync token.", "syncToken")
    return int(facts["seq"]), mine


def _query(calendar: Calendar, request: Request, restriction: list[object] | None = None) -> Query:
    low, high, updated = (_instant(request, name) for name in ("timeMin", "timeMax", "updatedMin"))
    if restriction:
        low, high = (datetime.fromisoformat(str(each)).astimezone(UTC) for each in restriction[:2])
    if low and high and high <= low:
        raise empty_range()
    window = Span(low or FOREVER.start, high or FOREVER.end) if low or high else None
    types, single, order = request.every("eventTypes"), request.first("singleEvents") == "true", request.first("orderBy")
    if not set(types) <= set(TYPES):
        raise invalid(place="eventTypes")
    if order not in ("", "updated", "startTime"):
        raise invalid(place="orderBy")
    if order == "startTime" and not single:
        raise problem(400, "badRequest", "The requested ordering is not available for the particular query.", place="orderBy")
    if (zone := request.first("timeZone")) and not clock.known(zone):
        raise invalid(place="timeZone")
    kept = sorted((name, value) for name, value in request.query if name not in (*FREE, "timeMin", "timeMax"))
    return Query(
        window=window,
        upper=bool(restriction[2]) if restriction else high is not None,
        single=single,
        deleted=request.first("showDeleted") == "true",
        types=tuple(types),
        uid=request.first("iCalUID"),
        text=request.first("q"),
        private=_pairs(request, "privateExtendedProperty"),
        shared=_pairs(request, "sharedExtendedProperty"),
        updated=updated,
        order=order,
        zone=zone,
        size=_size(request),
        print=fingerprint([kept, str(window)]),
    )


def _size(request: Request) -> int:
    text = request.first("maxResults", "250")
    if not text.isdigit() or int(text) < 1:
        raise invalid(place="maxResults")
    return min(int(text), LARGEST)


def _instant(request: Request, name: str) -> datetime | None:
    text = request.first(name)
    read = clock.moment(text) if text else None
    if text and (read is None or read.tzinfo is None):
        raise problem(400, "badRequest", "Bad Request", place=name)
    return read.replace(microsecond=0) if read else None


def _pairs(request: Request, name: str) -> tuple[tuple[str, str], ...]:
    pairs = tuple(text.partition("=")[::2] for text in request.every(name))
    if any("=" not in text for text in request.every(name)):
        raise invalid(place=name)
    return pairs


def _listed(calendar: Calendar, row: Row, query: Query) -> bool:
    """Whether the full listing has this row."""
    if row.cancelled and not query.deleted and not (query.updated and row.updated >= query.updated):
        head = calendar.rows.get(row.master)
        if query.single or head is None or head.cancelled:
            return False
    if query.updated and row.updated < query.updated:
        return False
    if query.window and not query.single and not instances.touches(calendar, row, query.window):
        return False
    return _fits(row, query)


def _reported(row: Row, query: Query) -> bool:
    """Whether an increment tells of this changed row: it fits, or it did before it changed."""
    if not _typed(row, query):
        return False
    if query.window is None or row.series or row.master:
        return True
    return any(instances.meets(span, query.window) for span in row.spans)


def _typed(row: Row, query: Query) -> bool:
    return not query.types or row.body.get("eventType", "default") in query.types


def _fits(row: Row, query: Query) -> bool:
    extended = row.body.get("extendedProperties", {})
    private, shared = extended.get("private", {}), extended.get("shared", {})
    words = " ".join(str(row.body.get(name, "")) for name in ("summary", "description", "location")).lower()
    return (
        _typed(row, query)
        and (not query.uid or row.uid == query.uid)
        and all(private.get(name) == value for name, value in query.private)
        and all(shared.get(name) == value for name, value in query.shared)
        and all(word in words for word in query.text.lower().split())
    )


def _shown(world: GoogleWorld, calendar: Calendar, rows: list[Row], query: Query, *, tombstones: bool) -> Iterator[Row]:
    """The rows as they are shown: a series head as itself, or as its instances."""
    if not query.single:
        yield from rows
        return
    window = query.window or FOREVER
    if not query.upper:  # an endless series must end somewhere
        window = (
            Span(min(window.start, world.now), max(window.start, world.now) + HORIZON)
            if query.window
            else Span(FOREVER.start, world.now + HORIZON)
        )
    seen: set[str] = set()
    for row in rows:
        if not row.series:
            fresh = [row] if tombstones or instances.meets(row.times.span(calendar.zone), window) or row.cancelled else []
        elif row.cancelled:
            fresh = []
            if tombstones or query.deleted:
                fresh = list(instances.expand(calendar, row, window, deleted=True))
                for each in fresh:
                    each.cancelled = True
        else:
            fresh = list(instances.expand(calendar, row, window, deleted=tombstones or query.deleted))
        for each in fresh:
            if each.id not in seen:
                seen.add(each.id)
                yield each


def _key(row: Row, query: Query) -> str:
    """What the listing is ordered by; stable, and without a meaning unless one is asked for."""
    if query.order == "startTime":
        return f"{row.times.start.isoformat()} {row.id}"
    if query.order == "updated":
        return f"{row.updated.isoformat()} {row.seq:012d} {row.id}"
    return row.id


def instances_of(world: GoogleWorld, calendar: Calendar, head: Row, request: Request) -> Json:
    """One page of events.instances. Raises Rejected with 400."""
    query = _query(calendar, request)
    window = query.window or FOREVER
    if not query.upper:
        window = Span(window.start, max(world.now, window.start, head.times.start) + HORIZON)
    deleted = query.deleted
    wanted = clock.moment(request.first("originalStart")) or _date(request.first("originalStart"))
    if request.first("originalStart") and wanted is None:
        raise invalid(place="originalStart")
    if wanted is not None and not query.window:
        window, deleted = Span(FOREVER.start, max(window.end, wanted + timedelta(days=1))), True
    rows = list(instances.expand(calendar, head, window, deleted=deleted)) if head.series and not head.cancelled else []
    if wanted is not None:
        rows = [row for row in rows if row.original == wanted]
    keyed = [(_key(row, query), rendering.event(world, calendar, row, query.zone)) for row in rows]
    place = _place(calendar, request, query, -1) | {"syncable": False}
    part = page(keyed, place["after"], min(query.size, world.knobs.page_size or LARGEST), empty=world.knobs.empty_pages)
    return _answer(calendar, query, part.items, part.onward, place, 0, -1)


def _date(text: str) -> datetime | None:
    day = clock.day(text)
    return clock.midnight(day) if day else None
