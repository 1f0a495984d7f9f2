"""John, connected to a fake Microsoft 365: without sockets, and over loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.bridge.graph import GraphHouse
from gateway.bridge.sending import sender
from gateway.fakes import Fakes, running
from gateway.fakes.running import people
from gateway.links import Provider
from tests.bridge.contract import NOW, Remembered, Setting
from tests.bridge.graph.wires import Telling
from tests.bridge.wire import BASE, Clock, Wire

JOHN, TAYLOR = "john.smith@example.com", "taylor.carpenter@outlook.example"


def housed(wire: Wire, clock: Clock, base: str = BASE, provider: Provider = Provider.OFFICE365, authority: str = "common") -> GraphHouse:
    """A house over that wire."""
    fake = wire.provider
    return GraphHouse(
        provider,
        wire,
        client_id=fake.world.client_id,
        client_secret=fake.world.client_secret,
        authority=f"{base}/{authority}",
        instance_discovery=False,
        graph_url=f"{base}/v1.0",
        clock=clock,
    )


def furnished(wire: Wire, clock: Clock, base: str = BASE) -> Setting:
    """A house over that wire, and John's account there."""
    house = housed(wire, clock, base)
    return Setting(house=house, fake=wire.provider, wire=wire, clock=clock, login=JOHN, base=base).settle()


@pytest.fixture
def setting() -> Setting:
    clock = Clock(NOW)
    people_there = [JOHN, "juan.sanchez@example.com"]
    _, fake = people(google=[], work=people_there, personal=[TAYLOR], clock=clock, seed=1, zone="Europe/Paris", folder=None)
    return furnished(Telling(fake), clock)


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    with running(google=[], work=[JOHN], personal=[], zone="Europe/Paris", clock=Clock(NOW)) as made:
        yield made


@pytest.fixture
def live(fakes: Fakes) -> Iterator[Setting]:
    send = sender(str(fakes.ca_file), seconds=0.5)
    yield furnished(Remembered(fakes.microsoft.provider, send=send), Clock(NOW), fakes.microsoft.api)
    fakes.microsoft.provider.faults.rules.clear()
    send.close()
