"""Google's incremental sync and its traps (events.list: syncToken, pageToken, showDeleted, singleEvents)."""

from __future__ import annotations

import pytest

from tests.fakes.house import JOHN, GoogleHouse, timed

LIST = "/calendars/primary/events"


@pytest.fixture
def house() -> GoogleHouse:
    return GoogleHouse()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iCalUID", "a@b"),
        ("orderBy", "updated"),
        ("privateExtendedProperty", "gw=1"),
        ("q", "cut"),
        ("sharedExtendedProperty", "a=b"),
        ("timeMin", "2026-03-01T00:00:00Z"),
        ("timeMax", "2026-04-01T00:00:00Z"),
        ("updatedMin", "2026-03-01T00:00:00Z"),
        ("showDeleted", "false"),
    ],
)
def test_a_sync_token_cannot_be_combined_with_filters(house: GoogleHouse, name: str, value: str) -> None:
    _, token = house.sync()
    assert house.call("GET", LIST, None, {}, syncToken=token, **{name: value}).status == 400


def test_an_increment_with_other_parameters_than_the_listing_is_refused(house: GoogleHouse) -> None:
    _, token = house.sync(eventTypes="default")
    assert house.call("GET", LIST, None, {}, syncToken=token).status == 400
    assert house.call("GET", LIST, None, {}, syncToken=token, singleEvents="true", eventTypes="default").status == 400
    assert house.call("GET", LIST, None, {}, syncToken=token, eventTypes="default", maxResults=7).status == 200


def test_an_increment_tells_what_changed_and_nothing_else(house: GoogleHouse) -> None:
    kept, changed = house.insert(day=3), house.insert(day=4)
    _, token = house.sync()
    house.call.act(JOHN, "move", id=changed["id"], start="2026-03-04T12:00:00")
    items, onward = house.sync(token)
    assert [item["id"] for item in items] == [changed["id"]]
    assert house.sync(onward)[0] == []
    assert kept["id"] in {item["id"] for item in house.sync()[0]}


def test_a_token_can_be_used_again_for_reading_consumes_nothing(house: GoogleHouse) -> None:
    _, token = house.sync()
    made = house.insert()
    assert [item["id"] for item in house.sync(token)[0]] == [item["id"] for item in house.sync(token)[0]] == [made["id"]]


def test_an_expired_token_is_gone_and_says_so_in_googles_words(house: GoogleHouse) -> None:
    _, token = house.sync()
    house.call.control("POST", "expire-cursors", {"account": JOHN})
    answered = house.call("GET", LIST, None, {}, syncToken=token)
    assert (answered.status, answered.reason) == (410, "fullSyncRequired")
    assert house.sync()[1]


def test_a_full_listing_has_no_tombstones_for_what_was_deleted_while_the_token_was_dead(house: GoogleHouse) -> None:
    gone, kept = house.insert(day=3), house.insert(day=4)
    house.call.act(JOHN, "delete", id=gone["id"])
    assert [item["id"] for item in house.sync()[0]] == [kept["id"]]


def test_an_increment_has_tombstones_with_nothing_but_their_id(house: GoogleHouse) -> None:
    made = house.insert()
    _, token = house.sync()
    house.call.act(JOHN, "delete", id=made["id"])
    [item] = house.sync(token)[0]
    assert item["status"] == "cancelled"
    assert set(item) == {"kind", "etag", "id", "status"}


def test_the_sync_token_comes_with_the_last_page_only_and_pages_hold_what_is_asked(house: GoogleHouse) -> None:
    for day in range(2, 9):
        house.insert(day=day)
    first = house.call("GET", LIST, None, {}, maxResults=3).json
    assert len(first["items"]) == 3
    assert "nextSyncToken" not in first
    assert len(house.sync(maxResults=3)[0]) == 7


def test_a_page_may_be_empty_and_still_have_a_next(house: GoogleHouse) -> None:
    for day in range(2, 9):
        house.insert(day=day)
    house.call.control("POST", "knobs", {"empty_pages": True, "page_size": 0})
    first = house.call("GET", LIST, None, {}, maxResults=3).json
    assert first["items"] == []
    assert first["nextPageToken"]
    assert len({item["id"] for item in house.sync(maxResults=3)[0]}) == 7


def test_what_changes_between_two_pages_is_told_by_the_next_increment(house: GoogleHouse) -> None:
    made = sorted(house.insert(day=day)["id"] for day in range(2, 8))
    first = house.call("GET", LIST, None, {}, maxResults=3).json
    house.call.act(JOHN, "edit", id=made[0], title="Changed between the pages")
    second = house.call("GET", LIST, None, {}, maxResults=3, pageToken=first["nextPageToken"]).json
    assert {item["id"] for item in first["items"] + second["items"]} == set(made)
    assert [item["id"] for item in house.sync(second["nextSyncToken"])[0]] == [made[0]]


def test_pages_of_an_increment_need_both_tokens(house: GoogleHouse) -> None:
    _, token = house.sync()
    for day in range(2, 6):
        house.insert(day=day)
    first = house.call("GET", LIST, None, {}, syncToken=token, maxResults=2).json
    assert house.call("GET", LIST, None, {}, pageToken=first["nextPageToken"], maxResults=2).status == 400
    assert len(house.sync(token, maxResults=2)[0]) == 4


def test_the_token_of_a_restricted_listing_keeps_the_restriction(house: GoogleHouse) -> None:
    inside = house.insert(day=10)
    _, token = house.sync(timeMin="2026-03-09T00:00:00Z")
    house.insert(day=3)
    house.call.act(JOHN, "move", id=inside["id"], start="2026-03-04T10:00:00")
    [item] = house.sync(token)[0]
    assert item["id"] == inside["id"], "what leaves the window is told; what was never inside is not"


def test_some_listings_give_no_sync_token(house: GoogleHouse) -> None:
    house.insert()
    assert house.sync(q="Cut")[1] == ""
    assert house.sync(orderBy="updated")[1] == ""
    assert house.sync(privateExtendedProperty="a=b")[1] == ""


def test_cancelled_instances_are_listed_even_when_deleted_events_are_not_asked_for(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    house.call.act(JOHN, "delete", id=series["id"], occurrence="2026-03-09T09:00:00")
    items = {item["id"]: item for item in house.sync()[0]}
    cancelled = items[f"{series['id']}_20260309T080000Z"]
    assert set(cancelled) == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}
    assert len(house.sync(singleEvents="true", timeMax="2026-06-01T00:00:00Z")[0]) == 3


def test_moved_instances_are_rows_of_their_own_when_series_are_not_expanded(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    _, token = house.sync()
    house.call.act(JOHN, "move", id=series["id"], occurrence="2026-03-16T09:00:00", start="2026-03-17T15:00:00")
    [item] = house.sync(token)[0]
    assert item["recurringEventId"] == series["id"]
    assert item["originalStartTime"]["dateTime"] == "2026-03-16T09:00:00+01:00"
    assert item["start"]["dateTime"] == "2026-03-17T15:00:00+01:00"


def test_moved_then_cancelled_is_one_cancelled_row(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    _, token = house.sync()
    [moved] = house.call.act(JOHN, "move", id=series["id"], occurrence="2026-03-16T09:00:00", start="2026-03-17T15:00:00")
    house.call.act(JOHN, "delete", id=moved["id"])
    assert [(item["id"], item["status"]) for item in house.sync(token)[0]] == [(moved["id"], "cancelled")]


def test_a_change_of_reminders_is_not_told_and_leaves_the_time_of_change(house: GoogleHouse) -> None:
    made = house.insert()
    _, token = house.sync()
    house.clock.forward(minutes=5)
    body = {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}}
    changed = house.call("PATCH", f"{LIST}/{made['id']}", body).json
    assert changed["updated"] == made["updated"]
    assert changed["etag"] != made["etag"]
    assert house.sync(token)[0] == []


def test_deleting_a_series_leaves_tombstones_of_its_exceptions_too(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    [moved] = house.call.act(JOHN, "move", id=series["id"], occurrence="2026-03-16T09:00:00", start="2026-03-17T15:00:00")
    _, token = house.sync()
    house.call.act(JOHN, "delete", id=series["id"])
    assert {item["id"] for item in house.sync(token)[0]} == {series["id"], moved["id"]}
    assert house.sync()[0] == []


def test_this_and_following_ends_the_series_and_begins_another(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY"])
    _, token = house.sync()
    head, fresh = house.call.act(
        JOHN, "move", id=series["id"], occurrence="2026-03-16T09:00:00", start="2026-03-16T11:00:00", reach="following"
    )
    assert head["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20260316T075959Z"]
    assert fresh["id"] != series["id"]
    assert {item["id"] for item in house.sync(token)[0]} == {series["id"], fresh["id"]}
    found = house.call("GET", f"{LIST}/{series['id']}/instances").json["items"]
    assert [item["start"]["dateTime"][:10] for item in found] == ["2026-03-02", "2026-03-09"]


def test_the_series_keeps_its_wall_time_across_the_change_of_clocks(house: GoogleHouse) -> None:
    series = house.insert(day=23, recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    found = house.call("GET", f"{LIST}/{series['id']}/instances").json["items"]
    assert [item["start"]["dateTime"] for item in found] == [
        "2026-03-23T09:00:00+01:00",
        "2026-03-30T09:00:00+02:00",
        "2026-04-06T09:00:00+02:00",
    ]


def test_an_instance_is_found_by_its_original_start_wherever_it_is_now(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    house.call.act(JOHN, "move", id=series["id"], occurrence="2026-03-16T09:00:00", start="2026-03-17T15:00:00")
    [found] = house.call("GET", f"{LIST}/{series['id']}/instances", None, {}, originalStart="2026-03-16T09:00:00+01:00").json["items"]
    assert found["start"]["dateTime"] == "2026-03-17T15:00:00+01:00"
    assert house.call("GET", f"{LIST}/{series['id']}/instances", None, {}, originalStart="2026-03-17T08:00:00Z").json["items"] == []


def test_the_window_is_open_at_both_ends(house: GoogleHouse) -> None:
    made = house.insert(day=10, hour=9)
    for low, high, found in (
        ("09:00", "12:00", []),
        ("07:00", "08:00", []),
        ("08:59", "12:00", [made["id"]]),
        ("07:00", "08:01", [made["id"]]),
    ):
        window = {"timeMin": f"2026-03-10T{low}:00Z", "timeMax": f"2026-03-10T{high}:00Z"}
        assert [item["id"] for item in house.sync(**window)[0]] == found, window


def test_lists_sort_by_start_only_when_series_are_expanded(house: GoogleHouse) -> None:
    house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"])
    house.insert(day=5)
    assert house.call("GET", LIST, None, {}, orderBy="startTime").status == 400
    starts = [item["start"]["dateTime"] for item in house.sync(orderBy="startTime", singleEvents="true")[0]]
    assert starts == sorted(starts)
    assert len(starts) == 3


def test_times_are_shown_where_the_calendar_is_at_home_or_where_asked(house: GoogleHouse) -> None:
    house.call("POST", LIST, timed(start={"dateTime": "2026-03-05T10:00:00-05:00"}, end={"dateTime": "2026-03-05T11:00:00-05:00"}))
    assert house.sync()[0][0]["start"] == {"dateTime": "2026-03-05T16:00:00+01:00", "timeZone": "Europe/Paris"}
    assert house.sync(timeZone="UTC")[0][0]["start"]["dateTime"] == "2026-03-05T15:00:00Z"
