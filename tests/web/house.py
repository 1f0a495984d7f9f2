"""A front door on loopback with two companies behind it, a clock that stands still, and whoever rings the bell."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from gateway.bridge.accounts import Accounts
from gateway.bridge.feed import Fetcher
from gateway.bridge.remote import House, Vault
from gateway.egress import Egress
from gateway.links import Account, AccountId, Condition, Happening, Item, Key, Link, LinkId, Provider, Standing
from gateway.model import (
    Actor,
    Company,
    CompanyId,
    Customer,
    CustomerId,
    EntryId,
    Feed,
    FeedId,
    Group,
    GroupId,
    Level,
    Policy,
    Scope,
    Service,
    ServiceId,
    Staff,
    StaffId,
)
from gateway.oidc import Provider as IdentityProvider
from gateway.post.note import Desk
from gateway.seal import Seal
from gateway.store import Snapshot, Store
from gateway.web.server import Limits, Parts, serve
from tests.journey.wire import Answer, ask

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday
SETUP = Actor("setup", "import")
KEY = "demo-key-0000000000000000000000000000"
OTHER_KEY = "other-key-000000000000000000000000000"
READ_KEY = "read-key-0000000000000000000000000000"
TOKENS = {level: f"{level}-feed-token-000000000000" for level in ("busy", "initials", "service", "full", "group", "company")}

SEAL = Seal("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
JOHN = Staff(id=StaffId("john"), handle="john-smith", name="John Smith", email="john.smith@example.com", zone="Europe/Paris")
EMMA = Staff(
    id=StaffId("emma"), handle="emma-morris", name="Emma Morris", email="emma.morris@example.com", zone="Europe/Paris", locale="fr"
)
TAYLOR = Staff(id=StaffId("taylor"), handle="taylor", name="Taylor Carpenter", email="taylor@example.com", zone="America/New_York")
ADVICE = Service(id=ServiceId("advice"), name="Advice", duration=timedelta(minutes=30))
ANN = Customer(id=CustomerId("ann"), name="Ann Canaryname", email="ann.canary@example.com", zone="Europe/Paris", phone="+33 1 55 00 11 22")
SECRET = "Xylophone canary note"


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Box:
    """A mailbox that holds what a test puts in."""

    held: list[Mapping[str, Any]] = field(default_factory=list)

    def mails(self) -> list[Mapping[str, Any]]:
        return self.held


class WatchedStore(Store):
    """The store, and a note of what its snapshots are asked for."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[str] = []

    @contextmanager
    def read(self, company: CompanyId) -> Iterator[Any]:
        with super().read(company) as snapshot:
            yield _Watched(snapshot, self.asked)


class _Watched:
    def __init__(self, snapshot: Snapshot, asked: list[str]) -> None:
        self._snapshot = snapshot
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._snapshot, name)


@contextmanager
def built(folder: Path) -> Iterator[WatchedStore]:
    """A database with both companies in it."""
    store = WatchedStore(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    furnish(store)
    try:
        yield store
    finally:
        store.close()


@dataclass
class Door:
    """The open front door."""

    url: str
    store: WatchedStore
    clock: Clock
    box: Box
    woken: list[datetime]

    def ask(self, method: str, path: str, body: object = b"", /, **headers: str) -> Answer:
        """Header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(method, self.url + path, body if isinstance(body, bytes | str) else json.dumps(body), named)

    def api(
        self, method: str, path: str, body: object = None, *, key: str = KEY, query: Mapping[str, str] | None = None, **headers: str
    ) -> Answer:
        sent = {"Authorization": f"Bearer {key}"} | ({"Content_Type": "application/json"} if body is not None else {}) | headers
        address = f"/api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        return self.ask(method, address, b"" if body is None else body, **sent)

    def book(self, start: str = "2026-11-25T10:00:00+01:00", **more: object) -> dict[str, Any]:
        body = {"staff": "john", "service": "advice", "customer_id": "ann", "start": start, "notes": SECRET, **more}
        answer = self.api("POST", "/appointments", body)
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.json
        return made

    def feed(self, level: str = "full", query: str = "", **headers: str) -> Answer:
        return self.ask("GET", f"/feeds/{TOKENS[level]}.ics{query}", **headers)


def furnish(store: Store) -> None:
    """Two companies; the second one has the same kind of things under other ids."""
    store.found(
        Company(id=CompanyId("demo"), slug="demo", name="Demo Company", zone="Europe/Paris", policy=Policy(two_way=True, hold=timedelta()))
    )
    store.found(Company(id=CompanyId("other"), slug="other", name="Other Company", zone="America/New_York"))
    with store.write(CompanyId("demo"), SETUP) as tx:
        tx.save_staff(JOHN)
        tx.save_staff(EMMA)
        tx.save_service(ADVICE)
        tx.save_customer(ANN)
        tx.save_group(Group(id=GroupId("front"), slug="front", name="Front desk", members=(JOHN.id, EMMA.id)))
        tx.add_api_key("platform", KEY, NOW)
        for level in Level:
            tx.add_feed(Feed(id=FeedId(f"feed-{level}"), scope=Scope.STAFF, of=JOHN.id, label="", level=level), TOKENS[level], b"", NOW)
        for scope, of in ((Scope.GROUP, "front"), (Scope.COMPANY, None)):
            feed = Feed(id=FeedId(f"feed-{scope}"), scope=scope, of=of, label="", level=Level.SERVICE)
            tx.add_feed(feed, TOKENS[scope], b"", NOW)
    with store.write(CompanyId("other"), SETUP) as tx:
        tx.save_staff(TAYLOR)
        tx.save_service(replace(ADVICE, id=ServiceId("repair"), name="Repair"))
        tx.save_customer(replace(ANN, id=CustomerId("bob"), name="Bob Canary", email="bob@example.com"))
        tx.add_api_key("platform", OTHER_KEY, NOW)


class _Stranger:
    """A provider nobody can reach."""

    provider = Provider.GOOGLE

    def consent(self, **given: Any) -> str:
        return f"https://accounts.example.com/consent?state={given['state']}"


def connector(store: Store, clock: Clock) -> Accounts:
    return Accounts(
        store=store,
        seal=SEAL,
        houses={Provider.GOOGLE: cast("House", _Stranger())},
        vaults=lambda company, account: cast("Vault", None),
        redirect=lambda provider: f"https://calendar.example.com/connect/{provider}/callback",
        clock=clock,
    )


def connected(store: Store) -> None:
    """John's account at Google with two links, one of which is held back by a brake; the company's switch is on."""
    with store.write(CompanyId("demo"), SETUP) as tx:
        tx.save_company(replace(tx.company, policy=replace(tx.company.policy, google=True)))
        tx.add_account(
            Account(id=AccountId("account"), staff=JOHN.id, provider=Provider.GOOGLE, login=JOHN.email, subject="1", created=NOW), b"sealed"
        )
        link = Link(
            id=LinkId("link"),
            account=AccountId("account"),
            staff=JOHN.id,
            calendar="c",
            title="Appointments",
            own=True,
            due=NOW,
            created=NOW,
        )
        tx.add_link(link)
        tx.add_link(replace(link, id=LinkId("braked"), standing=Standing.GUARD, trouble="5 of 6 are missing."))
        odd = Item(link=LinkId("braked"), key=Key(entry=EntryId("odd")), remote="r", condition=Condition.CONFLICT, trouble="It has guests.")
        tx.save_item(odd, NOW)
        tx.note(link.id, Happening(at=NOW, kind="connected", sentence="Connected."))


@contextmanager
def opened(
    store: WatchedStore,
    *,
    limits: Limits | None = None,
    unready: Sequence[str] = (),
    accounts: Accounts | None = None,
    egress: Egress | None = None,
    identity: IdentityProvider | None = None,
) -> Iterator[Door]:
    """The door, served from a thread on a port of its own, and closed at the end."""
    clock, box, woken = Clock(), Box(), list[datetime]()
    given = Parts(
        store=store,
        public_url="https://calendar.example.com",
        clock=clock,
        wake=lambda: woken.append(clock.now),
        stir=lambda: woken.append(clock.now),
        mailbox=box,
        sealer=SEAL,
        fetcher=Fetcher(egress or Egress()),
        identity=identity,
        accounts=accounts or connector(store, clock),
        letters=Desk(sender="Calendar <calendar@example.com>", public_url="https://calendar.example.com", seal=bytes),
        unready=lambda: unready,
        limits=limits or Limits(),
    )
    ready, port, stops = threading.Event(), list[int](), list[Any]()

    def started(number: int, stop: Any) -> None:
        port.append(number)
        stops.append(stop)
        ready.set()

    thread = threading.Thread(target=serve, args=(given,), kwargs={"host": "127.0.0.1", "port": 0, "started": started})
    thread.start()
    try:
        assert ready.wait(20), "the server does not start"
        yield Door(f"http://127.0.0.1:{port[0]}", store, clock, box, woken)
    finally:
        for stop in stops:
            stop()
        thread.join(20)
        assert not thread.is_alive(), "the server does not end"
