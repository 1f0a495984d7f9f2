"""Time zones as iCalendar says them: wall times with a TZID, and compact VTIMEZONEs that agree with the zone database (RFC 5545 §3.6.5)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

from gateway.ical.lines import joined
from gateway.model import Span

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PLAIN = ("UTC", "UCT", "Universal", "Zulu", "GMT", "Greenwich", "GMT0", "GMT+0", "GMT-0")
_UTC = frozenset((*_PLAIN, *(f"Etc/{name}" for name in _PLAIN)))
_FIRST, _LAST = 1901, 2200  # before, local mean time is all there is; so far ahead nobody knows
_TWO = tuple(f"{number:02}" for number in range(60))
_CYCLE = 28
"""Years after which weekdays and leap years come round: a rule that holds so long always holds."""

_STEP = timedelta(days=3)  # no zone has changed its clocks there and back faster since 1901 (property test)


def is_utc(zone: str) -> bool:
    """Whether times of the zone are written in UTC, without TZID."""
    return zone in _UTC


def stamp(instant: datetime) -> str:
    """An instant in UTC, whole seconds: 20261124T090000Z."""
    return _digits(instant.astimezone(UTC)) + "Z"


def wall(instant: datetime, zone: str, *, repeating: bool = False) -> str:
    """What stands behind a property's name: ";TZID=Europe/Paris:20261124T100000", or ":20261124T090000Z".

    An hour that comes twice when clocks go back means the first of the two (RFC 5545 §3.3.5): instants in the second are
    written in UTC, unless they begin a series (`repeating`), which is counted in wall time.
    """
    if zone in _UTC:
        return f":{stamp(instant)}"
    local = instant.astimezone(ZoneInfo(zone))
    if local.fold and not repeating:
        return f":{stamp(instant)}"
    return f";TZID={zone}:{_digits(local)}"


def _digits(m: datetime) -> str:
    """20261124T100000. A table is four times as fast as a format, and every event has six of these."""
    return f"{m.year:04}{_TWO[m.month]}{_TWO[m.day]}T{_TWO[m.hour]}{_TWO[m.minute]}{_TWO[m.second]}"


def vtimezone(zone: str, window: Span) -> str:
    """The VTIMEZONE of an IANA zone, right for every instant of the years the window touches; "" for UTC.

    Where the rules of those years go on for good it holds for ever. Offsets are whole minutes (Outlook on the web refuses local
    mean time with seconds, ical4j issue 611). The same zone and years always give the same text.
    """
    if zone in _UTC:
        return ""
    first = min(max(window.start.year, _FIRST), _LAST)
    return _vtimezone(zone, first, min(max(window.end.year, first), _LAST))


@lru_cache(maxsize=4096)
def _vtimezone(zone: str, first: int, last: int) -> str:
    """The year before is said as well, so that the first onset lies before everything."""
    body = list(_observances(zone, first - 1, last + 1))
    return joined(["BEGIN:VTIMEZONE", f"TZID:{zone}", *chain.from_iterable(body), "END:VTIMEZONE"])


def onsets(zone: str, window: Span) -> list[Onset]:
    """Every change of clocks in the window, in order."""
    if zone in _UTC:
        return []
    years = range(window.start.year, window.end.year + 1)
    return [onset for year in years for onset in _onsets(zone, year) if window.start <= onset.instant < window.end]


@dataclass(frozen=True, slots=True)
class Onset:
    """A change of clocks. `wall` is what they showed at that moment, naive; `before` and `after` are the offsets from UTC."""

    instant: datetime
    before: timedelta
    after: timedelta
    name: str

    @property
    def wall(self) -> datetime:
        return (self.instant + self.before).replace(tzinfo=None)


def _observances(zone: str, first: int, last: int) -> Iterator[list[str]]:
    """One STANDARD and one DAYLIGHT where the same rule goes on for good, one for each onset until then."""
    regular = next((year for year in range(first, last + 1) if _rules(zone, year) is not None), last + 1)
    rules = _rules(zone, regular)
    if regular > first or not rules:
        yield _standing(zone, first, single=regular == first)
    onsets = [onset for year in range(first, regular + 2) for onset in _year(zone, year)]
    for onset, following in zip(onsets, [*onsets[1:], None], strict=False):
        if onset.wall.year < regular:
            yield _observance(onset, _is_daylight(onset, following))
    for onset, rule in zip(_year(zone, regular), rules or (), strict=False):
        yield _observance(onset, onset.after > onset.before, rule)


def _standing(zone: str, year: int, *, single: bool) -> list[str]:
    """What holds before the first onset; the only one of a zone that does not change its clocks."""
    moment = datetime(year, 1, 1, tzinfo=UTC)
    offset = _offset(ZoneInfo(zone), moment)
    wall = datetime(1970, 1, 1) if single else datetime(year, 1, 1)  # noqa: DTZ001  # a wall time
    return _lines("STANDARD", wall, offset, offset, _name(zone, moment))


def _observance(onset: Onset, daylight: bool, rule: str = "") -> list[str]:
    return _lines("DAYLIGHT" if daylight else "STANDARD", onset.wall, onset.before, onset.after, onset.name, rule)


def _lines(kind: str, wall: datetime, before: timedelta, after: timedelta, name: str, rule: str = "") -> list[str]:
    lines = [f"BEGIN:{kind}", f"DTSTART:{_digits(wall)}", f"TZOFFSETFROM:{_hours(before)}", f"TZOFFSETTO:{_hours(after)}"]
    if rule:
        lines.append(f"RRULE:{rule}")
    if name:
        lines.append(f"TZNAME:{name}")
    return [*lines, f"END:{kind}"]


def _is_daylight(onset: Onset, following: Onset | None) -> bool:
    """Whether clocks go forward and soon back again. The database's own flag is of no use: Dublin's and Casablanca's run backwards."""
    return onset.after > onset.before and following is not None and following.instant - onset.instant < timedelta(days=366)


@lru_cache(maxsize=8192)
def _rules(zone: str, year: int) -> tuple[str, ...] | None:
    """The RRULE of each of the year's onsets, if they come round in the same way from that year on; else None."""
    years = [_year(zone, each) for each in range(year, year + _CYCLE)]
    if any(len(onsets) != len(years[0]) for onsets in years):
        return None
    rules = [_rule(column) for column in zip(*years, strict=True)]
    return None if None in rules else tuple(rule for rule in rules if rule)


def _rule(onsets: Sequence[Onset]) -> str | None:
    """The rule behind the same onset in successive years."""
    alike = {(onset.before, onset.after, onset.wall.time(), onset.wall.month, onset.wall.weekday()) for onset in onsets}
    if len(alike) > 1:
        return None
    walls = [onset.wall for onset in onsets]
    low, high = min(wall.day for wall in walls), max(wall.day for wall in walls)
    month, day = walls[0].month, _WEEKDAYS[walls[0].weekday()]
    if high - low != 6:
        return None
    if all(wall.day + 7 > monthrange(wall.year, month)[1] for wall in walls):
        return f"FREQ=YEARLY;BYMONTH={month};BYDAY=-1{day}"
    if high % 7 == 0:
        return f"FREQ=YEARLY;BYMONTH={month};BYDAY={high // 7}{day}"
    dates = ",".join(str(number) for number in range(low, high + 1))  # such as the Friday before a last Sunday
    return f"FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={dates};BYDAY={day}"


@lru_cache(maxsize=65536)
def _year(zone: str, year: int) -> tuple[Onset, ...]:
    """The onsets whose wall time falls into the year, in order."""
    near = (onset for each in (year - 1, year, year + 1) for onset in _onsets(zone, each))
    return tuple(onset for onset in near if onset.wall.year == year)


@lru_cache(maxsize=65536)
def _onsets(zone: str, year: int) -> tuple[Onset, ...]:
    """Those in the UTC year, found by looking every few days and halving what lies between."""
    tz = ZoneInfo(zone)
    found = []
    moment, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while moment < end:
        later = min(moment + _STEP, end)
        before, after = _offset(tz, moment), _offset(tz, later)
        if before != after:
            early = moment
            while later - early > timedelta(seconds=1):
                middle = early + timedelta(seconds=(later - early) // timedelta(seconds=2))
                early, later = (middle, later) if _offset(tz, middle) == before else (early, middle)
            found.append(Onset(later, before, _offset(tz, later), _name(zone, later)))
        moment = later
    return tuple(found)


def _offset(tz: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(tz).utcoffset() or timedelta()


def _name(zone: str, moment: datetime) -> str:
    name = moment.astimezone(ZoneInfo(zone)).tzname() or ""
    return "" if name == "LMT" else name


def _hours(offset: timedelta) -> str:
    """±hhmm, rounded to minutes."""
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
