"""The life of a subscription at Microsoft, from its making to its renewal, with everything that can come between (bridge.md §3.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.bridge.channels import Watches, address
from gateway.bridge.vault import Vaults
from gateway.fakes.microsoft import Microsoft
from gateway.links import Channel, Provider
from tests.bridge.graph.conftest import housed
from tests.bridge.graph.wires import Telling
from tests.bridge.world import DAY, DEMO, HOUR, JOHN, PLATFORM, SEAL, World, microsoft

HOOK = "https://127.0.0.1:8443"


@dataclass
class Push:
    """John's calendar, and who keeps its subscription."""

    world: World
    fake: Microsoft
    watches: Watches

    def keep(self) -> list[Channel]:
        """As after a turn; the channels there are then."""
        claim = self.world.store.claim(DEMO, self.world.account, self.world.clock.now, self.world.clock.now + timedelta(seconds=45))
        assert claim is not None
        try:
            self.watches.keep(claim, self.world.clock.now)
        finally:
            self.world.store.finish(claim, self.world.clock.now)
        with self.world.store.read(DEMO) as snapshot:
            return list(snapshot.channels(self.world.link))

    def told(self) -> list[dict[str, str]]:
        """What the provider has to say."""
        return [each for message in self.fake.take_outbox() for each in json.loads(message.body)["value"]]

    def change(self) -> None:
        """The person makes an event."""
        self.fake.acting(
            {
                "account": JOHN.email,
                "op": "create",
                "calendar": self.world.known().calendar,
                "title": "Dentist",
                "start": "2026-11-26T10:00:00+01:00",
            }
        )

    def lifecycle(self, event: str) -> None:
        """The provider says something about the subscription, and the hook believes it."""
        self.fake.look_at_clock()
        self.fake.steer("lifecycle", {"account": JOHN.email, "event": event})
        for each in self.told():
            found = self.world.store.channel(each["subscriptionId"], each["clientState"])
            assert found is not None
            with self.world.store.write(found[0], PLATFORM) as tx:
                tx.wear_channel(found[1].id, each["subscriptionId"])


@pytest.fixture
def push(tmp_path: Path) -> Iterator[Push]:
    with microsoft(tmp_path) as world:
        assert isinstance(world.fake, Microsoft)
        house = housed(Telling(world.fake), world.clock)
        yield Push(world, world.fake, Watches(world.store, {Provider.OFFICE365: house}, Vaults(world.store, SEAL), address(HOOK)))


def test_a_subscription_is_made_once_and_left_alone_for_half_of_its_life(push: Push) -> None:
    [channel] = push.keep()
    push.world.clock.forward(DAY)
    assert push.keep() == [channel]
    assert list(push.fake.world.subscriptions) == [channel.id]


def test_at_half_of_its_life_it_is_renewed_under_its_id_and_secret(push: Push) -> None:
    [channel] = push.keep()
    secret = push.fake.world.subscriptions[channel.id].wish["clientState"]
    for _ in range(20):
        push.world.clock.forward(DAY)
        [kept] = push.keep()
        assert kept.id == channel.id
        assert kept.expires > push.world.clock.now + DAY
    assert list(push.fake.world.subscriptions) == [channel.id]
    push.change()
    [told] = push.told()
    assert told["clientState"] == secret
    assert push.world.store.channel(told["subscriptionId"], told["clientState"]) is not None


def test_one_that_wants_to_be_authorised_again_is_renewed_at_once(push: Push) -> None:
    """Until then it is silent, and another one would not be needed."""
    [channel] = push.keep()
    for _ in range(5):
        push.world.clock.forward(HOUR)
        push.lifecycle("reauthorizationRequired")
        push.change()
        assert push.told() == []
        [kept] = push.keep()
        assert (kept.id, kept.made) == (channel.id, push.world.clock.now)
        push.change()
        assert len(push.told()) == 1
    assert list(push.fake.world.subscriptions) == [channel.id]


def test_one_that_was_removed_gets_a_successor_at_once(push: Push) -> None:
    [channel] = push.keep()
    push.world.clock.forward(HOUR)
    push.lifecycle("subscriptionRemoved")
    successor = push.keep()[-1]
    assert successor.id != channel.id
    push.change()
    assert [each["subscriptionId"] for each in push.told()] == [successor.id]
    push.world.clock.forward(HOUR)
    assert push.keep() == [successor]


def test_one_that_ended_while_nobody_looked_gets_a_successor(push: Push) -> None:
    [channel] = push.keep()
    push.world.clock.forward(10 * DAY)
    successor = push.keep()[-1]
    assert successor.id != channel.id
    push.change()
    assert [each["subscriptionId"] for each in push.told()] == [successor.id]
    assert push.keep() == [successor]


def test_trouble_while_renewing_costs_no_subscription(push: Push) -> None:
    [channel] = push.keep()
    push.world.clock.forward(1.5 * DAY)
    push.world.fault("PATCH /subscriptions", "before")
    assert push.keep() == [channel]
    push.world.clock.forward(2 * HOUR)
    [kept] = push.keep()
    assert (kept.id, kept.expires > channel.expires) == (channel.id, True)
