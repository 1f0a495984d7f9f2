"""Accounts at Microsoft: kinds, consents, and refresh tokens that change whenever they are used (bridge.md §3.7)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from gateway.bridge.graph import GraphHouse
from gateway.bridge.remote import Disconnected, Grant, RemoteError, Unreachable
from gateway.bridge.sending import Answer
from gateway.links import Provider
from tests.bridge.contract import BACK, DAY, HOUR, KEY, NOW, VERIFIER, Kept, Setting, owned, pages
from tests.bridge.graph.conftest import JOHN, TAYLOR, housed
from tests.bridge.graph.wires import exchange, opened, problem, telling


def house(setting: Setting, provider: Provider, authority: str = "common") -> GraphHouse:
    return housed(telling(setting), setting.clock, provider=provider, authority=authority)


def code(setting: Setting, made: GraphHouse, login: str, authority: str = "") -> str:
    """What a person's browser brings back; `authority`: they signed in at another one."""
    address = made.consent(state="s", verifier=VERIFIER, redirect=BACK, login=login)
    if authority:
        address = address.replace("/organizations/", f"/{authority}/").replace("/consumers/", f"/{authority}/")
    status, headers, page = telling(setting)("GET", address + "&approve=auto", {}, None)
    assert status == 302, page
    return dict(parse_qsl(urlsplit(headers["location"]).query))["code"]


def granted(setting: Setting, made: GraphHouse, login: str, authority: str = "") -> Grant:
    return made.redeem(code=code(setting, made, login, authority), verifier=VERIFIER, redirect=BACK, now=NOW)


def newest(setting: Setting) -> str:
    return exchange(setting).world.grants[-1].refresh


@pytest.mark.parametrize(("provider", "login"), [(Provider.OFFICE365, JOHN), (Provider.OUTLOOK, TAYLOR)])
def test_each_kind_of_account_has_a_button_of_its_own(setting: Setting, provider: Provider, login: str) -> None:
    made = house(setting, provider)
    grant = granted(setting, made, login)
    assert grant.login == login
    kept = Kept(grant.credential)
    calendar = made.make_calendar(kept, "Salon", "Europe/Paris", NOW)
    remote = made.open(kept, link="l", calendar=calendar.id, mark="m", zone="Europe/Paris", calls=lambda kind: None)
    assert remote.create(KEY, owned()).owned == owned()


@pytest.mark.parametrize(
    ("provider", "login", "button"), [(Provider.OFFICE365, TAYLOR, "“Outlook.com”"), (Provider.OUTLOOK, JOHN, "“Microsoft 365”")]
)
def test_the_wrong_kind_of_account_hears_which_button_is_its_own(setting: Setting, provider: Provider, login: str, button: str) -> None:
    made = house(setting, provider)
    with pytest.raises(Disconnected, match=button) as caught:
        granted(setting, made, login, authority="common")
    assert not caught.value.admin


def test_one_organisation_alone_may_be_configured_for_work_accounts(setting: Setting) -> None:
    """An app that is registered for one organisation may not be used at "organizations"."""
    tenant = exchange(setting).world.tenant
    made = house(setting, Provider.OFFICE365, tenant)
    assert f"/{tenant}/oauth2" in made.consent(state="s", verifier=VERIFIER, redirect=BACK)
    assert granted(setting, made, JOHN).login == JOHN
    personal = house(setting, Provider.OUTLOOK, tenant)
    assert "/consumers/oauth2" in personal.consent(state="s", verifier=VERIFIER, redirect=BACK)


def test_the_least_that_is_needed_is_asked_for(setting: Setting) -> None:
    asked = parse_qs(urlsplit(setting.house.consent(state="s", verifier=VERIFIER, redirect=BACK, login=JOHN)).query)
    assert asked["scope"] == ["openid profile offline_access Calendars.ReadWrite User.Read"]
    assert (asked["response_type"], asked["login_hint"]) == (["code"], [JOHN])


def test_a_consent_that_does_not_reach_appointments_is_explained(setting: Setting) -> None:
    made = house(setting, Provider.OFFICE365)
    found = code(setting, made, JOHN)
    exchange(setting).world.codes[found]["scopes"].remove("Calendars.ReadWrite")
    with pytest.raises(Disconnected, match="accept everything"):
        made.redeem(code=found, verifier=VERIFIER, redirect=BACK, now=NOW)


def test_an_identity_for_another_consent_or_another_app_is_not_believed(setting: Setting) -> None:
    """The library no longer looks at whom the token is for."""
    made = house(setting, Provider.OFFICE365)
    found = code(setting, made, JOHN)
    exchange(setting).world.codes[found]["nonce"] = "another"
    with pytest.raises(RemoteError):
        made.redeem(code=found, verifier=VERIFIER, redirect=BACK, now=NOW)
    found = code(setting, made, JOHN)
    told = telling(setting)

    def other_app(method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        status, answered, content = told(method, address, headers, body)
        if address.endswith("/token"):
            answer: dict[str, Any] = json.loads(content)
            head, claims, tail = answer["id_token"].split(".")
            read = json.loads(base64.urlsafe_b64decode(claims + "=="))
            forged = base64.urlsafe_b64encode(json.dumps(read | {"aud": "another"}).encode()).decode().rstrip("=")
            content = json.dumps(answer | {"id_token": f"{head}.{forged}.{tail}"}).encode()
        return status, answered, content

    made._office = type(made._office)(
        send=other_app,
        client_id=made._office.client_id,
        client_secret=made._office.client_secret,
        place=made._office.place,
        tenant=made._office.tenant,
        discovery=False,
    )
    with pytest.raises(Disconnected):
        made.redeem(code=found, verifier=VERIFIER, redirect=BACK, now=NOW)


def test_an_administrator_who_has_to_agree_is_said_with_the_address(setting: Setting) -> None:
    made = house(setting, Provider.OFFICE365)
    for error in ("invalid_grant", "access_denied"):
        telling(setting).instead = lambda method, path, error=error: (  # type: ignore[misc]
            (400, {}, json.dumps({"error": error, "error_description": "AADSTS90094: The grant requires admin permission."}).encode())
            if path.endswith("/token")
            else None
        )
        with pytest.raises(Disconnected, match=r"https://provider\.example/organizations/adminconsent") as caught:
            made.redeem(code="x", verifier=VERIFIER, redirect=BACK, now=NOW)
        assert caught.value.admin


@pytest.mark.parametrize(
    ("status", "error", "description", "said"),
    [
        (401, "invalid_client", "AADSTS7000215: Invalid client secret provided.", "client id and secret"),
        (400, "unauthorized_client", "AADSTS700016: Application was not found.", "client id and secret"),
        (400, "invalid_request", "AADSTS50194: Application is not configured as a multi-tenant application.", "client id and secret"),
        (400, "invalid_grant", "AADSTS50020: User account does not exist in tenant.", "button"),
        (400, "invalid_grant", "AADSTS50173: The grant has expired.", "connect again"),
        (400, "interaction_required", "AADSTS50076: You must use multi-factor authentication.", "connect again"),
    ],
)
def test_what_went_wrong_with_a_consent_is_said_with_what_to_do(
    setting: Setting, status: int, error: str, description: str, said: str
) -> None:
    answer = status, {}, json.dumps({"error": error, "error_description": description}).encode()
    telling(setting).instead = lambda method, path: answer if path.endswith("/token") else None
    with pytest.raises(Disconnected, match=said):
        setting.house.redeem(code="x", verifier=VERIFIER, redirect=BACK, now=NOW)


def test_a_refresh_token_that_was_used_is_dead_and_its_successor_kept_at_once(setting: Setting) -> None:
    before = newest(setting)
    setting.clock.forward(2 * HOUR)
    pages(setting.open())
    after = newest(setting)
    assert before != after
    assert len(setting.kept.history) == 1
    assert after in setting.kept.credential.decode()
    assert before not in setting.kept.credential.decode()


def test_it_is_kept_before_anything_is_done_with_it(setting: Setting) -> None:
    """A crash in between loses the connection (bridge.md §4, 43)."""
    setting.clock.forward(2 * HOUR)
    seen: list[bool] = []
    wire = telling(setting)
    wire.instead = lambda method, path: seen.append(newest(setting) in setting.kept.credential.decode()) if "/v1.0/" in path else None  # type: ignore[func-returns-value]
    pages(setting.open())
    assert seen == [True]


def test_one_renewal_serves_every_turn_for_an_hour(setting: Setting) -> None:
    setting.clock.forward(2 * HOUR)
    for _ in range(5):
        pages(setting.open())
        setting.clock.forward(HOUR / 6)
    assert len(setting.kept.history) == 1


def test_a_crash_before_the_new_token_is_kept_ends_visibly(setting: Setting) -> None:
    """The old one is dead, the new one lost: never silence (I17)."""
    setting.clock.forward(2 * HOUR)
    setting.fault("POST /token", "reset")
    with pytest.raises(Unreachable):
        pages(setting.open())
    with pytest.raises(Disconnected, match="connect the account again"):
        pages(setting.open())


@dataclass
class Shared(Kept):
    """A vault in which another worker keeps a newer credential as soon as ours has been read."""

    newer: bytes = b""
    reads: int = 0
    seen: list[bytes] = field(default_factory=list)

    def read(self) -> bytes:
        self.reads += 1
        if self.reads == 3:
            self.credential = self.newer
        return self.credential


def test_another_workers_successor_is_taken_up(setting: Setting) -> None:
    """keeper.sh#881: whoever comes second adopts what the first one kept, and does not fail."""
    old = setting.kept.credential
    setting.clock.forward(2 * HOUR)
    pages(setting.open())
    shared = Shared(old, newer=setting.kept.credential)
    calls: list[str] = []
    remote = setting.house.open(shared, link="link", calendar=setting.calendar, mark="demo", zone="Europe/Paris", calls=calls.append)
    assert remote.find(KEY) is None
    assert newest(setting) in shared.credential.decode()


def test_a_refused_token_is_not_thrown_away(setting: Setting) -> None:
    """A refusal by mistake heals by itself with the hourly probe (bridge.md §4, 42)."""
    setting.clock.forward(2 * HOUR)
    before = setting.kept.credential
    setting.fault("POST /token", "status:400")
    refused = 400, {}, json.dumps({"error": "invalid_grant", "error_description": "AADSTS70000: It is not valid."}).encode()
    telling(setting).instead = lambda method, path: refused if path.endswith("/token") else None
    with pytest.raises(Disconnected):
        pages(setting.open())
    assert setting.kept.credential == before
    telling(setting).instead = None
    setting.fake.faults.rules.clear()
    assert pages(setting.open())[-1].full


@pytest.mark.parametrize("why", ["revoked", "idle"])
def test_an_access_that_has_ended_is_told_as_such(setting: Setting, why: str) -> None:
    if why == "revoked":
        setting.control("revoke", account=JOHN)
    setting.clock.forward(91 * DAY)
    with pytest.raises(Disconnected, match="connect the account again"):
        pages(setting.open())


def test_an_access_that_ends_within_an_hour_is_told_as_such(setting: Setting) -> None:
    """Continuous access evaluation: the access token is refused before its time, and no other one is given."""
    setting.control("revoke", account=JOHN)
    with pytest.raises(Disconnected):
        pages(setting.open())


@pytest.mark.parametrize("part", ["openid-configuration", "/token"])
@pytest.mark.parametrize(
    "answer",
    [
        problem(500, "x"),
        (200, {}, b"{"),
        (200, {}, b"[]"),
        (200, {}, b""),
        (200, {}, b"<html>Sign in</html>"),
        (200, {}, b"{}"),
        (302, {}, b""),
    ],
    ids=["500", "half", "list", "nothing", "portal", "empty", "302"],
)
def test_an_identity_platform_that_is_not_itself_costs_no_access(setting: Setting, part: str, answer: Answer) -> None:
    setting.clock.forward(2 * HOUR)
    before = setting.kept.credential
    telling(setting).instead = lambda method, path: answer if path.endswith(part) else None
    with pytest.raises(Unreachable):
        pages(setting.open())
    assert setting.kept.credential == before


def test_no_credential_is_in_any_sentence(setting: Setting) -> None:
    setting.control("revoke", account=JOHN)
    setting.clock.forward(2 * HOUR)
    with pytest.raises(Disconnected) as caught:
        pages(setting.open())
    text = f"{caught.value!r} {caught.value.__cause__!r}"
    secrets = [exchange(setting).world.client_secret, *exchange(setting).world.dead]
    assert not [each for each in secrets if each in text]


def test_instance_discovery_is_asked_for_only_where_it_is_wished(setting: Setting) -> None:
    fake = exchange(setting)
    for wished in (True, False):
        made = GraphHouse(
            Provider.OFFICE365,
            telling(setting),
            client_id=fake.world.client_id,
            client_secret=fake.world.client_secret,
            authority="https://provider.example/common",
            instance_discovery=wished,
            graph_url="https://provider.example/v1.0",
            clock=setting.clock,
        )
        before = len(telling(setting).sent)
        found = code(setting, made, JOHN)
        if wished:  # the library asks Microsoft itself, whoever the authority is: nothing may leave this machine in a test
            telling(setting).cut = lambda number, method, address: _stop(address)
        try:
            made.redeem(code=found, verifier=VERIFIER, redirect=BACK, now=NOW)
        except Unreachable:
            assert wished
        asked = [address for _, address in telling(setting).sent[before:] if "/discovery/instance" in address]
        assert bool(asked) == wished
        telling(setting).cut = None


def _stop(address: str) -> None:
    if not address.startswith("https://provider.example/"):
        raise OSError(address)


def test_a_calendar_of_that_name_is_taken_and_not_made_twice(setting: Setting) -> None:
    """Names are unique in a mailbox; a call that was made and never answered made it (bridge.md §4, 16)."""
    setting.fault("POST /calendars", "reset")
    with pytest.raises(Unreachable):
        setting.house.make_calendar(setting.kept, "Salon", "Europe/Paris", NOW)
    made = setting.house.make_calendar(setting.kept, "Salon", "Europe/Paris", NOW)
    assert [each.title for each in setting.house.calendars(setting.kept, NOW)].count("Salon") == 1
    assert opened(setting, made.id).find(KEY) is None


def test_the_id_of_a_new_calendar_is_the_one_that_the_list_has(setting: Setting) -> None:
    """The one in the first answer has been seen to differ."""

    def hasty(method: str, path: str) -> Answer | None:
        if method != "POST" or not path.endswith("/calendars"):
            return None
        setting.act("calendar", title="Salon")
        return 201, {}, json.dumps({"id": "early", "name": "Salon"}).encode()

    telling(setting).instead = hasty
    made = setting.house.make_calendar(setting.kept, "Salon", "Europe/Paris", NOW)
    assert made.id != "early"
    assert opened(setting, made.id).create(KEY, owned()).owned == owned()


def test_calendars_are_read_to_their_last_page(setting: Setting) -> None:
    onward = "https://provider.example/v1.0/me/calendars?$skip=1"

    def split(path: str, answer: Any) -> Any:
        first = "$top" in telling(setting).sent[-1][1]
        return {"value": answer["value"][:1], "@odata.nextLink": onward} if first else {"value": answer["value"][1:]}

    telling(setting).mangle = split
    assert [each.title for each in setting.house.calendars(setting.kept, NOW)] == ["Calendar", "Appointments"]
