"""One database for each test, carried in each of the three ways."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from gateway import queue
from gateway.store import Store
from tests.bridge.runner.house import Rig, furnished
from tests.databases import Database, Postgres

EMPTY = "SET search_path = gateway_queue; DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers"
WAYS = ("threads on sqlite", "threads on postgresql", "procrastinate on postgresql")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(way: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    carried, _, kind = way.partition(" on ")
    if kind == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "gateway.db")
        with closing(Store(f"sqlite:///{path}")) as store:
            yield furnished(carried, f"sqlite:///{path}", store)
    else:
        with queueing(request.getfixturevalue("postgres"), carried == "procrastinate") as database, closing(Store(database.url)) as store:
            yield furnished(carried, database.url, store)


@contextmanager
def queueing(postgres: Postgres, queued: bool = True) -> Iterator[Database]:
    """A migrated database, with the empty tables of the queue or without any."""
    with postgres.database() as database:
        if queued:
            queue.migrate(database.url)  # which does nothing when another test has had the database
        else:
            _asked(database, "DROP SCHEMA IF EXISTS gateway_queue CASCADE")
        yield database
        _asked(database, EMPTY if queued else "DROP SCHEMA IF EXISTS gateway_queue CASCADE")


def _asked(database: Database, statements: str) -> None:
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statements)
