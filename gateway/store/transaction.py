"""Writing: the one place where entries, log and cursors change. What its parts can, in one class."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text

from gateway.model import Actor
from gateway.store.attendance import Attending
from gateway.store.audit import Auditing
from gateway.store.codec import micros
from gateway.store.credentials import Granting, Use
from gateway.store.delegation import Delegating
from gateway.store.engine import Connection, Found
from gateway.store.feeds import FeedKeeping
from gateway.store.foreign import Importing
from gateway.store.outbox import Posting
from gateway.store.questions import Asking
from gateway.store.reading import Trace
from gateway.store.registrations import Registering
from gateway.store.saving import Saving
from gateway.store.users import Welcoming

REMEMBERED = timedelta(hours=48)
"""How long answers to POSTs are kept: a day, and one to spare."""

_RECALL = text("SELECT digest, status, body FROM reply WHERE company = :company AND key = :key")
_REMEMBER = text("""
    INSERT INTO reply (company, key, digest, status, body, at) VALUES (:company, :key, :digest, :status, :body, :now)
    ON CONFLICT (company, key) DO NOTHING
""")
_FORGET = text("DELETE FROM reply WHERE company = :company AND at < :before")


class Transaction(Saving, Posting, Granting, FeedKeeping, Delegating, Registering, Welcoming, Auditing, Importing, Attending, Asking):
    """One writer's view of a company; sees its own writes. Everything in it happens or nothing does."""

    def __init__(self, connection: Connection, head: Found, uses: Mapping[Use, Trace], actor: Actor) -> None:
        super().__init__(connection, head, uses)
        self.actor = actor

    def recall(self, key: str) -> tuple[str, int, str] | None:
        """(digest of the request, status, body) of an earlier POST with this Idempotency-Key."""
        row = self._one(_RECALL, key=key)
        return (row.digest, row.status, row.body) if row is not None else None

    def remember(self, key: str, digest: str, status: int, body: str, now: datetime) -> None:
        """For a day at least."""
        self._run(_FORGET, before=micros(now - REMEMBERED))
        self._run(_REMEMBER, key=key, digest=digest, status=status, body=body, now=micros(now))
