"""When somebody is busy by an external calendar: octets of any program's feed in, merged busy times out. Nothing else of it is kept.

Each UID is read by itself, and what cannot be read together is read piece by piece, so that one event nobody can read costs only
itself (product.md §7.4, bridge.md §3.9). Wherever a feed is not clear, time is busy rather than free: a slot nobody gets is a smaller
harm than one that two people get.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from gateway.errors import GatewayError, TooLarge
from gateway.ical.clientzones import ClientZones, known
from gateway.ical.feedlines import feed_lines, pieces, plain
from gateway.ical.moments import periods
from gateway.ical.parse import Component
from gateway.ical.series import plan
from gateway.model import Span
from gateway.recurrence import Budget

MERGED = 20_000
"""Periods of one answer. Where there are more, the last one lasts until the end."""

WORK = 300_000
"""What the series of one feed may cost together, a few seconds: steps, and twice the instances found. One that costs more is refused."""

_EACH = Budget(steps=40_000, instances=12_000)  # an hourly event fills a window of 430 days
_DESCRIBED = 20  # zones that are worked out from what the feed brings; those with a known name cost nothing
_LONG, _FAR = timedelta(days=366), timedelta(days=3)
_HOLD = 100_000  # spans in memory before they are merged

# What is left out, one after the other, of an event that cannot be read as it stands: rather too busy than not read.
_LENIENT = ((), ("EXDATE", "EXRULE", "RDATE"), ("EXDATE", "EXRULE", "RDATE", "RRULE"))
_UNREADABLE = (GatewayError, ValueError, OverflowError)


class _Spent(Exception):
    """The work of the whole feed is more than it may cost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Habits:
    """What counts as busy where people differ."""

    tentative: bool = True
    elsewhere: bool = False  # working elsewhere


@dataclass(frozen=True, kw_only=True, slots=True)
class BusyTimes:
    """Merged and in order, clipped to the window. `zone`: in which times without one were meant; `warnings` are sentences for a person."""

    spans: tuple[Span, ...]
    events: int
    zone: str
    warnings: tuple[str, ...] = ()


def busy_times(
    octets: bytes,
    *,
    zone: str,
    window: Span,
    own: Container[str] = (),
    people: Collection[str] = (),
    habits: Habits = Habits(),
) -> BusyTimes:
    """The busy times of a feed within the window.

    `zone` (IANA) is the staff member's: whole days are days there, and times without a zone are meant in it unless the feed names one.
    `own` holds UIDs of ours, which block nobody; `people` the staff member's addresses: what these have declined blocks nobody either.
    Raises Invalid for what is no calendar, and TooLarge for one that is more than can be worked out.
    """
    lines = feed_lines(octets)
    zones = _Zones(lines.zones, lines.home, zone)
    reading = _Reading(zones, window, habits, frozenset(each.casefold() for each in (*people, lines.called) if "@" in each))
    reading.notes.unreadable = lines.broken
    try:
        for group in lines.events:
            if next((each.value.strip() for each in group[0].every("UID")), "") not in own:
                reading.take(group)
    except _Spent:
        raise TooLarge(
            "The calendar repeats more than can be worked out. Publish a part of it, or a shorter time.", limit="steps"
        ) from None
    for component in lines.freebusy:
        reading.told(component)
    warnings = [*zones.sentences(), *reading.notes.sentences()]
    return BusyTimes(spans=tuple(_merged(reading.found, window)), events=lines.number, zone=zones.shown, warnings=tuple(warnings))


class _Zones:
    """What the feed means by its TZIDs: a name that is known, the rules that it brings along, else the zone that it names for itself, else
    the staff member's. `days` are the same zones for events of whole days, which are always the staff member's."""

    def __init__(self, described: dict[str, Component], home: str, zone: str) -> None:
        self._described = described
        self._left = _DESCRIBED
        self._met: dict[str, tzinfo] = {}
        meant = known(home) if home else None
        self._odd = home if home and meant is None else ""
        self.staff = zone
        self.shown = zone if meant is None else str(meant)
        self._home = meant or _zone(zone)
        self._noted: dict[str, None] = {}
        self.days = _Days(self)

    @property
    def floating(self) -> tzinfo:
        if self._odd:
            self._noted[self._odd] = None
        return self._home

    def named(self, tzid: str) -> tzinfo:
        name = plain(tzid)
        if name not in self._met:
            self._met[name] = known(name) or self._brought(name)
        return self._met[name]

    def _brought(self, name: str) -> tzinfo:
        component = self._described.get(name)
        if component is not None and self._left > 0:
            self._left -= 1
            try:
                top = Component("VCALENDAR", components=[component])
                return ClientZones(top, "UTC").named(next(each.value for each in component.every("TZID")))
            except _UNREADABLE:
                pass
        self._noted[name] = None
        return self._home

    def sentences(self) -> list[str]:
        return [f"The time zone “{name[:60]}” is not known; {self.shown} is used." for name in [*self._noted][:5]]


@dataclass(frozen=True, slots=True)
class _Days:
    """The same names; without one, the staff member's zone."""

    zones: _Zones

    @property
    def floating(self) -> tzinfo:
        return _zone(self.zones.staff)

    def named(self, tzid: str) -> tzinfo:
        return self.zones.named(tzid)


def _zone(name: str) -> tzinfo:
    return known(name) or UTC


@dataclass(slots=True)
class _Notes:
    """What could not be read as it stands, counted."""

    unreadable: int = 0
    partly: int = 0
    endless: int = 0
    long: int = 0

    def sentences(self) -> list[str]:
        said = []
        if self.unreadable:
            many = f"{self.unreadable} events cannot be read and block nothing."
            said.append("One event cannot be read and blocks nothing." if self.unreadable == 1 else many)
        if self.partly:
            many = f"{self.partly} events can be read in part only."
            said.append("One event can be read in part only." if self.partly == 1 else many)
        if self.endless:
            said.append("What repeats too often cannot be worked out to the end; from there on all time is busy.")
        if self.long:
            many = f"{self.long} events last longer than a year and block all of it."
            said.append("One event lasts longer than a year and blocks all of it." if self.long == 1 else many)
        return said


@dataclass(slots=True)
class _Reading:
    """The feed on its way to busy times, in `found`."""

    zones: _Zones
    window: Span
    habits: Habits
    people: frozenset[str]
    found: list[Span] = field(default_factory=list)
    notes: _Notes = field(default_factory=_Notes)
    left: int = WORK

    @property
    def earliest(self) -> str:
        return _digits(self.window.start, -_FAR)

    @property
    def latest(self) -> str:
        return _digits(self.window.end, _FAR)

    def take(self, events: list[Component]) -> None:
        """The events of one UID: a series with its exceptions, exceptions alone, or one event. Raises _Spent."""
        if len(events) == 1 and self._elsewhen(events[0]):
            return
        masters = [each for each in events if not each.every("RECURRENCE-ID")]
        changed = [each for each in events if each.every("RECURRENCE-ID")]
        self._series([*masters[:1], *changed])
        for twin in masters[1:]:  # some feeds give every event the same UID
            self._series([twin])
        if len(self.found) > _HOLD:
            self.found = _merged(self.found, self.window)

    def _elsewhen(self, event: Component) -> bool:
        """Whether a single event lies outside the window by days, whatever its zone: most events of a feed are years old."""
        dates = {each.name: each.value.strip()[:8] for each in event.properties}
        if not dates.keys().isdisjoint(("RRULE", "RDATE", "RECURRENCE-ID")):
            return False
        start, end = dates.get("DTSTART", ""), dates.get("DTEND", "")
        return (start.isdecimal() and start > self.latest) or (start.isdecimal() and end.isdecimal() and start <= end < self.earliest)

    def told(self, component: Component) -> None:
        """Periods of a VFREEBUSY (RFC 5545 §3.6.4), which Exchange and others publish in the place of events."""
        for line in component.every("FREEBUSY"):
            kind = (line.parameter("FBTYPE") or "BUSY").upper()
            if kind == "FREE" or (kind == "BUSY-TENTATIVE" and not self.habits.tentative):
                continue
            for each in pieces(line):
                try:
                    self.found += periods(each, self.zones)
                except _UNREADABLE:
                    self.notes.unreadable += 1

    def _series(self, components: list[Component]) -> None:
        """Together, or else each alone: a series that nobody can read with its exceptions blocks the places they were moved from, too."""
        if not components:
            return
        try:
            self._expand(components)
        except _UNREADABLE:
            for each in components:
                self._alone(each)

    def _alone(self, component: Component) -> None:
        for dropped in _LENIENT:
            shorn = [each for each in component.properties if each.name not in dropped]
            try:
                self._expand([Component(component.name, shorn)])
            except _UNREADABLE:
                continue
            self.notes.partly += bool(dropped)
            return
        self.notes.unreadable += 1

    def _expand(self, components: list[Component]) -> None:
        """Raises what is unreadable, before anything has been added."""
        starts = components[0].every("DTSTART")
        whole_day = bool(starts) and (len(starts[0].value.strip()) == 8 or (starts[0].parameter("VALUE") or "").upper() == "DATE")
        read = plan(components, self.zones.days if whole_day else self.zones)
        if self.left <= 0 and read.repeats:
            raise _Spent
        found = read.instances(self.window, budget=Budget(steps=min(_EACH.steps, max(self.left, 1)), instances=_EACH.instances))
        self.left -= found.steps + 2 * len(found.instances)
        busy = [each.span for each in found.instances if self._blocks(each.component)]
        self.notes.long += any(span.length > _LONG for span in busy)
        if not found.complete:
            if self.left <= 0:
                raise _Spent
            self.notes.endless += bool(busy)
            self.notes.partly += not busy
            busy += [Span(found.until, self.window.end)] if busy and found.until < self.window.end else []
        self.found += busy

    def _blocks(self, event: Component) -> bool:
        """OPAQUE or nothing is busy, TRANSPARENT and cancelled are not; Microsoft's own word is more exact where there is one."""
        if event.word("STATUS") == "CANCELLED" or self._declined(event):
            return False
        free = event.word("TRANSP") == "TRANSPARENT"
        match event.word("X-MICROSOFT-CDO-BUSYSTATUS"):
            case "FREE":
                return False
            case "WORKINGELSEWHERE":
                return self.habits.elsewhere
            case "OOF":
                return True
            case "TENTATIVE":
                return self.habits.tentative and not free
            case _:
                return not free and (self.habits.tentative or event.word("STATUS") != "TENTATIVE")

    def _declined(self, event: Component) -> bool:
        """Whether the staff member has said no: Google goes on publishing what its owner has declined."""
        return any(
            (line.parameter("PARTSTAT") or "").upper() == "DECLINED"
            and line.value.strip().casefold().removeprefix("mailto:") in self.people
            for line in event.every("ATTENDEE")
        )


@lru_cache(maxsize=8)
def _digits(moment: datetime, by: timedelta) -> str:
    """The date as iCalendar writes it."""
    return f"{moment + by:%Y%m%d}"


def _merged(spans: Iterable[Span], window: Span) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        start, end = max(span.start, window.start), min(span.end, window.end)
        if start >= end:
            continue
        if merged and (start <= merged[-1].end or len(merged) >= MERGED):
            merged[-1] = Span(merged[-1].start, max(end, merged[-1].end))
        else:
            merged.append(Span(start, end))
    return merged
