"""sync-collection of a calendar: what changed since a token (RFC 6578 §3)."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from gateway.errors import Invalid
from gateway.model import Revision
from gateway.store import Collection, Row, Snapshot
from plugins import document
from plugins.failures import Denied
from plugins.multistatus import DAV, failed, href, multistatus
from plugins.place import Place
from plugins.rendering import Wanted, renderer, wanted_in
from plugins.request import Answer, Lengthy, Request, xml
from plugins.shaping import shaped
from plugins.tokens import revision_in, token

FEW = 50
"""Changes that are told while others wait."""

MORE = "<D:error><D:number-of-matches-within-limits/></D:error>"


def answer(snapshot: Snapshot, request: Request, collection: Collection, root: Element) -> Answer:
    """Without a token there are no tombstones: iOS stumbles over them (clients.md §5). A calendar has no collections in it, so that
    one level is as much as all of them."""
    if request.place.name is not None:
        raise Denied(403, "This report is answered by a calendar.", condition="supported-report")
    level_of(request, root)
    sent, wanted, limit = token_in(root), props_in(root), limit_in(root)
    since = revision_in(sent, snapshot.epoch, collection) if sent else None
    if request.brief and (since is None or collection.last - since > (0 if wanted.text else FEW)):
        raise Lengthy
    one = renderer(request, snapshot.epoch, collection, wanted, shaped(snapshot, request, wanted.data, collection))
    if since is None and limit is None:
        everything = [one(row) for row in snapshot.each(collection, text=wanted.text)]
        return finished(request, everything, token(snapshot.epoch, collection, collection.last), more=False)
    found, reached = _changed(snapshot, collection, since, limit, text=wanted.text)
    base = Place(request.handle, collection.slug).path(request.prefix)
    answers = [one(row) if row is not None else failed(base + href(name), 404) for name, row in found.items() if row or since is not None]
    return finished(request, answers, token(snapshot.epoch, collection, reached), more=reached < collection.last)


def _changed(
    snapshot: Snapshot, collection: Collection, since: Revision | None, limit: int | None, *, text: bool
) -> tuple[dict[str, Row | None], Revision]:
    changed, reached = snapshot.names_since(collection, since or Revision(0), limit=limit)
    found = dict(changed)
    if text and (there := [name for name, row in found.items() if row is not None]):
        found.update(snapshot.rows_named(collection, there, text=True))
    return found, reached


def finished(request: Request, answers: Sequence[str | bytes], new: str, *, more: bool) -> Answer:
    """The answer with its token; `more`: it was cut, and the token says where (RFC 6578 §3.6)."""
    if more:
        answers = [*answers, failed(request.at, 507, MORE)]
    return xml(207, multistatus(answers, after=f"<D:sync-token>{new}</D:sync-token>"))


def level_of(request: Request, root: Element) -> str:
    """ "1" or "infinite". Raises Invalid.

    Depth 0 is what RFC 6578 §3.2 asks for and DAVx5 sends; Thunderbird sends 1, and macOS 10.7 to 10.11 no sync-level, which is
    then what their Depth says (clients.md §3, §7).
    """
    depth, element = request.depth("0"), root.find(f"{{{DAV}}}sync-level")
    if depth == "infinity":
        raise Invalid("sync-collection is asked with Depth 0; the level stands in its body.")
    level = document.text_of(element).strip() if element is not None else "1"
    if level not in ("1", "infinite"):
        raise Invalid("sync-level is 1 or infinite.")
    return level


def token_in(root: Element) -> str:
    """The token sent, or "" for a first synchronisation."""
    element = root.find(f"{{{DAV}}}sync-token")
    return document.text_of(element).strip() if element is not None else ""


def props_in(root: Element) -> Wanted:
    """Raises Invalid: allprop and propname are no part of this report (RFC 6578 §6.1)."""
    wanted = wanted_in(root)
    if wanted.names is None:
        raise Invalid("sync-collection asks for prop.")
    return wanted


def limit_in(root: Element) -> int | None:
    """DAV:limit/nresults (RFC 6578 §3.7, RFC 5323 §5.17). Raises Invalid."""
    element = root.find(f"{{{DAV}}}limit/{{{DAV}}}nresults")
    if element is None:
        return None
    number = document.text_of(element).strip()
    if not (number.isascii() and number.isdigit()) or int(number[:16]) < 1:
        raise Invalid("nresults is a positive number.")
    return min(int(number[:16]), 1_000_000)
