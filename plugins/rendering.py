"""Turning rows into responses: the properties a REPORT asks for, compiled once and filled in for each object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from gateway.errors import Invalid
from gateway.model import Span
from gateway.store import Collection, Row
from plugins import document
from plugins.filters import window_of
from plugins.multistatus import CALDAV, DAV, answered, empty, escape, href
from plugins.place import Place
from plugins.properties import Seen, all_names, found
from plugins.request import Request

_DATA = f"{{{CALDAV}}}calendar-data"
_ETAG = f"{{{DAV}}}getetag"
_LENGTH = f"{{{DAV}}}getcontentlength"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a REPORT asks of each object. `names` None: allprop, [] with `bare`: the names only."""

    names: tuple[str, ...] | None
    bare: bool = False
    data: Element | None = None  # the calendar-data element, when the object itself is asked for

    @property
    def text(self) -> bool:
        """Whether the objects' texts are needed."""
        return self.data is not None or (self.names is not None and _LENGTH in self.names)


def wanted_in(root: Element) -> Wanted:
    """Read prop, allprop or propname below the root of a REPORT."""
    for child in root:
        if child.tag == f"{{{DAV}}}prop":
            names = document.names_in(child)
            return Wanted(tuple(names), data=child.find(_DATA))
        if child.tag == f"{{{DAV}}}allprop":
            return Wanted(None)
        if child.tag == f"{{{DAV}}}propname":
            return Wanted(None, bare=True)
    return Wanted(None)


Text = Callable[[Row], str]


def renderer(request: Request, epoch: str, collection: Collection, wanted: Wanted, text: Text | None = None) -> Callable[[Row], str]:
    """A function from a row to its response. `text` shapes the calendar data (expanded, or parts of it); None: as it is.

    Nearly every client asks for getetag, calendar-data or both, which is one template.
    """
    base = Place(request.login.handle, collection.slug).path(request.prefix)
    of = text if text is not None else _whole
    if wanted.names is not None and set(wanted.names) <= {_ETAG, _DATA} and wanted.names:
        return _template(base, epoch, wanted.names, of)

    def one(row: Row) -> str:
        place = Place(request.login.handle, collection.slug, row.name)
        seen = Seen(request=request, epoch=epoch, place=place, collection=collection, row=row)
        at = base + href(row.name)
        if wanted.names is None:
            names = all_names(seen)
            return answered(at, [empty(name) for name in names] if wanted.bare else found(seen, names)[0], [])
        there, missing = found(seen, [name for name in wanted.names if name != _DATA])
        if wanted.data is not None:
            there.append(f"<C:calendar-data>{escape(of(row))}</C:calendar-data>")
        return answered(at, there, missing)

    return one


def _whole(row: Row) -> str:
    return row.text or ""


def _template(base: str, epoch: str, names: Sequence[str], of: Text) -> Callable[[Row], str]:
    first = f"<D:response><D:href>{base}"
    mark = f'</D:href><D:propstat><D:prop><D:getetag>"{epoch}-' if _ETAG in names else "</D:href><D:propstat><D:prop>"
    last = "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    if _DATA not in names:
        return lambda row: f'{first}{href(row.name)}{mark}{row.revision}"</D:getetag>{last}'
    if _ETAG not in names:
        return lambda row: f"{first}{href(row.name)}{mark}<C:calendar-data>{escape(of(row))}</C:calendar-data>{last}"
    return lambda row: f'{first}{href(row.name)}{mark}{row.revision}"</D:getetag><C:calendar-data>{escape(of(row))}</C:calendar-data>{last}'


def span_of(element: Element) -> Span:
    """The closed window of expand, limit-recurrence-set and free-busy-query. Raises Invalid."""
    start, end = window_of(element)
    if start is None or end is None:
        raise Invalid("Both start and end are needed here.", condition="valid-filter")
    return Span(start, end)
