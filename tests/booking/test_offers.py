"""What is offered to a customer is what the rules accept: nothing else on the grid is, and nothing that is offered is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.booking import Circumstances, Move, Taken, offers, settle
from gateway.booking.hours import openings
from gateway.booking.offers import DAYTIME, STEP
from gateway.errors import Refused
from gateway.model import Appointment, CalendarId, CustomerId, EntryId, Policy, Service, ServiceId, Span, WorkingHours

NOW = datetime(2026, 3, 27, tzinfo=UTC)  # two days before Europe's clocks go forward
WEEK = Span(NOW, NOW + timedelta(days=7))
ZONES = ["Europe/Paris", "America/New_York", "Pacific/Pago_Pago", "Pacific/Kiritimati", "Asia/Kathmandu", "Australia/Lord_Howe"]

minutes = st.integers(0, 288).map(lambda five: five * 5)
intervals = st.lists(st.tuples(minutes, minutes).map(sorted).filter(lambda pair: pair[0] < pair[1]).map(tuple), max_size=2)
hours = st.dictionaries(st.integers(0, 6), intervals.map(tuple), min_size=1).map(lambda weekly: WorkingHours(weekly=weekly))
spans = st.tuples(st.integers(0, 7 * 96), st.integers(1, 16)).map(
    lambda each: Span(NOW + timedelta(minutes=15 * each[0]), NOW + timedelta(minutes=15 * (each[0] + each[1])))
)


def service(length: int, before: int = 0, after: int = 0) -> Service:
    return Service(
        id=ServiceId("s"),
        name="Advice",
        duration=timedelta(minutes=length),
        buffer_before=timedelta(minutes=before),
        buffer_after=timedelta(minutes=after),
    )


def accepted(span: Span, what: Service, when: WorkingHours, zone: str, busy: Sequence[Span]) -> bool:
    """Whether the rules let an appointment of long ago be moved there by the platform."""
    start = NOW - timedelta(days=300)
    old = Appointment(
        id=EntryId("e"),
        calendar=CalendarId("c"),
        name="e.ics",
        uid="e",
        span=Span(start, start + what.duration),
        zone=zone,
        customer=CustomerId("a"),
        service=what.id,
        created=start,
        changed=start,
    )
    circumstances = Circumstances(
        now=NOW,
        policy=Policy(),
        proposing=False,
        services=lambda _: what,
        hours=when,
        zone=zone,
        taken=lambda wide: [Taken(each, True) for each in busy if each.overlaps(wide)],
        fresh_id=EntryId("x"),
        calendar=old.calendar,
        name=old.name,
    )
    try:
        settle(old, [Move(span=span)], circumstances)
    except Refused:
        return False
    return True


@settings(deadline=None, max_examples=60)
@given(hours, st.sampled_from(ZONES), st.sampled_from([5, 20, 30, 45, 90]), st.sampled_from([0, 10]), st.lists(spans, max_size=6))
def test_offered_is_what_the_rules_accept(when: WorkingHours, zone: str, length: int, buffer: int, busy: list[Span]) -> None:
    what = service(length, buffer, buffer)
    found = list(
        offers(WEEK, what.duration, what, hours=when, zone=zone, taken=lambda wide: [each for each in busy if each.overlaps(wide)])
    )
    assert found == sorted(found)
    assert all(WEEK.start <= span.start < WEEK.end and span.length == what.duration for span in found)
    assert all(accepted(span, what, when, zone, busy) for span in found)
    step = min(STEP, what.duration)
    for opening in openings(when, zone, WEEK):
        start = opening.start
        if any(other.start < start <= other.end for other in openings(when, zone, Span(WEEK.start - timedelta(days=2), WEEK.end))):
            continue  # it only goes on here: the grid is the one of where it began
        while start + what.duration <= opening.end:
            span = Span(start, start + what.duration)
            if WEEK.start <= start < WEEK.end and span not in found:
                assert not accepted(span, what, when, zone, busy)
            start += step


def test_whoever_keeps_no_hours_is_offered_by_day() -> None:
    what = service(60)
    found = list(offers(WEEK, what.duration, what, hours=WorkingHours(), zone="Europe/Paris", taken=lambda wide: []))
    assert found == list(offers(WEEK, what.duration, what, hours=DAYTIME, zone="Europe/Paris", taken=lambda wide: []))
    assert {span.start.hour for span in found if span.start.day == 27} == set(range(7, 19))  # 8 to 20 in Paris, winter time
    assert {span.start.hour for span in found if span.start.day == 30} == set(range(6, 18))  # and summer time


@pytest.mark.parametrize(("before", "after", "free"), [(0, 0, [9, 11]), (30, 0, [9]), (0, 30, [11]), (0, 31, [11])])
def test_the_services_buffers_need_room(before: int, after: int, free: list[int]) -> None:
    day = WorkingHours(weekly={4: ((9 * 60, 12 * 60),)})
    busy = [Span(NOW.replace(hour=10), NOW.replace(hour=11))]
    what = replace(service(60, before, after))
    found = offers(WEEK, what.duration, what, hours=day, zone="UTC", taken=lambda wide: [each for each in busy if each.overlaps(wide)])
    assert [span.start.hour for span in found if span.start.minute == 0] == free
