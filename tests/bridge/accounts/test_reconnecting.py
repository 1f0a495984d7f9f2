"""Connecting again: the former account, link and events go on, and nothing is there twice (bridge.md §4, 16)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.bridge import orders
from gateway.errors import Conflict
from gateway.links import Access, Direction, Provider, Standing
from tests.bridge.accounts.office import OFFICE, Office
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, JOHN

BOTH = pytest.mark.parametrize("provider", [Provider.GOOGLE, Provider.OFFICE365])


@BOTH
def test_t16_connecting_a_connected_account_again_changes_nothing_over_there(office: Office, provider: Provider) -> None:
    office.book(NOW + DAY)
    first = office.connect(provider)
    office.work()
    before = office.there(provider=provider)
    again = office.connect(provider)
    office.work()
    assert (again.again, again.link) == (True, first.link)
    assert office.there(provider=provider) == before
    assert len(office.links()) == 1


@BOTH
def test_t16_after_the_access_was_revoked_the_link_goes_on_where_it_was(office: Office, provider: Provider) -> None:
    office.book(NOW + DAY)
    first = office.connect(provider)
    office.work()
    office.revoke(provider)
    office.clock.forward(timedelta(hours=2))
    office.work()
    assert office.account(first.link).access is Access.NEEDS_REAUTH
    assert office.status(first.link)[0] == "red"
    office.book(NOW + 2 * DAY)
    assert office.connect(provider).link == first.link
    office.work()
    assert office.account(first.link).access is Access.OK
    assert len(office.there(provider=provider)) == 2
    assert office.status(first.link)[0] == "green"


@BOTH
def test_t16_what_was_left_over_there_is_taken_up_again(office: Office, provider: Provider) -> None:
    office.book(NOW + DAY)
    first = office.connect(provider)
    office.work()
    with office.store.write(DEMO, OFFICE) as tx:
        orders.disconnect(tx, first.link, office.clock.now, remove=False)
    left = office.there(provider=provider)
    assert office.connect(provider).link == first.link
    office.work()
    assert office.there(provider=provider) == left
    assert len(left) == 1


@BOTH
def test_what_was_removed_is_made_again_once(office: Office, provider: Provider) -> None:
    office.book(NOW + DAY)
    first = office.connect(provider)
    office.work()
    with office.store.write(DEMO, OFFICE) as tx:
        orders.disconnect(tx, first.link, office.clock.now, remove=True)
    office.work()
    assert office.there(provider=provider) == []
    assert office.connect(provider).link == first.link
    office.work(3)
    assert len(office.there(provider=provider)) == 1


def test_a_brake_that_is_pulled_stays_pulled(office: Office) -> None:
    first = office.connect()
    office.save(first.link, standing=Standing.GUARD, trouble="5 of 6 are missing.", since=NOW)
    office.connect()
    assert office.link(first.link).standing is Standing.GUARD
    assert office.link(first.link).trouble == "5 of 6 are missing."


def test_a_link_that_was_paused_or_suspended_goes_on(office: Office) -> None:
    first = office.connect()
    for standing in (Standing.PAUSED, Standing.SUSPENDED, Standing.ENDING):
        office.save(first.link, standing=standing, failures=4, trouble="Something.")
        assert office.connect().link == first.link
        link = office.link(first.link)
        assert (link.standing, link.failures, link.trouble) == (Standing.ACTIVE, 0, "")


def test_one_way_stays_one_way(office: Office) -> None:
    first = office.connect()
    office.save(first.link, direction=Direction.OUT)
    office.connect()
    assert office.link(first.link).direction is Direction.OUT


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.ENDED])
def test_a_calendar_that_was_deleted_over_there_is_made_anew(office: Office, standing: Standing) -> None:
    office.book(NOW + DAY)
    first = office.connect()
    office.work()
    office.save(first.link, standing=standing)
    calendar = office.link(first.link).calendar
    del office.google.world.calendars[calendar]
    again = office.connect()
    office.work()
    assert again.link != first.link
    assert [each.id for each in office.live()] == [again.link]
    assert len(office.there()) == 1


def test_asking_for_the_own_calendar_later_moves_the_link_there(office: Office) -> None:
    office.book(NOW + DAY)
    first = office.connect()
    office.work()
    second = office.connect(primary=True)
    office.work()
    assert second.link != first.link
    assert office.link(second.link).calendar == JOHN.email
    assert [each["calendar"] for each in office.there()] == [JOHN.email]
    assert office.link(first.link).standing is Standing.ENDED


def test_another_calendar_of_the_account_can_be_chosen_and_chosen_back(office: Office) -> None:
    office.book(NOW + DAY)
    first = office.connect(Provider.OFFICE365)
    office.work()
    known = {each.title: each for each in office.accounts.calendars(DEMO, office.account(first.link).id)}
    own = next(each for each in known.values() if each.primary)
    second = office.accounts.choose(DEMO, first.link, own.id)
    office.work()
    assert len(office.there(provider=Provider.OFFICE365)) == 1
    assert [each.id for each in office.live()] == [second]
    back = office.accounts.choose(DEMO, second, office.link(first.link).calendar)
    office.work(3)
    assert back == first.link
    assert len(office.there(provider=Provider.OFFICE365)) == 1


def test_the_chosen_calendar_keeps_direction_and_level(office: Office) -> None:
    first = office.connect(Provider.OFFICE365)
    office.save(first.link, direction=Direction.OUT)
    own = next(each for each in office.accounts.calendars(DEMO, office.account(first.link).id) if each.primary)
    chosen = office.link(office.accounts.choose(DEMO, first.link, own.id))
    assert (chosen.direction, chosen.level, chosen.own) == (Direction.OUT, office.link(first.link).level, False)


def test_a_calendar_that_is_none_of_the_accounts_cannot_be_chosen(office: Office) -> None:
    first = office.connect()
    with pytest.raises(Conflict, match="ask for your own calendar"):
        office.accounts.choose(DEMO, first.link, "somebody-elses")
    assert office.accounts.choose(DEMO, first.link, office.link(first.link).calendar) == first.link
