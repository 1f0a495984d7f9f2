"""DELETE: a personal object or calendar goes; an appointment is proposed for cancellation (RFC 4918 §9.6)."""

from __future__ import annotations

from gateway import desk
from gateway.booking import Cancel, Erase, Intent
from gateway.errors import Missing, Reason, Refused
from gateway.model import Appointment
from gateway.store import Store
from plugins.failures import Denied, read_only
from plugins.get import tag_of
from plugins.place import collection_at
from plugins.put import turned_back
from plugins.request import Answer, Request, check_conditions, etag
from plugins.states import check_states
from plugins.tokens import ctag

_ASKED_LATER = (Reason.CANCEL_ASKED, Reason.CANCEL_RESTORED)


def answer(store: Store, request: Request) -> Answer:
    place = request.place
    if place.slug is None:
        raise Denied(403, "A home stays as long as its owner.")
    if place.name is None:
        return _calendar(store, request)
    with store.write(request.login.company, request.actor) as tx:
        collection = collection_at(tx, request.staff, place)
        if not collection.writable:
            raise read_only(at=request.parent, privilege="unbind")
        calendar = collection.calendars[0]
        held = tx.held(calendar, place.name)
        check_states(tx, request)
        check_conditions(request, etag(tx.epoch, held.revision) if held else None, tag_of(tx.epoch, held))
        if held is None:
            raise Missing("There is no such calendar object.")
        wish: Intent = Cancel() if isinstance(held.entry, Appointment) else Erase()
        try:
            desk.apply(tx, request.actor, calendar, place.name, [wish], request.now)
        except Refused as refused:
            answered = turned_back(tx, request, calendar, place.name, refused, "DELETE")
            # Thunderbird calls the whole calendar unavailable after a 403 to DELETE (clients.md §4); it is asked or told otherwise.
            return Answer(204) if refused.reason in _ASKED_LATER else answered
    return Answer(204)


def _calendar(store: Store, request: Request) -> Answer:
    with store.write(request.login.company, request.actor) as tx:
        collection = collection_at(tx, request.staff, request.place)
        if collection.kind != "personal":
            raise read_only("This calendar belongs to the platform and cannot be deleted.", at=request.parent, privilege="unbind")
        check_states(tx, request)
        check_conditions(request, ctag(tx.epoch, collection))
        tx.drop_calendar(collection.calendars[0], request.now)
    return Answer(204)
