"""When one component takes place: the times of an event, and what a task or a journal entry counts as its time (RFC 4791 §9.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.ical.moments import DAY, Moment, Zones, length, moment
from gateway.ical.parse import Component, unfit
from gateway.model import Span
from gateway.recurrence import Series

SECOND = timedelta(seconds=1)
EVER = Span(datetime.min.replace(tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """From `start`, for `lasting`; `nominal`: its days are days of the calendar, not 24 hours.

    `lead` and `tail`: the instants just before and after that a task still counts as its own (a second: iCalendar knows no less).
    `endless`: it has begun and does not end.
    """

    start: Moment
    lasting: timedelta = timedelta()
    nominal: bool = False
    lead: timedelta = timedelta()
    tail: timedelta = timedelta()
    endless: bool = False

    def span(self, start: datetime) -> Span:
        """The time it takes when it begins at this instant."""
        once = Series(start=self.start.wall, length=self.lasting, zone=self.start.zone, nominal=self.nominal, all_day=self.start.day)
        return self.around(once.span(start))

    def around(self, span: Span) -> Span:
        if not (self.lead or self.tail):
            return span
        try:
            return Span(span.start - self.lead, span.end + self.tail)
        except OverflowError:
            return span


def times_of(component: Component, zones: Zones) -> Times | None:
    """None for a task or journal entry that has no time. Raises Invalid for an event without a start.

    An end before the start means no length: where one of the two floats, that may be so in one zone and not in another, and what
    was accepted must be read wherever its owner moves (`check_order` is for the moment of accepting).
    """
    match component.name:
        case "VTODO":
            return _of_task(component, zones)
        case "VJOURNAL":
            start = _moment(component, "DTSTART", zones)
            return None if start is None else Times(start=start, lasting=DAY if start.day else timedelta())
        case _:
            start = _moment(component, "DTSTART", zones)
            if start is None:
                raise unfit("The event has no start.")
            return _of_event(component, start, zones)


def _of_event(component: Component, start: Moment, zones: Zones) -> Times:
    end, lasting = _moment(component, "DTEND", zones), component.one("DURATION")
    least = DAY if start.day else timedelta()  # a whole day without an end, or with its own start as end, is that day
    if end is not None:
        return Times(start=start, lasting=max(least, between(start, end)))
    if lasting is None:
        return Times(start=start, lasting=least)
    found = length(lasting.value)
    return Times(start=start, lasting=max(least, found.total), nominal=bool(found.days))


def between(start: Moment, end: Moment) -> timedelta:
    """From a start to an end, whole days between dates; less than nothing when the end comes first."""
    end = end.beside(start)
    if start.day:
        return -((start.wall - end.wall) // DAY) * DAY
    lasting = end.instant - start.instant
    if lasting < timedelta():  # 2:45 to 2:15 in the night in which that hour comes twice: the second 2:15 is meant
        lasting = end.second - start.instant
    if lasting < timedelta() and end.zone is start.zone:  # 2:30 to 3:15 in the night in which 2:30 is skipped
        lasting = end.wall - start.wall
    return lasting


def check_order(component: Component, zones: Zones) -> None:
    """Raise Invalid for an event that ends before it begins, as RFC 5545 §3.8.2.2 forbids. Tasks are due before their start at times."""
    start, end, lasting = _moment(component, "DTSTART", zones), _moment(component, "DTEND", zones), component.one("DURATION")
    backwards = start is not None and end is not None and between(start, end) < timedelta()
    if backwards or (lasting is not None and length(lasting.value).total < timedelta()):
        raise unfit("The event ends before it begins.")


def _of_task(component: Component, zones: Zones) -> Times | None:
    """RFC 4791 §9.9, table for VTODO. Both ends of a range touch what has no length."""
    start, due, lasting = _moment(component, "DTSTART", zones), _moment(component, "DUE", zones), component.one("DURATION")
    if start is None:
        return _of_deed(component, zones) if due is None else Times(start=due, lead=SECOND)
    if due is not None:
        due = due.beside(start)
        if due.instant < start.instant:
            return Times(start=due, lasting=start.instant - due.instant, lead=SECOND, tail=SECOND)
        apart = max(timedelta(), between(start, due))
        return Times(start=start, lasting=apart, lead=timedelta() if apart else SECOND, tail=timedelta() if apart else SECOND)
    if lasting is None:
        return Times(start=start)
    found = length(lasting.value)
    return Times(
        start=start,
        lasting=max(timedelta(), found.total),
        nominal=bool(found.days),
        lead=timedelta() if found.total else SECOND,
        tail=SECOND,
    )


def _of_deed(component: Component, zones: Zones) -> Times | None:
    """A task without dates: when it was written down and done."""
    created, completed = _moment(component, "CREATED", zones), _moment(component, "COMPLETED", zones)
    if completed is None:
        return None if created is None else Times(start=created, lasting=max(timedelta(), EVER.end - created.instant), endless=True)
    first, last = sorted((completed, created or completed), key=lambda each: each.instant)
    return Times(start=first, lasting=last.instant - first.instant, lead=SECOND, tail=SECOND)


def _moment(component: Component, name: str, zones: Zones) -> Moment | None:
    line = component.one(name)
    return None if line is None else moment(line, zones)
