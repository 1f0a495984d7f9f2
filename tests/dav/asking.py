"""Filters as XML, the objects they are tried on, and what a report tells about calendar data: shared by the tests of reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from plugins.filters import Wish, wish_in
from plugins.matching import Matcher
from plugins.reading import Allowance
from tests.dav.house import Answer, C


def comp(name: str, inner: str = "") -> str:
    return f'<C:comp-filter name="{name}">{inner}</C:comp-filter>'


def prop(name: str, inner: str = "") -> str:
    return f'<C:prop-filter name="{name}">{inner}</C:prop-filter>'


def param(name: str, inner: str = "", *, of: str = "ATTENDEE") -> str:
    return prop(of, f'<C:param-filter name="{name}">{inner}</C:param-filter>')


def match(value: str, *, collation: str = "i;ascii-casemap", negate: str = "no") -> str:
    return f'<C:text-match collation="{collation}" negate-condition="{negate}">{value}</C:text-match>'


def span(start: str = "", end: str = "", *, name: str = "time-range") -> str:
    """A time-range or its kin; instants such as 20261124T080000, in UTC."""
    given = [f'{key}="{value}Z"' for key, value in (("start", start), ("end", end)) if value]
    return f"<C:{name} {' '.join(given)}/>"


ABSENT = "<C:is-not-defined/>"


def wish(inner: str) -> Wish:
    return wish_in(
        ElementTree.fromstring(f'<q xmlns:C="urn:ietf:params:xml:ns:caldav"><C:filter>{comp("VCALENDAR", inner)}</C:filter></q>')
    )


def filtered(inner: str, text: str, *, floating: str = "UTC") -> bool:
    """Whether the whole filter matches, nothing of it left to SQL; where the properties decide, the quick way must say the same."""
    asked, zone = wish(inner), ZoneInfo(floating)
    exactly = Matcher(replace(asked, quick=False), Allowance()).matches(text, lambda: zone)
    if asked.quick and (asked.window is None or exactly):
        assert Matcher(asked, Allowance()).matches(text, lambda: zone) is exactly
    return exactly


def calendar(*components: str) -> str:
    """Lines of components, written one below the other, as a calendar object."""
    lines = [line.strip() for each in components for line in each.strip().splitlines()]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *lines, "END:VCALENDAR", ""])


def component(kind: str, *lines: str, uid: str = "one@example.com") -> str:
    return "\n".join([f"BEGIN:{kind}", f"UID:{uid}", "DTSTAMP:20261101T000000Z", *lines, f"END:{kind}"])


def data_of(answer: Answer, path: str) -> str:
    """The calendar data of an object, unfolded, with plain line ends."""
    found = answer.responses[path][f"{C}calendar-data"]
    return re.sub("\r?\n[ \t]", "", found).replace("\r\n", "\n")


def components_in(text: str, kind: str = "VEVENT") -> list[dict[str, str]]:
    """The components of a kind as tables: the name with its parameters, and the value. What is inside them is left out."""
    blocks = re.findall(rf"BEGIN:{kind}\n(.*?)END:{kind}\n", text, re.DOTALL)
    plain = [re.sub(r"BEGIN:VALARM\n.*?END:VALARM\n", "", block, flags=re.DOTALL) for block in blocks]
    return [dict(line.split(":", 1) for line in block.splitlines()) for block in plain]


def starts_in(text: str, kind: str = "VEVENT") -> list[str]:
    return [next(value for name, value in each.items() if name.partition(";")[0] == "DTSTART") for each in components_in(text, kind)]


def names_in(answer: Answer) -> Sequence[str]:
    """The last segments of what was found, in order."""
    assert answer.status == 207, answer.text
    return [path.rpartition("/")[2] for path in answer.responses]
