"""The zones of the zone database as a list, each as a VTIMEZONE or as its changes of clocks: what a time-zone service hands out."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path

from gateway.ical.events import CLOSING, OPENING
from gateway.ical.lines import joined
from gateway.ical.zones import is_utc, onsets, vtimezone
from gateway.model import Span

YEARS = Span(datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC))
"""What is told of a zone unless less is asked for; where its rules go on for good the VTIMEZONE holds for ever."""

_BESIDE = ("localtime", "posixrules", "Factory")  # files in the system's folder that are no zones of their own


@dataclass(frozen=True, slots=True)
class Observance:
    """From `onset` on clocks go by `after`, as an offset from UTC; `before` was theirs until then."""

    name: str
    onset: datetime
    before: timedelta
    after: timedelta


@cache
def names() -> tuple[str, ...]:
    """Every IANA name, in order."""
    return tuple(sorted(name for name in zoneinfo.available_timezones() if name not in _BESIDE))


def known(name: str) -> bool:
    """Whether that is exactly the name of a zone; it is looked up in a list and never becomes a path."""
    return name in _set()


@cache
def _set() -> frozenset[str]:
    return frozenset(names())


@cache
def version() -> str:
    """Which edition of the zone database is in use, such as 2025b: the system's own, or else the one that was installed with us."""
    for folder in zoneinfo.TZPATH:
        listing = Path(folder) / "tzdata.zi"
        if listing.is_file():
            with listing.open(encoding="ascii", errors="replace") as lines:
                return next(lines, "").removeprefix("# version ").strip()[:32] or "unknown"
    return installed("tzdata")


def text(name: str, window: Span = YEARS) -> str:
    """A VCALENDAR with the VTIMEZONE of a known zone, right within the window."""
    return joined(OPENING) + (vtimezone(name, window) or _utc(name)) + CLOSING


def observances(name: str, window: Span) -> Sequence[Observance]:
    """The changes of clocks in the window, and first what holds when it begins."""
    found = onsets(name, window)
    zone = zoneinfo.ZoneInfo(name)
    begin = window.start.astimezone(zone)
    offset = begin.utcoffset() or timedelta()
    first = Observance(begin.tzname() or name, window.start, offset, offset)
    return [first, *(Observance(each.name or name, each.instant, each.before, each.after) for each in found if each.instant > window.start)]


def _utc(name: str) -> str:
    """UTC has no VTIMEZONE in a calendar object, where times end with Z; in a list of zones it has one like every other."""
    if not is_utc(name):
        raise ValueError(f"{name} is not UTC")
    standard = ["BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "TZNAME:UTC", "END:STANDARD"]
    return joined(["BEGIN:VTIMEZONE", f"TZID:{name}", *standard, "END:VTIMEZONE"])
