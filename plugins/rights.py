"""Who may do what, truthfully: what these letters allow, the gateway does; what it announces to clients, it lets happen."""

from __future__ import annotations

from radicale.config import Configuration
from radicale.rights import BaseRights

from plugins.place import APPOINTMENTS, Place, is_view, place_of

READ_ONLY = "read-only"
"""The group that `plugins.auth` puts somebody into whose app password may only read."""


def letters(handle: str, place: Place, *, read_only: bool) -> str:
    """Radicale's letters for a place, seen by the staff member with that handle.

    R W: plain collections; r w: calendars; D: it may be deleted. Nobody gets O: Thunderbird's "iCalendar" mode would PUT its whole
    copy over the calendar (Kozea/Radicale#105, #548, #678).
    """
    if place.handle is None:
        return "R"
    if place.handle != handle:
        return ""
    if place.slug is None:
        return "R" if read_only else "RW"
    if read_only or is_view(place.slug):
        return "r"
    return "rw" if place.slug == APPOINTMENTS else "rwD"


class Rights(BaseRights):
    """Everybody has a home of his own, and sees nothing of anybody else's."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:
        if not user:
            return ""
        return letters(user, place_of(path), read_only=READ_ONLY in user_groups)
