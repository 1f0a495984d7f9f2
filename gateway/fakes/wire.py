"""Requests and answers as values: what travels between a fake provider and its callers, without any server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]  # Any: whatever JSON holds; every reader checks what it takes out

JSON = "application/json; charset=utf-8"


class Rejected(Exception):
    """Ends the work on a request with this answer; nothing has been changed."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request. `target` is the path with its query as sent, percent-encoded; `base` the scheme and host the caller used."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    base: str = ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def first(self, name: str, default: str = "") -> str:
        """The first query parameter of that name."""
        return next((value for key, value in self.query if key == name), default)

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]

    def form(self) -> dict[str, str]:
        """The body of an HTML form. Empty when it is none."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            return {}

    def json(self) -> Json | None:
        """The body as a JSON object, an empty one when there is no body. None: it is something else."""
        if not self.body:
            return {}
        try:
            read = json.loads(self.body)
        except ValueError:
            return None
        return read if isinstance(read, dict) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, body: object, status: int = 200, **headers: str) -> Reply:
        """An answer in JSON. Header names are written with underscores: `Retry_After="5"`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status=status, headers={"Content-Type": JSON} | named, body=json.dumps(body, ensure_ascii=False).encode())

    @property
    def json(self) -> Any:  # Any: tests look into it
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One request the provider makes: a notification."""

    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What an address answered."""

    status: int
    kind: str  # its Content-Type
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """An answer that depends on what other addresses say within so many seconds; None stands for one that said nothing."""

    outgoing: Sequence[Outgoing]
    seconds: float
    then: Callable[[Sequence[Heard | None]], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """An address: method and pattern ("/events/{id}", a name for every segment that varies), and who answers there."""

    method: str
    pattern: str
    name: str
    answer: Callable[..., Reply | Ask]

    def match(self, path: str) -> dict[str, str] | None:
        found = _compiled(self.pattern).fullmatch(path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


_COMPILED: dict[str, re.Pattern[str]] = {}


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern not in _COMPILED:
        literal = (re.escape(part) if not part.startswith("{") else f"(?P<{part[1:-1]}>[^/]+)" for part in re.split(r"(\{\w+\})", pattern))
        _COMPILED[pattern] = re.compile("".join(literal))
    return _COMPILED[pattern]


def loopback(address: str) -> bool:
    """Whether the address is on this machine: a fake speaks to no other."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
