"""HTTP/1.1 over one socket that stays open, as calendar programs keep theirs, and nothing in between."""

from __future__ import annotations

import base64
import re
import socket
from dataclasses import dataclass

PATIENCE = 1800.0  # seconds for one answer: a stock server reads ten thousand files before its first one

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


class Broken(OSError):
    """The connection ended within an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`head` is the status line and the headers as they came."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """Its value; "" when there is none."""
        found = re.search(rb"^" + name.encode() + rb":[ \t]*([^\r\n]*?)[ \t]*\r?$", self.head, re.IGNORECASE | re.MULTILINE)
        return found[1].decode("latin-1") if found else ""


class Wire:
    """One client's connection to a port of this machine; opened when it is needed, and again when the server closed it."""

    def __init__(self, port: int, login: str = "", password: str = "") -> None:
        self._port = port
        self._same = f"Host: 127.0.0.1:{port}\r\nUser-Agent: bench\r\n"
        if login:
            self._same += f"Authorization: Basic {base64.b64encode(f'{login}:{password}'.encode()).decode()}\r\n"
        self._socket: socket.socket | None = None
        self._held = b""

    def ask(self, method: str, path: str, body: str | bytes = b"", headers: str = "") -> Answer:
        """One request and its answer. `headers` are whole lines, each with its line break. Raises Broken, OSError."""
        octets = body.encode() if isinstance(body, str) else body
        length = f"Content-Length: {len(octets)}\r\n" if octets or method not in ("GET", "OPTIONS", "DELETE") else ""
        request = f"{method} {path} HTTP/1.1\r\n{self._same}{headers}{length}\r\n".encode() + octets
        if self._socket is not None:
            try:
                return self._exchange(self._socket, request)
            except (Broken, ConnectionError):  # it had been closed meanwhile: once more, on a new one
                self.close()
        return self._exchange(self._open(), request)

    def connect(self) -> None:
        """Open the connection now, so that nobody's first request pays for it."""
        if self._socket is None:
            self._open()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._held = None, b""

    def _open(self) -> socket.socket:
        self._socket, self._held = socket.create_connection(("127.0.0.1", self._port), PATIENCE), b""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _exchange(self, connection: socket.socket, request: bytes) -> Answer:
        connection.sendall(request)
        head = self._until(connection, b"\r\n\r\n")
        found = _STATUS.match(head)
        if found is None:
            raise Broken(f"no HTTP: {head[:80]!r}")
        answer = Answer(int(found[1]), head, b"")
        body = self._body(connection, answer)
        if answer.header("Connection").lower() == "close" or (head.startswith(b"HTTP/1.0") and not answer.header("Connection")):
            self.close()
        return Answer(answer.status, head, body)

    def _body(self, connection: socket.socket, answer: Answer) -> bytes:
        if answer.status in (204, 304):
            return b""
        if answer.header("Transfer-Encoding").lower() == "chunked":
            pieces = []
            while size := int(self._until(connection, b"\r\n").split(b";")[0], 16):
                pieces.append(self._exactly(connection, size))
                self._exactly(connection, 2)
            self._until(connection, b"\r\n")
            return b"".join(pieces)
        if length := answer.header("Content-Length"):
            return self._exactly(connection, int(length))
        pieces = [self._held]
        while piece := connection.recv(1 << 20):
            pieces.append(piece)
        return b"".join(pieces)

    def _until(self, connection: socket.socket, mark: bytes) -> bytes:
        while (at := self._held.find(mark)) < 0:
            self._more(connection)
        found, self._held = self._held[:at], self._held[at + len(mark) :]
        return found

    def _exactly(self, connection: socket.socket, octets: int) -> bytes:
        if len(self._held) < octets:
            held = bytearray(self._held)
            while len(held) < octets:
                piece = connection.recv(1 << 20)
                if not piece:
                    raise Broken("the answer ends too early")
                held += piece
            self._held = bytes(held)
        found, self._held = self._held[:octets], self._held[octets:]
        return found

    def _more(self, connection: socket.socket) -> None:
        piece = connection.recv(1 << 16)
        if not piece:
            raise Broken("the connection was closed")
        self._held += piece
