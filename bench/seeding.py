"""Filling both servers with the same calendar, fast: the gateway through its desk and store, Radicale through its folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from bench.data import WEEKS, ZONE, Dataset, Event
from gateway import desk
from gateway.booking import Write
from gateway.ical import write
from gateway.model import (
    Actor,
    Appointment,
    CalendarId,
    Company,
    CompanyId,
    Customer,
    CustomerId,
    EntryId,
    Feed,
    FeedId,
    Level,
    Override,
    Policy,
    Recurrence,
    Scope,
    Service,
    ServiceId,
    Span,
    Staff,
    StaffId,
)
from gateway.store import Store, Transaction, fresh_id

T = TypeVar("T")

COMPANY = CompanyId("bench")
JOHN = Staff(id=StaffId("john"), handle="john-smith", name="John Smith", email="john.smith@example.com", zone=ZONE)
EMMA = Staff(id=StaffId("emma"), handle="emma-morris", name="Emma Morris", email="emma.morris@example.com", zone=ZONE)
PASSWORD = "as-long-as-an-app-password"
FEED = "the-address-of-the-feed-that-is-measured"
CALENDAR = "bench"
SMALL = 3
"""Empty calendars beside it, so that the home lists at least five."""

SPARES = 100
"""Appointments after all others, one an hour, that are moved about: no question of the benchmark is about them."""

_BATCH = 500
_SETUP = Actor("bench", "import")
_ADVICE = Service(id=ServiceId("advice"), name="Première consultation", duration=timedelta(minutes=30))
_CUSTOMERS = tuple(
    Customer(
        id=CustomerId(f"c{number}"), name=f"Customer {number}", email=f"customer{number}@example.com", zone=ZONE, phone="+33 1 23 45 67 89"
    )
    for number in range(200)
)
_NOTES = (
    "The entrance is in the courtyard; please ring twice. Bring the papers of your last visit, if you still have them.\n"
    "Price: 65,00 €. Paid on the day, by card or in cash. A visit that is not cancelled a day before is charged."
)


@dataclass(frozen=True, slots=True)
class Spare:
    """An appointment that is there to be moved."""

    name: str
    span: Span


def fill(store: Store, data: Dataset, now: datetime) -> None:
    """A company with John, whose own calendar holds the events as his program wrote them, and Emma, who has them as appointments."""
    store.migrate()
    # Letters wait a day, so that none is written while something else is measured.
    policy = Policy(two_way=True, hold=timedelta(days=1))
    store.found(Company(id=COMPANY, slug="bench", name="Maison de santé", zone=ZONE, policy=policy))
    with store.write(COMPANY, _SETUP) as tx:
        for person in (JOHN, EMMA):
            tx.save_staff(person)
            tx.add_app_password(person.id, "bench", PASSWORD, now)
        tx.save_service(_ADVICE)
        for customer in _CUSTOMERS:
            tx.save_customer(customer)
        for slug in (*(f"small-{number}" for number in range(SMALL)), CALENDAR):
            calendar = desk.make_calendar(tx, JOHN.id, slug, ("VEVENT",), now)
        feed = Feed(id=FeedId("feed"), scope=Scope.STAFF, of=EMMA.id, label="", level=Level.FULL, past_days=3660, future_days=3660)
        tx.add_feed(feed, FEED, b"", now)
        appointments = tx.appointments_of(EMMA.id).id
    _write_personal(store, calendar.id, data.events, now)
    _write_appointments(store, [*_booked(data.events, appointments, now), *_spare_entries(data, appointments, now)], now)


def spares(data: Dataset) -> list[Spare]:
    start = data.week(WEEKS + 60).start
    hours = (start + timedelta(hours=number) for number in range(SPARES))
    return [Spare(f"x{number:06d}.ics", Span(hour, hour + _ADVICE.duration)) for number, hour in enumerate(hours)]


def fill_radicale(folder: Path, data: Dataset, login: str) -> None:
    """The same calendar as files, with the empty ones beside it; Radicale reads them when it is first asked."""
    home = folder / "collections" / "collection-root" / login
    for slug in (CALENDAR, *(f"small-{number}" for number in range(SMALL + 1))):
        calendar = home / slug
        calendar.mkdir(parents=True)
        (calendar / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR", "D:displayname": slug}))
    for event in data.events:
        (home / CALENDAR / event.name).write_text(event.text(), encoding="utf-8", newline="")


def _write_personal(store: Store, calendar: CalendarId, events: Sequence[Event], now: datetime) -> None:
    for batch in _batches(events):
        with store.write(COMPANY, _SETUP) as tx:
            for event in batch:
                desk.apply(tx, _SETUP, calendar, event.name, [Write(uid=event.uid, component="VEVENT", text=event.text())], now)


def _write_appointments(store: Store, entries: Iterable[Appointment], now: datetime) -> None:
    """Recorded without asking the desk: nobody has room for ten thousand appointments in two years, and they overlap."""
    for batch in _batches(entries):
        with store.write(COMPANY, _SETUP) as tx:
            for entry in batch:
                _record(tx, entry, now)


def _record(tx: Transaction, entry: Appointment, now: datetime) -> None:
    shape = write.shape(
        entry,
        company=tx.company,
        staff=EMMA,
        service=_ADVICE,
        customer=_CUSTOMERS[int(entry.customer[1:])],
        horizon=now + desk.HORIZON,
    )
    tx.record(None, entry, shape, now)


def _booked(events: Iterable[Event], calendar: CalendarId, now: datetime) -> Iterator[Appointment]:
    for event in events:
        yield _appointment(calendar, event.name, event.uid, event.span(event.start), event.customer, now, _recurrence(event))


def _spare_entries(data: Dataset, calendar: CalendarId, now: datetime) -> Iterator[Appointment]:
    for number, spare in enumerate(spares(data)):
        yield _appointment(calendar, spare.name, f"x{number:06d}@bench.example", spare.span, number, now, None)


def _appointment(
    calendar: CalendarId, name: str, uid: str, span: Span, customer: int, now: datetime, recurrence: Recurrence | None
) -> Appointment:
    return Appointment(
        id=EntryId(fresh_id()),
        calendar=calendar,
        name=name,
        uid=uid,
        span=span,
        zone=ZONE,
        customer=_CUSTOMERS[customer % len(_CUSTOMERS)].id,
        service=_ADVICE.id,
        recurrence=recurrence,
        notes=_NOTES,
        created=now,
        changed=now,
    )


def _recurrence(event: Event) -> Recurrence | None:
    if not event.repeats:
        return None
    overrides = (Override(at=_utc(event.nth(event.moved)), span=event.span(event.moved_to)),) if event.moved_to is not None else ()
    return Recurrence(rule=f"FREQ=WEEKLY;COUNT={event.count}", excluded=(_utc(event.nth(event.excluded)),), overrides=overrides)


def _utc(wall: datetime) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def _batches(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while batch := list(islice(rest, _BATCH)):
        yield batch
