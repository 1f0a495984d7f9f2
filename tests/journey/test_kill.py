"""The server is killed in the middle of two hundred writes: nothing acknowledged is lost, nothing is doubled, nobody is told twice."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tests.journey.calendar import Sight, instant
from tests.journey.demo import Demo, eventually, free_port
from tests.journey.served import Letter, Sink, mail_server, serving
from tests.journey.test_journey import items, look
from tests.journey.wire import Rest, Seat

WRITES = 200
KILLED_AFTER = 60  # acknowledged writes
AT_ONCE = 16
HOURS = range(8, 18)
BOOKED, MOVED = 20, 30  # weeks ahead: the demo books nothing there


@dataclass(frozen=True)
class Booking:
    """One appointment that is about to be moved."""

    seat: Seat
    sight: Sight
    target: datetime


@dataclass
class Tally:
    """What the clients know: which moves were acknowledged before the end."""

    killed: subprocess.Popen[bytes]
    acknowledged: set[str] = field(default_factory=set)  # UIDs
    refused: list[int] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def write(self, booking: Booking) -> None:
        """Moves the appointment; the one that is acknowledged as the sixtieth kills the server, by its process id."""
        try:
            answer = booking.seat.put(booking.sight.url, booking.sight.moved(booking.target), booking.sight.etag)
        except (OSError, HTTPException):
            return  # the server is dead; nobody knows what became of this one
        with self.lock:
            if answer.status == 204:
                self.acknowledged.add(booking.sight.uid)
                if len(self.acknowledged) == KILLED_AFTER:
                    self.killed.kill()
            else:
                self.refused.append(answer.status)


def slots(zone: str, first_week: int, count: int) -> list[datetime]:
    """So many working hours, one after the other, from that many weeks ahead; in UTC."""
    monday = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    monday += timedelta(days=-monday.weekday(), weeks=first_week)
    hours = (monday + timedelta(days=day + 2 * (day // 5), hours=hour) for day in range(count) for hour in HOURS)
    return [hour.astimezone(UTC) for hour, _ in zip(hours, range(count), strict=False)]


def book(demo: Demo) -> None:
    """Two hundred appointments, fifty for each staff member, an hour apart; returns when all their letters have been sent."""
    service = min(items(demo.rest.get("services")), key=lambda each: each["duration_minutes"])["id"]
    customer = items(demo.rest.get("customers"))[0]
    for person in demo.ready["staff"]:
        for start in slots(demo.ready["time_zone"], BOOKED, WRITES // 4):
            wish = {"staff": person["handle"], "service": service, "customer_id": customer["id"], "start": start.isoformat()}
            answer = demo.rest.ask("POST", "appointments", wish)
            assert answer.status == 201, answer.text
    eventually("all letters are sent", lambda: len(demo.mails(to=customer["email"])) >= WRITES or None, within=120)


def bookings(demo: Demo, rest: Rest, at: str) -> list[Booking]:
    """The two hundred as they stand in the calendars of the staff, and where each is to go."""
    found = []
    for person in demo.ready["staff"]:
        seat = Seat(person["calendar_url"].replace(demo.ready["base_url"], at), person["login"], person["app_password"])
        by_uid = {sight.uid: sight for sight in (look(seat, seat.at(path)) for path in seat.etags())}
        for appointment, target in zip(booked(rest, person["handle"], BOOKED), slots(demo.ready["time_zone"], MOVED, 50), strict=True):
            found.append(Booking(seat, by_uid[appointment["uid"]], target))
    return found


def booked(rest: Rest, handle: str, week: int) -> list[dict[str, Any]]:
    """What the platform holds for a staff member in the five weeks from that week on, by start."""
    begin = datetime.now(UTC) + timedelta(weeks=week - 1)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(weeks=8)).isoformat()}
    return items(rest.get("appointments", staff=handle, **window))


def log_lines(rest: Rest) -> list[int]:
    """Every revision of the change log, in the order in which it is handed out."""
    found: list[int] = []
    while page := items(rest.get("changes", after=str(found[-1] if found else 0))):
        found += [change["revision"] for change in page]
    return found


def told(letters: Sequence[Letter]) -> dict[str, set[str]]:
    """The distinct letters about each appointment: UID → Message-IDs. A letter repeated after a broken hand-over keeps its id."""
    found: dict[str, set[str]] = {}
    for letter in letters:
        assert letter.method == "REQUEST"
        found.setdefault(letter.uid, set()).add(letter.message_id)
    return found


def test_slots_are_distinct_working_hours() -> None:
    found = slots("Europe/Paris", BOOKED, 120)
    local = [slot.astimezone(ZoneInfo("Europe/Paris")) for slot in found]
    assert len(set(found)) == 120
    assert all(slot.weekday() < 5 and slot.hour in HOURS for slot in local)


def test_a_kill_among_two_hundred_writes_loses_nothing_and_doubles_nothing(demo: Demo, tmp_path: Path) -> None:
    book(demo)
    assert demo.stop() == 0
    [database] = (tmp_path / "data").rglob("*.sqlite")
    port = free_port()
    at = f"http://127.0.0.1:{port}"
    rest = Rest(demo.ready["api_url"].replace(demo.ready["base_url"], at), demo.ready["api_key"])
    with mail_server() as (sink, smtp):
        settings = {"GATEWAY_DATABASE__URL": f"sqlite:///{database}", "GATEWAY_MAIL__SMTP_URL": smtp}
        with serving(settings, port, tmp_path / "first.log") as process:
            wishes = bookings(demo, rest, at)
            tokens = {seat: seat.sync()[2] for seat in {wish.seat for wish in wishes}}
            listed = {seat: seat.etags() for seat in tokens}
            tally = Tally(process)
            with ThreadPoolExecutor(AT_ONCE) as clients:
                list(clients.map(tally.write, wishes))
            assert process.wait(10) < 0, "it was killed"
        assert tally.refused == []
        assert KILLED_AFTER <= len(tally.acknowledged) < WRITES, "it died in the middle"

        with serving(settings, port, tmp_path / "second.log"):
            moved = {wish.sight.uid for wish in wishes if look(wish.seat, wish.sight.url).start == wish.target}
            assert tally.acknowledged <= moved
            assert {
                appointment["uid"]
                for person in demo.ready["staff"]
                for appointment in booked(rest, person["handle"], MOVED)
                if instant(appointment["start"]) in {wish.target for wish in wishes}
            } == moved

            lines = log_lines(rest)
            assert lines == list(range(1, len(lines) + 1))

            for seat, token in tokens.items():
                there, gone, _ = seat.sync(token)
                assert not gone
                assert there == {urlsplit(wish.sight.url).path for wish in wishes if wish.seat == seat and wish.sight.uid in moved}
                now = seat.etags()
                assert {path for path in now if now[path] != listed[seat][path]} == there

            _all_letters_of(sink, moved)
            last = next(wish for wish in wishes if wish.sight.uid not in moved)
            assert last.seat.put(last.sight.url, last.sight.moved(last.target), last.sight.etag).status == 204
            _all_letters_of(sink, moved | {last.sight.uid})

    assert Counter(len(ids) for ids in told(sink.letters).values()) == Counter({1: len(moved) + 1})


def _all_letters_of(sink: Sink, moved: set[str]) -> None:
    eventually("every customer whose appointment moved has a letter", lambda: told(list(sink.letters)).keys() >= moved or None)
