"""Every answer of the fake Google is what the discovery document of the client library says it is."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from gateway.fakes.google.scopes import ALLOWED, PREFIX
from tests.fakes import schema
from tests.fakes.house import JOHN, GoogleHouse, timed

SHAPES = (
    (r"GET .*/events/[^/]+/instances", "Events"),
    (r"POST .*/events/watch", "Channel"),
    (r"GET .*/events", "Events"),
    (r"(GET|PATCH|PUT|POST) .*/events/.+", "Event"),
    (r"POST .*/events", "Event"),
    (r"GET .*/calendarList", "CalendarList"),
    (r"GET .*/calendarList/.+", "CalendarListEntry"),
    (r"(GET|POST|PATCH) .*/calendars(/[^/]+)?", "Calendar"),
    (r"POST .*/freeBusy", "FreeBusyResponse"),
)


def shape(method: str, target: str) -> str:
    line = f"{method} {target.partition('?')[0]}"
    return next(name for pattern, name in SHAPES if re.fullmatch(pattern, line))


def scripted() -> GoogleHouse:
    """A session that sees everything the fake can answer."""
    house = GoogleHouse()
    call, act = house.call, house.call.act
    made = call("POST", "/calendars", {"summary": "Salon", "timeZone": "Europe/Paris", "description": "Bookings"}).json["id"]
    own = f"/calendars/{quote(made)}"
    call("GET", own)
    call("PATCH", own, {"summary": "The salon"})
    call("GET", "/users/me/calendarList")
    call("GET", f"/users/me/calendarList/{quote(made)}")
    full: dict[str, Any] = {
        "id": "gv0123456789",
        "description": "a <b>b</b>",
        "location": "Paris",
        "visibility": "private",
        "transparency": "transparent",
        "status": "tentative",
        "attendees": [{"email": "guest@elsewhere.example"}],
        "extendedProperties": {"private": {"gw": "1"}, "shared": {"a": "b"}},
        "source": {"title": "Bookings", "url": "https://gateway.example/a/1"},
        "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 10}]},
    }
    call("POST", f"{own}/events", timed(**full))
    series = house.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=6", "EXDATE;TZID=Europe/Paris:20260316T090000"])
    house.insert(start={"date": "2026-03-09"}, end={"date": "2026-03-11"}, recurrence=["RRULE:FREQ=MONTHLY;COUNT=3"])
    call("GET", f"/calendars/primary/events/{series['id']}/instances")
    call("PATCH", f"/calendars/primary/events/{series['id']}_20260309T080000Z", timed(day=10))
    call("DELETE", f"/calendars/primary/events/{series['id']}_20260323T080000Z")
    call("PUT", "/calendars/primary/events/" + house.insert(day=4)["id"], timed(day=5))
    call("POST", "/calendars/primary/events/import", timed(iCalUID="a@b", organizer={"email": "boss@elsewhere.example"}))
    for kind in ("outOfOffice", "focusTime", "workingLocation"):
        properties = {f"{kind}Properties": {"type": "homeOffice", "homeOffice": {}} if kind == "workingLocation" else {}}
        call("POST", "/calendars/primary/events", timed(eventType=kind, **properties))
    act(
        JOHN, "create", title="Visit", start="2026-03-12", end="2026-03-13", organizer="boss@elsewhere.example", attendees=[{"email": JOHN}]
    )
    moved = house.insert(day=6)
    call("POST", f"/calendars/primary/events/{moved['id']}/move", None, destination=made)
    deleted = house.insert(day=7)
    call("DELETE", f"/calendars/primary/events/{deleted['id']}")
    call("GET", f"/calendars/primary/events/{deleted['id']}")
    call("GET", "/calendars/primary/events", None, {}, singleEvents="true", orderBy="startTime", timeMin="2026-03-01T00:00:00Z")
    call("GET", "/calendars/primary/events", None, {}, showDeleted="true", timeZone="America/New_York", maxResults=2)
    _, token = house.sync()
    act(JOHN, "edit", id=series["id"], title="Colour")
    house.sync(token)
    call("POST", "/calendars/primary/events/watch", {"id": "channel-1", "type": "web_hook", "address": "http://127.0.0.1:1/", "token": "t"})
    call(
        "POST",
        "/freeBusy",
        {"timeMin": "2026-03-01T00:00:00Z", "timeMax": "2026-04-01T00:00:00Z", "items": [{"id": "primary"}, {"id": "x"}]},
    )
    return house


def test_every_payload_has_the_documented_type() -> None:
    seen = 0
    for method, target, answered in scripted().call.seen:
        assert answered.status in (200, 204), (method, target, answered.json)
        if answered.status == 204:
            continue
        seen += 1
        assert schema.faults(answered.json, shape(method, target)) == [], (method, target)
    assert seen >= 25


def test_the_check_finds_what_it_is_for() -> None:
    assert schema.faults({"id": "a", "colour": "red"}, "Event") == ["Event.colour is unknown"]
    assert schema.faults({"start": {"dateTime": "tomorrow"}}, "Event") == ["Event.start.dateTime has another format: 'tomorrow'"]
    assert schema.faults({"status": "gone"}, "Event")
    assert schema.faults({"sequence": True}, "Event") == ["Event.sequence is no integer: True"]


def test_the_table_of_scopes_is_the_documented_one() -> None:
    resources = schema.document()["resources"]
    for name, scopes in ALLOWED.items():
        resource, method = name.split(".")
        documented = resources[resource]["methods"][method]["scopes"]
        assert {PREFIX + scope for scope in scopes} == set(documented), name


def test_the_addresses_are_the_documented_ones() -> None:
    house = GoogleHouse()
    resources = schema.document()["resources"]
    for name in ALLOWED:
        resource, method = name.split(".")
        documented = resources[resource]["methods"][method]
        route = next(route for route in house.google.routes if route.name == name)
        pattern = re.sub(r"\{(\w+?)(Id)?\}", r"{\1}", documented["path"])
        assert (route.method, route.pattern) == (documented["httpMethod"], f"/calendar/v3/{pattern}")
