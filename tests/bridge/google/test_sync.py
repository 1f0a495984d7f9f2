"""Listing at Google: the traps of incremental sync (bridge.md §2.1)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.bridge.remote import CursorExpired, Gone, Guarded
from gateway.links import Key
from gateway.model import EntryId
from tests.bridge.contract import DAY, HOUR, KEY, NOW, Setting, known, owned, pages, pulled
from tests.bridge.google.wires import query, telling

FORBIDDEN = {"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"}


def lists(setting: Setting, since: int = 0) -> list[dict[str, list[str]]]:
    return [query(address) for method, address in setting.wire.sent[since:] if method == "GET" and "/events?" in address]


def test_a_sync_token_travels_with_no_forbidden_parameter_and_with_all_others(setting: Setting) -> None:
    remote = setting.open()
    _, cursor = pulled(remote)
    pulled(remote, cursor)
    first, second = lists(setting)
    assert second.pop("syncToken") == [cursor.value]
    assert not FORBIDDEN & set(second)
    first.pop("timeMin")
    assert first == second
    assert first["singleEvents"] == ["false"]
    assert first["showDeleted"] == ["true"]


def test_later_pages_of_an_increment_carry_both_tokens(setting: Setting) -> None:
    remote = setting.open()
    _, cursor = pulled(remote)
    for number in range(5):
        remote.create(Key(entry=EntryId(f"e{number}")), owned())
    setting.fake.knobs.turn({"page_size": 2})
    before = len(setting.wire.sent)
    assert len(pulled(remote, cursor)[0]) == 5
    asked = lists(setting, before)
    assert len(asked) == 3
    assert all(each["syncToken"] == [cursor.value] for each in asked)
    assert ["pageToken" in each for each in asked] == [False, True, True]


@pytest.mark.parametrize("page", [0, 1])
def test_a_410_at_any_page_is_an_expired_cursor(setting: Setting, page: int) -> None:
    remote = setting.open()
    _, cursor = pulled(remote)
    for number in range(3):
        remote.create(Key(entry=EntryId(f"e{number}")), owned())
    setting.fake.knobs.turn({"page_size": 2})
    setting.fault("GET /events", "status:410", skip=page)
    with pytest.raises(CursorExpired):
        pages(remote, cursor)


def test_a_410_about_one_event_is_no_expired_cursor(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.fault("DELETE /events/", "status:410")
    with pytest.raises(Gone):
        remote.delete(known(made))


def test_a_sync_token_that_google_does_not_know_is_an_expired_cursor(setting: Setting) -> None:
    remote = setting.open()
    _, cursor = pulled(remote)
    with pytest.raises(CursorExpired):
        pages(remote, replace(cursor, value="nonsense"))


def test_a_cancelled_exception_is_matched_by_its_series_and_place_alone(setting: Setting) -> None:
    """Only id, series and original start of it are guaranteed."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule="FREQ=DAILY;COUNT=5"))
    setting.act("delete", id=made.id, occurrence=(NOW + 2 * DAY).isoformat())
    [cancelled] = [each for each in pulled(remote)[0].values() if each.master]
    assert (cancelled.master, cancelled.at, cancelled.owned, cancelled.ours) == (made.id, NOW + 2 * DAY, None, None)


def test_a_cancelled_occurrence_can_be_called_back(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule="FREQ=DAILY;COUNT=5"))
    at = NOW + 2 * DAY
    setting.act("delete", id=made.id, occurrence=at.isoformat())
    there = remote.occurrence(made.id, at)
    assert there is not None
    assert there.owned is None
    back = remote.update(known(there, replace(KEY, at=at)), owned(start=at))
    assert back.owned == owned(start=at)


def test_other_reminders_are_no_change(setting: Setting) -> None:
    """`updated` does not move for them, and sync does not tell; the etag does move."""
    remote = setting.open()
    made = remote.create(KEY, owned())
    _, cursor = pulled(remote)
    setting.act("edit", id=made.id, reminders={"useDefault": False, "overrides": []})
    assert pulled(remote, cursor)[0] == {}


def test_an_event_dragged_out_of_the_window_is_told_once_more(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    _, cursor = pulled(remote)
    setting.act("move", id=made.id, start="2025-01-07T10:00:00+01:00", end="2025-01-07T11:00:00+01:00")
    changed = pulled(remote, cursor)[0][made.id]
    assert changed.owned is not None
    assert changed.owned.span.start.year == 2025


def test_this_and_following_ends_our_series_and_begins_one_that_is_not_ours(setting: Setting) -> None:
    """Google makes a new series with a new id of it (bridge.md §2.8)."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule="FREQ=DAILY;COUNT=9"))
    _, cursor = pulled(remote)
    at = NOW + 4 * DAY
    start, end = (at + HOUR).isoformat(), (at + 2 * HOUR).isoformat()
    setting.act("move", id=made.id, occurrence=at.isoformat(), reach="following", start=start, end=end)
    seen, _ = pulled(remote, cursor)
    assert "UNTIL=" in str(seen.pop(made.id).owned)
    [tail] = seen.values()
    with pytest.raises(Guarded):
        remote.delete(known(tail))


@pytest.mark.parametrize(
    "odd",
    [
        {"start": {"dateTime": "yesterday"}},
        {"start": {"date": "2026-13-01"}},
        {"start": None, "end": None},
        {"recurrence": [7]},
        {"originalStartTime": {}},
        {"extendedProperties": "none"},
        {"id": None, "start": 5},
    ],
)
def test_one_odd_event_keeps_no_other_from_being_seen(setting: Setting, odd: dict[str, object]) -> None:
    """bridge.md §4, 39."""
    remote = setting.open()
    made = remote.create(KEY, owned())
    theirs = setting.act("create", calendar=setting.calendar, title="Odd", start="2026-03-06T10:00:00+01:00")

    def mangle(content: bytes) -> bytes:
        told = json.loads(content)
        told["items"] = [each | odd if each["id"] == theirs["id"] else each for each in told["items"]]
        return json.dumps(told).encode()

    telling(setting).mangle = mangle
    seen, _ = pulled(remote)
    assert seen[made.id].owned == owned()
