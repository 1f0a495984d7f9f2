"""iTIP's free-busy: what is asked, what is told, and that a layer never hides what counts more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Invalid, TooLarge
from gateway.ical.freebusy import Busy, Question, layered, outside, question, reply
from gateway.model import Span

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ASKED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example Corp.//CalDAV Client//EN
METHOD:REQUEST
BEGIN:VFREEBUSY
UID:4FD3AD926350
DTSTAMP:20261120T190420Z
DTSTART:20261124T000000Z
DTEND:20261125T000000Z
ORGANIZER;CN=Emma:mailto:emma@example.com
ATTENDEE;CN=John;PARTSTAT=NEEDS-ACTION:mailto:john@example.com
ATTENDEE:mailto:ann@example.com
ATTENDEE:mailto:john@example.com
END:VFREEBUSY
END:VCALENDAR
"""


def hours(start: float, end: float) -> Span:
    return Span(NOON + timedelta(hours=start), NOON + timedelta(hours=end))


def test_a_question_is_understood() -> None:
    day = Span(datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    asked = question(ASKED)
    assert asked == Question("4FD3AD926350", "mailto:emma@example.com", ("mailto:john@example.com", "mailto:ann@example.com"), day)
    assert question(ASKED.replace("DTEND:20261125T000000Z", "DURATION:P1D")) == asked
    assert question(ASKED.replace("DTSTART:20261124T000000Z", "DTSTART;TZID=Europe/Paris:20261124T010000")) == asked


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("METHOD:REQUEST\n", ""),
        ("METHOD:REQUEST", "METHOD:PUBLISH"),
        ("VFREEBUSY", "VEVENT"),
        ("END:VCALENDAR", "BEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR"),
        ("ATTENDEE", "X-ATTENDEE"),
        ("ORGANIZER", "X-ORGANIZER"),
        ("UID:4FD3AD926350\n", ""),
        ("DTSTART:20261124T000000Z\n", ""),
        ("DTEND:20261125T000000Z\n", ""),
        ("DTEND:20261125T000000Z", "DTEND:20261124T000000Z"),
        ("DTEND:20261125T000000Z", "DTEND:20291125T000000Z"),
    ],
)
def test_any_other_message_is_refused(old: str, new: str) -> None:
    with pytest.raises(Invalid) as refused:
        question(ASKED.replace(old, new))
    assert refused.value.condition == "valid-scheduling-message"


@pytest.mark.parametrize("text", ["", "hello", ASKED[:-20], ASKED.replace("DTEND:2026", "DTEND:soon")])
def test_what_is_no_calendar_is_refused_as_such(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        question(text)
    assert refused.value.condition == "valid-calendar-data"


def test_a_question_is_about_a_hundred_people_at_most() -> None:
    def about(count: int) -> str:
        return ASKED.replace(
            "ATTENDEE:mailto:ann@example.com\n", "".join(f"ATTENDEE:mailto:{number}@example.com\n" for number in range(count))
        )

    assert len(question(about(99)).attendees) == 100
    with pytest.raises(TooLarge) as refused:
        question(about(100))
    assert refused.value.condition == "max-attendees-per-instance"


def test_the_answer_says_when_and_why() -> None:
    said = reply(question(ASKED), "mailto:john@example.com", [(hours(-12, -4), Busy.UNAVAILABLE), (hours(0, 1), Busy.BUSY)], NOON)
    assert "METHOD:REPLY\r\nBEGIN:VFREEBUSY\r\nUID:4FD3AD926350\r\nDTSTAMP:20261124T120000Z\r\n" in said
    assert "ORGANIZER:mailto:emma@example.com\r\nATTENDEE:mailto:john@example.com\r\n" in said
    assert "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261124T000000Z/20261124T080000Z\r\n" in said
    assert "FREEBUSY;FBTYPE=BUSY:20261124T120000Z/20261124T130000Z\r\nEND:VFREEBUSY\r\n" in said


def test_what_counts_more_is_not_hidden() -> None:
    told = layered(hours(0, 10), [(Busy.BUSY, [hours(2, 3), hours(2.5, 4), hours(9, 12)]), (Busy.UNAVAILABLE, [hours(-5, 1), hours(3, 6)])])
    assert told == [
        (hours(0, 1), Busy.UNAVAILABLE),
        (hours(2, 4), Busy.BUSY),
        (hours(4, 6), Busy.UNAVAILABLE),
        (hours(9, 10), Busy.BUSY),
    ]
    assert outside([hours(2, 3), hours(-4, 1)], hours(0, 5)) == [hours(1, 2), hours(3, 5)]


spans = st.lists(st.tuples(st.integers(-5, 30), st.integers(1, 8)).map(lambda found: hours(found[0], found[0] + found[1])), max_size=8)


@settings(max_examples=80, deadline=None)
@given(spans, spans, spans)
def test_every_hour_is_told_by_the_first_layer_that_has_it(first: list[Span], second: list[Span], third: list[Span]) -> None:
    window = hours(0, 24)
    layers = [(Busy.BUSY, first), (Busy.TENTATIVE, second), (Busy.UNAVAILABLE, third)]
    told = layered(window, layers)
    assert all(before[0].end <= after[0].start for before, after in pairwise(told))
    for hour in range(24):
        here = hours(hour, hour + 1)
        expected = next((kind for kind, of in layers if any(span.overlaps(here) for span in of)), None)
        assert next((kind for span, kind in told if span.overlaps(here)), None) == expected
    assert [part for part in outside(first, window) if any(part.overlaps(span) for span in first)] == []
