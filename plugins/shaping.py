"""Calendar data as a client wants it: whole, in parts, or expanded into instances (RFC 4791 §9.6)."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from gateway.errors import Invalid
from gateway.store import Row, Snapshot
from plugins import content
from plugins.multistatus import CALDAV
from plugins.request import Request

_COMP, _PROP, _ALL_COMPS, _ALL_PROPS = (f"{{{CALDAV}}}{name}" for name in ("comp", "prop", "allcomp", "allprop"))


def shaped(snapshot: Snapshot, request: Request, data: Element | None) -> Callable[[Row], str] | None:
    """A function from a row, read with its text, to the text asked for; None when that is the whole text."""
    if data is None or len(data) == 0:
        return None
    if data.get("content-type", "text/calendar") != "text/calendar":
        raise Invalid("Calendar data is given as text/calendar.", condition="supported-calendar-data")
    parts = data.find(_COMP)
    if parts is None:
        return None
    return lambda row: content.written(_selected(content.tree(row.text or ""), parts))


def _selected(component: content.Component, choice: Element) -> content.Component:
    """What the `comp` element chooses of a component: named properties and components, or all of either kind."""
    names = {(element.get("name") or "").upper(): element.get("novalue") == "yes" for element in choice if element.tag == _PROP}
    everything = choice.find(_ALL_PROPS) is not None or (not names and choice.find(_ALL_COMPS) is None and choice.find(_COMP) is None)
    inner = {(element.get("name") or "").upper(): element for element in choice if element.tag == _COMP}
    whole = choice.find(_ALL_COMPS) is not None or (not inner and everything and not names)
    lines = [_line(line, names.get(line.name, False)) for line in component.lines if everything or line.name in names]
    children = [
        child if child.name not in inner else _selected(child, inner[child.name])
        for child in component.children
        if whole or child.name in inner
    ]
    return content.Component(component.name, lines, children)


def _line(line: content.Line, without_value: bool) -> content.Line:
    return content.Line(line.name, line.raw[: line.start], line.start, line.head) if without_value else line
