"""What every adapter of a provider must do, whichever the provider: `remote.House` and `remote.Remote` as tests.

A provider takes part with a fixture `setting` (a `Setting` without sockets) and one `live` (the same over loopback), and a class:
`class TestGoogle(AdapterContract)`. Truth is what the fake has, not what the adapter says.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bridge.contract.account import AccountContract
from tests.bridge.contract.events import EventContract
from tests.bridge.contract.listing import ListingContract
from tests.bridge.contract.series import SeriesContract
from tests.bridge.contract.setting import (
    BACK,
    CREATE,
    DAY,
    DELETE,
    DONE,
    GUEST,
    HOUR,
    KEY,
    NOW,
    OTHER,
    PARIS,
    UNDONE,
    UPDATE,
    VERIFIER,
    WINDOW,
    Kept,
    Remembered,
    Setting,
    gone,
    known,
    outcome,
    owned,
    pages,
    pulled,
)
from tests.bridge.contract.times import TimesContract
from tests.bridge.contract.trouble import TroubleContract

__all__ = [
    "BACK",
    "CREATE",
    "DAY",
    "DELETE",
    "DONE",
    "GUEST",
    "HOUR",
    "KEY",
    "NOW",
    "OTHER",
    "PARIS",
    "UNDONE",
    "UPDATE",
    "VERIFIER",
    "WINDOW",
    "AdapterContract",
    "Kept",
    "Remembered",
    "Setting",
    "gone",
    "known",
    "outcome",
    "owned",
    "pages",
    "pulled",
]


class AdapterContract(AccountContract, EventContract, ListingContract, SeriesContract, TimesContract, TroubleContract):
    """The laws. Every test ends with no mail sent, however it went."""

    @pytest.fixture(autouse=True)
    def no_provider_ever_mails(self, setting: Setting) -> Iterator[None]:
        yield
        assert setting.fake.mails == []
        assert all(b"attendees" not in body for body in setting.wire.bodies)
        assert all(address.startswith(setting.base) for _, address in setting.wire.sent)
