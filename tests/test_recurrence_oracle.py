"""Our expansion against dateutil's, on rules that mean no harm, and against itself from other windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.model import Span
from gateway.recurrence import Rule, Series, occurrences

YEARLY = (
    *("", ";BYMONTH=3,10", ";BYYEARDAY=1,-1,200", ";BYDAY=20MO,-3WE", ";BYMONTH=3;BYDAY=-1SU,1TU", ";BYWEEKNO=1,20,53;BYDAY=MO,SU"),
    *(";BYWEEKNO=-1,9;BYDAY=TH;WKST=SU", ";BYMONTHDAY=29", ";BYDAY=TH;BYMONTH=6,7", ";BYDAY=MO,TU;BYSETPOS=5,-1", ";BYMONTHDAY=-1"),
)
MONTHLY = (
    *("", ";BYMONTHDAY=31", ";BYMONTHDAY=-1,15", ";BYDAY=2TU,-1FR", ";BYDAY=SA,SU;BYSETPOS=-2,1", ";BYDAY=FR;BYMONTHDAY=13"),
    *(";BYMONTH=2;BYMONTHDAY=29", ";BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
)
WEEKLY = ("", ";BYDAY=MO", ";BYDAY=TU,SU;WKST=SU", ";BYDAY=FR,SA,MO;WKST=TH", ";BYMONTH=1,7", ";BYDAY=MO,TU,TH;BYSETPOS=-1")
DAILY = ("", ";BYDAY=MO,WE", ";BYMONTH=2,11", ";BYHOUR=8,17", ";BYMONTHDAY=13;BYDAY=FR", ";BYHOUR=9;BYMINUTE=0,20,40;BYSETPOS=2")
HOURLY = ("", ";BYHOUR=9,10,11", ";BYDAY=MO", ";BYMINUTE=0,30", ";BYMONTH=11;BYMINUTE=5", ";BYMINUTE=0,30;BYSETPOS=-1")
MINUTELY = ("", ";BYHOUR=9,13", ";BYMINUTE=0,15;BYDAY=WE", ";BYSECOND=0,20")
SECONDLY = ("", ";BYHOUR=9", ";BYSECOND=0,20;BYMINUTE=10,11,12")


def _rules(freq: str, least: int, greatest: int, parts: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.builds(f"FREQ={freq};INTERVAL={{}}{{}}".format, st.integers(least, greatest), st.sampled_from(parts))


BENIGN = st.one_of(
    _rules("YEARLY", 1, 5, YEARLY),
    _rules("MONTHLY", 1, 14, MONTHLY),
    _rules("WEEKLY", 1, 9, WEEKLY),
    _rules("DAILY", 1, 40, DAILY),
    _rules("HOURLY", 1, 50, HOURLY),
    _rules("MINUTELY", 1, 700, MINUTELY),
    _rules("SECONDLY", 200, 9000, SECONDLY),
)
ENDINGS = st.one_of(
    st.just(""),
    st.integers(1, 60).map(";COUNT={}".format),
    st.dates(datetime(2025, 6, 1).date(), datetime(2027, 12, 1).date()).map(";UNTIL={0:%Y%m%d}T120000".format),
)


def _oracle(rule: str, start: datetime) -> rrule | rruleset | None:
    """dateutil's reading of the rule, begun on the first moment the rule agrees with: anything else is undefined."""
    try:
        first = next(iter(rrulestr(rule, dtstart=start)), None)
    except ValueError:  # it notices some rules that can never match
        return None
    return rrulestr(rule, dtstart=first) if first is not None and first.year < 2028 else None


@settings(max_examples=250, deadline=None)
@given(
    rule=BENIGN,
    ending=ENDINGS,
    begin=st.datetimes(datetime(2025, 1, 1), datetime(2026, 6, 1)),
    ahead=st.integers(0, 500),
    days=st.integers(1, 60),
)
def test_benign_rules_expand_as_dateutil_expands_them(rule: str, ending: str, begin: datetime, ahead: int, days: int) -> None:
    oracle = _oracle(rule + ending, begin.replace(microsecond=0))
    assume(oracle is not None)
    assert oracle is not None
    first = next(iter(oracle))
    window = Span((first + timedelta(days=ahead)).replace(tzinfo=UTC), (first + timedelta(days=ahead + days)).replace(tzinfo=UTC))
    between = oracle.between(window.start.replace(tzinfo=None), window.end.replace(tzinfo=None), inc=True)
    expansion = occurrences(Series(start=first, length=timedelta(), zone=UTC, rules=(Rule.parse(rule + ending),)), window)
    expected = [moment.replace(tzinfo=UTC) for moment in between]
    assert [span.start for span in expansion.instances] == [moment for moment in expected if moment < expansion.until]


@settings(max_examples=60, deadline=None)
@given(rule=BENIGN, begin=st.datetimes(datetime(1990, 1, 1), datetime(2026, 1, 1)), days=st.integers(1, 40), cut=st.integers(1, 39))
def test_two_windows_side_by_side_find_what_one_window_finds(rule: str, begin: datetime, days: int, cut: int) -> None:
    repeated = Series(
        start=begin.replace(microsecond=0), length=timedelta(hours=1), zone=ZoneInfo("Europe/Paris"), rules=(Rule.parse(rule),)
    )
    window = Span(datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC) + timedelta(days=days))
    middle = min(window.start + timedelta(days=cut), window.end)
    whole = occurrences(repeated, window)
    assume(whole.complete)
    parts = [*occurrences(repeated, Span(window.start, middle)).instances, *occurrences(repeated, Span(middle, window.end)).instances]
    assert {span for span in parts if span.start < window.end} == set(whole.instances)


@settings(max_examples=80, deadline=None)
@given(rule=BENIGN, begin=st.datetimes(datetime(1990, 1, 1), datetime(2026, 1, 1)))
def test_a_rule_read_from_its_own_spelling_is_the_same_rule(rule: str, begin: datetime) -> None:
    parsed = Rule.parse(rule)
    assert Rule.parse(str(parsed)) == parsed
    explicit = parsed.explicit(begin)
    assert explicit.explicit(begin) == explicit
