"""What is announced of WebDAV-Push, and how devices register: as DAVx⁵ does, as the draft has it, and as nobody should."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest

from gateway.webpush import decoded
from tests.dav.house import DEMO, EMMA, HERE, JOHN, NOW, READ_ONLY, SETUP, TAYLOR, Client, D, event, opened
from tests.push.house import CONTENTS, PROPERTIES, PUBLIC_URL, Device, Office, P, post, registered, wish

ASKED = '<P:transports xmlns:P="https://bitfire.at/webdav-push"/><P:topic xmlns:P="https://bitfire.at/webdav-push"/>' + (
    '<P:supported-triggers xmlns:P="https://bitfire.at/webdav-push"/>'
)
COMPANY, GROUP = "/dav/john-smith/company/", "/dav/john-smith/group-front/"


def topic(client: Client, path: str = HERE) -> str:
    return client.propfind(path, ASKED).responses[path][f"{P}topic"]


def until(answered: dict[str, str]) -> datetime:
    return parsedate_to_datetime(answered["expires"])


class TestAnnouncing:
    def test_the_dav_header_says_so_everywhere(self, john: Client) -> None:
        for path in (HERE, "/dav/john-smith/", "/dav/"):
            assert "webdav-push" in [each.strip() for each in john.ask("OPTIONS", path).headers["dav"].split(",")]
        assert "POST" in john.ask("OPTIONS", HERE).headers["allow"]

    def test_a_calendar_names_transport_key_topic_and_triggers(self, office: Office, john: Client) -> None:
        answer = john.propfind(HERE, ASKED)
        transports, triggers = (answer.element(HERE, f"{P}{name}") for name in ("transports", "supported-triggers"))
        key = transports.find(f"{P}web-push/{P}vapid-public-key")
        assert key is not None
        assert (key.get("type"), key.text) == ("p256ecdsa", office.vapid.public)
        assert len(decoded(key.text or "")) == 65
        assert triggers.findtext(f"{P}content-update/{D}depth") == "1"
        assert triggers.findtext(f"{P}property-update/{D}depth") == "0"
        assert len(topic(john)) == 22

    def test_a_topic_stays_and_is_its_own_for_every_calendar_and_everybody(self, office: Office, john: Client) -> None:
        emma = office.house.client(EMMA)
        john.ask("MKCALENDAR", "/dav/john-smith/private/")
        seen = [topic(john, path) for path in (HERE, COMPANY, GROUP, "/dav/john-smith/private/")]
        seen += [topic(emma, f"/dav/emma-morris/{slug}/") for slug in ("appointments", "company", "group-front")]
        assert len(set(seen)) == 7
        john.put(HERE + "a.ics", event("a"))
        assert topic(john) == seen[0]

    def test_a_calendar_that_was_made_anew_under_the_same_name_is_another_topic(self, john: Client) -> None:
        path = "/dav/john-smith/private/"
        john.ask("MKCALENDAR", path)
        before = topic(john, path)
        john.ask("DELETE", path)
        john.ask("MKCALENDAR", path)
        assert topic(john, path) != before

    @pytest.mark.parametrize("path", ["/dav/", "/dav/john-smith/"])
    def test_what_cannot_be_subscribed_to_does_not_say_so(self, john: Client, path: str) -> None:
        assert john.propfind(path, ASKED).missing(path) >= {f"{P}transports", f"{P}topic", f"{P}supported-triggers"}

    def test_nobody_sets_these_properties(self, john: Client) -> None:
        body = f'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>{ASKED}</D:prop></D:set></D:propertyupdate>'
        assert john.ask("PROPPATCH", HERE, body).missing(HERE, "403") == {f"{P}transports", f"{P}topic", f"{P}supported-triggers"}


class TestRegistering:
    def test_a_device_registers_as_davx5_does(self, office: Office, john: Client) -> None:
        body = wish(office.service.url(), Device(), expires=format_datetime(NOW + timedelta(days=3), usegmt=True))
        answer = post(john, body)
        assert (answer.status, answer.body) == (204, b"")
        assert answer.headers["location"].startswith(f"{PUBLIC_URL}/dav/john-smith/push-registrations/")
        assert until(dict(answer.headers)) == NOW + timedelta(days=3)

    def test_a_newer_one_that_says_what_it_wants_too(self, office: Office, john: Client) -> None:
        more = "<n0:content-encoding>aes128gcm</n0:content-encoding>"
        assert post(john, wish(office.service.url(), Device(), trigger=CONTENTS, more=more)).status == 204

    def test_the_same_push_service_and_calendar_again_is_the_same_registration(self, office: Office, john: Client) -> None:
        first = registered(john, office.service.url())
        office.later(timedelta(days=1))
        again = registered(john, office.service.url(), trigger=PROPERTIES)
        other = registered(john, office.service.url(), COMPANY)
        assert again.path == first.path
        assert other.path != first.path
        assert until(dict(again.answer.headers)) == until(dict(first.answer.headers)) + timedelta(days=1)

    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            ("", timedelta(days=7)),
            ("soon", timedelta(days=7)),
            ("Tue, 24 Nov 2020 08:00:00 GMT", timedelta(hours=1)),
            ("Tue, 24 Nov 9999 08:00:00 GMT", timedelta(days=30)),
            ("Fri, 27 Nov 2026 08:00:00 GMT", timedelta(days=3)),
        ],
    )
    def test_a_registration_lasts_as_long_as_was_asked_within_reason(
        self, office: Office, john: Client, asked: str, given: timedelta
    ) -> None:
        answer = post(john, wish(office.service.url(), Device(), expires=asked))
        assert until(dict(answer.headers)) == NOW + given

    def test_reading_is_all_a_password_must_be_good_for(self, office: Office) -> None:
        reading = office.house.client(JOHN, READ_ONLY)
        path = registered(reading, office.service.url()).path
        assert reading.put(HERE + "a.ics", event("a")).status == 403
        assert reading.ask("DELETE", path).status == 204

    def test_a_password_for_one_calendar_registers_there_and_ends_it(self, office: Office) -> None:
        with office.house.store.write(DEMO, SETUP) as tx:
            tx.add_app_password(JOHN.id, "one", "only-for-one-calendar", NOW, calendar="appointments")
        one = office.house.client(JOHN, "only-for-one-calendar")
        path = registered(one, office.service.url()).path
        assert post(one, wish(office.service.url(), Device()), COMPANY).status == 404
        assert one.ask("DELETE", path).status == 204

    def test_whoever_wants_nothing_in_particular_is_told_of_everything(self, office: Office, john: Client) -> None:
        for trigger in ("", "<n0:trigger/>"):
            assert post(john, wish(office.service.url(), Device(), trigger=trigger)).status == 204

    def test_a_trigger_that_nobody_knows_is_refused_and_beside_another_passed_over(self, office: Office, john: Client) -> None:
        answer = post(john, wish(office.service.url(), Device(), trigger="<n0:trigger><n0:weather-update/></n0:trigger>"))
        assert (answer.status, answer.condition) == (403, f"{P}no-supported-trigger")
        both = "<n0:trigger><n0:weather-update/><n0:content-update><D:depth>infinity</D:depth></n0:content-update></n0:trigger>"
        assert post(john, wish(office.service.url(), Device(), trigger=both)).status == 204

    def test_of_too_many_registrations_those_that_end_first_give_way(self, office: Office, john: Client) -> None:
        first = registered(john, office.service.url("0"))
        others = []
        for number in range(1, 101):
            office.later(timedelta(seconds=1))
            others.append(registered(john, office.service.url(str(number))))
        assert john.ask("DELETE", first.path).status == 404
        assert john.ask("DELETE", others[0].path).status == 204
        assert john.ask("DELETE", others[-1].path).status == 204


class TestTurnedAway:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('type="p256dh">', 'type="p521">'),
            ("n0:subscription-public-key", "n0:another-key"),
            ("n0:auth-secret", "n0:another-secret"),
            ("n0:push-resource", "n0:another-resource"),
            ("n0:web-push-subscription", "n0:apns-subscription"),
            ("<n0:auth-secret>", "<n0:auth-secret>AAAA"),
            ('type="p256dh">', 'type="p256dh">AAAA'),
            ('type="p256dh">', 'type="p256dh">***'),
            ("</n0:push-resource>", "</n0:push-resource><n0:content-encoding>aesgcm</n0:content-encoding>"),
        ],
    )
    def test_a_subscription_that_is_none_is_refused(self, office: Office, john: Client, old: str, new: str) -> None:
        answer = post(john, wish(office.service.url(), Device()).replace(old, new))
        assert (answer.status, answer.condition) == (403, f"{P}invalid-subscription")

    @pytest.mark.parametrize(
        "url",
        [
            "http://8.8.8.8/",
            "https://169.254.169.254/",
            "https://[::ffff:127.0.0.1]/",
            "file:///etc/passwd",
            "https://a@b.example/",
            "",
            "x",
        ],
    )
    def test_an_address_that_nobody_may_have_us_call_is_refused_at_once(self, office: Office, john: Client, url: str) -> None:
        answer = post(john, wish(url, Device()))
        assert (answer.status, answer.condition) == (403, f"{P}invalid-subscription")

    @pytest.mark.parametrize("path", ["/dav/john-smith/", "/dav/", HERE + "a.ics"])
    def test_only_calendars_are_subscribed_to(self, office: Office, john: Client, path: str) -> None:
        assert post(john, wish(office.service.url(), Device()), path).status == 405

    @pytest.mark.parametrize("path", ["/dav/john-smith/nothing/", "/dav/emma-morris/appointments/", "/dav/taylor/appointments/"])
    def test_other_peoples_calendars_are_as_if_they_did_not_exist(self, office: Office, john: Client, path: str) -> None:
        assert post(john, wish(office.service.url(), Device()), path).status == 404

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ("", 400),
            ("<a/>", 400),
            ("<push-register/>", 400),
            ('<push-register xmlns="https://bitfire.at/webdav-push"/>', 403),
            ('<!DOCTYPE x [<!ENTITY a "b">]><push-register xmlns="https://bitfire.at/webdav-push">&a;</push-register>', 400),
            ("BEGIN:VCALENDAR", 400),
            ('<push-register xmlns="https://bitfire.at/webdav-push">' + "<a>" * 40 + "</a>" * 40 + "</push-register>", 400),
        ],
    )
    def test_a_body_that_is_none_is_refused(self, john: Client, body: str, status: int) -> None:
        assert post(john, body).status == status

    def test_a_stranger_is_asked_to_log_in(self, office: Office, john: Client) -> None:
        body = wish(office.service.url(), Device())
        assert john.ask("POST", HERE, body, Authorization=None).status == 401
        assert office.house.client(JOHN, "wrong").ask("POST", HERE, body).status == 401

    def test_no_calendar_takes_the_place_of_the_registrations(self, john: Client) -> None:
        answer = john.ask("MKCALENDAR", "/dav/john-smith/push-registrations/")
        assert (answer.status, answer.condition) == (403, f"{D}resource-must-be-null")
        assert john.put("/dav/john-smith/push-registrations/a.ics", event("a")).status == 409


class TestEnding:
    def test_a_device_ends_its_registration_once(self, office: Office, john: Client) -> None:
        path = registered(john, office.service.url()).path
        assert john.ask("OPTIONS", path).headers["allow"] == "OPTIONS, DELETE"
        assert john.ask("DELETE", path).status == 204
        assert john.ask("DELETE", path).status == 404

    def test_one_that_is_over_is_unknown(self, office: Office, john: Client) -> None:
        path = registered(john, office.service.url()).path
        office.later(timedelta(days=7))
        assert john.ask("DELETE", path).status == 404

    def test_somebody_elses_is_as_unknown_as_none(self, office: Office, john: Client) -> None:
        path = registered(john, office.service.url()).path
        emma, taylor = office.house.client(EMMA), office.house.client(TAYLOR)
        mine = path.replace("john-smith", "emma-morris")
        for client, at in ((emma, path), (emma, mine), (taylor, path), (taylor, path.replace("john-smith", "taylor"))):
            other = client.ask("DELETE", at)
            nothing = client.ask("DELETE", at[:-1] + ("0" if at[-1] != "0" else "1"))
            assert (other.status, other.body) == (nothing.status, nothing.body) == (404, other.body)
        assert john.ask("DELETE", path).status == 204

    @pytest.mark.parametrize("method", ["GET", "PROPFIND", "PUT", "MOVE", "COPY", "REPORT"])
    def test_nothing_else_can_be_done_with_one(self, office: Office, john: Client, method: str) -> None:
        path = registered(john, office.service.url()).path
        assert john.ask(method, path, Destination=f"http://127.0.0.1:{office.house.port}{HERE}x.ics").status in (400, 403, 404, 405, 409)
        assert john.ask("DELETE", path).status == 204

    def test_registrations_are_listed_nowhere(self, office: Office, john: Client) -> None:
        path = registered(john, office.service.url()).path
        listed = john.propfind("/dav/john-smith/", "<D:resourcetype/>", "1").responses
        assert not any(each.startswith(path.rpartition("/")[0]) for each in listed)


def test_where_nobody_is_told_nothing_is_announced(office: Office) -> None:
    """`push.enabled = false`: the DAV header and the properties are silent, and a registration is turned down in the draft's words."""
    with opened(office.house.store) as silent:
        john = silent.client()
        assert "webdav-push" not in john.ask("OPTIONS", HERE).headers["dav"]
        assert john.propfind(HERE, ASKED).missing(HERE) >= {f"{P}topic"}
        answer = post(john, wish(office.service.url(), Device()))
        assert (answer.status, answer.condition) == (403, f"{P}push-not-available")
