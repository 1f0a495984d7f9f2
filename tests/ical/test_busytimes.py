"""External calendars: what blocks and what does not, whatever program has written the feed (product.md §7.4, bridge.md §3.9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Invalid
from gateway.ical.busytimes import BusyTimes, Habits, busy_times
from gateway.model import Span

DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
USUAL = Habits()
WINDOW = Span(MONDAY, MONDAY + 60 * DAY)
PLAIN = ("DTSTART:20261124T090000Z", "DTEND:20261124T100000Z")


def event(*lines: str, uid: str = "one") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T000000Z", *lines, "END:VEVENT"])


def feed(*events: str, head: tuple[str, ...] = ()) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test", *head, *events, "END:VCALENDAR", ""]).encode()


def read(*events: str, zone: str = "Europe/Paris", habits: Habits = USUAL, head: tuple[str, ...] = ()) -> BusyTimes:
    return busy_times(feed(*events, head=head), zone=zone, window=WINDOW, habits=habits)


def hours(found: BusyTimes) -> list[str]:
    return [f"{span.start:%d %H:%M}-{span.end:%d %H:%M}" for span in found.spans]


@pytest.mark.parametrize(
    ("lines", "blocks"),
    [
        ((), True),
        (("TRANSP:OPAQUE",), True),
        (("TRANSP:TRANSPARENT",), False),
        (("STATUS:CANCELLED",), False),
        (("STATUS:TENTATIVE",), True),
        (("X-MICROSOFT-CDO-BUSYSTATUS:FREE",), False),
        (("X-MICROSOFT-CDO-BUSYSTATUS:OOF",), True),
        (("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE",), False),
        (("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",), True),
        (("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "TRANSP:TRANSPARENT"), True),
    ],
)
def test_what_blocks_and_what_does_not(lines: tuple[str, ...], blocks: bool) -> None:
    assert bool(read(event(*PLAIN, *lines)).spans) is blocks


def test_tentative_and_working_elsewhere_are_a_matter_of_taste() -> None:
    assert not read(event(*PLAIN, "STATUS:TENTATIVE"), habits=Habits(tentative=False)).spans
    assert read(event(*PLAIN, "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"), habits=Habits(elsewhere=True)).spans


@pytest.mark.parametrize(
    ("zone", "start"),
    [("Pacific/Pago_Pago", "24 11:00"), ("Europe/Paris", "23 23:00"), ("UTC", "24 00:00"), ("Pacific/Kiritimati", "23 10:00")],
)
def test_a_whole_day_is_one_in_the_staff_members_zone_and_ends_before_dtend(zone: str, start: str) -> None:
    [shown] = hours(read(event("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261125"), zone=zone))
    assert shown.startswith(start)
    [span] = read(event("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261125"), zone=zone).spans
    assert span.length == DAY


def test_floating_times_are_meant_in_the_feeds_zone_or_the_staff_members() -> None:
    floating = event("DTSTART:20261124T090000", "DTEND:20261124T100000")
    assert hours(read(floating)) == ["24 08:00-24 09:00"]
    assert hours(read(floating, head=("X-WR-TIMEZONE:America/New_York",))) == ["24 14:00-24 15:00"]
    odd = read(floating, head=("X-WR-TIMEZONE:Middle Earth",))
    assert hours(odd) == ["24 08:00-24 09:00"]
    assert "Middle Earth" in odd.warnings[0]


@pytest.mark.parametrize(
    "tzid", ["W. Europe Standard Time", "W. Europe Standard Time ", "W. Europe Standard Time 1", "Europe/Berlin", "/x/Europe/Berlin"]
)
def test_zones_without_a_description_are_known_by_name(tzid: str) -> None:
    found = read(event(f"DTSTART;TZID={tzid}:20261124T090000", f"DTEND;TZID={tzid}:20261124T100000"))
    assert hours(found) == ["24 08:00-24 09:00"]
    assert found.warnings == ()


def test_an_unknown_zone_becomes_the_staff_members_and_is_said() -> None:
    found = read(event("DTSTART;TZID=Nowhere/Land:20261124T090000", "DTEND;TZID=Nowhere/Land:20261124T100000"))
    assert hours(found) == ["24 08:00-24 09:00"]
    assert "Nowhere/Land" in found.warnings[0]


def test_a_series_with_an_exception_moved_and_one_left_out() -> None:
    series = event(*PLAIN, "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:20261201T090000Z")
    moved = event("RECURRENCE-ID:20261208T090000Z", "DTSTART:20261208T150000Z", "DTEND:20261208T160000Z")
    freed = event("RECURRENCE-ID:20261215T090000Z", "DTSTART:20261215T090000Z", "DTEND:20261215T100000Z", "TRANSP:TRANSPARENT")
    assert hours(read(series, moved, freed)) == ["24 09:00-24 10:00", "08 15:00-08 16:00"]


def test_changed_dates_without_their_series_count() -> None:
    assert hours(read(event("RECURRENCE-ID:20261124T080000Z", *PLAIN))) == ["24 09:00-24 10:00"]


def test_rdates_count_too() -> None:
    assert len(read(event(*PLAIN, "RDATE:20261125T090000Z,20261126T090000Z")).spans) == 3


def test_events_that_share_a_uid_all_count() -> None:
    second = ("DTSTART:20261125T090000Z", "DTEND:20261125T100000Z")
    assert len(read(event(*PLAIN), event(*second)).spans) == 2


def test_our_own_events_block_nobody() -> None:
    octets = feed(event(*PLAIN, uid="ours"), event("DTSTART:20261125T090000Z", "DTEND:20261125T100000Z", uid="theirs"))
    found = busy_times(octets, zone="UTC", window=WINDOW, own=["ours"])
    assert hours(found) == ["25 09:00-25 10:00"]


def test_one_event_nobody_can_read_costs_only_itself() -> None:
    found = read(event("DTSTART:yesterday", uid="bad"), event(*PLAIN))
    assert hours(found) == ["24 09:00-24 10:00"]
    assert found.warnings == ("One event cannot be read and blocks nothing.",)


def test_overlapping_times_are_one_and_the_window_cuts_them() -> None:
    first = event("DTSTART:20261122T200000Z", "DTEND:20261123T020000Z", uid="a")
    second = event("DTSTART:20261123T010000Z", "DTEND:20261123T030000Z", uid="b")
    assert hours(read(first, second)) == ["23 00:00-23 03:00"]


@pytest.mark.parametrize("octets", [b"", b"<html>Please sign in</html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\xff\xfe\x00"])
def test_what_is_no_whole_calendar_is_refused(octets: bytes) -> None:
    with pytest.raises(Invalid):
        busy_times(octets, zone="UTC", window=WINDOW)


def test_an_empty_calendar_is_one() -> None:
    assert read() == BusyTimes(spans=(), events=0, zone="Europe/Paris")


def test_hostile_rules_end_and_the_rest_counts() -> None:
    hostile = event("DTSTART:19700101T000000Z", "DTEND:19700101T000001Z", "RRULE:FREQ=SECONDLY", uid="hostile")
    never = event("DTSTART:20260101T000000Z", "DTEND:20260101T010000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", uid="never")
    found = read(hostile, never, event(*PLAIN))
    assert any(span.start <= datetime(2026, 11, 24, 9, tzinfo=UTC) < span.end for span in found.spans)


def test_an_event_of_years_is_a_mistake_and_not_an_absence() -> None:
    assert not read(event("DTSTART:20200101T000000Z", "DTEND:20300101T000000Z")).spans


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 48)), max_size=20))
def test_times_come_merged_in_order_and_whole(pieces: list[tuple[int, int]]) -> None:
    events = []
    for number, (start, length) in enumerate(pieces):
        begin = MONDAY + timedelta(hours=start)
        events.append(event(f"DTSTART:{begin:%Y%m%dT%H%M%SZ}", f"DTEND:{begin + timedelta(hours=length):%Y%m%dT%H%M%SZ}", uid=str(number)))
    spans = read(*events, zone="UTC").spans
    assert all(one.end < other.start for one, other in pairwise(spans))
    covered = {hour for start, length in pieces for hour in range(start, start + length) if hour < 60 * 24}
    assert {hour for span in spans for hour in range(_hour(span.start), _hour(span.end))} == covered


def _hour(moment: datetime) -> int:
    return int((moment - MONDAY).total_seconds() // 3600)
