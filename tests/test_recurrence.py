"""Recurrence rules are read, compared and expanded as RFC 5545 says, from any window, at a bounded price."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from gateway.errors import Invalid
from gateway.model import Span
from gateway.recurrence import Budget, Rule, Series, occurrences
from tests.spending import spending

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
EVERY = ",".join(map(str, range(60)))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def starts(series: Series, window: Span, *, budget: Budget | None = None) -> list[datetime]:
    return [span.start for span in occurrences(series, window, budget=budget or Budget()).instances]


def series(rule: str, start: datetime, zone: str = "UTC", **more: object) -> Series:
    return Series(start=start, length=HOUR, zone=ZoneInfo(zone) if zone != "UTC" else UTC, rules=(Rule.parse(rule),), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ("FREQ=WEEKLY;COUNT=10", "FREQ=WEEKLY;COUNT=10"),
        ("count=10;freq=weekly;interval=1;wkst=mo", "FREQ=WEEKLY;COUNT=10"),
        ("FREQ=MONTHLY;BYDAY=-1FR,1MO;BYSETPOS=-1", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=-1FR,1MO"),
        ("FREQ=DAILY;UNTIL=20261231T225959Z;", "FREQ=DAILY;UNTIL=20261231T225959Z"),
        ("FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231"),
        ("FREQ=YEARLY;BYWEEKNO=20,-1;BYMONTH=5,2;X-THING=1", "FREQ=YEARLY;BYWEEKNO=-1,20;BYMONTH=2,5"),
    ],
)
def test_a_rule_is_spelt_in_one_way(value: str, canonical: str) -> None:
    assert str(Rule.parse(value)) == canonical
    assert Rule.parse(canonical) == Rule.parse(value)


@pytest.mark.parametrize(
    "value",
    [
        *("", "FREQ=", "FREQ=FORTNIGHTLY", "COUNT=3", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;COUNT=3;UNTIL=20261231"),
        *("FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=" + "9" * 5000),
        *("FREQ=DAILY;UNTIL=20261331", "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYMONTH=13"),
        *("FREQ=MONTHLY;BYDAY=0MO", "FREQ=MONTHLY;BYDAY=XX", "FREQ=DAILY;BYSETPOS=0", "FREQ=DAILY;BYWEEKNO=54", "FREQ=DAILY;FOO=1"),
        *("FREQ=DAILY;BYHOUR=٣", "FREQ=DAILY;COUNT=1_0", "RSCALE=HEBREW;FREQ=DAILY", "FREQ=DAILY;BYDAY=" + "MO," * 9000),
    ],
)
def test_what_is_no_rule_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(Invalid) as caught:
        Rule.parse(value)
    assert str(caught.value).endswith(".")
    assert caught.value.condition in ("valid-calendar-data", "supported-rscale")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;COUNT=3", [(2026, 3, 22, 9), (2026, 3, 29, 8), (2026, 4, 5, 8)]),
        ("FREQ=DAILY;UNTIL=20260324T090000Z", [(2026, 3, 22, 9), (2026, 3, 23, 9), (2026, 3, 24, 9)]),
        ("FREQ=DAILY;UNTIL=20260323", [(2026, 3, 22, 9), (2026, 3, 23, 9)]),
        ("FREQ=DAILY;UNTIL=20260323T095959", [(2026, 3, 22, 9)]),
    ],
)
def test_the_clock_on_the_wall_stays_while_the_instant_follows_the_zone(rule: str, expected: list[tuple[int, ...]]) -> None:
    weekly = series(rule, datetime(2026, 3, 22, 10), "Europe/Paris")
    assert starts(weekly, Span(utc(2026, 1, 1), utc(2027, 1, 1))) == [utc(*parts) for parts in expected]


def test_a_skipped_hour_is_read_with_the_offset_before_it_and_a_repeated_one_is_the_first() -> None:
    spring = series("FREQ=DAILY;COUNT=2", datetime(2026, 3, 28, 2, 30), "Europe/Paris")
    assert starts(spring, Span(utc(2026, 3, 1), utc(2026, 4, 1))) == [utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 30)]
    autumn = series("FREQ=DAILY;COUNT=2", datetime(2026, 10, 24, 2, 30), "Europe/Paris")
    assert starts(autumn, Span(utc(2026, 10, 1), utc(2026, 11, 1))) == [utc(2026, 10, 24, 0, 30), utc(2026, 10, 25, 0, 30)]


def test_the_start_is_the_first_instance_even_where_the_rule_leaves_it_out() -> None:
    tuesdays = series("FREQ=WEEKLY;BYDAY=TU;COUNT=3", datetime(2026, 11, 23, 9))
    assert starts(tuesdays, Span(utc(2026, 1, 1), utc(2027, 1, 1))) == [utc(2026, 11, 23, 9), utc(2026, 11, 24, 9), utc(2026, 12, 1, 9)]


def test_added_and_excluded_dates_count_and_periods_have_their_own_length() -> None:
    period = Span(utc(2026, 11, 26, 8), utc(2026, 11, 26, 12))
    daily = series(
        "FREQ=DAILY;COUNT=3",
        datetime(2026, 11, 23, 9),
        rdates=(utc(2026, 11, 30, 9),),
        periods=(period,),
        exdates=frozenset({utc(2026, 11, 24, 9), utc(2026, 11, 25, 9)}),
        exrules=(Rule.parse("FREQ=WEEKLY;COUNT=1"),),
    )
    found = occurrences(daily, Span(utc(2026, 11, 1), utc(2026, 12, 31))).instances
    assert found == (period, Span(utc(2026, 11, 30, 9), utc(2026, 11, 30, 10)))


def test_a_day_whose_midnight_is_skipped_begins_at_one_and_ends_at_midnight() -> None:
    havana = Series(start=datetime(2026, 3, 8), length=timedelta(days=1), zone=ZoneInfo("America/Havana"), all_day=True)
    [span] = occurrences(havana, Span(utc(2026, 3, 1), utc(2026, 4, 1))).instances
    assert span == Span(utc(2026, 3, 8, 5), utc(2026, 3, 9, 4))


def test_all_day_instances_last_whole_days_of_the_zone() -> None:
    days = Series(
        start=datetime(2026, 3, 28), length=timedelta(days=1), zone=PARIS, all_day=True, rules=(Rule.parse("FREQ=DAILY;COUNT=2"),)
    )
    found = occurrences(days, Span(utc(2026, 3, 1), utc(2026, 4, 1))).instances
    assert [span.length for span in found] == [timedelta(hours=24), timedelta(hours=23)]


@pytest.mark.parametrize("until", ["20261230T230000Z", "20261231T000000Z", "20261231"])
def test_the_last_day_of_an_all_day_series_is_meant_whichever_way_until_is_spelt(until: str) -> None:
    days = Series(
        start=datetime(2026, 12, 30), length=timedelta(days=1), zone=PARIS, all_day=True, rules=(Rule.parse(f"FREQ=DAILY;UNTIL={until}"),)
    )
    assert len(starts(days, Span(utc(2026, 12, 1), utc(2027, 2, 1)))) == 2


def test_a_window_of_no_length_finds_the_instance_that_begins_there() -> None:
    weekly = series("FREQ=WEEKLY", datetime(2020, 1, 1, 9))
    assert starts(weekly, Span(utc(2026, 11, 25, 9), utc(2026, 11, 25, 9))) == [utc(2026, 11, 25, 9)]


def test_an_instance_that_began_before_the_window_is_found_while_it_lasts() -> None:
    night = Series(start=datetime(2026, 1, 1, 22), length=timedelta(hours=8), zone=UTC, rules=(Rule.parse("FREQ=DAILY"),))
    assert starts(night, Span(utc(2026, 5, 2, 5), utc(2026, 5, 2, 5, 30))) == [utc(2026, 5, 1, 22)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=SECONDLY;COUNT=1000000000", 60),
        ("FREQ=MINUTELY;COUNT=100000000", 1),
        ("FREQ=HOURLY;INTERVAL=1;BYMINUTE=0,1;COUNT=99999999", 1),
    ],
)
def test_counted_rules_are_entered_at_the_window_by_arithmetic(rule: str, expected: int) -> None:
    long = Series(start=datetime(2009, 1, 1), length=timedelta(), zone=UTC, rules=(Rule.parse(rule),))
    expansion = occurrences(long, Span(utc(2026, 11, 24, 9), utc(2026, 11, 24, 9, 1)))
    assert expansion.complete
    assert len(expansion.instances) == expected


def test_counting_by_arithmetic_ends_where_walking_ends() -> None:
    walked = rrulestr("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH,SU;COUNT=400", dtstart=datetime(2020, 1, 2, 9))
    last = list(walked)[-1].replace(tzinfo=UTC)
    counted = series("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH,SU;COUNT=400", datetime(2020, 1, 2, 9))
    assert starts(counted, Span(last, last + timedelta(days=900))) == [last]


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=SECONDLY;COUNT=100000000000000000000", "FREQ=DAILY;INTERVAL=1000000000000000000"),
        *("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=366"),
        *("FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", "FREQ=HOURLY;INTERVAL=24;BYHOUR=3", "FREQ=MINUTELY;INTERVAL=1439;BYHOUR=4;BYMINUTE=7"),
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5",
        f"FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR={EVERY[:61]};BYMINUTE={EVERY};BYSETPOS=366",
        "FREQ=YEARLY;BYYEARDAY=366;BYMONTHDAY=1",
        "FREQ=SECONDLY;INTERVAL=7919;BYSECOND=1;BYMINUTE=1;BYHOUR=1;BYDAY=MO;BYMONTH=1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("begin", [datetime(1, 1, 1), datetime(1601, 1, 1, 10), datetime(2026, 11, 24, 9)])
def test_no_rule_costs_more_than_its_budget(rule: str, begin: datetime) -> None:
    wicked = Series(start=begin, length=HOUR, zone=PARIS, rules=(Rule.parse(rule),))
    with spending() as spent:
        for window in (Span(utc(2026, 11, 1), utc(2028, 12, 1)), Span(utc(1, 1, 1), utc(9999, 12, 31))):
            expansion = occurrences(wicked, window)
            assert len(expansion.instances) <= 3000
            assert all(span.start < expansion.until for span in expansion.instances)
    assert spent.calls < 2_500_000


def test_what_was_cut_off_is_said() -> None:
    daily = series("FREQ=DAILY", datetime(2026, 1, 1, 9))
    expansion = occurrences(daily, Span(utc(2026, 1, 1), utc(2027, 1, 1)), budget=Budget(instances=10))
    assert not expansion.complete
    assert len(expansion.instances) == 10
    assert expansion.until == utc(2026, 1, 11, 9)
