"""Connections: two pools on one database, one that only reads and one that writes, and how each begins its work."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, TextClause, create_engine, event, exc
from sqlalchemy.engine import URL, make_url

from gateway.errors import Misconfigured, Unavailable
from gateway.store.connection import Connection, Forms, Pool
from gateway.store.faults import BUSY, Gone, translate
from gateway.store.statements import Found, Given, Line

__all__ = ["PATIENCE", "Connection", "Database", "Found", "Line"]

PATIENCE = 5.0
"""Seconds that a writer waits for another one, and anybody for a connection."""


class Database:
    """Both pools. Thread-safe; opens nothing before it is asked. Readers see one state and block nobody; see `reading`, `writing`."""

    def __init__(self, url: str, *, echo: bool = False) -> None:
        """Raises Misconfigured for an address that is none, or of a kind that is not known."""
        try:
            self.url = make_url(url)
        except exc.ArgumentError as error:
            raise Misconfigured("database.url begins with sqlite:/// or postgresql+psycopg://") from error
        self.postgresql = self.url.drivername == "postgresql+psycopg"
        if not self.postgresql and (self.url.get_backend_name() != "sqlite" or not self.url.database):
            raise Misconfigured("database.url begins with sqlite:/// or postgresql+psycopg://")
        make = _postgresql if self.postgresql else _sqlite
        self._readers, self._writers = make(self.url, echo, writing=False), make(self.url, echo, writing=True)
        for engine in (self._readers, self._writers):
            event.listen(engine, "handle_error", translate)
        forms = Forms(postgresql=self.postgresql)
        self._reading, self._writing = Pool(self._readers, forms), Pool(self._writers, forms)
        self._turn = threading.Lock()
        self._thread = threading.local()

    @property
    def file(self) -> Path | None:
        """Where the embedded database is; None on PostgreSQL."""
        return None if self.postgresql else Path(self.url.database or "")

    def close(self) -> None:
        self._reading.close()
        self._writing.close()

    def rest(self) -> None:
        """Give back memory that makes the next questions only a little quicker."""
        if not self.postgresql:
            self._reading.rest()
            self._writing.rest()

    def ask(self, statement: TextClause, **given: Any) -> Found:
        """The answer to one question: one statement, which needs no transaction around it."""
        try:
            return self._asked(statement, given)
        except Gone:
            return self._asked(statement, given)

    def reading(self, statement: TextClause, given: Given) -> tuple[Connection, Found]:
        """One consistent state, which begins with the answer to a first question and ends when the connection is closed."""
        return self._begun(self._reading, "BEGIN", statement, given)

    @contextmanager
    def writing(self, statement: TextClause, given: Given, *, patience: float = PATIENCE) -> Iterator[tuple[Connection, Found]]:
        """A transaction, which begins with a first statement; it is undone unless the caller commits. Waits `patience` seconds for
        other writers (on PostgreSQL the statement decides who they are). Raises RuntimeError inside another one on the same thread,
        which would wait for itself."""
        with self._alone_on_thread(), self._turn_taken(patience) as left:
            connection, found = self._begun(self._writing, "BEGIN IMMEDIATE", statement, given, left)
            try:
                yield connection, found
            finally:
                connection.close()

    @contextmanager
    def altering(self, statement: TextClause, *, patience: float) -> Iterator[sqlalchemy.Connection]:
        """The same for the steps of the schema, on a connection as their library knows it."""
        with self._alone_on_thread(), self._turn_taken(patience) as left, self._writers.connect() as connection:
            if left is not None:
                connection.connection.driver_connection.execute(f"PRAGMA busy_timeout = {int(left * 1000)}")  # type: ignore[union-attr]
                connection.info.clear()  # what `Connection.wait` remembers of it
            connection.execute(statement)
            yield connection

    @property
    def in_writing(self) -> bool:
        """Whether this thread has a transaction open."""
        return getattr(self._thread, "writing", False)

    @contextmanager
    def _alone_on_thread(self) -> Iterator[None]:
        if self.in_writing:
            raise RuntimeError("this thread has a transaction open already")
        self._thread.writing = True
        try:
            yield
        finally:
            self._thread.writing = False

    @contextmanager
    def _turn_taken(self, patience: float) -> Iterator[float | None]:
        """SQLite knows one writer at a time. Threads queue here, which is fairer and quicker than its own polling; what is left of
        the patience is for other processes. PostgreSQL queues by itself."""
        if self.postgresql:
            yield None
            return
        end = time.monotonic() + patience
        if not self._turn.acquire(timeout=patience):
            raise Unavailable(BUSY)
        try:
            yield max(0.0, end - time.monotonic())
        finally:
            self._turn.release()

    def _asked(self, statement: TextClause, given: Given) -> Found:
        connection = self._reading.take()
        try:
            if self.postgresql:
                connection.alone(True)
            return connection.rows(statement, given)
        finally:
            connection.close()

    def _begun(
        self, pool: Pool, begin: str, statement: TextClause, given: Given, patience: float | None = None
    ) -> tuple[Connection, Found]:
        """A connection that has begun. One that the server has dropped meanwhile is found out here, and another one is tried once."""
        try:
            return self._tried(pool, begin, statement, given, patience)
        except Gone:
            return self._tried(pool, begin, statement, given, patience)

    def _tried(self, pool: Pool, begin: str, statement: TextClause, given: Given, patience: float | None) -> tuple[Connection, Found]:
        connection = pool.take()
        try:
            if patience is not None:
                connection.wait(patience)
            if self.postgresql:
                connection.alone(False)
            else:
                connection.tell(begin)
            return connection, connection.rows(statement, given)
        except BaseException:
            connection.close()
            raise


def _sqlite(url: URL, echo: bool, *, writing: bool) -> Engine:
    engine = create_engine(
        url,
        echo=echo,
        pool_size=1 if writing else 8,
        max_overflow=1 if writing else 56,
        pool_timeout=PATIENCE,
        pool_use_lifo=True,
        connect_args={"timeout": PATIENCE, "cached_statements": 256},
    )

    def connected(driver: sqlite3.Connection, _: object) -> None:
        """Transactions begin where we say so (the driver would begin them late); a commit returns when its data is on the disk."""
        driver.isolation_level = None
        _write_ahead(driver)
        for pragma in (
            "foreign_keys = ON",
            "synchronous = FULL",
            "cache_size = -1000",
            "journal_size_limit = 67108864",
            "wal_autocheckpoint = 4000",
            f"query_only = {int(not writing)}",
        ):
            driver.execute(f"PRAGMA {pragma}")

    begin = "BEGIN IMMEDIATE" if writing else "BEGIN"
    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _write_ahead(driver: sqlite3.Connection) -> None:
    """WAL mode, in which readers and the writer do not meet. It stays with the file; SQLite does not wait for its turn to set it."""
    end = time.monotonic() + PATIENCE
    while driver.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            if driver.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise Misconfigured("The database file lies where SQLite cannot work safely. Put it on a local disk.")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _postgresql(url: URL, echo: bool, *, writing: bool) -> Engine:
    """A writer sees what was committed before it took the company's row; a reader sees one state from its first question on. Nothing we
    ask takes so long that compiling it first would pay (`jit`)."""
    settings = {"TimeZone": "UTC", "jit": "off", "lock_timeout": f"{int(PATIENCE * 1000)}", "idle_in_transaction_session_timeout": "60000"}
    if not writing:
        settings |= {"default_transaction_isolation": "repeatable\\ read", "default_transaction_read_only": "on"}
    options = [str(url.query.get("options", "")), *(f"-c {name}={value}" for name, value in settings.items())]
    return create_engine(
        url,
        echo=echo,
        pool_size=8,
        max_overflow=16,
        pool_timeout=PATIENCE,
        pool_use_lifo=True,
        connect_args={"connect_timeout": int(PATIENCE), "options": " ".join(filter(None, options)), "application_name": "calendar-gateway"},
    )
