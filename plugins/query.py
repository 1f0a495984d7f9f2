"""calendar-query: SQL decides what it can, exactly; the rest is looked at object by object (RFC 4791 §7.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from xml.etree.ElementTree import Element

from gateway.errors import Missing
from gateway.store import Collection, Row, Snapshot
from plugins import candidates, filters
from plugins.filters import Wish
from plugins.floating import Floating, asked_in
from plugins.matching import Matcher
from plugins.multistatus import multistatus
from plugins.reading import Allowance
from plugins.rendering import Wanted, renderer, wanted_in
from plugins.request import Answer, Request, xml
from plugins.shaping import shaped


def answer(snapshot: Snapshot, request: Request, collection: Collection, root: Element) -> Answer:
    """Of a calendar, or of one object in it. Depth 0 asks about the calendar itself, which no filter matches; without Depth, which
    RFC 4791 takes for 0, nobody means that (macOS, Evolution and vdirsyncer send 1)."""
    return _Query(snapshot, request, root).of([collection] if request.place.name is not None or request.depth("1") != "0" else [])


def answer_home(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """Of all calendars of a home at once. Their objects lie two levels deep; Depth 1 finds them as well, for no client asks a home
    in order to hear that it has no events of its own."""
    return _Query(snapshot, request, root).of(snapshot.collections(request.staff) if request.depth("1") != "0" else [])


class _Query:
    """One report: what it asks for, read and checked whatever there is to be found, and what it may still cost."""

    def __init__(self, snapshot: Snapshot, request: Request, root: Element) -> None:
        self._snapshot = snapshot
        self._request = request
        self._wish: Wish = filters.wish_in(root)
        self._wanted: Wanted = wanted_in(root)
        self._asked: tzinfo | None = asked_in(root)
        self._allowance = Allowance()
        wish = self._wish if request.place.name is None else replace(self._wish, quick=False)  # of one object SQL is asked nothing
        self._matcher = Matcher(wish, self._allowance)

    def of(self, collections: Sequence[Collection]) -> Answer:
        return xml(207, multistatus([response for each in collections for response in self._in(each)]))

    def _in(self, collection: Collection) -> list[bytes]:
        floating = Floating(self._snapshot, collection, self._asked)
        name = self._request.place.name
        rows = self._rows(collection, floating) if name is None else [self._object(collection, name)]
        if not self._wish.exact or name is not None:
            rows = [row for row in rows if self._matcher.matches(row.text or "", lambda: floating.zone)]
        shape = shaped(self._snapshot, self._request, self._wanted.data, floating=floating, allowance=self._allowance)
        one = renderer(self._request, self._snapshot.epoch, collection, self._wanted, shape)
        return [one(row) for row in rows]

    def _object(self, collection: Collection, name: str) -> Row:
        """Raises Missing."""
        row = self._snapshot.rows_named(collection, [name]).get(name)
        if row is None:
            raise Missing("There is no such calendar object.")
        return row

    def _rows(self, collection: Collection, floating: Floating) -> list[Row]:
        """The rows of the component and window, exactly."""
        wish, text = self._wish, self._wanted.text or not self._wish.exact
        if wish.component is not None and wish.component not in collection.components:
            return []
        if wish.window is None:
            return [row for row in self._snapshot.rows(collection, text=text) if wish.component in (None, row.component)]
        return candidates.within(self._snapshot, collection, wish.window, floating, self._allowance, component=wish.component, text=text)
