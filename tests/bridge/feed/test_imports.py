"""External calendars over a real line: believed with caution, never in the staff member's favour, kept as times and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway import desk
from gateway.bridge import feed
from gateway.bridge.feed import Fetcher, Imports, put_address
from gateway.egress import Egress
from gateway.errors import Invalid
from gateway.model import Span
from gateway.store import Store
from tests.bridge.world import DAY, DEMO, HOUR, JOHN, NOW, PLATFORM, SEAL, Clock, furnish
from tests.ical.test_busytimes import event
from tests.ical.test_busytimes import feed as calendar

BUSY = event("DTSTART:20261125T090000Z", "DTEND:20261125T100000Z", "SUMMARY:Dentist canary")


@dataclass
class Site:
    """What the server of the calendar answers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site(calendar(BUSY))

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append({name.lower(): value for name, value in self.headers.items()})
            fresh = made.headers.get("ETag")
            status = 304 if fresh and self.headers.get("If-None-Match") == fresh else made.status
            self.send_response(status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(0 if status == 304 else len(made.body)))
            self.end_headers()
            if status != 304:
                self.wfile.write(made.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    made.url = f"http://127.0.0.1:{server.server_port}/secret-canary/calendar.ics"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@dataclass
class Room:
    store: Store
    clock: Clock
    imports: Imports

    def put(self, url: str) -> None:
        with self.store.write(DEMO, PLATFORM) as tx:
            put_address(tx, SEAL, JOHN.id, url, self.clock.now)

    def run(self) -> None:
        self.imports.run(self.clock.now)

    def later(self, by: timedelta = timedelta(minutes=15)) -> None:
        self.clock.forward(by)
        self.run()

    def busy(self) -> list[Span]:
        with self.store.read(DEMO) as snapshot:
            return desk.free_busy(snapshot, JOHN.id, Span(NOW, NOW + 30 * DAY))

    def trouble(self) -> str:
        with self.store.read(DEMO) as snapshot:
            source = snapshot.source(JOHN.id)
        assert source is not None
        return source.trouble


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    store = Store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    furnish(store)
    clock = Clock()
    yield Room(store, clock, Imports(store, SEAL, Fetcher(Egress(allow_private=True)), clock=clock))
    store.close()


def test_its_busy_times_block_and_nothing_else_is_kept(room: Room, site: Site, tmp_path: Path) -> None:
    room.put(site.url)
    room.run()
    assert [span.start for span in room.busy()] == [NOW + DAY + HOUR]
    room.store.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"Dentist canary" not in kept
    assert b"secret-canary" not in kept


def test_a_booking_meets_them(room: Room, site: Site) -> None:
    room.put(site.url)
    room.run()
    with room.store.read(DEMO) as snapshot:
        assert snapshot.foreign_busy(JOHN.id, Span(NOW + DAY, NOW + 2 * DAY)) == [Span(NOW + DAY + HOUR, NOW + DAY + 2 * HOUR)]


def test_what_has_not_changed_is_not_sent_again(room: Room, site: Site) -> None:
    site.headers = {"ETag": '"one"'}
    room.put(site.url)
    room.run()
    room.later()
    assert site.asked[-1]["if-none-match"] == '"one"'
    assert len(room.busy()) == 1


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"x"), (404, b""), (200, b"<html>sign in</html>"), (200, b"BEGIN:VCALENDAR\r\n"), (403, b"")]
)
def test_a_source_that_fails_frees_nobody_and_says_why(room: Room, site: Site, status: int, body: bytes) -> None:
    room.put(site.url)
    room.run()
    site.status, site.body = status, body
    room.later()
    assert len(room.busy()) == 1
    assert room.trouble()
    site.status, site.body = 200, calendar(BUSY)
    room.later(3 * HOUR)
    assert room.trouble() == ""


def test_an_empty_answer_is_believed_only_when_it_stays_empty(room: Room, site: Site) -> None:
    room.put(site.url)
    room.run()
    site.body = calendar()
    room.later()
    assert len(room.busy()) == 1
    assert "empty all at once" in room.trouble()
    room.later(2 * HOUR)
    assert len(room.busy()) == 1
    room.later(2 * HOUR)
    assert room.busy() == []


def test_fresh_uids_on_every_download_change_nothing(room: Room, site: Site) -> None:
    room.put(site.url)
    room.run()
    for number in range(3):
        site.body = calendar(BUSY.replace("UID:one", f"UID:{number}"))
        room.later()
        assert len(room.busy()) == 1


def test_an_address_that_is_taken_away_frees_at_once(room: Room, site: Site) -> None:
    room.put(site.url)
    room.run()
    room.put("https://")
    assert room.busy() == []
    with room.store.read(DEMO) as snapshot:
        assert snapshot.source(JOHN.id) is None


def test_redirects_are_followed_a_few_times_only(room: Room, site: Site) -> None:
    site.status, site.headers = 302, {"Location": site.url}
    room.put(site.url)
    room.run()
    assert "circles" in room.trouble()


def test_our_own_network_is_not_for_everybody(site: Site) -> None:
    found = feed.probe(Fetcher(Egress()), site.url, zone="UTC", now=NOW)
    assert not found.reachable
    assert site.asked == []


def test_s32_the_test_says_what_it_found(site: Site) -> None:
    found = feed.probe(Fetcher(Egress(allow_private=True)), site.url, zone="Europe/Paris", now=NOW)
    assert (found.reachable, found.events, found.zone, len(found.next)) == (True, 1, "Europe/Paris", 1)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("webcal://example.com/a.ics", "https://example.com/a.ics"),
        ("webcals://example.com/a.ics", "https://example.com/a.ics"),
        (" https://example.com/a ", "https://example.com/a"),
        ("https://", ""),
        ("", ""),
    ],
)
def test_s32_webcal_is_https_and_a_bare_scheme_is_nothing(given: str, kept: str) -> None:
    assert feed.address(given) == kept


@pytest.mark.parametrize("given", ["ftp://example.com/a.ics", "file:///etc/passwd", "example.com", "javascript:alert(1)"])
def test_other_addresses_are_refused(given: str) -> None:
    with pytest.raises(Invalid):
        feed.address(given)
