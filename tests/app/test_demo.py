"""The demo as a process: its ready line, its folder, and its end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.journey.demo import Demo, free_port
from tests.journey.test_journey import items
from tests.journey.wire import ask

KEYS = {
    "base_url",
    "caldav_url",
    "api_url",
    "api_key",
    "admin",
    "company",
    "time_zone",
    "staff",
    "groups",
    "company_feed_url",
    "mailbox_url",
}
STAFF_KEYS = {"name", "login", "app_password", "password", "handle", "calendar_url", "feed_url"}
NAMES = ["John Smith", "Emma Morris", "Taylor Carpenter", "Juan Sanchez"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One for all tests that only look."""
    running = Demo.start(tmp_path_factory.mktemp("demo") / "data")
    try:
        yield running
    finally:
        running.kill()


def test_the_ready_line_has_exactly_the_keys_of_the_contract(demo: Demo) -> None:
    assert set(demo.ready) == KEYS
    assert set(demo.ready["admin"]) == {"email", "password"}
    assert [set(person) for person in demo.ready["staff"]] == [STAFF_KEYS] * 4
    assert [set(group) for group in demo.ready["groups"]] == [{"name", "feed_url"}] * 2
    assert (demo.ready["company"], demo.ready["time_zone"]) == ("demo", "Europe/Paris")
    assert [person["name"] for person in demo.ready["staff"]] == NAMES
    assert [person["handle"] for person in demo.ready["staff"]] == [name.lower().replace(" ", "-") for name in NAMES]
    assert [person["login"] for person in demo.ready["staff"]] == [f"{name.lower().replace(' ', '.')}@example.com" for name in NAMES]


def test_every_address_of_the_ready_line_answers(demo: Demo) -> None:
    feeds = [each["feed_url"] for each in (*demo.ready["staff"], *demo.ready["groups"])]
    for url in (*feeds, demo.ready["company_feed_url"]):
        answer = ask("GET", url)
        assert (answer.status, "BEGIN:VEVENT" in answer.text) == (200, True)
    assert ask("GET", demo.ready["mailbox_url"]).status == 200
    assert ask("GET", demo.ready["base_url"]).status == 200
    assert ask("GET", f"{demo.ready['base_url']}/readyz").status == 200
    for person in demo.ready["staff"]:
        assert len(demo.seat(person["name"]).etags()) > 40


def test_a_feed_of_a_group_names_no_customer(demo: Demo) -> None:
    customers = {customer["name"] for customer in items(demo.rest.get("customers"))}
    assert len(customers) == 20
    for url in (*(group["feed_url"] for group in demo.ready["groups"]), demo.ready["company_feed_url"]):
        text = ask("GET", url).text.replace("\r\n ", "")
        assert not [name for name in customers if name in text]
    text = ask("GET", demo.ready["staff"][0]["feed_url"]).text.replace("\r\n ", "")
    assert [name for name in customers if name in text]


def test_the_sample_is_as_the_contract_says(demo: Demo) -> None:
    assert len(items(demo.rest.get("services"))) == 5
    assert [group["name"] for group in demo.ready["groups"]] == [group["name"] for group in items(demo.rest.get("groups"))]
    settings = demo.rest.get("settings")
    assert (settings["bidirectional"], settings["hold_seconds"]) == (True, 0)
    appointments = items(demo.rest.get("appointments", limit="1000"))
    assert 200 <= len(appointments) <= 400
    series = [each["recurrence"] for each in appointments if each["recurrence"]]
    assert all(each["overrides"] and each["excluded"] for each in series)
    assert {each["staff"] for each in appointments if each["recurrence"]} == {each["id"] for each in items(demo.rest.get("staff"))}


def test_nobody_got_a_letter_about_the_sample(demo: Demo) -> None:
    assert demo.mails() == []


def test_the_folder_tells_its_secrets_to_nobody_else(demo: Demo) -> None:
    folder = demo.log.with_suffix("")
    assert [file.name for file in folder.rglob("*.sqlite")] == ["gateway.sqlite"]
    for name in ("demo.json", "secret.key"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert demo.ready["api_key"] not in demo.log.read_text()
    assert demo.ready["staff"][0]["app_password"] not in demo.log.read_text()


def test_it_stays_small(demo: Demo) -> None:
    ask("GET", demo.ready["company_feed_url"])
    assert psutil.Process(demo.process.pid).memory_info().rss < 200 * 1024 * 1024


def test_a_taken_port_is_told_in_one_sentence(demo: Demo, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--data", str(tmp_path / "other"), "--port", str(demo.port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr.strip() == f"Port {demo.port} on 127.0.0.1 is taken by another program; stop that one, or choose another port."
    assert not (tmp_path / "other" / "gateway.sqlite").exists()


def test_it_ends_within_five_seconds_and_a_second_start_prints_the_same_line(tmp_path: Path) -> None:
    first = Demo.start(tmp_path / "data", environment={"GATEWAY_DATABASE__URL": f"sqlite:///{tmp_path}/real.sqlite"})
    with socket.create_connection(("127.0.0.1", first.port)) as idle:  # a client that keeps its connection does not hold it up
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
        before = time.monotonic()
        assert first.stop() == 0
        assert time.monotonic() - before < 5
    assert not (tmp_path / "real.sqlite").exists(), "sample data stays out of a configured database"
    again = Demo.start(tmp_path / "data", port=first.port)
    try:
        assert json.dumps(again.ready) == json.dumps(first.ready)
    finally:
        assert again.stop() == 0


def test_a_folder_with_foreign_secrets_is_not_served(tmp_path: Path, demo: Demo) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "demo.json").write_text('{"api_key": "x"}')
    told = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--data", str(folder), "--port", str(free_port())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert str(folder) in told.stderr
    assert "Traceback" not in told.stderr


def test_people_see_where_to_click(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "demo", "--data", str(tmp_path / "data"), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        seen = ""
        while "mailbox." not in seen:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            seen += line
        for name in NAMES:
            assert name in seen
        assert f"http://127.0.0.1:{port}/demo/mail" in seen
        assert all(urlsplit(word).port == port for word in seen.split() if word.startswith("http://"))
        process.send_signal(2)
        rest, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in errors + rest
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
