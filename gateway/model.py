"""The nouns of the trade as frozen values. No I/O, no clock, no library.

Instants are aware and in UTC; the IANA zone in which people think about them stands beside them.
Ranges are half open: [start, end).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from gateway.errors import Invalid, Reason

CompanyId = NewType("CompanyId", str)
StaffId = NewType("StaffId", str)
GroupId = NewType("GroupId", str)
ServiceId = NewType("ServiceId", str)
CustomerId = NewType("CustomerId", str)
CalendarId = NewType("CalendarId", str)
EntryId = NewType("EntryId", str)
FeedId = NewType("FeedId", str)
Revision = NewType("Revision", int)
"""A position in one company's change log: 1, 2, 3 … in commit order without gaps; 0 is before the first change."""


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A stretch of time [start, end), aware UTC. Zero length is allowed (RFC 5545 §3.6.1: an event without end or duration)."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            raise ValueError("a span is made of aware UTC instants")
        if self.end < self.start:
            raise Invalid("The end lies before the start.", condition="valid-calendar-object-resource", field="end")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """Whether the two share time; a zero-length span overlaps what contains its instant (RFC 4791 §9.9)."""
        return self.start < other.end and other.start < self.end

    def widened(self, before: timedelta, after: timedelta) -> Span:
        return Span(self.start - before, self.end + after)


class OnDelete(StrEnum):
    """What happens when a staff member deletes an appointment in a calendar program."""

    ASK = "ask"  # the event comes back and the staff member is asked by mail
    CANCEL = "cancel"  # the appointment is cancelled and the customer told
    RESTORE = "restore"  # the event comes back


class OnConflict(StrEnum):
    """What happens to a move that breaks working hours or meets other entries."""

    REFUSE = "refuse"
    ACCEPT = "accept"  # only overlaps with the staff member's own personal events and working hours are forgiven; never a double booking
    ASK = "ask"  # like refuse; where "accept" would have done it, the staff member's letter offers to do it all the same


class Refusal(StrEnum):
    """How a refused edit is answered over CalDAV (measured on real clients)."""

    RESTORE = "restore"  # 204 without ETag, then the old state under a new ETag: every client shows the truth unaided
    FORBID = "forbid"  # 403 with a readable DAV:error body, then the old state under a new ETag


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A company's choices about edits that staff members make in their own calendars."""

    two_way: bool = False
    on_delete: OnDelete = OnDelete.ASK
    on_conflict: OnConflict = OnConflict.REFUSE
    resize: bool = False
    hold: timedelta = timedelta(minutes=2)  # the customer is told this long after the last change
    refusal: Refusal = Refusal.RESTORE
    google: bool = False
    outlook: bool = False
    office365: bool = False
    self_service: bool = True  # customers may move and cancel their appointments themselves, on the page their letters lead to
    notice: timedelta = timedelta()  # until so long before the start

    def facts(self) -> dict[str, str | int | bool]:
        """The choices by the names that REST, pages and command line use, ready for JSON."""
        return {
            "bidirectional": self.two_way,
            "on_delete": self.on_delete.value,
            "on_conflict": self.on_conflict.value,
            "resize": self.resize,
            "hold_seconds": int(self.hold.total_seconds()),
            "refusal": self.refusal.value,
            "google": self.google,
            "outlook": self.outlook,
            "office365": self.office365,
            "self_service": self.self_service,
            "notice_minutes": int(self.notice.total_seconds() // 60),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    id: CompanyId
    slug: str
    name: str
    zone: str  # IANA
    locale: str = "en"
    policy: Policy = Policy()


@dataclass(frozen=True, kw_only=True, slots=True)
class Staff:
    id: StaffId
    handle: str  # URL-safe, unique in the installation, never changes
    name: str
    email: str
    zone: str  # IANA
    locale: str = "en"
    active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    id: GroupId
    slug: str
    name: str
    members: tuple[StaffId, ...] = ()
    since: Revision = Revision(0)  # the revision of the last change of membership


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    id: ServiceId
    name: str
    duration: timedelta
    buffer_before: timedelta = timedelta()
    buffer_after: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    id: CustomerId
    name: str
    email: str
    locale: str = "en"
    zone: str = "UTC"  # IANA
    phone: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingHours:
    """When a staff member works, in minutes after local midnight of the staff member's zone; intervals are half open.

    `weekly[weekday]` (Monday 0) lists (start, end) pairs, 0 ≤ start < end ≤ 1440; `exceptions` replace a whole date.
    No weekly interval and no exception at all means: no hours are kept, everything is inside.
    """

    weekly: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    exceptions: Mapping[date, tuple[tuple[int, int], ...]] = field(default_factory=dict)


class CalendarKind(StrEnum):
    APPOINTMENTS = "appointments"  # the bookings of one staff member, and personal events written beside them
    PERSONAL = "personal"  # made by MKCALENDAR


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """One collection of entries; belongs to one staff member. `slug` is the last path segment."""

    id: CalendarId
    staff: StaffId
    slug: str
    kind: CalendarKind
    components: tuple[str, ...] = ("VEVENT",)  # RFC 4791 §5.2.3
    last: Revision = Revision(0)  # the newest revision that touched it: CTag and sync-token
    created: Revision = Revision(0)


class Status(StrEnum):
    """RFC 5545 §3.8.1.11, lower case."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """One occurrence of a series that differs from the rule. `at` is its original start (RFC 5545 §3.8.4.4)."""

    at: datetime
    span: Span
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurrence:
    """How an appointment repeats, in wall time of the appointment's zone.

    `rule` is an RRULE value (RFC 5545 §3.3.10) such as "FREQ=WEEKLY;COUNT=10"; `excluded` and `overrides` name occurrences
    by their original start in UTC, both sorted.
    """

    rule: str
    excluded: tuple[datetime, ...] = ()
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Appointment:
    """A booking: owned by the platform. A staff member's client may only propose changes to it.

    `version` counts changes that matter to anybody but the staff member's own client; it travels as X-BOOKING-REV and shows
    which state a client had before it. `sequence` is iTIP's (RFC 5546 §2.1.4): it rises when time or status change.
    `extras` are unfolded content lines, or whole components joined by newlines, that the staff member's own client added
    (alarms, categories, colour, X- properties); nobody else sees them.
    """

    id: EntryId
    calendar: CalendarId
    name: str  # last path segment, e.g. "8f3a….ics"
    uid: str
    span: Span  # of the first occurrence
    zone: str  # IANA
    customer: CustomerId
    service: ServiceId
    status: Status = Status.CONFIRMED
    recurrence: Recurrence | None = None
    notes: str = ""
    sequence: int = 0
    version: int = 1
    extras: tuple[str, ...] = ()
    created: datetime
    changed: datetime  # of the last change that raised `version`


@dataclass(frozen=True, kw_only=True, slots=True)
class Personal:
    """Any other calendar object a staff member's client wrote: `text` is kept octet for octet (valid UTF-8)."""

    id: EntryId
    calendar: CalendarId
    name: str
    uid: str
    component: str  # VEVENT, VTODO, VJOURNAL
    text: str
    created: datetime
    changed: datetime


Entry = Appointment | Personal


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One instance of an entry. `occupied` is the span with the service's buffers; `busy` whether it blocks availability, and
    `tentative` whether that is not settled yet.

    `at` is the original start for an instance of a series, the start itself otherwise.
    """

    at: datetime
    span: Span
    occupied: Span
    busy: bool
    tentative: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What is kept beside an entry so that nobody has to parse or expand it again.

    `text`: the octets its owner's clients get; `team_text`: what group and company views show ("" = not shown there).
    `occurrences` are complete up to `indexed_until` (None: all there are). `floor`/`ceil` enclose every instance
    (ceil None: endless; both None: no time at all, such as a VTODO without dates, which every time-range matches).
    """

    text: str
    team_text: str
    occurrences: tuple[Occurrence, ...]
    indexed_until: datetime | None
    floor: datetime | None
    ceil: datetime | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and through which door: "dav", "rest", "cli", "page", "mirror:…", or "import" (silent: no letters).

    `unheard` names the devices that are not to be told of it, by their registrations; "*" stands for all.
    """

    who: str
    door: str
    unheard: frozenset[str] = frozenset()

    @property
    def silent(self) -> bool:
        """Takes over what already is: nobody is told, and only double bookings are refused."""
        return self.door == "import"

    @property
    def proposing(self) -> bool:
        """Speaks from a staff member's calendar, not for the platform: the company's two-way policy binds it."""
        return self.door == "dav" or self.door.startswith("mirror")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One line of a company's log. `entry` None: the calendar itself changed (a property, its making, its end).

    before None: the entry is new; after None: it is gone. before == after: nothing but its ETag changed, because
    `reason` says a proposal was refused (then `proposal` is a digest of it), or because its text was rendered anew.
    """

    revision: Revision
    calendar: CalendarId
    entry: EntryId | None
    before: Entry | None
    after: Entry | None
    actor: Actor
    at: datetime
    reason: Reason | None = None
    detail: str = ""
    proposal: str = ""


class Level(StrEnum):
    """How much a feed tells. Enforced by leaving text out."""

    BUSY = "busy"
    INITIALS = "initials"
    SERVICE = "service"
    FULL = "full"


class Scope(StrEnum):
    STAFF = "staff"
    GROUP = "group"
    COMPANY = "company"


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """A subscription address. `of` is the staff or group id, or None for the company. Days are counted in the company's zone."""

    id: FeedId
    scope: Scope
    of: str | None
    label: str
    level: Level
    past_days: int = 30
    future_days: int = 400
    alarm_minutes: int | None = None
    revoked: datetime | None = None
    last_fetched: datetime | None = None
    last_agent: str = ""
