"""free-busy-query: when the people of a calendar are busy, without saying why (RFC 4791 §7.10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from xml.etree.ElementTree import Element

from gateway.errors import Invalid
from gateway.ical.zones import stamp
from gateway.model import Span
from gateway.store import Collection, Row, Snapshot
from plugins import candidates
from plugins.failures import Denied
from plugins.floating import Floating, asked_in
from plugins.moments import span_of
from plugins.multistatus import CALDAV
from plugins.reading import Allowance, read, too_many
from plugins.request import Answer, Request
from plugins.shaping import check_length

Busy = tuple[Span, bool]
"""When, and whether it is tentative."""

PERIODS = 20_000
"""Busy instances that one answer is merged from."""

_RANGE = f"{{{CALDAV}}}time-range"
_TYPES = (("", False), (";FBTYPE=BUSY-TENTATIVE", True))


def answer(snapshot: Snapshot, request: Request, collection: Collection, root: Element) -> Answer:
    if request.place.name is not None:
        raise Denied(403, "This report is answered by a calendar.", condition="supported-report")
    return _answer(snapshot, request, [collection], root)


def answer_home(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """All calendars that are the person's own: what colleagues do keeps nobody busy."""
    return _answer(snapshot, request, [each for each in snapshot.collections(request.staff) if not each.view], root)


def _answer(snapshot: Snapshot, request: Request, collections: Sequence[Collection], root: Element) -> Answer:
    """Busy times only: a FREE period would claim to know more than this calendar does. With Depth 0 there is nothing to look at;
    without Depth nobody means that."""
    elements = root.findall(_RANGE)
    if len(elements) != 1:
        raise Invalid("free-busy-query needs one time-range.", condition="valid-filter")
    window, asked = span_of(elements[0]), asked_in(root)
    check_length(window)
    found = list(busy_times(snapshot, collections if request.depth("1") != "0" else [], window, asked))
    lines = [
        ((start, end), f"FREEBUSY{kind}:{stamp(start)}/{stamp(end)}\r\n")
        for kind, wanted in _TYPES
        for start, end in _merged(found, wanted, window)
    ]
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Calendar Gateway//EN\r\nBEGIN:VFREEBUSY\r\n"
        f"DTSTAMP:{stamp(request.now)}\r\nDTSTART:{stamp(window.start)}\r\nDTEND:{stamp(window.end)}\r\n"
        f"{''.join(line for _, line in sorted(lines))}END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    return Answer(200, text.encode(), {"Content-Type": "text/calendar; charset=utf-8"})


def busy_times(snapshot: Snapshot, collections: Iterable[Collection], window: Span, asked: tzinfo | None) -> Iterator[Busy]:
    """Of the collections' objects; where they hold appointments, also what those people's calendars elsewhere say of them: whoever
    asks wants to meet somebody."""
    allowance = Allowance()
    for collection in collections:
        floating = Floating(snapshot, collection, asked)
        if floating.indexed:
            yield from _indexed(snapshot, collection, window, floating, allowance)
        else:
            yield from _expanded(_rows(snapshot, collection, window, floating, allowance), window, floating, allowance)
        if collection.kind != "personal":
            for calendar in collection.calendars:
                yield from ((span, False) for span in snapshot.foreign_busy(snapshot.calendar(calendar).staff, window))


def _indexed(snapshot: Snapshot, collection: Collection, window: Span, floating: Floating, allowance: Allowance) -> Iterator[Busy]:
    """From the index; objects about which it cannot tell are read."""
    found = snapshot.busy_within(collection, window, limit=PERIODS + 1)
    if found.instances > PERIODS:
        raise too_many()
    yield from ((span, False) for span in found.busy)
    yield from ((span, True) for span in found.tentative)
    if found.unsure:
        rows = _rows(snapshot, collection, window, floating, allowance)
        yield from _expanded([row for row in rows if row.entry in found.unsure], window, floating, allowance)


def _rows(snapshot: Snapshot, collection: Collection, window: Span, floating: Floating, allowance: Allowance) -> list[Row]:
    return candidates.within(snapshot, collection, (window.start, window.end), floating, allowance, component="VEVENT", text=True)


def _expanded(rows: Iterable[Row], window: Span, floating: Floating, allowance: Allowance) -> Iterator[Busy]:
    """Raises TooLarge: busy times that are left out would be taken for free ones."""
    for row in rows:
        reading = read(row.text or "", floating.zone, allowance)
        if reading is None:
            continue
        found = reading.found(window)
        if not found.complete:
            raise too_many()
        yield from ((each.span, each.component.word("STATUS") == "TENTATIVE") for each in found.instances if each.busy)


def _merged(found: Iterable[Busy], tentative: bool, window: Span) -> list[tuple[datetime, datetime]]:
    """Those of one kind, clipped to the window, in as few periods as possible: how many there are is nobody's business (§11)."""
    merged: list[tuple[datetime, datetime]] = []
    for begin, finish in sorted((span.start, span.end) for span, doubtful in found if doubtful is tentative):
        start, end = max(begin, window.start), min(finish, window.end)
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
