"""What a calendar-query asks for: its filter read, checked and made into values (RFC 4791 §9.7)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from gateway.errors import Invalid
from plugins.moments import Window, window_of
from plugins.multistatus import CALDAV

CONDITIONS = 100
"""Elements a filter may have."""

LONGEST = 255
"""Letters of the name of a component, property or parameter."""

KINDS = ("VEVENT", "VTODO", "VJOURNAL")
"""Components an object is made of, and that the index knows."""

DATED = ("DTSTART", "DTEND", "DUE", "COMPLETED", "CREATED", "DTSTAMP", "LAST-MODIFIED")
"""Properties that can be asked for a time-range (RFC 4791 §9.9)."""

_TIMED = (*KINDS, "VFREEBUSY", "VALARM")
_INSIDE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((*KINDS, "VFREEBUSY", "VTIMEZONE"), ("VCALENDAR",)),
    **dict.fromkeys(("STANDARD", "DAYLIGHT"), ("VTIMEZONE",)),
    "VALARM": ("VEVENT", "VTODO"),
    "VCALENDAR": (),
}
"""Where a component can be at all (RFC 5545 §3.6); of others nobody knows."""

_FILTER, _COMP, _PROP, _PARAM = (f"{{{CALDAV}}}{name}" for name in ("filter", "comp-filter", "prop-filter", "param-filter"))
_ABSENT, _RANGE, _TEXT = (f"{{{CALDAV}}}{name}" for name in ("is-not-defined", "time-range", "text-match"))
_KNOWN = frozenset({_COMP, _PROP, _PARAM, _ABSENT, _RANGE, _TEXT})
_HOLDS: Mapping[str, frozenset[str]] = {
    _COMP: frozenset({_ABSENT, _RANGE, _PROP, _COMP}),
    _PROP: frozenset({_ABSENT, _RANGE, _TEXT, _PARAM}),
    _PARAM: frozenset({_ABSENT, _TEXT}),
    _ABSENT: frozenset(),
    _RANGE: frozenset(),
    _TEXT: frozenset(),
}


@dataclass(frozen=True, slots=True)
class TextMatch:
    """Substring, nothing else: no pattern has a meaning (RFC 4791 §9.7.5)."""

    collation: str
    wanted: bytes
    negated: bool

    def folded(self, text: str) -> bytes:
        """What `wanted` is looked for in."""
        return _FOLDS[self.collation](text)

    def holds(self, folded: bytes) -> bool:
        return (self.wanted in folded) is not self.negated


@dataclass(frozen=True, kw_only=True, slots=True)
class ParamFilter:
    name: str
    absent: bool
    texts: tuple[TextMatch, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PropFilter:
    name: str
    absent: bool
    window: Window | None
    texts: tuple[TextMatch, ...]
    params: tuple[ParamFilter, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompFilter:
    name: str
    absent: bool
    window: Window | None
    props: tuple[PropFilter, ...]
    comps: tuple[CompFilter, ...]

    def everything(self) -> Iterator[CompFilter]:
        yield self
        for inner in self.comps:
            yield from inner.everything()

    @property
    def timed(self) -> bool:
        """Whether it asks when something is."""
        every = list(self.everything())
        return any(each.window is not None for each in every) or any(prop.window is not None for each in every for prop in each.props)


@dataclass(frozen=True, slots=True)
class Wish:
    """The filter, and what of it SQL can do: `component` and `window` narrow the objects.

    `exact`: they are all there is to it. `quick`: the rest asks about properties only, and the window is that of the only component.
    """

    top: CompFilter
    component: str | None
    window: Window | None
    exact: bool
    quick: bool

    @property
    def names(self) -> frozenset[str]:
        """The properties it looks at."""
        return frozenset(prop.name for each in self.top.everything() for prop in each.props)

    @property
    def needles(self) -> tuple[bytes, ...]:
        """What occurs, in lower case, in the unfolded text of every object that matches, whatever is escaped there."""
        there = [each for each in self.top.everything() if not each.absent]
        props = [prop for each in there for prop in each.props if not prop.absent]
        found = {each.name.lower().encode() for each in there[1:]}
        found |= {b"\n" + prop.name.lower().encode() for prop in props if not (prop.window is not None and prop.name in ("DTEND", "DUE"))}
        texts = [text for prop in props for text in (*prop.texts, *(text for param in prop.params for text in param.texts))]
        for text in texts:
            if not text.negated and text.collation != "i;unicode-casemap":
                found.add(max(_ESCAPABLE.split(text.wanted.lower()), key=len))
        return tuple(sorted(found - {b""}, key=len, reverse=True))


_ESCAPABLE = re.compile(rb"""[\\;:,"'^\r\n]+""")


def wish_in(root: Element) -> Wish:
    """Read the filter of a calendar-query. Raises Invalid (valid-filter, supported-filter, supported-collation, min- and max-date-time)."""
    element = root.find(_FILTER)
    tops = list(element) if element is not None else []
    if len(tops) != 1 or tops[0].tag != _COMP or _name(tops[0]) != "VCALENDAR":
        raise _bad("A filter consists of one comp-filter for VCALENDAR.")
    if sum(1 for _ in tops[0].iter()) > CONDITIONS:
        raise _bad(f"A filter may have {CONDITIONS} elements at most.")
    top = _comp(tops[0], None)
    kinds = [each for each in top.comps if each.name in KINDS and not each.absent]
    if not kinds:
        plain = not (top.absent or top.props or top.comps)
        return Wish(top, None, None, exact=plain, quick=not top.timed)
    only = kinds[0]
    alone = len(top.comps) == 1 and not top.absent
    inner = any(prop.window is not None for prop in (*top.props, *only.props)) or any(each.timed for each in only.comps)
    exact = alone and not (top.props or only.props or only.comps)
    return Wish(top, only.name, only.window, exact=exact, quick=(alone and not inner) or not top.timed)


def _comp(element: Element, parent: str | None) -> CompFilter:
    name = _name(element)
    _check(element)
    if parent is not None and parent not in _INSIDE.get(name, (parent,)):
        raise _bad("A component is looked for where it cannot be.")
    window = _window(element)
    if window is not None and name not in _TIMED:
        raise _bad("There is no time-range for such a component.")
    return CompFilter(
        name=name,
        absent=_absent(element),
        window=window,
        props=tuple(_prop(child) for child in element if child.tag == _PROP),
        comps=tuple(_comp(child, name) for child in element if child.tag == _COMP),
    )


def _prop(element: Element) -> PropFilter:
    name = _name(element)
    _check(element)
    window = _window(element)
    if window is not None and name not in DATED:
        raise _bad("There is no time-range for such a property.")
    return PropFilter(
        name=name,
        absent=_absent(element),
        window=window,
        texts=_texts(element),
        params=tuple(_param(child) for child in element if child.tag == _PARAM),
    )


def _param(element: Element) -> ParamFilter:
    name = _name(element)
    _check(element)
    return ParamFilter(name=name, absent=_absent(element), texts=_texts(element))


def _texts(element: Element) -> tuple[TextMatch, ...]:
    return tuple(_text(child) for child in element if child.tag == _TEXT)


def _text(element: Element) -> TextMatch:
    _check(element)
    collation = element.get("collation", "default")
    if collation == "default":
        collation = "i;ascii-casemap"
    if collation not in _FOLDS:
        raise Invalid("This collation is not known here.", condition="supported-collation")
    negate = element.get("negate-condition", "no")
    if negate not in ("yes", "no"):
        raise _bad("negate-condition is yes or no.")
    return TextMatch(collation, _FOLDS[collation](element.text or ""), negate == "yes")


def _window(element: Element) -> Window | None:
    ranges = [child for child in element if child.tag == _RANGE]
    if len(ranges) > 1:
        raise _bad("There is one time-range at most.")
    return window_of(ranges[0]) if ranges else None


def _absent(element: Element) -> bool:
    absent = any(child.tag == _ABSENT for child in element)
    if absent and len(element) > 1:
        raise _bad("What is not defined cannot have other conditions.")
    return absent


def _check(element: Element) -> None:
    """Raise Invalid for an element inside this one that is not known, or has its place elsewhere."""
    for child in element:
        if child.tag not in _KNOWN:
            raise Invalid("This filter is not known here.", condition="supported-filter")
        if child.tag not in _HOLDS[element.tag]:
            raise _bad("A part of the filter is where it cannot be.")
        if child.tag in (_RANGE, _ABSENT) and len(child):
            raise _bad("A part of the filter is where it cannot be.")


def _name(element: Element) -> str:
    name = (element.get("name") or "").upper()
    if not 0 < len(name) <= LONGEST:
        raise _bad(f"A filter names what it is about, in {LONGEST} letters at most.")
    return name


def _bad(sentence: str) -> Invalid:
    return Invalid(sentence, condition="valid-filter")


def _ascii(text: str) -> bytes:
    """RFC 4790 §9.2: only A to Z; `bytes.lower` knows no other letters."""
    return text.encode().lower()


def _unicode(text: str) -> bytes:
    """RFC 5051: each character in title case, where that is one character, and decomposed."""
    if text.isascii():
        return text.upper().encode()
    return unicodedata.normalize("NFKD", "".join(map(_title, text))).encode()


def _title(letter: str) -> str:
    title = letter.title()
    return title if len(title) == 1 else letter


_FOLDS: Mapping[str, Callable[[str], bytes]] = {"i;ascii-casemap": _ascii, "i;octet": str.encode, "i;unicode-casemap": _unicode}
