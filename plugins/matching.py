"""Whether a stored object is what a filter describes, exactly, for what SQL cannot decide (RFC 4791 §9.7-9.9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta, tzinfo

from gateway.ical.moments import periods
from gateway.ical.parse import Component, Property
from gateway.model import Span
from plugins import content
from plugins.alarms import rings
from plugins.filters import CompFilter, ParamFilter, PropFilter, TextMatch, Wish
from plugins.moments import Window, whole, within
from plugins.reading import Allowance, Reading, read, shifted

_CARET = re.compile(r"\^([n'^])")
_EFFECTIVE = {"DTEND": ("VEVENT", "DURATION"), "DUE": ("VTODO", "DURATION")}
"""What stands for a property that is not there: the start and how long it lasts (RFC 4791 §9.9)."""


class Matcher:
    """One filter, ready for many objects. Of one request."""

    def __init__(self, wish: Wish, allowance: Allowance) -> None:
        self._wish = wish
        self._allowance = allowance
        self._needles = wish.needles
        self._scan = content.scanner(wish.names)

    def matches(self, text: str, floating: Callable[[], tzinfo]) -> bool:
        """Whether the filter matches an object that lies in the window SQL was asked for. `floating`: where times without a zone are.

        Nearly all objects are told by a look for the text, or by the properties alone. Only where the window and the properties
        could speak of different components (an exception of a series), or of alarms, the object is read with its times. One that
        cannot be read any more is found by every filter: hidden, nobody could repair it. Raises TooLarge.
        """
        plain = content.unfolded(text)
        if self._needles:
            octets = plain.encode().lower()
            if not all(needle in octets for needle in self._needles):
                return False
        self._allowance.look(len(plain))
        wish = self._wish
        if not wish.quick:
            return self._exactly(text, floating)
        calendar, look = self._scan(plain), _Look()
        if wish.window is None:
            return not wish.top.absent and look.fits(wish.top, calendar)
        only = wish.top.comps[0]
        if not all(look.property(condition, calendar) for condition in wish.top.props):
            return False
        fits = [look.fits(only, component) for component in calendar.named(only.name)]
        return any(fits) and (all(fits) or self._exactly(text, floating))

    def _exactly(self, text: str, floating: Callable[[], tzinfo]) -> bool:
        reading, top = read(text, floating(), self._allowance), self._wish.top
        return reading is None or (not top.absent and _Look(reading).fits(top, reading.top))


class _Look:
    """One look at one object. Without a reading nothing is asked about time. Each value is made comparable once, however many
    conditions ask for it: a megabyte of description, a hundred conditions."""

    def __init__(self, reading: Reading | None = None) -> None:
        self._reading = reading
        self._texts: dict[tuple[int, str], str] = {}
        self._folded: dict[tuple[int, str, str], bytes] = {}

    def fits(self, condition: CompFilter, component: Component) -> bool:
        """Everything but the time-range on the component itself."""
        return all(self.property(each, component) for each in condition.props) and all(
            self._component(each, component) for each in condition.comps
        )

    def _component(self, condition: CompFilter, parent: Component) -> bool:
        named = parent.named(condition.name)
        if condition.absent:
            return not named
        return any(self.fits(condition, component) and self._timely(condition, component, parent) for component in named)

    def _timely(self, condition: CompFilter, component: Component, parent: Component) -> bool:
        window, reading = condition.window, self._reading
        if window is None or reading is None:
            return True
        if component.name == "VALARM":
            return rings(component, parent, window, reading)
        if component.name == "VFREEBUSY":
            return _free_busy(component, window, reading)
        return reading.occurs(window, component)

    def property(self, condition: PropFilter, component: Component) -> bool:
        lines = component.every(condition.name)
        if condition.absent:
            return not lines
        told = [line for line in lines if self._told(condition, line)]
        window, reading = condition.window, self._reading
        if window is None or reading is None:
            return bool(told)
        if id(component) in reading.times and condition.name in ("DTSTART", "DTEND", "DUE"):
            stands_in = not lines and not condition.params and _stands_in(condition.name, component)
            return bool(told or stands_in) and _placed(condition.name, component, window, reading)
        return any((at := reading.instant(line)) is not None and within(at, window) for line in told)

    def _told(self, condition: PropFilter, line: Property) -> bool:
        return all(self._holds(text, line, "") for text in condition.texts) and all(
            self._parameter(each, line) for each in condition.params
        )

    def _parameter(self, condition: ParamFilter, line: Property) -> bool:
        value = line.parameter(condition.name)
        if condition.absent:
            return value is None
        return value is not None and all(self._holds(text, line, condition.name) for text in condition.texts)

    def _holds(self, match: TextMatch, line: Property, parameter: str) -> bool:
        """Of the property's value, or of a parameter's."""
        key = (id(line), parameter, match.collation)
        if key not in self._folded:
            self._folded[key] = match.folded(self._text(line, parameter))
        return match.holds(self._folded[key])

    def _text(self, line: Property, parameter: str) -> str:
        key = (id(line), parameter)
        if key not in self._texts:
            self._texts[key] = _decoded(line.parameter(parameter) or "") if parameter else content.plain_text(line.value)
        return self._texts[key]


def _decoded(value: str) -> str:
    """A parameter's value (RFC 6868)."""
    return _CARET.sub(lambda found: {"n": "\n", "'": '"', "^": "^"}[found[1]], value) if "^" in value else value


def _free_busy(component: Component, window: Window, reading: Reading) -> bool:
    start, end = (next((reading.instant(line) for line in component.every(name)), None) for name in ("DTSTART", "DTEND"))
    if start is not None and end is not None:
        return (window[0] is None or window[0] <= end) and (window[1] is None or window[1] > start)
    reach = whole(window)
    return any(span.overlaps(reach) for line in component.every("FREEBUSY") for span in periods(line, reading.zones))


def _stands_in(name: str, component: Component) -> bool:
    kind, lasting = _EFFECTIVE.get(name, ("", ""))
    return component.name == kind and bool(component.every(lasting) and component.every("DTSTART"))


def _placed(name: str, component: Component, window: Window, reading: Reading) -> bool:
    """Whether an instance begins or ends in the window: a range looks at every one (RFC 4791 §9.9)."""
    at_end = name != "DTSTART"
    if component.name == "VTODO" and not component.every("DTSTART"):
        at_end = False  # it has a due time only, which is where it is
    reach = whole(window)
    instances, complete = reading.instances_of(component, Span(shifted(reach.start, -timedelta(seconds=1)), reach.end))
    for instance in instances:
        span = reading.placed(instance)
        if within(span.end if at_end else span.start, window):
            return True
    return not complete
