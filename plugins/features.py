"""What the CalDAV side can do, in tables: the classes it announces, and which methods and reports which kind of resource answers.

OPTIONS and supported-report-set are read from here, so that whoever builds a new room adds a line and both tell the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from plugins.multistatus import CALDAV, DAV, SERVER
from plugins.place import APPOINTMENTS, INBOX, OUTBOX, PROXY_READ, PROXY_WRITE, REGISTRATIONS, Place, is_view


class Kind(StrEnum):
    """What a path names, whether or not there is something: a stranger who asks for OPTIONS learns no more."""

    ROOT = "root"
    HOME = "home"  # a staff member's calendar home, which is his principal too
    PERSON = "person"  # the principal of a colleague
    APPOINTMENTS = "appointments"
    PERSONAL = "personal"
    VIEW = "view"
    OBJECT = "object"
    VIEW_OBJECT = "view-object"
    REGISTRATION = "registration"  # of a device that is told of changes
    INBOX = "inbox"
    OUTBOX = "outbox"
    PROXY_READ = "proxy-read"  # the group of those who may read a home's calendars
    PROXY_WRITE = "proxy-write"  # and of those who may change them


APART: Mapping[str, Kind] = {INBOX: Kind.INBOX, OUTBOX: Kind.OUTBOX, PROXY_READ: Kind.PROXY_READ, PROXY_WRITE: Kind.PROXY_WRITE}
BOXES = frozenset({Kind.INBOX, Kind.OUTBOX})
PROXIES = frozenset({Kind.PROXY_READ, Kind.PROXY_WRITE})


CLASSES = (
    "1",
    "3",  # no class 2: there are no locks
    "access-control",  # RFC 3744: everything but changing who may do what, which the platform decides
    "calendar-access",
    "calendar-schedule",  # free-busy by the outbox; never calendar-auto-schedule (plugins.scheduling says why)
    "calendar-availability",  # RFC 7953
    "calendar-no-timezone",  # RFC 7809
    "calendar-proxy",  # a secretary opens her providers' calendars
    "extended-mkcol",
    "calendarserver-principal-property-search",  # test="anyof" and match-type
    "calendarserver-principal-search",
)
"""The DAV header, the same everywhere: DAVx5 looks for calendar-access at the principal, Thunderbird at the home (clients.md §3, §8)."""

_READING = ("OPTIONS", "PROPFIND", "PROPPATCH", "REPORT")

METHODS: Mapping[Kind, tuple[str, ...]] = {
    Kind.ROOT: ("OPTIONS", "PROPFIND", "REPORT"),
    Kind.HOME: (*_READING, "ACL"),
    Kind.PERSON: ("OPTIONS", "PROPFIND", "REPORT"),
    Kind.APPOINTMENTS: (*_READING, "ACL", "GET", "HEAD", "POST"),
    Kind.PERSONAL: (*_READING, "ACL", "GET", "HEAD", "POST", "MKCALENDAR", "MKCOL", "DELETE"),
    Kind.VIEW: (*_READING, "ACL", "GET", "HEAD", "POST"),
    Kind.OBJECT: (*_READING, "ACL", "GET", "HEAD", "PUT", "DELETE", "MOVE", "COPY"),
    Kind.VIEW_OBJECT: (*_READING, "ACL", "GET", "HEAD"),
    Kind.REGISTRATION: ("OPTIONS", "DELETE"),
    Kind.INBOX: _READING,
    Kind.OUTBOX: ("OPTIONS", "PROPFIND", "REPORT", "POST"),
    Kind.PROXY_READ: _READING,
    Kind.PROXY_WRITE: _READING,
}

_CALENDARS = frozenset({Kind.APPOINTMENTS, Kind.PERSONAL, Kind.VIEW})
_OBJECTS = frozenset({Kind.OBJECT, Kind.VIEW_OBJECT})
_COLLECTIONS = _CALENDARS | {Kind.ROOT, Kind.HOME}

REPORTS: Mapping[str, frozenset[Kind]] = {
    f"{{{DAV}}}sync-collection": _CALENDARS | BOXES | {Kind.HOME},
    f"{{{CALDAV}}}calendar-query": _CALENDARS | _OBJECTS | BOXES | {Kind.HOME},
    f"{{{CALDAV}}}calendar-multiget": _CALENDARS | _OBJECTS | BOXES | {Kind.HOME},
    f"{{{CALDAV}}}free-busy-query": _CALENDARS | {Kind.HOME},
    f"{{{DAV}}}expand-property": frozenset(Kind),
    f"{{{DAV}}}acl-principal-prop-set": _CALENDARS | _OBJECTS | {Kind.HOME},
    f"{{{DAV}}}principal-match": _COLLECTIONS,
    f"{{{DAV}}}principal-property-search": _COLLECTIONS,
    f"{{{DAV}}}principal-search-property-set": frozenset(Kind),
    f"{{{SERVER}}}calendarserver-principal-search": _COLLECTIONS,
}


def kind_of(place: Place, handle: str | None = None) -> Kind:
    """The kind of what lies at a place, seen by the staff member with that handle (None: as if it were the owner)."""
    if place.handle is None:
        return Kind.ROOT
    if place.slug is None:
        return Kind.HOME if handle in (None, place.handle) else Kind.PERSON
    if place.slug == REGISTRATIONS:
        return Kind.REGISTRATION
    if place.slug in APART and place.name is None:
        return APART[place.slug]
    if is_view(place.slug):
        return Kind.VIEW if place.name is None else Kind.VIEW_OBJECT
    if place.name is not None:
        return Kind.OBJECT
    return Kind.APPOINTMENTS if place.slug == APPOINTMENTS else Kind.PERSONAL


def allowed(kind: Kind) -> str:
    """The Allow header."""
    return ", ".join(METHODS[kind])
