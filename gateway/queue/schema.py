"""The queue's tables: in a PostgreSQL schema of their own, made and brought up to date by `gateway migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from procrastinate.schema import SchemaManager
from psycopg_pool import ConnectionPool, PoolTimeout

from gateway.errors import Misconfigured, Unavailable

SCHEMA = "gateway_queue"

AWAY = "The database of the queue cannot be reached; see that PostgreSQL runs and that database.url is right."
BEHIND = "The queue is not prepared for this version. Run: gateway migrate"
NEWER = "The queue was made by a newer version of the gateway. Install that version."

PATIENCE = 5.0  # seconds until there is a connection

_STEPS = sorted(path.stem for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
"""The steps that the library of this version knows, in order; the newest is what its whole schema amounts to."""

_ALONE = "SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock(1667329128)"
_AT = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s"


def connection(url: str) -> dict[str, Any]:  # Any: what a pool takes
    """`database.url` as the queue's pools want it: with its own schema first, and nothing of ours seen by accident."""
    parts = urlsplit(url.replace("+psycopg", "", 1))
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query["options"] = f"{query.get('options', '')} -c search_path={SCHEMA} -c TimeZone=UTC".strip()
    query.setdefault("application_name", "calendar-gateway-queue")
    query.setdefault("connect_timeout", str(int(PATIENCE)))
    return {"conninfo": urlunsplit(parts._replace(query=urlencode(query).replace("+", "%20")))}


def migrate(url: str) -> None:
    """Make the tables, or take the steps that are missing: all or nothing, one process at a time. Raises Unavailable, Misconfigured."""
    with _opened(url) as pool, pool.connection() as transaction:
        transaction.execute(_ALONE)
        at = _step(transaction)
        if at is None:
            transaction.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            transaction.execute(SchemaManager.get_schema())
        elif at > _STEPS[-1]:
            raise Misconfigured(NEWER)
        for step in _STEPS if at is not None else ():
            if step > str(at):
                transaction.execute((Path(SchemaManager.get_migrations_path()) / f"{step}.sql").read_text(encoding="utf-8"))
        transaction.execute(f"COMMENT ON SCHEMA {SCHEMA} IS '{_STEPS[-1]}'")


def must_be_ready(url: str) -> None:
    """Raises Unavailable when tables are missing or old, Misconfigured when they are too new for this version."""
    with _opened(url) as pool, pool.connection() as transaction:
        at = _step(transaction)
    if at is None or at < _STEPS[-1]:
        raise Unavailable(BEHIND)
    if at > _STEPS[-1]:
        raise Misconfigured(NEWER)


def _step(transaction: Any) -> str | None:  # Any: psycopg belongs to another room
    """The step the tables are at; None: there are none."""
    found = transaction.execute(_AT, [SCHEMA]).fetchone()
    return None if found is None or not found[0] else str(found[0])


@contextmanager
def _opened(url: str) -> Iterator[ConnectionPool[Any]]:
    """A pool of one connection, which exists. Raises Unavailable."""
    with ConnectionPool(**connection(url), min_size=1, max_size=1, num_workers=1, timeout=PATIENCE, open=False) as pool:
        try:
            pool.wait(PATIENCE)
        except PoolTimeout as error:
            raise Unavailable(AWAY) from error
        yield pool
