"""When a client's own object takes place: its master, its exceptions, and both together in a window (RFC 5545 §3.8.5, RFC 4791 §9.9)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.errors import TooLarge
from gateway.ical.moments import Zones, moment, moments, periods, shown
from gateway.ical.parse import Component, Property, unfit
from gateway.ical.times import EVER, Times, times_of
from gateway.model import Span
from gateway.recurrence import Budget, Rule, Series, occurrences

EXCEPTIONS, DATES, RULES = 500, 3_000, 20
"""Components with RECURRENCE-ID, dates in RDATE and EXDATE, and RRULE and EXRULE lines of one object."""

_BUDGET = Budget()


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """One time an object takes place, as `component` describes it. `at` is its original start."""

    at: datetime
    span: Span
    busy: bool
    component: Component


@dataclass(frozen=True, kw_only=True, slots=True)
class Exceptional:
    """A component with RECURRENCE-ID. `onward`: RANGE=THISANDFUTURE, so that later instances are shifted and last as this one."""

    at: datetime
    times: Times
    onward: bool
    busy: bool
    component: Component

    @property
    def shift(self) -> timedelta:
        """How far it was moved, counted in wall time."""
        return self.times.start.wall - shown(self.at, self.times.start.zone)

    def instance(self, at: datetime) -> Instance:
        """Its own instance, or a later one that follows it."""
        start = self.times.start
        wall = start.wall if at == self.at else _moved(shown(at, start.zone), self.shift)
        return Instance(at=at, span=self.times.span(replace(start, wall=wall).instant), busy=self.busy, component=self.component)


@dataclass(frozen=True, slots=True)
class Found:
    """Instances in a window, by span. `complete` False: the budget ran out, and only those that begin before `until` are all there are.

    `steps` of the budget were taken.
    """

    instances: tuple[Instance, ...]
    complete: bool
    until: datetime
    steps: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """An object read: what repeats, and what differs. `series` None: only exceptions are in the text, or nothing has a time."""

    master: Component | None
    times: Times | None = None
    series: Series | None = None
    busy: bool = False
    exceptions: dict[datetime, Exceptional] = field(default_factory=dict)

    @property
    def endless(self) -> bool:
        if self.times is not None and self.times.endless:
            return True
        return self.series is not None and any(rule.endless for rule in self.series.rules)

    @property
    def repeats(self) -> bool:
        return self.series is not None and bool(self.series.rules or self.series.rdates or self.series.periods)

    @property
    def first(self) -> datetime | None:
        """No instance begins earlier; None when there is no time at all."""
        starts = [each.instance(each.at).span.start for each in self.exceptions.values()]
        if self.series is not None and self.times is not None:
            early = min((each.shift for each in self._onward()), default=timedelta()) - self.times.lead
            planned = (self.times.start.instant, *self.series.rdates, *(period.start for period in self.series.periods))
            starts += [_moved(start, min(early, timedelta())) for start in planned]
        return min(starts, default=None)

    def _onward(self) -> list[Exceptional]:
        return sorted((each for each in self.exceptions.values() if each.onward), key=lambda each: each.at)

    def instances(self, window: Span, *, budget: Budget = _BUDGET) -> Found:
        """The instances that share time with the window, or begin at its start, exceptions in their places."""
        found, complete, until, steps = [*self._exceptional(window)], True, window.end, 0
        if self.series is not None and self.times is not None:
            shifts = [timedelta(), *(each.shift for each in self._onward())]  # what is planned outside may be moved inside
            reach = Span(_moved(window.start, -max(shifts) - self.times.tail), _moved(window.end, self.times.lead - min(shifts)))
            planned = occurrences(self.series, reach, budget=budget)
            found += [each for each in self._planned(self.times, planned.instances) if meets(each.span, window)]
            complete, until, steps = planned.complete, min(window.end, planned.until), planned.steps
        return Found(tuple(sorted(found, key=lambda each: (each.span, each.at))), complete, until, steps)

    def _exceptional(self, window: Span) -> Iterator[Instance]:
        for at, exception in self.exceptions.items():
            instance = exception.instance(at)
            if meets(instance.span, window):
                yield instance

    def _planned(self, times: Times, spans: tuple[Span, ...]) -> Iterator[Instance]:
        onward = self._onward()
        since = [each.at for each in onward]
        for span in spans:
            if span.start in self.exceptions:
                continue
            if ruling := bisect_left(since, span.start):
                yield onward[ruling - 1].instance(span.start)
            elif self.master is not None:
                yield Instance(at=span.start, span=times.around(span), busy=self.busy, component=self.master)


def meets(span: Span, window: Span) -> bool:
    return span.start == window.start or span.overlaps(window)


def plan(components: list[Component], zones: Zones) -> Plan:
    """The components of one object, all of one kind. Raises Invalid and TooLarge."""
    if len(components) > EXCEPTIONS + 1:
        raise TooLarge(f"An object may have {EXCEPTIONS} changed occurrences.", limit="limits.exceptions", condition="max-instances")
    masters = [each for each in components if each.one("RECURRENCE-ID") is None]
    if len(masters) > 1:
        raise unfit("The object has two components without RECURRENCE-ID.")
    master = masters[0] if masters else None
    times = None if master is None else times_of(master, zones)
    return Plan(
        master=master,
        times=times,
        series=None if master is None or times is None else repeated(master, times, zones),
        busy=master is not None and busy(master),
        exceptions=_exceptions([each for each in components if each is not master], times, zones),
    )


def repeated(master: Component, times: Times, zones: Zones) -> Series:
    """The master as a recurrence set, of one instance where nothing repeats: a task without dates has none to repeat."""
    if not (master.every("DTSTART") or master.every("DUE")):
        return Series(start=times.start.wall, length=times.lasting, zone=times.start.zone)
    added, excluded = dates(master, "RDATE"), dates(master, "EXDATE")
    rules, exrules = (tuple(Rule.parse(each.value) for each in _few(master, name)) for name in ("RRULE", "EXRULE"))
    spells = {line: (line.parameter("VALUE") or "").upper() == "PERIOD" for line in added}
    return Series(
        start=times.start.wall,
        length=times.lasting,
        zone=times.start.zone,
        nominal=times.nominal,
        all_day=times.start.day,
        rules=rules,
        exrules=exrules,
        rdates=tuple(each.at(times.start) for line in added if not spells[line] for each in moments(line, zones)),
        periods=tuple(each for line in added if spells[line] for each in periods(line, zones)),
        exdates=frozenset(each.at(times.start) for line in excluded for each in moments(line, zones)),
    )


def dates(master: Component, name: str) -> list[Property]:
    """The lines of RDATE or EXDATE. Raises TooLarge for more dates than a series may have."""
    lines = master.every(name)
    if sum(line.value.count(",") + 1 for line in lines) > DATES:
        raise TooLarge(f"An object may have {DATES} dates in {name}.", limit="limits.dates", condition="max-instances")
    return lines


def _few(master: Component, name: str) -> list[Property]:
    lines = master.every(name)
    if len(lines) > RULES:
        raise TooLarge(f"An object may have {RULES} lines of {name}.", limit="limits.rules", condition="max-instances")
    return lines


def _exceptions(components: list[Component], master: Times | None, zones: Zones) -> dict[datetime, Exceptional]:
    """By original start; of two for the same one the later in the text counts. A task without a time has none."""
    found = {}
    for component in components:
        line, times = component.one("RECURRENCE-ID"), times_of(component, zones)
        if line is not None and times is not None:
            at = moment(line, zones).at((master or times).start)
            onward = (line.parameter("RANGE") or "").upper() == "THISANDFUTURE"
            found[at] = Exceptional(at=at, times=times, onward=onward, busy=busy(component), component=component)
    return found


def busy(component: Component) -> bool:
    """Whether its time is not free for anything else; Outlook says "free" in a property of its own."""
    return (
        component.name == "VEVENT"
        and component.word("TRANSP") != "TRANSPARENT"
        and component.word("STATUS") != "CANCELLED"
        and component.word("X-MICROSOFT-CDO-BUSYSTATUS") != "FREE"
    )


def _moved(moment: datetime, by: timedelta) -> datetime:
    """At the ends of time the end of time."""
    try:
        return moment + by
    except OverflowError:
        return (EVER.start if by < timedelta() else EVER.end).replace(tzinfo=moment.tzinfo)
