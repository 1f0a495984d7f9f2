"""When the objects of one collection keep people busy, by the index, and which of them need a closer look."""

from __future__ import annotations

from datetime import timedelta

from gateway.model import Occurrence, Span
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, Place, seen, span

WINDOW = Span(NOW, NOW + DAY)
FREE = {"occurrences": (Occurrence(NOW, span(), span(), False),)}


def busy(place: Place, slug: str = "appointments", window: Span = WINDOW, limit: int = 100) -> list[tuple[str, Span, bool]]:
    with place.store.read(DEMO) as snapshot:
        return sorted(snapshot.busy_within(seen(snapshot, JOHN.id, slug), window, limit=limit), key=lambda each: each[1])


def test_what_shares_time_with_the_window_is_told_whole(place: Place) -> None:
    early, late, long = place.note(span(NOW - HOUR, 2 * HOUR)), place.note(span(NOW + HOUR)), place.note(span(NOW - 9 * DAY, 20 * DAY))
    place.note(span(NOW - HOUR, HOUR))
    place.note(span(NOW + DAY))
    place.note(span(NOW + HOUR), shape=FREE)
    assert [(entry, when) for entry, when, _ in busy(place)] == [
        (long.id, span(NOW - 9 * DAY, 20 * DAY)),
        (early.id, span(NOW - HOUR, 2 * HOUR)),
        (late.id, span(NOW + HOUR)),
    ]


def test_what_speaks_of_something_tentative_needs_a_closer_look(place: Place) -> None:
    sure, doubtful = place.note(span(NOW)), place.note(span(NOW + HOUR), text="BEGIN:VCALENDAR\r\nSTATUS:TENTATIVE\r\nEND:VCALENDAR\r\n")
    assert [(entry, doubt) for entry, _, doubt in busy(place)] == [(sure.id, False), (doubtful.id, True)]


def test_a_team_view_tells_of_appointments_and_a_calendar_of_its_own(place: Place) -> None:
    mine, hers = place.book(NOW + HOUR), place.book(NOW + 2 * HOUR, staff=EMMA.id)
    place.note(span(NOW + 3 * HOUR))
    place.cancel(place.book(NOW + 4 * HOUR))
    assert [entry for entry, _, _ in busy(place, "company")] == [mine.id, hers.id]
    assert len(busy(place)) == 2


def test_there_is_a_limit(place: Place) -> None:
    place.note(*(span(NOW + number * HOUR, timedelta(minutes=5)) for number in range(9)))
    assert len(busy(place, limit=9)) == 9
    assert len(busy(place, limit=5)) == 5
