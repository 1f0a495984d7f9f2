"""Addresses as an attack: a name is a key and nothing else, a condition holds or nothing happens, and other companies are not there."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.dav.hostile import head_of, refused, say
from tests.dav.house import DEMO, HERE, NOW, OTHER, SPACES, TAYLOR, Answer, C, Client, D, House, event

PRIVATE = "/dav/john-smith/private/"
THEIRS = "/dav/taylor/appointments/"
NAMES = (
    "a.ics", "a b.ics", "é.ics", "e\u0301.ics", "\U0001f600.ics", "a?b.ics", "a#b.ics", "a%b.ics", "a%2e.ics", "%2e%2e", "%252e",
    "..a", "a..", "...", ".git", ".htaccess", "CON", "nul.ics", "a:b", "C:", "~", "~root", "a;b=c", "a,b", "a&b", "a=b", "'", '"',
    "<b>", "a|b", "$(x)", "`x`", "{0}", "*", "[a]", "@", "' OR 1=1 --", "x" * 255, "é" * 127, "a\u2028b", "\u3000", "\xa0a", " a ",
    "__class__", "appointments", "a.ics.lock", "Radicale.props", ".Radicale.cache", "-", "0",
)  # fmt: skip
HIDDEN = (
    "%2e", "%2e%2e", "..%2fx", "..%5cx", "a%2fb", "a%5cb", "%00", "a%00.ics", "%0d%0aX:y", "%0a", "%c0%ae%c0%ae", "%c0%af", "%ff",
    "%ed%a0%80", "%7f", "%c2%85", "%e2%80%ae", "%ef%bb%bf", "%e2%80%8d", "..;/x", ".git/config", "a/", "x" * 256, "x" * 5000, "%",
    "%zz", "%u002e",
)  # fmt: skip

BODIES = {
    "PROPFIND": f"<D:propfind {SPACES}><D:allprop/></D:propfind>",
    "PROPPATCH": f"<D:propertyupdate {SPACES}><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>",
    "REPORT": f"<C:calendar-query {SPACES}><D:prop><C:calendar-data/></D:prop></C:calendar-query>",
    "PUT": event("theirs@example.com"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_kept_listed_read_and_deleted_as_it_is(house: House, john: Client, name: str) -> None:
    assert john.put(HERE + "beside.ics", event("beside")).status == 201
    path = HERE + quote(name, safe="")
    answer = john.put(path, event("it"))
    assert answer.status == 201, answer.text
    assert john.get(path).etag == answer.etag
    assert set(john.sync().responses) == {HERE + name, HERE + "beside.ics"}
    found = [told.text or "" for told in john.propfind(HERE, "<D:getetag/>", "1").tree.iter(f"{D}href")]
    [spelt] = [told for told in found if told not in (HERE, HERE + "beside.ics")]
    assert re.fullmatch(r"[!-~]+", spelt)
    assert john.multiget(spelt).responses[HERE + name][f"{D}getetag"] == answer.etag
    assert john.ask("DELETE", spelt).status == 204
    assert set(john.sync().responses) == {HERE + "beside.ics"}


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE", "PROPFIND", "MKCALENDAR"])
def test_a_name_that_hides_something_is_refused(calm: House, john: Client, method: str, name: str) -> None:
    answer = say(calm.port, head_of(john, method, HERE + name, "Connection: close", "Content-Length: 0"))
    assert answer[9:12] in (b"400", b"403", b"404", b"405", b"409", b"414"), answer[:200]
    assert b"root:" not in answer


def test_two_spellings_of_a_letter_are_two_names(house: House, john: Client) -> None:
    assert john.put(HERE + quote("é.ics"), event("one")).status == 201
    assert john.put(HERE + quote("e\u0301.ics"), event("two")).status == 201
    assert set(john.sync().responses) == {HERE + "é.ics", HERE + "e\u0301.ics"}


class TestConditions:
    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("If_Match", '"stale"'), ("If_Match", 'W/{etag}'), ("If_Match", '"a", "b"'), ("If_Match", "stale"), ("If_Match", "''"),
            ("If_None_Match", "*"), ("If_None_Match", "{etag}"), ("If_None_Match", "W/{etag}"), ("If_None_Match", '"a", {etag}'),
            ("If_Schedule_Tag_Match", '"stale"'), ("If", '(["stale"])'), ("If", "(Not [{etag}])"), ("If", '<http://x.invalid/> (["a"])'),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_a_condition_that_does_not_hold_changes_nothing(self, calm: House, john: Client, method: str, header: str, value: str) -> None:
        etag = john.get(HERE + "mine.ics").etag or ""
        body = event("mine@example.com", summary="Changed") if method == "PUT" else ""
        answer = john.ask(method, HERE + "mine.ics", body, Content_Type="text/calendar", **{header: value.replace("{etag}", etag)})
        assert answer.status in (400, 412), answer.text

    def test_a_condition_that_holds_lets_pass(self, house: House, john: Client) -> None:
        john.put(HERE + "mine.ics", event("mine"))
        for value in ("*", "{etag}", '"a", {etag}'):
            etag = john.get(HERE + "mine.ics").etag or ""
            assert john.put(HERE + "mine.ics", event("mine", summary=quote(value)), If_Match=value.replace("{etag}", etag)).status == 204


class TestDestinations:
    @pytest.mark.parametrize("method", ["MOVE", "COPY"])
    @pytest.mark.parametrize(
        "target",
        [
            "http://evil.invalid/dav/john-smith/private/x.ics", "http://user:pw@127.0.0.1/dav/john-smith/private/x.ics",
            "file:///tmp/x", "http://127.0.0.1:99999999/dav/john-smith/private/x.ics", "http://[::1/x", "", "x",
            "//evil.invalid/x", "javascript:x", "/", "/dav/", PRIVATE, PRIVATE + "../appointments/x.ics", PRIVATE + "%2e%2e/x.ics",
            PRIVATE + "a%2fb", PRIVATE + "%0d%0aX:y", PRIVATE + "a/b.ics", PRIVATE + "x" * 300, HERE + "mine.ics",
            HERE + "mine.ics/x.ics", THEIRS + "x.ics", "/dav/emma-morris/appointments/x.ics", "/dav/john-smith/nowhere/x.ics",
        ],
    )  # fmt: skip
    def test_nothing_moves_to_where_nothing_can_be(self, calm: House, john: Client, method: str, target: str) -> None:
        refused(john.ask(method, HERE + "mine.ics", Destination=target), 400, 403, 404, 409, 414, 502)

    @pytest.mark.parametrize("value", ["X", "", "TF", "true"])
    def test_whether_to_overwrite_is_said_in_one_letter(self, calm: House, john: Client, value: str) -> None:
        refused(john.ask("MOVE", HERE + "mine.ics", Destination=HERE + "x.ics", Overwrite=value), 400)


class TestOtherCompanies:
    @pytest.fixture
    def theirs(self, house: House) -> str:
        return house.book(NOW, staff=TAYLOR, company=OTHER)

    def told(self, john: Client, method: str, path: str) -> tuple[int, bytes, dict[str, str]]:
        answer = john.ask(method, path, BODIES.get(method, ""), Destination=HERE + "taken.ics", Depth="0", Content_Type=kind(method))
        varying = ("date", "x-request-id", "content-length")
        return answer.status, answer.body.replace(path.encode(), b"PATH"), {k: v for k, v in answer.headers.items() if k not in varying}

    @pytest.mark.parametrize(
        "method", ["GET", "HEAD", "PUT", "DELETE", "MOVE", "COPY", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL", "ACL", "POST"]
    )
    def test_what_is_theirs_looks_like_what_is_nowhere(self, house: House, john: Client, theirs: str, method: str) -> None:
        before = house.revision(OTHER), house.revision(DEMO)
        pairs = ((THEIRS + theirs, THEIRS + "x.ics"), (THEIRS, "/dav/taylor/nowhere/"), ("/dav/taylor/", "/dav/nobody/"))
        for there, nowhere in pairs:
            found, missing = self.told(john, method, there), self.told(john, method, nowhere)
            assert found == missing
            assert 400 <= found[0] < 500
            assert b"Canary" not in found[1]
        assert (house.revision(OTHER), house.revision(DEMO)) == before

    @pytest.mark.parametrize("method", ["MOVE", "COPY"])
    def test_nothing_goes_from_one_company_to_another(self, calm: House, john: Client, theirs: str, method: str) -> None:
        before = calm.revision(OTHER)
        answers: list[Answer] = []
        for source, target in (
            (HERE + "mine.ics", THEIRS + theirs),
            (HERE + "mine.ics", THEIRS + "x.ics"),
            (THEIRS + theirs, HERE + "x.ics"),
        ):
            answers.append(john.ask(method, source, Destination=target, Overwrite="T"))
        answers.append(john.ask(method, HERE, Destination="/dav/taylor/x/"))
        answers.append(john.ask(method, THEIRS, Destination="/dav/john-smith/x/"))
        for answer in answers:
            refused(answer, 403, 404)
        assert calm.revision(OTHER) == before

    def test_both_may_have_the_same_uid_at_the_same_name(self, house: House, john: Client) -> None:
        taylor = house.client(TAYLOR)
        assert john.put(HERE + "it.ics", event("it@example.com", summary="John's")).status == 201
        assert taylor.put(THEIRS + "it.ics", event("it@example.com", summary="Taylor's")).status == 201
        assert john.ask("DELETE", HERE + "it.ics").status == 204
        assert "Taylor's" in taylor.get(THEIRS + "it.ics").text


def kind(method: str) -> str:
    return "text/calendar" if method == "PUT" else "application/xml"


def test_a_uid_is_at_one_address_and_an_address_has_one_uid(calm: House, john: Client) -> None:
    twice, changed = john.put(HERE + "two.ics", event("mine@example.com")), john.put(HERE + "mine.ics", event("other@example.com"))
    for answer in (twice, changed):
        assert (answer.status, answer.condition) == (403, f"{C}no-uid-conflict")
        assert answer.tree.findtext(f".//{D}href") == HERE + "mine.ics"
