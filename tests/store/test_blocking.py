"""Calendars whose busy times block: what is kept of them, when their accounts are due, and what goes with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Missing
from gateway.links import Access, AccountId, Blocking, Link, Provider, Standing
from gateway.model import Span
from tests.store.elsewhere import ON, account_id, account_of, connect, must_claim, switch_on, writing
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, Place, span

MINUTE = timedelta(minutes=1)
THERE = span(NOW + DAY)


@pytest.fixture
def place(place: Place) -> Place:
    """Every provider is switched on in it."""
    switch_on(place)
    return place


def other_of(link: Link, name: str = "private", **more: object) -> Blocking:
    new = Blocking(account=link.account, calendar=f"calendar {name}", title=name, due=NOW)
    return replace(new, **more)  # type: ignore[arg-type]  # names and values as the caller gives them


def quiet(place: Place, name: str = "one") -> Link:
    """A link that is due in a day, and has seen everything."""
    return connect(place, JOHN.id if name == "one" else EMMA.id, name, due=NOW + DAY)


def blocks(place: Place, link: Link, *names: str) -> list[Blocking]:
    """Each is busy at THERE."""
    chosen = [other_of(link, name) for name in names or ("private",)]
    with writing(place) as tx:
        for each in chosen:
            tx.add_blocking(each)
            tx.put_busy(link.staff, each.origin, [THERE], NOW)
    return chosen


def kept(place: Place, link: Link) -> list[Blocking]:
    with place.store.read(DEMO) as snapshot:
        return list(snapshot.blocking(link.account))


def busy(place: Place, link: Link) -> list[Span]:
    with place.store.read(DEMO) as snapshot:
        return list(snapshot.foreign_busy(link.staff, THERE))


def due(place: Place, minutes: int = 0) -> list[tuple[str, AccountId]]:
    return list(place.store.accounts_due(NOW + minutes * MINUTE))


class TestKeeping:
    def test_it_is_kept_as_it_was_given(self, place: Place) -> None:
        link = quiet(place)
        given = other_of(link, digest="d", whole=NOW, failing=NOW - HOUR, trouble="No answer.\x00")
        with writing(place) as tx:
            tx.add_blocking(given)
            assert tx.blocking() == tx.blocking(link.account)
        assert kept(place, link) == [replace(given, trouble="No answer.\ufffd")]

    def test_choosing_it_once_more_changes_its_title_only(self, place: Place) -> None:
        link = quiet(place)
        with writing(place) as tx:
            tx.add_blocking(other_of(link, digest="d", due=NOW + HOUR))
            tx.add_blocking(other_of(link, title="Private life"))
        assert kept(place, link) == [other_of(link, title="Private life", digest="d", due=NOW + HOUR)]

    def test_what_was_deselected_meanwhile_is_not_saved(self, place: Place) -> None:
        link = quiet(place)
        with writing(place) as tx, pytest.raises(Missing):
            tx.save_blocking(other_of(link))
        assert kept(place, link) == []

    def test_an_account_that_nobody_has_blocks_nobody(self, place: Place) -> None:
        with writing(place) as tx, pytest.raises(Missing):
            tx.add_blocking(Blocking(account=AccountId("nobody"), calendar="c", title="", due=NOW))

    def test_each_calendar_has_times_of_its_own(self, place: Place) -> None:
        link = quiet(place)
        first, second = blocks(place, link, "a", "b")
        assert first.origin != second.origin
        with writing(place) as tx:
            tx.drop_blocking(first)
        assert kept(place, link) == [second]
        assert busy(place, link) == [THERE]
        with writing(place) as tx:
            tx.drop_blocking(second)
        assert busy(place, link) == []


class TestDue:
    def test_an_account_is_due_when_a_calendar_of_it_is(self, place: Place) -> None:
        link = quiet(place)
        blocks(place, link)
        assert due(place) == [account_id(link)]
        with writing(place) as tx:
            tx.save_blocking(other_of(link, due=NOW + 5 * MINUTE))
        assert due(place) == []
        assert place.store.next_account(NOW) == NOW + 5 * MINUTE
        assert due(place, 5) == [account_id(link)]

    def test_an_account_without_a_live_link_is_due_as_well(self, place: Place) -> None:
        link = connect(place, standing=Standing.ENDED)
        blocks(place, link)
        assert due(place) == [account_id(link)]

    def test_nobody_asks_while_somebody_else_has_the_account_or_it_rests(self, place: Place) -> None:
        link = quiet(place)
        blocks(place, link)
        held = must_claim(place.store, link, NOW, NOW + MINUTE)
        assert due(place) == []
        place.store.finish(held, NOW)
        with writing(place) as tx:
            tx.rest_account(link.account, NOW + MINUTE)
        assert due(place) == []
        assert due(place, 1) == [account_id(link)]

    def test_an_account_that_is_refused_is_tried_once_an_hour(self, place: Place) -> None:
        link = quiet(place)
        blocks(place, link)
        with writing(place) as tx:
            tx.save_account(replace(tx.account(link.account), access=Access.NEEDS_REAUTH, probed=NOW))
        assert due(place, 59) == []
        assert due(place, 60) == [account_id(link)]
        assert place.store.next_account(NOW) is None


class TestEnding:
    def test_a_provider_that_is_switched_off_blocks_nobody_until_it_is_on_again(self, place: Place) -> None:
        link, outside = quiet(place), connect(place, EMMA.id, "two", due=NOW + DAY)
        with writing(place) as tx:
            tx.add_account(account_of(EMMA.id, "three", provider=Provider.OFFICE365), b"sealed")
        elsewhere = replace(outside, account=AccountId("account-three"))
        blocks(place, link)
        blocks(place, elsewhere)
        with writing(place) as tx:
            tx.save_blocking(other_of(link, digest="d", due=NOW + DAY, trouble="x", failing=NOW))
            tx.save_company(replace(tx.company, policy=replace(ON, google=False)))
        assert busy(place, link) == []
        assert busy(place, elsewhere) == [THERE]
        assert [each.calendar for each in kept(place, link)] == ["calendar private"]
        assert due(place) == [(DEMO, elsewhere.account)]
        with writing(place) as tx:
            tx.save_company(replace(tx.company, policy=ON))
        assert account_id(link) in due(place)
        [back] = kept(place, link)
        assert (back.digest, back.whole, back.trouble, back.failing) == ("", None, "", None)

    def test_other_changes_of_the_settings_forget_nothing(self, place: Place) -> None:
        link = quiet(place)
        blocks(place, link)
        with writing(place) as tx:
            tx.save_company(replace(tx.company, policy=replace(ON, two_way=not ON.two_way)))
        assert busy(place, link) == [THERE]

    def test_an_account_that_goes_takes_them_with_it(self, place: Place) -> None:
        link, other = quiet(place), quiet(place, "two")
        blocks(place, link, "a", "b")
        blocks(place, other)
        with writing(place) as tx:
            tx.remove_account(link.account)
            assert tx.blocking(link.account) == []
        assert busy(place, link) == []
        assert busy(place, other) == [THERE]
