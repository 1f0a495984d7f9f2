"""When the provider fails: nothing is silent, nothing storms, and everything heals by itself (bridge.md §4, 41–47)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.bridge.errand import spread
from gateway.bridge.remote import Disconnected, Throttled, Unreachable
from gateway.errors import Lost
from gateway.links import Access, LinkId, Standing
from gateway.model import Level, OnDelete
from tests.bridge.engine.paper import PATIENCE, UNREACHABLE, Desk
from tests.bridge.wire import NOW
from tests.bridge.world import ANN, DAY, DEMO, HOUR, NOTE, PLATFORM

SIGNED_OUT = Disconnected("Please connect the account again.")


def carried(desk: Desk, span: timedelta, step: timedelta = timedelta(seconds=5)) -> int:
    """A worker that takes every turn that is due, for so long; how many calls were made."""
    before, end = desk.mark, desk.clock.now + span
    while desk.clock.now < end:
        if desk.due():
            desk.turn()
        desk.clock.forward(step)
    return desk.mark - before


def test_a_revoked_access_shows_at_once_and_its_link_is_tried_every_hour(desk: Desk) -> None:  # 41
    desk.book(NOW + DAY)
    desk.failing("", SIGNED_OUT, times=1000)
    desk.poll()
    account = desk.account_known()
    assert (account.access, account.trouble) == (Access.NEEDS_REAUTH, "Please connect the account again.")
    assert account.since is not None
    assert desk.history().count("disconnected") == 1
    assert carried(desk, 5 * HOUR, timedelta(minutes=1)) <= 5
    assert desk.history().count("disconnected") == 1


def test_a_mark_that_was_wrong_clears_itself(desk: Desk) -> None:  # 42
    desk.book(NOW + DAY)
    desk.failing("", SIGNED_OUT)
    desk.poll()
    assert desk.account_known().access is Access.NEEDS_REAUTH
    assert carried(desk, 70 * timedelta(minutes=1)) >= 1
    account = desk.account_known()
    assert (account.access, account.trouble, account.since) == (Access.OK, "", None)
    assert desk.starts() == [NOW + DAY]
    assert "resumed" in desk.history()


def test_silence_is_no_proof_that_an_account_works_again(desk: Desk) -> None:
    desk.failing("", SIGNED_OUT)
    desk.poll()
    desk.failing("", UNREACHABLE, times=1000)
    assert 1 <= carried(desk, 3 * HOUR, timedelta(minutes=1)) <= 3
    assert desk.account_known().access is Access.NEEDS_REAUTH


def test_an_administrators_consent_is_another_trouble(desk: Desk) -> None:
    desk.failing("", Disconnected("Ask your administrator.", admin=True))
    desk.poll()
    assert desk.account_known().access is Access.NEEDS_ADMIN


def test_a_change_told_of_during_a_look_causes_another_look(desk: Desk) -> None:  # 45
    desk.book(NOW + DAY)
    desk.poll()
    event = desk.only()

    def news() -> None:
        desk.paper.move(desk.calendar, event.id, NOW + DAY + HOUR)
        desk.store.wake(DEMO, desk.link, desk.clock.now)

    desk.paper.pulls.append(news)
    desk.poll()
    assert desk.due()
    desk.turn()
    assert desk.held(desk.items()[0].key.entry).span.start == NOW + DAY + HOUR
    assert not desk.due()


def test_a_worker_that_lost_the_account_commits_nothing(desk: Desk) -> None:  # 46, I13
    entry = desk.book(NOW + DAY)
    desk.poll()
    desk.paper.move(desk.calendar, desk.only().id, NOW + DAY + HOUR)

    def taken() -> None:
        desk.clock.forward(timedelta(minutes=1))  # it hung until its lease was over, and somebody else took the account
        assert desk.store.claim(DEMO, desk.account, desk.clock.now, desk.clock.now + HOUR) is not None

    desk.paper.pulls.append(taken)
    with pytest.raises(Lost):
        desk.poll()
    assert desk.held(entry.id).span.start == NOW + DAY


def test_an_hour_of_refusals_costs_no_storm(desk: Desk) -> None:  # 47
    for day in range(1, 9):
        desk.book(NOW + day * DAY)
    desk.failing("", PATIENCE, times=100_000)
    assert carried(desk, HOUR) <= 12
    desk.sound()
    desk.clock.forward(HOUR)
    carried(desk, 5 * timedelta(minutes=1))
    assert len(desk.starts()) == 8
    assert desk.known().failures == 0


def test_the_provider_is_left_alone_for_as_long_as_it_says(desk: Desk) -> None:
    desk.failing("", Throttled("Later.", wait=timedelta(minutes=20)))
    desk.poll()
    desk.book(NOW + DAY)
    desk.store.wake(DEMO, desk.link, desk.clock.now)
    assert carried(desk, timedelta(minutes=19)) == 0
    assert carried(desk, timedelta(minutes=10)) >= 1
    assert desk.starts() == [NOW + DAY]


@pytest.mark.parametrize("kind", ["", "list", "create"])
def test_a_provider_that_is_down_is_asked_ever_more_seldom(desk: Desk, kind: str) -> None:
    desk.book(NOW + DAY)
    desk.failing(kind, UNREACHABLE, times=100_000)
    assert carried(desk, 3 * HOUR) <= 420 if kind == "create" else carried(desk, 3 * HOUR) <= 40
    desk.sound()
    carried(desk, HOUR + HOUR / 6)
    assert desk.starts() == [NOW + DAY]
    assert desk.known().trouble == ""


def test_a_converged_calendar_is_looked_at_once_in_a_period(desk: Desk) -> None:
    desk.book(NOW + DAY)
    desk.poll()
    assert 52 <= carried(desk, HOUR) <= 68


def test_a_braked_link_does_not_spin(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with(on_delete=OnDelete.CANCEL)
    for hour in range(8):
        desk.book(NOW + DAY + hour * HOUR)
    desk.poll(2)
    for event in desk.events():
        desk.paper.delete(desk.calendar, event.id)
    desk.poll()
    desk.move(desk.items()[0].key.entry, NOW + 9 * DAY)
    assert carried(desk, HOUR) <= 12
    assert desk.known().standing is Standing.GUARD


def test_ten_thousand_links_do_not_all_look_in_the_same_second() -> None:
    period = timedelta(seconds=60)
    found = [spread(LinkId(f"{number:x}" * 8), period) for number in range(10_000)]
    assert found == [spread(LinkId(f"{number:x}" * 8), period) for number in range(10_000)]
    assert all(timedelta(seconds=54) <= each <= timedelta(seconds=66.1) for each in found)
    most = max(sum(second <= each.total_seconds() < second + 1 for each in found) for second in range(54, 67))
    assert most < 2000


def test_where_the_provider_tells_of_changes_it_is_asked_more_seldom(desk: Desk) -> None:
    from gateway.links import Channel

    desk.poll()
    with desk.store.write(DEMO, PLATFORM) as tx:
        expires = desk.clock.now + 7 * DAY
        tx.add_channel(Channel(link=LinkId(desk.link), id="c", resource="r", secret="s", made=desk.clock.now, expires=expires))
    desk.poll()
    assert 10 <= carried(desk, HOUR) <= 14


def test_a_link_that_is_paused_during_a_look_is_left_as_it_is(desk: Desk) -> None:
    entry = desk.book(NOW + DAY)
    desk.poll()
    desk.paper.move(desk.calendar, desk.only().id, NOW + DAY + HOUR)
    desk.paper.pulls.append(lambda: desk.decided(standing=Standing.PAUSED))
    desk.poll()
    assert desk.held(entry.id).span.start == NOW + DAY
    assert desk.known().standing is Standing.PAUSED
    desk.decided(standing=Standing.ACTIVE)
    desk.poll()
    assert desk.held(entry.id).span.start == NOW + DAY + HOUR


def test_a_provider_that_is_switched_off_is_not_called(desk: Desk) -> None:
    desk.book(NOW + DAY)
    with desk.store.write(DEMO, PLATFORM) as tx:
        tx.save_company(replace(tx.company, policy=replace(tx.company.policy, google=False)))
    desk.poll(2)
    assert desk.asked() == []
    with desk.store.write(DEMO, PLATFORM) as tx:
        tx.save_company(replace(tx.company, policy=replace(tx.company.policy, google=True)))
    desk.clock.forward(HOUR)
    assert desk.due()
    desk.poll()
    assert desk.starts() == [NOW + DAY]


class TestTheEnd:
    """A link that is disconnected, and its events removed."""

    def test_our_events_go_and_nobody_elses(self, desk: Desk) -> None:
        desk.book(NOW + DAY)
        desk.book(NOW + 2 * DAY)
        desk.poll()
        copy = desk.paper.copy(desk.calendar, desk.events()[0].id)
        desk.decided(standing=Standing.ENDING)
        desk.poll()
        assert [event.id for event in desk.events()] == [copy]
        assert desk.known().standing is Standing.ENDED
        assert desk.letters() == ["booked", "booked"]
        assert desk.paper.given_back == 1

    def test_what_was_changed_or_deleted_there_meanwhile_is_nobodys_question(self, desk: Desk) -> None:
        for day in (1, 2, 3):
            desk.book(NOW + day * DAY)
        desk.poll()
        desk.letters()
        first, second, _ = desk.events()
        desk.paper.delete(desk.calendar, first.id)
        desk.paper.change(desk.calendar, second.id, title="Mine")
        desk.decided(standing=Standing.ENDING)
        desk.poll(2)
        assert desk.events() == []
        assert desk.known().standing is Standing.ENDED
        assert desk.letters() == []

    def test_an_event_with_guests_stays_and_is_said_to(self, desk: Desk) -> None:
        desk.book(NOW + DAY)
        desk.poll()
        desk.paper.put(desk.calendar, replace(desk.only(), attendees=True))
        desk.decided(standing=Standing.ENDING)
        desk.poll(3)
        assert desk.known().standing is Standing.ENDED
        assert "1 events could not be removed" in desk.known().trouble
        assert desk.paper.given_back == 0

    def test_an_access_that_ends_meanwhile_ends_the_link_as_well(self, desk: Desk) -> None:
        desk.book(NOW + DAY)
        desk.poll()
        desk.decided(standing=Standing.ENDING)
        desk.failing("", SIGNED_OUT, times=100)
        desk.poll()
        assert desk.known().standing is Standing.ENDED
        assert "could not be removed" in desk.known().trouble

    def test_an_unknown_outcome_is_found_out_and_removed(self, desk: Desk) -> None:
        desk.book(NOW + DAY)
        desk.failing("create", UNREACHABLE, when="after")
        desk.turn()
        desk.sound()
        desk.decided(standing=Standing.ENDING)
        desk.poll(4)
        assert desk.events() == []
        assert desk.known().standing is Standing.ENDED

    def test_a_provider_that_is_down_is_not_stormed(self, desk: Desk) -> None:
        desk.book(NOW + DAY)
        desk.poll()
        desk.decided(standing=Standing.ENDING, due=desk.clock.now)
        desk.failing("", UNREACHABLE, times=100_000)
        assert 1 <= carried(desk, HOUR) <= 20

    def test_connected_again_the_events_come_back_once(self, desk: Desk) -> None:
        desk.book(NOW + DAY)
        desk.poll()
        desk.decided(standing=Standing.ENDING)
        desk.poll()
        desk.decided(standing=Standing.ACTIVE, seen=0, cursor=None)
        desk.poll(2)
        assert desk.starts() == [NOW + DAY]


@pytest.mark.parametrize("level", [Level.BUSY, Level.INITIALS, Level.SERVICE])
def test_nothing_that_a_level_does_not_show_leaves_the_house(desk_with: Callable[..., Desk], level: Level) -> None:  # 50, I10
    desk = desk_with(level=level)
    entry = desk.book(NOW + DAY)
    desk.poll()
    desk.paper.change(desk.calendar, desk.only().id, title="Mine", text="Mine")
    desk.move(entry.id, NOW + 2 * DAY)
    desk.poll(2)
    desk.failing("update", Unreachable("No answer."))
    desk.move(entry.id, NOW + 3 * DAY)
    desk.poll(3)
    sent = repr(desk.paper.sent)
    with desk.store.read(DEMO) as snapshot:
        kept = repr(snapshot.history(desk.link, 500)) + repr(desk.items())
    for canary in (ANN.name, ANN.name.split()[1], ANN.email, ANN.phone, NOTE, *(["Advice"] if level is Level.BUSY else [])):
        assert canary not in sent
        assert canary not in kept


def test_less_detail_is_written_over_what_was_there(desk: Desk) -> None:
    desk.book(NOW + DAY)
    desk.poll()
    desk.decided(level=Level.BUSY, seen=0)
    desk.poll()
    assert desk.only().owned is not None
    assert (desk.only().owned.title, desk.only().owned.text) == ("Busy", "")


def test_the_history_never_names_a_customer(desk: Desk) -> None:
    entry = desk.book(NOW + DAY)
    desk.poll()
    desk.paper.move(desk.calendar, desk.only().id, NOW - DAY)
    desk.poll()
    desk.paper.delete(desk.calendar, desk.only().id)
    desk.poll()
    desk.paper.move(desk.calendar, desk.only().id, NOW + DAY + HOUR)
    desk.move(entry.id, NOW + 2 * DAY)
    desk.poll()
    with desk.store.read(DEMO) as snapshot:
        said = " ".join(each.sentence for each in snapshot.history(desk.link, 500))
    assert len(said) > 100
    assert not any(part in said for part in (*ANN.name.split(), ANN.email, NOTE))


def test_a_hung_turn_ends_when_it_is_told_to(desk: Desk) -> None:  # 46
    for day in range(1, 9):
        desk.book(NOW + day * DAY)
    claim = desk.store.claim(DEMO, desk.account, desk.clock.now, desk.clock.now + HOUR)
    assert claim is not None
    with suppress(Lost):
        desk.mirror.turn(claim, lambda: len(desk.starts()) >= 3)
    assert len(desk.starts()) == 3
    desk.store.finish(claim, desk.clock.now)
    desk.poll(2)
    assert len(desk.starts()) == 8
