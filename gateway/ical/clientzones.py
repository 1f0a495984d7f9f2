"""The time zone a client's TZID means: an IANA name however dressed, a Windows name, or the rules the text brings along.

IANA wins over a VTIMEZONE of the same name: clients ship old rules, and both sides must see the same instant. Names are looked up
in a list; none ever becomes a path.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from gateway.ical.moments import OneZone, moment, moments
from gateway.ical.parse import Component, Property, calendar, invalid
from gateway.ical.windows import windows_zones
from gateway.model import Span
from gateway.recurrence import Budget, Rule, Series, occurrences

OBSERVANCES = 64
"""STANDARD and DAYLIGHT parts of one VTIMEZONE; the longest that tools write have about fifty."""

_YEARS = Span(datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
"""For which transitions are worked out; before and after the nearest offset holds."""

_BUDGET = Budget(steps=2_000, instances=300)
_OFFSET = re.compile(r"([+-]?)(\d\d)(\d\d)(\d\d)?", re.ASCII)
_SHIFT = re.compile(r"\(?(?:UTC|GMT)?([+-])(\d\d?):?(\d\d)?\)?", re.ASCII | re.IGNORECASE)
_Change = tuple[datetime, timedelta, timedelta]  # the instant, the offset before it, the offset from it on
_NUMBERED = re.compile(r"\s+\d+$")  # Outlook numbers zones it has met before: "W. Europe Standard Time 1"


class ClientZones:
    """The zones of one VCALENDAR. `floating` is the IANA name of the zone in which times without one are meant."""

    def __init__(self, calendar: Component, floating: str) -> None:
        self._floating = floating
        self._own = calendar.named("VTIMEZONE")
        self._met: dict[str, tzinfo] = {}

    @property
    def floating(self) -> tzinfo:
        return _iana(self._floating)

    def named(self, tzid: str) -> tzinfo:
        """Raises Invalid for a name that is not known and has no VTIMEZONE."""
        if tzid not in self._met:
            self._met[tzid] = known(tzid) or self._brought(tzid)
        return self._met[tzid]

    def _brought(self, tzid: str) -> tzinfo:
        for component in self._own:
            if tzid == next((each.value for each in component.every("TZID")), "").strip('"'):
                location = next((known(each.value) for each in component.every("X-LIC-LOCATION")), None)
                return location or _described(str(component))
        raise invalid("A time zone is named that is neither known nor described.")


def known(tzid: str) -> tzinfo | None:
    """The zone of a name that needs no description: IANA's, with whatever path in front; Windows'; "GMT+0100"."""
    name = tzid.strip().strip('"').strip()
    if not name or len(name) > 200:
        return None
    parts = name.split("/")
    for count in (min(3, len(parts)), 2, 1):  # "/freeassociation.sourceforge.net/America/Indiana/Knox", "tzone://Microsoft/Utc"
        if canonical := _names().get("/".join(parts[-count:]).lower()):
            return _iana(canonical)
    if windows := _windows().get(name.lower()) or _windows().get(_NUMBERED.sub("", name).lower()):  # "Russia Time Zone 10" is one, too
        return _iana(windows)
    if (shift := _SHIFT.fullmatch(name)) and int(shift[2]) < 24 and int(shift[3] or 0) < 60:
        offset = timedelta(hours=int(shift[2]), minutes=int(shift[3] or 0))
        return timezone(-offset if shift[1] == "-" else offset)
    return None


@cache
def _names() -> dict[str, str]:
    """Every IANA name by its lower-case form; not what merely lies beside them in the system's folder."""
    return {name.lower(): name for name in available_timezones() if name not in ("localtime", "posixrules", "Factory")}


@cache
def _windows() -> dict[str, str]:
    return {windows.lower(): iana for windows, iana in windows_zones().items()}


@cache
def _iana(name: str) -> tzinfo:
    """UTC as the one object that the rest of the gateway tests for."""
    return UTC if name in ("UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal", "Etc/Universal") else ZoneInfo(name)


class _OwnZone(tzinfo):
    """A zone made of its changes, in order; `initial` holds where there is none."""

    def __init__(self, changes: list[_Change], initial: timedelta) -> None:
        bare = [(instant.replace(tzinfo=None), before, after) for instant, before, after in changes]
        self._offsets = [bare[0][1] if bare else initial, *(after for _, _, after in bare)]
        self._instants = [instant for instant, _, _ in bare]
        # When the clocks show the new time for good: for the first (fold 0) and for the second reading of an hour that comes twice.
        self._walls = (
            [instant + max(before, after) for instant, before, after in bare],
            [instant + min(before, after) for instant, before, after in bare],
        )

    def utcoffset(self, when: datetime | None) -> timedelta:
        if when is None:
            return self._offsets[-1]
        return self._offsets[bisect_right(self._walls[when.fold], when.replace(tzinfo=None))]

    def fromutc(self, when: datetime) -> datetime:
        offset = self._offsets[bisect_right(self._instants, when.replace(tzinfo=None))]
        wall = when + offset
        return wall if self.utcoffset(wall.replace(fold=0)) == offset else wall.replace(fold=1)

    def dst(self, when: datetime | None) -> None:
        return None

    def tzname(self, when: datetime | None) -> None:
        return None


@lru_cache(maxsize=64)
def _described(text: str) -> tzinfo:
    """The zone that a VTIMEZONE describes. Remembered: clients bring the same few again and again."""
    [component] = calendar(f"BEGIN:VCALENDAR\n{text}\nEND:VCALENDAR").components
    parts = [part for part in component.components if part.name in ("STANDARD", "DAYLIGHT")]
    if not parts or len(parts) > OBSERVANCES:
        raise invalid("A time zone is described by no rule, or by too many.")
    changes = [change for part in parts for change in _changes(part)]
    first = min(changes, key=lambda change: change[0]) if changes else None
    return _OwnZone(sorted(set(changes)), first[1] if first else _offset(parts[0], "TZOFFSETTO"))


def _changes(part: Component) -> list[_Change]:
    """When this part of a VTIMEZONE begins to hold (RFC 5545 §3.6.5). Its own start counts even before the years we work out."""
    before, after = _offset(part, "TZOFFSETFROM"), _offset(part, "TZOFFSETTO")
    zones = OneZone(timezone(before))
    start = moment(_needed(part, "DTSTART"), zones)
    series = Series(
        start=start.wall,
        length=timedelta(),
        zone=zones.floating,
        rules=tuple(Rule.parse(each.value) for each in part.every("RRULE")),
        rdates=tuple(each.instant for line in part.every("RDATE") for each in moments(line, zones)),
    )
    found = {span.start for span in occurrences(series, _YEARS, budget=_BUDGET).instances}
    return [(instant, before, after) for instant in {start.instant, *found}]


def _offset(part: Component, name: str) -> timedelta:
    """RFC 5545 §3.3.14; seconds are taken, offsets of a day or more are not."""
    parts = _OFFSET.fullmatch(_needed(part, name).value.strip())
    if parts is None or int(parts[2]) > 23 or int(parts[3]) > 59 or int(parts[4] or 0) > 59:
        raise invalid("A time zone has an offset that is not understood.")
    offset = timedelta(hours=int(parts[2]), minutes=int(parts[3]), seconds=int(parts[4] or 0))
    return -offset if parts[1] == "-" else offset


def _needed(part: Component, name: str) -> Property:
    line = part.one(name)
    if line is None:
        raise invalid(f"A time zone is described without {name}.")
    return line
