"""Several processes at one address: one dies and the others answer on, the parent dies and nobody is left, all end when told to."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.store import Store
from tests.cli.house import Shell
from tests.databases import Database
from tests.dav.house import DEMO, HERE, JOHN, Client, Clock, House, event, furnish, raw
from tests.journey.demo import eventually
from tests.journey.many import Many, all_gone, serving_many

WRITERS = 4
BEFORE, AFTER = 30, 40  # acknowledged writes until one is killed, and after that
SLOW = 100  # connections that want nothing, or want it slowly
PATIENCE = 5.0  # seconds in which everybody is answered, whatever else this machine does


@contextmanager
def open_house(database: Database, folder: Path, *words: str) -> Iterator[tuple[House, Many]]:
    """Furnished, behind two processes."""
    store = Store(database.url)
    try:
        furnish(store)
        with serving_many(database.url, folder, *words) as many:
            yield House(store, many.port, Clock()), many
    finally:
        store.close()


@pytest.fixture(scope="module")
def standing(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Many]]:
    """One that stays open for all tests that do it no harm."""
    folder = tmp_path_factory.mktemp("standing")
    path = shutil.copy(migrated_file, folder / "gateway.db")
    with open_house(Database("sqlite", f"sqlite:///{path}"), folder) as both:
        yield both


@dataclass
class Writers:
    """Clients that write without a pause, and know what was acknowledged."""

    client: Client
    kept: set[str] = field(default_factory=set)  # names, of what was acknowledged
    broken: int = 0  # requests whose connection ended without an answer: nobody knows what became of them
    failed: list[int] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with ThreadPoolExecutor(WRITERS) as threads:
            running = [threads.submit(self._write, number) for number in range(WRITERS)]
            try:
                yield
            finally:
                self.enough.set()
        for each in running:
            each.result()

    def until(self, count: int) -> None:
        eventually(f"{count} acknowledged writes", lambda: len(self.kept) >= count or None)

    def _write(self, number: int) -> None:
        turn = 0
        while not self.enough.is_set():
            turn += 1
            name = f"{number}-{turn}.ics"
            try:
                status = self.client.put(HERE + name, event(f"{name}@example.com")).status
            except (OSError, http.client.HTTPException):
                with self.lock:
                    self.broken += 1
                self.enough.wait(0.01)
                continue
            with self.lock:
                if status == 201:
                    self.kept.add(name)
                else:
                    self.failed.append(status)


def written(house: House) -> set[str]:
    """The names of all that is kept, as the database has it."""
    with house.store.read(DEMO) as snapshot:
        calendar = snapshot.collection(JOHN.id, "appointments")
        assert calendar is not None
        return {row.name for row in snapshot.rows(calendar)}


def test_when_one_dies_the_others_answer_on_and_when_the_parent_dies_nobody_is_left(database: Database, tmp_path: Path) -> None:
    """Of what was acknowledged nothing is lost, and nobody ever reads a 5xx (trust.md F02)."""
    with open_house(database, tmp_path) as (house, many):
        writers, victim = Writers(house.client()), many.children[1]
        with writers.at_work():
            writers.until(BEFORE)
            os.kill(victim, signal.SIGKILL)
            writers.until(BEFORE + AFTER)
            eventually("another takes its place", lambda: [line["process"] for line in many.said("serving")].count(1) == 2 or None)
            assert writers.broken <= WRITERS, "only what the dead one had in hand"
            assert many.children[1] != victim
            assert [(line["process"], line["code"]) for line in many.said("process_ended")] == [(1, -signal.SIGKILL)]

            children = many.children.values()
            many.parent.kill()
            many.parent.wait()
            all_gone(children)
        assert writers.failed == []
        assert writers.kept <= written(house)


def test_what_is_in_hand_when_they_are_told_to_end_is_finished(migrated_file: Path, tmp_path: Path) -> None:
    """Everything that was done was also answered (trust.md F32), and told twice they end no worse."""
    path = shutil.copy(migrated_file, tmp_path / "gateway.db")
    with open_house(Database("sqlite", f"sqlite:///{path}"), tmp_path) as (house, many):
        writers, children = Writers(house.client()), many.children.values()
        with writers.at_work():
            writers.until(BEFORE)
            assert many.end() == 0
            all_gone(children, within=0.0)
        assert writers.failed == []
        assert writers.kept == written(house)
        assert "Traceback" not in many.log.read_text()
        assert "ignored" not in many.log.read_text()


def test_slow_clients_keep_nobody_waiting(standing: tuple[House, Many]) -> None:
    house, many = standing
    john = house.client()
    head = f"PUT {HERE}slow.ics HTTP/1.1\r\nHost: localhost\r\nAuthorization: {john.credentials}\r\nContent-Length: 1000\r\n\r\nBEGIN:"
    with ExitStack() as lines:
        for number in range(SLOW):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", many.port), timeout=PATIENCE))
            line.sendall((b"", b"GET /healthz HT", head.encode())[number % 3])
        began = time.monotonic()
        for number in range(20):
            asked = time.monotonic()
            assert john.put(f"{HERE}quick-{number}.ics", event(f"quick-{number}@example.com")).status == 201
            assert john.ctag()
            assert time.monotonic() - asked < PATIENCE
        assert time.monotonic() - began < 4 * PATIENCE
    assert {line["process"] for line in many.said("request")} == {1, 2}


def test_whichever_process_is_asked_it_answers_for_all(standing: tuple[House, Many]) -> None:
    _, many = standing
    asked = 0
    while asked < 10 or many.answering != {1, 2}:
        assert raw(many.port, "GET", "/robots.txt").status == 200
        asked += 1
        assert asked < 200, "one of them never answers"
    for _ in range(5):
        told = raw(many.port, "GET", "/metrics").text
        assert re.search(r'^gateway_requests_total{method="GET",route="/robots.txt",status="200"} (\d+)', told, re.MULTILINE)[1] == str(
            asked
        )  # type: ignore[index]
        assert re.search(r'^gateway_reader_lag{reader="letters"} \d', told, re.MULTILINE)
        assert "pid" not in told


def test_an_address_is_shared_with_nobody_else(standing: tuple[House, Many], tmp_path: Path) -> None:
    (_, many), shell = standing, Shell(tmp_path)
    shell.json("migrate")
    for words in (["--workers", "2"], []):
        ran = shell("serve", *words, GATEWAY_SERVER__PORT=str(many.port))
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == f"Port {many.port} on 127.0.0.1 is taken by another program; stop that one, or choose another port.\n"


def test_what_is_wrong_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ran = Shell(tmp_path)("serve", "--workers", "3", GATEWAY_SERVER__PORT="0")
    said = capfd.readouterr().err
    assert ran.code == 1
    assert said.count("gateway migrate") == 1
    assert "did not get to work (exit code 1)" in ran.err
    assert "Traceback" not in said + ran.err


def test_workers_alone_are_as_many(migrated_file: Path, tmp_path: Path) -> None:
    path = shutil.copy(migrated_file, tmp_path / "gateway.db")
    with serving_many(f"sqlite:///{path}", tmp_path, "--only", "worker") as many:
        assert {line["process"] for line in many.said("working")} == {1, 2}
        with pytest.raises(ConnectionRefusedError):
            raw(many.port, "GET", "/healthz")
        assert many.end() == 0
