"""One process or two on one database: the door here, the work there, and both end when they are told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway import app
from gateway.errors import Misconfigured
from gateway.settings import Database, Server, Settings
from tests.cli.house import Shell
from tests.databases import KINDS
from tests.journey.demo import eventually, free_port
from tests.journey.served import mail_server
from tests.journey.wire import Rest, ask

START = "2036-11-25T10:00:00+01:00"


@contextmanager
def process(folder: Path, *words: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    with (folder / f"{words[0]}.log").open("ab") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "gateway", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean | settings, cwd=folder
        )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()


def ended(running: subprocess.Popen[bytes]) -> int:
    """Its exit code after SIGTERM, and after another one while it ends; within five seconds."""
    before = time.monotonic()
    running.send_signal(signal.SIGTERM)
    running.send_signal(signal.SIGTERM)
    code = running.wait(20)
    assert time.monotonic() - before < 5
    return code


def said(folder: Path, words: str) -> str:
    return (folder / f"{words}.log").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_booking_at_the_door_is_told_by_a_worker_in_another_process(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    shell = Shell(tmp_path, postgresql=request.getfixturevalue("postgres_url") if kind == "postgresql" else "")
    shell.furnish()
    key = shell.json("api-key", "add")["api_key"]
    port = free_port()
    with mail_server() as (sink, smtp):
        settings = {**shell.settings, "GATEWAY_MAIL__SMTP_URL": smtp, "GATEWAY_SERVER__PORT": str(port)}
        shell.json("company", "change", "--hold-seconds", "0")
        with process(tmp_path, "serve", "--only", "web", **settings) as door, process(tmp_path, "worker", **settings) as worker:
            eventually("the door is open", lambda: reachable(f"http://127.0.0.1:{port}/readyz", door, tmp_path))
            rest = Rest(f"http://127.0.0.1:{port}/api/v1/", key)
            [service], [customer] = rest.get("services")["items"], rest.get("customers")["items"]
            wish = {"staff": "john-smith", "service": service["id"], "customer_id": customer["id"], "start": START}
            made = rest.ask("POST", "appointments", wish)
            assert made.status == 201, made.text
            eventually("the letter", lambda: sink.letters or None)
            assert ended(door) == 0
            assert ended(worker) == 0
    assert [letter.uid for letter in sink.letters] == [made.json["uid"]]
    told = shell.json("explain", made.json["id"])
    assert [(letter["kind"], bool(letter["sent"])) for letter in told["letters"]] == [("booked", True)]
    assert '"working"' in said(tmp_path, "worker")
    for words in ("Traceback", "ignored"):
        assert words not in said(tmp_path, "serve") + said(tmp_path, "worker")


def reachable(url: str, door: subprocess.Popen[bytes], folder: Path) -> bool | None:
    assert door.poll() is None, said(folder, "serve")
    try:
        return ask("GET", url).status == 200 or None
    except ConnectionError:
        return None


def test_a_request_that_waits_for_changes_does_not_hold_up_the_end(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.furnish()
    key = shell.json("api-key", "add")["api_key"]
    port = free_port()
    settings = {**shell.settings, "GATEWAY_MAIL__SMTP_URL": "", "GATEWAY_SERVER__PORT": str(port)}
    with process(tmp_path, "serve", **settings) as door:
        eventually("the door is open", lambda: reachable(f"http://127.0.0.1:{port}/readyz", door, tmp_path))
        waiting = subprocess.Popen([sys.executable, "-c", WAIT, str(port), key], stdout=subprocess.PIPE)
        assert waiting.stdout
        assert waiting.stdout.readline() == b"asked\n"
        assert ended(door) == 0
        answer, _ = waiting.communicate(timeout=20)
    assert answer == b"200\n"


WAIT = """
import http.client, sys
line = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
line.request("GET", "/api/v1/changes?after=999999&wait=60", headers={"Authorization": "Bearer " + sys.argv[2]})
print("asked", flush=True)
print(line.getresponse().status)
"""


def test_a_server_that_finds_its_port_taken_says_so(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.json("migrate")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings.model_construct(database=Database(url=shell.database), server=Server(port=port))
        with app.opened(settings) as parts, pytest.raises(Misconfigured, match=f"Port {port} .* is taken"):
            app.serve(parts)
    assert not [thread for thread in threading.enumerate() if thread.name in ("letters", "sender", "index")]


def test_an_impatient_end_is_an_end_all_the_same(tmp_path: Path) -> None:
    """A signal that comes while the door closes neither kills the process nor makes Python complain."""
    shell = Shell(tmp_path)
    shell.furnish()
    port = free_port()
    settings = {**shell.settings, "GATEWAY_MAIL__SMTP_URL": "", "GATEWAY_SERVER__PORT": str(port)}
    with process(tmp_path, "serve", **settings) as door:
        eventually("the door is open", lambda: reachable(f"http://127.0.0.1:{port}/readyz", door, tmp_path))
        while door.poll() is None:
            door.send_signal(signal.SIGTERM)
        assert door.returncode == 0
    assert "ignored" not in said(tmp_path, "serve")
    assert "Traceback" not in said(tmp_path, "serve")


def test_the_database_is_for_nobody_elses_eyes(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    settings = Settings.model_construct(database=Database(url=f"sqlite:///{folder}/gateway.sqlite"))
    app.migrate(settings)
    with app.opened(settings):
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in [folder, *folder.iterdir()]}
    assert {"new", "gateway.sqlite", "gateway.sqlite-wal"} <= set(modes)
    assert modes.pop("new") == "0o700"
    assert set(modes.values()) == {"0o600"}


def test_a_database_that_is_shared_on_purpose_stays_shared(tmp_path: Path) -> None:
    file = tmp_path / "gateway.sqlite"
    file.touch(mode=0o640)
    tmp_path.chmod(0o750)
    app.migrate(Settings.model_construct(database=Database(url=f"sqlite:///{file}")))
    assert (file.stat().st_mode & 0o777, tmp_path.stat().st_mode & 0o777) == (0o640, 0o750)
