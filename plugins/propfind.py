"""PROPFIND: what is here, and what is known about it (RFC 4918 §9.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from gateway.errors import Invalid
from gateway.store import Store
from plugins import document, sights
from plugins.failures import Denied
from plugins.features import Kind, kind_of
from plugins.multistatus import DAV, answered, empty, multistatus
from plugins.prefer import MINIMAL, NOROOT
from plugins.properties import all_names, found, known_names
from plugins.request import Answer, Request, preferred, xml
from plugins.seen import Seen
from plugins.states import check_states

_LENGTH = f"{{{DAV}}}getcontentlength"
_SMALL = 4096  # octets of a body that is remembered: every client asks for the same things all day


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`names` None: allprop (`more` is what its include adds), or propname when `bare`."""

    names: tuple[str, ...] | None
    more: tuple[str, ...] = ()
    bare: bool = False

    @property
    def text(self) -> bool:
        """Whether objects must be read whole."""
        return not self.bare and (self.names is None or _LENGTH in self.names)


def answer(store: Store, request: Request) -> Answer:
    wanted = _remembered(request.body) if len(request.body) <= _SMALL else _wanted(request.body)
    depth = request.depth("0")  # RFC 4918 means infinity by none; who sends none means this one (so does Radicale)
    if depth == "infinity" and kind_of(request.place, request.handle) not in (Kind.OBJECT, Kind.VIEW_OBJECT, Kind.PERSON):
        raise Denied(403, "Ask for Depth 0 or 1, please.", condition="propfind-finite-depth")
    noroot = request.prefer.noroot and depth == "1"
    with store.read(request.login.company) as snapshot:
        check_states(snapshot, request)
        seen = islice(sights.around(snapshot, request, depth, text=wanted.text), int(noroot), None)
        body = multistatus([_one(each, wanted) for each in seen])
    heeded = [wish for wish, done in ((MINIMAL, request.prefer.minimal), (NOROOT, noroot)) if done]
    return preferred(xml(207, body), *heeded)


def _wanted(body: bytes) -> _Wanted:
    """Raises Invalid."""
    root = document.parsed(body)
    if root is None:
        return _Wanted(None)
    if root.tag != f"{{{DAV}}}propfind":
        raise Invalid("The body of PROPFIND is a propfind element.")
    for child in root:
        if child.tag == f"{{{DAV}}}prop":
            return _Wanted(tuple(document.names_in(child)))
        if child.tag == f"{{{DAV}}}propname":
            return _Wanted(None, bare=True)
        if child.tag == f"{{{DAV}}}allprop":
            return _Wanted(None, more=tuple(document.names_in(root.find(f"{{{DAV}}}include"))))
    raise Invalid("A propfind element asks for prop, propname or allprop.")


_remembered = lru_cache(maxsize=256)(_wanted)


def _one(seen: Seen, wanted: _Wanted) -> str:
    if wanted.names is not None:
        return answered(seen.at, *found(seen, wanted.names))
    if wanted.bare:
        return answered(seen.at, [empty(name) for name in known_names(seen)], [])
    return answered(seen.at, *found(seen, list(dict.fromkeys([*all_names(seen), *wanted.more]))))
