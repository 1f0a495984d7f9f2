"""Feeds as subscribers want them, above all the strict ones: Outlook (product.md §6, rules 5, 8, 9) and Google (rules 12, 17)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ical import write
from gateway.model import Appointment, Level, Span, Status
from tests.ical.people import ADVICE, ANN, DAY, HALF, NOW, START, WEEK, booked, moved, named, shaped, sound, unfolded

WINDOW = Span(NOW - 30 * DAY, NOW + 400 * DAY)
SERIES = booked(
    rule="FREQ=WEEKLY;COUNT=5", excluded=(START + WEEK,), overrides=(moved(START + 2 * WEEK, START + 2 * WEEK + DAY, "X-MINE:1"),)
)


def event(entry: Appointment, level: Level = Level.FULL, prefix: str = "", alarm: int | None = None) -> str:
    return write.event(entry, level=level, service=ADVICE, customer=ANN, prefix=prefix, alarm_minutes=alarm)


def feed(*entries: Appointment, level: Level = Level.FULL, window: Span = WINDOW, name: str = "John Smith") -> str:
    zones = [entry.zone for entry in entries]
    return write.calendar(
        [event(entry, level).encode() for entry in entries], name=name, zone="Europe/Paris", zones=zones, window=window
    ).decode()


def events(text: str) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def strict(text: str) -> None:
    """Fails where Outlook shows nothing, shifts events or makes meetings of them."""
    sound(text)
    lines = unfolded(text)
    for line in ("VERSION:2.0", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "REFRESH-INTERVAL;VALUE=DURATION:PT15M", "X-PUBLISHED-TTL:PT15M"):
        assert lines.count(line) == 1
    for name in ("PRODID", "NAME", "X-WR-CALNAME", "X-WR-TIMEZONE"):
        assert len(named(lines, name)) == 1
    _zones(text, lines)
    told = events(text)
    assert told, "an empty calendar"
    for each in told:
        for name in ("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "TRANSP"):
            assert name in each, f"an event without {name}"
        assert not {"ORGANIZER", "ATTENDEE", "RDATE", "CLASS", "ATTACH"} & set(each)
    assert len({(str(each["UID"]), str(each.get("RECURRENCE-ID"))) for each in told}) == len(told)
    vobject.readOne(text)


def _zones(text: str, lines: Sequence[str]) -> None:
    declared = [line[5:] for line in lines if line.startswith("TZID:")]
    used = {found for line in lines for found in re.findall(r";TZID=([^:;]+)[:;]", line)}
    assert len(declared) == len(set(declared)), "a zone declared twice"
    assert used <= set(declared), "a zone that is not declared"
    assert not any(zone.startswith("/") for zone in used)
    assert not re.search(r"TZOFFSET(FROM|TO):[+-]\d{4}\d", text), "an offset with seconds"
    assert not re.search(r"TZNAME:LMT|DTSTART:1[0-8]", text), "local mean time"
    for block in re.findall(r"BEGIN:VEVENT.*?END:VEVENT", "\n".join(lines), re.DOTALL):
        assert not re.search(r"^(DTSTART|DTEND|EXDATE|RECURRENCE-ID):\d{8}T\d{6}$", block, re.MULTILINE), "a floating time"


ENTRIES = st.builds(
    lambda days, zone, status, rule: booked(START + days * DAY, uid=f"{days}-{zone}@demo", zone=zone, status=status, rule=rule),
    st.integers(-3000, 300),
    st.sampled_from(["Europe/Paris", "America/New_York", "Africa/Casablanca", "Asia/Kathmandu", "UTC"]),
    st.sampled_from(list(Status)),
    st.sampled_from(["", "", "FREQ=WEEKLY", "FREQ=DAILY;COUNT=1", "FREQ=MONTHLY;UNTIL=20270101"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ENTRIES, max_size=6, unique_by=lambda entry: entry.uid), st.sampled_from(list(Level)))
def test_every_feed_passes_the_strict_reader(entries: list[Appointment], level: Level) -> None:
    strict(feed(*entries, level=level))


def test_the_same_arguments_give_the_same_octets() -> None:
    assert feed(SERIES, booked(uid="2@demo")) == feed(SERIES, booked(uid="2@demo"))
    assert feed() == feed()


def test_stamps_are_those_of_the_last_change() -> None:
    [one] = events(feed(booked(sequence=3)))
    assert one["DTSTAMP"].dt == one["LAST-MODIFIED"].dt == NOW
    assert one["CREATED"].dt == NOW - DAY
    assert one["SEQUENCE"] == 3


def test_an_event_has_the_uid_of_caldav_but_for_busy_where_it_tells_nothing() -> None:
    [there] = events(shaped(booked()).text)
    uids = {level: str(events(feed(booked(), level=level))[0]["UID"]) for level in Level}
    assert {uids[level] for level in (Level.INITIALS, Level.SERVICE, Level.FULL)} == {str(there["UID"])}
    assert "1@demo" not in uids[Level.BUSY]
    assert uids[Level.BUSY] == str(events(feed(booked(START + DAY), level=Level.BUSY))[0]["UID"]), "the same after a move"
    assert uids[Level.BUSY] != str(events(feed(booked(uid="2@demo"), level=Level.BUSY))[0]["UID"])


@pytest.mark.parametrize(
    ("level", "alone", "among_others"),
    [
        (Level.BUSY, "Busy", "Emma Morris: Busy"),
        (Level.INITIALS, "A. C.", "Emma Morris: A. C."),
        (Level.SERVICE, "Advice", "Emma Morris: Advice"),
        (Level.FULL, "Advice – Ann Canaryname", "Emma Morris: Advice – Ann Canaryname"),
    ],
)
def test_each_level_has_its_words(level: Level, alone: str, among_others: str) -> None:
    for prefix, summary in (("", alone), ("Emma Morris", among_others)):
        for text in (event(booked(), level, prefix), event(SERIES, level, prefix)):
            assert set(named(unfolded(text), "SUMMARY")) == {f"SUMMARY:{summary}"}


@pytest.mark.parametrize("level", list(Level))
def test_a_level_leaves_out_what_it_does_not_tell(level: Level) -> None:
    text = " ".join(unfolded(event(booked(rule="FREQ=WEEKLY", extras=("X-MINE:1",)), level)))
    for private in ("X-MINE", "X-BOOKING-REV"):
        assert private not in text
    for secret in ("Canaryname", ANN.email, ANN.phone, "papers", "DESCRIPTION"):
        assert (secret in text) == (level is Level.FULL), secret
    if level is Level.BUSY:
        assert not {"Advice", "CREATED"} & set(re.split(r"[\s:]", text))


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ann", "A."),
        ("ann mary van Canaryname", "A. C."),
        ("  (Élodie) 'Zoé  ", "É. Z."),
        ("李 雷", "李. 雷."),
        ("", "Busy"),
        ("- ?", "Busy"),
    ],
)
def test_initials_are_the_first_and_the_last(name: str, initials: str) -> None:
    text = write.event(booked(), level=Level.INITIALS, service=ADVICE, customer=replace(ANN, name=name))
    assert f"SUMMARY:{initials}" in unfolded(text)


def test_a_cancelled_one_says_so_and_blocks_nothing() -> None:
    lines = unfolded(event(booked(status=Status.CANCELLED), Level.SERVICE, "Emma Morris", 15))
    assert {"STATUS:CANCELLED", "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"} <= set(lines)
    assert "SUMMARY:Cancelled: Emma Morris: Advice" in lines
    assert "BEGIN:VALARM" not in lines
    assert "SUMMARY:Busy" in unfolded(event(booked(status=Status.CANCELLED), Level.BUSY))


def test_a_tentative_one_is_tentative_in_outlook_too() -> None:
    assert {"STATUS:TENTATIVE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"} <= set(unfolded(event(booked(status=Status.TENTATIVE))))


def test_a_series_keeps_its_rule_and_its_exceptions() -> None:
    master, exception = events(feed(SERIES))
    assert master["RRULE"]["COUNT"] == [5]
    assert master["EXDATE"].dts[0].dt == START + WEEK
    assert exception["RECURRENCE-ID"].dt == START + 2 * WEEK
    assert exception["DTSTART"].dt == START + 2 * WEEK + DAY


def test_a_series_of_one_is_a_single_event() -> None:
    """Office 365 refuses a feed with RRULE:FREQ=YEARLY;COUNT=1."""
    assert "RRULE" not in event(booked(rule="FREQ=YEARLY;COUNT=1"))


@pytest.mark.parametrize(("minutes", "trigger"), [(15, timedelta(minutes=-15)), (0, timedelta()), (1440, timedelta(days=-1))])
def test_an_alarm_shows_a_text_and_never_mails(minutes: int, trigger: timedelta) -> None:
    text = write.calendar([event(SERIES, alarm=minutes).encode()], name="x", zone="UTC", zones=["Europe/Paris"], window=WINDOW).decode()
    alarms = icalendar.Calendar.from_ical(text).walk("VALARM")
    assert len(alarms) == 2
    for alarm in alarms:
        assert (alarm["ACTION"], alarm["TRIGGER"].dt) == ("DISPLAY", trigger)
        assert alarm["DESCRIPTION"]
    assert "VALARM" not in feed(SERIES)


class TestEmpty:
    def test_a_marker_stands_in_that_blocks_nothing(self) -> None:
        strict(feed())
        [marker] = events(feed())
        assert (marker["TRANSP"], marker["DTSTART"].dt) == ("TRANSPARENT", date(2026, 10, 1))
        assert "nothing-booked" not in feed(booked())

    def test_the_marker_stays_for_the_month(self) -> None:
        days = [Span(datetime(2026, 11, day, tzinfo=UTC), WINDOW.end) for day in range(2, 30)]
        assert len({feed(window=window) for window in days}) == 1

    def test_two_calendars_have_two_markers(self) -> None:
        assert events(feed(name="John Smith"))[0]["UID"] != events(feed(name="Emma Morris"))[0]["UID"]


def test_a_zone_is_declared_from_the_first_start_of_a_series_on() -> None:
    old = booked(START - 3 * 365 * DAY, rule="FREQ=WEEKLY", zone="Africa/Casablanca")
    onsets = re.findall(r"BEGIN:STANDARD\r\nDTSTART:(\d{4})", feed(old))
    assert min(onsets) <= "2022"
    assert max(onsets) >= "2027"


def test_zones_are_declared_once_each_and_utc_not_at_all() -> None:
    entries = [booked(uid=f"{zone}@demo", zone=zone) for zone in ("Europe/Paris", "Asia/Tokyo", "UTC", "Europe/Paris")]
    text = feed(*entries[:3], replace(entries[3], uid="other@demo"))
    assert [line for line in unfolded(text) if line.startswith("TZID:")] == ["TZID:Asia/Tokyo", "TZID:Europe/Paris"]
    strict(text)


def test_the_title_is_one_line() -> None:
    assert "NAME:Front desk\\; 2nd" in unfolded(feed(name="  Front\r\ndesk;\t2nd "))


def test_an_event_in_the_hour_that_comes_twice_is_told_exactly() -> None:
    second = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    [one] = events(feed(booked(second)))
    assert (one["DTSTART"].dt, one["DTEND"].dt) == (second, second + HALF)
