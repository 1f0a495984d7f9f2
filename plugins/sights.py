"""Finding what a path names, and what lies around it, as something that properties can be asked of."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.errors import Missing
from gateway.model import Staff
from gateway.store import Collection, Row, Snapshot
from plugins.features import BOXES, Kind, kind_of
from plugins.place import APART, INBOX, OUTBOX, Place, collection_at
from plugins.principals import colleague
from plugins.request import Request
from plugins.seen import Seen


def around(snapshot: Snapshot, request: Request, depth: str, *, text: bool = False) -> Iterator[Seen]:
    """What the request names, then with Depth 1 what is directly in it. `text`: objects are read whole. Raises Missing."""
    place = request.place
    if place.slug is None:
        yield from _above(snapshot, request, depth)
        return
    if place.slug in APART and place.name is None:
        yield _apart(snapshot, request, place)
        return
    collection = collection_at(snapshot, request.staff, place)
    if place.name is not None:
        yield _object(snapshot, request, collection, _row(snapshot, collection, place.name))
        return
    yield _calendar(snapshot, request, collection)
    if depth != "0":
        for row in snapshot.each(collection, text=text):
            yield _object(snapshot, request, collection, row)


def _above(snapshot: Snapshot, request: Request, depth: str) -> Iterator[Seen]:
    """The root lists no other home but one's own: colleagues are found by who asks for them (plugins.searching)."""
    place = request.place
    match kind_of(place, request.handle):
        case Kind.PERSON:
            yield principal(snapshot, request, colleague(snapshot, place.handle or ""))
        case Kind.ROOT:
            staff = snapshot.staff(request.staff)
            yield Seen(request=request, epoch=snapshot.epoch, place=place, staff=staff, snapshot=snapshot)
            if depth != "0" and request.at != "/":
                yield principal(snapshot, request, staff)
        case _:
            listed = snapshot.collections(request.staff) if depth != "0" else None
            yield Seen(
                request=request,
                epoch=snapshot.epoch,
                place=place,
                staff=snapshot.staff(request.staff),
                snapshot=snapshot,
                listed=listed,
            )
            for each in listed or ():
                yield _calendar(snapshot, request, each)
            if listed is not None and request.delegation is None and request.login.calendar is None:
                for slug in (INBOX, OUTBOX):  # Apple Calendar looks for them here
                    yield _apart(snapshot, request, Place(place.handle, slug))


def at(snapshot: Snapshot, request: Request, place: Place) -> Seen | None:
    """What an href names, as far as whoever asks may see it."""
    if place.handle is None:
        return Seen(request=request, epoch=snapshot.epoch, place=place, staff=snapshot.staff(request.staff), snapshot=snapshot)
    try:
        if place.handle not in (request.login.handle, request.handle) and request.login.calendar is not None:
            return None
        if place.slug in APART and place.name is None:
            return _apart(snapshot, request, place, colleague(snapshot, place.handle)) if _opens(snapshot, request, place) else None
        if place.handle != request.handle and place.slug is not None:
            return None
        if place.slug is None:
            return principal(snapshot, request, colleague(snapshot, place.handle))
        collection = collection_at(snapshot, request.staff, place)
        if place.name is None:
            return _calendar(snapshot, request, collection)
        return _object(snapshot, request, collection, _row(snapshot, collection, place.name))
    except Missing:
        return None


def principal(snapshot: Snapshot, request: Request, staff: Staff) -> Seen:
    """Somebody's principal; whoever asks sees his own as his home."""
    return Seen(request=request, epoch=snapshot.epoch, place=Place(staff.handle), staff=staff, snapshot=snapshot)


def _opens(snapshot: Snapshot, request: Request, place: Place) -> bool:
    """Whether whoever asks may look at what lies apart in that home: the groups he is in can be read, to tell whose they are."""
    if place.handle == request.handle:
        return True
    return kind_of(place) not in BOXES and snapshot.delegation(place.handle or "", request.viewer) is not None


def _apart(snapshot: Snapshot, request: Request, place: Place, staff: Staff | None = None) -> Seen:
    """An inbox, an outbox or a group of delegates: there in every home, with nothing in it."""
    if staff is None:
        staff = snapshot.staff(request.staff)
    return Seen(request=request, epoch=snapshot.epoch, place=place, staff=staff, snapshot=snapshot)


def _calendar(snapshot: Snapshot, request: Request, collection: Collection) -> Seen:
    place = Place(request.handle, collection.slug)
    return Seen(request=request, epoch=snapshot.epoch, place=place, collection=collection, snapshot=snapshot)


def _object(snapshot: Snapshot, request: Request, collection: Collection, row: Row) -> Seen:
    place = Place(request.handle, collection.slug, row.name)
    return Seen(request=request, epoch=snapshot.epoch, place=place, collection=collection, row=row, snapshot=snapshot)


def _row(snapshot: Snapshot, collection: Collection, name: str) -> Row:
    row = snapshot.rows_named(collection, [name]).get(name)
    if row is None:
        raise Missing("There is no such calendar object.")
    return row
