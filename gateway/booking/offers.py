"""The times that can be offered to a customer: what the rules would accept, on a grid a person can read. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from gateway.booking.hours import openings
from gateway.model import Service, Span, WorkingHours

STEP = timedelta(minutes=30)
"""Between two offers, or the length of the appointment where that is less."""

LEAST = timedelta(minutes=5)

DAYTIME = WorkingHours(weekly=dict.fromkeys(range(7), ((8 * 60, 20 * 60),)))
"""When somebody is offered who keeps no hours: everything is allowed then, but nobody wants to be asked for three in the morning."""


def offers(
    window: Span, length: timedelta, service: Service, *, hours: WorkingHours, zone: str, taken: Callable[[Span], Sequence[Span]]
) -> Iterator[Span]:
    """Spans of that length within the window [start, end), in order: open all the time, and free with the service's buffers.

    They begin every STEP from the beginning of each opening; `hours` are meant in `zone`. `taken(span)` answers what overlaps the
    span, buffers of others included.
    """
    step = max(min(STEP, length), LEAST)
    before, after = service.buffer_before, service.buffer_after
    busy = sorted(taken(window.widened(before, after + length)))
    for opening in _merged(hours if hours.weekly or hours.exceptions else DAYTIME, zone, window):
        start = opening.start
        while start < window.end and start + length <= opening.end:
            span = Span(start, start + length)
            wide = span.widened(before, after)
            if start >= window.start and not any(each.overlaps(wide) for each in busy):
                yield span
            start += step


def _merged(hours: WorkingHours, zone: str, window: Span) -> Iterator[Span]:
    """Openings, those that touch or overlap as one."""
    held: Span | None = None
    for opening in openings(hours, zone, Span(window.start, window.end + timedelta(days=1))):
        if held is not None and opening.start <= held.end:
            held = Span(held.start, max(held.end, opening.end))
            continue
        if held is not None:
            yield held
        held = opening
    if held is not None:
        yield held
