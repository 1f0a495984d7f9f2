"""What the fake Google remembers: accounts, calendars, events as rows, consents, channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.fakes.series import Recurrence
from gateway.fakes.times import Times
from gateway.fakes.wire import Json
from gateway.fakes.world import Knobs, World
from gateway.model import Span

REFRESH_IDLE = timedelta(days=182)
TESTING = timedelta(days=7)
LIVE_TOKENS = 100  # per account and client; the oldest is dropped silently


@dataclass(kw_only=True)
class GoogleKnobs(Knobs):
    untick: list[str] = field(default_factory=list)  # scopes the person does not grant, with or without the https://… before them
    testing: bool = False  # the consent screen is "in testing": refresh tokens die after seven days
    quota_reason: str = "rateLimitExceeded"  # or userRateLimitExceeded, quotaExceeded
    quota_status: int = 403  # or 429
    linger: bool = True  # a stopped channel delivers one more message


@dataclass(kw_only=True)
class Row:
    """One event as Google keeps it: a single one, the head of a series, or an exception of one."""

    id: str
    uid: str
    body: Json  # what was written and is given back as it is; times, recurrence and status are not in it
    times: Times
    lines: tuple[str, ...] = ()
    recurrence: Recurrence | None = None
    master: str = ""  # the series this is an exception of
    original: datetime | None = None  # where in the series, as Times keep it
    cancelled: bool = False
    seq: int = 0  # when it last changed, in the order of changes
    version: int = 0  # for the etag; also moves when only reminders do
    sequence: int = 0
    created: datetime
    updated: datetime
    by: str = ""  # the client that wrote it; empty: the person
    organizer: str = ""  # somebody else, for an invitation
    spans: list[Span] = field(default_factory=list)  # every time it ever took

    @property
    def series(self) -> bool:
        return self.recurrence is not None


@dataclass(kw_only=True)
class Calendar:
    id: str
    owner: str
    summary: str
    zone: str
    description: str = ""
    by: str = ""  # the client that created it; empty: the person
    rows: dict[str, Row] = field(default_factory=dict)
    seq: int = 0  # when its own properties last changed
    deleted: bool = False
    updated: datetime

    @property
    def primary(self) -> bool:
        return self.id == self.owner

    def exceptions(self, master: str) -> list[Row]:
        return [row for row in self.rows.values() if row.master == master]


@dataclass(kw_only=True)
class Account:
    login: str
    name: str
    sub: str
    epoch: int = 0  # cursors of an older one are expired


@dataclass(kw_only=True, eq=False)
class Grant:
    """One consent: what a refresh token stands for. Google's do not rotate."""

    login: str
    client: str
    scopes: tuple[str, ...]
    refresh: str = ""
    created: datetime
    used: datetime
    testing: bool = False
    ended: bool = False

    def dead(self, now: datetime) -> bool:
        return now - self.used > REFRESH_IDLE or (self.testing and now - self.created >= TESTING)


@dataclass(kw_only=True)
class Access:
    """What an access token stands for."""

    grant: Grant
    until: datetime


@dataclass(kw_only=True)
class Channel:
    id: str
    resource: str
    uri: str
    calendar: str
    address: str
    token: str
    until: datetime
    number: int = 1
    stopped: bool = False


@dataclass(kw_only=True)
class GoogleWorld(World):
    client_id: str
    client_secret: str
    knobs: GoogleKnobs = field(default_factory=GoogleKnobs)
    accounts: dict[str, Account] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    codes: dict[str, Json] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    access: dict[str, Access] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)

    def calendars_of(self, login: str) -> list[Calendar]:
        return [each for each in self.calendars.values() if each.owner == login]
