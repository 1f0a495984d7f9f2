"""VTIMEZONEs, read back and compared with the zone database at every change of clocks."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import icalendar
import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ical import zones
from gateway.model import Span

ALL = sorted(available_timezones())
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
PARIS = "Europe/Paris"


@dataclass(frozen=True)
class Told:
    """A VTIMEZONE as a reader understands it: onsets as (instant, wall time, offset then)."""

    onsets: tuple[tuple[datetime, datetime, timedelta], ...]

    @classmethod
    @lru_cache(maxsize=2000)
    def of(cls, text: str, until: int) -> Told:
        onsets = []
        for block in re.findall(r"BEGIN:(?:STANDARD|DAYLIGHT)\r\n(.*?)END:(?:STANDARD|DAYLIGHT)\r\n", text, re.DOTALL):
            said = dict(line.split(":", 1) for line in block.split("\r\n")[:-1])
            first = datetime.strptime(said["DTSTART"], "%Y%m%dT%H%M%S")
            walls = [first]
            if "RRULE" in said:
                walls = list(rrulestr(said["RRULE"], dtstart=first).between(first, datetime(until + 3, 1, 1), inc=True))
                assert walls[0] == first, "the rule does not begin with its start"
            before, after = offset(said["TZOFFSETFROM"]), offset(said["TZOFFSETTO"])
            onsets += [((wall - before).replace(tzinfo=UTC), wall, after) for wall in walls]
        return cls(tuple(sorted(onsets)))

    def offset_at(self, instant: datetime) -> timedelta:
        place = bisect_right(self.onsets, instant, key=lambda onset: onset[0])
        assert place, "before the first onset"
        return self.onsets[place - 1][2]

    def instant_of(self, wall: datetime) -> datetime:
        """RFC 5545 §3.6.5: the observance that began last before the wall time."""
        past = [onset for onset in self.onsets if onset[1] <= wall]
        return (wall - max(past)[2]).replace(tzinfo=UTC)


def offset(text: str) -> timedelta:
    assert re.fullmatch(r"[+-][0-9]{4}", text), "whole minutes only"
    size = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    return -size if text[0] == "-" else size


def window(first: int, last: int) -> Span:
    return Span(datetime(first, 1, 1, tzinfo=UTC), datetime(last, 12, 31, 23, 59, 59, tzinfo=UTC))


@lru_cache(maxsize=2000)
def turning_points(zone: str, first: int, last: int) -> tuple[datetime, ...]:
    """The instants when the offset changes, found by walking day by day."""
    tz, found = ZoneInfo(zone), []
    days = [datetime(first, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range((last - first + 1) * 366)]
    for day, after in pairwise(days):
        early, late = day, after
        if early.astimezone(tz).utcoffset() == late.astimezone(tz).utcoffset():
            continue
        while late - early > SECOND:
            middle = early + (late - early) // (2 * SECOND) * SECOND
            if middle.astimezone(tz).utcoffset() == early.astimezone(tz).utcoffset():
                early = middle
            else:
                late = middle
        found.append(late)
    return tuple(found)


def agrees(zone: str, first: int, last: int) -> None:
    told, tz = Told.of(zones.vtimezone(zone, window(first, last)), last), ZoneInfo(zone)
    moments = [datetime(first, 1, 1, tzinfo=UTC), datetime(first, 7, 1, tzinfo=UTC), datetime(last, 12, 31, 23, 59, 59, tzinfo=UTC)]
    for turn in turning_points(zone, first, last):
        moments += [turn - 2 * HOUR, turn - SECOND, turn, turn + SECOND, turn + HOUR // 2, turn + 2 * HOUR, turn + timedelta(days=40)]
    for moment in moments:
        assert told.offset_at(moment) == moment.astimezone(tz).utcoffset(), f"{zone} at {moment}"
        value = zones.wall(moment, zone)
        if value.endswith("Z"):
            assert datetime.strptime(value, ":%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) == moment
        else:
            head, _, wall = value.rpartition(":")
            assert head == f";TZID={zone}"
            assert told.instant_of(datetime.strptime(wall, "%Y%m%dT%H%M%S")) == moment, f"{zone} at {moment}"


@pytest.mark.parametrize("part", range(8))
def test_every_zone_is_told_as_the_database_has_it_from_2020_to_2037(part: int) -> None:
    for zone in ALL[part::8]:
        if not zones.is_utc(zone):
            agrees(zone, 2020, 2037)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([zone for zone in ALL if not zones.is_utc(zone)]), st.integers(1975, 2060), st.integers(0, 4))
def test_any_few_years_are_told_as_the_database_has_them(zone: str, first: int, more: int) -> None:
    agrees(zone, first, first + more)


@pytest.mark.parametrize(
    ("zone", "rules"),
    [
        (PARIS, {"FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"}),
        ("America/New_York", {"FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"}),
        ("Asia/Jerusalem", {"FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=23,24,25,26,27,28,29;BYDAY=FR", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"}),
    ],
)
def test_regular_zones_are_one_standard_and_one_daylight_beginning_the_year_before(zone: str, rules: set[str]) -> None:
    text = zones.vtimezone(zone, window(2026, 2028))
    assert (text.count("BEGIN:STANDARD"), text.count("BEGIN:DAYLIGHT")) == (1, 1)
    assert set(re.findall(r"RRULE:(.*)\r", text)) == rules
    assert set(re.findall(r"DTSTART:(\d{4})", text)) == {"2025"}
    assert len(text) < 420


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Sao_Paulo", "Asia/Kolkata", "Europe/Istanbul", "Etc/GMT+5"])
def test_zones_that_keep_their_clocks_are_one_standard(zone: str) -> None:
    text = zones.vtimezone(zone, window(2026, 2028))
    assert text.count("BEGIN:STANDARD") == 1
    assert "DAYLIGHT" not in text
    assert "RRULE" not in text


@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Asia/Gaza", "Africa/Cairo"])
def test_irregular_zones_are_told_change_by_change(zone: str) -> None:
    text = zones.vtimezone(zone, window(2026, 2027))
    assert "RRULE" not in text
    assert "RDATE" not in text, "four of seven readers read it in another way (clients.md §9)"
    assert 4 < text.count("DTSTART") < 24


def test_what_was_before_a_reform_is_told_change_by_change_and_what_came_after_by_its_rule() -> None:
    text = zones.vtimezone("America/New_York", window(2005, 2030))
    assert text.count("RRULE") == 2
    agrees("America/New_York", 2005, 2030)
    agrees("Europe/Moscow", 2009, 2030)
    agrees("Pacific/Apia", 2009, 2030)


def test_summer_is_the_daylight_even_where_the_database_counts_the_other_way() -> None:
    text = zones.vtimezone("Europe/Dublin", window(2026, 2026))
    assert re.search(r"BEGIN:DAYLIGHT\r\nDTSTART:2025033\dT010000\r\nTZOFFSETFROM:\+0000\r\nTZOFFSETTO:\+0100", text)


def test_local_mean_time_is_never_told() -> None:
    for zone in ("Europe/Paris", "Asia/Kathmandu", "Africa/Monrovia", "Asia/Kolkata"):
        for first, last in ((1700, 1700), (1850, 1950), (1901, 1975)):
            text = zones.vtimezone(zone, window(first, last))
            assert "LMT" not in text
            assert not re.search(r"TZOFFSET(FROM|TO):[+-]\d{4}\d", text)


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "GMT", "Zulu"])
def test_utc_has_no_zone_and_its_times_end_in_z(zone: str) -> None:
    assert zones.is_utc(zone)
    assert zones.vtimezone(zone, window(2026, 2026)) == ""
    assert zones.wall(datetime(2026, 11, 24, 9, tzinfo=UTC), zone) == ":20261124T090000Z"


def test_an_hour_that_comes_twice_is_written_in_utc_the_second_time() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert zones.wall(first, PARIS) == ";TZID=Europe/Paris:20261025T023000"
    assert zones.wall(first + HOUR, PARIS) == ":20261025T013000Z"
    assert zones.wall(first + HOUR, PARIS, repeating=True) == ";TZID=Europe/Paris:20261025T023000"


def test_seconds_are_whole() -> None:
    assert zones.wall(datetime(2026, 11, 24, 9, 0, 1, 999_999, tzinfo=UTC), PARIS) == ";TZID=Europe/Paris:20261124T100001"


def test_the_years_decide_and_nothing_else() -> None:
    year = window(2026, 2026)
    assert zones.vtimezone(PARIS, Span(year.start + timedelta(days=200), year.end)) == zones.vtimezone(PARIS, year)
    for far in (Span(datetime(1, 1, 1, tzinfo=UTC), year.end), Span(year.start, datetime(9999, 12, 31, tzinfo=UTC))):
        assert "BEGIN:VTIMEZONE" in zones.vtimezone(PARIS, far)


@pytest.mark.parametrize("zone", [PARIS, "America/Nuuk", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Tokyo"])
def test_another_library_reads_it_the_same_way(zone: str) -> None:
    text = f"BEGIN:VCALENDAR\r\n{zones.vtimezone(zone, window(2026, 2028))}END:VCALENDAR\r\n"
    [component] = icalendar.Calendar.from_ical(text).walk("VTIMEZONE")
    assert isinstance(component, icalendar.Timezone)
    there, here = component.to_tz(lookup_tzid=False), ZoneInfo(zone)
    for day in range(0, 3 * 365, 5):
        wall = datetime(2026, 1, 1, 12) + timedelta(days=day)
        assert wall.replace(tzinfo=there).utcoffset() == wall.replace(tzinfo=here).utcoffset(), wall
