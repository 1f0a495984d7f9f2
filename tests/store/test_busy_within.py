"""When the objects of one collection keep people busy, by the index, and which of them need a closer look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import Occurrence, Recurrence, Span
from gateway.store import BusyTimes
from tests.databases import Database
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, Place, booking, seen, span

WINDOW = Span(NOW, NOW + DAY)
FREE = {"occurrences": (Occurrence(NOW, span(), span(), False),)}


def tentative(at: Span) -> dict[str, object]:
    return {"occurrences": (Occurrence(at.start, at, at, True, True),), "floor": at.start, "ceil": at.end}


def told(place: Place, slug: str = "appointments", window: Span = WINDOW, limit: int = 100) -> BusyTimes:
    with place.store.read(DEMO) as snapshot:
        return snapshot.busy_within(seen(snapshot, JOHN.id, slug), window, limit=limit)


def test_what_shares_time_with_the_window_is_told_whole(place: Place) -> None:
    place.note(span(NOW - HOUR, 2 * HOUR))
    place.note(span(NOW + 2 * HOUR))
    place.note(span(NOW - HOUR, HOUR))
    place.note(span(NOW + DAY))
    place.note(span(NOW + HOUR), shape=FREE)
    assert told(place) == BusyTimes(busy=[span(NOW - HOUR, 2 * HOUR), span(NOW + 2 * HOUR)], tentative=[], unsure=frozenset(), instances=2)
    place.note(span(NOW - 9 * DAY, 20 * DAY))
    assert told(place).busy == [span(NOW - 9 * DAY, 20 * DAY)]


def test_what_touches_or_overlaps_is_one_time(place: Place) -> None:
    for start, end in ((0, 4), (1, 2), (4, 5), (5, 6), (7, 8), (7, 9)):
        place.note(Span(NOW + start * HOUR, NOW + end * HOUR))
    assert told(place).busy == [Span(NOW, NOW + 6 * HOUR), Span(NOW + 7 * HOUR, NOW + 9 * HOUR)]
    assert told(place).instances == 6


def test_what_is_tentative_is_told_apart(place: Place) -> None:
    place.note(span(NOW))
    place.note(span(NOW + HOUR), shape=tentative(span(NOW + HOUR)))
    found = told(place)
    assert (found.busy, found.tentative, found.unsure) == ([span(NOW)], [span(NOW + HOUR)], frozenset())


def test_what_goes_on_behind_the_index_needs_a_closer_look(place: Place) -> None:
    sure = place.note(span(NOW + HOUR))
    series = booking(place.calendar(), NOW, recurrence=Recurrence(rule="FREQ=DAILY"))
    place.add(series, span(NOW), indexed_until=NOW + 2 * HOUR, ceil=None)
    found = told(place)
    assert (found.busy, found.unsure) == ([span(NOW + HOUR)], {series.id})
    assert told(place, window=Span(NOW, NOW + 2 * HOUR)).unsure == frozenset()
    assert sure.id not in found.unsure


def test_what_nobody_has_looked_at_needs_a_closer_look_until_it_is_written_anew(place: Place, database: Database) -> None:
    old = place.note(span(NOW))
    database.ask("UPDATE instance SET tentative = 2", commit=True)
    assert (told(place).busy, told(place).unsure) == ([], {old.id})
    place.change(old, old, span(NOW))
    assert (told(place).busy, told(place).unsure) == ([span(NOW)], frozenset())


def test_a_team_view_tells_of_appointments_and_a_calendar_of_its_own(place: Place) -> None:
    place.book(NOW + HOUR)
    place.book(NOW + 3 * HOUR, staff=EMMA.id)
    place.note(span(NOW + 5 * HOUR))
    place.cancel(place.book(NOW + 7 * HOUR))
    assert told(place, "company").busy == [span(NOW + HOUR), span(NOW + 3 * HOUR)]
    assert told(place).busy == [span(NOW + HOUR), span(NOW + 5 * HOUR)]


@pytest.mark.parametrize(("limit", "found"), [(9, 9), (5, 5)])
def test_there_is_a_limit(place: Place, limit: int, found: int) -> None:
    for number in range(9):
        place.note(span(NOW + number * HOUR, timedelta(minutes=5)))
    assert told(place, limit=limit).instances == found
