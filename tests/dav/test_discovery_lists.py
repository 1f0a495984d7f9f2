"""What programs ask when they get to know a server: OPTIONS of every kind of place, and the long lists of names that Apple sends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.web.gate import METHODS as KNOWN
from tests.dav.house import CS, HERE, ICAL, JOHN, NOW, SPACES, C, Client, D, House, event, raw

HOME, PRIVATE, COMPANY = "/dav/john-smith/", "/dav/john-smith/private/", "/dav/john-smith/company/"
ME = "{http://me.com/_namespace/}"

OF_CALENDARS = (
    f"{D}add-member {D}current-user-privilege-set {D}displayname {D}getetag {D}owner {D}quota-available-bytes {D}quota-used-bytes "
    f"{D}resource-id {D}resourcetype {D}supported-report-set {D}sync-token {D}current-user-principal "
    f"{C}calendar-availability {C}calendar-description {C}calendar-free-busy-set {C}calendar-timezone {C}calendar-timezone-id "
    f"{C}default-alarm-vevent-date {C}default-alarm-vevent-datetime {C}default-alarm-vtodo-date {C}default-alarm-vtodo-datetime "
    f"{C}max-resource-size {C}schedule-calendar-transp {C}schedule-default-calendar-URL {C}supported-calendar-component-set "
    f"{C}supported-calendar-component-sets {CS}allowed-sharing-modes {CS}checksum-versions {CS}getctag {CS}invite "
    f"{CS}pre-publish-url {CS}publish-url {CS}push-transports {CS}pushkey {CS}source {CS}subscribed-strip-alarms "
    f"{CS}subscribed-strip-attachments {CS}subscribed-strip-todos {CS}xmpp-server {CS}xmpp-uri {ICAL}autoprovisioned "
    f"{ICAL}calendar-color {ICAL}calendar-order {ICAL}language-code {ICAL}location-code {ICAL}refreshrate {ME}bulk-requests"
).split()
OF_PRINCIPALS = (
    f"{D}current-user-principal {D}displayname {D}group-membership {D}principal-collection-set {D}principal-URL {D}resource-id "
    f"{D}supported-report-set {C}calendar-home-set {C}calendar-user-address-set {C}schedule-inbox-URL {C}schedule-outbox-URL "
    f"{CS}calendar-proxy-read-for {CS}calendar-proxy-write-for {CS}dropbox-home-URL {CS}email-address-set {CS}notification-URL "
    f"{CS}xmpp-uri"
).split()


def asked(names: list[str]) -> str:
    found = (name[1:].partition("}") for name in names)
    return "".join(f'<X:{local} xmlns:X="{space}"/>' for space, _, local in found)


class TestOptions:
    @pytest.fixture
    def places(self, house: House, john: Client) -> list[str]:
        john.ask("MKCALENDAR", PRIVATE)
        john.put(PRIVATE + "a.ics", event("a@example.com"))
        name = house.book(NOW + timedelta(days=1))
        [seen] = john.sync(path=COMPANY).responses
        return ["/", "/dav/", HOME, "/dav/emma-morris/", HERE, PRIVATE, COMPANY, HERE + name, PRIVATE + "a.ics", seen]

    def test_what_is_not_allowed_is_not_done_and_what_is_allowed_is_answered(self, house: House, john: Client, places: list[str]) -> None:
        for path in reversed(places):
            allowed = raw(house.port, "OPTIONS", path).headers["allow"].split(", ")
            assert set(allowed) <= set(KNOWN)
            for method in KNOWN:
                body = ""
                if method == "REPORT":
                    body = f'<D:expand-property {SPACES}><D:property name="displayname"/></D:expand-property>'
                answer = john.ask(
                    method, path, body, Destination=HERE + "copy.ics", If_Match='"never"' if method in ("PUT", "DELETE") else None
                )
                if method not in allowed:
                    assert answer.status >= 400, (method, path)
                elif method not in ("MKCOL", "MKCALENDAR"):  # which are for what is not there yet
                    assert answer.status not in (405, 501), (method, path)

    def test_a_method_that_is_not_allowed_is_told_which_are(self, john: Client, places: list[str]) -> None:
        for path, method in (("/dav/", "GET"), (HOME, "GET"), (HERE, "PUT"), (HOME, "MKCALENDAR"), (PRIVATE, "MKCOL")):
            answer = john.ask(method, path)
            assert answer.status == 405
            allowed = answer.headers["allow"].split(", ")
            assert method not in allowed
            assert {"OPTIONS", "PROPFIND", "REPORT"} <= set(allowed)

    def test_a_stranger_learns_only_what_the_path_itself_says(self, house: House) -> None:
        for mine, nobodys in (
            (HOME, "/dav/nobody/"),
            (HERE, "/dav/nobody/appointments/"),
            (HERE + "a.ics", "/dav/nobody/appointments/a.ics"),
        ):
            answers = [raw(house.port, "OPTIONS", path) for path in (mine, nobodys)]
            assert len({(answer.status, answer.headers["allow"], answer.headers["dav"]) for answer in answers}) == 1


class TestLists:
    def test_every_name_that_macos_asks_of_a_home_is_answered(self, john: Client) -> None:
        answer = john.propfind(HOME, asked(OF_CALENDARS), "1")
        assert {HOME, HERE, f"{HOME}group-front/", COMPANY} <= set(answer.responses)
        for path, found in answer.responses.items():
            assert set(found) | answer.missing(path) == set(OF_CALENDARS)
            assert not set(found) & answer.missing(path)
        assert answer.responses[HERE][f"{CS}getctag"] == answer.responses[HERE][f"{D}getetag"]
        assert {f"{D}quota-used-bytes", f"{CS}invite", f"{CS}publish-url", f"{D}add-member"} <= answer.missing(HERE)
        assert int(answer.headers["content-length"]) == len(answer.body)

    def test_every_name_that_is_asked_of_a_principal_is_answered(self, john: Client) -> None:
        for path in ("/", "/dav/", HOME, "/dav/emma-morris/"):
            answer = john.propfind(path, asked(OF_PRINCIPALS))
            assert set(answer.responses[path]) | answer.missing(path) == set(OF_PRINCIPALS)

    def test_every_name_is_answered_of_an_object_too(self, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com"))
        answer = john.propfind(HERE, asked([*OF_CALENDARS, *OF_PRINCIPALS]), "1")
        names = {*OF_CALENDARS, *OF_PRINCIPALS}
        assert all(set(found) | answer.missing(path) == names for path, found in answer.responses.items())
        assert len(answer.responses) == 2

    def test_allprop_tells_what_webdav_knows_and_what_include_adds(self, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com"))
        patch = (
            f"<D:propertyupdate {SPACES}><D:set><D:prop><I:calendar-color>#00ff00</I:calendar-color></D:prop></D:set></D:propertyupdate>"
        )
        john.ask("PROPPATCH", HERE, patch)
        for body in ("", f"<D:propfind {SPACES}><D:allprop/></D:propfind>"):
            answer = john.ask("PROPFIND", HERE, body, Depth="1").responses
            assert set(answer[HERE]) == {f"{D}resourcetype", f"{D}displayname", f"{D}getetag", f"{ICAL}calendar-color"}
            assert set(answer[HERE + "a.ics"]) == {f"{D}resourcetype", f"{D}getetag", f"{D}getcontenttype", f"{D}getcontentlength"}
            assert answer[HERE + "a.ics"][f"{D}getcontentlength"] == str(len(event("a@example.com")))
        include = f"<D:propfind {SPACES}><D:allprop/><D:include><CS:getctag/><D:no-such/><D:getetag/></D:include></D:propfind>"
        answered = john.ask("PROPFIND", HERE, include)
        assert f"{CS}getctag" in answered.responses[HERE]
        assert answered.missing(HERE) == {f"{D}no-such"}

    def test_propname_names_everything_there_is(self, john: Client) -> None:
        found = john.ask("PROPFIND", HERE, f"<D:propfind {SPACES}><D:propname/></D:propfind>").responses[HERE]
        assert {f"{D}sync-token", f"{CS}getctag", f"{C}max-instances", f"{D}acl"} <= set(found)
        values = john.propfind(HERE, asked(sorted(found)))
        assert values.missing(HERE) == set()

    def test_limits_are_told_as_they_are(self, john: Client) -> None:
        names = "<C:max-resource-size/><C:max-instances/><C:max-attendees-per-instance/><C:min-date-time/><C:max-date-time/>"
        found = john.propfind(HERE, names).responses[HERE]
        assert found == {
            f"{C}max-resource-size": "1048576",
            f"{C}max-instances": "3000",
            f"{C}max-attendees-per-instance": "100",
            f"{C}min-date-time": "19000101T000000Z",
            f"{C}max-date-time": "21991231T235959Z",
        }
        assert found[f"{C}max-attendees-per-instance"] == "100"
        guests = ("ATTENDEE:mailto:{}@example.com",)
        for number, status in ((100, 201), (101, 403)):
            lines = [guests[0].format(guest) for guest in range(number)]
            assert (
                john.put(f"{HERE}{number}.ics", event(f"{number}@example.com", "20261126T090000Z", "20261126T100000Z", *lines)).status
                == status
            )


class TestAttributes:
    def patch(self, john: Client, inner: str, action: str = "set") -> int:
        body = f"<D:propertyupdate {SPACES}><D:{action}><D:prop>{inner}</D:prop></D:{action}></D:propertyupdate>"
        return john.ask("PROPPATCH", HERE, body, Prefer="return=minimal").status

    def test_the_name_of_a_colour_and_a_language_are_kept(self, john: Client) -> None:
        colour = '<I:calendar-color symbolic-color="a &quot;b&quot; &lt;">#FF2968FF</I:calendar-color>'
        text = '<C:calendar-description xml:lang="fr">Été</C:calendar-description>'
        strange = '<X:note xmlns:X="urn:x" xmlns:Y="urn:y" Y:k="1" k="2"><X:b/></X:note>'
        assert self.patch(john, colour + text + strange) == 200
        answer = john.propfind(HERE, '<I:calendar-color/><C:calendar-description/><X:note xmlns:X="urn:x"/><D:displayname/>')
        assert answer.element(HERE, f"{ICAL}calendar-color").get("symbolic-color") == 'a "b" <'
        assert answer.element(HERE, f"{C}calendar-description").get("{http://www.w3.org/XML/1998/namespace}lang") == "fr"
        assert dict(answer.element(HERE, "{urn:x}note").items()) == {"{urn:y}k": "1", "k": "2"}
        names = john.ask("PROPFIND", HERE, f"<D:propfind {SPACES}><D:propname/></D:propfind>").responses[HERE]
        assert not [name for name in names if "@" in name]
        assert self.patch(john, "<I:calendar-color>#00ff00</I:calendar-color>") == 200
        assert john.propfind(HERE, "<I:calendar-color/>").element(HERE, f"{ICAL}calendar-color").keys() == []
        assert self.patch(john, "<C:calendar-description/>", "remove") == 200
        assert john.propfind(HERE, "<C:calendar-description/>").missing(HERE) == {f"{C}calendar-description"}

    def test_the_viewer_of_a_principal_is_named_in_it(self, john: Client) -> None:
        assert john.propfind(HOME, "<D:displayname/>").responses[HOME][f"{D}displayname"] == JOHN.name
