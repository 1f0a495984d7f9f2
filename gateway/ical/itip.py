"""What a customer's calendar program is told of an appointment: iTIP REQUEST, CANCEL and PUBLISH (RFC 5546 §3.2.1, §3.2.2, §3.2.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import quote

from gateway.ical.events import CLOSING, OPENING, instance, planned, stamps, vevents, years
from gateway.ical.lines import escape, joined, parameter
from gateway.ical.zones import vtimezone
from gateway.model import Appointment, Company, Customer, Service, Span, Staff, Status

_AHEAD = timedelta(days=730)
"""So far after its last change a series' time zone is declared, where its rules do not go on for good."""

_AGAIN = ["REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"]
_CONFIRMED = ["STATUS:CONFIRMED", "TRANSP:OPAQUE"]
_TENTATIVE = ["STATUS:TENTATIVE", "TRANSP:OPAQUE"]
_CANCELLED = ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"]


def request(
    entry: Appointment,
    *,
    company: Company,
    staff: Staff,
    service: Service,
    customer: Customer,
    organizer: str,
    at: Sequence[datetime] = (),
    summary: str,
    description: str,
) -> str:
    """The appointment as it stands: a series with all its exceptions, or only the occurrences that originally start `at`.

    `organizer` is the mailbox replies go to, an addr-spec with or without a name; without one it is named after the company.
    Whoever had accepted is asked anew (PARTSTAT=NEEDS-ACTION): a new time is a new question. Every text may come from anybody.
    `staff` and `service` are not named: `summary` and `description` say about them what the customer shall read.
    """
    body = [
        *_told(summary, description),
        *(_TENTATIVE if entry.status is Status.TENTATIVE else _CONFIRMED),
        _organizer(organizer, company),
        _attendee(customer, ";PARTSTAT=NEEDS-ACTION;RSVP=TRUE"),
    ]
    if not at:
        return _message("REQUEST", entry, years(entry, entry.changed + _AHEAD), vevents(entry, stamps(entry), body))
    elsewhere = {override.at: override.span for override in entry.recurrence.overrides} if entry.recurrence else {}
    return _some("REQUEST", entry, [(each, elsewhere.get(each, planned(entry, each))) for each in at], body)


def cancel(
    entry: Appointment,
    *,
    company: Company,
    staff: Staff,
    service: Service,
    customer: Customer,
    organizer: str,
    at: Sequence[datetime] = (),
    summary: str,
    description: str,
) -> str:
    """The appointment, its whole series or only the occurrences that originally start `at`, will not take place.

    The arguments are those of `request`. An occurrence is shown where the rule had it: its place may be forgotten by now.
    """
    body = [*_told(summary, description), *_CANCELLED, _organizer(organizer, company), _attendee(customer, "")]
    if at:
        return _some("CANCEL", entry, [(each, planned(entry, each)) for each in at], body)
    whole = entry
    if entry.recurrence is not None:  # one component without RECURRENCE-ID takes the exceptions along
        whole = replace(entry, recurrence=replace(entry.recurrence, overrides=()))
    return _message("CANCEL", entry, years(entry, entry.changed + _AHEAD), vevents(whole, stamps(entry), body))


def publish(entry: Appointment, *, company: Company, organizer: str, summary: str, description: str, url: str) -> str:
    """The appointment as it stands, cancelled or not, for a calendar that fetches it again and again (RFC 5546 §3.2.1): nobody is
    asked to answer. Its UID is that of the letters."""
    state = {Status.CANCELLED: _CANCELLED, Status.TENTATIVE: _TENTATIVE}.get(entry.status, _CONFIRMED)
    body = [*_told(summary, description), *state, _organizer(organizer, company), f"URL:{url}"]
    events = vevents(entry, stamps(entry), body)
    head = joined([*OPENING, "METHOD:PUBLISH", f"X-WR-CALNAME:{escape(summary)}", *_AGAIN])
    return "".join((head, vtimezone(entry.zone, years(entry, entry.changed + _AHEAD)), joined(events), CLOSING))


def _some(method: str, entry: Appointment, places: Sequence[tuple[datetime, Span]], body: Sequence[str]) -> str:
    head = stamps(entry)
    events = [line for at, span in places for line in instance(entry, at, span, head, body)]
    moments = [moment for at, span in places for moment in (at, span.start, span.end)]
    return _message(method, entry, Span(min(moments), max(moments)), events)


def _message(method: str, entry: Appointment, window: Span, events: Sequence[str]) -> str:
    return "".join((joined([*OPENING, f"METHOD:{method}"]), vtimezone(entry.zone, window), joined(events), CLOSING))


def _told(summary: str, description: str) -> list[str]:
    return [f"SUMMARY:{escape(summary)}", *([f"DESCRIPTION:{escape(description)}"] if description else [])]


def _organizer(mailbox: str, company: Company) -> str:
    name, address = parseaddr(mailbox)
    return f"ORGANIZER{_named(name or company.name)}:{_mailto(address)}"


def _attendee(customer: Customer, answer: str) -> str:
    return f"ATTENDEE{_named(customer.name)};CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT{answer}:{_mailto(customer.email)}"


def _named(name: str) -> str:
    name = parameter(" ".join(name.split()))
    return f";CN={name}" if name.strip('"') else ""


def _mailto(address: str) -> str:
    """As a URI (RFC 6068 §2): nothing in it can end the line or the value."""
    return "mailto:" + quote(address.strip(), safe="@!$'*+", errors="replace")
