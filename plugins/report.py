"""REPORT: which one is asked, and the two that need no filter: sync-collection (RFC 6578) and calendar-multiget (RFC 4791 §7.9)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from gateway.errors import Invalid, TooLarge
from gateway.model import Revision
from gateway.store import Collection, Row, Snapshot, Store
from plugins import document, freebusy, query
from plugins.failures import Denied
from plugins.multistatus import CALDAV, DAV, escape, failed, href, multistatus
from plugins.multistatus import document as xml_document
from plugins.place import Place, collection_at, place_in
from plugins.properties import revision_in, token
from plugins.rendering import renderer, wanted_in
from plugins.request import Answer, Request, xml
from plugins.shaping import shaped

SYNC = f"{{{DAV}}}sync-collection"
MULTIGET = f"{{{CALDAV}}}calendar-multiget"
QUERY = f"{{{CALDAV}}}calendar-query"
FREE_BUSY = f"{{{CALDAV}}}free-busy-query"
SEARCHABLE = f"{{{DAV}}}principal-search-property-set"


def answer(store: Store, request: Request) -> Answer:
    root = document.parsed(request.body)
    if root is None:
        raise Invalid("The body of REPORT says which report is wanted.")
    request.depth("0")
    if root.tag == SEARCHABLE:  # macOS asks a principal for it while an account is set up (clients.md §7); nobody can be searched for
        return xml(200, xml_document(SEARCHABLE, ""))
    if root.tag not in (SYNC, MULTIGET, QUERY, FREE_BUSY):
        raise Denied(403, "This report is not known here.", condition="supported-report")
    if request.place.slug is None:
        raise Denied(403, "Reports are answered by calendars.", condition="supported-report")
    with store.read(request.login.company) as snapshot:
        collection = collection_at(snapshot, request.staff, request.place)
        if root.tag == MULTIGET:
            return _multiget(snapshot, request, collection, root)
        if root.tag == QUERY:
            return query.answer(snapshot, request, collection, root)
        if request.place.name is not None:
            raise Denied(403, "This report is answered by a calendar.", condition="supported-report")
        if root.tag == FREE_BUSY:
            return freebusy.answer(snapshot, request, collection, root)
        return _sync(snapshot, request, collection, root)


def _multiget(snapshot: Snapshot, request: Request, collection: Collection, root: Element) -> Answer:
    """Every href gets its answer, once; what is not in this calendar is not found."""
    asked = list(dict.fromkeys(document.text_of(element).strip() for element in document.children(root, f"{{{DAV}}}href")))
    if len(asked) > request.limits.hrefs:
        raise TooLarge(
            f"At most {request.limits.hrefs} objects can be asked for at once.",
            limit="limits.hrefs",
            condition="number-of-matches-within-limits",
        )
    wanted = wanted_in(root)
    names = {address: _name(request, address) for address in asked}
    rows = snapshot.rows_named(collection, [name for name in names.values() if name is not None], text=wanted.text)
    one = renderer(request, snapshot.epoch, collection, wanted, shaped(snapshot, request, wanted.data))
    answers: list[str] = []
    for address, name in names.items():
        row = rows.get(name) if name is not None else None
        answers.append(one(row) if row is not None else failed(escape(address), 404))
    return xml(207, multistatus(answers))


def _name(request: Request, address: str) -> str | None:
    """The name of an object of this calendar that an href addresses."""
    place = place_in(address, request.prefix, request.host)
    if place is None or (place.handle, place.slug) != (request.place.handle, request.place.slug):
        return None
    if request.place.name is not None and place.name != request.place.name:
        return None
    return place.name


def _sync(snapshot: Snapshot, request: Request, collection: Collection, root: Element) -> Answer:
    """What changed since the token. Depth 0 (DAVx5), 1 (Thunderbird) and none at all mean the same; so does a missing sync-level
    (macOS 10.7 to 10.11). Without a token there are no tombstones: iOS stumbles over them (clients.md §5)."""
    since = _since(snapshot, collection, root)
    wanted, limit = wanted_in(root), _limit(root)
    if wanted.names is None:
        raise Invalid("sync-collection asks for prop.")
    found, reached = _changed(snapshot, collection, since, limit, text=wanted.text)
    one = renderer(request, snapshot.epoch, collection, wanted, shaped(snapshot, request, wanted.data))
    base = Place(request.login.handle, collection.slug).path(request.prefix)
    answers = [one(row) if row is not None else failed(base + href(name), 404) for name, row in found.items() if row or since is not None]
    if reached < collection.last:
        answers.append(failed(request.at, 507, "<D:error><D:number-of-matches-within-limits/></D:error>"))
    return xml(207, multistatus(answers, after=f"<D:sync-token>{token(snapshot.epoch, collection, reached)}</D:sync-token>"))


def _changed(
    snapshot: Snapshot, collection: Collection, since: Revision | None, limit: int | None, *, text: bool
) -> tuple[dict[str, Row | None], Revision]:
    if since is None and limit is None:
        return {row.name: row for row in snapshot.rows(collection, text=text)}, collection.last
    changed, reached = snapshot.names_since(collection, since or Revision(0), limit=limit)
    found = dict(changed)
    if text and (there := [name for name, row in found.items() if row is not None]):
        found.update(snapshot.rows_named(collection, there, text=True))
    return found, reached


def _since(snapshot: Snapshot, collection: Collection, root: Element) -> Revision | None:
    """The revision in the token; None when there is none. Raises Invalid (valid-sync-token) for a token that is not ours and current."""
    element = root.find(f"{{{DAV}}}sync-token")
    sent = document.text_of(element).strip() if element is not None else ""
    if not sent:
        return None
    return revision_in(sent, snapshot.epoch, collection)


def _limit(root: Element) -> int | None:
    """DAV:limit/nresults (RFC 6578 §3.7, RFC 5323 §5.17). Raises Invalid."""
    element = root.find(f"{{{DAV}}}limit/{{{DAV}}}nresults")
    if element is None:
        return None
    number = document.text_of(element).strip()
    if not (number.isascii() and number.isdigit()) or int(number[:16]) < 1:
        raise Invalid("nresults is a positive number.")
    return min(int(number[:16]), 1_000_000)
