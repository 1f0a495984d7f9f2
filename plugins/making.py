"""MKCALENDAR and extended MKCOL: a personal calendar beside the appointments (RFC 4791 §5.3.1, RFC 5689)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from gateway import desk
from gateway.errors import Conflict, Invalid
from gateway.store import Store, Transaction
from plugins import document
from plugins.failures import Denied
from plugins.multistatus import CALDAV, DAV
from plugins.place import collection_at, fit, is_kept
from plugins.proppatch import Wish, checked, wishes_in
from plugins.request import Answer, Request

COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
"""What a calendar takes when its maker does not say (RFC 4791 §5.2.3)."""

_COMPONENT_SET = f"{{{CALDAV}}}supported-calendar-component-set"
_RESOURCE_TYPE = f"{{{DAV}}}resourcetype"


def answer(store: Store, request: Request) -> Answer:
    place = request.place
    if place.slug is None:
        raise Denied(405, "There is a home here already.", headers={"Allow": "OPTIONS, PROPFIND, REPORT"})
    if place.name is not None:
        raise Denied(403, "A calendar lies directly in a home.", condition="calendar-collection-location-ok")
    wishes = _wishes(request)
    components = _components(wishes)
    looks = [wish for wish in wishes if wish.name not in (_COMPONENT_SET, _RESOURCE_TYPE)]
    for wish in looks:
        if (problem := checked(request, wish)) is not None:
            raise Denied(403, problem.sentence, condition=problem.condition)
    with store.write(request.login.company, request.actor) as tx:
        _make(tx, request, components, {wish.name: wish.value for wish in looks})
    return Answer(201, None, {"Cache-Control": "no-cache"})


def _make(tx: Transaction, request: Request, components: tuple[str, ...], looks: dict[str, str | None]) -> None:
    slug = request.place.slug or ""
    if not fit(slug) or is_kept(slug):
        raise Denied(403, "This name is kept for the platform's own calendars.", condition="resource-must-be-null")
    if len(tx.collections(request.staff)) >= request.limits.calendars:
        raise Denied(507, f"A home may hold {request.limits.calendars} calendars at most.")
    try:
        desk.make_calendar(tx, request.staff, slug, components, request.now)
    except Conflict:
        raise Denied(403, "There is a calendar at this address already.", condition="resource-must-be-null") from None
    if looks:
        tx.set_properties(request.staff, collection_at(tx, request.staff, request.place), looks, request.now)


def _wishes(request: Request) -> list[Wish]:
    """What the body sets. Both roots carry `set` with `prop`; MKCOL without a body, or for no calendar, makes nothing here."""
    root = document.parsed(request.body)
    if root is None:
        if request.method == "MKCOL":
            raise Denied(403, "Only calendars can be made here.", condition="valid-resourcetype")
        return []
    if root.tag != (f"{{{DAV}}}mkcol" if request.method == "MKCOL" else f"{{{CALDAV}}}mkcalendar"):
        raise Invalid("The body does not fit the method.")
    wishes = wishes_in(root)
    if request.method == "MKCOL" and not _is_calendar(wishes):
        raise Denied(403, "Only calendars can be made here.", condition="valid-resourcetype")
    return wishes


def _is_calendar(wishes: list[Wish]) -> bool:
    types = [wish.element for wish in wishes if wish.name == _RESOURCE_TYPE]
    return any(child.tag == f"{{{CALDAV}}}calendar" for element in types for child in element)


def _components(wishes: list[Wish]) -> tuple[str, ...]:
    chosen: list[Element] = [wish.element for wish in wishes if wish.name == _COMPONENT_SET]
    if not chosen:
        return COMPONENTS
    named = tuple(dict.fromkeys((comp.get("name") or "").upper() for comp in document.children(chosen[-1], f"{{{CALDAV}}}comp")))
    if not named or any(name not in COMPONENTS for name in named):
        raise Denied(403, "A calendar takes VEVENT, VTODO or VJOURNAL.", condition="supported-calendar-component")
    return named
