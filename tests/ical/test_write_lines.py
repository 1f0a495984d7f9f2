"""Whatever a text holds, it stays one value on lines of 75 octets, and two other libraries read it back."""

from __future__ import annotations

import re
from dataclasses import replace

import icalendar
import pytest
import vobject
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.ical import itip, lines, write
from gateway.model import Level, Span
from tests.ical.people import ADVICE, ANN, DEMO, HALF, HORIZON, JOHN, NOW, START, booked, sound, unfolded

NASTY = [
    "a\r\nBEGIN:VEVENT",
    'Ann "the boss"; x=1, y:2 \\ ^ ^n',
    "\\n\\\\n\\,\\;",
    "\x00\x1b[31m\x7f\x85\u2028\u2029\v\f",
    "é" * 80,
    "漢" * 60 + "👩‍👩‍👧" * 20,
    " \t leading and trailing \t ",
    "\ufeffmark\ufffe\uffff",
    "\r\n\r\n",
    "END:VCALENDAR",
    ":;,=",
]
ALPHABET = st.characters(exclude_categories=["Cs"]) | st.sampled_from(list('\r\n\t;,:\\"^=né漢\u2028\x85\x00'))
TEXTS = st.text(ALPHABET, max_size=120) | st.sampled_from(NASTY)


def plain(text: str) -> str:
    """What is left of a text: line breaks of every kind are \\n, and there are no control characters."""
    text = re.sub("\r\n?|[\x85\u2028\u2029]", "\n", text)
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]", "", text)


def skeleton(text: str) -> list[str]:
    """The names of all content lines, in order: nobody's text may add one or take one away."""
    return [re.split("[;:]", line)[0] for line in unfolded(text)]


@given(TEXTS)
@example("x" * 75)
@example("x" * 76)
@example("x" * 74 + "é")
@example("x" * 149)
def test_a_folded_line_is_cut_between_characters_and_comes_back_whole(text: str) -> None:
    line = "X-A:" + lines.escape(text)
    folded = lines.fold(line)
    assert all(0 < len(part.encode()) <= 75 for part in folded.split("\r\n"))
    assert folded.replace("\r\n ", "") == line
    assert lines.joined([line, line]) == f"{folded}\r\n{folded}\r\n"


@given(TEXTS)
def test_an_escaped_text_is_one_value_that_reads_back(text: str) -> None:
    value = lines.escape(text)
    assert not re.search(r"[\r\n]|(?<!\\)(?:\\\\)*[;,]", value)
    assert re.sub(r"\\([\\;,n])", lambda found: "\n" if found[1] == "n" else found[1], value) == plain(text)


@given(TEXTS)
def test_a_parameter_value_cannot_end_the_line_the_quotes_or_the_value(text: str) -> None:
    value = lines.parameter(text)
    assert re.fullmatch(r'"[^"\x00-\x08\x0a-\x1f]*"|[A-Za-z0-9._-]+', value)


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    assert lines.escape("a\ud800b") == "a\ufffdb"
    assert lines.parameter("a b\udfff") == '"a b\ufffd"'


@settings(max_examples=60, deadline=None)
@given(name=TEXTS, notes=TEXTS, service=TEXTS, staff=TEXTS, uid=st.text(ALPHABET, min_size=1, max_size=80))
def test_no_name_and_no_note_adds_a_line_to_an_object(name: str, notes: str, service: str, staff: str, uid: str) -> None:
    series = booked(rule="FREQ=WEEKLY;COUNT=3", excluded=(START,))
    usual = write.shape(series, company=DEMO, staff=JOHN, service=ADVICE, customer=ANN, horizon=HORIZON)
    shape = write.shape(
        replace(series, notes=notes, uid=uid),
        company=replace(DEMO, name=name),
        staff=replace(JOHN, name=staff),
        service=replace(ADVICE, name=service),
        customer=replace(ANN, name=name, phone=service, email=staff),
        horizon=HORIZON,
    )
    for text, pattern in ((shape.text, usual.text), (shape.team_text, usual.team_text)):
        sound(text)
        assert skeleton(text) == skeleton(pattern)
    [event] = icalendar.Calendar.from_ical(shape.text).walk("VEVENT")
    assert str(event["SUMMARY"]) == plain(" – ".join(filter(None, (service, name))))
    contact = "\n".join(filter(None, (name, service, staff)))
    assert str(event["DESCRIPTION"]) == plain("\n\n".join(filter(None, (contact, notes))))
    assert str(event["UID"]) == plain(uid)
    [again] = vobject.readOne(shape.text).contents["vevent"]
    assert again.summary.value == str(event["SUMMARY"])
    assert again.description.value == str(event["DESCRIPTION"])


@settings(max_examples=60, deadline=None)
@given(name=TEXTS, notes=TEXTS, service=TEXTS, prefix=TEXTS, title=TEXTS, level=st.sampled_from(list(Level)))
def test_no_name_and_no_note_adds_a_line_to_a_feed(name: str, notes: str, service: str, prefix: str, title: str, level: Level) -> None:
    def feed(name: str, notes: str, service: str, prefix: str, title: str) -> str:
        block = write.event(
            booked(notes=notes),
            level=level,
            service=replace(ADVICE, name=service),
            customer=replace(ANN, name=name),
            prefix=prefix,
            alarm_minutes=10,
        )
        return write.calendar(
            [block.encode()], name=title, zone="Europe/Paris", zones=["Europe/Paris"], window=Span(NOW, NOW + HALF)
        ).decode()

    text = feed(name, notes, service, prefix, title)
    sound(text)
    assert skeleton(text) == skeleton(feed("a", "b", "c", "d", "e"))
    [event] = icalendar.Calendar.from_ical(text).walk("VEVENT")
    [again] = vobject.readOne(text).contents["vevent"]
    assert again.summary.value == str(event["SUMMARY"])
    shown = {Level.BUSY: "Busy", Level.SERVICE: service, Level.FULL: " – ".join(filter(None, (service, name)))}
    if level in shown:
        assert str(event["SUMMARY"]) == plain(f"{prefix}: {shown[level]}" if prefix else shown[level])


@settings(max_examples=60, deadline=None)
@given(name=TEXTS, email=TEXTS, company=TEXTS, organizer=TEXTS, summary=TEXTS, description=st.text(ALPHABET, min_size=1))
def test_nothing_adds_a_line_to_an_invitation(name: str, email: str, company: str, organizer: str, summary: str, description: str) -> None:
    def invitation(name: str, email: str, company: str, organizer: str, summary: str, description: str) -> str:
        return itip.request(
            booked(),
            company=replace(DEMO, name=company),
            staff=JOHN,
            service=ADVICE,
            customer=replace(ANN, name=name, email=email),
            organizer=organizer,
            summary=summary,
            description=description,
        )

    text = invitation(name, email, company, organizer, summary, description)
    sound(text)
    assert skeleton(text) == skeleton(invitation("a", "b", "c", "d", "e", "f"))
    [event] = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert str(event["SUMMARY"]) == plain(summary)
    assert str(event["DESCRIPTION"]) == plain(description)
    vobject.readOne(text)


@pytest.mark.parametrize("text", NASTY)
def test_what_a_client_added_is_folded_and_otherwise_left_alone(text: str) -> None:
    line = "X-CLIENT;X-A=b:" + lines.escape(text)
    shape = write.shape(booked(extras=(line,)), company=DEMO, staff=JOHN, service=ADVICE, customer=ANN, horizon=HORIZON)
    sound(shape.text)
    assert line in unfolded(shape.text)
