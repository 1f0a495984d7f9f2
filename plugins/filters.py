"""What a calendar-query asks for, and whether an object is that: exactly, for what SQL cannot decide (RFC 4791 §9.7-9.9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from gateway.errors import Invalid
from gateway.model import Span
from plugins.alarms import rings_within
from plugins.content import Component, Line
from plugins.moments import moment_of
from plugins.multistatus import CALDAV

Window = tuple[datetime | None, datetime | None]
Within = Callable[[Window], bool]
"""Whether an instance of the object lies in a window."""
Spans = Callable[[Span], list[Span]]
"""The object's instances that touch a span."""

CONDITIONS = 100
"""Elements a filter may have."""

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

_UTC = re.compile(r"\d{8}T\d{6}Z")
_COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
_FILTER, _COMP, _PROP, _PARAM = (f"{{{CALDAV}}}{name}" for name in ("filter", "comp-filter", "prop-filter", "param-filter"))
_ABSENT, _RANGE, _TEXT = (f"{{{CALDAV}}}{name}" for name in ("is-not-defined", "time-range", "text-match"))


@dataclass(frozen=True, slots=True)
class Wish:
    """The filter, and what of it SQL can do: `component` and `window` narrow the rows; `exact`: they are all there is to it."""

    top: Element | None
    component: str | None = None
    window: Window | None = None
    exact: bool = True


def wish_in(root: Element) -> Wish:
    """Read the filter of a calendar-query. Raises Invalid (valid-filter, supported-filter, supported-collation)."""
    element = root.find(_FILTER)
    tops = list(element) if element is not None else []
    if len(tops) != 1 or tops[0].tag != _COMP or (tops[0].get("name") or "").upper() != "VCALENDAR":
        raise _bad("A filter consists of one comp-filter for VCALENDAR.")
    top = tops[0]
    _check(top)
    inner = list(top)
    if not inner:
        return Wish(None)
    if len(inner) != 1 or inner[0].tag != _COMP or _name(inner[0]) not in _COMPONENTS:
        return Wish(top, exact=False)
    only, conditions = inner[0], list(inner[0])
    if any(condition.tag == _ABSENT for condition in conditions):
        return Wish(top, exact=False)
    ranges = [condition for condition in conditions if condition.tag == _RANGE]
    window = window_of(ranges[0]) if ranges else None
    return Wish(top, _name(only), window, exact=len(conditions) == len(ranges))


def _check(top: Element) -> None:
    """Raise Invalid for anything in the filter that is not understood, so that evaluating never fails."""
    elements = list(top.iter())
    if len(elements) > CONDITIONS:
        raise _bad(f"A filter may have {CONDITIONS} elements at most.")
    for element in elements:
        if element.tag in (_COMP, _PROP, _PARAM):
            if not element.get("name"):
                raise _bad("A filter names what it is about.")
            if any(child.tag == _ABSENT for child in element) and len(element) > 1:
                raise _bad("What is not defined cannot have other conditions.")
        elif element.tag == _RANGE:
            window_of(element)
        elif element.tag == _TEXT:
            if element.get("collation", "i;ascii-casemap") not in _FOLDS and element.get("collation") != "default":
                raise Invalid("This collation is not known here.", condition="supported-collation")
            if element.get("negate-condition", "no") not in ("yes", "no"):
                raise _bad("negate-condition is yes or no.")
        elif element.tag != _ABSENT:
            raise Invalid("This filter is not known here.", condition="supported-filter")


def _bad(sentence: str) -> Invalid:
    return Invalid(sentence, condition="valid-filter")


def _name(element: Element) -> str:
    return (element.get("name") or "").upper()


def window_of(element: Element) -> Window:
    """start and end of a time-range and its kin, aware UTC, held within EARLIEST and LATEST; None where it is open. Raises Invalid."""
    start, end = _instant(element.get("start")), _instant(element.get("end"))
    if start is None and end is None:
        raise _bad("A time-range has a start, an end, or both.")
    if start is not None and end is not None and start >= end:
        raise _bad("The end of a time-range lies after its start.")
    return (max(start, EARLIEST) if start else None, min(end, LATEST) if end else None)


def _instant(value: str | None) -> datetime | None:
    if value is None:
        return None
    if not _UTC.fullmatch(value):
        raise _bad("The instants of a time-range are in UTC, such as 20261124T080000Z.")
    try:
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _bad("A time-range has an instant that does not exist.") from None


def matches(top: Element, calendar: Component, within: Within, spans: Spans) -> bool:
    """Whether the calendar object is what the filter describes. `within` and `spans` answer for its recurrences."""
    return all(_component(condition, calendar, within, spans) for condition in top)


def _component(condition: Element, parent: Component, within: Within, spans: Spans) -> bool:
    if condition.tag == _PROP:
        return _property(condition, parent)
    if condition.tag != _COMP:
        return True  # a time-range on VCALENDAR has no meaning
    named = parent.named(_name(condition))
    if any(child.tag == _ABSENT for child in condition):
        return not named
    return any(_one(condition, component, parent, within, spans) for component in named)


def _one(condition: Element, component: Component, parent: Component, within: Within, spans: Spans) -> bool:
    for child in condition:
        if child.tag == _RANGE:
            window = window_of(child)
            if component.name == "VALARM":
                if not rings_within(component, parent, window[0] or EARLIEST, window[1] or LATEST, spans):
                    return False
            elif component.name in _COMPONENTS and not within(window):
                return False
        elif not _component(child, component, within, spans):
            return False
    return True


def _property(condition: Element, component: Component) -> bool:
    lines = component.properties(_name(condition))
    if any(child.tag == _ABSENT for child in condition):
        return not lines
    return any(all(_holds(child, line) for child in condition) for line in lines)


def _holds(condition: Element, line: Line) -> bool:
    if condition.tag == _TEXT:
        return text_matches(condition, line.text)
    if condition.tag == _RANGE:
        start, end = window_of(condition)
        at = moment_of(line)
        return at is not None and (start is None or start <= at) and (end is None or at < end)
    if condition.tag == _PARAM:
        value = line.parameter(_name(condition))
        if any(child.tag == _ABSENT for child in condition):
            return value is None
        return value is not None and all(text_matches(child, value) for child in condition if child.tag == _TEXT)
    return True


def _ascii(text: str) -> str:
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)


_FOLDS: dict[str, Callable[[str], str]] = {"i;ascii-casemap": _ascii, "i;octet": str, "i;unicode-casemap": str.casefold}


def text_matches(condition: Element, text: str) -> bool:
    """Substring, nothing else: no pattern has a meaning (RFC 4791 §9.7.5)."""
    fold = _FOLDS.get(condition.get("collation", ""), _ascii)
    found = fold("".join(condition.itertext())) in fold(text)
    return found != (condition.get("negate-condition") == "yes")
