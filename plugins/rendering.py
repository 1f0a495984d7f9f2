"""Turning rows into responses: the properties a REPORT asks for, compiled once and filled in for each object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from gateway.store import Collection, Row
from plugins import document
from plugins.multistatus import CALDAV, DAV, answered, empty, escaped, href
from plugins.place import Place
from plugins.properties import all_names, found, known_names
from plugins.request import Request
from plugins.seen import Seen

_DATA = f"{{{CALDAV}}}calendar-data"
_ETAG = f"{{{DAV}}}getetag"
_LENGTH = f"{{{DAV}}}getcontentlength"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a REPORT asks of each object. `names` None: allprop, or with `bare` propname."""

    names: tuple[str, ...] | None
    bare: bool = False
    data: Element | None = None  # the calendar-data element, when the object itself is asked for

    @property
    def text(self) -> bool:
        """Whether the objects' texts are needed."""
        return self.data is not None or self.names is None or _LENGTH in self.names


def wanted_in(root: Element) -> Wanted:
    """Read prop, allprop or propname below the root of a REPORT. allprop has no calendar data, unless that is included by name."""
    for child in root:
        if child.tag == f"{{{DAV}}}prop":
            names = document.names_in(child)
            return Wanted(tuple(names), data=child.find(_DATA))
        if child.tag == f"{{{DAV}}}allprop":
            return Wanted(None, data=root.find(f"{{{DAV}}}include/{_DATA}"))
        if child.tag == f"{{{DAV}}}propname":
            return Wanted(None, bare=True)
    return Wanted(None)


Text = Callable[[Row], str]


def renderer(request: Request, epoch: str, collection: Collection, wanted: Wanted, text: Text | None = None) -> Callable[[Row], bytes]:
    """A function from a row to its response. `text` shapes the calendar data (expanded, or parts of it); None: as it is.

    Nearly every client asks for getetag, calendar-data or both, which is one template.
    """
    base = Place(request.handle, collection.slug).path(request.prefix)
    of = (lambda row: text(row).encode()) if text is not None else _whole
    if wanted.names is not None and set(wanted.names) <= {_ETAG, _DATA} and wanted.names:
        return _template(base, epoch, wanted.names, of)

    def one(row: Row) -> bytes:
        place = Place(request.handle, collection.slug, row.name)
        seen = Seen(request=request, epoch=epoch, place=place, collection=collection, row=row)
        at = base + href(row.name)
        if wanted.bare:
            return answered(at, [empty(name) for name in known_names(seen)], []).encode()
        names = all_names(seen) if wanted.names is None else [name for name in wanted.names if name != _DATA]
        there, missing = found(seen, names)
        if wanted.data is not None:
            there.append(f"<C:calendar-data>{escaped(of(row)).decode()}</C:calendar-data>")
        return answered(at, there, missing).encode()

    return one


def _whole(row: Row) -> bytes:
    return row.octets or b""


def _template(base: str, epoch: str, names: Sequence[str], of: Callable[[Row], bytes]) -> Callable[[Row], bytes]:
    first = f"<D:response><D:href>{base}"
    last = "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    if _DATA not in names:
        mark = f'</D:href><D:propstat><D:prop><D:getetag>"{epoch}-'
        return lambda row: f'{first}{href(row.name)}{mark}{row.revision}"</D:getetag>{last}'.encode()
    end = f"</C:calendar-data>{last}".encode()
    if _ETAG not in names:
        begin = "</D:href><D:propstat><D:prop><C:calendar-data>"
        return lambda row: b"".join((f"{first}{href(row.name)}{begin}".encode(), escaped(of(row)), end))
    mark = f'</D:href><D:propstat><D:prop><D:getetag>"{epoch}-'
    return lambda row: b"".join(
        (f'{first}{href(row.name)}{mark}{row.revision}"</D:getetag><C:calendar-data>'.encode(), escaped(of(row)), end)
    )
