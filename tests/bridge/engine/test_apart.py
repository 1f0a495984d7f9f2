"""What a provider cannot express within a series: events of their own, which stand for its dates (bridge.md §3.3, §4, 38)."""

from __future__ import annotations

from gateway import desk as front
from gateway.booking import Amend
from gateway.links import Key, Owned
from gateway.model import Recurrence
from tests.bridge.engine.paper import Desk
from tests.bridge.engine.weekly import AT, DATES, WEEK, places, quiet, series, there
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, PLATFORM


def odd(key: Key, owned: Owned) -> bool:
    return not owned.rule


def test_a_rule_that_cannot_be_expressed_becomes_single_events(desk: Desk) -> None:
    desk.paper.expressible = odd
    entry = series(desk)
    desk.poll(2)
    assert there(desk) == DATES
    assert "apart" in desk.history()
    quiet(desk)
    desk.move(entry.id, DATES[1] + HOUR, at=DATES[1])
    desk.cancel(entry.id, at=DATES[2])
    desk.poll(2)
    assert there(desk) == [DATES[0], DATES[1] + HOUR, DATES[3]]
    quiet(desk)


def test_a_single_event_of_a_series_dragged_there_moves_its_date(desk: Desk) -> None:
    desk.paper.expressible = odd
    entry = series(desk)
    desk.poll()
    event = desk.events()[1]
    desk.paper.move(desk.calendar, event.id, DATES[1] + HOUR)
    desk.poll(2)
    assert places(desk, entry)[1] == DATES[1] + HOUR
    assert desk.letters() == ["one_moved"]
    quiet(desk)


def test_a_single_event_of_a_series_deleted_there_is_asked_about_and_comes_back(desk: Desk) -> None:
    desk.paper.expressible = odd
    entry = series(desk)
    desk.poll()
    desk.paper.delete(desk.calendar, desk.events()[1].id)
    desk.poll(3)
    assert places(desk, entry) == there(desk) == DATES
    assert desk.letters() == ["asked"]
    quiet(desk)


def test_a_series_that_becomes_inexpressible_leaves_no_second_event_behind(desk: Desk) -> None:
    entry = series(desk)
    desk.paper.expressible = odd
    with desk.store.write(DEMO, PLATFORM) as tx:
        front.apply_to(tx, PLATFORM, entry.id, [Amend(recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=5"))], desk.clock.now)
    desk.poll(3)
    assert there(desk) == [*DATES, DATES[3] + WEEK]
    quiet(desk)


def test_a_date_that_cannot_pass_its_neighbour_becomes_an_event_of_its_own(desk: Desk) -> None:  # 38
    entry = series(desk)
    desk.paper.expressible = lambda key, owned: key.at is None or key.generation >= 1_000_000
    desk.move(entry.id, DATES[2] + DAY, at=DATES[1])
    desk.poll(2)
    assert there(desk) == sorted([DATES[0], DATES[2] + DAY, *DATES[2:]])
    quiet(desk)
    desk.cancel(entry.id, at=DATES[1])
    desk.poll(2)
    assert there(desk) == [DATES[0], *DATES[2:]]
    quiet(desk)


def test_single_events_of_an_endless_series_go_on_as_time_goes_by(desk: Desk) -> None:
    desk.paper.expressible = odd
    desk.habits = type(desk.habits)(calls=1000)
    desk.book(AT, recurrence=Recurrence(rule="FREQ=MONTHLY"))
    desk.poll(3)
    last = max(desk.starts())
    assert last > NOW + 700 * DAY
    desk.clock.forward(100 * DAY)
    desk.poll(2)
    assert max(desk.starts()) > last + 60 * DAY
    assert len(desk.starts()) == len(set(desk.starts()))
