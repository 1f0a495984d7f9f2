"""Opening the database: engines, snapshots, transactions, and the few questions asked before a company is known.

SKELETON — signatures other rooms may rely on; being written.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from gateway.model import Actor, Company, CompanyId, Feed, StaffId
from gateway.store.snapshot import Snapshot
from gateway.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """Somebody known: which company, which staff member (None: the whole company, e.g. an API key), and through which credential."""

    company: CompanyId
    staff: StaffId | None
    handle: str
    credential: str  # id of the app password or key, for logs
    read_only: bool = False


class Store:
    """A database of any number of companies. Thread-safe; one per process."""

    def __init__(self, url: str, *, echo: bool = False) -> None:
        """`url` as in database.url: sqlite:///path or postgresql+psycopg://… . Opens nothing yet."""
        raise NotImplementedError

    def migrate(self) -> None:
        """Bring the schema to the newest step; safe to run twice and from several machines at once."""

    def close(self) -> None: ...

    @property
    def epoch(self) -> str:
        """Random id of this database's timeline (8 hex digits); a restore replaces it. Travels with every token and ETag."""
        raise NotImplementedError

    def read(self, company: CompanyId) -> AbstractContextManager[Snapshot]:
        """One consistent state. Never blocks a writer. Raises Missing, Unavailable."""
        raise NotImplementedError

    def write(self, company: CompanyId, actor: Actor) -> AbstractContextManager[Transaction]:
        """The company's one writer: takes the company's row (PostgreSQL) or the write lock (SQLite) first; commits at a clean
        exit, rolls back on any exception. Raises Missing, Unavailable (waited 5 s)."""
        raise NotImplementedError

    def companies(self) -> Sequence[Company]: ...  # type: ignore[empty-body]
    def found(self, company: Company) -> None:
        """A new company."""

    def revisions(self) -> dict[CompanyId, int]:
        """The head revision of every company, in one query: what workers poll."""
        raise NotImplementedError

    # credentials: secrets come in clear text, only SHA-256 digests are stored
    def login_by_app_password(self, login: str, password: str, now: datetime) -> Login | None:
        """`login` is a staff handle or e-mail address (any case). None when unknown, revoked or inactive; same work in all cases."""
        raise NotImplementedError

    def login_by_api_key(self, key: str, now: datetime) -> Login | None: ...
    def feed_by_token(self, token: str) -> tuple[CompanyId, Feed] | None:
        """Also revoked feeds (Feed.revoked is set)."""

    def find_handle(self, handle: str) -> tuple[CompanyId, StaffId] | None: ...
    def ping(self) -> str:
        """A short sentence about the database (kind, version, schema step); raises Unavailable."""
        raise NotImplementedError
