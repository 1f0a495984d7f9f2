"""What a feed says of times: a forgiving scanner over any program's octets, which keeps the few lines that time hangs on.

`parse` is for objects that we keep, and takes nothing that two readers read differently. Here nothing is kept but times, and a line that
no reader understands costs nothing unless time hangs on it. All other text is gone when this has run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.errors import Invalid, TooLarge
from gateway.ical.parse import Component, Property, content_line

EVENTS = 50_000
"""Events of one feed. Beyond it is refused as a whole: what is left out would be taken for free time."""

_ZONES = 500  # described by one feed; the programs that describe every zone they know have about as many
_PARTS = 1_000  # parts of a component, and properties of a part
_DEEP = 8
_HEAD, _VALUE = 1_000, 100_000  # characters; a value of that length is three thousand dates

_OF_TIMES = (
    *("BEGIN", "END", "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP"),
    *("X-MICROSOFT-CDO-BUSYSTATUS", "FREEBUSY", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "X-LIC-LOCATION", "X-WR-TIMEZONE", "X-WR-CALNAME"),
    r"ATTENDEE(?=[^\n]*PARTSTAT=\"?DECLINED)",
)
_LINE = re.compile(rf"^(?:{'|'.join(_OF_TIMES)})[;:].*$", re.MULTILINE | re.IGNORECASE)
_FOLD = re.compile(r"\n[ \t]")
_ROOTS = frozenset(("VEVENT", "VTIMEZONE", "VFREEBUSY"))


@dataclass(slots=True)
class FeedLines:
    """A feed as far as its times go: events by UID in the order of the text, those without one each alone; VFREEBUSY components; zones
    by their names. `home` is the zone it names for itself (X-WR-TIMEZONE), `called` its own name. `broken`: events that do not end, and
    lines of them that are too long."""

    events: list[list[Component]] = field(default_factory=list)
    freebusy: list[Component] = field(default_factory=list)
    zones: dict[str, Component] = field(default_factory=dict)
    home: str = ""
    called: str = ""
    number: int = 0
    broken: int = 0


def feed_lines(octets: bytes) -> FeedLines:
    """Raises Invalid for what is no calendar or breaks off before its end, and TooLarge."""
    text = octets.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    scan = _Scan()
    for line in _LINE.finditer(_FOLD.sub("", text)):
        scan.take(line[0])
    if not scan.calendars:
        raise Invalid("There is no calendar at this address: the answer is something else, perhaps a page to sign in.")
    if scan.open_calendars:
        raise Invalid("The calendar breaks off before its end.")
    return scan.read


class _Scan:
    """One line after the other. `opened` are the components around the line, from one of the roots inwards."""

    def __init__(self) -> None:
        self.read = FeedLines()
        self.calendars = self.open_calendars = 0
        self._opened: list[Component] = []
        self._groups: dict[str, list[Component]] = {}

    def take(self, line: str) -> None:
        found = content_line(line)
        if found is None:
            return
        if len(found.head) > _HEAD or (len(found.value) > _VALUE and found.name != "FREEBUSY"):
            self.read.broken += 1
            return
        match found.name:
            case "BEGIN":
                self._begin(found.value.strip().upper())
            case "END":
                self._end(found.value.strip().upper())
            case "X-WR-TIMEZONE" | "X-WR-CALNAME":
                self._named(found)
            case _ if self._opened and (len(self._opened) == 1 or self._opened[0].name == "VTIMEZONE"):
                if len(self._opened[-1].properties) < _PARTS:
                    self._opened[-1].properties.append(found)

    def _named(self, found: Property) -> None:
        """What the calendar says of itself; the first one counts."""
        value = found.value.strip()[:200]
        if found.name == "X-WR-TIMEZONE":
            self.read.home = self.read.home or value
        else:
            self.read.called = self.read.called or value

    def _begin(self, kind: str) -> None:
        if kind == "VCALENDAR":
            self._drop()
            self.calendars += 1
            self.open_calendars += 1
        elif kind in _ROOTS:
            self._drop()
            self._opened.append(Component(kind))
        elif self._opened and len(self._opened) < _DEEP:
            inner = Component(kind)
            if len(self._opened) == 1 and len(self._opened[0].components) < _PARTS:
                self._opened[0].components.append(inner)
            self._opened.append(inner)

    def _end(self, kind: str) -> None:
        if kind == "VCALENDAR":
            self._drop()
            self.open_calendars = max(0, self.open_calendars - 1)
        elif self._opened and kind == self._opened[0].name:
            [root, *_], self._opened = self._opened, []
            self._ended(root)
        elif self._opened and kind == self._opened[-1].name:
            self._opened.pop()

    def _drop(self) -> None:
        """What is open does not end: nobody knows what of it is missing."""
        if self._opened and self._opened[0].name != "VTIMEZONE":
            self._count(1)
            self.read.broken += 1
        self._opened = []

    def _ended(self, root: Component) -> None:
        match root.name:
            case "VTIMEZONE":
                name = next((plain(each.value) for each in root.every("TZID")), "")
                if len(self.read.zones) < _ZONES:
                    self.read.zones.setdefault(name, root)
            case "VFREEBUSY":
                self._count(sum(1 for line in root.every("FREEBUSY") for _ in pieces(line)))
                self.read.freebusy.append(root)
            case _:
                self._count(1)
                self._grouped(root)

    def _grouped(self, event: Component) -> None:
        uid = next((each.value.strip() for each in event.every("UID")), "")
        group = self._groups.get(uid) if uid else None
        if group is None:
            group = []
            self.read.events.append(group)
            if uid:
                self._groups[uid] = group
        group.append(event)

    def _count(self, more: int) -> None:
        self.read.number += more
        if self.read.number > EVENTS:
            raise TooLarge(f"The calendar has more than {EVENTS} events. Publish a part of it, or a shorter time.", limit="events")


def pieces(line: Property) -> Iterator[Property]:
    """A list of values as lines with one value each: one that nobody can read costs only itself."""
    for value in line.value.split(","):
        if value.strip():
            yield Property(line.name, line.head, value)


def plain(tzid: str) -> str:
    """The name of a zone without what programs put around it: Exchange writes spaces behind."""
    return tzid.strip().strip('"').strip()
