"""Faults reach the wire, and everything begins and ends cleanly."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import IncompleteRead
from pathlib import Path

import pytest

from gateway.fakes import Fakes, running
from gateway.fakes.running import Ports
from gateway.settings import load
from tests.fakes.house import CALENDAR, EMMA, JOHN, timed
from tests.fakes.live import calendar, control
from tests.journey.demo import eventually


@pytest.mark.parametrize(
    ("kind", "error", "left"),
    [("reset", ConnectionError, 1), ("truncate", (IncompleteRead, ConnectionError), 1), ("blackhole", TimeoutError, 0)],
)
def test_a_broken_connection_looks_broken(fakes: Fakes, kind: str, error: type[Exception], left: int) -> None:
    with calendar(fakes, timeout=0.5 if kind == "blackhole" else 10) as service:
        fresh = service.calendars().insert(body={"summary": kind}).execute()["id"]
        control(fakes.google.control, "fault", {"match": "POST .*/events", "kind": kind, "times": 2})
        with pytest.raises(error):
            service.events().insert(calendarId=fresh, body=timed()).execute()
        control(fakes.google.control, "faults/clear", {})
        assert len(service.events().list(calendarId=fresh).execute()["items"]) >= left


def test_nothing_is_left_when_it_ends_even_with_requests_under_way() -> None:
    before = {thread.ident for thread in threading.enumerate()}
    with ThreadPoolExecutor(1) as pool:
        with running(google=[JOHN]) as fakes:
            control(fakes.google.control, "fault", {"match": "GET /", "kind": "blackhole"})
            waiting = pool.submit(urllib.request.urlopen, f"{fakes.google.api}/", timeout=20)
            eventually("the request is under way", lambda: bool(fakes.google.provider.log) or None)
            port = int(fakes.google.api.rpartition(":")[2])
        assert isinstance(waiting.exception(timeout=20), OSError)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    assert {thread.ident for thread in threading.enumerate()} <= before


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"), running(ports=Ports(google=taken.getsockname()[1])):
            pass


def test_what_is_remembered_in_a_folder_outlives_the_run(tmp_path: Path) -> None:
    with running(google=[JOHN], work=[EMMA], folder=tmp_path) as fakes:
        refresh = fakes.google.provider.connect(JOHN, [CALENDAR])
        with calendar(fakes, refresh=refresh) as service:
            made = service.events().insert(calendarId="primary", body=timed()).execute()
        tenant = fakes.microsoft.tenant
    with running(google=[JOHN, "new@example.com"], work=[EMMA], folder=tmp_path) as fakes:
        with calendar(fakes, refresh=refresh) as service:
            assert service.events().get(calendarId="primary", eventId=made["id"]).execute() == made
        assert fakes.microsoft.tenant == tenant
        assert "new@example.com" in fakes.google.provider.world.accounts
        assert fakes.ca_file.parent == tmp_path


def test_the_settings_are_the_gateways_own(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in fakes.settings().items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.google.api_endpoint == fakes.google.api_endpoint
    assert settings.microsoft.instance_discovery is False
    assert settings.http.ca_bundle == str(fakes.ca_file)
