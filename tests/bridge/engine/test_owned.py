"""An appointment as events: what is told at which level, series with their exceptions, and texts in the form they are compared in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.owned import goes_on, line, normal, times, wanted
from gateway.links import Owned
from gateway.model import Appointment, CalendarId, EntryId, Level, Override, Recurrence, Span, Status
from tests.bridge.wire import NOW
from tests.bridge.world import ADVICE, ANN, DAY, HOUR, NOTE

WEEK, HALF = 7 * DAY, timedelta(minutes=30)
WINDOW = Span(NOW - 30 * DAY, NOW + 700 * DAY)


def appointment(start: datetime = NOW + DAY, *, zone: str = "Europe/Paris", **more: object) -> Appointment:
    made = Appointment(
        id=EntryId("e"),
        calendar=CalendarId("c"),
        name="e.ics",
        uid="e",
        span=Span(start, start + HALF),
        zone=zone,
        customer=ANN.id,
        service=ADVICE.id,
        notes=NOTE,
        created=NOW,
        changed=NOW,
    )
    return replace(made, **more)


def events(entry: Appointment, level: Level = Level.FULL, **more: object) -> dict[datetime | None, Owned | None]:
    return dict(wanted(entry, level=level, service=lambda _: ADVICE, customer=lambda _: ANN, window=WINDOW, **more))  # type: ignore[arg-type]


def nobody(_: object) -> NoReturn:
    raise AssertionError("nobody may be asked about a customer or a service here")


def weekly(**more: object) -> Recurrence:
    return Recurrence(rule="FREQ=WEEKLY;COUNT=4", **more)  # type: ignore[arg-type]


def test_a_link_that_shows_busy_times_asks_for_no_customer_and_no_service() -> None:
    found = wanted(appointment(), level=Level.BUSY, service=nobody, customer=nobody, window=WINDOW)
    assert found == {None: Owned(span=Span(NOW + DAY, NOW + DAY + HALF), zone="Europe/Paris", title="Busy")}


@pytest.mark.parametrize(
    ("level", "title", "text"),
    [
        (Level.INITIALS, "A. C.", ""),
        (Level.SERVICE, "Advice", ""),
        (Level.FULL, "Advice – Ann Canaryname", f"Ann Canaryname\n+33 1 55 00 11 22\nann.canary@example.com\n\n{NOTE}"),
    ],
)
def test_each_level_tells_what_it_may(level: Level, title: str, text: str) -> None:
    event = events(appointment(), level)[None]
    assert event is not None
    assert (event.title, event.text) == (title, text)


def test_nothing_is_wanted_of_a_cancelled_appointment() -> None:
    assert events(appointment(status=Status.CANCELLED)) == {}


def test_a_series_is_its_rule_and_what_differs_from_it() -> None:
    first = NOW + DAY
    series = weekly(
        excluded=(first + WEEK,), overrides=(Override(at=first + 2 * WEEK, span=Span(first + 15 * DAY, first + 15 * DAY + HALF)),)
    )
    found = events(appointment(recurrence=series))
    assert set(found) == {None, first + WEEK, first + 2 * WEEK}
    assert found[None] is not None
    assert found[None].rule == "FREQ=WEEKLY;COUNT=4"
    assert found[first + WEEK] is None
    assert found[first + 2 * WEEK] is not None
    assert found[first + 2 * WEEK].rule == ""


def test_an_occurrence_that_only_carries_marks_of_the_staff_member_is_where_its_series_has_it() -> None:
    at = NOW + DAY + WEEK
    series = weekly(overrides=(Override(at=at, span=Span(at, at + HALF), extras=("CATEGORIES:Red",)),))
    assert set(events(appointment(recurrence=series))) == {None}


def test_an_occurrence_that_was_an_exception_once_is_put_back() -> None:
    at = NOW + DAY + WEEK
    found = events(appointment(recurrence=weekly()), known={at})
    assert found[at] is not None
    assert found[at].span == Span(at, at + HALF)


def test_a_date_that_the_series_does_not_have_is_not_wanted() -> None:
    assert NOW not in events(appointment(recurrence=weekly()), known={NOW})


def test_a_series_apart_is_an_event_for_each_date_in_the_window() -> None:
    found = events(appointment(recurrence=weekly()), apart=True)
    assert sorted(at for at in found if at) == [NOW + DAY + week * WEEK for week in range(4)]
    assert all(event is not None and event.rule == "" for event in found.values())


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY", "FREQ=WEEKLY;UNTIL=20270101T000000Z", "FREQ=WEEKLY;COUNT=600", "FREQ=YEARLY;INTERVAL=4"])
def test_a_series_that_began_years_ago_goes_on(rule: str) -> None:  # bridge.md §4, 12
    assert goes_on(appointment(NOW - 4 * 366 * DAY, recurrence=Recurrence(rule=rule)), NOW - 30 * DAY)


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;COUNT=20", "FREQ=DAILY;UNTIL=20240101T000000Z"])
def test_a_series_that_has_ended_does_not(rule: str) -> None:
    assert not goes_on(appointment(NOW - 4 * 366 * DAY, recurrence=Recurrence(rule=rule)), NOW - 30 * DAY)


def test_a_series_whose_last_date_was_moved_ahead_goes_on() -> None:
    start = NOW - 100 * DAY
    series = Recurrence(rule="FREQ=DAILY;COUNT=2", overrides=(Override(at=start + DAY, span=Span(NOW, NOW + HALF)),))
    assert goes_on(appointment(start, recurrence=series), NOW - 30 * DAY)


def test_an_event_that_was_read_says_where_it_takes_place() -> None:
    one = Owned(span=Span(NOW, NOW + HOUR), zone="Europe/Paris", title="")
    assert times(one, Span(NOW, NOW + DAY)) == [one.span]
    assert times(one, Span(NOW + DAY, NOW + 2 * DAY)) == []
    assert len(times(replace(one, rule="FREQ=DAILY"), Span(NOW, NOW + 3 * DAY))) == 3
    assert times(replace(one, rule="FREQ=NEVER"), Span(NOW + DAY, NOW + 2 * DAY)) == [one.span]


ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("posix", "right", "SystemV")))


@given(zone=st.sampled_from(ZONES), day=st.integers(0, 365), hour=st.integers(0, 23))
def test_the_wall_time_of_a_series_is_the_same_in_every_zone_and_week(zone: str, day: int, hour: int) -> None:  # bridge.md §4, 28
    tz = ZoneInfo(zone)
    start = datetime(2026, 1, 1, hour, tzinfo=tz) + timedelta(days=day)
    entry = appointment(start.astimezone(UTC), zone=zone, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=30"))
    walls = {event.span.start.astimezone(tz).time() for event in events(entry, apart=True).values() if event is not None}
    real = entry.span.start.astimezone(tz).time()
    gaps = {wall for wall in walls if wall != real}  # where the clocks jump over that very hour
    assert len(gaps) <= 1


@given(text=st.text(max_size=300))
def test_texts_in_normal_form_stay_as_they_are(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert line(line(text)) == line(text)
    assert "\n" not in line(text)
    assert "\r" not in normal(text)


def test_texts_that_mean_the_same_are_the_same() -> None:
    assert normal(" Ann \r\nPhone\u00a0\n\x07") == normal("Ann\nPhone")
