"""The scanner: what it takes, what it does not, and that it sees what the icalendar library sees."""

from __future__ import annotations

import contextlib

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Invalid, TooLarge
from gateway.ical.lines import joined
from gateway.ical.parse import Component, Property, calendar
from tests.spending import spending


def _edged(text: str) -> bool:
    """Without blanks at its ends, which the library takes off parameters."""
    return text == text.strip()


WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=1, max_size=8).map("X-{}".format)
PLAIN = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='":;,^\\\x85\u2028\u2029\ufffe\uffff'), min_size=1, max_size=12
)
QUOTED = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"^\\\x85\u2028\u2029\ufffe\uffff'), min_size=1, max_size=12
)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x85\u2028\u2029\ufffe\uffff\\"), max_size=120)
HEADS = st.dictionaries(WORDS, PLAIN.filter(_edged) | QUOTED.filter(_edged).map('"{}"'.format), max_size=3).map(
    lambda pairs: "".join(f";{name}={value}" for name, value in pairs.items())
)
LINES = st.builds(Property, name=WORDS, head=HEADS, value=VALUES)
EVENTS = st.builds(
    lambda lines, alarms: Component("VEVENT", lines, [Component("VALARM", alarm) for alarm in alarms]),
    st.lists(LINES, max_size=6),
    st.lists(st.lists(LINES, max_size=3), max_size=2),
)


def wrapped(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""])


@given(st.lists(EVENTS, min_size=1, max_size=3))
@settings(max_examples=60)
def test_what_was_written_is_read(events: list[Component]) -> None:
    text = joined(str(Component("VCALENDAR", [], events)).split("\n"))
    assert calendar(text) == Component("VCALENDAR", [], events)
    assert calendar(text.replace("\r\n", "\n")) == calendar("\ufeff" + text)


@given(st.lists(EVENTS, min_size=1, max_size=3))
@settings(max_examples=40)
def test_the_scanner_and_icalendar_see_the_same(events: list[Component]) -> None:
    text = joined(str(Component("VCALENDAR", [], events)).split("\n"))
    found, known = calendar(text), icalendar.Calendar.from_ical(text)
    assert [seen(each) for each in found.components] == [of_library(each) for each in known.subcomponents]


def seen(component: Component) -> tuple[object, ...]:
    lines = sorted((each.name, sorted(each.parameters()), each.value) for each in component.properties)
    return component.name, repr(lines), [seen(each) for each in component.components]


def of_library(component: icalendar.Component) -> tuple[object, ...]:
    inner = [each for each in component.property_items(recursive=False) if each[0] not in ("BEGIN", "END")]
    lines = sorted((name.upper(), sorted(value.params.items()), value.to_ical().decode()) for name, value in inner)
    return str(component.name), repr(lines), [of_library(each) for each in component.subcomponents]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("", "valid-calendar-data"),
        ("hello", "valid-calendar-data"),
        ("UID:1", "valid-calendar-data"),
        ("<html></html>", "valid-calendar-data"),
        ('{"vcalendar": []}', "valid-calendar-data"),
        ("BEGIN:VCALENDAR", "valid-calendar-data"),
        ("BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", "valid-calendar-data"),
        ("END:VCALENDAR\r\n", "valid-calendar-data"),
        (wrapped("BEGIN:VEVENT"), "valid-calendar-data"),
        (wrapped("no property"), "valid-calendar-data"),
        (wrapped("X"), "valid-calendar-data"),
        (wrapped('X;Y="never closed:z'), "valid-calendar-data"),
        (wrapped("X;Y"), "valid-calendar-data"),
        (wrapped(" : "), "valid-calendar-data"),
        (wrapped("X:\x00"), "valid-calendar-data"),
        (wrapped("X:bell\x07"), "valid-calendar-data"),
        (wrapped("X:a\x0bb", "Y:c\x0cd"), "valid-calendar-data"),
        (wrapped("X:\ufffe"), "valid-calendar-data"),
        (wrapped("X:\ud800"), "valid-calendar-data"),
        (wrapped("X:a\rSUMMARY:b"), "valid-calendar-data"),
        (wrapped("X:a\r\r"), "valid-calendar-data"),
        ("BEGIN:VEVENT\r\n" * 10_000, "valid-calendar-data"),
        (wrapped(*["BEGIN:X"] * 4, *["END:X"] * 4), "valid-calendar-data"),
        (wrapped() + wrapped(), "valid-calendar-object-resource"),
        (wrapped() + "X:1\r\n", "valid-calendar-data"),
        (wrapped().replace("VCALENDAR", "VEVENT"), "valid-calendar-object-resource"),
        (wrapped().replace("VCALENDAR", "VCARD"), "valid-calendar-object-resource"),
    ],
)
def test_what_is_no_calendar_is_refused_with_a_sentence(text: str, condition: str) -> None:
    with pytest.raises(Invalid) as caught:
        calendar(text)
    assert caught.value.condition == condition
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("lines", "name", "head", "value"),
    [
        (["summary:lower"], "SUMMARY", "", "lower"),
        (["X-FOO_BAR.2:y"], "X-FOO_BAR.2", "", "y"),
        (["X-LONG:" + "never folded " * 30], "X-LONG", "", "never folded " * 30),
        (["X-A:fol", " ded", "\t again"], "X-A", "", "folded again"),
        (["X-A:", " ", " b"], "X-A", "", "b"),
        (["", "X-A:between empty lines", "", ""], "X-A", "", "between empty lines"),
        (["X-A:"], "X-A", "", ""),
        (["X-A:one\u2028BEGIN:VEVENT\x85two"], "X-A", "", "one\u2028BEGIN:VEVENT\x85two"),
        (['ATTENDEE;CN="a:b;c,d";X=1:mailto:e'], "ATTENDEE", ';CN="a:b;c,d";X=1', "mailto:e"),
        (['X-A;M="a","b:c":d'], "X-A", ';M="a","b:c"', "d"),
    ],
)  # fmt: skip
def test_what_clients_really_send_is_taken(lines: list[str], name: str, head: str, value: str) -> None:
    assert Property(name, head, value) in calendar(wrapped(*lines)).properties


def test_parameters_are_found_by_their_names_without_the_quotes_around_one_value() -> None:
    line = Property("X-A", ';tzid="Europe/Paris";M="a","b";CN=plain', "v")
    assert [line.parameter(name) for name in ("TZID", "M", "CN", "NONE")] == ["Europe/Paris", '"a","b"', "plain", None]


def test_escapes_are_resolved_in_text_only() -> None:
    line = Property("SUMMARY", "", r"a\,b\;c\\d\ne\Nf\x")
    assert line.text == "a,b;c\\d\ne\nf\\x"
    assert str(line) == r"SUMMARY:a\,b\;c\\d\ne\Nf\x"


def test_a_property_that_occurs_twice_has_no_one_value() -> None:
    top = calendar(wrapped("A:1", "A:2", "B:3"))
    assert top.one("B") == Property("B", "", "3")
    assert top.one("C") is None
    with pytest.raises(Invalid):
        top.one("A")


def test_more_lines_than_anybody_needs_are_too_many() -> None:
    assert len(calendar(wrapped(*["X:1"] * 19_997)).properties) == 19_997
    with pytest.raises(TooLarge):
        calendar(wrapped(*["X:1"] * 19_998))


@pytest.mark.parametrize(
    "text", [wrapped("X;" + '"' * 200_000), wrapped("X" + ";Y=1" * 100_000), wrapped("X;Y=" + ('"a",' * 100_000)), wrapped("\n " * 300_000)]
)
def test_no_text_is_read_slower_than_it_is_long(text: str) -> None:
    with spending() as spent, contextlib.suppress(Invalid, TooLarge):
        calendar(text)
    assert spent.calls < 2_000_000
