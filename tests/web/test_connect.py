"""Connecting a calendar through the front door: from REST or a page to the provider's own consent page, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.links import Access, Provider, Standing
from tests.web.elsewhere import DEMO, LOGIN, Elsewhere, reachable, switched_on
from tests.web.house import JOHN, SETUP
from tests.web.site.people import JOHNS, Visitor, welcome

EVERY = pytest.mark.parametrize("provider", list(Provider))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    with reachable(tmp_path) as elsewhere:
        yield elsewhere


@EVERY
def test_a_calendar_is_connected_from_rest_by_the_providers_own_page(elsewhere: Elsewhere, provider: Provider) -> None:
    back = elsewhere.agree(elsewhere.begin(provider), LOGIN[provider])
    answer = elsewhere.back(provider, back)
    assert answer.status == 200, answer.text
    assert "Your calendar is connected" in answer.text
    [link], [account] = elsewhere.links(), elsewhere.accounts()
    assert (link.staff, link.standing) == (JOHN.id, Standing.ACTIVE)
    assert (account.provider, account.login, account.access) == (provider, LOGIN[provider], Access.OK)
    assert elsewhere.door.woken  # the workers fill it at once
    assert elsewhere.fakes.google.provider.mails == elsewhere.fakes.microsoft.provider.mails == []


@EVERY
def test_a160_a_state_is_good_once_and_says_what_to_do(elsewhere: Elsewhere, provider: Provider) -> None:
    back = elsewhere.agree(elsewhere.begin(provider), LOGIN[provider])
    assert elsewhere.back(provider, back).status == 200
    again = elsewhere.back(provider, back)
    assert again.status == 400
    assert "Please begin again" in again.text
    assert len(elsewhere.links()) == 1


@pytest.mark.parametrize(
    "query", [{}, {"code": "c"}, {"state": "s"}, {"state": "s" * 5000, "code": "c"}, {"state": "\u0000", "code": "<script>"}]
)
def test_a160_without_a_state_of_ours_nothing_is_linked(elsewhere: Elsewhere, query: dict[str, str]) -> None:
    answer = elsewhere.back(Provider.GOOGLE, query)
    assert answer.status == 400
    assert "<script>" not in answer.text
    assert elsewhere.links() == []


def test_a160_ten_minutes_later_it_is_too_late(elsewhere: Elsewhere) -> None:
    back = elsewhere.agree(elsewhere.begin(Provider.GOOGLE))
    with elsewhere.door.store.write(DEMO, SETUP) as tx:
        tx.begin_consent(
            "old", JOHN.id, Provider.GOOGLE, b"", primary=False, back="", expires=elsewhere.door.clock.now, now=elsewhere.door.clock.now
        )
    assert elsewhere.back(Provider.GOOGLE, {**back, "state": "old"}).status == 400
    assert elsewhere.links() == []


def test_a162_a_code_of_one_provider_is_nothing_at_the_others_door(elsewhere: Elsewhere) -> None:
    back = elsewhere.agree(elsewhere.begin(Provider.GOOGLE))
    assert elsewhere.back(Provider.OFFICE365, back).status == 400
    assert elsewhere.links() == []


def test_a161_a_code_goes_with_the_verifier_it_was_asked_with(elsewhere: Elsewhere) -> None:
    stolen = elsewhere.agree(elsewhere.begin(Provider.GOOGLE))
    mine = elsewhere.agree(elsewhere.begin(Provider.GOOGLE))
    answer = elsewhere.back(Provider.GOOGLE, {**mine, "code": stolen["code"]})
    assert answer.status == 400
    assert "connect again" in answer.text
    assert elsewhere.links() == []


def test_whoever_says_no_reads_that_nothing_has_changed(elsewhere: Elsewhere) -> None:
    back = elsewhere.decline(elsewhere.begin(Provider.GOOGLE))
    assert back["error"] == "access_denied"
    answer = elsewhere.back(Provider.GOOGLE, back)
    assert answer.status == 400
    assert "You have not agreed, so nothing has changed" in answer.text
    assert elsewhere.links() == []
    assert elsewhere.back(Provider.GOOGLE, back).status == 400  # the state is used up
    assert "finished already" in elsewhere.back(Provider.GOOGLE, back).text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "You have not agreed"),
        ("consent_required", "Ask the administrator of your organisation"),
        ("temporarily_unavailable", "Please try again"),
        ("<script>alert(1)</script>", "Please try again"),
    ],
)
def test_every_error_of_a_provider_is_a_sentence_with_a_next_step(elsewhere: Elsewhere, error: str, said: str) -> None:
    state = parse_qs(urlsplit(elsewhere.begin(Provider.OFFICE365)).query)["state"][0]
    answer = elsewhere.back(Provider.OFFICE365, {"state": state, "error": error, "error_description": "<b>no</b>"})
    assert answer.status == 400
    assert said in answer.text
    assert "<script>" not in answer.text
    assert "<b>no</b>" not in answer.text


def test_the_page_is_in_the_readers_language(elsewhere: Elsewhere) -> None:
    back = elsewhere.agree(elsewhere.begin(Provider.GOOGLE))
    answer = elsewhere.back(Provider.GOOGLE, back, Accept_Language="fr")
    assert '<html lang="fr">' in answer.text


def test_the_browser_goes_on_where_it_was_begun(elsewhere: Elsewhere) -> None:
    back = elsewhere.agree(elsewhere.begin(Provider.GOOGLE, back="/me"))
    answer = elsewhere.back(Provider.GOOGLE, back)
    [account] = elsewhere.accounts()
    assert (answer.status, answer.headers["location"]) == (303, f"/me/calendars/{account.id}?said=connected")
    again = elsewhere.back(Provider.GOOGLE, elsewhere.agree(elsewhere.begin(Provider.GOOGLE, back="/me")))
    assert (again.status, again.headers["location"]) == (303, "/me?said=connected")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_a164_it_goes_on_nowhere_else(elsewhere: Elsewhere, path: str) -> None:
    answer = elsewhere.door.api("POST", "/links", {"staff": "john", "provider": "google", "back": path})
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "back"


def test_s24_a_provider_that_is_switched_off_is_not_begun_with(elsewhere: Elsewhere) -> None:
    switched_on(elsewhere.door.store, google=False)
    answer = elsewhere.door.api("POST", "/links", {"staff": "john", "provider": "google"})
    assert answer.status == 409
    assert "An administrator can switch it on" in answer.json["detail"]


def test_an_administrator_who_agrees_for_the_organisation_is_told_its_number(elsewhere: Elsewhere) -> None:
    tenant = elsewhere.fakes.microsoft.tenant
    answer = elsewhere.back(Provider.OFFICE365, {"admin_consent": "True", "tenant": tenant, "state": "s"})
    assert answer.status == 200
    assert tenant in answer.text
    assert elsewhere.links() == []  # nothing is changed by an address that anybody can type


@pytest.mark.parametrize(
    "query", [{"tenant": ""}, {"tenant": "<script>alert(1)</script>"}, {"tenant": "x" * 36}, {"error": "access_denied", "tenant": "0" * 36}]
)
def test_an_administrator_who_does_not_agree_reads_that_nothing_has_changed(elsewhere: Elsewhere, query: dict[str, str]) -> None:
    answer = elsewhere.back(Provider.OFFICE365, {"admin_consent": "True", **query})
    assert answer.status == 400
    assert "nothing has changed" in answer.text
    assert "<script>" not in answer.text


@pytest.fixture
def john(elsewhere: Elsewhere) -> Visitor:
    welcome(elsewhere.door.store)
    visitor = Visitor(elsewhere.door)
    assert visitor.sign_in(JOHNS).status == 303
    return visitor


def consent_cookie(answer_headers: str) -> str:
    found = re.search(r"__Host-gateway-consent=([^;]+)", answer_headers)
    assert found is not None, answer_headers
    return f"__Host-gateway-consent={found[1]}"


def test_from_the_own_page_only_the_same_browser_comes_back(elsewhere: Elsewhere, john: Visitor) -> None:
    sent = john.fill("/me", {"provider": "google"}, to="/me/connect")
    assert sent.status == 303
    cookie = consent_cookie(sent.headers["set-cookie"])
    assert "HttpOnly" in sent.headers["set-cookie"]
    assert "Secure" in sent.headers["set-cookie"]
    back = elsewhere.agree(sent.headers["location"])
    assert elsewhere.back(Provider.GOOGLE, back).status == 400  # the victim of a link somebody sent
    assert elsewhere.links() == []
    assert elsewhere.back(Provider.GOOGLE, back, Cookie=cookie).headers["location"].endswith("?said=connected")
    assert len(elsewhere.links()) == 1


def test_no_secret_of_a_consent_is_in_the_log(elsewhere: Elsewhere, capfd: pytest.CaptureFixture[str]) -> None:
    back = elsewhere.agree(elsewhere.begin(Provider.GOOGLE))
    assert elsewhere.back(Provider.GOOGLE, back).status == 200
    out, err = capfd.readouterr()
    for secret in (back["state"], back["code"]):
        assert secret not in out + err
