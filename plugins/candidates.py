"""The objects of a calendar that take place in a window: by the index, exactly, and by expansion where the index cannot tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from gateway.store import Collection, Row, Snapshot
from plugins import content
from plugins.floating import Floating, floats
from plugins.moments import Window
from plugins.reading import Allowance, read, shifted

_APART = timedelta(hours=48)
"""More than two zones can be apart, those that clients describe themselves included."""

_ENDLESS = re.compile(r"\nRRULE:FREQ=(?:DAILY|WEEKLY)(?:;(?:INTERVAL=\d{1,3}|WKST=[A-Z]{2}|BYDAY=[A-Z,]{2,20}))*\r?\n", re.ASCII)
_LESS = ("\nEXRULE", "\nBEGIN:VTODO")
_DATES = content.scanner(("DTSTART", "DUE"))


def within(
    snapshot: Snapshot,
    collection: Collection,
    window: Window,
    floating: Floating,
    allowance: Allowance,
    *,
    component: str | None,
    text: bool,
) -> list[Row]:
    """Rows of that component with an instance in the window (RFC 4791 §9.9), in the order of names; with text, if that is asked for.

    One statement decides all objects whose instances are indexed up to the end of the window. In a zone the index was not made
    with, objects with days or floating times are looked at one by one, too.
    """
    if not floating.indexed:
        return _elsewhere(snapshot, collection, window, floating, allowance, component)
    rows = snapshot.rows_within(collection, window, component=component, text=text)
    unsure = [row for row in rows if row.unsure]
    if not unsure:
        return list(rows)
    texts = _texts(snapshot, collection, unsure)
    return [row for row in rows if not row.unsure or _occurs(texts.get(row.name, ""), window, floating, allowance)]


def _elsewhere(
    snapshot: Snapshot, collection: Collection, window: Window, floating: Floating, allowance: Allowance, component: str | None
) -> list[Row]:
    start, end = window
    reach = (None if start is None else shifted(start, -_APART), None if end is None else shifted(end, _APART))
    rows = snapshot.rows_within(collection, reach, component=component, text=True)
    inside = snapshot.rows_within(collection, window, component=component)
    unsure = {row.entry for row in (*rows, *inside) if row.unsure}
    sure = {row.entry for row in inside} - unsure

    def belongs(row: Row) -> bool:
        text = row.text or ""
        if row.entry in unsure or floats(_DATES(content.unfolded(text))):
            return _occurs(text, window, floating, allowance)
        return row.entry in sure

    return [row for row in rows if belongs(row)]


def _texts(snapshot: Snapshot, collection: Collection, rows: Sequence[Row]) -> dict[str, str]:
    known = {row.name: row.text for row in rows if row.text is not None}
    if len(known) == len(rows):
        return known
    return {row.name: row.text or "" for row in snapshot.rows_named(collection, [row.name for row in rows], text=True).values()}


def _occurs(text: str, window: Window, floating: Floating, allowance: Allowance) -> bool:
    if window[1] is None and _goes_on(text):
        return True
    reading = read(text, floating.zone, allowance)
    return reading is None or reading.occurs(window)


def _goes_on(text: str) -> bool:
    """Whether a series plainly never ends: what nearly all of them are that reach beyond the index."""
    return _ENDLESS.search(text) is not None and not any(sign in text for sign in _LESS)
