"""The main job, end to end and through real sockets: a staff member moves a booking in a calendar program and the customer is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import icalendar
import pytest

from tests.journey.calendar import WEEKS_AHEAD, Sight, client, instant
from tests.journey.demo import Demo, eventually
from tests.journey.wire import Rest, Seat, ask

NAME = "John Smith"


def sights(seat: Seat, demo: Demo) -> list[Sight]:
    """The single appointments of the coming weeks in order of time, found the way a program finds them: principal, home, calendar."""
    with client(demo.ready["caldav_url"], seat.login, seat.password) as dav:
        calendars = {urlsplit(str(calendar.url)).path: calendar for calendar in dav.principal().get_calendars()}
        calendar = calendars[urlsplit(seat.calendar_url).path]
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        events = calendar.search(start=tomorrow, end=tomorrow + timedelta(days=50), event=True, expand=False)
        addresses = [str(event.url) for event in events if _single(event.data)]
    return sorted((look(seat, address) for address in addresses), key=lambda sight: sight.start)


def _single(text: str) -> bool:
    """Whether it is an appointment that takes place once. A time zone repeats as well, but it stands before the event."""
    event = text.partition("BEGIN:VEVENT")[2]
    return "RRULE" not in event and "STATUS:CANCELLED" not in event


def look(seat: Seat, url: str) -> Sight:
    answer = seat.ask("GET", url)
    assert answer.status == 200, answer.text
    assert answer.etag
    return Sight(url, answer.etag, answer.text)


def move(seat: Seat, sight: Sight, start: datetime) -> str:
    """Moves it as a program does, by the `caldav` library; the text that was sent."""
    text = sight.moved(start)
    with client(seat.calendar_url, seat.login, seat.password) as dav:
        answer = dav.put(sight.url, text, {"Content-Type": "text/calendar; charset=utf-8", "If-Match": sight.etag})
    assert answer.status == 204
    return text


def booked_at(rest: Rest, staff: str, start: datetime) -> list[dict[str, Any]]:
    """What the platform holds for that staff member in the quarter of an hour from `start`, not cancelled."""
    window = {"from": start.astimezone(UTC).isoformat(), "to": (start + timedelta(minutes=15)).astimezone(UTC).isoformat()}
    return [each for each in items(rest.get("appointments", staff=staff, **window)) if instant(each["start"]) == start]


def items(page: Any) -> list[dict[str, Any]]:
    return page if isinstance(page, list) else page["items"]


def newest(rest: Rest) -> int:
    """The company's revision."""
    after = 0
    while changes := items(rest.get("changes", after=str(after))):
        after = changes[-1]["revision"]
    return after


def invitations(demo: Demo, uid: str) -> list[tuple[dict[str, Any], icalendar.Calendar]]:
    """The mails about that appointment that carry an invitation, with what they carry."""
    found = []
    for mail in demo.mails():
        for attachment in mail["attachments"]:
            if attachment["content_type"].startswith("text/calendar") and uid in attachment["text"].replace("\r\n ", ""):
                found.append((mail, icalendar.Calendar.from_ical(attachment["text"])))
                break
    return found


def told(demo: Demo, seat: Seat, sight: Sight) -> None:
    """Moves another appointment and waits for its letter: whatever was to be sent before has been sent then."""
    move(seat, sight, sight.start + WEEKS_AHEAD)
    eventually("the letter about the appointment moved last", lambda: invitations(demo, sight.uid) or None)


@pytest.fixture
def seat(demo: Demo) -> Seat:
    return demo.seat(NAME)


@pytest.fixture
def appointments(demo: Demo, seat: Seat) -> list[Sight]:
    return sights(seat, demo)


@pytest.fixture
def staff_id(demo: Demo) -> str:
    return next(str(person["id"]) for person in items(demo.rest.get("staff")) if person["name"] == NAME)


def test_a_move_in_the_calendar_moves_the_booking_and_tells_the_customer_once(
    demo: Demo, seat: Seat, appointments: list[Sight], staff_id: str
) -> None:
    held, later = appointments[0], appointments[1]
    new = held.start + WEEKS_AHEAD
    feed = demo.staff(NAME)["feed_url"]
    read = ask("GET", feed)
    assert (read.status, read.headers["content-type"].partition(";")[0]) == (200, "text/calendar")
    assert read.etag
    assert ask("GET", feed, headers={"If-None-Match": read.etag}).status == 304
    _, _, token = seat.sync()
    before = newest(demo.rest)

    sent = move(seat, held, new)

    [appointment] = booked_at(demo.rest, staff_id, new)
    assert instant(appointment["end"]) - instant(appointment["start"]) == held.end - held.start
    assert booked_at(demo.rest, staff_id, held.start) == []

    fresh = ask("GET", feed, headers={"If-None-Match": read.etag})
    assert fresh.status == 200
    assert fresh.etag != read.etag
    assert new in [event["DTSTART"].dt for event in icalendar.Calendar.from_ical(fresh.text).walk("VEVENT")]

    assert seat.sync(token)[:2] == ({urlsplit(held.url).path}, set())

    now = look(seat, held.url)
    assert (now.start, now.uid, now.sequence) == (new, held.uid, held.sequence + 1)

    revision = newest(demo.rest)
    assert revision == before + 1
    assert seat.put(held.url, sent, now.etag).status == 204
    assert newest(demo.rest) == revision
    assert look(seat, held.url).etag == now.etag

    told(demo, seat, later)
    [(mail, invitation)] = invitations(demo, held.uid)
    [event] = invitation.walk("VEVENT")
    assert invitation["METHOD"] == "REQUEST"
    assert (event["DTSTART"].dt, int(event["SEQUENCE"])) == (new, held.sequence + 1)
    assert seat.login not in mail["to"]
    assert mail["text"]
    assert mail["html"]


def test_a_stale_etag_changes_nothing(demo: Demo, seat: Seat, appointments: list[Sight]) -> None:
    held = appointments[0]
    move(seat, held, held.start + WEEKS_AHEAD)
    revision = newest(demo.rest)
    moved = look(seat, held.url)

    assert seat.put(held.url, held.moved(held.start + timedelta(weeks=13)), held.etag).status == 412

    assert newest(demo.rest) == revision
    assert look(seat, held.url) == moved


def test_a_move_onto_a_taken_hour_is_undone_and_only_the_staff_member_is_told(
    demo: Demo, seat: Seat, appointments: list[Sight], staff_id: str
) -> None:
    held, other, later = appointments[0], appointments[1], appointments[2]
    _, _, token = seat.sync()

    answer = seat.put(held.url, held.moved(other.start), held.etag)

    assert answer.status == 204
    assert answer.etag is None, "what is stored is not what was sent"
    now = look(seat, held.url)
    assert (now.start, now.end, now.sequence) == (held.start, held.end, held.sequence)
    assert now.etag != held.etag
    assert seat.sync(token)[0] == {urlsplit(held.url).path}
    assert len(booked_at(demo.rest, staff_id, held.start)) == 1
    assert len(booked_at(demo.rest, staff_id, other.start)) == 1

    eventually("a letter to the staff member", lambda: demo.mails(to=seat.login) or None)
    told(demo, seat, later)
    assert len(demo.mails(to=seat.login)) == 1
    assert invitations(demo, held.uid) == []


def test_a_booking_made_by_the_platform_reaches_calendar_feed_and_customer(
    demo: Demo, seat: Seat, staff_id: str, appointments: list[Sight]
) -> None:
    service = items(demo.rest.get("services"))[0]["id"]
    customer = items(demo.rest.get("customers"))[0]
    start = appointments[0].start + WEEKS_AHEAD
    _, _, token = seat.sync()

    made = demo.rest.ask(
        "POST", "appointments", {"staff": staff_id, "service": service, "customer_id": customer["id"], "start": start.isoformat()}
    )

    assert made.status == 201, made.text
    [path], gone, _ = seat.sync(token)
    assert not gone
    sight = look(seat, seat.at(path))
    assert sight.start == start
    assert sight.uid in ask("GET", demo.staff(NAME)["feed_url"]).text.replace("\r\n ", "")
    [(mail, invitation)] = eventually("the letter to the customer", lambda: invitations(demo, sight.uid) or None)
    assert customer["email"] in mail["to"]
    assert invitation["METHOD"] == "REQUEST"


def test_a_second_start_keeps_the_data_and_prints_the_same_line(demo: Demo, seat: Seat, appointments: list[Sight]) -> None:
    held = appointments[0]
    move(seat, held, held.start + WEEKS_AHEAD)
    moved, line, port, data = look(seat, held.url), demo.ready, demo.port, demo.log.with_suffix("")
    assert demo.stop() == 0

    again = Demo.start(data, port=port)

    try:
        assert again.ready == line
        assert look(seat, held.url) == moved
    finally:
        again.kill()
