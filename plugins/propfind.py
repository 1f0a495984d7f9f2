"""PROPFIND: what is here, and what is known about it (RFC 4918 §9.1)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from gateway.errors import Invalid, Missing
from gateway.store import Collection, Row, Snapshot, Store
from plugins import document
from plugins.failures import Denied
from plugins.multistatus import DAV, answered, empty, multistatus
from plugins.place import Place, collection_at
from plugins.properties import Seen, all_names, found
from plugins.request import Answer, Request, xml

_LENGTH = f"{{{DAV}}}getcontentlength"


def answer(store: Store, request: Request) -> Answer:
    wanted = _wanted(document.parsed(request.body))
    depth = request.depth("0")  # RFC 4918 means infinity by none; who sends none means this one (so does Radicale)
    if depth == "infinity":
        raise Denied(403, "Ask for Depth 0 or 1, please.", condition="propfind-finite-depth")
    with store.read(request.login.company) as snapshot:
        return xml(207, multistatus([_one(seen, wanted) for seen in _all(snapshot, request, depth, wanted)]))


class _Names:
    """Stands for `propname`."""


def _wanted(root: Element | None) -> list[str] | _Names | None:
    """The names asked for; None for allprop."""
    if root is None:
        return None
    if root.tag != f"{{{DAV}}}propfind":
        raise Invalid("The body of PROPFIND is a propfind element.")
    for child in root:
        if child.tag == f"{{{DAV}}}prop":
            return document.names_in(child)
        if child.tag == f"{{{DAV}}}propname":
            return _Names()
        if child.tag == f"{{{DAV}}}allprop":
            return None
    raise Invalid("A propfind element asks for prop, propname or allprop.")


def _all(snapshot: Snapshot, request: Request, depth: str, wanted: object) -> Iterator[Seen]:
    place, epoch = request.place, snapshot.epoch
    staff = snapshot.staff(request.staff) if place.slug is None else None
    if place.handle is None:
        yield Seen(request=request, epoch=epoch, place=place, staff=staff)
        if depth == "1" and request.at != "/":
            yield Seen(request=request, epoch=epoch, place=request.home, staff=staff)
        return
    if place.slug is None:
        yield Seen(request=request, epoch=epoch, place=place, staff=staff)
        if depth == "1" and staff is not None:
            for each in snapshot.collections(staff.id):
                yield Seen(request=request, epoch=epoch, place=Place(place.handle, each.slug), collection=each)
        return
    collection = collection_at(snapshot, request.staff, place)
    text = isinstance(wanted, list) and _LENGTH in wanted
    if place.name is not None:
        yield _object(request, epoch, collection, _row(snapshot, collection, place.name))
        return
    yield Seen(request=request, epoch=epoch, place=place, collection=collection)
    if depth == "1":
        for row in snapshot.rows(collection, text=text):
            yield _object(request, epoch, collection, row)


def _row(snapshot: Snapshot, collection: Collection, name: str) -> Row:
    row = snapshot.rows_named(collection, [name]).get(name)
    if row is None:
        raise Missing("There is no such calendar object.")
    return row


def _object(request: Request, epoch: str, collection: Collection, row: Row) -> Seen:
    place = Place(request.place.handle, collection.slug, row.name)
    return Seen(request=request, epoch=epoch, place=place, collection=collection, row=row)


def _one(seen: Seen, wanted: list[str] | _Names | None) -> str:
    request = seen.request
    at = request.at if seen.place == request.place else seen.place.path(request.prefix)
    if isinstance(wanted, _Names):
        return answered(at, [empty(name) for name in all_names(seen)], [])
    if wanted is None:
        return answered(at, found(seen, all_names(seen))[0], [])
    return answered(at, *found(seen, wanted))
