"""A client's text as a tree of components: a scanner that takes what clients really send, and nothing that two readers read differently.

It unfolds, splits and nests (RFC 5545 §3.1, §3.6); what values mean is for others. Taken: bare LF, lines of any length, a byte
order mark, names in lower case, underscores in names, empty lines. Not taken: lone CR and control characters (XML 1.0 cannot
carry them, and some parsers break lines there), lines that are no property, components that do not close.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.errors import Invalid, TooLarge

DEPTH = 4
"""Components inside each other, VCALENDAR included; RFC 9074 needs no more (VLOCATION in PARTICIPANT in VEVENT)."""

LINES = 20_000
"""Properties of one object, unfolded."""

_FOLD = re.compile("\n[ \t]")
_LINE = re.compile(r'([A-Za-z0-9_.-]++)((?:;(?:"[^"]*+"|[^":]++)*+)?+):')
_PARAMETER = re.compile(r';([^=;:"]++)(?:=((?:"[^"]*+"|[^";]++)*+))?+')
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile(r"\\([\\;,:nN])")


def invalid(sentence: str) -> Invalid:
    """What is no calendar data at all (RFC 4791 §5.3.2.1)."""
    return Invalid(sentence, condition="valid-calendar-data")


def unfit(sentence: str) -> Invalid:
    """What is calendar data, and no object that a calendar can hold (RFC 4791 §4.1)."""
    return Invalid(sentence, condition="valid-calendar-object-resource")


@dataclass(frozen=True, slots=True)
class Property:
    """One content line, unfolded: `name` in capitals, `head` its parameters as written, each with its semicolon, `value` as written."""

    name: str
    head: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}{self.head}:{self.value}"

    @property
    def text(self) -> str:
        """The value as TEXT, escapes resolved (RFC 5545 §3.3.11)."""
        return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Names in capitals and values as written, without the quotes around a single one."""
        for name, value in _PARAMETER.findall(self.head):
            quoted = len(value) > 1 and value[0] == value[-1] == '"' and '"' not in value[1:-1]
            yield name.strip().upper(), value[1:-1] if quoted else value

    def parameter(self, name: str) -> str | None:
        if not self.head:
            return None
        return next((value for known, value in self.parameters() if known == name), None)


@dataclass(frozen=True, slots=True)
class Component:
    """One component: its own properties and the components in it, in the order of the text. `name` in capitals."""

    name: str
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def every(self, name: str) -> list[Property]:
        return [each for each in self.properties if each.name == name]

    def one(self, name: str) -> Property | None:
        """The only property of that name, if there is one. Raises Invalid for two: readers would not agree on which counts."""
        found = self.every(name)
        if len(found) > 1:
            raise unfit(f"{name} occurs twice.")
        return found[0] if found else None

    def word(self, name: str) -> str:
        """The first value of that name in capitals, "" if there is none: STATUS, TRANSP and the like."""
        return next((each.value.strip().upper() for each in self.properties if each.name == name), "")

    def named(self, name: str) -> list[Component]:
        return [each for each in self.components if each.name == name]

    def __str__(self) -> str:
        """Unfolded lines joined by newlines."""
        inner = [str(each) for each in (*self.properties, *self.components)]
        return "\n".join([f"BEGIN:{self.name}", *inner, f"END:{self.name}"])


def calendar(text: str) -> Component:
    """The one VCALENDAR the text consists of. Raises Invalid and TooLarge."""
    found = None
    for top in _tops(_lines(text)):
        if found is not None or top.name != "VCALENDAR":
            raise unfit("An object is one VCALENDAR and nothing else.")
        found = top
    if found is None:
        raise invalid("There is no calendar in the text.")
    return found


def content_line(line: str) -> Property | None:
    """One unfolded line that was read before; None when it is no property."""
    parts = _LINE.match(line)
    return None if parts is None else Property(parts[1].upper(), parts[2], line[parts.end() :])


def _lines(text: str) -> list[str]:
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if _UNFIT.search(plain):
        raise invalid("The calendar object contains control characters.")
    lines = _FOLD.sub("", plain).split("\n")
    if len(lines) > LINES:
        raise TooLarge(f"A calendar object may have {LINES} lines at most.", limit="limits.object_lines", condition="max-resource-size")
    return lines


def _tops(lines: list[str]) -> Iterator[Component]:
    """The outermost components, each when it ends."""
    opened: list[Component] = []
    for line in lines:
        parts = _LINE.match(line)
        if parts is None:
            if line.strip():
                raise invalid("A line of the calendar object is no property.")
            continue
        name, value = parts[1].upper(), line[parts.end() :]
        if name == "BEGIN":
            inner = Component(value.strip().upper())
            if opened:
                opened[-1].components.append(inner)
            opened.append(inner)
            if len(opened) > DEPTH:
                raise invalid(f"Components are nested more than {DEPTH} deep.")
        elif not opened:
            raise invalid("The text does not begin with a calendar.")
        elif name == "END":
            if value.strip().upper() != opened[-1].name:
                raise invalid(f"{opened[-1].name[:20]} is not closed.")
            closed = opened.pop()
            if not opened:
                yield closed
        else:
            opened[-1].properties.append(Property(name, parts[2], value))
    if opened:
        raise invalid(f"{opened[-1].name[:20]} is not closed.")
