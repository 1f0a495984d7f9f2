"""A calendar as one file: everything in it, each time zone once, and nothing at all when nothing is new."""

from __future__ import annotations

from datetime import timedelta

import icalendar
import pytest

from plugins.whole import merged
from tests.dav.house import EMMA, HERE, NOW, Client, House, event

START = NOW + timedelta(days=2, hours=2)
VIEW = "/dav/john-smith/company/"


def uids(text: str) -> set[str]:
    return {str(each["UID"]) for each in icalendar.Calendar.from_ical(text).walk("VEVENT")}


def test_a_calendar_is_given_out_whole_with_each_zone_once(house: House, john: Client) -> None:
    for hour in range(3):
        house.book(START + timedelta(hours=hour), uid=f"{hour}@example.com")
    john.put(f"{HERE}own.ics", event("own@example.com"))
    answer = john.get(HERE)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert uids(answer.text) == {"0@example.com", "1@example.com", "2@example.com", "own@example.com"}
    assert answer.text.count("BEGIN:VTIMEZONE") == 1
    assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n"))
    assert john.ask("HEAD", HERE).etag == answer.etag


def test_an_unchanged_calendar_is_not_sent_again_and_a_changed_one_is(house: House, john: Client) -> None:
    house.book(START)
    first = john.get(HERE)
    assert john.ask("GET", HERE, If_None_Match=first.etag).status == 304
    john.put(f"{HERE}own.ics", event("own@example.com"))
    again = john.ask("GET", HERE, If_None_Match=first.etag)
    assert (again.status, again.etag != first.etag) == (200, True)


def test_a_view_shows_colleagues_what_colleagues_may_see(house: House, john: Client) -> None:
    house.book(START, staff=EMMA)
    text = john.get(VIEW).text
    assert "Emma Morris: Advice" in text
    assert "Canaryname" not in text
    assert john.ask("GET", "/dav/emma-morris/appointments/").status == 404
    assert john.ask("GET", "/dav/john-smith/").status == 405


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_zones_among_the_events_and_bare_line_feeds_are_put_in_order(end: str) -> None:
    zone = [
        "BEGIN:VTIMEZONE",
        "TZID:X",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
    ]
    one = ["begin:vevent", "UID:1", "END:VEVENT"]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *one, *zone, "END:VTIMEZONE", "BEGIN:VTODO", "UID:1", "END:VTODO", "END:VCALENDAR", ""]
    text = b"".join(merged([end.join(lines).encode()] * 2)).decode()
    assert text.count("BEGIN:VTIMEZONE\r\n") == 1
    assert text.startswith("BEGIN:VTIMEZONE\r\n")
    assert (text.count("BEGIN:VEVENT\r\n"), text.count("BEGIN:VTODO\r\n")) == (2, 2)
    assert text.count("\n") == text.count("\r\n")
