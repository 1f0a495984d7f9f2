"""Where a journey starts: a fresh demo on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.demo import Demo


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo of its own, with fresh sample data."""
    running = Demo.start(tmp_path / "data")
    try:
        yield running
    finally:
        running.kill()
