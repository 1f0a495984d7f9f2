"""The live properties: what can be asked of the root, a home, a calendar and an object, and what the answer is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import Invalid
from gateway.model import Revision, Staff
from gateway.store import Collection, Row
from plugins.multistatus import APPLE, CALDAV, DAV, SERVER, empty, escape, filled
from plugins.place import Place
from plugins.request import Request, etag
from plugins.rights import letters


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What a property is asked of. Exactly one of the three cases of RFC 4791: root or home (no collection), calendar, object (row)."""

    request: Request
    epoch: str
    place: Place
    staff: Staff | None = None
    collection: Collection | None = None
    row: Row | None = None

    @property
    def letters(self) -> str:
        return letters(self.request.login.handle, self.place, read_only=self.request.login.read_only)


Value = Callable[[Seen], str | None]
"""The content of the property's element as XML, or None where it does not exist."""

TEXTUAL = {f"{{{DAV}}}displayname", f"{{{CALDAV}}}calendar-description", f"{{{APPLE}}}calendar-color", f"{{{APPLE}}}calendar-order"} | {
    f"{{{CALDAV}}}calendar-timezone"
}
"""Properties a viewer sets whose value is text; of all others the XML is kept."""

COLLATIONS = ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
REPORTS = (
    f"{{{DAV}}}sync-collection",
    f"{{{CALDAV}}}calendar-query",
    f"{{{CALDAV}}}calendar-multiget",
    f"{{{CALDAV}}}free-busy-query",
)
FIRST_INSTANT, LAST_INSTANT = "19000101T000000Z", "21991231T235959Z"


def token(epoch: str, collection: Collection, revision: int) -> str:
    """A sync-token: an URI that names epoch, collection, its generation and revision, so that none can be taken for another's.

    The generation changes with the membership of a view (RFC 6578 §3.2 lets a server call old tokens invalid).
    """
    return f"data:,{epoch}-{_mark(collection)}-{revision}"


def revision_in(sent: str, epoch: str, collection: Collection) -> Revision:
    """The revision in a token. Raises Invalid (valid-sync-token) for one that is foreign, forged or void."""
    head, _, number = sent.rpartition("-")
    known = token(epoch, collection, 0).rpartition("-")[0]
    if head != known or not number.isascii() or not number.isdigit() or len(number) > 15 or int(number) > collection.last:
        raise Invalid("This sync-token is not valid here any more.", condition="valid-sync-token")
    return Revision(int(number))


def _mark(collection: Collection) -> str:
    named = "|".join((collection.owner, collection.kind, collection.slug, str(collection.since), *sorted(collection.calendars)))
    return hashlib.sha256(named.encode()).hexdigest()[:10]


def ctag(epoch: str, collection: Collection) -> str:
    return etag(epoch, collection.last)


def _on_calendar(value: Callable[[Seen, Collection], str | None]) -> Value:
    return lambda seen: value(seen, seen.collection) if seen.collection is not None and seen.row is None else None


def _on_object(value: Callable[[Seen, Row], str | None]) -> Value:
    return lambda seen: value(seen, seen.row) if seen.row is not None else None


def _on_home(value: Callable[[Seen], str | None]) -> Value:
    return lambda seen: value(seen) if seen.collection is None and seen.row is None else None


def _href(path: str) -> str:
    return f"<D:href>{path}</D:href>"


def _principal(seen: Seen) -> str:
    return _href(seen.request.home.path(seen.request.prefix))


def _resourcetype(seen: Seen) -> str:
    if seen.row is not None:
        return ""
    if seen.collection is not None:
        return "<D:collection/><C:calendar/>"
    return "<D:collection/><D:principal/>" if seen.place.handle else "<D:collection/>"


def _displayname(seen: Seen) -> str | None:
    if seen.row is not None:
        return None
    if seen.collection is not None:
        return escape(seen.collection.properties.get(f"{{{DAV}}}displayname") or seen.collection.title)
    return escape(seen.staff.name) if seen.staff is not None and seen.place.handle else "Calendars"


def _etag(seen: Seen) -> str | None:
    if seen.row is not None:
        return etag(seen.epoch, seen.row.revision)
    return ctag(seen.epoch, seen.collection) if seen.collection is not None else None


def _privileges(seen: Seen) -> str:
    held = seen.letters
    names = ["<D:read/>", "<D:read-current-user-privilege-set/>"]
    if seen.collection is not None:
        names.append("<C:read-free-busy/>")
    if "w" in held:
        names += ["<D:write/>", "<D:write-content/>", "<D:write-properties/>", "<D:bind/>", "<D:unbind/>"]
    elif "W" in held:
        names += ["<D:bind/>", "<D:unbind/>"]
    return "".join(f"<D:privilege>{name}</D:privilege>" for name in names)


def _reports(names: Sequence[str]) -> str:
    return "".join(f"<D:supported-report><D:report>{empty(name)}</D:report></D:supported-report>" for name in names)


def _addresses(seen: Seen) -> str | None:
    if seen.staff is None:
        return None
    return _href(f"mailto:{escape(seen.staff.email)}") + _principal(seen)


def _timezone(seen: Seen, collection: Collection) -> str | None:
    value = collection.properties.get(f"{{{CALDAV}}}calendar-timezone")
    return escape(value) if value else None


def _comps(seen: Seen, collection: Collection) -> str:
    return "".join(f'<C:comp name="{component}"/>' for component in collection.components)


def _length(seen: Seen, row: Row) -> str | None:
    return str(len(row.text.encode())) if row.text is not None else None


LIVE: Mapping[str, Value] = {
    f"{{{DAV}}}resourcetype": _resourcetype,
    f"{{{DAV}}}displayname": _displayname,
    f"{{{DAV}}}getetag": _etag,
    f"{{{DAV}}}getcontenttype": _on_object(lambda seen, row: f"text/calendar; charset=utf-8; component={row.component}"),
    f"{{{DAV}}}getcontentlength": _on_object(_length),
    f"{{{DAV}}}current-user-principal": _principal,
    f"{{{DAV}}}principal-URL": _on_home(_principal),
    f"{{{DAV}}}principal-collection-set": lambda seen: _href(Place().path(seen.request.prefix)),
    f"{{{DAV}}}owner": lambda seen: _principal(seen) if seen.place.handle else None,
    f"{{{DAV}}}current-user-privilege-set": _privileges,
    f"{{{DAV}}}supported-report-set": lambda seen: _reports(REPORTS if seen.collection is not None and seen.row is None else ()),
    f"{{{DAV}}}sync-token": _on_calendar(lambda seen, collection: token(seen.epoch, collection, collection.last)),
    f"{{{SERVER}}}getctag": _on_calendar(lambda seen, collection: ctag(seen.epoch, collection)),
    f"{{{CALDAV}}}calendar-home-set": _on_home(_principal),
    f"{{{CALDAV}}}calendar-user-address-set": _on_home(_addresses),
    f"{{{CALDAV}}}supported-calendar-component-set": _on_calendar(_comps),
    f"{{{CALDAV}}}supported-calendar-data": _on_calendar(
        lambda seen, collection: '<C:calendar-data content-type="text/calendar" version="2.0"/>'
    ),
    f"{{{CALDAV}}}supported-collation-set": _on_calendar(
        lambda seen, collection: "".join(f"<C:supported-collation>{name}</C:supported-collation>" for name in COLLATIONS)
    ),
    f"{{{CALDAV}}}max-resource-size": _on_calendar(lambda seen, collection: str(seen.request.limits.object_octets)),
    f"{{{CALDAV}}}max-instances": _on_calendar(lambda seen, collection: str(seen.request.limits.instances)),
    f"{{{CALDAV}}}min-date-time": _on_calendar(lambda seen, collection: FIRST_INSTANT),
    f"{{{CALDAV}}}max-date-time": _on_calendar(lambda seen, collection: LAST_INSTANT),
    f"{{{CALDAV}}}calendar-timezone": _on_calendar(_timezone),
}

SETTABLE = frozenset({f"{{{DAV}}}displayname", f"{{{CALDAV}}}calendar-timezone"})
"""Live properties that are a viewer's own choice."""

_ALLPROP = tuple(name for name in LIVE if name.startswith(f"{{{DAV}}}"))
"""What allprop tells: the properties of RFC 4918 and its kin, and the dead ones (RFC 4791 §5.2 keeps CalDAV's out of it)."""


def found(seen: Seen, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The elements of the properties asked for that exist here, and empty elements for those that do not."""
    dead = seen.collection.properties if seen.collection is not None and seen.row is None else {}
    there: list[str] = []
    missing: list[str] = []
    for name in names:
        live = LIVE.get(name)
        value = live(seen) if live is not None else _dead(name, dead)
        if value is None:
            missing.append(empty(name))
        else:
            there.append(filled(name, value))
    return there, missing


def _dead(name: str, dead: Mapping[str, str]) -> str | None:
    value = dead.get(name)
    return escape(value) if value is not None and name in TEXTUAL else value


def all_names(seen: Seen) -> list[str]:
    """What allprop and propname are about here."""
    dead = seen.collection.properties if seen.collection is not None and seen.row is None else {}
    there, _ = dead, None
    live = [name for name in _ALLPROP if LIVE[name](seen) is not None]
    return [*live, *(name for name in there if name not in LIVE)]
