"""What is known of people: their own principal whole, a colleague's as far as a calendar program needs it (RFC 3744 §4).

A principal is the home itself (contract.md §4). Colleagues are members of the same company who have not left; of them a name, an
address and the fact that they are people can be read, never what their homes hold. Anybody else does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import Missing
from gateway.model import Staff
from gateway.store import Snapshot
from plugins.features import Kind
from plugins.multistatus import CALDAV, DAV, SERVER, escape, link
from plugins.place import Place
from plugins.request import Request
from plugins.seen import Seen, Value, on_home, on_principal

COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
"""What a calendar takes when its maker does not say (RFC 4791 §5.2.3)."""


def colleague(snapshot: Snapshot, handle: str) -> Staff:
    """Somebody of this company. Raises Missing for everybody else just as for nobody."""
    try:
        found = snapshot.staff_by_handle(handle)
    except Missing:
        raise Missing("There is nothing at this address.") from None
    if not found.active:
        raise Missing("There is nothing at this address.")
    return found


def principal(request: Request, staff: Staff) -> str:
    """The address of somebody's principal."""
    return Place(staff.handle).path(request.prefix)


def _own(seen: Seen) -> str:
    return link(seen.request.home.path(seen.request.prefix))


def _itself(seen: Seen) -> str | None:
    """Of the root: the principal of whoever asks; macOS asks it there (clients.md §7)."""
    return link(principal(seen.request, seen.staff)) if seen.staff is not None else None


def _addresses(seen: Seen) -> str | None:
    return link(f"mailto:{escape(seen.staff.email)}") + (_itself(seen) or "") if seen.staff is not None else None


def _component_sets(seen: Seen) -> str | None:
    """Each kind alone: iOS 7 and later stumbles over calendars that hold events and tasks (clients.md §7)."""
    if seen.kind is not Kind.HOME:
        return None
    sets = (f'<C:supported-calendar-component-set><C:comp name="{name}"/></C:supported-calendar-component-set>' for name in COMPONENTS)
    return "".join(sets)


LIVE: Mapping[str, Value] = {
    f"{{{DAV}}}current-user-principal": _own,
    f"{{{DAV}}}principal-URL": on_home(_itself),
    f"{{{DAV}}}principal-collection-set": lambda seen: link(Place().path(seen.request.prefix)),
    f"{{{DAV}}}alternate-URI-set": on_principal(lambda seen, staff: ""),
    f"{{{DAV}}}group-member-set": on_principal(lambda seen, staff: ""),
    f"{{{DAV}}}owner": lambda seen: link(Place(seen.place.handle).path(seen.request.prefix)) if seen.place.handle else None,
    f"{{{DAV}}}group": lambda seen: "" if seen.place.handle else None,
    f"{{{CALDAV}}}calendar-home-set": on_home(_itself),
    f"{{{CALDAV}}}calendar-user-address-set": on_home(_addresses),
    f"{{{CALDAV}}}calendar-user-type": on_principal(lambda seen, staff: "INDIVIDUAL"),
    f"{{{CALDAV}}}supported-calendar-component-sets": on_home(_component_sets),
    f"{{{SERVER}}}email-address-set": on_principal(lambda seen, staff: f"<CS:email-address>{escape(staff.email)}</CS:email-address>"),
}

OF_COLLEAGUES = frozenset(
    {
        f"{{{DAV}}}resourcetype",
        f"{{{DAV}}}displayname",
        f"{{{DAV}}}current-user-principal",
        f"{{{DAV}}}current-user-privilege-set",
        f"{{{DAV}}}principal-URL",
        f"{{{DAV}}}principal-collection-set",
        f"{{{DAV}}}alternate-URI-set",
        f"{{{DAV}}}group-member-set",
        f"{{{DAV}}}supported-report-set",
        f"{{{CALDAV}}}calendar-user-address-set",
        f"{{{CALDAV}}}calendar-user-type",
        f"{{{SERVER}}}email-address-set",
    }
)
"""The properties of a colleague's principal; every other one is not there."""
