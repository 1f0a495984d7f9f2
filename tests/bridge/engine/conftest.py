"""A world for each test of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.world import World, google


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with google(tmp_path) as made:
        yield made
