"""MKCALENDAR and extended MKCOL: a personal calendar beside the appointments (RFC 4791 §5.3.1, RFC 5689)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from gateway import desk
from gateway.errors import Conflict, Invalid
from gateway.store import Store, Transaction
from plugins import document
from plugins.failures import Denied
from plugins.features import METHODS, Kind, allowed, kind_of
from plugins.multistatus import CALDAV, DAV
from plugins.multistatus import document as xml_document
from plugins.place import collection_at, fit, is_kept
from plugins.prefer import MINIMAL
from plugins.principals import COMPONENTS
from plugins.proppatch import Problem, Wish, checked, looks_of, outcomes, too_many, wishes_in
from plugins.request import Answer, Request, preferred, xml
from plugins.states import check_states

_COMPONENT_SET = f"{{{CALDAV}}}supported-calendar-component-set"
_RESOURCE_TYPE = f"{{{DAV}}}resourcetype"


def answer(store: Store, request: Request) -> Answer:
    """All or nothing: a calendar that cannot be what was asked for is not made (RFC 4791 §5.3.1, RFC 5689 §3)."""
    place = request.place
    if place.slug is None:
        raise Denied(405, "There is a home here already.", headers={"Allow": allowed(kind_of(place))})
    wishes = _wishes(request)
    problems = _problems(request, wishes or ())
    with store.write(request.login.company, request.actor) as tx:
        check_states(tx, request)
        if place.name is not None:
            raise _misplaced(tx, request)
        _must_be_free(tx, request)
        if wishes is None:
            raise Denied(403, "Only calendars can be made here.", condition="valid-resourcetype")
        if problems:
            return _refused(request, wishes, problems)
        _make(tx, request, wishes)
    made = Answer(201, None, {"Cache-Control": "no-cache"})
    return preferred(made, MINIMAL) if request.prefer.minimal else made


def _misplaced(tx: Transaction, request: Request) -> Denied:
    """Calendars lie directly in a home, never in one another (RFC 4791 §5.3.1.2)."""
    if tx.collection(request.staff, request.place.slug or "") is None:
        return Denied(409, "There is nothing to make a calendar in.")
    return Denied(403, "A calendar lies directly in a home.", condition="calendar-collection-location-ok")


def _must_be_free(tx: Transaction, request: Request) -> None:
    """Raises Denied. MKCOL has its own word for what is there already (RFC 4918 §9.3.1)."""
    slug, kind = request.place.slug or "", kind_of(request.place)
    taken = is_kept(slug) or tx.collection(request.staff, slug) is not None
    if taken and request.method == "MKCOL":
        there = ", ".join(method for method in METHODS[kind] if not method.startswith("MK"))
        raise Denied(405, "There is a calendar at this address already.", headers={"Allow": there})
    if taken and kind is Kind.PERSONAL:
        raise Denied(403, "There is a calendar at this address already.", condition="resource-must-be-null")
    if taken or not fit(slug):
        raise Denied(403, "This name is kept for the platform's own calendars.", condition="resource-must-be-null")


def _make(tx: Transaction, request: Request, wishes: Sequence[Wish]) -> None:
    if len(tx.collections(request.staff)) >= request.limits.calendars:
        raise Denied(507, f"A home may hold {request.limits.calendars} calendars at most.")
    chosen = next((wish.element for wish in wishes if wish.name == _COMPONENT_SET), None)
    try:
        desk.make_calendar(tx, request.staff, request.place.slug or "", _components(chosen), request.now)
    except Conflict:
        raise Denied(403, "There is a calendar at this address already.", condition="resource-must-be-null") from None
    looks = looks_of(_looks(wishes))
    if looks:
        tx.set_properties(request.staff, collection_at(tx, request.staff, request.place), looks, request.now)


def _looks(wishes: Sequence[Wish]) -> list[Wish]:
    return [wish for wish in wishes if wish.name not in (_COMPONENT_SET, _RESOURCE_TYPE)]


def _problems(request: Request, wishes: Sequence[Wish]) -> dict[str, Problem]:
    """Why what is wished for cannot be had, by property."""
    problems = {wish.name: problem for wish in _looks(wishes) if (problem := checked(request, wish)) is not None}
    if too_many(request, {}, _looks(wishes)):
        problems |= {wish.name: Problem(507, "A calendar keeps no more properties.") for wish in _looks(wishes)}
    for wish in wishes:
        if wish.name == _RESOURCE_TYPE and not _is_calendar(wish.element):
            problems[wish.name] = Problem(403, "Only calendars can be made here.", "valid-resourcetype")
        if wish.name == _COMPONENT_SET and any(name not in COMPONENTS for name in _components(wish.element) or ("",)):
            problems[wish.name] = Problem(403, "A calendar takes VEVENT, VTODO or VJOURNAL.", "supported-calendar-component")
    return problems


def _refused(request: Request, wishes: Sequence[Wish], problems: Mapping[str, Problem]) -> Answer:
    """What stood in the way, property by property (RFC 5689 §3.2; MKCALENDAR's answer is made like it)."""
    root = f"{{{DAV}}}mkcol-response" if request.method == "MKCOL" else f"{{{CALDAV}}}mkcalendar-response"
    return xml(next(iter(problems.values())).status, xml_document(root, outcomes(wishes, problems)))


def _wishes(request: Request) -> list[Wish] | None:
    """What the body sets; None when a plain collection is asked for. Raises Invalid, Denied. Both roots carry `set` with `prop`."""
    kind = str(request.head.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if request.method == "MKCOL" and request.body and kind not in ("", "application/xml", "text/xml"):
        raise Denied(415, "What is to be made is described in XML.")  # RFC 4918 §9.3.1
    root = document.parsed(request.body)
    if root is None:
        return None if request.method == "MKCOL" else []
    if root.tag != (f"{{{DAV}}}mkcol" if request.method == "MKCOL" else f"{{{CALDAV}}}mkcalendar"):
        raise Invalid("The body does not fit the method.")
    wishes = wishes_in(root)
    return None if request.method == "MKCOL" and all(wish.name != _RESOURCE_TYPE for wish in wishes) else wishes


def _is_calendar(element: Element) -> bool:
    return any(child.tag == f"{{{CALDAV}}}calendar" for child in element)


def _components(chosen: Element | None) -> tuple[str, ...]:
    if chosen is None:
        return COMPONENTS
    return tuple(dict.fromkeys((comp.get("name") or "").upper() for comp in document.children(chosen, f"{{{CALDAV}}}comp")))
