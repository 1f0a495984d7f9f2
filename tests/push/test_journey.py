"""From the platform to a phone's push service and back to the calendar, through real sockets and a real process, which may be killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from tests.journey.calendar import WEEKS_AHEAD, instant
from tests.journey.demo import Demo, eventually
from tests.journey.test_journey import items
from tests.journey.wire import Seat
from tests.push.house import CONTENTS, Device, Given, P, Service, padded, wish

NAME = "John Smith"


@contextmanager
def running(data: Path) -> Iterator[Demo]:
    """A demo that is killed when it is left."""
    demo = Demo.start(data)
    try:
        yield demo
    finally:
        demo.kill()


def announced(seat: Seat) -> tuple[str, str]:
    """Topic and public key, asked for as DAVx⁵ does."""
    names = f'<transports xmlns="{P[1:-1]}"/><topic xmlns="{P[1:-1]}"/>'
    answer = seat.ask("PROPFIND", seat.calendar_url, f'<propfind xmlns="DAV:"><prop>{names}</prop></propfind>', Depth="0")
    assert answer.status == 207, answer.text
    tree = ElementTree.fromstring(answer.body)
    return next(tree.iter(f"{P}topic")).text or "", next(tree.iter(f"{P}vapid-public-key")).text or ""


def register(seat: Seat, service: Service, device: Device) -> str:
    """The address of the registration."""
    body = wish(service.url("up"), device, trigger=CONTENTS)
    answer = seat.ask("POST", seat.calendar_url, body, Content_Type="application/xml; charset=utf-8")
    assert answer.status == 204, answer.text
    return answer.headers["location"]


def moved(demo: Demo, appointment: Mapping[str, Any]) -> Mapping[str, Any]:
    """The appointment, moved by the booking platform, fourteen weeks on."""
    start, end = (instant(appointment[name]) + WEEKS_AHEAD for name in ("start", "end"))
    current = demo.rest.ask("GET", f"appointments/{appointment['id']}")
    wanted = {"start": start.isoformat(), "end": end.isoformat()}
    answer = demo.rest.ask("PATCH", f"appointments/{appointment['id']}", wanted, If_Match=current.etag or "")
    assert answer.status == 200, answer.text
    found: Mapping[str, Any] = answer.json
    return found


def single(demo: Demo) -> Mapping[str, Any]:
    """An appointment of John's that takes place once, within the next weeks."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    window = {"from": tomorrow.isoformat(), "to": (tomorrow + timedelta(days=40)).isoformat()}
    found = items(demo.rest.get("appointments", staff=demo.staff(NAME)["handle"], **window))
    return next(each for each in found if not each.get("recurrence"))


def arrived(service: Service, number: int) -> Given:
    return eventually("the phone's push service is told", lambda: service.given[number] if len(service.given) > number else None)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with running(tmp_path / "data") as demo:
        yield demo


def test_what_the_platform_moves_is_on_the_phone_within_seconds(demo: Demo, service: Service) -> None:
    seat, device = demo.seat(NAME), Device()
    assert "webdav-push" in seat.ask("OPTIONS", seat.calendar_url).headers["dav"]
    topic, key = announced(seat)
    assert len(padded(key)) == 65
    address = register(seat, service, device)
    _, _, known = seat.sync()

    appointment = single(demo)
    moved(demo, appointment)
    given = arrived(service, 0)
    told = given.message(device)
    assert (told.topic, told.contents) == (topic, True)
    assert given.claims(key)["aud"] == service.origin
    there, gone, token = seat.sync(known)
    assert (len(there), gone, token) == (1, set(), told.token)
    assert appointment["uid"] in seat.ask("GET", seat.at(there.pop())).text.replace("\r\n ", "")

    assert urlsplit(address).path.startswith("/dav/john-smith/push-registrations/")
    assert seat.ask("DELETE", address).status == 204
    assert seat.ask("DELETE", address).status == 404


def test_a_process_that_is_killed_before_it_has_told_tells_in_its_next_life(service: Service, tmp_path: Path) -> None:
    device = Device()
    with running(tmp_path / "data") as demo:
        register(demo.seat(NAME), service, device)
        moved(demo, single(demo))
    assert service.given == []  # it gathers for two seconds what else may change
    with running(tmp_path / "data") as demo:
        told = arrived(service, 0).message(device)
        assert told.token == demo.seat(NAME).sync()[2]


def test_without_the_key_it_was_sealed_with_everything_but_telling_devices_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "data") as demo:
        assert "webdav-push" in demo.seat(NAME).ask("OPTIONS", demo.seat(NAME).calendar_url).headers["dav"]
    [key] = (tmp_path / "data").rglob("secret.key")
    key.write_text("A" * 43 + "=\n")
    with running(tmp_path / "data") as demo:
        seat = demo.seat(NAME)
        assert "webdav-push" not in seat.ask("OPTIONS", seat.calendar_url).headers["dav"]
        assert seat.etags()
        assert "push_key_lost" in demo.log.read_text()
