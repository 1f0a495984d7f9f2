"""Wires for tests of Google's adapter: one that remembers headers and may answer by itself instead of the fake."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from gateway.bridge.sending import Answer
from tests.bridge.contract import Setting
from tests.bridge.wire import Wire

Instead = Callable[[str, str], Answer | None]
"""(method, path) -> what is answered instead of the fake's answer."""


@dataclass
class Telling(Wire):
    """Remembers headers; `instead` may answer, `mangle` may change what the fake has answered."""

    headers: list[Mapping[str, str]] = field(default_factory=list)
    instead: Instead | None = None
    mangle: Callable[[bytes], bytes] | None = None

    def __call__(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        self.headers.append({name.lower(): value for name, value in headers.items()})
        told = self.instead(method, urlsplit(address).path) if self.instead else None
        if told is not None:
            self.sent.append((method, address))
            self.bodies.append(body or b"")
            return told
        status, answered, content = super().__call__(method, address, headers, body)
        return status, answered, self.mangle(content) if self.mangle else content


def telling(setting: Setting) -> Telling:
    """The setting's wire, which is such a one."""
    assert isinstance(setting.wire, Telling)
    return setting.wire


def events(answer: Answer) -> Instead:
    """That answer to whatever is asked about events; everything else is the fake's."""
    return lambda method, path: answer if "/events" in path else None


def problem(status: int, reason: str, domain: str = "global", **headers: str) -> Answer:
    """Google's error body."""
    error = {"errors": [{"domain": domain, "reason": reason, "message": "So it is."}], "code": status, "message": "So it is."}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"content-type": "application/json", **named}, json.dumps({"error": error}).encode()


def page(status: int) -> Answer:
    """What a proxy or a captive portal says."""
    return status, {"content-type": "text/html"}, b"<html><body>Sign in to the guest network</body></html>"


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)
