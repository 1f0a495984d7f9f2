"""Going out: looked up once, connected to what was checked, and an end to everything (trust.md A141–A145)."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.egress import Egress, Limits, Response
from gateway.errors import Invalid, TooLarge, Unavailable
from tests.push.house import never
from tests.push.origin import Answers, answering, certificate, drips, pours, says

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SMALL = Limits(seconds=5.0, octets=1000)
NAME = "push.example.com"
PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.7"


def fetched(answer: Answers, *, limits: Limits = SMALL, headers: dict[str, str] | None = None, method: str = "GET") -> Response:
    with answering(answer) as origin:
        return Egress(allow_private=True).fetch(method, f"http://127.0.0.1:{origin.port}/x?y", headers or {}, limits=limits)


class Names:
    """A resolver and a way to connect that say what they are asked; everything leads to one port of this machine."""

    def __init__(self, *answers: Sequence[str], port: int = 0, away: Sequence[str] = ()) -> None:
        self.answers = list(answers)
        self.port = port
        self.away = away
        self.looked_up: list[tuple[str, int]] = []
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.looked_up.append((host, port))
        return self.answers.pop(0)

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append((address, port))
        if address in self.away:
            raise OSError(113, "No route to host")
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)


class TestAsking:
    def test_a_request_is_what_it_was_meant_to_be(self) -> None:
        with answering(says(b"HTTP/1.1 201 Created\r\nLocation: /m/1\r\nVary: A\r\nVary: B\r\nContent-Length: 0\r\n\r\n")) as origin:
            egress = Egress(allow_private=True)
            response = egress.fetch("POST", f"http://127.0.0.1:{origin.port}/a?b", {"TTL": "60", "Topic": "t"}, b"\0\xff", limits=SMALL)
        assert (response.status, response.headers["location"], response.headers["vary"], response.body) == (201, "/m/1", "A, B", b"")
        head, _, body = origin.asked[0].partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        assert first == "POST /a?b HTTP/1.1"
        assert set(lines) == {
            *(f"Host: 127.0.0.1:{origin.port}", "TTL: 60", "Topic: t", "Content-Length: 2", "Accept-Encoding: identity"),
            "Connection: close",
        }
        assert body == b"\0\xff"

    @pytest.mark.parametrize(("name", "value"), [("Topic", "a\r\nX: b"), ("To\r\npic", "a"), ("Topic", "a\nb"), ("", "a"), ("A b", "c")])
    def test_a_header_cannot_become_two(self, name: str, value: str) -> None:
        with answering(says(OK)) as origin, pytest.raises(ValueError, match="no header"):
            Egress(allow_private=True).fetch("POST", f"http://127.0.0.1:{origin.port}/", {name: value}, limits=SMALL)
        assert origin.asked == []

    def test_what_has_not_changed_is_an_answer(self) -> None:
        given = fetched(says(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 10\r\n\r\n'), headers={"If-None-Match": '"1"'})
        assert (given.status, given.headers["etag"], given.body) == (304, '"1"', b"")

    @pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
    def test_no_redirect_is_followed(self, status: int) -> None:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: http://169.254.169.254/\r\nRefresh: 0; url=http://10.0.0.1/\r\n"
        with answering(says(f"{head}Content-Length: 0\r\n\r\n".encode())) as origin:
            given = Egress(allow_private=True).fetch("GET", f"http://127.0.0.1:{origin.port}/", {}, limits=SMALL)
        assert (given.status, len(origin.asked)) == (status, 1)

    def test_an_answer_in_chunks_and_one_without_a_length_are_read_to_their_end(self) -> None:
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        assert fetched(says(chunked)).body == b"abcde"
        assert fetched(says(b"HTTP/1.1 200 OK\r\n\r\nabcde")).body == b"abcde"

    def test_interim_answers_are_passed_over_though_not_for_ever(self) -> None:
        hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        assert fetched(says(hint * 3 + OK)).status == 200
        with pytest.raises(Unavailable):
            fetched(says(hint * 200 + OK))
        with pytest.raises((Unavailable, TooLarge)):
            fetched(pours(b"", b"HTTP/1.1 100 Continue\r\n\r\n"))


class TestNames:
    def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(self, tmp_path: Path) -> None:
        tls, authority = certificate(tmp_path, NAME)
        with answering(says(OK), tls=tls) as origin:
            names = Names([PUBLIC], ["127.0.0.1"], port=origin.port)  # the second answer is what a rebinding name would say
            egress = Egress(ca_bundle=authority, resolve=names.resolve, connect=names.connect)
            assert egress.fetch("GET", f"https://{NAME}/", {}, limits=SMALL).body == b"ok"
        assert names.looked_up == [(NAME, 443)]
        assert names.connected == [(PUBLIC, 443)]

    def test_a_name_that_leads_home_the_next_time_is_refused_then(self, tmp_path: Path) -> None:
        tls, authority = certificate(tmp_path, NAME)
        with answering(says(OK), tls=tls) as origin:
            names = Names([PUBLIC], ["127.0.0.1"], port=origin.port)
            egress = Egress(ca_bundle=authority, resolve=names.resolve, connect=names.connect)
            egress.fetch("GET", f"https://{NAME}/", {}, limits=SMALL)
            with pytest.raises(Invalid):
                egress.fetch("GET", f"https://{NAME}/", {}, limits=SMALL)
        assert len(names.connected) == 1

    @pytest.mark.parametrize(
        "found",
        [
            ["127.0.0.1"],
            ["169.254.169.254"],
            ["::1"],
            ["fe80::1%eth0"],
            ["::ffff:10.0.0.1"],
            [PUBLIC, "::1"],
            ["2a01:4f8::1", PUBLIC, PUBLIC, "192.168.0.1"],
            [PUBLIC] * 20 + ["0.0.0.0"],  # noqa: S104  a test of just that
            ["64:ff9b::a00:1"],
        ],
    )
    def test_one_address_of_a_name_that_is_not_public_spoils_it(self, found: list[str]) -> None:
        names = Names(found)
        with pytest.raises(Invalid):
            Egress(resolve=names.resolve, connect=never).fetch("GET", f"https://{NAME}/", {}, limits=SMALL)

    def test_an_operator_who_opens_his_networks_does_not_open_those_of_a_cloud(self) -> None:
        names = Names(["169.254.169.254"])
        with pytest.raises(Invalid):
            Egress(allow_private=True, resolve=names.resolve, connect=never).fetch("GET", f"https://{NAME}/", {}, limits=SMALL)

    def test_http_to_the_internet_stays_closed_when_his_own_networks_are_open(self) -> None:
        names = Names([PUBLIC])
        with pytest.raises(Invalid):
            Egress(allow_private=True, resolve=names.resolve, connect=never).fetch("GET", f"http://{NAME}/", {}, limits=SMALL)

    def test_behind_a_broken_ipv6_the_next_address_has_its_turn(self, tmp_path: Path) -> None:
        tls, authority = certificate(tmp_path, NAME)
        with answering(says(OK), tls=tls) as origin:
            names = Names(["2a01:4f8::1", PUBLIC], port=origin.port, away=["2a01:4f8::1"])
            egress = Egress(ca_bundle=authority, resolve=names.resolve, connect=names.connect)
            assert egress.fetch("GET", f"https://{NAME}/", {}, limits=SMALL).status == 200
        assert [address for address, _ in names.connected] == ["2a01:4f8::1", PUBLIC]

    def test_a_name_that_nobody_knows_may_be_known_tomorrow(self) -> None:
        def resolve(host: str, port: int) -> Sequence[str]:
            raise socket.gaierror(-2, "Name or service not known")

        with pytest.raises(Unavailable, match="not known"):
            Egress(resolve=resolve, connect=never).fetch("GET", f"https://{NAME}/", {}, limits=SMALL)

    def test_a_resolver_that_hangs_holds_nobody_beyond_the_deadline(self) -> None:
        over = threading.Event()

        def resolve(host: str, port: int) -> Sequence[str]:
            over.wait(20)
            return [PUBLIC]

        started = time.monotonic()
        try:
            with pytest.raises(Unavailable, match="too long"):
                Egress(resolve=resolve, connect=never).fetch("GET", f"https://{NAME}/", {}, limits=Limits(seconds=0.2))
        finally:
            over.set()
        assert time.monotonic() - started < 5


class TestCertificates:
    def test_a_certificate_that_nobody_vouches_for_is_not_believed(self, tmp_path: Path) -> None:
        tls, _ = certificate(tmp_path, NAME)
        with answering(says(OK), tls=tls) as origin:
            names = Names([PUBLIC], port=origin.port)
            with pytest.raises(Unavailable, match="secure"):
                Egress(resolve=names.resolve, connect=names.connect).fetch("GET", f"https://{NAME}/", {}, limits=SMALL)
        assert origin.asked == []

    def test_nor_is_one_for_another_name(self, tmp_path: Path) -> None:
        tls, authority = certificate(tmp_path, "other.example.com")
        with answering(says(OK), tls=tls) as origin:
            names = Names([PUBLIC], port=origin.port)
            egress = Egress(ca_bundle=authority, resolve=names.resolve, connect=names.connect)
            with pytest.raises(Unavailable, match="secure"):
                egress.fetch("GET", f"https://{NAME}/", {}, limits=SMALL)

    def test_a_server_that_speaks_something_else_than_tls_is_left(self) -> None:
        with answering(says(b"SSH-2.0-x\r\n")) as origin:
            names = Names([PUBLIC], port=origin.port)
            with pytest.raises(Unavailable):
                Egress(resolve=names.resolve, connect=names.connect).fetch("GET", f"https://{NAME}/", {}, limits=Limits(seconds=0.5))


class TestBounds:
    def test_a_body_is_taken_to_the_limit_and_not_beyond(self) -> None:
        def answer(size: int) -> Answers:
            return says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

        assert len(fetched(answer(1000)).body) == 1000
        with pytest.raises(TooLarge):
            fetched(answer(1001))
        assert len(fetched(answer(1001), limits=Limits(octets=1000, cut=True)).body) == 1000

    @pytest.mark.parametrize(
        "head",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        ],
    )
    def test_a_body_without_end_ends(self, head: bytes) -> None:
        with pytest.raises(TooLarge):
            fetched(pours(head, b"x" * 65536))
        assert fetched(pours(head, b"x" * 65536), limits=Limits(octets=1000, cut=True)).body == b"x" * 1000

    @pytest.mark.parametrize("piece", [b"X-Long: " + b"x" * 4000 + b"\r\n", b"x" * 65536, b"A: b\r\n"])
    def test_a_head_without_end_ends(self, piece: bytes) -> None:
        with pytest.raises((TooLarge, Unavailable)):
            fetched(pours(b"HTTP/1.1 200 OK\r\n", piece))

    def test_a_chunk_of_one_octet_after_the_other_is_counted_with_its_head(self) -> None:
        with pytest.raises(TooLarge):
            fetched(pours(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 200 + b"\r\nx\r\n"))

    @pytest.mark.parametrize(
        "answer",
        [
            drips(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900, 0.05),
            drips(b"HTTP/1.1 200 OK\r\nX-" + b"y" * 900, 0.05),
            drips(b"", 0.05),
        ],
        ids=["body", "head", "silence"],
    )
    def test_who_drips_is_left_at_the_deadline(self, answer: Answers) -> None:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="too long"):
            fetched(answer, limits=Limits(seconds=0.5, octets=1000))
        assert time.monotonic() - started < 5

    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
            b"HTTP/1.1 200",
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/9.9 200 OK\r\n\r\n",
            b"<html>",
            b"\0" * 100,
        ],
    )
    def test_an_answer_that_breaks_off_or_is_none_is_no_answer(self, octets: bytes) -> None:
        with pytest.raises(Unavailable):
            fetched(says(octets))


def _packed(octets: bytes, encoding: bytes = b"gzip") -> Answers:
    return says(b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(octets)) + octets)


class TestCompression:
    def test_a_compressed_body_is_handed_out_decoded(self) -> None:
        assert fetched(_packed(gzip.compress(b"a" * 1000)), headers={"Accept-Encoding": "gzip"}).body == b"a" * 1000
        assert fetched(_packed(gzip.compress(b"ab") + gzip.compress(b"cd"))).body == b"abcd"
        assert fetched(_packed(gzip.compress(b""))).body == b""

    def test_a_bomb_is_counted_as_what_it_unfolds_to(self) -> None:
        bomb = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        octets = b"".join(bomb.compress(b"\0" * 1_000_000) for _ in range(100)) + bomb.flush()
        with pytest.raises(TooLarge):
            fetched(_packed(octets), limits=Limits(octets=1_000_000))
        assert len(fetched(_packed(octets), limits=Limits(octets=5000, cut=True)).body) == 5000

    @pytest.mark.parametrize(
        "answer",
        [
            _packed(gzip.compress(gzip.compress(b"a")), b"gzip, gzip"),
            _packed(b"garbage", b"br"),
            _packed(b"garbage"),
            _packed(gzip.compress(b"a" * 500)[:-6]),
            _packed(b""),
            _packed(gzip.compress(b"ab") + b"garbage"),
        ],
        ids=["nested", "br", "garbage", "truncated", "nothing", "trailing"],
    )
    def test_what_cannot_be_decoded_is_no_answer(self, answer: Answers) -> None:
        with pytest.raises(Unavailable):
            fetched(answer)


def test_nothing_is_left_open() -> None:
    """However a request ends, its connection does too: the origin reads to the end of it."""
    ends: list[bytes] = []
    done = threading.Event()

    def answer(line: socket.socket, over: threading.Event) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)
        ends.append(line.recv(1))
        done.set()

    with answering(answer) as origin:
        with pytest.raises(TooLarge):
            Egress(allow_private=True).fetch("GET", f"http://127.0.0.1:{origin.port}/", {}, limits=SMALL)
        assert done.wait(10)
    assert ends == [b""]


def test_a_port_where_nobody_listens_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be reached"):
        Egress(allow_private=True).fetch("GET", f"http://127.0.0.1:{port}/", {}, limits=SMALL)
