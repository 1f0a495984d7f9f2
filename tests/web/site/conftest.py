"""A front door with people who sign in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.house import Door, built, opened
from tests.web.site.people import BOSS, JOHNS, Visitor, welcome


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with built(tmp_path) as store:
        welcome(store)
        with opened(store) as door:
            yield door


@pytest.fixture
def stranger(door: Door) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(door)


@pytest.fixture
def boss(door: Door) -> Visitor:
    visitor = Visitor(door)
    assert visitor.sign_in(BOSS).status == 303
    return visitor


@pytest.fixture
def john(door: Door) -> Visitor:
    visitor = Visitor(door)
    assert visitor.sign_in(JOHNS).status == 303
    return visitor
