"""Laws of reading a client's text: what says the same asks for nothing, and what was done to an appointment is read out of its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import icalendar
import pytest
import vobject
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.booking import Annotate, Cancel, Circumstances, Intent, Misuse, Move, Resize, instances, settle
from gateway.errors import Conflict, Invalid, Refused, TooLarge
from gateway.ical import read
from gateway.model import Appointment, CalendarId, Entry, EntryId, OnDelete, Policy, Span, Status, WorkingHours
from tests.ical.people import ADVICE, HALF, NOW, START, WEEK, booked, moved, shaped

HOUR = timedelta(hours=1)
ZONES = st.sampled_from(
    ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Tokyo", "Africa/Casablanca", "UTC"]
)
RULES = st.sampled_from(
    [
        *("", "FREQ=WEEKLY;COUNT=9", "FREQ=DAILY;COUNT=20", "FREQ=MONTHLY;COUNT=6", "FREQ=WEEKLY;INTERVAL=2;UNTIL=20280101", "FREQ=WEEKLY"),
        *("FREQ=DAILY;UNTIL=20270301T120000Z", "FREQ=YEARLY;COUNT=3", "FREQ=WEEKLY;UNTIL=20270601T090000Z;WKST=SU"),
    ]
)
MARKS = st.lists(
    st.sampled_from(
        [
            *(
                "CATEGORIES:A,B",
                "COLOR:red",
                "X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M",
                "X-MOZ-LASTACK:20261126T094700Z",
                "CLASS:PRIVATE",
            ),
            *("X-LONG;A=b:" + "é" * 60, "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT15M\nEND:VALARM"),
            "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z\nX-APPLE-DEFAULT-ALARM:TRUE\nEND:VALARM",
        ]
    ),
    unique=True,
    max_size=3,
).map(lambda marks: tuple(sorted(marks, key=lambda mark: (mark.startswith("BEGIN:"), mark))))  # as they are written
STARTS = st.integers(0, 600 * 96).map(lambda quarters: NOW + timedelta(days=1) + quarters * timedelta(minutes=15))


@st.composite
def appointments(draw: Callable[[Any], Any]) -> Appointment:
    """Single ones and series, some occurrences elsewhere, some gone, marked or not, whatever the clocks do meanwhile."""
    entry = booked(draw(STARTS), rule=draw(RULES), zone=draw(ZONES), extras=draw(MARKS), version=draw(st.integers(1, 99)))
    if entry.recurrence is None:
        return entry
    starts = [each.at for each, _ in zip(instances(entry), range(6), strict=False)]
    assume(starts and starts[0] == entry.span.start)  # an hour that comes twice begins a series the first time only
    picked = draw(st.lists(st.sampled_from(starts), unique=True, max_size=4))
    there = [moved(at, at + draw(st.sampled_from([timedelta(), HOUR, 5 * HOUR])), *draw(MARKS)) for at in picked[:2]]
    kept = tuple(sorted((each for each in there if each.extras or each.at != each.span.start), key=lambda each: each.at))
    gone = tuple(sorted(picked[2:]))
    return replace(entry, recurrence=replace(entry.recurrence, overrides=kept, excluded=gone))


def asked(held: Appointment, text: str) -> tuple[Intent, ...]:
    return read.proposal(held, shaped(held).text, text).intents


@given(appointments())
@settings(max_examples=60, deadline=None)
def test_what_says_the_same_asks_for_nothing(held: Appointment) -> None:
    text = shaped(held).text
    spelt = icalendar.Calendar.from_ical(text)
    spelt["PRODID"] = "-//Somebody Else//EN"
    for event in spelt.walk("VEVENT"):
        event["SUMMARY"] = "Mine"
        event["SEQUENCE"] = 77
    same = [
        text,
        text.replace("\r\n", "\n"),
        re.sub(r"\r\n[ \t]", "", text),
        "\ufeff" + text,
        re.sub(r"^(DTSTAMP|LAST-MODIFIED|CREATED|DESCRIPTION:Ann|STATUS|TRANSP).*\r\n", "", re.sub(r"\r\n ", "", text), flags=re.MULTILINE),
        text.replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:PUBLISH\r\nX-WR-CALNAME:x"),
        text.replace("TZID=Europe/Paris", "TZID=Romance Standard Time").replace("TZID:Europe/Paris", "TZID:Romance Standard Time"),
        text.replace("TZID=", "TZID=/freeassociation.sourceforge.net/"),
        re.sub(r"BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n", "", text, flags=re.DOTALL),
        spelt.to_ical().decode(),
    ]
    for each in same:
        found = read.proposal(held, text, each)
        assert (found.intents, found.seen) == ((), held.version)


@given(appointments())
@settings(max_examples=25, deadline=None)
def test_what_vobject_writes_asks_for_nothing(held: Appointment) -> None:
    assert asked(held, vobject.readOne(shaped(held).text).serialize()) == ()


def given_all() -> Circumstances:
    return Circumstances(
        now=NOW,
        policy=Policy(two_way=True, resize=True, on_delete=OnDelete.CANCEL),
        proposing=True,
        services=lambda _: ADVICE,
        hours=WorkingHours(),
        zone="Europe/Paris",
        taken=lambda _: [],
        fresh_id=EntryId("new"),
        calendar=CalendarId("c"),
        name="1.ics",
    )


@st.composite
def changed(draw: Callable[[Any], Any]) -> tuple[Appointment, Appointment]:
    """An appointment, and what became of it by a wish or two."""
    held = draw(appointments())
    places = [(None, held.span)]
    if held.recurrence is not None:
        places += [(each.at, each.span) for each, _ in zip(instances(held), range(5), strict=False)]
    new: Entry | None = held
    for _ in range(draw(st.integers(1, 2))):
        at, span = draw(st.sampled_from(places))
        by = draw(st.sampled_from([HALF, -HALF, 5 * HOUR, timedelta(days=1), timedelta(days=3, hours=1)]))
        wish: Intent = draw(
            st.sampled_from(
                [
                    Move(span=Span(span.start + by, span.end + by), at=at),
                    Resize(span=Span(span.start, span.end + abs(by)), at=at),
                    Cancel(at=at),
                    Annotate(extras=draw(MARKS), at=at),
                ]
            )
        )
        try:
            new = settle(new, [wish], given_all())
        except Refused:
            assume(False)
    assert isinstance(new, Appointment)
    spans = sorted(each.span for each in instances(new))
    assume(all(earlier.end <= later.start for earlier, later in pairwise(spans)))
    return held, new


def essence(entry: Entry | None, like: Appointment) -> Appointment:
    """Without stamps, and without exceptions that are in place and marked like the whole, or not at all: those are none."""
    assert isinstance(entry, Appointment)
    plain = replace(entry, version=like.version, sequence=like.sequence, changed=like.changed)
    if plain.recurrence is None:
        return plain
    kept = [
        each
        for each in plain.recurrence.overrides
        if each.at != each.span.start or each.span.length != plain.span.length or each.extras not in ((), plain.extras)
    ]
    return replace(plain, recurrence=replace(plain.recurrence, overrides=tuple(kept)))


@given(changed())
@settings(max_examples=150, deadline=None)
def test_what_was_done_to_an_appointment_is_read_out_of_its_text(pair: tuple[Appointment, Appointment]) -> None:
    held, new = pair
    wishes = asked(held, shaped(new).text)
    if new.status is Status.CANCELLED:
        assert wishes == (Cancel(),)
        return
    assert not [wish for wish in wishes if isinstance(wish, Misuse)]
    assert essence(settle(held, wishes, given_all()), held) == essence(new, held)


@given(appointments(), st.integers(-2000, 2000).filter(bool), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_move_is_exactly_that_move(held: Appointment, minutes: int, in_utc: bool) -> None:
    held = replace(held, recurrence=None)
    span = Span(held.span.start + timedelta(minutes=minutes), held.span.end + timedelta(minutes=minutes))
    text = shaped(replace(held, span=span, zone="UTC" if in_utc else held.zone)).text
    assert asked(held, text) == (Move(span=span),)


class TestRefused:
    TEXT = shaped(booked()).text
    SECOND = "BEGIN:VEVENT\r\nUID:1@demo\r\nDTSTART:20261126T100000Z\r\nEND:VEVENT"

    @pytest.mark.parametrize(
        ("old", "new", "condition"),
        [
            ("BEGIN:VCALENDAR", "BEGIN:VCARD", "valid-calendar-data"),
            ("END:VCALENDAR\r\n", "", "valid-calendar-data"),
            ("VEVENT", "VTODO", "valid-calendar-object-resource"),
            ("END:VEVENT", "END:VEVENT\r\nBEGIN:VTODO\r\nUID:1@demo\r\nEND:VTODO", "valid-calendar-object-resource"),
            ("END:VEVENT", f"END:VEVENT\r\n{SECOND}", "valid-calendar-object-resource"),
            ("UID:1@demo\r\n", "", "valid-calendar-object-resource"),
            ("UID:1@demo", "UID:1@demo\r\nUID:1@demo", "valid-calendar-object-resource"),
            ("DTSTART;", "X-START;", "valid-calendar-object-resource"),
            ("DTSTART;", "DTSTART:20261126\r\nDTSTART;", "valid-calendar-object-resource"),
            ("DTEND;TZID=Europe/Paris:20261126", "DTEND;TZID=Europe/Paris:20261125", "valid-calendar-object-resource"),
            ("DTEND;", "DURATION:-PT1H\r\nX-END;", "valid-calendar-object-resource"),
            ("DTSTART;TZID=Europe/Paris:20261126", "DTSTART;TZID=Europe/Paris:20261399", "valid-calendar-data"),
            ("TZID=Europe/Paris", "TZID=Nowhere", "valid-calendar-data"),
            ("END:VEVENT", "BEGIN:VALARM\r\nTRIGGER:soon\r\nEND:VALARM\r\nEND:VEVENT", "valid-calendar-data"),
            ("END:VEVENT", "BEGIN:VALARM\r\nTRIGGER:-PT1M\r\nREPEAT:99999\r\nEND:VALARM\r\nEND:VEVENT", "valid-calendar-data"),
            ("END:VEVENT", "X:\x07\r\nEND:VEVENT", "valid-calendar-data"),
        ],
    )  # fmt: skip
    def test_what_is_no_object_at_all_is_invalid(self, old: str, new: str, condition: str) -> None:
        assert old in self.TEXT
        with pytest.raises(Invalid) as caught:
            asked(booked(), self.TEXT.replace(old, new))
        assert caught.value.condition == condition
        assert str(caught.value).endswith(".")

    @pytest.mark.parametrize("uid", ["another@demo", "1@DEMO", "1@demo.", ""])
    def test_another_uid_is_a_conflict(self, uid: str) -> None:
        with pytest.raises(Conflict) as caught:
            asked(booked(), self.TEXT.replace("UID:1@demo", f"UID:{uid}"))
        assert (caught.value.condition, caught.value.href) == ("no-uid-conflict", "1.ics")

    @pytest.mark.parametrize("mark", ["X-MINE:" + "x" * 33_000, "\r\n".join(f"X-{number}:1" for number in range(101))])
    def test_more_marks_than_anybody_needs_are_too_many(self, mark: str) -> None:
        with pytest.raises(TooLarge):
            asked(booked(), self.TEXT.replace("END:VEVENT", f"{mark}\r\nEND:VEVENT"))

    def test_more_exceptions_than_anybody_needs_are_too_many(self) -> None:
        one = "BEGIN:VEVENT\r\nUID:1@demo\r\nRECURRENCE-ID:20261126T100000Z\r\nDTSTART:20261126T100000Z\r\nEND:VEVENT\r\n"
        with pytest.raises(TooLarge):
            asked(booked(rule="FREQ=WEEKLY"), f"BEGIN:VCALENDAR\r\n{one * 502}END:VCALENDAR\r\n")


class TestSeen:
    @pytest.mark.parametrize(
        ("value", "seen"), [("7", 7), (" 7 ", 7), ("", None), ("seven", None), ("-7", None), ("٧", None), ("9" * 5000, None)]
    )
    def test_the_version_a_client_had_is_said_by_its_text(self, value: str, seen: int | None) -> None:
        text = shaped(booked()).text
        assert read.proposal(booked(), text, text.replace("X-BOOKING-REV:1", f"X-BOOKING-REV:{value}")).seen == seen

    def test_a_text_without_it_says_nothing(self) -> None:
        text = shaped(booked()).text
        assert read.proposal(booked(), text, text.replace("X-BOOKING-REV:1\r\n", "")).seen is None

    def test_an_occurrence_alone_says_it_too(self) -> None:
        held = booked(rule="FREQ=WEEKLY", overrides=(moved(START + WEEK, START + WEEK + HOUR),), version=4)
        text = shaped(held).text
        alone = text[: text.index("BEGIN:VEVENT")] + text[text.rindex("BEGIN:VEVENT") :]
        found = read.proposal(held, text, alone)
        assert (found.intents, found.seen) == ((), 4)


class TestHours:
    """The nights in which clocks change."""

    @pytest.mark.parametrize("minutes", [0, 15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180])
    def test_an_appointment_in_the_hour_that_comes_twice_stays_where_it_is(self, minutes: int) -> None:
        held = booked(datetime(2026, 10, 24, 23, 30, tzinfo=UTC) + timedelta(minutes=minutes))
        text = shaped(held).text
        local = re.sub(r"^DT(START|END):(\d{8})T(\d\d)(\d{4})Z", _as_paris, text, flags=re.MULTILINE)
        assert asked(held, text) == ()
        assert asked(held, local.replace("\r\n", "\n")) == ()


def _as_paris(found: re.Match[str]) -> str:
    """UTC in the hour after the change as a client writes it that knows only what the clock shows."""
    return f"DT{found[1]};TZID=Europe/Paris:{found[2]}T{int(found[3]) + 1:02}{found[4]}"


class TestMarks:
    def held(self, *extras: str) -> Appointment:
        return booked(extras=extras)

    def put(self, held: Appointment, *lines: str) -> tuple[Intent, ...]:
        return asked(held, shaped(held).text.replace("END:VEVENT", "\r\n".join([*lines, "END:VEVENT"]), 1))

    @pytest.mark.parametrize(
        "line",
        [
            "X-ALT-DESC;FMTTYPE=text/html:<b>x</b>",
            "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<b>x</b>",
            "CONFERENCE;VALUE=URI:javascript:alert(1)",
            "IMAGE;VALUE=URI:https://example.com/x.png",
            "ATTACH:https://example.com/x.pdf",
            "URL:https://example.com/",
            "URL;VALUE=URI:",
            "STRUCTURED-DATA;VALUE=URI:https://example.com/",
            "LOCATION:Elsewhere",
            "GEO:1;2",
            "RELATED-TO:x",
            "COMMENT:x",
            "X-BOOKING-REV:99",
            "X-BOOKING-SECRET:99",
            "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
            "X-MOZ-GENERATION:5",
            "X-LIC-ERROR;X-LIC-ERRORTYPE=VALUE-PARSE-ERROR:x",
        ],
    )
    def test_what_is_dangerous_or_nobodys_business_is_not_kept(self, line: str) -> None:
        assert self.put(booked(), line) == ()

    @pytest.mark.parametrize("action", ["EMAIL", "PROCEDURE", "", "X-RUN"])
    def test_alarms_ring_and_do_nothing_else(self, action: str) -> None:
        assert self.put(booked(), "BEGIN:VALARM", f"ACTION:{action}", "TRIGGER:-PT5M", "END:VALARM") == ()

    def test_an_alarm_keeps_what_an_alarm_needs(self) -> None:
        alarm = ["BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "ATTACH;VALUE=URI:Basso", "ATTENDEE:mailto:a@example.com"]
        [wish] = self.put(booked(), *alarm, "URL:https://example.com/", "X-WR-ALARMUID:1", "END:VALARM")
        assert wish == Annotate(extras=("BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT5M\nATTACH;VALUE=URI:Basso\nX-WR-ALARMUID:1\nEND:VALARM",))

    def test_marks_that_are_taken_off_are_gone(self) -> None:
        held = self.held("COLOR:red", "CATEGORIES:A")
        assert asked(held, shaped(held).text.replace("COLOR:red\r\n", "")) == (Annotate(extras=("CATEGORIES:A",)),)

    def test_another_order_or_spelling_of_marks_is_no_change(self) -> None:
        held = self.held("X-B;P=1;Q=2:b", "X-A:a\\,b", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDURATION:PT60S\nREPEAT:1\nEND:VALARM")
        text = shaped(held).text
        changed = text.replace("X-B;P=1;Q=2:b\r\n", "").replace("X-A:a\\,b", "X-A:a,b\r\nX-B;q=2;P=1:b")
        changed = changed.replace("TRIGGER:-PT15M", "TRIGGER;VALUE=DURATION:-P0DT0H15M0S").replace("PT60S", "PT1M")
        assert asked(held, changed) == ()

    def test_an_occurrence_that_merely_repeats_the_marks_of_the_whole_is_none_of_its_own(self) -> None:
        held = booked(rule="FREQ=WEEKLY", extras=("COLOR:red",))
        lines = ["BEGIN:VEVENT", "UID:1@demo", "RECURRENCE-ID:20261203T100000Z", "DTSTART:20261203T100000Z", "COLOR:red", "X-BOOKING-REV:1"]
        copied = "\r\n".join([*lines, "END:VEVENT", ""])
        assert asked(held, shaped(held).text.replace("END:VCALENDAR", copied + "END:VCALENDAR")) == ()
        other = copied.replace("COLOR:red", "COLOR:blue")
        assert asked(held, shaped(held).text.replace("END:VCALENDAR", other + "END:VCALENDAR")) == (
            Annotate(extras=("COLOR:blue",), at=START + WEEK),
        )
