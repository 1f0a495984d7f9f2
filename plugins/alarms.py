"""When alarms ring, for time-ranges on VALARM (RFC 4791 §9.9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.model import Span
from plugins.content import Component
from plugins.moments import duration_of, moment_of

REPEATS = 100
"""Of one alarm; VALARM REPEAT has been used to exhaust memory (GHSA-qjcq-q7h7-r74v)."""


def rings_within(alarm: Component, parent: Component, start: datetime, end: datetime, spans: Callable[[Span], list[Span]]) -> bool:
    """Whether the alarm rings in [start, end). `spans` answers the instances of the object that touch a span."""
    trigger = next(iter(alarm.properties("TRIGGER")), None)
    if trigger is None:
        return False
    absolute = moment_of(trigger)
    if absolute is not None:
        return any(start <= absolute + later < end for later in _repeats(alarm))
    before = duration_of(trigger.value)
    if before is None:
        return False
    at_end = (trigger.parameter("RELATED") or "START").upper() == "END"
    return any(_rings_at(before + later, at_end, start, end, spans) for later in _repeats(alarm))


def _rings_at(offset: timedelta, at_end: bool, start: datetime, end: datetime, spans: Callable[[Span], list[Span]]) -> bool:
    try:
        window = Span(start - offset, end - offset)
    except OverflowError:
        return False
    return any(window.start <= (span.end if at_end else span.start) < window.end for span in spans(window))


def _repeats(alarm: Component) -> list[timedelta]:
    """How long after its trigger the alarm rings, the first time included."""
    count = next((line.value.strip() for line in alarm.properties("REPEAT")), "0")
    pause = next((duration_of(line.value) for line in alarm.properties("DURATION")), None)
    if pause is None or not (count.isascii() and count.isdigit()):
        return [timedelta()]
    return [pause * number for number in range(min(int(count[:4]), REPEATS) + 1)]
