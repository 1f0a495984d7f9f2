"""Stores for the tests of the post: SQLite for most of them, both databases where transactions and claims are what is tested."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from tests.databases import Database
from tests.post.house import COMPANY
from tests.post.outbox import Outbox
from tests.post.server import Server, listening


@pytest.fixture
def store(migrated_file: Path, tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'gateway.db')}")
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def each_store(database: Database) -> Iterator[Store]:
    """One of each kind."""
    opened = Store(database.url)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def outbox(store: Store) -> Outbox:
    store.found(COMPANY)
    return Outbox(store)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with listening(server) as port:
        yield f"smtp://127.0.0.1:{port}"
