"""How an external calendar is fetched: by nobody's leave into our own network, not for long, and not without end (trust.md §4.8)."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.bridge import feed
from gateway.bridge.feed import HOPS, OCTETS, Fetched, Fetcher
from gateway.egress import Egress
from gateway.errors import Invalid, TooLarge, Unavailable
from tests.bridge.feed.site import BUSY, Asked, Room, Site
from tests.bridge.wire import NOW
from tests.ical.test_busytimes import event
from tests.ical.test_busytimes import feed as calendar
from tests.push.origin import Answers, answering, certificate, drips, pours, says

NEAR = Fetcher(Egress(allow_private=True))
PUBLIC = "93.184.216.34"


class Names:
    """Names that lead where a test says; whatever is public leads to one port of this machine."""

    def __init__(self, port: int, **answers: Sequence[str]) -> None:
        self.answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.port = port
        self.connected: list[str] = []

    def resolve(self, host: str, port: int) -> Sequence[str]:
        return [self.answers[host].pop(0)]

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def fetcher(self, ca_bundle: str = "") -> Fetcher:
        return Fetcher(Egress(resolve=self.resolve, connect=self.connect, ca_bundle=ca_bundle))


def fetched(answer: Answers) -> Fetched:
    with answering(answer) as origin:
        return NEAR.fetch(f"http://127.0.0.1:{origin.port}/calendar.ics")


SPELLINGS = (
    *("http://127.0.0.1/a", "http://127.1/a", "http://0/a", "http://2130706433/a", "http://0x7f000001/a", "http://0177.0.0.1/a"),
    *("http://[::1]/a", "http://[::ffff:127.0.0.1]/a", "http://[::127.0.0.1]/a", "http://[64:ff9b::7f00:1]/a", "http://[2002:7f00:1::]/a"),
    *("http://[2001:0:7f00:1::]/a", "http://[fe80::1%25eth0]/a", "http://[fd00::1]/a", "http://10.0.0.1/a", "http://172.16.0.1/a"),
    *("http://192.168.1.1/a", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/a", "http://224.0.0.1/a", "http://0.0.0.0/a"),
    *("http://localhost/a", "http://intranet/a", "http://１２７.0.0.1/a", "http://ⓛocalhost/a", "https://user:pw@example.com/a"),
    *(
        "https://example.com@127.0.0.1/a",
        "https://example.com\\@127.0.0.1/a",
        "https://example.com\t/a",
        "https://example.com\r\nHost: x/a",
    ),
    *("file:///etc/passwd", "gopher://127.0.0.1:70/", "ftp://example.com/a.ics", "data:text/calendar,BEGIN:VCALENDAR", "//example.com/a"),
    *("https://example.com:22/a", "https://example.com:0/a", "https://example.com:99999/a", "webcal://127.0.0.1/a", "webcals://[::1]/a"),
    *("javascript:alert(1)", "example.com", "https:///a", "https://exa mple.com/a", "https://example.com/a#b", "http://127.0.0.1.:80/a"),
)


class TestWhereItMayLead:
    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_a140_nowhere_but_to_the_public_internet(self, spelling: str) -> None:
        def never(*given: object) -> socket.socket:
            raise AssertionError("somebody was called")

        def home(host: str, port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        found = feed.probe(Fetcher(Egress(resolve=home, connect=never)), spelling, zone="UTC", now=NOW)
        assert not found.reachable
        assert found.trouble.endswith(".")

    @pytest.mark.parametrize(
        "target", ["http://127.0.0.1/a", "http://169.254.169.254/", "http://[::1]/", "file:///etc/passwd", "http://inside_example/a"]
    )
    def test_a141_a_redirect_is_checked_like_the_first_address(self, site: Site, target: str) -> None:
        site.status, site.headers = 302, {"Location": target.replace("inside_example", "inside.example")}
        names = Names(site.port, calendar_example=[PUBLIC], inside_example=["10.0.0.7"])
        with pytest.raises(Invalid):
            names.fetcher().fetch("http://calendar.example/a.ics")
        assert (names.connected, len(site.asked)) == ([PUBLIC], 1)

    def test_a141_redirects_are_followed_a_few_times_only(self, site: Site) -> None:
        site.status, site.headers = 302, {"Location": site.url}
        with pytest.raises(Unavailable, match="circles"):
            NEAR.fetch(site.url)
        assert len(site.asked) == HOPS + 1

    @pytest.mark.parametrize(("status", "header"), [(300, "Location"), (200, "Refresh"), (304, "Location")])
    def test_a141_nothing_else_is_followed(self, site: Site, status: int, header: str) -> None:
        site.status, site.headers, site.body = status, {header: f"{site.url}?onward"}, b""
        assert not feed.probe(NEAR, site.url, zone="UTC", now=NOW).reachable
        assert [asked.path for asked in site.asked] == ["/secret-canary/calendar.ics"]

    def test_a141_a_relative_redirect_leads_on(self, site: Site) -> None:
        def onward(asked: Asked) -> None:
            site.status, site.headers = (301, {"Location": "../other.ics#x"}) if "canary" in asked.path else (200, {})

        site.before = onward
        assert NEAR.fetch(site.url).body == site.body
        assert [asked.path for asked in site.asked] == ["/secret-canary/calendar.ics", "/other.ics"]

    def test_a142_a_name_that_changes_between_two_hops_is_checked_at_each(self, site: Site) -> None:
        site.status, site.headers = 302, {"Location": "http://calendar.example/b.ics"}
        names = Names(site.port, calendar_example=[PUBLIC, "127.0.0.1"])
        with pytest.raises(Invalid):
            names.fetcher().fetch("http://calendar.example/a.ics")
        assert names.connected == [PUBLIC]

    def test_a147_no_redirect_leads_out_of_encryption(self, tmp_path: Path) -> None:
        context, authority = certificate(tmp_path, "calendar.example")
        with answering(
            says(b"HTTP/1.1 302 Found\r\nLocation: http://calendar.example/\r\nContent-Length: 0\r\n\r\n"), tls=context
        ) as origin:
            names = Names(origin.port, calendar_example=[PUBLIC, PUBLIC])
            with pytest.raises(Unavailable, match="without encryption"):
                names.fetcher(authority).fetch("https://calendar.example/secret.ics")
        assert names.connected == [PUBLIC]

    def test_a147_nothing_that_a_server_gave_goes_to_another(self, site: Site) -> None:
        def onward(asked: Asked) -> None:
            there = {"Location": f"http://localhost:{site.port}/other.ics", "Set-Cookie": "key=canary", "ETag": '"x"'}
            site.status, site.headers = (302, there) if "canary" in asked.path else (200, {})

        site.before = onward
        NEAR.fetch(site.url)
        assert set(site.asked[1].headers) == {"host", "accept", "accept-encoding", "user-agent", "connection"}


class TestHowMuch:
    def test_a_calendar_may_be_compressed(self, site: Site) -> None:
        site.body, site.headers = gzip.compress(calendar(BUSY)), {"Content-Encoding": "gzip"}
        assert NEAR.fetch(site.url).body == calendar(BUSY)

    def test_a144_five_megabytes_are_read_and_not_an_octet_more(self, site: Site) -> None:
        site.body = b"x" * OCTETS
        assert len(NEAR.fetch(site.url).body or b"") == OCTETS
        site.body += b"x"
        with pytest.raises(TooLarge, match="5 MB"):
            NEAR.fetch(site.url)

    def test_a144_a_small_answer_that_unfolds_without_end_is_refused(self, site: Site) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        site.body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
        site.headers = {"Content-Encoding": "gzip"}
        assert len(site.body) < OCTETS / 10
        with pytest.raises(TooLarge):
            NEAR.fetch(site.url)

    @pytest.mark.parametrize(("encoding", "body"), [("gzip", gzip.compress(calendar(BUSY))[:-9]), ("br", b"garbage"), ("gzip", b"garbage")])
    def test_a144_what_cannot_be_unpacked_is_a_failure(self, site: Site, encoding: str, body: bytes) -> None:
        site.body, site.headers = body, {"Content-Encoding": encoding}
        with pytest.raises(Unavailable):
            NEAR.fetch(site.url)

    def test_a144_an_answer_without_end_is_refused(self) -> None:
        with pytest.raises(TooLarge):
            fetched(pours(b"HTTP/1.1 200 OK\r\n\r\n", b"BEGIN:VCALENDAR\r\n" * 4096))

    def test_a144_a_bomb_leaves_the_last_good_times_and_a_sentence(self, room: Room, site: Site) -> None:
        room.put(site.url)
        room.run()
        site.body, site.headers = gzip.compress(bytes(OCTETS * 2)), {"Content-Encoding": "gzip"}
        room.later()
        assert len(room.busy()) == 1
        assert "shorter time" in room.source().trouble

    @pytest.mark.parametrize(
        "answer",
        [drips(b"HTTP/1.1 200 OK\r\n", 0.05), drips(b"", 1), drips(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900, 0.01)],
    )
    def test_a145_46_slow_servers_are_left_when_the_time_is_over(self, answer: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed, "SECONDS", 0.5)
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="too long"):
            fetched(answer)
        assert time.monotonic() - begun < 5

    def test_a145_the_time_is_that_of_all_hops_together(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        hops = list[Asked]()

        def before(asked: Asked) -> None:
            hops.append(asked)
            threading.Event().wait(0.4)

        monkeypatch.setattr(feed, "SECONDS", 1.0)
        site.status, site.headers, site.before = 302, {"Location": site.url}, before
        with pytest.raises(Unavailable, match="too long"):
            NEAR.fetch(site.url)
        assert len(hops) <= 5


class TestTheTest:
    """What the button says (product.md S32)."""

    def test_s32_it_says_what_it_found(self, site: Site) -> None:
        found = feed.probe(NEAR, site.url, zone="Europe/Paris", now=NOW)
        assert (found.reachable, found.events, found.zone, len(found.next)) == (True, 1, "Europe/Paris", 1)
        assert (found.trouble, found.step) == ("", "")

    def test_s32_it_shows_the_next_three_busy_periods_from_now_on(self, site: Site) -> None:
        site.body = calendar(event("DTSTART:20261101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "SUMMARY:Canary"))
        found = feed.probe(NEAR, site.url, zone="UTC", now=NOW)
        assert [f"{span.start:%d %H}" for span in found.next] == ["24 09", "25 09", "26 09"]
        assert "Canary" not in repr(found)

    @pytest.mark.parametrize(
        ("given", "step"),
        [("", ""), ("nonsense", "anew"), ("closed", "Check the address"), ("http://10.0.0.1.2/", "anew"), ("http://127.0.0.1:9/", "anew")],
    )
    def test_b8_every_failure_has_a_sentence_and_a_next_step(self, given: str, step: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        found = feed.probe(NEAR, f"http://127.0.0.1:{port}/" if given == "closed" else given, zone="UTC", now=NOW)
        assert not found.reachable
        assert found.trouble.endswith(".")
        assert step in found.step

    @pytest.mark.parametrize("status", [401, 404, 429, 500])
    def test_b8_so_does_every_status(self, site: Site, status: int) -> None:
        site.status = status
        found = feed.probe(NEAR, site.url, zone="UTC", now=NOW)
        assert found.step or found.trouble.count(".") + found.trouble.count(":") > 1

    def test_our_own_network_is_not_for_everybody(self, site: Site) -> None:
        assert not feed.probe(Fetcher(Egress()), site.url, zone="UTC", now=NOW).reachable
        assert site.asked == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("webcal://example.com/a.ics", "https://example.com/a.ics"),
        ("WEBCALS://example.com/a.ics", "https://example.com/a.ics"),
        (" https://example.com/a ", "https://example.com/a"),
        ("https://", ""),
        ("HTTPS://", ""),
        ("webcal://", ""),
        ("", ""),
    ],
)
def test_s32_webcal_is_https_and_a_bare_scheme_is_nothing(given: str, kept: str) -> None:
    assert feed.address(given) == kept


@pytest.mark.parametrize(
    "given", ["ftp://example.com/a.ics", "file:///etc/passwd", "example.com", "javascript:alert(1)", "https://" + "a" * 2000]
)
def test_other_addresses_are_refused(given: str) -> None:
    with pytest.raises(Invalid):
        feed.address(given)
