"""Access to accounts at Microsoft: tokens that renew themselves and rotate, and the whole company's own; msal speaks through here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msal

from gateway.bridge.graph.problems import wait
from gateway.bridge.remote import Disconnected, Throttled, Unreachable, Vault
from gateway.bridge.sending import Send

SCOPES = ("Calendars.ReadWrite", "User.Read")
SIGN_IN = ("openid", "profile", "offline_access")
MARGIN = timedelta(minutes=5)
"""A token is renewed so long before it ends."""

_ADMIN = ("AADSTS90094", "AADSTS90093", "AADSTS90095", "admin_consent")
_WRONG_KIND = ("AADSTS50020", "AADSTS500200", "AADSTS50034")
_UNKNOWN_APP = ("AADSTS700016", "AADSTS7000215", "AADSTS7000222", "AADSTS50194")
_ENDED = ("invalid_grant", "interaction_required", "login_required", "consent_required")

AGAIN = "Microsoft no longer accepts the access. Please connect the account again."
WRONG_KIND = (
    "This is another kind of account. Please use the button “Outlook.com” for a personal one, “Microsoft 365” for one of work or school."
)
UNKNOWN_APP = "Microsoft does not know this gateway: its client id and secret do not fit. Ask whoever runs the server."


@dataclass(frozen=True, kw_only=True, slots=True)
class Office:
    """The application as it is registered with Microsoft, for one kind of account. Thread-safe: nothing is kept between calls."""

    send: Send
    client_id: str
    client_secret: str
    place: str  # https://login.microsoftonline.com
    tenant: str  # "consumers", "organizations", or one organisation
    discovery: bool

    @property
    def authority(self) -> str:
        return f"{self.place}/{self.tenant}"

    def application(self, cache: msal.TokenCache | None = None, tenant: str = "") -> msal.ConfidentialClientApplication:
        """Raises what `said` understands."""
        return msal.ConfidentialClientApplication(
            self.client_id,
            client_credential=self.client_secret,
            authority=f"{self.place}/{tenant or self.tenant}",
            instance_discovery=None if self.discovery else False,
            http_client=_Http(self.send),
            token_cache=cache,
        )

    def renewed(self, cache: msal.SerializableTokenCache) -> tuple[str, int]:
        """A new access token of the account in the cache, and the seconds it lives; the refresh token in the cache rotates.

        Raises Disconnected, Throttled, Unreachable.
        """

        def ask() -> Any:
            application = self.application(cache)
            accounts = application.get_accounts()
            if not accounts or not list(cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN)):
                return {"error": "invalid_grant"}
            return application.acquire_token_silent_with_error(list(SCOPES), account=accounts[0], force_refresh=True)

        return _token(self.said(ask))

    def own(self, tenant: str, resource: str) -> tuple[str, int]:
        """A token of the application itself in an organisation whose administrator has agreed. Raises as `renewed`."""
        return _token(self.said(lambda: self.application(tenant=tenant).acquire_token_for_client([f"{resource}/.default"])))

    def said(self, ask: Callable[[], Any], otherwise: str = AGAIN) -> Mapping[str, Any]:
        """The library's answer, its errors as ours; `otherwise` is what a refusal means that nothing else is known of."""
        try:
            answer = ask()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:  # half an answer takes it by surprise
            raise Unreachable("Microsoft does not answer.") from error
        told = answer if isinstance(answer, dict) else {}
        if "access_token" in told:
            return told
        code, text = str(told.get("error") or ""), str(told.get("error_description") or "")
        if any(mark in text or mark in code for mark in _ADMIN):
            address = f"{self.authority}/adminconsent?client_id={self.client_id}"
            raise Disconnected(f"The administrator of your organisation has to allow this app first, at {address}", admin=True)
        if any(mark in text for mark in _WRONG_KIND):
            raise Disconnected(WRONG_KIND)
        if code in ("invalid_client", "unauthorized_client") or any(mark in text for mark in _UNKNOWN_APP):
            raise Disconnected(UNKNOWN_APP)
        if code in _ENDED:
            raise Disconnected(otherwise)
        raise Unreachable("Microsoft does not answer as expected.")


def _token(answer: Mapping[str, Any]) -> tuple[str, int]:
    return str(answer["access_token"]), int(answer.get("expires_in") or 0)


class Tokens:
    """The application's own tokens, one for each organisation. Thread-safe; they are fetched again after a restart."""

    def __init__(self, office: Office, graph_url: str, clock: Callable[[], datetime]) -> None:
        parts = urlsplit(graph_url)
        self._office = office
        self._resource = f"{parts.scheme}://{parts.netloc}"
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[str, tuple[str, datetime]] = {}

    def of(self, tenant: str, *, renew: bool = False) -> str:
        with self._lock:
            token, until = self._kept.get(tenant, ("", self._clock()))
        if token and not renew and until - MARGIN > self._clock():
            return token
        token, seconds = self._office.own(tenant, self._resource)
        with self._lock:
            self._kept[tenant] = token, self._clock() + timedelta(seconds=seconds)
        return token


class Access:
    """The access of one account for one turn: the library's cache with the access token beside it, or a mailbox of a whole company.

    The library would find its own access token only under the very names of scopes it asked for, and Microsoft answers with others: it
    would spend a refresh token on every turn. A rotated one is kept before anything is done with it.
    """

    def __init__(self, office: Office, tokens: Tokens, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._office = office
        self._tokens = tokens
        self._vault = vault
        self._clock = clock
        self._credential = vault.read()
        self._token = ""

    @property
    def root(self) -> str:
        """Whose mailbox it is, as addresses have it."""
        kept = json.loads(self._credential)
        return f"/users/{quote(kept['user'], safe='')}" if kept.get("tenant") else "/me"

    def bearer(self, renew: bool) -> str:
        """An access token, a new one if wished or needed. Raises Disconnected, Throttled, Unreachable."""
        kept = json.loads(self._credential)
        if kept.get("tenant"):
            return self._tokens.of(kept["tenant"], renew=renew)
        if not renew and self._token:
            return self._token
        if not renew and _lives(kept, self._clock()):
            self._token = str(kept["token"])
            return self._token
        self._token = self._renewed()
        return self._token

    def _renewed(self) -> str:
        """With the newest refresh token there is: another worker may have used ours meanwhile, and kept its successor."""
        used = b""
        while True:
            self._credential = self._vault.read()
            cache = msal.SerializableTokenCache()
            cache.deserialize(json.loads(self._credential)["cache"])
            try:
                token, seconds = self._office.renewed(cache)
            except Disconnected:
                used = self._credential
                if self._vault.read() == used:
                    raise
                continue
            self._credential = kept_as(cache, token, self._clock() + timedelta(seconds=seconds))
            self._vault.keep(self._credential)
            return token


def _lives(kept: Mapping[str, Any], now: datetime) -> bool:
    return bool(kept.get("token")) and datetime.fromisoformat(kept["until"]) - MARGIN > now


def kept_as(cache: msal.SerializableTokenCache, token: str, until: datetime) -> bytes:
    """The credential of an account, for the store to seal."""
    return json.dumps({"cache": cache.serialize(), "token": token, "until": until.isoformat()}).encode()


def mailbox_of(tenant: str, user: str) -> bytes:
    """The credential of a mailbox that the company's administrator has opened to us: nothing in it is secret."""
    return json.dumps({"tenant": tenant, "user": user}).encode()


class _Http:
    """What msal sends through: our own sender, and never the environment's proxies or authorities."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get(self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: object) -> _Answer:
        answer = self._asked("GET", url, params, headers or {}, None)
        if answer.status_code in (400, 404):
            raise Disconnected("Microsoft does not know this organisation.")
        return answer

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _Answer:
        octets = data.encode() if isinstance(data, str) else urlencode(data or {}).encode()
        return self._asked("POST", url, params, {"content-type": "application/x-www-form-urlencoded", **(headers or {})}, octets)

    def _asked(self, method: str, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str], octets: bytes | None) -> _Answer:
        """Raises OSError, and what no caller of the library would ever hear of: Throttled."""
        status, found, content = self._send(method, url + (f"?{urlencode(params)}" if params else ""), headers, octets)
        if status == 429 or (status == 503 and "retry-after" in found):
            raise Throttled("Microsoft asks for patience.", wait=wait(found))
        if status >= 500:
            raise OSError(f"status {status}")
        return _Answer(status, found, content)

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
