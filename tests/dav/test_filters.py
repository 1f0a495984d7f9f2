"""The evaluator of calendar-query filters, on texts as clients write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Invalid
from gateway.model import Span
from plugins import content, filters

EVENT = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:one@example.com\r
SUMMARY;LANGUAGE="en":Haircut\\, short \\;-)\r
DTSTART:20261124T080000Z\r
DTEND:20261124T083000Z\r
DESCRIPTION:A line that is folded in the mid\r
 dle\r
ATTENDEE;CN="Smith, John";PARTSTAT=NEEDS-ACTION:mailto:john.smith@example.com\r
X-NOTE:ÉTÉ\r
BEGIN:VALARM\r
ACTION:DISPLAY\r
TRIGGER;RELATED=START:-PT15M\r
END:VALARM\r
END:VEVENT\r
END:VCALENDAR\r
"""
START = datetime(2026, 11, 24, 8, tzinfo=UTC)


def filtered(inner: str, text: str = EVENT, *, within: bool = True) -> bool:
    root = ElementTree.fromstring(
        f'<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav"><C:filter><C:comp-filter name="VCALENDAR">{inner}'
        "</C:comp-filter></C:filter></C:calendar-query>"
    )
    wish = filters.wish_in(root)
    if wish.top is None:
        return True

    def spans(window: Span) -> list[Span]:
        event = Span(START, START + timedelta(minutes=30))
        return [event] if event.overlaps(window) else []

    return filters.matches(wish.top, content.tree(text), lambda window: within, spans)


def event(inner: str) -> str:
    return f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>'


def text(value: str, *, collation: str = "i;ascii-casemap", negate: str = "no") -> str:
    return f'<C:text-match collation="{collation}" negate-condition="{negate}">{value}</C:text-match>'


def prop(name: str, inner: str = "") -> str:
    return f'<C:prop-filter name="{name}">{inner}</C:prop-filter>'


def param(name: str, inner: str = "") -> str:
    return prop("ATTENDEE", f'<C:param-filter name="{name}">{inner}</C:param-filter>')


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        ("", True),
        (event(""), True),
        ('<C:comp-filter name="VTODO"/>', False),
        ('<C:comp-filter name="VTODO"><C:is-not-defined/></C:comp-filter>', True),
        (event("<C:is-not-defined/>"), False),
        (event('<C:prop-filter name="SUMMARY"/>'), True),
        (event('<C:prop-filter name="LOCATION"/>'), False),
        (event('<C:prop-filter name="LOCATION"><C:is-not-defined/></C:prop-filter>'), True),
        (event(prop("SUMMARY", text("HAIRCUT, short ;"))), True),
        (event(prop("summary", text("haircut"))), True),
        (event(prop("SUMMARY", text("haircut", collation="i;octet"))), False),
        (event(prop("SUMMARY", text("haircut", negate="yes"))), False),
        (event(prop("LOCATION", text("x", negate="yes"))), False),
        (event(prop("SUMMARY", text("((a+)+)+$"))), False),
        (event(prop("SUMMARY", text("%_%"))), False),
        (event(prop("X-NOTE", text("été"))), False),
        (event(prop("X-NOTE", text("été", collation="i;unicode-casemap"))), True),
        (event(prop("DESCRIPTION", text("middle"))), True),
        (event(param("CN")), True),
        (event(param("ROLE", '<C:is-not-defined/>')), True),
        (event(param("CN", text("smith, j"))), True),
        (event(param("PARTSTAT", text("ACCEPTED"))), False),
        (event('<C:prop-filter name="DTSTART"><C:time-range start="20261124T080000Z" end="20261124T080001Z"/></C:prop-filter>'), True),
        (event('<C:prop-filter name="DTSTART"><C:time-range start="20261124T080001Z"/></C:prop-filter>'), False),
        (event('<C:comp-filter name="VALARM"/>'), True),
        (event('<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter>'), False),
    ],
)  # fmt: skip
def test_a_filter_finds_what_it_describes(inner: str, found: bool) -> None:
    assert filtered(inner) is found


@pytest.mark.parametrize(("start", "end", "rings"), [("0745", "0746", True), ("0744", "0745", False), ("0746", "0800", False)])
def test_a_time_range_on_alarms_is_about_when_they_ring(start: str, end: str, rings: bool) -> None:
    window = f'<C:time-range start="20261124T{start}00Z" end="20261124T{end}00Z"/>'
    assert filtered(event(f'<C:comp-filter name="VALARM">{window}</C:comp-filter>')) is rings


def test_a_repeating_alarm_rings_again_and_not_without_end() -> None:
    repeated = EVENT.replace("ACTION:DISPLAY", "ACTION:DISPLAY\r\nREPEAT:999999999\r\nDURATION:PT5M")
    window = '<C:time-range start="20261124T075500Z" end="20261124T075600Z"/>'
    assert filtered(event(f'<C:comp-filter name="VALARM">{window}</C:comp-filter>'), repeated)


def test_a_time_range_beside_other_conditions_is_asked_of_the_recurrences() -> None:
    inner = event(f'<C:time-range start="20261124T000000Z"/><C:prop-filter name="SUMMARY">{text("hair")}</C:prop-filter>')
    assert filtered(inner)
    assert not filtered(inner, within=False)


@pytest.mark.parametrize(
    ("inner", "condition"),
    [
        (event('<C:time-range start="20270601T000000Z" end="20270101T000000Z"/>'), "valid-filter"),
        (event('<C:time-range start="20270601T000000"/>'), "valid-filter"),
        (event('<C:time-range start="20270601"/>'), "valid-filter"),
        (event('<C:time-range start="20270230T000000Z"/>'), "valid-filter"),
        (event('<C:time-range start=""/>'), "valid-filter"),
        (event("<C:time-range/>"), "valid-filter"),
        (event(prop("SUMMARY", text("x", collation="i;turkish"))), "supported-collation"),
        (event(prop("SUMMARY", text("x", negate="perhaps"))), "valid-filter"),
        (event("<C:prop-filter/>"), "valid-filter"),
        (event("<C:nothing/>"), "supported-filter"),
        (event('<C:prop-filter name="X"/>' * 100), "valid-filter"),
        ('<C:comp-filter name="VEVENT"><C:is-not-defined/><C:prop-filter name="X"/></C:comp-filter>', "valid-filter"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused_with_its_precondition(inner: str, condition: str) -> None:
    with pytest.raises(Invalid) as invalid:
        filtered(inner)
    assert invalid.value.condition == condition


def test_what_sql_can_decide_alone_is_recognised() -> None:
    def wish(inner: str) -> filters.Wish:
        return filters.wish_in(
            ElementTree.fromstring(
                f'<q xmlns:C="urn:ietf:params:xml:ns:caldav"><C:filter><C:comp-filter name="VCALENDAR">{inner}'
                "</C:comp-filter></C:filter></q>"
            )
        )

    assert wish("").exact
    assert wish(event("")).exact
    narrowed = wish(event('<C:time-range start="20261124T000000Z" end="20261125T000000Z"/>'))
    assert (narrowed.exact, narrowed.component) == (True, "VEVENT")
    assert narrowed.window == (datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    more = wish(event('<C:time-range start="20261124T000000Z"/><C:prop-filter name="SUMMARY"/>'))
    assert (more.exact, more.component, more.window) == (False, "VEVENT", (datetime(2026, 11, 24, tzinfo=UTC), None))


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029"), max_size=300))
def test_folding_loses_nothing(value: str) -> None:
    raw = f"X-LONG:{value}"
    line = content.Line("X-LONG", raw, 7, "")
    text = content.written(content.Component("VCALENDAR", [line]))
    assert all(len(part.encode()) <= 75 for part in text.split("\r\n"))
    assert [found.raw for found in content.tree(text).lines] == [raw]


def test_a_line_separator_of_unicode_does_not_end_a_line() -> None:
    text = "BEGIN:VCALENDAR\r\nX-A:one\u2028BEGIN:VEVENT\x0btwo\r\nEND:VCALENDAR\r\n"
    tree = content.tree(text)
    assert tree.children == []
    assert tree.lines[0].value == "one\u2028BEGIN:VEVENT\x0btwo"
