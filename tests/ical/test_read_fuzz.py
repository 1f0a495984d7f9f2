"""Whatever a text looks like: it is refused with a reason, or accepted and then readable for ever after."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Conflict, Invalid, TooLarge
from gateway.ical import read
from gateway.model import CalendarId, EntryId, Personal
from tests.ical.people import HORIZON, NOW, shaped
from tests.ical.test_read_corpus import HELD, TEXTS

SEEDS = [path.read_bytes().decode() for path in TEXTS] + [shaped(held).text for held in HELD.values()]
OURS = {name: shaped(held).text for name, held in HELD.items()}
PIECES = st.sampled_from(
    [
        *(
            "FREQ=SECONDLY",
            "COUNT=1000000000",
            "INTERVAL=100000",
            "BYDAY=MO",
            "UNTIL=00010101",
            ";",
            ":",
            ",",
            '"',
            "\r\n",
            "\n ",
            "\r",
            "\x00",
        ),
        *("00010101T000000Z", "99991231T235959Z", "00010101", "99991231", "20261203T110000", "P999999999W", "-PT99999999999S", "P3650D"),
        *(
            ";RANGE=THISANDFUTURE",
            ";VALUE=DATE",
            ";VALUE=PERIOD",
            ";TZID=Pacific/Apia",
            ";TZID=/x/Europe/London",
            ";TZID=",
            "+9999",
            "\x85",
        ),
        *("BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "BEGIN:VALARM\r\n", "RRULE:FREQ=DAILY\r\n", "EXRULE:FREQ=DAILY\r\n", "EXDATE:19970101\r\n"),
        *("RDATE;VALUE=PERIOD:19970101T000000Z/P1D\r\n", "RECURRENCE-ID:20261203T100000Z\r\n", "DURATION:P1D\r\n", "DTEND:00010101\r\n"),
        *("DUE:99991231T235959Z\r\n", "STATUS:CANCELLED\r\n", "UID:single@example.com\r\n", "\u2028", "\ufeff", "\U0001f469"),
    ]
)
EDITS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from([0, 0, 1, 5, 60]), PIECES | st.just("")), min_size=1, max_size=5
)


def edited(text: str, edits: list[tuple[float, int, str]]) -> str:
    for where, length, piece in edits:
        start = int(where * len(text))
        after = text.find(":", start) + 1 if length == 1 else start
        text = text[:after] + piece + text[after + length :]
    return text


@given(st.sampled_from(SEEDS), EDITS)
@settings(max_examples=200, deadline=None)
def test_a_text_is_refused_or_can_be_read_for_ever_after(seed: str, edits: list[tuple[float, int, str]]) -> None:
    text = edited(seed, edits)
    try:
        wish = read.personal(text, zone="Europe/Paris")
    except (Invalid, TooLarge):
        return
    entry = Personal(
        id=EntryId("p"), calendar=CalendarId("c"), name="p", uid=wish.uid, component=wish.component, text=text, created=NOW, changed=NOW
    )
    for zone in ("Europe/Paris", "Pacific/Kiritimati", "America/New_York"):
        for horizon in (HORIZON, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
            shape = read.personal_shape(entry, zone=zone, horizon=horizon)
            assert shape == read.personal_shape(entry, zone=zone, horizon=horizon)  # the first one may remember what was read above
            assert shape.floor is None or all(each.span.start >= shape.floor for each in shape.occurrences)
            assert shape.ceil is None or all(each.span.end <= shape.ceil for each in shape.occurrences)


@given(st.sampled_from(SEEDS), EDITS)
@settings(max_examples=200, deadline=None)
def test_a_text_is_refused_or_asks_for_what_an_appointment_knows(seed: str, edits: list[tuple[float, int, str]]) -> None:
    text = edited(seed, edits)
    for name, held in HELD.items():
        with contextlib.suppress(Invalid, TooLarge, Conflict):
            found = read.proposal(held, OURS[name], text)
            assert found.seen is None or found.seen >= 0


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_what_is_no_calendar_at_all_is_refused(text: str) -> None:
    for ask in (lambda: read.personal(text, zone="UTC"), lambda: read.proposal(HELD["single"], OURS["single"], text)):
        with pytest.raises((Invalid, TooLarge), match=r"\.$"):
            ask()
