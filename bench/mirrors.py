"""Ten thousand links on PostgreSQL, kept by worker processes against a fake Google: looks a second, CPU of a look, memory, fairness.

    python -m bench.mirrors                                    10,000 links, two workers, a look each 300 s; half an hour
    python -m bench.mirrors --links 500 --period 20 --rounds 2     a taste of it

Three parts. *Filling*: every link is new; its calendar is listed and one appointment written into it. *Steady*: nothing changes, every
link is looked at once in its period; how late the latest look came. *All at once*: every link is due in the same moment, as after an
outage; how many looks a second the workers carry. The provider and PostgreSQL share the machine, and are not counted.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil

from bench.serving import Database, database
from gateway import app, desk
from gateway.booking import Book
from gateway.fakes import Fakes, running
from gateway.fakes.google import calendars, oauth
from gateway.links import Account, AccountId, Link, LinkId, Provider
from gateway.model import Actor, Company, CompanyId, Customer, CustomerId, Policy, Service, ServiceId, Span, Staff, StaffId
from gateway.seal import Seal
from gateway.settings import load
from gateway.store import Store, Transaction

KEY = base64.b64encode(bytes(32)).decode()
SETUP = Actor("bench", "import")
SCOPES = ["openid", "email", "https://www.googleapis.com/auth/calendar.app.created"]
STAFF = 100  # of one company


@dataclass(frozen=True, kw_only=True)
class Wish:
    links: int
    workers: int
    threads: int
    period: int  # seconds
    rounds: float  # periods that the steady part lasts
    carrier: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the measurement. CPU is that of the workers; so is memory, of all of them together."""

    name: str
    looks: int
    seconds: float
    cpu_ms: float  # of one look
    megabytes: float
    latest: float  # the longest time between two looks at one link, in periods
    median: float
    writes: int


class Crew:
    """The worker processes, and what they have used so far."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = [psutil.Process(process.pid) for process in processes]

    def cpu(self) -> float:
        """Seconds, all together."""
        return float(sum(sum(process.cpu_times()[:2]) for process in self._processes))

    def megabytes(self) -> float:
        return float(sum(process.memory_info().rss for process in self._processes)) / 1e6


class Watch:
    """What the fake provider has seen: looks (listings) and writes, by calendar."""

    def __init__(self, fakes: Fakes) -> None:
        self._log = fakes.google.provider.log
        self._from = 0

    def mark(self) -> None:
        """From here on."""
        self._from = self._log[-1].n if self._log else 0

    def looks(self) -> dict[str, list[datetime]]:
        found: dict[str, list[datetime]] = defaultdict(list)
        for entry in self._since():
            if entry.method == "GET" and entry.path.endswith("/events"):
                found[entry.path].append(entry.at)
        return found

    def writes(self) -> int:
        return sum(entry.method != "GET" and "/events" in entry.path for entry in self._since())

    def _since(self) -> Iterator[Any]:  # entries of the fake's log
        return (entry for entry in list(self._log) if entry.n > self._from)


def main() -> int:
    wish, target = _wishes()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-mirrors-")))
        place = stack.enter_context(database("postgresql", folder))
        logins = [f"person-{number:05}@example.com" for number in range(wish.links)]
        fakes = stack.enter_context(running(google=logins, zone="Europe/Paris"))
        environment = _environment(wish, place, fakes)
        store = _furnished(wish, environment, fakes, logins)
        stack.callback(store.close)
        place.settle()
        _say(f"{wish.links} links in {-(-wish.links // STAFF)} companies are ready")
        crew = Crew(stack.enter_context(_working(wish, environment, folder)))
        parts = list(_parts(wish, crew, Watch(fakes), store, place))
        asked = _asked(store)
    _show(wish, parts, asked)
    if target:
        target.write_text(json.dumps({"wish": asdict(wish), "parts": [asdict(part) for part in parts], "due_query_ms": asked}, indent=1))
    return 0


def _parts(wish: Wish, crew: Crew, watch: Watch, store: Store, place: Database) -> Iterator[Part]:
    everybody = wish.links
    yield _measured("filling", wish, crew, watch, lambda: watch.writes() >= everybody, patience=3600)
    place.settle()
    _say("steady")
    end = time.monotonic() + wish.rounds * wish.period
    yield _measured("steady", wish, crew, watch, lambda: time.monotonic() > end, patience=end)
    _say("all at once")
    watch.mark()  # before anybody can look
    _all_due(place)
    yield _measured("all at once", wish, crew, watch, lambda: len(watch.looks()) >= everybody, patience=3600, marked=True)


def _measured(name: str, wish: Wish, crew: Crew, watch: Watch, over: Callable[[], bool], *, patience: float, marked: bool = False) -> Part:
    if not marked:
        watch.mark()
    began, used = time.monotonic(), crew.cpu()
    while not over() and time.monotonic() < began + patience:
        time.sleep(1.0)
    seconds, looks = time.monotonic() - began, watch.looks()
    number = sum(map(len, looks.values()))
    gaps = [(late - early).total_seconds() / wish.period for times in looks.values() for early, late in pairwise(times)]
    return Part(
        name=name,
        looks=number,
        seconds=round(seconds, 1),
        cpu_ms=round(1000 * (crew.cpu() - used) / max(1, number), 2),
        megabytes=round(crew.megabytes(), 1),
        latest=round(max(gaps, default=0.0), 2),
        median=round(quantiles(gaps, n=2)[0], 2) if len(gaps) > 1 else 0.0,
        writes=watch.writes(),
    )


def _asked(store: Store) -> float:
    """Milliseconds that asking who is due takes, the best of several."""
    times = []
    for _ in range(7):
        began = time.perf_counter()
        store.accounts_due(datetime.now(UTC), 100)
        times.append(1000 * (time.perf_counter() - began))
    return round(min(times), 2)


def _all_due(place: Database) -> None:
    import psycopg

    with psycopg.connect(place.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE link SET due = 0")


def _environment(wish: Wish, place: Database, fakes: Fakes) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")},
        **fakes.settings(),
        "GATEWAY_DATABASE__URL": place.url,
        "GATEWAY_SECRETS__KEY": KEY,
        "GATEWAY_MAIL__SMTP_URL": "",
        "GATEWAY_PUSH__ENABLED": "false",
        "GATEWAY_LOG__LEVEL": "warning",
        "GATEWAY_SYNC__CARRIER": wish.carrier,
        "GATEWAY_SYNC__THREADS": str(wish.threads),
        "GATEWAY_SYNC__POLL_SECONDS": str(wish.period),
        "GATEWAY_SYNC__PUSH": "false",  # every change has to be looked for
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }


def _furnished(wish: Wish, environment: Mapping[str, str], fakes: Fakes, logins: Sequence[str]) -> Store:
    """Companies of a hundred, each person with one appointment and one link that nobody has looked at."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        settings = load()
    finally:
        os.environ.clear()
        os.environ.update(before)
    app.migrate(settings)
    store, seal, now = Store(settings.database.url), Seal(KEY), datetime.now(UTC)
    for number in range(0, len(logins), STAFF):
        company = CompanyId(f"company-{number // STAFF:04}")
        policy = Policy(two_way=True, google=True)
        store.found(Company(id=company, slug=company, name=company, zone="Europe/Paris", policy=policy))
        with store.write(company, SETUP) as tx:
            tx.save_service(Service(id=ServiceId("advice"), name="Advice", duration=timedelta(minutes=30)))
            tx.save_customer(Customer(id=CustomerId("ann"), name="Ann Example", email="ann@example.com"))
            for login in logins[number : number + STAFF]:
                _person(tx, seal, fakes, login, now)
    return store


def _person(tx: Transaction, seal: Seal, fakes: Fakes, login: str, now: datetime) -> None:
    name, world = login.partition("@")[0], fakes.google.provider.world
    person = StaffId(name)
    tx.save_staff(Staff(id=person, handle=name, name=name, email=login, zone="Europe/Paris"))
    start = (now + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    wish = Book(
        uid=f"{name}@bench",
        span=Span(start, start + timedelta(minutes=30)),
        zone="Europe/Paris",
        customer=CustomerId("ann"),
        service=ServiceId("advice"),
    )
    desk.apply(tx, SETUP, tx.appointments_of(person).id, "one.ics", [wish], now)
    with fakes.google.provider.lock:
        grant = oauth.issue(world, login, SCOPES)
        made = calendars.add(world, login, {"summary": "Appointments", "timeZone": "Europe/Paris"}, by=world.client_id)
    account = Account(id=AccountId(f"{name}-a"), staff=person, provider=Provider.GOOGLE, login=login, subject=name, created=now)
    tx.add_account(account, seal.seal(json.dumps({"refresh_token": grant.refresh}).encode()))
    link = LinkId(f"{name}-l")
    tx.add_link(Link(id=link, account=account.id, staff=person, calendar=made.id, title="Appointments", own=True, due=now, created=now))


@contextmanager
def _working(wish: Wish, environment: Mapping[str, str], folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """`gateway worker`, so many times; their logs are shown when one of them dies."""
    logs = [folder / f"worker-{number}.log" for number in range(wish.workers)]
    processes = []
    for log in logs:
        with log.open("ab") as output:
            command = [sys.executable, "-m", "gateway", "worker"]
            processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=dict(environment)))
    try:
        yield processes
    finally:
        for process, log in zip(processes, logs, strict=True):
            if process.poll() is not None:
                _say(f"a worker died: {log.read_text()[-2000:]}")
            process.terminate()
        for process in processes:
            process.wait(20)


def _show(wish: Wish, parts: Sequence[Part], asked: float) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{wish.links} links, {wish.workers} workers × {wish.threads} threads, a look each {wish.period} s, {wish.carrier}")
    for column in ("part", "looks", "looks/s", "CPU of a look", "memory", "median gap", "longest gap", "writes"):
        table.add_column(column)
    for part in parts:
        table.add_row(
            part.name,
            f"{part.looks}",
            f"{part.looks / part.seconds:.1f}",
            f"{part.cpu_ms:.1f} ms",
            f"{part.megabytes:.0f} MB",
            f"{part.median:.2f} periods",
            f"{part.latest:.2f} periods",
            f"{part.writes}",
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(f"Asking who is due: {asked} ms")


def _say(what: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {what}\n")


def _wishes() -> tuple[Wish, Path | None]:
    parser = argparse.ArgumentParser(prog="python -m bench.mirrors", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--links", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4, help="of each worker")
    parser.add_argument("--period", type=int, default=300, help="seconds between two looks at one calendar")
    parser.add_argument("--rounds", type=float, default=3.0, help="periods that the steady part lasts")
    parser.add_argument("--carrier", choices=("threads", "procrastinate"), default="procrastinate")
    parser.add_argument("--json", type=Path, default=None, help="where the figures are written")
    given = vars(parser.parse_args())
    target = given.pop("json")
    return Wish(**given), target


if __name__ == "__main__":
    sys.exit(main())
