"""iCalendar's newer properties (RFC 7986, RFC 9073, RFC 9074): kept with what a staff member writes, and with his appointments."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.dav.house import HERE, ICAL, NOW, SPACES, C, Client, D, House, event

START = NOW + timedelta(days=2, hours=2)
OF_CALENDAR = (
    "NAME:My week",
    "DESCRIPTION:What I do",
    "UID:calendar-1",
    "LAST-MODIFIED:20261101T000000Z",
    "URL:https://example.com/week.ics",
    "CATEGORIES:Work,Home",
    "REFRESH-INTERVAL;VALUE=DURATION:P1W",
    "SOURCE;VALUE=URI:https://example.com/week.ics",
    "COLOR:turquoise",
)
OF_EVENT = (
    "COLOR:turquoise",
    "IMAGE;VALUE=URI;DISPLAY=BADGE;FMTTYPE=image/png:https://example.com/a,b.png",
    'CONFERENCE;VALUE=URI;FEATURE=PHONE,MODERATOR;LABEL="Moderator; with, all":tel:+1-412-555-0123',
    "ATTENDEE;EMAIL=x@example.org;CN=X:urn:uuid:1",
    "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<b>Hello\\, you</b>",
    "STRUCTURED-DATA;VALUE=URI;FMTTYPE=application/json:https://example.com/data",
)


def test_an_event_of_ones_own_is_given_back_octet_for_octet(john: Client) -> None:
    lines = "".join(f"{line}\r\n" for line in OF_CALENDAR)
    text = event("p", "20261126T090000Z", "20261126T100000Z", *OF_EVENT).replace("BEGIN:VEVENT", f"{lines}BEGIN:VEVENT")
    answer = john.put(f"{HERE}p.ics", text)
    assert (answer.status, bool(answer.etag)) == (201, True)
    assert john.get(f"{HERE}p.ics").text == text
    assert john.multiget(f"{HERE}p.ics").responses[f"{HERE}p.ics"][f"{C}calendar-data"] == text


@pytest.mark.parametrize("line", ["COLOR:turquoise", "CATEGORIES:Work,Home"])
def test_an_appointment_keeps_the_looks_that_its_owner_gives_it(house: House, john: Client, line: str) -> None:
    name = house.book(START)
    held = john.get(HERE + name)
    assert john.put(HERE + name, held.text.replace("END:VEVENT", f"{line}\r\nEND:VEVENT"), If_Match=held.etag).status == 204
    now = john.get(HERE + name)
    assert line in now.text.replace("\r\n ", "")
    assert now.headers["schedule-tag"] == held.headers["schedule-tag"]


def test_a_calendar_keeps_its_name_description_and_colour(john: Client) -> None:
    inside = (
        "<D:displayname>My week</D:displayname><C:calendar-description>What I do</C:calendar-description>"
        '<I:calendar-color symbolic-color="teal">#40E0D0FF</I:calendar-color>'
    )
    answer = john.ask("PROPPATCH", HERE, f"<D:propertyupdate {SPACES}><D:set><D:prop>{inside}</D:prop></D:set></D:propertyupdate>")
    names = {f"{D}displayname", f"{C}calendar-description", f"{ICAL}calendar-color"}
    assert answer.missing(HERE, "200") == names
    found = john.propfind(HERE, "<D:displayname/><C:calendar-description/><I:calendar-color/>")
    assert list(found.responses[HERE].values()) == ["My week", "What I do", "#40E0D0FF"]
    assert found.element(HERE, f"{ICAL}calendar-color").get("symbolic-color") == "teal"
