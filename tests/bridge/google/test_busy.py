"""When the person's other calendars at Google are busy: times only (bridge.md §2.8)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gateway.bridge.remote import CalendarGone, Unreachable
from gateway.model import Span
from tests.bridge.contract import DAY, HOUR, NOW, WINDOW, Setting
from tests.bridge.google.wires import telling

TIMES = {"start": "2026-03-05T10:00:00+01:00", "end": "2026-03-05T11:00:00+01:00"}
THERE = Span(datetime(2026, 3, 5, 9, tzinfo=UTC), datetime(2026, 3, 5, 10, tzinfo=UTC))


def busy(setting: Setting, *calendars: str) -> list[Span]:
    return list(setting.house.busy(setting.kept, calendars or (setting.login,), WINDOW, NOW))


@pytest.mark.parametrize(("kind", "blocks"), [("workingLocation", False), ("outOfOffice", True), ("focusTime", True), ("default", True)])
def test_a_working_location_blocks_nobody_and_being_away_does(setting: Setting, kind: str, blocks: bool) -> None:
    setting.act("create", title="x", eventType=kind, **TIMES)
    assert busy(setting) == ([THERE] if blocks else [])


def test_a_birthday_blocks_nobody(setting: Setting) -> None:
    setting.act("create", title="Ann", eventType="birthday", start="2026-03-05", recurrence=["RRULE:FREQ=YEARLY"])
    assert busy(setting) == []


def test_a_whole_day_blocks_the_day(setting: Setting) -> None:
    setting.act("create", title="Holiday", start="2026-03-05", end="2026-03-06")
    midnight = datetime(2026, 3, 4, 23, tzinfo=UTC)
    assert busy(setting) == [Span(midnight, midnight + DAY)]


def test_a_long_time_ahead_is_asked_for_in_stretches_that_google_answers(setting: Setting) -> None:
    setting.act("create", title="Weekly", recurrence=["RRULE:FREQ=WEEKLY;COUNT=50"], **TIMES)
    assert len(busy(setting)) == 50
    questions = [json.loads(body) for body in setting.wire.bodies if b"timeMin" in body]
    moments = [(datetime.fromisoformat(each["timeMin"]), datetime.fromisoformat(each["timeMax"])) for each in questions]
    assert moments[0][0] == WINDOW.start
    assert moments[-1][1] == WINDOW.end
    assert all(end - start <= timedelta(days=60) for start, end in moments)
    assert all(one[1] == two[0] for one, two in pairwise(moments))


def test_no_more_than_fifty_calendars_are_in_one_question(setting: Setting) -> None:
    names = [setting.act("calendar", title=f"c{number}")["calendar"] for number in range(60)]
    for name in (names[0], names[59]):
        setting.act("create", calendar=name, title="x", **TIMES)
    assert busy(setting, *names) == [THERE]
    assert max(len(json.loads(body)["items"]) for body in setting.wire.bodies if b"timeMin" in body) == 50


def test_a_calendar_that_cannot_be_seen_is_not_free(setting: Setting) -> None:
    """Fail closed (bridge.md §4, 49)."""
    with pytest.raises(CalendarGone):
        busy(setting, setting.login, "gone@example.com")
    broken = {"calendars": {setting.login: {"errors": [{"domain": "global", "reason": "internalError"}], "busy": []}}}
    for answer in (broken, {"calendars": {}}, {}, {"calendars": {setting.login: {}}}):
        content = json.dumps(answer).encode()
        telling(setting).instead = lambda method, path, content=content: (200, {}, content) if "freeBusy" in path else None
        with pytest.raises(Unreachable):
            busy(setting)


def test_times_are_all_that_is_taken(setting: Setting) -> None:
    setting.act("create", title="Secret title", description="Secret", **TIMES)
    found = busy(setting)
    assert found[0].length == HOUR
    assert "Secret" not in repr(found)
