"""Time ranges by the tables of RFC 4791 §9.9: events, tasks, journals, busy times, alarms and properties, each at its edges."""

from __future__ import annotations

import pytest

from tests.dav.asking import ABSENT, calendar, comp, component, filtered, match, prop, span

T0800, T0900, T1000, T1100, T1200 = (f"20261124T{hour:02}0000" for hour in range(8, 13))


def at(kind: str, start: str = "", end: str = "") -> str:
    return comp(kind, span(start, end))


@pytest.mark.parametrize(
    ("lines", "start", "end", "found"),
    [
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], T0800, T0900, False),
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], T0800, "20261124T090001", True),
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], "20261124T095959", T1100, True),
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], T1000, T1100, False),
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], T1000, "", False),
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], "", T0900, False),
        (["DTSTART:20261124T090000Z", "DURATION:PT1H"], "20261124T095959", T1100, True),
        (["DTSTART:20261124T090000Z", "DURATION:PT1H"], T1000, T1100, False),
        (["DTSTART:20261124T090000Z", "DURATION:PT0S"], T0900, T1000, True),
        (["DTSTART:20261124T090000Z", "DURATION:PT0S"], T0800, T0900, False),
        (["DTSTART:20261124T090000Z"], T0900, T1000, True),
        (["DTSTART:20261124T090000Z"], "20261124T090001", T1000, False),
        (["DTSTART;VALUE=DATE:20261124"], "20261124T235959", "20261125T010000", True),
        (["DTSTART;VALUE=DATE:20261124"], "20261125T000000", "20261125T010000", False),
        (["DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261126"], "20261125T230000", "20261126T010000", True),
        (["DTSTART;VALUE=DATE:20261124", "DURATION:P2D"], "20261125T230000", "20261126T010000", True),
        (["DTSTART;TZID=Europe/Paris:20261124T090000", "DURATION:PT1H"], T0800, T0900, True),
        (["DTSTART;TZID=Europe/Paris:20261124T090000", "DURATION:PT1H"], T0900, T1000, False),
    ],
)
def test_an_event_lies_in_a_range_by_its_table(lines: list[str], start: str, end: str, found: bool) -> None:
    assert filtered(at("VEVENT", start, end), calendar(component("VEVENT", *lines))) is found


START, DUE, LASTS = "DTSTART:20261124T090000Z", "DUE:20261124T100000Z", "DURATION:PT1H"
CREATED, DONE = "CREATED:20261124T090000Z", "COMPLETED:20261124T100000Z"


@pytest.mark.parametrize(
    ("lines", "start", "end", "found"),
    [
        ([START, LASTS], T1000, T1100, True),  # start <= DTSTART + DURATION
        ([START, LASTS], "20261124T100001", T1100, False),
        ([START, LASTS], T0800, T0900, False),  # end > DTSTART
        ([START, "DURATION:PT0S"], T0800, T0900, True),  # or end >= DTSTART + DURATION
        ([START, DUE], "20261124T095959", T1100, True),  # start < DUE
        ([START, DUE], T1000, T1100, False),
        ([START, DUE], T0800, T0900, False),  # end > DTSTART
        ([START, "DUE:20261124T090000Z"], T0800, T0900, True),  # or end >= DUE
        ([START, "DUE:20261124T090000Z"], T0900, T1000, True),  # or start <= DTSTART
        ([START], T0900, T1000, True),
        ([START], T0800, T0900, False),
        ([START], "20261124T090001", T1000, False),
        ([DUE], T0900, T1000, True),  # start < DUE and end >= DUE
        ([DUE], T1000, T1100, False),
        ([DUE], T0800, "20261124T095959", False),
        ([CREATED, DONE], T0800, T0900, True),
        ([CREATED, DONE], T1000, T1100, True),
        ([CREATED, DONE], "20261124T100001", T1100, False),
        ([CREATED, DONE], T0800, "20261124T085959", False),
        ([DONE], T0900, T1000, True),
        ([DONE], T1000, T1100, True),
        ([DONE], "20261124T100001", T1100, False),
        ([CREATED], T1200, "", True),  # end > CREATED, whatever the start
        ([CREATED], T0800, T0900, False),
        ([], T0800, T0900, True),
    ],
)
def test_a_task_lies_in_a_range_by_its_table(lines: list[str], start: str, end: str, found: bool) -> None:
    assert filtered(at("VTODO", start, end), calendar(component("VTODO", *lines))) is found


@pytest.mark.parametrize(
    ("lines", "start", "end", "found"),
    [
        (["DTSTART:20261124T090000Z"], T0900, T1000, True),
        (["DTSTART:20261124T090000Z"], T0800, T0900, False),
        (["DTSTART;VALUE=DATE:20261124"], "20261124T230000", "20261125T000000", True),
        (["DTSTART;VALUE=DATE:20261124"], "20261125T000000", "20261126T000000", False),
        ([], T0800, T0900, False),
    ],
)
def test_a_journal_lies_in_a_range_by_its_table(lines: list[str], start: str, end: str, found: bool) -> None:
    assert filtered(at("VJOURNAL", start, end), calendar(component("VJOURNAL", *lines))) is found


BUSY = ["FREEBUSY:20261124T090000Z/20261124T100000Z,20261124T110000Z/PT30M", "FREEBUSY;FBTYPE=FREE:20261124T120000Z/PT1H"]


@pytest.mark.parametrize(
    ("lines", "start", "end", "found"),
    [
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], T1000, T1100, True),  # start <= DTEND
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], "20261124T100001", T1100, False),
        (["DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"], T0800, T0900, False),
        (BUSY, T1000, T1100, False),
        (BUSY, T1100, "20261124T110001", True),
        (BUSY, "20261124T124500", "", True),
        (["COMMENT:nothing"], T0800, T1200, False),
    ],
)
def test_busy_times_lie_in_a_range_by_their_table(lines: list[str], start: str, end: str, found: bool) -> None:
    assert filtered(at("VFREEBUSY", start, end), calendar(component("VFREEBUSY", *lines))) is found


def test_days_and_floating_times_are_those_of_the_zone_asked_for() -> None:
    day = calendar(component("VEVENT", "DTSTART;VALUE=DATE:20261124"))
    floating = calendar(component("VEVENT", "DTSTART:20261124T090000", "DURATION:PT1H"))
    night = at("VEVENT", "20261123T230000", "20261123T235959")
    assert filtered(night, day, floating="Europe/Paris")
    assert not filtered(night, day, floating="America/New_York")
    assert filtered(at("VEVENT", T0800, T0900), floating, floating="Europe/Paris")
    assert not filtered(at("VEVENT", T0800, T0900), floating, floating="America/New_York")
    assert filtered(at("VEVENT", "20261124T140000", "20261124T150000"), floating, floating="America/New_York")


def alarmed(*alarm: str, lines: tuple[str, ...] = ("DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"), kind: str = "VEVENT") -> str:
    return calendar(component(kind, *lines, "BEGIN:VALARM", "ACTION:DISPLAY", *alarm, "END:VALARM"))


def rings(text: str, start: str, end: str = "", *, kind: str = "VEVENT", floating: str = "UTC") -> bool:
    return filtered(comp(kind, comp("VALARM", span(start, end))), text, floating=floating)


class TestAlarms:
    @pytest.mark.parametrize(
        ("trigger", "instant"),
        [
            ("TRIGGER:-PT15M", "084500"),
            ("TRIGGER;RELATED=START:PT5M", "090500"),
            ("TRIGGER;RELATED=END:-PT5M", "095500"),
            ("TRIGGER;RELATED=END:PT0S", "100000"),
            ("TRIGGER;VALUE=DATE-TIME:20261124T071500Z", "071500"),
        ],
    )
    def test_an_alarm_rings_at_its_instant_and_at_no_other(self, trigger: str, instant: str) -> None:
        text, at = alarmed(trigger), f"20261124T{instant}"
        later = f"{int(instant) + 1:06}"
        assert rings(text, at, f"20261124T{later}")
        assert not rings(text, f"20261124T{later}", "20261125T000000")
        assert not rings(text, "20261123T000000", at)
        assert rings(text, at)

    def test_an_alarm_rings_at_every_instance(self) -> None:
        text = alarmed(
            "TRIGGER:-PT15M", lines=("DTSTART:20261124T090000Z", "DTEND:20261124T100000Z", "RRULE:FREQ=DAILY", "EXDATE:20261126T090000Z")
        )
        assert rings(text, "20301125T084500", "20301125T084501")
        assert not rings(text, "20301125T084501", "20301126T084500")
        assert not rings(text, "20261126T000000", "20261127T000000")

    def test_an_alarm_belongs_to_its_exception(self) -> None:
        text = calendar(
            component("VEVENT", "DTSTART:20261124T090000Z", "RRULE:FREQ=DAILY;COUNT=3"),
            component(
                "VEVENT",
                "RECURRENCE-ID:20261125T090000Z",
                "DTSTART:20261125T140000Z",
                "BEGIN:VALARM",
                "TRIGGER:-PT1H",
                "END:VALARM",
            ),
        )
        assert rings(text, "20261125T130000", "20261125T130001")
        assert not rings(text, "20261124T000000", "20261125T130000")
        assert filtered(comp("VEVENT", comp("VALARM", ABSENT)), text)  # the others have none

    def test_it_rings_again_and_not_without_end(self) -> None:
        text = alarmed("TRIGGER:-PT15M", "REPEAT:3", "DURATION:PT5M")
        assert rings(text, "20261124T085000", "20261124T085001")
        assert rings(text, "20261124T090000", "20261124T090001")
        assert not rings(text, "20261124T090001", "20261124T120000")
        assert not rings(text, "20261124T084501", "20261124T084959")
        assert rings(alarmed("TRIGGER:-PT15M", "REPEAT:999999999", "DURATION:PT5M"), "20261124T100000", "20261124T100001")

    def test_a_duration_without_repeat_does_not_ring_again(self) -> None:
        assert not rings(alarmed("TRIGGER:-PT15M", "DURATION:PT5M"), "20261124T085000", "20261124T090000")

    def test_a_day_before_is_the_same_hour_of_the_day_before(self) -> None:
        lines = ("DTSTART;TZID=Europe/Paris:20261025T120000", "DURATION:PT1H")  # the night before, clocks went back
        assert rings(alarmed("TRIGGER:-P1D", lines=lines), "20261024T100000", "20261024T100001")
        assert rings(alarmed("TRIGGER:-PT24H", lines=lines), "20261024T110000", "20261024T110001")

    def test_the_alarm_of_a_day_rings_by_the_clock_of_the_zone(self) -> None:
        text = alarmed("TRIGGER:PT9H", lines=("DTSTART;VALUE=DATE:20261124",))
        assert rings(text, "20261124T080000", "20261124T080001", floating="Europe/Paris")
        assert not rings(text, "20261124T080000", "20261124T080001")

    def test_a_task_without_start_rings_before_it_is_due(self) -> None:
        text = alarmed("TRIGGER;RELATED=START:-PT10M", lines=("DUE;TZID=America/New_York:20260106T120000",), kind="VTODO")
        assert rings(text, "20260106T165000", "20260106T165001", kind="VTODO")
        ending = alarmed("TRIGGER;RELATED=END:-PT10M", lines=("DTSTART:20260106T100000Z", "DURATION:PT2H"), kind="VTODO")
        assert rings(ending, "20260106T115000", "20260106T115001", kind="VTODO")
        assert not rings(alarmed("TRIGGER:-PT10M", lines=("CREATED:20260106T100000Z",), kind="VTODO"), "20260101T000000", kind="VTODO")

    def test_there_is_an_alarm_or_none(self) -> None:
        text, silent = alarmed("TRIGGER:-PT15M"), calendar(component("VEVENT", "DTSTART:20261124T090000Z"))
        assert filtered(comp("VEVENT", comp("VALARM")), text)
        assert not filtered(comp("VEVENT", comp("VALARM", ABSENT)), text)
        assert filtered(comp("VEVENT", comp("VALARM", ABSENT)), silent)
        assert not filtered(comp("VEVENT", comp("VALARM")), silent)

    def test_what_is_asked_of_an_alarm_holds_for_one_of_them(self) -> None:
        text = alarmed("TRIGGER:-PT15M", "END:VALARM", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT1H")
        sound = prop("ACTION", match("audio"))
        assert filtered(comp("VEVENT", comp("VALARM", span("20261124T080000", "20261124T080001") + sound)), text)
        assert not filtered(comp("VEVENT", comp("VALARM", span("20261124T084500", "20261124T084501") + sound)), text)

    @pytest.mark.parametrize("lines", [("TRIGGER:soon",), ("DESCRIPTION:no trigger",), ("TRIGGER;VALUE=DATE-TIME:20261124T256100Z",)])
    def test_an_alarm_without_an_instant_never_rings(self, lines: tuple[str, ...]) -> None:
        assert not rings(alarmed(*lines), "20200101T000000", "20300101T000000")


def dated(name: str, start: str, end: str, text: str, *, kind: str = "VEVENT", floating: str = "UTC") -> bool:
    return filtered(comp(kind, prop(name, span(start, end))), text, floating=floating)


class TestProperties:
    TEXT = calendar(
        component(
            "VEVENT",
            "DTSTART;TZID=Europe/Paris:20261124T100000",
            "DTEND;TZID=Europe/Paris:20261124T110000",
            "CREATED:20261101T120000Z",
            "LAST-MODIFIED:20261102T120000Z",
        )
    )

    @pytest.mark.parametrize(
        ("name", "instant"),
        [
            ("DTSTART", "20261124T090000"),
            ("DTEND", "20261124T100000"),
            ("CREATED", "20261101T120000"),
            ("LAST-MODIFIED", "20261102T120000"),
            ("DTSTAMP", "20261101T000000"),
        ],
    )
    def test_a_time_lies_in_a_range_from_its_start_on(self, name: str, instant: str) -> None:
        later = f"{instant[:-1]}1"
        assert dated(name, instant, later, self.TEXT)
        assert not dated(name, "20200101T000000", instant, self.TEXT)
        assert not dated(name, later, "", self.TEXT)

    def test_what_is_not_there_lies_nowhere(self) -> None:
        assert not dated("COMPLETED", "20000101T000000", "21000101T000000", self.TEXT)
        assert not dated("DUE", "20000101T000000", "21000101T000000", self.TEXT)

    def test_duration_stands_in_for_an_end(self) -> None:
        event = calendar(component("VEVENT", "DTSTART:20261124T090000Z", "DURATION:PT1H"))
        task = calendar(component("VTODO", "DTSTART:20261124T090000Z", "DURATION:PT1H"))
        assert dated("DTEND", T1000, "20261124T100001", event)
        assert dated("DUE", T1000, "20261124T100001", task, kind="VTODO")
        assert not dated("DTEND", T1000, "20261124T100001", calendar(component("VEVENT", "DTSTART:20261124T100000Z")))

    def test_a_date_begins_where_its_day_begins(self) -> None:
        text = calendar(component("VTODO", "DUE;VALUE=DATE:20261124"))
        assert dated("DUE", "20261123T230000", "20261123T230001", text, kind="VTODO", floating="Europe/Paris")

    def test_every_instance_has_a_start_of_its_own(self) -> None:
        text = calendar(
            component("VEVENT", "DTSTART:20261124T090000Z", "DTEND:20261124T100000Z", "RRULE:FREQ=WEEKLY;COUNT=3"),
            component("VEVENT", "RECURRENCE-ID:20261201T090000Z", "DTSTART:20261202T150000Z", "DTEND:20261202T160000Z"),
        )
        assert dated("DTSTART", "20261208T090000", "20261208T090001", text)
        assert dated("DTEND", "20261202T160000", "20261202T160001", text)
        assert not dated("DTSTART", "20261201T000000", "20261202T000000", text)

    def test_the_range_is_asked_of_the_same_property_as_its_parameters(self) -> None:
        zoned = '<C:param-filter name="TZID"><C:text-match>Paris</C:text-match></C:param-filter>'
        assert filtered(comp("VEVENT", prop("DTSTART", span("20261124T090000") + zoned)), self.TEXT)
        assert not filtered(comp("VEVENT", prop("CREATED", span("20261101T000000") + zoned)), self.TEXT)


class TestSeries:
    TEXT = calendar(
        component("VEVENT", "DTSTART:20261124T090000Z", "DTEND:20261124T100000Z", "RRULE:FREQ=WEEKLY", "SUMMARY:Class"),
        component("VEVENT", "RECURRENCE-ID:20261201T090000Z", "DTSTART:20261203T090000Z", "DTEND:20261203T100000Z", "SUMMARY:Exam"),
        component("VEVENT", "RECURRENCE-ID;RANGE=THISANDFUTURE:20270105T090000Z", "DTSTART:20270105T120000Z", "SUMMARY:Late class"),
    )

    def found(self, window: tuple[str, str], summary: str = "") -> bool:
        return filtered(comp("VEVENT", span(*window) + (prop("SUMMARY", match(summary)) if summary else "")), self.TEXT)

    def test_a_moved_instance_is_where_it_is_and_not_where_it_was(self) -> None:
        assert self.found(("20261203T090000", "20261203T100000"))
        assert not self.found(("20261201T000000", "20261202T000000"))

    def test_the_window_and_the_words_belong_to_one_component(self) -> None:
        assert self.found(("20261203T000000", "20261204T000000"), "exam")
        assert not self.found(("20261203T000000", "20261204T000000"), "class")
        assert not self.found(("20261208T000000", "20261209T000000"), "exam")
        assert self.found(("20261208T000000", "20261209T000000"), "class")

    def test_what_changes_from_an_instance_on_changes_all_that_follow(self) -> None:
        assert self.found(("20280104T120000", "20280104T120001"), "late")
        assert not self.found(("20280104T090000", "20280104T110000"))
        assert not self.found(("20261208T000000", "20261209T000000"), "late")
        assert self.found(("20350101T000000", ""), "late")

    def test_a_negated_word_is_asked_of_that_component_too(self) -> None:
        assert filtered(
            comp("VEVENT", span("20261203T000000", "20261204T000000") + prop("SUMMARY", match("class", negate="yes"))), self.TEXT
        )
        assert not filtered(
            comp("VEVENT", span("20261208T000000", "20261209T000000") + prop("SUMMARY", match("class", negate="yes"))), self.TEXT
        )
