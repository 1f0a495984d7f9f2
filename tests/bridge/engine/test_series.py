"""Series on paper: dates moved, cancelled and put back on either side, and what a provider cannot express (bridge.md §4, 25, 34–38)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from gateway import desk as front
from gateway.booking import Amend
from gateway.bridge.remote import Seen
from gateway.links import Condition
from gateway.model import OnDelete, Recurrence
from tests.bridge.engine.paper import UNREACHABLE, Desk, PaperCalendar
from tests.bridge.engine.weekly import AT, DATES, WEEK, master, moved, places, quiet, series, there
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, PLATFORM, Crash


def test_a_series_is_one_event(desk: Desk) -> None:
    series(desk)
    assert desk.writes() == ["create"]
    assert there(desk) == DATES
    quiet(desk)


def test_a_date_moved_and_one_cancelled_here_are_so_there(desk: Desk) -> None:  # 35
    entry = series(desk)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.cancel(entry.id, at=DATES[2])
    before = desk.mark
    desk.poll()
    assert there(desk) == [DATES[0], DATES[1] + HOUR, DATES[3]]
    assert sorted(desk.writes(before)) == ["delete", "update"]
    quiet(desk)


def test_a_series_that_already_differs_when_it_is_first_written(desk: Desk) -> None:
    entry = desk.book(AT, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=4"))
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.cancel(entry.id, at=DATES[2])
    desk.poll(2)
    assert there(desk) == [DATES[0], DATES[1] + HOUR, DATES[3]]
    quiet(desk)


@pytest.mark.parametrize("apart", [False, True])
def test_a_date_moved_and_then_cancelled_is_gone(desk: Desk, apart: bool) -> None:  # 36
    entry = series(desk)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    if apart:
        desk.poll()
    desk.cancel(entry.id, at=DATES[1])
    desk.poll(2)
    assert there(desk) == [DATES[0], *DATES[2:]]
    quiet(desk)


def test_a_date_moved_and_put_back_is_where_its_series_has_it(desk: Desk) -> None:
    entry = series(desk)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.poll()
    desk.move(entry.id, DATES[1], at=DATES[1])
    desk.poll()
    assert there(desk) == DATES
    quiet(desk)


def test_a_date_dragged_there_moves_alone_and_is_told_once(desk: Desk) -> None:  # 25
    entry = series(desk)
    moved(desk, 1, DATES[1] + 3 * HOUR)
    before = desk.mark
    desk.poll(2)
    assert places(desk, entry) == [DATES[0], DATES[1] + 3 * HOUR, *DATES[2:]]
    assert desk.writes(before) == []
    assert desk.letters() == ["one_moved"]


def test_two_dates_dragged_at_once_are_one_letter(desk: Desk) -> None:  # 25
    entry = series(desk)
    moved(desk, 1, DATES[1] + 3 * HOUR)
    moved(desk, 2, DATES[2] + 3 * HOUR)
    desk.poll()
    assert places(desk, entry) == [DATES[0], DATES[1] + 3 * HOUR, DATES[2] + 3 * HOUR, DATES[3]]
    assert desk.letters() == ["several_changed"]


def test_a_date_dragged_twice_ends_where_it_was_dragged_last(desk: Desk) -> None:
    entry = series(desk)
    moved(desk, 1, DATES[1] + 3 * HOUR)
    desk.poll()
    moved(desk, 1, DATES[1] + 4 * HOUR)
    desk.poll()
    assert places(desk, entry)[1] == DATES[1] + 4 * HOUR
    moved(desk, 1, DATES[1])
    desk.poll()
    assert places(desk, entry) == DATES
    quiet(desk)


def test_a_refused_drag_of_a_date_is_put_back(desk: Desk) -> None:
    entry = series(desk)
    moved(desk, 1, DATES[2])
    desk.poll(2)
    assert places(desk, entry) == DATES
    assert there(desk) == DATES
    assert desk.letters() == ["refused"]
    quiet(desk)


def test_the_old_place_of_a_date_never_flows_back(desk: Desk) -> None:  # 34
    entry = series(desk)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.failing("occurrence", UNREACHABLE)
    desk.poll()
    desk.sound()
    desk.decided(listed=None, cursor=None)
    desk.poll(3)
    assert places(desk, entry)[1] == DATES[1] + HOUR
    assert there(desk)[1] == DATES[1] + HOUR
    assert desk.letters() == ["one_moved"]


def test_a_date_moved_on_both_sides_is_a_conflict_that_is_recorded(desk: Desk) -> None:
    entry = series(desk)
    moved(desk, 1, DATES[1] + 3 * HOUR)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.poll(3)
    assert places(desk, entry)[1] == DATES[1] + HOUR
    assert there(desk)[1] == DATES[1] + HOUR
    assert "conflict" in desk.history()


@pytest.mark.parametrize("policy", [OnDelete.ASK, OnDelete.CANCEL])
def test_a_date_deleted_there_does_what_the_company_says(desk_with: Callable[..., Desk], policy: OnDelete) -> None:
    desk = desk_with(on_delete=policy)
    entry = series(desk)
    desk.paper.date(desk.calendar, master(desk), DATES[1], None)
    desk.poll(2)
    left = DATES if policy is OnDelete.ASK else [DATES[0], *DATES[2:]]
    assert places(desk, entry) == left
    assert there(desk) == left
    assert desk.letters() == ["asked" if policy is OnDelete.ASK else "one_cancelled"]
    quiet(desk)


def test_a_series_deleted_there_is_one_question_whatever_became_of_its_dates(desk: Desk) -> None:
    entry = series(desk)
    moved(desk, 1, DATES[1] + HOUR)
    desk.poll()
    desk.letters()
    desk.paper.delete(desk.calendar, master(desk))
    desk.poll(3)
    assert desk.letters() == ["asked"]
    assert places(desk, entry) == there(desk) == [DATES[0], DATES[1] + HOUR, *DATES[2:]]
    quiet(desk)


def test_a_date_that_cannot_be_found_is_parked_and_never_deleted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:  # 37
    entry = series(desk)
    found = PaperCalendar.occurrence
    monkeypatch.setattr(PaperCalendar, "occurrence", lambda *_: None)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.poll(3)
    assert [item.condition for item in desk.items() if item.key.at is not None] == [Condition.PARKED]
    assert desk.history().count("parked") == 1
    assert places(desk, entry)[1] == DATES[1] + HOUR
    assert "delete" not in desk.writes()
    monkeypatch.setattr(PaperCalendar, "occurrence", found)
    desk.clock.forward(25 * HOUR)
    desk.poll(2)
    assert there(desk)[1] == DATES[1] + HOUR


def test_a_whole_series_moved_here_keeps_its_exceptions(desk: Desk) -> None:
    entry = series(desk)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.poll()
    desk.move(entry.id, AT + 2 * HOUR)
    desk.poll(3)
    assert desk.held(entry.id).recurrence is not None
    assert [event.owned.span.start for event in desk.events() if event.owned and event.owned.rule] == [AT + 2 * HOUR]
    quiet(desk)


def test_a_whole_series_dragged_there_moves_as_a_whole(desk: Desk) -> None:
    entry = series(desk)
    desk.paper.move(desk.calendar, master(desk), AT + 2 * HOUR)
    desk.poll(2)
    assert places(desk, entry) == there(desk) == [at + 2 * HOUR for at in DATES]
    assert desk.letters() == ["series_moved"]
    quiet(desk)


def test_a_rule_that_was_changed_there_is_put_back(desk: Desk) -> None:
    """ "This and following" in Google: the series ends, and another one of the person's own begins."""
    entry = series(desk)
    desk.paper.change(desk.calendar, master(desk), rule="FREQ=WEEKLY;COUNT=2")
    copy = desk.paper.copy(desk.calendar, master(desk))
    desk.paper.move(desk.calendar, copy, DATES[2] + HOUR)
    desk.poll(3)
    assert places(desk, entry) == DATES
    assert desk.letters() == ["refused"]
    [ours] = [event for event in desk.events() if event.owned is not None and event.owned.rule and event.id != copy]
    assert ours.owned is not None
    assert ours.owned.rule == "FREQ=WEEKLY;COUNT=4"
    quiet(desk)


@pytest.mark.parametrize("forgetful", [False, True])
@pytest.mark.parametrize("change", ["rule", "time", "refused"])
def test_dates_that_differ_still_do_after_their_series_has_changed(desk: Desk, change: str, forgetful: bool) -> None:
    """Exchange forgets them all whenever the times or the rule of their series are written, by whomever."""
    desk.paper.forgetful = forgetful
    entry = series(desk)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.cancel(entry.id, at=DATES[2])
    desk.poll(2)
    expected = [DATES[0], DATES[1] + HOUR, DATES[3]]
    if change == "rule":
        held = desk.held(entry.id).recurrence
        assert held is not None
        longer = replace(held, rule="FREQ=WEEKLY;COUNT=5")
        with desk.store.write(DEMO, PLATFORM) as tx:
            front.apply_to(tx, PLATFORM, entry.id, [Amend(recurrence=longer)], desk.clock.now)
        expected.append(DATES[3] + WEEK)
    elif change == "time":
        desk.paper.move(desk.calendar, master(desk), AT + 2 * HOUR)
        expected = [DATES[0] + 2 * HOUR, DATES[1] + HOUR, DATES[3] + 2 * HOUR]
    else:
        desk.paper.move(desk.calendar, master(desk), NOW - DAY)
    desk.poll(4)
    assert places(desk, entry) == there(desk) == expected
    quiet(desk)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("bomb", range(9))
def test_a_kill_at_any_commit_leaves_a_series_whole(desk: Desk, bomb: int, after: bool) -> None:
    entry = series(desk)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.cancel(entry.id, at=DATES[2])
    moved(desk, 3, DATES[3] + 2 * HOUR)
    desk.store.bomb, desk.store.after = bomb, after
    with suppress(Crash):
        desk.poll()
    desk.store.bomb = None
    desk.poll(3)
    assert places(desk, entry) == there(desk) == [DATES[0], DATES[1] + HOUR, DATES[3] + 2 * HOUR]
    quiet(desk)


def test_a_series_that_began_years_ago_and_goes_on_is_written(desk: Desk) -> None:  # 12
    desk.clock.now = NOW - 3 * 365 * DAY
    desk.book(desk.clock.now + DAY, recurrence=Recurrence(rule="FREQ=WEEKLY"))
    desk.book(desk.clock.now + 2 * DAY, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=10"))
    desk.clock.now = NOW
    desk.poll(2)
    assert len(desk.events()) == 1
    desk.clock.forward(25 * HOUR)
    desk.poll()
    assert len(desk.events()) == 1
    assert desk.known().standing == "active"


def test_what_a_listing_says_of_dates_of_a_series_nobody_knows_is_somebody_elses(desk: Desk) -> None:
    series(desk)
    seen = Seen(id="x_1", etag="1", owned=None, master="x", at=AT)
    assert seen.owned is None
    desk.paper.put(desk.calendar, type(desk.only())(id="x_1", owned=None, master="x", at=AT))
    desk.poll(2)
    quiet(desk)
