"""People who sign in with an identity provider: OpenID Connect's authorization code flow with PKCE (OIDC Core 1.0 §3.1, RFC 7636).

promise = Promise.made()                          kept in the browser, sealed
address = provider.consent(promise)               where the browser goes
email = provider.redeem(promise, code, state, now)  when it comes back
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from gateway import tokens
from gateway.errors import Unavailable
from gateway.tokens import Untrusted

Send = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, Mapping[str, str], bytes]]
"""(method, address, headers, body) -> (status, headers, body). Raises OSError when there is no answer."""

_ID_TOKENS = ("", "jwt")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What only the browser that was sent away can know: nobody else's answer is taken."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def made(cls) -> Promise:
        return cls(state=secrets.token_urlsafe(24), nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48))


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """An identity provider, known by its issuer alone: the rest is in its metadata (RFC 8414). Thread-safe."""

    issuer: str
    client_id: str
    client_secret: str
    redirect: str
    claim: str
    send: Send

    def consent(self, promise: Promise) -> str:
        """The address the browser is sent to. Raises Unavailable, Untrusted."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(promise.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect,
            "scope": "openid email",
            "state": promise.state,
            "nonce": promise.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = self._address(self._metadata(), "authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def redeem(self, promise: Promise, code: str, state: str, now: datetime) -> str:
        """The e-mail address of whoever has signed in there. Raises Untrusted for an answer that proves nothing, Unavailable."""
        if not hmac.compare_digest(promise.state.encode(), state.encode()):
            raise Untrusted("another state")
        metadata = self._metadata()
        token = self._answer(*self._exchange(metadata, promise, code)).get("id_token")
        if not isinstance(token, str):
            raise Untrusted("no identity in the answer")
        try:
            keys = tokens.keys_in(self._got(self._address(metadata, "jwks_uri")))
        except ValueError as error:
            raise Untrusted("no keys") from error
        claims = tokens.claims_of(token, keys, issuer=self.issuer, audience=self.client_id, types=_ID_TOKENS, now=now)
        if claims.get("azp", self.client_id) != self.client_id:
            raise Untrusted("made for somebody else")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), promise.nonce.encode()):
            raise Untrusted("another nonce")
        return tokens.address_of(claims, self.claim)

    def _exchange(self, metadata: Mapping[str, Any], promise: Promise, code: str) -> tuple[int, bytes]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": promise.verifier,
            "client_id": self.client_id,
        }
        headers = {"Content-Type": _FORM, "Accept": "application/json"}
        if self.client_secret:
            if "client_secret_basic" in metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
                pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"  # RFC 6749 §2.3.1
                headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
            else:
                form["client_secret"] = self.client_secret
        return self._sent("POST", self._address(metadata, "token_endpoint"), headers, urlencode(form).encode())

    def _metadata(self) -> Mapping[str, Any]:
        found = self._answer(200, self._got(self.issuer.rstrip("/") + "/.well-known/openid-configuration"))
        if found.get("issuer") != self.issuer:
            raise Untrusted("the metadata is of another issuer")
        return found

    def _address(self, metadata: Mapping[str, Any], name: str) -> str:
        """One of the provider's addresses; over TLS, unless the issuer itself is not."""
        address = metadata.get(name)
        if not isinstance(address, str) or urlsplit(address).scheme not in ("https", urlsplit(self.issuer).scheme):
            raise Untrusted(f"no {name}")
        return address

    def _got(self, address: str) -> bytes:
        status, body = self._sent("GET", address, {"Accept": "application/json"}, None)
        if status != 200:
            raise Unavailable(f"The identity provider answers {status}.")
        return body

    def _sent(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        try:
            status, _, content = self.send(method, address, headers, body)
        except OSError as error:
            raise Unavailable("The identity provider does not answer.") from error
        return status, content

    @staticmethod
    def _answer(status: int, body: bytes) -> Mapping[str, Any]:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise Untrusted("not JSON") from None
        if status != 200 or not isinstance(found, dict):
            raise Untrusted(f"the provider answers {status}")
        return found
