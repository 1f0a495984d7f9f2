"""Graph's delta and its traps: what is told as removed and is not, what is not told at all, what is told twice."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fakes.house import EMMA, IMMUTABLE, GraphHouse, graph_timed, path, weekly

DELTA = "/me/calendarView/delta"
MARCH = {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-04-01T00:00:00Z"}


@pytest.fixture
def house() -> GraphHouse:
    return GraphHouse()


def removed(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items if "@removed" in item]


def test_a_round_begins_with_everything_in_the_window_and_goes_on_with_changes(house: GraphHouse) -> None:
    made, _ = house.create(day=3), house.create(day=4)
    items, link = house.round()
    assert len(items) == 2
    house.call.act(EMMA, "move", id=made["id"], start="2026-03-05T10:00:00")
    items, onward = house.round(link)
    assert [item["id"] for item in items] == [made["id"]]
    assert house.round(onward)[0] == []
    assert [item["id"] for item in house.round(link)[0]] == [made["id"]], "a link can be followed again"


def test_an_event_made_outside_the_window_is_told_as_removed_and_is_there(house: GraphHouse) -> None:
    _, link = house.round()
    [far] = house.call.act(EMMA, "create", title="Far", start="2026-09-01T10:00:00")
    items, _ = house.round(link)
    assert removed(items) == [far["id"]]
    assert items[0]["@removed"] == {"reason": "deleted"}
    assert house.call("GET", path("me", "events", far["id"])).status == 200


def test_an_event_moved_out_of_the_window_is_told_as_removed_and_is_there(house: GraphHouse) -> None:
    made = house.create()
    _, link = house.round()
    house.call.act(EMMA, "move", id=made["id"], start="2026-04-02T10:00:00")
    assert removed(house.round(link)[0]) == [made["id"]]
    assert house.call("GET", path("me", "events", made["id"])).json["start"]["dateTime"] == "2026-04-02T08:00:00.0000000"


def test_an_event_that_is_gone_is_told_the_same_way_and_is_not_there(house: GraphHouse) -> None:
    made = house.create()
    _, link = house.round()
    house.call.act(EMMA, "delete", id=made["id"])
    assert removed(house.round(link)[0]) == [made["id"]]
    answered = house.call("GET", path("me", "events", made["id"]))
    assert (answered.status, answered.reason) == (404, "ErrorItemNotFound")


def test_a_cancelled_occurrence_is_not_told_only_its_master_knows(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly())
    items, link = house.round()
    second = next(item for item in items if item["start"]["dateTime"].startswith("2026-03-09"))
    house.call.act(EMMA, "delete", id=second["id"])
    items, _ = house.round(link)
    assert removed(items) == []
    assert second["id"] not in {item["id"] for item in items}
    [master] = [item for item in items if item["type"] == "seriesMaster"]
    assert master["changeKey"] != series["changeKey"]
    shown = house.call("GET", path("me", "events", series["id"]), None, {"Prefer": IMMUTABLE}, _select="subject,cancelledOccurrences").json
    assert shown["cancelledOccurrences"] == [f"OID.{series['id']}.2026-03-09"]


def test_delta_may_say_nothing_whatever_of_a_cancelled_occurrence(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly())
    _, link = house.round()
    house.call.control("POST", "knobs", {"occurrence_news": False})
    house.call.act(EMMA, "delete", id=series["id"], occurrence="2026-03-09T09:00:00")
    assert house.round(link)[0] == []


def test_occurrences_come_with_nothing_their_master_has(house: GraphHouse) -> None:
    house.create(recurrence=weekly())
    items, _ = house.round()
    occurrence = next(item for item in items if item["type"] == "occurrence")
    assert set(occurrence) == {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
    master = next(item for item in items if item["type"] == "seriesMaster")
    assert (occurrence["seriesMasterId"], master["subject"]) == (master["id"], "Cut")


def test_an_exception_comes_whole_and_keeps_the_id_of_the_occurrence(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly())
    items, link = house.round()
    second = next(item for item in items if item["start"]["dateTime"].startswith("2026-03-09"))
    house.call.act(EMMA, "move", id=second["id"], start="2026-03-10T15:00:00")
    [item] = house.round(link)[0]
    assert (item["id"], item["type"], item["seriesMasterId"]) == (second["id"], "exception", series["id"])
    assert item["originalStart"] == "2026-03-09T08:00:00Z"
    assert item["subject"] == "Cut"


def test_a_changed_series_tells_its_new_occurrences_and_removes_the_old_ids(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly(count=3))
    items, link = house.round()
    old = {item["id"] for item in items if item["type"] == "occurrence"}
    house.call.act(EMMA, "move", id=series["id"], start="2026-03-02T11:00:00")
    items, _ = house.round(link)
    assert set(removed(items)) == old
    assert len([item for item in items if item.get("type") == "occurrence"]) == 3


def test_a_series_that_began_years_ago_is_there_with_its_occurrences_in_the_window(house: GraphHouse) -> None:
    begin = {"dateTime": "2020-01-06T09:00:00", "timeZone": "Romance Standard Time"}
    endless = weekly(start="2020-01-06") | {"range": {"type": "noEnd", "startDate": "2020-01-06"}}
    house.create(start=begin, end=begin | {"dateTime": "2020-01-06T10:00:00"}, recurrence=endless)
    items, _ = house.round()
    assert [item["type"] for item in items].count("seriesMaster") == 1
    assert [item["type"] for item in items].count("occurrence") == 5


@pytest.mark.parametrize("option", ["_select", "_expand", "_filter", "_orderby", "_search"])
def test_delta_takes_no_query_options(house: GraphHouse, option: str) -> None:
    assert house.call("GET", DELTA, None, {}, **MARCH, **{option: "subject"}).status == 400


def test_delta_needs_a_window_also_on_events(house: GraphHouse) -> None:
    for place in (DELTA, "/me/events/delta()"):
        assert house.call("GET", place).reason == "ErrorInvalidParameter"
    house.create(recurrence=weekly())
    items, _ = house.round(place="/me/events/delta()")
    assert [item["type"] for item in items] == ["seriesMaster"]


def test_both_spellings_and_all_places_work_until_the_mailbox_only_knows_the_documented_one(house: GraphHouse) -> None:
    folder = house.call("GET", "/me/calendar").json["id"]
    places = [
        DELTA,
        DELTA + "()",
        path("me", "calendars", folder, "calendarView") + "/delta()",
        path("me", "calendars", folder, "events") + "/delta",
    ]
    for place in places:
        assert house.call("GET", place, None, {}, **MARCH).status == 200
    made = house.call("POST", "/me/calendars", {"name": "Salon"}).json["id"]
    other = path("me", "calendars", made, "calendarView") + "/delta"
    assert house.call("GET", other, None, {}, **MARCH).status == 200
    house.call.control("POST", "knobs", {"calendar_delta": False})
    assert house.call("GET", other, None, {}, **MARCH).status == 400
    assert house.call("GET", DELTA, None, {}, **MARCH).status == 200


def test_pages_are_as_small_as_preferred_may_be_empty_and_never_split_a_series(house: GraphHouse) -> None:
    house.create(recurrence=weekly())
    for day in (3, 4, 5):
        house.create(day=day)
    house.call.control("POST", "knobs", {"empty_pages": True})
    prefer = {"Prefer": f"{IMMUTABLE}, odata.maxpagesize=2"}
    pages = [house.call("GET", DELTA, None, prefer, **MARCH).json]
    while "@odata.nextLink" in pages[-1]:
        assert "@odata.deltaLink" not in pages[-1]
        pages.append(house.call("GET", pages[-1]["@odata.nextLink"], None, prefer).json)
    assert pages[0]["value"] == []
    sizes = [len(page["value"]) for page in pages]
    assert sum(sizes) == 9
    assert max(sizes) == 6, "the series with its five occurrences is on one page"
    assert all(size <= 2 for size in sizes if size != 6)


def test_replays_repeat_what_was_told_and_an_item_within_the_round(house: GraphHouse) -> None:
    old = house.create(day=3)
    _, link = house.round()
    house.call.control("POST", "knobs", {"replay": 5})
    new = house.create(day=4)
    ids = [item["id"] for item in house.round(link)[0]]
    assert set(ids) == {old["id"], new["id"]}
    assert len(ids) == 3


def test_changes_may_come_late_but_come(house: GraphHouse) -> None:
    _, link = house.round()
    house.call.control("POST", "knobs", {"lag_seconds": 60})
    house.clock.forward(seconds=1)
    made = house.create()
    items, link = house.round(link)
    assert items == []
    house.clock.forward(seconds=61)
    assert [item["id"] for item in house.round(link)[0]] == [made["id"]]


def test_the_order_of_items_is_not_that_of_their_times(house: GraphHouse) -> None:
    for day in range(2, 14):
        house.create(day=day)
    starts = [item["start"]["dateTime"] for item in house.round()[0]]
    assert starts != sorted(starts)


def test_a_dead_link_is_gone_with_the_address_to_begin_again(house: GraphHouse) -> None:
    _, link = house.round()
    house.call.control("POST", "expire-cursors", {})
    answered = house.call("GET", link)
    assert answered.status == 410
    location = answered.headers["Location"]
    assert urlsplit(location).netloc == urlsplit(link).netloc
    assert location.endswith("$deltatoken=")


@pytest.mark.parametrize("code", ["syncStateNotFound", "ErrorInvalidSyncStateData"])
def test_a_dead_link_may_also_be_a_bad_request_with_a_code(house: GraphHouse, code: str) -> None:
    _, link = house.round()
    house.call.control("POST", "knobs", {"expiry": code})
    house.call.control("POST", "expire-cursors", {})
    answered = house.call("GET", link)
    assert (answered.status, answered.reason) == (400, code)


def test_a_link_is_absolute_and_forged_ones_are_refused(house: GraphHouse) -> None:
    _, link = house.round()
    assert link.startswith("https://provider.example/v1.0/me/calendarView/delta?$deltatoken=")
    assert house.call("GET", link[:-3] + "xyz").status == 400


def test_moving_between_calendars_removes_here_and_adds_there_under_one_immutable_id(house: GraphHouse) -> None:
    made, other = house.create(), house.call("POST", "/me/calendars", {"name": "Salon"}).json["id"]
    place = path("me", "calendars", other, "calendarView") + "/delta"
    (_, here), (_, there) = house.round(), house.round(place=place)
    rest = house.call("GET", path("me", "events", made["id"])).json["id"]
    house.call.act(EMMA, "transfer", id=made["id"], calendar=other)
    assert removed(house.round(here)[0]) == [made["id"]]
    assert [item["id"] for item in house.round(there)[0]] == [made["id"]]
    assert house.call("GET", path("me", "events", rest)).status == 404, "the other kind of id does not survive the move"
    assert house.call("GET", path("me", "events", made["id"])).status == 200


def test_a_change_key_moves_without_any_change_that_matters(house: GraphHouse) -> None:
    made = house.create()
    _, link = house.round()
    house.call.act(EMMA, "touch", id=made["id"])
    [item] = house.round(link)[0]
    assert item["changeKey"] != made["changeKey"]
    assert (item["subject"], item["start"]) == (made["subject"], made["start"])


def test_what_changes_between_two_pages_is_told_by_the_next_round(house: GraphHouse) -> None:
    for day in range(2, 8):
        house.create(day=day)
    prefer = {"Prefer": f"{IMMUTABLE}, odata.maxpagesize=3"}
    first = house.call("GET", DELTA, None, prefer, **MARCH).json
    house.call("PATCH", path("me", "events", first["value"][0]["id"]), graph_timed(day=20))
    second = house.call("GET", first["@odata.nextLink"], None, prefer).json
    assert len(first["value"] + second["value"]) == 6
    assert [item["id"] for item in house.round(second["@odata.deltaLink"])[0]] == [first["value"][0]["id"]]
