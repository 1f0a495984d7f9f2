"""Google's own client libraries drive the fake Google."""

from __future__ import annotations

from contextlib import nullcontext
from urllib.parse import parse_qs, urlsplit

import pytest
from google.auth.exceptions import RefreshError
from google_auth_oauthlib.flow import Flow
from googleapiclient.errors import HttpError

from gateway.fakes import Fakes
from tests.fakes.house import APP_CREATED, CALENDAR, JOHN, timed
from tests.fakes.live import Heard, calendar, control, location

FREE_BUSY = "https://www.googleapis.com/auth/calendar.freebusy"


def test_googles_library_drives_the_fake(fakes: Fakes) -> None:
    with calendar(fakes) as service:
        made = (
            service.events().insert(calendarId="primary", body=timed(recurrence=["RRULE:FREQ=DAILY;COUNT=3"]), sendUpdates="none").execute()
        )
        patch = service.events().patch(calendarId="primary", eventId=made["id"], body={"summary": "Colour"}, sendUpdates="none")
        patch.headers["If-Match"] = '"0"'
        with pytest.raises(HttpError) as failed:
            patch.execute()
        assert (failed.value.status_code, failed.value.error_details[0]["reason"]) == (412, "conditionNotMet")
        assert len(service.events().instances(calendarId="primary", eventId=made["id"]).execute()["items"]) == 3
        listed = service.events().list(calendarId="primary", maxResults=1)
        while listed is not None:
            answer = listed.execute()
            listed = service.events().list_next(listed, answer)
        assert answer["nextSyncToken"]
        service.events().delete(calendarId="primary", eventId=made["id"], sendUpdates="none").execute()
        assert service.events().get(calendarId="primary", eventId=made["id"]).execute()["status"] == "cancelled"


def test_googles_library_repeats_an_insert_into_two_events_unless_the_id_is_ours(fakes: Fakes) -> None:
    with calendar(fakes, APP_CREATED) as service:
        mine = service.calendars().insert(body={"summary": "Bookings"}).execute()["id"]
        for name, count in (("", 2), ("0123456789abcdef", 3)):
            control(fakes.google.control, "fault", {"match": "POST .*/events", "kind": "after_commit"})
            body = timed(**({"id": name} if name else {}))
            request = service.events().insert(calendarId=mine, body=body)
            request._sleep = lambda seconds: None  # the library's own seam: it would wait before it tries again
            with pytest.raises(HttpError, match="409") if name else nullcontext():
                request.execute(num_retries=1)
            assert len(service.events().list(calendarId=mine).execute()["items"]) == count


def test_googles_flow_brings_what_was_granted(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    google = fakes.google
    client = {
        "client_id": google.client_id,
        "client_secret": google.client_secret,
        "auth_uri": google.auth_uri,
        "token_uri": google.token_uri,
    }
    flow = Flow.from_client_config(
        {"web": client}, [APP_CREATED, FREE_BUSY], redirect_uri="http://127.0.0.1:1/back", autogenerate_code_verifier=True
    )
    url, state = flow.authorization_url(access_type="offline", prompt="consent", login_hint=JOHN, approve="auto")
    control(google.control, "knobs", {"untick": ["calendar.freebusy"]})
    try:
        address = location(url)
    finally:
        control(google.control, "knobs", {"untick": []})
    assert parse_qs(urlsplit(address).query)["state"] == [state]
    with flow.oauth2session as session:
        session.trust_env = False
        flow.fetch_token(authorization_response=address)
        assert flow.oauth2session.token["scope"] == [APP_CREATED]
    assert flow.credentials.refresh_token


def test_a_revoked_consent_is_an_error_of_the_credentials(fakes: Fakes) -> None:
    refresh = fakes.google.provider.connect(JOHN, [CALENDAR])
    control(fakes.google.control, "revoke", {"account": JOHN})
    with calendar(fakes, refresh=refresh) as service, pytest.raises(RefreshError, match="invalid_grant"):
        service.calendarList().list().execute()


def test_google_really_posts_to_a_channels_address(fakes: Fakes, hook: tuple[str, Heard]) -> None:
    address, heard = hook
    with calendar(fakes) as service:
        opened = (
            service.events()
            .watch(calendarId="primary", body={"id": "live-1", "type": "web_hook", "address": address, "token": "t"})
            .execute()
        )
        assert heard.get(timeout=10)[0]["X-Goog-Resource-State"] == "sync"
        control(fakes.google.control, "act", {"account": JOHN, "op": "create", "title": "x", "start": "2026-03-05"})
        headers, body = heard.get(timeout=10)
        assert (headers["X-Goog-Resource-State"], headers["X-Goog-Channel-Token"], body) == ("exists", "t", b"")
        service.channels().stop(body={"id": "live-1", "resourceId": opened["resourceId"]}).execute()
    assert {each["url"] for each in control(fakes.google.control, "deliveries")} == {address}
