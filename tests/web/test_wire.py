"""What is no HTTP is answered in a fixed sentence, under the headers of every other answer, and quotes nothing of what was sent."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests.web.house import KEY, Door

CANARY = b"Xylophone-canary"
HEAD = b"HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/customers " + HEAD + b"Authorization: Bearer " + KEY.encode() + b"\r\nContent-Type: application/json\r\n"

BROKEN = {
    "a line that is none": CANARY + b"\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00" + CANARY + b"\x01\xfc\x03\x03\r\n\r\n",
    "a method with a colon": CANARY + b": / HTTP/1.1\r\n\r\n",
    "another protocol": b"GET / HTTP/9.9\r\n" + CANARY + b": 1\r\n\r\n",
    "a version that is none": b"GET / " + CANARY + b"\r\n\r\n",
    "a header without a colon": b"GET / " + HEAD + CANARY + b"\r\n\r\n",
    "a header with a blank before the colon": b"GET / " + HEAD + CANARY + b" : 1\r\n\r\n",
    "a header with a NUL": b"GET / " + HEAD + b"X: " + CANARY + b"\0\r\n\r\n",
    "a bare carriage return": b"GET / " + HEAD + b"X: " + CANARY + b"\rY: 1\r\n\r\n",
    "a length that is none": b"GET / " + HEAD + b"Content-Length: " + CANARY + b"\r\n\r\n",
    "two lengths": b"GET / " + HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\nX: " + CANARY + b"\r\n\r\n",
    "a negative length": b"GET / " + HEAD + b"Content-Length: -1\r\nX: " + CANARY + b"\r\n\r\n",
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an encoding nobody knows": POST + b"Transfer-Encoding: " + CANARY + b"\r\n\r\n",
    "a very long header": b"GET / " + HEAD + b"X: " + CANARY * 2000 + b"\r\n\r\n",
    "a very long address": b"GET /" + CANARY * 2000 + b" " + HEAD + b"\r\n",
    "too many headers": b"GET / " + HEAD + b"X: " + CANARY + b"\r\n" + b"X: a\r\n" * 500 + b"\r\n",
}


def answer_to(door: Door, octets: bytes) -> bytes:
    """Everything that comes back until the door closes the connection."""
    where, answer = urlsplit(door.url), b""
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as wire:
        wire.sendall(octets)
        while piece := wire.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize("octets", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_http_is_answered_in_a_fixed_sentence(door: Door, octets: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    answer = answer_to(door, octets)
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    assert status.split()[1] == b"400"
    assert body == b"The request is not understood.\n"
    assert headers[b"server"] == b"gateway"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"content-type"] == b"text/plain; charset=utf-8"
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    for secret in (b"canary", b"aiohttp", b"python"):
        assert secret not in answer.lower()
    assert "canary" not in "".join(capfd.readouterr())
    assert door.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("chunk", [b"x", b"-1", b"fffffffffffffffff", b"5\r\nab"])
def test_a_chunk_that_is_none_is_refused(door: Door, chunk: bytes) -> None:
    answer = answer_to(door, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"\r\n" + CANARY + b"\r\n0\r\n\r\n")
    assert answer.split()[1] == b"400"
    assert answer.count(b"HTTP/1.") == 1
    assert b"canary" not in answer
    assert b"Server: gateway" in answer


def test_what_is_no_http_is_counted(door: Door) -> None:
    answer_to(door, BROKEN["a line that is none"])
    counted = [line for line in door.ask("GET", "/metrics").text.splitlines() if 'route="none"' in line and 'status="400"' in line]
    assert any(line.startswith("gateway_requests_total") for line in counted)
