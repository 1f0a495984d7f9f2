"""A company, a staff member and a provider without sockets: the real store, the real engine, the real adapter, the fake provider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gateway import desk
from gateway.booking import Book, Cancel, Move
from gateway.bridge.errand import Habits
from gateway.bridge.google import GoogleHouse
from gateway.bridge.graph import GraphHouse
from gateway.bridge.remote import House
from gateway.bridge.turn import Mirror
from gateway.bridge.vault import Vaults
from gateway.fakes.faults import Fault
from gateway.fakes.google.provider import API, Google
from gateway.fakes.microsoft.provider import Microsoft
from gateway.fakes.running import people
from gateway.links import Account, AccountId, Direction, Item, Link, LinkId, Provider
from gateway.model import (
    Actor,
    Appointment,
    Company,
    CompanyId,
    Customer,
    CustomerId,
    EntryId,
    Level,
    Policy,
    Recurrence,
    Service,
    ServiceId,
    Span,
    Staff,
    StaffId,
)
from gateway.post.letters import Letters
from gateway.seal import Seal
from gateway.store import Store, Transaction, fresh_id
from tests.bridge.wire import BASE, NOW, Clock, Wire

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DEMO = CompanyId("demo")
PLATFORM = Actor("platform", "rest")
JOHN = Staff(id=StaffId("john"), handle="john-smith", name="John Smith", email="john.smith@example.com", zone="Europe/Paris")
ADVICE = Service(id=ServiceId("advice"), name="Advice", duration=timedelta(minutes=30))
ANN = Customer(id=CustomerId("ann"), name="Ann Canaryname", email="ann.canary@example.com", zone="Europe/Paris", phone="+33 1 55 00 11 22")
NOTE = "Xylophone canary note"
SCOPES = ["https://www.googleapis.com/auth/calendar.app.created", "openid", "email"]
SEAL = Seal("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")


ACCOUNT, LINK = AccountId("account"), LinkId("link")


class Crash(BaseException):
    """The process is killed here."""


class FragileStore(Store):
    """A store whose process can be killed at a commit: the transaction after `bomb` more ones, just before it or just after it."""

    bomb: int | None = None
    after: bool = False

    @contextmanager
    def write(self, company: CompanyId, actor: Actor) -> Iterator[Transaction]:
        strikes = self._strikes()
        with super().write(company, actor) as tx:
            yield tx
            if strikes and not self.after:
                raise Crash
        if strikes:
            raise Crash

    def _strikes(self) -> bool:
        if self.bomb is None:
            return False
        self.bomb -= 1
        if self.bomb >= 0:
            return False
        self.bomb = None
        return True


@dataclass
class World:
    """John's calendar here and there."""

    store: FragileStore
    clock: Clock
    fake: Google | Microsoft
    wire: Wire
    house: House
    habits: Habits = field(default_factory=Habits)
    account: AccountId = ACCOUNT
    link: LinkId = LINK

    @property
    def mirror(self) -> Mirror:
        return Mirror(
            store=self.store,
            houses={self.house.provider: self.house},
            vault=Vaults(self.store, SEAL),
            habits=self.habits,
            clock=self.clock,
        )

    def turn(self) -> None:
        """One turn, as a worker takes it."""
        claim = self.store.claim(DEMO, self.account, self.clock.now, self.clock.now + timedelta(seconds=45))
        assert claim is not None, "somebody else holds the account"
        try:
            self.mirror.turn(claim, lambda: False)
        finally:
            self.store.finish(claim, self.clock.now)

    def settle(self, turns: int = 3) -> None:
        """Turns, a poll apart."""
        for _ in range(turns):
            self.clock.forward(timedelta(minutes=2))
            self.turn()

    def book(self, start: datetime, *, recurrence: Recurrence | None = None, notes: str = NOTE) -> Appointment:
        with self.store.write(DEMO, PLATFORM) as tx:
            calendar = tx.appointments_of(JOHN.id).id
            name = fresh_id()
            wish = Book(
                uid=f"{name}@demo",
                span=Span(start, start + ADVICE.duration),
                zone=JOHN.zone,
                customer=ANN.id,
                service=ADVICE.id,
                recurrence=recurrence,
                notes=notes,
            )
            change = desk.apply(tx, PLATFORM, calendar, f"{name}.ics", [wish], self.clock.now)
        assert change is not None
        assert isinstance(change.after, Appointment)
        return change.after

    def move(self, entry: EntryId, start: datetime, at: datetime | None = None) -> None:
        with self.store.write(DEMO, PLATFORM) as tx:
            desk.apply_to(tx, PLATFORM, entry, [Move(span=Span(start, start + ADVICE.duration), at=at)], self.clock.now)

    def cancel(self, entry: EntryId, at: datetime | None = None) -> None:
        with self.store.write(DEMO, PLATFORM) as tx:
            desk.apply_to(tx, PLATFORM, entry, [Cancel(at=at)], self.clock.now)

    def held(self, entry: EntryId) -> Appointment:
        with self.store.read(DEMO) as snapshot:
            found = snapshot.held_by_id(entry)
        assert found is not None
        assert isinstance(found.entry, Appointment)
        return found.entry

    def items(self) -> list[Item]:
        with self.store.read(DEMO) as snapshot:
            return list(snapshot.items(self.link))

    def known(self) -> Link:
        with self.store.read(DEMO) as snapshot:
            return snapshot.link(self.link)

    def history(self) -> list[str]:
        with self.store.read(DEMO) as snapshot:
            return [each.kind for each in snapshot.history(self.link, 500)]

    def there(self, *, ours: bool = True) -> list[dict[str, Any]]:
        """Live events over there, by start."""
        found = [each for each in self.fake.events(JOHN.email) if not each["cancelled"] and each["ours"] == ours]
        return sorted(found, key=lambda each: (each["start"], each["id"]))

    def cancelled_there(self, entry: EntryId) -> list[datetime]:
        """Original starts of the dates of a series that the provider shows as cancelled."""
        remote = next(item.remote for item in self.items() if item.key.entry == entry and item.key.at is None)
        if isinstance(self.fake, Microsoft):
            return sorted(self.fake.world.mailboxes[JOHN.email].rows[remote].cancelled)
        rows = self.fake.world.calendars[self.known().calendar].rows.values()
        return sorted(row.original for row in rows if row.master == remote and row.cancelled and row.original)

    def act(self, op: str, **more: Any) -> Any:
        """As the person does over there."""
        return self.fake.act({"account": JOHN.email, "op": op, **more})

    def fault(self, match: str, kind: str, times: int = 1, skip: int = 0) -> None:
        """What goes wrong with the next requests that match."""
        self.fake.faults.rules.append(Fault.of({"match": match, "kind": kind, "times": times, "skip": skip}))

    def letters(self) -> list[str]:
        """What the customer and the staff member are told by now, as kinds."""
        reader = Letters(self.store, SEAL, sender="Calendar <calendar@example.com>", public_url="https://calendar.example.com")
        self.clock.forward(timedelta(seconds=1))
        reader.catch_up(DEMO, self.clock.now)
        waiting = self.store.claim_letters(self.clock.now, lease=timedelta(minutes=1), limit=500)
        for each in waiting:
            self.store.letter_sent(each, self.clock.now)
        more = self.store.claim_letters(self.clock.now, lease=timedelta(minutes=1), limit=500) if waiting else []
        return sorted(each.kind for each in (*waiting, *more))


def furnish(store: Store, *, two_way: bool = True) -> None:
    policy = Policy(two_way=two_way, hold=timedelta(), google=True, outlook=True, office365=True)
    store.found(Company(id=DEMO, slug="demo", name="Demo Company", zone="Europe/Paris", policy=policy))
    with store.write(DEMO, Actor("setup", "import")) as tx:
        tx.save_staff(JOHN)
        tx.save_service(ADVICE)
        tx.save_customer(ANN)


@contextmanager
def google(folder: Path, *, level: Level = Level.FULL, direction: Direction = Direction.BOTH) -> Iterator[World]:
    """John, connected to a fake Google with a calendar of our own."""
    store = FragileStore(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    furnish(store)
    clock = Clock()
    fake, _ = people(google=[JOHN.email], work=[], personal=[], clock=clock, seed=1, zone="Europe/Paris", folder=None)
    wire = Wire(fake)
    world_settings = fake.world
    house = GoogleHouse(
        wire,
        client_id=world_settings.client_id,
        client_secret=world_settings.client_secret,
        auth_uri=f"{BASE}/o/oauth2/v2/auth",
        token_uri=f"{BASE}/token",
        revoke_uri=f"{BASE}/revoke",
        api_endpoint=BASE + API,
        clock=clock,
    )
    world = World(store=store, clock=clock, fake=fake, wire=wire, house=house)
    refresh = fake.connect(JOHN.email, SCOPES)
    with connected(world, json.dumps({"refresh_token": refresh}).encode(), level, direction):
        yield world


@contextmanager
def microsoft(folder: Path, *, level: Level = Level.FULL, direction: Direction = Direction.BOTH) -> Iterator[World]:
    """John, connected to a fake Microsoft 365 with a calendar of our own."""
    store = FragileStore(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    furnish(store)
    clock = Clock()
    _, fake = people(google=[], work=[JOHN.email], personal=[], clock=clock, seed=1, zone="Europe/Paris", folder=None)
    wire = Wire(fake)
    house = GraphHouse(
        Provider.OFFICE365,
        wire,
        client_id=fake.world.client_id,
        client_secret=fake.world.client_secret,
        authority=f"{BASE}/common",
        instance_discovery=False,
        graph_url=f"{BASE}/v1.0",
        clock=clock,
    )
    world = World(store=store, clock=clock, fake=fake, wire=wire, house=house)
    back = "http://127.0.0.1:1/back"
    address = house.consent(state="s", verifier="v" * 50, redirect=back, login=JOHN.email)
    _, headers, _ = wire("GET", address + "&approve=auto", {}, None)
    code = dict(parse_qsl(urlsplit(headers["location"]).query))["code"]
    grant = house.redeem(code=code, verifier="v" * 50, redirect=back, now=NOW)
    with connected(world, grant.credential, level, direction):
        yield world


@contextmanager
def connected(world: World, credential: bytes, level: Level, direction: Direction) -> Iterator[None]:
    """With the account and its link."""
    store = world.store
    account = Account(id=world.account, staff=JOHN.id, provider=world.house.provider, login=JOHN.email, subject="1", created=NOW)
    with store.write(DEMO, PLATFORM) as tx:
        tx.add_account(account, SEAL.seal(credential))
    made = world.house.make_calendar(Vaults(store, SEAL)(DEMO, world.account), "Appointments", "Europe/Paris", NOW)
    link = Link(
        id=world.link,
        account=account.id,
        staff=JOHN.id,
        calendar=made.id,
        title=made.title,
        own=True,
        direction=direction,
        level=level,
        due=NOW,
        created=NOW,
    )
    with store.write(DEMO, PLATFORM) as tx:
        tx.add_link(link)
    try:
        yield
    finally:
        store.close()
