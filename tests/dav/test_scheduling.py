"""Scheduling as a booking server does it: colleagues' free-busy, schedule tags that are right, and no invitation from us."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import icalendar
import pytest

from gateway.booking import Amend
from gateway.desk import apply_to
from gateway.model import Appointment, WorkingHours
from tests.dav.house import ANN, DEMO, EMMA, HERE, JOHN, NOW, READ_ONLY, SETUP, Answer, C, Client, D, House, event, raw

HOME, INBOX, OUTBOX = "/dav/john-smith/", "/dav/john-smith/inbox/", "/dav/john-smith/outbox/"
START = NOW + timedelta(days=2, hours=2)
LATER = START + timedelta(hours=3)
DAY = ("20261126T000000Z", "20261127T000000Z")
NAMES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'


def asked(*people: str, organizer: str = f"mailto:{JOHN.email}", window: tuple[str, str] = DAY, **changes: str) -> str:
    """What Thunderbird posts."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "METHOD:REQUEST", "BEGIN:VFREEBUSY", "UID:asked-1"]
    lines += ["DTSTAMP:20261124T080000Z", f"DTSTART:{window[0]}", f"DTEND:{window[1]}", f"ORGANIZER:{organizer}"]
    lines += [f"ATTENDEE;PARTSTAT=NEEDS-ACTION;CUTYPE=INDIVIDUAL:{each}" for each in people]
    text = "\r\n".join([*lines, "END:VFREEBUSY", "END:VCALENDAR", ""])
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def post(client: Client, text: str, path: str = OUTBOX, content_type: str = "text/calendar; charset=utf-8") -> Answer:
    return client.ask("POST", path, text, Content_Type=content_type, Originator=f"mailto:{JOHN.email}", Recipient=f"mailto:{EMMA.email}")


def told(answer: Answer) -> dict[str, tuple[str, str]]:
    """By recipient: the status, and the calendar data."""
    assert answer.status == 200, answer.text
    assert answer.tree.tag == f"{C}schedule-response"
    return {
        response.findtext(f"{C}recipient/{D}href") or "": (
            response.findtext(f"{C}request-status") or "",
            response.findtext(f"{C}calendar-data") or "",
        )
        for response in answer.tree.findall(f"{C}response")
    }


def lines(text: str) -> list[str]:
    return re.findall(r"FREEBUSY;FBTYPE=([A-Z-]+:\d{8}T\d{6}Z/\d{8}T\d{6}Z)\r\n", text)


class TestDiscovery:
    def test_the_principal_says_where_the_boxes_are(self, john: Client) -> None:
        answer = john.propfind(HOME, "<C:schedule-inbox-URL/><C:schedule-outbox-URL/><C:calendar-user-type/><C:calendar-user-address-set/>")
        found = answer.responses[HOME]
        assert (found[f"{C}schedule-inbox-URL"], found[f"{C}schedule-outbox-URL"]) == (INBOX, OUTBOX)
        assert found[f"{C}calendar-user-type"] == "INDIVIDUAL"
        addresses = [href.text for href in answer.element(HOME, f"{C}calendar-user-address-set")]
        assert addresses == [f"mailto:{JOHN.email}", HOME]

    def test_clients_are_told_that_they_invite_themselves(self, john: Client) -> None:
        for path in (HOME, HERE, OUTBOX):
            features = {each.strip() for each in john.ask("OPTIONS", path).headers["dav"].split(",")}
            assert "calendar-schedule" in features
            assert "calendar-auto-schedule" not in features

    def test_a_box_is_no_calendar(self, john: Client) -> None:
        answer = john.propfind(HOME, "<D:resourcetype/>", "1")
        kinds = {path: {item.tag for item in answer.element(path, f"{D}resourcetype")} for path in answer.responses}
        assert kinds[INBOX] == {f"{D}collection", f"{C}schedule-inbox"}
        assert kinds[OUTBOX] == {f"{D}collection", f"{C}schedule-outbox"}
        assert {path for path, tags in kinds.items() if f"{C}calendar" in tags} == {HERE, f"{HOME}company/", f"{HOME}group-front/"}

    def test_the_outbox_takes_questions_about_free_busy_only(self, john: Client) -> None:
        """Apple Calendar decides by this, and not by the DAV header, whether it can ask."""
        answer = john.propfind(OUTBOX, "<C:supported-calendar-component-set/><D:current-user-privilege-set/>")
        assert [comp.get("name") for comp in answer.element(OUTBOX, f"{C}supported-calendar-component-set")] == ["VFREEBUSY"]
        assert f"{C}schedule-send-freebusy" in {tag.tag for tag in answer.element(OUTBOX, f"{D}current-user-privilege-set").iter()}
        assert "POST" in john.ask("OPTIONS", OUTBOX).headers["allow"]

    def test_the_inbox_says_where_new_events_belong(self, john: Client) -> None:
        assert john.propfind(INBOX, "<C:schedule-default-calendar-URL/>").responses[INBOX] == {f"{C}schedule-default-calendar-URL": HERE}

    @pytest.mark.parametrize("box", [INBOX, OUTBOX])
    def test_there_is_never_anything_in_a_box(self, john: Client, house: House, box: str) -> None:
        first, tag = john.sync(path=box), john.ctag(box)
        assert first.responses == {}
        token = first.tree.findtext(f"{D}sync-token") or ""
        assert token == john.token(box)
        house.book(START)
        assert set(john.propfind(box, "<D:getetag/>", "1").responses) == {box}
        again = john.sync(token, box)
        assert (again.status, again.responses, again.tree.findtext(f"{D}sync-token")) == (207, {}, token)
        assert john.ctag(box) == tag
        assert john.sync("data:,x", box).condition == f"{D}valid-sync-token"
        assert john.query('<C:comp-filter name="VEVENT"/>', box).responses == {}
        assert john.multiget(f"{box}a.ics", at=box).responses == {f"{box}a.ics": {"status": "404"}}

    @pytest.mark.parametrize("box", [INBOX, OUTBOX])
    def test_nothing_can_be_put_into_a_box_or_done_with_it(self, john: Client, box: str) -> None:
        assert john.put(f"{box}a.ics", event("a")).status in (403, 409)
        assert john.ask("GET", f"{box}a.ics").status == 404
        assert john.ask("DELETE", box).status in (403, 404)
        assert john.ask("MKCALENDAR", box).status == 403
        assert john.ask("PROPFIND", box, Depth="0").status == 207

    @pytest.mark.parametrize("box", ["inbox", "outbox"])
    def test_a_colleagues_box_does_not_exist(self, john: Client, box: str) -> None:
        for method in ("PROPFIND", "REPORT", "POST", "PROPPATCH"):
            answer = john.ask(method, f"/dav/emma-morris/{box}/", "x", Depth="0")
            nobody = john.ask(method, f"/dav/nobody/{box}/", "x", Depth="0")
            assert (answer.status, answer.text) == (404, nobody.text.replace("nobody", "emma-morris"))


class TestFreeBusy:
    def test_a_colleagues_busy_times_are_told(self, house: House, john: Client) -> None:
        house.book(START, staff=EMMA)
        house.book(LATER, staff=JOHN)
        found = told(post(john, asked(f"mailto:{EMMA.email}")))
        [(status, text)] = found.values()
        assert (list(found), status) == ([f"mailto:{EMMA.email}"], "2.0;Success")
        assert lines(text) == ["BUSY:20261126T100000Z/20261126T103000Z"]
        assert "METHOD:REPLY\r\n" in text
        assert f"ATTENDEE:mailto:{EMMA.email}\r\n" in text
        assert "UID:asked-1\r\n" in text
        assert ANN.name not in text
        assert len(icalendar.Calendar.from_ical(text).walk("VFREEBUSY")) == 1

    def test_one_is_told_ones_own_as_well(self, house: House, john: Client) -> None:
        house.book(START)
        john.put(f"{HERE}p.ics", event("p", "20261126T150000Z", "20261126T160000Z"))
        [(_, text)] = told(post(john, asked(f"MAILTO:{JOHN.email.upper()}"))).values()
        assert lines(text) == ["BUSY:20261126T100000Z/20261126T103000Z", "BUSY:20261126T150000Z/20261126T160000Z"]

    def test_time_outside_working_hours_is_told_as_such(self, house: House, john: Client) -> None:
        house.book(START, staff=EMMA)
        with house.store.write(DEMO, SETUP) as tx:
            tx.save_hours(EMMA.id, WorkingHours(weekly=dict.fromkeys(range(5), ((480, 1080),))))
        [(_, text)] = told(post(john, asked(f"mailto:{EMMA.email}"))).values()
        assert lines(text) == [
            "BUSY-UNAVAILABLE:20261126T000000Z/20261126T070000Z",
            "BUSY:20261126T100000Z/20261126T103000Z",
            "BUSY-UNAVAILABLE:20261126T170000Z/20261127T000000Z",
        ]

    def test_tentative_time_is_told_as_such(self, john: Client) -> None:
        john.put(f"{HERE}p.ics", event("p", "20261126T150000Z", "20261126T160000Z", "STATUS:TENTATIVE"))
        [(_, text)] = told(post(john, asked(f"mailto:{JOHN.email}"))).values()
        assert lines(text) == ["BUSY-TENTATIVE:20261126T150000Z/20261126T160000Z"]

    def test_a_transparent_calendar_keeps_nobody_busy(self, john: Client) -> None:
        assert john.ask("MKCALENDAR", f"{HOME}private/").status == 201
        john.put(f"{HOME}private/p.ics", event("p", "20261126T150000Z", "20261126T160000Z"))

        def hours() -> list[str]:
            [(_, text)] = told(post(john, asked(f"mailto:{JOHN.email}"))).values()
            return lines(text)

        def turned(how: str, path: str) -> set[str]:
            body = f"<C:schedule-calendar-transp><C:{how}/></C:schedule-calendar-transp>"
            answer = john.ask("PROPPATCH", path, f"<D:propertyupdate {NAMES}><D:set><D:prop>{body}</D:prop></D:set></D:propertyupdate>")
            assert answer.status == 207
            return answer.missing(path, "403")

        assert hours() == ["BUSY:20261126T150000Z/20261126T160000Z"]
        assert turned("transparent", f"{HOME}private/") == set()
        assert hours() == []
        said = john.propfind(f"{HOME}private/", "<C:schedule-calendar-transp/>").element(f"{HOME}private/", f"{C}schedule-calendar-transp")
        assert [item.tag for item in said] == [f"{C}transparent"]
        assert turned("opaque", f"{HOME}private/") == set()
        assert hours() == ["BUSY:20261126T150000Z/20261126T160000Z"]
        assert turned("transparent", HERE) == {f"{C}schedule-calendar-transp"}
        assert turned("see-through", f"{HOME}private/") == {f"{C}schedule-calendar-transp"}
        assert turned("opaque", f"{HOME}company/") == {f"{C}schedule-calendar-transp"}

    def test_strangers_customers_and_other_companies_are_nobody(self, house: House, john: Client) -> None:
        people = [
            f"mailto:{ANN.email}",
            "mailto:taylor@example.com",
            "mailto:who@example.org",
            "/dav/taylor/",
            "urn:uuid:1",
            f"mailto:{EMMA.email}",
        ]
        found = told(post(john, asked(*people)))
        assert list(found) == people
        assert {found[each] for each in people[:-1]} == {("3.7;Invalid calendar user", "")}
        assert found[people[-1]][0] == "2.0;Success"

    def test_people_are_known_by_their_principals_too(self, house: House, john: Client) -> None:
        found = told(post(john, asked("/dav/emma-morris/", organizer=HOME)))
        assert [status for status, _ in found.values()] == ["2.0;Success"]

    def test_who_has_left_is_nobody(self, house: House, john: Client) -> None:
        with house.store.write(DEMO, SETUP) as tx:
            tx.save_staff(replace(EMMA, active=False), NOW)
        assert [status for status, _ in told(post(john, asked(f"mailto:{EMMA.email}"))).values()] == ["3.7;Invalid calendar user"]

    def test_asking_is_reading(self, house: House) -> None:
        reader, before = house.client(JOHN, READ_ONLY), house.revision()
        assert told(post(reader, asked(f"mailto:{EMMA.email}")))
        assert house.revision() == before


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "status", "condition"),
        [
            (asked(f"mailto:{EMMA.email}", organizer=f"mailto:{EMMA.email}"), 403, "valid-organizer"),
            (asked(f"mailto:{EMMA.email}", organizer=f"mailto:{ANN.email}"), 403, "valid-organizer"),
            (asked(f"mailto:{EMMA.email}", organizer="/dav/emma-morris/"), 403, "valid-organizer"),
            (asked(), 403, "valid-scheduling-message"),
            (asked(f"mailto:{EMMA.email}", REQUEST="PUBLISH"), 403, "valid-scheduling-message"),
            (asked(f"mailto:{EMMA.email}", VFREEBUSY="VEVENT"), 403, "valid-scheduling-message"),
            (asked(f"mailto:{EMMA.email}", window=("20260101T000000Z", "20290101T000000Z")), 403, "valid-scheduling-message"),
            (asked(f"mailto:{EMMA.email}", window=("20260102T000000Z", "20260101T000000Z")), 403, "valid-scheduling-message"),
            (asked(*[f"mailto:{number}@example.com" for number in range(101)]), 403, "max-attendees-per-instance"),
            ("hello", 403, "valid-calendar-data"),
            (event("an-invitation"), 403, "valid-scheduling-message"),
        ],
    )
    def test_the_precondition_that_is_broken_is_named(self, john: Client, text: str, status: int, condition: str) -> None:
        answer = post(john, text)
        assert (answer.status, answer.condition) == (status, f"{C}{condition}")

    def test_only_calendar_text_is_taken(self, john: Client) -> None:
        for kind in ("application/xml", "text/plain", "application/json"):
            assert post(john, asked(f"mailto:{EMMA.email}"), content_type=kind).condition == f"{C}supported-calendar-data"
        answer = john.ask("POST", OUTBOX, b"BEGIN:VCALENDAR\xff", Content_Type="text/calendar")
        assert answer.condition == f"{C}valid-calendar-data"

    def test_a_stranger_learns_nothing(self, house: House) -> None:
        assert raw(house.port, "POST", OUTBOX, asked(f"mailto:{EMMA.email}"), {"Content-Type": "text/calendar"}).status == 401

    @pytest.mark.parametrize("path", [HOME, INBOX, f"{HERE}a.ics", f"{HOME}private/", "/dav/"])
    def test_nothing_else_is_posted_to(self, john: Client, path: str) -> None:
        assert post(john, asked(f"mailto:{EMMA.email}"), path).status in (400, 403, 404, 405)

    def test_guests_of_a_personal_event_are_nobodys_business_of_ours(self, house: House, john: Client) -> None:
        """Never a second invitation: what a client writes into an event of its own stays text, whoever is asked to send it."""
        for number, agent in enumerate(("", ";SCHEDULE-AGENT=SERVER", ";SCHEDULE-AGENT=CLIENT", ";SCHEDULE-AGENT=NONE")):
            text = event(
                f"g{number}",
                "20261201T090000Z",
                "20261201T100000Z",
                f"ORGANIZER:mailto:{JOHN.email}",
                f"ATTENDEE{agent}:mailto:{ANN.email}",
            )
            assert john.put(f"{HERE}g{number}.ics", text).status == 201
            held = john.get(f"{HERE}g{number}.ics")
            assert held.text == text
            assert "schedule-tag" not in held.headers
        with house.store.read(DEMO) as snapshot:
            assert [letter for change in house.changes() if change.entry for letter in snapshot.letters_of(change.entry)] == []


class TestScheduleTags:
    @pytest.fixture
    def name(self, house: House) -> str:
        return house.book(START)

    @staticmethod
    def tag(john: Client, name: str) -> str:
        answer = john.get(HERE + name)
        told = answer.headers["schedule-tag"]
        for seen in (
            john.propfind(HERE + name, "<C:schedule-tag/>"),
            john.propfind(HERE, "<C:schedule-tag/>", "1"),
            john.multiget(HERE + name, props="<C:schedule-tag/><C:calendar-data/>"),
        ):
            assert seen.responses[HERE + name][f"{C}schedule-tag"] == told
        return told

    @staticmethod
    def moved(text: str) -> str:
        found = text.replace("20261126T110000", "20261126T140000").replace("20261126T113000", "20261126T143000")
        assert found != text
        return found

    @staticmethod
    def marked(text: str, minutes: int = 15) -> str:
        alarm = f"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\nTRIGGER:-PT{minutes}M\r\nEND:VALARM\r\n"
        return text.replace("END:VEVENT", alarm + "END:VEVENT")

    def test_the_tag_changes_when_the_platform_changes_the_appointment(self, house: House, john: Client, name: str) -> None:
        before, entry = self.tag(john, name), house.entry(name)
        assert entry is not None
        with house.store.write(DEMO, SETUP) as tx:
            apply_to(tx, SETUP, entry.id, [Amend(notes="Second floor")], NOW)
        assert self.tag(john, name) != before

    def test_the_tag_stays_when_only_ones_own_marks_change(self, john: Client, name: str) -> None:
        before, held = self.tag(john, name), john.get(HERE + name)
        answer = john.put(HERE + name, self.marked(held.text), If_Match=held.etag)
        assert (answer.status, answer.headers["schedule-tag"]) == (204, before)
        now = john.get(HERE + name)
        assert now.etag != held.etag
        assert "TRIGGER:-PT15M" in now.text
        assert self.tag(john, name) == before

    def test_a_write_goes_through_while_the_tag_holds_though_the_etag_has_changed(self, john: Client, name: str) -> None:
        """DAVx5 sends the tag instead of the ETag once it has seen one."""
        held, tag = john.get(HERE + name), self.tag(john, name)
        assert john.put(HERE + name, self.marked(held.text), If_Match=held.etag).status == 204
        answer = john.put(HERE + name, self.moved(held.text), If_Schedule_Tag_Match=tag)
        assert answer.status == 204
        assert answer.headers["schedule-tag"] != tag
        assert "T140000" in john.get(HERE + name).text

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "MOVE"])
    def test_a_tag_that_no_longer_holds_stops_the_write(self, house: House, john: Client, name: str, method: str) -> None:
        held, tag, entry = john.get(HERE + name), self.tag(john, name), house.entry(name)
        assert isinstance(entry, Appointment)
        with house.store.write(DEMO, SETUP) as tx:
            apply_to(tx, SETUP, entry.id, [Amend(notes="Second floor")], NOW)
        revision = house.revision()
        where = {"Destination": f"{HERE}other.ics"} if method == "MOVE" else {}
        body = self.moved(held.text) if method == "PUT" else ""
        for stale in (tag, '"x"', "x"):
            answer = john.ask(method, HERE + name, body, If_Schedule_Tag_Match=stale, Content_Type="text/calendar", **where)
            assert answer.status == 412
        assert house.revision() == revision

    def test_what_has_no_tag_matches_none(self, john: Client) -> None:
        assert john.put(f"{HERE}p.ics", event("p")).status == 201
        assert "schedule-tag" not in john.get(f"{HERE}p.ics").headers
        assert john.propfind(f"{HERE}p.ics", "<C:schedule-tag/>").missing(f"{HERE}p.ics") == {f"{C}schedule-tag"}
        assert john.put(f"{HERE}p.ics", event("p", summary="x"), If_Schedule_Tag_Match='"x"').status == 412
        assert john.put(f"{HERE}new.ics", event("new"), If_Schedule_Tag_Match='"x"').status == 412

    def test_a_refused_change_leaves_the_tag_and_changes_the_etag(self, house: House, john: Client, name: str) -> None:
        house.book(LATER)
        held, tag = john.get(HERE + name), self.tag(john, name)
        answer = john.put(HERE + name, self.moved(held.text), If_Schedule_Tag_Match=tag)
        assert (answer.status, answer.headers["schedule-tag"]) == (204, tag)
        assert john.get(HERE + name).etag != held.etag

    def test_there_are_none_where_nothing_can_be_written(self, john: Client, name: str) -> None:
        company = f"{HOME}company/"
        [path] = [path for path in john.propfind(company, "<D:getetag/>", "1").responses if path != company]
        assert "schedule-tag" not in john.get(path).headers
        assert john.propfind(path, "<C:schedule-tag/>").missing(path) == {f"{C}schedule-tag"}
