"""Accounts at Microsoft: consent with PKCE, tokens that rotate and are kept at once. One house for each kind of account."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msal

from gateway.bridge.graph.calendar import GraphCalendar
from gateway.bridge.graph.events import FREE, Names
from gateway.bridge.graph.wire import Line
from gateway.bridge.remote import Disconnected, Elsewhere, Grant, Remote, Unreachable, Vault
from gateway.bridge.sending import Send
from gateway.links import Provider
from gateway.model import Span

SCOPES = ("Calendars.ReadWrite", "User.Read")
SIGN_IN = ("openid", "profile", "offline_access")
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal accounts."""

_KINDS = {Provider.OUTLOOK: "consumers", Provider.OFFICE365: "organizations"}
_ADMIN = ("AADSTS65001", "AADSTS90094", "admin_consent", "consent_required")


class GraphHouse:
    """`remote.House` for Outlook.com or Microsoft 365. Thread-safe: nothing is kept between calls."""

    def __init__(
        self,
        provider: Provider,
        send: Send,
        *,
        client_id: str,
        client_secret: str,
        authority: str,
        instance_discovery: bool,
        graph_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._clock = clock
        self.provider = provider
        self._send = send
        self._client_id = client_id
        self._client_secret = client_secret
        self._authority = f"{authority.rstrip('/').rpartition('/')[0]}/{_KINDS[provider]}"
        self._discovery = instance_discovery
        self._graph = graph_url

    def consent(self, *, state: str, verifier: str, redirect: str, login: str = "", primary: bool = False) -> str:
        """At Microsoft the same consent reaches all of the person's calendars; we make one of our own unless asked otherwise."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "client_id": self._client_id,
            "response_type": "code",
            "redirect_uri": redirect,
            "response_mode": "query",
            "scope": " ".join((*SIGN_IN, *SCOPES)),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "nonce": hashlib.sha256(_nonce(verifier).encode()).hexdigest(),
            "prompt": "select_account",
        }
        return f"{self._authority}/oauth2/v2.0/authorize?{urlencode(asked | ({'login_hint': login} if login else {}))}"

    def redeem(self, *, code: str, verifier: str, redirect: str, now: datetime) -> Grant:
        cache = msal.SerializableTokenCache()
        flow = {
            "state": "kept",
            "redirect_uri": redirect,
            "scope": [*SIGN_IN, *SCOPES],
            "code_verifier": verifier,
            "nonce": _nonce(verifier),
        }
        answer = self._said(
            lambda: self._application(cache).acquire_token_by_auth_code_flow(flow, {"code": code, "state": "kept"}, scopes=list(SCOPES))
        )  # whose state it is has been looked at before: it is ours, and used up
        claims: Mapping[str, Any] = answer.get("id_token_claims") or {}
        self._right_kind(str(claims.get("tid", "")))
        scopes = tuple(str(answer.get("scope", "")).split())
        if not any(scope.endswith("Calendars.ReadWrite") for scope in scopes):
            raise Disconnected("You have not allowed appointments to be written. Please connect again and accept everything.")
        return Grant(
            login=str(claims.get("preferred_username") or ""),
            subject=f"{claims.get('tid', '')}.{claims.get('oid') or claims.get('sub') or ''}",
            scopes=scopes,
            credential=kept_as(cache, str(answer["access_token"]), now + timedelta(seconds=int(answer.get("expires_in") or 0))),
        )

    def _right_kind(self, tenant: str) -> None:
        if self.provider is Provider.OFFICE365 and tenant == PERSONAL:
            raise Disconnected("This is a personal account. Please use the button “Outlook.com”.")
        if self.provider is Provider.OUTLOOK and tenant != PERSONAL:
            raise Disconnected("This is an account of an organisation. Please use the button “Microsoft 365”.")

    def calendars(self, vault: Vault, now: datetime) -> Sequence[Elsewhere]:
        line, address = self._line(vault, _nobody), "/me/calendars?$top=100"
        found: list[Elsewhere] = []
        while address:
            answer = line("GET", address, of="calendar")
            found += [
                Elsewhere(
                    id=str(each["id"]),
                    title=str(each.get("name") or ""),
                    primary=bool(each.get("isDefaultCalendar")),
                    writable=bool(each.get("canEdit", True)),
                )
                for each in answer.get("value") or ()
            ]
            address = str(answer.get("@odata.nextLink") or "")
        return found

    def make_calendar(self, vault: Vault, title: str, zone: str, now: datetime) -> Elsewhere:
        """A calendar of that name that is there already is taken: names are unique in a mailbox."""
        former = next((each for each in self.calendars(vault, now) if each.title == title and each.writable), None)
        if former is not None:
            return former
        made = self._line(vault, _nobody)("POST", "/me/calendars", {"name": title}, of="calendar")
        return Elsewhere(id=str(made["id"]), title=str(made.get("name") or title), primary=False, writable=True)

    def busy(self, vault: Vault, calendars: Sequence[str], window: Span, now: datetime) -> Sequence[Span]:
        line, spans = self._line(vault, _nobody), list[Span]()
        for calendar in calendars:
            stretch = f"startDateTime={_moment(window.start)}&endDateTime={_moment(window.end)}"
            address = f"/me/calendars/{quote(calendar, safe='')}/calendarView?{stretch}&$select=start,end,showAs,isCancelled&$top=200"
            while address:
                answer = line("GET", address, of="calendar")
                spans += [
                    Span(_utc(each["start"]["dateTime"]), _utc(each["end"]["dateTime"]))
                    for each in answer.get("value") or ()
                    if not each.get("isCancelled") and each.get("showAs") not in FREE
                ]
                address = str(answer.get("@odata.nextLink") or "")
        return sorted(spans)

    def open(self, vault: Vault, *, link: str, calendar: str, mark: str, zone: str, calls: Callable[[str], None]) -> Remote:
        return GraphCalendar(self._line(vault, calls), calendar, Names(mark=mark, link=link, zone=zone))

    def revoke(self, vault: Vault) -> None:
        """Microsoft has no address for it: forgetting the tokens is all that can be done from here."""

    def _line(self, vault: Vault, calls: Callable[[str], None]) -> Line:
        return Line(self._send, self._graph, _Access(self, vault, self._clock).bearer, calls)

    def _application(self, cache: msal.SerializableTokenCache) -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=self._client_secret,
            authority=self._authority,
            instance_discovery=self._discovery,
            http_client=_Http(self._send),
            token_cache=cache,
        )

    def token(self, cache: msal.SerializableTokenCache) -> tuple[str, int]:
        """A new access token of the account in the cache and the seconds it lives; the cache changes when the refresh token rotates.
        Raises Disconnected, Unreachable."""
        application = self._application(cache)
        accounts = application.get_accounts()
        if not accounts:
            raise Disconnected("The access is not complete. Please connect the account again.")
        answer = self._said(
            lambda: (
                application.acquire_token_silent_with_error(list(SCOPES), account=accounts[0], force_refresh=True)
                or {"error": "invalid_grant"}
            )
        )
        return str(answer["access_token"]), int(answer.get("expires_in") or 0)

    def _said(self, ask: Callable[[], Any]) -> Mapping[str, Any]:
        """The library's answer, its errors as ours."""
        try:
            answer = ask()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:  # half an answer takes the library by surprise
            raise Unreachable("Microsoft does not answer.") from error
        if isinstance(answer, dict) and "access_token" in answer:
            return answer
        told = answer if isinstance(answer, dict) else {}
        code, text = str(told.get("error") or ""), str(told.get("error_description") or "")
        if any(mark in text or mark in code for mark in _ADMIN):
            raise Disconnected("The administrator of your organisation has to allow this app first.", admin=True)
        if code in ("invalid_client", "unauthorized_client"):
            raise Disconnected("Microsoft does not know this gateway: its client id and secret do not fit. Ask whoever runs the server.")
        if code in ("invalid_grant", "interaction_required", "login_required", "consent_required"):
            raise Disconnected("Microsoft no longer accepts the access. Please connect the account again.")
        raise Unreachable("Microsoft does not answer as expected.")


class _Access:
    """The access of one account for one turn: the library's cache, and the access token beside it.

    The library would find its own access token only under the very names of scopes it asked for, and Microsoft answers with others: it
    would spend a refresh token on every turn. What has changed is kept before anything is done with it.
    """

    MARGIN = timedelta(minutes=5)

    def __init__(self, house: GraphHouse, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._house = house
        self._vault = vault
        self._clock = clock
        self._token = ""

    def bearer(self, renew: bool) -> str:
        if self._token and not renew:
            return self._token
        kept = json.loads(self._vault.read())
        if not renew and kept.get("token") and datetime.fromisoformat(kept["until"]) - self.MARGIN > self._clock():
            self._token = str(kept["token"])
            return self._token
        cache = msal.SerializableTokenCache()
        cache.deserialize(kept["cache"])
        token, until = "", self._clock()
        try:
            token, seconds = self._house.token(cache)
            until += timedelta(seconds=seconds)
        finally:
            if cache.has_state_changed or token:
                self._vault.keep(kept_as(cache, token, until))
        self._token = token
        return token


def kept_as(cache: msal.SerializableTokenCache, token: str, until: datetime) -> bytes:
    """The credential of an account, for the store to seal."""
    return json.dumps({"cache": cache.serialize(), "token": token, "until": until.isoformat()}).encode()


class _Http:
    """What msal sends through."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get(self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: object) -> _Answer:
        return _Answer(*self._send("GET", url + (f"?{urlencode(params)}" if params else ""), headers or {}, None))

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _Answer:
        octets = data.encode() if isinstance(data, str) else urlencode(data or {}).encode()
        sent = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
        return _Answer(*self._send("POST", url + (f"?{urlencode(params)}" if params else ""), sent, octets))

    def close(self) -> None:
        """Nothing is kept open."""


class _Answer:
    """An answer as msal reads it."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status_code = status
        self.headers = headers
        self.text = content.decode("utf-8", "replace")

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise OSError(f"status {self.status_code}")

    def json(self) -> Any:
        return json.loads(self.text)


def _nonce(verifier: str) -> str:
    """What ties the identity token to this consent; msal compares its SHA-256 with what the token says."""
    return hashlib.sha256(b"nonce " + verifier.encode()).hexdigest()[:32]


def _nobody(kind: str) -> None:
    """Nobody counts."""


def _moment(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(str(text).rstrip("Z")[:26]).replace(tzinfo=UTC)
