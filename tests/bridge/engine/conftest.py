"""A world for each test of the engine: with the real adapters before the fakes, or with a calendar on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bridge.engine.paper import Desk, paper_desk
from tests.bridge.world import World, google, microsoft


@pytest.fixture(params=[google, microsoft], ids=["google", "microsoft"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with request.param(tmp_path) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with paper_desk(tmp_path) as made:
        yield made


@pytest.fixture
def desk_with(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """A desk with another level, direction or policy."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(paper_desk(tmp_path, **more))
