"""Moments and zones as providers write them, and the times of one event."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.model import Span

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """When an event is. All-day: `start` and `end` are the midnights of the dates, written as UTC, and mean no instant."""

    start: datetime
    end: datetime
    zone: str
    end_zone: str = ""
    all_day: bool = False

    def span(self, home: str) -> Span:
        """The time it takes, [start, end); whole days begin where the calendar is at home."""
        if not self.all_day:
            return Span(self.start, max(self.start, self.end))
        return Span(floating(self.start, home), floating(self.end, home))

    def at(self, start: datetime) -> Times:
        """The same length, beginning there."""
        return Times(start=start, end=start + (self.end - self.start), zone=self.zone, end_zone=self.end_zone, all_day=self.all_day)

    @property
    def wall(self) -> datetime:
        """What the clock shows where the event takes place when it begins (naive)."""
        return self.start.astimezone(UTC if self.all_day else zone(self.zone)).replace(tzinfo=None)


def floating(midnight: datetime, home: str) -> datetime:
    """The instant of a midnight that means no instant."""
    return midnight.replace(tzinfo=zone(home)).astimezone(UTC)


@lru_cache(maxsize=2000)
def zone(name: str) -> tzinfo:
    """The zone of an IANA name. Raises KeyError when there is none."""
    if name in ("UTC", "Etc/UTC", "GMT"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise KeyError(name) from error


def known(name: str) -> bool:
    try:
        zone(name)
    except KeyError:
        return False
    return True


def moment(text: str) -> datetime | None:
    """RFC 3339: aware in UTC with an offset, naive without one. None: it is no such thing."""
    found = _RFC3339.fullmatch(text)
    if not found:
        return None
    offset = (found[4] or "").upper().replace("Z", "+00:00")
    try:
        read = datetime.fromisoformat(f"{found[1]}T{found[2]}{(found[3] or '')[:7]}{offset}")
        return read.astimezone(UTC) if read.tzinfo else read
    except (ValueError, OverflowError):
        return None


def day(text: str) -> date | None:
    """A date, "2026-03-02"."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def midnight(when: date) -> datetime:
    """A date as `Times` keeps it."""
    return datetime(when.year, when.month, when.day, tzinfo=UTC)


def stamp(instant: datetime) -> str:
    """An instant to the millisecond, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03}Z"


def local(instant: datetime, name: str) -> str:
    """An instant as the clock there shows it, with its offset."""
    there = instant.astimezone(zone(name))
    return there.replace(tzinfo=None).isoformat(timespec="seconds") + (
        "Z" if not there.utcoffset() else f"{there:%z}"[:3] + ":" + f"{there:%z}"[3:5]
    )


def read(value: object, home: str) -> tuple[datetime, bool]:
    """A moment a person means: (instant, False), or (midnight, True) for a date. Without offset in the zone. Raises ValueError."""
    if isinstance(value, str):
        if when := day(value):
            return midnight(when), True
        if instant := moment(value):
            return (instant if instant.tzinfo else instant.replace(tzinfo=zone(home)).astimezone(UTC)), False
    raise ValueError(f"{value!r} is no date and no time as RFC 3339 has it")


FOREVER = Span(datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
DAY = timedelta(days=1)
