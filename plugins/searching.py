"""Finding colleagues by name or address: within one's company, never anybody without a search word (RFC 3744 §9.4, §9.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from xml.etree.ElementTree import Element

from gateway.errors import Invalid
from gateway.model import Staff
from gateway.store import Snapshot
from plugins import document, sights
from plugins.multistatus import CALDAV, DAV, SERVER, answered, empty, failed, multistatus
from plugins.multistatus import document as xml_document
from plugins.properties import found
from plugins.request import Answer, Request, xml
from plugins.syncing import MORE, limit_in

SEARCHABLE: Mapping[str, tuple[str, Callable[[Staff], str]]] = {
    f"{{{DAV}}}displayname": ("Name", lambda staff: staff.name),
    f"{{{SERVER}}}email-address-set": ("E-mail address", lambda staff: staff.email),
    f"{{{CALDAV}}}calendar-user-address-set": ("Calendar address", lambda staff: f"mailto:{staff.email}"),
}
"""By which properties principals are found: how that is called, and what of a staff member is compared."""

_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda value, word: word in value,
    "starts-with": lambda value, word: value.startswith(word),
    "ends-with": lambda value, word: value.endswith(word),
    "equals": lambda value, word: value == word,
}
_PEOPLE = ("", "INDIVIDUAL", "USER", "ATTENDEE")
"""Kinds of principals that there are some of; groups, rooms and things are none here."""

Test = Callable[[Staff], bool]


def searchable(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """macOS asks a principal for it while an account is set up (clients.md §7)."""
    described = (
        f'<D:principal-search-property><D:prop>{empty(name)}</D:prop><D:description xml:lang="en">{said}</D:description>'
        "</D:principal-search-property>"
        for name, (said, _) in SEARCHABLE.items()
    )
    return xml(200, xml_document(f"{{{DAV}}}principal-search-property-set", "".join(described)))


def by_properties(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """principal-property-search. All conditions must hold; with test="anyof" (calendarserver's) one is enough."""
    test = root.get("test", "allof")
    if test not in ("allof", "anyof"):
        raise Invalid("test is allof or anyof.")
    conditions = [each for search in document.children(root, f"{{{DAV}}}property-search") for each in _conditions(search)]
    if not conditions:
        raise Invalid("principal-property-search says what is searched for.")
    together = all if test == "allof" else any
    return _told(snapshot, request, root, lambda staff: together(condition(staff) for condition in conditions), root.get("type", ""))


def _conditions(search: Element) -> list[Test]:
    """What one property-search asks for: every property named in it matches. Raises Invalid."""
    element, names = search.find(f"{{{DAV}}}match"), document.names_in(search.find(f"{{{DAV}}}prop"))
    if element is None or not names:
        raise Invalid("A property-search has a prop and a match.")
    matches = _MATCHES.get(element.get("match-type", "contains"))
    if matches is None:
        raise Invalid("match-type is contains, starts-with, ends-with or equals.")
    word = document.text_of(element).strip().casefold()
    return [_condition(name, matches, word) for name in names]


def _condition(name: str, matches: Callable[[str, str], bool], word: str) -> Test:
    """An empty word matches nobody (trust.md A030); neither does a property that is not searchable."""
    known = SEARCHABLE.get(name)
    if known is None or not word:
        return lambda staff: False
    return lambda staff: matches(known[1](staff).casefold(), word)


def by_words(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """calendarserver-principal-search: every word occurs in the name or in the address."""
    words = [document.text_of(each).strip().casefold() for each in document.children(root, f"{{{SERVER}}}search-token")]
    if not words:
        raise Invalid("calendarserver-principal-search says what is searched for.")

    def test(staff: Staff) -> bool:
        return all(word and (word in staff.name.casefold() or word in staff.email.casefold()) for word in words)

    return _told(snapshot, request, root, test, root.get("context", ""))


def _told(snapshot: Snapshot, request: Request, root: Element, test: Test, kind: str) -> Answer:
    """Who is found, by name; cut at the limit with a 507 that says so. Nobody is below a home or a calendar: principals are found
    from the root, or from anywhere by who applies the search to the collection of principals."""
    if request.depth("0") != "0":
        raise Invalid("This report is asked with Depth 0.")
    names = tuple(document.names_in(root.find(f"{{{DAV}}}prop")))
    everywhere = request.place.handle is None or root.find(f"{{{DAV}}}apply-to-principal-collection-set") is not None
    matched: Sequence[Staff] = ()
    if everywhere and kind.upper() in _PEOPLE:
        one = request.login.calendar is not None  # a password for one calendar shows no colleague
        matched = [staff for staff in snapshot.all_staff() if staff.active and test(staff) and (not one or staff.id == request.staff)]
    most = min(limit_in(root) or request.limits.principals, request.limits.principals)
    answers = [answered(seen.at, *found(seen, names)) for seen in (sights.principal(snapshot, request, each) for each in matched[:most])]
    if len(matched) > most:
        answers.append(failed(request.at, 507, MORE))
    return xml(207, multistatus(answers))
