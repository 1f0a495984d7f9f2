"""MOVE and COPY of personal objects between the calendars of one home (RFC 4918 §9.8, §9.9)."""

from __future__ import annotations

from dataclasses import replace

from gateway import desk
from gateway.errors import Conflict, Invalid, Missing
from gateway.model import CalendarId, Personal, Revision
from gateway.store import Collection, Store, Transaction
from plugins.failures import Denied, read_only
from plugins.get import tag_of
from plugins.multistatus import link
from plugins.place import Place, collection_at, place_in
from plugins.put import returned
from plugins.request import Answer, Request, check_conditions, etag
from plugins.states import check_states


def answer(store: Store, request: Request) -> Answer:
    """201 when the target is new, 204 when something was there; nothing is changed otherwise."""
    source, target = request.place, _target(request)
    if source.name is None:
        raise Denied(403, "A calendar is not moved or copied as a whole.")
    if source == target:
        raise Denied(403, "The destination is where the object already is.")
    overwrite = request.header("Overwrite").upper() or "T"
    if overwrite not in ("T", "F"):
        raise Invalid("Overwrite is T or F.")
    with store.write(request.login.company, request.actor) as tx:
        here = collection_at(tx, request.staff, source)
        held = tx.held(here.calendars[0], source.name) if not here.view else None
        if held is None:
            raise _unmoved(tx, request, here)
        check_states(tx, request)
        check_conditions(replace(request, head=_without_none_match(request)), etag(tx.epoch, held.revision), tag_of(tx.epoch, held))
        there = _writable(tx, request, target)
        if isinstance(held.entry, Personal) and held.entry.component not in there.components:
            raise Invalid(f"That calendar does not take {held.entry.component}.", condition="supported-calendar-component")
        known = tx.held(there.calendars[0], target.name or "")
        if known is not None and overwrite == "F":
            raise Conflict("There is already an object at the destination.")
        revision = _carried(tx, request, (here.calendars[0], source.name), (there.calendars[0], target.name or ""), target)
        moved = Answer(204 if known is not None else 201, None, {"ETag": etag(tx.epoch, revision)} if revision is not None else {})
        return returned(tx, request, there, moved, target) if request.prefer.representation else moved


def _carried(
    tx: Transaction, request: Request, source: tuple[CalendarId, str], target: tuple[CalendarId, str], place: Place
) -> Revision | None:
    """The revision at the destination. Raises Denied when its calendar has another object of the same UID, or what is
    overwritten has another one; the object is named (RFC 4791 §5.3.2.1)."""
    try:
        _, change = desk.relocate(tx, request.actor, source, target, request.now, keep=request.method == "COPY")
    except Conflict as conflict:
        other = Place(place.handle, place.slug, conflict.href).path(request.prefix) if conflict.href else ""
        raise Denied(403, str(conflict), condition=conflict.condition, inside=link(other) if other else "") from None
    return change.revision if change is not None else None


def _unmoved(tx: Transaction, request: Request, here: Collection) -> Exception:
    """What is wrong with the source. From a view nothing is taken: its objects are not the ones that were booked."""
    name = request.place.name or ""
    if here.view and name in tx.rows_named(here, [name], text=False):
        return read_only(at=request.parent, privilege="unbind")
    return Missing("There is no such calendar object.")


def _without_none_match(request: Request) -> dict[str, object]:
    return {name: value for name, value in request.head.items() if name != "HTTP_IF_NONE_MATCH"}


def _target(request: Request) -> Place:
    """The destination, in the same home. Raises Invalid, Denied."""
    sent = request.header("Destination")
    if not sent:
        raise Invalid("MOVE and COPY need a Destination.")
    place = place_in(sent, request.prefix, request.host)
    if place is None:
        raise Denied(502, "The destination is not an address on this server.")
    if place.handle != request.handle or place.slug is None:
        raise Denied(403, "The destination is not in a calendar of yours.")
    if place.name is None:
        raise Denied(403, "The destination is a calendar, not an object in one.")
    return place


def _writable(tx: Transaction, request: Request, target: Place) -> Collection:
    try:
        there = collection_at(tx, request.staff, target)
    except Missing:
        raise Denied(409, "There is no such calendar to move to.") from None
    if not there.writable:
        raise read_only(at=Place(target.handle, target.slug).path(request.prefix), privilege="bind")
    return there
