"""`gateway serve` on the data of a demo, with a mail server of the test's own that outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

import icalendar
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.journey.demo import eventually, free_port
from tests.journey.wire import ask


@dataclass(frozen=True)
class Letter:
    """One accepted mail, as far as it matters here."""

    message_id: str
    uid: str
    method: str
    sequence: int


@dataclass
class Sink:
    """Takes every mail and remembers it."""

    letters: list[Letter] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 the library's name
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        for part in mail.walk():
            if part.get_content_type() == "text/calendar":
                calendar = icalendar.Calendar.from_ical(part.get_content())
                event = next(iter(calendar.walk("VEVENT")))
                self.letters.append(
                    Letter(str(mail["Message-ID"]), str(event["UID"]), str(calendar["METHOD"]), int(event.get("SEQUENCE", 0)))
                )
                break
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[tuple[Sink, str]]:
    """A mail server on loopback, and its address as a setting."""
    sink, port = Sink(), free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield sink, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


@contextmanager
def serving(settings: Mapping[str, str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server that is ready when this is entered, and gone when it is left, however it ended."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    listening = {"GATEWAY_SERVER__PORT": str(port), "GATEWAY_SERVER__PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean | listening | dict(settings),
            cwd=log.parent,  # no config/gateway.toml lies here: the defaults hold
        )

    def ready() -> bool | None:
        assert process.poll() is None, f"it ended at the start:\n{log.read_text()[-3000:]}"
        try:
            return ask("GET", f"http://127.0.0.1:{port}/readyz").status == 200 or None
        except ConnectionError:
            return None

    try:
        eventually("the server is ready", ready)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
