"""Microsoft's identity platform: authorities, consents, refresh tokens that change, and applications of their own."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from gateway.fakes.microsoft.state import CONSUMERS
from tests.fakes.house import EMMA, GRAPH_SCOPES, IMMUTABLE, TAYLOR, Answered, GraphHouse, Line, graph_timed, path

BACK = "http://127.0.0.1:8080/connect/microsoft/callback"
RESOURCE = "https://graph.microsoft.com/.default"


@pytest.fixture
def house() -> GraphHouse:
    return GraphHouse()


def consent(house: GraphHouse, authority: str = "common", **wish: str) -> Answered:
    """What the browser gets at the consent page."""
    asked = {
        "client_id": house.microsoft.world.client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": " ".join(GRAPH_SCOPES),
        "state": "s&1",
        "approve": "auto",
        "login_hint": EMMA,
        **wish,
    }
    return Line(house.microsoft, "")("GET", f"/{authority}/oauth2/v2.0/authorize?{urlencode(asked)}")


def answers(answered: Answered) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answered.headers["Location"]).query).items()}


def redeemed(house: GraphHouse, answered: Answered, **fields: str) -> Answered:
    return house.token(grant_type="authorization_code", code=answers(answered)["code"], redirect_uri=BACK, **fields)


@pytest.mark.parametrize(
    ("authority", "login", "welcome"),
    [
        ("common", EMMA, True),
        ("common", TAYLOR, True),
        ("organizations", EMMA, True),
        ("organizations", TAYLOR, False),
        ("consumers", EMMA, False),
        ("consumers", TAYLOR, True),
        (CONSUMERS, TAYLOR, True),
        ("example.com", EMMA, True),
        ("example.com", TAYLOR, False),
    ],
)
def test_accounts_are_welcome_at_their_own_kind_of_authority(house: GraphHouse, authority: str, login: str, welcome: bool) -> None:
    answered = consent(house, authority, login_hint=login)
    assert answered.status == (302 if welcome else 400)
    if not welcome:
        assert b"AADSTS50020" in answered.reply.body


def test_a_tenant_that_does_not_exist_has_no_configuration(house: GraphHouse) -> None:
    line = Line(house.microsoft, "")
    assert line("GET", "/nowhere.example/v2.0/.well-known/openid-configuration").reason == "invalid_tenant"
    found = line("GET", "/common/v2.0/.well-known/openid-configuration").json
    assert found["issuer"] == "https://provider.example/{tenantid}/v2.0"
    assert found["token_endpoint"] == "https://provider.example/common/oauth2/v2.0/token"
    assert line("GET", "/common/discovery/v2.0/keys").json["keys"][0]["kty"] == "RSA"
    assert line("GET", "/common/discovery/instance").json["metadata"][0]["aliases"] == ["provider.example"]


def test_a_code_works_once_and_needs_its_verifier(house: GraphHouse) -> None:
    challenge, verifier = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    wish = {"code_challenge": challenge, "code_challenge_method": "S256"}
    assert redeemed(house, consent(house, **wish), code_verifier="x" * 43).reason == "invalid_grant"
    answered = consent(house, **wish)
    assert answers(answered)["state"] == "s&1"
    assert redeemed(house, answered, code_verifier=verifier).status == 200
    assert 54005 in redeemed(house, answered, code_verifier=verifier).json["error_codes"]


def test_a_refresh_token_is_replaced_when_it_is_used_and_dies(house: GraphHouse) -> None:
    first = redeemed(house, consent(house)).json["refresh_token"]
    second = house.token(grant_type="refresh_token", refresh_token=first).json["refresh_token"]
    assert second != first
    lost = house.token(grant_type="refresh_token", refresh_token=first)
    assert (lost.status, lost.reason) == (400, "invalid_grant")
    assert house.token(grant_type="refresh_token", refresh_token=second).status == 200


def test_with_grace_an_old_refresh_token_is_taken_once_more(house: GraphHouse) -> None:
    house.call.control("POST", "knobs", {"refresh_grace": True})
    first = redeemed(house, consent(house)).json["refresh_token"]
    second = house.token(grant_type="refresh_token", refresh_token=first).json["refresh_token"]
    assert house.token(grant_type="refresh_token", refresh_token=first).json["refresh_token"] == second
    assert house.token(grant_type="refresh_token", refresh_token=first).status == 400


def test_a_refresh_token_dies_of_silence_and_of_revocation_and_says_which(house: GraphHouse) -> None:
    old = redeemed(house, consent(house)).json["refresh_token"]
    house.clock.forward(days=91)
    assert 700082 in house.token(grant_type="refresh_token", refresh_token=old).json["error_codes"]
    fresh = redeemed(house, consent(house)).json
    house.call.control("POST", "revoke", {"account": EMMA})
    assert 50173 in house.token(grant_type="refresh_token", refresh_token=fresh["refresh_token"]).json["error_codes"]
    house.call.token = fresh["access_token"]
    assert house.call("GET", "/me").status == 401


def test_a_scope_nobody_consented_to_needs_consent(house: GraphHouse) -> None:
    refresh = house.microsoft.connect(EMMA, ["offline_access", "Calendars.Read"])
    answered = house.token(grant_type="refresh_token", refresh_token=refresh, scope="Calendars.ReadWrite")
    assert (answered.reason, answered.json["suberror"]) == ("invalid_grant", "consent_required")
    assert house.token(grant_type="refresh_token", refresh_token=refresh, scope="https://graph.microsoft.com/Calendars.Read").status == 200


def test_a_tenant_may_let_only_administrators_consent(house: GraphHouse) -> None:
    house.call.control("POST", "knobs", {"admin_required": True})
    refused = answers(consent(house))
    assert refused["error"] == "access_denied"
    assert "AADSTS90094" in refused["error_description"]
    assert consent(house, login_hint=TAYLOR).status == 302, "nobody administers a personal account"
    client = {"client_id": house.microsoft.world.client_id, "redirect_uri": BACK, "state": "a"}
    agreed = answers(Line(house.microsoft, "")("GET", f"/organizations/adminconsent?{urlencode(client)}"))
    assert (agreed["admin_consent"], agreed["tenant"]) == ("True", house.microsoft.world.tenant)
    assert "code" in answers(consent(house))


def test_the_page_asks_takes_a_no_and_can_post_its_answer(house: GraphHouse) -> None:
    assert EMMA in consent(house, approve="").reply.body.decode()
    client = house.microsoft.world.client_id
    asked = urlencode({"client_id": client, "redirect_uri": BACK, "response_type": "code", "scope": "User.Read", "state": "s"})
    denied = Line(house.microsoft, "").form("/common/oauth2/v2.0/decision", asked=asked, decision="deny", account=EMMA)
    assert answers(denied)["error"] == "access_denied"
    posted = consent(house, response_mode="form_post")
    assert posted.status == 200
    assert b'name="code"' in posted.reply.body


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"client_id": "somebody"}, 400, "unauthorized_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": "made-up"}, 400, "invalid_grant"),
    ],
)
def test_the_token_endpoint_says_what_is_wrong_in_oauths_words_and_entras_numbers(
    house: GraphHouse, fields: dict[str, str], status: int, reason: str
) -> None:
    answered = house.token(**{"grant_type": "authorization_code", "code": "x", "redirect_uri": BACK, **fields})
    assert (answered.status, answered.reason) == (status, reason)
    assert answered.json["error_description"].startswith(f"AADSTS{answered.json['error_codes'][0]}: ")


# Applications of their own


def application(house: GraphHouse) -> Line:
    answered = house.token(house.microsoft.world.tenant, grant_type="client_credentials", scope=RESOURCE)
    assert answered.status == 200, answered.json
    assert "refresh_token" not in answered.json
    return Line(house.microsoft, "/v1.0", answered.json["access_token"])


def test_an_application_enters_the_mailboxes_of_its_tenant_and_is_nobody_itself(house: GraphHouse) -> None:
    line = application(house)
    for login in (EMMA, "juan.sanchez@example.com"):
        assert line("POST", path("users", login, "events"), graph_timed()).status == 201
    assert line("GET", "/me/events").status == 400
    assert line("GET", path("users", TAYLOR, "events")).status == 404, "another tenant's"
    link = line(
        "GET",
        path("users", EMMA, "calendarView") + "/delta",
        None,
        {"Prefer": IMMUTABLE},
        startDateTime="2026-03-01",
        endDateTime="2026-04-01",
    )
    assert len(link.json["value"]) == 1


def test_an_application_may_be_held_to_some_mailboxes_or_have_no_permission_at_all(house: GraphHouse) -> None:
    house.call.control("POST", "knobs", {"app_mailboxes": [EMMA]})
    line = application(house)
    assert line("GET", path("users", EMMA, "events")).status == 200
    assert line("GET", path("users", "juan.sanchez@example.com", "events")).status == 403
    house.call.control("POST", "knobs", {"app_only": False})
    assert application(house)("GET", path("users", EMMA, "events")).status == 403


def test_an_application_needs_a_tenant_and_the_default_scope(house: GraphHouse) -> None:
    assert house.token("common", grant_type="client_credentials", scope=RESOURCE).reason == "invalid_request"
    assert house.token("example.com", grant_type="client_credentials", scope="Calendars.ReadWrite").reason == "invalid_scope"


def test_an_access_token_lasts_an_hour(house: GraphHouse) -> None:
    house.clock.forward(hours=1)
    assert house.call("GET", "/me").reason == "InvalidAuthenticationToken"
    assert Line(house.microsoft, "/v1.0")("GET", "/me").status == 401
