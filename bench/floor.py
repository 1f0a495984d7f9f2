"""python -m bench.floor: what no gateway of this kind can go below: its three libraries, asked one poll, with nothing of ours in between.

A poll ("has anything changed?") needs an HTTP request and answer (aiohttp), Radicale's dispatch and log-in, and three questions to
the database: whose password it is, at what revision the company is, and the calendar's. `http` does only the first, `radicale` the
first two, `poll` all three; with `+thread` the work is done on another thread, as everything must be that may wait. No limits, no
gate, no log, no rights, no tenants, no XML read or escaped: whatever is measured above these figures is what those cost.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import radicale.log
from aiohttp import web
from radicale import config
from radicale.app import Application
from radicale.auth import BaseAuth
from radicale.rights import BaseRights
from radicale.storage import BaseStorage

from bench import dav
from bench.meter import Meter
from bench.wire import Answer, Wire

KINDS = ("http", "http+thread", "radicale", "radicale+thread", "poll", "poll+thread")
ROUNDS, REQUESTS = 8, 400
LOGIN, PASSWORD = "john-smith", "correct-horse-battery-staple"
PATH = f"/dav/{LOGIN}/calendar/"
ANSWER = (
    '<?xml version="1.0" encoding="utf-8"?>\n<multistatus xmlns="DAV:" xmlns:CS="http://calendarserver.org/ns/"><response>'
    "<href>{path}</href><propstat><prop><CS:getctag>{ctag}</CS:getctag><sync-token>data:,{ctag}</sync-token></prop>"
    "<status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
)
_WHO = "SELECT company, handle FROM password WHERE secret = ?"
_HEAD = "SELECT revision, epoch FROM company WHERE id = ?"
_CALENDAR = "SELECT last FROM calendar WHERE company = ? AND slug = ?"


class _Database:
    """One connection, one row of each kind."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.executescript("""
            PRAGMA journal_mode = WAL;
            CREATE TABLE password (secret TEXT PRIMARY KEY, company TEXT, handle TEXT);
            CREATE TABLE company (id TEXT PRIMARY KEY, revision INTEGER, epoch TEXT);
            CREATE TABLE calendar (company TEXT, slug TEXT, last INTEGER, PRIMARY KEY (company, slug));
            INSERT INTO company VALUES ('demo', 7, 'abcdef01');
            INSERT INTO calendar VALUES ('demo', 'calendar', 5);
        """)
        self.connection.execute("INSERT INTO password VALUES (?, 'demo', ?)", (PASSWORD, LOGIN))

    def who(self, password: str) -> tuple[str, str]:
        found: tuple[str, str] = self.connection.execute(_WHO, (password,)).fetchone()
        return found

    def ctag(self, company: str, slug: str) -> str:
        self.connection.execute("BEGIN")
        _, epoch = self.connection.execute(_HEAD, (company,)).fetchone()
        (last,) = self.connection.execute(_CALENDAR, (company, slug)).fetchone()
        self.connection.execute("ROLLBACK")
        return f"{epoch}-{last}"


def _application(database: _Database | None) -> Callable[..., Iterable[bytes]]:
    """Radicale's, with plugins that know what they are asked; with a database they ask it."""

    class Auth(BaseAuth):
        def _login_ext_with_groups(self, login: str, password: str, context: object) -> tuple[str, set[str]]:
            return (database.who(password)[1] if database is not None else login), set()

    class Rights(BaseRights):
        def authorization(self, user: str, user_groups: set[str], path: str) -> str:
            return "RW"

    class Storage(BaseStorage):
        _supports_unicode = _supports_trailing_whitespace = _supports_problematic_chars = _is_collision_free = True

        def discover(self, path: str, depth: str = "0", *more: object) -> Iterator[Any]:
            yield self

        @contextmanager
        def acquire_lock(self, mode: str, user: str = "", *args: object, **kwargs: object) -> Iterator[None]:
            yield

    class Polled(Application):
        def do_PROPFIND(self, environ: object, base_prefix: str, path: str, *more: object) -> Any:  # noqa: N802  Radicale's name
            ctag = database.ctag("demo", "calendar") if database is not None else "abcdef01-5"
            return 207, {"Content-Type": "application/xml"}, ANSWER.format(path=PATH, ctag=ctag).encode(), None

    configuration = config.load()
    plugins: dict[str, Any] = {
        "auth": {"type": Auth, "delay": 0},
        "rights": {"type": Rights},
        "storage": {"type": Storage},
        "web": {"type": "none"},
    }
    server = {"delay_on_error": 0, "validate_path_value": "none", "validate_user_value": "none"}
    configuration.update({**plugins, "server": server}, "the floor", privileged=True)
    radicale.log.logger.setLevel("CRITICAL")
    return Polled(configuration)


def _work(kind: str, folder: Path) -> Callable[[web.Request], bytes]:
    if kind == "http":
        return lambda request: ANSWER.format(path=PATH, ctag="abcdef01-5").encode()
    app = _application(_Database(folder / "floor.sqlite") if kind == "poll" else None)

    def work(request: web.Request) -> bytes:
        environ = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "/dav",
            "PATH_INFO": request.path.removeprefix("/dav"),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": request.remote,
            "HTTP_AUTHORIZATION": request.headers["Authorization"],
            "wsgi.errors": sys.stderr,
        }
        return b"".join(app(environ, lambda status, headers: None))

    return work


async def _serve(kind: str, folder: Path) -> None:
    kind, _, thread = kind.partition("+")
    work, pool = _work(kind, folder), ThreadPoolExecutor(1)

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        body = await asyncio.get_running_loop().run_in_executor(pool, work, request) if thread else work(request)
        return web.Response(status=207, body=body, content_type="application/xml")

    app = web.Application()
    app.router.add_route("PROPFIND", "/dav/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _poll(wire: Wire) -> Answer:
    return wire.ask("PROPFIND", PATH, dav.CTAG, f"Depth: 0\r\n{dav.XML}")


def _measure(kind: str) -> float:
    """CPU milliseconds of a request, measured as the benchmark does: the cheapest of several runs of equal requests."""
    with TemporaryDirectory(prefix="bench-") as folder:
        command = [sys.executable, "-m", "bench.floor", "--serve", kind, "--folder", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[1])
        try:
            assert process.stdout is not None  # noqa: S101  it is a pipe
            wire, meter = Wire(int(process.stdout.readline()), LOGIN, PASSWORD), Meter((process.pid,))
            answer = _poll(wire)
            if answer.status != 207 or not dav.token(answer.body):
                raise OSError(f"{kind}: {answer.status} {answer.body[:200]!r}")
            best = float("inf")
            for _ in range(ROUNDS):
                before = meter.settled_cpu()
                for _ in range(REQUESTS):
                    _poll(wire)
                best = min(best, meter.settled_cpu() - before)
            return best / REQUESTS * 1000
        finally:
            process.terminate()
            process.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.floor", description="CPU ms of a poll, by its libraries alone.")
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    wish = parser.parse_args(arguments)
    if wish.serve:
        asyncio.run(_serve(wish.serve, wish.folder))
    for kind in KINDS:
        sys.stdout.write(f"{kind:16}{_measure(kind):6.3f}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
