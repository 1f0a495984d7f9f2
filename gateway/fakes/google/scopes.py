"""Which consents allow which method, and how far each of them reaches. A test compares the table with the discovery document."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

PREFIX = "https://www.googleapis.com/auth/"

_READ = ("calendar.readonly", "calendar.events.readonly", "calendar.events.public.readonly", "calendar.events.owned.readonly")
_WRITE = ("calendar", "calendar.app.created", "calendar.events", "calendar.events.owned")
_LOOK = (*_WRITE, "calendar.events.freebusy", *_READ)
_CALENDAR = ("calendar", "calendar.app.created", "calendar.calendars")
_LISTED = ("calendar", "calendar.calendarlist", "calendar.calendarlist.readonly", "calendar.readonly")

ALLOWED: dict[str, tuple[str, ...]] = {
    "events.list": _LOOK,
    "events.get": _LOOK,
    "events.instances": _LOOK,
    "events.watch": _LOOK,
    "events.insert": _WRITE,
    "events.import": _WRITE,
    "events.patch": _WRITE,
    "events.update": _WRITE,
    "events.delete": _WRITE,
    "events.move": ("calendar", "calendar.events", "calendar.events.owned"),
    "calendars.insert": _CALENDAR,
    "calendars.delete": _CALENDAR,
    "calendars.patch": _CALENDAR,
    "calendars.get": (*_CALENDAR, "calendar.calendars.readonly", "calendar.readonly"),
    "calendarList.list": _LISTED,
    "calendarList.get": (*_LISTED, "calendar.app.created"),
    "freebusy.query": ("calendar", "calendar.events.freebusy", "calendar.freebusy", "calendar.readonly"),
    "channels.stop": (
        *_LOOK,
        "calendar.acls",
        "calendar.acls.readonly",
        "calendar.calendarlist",
        "calendar.calendarlist.readonly",
        "calendar.settings",
        "calendar.settings.readonly",
    ),
}

KNOWN = frozenset(scope for scopes in ALLOWED.values() for scope in scopes) | {
    "openid",
    "email",
    "profile",
    "userinfo.email",
    "userinfo.profile",
}


class Reach(IntEnum):
    """The calendars a method may touch."""

    NONE = 0
    CREATED = 1  # those the calling client created
    OWNED = 2
    ALL = 3


def short(scope: str) -> str:
    return scope.removeprefix(PREFIX)


def reach(method: str, granted: Iterable[str]) -> Reach:
    """How far the consents go together."""
    allowed = {short(scope) for scope in granted} & set(ALLOWED[method])
    return max((_reach(scope) for scope in allowed), default=Reach.NONE)


def _reach(scope: str) -> Reach:
    if scope == "calendar.app.created":
        return Reach.CREATED
    return Reach.OWNED if "events.owned" in scope else Reach.ALL
