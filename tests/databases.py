"""Real databases for the tests: SQLite files, and databases on a PostgreSQL server of this process."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from gateway.store import Store
from tests.postgres import served

KINDS = ("sqlite", "postgresql")
MIGRATED = "migrated"  # the database every test's own is copied from
OF_MIGRATION = ("installation", "schema_step")
OTHERS_OUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
SMALL = 256 * 1024  # octets; up to here deleting rows is quicker than a new file for the table and one for each index
FILLED = """
    SELECT c.relname, pg_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0 AND NOT c.relname = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of a test's own. `kind` is one of KINDS; `url` as in the setting database.url."""

    kind: str
    url: str

    def ask(self, statement: str, *, commit: bool = False) -> Sequence[Sequence[Any]]:
        """Rows of plain SQL, past the store: for looking at what is really kept, and for meddling with it."""
        with closing(self.connect()) as connection:
            cursor = connection.execute(statement)
            rows: Sequence[Sequence[Any]] = cursor.fetchall() if cursor.description else []
            if commit:
                connection.commit()
            return rows

    def connect(self) -> Any:  # sqlite3.Connection or psycopg.Connection: both execute, commit and close
        if self.kind == "sqlite":
            return sqlite3.connect(self.path, timeout=0)
        return psycopg.connect(self.url.replace("+psycopg", ""))

    @property
    def path(self) -> Path:
        """Of the SQLite file."""
        return Path(str(make_url(self.url).database))

    def tables(self) -> list[str]:
        if self.kind == "sqlite":
            return [name for (name,) in self.ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return [name for (name,) in self.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]

    def dump(self) -> bytes:
        """Everything kept, in whatever order: every row of every table, and the files of SQLite as they lie on the disk."""
        parts = [repr([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row]) for row in self._rows()]
        files = self.path.parent.glob(f"{self.path.name}*") if self.kind == "sqlite" else ()
        return "\n".join(parts).encode() + b"".join(file.read_bytes() for file in files)

    def _rows(self) -> Iterator[Sequence[Any]]:
        for table in self.tables():
            yield from self.ask(f'SELECT * FROM "{table}"')


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server, reached by a socket in its folder.

    A database that a test has left is emptied and lent again: copying the migrated one takes 300 ms, emptying it 20.
    """

    folder: Path
    spare: list[str] = field(default_factory=list)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A migrated database for one's own use, with nothing in it."""
        name = self.spare.pop() if self.spare else self._create(MIGRATED)
        yield Database("postgresql", self.url(name))
        self._empty(name)  # not after a failure of the server: then nothing is lent again
        self.spare.append(name)

    @contextmanager
    def empty_database(self) -> Iterator[Database]:
        """A database nobody has migrated; gone afterwards, whoever is still connected."""
        name = self._create("template0")
        try:
            yield Database("postgresql", self.url(name))
        finally:
            with self._connected() as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def migrate(self) -> None:
        """Make the database that every other one is copied from."""
        with self._connected() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(MIGRATED)))
        migrate(self.url(MIGRATED))

    def _create(self, template: str) -> str:
        name = f"test_{secrets.token_hex(8)}"
        with self._connected() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
        return name

    def _empty(self, database: str) -> None:
        """Throws out everybody who is still connected and every row but those of the migration, past the guards of the log."""
        with self._connected(database) as connection:
            connection.execute(OTHERS_OUT)
            connection.execute("SET session_replication_role = replica")  # in which triggers rest
            for name, size in connection.execute(FILLED, [list(OF_MIGRATION)]).fetchall():
                way = "DELETE FROM {}" if size < SMALL else "TRUNCATE {} CASCADE"
                connection.execute(sql.SQL(way).format(sql.Identifier(name)))

    def _connected(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(f"postgresql://postgres@/{database}?host={self.folder}", autocommit=True)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server of this process, with the migrated database in it."""
    with served() as folder:
        postgres = Postgres(folder)
        postgres.migrate()
        yield postgres


def migrate(url: str) -> None:
    store = Store(url)
    try:
        store.migrate()
    finally:
        store.close()
