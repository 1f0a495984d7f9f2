"""Time zones by name: as a calendar's property, left out of what is given out, and found at the service (RFC 7809)."""

from __future__ import annotations

from datetime import timedelta

import icalendar
import pytest

from tests.dav.house import HERE, NOW, SPACES, Answer, C, Client, House, event

HOME = "/dav/john-smith/"
START = NOW + timedelta(days=2, hours=2)
NAME, ZONE = "<C:calendar-timezone-id/>", "<C:calendar-timezone/>"
OWN = (
    "BEGIN:VTIMEZONE\r\nTZID:Our own\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\n"
    "END:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def patch(client: Client, inside: str, path: str = HERE, how: str = "set") -> Answer:
    return client.ask("PROPPATCH", path, f"<D:propertyupdate {SPACES}><D:{how}><D:prop>{inside}</D:prop></D:{how}></D:propertyupdate>")


def named(value: str) -> str:
    return f"<C:calendar-timezone-id>{value}</C:calendar-timezone-id>"


def described(zone: str) -> str:
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{OWN.replace('Our own', zone)}END:VCALENDAR\r\n"
    return f"<C:calendar-timezone>{text}</C:calendar-timezone>"


class TestProperties:
    def test_a_calendar_has_a_zone_by_name(self, john: Client) -> None:
        assert john.propfind(HERE, NAME + ZONE).missing(HERE) == {f"{C}calendar-timezone-id", f"{C}calendar-timezone"}
        assert patch(john, named("America/New_York")).missing(HERE, "200") == {f"{C}calendar-timezone-id"}
        found = john.propfind(HERE, NAME + ZONE).responses[HERE]
        assert found[f"{C}calendar-timezone-id"] == "America/New_York"
        [zone] = icalendar.Calendar.from_ical(found[f"{C}calendar-timezone"]).walk("VTIMEZONE")
        assert zone["TZID"] == "America/New_York"

    @pytest.mark.parametrize("bad", ["", "europe/paris", "Mars/Olympus", "../../etc/passwd", "localtime", "Romance Standard Time"])
    def test_a_name_that_is_none_is_refused(self, john: Client, bad: str) -> None:
        answer = patch(john, named(bad))
        assert answer.missing(HERE, "403") == {f"{C}calendar-timezone-id"}
        assert "valid-timezone" in answer.text
        assert john.propfind(HERE, NAME).missing(HERE) == {f"{C}calendar-timezone-id"}

    def test_whichever_was_set_last_counts(self, john: Client) -> None:
        patch(john, named("America/New_York"))
        patch(john, described("Europe/Paris"))
        found = john.propfind(HERE, NAME + ZONE).responses[HERE]
        assert found[f"{C}calendar-timezone-id"] == "Europe/Paris"
        assert "+0530" in found[f"{C}calendar-timezone"]  # as it was set
        patch(john, named("Asia/Tokyo"))
        found = john.propfind(HERE, NAME + ZONE).responses[HERE]
        assert found[f"{C}calendar-timezone-id"] == "Asia/Tokyo"
        assert "+0900" in found[f"{C}calendar-timezone"]

    def test_a_description_of_ones_own_has_no_name(self, john: Client) -> None:
        patch(john, described("Our own"))
        assert john.propfind(HERE, NAME).missing(HERE) == {f"{C}calendar-timezone-id"}

    def test_it_is_taken_away_like_any_other(self, john: Client) -> None:
        patch(john, named("Asia/Tokyo"))
        patch(john, NAME, how="remove")
        assert john.propfind(HERE, NAME + ZONE).missing(HERE) == {f"{C}calendar-timezone-id", f"{C}calendar-timezone"}

    def test_a_calendar_can_be_made_with_one(self, john: Client) -> None:
        body = f"<C:mkcalendar {SPACES}><D:set><D:prop>{named('Asia/Tokyo')}</D:prop></D:set></C:mkcalendar>"
        assert john.ask("MKCALENDAR", f"{HOME}tokyo/", body).status == 201
        assert john.propfind(f"{HOME}tokyo/", NAME).responses[f"{HOME}tokyo/"] == {f"{C}calendar-timezone-id": "Asia/Tokyo"}
        bad = body.replace("Asia/Tokyo", "Mars/Olympus")
        answer = john.ask("MKCALENDAR", f"{HOME}mars/", bad)
        assert answer.status in (207, 403)
        assert "valid-timezone" in answer.text

    def test_the_home_says_where_zones_are_found(self, john: Client) -> None:
        assert john.propfind(HOME, "<C:timezone-service-set/>").responses[HOME] == {f"{C}timezone-service-set": "/.well-known/timezone"}
        assert john.ask("GET", "/.well-known/timezone/zones/Europe/Paris").status == 200
        assert "calendar-no-timezone" in john.ask("OPTIONS", HOME).headers["dav"]


class TestByReference:
    @pytest.fixture
    def name(self, house: House) -> str:
        return house.book(START)

    def ask(self, john: Client, name: str, **headers: str) -> dict[str, str]:
        """The object in every way it can be had."""
        path = HERE + name
        data = f"<D:prop {SPACES}><C:calendar-data/></D:prop>"
        filtered = f'<C:calendar-query {SPACES}>{data}<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
        expand = '<C:calendar-data><C:comp name="VCALENDAR"><C:allprop/><C:allcomp/></C:comp></C:calendar-data>'
        answers = {
            "multiget": john.report(f"<C:calendar-multiget {SPACES}>{data}<D:href>{path}</D:href></C:calendar-multiget>", **headers),
            "query": john.report(filtered, Depth="1", **headers),
            "sync": john.sync(props="<C:calendar-data/>", **headers),
            "parts": john.report(
                f"<C:calendar-multiget {SPACES}><D:prop>{expand}</D:prop><D:href>{path}</D:href></C:calendar-multiget>", **headers
            ),
        }
        found = {way: answer.responses[path][f"{C}calendar-data"] for way, answer in answers.items()}
        return {**found, "get": john.ask("GET", path, **headers).text}

    def test_zones_that_everybody_knows_are_left_out_for_who_asks_so(self, john: Client, name: str) -> None:
        for way, text in self.ask(john, name, CalDAV_Timezones="F").items():
            assert "VTIMEZONE" not in text, way
            assert "DTSTART;TZID=Europe/Paris:" in text, way
            icalendar.Calendar.from_ical(text)

    @pytest.mark.parametrize("value", ["T", "", "x", None])
    def test_they_are_there_for_everybody_else(self, john: Client, name: str, value: str | None) -> None:
        headers = {"CalDAV_Timezones": value} if value is not None else {}
        for way, text in self.ask(john, name, **headers).items():
            assert "BEGIN:VTIMEZONE" in text, way

    def test_a_zone_of_ones_own_stays(self, john: Client) -> None:
        text = event("p", "20261126T090000", "20261126T100000").replace("BEGIN:VEVENT", f"{OWN}BEGIN:VEVENT")
        text = text.replace("DTSTART:", "DTSTART;TZID=Our own:").replace("DTEND:", "DTEND;TZID=Our own:")
        assert john.put(f"{HERE}p.ics", text).status == 201
        for way, seen in self.ask(john, "p.ics", CalDAV_Timezones="F").items():
            assert "TZID:Our own" in seen, way
        assert john.get(f"{HERE}p.ics").text == text

    def test_an_event_without_a_description_is_taken(self, john: Client) -> None:
        text = event("p", "20261126T090000", "20261126T100000").replace("DTSTART:", "DTSTART;TZID=America/New_York:")
        text = text.replace("DTEND:", "DTEND;TZID=America/New_York:")
        assert john.put(f"{HERE}p.ics", text).status == 201
        window = '<C:comp-filter name="VEVENT"><C:time-range start="20261126T140000Z" end="20261126T143000Z"/></C:comp-filter>'
        assert set(john.query(window).responses) == {f"{HERE}p.ics"}

    def test_the_etag_is_the_same_either_way(self, john: Client, name: str) -> None:
        light = john.ask("GET", HERE + name, CalDAV_Timezones="F")
        assert light.etag == john.get(HERE + name).etag
        assert light.headers["vary"] == "CalDAV-Timezones"
