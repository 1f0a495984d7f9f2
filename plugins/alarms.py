"""When alarms ring, for time-ranges on VALARM (RFC 4791 §9.9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.errors import GatewayError
from gateway.ical.moments import Length, Moment, after, length, shown
from gateway.ical.parse import Component
from gateway.model import Span
from plugins.moments import Window, whole, within
from plugins.reading import Reading, shifted

_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)


def rings(alarm: Component, parent: Component, window: Window, reading: Reading) -> bool:
    """Whether the alarm of the parent rings in the window, at any of its instances; yes, if there are too many to tell.

    RELATED=END counts from the end of an event, the due time of a task; without it from the start (RFC 5545 §3.8.6.3).
    """
    trigger = next(iter(alarm.every("TRIGGER")), None)
    if trigger is None:
        return False
    pause, count = _again(alarm)
    if trigger.value.strip()[:1].isdigit():
        at = reading.instant(trigger)
        return at is not None and _sounds(at, pause, count, window)
    try:
        before = length(trigger.value)
    except GatewayError:
        return False
    at_end = (trigger.parameter("RELATED") or "START").upper() == "END"
    times = reading.times.get(id(parent))
    if times is None or not (parent.every("DTSTART") or parent.every("DUE")):
        return False  # a task that was only written down, or done, has nothing to count from
    instances, complete = reading.instances_of(parent, _reach(window, before, pause * count))
    for instance in instances:
        span = reading.placed(instance)
        base = Moment(shown(span.end if at_end else span.start, times.start.zone), times.start.zone)
        if _sounds(after(base, before), pause, count, window):
            return True
    return not complete


def _reach(window: Window, before: Length, repeating: timedelta) -> Span:
    """Where an instance begins or ends that makes the alarm ring in the window; days of the calendar may be an hour longer."""
    span, slack = whole(window), _DAY if before.days else _SECOND
    return Span(shifted(span.start, -before.total - repeating - slack), shifted(span.end, -before.total + slack))


def _again(alarm: Component) -> tuple[timedelta, int]:
    """The pause, and how often the alarm rings after the first time."""
    count = next((line.value.strip() for line in alarm.every("REPEAT")), "0")
    try:
        pause = next((length(line.value).total for line in alarm.every("DURATION")), timedelta())
    except GatewayError:
        return timedelta(), 0
    if pause <= timedelta() or not (count.isascii() and count.isdigit()):
        return timedelta(), 0
    return pause, int(count[:6])


def _sounds(first: datetime, pause: timedelta, count: int, window: Window) -> bool:
    """Whether one of first, first + pause, … lies in the window."""
    return any(within(at, window) for at in _near(first, pause, count, window))


def _near(first: datetime, pause: timedelta, count: int, window: Window) -> Iterator[datetime]:
    """The first time, and the first of the repetitions that does not lie before the window."""
    yield first
    start = window[0]
    if count and start is not None and first < start:
        number = -((first - start) // pause)
        if number <= count:
            yield shifted(first, pause * number)
