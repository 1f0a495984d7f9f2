"""A furnished house for every test of the front door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.house import Door, built, opened


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with built(tmp_path) as store, opened(store) as door:
        yield door
