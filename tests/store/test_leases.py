"""Whose turn it is with calendars elsewhere: who is due, in which order, one worker at a time, and none that came too late."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.errors import Missing
from gateway.links import Access, AccountId, Claim, Link, Provider, Standing
from gateway.model import CompanyId
from gateway.store import Store
from tests.databases import Database
from tests.store.elsewhere import account_id, account_of, connect, link_of, must_claim, switch_on, writing
from tests.store.house import DAY, DEMO, EMMA, HOUR, NOW, OTHER, Place

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LATER = NOW + 10 * MINUTE


@pytest.fixture
def place(place: Place) -> Place:
    """Every provider is switched on in it."""
    switch_on(place)
    return place


def due(place: Place, now: datetime = NOW, limit: int = 100) -> list[tuple[str, AccountId]]:
    return list(place.store.accounts_due(now, limit))


def caught_up(place: Place, link: Link, **facts: Any) -> Link:
    """The link has seen everything, and is due by the clock in ten minutes."""
    with writing(place) as tx:
        known: dict[str, Any] = {"seen": tx.revision, "due": LATER}
        new = replace(tx.link(link.id), **(known | facts))
        tx.save_link(new)
    return new


class TestDue:
    def test_a_link_is_due_when_its_time_has_come(self, place: Place) -> None:
        link = connect(place, due=NOW)
        assert due(place, NOW - SECOND) == []
        assert due(place) == due(place, NOW + DAY) == [account_id(link)]

    def test_what_was_booked_makes_the_link_due_at_once(self, place: Place) -> None:
        link = caught_up(place, connect(place))
        assert due(place) == []
        booked = place.book()
        assert due(place) == [account_id(link)]
        caught_up(place, link)
        assert due(place) == []
        place.cancel(booked)
        assert due(place) == [account_id(link)]

    def test_what_others_book_makes_nobody_due(self, place: Place, neighbour: Place) -> None:
        caught_up(place, connect(place))
        place.book(staff=EMMA.id)
        assert due(place) == []

    def test_an_account_is_due_once_however_many_reasons_there_are(self, place: Place) -> None:
        link = connect(place)
        with writing(place) as tx:
            tx.add_link(link_of(tx.account(link.account), "second"))
        place.book()
        place.store.wake(DEMO, link.id, NOW)
        assert due(place) == [account_id(link)]

    def test_the_longest_due_comes_first(self, place: Place) -> None:
        """By the clock, by a word from over there, or by what was written here: whoever waits longest."""
        links = [caught_up(place, connect(place, EMMA.id, f"{number}")) for number in range(3)]
        written = caught_up(place, connect(place, name="written"))
        entry = place.book()
        place.change(entry, replace(entry, version=2), at=NOW + 3 * MINUTE)
        caught_up(place, links[0], due=NOW + 4 * MINUTE)
        caught_up(place, links[1], due=NOW + 2 * MINUTE)
        place.store.wake(DEMO, links[2].id, NOW + MINUTE)
        expected = [account_id(each) for each in (links[2], links[1], written, links[0])]
        assert due(place, NOW + 5 * MINUTE) == expected
        assert due(place, NOW + 5 * MINUTE, limit=2) == expected[:2]

    def test_nobody_is_kept_waiting_by_those_who_are_always_due(self, place: Place) -> None:
        """A worker that takes one account at a time comes to all of them, although the first ones are due again at once."""
        links = [connect(place, name=f"{number}", due=NOW + number * SECOND) for number in range(5)]
        done, now = [], NOW + MINUTE
        for _ in links:
            company, account = place.store.accounts_due(now, 1)[0]
            claim = place.store.claim(company, account, now, now + MINUTE)
            assert claim is not None
            caught_up(place, next(each for each in links if each.account == account), due=now)
            place.store.finish(claim, now)
            done.append(account)
            now += SECOND
        assert done == [link.account for link in links]

    @pytest.mark.parametrize("standing", Standing)
    def test_only_links_that_live_are_due(self, place: Place, standing: Standing) -> None:
        link = connect(place, standing=standing)
        live = standing in (Standing.ACTIVE, Standing.GUARD, Standing.ENDING)
        assert due(place) == ([account_id(link)] if live else [])
        place.store.wake(DEMO, link.id, NOW - HOUR)
        assert due(place, NOW - HOUR) == ([account_id(link)] if live else [])

    @pytest.mark.parametrize(("facts", "behind"), [({"failures": 1}, False), ({"standing": Standing.ENDING}, False), ({}, True)])
    def test_a_link_in_trouble_is_tried_again_by_the_clock(self, place: Place, facts: dict[str, Any], behind: bool) -> None:
        """It stays behind until it works again: it would be tried again at once, for ever."""
        link = caught_up(place, connect(place), **facts)
        place.book()
        assert (due(place) == [account_id(link)]) == behind
        assert due(place, LATER) == [account_id(link)]
        place.store.wake(DEMO, link.id, NOW)
        assert due(place) == [account_id(link)]

    def test_an_account_that_rests_is_due_for_nothing_until_it_has_rested(self, place: Place) -> None:
        """The provider has said when it may be asked again: what happens meanwhile is done then."""
        link = connect(place)
        with writing(place) as tx:
            tx.rest_account(link.account, NOW + MINUTE)
            with pytest.raises(Missing):
                tx.rest_account(AccountId("none"), NOW)
        place.book()
        place.store.wake(DEMO, link.id, NOW)
        assert due(place, NOW + MINUTE - SECOND) == []
        assert due(place, NOW + MINUTE) == [account_id(link)]

    @pytest.mark.parametrize("access", [each for each in Access if each is not Access.OK])
    def test_a_failing_account_is_tried_again_every_hour(self, place: Place, access: Access) -> None:
        link = connect(place)
        for probed, now, expected in (
            (None, NOW, True),
            (NOW, NOW + HOUR - SECOND, False),
            (NOW, NOW + HOUR, True),
        ):
            with writing(place) as tx:
                tx.save_account(replace(tx.account(link.account), access=access, probed=probed))
            assert due(place, now) == ([account_id(link)] if expected else [])

    @pytest.mark.parametrize("provider", Provider)
    def test_a_provider_that_is_switched_off_is_left_alone(self, place: Place, provider: Provider) -> None:
        account = account_of(provider=provider)
        with writing(place) as tx:
            tx.add_account(account, b"sealed")
            tx.add_link(link_of(account))
        for on in (False, True):
            with writing(place) as tx:
                tx.save_company(replace(tx.company, policy=replace(tx.company.policy, **{provider.value: on})))
            assert bool(due(place)) is on
            assert (place.store.next_account(NOW) is not None) is on
        with writing(place) as tx:
            others = {each.value: False for each in Provider if each is not provider}
            tx.save_company(replace(tx.company, policy=replace(tx.company.policy, **others)))
        assert len(due(place)) == 1

    def test_an_account_that_is_connected_while_its_provider_is_off_waits_as_well(self, place: Place) -> None:
        with writing(place) as tx:
            tx.save_company(replace(tx.company, policy=replace(tx.company.policy, google=False)))
        connect(place)
        assert due(place) == []

    def test_the_next_one_by_the_clock_is_known(self, place: Place) -> None:
        assert place.store.next_account(NOW) is None
        connect(place, due=LATER)
        connect(place, EMMA.id, "two", due=NOW + MINUTE, standing=Standing.PAUSED)
        assert place.store.next_account(NOW) == LATER


class TestClaims:
    def test_a_claimed_account_is_due_for_nobody_else(self, place: Place) -> None:
        link = connect(place)
        claim = place.store.claim(DEMO, link.account, NOW, NOW + MINUTE)
        assert claim == Claim(company=DEMO, account=link.account, fence=1, until=NOW + MINUTE)
        assert due(place) == due(place, NOW + MINUTE - SECOND) == []
        assert place.store.claim(DEMO, link.account, NOW, NOW + DAY) is None

    def test_an_account_that_was_let_go_is_free_at_once(self, place: Place) -> None:
        link = connect(place)
        place.store.finish(must_claim(place.store, link), NOW)
        assert due(place) == [account_id(link)]
        assert must_claim(place.store, link).fence == 2

    def test_an_account_is_taken_over_when_its_time_has_run_out(self, place: Place) -> None:
        link = connect(place)
        first = must_claim(place.store, link, until=NOW + MINUTE)
        second = must_claim(place.store, link, NOW + MINUTE, NOW + HOUR)
        assert (first.fence, second.fence) == (1, 2)
        assert not place.store.renew(first, NOW + DAY)
        place.store.finish(first, NOW + MINUTE)
        assert due(place, NOW + 2 * MINUTE) == []  # it is still held, by whoever has taken it over

    def test_a_claim_can_be_held_longer(self, place: Place) -> None:
        link = connect(place)
        claim = must_claim(place.store, link, until=NOW + MINUTE)
        assert place.store.renew(claim, NOW + HOUR)
        assert place.store.claim(DEMO, link.account, NOW + MINUTE, NOW + DAY) is None
        assert place.store.renew(claim, NOW + 2 * HOUR)  # also when it had run out, as long as nobody has taken it over
        assert must_claim(place.store, link, NOW + 2 * HOUR).fence == 2

    def test_nobody_holds_what_is_not_there(self, place: Place) -> None:
        link = connect(place)
        assert place.store.claim(DEMO, AccountId("none"), NOW, LATER) is None
        assert place.store.claim(OTHER, link.account, NOW, LATER) is None
        assert place.store.claim(CompanyId("none"), link.account, NOW, LATER) is None
        place.store.wake(OTHER, link.id, NOW - HOUR)
        assert due(place, NOW - HOUR) == []

    def test_one_claim_leaves_other_accounts_free(self, place: Place) -> None:
        link, other = connect(place), connect(place, EMMA.id, "two")
        must_claim(place.store, link)
        assert due(place) == [account_id(other)]

    def test_of_many_who_want_an_account_one_gets_it(self, place: Place, database: Database) -> None:
        links = [connect(place, name=f"{number}") for number in range(6)]
        stores = [Store(database.url) for _ in range(4)]
        try:
            with ThreadPoolExecutor(len(stores)) as pool:
                for link in links:
                    claims = pool.map(lambda store, link=link: store.claim(DEMO, link.account, NOW, LATER), stores)
                    assert [claim.fence for claim in claims if claim is not None] == [1]
        finally:
            for store in stores:
                store.close()

    def test_of_many_processes_one_gets_an_account_too(self, place: Place, database: Database) -> None:
        links = [connect(place, name=f"{number}") for number in range(8)]
        ask = (
            "import sys; from datetime import *; from gateway.store import Store; store = Store(sys.argv[1])\n"
            "now = datetime.fromisoformat(sys.argv[2])\n"
            "for account in sys.argv[3:]:\n"
            "    if store.claim('demo', account, now, now + timedelta(hours=1)): print(account)\n"
            "store.close()"
        )
        accounts = [str(link.account) for link in links]
        order = [sys.executable, "-W", "error", "-c", ask, database.url, NOW.isoformat()]
        running = [subprocess.Popen([*order, *accounts], stdout=subprocess.PIPE, text=True) for _ in range(3)]
        got = [line for process in running for line in process.communicate()[0].split()]
        assert [process.returncode for process in running] == [0] * 3
        assert sorted(got) == sorted(accounts)
