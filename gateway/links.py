"""Calendars elsewhere, as values: the accounts staff members have there, the links between calendars, and what is known of each item.

An account is a person's access at Google or Microsoft; a link mirrors the staff member's appointments into one calendar of that
account. An item is one event there: a single appointment, a series, or one occurrence of a series that differs from it. Instants are
aware and in UTC. No I/O, no clock, no library.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from gateway.model import EntryId, Level, OnDelete, Revision, Span, StaffId

AccountId = NewType("AccountId", str)
LinkId = NewType("LinkId", str)

_NOTHING = Revision(0)


class Provider(StrEnum):
    """Who keeps the calendar: one value for each switch of the settings page."""

    GOOGLE = "google"
    OUTLOOK = "outlook"  # Outlook.com: personal Microsoft accounts ("consumers")
    OFFICE365 = "office365"  # Microsoft 365: work and school accounts ("organizations")


class Access(StrEnum):
    """How an account stands."""

    OK = "ok"
    NEEDS_REAUTH = "needs_reauth"  # the person has to sign in again
    NEEDS_ADMIN = "needs_admin"  # the person's administrator has to consent
    SUSPENDED = "suspended"  # the provider has shut it


class Standing(StrEnum):
    """How a link stands."""

    ACTIVE = "active"
    PAUSED = "paused"  # by the staff member
    GUARD = "guard"  # a brake was pulled: nothing is deleted until a person has decided, or the next full listing looks sound again
    SUSPENDED = "suspended"  # the calendar is gone, or the provider forbids it; other links of the account go on
    ENDING = "ending"  # being disconnected: our events are removed first
    ENDED = "ended"  # disconnected; what is known of its items stays, so that a new connection finds them again


class Direction(StrEnum):
    OUT = "out"  # appointments are shown there; what is changed there is turned back
    BOTH = "both"  # what the staff member moves there is a proposal


class Todo(StrEnum):
    """What a written intent is about to do. It stands in the store before the provider is called, and goes with the result."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Condition(StrEnum):
    """How an item stands."""

    SYNCED = "synced"
    CONFLICT = "conflict"  # both sides changed the same thing, or it vanished there: a person is asked
    PARKED = "parked"  # cannot be decided now, such as an occurrence that cannot be found; looked at again with the next full listing
    DEAD = "dead"  # the provider refuses it for good; others go on
    FOREIGN = "foreign"  # somebody else's event in a mirrored calendar: only its times are kept, and it is never written to
    GONE = "gone"  # neither side has it; kept for its generation


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A person's access. The credential itself is sealed in the store and not part of this."""

    id: AccountId
    staff: StaffId
    provider: Provider
    login: str  # the address the provider calls the person by
    subject: str  # the provider's own id of the person: the same after a change of address
    scopes: tuple[str, ...] = ()
    access: Access = Access.OK
    trouble: str = ""  # one sentence for the staff member; "" when there is none
    since: datetime | None = None  # when the trouble began
    probed: datetime | None = None  # when a failing account was tried last
    created: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """Where incremental listing goes on. Another fingerprint of the parameters, or another window, means: list everything anew."""

    value: str
    fingerprint: str
    window: Span
    obtained: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """The mirror between a staff member's appointments and one calendar elsewhere.

    `allowed`: until when a person has allowed what the brake held back. `seen` is the revision of the company's log up to which items
    were compared. `due` is when to look there again unasked. `pulled` is when a listing was last read to its end, `listed` when it was
    last a full one.
    """

    id: LinkId
    account: AccountId
    staff: StaffId
    calendar: str  # the provider's id of the calendar
    title: str  # what the provider calls it
    own: bool  # made by the gateway for itself: nobody else's events are in it when it begins
    direction: Direction = Direction.OUT
    level: Level = Level.FULL
    on_delete: OnDelete | None = None  # None: as the company's policy says
    standing: Standing = Standing.ACTIVE
    trouble: str = ""
    since: datetime | None = None
    seen: Revision = _NOTHING
    cursor: Cursor | None = None
    due: datetime
    pulled: datetime | None = None
    listed: datetime | None = None
    failures: int = 0
    allowed: datetime | None = None
    created: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Owned:
    """The part of an event that the gateway writes and compares, in the one form both sides are brought into. Nothing else is ever sent.

    Texts are normalised: no HTML, "\\n" line ends, no white space at the ends. A series carries its rule; its cancelled and moved
    occurrences are items of their own. `all_day`: a person made it so over there; the span is then midnight to midnight in `zone`.
    """

    span: Span
    zone: str  # IANA
    title: str
    text: str = ""
    place: str = ""
    tentative: bool = False
    rule: str = ""  # RRULE value (RFC 5545 §3.3.10) of a series
    all_day: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """Which event it is, before the provider has given it a name: one live event there for each, under any crash or retry.

    `at` is the original start of an occurrence (None: the whole appointment or series). `generation` rises by one only when the
    event was seen to be deleted over there and shall exist again.
    """

    entry: EntryId
    at: datetime | None = None
    generation: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What is known of one event elsewhere: `draft` is what we wrote last, `base` how the provider gave that back (None: it does not exist,
    or is cancelled, there). Kept apart, because providers spell rules and texts in their own way.

    `apart`: an occurrence that is an event of its own there, because the provider cannot express it within its series; of a whole
    series: all of its occurrences are. `todo` with `draft` is an intent, written down before the provider is called.
    """

    link: LinkId
    key: Key
    remote: str = ""  # the provider's id; "" before it is known
    etag: str = ""
    base: Owned | None = None
    apart: bool = False
    todo: Todo | None = None
    draft: Owned | None = None
    attempts: int = 0
    due: datetime | None = None  # when a failed intent is tried again
    condition: Condition = Condition.SYNCED
    trouble: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One line of a link's history: what was done, seen or decided, in a sentence without customers' names."""

    at: datetime
    kind: str  # "connected", "pushed", "moved", "refused", "restored", "conflict", "guard", "dead", "error", "resumed", …
    sentence: str
    entry: EntryId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A subscription to a provider's notifications. `secret` is what every notification has to bring."""

    link: LinkId
    id: str  # ours at Google, the provider's at Microsoft
    resource: str
    secret: str  # kept as a digest
    made: datetime
    expires: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An external iCalendar address whose busy times block a staff member. The address itself is sealed in the store."""

    staff: StaffId
    etag: str = ""
    modified: str = ""  # Last-Modified, as received
    digest: str = ""  # of the busy times as stored
    due: datetime
    fetched: datetime | None = None  # when a sound copy was last received or confirmed
    failing: datetime | None = None  # since when it fails
    trouble: str = ""
    warnings: tuple[str, ...] = ()
    zone: str = ""
    events: int = 0
    shrunk: datetime | None = None  # when it first came back with nothing: believed only when it says so again hours later
    taken: datetime | None = None  # somebody reads it at this moment, and is thought dead after this
    tentative: bool | None = None  # whether events marked tentative block, and
    elsewhere: bool | None = None  # those marked "working elsewhere"; None: as the installation says


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocking:
    """A calendar of an account whose busy times block the staff member. It is never written to, and only its times are read."""

    account: AccountId
    calendar: str  # the provider's id
    title: str  # what the provider called it when it was chosen
    due: datetime
    digest: str = ""  # of the busy times as stored
    whole: datetime | None = None  # when everything ahead was last read, and not only the next weeks
    failing: datetime | None = None  # since when it cannot be read
    trouble: str = ""

    @property
    def origin(self) -> str:
        """Where its times come from, among all busy times of the staff member."""
        return f"account:{self.account}:{hashlib.sha256(self.calendar.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to work on one account until `until`. A worker whose fence is no longer the account's cannot commit."""

    company: str
    account: AccountId
    fence: int
    until: datetime
