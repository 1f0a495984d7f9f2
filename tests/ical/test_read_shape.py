"""When an object of a staff member's own takes place: exact where it can be, bounded always, and never a failure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ical import read
from gateway.model import CalendarId, EntryId, Personal, Shape
from tests.ical.people import HORIZON, NOW
from tests.ical.test_read_personal import ONE, event, wrapped
from tests.spending import spending

HOUR = timedelta(hours=1)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
THERE = ";TZID=America/New_York:20261124T"
UID = "UID:one@example.com"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]  # a datetime takes its parts one by one


def shape(*components: str, zone: str = "Europe/Paris", horizon: datetime = HORIZON) -> Shape:
    text = wrapped(*components)
    wish = read.personal(text, zone=zone)
    entry = Personal(
        id=EntryId("p"), calendar=CalendarId("c"), name="p.ics", uid=wish.uid, component=wish.component, text=text, created=NOW, changed=NOW
    )
    found = read.personal_shape(entry, zone=zone, horizon=horizon)
    assert (found.text, found.team_text) == (text, "")
    return found


def spans(*components: str, zone: str = "Europe/Paris") -> list[tuple[str, str]]:
    """Starts and ends in UTC, "1126T0900" in the year of the tests."""
    return [(f"{each.span.start:%m%dT%H%M}", f"{each.span.end:%m%dT%H%M}") for each in shape(*components, zone=zone).occurrences]


def single(*lines: str) -> str:
    return event(UID, *lines)


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        (("DTSTART:20261126T090000Z", "DTEND:20261126T100000Z"), "1126T0900", "1126T1000"),
        (("DTSTART:20261126T090000", "DTEND:20261126T100000"), "1126T0800", "1126T0900"),
        (("DTSTART;TZID=America/New_York:20261126T090000", "DTEND:20261126T150000Z"), "1126T1400", "1126T1500"),
        (("DTSTART;TZID=Europe/Paris:20261126T090000", "DTEND;TZID=Europe/London:20261126T090000"), "1126T0800", "1126T0900"),
        (("DTSTART;TZID=America/New_York:20261126T090000", "DTEND:20261126T100000"), "1126T1400", "1126T1500"),
        (("DTSTART:20261126T090000Z", "DURATION:PT1H30M"), "1126T0900", "1126T1030"),
        (("DTSTART:20261126T090000Z",), "1126T0900", "1126T0900"),
        (("DTSTART;VALUE=DATE:20261126",), "1125T2300", "1126T2300"),
        (("DTSTART:20261126",), "1125T2300", "1126T2300"),
        (("DTSTART;VALUE=DATE:20261126", "DTEND;VALUE=DATE:20261128"), "1125T2300", "1127T2300"),
        (("DTSTART;VALUE=DATE:20261126", "DTEND;VALUE=DATE:20261126"), "1125T2300", "1126T2300"),
        (("DTSTART;VALUE=DATE:20261126", "DTEND:20261127T120000Z"), "1125T2300", "1127T2300"),
        (("DTSTART;VALUE=DATE:20261126", "DURATION:P1W"), "1125T2300", "1202T2300"),
        (("DTSTART;VALUE=DATE:20260329",), "0328T2300", "0329T2200"),
        (("DTSTART;VALUE=DATE:20261025",), "1024T2200", "1025T2300"),
        (("DTSTART;TZID=Europe/Paris:20260328T120000", "DURATION:P1D"), "0328T1100", "0329T1000"),
        (("DTSTART;TZID=Europe/Paris:20260328T120000", "DURATION:PT24H"), "0328T1100", "0329T1100"),
        (("DTSTART;TZID=Europe/Paris:20260329T023000", "DTEND;TZID=Europe/Paris:20260329T031500"), "0329T0130", "0329T0215"),
        (("DTSTART;TZID=Europe/Paris:20261025T024500", "DTEND;TZID=Europe/Paris:20261025T021500"), "1025T0045", "1025T0115"),
    ],
)
def test_an_event_takes_the_time_it_says(lines: tuple[str, ...], start: str, end: str) -> None:
    assert spans(single(*lines)) == [(start, end)]


@pytest.mark.parametrize(
    ("lines", "busy"),
    [
        ((), True),
        (("TRANSP:OPAQUE",), True),
        (("TRANSP:TRANSPARENT",), False),
        (("transp:transparent",), False),
        (("STATUS:CANCELLED",), False),
        (("STATUS:TENTATIVE",), True),
        (("X-MICROSOFT-CDO-BUSYSTATUS:FREE",), False),
        (("X-MICROSOFT-CDO-BUSYSTATUS:OOF",), True),
        (("TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"), False),
    ],
)
def test_an_event_blocks_time_unless_it_says_otherwise(lines: tuple[str, ...], busy: bool) -> None:
    [found] = shape(single(*ONE[1:], *lines)).occurrences
    assert found.busy is busy
    assert found.occupied == found.span


@pytest.mark.parametrize("kind", ["VTODO", "VJOURNAL"])
def test_tasks_and_journal_entries_block_nothing(kind: str) -> None:
    assert not any(each.busy for each in shape(event(*ONE[:3], kind=kind)).occurrences)


class TestExceptions:
    DAILY = single("DTSTART;TZID=Europe/Paris:20261123T090000", "DTEND;TZID=Europe/Paris:20261123T100000", "RRULE:FREQ=DAILY;COUNT=4")

    def starts(self, *components: str) -> list[str]:
        return [start for start, _ in spans(*components)]

    def test_an_occurrence_takes_place_elsewhere(self) -> None:
        moved = single("RECURRENCE-ID;TZID=Europe/Paris:20261124T090000", "DTSTART:20261124T150000Z", "DTEND:20261124T153000Z")
        assert self.starts(self.DAILY, moved) == ["1123T0800", "1124T1500", "1125T0800", "1126T0800"]
        assert self.starts(moved, self.DAILY) == self.starts(self.DAILY, moved)

    @pytest.mark.parametrize(
        "name", [f"RECURRENCE-ID{each}" for each in (":20261124T080000Z", ":20261124T090000", ";VALUE=DATE:20261124", f"{THERE}030000")]
    )
    def test_an_occurrence_is_named_in_many_ways(self, name: str) -> None:
        assert self.starts(self.DAILY, single(name, "DTSTART:20261124T150000Z")) == ["1123T0800", "1124T1500", "1125T0800", "1126T0800"]

    @pytest.mark.parametrize(
        "name", [f"EXDATE{each}" for each in (":20261124T080000Z", ":20261124T090000", ":20261124", f"{THERE}030000,20261124T040000")]
    )
    def test_an_occurrence_is_left_out_in_many_ways(self, name: str) -> None:
        assert self.starts(self.DAILY.replace("END:VEVENT", f"{name}\r\nEND:VEVENT")) == ["1123T0800", "1125T0800", "1126T0800"]

    def test_days_are_left_out_and_moved_however_they_are_named(self) -> None:
        days = single("DTSTART;VALUE=DATE:20261123", "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20261124T000000Z", "EXDATE:20261125T120000")
        moved = single("RECURRENCE-ID:20261126T000000Z", "DTSTART;VALUE=DATE:20261201")
        assert self.starts(days, moved) == ["1122T2300", "1126T2300", "1130T2300"]

    def test_all_that_follow_move_along(self) -> None:
        onward = single("RECURRENCE-ID;RANGE=THISANDFUTURE:20261124T080000Z", "DTSTART:20261124T100000Z", "DTEND:20261124T103000Z")
        assert spans(self.DAILY, onward) == [
            ("1123T0800", "1123T0900"),
            ("1124T1000", "1124T1030"),
            ("1125T1000", "1125T1030"),
            ("1126T1000", "1126T1030"),
        ]

    def test_the_later_of_two_moves_of_all_that_follow_counts_for_what_follows_it(self) -> None:
        first = single("RECURRENCE-ID;RANGE=THISANDFUTURE:20261124T080000Z", "DTSTART:20261124T100000Z", "TRANSP:TRANSPARENT")
        second = single("RECURRENCE-ID;RANGE=THISANDFUTURE:20261126T080000Z", "DTSTART:20261127T110000Z")
        found = shape(self.DAILY, first, second)
        assert [f"{each.span.start:%m%dT%H%M}" for each in found.occurrences] == ["1123T0800", "1124T1000", "1125T1000", "1127T1100"]
        assert [each.busy for each in found.occurrences] == [True, False, False, True]

    def test_exceptions_alone_are_what_there_is(self) -> None:
        found = shape(single("RECURRENCE-ID:20261124T080000Z", "DTSTART:20261124T150000Z"))
        assert [each.at for each in found.occurrences] == [utc(2026, 11, 24, 8)]
        assert (found.indexed_until, found.floor, found.ceil) == (None, utc(2026, 11, 24, 15), utc(2026, 11, 24, 15))

    def test_dates_and_periods_are_added(self) -> None:
        more = ("RDATE:20261201T090000Z", "RDATE;VALUE=PERIOD:20261202T090000Z/PT3H,20261203T090000Z/20261203T093000Z")
        assert spans(single(*ONE[2:], *more))[1:] == [
            ("1201T0900", "1201T1000"),
            ("1202T0900", "1202T1200"),
            ("1203T0900", "1203T0930"),
        ]

    def test_a_rule_of_exceptions_takes_away(self) -> None:
        assert len(spans(single(*ONE[2:], "RRULE:FREQ=DAILY;COUNT=14", "EXRULE:FREQ=WEEKLY;COUNT=2"))) == 12

    def test_everything_taken_away_leaves_an_object_without_instances(self) -> None:
        found = shape(single(*ONE[2:], "RRULE:FREQ=DAILY", "EXRULE:FREQ=DAILY"))
        assert (found.occurrences, found.floor, found.ceil) == ((), utc(2026, 11, 26, 9), None)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("DTSTART:20261126T090000Z", "DURATION:PT1H"), (utc(2026, 11, 26, 9), utc(2026, 11, 26, 10, 0, 1))),
        (("DTSTART:20261126T090000Z", "DUE:20261126T100000Z"), (utc(2026, 11, 26, 9), utc(2026, 11, 26, 10))),
        (("DTSTART:20261126T090000Z", "DUE:20261126T090000Z"), (utc(2026, 11, 26, 8, 59, 59), utc(2026, 11, 26, 9, 0, 1))),
        (("DTSTART:20261126T090000Z", "DUE:20261126T080000Z"), (utc(2026, 11, 26, 7, 59, 59), utc(2026, 11, 26, 9, 0, 1))),
        (("DTSTART:20261126T090000Z",), (utc(2026, 11, 26, 9), utc(2026, 11, 26, 9))),
        (("DUE:20261126T090000Z",), (utc(2026, 11, 26, 8, 59, 59), utc(2026, 11, 26, 9))),
        (("DUE;VALUE=DATE:20261126",), (utc(2026, 11, 25, 22, 59, 59), utc(2026, 11, 25, 23))),
        (("COMPLETED:20261126T090000Z", "CREATED:20261125T090000Z"), (utc(2026, 11, 25, 8, 59, 59), utc(2026, 11, 26, 9, 0, 1))),
        (("COMPLETED:20261126T090000Z",), (utc(2026, 11, 26, 8, 59, 59), utc(2026, 11, 26, 9, 0, 1))),
        (("CREATED:20261126T090000Z",), (utc(2026, 11, 26, 9), utc(9999, 12, 31))),
    ],
)
def test_a_task_counts_where_the_standard_says(lines: tuple[str, ...], found: tuple[datetime, datetime]) -> None:
    [occurrence] = shape(event(UID, *lines, kind="VTODO")).occurrences
    assert (occurrence.span.start, occurrence.span.end) == found


def test_a_task_without_any_date_is_always_there_and_a_journal_entry_never() -> None:
    task, entry = (shape(event(UID, kind=kind)) for kind in ("VTODO", "VJOURNAL"))
    assert (task.occurrences, task.indexed_until, task.floor, task.ceil) == ((), None, None, None)
    assert entry.occurrences == ()
    assert entry.floor == entry.ceil == utc(1, 1, 1)


def test_a_repeating_task_repeats_by_its_due_date() -> None:
    found = shape(event(UID, "DUE:20261126T090000Z", "RRULE:FREQ=DAILY;COUNT=3", kind="VTODO"))
    assert [each.span.end for each in found.occurrences] == [utc(2026, 11, day, 9) for day in (26, 27, 28)]
    assert len(shape(event(UID, "CREATED:20261126T090000Z", "RRULE:FREQ=DAILY;COUNT=3", kind="VTODO")).occurrences) == 1


class TestIndex:
    def test_a_series_that_ends_is_known_to_its_end(self) -> None:
        found = shape(single("DTSTART:20260101T090000Z", "DTEND:20260101T100000Z", "RRULE:FREQ=YEARLY;COUNT=20"))
        assert (len(found.occurrences), found.indexed_until) == (20, None)
        assert (found.floor, found.ceil) == (utc(2026, 1, 1, 9), utc(2045, 1, 1, 10))

    def test_an_endless_series_is_known_up_to_the_horizon(self) -> None:
        found = shape(single("DTSTART:20000101T090000Z", "RRULE:FREQ=WEEKLY"))
        assert (found.indexed_until, found.floor, found.ceil) == (HORIZON, utc(2000, 1, 1, 9), None)
        assert all(b.span.start - a.span.start == timedelta(weeks=1) for a, b in pairwise(found.occurrences))
        assert found.occurrences[-1].span.start > HORIZON - timedelta(weeks=1)

    def test_of_a_series_with_too_many_instances_the_first_and_the_last_years_are_known(self) -> None:
        found = shape(single("DTSTART:19010101T090000Z", "RRULE:FREQ=DAILY"))
        assert found.indexed_until == HORIZON
        starts = [each.span.start for each in found.occurrences]
        assert starts[:3000] == [utc(1901, 1, 1, 9) + number * timedelta(days=1) for number in range(3000)]
        assert starts[-1] > HORIZON - timedelta(days=1)
        assert starts[-5 * 366 :] == [starts[-1] - number * timedelta(days=1) for number in reversed(range(5 * 366))]

    def test_of_what_takes_place_daily_for_fifteen_years_every_day_is_known(self) -> None:
        found = shape(single("DTSTART:20170701T090000Z", "RRULE:FREQ=DAILY"))
        assert all(b.span.start - a.span.start == timedelta(days=1) for a, b in pairwise(found.occurrences))
        assert (found.occurrences[0].span.start, found.indexed_until) == (utc(2017, 7, 1, 9), HORIZON)

    def test_of_an_even_denser_one_the_beginning_and_what_is_near_the_horizon(self) -> None:
        found = shape(single("DTSTART:20250101T000000Z", "DURATION:PT1M", "RRULE:FREQ=HOURLY"))
        assert found.indexed_until == utc(2025, 1, 1) + 3000 * HOUR
        starts = [each.span.start for each in found.occurrences]
        assert utc(2025, 3, 1, 7) in starts
        assert all(HORIZON - number * HOUR in starts for number in range(1, 31 * 24))

    def test_a_count_that_nobody_reaches_is_as_good_as_endless(self) -> None:
        found = shape(single("DTSTART:20200101T090000Z", "RRULE:FREQ=DAILY;COUNT=1000000"))
        assert found.ceil is None
        assert found.indexed_until is not None
        assert found.indexed_until >= utc(2028, 1, 1)

    def test_an_exception_beyond_the_horizon_is_known(self) -> None:
        endless = single("DTSTART:20261126T090000Z", "RRULE:FREQ=WEEKLY")
        far = single("RECURRENCE-ID:20401227T090000Z", "DTSTART:20261127T090000Z")
        assert utc(2026, 11, 27, 9) in [each.span.start for each in shape(endless, far).occurrences]

    def test_an_instance_that_is_moved_to_before_its_horizon_is_known(self) -> None:
        endless = single("DTSTART:20261126T090000Z", "RRULE:FREQ=WEEKLY")
        onward = single("RECURRENCE-ID;RANGE=THISANDFUTURE:20261203T090000Z", "DTSTART:20261127T090000Z")
        found = shape(endless, onward, horizon=utc(2027, 1, 2))
        assert [f"{each.span.start:%m%d}" for each in found.occurrences] == ["1126", "1127", "1204", "1211", "1218", "1225", "0101"]

    @pytest.mark.parametrize("horizon", [utc(1, 1, 1), utc(2026, 11, 26, 9), utc(9999, 12, 31), utc(9999, 12, 31, 23, 59)])
    def test_any_horizon_will_do(self, horizon: datetime) -> None:
        for lines in (("RRULE:FREQ=YEARLY",), ("RRULE:FREQ=SECONDLY",), ()):
            found = shape(single("DTSTART:20261126T090000Z", *lines), horizon=horizon)
            assert found.floor == utc(2026, 11, 26, 9)


@pytest.mark.parametrize("start", ["00010101T000000", "16010101T000000Z", "19700101T000000", "99991231T235959Z"])
@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;COUNT=1000000000",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYHOUR=3;BYSETPOS=366",
        "FREQ=DAILY",
    ],
)
def test_no_object_costs_more_than_its_budget(start: str, rule: str) -> None:
    with spending() as spent:
        for horizon in (HORIZON, utc(9999, 12, 31)):
            found = shape(single(f"DTSTART:{start}", "DURATION:P30D", f"RRULE:{rule}"), horizon=horizon)
            assert len(found.occurrences) <= 6000
            assert found.floor is not None
            assert all(each.span.start >= found.floor for each in found.occurrences)
    assert spent.calls < 2_000_000


def test_hundreds_of_exceptions_cost_no_more_than_their_number() -> None:
    daily = single("DTSTART:20200101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    days = [utc(2020, 1, 1, 9) + timedelta(days=number) for number in range(500)]
    onward = [single(f"RECURRENCE-ID;RANGE=THISANDFUTURE:{day:%Y%m%dT%H%M%SZ}", f"DTSTART:{day + HOUR:%Y%m%dT%H%M%SZ}") for day in days]
    with spending() as spent:
        assert {each.span.start.hour for each in shape(daily, *onward).occurrences} == {10}
    assert spent.calls < 2_000_000


@pytest.mark.parametrize("number", [1, 19, 20, 21, 45])
@pytest.mark.parametrize("master", [True, False])
@pytest.mark.parametrize("horizon", [utc(2020, 1, 1), HORIZON])
def test_what_was_seen_at_a_glance_is_all_there_is_or_is_looked_at_again(number: int, master: bool, horizon: datetime) -> None:
    days = [f"202603{1 + day % 28:02}T{day // 28:02}0000Z" for day in range(number)]
    dates = [single(f"RECURRENCE-ID:{day}", f"DTSTART:{day}", "DURATION:PT5M") for day in days]
    rule = [single("DTSTART:20260301T000000Z", "DURATION:PT5M", f"RRULE:FREQ=DAILY;COUNT={number}")]
    assert len(shape(*(rule if master else dates), horizon=horizon).occurrences) == number


def test_what_is_accepted_in_one_zone_can_be_shaped_in_every_other() -> None:
    text = single("DTSTART:20261126T090000", "DTEND:20261126T083000Z")
    for zone in ("Pacific/Kiritimati", "America/New_York", "UTC"):
        entry = Personal(
            id=EntryId("p"), calendar=CalendarId("c"), name="p", uid="p", component="VEVENT", text=wrapped(text), created=NOW, changed=NOW
        )
        assert len(read.personal_shape(entry, zone=zone, horizon=HORIZON).occurrences) == 1
    assert spans(text) == [("1126T0800", "1126T0830")]


ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Pacific/Chatham"])
RULES = st.sampled_from(
    [
        *("FREQ=DAILY;COUNT=12", "FREQ=WEEKLY;BYDAY={day};COUNT=9", "FREQ=MONTHLY;COUNT=7", "FREQ=MONTHLY;BYDAY={nth}{day};COUNT=8"),
        *("FREQ=YEARLY;COUNT=3", "FREQ=DAILY;INTERVAL=3;UNTIL=20270501T120000Z", "FREQ=WEEKLY;INTERVAL=2;COUNT=10", ""),
    ]
)
WALLS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda wall: wall.replace(second=0, microsecond=0))


@given(
    WALLS,
    ZONES,
    RULES,
    st.integers(15, 3000),
    st.lists(st.integers(0, 11), max_size=3),
    st.lists(st.integers(0, 11), max_size=2),
    st.booleans(),
)
@settings(max_examples=60)
def test_instances_are_those_that_recurring_ical_events_finds(
    wall: datetime, zone: str, rule: str, minutes: int, left_out: list[int], moved: list[int], days: bool
) -> None:
    """A start that its rule leaves out is the first instance here (tests/test_recurrence.py) and none there, so rules fit their starts."""
    if "{nth}" in rule and wall.day > 28:
        wall = wall.replace(day=28)
    rule = rule.format(day=WEEKDAYS[wall.weekday()], nth=min(4, (wall.day + 6) // 7))
    components = objects(wall, zone, rule, minutes, left_out, moved, days=days)
    found = shape(*components, zone=zone).occurrences
    calendar = icalendar.Calendar.from_ical(wrapped(*components))
    events = recurring_ical_events.of(calendar).between(datetime(2025, 12, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))
    assert [each.span.start for each in found] == sorted(of(each.start, zone) for each in events)
    if days:
        assert [each.span.end for each in found] == sorted(of(each.end, zone) for each in events)
    else:  # the library adds a duration to what the clock shows: wrong where clocks change in between (RFC 5545 §3.3.6)
        assert {each.span.length for each in found} == {timedelta(minutes=minutes)}


def of(moment: date, zone: str) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def objects(wall: datetime, zone: str, rule: str, minutes: int, left_out: Sequence[int], moved: Sequence[int], *, days: bool) -> list[str]:
    """A master, daily for naming instances: those that the rule does not have are left out where they would be orphans."""
    if days:
        head = [f"DTSTART;VALUE=DATE:{wall:%Y%m%d}", f"DTEND;VALUE=DATE:{wall + timedelta(days=1 + minutes // 1440):%Y%m%d}"]
    else:
        head = [f"DTSTART;TZID={zone}:{wall:%Y%m%dT%H%M%S}", f"DURATION:PT{minutes}M"]
    if rule and (days and "UNTIL" in rule):
        rule = "FREQ=DAILY;INTERVAL=3;UNTIL=20270501"
    master = single(*head, *([f"RRULE:{rule}"] if rule else []))
    starts = [each.at.astimezone(ZoneInfo(zone)) for each in shape(master, zone=zone).occurrences]
    named = [f"{start:%Y%m%d}" if days else f"{start:%Y%m%dT%H%M%S}" for start in starts]
    kind = ";VALUE=DATE" if days else f";TZID={zone}"
    gone = [f"EXDATE{kind}:{named[number]}" for number in sorted({*left_out} - {*moved}) if number and number < len(named)]
    exceptions = [
        single(
            f"RECURRENCE-ID{kind}:{named[number]}",
            *(line.replace(f"{wall:%Y%m%d}", f"{starts[number] + timedelta(days=1):%Y%m%d}") for line in head),
        )
        for number in sorted({*moved})
        if rule and not days and number < len(named)
    ]
    return [master.replace("END:VEVENT", "\r\n".join([*gone, "END:VEVENT"])), *exceptions]
