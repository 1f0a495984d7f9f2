"""The log: every write is a line, in commit order without gaps, kept exactly, and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Reason
from gateway.model import Actor, Entry, Personal, Revision, Status
from gateway.store import Transaction
from tests.databases import Database
from tests.store.house import (
    DAY,
    DEMO,
    HOUR,
    JOHN,
    JOHNS_CLIENT,
    NOW,
    SETUP,
    TAYLOR,
    Broken,
    Place,
    booking,
    broken_off,
    every_change,
    personal,
    put,
    seen,
    shape_of,
    span,
)
from tests.store.test_entries import STRANGE, rich, texted


class TestRecord:
    def test_the_answer_is_the_line_in_the_log(self, place: Place) -> None:
        before = rich(place.calendar())
        place.add(before)
        after = replace(before, span=span(NOW + 3 * DAY, HOUR), version=13, notes="")
        at = NOW + timedelta(microseconds=123_456)
        actor = Actor("john-smith 𝒳", "mirror:7")
        with place.store.write(DEMO, actor) as tx:
            head = tx.revision
            change = tx.record(before, after, shape_of(after), at, reason=Reason.TAKEN, detail=STRANGE, proposal="0123456789abcdef")
            assert tx.revision == change.revision
        assert (change.revision, change.calendar, change.entry) == (head + 1, before.calendar, before.id)
        assert (change.before, change.after, change.actor, change.at) == (before, after, actor, at)
        assert (change.reason, change.detail, change.proposal) == (Reason.TAKEN, STRANGE, "0123456789abcdef")
        with place.store.read(DEMO) as snapshot:
            assert snapshot.revision == change.revision
            assert list(snapshot.changes(head)) == [change]
            assert list(snapshot.changes_of(before.id))[-1] == change

    @pytest.mark.parametrize("make", [rich, texted])
    def test_both_sides_of_a_line_come_back_exactly(self, place: Place, make: object) -> None:
        assert callable(make)
        entry: Entry = make(place.calendar())
        changed = (
            replace(entry, text=entry.text + STRANGE)
            if isinstance(entry, Personal)
            else replace(entry, status=Status.CANCELLED, recurrence=None, extras=())
        )
        place.add(entry)
        place.change(entry, changed)
        place.remove(changed)
        with place.store.read(DEMO) as snapshot:
            lines = snapshot.changes_of(entry.id)
        assert [(line.before, line.after) for line in lines] == [(None, entry), (entry, changed), (changed, None)]

    def test_a_plain_line_has_no_reason(self, place: Place) -> None:
        place.book()
        [line] = place.log()[-1:]
        assert (line.reason, line.detail, line.proposal) == (None, "", "")

    def test_no_entry_is_written_without_its_line(self, place: Place) -> None:
        """Whatever is done to entries, the folded log is what is held."""
        first, second, note = place.book(), place.book(NOW + 2 * DAY), place.note(span(NOW))
        place.change(first, replace(first, version=2, span=span(NOW + 4 * DAY)))
        place.cancel(second)
        place.change(note, note)
        place.remove(note)
        folded: dict[str, Entry] = {}
        for line in place.log():
            if line.after is not None:
                folded[line.after.id] = line.after
            elif line.entry is not None:
                del folded[line.entry]
        with place.store.read(DEMO) as snapshot:
            assert snapshot.entries({first.id, second.id, note.id}) == folded

    def test_revisions_count_from_one_without_gaps(self, place: Place) -> None:
        for hour in range(5):
            place.book(NOW + hour * DAY)
        with place.store.read(DEMO) as snapshot:
            assert [line.revision for line in every_change(snapshot)] == list(range(1, snapshot.revision + 1))

    def test_companies_count_for_themselves(self, place: Place, neighbour: Place) -> None:
        before = place.log()
        for day in range(3):
            neighbour.add(booking(neighbour.calendar(TAYLOR.id), NOW + day * DAY))
        assert place.log() == before
        assert place.store.revisions() == {DEMO: len(before), neighbour.company: len(neighbour.log())}

    def test_the_log_comes_in_pages(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            start = tx.revision
            calendar = tx.appointments_of(JOHN.id).id
            for _ in range(12):
                put(tx, None, personal(calendar), span(NOW))
        with place.store.read(DEMO) as snapshot:
            assert [line.revision - start for line in snapshot.changes(start, limit=5)] == [1, 2, 3, 4, 5]
            assert [line.revision - start for line in snapshot.changes(Revision(start + 5), limit=500)] == list(range(6, 13))
            assert list(snapshot.changes(snapshot.revision)) == []
            assert len(snapshot.changes(start)) == 12


class TestAppendOnly:
    def test_no_line_can_be_changed_or_taken_away_even_past_the_store(self, place: Place, database: Database) -> None:
        place.book()
        before = place.log()
        [table] = [name for name in database.tables() if name in ("change", "changes", "log", "change_log")]
        columns = _columns(database, table)
        for statement in (f"UPDATE {table} SET {columns[-1]} = {columns[-1]}", f"DELETE FROM {table}"):
            with pytest.raises(Exception, match=r"(?i)append|never|log"):
                database.ask(statement, commit=True)
        assert place.log() == before


class TestRollback:
    def test_a_failing_transaction_leaves_nothing(self, place: Place) -> None:
        booked, before = place.book(), place.log()
        with broken_off(place) as tx:
            put(tx, None, personal(booked.calendar, name="new.ics"), span(NOW))
            tx.record(booked, None, None, NOW)
            tx.save_customer(replace(tx.customer(booked.customer), name="Somebody else"))
            tx.advance("letters", tx.revision)
            tx.await_notice(booked.id, None, NOW)
            tx.remember("key", "digest", 201, "{}", NOW)
        assert place.log() == before
        with place.store.read(DEMO) as snapshot:
            held = snapshot.held(booked.calendar, booked.name)
            assert held is not None
            assert held.entry == booked
            assert snapshot.held(booked.calendar, "new.ics") is None
            assert snapshot.customer(booked.customer).name != "Somebody else"
            assert snapshot.cursor("letters") == 0
            assert seen(snapshot).last == before[-1].revision
        assert place.store.next_notice() is None
        with place.store.write(DEMO, SETUP) as tx:
            assert tx.recall("key") is None

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, GeneratorExit, SystemExit])
    def test_so_does_one_that_is_interrupted(self, place: Place, stop: type[BaseException]) -> None:
        before = place.log()
        with suppress(stop), place.store.write(DEMO, SETUP) as tx:
            put(tx, None, booking(tx.appointments_of(JOHN.id).id))
            raise stop
        assert place.log() == before
        place.book()
        assert [line.revision for line in place.log()] == list(range(1, len(before) + 2))

    def test_the_company_is_free_for_the_next_writer(self, place: Place) -> None:
        for _ in range(12):  # more than any pool of connections holds
            with broken_off(place) as tx:
                put(tx, None, booking(tx.appointments_of(JOHN.id).id))
            with pytest.raises(Broken), place.store.read(DEMO):
                raise Broken
        place.book()


class TestNamesSince:
    def test_it_says_what_is_new_changed_and_gone(self, place: Place) -> None:
        kept, moved, gone, cancelled = place.book(NOW + DAY), place.book(NOW + 2 * DAY), place.note(span(NOW)), place.book(NOW + 3 * DAY)
        token = place.see().last
        place.change(moved, replace(moved, version=2, span=span(NOW + 8 * DAY)))
        place.remove(gone)
        place.cancel(cancelled)
        fresh = place.book(NOW + 4 * DAY)
        with place.store.read(DEMO) as snapshot:
            collection = seen(snapshot)
            changed, reached = snapshot.names_since(collection, token)
            rows = {row.name: row for row in snapshot.rows(collection)}
            assert reached == collection.last
            assert set(rows) == {kept.name, moved.name, fresh.name}
            assert dict(changed) == {
                moved.name: rows[moved.name],
                fresh.name: rows[fresh.name],
                gone.name: None,
                cancelled.name: None,
            }
            assert dict(snapshot.names_since(collection, reached)[0]) == {}

    def test_what_came_and_went_in_between_is_gone(self, place: Place) -> None:
        token = place.see().last
        note = place.note(span(NOW))
        place.remove(note)
        with place.store.read(DEMO) as snapshot:
            assert dict(snapshot.names_since(seen(snapshot), token)[0]) == {note.name: None}

    def test_a_name_taken_again_shows_what_is_there_now(self, place: Place) -> None:
        note = place.note(span(NOW))
        token = place.see().last
        place.remove(note)
        again = place.note(span(NOW), name=note.name)
        with place.store.read(DEMO) as snapshot:
            changed = snapshot.names_since(seen(snapshot), token)[0]
            assert set(changed) == {note.name}
            row = changed[note.name]
            assert row is not None
            assert row.entry == again.id

    @pytest.mark.parametrize("limit", [1, 2, 3, 10])
    def test_a_name_that_came_and_went_many_times_hides_nothing_behind_it(self, place: Place, limit: int) -> None:
        first, last = place.note(span(NOW), name="first.ics"), place.note(span(NOW), name="last.ics")
        token = place.see().last
        place.remove(first)
        for _ in range(5):
            place.remove(place.note(span(NOW), name="first.ics"))
        place.remove(last)
        told: dict[str, object] = {}
        with place.store.read(DEMO) as snapshot:
            collection = seen(snapshot)
            while token < collection.last:
                changed, token = snapshot.names_since(collection, token, limit=limit)
                assert len(changed) <= limit
                told |= changed
        assert told == {"first.ics": None, "last.ics": None}

    def test_views_name_entries_by_their_ids(self, place: Place) -> None:
        token, booked = place.see(slug="company").last, place.book()
        with place.store.read(DEMO) as snapshot:
            assert set(snapshot.names_since(seen(snapshot, JOHN.id, "company"), token)[0]) == {f"{booked.id}.ics"}
        token = place.see(slug="company").last
        place.cancel(booked)
        with place.store.read(DEMO) as snapshot:
            assert dict(snapshot.names_since(seen(snapshot, JOHN.id, "company"), token)[0]) == {f"{booked.id}.ics": None}


def _columns(database: Database, table: str) -> Sequence[str]:
    if database.kind == "sqlite":
        return [row[1] for row in database.ask(f"PRAGMA table_info({table})")]
    return [row[0] for row in database.ask(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'")]


def test_a_writer_must_be_somebody(place: Place) -> None:
    with place.store.write(DEMO, JOHNS_CLIENT) as tx:
        assert isinstance(tx, Transaction)
        assert tx.actor == JOHNS_CLIENT
