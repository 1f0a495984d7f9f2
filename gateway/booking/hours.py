"""Whether a span of time lies inside somebody's working hours. Pure; hours are wall time of the person's zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.model import Span, WorkingHours


def open_within(hours: WorkingHours, zone: str, span: Span) -> bool:
    """Whether the whole span lies in open time; intervals that touch count as one, also across midnight."""
    if not hours.weekly and not hours.exceptions:
        return True
    reached = span.start
    for opening in openings(hours, zone, span):
        if opening.start > reached:
            return False
        reached = max(reached, opening.end)
        if reached >= span.end:
            return True
    return False


def openings(hours: WorkingHours, zone: str, window: Span) -> Iterator[Span]:
    """The open intervals that end after the window's start and begin before its end, in order, not merged, not clipped."""
    tz = ZoneInfo(zone)
    day = window.start.astimezone(tz).date() - timedelta(days=1)
    last = window.end.astimezone(tz).date()
    while day <= last:
        for start, end in sorted(hours.exceptions.get(day, hours.weekly.get(day.weekday(), ()))):
            opening = Span(_instant(day, start, tz), _instant(day, end, tz))
            if opening.end > window.start and opening.start <= window.end:
                yield opening
        day += timedelta(days=1)


def _instant(day: date, minutes: int, tz: ZoneInfo) -> datetime:
    """The instant at which the wall clock shows so many minutes after midnight; 1440 is the next midnight.

    In the hour that a change of clocks skips this is the instant the change happens at the latest (PEP 495, fold 0).
    """
    whole, rest = divmod(minutes, 1440)
    wall = datetime.combine(day + timedelta(days=whole), time(rest // 60, rest % 60), tz)
    return wall.astimezone(UTC)
