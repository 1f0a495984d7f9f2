"""Google's watch channels, quotas and consents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests.fakes.house import APP_CREATED, CALENDAR, JOHN, Answered, GoogleHouse, Line

LIST = "/calendars/primary/events"
HOOK = "http://127.0.0.1:9/hooks/google"
BACK = "http://127.0.0.1:8080/connect/google/callback"


@pytest.fixture
def house() -> GoogleHouse:
    return GoogleHouse()


def watch(house: GoogleHouse, **body: Any) -> Answered:
    return house.call("POST", f"{LIST}/watch", {"id": "channel-1", "type": "web_hook", "address": HOOK, "token": "secret", **body})


def states(house: GoogleHouse) -> list[str]:
    return [outgoing.headers["X-Goog-Resource-State"] for outgoing in house.google.take_outbox()]


def test_a_channel_begins_with_sync_and_tells_of_changes_without_a_body(house: GoogleHouse) -> None:
    opened = watch(house).json
    house.call.act(JOHN, "create", title="x", start="2026-03-02T10:00:00")
    first, second = house.google.take_outbox()
    assert (first.url, first.body, second.body) == (HOOK, b"", b"")
    assert first.headers["X-Goog-Resource-State"] == "sync"
    assert first.headers["X-Goog-Message-Number"] == "1"
    assert second.headers["X-Goog-Resource-State"] == "exists"
    assert int(second.headers["X-Goog-Message-Number"]) > 1
    assert second.headers["X-Goog-Channel-ID"] == "channel-1"
    assert second.headers["X-Goog-Channel-Token"] == "secret"
    assert second.headers["X-Goog-Resource-ID"] == opened["resourceId"]
    assert second.headers["X-Goog-Resource-URI"] == opened["resourceUri"]
    assert second.headers["X-Goog-Channel-Expiration"].endswith("GMT")


def test_without_a_token_there_is_nothing_to_tell_a_message_from_a_forgery(house: GoogleHouse) -> None:
    watch(house, token="")
    [first] = house.google.take_outbox()
    assert "X-Goog-Channel-Token" not in first.headers


def test_the_life_of_a_channel_is_googles_choice_and_ends_silently(house: GoogleHouse) -> None:
    opened = watch(house, params={"ttl": str(90 * 86400)}).json
    assert isinstance(opened["expiration"], str)
    assert int(opened["expiration"]) == int((house.clock.now + timedelta(days=30)).timestamp() * 1000)
    watch(house, id="channel-2", params={"ttl": "3600"})
    house.clock.forward(hours=2)
    states(house)
    house.call.act(JOHN, "create", title="x", start="2026-03-02T10:00:00")
    assert len(states(house)) == 1


@pytest.mark.parametrize(
    ("wish", "status", "reason"),
    [
        ({"id": ""}, 400, "required"),
        ({"id": "x" * 65}, 400, "invalid"),
        ({"id": "not allowed!"}, 400, "invalid"),
        ({"type": "email"}, 400, "invalid"),
        ({"token": "x" * 257}, 400, "invalid"),
        ({"address": "http://gateway.example/hooks"}, 400, "push.webhookUrlNotHttps"),
        ({"address": "https://gateway.example/hooks"}, 401, "push.webhookUrlUnauthorized"),
    ],
)
def test_a_channel_needs_an_id_of_its_own_and_a_verified_address(
    house: GoogleHouse, wish: dict[str, str], status: int, reason: str
) -> None:
    answered = watch(house, **wish)
    assert (answered.status, answered.reason) == (status, reason)


def test_there_is_no_renewal_a_second_channel_overlaps_and_both_tell(house: GoogleHouse) -> None:
    watch(house)
    assert watch(house).reason == "channelIdNotUnique"
    watch(house, id="channel-2")
    states(house)
    house.call.act(JOHN, "create", title="x", start="2026-03-02T10:00:00")
    assert states(house) == ["exists", "exists"]


def test_a_stopped_channel_tells_once_more(house: GoogleHouse) -> None:
    opened = watch(house).json
    states(house)
    assert house.call("POST", "/channels/stop", {"id": "channel-1", "resourceId": "another"}).status == 404
    assert house.call("POST", "/channels/stop", {"id": "channel-1", "resourceId": opened["resourceId"]}).status == 204
    assert house.call("POST", "/channels/stop", {"id": "channel-1", "resourceId": opened["resourceId"]}).status == 404
    for told in (["exists"], []):
        house.call.act(JOHN, "create", title="x", start="2026-03-02T10:00:00")
        assert states(house) == told


def test_with_push_off_changes_happen_in_silence(house: GoogleHouse) -> None:
    watch(house)
    states(house)
    assert house.call.control("POST", "push/off").json == {"push": False}
    house.call.act(JOHN, "create", title="x", start="2026-03-02T10:00:00")
    assert states(house) == []
    assert house.call.control("POST", "push", {"push": "on"}).json == {"push": True}


# Quotas


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"])
@pytest.mark.parametrize("status", [403, 429])
def test_beyond_the_quota_the_error_is_of_the_domain_of_limits(house: GoogleHouse, reason: str, status: int) -> None:
    house.call.control("POST", "knobs", {"quota": 2, "quota_reason": reason, "quota_status": status})
    house.clock.forward(minutes=2)
    assert [house.call("GET", LIST).status for _ in range(3)] == [200, 200, status]
    error = house.call("GET", LIST).json["error"]["errors"][0]
    assert (error["domain"], error["reason"]) == ("usageLimits", reason)
    house.clock.forward(seconds=61)
    assert house.call("GET", LIST).status == 200, "the window slides"


# Consents


def consent(house: GoogleHouse, **wish: str) -> Answered:
    """What the browser gets at the consent page."""
    asked = {
        "client_id": house.google.world.client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": f"{APP_CREATED} https://www.googleapis.com/auth/calendar.freebusy",
        "state": "s&1",
        "access_type": "offline",
        "approve": "auto",
        "login_hint": JOHN,
        **wish,
    }
    return Line(house.google, "")("GET", f"/o/oauth2/v2/auth?{urlencode(asked)}")


def redeemed(house: GoogleHouse, answered: Answered, **fields: str) -> Answered:
    answers = parse_qs(urlsplit(answered.headers["Location"]).query)
    world = house.google.world
    given = {"grant_type": "authorization_code", "redirect_uri": BACK, "client_id": world.client_id, "client_secret": world.client_secret}
    return Line(house.google, "").form("/token", **{**given, "code": answers["code"][0], **fields})


def test_the_state_comes_back_and_the_code_works_once(house: GoogleHouse) -> None:
    answered = consent(house)
    assert parse_qs(urlsplit(answered.headers["Location"]).query)["state"] == ["s&1"]
    first = redeemed(house, answered)
    assert (first.status, first.json["token_type"]) == (200, "Bearer")
    assert (redeemed(house, answered).status, redeemed(house, answered).reason) == (400, "invalid_grant")


def test_a_code_needs_the_verifier_of_its_challenge(house: GoogleHouse) -> None:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    for given, status in ((verifier, 200), ("x" * 43, 400), ("", 400)):
        answered = consent(house, code_challenge=challenge, code_challenge_method="S256")
        assert redeemed(house, answered, **({"code_verifier": given} if given else {})).status == status


def test_the_person_may_grant_less_than_is_asked(house: GoogleHouse) -> None:
    house.call.control("POST", "knobs", {"untick": ["calendar.freebusy"]})
    assert redeemed(house, consent(house)).json["scope"] == APP_CREATED


def test_a_second_consent_brings_no_second_refresh_token_unless_the_page_is_insisted_on(house: GoogleHouse) -> None:
    house.google.world.grants.clear()
    assert "refresh_token" in redeemed(house, consent(house)).json
    assert "refresh_token" not in redeemed(house, consent(house)).json
    assert "refresh_token" in redeemed(house, consent(house, prompt="consent")).json
    assert "refresh_token" not in redeemed(house, consent(house, access_type="online")).json


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"client_id": "somebody"}, 401),
        ({"redirect_uri": "http://gateway.example/"}, 400),
        ({"response_type": "token"}, 400),
        ({"scope": "mail"}, 400),
        ({"login_hint": "nobody@example.com"}, 400),
    ],
)
def test_what_is_wrong_with_the_request_is_shown_to_the_person_and_not_sent_back(
    house: GoogleHouse, wish: dict[str, str], status: int
) -> None:
    answered = consent(house, **wish)
    assert answered.status == status
    assert "Location" not in answered.headers


def test_the_page_asks_and_takes_a_no_for_an_answer(house: GoogleHouse) -> None:
    page = consent(house, approve="").reply.body.decode()
    assert JOHN in page
    assert APP_CREATED in page
    asked = urlencode(
        {"client_id": house.google.world.client_id, "redirect_uri": BACK, "response_type": "code", "scope": APP_CREATED, "state": "s"}
    )
    line = Line(house.google, "")
    denied = line.form("/o/oauth2/v2/auth/decision", asked=asked, decision="deny", account=JOHN)
    assert parse_qs(urlsplit(denied.headers["Location"]).query) == {"error": ["access_denied"], "state": ["s"]}
    allowed = line.form("/o/oauth2/v2/auth/decision", asked=asked, decision="allow", account=JOHN, **{f"scope:{APP_CREATED}": "1"})
    assert redeemed(house, allowed).status == 200


def dead(house: GoogleHouse, refresh: str) -> bool:
    world = house.google.world
    answered = Line(house.google, "").form(
        "/token", grant_type="refresh_token", refresh_token=refresh, client_id=world.client_id, client_secret=world.client_secret
    )
    assert answered.status == 200 or answered.reason == "invalid_grant"
    return answered.status == 400


def test_a_refresh_token_dies_when_the_person_or_the_client_revokes_it(house: GoogleHouse) -> None:
    first, second = house.google.connect(JOHN, [CALENDAR]), house.google.connect(JOHN, [CALENDAR])
    assert Line(house.google, "").form("/revoke", token=first).status == 200
    assert Line(house.google, "").form("/revoke", token=first).reason == "invalid_token"
    assert (dead(house, first), dead(house, second)) == (True, False)
    assert house.call.control("POST", "revoke", {"account": JOHN}).json["revoked"] == 2
    assert dead(house, second)
    assert house.call("GET", LIST).status == 401, "and the access tokens with it"


def test_a_refresh_token_dies_after_seven_days_of_testing_and_half_a_year_of_silence(house: GoogleHouse) -> None:
    lasting = house.google.connect(JOHN, [CALENDAR])
    house.call.control("POST", "knobs", {"testing": True})
    testing = house.google.connect(JOHN, [CALENDAR])
    house.clock.forward(days=8)
    assert (dead(house, testing), dead(house, lasting)) == (True, False)
    house.clock.forward(days=183)
    assert dead(house, lasting)


def test_the_hundred_and_first_refresh_token_ends_the_first(house: GoogleHouse) -> None:
    house.google.world.grants.clear()
    tokens = [house.google.connect(JOHN, [CALENDAR]) for _ in range(101)]
    assert [dead(house, token) for token in tokens] == [True] + [False] * 100


def test_an_access_token_lasts_an_hour(house: GoogleHouse) -> None:
    house.clock.forward(hours=1)
    answered = house.call("GET", LIST)
    assert (answered.status, answered.reason) == (401, "authError")


def test_calendars_come_and_go_in_the_list_and_a_dead_one_is_not_found(house: GoogleHouse) -> None:
    listed = house.call("GET", "/users/me/calendarList").json
    made = house.call("POST", "/calendars", {"summary": "Salon"}).json["id"]
    [entry] = house.call("GET", "/users/me/calendarList", None, {}, syncToken=listed["nextSyncToken"]).json["items"]
    assert entry["id"] == made
    assert house.call("DELETE", f"/calendars/{quote(made)}").status == 204
    assert house.call("GET", f"/calendars/{quote(made)}/events").status == 404
    [entry] = house.call("GET", "/users/me/calendarList", None, {}, syncToken=listed["nextSyncToken"]).json["items"]
    assert entry["deleted"] is True
    assert house.call("DELETE", f"/calendars/{quote(JOHN)}").status == 400
