"""What goes wrong in a database, translated: whoever asks the store never meets an error of SQLAlchemy or of a driver."""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc
from sqlalchemy.engine import ExceptionContext

from gateway.errors import Conflict, GatewayError, Invalid, Unavailable

MIGRATE = "The database has not been prepared for this version. Run: gateway migrate"
BUSY = "The database is busy; please try again in a moment."
AWAY = "The database cannot be reached; please try again in a moment."
FULL = "The disk of the database is full; nothing was changed."
FAILED = "The database could not do it; nothing was changed."
TAKEN = "This is taken, or refers to something that is not there."
UNFIT = "The text holds characters that cannot be kept."


class Gone(Unavailable):
    """The connection broke; another one may work at once."""


_SQLITE = {  # primary result codes
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened; check database.url and who owns the folder.",
    sqlite3.SQLITE_READONLY: "The database file cannot be written; check who owns it.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged; restore a backup.",
    sqlite3.SQLITE_NOTADB: "The database file is not a database; check database.url.",
    sqlite3.SQLITE_IOERR: FAILED,
    sqlite3.SQLITE_NOMEM: FAILED,
    sqlite3.SQLITE_INTERRUPT: FAILED,
    sqlite3.SQLITE_PROTOCOL: BUSY,
}


def translate(context: ExceptionContext) -> None:
    """Listens to every engine. What stays as it is, is a mistake in our own SQL."""
    error = translated(context.original_exception, gone=context.is_disconnect)
    if error is not None:
        raise error from context.original_exception


def translated(error: BaseException | None, *, gone: bool = False) -> GatewayError | None:
    """The gateway's error for one of a driver's or of the pool's; None when there is none."""
    match error:
        case _ if gone:
            return Gone(AWAY)
        case sqlite3.IntegrityError():
            return Conflict(TAKEN)
        case UnicodeEncodeError():  # lone surrogates: no text that a database keeps
            return Invalid(UNFIT)
        case sqlite3.Error():
            return _of_sqlite(error)
        case Exception() if type(error).__module__.startswith("psycopg"):
            from gateway.store import faults_postgresql  # loaded where the driver is

            return faults_postgresql.translated(error)
        case exc.TimeoutError():
            return Unavailable(BUSY)
        case _:
            return None


def _of_sqlite(error: sqlite3.Error) -> GatewayError | None:
    code = getattr(error, "sqlite_errorcode", None)  # mistakes in using the driver have none
    if code is None:
        return None
    if code == sqlite3.SQLITE_ERROR and "no such" in str(error):
        return Unavailable(MIGRATE)
    sentence = _SQLITE.get(code & 0xFF)
    return None if sentence is None else Unavailable(sentence)
