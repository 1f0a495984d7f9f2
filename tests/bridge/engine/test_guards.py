"""Nothing is lost at once: brakes, half listings, empty answers, and a person's word about them (bridge.md §4, 1–12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.guards import Brake, Toll, at_most, next_look
from gateway.bridge.orders import decide
from gateway.bridge.remote import CursorExpired, Disconnected, RemoteError, Unreachable
from gateway.links import Direction, LinkId, Standing
from gateway.model import OnDelete
from tests.bridge.engine.paper import PATIENCE, UNREACHABLE, Desk
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, PLATFORM

CANCEL = OnDelete.CANCEL


def filled(desk: Desk, number: int) -> Desk:
    for each in range(number):
        desk.book(NOW + DAY + each * HOUR)
    desk.poll(3)
    assert len(desk.events()) == number
    desk.letters()
    return desk


def cancelled(desk: Desk) -> int:
    with desk.store.read(DEMO) as snapshot:
        return sum(snapshot.entries([item.key.entry])[item.key.entry].status == "cancelled" for item in desk.items())


def said(desk: Desk, *, meant: bool) -> None:
    with desk.store.write(DEMO, PLATFORM) as tx:
        decide(tx, LinkId(desk.link), desk.clock.now, meant=meant)


@given(live=st.integers(0, 5000), limit=st.integers(1, 100))
def test_a_few_may_always_go_and_never_more_than_the_limit(live: int, limit: int) -> None:
    most = at_most(live, limit)
    assert most == min(max(3, live // 10), limit)
    assert Toll(live=live, vanished=most).brake(limit) is None
    assert Toll(live=live, vanished=most + 1).brake(limit) is Brake.DELETE
    assert Toll(live=live, moved=most + 1).brake(limit) is Brake.MOVE


def test_what_trickles_in_over_a_day_is_found_out_as_well() -> None:
    assert Toll(live=20, vanished=3, cancelled=6).brake(20) is None
    assert Toll(live=20, vanished=3, cancelled=7).brake(20) is Brake.CANCEL


def test_a_braked_link_is_listed_again_after_a_quarter_of_an_hour_and_six_hours_and_then_daily() -> None:
    assert next_look(NOW, NOW) == NOW + timedelta(minutes=15)
    assert next_look(NOW, NOW + timedelta(minutes=20)) == NOW + 6 * HOUR
    assert next_look(NOW, NOW + 7 * HOUR) == NOW + 31 * HOUR


def test_a_calendar_that_was_emptied_cancels_nothing_until_a_person_has_said_so(desk_with: Callable[..., Desk]) -> None:  # 1, 9
    desk = filled(desk_with(on_delete=CANCEL), 8)
    for event in desk.events():
        desk.paper.delete(desk.calendar, event.id)
    desk.poll(3)
    link = desk.known()
    assert link.standing is Standing.GUARD
    assert "8 of 8 appointments are missing" in link.trouble
    assert cancelled(desk) == 0
    assert desk.letters() == []
    assert desk.history().count("guard") == 1
    said(desk, meant=True)
    desk.poll(2)
    assert cancelled(desk) == 8
    assert desk.known().standing is Standing.ACTIVE
    assert desk.letters() == ["cancelled"] * 8


def test_what_was_not_meant_comes_back_without_a_letter_for_each(desk: Desk) -> None:
    filled(desk, 8)
    for event in desk.events():
        desk.paper.delete(desk.calendar, event.id)
    desk.poll()
    said(desk, meant=False)
    desk.poll(3)
    assert len(desk.starts()) == 8
    assert cancelled(desk) == 0
    assert desk.letters() == []
    assert desk.known().direction is Direction.OUT


def test_all_events_an_hour_later_move_nobody(desk: Desk) -> None:
    filled(desk, 6)
    before = desk.starts()
    for event in desk.events():
        assert event.owned is not None
        desk.paper.move(desk.calendar, event.id, event.owned.span.start + HOUR / 2)
    desk.poll(2)
    assert desk.known().standing is Standing.GUARD
    assert sorted(desk.held(item.key.entry).span.start for item in desk.items()) == before
    assert desk.letters() == []


def test_moves_that_were_meant_are_taken_over(desk: Desk) -> None:
    filled(desk, 6)
    for event in reversed(desk.events()):
        assert event.owned is not None
        desk.paper.move(desk.calendar, event.id, event.owned.span.start + 30 * DAY)
    desk.poll()
    said(desk, meant=True)
    desk.poll(2)
    assert min(desk.held(item.key.entry).span.start for item in desk.items()) == NOW + 31 * DAY
    assert desk.letters() == ["moved"] * 6


def test_a_brake_that_lets_go_by_itself_once_the_listing_looks_sound_again(desk: Desk) -> None:
    filled(desk, 6)
    kept = dict(desk.paper.events[desk.calendar])
    for event in desk.events():
        desk.paper.delete(desk.calendar, event.id)
    desk.poll()
    assert desk.known().standing is Standing.GUARD
    desk.paper.events[desk.calendar] = kept
    desk.clock.forward(timedelta(minutes=16))
    desk.turn()
    assert (desk.known().standing, desk.known().trouble) == (Standing.ACTIVE, "")
    assert desk.writes(desk.mark - 1) == []


def test_while_a_brake_is_pulled_new_bookings_are_written_and_nothing_else_is(desk: Desk) -> None:
    filled(desk, 6)
    for event in desk.events()[:5]:
        desk.paper.delete(desk.calendar, event.id)
    desk.poll()
    moved = next(item.key.entry for item in desk.items())
    before = desk.mark
    desk.move(moved, NOW + 20 * DAY)
    desk.book(NOW + 3 * DAY)
    assert desk.due()
    desk.turn()
    assert desk.writes(before) == ["create"]
    assert not desk.due()


@pytest.mark.parametrize("page", [0, 1, 2])
@pytest.mark.parametrize("error", [UNREACHABLE, Unreachable("HTML instead of JSON"), PATIENCE, CursorExpired("?"), Disconnected("?")])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_listing_that_breaks_off_deletes_nothing(desk_with: Callable[..., Desk], page: int, error: RemoteError, when: str) -> None:  # 2
    desk = filled(desk_with(on_delete=CANCEL), 8)
    desk.decided(listed=None, cursor=None)
    before = desk.mark
    desk.failing("list" if not page else "page", error, when=when, skip=max(page - 1, 0), times=3)
    desk.poll(2)
    desk.sound()
    desk.clock.forward(2 * HOUR)
    desk.turn()
    assert cancelled(desk) == 0
    assert desk.writes(before) == []
    assert desk.known().standing is Standing.ACTIVE


def test_a_dead_cursor_lists_everything_and_finds_what_was_deleted_meanwhile(desk_with: Callable[..., Desk]) -> None:  # 3, 4
    desk = filled(desk_with(on_delete=CANCEL), 8)
    gone = desk.events()[0]
    desk.paper.delete(desk.calendar, gone.id)
    del desk.paper.events[desk.calendar][gone.id]  # and nobody remembers it
    desk.paper.forgotten = len(desk.paper.changes)
    desk.poll()
    assert cancelled(desk) == 1
    assert len(desk.starts()) == 7


def test_a_crash_between_a_dead_cursor_and_a_full_listing_writes_nothing(desk: Desk) -> None:  # 5
    filled(desk, 5)
    desk.paper.forgotten = len(desk.paper.changes) + 1
    desk.failing("list", UNREACHABLE, skip=0, times=1)
    before = desk.mark
    desk.poll()
    desk.sound()
    desk.clock.forward(HOUR)
    desk.poll(2)
    assert desk.writes(before) == []
    assert len(desk.starts()) == 5


def test_a_removal_that_was_only_a_hint_is_asked_about_first(desk_with: Callable[..., Desk]) -> None:  # 6
    desk = filled(desk_with(on_delete=CANCEL), 5)
    desk.paper.hints = True
    away, gone = desk.events()[:2]
    desk.paper.delete(desk.calendar, gone.id)
    desk.paper.delete(desk.calendar, away.id)
    desk.paper.pulls.append(lambda: desk.paper.put(desk.calendar, away))  # it had only left the window
    desk.poll(2)
    assert cancelled(desk) == 1
    assert len(desk.starts()) == 4


def test_many_hints_are_not_all_asked_about_before_the_brake(desk_with: Callable[..., Desk]) -> None:
    desk = filled(desk_with(on_delete=CANCEL), 12)
    desk.paper.hints = True
    for event in desk.events():
        desk.paper.delete(desk.calendar, event.id)
    before = desk.mark
    desk.poll()
    assert desk.known().standing is Standing.GUARD
    assert desk.asked(before).count("get") <= 5
    assert cancelled(desk) == 0


def test_ids_that_have_changed_over_night_pull_the_brake(desk_with: Callable[..., Desk]) -> None:  # 7
    desk = filled(desk_with(on_delete=CANCEL), 6)
    events = desk.paper.events[desk.calendar]
    for each in list(events):
        event = events.pop(each)
        desk.paper.put(desk.calendar, type(event)(id=f"new-{each}", owned=event.owned, ours=event.ours))
    desk.decided(listed=None)
    desk.poll()
    assert desk.known().standing is Standing.GUARD
    assert cancelled(desk) == 0


def test_trouble_in_another_calendar_of_the_account_deletes_nothing_in_this_one(desk_with: Callable[..., Desk]) -> None:  # 8
    desk = filled(desk_with(on_delete=CANCEL), 5)
    desk.second("other", "elsewhere")
    desk.poll(2)
    desk.paper.events["elsewhere"].clear()
    desk.clock.forward(25 * HOUR)
    desk.turn()
    assert len(desk.starts()) == 5
    assert cancelled(desk) == 0


def test_a_changed_appointment_is_one_update_and_no_deletion(desk: Desk) -> None:  # 10
    filled(desk, 3)
    before = desk.mark
    desk.move(desk.items()[0].key.entry, NOW + 5 * DAY)
    desk.poll(3)
    assert desk.writes(before) == ["update"]


def test_a_copy_of_our_event_is_the_persons_own(desk: Desk) -> None:  # 11
    [booked] = [desk.book(NOW + DAY)]
    desk.poll()
    copy = desk.paper.copy(desk.calendar, desk.only().id)
    written = desk.paper.events[desk.calendar][copy]
    desk.cancel(booked.id)
    desk.poll(3)
    assert desk.paper.events[desk.calendar][copy] == written
    assert [event.id for event in desk.events()] == [copy]


def test_a_copy_made_before_we_know_our_own_event_is_not_mistaken_for_it(desk: Desk) -> None:
    desk.book(NOW + DAY)
    desk.failing("create", UNREACHABLE, when="after")
    desk.turn()
    desk.sound()
    [ours] = desk.events()
    copy = desk.paper.copy(desk.calendar, ours.id)
    written = desk.paper.events[desk.calendar][copy]
    desk.poll(3)
    assert [item.remote for item in desk.items() if item.condition != "foreign"] == [ours.id]
    assert desk.paper.events[desk.calendar][copy] == written


def test_appointments_that_are_gone_from_the_store_are_deleted_there_only_after_a_question(desk: Desk) -> None:
    filled(desk, 6)
    with desk.store.write(DEMO, PLATFORM) as tx:  # as after a restored backup that knows less
        for item in tx.items(desk.link)[:5]:
            tx.drop_item(item.link, item.key)
            key = type(item.key)(entry=type(item.key.entry)(f"lost-{item.key.entry}"))
            tx.save_item(type(item)(link=item.link, key=key, remote=item.remote, etag=item.etag, base=item.base, draft=item.draft), NOW)
    before = desk.mark
    desk.poll(3)
    assert "delete" not in desk.writes(before)
