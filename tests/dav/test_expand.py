"""Calendar data expanded, limited and in parts, over the wire (RFC 4791 §9.6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway import desk
from gateway.booking import Move
from gateway.model import Span
from tests.dav.asking import calendar, comp, component, components_in, data_of, names_in, span, starts_in
from tests.dav.house import DEMO, HERE, JOHN, NOW, SETUP, C, Client, D, House, event

GROUP = "/dav/john-smith/group-front/"
WEEKS = ("20261123T000000", "20261214T000000")
PARIS = "TZID=Europe/Paris"


def put(john: Client, text: str, name: str = "one.ics", path: str = HERE) -> str:
    answer = john.put(path + name, text)
    assert answer.status == 201, answer.text
    return path + name


def expand(start: str, end: str, inner: str = "") -> str:
    return f"<C:calendar-data>{inner}{span(start, end, name='expand')}</C:calendar-data>"


def chosen(inner: str) -> str:
    """Parts of an event."""
    return f'<C:comp name="VCALENDAR"><C:comp name="VEVENT">{inner}</C:comp></C:comp>'


def expanded(john: Client, path: str, window: tuple[str, str] = WEEKS, *, kind: str = "VEVENT", inner: str = "") -> str:
    """The text of an object in a query for the window, expanded to it; unfolded."""
    answer = john.query(comp(kind, span(*window)), path.rpartition("/")[0] + "/", props=expand(*window, inner))
    return data_of(answer, path)


class TestSeries:
    def test_an_appointment_is_its_instances_in_utc(self, house: House, john: Client) -> None:
        name = house.book(NOW, rule="FREQ=WEEKLY;COUNT=5")
        with house.store.write(DEMO, SETUP) as tx:
            at, moved = NOW + timedelta(weeks=1), NOW + timedelta(weeks=1, hours=3)
            desk.apply(tx, SETUP, tx.appointments_of(JOHN.id).id, name, [Move(span=Span(moved, moved + timedelta(minutes=30)), at=at)], NOW)
        text = expanded(john, HERE + name)
        events = components_in(text)
        assert [(each["RECURRENCE-ID"], each["DTSTART"], each["DTEND"]) for each in events] == [
            ("20261124T080000Z", "20261124T080000Z", "20261124T083000Z"),
            ("20261201T080000Z", "20261201T110000Z", "20261201T113000Z"),
            ("20261208T080000Z", "20261208T080000Z", "20261208T083000Z"),
        ]
        assert {each["SUMMARY"] for each in events} == {"Advice – Ann Canaryname"}
        assert not [word for word in ("RRULE", "VTIMEZONE", "TZID") if word in text]

    def test_a_team_view_expands_what_it_shows(self, house: House, john: Client) -> None:
        house.book(NOW, rule="FREQ=WEEKLY;COUNT=5")
        [path] = john.query(comp("VEVENT"), GROUP).responses
        events = components_in(expanded(john, path))
        assert [each["DTSTART"] for each in events] == ["20261124T080000Z", "20261201T080000Z", "20261208T080000Z"]
        assert {each["SUMMARY"] for each in events} == {"John Smith: Advice"}

    def test_what_happens_once_has_no_recurrence_id(self, john: Client) -> None:
        path = put(john, event("one"))
        [one] = components_in(expanded(john, path))
        assert "RECURRENCE-ID" not in one
        assert (one["DTSTART"], one["DTEND"]) == ("20261126T090000Z", "20261126T100000Z")

    def test_dates_without_a_rule_are_instances(self, john: Client) -> None:
        path = put(
            john, calendar(component("VEVENT", "DTSTART:20261124T090000Z", "DURATION:PT1H", "RDATE:20261126T120000Z,20261201T120000Z"))
        )
        text = expanded(john, path)
        assert starts_in(text) == ["20261124T090000Z", "20261126T120000Z", "20261201T120000Z"]
        assert all(each["DURATION"] == "PT1H" and each["RECURRENCE-ID"] == each["DTSTART"] for each in components_in(text))

    def test_a_period_ends_when_it_says(self, john: Client) -> None:
        period = "RDATE;VALUE=PERIOD:20261126T120000Z/PT3H"
        path = put(john, calendar(component("VEVENT", "DTSTART:20261124T090000Z", "DURATION:PT1H", period)))
        first, second = components_in(expanded(john, path))
        assert first["DURATION"] == "PT1H"
        assert (second["DTSTART"], second["DTEND"]) == ("20261126T120000Z", "20261126T150000Z")
        assert "DURATION" not in second

    def test_what_was_moved_in_is_there_and_what_was_moved_out_is_not(self, john: Client) -> None:
        path = put(
            john,
            calendar(
                component("VEVENT", "DTSTART:20260901T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY", "EXDATE:20261208T090000Z"),
                component("VEVENT", "RECURRENCE-ID:20261020T090000Z", "DTSTART:20261125T150000Z", "DURATION:PT1H"),
                component("VEVENT", "RECURRENCE-ID:20261201T090000Z", "DTSTART:20270301T090000Z", "DURATION:PT1H"),
            ),
        )
        events = components_in(expanded(john, path))
        assert [(each["RECURRENCE-ID"], each["DTSTART"]) for each in events] == [
            ("20261124T090000Z", "20261124T090000Z"),
            ("20261020T090000Z", "20261125T150000Z"),
        ]

    def test_what_changes_from_an_instance_on_changes_all_that_follow(self, john: Client) -> None:
        path = put(
            john,
            calendar(
                component("VEVENT", f"DTSTART;{PARIS}:20261124T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY", "SUMMARY:Early"),
                component(
                    "VEVENT",
                    f"RECURRENCE-ID;{PARIS};RANGE=THISANDFUTURE:20261201T090000",
                    f"DTSTART;{PARIS}:20261201T110000",
                    "DURATION:PT2H",
                    "SUMMARY:Late",
                ),
            ),
        )
        text = expanded(john, path, ("20261123T000000", "20261212T000000"))
        assert [(each["RECURRENCE-ID"], each["DTSTART"], each["SUMMARY"]) for each in components_in(text)] == [
            ("20261124T080000Z", "20261124T080000Z", "Early"),
            ("20261201T080000Z", "20261201T100000Z", "Late"),
            ("20261208T080000Z", "20261208T100000Z", "Late"),
        ]
        assert "RANGE" not in text
        summer = components_in(expanded(john, path, ("20270706T000000", "20270707T000000")))
        assert [each["DTSTART"] for each in summer] == ["20270706T090000Z"]

    def test_an_instance_that_has_begun_is_in_the_window(self, john: Client) -> None:
        path = put(john, calendar(component("VEVENT", "DTSTART:20261124T220000Z", "DURATION:PT4H", "RRULE:FREQ=DAILY;COUNT=3")))
        assert starts_in(expanded(john, path, ("20261126T000000", "20261126T010000"))) == ["20261125T220000Z"]

    def test_only_exceptions_are_instances_too(self, john: Client) -> None:
        path = put(john, calendar(component("VEVENT", f"RECURRENCE-ID;{PARIS}:20261124T090000", f"DTSTART;{PARIS}:20261124T100000")))
        [one] = components_in(expanded(john, path))
        assert (one["RECURRENCE-ID"], one["DTSTART"]) == ("20261124T080000Z", "20261124T090000Z")


class TestKindsOfTime:
    def test_days_stay_days(self, john: Client) -> None:
        lines = ("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261126", "RRULE:FREQ=WEEKLY;COUNT=2")
        first, second = components_in(expanded(john, put(john, calendar(component("VEVENT", *lines)))))
        assert first["DTSTART;VALUE=DATE"] == "20261124"
        assert second["DTSTART;VALUE=DATE"] == second["RECURRENCE-ID;VALUE=DATE"] == "20261201"
        assert second["DTEND;VALUE=DATE"] == "20261203"

    def test_floating_times_become_instants_of_the_zone(self, john: Client) -> None:
        path = put(john, calendar(component("VEVENT", "DTSTART:20261124T090000", "DTEND:20261124T100000", "RRULE:FREQ=DAILY;COUNT=2")))
        assert starts_in(expanded(john, path)) == ["20261124T080000Z", "20261125T080000Z"]
        elsewhere = john.query(comp("VEVENT", span(*WEEKS)), props=expand(*WEEKS), more="<C:timezone-id>America/New_York</C:timezone-id>")
        assert starts_in(data_of(elsewhere, path)) == ["20261124T140000Z", "20261125T140000Z"]

    def test_a_day_on_the_calendar_may_have_23_hours(self, john: Client) -> None:
        path = put(john, calendar(component("VEVENT", f"DTSTART;{PARIS}:20270327T120000", "DURATION:P1D", "RRULE:FREQ=DAILY;COUNT=2")))
        first, second = components_in(expanded(john, path, ("20270327T000000", "20270330T000000")))
        assert (first["DTSTART"], first["DTEND"]) == ("20270327T110000Z", "20270328T100000Z")
        assert (second["DTSTART"], second["DURATION"]) == ("20270328T100000Z", "P1D")

    def test_no_property_refers_to_a_zone(self, john: Client) -> None:
        lines = (f"DTSTART;{PARIS}:20261124T090000", f"X-SEEN;{PARIS}:20261123T120000", f"X-ODD;{PARIS};X-A=1:yesterday")
        path = put(john, calendar(component("VEVENT", *lines)))
        [one] = components_in(expanded(john, path))
        assert (one["X-SEEN"], one["X-ODD;X-A=1"]) == ("20261123T110000Z", "yesterday")

    def test_tasks_have_instances_too(self, john: Client) -> None:
        tasks = "/dav/john-smith/tasks/"
        assert john.ask("MKCALENDAR", tasks).status == 201
        lines = (f"DTSTART;{PARIS}:20261124T090000", f"DUE;{PARIS}:20261124T170000", "RRULE:FREQ=DAILY;COUNT=2")
        path = put(john, calendar(component("VTODO", *lines)), path=tasks)
        due = put(john, calendar(component("VTODO", f"DUE;{PARIS}:20261124T170000", uid="two")), "due.ics", tasks)
        bare = put(john, calendar(component("VTODO", "SUMMARY:Some day", uid="three")), "bare.ics", tasks)
        answer = john.query(comp("VTODO", span(*WEEKS)), tasks, props=expand(*WEEKS))
        assert [(each["DTSTART"], each["DUE"]) for each in components_in(data_of(answer, path), "VTODO")] == [
            ("20261124T080000Z", "20261124T160000Z"),
            ("20261125T080000Z", "20261125T160000Z"),
        ]
        assert [each["DUE"] for each in components_in(data_of(answer, due), "VTODO")] == ["20261124T160000Z"]
        assert len(components_in(data_of(answer, bare), "VTODO")) == 1


class TestTogether:
    LINES = (f"DTSTART;{PARIS}:20261124T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:Class")
    ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM")

    def test_an_expanded_object_comes_in_parts(self, john: Client) -> None:
        path = put(john, calendar(component("VEVENT", *self.LINES, *self.ALARM)))
        parts = '<C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="DTSTART"/></C:comp></C:comp>'
        text = expanded(john, path, inner=parts)
        assert text.splitlines() == [
            *("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "DTSTART:20261124T080000Z", "END:VEVENT"),
            *("BEGIN:VEVENT", "DTSTART:20261125T080000Z", "END:VEVENT", "END:VCALENDAR"),
        ]

    def test_alarms_come_along(self, john: Client) -> None:
        path = put(john, calendar(component("VEVENT", *self.LINES, *self.ALARM)))
        assert expanded(john, path).count("TRIGGER:-PT5M") == 2

    def test_multiget_and_sync_expand_too(self, john: Client) -> None:
        path = put(john, calendar(component("VEVENT", *self.LINES)))
        once = put(john, event("two", "20270501T090000Z", "20270501T100000Z"), "two.ics")
        got = john.multiget(path, once, props=expand(*WEEKS))
        assert starts_in(data_of(got, path)) == ["20261124T080000Z", "20261125T080000Z"]
        assert starts_in(data_of(got, once)) == []
        assert starts_in(data_of(john.sync(props=expand(*WEEKS)), path)) == ["20261124T080000Z", "20261125T080000Z"]

    @pytest.mark.parametrize(
        ("choice", "lines"),
        [
            ("", None),
            ('<C:comp name="VCALENDAR"/>', None),
            ('<C:comp name="VCALENDAR"><C:allprop/><C:allcomp/></C:comp>', None),
            ('<C:comp name="VCALENDAR"><C:prop name="version"/></C:comp>', ["VERSION:2.0"]),
            (
                chosen('<C:prop name="UID"/><C:prop name="SUMMARY" novalue="yes"/>'),
                ["BEGIN:VEVENT", "UID:one@example.com", "SUMMARY:", "END:VEVENT"],
            ),
            (
                chosen('<C:prop name="UID"/><C:allcomp/>'),
                ["BEGIN:VEVENT", "UID:one@example.com", *ALARM, "END:VEVENT"],
            ),
            (
                chosen('<C:prop name="DTSTART"/><C:comp name="VALARM"><C:prop name="TRIGGER"/></C:comp>'),
                ["BEGIN:VEVENT", f"DTSTART;{PARIS}:20261124T090000", "BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM", "END:VEVENT"],
            ),
            ('<C:comp name="VCALENDAR"><C:comp name="X-OWN"/></C:comp>', []),
        ],
    )
    def test_parts_are_what_is_named(self, john: Client, choice: str, lines: list[str] | None) -> None:
        path = put(john, calendar(component("VEVENT", *self.LINES, *self.ALARM)))
        text = data_of(john.multiget(path, props=f"<C:calendar-data>{choice}</C:calendar-data>"), path)
        if lines is None:
            assert text == john.get(path).text.replace("\r\n", "\n")
        else:
            assert text.splitlines() == ["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]


class TestLimited:
    LINES = (
        component("VEVENT", "DTSTART:20261103T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"),
        component("VEVENT", "RECURRENCE-ID:20261110T090000Z", "DTSTART:20261125T090000Z", "DURATION:PT1H", "SUMMARY:moved in"),
        component("VEVENT", "RECURRENCE-ID:20261201T090000Z", "DTSTART:20270301T090000Z", "DURATION:PT1H", "SUMMARY:moved out"),
        component("VEVENT", "RECURRENCE-ID:20261124T090000Z", "DTSTART:20261124T090000Z", "DURATION:PT3H", "SUMMARY:longer"),
        component("VEVENT", "RECURRENCE-ID:20270601T090000Z", "DTSTART:20270602T090000Z", "DURATION:PT1H", "SUMMARY:elsewhere"),
    )

    def limited(self, john: Client, path: str) -> list[str]:
        limit = f"<C:calendar-data>{span(*WEEKS, name='limit-recurrence-set')}</C:calendar-data>"
        text = data_of(john.multiget(path, props=limit), path)
        return [each.get("SUMMARY", "master") for each in components_in(text)]

    def test_exceptions_that_matter_in_the_window_come_with_the_master(self, john: Client) -> None:
        path = put(john, calendar(*self.LINES))
        assert self.limited(john, path) == ["master", "moved in", "moved out", "longer"]

    def test_what_holds_from_an_instance_on_matters_while_it_holds(self, john: Client) -> None:
        def onward(at: str, hour: str, summary: str) -> str:
            return component("VEVENT", f"RECURRENCE-ID;RANGE=THISANDFUTURE:{at}", f"DTSTART:{at[:9]}{hour}Z", f"SUMMARY:{summary}")

        path = put(
            john,
            calendar(
                self.LINES[0],
                onward("20261110T090000Z", "120000", "replaced"),
                onward("20261117T090000Z", "130000", "holding"),
                onward("20270601T090000Z", "140000", "later"),
            ),
        )
        assert self.limited(john, path) == ["master", "holding"]

    def test_the_time_zones_stay(self, john: Client) -> None:
        path = put(john, calendar(*self.LINES))
        limit = f"<C:calendar-data>{span(*WEEKS, name='limit-recurrence-set')}</C:calendar-data>"
        assert "RRULE:FREQ=WEEKLY" in data_of(john.multiget(path, props=limit), path)

    def test_either_expanded_or_limited(self, john: Client) -> None:
        both = f"<C:calendar-data>{span(*WEEKS, name='expand')}{span(*WEEKS, name='limit-recurrence-set')}</C:calendar-data>"
        assert john.query(comp("VEVENT"), props=both).status == 400

    def test_a_limit_for_busy_times_leaves_events_alone(self, john: Client) -> None:
        path = put(john, event("one"))
        limit = f"<C:calendar-data>{span(*WEEKS, name='limit-freebusy-set')}</C:calendar-data>"
        assert data_of(john.multiget(path, props=limit), path) == john.get(path).text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (f"<C:calendar-data>{span('20261201T000000', name='expand')}</C:calendar-data>", "valid-filter"),
        (f"<C:calendar-data>{span('20261201T000000', '20261101T000000', name='expand')}</C:calendar-data>", "valid-filter"),
        (f"<C:calendar-data>{span('00010101T000000', '00020101T000000', name='expand')}</C:calendar-data>", "min-date-time"),
        (f"<C:calendar-data>{span('20260101T000000', '99990101T000000', name='limit-recurrence-set')}</C:calendar-data>", "max-date-time"),
        (f"<C:calendar-data>{span(end='20260101T000000', name='limit-freebusy-set')}</C:calendar-data>", "valid-filter"),
    ],
)
def test_a_window_that_is_none_is_refused_whatever_there_is_to_be_found(john: Client, data: str, condition: str) -> None:
    for answer in (john.query(comp("VTODO"), props=data), john.multiget(HERE + "none.ics", props=data)):
        assert (answer.status, answer.condition) == (403, f"{C}{condition}")


def test_five_years_are_expanded_and_not_a_day_more(john: Client) -> None:
    put(john, event("one"))
    assert names_in(john.query(comp("VEVENT"), props=expand("20260101T000000", "20310105T000000"))) == ["one.ics"]
    answer = john.query(comp("VEVENT"), props=expand("20260101T000000", "20310106T000000"))
    assert (answer.status, answer.condition) == (403, f"{D}number-of-matches-within-limits")
