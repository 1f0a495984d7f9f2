"""The data set knows the right answers: they are those of a library that expands what is written in the objects."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import icalendar
import pytest
import recurring_ical_events

from bench.data import WEEKS, Dataset, Event, merged
from gateway.model import Span

SMALL = Dataset(150, date(2026, 1, 5), seed=7)


def occurrences(event: Event) -> list[Span]:
    """What the object's text says, by somebody else's reading."""
    window = SMALL.week(0).start - timedelta(days=30), SMALL.week(WEEKS + 60).start
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(event.text())).between(*window)
    return sorted(Span(*(each[name].dt.astimezone(UTC) for name in ("DTSTART", "DTEND"))) for each in found)


@pytest.fixture(scope="module")
def expanded() -> dict[str, list[Span]]:
    return {event.name: occurrences(event) for event in SMALL.events}


def test_every_event_takes_place_when_its_text_says(expanded: dict[str, list[Span]]) -> None:
    assert {event.name: sorted(event.spans()) for event in SMALL.events} == expanded


def test_the_answer_for_a_week_is_what_overlaps_it(expanded: dict[str, list[Span]]) -> None:
    for number in range(WEEKS):
        window = SMALL.week(number)
        want = {name for name, spans in expanded.items() if any(span.overlaps(window) for span in spans)}
        assert SMALL.within(window.start, window.end) == want


def test_the_busy_time_of_a_week_is_what_anything_covers(expanded: dict[str, list[Span]]) -> None:
    for number in range(0, WEEKS, 5):
        window = SMALL.week(number)
        minutes = {
            minute
            for spans in expanded.values()
            for span in spans
            if span.overlaps(window)
            for minute in _minutes(max(span.start, window.start), min(span.end, window.end))
        }
        busy = SMALL.busy(window)
        assert {minute for span in busy for minute in _minutes(span.start, span.end)} == minutes
        assert busy == merged(busy)


def _minutes(start: datetime, end: datetime) -> range:
    return range(int(start.timestamp()) // 60, int(end.timestamp()) // 60)


def test_what_is_asked_without_an_end_is_all_that_ends_later(expanded: dict[str, list[Span]]) -> None:
    want = {name for name, spans in expanded.items() if spans[-1].end > SMALL.open_from}
    assert SMALL.within(SMALL.open_from, None) == want
    assert want


def test_months_follow_one_another_and_lie_in_the_data() -> None:
    months = [SMALL.month(number) for number in range(23)]
    assert all(one.end == other.start for one, other in pairwise(months))
    assert months[0].start == datetime(2026, 2, 1, tzinfo=UTC)
    assert months[-1].end <= SMALL.week(WEEKS).end + timedelta(days=31)


def test_the_same_size_and_day_give_the_same_events() -> None:
    assert Dataset(150, date(2026, 1, 5), seed=7).events == SMALL.events
    assert Dataset(150, date(2026, 1, 5), seed=8).events != SMALL.events


def test_events_look_like_those_of_a_booking_platform() -> None:
    large = Dataset(2000, date(2026, 1, 5))
    texts = [event.text() for event in large.events]
    assert 1300 < sum(len(text.encode()) for text in texts) / len(texts) < 1700
    assert 0.04 <= sum(event.repeats for event in large.events) / large.size <= 0.05
    assert sum(text.count("BEGIN:VEVENT") for text in texts) == large.components
    assert max(len(line.encode()) for text in texts for line in text.split("\r\n")) <= 75
    assert len(large.by_name) == large.size
