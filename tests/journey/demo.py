"""A `gateway demo` process on loopback: started, read to its ready line, stopped or killed by its own process id."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.journey.wire import Rest, Seat, ask

READY_WITHIN = 90.0  # seconds, as `make demo` promises
SEEN_WITHIN = 30.0
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: str, look: Callable[[], T | None], within: float = SEEN_WITHIN) -> T:
    """The first answer of `look` that is not None; the test fails when there is none in time."""
    end = time.monotonic() + within
    while (seen := look()) is None:
        assert time.monotonic() < end, f"not within {within:g} s: {what}"
        time.sleep(0.05)
    return seen


@dataclass
class Demo:
    """One running demo."""

    process: subprocess.Popen[bytes]
    ready: Mapping[str, Any]  # the ready line, contract.md §3
    log: Path

    @classmethod
    def start(cls, data: Path, *, port: int | None = None, environment: Mapping[str, str] | None = None, providers: bool = False) -> Demo:
        """Starts it on `data`, beside stand-ins for `providers` if wanted, and waits for the ready line."""
        log = data.with_name(f"{data.name}.log")
        command = [sys.executable, "-m", "gateway", "demo", "--json", "--data", str(data), "--port", str(port or free_port())]
        command += ["--providers"] if providers else []
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        with log.open("ab") as stderr:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=stderr, stdin=subprocess.DEVNULL, env=clean | dict(environment or {})
            )
        try:
            return cls(process, json.loads(_line(process, log)), log)
        except BaseException:
            process.kill()
            process.communicate()
            raise

    @property
    def port(self) -> int:
        return int(self.ready["base_url"].rsplit(":", 1)[1])

    @property
    def rest(self) -> Rest:
        return Rest(self.ready["api_url"], self.ready["api_key"])

    def staff(self, name: str) -> Mapping[str, Any]:
        return next(person for person in self.ready["staff"] if person["name"] == name)

    def seat(self, name: str) -> Seat:
        person = self.staff(name)
        return Seat(person["calendar_url"], person["login"], person["app_password"])

    def mails(self, *, to: str | None = None) -> list[dict[str, Any]]:
        """Every mail that was sent, in the order of the mailbox."""
        answer = ask("GET", self.ready["mailbox_url"], headers={"Accept": "application/json"})
        assert answer.status == 200, answer.text
        return [mail for mail in answer.json if to is None or to in mail["to"]]

    def stop(self) -> int:
        """Asks it to end, as a service manager does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=20)
        finally:
            self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """Ends it without a word, as a power cut does. Only its own process, by its id."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def _line(process: subprocess.Popen[bytes], log: Path) -> str:
    """The first line of its standard output."""
    assert process.stdout
    end, read = time.monotonic() + READY_WITHIN, b""
    while not read.endswith(b"\n"):
        waiting, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 65536) if waiting else b""
        assert piece, f"no ready line within {READY_WITHIN:g} s; the log ends:\n{log.read_text()[-3000:]}"
        read += piece
    return read.decode()
