"""What the store takes and hands out beside the nouns of the trade, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.links import Access, Provider, Standing
from gateway.model import CalendarId, CompanyId, Entry, EntryId, Revision, Span, StaffId


@dataclass(frozen=True, slots=True)
class Held:
    """An entry as it stands: `revision` is the one that last touched it (its ETag), `text` what its owner's clients get."""

    entry: Entry
    revision: Revision
    text: str


@dataclass(slots=True, unsafe_hash=True)
class Row:
    """One object of a listing. `octets`, its text in UTF-8, is None unless asked for. In views `name` is "{entry id}.ics" and the text
    the team text.

    To be treated as frozen; the keyword would make ten thousand of them cost 8 ms instead of 2.
    """

    name: str
    entry: EntryId
    calendar: CalendarId
    revision: Revision
    uid: str
    component: str
    octets: bytes | None
    version: int | None = None  # of an appointment
    unsure: int = 0  # 1: found in a window only because it goes on beyond the index, it may not be there

    @property
    def text(self) -> str | None:
        """What is only passed on need not be read: an answer of many objects takes a third less without this."""
        return None if self.octets is None else self.octets.decode()


@dataclass(frozen=True, kw_only=True, slots=True)
class BusyTimes:
    """When somebody is busy, and when perhaps (`tentative`): merged, in order. `unsure`: entries that have to be read, about which the
    index cannot tell. `instances` is how many were looked at."""

    busy: Sequence[Span]
    tentative: Sequence[Span]
    unsure: frozenset[EntryId]
    instances: int


@dataclass(kw_only=True, slots=True)  # treated as frozen, as rows are
class Collection:
    """What a client sees as one calendar: a calendar, or a read-only view over the appointment calendars of several people.

    `last` = the newest revision of its members, of its own membership or of its looks: CTag and sync-token. `since`: tokens of an
    earlier membership are void (RFC 6578 §3.2). `properties` are the viewer's own dead properties (Clark names → text).
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


@dataclass(frozen=True, kw_only=True, slots=True)
class AppPassword:
    """One device's password, without the password. `last_used` is exact to the minute, and so is by which program and from which
    network ("" when not known). `calendar` is the slug of the one calendar it opens; None: all of its owner's."""

    id: str
    label: str
    created: datetime
    last_used: datetime | None
    revoked: datetime | None
    read_only: bool
    calendar: str | None
    last_client: str
    last_network: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """One program's key, without the key. `last_used` is exact to the minute."""

    id: str
    label: str
    created: datetime
    last_used: datetime | None
    revoked: datetime | None
    read_only: bool


@dataclass(kw_only=True, slots=True)  # treated as frozen, as rows are
class Login:
    """Somebody known: which company, which staff member (None: the whole company, e.g. an API key), and through which credential.

    `calendar`: the slug of the one calendar it is good for; None: everything its owner sees.
    """

    company: CompanyId
    staff: StaffId | None
    handle: str
    credential: str  # id of the app password or key, for logs
    read_only: bool = False
    calendar: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegation:
    """One member of the staff may open all calendars of another one. `handle` is the owner's; `write`: may change them too."""

    owner: StaffId
    handle: str
    delegate: StaffId
    write: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """ "Shall it be cancelled?", or with a `wish` "Shall it be moved there all the same?", asked of a staff member by mail.

    `at` names one occurrence of a series by its original start."""

    id: str
    entry: EntryId
    at: datetime | None
    wish: Span | None
    staff: StaffId
    asked: datetime
    answered: datetime | None
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A finished mail for the outbox. `key` is unique in the company: queueing the same key twice keeps the first.

    `message` is the whole RFC 5322 message with its Message-ID, sealed (see gateway.seal); `recipient` the envelope address.
    """

    key: str
    recipient: str
    message: bytes
    entry: EntryId | None
    kind: str  # "booked", "moved", "cancelled", "refused", …


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A letter claimed for sending. `fence` tells whether the claim still holds; `message` is sealed."""

    company: CompanyId
    id: str
    kind: str
    recipient: str
    message: bytes
    queued: datetime
    attempts: int  # before this one
    fence: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """What became of a letter. `failed` set: given up, `failure` says why."""

    kind: str
    recipient: str
    queued: datetime
    sent: datetime | None
    failed: datetime | None
    attempts: int
    failure: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """A device to be told of changes of a collection: whose, with which app password, at which push service (digest and sealed).

    `contents`, `properties`: of what kind of changes. `topic` is what the collection is called in messages.
    """

    staff: StaffId
    credential: str
    owner: StaffId  # in whose home the collection is
    slug: str
    topic: str
    resource: bytes
    sealed: bytes
    contents: bool
    properties: bool
    expires: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    """One line of the log as far as devices care. `calendar` is "" when a view changed; `entry` False when a calendar itself did;
    `team`: views show what changed. `unheard` as in Actor."""

    revision: Revision
    calendar: CalendarId
    entry: bool
    team: bool
    unheard: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """A device to be told now, claimed. `contents`, `properties`: there may be news of that kind, since the revision `told`."""

    company: CompanyId
    id: str
    staff: StaffId
    owner: StaffId
    slug: str
    topic: str
    sealed: bytes
    contents: bool
    properties: bool
    told: Revision
    attempts: int  # before this one
    failing: datetime | None  # since when
    refused: int  # times in a row
    fence: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What became of a push. `upto` is the revision that the device knows everything up to by now, or is not told of any more;
    None: it is tried again at `again` (`failed`: because it went wrong), or, without that, the device is forgotten."""

    push: Push
    upto: Revision | None = None
    refused: bool = False
    again: datetime | None = None
    failed: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """Who was sent to which provider: `sealed` is the verifier of the code, `back` where the browser goes on afterwards."""

    company: CompanyId
    staff: StaffId
    provider: Provider
    sealed: bytes
    primary: bool
    back: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """How the links of the whole installation stand. `pulled`: of the live link that was not read for the longest time; `unsent`: when
    the oldest change was written that is not over there yet; `due`: since when somebody waits for a look, at the earliest."""

    pulled: datetime | None
    unsent: datetime | None
    due: datetime | None
    dead: int
    links: Mapping[Standing, int]
    accounts: Mapping[Access, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What waits in one link. `waiting`: changes that are not over there yet, the oldest of them made at `unsent`; `dead`: events the
    provider refuses for good; `undecided`: those that wait for a person, or that cannot be found."""

    waiting: int = 0
    unsent: datetime | None = None
    dead: int = 0
    undecided: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Attendance:
    """One customer's hold on one appointment. `sealed` is the key; `partstat` is "" (not asked yet), "ACCEPTED" or "DECLINED"
    (RFC 5545 §3.2.12), given to the appointment in that `version`."""

    sealed: bytes
    partstat: str
    version: int
    answered: datetime | None
