"""Notifications from providers: believed with the secret of their channel, answered at once, and looked at once each."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from gateway.bridge.channels import planned
from gateway.links import AccountId, Channel, LinkId
from gateway.model import CompanyId
from gateway.web.hooks import OCTETS
from tests.journey.wire import Answer
from tests.web.house import NOW, SETUP, Door, built, connected, opened

DEMO, LINK = CompanyId("demo"), LinkId("link")
SECRET = "a secret nobody guesses"


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[Door]:
    """John's link has a channel, and is not due for an hour."""
    with built(tmp_path) as store:
        connected(store)
        with store.write(DEMO, SETUP) as tx:
            for each in tx.links():
                tx.save_link(replace(each, due=NOW + timedelta(hours=1), seen=tx.revision))
            tx.add_channel(Channel(link=LINK, id="channel", resource="r", secret=SECRET, made=NOW, expires=NOW + timedelta(days=1)))
        with opened(store) as door:
            yield door


def due(door: Door) -> bool:
    return bool(door.store.accounts_due(NOW))


def from_google(door: Door, channel: str = "channel", token: str = SECRET, **more: str) -> Answer:
    return door.ask("POST", "/hooks/google", X_Goog_Channel_ID=channel, X_Goog_Channel_Token=token, X_Goog_Resource_State="exists", **more)


def from_microsoft(door: Door, *told: Mapping[str, Any]) -> Answer:
    return door.ask("POST", "/hooks/microsoft", {"value": list(told)}, Content_Type="application/json")


def notice(channel: Any = "channel", secret: Any = SECRET, **more: Any) -> dict[str, Any]:
    return {"subscriptionId": channel, "clientState": secret, "changeType": "updated", "resource": "https://evil.example/", **more}


def test_a_notification_of_google_wakes_its_link_and_is_answered_without_a_body(hooked: Door) -> None:
    answer = from_google(hooked)
    assert (answer.status, answer.body) == (202, b"")
    assert due(hooked)
    assert hooked.woken == [NOW]


def test_a_notification_of_microsoft_wakes_its_link(hooked: Door) -> None:
    answer = from_microsoft(hooked, notice("unknown"), notice())
    assert (answer.status, answer.body) == (202, b"")
    assert due(hooked)


@pytest.mark.parametrize(
    ("channel", "token"),
    [("channel", "wrong"), ("channel", ""), ("", SECRET), ("unknown", SECRET), ("channel", SECRET + "x"), ("channel", SECRET * 100)],
)
def test_a167_without_the_secret_of_its_channel_nothing_happens_and_nobody_learns_why(hooked: Door, channel: str, token: str) -> None:
    known, unknown = from_google(hooked, channel, token), from_google(hooked, "nobody", "nothing")
    assert (known.status, known.body) == (unknown.status, unknown.body) == (202, b"")
    assert not due(hooked)
    assert hooked.woken == []


@pytest.mark.parametrize("secret", ["wrong", None, {"a": 1}, [SECRET], 5, "x" * 100_000, ""])
def test_a169_a_wrong_client_state_is_passed_over(hooked: Door, secret: Any) -> None:
    assert from_microsoft(hooked, notice(secret=secret)).status == 202
    assert not due(hooked)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[" * 100_000,
        "null",
        "5",
        '"value"',
        '{"value": 5}',
        '{"value": "text"}',
        '{"value": {"a": 1}}',
        '{"value": [null, 5, [], "x", {}]}',
        '{"value": [' + "1" * 5000 + "]}",
        b"\xff\xfe",
    ],
)
def test_a169_what_is_not_understood_is_passed_over(hooked: Door, body: Any) -> None:
    assert hooked.ask("POST", "/hooks/microsoft", body, Content_Type="application/json").status == 202
    assert not due(hooked)


def test_a169_two_thousand_notifications_in_one_body_are_no_trouble(hooked: Door) -> None:
    """A few hundred octets each, and they come in many pieces."""
    told = [notice()] + [notice(f"unknown-{number}", "x") for number in range(1200)]
    assert len(json.dumps(told)) < OCTETS
    assert from_microsoft(hooked, *told).status == 202
    assert due(hooked)


def test_a_body_that_is_too_long_is_refused(hooked: Door) -> None:
    answer = hooked.ask("POST", "/hooks/microsoft", "x" * (OCTETS + 1))
    assert answer.status == 413
    assert hooked.ask("POST", "/hooks/microsoft", "x" * OCTETS).status == 202


TOKEN = "Validation: Testing client application reachability for subscription Request-Id: 5 %2B / + ="


def test_a168_the_handshake_is_answered_with_its_own_words_as_plain_text(hooked: Door) -> None:
    answer = hooked.ask("POST", f"/hooks/microsoft?validationToken={quote(TOKEN)}")
    assert (answer.status, answer.text) == (200, TOKEN)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("token", ["%3Cscript%3Ealert(1)%3C/script%3E", "a%0d%0aX-Evil:%201", "x" * 5000, "%00"])
def test_a168_what_is_no_token_is_not_sent_back(hooked: Door, token: str) -> None:
    answer = hooked.ask("POST", f"/hooks/microsoft?validationToken={token}")
    assert answer.status == 400
    assert "script" not in answer.text
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(("event", "worn"), [("subscriptionRemoved", True), ("reauthorizationRequired", True), ("missed", False)])
def test_after_a_message_about_the_subscription_itself_it_is_renewed(hooked: Door, event: str, worn: bool) -> None:
    assert from_microsoft(hooked, notice(lifecycleEvent=event)).status == 202
    assert due(hooked)
    with hooked.store.read(DEMO) as snapshot:
        [channel] = snapshot.channels(LINK)
    assert planned(True, [channel], NOW).open is worn


def test_a_stranger_wears_no_subscription(hooked: Door) -> None:
    assert from_microsoft(hooked, notice(secret="wrong", lifecycleEvent="subscriptionRemoved")).status == 202
    with hooked.store.read(DEMO) as snapshot:
        assert [each.made for each in snapshot.channels(LINK)] == [NOW]


@pytest.mark.parametrize("hook", ["google", "microsoft"])
def test_hooks_take_nothing_but_post(hooked: Door, hook: str) -> None:
    for method in ("GET", "PUT", "DELETE", "PROPFIND"):
        assert hooked.ask(method, f"/hooks/{hook}?validationToken=x").status == 405


def test_a167_a_storm_wakes_the_link_once_and_others_go_on_being_answered(hooked: Door) -> None:
    """Forty programs ring at once; the workers are called far less often than that, and no ring is lost."""
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.extend(from_google(hooked, token=SECRET if n % 2 else "wrong").status for n in range(10)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    assert hooked.api("GET", "/settings").status == 200
    for thread in threads:
        thread.join()
    assert statuses == [202] * 100
    assert due(hooked)
    assert 1 <= len(hooked.woken) <= 50


def test_f19_a_ring_during_a_turn_causes_another_turn(hooked: Door) -> None:
    assert from_google(hooked).status == 202
    claim = hooked.store.claim(DEMO, AccountId("account"), NOW, NOW + timedelta(seconds=45))
    assert claim is not None
    hooked.store.finish(claim, NOW)
    assert not due(hooked)
    held = hooked.store.claim(DEMO, AccountId("account"), NOW, NOW + timedelta(seconds=45))
    assert held is not None
    assert from_google(hooked).status == 202
    hooked.store.finish(held, NOW)
    assert due(hooked)


def test_no_secret_of_a_channel_is_in_the_log(hooked: Door, capfd: pytest.CaptureFixture[str]) -> None:
    from_google(hooked)
    from_microsoft(hooked, notice(lifecycleEvent="missed"))
    out, err = capfd.readouterr()
    assert SECRET not in out + err
