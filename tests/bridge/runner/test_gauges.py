"""The numbers for whoever watches the installation: how old the oldest look is, what waits, what is refused, who is cut off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway import observe
from gateway.bridge.gauges import Gauges
from gateway.links import Access, Condition, Item, Key, LinkId, Standing
from gateway.model import EntryId
from gateway.store import Store
from tests.bridge.runner.house import Rig, clock, furnished
from tests.databases import Database
from tests.store.house import DEMO, SETUP


def shown(name: str, **labels: str) -> float:
    samples = (sample for family in text_string_to_metric_families(observe.metrics_text()) for sample in family.samples)
    return next(each.value for each in samples if each.name == f"gateway_mirror_{name}" and labels.items() <= each.labels.items())


@pytest.fixture
def rig(store: Store, database: Database) -> Rig:
    return furnished("threads", database.url, store)


def test_without_links_every_number_is_nought(rig: Rig) -> None:
    Gauges(rig.store).run(clock())
    for name in ("pull_age_seconds", "unsent_seconds", "overdue_seconds", "dead_letters"):
        assert shown(name) == 0
    assert shown("links", standing="active") == 0


def test_the_numbers_are_those_of_the_database(rig: Rig) -> None:
    first, second, third = rig.connect(3)
    now = clock()
    with rig.store.write(DEMO, SETUP) as tx:
        tx.save_link(replace(tx.link(LinkId(first)), pulled=now - timedelta(hours=2), due=now - timedelta(minutes=5)))
        tx.save_link(replace(tx.link(LinkId(second)), pulled=now, due=now, standing=Standing.GUARD))
        tx.save_link(replace(tx.link(LinkId(third)), pulled=now - timedelta(days=9)))
        tx.save_account(replace(tx.account(third), access=Access.NEEDS_REAUTH, probed=now))
        tx.save_item(Item(link=LinkId(first), key=Key(entry=EntryId("a")), condition=Condition.DEAD), now)
    Gauges(rig.store).run(now)
    assert shown("pull_age_seconds") == 7200, "an account that is cut off is counted as such, and not as old"
    assert shown("overdue_seconds") == 300
    assert shown("dead_letters") == 1
    assert (shown("links", standing="active"), shown("links", standing="guard")) == (2, 1)
    assert (shown("accounts", access="ok"), shown("accounts", access="needs_reauth")) == (2, 1)


def test_it_asks_again_after_a_while(rig: Rig) -> None:
    gauges, now = Gauges(rig.store), clock()
    again = gauges.run(now)
    assert again == now + Gauges.EVERY
    rig.connect(1)
    gauges.run(again)
    assert shown("links", standing="active") == 1
