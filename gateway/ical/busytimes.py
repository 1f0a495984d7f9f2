"""When somebody is busy by an external calendar: octets of any program's feed in, merged busy times out. Nothing else of it is kept.

Each UID is read by itself, so that one event nobody can read costs only itself (product.md §7.4, bridge.md §3.9).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from gateway.errors import GatewayError, Invalid
from gateway.ical.clientzones import ClientZones, known
from gateway.ical.parse import Component, calendar
from gateway.ical.series import plan
from gateway.model import Span
from gateway.recurrence import Budget

EVENTS = 20_000
"""Events that are read; a feed with more is cut, and says so."""

MERGED = 20_000
_BUDGET = Budget(steps=20_000, instances=3_000)
_LONGEST = timedelta(days=370)  # an event that lasts longer is a mistake of a feed far more often than an absence

_FOLD = re.compile(r"\n[ \t]")
_UID = re.compile(r"^UID(?:;[^:\n]*)?:(.*)$", re.MULTILINE | re.IGNORECASE)
_EVENT = re.compile(r"^BEGIN:VEVENT[ \t]*\n.*?^END:VEVENT[ \t]*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_ZONE = re.compile(r"^BEGIN:VTIMEZONE[ \t]*\n.*?^END:VTIMEZONE[ \t]*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_HOME = re.compile(r"^X-WR-TIMEZONE(?:;[^:\n]*)?:(.*)$", re.MULTILINE | re.IGNORECASE)
_TZID = re.compile(r"TZID=\"?([^\":;\n]+)", re.IGNORECASE)


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


@dataclass(slots=True)
class _Trouble:
    """What could not be read, counted."""

    unreadable: int = 0
    zones: set[str] = field(default_factory=set)


def busy_times(octets: bytes, *, zone: str, window: Span, own: Iterable[str] = (), habits: Habits = Habits()) -> BusyTimes:
    """The busy times of a feed within the window. `zone` (IANA) is the staff member's: whole days, and times without a zone, are meant in
    it unless the feed names one; `own` are UIDs of ours, which block nobody. Raises Invalid for what is no calendar."""
    text = _FOLD.sub("", octets.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n"))
    if not re.search(r"^BEGIN:VCALENDAR", text, re.MULTILINE | re.IGNORECASE):
        raise Invalid("There is no calendar at this address: the answer is something else, perhaps a page to sign in.")
    if not re.search(r"^END:VCALENDAR", text, re.MULTILINE | re.IGNORECASE):
        raise Invalid("The calendar breaks off before its end.")
    home, warnings = _home(text, zone)
    zones = "\n".join(_ZONE.findall(text))
    groups, events = _grouped(text)
    if events > EVENTS:
        warnings.append(f"The calendar has {events} events; the first {EVENTS} count.")
    trouble, ours = _Trouble(), frozenset(own)
    found: list[Span] = []
    for uid, blocks in groups.items():
        if uid not in ours:
            found += _of_one(blocks, zones, home, window, habits, trouble)
    warnings += _said(trouble)
    return BusyTimes(spans=tuple(_merged(found, window)), events=events, zone=home, warnings=tuple(warnings))


def _home(text: str, zone: str) -> tuple[str, list[str]]:
    named = _HOME.search(text)
    if named is None:
        return zone, []
    meant = known(named[1].strip())
    if isinstance(meant, ZoneInfo):
        return meant.key, []
    return (zone if meant is None else "UTC"), (
        [f"The time zone “{named[1].strip()[:60]}” is not known; {zone} is used."] if meant is None else []
    )


def _grouped(text: str) -> tuple[dict[str, list[str]], int]:
    """The events by UID, in the order of the text; one without a UID stands for itself."""
    groups: dict[str, list[str]] = {}
    number = 0
    for number, found in enumerate(_EVENT.finditer(text), 1):
        if number <= EVENTS:
            uid = _UID.search(found[0])
            groups.setdefault(uid[1].strip() if uid is not None and uid[1].strip() else f"\0{number}", []).append(found[0])
    return groups, number


def _of_one(blocks: list[str], zones: str, home: str, window: Span, habits: Habits, trouble: _Trouble) -> list[Span]:
    """The busy times of the events of one UID: a series with its exceptions, exceptions alone, or one event."""
    try:
        return _read(blocks, zones, home, window, habits)
    except (GatewayError, ValueError, OverflowError):
        pass
    try:  # a zone that nobody knows: in the staff member's own, and said so, is better than not at all
        mended = [_TZID.sub(lambda found: found[0] if known(found[1]) else f"TZID={home}", block) for block in blocks]
        spans = _read(mended, zones, home, window, habits)
    except (GatewayError, ValueError, OverflowError):
        trouble.unreadable += 1
        return []
    trouble.zones |= {name for block in blocks for name in _TZID.findall(block) if known(name) is None}
    return spans


def _read(blocks: list[str], zones: str, home: str, window: Span, habits: Habits) -> list[Span]:
    top = calendar(f"BEGIN:VCALENDAR\n{zones}\n" + "\n".join(blocks) + "\nEND:VCALENDAR\n")
    masters = [each for each in top.components if each.name == "VEVENT" and not each.every("RECURRENCE-ID")]
    others = [each for each in top.components if each.name == "VEVENT" and each.every("RECURRENCE-ID")]
    read = ClientZones(top, home)
    groups = [[*masters[:1], *others], *([twin] for twin in masters[1:])]  # some feeds give every event the same UID
    return [span for group in groups if group for span in _spans(group, read, window, habits)]


def _spans(components: list[Component], zones: ClientZones, window: Span, habits: Habits) -> list[Span]:
    """Of a series with its exceptions, or of exceptions alone: a feed may show changed dates without their series."""
    read = plan(components, zones)
    if read.first is None:
        return []
    found = read.instances(window, budget=_BUDGET).instances
    return [each.span for each in found if _blocks(each.component, habits) and each.span.length <= _LONGEST]


def _blocks(event: Component, habits: Habits) -> bool:
    """OPAQUE or nothing is busy, TRANSPARENT and cancelled are not; Microsoft's own word is more exact where there is one."""
    if event.word("STATUS") == "CANCELLED":
        return False
    match event.word("X-MICROSOFT-CDO-BUSYSTATUS"):
        case "FREE":
            return False
        case "WORKINGELSEWHERE":
            return habits.elsewhere
        case "OOF":
            return True
        case "TENTATIVE":
            return habits.tentative and event.word("TRANSP") != "TRANSPARENT"
        case _:
            if event.word("STATUS") == "TENTATIVE" and not habits.tentative:
                return False
            return event.word("TRANSP") != "TRANSPARENT"


def _merged(spans: Iterable[Span], window: Span) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        start, end = max(span.start, window.start), min(span.end, window.end)
        if start >= end:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(end, merged[-1].end))
        elif len(merged) < MERGED:
            merged.append(Span(start, end))
    return merged


def _said(trouble: _Trouble) -> list[str]:
    said = []
    if trouble.unreadable == 1:
        said.append("One event cannot be read and blocks nothing.")
    elif trouble.unreadable:
        said.append(f"{trouble.unreadable} events cannot be read and block nothing.")
    said += [f"The time zone “{name[:60]}” is not known; the staff member's own is used." for name in sorted(trouble.zones)[:5]]
    return said
