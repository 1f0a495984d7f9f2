"""calendar-query: SQL decides what it can, exactly; the rest is looked at object by object (RFC 4791 §7.8)."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from gateway import desk
from gateway.errors import Invalid
from gateway.model import Entry, Span
from gateway.store import Collection, Row, Snapshot
from plugins import content, filters
from plugins.filters import EARLIEST, LATEST, Window
from plugins.multistatus import multistatus
from plugins.rendering import renderer, wanted_in
from plugins.request import Answer, Request, xml
from plugins.shaping import shaped


def answer(snapshot: Snapshot, request: Request, collection: Collection, root: Element) -> Answer:
    """Depth 0 asks about the calendar itself, which no filter matches; macOS, Evolution and vdirsyncer send 1."""
    wish, wanted = filters.wish_in(root), wanted_in(root)
    if request.header("Depth") == "0" and request.place.name is None:
        return xml(207, multistatus([]))
    text = wanted.text or not wish.exact
    rows = _candidates(snapshot, collection, wish, text=text)
    if request.place.name is not None:
        rows = [row for row in rows if row.name == request.place.name]
    if not wish.exact and wish.top is not None:
        rows = _matching(snapshot, collection, rows, wish, wish.top)
    one = renderer(request, snapshot.epoch, collection, wanted, shaped(snapshot, request, wanted.data))
    return xml(207, multistatus([one(row) for row in rows]))


def _candidates(snapshot: Snapshot, collection: Collection, wish: filters.Wish, *, text: bool) -> list[Row]:
    """The rows of the component and window, exactly."""
    if wish.window is None:
        return [row for row in snapshot.rows(collection, text=text) if wish.component in (None, row.component)]
    rows = snapshot.rows_within(collection, wish.window, component=wish.component, text=text)
    unsure = snapshot.beyond_index(collection, wish.window[1]) & {row.entry for row in rows}
    if not unsure:
        return list(rows)
    entries = snapshot.entries(unsure)
    return [row for row in rows if row.entry not in unsure or _occurs(snapshot, entries[row.entry], wish.window)]


def _occurs(snapshot: Snapshot, entry: Entry, window: Window) -> bool:
    """Whether the entry has an instance in the window; by expansion. Without an end, an endless series always has."""
    start, end = window
    return end is None or bool(desk.occurrences(snapshot, entry, Span(start or EARLIEST, end)))


def _matching(snapshot: Snapshot, collection: Collection, rows: list[Row], wish: filters.Wish, top: Element) -> list[Row]:
    """The rows that the whole filter matches. What SQL has decided about the window is not asked again."""
    answered: dict[Window, set[str]] = {wish.window: {row.name for row in rows}} if wish.window is not None else {}

    def named_within(window: Window) -> set[str]:
        if window not in answered:
            narrowed = filters.Wish(None, None, window)
            answered[window] = {row.name for row in _candidates(snapshot, collection, narrowed, text=False)}
        return answered[window]

    def spans_of(row: Row) -> Callable[[Span], list[Span]]:
        return lambda window: _spans(snapshot, row, window)

    found = []
    for row in rows:
        calendar = content.tree(row.text or "")

        def within(window: Window, name: str = row.name) -> bool:
            return name in named_within(window)

        if filters.matches(top, calendar, within, spans_of(row)):
            found.append(row)
    return found


def _spans(snapshot: Snapshot, row: Row, window: Span) -> list[Span]:
    if window.end >= LATEST or window.start <= EARLIEST:
        raise Invalid("A time-range on alarms needs a start and an end.", condition="valid-filter")
    entry = snapshot.entries([row.entry])[row.entry]
    return [occurrence.span for occurrence in desk.occurrences(snapshot, entry, window)]
