"""Deletions over there, and changes on both sides at once: whose word counts, what is recorded, and who is told (bridge.md §5.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway import desk as front
from gateway.booking import Amend, Cancel, Move
from gateway.errors import Reason
from gateway.links import Condition
from gateway.model import Actor, EntryId, OnDelete, Span
from tests.bridge.engine.dragging import AT, HALF, booked, dragged, reasons
from tests.bridge.engine.paper import UNREACHABLE, Desk
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, PLATFORM


@pytest.mark.parametrize("policy", list(OnDelete))
def test_a_deletion_does_what_the_company_says(desk_with: Callable[..., Desk], policy: OnDelete) -> None:
    desk = desk_with(on_delete=policy)
    entry = booked(desk)
    desk.paper.delete(desk.calendar, desk.only().id)
    desk.poll(3)
    if policy is OnDelete.CANCEL:
        assert desk.held(entry.id).status == "cancelled"
        assert desk.events() == []
        assert desk.letters() == ["cancelled"]
    else:
        assert desk.held(entry.id).status == "confirmed"
        assert desk.starts() == [AT]
        assert desk.letters() == ["asked" if policy is OnDelete.ASK else "refused"]
        assert [item.condition for item in desk.items()] == [Condition.GONE, Condition.SYNCED]


@pytest.mark.parametrize("strict", [OnDelete.ASK, OnDelete.RESTORE])
def test_a_link_may_be_stricter_than_the_company(desk_with: Callable[..., Desk], strict: OnDelete) -> None:
    desk = desk_with(on_delete=OnDelete.CANCEL)
    desk.decided(on_delete=strict)
    entry = booked(desk)
    desk.paper.delete(desk.calendar, desk.only().id)
    desk.poll(2)
    assert desk.held(entry.id).status == "confirmed"
    assert desk.letters() == ["asked" if strict is OnDelete.ASK else "refused"]


def test_a_link_may_not_be_laxer_than_the_company(desk: Desk) -> None:
    desk.decided(on_delete=OnDelete.CANCEL)
    entry = booked(desk)
    desk.paper.delete(desk.calendar, desk.only().id)
    desk.poll(2)
    assert desk.held(entry.id).status == "confirmed"
    assert desk.letters() == ["asked"]


def test_what_was_changed_here_and_deleted_there_is_asked_about_whatever_the_policy(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with(on_delete=OnDelete.CANCEL)
    entry = booked(desk)
    desk.paper.delete(desk.calendar, desk.only().id)
    desk.move(entry.id, NOW + 2 * DAY)
    desk.poll(3)
    assert desk.held(entry.id).status == "confirmed"
    assert desk.starts() == [NOW + 2 * DAY]
    assert desk.letters() == ["asked", "moved"]


def test_what_is_cancelled_here_goes_whatever_was_done_to_it_there(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, AT + HOUR)
    desk.cancel(entry.id)
    desk.poll(2)
    assert desk.events() == []
    assert desk.held(entry.id).status == "cancelled"
    assert desk.letters() == ["cancelled"]


def test_deleted_on_both_sides_is_nothing(desk: Desk) -> None:
    entry = booked(desk)
    desk.paper.delete(desk.calendar, desk.only().id)
    desk.cancel(entry.id)
    before = desk.mark
    desk.poll(3)
    assert "create" not in desk.writes(before)
    assert desk.letters() == ["cancelled"]
    assert desk.items()[0].condition is Condition.GONE


def test_moved_on_both_sides_the_booking_systems_time_counts_and_the_other_is_recorded_and_told(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, AT + 5 * HOUR)
    desk.move(entry.id, NOW + 2 * DAY)
    desk.poll(3)
    assert desk.held(entry.id).span.start == NOW + 2 * DAY
    assert desk.starts() == [NOW + 2 * DAY]
    with desk.store.read(DEMO) as snapshot:
        said = [each.sentence for each in snapshot.history(desk.link, 50) if each.kind == "conflict"]
    assert len(said) == 1
    assert "2026-11-25 13:00 UTC" in said[0]
    assert desk.letters() == ["moved", "refused"]
    assert reasons(desk, entry.id) == [Reason.STALE]


def test_moved_on_both_sides_by_the_staff_member_the_latest_wish_counts(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, AT + 5 * HOUR)
    john = Actor("john-smith", "dav")
    with desk.store.write(DEMO, john) as tx:
        front.apply_to(tx, john, entry.id, [Move(span=Span(NOW + 2 * DAY, NOW + 2 * DAY + HALF))], desk.clock.now)
    desk.poll(3)
    assert desk.held(entry.id).span.start == AT + 5 * HOUR
    assert desk.letters() == ["moved"]


def test_moved_on_both_sides_to_the_same_time_is_agreed(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, AT + 5 * HOUR)
    desk.move(entry.id, AT + 5 * HOUR)
    before = desk.mark
    desk.poll(3)
    assert desk.writes(before) in ([], ["update"])
    assert desk.starts() == [AT + 5 * HOUR]
    assert desk.letters() == ["moved"]
    assert {"conflict", "refused"} & set(desk.history()) == set()


def test_moved_there_and_annotated_here_both_count(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, AT + HOUR)
    with desk.store.write(DEMO, PLATFORM) as tx:
        front.apply_to(tx, PLATFORM, entry.id, [Amend(notes="Bring the key")], desk.clock.now)
    desk.poll(3)
    assert desk.held(entry.id).span.start == AT + HOUR
    assert desk.only().owned is not None
    assert "Bring the key" in desk.only().owned.text
    assert desk.starts() == [AT + HOUR]


def test_the_unchanged_side_never_undoes_a_move(desk: Desk) -> None:  # 34
    entry = booked(desk)
    desk.move(entry.id, NOW + 2 * DAY)
    desk.decided(listed=None, cursor=None)
    desk.failing("update", UNREACHABLE, times=2)
    desk.poll(3)
    assert desk.held(entry.id).span.start == NOW + 2 * DAY
    assert desk.starts() == [NOW + 2 * DAY]
    assert desk.letters() == ["moved"]


def test_an_appointment_cancelled_by_the_customer_while_it_is_dragged_stays_cancelled(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, AT + HOUR)
    desk.paper.pulls.append(lambda: _cancelled(desk, entry.id))
    desk.poll(2)
    assert desk.held(entry.id).status == "cancelled"
    assert desk.events() == []


def _cancelled(desk: Desk, entry: EntryId) -> None:
    with desk.store.write(DEMO, PLATFORM) as tx:
        front.apply_to(tx, PLATFORM, entry, [Cancel()], desk.clock.now)


def test_one_links_first_filling_leaves_calls_for_the_others(desk: Desk) -> None:
    desk.habits = replace(desk.habits, calls=12)
    desk.second("other", "elsewhere")
    for day in range(1, 30):
        desk.book(NOW + day * DAY)
    desk.turn()
    assert len(desk.events()) == 6
    assert len(desk.events("elsewhere")) >= 3


def test_appointments_of_others_in_one_calendar_are_nobodys_business(desk: Desk) -> None:  # 20
    """Two links write into one calendar: each leaves the other's events alone, whatever their markers say."""
    entry = booked(desk)
    desk.second("other", desk.calendar, seen=0)
    desk.poll(3)
    assert len(desk.events()) == 2
    before = desk.mark
    desk.poll(3)
    assert desk.writes(before) == []
    desk.cancel(entry.id)
    desk.poll(2)
    assert desk.events() == []
    assert desk.letters() == ["cancelled"]
