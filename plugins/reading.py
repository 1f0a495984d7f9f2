"""One stored object read as far as its times: its instances, within what one answer may cost."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import cached_property

from gateway.errors import GatewayError, TooLarge
from gateway.ical.clientzones import ClientZones
from gateway.ical.moments import moment
from gateway.ical.parse import Component, Property, calendar
from gateway.ical.series import Exceptional, Found, Instance, Plan, meets, plan
from gateway.ical.times import EVER, Times, times_of
from gateway.model import Span
from gateway.recurrence import Budget
from plugins.filters import KINDS
from plugins.moments import Window, whole

INSTANCES = 3_000
"""Of one answer, and of one object (trust.md T3)."""

STEPS = 20_000
"""Of the expansion of one object; a step takes about a microsecond."""

TOTAL = 400_000
"""Steps of one answer, reading the objects included."""

OCTETS = 16 * 1024 * 1024
"""Text of one answer that is made of instances: each repeats its object's description (CVE-2025-59045)."""

SEARCHED = 256 * 1024 * 1024
"""Text of the objects that one filter looks at, where SQL cannot tell."""


def too_many() -> TooLarge:
    return TooLarge(
        f"That would be more than {INSTANCES} occurrences, or too much to look through; please ask for less.",
        limit="limits.instances",
        condition="number-of-matches-within-limits",
    )


class Allowance:
    """What is left of the work that one answer may cost. Of one request."""

    def __init__(self) -> None:
        self.steps = TOTAL
        self.instances = INSTANCES
        self.octets = OCTETS
        self.searched = SEARCHED

    @property
    def spent(self) -> bool:
        return self.steps <= 0

    def pay(self, steps: int) -> None:
        self.steps -= steps

    def look(self, octets: int) -> None:
        """Count a text of that length that is searched. Raises TooLarge."""
        self.searched -= octets
        if self.searched < 0:
            raise too_many()

    def give(self, instances: int, octets: int) -> None:
        """Count what goes into the answer. Raises TooLarge."""
        self.instances -= instances
        self.octets -= octets
        if self.instances < 0 or self.octets < 0:
            raise too_many()


class _Zones:
    """The zones of one object, and the one in which this request means times without any."""

    def __init__(self, top: Component, floating: tzinfo) -> None:
        self.floating = floating
        self._brought = ClientZones(top, "UTC")

    def named(self, tzid: str) -> tzinfo:
        return self._brought.named(tzid)


class Reading:
    """A calendar object and when it takes place."""

    def __init__(self, text: str, floating: tzinfo, allowance: Allowance) -> None:
        """Raises Invalid and TooLarge for what would not be accepted either."""
        allowance.pay(len(text) // 32)
        self._allowance = allowance
        self.top = calendar(text)
        self.zones = _Zones(self.top, floating)
        self.plan: Plan = plan([each for each in self.top.components if each.name in KINDS], self.zones)

    @cached_property
    def times(self) -> dict[int, Times]:
        """The times of each component that has instances, by the component's identity."""
        found = {id(each.component): each.times for each in self.plan.exceptions.values()}
        if self.plan.master is not None and self.plan.times is not None:
            found[id(self.plan.master)] = self.plan.times
        return found

    @cached_property
    def exceptions(self) -> dict[int, Exceptional]:
        return {id(each.component): each for each in self.plan.exceptions.values()}

    @property
    def undated(self) -> bool:
        return self.plan.first is None

    def found(self, window: Span, *, most: int = INSTANCES) -> Found:
        """The instances in the window, `most` of the planned ones; not complete, too, when the allowance is spent."""
        if self._allowance.spent:
            return Found((), False, window.start)
        budget = Budget(steps=max(1, min(STEPS, self._allowance.steps)), instances=most)
        found = self.plan.instances(window, budget=budget)
        self._allowance.pay(found.steps + 5 * len(found.instances) + 10 * len(self.plan.exceptions))
        return found

    def occurs(self, window: Window, component: Component | None = None) -> bool:
        """Whether an instance lies in the window, one that the component describes, if it is given. Yes, if that takes too long to tell:
        better an object too many than one that is hidden."""
        if self.undated:
            return any(each.name == "VTODO" for each in self.top.components)
        if component is not None and id(component) not in self.times:
            return component.name == "VTODO" and times_of(component, self.zones) is None
        span, exception = whole(window), None if component is None else self.exceptions.get(id(component))
        if exception is not None and not exception.onward:
            return meets(exception.instance(exception.at).span, span)
        onward = any(each.onward for each in self.exceptions.values())
        found = self.found(span, most=INSTANCES if onward else len(self.exceptions) + 2)
        return any(component is None or each.component is component for each in found.instances) or not found.complete

    def placed(self, instance: Instance) -> Span:
        """From its own start to its own end, without the second that a task counts beside them."""
        times = self.times[id(instance.component)]
        try:
            return Span(instance.span.start + times.lead, instance.span.end - times.tail)
        except OverflowError:  # in the first and last second of the calendar nothing was put beside
            return instance.span

    def instances_of(self, component: Component, window: Span) -> tuple[list[Instance], bool]:
        """The component's own instances in the window, and whether they are all."""
        if id(component) not in self.times:
            return [], True
        exception = self.exceptions.get(id(component))
        if exception is not None and not exception.onward:
            instance = exception.instance(exception.at)
            return ([instance] if meets(instance.span, window) else []), True
        found = self.found(window)
        return [each for each in found.instances if each.component is component], found.complete

    def instant(self, line: Property) -> datetime | None:
        """Of a property with a date or time; None when it is neither."""
        try:
            return moment(line, self.zones).instant
        except GatewayError:
            return None


def read(text: str, floating: tzinfo, allowance: Allowance) -> Reading | None:
    """None for an object that cannot be read any more: one of them must not spoil everybody's answer (trust.md §5.8)."""
    try:
        return Reading(text, floating, allowance)
    except GatewayError:
        return None


def shifted(instant: datetime, by: timedelta) -> datetime:
    """At the ends of time the end of time."""
    try:
        return instant + by
    except OverflowError:
        return EVER.end if by > timedelta() else EVER.start
