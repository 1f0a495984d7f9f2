"""What is kept beside an appointment: the staff member's text, the colleagues' text, and the occurrences they both mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.booking import instances
from gateway.model import Appointment, Override, Recurrence, Shape, Span, Status
from tests.ical.people import ANN, DAY, HALF, HORIZON, NOW, START, WEEK, booked, moved, named, shaped, sound, unfolded

ALARM = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT15M\nEND:VALARM"


def spans(shape: Shape) -> list[Span]:
    return sorted(each.span for each in shape.occurrences)


def events(text: str) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def components(text: str) -> list[list[str]]:
    """The content lines of each VEVENT."""
    found: list[list[str]] = []
    inside = False
    for line in unfolded(text):
        if line == "BEGIN:VEVENT":
            found.append([])
            inside = True
        elif line == "END:VEVENT":
            inside = False
        elif inside:
            found[-1].append(line)
    return found


def read_back(text: str, window: Span) -> list[Span]:
    """What another program makes of the text."""
    query = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
    found = query.between(window.start, window.end)
    return sorted(Span(each["DTSTART"].dt.astimezone(UTC), each["DTEND"].dt.astimezone(UTC)) for each in found)


class TestText:
    def test_a_single_appointment_says_everything_the_staff_member_needs(self) -> None:
        shape = shaped(booked())
        sound(shape.text)
        [lines] = components(shape.text)
        assert set(lines) == {
            "UID:1@demo",
            "DTSTAMP:20261124T080000Z",
            "LAST-MODIFIED:20261124T080000Z",
            "CREATED:20261123T080000Z",
            "SEQUENCE:0",
            "DTSTART;TZID=Europe/Paris:20261126T110000",
            "DTEND;TZID=Europe/Paris:20261126T113000",
            "SUMMARY:Advice – Ann Canaryname",
            "DESCRIPTION:Ann Canaryname\\n+33 1 23 45 67 89\\nann.canary@example.com\\n\\nBring the papers.",
            "STATUS:CONFIRMED",
            "TRANSP:OPAQUE",
            "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
            "X-BOOKING-REV:1",
        }

    def test_it_is_a_calendar_object_and_no_invitation(self) -> None:
        lines = unfolded(shaped(booked()).text)
        assert {"VERSION:2.0", "CALSCALE:GREGORIAN", "TZID:Europe/Paris"} <= set(lines)
        for name in ("METHOD", "ORGANIZER", "ATTENDEE", "CLASS"):
            assert not named(lines, name)

    def test_stamps_are_those_of_the_last_change_in_whole_seconds(self) -> None:
        entry = booked(sequence=4, version=7, changed=NOW + timedelta(seconds=61, microseconds=999_999))
        [event] = events(shaped(entry).text)
        assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == NOW + timedelta(seconds=61)
        assert (event["SEQUENCE"], event["X-BOOKING-REV"]) == (4, "7")

    def test_the_text_depends_on_nothing_but_the_appointment(self) -> None:
        entry = booked(rule="FREQ=WEEKLY")
        assert shaped(entry) == shaped(entry)
        assert shaped(entry, HORIZON + DAY).text == shaped(entry).text

    def test_a_series_has_its_rule_its_exceptions_and_one_revision_in_each(self) -> None:
        gone, elsewhere = START + WEEK, START + 2 * WEEK
        entry = booked(rule="FREQ=WEEKLY;COUNT=5", excluded=(gone,), overrides=(moved(elsewhere, elsewhere + DAY),), version=3)
        shape = shaped(entry)
        sound(shape.text)
        master, exception = components(shape.text)
        assert "RRULE:FREQ=WEEKLY;COUNT=5" in master
        assert "EXDATE;TZID=Europe/Paris:20261203T110000" in master
        assert "RECURRENCE-ID;TZID=Europe/Paris:20261210T110000" in exception
        assert "DTSTART;TZID=Europe/Paris:20261211T110000" in exception
        assert not named(exception, "RRULE")
        for lines in (master, exception):
            assert {"UID:1@demo", "X-BOOKING-REV:3", "SUMMARY:Advice – Ann Canaryname", "STATUS:CONFIRMED"} <= set(lines)

    @pytest.mark.parametrize(
        ("until", "told"),
        [("20270501", "20270501T215959Z"), ("20270501T110000", "20270501T090000Z"), ("20270501T090000Z", "20270501T090000Z")],
    )
    def test_until_is_told_in_utc(self, until: str, told: str) -> None:
        [lines] = components(shaped(booked(rule=f"FREQ=WEEKLY;UNTIL={until}")).text)
        assert named(lines, "RRULE") == [f"RRULE:FREQ=WEEKLY;UNTIL={told}"]

    @pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "UTC"])
    @pytest.mark.parametrize("until", ["99991231", "99991231T235959", "99991231T235959Z"])
    def test_a_series_until_the_end_of_time_can_be_told(self, zone: str, until: str) -> None:
        shape = shaped(booked(rule=f"FREQ=WEEKLY;UNTIL={until}", zone=zone))
        sound(shape.text)
        assert shape.indexed_until == HORIZON

    def test_a_zone_that_is_utc_needs_no_time_zone(self) -> None:
        text = shaped(booked(zone="Etc/UTC", rule="FREQ=WEEKLY;COUNT=3", excluded=(START + WEEK,))).text
        assert "VTIMEZONE" not in text
        assert "TZID" not in text
        assert {"DTSTART:20261126T100000Z", "EXDATE:20261203T100000Z"} <= set(unfolded(text))

    def test_what_a_client_added_stands_where_it_belongs(self) -> None:
        at = START + WEEK
        entry = booked(rule="FREQ=WEEKLY;COUNT=3", extras=(ALARM, "CATEGORIES:Work,Home"), overrides=(moved(at, at, "COLOR:red", ALARM),))
        shape = shaped(entry)
        master, exception = components(shape.text)
        assert master[-6:] == ["CATEGORIES:Work,Home", *ALARM.split("\n")], "properties come before components"
        assert exception[-6:] == ["COLOR:red", *ALARM.split("\n")]
        assert "CATEGORIES:Work,Home" not in exception

    def test_a_tentative_and_a_cancelled_appointment_say_so(self) -> None:
        said = set(unfolded(shaped(booked(status=Status.TENTATIVE)).text))
        assert {"STATUS:TENTATIVE", "TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"} <= said
        said = set(unfolded(shaped(booked(status=Status.CANCELLED)).text))
        assert {"STATUS:CANCELLED", "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"} <= said

    def test_a_customer_who_has_been_erased_leaves_no_empty_words(self) -> None:
        [event] = events(shaped(booked(notes=""), customer=replace(ANN, name="", email="", phone="")).text)
        assert (event["SUMMARY"], event["DESCRIPTION"]) == ("Advice", "")


class TestTeam:
    def test_colleagues_see_who_and_what_and_nobody_elses_business(self) -> None:
        at = START + WEEK
        entry = booked(rule="FREQ=WEEKLY;COUNT=3", extras=(ALARM, "X-MINE:1"), overrides=(moved(at, at + DAY, "X-MINE:2"),))
        shape = shaped(entry)
        sound(shape.team_text)
        assert len(events(shape.team_text)) == 2
        for event in events(shape.team_text):
            assert (event["UID"], event["SUMMARY"]) == ("1@demo", "John Smith: Advice")
        for secret in (ANN.name, "Canaryname", ANN.email, ANN.phone, "papers", "X-MINE", "VALARM", "X-BOOKING-REV", "DESCRIPTION"):
            assert secret not in shape.team_text

    def test_an_exception_that_only_carries_marks_is_none_to_colleagues(self) -> None:
        at = START + WEEK
        shape = shaped(booked(rule="FREQ=WEEKLY;COUNT=3", overrides=(moved(at, at, "X-MINE:2"),)))
        assert (len(events(shape.text)), len(events(shape.team_text))) == (2, 1)

    def test_a_cancelled_appointment_is_not_shown_to_colleagues(self) -> None:
        assert shaped(booked(status=Status.CANCELLED)).team_text == ""


class TestOccurrences:
    def test_a_single_appointment_is_its_only_occurrence_with_its_buffers(self) -> None:
        shape = shaped(booked())
        [one] = shape.occurrences
        assert (one.at, one.span, one.busy) == (START, Span(START, START + HALF), True)
        assert one.occupied == Span(START - timedelta(minutes=5), START + timedelta(minutes=40))
        assert (shape.indexed_until, shape.floor, shape.ceil) == (None, START, START + HALF)

    def test_however_far_ahead_a_single_appointment_is_indexed(self) -> None:
        far = HORIZON + 300 * DAY
        assert [each.at for each in shaped(booked(far)).occurrences] == [far]

    def test_an_endless_series_is_indexed_to_the_horizon(self) -> None:
        shape = shaped(booked(rule="FREQ=WEEKLY"))
        assert (shape.indexed_until, shape.floor, shape.ceil) == (HORIZON, START, None)
        assert len(shape.occurrences) == 107
        assert all(each.span.start < HORIZON for each in shape.occurrences)

    def test_a_series_that_ends_before_the_horizon_is_complete(self) -> None:
        for rule in ("FREQ=WEEKLY;COUNT=5", f"FREQ=WEEKLY;UNTIL={START + 4 * WEEK:%Y%m%dT%H%M%SZ}"):
            shape = shaped(booked(rule=rule, excluded=(START + WEEK,)))
            assert [each.at for each in shape.occurrences] == [START, *(START + n * WEEK for n in (2, 3, 4))]
            assert (shape.indexed_until, shape.ceil) == (None, START + 4 * WEEK + HALF)

    def test_a_series_that_ends_later_knows_its_end_all_the_same(self) -> None:
        shape = shaped(booked(rule="FREQ=WEEKLY;COUNT=200"))
        assert len(shape.occurrences) == 107
        # Winter or summer, the hour stays: the end is told in wall time.
        last = (START.astimezone(ZoneInfo("Europe/Paris")) + 199 * WEEK).astimezone(UTC)
        assert (shape.indexed_until, shape.ceil) == (HORIZON, last + HALF)
        until = shaped(booked(rule="FREQ=WEEKLY;UNTIL=20400101T000000Z"))
        assert until.indexed_until == HORIZON
        assert until.ceil is not None
        assert until.ceil.year == 2040

    def test_a_series_that_begins_beyond_the_horizon_waits(self) -> None:
        shape = shaped(booked(HORIZON + DAY, rule="FREQ=DAILY"))
        assert (shape.occurrences, shape.indexed_until, shape.floor) == ((), HORIZON, HORIZON + DAY)

    def test_more_occurrences_than_one_expansion_may_cost_end_the_index_early(self) -> None:
        shape = shaped(booked(rule="FREQ=HOURLY"))
        assert shape.indexed_until is not None
        assert shape.indexed_until < HORIZON
        assert shape.ceil is None
        assert max(each.at for each in shape.occurrences) <= shape.indexed_until

    def test_occurrences_moved_anywhere_are_found_where_they_are(self) -> None:
        early, late, home = START + WEEK, START + 2 * WEEK, START + 120 * WEEK
        home = (home.astimezone(ZoneInfo("Europe/Paris"))).replace(hour=11).astimezone(UTC)
        overrides = (moved(early, START - 3 * DAY), moved(late, HORIZON + 9 * DAY), moved(home, START + DAY))
        shape = shaped(booked(rule="FREQ=WEEKLY", overrides=overrides))
        assert home > HORIZON
        there = {each.at: each.span.start for each in shape.occurrences}
        assert (there[early], there[late], there[home]) == (START - 3 * DAY, HORIZON + 9 * DAY, START + DAY)
        assert shape.floor == START - 3 * DAY

    def test_the_end_encloses_what_was_moved_beyond_the_last_one(self) -> None:
        shape = shaped(booked(rule="FREQ=WEEKLY;COUNT=2", overrides=(moved(START, START + 90 * DAY),)))
        assert (shape.floor, shape.ceil, shape.indexed_until) == (START, START + 90 * DAY + HALF, None)

    def test_a_cancelled_one_has_none_and_keeps_its_place(self) -> None:
        shape = shaped(booked(rule="FREQ=WEEKLY;COUNT=5", status=Status.CANCELLED))
        assert (shape.occurrences, shape.indexed_until) == ((), None)
        assert (shape.floor, shape.ceil) == (START, START + 4 * WEEK + HALF)

    def test_the_same_appointment_again_at_a_later_horizon_only_gains(self) -> None:
        entry = booked(rule="FREQ=WEEKLY")
        early, late = shaped(entry), shaped(entry, HORIZON + 100 * DAY)
        assert late.occurrences[: len(early.occurrences)] == early.occurrences


ZONES = ["Europe/Paris", "America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
RULES = [
    "FREQ=DAILY;COUNT=9",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;COUNT=12",
    "FREQ=WEEKLY;UNTIL=20271001",
    "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20271231",
    "FREQ=MONTHLY;BYMONTHDAY=15;UNTIL=20280101T000000Z",
    "FREQ=YEARLY;COUNT=2",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20270301T120000",
]


@st.composite
def series(draw: st.DrawFn) -> Appointment:
    """A series as the platform could hold it: exceptions and gaps are occurrences of the rule."""
    zone = draw(st.sampled_from(ZONES))
    start = datetime(2026, draw(st.integers(1, 12)), draw(st.integers(1, 28)), draw(st.integers(7, 18)), 15, tzinfo=ZoneInfo(zone))
    plain = booked(start.astimezone(UTC), rule=draw(st.sampled_from(RULES)), zone=zone)
    assert plain.recurrence is not None
    dates = [instance.at for instance in instances(plain, within=Span(plain.span.start, plain.span.start + 300 * DAY))]
    chosen = draw(st.lists(st.sampled_from(dates), unique=True, max_size=4)) if len(dates) > 1 else []
    gone, elsewhere = sorted(chosen[:2]), sorted(chosen[2:])
    overrides = tuple(_elsewhere(at, draw(st.integers(-40, 40))) for at in elsewhere)
    return replace(plain, recurrence=Recurrence(rule=plain.recurrence.rule, excluded=tuple(gone), overrides=overrides))


def _elsewhere(at: datetime, days: int) -> Override:
    return moved(at, at + days * DAY + HALF)


def _inside(found: Sequence[Span], window: Span) -> list[Span]:
    return [span for span in found if window.start <= span.start < window.end]


@settings(max_examples=60, deadline=None)
@given(series())
def test_another_program_reads_the_occurrences_that_are_indexed(entry: Appointment) -> None:
    shape = shaped(entry)
    window = Span(entry.span.start - 60 * DAY, entry.span.start + 500 * DAY)
    ours = _inside(spans(shape), window)
    for text in (shape.text, shape.team_text):
        sound(text)
        assert _inside(read_back(text, window), window) == ours
    assert shape.floor is not None
    assert all(shape.floor <= span.start and (shape.ceil is None or span.end <= shape.ceil) for span in spans(shape))


@settings(max_examples=40, deadline=None)
@given(series())
def test_an_index_is_complete_up_to_where_it_says(entry: Appointment) -> None:
    shape = shaped(entry, entry.span.start + 200 * DAY)
    whole = {each.at: each.span for each in instances(entry, within=Span(entry.span.start, entry.span.start + 900 * DAY))}
    until = shape.indexed_until or datetime.max.replace(tzinfo=UTC)
    assert {at: span for at, span in whole.items() if span.start < until}.items() <= {
        each.at: each.span for each in shape.occurrences
    }.items()
    assert {each.at for each in shape.occurrences} <= whole.keys()
