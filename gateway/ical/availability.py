"""Working hours as iCalendar says them, both ways: VAVAILABILITY with weekly AVAILABLE times and single days (RFC 7953).

What is read is only what `WorkingHours` can hold: whole minutes of the staff member's own zone, the same every week, with
exceptions for single days. Anything else is refused with a sentence instead of being kept as something near it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.ical.clientzones import ClientZones
from gateway.ical.events import CLOSING, OPENING
from gateway.ical.lines import escape, joined
from gateway.ical.moments import DAY, Moment, length, moment, moments, shown
from gateway.ical.parse import Component, calendar, invalid
from gateway.ical.zones import is_utc, vtimezone
from gateway.model import Span, WorkingHours
from gateway.recurrence import Rule

EXCEPTIONS = 1_000
"""Days that may differ from the week."""

PARTS = 200
"""AVAILABLE and VAVAILABILITY components of one text."""

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MONDAY = date(2020, 1, 6)  # the week begins here, unless an exception lies before: constant, so that the text is
_FAR = datetime(2037, 12, 31, tzinfo=UTC)  # so far ahead a zone is declared whose rules do not go on for good
_STAMP = "DTSTAMP:20200101T000000Z"  # hours have no stamp of their own; the same hours are the same text
_MINUTE = timedelta(minutes=1)
_NEVER: Mapping[int, tuple[tuple[int, int], ...]] = {0: ()}

Intervals = tuple[tuple[int, int], ...]
"""Minutes after midnight, half open, as in WorkingHours."""


def plain(hours: WorkingHours) -> WorkingHours:
    """The same hours in the one form that is written and read here: intervals in order and merged, and no exception that is none."""
    if not hours.weekly and not hours.exceptions:
        return hours
    weekly = {day: merged for day in range(7) if (merged := _merged(hours.weekly.get(day, ())))}
    exceptions = {
        day: merged for day in sorted(hours.exceptions) if (merged := _merged(hours.exceptions[day])) != weekly.get(day.weekday(), ())
    }
    return WorkingHours(weekly=weekly if weekly or exceptions else _NEVER, exceptions=exceptions)


def written(hours: WorkingHours, *, zone: str, uid: str) -> str:
    """The hours as a VCALENDAR with one VAVAILABILITY. `zone` is IANA, `uid` the staff member's: the same hours give the same text.

    Hours that are not kept at all have no such text: everything would be available, which is what no VAVAILABILITY means.
    """
    settled = plain(hours)
    first = min([_MONDAY, *settled.exceptions])
    monday = first - timedelta(days=first.weekday())
    lines = [f"UID:{escape(uid)}", _STAMP, "BUSYTYPE:BUSY-UNAVAILABLE"]
    for number, part in enumerate([*_weekly(settled, monday, zone), *_single(settled, zone)]):
        lines += ["BEGIN:AVAILABLE", f"UID:{escape(uid)}-{number}", _STAMP, *part, "END:AVAILABLE"]
    window = Span(datetime.combine(monday, time(), UTC), max([_FAR, *(datetime.combine(day, time(), UTC) for day in settled.exceptions)]))
    body = joined(["BEGIN:VAVAILABILITY", *lines, "END:VAVAILABILITY"])
    return joined(OPENING) + vtimezone(zone, window) + body + CLOSING


def _weekly(hours: WorkingHours, monday: date, zone: str) -> Iterator[list[str]]:
    """One AVAILABLE for each interval, on all its weekdays; the days on which it does not hold are excluded."""
    days: dict[tuple[int, int], list[int]] = {}
    for weekday, intervals in hours.weekly.items():
        for interval in intervals:
            days.setdefault(interval, []).append(weekday)
    for (start, end), weekdays in sorted(days.items()):
        first = monday + timedelta(days=weekdays[0])
        rule = ",".join(_WEEKDAYS[weekday] for weekday in weekdays)
        yield [
            f"DTSTART{_wall(first, start, zone)}",
            f"DTEND{_wall(first, end, zone)}",
            f"RRULE:FREQ=WEEKLY;BYDAY={rule}",
            *(
                f"EXDATE{_wall(day, start, zone)}"
                for day, kept in hours.exceptions.items()
                if day.weekday() in weekdays and (start, end) not in kept
            ),
        ]


def _single(hours: WorkingHours, zone: str) -> Iterator[list[str]]:
    """What holds on one day and not in every week."""
    for day, intervals in hours.exceptions.items():
        for start, end in intervals:
            if (start, end) not in hours.weekly.get(day.weekday(), ()):
                yield [f"DTSTART{_wall(day, start, zone)}", f"DTEND{_wall(day, end, zone)}"]


def _wall(day: date, minutes: int, zone: str) -> str:
    moment = datetime.combine(day, time()) + minutes * _MINUTE
    return f":{moment:%Y%m%dT%H%M%S}Z" if is_utc(zone) else f";TZID={zone}:{moment:%Y%m%dT%H%M%S}"


def read(text: str, *, zone: str, now: datetime) -> WorkingHours:
    """The hours that a client's VAVAILABILITY describes. Raises Invalid (valid-calendar-data) for what hours cannot hold.

    One VAVAILABILITY holds for good; further ones with a higher PRIORITY and whole days between DTSTART and DTEND replace it
    on these days, each all of it (RFC 7953 §4). Times without a zone are meant in `zone`. What goes beyond times (SUMMARY,
    LOCATION, …) is not kept.
    """
    top = calendar(text)
    parts = top.named("VAVAILABILITY")
    if not parts or sum(1 + len(part.components) for part in parts) > PARTS:
        raise invalid(f"Availability is one VAVAILABILITY or a few, with {PARTS} parts at most.")
    zones = ClientZones(top, zone)
    periods = sorted((_period(part, zones, now) for part in parts), key=lambda period: period.rank)
    usual = periods.pop()
    if usual.days is not None or any(period.days is None or period.rank == usual.rank for period in periods):
        raise invalid("One VAVAILABILITY holds without end; every other one needs DTSTART, DTEND and a PRIORITY above that one's.")
    special = {day for period in [usual, *periods] for day in period.special()}
    if len(special) > EXCEPTIONS:
        raise invalid(f"At most {EXCEPTIONS} single days may differ from the week.")
    weekly = {day: intervals for day in range(7) if (intervals := usual.weekly(day))}
    exceptions = {day: _in_force(day, periods, usual).on(day) for day in special}
    return plain(WorkingHours(weekly=weekly or _NEVER, exceptions=exceptions))


@dataclass(frozen=True, slots=True)
class _Times:
    """One AVAILABLE. `start` in minutes after midnight, `lasts` in minutes; `weekdays` empty: only on the `dates`."""

    start: int
    lasts: int
    weekdays: frozenset[int]
    dates: frozenset[date]
    excluded: frozenset[date]

    def begins(self, day: date) -> bool:
        return day in self.dates or (day.weekday() in self.weekdays and day not in self.excluded)

    def pieces(self, here: bool, before: bool) -> Iterator[tuple[int, int]]:
        """What of a day is available when the time begins on it (`here`), and on the day `before`: it may last over midnight."""
        end = self.start + self.lasts
        if here:
            yield self.start, min(end, 1440)
        if before and end > 1440:
            yield 0, end - 1440

    def special(self) -> Iterator[date]:
        for day in self.dates | self.excluded:
            yield day
            if self.start + self.lasts > 1440:
                yield day + DAY


@dataclass(frozen=True, slots=True)
class _Period:
    """One VAVAILABILITY. `rank` is smaller the more it counts; `days` None: it holds for good."""

    rank: int
    days: frozenset[date] | None
    times: tuple[_Times, ...]

    def weekly(self, weekday: int) -> Intervals:
        found = (each.pieces(weekday in each.weekdays, (weekday - 1) % 7 in each.weekdays) for each in self.times)
        return _merged(piece for pieces in found for piece in pieces)

    def on(self, day: date) -> Intervals:
        found = (each.pieces(each.begins(day), each.begins(day - DAY)) for each in self.times)
        return _merged(piece for pieces in found for piece in pieces)

    def special(self) -> Iterable[date]:
        """The days that differ from the week, at least."""
        return self.days if self.days is not None else {day for each in self.times for day in each.special()}


def _in_force(day: date, periods: Sequence[_Period], usual: _Period) -> _Period:
    """Which VAVAILABILITY counts on a day; `periods` in the order of their rank."""
    covering = [period for period in periods if day in (period.days or ())]
    if len(covering) > 1 and covering[0].rank == covering[1].rank:
        raise invalid("Two VAVAILABILITY of the same PRIORITY are about the same day.")
    return covering[0] if covering else usual


def _period(part: Component, zones: ClientZones, now: datetime) -> _Period:
    if part.word("BUSYTYPE") not in ("", "BUSY-UNAVAILABLE", "BUSY"):
        raise invalid("Outside the working hours a person is unavailable; another BUSYTYPE cannot be kept.")
    today = shown(now, zones.floating).date()
    inner = part.named("AVAILABLE")
    moved = _moved(inner, zones)
    times = tuple(_times(each, zones, today, moved.get(each.word("UID"), frozenset())) for each in inner)
    return _Period(_rank(part), _days(part, zones, now), times)


def _rank(part: Component) -> int:
    """PRIORITY 1 counts most; 0, and none, least (RFC 7953 §3.1)."""
    value = part.word("PRIORITY") or "0"
    if value not in set("0123456789"):
        raise invalid("A PRIORITY is a number from 0 to 9.")
    return int(value) or 10


def _days(part: Component, zones: ClientZones, now: datetime) -> frozenset[date] | None:
    """The whole days that a VAVAILABILITY is about; None: all from now on."""
    start, end = _ends(part, zones)
    if end is None:
        if start is not None and start.instant > now:
            raise invalid("Working hours cannot begin later than now; say what differs until then day by day.")
        return None
    if start is None:
        raise invalid("A VAVAILABILITY that ends needs a DTSTART as well.")
    first, last = (_local(each, zones.floating) for each in (start, end))
    if first.time() != time() or last.time() != time() or not timedelta() < last - first <= EXCEPTIONS * DAY:
        raise invalid(f"A VAVAILABILITY that ends is about whole days, {EXCEPTIONS} at most.")
    return frozenset(first.date() + number * DAY for number in range((last - first).days))


def _ends(part: Component, zones: ClientZones) -> tuple[Moment | None, Moment | None]:
    """DTSTART, and DTEND or what DURATION makes of it."""
    begin, end, lasting = part.one("DTSTART"), part.one("DTEND"), part.one("DURATION")
    start = moment(begin, zones) if begin is not None else None
    if end is not None:
        return start, moment(end, zones)
    if lasting is None or start is None:
        return start, None
    try:
        return start, replace(start, wall=start.wall + length(lasting.value).total)
    except OverflowError:
        raise invalid("A duration is longer than the calendar.") from None


def _moved(parts: Iterable[Component], zones: ClientZones) -> Mapping[str, frozenset[date]]:
    """By UID: the days whose time another AVAILABLE with a RECURRENCE-ID replaces."""
    found: dict[str, frozenset[date]] = {}
    for part in parts:
        line = part.one("RECURRENCE-ID")
        if line is not None:
            uid = part.word("UID")
            found[uid] = found.get(uid, frozenset()) | {_local(moment(line, zones), zones.floating).date()}
    return found


def _times(part: Component, zones: ClientZones, today: date, moved: frozenset[date]) -> _Times:
    start, end = _ends(part, zones)
    if start is None or end is None or start.day or end.day:
        raise invalid("An AVAILABLE has a DTSTART and a DTEND or DURATION with times.")
    home = zones.floating
    wall, until = _local(start, home), _local(end, home)
    lasts, rest = divmod(until - wall, _MINUTE)
    if rest or wall.second or wall.microsecond or not 0 < lasts <= 1440:
        raise invalid("An AVAILABLE lasts for whole minutes, a day at most.")
    minutes = wall.hour * 60 + wall.minute
    dates = frozenset(_rdates(part, zones, wall.time()))
    rules = part.every("RRULE")
    if not rules or part.one("RECURRENCE-ID") is not None:
        return _Times(minutes, lasts, frozenset(), dates | {wall.date()}, frozenset())
    if len(rules) > 1 or not (start.floating or start.zone is home):
        raise invalid("Weekly hours have one RRULE, and their times are in the zone of the staff member.")
    weekdays = _weekdays(Rule.parse(rules[0].value), wall.weekday())
    excluded = moved | _exdates(part, zones, wall.time()) | _until(wall.date(), today)
    return _Times(minutes, lasts, weekdays, dates - excluded, frozenset(day for day in excluded if day.weekday() in weekdays))


def _weekdays(rule: Rule, first: int) -> frozenset[int]:
    plain_rule = replace(rule, days=(), week_start=0)
    if plain_rule not in (Rule(freq="WEEKLY"), Rule(freq="DAILY")) or any(ordinal for ordinal, _ in rule.days):
        raise invalid("Working hours come round every week, on certain weekdays, without end; other rules cannot be kept.")
    if rule.days:
        return frozenset(weekday for _, weekday in rule.days)
    return frozenset(range(7) if rule.freq == "DAILY" else [first])


def _until(first: date, today: date) -> frozenset[date]:
    """The days from now on before weekly hours begin."""
    ahead = (first - today).days
    if ahead > EXCEPTIONS:
        raise invalid(f"Weekly hours begin within {EXCEPTIONS} days.")
    return frozenset(today + number * DAY for number in range(ahead))


def _exdates(part: Component, zones: ClientZones, at: time) -> frozenset[date]:
    """A date excludes the time of that day, a time only if it is the one at which it begins."""
    found = [each for line in part.every("EXDATE") for each in moments(line, zones)]
    return frozenset(_local(each, zones.floating).date() for each in found if each.day or _local(each, zones.floating).time() == at)


def _rdates(part: Component, zones: ClientZones, at: time) -> Iterator[date]:
    for line in part.every("RDATE"):
        for each in moments(line, zones):
            if not each.day and _local(each, zones.floating).time() != at:
                raise invalid("An RDATE of an AVAILABLE has the time of its DTSTART.")
            yield _local(each, zones.floating).date()


def _local(found: Moment, home: tzinfo) -> datetime:
    """The wall time in the staff member's zone; as written where it is written in it, also when clocks skip it."""
    return found.wall if found.floating or found.zone is home else shown(found.instant, home)


def _merged(intervals: Iterable[tuple[int, int]]) -> Intervals:
    """In order; what overlaps or touches is one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
