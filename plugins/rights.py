"""Who may do what, truthfully: what these letters allow, the gateway does; what it announces to clients, it lets happen."""

from __future__ import annotations

from radicale.config import Configuration
from radicale.rights import BaseRights

from gateway.errors import Missing
from gateway.store import Login
from plugins.failures import read_only
from plugins.place import APART, APPOINTMENTS, OUTBOX, REGISTRATIONS, Place, is_view, place_of

READ_ONLY = "read-only"
"""The group that `plugins.auth` puts somebody into whose app password may only read."""

ONLY = "only:"
"""How the group begins of those whose app password opens one calendar; its slug follows."""

WRITING = frozenset({"PUT", "DELETE", "MOVE", "COPY", "PROPPATCH", "MKCALENDAR", "MKCOL"})
_ABOUT_WHOLE_CALENDARS = frozenset({"DELETE", "MOVE", "COPY", "MKCALENDAR", "MKCOL"})


def letters(handle: str, place: Place, *, read_only: bool, calendar: str | None = None) -> str:
    """Radicale's letters for a place, seen by the staff member with that handle, through a password for all or for one calendar.

    R W: plain collections; r w: calendars; D: it may be deleted. Nobody gets O: Thunderbird's "iCalendar" mode would PUT its whole
    copy over the calendar (Kozea/Radicale#105, #548, #678).
    """
    if place.handle is None:
        return "R"
    if place.handle != handle:
        return ""
    if place.slug is None:
        return "R" if read_only or calendar is not None else "RW"
    if calendar not in (None, place.slug):
        return ""
    if read_only or is_view(place.slug) or place.slug == OUTBOX:
        return "r"
    if place.slug in APART:
        return "rw"
    return "rw" if calendar is not None or place.slug == APPOINTMENTS else "rwD"


def delegated(place: Place, *, read_only: bool) -> str:
    """The letters for a place in a home that its owner has opened to a delegate: objects, never calendars as a whole."""
    if place.slug is None:
        return "R"
    return "r" if read_only or is_view(place.slug) or place.slug in APART else "rw"


def check_scope(login: Login, place: Place, method: str) -> None:
    """What an app password is good for. Raises Missing for what it does not show, Denied for what it may not do.

    With a password for one calendar everything else in the home, and every colleague, is as if it did not exist; only discovery
    goes on as ever. No calendar is made or deleted with it, not even its own.
    """
    if place.slug == REGISTRATIONS and method == "DELETE":
        return  # whichever password the device has: it may end what it has begun
    if login.calendar is not None:
        making = method in ("MKCALENDAR", "MKCOL") and place.handle == login.handle
        if place.handle not in (None, login.handle) or (place.slug not in (None, login.calendar) and not making):
            raise Missing("There is nothing at this address.")
        whole = place.slug is None or (place.name is None and method in _ABOUT_WHOLE_CALENDARS)
        if method in WRITING and whole:
            raise read_only("This app password is for the objects of one calendar.")
    if login.read_only and method in WRITING:
        raise read_only("This app password can only read.")


class Rights(BaseRights):
    """Everybody has a home of his own, and sees nothing of anybody else's."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:
        if not user:
            return ""
        calendar = next((group.removeprefix(ONLY) for group in user_groups if group.startswith(ONLY)), None)
        return letters(user, place_of(path), read_only=READ_ONLY in user_groups, calendar=calendar)
