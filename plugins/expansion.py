"""Objects laid out for clients that do not do it themselves: instance by instance in UTC, or without what does not matter.

expand, limit-recurrence-set and limit-freebusy-set of RFC 4791 §9.6.5 to §9.6.7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from gateway.errors import GatewayError
from gateway.ical.moments import Moment, length, moments, periods, shown
from gateway.ical.parse import Component, Property
from gateway.ical.series import Instance, meets
from gateway.ical.zones import stamp
from gateway.model import Span
from gateway.recurrence import Budget, occurrences
from plugins.filters import KINDS
from plugins.reading import STEPS, Allowance, Reading, too_many

_ZONE = re.compile(r""";TZID=(?:"[^"]*"|[^";:]*)""", re.IGNORECASE)
_REPEATING = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE"})
_TIMES = frozenset({"DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID"})


def expanded(reading: Reading, window: Span, allowance: Allowance) -> Component:
    """The object with its instances in the window as components of their own, paid for by the allowance. Raises TooLarge.

    No recurrence properties, no VTIMEZONE, every time in UTC; days stay days. Every instance of what repeats has a RECURRENCE-ID.
    """
    top = reading.top
    if reading.undated:  # no time, nothing to lay out: a task that matches every window, a note that none finds
        whole = [each for each in top.components if each.name != "VTIMEZONE"]
        return Component(top.name, top.properties, [_in_utc(each, reading) for each in whole])
    found = reading.found(window, most=allowance.instances + len(reading.exceptions))
    if not found.complete:
        raise too_many()
    described = {id(each.component): each.component for each in found.instances}
    octets = {name: len(str(each)) for name, each in described.items()}
    allowance.give(len(found.instances), sum(octets[id(each.component)] for each in found.instances))
    others = [each for each in top.components if each.name not in (*KINDS, "VTIMEZONE")]
    return Component(top.name, top.properties, [*others, *(_laid_out(each, reading) for each in found.instances)])


def _laid_out(instance: Instance, reading: Reading) -> Component:
    own = instance.component
    lines = [_line_in_utc(each, reading) for each in own.properties if each.name not in _REPEATING and each.name not in _TIMES]
    return Component(own.name, [*_placed(instance, reading), *lines], [_in_utc(each, reading) for each in own.components])


def _placed(instance: Instance, reading: Reading) -> Iterator[Property]:
    """When it is: DTSTART, DTEND, DUE, DURATION as its component has them, and which instance it is."""
    own, times, span = instance.component, reading.times[id(instance.component)], reading.placed(instance)
    start, due = own.one("DTSTART"), own.one("DUE")
    if start is None:
        if due is not None:
            yield _at(due, span.start, times.start)
    else:
        early, late = (span.end, span.start) if due is not None and _before(due, start, reading) else (span.start, span.end)
        yield _at(start, early, times.start)
        yield from _end(own, span, late, times.start)
    if reading.plan.repeats or reading.exceptions:
        yield _named(instance, reading)


def _end(own: Component, span: Span, late: datetime, start: Moment) -> Iterator[Property]:
    """DTEND or DUE where there is one; DURATION as long as it says the same in UTC: days may have 23 hours, periods any length."""
    for name in ("DTEND", "DUE"):
        line = own.one(name)
        if line is not None:
            yield _at(line, late, start)
            return
    lasting = own.one("DURATION")
    takes = shown(span.end, start.zone) - shown(span.start, start.zone) if start.day else span.length
    unsaid = timedelta(days=1) if start.day and own.name != "VTODO" else timedelta()
    if takes == (unsaid if lasting is None else length(lasting.value).total):
        if lasting is not None:
            yield lasting
    else:
        yield _at(Property("DUE" if own.name == "VTODO" else "DTEND", own.every("DTSTART")[0].head, ""), late, start)


def _before(due: Property, start: Property, reading: Reading) -> bool:
    """Whether a task is due before it starts, as some are; its times begin with the due time then."""
    at, begins = reading.instant(due), reading.instant(start)
    return at is not None and begins is not None and at < begins


def _named(instance: Instance, reading: Reading) -> Property:
    """RECURRENCE-ID of the kind that the start of the whole has (RFC 5545 §3.8.4.4)."""
    plan = reading.plan
    first = plan.times.start if plan.times is not None else reading.times[id(instance.component)].start
    head = ";VALUE=DATE" if first.day else ""
    return _at(Property("RECURRENCE-ID", head, ""), instance.at, first)


def _at(line: Property, instant: datetime, start: Moment) -> Property:
    """The line with another time: a day of the zone where it has a date, else UTC."""
    head = _ZONE.sub("", line.head)
    if (line.parameter("VALUE") or "").upper() == "DATE" or (line.value and "T" not in line.value.upper()):
        return Property(line.name, head, f"{shown(instant, start.zone):%Y%m%d}")
    return Property(line.name, head, stamp(instant))


def _in_utc(component: Component, reading: Reading) -> Component:
    return Component(
        component.name,
        [_line_in_utc(each, reading) for each in component.properties],
        [_in_utc(each, reading) for each in component.components],
    )


def _line_in_utc(line: Property, reading: Reading) -> Property:
    """Nothing refers to a time zone any more. What is no time, though it names a zone, stays as it is but for that name."""
    if "TZID" not in line.head.upper():
        return line
    head = _ZONE.sub("", line.head)
    try:
        found = moments(line, reading.zones)
    except GatewayError:
        return Property(line.name, head, line.value)
    if any(each.day for each in found):
        return Property(line.name, head, line.value)
    return Property(line.name, head, ",".join(stamp(each.instant) for each in found))


def limited(reading: Reading, window: Span) -> Component:
    """The object with those exceptions only that matter in the window: by where they are, by where they were, or, with
    RANGE=THISANDFUTURE, by where others are because of them."""
    kept = {id(each.component) for each in reading.exceptions.values() if _matters(each.at, id(each.component), reading, window)}
    dropped = reading.exceptions.keys() - kept
    if dropped and any(each.onward for each in reading.exceptions.values()):
        dropped -= _ruling(reading, window)
    if not dropped:
        return reading.top
    top = reading.top
    return Component(top.name, top.properties, [each for each in top.components if id(each) not in dropped])


def _matters(at: datetime, component: int, reading: Reading, window: Span) -> bool:
    exception = reading.exceptions[component]
    if meets(exception.instance(at).span, window):
        return True
    times = reading.plan.times or exception.times
    return meets(times.span(at), window)


def _ruling(reading: Reading, window: Span) -> set[int]:
    """The exceptions that move instances out of the window, or into it."""
    found = {id(each.component) for each in reading.found(window).instances}
    series = reading.plan.series
    if series is None:
        return found
    onward = sorted((each for each in reading.exceptions.values() if each.onward), key=lambda each: each.at)
    budget = Budget(steps=STEPS)
    for span in occurrences(series, window, budget=budget).instances:
        ruling = [each for each in onward if each.at < span.start]
        if ruling:
            found.add(id(ruling[-1].component))
    return found


def limited_busy(top: Component, reading: Reading, window: Span) -> Component:
    """The object with those periods of its FREEBUSY properties only that share time with the window."""
    components = [_less_busy(each, reading, window) if each.name == "VFREEBUSY" else each for each in top.components]
    return Component(top.name, top.properties, components)


def _less_busy(component: Component, reading: Reading, window: Span) -> Component:
    lines = [line for each in component.properties if (line := _periods_within(each, reading, window)) is not None]
    return Component(component.name, lines, component.components)


def _periods_within(line: Property, reading: Reading, window: Span) -> Property | None:
    if line.name != "FREEBUSY":
        return line
    try:
        spans: Sequence[Span] = periods(line, reading.zones)
    except GatewayError:
        return line
    texts = [text for text, span in zip(line.value.split(","), spans, strict=True) if span.overlaps(window)]
    return Property(line.name, line.head, ",".join(texts)) if texts else None
