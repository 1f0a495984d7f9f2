"""A test appointment: booked for the staff member's own calendar, with the staff member in the customer's place, and taken away again.

It goes the road of every appointment, so it shows up wherever those do; and whoever drags it gets the very letter a customer would get.
Nobody is written to when it is made or taken away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway import desk
from gateway.booking import Book, Cancel
from gateway.errors import Refused
from gateway.model import Actor, Appointment, CompanyId, Customer, CustomerId, EntryId, Span, Staff, Status
from gateway.store import Snapshot, Transaction, fresh_id
from gateway.web.languages import chosen
from gateway.web.problems import Problem
from gateway.web.site.frame import Answer, Ask, Route, Went, Who
from gateway.web.site.guest import guest_of

AHEAD = timedelta(days=21)
"""How far ahead a free time is looked for, from tomorrow on."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The test appointment that there is, and when it takes place in the staff member's zone."""

    entry: EntryId
    when: str


def standing(ask: Ask, snapshot: Snapshot, person: Staff) -> Trial | None:
    """The one that has been made and lies ahead."""
    window = Span(ask.now, ask.now + AHEAD + timedelta(days=60))
    for held in snapshot.appointments(staff=[person.id], window=window):
        entry = held.entry
        if isinstance(entry, Appointment) and entry.customer == _customer(person) and entry.status is not Status.CANCELLED:
            return Trial(entry.id, ask.language.stretch(entry.span.start, entry.span.end, person.zone))
    return None


def press(ask: Ask) -> Answer:
    """The button on one's own page."""
    with ask.store.read(ask.company) as snapshot:
        person = snapshot.staff(ask.own_staff())
    return _pressed(ask, ask.company, person, "/me")


def press_invited(ask: Ask) -> Answer:
    """The button of the page an invitation leads to."""
    guest = guest_of(ask)
    return _pressed(ask, guest.company, guest.person, f"/connect/{ask.match['token']}")


def _pressed(ask: Ask, company: CompanyId, person: Staff, back: str) -> Answer:
    what, actor = ask.field("do"), Actor(person.email or person.handle, "import")  # silent: nobody is told
    if what not in ("make", "remove"):
        raise Problem(400, ask.say("Please use one of the buttons."))
    with ask.store.write(company, actor) as tx:
        there = standing(ask, tx, person)
        if what == "make" and there is None:
            _make(ask, tx, actor, person)
        elif what == "remove" and there is not None:
            desk.apply_to(tx, actor, there.entry, [Cancel()], ask.now)
    ask.parts.wake()
    return Went(back, "trial-made" if what == "make" else "trial-removed")


def _make(ask: Ask, tx: Transaction, actor: Actor, person: Staff) -> None:
    services = sorted(tx.services(), key=lambda each: (each.duration, each.name))
    if not services:
        raise Problem(409, ask.say("There is no service yet that could be booked. Ask an administrator of your company."))
    said, calendar = chosen(person.locale or tx.company.locale, ""), tx.appointments_of(person.id)
    customer = Customer(
        id=_customer(person),
        name=said.say("Test appointment"),
        email=person.email,
        locale=person.locale or tx.company.locale,
        zone=person.zone,
    )
    desk.save_customer(tx, customer, ask.now)
    tomorrow = ask.now + timedelta(days=1)
    name = fresh_id()
    for span in desk.openings(tx, person.id, services[0], Span(tomorrow, tomorrow + AHEAD)):
        wish = Book(uid=f"{name}@test", span=span, zone=person.zone, customer=customer.id, service=services[0].id)
        try:
            desk.apply(tx, actor, calendar.id, f"{name}.ics", [wish], ask.now)
        except Refused:  # somebody was quicker
            continue
        return
    raise Problem(409, ask.say("There is no free time within three weeks. Look at the working hours and the busy times first."))


def _customer(person: Staff) -> CustomerId:
    return CustomerId(f"test-{person.id}")


ROUTES = (
    Route("POST", "/me/trial", press, Who.SIGNED_IN),
    Route("POST", "/connect/{token}/trial", press_invited, Who.ANYBODY),
)
