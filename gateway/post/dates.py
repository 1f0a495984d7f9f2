"""Days and times as a reader would write them himself."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.model import Span
from gateway.post.words import Calendar


def zone(*names: str) -> ZoneInfo:
    """The first of the IANA names that this machine knows; UTC otherwise."""
    for name in names:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # unknown: KeyError; "" and "../x": ValueError; a folder: OSError
            continue
    return ZoneInfo("UTC")


def zone_name(zone: ZoneInfo) -> str:
    return zone.key.replace("_", " ")


def day(calendar: Calendar, instant: datetime, zone: ZoneInfo, *, short: bool = False) -> str:
    """The local date: "Tuesday, November 24, 2026", or without the year."""
    local = instant.astimezone(zone)
    return (calendar.short if short else calendar.date).format(
        weekday=calendar.weekdays[local.weekday()],
        day=calendar.first if local.day == 1 else local.day,
        month=calendar.months[local.month - 1],
        year=local.year,
    )


def clock(calendar: Calendar, instant: datetime, zone: ZoneInfo) -> str:
    """The local time of day: "14:05" or "2:05 PM"."""
    local = instant.astimezone(zone)
    if calendar.twelve_hours:
        return f"{local.hour % 12 or 12}:{local.minute:02} {'AM' if local.hour < 12 else 'PM'}"
    return f"{local.hour:02}:{local.minute:02}"


def moment(calendar: Calendar, instant: datetime, zone: ZoneInfo) -> str:
    """Date and time without the year, for a subject line."""
    return calendar.moment.format(date=day(calendar, instant, zone, short=True), time=clock(calendar, instant, zone))


def hours(calendar: Calendar, span: Span, zone: ZoneInfo) -> str:
    """From when to when, without the date."""
    return calendar.within.format(start=clock(calendar, span.start, zone), end=clock(calendar, span.end, zone))


def stretch(calendar: Calendar, span: Span, zone: ZoneInfo) -> tuple[str, ...]:
    """Date and hours, a line each; one line when the span goes past midnight."""
    if span.start.astimezone(zone).date() == span.end.astimezone(zone).date():
        return day(calendar, span.start, zone), hours(calendar, span, zone)
    return (
        calendar.across.format(
            start_date=day(calendar, span.start, zone),
            start=clock(calendar, span.start, zone),
            end_date=day(calendar, span.end, zone),
            end=clock(calendar, span.end, zone),
        ),
    )
