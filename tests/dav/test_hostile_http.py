"""HTTP as an attack, octet for octet on a real socket: one answer or none, nothing believed that a proxy might say, nobody kept waiting."""

from __future__ import annotations

import gzip
import re
import socket

import pytest

from tests.dav.hostile import PROPFIND, head_of, say
from tests.dav.house import HERE, Client, House, event

MEGABYTE = 10**6
CLOSE = "Connection: close"


def statuses(answer: bytes) -> list[str]:
    return [found.decode() for found in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: identity, chunked"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding : chunked"],
        ["Transfer-Encoding:\x0bchunked"],
        ["Content-Length: 5", "Content-Length: 5"],
        ["Content-Length: 5, 5"],
        ["Content-Length: -1"],
        ["Content-Length: +5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 1_0"],
        ["Content-Length: \u0665"],
        ["Content-Length: " + "9" * 20],
        ["Content-Length: "],
        ["Content-Length: 5 5"],
    ],
)
def test_a_body_has_one_length_or_none_is_read(calm: House, john: Client, headers: list[str]) -> None:
    """Whatever two readers could see differently is refused, and what follows is not taken for another request."""
    smuggled = head_of(john, "DELETE", HERE + "mine.ics")
    answer = say(calm.port, head_of(john, "PUT", HERE + "x.ics", *headers) + b"0\r\n\r\n" + smuggled)
    assert statuses(answer) in (["400"], ["413"])


CHUNKS = {
    "huge": b"fffffffffffffffffffff\r\n",
    "negative": b"-1\r\nx",
    "hexadecimal": b"0x5\r\nabcde\r\n0\r\n\r\n",
    "underscore": b"5_0\r\n",
    "plus": b"+5\r\nabcde\r\n0\r\n\r\n",
    "a letter": b"x\r\n",
    "no length": b"\r\n\r\n",
    "longer than said": b"5\r\nabcdefg\r\n0\r\n\r\n",
    "bare LF": b"5\nabcde\n0\n\n",
    "trailers": b"0\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
    "a long trailer": b"0\r\nX: " + b"y" * MEGABYTE + b"\r\n\r\n",
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS.keys())
def test_chunks_that_are_none_are_refused(calm: House, john: Client, chunks: bytes) -> None:
    answer = say(calm.port, head_of(john, "PUT", HERE + "x.ics", "Transfer-Encoding: chunked", CLOSE) + chunks)
    assert statuses(answer) in (["400"], ["413"], [])
    assert john.ask("GET", HERE + "x.ics").status == 404


def test_what_is_said_beside_a_chunk_is_passed_over(house: House, john: Client) -> None:
    """As RFC 9112 §7.1.1 has it; however long it is, nothing of it is kept."""
    text = event("beside@example.com").encode()
    chunk = b"%x;%s\r\n%s\r\n0\r\n\r\n" % (len(text), b"x" * MEGABYTE, text)
    answer = say(house.port, head_of(john, "PUT", HERE + "x.ics", "Transfer-Encoding: chunked", CLOSE) + chunk)
    assert statuses(answer) == ["201"]
    assert john.get(HERE + "x.ics").body == text


def test_a_hundred_thousand_chunks_are_one_body(house: House, john: Client) -> None:
    text = event("chunks@example.com", summary="x" * 100_000)
    chunks = b"".join(b"1\r\n%c\r\n" % octet for octet in text.encode()) + b"0\r\n\r\n"
    assert statuses(say(house.port, head_of(john, "PUT", HERE + "x.ics", "Transfer-Encoding: chunked", CLOSE) + chunks)) == ["201"]
    assert john.get(HERE + "x.ics").text == text


@pytest.mark.parametrize(
    "header",
    [
        b"X: " + b"y" * MEGABYTE, b"X: y\r\n" * 10_000 + b"X: y", b"X" * 65_536 + b": y", b"X: a\0b", b"X: a\rb", b" X: y", b"X y",
        b"X\xff: y", b": y", b"X\t: y", b"Depth: 0\r\n 1",
    ],
    ids=["a megabyte", "ten thousand", "a long name", "NUL", "CR", "a space", "no colon", "octets", "no name", "a tab", "folded"],
)  # fmt: skip
def test_a_header_that_is_none_is_refused(calm: House, john: Client, header: bytes) -> None:
    head = head_of(john, "PROPFIND", HERE, CLOSE).removesuffix(b"\r\n")
    answer = say(calm.port, head + header + b"\r\n\r\n")
    assert statuses(answer) in (["400"], ["431"], [])


@pytest.mark.parametrize("lines", [["Host: a.invalid", "Host: b.invalid"], [], ["Host: a b"], ["Host: evil.invalid/x"], ["Host: "]])
def test_one_host_is_named(calm: House, john: Client, lines: list[str]) -> None:
    head = "\r\n".join(["PROPFIND / HTTP/1.1", *lines, f"Authorization: {john.credentials}", "Depth: 0", CLOSE, "", ""])
    assert statuses(say(calm.port, head.encode())) == ["400"]


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Script-Name", "X-Forwarded-Prefix", "Forwarded", "X-Original-URL"])
def test_no_header_is_told_back_as_an_address(calm: House, john: Client, header: str) -> None:
    value = "evil.invalid" if "Host" in header else "host=evil.invalid" if header == "Forwarded" else "//evil.invalid"
    for method, path in (
        ("PROPFIND", HERE),
        ("GET", "/.well-known/caldav"),
        ("OPTIONS", "/"),
        ("PUT", HERE + "mine.ics"),
        ("GET", HERE[:-1]),
    ):
        given = {header.replace("-", "_"): value}
        answer = john.ask(method, path, event("mine@example.com") if method == "PUT" else "", If_None_Match="*", **given)
        assert answer.status < 500
        assert b"evil" not in answer.body
        assert not [name for name, told in answer.headers.items() if "evil" in told]


@pytest.mark.parametrize(
    "line",
    [
        b"GET /" + b"x" * MEGABYTE + b" HTTP/1.1", b"GET /dav/\0 HTTP/1.1", b"GET /dav/", b"GET /dav/ HTTP/0.9", b"GET /dav/ HTTP/9.9",
        b"PRI * HTTP/2.0", b"GET http://evil.invalid/dav/ HTTP/1.1", b"CONNECT evil.invalid:80 HTTP/1.1", b"TRACE /dav/ HTTP/1.1",
        b"GET  /dav/ HTTP/1.1", b"__class__ /dav/ HTTP/1.1", b"X" * 10_000 + b" /dav/ HTTP/1.1", b"propfind /dav/ HTTP/1.1",
        b"do_PROPFIND /dav/ HTTP/1.1", b"GET /dav/\x80 HTTP/1.1", b"\x16\x03\x01\x02\0\x01",
    ],
    ids=lambda line: line[:20].decode("latin-1").encode("unicode_escape").decode(),
)  # fmt: skip
def test_a_request_line_that_is_none_is_refused(calm: House, john: Client, line: bytes) -> None:
    head = head_of(john, "X", "/", CLOSE).partition(b"\r\n")[2]
    answer = say(calm.port, line + b"\r\n" + head)
    assert len(statuses(answer)) <= 1
    assert all(status[0] in "45" and status != "500" for status in statuses(answer))
    assert b"evil" not in answer


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_a_body_that_would_grow_is_refused_as_it_came(calm: House, john: Client, coding: str) -> None:
    bomb = gzip.compress(b"x" * 200 * MEGABYTE, 1) if coding == "gzip" else gzip.compress(b"x")
    for method, path in (("PUT", HERE + "mine.ics"), ("PROPFIND", HERE), ("REPORT", HERE), ("PROPPATCH", HERE)):
        answer = john.ask(method, path, bomb, Content_Encoding=coding)
        assert answer.status in (413, 415), answer.text


@pytest.mark.parametrize("charset", ["rot13", "../../x", "utf-7", "utf-16", "idna", "\u00fc"])
def test_another_charset_is_refused(calm: House, john: Client, charset: str) -> None:
    kind = f"text/calendar; charset={charset}".encode().decode("latin-1")
    assert john.put(HERE + "mine.ics", event("mine@example.com", summary="x"), Content_Type=kind).status in (400, 415)
    assert john.ask("PROPFIND", HERE, PROPFIND.format("<D:getetag/>"), Content_Type=kind).status in (400, 415)


@pytest.mark.parametrize("range_", ["bytes 0-10/100", "bytes */5", "x", ""])
def test_a_part_of_an_object_is_not_put(calm: House, john: Client, range_: str) -> None:
    assert john.put(HERE + "mine.ics", event("mine@example.com", summary="x"), Content_Range=range_).status == 400


class TestLargeBodies:
    """Who sends too much is told so while he is still sending."""

    def cut_off(self, house: House, head: bytes, piece: bytes) -> tuple[bytes, int]:
        """The answer, and how many octets of the body were taken before it came."""
        taken, answer = 0, b""
        with socket.create_connection(("127.0.0.1", house.port), timeout=20) as wire:
            wire.sendall(head)
            wire.settimeout(0.05)
            try:
                while taken < 100 * MEGABYTE and not answer:
                    wire.settimeout(20)
                    wire.sendall(piece)
                    taken += len(piece)
                    wire.setblocking(False)
                    try:
                        answer = wire.recv(65536)
                    except BlockingIOError:
                        continue
            except ConnectionError:
                pass
        return answer, taken

    @pytest.mark.parametrize("length", ["Content-Length: 104857600", "Transfer-Encoding: chunked"])
    def test_a_member_may_send_a_megabyte(self, calm: House, john: Client, length: str) -> None:
        piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        answer, taken = self.cut_off(calm, head_of(john, "PUT", HERE + "big.ics", length), piece)
        assert statuses(answer) in (["413"], [])
        assert taken < 20 * MEGABYTE, "what the network holds back, and no more"

    @pytest.mark.parametrize("length", ["Content-Length: 104857600", "Transfer-Encoding: chunked"])
    def test_a_stranger_is_not_listened_to(self, calm: House, length: str) -> None:
        head = f"PUT {HERE}big.ics HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode()
        answer, taken = self.cut_off(calm, head, b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        assert statuses(answer) in (["401"], ["413"], [])
        assert taken < 20 * MEGABYTE


def test_a_hundred_requests_at_once_are_answered_in_their_order(house: House, john: Client) -> None:
    for number in range(10):
        assert john.put(f"{HERE}{number}.ics", event(str(number))).status == 201
    asked = [number % 10 for number in range(100)]
    line = b"".join(
        head_of(john, "GET", f"{HERE}{number}.ics", *([CLOSE] if last else []))
        for last, number in zip([False] * 99 + [True], asked, strict=True)
    )
    answer = say(house.port, line)
    assert [int(found) for found in re.findall(rb"UID:(\d)\r", answer)] == asked
