"""Appointments as Graph's events and back: times, whole days, texts, states (bridge.md §3.3, §3.4, §5.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.graph import events
from gateway.bridge.graph.names import Names
from gateway.bridge.owned import line, normal
from gateway.bridge.remote import Inexpressible
from gateway.links import Owned
from gateway.model import Span
from tests.bridge.contract import DAY, HOUR, KEY, NOW, PARIS, Setting, known, owned, pulled
from tests.bridge.graph.wires import mailbox, telling

NAMES = Names(mark="demo", link="link", zone=PARIS)


def event(**more: Any) -> dict[str, Any]:
    """As Graph shows one."""
    return {
        "id": "A",
        "@odata.etag": 'W/"1"',
        "start": {"dateTime": "2026-03-03T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-03T10:00:00.0000000", "timeZone": "UTC"},
        "originalStartTimeZone": "Romance Standard Time",
        "type": "singleInstance",
        "subject": "Advice",
        **more,
    }


def read(**more: Any) -> Owned:
    found = events.seen(event(**more), NAMES).owned
    assert found is not None
    return found


def test_only_what_we_own_is_ever_written() -> None:
    fields = {"subject", "body", "location", "showAs", "start", "end", "isAllDay"}
    assert set(events.written(owned(text="x"))) == fields
    assert set(events.written(owned(rule="FREQ=DAILY"))) == {*fields, "recurrence"}
    assert events.written(owned(), owned()) == {}
    assert set(events.written(owned(rule="FREQ=DAILY"), owned(rule="FREQ=DAILY"))) == set()


@pytest.mark.parametrize("zone", ["tzone://Microsoft/Custom", "Strange Standard Time", ""])
def test_an_unknown_zone_keeps_the_instant(zone: str) -> None:
    """bridge.md §4, 32: never dropped."""
    found = read(originalStartTimeZone=zone)
    assert (found.span.start, found.zone) == (datetime(2026, 3, 3, 9, tzinfo=UTC), "UTC")


def test_times_are_read_in_whatever_zone_they_are_said() -> None:
    found = read(start={"dateTime": "2026-03-03T10:00:00", "timeZone": "Romance Standard Time"})
    assert found.span.start == datetime(2026, 3, 3, 9, tzinfo=UTC)


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),
    minutes=st.integers(0, 3000),
    zone=st.sampled_from(["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Antarctica/Troll"]),
)
def test_an_instant_is_the_same_after_it_was_written_and_read(moment: datetime, minutes: int, zone: str) -> None:
    """Also in the hours that a clock shows twice or never, and in zones that Exchange does not know (bridge.md §4, 28 and 29)."""
    start = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    wish = owned(start=start, hours=minutes / 60, zone=zone)
    body = events.written(wish)
    assert Span(events.instant(body["start"]), events.instant(body["end"])) == wish.span


def test_a_series_in_a_zone_that_exchange_does_not_know_is_not_said() -> None:
    with pytest.raises(Inexpressible):
        events.written(owned(zone="Antarctica/Troll", rule="FREQ=DAILY"))
    assert events.written(owned(zone="Antarctica/Troll"))["start"]["timeZone"] == "UTC"


def test_a_series_at_an_hour_that_the_clock_shows_twice_is_not_said() -> None:
    """Half past two for the second time: the days after it have only one."""
    with pytest.raises(Inexpressible):
        events.written(owned(start=datetime(2026, 10, 25, 1, 30, tzinfo=UTC), rule="FREQ=DAILY"))


def test_madrid_comes_back_as_madrid_although_exchange_says_paris(setting: Setting) -> None:
    remote = setting.open(zone="Europe/Madrid")
    wish = owned(zone="Europe/Madrid", rule="FREQ=WEEKLY;BYDAY=TU")
    assert remote.create(KEY, wish).owned == wish


@given(
    day=st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    days=st.integers(1, 5),
    zone=st.sampled_from(["Pacific/Pago_Pago", "Europe/Paris", "America/Santiago", "Asia/Kathmandu", "Pacific/Kiritimati"]),
)
def test_a_whole_day_is_its_date_wherever_the_calendar_is(day: date, days: int, zone: str) -> None:
    """From midnight to midnight "regardless of time zone" (bridge.md §3.3; §4, 30)."""
    times = {
        name: {"dateTime": f"{each}T00:00:00.0000000", "timeZone": "UTC"}
        for name, each in zip(("start", "end"), (day, day + days * DAY), strict=True)
    }
    found = events.seen(event(isAllDay=True, **times), replace(NAMES, zone=zone)).owned
    assert found is not None
    walls = [each.astimezone(ZoneInfo(zone)) for each in (found.span.start, found.span.end)]
    assert [each.date() for each in walls] == [day, day + timedelta(days=days)]
    assert (found.all_day, found.zone) == (True, zone)
    body = events.written(found)
    assert (body["isAllDay"], body["start"]["dateTime"][:10], body["end"]["dateTime"][:10]) == (True, f"{day}", f"{day + days * DAY}")


def test_dates_of_a_series_of_whole_days_are_told_by_their_midnights_at_home(setting: Setting) -> None:
    theirs = setting.act("create", calendar=setting.calendar, title="Fair", start="2026-03-06", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    setting.act("delete", id=theirs["id"], occurrence="2026-03-13")
    setting.act("move", id=theirs["id"], occurrence="2026-03-20", start="2026-03-21")
    seen, _ = pulled(setting.open())
    assert seen[theirs["id"]].owned is not None
    told = {each.at: each.owned for each in seen.values() if each.master}
    midnights = [datetime(2026, 3, day, tzinfo=ZoneInfo(PARIS)).astimezone(UTC) for day in (13, 20, 21)]
    assert set(told) == set(midnights[:2])
    moved = told[midnights[1]]
    assert moved is not None
    assert (moved.span.start, told[midnights[0]]) == (midnights[2], None)


@pytest.mark.parametrize(
    ("shown", "busy", "tentative"),
    [
        ("free", False, False),
        ("workingElsewhere", False, False),
        ("tentative", True, True),
        ("busy", True, False),
        ("oof", True, False),
        ("unknown", True, False),
        (None, True, False),
    ],
)
def test_how_an_event_is_shown_says_whether_it_blocks(shown: str | None, busy: bool, tentative: bool) -> None:
    found = events.seen(event(showAs=shown), NAMES)
    assert found.owned is not None
    assert (found.busy, found.owned.tentative) == (busy, tentative)


def test_out_of_office_stays_when_we_write(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.act("edit", id=made.id, showAs="oof")
    there = remote.get(made.id)
    assert there is not None
    remote.update(known(there), owned(title="Other"))
    assert mailbox(setting).rows[made.id].body["showAs"] == "oof"
    remote.update(known(remote.get(made.id) or made), owned(title="Other", tentative=True))
    assert mailbox(setting).rows[made.id].body["showAs"] == "tentative"


def test_a_cancelled_meeting_takes_place_no_more() -> None:
    assert events.seen(event(isCancelled=True), NAMES).owned is None


def test_what_is_missing_is_empty_and_never_an_error() -> None:
    """Null subjects, bodies and places (bridge.md §4, at its end)."""
    found = read(subject=None, body=None, location=None, attendees=None, recurrence=None)
    assert (found.title, found.text, found.place, found.rule) == ("", "", "", "")


def test_an_end_before_its_start_is_no_length() -> None:
    assert read(end={"dateTime": "2026-03-03T08:00:00", "timeZone": "UTC"}).span.length == timedelta()


@pytest.mark.parametrize("field", ["id", "start", "end"])
def test_an_event_without_what_makes_it_one_cannot_be_read(field: str) -> None:
    broken = event()
    del broken[field]
    with pytest.raises(events.UNREADABLE):
        events.seen(broken, NAMES)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<html><head><style>p {color: red}</style></head><body>\r\nOne<br>\r\nTwo\r\n</body></html>", "One\nTwo"),
        ("<html><body><div>One</div><div>Two &amp; three &lt;b&gt;</div></body></html>", "One\nTwo & three <b>"),
        ("<p>One</p>\n<p>Two\nlines</p>", "One\nTwo lines"),
        ("<body><script>alert('One')</script>Two<br><br>Three</body>", "Two\n\nThree"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_a_body_in_html_is_read_as_people_read_it(html: str, text: str) -> None:
    """Graph does not always hear that text was asked for."""
    assert read(body={"contentType": "html", "content": html}).text == text


def test_a_body_that_is_text_is_not_taken_for_html() -> None:
    assert read(body={"contentType": "text", "content": "a <b>\r\nc  \r\n"}).text == "a <b>\nc"


@given(text=st.text(max_size=60))
def test_any_html_is_read_as_some_text_that_is_normal(text: str) -> None:
    found = read(body={"contentType": "html", "content": text}, subject=text, location={"displayName": text})
    assert (normal(found.text), line(found.title), line(found.place)) == (found.text, found.title, found.place)


def test_busy_times_of_whole_days_are_those_of_the_person_who_made_them(setting: Setting) -> None:
    made = setting.act("create", title="Holiday", start="2026-03-06")
    telling(setting).mangle = lambda path, answer: {
        **answer,
        "value": [each | {"originalStartTimeZone": "Romance Standard Time"} for each in answer.get("value", [])],
    }
    window = Span(NOW, NOW + 30 * DAY)
    midnight = datetime(2026, 3, 5, 23, tzinfo=UTC)
    assert setting.house.busy(setting.kept, [made["calendar"]], window, NOW) == [Span(midnight, midnight + DAY)]


def test_busy_times_are_every_date_of_a_series_on_every_page_and_only_times(setting: Setting) -> None:
    made = setting.act("create", title="Canary", start="2026-03-06T10:00:00+01:00", recurrence=["RRULE:FREQ=DAILY;COUNT=9"])
    setting.fake.knobs.turn({"page_size": 2, "empty_pages": True})
    before = len(telling(setting).sent)
    found = setting.house.busy(setting.kept, [made["calendar"]], Span(NOW, NOW + 30 * DAY), NOW)
    first = datetime(2026, 3, 6, 9, tzinfo=UTC)
    assert list(found) == [Span(first + number * DAY, first + number * DAY + HOUR) for number in range(9)]
    assert all("subject" not in address for _, address in telling(setting).sent[before:])
