"""A furnished house for every test of the CalDAV side."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from tests.dav.house import Client, House, furnish, opened


@pytest.fixture
def house(migrated_file: Path, tmp_path: Path) -> Iterator[House]:
    store = Store(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'gateway.db')}")
    furnish(store)
    try:
        with opened(store) as house:
            yield house
    finally:
        store.close()


@pytest.fixture
def john(house: House) -> Client:
    return house.client()
