"""Filters of calendar-query on texts as clients write them: properties, parameters, text, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Invalid
from gateway.ical.parse import Component, Property, calendar
from plugins import content
from tests.dav.asking import ABSENT, comp, component, filtered, match, param, prop, span, wish
from tests.dav.asking import calendar as object_of

EVENT = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VTIMEZONE\r
TZID:Europe/Paris\r
BEGIN:STANDARD\r
DTSTART:19961027T030000\r
TZOFFSETFROM:+0200\r
TZOFFSETTO:+0100\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:one@example.com\r
SUMMARY;LANGUAGE="en":Haircut\\, short \\;-)\r
DTSTART:20261124T080000Z\r
DTEND:20261124T083000Z\r
DESCRIPTION:A line that is folded in the mid\r
 dle\r
COMMENT:first\\nsecond\r
ATTENDEE;CN="Smith, John";PARTSTAT=NEEDS-ACTION:mailto:john.smith@example.com\r
ATTENDEE;CN=Ann;MEMBER="mailto:a@example.com","mailto:b@example.com":mailto:ann@example.com\r
CATEGORIES:WORK,HAIR\r
X-NOTE;X-SAID=the ^'best^':ÉTÉ ｆin\r
BEGIN:VALARM\r
ACTION:DISPLAY\r
TRIGGER;RELATED=START:-PT15M\r
END:VALARM\r
END:VEVENT\r
END:VCALENDAR\r
"""


def event(inner: str) -> str:
    return comp("VEVENT", inner)


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        ("", True),
        (event(""), True),
        (comp("VTODO"), False),
        (comp("VTODO", ABSENT), True),
        (event(ABSENT), False),
        (comp("VTIMEZONE"), True),
        (comp("VTIMEZONE", ABSENT), False),
        (comp("VTIMEZONE", prop("TZID", match("europe/"))), True),
        (comp("VTIMEZONE", comp("STANDARD", prop("TZOFFSETTO", match("+0100")))), True),
        (comp("VTIMEZONE", comp("DAYLIGHT")), False),
        (comp("X-FOO"), False),
        (comp("X-FOO", ABSENT) + event(""), True),
        (prop("VERSION", match("2.0")), True),
        (prop("METHOD", ABSENT) + event(""), True),
        (prop("METHOD") + event(""), False),
    ],
)
def test_a_component_is_there_or_not(inner: str, found: bool) -> None:
    assert filtered(inner, EVENT) is found


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        (prop("SUMMARY"), True),
        (prop("summary"), True),
        (prop("LOCATION"), False),
        (prop("LOCATION", ABSENT), True),
        (prop("SUMMARY", ABSENT), False),
        (prop("SUMMARY", match("HAIRCUT, short ;")), True),
        (prop("SUMMARY", match("haircut", collation="i;octet")), False),
        (prop("SUMMARY", match("Haircut", collation="i;octet")), True),
        (prop("SUMMARY", match("haircut", collation="default")), True),
        (prop("SUMMARY", match("haircut", negate="yes")), False),
        (prop("SUMMARY", match("beard", negate="yes")), True),
        (prop("LOCATION", match("x", negate="yes")), False),
        (prop("SUMMARY", match("")), True),
        (prop("SUMMARY", match("((a+)+)+$")), False),
        (prop("SUMMARY", match("%_%")), False),
        (prop("SUMMARY", match("' OR '1'='1")), False),
        (prop("DESCRIPTION", match("middle")), True),
        (prop("COMMENT", match("first&#10;second")), True),
        (prop("CATEGORIES", match("hair")), True),
        (prop("SUMMARY", match("hair")) + prop("CATEGORIES", match("work")), True),
        (prop("SUMMARY", match("hair")) + prop("CATEGORIES", match("leisure")), False),
        (prop("X-NOTE", match("été")), False),
        (prop("X-NOTE", match("ÉTÉ")), True),
        (prop("X-NOTE", match("été", collation="i;octet")), False),
        (prop("X-NOTE", match("été", collation="i;unicode-casemap")), True),
        (prop("X-NOTE", match("FIN", collation="i;unicode-casemap")), True),
        (prop("SUMMARY", match("hair") + match("short")), True),
        (prop("SUMMARY", match("hair") + match("long")), False),
    ],
)
def test_a_property_is_found_by_its_text(inner: str, found: bool) -> None:
    assert filtered(event(inner), EVENT) is found


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        (param("CN"), True),
        (param("cn"), True),
        (param("ROLE"), False),
        (param("ROLE", ABSENT), True),
        (param("CN", ABSENT), False),
        (param("CN", match("smith, j")), True),
        (param("PARTSTAT", match("ACCEPTED")), False),
        (param("PARTSTAT", match("needs", collation="i;octet")), False),
        (param("MEMBER", match("b@example.com")), True),
        (param("X-SAID", match('"best"'), of="X-NOTE"), True),
        (prop("ATTENDEE", match("ann@") + '<C:param-filter name="CN"><C:text-match>ann</C:text-match></C:param-filter>'), True),
        (prop("ATTENDEE", match("ann@") + '<C:param-filter name="CN"><C:text-match>john</C:text-match></C:param-filter>'), False),
        (prop("ATTENDEE", f'<C:param-filter name="PARTSTAT">{ABSENT}</C:param-filter>'), True),
        (prop("SUMMARY", f'<C:param-filter name="LANGUAGE">{ABSENT}</C:param-filter>'), False),
    ],
)
def test_a_parameter_is_asked_of_the_same_property(inner: str, found: bool) -> None:
    assert filtered(event(inner), EVENT) is found


def test_conditions_hold_together_on_one_component() -> None:
    series = object_of(
        component("VEVENT", "DTSTART:20261124T080000Z", "RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:Class", "LOCATION:Hall"),
        component("VEVENT", "DTSTART:20261201T100000Z", "RECURRENCE-ID:20261201T080000Z", "SUMMARY:Exam"),
    )
    assert filtered(event(prop("SUMMARY", match("exam"))), series)
    assert filtered(event(prop("LOCATION", match("hall"))), series)
    assert not filtered(event(prop("SUMMARY", match("exam")) + prop("LOCATION")), series)
    assert filtered(event(prop("SUMMARY", match("exam")) + prop("LOCATION", ABSENT)), series)
    assert filtered(event(prop("SUMMARY", match("exam"))) + event(prop("LOCATION")), series)


@pytest.mark.parametrize(
    ("inner", "condition"),
    [
        (event(span("20270601T000000", "20270101T000000")), "valid-filter"),
        (event(span("20270601T000000", "20270601T000000")), "valid-filter"),
        (event('<C:time-range start="20270601T000000"/>'), "valid-filter"),
        (event('<C:time-range start="20270601"/>'), "valid-filter"),
        (event(span("20270230T000000")), "valid-filter"),
        (event('<C:time-range start=""/>'), "valid-filter"),
        (event('<C:time-range start="２0270601T000000Z"/>'), "valid-filter"),
        (event("<C:time-range/>"), "valid-filter"),
        (event(span("20270101T000000") + span("20280101T000000")), "valid-filter"),
        (event(span("18991231T235959")), "min-date-time"),
        (event(span(end="00010101T000000")), "min-date-time"),
        (event(span("20270101T000000", "22000101T000000")), "max-date-time"),
        (event(prop("CREATED", span("99991231T000000"))), "max-date-time"),
        (event(prop("SUMMARY", span("20270101T000000"))), "valid-filter"),
        (comp("VTIMEZONE", span("20270101T000000")), "valid-filter"),
        (comp("VTODO", event("")), "valid-filter"),
        (comp("VALARM"), "valid-filter"),
        (event(comp("VCALENDAR")), "valid-filter"),
        (event(prop("SUMMARY", match("x", collation="i;turkish"))), "supported-collation"),
        (event(prop("SUMMARY", match("x", collation="i;ascii-*"))), "supported-collation"),
        (event(param("CN", match("x", collation=""))), "supported-collation"),
        (event(prop("SUMMARY", match("x", negate="perhaps"))), "valid-filter"),
        (event("<C:prop-filter/>"), "valid-filter"),
        (event("<C:nothing/>"), "supported-filter"),
        (event(f'<X:more xmlns:X="urn:x"/>{prop("UID")}'), "supported-filter"),
        (event(match("x")), "valid-filter"),
        (event(prop("X", comp("VALARM"))), "valid-filter"),
        (event(prop("X") * 100), "valid-filter"),
        (event(ABSENT + prop("X")), "valid-filter"),
        (prop("X", ABSENT + match("x")), "valid-filter"),
        (param("X", ABSENT + match("x")), "valid-filter"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused_with_its_precondition(inner: str, condition: str) -> None:
    with pytest.raises(Invalid) as invalid:
        wish(inner)
    assert invalid.value.condition == condition


def test_a_hundred_conditions_are_the_most() -> None:
    assert filtered(event(prop("SUMMARY") * 98), EVENT)


def test_what_sql_can_decide_alone_is_recognised() -> None:
    assert wish("").exact
    assert wish(event("")).exact
    narrowed = wish(event(span("20261124T000000", "20261125T000000")))
    assert (narrowed.exact, narrowed.component) == (True, "VEVENT")
    assert narrowed.window == (datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    more = wish(event(span("20261124T000000") + prop("SUMMARY")))
    assert (more.exact, more.quick, more.component, more.window) == (False, True, "VEVENT", (datetime(2026, 11, 24, tzinfo=UTC), None))
    alarmed = wish(event(span("20261124T000000") + comp("VALARM", span("20261124T000000"))))
    assert (alarmed.exact, alarmed.quick, alarmed.component) == (False, False, "VEVENT")


_TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029\x85"), max_size=120)


@given(_TEXTS.map(str.strip), st.integers(0, 100), st.integers(1, 8), st.sampled_from(["i;ascii-casemap", "i;octet", "i;unicode-casemap"]))
def test_a_part_of_a_text_is_found_however_it_is_written(value: str, begin: int, length: int, collation: str) -> None:
    part = value[begin : begin + length]
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = content.written(calendar(object_of(component("VEVENT", "DTSTART:20261124T080000Z", f"SUMMARY:{escaped}"))))
    wanted = part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert filtered(event(prop("SUMMARY", match(wanted, collation=collation))), text)
    swapped = wanted.swapcase() if collation == "i;ascii-casemap" and part.isascii() and "&" not in wanted else wanted
    assert filtered(event(prop("SUMMARY", match(swapped, collation=collation))), text)


@given(_TEXTS)
def test_folding_loses_nothing(value: str) -> None:
    text = content.written(Component("VCALENDAR", [Property("X-LONG", "", value)]))
    assert all(len(part.encode()) <= 75 for part in text.split("\r\n"))
    assert [str(found) for found in calendar(text).properties] == [f"X-LONG:{value}"]


@given(st.lists(st.sampled_from(["\r\n", "\n", " ", "\t", "A:b", "BEGIN:X", "END:X", "é", ":", '"']), max_size=30))
def test_a_quick_look_unfolds_as_reading_does(parts: list[str]) -> None:
    text = "BEGIN:VCALENDAR\r\nX:" + "".join(parts) + "\r\nEND:VCALENDAR\r\n"
    try:
        whole = calendar(text)
    except Invalid:
        return
    assert content.scanner(["X", "A"])(content.unfolded(text)) == whole


def test_a_line_separator_of_unicode_does_not_end_a_line() -> None:
    scanned = content.scanner(["X-A"])("BEGIN:VCALENDAR\nX-A:one\u2028BEGIN:VEVENT\x0btwo\nEND:VCALENDAR\n")
    assert scanned.components == []
    assert scanned.properties[0].value == "one\u2028BEGIN:VEVENT\x0btwo"
