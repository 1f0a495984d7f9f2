"""Graph's identities, conditions, times, recurrence and mails: the traps of writing."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ical.windows import windows_zones
from tests.fakes.house import EMMA, GUEST, IMMUTABLE, TAYLOR, GraphHouse, graph_timed, path, weekly

MARKER = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name gateway"
EVENTS = "/me/events"


@pytest.fixture
def house() -> GraphHouse:
    return GraphHouse()


def recurring(pattern: dict[str, Any], reach: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"pattern": {"interval": 1, **pattern}, "range": {"type": "noEnd", "startDate": "2026-03-02", **(reach or {})}}


def days(house: GraphHouse, master: dict[str, Any], until: str = "2026-12-31") -> list[str]:
    """The days in Paris on which the series takes place."""
    window = {"startDateTime": "2026-03-01", "endDateTime": until, "_top": 500, "_orderby": "start/dateTime"}
    prefer = {"Prefer": 'outlook.timezone="Europe/Paris"'}
    found = house.call("GET", path("me", "events", master["id"], "instances"), None, prefer, **window)
    return [item["start"]["dateTime"][:10] for item in found.json["value"]]


# Identity, idempotent create, conditions


def test_a_post_that_is_repeated_under_its_transaction_id_is_the_same_event(house: GraphHouse) -> None:
    first, again = house.create(transactionId="t-1"), house.create(transactionId="t-1")
    assert first["id"] == again["id"]
    assert len(house.round()[0]) == 1


def test_a_transaction_id_cannot_make_a_different_event_nor_a_deleted_one_again(house: GraphHouse) -> None:
    made = house.create(transactionId="t-1")
    other = house.call("POST", EVENTS, graph_timed(day=5, transactionId="t-1"))
    assert (other.status, other.reason) == (409, "ErrorDuplicateTransactionId")
    house.call("DELETE", path("me", "events", made["id"]))
    assert house.call("POST", EVENTS, graph_timed(transactionId="t-1")).status == 409


def test_a_transaction_id_is_forgotten_some_time_and_cannot_be_changed(house: GraphHouse) -> None:
    house.call.control("POST", "knobs", {"transaction_seconds": 60})
    made = house.create(transactionId="t-1")
    assert house.call("PATCH", path("me", "events", made["id"]), {"transactionId": "t-2"}).status == 400
    house.clock.forward(seconds=61)
    assert house.create(transactionId="t-1")["id"] != made["id"]


def test_the_icaluid_is_the_servers_and_differs_from_occurrence_to_occurrence(house: GraphHouse) -> None:
    made = house.create(iCalUId="ours@gateway.example", recurrence=weekly())
    assert made["iCalUId"] != "ours@gateway.example"
    window = {"startDateTime": "2026-03-01", "endDateTime": "2026-04-01"}
    found = house.call("GET", path("me", "events", made["id"], "instances"), None, {}, **window).json["value"]
    assert len({item["iCalUId"] for item in found}) == len(found) == 5


def test_ids_hold_letters_that_must_be_encoded_and_their_case_matters(house: GraphHouse) -> None:
    made = house.create()
    assert {"/", "+", "="} <= set(made["id"])
    assert house.call("GET", path("me", "events", made["id"])).status == 200
    assert house.call("GET", path("me", "events", made["id"].swapcase())).status == 404


def test_immutable_ids_must_be_preferred_on_every_request(house: GraphHouse) -> None:
    made = house.create()
    plain = house.call("GET", path("me", "events", made["id"])).json["id"]
    assert plain != made["id"]
    assert house.call("GET", path("me", "events", plain), None, {"Prefer": IMMUTABLE}).json["id"] == made["id"]


def test_a_write_under_an_old_change_key_fails(house: GraphHouse) -> None:
    made = house.create()
    house.call.act(EMMA, "edit", id=made["id"], title="Mine")
    place = path("me", "events", made["id"])
    for method, body in (("PATCH", {"subject": "x"}), ("DELETE", None)):
        answered = house.call(method, place, body, {"If-Match": made["@odata.etag"]})
        assert (answered.status, answered.reason) == (412, "ErrorIrresolvableConflict")
    fresh = house.call("GET", place).json
    assert house.call("PATCH", place, {"subject": "x"}, {"If-Match": fresh["@odata.etag"]}).status == 200


def test_an_event_with_open_extensions_is_made_without_them_and_yet_fails(house: GraphHouse) -> None:
    extension = {"@odata.type": "microsoft.graph.openTypeExtension", "extensionName": "gateway"}
    answered = house.call("POST", EVENTS, graph_timed(extensions=[extension]))
    assert (answered.status, answered.reason) == (503, "ErrorConcurrentItemSave")
    assert len(house.round()[0]) == 1


def test_markers_are_found_by_filter_and_shown_only_when_expanded(house: GraphHouse) -> None:
    made = house.create(singleValueExtendedProperties=[{"id": MARKER, "value": "it's 1"}])
    house.create(day=4, singleValueExtendedProperties=[{"id": MARKER, "value": "2"}])
    assert "singleValueExtendedProperties" not in made
    condition = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARKER}' and ep/value eq 'it''s 1')"
    expanded = f"singleValueExtendedProperties($filter=id eq '{MARKER}')"
    [found] = house.call("GET", EVENTS, None, {"Prefer": IMMUTABLE}, _filter=condition, _expand=expanded).json["value"]
    assert found["id"] == made["id"]
    assert found["singleValueExtendedProperties"] == [{"id": MARKER, "value": "it's 1"}]
    assert house.call("GET", EVENTS, None, {}, _expand="singleValueExtendedProperties").status == 400
    assert house.call("POST", EVENTS, graph_timed(singleValueExtendedProperties=[{"id": "gateway", "value": "1"}])).status == 400
    [copy] = house.call.act(EMMA, "copy", id=made["id"])
    assert len(house.call("GET", EVENTS, None, {}, _filter=condition).json["value"]) == 2
    assert copy["ours"] is False


# Times


@pytest.mark.parametrize("name", list(windows_zones()))
def test_every_windows_zone_is_understood_both_ways(name: str) -> None:
    house = GraphHouse()
    when = {"dateTime": "2026-07-01T09:00:00", "timeZone": name}
    by_name = house.create(start=when, end=when | {"dateTime": "2026-07-01T10:00:00"})
    assert by_name["originalStartTimeZone"] == name
    when["timeZone"] = windows_zones()[name]
    by_iana = house.create(start=when, end=when | {"dateTime": "2026-07-01T10:00:00"})
    assert by_iana["start"] == by_name["start"]
    there = house.call("GET", path("me", "events", by_name["id"]), None, {"Prefer": f'outlook.timezone="{name}"'}).json
    assert there["start"] == {"dateTime": "2026-07-01T09:00:00.0000000", "timeZone": name}


def test_an_iana_zone_comes_back_under_windows_name_and_an_unknown_one_is_refused(house: GraphHouse) -> None:
    when = {"dateTime": "2026-07-01T09:00:00", "timeZone": "Europe/Vienna"}
    made = house.create(start=when, end=when)
    assert made["originalStartTimeZone"] in windows_zones()
    assert made["start"] == {"dateTime": "2026-07-01T07:00:00.0000000", "timeZone": "UTC"}
    answered = house.call("POST", EVENTS, graph_timed(start=when | {"timeZone": "Greenwich Mean Time"}))
    assert (answered.status, answered.reason) == (400, "TimeZoneNotSupportedException")


def test_a_date_time_has_no_offset(house: GraphHouse) -> None:
    for text in ("2026-07-01T09:00:00Z", "2026-07-01T09:00:00+02:00"):
        assert house.call("POST", EVENTS, graph_timed(end={"dateTime": text, "timeZone": "UTC"})).status == 400


@pytest.mark.parametrize("zone", ["UTC", "Samoa Standard Time", "Dateline Standard Time", "Europe/Paris"])
def test_whole_days_go_from_midnight_to_midnight_whatever_the_zone(house: GraphHouse, zone: str) -> None:
    when = {"dateTime": "2026-03-09T00:00:00", "timeZone": zone}
    made = house.create(start=when, end=when | {"dateTime": "2026-03-10T00:00:00"}, isAllDay=True)
    for wish in ("UTC", "Tokyo Standard Time", "America/Los_Angeles"):
        shown = house.call("GET", path("me", "events", made["id"]), None, {"Prefer": f'outlook.timezone="{wish}"'}).json
        assert (shown["start"]["dateTime"], shown["end"]["dateTime"]) == ("2026-03-09T00:00:00.0000000", "2026-03-10T00:00:00.0000000")


def test_whole_days_need_midnights_in_one_zone_and_a_day_at_least(house: GraphHouse) -> None:
    midnight, later = {"dateTime": "2026-03-09T00:00:00", "timeZone": "UTC"}, {"dateTime": "2026-03-10T00:00:00", "timeZone": "UTC"}
    for start, end in (
        (midnight, midnight),
        (midnight | {"dateTime": "2026-03-09T09:00:00"}, later),
        (midnight, later | {"timeZone": "Romance Standard Time"}),
    ):
        answered = house.call("POST", EVENTS, graph_timed(start=start, end=end, isAllDay=True))
        assert (answered.status, answered.reason) == (400, "ErrorPropertyValidationFailure")
    timed = house.create()
    assert house.call("PATCH", path("me", "events", timed["id"]), {"isAllDay": True}).status == 400


def test_the_end_may_not_lie_before_the_start(house: GraphHouse) -> None:
    assert house.call("POST", EVENTS, graph_timed(hours=-1)).reason == "ErrorPropertyValidationFailure"
    assert house.call("POST", EVENTS, graph_timed(hours=0)).status == 201


def test_bodies_come_back_as_html_documents_or_as_text_when_preferred(house: GraphHouse) -> None:
    made = house.create(body={"contentType": "text", "content": "a & b\nc"})
    assert made["body"]["contentType"] == "html"
    assert "<html>" in made["body"]["content"]
    assert "a &amp; b<br>" in made["body"]["content"]
    shown = house.call("GET", path("me", "events", made["id"]), None, {"Prefer": 'outlook.body-content-type="text"'}).json
    assert shown["body"]["contentType"] == "text"
    assert shown["body"]["content"].split() == ["a", "&", "b", "c"]


@pytest.mark.parametrize(
    "body",
    [{"showAs": "here"}, {"isAllDay": "yes"}, {"subject": 7}, {"sensitivity": "secret"}, {"body": {"contentType": "rtf", "content": ""}}],
)
def test_wrong_types_and_values_are_not_read(house: GraphHouse, body: dict[str, Any]) -> None:
    assert house.call("POST", EVENTS, graph_timed(**body)).reason == "RequestBodyRead"
    assert house.call("POST", EVENTS, graph_timed(unknownProperty=1)).status == 201, "event is an open type"


# Recurrence


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"type": "daily", "interval": 10}, ["2026-03-02", "2026-03-12", "2026-03-22", "2026-04-01"]),
        ({"type": "weekly", "daysOfWeek": ["monday", "thursday"]}, ["2026-03-02", "2026-03-05", "2026-03-09", "2026-03-12"]),
        ({"type": "weekly", "daysOfWeek": ["wednesday"]}, ["2026-03-04", "2026-03-11", "2026-03-18", "2026-03-25"]),
        ({"type": "absoluteMonthly", "dayOfMonth": 31}, ["2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]),
        (
            {"type": "relativeMonthly", "daysOfWeek": ["monday", "tuesday"], "index": "first"},
            ["2026-03-02", "2026-04-06", "2026-05-04", "2026-06-01"],
        ),
        ({"type": "relativeMonthly", "daysOfWeek": ["friday"], "index": "last"}, ["2026-03-27", "2026-04-24", "2026-05-29", "2026-06-26"]),
    ],
)
def test_a_pattern_means_what_exchange_makes_of_it(house: GraphHouse, pattern: dict[str, Any], expected: list[str]) -> None:
    made = house.create(recurrence=recurring(pattern))
    assert days(house, made)[:4] == expected
    assert made["recurrence"]["range"]["startDate"] == expected[0], "the start is the first day that fits"


def test_a_week_begins_on_sunday_unless_it_is_said(house: GraphHouse) -> None:
    sunday = {"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "monday"]}
    spoken = house.create(recurrence=recurring(sunday | {"firstDayOfWeek": "monday"}))
    silent = house.create(recurrence=recurring(sunday))
    assert silent["recurrence"]["pattern"]["firstDayOfWeek"] == "sunday"
    assert days(house, spoken)[:3] == ["2026-03-02", "2026-03-08", "2026-03-16"]
    assert days(house, silent)[:3] == ["2026-03-02", "2026-03-15", "2026-03-16"]


def test_ranges_end_on_a_day_or_after_a_number(house: GraphHouse) -> None:
    daily = {"type": "daily"}
    assert days(house, house.create(recurrence=recurring(daily, {"type": "numbered", "numberOfOccurrences": 2}))) == [
        "2026-03-02",
        "2026-03-03",
    ]
    until = house.create(recurrence=recurring(daily, {"type": "endDate", "endDate": "2026-03-04"}))
    assert days(house, until) == ["2026-03-02", "2026-03-03", "2026-03-04"]


@pytest.mark.parametrize(
    "recurrence",
    [
        recurring({"type": "hourly"}),
        recurring({"type": "weekly"}),
        recurring({"type": "daily", "interval": 0}),
        recurring({"type": "absoluteMonthly"}),
        recurring({"type": "absoluteMonthly", "dayOfMonth": -1}),
        recurring({"type": "absoluteMonthly", "dayOfMonth": [1, 15]}),
        recurring({"type": "relativeMonthly", "daysOfWeek": ["monday"], "index": "fifth"}),
        recurring({"type": "relativeMonthly", "daysOfWeek": ["1MO"]}),
        recurring({"type": "absoluteYearly", "dayOfMonth": 1}),
        recurring({"type": "absoluteYearly", "dayOfMonth": 31, "month": 6}),
        recurring({"type": "absoluteYearly", "dayOfMonth": 1, "month": [1, 2]}),
        recurring({"type": "daily"}, {"startDate": "2026-03-03"}),
        recurring({"type": "daily"}, {"type": "numbered"}),
        recurring({"type": "daily"}, {"type": "endDate", "endDate": "2026-03-01"}),
        recurring({"type": "daily", "byHour": 9}),
        {"pattern": {"type": "daily", "interval": 1}},
    ],
)
def test_what_a_pattern_cannot_say_is_refused(house: GraphHouse, recurrence: dict[str, Any]) -> None:
    assert house.call("POST", EVENTS, graph_timed(recurrence=recurrence)).status == 400
    assert house.round()[0] == []


@pytest.mark.parametrize(("day", "status"), [(9, 400), (3, 200), (8, 200), (16, 400), (2, 400), (15, 200)])
def test_an_occurrence_may_not_be_moved_to_or_past_the_day_of_its_neighbours(house: GraphHouse, day: int, status: int) -> None:
    series = house.create(recurrence=weekly())
    window = {"startDateTime": "2026-03-08", "endDateTime": "2026-03-11"}
    [second] = house.call("GET", path("me", "events", series["id"], "instances"), None, {}, **window).json["value"]
    third = house.call(
        "GET", path("me", "events", series["id"], "instances"), None, {}, startDateTime="2026-03-15", endDateTime="2026-03-18"
    )
    subject = third.json["value"][0] if day == 9 else second
    answered = house.call("PATCH", path("me", "events", subject["id"]), graph_timed(day=day))
    assert answered.status == status
    if status == 400:
        assert answered.reason == "ErrorOccurrenceCrossingBoundary"


def test_changing_the_series_forgets_its_exceptions_and_cancellations(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly())
    house.call.act(EMMA, "move", id=series["id"], occurrence="2026-03-09T09:00:00", start="2026-03-10T15:00:00")
    house.call.act(EMMA, "delete", id=series["id"], occurrence="2026-03-16T09:00:00")
    assert len(days(house, series)) == 4
    house.call("PATCH", path("me", "events", series["id"]), graph_timed(hour=10))
    assert days(house, series) == ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30"]


def test_exceptions_and_cancellations_are_shown_on_the_master_when_asked_for(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly())
    [moved] = house.call.act(EMMA, "move", id=series["id"], occurrence="2026-03-09T09:00:00", start="2026-03-10T15:00:00")
    house.call.act(EMMA, "delete", id=series["id"], occurrence="2026-03-16T09:00:00")
    place, prefer = path("me", "events", series["id"]), {"Prefer": IMMUTABLE}
    assert not {"cancelledOccurrences", "exceptionOccurrences"} & set(house.call("GET", place, None, prefer).json)
    wish = {"_select": "id,cancelledOccurrences,exceptionOccurrences", "_expand": "exceptionOccurrences($select=id)"}
    shown = house.call("GET", place, None, prefer, **wish).json
    assert shown["cancelledOccurrences"] == [f"OID.{series['id']}.2026-03-16"]
    assert [each["id"] for each in shown["exceptionOccurrences"]] == [moved["id"]]


def test_this_and_following_ends_the_series_and_begins_another(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly(count=6))
    old, new = house.call.act(
        EMMA, "move", id=series["id"], occurrence="2026-03-16T09:00:00", start="2026-03-16T11:00:00", reach="following"
    )
    assert days(house, series) == ["2026-03-02", "2026-03-09"]
    assert old["recurrence"]["range"]["endDate"] == "2026-03-15"
    assert (new["start"], new["ours"]) == ("2026-03-16T11:00:00+01:00", False)


def test_lists_show_ten_events_and_a_link_to_the_next(house: GraphHouse) -> None:
    for day in range(2, 14):
        house.create(day=day)
    first = house.call("GET", EVENTS).json
    assert len(first["value"]) == 10
    assert len(house.call("GET", first["@odata.nextLink"]).json["value"]) == 2
    assert len(house.call("GET", EVENTS, None, {"Prefer": "odata.maxpagesize=5"}).json["value"]) == 5
    assert house.call("GET", EVENTS, None, {}, _select="nonsense").status == 400


def test_lists_have_masters_and_views_have_occurrences(house: GraphHouse) -> None:
    house.create(recurrence=weekly())
    assert [item["type"] for item in house.call("GET", EVENTS).json["value"]] == ["seriesMaster"]
    view = house.call("GET", "/me/calendarView", None, {}, startDateTime="2026-03-01", endDateTime="2026-03-20").json["value"]
    assert [item["type"] for item in view] == ["occurrence"] * 3
    assert house.call("GET", "/me/calendarView").status == 400


# Mails


def test_attendees_are_mailed_and_there_is_no_way_to_ask_otherwise(house: GraphHouse) -> None:
    attendees = [{"emailAddress": {"address": GUEST}, "type": "required"}]
    made = house.create(attendees=attendees)
    house.call("PATCH", path("me", "events", made["id"]), {"subject": "x"})
    house.call("DELETE", path("me", "events", made["id"]))
    assert [(mail["kind"], mail["to"]) for mail in house.microsoft.mails] == [
        ("invitation", GUEST),
        ("update", GUEST),
        ("cancellation", GUEST),
    ]


def test_changing_a_series_mails_once_more_for_every_exception(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly(), attendees=[{"emailAddress": {"address": GUEST}}])
    house.call.act(EMMA, "move", id=series["id"], occurrence="2026-03-09T09:00:00", start="2026-03-10T15:00:00")
    before = len(house.microsoft.mails)
    house.call("PATCH", path("me", "events", series["id"]), {"subject": "x"})
    assert len(house.microsoft.mails) - before == 2


def test_events_without_attendees_never_cause_mails(house: GraphHouse) -> None:
    made = house.create(body={"contentType": "text", "content": GUEST})
    house.call("PATCH", path("me", "events", made["id"]), {"subject": "x"})
    house.call("DELETE", path("me", "events", made["id"]))
    assert house.microsoft.mails == []


# Mailboxes


def test_a_person_sees_only_their_own_mailbox(house: GraphHouse) -> None:
    assert house.call("GET", path("users", EMMA, "events")).status == 200
    assert house.call("GET", path("users", "juan.sanchez@example.com", "events")).status == 403
    assert house.connected(TAYLOR)("GET", "/me").json["userPrincipalName"] == TAYLOR


def test_reading_consents_do_not_write(house: GraphHouse) -> None:
    reader = house.connected(scopes=["offline_access", "Calendars.Read"])
    assert reader("GET", EVENTS).status == 200
    assert (reader("POST", EVENTS, graph_timed()).status, reader("POST", EVENTS, graph_timed()).reason) == (403, "ErrorAccessDenied")


def test_beyond_the_quota_one_is_told_when_to_come_back(house: GraphHouse) -> None:
    house.clock.forward(minutes=2)
    house.call.control("POST", "knobs", {"quota": 2})
    answers = [house.call("GET", EVENTS) for _ in range(3)]
    assert [answered.status for answered in answers] == [200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
