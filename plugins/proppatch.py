"""PROPPATCH: every staff member's own looks of a calendar: name, colour, order, and whatever else his client keeps there.

All or nothing, and always a 207 that says which property was the obstacle (RFC 4918 §9.2): Apple Calendar takes no 405
(clients.md §7), and a client that is told "200" for a protected property believes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, tostring

from gateway.errors import Invalid
from gateway.store import Snapshot, Store
from plugins import document
from plugins.failures import qualified
from plugins.multistatus import APPLE, CALDAV, DAV, empty, filled, multistatus, propstat
from plugins.place import collection_at
from plugins.properties import LIVE, SETTABLE, TEXTUAL
from plugins.request import Answer, Request, xml

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?")
_ORDER = re.compile(r"-?\d{1,9}")


@dataclass(frozen=True, slots=True)
class Wish:
    """A property and what it shall be: text or XML as `TEXTUAL` has it, None to remove it."""

    name: str
    value: str | None
    element: Element


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    sentence: str
    condition: str | None = None


def answer(store: Store, request: Request) -> Answer:
    root = document.parsed(request.body)
    if root is None or root.tag != f"{{{DAV}}}propertyupdate":
        raise Invalid("The body of PROPPATCH is a propertyupdate element.")
    wishes = wishes_in(root)
    if not wishes:
        raise Invalid("The body of PROPPATCH names no property.")
    problems = {wish.name: problem for wish in wishes if (problem := checked(request, wish)) is not None}
    with store.write(request.login.company, request.actor) as tx:
        place = request.place
        kept = _kept(tx, request)
        if kept is None:
            for wish in wishes:
                problems.setdefault(wish.name, Problem(403, "Properties are kept for calendars only."))
        elif len({**kept, **{wish.name: "" for wish in wishes}}) > request.limits.properties:
            for wish in wishes:
                problems.setdefault(wish.name, Problem(507, "A calendar keeps no more properties."))
        if not problems:
            collection = collection_at(tx, request.staff, place)
            tx.set_properties(request.staff, collection, {wish.name: wish.value for wish in wishes}, request.now)
    return xml(207, multistatus([_response(request.at, list(dict.fromkeys(wish.name for wish in wishes)), problems)]))


def _kept(tx: Snapshot, request: Request) -> Mapping[str, str] | None:
    """The properties kept so far; None where none can be kept: on the root, a home and on objects. Raises Missing."""
    if request.place.slug is None:
        return None
    collection = collection_at(tx, request.staff, request.place)
    return collection.properties if request.place.name is None else None


def wishes_in(root: Element) -> list[Wish]:
    """What `set` and `remove` ask for, in document order; the last word on a property counts."""
    wishes: dict[str, Wish] = {}
    for instruction in root:
        if instruction.tag not in (f"{{{DAV}}}set", f"{{{DAV}}}remove"):
            continue
        for prop in document.children(instruction, f"{{{DAV}}}prop"):
            for element in prop:
                value = _value(element) if instruction.tag == f"{{{DAV}}}set" else None
                wishes.pop(element.tag, None)
                wishes[element.tag] = Wish(element.tag, value, element)
    if len(wishes) > document.NAMES:
        raise Invalid(f"At most {document.NAMES} properties can be set at once.")
    return list(wishes.values())


def _value(element: Element) -> str:
    """Text for the properties known to be text; the content as XML with its namespaces for all others."""
    if element.tag in TEXTUAL:
        return document.text_of(element).strip()
    whole = tostring(element, encoding="unicode", short_empty_elements=False)
    if len(element) == 0:
        return _content(whole)
    return "".join(tostring(child, encoding="unicode") for child in element).strip()


def _content(whole: str) -> str:
    return whole[whole.index(">") + 1 : whole.rindex("<")]


def checked(request: Request, wish: Wish) -> Problem | None:
    """Why the wish cannot be granted, or None."""
    if wish.name in LIVE and wish.name not in SETTABLE:
        return Problem(403, "The server answers for this property.", "cannot-modify-protected-property")
    if wish.value is None:
        return None
    if len(wish.value.encode()) > request.limits.property_octets:
        return Problem(507, "The value is too long to be kept.")
    if wish.name == f"{{{APPLE}}}calendar-color" and not _COLOUR.fullmatch(wish.value):
        return Problem(403, "A colour is #RRGGBB or #RRGGBBAA.")
    if wish.name == f"{{{APPLE}}}calendar-order" and not _ORDER.fullmatch(wish.value):
        return Problem(403, "An order is a number.")
    if wish.name == f"{{{CALDAV}}}calendar-timezone" and "BEGIN:VTIMEZONE" not in wish.value.upper():
        return Problem(403, "A time zone is a calendar with one VTIMEZONE.", "valid-calendar-data")
    return None


def _response(at: str, names: Sequence[str], problems: Mapping[str, Problem]) -> str:
    """One propstat per outcome; what was fine but not done because of others is a failed dependency."""
    if not problems:
        stats = propstat(200, map(empty, names))
    else:
        stats = propstat(424, [empty(name) for name in names if name not in problems])
        for name, problem in problems.items():
            condition = qualified(problem.condition)
            error = filled(f"{{{DAV}}}error", empty(condition)) if condition else ""
            stats += propstat(problem.status, [empty(name)], error)
    return f"<D:response><D:href>{at}</D:href>{stats}</D:response>"
