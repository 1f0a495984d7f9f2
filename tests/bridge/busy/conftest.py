"""John's account at either provider, with a calendar of his own beside the one we made, and everything a test wants to do there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.links import Provider
from tests.bridge.accounts.office import opened
from tests.bridge.busy.desk import Desk


@pytest.fixture(params=[Provider.GOOGLE, Provider.OFFICE365], ids=["google", "microsoft"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """At either provider."""
    with opened(tmp_path) as office:
        yield Desk(office, request.param)


@pytest.fixture
def at_google(tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path) as office:
        yield Desk(office, Provider.GOOGLE)
