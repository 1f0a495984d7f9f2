"""The access to one account at Google: a token that is renewed by Google's own library and kept before it is used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import google.auth.exceptions
import google.auth.transport
from google.oauth2.credentials import Credentials

from gateway.bridge.remote import Disconnected, RemoteError, Unreachable, Vault
from gateway.bridge.sending import Answer, Send

MARGIN = timedelta(minutes=2)
"""So long before its end a token is renewed."""

LIFE = timedelta(minutes=55)
"""Google's tokens live for an hour."""

_OURS = ("invalid_client", "unauthorized_client", "invalid_request", "unsupported_grant_type")
"""What is wrong with this gateway, not with the person's consent."""


def credential(refresh: str, token: str, until: datetime) -> bytes:
    """What the store seals for an account."""
    return json.dumps({"refresh_token": refresh, "access_token": token, "until": until.isoformat()}).encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """Who we are at Google's token endpoint."""

    send: Send
    client_id: str
    client_secret: str
    token_uri: str

    def refreshed(self, refresh: str) -> tuple[str, str]:
        """(access token, refresh token, which is a new one where Google rotates it). Once, without the library's own retries, which would
        sleep. Raises Disconnected, Unreachable."""
        credentials = Credentials(  # type: ignore[no-untyped-call]  # the library has no types here
            None, refresh_token=refresh, token_uri=self.token_uri, client_id=self.client_id, client_secret=self.client_secret
        )
        try:
            credentials.refresh(_Carrier(self.send))  # type: ignore[no-untyped-call]  # as above
        except google.auth.exceptions.RefreshError as error:
            raise _refused(error) from error
        except (google.auth.exceptions.GoogleAuthError, TypeError, AttributeError) as error:  # an answer of another shape surprises it
            raise Unreachable("Google does not answer.") from error
        return str(credentials.token), str(credentials.refresh_token or refresh)


def _refused(error: google.auth.exceptions.RefreshError) -> RemoteError:
    told: Any = error.args[1] if len(error.args) > 1 else {}
    code = str(told.get("error", "")) if isinstance(told, dict) else ""
    if code in _OURS:
        return Unreachable("Google does not know this gateway: its client id and secret do not fit. Ask whoever runs the server.")
    if code in ("access_denied", "admin_policy_enforced"):
        return Disconnected("The administrator of your organisation has to allow this app first.", admin=True)
    return Disconnected("Google no longer accepts the access. Please connect the account again.")


class Access:
    """The access token of one account for one turn; a new one is kept at once. Not thread-safe."""

    def __init__(self, client: Client, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._vault = vault
        self._clock = clock
        self._token = ""

    def bearer(self, renew: bool) -> str:
        """Raises Disconnected, Unreachable."""
        if self._token and not renew:
            return self._token
        kept = json.loads(self._vault.read())
        fresh = bool(kept.get("access_token")) and datetime.fromisoformat(kept["until"]) - MARGIN > self._clock()
        if fresh and not (renew and kept["access_token"] == self._token):
            self._token = str(kept["access_token"])  # kept earlier, or by somebody else since ours was refused
            return self._token
        self._token, refresh = self._client.refreshed(str(kept["refresh_token"]))
        self._vault.keep(credential(refresh, self._token, self._clock() + LIFE))
        return self._token


class _Carrier(google.auth.transport.Request):
    """Google's authentication over our own sender. Trouble and half an answer end it at once."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def __call__(self, url: str, method: str = "GET", body: Any = None, headers: Any = None, timeout: Any = None, **_: Any) -> Any:
        octets = body.encode() if isinstance(body, str) else body
        try:
            answer = self._send(method, url, headers or {}, octets)
            sound = answer[0] < 500 and answer[0] not in (408, 429) and isinstance(json.loads(answer[2]), dict)
        except (OSError, ValueError) as error:
            raise google.auth.exceptions.TransportError(str(error)) from error  # type: ignore[no-untyped-call]  # as above
        if not sound:
            raise google.auth.exceptions.TransportError(f"status {answer[0]}")  # type: ignore[no-untyped-call]  # as above
        return _Carried(answer)


class _Carried(google.auth.transport.Response):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer[0]

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer[1]

    @property
    def data(self) -> bytes:
        return self._answer[2]
