"""The mirror from end to end: what is booked here is there, what is dragged there moves the booking, and nothing is done twice."""

from __future__ import annotations

from datetime import timedelta

from gateway.model import Recurrence
from tests.bridge.world import DAY, HOUR, JOHN, NOW, World


def test_a_booking_is_over_there_after_one_turn(world: World) -> None:
    booked = world.book(NOW + DAY)
    world.turn()
    [event] = world.there()
    assert event["start"].startswith("2026-11-25T09:00")
    assert "Advice" in event["title"]
    assert [item.key.entry for item in world.items()] == [booked.id]


def test_a_converged_world_costs_no_write_and_one_listing(world: World) -> None:
    world.book(NOW + DAY)
    world.book(NOW + 2 * DAY, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=4"))
    world.settle(3)
    before = len(world.wire.sent)
    world.settle(5)
    assert world.wire.writes(before) == []
    assert len(world.wire.lists(before)) == 5
    assert len(world.wire.sent) - before == 5


def test_a_move_here_is_one_patch_there(world: World) -> None:
    booked = world.book(NOW + DAY)
    world.settle()
    before = len(world.wire.sent)
    world.move(booked.id, NOW + DAY + HOUR)
    world.settle()
    assert [method for method, _ in world.wire.writes(before)] == ["PATCH"]
    assert world.there()[0]["start"].startswith("2026-11-25T10:00")


def test_a_cancellation_here_deletes_there(world: World) -> None:
    booked = world.book(NOW + DAY)
    world.settle()
    world.cancel(booked.id)
    world.settle()
    assert world.there() == []


def test_a_drag_there_moves_the_booking_and_tells_the_customer_once(world: World) -> None:
    booked = world.book(NOW + DAY)
    world.settle()
    assert world.letters() == ["booked"]
    [event] = world.there()
    world.act("move", id=event["id"], start="2026-11-25T14:00:00+01:00", end="2026-11-25T14:30:00+01:00")
    before = len(world.wire.sent)
    world.settle()
    assert world.held(booked.id).span.start == NOW + DAY + 5 * HOUR
    assert world.letters() == ["moved"]
    assert world.letters() == []
    assert world.wire.writes(before) == []


def test_a_refused_drag_is_put_back_and_explained(world: World) -> None:
    booked = world.book(NOW + DAY)
    world.book(NOW + DAY + HOUR)
    world.settle()
    world.letters()
    first = world.there()[0]
    world.act("move", id=first["id"], start="2026-11-25T10:00:00+01:00", end="2026-11-25T10:30:00+01:00")
    world.settle()
    assert world.held(booked.id).span.start == NOW + DAY
    assert [each["start"][:16] for each in world.there()] == ["2026-11-25T09:00", "2026-11-25T10:00"]
    assert world.letters() == ["refused"]
    before = len(world.wire.sent)
    world.settle()
    assert world.wire.writes(before) == []


def test_a_deletion_there_is_asked_about_and_the_event_comes_back(world: World) -> None:
    booked = world.book(NOW + DAY)
    world.settle()
    world.letters()
    [event] = world.there()
    world.act("delete", id=event["id"])
    world.settle()
    assert world.held(booked.id).status == "confirmed"
    assert len(world.there()) == 1
    assert world.letters() == ["asked"]


def test_an_occurrence_dragged_there_moves_alone(world: World) -> None:
    series = world.book(NOW + DAY, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=4"))
    world.settle()
    world.letters()
    [event] = world.there()
    world.act(
        "move", id=event["id"], occurrence="2026-12-02T09:00:00+01:00", start="2026-12-02T15:00:00+01:00", end="2026-12-02T15:30:00+01:00"
    )
    world.settle()
    recurrence = world.held(series.id).recurrence
    assert recurrence is not None
    assert [each.span.start for each in recurrence.overrides] == [NOW + 8 * DAY + 6 * HOUR]
    before = len(world.wire.sent)
    world.settle()
    assert world.wire.writes(before) == []


def test_an_occurrence_moved_and_one_cancelled_here_are_so_there(world: World) -> None:
    series = world.book(NOW + DAY, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=4"))
    world.move(series.id, NOW + 8 * DAY + timedelta(hours=3), at=NOW + 8 * DAY)
    world.cancel(series.id, at=NOW + 15 * DAY)
    world.settle(4)
    differing = {each["original_start"][:10]: each for each in world.fake.events(JOHN.email) if each["series"]}
    assert differing["2026-12-02"]["start"].startswith("2026-12-02T12:00")
    assert "2026-12-09" not in differing or differing["2026-12-09"]["cancelled"]
    assert world.cancelled_there(series.id) == [NOW + 15 * DAY]
    before = len(world.wire.sent)
    world.settle()
    assert world.wire.writes(before) == []
