"""What is done over there: drags, texts, events of other people; who is told, and how often (bridge.md §4, 17–20, 23–27)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Reason
from gateway.links import Condition, Direction, Owned
from gateway.model import Appointment, Span
from tests.bridge.engine.dragging import AT, HALF, booked, dragged, reasons
from tests.bridge.engine.paper import UNREACHABLE, Desk, Event
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, Crash


def test_a_drag_moves_the_booking_and_the_customer_is_told_once(desk: Desk) -> None:  # 27, 48
    entry = booked(desk)
    dragged(desk, AT + 3 * HOUR)
    before = desk.mark
    desk.poll(3)
    assert desk.held(entry.id).span == Span(AT + 3 * HOUR, AT + 3 * HOUR + HALF)
    assert desk.writes(before) == []
    assert desk.letters() == ["moved"]
    desk.poll(3)
    assert desk.letters() == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("bomb", range(4))
def test_the_customer_is_told_once_also_across_a_crash(desk: Desk, bomb: int, after: bool) -> None:
    entry = booked(desk)
    dragged(desk, AT + 3 * HOUR)
    desk.store.bomb, desk.store.after = bomb, after
    with suppress(Crash):
        desk.poll()
    desk.store.bomb = None
    desk.poll(3)
    assert desk.held(entry.id).span.start == AT + 3 * HOUR
    assert desk.letters() == ["moved"]


def test_three_drags_before_a_look_are_one_move(desk: Desk) -> None:
    entry = booked(desk)
    for hours in (1, 2, 5):
        dragged(desk, AT + hours * HOUR)
    desk.poll()
    assert desk.held(entry.id).sequence == entry.sequence + 1
    assert desk.letters() == ["moved"]


def test_a_drag_there_and_back_before_a_look_is_nothing(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, AT + HOUR)
    dragged(desk, AT)
    desk.poll(2)
    assert desk.held(entry.id).version == entry.version
    assert desk.letters() == []


def test_a_refused_drag_is_put_back_and_explained_once(desk: Desk) -> None:
    desk.book(NOW + 40 * DAY)
    entry = booked(desk)
    other = next(event for event in desk.events() if event.owned is not None and event.owned.span.start == AT)
    desk.paper.move(desk.calendar, other.id, NOW + 40 * DAY)
    desk.poll(3)
    assert desk.starts() == [AT, NOW + 40 * DAY]
    assert reasons(desk, entry.id) == [Reason.TAKEN]
    assert desk.letters() == ["refused"]
    assert "refused" in desk.history()


def test_what_is_dragged_again_after_a_refusal_counts(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, NOW - DAY)
    desk.failing("update", UNREACHABLE)
    desk.poll()
    dragged(desk, AT + 4 * HOUR)
    desk.sound()
    desk.poll(2)
    assert desk.held(entry.id).span.start in (AT, AT + 4 * HOUR)
    assert desk.starts() == [desk.held(entry.id).span.start]
    assert len(desk.letters()) == 2


@pytest.mark.parametrize(
    ("start", "length", "reason"),
    [(NOW - 2 * HOUR, HALF, Reason.PAST), (AT, 2 * HALF, Reason.DURATION), (AT, timedelta(), Reason.DURATION)],
)
def test_what_the_booking_system_does_not_allow_is_put_back(desk: Desk, start: object, length: timedelta, reason: Reason) -> None:
    entry = booked(desk)
    dragged(desk, start, length)
    desk.poll(2)
    assert desk.only().owned is not None
    assert desk.only().owned.span == entry.span
    assert reasons(desk, entry.id) == [reason]
    assert desk.letters() == ["refused"]


def test_a_drag_that_also_stretches_moves_and_keeps_the_length_of_the_service(desk: Desk) -> None:
    entry = booked(desk)
    dragged(desk, AT + 2 * HOUR, 3 * HALF)
    desk.poll(2)
    assert desk.held(entry.id).span == Span(AT + 2 * HOUR, AT + 2 * HOUR + HALF)
    assert desk.only().owned is not None
    assert desk.only().owned.span == desk.held(entry.id).span
    assert desk.letters() == ["moved"]


def test_a_stretch_is_taken_over_where_the_company_allows_it(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with(resize=True)
    entry = booked(desk)
    dragged(desk, AT, 2 * HALF)
    desk.poll(2)
    assert desk.held(entry.id).span == Span(AT, AT + 2 * HALF)


def test_an_event_made_all_day_is_put_back(desk: Desk) -> None:  # 30
    entry = booked(desk)
    midnight = NOW.replace(hour=23, minute=0)
    desk.paper.change(desk.calendar, desk.only().id, span=Span(midnight, midnight + DAY), all_day=True)
    desk.poll(2)
    assert desk.only().owned is not None
    assert (desk.only().owned.all_day, desk.only().owned.span) == (False, entry.span)
    assert reasons(desk, entry.id) == [Reason.ALL_DAY]


@pytest.mark.parametrize("field", ["title", "text", "place"])
def test_texts_that_were_changed_are_written_again_and_nobody_is_told(desk: Desk, field: str) -> None:
    entry = booked(desk)
    before, original = desk.mark, desk.only().owned
    desk.paper.change(desk.calendar, desk.only().id, **{field: "Mine now"})
    desk.poll(3)
    assert desk.only().owned == original
    assert desk.writes(before) == ["update"]
    assert desk.held(entry.id).notes == entry.notes
    assert desk.letters() == []


def test_marks_that_are_not_ours_are_only_an_echo(desk: Desk) -> None:
    """A reminder, a colour: the etag is another one, and nothing that we own."""
    booked(desk)
    desk.paper.put(desk.calendar, desk.only())
    before = desk.mark
    desk.poll(2)
    assert desk.asked(before) == ["list", "list"]
    assert desk.items()[0].etag == str(desk.only().etag)


def test_a_provider_that_spells_everything_differently_is_written_to_once(desk: Desk) -> None:  # 19
    desk.paper.spelling = lambda owned: replace(
        owned, title=f"{owned.title}.", text=owned.text.upper(), zone="UTC", rule=owned.rule.lower()
    )
    entry = booked(desk)
    before = desk.mark
    desk.poll(5)
    assert desk.writes(before) == []
    dragged(desk, AT + HOUR)
    desk.poll(3)
    assert desk.held(entry.id).span.start == AT + HOUR
    assert desk.writes(before) == []


def test_a_provider_that_spells_differently_and_does_not_answer_is_written_to_at_most_twice(desk: Desk) -> None:
    desk.paper.spelling = lambda owned: replace(owned, text=owned.text.upper())
    desk.book(AT)
    desk.failing("create", UNREACHABLE, when="after")
    desk.poll()
    desk.sound()
    desk.poll(4)
    assert desk.writes() in (["create"], ["create", "update"])


@pytest.mark.parametrize("switch", ["company", "link"])
def test_one_way_a_drag_is_put_back_and_explained(desk_with: Callable[..., Desk], switch: str) -> None:
    desk = desk_with(two_way=False) if switch == "company" else desk_with(direction=Direction.OUT)
    entry = booked(desk)
    dragged(desk, AT + HOUR)
    desk.poll(2)
    assert desk.starts() == [AT]
    assert reasons(desk, entry.id) == [Reason.TWO_WAY_OFF]
    assert desk.letters() == ["refused"]
    desk.paper.delete(desk.calendar, desk.only().id)
    desk.poll(2)
    assert desk.starts() == [AT]
    assert reasons(desk, entry.id) == [Reason.TWO_WAY_OFF] * 2


def test_a_rule_that_a_person_adds_is_taken_away(desk: Desk) -> None:
    entry = booked(desk)
    desk.paper.change(desk.calendar, desk.only().id, rule="FREQ=WEEKLY")
    desk.poll(2)
    assert desk.only().owned is not None
    assert desk.only().owned.rule == ""
    assert reasons(desk, entry.id) == [Reason.RECURRENCE]


def test_a_first_filling_tells_nobody(desk: Desk) -> None:  # 24
    for hour in range(60):
        desk.book(NOW + DAY + hour * HOUR)
    desk.letters()
    desk.poll(5)
    assert len(desk.starts()) == 60
    assert desk.letters() == []


def test_an_event_with_guests_is_never_deleted(desk: Desk) -> None:  # 26
    entry = booked(desk)
    desk.paper.put(desk.calendar, replace(desk.only(), attendees=True))
    desk.cancel(entry.id)
    desk.poll()
    before = desk.mark
    desk.poll(2)
    assert desk.only().attendees
    assert desk.asked(before) == ["list", "list"]
    assert desk.items()[0].condition is Condition.CONFLICT
    assert "guests" in desk.items()[0].trouble


def test_somebody_elses_events_are_busy_times_and_never_touched(desk: Desk) -> None:
    dentist = Owned(span=Span(AT, AT + HOUR), zone="Europe/Paris", title="Dentist canary")
    yoga = replace(dentist, span=Span(AT + 5 * HOUR, AT + 6 * HOUR), rule="FREQ=WEEKLY")
    for number, event in enumerate([Event(id="a", owned=dentist), Event(id="b", owned=yoga), Event(id="c", owned=dentist, busy=False)]):
        assert number < 3
        desk.paper.put(desk.calendar, event)
    desk.paper.date(desk.calendar, "b", yoga.span.start + 7 * DAY, Span(AT + 10 * DAY, AT + 10 * DAY + HOUR))
    desk.paper.date(desk.calendar, "b", yoga.span.start + 14 * DAY, None)
    kept = dict(desk.paper.events[desk.calendar])
    desk.poll(2)
    with desk.store.read(DEMO) as snapshot:
        busy = [span.start for span in snapshot.foreign_busy(desk.known().staff, Span(NOW, NOW + 26 * DAY))]
        assert all(item.base is None or item.base.title == "" for item in snapshot.items(desk.link))
    assert busy == sorted([AT, AT + 5 * HOUR, AT + 10 * DAY, AT + 5 * HOUR + 21 * DAY])
    assert desk.writes() == []
    assert desk.paper.events[desk.calendar] == kept
    desk.paper.delete(desk.calendar, "a")
    desk.poll()
    with desk.store.read(DEMO) as snapshot:
        assert AT not in [span.start for span in snapshot.foreign_busy(desk.known().staff, Span(NOW, NOW + 6 * DAY))]


def test_somebody_elses_event_keeps_a_drag_from_its_time(desk: Desk) -> None:
    dentist = Owned(span=Span(AT + 4 * HOUR, AT + 5 * HOUR), zone="Europe/Paris", title="Dentist")
    desk.paper.put(desk.calendar, Event(id="a", owned=dentist))
    entry = booked_beside(desk)
    ours = next(event for event in desk.events() if event.ours is not None)
    desk.paper.move(desk.calendar, ours.id, AT + 4 * HOUR)
    desk.poll(2)
    assert reasons(desk, entry.id) == [Reason.TAKEN]
    assert desk.starts() == [AT]


def booked_beside(desk: Desk) -> Appointment:
    made = desk.book(AT)
    desk.poll()
    return made


def test_two_links_of_one_person_do_not_play_ping_pong(desk: Desk) -> None:  # 18
    desk.second("other", "elsewhere")
    entry = booked(desk)
    dragged(desk, AT + HOUR)
    desk.poll(2)
    before = desk.mark
    desk.poll(5)
    assert desk.writes(before) == []
    assert [event.owned.span.start for event in desk.events("elsewhere") if event.owned is not None] == [AT + HOUR]
    assert desk.held(entry.id).sequence == entry.sequence + 1
    assert desk.letters() == ["moved"]


def test_dragged_differently_in_two_calendars_both_end_up_equal(desk: Desk) -> None:
    desk.second("other", "elsewhere")
    entry = booked(desk)
    dragged(desk, AT + HOUR)
    [there] = desk.events("elsewhere")
    desk.paper.move("elsewhere", there.id, AT + 3 * HOUR)
    desk.poll(3)
    before = desk.mark
    desk.poll(2)
    start = desk.held(entry.id).span.start
    assert start in (AT + HOUR, AT + 3 * HOUR)
    assert [event.owned.span.start for calendar in ("", "elsewhere") for event in desk.events(calendar) if event.owned] == [start, start]
    assert desk.writes(before) == []


def test_the_same_listing_twice_changes_nothing(desk: Desk) -> None:
    entry = booked(desk)
    old = desk.known().cursor
    dragged(desk, AT + HOUR)
    desk.poll()
    version, items = desk.held(entry.id).version, desk.items()
    desk.decided(cursor=old)
    before = desk.mark
    desk.poll()
    assert (desk.held(entry.id).version, desk.items()) == (version, items)
    assert desk.writes(before) == []
    assert desk.letters() == ["moved"]


def test_restored_from_the_bin_the_old_event_goes_and_the_new_one_stays(desk: Desk) -> None:
    booked(desk)
    old = desk.only()
    desk.paper.delete(desk.calendar, old.id)
    desk.poll()
    desk.paper.put(desk.calendar, old)
    desk.poll(3)
    assert len(desk.starts()) == 1
