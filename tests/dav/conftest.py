"""A furnished house for every test of the CalDAV side."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.store import Store
from tests.dav.house import HERE, NOW, Client, House, event, furnish, opened


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


@pytest.fixture
def calm(house: House, john: Client, capfd: pytest.CaptureFixture[str]) -> Iterator[House]:
    """The house before and after: what was there is there, under the same revision, and nobody saw a traceback."""
    name = house.book(NOW + timedelta(days=2))
    assert john.put(HERE + "mine.ics", event("mine@example.com")).status == 201
    before = house.revision(), john.sync(props="<D:getetag/>").body
    capfd.readouterr()
    yield house
    assert (house.revision(), john.sync(props="<D:getetag/>").body) == before
    assert john.get(HERE + name).status == 200
    assert john.put(HERE + "next.ics", event("next@example.com")).status == 201
    shown = capfd.readouterr()
    assert "Traceback" not in shown.out + shown.err
