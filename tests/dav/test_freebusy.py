"""free-busy-query over the wire: who is busy when, merged, and never a word about why (RFC 4791 §7.10)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.ical import write
from gateway.model import Appointment, Status
from tests.dav.asking import calendar, component, span
from tests.dav.house import ADVICE, ANN, DEMO, EMMA, HERE, JOHN, NOW, SETUP, SPACES, Answer, C, Client, D, House, event

HOME, GROUP = "/dav/john-smith/", "/dav/john-smith/group-front/"
DAY = ("20261126T000000", "20261127T000000")


def ask(john: Client, window: str, path: str = HERE, *, depth: str | None = "1", more: str = "") -> Answer:
    return john.report(f"<C:free-busy-query {SPACES}>{window}{more}</C:free-busy-query>", path, Depth=depth)


def busy(john: Client, window: tuple[str, str] = DAY, path: str = HERE, **more: str | None) -> list[str]:
    """The FREEBUSY lines without their name."""
    answer = ask(john, span(*window), path, **more)  # type: ignore[arg-type]  # depth and more, both text
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.text.count("BEGIN:VFREEBUSY") == 1
    assert f"DTSTART:{window[0]}Z\r\nDTEND:{window[1]}Z\r\n" in answer.text
    return [line.removeprefix("FREEBUSY").lstrip(";:") for line in answer.text.split("\r\n") if line.startswith("FREEBUSY")]


def put(john: Client, text: str, name: str = "one.ics", path: str = HERE) -> None:
    answer = john.put(path + name, text.replace("one@example.com", f"{name}@example.com"))
    assert answer.status == 201, answer.text


def hour(start: str, end: str) -> str:
    return f"20261126T{start}00Z/20261126T{end}00Z"


def test_what_touches_or_overlaps_is_one_period(john: Client) -> None:
    for number, (start, end) in enumerate((("0900", "1000"), ("1000", "1100"), ("1030", "1045"), ("1200", "1300"))):
        put(john, event(f"{number}", f"20261126T{start}00Z", f"20261126T{end}00Z"), f"{number}.ics")
    assert busy(john) == [hour("0900", "1100"), hour("1200", "1300")]


def test_a_period_is_cut_at_the_ends_of_the_window(john: Client) -> None:
    put(john, event("one", "20261125T000000Z", "20261128T000000Z"))
    assert busy(john) == ["20261126T000000Z/20261127T000000Z"]


def test_nothing_is_called_free(john: Client) -> None:
    put(john, event("1", "20261126T090000Z", "20261126T100000Z", "TRANSP:TRANSPARENT"), "1.ics")
    put(john, event("2", "20261126T090000Z", "20261126T100000Z", "STATUS:CANCELLED"), "2.ics")
    put(john, calendar(component("VEVENT", "DTSTART:20261126T150000Z")), "3.ics")
    assert busy(john) == []
    assert "FREE;" not in ask(john, span(*DAY)).text


def test_what_is_tentative_is_told_apart(john: Client) -> None:
    put(john, event("1", "20261126T090000Z", "20261126T100000Z", "STATUS:TENTATIVE"), "1.ics")
    put(john, event("2", "20261126T100000Z", "20261126T110000Z"), "2.ics")
    put(john, event("3", "20261126T093000Z", "20261126T095000Z", "STATUS:TENTATIVE"), "3.ics")
    put(john, event("4", "20261126T120000Z", "20261126T130000Z", summary="About a tentative plan"), "4.ics")
    tentative = f"FBTYPE=BUSY-TENTATIVE:{hour('0900', '1000')}"
    assert busy(john) == [tentative, hour("1000", "1100"), hour("1200", "1300")]


def test_what_is_settled_later_is_no_longer_tentative_and_the_other_way_round(john: Client) -> None:
    asked, settled = (event("1", "20261126T090000Z", "20261126T100000Z", f"STATUS:{status}") for status in ("TENTATIVE", "CONFIRMED"))
    tentative = f"FBTYPE=BUSY-TENTATIVE:{hour('0900', '1000')}"
    put(john, asked, "1.ics")
    for text, told in ((settled, hour("0900", "1000")), (asked, tentative), (asked.replace("TENTATIVE", "TENT\r\n ATIVE"), tentative)):
        assert john.put(HERE + "1.ics", text.replace("one@example.com", "1.ics@example.com")).status == 204
        assert busy(john) == [told]


def test_one_instance_may_be_tentative_and_another_free(john: Client) -> None:
    put(
        john,
        calendar(
            component("VEVENT", "DTSTART:20261124T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5"),
            component("VEVENT", "RECURRENCE-ID:20261126T090000Z", "DTSTART:20261126T140000Z", "DURATION:PT1H", "STATUS:TENTATIVE"),
            component("VEVENT", "RECURRENCE-ID:20261127T090000Z", "DTSTART:20261127T090000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT"),
        ),
    )
    assert busy(john) == [f"FBTYPE=BUSY-TENTATIVE:{hour('1400', '1500')}"]
    assert busy(john, ("20261127T000000", "20261129T000000")) == ["20261128T090000Z/20261128T100000Z"]


def test_appointments_and_their_series_keep_people_busy(house: House, john: Client) -> None:
    house.book(NOW + timedelta(days=2), rule="FREQ=WEEKLY")
    assert busy(john) == [hour("0800", "0830")]
    assert busy(john, ("20491125T000000", "20491126T000000")) == ["20491125T080000Z/20491125T083000Z"]


def test_a_tentative_appointment_is_tentative_in_a_team_view_too(house: House, john: Client) -> None:
    name = house.book(NOW + timedelta(days=2))
    with house.store.write(DEMO, SETUP) as tx:
        entry = tx.held(tx.appointments_of(JOHN.id).id, name)
        assert entry is not None
        assert isinstance(entry.entry, Appointment)
        asked = replace(entry.entry, status=Status.TENTATIVE)
        horizon = NOW + timedelta(days=700)
        shape = write.shape(asked, company=tx.company, staff=JOHN, service=ADVICE, customer=ANN, horizon=horizon)
        tx.record(entry.entry, asked, shape, NOW)
    for path in (HERE, HOME, GROUP):
        assert busy(john, path=path) == [f"FBTYPE=BUSY-TENTATIVE:{hour('0800', '0830')}"]


class TestWhere:
    @pytest.fixture(autouse=True)
    def objects(self, house: House, john: Client) -> None:
        assert john.ask("MKCALENDAR", f"{HOME}private/").status == 201
        put(john, event("1", "20261126T090000Z", "20261126T100000Z"), "1.ics")
        put(john, event("2", "20261126T100000Z", "20261126T110000Z"), "2.ics", f"{HOME}private/")
        house.book(NOW + timedelta(days=2), staff=EMMA)

    def test_a_calendar_tells_its_own(self, john: Client) -> None:
        assert busy(john) == [hour("0900", "1000")]
        assert busy(john, path=f"{HOME}private/") == [hour("1000", "1100")]

    def test_a_home_tells_all_of_its_owners(self, john: Client) -> None:
        assert busy(john, path=HOME) == [hour("0900", "1100")]

    def test_a_team_view_tells_the_appointments_of_all(self, john: Client) -> None:
        assert busy(john, path=GROUP) == [hour("0800", "0830")]

    @pytest.mark.parametrize("path", [HERE, HOME])
    def test_depth_0_looks_at_nothing(self, john: Client, path: str) -> None:
        assert busy(john, path=path, depth="0") == []
        assert busy(john, path=path, depth=None) == busy(john, path=path, depth="infinity") != []

    def test_an_object_does_not_answer(self, john: Client) -> None:
        assert ask(john, span(*DAY), HERE + "1.ics").status == 403


def test_days_are_days_of_the_zone(john: Client) -> None:
    put(john, calendar(component("VEVENT", "DTSTART;VALUE=DATE:20261126")))
    window = ("20261125T000000", "20261128T000000")
    assert busy(john, window) == ["20261125T230000Z/20261126T230000Z"]
    newyork = "<C:timezone-id>America/New_York</C:timezone-id>"
    assert busy(john, window, more=newyork) == ["20261126T050000Z/20261127T050000Z"]


@pytest.mark.parametrize(
    ("window", "condition"),
    [
        ("", f"{C}valid-filter"),
        (span(*DAY) * 2, f"{C}valid-filter"),
        (span(DAY[0]), f"{C}valid-filter"),
        (span("00010101T000000", "00010201T000000"), f"{C}min-date-time"),
        (span("20260101T000000", "99991231T000000"), f"{C}max-date-time"),
        (span("20260101T000000", "20310106T000000"), f"{D}number-of-matches-within-limits"),
    ],
)
def test_a_window_of_five_years_at_most_is_needed(john: Client, window: str, condition: str) -> None:
    answer = ask(john, window)
    assert (answer.status, answer.condition) == (403, condition)


def test_it_says_when_and_nothing_else(house: House, john: Client) -> None:
    put(john, event("one", summary="Secret"))
    house.book(NOW + timedelta(days=2))
    lines = ask(john, span(*DAY)).text.split("\r\n")
    assert {re.split("[:;]", line)[0] for line in lines if line} == {
        *("BEGIN", "VERSION", "PRODID", "DTSTAMP", "DTSTART", "DTEND", "FREEBUSY", "END"),
    }
