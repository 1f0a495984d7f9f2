"""Watch channels: there is always one that is young enough, never a gap between two, and none that nobody wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.channels import OVERLAP, RETRY, Plan, Watches, address, planned, reachable
from gateway.bridge.vault import Vaults
from gateway.errors import Lost
from gateway.fakes.google.provider import Google
from gateway.links import Access, Channel, LinkId, Standing
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, PLATFORM, SEAL, World, google

HOOK = "https://127.0.0.1:8443"
WEEK = 7 * DAY


def channel(name: str, age: timedelta, life: timedelta = WEEK) -> Channel:
    return Channel(link=LinkId("link"), id=name, resource="r", secret="", made=NOW - age, expires=NOW - age + life)


def test_a_link_without_a_channel_gets_one() -> None:
    assert planned(True, [], NOW) == Plan(True, ())


def test_a_young_channel_is_left_alone() -> None:
    assert planned(True, [channel("a", DAY)], NOW) == Plan(False, ())


def test_at_half_of_its_life_a_channel_is_renewed_or_followed_by_another_and_stays_meanwhile() -> None:
    old = channel("a", WEEK / 2)
    assert planned(True, [old], NOW) == Plan(True, (), old)


def test_the_old_one_goes_when_its_successor_has_proved_itself() -> None:
    old, fresh = channel("a", WEEK / 2 + OVERLAP), channel("b", OVERLAP - timedelta(seconds=1))
    assert planned(True, [old, fresh], NOW) == Plan(False, ())
    assert planned(True, [old, replace(fresh, made=NOW - OVERLAP)], NOW) == Plan(False, (old,))


def test_a_channel_nobody_wants_is_closed() -> None:
    both = (channel("a", DAY), channel("b", HOUR))
    assert planned(False, both, NOW) == Plan(False, both)


@given(st.lists(st.tuples(st.integers(0, 30 * 24 * 60), st.integers(1, 30 * 24 * 60)), max_size=5))
def test_whatever_there_is_the_newest_stays_until_it_expires_and_what_is_closed_is_never_missed(ages: list[tuple[int, int]]) -> None:
    channels = [channel(str(number), timedelta(minutes=age), timedelta(minutes=life)) for number, (age, life) in enumerate(ages)]
    plan = planned(True, channels, NOW)
    left = [each for each in channels if each not in plan.close]
    assert plan.open or any(each.expires > NOW for each in left), "somebody tells, or somebody is asked to"
    assert all(each.expires > NOW for each in left)


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://calendar.example.com", True),
        ("http://127.0.0.1:8080", True),
        ("http://calendar.example.com", False),
        ("http://192.168.1.5:8080", False),
    ],
)
def test_providers_are_only_asked_to_call_where_they_can(url: str, answer: bool) -> None:
    assert reachable(url) is answer


@dataclass
class Push:
    world: World
    fake: Google
    watches: Watches

    def keep(self) -> list[Channel]:
        """As after a turn; the channels there are then."""
        now = self.world.clock.now
        claim = self.world.store.claim(DEMO, self.world.account, now, now + timedelta(seconds=45))
        assert claim is not None
        try:
            self.watches.keep(claim, now)
        finally:
            self.world.store.finish(claim, now)
        with self.world.store.read(DEMO) as snapshot:
            return list(snapshot.channels(self.world.link))

    def calls(self) -> list[str]:
        return [f"{entry.method} {entry.path.rpartition('/')[2]}" for entry in self.fake.log if entry.method == "POST"]

    def change(self, **facts: object) -> None:
        with self.world.store.write(DEMO, PLATFORM) as tx:
            tx.save_link(replace(tx.link(self.world.link), **facts))  # type: ignore[arg-type]


@pytest.fixture
def push(tmp_path: Path) -> Iterator[Push]:
    with google(tmp_path) as world:
        assert isinstance(world.fake, Google)
        houses = {world.house.provider: world.house}
        world.fake.log.clear()
        yield Push(world, world.fake, Watches(world.store, houses, Vaults(world.store, SEAL), address(HOOK)))


def test_the_hook_is_told_with_the_secret_that_only_the_provider_knows(push: Push) -> None:
    [made] = push.keep()
    [there] = push.fake.world.channels.values()
    assert (there.id, there.address) == (made.id, f"{HOOK}/hooks/google")
    found = push.world.store.channel(there.id, there.token)
    assert found is not None
    assert found[1].id == push.world.link
    assert push.world.store.channel(there.id, "a guess") is None


def test_a_second_look_asks_for_nothing(push: Push) -> None:
    push.keep()
    before = push.calls()
    push.keep()
    assert push.calls() == before


def test_a_channel_is_followed_by_another_with_an_overlap(push: Push) -> None:
    [first] = push.keep()
    push.world.clock.forward((first.expires - first.made) / 2)
    assert {each.id for each in push.keep()} > {first.id}
    push.world.clock.forward(OVERLAP)
    [second] = push.keep()
    assert second.id != first.id
    assert first.id not in push.fake.world.channels or push.fake.world.channels[first.id].stopped


@pytest.mark.parametrize("standing", [Standing.PAUSED, Standing.SUSPENDED, Standing.ENDING])
def test_a_link_that_rests_is_no_longer_watched(push: Push, standing: Standing) -> None:
    push.keep()
    push.change(standing=standing)
    assert push.keep() == []
    assert not [each for each in push.fake.world.channels.values() if not each.stopped]


def test_a_company_that_has_switched_the_provider_off_is_not_told(push: Push) -> None:
    push.keep()
    with push.world.store.write(DEMO, PLATFORM) as tx:
        tx.save_company(replace(tx.company, policy=replace(tx.company.policy, google=False)))
    assert push.keep() == []


def test_a_provider_that_refuses_is_asked_again_after_an_hour_and_nothing_else_suffers(push: Push) -> None:
    push.world.fault("POST /watch", "status:403:pushNotSupportedForRequestedResource", times=1)
    assert push.keep() == []
    before = push.calls()
    push.world.clock.forward(RETRY - timedelta(minutes=1))
    assert push.keep() == []
    assert push.calls() == before
    push.world.clock.forward(timedelta(minutes=1))
    assert len(push.keep()) == 1


def test_an_account_that_is_cut_off_asks_for_nothing(push: Push) -> None:
    with push.world.store.write(DEMO, PLATFORM) as tx:
        tx.save_account(replace(tx.account(push.world.account), access=Access.NEEDS_REAUTH))
    assert push.keep() == []
    assert push.calls() == []


def test_a_worker_that_has_lost_its_claim_keeps_no_channel(push: Push) -> None:
    now = push.world.clock.now
    claim = push.world.store.claim(DEMO, push.world.account, now, now)
    assert claim is not None
    assert push.world.store.claim(DEMO, push.world.account, now + timedelta(seconds=1), now + HOUR) is not None
    with pytest.raises(Lost):
        push.watches.keep(claim, now)
    with push.world.store.read(DEMO) as snapshot:
        assert list(snapshot.channels(push.world.link)) == []
