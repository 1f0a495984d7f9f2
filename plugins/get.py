"""GET and HEAD of a calendar object or a whole calendar, and 304 for who has it already."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import Missing
from gateway.model import Appointment
from gateway.store import Held, Row, Store
from plugins import whole
from plugins.failures import Denied
from plugins.features import METHODS, allowed, kind_of
from plugins.place import collection_at
from plugins.request import Answer, Request, check_match, etag, schedule_tag, unchanged
from plugins.states import check_states
from plugins.timezones import undescribed, without


def answer(store: Store, request: Request) -> Answer:
    kind = kind_of(request.place, request.handle)
    if "GET" not in METHODS[kind]:
        allow = allowed(kind)
        raise Denied(405, "A calendar program opens this address; it is no page.", headers={"Allow": allow})
    with store.read(request.login.company) as snapshot:
        check_states(snapshot, request)
        collection = collection_at(snapshot, request.staff, request.place)
        if request.place.name is None:
            return whole.answer(snapshot, request, collection)
        row = snapshot.rows_named(collection, [request.place.name]).get(request.place.name)
        if row is None or row.octets is None:
            raise Missing("There is no such calendar object.")
        mark = etag(snapshot.epoch, row.revision)
    check_match(request, mark)
    about = entity(snapshot.epoch, row, tagged=not collection.view)
    if unchanged(request, mark):
        return Answer(304, None, {name: value for name, value in about.items() if name != "Content-Type"})
    if undescribed(request):
        return Answer(200, without(row.octets.decode()).encode(), {**about, "Vary": "CalDAV-Timezones"})
    return Answer(200, row.octets, about)


def entity(epoch: str, row: Row, *, tagged: bool = True) -> Mapping[str, str]:
    """The headers that describe an object that is given out; `tagged` not: without its schedule tag, where nothing can be written."""
    tag = schedule_tag(epoch, row.version if tagged else None)
    return {
        "Content-Type": f"text/calendar; charset=utf-8; component={row.component}",
        "ETag": etag(epoch, row.revision),
        **({"Schedule-Tag": tag} if tag is not None else {}),
    }


def tag_of(epoch: str, held: Held | None) -> str | None:
    """The schedule tag of what is there."""
    return schedule_tag(epoch, held.entry.version) if held is not None and isinstance(held.entry, Appointment) else None
