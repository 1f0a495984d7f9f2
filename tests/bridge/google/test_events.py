"""Appointments as Google's events and back (bridge.md §2.8, §5.2): times in all zones, texts, rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bridge.google.events import Names, seen, written
from gateway.bridge.owned import line, normal
from gateway.links import Key, Owned
from gateway.model import EntryId, Span

KEY = Key(entry=EntryId("a1"))
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
NAMES = Names(mark="demo", link="link", zone="Europe/Paris")


def echoed(owned: Owned, names: Names = NAMES) -> Owned | None:
    """What Google gives back of what we write."""
    body = written(owned, names, KEY)
    kept = {name: {k: v for k, v in each.items() if v is not None} if isinstance(each, dict) else each for name, each in body.items()}
    return seen({"id": "x", "etag": "1", **kept}, names).owned


def event(**more: Any) -> dict[str, Any]:
    start = {"dateTime": "2026-03-05T10:00:00+01:00", "timeZone": "Europe/Paris"}
    return {"id": "x", "etag": "1", "status": "confirmed", "start": start, "end": start, **more}


def read(**more: Any) -> Owned:
    found = seen(event(**more), NAMES).owned
    assert found is not None
    return found


def test_instants_and_walls_agree_in_every_zone_on_every_day_that_clocks_change() -> None:
    """bridge.md §4, 28 and 29: all zones, the hours around each change of 2026 and 2027."""
    for zone in ZONES:
        home = ZoneInfo(zone)
        for change in _changes(home):
            for minutes in range(-180, 181, 60):
                start = change + timedelta(minutes=minutes)
                wish = Owned(span=Span(start, start + timedelta(minutes=45)), zone=zone, title="x")
                assert echoed(wish) == wish
                told = written(wish, NAMES, KEY)["start"]
                assert told["timeZone"] == zone
                assert datetime.fromisoformat(told["dateTime"]).replace(tzinfo=None) == start.astimezone(home).replace(tzinfo=None)


def _changes(home: ZoneInfo) -> list[datetime]:
    """When the clocks change; the new year where they do not."""
    weeks = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=7 * number) for number in range(105)]
    found = []
    for one, two in pairwise(weeks):
        if one.astimezone(home).utcoffset() != two.astimezone(home).utcoffset():
            low, high = one, two
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if middle.astimezone(home).utcoffset() == one.astimezone(home).utcoffset() else (low, middle)
            found.append(high.replace(second=0, microsecond=0))
    return found or [weeks[0]]


@settings(max_examples=200, deadline=None)
@given(
    start=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)).map(
        lambda each: each.replace(microsecond=0)
    ),
    minutes=st.integers(1, 5000),
    zone=st.sampled_from(ZONES),
    text=st.text(max_size=200),
    tentative=st.booleans(),
)
def test_what_is_written_and_read_again_is_the_same(start: datetime, minutes: int, zone: str, text: str, tentative: bool) -> None:
    wish = Owned(
        span=Span(start, start + timedelta(minutes=minutes)),
        zone=zone,
        title=line(text),
        text=normal(text),
        place=line(text),
        tentative=tentative,
    )
    assert echoed(wish) == wish


@pytest.mark.parametrize("zone", ZONES[:: len(ZONES) // 60])
def test_a_date_is_midnight_where_the_calendar_is_at_home(zone: str) -> None:
    names = Names(mark="demo", link="link", zone=zone)
    found = seen(event(start={"date": "2026-03-29"}, end={"date": "2026-03-30"}), names).owned
    assert found is not None
    home = ZoneInfo(zone)
    assert found.all_day
    assert [each.astimezone(home).replace(tzinfo=None) for each in (found.span.start, found.span.end)] == [
        datetime(2026, 3, 29),
        datetime(2026, 3, 30),
    ]


def test_a_series_says_its_zone_and_ends_in_utc() -> None:
    """An offset alone drifts when clocks change; UNTIL is in UTC where the start has a zone (RFC 5545 §3.3.10)."""
    start = datetime(2026, 3, 5, 9, tzinfo=UTC)
    rule = "FREQ=WEEKLY;UNTIL=20260604"
    body = written(Owned(span=Span(start, start + timedelta(hours=1)), zone="Europe/Paris", title="x", rule=rule), NAMES, KEY)
    assert body["start"] == {"dateTime": "2026-03-05T10:00:00+01:00", "timeZone": "Europe/Paris", "date": None}
    assert body["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20260604T215959Z"]


def test_dates_that_google_excludes_of_itself_change_no_rule_and_added_dates_do() -> None:
    assert read(recurrence=["RRULE:FREQ=DAILY", "EXDATE;TZID=Europe/Paris:20260307T100000"]).rule == "FREQ=DAILY"
    assert read(recurrence=["RRULE:FREQ=DAILY", "RDATE:20260307T090000Z"]).rule != "FREQ=DAILY"
    assert read(recurrence=["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"]).rule != "FREQ=DAILY"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<br>b<br/>c<BR />d", "a\nb\nc\nd"),
        ("<p>a</p><p>b</p>", "a\nb"),
        ("<html-blob><u></u>a<br>\nb</html-blob>", "a\nb"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("Ann&nbsp;Lee &amp; Co", "Ann Lee & Co"),
        ('<a href="https://x.example/?a=1&amp;b=2" target="_blank">https://x.example</a>', "https://x.example"),
        ("<b>bold</b> <i>words</i><!-- and a remark -->", "bold words"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("&lt;b&gt; stays", "<b> stays"),
        ("line\r\nline", "line\nline"),
        ("", ""),
    ],
)
def test_a_description_that_google_has_made_html_is_the_text_it_was(html: str, text: str) -> None:
    assert read(description=html).text == text


@pytest.mark.parametrize(
    ("kind", "transparency", "busy"),
    [
        ("default", "opaque", True),
        ("default", "transparent", False),
        ("outOfOffice", "opaque", True),
        ("focusTime", "opaque", True),
        ("fromGmail", "opaque", True),
        ("workingLocation", "opaque", False),
        ("birthday", "opaque", False),
    ],
)
def test_who_is_away_is_busy_and_where_somebody_works_blocks_nobody(kind: str, transparency: str, busy: bool) -> None:
    assert seen(event(eventType=kind, transparency=transparency), NAMES).busy is busy


def test_a_zone_that_nobody_knows_keeps_the_instant() -> None:
    """bridge.md §4, 32: never dropped."""
    found = read(start={"dateTime": "2026-03-05T10:00:00+01:00", "timeZone": "Mars/Olympus"})
    assert (found.span.start, found.zone) == (datetime(2026, 3, 5, 9, tzinfo=UTC), "UTC")


def test_a_time_without_offset_is_read_in_its_zone() -> None:
    found = read(start={"dateTime": "2026-07-05T10:00:00", "timeZone": "Asia/Tokyo"}, end={"dateTime": "2026-07-05T03:00:00Z"})
    assert found.span == Span(datetime(2026, 7, 5, 1, tzinfo=UTC), datetime(2026, 7, 5, 3, tzinfo=UTC))


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_error(day: str) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        names = Names(mark="demo", link="link", zone=zone)
        found = seen(event(start={"date": day}, end={"date": day}), names).owned
        assert found is not None


def test_a_null_title_is_an_empty_one() -> None:
    assert read(summary=None, description=None, location=None) == read()
