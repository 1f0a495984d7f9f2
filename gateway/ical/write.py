"""Appointments as text: for the staff member's own client, for colleagues, and for subscribers to a feed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from gateway.booking import Instance, expanded
from gateway.ical.events import CLOSING, OPENING, born, in_place, last_moment, planned, stamps, state, vevents, years
from gateway.ical.lines import escape, joined
from gateway.ical.zones import vtimezone
from gateway.model import Appointment, Company, Customer, Level, Occurrence, Recurrence, Service, Shape, Span, Staff, Status
from gateway.recurrence import Rule

_LONG = timedelta(days=36_600)
"""How far a series with COUNT is followed: COUNT ends it long before."""

_LATEST_START = datetime(9998, 1, 1, tzinfo=UTC) - _LONG

_REFRESH = "PT15M"
_STARTS = re.compile(rb"\nDTSTART[^:\r\n]*:([0-9]{4})")
_HEAD = joined(OPENING)


def shape(entry: Appointment, *, company: Company, staff: Staff, service: Service, customer: Customer, horizon: datetime) -> Shape:
    """What is kept beside an appointment: its texts, and its occurrences before the `horizon`.

    `floor` and `ceil` enclose a cancelled appointment as well, though it has no occurrences: feeds show it where it would have been.
    """
    cancelled = entry.status is Status.CANCELLED
    found = _expansion(entry, horizon)
    zone = vtimezone(entry.zone, years(entry, min(found.ceil or horizon, horizon)))
    return Shape(
        text=_object(zone, _own(entry, service, customer)),
        team_text="" if cancelled else _object(zone, _colleagues(entry, staff, service)),
        occurrences=() if cancelled else tuple(_occurrence(entry, each, service) for each in found.instances),
        indexed_until=None if cancelled else found.until,
        floor=found.floor,
        ceil=found.ceil,
    )


def event(
    entry: Appointment, *, level: Level, service: Service, customer: Customer, prefix: str = "", alarm_minutes: int | None = None
) -> str:
    """The appointment in a feed, series and exceptions included. What the level does not allow is not in the text.

    `prefix` names the staff member where a feed holds several. No ORGANIZER and no ATTENDEE: Outlook and Apple would make a
    meeting of it and send mail (product.md §6 rule 21).
    """
    summary = _summary(entry, level, service, customer, prefix)
    body = [f"SUMMARY:{escape(summary)}"]
    if level is Level.FULL:
        body.append(f"DESCRIPTION:{escape(_description(entry, customer))}")
    body += state(entry.status)
    if alarm_minutes is not None and entry.status is not Status.CANCELLED:
        body += _alarm(summary, alarm_minutes)
    head = stamps(entry, opaque(entry.uid)) if level is Level.BUSY else [*stamps(entry), born(entry)]
    return joined(vevents(_plain(entry), head, body))


def told(entry: Appointment, *, level: Level, service: Service, customer: Customer) -> tuple[str, str]:
    """Title and text of the appointment for a reader of that level: what it does not allow is in neither (product.md F02)."""
    return _summary(entry, level, service, customer, ""), _description(entry, customer) if level is Level.FULL else ""


def calendar(blocks: Iterable[bytes], *, name: str, zone: str, zones: Sequence[str], window: Span) -> bytes:
    """A whole feed around the `event` texts, in UTF-8 as they are: the same arguments give the same octets.

    `zones` are those of the events, `zone` the one a reader may show times in. Never without an event: Google refuses an
    empty calendar (product.md §6 rule 17), so a marker stands in, which blocks nothing and moves with the month.
    """
    events = b"".join(blocks)
    title = escape(" ".join(name.split()))
    head = [
        *OPENING,
        "METHOD:PUBLISH",
        f"NAME:{title}",
        f"X-WR-CALNAME:{title}",
        f"X-WR-TIMEZONE:{zone}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{_REFRESH}",
        f"X-PUBLISHED-TTL:{_REFRESH}",
    ]
    body = events or joined(_marker(name, window.start.astimezone(ZoneInfo(zone)))).encode()
    return b"".join(["".join([joined(head), *_declared(zones, window, events)]).encode(), body, CLOSING.encode()])


def _declared(names: Sequence[str], window: Span, events: bytes) -> list[str]:
    """A VTIMEZONE for each zone, from the first start on: a series may have begun long before the window."""
    first = min(map(int, _STARTS.findall(events)), default=window.start.year)
    start = window.start if first >= window.start.year else datetime(max(first, 1), 1, 2, tzinfo=UTC)
    return [vtimezone(name, Span(start, window.end)) for name in sorted(set(names))]


def _marker(name: str, start: datetime) -> list[str]:
    day = start.date().replace(day=1)
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=12).hexdigest()
    made = f"{day:%Y%m%d}T000000Z"
    return [
        "BEGIN:VEVENT",
        f"UID:nothing-booked-{digest}",
        f"DTSTAMP:{made}",
        f"LAST-MODIFIED:{made}",
        "SEQUENCE:0",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        "SUMMARY:No appointments",
        "TRANSP:TRANSPARENT",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
        "END:VEVENT",
    ]


def _object(zone: str, events: Sequence[str]) -> str:
    """A calendar object resource: no METHOD (RFC 4791 §4.1)."""
    return "".join((_HEAD, zone, joined(events), CLOSING))


def _own(entry: Appointment, service: Service, customer: Customer) -> list[str]:
    body = [
        f"SUMMARY:{escape(_titled(service, customer))}",
        f"DESCRIPTION:{escape(_description(entry, customer))}",
        *state(entry.status),
        f"X-BOOKING-REV:{entry.version}",
    ]
    return vevents(entry, [*stamps(entry), born(entry)], body, extras=True)


def _colleagues(entry: Appointment, staff: Staff, service: Service) -> list[str]:
    body = [f"SUMMARY:{escape(f'{staff.name}: {service.name}')}", *state(entry.status)]
    return vevents(entry, [*stamps(entry), born(entry)], body)


def _titled(service: Service, customer: Customer) -> str:
    return " – ".join(name for name in (service.name, customer.name) if name)


def _description(entry: Appointment, customer: Customer) -> str:
    """Who comes and how to reach them, a line each and without labels, so that it reads in every language; then the notes."""
    contact = "\n".join(line for line in (customer.name, customer.phone, customer.email) if line)
    return "\n\n".join(part for part in (contact, entry.notes) if part)


def _summary(entry: Appointment, level: Level, service: Service, customer: Customer, prefix: str) -> str:
    match level:
        case Level.BUSY:
            title = "Busy"
        case Level.INITIALS:
            title = _initials(customer.name) or "Busy"
        case Level.SERVICE:
            title = service.name
        case Level.FULL:
            title = _titled(service, customer)
        case _:
            assert_never(level)
    named = f"{prefix}: {title}" if prefix else title
    return f"Cancelled: {named}" if entry.status is Status.CANCELLED and level is not Level.BUSY else named


def _initials(name: str) -> str:
    """ "A. C." for "Ann Canaryname"; of long names the first and the last."""
    letters = [letter.upper() for word in name.split() if (letter := next(filter(str.isalnum, word), ""))]
    return " ".join(f"{letter}." for letter in (letters if len(letters) < 3 else (letters[0], letters[-1])))


def opaque(uid: str) -> str:
    """A UID of its own for those who only see busy times: stable, and no way back to the appointment."""
    return hashlib.blake2b(uid.encode("utf-8", "replace"), digest_size=16, person=b"busy").hexdigest()


def _alarm(summary: str, minutes: int) -> list[str]:
    return ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{escape(summary)}", f"TRIGGER:-PT{minutes}M", "END:VALARM"]


def _plain(entry: Appointment) -> Appointment:
    """A series of one is written without its rule: Office 365 refuses such feeds (clients.md §9)."""
    series = entry.recurrence
    if series is None or series.excluded or series.overrides or Rule.parse(series.rule).count != 1:
        return entry
    return replace(entry, recurrence=None)


@dataclass(frozen=True, slots=True)
class _Expansion:
    """The instances up to `until` (None: all of them), and what encloses them (ceil None: nothing, or nobody has counted)."""

    instances: tuple[Instance, ...]
    until: datetime | None
    floor: datetime
    ceil: datetime | None


def _expansion(entry: Appointment, horizon: datetime) -> _Expansion:
    """The instances planned before the horizon, and the exceptions moved from beyond it."""
    series = entry.recurrence
    if series is None:
        return _Expansion((Instance(entry.span.start, entry.span, entry.span),), None, entry.span.start, entry.span.end)
    found, until, ceil = _counted(entry, series, horizon)
    moved = {override.at: override for override in series.overrides if not in_place(entry, override)}
    shown = [instance for instance in found if instance.planned.start < horizon or instance.at in moved]
    known = {instance.at for instance in shown}
    shown += [Instance(at, other.span, planned(entry, at)) for at, other in moved.items() if at >= horizon and at not in known]
    spans = [entry.span, *(instance.span for instance in shown)]
    floor = min(span.start for span in spans)
    return _Expansion(tuple(shown), until, floor, None if ceil is None else max(ceil, *(span.end for span in spans)))


def _counted(entry: Appointment, series: Recurrence, horizon: datetime) -> tuple[Sequence[Instance], datetime | None, datetime | None]:
    """Instances, up to when they are all there are, and the end of the last one planned."""
    rule, start = Rule.parse(series.rule), entry.span.start
    last = last_moment(rule, entry.zone)
    reach = horizon if rule.count is None else min(start, _LATEST_START) + _LONG
    found, unsure = expanded(entry, Span(start, max(start, reach)))
    until: datetime | None = horizon if unsure is None else min(horizon, unsure)
    ceil = None if last is None else max(start, last) + entry.span.length
    if unsure is not None:
        return found, until, ceil
    if last is not None and last < horizon:
        until = None
    elif rule.count is not None and len(found) + len(series.excluded) >= rule.count:
        ceil = max((instance.planned.end for instance in found), default=entry.span.end)
        until = None if all(instance.planned.start < horizon for instance in found) else horizon
    return found, until, ceil


def _occurrence(entry: Appointment, instance: Instance, service: Service) -> Occurrence:
    occupied = instance.span.widened(service.buffer_before, service.buffer_after)
    return Occurrence(instance.at, instance.span, occupied, True, entry.status is Status.TENTATIVE)
