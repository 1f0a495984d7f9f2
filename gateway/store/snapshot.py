"""Reading one consistent state of one company.

SKELETON — signatures other rooms may rely on; being written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.model import (
    Actor, Appointment, Calendar, CalendarId, Change, Company, Customer, CustomerId, Entry, EntryId, Feed, Group, GroupId,
    Occurrence, Revision, Service, ServiceId, Span, Staff, StaffId, WorkingHours,
)


@dataclass(frozen=True, slots=True)
class Held:
    """An entry as it stands: `revision` is the one that last touched it (its ETag), `text` what its owner's clients get."""

    entry: Entry
    revision: Revision
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One object of a listing. `text` is None unless asked for. In views `name` is "{entry id}.ics" and `text` the team text."""

    name: str
    entry: EntryId
    calendar: CalendarId
    revision: Revision
    uid: str
    component: str
    text: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """What a client sees as one calendar: a calendar, or a read-only view over the appointment calendars of several people.

    `last` = the newest revision of its members or of its own membership: CTag and sync-token. `since`: tokens older than this
    revision are void (membership changed, RFC 6578 §3.2). `properties` are the viewer's own dead properties (Clark names → text).
    """

    slug: str
    title: str
    kind: str  # "appointments", "personal", "group", "company"
    owner: StaffId  # whose home it is listed in
    calendars: tuple[CalendarId, ...]
    components: tuple[str, ...]
    last: Revision
    since: Revision
    writable: bool
    properties: Mapping[str, str]

    @property
    def view(self) -> bool:
        return self.kind in ("group", "company")


class Snapshot:
    company: Company
    epoch: str
    revision: Revision  # the head of the company's log

    # people and things; Missing when there is no such id
    def staff(self, id: StaffId) -> Staff: ...
    def staff_by_handle(self, handle: str) -> Staff: ...
    def all_staff(self) -> Sequence[Staff]: ...  # by name
    def group(self, id: GroupId) -> Group: ...
    def groups(self) -> Sequence[Group]: ...
    def service(self, id: ServiceId) -> Service: ...
    def services(self) -> Sequence[Service]: ...
    def customer(self, id: CustomerId) -> Customer: ...
    def customers(self) -> Sequence[Customer]: ...
    def hours(self, staff: StaffId) -> WorkingHours: ...
    def calendar(self, id: CalendarId) -> Calendar: ...
    def calendars(self, staff: StaffId) -> Sequence[Calendar]: ...
    def appointments_of(self, staff: StaffId) -> Calendar:
        """The calendar of kind APPOINTMENTS; every staff member has exactly one."""

    # collections, as a CalDAV home lists them
    def collections(self, staff: StaffId) -> Sequence[Collection]:
        """appointments, personal calendars, then a view "group-{slug}" for each group the person is in, then "company"."""
    def collection(self, staff: StaffId, slug: str) -> Collection | None: ...

    # entries
    def held(self, calendar: CalendarId, name: str) -> Held | None:
        """A cancelled appointment is not held by its calendar any more: None."""
    def held_by_id(self, id: EntryId) -> Held | None:
        """Also cancelled appointments."""
    def held_by_uid(self, calendar: CalendarId, uid: str) -> Held | None: ...
    def version(self, id: EntryId, version: int) -> Appointment | None:
        """The appointment as it was in that version, from the log."""

    def rows(self, collection: Collection, *, text: bool = False) -> Sequence[Row]:
        """Every object, in the order of names."""
    def rows_named(self, collection: Collection, names: Sequence[str], *, text: bool = True) -> dict[str, Row]:
        """Those of the names that exist."""
    def rows_within(self, collection: Collection, window: tuple[datetime | None, datetime | None], *, component: str | None = None, text: bool = False) -> Sequence[Row]:
        """Objects with an instance that overlaps [from, to) per RFC 4791 §9.9; None is an open end. Exact inside the index;
        entries whose index ends before the window's end are included as candidates (`may_exceed_index` tells)."""
    def beyond_index(self, collection: Collection, until: datetime | None) -> frozenset[EntryId]:
        """Entries with instances after their `indexed_until` that a window ending at `until` would reach."""
    def instances(self, entry: EntryId, window: Span) -> Sequence[Occurrence]: ...
    def entries(self, ids: Iterable[EntryId]) -> dict[EntryId, Entry]: ...
    def busy(self, staff: StaffId, window: Span, *, without: EntryId | None = None) -> Sequence[tuple[EntryId, Occurrence]]:
        """Busy instances in any calendar of the staff member whose occupied span overlaps the window, in order."""
    def appointments(self, *, staff: Iterable[StaffId] | None, window: Span | None, cancelled: bool = False) -> Sequence[Held]:
        """Appointments with an instance in the window, in the order (start, uid)."""

    # the log
    def changes(self, after: Revision, *, limit: int = 500) -> Sequence[Change]: ...
    def changes_of(self, entry: EntryId) -> Sequence[Change]: ...
    def names_since(self, collection: Collection, after: Revision, *, limit: int | None = None) -> tuple[Mapping[str, Row | None], Revision]:
        """What changed in the collection after that revision: name → row without text, or None when it is gone; and the
        revision this answer reaches (less than `collection.last` only when the limit cut it)."""
    def issued(self, collection: Collection, revision: Revision) -> bool:
        """Whether a sync-token with that revision was ever given out for the collection and still holds."""

    def cursor(self, reader: str) -> Revision: ...
    def feeds(self) -> Sequence[Feed]: ...
    def feed_members(self, feed: Feed) -> tuple[CalendarId, ...]: ...
    def feed_revision(self, feed: Feed) -> Revision:
        """The newest revision that could change the feed's bytes."""
