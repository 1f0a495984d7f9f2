"""Signing in through an identity provider: whoever it vouches for and is known here gets in, and nothing that only looks like it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.bridge.sending import sender
from gateway.oidc import Provider
from gateway.seal import Seal
from tests.dav.test_tokens import STRANGER
from tests.journey.wire import Answer
from tests.web.house import Door, built, opened
from tests.web.site.issuer import CLIENT, SECRET, Issuer, running
from tests.web.site.people import BOSS, JOHNS, Visitor, welcome


@pytest.fixture(scope="module")
def running_issuer() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def issuer(running_issuer: Issuer) -> Issuer:
    vars(running_issuer).update(vars(Issuer(url=running_issuer.url, email=JOHNS.email)))
    return running_issuer


@pytest.fixture
def door(tmp_path: Path, issuer: Issuer) -> Iterator[Door]:
    provider = Provider(
        issuer=issuer.url,
        client_id=CLIENT,
        client_secret=SECRET,
        redirect="https://calendar.example.com/sign-in/oidc/callback",
        claim="email",
        send=sender(seconds=5.0),
    )
    with built(tmp_path) as store:
        welcome(store)
        with opened(store, identity=provider) as door:
            issuer.now = door.clock.now.timestamp()
            yield door


class Browser:
    """Keeps the cookie it was sent away with."""

    def __init__(self, door: Door) -> None:
        self.door, self.cookie, self.location = door, "", ""

    def leave(self, path: str = "/sign-in/oidc") -> Answer:
        answer = self.door.ask("GET", path, Accept="text/html")
        self.location = answer.headers.get("location", "")
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer

    def come_back(self, code: str, state: str) -> Answer:
        return self.door.ask("GET", f"/sign-in/oidc/callback?code={code}&state={state}", Accept="text/html", Cookie=self.cookie)


@pytest.fixture
def browser(door: Door) -> Browser:
    return Browser(door)


def refused(answer: Answer, status: int, sentence: str) -> None:
    assert answer.status == status
    assert sentence in answer.text
    assert "gateway-session" not in answer.headers.get("set-cookie", "")
    assert 'name="password"' in answer.text


def test_the_way_there_and_back_signs_in(browser: Browser, issuer: Issuer) -> None:
    assert "Sign in with your company" in browser.door.ask("GET", "/sign-in", Accept="text/html").text
    answer = browser.leave()
    assert answer.status == 303
    assert "HttpOnly" in answer.headers["set-cookie"]
    answer = browser.come_back(*issuer.consent(browser.location))
    assert (answer.status, answer.headers["location"]) == (303, "/me")
    found = re.match(r"__Host-gateway-session=([^;]*)", answer.headers["set-cookie"])
    assert found is not None
    visitor = Visitor(browser.door, cookie=found[1])
    assert JOHNS.name in visitor.get("/me").text
    [(_, headers, body)] = [seen for seen in issuer.seen if seen[0] == "POST /token"]
    assert headers["authorization"].startswith("Basic ")
    assert "client_secret" not in body


def test_the_page_that_was_wanted_is_shown(browser: Browser, issuer: Issuer) -> None:
    issuer.email = BOSS.email
    browser.leave("/sign-in/oidc?next=/health")
    assert browser.come_back(*issuer.consent(browser.location)).headers["location"] == "/health"
    browser.leave("/sign-in/oidc?next=https://evil.example/")
    assert browser.come_back(*issuer.consent(browser.location)).headers["location"].startswith("/settings/")


def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(browser: Browser, issuer: Issuer) -> None:
    issuer.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    browser.leave()
    assert browser.come_back(*issuer.consent(browser.location)).status == 303
    [(_, headers, body)] = [seen for seen in issuer.seen if seen[0] == "POST /token"]
    assert "authorization" not in headers
    assert "client_secret=not%3Aa+secret%2Freally" in body


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody else"},
        {"aud": [CLIENT, "somebody else"], "azp": "somebody else"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 0},
        {"email": None},
        {"email": "no address"},
        {"email_verified": False},
    ],
    ids=str,
)
def test_an_identity_that_is_not_right_opens_nothing(browser: Browser, issuer: Issuer, claims: dict[str, Any]) -> None:
    issuer.claims = claims
    browser.leave()
    refused(browser.come_back(*issuer.consent(browser.location)), 400, "could not vouch for you")


def test_an_identity_signed_by_a_stranger_opens_nothing(browser: Browser, issuer: Issuer) -> None:
    issuer.key = STRANGER
    browser.leave()
    refused(browser.come_back(*issuer.consent(browser.location)), 400, "could not vouch for you")


def test_an_access_token_is_no_identity(browser: Browser, issuer: Issuer) -> None:
    issuer.head = {"typ": "at+jwt"}
    browser.leave()
    refused(browser.come_back(*issuer.consent(browser.location)), 400, "could not vouch for you")


@pytest.mark.parametrize("metadata", [{"issuer": "https://evil.example"}, {"token_endpoint": "ftp://x"}, {"authorization_endpoint": None}])
def test_metadata_of_somebody_else_are_not_believed(browser: Browser, issuer: Issuer, metadata: dict[str, Any]) -> None:
    browser.leave()
    code, state = issuer.consent(browser.location)
    issuer.metadata = metadata
    answer = browser.leave() if "authorization_endpoint" in metadata else browser.come_back(code, state)
    refused(answer, 400, "could not vouch for you")


def test_a_code_works_once_and_only_in_the_browser_that_left(browser: Browser, issuer: Issuer) -> None:
    browser.leave()
    code, state = issuer.consent(browser.location)
    thief = Browser(browser.door)
    refused(thief.come_back(code, state), 400, "begun in another browser")
    thief.leave()
    refused(thief.come_back(code, state), 400, "could not vouch for you")  # another state
    assert browser.come_back(code, state).status == 303
    refused(browser.come_back(code, state), 400, "could not vouch for you")


def test_whoever_takes_too_long_begins_anew(browser: Browser, issuer: Issuer) -> None:
    browser.leave()
    code, state = issuer.consent(browser.location)
    browser.door.clock.now += timedelta(minutes=10)
    refused(browser.come_back(code, state), 400, "took too long")


def test_a_cookie_that_we_have_not_sealed_is_none(browser: Browser, issuer: Issuer) -> None:
    browser.leave()
    code, state = issuer.consent(browser.location)
    for forged in ("x", Seal("B" * 42 + "A=").seal(b"{}").decode()):
        browser.cookie = f"__Host-gateway-identity={forged}"
        refused(browser.come_back(code, state), 400, "took too long")


def test_somebody_unknown_is_told_what_to_do(browser: Browser, issuer: Issuer) -> None:
    issuer.email = "stranger@example.com"
    browser.leave()
    refused(browser.come_back(*issuer.consent(browser.location)), 403, "stranger@example.com is not known here. Ask an administrator")


def test_whoever_does_not_agree_is_told_so(browser: Browser) -> None:
    browser.leave()
    answer = browser.door.ask("GET", "/sign-in/oidc/callback?error=access_denied&state=x", Accept="text/html", Cookie=browser.cookie)
    refused(answer, 400, "You have not signed in there")


def test_a_provider_that_is_down_leaves_the_password(browser: Browser, issuer: Issuer) -> None:
    issuer.status = 503
    refused(browser.leave(), 503, "does not answer")


def test_without_a_provider_nothing_is_offered(tmp_path: Path) -> None:
    with built(tmp_path) as store, opened(store) as door:
        assert "/sign-in/oidc" not in door.ask("GET", "/sign-in", Accept="text/html").text
        assert door.ask("GET", "/sign-in/oidc", Accept="text/html").status == 404
