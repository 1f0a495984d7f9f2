"""An identity provider on loopback: metadata, keys, codes and identities, as OpenID Connect wants them, and wrong ones on request."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.dav.test_tokens import EC, jwk, token

CLIENT, SECRET = "calendar gateway", "not:a secret/really"


@dataclass
class Issuer:
    """What it answers with. `claims` and `metadata` replace or add; `key` signs."""

    url: str = ""
    email: str = ""
    now: float = 0.0
    head: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    key: Any = EC
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def consent(self, address: str) -> tuple[str, str]:
        """What the browser does there: (code, state)."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert set(asked["scope"].split()) == {"openid", "email"}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return code, asked["state"]

    def answer(self, method: str, path: str, headers: dict[str, str], body: str) -> tuple[int, Any]:
        self.seen.append((f"{method} {path}", headers, body))
        if self.status != 200:
            return self.status, {}
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                **self.metadata,
            }
        if path == "/keys":
            return 200, {"keys": [jwk(EC, "e", use="sig", alg="ES256")]}
        return self._token(parse_qs(body), headers)

    def _token(self, form: dict[str, list[str]], headers: dict[str, str]) -> tuple[int, Any]:
        asked = self.codes.pop(form["code"][0], None)
        if asked is None:
            return 400, {"error": "invalid_grant"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest()).rstrip(b"=").decode()
        assert challenge == asked["code_challenge"]
        assert form["redirect_uri"][0] == asked["redirect_uri"]
        told = {"iss": self.url, "aud": CLIENT, "email": self.email, "nonce": asked["nonce"], "iat": self.now, "exp": self.now + 300}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token(self.key, self.head, **(told | self.claims))}


@contextmanager
def running() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def _answer(self, body: str) -> None:
            status, content = issuer.answer(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            octets = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
