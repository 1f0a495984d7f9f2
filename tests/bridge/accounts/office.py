"""A company whose people connect their calendars: the real houses and their fakes without sockets, and a worker for the turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from gateway import desk
from gateway.booking import Book
from gateway.bridge import accounts
from gateway.bridge.accounts import Accounts, Connected
from gateway.bridge.errand import Habits
from gateway.bridge.google import GoogleHouse
from gateway.bridge.graph import GraphHouse
from gateway.bridge.remote import House
from gateway.bridge.turn import Mirror
from gateway.bridge.vault import Vaults
from gateway.fakes.google.provider import API, Google
from gateway.fakes.microsoft.provider import Microsoft
from gateway.fakes.running import people
from gateway.links import Account, Item, Link, LinkId, Provider, Standing
from gateway.model import Actor, EntryId, Policy, Span, StaffId
from gateway.store import Store, fresh_id
from tests.bridge.wire import BASE, NOW, Clock, Wire
from tests.bridge.world import ADVICE, ANN, DAY, DEMO, JOHN, PLATFORM, SEAL, furnish

EMMA = replace(JOHN, id=StaffId("emma"), handle="emma-morris", name="Emma Morris", email="emma.morris@example.com")
PRIVATE = "john@outlook.example"
OFFICE = Actor("admin@example.com", "page")
REDIRECT = "http://127.0.0.1:1/connect"


@dataclass
class Office:
    """Both providers know John and Emma; John has a private account as well."""

    store: Store
    clock: Clock
    google: Google
    microsoft: Microsoft
    houses: Mapping[Provider, House]
    wires: Mapping[Provider, Wire]

    @property
    def accounts(self) -> Accounts:
        return Accounts(
            store=self.store,
            seal=SEAL,
            houses=self.houses,
            vaults=Vaults(self.store, SEAL),
            redirect=lambda provider: f"{REDIRECT}/{'google' if provider is Provider.GOOGLE else 'microsoft'}/callback",
            clock=self.clock,
        )

    def fake(self, provider: Provider) -> Google | Microsoft:
        return self.google if provider is Provider.GOOGLE else self.microsoft

    def begin(self, provider: Provider = Provider.GOOGLE, staff: StaffId = JOHN.id, **more: Any) -> str:
        with self.store.write(DEMO, OFFICE) as tx:
            return self.accounts.begin(tx, staff, provider, **more)

    def agree(self, address: str, login: str = JOHN.email, **more: str) -> dict[str, str]:
        """What the provider's page sends this person's browser back with, who says yes to everything."""
        parts = urlsplit(address)
        asked = {**dict(parse_qsl(parts.query)), "login_hint": login, "approve": "auto", **more}
        provider = Provider.GOOGLE if "/o/oauth2/" in parts.path else Provider.OFFICE365
        status, headers, page = self.wires[provider]("GET", f"{BASE}{parts.path}?{urlencode(asked)}", {}, None)
        assert status == 302, page.decode()
        return dict(parse_qsl(urlsplit(headers["location"]).query))

    def connect(self, provider: Provider = Provider.GOOGLE, staff: StaffId = JOHN.id, login: str = JOHN.email, **more: Any) -> Connected:
        """The whole way."""
        back = self.agree(self.begin(provider, staff, **more), login)
        return self.accounts.complete(back["state"], back["code"])

    def link(self, id: LinkId) -> Link:
        with self.store.read(DEMO) as snapshot:
            return snapshot.link(id)

    def account(self, id: LinkId) -> Account:
        with self.store.read(DEMO) as snapshot:
            return snapshot.account(snapshot.link(id).account)

    def links(self, staff: StaffId = JOHN.id) -> list[Link]:
        with self.store.read(DEMO) as snapshot:
            return list(snapshot.links(staff=staff))

    def items(self, id: LinkId) -> list[Item]:
        with self.store.read(DEMO) as snapshot:
            return list(snapshot.items(id))

    def history(self, id: LinkId) -> list[str]:
        with self.store.read(DEMO) as snapshot:
            return [each.kind for each in snapshot.history(id)]

    def status(self, id: LinkId) -> tuple[str, str, str]:
        with self.store.read(DEMO) as snapshot:
            link = snapshot.link(id)
            return accounts.condition(snapshot.company.policy, snapshot.account(link.account), link, self.clock.now)

    def revoke(self, provider: Provider = Provider.GOOGLE) -> None:
        """John takes his consent back over there."""
        self.fake(provider).revoke({"account": JOHN.email})

    def policy(self, **more: Any) -> None:
        """As an administrator changes the settings."""
        with self.store.write(DEMO, OFFICE) as tx:
            tx.save_company(replace(tx.company, policy=replace(tx.company.policy, **more)))

    def save(self, id: LinkId, **more: Any) -> None:
        """Bring a link into a state."""
        with self.store.write(DEMO, OFFICE) as tx:
            tx.save_link(replace(tx.link(id), **more))

    def book(self, start: datetime, staff: StaffId = JOHN.id) -> EntryId:
        """What lies in the past was booked in time."""
        with self.store.write(DEMO, PLATFORM) as tx:
            name = fresh_id()
            wish = Book(uid=f"{name}@demo", span=Span(start, start + ADVICE.duration), zone=JOHN.zone, customer=ANN.id, service=ADVICE.id)
            change = desk.apply(tx, PLATFORM, tx.appointments_of(staff).id, f"{name}.ics", [wish], min(self.clock.now, start - DAY))
        assert change is not None
        assert change.entry is not None
        return change.entry

    def work(self, turns: int = 2) -> None:
        """Workers take the turns that are due, a poll apart."""
        mirror = Mirror(store=self.store, houses=self.houses, vault=Vaults(self.store, SEAL), habits=Habits(), clock=self.clock)
        for _ in range(turns):
            self.clock.forward(timedelta(minutes=2))
            for company, account in self.store.accounts_due(self.clock.now):
                claim = self.store.claim(company, account, self.clock.now, self.clock.now + timedelta(seconds=45))
                assert claim is not None
                mirror.turn(claim, lambda: False)
                self.store.finish(claim, self.clock.now)

    def there(self, login: str = JOHN.email, provider: Provider = Provider.GOOGLE) -> list[dict[str, Any]]:
        """Live events of ours over there."""
        return [each for each in self.fake(provider).events(login) if not each["cancelled"] and each["ours"]]

    def live(self, staff: StaffId = JOHN.id) -> list[Link]:
        return [each for each in self.links(staff) if each.standing is not Standing.ENDED]


@contextmanager
def opened(folder: Path, *, policy: Policy | None = None) -> Iterator[Office]:
    store = Store(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    furnish(store)
    with store.write(DEMO, OFFICE) as tx:
        tx.save_staff(EMMA)
        if policy is not None:
            tx.save_company(replace(tx.company, policy=policy))
    clock = Clock(NOW)
    logins = [JOHN.email, EMMA.email]
    google, microsoft = people(google=logins, work=logins, personal=[PRIVATE], clock=clock, seed=1, zone=JOHN.zone, folder=None)
    to_google, to_microsoft = Wire(google), Wire(microsoft)
    houses: dict[Provider, House] = {
        Provider.GOOGLE: GoogleHouse(
            to_google,
            client_id=google.world.client_id,
            client_secret=google.world.client_secret,
            auth_uri=f"{BASE}/o/oauth2/v2/auth",
            token_uri=f"{BASE}/token",
            revoke_uri=f"{BASE}/revoke",
            api_endpoint=BASE + API,
            clock=clock,
        )
    } | {
        provider: GraphHouse(
            provider,
            to_microsoft,
            client_id=microsoft.world.client_id,
            client_secret=microsoft.world.client_secret,
            authority=f"{BASE}/common",
            instance_discovery=False,
            graph_url=f"{BASE}/v1.0",
            clock=clock,
        )
        for provider in (Provider.OUTLOOK, Provider.OFFICE365)
    }
    wires = {Provider.GOOGLE: to_google, Provider.OUTLOOK: to_microsoft, Provider.OFFICE365: to_microsoft}
    try:
        yield Office(store, clock, google, microsoft, houses, wires)
    finally:
        store.close()
