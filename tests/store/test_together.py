"""Many at once: writers queue up, readers miss nothing and are never in the way, and nobody is booked twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial

import pytest

from gateway import desk
from gateway.booking import Book, Move
from gateway.errors import Reason, Refused, Unavailable
from gateway.model import Actor, Appointment, Change, EntryId, Revision
from gateway.store import Store
from tests.databases import Database
from tests.store.house import (
    ADVICE,
    ANN,
    DAY,
    DEMO,
    EMMA,
    HOUR,
    JOHN,
    NOW,
    OTHER,
    SETUP,
    TAYLOR,
    Place,
    booking,
    furnish,
    names,
    personal,
    put,
    seen,
    span,
)

WRITERS, RECORDS = 8, 25
PLATFORM = Actor("website", "rest")


@contextmanager
def stores(database: Database, number: int) -> Iterator[list[Store]]:
    """Stores as different machines would open them."""
    opened = [Store(database.url) for _ in range(number)]
    try:
        yield opened
    finally:
        for store in opened:
            store.close()


def all_at_once(work: list[Callable[[], object]]) -> list[object]:
    """What each answers; they begin together. A failure is raised."""
    start = threading.Barrier(len(work))

    def run(each: Callable[[], object]) -> object:
        start.wait()
        return each()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(run, each) for each in work]]


@pytest.mark.parametrize("machines", [1, 3])
def test_a_reader_that_remembers_where_it_was_misses_nothing(place: Place, database: Database, machines: int) -> None:
    """The hazard of numbers that are drawn before the commit: with a sequence a reader missed 188 of 480 changes."""
    start = place.log()[-1].revision if place.log() else Revision(0)
    calendars = [place.calendar(JOHN.id), place.calendar(EMMA.id)]
    writing = threading.Event()
    with stores(database, machines) as several:

        def write(number: int) -> list[Revision]:
            mine = []
            for _ in range(RECORDS):
                with several[number % machines].write(DEMO, Actor(f"writer {number}", "rest")) as tx:
                    mine.append(put(tx, None, personal(calendars[number % 2]), span(NOW)).revision)
            return mine

        def follow() -> list[Change]:
            seen_so_far: list[Change] = []
            last = start
            while True:
                finished = writing.is_set()
                with place.store.read(DEMO) as snapshot:
                    page = snapshot.changes(last, limit=7)
                    assert page or snapshot.revision == last
                seen_so_far += page
                last = page[-1].revision if page else last
                if finished and not page:
                    return seen_so_far

        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(follow)
            try:
                written = all_at_once([partial(write, number) for number in range(WRITERS)])
            finally:
                writing.set()
            changes = following.result()
    assert [change.revision for change in changes] == list(range(start + 1, start + WRITERS * RECORDS + 1))
    for number, revisions in enumerate(written):
        mine = [change.revision for change in changes if change.actor.who == f"writer {number}"]
        assert mine == revisions == sorted(mine)
    with place.store.read(DEMO) as snapshot:
        assert len(names(snapshot, seen(snapshot))) == WRITERS * RECORDS // 2
        assert max(each.last for each in snapshot.collections(JOHN.id)) == snapshot.revision


class TestSnapshots:
    def test_what_a_reader_sees_does_not_move_while_others_write(self, place: Place) -> None:
        kept, moved = place.book(), place.book(NOW + 2 * DAY)
        with place.store.read(DEMO) as snapshot:
            before = (snapshot.revision, seen(snapshot), names(snapshot, seen(snapshot)))
            with ThreadPoolExecutor(1) as other:  # a reader never blocks a writer, or this would not come to an end
                other.submit(place.change, moved, replace(moved, version=2, span=span(NOW + 5 * DAY))).result()
                other.submit(place.remove, kept).result()
                fresh = other.submit(place.note, span(NOW)).result()
            assert (snapshot.revision, seen(snapshot), names(snapshot, seen(snapshot))) == before
            held = snapshot.held(moved.calendar, moved.name)
            assert held is not None
            assert held.entry == moved
            assert snapshot.held_by_id(fresh.id) is None
            assert list(snapshot.changes(before[0])) == []
        with place.store.read(DEMO) as snapshot:
            assert snapshot.revision == before[0] + 3
            assert names(snapshot, seen(snapshot)) == {moved.name, fresh.name}

    def test_a_snapshot_opened_first_and_asked_later_is_as_old_as_it_was_opened(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            with ThreadPoolExecutor(1) as other:
                other.submit(place.book).result()
            assert list(snapshot.rows(seen(snapshot))) == []
            assert len(snapshot.changes(snapshot.revision)) == 0

    def test_what_is_read_one_by_one_is_what_is_read_at_once_and_as_old(self, place: Place) -> None:
        kept = [place.book(NOW + number * DAY) for number in range(1, 6)]
        with place.store.read(DEMO) as snapshot:
            for text in (True, False):
                assert list(snapshot.each(seen(snapshot), text=text)) == list(snapshot.rows(seen(snapshot), text=text))
            under_way = snapshot.each(seen(snapshot))
            first = next(under_way)
            with ThreadPoolExecutor(1) as other:
                other.submit(place.remove, kept[2]).result()
            assert snapshot.held_by_id(kept[2].id) is not None, "another question meanwhile"
            assert {first.name, *(row.name for row in under_way)} == {each.name for each in kept}
        with place.store.read(DEMO) as snapshot:
            left_off = snapshot.each(seen(snapshot))
            next(left_off)
        later = place.book(NOW + 9 * DAY)
        with place.store.read(DEMO) as snapshot:  # on the same connection, most likely
            assert later.name in names(snapshot, seen(snapshot))
        del left_off

    def test_who_rests_forgets_nothing(self, place: Place) -> None:
        kept = place.book()
        place.store.rest()
        with place.store.read(DEMO) as snapshot:
            place.store.rest()
            assert names(snapshot, seen(snapshot)) == {kept.name}
        place.store.close()
        place.store.rest()
        place.remove(kept)

    def test_nobody_sees_what_is_not_committed(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            entry = booking(tx.appointments_of(JOHN.id).id)
            put(tx, None, entry)
            head = tx.revision

            def look() -> tuple[int, object]:
                with place.store.read(DEMO) as snapshot:
                    return snapshot.revision, snapshot.held_by_id(entry.id)

            with ThreadPoolExecutor(1) as other:
                assert other.submit(look).result() == (head - 1, None)
                assert other.submit(place.store.revisions).result()[DEMO] == head - 1


class TestWriters:
    def test_the_next_writer_sees_what_the_one_before_it_wrote(self, place: Place) -> None:
        """Two who count the objects and add one: both never see the same number."""

        def add() -> int:
            with place.store.write(DEMO, SETUP) as tx:
                number = len(names(tx, seen(tx)))
                put(tx, None, personal(tx.appointments_of(JOHN.id).id, name=f"{number}.ics"), span(NOW))
                return number

        assert sorted(map(int, map(str, all_at_once([add] * 6)))) == list(range(6))

    def test_writers_of_other_companies_are_not_in_the_way(self, postgres_url: str) -> None:
        """On PostgreSQL; a file has one writer at a time."""
        store = Store(postgres_url)
        try:
            furnish(store)
            ours, theirs = Place(store), Place(store, OTHER)
            with store.write(DEMO, SETUP) as tx, ThreadPoolExecutor(1) as other:
                put(tx, None, booking(tx.appointments_of(JOHN.id).id))
                other.submit(theirs.add, booking(theirs.calendar(TAYLOR.id))).result()
            assert store.revisions() == {DEMO: len(ours.log()), OTHER: len(theirs.log())}
        finally:
            store.close()

    def test_a_writer_that_waits_too_long_is_told_to_come_again(self, place: Place, database: Database) -> None:
        """Another program holds the lock for longer than the five seconds that a writer waits."""
        place.book()
        before = place.log()
        take = "BEGIN IMMEDIATE" if database.kind == "sqlite" else f"SELECT 1 FROM company WHERE id = '{DEMO}' FOR UPDATE"
        with closing(database.connect()) as rude:
            rude.execute(take)
            with pytest.raises(Unavailable) as caught:
                place.book(NOW + 5 * DAY)
            assert caught.value.retry_after > 0
            assert place.log() == before  # readers do not wait
            rude.rollback()
        place.book(NOW + 5 * DAY)
        assert len(place.log()) == len(before) + 1


class TestBooking:
    def book(self, store: Store, hour: int) -> Change | Refused | None:
        name = f"{hour}-{threading.get_ident()}.ics"
        wish = Book(uid=name, span=span(NOW + DAY + hour * HOUR), zone="UTC", customer=ANN.id, service=ADVICE.id)
        try:
            with store.write(DEMO, PLATFORM) as tx:
                return desk.apply(tx, PLATFORM, tx.appointments_of(JOHN.id).id, name, [wish], NOW)
        except Refused as refused:
            return refused

    def test_of_several_who_want_the_same_hour_one_gets_it(self, place: Place, database: Database) -> None:
        with stores(database, 3) as several:
            for hour in range(6):
                answers = all_at_once([partial(self.book, store, hour) for store in several])
                assert sum(isinstance(answer, Change) for answer in answers) == 1
                assert {answer.reason for answer in answers if isinstance(answer, Refused)} == {Reason.TAKEN}
        with place.store.read(DEMO) as snapshot:
            assert len(snapshot.appointments(staff=[JOHN.id], window=None)) == 6

    def test_of_two_who_move_onto_the_same_hour_one_gets_it(self, place: Place, database: Database) -> None:
        with stores(database, 2) as several:
            for store, hour in zip(several, (0, 2), strict=True):
                self.book(store, hour)
            with place.store.read(DEMO) as snapshot:
                both = [held.entry.id for held in snapshot.appointments(staff=[JOHN.id], window=None)]

            def move(store: Store, entry: EntryId) -> Change | Refused | None:
                try:
                    with store.write(DEMO, PLATFORM) as tx:
                        return desk.apply_to(tx, PLATFORM, entry, [Move(span=span(NOW + 5 * DAY))], NOW)
                except Refused as refused:
                    return refused

            answers = all_at_once([partial(move, store, entry) for store, entry in zip(several, both, strict=True)])
        assert sorted(type(answer).__name__ for answer in answers) == ["Change", "Refused"]
        with place.store.read(DEMO) as snapshot:
            spans = [held.entry.span for held in snapshot.appointments(staff=None, window=None) if isinstance(held.entry, Appointment)]
        assert not any(a.overlaps(b) for number, a in enumerate(spans) for b in spans[:number])
