"""Under a claim or not at all: who has lost an account commits nothing, news is never lost, and secrets work once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.errors import Lost
from gateway.links import Access, Channel, Claim, Condition, Link, Provider, Standing, Todo
from gateway.store import Consent, Overview, Store, Transaction
from tests.databases import Database
from tests.store.elsewhere import OWNED, account_id, connect, happening, item_of, must_claim, switch_on, writing
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, OTHER, SETUP, Place, broken_off

MINUTE = timedelta(minutes=1)


@pytest.fixture
def place(place: Place) -> Place:
    """Every provider is switched on in it."""
    switch_on(place)
    return place


class TestFences:
    def test_what_was_lost_cannot_be_committed(self, place: Place) -> None:
        link = connect(place)
        lost = must_claim(place.store, link, until=NOW + MINUTE)
        held = must_claim(place.store, link, NOW + MINUTE)
        with pytest.raises(Lost):
            self.commit(place, lost, "late")
        self.commit(place, held, "in time")
        with place.store.read(DEMO) as snapshot:
            assert [line.sentence for line in snapshot.history(link.id)] == ["in time"]

    def commit(self, place: Place, claim: Claim, sentence: str) -> None:
        with writing(place) as tx:
            tx.must_hold(claim)
            tx.note(tx.links()[0].id, happening(sentence))

    def test_a_claim_holds_in_its_own_company_and_for_its_own_account_only(self, place: Place) -> None:
        link, other = connect(place), connect(place, EMMA.id, "two")
        claim = must_claim(place.store, link)
        for wrong in (replace(claim, account=other.account), replace(claim, company=OTHER), replace(claim, fence=0)):
            with pytest.raises(Lost), writing(place) as tx:
                tx.must_hold(wrong)
        with pytest.raises(Lost), place.store.write(OTHER, SETUP) as tx:
            tx.must_hold(claim)

    def test_a_claim_that_was_let_go_holds_until_the_next_one(self, place: Place) -> None:
        """Nobody else has worked on it since: what is committed late is as good as in time."""
        link = connect(place)
        claim = must_claim(place.store, link)
        place.store.finish(claim, NOW)
        self.commit(place, claim, "late, and alone")

    def test_an_account_that_was_removed_is_lost(self, place: Place) -> None:
        link = connect(place)
        claim = must_claim(place.store, link)
        with writing(place) as tx:
            tx.remove_account(link.account)
        with pytest.raises(Lost), writing(place) as tx:
            tx.must_hold(claim)

    def test_nobody_takes_over_between_the_check_and_the_commit(self, place: Place, database: Database) -> None:
        """The check and what follows it are one transaction; a claim made meanwhile waits until that is over."""
        link = connect(place)
        claim = must_claim(place.store, link, until=NOW + MINUTE)
        checked, order = threading.Event(), list[str]()
        second = Store(database.url)

        def take_over() -> int:
            checked.wait()
            taken = must_claim(second, link, NOW + MINUTE)
            order.append("taken over")
            return taken.fence

        try:
            with ThreadPoolExecutor(1) as other:
                with writing(place) as tx:
                    tx.must_hold(claim)
                    taking = other.submit(take_over)
                    checked.set()
                    with pytest.raises(TimeoutError):
                        taking.result(timeout=0.2)
                    tx.note(link.id, happening("in time"))
                    order.append("committed")
                assert taking.result() == 2
        finally:
            second.close()
        assert order == ["committed", "taken over"]

    def test_work_that_is_counted_under_claims_is_counted_once(self, place: Place, database: Database) -> None:
        """Four workers, whose claims run out at once, fight for an account: what is committed is committed by whoever holds it."""
        link = connect(place)
        stores = [Store(database.url) for _ in range(4)]

        def work(store: Store) -> int:
            done = 0
            for _ in range(10):
                claim = store.claim(DEMO, link.account, NOW, NOW)
                if claim is None:
                    continue
                try:
                    with store.write(DEMO, SETUP) as tx:
                        tx.must_hold(claim)
                        known = tx.link(link.id)
                        tx.save_link(replace(known, failures=known.failures + 1))
                        done += 1
                except Lost:
                    pass
            return done

        try:
            with ThreadPoolExecutor(len(stores)) as pool:
                done = sum(pool.map(work, stores))
        finally:
            for store in stores:
                store.close()
        with place.store.read(DEMO) as snapshot:
            assert snapshot.link(link.id).failures == done > 0


class TestNews:
    def quiet(self, place: Place, **facts: Any) -> Link:
        return connect(place, due=NOW + DAY, **facts)

    def test_any_number_of_words_makes_one_turn(self, place: Place) -> None:
        link = self.quiet(place)
        assert place.store.accounts_due(NOW) == []
        for _ in range(3):
            place.store.wake(DEMO, link.id, NOW)
        assert place.store.accounts_due(NOW) == [account_id(link)]
        place.store.finish(must_claim(place.store, link), NOW)
        assert place.store.accounts_due(NOW) == []

    def test_a_word_during_a_turn_makes_another_one(self, place: Place) -> None:
        """Whatever the turn writes about its link: it may have looked before there was news."""
        link = self.quiet(place)
        claim = must_claim(place.store, link)
        place.store.wake(DEMO, link.id, NOW)
        with writing(place) as tx:
            tx.must_hold(claim)
            tx.save_link(replace(tx.link(link.id), due=NOW + DAY, pulled=NOW))
        assert place.store.accounts_due(NOW) == []
        place.store.finish(claim, NOW)
        assert place.store.accounts_due(NOW) == [account_id(link)]

    def test_a_word_for_a_dead_worker_is_heard_by_whoever_takes_over(self, place: Place) -> None:
        link = self.quiet(place)
        must_claim(place.store, link, until=NOW + MINUTE)
        place.store.wake(DEMO, link.id, NOW)
        assert place.store.accounts_due(NOW + MINUTE) == [account_id(link)]

    def test_a_paused_link_hears_of_it_when_it_is_resumed(self, place: Place) -> None:
        link = self.quiet(place, standing=Standing.PAUSED)
        place.store.wake(DEMO, link.id, NOW)
        assert place.store.accounts_due(NOW) == []
        with writing(place) as tx:
            tx.save_link(replace(link, standing=Standing.ACTIVE))
        assert place.store.accounts_due(NOW) == [account_id(link)]


class TestChannels:
    def test_a_notification_is_known_by_its_secret(self, place: Place) -> None:
        link = connect(place)
        with writing(place) as tx:
            tx.add_channel(Channel(link=link.id, id="channel", resource="", secret="secret", made=NOW, expires=NOW + DAY))
        assert place.store.channel("channel", "secret") == (DEMO, link)
        for name, secret in (("channel", "other"), ("other", "secret"), ("channel", ""), ("channel", "secret\x00")):
            assert place.store.channel(name, secret) is None

    def test_two_companies_may_have_channels_of_the_same_name(self, place: Place, neighbour: Place) -> None:
        link = connect(place)
        with writing(place) as tx:
            for secret, name in (("first", "channel"), ("second", "two")):
                tx.add_channel(Channel(link=link.id, id=name, resource="", secret=secret, made=NOW, expires=NOW + DAY))
        other = connect(place, EMMA.id, "two")
        with writing(place) as tx:
            tx.add_channel(Channel(link=other.id, id="channel", resource="", secret="hers", made=NOW, expires=NOW + DAY))
        assert place.store.channel("channel", "first") == (DEMO, link)
        assert place.store.channel("channel", "hers") == (DEMO, other)
        assert place.store.channel("channel", "second") is None


class TestConsents:
    def begin(self, state: str, *, minutes: int = 10, back: str = "/settings") -> Callable[[Transaction], None]:
        def begun(tx: Transaction) -> None:
            tx.begin_consent(
                state, JOHN.id, Provider.OFFICE365, b"\x00\xff", primary=True, back=back, expires=NOW + minutes * MINUTE, now=NOW
            )

        return begun

    def test_a_state_works_once(self, place: Place, database: Database) -> None:
        with writing(place) as tx:
            self.begin("canary state")(tx)
        assert b"canary state" not in database.dump()
        expected = Consent(company=DEMO, staff=JOHN.id, provider=Provider.OFFICE365, sealed=b"\x00\xff", primary=True, back="/settings")
        assert place.store.take_consent("other state", NOW) is None
        assert place.store.take_consent("canary state", NOW) == expected
        assert place.store.take_consent("canary state", NOW) is None

    def test_a_state_that_came_too_late_is_used_up_as_well(self, place: Place) -> None:
        with writing(place) as tx:
            self.begin("state")(tx)
        assert place.store.take_consent("state", NOW + 10 * MINUTE) is None
        assert place.store.take_consent("state", NOW) is None

    def test_of_many_who_bring_a_state_one_is_let_in(self, place: Place, database: Database) -> None:
        stores = [Store(database.url) for _ in range(4)]
        try:
            for number in range(5):
                with writing(place) as tx:
                    self.begin(f"{number}")(tx)
                with ThreadPoolExecutor(len(stores)) as pool:
                    took = list(pool.map(lambda store, state=f"{number}": store.take_consent(state, NOW), stores))
                assert sum(each is not None for each in took) == 1
        finally:
            for store in stores:
                store.close()

    def test_what_nobody_came_back_from_is_forgotten(self, place: Place, database: Database) -> None:
        with writing(place) as tx:
            self.begin("old", minutes=-1)(tx)
            self.begin("new")(tx)
        assert database.ask("SELECT COUNT(*) FROM consent")[0][0] == 1

    def test_what_is_broken_off_was_not_begun(self, place: Place) -> None:
        with broken_off(place) as tx:
            self.begin("state")(tx)
        assert place.store.take_consent("state", NOW) is None


class TestOverview:
    def test_nothing_is_told_of_no_links(self, store: Store) -> None:
        assert store.links_overview() == Overview(pulled=None, unsent=None, due=None, dead=0, links={}, accounts={})

    def test_the_oldest_of_everything_is_told(self, place: Place) -> None:
        first = connect(place, pulled=NOW - HOUR, due=NOW + MINUTE)
        second = connect(place, EMMA.id, "two", created=NOW - 2 * HOUR, due=NOW + HOUR, standing=Standing.GUARD)
        connect(place, EMMA.id, "three", created=NOW - DAY, due=NOW - DAY, standing=Standing.PAUSED)
        seen = place.store.links_overview()
        assert (seen.pulled, seen.unsent, seen.due, seen.dead) == (NOW - 2 * HOUR, None, NOW + MINUTE, 0)
        assert seen.links == {Standing.ACTIVE: 1, Standing.GUARD: 1, Standing.PAUSED: 1}
        assert seen.accounts == {Access.OK: 3}
        with writing(place) as tx:
            tx.save_item(item_of(first, "a", condition=Condition.DEAD), NOW)
            tx.save_item(item_of(first, "b", condition=Condition.SYNCED), NOW)
            tx.save_account(replace(tx.account(second.account), access=Access.NEEDS_ADMIN))
        seen = place.store.links_overview()
        assert (seen.pulled, seen.dead, seen.accounts) == (NOW - HOUR, 1, {Access.OK: 2, Access.NEEDS_ADMIN: 1})

    def test_a_change_is_unsent_until_it_was_planned_and_carried_out(self, place: Place) -> None:
        link = connect(place)
        entry = place.book()
        assert place.store.links_overview().unsent == NOW
        intent = item_of(link, entry.id, todo=Todo.CREATE, draft=OWNED)
        with writing(place) as tx:
            tx.save_link(replace(link, seen=tx.revision))
            tx.save_item(intent, NOW + MINUTE)
            tx.save_item(replace(intent, attempts=3), NOW + HOUR)  # it waits since it was written down, however often it was tried
        assert place.store.links_overview().unsent == NOW + MINUTE
        with writing(place) as tx:
            tx.save_item(replace(intent, todo=None), NOW + 2 * HOUR)
        assert place.store.links_overview().unsent is None
