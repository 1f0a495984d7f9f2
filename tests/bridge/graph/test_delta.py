"""Rounds of changes at Graph, whose delta says what is right and yet misleading (bridge.md §3.1)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.bridge.remote import CalendarGone, CursorExpired, Guarded, Throttled, Unreachable
from tests.bridge.contract import DAY, HOUR, KEY, NOW, OTHER, PARIS, WINDOW, Setting, known, owned, pages, pulled
from tests.bridge.graph.wires import knobs, mailbox, opened, page, problem, telling

FAR = "2029-03-06T10:00:00+01:00"
SERIES = "FREQ=WEEKLY;COUNT=6"
WAYS = ["delta", "primary", "whole"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, setting: Setting) -> str:
    """The mailbox tells changes of every calendar, of the primary one alone, or of none of those that we look at."""
    knobs(setting).calendar_delta = request.param == "delta"
    if request.param == "primary":
        setting.calendar = mailbox(setting).primary.id
        telling(setting).instead = lambda method, path: problem(400, "BadRequest") if _is_delta_of_a_calendar(path) else None
    return str(request.param)


def _is_delta_of_a_calendar(path: str) -> bool:
    return "/calendars/" in path and path.endswith("/delta")


def test_an_event_that_left_the_window_is_only_hinted_at_and_still_there(setting: Setting) -> None:
    """Trap 1: `removed` may mean moved."""
    remote = setting.open()
    made = remote.create(KEY, owned())
    _, cursor = pulled(remote)
    setting.act("move", id=made.id, start=FAR)
    seen, _ = pulled(remote, cursor)
    assert (seen[made.id].owned, seen[made.id].certain) == (None, False)
    there = remote.get(made.id)
    assert there is not None
    assert there.owned is not None
    assert there.owned.span.start == datetime(2029, 3, 6, 9, tzinfo=UTC)


def test_an_event_made_beyond_the_window_is_no_deletion(setting: Setting) -> None:
    remote = setting.open()
    _, cursor = pulled(remote)
    made = setting.act("create", calendar=setting.calendar, title="Far away", start=FAR)
    seen, _ = pulled(remote, cursor)
    assert not seen[made["id"]].certain
    assert remote.get(made["id"]) is not None


def test_an_event_that_is_really_gone_is_hinted_at_in_the_same_way_and_not_there(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    _, cursor = pulled(remote)
    setting.act("delete", id=made.id)
    seen, _ = pulled(remote, cursor)
    assert (seen[made.id].owned, seen[made.id].certain) == (None, False)
    assert remote.get(made.id) is None


def test_an_event_moved_to_another_calendar_is_hinted_at_and_neither_lost_nor_made_twice(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    _, cursor = pulled(remote)
    setting.act("transfer", id=made.id, calendar=mailbox(setting).primary.id)
    seen, _ = pulled(remote, cursor)
    assert not seen[made.id].certain
    there = remote.get(made.id)
    assert there is not None
    assert there.owned == owned()
    assert remote.update(known(there), owned(title="Still ours")).owned == owned(title="Still ours")


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_a_cancelled_date_is_read_from_its_series_whatever_delta_says(setting: Setting, told: bool) -> None:
    """Trap 2: delta may say nothing at all of it; then the next full listing finds it."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    _, cursor = pulled(remote)
    knobs(setting).occurrence_news = told
    setting.act("delete", id=made.id, occurrence=(NOW + 8 * DAY).isoformat())
    for since in (cursor, None) if told else (None,):
        [lost] = [each for each in pulled(remote, since)[0].values() if each.at == NOW + 8 * DAY]
        assert (lost.owned, lost.master, lost.certain) == (None, made.id, True)


def test_a_cancelled_date_that_nobody_told_of_comes_with_any_other_news_of_its_series(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    _, cursor = pulled(remote)
    knobs(setting).occurrence_news = False
    setting.act("delete", id=made.id, occurrence=(NOW + 8 * DAY).isoformat())
    at = NOW + 15 * DAY
    setting.act("move", id=made.id, occurrence=at.isoformat(), start=(at + HOUR).isoformat(), end=(at + 2 * HOUR).isoformat())
    told = {each.at: each.owned for each in pulled(remote, cursor)[0].values() if each.master}
    assert set(told) == {NOW + 8 * DAY, at}
    assert told[NOW + 8 * DAY] is None


def test_a_cancelled_date_can_be_asked_for_by_what_we_call_it(setting: Setting) -> None:
    """Graph has no id for it."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    setting.act("delete", id=made.id, occurrence=(NOW + 8 * DAY).isoformat())
    lost = remote.occurrence(made.id, NOW + 8 * DAY)
    assert lost is not None
    assert remote.get(lost.id) == lost
    setting.act("delete", id=made.id)
    assert remote.get(lost.id) is None


def test_dates_that_follow_their_series_are_no_items(setting: Setting) -> None:
    """Trap 3: delta tells them with nothing but their times."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    assert set(pulled(remote)[0]) == {made.id}


def test_a_moved_date_of_which_graph_does_not_say_when_it_was_is_read_from_its_series(setting: Setting) -> None:
    """Its place would be taken for that of another date."""
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    _, cursor = pulled(remote)
    at = NOW + 8 * DAY
    setting.act("move", id=made.id, occurrence=at.isoformat(), start=(at + HOUR).isoformat(), end=(at + 2 * HOUR).isoformat())

    def without(path: str, answer: Any) -> Any:
        for each in answer.get("value", []):
            each.pop("originalStart", None)
        return answer

    telling(setting).mangle = without
    [moved] = [each for each in pulled(remote, cursor)[0].values() if each.master]
    assert moved.at == at


def test_replays_and_items_told_twice_change_nothing(setting: Setting) -> None:
    remote = setting.open()
    one, two = remote.create(KEY, owned()), remote.create(OTHER, owned(start=NOW + 2 * DAY))
    _, cursor = pulled(remote)
    knobs(setting).replay = 10
    setting.act("move", id=one.id, start="2026-03-04T15:00:00+01:00")
    seen, later = pulled(remote, cursor)
    assert seen[one.id].owned == owned(start=datetime(2026, 3, 4, 14, tzinfo=UTC))
    assert seen[two.id].owned == owned(start=NOW + 2 * DAY)
    assert len([each for part in pages(remote, later) for each in part.seen]) > len(pulled(remote, later)[0])


def test_a_change_that_comes_late_comes(setting: Setting) -> None:
    remote = setting.open()
    _, cursor = pulled(remote)
    knobs(setting).lag_seconds = 60
    made = remote.create(KEY, owned())
    seen, cursor = pulled(remote, cursor)
    assert seen == {}
    setting.clock.forward(HOUR / 30)
    assert set(pulled(remote, cursor)[0]) == {made.id}


@pytest.mark.parametrize("code", ["gone", "syncStateNotFound", "SyncStateNotFound", "ErrorInvalidSyncStateData", "resyncRequired"])
def test_a_token_that_has_died_means_that_everything_is_listed(setting: Setting, code: str) -> None:
    remote = setting.open()
    _, cursor = pulled(remote)
    setting.control("expire-cursors")
    knobs(setting).expiry = code
    with pytest.raises(CursorExpired):
        pages(remote, cursor)
    forged = replace(cursor, value=cursor.value[:-4] + "AAAA")
    with pytest.raises(CursorExpired):
        pages(remote, forged)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1.0/me/calendarView/delta?$deltatoken=x",
        "http://provider.example/v1.0/me/calendarView/delta?$deltatoken=x",
        "https://provider.example.evil.example/v1.0/me/x",
        "https://provider.example/beta/me/x",
        "https://user@provider.example/v1.0/me/x",
        "https://provider.example:444/v1.0/me/x",
    ],
)
def test_a_link_never_leads_to_another_host(setting: Setting, link: str) -> None:
    """Our access token would travel along."""
    remote = setting.open()
    _, cursor = pulled(remote)
    before = len(setting.wire.sent)
    with pytest.raises(Guarded):
        pages(remote, replace(cursor, value=link))
    assert len(setting.wire.sent) == before
    telling(setting).mangle = lambda path, answer: answer | {"@odata.nextLink": link} if path.endswith("delta") else answer
    with pytest.raises(Guarded):
        pages(remote)
    assert all(address.startswith("https://provider.example/") for _, address in setting.wire.sent)


def test_links_in_circles_end(setting: Setting) -> None:
    remote = setting.open()
    _, cursor = pulled(remote)
    telling(setting).mangle = lambda path, answer: {"value": [], "@odata.nextLink": cursor.value}
    with pytest.raises(Unreachable):
        pages(remote)
    with pytest.raises(Unreachable):
        remote.find(KEY)
    with pytest.raises(Unreachable):
        setting.house.calendars(setting.kept, NOW)


def test_a_round_without_a_token_at_its_end_gives_no_cursor(setting: Setting) -> None:
    remote = setting.open()
    telling(setting).mangle = lambda path, answer: {"value": []}
    with pytest.raises(Unreachable):
        pages(remote)


def test_one_event_nobody_can_read_is_no_others_trouble(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    theirs = setting.act("create", calendar=setting.calendar, title="Poison", start="2026-03-06T10:00:00+01:00")

    def poisoned(path: str, answer: Any) -> Any:
        for each in answer.get("value", [answer]):
            if each.get("id") == theirs["id"]:
                each["start"] = {"dateTime": "soon", "timeZone": None}
        return answer

    telling(setting).mangle = poisoned
    assert set(pulled(remote)[0]) == {made.id}
    with pytest.raises(Unreachable):
        remote.get(theirs["id"])


# The ways to learn of changes


def test_the_best_way_that_the_mailbox_has_is_taken_and_kept(setting: Setting, way: str) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    before = len(setting.asked())
    _, cursor = pulled(remote)
    assert f"2 {way} " in cursor.fingerprint
    assert len(setting.asked()) == before + (1 if way == "delta" else 3)
    before = len(setting.asked())
    changed, cursor = pulled(remote, cursor)
    assert changed == {}
    assert len(setting.asked()) == before + 1
    setting.act("edit", id=made.id, title="Renamed")
    assert {name: each.owned for name, each in pulled(remote, cursor)[0].items()} == {made.id: owned(title="Renamed")}


def test_every_way_tells_what_was_made_moved_and_deleted(setting: Setting, way: str) -> None:
    remote = setting.open()
    one, two = remote.create(KEY, owned()), remote.create(OTHER, owned(start=NOW + 2 * DAY))
    full = pages(remote)
    assert full[-1].full
    _, cursor = pulled(remote)
    setting.act("move", id=one.id, start="2026-03-04T15:00:00+01:00")
    setting.act("delete", id=two.id)
    theirs = setting.act("create", calendar=setting.calendar, title="Theirs", start="2026-03-06T10:00:00+01:00")
    seen, later = pulled(remote, cursor)
    assert set(seen) == {one.id, two.id, theirs["id"]}
    assert seen[one.id].owned == owned(start=datetime(2026, 3, 4, 14, tzinfo=UTC))
    assert (seen[two.id].owned, seen[two.id].certain) == (None, False)
    assert remote.get(two.id) is None
    assert pulled(remote, later)[0] == {}
    assert not pages(remote, later)[-1].full


def test_every_way_tells_dates_that_were_moved_and_cancelled(setting: Setting, way: str) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule=SERIES))
    _, cursor = pulled(remote)
    lost, at = NOW + 8 * DAY, NOW + 15 * DAY
    setting.act("delete", id=made.id, occurrence=lost.isoformat())
    setting.act("move", id=made.id, occurrence=at.isoformat(), start=(at + HOUR).isoformat(), end=(at + 2 * HOUR).isoformat())
    for since in (cursor, None):
        told = {each.at: each.owned for each in pulled(remote, since)[0].values() if each.master == made.id}
        assert told == {lost: None, at: owned(start=at + HOUR)}


def test_every_way_reads_empty_pages_and_small_ones(setting: Setting, way: str) -> None:
    remote = setting.open()
    made = {remote.create(replace(KEY, generation=number), owned(start=NOW + number * DAY)).id for number in range(7)}
    knobs(setting).turn({"page_size": 2, "empty_pages": True})
    assert set(pulled(remote)[0]) == made


def test_what_a_whole_listing_overlooked_is_only_hinted_at(setting: Setting) -> None:
    """Pages are counted, not kept: an event may slip between two of them."""
    knobs(setting).calendar_delta = False
    remote = setting.open()
    made = remote.create(KEY, owned())
    _, cursor = pulled(remote)
    telling(setting).mangle = lambda path, answer: answer | {"value": []} if path.endswith("/events") else answer
    seen, _ = pulled(remote, cursor)
    assert not seen[made.id].certain
    assert remote.get(made.id) is not None


def test_a_last_listing_that_cannot_be_read_means_that_everything_is_listed(setting: Setting) -> None:
    knobs(setting).calendar_delta = False
    remote = setting.open()
    _, cursor = pulled(remote)
    for value in ("", "no base64!", "AAAA"):
        with pytest.raises(CursorExpired):
            pages(remote, replace(cursor, value=value))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(503, "ErrorServerBusy", Retry_After="5"), Throttled),
        (problem(500, "ErrorInternalServerError"), Unreachable),
        (problem(403, "ErrorAccessDenied"), CalendarGone),
        (problem(404, "MailboxNotEnabledForRESTAPI"), CalendarGone),
        (page(200), Unreachable),
        (page(404), Unreachable),
        ((200, {}, json.dumps([]).encode()), Unreachable),
    ],
    ids=["busy", "broken", "forbidden", "no mailbox", "portal", "proxy", "no object"],
)
def test_trouble_is_no_reason_to_list_in_another_way_and_never_an_empty_calendar(setting: Setting, answer: Any, error: type) -> None:
    remote = setting.open()
    remote.create(KEY, owned())
    telling(setting).instead = lambda method, path: answer if "/calendars/" in path else None
    with pytest.raises(error):
        pages(remote)


def test_another_address_of_graph_or_another_mailbox_begins_anew(setting: Setting) -> None:
    _, cursor = pulled(setting.open())
    other = setting.house.make_calendar(setting.kept, "Other", PARIS, NOW)
    with pytest.raises(CursorExpired):
        pages(setting.open(calendar=other.id), cursor)


def test_every_request_asks_for_immutable_ids_text_and_universal_time(setting: Setting) -> None:
    remote = opened(setting)
    made = remote.create(KEY, owned(rule=SERIES))
    _, cursor = pulled(remote)
    pulled(remote, cursor)
    remote.find(KEY)
    remote.occurrence(made.id, NOW + 8 * DAY)
    remote.watch("https://127.0.0.1/hooks", "s", NOW)
    remote.update(known(made), owned(title="x", rule=SERIES))
    setting.house.calendars(setting.kept, NOW)
    setting.house.busy(setting.kept, [setting.calendar], WINDOW, NOW)
    wire = telling(setting)
    asked = [
        headers for (_, address), headers in zip(wire.sent, wire.headers, strict=True) if "/v1.0/" in address and "oauth2" not in address
    ]
    assert len(asked) > 10
    for headers in asked:
        assert 'IdType="ImmutableId"' in headers["prefer"]
        assert 'outlook.body-content-type="text"' in headers["prefer"]
        assert 'outlook.timezone="UTC"' in headers["prefer"]


def test_ids_are_percent_encoded_wherever_they_stand(setting: Setting) -> None:
    """They hold / + and =, and their case matters."""
    remote = setting.open()
    made = remote.create(KEY, owned())
    assert set("/+=") <= set(made.id) & set(setting.calendar)
    there = remote.get(made.id)
    assert there is not None
    remote.delete(known(there))
    wire = telling(setting)
    assert all(made.id not in address and setting.calendar not in address for _, address in wire.sent)
