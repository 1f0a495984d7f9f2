"""Expanded objects hold the instances that other libraries find, and nothing that still repeats or needs a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ical.parse import Component, calendar
from gateway.model import Span
from plugins import content
from plugins.expansion import expanded, limited, limited_busy
from plugins.once import Unsure, once
from plugins.reading import Allowance, Reading
from tests.dav.asking import calendar as object_of
from tests.dav.asking import component
from tests.dav.oracle import FAR, WINDOWS, ZONES, Told, instances, objects, overlaps

Window = tuple[datetime, datetime]


def laid_out(text: str, window: Window, floating: str) -> Component:
    allowance = Allowance()
    return expanded(Reading(text, ZoneInfo(floating), allowance), Span(*window), allowance)


def told(top: Component, floating: str) -> set[Told]:
    """The instances of an expanded object as icalendar reads them."""
    events = icalendar.Calendar.from_ical(content.written(top)).walk("VEVENT") if top.components else []
    return {
        Told(_utc(each.start, floating), _utc(each.end, floating), str(each["X-MARK"]), not isinstance(each.start, datetime))
        for each in events
    }


def _utc(value: Any, floating: str) -> datetime:
    """Days are those of the zone asked for; times must be in UTC."""
    if isinstance(value, datetime):
        assert value.utcoffset() == timedelta()
        return value.astimezone(UTC)
    assert isinstance(value, date)
    return datetime.combine(value, time(), ZoneInfo(floating)).astimezone(UTC)


@settings(max_examples=250, deadline=None)
@given(objects(), WINDOWS, st.sampled_from(ZONES))
def test_an_expanded_object_is_its_instances_in_the_window(text: str, window: Window, floating: str) -> None:
    wanted = {each for each in instances(text, floating) if overlaps(each, *window)}
    assert told(laid_out(text, window, floating), floating) == wanted


@settings(max_examples=150, deadline=None)
@given(objects(), WINDOWS, st.sampled_from(ZONES))
def test_nothing_in_it_repeats_or_names_a_zone(text: str, window: Window, floating: str) -> None:
    top = laid_out(text, window, floating)
    written = content.written(top)
    assert not [word for word in ("RRULE", "EXDATE", "RDATE", "VTIMEZONE", "TZID", "RANGE=") if word in written]
    repeats = "RRULE" in text or "RECURRENCE-ID" in text
    named = [[line.value for line in each.every("RECURRENCE-ID")] for each in top.components]
    assert all(len(each) == repeats for each in named)
    assert len({each[0] for each in named if each}) == len([each for each in named if each])


@settings(max_examples=300, deadline=None)
@given(objects(rules=("", "", "", "FREQ=DAILY")), st.one_of(WINDOWS, st.just(FAR)))
def test_the_short_way_says_what_reading_says(text: str, window: Window) -> None:
    try:
        quick = once(text, Span(*window), {})
    except Unsure:
        return
    top = laid_out(text, window, "UTC")
    assert [sorted(str(line) for line in each.properties) for each in calendar(quick).components] == [
        sorted(str(line) for line in each.properties) for each in top.components
    ]
    assert [each.components for each in calendar(quick).components] == [each.components for each in top.components]


@settings(max_examples=150, deadline=None)
@given(objects(), WINDOWS, st.sampled_from(ZONES))
def test_a_limited_object_says_the_same_about_the_window(text: str, window: Window, floating: str) -> None:
    less = content.written(limited(Reading(text, ZoneInfo(floating), Allowance()), Span(*window)))
    assert len(less) <= len(text)
    assert told(laid_out(less, window, floating), floating) == told(laid_out(text, window, floating), floating)


def test_a_limit_on_busy_times_leaves_out_the_periods_elsewhere() -> None:
    busy = component(
        "VFREEBUSY",
        "DTSTART:20261124T000000Z",
        "DTEND:20261201T000000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261124T090000Z/20261124T100000Z,20261126T090000Z/PT1H",
        "FREEBUSY:20261130T090000Z/PT1H",
    )
    reading = Reading(object_of(busy), ZoneInfo("UTC"), Allowance())
    window = Span(datetime(2026, 11, 26, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC))
    [less] = limited_busy(reading.top, reading, window).components
    assert [str(line) for line in less.every("FREEBUSY")] == ["FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261126T090000Z/PT1H"]
    assert less.every("DTSTART")
