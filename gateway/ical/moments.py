"""Dates, times, durations and periods of content lines as values (RFC 5545 §3.3.4–§3.3.9)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

from gateway.ical.parse import Property, invalid
from gateway.model import Span

_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII | re.IGNORECASE)
DAY = timedelta(days=1)
_LONGEST = timedelta(days=date.max.toordinal())


class Zones(Protocol):
    """Which zone a TZID means in one object, and in which zone times without one are meant."""

    @property
    def floating(self) -> tzinfo: ...
    def named(self, tzid: str) -> tzinfo: ...


@dataclass(frozen=True, slots=True)
class OneZone:
    """Zones where every name means the same: inside a VTIMEZONE, or where only the form of a time matters."""

    floating: tzinfo

    def named(self, tzid: str) -> tzinfo:
        return self.floating


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as written: the wall time (naive) in `zone`. `day`: a DATE, its midnight. `floating`: no zone was written."""

    wall: datetime
    zone: tzinfo
    day: bool = False
    floating: bool = False

    @property
    def instant(self) -> datetime:
        """In UTC. A skipped wall time is read with the offset before, of a repeated one the first (RFC 5545 §3.3.5)."""
        try:
            return self.wall.replace(tzinfo=self.zone).astimezone(UTC)
        except OverflowError:  # in the first and last hours of the calendar
            return self.wall.replace(tzinfo=UTC)

    @property
    def second(self) -> datetime:
        """The same, of a wall time that comes twice the second."""
        return replace(self, wall=self.wall.replace(fold=1)).instant

    def beside(self, start: Moment) -> Moment:
        """The same, meant in the zone of `start` if no zone was written: clients leave TZID out of EXDATE and RECURRENCE-ID."""
        return replace(self, zone=start.zone) if self.floating else self

    def at(self, start: Moment) -> datetime:
        """The instant of the instance it names in a series that begins with `start` (RFC 5545 §3.8.4.4).

        Clients mix kinds: a date among times is the instance of that day, a time among days the instance of its day.
        """
        here = self.beside(start)
        if here.day and not start.day:
            return Moment(datetime.combine(here.wall.date(), start.wall.time()), start.zone).instant
        if start.day and not here.day:
            wall = here.wall
            if here.wall.time() != time() and here.zone is not start.zone:
                wall = shown(here.instant, start.zone)
            return Moment(datetime.combine(wall.date(), time()), start.zone).instant
        if start.day:
            return replace(here, zone=start.zone).instant
        return here.instant


@dataclass(frozen=True, slots=True)
class Length:
    """A DURATION: days of the calendar, and time of the clock."""

    days: timedelta
    rest: timedelta

    @property
    def total(self) -> timedelta:
        return self.days + self.rest


def moment(line: Property, zones: Zones) -> Moment:
    """The one DATE or DATE-TIME of a property. Raises Invalid for what is neither and for an unknown TZID."""
    return _moment(line.value, line, zones)


def moments(line: Property, zones: Zones) -> list[Moment]:
    """The dates or times of a list such as EXDATE."""
    return [_moment(item, line, zones) for item in line.value.split(",") if item.strip()]


def periods(line: Property, zones: Zones) -> list[Span]:
    """The periods of RDATE;VALUE=PERIOD (RFC 5545 §3.3.9): a start, and an end or a length."""
    found = []
    for item in line.value.split(","):
        start, slash, rest = item.partition("/")
        if not slash:
            raise invalid(f"{line.name[:20]} has a period that is not understood.")
        begin = _moment(start, line, zones)
        found.append(Span(begin.instant, _end(begin, rest, line, zones)))
    return found


def _end(begin: Moment, text: str, line: Property, zones: Zones) -> datetime:
    lasts = text.strip()[:1].upper() in ("P", "+", "-")
    return max(begin.instant, after(begin, length(text)) if lasts else _moment(text, line, zones).instant)


def after(start: Moment, lasting: Length) -> datetime:
    """When something ends that lasts so long from `start`; at the end of time at the latest."""
    try:
        return replace(start, wall=start.wall + lasting.days).instant + lasting.rest
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def length(text: str) -> Length:
    """A DURATION value. Raises Invalid."""
    parts = _DURATION.fullmatch(text.strip())
    if parts is None or not any(parts.groups()[1:]) or any(len(each or "") > 15 for each in parts.groups()):
        raise invalid("A duration is not understood.")
    sign = -1 if parts[1] == "-" else 1
    weeks, days, hours, minutes, seconds = (sign * int(each or 0) for each in parts.groups()[1:])
    try:
        found = Length(timedelta(weeks=weeks, days=days), timedelta(hours=hours, minutes=minutes, seconds=seconds))
    except OverflowError:
        raise invalid("A duration is longer than the calendar.") from None
    if abs(found.total) > _LONGEST:
        raise invalid("A duration is longer than the calendar.")
    return found


def _moment(text: str, line: Property, zones: Zones) -> Moment:
    parts = _MOMENT.fullmatch(text.strip())
    if parts is None:
        raise invalid(f"{line.name[:20]} is no date and no time.")
    year, month, day, hour, minute, second, utc = parts.groups()
    try:
        on = date(int(year), int(month), int(day))
        clock = time(int(hour or 0), int(minute or 0), 59 if second == "60" else int(second or 0))  # a leap second has no place here
    except ValueError:
        raise invalid(f"{line.name[:20]} is no date and no time.") from None
    if hour is None or (line.parameter("VALUE") or "").upper() == "DATE":
        return Moment(datetime.combine(on, time()), zones.floating, day=True, floating=True)
    wall = datetime.combine(on, clock)
    if utc:
        return Moment(wall, UTC)
    named = line.parameter("TZID")
    return Moment(wall, zones.named(named)) if named else Moment(wall, zones.floating, floating=True)


def shown(instant: datetime, zone: tzinfo) -> datetime:
    """What the clocks of the zone show at that instant."""
    try:
        return instant.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return instant.replace(tzinfo=None)
