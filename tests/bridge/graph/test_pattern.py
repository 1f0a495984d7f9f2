"""Recurrence rules as Graph's patterns and back: whatever is said means the same, and what cannot be said is not (bridge.md §3.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.bridge.graph import pattern
from gateway.bridge.remote import Inexpressible
from gateway.fakes.microsoft import pattern as exchange
from gateway.fakes.series import starts
from gateway.fakes.times import Times
from gateway.fakes.wire import Rejected
from gateway.links import Owned
from gateway.model import Span
from gateway.recurrence import Budget, Rule, Series, occurrences

PARIS = ZoneInfo("Europe/Paris")
NAME = "Romance Standard Time"
HOUR, YEARS = timedelta(hours=1), timedelta(days=366 * 4)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
TUESDAY = datetime(2026, 3, 3, 10)


def owned(rule: str, start: datetime = TUESDAY) -> Owned:
    begin = start.replace(tzinfo=PARIS).astimezone(UTC)
    return Owned(span=Span(begin, begin + HOUR), zone="Europe/Paris", title="", rule=rule)


def by_rule(rule: str, start: datetime) -> list[datetime]:
    """What the rule means here."""
    begin = start.replace(tzinfo=PARIS).astimezone(UTC)
    series = Series(start=start, length=HOUR, zone=PARIS, rules=(Rule.parse(rule),))
    return [each.start for each in occurrences(series, Span(begin, begin + YEARS), budget=Budget(200_000, 20_000)).instances]


def at_exchange(recurrence: dict[str, Any], start: datetime) -> list[datetime]:
    """What Exchange makes of a pattern; it was written by other hands from other documents."""
    begin = start.replace(tzinfo=PARIS).astimezone(UTC)
    _, understood, first = exchange.understood(recurrence, Times(start=begin, end=begin + HOUR, zone="Europe/Paris"), NAME)
    return list(starts(first, understood, Span(begin, begin + YEARS)))


days = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True)
ordinals = st.sampled_from([-2, -1, 1, 2, 3, 4, 5])


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules as clients write them, of which many begin on a day that they do not make."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 4))}"]
    shape = draw(st.sampled_from(["bare", "days", "place", "set", "date"]))
    if shape == "days":
        parts.append(f"BYDAY={','.join(draw(days))}")
    if shape == "place":
        parts.append(f"BYDAY={draw(ordinals)}{draw(st.sampled_from(WEEKDAYS))}")
    if shape == "set":
        group = draw(st.sampled_from(["MO,TU,WE,TH,FR", "SA,SU", "MO,TU,WE,TH,FR,SA,SU", "MO,WE", "TU"]))
        parts += [f"BYDAY={group}", f"BYSETPOS={draw(ordinals)}"]
    if shape == "date":
        parts.append(f"BYMONTHDAY={draw(st.sampled_from([1, 3, 15, 28, 29, 30, 31, -1]))}")
    if freq == "YEARLY" and draw(st.booleans()):
        parts.append(f"BYMONTH={draw(st.sampled_from(['2', '3', '12', '3,9']))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(WEEKDAYS))}")
    end = draw(st.sampled_from(["", "COUNT", "UNTIL", "DATE"]))
    if end == "COUNT":
        parts.append(f"COUNT={draw(st.integers(1, 30))}")
    if end in ("UNTIL", "DATE"):
        until = datetime(2026, 3, 1) + timedelta(days=draw(st.integers(0, 900)), hours=draw(st.integers(0, 23)))
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%SZ}" if end == "UNTIL" else f"UNTIL={until:%Y%m%d}")
    return ";".join(parts)


@st.composite
def written_rules(draw: st.DrawFn) -> tuple[str, datetime, dict[str, Any]]:
    """A rule that can be said, with a start that it makes."""
    rule = draw(rules())
    day = datetime(2026, 3, 1) + timedelta(days=draw(st.integers(0, 400)), hours=draw(st.integers(0, 23)), minutes=draw(st.integers(0, 59)))
    bare = ";".join(part for part in rule.split(";") if not part.startswith(("COUNT", "UNTIL")))
    found = by_rule(bare, day)[1:2]
    for start in (day, *(each.astimezone(PARIS).replace(tzinfo=None, fold=0) for each in found)):
        try:
            return rule, start, pattern.written(owned(rule, start), NAME)
        except Inexpressible:
            continue
    assume(False)
    raise AssertionError


@settings(max_examples=100, deadline=None)
@given(case=written_rules())
def test_exchange_makes_of_a_pattern_what_the_rule_means(case: tuple[str, datetime, dict[str, Any]]) -> None:
    rule, start, made = case
    assert at_exchange(made, start) == by_rule(rule, start)


@settings(max_examples=50, deadline=None)
@given(case=written_rules())
def test_a_rule_that_is_read_again_means_the_same_and_is_written_alike(case: tuple[str, datetime, dict[str, Any]]) -> None:
    rule, start, made = case
    again = pattern.read(made)
    assert by_rule(again, start) == by_rule(rule, start)
    assert pattern.read(pattern.written(owned(again, start), NAME)) == again


@st.composite
def patterns(draw: st.DrawFn) -> dict[str, Any]:
    """Whatever people can choose in Outlook."""
    kind = draw(st.sampled_from(["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"]))
    shape: dict[str, Any] = {"type": kind, "interval": draw(st.integers(1, 4)), "firstDayOfWeek": draw(st.sampled_from(pattern.DAYS))}
    if kind == "weekly":
        shape["daysOfWeek"] = draw(st.lists(st.sampled_from(pattern.DAYS), min_size=1, unique=True))
    if kind.startswith("relative"):
        groups = [pattern.DAYS, pattern.DAYS[:5], pattern.DAYS[5:], *([day] for day in pattern.DAYS)]
        shape |= {"daysOfWeek": list(draw(st.sampled_from(groups))), "index": draw(st.sampled_from(list(exchange.INDEX)))}
    if kind.endswith("Yearly"):
        shape["month"] = draw(st.integers(1, 12))
    if kind.startswith("absolute"):
        shape["dayOfMonth"] = draw(st.integers(1, 31))
    reach: dict[str, Any] = {"type": draw(st.sampled_from(["noEnd", "numbered", "endDate"])), "startDate": "2026-03-03"}
    reach |= {"numberOfOccurrences": draw(st.integers(1, 20)), "endDate": f"2027-{draw(st.integers(1, 12)):02}-15"}
    return {"pattern": shape, "range": reach}


@settings(max_examples=100, deadline=None)
@given(recurrence=patterns())
def test_what_people_choose_in_outlook_is_read_as_what_it_means(recurrence: dict[str, Any]) -> None:
    begin = TUESDAY.replace(tzinfo=PARIS).astimezone(UTC)
    try:
        shown, _, first = exchange.understood(recurrence, Times(start=begin, end=begin + HOUR, zone="Europe/Paris"), NAME)
    except Rejected:
        assume(False)
    rule = pattern.read(shown)
    assert rule != pattern.UNKNOWN
    ends = begin + YEARS
    assert [each for each in by_rule(rule, first.wall) if each < ends] == at_exchange(recurrence, TUESDAY)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY;COUNT=3",
        "FREQ=MINUTELY;INTERVAL=90;COUNT=3",
        "FREQ=SECONDLY;COUNT=3",
        "FREQ=DAILY;BYHOUR=10,14",
        "FREQ=DAILY;BYMONTH=3",
        "FREQ=DAILY;INTERVAL=2;BYDAY=TU",
        "FREQ=WEEKLY;BYDAY=TU,TH;BYSETPOS=1",
        "FREQ=MONTHLY;BYMONTHDAY=3,17",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=MONTHLY;BYDAY=1TU,3WE",
        "FREQ=MONTHLY;BYDAY=TU",
        "FREQ=MONTHLY;BYDAY=TU,TH;BYSETPOS=1",
        "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1,2",
        "FREQ=MONTHLY;BYDAY=-2TU",
        "FREQ=MONTHLY;BYDAY=TU;BYMONTHDAY=3",
        "FREQ=YEARLY;BYDAY=9TU",
        "FREQ=YEARLY;BYDAY=TU",
        "FREQ=YEARLY;BYMONTHDAY=3",
        "FREQ=YEARLY;BYMONTH=3,9",
        "FREQ=YEARLY;BYYEARDAY=62",
        "FREQ=YEARLY;BYWEEKNO=10",
        "FREQ=DAILY;INTERVAL=1000",
        "FREQ=DAILY;COUNT=1000",
        "FREQ=WEEKLY;UNTIL=20260101",
        "no rule at all",
    ],
)
def test_what_a_pattern_cannot_say_is_not_said(rule: str) -> None:
    with pytest.raises(Inexpressible):
        pattern.written(owned(rule), NAME)


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        (TUESDAY, "FREQ=WEEKLY;BYDAY=MO,WE"),
        (TUESDAY, "FREQ=MONTHLY;BYMONTHDAY=5"),
        (TUESDAY, "FREQ=MONTHLY;BYDAY=2TU"),
        (TUESDAY, "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=3"),
        (datetime(2026, 1, 31, 10), "FREQ=MONTHLY"),
        (datetime(2028, 2, 29, 10), "FREQ=YEARLY"),
    ],
)
def test_a_start_that_the_rule_does_not_make_and_days_that_months_lack_are_not_said(start: datetime, rule: str) -> None:
    """A rule counts its start and skips the 31st; Exchange begins with the first day that fits, and takes the last day of the month."""
    with pytest.raises(Inexpressible):
        pattern.written(owned(rule, start), NAME)


def test_the_first_day_of_the_week_is_always_said() -> None:
    """Graph's weeks begin on Sunday unless it is said, a rule's on Monday."""
    made = pattern.written(owned("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU"), NAME)
    assert made["pattern"]["firstDayOfWeek"] == "monday"
    assert pattern.read(made) == "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU"
    del made["pattern"]["firstDayOfWeek"]
    assert pattern.read(made).endswith("WKST=SU")


def test_a_rule_that_ends_between_two_days_ends_on_the_last_one_it_makes() -> None:
    """Exchange ends with a day, and would make one occurrence too many of a rule that ends in its morning."""
    early, late = (pattern.written(owned(f"FREQ=DAILY;UNTIL=20260306T{hour}0000Z"), NAME) for hour in ("08", "09"))
    assert early["range"]["endDate"] == "2026-03-05"
    assert late["range"]["endDate"] == "2026-03-06"


def test_an_end_that_is_centuries_away_is_none() -> None:
    assert pattern.written(owned("FREQ=DAILY;UNTIL=99991231"), NAME)["range"]["type"] == "noEnd"


@pytest.mark.parametrize(
    "recurrence",
    [
        {"pattern": {"type": "hourly", "interval": 1}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "weekly", "interval": 1}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "someday"}},
        {"pattern": {"type": "relativeMonthly", "daysOfWeek": ["monday"], "index": "fifth"}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "absoluteMonthly"}, "range": {"type": "noEnd"}},
        {"pattern": {}, "range": {}},
        {"pattern": None},
    ],
)
def test_a_recurrence_nobody_can_read_is_no_rule_of_ours(recurrence: dict[str, Any]) -> None:
    assert pattern.read(recurrence) == pattern.UNKNOWN


def test_no_recurrence_is_no_rule() -> None:
    assert pattern.read(None) == ""
