"""What hostile requests are said with, octet for octet where a library would not say it, and what a refusal has to look like."""

from __future__ import annotations

import socket
from http.client import responses

from tests.dav.house import SPACES, Answer, Client, D

PROPFIND = f"<D:propfind {SPACES}><D:prop>{{}}</D:prop></D:propfind>"


def refused(answer: Answer, *statuses: int) -> None:
    """It is a refusal that says why in a way a person or a client can read."""
    assert answer.status in statuses, answer.text
    assert answer.body, f"{answer.status} says nothing"
    if "xml" in answer.headers["content-type"]:
        assert answer.tree.tag == f"{D}error"
        assert answer.sentence.strip()
    else:
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text.strip() not in responses.values()
    assert "Traceback" not in answer.text


def say(port: int, octets: bytes) -> bytes:
    """Everything that comes back until the door closes the connection; it may do so before it has heard everything."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(octets)  # not half-closed: a client that has hung up is not answered
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
    return answer


def head_of(john: Client, method: str, path: str, *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: {john.credentials}", *headers, "", ""]
    return "\r\n".join(lines).encode()
