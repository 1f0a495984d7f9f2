"""What the path of a request names: the root, a home, a calendar, an object in it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from gateway.errors import Missing
from gateway.model import StaffId
from gateway.store import Collection, Snapshot
from plugins.multistatus import href

APPOINTMENTS = "appointments"
COMPANY = "company"
GROUP = "group-"


@dataclass(frozen=True, slots=True)
class Place:
    """A decoded path below the prefix: /{handle}/{slug}/{name}, cut off anywhere."""

    handle: str | None = None
    slug: str | None = None
    name: str | None = None

    def path(self, prefix: str) -> str:
        """The canonical path, percent-encoded; collections end with a slash."""
        parts = [part for part in (self.handle, self.slug, self.name) if part is not None]
        inner = "".join(f"/{part}" for part in parts)
        return href(prefix + inner) + ("" if self.name is not None else "/")


def is_kept(slug: str) -> bool:
    """Whether the platform keeps the name for a calendar of its own."""
    return slug == APPOINTMENTS or is_view(slug)


def is_view(slug: str) -> bool:
    return slug == COMPANY or slug.startswith(GROUP)


def place_of(path: str) -> Place:
    """Read a decoded path. Raises Missing for what lies deeper than an object."""
    parts = [part for part in path.split("/") if part]
    if len(parts) > 3:
        raise Missing("There is nothing at this address.")
    return Place(*parts)


def place_in(address: str, prefix: str, host: str) -> Place | None:
    """Read an href that a client sent: absolute on this host, or a path. None when it is none of ours."""
    try:
        url = urlsplit(address.strip())
        if url.netloc and url.netloc.lower() != host.lower():
            return None
        path = unquote_to_bytes(url.path).decode()
    except ValueError:
        return None
    if url.query or url.fragment or not path.startswith(prefix + "/"):
        return None
    if path == prefix + "/":
        return Place()
    parts = path[len(prefix) + 1 :].rstrip("/").split("/")
    if not 1 <= len(parts) <= 3 or any(not fit(part) for part in parts):
        return None
    return Place(*parts)


def fit(part: str) -> bool:
    """Whether a name can stand in a path and in XML."""
    return part not in ("", ".", "..") and len(part.encode()) <= 255 and part.isprintable() and "\\" not in part


def collection_at(snapshot: Snapshot, owner: StaffId, place: Place) -> Collection:
    """The calendar or view that the place, which lies in the owner's home, is or is in. Raises Missing."""
    found = snapshot.collection(owner, place.slug) if place.slug is not None else None
    if found is None:
        raise Missing("There is no such calendar.")
    return found
