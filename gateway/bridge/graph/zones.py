"""Time zones by Windows' names, which Exchange reckons with, and by IANA's, which everybody else does. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.ical.windows import windows_zones

_UNIVERSAL = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "Universal", "Zulu", "UCT"})
_FIRST, _WEEK, _WEEKS = datetime(2024, 1, 1, tzinfo=UTC), timedelta(weeks=1), 52 * 13
"""The time for which two zones have to agree: nobody knows the rules of later years."""


@cache
def windows(zone: str) -> str | None:
    """Windows' name of the zone by whose rules Exchange is to reckon; None: it knows none whose clocks show the same."""
    if zone in _UNIVERSAL:
        return "UTC"
    if zone in _by_iana():
        return _by_iana()[zone]
    rough = _rough(zone)
    return next((name for name, other in windows_zones().items() if _rough(other) == rough and _changes(other) == _changes(zone)), None)


@cache
def iana(name: str, home: str = "UTC") -> str:
    """The zone behind a name from Exchange, which speaks for a whole territory: `home` where that lies in it.

    UTC for what nobody knows, such as zones that people made themselves: the instant is right all the same.
    """
    found = _by_lower().get(name.lower(), name)
    if not known(found) or found in _UNIVERSAL:
        return "UTC"
    return home if windows(found) == windows(home) is not None else found


def known(zone: str) -> bool:
    """Whether there is a zone of this IANA name."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@cache
def _by_iana() -> Mapping[str, str]:
    return {iana: name for name, iana in reversed(list(windows_zones().items()))}


@cache
def _by_lower() -> Mapping[str, str]:
    return {name.lower(): iana for name, iana in windows_zones().items()}


@cache
def _rough(zone: str) -> tuple[timedelta | None, ...]:
    """Offsets in the middle of some months: most zones part ways here already."""
    there = ZoneInfo(zone)
    return tuple((_FIRST + timedelta(days=14 + 30 * month)).astimezone(there).utcoffset() for month in range(40))


@cache
def _changes(zone: str) -> tuple[tuple[datetime, timedelta | None], ...]:
    """The offset at the beginning, and each change of it to the minute. No zone changes twice within a week."""
    there, low = ZoneInfo(zone), _FIRST
    found = [(low, low.astimezone(there).utcoffset())]
    for _ in range(_WEEKS):
        before, after, high = found[-1][1], (low + _WEEK).astimezone(there).utcoffset(), low + _WEEK
        if after != before:
            first, last = low, high
            while last - first > timedelta(minutes=1):
                middle = first + (last - first) / 2
                first, last = (middle, last) if middle.astimezone(there).utcoffset() == before else (first, middle)
            found.append((last.replace(second=0, microsecond=0), after))
        low = high
    return tuple(found)
