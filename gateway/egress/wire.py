"""One request and its answer on a connection that is open: until the deadline, and no more octets than agreed (trust.md A144, A145)."""

from __future__ import annotations

import io
import re
import socket
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any

from gateway.egress.address import Target
from gateway.errors import TooLarge

HEAD = 32 * 1024
"""Octets of an answer before its body, whatever comes there, and of what chunks add to a body."""

HINTS = 8
"""Interim answers (1xx) that are passed over."""

_PIECE = 64 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one request may take. `seconds` is everything, from looking up the name to the last octet; `octets` of the body as it is
    handed out, decoded: a longer one is refused, or with `cut` cut off. `plain`: http is as good as https."""

    seconds: float = 10.0
    octets: int = 4096
    cut: bool = False
    plain: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What came back. Header names are in lower case; several of one name are joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Deadline:
    """The end of everything, on a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Line(io.RawIOBase):
    """A connection that reads and writes until the deadline, however slowly octets drip, and reads no more than `octets` of them."""

    def __init__(self, sock: socket.socket, deadline: Deadline, octets: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._left = octets

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._sock.settimeout(self._deadline.left())
            view = view[self._sock.send(view) :]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # whatever can be written to
        self._sock.settimeout(self._deadline.left())
        count = self._sock.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise TooLarge("The answer is too long.", limit="octets")
        return count

    def close(self) -> None:
        self._sock.close()
        super().close()


def converse(line: Line, request: bytes, method: str, limits: Limits) -> Response:
    """Ask and be answered. Raises TooLarge, HTTPException and zlib.error for an answer that is not understood or breaks off, and
    OSError for a connection that does (TimeoutError: the deadline has come)."""
    line.send(request)
    response = _begun(_Lines(line), method)
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        known = found.get(name.lower())
        found[name.lower()] = value if known is None else f"{known}, {value}"
    return Response(status=response.status, headers=found, body=_body(response, found.get("content-encoding", ""), limits))


def request_of(target: Target, method: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """All of it, ready to be sent. Raises ValueError for headers that are none: they would be two."""
    lines = {"Host": target.authority, "Accept-Encoding": "identity", **headers, "Connection": "close"}
    if body or method not in ("GET", "HEAD", "DELETE"):
        lines["Content-Length"] = str(len(body))
    for name, value in lines.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"{name} is no header")
    written = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target.path} HTTP/1.1\r\n{written}\r\n".encode("ascii") + body


class _Lines(io.BufferedReader):
    """Takes no line that breaks off for a whole one, as HTTPResponse would."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(-1 if size is None else size)
        if not line.endswith(b"\n"):
            raise HTTPException("a line breaks off")
        return line


class _Reading:
    """In the place of a socket, of which HTTPResponse wants a file to read from: the same one again after an interim answer."""

    def __init__(self, reader: io.BufferedReader) -> None:
        self._reader = reader

    def makefile(self, mode: str) -> io.BufferedReader:
        return self._reader


def _begun(reader: io.BufferedReader, method: str) -> HTTPResponse:
    """The final answer, as far as its headers."""
    for _ in range(HINTS + 1):
        response = HTTPResponse(_Reading(reader), method=method)  # type: ignore[arg-type]  # as _Reading says
        response.begin()
        if response.status >= 200:
            return response
        response.fp = None  # type: ignore[assignment]  # or it would close the reader at its end
    raise HTTPException("nothing but interim answers")


def _body(response: HTTPResponse, encoding: str, limits: Limits) -> bytes:
    body = bytearray()
    for piece in _decoded(response, encoding.strip().lower(), limits.octets + 1):
        body += piece
        if len(body) > limits.octets:
            if limits.cut:
                return bytes(body[: limits.octets])
            raise TooLarge(f"The answer is longer than {limits.octets} octets.", limit="octets")
    if response.length:
        raise HTTPException("the body breaks off")
    return bytes(body)


def _decoded(response: HTTPResponse, encoding: str, most: int) -> Iterator[bytes]:
    """The body in pieces no longer than `most`: what a few octets unfold to is counted before there is more of it."""
    size = min(most, _PIECE)
    if encoding in ("", "identity"):
        while piece := response.read(size):
            yield piece
        return
    if encoding not in ("gzip", "x-gzip"):
        raise HTTPException("an encoding nobody asked for")
    unfolding, ended = zlib.decompressobj(zlib.MAX_WBITS | 16), False
    while piece := response.read(size):
        while piece:
            if ended:  # several members, one behind the other (RFC 1952 §2.2)
                unfolding = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield unfolding.decompress(piece, most)
            piece, ended = unfolding.unconsumed_tail or unfolding.unused_data, unfolding.eof
    if not ended:
        raise HTTPException("the body breaks off")
