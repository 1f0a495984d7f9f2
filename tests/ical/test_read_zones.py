"""Which zone a client's TZID means: names in every dress, and the rules a text brings along."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Invalid
from gateway.ical.clientzones import ClientZones, known
from gateway.ical.parse import calendar
from gateway.ical.zones import vtimezone
from gateway.model import Span
from tests.spending import spending

YEARS = Span(datetime(2020, 1, 1, tzinfo=UTC), datetime(2037, 12, 31, tzinfo=UTC))
FLOATING = "Europe/Paris"
CHANGING = (
    *("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Europe/Dublin", "Africa/Casablanca", "Pacific/Apia"),
    *("America/Santiago", "Asia/Kathmandu", "Africa/Cairo", "Asia/Gaza", "America/Nuuk", "Pacific/Chatham", "Asia/Tokyo"),
)


def zones(described: str = "") -> ClientZones:
    return ClientZones(calendar(f"BEGIN:VCALENDAR\r\n{described}END:VCALENDAR\r\n"), FLOATING)


def described(*lines: str, tzid: str = "Here") -> str:
    return "\r\n".join(["BEGIN:VTIMEZONE", f"TZID:{tzid}", *lines, "END:VTIMEZONE", ""])


def part(
    kind: str = "STANDARD", start: str = "19700101T000000", before: str = "+0100", after: str = "+0100", *more: str
) -> tuple[str, ...]:
    return (f"BEGIN:{kind}", f"DTSTART:{start}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}", *more, f"END:{kind}")


@pytest.mark.parametrize(
    ("tzid", "iana"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("/Europe/Paris", "Europe/Paris"),
        ('"Europe/Paris"', "Europe/Paris"),
        ("/freeassociation.sourceforge.net/Europe/Paris", "Europe/Paris"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Paris", "Europe/Paris"),
        ("/mozilla.org/20050126_1/America/Indiana/Knox", "America/Indiana/Knox"),
        ("/citadel.org/20250101_1/UTC", "UTC"),
        ("Romance Standard Time", "Europe/Paris"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("W. Europe Standard Time 1", "Europe/Berlin"),
        ("Pacific Standard Time  ", "America/Los_Angeles"),
        ("eastern standard time", "America/New_York"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("Etc/UTC", "UTC"),
        ("GMT", "GMT"),
    ],
)
def test_a_zone_is_known_by_many_names(tzid: str, iana: str) -> None:
    assert str(known(tzid)) == iana
    assert known(tzid) is zones().named(tzid)


@pytest.mark.parametrize(
    ("tzid", "hours"), [("GMT+0100", 1), ("GMT-05:00", -5), ("UTC+1", 1), ("(UTC+01:00)", 1), ("+0530", 5.5), ("UTC-9:30", -9.5)]
)
def test_an_offset_is_a_zone_too(tzid: str, hours: float) -> None:
    assert zones().named(tzid).utcoffset(datetime(2026, 7, 1)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "tzid",
    [
        *("Nowhere/Land", "../../../../etc/passwd", "/etc/passwd", "localtime", "Factory", "posixrules", "X" * 100_000, "Europe", "GMT+99"),
        *("Europe/../Europe/Paris/..", "\u0000", "Europe/Paris\u0000", ".", "/", "//", "tzdata.zi", "zone.tab", "GMT+0160", "UTC+24"),
    ],
)
def test_a_name_that_is_none_is_refused_and_never_opened(tzid: str) -> None:
    assert known(tzid) is None
    with pytest.raises(Invalid) as caught:
        zones().named(tzid)
    assert caught.value.condition == "valid-calendar-data"


def test_times_without_a_zone_are_meant_in_the_staff_members() -> None:
    assert zones().floating is ZoneInfo("Europe/Paris")
    assert ClientZones(calendar("BEGIN:VCALENDAR\nEND:VCALENDAR"), "Etc/UTC").floating is UTC


@given(st.sampled_from(CHANGING), st.datetimes(datetime(2020, 1, 2), datetime(2037, 12, 30)), st.integers(0, 1))
@settings(max_examples=200)
def test_rules_that_the_text_brings_along_are_followed(iana: str, wall: datetime, fold: int) -> None:
    brought = zones(vtimezone(iana, YEARS).replace(f"TZID:{iana}", "TZID:Here")).named("Here")
    wall = wall.replace(microsecond=0, fold=fold)
    assert agree(brought, ZoneInfo(iana), wall)


@pytest.mark.parametrize(
    ("iana", "wall"),
    [
        ("Europe/Paris", datetime(2026, 3, 29, 2, 30)),
        ("Europe/Paris", datetime(2026, 10, 25, 2, 30)),
        ("Europe/Dublin", datetime(2026, 10, 25, 1, 30)),
        ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45)),
        ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 15)),
        ("Africa/Casablanca", datetime(2026, 2, 15, 2, 30)),
    ],
)
def test_an_hour_that_is_skipped_or_comes_twice_is_read_as_the_zone_database_reads_it(iana: str, wall: datetime) -> None:
    brought = zones(vtimezone(iana, YEARS).replace(f"TZID:{iana}", "TZID:Here")).named("Here")
    assert agree(brought, ZoneInfo(iana), wall)
    assert agree(brought, ZoneInfo(iana), wall.replace(fold=1))


def agree(brought: tzinfo, expected: tzinfo, wall: datetime) -> bool:
    instant = wall.replace(tzinfo=expected).astimezone(UTC)
    there, back = instant.astimezone(brought), instant.astimezone(expected)
    return wall.replace(tzinfo=brought).astimezone(UTC) == instant and (there.replace(tzinfo=None), there.fold) == (
        back.replace(tzinfo=None),
        back.fold,
    )


def test_a_known_name_means_the_zone_database_even_where_the_text_says_otherwise() -> None:
    lying = zones(described(*part(before="+0900", after="+0900"), tzid="Europe/Paris"))
    assert lying.named("Europe/Paris") is ZoneInfo("Europe/Paris")


def test_a_description_that_names_its_place_means_that_place() -> None:
    named = zones(described("X-LIC-LOCATION:America/New_York", *part(), tzid="My zone"))
    assert named.named("My zone") is ZoneInfo("America/New_York")


def test_a_zone_without_changes_has_one_offset() -> None:
    assert zones(described(*part(before="+0300", after="+0300"))).named("Here").utcoffset(None) == timedelta(hours=3)
    assert zones(described(*part(after="-003030"))).named("Here").utcoffset(datetime(2026, 1, 1)) == -timedelta(minutes=30, seconds=30)


@pytest.mark.parametrize(
    "body",
    [
        (),
        part(before="+9999"),
        part(after="+2400"),
        part(after="one hour"),
        part(start="soon"),
        ("BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETTO:+0100", "END:STANDARD"),
        part("STANDARD", "19700101T000000", "+0100", "+0200", "RRULE:FREQ=NEVER"),
        part() * 65,
    ],
)
def test_a_description_that_is_none_is_refused_where_it_is_needed(body: tuple[str, ...]) -> None:
    found = zones(described(*body))
    assert found.named("Europe/Paris")
    with pytest.raises(Invalid) as caught:
        found.named("Here")
    assert caught.value.condition == "valid-calendar-data"


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MINUTELY;COUNT=1000000000"])
def test_a_description_costs_no_more_than_its_budget(rule: str) -> None:
    body = (each for number in range(30) for each in part("STANDARD", f"19{number + 10}0101T000000", "+0100", "+0200", f"RRULE:{rule}"))
    with spending() as spent:
        assert zones(described(*body)).named("Here").utcoffset(datetime(2026, 1, 1)) is not None
    assert spent.calls < 4_000_000
