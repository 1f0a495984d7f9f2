"""Who may do what, as properties: the read side of access control, truthful and never to be changed by a client (RFC 3744 §5)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from gateway.errors import Missing
from gateway.store import Store
from plugins.failures import read_only
from plugins.features import PROXIES, Kind
from plugins.multistatus import CALDAV, DAV, empty, link
from plugins.place import Place, collection_at
from plugins.proxies import groups
from plugins.request import Answer, Request
from plugins.rights import delegated
from plugins.seen import Seen, Value

_READ, _FREE_BUSY = f"{{{DAV}}}read", f"{{{CALDAV}}}read-free-busy"
_READ_ACL, _READ_OWN = f"{{{DAV}}}read-acl", f"{{{DAV}}}read-current-user-privilege-set"
_WRITE, _CONTENT, _PROPERTIES = f"{{{DAV}}}write", f"{{{DAV}}}write-content", f"{{{DAV}}}write-properties"
_ASKED, _ASKS = f"{{{CALDAV}}}schedule-query-freebusy", f"{{{CALDAV}}}schedule-send-freebusy"  # RFC 6638 §6
_BIND, _UNBIND = f"{{{DAV}}}bind", f"{{{DAV}}}unbind"

_TREE: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (_READ, "Read everything", ((_FREE_BUSY, "See when somebody is busy"),)),
    (_READ_OWN, "Read one's own privileges", ()),
    (_READ_ACL, "Read who may do what", ()),
    (
        _WRITE,
        "Change everything",
        (
            (_CONTENT, "Change what is there"),
            (_PROPERTIES, "Change properties"),
            (_BIND, "Add members"),
            (_UNBIND, "Remove members"),
        ),
    ),
    (f"{{{DAV}}}write-acl", "Change who may do what", ()),
    (_ASKED, "Be asked when one is busy", ()),
    (_ASKS, "Ask when others are busy", ()),
)


def privileges(letters: str, kind: Kind) -> tuple[str, ...]:
    """What these letters (plugins.rights) allow on a resource of that kind.

    A view's looks can be changed, yet write-properties is not among its privileges: Thunderbird takes any privilege to write
    for leave to write events (clients.md §10.3).
    """
    if kind in (Kind.ROOT, Kind.PERSON):
        return (_READ, _READ_OWN)
    if kind is Kind.OUTBOX:
        return (_READ, _READ_OWN, _ASKS)
    if kind is Kind.INBOX or kind in PROXIES:
        asked = (_ASKED,) if kind is Kind.INBOX else ()
        return (_READ, _READ_OWN, *asked, *((_PROPERTIES,) if "w" in letters else ()))
    found = [_READ, _READ_OWN, _READ_ACL]
    if kind in (Kind.APPOINTMENTS, Kind.PERSONAL, Kind.VIEW):
        found.append(_FREE_BUSY)
    if "w" in letters:
        found += [_WRITE, _CONTENT, _PROPERTIES, _BIND, _UNBIND]
    elif "W" in letters:
        found += [_BIND, _UNBIND]
    return tuple(found)


@lru_cache(maxsize=64)
def _held(letters: str, kind: Kind) -> str:
    return "".join(f"<D:privilege>{empty(name)}</D:privilege>" for name in privileges(letters, kind))


def _current(seen: Seen) -> str:
    return _held(seen.letters, seen.kind)


def _supported(name: str, description: str, inside: str = "") -> str:
    said = f'<D:description xml:lang="en">{description}</D:description>'
    return f"<D:supported-privilege><D:privilege>{empty(name)}</D:privilege>{said}{inside}</D:supported-privilege>"


_SUPPORTED = _supported(
    f"{{{DAV}}}all",
    "Everything",
    "".join(_supported(name, said, "".join(_supported(*each) for each in parts)) for name, said, parts in _TREE),
)


def _acl(seen: Seen) -> str | None:
    """Entries that nobody can change here: what the owner may do, and his delegates. That a password reads only is no matter of
    this list."""
    if seen.kind in (Kind.ROOT, Kind.PERSON):
        return None
    letters = "rw" if seen.letters and seen.kind not in (Kind.VIEW, Kind.VIEW_OBJECT) else "r"
    if seen.kind is Kind.HOME:
        letters = "RW"
    entries = {Place(seen.place.handle): letters, **_lent(seen)}
    return "".join(
        f"<D:ace><D:principal>{link(place.path(seen.request.prefix))}</D:principal><D:grant>{_held(granted, seen.kind)}</D:grant>"
        "<D:protected/></D:ace>"
        for place, granted in entries.items()
    )


def _lent(seen: Seen) -> Mapping[Place, str]:
    """The groups of delegates that the owner has let in, and their letters; team views are open to none of them."""
    owner = seen.collection.owner if seen.collection is not None else seen.staff.id if seen.staff is not None else None
    if owner is None or seen.snapshot is None or seen.kind in (Kind.VIEW, Kind.VIEW_OBJECT):
        return {}
    known = groups(seen.snapshot, owner, seen.place.handle or "")
    return {place: delegated(seen.place, read_only=not write) for place, write in known.items()}


def _where_acl(value: str) -> Value:
    return lambda seen: value if seen.kind not in (Kind.ROOT, Kind.PERSON) else None


LIVE: Mapping[str, Value] = {
    f"{{{DAV}}}current-user-privilege-set": _current,
    f"{{{DAV}}}supported-privilege-set": _where_acl(_SUPPORTED),
    f"{{{DAV}}}acl": _acl,
    f"{{{DAV}}}acl-restrictions": _where_acl("<D:grant-only/><D:no-invert/>"),
    f"{{{DAV}}}inherited-acl-set": _where_acl(""),
}


def answer(store: Store, request: Request) -> Answer:
    """ACL: the platform alone says who may do what (RFC 3744 §8.1)."""
    place = request.place
    with store.read(request.login.company) as snapshot:
        if place.slug is not None:
            collection = collection_at(snapshot, request.staff, place)
            if place.name is not None and place.name not in snapshot.rows_named(collection, [place.name], text=False):
                raise Missing("There is no such calendar object.")
    raise read_only("Who may do what is decided in the platform.", privilege="write-acl")
