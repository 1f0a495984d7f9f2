"""The doctor: a sound house is let pass, and whatever is wrong is found and comes with a next step."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway import desk
from gateway.booking import Book
from gateway.mailbox import Mailbox
from gateway.model import Actor, Span
from tests.cli.house import Ran, Shell


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[str]:
    box = Mailbox(tmp_path / "mail", lambda: datetime.now(UTC))
    try:
        yield box.start()
    finally:
        box.stop()


@contextmanager
def answering(status: int = 200, body: bytes = b'{"status": "ok"}', clock: timedelta = timedelta()) -> Iterator[str]:
    """Somebody at the public address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(datetime.now(UTC) + clock, usegmt=True)

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def findings(ran: Ran) -> dict[str, dict[str, Any]]:
    """The worst finding about each thing."""
    order = ("ok", "warning", "broken")
    found: dict[str, dict[str, Any]] = {}
    for each in json.loads(ran.out):
        assert each["sentence"]
        assert (each["next_step"] is None) == (each["health"] == "ok")
        if order.index(each["health"]) >= order.index(found.get(each["what"], each)["health"]):
            found[each["what"]] = each
    return found


def check(shell: Shell, smtp: str, url: str, **more: str) -> Ran:
    settings = {
        "GATEWAY_MAIL__SMTP_URL": smtp,
        "GATEWAY_MAIL__FROM": "Example Ltd <calendar@example.com>",
        "GATEWAY_SERVER__PUBLIC_URL": url,
    }
    return shell("check", "--json", **{**settings, **more})


def test_a_sound_house_is_let_pass(gateway: Shell, smtp: str) -> None:
    with answering() as url:
        ran = check(gateway, smtp, url)
    assert ran.code == 0
    assert {name: each["health"] for name, each in findings(ran).items()} == dict.fromkeys(
        ("settings", "key", "database", "clock", "google", "microsoft", "mail", "public address", "time zones", "disk"), "ok"
    )


def test_people_read_sentences_with_their_next_steps(gateway: Shell) -> None:
    ran = gateway("check", GATEWAY_MAIL__SMTP_URL="")
    assert ran.code == 0
    assert "✓ database: " in ran.out
    assert "! mail: There is no mail server; letters wait in the outbox.\n    → Set mail.smtp_url.\n" in ran.out


def test_wrong_settings_end_the_visit(shell: Shell) -> None:
    ran = shell("check", "--json", GATEWAY_SERVER__PORT="high")
    assert ran.code == 1
    assert findings(ran).keys() == {"settings"}
    assert "GATEWAY_SERVER__PORT" in findings(ran)["settings"]["sentence"]


def test_an_unprepared_database_is_broken_and_looking_makes_nothing(shell: Shell, smtp: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    ran = check(shell, smtp, "https://127.0.0.1:1")
    assert ran.code == 1
    assert findings(ran)["database"]["health"] == "broken"
    assert "gateway migrate" in findings(ran)["database"]["next_step"]
    assert findings(ran)["key"]["health"] == "ok"
    assert [path for path in sorted(tmp_path.iterdir()) if path not in before and path.suffix == ".key"] == []


def test_a_mail_server_that_is_away_is_broken(gateway: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    ran = check(gateway, f"smtp://127.0.0.1:{port}", "https://127.0.0.1:1")
    assert ran.code == 1
    assert findings(ran)["mail"]["health"] == "broken"


def test_a_public_address_where_nothing_answers_yet_is_a_warning(gateway: Shell, smtp: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    ran = check(gateway, smtp, f"http://127.0.0.1:{port}")
    assert ran.code == 0
    assert findings(ran)["public address"]["health"] == "warning"


@pytest.mark.parametrize(("status", "body"), [(404, b"nothing"), (200, b"<h1>It works!</h1>"), (502, b"")])
def test_somebody_else_at_the_public_address_is_broken(gateway: Shell, smtp: str, status: int, body: bytes) -> None:
    with answering(status, body) as url:
        ran = check(gateway, smtp, url)
    assert ran.code == 1
    assert findings(ran)["public address"]["health"] == "broken"


def test_a_clock_that_differs_from_the_one_outside_is_broken(gateway: Shell, smtp: str) -> None:
    with answering(clock=timedelta(hours=1)) as url:
        ran = check(gateway, smtp, url)
    assert ran.code == 1
    assert "clock" in findings(ran)["public address"]["sentence"]


def test_a_clock_behind_the_log_is_broken(gateway: Shell, smtp: str) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with gateway.store() as store:
        [company] = store.companies()
        with store.write(company.id, Actor("setup", "import")) as tx:
            [person, *_], [service], [customer] = tx.all_staff(), tx.services(), tx.customers()
            wish = Book(uid="x", span=Span(later, later + service.duration), zone="UTC", customer=customer.id, service=service.id)
            desk.apply(tx, tx.actor, tx.appointments_of(person.id).id, "x.ics", [wish], later)
    with answering() as url:
        ran = check(gateway, smtp, url)
    assert ran.code == 1
    assert findings(ran)["clock"]["health"] == "broken"


def test_an_unencrypted_public_address_is_a_warning(gateway: Shell, smtp: str) -> None:
    told = check(gateway, smtp, "http://calendar.invalid")
    assert told.code == 0
    sentences = told.out
    assert "not encrypted" in sentences
    assert "server.public_url" in check(gateway, smtp, "").out


def test_no_secret_of_the_settings_is_told(gateway: Shell) -> None:
    told = check(gateway, "smtp://post:SesameOpen@127.0.0.1:1", "https://127.0.0.1:1")
    assert told.code == 1
    assert "SesameOpen" not in told.out + told.err
