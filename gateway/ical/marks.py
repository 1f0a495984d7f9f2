"""What a staff member's own client keeps with an appointment: alarms, categories, colours, private properties, and nothing dangerous.

A list of what is passed on, not of what is not (A087): no attachment, no HTML, no address that a client would fetch, no alarm
that mails or starts programs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC

from gateway.errors import TooLarge
from gateway.ical.moments import OneZone, length, moment
from gateway.ical.parse import Component, Property, content_line, invalid

COUNT, OCTETS = 100, 32_768
"""Marks on one appointment or occurrence, and their octets altogether."""

ALARMS, REPEATS = 100, 1_000
"""Alarms of one component, and how often one of them may ring again (GHSA-qjcq-q7h7-r74v)."""

_KEPT = frozenset({"CATEGORIES", "COLOR", "CLASS", "PRIORITY"})
_DROPPED = re.compile(
    r"X-(?:BOOKING-.*|ALT-DESC|MICROSOFT-CDO-BUSYSTATUS"  # ours, and text that a client would show as HTML
    r"|MOZ-GENERATION|LIC-ERROR|EVOLUTION-CALDAV-.*|WR-.*)"  # clients' own bookkeeping, different at every turn
)
_OF_ALARM = frozenset(
    {"ACTION", "TRIGGER", "DESCRIPTION", "SUMMARY", "DURATION", "REPEAT", "UID", "ACKNOWLEDGED", "RELATED-TO", "PROXIMITY"}
)
_ACTIONS = frozenset({"DISPLAY", "AUDIO", "NONE"})
_SOUND = re.compile(r"[A-Za-z0-9 _.-]{1,64}", re.ASCII)  # "Basso": a name on the device, no address


def marks(component: Component, *, without: Iterable[str] = ()) -> tuple[str, ...]:
    """The client's own marks on the component in its order: unfolded lines, and whole alarms. Raises TooLarge, Invalid.

    `without`: names of properties that the platform has written itself.
    """
    check_alarms(component)
    ours = frozenset(without)
    found = [str(each) for each in component.properties if _is_mark(each) and each.name not in ours]
    found += [str(_harmless(each)) for each in component.named("VALARM") if each.word("ACTION") in _ACTIONS]
    if len(found) > COUNT or sum(len(each.encode()) for each in found) > OCTETS:
        raise TooLarge(
            f"An appointment keeps {COUNT} marks of {OCTETS} octets at most.", limit="limits.marks", condition="max-resource-size"
        )
    return tuple(found)


def same(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two lists of marks say the same: order, folding, quoting and the spelling of durations do not count."""
    return sorted(_plain(each) for each in one) == sorted(_plain(each) for each in other)


def check_alarms(component: Component) -> None:
    """Raise Invalid for alarms that cannot be read, or ring more often than anybody wants."""
    alarms = component.named("VALARM")
    if len(alarms) > ALARMS:
        raise invalid(f"An event may have {ALARMS} alarms.")
    for alarm in alarms:
        for line in alarm.properties:
            if line.name == "TRIGGER" and line.value.strip()[:1].isdigit():
                moment(line, OneZone(UTC))
            elif line.name in ("TRIGGER", "DURATION"):
                length(line.value)
            elif line.name == "REPEAT":
                times = line.value.strip()
                if not (times.isascii() and times.isdigit() and len(times) <= 10 and int(times) <= REPEATS):
                    raise invalid(f"An alarm rings again {REPEATS} times at most.")


def _is_mark(line: Property) -> bool:
    if line.name.startswith("X-"):
        return _DROPPED.fullmatch(line.name) is None
    return line.name in _KEPT


def _harmless(alarm: Component) -> Component:
    kept = [
        each
        for each in alarm.properties
        if each.name in _OF_ALARM or each.name.startswith("X-") or (each.name == "ATTACH" and _SOUND.fullmatch(each.value))
    ]
    return Component(alarm.name, kept)


def _plain(mark: str) -> tuple[tuple[object, ...], ...]:
    lines = (line for line in mark.split("\n") if line)
    return tuple(sorted(_plain_line(parsed) for line in lines if (parsed := content_line(line)) is not None))


def _plain_line(line: Property) -> tuple[object, ...]:
    """What the line says, comparable with others of its name."""
    parameters = tuple(sorted((name, value) for name, value in line.parameters() if name != "VALUE"))
    value: str = line.text.strip()
    if line.name in ("TRIGGER", "DURATION") and not value[:1].isdigit():
        value = str(length(value).total.total_seconds())
    return line.name, parameters, value
