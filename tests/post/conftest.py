"""Stores for the tests of the post: SQLite for most of them, both databases where transactions and claims are what is tested."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from tests.databases import Database


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
