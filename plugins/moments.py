"""Windows of time in a request: time-range, expand and their kin, read and held against what this server knows (RFC 4791 §9.9)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from gateway.errors import Invalid
from gateway.ical.times import EVER
from gateway.model import Span

Window = tuple[datetime | None, datetime | None]
"""[start, end), aware UTC; None where it is open."""

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Instants that a window may name: [EARLIEST, LATEST), which is what min-date-time and max-date-time say."""

_UTC = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)


def window_of(element: Element) -> Window:
    """start and end of a time-range. Raises Invalid: valid-filter, or min-date-time and max-date-time (RFC 4791 §7.8)."""
    start, end = _instant(element.get("start")), _instant(element.get("end"))
    if start is None and end is None:
        raise _bad("A time-range has a start, an end, or both.")
    if start is not None and end is not None and start >= end:
        raise _bad("The end of a time-range lies after its start.")
    given = [instant for instant in (start, end) if instant is not None]
    if min(given) < EARLIEST:
        raise Invalid("This calendar begins later than the time-range.", condition="min-date-time")
    if max(given) >= LATEST:
        raise Invalid("This calendar ends earlier than the time-range.", condition="max-date-time")
    return start, end


def span_of(element: Element) -> Span:
    """The closed window of expand, limit-recurrence-set and free-busy-query. Raises Invalid."""
    start, end = window_of(element)
    if start is None or end is None:
        raise _bad("Both start and end are needed here.")
    return Span(start, end)


def whole(window: Window) -> Span:
    """An open end is the end of time."""
    start, end = window
    return Span(start or EVER.start, end or EVER.end)


def within(instant: datetime, window: Window) -> bool:
    start, end = window
    return (start is None or start <= instant) and (end is None or instant < end)


def _instant(value: str | None) -> datetime | None:
    if value is None:
        return None
    found = _UTC.fullmatch(value)
    if found is None:
        raise _bad("The instants of a time-range are in UTC, such as 20261124T080000Z.")
    try:
        year, month, day, hour, minute, second = map(int, found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise _bad("A time-range has an instant that does not exist.") from None


def _bad(sentence: str) -> Invalid:
    return Invalid(sentence, condition="valid-filter")
