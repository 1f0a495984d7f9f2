"""Every address: safe headers, a sentence instead of a traceback, and nothing secret in what is written down."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.web.server import Limits
from tests.journey.wire import Answer
from tests.web.house import KEY, NOW, TOKENS, Door, built, opened

PAGES = ["/", "/api/docs", "/demo/mail", "/healthz", "/readyz", "/metrics", "/robots.txt", "/nothing-here", "/feeds/x.ics", "/api/v1/staff"]


def mail(**other: Any) -> Mapping[str, Any]:
    return {
        "to": ["ann.canary@example.com"],
        "subject": "Your appointment on Wednesday, November 25 at 10:00 AM",
        "text": "Hello Ann,\n\nsee you on Wednesday.",
        "html": '<p style="color:#123456">Hello Ann,</p><script>document.title = 1</script>',
        "attachments": [{"filename": "invite.ics", "content_type": "text/calendar", "text": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"}],
        "sent_at": NOW.isoformat(),
    } | other


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_safe_headers(door: Door, path: str) -> None:
    answer = door.ask("GET", path, Accept="text/html")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["server"] == "gateway"
    assert answer.headers["x-request-id"]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_head_is_get_without_its_body(door: Door, path: str) -> None:
    get, head = door.ask("GET", path), door.ask("HEAD", path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


def test_robots_may_read_feeds(door: Door) -> None:
    robots = door.ask("GET", "/robots.txt").text
    assert "Disallow: /\n" not in robots
    assert "Disallow: /feeds" not in robots
    assert "Allow: /feeds/" in robots


def test_a_living_process_says_so_and_a_ready_one_names_its_database(door: Door) -> None:
    assert door.ask("GET", "/healthz").json == {"status": "ok"}
    ready = door.ask("GET", "/readyz")
    assert (ready.status, ready.json["reasons"]) == (200, [])
    assert ready.json["database"]


def test_a_process_that_cannot_serve_says_why(tmp_path: Path) -> None:
    with built(tmp_path) as store, opened(store, unready=["The runner of the readers has stopped."]) as door:
        ready = door.ask("GET", "/readyz")
        assert (ready.status, ready.json["reasons"]) == (503, ["The runner of the readers has stopped."])
        assert door.ask("GET", "/healthz").status == 200


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    with built(tmp_path) as store, opened(store, limits=Limits(body_seconds=0.2)) as door:
        where = urlsplit(door.url)
        head = f"POST /api/v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as wire:
            wire.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            assert wire.recv(65536).startswith(b"HTTP/1.1 408")


def test_whoever_waits_is_answered_when_the_server_ends(tmp_path: Path) -> None:
    answers: list[Answer] = []
    with built(tmp_path) as store:
        with opened(store) as door:
            head = door.api("GET", "/changes").json["revision"]
            door.store.asked.clear()
            waiting = threading.Thread(target=lambda: answers.append(door.api("GET", "/changes", query={"after": str(head), "wait": "60"})))
            waiting.start()
            while "changes" not in door.store.asked:
                assert waiting.is_alive()
            began = time.monotonic()
        assert time.monotonic() - began < 5
        waiting.join(5)
    assert (answers[0].status, answers[0].json["items"]) == (200, [])


def test_a_page_that_is_not_there_is_a_page_and_a_sentence(door: Door) -> None:
    page, sentence = door.ask("GET", "/nothing", Accept="text/html"), door.ask("GET", "/nothing")
    assert (page.status, sentence.status) == (404, 404)
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["x-request-id"] in page.text
    assert sentence.text == "There is nothing at this address.\n"


@pytest.mark.parametrize(
    "path", ["/%00", "/static/..%2f..%2fserver.py", "/static/server.py", "/feeds/%2e%2e/x.ics", "/demo/mail/0", "/demo/mail/999"]
)
def test_odd_paths_find_nothing(door: Door, path: str) -> None:
    assert door.ask("GET", path).status in {400, 404}


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 500 + b"\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_broken_requests_are_refused_and_the_next_one_is_fine(door: Door, octets: bytes) -> None:
    where = urlsplit(door.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as wire:
        wire.sendall(octets)
        answer = wire.recv(65536)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:200]
    assert b"Traceback" not in answer
    assert door.ask("GET", "/healthz").status == 200


def test_the_mailbox_lists_newest_first_and_serves_json_in_order(door: Door) -> None:
    door.box.held = [mail(subject="First"), mail(subject="Second", to="bob@example.com")]
    page = door.ask("GET", "/demo/mail", Accept="text/html")
    assert page.text.index("Second") < page.text.index("First")
    assert "bob@example.com" in page.text
    assert door.ask("GET", "/demo/mail", Accept="application/json").json == door.box.held


def test_an_empty_mailbox_says_what_to_do(door: Door) -> None:
    assert "No mail yet" in door.ask("GET", "/demo/mail").text


def test_a_letter_is_shown_in_a_frame_that_can_do_nothing(door: Door) -> None:
    door.box.held = [mail(subject="<script>alert(1)</script>", text="<b>plain</b>")]
    page = door.ask("GET", "/demo/mail/1", Accept="text/html")
    assert 'sandbox=""' in page.text
    assert "<script" not in page.text
    assert "&lt;b&gt;plain&lt;/b&gt;" in page.text
    assert "BEGIN:VCALENDAR" in page.text

    letter = door.ask("GET", "/demo/mail/1/letter")
    policy = letter.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert letter.text == door.box.held[0]["html"]


def test_no_secret_of_an_address_or_header_is_written_down(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    door.book()
    for level, token in TOKENS.items():
        door.feed(level)
        door.ask("GET", f"/feeds/{token}x.ics")
        door.ask("POST", f"/answer/{token}")
    door.api("GET", "/customers?email=ann.canary@example.com")
    written = "".join(capfd.readouterr()) + door.ask("GET", "/metrics").text
    for secret in (*TOKENS.values(), KEY, "canary", "Canaryname"):
        assert secret not in written
