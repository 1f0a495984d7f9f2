"""Calendar data as a client wants it: whole, in parts, expanded, or with fewer exceptions (RFC 4791 §9.6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from xml.etree.ElementTree import Element

from gateway.errors import GatewayError, Invalid, TooLarge
from gateway.ical.parse import Component, Property, calendar
from gateway.model import Span
from gateway.store import Collection, Row, Snapshot
from plugins import content
from plugins.expansion import expanded, limited, limited_busy
from plugins.floating import Floating
from plugins.moments import span_of
from plugins.multistatus import CALDAV
from plugins.once import Unsure, once
from plugins.reading import Allowance, read
from plugins.request import Request
from plugins.timezones import lightened

DAYS = 5 * 366
"""The longest time that can be expanded, or asked for busy times (trust.md T3)."""

_COMP, _PROP, _ALL_COMPS, _ALL_PROPS = (f"{{{CALDAV}}}{name}" for name in ("comp", "prop", "allcomp", "allprop"))
_EXPAND, _LIMIT, _LIMIT_BUSY = (f"{{{CALDAV}}}{name}" for name in ("expand", "limit-recurrence-set", "limit-freebusy-set"))

_EXCEPTIONS = re.compile(r"\n(?:RECURRENCE-ID|FREEBUSY)[;:]", re.IGNORECASE)
"""What there has to be in an object for a limit to leave anything out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What a calendar-data element asks for; None each where it does not."""

    parts: Element | None
    expand: Span | None
    limit: Span | None
    limit_busy: Span | None

    @property
    def plain(self) -> bool:
        return self.parts is None and self.expand is None and self.limit is None and self.limit_busy is None


def shape_in(data: Element | None) -> Shape | None:
    """None when the whole text is asked for, or none. Raises Invalid: supported-calendar-data, valid-filter; TooLarge."""
    if data is None:
        return None
    if (
        data.get("content-type", "text/calendar").partition(";")[0].strip().lower() != "text/calendar"
        or data.get("version", "2.0") != "2.0"
    ):
        raise Invalid("Calendar data is given as text/calendar, version 2.0.", condition="supported-calendar-data")
    expand, limit, limit_busy = (None if (one := data.find(name)) is None else span_of(one) for name in (_EXPAND, _LIMIT, _LIMIT_BUSY))
    if expand is not None and limit is not None:
        raise Invalid("Calendar data is either expanded or limited.")
    if expand is not None:
        check_length(expand)
    found = Shape(parts=data.find(_COMP), expand=expand, limit=limit, limit_busy=limit_busy)
    return None if found.plain else found


def check_length(window: Span) -> None:
    """Raises TooLarge for more than DAYS."""
    if window.length.days > DAYS:
        raise TooLarge(
            f"At most {DAYS} days can be looked through at once.", limit="limits.days", condition="number-of-matches-within-limits"
        )


def shaped(
    snapshot: Snapshot,
    request: Request,
    data: Element | None,
    collection: Collection | None = None,
    *,
    floating: Floating | None = None,
    allowance: Allowance | None = None,
) -> Callable[[Row], str] | None:
    """A function from a row, read with its text, to the text asked for; None when that is the whole text.

    Days and floating times are those of `floating`, or else of the collection the row is in. One allowance is for one answer.
    The function raises TooLarge.
    """
    shape = shape_in(data)
    if shape is None:
        return None if data is None else lightened(request, None)
    if floating is None:
        floating = Floating(snapshot, collection or snapshot.collections(request.staff)[0])
    return lightened(request, _by(shape, floating, allowance or Allowance()))


def _by(shape: Shape, floating: Floating, allowance: Allowance) -> Callable[[Row], str]:
    zones: dict[str, tzinfo] = {}

    def text(row: Row) -> str:
        whole = row.text or ""
        if shape.expand is not None:
            with suppress(Unsure):
                simple = once(whole, shape.expand, zones)
                allowance.give(1, len(simple))
                return simple if shape.parts is None else content.written(_selected(calendar(simple), shape.parts))
        elif shape.parts is None and not _EXCEPTIONS.search(whole):
            return whole
        top = _read(shape, whole, floating, allowance)
        if top is None:
            return whole
        return content.written(top if shape.parts is None else _selected(top, shape.parts))

    return text


def _read(shape: Shape, text: str, floating: Floating, allowance: Allowance) -> Component | None:
    """The object expanded or limited; None when it cannot be read any more: it must not spoil the others' answer."""
    if shape.expand is None and shape.limit is None and shape.limit_busy is None:
        try:
            return calendar(text)
        except GatewayError:
            return None
    reading = read(text, floating.zone, allowance)
    if reading is None:
        return None
    top = reading.top
    if shape.expand is not None:
        top = expanded(reading, shape.expand, allowance)
    elif shape.limit is not None:
        top = limited(reading, shape.limit)
    return top if shape.limit_busy is None else limited_busy(top, reading, shape.limit_busy)


def _selected(component: Component, choice: Element) -> Component:
    """What the `comp` element chooses of a component: named properties and components, or all of either kind."""
    names = {(element.get("name") or "").upper(): element.get("novalue") == "yes" for element in choice if element.tag == _PROP}
    everything = choice.find(_ALL_PROPS) is not None or (not names and choice.find(_ALL_COMPS) is None and choice.find(_COMP) is None)
    inner = {(element.get("name") or "").upper(): element for element in choice if element.tag == _COMP}
    whole = choice.find(_ALL_COMPS) is not None or (not inner and everything and not names)
    lines = [_line(line, names.get(line.name, False)) for line in component.properties if everything or line.name in names]
    children = [
        child if child.name not in inner else _selected(child, inner[child.name])
        for child in component.components
        if whole or child.name in inner
    ]
    return Component(component.name, lines, children)


def _line(line: Property, without_value: bool) -> Property:
    return Property(line.name, line.head, "") if without_value else line
