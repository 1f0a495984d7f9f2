"""The mark that a restore leaves: until somebody takes it away nothing goes out, neither a letter nor a word to a calendar elsewhere."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from gateway.store.codec import maybe_instant
from gateway.store.engine import Database

UNLOCKED = "NOT EXISTS (SELECT 1 FROM installation WHERE locked IS NOT NULL)"
"""A condition of every question whether there is work for those who speak to the outside: no process has to be told of the mark."""

_LOCKED = text("SELECT locked FROM installation")
_UNLOCK = text("UPDATE installation SET locked = NULL WHERE locked IS NOT NULL")
_BEGIN = text("SELECT 1")


def since(database: Database) -> datetime | None:
    """When a backup was restored that nobody has unlocked; None: everything goes out."""
    return next((maybe_instant(locked) for (locked,) in database.ask(_LOCKED)), None)


def unlock(database: Database) -> bool:
    """Let everything go out again; False when it did."""
    with database.writing(_BEGIN, {}) as (connection, _):
        unlocked = connection.execute(_UNLOCK, {}).rowcount == 1
        connection.commit()
        return unlocked
