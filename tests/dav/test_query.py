"""calendar-query over the wire: where it looks, in which zone, how far, and what it tells."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.dav.asking import ABSENT, calendar, comp, component, data_of, match, names_in, prop, span
from tests.dav.house import EMMA, HERE, NOW, SPACES, C, Client, D, House, event

HOME = "/dav/john-smith/"
GROUP, COMPANY, OTHERS = f"{HOME}group-front/", f"{HOME}company/", f"{HOME}private/"
EVENTS = comp("VEVENT")


def put(john: Client, name: str, text: str, path: str = HERE) -> str:
    assert john.put(path + name, text.replace("one@example.com", f"{name}@example.com")).status == 201
    return path + name


def at(start: str, end: str = "", more: str = "") -> str:
    return comp("VEVENT", span(start, end) + more)


class TestWhere:
    @pytest.fixture(autouse=True)
    def objects(self, house: House, john: Client) -> None:
        assert john.ask("MKCALENDAR", OTHERS).status == 201
        put(john, "one.ics", event("one"))
        put(john, "two.ics", event("two"), OTHERS)
        self.booked = house.book(NOW + timedelta(days=1), staff=EMMA)

    @pytest.mark.parametrize(("depth", "found"), [("0", []), ("1", ["one.ics"]), ("infinity", ["one.ics"]), (None, ["one.ics"])])
    def test_a_calendar_has_its_objects_one_level_deep(self, john: Client, depth: str | None, found: list[str]) -> None:
        assert names_in(john.query(EVENTS, depth=depth)) == found

    @pytest.mark.parametrize("depth", ["1", "infinity", None])
    def test_a_home_answers_for_all_that_it_lists(self, john: Client, depth: str | None) -> None:
        paths = set(john.query(EVENTS, HOME, depth=depth).responses)
        assert {HERE + "one.ics", OTHERS + "two.ics"} <= paths
        assert {path.rpartition("/")[0] for path in paths} == {HERE[:-1], OTHERS[:-1], GROUP[:-1], COMPANY[:-1]}

    def test_a_home_itself_matches_nothing(self, john: Client) -> None:
        assert names_in(john.query(EVENTS, HOME, depth="0")) == []

    @pytest.mark.parametrize("depth", ["0", "1", None])
    def test_one_object_is_asked_whatever_the_depth(self, john: Client, depth: str | None) -> None:
        assert list(john.query(EVENTS, HERE + "one.ics", depth=depth).responses) == [HERE + "one.ics"]
        assert names_in(john.query(comp("VTODO"), HERE + "one.ics", depth=depth)) == []
        assert names_in(john.query(at("20270101T000000"), HERE + "one.ics", depth=depth)) == []

    def test_an_object_that_is_not_there_is_not_found(self, john: Client) -> None:
        assert john.query(EVENTS, HERE + "none.ics").status == 404

    @pytest.mark.parametrize("path", ["/dav/", "/dav/emma-morris/", "/dav/emma-morris/appointments/"])
    def test_other_places_do_not_answer(self, john: Client, path: str) -> None:
        assert john.query(EVENTS, path).status in (403, 404)

    def test_reports_are_announced_where_they_are_answered(self, john: Client) -> None:
        for path in (HOME, HERE, GROUP, HERE + "one.ics"):
            told = john.propfind(path, "<D:supported-report-set/>").element(path, f"{D}supported-report-set")
            assert list(told.iter(f"{C}calendar-query")), path

    def test_a_team_view_is_searched_by_what_it_shows(self, john: Client) -> None:
        def found(words: str) -> int:
            return len(names_in(john.query(comp("VEVENT", prop("SUMMARY", match(words))), GROUP)))

        assert found("emma") == 1
        assert found("canaryname") == 0
        assert len(names_in(john.query(at("20261125T000000", "20261126T000000"), COMPANY))) == 1
        assert names_in(john.query(comp("VEVENT", prop("X-BOOKING-REV")), GROUP)) == []

    def test_a_component_that_the_calendar_does_not_take_is_nowhere(self, john: Client) -> None:
        assert names_in(john.query(comp("VTODO"))) == []
        assert names_in(john.query(comp("VTODO", ABSENT))) == ["one.ics"]


ZONE = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:{}
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+1000
TZOFFSETTO:+1000
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
"""


class TestInWhichZone:
    """John's zone is Paris: an hour before UTC in winter."""

    @pytest.fixture(autouse=True)
    def objects(self, john: Client) -> None:
        put(john, "day.ics", calendar(component("VEVENT", "DTSTART;VALUE=DATE:20261126")))
        put(john, "floating.ics", calendar(component("VEVENT", "DTSTART:20261126T090000", "DURATION:PT1H")))
        put(john, "fixed.ics", event("fixed", "20261126T080000Z", "20261126T090000Z"))

    MORNING = at("20261126T080000", "20261126T090000")
    EVENING = at("20261126T230000", "20261127T000000")

    def zoned(self, john: Client, inner: str, more: str = "") -> list[str]:
        return list(names_in(john.query(inner, more=more)))

    def test_the_owners_zone_is_taken_when_nobody_names_one(self, john: Client) -> None:
        assert self.zoned(john, self.MORNING) == ["day.ics", "fixed.ics", "floating.ics"]
        assert self.zoned(john, self.EVENING) == []

    def test_a_report_names_a_zone(self, john: Client) -> None:
        newyork = "<C:timezone-id>America/New_York</C:timezone-id>"
        assert self.zoned(john, self.MORNING, newyork) == ["day.ics", "fixed.ics"]
        assert self.zoned(john, self.EVENING, newyork) == ["day.ics"]
        assert self.zoned(john, at("20261126T140000", "20261126T150000"), newyork) == ["day.ics", "floating.ics"]

    @pytest.mark.parametrize("name", ["Somewhere/Else", "My zone"])
    def test_a_report_describes_a_zone(self, john: Client, name: str) -> None:
        there = f"<C:timezone>{ZONE.format(name)}</C:timezone>"
        assert self.zoned(john, at("20261125T230000", "20261126T000000"), there) == ["day.ics", "floating.ics"]
        assert self.zoned(john, self.MORNING, there) == ["day.ics", "fixed.ics"]

    def test_the_calendar_has_a_zone_of_its_own(self, john: Client) -> None:
        set_zone = f"<C:calendar-timezone>{ZONE.format('Mine')}</C:calendar-timezone>"
        body = f"<D:propertyupdate {SPACES}><D:set><D:prop>{set_zone}</D:prop></D:set></D:propertyupdate>"
        assert john.ask("PROPPATCH", HERE, body).status == 207
        assert self.zoned(john, at("20261125T230000", "20261126T000000")) == ["day.ics", "floating.ics"]
        assert self.zoned(john, self.MORNING, "<C:timezone-id>Europe/Paris</C:timezone-id>") == ["day.ics", "fixed.ics", "floating.ics"]

    @pytest.mark.parametrize(
        ("more", "condition"),
        [
            ("<C:timezone-id>Nowhere/Land</C:timezone-id>", "valid-timezone"),
            ("<C:timezone-id/>", "valid-timezone"),
            ("<C:timezone>Europe/Paris</C:timezone>", "valid-calendar-data"),
            ("<C:timezone/>", "valid-calendar-data"),
            (f"<C:timezone>{event('x')}</C:timezone>", "valid-calendar-data"),
            ("<C:timezone>BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\nEND:VCALENDAR</C:timezone>", "valid-calendar-data"),
        ],
    )
    def test_a_zone_that_is_none_is_refused(self, john: Client, more: str, condition: str) -> None:
        answer = john.query(self.MORNING, more=more)
        assert (answer.status, answer.condition) == (403, f"{C}{condition}")

    def test_a_zone_is_named_in_one_way(self, john: Client) -> None:
        both = f"<C:timezone>{ZONE.format('x')}</C:timezone><C:timezone-id>UTC</C:timezone-id>"
        assert john.query(self.MORNING, more=both).status == 400


class TestHowFar:
    def test_an_endless_series_is_found_long_after_its_index(self, house: House, john: Client) -> None:
        weekly = house.book(NOW, rule="FREQ=WEEKLY")  # on Tuesdays
        put(john, "yearly.ics", calendar(component("VEVENT", "DTSTART:20261126T120000Z", "RRULE:FREQ=YEARLY", "SUMMARY:Feast")))
        put(john, "never.ics", calendar(component("VEVENT", "DTSTART:20261127T120000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")))
        assert names_in(john.query(at("21501124T000000", "21501125T000000"))) == [weekly]
        assert names_in(john.query(at("21501126T000000", "21501127T000000"))) == ["yearly.ics"]
        assert names_in(john.query(at("21990101T000000"))) == [weekly, "yearly.ics"]
        assert names_in(john.query(at("21500101T000000", "21510101T000000", prop("SUMMARY", match("feast"))))) == ["yearly.ics"]

    def test_a_series_that_has_ended_is_not_found_after_it(self, house: House, john: Client) -> None:
        booked = house.book(NOW, rule="FREQ=WEEKLY;UNTIL=20400101T000000Z")
        assert names_in(john.query(at("20391201T000000"))) == [booked]
        assert names_in(john.query(at("20400101T000000"))) == []

    def test_everything_before_an_instant_is_found(self, house: House, john: Client) -> None:
        booked = house.book(NOW)
        assert names_in(john.query(comp("VEVENT", span(end="20261124T080000")))) == []
        assert names_in(john.query(comp("VEVENT", span(end="20261124T080001")))) == [booked]

    @pytest.mark.parametrize(
        ("inner", "condition"),
        [(at("00010101T000000"), "min-date-time"), (at("20260101T000000", "99991231T235959"), "max-date-time")],
    )
    def test_time_that_the_calendar_does_not_know_is_refused(self, john: Client, inner: str, condition: str) -> None:
        answer = john.query(inner)
        assert (answer.status, answer.condition) == (403, f"{C}{condition}")
        known = john.propfind(HERE, f"<C:{condition}/>").responses[HERE][f"{C}{condition}"]
        assert names_in(john.query(comp("VEVENT", f'<C:time-range start="{known}"/>'))) == []


class TestWhatIsTold:
    @pytest.fixture(autouse=True)
    def objects(self, john: Client) -> None:
        put(john, "one.ics", event("one"))

    PATH = HERE + "one.ics"

    def asked(self, john: Client, wanted: str) -> dict[str, str]:
        body = f'<C:calendar-query {SPACES}>{wanted}<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
        return john.report(body, Depth="1").responses[self.PATH]

    def test_live_properties_come_with_the_data(self, john: Client) -> None:
        names = "<D:getetag/><D:getcontenttype/><D:getcontentlength/><D:resourcetype/><D:owner/><D:current-user-privilege-set/><D:nothing/>"
        answer = john.query(EVENTS, props=f"{names}<C:calendar-data/>")
        told = answer.responses[self.PATH]
        stored = john.get(self.PATH)
        assert told[f"{D}getetag"] == stored.etag
        assert told[f"{D}getcontentlength"] == str(len(stored.body))
        assert told[f"{C}calendar-data"] == stored.text
        assert "VEVENT" in told[f"{D}getcontenttype"]
        assert told[f"{D}resourcetype"] == ""
        assert told[f"{D}owner"] == HOME
        assert answer.missing(self.PATH) == {f"{D}nothing"}

    def test_allprop_tells_all_but_the_data(self, john: Client) -> None:
        told = self.asked(john, "<D:allprop/>")
        assert {f"{D}getetag", f"{D}getcontenttype", f"{D}getcontentlength", f"{D}resourcetype"} <= set(told)
        assert f"{C}calendar-data" not in told

    def test_allprop_tells_the_data_when_it_is_included(self, john: Client) -> None:
        told = self.asked(john, "<D:allprop/><D:include><C:calendar-data/></D:include>")
        assert "BEGIN:VEVENT" in told[f"{C}calendar-data"]
        assert f"{D}getetag" in told

    def test_propname_tells_names(self, john: Client) -> None:
        told = self.asked(john, "<D:propname/>")
        assert {f"{D}getetag", f"{D}getcontentlength"} <= set(told)
        assert not any(told.values())

    @pytest.mark.parametrize(
        "data",
        [
            'content-type="application/calendar+json"',
            'content-type="text/calendar" version="1.0"',
            'content-type="text/vcard"',
            'version="3.0"',
        ],
    )
    def test_data_in_another_form_is_refused(self, john: Client, data: str) -> None:
        for answer in (
            john.query(EVENTS, props=f"<C:calendar-data {data}/>"),
            john.multiget(self.PATH, props=f"<C:calendar-data {data}/>"),
        ):
            assert (answer.status, answer.condition) == (403, f"{C}supported-calendar-data")

    def test_the_usual_form_may_be_named(self, john: Client) -> None:
        data = '<C:calendar-data content-type="text/calendar" version="2.0"/>'
        assert data_of(john.query(EVENTS, props=data), self.PATH)
