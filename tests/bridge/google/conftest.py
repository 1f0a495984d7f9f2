"""John, connected to a fake Google: without sockets, and over loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.bridge.google import GoogleHouse
from gateway.bridge.sending import sender
from gateway.fakes import Fakes, running
from gateway.fakes.google.provider import API
from gateway.fakes.running import people
from tests.bridge.contract import NOW, Remembered, Setting
from tests.bridge.google.wires import Telling
from tests.bridge.wire import BASE, Clock, Wire

JOHN = "john.smith@example.com"


def furnished(wire: Wire, clock: Clock, base: str = BASE) -> Setting:
    """A house over that wire, and John's account there."""
    fake = wire.provider
    house = GoogleHouse(
        wire,
        client_id=fake.world.client_id,
        client_secret=fake.world.client_secret,
        auth_uri=f"{base}/o/oauth2/v2/auth",
        token_uri=f"{base}/token",
        revoke_uri=f"{base}/revoke",
        api_endpoint=base + API,
        clock=clock,
    )
    return Setting(house=house, fake=fake, wire=wire, clock=clock, login=JOHN, base=base).settle()


@pytest.fixture
def setting() -> Setting:
    clock = Clock(NOW)
    fake, _ = people(google=[JOHN, "juan.sanchez@example.com"], work=[], personal=[], clock=clock, seed=1, zone="Europe/Paris", folder=None)
    return furnished(Telling(fake), clock)


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    with running(google=[JOHN], work=[], personal=[], zone="Europe/Paris", clock=Clock(NOW)) as made:
        yield made


@pytest.fixture
def live(fakes: Fakes) -> Iterator[Setting]:
    patient, hasty = sender(), sender(seconds=0.5)
    yield furnished(Remembered(fakes.google.provider, send=patient, hasty=hasty), Clock(NOW), fakes.google.api)
    fakes.google.provider.faults.rules.clear()
    patient.close()
    hasty.close()
