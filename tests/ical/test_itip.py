"""Invitations and cancellations for the customer's calendar program (RFC 5546)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import vobject

from gateway.ical import itip
from gateway.model import Appointment, Company, Customer, Recurrence, Status
from tests.ical.people import ADVICE, ANN, DAY, DEMO, HALF, JOHN, NOW, START, WEEK, booked, moved, named, sound, unfolded

GONE, ELSEWHERE = START + WEEK, START + 2 * WEEK
SERIES = booked(
    rule="FREQ=WEEKLY;COUNT=5",
    excluded=(GONE,),
    overrides=(moved(ELSEWHERE, ELSEWHERE + DAY, "X-MINE:1"),),
    sequence=2,
    extras=("X-MINE:1",),
)
Verb = Callable[..., str]


def told(
    verb: Verb,
    entry: Appointment,
    *at: datetime,
    organizer: str = "booking@example.com",
    customer: Customer = ANN,
    company: Company = DEMO,
    description: str = "With: John Smith",
) -> str:
    text = verb(
        entry,
        company=company,
        staff=JOHN,
        service=ADVICE,
        customer=customer,
        organizer=organizer,
        at=at,
        summary="Advice – Demo Company",
        description=description,
    )
    sound(text)
    vobject.readOne(text)
    return text


def read(text: str) -> tuple[str, Sequence[Any]]:
    """The method and the events, with what RFC 5546 §3.2 wants of every message."""
    calendar = icalendar.Calendar.from_ical(text)
    events = calendar.walk("VEVENT")
    assert len({str(event["UID"]) for event in events}) == 1
    for event in events:
        for name in ("UID", "DTSTAMP", "SEQUENCE", "DTSTART", "SUMMARY", "ORGANIZER", "ATTENDEE"):
            assert name in event, name
        assert not {"LOCATION", "X-BOOKING-REV", "X-MINE", "CLASS", "METHOD"} & set(event)
        assert not event.walk("VALARM")
    return str(calendar["METHOD"]), events


def test_a_booking_is_a_request_in_the_customers_words() -> None:
    method, [event] = read(told(itip.request, booked(sequence=1)))
    assert method == "REQUEST"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("1@demo", 1, "CONFIRMED")
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (START, START + HALF)
    assert event["DTSTAMP"].dt == NOW
    assert (event["SUMMARY"], event["DESCRIPTION"]) == ("Advice – Demo Company", "With: John Smith")
    assert "papers" not in told(itip.request, booked()), "notes are the staff member's"


def test_times_are_in_the_zone_of_the_appointment_with_its_vtimezone() -> None:
    text = told(itip.request, booked())
    assert "DTSTART;TZID=Europe/Paris:20261126T110000" in unfolded(text)
    assert "TZID:Europe/Paris" in unfolded(text)


def test_whoever_had_accepted_is_asked_anew() -> None:
    _, [event] = read(told(itip.request, booked(sequence=5)))
    attendee = event["ATTENDEE"]
    assert str(attendee) == "mailto:ann.canary@example.com"
    assert {name: attendee.params[name] for name in ("CN", "ROLE", "PARTSTAT", "RSVP")} == {
        "CN": "Ann Canaryname",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "NEEDS-ACTION",
        "RSVP": "TRUE",
    }


@pytest.mark.parametrize(
    ("organizer", "name"),
    [
        ("booking@example.com", "Demo Company"),
        ("Calendar <booking@example.com>", "Calendar"),
        ('"Doe, J." <booking@example.com>', "Doe, J."),
    ],
)
def test_the_organizer_is_the_mailbox_named_after_itself_or_the_company(organizer: str, name: str) -> None:
    for verb in (itip.request, itip.cancel):
        _, [event] = read(told(verb, booked(), organizer=organizer))
        assert str(event["ORGANIZER"]) == "mailto:booking@example.com"
        assert event["ORGANIZER"].params["CN"] == name


def test_a_series_is_told_whole_with_its_exceptions() -> None:
    method, [master, exception] = read(told(itip.request, SERIES))
    assert method == "REQUEST"
    assert master["RRULE"]["COUNT"] == [5]
    assert master["EXDATE"].dts[0].dt == GONE
    assert (exception["RECURRENCE-ID"].dt, exception["DTSTART"].dt) == (ELSEWHERE, ELSEWHERE + DAY)
    assert master["SEQUENCE"] == exception["SEQUENCE"] == 2


def test_an_exception_that_only_carries_the_staff_members_marks_is_not_told() -> None:
    assert SERIES.recurrence is not None
    marked = replace(SERIES, recurrence=Recurrence(rule=SERIES.recurrence.rule, overrides=(moved(ELSEWHERE, ELSEWHERE, "X-MINE:1"),)))
    _, events = read(told(itip.request, marked))
    assert len(events) == 1


def test_some_occurrences_are_told_alone_where_they_are_now() -> None:
    back = START + 3 * WEEK  # it has no exception any more: it is where the rule has it
    method, events = read(told(itip.request, SERIES, ELSEWHERE, back))
    assert method == "REQUEST"
    assert [(event["RECURRENCE-ID"].dt, event["DTSTART"].dt, event["DTEND"].dt) for event in events] == [
        (ELSEWHERE, ELSEWHERE + DAY, ELSEWHERE + DAY + HALF),
        (back, back, back + HALF),
    ]
    assert not any("RRULE" in event for event in events)


def test_a_cancelled_appointment_is_cancelled_under_its_uid_with_the_higher_sequence() -> None:
    method, [event] = read(told(itip.cancel, booked(status=Status.CANCELLED, sequence=3)))
    assert method == "CANCEL"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"], event["TRANSP"]) == ("1@demo", 3, "CANCELLED", "TRANSPARENT")
    assert "RSVP" not in event["ATTENDEE"].params


def test_a_cancelled_series_is_cancelled_by_one_component() -> None:
    method, [event] = read(told(itip.cancel, replace(SERIES, status=Status.CANCELLED)))
    assert (method, event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert "RECURRENCE-ID" not in event


def test_one_occurrence_is_cancelled_alone_while_the_series_goes_on() -> None:
    method, [event] = read(told(itip.cancel, SERIES, GONE))
    assert (method, event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert event["RECURRENCE-ID"].dt == event["DTSTART"].dt == GONE
    assert "RRULE" not in event


def test_what_is_tentative_is_asked_as_tentative() -> None:
    _, [event] = read(told(itip.request, booked(status=Status.TENTATIVE)))
    assert event["STATUS"] == "TENTATIVE"


@pytest.mark.parametrize("name", ['Ann "Q" Canary', "Canary, Ann; née: Q", "Ann\r\nATTENDEE:mailto:x@example.com", "^n^'^^", "漢字" * 40])
def test_a_name_is_quoted_as_rfc_6868_wants_it(name: str) -> None:
    text = told(itip.request, booked(), customer=replace(ANN, name=name))
    _, [event] = read(text)
    assert str(event["ATTENDEE"]) == "mailto:ann.canary@example.com"
    [line] = named(unfolded(text), "ATTENDEE")
    value = line.split(";CN=")[1].split(";CUTYPE")[0].strip('"')
    assert re.sub(r"\^([\^'])", lambda found: {"^": "^", "'": '"'}[found[1]], value) == " ".join(name.split())
    assert event["ATTENDEE"].params["CN"] == " ".join(name.split())


def test_a_customer_without_a_name_has_no_empty_one() -> None:
    [line] = named(unfolded(told(itip.request, booked(), customer=replace(ANN, name=" \r\n"))), "ATTENDEE")
    assert "CN=" not in line


@pytest.mark.parametrize(
    "address", ["a b@example.com", "x@example.com\r\nX-EVIL:1", 'a";CN=b@example.com', "é@example.com", "a?subject=x@example.com"]
)
def test_an_address_cannot_leave_its_uri(address: str) -> None:
    text = told(itip.request, booked(), customer=replace(ANN, email=address))
    [line] = named(unfolded(text), "ATTENDEE")
    _, _, uri = line.partition(":mailto:")
    assert uri.isascii()
    assert not set(uri) & set(' ";,:?=&\r\n')
    assert not named(unfolded(text), "X-EVIL")


def test_no_description_is_no_line() -> None:
    assert not named(unfolded(told(itip.request, booked(), description="")), "DESCRIPTION")


def test_a_series_in_an_irregular_zone_has_its_zone_for_the_time_ahead() -> None:
    old = booked(START - 1500 * DAY, rule="FREQ=WEEKLY", zone="Africa/Casablanca")
    onsets = [line[8:12] for line in unfolded(told(itip.request, old)) if line.startswith("DTSTART:")]
    assert (min(onsets), max(onsets) >= "2028") == ("2021", True)
    far = START + 1000 * DAY
    one = told(itip.request, old, far)
    assert max(line[8:12] for line in unfolded(one) if line.startswith("DTSTART:")) >= str(far.year)


def test_the_message_is_the_same_whenever_it_is_written() -> None:
    assert told(itip.request, SERIES) == told(itip.request, SERIES)
    late = booked(changed=datetime(2026, 11, 24, 8, 0, 0, 999_999, tzinfo=UTC) + timedelta(hours=1))
    _, [event] = read(told(itip.request, late))
    assert event["DTSTAMP"].dt == NOW + timedelta(hours=1)
