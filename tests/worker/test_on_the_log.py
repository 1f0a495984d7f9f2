"""Workers on a real database: what a crash interrupts is taken up where it was, and the index of occurrences keeps rolling."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from gateway import desk
from gateway.booking import Book
from gateway.model import Actor, CompanyId, Recurrence, Span
from gateway.store import Letter, Store
from gateway.worker import Rolling, Runner
from tests.databases import Database
from tests.store.house import ANN, DEMO, NOW, OTHER, SETUP, furnish
from tests.worker.test_runner import metric

SOON = 10.0
OFTEN = timedelta(milliseconds=10)
CHANGES = 6


class Crash(BaseException):
    """The process dies: nobody gets to answer it."""


class Telling:
    """A reader that queues one letter for each change, one change in a transaction, and dies where it is told to."""

    name = "telling"

    def __init__(self, store: Store, dies_at: int = 0, *, committed: bool = False) -> None:
        self._store = store
        self._dies_at = dies_at
        self._committed = committed
        self.idle = threading.Event()

    def due(self, now: datetime) -> Sequence[CompanyId]:
        found = self._store.behind(self.name)
        if not found:
            self.idle.set()
        return found

    def next(self, now: datetime) -> datetime | None:
        return None

    def catch_up(self, company: CompanyId, now: datetime) -> bool:
        with self._store.write(company, Actor(self.name, "worker")) as tx:
            changes = tx.changes(tx.cursor(self.name), limit=1)  # none when a twin was quicker
            for change in changes:
                letter = Letter(key=f"{change.revision}", recipient=ANN.email, message=b"", entry=change.entry, kind="booked")
                assert tx.queue(letter, now), "told twice"
                tx.advance(self.name, change.revision)
            dies = any(change.revision == self._dies_at for change in changes)
            if dies and not self._committed:
                raise Crash
        if dies:
            raise Crash
        return bool(changes)


def book(store: Store, company: CompanyId = DEMO, *, week: int = 0, rule: str = "") -> None:
    start = NOW + timedelta(weeks=week, hours=2)
    with store.write(company, SETUP) as tx:
        [person, *_] = tx.all_staff()
        [service, *_], [customer, *_] = tx.services(), tx.customers()
        wish = Book(
            uid=f"{company}-{week}@example.com",
            span=Span(start, start + service.duration),
            zone="Europe/Paris",
            customer=customer.id,
            service=service.id,
            recurrence=Recurrence(rule=rule) if rule else None,
        )
        assert desk.apply(tx, SETUP, tx.appointments_of(person.id).id, f"{week}.ics", [wish], NOW)


def catch_up(store: Store, reader: Telling) -> list[str]:
    """Run until there is nothing to do, or until the reader has died; what the runner complains of."""
    runner = Runner(clock=lambda: NOW, lag=store.lag, readers=[reader], poll=OFTEN)
    runner.start()
    try:
        threads = [thread for thread in threading.enumerate() if thread.name == reader.name]
        while threads and threads[0].is_alive() and not reader.idle.wait(0.01):
            pass
        return runner.troubles()
    finally:
        runner.stop(SOON)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after the commit"])
def test_after_a_crash_every_change_is_told_exactly_once(store: Store, committed: bool) -> None:
    furnish(store)
    with store.read(DEMO) as snapshot:
        begin = snapshot.revision
    for week in range(CHANGES):
        book(store, week=week)

    assert catch_up(store, Telling(store, begin + 3, committed=committed)), "it died"
    assert store.lag(Telling.name) > 0
    assert catch_up(store, Telling(store)) == []

    assert store.lag(Telling.name) == 0
    with store.read(DEMO) as snapshot:
        told = [letter for change in snapshot.changes(begin) if change.entry for letter in snapshot.letters_of(change.entry)]
    assert len(told) == CHANGES


def test_two_processes_on_one_log_tell_every_change_once(store: Store, database: Database) -> None:
    furnish(store)
    failed = metric("gateway_reader_failed_total", Telling.name)
    for week in range(CHANGES):
        book(store, week=week)
    with store.read(DEMO) as snapshot:
        changes = [change for change in snapshot.changes(snapshot.cursor(Telling.name)) if change.entry]

    twin = Store(database.url)
    readers = [Telling(store), Telling(twin)]
    runners = [Runner(clock=lambda: NOW, lag=store.lag, readers=[reader], poll=OFTEN) for reader in readers]
    for runner in runners:
        runner.start()
    try:
        assert all(reader.idle.wait(SOON) for reader in readers)
    finally:
        stopped = [runner.stop(SOON) for runner in runners]
        twin.close()
    assert stopped == [True, True]
    assert metric("gateway_reader_failed_total", Telling.name) == failed, "nobody stumbled over the other"
    with store.read(DEMO) as snapshot:
        assert [len(snapshot.letters_of(change.entry)) for change in changes if change.entry] == [1] * len(changes)


def test_the_index_keeps_rolling_in_every_company(store: Store) -> None:
    furnish(store)
    book(store, DEMO, rule="FREQ=WEEKLY")
    book(store, OTHER, rule="FREQ=WEEKLY")
    later = NOW + desk.HORIZON - desk.ROLL + timedelta(days=1)
    assert all(unrolled(store, company, later) for company in (DEMO, OTHER))
    before = store.revisions()

    rolling = Rolling(store)
    rounds = 1
    while (again := rolling.run(later)) <= later:
        rounds += 1
        assert rounds < 10

    assert not any(unrolled(store, company, later) for company in (DEMO, OTHER))
    assert again == later + Rolling.EVERY
    assert store.revisions() == before, "nothing a client could see has changed"


def test_between_its_rounds_the_index_is_left_alone(store: Store) -> None:
    furnish(store)
    rolling = Rolling(store)
    while rolling.run(NOW) <= NOW:
        pass
    book(store, rule="FREQ=WEEKLY")
    soon = NOW + Rolling.EVERY - timedelta(seconds=1)
    assert rolling.run(soon) == NOW + Rolling.EVERY


def unrolled(store: Store, company: CompanyId, now: datetime) -> int:
    with store.write(company, SETUP) as tx:
        return len(tx.indexed_before(now + desk.ROLL, limit=10))
