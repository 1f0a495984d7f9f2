"""Graph's change notifications: the handshake, the client state, the life of a subscription and messages about it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.fakes.wire import Heard
from tests.fakes.house import EMMA, IMMUTABLE, Answered, GraphHouse, path, weekly

HOOK, LIFE = "http://127.0.0.1:9/hooks/microsoft", "http://127.0.0.1:9/hooks/microsoft/lifecycle"


@pytest.fixture
def house() -> GraphHouse:
    return GraphHouse()


def subscribe(house: GraphHouse, prefer: str = IMMUTABLE, **wish: Any) -> Answered:
    body = {
        "changeType": "created,updated,deleted",
        "notificationUrl": HOOK,
        "lifecycleNotificationUrl": LIFE,
        "resource": "me/events",
        "expirationDateTime": (house.clock.now + timedelta(days=2)).isoformat(),
        "clientState": "secret",
        **wish,
    }
    return house.call("POST", "/subscriptions", body, {"Prefer": prefer})


def told(house: GraphHouse) -> list[dict[str, Any]]:
    return [json.loads(outgoing.body)["value"][0] for outgoing in house.microsoft.take_outbox()]


def test_both_addresses_are_asked_before_a_subscription_is_made(house: GraphHouse) -> None:
    assert subscribe(house).status == 201
    assert [url.partition("?")[0] for url in house.call.asked] == [HOOK, LIFE]
    token = parse_qs(urlsplit(house.call.asked[0]).query)["validationToken"][0]
    assert {" ", "&", "+", "/", "=", "%"} <= set(token), "the token must be decoded, and comes back as it is"


@pytest.mark.parametrize(
    "heard",
    [
        Heard(status=200, kind="text/html", text="{token}"),
        Heard(status=202, kind="text/plain", text="{token}"),
        Heard(status=200, kind="text/plain", text="something else"),
    ],
)
def test_an_address_that_does_not_answer_the_handshake_gets_nothing(house: GraphHouse, heard: Heard) -> None:
    house.call.heard = heard
    answered = subscribe(house)
    assert (answered.status, answered.reason) == (400, "ValidationError")
    assert house.call("GET", "/subscriptions").json["value"] == []


def test_every_change_is_told_with_the_client_state_and_the_kind_of_id_the_subscription_was_made_with(house: GraphHouse) -> None:
    opened = subscribe(house).json
    made = house.create()
    house.call.act(EMMA, "move", id=made["id"], start="2026-03-05T10:00:00")
    house.call.act(EMMA, "delete", id=made["id"])
    messages = told(house)
    assert [message["changeType"] for message in messages] == ["created", "updated", "deleted"]
    assert {message["clientState"] for message in messages} == {"secret"}
    assert {message["subscriptionId"] for message in messages} == {opened["id"]}
    assert {message["resourceData"]["id"] for message in messages} == {made["id"]}
    subscribe(house, prefer="")
    other = house.create(day=4)
    assert {message["resourceData"]["id"] == other["id"] for message in told(house)} == {True, False}


def test_only_the_changes_of_the_calendar_that_were_asked_for_are_told(house: GraphHouse) -> None:
    other = house.call("POST", "/me/calendars", {"name": "Salon"}).json["id"]
    subscribe(
        house, changeType="created", resource=f"me/calendars/{other}/events".replace("/+", "%2F%2B") if "/" not in other else "me/events"
    )
    made = house.create()
    house.call.act(EMMA, "delete", id=made["id"])
    house.create(path("me", "calendars", other))
    assert [message["changeType"] for message in told(house)] == ["created"]


def test_a_cancelled_occurrence_is_told_as_an_update_of_its_series(house: GraphHouse) -> None:
    series = house.create(recurrence=weekly())
    subscribe(house)
    house.call.act(EMMA, "delete", id=series["id"], occurrence="2026-03-09T09:00:00")
    [message] = told(house)
    assert (message["changeType"], message["resourceData"]["id"]) == ("updated", series["id"])


def test_a_short_life_is_made_longer_and_a_long_one_refused(house: GraphHouse) -> None:
    short = subscribe(house, expirationDateTime=(house.clock.now + timedelta(minutes=1)).isoformat()).json
    assert short["expirationDateTime"] == (house.clock.now + timedelta(minutes=45)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    long = subscribe(house, expirationDateTime=(house.clock.now + timedelta(minutes=4231)).isoformat())
    assert (long.status, long.reason) == (400, "ExtensionError")


def test_a_subscription_expires_without_a_word_unless_it_is_renewed(house: GraphHouse) -> None:
    opened = subscribe(house).json
    place = f"/subscriptions/{opened['id']}"
    house.clock.forward(minutes=50)
    renewed = house.call("PATCH", place, {"expirationDateTime": (house.clock.now + timedelta(days=2)).isoformat()})
    assert renewed.json["expirationDateTime"] > opened["expirationDateTime"]
    house.clock.forward(days=2, seconds=1)
    house.call.token = house.connected().token
    assert house.call("GET", place).status == 404
    house.create()
    assert told(house) == []


def test_while_reauthorization_is_wanted_nothing_else_is_told(house: GraphHouse) -> None:
    opened = subscribe(house).json
    assert house.call.control("POST", "lifecycle", {"account": EMMA, "event": "reauthorizationRequired"}).json == {"told": 1}
    [message] = told(house)
    assert (message["lifecycleEvent"], message["clientState"]) == ("reauthorizationRequired", "secret")
    house.create()
    assert told(house) == []
    assert house.call("POST", f"/subscriptions/{opened['id']}/reauthorize").status == 204
    house.create(day=4)
    assert len(told(house)) == 1


def test_a_subscription_may_be_removed_or_have_missed_something(house: GraphHouse) -> None:
    opened = subscribe(house).json
    house.call.control("POST", "lifecycle", {"account": EMMA, "event": "missed"})
    house.call.control("POST", "lifecycle", {"account": EMMA, "event": "subscriptionRemoved"})
    outgoing = house.microsoft.take_outbox()
    assert {each.url for each in outgoing} == {LIFE}
    assert [json.loads(each.body)["value"][0]["lifecycleEvent"] for each in outgoing] == ["missed", "subscriptionRemoved"]
    assert house.call("GET", f"/subscriptions/{opened['id']}").status == 404
    assert house.call.control("POST", "lifecycle", {"account": EMMA, "event": "vanished"}).status == 400


@pytest.mark.parametrize(
    "wish",
    [
        {"notificationUrl": "http://gateway.example/hooks"},
        {"notificationUrl": "https://gateway.example/hooks"},
        {"changeType": "moved"},
        {"clientState": "x" * 129},
        {"resource": "me/messages"},
        {"resource": ""},
        {"expirationDateTime": "tomorrow"},
    ],
)
def test_what_cannot_be_subscribed_to_is_refused_before_anybody_is_asked(house: GraphHouse, wish: dict[str, str]) -> None:
    assert subscribe(house, **wish).status == 400
    assert house.call.asked == []


def test_a_subscription_is_ended_by_its_client(house: GraphHouse) -> None:
    opened = subscribe(house).json
    assert house.call("DELETE", f"/subscriptions/{opened['id']}").status == 204
    house.create()
    assert told(house) == []
