"""What goes wrong in PostgreSQL, translated. By itself, because its driver takes 8 MiB, which the embedded database does without."""

from __future__ import annotations

import psycopg
from psycopg import errors as pg

from gateway.errors import Conflict, GatewayError, Invalid, Unavailable
from gateway.store.faults import AWAY, BUSY, FAILED, FULL, MIGRATE, TAKEN, UNFIT, Gone

_PATIENT = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable, pg.QueryCanceled, pg.TooManyConnections)
_MISSING = (pg.UndefinedTable, pg.UndefinedColumn)


def translated(error: BaseException) -> GatewayError | None:
    """None: no error of the driver's, or a mistake in our own SQL."""
    match error:
        case psycopg.IntegrityError():
            return Conflict(TAKEN)
        case psycopg.DataError():
            return Invalid(UNFIT)
        case _ if isinstance(error, _PATIENT):
            return Unavailable(BUSY)
        case _ if isinstance(error, _MISSING):
            return Unavailable(MIGRATE)
        case pg.DiskFull():
            return Unavailable(FULL)
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return Gone(AWAY) if isinstance(error, pg.AdminShutdown | pg.CrashShutdown) else Unavailable(AWAY)
        case psycopg.InternalError():
            return Unavailable(FAILED)
        case _:
            return None
