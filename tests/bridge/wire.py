"""A clock that stands, and a wire to a fake provider: requests as values, remembered, without sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.fakes.provider import Provider as Fake
from gateway.fakes.wire import Ask, Request

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday; 09:00 in Paris
BASE = "https://provider.example"


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Wire:
    """Requests to the fake, as values; `cut` may break any of them, by its number."""

    provider: Fake
    sent: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    cut: Callable[[int, str, str], None] | None = None

    def __call__(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        self.sent.append((method, address))
        self.bodies.append(body or b"")
        if self.cut is not None:
            self.cut(len(self.sent), method, address)
        named = {name.lower(): value for name, value in headers.items()}
        outcome = self.provider.answer(
            Request(method=method, target=address.removeprefix(BASE), headers=named, body=body or b"", base=BASE)
        )
        if isinstance(outcome.result, Ask):
            raise OSError("nobody is asked back here")
        reply = outcome.result
        if outcome.breakage in ("reset", "blackhole"):
            raise OSError(outcome.breakage)
        if outcome.breakage == "truncate":
            return reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body[: len(reply.body) // 2]
        return reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body

    def writes(self, since: int = 0) -> list[tuple[str, str]]:
        return [each for each in self.sent[since:] if each[0] != "GET" and "/events" in each[1]]

    def lists(self, since: int = 0) -> list[tuple[str, str]]:
        return [each for each in self.sent[since:] if each[0] == "GET" and each[1].partition("?")[0].endswith(("/events", "/delta"))]
