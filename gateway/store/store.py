"""Opening the database: snapshots, transactions, and the few questions asked before a company is known."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import text

from gateway.errors import Conflict
from gateway.links import AccountId, Claim, Link, LinkId
from gateway.model import Actor, Company, CompanyId, EntryId, Feed, StaffId
from gateway.store import attendance, credentials, foreign, leases, lock, migration, outbox, pushes, questions, resealing, tallies, users
from gateway.store.codec import instant, maybe_instant, micros, policy_json
from gateway.store.credentials import Marks, Secret, Uses, digest
from gateway.store.engine import Database
from gateway.store.feeds import FEED_BY_TOKEN, feed_from
from gateway.store.reading import HEAD, HEAD_TO_WRITE, company_from
from gateway.store.registrations import READER
from gateway.store.snapshot import Snapshot
from gateway.store.transaction import Transaction
from gateway.store.values import Consent, Delegation, Login, Overview, Push, Question, Settled, Waiting
from gateway.users import Invitation, Session, User

_EPOCH = text("SELECT epoch FROM installation")
_RENEW_EPOCH = text("UPDATE installation SET epoch = :epoch RETURNING epoch")
_COMPANIES = text("SELECT id, slug, name, zone, locale, policy FROM company ORDER BY name, id")
_KNOWN = text("SELECT 1 FROM company WHERE id = :id OR slug = :slug")
_FOUND = text("""
    INSERT INTO company (id, slug, name, zone, locale, policy, revision, view_since)
    VALUES (:id, :slug, :name, :zone, :locale, :policy, 0, 0)
""")
_REVISIONS = text("SELECT id, revision FROM company")
_HANDLE = text("SELECT company, id FROM staff WHERE handle_key = :key AND handle = :handle")
_BEHIND = text("""
    SELECT c.id FROM company c LEFT JOIN reader r ON r.company = c.id AND r.name = :reader
    WHERE c.revision > COALESCE(r.revision, 0) ORDER BY c.id
""")
_LAG = text("""
    SELECT SUM(c.revision - COALESCE(r.revision, 0)) AS lag FROM company c LEFT JOIN reader r ON r.company = c.id AND r.name = :reader
""")
_SQLITE_VERSION = text("SELECT 'SQLite ' || sqlite_version() AS version")
_POSTGRESQL_VERSION = text("SELECT 'PostgreSQL ' || current_setting('server_version') AS version")


class Look:
    """A snapshot, and the `with` in which it is good. Not a generator, which takes longer than half of what is asked within."""

    __slots__ = ("_company", "_connection", "_store")

    def __init__(self, store: Store, company: CompanyId) -> None:
        self._store, self._company = store, company

    def __enter__(self) -> Snapshot:
        store = self._store
        self._connection, head = store._opened().reading(HEAD, {"company": self._company})
        try:
            snapshot = Snapshot(self._connection, head, store._uses.kept)
        except BaseException:
            self._connection.close()
            raise
        snapshot.only, snapshot.viewer = store._only, store._viewer
        return snapshot

    def __exit__(self, *why: object) -> None:
        self._connection.close()


class Store:
    """A database of any number of companies. Thread-safe; one per process. Every method may raise Unavailable or Misconfigured."""

    def __init__(self, url: str, *, echo: bool = False) -> None:
        """`url` as in database.url: sqlite:///path or postgresql+psycopg://… . Opens nothing yet. Raises Misconfigured."""
        self._database = Database(url, echo=echo)
        self._uses = Uses(self._database)
        self._marks = Marks(self._database)
        self._only: tuple[StaffId, str] | None = None
        self._viewer: StaffId | None = None
        self._ready = False

    def migrate(self) -> None:
        """Bring the schema to the newest step; safe to run twice, from several machines at once, and to kill at any moment."""
        migration.migrate(self._database)

    def close(self) -> None:
        """Let go of every connection; what is asked afterwards opens new ones."""
        self._uses.write_down()
        self._database.close()

    def rest(self) -> None:
        """Now and then: memory in which an embedded database keeps what it has read goes back; tens of microseconds."""
        self._database.rest()

    @property
    def embedded(self) -> bool:
        """Whether the database lies in this process: a question takes microseconds then, and there is no server to wait for."""
        return not self._database.postgresql

    @property
    def epoch(self) -> str:
        """Random id of this database's timeline (8 hex digits); a restore replaces it. Travels with every token and ETag."""
        [(epoch,)] = self._opened().ask(_EPOCH)
        return str(epoch)

    def renew_epoch(self) -> str:
        """After a restore: a new epoch, so that no token, ETag or CTag of the lost future is honoured. Answers it."""
        with self._opened().writing(_RENEW_EPOCH, {"epoch": migration.fresh_epoch()}) as (connection, [(epoch,)]):
            connection.commit()
        return str(epoch)

    @property
    def locked(self) -> datetime | None:
        """Since when nothing goes out, neither a letter nor a word to a calendar elsewhere, because a backup was restored; else None."""
        return lock.since(self._opened())

    def unlock(self) -> bool:
        """Let everything go out again; False when it did."""
        return lock.unlock(self._opened())

    def read(self, company: CompanyId) -> Look:
        """One consistent state, for as long as the `with` lasts. Never blocks a writer. Raises Missing, Unavailable."""
        return Look(self, company)

    @contextmanager
    def write(self, company: CompanyId, actor: Actor) -> Iterator[Transaction]:
        """The company's one writer: takes the company's row (PostgreSQL) or the write lock (SQLite) first; commits at a clean exit,
        rolls back on any exception. Raises Missing, Unavailable (waited 5 s), and RuntimeError inside another one on this thread."""
        database = self._opened()
        first = HEAD_TO_WRITE if database.postgresql else HEAD
        with database.writing(first, {"company": company}) as (connection, head):
            tx = Transaction(connection, head, self._uses.kept, actor)
            tx.only, tx.viewer = self._only, self._viewer
            yield tx
            if tx.wrote:
                connection.commit()

    def narrowed(self, login: Login, delegation: Delegation | None = None) -> Store:
        """The same database as far as the login opens it: with a password for one calendar, homes show that one and no other. In a
        home that a delegation opens, calendars look as they do to the delegate."""
        only = (login.staff, login.calendar) if login.staff is not None and login.calendar is not None else None
        if only is None and delegation is None:
            return self
        seen = copy.copy(self)
        seen._only, seen._viewer = only, None if delegation is None else delegation.delegate
        return seen

    def companies(self) -> Sequence[Company]:
        """By name."""
        return [company_from(*row) for row in self._opened().ask(_COMPANIES)]

    def found(self, company: Company) -> None:
        """A new company. Raises Conflict when its id or slug is taken."""
        with self._opened().writing(_KNOWN, {"id": company.id, "slug": company.slug}) as (connection, known):
            if known:
                raise Conflict("There is a company of this name already.")
            connection.execute(
                _FOUND,
                {
                    "id": company.id,
                    "slug": company.slug,
                    "name": company.name,
                    "zone": company.zone,
                    "locale": company.locale,
                    "policy": policy_json(company.policy),
                },
            )
            connection.commit()

    def revisions(self) -> dict[CompanyId, int]:
        """The head revision of every company, in one query: what workers poll."""
        return {CompanyId(company): revision for company, revision in self._opened().ask(_REVISIONS)}

    # credentials: secrets come in clear text, only SHA-256 digests are stored
    def login_by_app_password(self, login: str, password: str, now: datetime, *, client: str = "", network: str = "") -> Login | None:
        """`login` is a staff handle or e-mail address (any case). None when unknown, revoked or inactive; same work in all cases.

        `client` and `network` are noted as where the password was used.
        """
        return credentials.by_app_password(self._opened(), self._uses, login, password, now, client=client, network=network)

    def login_by_address(self, address: str) -> Login | None:
        """For whoever has proved that the e-mail address is his. None when nobody active has it, and when several have it."""
        return credentials.by_address(self._opened(), address)

    def login_by_api_key(self, key: str, now: datetime) -> Login | None:
        """None when unknown or revoked."""
        return credentials.by_api_key(self._opened(), self._uses, key, now)

    def may_fit(self, kind: Secret, secret: str, now: datetime) -> bool:
        """Whether it may be a secret in force, by a list that is a few seconds old: for those who guess too often."""
        self._opened()
        return self._marks.fit(kind, secret, now)

    def feed_by_token(self, token: str) -> tuple[CompanyId, Feed] | None:
        """Also revoked feeds (Feed.revoked is set)."""
        for row in self._opened().ask(FEED_BY_TOKEN, digest=digest(token)):
            return CompanyId(row.company), feed_from(*row[1:])
        return None

    # calendars elsewhere: whose turn it is
    def accounts_due(self, now: datetime, limit: int = 100) -> Sequence[tuple[CompanyId, AccountId]]:
        """Accounts that nobody works on and in which there is something to do, the longest due first; failing ones once an hour."""
        return leases.accounts_due(self._opened(), now, limit)

    def next_account(self, now: datetime) -> datetime | None:
        """When a link is due by the clock, at the earliest."""
        return leases.next_account(self._opened())

    def claim(self, company: CompanyId, account: AccountId, now: datetime, until: datetime) -> Claim | None:
        """The account for oneself until then; None: somebody else holds it."""
        return leases.claim(self._opened(), company, account, now, until)

    def renew(self, claim: Claim, until: datetime) -> bool:
        """Hold it longer; False: it is lost."""
        return leases.renew(self._opened(), claim, until)

    def finish(self, claim: Claim, now: datetime) -> None:
        """Let it go. Nothing happens when it is lost."""
        leases.finish(self._opened(), claim, now)

    def wake(self, company: CompanyId, link: LinkId, now: datetime) -> None:
        """There is news of the link: its account is due, after the turn in hand if there is one."""
        leases.wake(self._opened(), company, link, now)

    def channel(self, id: str, secret: str) -> tuple[CompanyId, Link] | None:
        """The link that a provider's notification is for, if it brings the secret."""
        return leases.channel(self._opened(), id, secret)

    def take_consent(self, state: str, now: datetime) -> Consent | None:
        """Who was sent to a provider with this state; worth nothing afterwards."""
        return leases.take_consent(self._opened(), state, now)

    def links_overview(self) -> Overview:
        """How all links stand."""
        return leases.overview(self._opened())

    def troubled(self, late: datetime) -> Sequence[CompanyId]:
        """Companies in which a calendar elsewhere has stopped, or has not been read since `late`."""
        return tallies.troubled(self._opened(), late)

    def sources_due(self, now: datetime, limit: int = 100) -> Sequence[tuple[CompanyId, StaffId]]:
        """External calendars to be read, the longest due first."""
        return foreign.sources_due(self._opened(), now, limit)

    def next_source(self) -> datetime | None:
        return foreign.next_source(self._opened())

    # people who sign in to the pages: tokens come in clear text, only SHA-256 digests are stored
    def signing_in(self, name: str) -> Sequence[tuple[CompanyId, User, str]]:
        """Whoever has that e-mail address or handle (any case), at most five, each with the hash of the password ("": none)."""
        return users.signing_in(self._opened(), name)

    def session(self, token: str, now: datetime) -> tuple[CompanyId, Session] | None:
        """Who has signed in with this cookie; None when it is over or the user has left."""
        return users.session(self._opened(), token, now)

    def reset(self, token: str, now: datetime) -> tuple[CompanyId, User] | None:
        """Whose password the link sets anew. Using it up is `Transaction.use_reset`."""
        return users.reset(self._opened(), token, now)

    def invitation(self, token: str) -> tuple[CompanyId, Invitation] | None:
        """Whom the link invites, whether it is still good or not."""
        return users.invitation(self._opened(), token)

    def attendance(self, token: str) -> tuple[CompanyId, EntryId] | None:
        """Whose appointment a customer's key opens."""
        return attendance.by_token(self._opened(), token)

    def question(self, token: str) -> tuple[CompanyId, Question] | None:
        """By what its page's address ends with; settled ones too."""
        return questions.by_token(self._opened(), token)

    def find_handle(self, handle: str) -> tuple[CompanyId, StaffId] | None:
        """Whose handle it is, exactly as it is written; also of somebody who has left."""
        for company, staff in self._opened().ask(_HANDLE, handle=handle, key=handle.casefold()):
            return CompanyId(company), StaffId(staff)
        return None

    # the readers of the log: where there is something to do
    def behind(self, reader: str) -> Sequence[CompanyId]:
        """Companies whose log has grown past the reader's cursor."""
        return [CompanyId(company) for (company,) in self._opened().ask(_BEHIND, reader=reader)]

    def lag(self, reader: str) -> int:
        """Changes the reader has not looked at, all companies."""
        if reader == READER:
            return sum(self.behind_for_devices().values())
        [(lag,)] = self._opened().ask(_LAG, reader=reader)
        return int(lag or 0)

    def notices_due(self, now: datetime) -> Sequence[CompanyId]:
        """Companies with a customer to be told by now."""
        return [CompanyId(company) for (company,) in self._opened().ask(outbox.NOTICES_DUE, now=micros(now))]

    def next_notice(self) -> datetime | None:
        """When the next customer is to be told, in any company."""
        [(due,)] = self._opened().ask(outbox.NEXT_NOTICE)
        return maybe_instant(due)

    # the outbox: claimed with a lease, so that any number of senders may work; the oldest letter about an entry goes first, and
    # the next one about the same entry is not claimed before that one is sent or given up
    def claim_letters(self, now: datetime, *, lease: timedelta, limit: int = 20) -> Sequence[Waiting]:
        return outbox.claim(self._opened(), now, lease=lease, limit=limit)

    def letter_sent(self, letter: Waiting, now: datetime) -> bool:
        """Note it; False when the claim was lost (somebody else has it by now)."""
        return outbox.settle_sent(self._opened(), letter, now)

    def letter_failed(self, letter: Waiting, now: datetime, *, again: datetime | None, failure: str) -> bool:
        """Try again then; None: given up. False when the claim was lost."""
        return outbox.settle_failed(self._opened(), letter, now, again, failure)

    def next_letter(self) -> datetime | None:
        """When the next letter may be claimed; None: the outbox is empty."""
        return next((instant(due) for (due,) in self._opened().ask(outbox.NEXT_LETTER)), None)

    def outbox(self) -> tuple[int, datetime | None]:
        """How many letters wait, and since when the oldest does."""
        [(waiting, since)] = self._opened().ask(outbox.OUTBOX)
        return waiting, maybe_instant(since)

    # devices that are told of changes: claimed as letters are, one message for each at a time
    def push_key(self, make: Callable[[], bytes]) -> bytes:
        """The sealed private key by which push services know this installation; what `make` makes, the first time."""
        return pushes.key(self._opened(), make)

    def behind_for_devices(self) -> dict[CompanyId, int]:
        """How many changes have not been looked at, in companies where a device waits to be told of some."""
        return {CompanyId(row.id): row.lag for row in self._opened().ask(pushes.BEHIND, reader=READER)}

    def claim_pushes(self, now: datetime, *, lease: timedelta, limit: int) -> Sequence[Push]:
        return pushes.claim(self._opened(), now, lease=lease, limit=limit)

    def settle_pushes(self, ends: Sequence[Settled], now: datetime, *, rests: datetime) -> None:
        """Note them all; of a claim that was lost nothing is noted. A device that was told rests until then."""
        pushes.settle(self._opened(), ends, now, rests)

    def next_push(self, now: datetime) -> datetime | None:
        """When the next device may be claimed; None: nobody has to be told."""
        return pushes.due(self._opened().ask(pushes.NEXT, now=micros(now)))

    def forget_devices(self, now: datetime, *, limit: int = 500) -> int:
        """Those whose time is over; how many there were, at most `limit`."""
        return pushes.clear(self._opened(), now, limit=limit)

    # what is kept sealed
    def sealed(self) -> int:
        """How many values are kept sealed, in all companies."""
        return resealing.count(self._opened())

    def reseal(self, renewed: Callable[[bytes], bytes | None]) -> Iterator[resealing.Resealed]:
        """Pass every sealed value through `renewed` (None: it stays as it is); answers now and then how far it is. May be repeated."""
        return resealing.reseal(self._opened(), renewed)

    def ping(self) -> str:
        """A short sentence about the database (kind, version, schema step); raises Unavailable."""
        step = migration.must_be_ready(self._database)
        [(version,)] = self._database.ask(_POSTGRESQL_VERSION if self._database.postgresql else _SQLITE_VERSION)
        return f"{version}, schema step {step}"

    def _opened(self) -> Database:
        """The database, once it has been found to be of use."""
        if not self._ready:
            migration.must_be_ready(self._database)
            self._ready = True
        return self._database
