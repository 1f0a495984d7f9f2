"""Entries as they stand: found by name, id and UID, listed as objects, and kept exactly as they were recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Conflict, Missing
from gateway.model import Appointment, CalendarId, Entry, EntryId, Override, Personal, Recurrence, Revision, Status
from gateway.store import Row
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, SETUP, Place, booking, names, personal, put, seen, shape_of, span

STRANGE = "𝒳 \x7f é\u0301 \u202e👩‍👩‍👧 ' \" % \\ \r\n\t;,:"
MICRO = timedelta(microseconds=1)


def rich(calendar: CalendarId, id: str = "rich") -> Appointment:
    """An appointment with everything that can be said of one."""
    start = NOW + DAY + MICRO
    return booking(
        calendar,
        start,
        HOUR,
        id=id,
        status=Status.TENTATIVE,
        recurrence=Recurrence(
            rule="FREQ=WEEKLY;COUNT=10",
            excluded=(start + 7 * DAY, start + 14 * DAY),
            overrides=(
                Override(at=start + 21 * DAY, span=span(start + 22 * DAY, HOUR + MICRO), extras=("X-A:1", "BEGIN:VALARM\nEND:VALARM")),
                Override(at=start + 28 * DAY, span=span(start + 28 * DAY + HOUR, HOUR)),
            ),
        ),
        notes=STRANGE,
        sequence=7,
        version=12,
        extras=(f"X-STRANGE:{STRANGE}", "", "BEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM"),
        created=NOW - 400 * DAY + MICRO,
        changed=NOW + 2 * MICRO,
    )


def texted(calendar: CalendarId, id: str = "texted") -> Personal:
    text = f"BEGIN:VCALENDAR\r\nX-STRANGE:{STRANGE}\r\n folded\nEND:VCALENDAR"
    return personal(calendar, id=id, text=text, component="VTODO", uid=STRANGE, created=NOW + MICRO, changed=NOW + MICRO)


class TestHolding:
    @pytest.mark.parametrize("make", [rich, texted, booking, personal])
    def test_an_entry_comes_back_exactly(self, place: Place, make: object) -> None:
        assert callable(make)
        entry: Entry = make(place.calendar())
        change = place.add(entry, text="text of its own\r\n" + STRANGE)
        with place.store.read(DEMO) as snapshot:
            held = snapshot.held(entry.calendar, entry.name)
            assert held is not None
            assert (held.entry, held.revision, held.text) == (entry, change.revision, "text of its own\r\n" + STRANGE)
            assert snapshot.held_by_id(entry.id) == held
            assert snapshot.held_by_uid(entry.calendar, entry.uid) == held
            assert snapshot.entries([entry.id]) == {entry.id: entry}

    def test_what_is_not_there_is_not_held(self, place: Place) -> None:
        booked = place.book()
        elsewhere = place.calendar(EMMA.id)
        with place.store.read(DEMO) as snapshot:
            for calendar, name in (
                (booked.calendar, "x.ics"),
                (elsewhere, booked.name),
                (booked.calendar, ""),
                (booked.calendar, booked.name.upper()),
            ):
                assert snapshot.held(calendar, name) is None
            assert snapshot.held_by_id(EntryId("x")) is None
            assert snapshot.held_by_uid(elsewhere, booked.uid) is None
            assert snapshot.held_by_uid(booked.calendar, booked.uid.upper()) is None
            assert snapshot.entries([EntryId("x")]) == {}
            assert snapshot.entries([]) == {}

    def test_many_entries_are_found_at_once(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            calendar = tx.appointments_of(JOHN.id).id
            notes = [personal(calendar) for _ in range(520)]
            for note in notes:
                put(tx, None, note, span(NOW))
        with place.store.read(DEMO) as snapshot:
            assert len(snapshot.entries(note.id for note in notes)) == 520
            assert len(snapshot.rows_named(seen(snapshot), [note.name for note in notes] + ["x"])) == 520
            assert len(snapshot.rows(seen(snapshot))) == 520

    def test_a_changed_entry_has_a_new_revision_and_text(self, place: Place) -> None:
        before = place.book()
        after = replace(before, span=span(before.span.start + HOUR), version=2, sequence=1)
        change = place.change(before, after)
        with place.store.read(DEMO) as snapshot:
            held = snapshot.held(before.calendar, before.name)
            assert held is not None
            assert (held.entry, held.revision, held.text) == (after, change.revision, shape_of(after).text)

    def test_an_erased_entry_is_gone_and_its_name_and_uid_are_free(self, place: Place) -> None:
        note = place.note(span(NOW))
        place.remove(note)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.held(note.calendar, note.name) is None
            assert snapshot.held_by_id(note.id) is None
            assert snapshot.held_by_uid(note.calendar, note.uid) is None
            assert names(snapshot, seen(snapshot)) == set()
        again = personal(note.calendar, name=note.name, uid=note.uid)
        place.add(again, span(NOW))
        with place.store.read(DEMO) as snapshot:
            found = snapshot.held(note.calendar, note.name)
            assert found is not None
            assert found.entry == again

    def test_a_touch_gives_a_new_revision_to_the_same_entry(self, place: Place) -> None:
        booked = place.book()
        change = place.change(booked, booked, text="the same, told anew")
        with place.store.read(DEMO) as snapshot:
            held = snapshot.held(booked.calendar, booked.name)
            assert held is not None
            assert (held.entry, held.revision, held.text) == (booked, change.revision, "the same, told anew")
            assert seen(snapshot).last == change.revision


class TestCancelled:
    def test_a_cancelled_appointment_is_held_by_its_id_only(self, place: Place) -> None:
        booked = place.book()
        change = place.cancel(booked)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.held(booked.calendar, booked.name) is None
            found = snapshot.held_by_id(booked.id)
            assert found is not None
            assert isinstance(found.entry, Appointment)
            assert (found.entry.status, found.revision) == (Status.CANCELLED, change.revision)
            for slug in ("appointments", "group-front", "company"):
                collection = seen(snapshot, JOHN.id, slug)
                assert list(snapshot.rows(collection)) == []
                assert snapshot.rows_named(collection, [booked.name, f"{booked.id}.ics"]) == {}
                assert list(snapshot.rows_within(collection, (None, None))) == []
            assert list(snapshot.busy(JOHN.id, span(NOW, 30 * DAY))) == []

    def test_it_keeps_its_name_and_its_uid(self, place: Place) -> None:
        """So that whoever still has it can be told what became of it, and no other object is taken for it."""
        booked = place.book()
        place.cancel(booked)
        before = place.log()
        for taken in ({"name": booked.name}, {"uid": booked.uid}):
            with pytest.raises(Conflict):
                place.note(span(NOW), **taken)
        assert place.log() == before
        with place.store.read(DEMO) as snapshot:
            assert snapshot.held_by_uid(booked.calendar, booked.uid) is None


class TestConflicts:
    def test_a_name_and_a_uid_are_taken_once_in_a_calendar(self, place: Place) -> None:
        note = place.note(span(NOW))
        before = place.log()
        with pytest.raises(Conflict) as caught:
            place.note(span(NOW), uid=note.uid)
        assert (caught.value.condition, caught.value.href) == ("no-uid-conflict", note.name)
        with pytest.raises(Conflict):
            place.note(span(NOW), name=note.name)
        assert place.log() == before
        place.note(span(NOW), staff=EMMA.id, name=note.name, uid=note.uid)

    def test_what_is_no_longer_there_cannot_be_changed(self, place: Place) -> None:
        note = place.note(span(NOW))
        place.remove(note)
        before = place.log()
        for write in (lambda: place.change(note, replace(note, text="x")), lambda: place.remove(note)):
            with pytest.raises(Conflict):
                write()
        assert place.log() == before

    @pytest.mark.parametrize("field", ["id", "calendar", "name"])
    def test_an_entry_does_not_become_another(self, place: Place, field: str) -> None:
        note = place.note(span(NOW))
        other = place.calendar(EMMA.id) if field == "calendar" else "other"
        with pytest.raises(ValueError, match="keeps"):
            place.change(note, replace(note, **{field: other}))

    def test_an_entry_has_a_calendar(self, place: Place) -> None:
        with pytest.raises(Missing):
            place.add(personal(CalendarId("nowhere")))

    def test_long_names_and_uids_are_kept(self, place: Place) -> None:
        note = place.note(span(NOW), name="ü" * 120 + ".ics", uid="𝒳" * 500 + "é" * 500)
        with place.store.read(DEMO) as snapshot:
            held = snapshot.held_by_uid(note.calendar, note.uid)
            assert held is not None
            assert held.entry == note
            assert snapshot.held(note.calendar, note.name) == held


class TestVersions:
    def test_every_version_is_found_in_the_log(self, place: Place) -> None:
        versions = [place.book()]
        for number in range(2, 5):
            versions.append(replace(versions[-1], version=number, span=span(NOW + number * DAY)))
            place.change(versions[-2], versions[-1])
        noted = replace(versions[-1], extras=("X-A:1",))  # the same version, annotated
        place.change(versions[-1], noted)
        with place.store.read(DEMO) as snapshot:
            for entry in versions[:-1]:
                assert snapshot.version(entry.id, entry.version) == entry
            newest = snapshot.version(noted.id, noted.version)
            assert newest is not None
            assert newest.span == noted.span
            assert snapshot.version(noted.id, 99) is None
            assert snapshot.version(EntryId("x"), 1) is None

    def test_a_personal_event_has_no_versions(self, place: Place) -> None:
        note = place.note(span(NOW))
        with place.store.read(DEMO) as snapshot:
            assert snapshot.version(note.id, 1) is None


class TestListings:
    def test_rows_come_in_the_order_of_names_with_text_only_when_asked(self, place: Place) -> None:
        calendar = place.calendar()
        entries = {name: place.note(span(NOW), name=name) for name in ("b.ics", "A.ics", "é.ics", "a.ics", "10.ics", "9.ics")}
        with place.store.read(DEMO) as snapshot:
            rows = snapshot.rows(seen(snapshot))
            assert [row.name for row in rows] == sorted(entries)
            assert all(row.text is None for row in rows)
            for row in snapshot.rows(seen(snapshot), text=True):
                entry = entries[row.name]
                held = snapshot.held(calendar, row.name)
                assert held is not None
                assert row == Row(row.name, entry.id, calendar, held.revision, entry.uid, entry.component, entry.text.encode())

    def test_rows_tell_the_version_of_an_appointment_and_none_of_anything_else(self, place: Place) -> None:
        first, note = place.book(NOW + DAY), place.note(span(NOW + DAY))
        place.change(first, replace(first, version=2))
        with place.store.read(DEMO) as snapshot:
            collection, window = seen(snapshot), (NOW, NOW + 3 * DAY)
            named = {first.name: 2, note.name: None}
            changed, _ = snapshot.names_since(collection, Revision(0))
            for rows in (
                snapshot.rows(collection),
                snapshot.rows(collection, text=True),
                snapshot.rows_named(collection, [first.name, note.name]).values(),
                snapshot.rows_within(collection, window),
                [row for row in dict(changed).values() if row is not None],
            ):
                assert {row.name: row.version for row in rows} == named
            assert [row.version for row in snapshot.rows(seen(snapshot, slug="company"))] == [2]

    def test_rows_named_answers_those_that_exist(self, place: Place) -> None:
        first, second = place.book(NOW + DAY), place.note(span(NOW), component="VTODO")
        with place.store.read(DEMO) as snapshot:
            found = snapshot.rows_named(seen(snapshot), [second.name, "x.ics", first.name, first.name])
            assert set(found) == {first.name, second.name}
            assert (found[first.name].text, found[first.name].component) == (shape_of(first).text, "VEVENT")
            assert (found[second.name].text, found[second.name].component) == (second.text, "VTODO")
            bare = snapshot.rows_named(seen(snapshot), [first.name], text=False)
            assert bare[first.name].text is None
            assert snapshot.rows_named(seen(snapshot), []) == {}

    def test_a_view_shows_team_texts_under_the_ids_of_the_entries(self, place: Place) -> None:
        mine, hers = place.book(), place.book(staff=EMMA.id)
        with place.store.read(DEMO) as snapshot:
            for slug in ("group-front", "company"):
                collection = seen(snapshot, JOHN.id, slug)
                rows = {row.name: row for row in snapshot.rows(collection, text=True)}
                assert set(rows) == {f"{mine.id}.ics", f"{hers.id}.ics"}
                for entry in (mine, hers):
                    row = rows[f"{entry.id}.ics"]
                    assert (row.text, row.calendar, row.entry) == (shape_of(entry).team_text, entry.calendar, entry.id)
                    assert snapshot.rows_named(collection, [row.name]) == {row.name: row}
                assert snapshot.rows_named(collection, [mine.name]) == (
                    {} if mine.name != f"{mine.id}.ics" else {mine.name: rows[mine.name]}
                )

    def test_a_view_leaves_out_what_has_no_team_text(self, place: Place) -> None:
        note = place.note(span(NOW))
        with place.store.read(DEMO) as snapshot:
            collection = seen(snapshot, EMMA.id, "company")
            assert list(snapshot.rows(collection)) == []
            assert snapshot.rows_named(collection, [note.name, f"{note.id}.ics"]) == {}
            assert list(snapshot.rows_within(collection, (None, None))) == []
            changed, reached = snapshot.names_since(collection, collection.since)
            assert dict(changed) == {}
            assert reached == collection.last

    def test_the_octets_of_the_owner_never_appear_in_a_view(self, place: Place) -> None:
        entry = place.book()
        with place.store.read(DEMO) as snapshot:
            for slug in ("group-front", "company"):
                collection = seen(snapshot, EMMA.id, slug)
                shown = [*snapshot.rows(collection, text=True), *snapshot.rows_within(collection, (None, None), text=True)]
                assert shape_of(entry).text not in {row.text for row in shown}


class TestAppointments:
    def test_they_come_in_the_order_of_start_and_uid(self, place: Place) -> None:
        later = place.book(NOW + 2 * DAY)
        second = place.book(NOW + DAY, staff=EMMA.id, uid="b")
        first = place.book(NOW + DAY, uid="a")
        place.note(span(NOW + DAY))
        with place.store.read(DEMO) as snapshot:
            found = snapshot.appointments(staff=None, window=None)
            assert [held.entry for held in found] == [first, second, later]
            for held in found:
                assert held == snapshot.held_by_id(held.entry.id)

    def test_they_are_chosen_by_staff_and_window(self, place: Place) -> None:
        mine, hers = place.book(NOW + DAY), place.book(NOW + 2 * DAY, staff=EMMA.id)
        with place.store.read(DEMO) as snapshot:

            def ids(**wish: object) -> list[str]:
                return [held.entry.id for held in snapshot.appointments(**{"staff": None, "window": None, **wish})]

            assert ids(staff=[JOHN.id]) == [mine.id]
            assert ids(staff=[JOHN.id, EMMA.id]) == [mine.id, hers.id]
            assert ids(staff=[]) == []
            assert ids(window=span(NOW + DAY, HOUR)) == [mine.id]
            assert ids(window=span(NOW + DAY + timedelta(minutes=30), HOUR)) == []
            assert ids(staff=[EMMA.id], window=span(NOW, 10 * DAY)) == [hers.id]

    def test_cancelled_ones_come_when_asked_for(self, place: Place) -> None:
        booked, other = place.book(NOW + DAY), place.book(NOW + 2 * DAY)
        place.cancel(booked)
        with place.store.read(DEMO) as snapshot:
            assert [held.entry.id for held in snapshot.appointments(staff=None, window=None)] == [other.id]
            both = snapshot.appointments(staff=None, window=None, cancelled=True)
            assert [held.entry.id for held in both] == [booked.id, other.id]
            assert [held.entry.id for held in snapshot.appointments(staff=[JOHN.id], window=span(NOW + DAY, HOUR), cancelled=True)] == [
                booked.id
            ]

    def test_a_series_comes_once_for_all_of_its_instances(self, place: Place) -> None:
        series = booking(place.calendar(), NOW + DAY, recurrence=Recurrence(rule="FREQ=DAILY;COUNT=5"))
        spans = [span(NOW + day * DAY) for day in range(1, 6)]
        place.add(series, *spans)
        with place.store.read(DEMO) as snapshot:
            for window in (None, span(NOW, 30 * DAY), spans[3]):
                assert [held.entry.id for held in snapshot.appointments(staff=None, window=window)] == [series.id]
            assert list(snapshot.appointments(staff=None, window=span(NOW + 6 * DAY, DAY))) == []
