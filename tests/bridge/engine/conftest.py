"""A world for each test of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.world import World, google, microsoft


@pytest.fixture(params=[google, microsoft], ids=["google", "microsoft"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with request.param(tmp_path) as made:
        yield made
