"""A wire for tests of Graph's adapter: it remembers headers, may answer instead of the fake or change what that says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gateway.bridge.graph.calendar import GraphCalendar
from gateway.bridge.sending import Answer
from gateway.fakes.microsoft import Microsoft
from gateway.fakes.microsoft.state import Mailbox, MicrosoftKnobs
from gateway.fakes.wire import Ask, Heard, Reply, Request
from tests.bridge.contract import Setting
from tests.bridge.wire import BASE, Wire

Instead = Callable[[str, str], Answer | None]
"""(method, path) -> what is answered instead of the fake's answer."""


@dataclass
class Telling(Wire):
    """`instead` may answer, `mangle` may change what the fake has answered to a GET of that path."""

    headers: list[Mapping[str, str]] = field(default_factory=list)
    instead: Instead | None = None
    mangle: Callable[[str, Any], Any] | None = None
    heard: Heard | None = None  # what addresses answer to a handshake; None: what they should
    asked: list[str] = field(default_factory=list)

    def __call__(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        self.headers.append({name.lower(): value for name, value in headers.items()})
        told = self.instead(method, urlsplit(address).path) if self.instead else None
        if told is not None:
            self.sent.append((method, address))
            self.bodies.append(body or b"")
            return told
        if method == "POST" and address.endswith("/subscriptions"):
            return self._subscribed(address, body or b"")
        status, answered, content = super().__call__(method, address, headers, body)
        if self.mangle and method == "GET" and status == 200 and "/v1.0/" in address:
            content = json.dumps(self.mangle(urlsplit(address).path, json.loads(content))).encode()
        return status, answered, content

    def _subscribed(self, address: str, body: bytes) -> Answer:
        self.sent.append(("POST", address))
        self.bodies.append(body)
        outcome = self.provider.answer(Request(method="POST", target=address.removeprefix(BASE), headers=self.headers[-1], body=body))
        if isinstance(outcome.result, Ask):
            self.asked = [each.url for each in outcome.result.outgoing]
            outcome = self.provider.resume(outcome, [self.heard or _echoed(each.url) for each in outcome.result.outgoing])
        assert isinstance(outcome.result, Reply)
        return outcome.result.status, {}, outcome.result.body


def _echoed(address: str) -> Heard:
    return Heard(status=200, kind="text/plain", text=parse_qs(urlsplit(address).query)["validationToken"][0])


def telling(setting: Setting) -> Telling:
    """The setting's wire, which is such a one."""
    assert isinstance(setting.wire, Telling)
    return setting.wire


def exchange(setting: Setting) -> Microsoft:
    assert isinstance(setting.fake, Microsoft)
    return setting.fake


def knobs(setting: Setting) -> MicrosoftKnobs:
    return exchange(setting).knobs


def mailbox(setting: Setting) -> Mailbox:
    return exchange(setting).world.mailboxes[setting.login]


def opened(setting: Setting, calendar: str = "", link: str = "link") -> GraphCalendar:
    found = setting.open(calendar=calendar, link=link)
    assert isinstance(found, GraphCalendar)
    return found


def problem(status: int, code: str, **headers: str) -> Answer:
    """Graph's error body."""
    error = {"error": {"code": code, "message": "So it is.", "innerError": {"date": "2026-03-02T08:00:00"}}}
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return status, {"content-type": "application/json", **named}, json.dumps(error).encode()


def page(status: int) -> Answer:
    """What a proxy or a captive portal says."""
    return status, {"content-type": "text/html"}, b"<html><body>Sign in to the guest network</body></html>"
