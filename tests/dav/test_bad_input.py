"""Bad input: a 4xx with a DAV error body or a sentence, nothing changed, no traceback, and the next request is fine."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from tests.dav.hostile import PROPFIND, refused, say
from tests.dav.house import DEMO, HERE, JOHN, NOW, PASSWORD, SETUP, Client, House, event, raw


class TestCollections:
    @pytest.mark.parametrize("path", ["%2e", "%2E", "%2e/", ".", "./", "", "%2e%2e", "..", "%2e%2e/appointments/", "a/..", "/", "//x.ics"])
    def test_a_put_on_a_calendar_in_any_spelling_is_refused(self, calm: House, john: Client, path: str) -> None:
        whole = event("mine@example.com") + event("other@example.com")
        refused(john.put(HERE + path, whole), 400, 403, 405, 409)
        refused(john.put(HERE + path, ""), 400, 403, 405, 409)

    @pytest.mark.parametrize(
        "path", ["/dav/", "/dav", "/dav/john-smith/", "/dav/john-smith", HERE, HERE.rstrip("/"), "/dav/john-smith/company/"]
    )
    def test_a_put_on_what_is_no_object_is_refused(self, calm: House, john: Client, path: str) -> None:
        refused(john.put(path, event("x@example.com")), 403, 405, 409)

    def test_a_put_into_a_calendar_that_is_not_there_is_refused(self, calm: House, john: Client) -> None:
        refused(john.put("/dav/john-smith/nowhere/x.ics", event("x@example.com")), 409)

    def test_a_put_below_an_object_is_refused(self, calm: House, john: Client) -> None:
        refused(john.put(HERE + "mine.ics/x.ics", event("x@example.com")), 404, 409)

    @pytest.mark.parametrize("path", ["/dav/", "/dav/john-smith/", HERE, "/dav/john-smith/company/", f"{HERE}%2e"])
    @pytest.mark.parametrize("method", ["DELETE", "MKCALENDAR", "MKCOL", "MOVE", "COPY"])
    def test_no_method_overwrites_or_removes_what_the_platform_owns(self, calm: House, john: Client, path: str, method: str) -> None:
        refused(john.ask(method, path, Destination=HERE + "x.ics", Overwrite="T"), 400, 403, 405)


class TestXml:
    @pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH", "MKCALENDAR"])
    @pytest.mark.parametrize(
        "body",
        [
            '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><D:propfind xmlns:D="DAV:"><D:prop>&b;</D:prop></D:propfind>',
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><D:propfind xmlns:D="DAV:">&e;</D:propfind>',
            '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/canary.dtd"><D:propfind xmlns:D="DAV:"/>',
            "<a><b></a>",
            "not xml",
            '{"json": true}',
            "<a/>",
            '<propfind xmlns="urn:other"/>',
            "<a>" * 40_000,
            "<a>" * 1000 + "</a>" * 1000,
            '<?xml version="1.0" encoding="rot13"?><a/>',
            "<a>\x00</a>",
            "<a>&#1;</a>",
            "<x:a/>",
        ],
    )
    def test_broken_or_dangerous_xml_is_refused(self, calm: House, john: Client, method: str, body: str) -> None:
        path = "/dav/john-smith/new/" if method == "MKCALENDAR" else HERE
        answer = john.ask(method, path, body)
        refused(answer, 400, 403)
        assert b"root:" not in answer.body

    def test_xml_that_is_not_utf_8_is_refused(self, calm: House, john: Client) -> None:
        refused(john.ask("PROPFIND", HERE, b"<a>\xff</a>"), 400)
        refused(john.ask("PROPFIND", HERE, PROPFIND.format("<D:getetag/>").encode("utf-16")), 400)

    def test_xml_over_the_limit_is_refused(self, calm: House, john: Client) -> None:
        refused(john.ask("PROPFIND", HERE, PROPFIND.format("<D:getetag/>" * 30_000)), 413)

    def test_too_many_properties_are_refused(self, calm: House, john: Client) -> None:
        refused(john.ask("PROPFIND", HERE, PROPFIND.format("".join(f"<D:p{number}/>" for number in range(1000)))), 400)

    def test_a_strange_namespace_is_echoed_in_well_formed_xml(self, calm: House, john: Client) -> None:
        names = '<X:a xmlns:X="urn:{&quot;&lt;"/><b xmlns=""/><Y:c xmlns:Y="' + "n" * 5000 + '"/>'
        answer = john.ask("PROPFIND", HERE, PROPFIND.format(names), Depth="0")
        assert answer.status == 207
        assert len(answer.missing(HERE)) == 3


class TestCalendars:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "hello",
            "<html></html>",
            "{}",
            "BEGIN:VCALENDAR",
            "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n",
            event("a@example.com")[:-20],
            event("a@example.com") + event("b@example.com"),
            event("a@example.com").replace("UID:a@example.com\r\n", ""),
            event("a@example.com").replace("20261126T090000Z", "20261399T990000Z"),
            event("a@example.com").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"),
            event("a@example.com").replace("VEVENT", "VTIMEZONE"),
            event("a@example.com").replace("VEVENT", "VFREEBUSY"),
            event("a@example.com", "20261126T090000Z", "20261126T080000Z"),
            event("a@example.com", summary="nul\x00"),
            event("a@example.com", summary="bell\x07"),
            event("a@example.com", summary="\ufffe"),
            "BEGIN:VEVENT\r\n" * 30_000,
        ],
    )  # fmt: skip
    def test_what_is_no_calendar_object_is_refused(self, calm: House, john: Client, text: str) -> None:
        refused(john.put(HERE + "bad.ics", text), 400, 403)
        refused(john.put(HERE + "mine.ics", text), 400, 403)

    @pytest.mark.parametrize(
        "text", [b"\xff\xfe", event("a@x", summary="é").encode("latin-1"), event("a@x").encode("utf-16"), b"\xed\xa0\x80"]
    )
    def test_what_is_not_utf_8_is_refused(self, calm: House, john: Client, text: bytes) -> None:
        refused(john.put(HERE + "bad.ics", text), 400, 403)

    @pytest.mark.parametrize(
        "rule",
        [
            "FREQ=SECONDLY",
            "FREQ=SECONDLY;COUNT=1000000000",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=NEVER",
            "COUNT=5",
        ],
    )
    def test_an_endless_or_senseless_rule_costs_nothing(self, house: House, john: Client, rule: str) -> None:
        answer = john.put(HERE + "rule.ics", event("rule@example.com", "20261126T090000Z", "20261126T090001Z", f"RRULE:{rule}"))
        assert answer.status in (201, 400, 403)
        window = '<C:comp-filter name="VEVENT"><C:time-range start="20261101T000000Z" end="20270101T000000Z"/></C:comp-filter>'
        assert john.query(window).status == 207
        assert john.sync(props="<C:calendar-data/>").status == 207
        assert john.ask("DELETE", HERE + "rule.ics").status in (204, 404)

    @pytest.mark.parametrize("zone", ["Nowhere/Land", "../../../../etc/passwd", "/etc/passwd", "localtime", "X" * 10_000])
    def test_a_wrong_zone_name_is_refused_or_read_as_something_and_never_opened(self, house: House, john: Client, zone: str) -> None:
        text = event("zone@example.com").replace("DTSTART:20261126T090000Z", f"DTSTART;TZID={zone}:20261126T090000")
        text = text.replace("DTEND:20261126T100000Z", f"DTEND;TZID={zone}:20261126T100000")
        answer = john.put(HERE + "zone.ics", text)
        assert answer.status in (201, 400, 403)
        assert "root:" not in answer.text
        assert john.sync(props="<C:calendar-data/>").status == 207

    def test_a_body_over_the_limit_is_refused(self, calm: House, john: Client) -> None:
        refused(john.put(HERE + "big.ics", event("a@example.com", summary="x" * 1_100_000)), 413)

    @pytest.mark.parametrize("kind", ["application/json", "text/html", "text/vcard", "image/png"])
    def test_another_kind_of_content_is_refused(self, calm: House, john: Client, kind: str) -> None:
        refused(john.put(HERE + "bad.ics", event("a@example.com"), Content_Type=kind), 403, 415)

    @pytest.mark.parametrize(
        ("header", "value", "status"),
        [
            ("Content_Encoding", "gzip", 415),
            ("Content_Type", "text/calendar; charset=rot13", 415),
            ("Content_Type", "text/calendar; charset=iso-8859-1", 415),
            ("Content_Range", "bytes 0-10/100", 400),
            ("Depth", "abc", 400),
            ("If_Match", '"x"', 412),
        ],
    )
    def test_headers_that_change_the_meaning_are_refused(self, calm: House, john: Client, header: str, value: str, status: int) -> None:
        refused(john.put(HERE + "mine.ics", event("mine@example.com", summary="x"), **{header: value}), status)


class TestLogin:
    @pytest.mark.parametrize(
        "value",
        [
            "Basic", "Basic ", "Basic !!!", "Basic YWJj", "Basic " + base64.b64encode(b"john:\xff\xfe").decode(),
            "Basic " + base64.b64encode(b":").decode(), "Basic " + base64.b64encode(b"a\x00b:c").decode(), "Basic " + "A" * 4000,
            "Bearer eyJhbGciOiJub25lIn0.e30.", "Negotiate x", "Basic YTpi, Basic YTpi", "\x7f", "Digest username=john", "Basic YTpi=",
        ],
    )  # fmt: skip
    def test_a_malformed_login_is_turned_away(self, calm: House, value: str) -> None:
        answer = raw(calm.port, "PROPFIND", HERE, PROPFIND.format("<D:getetag/>"), {"Authorization": value})
        assert answer.status in (400, 401)
        assert "www-authenticate" in answer.headers or answer.status == 400

    def test_wrong_passwords_are_answered_at_once_and_the_right_one_always_passes(self, calm: House) -> None:
        wrong, right = calm.client(password="wrong"), calm.client()
        statuses = [wrong.ask("PROPFIND", HERE, Depth="0").status for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        answer = wrong.ask("PROPFIND", HERE, Depth="0")
        assert int(answer.headers["retry-after"]) <= 61
        assert right.ask("PROPFIND", HERE, Depth="0").status == 207
        calm.clock.now += timedelta(seconds=61)
        assert wrong.ask("PROPFIND", HERE, Depth="0").status == 401

    def test_an_unknown_account_is_answered_like_a_known_one(self, calm: House) -> None:
        known = calm.client(password="wrong").ask("PROPFIND", HERE)
        unknown = Client(calm, "nobody", "wrong").ask("PROPFIND", HERE)
        assert (known.status, known.body) == (unknown.status, unknown.body)
        assert {**known.headers, "x-request-id": "", "date": ""} == {**unknown.headers, "x-request-id": "", "date": ""}

    def test_a_password_opens_one_home(self, calm: House) -> None:
        assert Client(calm, "emma-morris", PASSWORD.format("john")).ask("PROPFIND", "/dav/").status == 401
        assert Client(calm, "", PASSWORD.format("john")).ask("PROPFIND", "/dav/").status == 401

    def test_a_revoked_password_ends_with_the_next_request(self, calm: House) -> None:
        with calm.store.write(DEMO, SETUP) as tx:
            phone_id = tx.add_app_password(JOHN.id, "phone", "another-password-for-john", NOW)
        phone = calm.client(password="another-password-for-john")
        assert phone.ask("PROPFIND", HERE, Depth="0").status == 207
        with calm.store.write(DEMO, SETUP) as tx:
            tx.revoke_app_password(phone_id, NOW)
        assert phone.ask("PROPFIND", HERE, Depth="0").status == 401

    @pytest.mark.parametrize("header", ["X-Remote-User", "Remote-User", "X-Forwarded-User", "X-Script-Name", "X-Forwarded-Host"])
    def test_headers_of_proxies_mean_nothing(self, calm: House, john: Client, header: str) -> None:
        assert raw(calm.port, "PROPFIND", HERE, headers={header: "john-smith"}).status == 401
        answer = john.ask("PROPFIND", HERE, Depth="0", **{header: "//evil.invalid"})
        assert answer.status == 207
        assert "evil" not in answer.text


class TestWire:
    """What http.client would never send."""

    def put(self, john: Client, *headers: str, body: str = "") -> bytes:
        head = [f"PUT {HERE}x.ics HTTP/1.1", "Host: localhost", f"Authorization: {john.credentials}", "Connection: close", *headers]
        return say(john.house.port, "\r\n".join([*head, "", body]).encode())

    def test_a_chunked_body_is_a_body(self, house: House, john: Client) -> None:
        text = event("chunked@example.com")
        chunks = "".join(f"{len(part):x}\r\n{part}\r\n" for part in (text[:100], text[100:])) + "0\r\n\r\n"
        assert self.put(john, "Transfer-Encoding: chunked", body=chunks).startswith(b"HTTP/1.1 201")
        assert john.get(HERE + "x.ics").text == text

    @pytest.mark.parametrize(
        "headers",
        [
            ["Content-Length: 5", "Transfer-Encoding: chunked"], ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: -1"],
            ["Content-Length: +5"], ["Content-Length: 0x5"], ["Content-Length: 1_0"], ["Content-Length: ٣"], ["Content-Length: " + "9" * 9],
            ["Transfer-Encoding: x"], ["Bad Header: x"], [" Folded: x"], ["X: a\x00b"], ["Host: two.example.com"], ["X: " + "y" * 70_000],
        ],
    )  # fmt: skip
    def test_a_malformed_head_is_refused_in_one_answer(self, calm: House, john: Client, headers: list[str]) -> None:
        answer = self.put(john, *headers, body="0\r\n\r\n")
        assert answer.startswith(b"HTTP/1."), answer
        assert answer[9:10] == b"4", answer[:200]
        assert answer.count(b"HTTP/1.") == 1

    @pytest.mark.parametrize(
        "line", ["PRI * HTTP/2.0", "GET /dav/", "CONNECT x.invalid:80 HTTP/1.1", "TRACE /dav/ HTTP/1.1", "GET /dav/ HTTP/9.9"]
    )
    def test_a_strange_request_line_is_refused(self, calm: House, line: str) -> None:
        answer = say(calm.port, f"{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert answer == b"" or answer[9:10] in (b"4", b"5")

    def test_a_stranger_with_a_large_body_is_turned_away_before_it_is_read(self, calm: House) -> None:
        head = f"PUT {HERE}x.ics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n"
        assert say(calm.port, head.encode()).startswith(b"HTTP/1.1 401")
