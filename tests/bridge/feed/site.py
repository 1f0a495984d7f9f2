"""A server of calendars on loopback, and a company whose staff members read them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gateway import desk
from gateway.bridge.feed import Fetcher, Terms, put_address
from gateway.bridge.imports import Imports
from gateway.egress import Egress
from gateway.links import Source
from gateway.model import Span, StaffId
from gateway.seal import Seal
from gateway.store import Store
from tests.bridge.wire import NOW, Clock
from tests.bridge.world import DAY, DEMO, JOHN, PLATFORM, SEAL, furnish
from tests.ical.test_busytimes import event
from tests.ical.test_busytimes import feed as calendar

BUSY = event("DTSTART:20261125T090000Z", "DTEND:20261125T100000Z", "SUMMARY:Dentist canary")


@dataclass
class Asked:
    host: str
    path: str
    headers: dict[str, str]


@dataclass
class Site:
    """What the server answers, to everybody; `before` is called while a request waits for its answer."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    before: Callable[[Asked], None] = lambda asked: None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/secret-canary/calendar.ics"


@contextmanager
def serving() -> Iterator[Site]:
    site = Site(calendar(BUSY))

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = Asked(self.headers["Host"], self.path, {name.lower(): value for name, value in self.headers.items()})
            site.asked.append(asked)
            site.before(asked)
            fresh = site.headers.get("ETag")
            status = 304 if fresh and self.headers.get("If-None-Match") == fresh else site.status
            self.send_response(status)
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(0 if status == 304 else len(site.body)))
            self.end_headers()
            if status != 304:
                self.wfile.write(site.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    server.daemon_threads = True
    site.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


@dataclass
class Room:
    """A store with a clock that is moved by hand, and the chore that reads external calendars."""

    store: Store
    clock: Clock
    terms: Terms = field(default_factory=Terms)

    def put(self, url: str, staff: StaffId = JOHN.id) -> None:
        with self.store.write(DEMO, PLATFORM) as tx:
            put_address(tx, SEAL, staff, url, self.clock.now)

    def run(self, egress: Egress | None = None, seal: Seal = SEAL) -> None:
        fetcher = Fetcher(egress or Egress(allow_private=True), self.terms)
        Imports(self.store, seal, fetcher, clock=self.clock).run(self.clock.now)

    def later(self, by: timedelta = timedelta(minutes=15)) -> None:
        self.clock.forward(by)
        self.run()

    def busy(self, days: int = 30) -> list[Span]:
        with self.store.read(DEMO) as snapshot:
            return desk.free_busy(snapshot, JOHN.id, Span(NOW - 60 * DAY, NOW + days * DAY))

    def source(self, staff: StaffId = JOHN.id) -> Source:
        with self.store.read(DEMO) as snapshot:
            found = snapshot.source(staff)
        assert found is not None
        return found

    def colleague(self, number: int) -> StaffId:
        person = replace(JOHN, id=StaffId(f"colleague-{number}"), handle=f"colleague-{number}", email=f"{number}@example.com")
        with self.store.write(DEMO, PLATFORM) as tx:
            tx.save_staff(person, self.clock.now)
        return person.id


@contextmanager
def opened(folder: Path) -> Iterator[Room]:
    store = Store(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    furnish(store)
    yield Room(store, Clock())
    store.close()
