"""PROPPATCH: every staff member's own looks of a calendar: name, colour, order, and whatever else his client keeps there.

All or nothing, and always a 207 that says which property was the obstacle (RFC 4918 §9.2): Apple Calendar takes no 405
(clients.md §7), and a client that is told "200" for a protected property believes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, tostring

from gateway.errors import Invalid, TooLarge
from gateway.store import Snapshot, Store, Transaction
from plugins import availability, document, proxies, scheduling, timezones
from plugins.failures import Denied, qualified
from plugins.features import PROXIES, Kind, kind_of
from plugins.multistatus import APPLE, CALDAV, DAV, attribute, empty, escape, filled, multistatus, propstat
from plugins.place import APART, collection_at
from plugins.prefer import MINIMAL
from plugins.properties import ATTRIBUTES, LIVE, SETTABLE, TEXTUAL
from plugins.request import Answer, Request, preferred, xml
from plugins.states import check_states

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?")
_XML = "http://www.w3.org/XML/1998/namespace"
_ORDER = re.compile(r"-?\d{1,9}")


@dataclass(frozen=True, slots=True)
class Wish:
    """A property and what it shall be: text or XML as `TEXTUAL` has it, None to remove it. `attributes` are ready for its tag."""

    name: str
    value: str | None
    element: Element
    attributes: str = ""

    @property
    def looks(self) -> Mapping[str, str | None]:
        """What is kept of it; None removes."""
        return {self.name: self.value, self.name + ATTRIBUTES: self.attributes if self.value is not None and self.attributes else None}


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
    deeds = _deeds(request)
    looks = [wish for wish in wishes if wish.name not in deeds]
    problems = {wish.name: problem for wish in looks if (problem := checked(request, wish)) is not None}
    with store.write(request.login.company, request.actor) as tx:
        check_states(tx, request)
        done = _prepared(tx, request, deeds, wishes, problems)
        _check_kept(tx, request, looks, problems)
        if not problems:
            for deed in done:
                deed()
            if looks:
                tx.set_properties(request.viewer, collection_at(tx, request.staff, request.place), looks_of(looks), request.now)
    if request.prefer.minimal and not problems:
        return preferred(Answer(200), MINIMAL)  # RFC 8144 §2.2
    return xml(207, multistatus([f"<D:response><D:href>{request.at}</D:href>{outcomes(wishes, problems)}</D:response>"]))


def looks_of(wishes: Sequence[Wish]) -> dict[str, str | None]:
    """What is to be kept, and (None) what no longer."""
    return timezones.settled({name: value for wish in wishes for name, value in wish.looks.items()})


Deed = Callable[[], None]
Preparation = Callable[[Transaction, Request, "Wish"], Deed]


def _deeds(request: Request) -> Mapping[str, Preparation]:
    """The properties that are no looks: to set one is to change something else."""
    kind = kind_of(request.place, request.handle)
    if kind in (Kind.INBOX, Kind.HOME):
        return dict.fromkeys(availability.NAMES, availability.changed)
    return {proxies.MEMBERS: proxies.changed} if kind in PROXIES else {}


def _prepared(
    tx: Transaction, request: Request, deeds: Mapping[str, Preparation], wishes: Sequence[Wish], problems: dict[str, Problem]
) -> list[Deed]:
    """What is to be done if nothing is wrong with anything; what is wrong goes to `problems`."""
    done: list[Deed] = []
    for wish in wishes:
        if wish.name not in deeds:
            continue
        try:
            done.append(deeds[wish.name](tx, request, wish))
        except (Invalid, TooLarge, Denied) as wrong:
            problems[wish.name] = Problem(403, str(wrong), wrong.condition)
    return done


def _check_kept(tx: Transaction, request: Request, looks: Sequence[Wish], problems: dict[str, Problem]) -> None:
    """Note, for each of the looks, why it cannot be kept here. Raises Missing."""
    kept = _kept(tx, request)
    if kept is None:
        problem = Problem(403, "Properties are kept for calendars only.")
    elif too_many(request, kept, looks):
        problem = Problem(507, "A calendar keeps no more properties.")
    else:
        return
    for wish in looks:
        problems.setdefault(wish.name, problem)


def too_many(request: Request, kept: Mapping[str, str], wishes: Sequence[Wish]) -> bool:
    """Whether a calendar would keep more properties than the limit says."""
    names = {name for name in kept if not name.endswith(ATTRIBUTES)} | {wish.name for wish in wishes if wish.value is not None}
    return len(names - {wish.name for wish in wishes if wish.value is None}) > request.limits.properties


def _kept(tx: Snapshot, request: Request) -> Mapping[str, str] | None:
    """The properties kept so far; None where none can be kept: on the root, a home and on objects. Raises Missing."""
    if request.place.slug is None or (request.place.slug in APART and request.place.name is None):
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
                wishes[element.tag] = Wish(element.tag, value, element, _attributes(element))
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


def _attributes(element: Element) -> str:
    """As they can stand in a tag: Apple names a colour by one (`symbolic-color`), and RFC 4918 §4.3 wants xml:lang kept."""
    found = ""
    for number, (name, value) in enumerate(element.attrib.items()):
        namespace, _, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
        if namespace == _XML:
            found += f' xml:{local}="{attribute(value)}"'
        elif namespace:
            found += f' xmlns:a{number}="{attribute(namespace)}" a{number}:{local}="{attribute(value)}"'
        else:
            found += f' {local}="{attribute(value)}"'
    return found


def _content(whole: str) -> str:
    return whole[whole.index(">") + 1 : whole.rindex("<")]


def checked(request: Request, wish: Wish) -> Problem | None:
    """Why the wish cannot be granted, or None."""
    if wish.name in LIVE and wish.name not in SETTABLE:
        return Problem(403, "The server answers for this property.", "cannot-modify-protected-property")
    if wish.value is None:
        return None
    if len(wish.value.encode()) + len(wish.attributes.encode()) > request.limits.property_octets:
        return Problem(507, "The value is too long to be kept.")
    if wish.name == f"{{{APPLE}}}calendar-color" and not _COLOUR.fullmatch(wish.value):
        return Problem(403, "A colour is #RRGGBB or #RRGGBBAA.")
    if wish.name == f"{{{APPLE}}}calendar-order" and not _ORDER.fullmatch(wish.value):
        return Problem(403, "An order is a number.")
    if wish.name == scheduling.TRANSPARENCY and (wrong := scheduling.transparency_problem(request.place, wish.element)) is not None:
        return Problem(403, wrong)
    if wish.name == timezones.ZONE_ID and (wrong := timezones.problem(wish.value)) is not None:
        return Problem(403, wrong, "valid-timezone")
    if wish.name == f"{{{CALDAV}}}calendar-timezone" and "BEGIN:VTIMEZONE" not in wish.value.upper():
        return Problem(403, "A time zone is a calendar with one VTIMEZONE.", "valid-calendar-data")
    return None


def outcomes(wishes: Sequence[Wish], problems: Mapping[str, Problem]) -> str:
    """One propstat per outcome; what was fine but not done because of others is a failed dependency (RFC 4918 §9.2.1)."""
    names = [wish.name for wish in wishes]
    if not problems:
        return propstat(200, map(empty, names))
    stats = propstat(424, [empty(name) for name in names if name not in problems])
    for name, problem in problems.items():
        condition = qualified(problem.condition)
        broken = filled(f"{{{DAV}}}error", empty(condition)) if condition else ""
        said = f"<D:responsedescription>{escape(problem.sentence)}</D:responsedescription>"
        stats += propstat(problem.status, [empty(name)], broken + said)
    return stats
