"""What only Apple's programs do (clients.md §7)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import Appointment
from tests.clients.editing import occurrence_moved, placed, unfolded
from tests.clients.handheld import OF_HOME, OF_PRINCIPAL, ZONE, Mac, OldPhone, Phone
from tests.clients.program import propfind
from tests.dav.house import HERE, ICAL, NOW, SPACES, C, Client, D, House, event

START = NOW + timedelta(days=2, hours=2)
HOME = "/dav/john-smith/"
NEW = HOME + "5A4C8A6E-6F0B-4C5C-9B0E-0D8A1B2C3D4E/"


def test_every_one_of_forty_names_is_answered(house: House, john: Client) -> None:
    """One that is neither found nor missing stops the setup."""
    assert len(OF_HOME) in range(37, 41)
    for path, names, depth in ((HOME, OF_HOME, "1"), (HOME, OF_PRINCIPAL, "0")):
        answer = john.ask("PROPFIND", path, propfind(names), Depth=depth)
        for href, found in answer.responses.items():
            assert set(found) | answer.missing(href) | answer.missing(href, "403") == set(names), href


def test_whoever_wants_little_is_spared_what_is_missing(house: House) -> None:
    """`Brief: t` and `Prefer: return=minimal`: what there is is told all the same."""
    mac = Mac(house)
    answer = mac.propfind(HOME, OF_HOME, "1")
    assert not answer.missing(HERE)
    needed = {
        f"{D}displayname",
        f"{D}resourcetype",
        f"{D}sync-token",
        f"{D}current-user-privilege-set",
        f"{C}supported-calendar-component-set",
    }
    assert needed <= set(answer.responses[HERE])


def test_a_calendar_is_made_with_everything_a_mac_says_about_it(house: House, john: Client) -> None:
    zone = "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Apple Inc.//iOS 26.5//EN", *ZONE, "END:VCALENDAR", ""])
    looks = (
        '<I:calendar-color symbolic-color="blue">#1BADF8FF</I:calendar-color><I:calendar-order>7</I:calendar-order>'
        f"<D:displayname>Family</D:displayname><C:calendar-timezone>{zone}</C:calendar-timezone>"
        '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
        "<C:calendar-free-busy-set><YES/></C:calendar-free-busy-set>"
    )
    body = f"<C:mkcalendar {SPACES}><D:set><D:prop>{looks}</D:prop></D:set></C:mkcalendar>"
    assert john.ask("MKCALENDAR", NEW, body).status == 201
    answer = john.propfind(NEW, "<D:displayname/><I:calendar-color/><I:calendar-order/><C:supported-calendar-component-set/>")
    found = answer.responses[NEW]
    assert (found[f"{D}displayname"], found[f"{ICAL}calendar-color"], found[f"{ICAL}calendar-order"]) == ("Family", "#1BADF8FF", "7")
    assert [each.get("name") for each in answer.element(NEW, f"{C}supported-calendar-component-set")] == ["VEVENT"]
    assert john.put(f"{NEW}a.ics", event("a@example.com")).status == 201
    assert john.ask("DELETE", NEW).status == 204


def test_the_name_of_a_colour_comes_back_with_it(house: House, john: Client) -> None:
    Mac(house).set_up()
    assert john.propfind(HERE, "<I:calendar-color/>").element(HERE, f"{ICAL}calendar-color").get("symbolic-color") == "orange"


def test_what_one_program_calls_and_colours_another_of_the_same_person_sees(house: House) -> None:
    mac, phone = Mac(house), Phone(house)
    mac.set_up()
    mac.proppatch(HERE, "<D:displayname>My patients</D:displayname>")
    phone.set_up()
    assert phone.calendars[HERE].title == "My patients"


def test_an_old_mac_syncs_without_a_level_and_an_old_phone_without_an_end(house: House) -> None:
    name = house.book(START)
    mac, phone = Mac(house), OldPhone(house)
    for program in (mac, phone):
        program.set_up()
        program.refresh()
        assert program.shows() == {HERE + name: [START]}
    token = mac.state
    late = house.book(START + timedelta(days=400))
    for program in (mac, phone):
        program.refresh()
        assert set(program.shows()) == {HERE + name, HERE + late}
    assert mac.state != token


def test_fifty_objects_are_fetched_at_a_time(house: House) -> None:
    for hour in range(60):
        house.book(START + timedelta(hours=hour))
    mac = Mac(house)
    mac.set_up()
    mac.refresh()
    assert len(mac.shows()) == 60
    assert len(mac.fetched) == 60


def test_a_phone_deletes_without_if_match_what_somebody_else_has_changed(house: House, john: Client) -> None:
    phone = Phone(house)
    path = HERE + "mine.ics"
    phone.save(path, event("mine@example.com"))
    john.put(path, event("mine@example.com", summary="Later"))
    assert phone.delete(path) == 204
    assert john.ask("GET", path).status == 404


@pytest.mark.parametrize("make", [Mac, OldPhone, Phone], ids=lambda make: make.__name__)
def test_an_exception_arrives_with_its_master_and_apples_own_zone(house: House, make: type[Mac]) -> None:
    name = house.book(START, rule="FREQ=WEEKLY;COUNT=4", uid="series@example.com")
    program = make(house)
    program.set_up()
    program.refresh()
    at, to = START + timedelta(weeks=2), START + timedelta(weeks=2, hours=-1)
    text = occurrence_moved(program.copies[HERE + name].text, at, to)
    assert "TZNAME:GMT+2" in program.written(text)
    assert program.save(HERE + name, text) == 204
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.recurrence is not None
    assert [(each.at, each.span.start) for each in entry.recurrence.overrides] == [(at, to)]


def test_a_series_that_is_cut_with_until_in_utc_changes_no_appointment_behind_the_platforms_back(house: House) -> None:
    """ "Delete all future events": the rule of a booked series is the platform's."""
    name = house.book(START, rule="FREQ=WEEKLY;COUNT=4", uid="series@example.com")
    phone = Phone(house)
    phone.set_up()
    phone.refresh()
    cut = unfolded(phone.copies[HERE + name].text).replace(
        "FREQ=WEEKLY;COUNT=4", f"FREQ=WEEKLY;UNTIL={START + timedelta(days=8):%Y%m%dT%H%M%SZ}"
    )
    assert phone.save(HERE + name, cut) == 204
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.recurrence is not None
    assert entry.recurrence.rule == "FREQ=WEEKLY;COUNT=4"
    phone.refresh()
    assert "COUNT=4" in phone.copies[HERE + name].text


def test_after_412_a_phone_fetches_and_goes_on(house: House) -> None:
    name = house.book(START)
    phone, other = Phone(house), Mac(house)
    for program in (phone, other):
        program.set_up()
        program.refresh()
    other.save(HERE + name, placed(other.copies[HERE + name].text, START + timedelta(hours=2)))
    assert phone.save(HERE + name, placed(phone.copies[HERE + name].text, START + timedelta(hours=4))) == 412
    phone.refresh()
    assert phone.shows()[HERE + name] == [START + timedelta(hours=2)]
    assert phone.save(HERE + name, placed(phone.copies[HERE + name].text, START + timedelta(hours=4))) == 204
