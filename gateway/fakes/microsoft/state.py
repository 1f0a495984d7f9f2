"""What the fake Microsoft remembers: mailboxes, calendars, events as rows, consents, subscriptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from gateway.fakes.series import Recurrence
from gateway.fakes.times import Times
from gateway.fakes.wire import Json
from gateway.fakes.world import Knobs, World

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal accounts: a public constant of the platform."""

REFRESH_IDLE = timedelta(days=90)


@dataclass(kw_only=True)
class MicrosoftKnobs(Knobs):
    admin_required: bool = False  # the tenant lets only administrators consent
    app_only: bool = True  # an administrator has granted Calendars.ReadWrite to the application itself
    app_mailboxes: list[str] = field(default_factory=list)  # those it may enter (RBAC for Applications); none named: all
    refresh_grace: bool = False  # a refresh token that was used once is taken once more
    calendar_delta: bool = True  # delta works on calendars other than the primary one
    occurrence_news: bool = True  # delta brings the series master again when an occurrence is cancelled; else it says nothing at all
    expiry: str = "gone"  # how a dead delta token is answered: gone (410 with Location), or a code like syncStateNotFound (400)
    replay: int = 0  # delta repeats so many changes that were told already, and one item within the round
    lag_seconds: int = 0  # delta tells of a change only when it is so old
    transaction_seconds: int = 0  # how long transaction ids are remembered; 0: for ever
    recoverable: bool = False  # a deleted event is still shown to those who ask for it by its immutable id
    concurrency: int = 4  # requests at the same time for one token; 0: no limit
    longest_subscription: int = 4230  # minutes


@dataclass(kw_only=True)
class Row:
    """One event as Exchange keeps it: a single one, a series master, or an exception of one."""

    id: str  # the immutable one
    rest: str  # the one that changes when the event is moved to another calendar
    calendar: str
    uid: str
    body: Json  # properties as they are shown, without times and recurrence
    times: Times
    zones: tuple[str, str]  # Windows' names of the zones it was written in
    pattern: Json | None = None
    recurrence: Recurrence | None = None
    master: str = ""
    original: datetime | None = None
    cancelled: set[datetime] = field(default_factory=set)  # of a master: the original starts of cancelled occurrences
    extended: dict[str, str] = field(default_factory=dict)
    transaction: str | None = None
    change_key: str = ""
    seq: int = 0
    created: datetime
    modified: datetime
    by: str = ""  # the client that wrote it; empty: the person
    organizer: str = ""  # somebody else, for an invitation
    kept: bool = True  # False: an occurrence that only the rules make

    @property
    def series(self) -> bool:
        return self.recurrence is not None

    @property
    def type(self) -> Literal["singleInstance", "seriesMaster", "occurrence", "exception"]:
        if self.series:
            return "seriesMaster"
        if not self.master:
            return "singleInstance"
        return "exception" if self.kept else "occurrence"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """An id that has ceased to mean anything in its calendar."""

    id: str
    rest: str
    calendar: str
    seq: int


@dataclass(kw_only=True)
class Folder:
    """A calendar. Containers have no immutable ids."""

    id: str
    name: str
    default: bool = False
    change_key: str


@dataclass(kw_only=True)
class Mailbox:
    """A person with an account, and what lies in the mailbox."""

    login: str
    oid: str
    name: str
    tenant: str
    folders: dict[str, Folder] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)  # by immutable id
    gone: dict[str, Gone] = field(default_factory=dict)
    bin: dict[str, Row] = field(default_factory=dict)  # deleted events, by immutable id, while they can be recovered
    transactions: dict[str, tuple[str, str, datetime]] = field(default_factory=dict)  # id: event, print of the body, when
    history: list[tuple[int, datetime]] = field(default_factory=list)
    epoch: int = 0

    @property
    def personal(self) -> bool:
        return self.tenant == CONSUMERS

    @property
    def primary(self) -> Folder:
        return next(folder for folder in self.folders.values() if folder.default)

    def exceptions(self, master: str) -> list[Row]:
        return [row for row in self.rows.values() if row.master == master]


@dataclass(kw_only=True, eq=False)
class Grant:
    """One person's consent. The refresh token is replaced whenever it is used."""

    login: str
    client: str
    scopes: tuple[str, ...]
    refresh: str = ""
    previous: str = ""  # the token before, while it is still taken
    used: datetime
    ended: bool = False


@dataclass(kw_only=True)
class Access:
    """What an access token stands for: a person's consent, or the application itself in a tenant."""

    grant: Grant | None
    client: str
    tenant: str
    scopes: tuple[str, ...]
    until: datetime


@dataclass(kw_only=True)
class Subscription:
    id: str
    mailbox: str  # login
    folder: str
    client: str
    creator: str
    wish: Json  # what was asked for, as it is shown
    until: datetime
    immutable: bool
    paused: bool = False  # waits for reauthorization


@dataclass(kw_only=True)
class MicrosoftWorld(World):
    client_id: str
    client_secret: str
    tenant: str
    knobs: MicrosoftKnobs = field(default_factory=MicrosoftKnobs)
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    codes: dict[str, Json] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)  # refresh tokens that were revoked, so that the error can say so
    access: dict[str, Access] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def mark(self, mailbox: Mailbox) -> int:
        """The next position in the mailbox's order of changes."""
        mailbox.history.append((self.step(), self.now))
        return self.tick

    def change_key(self) -> str:
        return self.chance.text(22) + "AAA" + self.chance.text(6) + "=="
