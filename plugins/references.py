"""Reports that follow addresses: expand-property (RFC 3253 §3.8), principal-match and acl-principal-prop-set (RFC 3744 §9.2, §9.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from gateway.errors import Invalid, TooLarge
from gateway.store import Snapshot
from plugins import document, sights
from plugins.features import Kind, kind_of
from plugins.multistatus import DAV, answered, failed, link, multistatus
from plugins.place import Place, place_in
from plugins.properties import found
from plugins.proxies import groups
from plugins.request import Answer, Request, xml
from plugins.seen import Seen

_PROPERTY = f"{{{DAV}}}property"
_HREF = re.compile(r"<D:href>([^<]*)</D:href>")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def expand(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """Properties, and in the place of addresses in them what is known of these. Bounded: a wish is an XML element of the request,
    and so many addresses are followed as the limit says."""
    if sum(1 for each in root.iter(_PROPERTY)) > document.NAMES:
        raise Invalid(f"At most {document.NAMES} properties can be expanded at once.")
    expansion = _Expansion(snapshot, request, request.limits.principals)
    answers = [expansion.response(seen, root) for seen in expansion.counted(sights.around(snapshot, request, _depth(request, "01")))]
    return xml(207, multistatus(answers))


@dataclass(slots=True)
class _Expansion:
    """One answer in the making; `left` counts what may still be looked at."""

    snapshot: Snapshot
    request: Request
    left: int

    def counted(self, seen: Iterable[Seen]) -> Iterator[Seen]:
        for each in seen:
            self.left -= 1
            if self.left < 0:
                limit = self.request.limits.principals
                raise TooLarge(
                    f"At most {limit} resources can be expanded at once.",
                    limit="limits.principals",
                    condition="number-of-matches-within-limits",
                )
            yield each

    def response(self, seen: Seen, wishes: Element) -> str:
        there: list[str] = []
        missing: list[str] = []
        for wish in document.children(wishes, _PROPERTY):
            some, none = found(seen, (_name(wish),))
            there += [self._expanded(each, wish) for each in some] if len(wish) else some
            missing += none
        return answered(seen.at, there, missing)

    def _expanded(self, element: str, wish: Element) -> str:
        return _HREF.sub(lambda match: self._followed(match[1], wish), element)

    def _followed(self, address: str, wish: Element) -> str:
        """What is known at an address; addresses of another kind (mailto:) stay as they are."""
        place = place_in(address, self.request.prefix, self.request.host)
        if place is None:
            return link(address)
        seen = sights.at(self.snapshot, self.request, place)
        return failed(address, 404) if seen is None else "".join(self.response(each, wish) for each in self.counted([seen]))


def _name(wish: Element) -> str:
    """The property's Clark name. Raises Invalid: it will be the name of an element in the answer."""
    name = wish.get("name") or ""
    if not _NAME.fullmatch(name):
        raise Invalid("A property to be expanded has a name.")
    return f"{{{wish.get('namespace', DAV)}}}{name}"


def match(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """Which resources are, or belong to, whoever asks: his principal (self), or what names him in a property such as owner.
    Looked at are collections, not the objects in them."""
    own = link(request.home.path(request.prefix))
    asked = root.find(f"{{{DAV}}}principal-property")
    _depth(request, "0")
    if asked is not None and len(asked) == 1:
        name = document.names_in(asked)
        matched = [seen for seen in _within(snapshot, request) if any(own in value for value in found(seen, name)[0])]
    elif root.find(f"{{{DAV}}}self") is not None:
        matched = [seen for seen in _within(snapshot, request) if seen.place == request.home]
    else:
        raise Invalid("principal-match asks for self or for one principal-property.")
    return _told(root, matched)


def _within(snapshot: Snapshot, request: Request) -> list[Seen]:
    """The collections that the request names, or that are somewhere in it."""
    if request.place.slug is not None:
        return list(sights.around(snapshot, request, "0"))
    calendars = [Place(request.handle, each.slug) for each in snapshot.collections(request.staff)]
    found = [sights.at(snapshot, request, place) for place in (request.home, *calendars)]
    return [seen for seen in found if seen is not None]


def named_in_acl(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """The principals in the resource's acl: whose home it lies in, and his delegates as far as the resource is open to them."""
    _depth(request, "0")
    view = kind_of(request.place, request.handle) in (Kind.VIEW, Kind.VIEW_OBJECT)
    lent = {} if view else groups(snapshot, request.staff, request.handle)
    named = (sights.at(snapshot, request, place) for place in (Place(request.handle), *lent))
    return _told(root, [each for each in named if each is not None])


def _told(root: Element, seen: Iterable[Seen]) -> Answer:
    names = tuple(document.names_in(root.find(f"{{{DAV}}}prop")))
    return xml(207, multistatus(answered(each.at, *found(each, names)) for each in seen))


def _depth(request: Request, allowed: str) -> str:
    depth = request.depth("0")
    if depth not in allowed:
        raise Invalid("This report is asked with Depth 0.")
    return depth
