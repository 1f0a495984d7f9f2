"""A CalDAV side with two companies behind it, real sockets, a clock that stands still, and clients that speak plain HTTP."""

from __future__ import annotations

import base64
import http.client
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from gateway import desk
from gateway.booking import Book
from gateway.model import (
    Actor,
    Change,
    Company,
    CompanyId,
    Customer,
    CustomerId,
    Entry,
    Group,
    GroupId,
    Policy,
    Recurrence,
    Revision,
    Service,
    ServiceId,
    Span,
    Staff,
    StaffId,
)
from gateway.seal import Seal
from gateway.store import Store
from gateway.web.server import Limits, Parts, serve
from plugins.application import build
from plugins.publishing import Press
from plugins.push import Push

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday, 9 o'clock in Paris
SETUP = Actor("setup", "import")
DEMO, OTHER = CompanyId("demo"), CompanyId("other")
JOHN = Staff(id=StaffId("john"), handle="john-smith", name="John Smith", email="john.smith@example.com", zone="Europe/Paris")
EMMA = Staff(id=StaffId("emma"), handle="emma-morris", name="Emma Morris", email="emma.morris@example.com", zone="Europe/Paris")
TAYLOR = Staff(id=StaffId("taylor"), handle="taylor", name="Taylor Carpenter", email="taylor@example.com", zone="America/New_York")
ADVICE = Service(id=ServiceId("advice"), name="Advice", duration=timedelta(minutes=30))
ANN = Customer(id=CustomerId("ann"), name="Ann Canaryname", email="ann.canary@example.com", zone="Europe/Paris")
PASSWORD = "correct-horse-battery-{}"
READ_ONLY = "only-for-reading-john"
PUBLIC_URL = "https://calendar.example.com"
KEY = base64.b64encode(b"k" * 32).decode()
POLICY = Policy(two_way=True, hold=timedelta())

D, C, CS, ICAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{http://calendarserver.org/ns/}", "{http://apple.com/ns/ical/}"
SPACES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/"'
)
HERE = "/dav/john-smith/appointments/"


@dataclass(frozen=True)
class Answer:
    """Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def etag(self) -> str | None:
        return self.headers.get("etag")

    @property
    def tree(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def responses(self) -> dict[str, dict[str, str]]:
        """By path: the properties answered with 200, as text. A response that is a status only has {"status": …}."""
        found: dict[str, dict[str, str]] = {}
        for response in self.tree.iter(f"{D}response"):
            properties = found.setdefault(unquote(response.findtext(f"{D}href") or ""), {})
            if (status := response.findtext(f"{D}status")) is not None:
                properties["status"] = status.split()[1]
            for prop in self._props(response, "200"):
                properties |= {item.tag: "".join(item.itertext()) for item in prop}
        return found

    def missing(self, path: str, status: str = "404") -> set[str]:
        """The names answered with that status for a path."""
        return {
            item.tag
            for response in self.tree.iter(f"{D}response")
            if unquote(response.findtext(f"{D}href") or "") == path
            for prop in self._props(response, status)
            for item in prop
        }

    def element(self, path: str, name: str) -> ElementTree.Element:
        for response in self.tree.iter(f"{D}response"):
            if unquote(response.findtext(f"{D}href") or "") == path:
                for prop in self._props(response, "200"):
                    for item in prop:
                        if item.tag == name:
                            return item
        raise AssertionError(f"{path} has no {name}")

    @staticmethod
    def _props(response: ElementTree.Element, status: str) -> Iterator[ElementTree.Element]:
        for propstat in response.findall(f"{D}propstat"):
            if (propstat.findtext(f"{D}status") or "").split()[1] == status:
                yield from propstat.findall(f"{D}prop")

    @property
    def condition(self) -> str | None:
        """The precondition that a DAV:error body names, in Clark notation."""
        root = self.tree
        assert root.tag == f"{D}error"
        return next((child.tag for child in root if not child.tag.endswith("}reason")), None)

    @property
    def sentence(self) -> str:
        return "".join(self.tree.itertext())


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class House:
    """The open front door and what is behind it."""

    store: Store
    port: int
    clock: Clock
    woken: list[datetime] = field(default_factory=list)

    def client(self, staff: Staff = JOHN, password: str | None = None) -> Client:
        return Client(self, staff.handle, password or PASSWORD.format(staff.id))

    def set_policy(self, **changes: Any) -> None:
        with self.store.write(DEMO, SETUP) as tx:
            tx.save_company(replace(tx.company, policy=replace(tx.company.policy, **changes)))

    def book(self, start: datetime, *, staff: Staff = JOHN, company: CompanyId = DEMO, rule: str | None = None, uid: str = "") -> str:
        """An appointment of half an hour; its name."""
        name = f"{start:%Y%m%dT%H%M%S}-{staff.id}.ics"
        wish = Book(
            uid=uid or f"{name}@example.com",
            span=Span(start, start + timedelta(minutes=30)),
            zone=staff.zone,
            customer=ANN.id if company == DEMO else CustomerId("bob"),
            service=ADVICE.id if company == DEMO else ServiceId("repair"),
            recurrence=Recurrence(rule=rule) if rule else None,
        )
        with self.store.write(company, SETUP) as tx:
            desk.apply(tx, SETUP, tx.appointments_of(staff.id).id, name, [wish], self.clock.now)
        return name

    def entry(self, name: str, staff: Staff = JOHN, company: CompanyId = DEMO) -> Entry | None:
        with self.store.read(company) as snapshot:
            held = snapshot.held(snapshot.appointments_of(staff.id).id, name)
        return held.entry if held else None

    def revision(self, company: CompanyId = DEMO) -> Revision:
        with self.store.read(company) as snapshot:
            return snapshot.revision

    def changes(self, after: int = 0, company: CompanyId = DEMO) -> Sequence[Change]:
        with self.store.read(company) as snapshot:
            return snapshot.changes(Revision(after))


@dataclass(frozen=True)
class Client:
    """A calendar program that has an account. Header names of `ask` are written with underscores."""

    house: House
    login: str
    password: str

    @property
    def credentials(self) -> str:
        return "Basic " + base64.b64encode(f"{self.login}:{self.password}".encode()).decode()

    def ask(self, method: str, path: str, body: str | bytes = b"", /, **headers: str | None) -> Answer:
        """One request on a connection of its own; a header that is None is left out."""
        named = {"Authorization": self.credentials} | {name.replace("_", "-"): value for name, value in headers.items()}
        return raw(self.house.port, method, path, body, {name: value for name, value in named.items() if value is not None})

    def propfind(self, path: str, names: str, depth: str = "0", **headers: str) -> Answer:
        answer = self.ask("PROPFIND", path, f"<D:propfind {SPACES}><D:prop>{names}</D:prop></D:propfind>", Depth=depth, **headers)
        assert answer.status == 207, answer.text
        return answer

    def report(self, body: str, path: str = HERE, **headers: str | None) -> Answer:
        return self.ask("REPORT", path, body, Content_Type="application/xml; charset=utf-8", **headers)

    def sync(self, token: str = "", path: str = HERE, *, more: str = "", props: str = "<D:getetag/>", **headers: str | None) -> Answer:
        return self.report(
            f"<D:sync-collection {SPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{more}"
            f"<D:prop>{props}</D:prop></D:sync-collection>",
            path,
            **headers,
        )

    def token(self, path: str = HERE) -> str:
        return self.propfind(path, "<D:sync-token/>").responses[path][f"{D}sync-token"]

    def ctag(self, path: str = HERE) -> str:
        return self.propfind(path, "<CS:getctag/>").responses[path][f"{CS}getctag"]

    def query(self, inner: str, path: str = HERE, *, props: str = "<D:getetag/>", depth: str | None = "1", more: str = "") -> Answer:
        return self.report(
            f'<C:calendar-query {SPACES}><D:prop>{props}</D:prop><C:filter><C:comp-filter name="VCALENDAR">{inner}'
            f"</C:comp-filter></C:filter>{more}</C:calendar-query>",
            path,
            Depth=depth,
        )

    def multiget(self, *paths: str, at: str = HERE, props: str = "<D:getetag/><C:calendar-data/>") -> Answer:
        hrefs = "".join(f"<D:href>{path}</D:href>" for path in paths)
        return self.report(f"<C:calendar-multiget {SPACES}><D:prop>{props}</D:prop>{hrefs}</C:calendar-multiget>", at)

    def put(self, path: str, text: str | bytes, **headers: str | None) -> Answer:
        return self.ask("PUT", path, text, **{"Content_Type": "text/calendar; charset=utf-8", **headers})

    def get(self, path: str) -> Answer:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.text
        return answer


def raw(port: int, method: str, path: str, body: str | bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        octets = body.encode() if isinstance(body, str) else body
        connection.request(method, path, octets or None, dict(headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def furnish(store: Store) -> None:
    """Two companies; the second has the same kind of things under other ids."""
    store.found(Company(id=DEMO, slug="demo", name="Demo Company", zone="Europe/Paris", policy=POLICY))
    store.found(Company(id=OTHER, slug="other", name="Other Company", zone="America/New_York", policy=POLICY))
    with store.write(DEMO, SETUP) as tx:
        for person in (JOHN, EMMA):
            tx.save_staff(person)
            tx.add_app_password(person.id, "test", PASSWORD.format(person.id), NOW)
        tx.add_app_password(JOHN.id, "reading", READ_ONLY, NOW, read_only=True)
        tx.save_service(ADVICE)
        tx.save_customer(ANN)
        tx.save_group(Group(id=GroupId("front"), slug="front", name="Front desk", members=(JOHN.id, EMMA.id)))
    with store.write(OTHER, SETUP) as tx:
        tx.save_staff(TAYLOR)
        tx.add_app_password(TAYLOR.id, "test", PASSWORD.format(TAYLOR.id), NOW)
        tx.save_service(replace(ADVICE, id=ServiceId("repair"), name="Repair"))
        tx.save_customer(replace(ANN, id=CustomerId("bob"), name="Bob Canary", email="bob@example.com"))


@contextmanager
def opened(store: Store, *, limits: Limits | None = None, push: Push | None = None) -> Iterator[House]:
    """The front door on a port of its own, served from a thread, and closed at the end."""
    clock, woken = Clock(), list[datetime]()
    given = Parts(
        store=store,
        public_url=PUBLIC_URL,
        clock=clock,
        wake=lambda: woken.append(clock.now),
        stir=lambda: woken.append(clock.now),
        dav=build(store, clock=clock, push=push, press=Press(public_url=PUBLIC_URL, seal=Seal(KEY))),
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
        yield House(store, port[0], clock, woken)
    finally:
        for stop in stops:
            stop()
        thread.join(20)
        assert not thread.is_alive(), "the server does not end"


def event(uid: str, start: str = "20261126T090000Z", end: str = "20261126T100000Z", *more: str, summary: str = "Dentist") -> str:
    """A personal event as a plain client writes it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T000000Z"]
    lines += [f"DTSTART:{start}", f"DTEND:{end}", f"SUMMARY:{summary}", *more, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(lines)
