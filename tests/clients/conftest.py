"""A furnished house for every program, and a chair in front of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from tests.dav.house import Client, House, furnish, opened


@pytest.fixture
def house(tmp_path: Path, migrated_file: Path) -> Iterator[House]:
    store = Store(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'gateway.db')}")
    furnish(store)
    with opened(store) as house:
        yield house
    store.close()


@pytest.fixture
def john(house: House) -> Client:
    return house.client()
