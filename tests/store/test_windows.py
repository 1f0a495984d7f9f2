"""Time: which objects take place in a window (RFC 4791 §9.9), who is busy, and what lies beyond the index."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.model import Calendar, CalendarId, CalendarKind, EntryId, Occurrence, Recurrence, Span, StaffId
from gateway.store import Snapshot
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, SETUP, Place, booking, personal, seen, shape_of, span

MICRO = timedelta(microseconds=1)
ALWAYS: tuple[None, None] = (None, None)
YEARS = timedelta(days=366)
HORIZON = NOW + 30 * DAY


def within(place: Place, start: datetime | None, end: datetime | None, slug: str = "appointments", **wish: Any) -> list[str]:
    with place.store.read(DEMO) as snapshot:
        return [row.entry for row in snapshot.rows_within(seen(snapshot, JOHN.id, slug), (start, end), **wish)]


def unsure(snapshot: Snapshot, start: datetime | None, end: datetime | None = None, slug: str = "appointments") -> set[str]:
    """Which of those in the window are there only perhaps."""
    return {row.entry for row in snapshot.rows_within(seen(snapshot, JOHN.id, slug), (start, end)) if row.unsure}


def busy(place: Place, window: Span, staff: StaffId = JOHN.id, **wish: Any) -> list[tuple[str, Span]]:
    with place.store.read(DEMO) as snapshot:
        return [(entry, occurrence.span) for entry, occurrence in snapshot.busy(staff, window, **wish)]


def endless(place: Place, **more: Any) -> str:
    """A daily personal series, indexed for thirty days."""
    note = personal(place.calendar(), **more)
    days = [span(NOW + day * DAY) for day in range(30)]
    place.add(note, *days, indexed_until=HORIZON, ceil=None)
    return note.id


class TestEdges:
    @pytest.mark.parametrize(
        ("start", "end", "found"),
        [
            (NOW - HOUR, NOW, False),
            (NOW - HOUR, NOW + MICRO, True),
            (NOW, NOW + HOUR, True),
            (NOW + MICRO, NOW + 2 * MICRO, True),
            (NOW + HOUR - MICRO, NOW + DAY, True),
            (NOW + HOUR, NOW + DAY, False),
            (NOW - DAY, NOW + DAY, True),
            (None, NOW, False),
            (None, NOW + MICRO, True),
            (NOW + HOUR, None, False),
            (NOW + HOUR - MICRO, None, True),
            (None, None, True),
        ],
    )
    def test_a_window_and_an_event_are_half_open(self, place: Place, start: datetime | None, end: datetime | None, found: bool) -> None:
        note = place.note(span(NOW, HOUR))
        assert within(place, start, end) == ([note.id] if found else [])

    @pytest.mark.parametrize(
        ("start", "end", "found"),
        [
            (NOW - HOUR, NOW, False),
            (NOW - HOUR, NOW + MICRO, True),
            (NOW, NOW + HOUR, True),
            (NOW + MICRO, NOW + HOUR, False),
            (NOW, None, True),
            (NOW + MICRO, None, False),
            (None, NOW, False),
            (None, NOW + MICRO, True),
        ],
    )
    def test_an_event_without_length_takes_place_where_it_begins(
        self, place: Place, start: datetime | None, end: datetime | None, found: bool
    ) -> None:
        note = place.note(Span(NOW, NOW))
        assert within(place, start, end) == ([note.id] if found else [])

    def test_one_instance_is_enough_and_an_object_comes_once(self, place: Place) -> None:
        note = place.note(*(span(NOW + day * DAY) for day in range(0, 30, 3)))
        assert within(place, NOW - DAY, NOW + 60 * DAY) == [note.id]
        assert within(place, NOW + 3 * DAY, NOW + 3 * DAY + HOUR) == [note.id]
        assert within(place, NOW + 4 * DAY, NOW + 5 * DAY) == []

    def test_an_event_over_years_is_found_on_every_day_of_them(self, place: Place) -> None:
        for _ in range(5):
            place.note(span(NOW - 2 * YEARS))
        long = place.note(Span(NOW - 10 * YEARS, NOW + 10 * YEARS))
        assert within(place, NOW, NOW + MICRO) == [long.id]
        assert within(place, NOW + 9 * YEARS, NOW + 9 * YEARS + DAY) == [long.id]
        assert busy(place, span(NOW)) == [(long.id, Span(NOW - 10 * YEARS, NOW + 10 * YEARS))]
        assert within(place, NOW + 11 * YEARS, None) == []

    def test_the_first_and_the_last_years_of_the_calendar_can_be_used(self, place: Place) -> None:
        ever = place.note(Span(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)))
        old = place.note(span(datetime(1601, 1, 1, tzinfo=UTC)))
        assert within(place, NOW, NOW + HOUR) == [ever.id]
        assert set(within(place, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))) == {ever.id, old.id}
        with place.store.read(DEMO) as snapshot:
            [instance] = snapshot.instances(ever.id, span(NOW))
            assert instance.span == Span(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))

    def test_a_task_without_dates_is_found_in_every_window(self, place: Place) -> None:
        task = place.note(component="VTODO")
        for window in ((NOW, NOW + HOUR), (NOW - 50 * YEARS, NOW - 49 * YEARS), (NOW, None), (None, NOW), ALWAYS):
            assert within(place, *window) == [task.id]
        with place.store.read(DEMO) as snapshot:
            assert unsure(snapshot, NOW) == set()
        assert busy(place, span(NOW, 10 * DAY)) == []

    def test_a_window_can_ask_for_one_kind_of_component(self, place: Place) -> None:
        event, task, undated = place.note(span(NOW)), place.note(span(NOW), component="VTODO"), place.note(component="VTODO")
        assert set(within(place, NOW, NOW + HOUR)) == {event.id, task.id, undated.id}
        assert set(within(place, NOW, NOW + HOUR, component="VTODO")) == {task.id, undated.id}
        assert within(place, NOW, NOW + HOUR, component="VEVENT") == [event.id]
        assert within(place, NOW, NOW + HOUR, component="VJOURNAL") == []

    def test_texts_come_when_asked_for(self, place: Place) -> None:
        entry = place.book(NOW)
        with place.store.read(DEMO) as snapshot:
            for slug, text in (("appointments", shape_of(entry).text), ("company", shape_of(entry).team_text)):
                collection = seen(snapshot, JOHN.id, slug)
                [row] = snapshot.rows_within(collection, (NOW, NOW + HOUR), text=True)
                assert row.text == text
                assert row == snapshot.rows(collection, text=True)[0]
                [bare] = snapshot.rows_within(collection, (NOW, NOW + HOUR))
                assert bare == replace(row, octets=None)

    def test_a_view_looks_into_the_calendars_of_all_members(self, place: Place) -> None:
        mine, hers = place.book(NOW), place.book(NOW, staff=EMMA.id)
        place.note(span(NOW))
        assert set(within(place, NOW, NOW + HOUR, "company")) == {mine.id, hers.id}
        assert within(place, NOW + HOUR, NOW + DAY, "company") == []

    def test_a_moved_event_is_found_at_its_new_place_only(self, place: Place) -> None:
        booked = place.book(NOW)
        place.change(booked, replace(booked, span=span(NOW + DAY), version=2))
        assert within(place, NOW, NOW + HOUR) == []
        assert within(place, NOW + DAY, NOW + DAY + HOUR) == [booked.id]
        assert [entry for entry, _ in busy(place, span(NOW, 2 * DAY))] == [booked.id]


class TestInstances:
    def test_the_instances_in_a_window_come_in_order_as_they_were_given(self, place: Place) -> None:
        given = tuple(
            Occurrence(NOW + day * DAY, span(NOW + day * DAY + HOUR), span(NOW + day * DAY + HOUR, HOUR), bool(day % 2)) for day in range(5)
        )
        note = place.note(shape={"occurrences": given, "floor": given[0].span.start, "ceil": given[-1].span.end})
        with place.store.read(DEMO) as snapshot:
            assert tuple(snapshot.instances(note.id, Span(NOW, NOW + 30 * DAY))) == given
            assert tuple(snapshot.instances(note.id, Span(NOW + DAY, NOW + 3 * DAY))) == given[1:3]

    def test_an_appointment_has_its_own_span_for_an_instance(self, place: Place) -> None:
        booked = place.book(NOW)
        with place.store.read(DEMO) as snapshot:
            assert list(snapshot.instances(booked.id, span(NOW, DAY))) == [Occurrence(NOW, booked.span, booked.span, True)]
            assert list(snapshot.instances(booked.id, span(NOW + DAY, DAY))) == []


class TestBeyond:
    def test_an_endless_series_is_exact_inside_the_index(self, place: Place) -> None:
        series = endless(place)
        assert within(place, NOW + 3 * DAY, NOW + 3 * DAY + HOUR) == [series]
        assert within(place, NOW + 3 * DAY + HOUR, NOW + 4 * DAY) == []
        with place.store.read(DEMO) as snapshot:
            assert unsure(snapshot, HORIZON - DAY, HORIZON) == set()
            assert snapshot.busy_beyond_index(JOHN.id, HORIZON) == frozenset()

    def test_it_is_a_candidate_beyond_the_index(self, place: Place) -> None:
        series = endless(place)
        place.note(span(NOW))
        for end in (HORIZON + DAY, HORIZON + 10 * YEARS, None):
            assert within(place, HORIZON + HOUR, end) == [series]
            with place.store.read(DEMO) as snapshot:
                assert unsure(snapshot, HORIZON + HOUR, end) == {series}
        with place.store.read(DEMO) as snapshot:
            assert snapshot.busy_beyond_index(JOHN.id, HORIZON + DAY) == {series}
            assert snapshot.busy_beyond_index(EMMA.id, HORIZON + DAY) == frozenset()

    def test_an_instance_in_the_index_leaves_no_doubt(self, place: Place) -> None:
        series = endless(place)
        with place.store.read(DEMO) as snapshot:
            for start in (NOW, HORIZON - DAY):
                assert within(place, start, None) == [series]
                assert unsure(snapshot, start) == set()
            assert unsure(snapshot, HORIZON - DAY + HOUR) == {series}

    def test_what_has_ended_or_not_begun_is_no_candidate(self, place: Place) -> None:
        ended = personal(place.calendar())
        place.add(ended, span(NOW), indexed_until=HORIZON, ceil=HORIZON + 10 * DAY)
        assert within(place, HORIZON + DAY, HORIZON + 2 * DAY) == [ended.id]
        assert within(place, HORIZON + 10 * DAY, HORIZON + 20 * DAY) == []
        assert within(place, NOW - 10 * DAY, NOW) == []

    def test_a_view_tells_what_lies_beyond_of_what_it_shows(self, place: Place) -> None:
        endless(place)
        series = booking(place.calendar(EMMA.id), NOW, recurrence=Recurrence(rule="FREQ=DAILY"))
        place.add(series, *(span(NOW + day * DAY) for day in range(30)), indexed_until=HORIZON, ceil=None)
        with place.store.read(DEMO) as snapshot:
            assert unsure(snapshot, HORIZON + DAY, slug="company") == {series.id}
        assert within(place, HORIZON + DAY, None, "company") == [series.id]

    def test_a_free_series_blocks_nobody_beyond_the_index(self, place: Place) -> None:
        note = personal(place.calendar())
        free = tuple(Occurrence(NOW + day * DAY, span(NOW + day * DAY), span(NOW + day * DAY), False) for day in range(30))
        place.add(note, occurrences=free, floor=NOW, indexed_until=HORIZON)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.busy_beyond_index(JOHN.id, HORIZON + DAY) == frozenset()
            assert unsure(snapshot, HORIZON, HORIZON + DAY) == {note.id}

    def test_a_cancelled_series_is_beyond_nothing(self, place: Place) -> None:
        series = booking(place.calendar(), NOW, recurrence=Recurrence(rule="FREQ=DAILY"))
        place.add(series, span(NOW), indexed_until=HORIZON, ceil=None)
        place.cancel(series)
        with place.store.read(DEMO) as snapshot:
            assert unsure(snapshot, HORIZON) == set()
            assert snapshot.busy_beyond_index(JOHN.id, HORIZON + DAY) == frozenset()


class TestRolling:
    def test_what_ends_early_is_found_page_by_page(self, place: Place) -> None:
        later, earlier = personal(place.calendar()), personal(place.calendar(EMMA.id))
        place.add(later, span(NOW), indexed_until=HORIZON + DAY, ceil=None)
        place.add(earlier, span(NOW), indexed_until=HORIZON, ceil=None)
        place.note(span(NOW))
        with place.store.write(DEMO, SETUP) as tx:
            both = sorted((earlier, later), key=lambda entry: entry.id)
            assert [held.entry for held in tx.indexed_before(HORIZON + 2 * DAY, limit=10)] == both
            assert [held.entry for held in tx.indexed_before(HORIZON + 2 * DAY, limit=1)] == both[:1]
            assert [held.entry for held in tx.indexed_before(HORIZON + 2 * DAY, limit=1, after=both[0].id)] == both[1:]
            assert [held.entry for held in tx.indexed_before(HORIZON + DAY, limit=10)] == [earlier]
            assert list(tx.indexed_before(HORIZON, limit=10)) == []

    def test_extending_the_index_changes_nothing_a_client_could_see(self, place: Place) -> None:
        series = endless(place)
        with place.store.read(DEMO) as snapshot:
            held, collection, log = snapshot.held_by_id(EntryId(series)), seen(snapshot), place.log()
        assert held is not None
        more = [span(NOW + day * DAY) for day in range(60)]
        with place.store.write(DEMO, SETUP) as tx:
            tx.reindex(held.entry.id, shape_of(held.entry, *more, text="never seen", indexed_until=NOW + 60 * DAY, ceil=None))
        with place.store.read(DEMO) as snapshot:
            assert snapshot.held_by_id(held.entry.id) == held
            assert (seen(snapshot), place.log()) == (collection, log)
            assert unsure(snapshot, NOW + 59 * DAY + HOUR, NOW + 60 * DAY) == set()
            assert len(snapshot.instances(held.entry.id, Span(NOW, NOW + 100 * DAY))) == 60
        assert within(place, NOW + 45 * DAY + HOUR, NOW + 46 * DAY) == []
        assert within(place, NOW + 45 * DAY, NOW + 46 * DAY) == [series]
        assert len(busy(place, Span(NOW, NOW + 100 * DAY))) == 60

    def test_a_series_that_turns_out_to_end_is_extended_no_more(self, place: Place) -> None:
        series = endless(place)
        with place.store.write(DEMO, SETUP) as tx:
            [held] = tx.indexed_before(HORIZON + DAY, limit=10)
            tx.reindex(held.entry.id, shape_of(held.entry, span(NOW)))
            assert list(tx.indexed_before(HORIZON + 10 * YEARS, limit=10)) == []
        assert within(place, HORIZON, None) == []
        assert within(place, NOW, NOW + HOUR) == [series]


class TestBusy:
    def test_busy_times_of_every_calendar_come_in_order(self, place: Place) -> None:
        private = Calendar(id=CalendarId("private"), staff=JOHN.id, slug="private", kind=CalendarKind.PERSONAL)
        with place.store.write(DEMO, SETUP) as tx:
            tx.put_calendar(private, NOW)
        third, first, second = place.book(NOW + 2 * DAY), place.note(span(NOW)), personal(private.id)
        place.add(second, span(NOW + DAY))
        place.book(NOW, staff=EMMA.id)
        assert [entry for entry, _ in busy(place, span(NOW - DAY, 30 * DAY))] == [first.id, second.id, third.id]
        assert [entry for entry, _ in busy(place, span(NOW - DAY, 30 * DAY), without=second.id)] == [first.id, third.id]
        assert [entry for entry, _ in busy(place, span(NOW + DAY, HOUR))] == [second.id]

    def test_free_instances_are_not_busy(self, place: Place) -> None:
        mixed = tuple(Occurrence(NOW + day * DAY, span(NOW + day * DAY), span(NOW + day * DAY), day == 1) for day in range(3))
        note = place.note(shape={"occurrences": mixed, "floor": NOW, "ceil": NOW + 3 * DAY})
        assert busy(place, span(NOW, 30 * DAY)) == [(note.id, span(NOW + DAY))]

    def test_buffers_count_as_taken_time(self, place: Place) -> None:
        taken = Span(NOW + DAY, NOW + DAY + HOUR)
        occupied = taken.widened(timedelta(minutes=10), timedelta(minutes=15))
        booked = booking(place.calendar(), taken.start, HOUR)
        place.add(booked, occurrences=(Occurrence(taken.start, taken, occupied, True),))
        for window, found in (
            (Span(occupied.start - HOUR, occupied.start), False),
            (Span(occupied.start - HOUR, occupied.start + MICRO), True),
            (Span(occupied.end - MICRO, occupied.end + HOUR), True),
            (Span(occupied.end, occupied.end + HOUR), False),
        ):
            assert bool(busy(place, window)) is found, window
        with place.store.read(DEMO) as snapshot:
            [(_, occurrence)] = snapshot.busy(JOHN.id, Span(occupied.start, taken.start))
            assert (occurrence.span, occurrence.occupied, occurrence.at) == (taken, occupied, taken.start)
        assert within(place, occupied.start, taken.start) == []  # a calendar shows the appointment, not its buffers
