"""A fresh database for every test that asks for one: `store` and `database` on SQLite and on PostgreSQL, `postgres_url` for processes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from tests.databases import KINDS, Database, Postgres, migrate, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server, one for each worker of the run; started when a test asks for it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database to be copied: schema steps run once, not for every test."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database without any company, of each kind."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "gateway.db")
        yield Database("sqlite", f"sqlite:///{path}")
    else:
        with request.getfixturevalue("postgres").database() as database:
            yield database


@pytest.fixture(params=KINDS)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database nobody has migrated, of each kind; the SQLite file does not exist yet."""
    if request.param == "sqlite":
        yield Database("sqlite", f"sqlite:///{tmp_path}/empty.db")
    else:
        with request.getfixturevalue("postgres").empty_database() as database:
            yield database


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """The store on a migrated database, of each kind."""
    store = Store(database.url)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of a migrated PostgreSQL database, for tests that start whole processes on it."""
    with postgres.database() as database:
        yield database.url
