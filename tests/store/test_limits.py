"""The law of limited answers: a client that synchronises by small steps, however often it stops, misses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model import Appointment, CompanyId, Entry, Personal, Revision, StaffId, Status
from gateway.store import Collection, Snapshot, Store, fresh_id
from tests.store.house import ADVICE, ANN, COMPANY, DAY, EMMA, JOHN, NOW, SETUP, booking, every_change, personal, seen, shape_of, span

ACTS = st.lists(st.tuples(st.sampled_from(["add", "change", "touch", "end", "sync"]), st.integers(0, 5)), min_size=1, max_size=25)
SLUGS = ("appointments", "company")


class Client:
    """What a calendar program holds of one collection: name → revision, by answers of at most `limit` names."""

    def __init__(self, slug: str, limit: int) -> None:
        self.slug, self.limit = slug, limit
        self.held: dict[str, int] = {}
        self.token: Revision | None = None

    def step(self, snapshot: Snapshot) -> bool:
        """One request; whether everything is told."""
        collection = seen(snapshot, StaffId(f"{JOHN.id}-{snapshot.company.id}"), self.slug)
        after = collection.since if self.token is None else self.token
        if self.token is None:
            self.held = {}
            after = Revision(0)
        else:
            assert snapshot.issued(collection, after)
        changed, reached = snapshot.names_since(collection, after, limit=self.limit)
        assert len(changed) <= self.limit
        assert after <= reached <= collection.last
        assert reached == collection.last or reached > after
        for name, row in changed.items():
            if row is None:
                self.held.pop(name, None)
            else:
                self.held[name] = row.revision
        self.token = reached
        return reached == collection.last

    def agrees(self, snapshot: Snapshot, collection: Collection) -> bool:
        return self.held == {row.name: row.revision for row in snapshot.rows(collection)}


def found(store: Store) -> tuple[CompanyId, StaffId]:
    """A company of its own for one example, with two people of its own."""
    company = CompanyId(fresh_id())
    store.found(replace(COMPANY, id=company, slug=company))
    with store.write(company, SETUP) as tx:
        for person in (JOHN, EMMA):
            name = f"{person.id}-{company}"
            tx.save_staff(replace(person, id=StaffId(name), handle=name, email=f"{name}@example.com"))
        tx.save_service(ADVICE)
        tx.save_customer(ANN)
    return company, StaffId(f"{JOHN.id}-{company}")


def act(store: Store, company: CompanyId, staff: StaffId, alive: list[Entry], deed: str, number: int, at: datetime) -> None:
    """One write. Names are few, so that one is taken again and again once it is free; a cancelled appointment keeps its own."""
    with store.write(company, SETUP) as tx:
        if deed == "add":
            calendar = tx.appointments_of(staff).id
            kept = {line.after.name for line in every_change(tx) if isinstance(line.after, Appointment)} | {each.name for each in alive}
            name = next(name for name in (f"{place}.ics" for place in range(100)) if name not in kept)
            make = booking if number == 0 else personal
            entry: Entry = make(calendar, id=fresh_id(), name=name, **({"start": at} if number == 0 else {}))
            tx.record(None, entry, shape_of(entry, span(at)), NOW)
            alive.append(entry)
            return
        if not alive:
            return
        before = alive.pop(number % len(alive))
        after: Entry | None = before
        if deed == "change":
            after = replace(before, uid=before.uid) if isinstance(before, Personal) else replace(before, version=before.version + 1)
        elif deed == "end":
            after = replace(before, status=Status.CANCELLED, version=before.version + 1) if isinstance(before, Appointment) else None
        tx.record(before, after, None if after is None else shape_of(after, span(at)), NOW)
        if deed != "end" and after is not None:
            alive.append(after)


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, limit=st.integers(1, 6))
def test_a_client_that_synchronises_by_small_steps_misses_nothing(store: Store, slug: str, acts: list[tuple[str, int]], limit: int) -> None:
    company, staff = found(store)
    client, alive = Client(slug, limit), list[Entry]()
    for number, (deed, choice) in enumerate(acts):
        if deed == "sync":  # one step only: whatever is cut off must come later
            with store.read(company) as snapshot:
                if client.step(snapshot):
                    assert client.agrees(snapshot, seen(snapshot, staff, slug))
        else:
            act(store, company, staff, alive, deed, choice, NOW + (number + 1) * DAY)
    with store.read(company) as snapshot:
        for _ in range(len(acts) + 2):
            if client.step(snapshot):
                break
        else:
            pytest.fail("the steps do not come to an end")
        assert client.agrees(snapshot, seen(snapshot, staff, slug))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_every_earlier_state_and_what_changed_since_make_the_present(store: Store, acts: list[tuple[str, int]]) -> None:
    company, staff = found(store)
    alive, states = list[Entry](), list[tuple[Revision, dict[str, int]]]()
    for number, (deed, choice) in enumerate(acts):
        with store.read(company) as snapshot:
            collection = seen(snapshot, staff)
            states.append((collection.last, {row.name: row.revision for row in snapshot.rows(collection)}))
        act(store, company, staff, alive, "touch" if deed == "sync" else deed, choice, NOW + (number + 1) * DAY)
    with store.read(company) as snapshot:
        collection = seen(snapshot, staff)
        present = {row.name: row.revision for row in snapshot.rows(collection)}
        for token, held in states:
            changed, reached = snapshot.names_since(collection, token)
            assert reached == collection.last
            held |= {name: row.revision for name, row in changed.items() if row is not None}
            assert {name: revision for name, revision in held.items() if not (name in changed and changed[name] is None)} == present
