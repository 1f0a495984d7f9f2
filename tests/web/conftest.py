"""A furnished house for every test of the front door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from tests.web.house import Door, furnish, opened


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    store = Store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    furnish(store)
    try:
        with opened(store) as door:
            yield door
    finally:
        store.close()
