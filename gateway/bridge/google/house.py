"""Accounts at Google: consent with PKCE, access that renews itself, calendars of our own; the least that is needed is asked for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import google.auth.exceptions
import google.auth.transport
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

from gateway.bridge.google.calendar import GoogleCalendar, said
from gateway.bridge.google.events import Names, moment
from gateway.bridge.google.wire import Line
from gateway.bridge.remote import CalendarGone, Disconnected, Elsewhere, Grant, Remote, RemoteError, Unreachable, Vault
from gateway.bridge.sending import Send
from gateway.links import Provider
from gateway.model import Span

PREFIX = "https://www.googleapis.com/auth/"
OWN = f"{PREFIX}calendar.app.created"
"""A calendar of our own: with this consent alone, Google itself keeps us from everybody else's events (bridge.md §2.9)."""

FREE_BUSY = f"{PREFIX}calendar.freebusy"
EVENTS = f"{PREFIX}calendar.events"
LIST = f"{PREFIX}calendar.calendarlist.readonly"
SIGN_IN = ("openid", "email")

_MEANT = {
    OWN: "make a calendar for appointments",
    FREE_BUSY: "see when you are busy",
    EVENTS: "write appointments into your calendar",
    LIST: "see which calendars you have",
}


class GoogleHouse:
    """`remote.House` for Google. Thread-safe: nothing is kept between calls."""

    provider = Provider.GOOGLE

    def __init__(
        self,
        send: Send,
        *,
        client_id: str,
        client_secret: str,
        auth_uri: str,
        token_uri: str,
        revoke_uri: str,
        api_endpoint: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._clock = clock
        self._send = send
        self._client_id = client_id
        self._client_secret = client_secret
        self._auth_uri = auth_uri
        self._token_uri = token_uri
        self._revoke_uri = revoke_uri
        self._endpoint = api_endpoint.rstrip("/") + "/"

    def consent(self, *, state: str, verifier: str, redirect: str, login: str = "", primary: bool = False) -> str:
        """`prompt=consent`: without it Google gives no refresh token to somebody who has agreed before."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": " ".join(_wanted(primary)),
            "access_type": "offline",
            "prompt": "consent",
            "include_granted_scopes": "false",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._auth_uri}?{urlencode(asked | ({'login_hint': login} if login else {}))}"

    def redeem(self, *, code: str, verifier: str, redirect: str, now: datetime) -> Grant:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect,
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        answer = self._posted(self._token_uri, form)
        scopes = tuple(str(answer.get("scope", "")).split())
        refresh = str(answer.get("refresh_token") or "")
        if not refresh:
            raise Disconnected(
                "Google gave no lasting access. Remove this app under “Third-party access” of your account and connect again."
            )
        if OWN not in scopes and EVENTS not in scopes:
            raise Disconnected("You have not allowed appointments to be written. Please connect again and leave every box ticked.")
        who = _claims(str(answer.get("id_token", "")))
        missing = tuple(text for scope, text in _MEANT.items() if scope in _wanted(EVENTS in scopes) and scope not in scopes)
        kept = {
            "refresh_token": refresh,
            "access_token": str(answer.get("access_token", "")),
            "until": (now + timedelta(seconds=int(answer.get("expires_in", 0)))).isoformat(),
        }
        return Grant(
            login=str(who.get("email", "")),
            subject=str(who.get("sub", "")),
            scopes=scopes,
            credential=json.dumps(kept).encode(),
            missing=missing,
        )

    def calendars(self, vault: Vault, now: datetime) -> Sequence[Elsewhere]:
        """Empty where the consent does not reach so far."""
        service, _ = self._service(vault, lambda kind: None)
        found: list[Elsewhere] = []
        page = ""
        while True:
            try:
                with said("calendar"):
                    answer: Any = service.calendarList().list(**({"pageToken": page} if page else {})).execute(num_retries=0)
            except (CalendarGone, Disconnected):
                return found
            for each in answer.get("items") or ():
                writable = each.get("accessRole") in ("owner", "writer")
                title = str(each.get("summaryOverride") or each.get("summary") or "")
                found.append(Elsewhere(id=str(each["id"]), title=title, primary=bool(each.get("primary")), writable=writable))
            page = str(answer.get("nextPageToken") or "")
            if not page:
                return found

    def make_calendar(self, vault: Vault, title: str, zone: str, now: datetime) -> Elsewhere:
        service, _ = self._service(vault, lambda kind: None)
        with said("calendar"):
            made: Any = service.calendars().insert(body={"summary": title, "timeZone": zone}).execute(num_retries=0)
            return Elsewhere(id=str(made["id"]), title=str(made.get("summary", title)), primary=False, writable=True)

    def busy(self, vault: Vault, calendars: Sequence[str], window: Span, now: datetime) -> Sequence[Span]:
        service, _ = self._service(vault, lambda kind: None)
        body = {"timeMin": moment(window.start), "timeMax": moment(window.end), "items": [{"id": each} for each in calendars]}
        with said("calendar"):
            answer: Any = service.freebusy().query(body=body).execute(num_retries=0)
            spans = []
            for name in calendars:
                told = answer["calendars"][name]
                if told.get("errors"):
                    raise Unreachable("Google does not tell when that calendar is busy.")
                spans += [Span(_utc(each["start"]), _utc(each["end"])) for each in told.get("busy") or ()]
        return sorted(spans)

    def open(self, vault: Vault, *, link: str, calendar: str, mark: str, zone: str, calls: Callable[[str], None]) -> Remote:
        service, line = self._service(vault, calls)
        return GoogleCalendar(service, line, calendar, Names(mark=mark, link=link, zone=zone))

    def revoke(self, vault: Vault) -> None:
        token = json.loads(vault.read()).get("refresh_token", "")
        try:
            self._posted(self._revoke_uri, {"token": token})
        except RemoteError:
            return

    def _service(self, vault: Vault, calls: Callable[[str], None]) -> tuple[Any, Line]:  # the library's own class is made at run time
        line = Line(self._send, self._endpoint, _Access(self, vault, self._clock).bearer, calls)
        options = {"api_endpoint": self._endpoint}
        return build("calendar", "v3", http=line, static_discovery=True, cache_discovery=False, client_options=options), line

    def _posted(self, address: str, form: Mapping[str, str]) -> dict[str, Any]:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        try:
            status, _, content = self._send("POST", address, headers, urlencode(form).encode())
            answer: Any = json.loads(content) if content else {}
        except (OSError, ValueError) as error:
            raise Unreachable("Google does not answer.") from error
        if status == 200 and isinstance(answer, dict):
            return answer
        if status >= 500 or status == 429:
            raise Unreachable(f"Google is in trouble ({status}).")
        code = str(answer.get("error", "")) if isinstance(answer, dict) else ""
        if code == "invalid_client":
            raise Disconnected("Google does not know this gateway: its client id and secret do not fit. Ask whoever runs the server.")
        raise Disconnected("The consent was not completed, or is too old. Please connect again.")

    def refreshed(self, refresh: str) -> Credentials:
        """A new access token, by Google's own library. Raises Disconnected, Unreachable."""
        credentials = Credentials(  # type: ignore[no-untyped-call]  # the library has no types here
            None, refresh_token=refresh, token_uri=self._token_uri, client_id=self._client_id, client_secret=self._client_secret
        )
        try:
            credentials.refresh(_Carrier(self._send))  # type: ignore[no-untyped-call]
        except google.auth.exceptions.RefreshError as error:
            if getattr(error, "retryable", False):
                raise Unreachable("Google does not answer.") from error
            raise Disconnected("Google no longer accepts the access. Please connect the account again.") from error
        except google.auth.exceptions.GoogleAuthError as error:
            raise Unreachable("Google does not answer.") from error
        return credentials


class _Access:
    """The access token of one account for one turn; a new one is kept at once."""

    MARGIN = timedelta(minutes=2)
    LIFE = timedelta(minutes=55)  # Google's tokens live for an hour

    def __init__(self, house: GoogleHouse, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._house = house
        self._vault = vault
        self._token = ""

    def bearer(self, renew: bool) -> str:
        if self._token and not renew:
            return self._token
        kept = json.loads(self._vault.read())
        until = datetime.fromisoformat(kept.get("until") or "1970-01-01T00:00:00+00:00")
        if not renew and kept.get("access_token") and until - self.MARGIN > self._clock():
            self._token = str(kept["access_token"])
            return self._token
        fresh = self._house.refreshed(str(kept["refresh_token"]))
        self._token = str(fresh.token)
        ends = (self._clock() + self.LIFE).isoformat()
        changed = {"refresh_token": fresh.refresh_token or kept["refresh_token"], "access_token": self._token, "until": ends}
        self._vault.keep(json.dumps(changed).encode())
        return self._token


class _Carrier(google.auth.transport.Request):
    """Google's authentication over our own sender."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def __call__(self, url: str, method: str = "GET", body: Any = None, headers: Any = None, timeout: Any = None, **_: Any) -> Any:
        octets = body.encode() if isinstance(body, str) else body
        try:
            return _Carried(*self._send(method, url, headers or {}, octets))
        except OSError as error:
            raise google.auth.exceptions.TransportError(str(error)) from error  # type: ignore[no-untyped-call]  # as above


class _Carried(google.auth.transport.Response):
    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self._parts = (status, headers, data)

    @property
    def status(self) -> int:
        return self._parts[0]

    @property
    def headers(self) -> Mapping[str, str]:
        return self._parts[1]

    @property
    def data(self) -> bytes:
        return self._parts[2]


def _wanted(primary: bool) -> tuple[str, ...]:
    return (*SIGN_IN, *((EVENTS, LIST, FREE_BUSY) if primary else (OWN, FREE_BUSY)))


def _claims(token: str) -> dict[str, Any]:
    """What the identity token says. It came over TLS from the token endpoint, which stands for its signature (OIDC Core §3.1.3.7)."""
    try:
        part = token.split(".")[1]
        found: Any = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (LookupError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
