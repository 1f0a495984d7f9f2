"""Writing: the one place where entries, log and cursors change.

SKELETON — signatures other rooms may rely on; being written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import Reason
from gateway.model import (
    Actor, Calendar, CalendarId, Change, Company, Customer, Entry, EntryId, Feed, FeedId, Group, Revision, Service, Shape, Staff, StaffId,
    WorkingHours,
)
from gateway.store.snapshot import Collection, Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A finished mail waiting in the outbox. `key` is unique in the company: queueing the same key twice keeps the first.

    `message` is the whole RFC 5322 message with its Message-ID; `recipient` the envelope address.
    """

    key: str
    recipient: str
    message: bytes
    entry: EntryId | None
    kind: str  # "booked", "moved", "cancelled", "refused", …


class Transaction(Snapshot):
    """One writer's view of a company; sees its own writes. Everything in it happens or nothing does."""

    actor: Actor

    def record(self, before: Entry | None, after: Entry | None, shape: Shape | None, at: datetime, *,
               reason: Reason | None = None, detail: str = "", proposal: str = "") -> Change:
        """Write an entry and its log line: the only way to write an entry. `shape` belongs to `after` (None when it is gone).
        before == after is allowed: the entry gets a new ETag (a touch)."""
        raise NotImplementedError

    def advance(self, reader: str, to: Revision) -> None:
        """Move a reader's cursor; never backwards."""

    # calendars and their looks
    def put_calendar(self, calendar: Calendar, at: datetime) -> None:
        """Make it (a log line without entry). Conflict when the slug is taken in that home."""
    def drop_calendar(self, calendar: CalendarId, at: datetime) -> None:
        """A personal calendar and its entries go away (entry log lines first)."""
    def set_properties(self, viewer: StaffId, collection: Collection, properties: Mapping[str, str | None], at: datetime) -> None:
        """Dead properties of one viewer; None removes. Changes the CTag of that collection."""

    # people and things (no log line but for group membership)
    def save_company(self, company: Company) -> None: ...
    def save_staff(self, staff: Staff) -> None:
        """New ones get their appointments calendar. Conflict when the handle is taken in the installation."""
    def save_group(self, group: Group) -> None: ...
    def save_service(self, service: Service) -> None: ...
    def save_customer(self, customer: Customer) -> None: ...
    def save_hours(self, staff: StaffId, hours: WorkingHours) -> None: ...

    # credentials: only digests are stored
    def add_app_password(self, staff: StaffId, label: str, password: str, now: datetime, *, read_only: bool = False) -> str: ...
    def revoke_app_password(self, id: str, now: datetime) -> None: ...
    def add_api_key(self, label: str, key: str, now: datetime) -> str: ...
    def revoke_api_key(self, id: str, now: datetime) -> None: ...
    def add_feed(self, feed: Feed, token: str, sealed: bytes, now: datetime) -> None: ...
    def revoke_feed(self, id: FeedId, now: datetime) -> None: ...
    def feed_fetched(self, id: FeedId, agent: str, now: datetime) -> None: ...

    # what letters wait for, and the outbox
    def await_notice(self, entry: EntryId, base: Entry | None, due: datetime) -> None:
        """The customer is to be told about `entry` at `due`; the first `base` (the state last told) stays, `due` moves."""
    def notices_due(self, now: datetime) -> Sequence[tuple[EntryId, Entry | None, datetime]]: ...
    def next_notice(self) -> datetime | None: ...
    def notice_done(self, entry: EntryId) -> None: ...
    def queue(self, letter: Letter, now: datetime) -> bool:
        """False when a letter with this key is already there."""

    # questions to staff ("cancel the appointment?"), answered on a signed page
    def ask(self, entry: EntryId, at: datetime | None, staff: StaffId, token: str, now: datetime) -> str: ...

    # idempotent POSTs
    def recall(self, key: str) -> tuple[str, int, str] | None:
        """(digest of the request, status, body) of an earlier POST with this Idempotency-Key."""
    def remember(self, key: str, digest: str, status: int, body: str, now: datetime) -> None: ...
