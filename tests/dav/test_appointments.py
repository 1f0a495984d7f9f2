"""What a staff member's client may do with appointments, and what becomes of the rest."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.errors import Reason
from gateway.model import Appointment, OnDelete, Refusal, Span, Status
from tests.dav.house import CS, HERE, NOW, Answer, C, Client, D, House, event

START = NOW + timedelta(days=2, hours=2)
LATER = START + timedelta(hours=3)


@pytest.fixture
def name(house: House) -> str:
    return house.book(START)


def local(instant: datetime) -> str:
    """In the staff member's zone, which is an hour ahead of UTC in November."""
    return f"{instant + timedelta(hours=1):%Y%m%dT%H%M%S}"


def moved(text: str, start: datetime, to: datetime) -> str:
    """The text as a client writes it after a drag: other times, the rest as it was."""
    half = timedelta(minutes=30)
    found = text.replace(f":{local(start)}", f":{local(to)}").replace(f":{local(start + half)}", f":{local(to + half)}")
    assert found != text
    return found


def span(house: House, name: str) -> Span:
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    return entry.span


def move(john: Client, name: str, to: datetime, **headers: str | None) -> Answer:
    held = john.get(HERE + name)
    return john.put(HERE + name, moved(held.text, START, to), **({"If_Match": held.etag} | headers))


def test_a_drag_moves_the_booking(house: House, john: Client, name: str) -> None:
    before, token = john.get(HERE + name), john.token()
    answer = move(john, name, LATER)
    assert (answer.status, answer.etag) == (204, None)
    assert span(house, name) == Span(LATER, LATER + timedelta(minutes=30))
    after = john.get(HERE + name)
    assert after.etag != before.etag
    assert local(LATER) in after.text
    assert set(john.sync(token).responses) == {HERE + name}
    assert house.changes()[-1].actor.door == "dav"
    assert house.woken


def test_the_same_put_again_is_no_change(house: House, john: Client, name: str) -> None:
    held = john.get(HERE + name)
    assert move(john, name, LATER).status == 204
    revision, now = house.revision(), john.get(HERE + name)
    again = john.put(HERE + name, moved(held.text, START, LATER), If_Match=now.etag)
    assert again.status == 204
    assert house.revision() == revision
    then = john.get(HERE + name)
    assert (then.etag, then.text) == (now.etag, now.text)


def test_what_was_read_and_put_back_is_no_change(house: House, john: Client, name: str) -> None:
    held, revision = john.get(HERE + name), house.revision()
    assert john.put(HERE + name, held.text, If_Match=held.etag).status == 204
    assert house.revision() == revision


def test_a_stale_etag_fails(house: House, john: Client, name: str) -> None:
    held = john.get(HERE + name)
    assert move(john, name, LATER).status == 204
    revision = house.revision()
    answer = john.put(HERE + name, moved(held.text, START, LATER + timedelta(hours=1)), If_Match=held.etag)
    assert answer.status == 412
    assert answer.tree.tag == f"{D}error"
    assert house.revision() == revision


def test_a_stale_write_without_if_match_is_found_out_by_its_revision(house: House, john: Client, name: str) -> None:
    """Evolution and SyncEvolution send no If-Match (clients.md §10.6)."""
    held = john.get(HERE + name)
    assert move(john, name, LATER).status == 204
    assert john.put(HERE + name, moved(held.text, START, START + timedelta(hours=5))).status == 204
    assert span(house, name).start == LATER
    assert house.changes()[-1].reason is Reason.STALE


@pytest.mark.parametrize("value", ['W/"{}"', '"other", "{}"', "*", '"{}"'])
def test_if_match_takes_lists_and_the_star_and_no_weak_tags(house: House, john: Client, name: str, value: str) -> None:
    etag = (john.get(HERE + name).etag or "").strip('"')
    answer = move(john, name, LATER, If_Match=value.format(etag))
    assert answer.status == (412 if value.startswith("W/") else 204)


def test_if_none_match_star_does_not_overwrite(house: House, john: Client, name: str) -> None:
    assert move(john, name, LATER, If_Match=None, If_None_Match="*").status == 412
    assert span(house, name).start == START


def test_a_schedule_tag_was_never_given_and_so_never_matches(house: House, john: Client, name: str) -> None:
    assert move(john, name, LATER, If_Match=None, If_Schedule_Tag_Match='"x"').status == 412


class TestRefused:
    """The answer after which every client shows the server's state (clients.md §4)."""

    @pytest.fixture
    def other(self, house: House) -> str:
        return house.book(LATER)

    def test_a_move_onto_a_taken_hour_is_turned_back_silently(self, house: House, john: Client, name: str, other: str) -> None:
        before, token, ctag = john.get(HERE + name), john.token(), john.ctag()
        answer = move(john, name, LATER)
        assert (answer.status, answer.etag, answer.body) == (204, None, b"")
        assert span(house, name).start == START
        after = john.get(HERE + name)
        assert after.etag != before.etag
        assert after.text == before.text
        assert john.ctag() != ctag
        assert set(john.sync(token).responses) == {HERE + name}
        assert house.changes()[-1].reason is Reason.TAKEN

    def test_where_the_company_wants_it_the_client_is_told(self, house: House, john: Client, name: str, other: str) -> None:
        house.set_policy(refusal=Refusal.FORBID)
        before = john.get(HERE + name)
        answer = move(john, name, LATER)
        assert answer.status == 403
        assert answer.condition == "{urn:calendar-gateway:ns}taken"
        assert "taken" in answer.sentence
        assert john.get(HERE + name).etag != before.etag
        assert span(house, name).start == START

    def test_nothing_moves_while_two_way_is_off(self, house: House, john: Client, name: str) -> None:
        house.set_policy(two_way=False)
        assert move(john, name, LATER).status == 204
        assert span(house, name).start == START
        assert house.changes()[-1].reason is Reason.TWO_WAY_OFF

    def test_the_past_stays(self, house: House, john: Client, name: str) -> None:
        assert move(john, name, NOW - timedelta(days=1)).status == 204
        assert span(house, name).start == START
        assert house.changes()[-1].reason is Reason.PAST

    def test_after_a_refusal_the_next_move_works(self, house: House, john: Client, name: str, other: str) -> None:
        assert move(john, name, LATER).status == 204
        assert move(john, name, LATER + timedelta(hours=1)).status == 204
        assert span(house, name).start == LATER + timedelta(hours=1)


class TestDeleted:
    def test_by_default_the_event_comes_back_and_the_staff_member_is_asked(self, house: House, john: Client, name: str) -> None:
        before, token = john.get(HERE + name), john.token()
        answer = john.ask("DELETE", HERE + name)
        assert (answer.status, answer.body) == (204, b"")
        assert john.get(HERE + name).etag != before.etag
        assert set(john.sync(token).responses) == {HERE + name}
        assert house.changes()[-1].reason is Reason.CANCEL_ASKED

    def test_where_deleting_cancels_the_event_is_gone(self, house: House, john: Client, name: str) -> None:
        house.set_policy(on_delete=OnDelete.CANCEL)
        token = john.token()
        assert john.ask("DELETE", HERE + name, If_Match=john.get(HERE + name).etag).status == 204
        assert john.ask("GET", HERE + name).status == 404
        assert john.sync(token).responses == {HERE + name: {"status": "404"}}
        assert john.sync().responses == {}
        after = house.changes()[-1].after
        assert isinstance(after, Appointment)
        assert after.status is Status.CANCELLED

    def test_even_a_company_that_forbids_answers_204_when_it_asks(self, house: House, john: Client, name: str) -> None:
        """Thunderbird calls the calendar unavailable after 403 to DELETE."""
        house.set_policy(refusal=Refusal.FORBID)
        assert john.ask("DELETE", HERE + name).status == 204

    def test_a_stale_etag_fails(self, house: House, john: Client, name: str) -> None:
        held = john.get(HERE + name)
        move(john, name, LATER)
        revision = house.revision()
        assert john.ask("DELETE", HERE + name, If_Match=held.etag).status == 412
        assert house.revision() == revision

    def test_what_is_not_there_cannot_be_deleted(self, john: Client) -> None:
        assert john.ask("DELETE", HERE + "nothing.ics").status == 404
        assert john.ask("DELETE", HERE + "nothing.ics", If_Match='"x"').status == 412


class TestIdentity:
    def test_the_uid_of_an_appointment_at_another_address_is_a_conflict(self, house: House, john: Client, name: str) -> None:
        held, revision = john.get(HERE + name), house.revision()
        answer = john.put(HERE + "copy.ics", held.text)
        assert (answer.status, answer.condition) == (403, f"{C}no-uid-conflict")
        assert answer.tree.findtext(f"{C}no-uid-conflict/{D}href") == HERE + name
        assert house.revision() == revision

    def test_another_uid_at_the_address_of_an_appointment_is_refused(self, house: House, john: Client, name: str) -> None:
        revision = house.revision()
        answer = john.put(HERE + name, event("another@example.com"))
        assert answer.status == 403
        assert house.revision() == revision
        assert span(house, name).start == START

    def test_an_appointment_does_not_move_to_another_address(self, house: House, john: Client, name: str) -> None:
        assert john.ask("MKCALENDAR", "/dav/john-smith/home/").status == 201
        for target in (HERE + "x.ics", "/dav/john-smith/home/x.ics"):
            for method in ("MOVE", "COPY"):
                assert john.ask(method, HERE + name, Destination=target).status == 403
        assert span(house, name).start == START


def test_alarms_and_colours_come_back_and_tell_nobody(house: House, john: Client, name: str) -> None:
    held = john.get(HERE + name)
    alarm = "X-APPLE-TRAVEL:a,b;c\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT"
    assert john.put(HERE + name, held.text.replace("END:VEVENT", alarm), If_Match=held.etag).status == 204
    after = john.get(HERE + name)
    assert "TRIGGER:-PT15M" in after.text
    assert "X-APPLE-TRAVEL:a,b;c" in after.text
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert (entry.version, entry.sequence) == (1, 0)


def test_one_occurrence_of_a_series_moves_alone(house: House, john: Client) -> None:
    name = house.book(START, rule="FREQ=WEEKLY;COUNT=4", uid="series@example.com")
    held = john.get(HERE + name)
    second, to = START + timedelta(weeks=1), START + timedelta(weeks=1, hours=3)
    start = next(line for line in held.text.split("\r\n") if line.startswith("DTSTART;"))
    override = [
        "BEGIN:VEVENT",
        "UID:series@example.com",
        "DTSTAMP:20261124T080000Z",
        start.replace("DTSTART", "RECURRENCE-ID").replace(local(START), local(second)),
        start.replace(local(START), local(to)),
        start.replace("DTSTART", "DTEND").replace(local(START), local(to + timedelta(minutes=30))),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    text = held.text.replace("END:VCALENDAR", "\r\n".join(override))
    assert john.put(HERE + name, text, If_Match=held.etag).status == 204
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.recurrence is not None
    [moved_one] = entry.recurrence.overrides
    assert (moved_one.at, moved_one.span.start) == (second, to)
    week = f'<C:time-range start="{second:%Y%m%dT%H%M%SZ}" end="{second + timedelta(minutes=30):%Y%m%dT%H%M%SZ}"/>'
    assert john.query(f'<C:comp-filter name="VEVENT">{week}</C:comp-filter>').responses == {}
    assert f"{CS}getctag" in john.propfind(HERE, "<CS:getctag/>").responses[HERE]
