"""What a decision depends on besides the entry and the wish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.model import CalendarId, EntryId, Policy, Service, ServiceId, Span, WorkingHours


@dataclass(frozen=True, slots=True)
class Taken:
    """Time of the same staff member that somebody else holds: `span` with buffers; `booked` by a customer, or the person's own."""

    span: Span
    booked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """Everything a decision depends on besides the entry and the wish.

    `proposing`: the wish comes from a staff member's calendar, so the company's two-way policy binds it; the platform's own
    doors (REST, pages, command line) act for the business. `lenient`: an import of what already is; only double bookings are
    refused. `forgiving`: working hours and the person's own entries do not count. `taken(span)` answers whose time overlaps the span
    in any calendar of the staff member, this entry left out. `zone` is the staff member's, in which the working hours are meant.
    `fresh_id`, `calendar` and `name` name a new entry.
    """

    now: datetime
    policy: Policy
    proposing: bool
    lenient: bool = False
    forgiving: bool = False
    services: Callable[[ServiceId], Service]
    hours: WorkingHours
    zone: str
    taken: Callable[[Span], Sequence[Taken]]
    fresh_id: EntryId
    calendar: CalendarId
    name: str
