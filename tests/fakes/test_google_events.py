"""Google's identities, conditions, markers and what an event can hold: the traps of writing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.fakes.house import APP_CREATED, CALENDAR, GUEST, JOHN, GoogleHouse, timed

LIST = "/calendars/primary/events"
OURS = "0123456789abcdefghijklmnopqrstuv"


@pytest.fixture
def house() -> GoogleHouse:
    return GoogleHouse()


# Identity, idempotent create, undelete


@pytest.mark.parametrize("name", ["wxyz1", "ABCDE", "abcd", "a-b-c", "a" * 1025])
def test_a_client_id_is_base32hex_of_five_letters_and_more(house: GoogleHouse, name: str) -> None:
    assert house.call("POST", LIST, timed(id=name)).status == 400


def test_an_insert_that_is_repeated_meets_its_own_id(house: GoogleHouse) -> None:
    assert house.call("POST", LIST, timed(id=OURS)).status == 200
    again = house.call("POST", LIST, timed(id=OURS))
    assert (again.status, again.reason) == (409, "duplicate")
    assert len(house.sync()[0]) == 1


def test_an_insert_without_an_id_makes_a_second_event_when_it_is_repeated(house: GoogleHouse) -> None:
    house.insert()
    house.insert()
    assert len(house.sync()[0]) == 2


def test_the_id_of_a_deleted_event_is_taken_for_good_and_cannot_be_written_to(house: GoogleHouse) -> None:
    house.insert(id=OURS)
    house.call.act(JOHN, "delete", id=OURS)
    assert house.call("POST", LIST, timed(id=OURS)).status == 409
    assert house.call("GET", f"{LIST}/{OURS}").json["status"] == "cancelled"
    assert house.call("PUT", f"{LIST}/{OURS}", timed()).status == 403
    assert house.call("PATCH", f"{LIST}/{OURS}", {"summary": "x"}).status == 403
    assert house.call("DELETE", f"{LIST}/{OURS}").status == 410
    assert house.call("GET", f"{LIST}/nevermade1").status == 404


def test_id_and_icaluid_are_not_given_together(house: GoogleHouse) -> None:
    assert house.call("POST", LIST, timed(id=OURS, iCalUID="a@b")).status == 400


def test_an_import_finds_the_event_again_by_its_icaluid_deleted_or_not_and_tells_nobody(house: GoogleHouse) -> None:
    first = house.call("POST", f"{LIST}/import", timed(iCalUID="a@b", attendees=[{"email": GUEST}])).json
    house.call.act(JOHN, "delete", id=first["id"])
    again = house.call("POST", f"{LIST}/import", timed(iCalUID="a@b", day=5)).json
    assert (again["id"], again["status"], again["privateCopy"]) == (first["id"], "confirmed", True)
    assert house.google.mails == []
    assert house.call("POST", LIST, timed(iCalUID="a@b")).status == 409


def test_an_import_is_of_the_default_type_and_never_of_an_older_sequence(house: GoogleHouse) -> None:
    assert house.call("POST", f"{LIST}/import", timed(iCalUID="a@b", eventType="focusTime", focusTimeProperties={})).status == 400
    house.call("POST", f"{LIST}/import", timed(iCalUID="a@b", sequence=3))
    assert house.call("POST", f"{LIST}/import", timed(iCalUID="a@b", sequence=2)).status == 400


def test_all_instances_share_the_icaluid_by_which_they_are_found(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    house.call.act(JOHN, "move", id=series["id"], occurrence="2026-03-16T09:00:00", start="2026-03-17T15:00:00")
    assert len(house.sync(iCalUID=series["iCalUID"])[0]) == 2


# Conditions


def test_a_write_under_an_old_etag_fails_as_google_says_it(house: GoogleHouse) -> None:
    made = house.insert()
    house.call.act(JOHN, "edit", id=made["id"], title="Mine")
    for method, body in (("PATCH", {"summary": "x"}), ("PUT", timed()), ("DELETE", None)):
        answered = house.call(method, f"{LIST}/{made['id']}", body, {"If-Match": made["etag"]})
        assert (answered.status, answered.reason) == (412, "conditionNotMet")
    fresh = house.call("GET", f"{LIST}/{made['id']}").json
    assert fresh["summary"] == "Mine"
    assert house.call("PATCH", f"{LIST}/{made['id']}", {"summary": "x"}, {"If-Match": fresh["etag"]}).status == 200


def test_a_read_of_what_is_known_is_not_modified(house: GoogleHouse) -> None:
    made = house.insert()
    answered = house.call("GET", f"{LIST}/{made['id']}", None, {"If-None-Match": made["etag"]})
    assert (answered.status, answered.reply.body) == (304, b"")
    house.call.act(JOHN, "edit", id=made["id"], title="Mine")
    assert house.call("GET", f"{LIST}/{made['id']}", None, {"If-None-Match": made["etag"]}).status == 200


def test_a_patch_merges_fields_and_replaces_lists_where_an_update_clears_what_is_missing(house: GoogleHouse) -> None:
    made = house.insert(description="d", location="l", extendedProperties={"private": {"a": "1", "b": "2"}})
    patched = house.call("PATCH", f"{LIST}/{made['id']}", {"location": None, "extendedProperties": {"private": {"b": "3"}}}).json
    assert (patched["description"], patched.get("location")) == ("d", None)
    assert patched["extendedProperties"]["private"] == {"a": "1", "b": "3"}
    updated = house.call("PUT", f"{LIST}/{made['id']}", timed()).json
    assert "description" not in updated


def test_a_patch_to_whole_days_must_take_the_time_away(house: GoogleHouse) -> None:
    made = house.insert()
    days: dict[str, Any] = {"start": {"date": "2026-03-05"}, "end": {"date": "2026-03-06"}}
    assert house.call("PATCH", f"{LIST}/{made['id']}", days).status == 400
    clean = {name: {**value, "dateTime": None, "timeZone": None} for name, value in days.items()}
    assert house.call("PATCH", f"{LIST}/{made['id']}", clean).json["start"] == {"date": "2026-03-05"}


# Markers


def test_markers_are_found_by_name_and_value_all_of_them(house: GoogleHouse) -> None:
    made = house.insert(extendedProperties={"private": {"gw": "1", "lnk": "7"}})
    house.insert(day=4, extendedProperties={"private": {"gw": "1", "lnk": "8"}})
    house.insert(day=5, extendedProperties={"shared": {"gw": "1", "lnk": "7"}})
    assert len(house.sync(privateExtendedProperty="gw=1")[0]) == 2
    assert [item["id"] for item in house.sync(privateExtendedProperty=["gw=1", "lnk=7"])[0]] == [made["id"]]


def test_a_copy_made_by_the_person_carries_the_marker_under_another_id(house: GoogleHouse) -> None:
    made = house.insert(extendedProperties={"private": {"gw": "1"}})
    [copy] = house.call.act(JOHN, "copy", id=made["id"])
    assert len(house.sync(privateExtendedProperty="gw=1")[0]) == 2
    assert (copy["id"] != made["id"], copy["ours"]) == (True, False)


# Mails


@pytest.mark.parametrize(
    ("wish", "told"), [({}, 2), ({"sendUpdates": "all"}, 2), ({"sendUpdates": "externalOnly"}, 1), ({"sendUpdates": "none"}, 1)]
)
def test_writing_attendees_causes_mails_and_some_even_when_none_are_wished(house: GoogleHouse, wish: dict[str, str], told: int) -> None:
    guests = [{"email": GUEST}, {"email": "juan.sanchez@example.com"}]
    house.call("POST", LIST, timed(attendees=guests), {}, **wish)
    assert len(house.google.mails) == told
    assert all(mail["despite"] for mail in house.google.mails) == (wish.get("sendUpdates") == "none")


def test_events_without_attendees_never_cause_mails(house: GoogleHouse) -> None:
    made = house.insert(description=f"Customer: {GUEST}")
    house.call("PATCH", f"{LIST}/{made['id']}", {"summary": "x"}, sendUpdates="all")
    house.call("DELETE", f"{LIST}/{made['id']}", None, sendUpdates="all")
    assert house.google.mails == []


def test_what_the_person_invites_is_mailed_about_when_we_patch_or_delete_it(house: GoogleHouse) -> None:
    made = house.insert()
    house.call.act(JOHN, "edit", id=made["id"], attendees=[{"email": GUEST}])
    house.call("PATCH", f"{LIST}/{made['id']}", {"summary": "x"}, sendUpdates="none")
    house.call("DELETE", f"{LIST}/{made['id']}", None, sendUpdates="none")
    assert [(mail["kind"], mail["to"]) for mail in house.google.mails] == [("update", GUEST), ("cancellation", GUEST)]


# What an event can hold


@pytest.mark.parametrize("hours", [0, -1])
def test_a_time_range_that_is_empty_is_refused_in_googles_words(house: GoogleHouse, hours: float) -> None:
    answered = house.call("POST", LIST, timed(hours=hours))
    assert (answered.status, answered.reason) == (400, "timeRangeEmpty")
    assert answered.json["error"]["message"] == "The specified time range is empty."
    same_day = {"start": {"date": "2026-03-05"}, "end": {"date": "2026-03-05"}}
    assert house.call("POST", LIST, timed(**same_day)).reason == "timeRangeEmpty"


def test_a_series_needs_a_zone_and_a_single_event_an_offset_or_one(house: GoogleHouse) -> None:
    offset = {"start": {"dateTime": "2026-03-02T09:00:00+01:00"}, "end": {"dateTime": "2026-03-02T10:00:00+01:00"}}
    assert house.call("POST", LIST, timed(**offset)).status == 200
    assert house.call("POST", LIST, timed(**offset, recurrence=["RRULE:FREQ=DAILY"])).reason == "required"
    bare = {"start": {"dateTime": "2026-03-02T09:00:00"}, "end": {"dateTime": "2026-03-02T10:00:00"}}
    assert house.call("POST", LIST, timed(**bare)).reason == "required"
    mixed = {"start": {"date": "2026-03-02"}, "end": {"dateTime": "2026-03-02T10:00:00Z"}}
    assert house.call("POST", LIST, timed(**mixed)).status == 400


@pytest.mark.parametrize("line", ["DTSTART:20260302T090000Z", "RRULE:FREQ=FORTNIGHTLY", "EXDATE:tomorrow", "EXDATE:20260309T080000Z"])
def test_recurrence_is_made_of_rules_and_dates_only(house: GoogleHouse, line: str) -> None:
    assert house.call("POST", LIST, timed(recurrence=[line])).status == 400


def test_rdate_and_exdate_change_the_instances(house: GoogleHouse) -> None:
    lines = ["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Paris:20260309T090000", "RDATE:20260304T080000Z"]
    series = house.insert(recurrence=lines)
    found = house.call("GET", f"{LIST}/{series['id']}/instances").json["items"]
    assert sorted(item["start"]["dateTime"][:10] for item in found) == ["2026-03-02", "2026-03-04", "2026-03-16"]


def test_event_types_are_fixed_live_on_the_primary_calendar_and_gmails_cannot_be_made(house: GoogleHouse) -> None:
    made = house.insert()
    assert (
        house.call("PATCH", f"{LIST}/{made['id']}", {"eventType": "focusTime", "focusTimeProperties": {}}).reason == "eventTypeRestriction"
    )
    assert house.call("POST", LIST, timed(eventType="fromGmail")).status == 400
    assert house.call("POST", LIST, timed(eventType="outOfOffice")).status == 400, "its properties are missing"
    other = quote(house.call("POST", "/calendars", {"summary": "Salon"}).json["id"])
    assert house.call("POST", f"/calendars/{other}/events", timed(eventType="outOfOffice", outOfOfficeProperties={})).status == 400
    place = timed(eventType="workingLocation", workingLocationProperties={"type": "homeOffice", "homeOffice": {}})
    assert house.call("POST", LIST, place).status == 200
    assert [item["id"] for item in house.sync(eventTypes=["default", "outOfOffice"])[0]] == [made["id"]]


def test_what_somebody_else_organises_cannot_be_changed_here(house: GoogleHouse) -> None:
    [visit] = house.call.act(JOHN, "create", title="Visit", start="2026-03-12T10:00:00", organizer="boss@elsewhere.example")
    answered = house.call("PATCH", f"{LIST}/{visit['id']}", {"summary": "x"})
    assert (answered.status, answered.reason) == (403, "forbiddenForNonOrganizer")
    assert house.call("PATCH", f"{LIST}/{visit['id']}", {"colorId": "3"}).status == 200


def test_a_stricter_visibility_of_one_instance_is_that_of_the_series(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    house.call("PATCH", f"{LIST}/{series['id']}_20260309T080000Z", {"visibility": "private"})
    assert house.call("GET", f"{LIST}/{series['id']}").json["visibility"] == "private"
    loosened = house.call("PATCH", f"{LIST}/{series['id']}_20260316T080000Z", {"visibility": "public"}).json
    assert loosened["visibility"] == "private"


def test_descriptions_typed_by_the_person_come_back_as_html(house: GoogleHouse) -> None:
    made = house.insert(description="a & b\nc")
    assert house.call("GET", f"{LIST}/{made['id']}").json["description"] == "a & b\nc"
    house.call.act(JOHN, "edit", id=made["id"], description="a & b\nc")
    assert house.call("GET", f"{LIST}/{made['id']}").json["description"] == "a &amp; b<br>c"


def test_exceptions_for_which_a_changed_series_has_no_place_are_cancelled(house: GoogleHouse) -> None:
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    [moved] = house.call.act(JOHN, "move", id=series["id"], occurrence="2026-03-16T09:00:00", start="2026-03-17T15:00:00")
    house.call("PATCH", f"{LIST}/{series['id']}", {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"]})
    assert house.call("GET", f"{LIST}/{moved['id']}").json["status"] == "cancelled"


def test_moving_to_another_calendar_leaves_a_bare_tombstone(house: GoogleHouse) -> None:
    made = house.insert()
    _, token = house.sync()
    other = house.call("POST", "/calendars", {"summary": "Salon"}).json["id"]
    moved = house.call("POST", f"{LIST}/{made['id']}/move", None, destination=other).json
    assert (moved["id"], moved["organizer"]["email"]) == (made["id"], other)
    assert [set(item) for item in house.sync(token)[0]] == [{"kind", "etag", "id", "status"}]


# Consents


def test_the_narrow_consent_touches_only_calendars_it_has_created(house: GoogleHouse) -> None:
    narrow = house.connected(APP_CREATED)
    foreign = house.insert()
    made = narrow("POST", "/calendars", {"summary": "Bookings"}).json["id"]
    assert narrow("POST", f"/calendars/{quote(made)}/events", timed()).status == 200
    for method, path, body in (
        ("GET", LIST, None),
        ("POST", LIST, timed()),
        ("PATCH", f"{LIST}/{foreign['id']}", {"summary": "x"}),
        ("DELETE", f"{LIST}/{foreign['id']}", None),
        ("GET", "/users/me/calendarList", None),
    ):
        answered = narrow(method, path, body)
        assert (answered.status, answered.reason) == (403, "insufficientPermissions"), path
    assert house.call("GET", f"{LIST}/{foreign['id']}").json["etag"] == foreign["etag"]


def test_somebody_elses_calendar_is_not_there(house: GoogleHouse) -> None:
    other = house.connected(CALENDAR, login="juan.sanchez@example.com")
    assert other("GET", f"/calendars/{quote(JOHN)}/events").status == 404


def test_busy_times_can_be_asked_for_without_seeing_the_events(house: GoogleHouse) -> None:
    house.insert(hour=9)
    house.insert(hour=10)
    house.insert(hour=14, transparency="transparent")
    house.insert(hour=16, recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    asking = house.connected("https://www.googleapis.com/auth/calendar.freebusy")
    body = {"timeMin": "2026-03-02T00:00:00Z", "timeMax": "2026-03-03T00:00:00Z", "items": [{"id": JOHN}, {"id": "nobody@example.com"}]}
    calendars = asking("POST", "/freeBusy", body).json["calendars"]
    assert [(span["start"], span["end"]) for span in calendars[JOHN]["busy"]] == [
        ("2026-03-02T08:00:00Z", "2026-03-02T10:00:00Z"),
        ("2026-03-02T15:00:00Z", "2026-03-02T16:00:00Z"),
    ]
    assert calendars["nobody@example.com"]["errors"][0]["reason"] == "notFound"
    assert asking("GET", LIST).status == 403
