"""A furnished house for every test of the CalDAV side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from tests.dav.house import Client, House, furnish, opened


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    store = Store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    furnish(store)
    try:
        with opened(store) as house:
            yield house
    finally:
        store.close()


@pytest.fixture
def john(house: House) -> Client:
    return house.client()
