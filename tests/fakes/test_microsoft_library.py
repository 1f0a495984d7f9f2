"""Microsoft's own client library and plain HTTPS drive the fake Microsoft."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import msal
import pytest

from gateway.fakes import Fakes
from gateway.fakes.running import now
from tests.fakes.house import EMMA, IMMUTABLE, TAYLOR, graph_timed
from tests.fakes.live import Heard, application, control, graph, session, tls, token
from tests.journey.demo import eventually


@pytest.mark.parametrize(("authority", "login"), [("common", EMMA), ("organizations", EMMA), ("consumers", TAYLOR)])
def test_microsofts_library_goes_through_consent_and_keeps_the_newest_refresh_token(fakes: Fakes, authority: str, login: str) -> None:
    cache = msal.SerializableTokenCache()
    with session(fakes) as http:
        app = application(fakes, http, authority, cache)
        flow = app.initiate_auth_code_flow(
            ["Calendars.ReadWrite", "User.Read"], redirect_uri="http://127.0.0.1:1/back", login_hint=login, response_mode="form_post"
        )
        page = urllib.request.urlopen(flow["auth_uri"] + "&approve=auto", timeout=10, context=tls(fakes))
        with page:
            fields = dict(_hidden(page.read().decode()))
        result = app.acquire_token_by_auth_code_flow(flow, fields)
        assert result["id_token_claims"]["preferred_username"] == login
        [account] = app.get_accounts()
        assert account["username"] == login
        before = fakes.microsoft.provider.world.grants[-1].refresh
        renewed = app.acquire_token_silent(["Calendars.ReadWrite"], account=account, force_refresh=True)
        assert renewed["token_source"] == "identity_provider"
        after = fakes.microsoft.provider.world.grants[-1].refresh
        assert before != after
        assert after in cache.serialize()
        assert before not in cache.serialize()
    assert graph(fakes, renewed["access_token"], "GET", "/me")["userPrincipalName"] == login


def _hidden(page: str) -> Iterator[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    class Fields(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            named = dict(attrs)
            if tag == "input":
                found.append((named["name"] or "", named["value"] or ""))

    Fields().feed(page)
    yield from found


def test_microsofts_library_acts_for_the_application_itself(fakes: Fakes) -> None:
    with session(fakes) as http:
        app = application(fakes, http, fakes.microsoft.tenant)
        result = app.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    made = graph(fakes, result["access_token"], "POST", f"/users/{EMMA}/events", graph_timed(), Prefer=IMMUTABLE)
    assert made["subject"] == "Cut"


def test_links_lead_to_the_host_they_came_from(fakes: Fakes) -> None:
    held = token(fakes)
    first = graph(fakes, held, "GET", "/me/calendarView/delta?startDateTime=2026-03-01&endDateTime=2026-04-01")
    assert first["@odata.deltaLink"].startswith(fakes.microsoft.graph_url)
    assert graph(fakes, held, "GET", first["@odata.deltaLink"])["value"] == []


def test_microsoft_shakes_hands_with_an_address_and_then_posts_to_it(fakes: Fakes, hook: tuple[str, Heard]) -> None:
    address, heard = hook
    held = token(fakes)
    wish = {
        "changeType": "created",
        "notificationUrl": address,
        "lifecycleNotificationUrl": address,
        "resource": "me/events",
        "clientState": "s",
        "expirationDateTime": (now() + timedelta(hours=2)).isoformat(),
    }
    opened = graph(fakes, held, "POST", "/subscriptions", wish, Prefer=IMMUTABLE)
    made = graph(fakes, held, "POST", "/me/events", graph_timed(), Prefer=IMMUTABLE)
    [message] = json.loads(heard.get(timeout=10)[1])["value"]
    assert (message["clientState"], message["resourceData"]["id"]) == ("s", made["id"])
    graph(fakes, held, "DELETE", f"/subscriptions/{opened['id']}")
    with pytest.raises(urllib.error.HTTPError) as failed:
        graph(fakes, held, "POST", "/subscriptions", wish | {"notificationUrl": "http://127.0.0.1:1/nobody"})
    with failed.value as answer:
        assert json.load(answer)["error"]["code"] == "ValidationError"


def test_the_certificate_is_the_test_authoritys_and_nobody_elses(fakes: Fakes) -> None:
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(
            f"{fakes.microsoft.api}/common/v2.0/.well-known/openid-configuration", timeout=10, context=ssl.create_default_context()
        )


def test_the_fifth_request_at_a_time_is_turned_away(fakes: Fakes) -> None:
    held = token(fakes)
    control(fakes.microsoft.control, "fault", {"match": "GET /v1.0/me/calendars", "kind": "slow:30", "times": 4})
    fakes.microsoft.provider.knobs.concurrency = 1
    with (
        socket.create_connection(("127.0.0.1", urlsplit(fakes.microsoft.api).port or 0)) as bare,
        tls(fakes).wrap_socket(bare, server_hostname="127.0.0.1") as wire,
    ):
        wire.sendall(f"GET /v1.0/me/calendars HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {held}\r\n\r\n".encode())
        log = fakes.microsoft.provider.log
        eventually("the first is under way", lambda: any(entry.path == "/v1.0/me/calendars" for entry in list(log)) or None)
        with pytest.raises(urllib.error.HTTPError) as failed:
            graph(fakes, held, "GET", "/me/calendar")
        with failed.value as answer:
            assert (answer.code, "MailboxConcurrency" in answer.read().decode()) == (503, True)
            assert answer.headers["Retry-After"]
    fakes.microsoft.provider.knobs.concurrency = 4
