"""calendar-multiget: every href gets its answer, of one calendar or of a whole home (RFC 4791 §7.9)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from gateway.errors import TooLarge
from gateway.store import Collection, Row, Snapshot
from plugins import document
from plugins.multistatus import DAV, escape, failed, multistatus
from plugins.place import Place, place_in
from plugins.reading import Allowance
from plugins.rendering import Wanted, renderer, wanted_in
from plugins.request import Answer, Request, xml
from plugins.shaping import shaped


def answer(snapshot: Snapshot, request: Request, collection: Collection, root: Element) -> Answer:
    """Each href once, in the order asked; what is not in this calendar is not found."""
    wanted = wanted_in(root)
    places = _places(request, root)
    there = {at: place for at, place in places.items() if place is not None and place.slug == collection.slug}
    if request.place.name is not None:
        there = {at: place for at, place in there.items() if place.name == request.place.name}
    return _answer(places, _rendered(snapshot, request, collection, wanted, there, Allowance()))


def answer_home(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """The same of all calendars of a home at once."""
    wanted = wanted_in(root)
    places = _places(request, root)
    slugs = list(dict.fromkeys(place.slug for place in places.values() if place is not None and place.slug is not None))
    found: dict[str, bytes] = {}
    allowance = Allowance()
    for slug in slugs[: request.limits.calendars]:
        collection = snapshot.collection(request.staff, slug)
        if collection is not None:
            there = {at: place for at, place in places.items() if place is not None and place.slug == slug}
            found |= _rendered(snapshot, request, collection, wanted, there, allowance)
    return _answer(places, found)


def _places(request: Request, root: Element) -> dict[str, Place | None]:
    """What each href names, if it is an object in this home. Raises TooLarge."""
    asked = dict.fromkeys(document.text_of(element).strip() for element in document.children(root, f"{{{DAV}}}href"))
    if len(asked) > request.limits.hrefs:
        raise TooLarge(
            f"At most {request.limits.hrefs} objects can be asked for at once.",
            limit="limits.hrefs",
            condition="number-of-matches-within-limits",
        )
    places = {at: place_in(at, request.prefix, request.host) for at in asked}
    return {
        at: place if place is not None and place.handle == request.place.handle and place.name is not None else None
        for at, place in places.items()
    }


def _rendered(
    snapshot: Snapshot, request: Request, collection: Collection, wanted: Wanted, there: dict[str, Place], allowance: Allowance
) -> dict[str, bytes]:
    """The responses of those that exist, by href."""
    rows: dict[str, Row] = snapshot.rows_named(collection, [place.name or "" for place in there.values()], text=wanted.text)
    one = renderer(request, snapshot.epoch, collection, wanted, shaped(snapshot, request, wanted.data, collection, allowance=allowance))
    return {at: one(rows[place.name]) for at, place in there.items() if place.name in rows}


def _answer(places: dict[str, Place | None], found: dict[str, bytes]) -> Answer:
    return xml(207, multistatus([found.get(at) or failed(escape(at), 404) for at in places]))
