"""Both fakes running, one pair for each module, and an address that listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from queue import Queue

import pytest

from gateway.fakes import Fakes, running
from tests.fakes.house import EMMA, JOHN, TAYLOR
from tests.fakes.live import Heard, Hook


@pytest.fixture(scope="module")
def shared() -> Iterator[Fakes]:
    with running(google=[JOHN], work=[EMMA], personal=[TAYLOR], zone="Europe/Paris") as fakes:
        yield fakes


@pytest.fixture
def fakes(shared: Fakes) -> Iterator[Fakes]:
    yield shared
    for provider in (shared.google.provider, shared.microsoft.provider):
        provider.faults.rules.clear()


@pytest.fixture
def hook() -> Iterator[tuple[str, Heard]]:
    heard: Heard = Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneHook", (Hook,), {"heard": heard}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
