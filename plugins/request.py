"""A CalDAV request and its answer as values, and the preconditions in its headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.errors import Conflict, Invalid
from gateway.model import Actor, StaffId
from gateway.store import Delegation, Login
from plugins.multistatus import CONTENT_TYPE
from plugins.place import REGISTRATIONS, Place
from plugins.prefer import NONE, Preferences

if TYPE_CHECKING:  # what is announced of them asks requests
    from plugins.publishing import Press
    from plugins.push import Push

_TAG = re.compile(r'(W/)?"([^"]*)"')
_REGISTERED = re.compile(rf"/{REGISTRATIONS}/([0-9a-f]{{32}})(?![^\",\s])")


BRIEF = "gateway.brief"
"""In the WSGI environment, as the front door has it: True asks for an answer only if it costs little; it is made False if it does not."""


class _Keys(dict[str, str]):
    """What WSGI calls a header. The names are those that we ask for."""

    def __missing__(self, name: str) -> str:
        made = self[name] = f"HTTP_{name.upper().replace('-', '_')}"
        return made


_KEYS = _Keys()


class Lengthy(Exception):
    """The answer takes too long for others to wait for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for (trust.md T3)."""

    object_octets: int = 1024 * 1024
    hrefs: int = 500  # of one calendar-multiget
    instances: int = 3000  # of one expansion or free-busy answer
    calendars: int = 100  # of one staff member
    principals: int = 100  # of one search or expansion: colleagues found, and hrefs followed
    properties: int = 100  # dead properties of one collection
    property_octets: int = 16 * 1024


@dataclass(kw_only=True, slots=True, eq=False)  # not frozen, which takes three times as long to make
class Request:
    """Of one thread, and never changed. `at` is the path as the client addresses it, percent-encoded; answers name the same. `head` is
    the WSGI environment."""

    method: str
    place: Place
    at: str
    prefix: str
    head: Mapping[str, Any]
    body: bytes
    login: Login
    now: datetime
    limits: Limits
    prefer: Preferences = NONE
    push: Push | None = None  # None: devices are not told of changes
    press: Press | None = None  # None: calendars cannot be published
    delegation: Delegation | None = None  # by which somebody else's home is open
    brief: bool = False  # others wait meanwhile: what takes long raises Lengthy

    @property
    def staff(self) -> StaffId:
        """Whose home it is: of whoever asks, or of who lets him in; only staff members log in here."""
        return self.viewer if self.delegation is None else self.delegation.owner

    @property
    def handle(self) -> str:
        """And by which name it is addressed."""
        return self.login.handle if self.delegation is None else self.delegation.handle

    @property
    def viewer(self) -> StaffId:
        """Who asks, in whoever's home."""
        assert self.login.staff is not None  # noqa: S101  plugins.auth lets nobody else in
        return self.login.staff

    @property
    def actor(self) -> Actor:
        return Actor(self.login.handle, "dav", self._unheard())

    def _unheard(self) -> frozenset[str]:
        """Devices that are not to be told of what the request changes (draft-bitfire-webdav-push §4.2): by the addresses of their
        registrations in quotes, which DAVx5 left out once; "*" means all."""
        named = self.header("Push-Dont-Notify")
        if not named or self.push is None:
            return frozenset()
        return frozenset("*") if named.strip() == "*" else frozenset(_REGISTERED.findall(named)[:20])

    @property
    def host(self) -> str:
        return str(self.head.get("HTTP_HOST", ""))

    def header(self, name: str) -> str:
        return str(self.head.get(_KEYS[name], ""))

    def depth(self, default: str) -> str:
        """ "0", "1" or "infinity". Raises Invalid."""
        value = (self.header("Depth") or default).lower()
        if value not in ("0", "1", "infinity"):
            raise Invalid("Depth is 0, 1 or infinity.")
        return value

    @property
    def home(self) -> Place:
        """Of whoever asks."""
        return Place(self.login.handle)

    @property
    def parent(self) -> str:
        """The address of the collection that the place lies in, percent-encoded."""
        place = self.place
        return Place(place.handle if place.slug else None, place.slug if place.name else None).path(self.prefix)


@dataclass(slots=True, eq=False)  # not frozen, as requests are not
class Answer:
    status: int
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def xml(status: int, body: bytes) -> Answer:
    return Answer(status, body, {"Content-Type": CONTENT_TYPE})


def preferred(answer: Answer, *wishes: str) -> Answer:
    """The answer, saying which preferences it heeds (RFC 7240 §3)."""
    if not wishes:
        return answer
    return replace(answer, headers={**answer.headers, "Preference-Applied": ", ".join(wishes), "Vary": "Prefer, Brief"})


def etag(epoch: str, revision: int) -> str:
    """Strong: a revision touches one entry, and the epoch changes when the database is restored (house.md §1)."""
    return f'"{epoch}-{revision}"'


def schedule_tag(epoch: str, version: int | None) -> str | None:
    """Of an appointment, by its version: it changes when times, status or anything else that concerns others change, and not with
    what a staff member's own client keeps with it (RFC 6638 §3.2.10). None: of anything else there is none."""
    return None if version is None else f'"{epoch}-v{version}"'


def check_conditions(request: Request, current: str | None, tag: str | None = None) -> None:
    """If-Match, If-None-Match and If-Schedule-Tag-Match of a write, against the ETag and the schedule tag of what is there (None:
    nothing, and none). Raises Conflict.

    If-Match compares strongly (RFC 9110 §13.1.1). If-Unmodified-Since is passed over, as RFC 9110 §13.1.4 has it where no date of
    modification is given out. If-Schedule-Tag-Match names one tag (RFC 6638 §8.3); DAVx5 sends it instead of If-Match (clients.md §8).
    """
    known = request.header("If-Schedule-Tag-Match").strip()
    if known and known != tag:
        raise Conflict("The appointment has been changed by somebody else since it was read.")
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
    """Whether If-Match, or If-Schedule-Tag-Match, says which version the client had."""
    return request.header("If-Match").strip() not in ("", "*") or bool(request.header("If-Schedule-Tag-Match").strip())


def _matches(value: str, current: str | None, *, weak: bool) -> bool:
    if value.strip() == "*":
        return current is not None
    return current is not None and any(f'"{mark}"' == current for loose, mark in _TAG.findall(value) if weak or not loose)
