"""A person with an account at a provider, and everything a test of its adapter wants to do to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gateway.bridge.remote import Grant, House, Known, Page, Remote, RemoteError, Seen
from gateway.bridge.sending import Send
from gateway.fakes.control import steer
from gateway.fakes.faults import Fault
from gateway.fakes.google import Google
from gateway.fakes.microsoft import Microsoft
from gateway.fakes.wire import Request
from gateway.links import Cursor, Key, Owned
from gateway.model import EntryId, Span
from tests.bridge.wire import BASE, Clock, Wire

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday; 09:00 in Paris
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW = Span(NOW - 30 * DAY, NOW + 400 * DAY)
PARIS = "Europe/Paris"
KEY, OTHER = Key(entry=EntryId("a1")), Key(entry=EntryId("b2"))
GUEST = "guest@elsewhere.example"
VERIFIER = "v" * 50
BACK = "http://127.0.0.1:1/back"

CREATE, UPDATE, DELETE = r"POST /events(\?|$)", "PATCH /events/", "DELETE /events/"
"""What faults strike, in both providers' addresses."""

UNDONE = ("before", "blackhole", "status:500", "status:503", "status:429")
DONE = ("after_commit", "reset", "truncate", "duplicate")
"""How a request may end whose caller does not know what became of it: with nothing done, and with everything done."""


@dataclass
class Kept:
    """A vault that remembers everything it was given."""

    credential: bytes
    history: list[bytes] = field(default_factory=list)

    def read(self) -> bytes:
        return self.credential

    def keep(self, credential: bytes) -> None:
        self.history.append(credential)
        self.credential = credential


@dataclass(repr=False)
class Setting:
    """A person with an account at the provider, connected, with a calendar of our own; and everything a test wants to do to them."""

    house: House
    fake: Google | Microsoft
    wire: Wire
    clock: Clock
    login: str
    kept: Kept = field(default_factory=lambda: Kept(b""))
    calendar: str = ""
    calls: list[str] = field(default_factory=list)
    base: str = BASE

    def connect(self, *, primary: bool = False) -> Grant:
        """As a person at a browser who says yes to everything."""
        address = self.house.consent(state="s", verifier=VERIFIER, redirect=BACK, login=self.login, primary=primary)
        _, headers, _ = self.wire("GET", address + "&approve=auto", {}, None)
        told = dict(parse_qsl(urlsplit(headers["location"]).query))
        assert told["state"] == "s"
        grant = self.house.redeem(code=told["code"], verifier=VERIFIER, redirect=BACK, now=self.clock.now)
        self.kept = Kept(grant.credential)
        return grant

    def settle(self) -> Setting:
        self.connect()
        self.calendar = self.house.make_calendar(self.kept, "Appointments", PARIS, self.clock.now).id
        return self

    def open(self, *, link: str = "link", calendar: str = "", zone: str = PARIS) -> Remote:
        return self.house.open(self.kept, link=link, calendar=calendar or self.calendar, mark="demo", zone=zone, calls=self.calls.append)

    def act(self, op: str, **wish: Any) -> dict[str, Any]:
        """What the person does over there; the event it made or changed. Mails that a person causes are no adapter's."""
        before = len(self.fake.world.mails)
        done: dict[str, Any] = self.fake.acting({"account": self.login, "op": op, **wish})
        del self.fake.world.mails[before:]
        return dict(done["events"][0]) if done.get("events") else done

    def fault(self, match: str, kind: str, times: int = 1, skip: int = 0) -> None:
        self.fake.faults.rules.append(Fault.of({"match": match, "kind": kind, "times": times, "skip": skip}))

    def control(self, place: str, **body: Any) -> None:
        """As the control addresses have it."""
        request = Request(method="POST", target=f"/control/{place}", body=json.dumps(body).encode())
        assert steer(self.fake, request).status == 200

    def live(self) -> list[dict[str, Any]]:
        """Events in our calendar, without those of a series that differ, by start."""
        here = [each for each in self.fake.events(self.login) if each["calendar"] == self.calendar]
        return sorted((each for each in here if not each["cancelled"] and not each.get("series")), key=lambda each: str(each["start"]))

    def asked(self) -> list[tuple[str, str]]:
        """What was sent to the provider's calendars: (method, path)."""
        return [
            (method, urlsplit(address).path) for method, address in self.wire.sent if "/token" not in address and "oauth2" not in address
        ]

    def writes(self) -> list[tuple[str, str]]:
        """Those that write to events."""
        return [(method, path) for method, path in self.asked() if method != "GET" and "/events" in path]


def owned(start: datetime = NOW + DAY, hours: float = 1, zone: str = PARIS, title: str = "Advice", **more: Any) -> Owned:
    return Owned(span=Span(start, start + timedelta(hours=hours)), zone=zone, title=title, **more)


def known(seen: Seen, key: Key = KEY) -> Known:
    return Known(id=seen.id, etag=seen.etag, key=key)


def pages(remote: Remote, cursor: Cursor | None = None, window: Span = WINDOW) -> list[Page]:
    return list(remote.pull(cursor, window, NOW))


def pulled(remote: Remote, cursor: Cursor | None = None, window: Span = WINDOW) -> tuple[dict[str, Seen], Cursor]:
    """The last word of a listing on each event, and its cursor."""
    found = pages(remote, cursor, window)
    last = found[-1].cursor
    assert last is not None
    assert all(page.cursor is None for page in found[:-1])
    return {each.id: each for page in found for each in page.seen}, last


def outcome(call: Callable[[], object]) -> RemoteError | None:
    """How a call ends."""
    try:
        call()
    except RemoteError as error:
        return error
    return None


def gone(remote: Remote, id: str) -> bool:
    there = remote.get(id)
    return there is None or there.owned is None


@dataclass
class Remembered(Wire):
    """Requests over a real connection, remembered like those without. `hasty` is another sender, which gives up soon."""

    send: Send | None = None
    hasty: Send | None = None

    def __call__(self, method: str, address: str, headers: Any, body: bytes | None) -> Any:
        assert self.send is not None
        self.sent.append((method, address))
        self.bodies.append(body or b"")
        return self.send(method, address, headers, body)

    @contextmanager
    def in_a_hurry(self) -> Iterator[None]:
        """Meanwhile nobody waits long; everything else has time, however busy this machine is."""
        patient, self.send = self.send, self.hasty or self.send
        try:
            yield
        finally:
            self.send = patient
