"""A calendar of any size that is the same every time, and that knows the right answers to what is asked of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from random import Random
from zoneinfo import ZoneInfo

from gateway.model import Span

ZONE = "Europe/Paris"
WEEKS = 104
OPEN_WEEKS = 17
"""An open-ended question begins that many weeks before the end: what a phone that looks back some months asks for."""

SERIES = 0.045  # the share of weekly series
LONGEST = timedelta(minutes=90)

_PARIS = ZoneInfo(ZONE)
_SERVICES = (
    "Première consultation",
    "Physiotherapy",
    "Dental check-up",
    "Coupe & couleur",
    "Eye test",
    "Tax advice",
    "Yoga, private class",
)
_VTIMEZONE = (
    "BEGIN:VTIMEZONE",
    f"TZID:{ZONE}",
    "BEGIN:STANDARD",
    "DTSTART:19961027T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "TZNAME:CET",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:19810329T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "TZNAME:CEST",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One booking. Times are wall times in Paris; a series is weekly, its occurrences are counted from 0."""

    uid: str
    start: datetime
    minutes: int
    service: str
    customer: int
    count: int = 1  # more than 1: a series
    excluded: int = 0  # the occurrence that does not take place; never the first one
    moved: int = 0  # the occurrence that takes place at another time
    moved_to: datetime | None = None

    @property
    def name(self) -> str:
        """The last segment of its address."""
        return f"{self.uid.partition('@')[0]}.ics"

    @property
    def repeats(self) -> bool:
        return self.count > 1

    def nth(self, number: int) -> datetime:
        """When the rule lets that occurrence start, wall time."""
        return self.start + timedelta(weeks=number)

    def span(self, start: datetime) -> Span:
        begin = start.replace(tzinfo=_PARIS).astimezone(UTC)
        return Span(begin, begin + timedelta(minutes=self.minutes))

    def spans(self) -> list[Span]:
        """Every occurrence that takes place, where it takes place."""
        if not self.repeats:
            return [self.span(self.start)]
        starts = {number: self.nth(number) for number in range(self.count) if number != self.excluded}
        if self.moved_to is not None:
            starts[self.moved] = self.moved_to
        return [self.span(start) for start in starts.values()]

    def text(self, edition: int = 0) -> str:
        """The calendar object, about 1.5 kB; another edition differs in summary and sequence only."""
        rule: list[str] = []
        if self.repeats:
            rule = [f"RRULE:FREQ=WEEKLY;COUNT={self.count}", f"EXDATE;TZID={ZONE}:{_form(self.nth(self.excluded))}"]
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calendar Gateway//Bench//EN", *_VTIMEZONE]
        lines += self._component(self.start, rule, edition)
        if self.moved_to is not None:
            lines += self._component(self.moved_to, [f"RECURRENCE-ID;TZID={ZONE}:{_form(self.nth(self.moved))}"], edition)
        return "".join(fold(line) for line in [*lines, "END:VCALENDAR"])

    def _component(self, start: datetime, more: list[str], edition: int) -> list[str]:
        mail = f"customer{self.customer}@example.com"
        return [
            "BEGIN:VEVENT",
            f"UID:{self.uid}",
            "DTSTAMP:20260101T090000Z",
            f"SEQUENCE:{edition}",
            f"DTSTART;TZID={ZONE}:{_form(start)}",
            f"DTEND;TZID={ZONE}:{_form(start + timedelta(minutes=self.minutes))}",
            *more,
            f"SUMMARY:{self.service} – customer {self.customer} ({edition})",
            f"DESCRIPTION:Service: {self.service}\\, {self.minutes} minutes\\nCustomer: {self.customer}\\nE-mail: {mail}\\nPrice: 65\\,00 €"
            "\\n\\nThe entrance is in the courtyard\\; please ring twice. Bring the papers of your last visit\\, if you still have them."
            f"\\nTo move or to cancel: https://booking.example.com/appointments/{self.uid}",
            "LOCATION:Maison de santé\\, 12 rue de l’Église\\, 75015 Paris",
            "STATUS:CONFIRMED",
            "TRANSP:OPAQUE",
            "CATEGORIES:BOOKING",
            f"URL:https://booking.example.com/appointments/{self.uid}",
            'ORGANIZER;CN="Maison de santé":mailto:reception@example.com',
            f'ATTENDEE;CN="Customer {self.customer}";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{mail}',
            f"X-BENCH-CUSTOMER:{self.customer}",
            "END:VEVENT",
        ]


@dataclass(frozen=True)
class Dataset:
    """`size` events over two years from the Monday `first`: a pure function of size, first and seed."""

    size: int
    first: date
    seed: int = 1

    @cached_property
    def events(self) -> tuple[Event, ...]:
        chance = Random(f"{self.seed}/{self.size}")
        return tuple(_event(f"s{number:06d}", self.first, chance) for number in range(self.size))

    @cached_property
    def by_name(self) -> dict[str, Event]:
        return {event.name: event for event in self.events}

    @property
    def components(self) -> int:
        """How many VEVENT there are: moved occurrences have one of their own."""
        return sum(1 if event.moved_to is None else 2 for event in self.events)

    def later_event(self, number: int, letter: str, chance: Random) -> Event:
        """An event that no question of the benchmark is about: it lies in the years after the others."""
        return _event(f"{letter}{number:06d}", self.first + timedelta(weeks=WEEKS + 52), chance)

    def week(self, number: int) -> Span:
        start = datetime.combine(self.first, time(), UTC) + timedelta(weeks=number)
        return Span(start, start + timedelta(weeks=1))

    def month(self, number: int) -> Span:
        """That month after the first one that begins in the data set."""
        return Span(self._month(number + 1), self._month(number + 2))

    def _month(self, number: int) -> datetime:
        years, month = divmod(self.first.month - 1 + number, 12)
        return datetime(self.first.year + years, month + 1, 1, tzinfo=UTC)

    @property
    def open_from(self) -> datetime:
        return self.week(WEEKS - OPEN_WEEKS).start

    def within(self, start: datetime, end: datetime | None) -> set[str]:
        """The names of the events that overlap [start, end) (RFC 4791 §9.9); None is an open end."""
        return {name for _, name in self._overlapping(start, end)}

    def busy(self, window: Span) -> list[Span]:
        """When the calendar is busy in the window, merged and clipped."""
        return merged(
            Span(max(span.start, window.start), min(span.end, window.end)) for span, _ in self._overlapping(window.start, window.end)
        )

    def _overlapping(self, start: datetime, end: datetime | None) -> list[tuple[Span, str]]:
        first = bisect_left(self._timeline, start - LONGEST, key=lambda each: each[0].start)
        last = len(self._timeline) if end is None else bisect_left(self._timeline, end, key=lambda each: each[0].start)
        return [each for each in self._timeline[first:last] if each[0].end > start]

    @cached_property
    def _timeline(self) -> list[tuple[Span, str]]:
        return sorted((span, event.name) for event in self.events for span in event.spans())


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as possible; neighbours that touch are one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def fold(line: str) -> str:
    """The line in pieces of 75 octets at most, with its line break (RFC 5545 §3.1); no character is torn apart."""
    if len(line.encode()) <= 75:
        return line + "\r\n"
    pieces, octets = [""], 0
    for character in line:
        width = len(character.encode())
        if octets + width > 75:
            pieces.append("")
            octets = 1  # the blank that the next line begins with
        pieces[-1] += character
        octets += width
    return "\r\n ".join(pieces) + "\r\n"


def _event(prefix: str, first: date, chance: Random) -> Event:
    day = datetime.combine(first, time()) + timedelta(days=chance.randrange(WEEKS * 7))
    single = Event(
        uid=f"{prefix}-{chance.getrandbits(40):010x}@bench.example",
        start=_hour(day, chance),
        minutes=chance.choice((15, 30, 30, 45, 60, 60, 90)),
        service=chance.choice(_SERVICES),
        customer=chance.randrange(10_000, 100_000),
    )
    return _series(single, chance) if chance.random() < SERIES else single


def _series(single: Event, chance: Random) -> Event:
    count = chance.randrange(6, 27)
    excluded, moved = chance.sample(range(1, count), 2)
    return Event(
        uid=single.uid,
        start=single.start,
        minutes=single.minutes,
        service=single.service,
        customer=single.customer,
        count=count,
        excluded=excluded,
        moved=moved,
        moved_to=_hour(datetime.combine(single.nth(moved).date(), time()) + timedelta(days=chance.randrange(1, 9)), chance),
    )


def _hour(day: datetime, chance: Random) -> datetime:
    """Some quarter of an hour of a working day."""
    return day + timedelta(hours=chance.randrange(8, 18), minutes=15 * chance.randrange(4))


def _form(wall: datetime) -> str:
    return f"{wall:%Y%m%dT%H%M%S}"
