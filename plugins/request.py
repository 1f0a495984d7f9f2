"""A CalDAV request and its answer as values, and the preconditions in its headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.errors import Conflict, Invalid
from gateway.model import Actor, StaffId
from gateway.store import Login
from plugins.multistatus import CONTENT_TYPE
from plugins.place import Place

_TAG = re.compile(r'(W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for (trust.md T3)."""

    object_octets: int = 1024 * 1024
    hrefs: int = 500  # of one calendar-multiget
    instances: int = 3000  # of one expansion or free-busy answer
    calendars: int = 100  # of one staff member
    properties: int = 100  # dead properties of one collection
    property_octets: int = 16 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """`at` is the path as the client addresses it, percent-encoded; answers name the same. `head` is the WSGI environment."""

    method: str
    place: Place
    at: str
    prefix: str
    head: Mapping[str, Any]
    body: bytes
    login: Login
    now: datetime
    limits: Limits

    @property
    def staff(self) -> StaffId:
        """Whose home it is; only staff members log in here."""
        assert self.login.staff is not None  # noqa: S101  plugins.auth lets nobody else in
        return self.login.staff

    @property
    def actor(self) -> Actor:
        return Actor(self.login.handle, "dav")

    @property
    def host(self) -> str:
        return str(self.head.get("HTTP_HOST", ""))

    def header(self, name: str) -> str:
        return str(self.head.get(f"HTTP_{name.upper().replace('-', '_')}", ""))

    def depth(self, default: str) -> str:
        """ "0", "1" or "infinity". Raises Invalid."""
        value = (self.header("Depth") or default).lower()
        if value not in ("0", "1", "infinity"):
            raise Invalid("Depth is 0, 1 or infinity.")
        return value

    @property
    def home(self) -> Place:
        return Place(self.login.handle)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def xml(status: int, body: bytes) -> Answer:
    return Answer(status, body, {"Content-Type": CONTENT_TYPE})


def etag(epoch: str, revision: int) -> str:
    """Strong: a revision touches one entry, and the epoch changes when the database is restored (house.md §1)."""
    return f'"{epoch}-{revision}"'


def check_conditions(request: Request, current: str | None) -> None:
    """If-Match and If-None-Match of a write, against the ETag of what is there (None: nothing). Raises Conflict.

    If-Match compares strongly (RFC 9110 §13.1.1). If-Schedule-Tag-Match is refused when it is sent: no schedule tag was ever given.
    """
    if request.header("If-Schedule-Tag-Match"):
        raise Conflict("There are no schedule tags here.")
    check_match(request, current)
    unwanted = request.header("If-None-Match")
    if unwanted and _matches(unwanted, current, weak=True):
        raise Conflict("There is already an object at this address.")


def check_match(request: Request, current: str | None) -> None:
    """If-Match alone. Raises Conflict."""
    wanted = request.header("If-Match")
    if wanted and not _matches(wanted, current, weak=False):
        raise Conflict("The object has changed since it was read.")


def unchanged(request: Request, current: str) -> bool:
    """Whether GET may answer 304."""
    known = request.header("If-None-Match")
    return bool(known) and _matches(known, current, weak=True)


def names_a_version(request: Request) -> bool:
    """Whether If-Match says which version the client had."""
    return request.header("If-Match").strip() not in ("", "*")


def _matches(value: str, current: str | None, *, weak: bool) -> bool:
    if value.strip() == "*":
        return current is not None
    return current is not None and any(f'"{mark}"' == current for loose, mark in _TAG.findall(value) if weak or not loose)
