"""REST as a whole: who may ask, what is refused, and that the description is true."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from gateway.web.api import OPERATIONS
from tests.web.house import ANN, KEY, OTHER_KEY, SECRET, Door, connected
from tests.web.test_appointments import TEN, problem


def test_the_description_is_valid_openapi(door: Door) -> None:
    document = door.ask("GET", "/api/openapi.json").json
    validate(document, cls=OpenAPIV31SpecValidator)
    assert document["openapi"].startswith("3.1")


def _examples(door: Door) -> dict[str, tuple[str, Any, dict[str, str]]]:
    """Operation name → path, body and headers with which it succeeds."""
    first, second = door.book(), door.book("2026-11-26T10:00:00+01:00")
    feed = door.api("GET", "/feeds").json["items"][0]["id"]
    window = "from=2026-11-25T00:00:00Z&to=2026-11-26T00:00:00Z"
    return {
        "listAppointments": (f"/appointments?staff=john&{window}", None, {}),
        "bookAppointment": (
            "/appointments",
            {"staff": "john", "service": "advice", "customer_id": "ann", "start": "2026-11-27T10:00:00Z"},
            {},
        ),
        "getAppointment": (f"/appointments/{first['id']}", None, {}),
        "changeAppointment": (f"/appointments/{first['id']}", {"start": "2026-11-25T15:00:00Z"}, {"If_Match": first["etag"]}),
        "cancelAppointment": (f"/appointments/{second['id']}/cancel", {}, {}),
        "listStaff": ("/staff", None, {}),
        "getStaff": ("/staff/john", None, {}),
        "changeStaff": ("/staff/john", {"locale": "de"}, {}),
        "testExternalCalendar": ("/staff/john/external-ics/test", {"url": "ftp://example.com"}, {}),
        "getFreeBusy": (f"/staff/john/free-busy?{window}", None, {}),
        "getDeviceSetup": ("/staff/john/devices", None, {}),
        "listGroups": ("/groups", None, {}),
        "listServices": ("/services", None, {}),
        "getService": ("/services/advice", None, {}),
        "listCustomers": ("/customers", None, {}),
        "addCustomer": ("/customers", {"name": "Bea Example", "email": "bea@example.com"}, {}),
        "getCustomer": ("/customers/ann", None, {}),
        "changeCustomer": ("/customers/ann", {"phone": "1"}, {}),
        "listChanges": ("/changes?after=0", None, {}),
        "getSettings": ("/settings", None, {}),
        "changeSettings": ("/settings", {"hold_seconds": 5}, {}),
        "listFeeds": ("/feeds", None, {}),
        "addFeed": ("/feeds", {"scope": "company"}, {}),
        "revokeFeed": (f"/feeds/{feed}/revoke", {}, {}),
        **LINKS,
    }


# In the order in which they are asked: what is disconnected answers no more.
LINKS: dict[str, tuple[str, Any, dict[str, str]]] = {
    "listLinks": ("/links", None, {}),
    "connect": ("/links", {"staff": "john", "provider": "google"}, {}),
    "getLink": ("/links/link", None, {}),
    "changeLink": ("/links/link", {"paused": False, "direction": "both"}, {}),
    "disconnect": ("/links/link?remove=false", None, {}),
    "decide": ("/links/braked/decide", {"meant": True}, {}),
    "getLinkTroubles": ("/links/braked/troubles", None, {}),
    "settleTrouble": ("/links/braked/settle", {"appointment": "odd", "keep": True}, {}),
    "retryLink": ("/links/braked/retry", {}, {}),
    "getLinkCalendars": ("/links/link/calendars", None, {}),
    "setBlockingCalendars": ("/links/link/blocking", {"calendars": []}, {}),
    "getLinkHistory": ("/links/link/history", None, {}),
    "getStatus": ("/status", None, {}),
}


def test_every_described_operation_answers_as_described(door: Door) -> None:
    document = door.ask("GET", "/api/openapi.json").json
    examples = _examples(door)
    connected(door.store)
    assert set(examples) == {each.name for each in OPERATIONS}
    for each in OPERATIONS:
        path, body, headers = examples[each.name]
        answer = door.api(each.method, path, body, **headers)
        assert answer.status == each.status, (each.name, answer.text)
        described = document["paths"][each.path][each.method.lower()]["responses"][str(each.status)]
        schema = described["content"]["application/json"]["schema"] | {"components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_nothing_is_answered_without_a_valid_key(door: Door, operation: Any) -> None:
    path = "/api/v1" + re.sub(r"{\w+}", "john", operation.path)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}, {"Authorization": "Bearer"}):
        answer = door.ask(operation.method, path, **headers)
        problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "Canary" not in answer.text


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if "{" not in each.path and each.method == "GET"], ids=lambda each: each.name
)
def test_a_list_shows_nothing_of_another_company(door: Door, operation: Any) -> None:
    door.book()
    answer = door.api("GET", operation.path, key=OTHER_KEY)
    assert answer.status == 200, answer.text
    for mark in ("John Smith", "Emma", ANN.name, ANN.email, SECRET, "Front desk", "Demo Company", "feed-"):
        assert mark not in answer.text


@pytest.mark.parametrize("path", ["/staff/john", "/services/advice", "/customers/ann"])
def test_what_belongs_to_another_company_is_missing(door: Door, path: str) -> None:
    assert door.api("GET", path).status == 200
    foreign, missing = door.api("GET", path, key=OTHER_KEY), door.api("GET", path.rpartition("/")[0] + "/none", key=OTHER_KEY)
    assert problem(foreign, 404) | {"request_id": ""} == problem(missing, 404) | {"request_id": ""}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "staff"),
        ({"start": "tomorrow"}, "start"),
        ({"start": "2026-11-25T10:00:00"}, "start"),
        ({"start": "2026-02-30T10:00:00Z"}, "start"),
        ({"start": 5}, "start"),
        ({"end": "2026-11-25T10:00:00+01:00"}, "end"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "Europe/Nowhere"}, "time_zone"),
        ({"recurrence": {"rule": "FREQ=NEVER"}}, "recurrence.rule"),
        ({"recurrence": {"rule": 1}}, "recurrence.rule"),
        ({"notes": "bell \x07"}, "notes"),
        ({"notes": "half a character \ud800"}, "notes"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"company": "other"}, "company"),
        ({"status": "cancelled"}, "status"),
        ({"customer": {"name": "Bea", "email": "bea@example.com"}}, "customer"),
    ],
)
def test_a_booking_that_does_not_fit_is_refused_where_it_is_wrong(door: Door, body: dict[str, Any], field: str) -> None:
    whole = {"staff": "john", "service": "advice", "customer_id": "ann", "start": TEN} | body if body else {}
    answer = door.api("POST", "/appointments", json.dumps(whole))
    errors = problem(answer, 422)["errors"]
    assert isinstance(errors, list)
    assert field in [each["field"] for each in errors]
    assert door.api("GET", "/appointments").json["items"] == []


@pytest.mark.parametrize(
    "email", ["ann", "a@b@c", "ann@example.com, eve@example.com", "ann@example.com\nBcc: eve@example.com", "<ann@example.com>", ""]
)
def test_a_customer_has_one_plain_address(door: Door, email: str) -> None:
    errors = problem(door.api("POST", "/customers", {"name": "Ann", "email": email}), 422)["errors"]
    assert isinstance(errors, list)
    assert errors[0]["field"] == "email"


@pytest.mark.parametrize(
    "octets", [b"", b"{", b"[]x", b"\xff\xfe", b'{"name":"a","name":"b"}', b'{"name": NaN}', b"[" * 30_000, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_what_is_not_json_changes_nothing(door: Door, octets: bytes) -> None:
    problem(door.api("POST", "/customers", octets.decode("latin-1").encode("latin-1")), 400)


def test_other_formats_and_large_bodies_are_refused(door: Door) -> None:
    problem(door.api("POST", "/customers", "name=Ann", Content_Type="application/x-www-form-urlencoded"), 415)
    problem(door.api("POST", "/customers", "{}", Content_Encoding="gzip"), 415)
    problem(door.api("POST", "/customers", json.dumps({"name": "x" * 70_000})), 413)
    problem(door.api("POST", "/customers", b"x" * (1024 * 1024 + 1)), 413)


@pytest.mark.parametrize("query", ["from=yesterday", "nonsense=1", "limit=0", "limit=x", "staff=john&staff=emma", "cancelled=yes"])
def test_a_query_that_is_not_understood_is_refused(door: Door, query: str) -> None:
    problem(door.api("GET", f"/appointments?{query}"), 400)


def test_a_plus_that_nobody_encoded_is_understood(door: Door) -> None:
    made = door.book()
    answer = door.api("GET", "/appointments?from=2026-11-25T10:00:00+01:00&to=2026-11-25T10:30:00+01:00")
    assert [each["id"] for each in answer.json["items"]] == [made["id"]]


def test_unknown_addresses_and_methods_are_problems_too(door: Door) -> None:
    problem(door.ask("GET", "/api/v1/nothing"), 404)
    answer = door.ask("DELETE", "/api/v1/settings")
    problem(answer, 405)
    assert "GET" in answer.headers["allow"]


def test_free_busy_tells_merged_times_and_nothing_else(door: Door) -> None:
    door.book(TEN)
    door.book("2026-11-25T10:30:00+01:00")
    answer = door.api("GET", "/staff/john/free-busy?from=2026-11-25T09:00:00Z&to=2026-11-25T09:45:00Z")
    assert answer.json["busy"] == [{"start": TEN, "end": "2026-11-25T10:45:00+01:00"}]
    assert SECRET not in answer.text
    problem(door.api("GET", "/staff/john/free-busy?from=2026-11-25T09:00:00Z&to=2026-11-25T09:00:00Z"), 400)
    problem(door.api("GET", "/staff/john/free-busy?from=2026-11-25T09:00:00Z&to=2036-11-25T09:00:00Z"), 400)


def test_settings_change_only_what_is_named(door: Door) -> None:
    before = door.api("GET", "/settings").json
    after = door.api("PUT", "/settings", {"on_delete": "cancel", "hold_seconds": 90}).json
    assert after == before | {"on_delete": "cancel", "hold_seconds": 90}
    assert door.api("GET", "/settings").json == after
    problem(door.api("PUT", "/settings", {"two_way": False}), 422)


def test_a_renamed_staff_member_keeps_handle_and_id(door: Door) -> None:
    answer = door.api("PUT", "/staff/emma", {"name": "Emma Smith", "email": "emma.smith@example.com"})
    assert (answer.json["name"], answer.json["handle"], answer.json["id"]) == ("Emma Smith", "emma-morris", "emma")
    assert answer.json["calendar_url"] == "https://calendar.example.com/dav/emma-morris/appointments/"
    problem(door.api("PUT", "/staff/emma", {"handle": "boss"}), 422)


def test_the_log_is_told_in_order_without_gaps(door: Door) -> None:
    made = door.book()
    door.api("PATCH", f"/appointments/{made['id']}", {"start": "2026-11-25T14:00:00+01:00"}, If_Match=made["etag"])
    door.api("POST", f"/appointments/{made['id']}/cancel")

    whole = door.api("GET", "/changes").json

    assert [each["revision"] for each in whole["items"]] == list(range(1, whole["revision"] + 1))
    mine = [each for each in whole["items"] if each["appointment"] == made["id"]]
    assert [each["kind"] for each in mine] == ["booked", "changed", "cancelled"]
    assert mine[1]["before"]["start"] == made["start"]
    assert mine[1]["after"]["start"] == "2026-11-25T14:00:00+01:00"
    assert {each["actor"]["door"] for each in mine} == {"rest"}
    rest = door.api("GET", "/changes", query={"after": str(mine[1]["revision"]), "limit": "1"}).json
    assert rest["items"] == [mine[2]]
    assert rest["next"] == mine[2]["revision"]


def test_whoever_waits_for_the_log_is_told_when_it_grows(door: Door) -> None:
    head = door.api("GET", "/changes").json["revision"]
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(door.api("GET", "/changes", query={"after": str(head), "wait": "30"})))
    waiting.start()
    made = door.book()
    began = time.monotonic()
    waiting.join(20)
    assert [each["appointment"] for each in answers[0].json["items"]] == [made["id"]]
    assert time.monotonic() - began < 15


def test_a_feed_made_by_the_platform_works_until_it_is_revoked(door: Door) -> None:
    made = door.api("POST", "/feeds", {"scope": "staff", "of": "john", "label": "Work", "level": "busy"}).json
    path = made["url"].removeprefix("https://calendar.example.com")
    assert len(made["url"]) <= 100
    assert door.ask("GET", path).status == 200
    listed = door.api("GET", "/feeds").json["items"]
    assert {"Work", None} >= {each["label"] for each in listed if each["id"] == made["id"]}
    assert path.split("/")[-1] not in json.dumps(listed)

    assert door.api("POST", f"/feeds/{made['id']}/revoke").json["revoked"] is not None

    assert door.ask("GET", path).status == 410
    problem(door.api("POST", f"/feeds/{made['id']}/revoke", key=OTHER_KEY), 404)


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "staff"},
        {"scope": "staff", "of": "taylor"},
        {"scope": "group", "of": "none"},
        {"scope": "company", "of": "john"},
        {"scope": "all"},
    ],
)
def test_a_feed_is_about_somebody_of_the_company(door: Door, body: dict[str, str]) -> None:
    problem(door.api("POST", "/feeds", body), 422)


def test_the_documentation_page_names_every_operation(door: Door) -> None:
    page = door.ask("GET", "/api/docs", Accept="text/html")
    assert page.status == 200
    for each in OPERATIONS:
        assert f'id="{each.name}"' in page.text
        assert each.path in page.text
