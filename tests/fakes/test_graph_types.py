"""Every answer of the fake Graph has the properties, types and values of the documented v1.0 resources."""

from __future__ import annotations

import json
import re

from tests.fakes import graph_types
from tests.fakes.house import EMMA, IMMUTABLE, GraphHouse, graph_timed, path, weekly

MARKER = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name gateway"
SHAPES = (
    (r"POST .*/subscriptions|(GET|PATCH) .*/subscriptions/[^/]+", "subscription"),
    (r"GET .*/subscriptions", "subscription[]"),
    (r"GET .*/(calendarView|events)/delta(\(\))?", "event[]"),
    (r"GET .*/(calendarView|instances|events)", "event[]"),
    (r"GET .*/supportedTimeZones.*", "timeZoneInformation[]"),
    (r"GET .*/calendars", "calendar[]"),
    (r"(GET|PATCH|POST) .*/(calendars/[^/]+|calendar|calendars)", "calendar"),
    (r"(POST|GET|PATCH) .*/events(/[^/]+)?", "event"),
    (r"GET .*/(me|users/[^/]+)", "user"),
)


def shape(method: str, target: str) -> str:
    line = f"{method} {target.partition('?')[0]}"
    return next(name for pattern, name in SHAPES if re.fullmatch(pattern, line))


def scripted() -> GraphHouse:
    """A session that sees everything the fake can answer."""
    house = GraphHouse()
    call = house.call
    call("GET", "/me")
    call("GET", "/me/outlook/supportedTimeZones")
    call("GET", "/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')")
    made = call("POST", "/me/calendars", {"name": "Salon"}).json["id"]
    call("GET", "/me/calendars")
    call("GET", path("me", "calendars", made))
    call("PATCH", path("me", "calendars", made), {"name": "The salon"})
    call("GET", "/me/calendar")
    full = {
        "body": {"contentType": "text", "content": "one\ntwo"},
        "location": {"displayName": "Paris"},
        "attendees": [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "optional"}],
        "categories": ["red"],
        "showAs": "oof",
        "sensitivity": "private",
        "importance": "high",
        "isReminderOn": False,
        "transactionId": "t-1",
        "singleValueExtendedProperties": [{"id": MARKER, "value": "1"}],
    }
    one = house.create(**full)
    house.create(path("me", "calendars", made), day=4)
    midnight = {"dateTime": "2026-03-09T00:00:00", "timeZone": "UTC"}
    house.create(start=midnight, end=midnight | {"dateTime": "2026-03-11"}, isAllDay=True)
    series = house.create(recurrence=weekly())
    house.create(day=2, recurrence={"pattern": {"type": "daily", "interval": 2}, "range": {"type": "noEnd", "startDate": "2026-03-02"}})
    month = {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday"], "index": "first"}
    house.create(day=2, recurrence={"pattern": month, "range": {"type": "endDate", "startDate": "2026-03-02", "endDate": "2026-12-31"}})
    [second, third] = call(
        "GET",
        path("me", "events", series["id"], "instances"),
        None,
        {"Prefer": IMMUTABLE},
        startDateTime="2026-03-08",
        endDateTime="2026-03-20",
    ).json["value"]
    call("PATCH", path("me", "events", second["id"]), graph_timed(day=11), {"Prefer": 'outlook.timezone="Europe/Paris"'})
    call("DELETE", path("me", "events", third["id"]))
    call("GET", path("me", "events", second["id"]), None, {"Prefer": 'outlook.body-content-type="text"'})
    special = "subject,cancelledOccurrences,exceptionOccurrences"
    call("GET", path("me", "events", series["id"]), None, {}, _select=special, _expand="exceptionOccurrences")
    call("GET", path("me", "events", one["id"]), None, {}, _expand=f"singleValueExtendedProperties($filter=id eq '{MARKER}')")
    call("GET", "/me/events", None, {}, _top=3, _orderby="start/dateTime desc", _count="true")
    call("GET", "/me/calendarView", None, {}, startDateTime="2026-03-01", endDateTime="2026-04-01", _top=100)
    _changes(house, one["id"], series["id"])
    return house


def _changes(house: GraphHouse, one: str, series: str) -> None:
    """Rounds of delta, and a subscription that hears of changes."""
    call, act = house.call, house.call.act
    _, link = house.round()
    act(EMMA, "move", id=series, start="2026-03-03T10:00:00")
    act(EMMA, "create", title="Far", start="2027-03-03T10:00:00", organizer="boss@elsewhere.example")
    act(EMMA, "delete", id=one)
    house.round(link)
    house.round(place="/me/events/delta()")
    wish = {
        "changeType": "created,updated,deleted",
        "notificationUrl": "http://127.0.0.1:1/n",
        "lifecycleNotificationUrl": "http://127.0.0.1:1/l",
        "resource": "me/events",
        "expirationDateTime": "2026-03-04T00:00:00Z",
        "clientState": "s",
    }
    opened = call("POST", "/subscriptions", wish, {"Prefer": IMMUTABLE}).json["id"]
    call("GET", "/subscriptions")
    call("PATCH", f"/subscriptions/{opened}", {"expirationDateTime": "2026-03-04T01:00:00Z"})
    act(EMMA, "create", title="New", start="2026-03-05T10:00:00")
    house.call.control("POST", "lifecycle", {"account": EMMA, "event": "missed"})


def test_every_payload_has_the_documented_type() -> None:
    seen = 0
    for method, target, answered in scripted().call.seen:
        assert answered.status in (200, 201, 204), (method, target, answered.json)
        if answered.status == 204:
            continue
        kind, seen = shape(method, target), seen + 1
        value = answered.json["value"] if kind.endswith("[]") else answered.json
        if kind == "event[]" and "/delta" in target:
            removed = [item for item in value if "@removed" in item]
            assert graph_types.faults(removed, "removed[]") == []
            value = [item for item in value if "@removed" not in item]
        assert graph_types.faults(value, kind) == [], (method, target)
    assert seen >= 25


def test_every_notification_has_the_documented_type() -> None:
    told = [json.loads(outgoing.body) for outgoing in scripted().microsoft.take_outbox()]
    assert len(told) == 2
    for body in told:
        assert graph_types.faults(body["value"], "changeNotification[]") == []


def test_the_check_finds_what_it_is_for() -> None:
    assert graph_types.faults({"colour": "red"}, "event") == ["event.colour is unknown"]
    assert graph_types.faults({"start": {"dateTime": "2026-03-02T09:00:00Z"}}, "event")
    assert graph_types.faults({"showAs": "here"}, "event")
    assert graph_types.faults({"expirationDateTime": None}, "subscription") == ["subscription.expirationDateTime must not be null"]
