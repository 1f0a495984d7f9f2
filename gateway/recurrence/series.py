"""Recurrence sets and their expansion, which begins at the window and never runs away (RFC 5545 §3.8.5).

Rules are counted in wall time and become instants one by one: what the clock shows stays, the instant follows the zone.
A wall time that a change of clocks skips is read with the offset before the change, one that comes twice is the first
of the two (RFC 5545 §3.3.5). A set always begins with its start, which counts as the first instance of COUNT.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.model import Span
from gateway.recurrence.periods import Meter, Periods, Spent, seconds
from gateway.recurrence.rule import DAY, SUBDAILY, Rule

_FIRST = datetime.combine(date.min, time())
_LAST = datetime.combine(date(9998, 12, 31), time())  # a day after must exist, too, whatever the zone


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """What repeats: the first instance begins at the wall time `start` (naive) in `zone`, and lasts `length`.

    `nominal`: whole days of the length are counted on the calendar (DURATION), not as 24 hours (DTEND).
    `all_day`: the start is a date, its midnight; days are whole days of the zone.
    `rdates` (instants), `periods` (RDATE;VALUE=PERIOD) are added, `exdates` (instants) and `exrules` taken away.
    """

    start: datetime
    length: timedelta
    zone: tzinfo
    nominal: bool = False
    all_day: bool = False
    rules: tuple[Rule, ...] = ()
    rdates: tuple[datetime, ...] = ()
    periods: tuple[Span, ...] = ()
    exdates: frozenset[datetime] = frozenset()
    exrules: tuple[Rule, ...] = ()

    def instant(self, wall: datetime) -> datetime:
        """When the clock shows this; in the first and last hours of the calendar, where no zone can be applied, as in UTC."""
        try:
            return wall.replace(tzinfo=self.zone).astimezone(UTC)
        except OverflowError:
            return wall.replace(tzinfo=UTC)

    def span(self, start: datetime) -> Span:
        """The time an instance takes that begins at this instant."""
        try:
            if not (self.nominal or self.all_day):
                return Span(start, start + self.length)
            days, wall = timedelta(days=self.length.days), start.astimezone(self.zone).replace(tzinfo=None)
            if self.all_day:  # where clocks skip midnight the day begins at one, and still ends at midnight
                wall = datetime.combine(wall.date(), time())
            end = self.instant(wall + days) if days else start
            return Span(start, max(start, end + (self.length - days)))
        except OverflowError:
            return Span(start, datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Budget:
    """How much work one expansion may cost: counted steps, and instances inside the window."""

    steps: int = 20_000
    instances: int = 3_000


@dataclass(frozen=True, slots=True)
class Expansion:
    """The instances in the window, in order. `complete` False: the budget ran out, and only what begins before `until` is sure.

    `steps`: what it cost, for those who have a budget for several.
    """

    instances: tuple[Span, ...]
    complete: bool
    until: datetime
    steps: int = 0


@dataclass(slots=True)
class _Collected:
    """Starts found so far; nothing is known from `sure` on, if given."""

    starts: set[datetime] = field(default_factory=set)
    sure: datetime | None = None

    def doubt(self, moment: datetime) -> None:
        self.sure = moment if self.sure is None else min(self.sure, moment)


def occurrences(series: Series, window: Span, *, budget: Budget = Budget()) -> Expansion:
    """The instances that share time with the window, or begin at its start; a window of no length finds what begins there.

    Never costs more than the budget, wherever the series begins: an endless rule is entered at the window.
    """
    meter = Meter(budget.steps)
    without = _Collected()
    for rule in series.exrules:
        _collect(without, series, rule, meter, window, budget.instances * 2)
    found = _Collected(sure=without.sure)
    gone = series.exdates | without.starts
    for rule in series.rules:
        _collect(found, series, rule, meter, window, budget.instances, gone)
    if not series.rules:
        found.starts.add(series.instant(series.start))
    spans = {series.span(start) for start in (*found.starts, *series.rdates) if start not in gone}
    spans |= {period for period in series.periods if period.start not in gone}
    inside = sorted(span for span in spans if _meets(span, window) and (found.sure is None or span.start < found.sure))
    if len(inside) > budget.instances:
        found.doubt(inside[budget.instances].start)
        del inside[budget.instances :]
    steps = budget.steps - max(0, meter.left)
    return Expansion(tuple(inside), found.sure is None, window.end if found.sure is None else found.sure, steps)


def _meets(span: Span, window: Span) -> bool:
    return span.start == window.start or (span.start < window.end and window.start < span.end)


def _collect(
    into: _Collected,
    series: Series,
    rule: Rule,
    meter: Meter,
    window: Span,
    limit: int,
    gone: Collection[datetime] = frozenset(),
) -> None:
    found = 0
    # Where clocks change, wall times and instants part ways, in 2011 in Apia by a day; UTC never does.
    slack = timedelta(days=2) if rule.freq not in SUBDAILY else timedelta(hours=0 if series.zone is UTC else 3)
    reach = _naive(window.start, series, -series.length - slack), _naive(window.end, series, slack)
    start = max(window.start, series.instant(series.start))
    try:
        for wall in _walls(rule, series, reach, meter):
            start = series.instant(wall)
            if wall > reach[1] or _past(rule, series, wall, start):
                return
            if start in gone or not _meets(series.span(start), window):
                continue
            found += 1
            into.starts.add(start)
            if found > limit:
                into.doubt(start)
                return
    except Spent:
        into.doubt(start)


def _past(rule: Rule, series: Series, wall: datetime, start: datetime) -> bool:
    """Whether an instance lies after UNTIL, which clients spell as an instant, a wall time or a date, fitting the start or not."""
    until = rule.until
    if until is None:
        return False
    if not isinstance(until, datetime):
        return wall.date() > until
    if until.tzinfo is None:
        return wall > until
    if series.all_day:  # macOS writes the last day's local midnight as an instant, Google the midnight in UTC
        return wall.date() > max(until.date(), until.astimezone(series.zone).date())
    return start > until


def _naive(moment: datetime, series: Series, shift: timedelta) -> datetime:
    """The wall time there and then, shifted; at the ends of time the end of time."""
    try:
        wall = moment.astimezone(series.zone).replace(tzinfo=None) + shift
    except OverflowError:
        wall = _FIRST if shift < timedelta() else _LAST
    return min(wall, _LAST)


def _walls(rule: Rule, series: Series, reach: tuple[datetime, datetime], meter: Meter) -> Iterator[datetime]:
    """The wall times of the rule in order, from about reach[0] on; the start first, whatever the rule says of it."""
    yield series.start
    left = (rule.count or 10**30) - 1
    periods = Periods(rule.explicit(series.start))
    begin, here = seconds(series.start), periods.number(series.start)
    ahead = -(-(periods.number(reach[0]) - here) // rule.interval)
    regular = periods.regular() if rule.count else 0
    if ahead > 0 and regular is not None:
        if rule.count:
            left -= sum(1 for moment in periods.moments(here, meter) if moment > begin) + (ahead - 1) * regular
        here += ahead * rule.interval
    end = periods.number(min(reach[1], _LAST))
    while left > 0 and here <= end:
        meter.step()
        onward = periods.onward(here)
        if onward > here:
            here += -(-(onward - here) // rule.interval) * rule.interval
            continue
        for moment in periods.moments(here, meter):
            if moment > begin and left > 0:
                left -= 1
                yield datetime.fromordinal(moment // DAY) + timedelta(seconds=moment % DAY)
        here += rule.interval
