"""Working hours in a calendar program: shown as calendar-availability, and set by the person whose they are."""

from __future__ import annotations

from datetime import date
from xml.sax.saxutils import escape

import pytest

from gateway.ical import availability
from gateway.model import WorkingHours
from tests.dav.house import CS, DEMO, EMMA, JOHN, NOW, PASSWORD, READ_ONLY, SETUP, SPACES, Answer, C, Client, House

HOME, INBOX = "/dav/john-smith/", "/dav/john-smith/inbox/"
WEEK = WorkingHours(weekly=dict.fromkeys(range(5), ((480, 720), (780, 1080))), exceptions={date(2026, 12, 24): ()})
NAMES = ("C:calendar-availability", "CS:calendar-availability")


def text(hours: WorkingHours = WEEK) -> str:
    return availability.written(hours, zone=JOHN.zone, uid="x")


def patch(client: Client, inside: str, path: str = INBOX, how: str = "set") -> Answer:
    body = f"<D:propertyupdate {SPACES}><D:{how}><D:prop>{inside}</D:prop></D:{how}></D:propertyupdate>"
    return client.ask("PROPPATCH", path, body)


def wish(value: str, name: str = NAMES[0]) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def kept(house: House) -> WorkingHours:
    with house.store.read(DEMO) as snapshot:
        return snapshot.hours(JOHN.id)


def save(house: House, hours: WorkingHours) -> None:
    with house.store.write(DEMO, SETUP) as tx:
        tx.save_hours(JOHN.id, hours)


def test_hours_that_the_platform_keeps_are_shown(house: House, john: Client) -> None:
    save(house, WEEK)
    for path in (INBOX, HOME):
        found = john.propfind(path, "".join(f"<{name}/>" for name in NAMES)).responses[path]
        assert set(found) == {f"{C}calendar-availability", f"{CS}calendar-availability"}
        for said in found.values():
            assert "BEGIN:VAVAILABILITY\r\n" in said
            assert availability.read(said, zone=JOHN.zone, now=NOW) == WEEK


def test_without_hours_there_is_no_such_property(john: Client) -> None:
    assert john.propfind(INBOX, "<C:calendar-availability/>").missing(INBOX) == {f"{C}calendar-availability"}


@pytest.mark.parametrize("path", [INBOX, HOME])
@pytest.mark.parametrize("name", NAMES)
def test_hours_can_be_set(house: House, john: Client, path: str, name: str) -> None:
    answer = patch(john, wish(text(), name), path)
    assert answer.status == 207
    assert answer.missing(path, "200")
    assert kept(house) == WEEK
    assert john.propfind(path, f"<{name}/>").responses[path]


def test_hours_bind_the_next_move(house: House, john: Client) -> None:
    assert patch(john, wish(text(WorkingHours(weekly={0: ((480, 720),)})))).status == 207
    assert kept(house) == WorkingHours(weekly={0: ((480, 720),)})


def test_the_same_hours_again_are_no_change(house: House, john: Client) -> None:
    save(house, WorkingHours(weekly={0: ((480, 600), (600, 720))}))
    assert patch(john, wish(text(WorkingHours(weekly={0: ((480, 720),)})))).status == 207
    assert kept(house) == WorkingHours(weekly={0: ((480, 600), (600, 720))})


def test_taken_away_they_are_no_longer_kept(house: House, john: Client) -> None:
    save(house, WEEK)
    assert patch(john, "<C:calendar-availability/>", how="remove").missing(INBOX, "200") == {f"{C}calendar-availability"}
    assert kept(house) == WorkingHours()


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "hello",
        "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n",
        text().replace("FREQ=WEEKLY", "FREQ=MONTHLY"),
        text().replace("TZID=Europe/Paris:", "TZID=America/New_York:"),
        text()[:-30],
    ],
)
def test_what_hours_cannot_hold_is_refused_with_a_sentence_and_nothing_changes(house: House, john: Client, bad: str) -> None:
    before = WorkingHours(weekly={1: ((540, 600),)})
    save(house, before)
    answer = patch(john, wish(bad))
    assert answer.status == 207
    assert answer.missing(INBOX, "403") == {f"{C}calendar-availability"}
    assert "valid-calendar-data" in answer.text
    assert answer.tree.findtext(".//{DAV:}responsedescription")
    assert kept(house) == before


def test_all_or_nothing(house: House, john: Client) -> None:
    answer = patch(john, wish(text()) + "<D:displayname>x</D:displayname>")
    assert answer.missing(INBOX, "424") == {f"{C}calendar-availability"}
    assert kept(house) == WorkingHours()


def test_a_password_for_reading_changes_no_hours(house: House) -> None:
    assert patch(house.client(JOHN, READ_ONLY), wish(text())).status == 403
    assert kept(house) == WorkingHours()


def test_nobody_else_changes_them_or_sees_them(house: House, john: Client) -> None:
    save(house, WEEK)
    emma = house.client(EMMA)
    for path in (INBOX, HOME):
        assert patch(emma, wish(text(WorkingHours())), path).status == 404
        assert patch(emma, wish(text(WorkingHours(weekly={0: ()}))), path).status == 404
    assert emma.propfind(HOME, "<C:calendar-availability/>").missing(HOME) == {f"{C}calendar-availability"}
    with house.store.write(DEMO, SETUP) as tx:
        tx.delegate(JOHN.id, EMMA.id, NOW, write=True)
    answer = patch(emma, wish(text(WorkingHours(weekly={0: ()}))))
    assert answer.missing(INBOX, "403") == {f"{C}calendar-availability"}
    assert "need-privileges" in answer.text
    assert emma.propfind(INBOX, "<C:calendar-availability/>").responses[INBOX]
    assert kept(house) == WEEK
    assert PASSWORD.format(EMMA.id)
