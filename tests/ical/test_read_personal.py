"""Objects that staff members' clients store as their own: which are sound, and which are refused with which precondition."""

from __future__ import annotations

import pytest

from gateway.booking import Write
from gateway.errors import Invalid, TooLarge
from gateway.ical import read
from tests.spending import spending

ONE = ("UID:one@example.com", "DTSTAMP:20261101T000000Z", "DTSTART:20261126T090000Z", "DTEND:20261126T100000Z")


def event(*lines: str, kind: str = "VEVENT") -> str:
    return "\r\n".join([f"BEGIN:{kind}", *lines, f"END:{kind}", ""])


def wrapped(*components: str, head: str = "VERSION:2.0\r\nPRODID:-//Test//EN\r\n") -> str:
    return f"BEGIN:VCALENDAR\r\n{head}{''.join(components)}END:VCALENDAR\r\n"


def occurrence(at: str, *lines: str) -> str:
    return event(ONE[0], f"RECURRENCE-ID:{at}", *(lines or ONE[2:]))


def personal(text: str) -> Write:
    return read.personal(text, zone="Europe/Paris")


def refusal(text: str) -> tuple[type[Exception], str | None]:
    with pytest.raises((Invalid, TooLarge)) as caught:
        personal(text)
    assert str(caught.value).endswith(".")
    return type(caught.value), caught.value.condition


@pytest.mark.parametrize(
    "text",
    [
        wrapped(event(*ONE)),
        wrapped(event(*ONE), head=""),
        wrapped(event(*ONE), head="VERSION:1.0\r\nX-WR-CALNAME:x\r\n"),
        wrapped(event(*ONE)).replace("\r\n", "\n"),
        "\ufeff" + wrapped(event(*ONE)),
        wrapped(event(*ONE)).lower(),
        wrapped(event(*ONE), event(kind="X-THING")),
        wrapped(event(*ONE, "RRULE:FREQ=DAILY"), occurrence("20261127T090000Z")),
        wrapped(occurrence("20261127T090000Z")),
        wrapped(occurrence("20261127T090000Z"), occurrence("20261127T090000Z")),
        wrapped(event(*ONE, "RRULE:FREQ=DAILY"), *(occurrence(f"2027{n // 28 + 1:02}{n % 28 + 1:02}T090000Z") for n in range(300))),
        wrapped(event(*ONE, *["ATTENDEE:mailto:a@example.com"] * 100)),
        wrapped(event(*ONE, "BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT5M", "REPEAT:3", "DURATION:PT1M", "END:VALARM")),
        wrapped(event(*ONE, "BEGIN:VALARM", "ACTION:NONE", "TRIGGER;VALUE=DATE-TIME:19760401T005545Z", "END:VALARM")),
        wrapped(event(*ONE, "SEQUENCE:9223372036854775808", "PRIORITY:lots", "GEO:nowhere", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")),
        wrapped(event("UID:a", "DTSTART:99991231T235959Z", "DURATION:P500000W")),
        wrapped(event("UID:a", "DTSTART:00010101T000000", "RRULE:FREQ=SECONDLY")),
        wrapped(event("UID:a", "DTSTART;TZID=Europe/Paris:20270328T023000", "DTEND;TZID=Europe/Paris:20270328T031500")),
        wrapped(event("UID:a", "DTSTART;TZID=Europe/Paris:20261025T024500", "DTEND;TZID=Europe/Paris:20261025T021500")),
        wrapped(event("UID:a", "DTSTART:19900101T235960Z")),
        wrapped(event("UID:a", "DTSTART;VALUE=DATE:20261126", "DTEND;VALUE=DATE:20261126")),
        wrapped(event("UID:a", "DTSTART:20261126T090000Z", "EXDATE:", "RDATE:")),
    ],
)
def test_a_sound_object_goes_on_as_it_is(text: str) -> None:
    wish = personal(text)
    assert (wish.component, wish.text) == ("VEVENT", text)


@pytest.mark.parametrize("uid", ["a", "é" * 500, "../../etc/passwd", "a b", "' OR 1=1", "%2e", "👩‍👩‍👧", "x" * 1000, "appt-1@gateway"])
def test_a_uid_is_whatever_the_client_says(uid: str) -> None:
    assert personal(wrapped(event(f"UID:{uid}", *ONE[1:]))).uid == uid


def test_escapes_in_a_uid_are_resolved() -> None:
    assert personal(wrapped(event(r"UID:a\,b", *ONE[1:]))).uid == "a,b"


@pytest.mark.parametrize("kind", ["VTODO", "VJOURNAL"])
def test_tasks_and_journal_entries_need_no_time(kind: str) -> None:
    assert personal(wrapped(event("UID:a", kind=kind))).component == kind


@pytest.mark.parametrize(
    "text",
    [
        wrapped(),
        wrapped(event("TZID:x", kind="VTIMEZONE")),
        wrapped(event(*ONE), head="METHOD:REQUEST\r\n"),
        wrapped(event(*ONE), event("UID:one@example.com", kind="VTODO")),
        wrapped(event(*ONE), event("UID:two@example.com", "RECURRENCE-ID:20261126T090000Z", *ONE[2:])),
        wrapped(event(*ONE), event(*ONE)),
        wrapped(event(*ONE[1:])),
        wrapped(event("UID:", *ONE[1:])),
        wrapped(event("UID:  ", *ONE[1:])),
        wrapped(event(f"UID:{'x' * 1001}", *ONE[1:])),
        wrapped(event("UID:a", "UID:b", *ONE[1:])),
        wrapped(event(*ONE), event(*ONE[1:])),
        wrapped(event("UID:a")),
        wrapped(event("UID:a", "DTEND:20261126T100000Z")),
        wrapped(event(*ONE, "DTSTART:20261126T090000Z")),
        wrapped(event("UID:a", "DTSTART:20261126T090000Z", "DTEND:20261126T080000Z")),
        wrapped(event("UID:a", "DTSTART;VALUE=DATE:20261126", "DTEND;VALUE=DATE:20261125")),
        wrapped(event("UID:a", "DTSTART:20261126T090000Z", "DURATION:-PT1H")),
        wrapped(event(*ONE)) + wrapped(event(*ONE)),
    ],
)
def test_what_a_calendar_cannot_hold_is_refused(text: str) -> None:
    assert refusal(text) == (Invalid, "valid-calendar-object-resource")


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:20261399T990000Z",),
        ("DTSTART:",),
        ("DTSTART:20260230",),
        ("DTSTART:00000101T000000Z",),
        ("DTSTART:2026-11-26T09:00:00Z",),
        ("DTSTART:20261126T240000Z",),
        ("DTSTART:20261126T0900",),
        ("DTSTART:٢٠٢٦١١٢٦",),
        ("DTSTART;TZID=Nowhere/Land:20261126T090000",),
        ("DTSTART:20261126T090000Z", "DTEND:soon"),
        ("DTSTART:20261126T090000Z", "DURATION:PT"),
        ("DTSTART:20261126T090000Z", "DURATION:P"),
        ("DTSTART:20261126T090000Z", "DURATION:1H"),
        ("DTSTART:20261126T090000Z", "DURATION:P99999999999999W"),
        ("DTSTART:20261126T090000Z", "DURATION:P" + "9" * 5000 + "D"),
        ("DTSTART:20261126T090000Z", "RRULE:FREQ=NEVER"),
        ("DTSTART:20261126T090000Z", "RRULE:"),
        ("DTSTART:20261126T090000Z", "RRULE:FREQ=DAILY;COUNT=" + "9" * 5000),
        ("DTSTART:20261126T090000Z", "EXRULE:FREQ=DAILY;INTERVAL=0"),
        ("DTSTART:20261126T090000Z", "RRULE:FREQ=DAILY", "EXDATE:never"),
        ("DTSTART:20261126T090000Z", "RDATE;VALUE=PERIOD:20261126T090000Z"),
        ("DTSTART:20261126T090000Z", "RDATE;VALUE=PERIOD:20261126T090000Z/soon"),
        ("DTSTART:20261126T090000Z", "RECURRENCE-ID:x"),
        ("DTSTART:20261126T090000Z", "BEGIN:VALARM", "TRIGGER:soon", "END:VALARM"),
        ("DTSTART:20261126T090000Z", "BEGIN:VALARM", "TRIGGER:-PT5M", "REPEAT:1000000000", "DURATION:PT1S", "END:VALARM"),
        ("DTSTART:20261126T090000Z", "BEGIN:VALARM", "TRIGGER:-PT5M", "REPEAT:-1", "END:VALARM"),
        ("DTSTART:20261126T090000Z", "BEGIN:VALARM", "TRIGGER:-P999999999W", "END:VALARM"),
        ("DTSTART:20261126T090000Z", *["BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM"] * 101),
        ("DTSTART:20261126T090000Z", "SUMMARY:bell\x07"),
    ],
)
def test_what_cannot_be_read_is_refused(lines: tuple[str, ...]) -> None:
    assert refusal(wrapped(event("UID:a", *lines))) == (Invalid, "valid-calendar-data")


def test_other_calendars_than_ours_are_not_understood() -> None:
    assert refusal(wrapped(event(*ONE, "RRULE:RSCALE=HEBREW;FREQ=YEARLY"))) == (Invalid, "supported-rscale")


@pytest.mark.parametrize("kind", ["VFREEBUSY", "VAVAILABILITY", "VPOLL", "VALARM", "VCARD"])
def test_calendars_take_events_tasks_and_journal_entries(kind: str) -> None:
    assert refusal(wrapped(event("UID:a", kind=kind))) == (Invalid, "supported-calendar-component")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (wrapped(event(*ONE, *["ATTENDEE:mailto:a@example.com"] * 101)), "max-attendees-per-instance"),
        (wrapped(event(*ONE, *["RRULE:FREQ=DAILY"] * 21)), "max-instances"),
        (wrapped(event(*ONE, "RDATE:" + ",".join(["20261126T090000Z"] * 3001))), "max-instances"),
        (wrapped(event(*ONE, *["EXDATE:20261126T090000Z"] * 3001)), "max-instances"),
        (wrapped(*(occurrence("20261126T090000Z") for _ in range(502))), "max-instances"),
        (wrapped(event(*ONE, *["X:1"] * 20_000)), "max-resource-size"),
    ],
)
def test_what_is_more_than_anybody_needs_is_refused(text: str, condition: str) -> None:
    assert refusal(text) == (TooLarge, condition)


def test_what_is_just_at_the_limits_is_taken() -> None:
    dates = ",".join(f"{year}{month:02}{day:02}T090000Z" for year in range(2027, 2036) for month in range(1, 13) for day in range(1, 28))
    assert personal(wrapped(event(*ONE, "RRULE:FREQ=DAILY", f"EXDATE:{dates[: 17 * 2900 - 1]}", *["EXRULE:FREQ=YEARLY"] * 20)))
    assert personal(wrapped(event(*ONE), *(occurrence("20261126T090000Z") for _ in range(500))))


@pytest.mark.parametrize(
    "lines",
    [
        ("RRULE:FREQ=SECONDLY",),
        ("RRULE:FREQ=SECONDLY;COUNT=100000000000000000000",),
        ("RRULE:FREQ=DAILY", "EXRULE:FREQ=DAILY"),
        ("RRULE:FREQ=DAILY", "DURATION:P3650D"),
        ("RRULE:FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",),
        ("RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=366",),
        tuple(["RRULE:FREQ=MINUTELY"] * 20),
        tuple(["EXRULE:FREQ=SECONDLY;BYHOUR=3"] * 20),
    ],
)
@pytest.mark.parametrize("start", ["00010101T000000", "16010101T090000Z", "20261126T090000Z"])
def test_taking_an_object_in_costs_next_to_nothing(lines: tuple[str, ...], start: str) -> None:
    with spending() as spent:
        personal(wrapped(event("UID:a", f"DTSTART:{start}", *lines)))
    assert spent.calls < 1_000_000
