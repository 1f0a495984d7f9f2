"""External calendars: what blocks and what does not, whatever program has written the feed (product.md §7.4, bridge.md §3.9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Invalid
from gateway.ical.busytimes import BusyTimes, Habits, busy_times
from gateway.ical.windows import windows_zones
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


def test_whole_days_are_the_staff_members_also_where_the_feed_has_another_zone() -> None:
    whole = event("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261126")
    assert hours(read(whole, head=("X-WR-TIMEZONE:Pacific/Kiritimati",))) == ["23 23:00-25 23:00"]


def test_31_a_time_at_midnight_is_no_whole_day() -> None:
    midnight = event("DTSTART;TZID=Europe/Paris:20261124T000000", "DTEND;TZID=Europe/Paris:20261125T000000")
    assert hours(read(midnight, zone="America/New_York")) == ["23 23:00-24 23:00"]


@pytest.mark.parametrize("more", [(), ("DTEND;VALUE=DATE:20261124",), ("DURATION:P1D",)])
def test_a_whole_day_without_an_end_is_one_day(more: tuple[str, ...]) -> None:
    assert [span.length for span in read(event("DTSTART;VALUE=DATE:20261124", *more), zone="UTC").spans] == [DAY]


@pytest.mark.parametrize(("date", "length"), [("20270328", 23), ("20261025", 25)])
def test_30_a_day_on_which_clocks_change_is_a_whole_day(date: str, length: int) -> None:
    window = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    [span] = busy_times(feed(event(f"DTSTART;VALUE=DATE:{date}")), zone="Europe/Paris", window=window).spans
    assert span.length == timedelta(hours=length)


def test_30_in_every_zone_a_whole_day_is_from_midnight_to_midnight() -> None:
    """A whole year of days, so that every change of clocks is among them, those at midnight too."""
    window = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    days = [datetime(2026, 1, 3) + DAY * number for number in range(0, 360, 2)]
    octets = feed(*(event(f"DTSTART;VALUE=DATE:{day:%Y%m%d}", uid=str(day)) for day in days))
    for zone in sorted(available_timezones() - {"localtime", "posixrules", "Factory"}):
        edges = [(ZoneInfo(zone), day) for day in days]
        wanted = [Span(*(each.replace(tzinfo=there).astimezone(UTC) for each in (day, day + DAY))) for there, day in edges]
        assert list(busy_times(octets, zone=zone, window=window).spans) == [span for span in wanted if span.length], zone


def test_28_in_every_zone_a_weekly_series_keeps_its_hour() -> None:
    window = Span(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 12, 30, tzinfo=UTC))
    for zone in sorted(available_timezones() - {"localtime", "posixrules", "Factory"}):
        weekly = event(f"DTSTART;TZID={zone}:20260105T140000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")
        spans = busy_times(feed(weekly), zone="UTC", window=window).spans
        assert len(spans) == 52, zone
        assert {span.start.astimezone(ZoneInfo(zone)).hour for span in spans} == {14}, zone


def test_an_event_without_an_end_takes_no_time() -> None:
    assert read(event("DTSTART:20261124T090000Z")).spans == ()


@pytest.mark.parametrize(
    "tzid", ["W. Europe Standard Time", "W. Europe Standard Time ", "W. Europe Standard Time 1", "Europe/Berlin", "/x/Europe/Berlin"]
)
def test_zones_without_a_description_are_known_by_name(tzid: str) -> None:
    found = read(event(f"DTSTART;TZID={tzid}:20261124T090000", f"DTEND;TZID={tzid}:20261124T100000"))
    assert hours(found) == ["24 08:00-24 09:00"]
    assert found.warnings == ()


@pytest.mark.parametrize("windows", sorted(windows_zones()))
def test_32_every_windows_zone_is_known_without_a_description_and_with_what_exchange_adds(windows: str) -> None:
    instant = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo(windows_zones()[windows])).astimezone(UTC)
    for tzid in (windows, f"{windows} ", f"{windows} 1", f'"{windows}"'):
        [span] = read(event(f"DTSTART;TZID={tzid}:20261124T090000", f"DTEND;TZID={tzid}:20261124T100000")).spans
        assert span.start == instant


def test_32_an_unknown_zone_becomes_the_feeds_own_before_the_staff_members() -> None:
    odd = event("DTSTART;TZID=Nowhere/Land:20261124T090000", "DTEND;TZID=Nowhere/Land:20261124T100000")
    found = read(odd, head=("X-WR-TIMEZONE:America/New_York",))
    assert (hours(found), found.zone) == (["24 14:00-24 15:00"], "America/New_York")
    assert found.warnings == ("The time zone “Nowhere/Land” is not known; America/New_York is used.",)


CUSTOM = (
    "BEGIN:VTIMEZONE", "TZID:Customized Time Zone", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:+0530", "TZOFFSETTO:+0530",
    "END:STANDARD", "END:VTIMEZONE",
)  # fmt: skip


def test_a_zone_that_only_the_feed_knows_is_as_it_describes_it() -> None:
    lines = ("DTSTART;TZID=Customized Time Zone :20261124T090000", "DURATION:PT1H")
    found = read(event(*lines), head=CUSTOM)
    assert (hours(found), found.warnings) == (["24 03:30-24 04:30"], ())


def test_a_description_that_is_broken_is_said_and_costs_nothing_else() -> None:
    broken = tuple(line.replace("+0530", "sideways") for line in CUSTOM)
    found = read(event("DTSTART;TZID=Customized Time Zone:20261124T090000", "DURATION:PT1H"), event(*PLAIN, uid="two"), head=broken)
    assert hours(found) == ["24 08:00-24 10:00"]
    assert "Customized Time Zone" in found.warnings[0]


def test_a_zone_that_nothing_hangs_on_is_not_complained_of() -> None:
    assert read(event(*PLAIN), head=("X-WR-TIMEZONE:Middle Earth",)).warnings == ()


def test_an_unknown_zone_becomes_the_staff_members_and_is_said() -> None:
    found = read(event("DTSTART;TZID=Nowhere/Land:20261124T090000", "DTEND;TZID=Nowhere/Land:20261124T100000"))
    assert hours(found) == ["24 08:00-24 09:00"]
    assert "Nowhere/Land" in found.warnings[0]


def test_a_series_with_an_exception_moved_and_one_left_out() -> None:
    series = event(*PLAIN, "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:20261201T090000Z")
    moved = event("RECURRENCE-ID:20261208T090000Z", "DTSTART:20261208T150000Z", "DTEND:20261208T160000Z")
    freed = event("RECURRENCE-ID:20261215T090000Z", "DTSTART:20261215T090000Z", "DTEND:20261215T100000Z", "TRANSP:TRANSPARENT")
    assert hours(read(series, moved, freed)) == ["24 09:00-24 10:00", "08 15:00-08 16:00"]


def test_39_changed_dates_without_their_series_count() -> None:
    assert hours(read(event("RECURRENCE-ID:20261124T080000Z", *PLAIN))) == ["24 09:00-24 10:00"]


def test_35_a_series_that_began_years_ago_goes_on() -> None:
    weekly = event("DTSTART;TZID=Europe/Paris:20100105T090000", "DTEND;TZID=Europe/Paris:20100105T100000", "RRULE:FREQ=WEEKLY")
    assert len(read(weekly).spans) == 9


def test_28_a_weekly_series_keeps_its_hour_when_clocks_change() -> None:
    window = Span(datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
    weekly = event("DTSTART;TZID=Europe/Paris:20261006T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")
    spans = busy_times(feed(weekly), zone="UTC", window=window).spans
    assert [span.start.astimezone(ZoneInfo("Europe/Paris")).hour for span in spans] == [9, 9]
    assert [span.start.hour for span in spans] == [7, 8]


def test_36_an_occurrence_moved_and_then_cancelled_is_free_in_both_places() -> None:
    gone = event("RECURRENCE-ID:20261124T090000Z", "DTSTART:20261124T150000Z", "DTEND:20261124T160000Z", "STATUS:CANCELLED")
    assert hours(read(event(*PLAIN, "RRULE:FREQ=DAILY;COUNT=2"), gone)) == ["25 09:00-25 10:00"]


def test_an_exception_in_another_form_than_its_series_finds_its_place() -> None:
    series = event("DTSTART;TZID=Europe/Paris:20261124T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE;VALUE=DATE:20261125")
    moved = event("RECURRENCE-ID;TZID=W. Europe Standard Time:20261124T100000", "DTSTART:20261126T090000Z", "DURATION:PT1H")
    assert hours(read(series, moved)) == ["26 09:00-26 10:00"]


def test_39_rdates_in_a_zone_and_as_periods_count_too() -> None:
    zoned = event(*PLAIN, "RDATE;TZID=Europe/Paris:20261125T100000", "RDATE;VALUE=PERIOD:20261126T090000Z/PT3H")
    assert hours(read(zoned)) == ["24 09:00-24 10:00", "25 09:00-25 10:00", "26 09:00-26 12:00"]


def test_rdates_count_too() -> None:
    assert len(read(event(*PLAIN, "RDATE:20261125T090000Z,20261126T090000Z")).spans) == 3


def test_events_that_share_a_uid_all_count() -> None:
    second = ("DTSTART:20261125T090000Z", "DTEND:20261125T100000Z")
    assert len(read(event(*PLAIN), event(*second)).spans) == 2


def test_our_own_events_block_nobody() -> None:
    octets = feed(event(*PLAIN, uid="ours"), event("DTSTART:20261125T090000Z", "DTEND:20261125T100000Z", uid="theirs"))
    found = busy_times(octets, zone="UTC", window=WINDOW, own=["ours"])
    assert hours(found) == ["25 09:00-25 10:00"]


def test_39_one_event_nobody_can_read_costs_only_itself() -> None:
    found = read(event("DTSTART:yesterday", uid="bad"), event(*PLAIN))
    assert hours(found) == ["24 09:00-24 10:00"]
    assert found.warnings == ("One event cannot be read and blocks nothing.",)


@pytest.mark.parametrize("bad", ["EXDATE:whenever", "EXDATE;TZID=Nowhere:tomorrow", "RDATE:never", "EXRULE:FREQ=SOMETIMES"])
def test_39_a_series_with_a_date_nobody_can_read_blocks_all_of_its_own(bad: str) -> None:
    found = read(event(*PLAIN, "RRULE:FREQ=DAILY;COUNT=3", bad))
    assert len(found.spans) == 3
    assert found.warnings == ("One event can be read in part only.",)


def test_39_a_rule_nobody_can_read_leaves_the_first_time() -> None:
    found = read(event(*PLAIN, "RRULE:FREQ=FORTNIGHTLY"), event(*PLAIN, "RRULE:RSCALE=HEBREW;FREQ=DAILY", uid="two"))
    assert hours(found) == ["24 09:00-24 10:00"]
    assert found.warnings == ("2 events can be read in part only.",)


def test_39_an_exception_nobody_can_read_leaves_its_series_whole() -> None:
    found = read(event(*PLAIN, "RRULE:FREQ=DAILY;COUNT=3"), event("RECURRENCE-ID:20261125T090000Z", "DTSTART:soon"))
    assert len(found.spans) == 3
    assert found.warnings == ("One event cannot be read and blocks nothing.",)


def test_more_exceptions_than_a_calendar_holds_still_block() -> None:
    changed = [
        event(f"RECURRENCE-ID:{at:%Y%m%dT%H%M%SZ}", f"DTSTART:{at:%Y%m%dT%H%M%SZ}", "DURATION:PT30M")
        for at in (MONDAY - DAY * number for number in range(600))
    ]
    series = event("DTSTART:20200101T000000Z", "DURATION:PT30M", "RRULE:FREQ=DAILY")
    assert len(read(series, *changed).spans) == 60


def test_what_programs_write_beside_the_times_does_no_harm() -> None:
    noise = (
        "DESCRIPTION:first line",
        "a second line that nobody folded",
        "LOCATION;X=\x01:\x0b",
        'ATTENDEE;CN="a:b;c":mailto:x@example.com',
    )
    alarm = ("BEGIN:VALARM", "TRIGGER:-PT15M", "DURATION:PT5M", "DTSTART:20200101T000000Z", "UID:another", "END:VALARM")
    assert hours(read(event(*noise, *alarm, *PLAIN, "GEO", ":", ""))) == ["24 09:00-24 10:00"]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends_and_folds_of_any_kind_are_read(end: str) -> None:
    text = feed(event(*PLAIN, "RRULE:FREQ=DAILY;COUNT=2")).decode()
    folded = end.join(end.join((line[:9], f" {line[9:]}")) if len(line) > 9 else line for line in text.splitlines())
    found = busy_times(b"\xef\xbb\xbf" + folded.encode(), zone="UTC", window=WINDOW)
    assert hours(found) == ["24 09:00-24 10:00", "25 09:00-25 10:00"]


def test_several_calendars_in_one_answer_all_count() -> None:
    octets = feed(event(*PLAIN)) + feed(event("DTSTART:20261125T090000Z", "DURATION:PT1H"))
    assert len(busy_times(octets, zone="UTC", window=WINDOW).spans) == 2


def test_an_event_that_does_not_end_is_not_guessed_at() -> None:
    octets = feed("BEGIN:VEVENT\r\nUID:open\r\nDTSTART:20261125T090000Z\r\nDURATION:PT1H", event(*PLAIN))
    found = busy_times(octets, zone="UTC", window=WINDOW)
    assert hours(found) == ["24 09:00-24 10:00"]
    assert found.warnings == ("One event cannot be read and blocks nothing.",)


def test_published_free_busy_times_block_as_they_say() -> None:
    lines = (
        "BEGIN:VFREEBUSY", "FREEBUSY:20261124T090000Z/20261124T100000Z,20261124T120000Z/PT30M,20261124T1300Z/PT1H",
        "FREEBUSY;FBTYPE=FREE:20261125T090000Z/PT1H", "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261126T090000Z/PT1H",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261127T090000Z/PT1H", "END:VFREEBUSY",
    )  # fmt: skip
    found = read("\r\n".join(lines))
    assert hours(found) == ["24 09:00-24 10:00", "24 12:00-24 12:30", "26 09:00-26 10:00", "27 09:00-27 10:00"]
    assert (found.events, found.warnings) == (6, ("One event cannot be read and blocks nothing.",))
    assert len(read("\r\n".join(lines), habits=Habits(tentative=False)).spans) == 3


def test_what_the_staff_member_has_declined_blocks_nobody() -> None:
    declined = event(*PLAIN, "ATTENDEE;CN=John;PARTSTAT=DECLINED:mailto:John@example.com")
    octets = feed(declined, event("DTSTART:20261125T090000Z", "DURATION:PT1H", "ATTENDEE;PARTSTAT=DECLINED:mailto:emma@example.com"))
    assert hours(busy_times(octets, zone="UTC", window=WINDOW, people=["john@example.com"])) == ["25 09:00-25 10:00"]
    assert hours(read(declined, head=("X-WR-CALNAME:john@example.com",))) == []
    assert hours(read(declined)) == ["24 09:00-24 10:00"]


def test_tasks_and_journals_block_nobody() -> None:
    task = "\r\n".join(("BEGIN:VTODO", "UID:t", "DTSTART:20261124T090000Z", "DUE:20261124T100000Z", "END:VTODO"))
    assert read(task) == BusyTimes(spans=(), events=0, zone="Europe/Paris")


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


def test_an_absence_of_years_blocks_and_is_said() -> None:
    found = read(event("DTSTART;VALUE=DATE:20260101", "DTEND;VALUE=DATE:20300101"))
    assert found.spans == (WINDOW,)
    assert found.warnings == ("One event lasts longer than a year and blocks all of it.",)


@given(st.permutations(range(4)), st.lists(st.text("0123456789abcdef-@.", min_size=1, max_size=20), min_size=4, max_size=4, unique=True))
def test_17_neither_their_order_nor_fresh_uids_change_the_times(order: list[int], uids: list[str]) -> None:
    bodies = [
        (*PLAIN, "RRULE:FREQ=WEEKLY"),
        ("DTSTART;VALUE=DATE:20261201",),
        ("DTSTART:20261203T090000", "DURATION:PT90M"),
        ("DTSTART:20261205T090000Z", "DTEND:20261205T093000Z", "STATUS:TENTATIVE"),
    ]
    usual = read(*(event(*body, uid=str(number)) for number, body in enumerate(bodies)))
    assert read(*(event(*bodies[number], uid=uids[number]) for number in order)) == usual


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
