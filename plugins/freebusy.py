"""free-busy-query: when the people of a calendar are busy, without saying why (RFC 4791 §7.10)."""

from __future__ import annotations

from datetime import datetime
from xml.etree.ElementTree import Element

from gateway import desk
from gateway.errors import Invalid
from gateway.model import Span
from gateway.store import Collection, Snapshot
from plugins.multistatus import CALDAV
from plugins.rendering import span_of
from plugins.request import Answer, Request

_RANGE = f"{{{CALDAV}}}time-range"


def answer(snapshot: Snapshot, request: Request, collection: Collection, root: Element) -> Answer:
    """Busy times only: a FREE period would claim to know more than this calendar does."""
    element = root.find(_RANGE)
    if element is None:
        raise Invalid("free-busy-query needs a time-range.", condition="valid-filter")
    window = span_of(element)
    periods = "".join(
        f"FREEBUSY:{_form(span.start)}/{_form(span.end)}\r\n" for span in _merged(_busy(snapshot, collection, window), window)
    )
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Calendar Gateway//EN\r\nBEGIN:VFREEBUSY\r\n"
        f"DTSTAMP:{_form(request.now)}\r\nDTSTART:{_form(window.start)}\r\nDTEND:{_form(window.end)}\r\n{periods}"
        "END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    return Answer(200, text.encode(), {"Content-Type": "text/calendar; charset=utf-8"})


def _busy(snapshot: Snapshot, collection: Collection, window: Span) -> list[Span]:
    """Busy instances of the objects of this calendar, from the index; those beyond it by bounded expansion."""
    beyond = snapshot.beyond_index(collection, window.end)
    here = {row.entry for row in snapshot.rows_within(collection, (window.start, window.end))} - beyond
    owners = dict.fromkeys(snapshot.calendar(calendar).staff for calendar in collection.calendars)
    spans = [occurrence.span for owner in owners for entry, occurrence in snapshot.busy(owner, window) if entry in here]
    for entry in snapshot.entries(beyond).values():
        spans += [occurrence.span for occurrence in desk.occurrences(snapshot, entry, window) if occurrence.busy]
    return spans


def _merged(spans: list[Span], window: Span) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        start, end = max(span.start, window.start), min(span.end, window.end)
        if start >= end:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(end, merged[-1].end))
        else:
            merged.append(Span(start, end))
    return merged


def _form(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%SZ}"
