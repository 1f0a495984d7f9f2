"""Two furnished companies in a store, and entries with their shapes made by hand: what the tests of the store work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from gateway.model import (
    Actor,
    Appointment,
    CalendarId,
    Change,
    Company,
    CompanyId,
    Customer,
    CustomerId,
    Entry,
    EntryId,
    Group,
    GroupId,
    Occurrence,
    Personal,
    Policy,
    Revision,
    Service,
    ServiceId,
    Shape,
    Span,
    Staff,
    StaffId,
    Status,
)
from gateway.store import Collection, Snapshot, Store, Transaction

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday, 9 o'clock in Paris
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SETUP = Actor("setup", "import")
JOHNS_CLIENT = Actor("john-smith", "dav")
DEMO, OTHER = CompanyId("demo"), CompanyId("other")
COMPANY = Company(id=DEMO, slug="demo", name="Demo Company", zone="Europe/Paris", policy=Policy(two_way=True, hold=timedelta()))
NEIGHBOUR = Company(id=OTHER, slug="other", name="Other Company", zone="America/New_York", locale="fr")
JOHN = Staff(id=StaffId("john"), handle="john-smith", name="John Smith", email="john.smith@example.com", zone="Europe/Paris")
EMMA = Staff(
    id=StaffId("emma"), handle="emma-morris", name="Emma Morris", email="emma.morris@example.com", zone="Europe/Paris", locale="de"
)
TAYLOR = Staff(id=StaffId("taylor"), handle="taylor", name="Taylor Carpenter", email="taylor@example.com", zone="America/New_York")
ADVICE = Service(id=ServiceId("advice"), name="Advice", duration=timedelta(minutes=30))
CARE = Service(id=ServiceId("care"), name="Care", duration=HOUR, buffer_before=timedelta(minutes=10), buffer_after=timedelta(minutes=15))
ANN = Customer(id=CustomerId("ann"), name="Ann Canaryname", email="ann.canary@example.com", zone="Europe/Paris", phone="+33 1 55 00 11 22")
FRONT = Group(id=GroupId("front"), slug="front", name="Front desk", members=(JOHN.id, EMMA.id))

_numbers = count(1)


def furnish(store: Store) -> None:
    """The demo company with John and Emma (both at the front desk), and a neighbour with Taylor."""
    store.found(COMPANY)
    store.found(NEIGHBOUR)
    with store.write(DEMO, SETUP) as tx:
        for person in (JOHN, EMMA):
            tx.save_staff(person)
        for service in (ADVICE, CARE):
            tx.save_service(service)
        tx.save_customer(ANN)
        tx.save_group(FRONT)
    with store.write(OTHER, SETUP) as tx:
        tx.save_staff(TAYLOR)
        tx.save_service(replace(ADVICE, id=ServiceId("repair"), name="Repair"))
        tx.save_customer(replace(ANN, id=CustomerId("bob"), name="Bob Canary", email="bob@example.com"))


def span(start: datetime = NOW, length: timedelta = timedelta(minutes=30)) -> Span:
    return Span(start, start + length)


def booking(calendar: CalendarId, start: datetime = NOW + DAY, length: timedelta = timedelta(minutes=30), **more: Any) -> Appointment:
    """An appointment that is nobody else's yet: id, name and uid are new."""
    key = more.pop("id", None) or f"entry{next(_numbers)}"
    facts: dict[str, Any] = {
        "id": EntryId(key),
        "calendar": calendar,
        "name": f"{key}.ics",
        "uid": f"{key}@example.com",
        "span": span(start, length),
        "zone": "Europe/Paris",
        "customer": ANN.id,
        "service": ADVICE.id,
        "created": NOW,
        "changed": NOW,
    }
    return Appointment(**(facts | more))


def personal(calendar: CalendarId, **more: Any) -> Personal:
    key = more.pop("id", None) or f"entry{next(_numbers)}"
    facts: dict[str, Any] = {
        "id": EntryId(key),
        "calendar": calendar,
        "name": f"{key}.ics",
        "uid": f"{key}@example.com",
        "component": "VEVENT",
        "text": f"BEGIN:VCALENDAR\r\nX-OF:{key}\r\nEND:VCALENDAR\r\n",
        "created": NOW,
        "changed": NOW,
    }
    return Personal(**(facts | more))


def shape_of(entry: Entry, *spans: Span, **more: Any) -> Shape:
    """The shape of an entry that takes place in the spans (an appointment: in its own, if none are given), completely indexed."""
    if not spans and isinstance(entry, Appointment):
        spans = (entry.span,)
    facts: dict[str, Any] = {
        "text": entry.text if isinstance(entry, Personal) else f"text of {entry.uid} v{entry.version}",
        "team_text": f"team text of {entry.uid} v{entry.version}" if isinstance(entry, Appointment) else "",
        "occurrences": tuple(Occurrence(each.start, each, each, True) for each in spans),
        "indexed_until": None,
        "floor": min((each.start for each in spans), default=None),
        "ceil": max((each.end for each in spans), default=None),
    }
    return Shape(**(facts | more))


@dataclass(frozen=True)
class Place:
    """One company of the store, in which somebody works; every call is a transaction or a snapshot of its own."""

    store: Store
    company: CompanyId = DEMO

    def calendar(self, staff: StaffId = JOHN.id) -> CalendarId:
        with self.store.read(self.company) as snapshot:
            return snapshot.appointments_of(staff).id

    def add(self, entry: Entry, *spans: Span, at: datetime = NOW, **shape: Any) -> Change:
        with self.store.write(self.company, SETUP) as tx:
            return tx.record(None, entry, shape_of(entry, *spans, **shape), at)

    def change(self, before: Entry, after: Entry, *spans: Span, at: datetime = NOW, **shape: Any) -> Change:
        with self.store.write(self.company, SETUP) as tx:
            return tx.record(before, after, shape_of(after, *spans, **shape), at)

    def cancel(self, entry: Appointment) -> Change:
        return self.change(entry, replace(entry, status=Status.CANCELLED, version=entry.version + 1, sequence=entry.sequence + 1))

    def remove(self, entry: Entry, at: datetime = NOW) -> Change:
        with self.store.write(self.company, SETUP) as tx:
            return tx.record(entry, None, None, at)

    def book(self, start: datetime = NOW + DAY, staff: StaffId = JOHN.id, **more: Any) -> Appointment:
        entry = booking(self.calendar(staff), start, **more)
        self.add(entry)
        return entry

    def note(self, *spans: Span, staff: StaffId = JOHN.id, shape: dict[str, Any] | None = None, **more: Any) -> Personal:
        """A personal event of the staff member that takes place in the spans."""
        entry = personal(self.calendar(staff), **more)
        self.add(entry, *spans, **(shape or {}))
        return entry

    def see(self, staff: StaffId = JOHN.id, slug: str = "appointments") -> Collection:
        with self.store.read(self.company) as snapshot:
            return seen(snapshot, staff, slug)

    def log(self) -> Sequence[Change]:
        with self.store.read(self.company) as snapshot:
            return every_change(snapshot)


def seen(snapshot: Snapshot, staff: StaffId = JOHN.id, slug: str = "appointments") -> Collection:
    collection = snapshot.collection(staff, slug)
    assert collection is not None, slug
    return collection


def every_change(snapshot: Snapshot, after: int = 0) -> Sequence[Change]:
    """The log after a revision, by however many pages it takes."""
    found: list[Change] = []
    while page := snapshot.changes(found[-1].revision if found else Revision(after)):
        found += page
    return found


def names(snapshot: Snapshot, collection: Collection) -> set[str]:
    return {row.name for row in snapshot.rows(collection)}


def put(tx: Transaction, before: Entry | None, after: Entry, *spans: Span) -> Change:
    return tx.record(before, after, shape_of(after, *spans), NOW)


class Broken(Exception):
    """Something of ours that fails inside a transaction."""


@contextmanager
def broken_off(place: Place) -> Iterator[Transaction]:
    """A transaction that fails when everything in it has been done."""
    try:
        with place.store.write(place.company, SETUP) as tx:
            yield tx
            raise Broken
    except Broken:
        return
