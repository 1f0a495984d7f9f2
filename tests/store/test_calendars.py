"""Calendars and the collections a CalDAV home shows: listing, views, properties, CTags and tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import Conflict, Missing, Refused
from gateway.model import Calendar, CalendarId, CalendarKind, Group, GroupId, Revision, StaffId
from gateway.store import Collection
from tests.store.house import DAY, DEMO, EMMA, JOHN, NOW, SETUP, Place, every_change, names, personal, put, seen, span

COLOUR = "{http://apple.com/ns/ical/}calendar-color"
NAME = "{DAV:}displayname"
PRIVATE = Calendar(id=CalendarId("private"), staff=JOHN.id, slug="private", kind=CalendarKind.PERSONAL, components=("VEVENT", "VTODO"))


def make(place: Place, calendar: Calendar = PRIVATE) -> Calendar:
    with place.store.write(DEMO, SETUP) as tx:
        tx.put_calendar(calendar, NOW)
        return tx.calendar(calendar.id)


def drop(place: Place, calendar: CalendarId = PRIVATE.id) -> None:
    with place.store.write(DEMO, SETUP) as tx:
        tx.drop_calendar(calendar, NOW)


def paint(place: Place, slug: str = "appointments", viewer: StaffId = JOHN.id, **properties: str | None) -> None:
    with place.store.write(DEMO, SETUP) as tx:
        named = {COLOUR if key == "colour" else NAME: value for key, value in properties.items()}
        tx.set_properties(viewer, seen(tx, viewer, slug), named, NOW)


class TestCalendars:
    def test_a_personal_calendar_is_made_with_a_log_line_without_entry(self, place: Place) -> None:
        head = place.log()[-1].revision if place.log() else Revision(0)
        made = make(place)
        [line] = place.log()[-1:]
        assert (line.revision, line.calendar, line.entry, line.before, line.after) == (head + 1, PRIVATE.id, None, None, None)
        assert (line.actor, line.at) == (SETUP, NOW)
        assert (made.slug, made.components, made.created, made.last) == ("private", ("VEVENT", "VTODO"), line.revision, line.revision)
        with place.store.read(DEMO) as snapshot:
            assert {calendar.slug for calendar in snapshot.calendars(JOHN.id)} == {"appointments", "private"}
            assert [calendar.slug for calendar in snapshot.calendars(EMMA.id)] == ["appointments"]

    def test_a_slug_is_taken_only_in_its_own_home(self, place: Place) -> None:
        make(place)
        for slug in ("private", "appointments"):
            with pytest.raises(Conflict):
                make(place, replace(PRIVATE, id=CalendarId("second"), slug=slug))
        make(place, replace(PRIVATE, id=CalendarId("second"), staff=EMMA.id))

    def test_a_dropped_calendar_takes_its_entries_along_entry_lines_first(self, place: Place) -> None:
        make(place)
        notes = [personal(PRIVATE.id) for _ in range(2)]
        for note in notes:
            place.add(note, span(NOW + DAY))
        before = place.log()
        drop(place)
        lines = place.log()[len(before) :]
        assert {line.entry for line in lines[:-1]} == {note.id for note in notes}
        assert all(line.before is not None and line.after is None for line in lines[:-1])
        assert (lines[-1].calendar, lines[-1].entry) == (PRIVATE.id, None)
        assert [line.revision for line in lines] == list(range(before[-1].revision + 1, before[-1].revision + 4))
        with place.store.read(DEMO) as snapshot:
            assert snapshot.collection(JOHN.id, "private") is None
            assert snapshot.held_by_id(notes[0].id) is None
            assert list(snapshot.busy(JOHN.id, span(NOW, 10 * DAY))) == []
            with pytest.raises(Missing):
                snapshot.calendar(PRIVATE.id)

    def test_a_calendar_made_anew_under_the_same_slug_remembers_nothing(self, place: Place) -> None:
        make(place)
        place.add(personal(PRIVATE.id, name="a.ics", id="old"), span(NOW))
        paint(place, "private", colour="#ff0000")
        old = place.see(slug="private")
        drop(place)
        make(place, replace(PRIVATE, id=CalendarId("newer")))
        new = place.see(slug="private")
        assert dict(new.properties) == {}
        assert new.since > old.last
        with place.store.read(DEMO) as snapshot:
            assert names(snapshot, new) == set()
            assert not snapshot.issued(new, old.last)

    def test_appointments_are_not_dropped(self, place: Place) -> None:
        booked = place.book()
        with pytest.raises(Refused):
            drop(place, place.calendar())
        with place.store.read(DEMO) as snapshot:
            assert snapshot.held(booked.calendar, booked.name) is not None


class TestHomes:
    def test_a_home_lists_appointments_personal_calendars_groups_and_company(self, place: Place) -> None:
        make(place)
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(Group(id=GroupId("back"), slug="back", name="Back office", members=(EMMA.id,)))
            listed = {person: [each.slug for each in tx.collections(person)] for person in (JOHN.id, EMMA.id)}
            for person in (JOHN.id, EMMA.id):
                for each in tx.collections(person):
                    assert tx.collection(person, each.slug) == each
        assert listed[JOHN.id] == ["appointments", "private", "group-front", "company"]
        assert [listed[EMMA.id][0], set(listed[EMMA.id][1:-1]), listed[EMMA.id][-1]] == [
            "appointments",
            {"group-back", "group-front"},
            "company",
        ]

    def test_only_ones_own_calendars_are_writable(self, place: Place) -> None:
        make(place)
        with place.store.read(DEMO) as snapshot:
            for each in snapshot.collections(JOHN.id):
                assert each.owner == JOHN.id
                assert (each.writable, each.view) == (each.kind in ("appointments", "personal"), each.kind in ("group", "company"))
                assert each.title

    def test_a_view_spans_the_appointments_of_its_members(self, place: Place) -> None:
        make(place)
        both = {place.calendar(JOHN.id), place.calendar(EMMA.id)}
        assert set(place.see(slug="group-front").calendars) == set(place.see(slug="company").calendars) == both
        assert place.see().calendars == (place.calendar(),)

    @pytest.mark.parametrize("slug", ["", "nothing", "group-nothing", "group-", "Appointments", "APPOINTMENTS ", "appointments/"])
    def test_a_name_that_is_not_there_is_no_collection(self, place: Place, slug: str) -> None:
        with place.store.read(DEMO) as snapshot:
            assert snapshot.collection(JOHN.id, slug) is None

    def test_a_group_one_is_not_in_is_no_collection_of_ones_home(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(Group(id=GroupId("back"), slug="back", name="Back office", members=(EMMA.id,)))
        with place.store.read(DEMO) as snapshot:
            assert snapshot.collection(JOHN.id, "group-back") is None
            assert snapshot.collection(EMMA.id, "group-back") is not None


class TestProperties:
    def test_properties_are_one_viewers_own(self, place: Place) -> None:
        paint(place, "company", colour="#ff0000", name="Everybody 🗓")
        assert dict(place.see(slug="company").properties) == {COLOUR: "#ff0000", NAME: "Everybody 🗓"}
        assert dict(place.see(EMMA.id, "company").properties) == {}
        assert dict(place.see().properties) == {}

    def test_none_takes_a_property_away(self, place: Place) -> None:
        paint(place, colour="#ff0000", name="Mine")
        paint(place, colour=None)
        assert dict(place.see().properties) == {NAME: "Mine"}
        paint(place, colour=None, name="")
        assert dict(place.see().properties) == {NAME: ""}

    @pytest.mark.parametrize("slug", ["appointments", "group-front", "company"])
    def test_a_new_look_moves_the_ctag_of_that_collection(self, place: Place, slug: str) -> None:
        before, lines = place.see(slug=slug), place.log()
        others = [each.last for each in self.listed(place) if each.slug != slug and not each.view]
        paint(place, slug, colour="#ff0000")
        after = place.see(slug=slug)
        assert after.last > before.last
        assert after.since == before.since
        assert [each.last for each in self.listed(place) if each.slug != slug and not each.view] == others
        [line] = place.log()[len(lines) :]
        assert (line.entry, line.before, line.after) == (None, None, None)

    def test_a_new_look_is_no_changed_object(self, place: Place) -> None:
        place.book()
        for slug in ("appointments", "group-front", "company"):
            before = place.see(slug=slug)
            paint(place, slug, colour="#ff0000")
            with place.store.read(DEMO) as snapshot:
                after = seen(snapshot, JOHN.id, slug)
                assert snapshot.names_since(after, before.last) == ({}, after.last)

    def listed(self, place: Place) -> list[Collection]:
        with place.store.read(DEMO) as snapshot:
            return list(snapshot.collections(JOHN.id))


class TestTokens:
    def test_ctags_move_with_their_own_calendars_only(self, place: Place) -> None:
        make(place)

        def lasts() -> dict[str, int]:
            with place.store.read(DEMO) as snapshot:
                return {each.slug: each.last for each in snapshot.collections(JOHN.id)}

        before = lasts()
        booked = place.book(staff=EMMA.id)
        after = lasts()
        moved = {slug for slug in after if after[slug] != before[slug]}
        assert moved == {"group-front", "company"}
        assert after["company"] == place.log()[-1].revision
        place.book()
        assert {slug for slug, last in lasts().items() if last != after[slug]} == {"appointments", "group-front", "company"}
        assert booked.calendar != place.calendar()

    def test_a_token_that_was_given_out_holds(self, place: Place) -> None:
        given = [place.see().last]
        for hour in range(3):
            place.book(NOW + DAY * (hour + 1))
            given.append(place.see().last)
        with place.store.read(DEMO) as snapshot:
            collection = seen(snapshot)
            assert [snapshot.issued(collection, revision) for revision in given] == [True] * 4

    def test_a_token_of_the_future_was_never_given_out(self, place: Place) -> None:
        place.book()
        with place.store.read(DEMO) as snapshot:
            for slug in ("appointments", "company"):
                collection = seen(snapshot, JOHN.id, slug)
                assert not snapshot.issued(collection, Revision(collection.last + 1))
                assert not snapshot.issued(collection, Revision(10**15))
                assert not snapshot.issued(collection, Revision(-1))

    @pytest.mark.parametrize("members", [(JOHN.id,), (), (EMMA.id,)])
    def test_a_change_of_membership_voids_the_older_tokens_of_the_group(self, place: Place, members: tuple[StaffId, ...]) -> None:
        place.book()
        place.book(staff=EMMA.id)
        viewer = members[0] if members else JOHN.id
        old, company = place.see(viewer, "group-front"), place.see(viewer, "company")
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(replace(tx.group(GroupId("front")), members=members))
        if not members:
            with place.store.read(DEMO) as snapshot:
                assert snapshot.collection(viewer, "group-front") is None
            return
        with place.store.read(DEMO) as snapshot:
            new = seen(snapshot, viewer, "group-front")
            assert old.last < new.since <= new.last
            assert not snapshot.issued(new, old.last)
            assert snapshot.issued(new, new.last)
            assert snapshot.issued(seen(snapshot, viewer, "company"), company.last)
            assert {row.calendar for row in snapshot.rows(new)} == {place.calendar(member) for member in members}

    def test_a_new_colleague_voids_the_older_tokens_of_the_company_view(self, place: Place) -> None:
        place.book()
        old = place.see(slug="company")
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_staff(replace(JOHN, id=StaffId("new"), handle="new", name="Juan Sanchez"))
        with place.store.read(DEMO) as snapshot:
            new = seen(snapshot, JOHN.id, "company")
            assert len(new.calendars) == len(old.calendars) + 1
            assert old.last < new.since <= new.last
            assert not snapshot.issued(new, old.last)

    def test_a_view_made_of_nobody_is_empty_and_stands_still(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(Group(id=GroupId("solo"), slug="solo", name="Solo", members=(JOHN.id,)))
        before = place.see(slug="group-solo")
        place.book(staff=EMMA.id)
        assert place.see(slug="group-solo") == before


def test_who_has_left_is_in_the_books_but_in_no_view(place: Place) -> None:
    booked = place.book(staff=EMMA.id)
    old = [place.see(slug=slug) for slug in ("group-front", "company")]
    with place.store.write(DEMO, SETUP) as tx:
        tx.save_staff(replace(EMMA, active=False))
    with place.store.read(DEMO) as snapshot:
        assert snapshot.held(booked.calendar, booked.name) is not None
        assert [each.slug for each in snapshot.collections(EMMA.id)] == ["appointments"]
        for before in old:
            after = seen(snapshot, JOHN.id, before.slug)
            assert after.calendars == (place.calendar(),)
            assert names(snapshot, after) == set()
            assert not snapshot.issued(after, before.last)


def test_a_transaction_sees_its_own_calendar(place: Place) -> None:
    with place.store.write(DEMO, SETUP) as tx:
        tx.put_calendar(PRIVATE, NOW)
        put(tx, None, personal(PRIVATE.id, name="a.ics"), span(NOW))
        assert names(tx, seen(tx, JOHN.id, "private")) == {"a.ics"}
        assert every_change(tx)[-1].after is not None
