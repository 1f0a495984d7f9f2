"""Secrets are shown once, work, and end when they are revoked."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.cli.house import Shell

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_an_app_password_is_shown_once_and_lets_its_owner_in(gateway: Shell) -> None:
    made = gateway.json("app-password", "add", "john-smith", "--label", "My phone")
    secret = made["app_password"]
    assert made["login"] == "john.smith@example.com"
    assert made["caldav_url"] == "https://calendar.example.com/dav/"
    [listed] = gateway.json("app-password", "list", "john-smith")
    assert (listed["id"], listed["label"], listed["revoked"]) == (made["id"], "My phone", None)
    assert secret not in str(listed)
    with gateway.store() as store:
        login = store.login_by_app_password("john-smith", secret, NOW)
        assert login
        assert (login.handle, login.read_only) == ("john-smith", False)


def test_a_revoked_app_password_lets_nobody_in(gateway: Shell) -> None:
    kept = gateway.json("app-password", "add", "john-smith", "--read-only")
    ended = gateway.json("app-password", "add", "john-smith")
    gateway.json("app-password", "revoke", ended["id"])
    assert [each["id"] for each in gateway.json("app-password", "list", "john-smith")] == [kept["id"]]
    assert {each["id"] for each in gateway.json("app-password", "list", "john-smith", "--all")} == {kept["id"], ended["id"]}
    with gateway.store() as store:
        assert store.login_by_app_password("john-smith", ended["app_password"], NOW) is None
        still = store.login_by_app_password("john-smith", kept["app_password"], NOW)
        assert still
        assert still.read_only


def test_an_app_password_may_open_one_calendar(gateway: Shell) -> None:
    made = gateway.json("app-password", "add", "john-smith", "--calendar", "company", "--read-only")
    assert (made["calendar"], made["read_only"]) == ("company", True)
    [listed] = gateway.json("app-password", "list", "john-smith")
    assert (listed["calendar"], listed["read_only"], listed["last_client"], listed["last_network"]) == ("company", True, "", "")
    with gateway.store() as store:
        login = store.login_by_app_password("john-smith", made["app_password"], NOW, client="Phone/1.0", network="192.0.2.0/24")
        assert login
        assert (login.calendar, login.read_only) == ("company", True)
    [used] = gateway.json("app-password", "list", "john-smith")
    assert (used["last_used"], used["last_client"], used["last_network"]) == ("2026-11-24T08:00:00+00:00", "Phone/1.0", "192.0.2.0/24")


def test_a_calendar_that_is_not_there_can_be_opened_by_no_password(gateway: Shell) -> None:
    refused = gateway("app-password", "add", "john-smith", "--calendar", "nowhere")
    assert refused.code == 1
    assert "appointments, company" in refused.err
    assert gateway.json("app-password", "list", "john-smith") == []


def test_an_app_password_can_be_typed_on_a_phone_and_not_guessed(gateway: Shell) -> None:
    secrets = {gateway.json("app-password", "add", "john-smith")["app_password"] for _ in range(3)}
    assert len(secrets) == 3
    for secret in secrets:
        groups = secret.split("-")
        assert [len(group) for group in groups] == [4] * 8  # 32 signs of an alphabet of 32: 160 bits
        assert not set("".join(groups)) & set("l1o0")


def test_an_api_key_works_until_it_is_revoked(gateway: Shell) -> None:
    made = gateway.json("api-key", "add", "--label", "booking platform")
    assert made["api_url"] == "https://calendar.example.com/api/v1/"
    [listed] = gateway.json("api-key", "list")
    assert listed["label"] == "booking platform"
    assert made["api_key"] not in str(listed)
    with gateway.store() as store:
        assert store.login_by_api_key(made["api_key"], NOW)
    gateway.json("api-key", "revoke", made["id"])
    with gateway.store() as store:
        assert store.login_by_api_key(made["api_key"], NOW) is None
    assert gateway.json("api-key", "list") == []


def test_a_feed_begins_with_the_window_of_the_settings(gateway: Shell) -> None:
    made = gateway.json("feed", "add", "--staff", "john-smith", GATEWAY_FEEDS__PAST_DAYS="5", GATEWAY_FEEDS__FUTURE_DAYS="90")
    assert (made["scope"], made["of"], made["level"], made["past_days"], made["future_days"]) == ("staff", "john-smith", "full", 5, 90)
    narrow = gateway.json("feed", "add", "--level", "busy", "--past", "0", "--future", "14", "--alarm", "15", "--label", "Wall")
    assert (narrow["scope"], narrow["of"], narrow["level"], narrow["alarm_minutes"]) == ("company", None, "busy", 15)
    gateway.json("group", "add", "--name", "Front desk")
    assert gateway.json("feed", "add", "--group", "front-desk")["of"] == "front-desk"


def test_the_link_of_a_feed_is_shown_once_and_ends_with_it(gateway: Shell) -> None:
    made = gateway.json("feed", "add", "--staff", "john-smith")
    token = made["url"].removeprefix("https://calendar.example.com/feeds/").removesuffix(".ics")
    assert token not in str(gateway.json("feed", "list"))
    with gateway.store() as store:
        found = store.feed_by_token(token)
        assert found
        assert (found[1].id, found[1].revoked) == (made["id"], None)
    gateway.json("feed", "revoke", made["id"])
    assert gateway.json("feed", "list") == []
    assert len(gateway.json("feed", "list", "--all")) == 1
    with gateway.store() as store:
        found = store.feed_by_token(token)
        assert found
        assert found[1].revoked


def test_people_are_told_that_a_secret_is_not_shown_again(gateway: Shell) -> None:
    told = gateway("app-password", "add", "john-smith")
    assert "keep it" in told.err
    assert "keep it" not in told.out
