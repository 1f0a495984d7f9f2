"""What the mirror asks of a provider, whichever it is: a calendar to list and write, an account to connect, errors with a next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from gateway.links import Cursor, Key, Owned, Provider
from gateway.model import Span


class RemoteError(Exception):
    """The root; `str(error)` is one sentence for the staff member, without secrets and customers' names."""


class Throttled(RemoteError):
    """Too many requests; nothing of the account may be asked before `wait` is over."""

    def __init__(self, sentence: str, *, wait: timedelta) -> None:
        super().__init__(sentence)
        self.wait = wait


class Unreachable(RemoteError):
    """No answer, half an answer, or 5xx: whether it was done is unknown. Retried with back-off, after looking whether it was done."""


class CursorExpired(RemoteError):
    """The cursor is worth nothing any more: list everything."""


class Disconnected(RemoteError):
    """The provider no longer accepts the credential: the person has to sign in again; `admin`: their administrator has to consent."""

    def __init__(self, sentence: str, *, admin: bool = False) -> None:
        super().__init__(sentence)
        self.admin = admin


class Clash(RemoteError):
    """The event has changed there since its etag was known (412): fetch it and merge again."""


class Gone(RemoteError):
    """The event does not exist there any more (404, 410)."""


class Exists(RemoteError):
    """An event with this id or transaction exists already (409): fetch it and adopt it, if it is ours."""


class Rejected(RemoteError):
    """The provider refuses this item for good (400, 403 for one item); others go on. The sentence is the provider's."""


class CalendarGone(RemoteError):
    """The calendar itself does not exist any more, or may not be written; the account is sound."""


class Guarded(RemoteError):
    """The adapter's own guard refused to send: a foreign event, or attendees on it. A defect or a race, never retried blindly."""


class Inexpressible(RemoteError):
    """The provider cannot express this (a rule, or an occurrence moved past its neighbour): mirror it as an event of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One event as it stands over there.

    `ours` is the key its marker names when the marker is this link's; markers can be copied by people, so it proves nothing without the
    id. `owned` None: it is cancelled or deleted. `master` and `at` (original start) are set on an occurrence that differs from its
    series. `busy` tells whether it blocks time (free, working location and birthday do not).
    `certain` False: it may only have left the window (Graph's `@removed`): `Remote.get` before it is believed.
    """

    id: str
    etag: str
    ours: Key | None = None
    owned: Owned | None = None
    master: str = ""
    at: datetime | None = None
    busy: bool = True
    attendees: bool = False
    certain: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What an adapter needs in order to write to an event of ours: its id, the etag our base was read with, and its key."""

    id: str
    etag: str
    key: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A part of a listing. `cursor` only with the last page; `full`: the listing is complete, what is not in it does not exist."""

    seen: tuple[Seen, ...]
    cursor: Cursor | None = None
    full: bool = False


class Remote(Protocol):
    """One calendar of one account, for one link. Not thread-safe; made anew for each turn. Every method may raise any RemoteError.

    Writes are sent exactly once per call: nothing below retries. No method ever sends attendees, and none writes to an event whose
    key does not belong to this link, or to which somebody has invited guests (Guarded): each event is looked at before it is written to.
    """

    def pull(self, cursor: Cursor | None, window: Span, now: datetime) -> Iterator[Page]:
        """What has changed since the cursor, or (None) everything that reaches into the window; pages in the provider's order.

        Occurrences that follow their series are not listed; those that differ, and cancelled ones, are items of their own. Raises
        CursorExpired (also when fingerprint or window of the cursor no longer fit).
        """

    def get(self, id: str) -> Seen | None:
        """The event as it stands; None: it does not exist any more. A deleted one that the provider still shows has `owned` None."""

    def find(self, key: Key) -> Seen | None:
        """Our event with this key, by what the provider can be asked (derived id, marker): after a call whose outcome is unknown."""

    def occurrence(self, master: str, at: datetime) -> Seen | None:
        """The occurrence of a series that originally starts `at`; None: it cannot be found (which does not mean that it is deleted)."""

    def create(self, key: Key, owned: Owned) -> Seen:
        """A new event, under an id or transaction derived from the key. Raises Exists, Inexpressible."""

    def update(self, known: Known, owned: Owned) -> Seen:
        """Write every owned field, if it still has this etag. An occurrence is updated by its own id. Raises Clash, Gone, Inexpressible."""

    def delete(self, known: Known) -> None:
        """Delete the event, or cancel the occurrence with this id, if it still has this etag. Raises Clash, Gone."""

    def watch(self, address: str, secret: str, now: datetime) -> Watching | None:
        """Ask to be told of changes at this https address; None when the provider cannot."""

    def renew(self, id: str, resource: str, now: datetime) -> Watching | None:
        """Be told for longer in the same way; None: it has ended, or nothing can be prolonged here, and another one takes its place."""

    def unwatch(self, id: str, resource: str) -> None:
        """No longer be told. Idempotent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watching:
    id: str
    resource: str
    expires: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What came of a consent. `credential` is for the store to seal; `missing` names what the person unticked, as words for a sentence."""

    login: str
    subject: str
    scopes: tuple[str, ...]
    credential: bytes
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """A calendar of the account that could be chosen."""

    id: str
    title: str
    primary: bool
    writable: bool


class Vault(Protocol):
    """Where an account's credential lives while a turn goes on. `keep` is called before anything is done with a rotated one."""

    def read(self) -> bytes: ...

    def keep(self, credential: bytes) -> None: ...


class House(Protocol):
    """A provider: connects accounts and opens their calendars. Thread-safe."""

    provider: Provider

    def consent(self, *, state: str, verifier: str, redirect: str, login: str = "", primary: bool = False, others: bool = False) -> str:
        """The address the person's browser is sent to (code flow with PKCE S256). `primary`: ask for more than a calendar of our own;
        `others`: ask which calendars there are, so that they may block."""

    def redeem(self, *, code: str, verifier: str, redirect: str, now: datetime) -> Grant:
        """What the code is worth. Raises Disconnected with a sentence that says what to do (wrong kind of account, nothing granted …)."""

    def calendars(self, vault: Vault, now: datetime) -> Sequence[Elsewhere]:
        """Those that the granted scopes let us see."""

    def make_calendar(self, vault: Vault, title: str, zone: str, now: datetime) -> Elsewhere:
        """A calendar of our own in the account."""

    def busy(self, vault: Vault, calendars: Sequence[str], window: Span, now: datetime) -> Sequence[Span]:
        """When other calendars of the account are busy; times only. Raises CalendarGone for one that does not exist any more, or may not be
        looked at."""

    def open(self, vault: Vault, *, link: str, calendar: str, mark: str, zone: str, calls: Callable[[str], None]) -> Remote:
        """The calendar, for one turn. `mark` names this installation and company in markers; `calls` is told the kind of each request."""

    def revoke(self, vault: Vault) -> None:
        """Give the access back, as far as the provider lets us. Never raises for an access that is dead already."""


@runtime_checkable
class Organised(Protocol):
    """A house that opens the mailboxes of a whole organisation when its administrator has agreed, without each person's own consent."""

    def admin_consent(self, *, state: str, redirect: str, tenant: str = "") -> str:
        """The address for the administrator's browser; `tenant` in what it comes back with is the organisation's id."""

    def enter(self, tenant: str, login: str, now: datetime) -> Grant:
        """One mailbox of it. Raises Disconnected with a sentence that says what is missing."""


Houses = Mapping[Provider, House]
