"""A furnished place on each database for every test of the store."""

from __future__ import annotations

import pytest

from gateway.store import Store
from tests.store.estate import estate
from tests.store.house import OTHER, Place, furnish

__all__ = ["estate", "neighbour", "place"]


@pytest.fixture
def place(store: Store) -> Place:
    """The demo company; the neighbour lives in the same store."""
    furnish(store)
    return Place(store)


@pytest.fixture
def neighbour(place: Place) -> Place:
    return Place(place.store, OTHER)
