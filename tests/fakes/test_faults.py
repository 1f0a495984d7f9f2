"""What goes wrong on purpose goes wrong as it is said; and what the controls answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.fakes.faults import KINDS
from gateway.fakes.wire import Request
from tests.fakes.house import EMMA, GUEST, JOHN, GoogleHouse, GraphHouse, graph_timed, path, timed

LIST = "/calendars/primary/events"
OURS = "0123456789abcdef"


@pytest.fixture
def house() -> GoogleHouse:
    return GoogleHouse()


def fault(house: GoogleHouse | GraphHouse, kind: str, match: str = "POST .*/events$", **more: Any) -> None:
    answered = house.call.control("POST", "fault", {"match": match, "kind": kind, **more})
    assert answered.status == 200, answered.json


def outcome(house: GoogleHouse, body: Any) -> Any:
    """What becomes of an insert, as the server sees it."""
    octets = json.dumps(body).encode()
    headers = {"authorization": f"Bearer {house.call.token}"}
    return house.google.answer(Request(method="POST", target=f"/calendar/v3{LIST}", headers=headers, body=octets))


def test_before_nothing_is_done_and_the_caller_sees_an_error(house: GoogleHouse) -> None:
    fault(house, "before")
    assert house.call("POST", LIST, timed()).status == 500
    assert house.sync()[0] == []
    assert house.call("POST", LIST, timed()).status == 200, "it strikes once unless it is told otherwise"


def test_after_commit_it_is_done_though_the_caller_sees_an_error(house: GoogleHouse) -> None:
    fault(house, "after_commit")
    assert house.call("POST", LIST, timed(id=OURS)).status == 504
    assert [item["id"] for item in house.sync()[0]] == [OURS]
    assert house.call("POST", LIST, timed(id=OURS)).status == 409


def test_duplicate_does_it_twice_and_the_caller_sees_the_second_answer(house: GoogleHouse) -> None:
    fault(house, "duplicate", times=2)
    assert house.call("POST", LIST, timed(id=OURS)).status == 409
    assert house.call("POST", LIST, timed()).status == 200
    assert len(house.sync()[0]) == 3


@pytest.mark.parametrize(("kind", "breakage"), [("reset", "reset"), ("truncate", "truncate"), ("blackhole", "blackhole")])
def test_what_is_done_to_the_connection_says_nothing_of_what_was_done(house: GoogleHouse, kind: str, breakage: str) -> None:
    fault(house, kind)
    assert outcome(house, timed()).breakage == breakage
    assert len(house.sync()[0]) == (0 if kind == "blackhole" else 1)


def test_slow_answers_late(house: GoogleHouse) -> None:
    fault(house, "slow:2.5")
    found = outcome(house, timed())
    assert (found.delay, found.result.status) == (2.5, 200)


def test_a_status_comes_with_a_reason_in_the_providers_own_words(house: GoogleHouse) -> None:
    fault(house, "status:403:quotaExceeded", "GET .*/events", times=2)
    answered = house.call("GET", LIST)
    assert (answered.status, answered.json["error"]["errors"][0]["domain"]) == (403, "usageLimits")
    graph = GraphHouse()
    fault(graph, "status:503:MailboxConcurrency", "GET /v1.0/me")
    answered = graph.call("GET", "/me")
    assert (answered.status, answered.reason) == (503, "ApplicationThrottled")
    assert "MailboxConcurrency" in answered.json["error"]["message"]
    fault(graph, "status:429:17", "GET /v1.0/me")
    assert graph.call("GET", "/me").headers["Retry-After"] == "17"


def test_a_fault_waits_for_its_turn_and_for_its_addresses(house: GoogleHouse) -> None:
    fault(house, "before", "PATCH|POST events", skip=1, times=1)
    assert [house.call("POST", LIST, timed()).status for _ in range(3)] == [200, 500, 200]
    fault(house, "before", "* events/none")
    assert house.call("GET", LIST).status == 200
    house.call.control("POST", "faults/clear")
    assert house.call("GET", f"{LIST}/none12").status == 404


def test_graph_commits_before_it_fails_too() -> None:
    house = GraphHouse()
    fault(house, "after_commit")
    assert house.call("POST", "/me/events", graph_timed(transactionId="t")).status == 504
    assert house.create(transactionId="t")["transactionId"] == "t"
    assert len(house.round()[0]) == 1


@pytest.mark.parametrize("body", [{"kind": "explode"}, {"kind": "status"}, {"kind": "slow:soon"}, {"kind": "before", "match": "GET ("}])
def test_a_fault_nobody_understands_is_refused(house: GoogleHouse, body: dict[str, str]) -> None:
    assert house.call.control("POST", "fault", {"match": "GET /", **body}).status == 400
    assert "before" in KINDS


# The log


def test_every_request_is_logged_with_its_number_and_status_and_no_credential(house: GoogleHouse) -> None:
    house.call("GET", LIST, None, {}, maxResults=5)
    house.call("POST", LIST, timed(description=GUEST))
    entries = house.call.control("GET", "requests").json
    assert [entry["n"] for entry in entries] == list(range(1, len(entries) + 1))
    last = entries[-2]
    assert (last["method"], last["path"], last["query"], last["status"]) == ("GET", f"/calendar/v3{LIST}", "maxResults=5", 200)
    assert house.call.control("GET", f"requests?after={entries[-2]['n']}").json == [entries[-1]]
    whole = house.call.control("GET", "requests?bodies=1").reply.body.decode()
    assert GUEST in whole
    assert house.call.token not in whole
    assert house.google.world.client_secret not in whole


def test_the_log_of_the_identity_platform_has_no_secrets_either() -> None:
    house = GraphHouse()
    whole = house.call.control("GET", "requests?bodies=1").reply.body.decode()
    assert "/common/oauth2/v2.0/token" in whole
    assert house.microsoft.world.client_secret not in whole


# The person


def test_google_events_are_listed_as_the_contract_says(house: GoogleHouse) -> None:
    made = house.insert()
    house.call.act(JOHN, "create", title="Dentist", start="2026-03-05", end="2026-03-06")
    house.call.act(JOHN, "delete", id=made["id"])
    events = house.call.control("GET", f"events?account={JOHN}").json
    assert [{name: event[name] for name in ("title", "start", "end", "all_day", "cancelled", "ours")} for event in events] == [
        {
            "title": "Cut",
            "start": "2026-03-02T09:00:00+01:00",
            "end": "2026-03-02T10:00:00+01:00",
            "all_day": False,
            "cancelled": True,
            "ours": True,
        },
        {"title": "Dentist", "start": "2026-03-05", "end": "2026-03-06", "all_day": True, "cancelled": False, "ours": False},
    ]
    assert {event["calendar"] for event in events} == {JOHN}


def test_graph_events_are_listed_as_the_contract_says() -> None:
    house = GraphHouse()
    made = house.create()
    house.call.act(EMMA, "create", title="Dentist", start="2026-03-05", end="2026-03-06")
    house.call.act(EMMA, "delete", id=made["id"])
    events = house.call.control("GET", f"events?account={EMMA}").json
    assert [(event["title"], event["start"], event["all_day"], event["cancelled"], event["ours"]) for event in events] == [
        ("Dentist", "2026-03-05", True, False, False),
        ("", None, False, True, False),
    ]


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_a_person_turns_an_event_into_whole_days_and_back(provider: str) -> None:
    house, login = (GoogleHouse(), JOHN) if provider == "google" else (GraphHouse(), EMMA)
    [made] = house.call.act(login, "create", title="x", start="2026-03-05T10:00:00", end="2026-03-05T11:00:00")
    [made] = house.call.act(login, "move", id=made["id"], start="2026-03-06")
    assert (made["start"], made["end"], made["all_day"]) == ("2026-03-06", "2026-03-07", True)
    [made] = house.call.act(login, "move", id=made["id"], start="2026-03-06T10:00:00", end="2026-03-06T10:30:00")
    assert (made["end"], made["all_day"]) == ("2026-03-06T10:30:00+01:00", False)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_a_person_moves_a_whole_series_by_one_of_its_instances(provider: str) -> None:
    house, login = (GoogleHouse(), JOHN) if provider == "google" else (GraphHouse(), EMMA)
    [series] = house.call.act(login, "create", title="x", start="2026-03-02T10:00:00", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    wish = {"id": series["id"], "occurrence": "2026-03-09T10:00:00", "start": "2026-03-10T12:00:00", "reach": "all"}
    [moved] = house.call.act(login, "move", **wish)
    assert (moved["id"], moved["start"]) == (series["id"], "2026-03-03T12:00:00+01:00")
    house.call.act(login, "delete", id=series["id"], occurrence="2026-03-10T12:00:00", reach="following")
    assert house.call.control("GET", f"events?account={login}").json[0]["id"] == series["id"]


@pytest.mark.parametrize(
    ("place", "body", "status"),
    [
        ("act", {"account": "nobody", "op": "create"}, 404),
        ("act", {"account": JOHN, "op": "fly"}, 404),
        ("act", {"account": JOHN, "op": "move", "id": "none"}, 404),
        ("act", {"account": JOHN, "op": "create", "title": "x", "start": "soon"}, 400),
        ("knobs", {"gravity": False}, 400),
        ("knobs", {"testing": "yes"}, 400),
        ("push", {"push": "sideways"}, 400),
        ("nowhere", {}, 404),
    ],
)
def test_the_control_says_in_a_sentence_what_it_cannot_do(house: GoogleHouse, place: str, body: dict[str, Any], status: int) -> None:
    answered = house.call.control("POST", place, body)
    assert answered.status == status
    assert answered.json["error"]


def test_the_control_lists_what_it_knows(house: GoogleHouse) -> None:
    assert "act" in house.call.control("GET", "").json["POST"]
    assert house.call.control("GET", "knobs").json["testing"] is False
    assert house.call.control("GET", "events?account=nobody").status == 404
    assert house.call.control("DELETE", "act").status == 405


def test_two_runs_with_one_seed_give_the_same_ids_and_tokens() -> None:
    first, second = GoogleHouse(), GoogleHouse()
    assert first.call.token == second.call.token
    assert first.insert() == second.insert()
    assert GraphHouse().create() == GraphHouse().create()


def test_what_is_not_there_is_not_found_in_the_providers_words(house: GoogleHouse) -> None:
    assert house.call("GET", "/colors").status == 404
    assert house.call("DELETE", LIST).status == 405
    assert GraphHouse().call("GET", path("me", "messages")).status == 404
