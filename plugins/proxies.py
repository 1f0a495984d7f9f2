"""Delegates: who opens a home beside its owner (calendarserver's caldav-proxy).

Below every principal lie two groups, calendar-proxy-read and calendar-proxy-write, of those who may read its calendars or change
them too. The owner says who is in them by PROPPATCH of group-member-set, the platform by the command line. A delegate logs in as
himself, opens the owner's home at the owner's address and finds it nowhere else; what he does there, he is said to have done.
He sees all calendars of the owner and none of the team views, and has his own looks of them. What only the owner may do stays so:
making and deleting calendars, working hours, publishing, and letting others in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.errors import Invalid, Missing
from gateway.model import Staff, StaffId
from gateway.store import Delegation, Login, Snapshot, Store, Transaction
from plugins import document
from plugins.failures import read_only
from plugins.features import Kind, kind_of
from plugins.multistatus import DAV, SERVER, link
from plugins.place import PROXY_READ, PROXY_WRITE, Place, place_in
from plugins.request import Request
from plugins.rights import WRITING
from plugins.seen import Seen, Value

if TYPE_CHECKING:  # where wishes come from
    from plugins.proppatch import Wish

MEMBERS = f"{{{DAV}}}group-member-set"
AT_MOST = 100
"""Delegates of one person."""


def opened(store: Store, login: Login, place: Place, method: str) -> Delegation | None:
    """By which delegation whoever logs in may open the place; None when it is in no home of somebody else, or not open to him.

    Raises Denied for what a delegate may not do there. A home that is not open is asked for in the same way as one that does not
    exist, and an app password for one calendar opens none.
    """
    if place.handle in (None, login.handle) or login.staff is None or login.calendar is not None:
        return None
    with store.read(login.company) as snapshot:
        found = snapshot.delegation(place.handle or "", login.staff)
    if found is None:
        return None
    if method in WRITING and method != "PROPPATCH":
        if not found.write:
            raise read_only("You may read these calendars, and not change them.")
        if place.name is None:
            raise read_only("Calendars are made and deleted by their owner.")
    return found


def _principal(request: Request, handle: str) -> str:
    return Place(handle).path(request.prefix)


def members(seen: Seen) -> str:
    """Of a group: those in it."""
    if seen.snapshot is None or seen.staff is None:
        return ""
    wanted = seen.kind is Kind.PROXY_WRITE
    found = [each for each in seen.snapshot.delegates(seen.staff.id) if each.write is wanted]
    return "".join(link(_principal(seen.request, seen.snapshot.staff(each.delegate).handle)) for each in found)


def groups(snapshot: Snapshot, owner: StaffId, handle: str) -> Mapping[Place, bool]:
    """The groups that somebody is in, and whether they may write."""
    found = {each.write for each in snapshot.delegates(owner)}
    return {Place(handle, PROXY_WRITE if write else PROXY_READ): write for write in sorted(found)}


def _own(seen: Seen) -> Sequence[Delegation] | None:
    """Of one's own principal: whose homes are open to one. None of anything else."""
    request = seen.request
    if seen.kind is not Kind.HOME or request.delegation is not None or seen.snapshot is None or seen.staff is None:
        return None
    return seen.snapshot.delegated_to(seen.staff.id) if request.login.calendar is None else ()


def _memberships(seen: Seen) -> str | None:
    """The groups one is in: by them DAVx⁵ and macOS find out whose calendars are open."""
    found = _own(seen)
    if found is None:
        return "" if seen.kind in (Kind.HOME, Kind.PERSON) else None
    places = (Place(each.handle, PROXY_WRITE if each.write else PROXY_READ) for each in found)
    return "".join(link(place.path(seen.request.prefix)) for place in places)


def _open(*, write: bool) -> Value:
    def owners(seen: Seen) -> str | None:
        found = _own(seen)
        if found is None:
            return None
        return "".join(link(_principal(seen.request, each.handle)) for each in found if each.write is write)

    return owners


def changed(tx: Transaction, request: Request, wish: Wish) -> Callable[[], None]:
    """What makes the members of a group those of the wish. Raises Invalid, Denied. Who is in one group leaves the other one."""
    if request.delegation is not None:
        raise read_only("Who opens a home is said by its owner.", privilege="write-properties")
    write = kind_of(request.place) is Kind.PROXY_WRITE
    wished = _wished(tx, request, wish)
    known = {each.delegate for each in tx.delegates(request.staff) if each.write is write}

    def save() -> None:
        for gone in known - wished:
            tx.undelegate(request.staff, gone)
        for staff in wished - known:
            tx.delegate(request.staff, staff, request.now, write=write)

    return save


def _wished(snapshot: Snapshot, request: Request, wish: Wish) -> set[StaffId]:
    hrefs = [] if wish.value is None else [document.text_of(each).strip() for each in document.children(wish.element, f"{{{DAV}}}href")]
    if len(hrefs) > AT_MOST:
        raise Invalid(f"At most {AT_MOST} people can be let in.")
    wished = {_colleague(snapshot, request, address).id for address in hrefs}
    if request.staff in wished:
        raise Invalid("Everybody may open his own calendars already.")
    return wished


def _colleague(snapshot: Snapshot, request: Request, address: str) -> Staff:
    """Whose principal an href is. Raises Invalid for everybody else just as for nobody (RFC 3744 §8.1.1, recognized-principal)."""
    place = place_in(address, request.prefix, request.host)
    try:
        staff = snapshot.staff_by_handle(place.handle or "") if place is not None and place.slug is None else None
    except Missing:
        staff = None
    if staff is None or not staff.active:
        raise Invalid("A member of the group is a colleague, by the address of the principal.", condition="recognized-principal")
    return staff


LIVE: Mapping[str, Value] = {
    f"{{{DAV}}}group-membership": _memberships,
    f"{{{SERVER}}}calendar-proxy-read-for": _open(write=False),
    f"{{{SERVER}}}calendar-proxy-write-for": _open(write=True),
}
