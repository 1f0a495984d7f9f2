"""What is booked here is there, once: unknown outcomes, crashes, clashes, refusals for good (bridge.md §4, 13–16, 21, 22, 33)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from gateway.bridge.remote import CalendarGone, Exists, Gone, Rejected, Unreachable
from gateway.links import Condition, Standing
from gateway.model import Recurrence
from tests.bridge.engine.paper import PATIENCE, UNREACHABLE, Desk
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, PLATFORM, Crash


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_call_with_unknown_outcome_makes_one_event(desk: Desk, when: str, times: int) -> None:  # 13, 14
    desk.book(NOW + DAY)
    desk.failing("create", UNREACHABLE, when=when, times=times)
    desk.poll(times)
    desk.sound()
    desk.poll(2)
    assert desk.starts() == [NOW + DAY]
    assert desk.items()[0].condition is Condition.SYNCED


def test_after_an_unknown_outcome_the_provider_is_asked_before_it_is_called_again(desk: Desk) -> None:
    desk.book(NOW + DAY)
    desk.failing("create", UNREACHABLE, when="after")
    desk.poll(2)
    calls = [kind for kind in desk.asked() if kind != "list"]
    assert calls == ["create", "find"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["update", "delete"])
def test_a_change_with_unknown_outcome_arrives_and_is_nobodys_proposal(desk: Desk, kind: str, when: str) -> None:
    booked = desk.book(NOW + DAY)
    desk.poll()
    desk.letters()
    desk.failing(kind, UNREACHABLE, when=when)
    if kind == "update":
        desk.move(booked.id, NOW + 2 * DAY)
    else:
        desk.cancel(booked.id)
    desk.poll()
    desk.sound()
    desk.poll(3)
    assert desk.starts() == ([NOW + 2 * DAY] if kind == "update" else [])
    assert desk.letters() == ["moved" if kind == "update" else "cancelled"]
    assert {"conflict", "refused", "moved", "restored"} & set(desk.history()) == set()


def test_what_is_moved_again_before_the_outcome_is_known_ends_where_it_was_moved_last(desk: Desk) -> None:
    booked = desk.book(NOW + DAY)
    desk.failing("create", UNREACHABLE, when="after")
    desk.turn()
    desk.sound()
    desk.move(booked.id, NOW + 2 * DAY)
    desk.turn()  # at once: the intent rests still
    desk.poll(2)
    assert desk.starts() == [NOW + 2 * DAY]
    assert desk.held(booked.id).span.start == NOW + 2 * DAY
    desk.failing("update", UNREACHABLE, when="after")
    desk.move(booked.id, NOW + 3 * DAY)
    desk.turn()
    desk.sound()
    desk.move(booked.id, NOW + 4 * DAY)
    desk.turn()
    desk.poll(2)
    assert desk.starts() == [NOW + 4 * DAY]
    assert desk.held(booked.id).span.start == NOW + 4 * DAY
    assert {"conflict", "refused"} & set(desk.history()) == set()


def test_what_is_cancelled_before_the_outcome_is_known_goes(desk: Desk) -> None:
    booked = desk.book(NOW + DAY)
    desk.failing("create", UNREACHABLE, when="after")
    desk.turn()
    desk.sound()
    desk.cancel(booked.id)
    desk.poll(3)
    assert desk.events() == []
    assert desk.items()[0].condition is Condition.GONE


def test_what_is_cancelled_before_anybody_was_called_is_never_written(desk: Desk) -> None:
    booked = desk.book(NOW + DAY)
    desk.cancel(booked.id)
    desk.poll(2)
    assert desk.writes() == []


def test_looking_again_and_again_writes_nothing(desk: Desk) -> None:  # 15
    for day in range(1, 5):
        desk.book(NOW + day * DAY, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=3") if day == 4 else None)
    desk.poll(2)
    before = desk.mark
    desk.poll(10)
    assert desk.asked(before) == ["list"] * 10


def test_a_day_later_everything_is_listed_and_still_nothing_is_written(desk: Desk) -> None:
    desk.book(NOW + DAY)
    desk.book(NOW + 500 * DAY)  # beyond the window of the listing
    desk.poll(2)
    before = desk.mark
    desk.clock.forward(25 * HOUR)
    desk.poll(2)
    assert desk.asked(before) == ["list", "list"]


def test_connecting_again_makes_nothing_twice(desk: Desk) -> None:  # 16
    desk.book(NOW + DAY)
    desk.book(NOW + 2 * DAY, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=3"))
    desk.poll(2)
    before = desk.mark
    desk.decided(standing=Standing.ENDED, cursor=None)
    desk.decided(standing=Standing.ACTIVE, cursor=None, seen=0)
    desk.poll(3)
    assert desk.writes(before) == []


def test_what_was_deleted_there_comes_back_as_a_new_generation_with_few_calls(desk: Desk) -> None:  # 21
    booked = desk.book(NOW + DAY)
    desk.poll()
    desk.paper.delete(desk.calendar, desk.only().id)
    before = desk.mark
    desk.poll()
    assert desk.writes(before) == ["create"]
    assert len(desk.asked(before)) <= 3
    assert sorted(item.key.generation for item in desk.items()) == [0, 1]
    assert desk.held(booked.id).status == "confirmed"


def test_an_identifier_that_is_used_up_costs_a_generation_and_no_question(desk: Desk) -> None:
    """As after a backup was restored that does not know what became of it."""
    desk.book(NOW + DAY)
    desk.poll()
    desk.paper.delete(desk.calendar, desk.only().id)
    desk.decided(seen=0, cursor=None)
    with desk.store.write(DEMO, PLATFORM) as tx:
        for item in tx.items(desk.link):
            tx.drop_item(item.link, item.key)
    desk.letters()
    desk.poll(2)
    assert len(desk.starts()) == 1
    assert desk.letters() == []


def test_an_event_that_exists_and_is_not_shown_yet_is_waited_for(desk: Desk) -> None:
    desk.book(NOW + DAY)
    desk.failing("create", Exists("There is one."))
    desk.poll()
    assert desk.items()[0].todo is not None
    desk.sound()
    desk.poll(2)
    assert len(desk.starts()) == 1


def test_one_item_that_is_refused_for_good_keeps_nobody_waiting(desk: Desk) -> None:  # 22, 33
    first = desk.book(NOW + DAY)
    desk.failing("create", Rejected("The specified time range is empty."))
    for day in (2, 3):
        desk.book(NOW + day * DAY)
    desk.poll(2)
    desk.clock.forward(DAY)
    desk.poll(5)
    assert desk.starts() == [NOW + 2 * DAY, NOW + 3 * DAY]
    [dead] = [item for item in desk.items() if item.key.entry == first.id]
    assert (dead.condition, dead.trouble) == (Condition.DEAD, "The specified time range is empty.")
    assert desk.asked().count("create") == 3
    assert desk.history().count("dead") == 1


def test_what_was_refused_for_good_is_tried_again_when_it_changes(desk: Desk) -> None:
    booked = desk.book(NOW + DAY)
    desk.failing("create", Rejected("No."))
    desk.poll(2)
    desk.move(booked.id, NOW + 2 * DAY)
    desk.poll()
    assert desk.starts() == [NOW + 2 * DAY]


def test_what_was_refused_for_good_goes_when_it_is_cancelled(desk: Desk) -> None:
    booked = desk.book(NOW + DAY)
    desk.poll()
    desk.failing("update", Rejected("No."))
    desk.move(booked.id, NOW + 2 * DAY)
    desk.poll()
    desk.sound()
    desk.cancel(booked.id)
    desk.poll()
    assert desk.events() == []


def test_one_item_that_nobody_foresaw_keeps_nobody_waiting(desk: Desk) -> None:
    odd = desk.book(NOW + DAY)
    original = desk.paper.expressible

    def surprise(key: object, owned: object) -> bool:
        if getattr(key, "entry", "") == odd.id:
            raise KeyError("start")
        return original(key, owned)  # type: ignore[arg-type]

    desk.paper.expressible = surprise
    desk.book(NOW + 2 * DAY)
    for _ in range(8):
        desk.poll()
        desk.clock.forward(HOUR)
    assert desk.starts() == [NOW + 2 * DAY]
    assert [item.condition for item in desk.items() if item.key.entry == odd.id] == [Condition.DEAD]
    assert desk.asked().count("create") <= 7


def test_one_item_that_is_never_answered_does_not_stop_the_others(desk: Desk) -> None:
    odd = desk.book(NOW + DAY)

    def trouble(number: int, kind: str, when: str) -> None:
        if kind == "create" and when == "before" and desk.paper.calls[number][1] == odd.id:
            raise Unreachable("500")

    desk.paper.trouble = trouble
    for day in range(2, 6):
        desk.book(NOW + day * DAY)
    desk.poll(3)
    assert len(desk.starts()) == 4


def test_a_provider_that_is_down_is_not_called_for_each_item(desk: Desk) -> None:
    for day in range(1, 20):
        desk.book(NOW + day * DAY)
    desk.failing("", UNREACHABLE, times=1000)
    desk.turn()
    assert len(desk.asked()) <= 3
    assert not desk.due()


def test_what_changed_over_there_meanwhile_is_merged_before_it_is_written(desk: Desk) -> None:
    booked = desk.book(NOW + DAY)
    desk.poll()
    desk.letters()
    desk.paper.change(desk.calendar, desk.only().id, title="Mine")
    desk.move(booked.id, NOW + 2 * DAY)
    desk.poll()
    assert desk.starts() == [NOW + 2 * DAY]
    assert desk.only().owned is not None
    assert desk.only().owned.title == "Advice – Ann Canaryname"
    assert desk.letters() == ["moved"]


def test_a_clash_that_no_listing_tells_of_is_looked_at(desk: Desk) -> None:
    booked = desk.book(NOW + DAY)
    desk.poll()
    event = desk.only()
    desk.paper.events[desk.calendar][event.id] = replace(event, etag=event.etag + 1)  # a reminder, say: no listing tells
    desk.move(booked.id, NOW + 2 * DAY)
    desk.poll()
    assert desk.starts() == [NOW + 2 * DAY]


def test_a_calendar_that_does_not_exist_suspends_the_link_and_nothing_else(desk: Desk) -> None:
    desk.book(NOW + DAY)
    desk.second("other", "elsewhere")

    def trouble(number: int, kind: str, when: str) -> None:
        if kind in ("create", "list") and when == "before" and desk.paper.current == desk.calendar:
            raise Gone("404") if kind == "create" else CalendarGone("The calendar does not exist any more.")

    desk.paper.trouble = trouble
    for _ in range(4):
        desk.poll()
        desk.clock.forward(HOUR)
    assert desk.known().standing is Standing.SUSPENDED
    assert desk.account_known().access == "ok"
    assert len(desk.events("elsewhere")) == 1
    before = desk.mark
    desk.poll(2)
    assert len(desk.asked(before)) == 2  # the other one alone


def test_once_is_no_proof_that_a_calendar_is_gone(desk: Desk) -> None:
    desk.failing("list", CalendarGone("?"))
    desk.poll()
    desk.sound()
    desk.poll(2)
    assert desk.known().standing is Standing.ACTIVE
    assert desk.known().failures == 0


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("bomb", range(8))
def test_a_process_killed_at_any_commit_leaves_one_event_for_each_appointment(desk: Desk, bomb: int, after: bool) -> None:
    desk.book(NOW + DAY)
    moved = desk.book(NOW + 2 * DAY)
    desk.poll()
    desk.move(moved.id, NOW + 3 * DAY)
    gone = desk.book(NOW + 4 * DAY)
    desk.store.bomb, desk.store.after = bomb, after
    with suppress(Crash):
        desk.poll()
    desk.store.bomb = None
    desk.cancel(gone.id)
    desk.poll(4)
    assert desk.starts() == [NOW + DAY, NOW + 3 * DAY]
    assert {"conflict", "refused"} & set(desk.history()) == set()


def test_a_turn_makes_so_many_calls_and_goes_on_in_the_next(desk: Desk) -> None:
    desk.habits = replace(desk.habits, calls=10)
    for hour in range(24):
        desk.book(NOW + DAY + hour * HOUR)
    desk.turn()
    assert desk.asked().count("create") == 10
    desk.clock.forward(HOUR / 60)
    assert desk.due()
    desk.poll(2)
    assert len(desk.starts()) == 24


def test_what_was_just_booked_does_not_wait_for_a_first_filling(desk: Desk) -> None:
    desk.habits = replace(desk.habits, calls=4)
    for day in range(1, 20):
        desk.book(NOW + day * DAY)
    desk.turn()
    desk.clock.forward(HOUR)
    fresh = desk.book(NOW + 300 * DAY)
    desk.turn()
    assert fresh.span.start in desk.starts()
    assert len(desk.starts()) < 12


def test_an_account_rests_after_many_calls(desk: Desk) -> None:
    desk.habits = replace(desk.habits, calls=30, calls_per_minute=60)
    for hour in range(40):
        desk.book(NOW + DAY + hour * HOUR)
    desk.turn()
    assert not desk.due()
    desk.clock.forward(HOUR / 60 / 3)
    assert not desk.due()
    desk.clock.forward(HOUR / 60 / 2)
    assert desk.due()


def test_patience_that_is_asked_for_in_the_middle_loses_and_doubles_nothing(desk: Desk) -> None:
    for hour in range(5):
        desk.book(NOW + DAY + hour * HOUR)
    desk.failing("create", PATIENCE, skip=2)
    desk.turn()
    assert len(desk.starts()) == 2
    assert not desk.due()
    desk.poll(2)
    assert len(desk.starts()) == 5
    assert desk.items()[0].key.generation == 0


def test_a_booking_long_over_is_not_written_and_one_of_last_week_is(desk: Desk) -> None:  # product.md S04
    desk.clock.now = NOW - 60 * DAY
    desk.book(NOW - 50 * DAY)
    desk.book(NOW - 10 * DAY)
    desk.clock.now = NOW
    desk.poll()
    assert desk.starts() == [NOW - 10 * DAY]


def test_what_slides_out_of_the_window_stays_as_it_is(desk: Desk) -> None:
    desk.book(NOW + DAY)
    desk.book(NOW + 2 * DAY, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=2"))
    desk.poll(2)
    before = desk.mark
    for _ in range(6):
        desk.clock.forward(30 * DAY)
        desk.turn()
    desk.decided(seen=0)
    desk.poll(2)
    assert desk.writes(before) == []
    assert len(desk.events()) == 2
