"""Working hours as VAVAILABILITY: the round trip, what clients write, and what hours cannot hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.booking.hours import openings
from gateway.errors import Invalid
from gateway.ical.availability import EXCEPTIONS, plain, read, written
from gateway.model import Span, WorkingHours

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday, 9 o'clock in Paris
PARIS = "Europe/Paris"
ZONES = (PARIS, "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca")
DAY = (480, 1080)
WEEK = dict.fromkeys(range(5), (DAY,))


def text(*parts: str, around: str = "") -> str:
    available = "".join(
        f"BEGIN:AVAILABLE\nUID:{number}\nDTSTAMP:20260101T000000Z\n{part}\nEND:AVAILABLE\n" for number, part in enumerate(parts)
    )
    head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VAVAILABILITY\nUID:a\nDTSTAMP:20260101T000000Z\n"
    return f"{head}{around}{available}END:VAVAILABILITY\nEND:VCALENDAR\n"


def hours(*parts: str, around: str = "", zone: str = PARIS) -> WorkingHours:
    return read(text(*parts, around=around), zone=zone, now=NOW)


MORNINGS = "DTSTART;TZID=Europe/Paris:20260105T080000\nDTEND;TZID=Europe/Paris:20260105T120000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
AFTERNOONS = "DTSTART;TZID=Europe/Paris:20260105T130000\nDURATION:PT5H\nRRULE:FREQ=WEEKLY;BYDAY=FR,TH,WE,TU,MO;WKST=SU;INTERVAL=1"
SPLIT = dict.fromkeys(range(5), ((480, 720), (780, 1080)))

intervals = st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 700)), max_size=3).map(
    lambda found: tuple((start, min(1440, start + length)) for start, length in found)
)
days = st.dates(date(2019, 1, 1), date(2030, 12, 31))
some_hours = st.builds(
    lambda weekly, exceptions: WorkingHours(weekly=weekly, exceptions=exceptions),
    st.dictionaries(st.integers(0, 6), intervals, max_size=7),
    st.dictionaries(days, intervals, max_size=6),
)


class TestRoundTrip:
    @settings(max_examples=60, deadline=None)
    @given(some_hours, st.sampled_from(ZONES))
    def test_hours_are_read_back_as_they_were_written(self, kept: WorkingHours, zone: str) -> None:
        if kept.weekly or kept.exceptions:
            assert read(written(kept, zone=zone, uid="john"), zone=zone, now=NOW) == plain(kept)

    @settings(max_examples=40, deadline=None)
    @given(some_hours, st.sampled_from(ZONES), days)
    def test_the_plain_form_means_the_same(self, kept: WorkingHours, zone: str, day: date) -> None:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        window = Span(start, start + timedelta(days=9))
        assert merged(kept, zone, window) == merged(plain(kept), zone, window)
        assert bool(kept.weekly or kept.exceptions) == bool(plain(kept).weekly or plain(kept).exceptions)

    def test_the_same_hours_are_the_same_text(self) -> None:
        one = written(WorkingHours(weekly=WEEK), zone=PARIS, uid="john")
        assert one == written(WorkingHours(weekly=dict.fromkeys(range(5), ((480, 700), (700, 1080)))), zone=PARIS, uid="john")
        assert one.count("BEGIN:AVAILABLE") == one.count("BEGIN:VTIMEZONE") == 1
        assert "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR\r\n" in one
        assert "DTSTART;TZID=Europe/Paris:20200106T080000\r\nDTEND;TZID=Europe/Paris:20200106T180000\r\n" in one

    def test_a_day_off_and_a_long_day_are_told(self) -> None:
        kept = WorkingHours(weekly=WEEK, exceptions={date(2026, 12, 24): (), date(2026, 12, 31): ((480, 720),)})
        said = written(kept, zone=PARIS, uid="john")
        assert "EXDATE;TZID=Europe/Paris:20261224T080000\r\n" in said
        assert "DTSTART;TZID=Europe/Paris:20261231T080000\r\nDTEND;TZID=Europe/Paris:20261231T120000\r\n" in said
        assert read(said, zone=PARIS, now=NOW) == kept

    def test_never_is_not_the_same_as_always(self) -> None:
        never = hours()
        assert never.weekly
        assert list(openings(never, PARIS, Span(NOW, NOW + timedelta(days=9)))) == []
        assert read(written(never, zone=PARIS, uid="john"), zone=PARIS, now=NOW) == never


def merged(kept: WorkingHours, zone: str, window: Span) -> list[Span]:
    """The open times within the window."""
    found: list[Span] = []
    for opening in sorted(openings(kept, zone, window)):
        start, end = max(opening.start, window.start), min(opening.end, window.end)
        if start >= end:
            continue
        if found and start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(end, found[-1].end))
        else:
            found.append(Span(start, end))
    return found


class TestWhatClientsWrite:
    def test_a_week_with_a_lunch_break(self) -> None:
        assert hours(MORNINGS, AFTERNOONS) == WorkingHours(weekly=SPLIT)

    def test_parts_that_touch_or_overlap_are_one(self) -> None:
        lunch = MORNINGS.replace("T120000", "T133000")
        assert hours(lunch, AFTERNOONS) == WorkingHours(weekly=WEEK)

    @pytest.mark.parametrize(
        "start",
        ["DTSTART:20260105T080000", "DTSTART;TZID=Europe/Paris:20260105T080000", "DTSTART;TZID=Romance Standard Time:20260105T080000"],
    )
    def test_times_without_a_zone_are_the_staff_members(self, start: str) -> None:
        assert hours(f"{start}\nDURATION:PT10H\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR") == WorkingHours(weekly=WEEK)

    def test_every_day_and_the_day_it_starts(self) -> None:
        start = "DTSTART:20260105T080000\nDTEND:20260105T180000\n"
        assert hours(start + "RRULE:FREQ=DAILY") == WorkingHours(weekly=dict.fromkeys(range(7), (DAY,)))
        assert hours(start + "RRULE:FREQ=WEEKLY") == WorkingHours(weekly={0: (DAY,)})

    def test_an_excluded_day_is_a_day_off(self) -> None:
        for excluded in ("EXDATE;TZID=Europe/Paris:20261224T080000", "EXDATE;VALUE=DATE:20261224", "EXDATE:20261224T070000Z"):
            assert hours(f"{MORNINGS}\n{excluded}", AFTERNOONS).exceptions == {date(2026, 12, 24): ((780, 1080),)}

    def test_an_exclusion_of_another_time_excludes_nothing(self) -> None:
        assert hours(f"{MORNINGS}\nEXDATE;TZID=Europe/Paris:20261224T090000").exceptions == {}

    def test_a_single_time_is_added_to_its_day(self) -> None:
        saturday = "DTSTART:20261205T090000Z\nDTEND:20261205T110000Z"
        assert hours(MORNINGS, saturday).exceptions == {date(2026, 12, 5): ((600, 720),)}
        assert hours(MORNINGS, f"{saturday}\nRDATE:20261212T090000Z").exceptions == {
            date(2026, 12, 5): ((600, 720),),
            date(2026, 12, 12): ((600, 720),),
        }

    def test_one_day_of_the_week_elsewhere(self) -> None:
        moved = "DTSTART:20261201T100000\nDTEND:20261201T140000\nRECURRENCE-ID:20261201T080000"
        found = hours(MORNINGS, moved.replace("RECURRENCE-ID", "X-NOTHING:\nRECURRENCE-ID"))
        assert found.exceptions == {date(2026, 12, 1): ((480, 840),)}  # another UID: both hold
        same = text(MORNINGS).replace("END:AVAILABLE\n", f"END:AVAILABLE\nBEGIN:AVAILABLE\nUID:0\n{moved}\nEND:AVAILABLE\n")
        assert read(same, zone=PARIS, now=NOW).exceptions == {date(2026, 12, 1): ((600, 840),)}

    def test_a_night_shift_is_two_halves(self) -> None:
        night = "DTSTART:20260105T220000\nDTEND:20260106T060000\nRRULE:FREQ=WEEKLY;BYDAY=MO,SU\nEXDATE:20261130T220000"
        assert hours(night) == WorkingHours(
            weekly={0: ((0, 360), (1320, 1440)), 1: ((0, 360),), 6: ((1320, 1440),)},
            exceptions={date(2026, 11, 30): ((0, 360),), date(2026, 12, 1): ()},
        )

    def test_weekly_hours_that_begin_later_hold_from_then_on(self) -> None:
        found = hours("DTSTART:20261207T080000\nDURATION:PT10H\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
        assert found.weekly == WEEK
        off = [date(2026, 11, 24) + timedelta(days=number) for number in range(13)]
        assert found.exceptions == {day: () for day in off if day.weekday() < 5}

    def test_a_holiday_of_higher_priority_replaces_its_days(self) -> None:
        holiday = (
            "BEGIN:VAVAILABILITY\nUID:b\nPRIORITY:2\nDTSTART;TZID=Europe/Paris:20261221T000000\nDTEND;TZID=Europe/Paris:20261224T000000\n"
            "BEGIN:AVAILABLE\nUID:c\nDTSTART:20261222T100000\nDTEND:20261222T110000\nEND:AVAILABLE\nEND:VAVAILABILITY\n"
        )
        both = text(MORNINGS, around="PRIORITY:9\n").replace("END:VCALENDAR", holiday + "END:VCALENDAR")
        assert read(both, zone=PARIS, now=NOW).exceptions == {
            date(2026, 12, 21): (),
            date(2026, 12, 22): ((600, 660),),
            date(2026, 12, 23): (),
        }
        with pytest.raises(Invalid):
            read(both.replace("PRIORITY:2", "PRIORITY:9"), zone=PARIS, now=NOW)
        with pytest.raises(Invalid, match="same day"):
            read(both.replace("END:VCALENDAR", holiday + "END:VCALENDAR"), zone=PARIS, now=NOW)

    def test_hours_in_a_zone_without_summer_time(self) -> None:
        assert hours("DTSTART:20260105T080000Z\nDURATION:PT10H\nRRULE:FREQ=WEEKLY", zone="UTC") == WorkingHours(weekly={0: (DAY,)})


class TestWhatHoursCannotHold:
    @pytest.mark.parametrize(
        "part",
        [
            "DTSTART:20260105T080000\nDTEND:20260105T120000\nRRULE:FREQ=MONTHLY;BYDAY=1MO",
            "DTSTART:20260105T080000\nDTEND:20260105T120000\nRRULE:FREQ=WEEKLY;INTERVAL=2",
            "DTSTART:20260105T080000\nDTEND:20260105T120000\nRRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z",
            "DTSTART:20260105T080000\nDTEND:20260105T120000\nRRULE:FREQ=WEEKLY;COUNT=3",
            "DTSTART:20260105T080000\nDTEND:20260105T120000\nRRULE:FREQ=WEEKLY;BYMONTH=1",
            "DTSTART:20260105T080000\nDTEND:20260105T120000\nRRULE:FREQ=WEEKLY\nRRULE:FREQ=DAILY",
            "DTSTART;TZID=America/New_York:20260105T080000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY",
            "DTSTART:20260105T080000Z\nDURATION:PT2H\nRRULE:FREQ=WEEKLY",
            "DTSTART:20260105T080030\nDTEND:20260105T120000\nRRULE:FREQ=WEEKLY",
            "DTSTART:20260105T080000\nDTEND:20260105T120030\nRRULE:FREQ=WEEKLY",
            "DTSTART:20260105T120000\nDTEND:20260105T080000\nRRULE:FREQ=WEEKLY",
            "DTSTART:20260105T120000\nDTEND:20260107T120000",
            "DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260106",
            "DTSTART:20260105T120000",
            "DTEND:20260105T120000",
            "DTSTART:20300105T080000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY",
            "DTSTART:20260105T080000\nDURATION:PT2H\nRDATE:20260106T090000",
            "DTSTART;TZID=Nowhere/Land:20260105T080000\nDURATION:PT2H",
            "DTSTART:20260105T080000\nDURATION:P9999999W",
        ],
    )
    def test_a_part_that_is_no_weekly_time_is_refused(self, part: str) -> None:
        with pytest.raises(Invalid) as refused:
            hours(part)
        assert refused.value.condition == "valid-calendar-data"
        assert str(refused.value).endswith(".")

    @pytest.mark.parametrize(
        "around", ["BUSYTYPE:BUSY-TENTATIVE\n", "PRIORITY:12\n", "DTSTART:20270101T000000\n", "DTEND:20270101T000000\n"]
    )
    def test_what_it_says_around_has_to_hold_from_now_on(self, around: str) -> None:
        with pytest.raises(Invalid):
            hours(MORNINGS, around=around)

    def test_a_holiday_is_made_of_whole_days(self) -> None:
        holiday = "BEGIN:VAVAILABILITY\nPRIORITY:1\nDTSTART:20261221T080000\nDTEND:20261224T000000\nEND:VAVAILABILITY\n"
        with pytest.raises(Invalid, match="whole days"):
            read(text(MORNINGS).replace("END:VCALENDAR", holiday + "END:VCALENDAR"), zone=PARIS, now=NOW)

    def test_nothing_two_of_it_and_too_much_are_refused(self) -> None:
        empty = "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n"
        twice = text(MORNINGS).replace("END:VCALENDAR", "BEGIN:VAVAILABILITY\nEND:VAVAILABILITY\nEND:VCALENDAR")
        for bad in (empty, twice, text(*[MORNINGS] * 300), "hello", text(MORNINGS)[:-30]):
            with pytest.raises(Invalid):
                read(bad, zone=PARIS, now=NOW)

    def test_more_exceptions_than_fit_are_refused(self) -> None:
        many = "".join(f"\nRDATE;VALUE=DATE:{date(2027, 1, 1) + timedelta(days=number):%Y%m%d}" for number in range(EXCEPTIONS + 1))
        with pytest.raises(Invalid, match=str(EXCEPTIONS)):
            hours(f"DTSTART:20260105T080000\nDURATION:PT2H{many}")
