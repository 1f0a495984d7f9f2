"""The sender below both adapters: whoever drips, breaks off or sends somewhere else is no answer (bridge.md §4, 46)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import repeat

import pytest

from gateway.bridge import sending

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def answering(answer: Callable[[], Iterator[bytes]], pause: float = 0.0) -> Iterator[str]:
    """An address that says these pieces to whoever comes, so many seconds apart, and then hangs up."""
    end = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not end.is_set():
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                caller.recv(65_536)
                for piece in answer():
                    try:
                        caller.sendall(piece)
                    except OSError:
                        break
                    if end.wait(pause):
                        break

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        end.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def ask(address: str, seconds: float = 10) -> sending.Answer:
    with closing(sending.sender(seconds=seconds)) as send:
        return send("GET", address, {}, None)


def test_an_answer_is_its_status_its_headers_and_all_of_its_body() -> None:
    body = b"x" * 300_000
    with answering(lambda: iter([HEAD, b"Content-Length: 300000\r\n\r\n", body])) as address:
        status, headers, content = ask(address)
    assert (status, headers["content-type"], content) == (200, "application/json", body)


def test_an_answer_that_drips_for_ever_is_none() -> None:
    """No single silence is long; all of it is."""
    with (
        answering(lambda: iter([HEAD, b"Content-Length: 1000000\r\n\r\n", *repeat(b"x", 2000)]), pause=0.05) as address,
        pytest.raises(OSError, match=r"too long|Timeout"),
    ):
        ask(address, seconds=0.4)


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD, b"Content-Length: 100\r\n\r\n", b"half"],
        [HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n"],
        [HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhe"],
        [b"HTTP/1.1 2"],
        [b"\x16\x03\x01 not http"],
        [],
    ],
)
def test_half_an_answer_is_none(pieces: list[bytes]) -> None:
    with answering(lambda: iter(pieces)) as address, pytest.raises(OSError, match=r"\w"):
        ask(address)


def test_an_answer_without_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "OCTETS", 1_000_000)
    with (
        answering(lambda: iter([HEAD, b"\r\n", *repeat(b"x" * 65_536, 100)])) as address,
        pytest.raises(OSError, match="too long"),
    ):
        ask(address)


def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with answering(lambda: iter([moved])) as address:
        assert ask(address)[0] == 302


def test_nobody_answers() -> None:
    with pytest.raises(OSError, match=r"\w"):
        ask("http://127.0.0.1:1/")


def test_a_black_hole_holds_nobody_for_half_a_minute() -> None:
    assert sending.SECONDS < 30
