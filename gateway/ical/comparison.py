"""A client's text beside the appointment it is about: both read, and one event of it compared with one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from gateway.booking import Move, Resize
from gateway.ical.clientzones import ClientZones
from gateway.ical.marks import marks
from gateway.ical.moments import DAY, Length, Moment, after, length, moment, shown
from gateway.ical.parse import Component, unfit
from gateway.ical.times import between, check_order
from gateway.model import Appointment, Span


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`given` is our rendering of `held`, `sent` the client's text, `events` what of it speaks of the appointment."""

    held: Appointment
    given: Component
    sent: Component
    events: list[Component]

    @cached_property
    def master(self) -> Component | None:
        """None: the text speaks of single occurrences only."""
        return next((each for each in self.events if not each.every("RECURRENCE-ID")), None)

    @cached_property
    def zones(self) -> ClientZones:
        return ClientZones(self.sent, self.held.zone)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.held.zone)

    @cached_property
    def start(self) -> Moment:
        """Where the client's series begins: what dates without a time, and times without a zone, are measured by."""
        if self.master is None:
            return Moment(shown(self.held.span.start, self.zone), self.zone)
        return self.started(self.master)

    @cached_property
    def ours(self) -> frozenset[str]:
        """Names of properties that the platform writes itself."""
        series = self.held.recurrence
        extras = [*self.held.extras, *(mark for each in (series.overrides if series else ()) for mark in each.extras)]
        theirs = {mark.partition(":")[0].partition(";")[0].upper() for mark in extras}
        return frozenset(line.name for event in self.given.named("VEVENT") for line in event.properties) - theirs

    def marks(self, event: Component, before: Sequence[str] = ()) -> tuple[str, ...]:
        """The client's marks on the event, where `before` were held.

        A client that drops what it does not know, as SyncEvolution does, has not taken anything off: its text lacks our own
        X-BOOKING-REV as well, and the private properties of the staff member's other programs stay.
        """
        found = marks(event, without=self.ours)
        if event.every("X-BOOKING-REV"):
            return found
        known = {mark.partition(":")[0] for mark in found}
        return (*found, *(mark for mark in before if mark[:2].upper() == "X-" and mark.partition(":")[0] not in known))

    def started(self, event: Component) -> Moment:
        line = event.one("DTSTART")
        if line is None:
            raise unfit("The event has no start.")
        return moment(line, self.zones)

    def times(self, event: Component, place: Span, at: datetime | None) -> Iterator[Move | Resize]:
        """What the event's times ask for, compared with the place it has. No end at all means: as long as before."""
        start = self.started(event)
        if start.day:
            yield Move(span=self._days(event, start), at=at, all_day=True)
            return
        check_order(event, self.zones)
        begin = place.start if means(start, place.start) else start.instant
        end = self._end(event, start, begin, place)
        if begin != place.start:
            yield Move(span=Span(begin, begin + place.length), at=at)
        if end - begin != place.length:
            yield Resize(span=Span(begin, end), at=at)

    def _end(self, event: Component, start: Moment, begin: datetime, place: Span) -> datetime:
        end, lasting = event.one("DTEND"), event.one("DURATION")
        if end is not None:
            found = moment(end, self.zones).beside(start)
            return place.end if begin == place.start and means(found, place.end) else begin + between(start, found)
        return begin + place.length if lasting is None else begin + (after(start, length(lasting.value)) - start.instant)

    def _days(self, event: Component, start: Moment) -> Span:
        """The days of the appointment's zone that an all-day event takes."""
        end = event.one("DTEND")
        days = DAY if end is None else max(DAY, between(start, moment(end, self.zones)))
        return Span(start.instant, after(start, Length(days, timedelta())))


def means(moment: Moment, instant: datetime) -> bool:
    """Whether it is the same time. Of an hour that comes twice a wall time cannot say which: then what is held is meant."""
    if moment.day:
        return False
    return moment.instant == instant or moment.wall == shown(instant, moment.zone)
