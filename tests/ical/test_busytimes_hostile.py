"""External calendars that mean harm, or look like it: each is read or refused in bounded time, and unclear time is never free."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, TooLarge
from gateway.ical.busytimes import MERGED, BusyTimes, busy_times
from gateway.ical.feedlines import EVENTS
from gateway.model import Span
from tests.ical.test_busytimes import PLAIN, event, feed
from tests.spending import spending

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WINDOW = Span(NOW - timedelta(days=30), NOW + timedelta(days=400))
MEGABYTE = 1024 * 1024


def read(octets: bytes) -> BusyTimes:
    return busy_times(octets, zone="Europe/Paris", window=WINDOW)


def told(octets: bytes) -> bool:
    """Whether there is an answer: times within the window, or a sentence."""
    try:
        spans = read(octets).spans
    except GatewayError as error:
        return str(error).endswith(".")
    return all(WINDOW.start <= span.start < span.end <= WINDOW.end for span in spans)


def wrapped(inside: str) -> bytes:
    return f"BEGIN:VCALENDAR\r\n{inside}\r\nEND:VCALENDAR\r\n".encode()


def test_a_rule_of_seconds_blocks_the_time_that_cannot_be_worked_out() -> None:
    found = read(feed(event("DTSTART:16010101T000000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"), event(*PLAIN, uid="two")))
    assert found.spans[0].start == WINDOW.start
    assert found.spans[-1].end == WINDOW.end
    assert found.warnings == ("What repeats too often cannot be worked out to the end; from there on all time is busy.",)


def test_an_hourly_rule_is_worked_out_to_the_end() -> None:
    found = read(feed(event("DTSTART:20200101T000000Z", "DURATION:PT5M", "RRULE:FREQ=HOURLY")))
    assert (len(found.spans), found.warnings) == (430 * 24, ())


def test_a_rule_that_never_comes_true_blocks_nothing() -> None:
    never = event("DTSTART:20200101T000000Z", "DTEND:20200101T010000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    assert read(feed(never)).spans == ()


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=MINUTELY;BYSECOND=0,30", "FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,15,30,45"])
def test_more_series_than_can_be_worked_out_refuse_the_feed_as_a_whole(rule: str) -> None:
    bomb = feed(*(event("DTSTART:20200101T000000Z", "DURATION:PT1S", f"RRULE:{rule}", uid=str(number)) for number in range(500)))
    with spending() as spent, pytest.raises(TooLarge, match="repeats more"):
        read(bomb)
    assert spent.calls < 15_000_000


def test_a_feed_of_too_many_events_is_refused_and_not_cut() -> None:
    one = "BEGIN:VEVENT\r\nEND:VEVENT\r\n"
    with pytest.raises(TooLarge, match=str(EVENTS)):
        read(wrapped(one * (EVENTS + 1)))


def test_periods_beyond_what_is_kept_run_together_and_stay_busy() -> None:
    start = WINDOW.start
    lines = ",".join(f"{start + timedelta(minutes=2 * number):%Y%m%dT%H%M%SZ}/PT1M" for number in range(MERGED + 500))
    found = read(wrapped(f"BEGIN:VFREEBUSY\r\nFREEBUSY:{lines}\r\nEND:VFREEBUSY"))
    assert len(found.spans) == MERGED
    assert found.spans[-1].end == start + timedelta(minutes=2 * (MERGED + 499) + 1)


SHAPES = {
    "events that never end": wrapped("BEGIN:VEVENT\r\n" * 40_000),
    "components in components": wrapped("BEGIN:VEVENT\r\n" + "BEGIN:X\r\n" * 100_000),
    "zones in zones": wrapped("BEGIN:VTIMEZONE\r\nTZID:a\r\n" + "BEGIN:DAYLIGHT\r\n" * 50_000 + "END:VTIMEZONE"),
    "one long line": wrapped("BEGIN:VEVENT\r\nDTSTART:" + "1" * MEGABYTE + "\r\nEND:VEVENT"),
    "parameters": wrapped("BEGIN:VEVENT\r\nDTSTART" + ";A=B" * 200_000 + ":x\r\nEND:VEVENT"),
    "open quotes": wrapped("BEGIN:VEVENT\r\nDTSTART" + ';A="' * 200_000 + ":x\r\nEND:VEVENT"),
    "folds": wrapped("\r\n " * 300_000),
    "empty lines": wrapped("\n" * MEGABYTE),
    "carriage returns": wrapped("\r" * MEGABYTE),
    "dates": feed(event(*PLAIN, "RRULE:FREQ=DAILY", "EXDATE:" + ",".join(["20261125T090000Z"] * 50_000))),
    "added dates": feed(event(*PLAIN, "RDATE:" + ",".join(["20261125T090000Z"] * 50_000))),
    "rules": feed(event(*PLAIN, *["RRULE:FREQ=DAILY"] * 900)),
    "excluding rules": feed(event(*PLAIN, "RRULE:FREQ=DAILY", *["EXRULE:FREQ=MINUTELY"] * 19)),
    "zones": feed(
        *(event(f"DTSTART;TZID=z{number}:20261124T090000", "DURATION:PT1H", uid=str(number)) for number in range(2_000)),
        head=tuple(
            f"BEGIN:VTIMEZONE\r\nTZID:z{number}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\n"
            f"TZOFFSETTO:+0200\r\nRRULE:FREQ=DAILY\r\nEND:STANDARD\r\nEND:VTIMEZONE"
            for number in range(2_000)
        ),
    ),
    "null octets": wrapped("BEGIN:VEVENT\r\n" + "\0" * MEGABYTE + "\r\nEND:VEVENT"),
    "years without end": feed(event("DTSTART:00010101T000000Z", "DTEND:99991231T235959Z", "RRULE:FREQ=YEARLY;UNTIL=99991231T000000Z")),
    "a length without end": feed(event("DTSTART:20261124T000000Z", "DURATION:P99999999999999W")),
    "an odd count": feed(event(*PLAIN, "RRULE:FREQ=DAILY;COUNT=99999999999999999999999999999")),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a144_no_shape_of_a_feed_costs_more_than_a_few_seconds(name: str) -> None:
    with spending() as spent, suppress(GatewayError):
        assert len(read(SHAPES[name]).spans) <= MERGED
    assert spent.calls < 15_000_000


@given(st.binary(max_size=300))
def test_octets_of_any_kind_are_read_or_refused_with_a_sentence(octets: bytes) -> None:
    for body in (octets, wrapped("") + octets, b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + octets + b"\r\nEND:VEVENT\r\nEND:VCALENDAR"):
        assert told(body)


_NAMES = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP", "UID", "BEGIN", "END")
_VALUES = (
    *("20261124T090000Z", "20261124", "20261124T090000", "20261332T256199Z", "PT1H", "-P1D", "P1W", "FREQ=DAILY", "FREQ=YEARLY;COUNT=0"),
    *("FREQ=WEEKLY;BYDAY=MO,9SU", "CANCELLED", "TRANSPARENT", "one", "VEVENT", "VCALENDAR", "VTIMEZONE", "", "99991231T235959Z"),
)
_LINES = st.tuples(st.sampled_from(_NAMES), st.sampled_from(("", ";VALUE=DATE", ";TZID=Europe/Paris", ";TZID=X")), st.sampled_from(_VALUES))


@given(st.lists(_LINES, max_size=12))
def test_lines_in_any_order_are_read_or_refused_with_a_sentence(lines: list[tuple[str, str, str]]) -> None:
    inside = "\r\n".join(f"{name}{head}:{value}" for name, head, value in lines)
    assert told(feed(f"BEGIN:VEVENT\r\n{inside}\r\nEND:VEVENT"))
