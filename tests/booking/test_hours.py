"""Working hours are wall time: they move with the clocks, and intervals that touch are one."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.booking.hours import open_within
from gateway.model import Span, WorkingHours

WEEK = dict.fromkeys(range(5), ((8 * 60, 18 * 60),))


def local(zone: str, *wall: int, minutes: int = 60) -> Span:
    start = datetime(*wall, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc]
    return Span(start, start + timedelta(minutes=minutes))


@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    ("wall", "minutes", "inside"),
    [
        ((2026, 12, 1, 8), 60, True),
        ((2026, 12, 1, 17), 60, True),
        ((2026, 12, 1, 7, 59), 60, False),
        ((2026, 12, 1, 17, 1), 60, False),
        ((2026, 12, 5, 10), 60, False),  # a Saturday
        ((2026, 12, 1, 8), 600, True),
        ((2026, 12, 1, 8), 601, False),
    ],
)
def test_a_span_is_inside_when_all_of_it_is(zone: str, wall: tuple[int, ...], minutes: int, inside: bool) -> None:
    assert open_within(WorkingHours(weekly=WEEK), zone, local(zone, *wall, minutes=minutes)) is inside


@pytest.mark.parametrize("day", [(2026, 3, 27), (2026, 3, 30), (2026, 10, 23), (2026, 10, 26)])
def test_hours_follow_the_wall_clock_over_a_change_of_clocks(day: tuple[int, int, int]) -> None:
    assert open_within(WorkingHours(weekly=WEEK), "Europe/Paris", local("Europe/Paris", *day, 8))
    assert not open_within(WorkingHours(weekly=WEEK), "Europe/Paris", local("Europe/Paris", *day, 7))


def test_an_exception_replaces_the_whole_day() -> None:
    closed = WorkingHours(weekly=WEEK, exceptions={date(2026, 12, 1): ()})
    assert not open_within(closed, "UTC", local("UTC", 2026, 12, 1, 10))
    saturday = WorkingHours(weekly=WEEK, exceptions={date(2026, 12, 5): ((600, 720),)})
    assert open_within(saturday, "UTC", local("UTC", 2026, 12, 5, 10, minutes=120))
    assert not open_within(saturday, "UTC", local("UTC", 2026, 12, 5, 10, minutes=121))


def test_intervals_that_touch_are_one_also_across_midnight() -> None:
    night = WorkingHours(weekly={0: ((20 * 60, 24 * 60),), 1: ((0, 4 * 60), (4 * 60, 6 * 60))})
    assert open_within(night, "UTC", local("UTC", 2026, 11, 30, 21, minutes=8 * 60))
    assert not open_within(night, "UTC", local("UTC", 2026, 11, 30, 21, minutes=9 * 60 + 1))


def test_a_lunch_break_is_not_bridged() -> None:
    hours = WorkingHours(weekly={1: ((480, 720), (780, 1080))})
    assert not open_within(hours, "UTC", local("UTC", 2026, 12, 1, 11, 30))


def test_no_hours_at_all_means_always_open() -> None:
    assert open_within(WorkingHours(), "UTC", local("UTC", 2026, 12, 5, 3))


def test_exceptions_alone_leave_other_days_closed() -> None:
    assert not open_within(WorkingHours(exceptions={date(2026, 12, 1): ((600, 720),)}), "UTC", local("UTC", 2026, 12, 2, 10))
