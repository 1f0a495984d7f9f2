"""Asking when people are busy and telling it: iTIP's VFREEBUSY REQUEST and REPLY (RFC 5546 §3.3, RFC 6638 §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.errors import Invalid, TooLarge
from gateway.ical.clientzones import ClientZones
from gateway.ical.events import CLOSING, OPENING
from gateway.ical.lines import joined
from gateway.ical.moments import after, length, moment
from gateway.ical.parse import Component, Property, calendar
from gateway.ical.zones import stamp
from gateway.model import Span

LONGEST = timedelta(days=366)
"""How much time one question may be about."""

ATTENDEES = 100
"""How many people it may ask about; Apple's figure for an event."""


class Busy(StrEnum):
    """Why somebody has no time (RFC 5545 §3.2.9)."""

    BUSY = "BUSY"
    UNAVAILABLE = "BUSY-UNAVAILABLE"
    TENTATIVE = "BUSY-TENTATIVE"


@dataclass(frozen=True, slots=True)
class Question:
    """When are these people busy? Addresses are calendar user addresses as they were written; `window` is what was asked about."""

    uid: str
    organizer: str
    attendees: tuple[str, ...]
    window: Span


def question(text: str) -> Question:
    """Read a REQUEST. Raises Invalid: valid-calendar-data for what is no iCalendar, valid-scheduling-message for another message,
    and TooLarge (max-attendees-per-instance)."""
    top = calendar(text)
    asked = [each for each in top.components if each.name != "VTIMEZONE"]
    if top.word("METHOD") != "REQUEST" or [each.name for each in asked] != ["VFREEBUSY"]:
        raise _odd("Only free-busy is asked here: a VFREEBUSY with METHOD:REQUEST. Invitations are sent by the calendar program itself.")
    [freebusy] = asked
    attendees = tuple(dict.fromkeys(line.value.strip() for line in freebusy.every("ATTENDEE")))
    if len(attendees) > ATTENDEES:
        raise TooLarge(
            f"At most {ATTENDEES} people can be asked about at once.",
            limit="limits.attendees",
            condition="max-attendees-per-instance",
        )
    if not attendees:
        raise _odd("The message does not say who is asked about.")
    return Question(
        uid=_only(freebusy, "UID").value,
        organizer=_only(freebusy, "ORGANIZER").value.strip(),
        attendees=attendees,
        window=_window(freebusy, ClientZones(top, "UTC")),
    )


def _window(freebusy: Component, zones: ClientZones) -> Span:
    start = moment(_only(freebusy, "DTSTART"), zones)
    lasting = freebusy.one("DURATION")
    end = after(start, length(lasting.value)) if lasting is not None else moment(_only(freebusy, "DTEND"), zones).instant
    if not timedelta() < end - start.instant <= LONGEST:
        raise _odd(f"Free-busy is told for a stretch of time, {LONGEST.days} days at most.")
    return Span(start.instant, end)


def _only(freebusy: Component, name: str) -> Property:
    line = freebusy.one(name)
    if line is None:
        raise _odd(f"The message has no {name}.")
    return line


def _odd(sentence: str) -> Invalid:
    return Invalid(sentence, condition="valid-scheduling-message")


def reply(asked: Question, attendee: str, periods: Sequence[tuple[Span, Busy]], now: datetime) -> str:
    """The REPLY about one of the attendees. `periods` lie within the window, in order, and do not overlap."""
    lines = [
        *OPENING,
        "METHOD:REPLY",
        "BEGIN:VFREEBUSY",
        f"UID:{asked.uid}",
        f"DTSTAMP:{stamp(now)}",
        f"DTSTART:{stamp(asked.window.start)}",
        f"DTEND:{stamp(asked.window.end)}",
        f"ORGANIZER:{asked.organizer}",
        f"ATTENDEE:{attendee}",
        *(f"FREEBUSY;FBTYPE={kind}:{stamp(span.start)}/{stamp(span.end)}" for span, kind in periods),
        "END:VFREEBUSY",
    ]
    return joined(lines) + CLOSING


def layered(window: Span, layers: Sequence[tuple[Busy, Sequence[Span]]]) -> list[tuple[Span, Busy]]:
    """Periods of several kinds as one list that is in order and nowhere says two things: what comes first in `layers` counts.

    Everything is clipped to the window; periods of one kind that overlap or touch are one.
    """
    free = [window]
    told: list[tuple[Span, Busy]] = []
    for kind, spans in layers:
        taken = _merged(spans)
        told += [(part, kind) for part in _shared(free, taken)]
        free = _without(free, taken)
    return sorted(told)


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
        elif span.start < span.end:
            merged.append(span)
    return merged


def _shared(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """What lies in both; both in order, and neither overlaps itself."""
    found: list[Span] = []
    first = second = 0
    while first < len(one) and second < len(other):
        start, end = max(one[first].start, other[second].start), min(one[first].end, other[second].end)
        if start < end:
            found.append(Span(start, end))
        if one[first].end <= other[second].end:
            first += 1
        else:
            second += 1
    return found


def _without(free: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """What is left; both in order, and neither overlaps itself."""
    left: list[Span] = []
    waiting = list(reversed(taken))
    for each in free:
        start = each.start
        while waiting and waiting[-1].start < each.end:
            span = waiting[-1]
            if span.start > start:
                left.append(Span(start, span.start))
            start = max(start, span.end)
            if span.end > each.end:
                break
            waiting.pop()
        if start < each.end:
            left.append(Span(start, each.end))
    return left


def outside(open_times: Sequence[Span], window: Span) -> list[Span]:
    """The rest of the window beside these times."""
    return _without([window], _merged(open_times))
