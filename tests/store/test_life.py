"""The life of a company as a machine: whatever people do, in whatever order, log, listings, tokens, views and books agree."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from gateway import desk
from gateway.booking import Book, Cancel, Erase, Intent, Move, Write
from gateway.errors import Reason, Refused
from gateway.model import (
    Actor,
    Appointment,
    Change,
    CompanyId,
    Entry,
    EntryId,
    Group,
    GroupId,
    Revision,
    Span,
    Staff,
    StaffId,
    Status,
)
from gateway.store import Collection, Row, Snapshot, Store, fresh_id
from tests.store.house import ADVICE, ANN, COMPANY, DAY, EMMA, HOUR, JOHN, NOW, SETUP, every_change, span

PLATFORM = Actor("website", "rest")
PEOPLE = (JOHN, EMMA)
SLUGS = ("appointments", "group-front", "company")
EVER = Span(NOW - 100 * DAY, NOW + 100 * DAY)
WHO = st.sampled_from([person.id for person in PEOPLE])
SLOT = st.integers(0, 7)  # half hours of one day, so that people meet
WHICH = st.integers(0, 99)
Told = tuple[Collection, dict[str, Row]]  # what one viewer is shown of one collection


@dataclass
class Known:
    """What the model believes of one entry."""

    staff: StaffId
    name: str
    span: Span
    appointment: bool


class Client:
    """A calendar program: what it holds of one collection, by what it was told. It does not know the model."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}
        self.collection: Collection | None = None
        self.token = Revision(0)

    def sync(self, snapshot: Snapshot, staff: StaffId, slug: str, limit: int | None) -> bool:
        """One request; whether everything was told. A void token means starting over (RFC 6578 §3.2)."""
        now = snapshot.collection(staff, slug)
        if now is None or self.collection is None or now.since != self.collection.since:
            self.held, self.token = {}, Revision(0)
        self.collection = now
        if now is None:
            return True
        changed, reached = snapshot.names_since(now, self.token, limit=limit)
        assert limit is None or len(changed) <= limit
        self.held.update({name: row.revision for name, row in changed.items() if row is not None})
        for name, row in changed.items():
            if row is None:
                self.held.pop(name, None)
        assert reached == now.last or reached > self.token
        self.token = reached
        return reached == now.last


class Life(RuleBasedStateMachine):
    """One company of John and Emma, who are sometimes both at the front desk, and a neighbour that nobody touches."""

    store: ClassVar[Store]

    @initialize()
    def found(self) -> None:
        self.company, self.neighbour = (CompanyId(fresh_id()) for _ in range(2))
        self.entries: dict[EntryId, Known] = {}
        self.names: dict[StaffId, list[str]] = {person.id: [] for person in PEOPLE}
        self.clients = {(person.id, slug): Client() for person in PEOPLE for slug in SLUGS}
        self.folded: dict[EntryId, Entry] = {}
        self.read_to = Revision(0)
        for company in (self.company, self.neighbour):
            self.store.found(replace(COMPANY, id=company, slug=company))
            with self.store.write(company, SETUP) as tx:
                for person in PEOPLE:
                    handle = f"{person.id}-{company}"
                    tx.save_staff(Staff(id=person.id, handle=handle, name=person.name, email=f"{handle}@example.com", zone="Europe/Paris"))
                tx.save_service(ADVICE)
                tx.save_customer(ANN)
                tx.save_group(Group(id=GroupId("front"), slug="front", name="Front desk", members=(JOHN.id, EMMA.id)))
        with self.store.write(self.neighbour, SETUP) as tx:
            desk.apply(tx, SETUP, tx.appointments_of(JOHN.id).id, "theirs.ics", [booked(0)], NOW)
        self.theirs = self.everything(self.neighbour)
        self.told = self.everything(self.company)

    # what people do

    @rule(staff=WHO, slot=SLOT)
    def book(self, staff: StaffId, slot: int) -> None:
        wish, name = booked(slot), self.fresh_name(staff)
        change = self.act(staff, name, wish, taken=self.taken(staff, wish.span))
        if change is not None:
            self.keep(change, Known(staff, name, wish.span, True))

    @rule(staff=WHO, slot=SLOT)
    def write(self, staff: StaffId, slot: int) -> None:
        name = self.fresh_name(staff)
        change = self.act(staff, name, written(name, slot))
        assert change is not None
        self.keep(change, Known(staff, name, half_hour(slot), False))

    @precondition(lambda self: self.entries)
    @rule(which=WHICH, slot=SLOT)
    def move(self, which: int, slot: int) -> None:
        """An appointment by the platform, a personal event by the client that wrote it."""
        entry, known = self.chosen(which)
        new = half_hour(slot)
        if not known.appointment:
            self.act(known.staff, known.name, written(known.name, slot), nothing=new == known.span)
        elif (
            self.act(known.staff, known.name, Move(span=new), taken=self.taken(known.staff, new, entry), nothing=new == known.span) is None
        ):
            return
        known.span = new

    @precondition(lambda self: self.entries)
    @rule(which=WHICH)
    def end(self, which: int) -> None:
        """A cancelled appointment keeps its name; the name of an erased event may come again."""
        entry, known = self.chosen(which)
        self.act(known.staff, known.name, Cancel() if known.appointment else Erase())
        del self.entries[entry]
        if not known.appointment:
            self.names[known.staff].append(known.name)

    @precondition(lambda self: self.entries)
    @rule(which=WHICH)
    def turn_back(self, which: int) -> None:
        """The entry does not change, its ETag does."""
        _, known = self.chosen(which)
        refused = Refused(Reason.TAKEN, "That time is already taken.")
        with self.store.write(self.company, Actor(known.staff, "dav")) as tx:
            before = tx.held(tx.appointments_of(known.staff).id, known.name)
            change = desk.turn_back(tx, tx.actor, tx.appointments_of(known.staff).id, known.name, refused, "wish", NOW)
            after = tx.held(tx.appointments_of(known.staff).id, known.name)
        assert before is not None
        assert after is not None
        assert change is not None
        assert (after.entry, after.text, after.revision > before.revision) == (before.entry, before.text, True)

    @rule(staff=WHO, slug=st.sampled_from(SLUGS), colour=st.sampled_from(["red", "green", None]))
    def paint(self, staff: StaffId, slug: str, colour: str | None) -> None:
        with self.store.write(self.company, Actor(staff, "dav")) as tx:
            collection = tx.collection(staff, slug)
            if collection is not None:
                tx.set_properties(staff, collection, {"colour": colour}, NOW)

    @rule(members=st.sampled_from([(), (JOHN.id,), (EMMA.id,), (JOHN.id, EMMA.id), (EMMA.id, JOHN.id)]))
    def join_and_leave(self, members: tuple[StaffId, ...]) -> None:
        with self.store.write(self.company, PLATFORM) as tx:
            tx.save_group(replace(tx.group(GroupId("front")), members=members))

    @rule(staff=WHO, slot=SLOT)
    def fail(self, staff: StaffId, slot: int) -> None:
        """Something of ours breaks after the write: nothing has happened."""
        try:
            with self.store.write(self.company, PLATFORM) as tx:
                desk.apply(tx, PLATFORM, tx.appointments_of(staff).id, f"{fresh_id()}.ics", [written(fresh_id(), slot)], NOW)
                raise ZeroDivisionError
        except ZeroDivisionError:
            assert self.everything(self.company) == self.told

    # who follows

    @rule(staff=WHO, slug=st.sampled_from(SLUGS), limit=st.sampled_from([None, 1, 2, 5]))
    def sync(self, staff: StaffId, slug: str, limit: int | None) -> None:
        """With whatever token the client was left with; a cut answer is continued at another time."""
        with self.store.read(self.company) as snapshot:
            if self.clients[staff, slug].sync(snapshot, staff, slug, limit):
                self.agree(snapshot, staff, slug)

    @rule(limit=st.sampled_from([1, 3, 500]))
    def catch_up(self, limit: int) -> None:
        """A reader of the log, page by page, with a cursor in the store."""
        with self.store.write(self.company, SETUP) as tx:
            assert tx.cursor("reader") == self.read_to
            for change in tx.changes(self.read_to, limit=limit):
                assert change.revision == self.read_to + 1
                self.read_to = change.revision
                if change.entry is not None:
                    assert change.before == self.folded.get(change.entry)
                    if change.after is None:
                        del self.folded[change.entry]
                    else:
                        self.folded[change.entry] = change.after
            tx.advance("reader", self.read_to)
            if self.read_to == tx.revision:
                assert tx.entries(self.folded) == self.folded
                alive = {
                    key for key, entry in self.folded.items() if not isinstance(entry, Appointment) or entry.status is not Status.CANCELLED
                }
                assert alive == set(self.entries)

    # what is always so

    @invariant()
    def the_log_has_no_gap(self) -> None:
        with self.store.read(self.company) as snapshot:
            assert [change.revision for change in every_change(snapshot)] == list(range(1, snapshot.revision + 1))
            assert self.store.revisions()[self.company] == snapshot.revision

    @invariant()
    def a_ctag_moves_when_what_is_shown_does_and_with_its_own_calendars_only(self) -> None:
        now = self.everything(self.company)
        for place, (collection, rows) in now.items():
            if place not in self.told:
                continue
            before, shown = self.told[place]
            moved = collection.last != before.last
            visible = rows != shown or collection.properties != before.properties or set(collection.calendars) != set(before.calendars)
            assert collection.last >= before.last
            assert moved >= visible, (place, "changed unnoticed")
            if not collection.view:
                assert moved <= visible, (place, "moved for nothing")
            elif moved:  # a view's own log lines, or those of its members, whose personal events it does not show
                members = [now[person.id, "appointments"][0].last != self.told[person.id, "appointments"][0].last for person in PEOPLE]
                assert visible or any(members), (place, "moved for nothing")
        self.told = now

    @invariant()
    def every_listing_shows_what_there_is(self) -> None:
        with self.store.read(self.company) as snapshot:
            calendars = {person.id: snapshot.appointments_of(person.id).id for person in PEOPLE}
        members = {"appointments": set[StaffId](), "company": {person.id for person in PEOPLE}}
        for (staff, slug), (collection, rows) in self.told.items():
            if not collection.view:
                assert set(rows) == {known.name for known in self.entries.values() if known.staff == staff}
                continue
            shown = members.get(slug) or {person for person, calendar in calendars.items() if calendar in collection.calendars}
            assert set(rows) == {f"{entry}.ics" for entry, known in self.entries.items() if known.appointment and known.staff in shown}

    @invariant()
    def everybody_is_busy_when_the_books_say_so_and_nobody_is_booked_twice(self) -> None:
        with self.store.read(self.company) as snapshot:
            for person in PEOPLE:
                found = {(entry, occurrence.span) for entry, occurrence in snapshot.busy(person.id, EVER)}
                assert found == {(entry, known.span) for entry, known in self.entries.items() if known.staff == person.id}
                spans = sorted(known.span for known in self.entries.values() if known.staff == person.id and known.appointment)
                assert all(earlier.end <= later.start for earlier, later in pairwise(spans))

    @invariant()
    def the_neighbour_stands_still(self) -> None:
        assert self.everything(self.neighbour) == self.theirs

    def teardown(self) -> None:
        """Everybody catches up in the end."""
        if not hasattr(self, "told"):
            return
        self.catch_up(limit=500)
        with self.store.read(self.company) as snapshot:
            assert self.read_to == snapshot.revision
            for (staff, slug), client in self.clients.items():
                for _ in range(snapshot.revision + 2):
                    if client.sync(snapshot, staff, slug, 2):
                        break
                self.agree(snapshot, staff, slug)

    # tools

    def act(self, staff: StaffId, name: str, wish: Intent, *, taken: bool = False, nothing: bool = False) -> Change | None:
        """By the platform; None when it was refused, as expected, or changed nothing, as expected."""
        with pytest.raises(Refused) if taken and not nothing else nullcontext() as caught, self.store.write(self.company, PLATFORM) as tx:
            change = desk.apply(tx, PLATFORM, tx.appointments_of(staff).id, name, [wish], NOW)
        if caught is not None:
            assert caught.value.reason is Reason.TAKEN
            return None
        assert (change is None) is nothing
        return change

    def taken(self, staff: StaffId, span: Span, without: EntryId | None = None) -> bool:
        mine = [known for entry, known in self.entries.items() if known.staff == staff and entry != without]
        return any(known.span.overlaps(span) for known in mine)

    def keep(self, change: Change, known: Known) -> None:
        assert change.entry is not None
        self.entries[change.entry] = known

    def chosen(self, which: int) -> tuple[EntryId, Known]:
        return list(self.entries.items())[which % len(self.entries)]

    def fresh_name(self, staff: StaffId) -> str:
        return self.names[staff].pop() if self.names[staff] else f"{fresh_id()}.ics"

    def everything(self, company: CompanyId) -> dict[tuple[StaffId, str], Told]:
        with self.store.read(company) as snapshot:
            return {
                (person.id, collection.slug): (collection, {row.name: row for row in snapshot.rows(collection, text=True)})
                for person in PEOPLE
                for collection in snapshot.collections(person.id)
            }

    def agree(self, snapshot: Snapshot, staff: StaffId, slug: str) -> None:
        collection = snapshot.collection(staff, slug)
        listed = {row.name: row.revision for row in snapshot.rows(collection)} if collection is not None else {}
        assert self.clients[staff, slug].held == listed


def half_hour(slot: int) -> Span:
    return span(NOW + DAY + slot * HOUR / 2)


def booked(slot: int) -> Book:
    return Book(uid=f"{fresh_id()}@example.com", span=half_hour(slot), zone="Europe/Paris", customer=ANN.id, service=ADVICE.id)


def written(name: str, slot: int) -> Write:
    def form(instant: datetime) -> str:
        return f"{instant:%Y%m%dT%H%M%SZ}"

    when = half_hour(slot)
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//Test//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{name}\r\nDTSTAMP:{form(NOW)}\r\nDTSTART:{form(when.start)}\r\nDTEND:{form(when.end)}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    return Write(uid=name, component="VEVENT", text=text)


@pytest.fixture
def machine(store: Store) -> Callable[[], Any]:
    return type("LifeOnThisStore", (Life,), {"store": store})


def test_whatever_people_do_everything_agrees(machine: Any, request: pytest.FixtureRequest) -> None:
    few = "postgresql" in request.node.name
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6 if few else 25,
            stateful_step_count=20,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
