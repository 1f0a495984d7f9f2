"""REPORT: which one is asked, of what, and whose room answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from gateway.errors import Invalid, Missing
from gateway.store import Collection, Snapshot, Store
from plugins import document, freebusy, homesync, multiget, query, references, scheduling, searching, syncing
from plugins.failures import Denied
from plugins.features import BOXES, PROXIES, REPORTS, Kind, kind_of
from plugins.multistatus import CALDAV, DAV, SERVER
from plugins.place import collection_at
from plugins.prefer import MINIMAL
from plugins.principals import colleague
from plugins.request import Answer, Lengthy, Request, preferred
from plugins.states import check_states

OfCalendars = Callable[[Snapshot, Request, Collection, Element], Answer]
OfHomes = Callable[[Snapshot, Request, Element], Answer]

_OF_CALENDARS: Mapping[str, OfCalendars] = {
    f"{{{DAV}}}sync-collection": syncing.answer,
    f"{{{CALDAV}}}calendar-query": query.answer,
    f"{{{CALDAV}}}calendar-multiget": multiget.answer,
    f"{{{CALDAV}}}free-busy-query": freebusy.answer,
}
_OF_HOMES: Mapping[str, OfHomes] = {
    f"{{{DAV}}}sync-collection": homesync.answer,
    f"{{{CALDAV}}}calendar-query": query.answer_home,
    f"{{{CALDAV}}}calendar-multiget": multiget.answer_home,
    f"{{{CALDAV}}}free-busy-query": freebusy.answer_home,
}
_OF_ANYTHING: Mapping[str, OfHomes] = {
    f"{{{DAV}}}expand-property": references.expand,
    f"{{{DAV}}}acl-principal-prop-set": references.named_in_acl,
    f"{{{DAV}}}principal-match": references.match,
    f"{{{DAV}}}principal-property-search": searching.by_properties,
    f"{{{DAV}}}principal-search-property-set": searching.searchable,
    f"{{{SERVER}}}calendarserver-principal-search": searching.by_words,
}


def answer(store: Store, request: Request) -> Answer:
    root = document.report(request.body)
    if root is None:
        raise Invalid("The body of REPORT says which report is wanted.")
    if request.brief and (root.tag != f"{{{DAV}}}sync-collection" or request.place.slug is None):
        raise Lengthy
    request.depth("0")
    kind = kind_of(request.place, request.handle)
    if kind is not Kind.PERSON and kind not in REPORTS.get(root.tag, ()):  # of a colleague only once it is clear that he is one
        raise _unknown(root)
    with store.read(request.login.company) as snapshot:
        check_states(snapshot, request)
        answered = _answered(snapshot, request, kind, root)
    return preferred(answered, MINIMAL) if request.prefer.minimal and answered.status == 207 else answered


def _answered(snapshot: Snapshot, request: Request, kind: Kind, root: Element) -> Answer:
    if kind is Kind.PERSON:
        colleague(snapshot, request.place.handle or "")
        if kind not in REPORTS.get(root.tag, ()):
            raise _unknown(root)
    if kind in BOXES and root.tag in _OF_CALENDARS:
        return scheduling.report(snapshot, request, root)
    if request.place.slug is None or kind in BOXES | PROXIES:
        return (_OF_HOMES.get(root.tag) or _OF_ANYTHING[root.tag])(snapshot, request, root)
    collection = collection_at(snapshot, request.staff, request.place)
    name = request.place.name
    if root.tag in _OF_CALENDARS:
        return _OF_CALENDARS[root.tag](snapshot, request, collection, root)
    if name is not None and name not in snapshot.rows_named(collection, [name], text=False):
        raise Missing("There is no such calendar object.")
    return _OF_ANYTHING[root.tag](snapshot, request, root)


def _unknown(root: Element) -> Denied:
    known = root.tag in REPORTS
    return Denied(403, "This report is not answered here." if known else "This report is not known here.", condition="supported-report")
