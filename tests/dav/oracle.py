"""Calendar objects of every shape, and what others make of them: icalendar reads and recurring-ical-events expands, none of our code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from hypothesis import strategies as st

from tests.dav.asking import ABSENT, calendar, comp, component, match, prop, span

ZONES = ("UTC", "Europe/Paris", "America/New_York")
SUMMARIES = ("Haircut", "Dentist", "Büro; open", "a, b")
FAR = (datetime(2026, 8, 1, tzinfo=UTC), datetime(2027, 8, 1, tzinfo=UTC))
"""Everything that is generated begins in these; windows lie inside."""

_MARK = "X-MARK"
_FIRST = datetime(2026, 10, 1)


@dataclass(frozen=True)
class Told:
    """An instance as others expand it, in UTC; `mark` names the component it comes from."""

    start: datetime
    end: datetime
    mark: str
    days: bool


@dataclass(frozen=True)
class Filter:
    """A filter as XML, and the same in words of the oracle."""

    window: tuple[datetime | None, datetime | None] | None
    words: tuple[tuple[str, str, bool], ...]  # property, text ("" for: is there), whether the opposite is asked
    alarm: tuple[datetime, datetime] | None

    @property
    def xml(self) -> str:
        inner = "" if self.window is None else span(*(f"{each:%Y%m%dT%H%M%S}" if each else "" for each in self.window))
        for name, text, opposite in self.words:
            if text:
                inner += prop(name, match(text, negate="yes" if opposite else "no"))
            else:
                inner += prop(name, ABSENT if opposite else "")
        if self.alarm is not None:
            inner += comp("VALARM", span(*(f"{each:%Y%m%dT%H%M%S}" for each in self.alarm)))
        return comp("VEVENT", inner)

    def finds(self, text: str, floating: str) -> bool:
        """By brute force: every component, every instance."""
        parsed = icalendar.Calendar.from_ical(text)
        told = list(instances(text, floating))
        return any(self._fits(each, told) for each in parsed.walk("VEVENT"))

    def _fits(self, each: Any, told: list[Told]) -> bool:
        own = [one for one in told if one.mark == str(each[_MARK])]
        if self.window is not None and not any(overlaps(one, *self.window) for one in own):
            return False
        if any(_said(each, name, text) is opposite for name, text, opposite in self.words):
            return False
        return self.alarm is None or any(_rings(alarm, own, *self.alarm) for alarm in each.walk("VALARM"))


def overlaps(one: Told, start: datetime | None, end: datetime | None) -> bool:
    """RFC 4791 §9.9, for an event."""
    after = start is None or (start < one.end or (one.start == one.end and start <= one.start))
    return after and (end is None or end > one.start)


def _said(each: Any, name: str, text: str) -> bool:
    if name not in each:
        return False
    return text.lower() in str(each[name]).lower() if text else True


def _rings(alarm: Any, own: list[Told], start: datetime, end: datetime) -> bool:
    trigger, at_end = alarm["TRIGGER"].dt, alarm["TRIGGER"].params.get("RELATED") == "END"
    again = [alarm["DURATION"].dt * number for number in range(int(alarm["REPEAT"]) + 1)] if "REPEAT" in alarm else [timedelta()]
    return any(start <= (one.end if at_end else one.start) + trigger + later < end for one in own for later in again)


def instances(text: str, floating: str) -> Iterator[Told]:
    """All instances of a year, by recurring-ical-events."""
    zone = ZoneInfo(floating)
    for each in recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(*FAR):
        start, end = each.start, each.end
        days = not isinstance(start, datetime)
        yield Told(_instant(start, zone), _instant(end, zone), str(each[_MARK]), days)


def _instant(value: date, zone: tzinfo) -> datetime:
    wall = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (wall if wall.tzinfo else wall.replace(tzinfo=zone)).astimezone(UTC)


@dataclass(frozen=True)
class _Clock:
    """How an object writes its times: with a zone, in UTC, without either, or as days."""

    kind: str

    def line(self, name: str, wall: datetime, *more: str) -> str:
        if self.kind == "DATE":
            return f"{name};VALUE=DATE{''.join(more)}:{wall:%Y%m%d}"
        if self.kind in ("UTC", "FLOATING"):
            return f"{name}{''.join(more)}:{wall:%Y%m%dT%H%M%S}{'Z' if self.kind == 'UTC' else ''}"
        return f"{name};TZID={self.kind}{''.join(more)}:{wall:%Y%m%dT%H%M%S}"

    def until(self, wall: datetime) -> str:
        if self.kind == "DATE":
            return f"{wall:%Y%m%d}"
        if self.kind == "FLOATING":
            return f"{wall:%Y%m%dT%H%M%S}"
        return f"{wall.replace(tzinfo=ZoneInfo(self.kind)).astimezone(UTC):%Y%m%dT%H%M%SZ}"


_RULES = ("FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2", "FREQ=MONTHLY")
_EVERY = {"FREQ=DAILY": 1, "FREQ=DAILY;INTERVAL=3": 3, "FREQ=WEEKLY": 7, "FREQ=WEEKLY;INTERVAL=2": 14}


@st.composite
def objects(draw: st.DrawFn, *, rules: tuple[str, ...] = ("", *_RULES)) -> str:
    """Events: single or repeated by rule and by date, with left out and moved instances, alarms, in every kind of time.

    Days of the month stay below 29 and hours between 8 and 20, where every clock shows every time once.
    """
    clock = _Clock(draw(st.sampled_from((*ZONES, "FLOATING", "DATE"))))
    start = _FIRST + timedelta(days=draw(st.integers(0, 27)), hours=0 if clock.kind == "DATE" else draw(st.integers(8, 19)))
    lasting = _lasting(draw, clock, start)
    lines = [clock.line("DTSTART", start), *lasting, *_words(draw), *_alarm(draw), f"{_MARK}:0"]
    rule = draw(st.sampled_from(rules))
    if not rule:
        return calendar(component("VEVENT", *lines))
    ending = draw(st.sampled_from(("", ";COUNT=6", f";UNTIL={clock.until(start + timedelta(days=60))}")))
    places = [start + timedelta(days=_EVERY[rule] * number) for number in range(6)] if rule in _EVERY else [start]
    left_out = draw(st.sets(st.sampled_from(places[1:]), max_size=2)) if places[1:] else set()
    moved = draw(st.sets(st.sampled_from(places), max_size=2)) - left_out
    more = [f"RRULE:{rule}{ending}", *(clock.line("EXDATE", place) for place in sorted(left_out))]
    if draw(st.booleans()):
        more.append(clock.line("RDATE", start + timedelta(days=200)))
    exceptions = [_exception(draw, clock, place, number) for number, place in enumerate(sorted(moved), 1)]
    return calendar(component("VEVENT", *lines, *more), *exceptions)


def _exception(draw: st.DrawFn, clock: _Clock, place: datetime, number: int) -> str:
    by = timedelta(days=draw(st.integers(-3, 3)), hours=0 if clock.kind == "DATE" else draw(st.integers(0, 1)))
    return component(
        "VEVENT",
        clock.line("RECURRENCE-ID", place),
        clock.line("DTSTART", place + by),
        *_lasting(draw, clock, place + by),
        *_words(draw),
        *_alarm(draw),
        f"{_MARK}:{number}",
    )


def _lasting(draw: st.DrawFn, clock: _Clock, start: datetime) -> list[str]:
    if clock.kind == "DATE":
        days = draw(st.integers(1, 3))
        return draw(st.sampled_from(([], [clock.line("DTEND", start + timedelta(days=days))], [f"DURATION:P{days}D"])))
    minutes = draw(st.sampled_from((30, 60, 26 * 60 if clock.kind == "UTC" else 90)))  # over a change of clocks the oracle is wrong
    return draw(st.sampled_from(([], [clock.line("DTEND", start + timedelta(minutes=minutes))], [f"DURATION:PT{minutes}M"])))


def _words(draw: st.DrawFn) -> list[str]:
    summary = draw(st.sampled_from(SUMMARIES)).replace(";", "\\;").replace(",", "\\,")
    return [f"SUMMARY:{summary}", *draw(st.sampled_from(([], ["LOCATION:Hall 1"])))]


def _alarm(draw: st.DrawFn) -> list[str]:
    if draw(st.integers(0, 2)):
        return []
    trigger = draw(st.sampled_from(("TRIGGER:-PT15M", "TRIGGER;RELATED=END:PT5M", "TRIGGER:PT2H")))
    again = draw(st.sampled_from(([], ["REPEAT:2", "DURATION:PT10M"])))
    return ["BEGIN:VALARM", "ACTION:DISPLAY", trigger, *again, "END:VALARM"]


_MOMENTS = st.integers(0, 24 * 2 * 150).map(lambda half_hours: datetime(2026, 9, 20, tzinfo=UTC) + timedelta(minutes=30 * half_hours))
WINDOWS = st.tuples(_MOMENTS, st.sampled_from((timedelta(minutes=30), timedelta(days=1), timedelta(days=7), timedelta(days=40)))).map(
    lambda given: (given[0], given[0] + given[1])
)
_OPEN = st.one_of(
    WINDOWS,
    _MOMENTS.map(lambda moment: (None, moment)),
)
_SAID = st.tuples(st.sampled_from(("SUMMARY", "LOCATION")), st.sampled_from(("", "hair", "DENT", "büro;", ", b", "hall")), st.booleans())


def _sound(words: tuple[tuple[str, str, bool], ...]) -> tuple[tuple[str, str, bool], ...]:
    """The oracle takes "not said" for a property that is absent, too; a filter needs one that is there (RFC 4791 §9.7.2)."""
    return tuple(each for each in words if each[0] == "SUMMARY" or not (each[1] and each[2]))


FILTERS = st.builds(
    Filter,
    window=st.one_of(st.none(), _OPEN),
    words=st.lists(_SAID, max_size=2).map(tuple).map(_sound),
    alarm=st.one_of(st.none(), st.none(), WINDOWS),
)
