"""What the path of a request names: the root, a home, a calendar, an object in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category
from urllib.parse import unquote_to_bytes, urlsplit

from gateway.errors import Missing
from gateway.model import StaffId
from gateway.store import Collection, Snapshot
from plugins.multistatus import href

APPOINTMENTS = "appointments"
COMPANY = "company"
GROUP = "group-"
INBOX, OUTBOX = "inbox", "outbox"
PROXY_READ, PROXY_WRITE = "calendar-proxy-read", "calendar-proxy-write"
APART = frozenset({INBOX, OUTBOX, PROXY_READ, PROXY_WRITE})
"""What lies in every home beside the calendars and is none: for scheduling (RFC 6638 §2), and the groups of delegates."""
REGISTRATIONS = "push-registrations"
"""Where the registrations of somebody's devices have their addresses; nothing is listed there."""


_USUAL = re.compile(r"/(?!/)[A-Za-z0-9/~!$*()_.-]*+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A decoded path below the prefix: /{handle}/{slug}/{name}, cut off anywhere."""

    handle: str | None = None
    slug: str | None = None
    name: str | None = None

    def path(self, prefix: str) -> str:
        """The canonical path, percent-encoded; collections end with a slash."""
        if self.name is not None:
            return _base(prefix, self.handle, self.slug) + href(self.name)
        return _base(prefix, self.handle, self.slug)


@lru_cache(maxsize=4096)
def _base(prefix: str, handle: str | None, slug: str | None) -> str:
    return href("/".join([prefix, *(part for part in (handle, slug) if part is not None), ""]))


def is_kept(slug: str) -> bool:
    """Whether the platform keeps the name for a calendar of its own."""
    return slug in (APPOINTMENTS, REGISTRATIONS) or slug in APART or is_view(slug)


def is_view(slug: str) -> bool:
    return slug == COMPANY or slug.startswith(GROUP)


@lru_cache(maxsize=1024)
def place_of(path: str) -> Place:
    """Read a decoded path. Raises Missing for what lies deeper than an object."""
    parts = [part for part in path.split("/") if part]
    if len(parts) > 3:
        raise Missing("There is nothing at this address.")
    return Place(*parts)


def place_in(address: str, prefix: str, host: str) -> Place | None:
    """Read an href that a client sent: absolute on this host, or a path. None when it is none of ours."""
    path = _path_in(address.strip(), host)
    if path is None or not path.startswith(prefix + "/"):
        return None
    if path == prefix + "/":
        return Place()
    parts = path[len(prefix) + 1 :].rstrip("/").split("/")
    return Place(*parts) if len(parts) <= 3 and all(map(fit, parts)) else None


def _path_in(address: str, host: str) -> str | None:
    """The decoded path of an address on this host, which has no query and no fragment."""
    if _USUAL.fullmatch(address):  # nearly all, and a quarter of the time
        return address
    try:
        url = urlsplit(address)
        if (url.netloc and url.netloc.lower() != host.lower()) or url.query or url.fragment:
            return None
        return unquote_to_bytes(url.path).decode()
    except ValueError:
        return None


def fit(part: str) -> bool:
    """Whether a name can stand in a path and in XML. The door has let it in as well: any space passes there, and nothing unseen."""
    seen = part.isprintable() or not any(category(letter).startswith("C") for letter in part)
    return part not in ("", ".", "..") and len(part.encode()) <= 255 and seen and "\\" not in part


def collection_at(snapshot: Snapshot, owner: StaffId, place: Place) -> Collection:
    """The calendar or view that the place, which lies in the owner's home, is or is in. Raises Missing."""
    found = snapshot.collection(owner, place.slug) if place.slug is not None else None
    if found is None:
        raise Missing("There is no such calendar.")
    return found
