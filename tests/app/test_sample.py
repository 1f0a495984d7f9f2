"""The sample company keeps what the contract promises about it, whatever day it is started on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import demo
from gateway.model import Span

DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))
PARIS = ZoneInfo("Europe/Paris")
few = settings(max_examples=15, deadline=None)


def occurrences(plan: demo.Plan) -> Iterator[datetime]:
    """Where it takes place, in wall time."""
    if not plan.weeks:
        yield plan.start
    for week in range(plan.weeks):
        if week != plan.left_out:
            start = plan.start + timedelta(weeks=week)
            yield start.replace(hour=demo.MOVED_TO) if week == plan.moved else start


def occupied(plan: demo.Plan) -> list[Span]:
    _, minutes, pause = demo.SERVICES[plan.service]
    starts = [start.astimezone(UTC) for start in occurrences(plan)]
    return [Span(start, start + timedelta(minutes=minutes + pause)) for start in starts]


@few
@given(DAYS)
def test_nobody_is_booked_twice(today: date) -> None:
    plans = list(demo.planned(today))
    for who in range(len(demo.STAFF)):
        spans = sorted(span for plan in plans if plan.who == who for span in occupied(plan))
        assert all(earlier.end <= later.start for earlier, later in pairwise(spans))


@few
@given(DAYS)
def test_everything_is_on_a_weekday_within_the_working_hours(today: date) -> None:
    for plan in demo.planned(today):
        length = timedelta(minutes=demo.SERVICES[plan.service][1])
        for start in occurrences(plan):
            assert start.weekday() < 5
            assert time(demo.OPEN) <= start.time()
            assert (start + length).time() <= time(demo.CLOSE)


@few
@given(DAYS)
def test_everything_lies_between_thirty_days_back_and_sixty_days_ahead(today: date) -> None:
    for plan in demo.planned(today):
        for start in occurrences(plan):
            assert -demo.BACK <= (start.date() - today).days < demo.AHEAD


@few
@given(DAYS)
def test_the_same_hour_fourteen_weeks_later_is_free_for_any_service(today: date) -> None:
    longest = timedelta(minutes=max(minutes + pause for _, minutes, pause in demo.SERVICES))
    plans = list(demo.planned(today))
    last = max(start for plan in plans for start in occurrences(plan))
    for plan in plans:
        if plan.start.date() < today:
            continue
        for start in occurrences(plan):
            assert start + timedelta(weeks=14) > last
            if start.hour != demo.MOVED_TO:
                assert ((start + longest).time()) <= time(demo.CLOSE)


@few
@given(DAYS)
def test_everybody_has_enough_to_show(today: date) -> None:
    plans = list(demo.planned(today))
    assert 200 <= len(plans) <= 400
    for who in range(len(demo.STAFF)):
        mine = [plan for plan in plans if plan.who == who]
        assert len([plan for plan in mine if plan.weeks]) == 2
        coming = [plan for plan in mine if not plan.weeks and 1 < (plan.start.date() - today).days < 50]
        assert len(coming) >= 10


def test_the_same_day_gives_the_same_calendars() -> None:
    today = date(2026, 11, 24)
    assert list(demo.planned(today)) == list(demo.planned(today))


def test_customers_can_be_told_apart_and_speak_several_languages() -> None:
    addresses = [demo.address(name, number) for number, (name, _, _) in enumerate(demo.CUSTOMERS)]
    assert len(demo.CUSTOMERS) == 20
    assert not any(one == other for one, other in combinations(addresses, 2))
    assert all(each.isascii() and each.endswith(("@example.com", "@example.org")) for each in addresses)
    assert {locale for _, locale, _ in demo.CUSTOMERS} == {"en", "fr", "de", "es"}
    assert all(ZoneInfo(zone) for _, _, zone in demo.CUSTOMERS)
