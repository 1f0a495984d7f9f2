"""Personal events and calendars: kept octet for octet, moved, copied, deleted, and adorned."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import Appointment
from tests.dav.house import EMMA, HERE, ICAL, NOW, READ_ONLY, SPACES, C, Client, D, House, event

PRIVATE = "/dav/john-smith/private/"
QUIRKS = (
    "X-ALT-DESC;FMTTYPE=text/html:<b>a, b\\, c; d</b>",
    'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="1, Main St";X-TITLE=Here:geo:52.52,13.40',
    "URL;VALUE=URI:",
    "DESCRIPTION:" + "a line that nobody folded " * 8,
    "LOCATION:Zoë & <Søn> ]]> \u2028 end",
)


@pytest.fixture
def private(john: Client) -> str:
    assert john.ask("MKCALENDAR", PRIVATE).status == 201
    return PRIVATE


def make(client: Client, path: str, inner: str = "") -> int:
    body = f"<C:mkcalendar {SPACES}><D:set><D:prop>{inner}</D:prop></D:set></C:mkcalendar>" if inner else ""
    return client.ask("MKCALENDAR", path, body).status


def test_a_personal_event_comes_back_octet_for_octet(house: House, john: Client) -> None:
    text = event("one@example.com", "20261126T090000Z", "20261126T100000Z", *QUIRKS)
    made = john.put(HERE + "one.ics", text, If_None_Match="*")
    assert made.status == 201
    got = john.get(HERE + "one.ics")
    assert (got.text, got.etag) == (text, made.etag)
    assert got.headers["content-type"] == "text/calendar; charset=utf-8; component=VEVENT"
    assert john.multiget(HERE + "one.ics").responses[HERE + "one.ics"][f"{C}calendar-data"] == text
    assert john.propfind(HERE + "one.ics", "<D:getetag/>").responses[HERE + "one.ics"][f"{D}getetag"] == made.etag
    assert john.sync().responses[HERE + "one.ics"][f"{D}getetag"] == made.etag


def test_a_change_of_it_has_a_new_etag_and_the_same_put_none(house: House, john: Client) -> None:
    first = john.put(HERE + "one.ics", event("one@example.com"))
    second = john.put(HERE + "one.ics", event("one@example.com", summary="Later"), If_Match=first.etag)
    assert (second.status, second.etag != first.etag) == (204, True)
    revision = house.revision()
    third = john.put(HERE + "one.ics", event("one@example.com", summary="Later"), If_Match=second.etag)
    assert (third.status, third.etag, house.revision()) == (204, second.etag, revision)


def test_get_answers_304_to_whoever_has_it(john: Client) -> None:
    etag = john.put(HERE + "one.ics", event("one@example.com")).etag
    for value in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        answer = john.ask("GET", HERE + "one.ics", If_None_Match=value)
        assert (answer.status, answer.body, answer.etag) == (304, b"", etag)
    assert john.ask("GET", HERE + "one.ics", If_None_Match='"x"').status == 200
    assert john.ask("GET", HERE + "one.ics", If_Match='"x"').status == 412


def test_head_is_get_without_a_body(john: Client) -> None:
    john.put(HERE + "one.ics", event("one@example.com"))
    got, head = john.get(HERE + "one.ics"), john.ask("HEAD", HERE + "one.ics")
    assert (head.status, head.body) == (200, b"")
    assert [head.headers[name] for name in ("etag", "content-length", "content-type")] == [
        got.headers[name] for name in ("etag", "content-length", "content-type")
    ]


def test_a_strong_etag_names_the_same_octets_for_a_client_that_takes_gzip(john: Client) -> None:
    john.put(HERE + "one.ics", event("one@example.com", summary="x" * 20_000))
    assert "content-encoding" not in john.ask("GET", HERE + "one.ics", Accept_Encoding="gzip").headers


def test_a_deleted_event_is_gone_from_everywhere(john: Client) -> None:
    etag = john.put(HERE + "one.ics", event("one@example.com")).etag
    token, first = john.token(), john.sync()
    assert first.responses
    assert john.ask("DELETE", HERE + "one.ics", If_Match='"other"').status == 412
    assert john.ask("DELETE", HERE + "one.ics", If_Match=etag).status == 204
    assert john.ask("GET", HERE + "one.ics").status == 404
    assert john.sync(token).responses == {HERE + "one.ics": {"status": "404"}}
    assert john.sync().responses == {}


def test_a_personal_event_blocks_the_hour(house: House, john: Client) -> None:
    name = house.book(NOW + timedelta(days=2, hours=2))
    start = NOW + timedelta(days=2, hours=4)
    john.put(HERE + "busy.ics", event("busy@example.com", f"{start:%Y%m%dT%H%M%SZ}", f"{start + timedelta(hours=1):%Y%m%dT%H%M%SZ}"))
    held = john.get(HERE + name)
    text = held.text.replace("T110000", "T130000").replace("T113000", "T133000")
    assert text != held.text
    assert john.put(HERE + name, text, If_Match=held.etag).status == 204
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.span.start == NOW + timedelta(days=2, hours=2)


def test_a_name_as_strange_as_allowed_works_everywhere(john: Client) -> None:
    path = "/dav/john-smith/appointments/%C3%A9t%C3%A9%20%26%20%3Cb%3E%20%40%20a%3Ab%2C%27%22%23%3F.ics"
    assert john.put(path, event("strange@example.com")).status == 201
    [href] = [element.text for element in john.sync().tree.iter(f"{D}href")]
    assert href is not None
    assert john.get(href).text == event("strange@example.com")
    assert len(john.multiget(href).responses) == 1
    assert john.ask("DELETE", href).status == 204


def test_a_uid_is_taken_once_in_a_calendar_and_free_in_another(john: Client, private: str) -> None:
    john.put(HERE + "one.ics", event("one@example.com"))
    answer = john.put(HERE + "two.ics", event("one@example.com"))
    assert (answer.status, answer.condition) == (403, f"{C}no-uid-conflict")
    assert answer.tree.findtext(f"{C}no-uid-conflict/{D}href") == HERE + "one.ics"
    assert john.put(private + "two.ics", event("one@example.com")).status == 201


def test_another_uid_at_an_address_is_refused(john: Client) -> None:
    john.put(HERE + "one.ics", event("one@example.com"))
    answer = john.put(HERE + "one.ics", event("two@example.com"))
    assert (answer.status, answer.condition) == (403, f"{C}no-uid-conflict")
    assert "one@example.com" in john.get(HERE + "one.ics").text


def test_a_task_list_takes_tasks_only(john: Client) -> None:
    tasks = "/dav/john-smith/tasks/"
    assert make(john, tasks, '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>') == 201
    todo = event("todo@example.com").replace("VEVENT", "VTODO").replace("DTEND", "DUE")
    assert john.put(tasks + "one.ics", todo).status == 201
    assert john.get(tasks + "one.ics").text == todo
    for path, text in ((tasks + "two.ics", event("event@example.com")), (HERE + "two.ics", todo)):
        answer = john.put(path, text)
        assert (answer.status, answer.condition) == (403, f"{C}supported-calendar-component")
    assert set(john.query('<C:comp-filter name="VTODO"/>', tasks).responses) == {tasks + "one.ics"}


def test_a_calendar_is_made_with_its_looks(john: Client) -> None:
    inner = (
        "<D:displayname>Home &amp; garden</D:displayname><I:calendar-color>#FF2968FF</I:calendar-color>"
        "<I:calendar-order>3</I:calendar-order>"
        '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
        "<C:calendar-timezone>BEGIN:VCALENDAR&#13;\nBEGIN:VTIMEZONE&#13;\nTZID:X&#13;\nEND:VTIMEZONE&#13;\nEND:VCALENDAR</C:calendar-timezone>"
    )
    assert make(john, PRIVATE, inner) == 201
    found = john.propfind(PRIVATE, "<D:displayname/><I:calendar-color/><I:calendar-order/><C:calendar-timezone/>").responses[PRIVATE]
    assert (found[f"{D}displayname"], found[f"{ICAL}calendar-color"], found[f"{ICAL}calendar-order"]) == ("Home & garden", "#FF2968FF", "3")
    assert "VTIMEZONE\r\n" in found[f"{C}calendar-timezone"]
    assert PRIVATE in john.propfind("/dav/john-smith/", "<D:displayname/>", "1").responses


def test_extended_mkcol_makes_a_calendar_too(john: Client) -> None:
    types = "<D:resourcetype><D:collection/>{}</D:resourcetype>"
    body = f"<D:mkcol {SPACES}><D:set><D:prop>{types}<D:displayname>By MKCOL</D:displayname></D:prop></D:set></D:mkcol>"
    assert john.ask("MKCOL", PRIVATE, body.format("")).status == 403
    assert john.ask("MKCOL", PRIVATE).status == 403
    assert john.ask("MKCOL", PRIVATE, body.format("<C:calendar/>")).status == 201
    assert john.propfind(PRIVATE, "<D:displayname/>").responses[PRIVATE][f"{D}displayname"] == "By MKCOL"


def test_a_description_in_a_language_nobody_knows_makes_nothing(john: Client) -> None:
    assert john.ask("MKCOL", "/dav/john-smith/other/", "afafafaf", Content_Type="xzy-foo/bar-512").status == 415
    assert john.ask("PROPFIND", "/dav/john-smith/other/", Depth="0").status == 404


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        (PRIVATE, {403}),
        (HERE, {403}),
        ("/dav/john-smith/company/", {403}),
        ("/dav/john-smith/group-new/", {403}),
        ("/dav/john-smith/", {405}),
        ("/dav/", {405}),
        (f"{HERE}sub/", {403}),
        ("/dav/emma-morris/x/", {404}),
        ("/dav/john-smith/a/b/c/", {404}),
    ],
)
def test_a_calendar_is_not_made_where_there_is_one_or_none_may_be(
    house: House, john: Client, private: str, path: str, statuses: set[int]
) -> None:
    revision = house.revision()
    answer = john.ask("MKCALENDAR", path)
    assert answer.status in statuses
    assert answer.tree.tag == f"{D}error"
    assert house.revision() == revision


def test_a_personal_calendar_can_be_deleted_and_the_platforms_cannot(house: House, john: Client, private: str) -> None:
    john.put(private + "one.ics", event("one@example.com"))
    for path in (HERE, "/dav/john-smith/company/", "/dav/john-smith/group-front/", "/dav/john-smith/", "/dav/"):
        assert john.ask("DELETE", path).status == 403
    assert john.ask("DELETE", private).status == 204
    assert john.ask("PROPFIND", private, Depth="0").status == 404
    assert john.ask("GET", private + "one.ics").status == 404
    assert john.ask("MKCALENDAR", private).status == 201
    assert john.sync(path=private).responses == {}


class TestMoved:
    @pytest.fixture
    def one(self, john: Client, private: str) -> str:
        assert john.put(HERE + "one.ics", event("one@example.com")).status == 201
        return HERE + "one.ics"

    def test_an_event_moves_to_another_calendar(self, house: House, john: Client, one: str, private: str) -> None:
        tokens = john.token(), john.token(private)
        assert john.ask("MOVE", one, Destination=f"http://127.0.0.1:{house.port}{private}two.ics").status == 201
        assert john.ask("GET", one).status == 404
        assert john.get(private + "two.ics").text == event("one@example.com")
        assert john.sync(tokens[0]).responses == {one: {"status": "404"}}
        assert set(john.sync(tokens[1], private).responses) == {private + "two.ics"}

    def test_overwriting_is_a_choice(self, john: Client, one: str, private: str) -> None:
        assert john.ask("COPY", one, Destination=private + "two.ics").status == 201
        john.put(one, event("one@example.com", summary="Surgeon"))
        assert john.ask("MOVE", one, Destination=private + "two.ics", Overwrite="F").status == 412
        assert "Dentist" in john.get(private + "two.ics").text
        assert john.ask("MOVE", one, Destination=private + "two.ics", Overwrite="T").status == 204
        assert "Surgeon" in john.get(private + "two.ics").text
        assert john.ask("GET", one).status == 404

    @pytest.mark.parametrize("method", ["MOVE", "COPY"])
    def test_an_object_does_not_become_another_one(self, john: Client, one: str, private: str, method: str) -> None:
        john.put(private + "two.ics", event("two@example.com"))
        answer = john.ask(method, one, Destination=private + "two.ics", Overwrite="T")
        assert (answer.status, answer.condition) == (403, f"{C}no-uid-conflict")
        assert answer.tree.findtext(f".//{D}href") == private + "two.ics"
        assert "two@example.com" in john.get(private + "two.ics").text
        assert "one@example.com" in john.get(one).text

    def test_a_copy_leaves_the_original(self, john: Client, one: str, private: str) -> None:
        assert john.ask("COPY", one, Destination=private + "two.ics").status == 201
        assert john.get(one).text == john.get(private + "two.ics").text
        assert john.ask("COPY", one, Destination=HERE + "two.ics").status == 403

    def test_a_renamed_event_stays_in_its_calendar(self, john: Client, one: str) -> None:
        assert john.ask("MOVE", one, Destination=HERE + "two.ics").status == 201
        assert set(john.sync().responses) == {HERE + "two.ics"}

    def test_a_stale_etag_fails(self, john: Client, one: str, private: str) -> None:
        assert john.ask("MOVE", one, Destination=private + "two.ics", If_Match='"x"').status == 412
        assert john.get(one)

    @pytest.mark.parametrize(
        ("target", "status"),
        [
            (None, 400),
            ("http://evil.invalid/dav/john-smith/private/x.ics", 502),
            ("file:///etc/passwd", 502),
            ("/etc/passwd", 502),
            (f"{PRIVATE}../x.ics", 502),
            (f"{PRIVATE}%2e%2e", 502),
            (f"{PRIVATE}%00", 502),
            ("http://[::1/x", 502),
            ("/dav/john-smith/private/a/b.ics", 502),
            (PRIVATE, 403),
            ("/dav/john-smith/", 403),
            ("/dav/", 403),
            (f"{HERE}one.ics", 403),
            ("/dav/emma-morris/appointments/x.ics", 403),
            ("/dav/taylor/appointments/x.ics", 403),
            ("/dav/john-smith/company/x.ics", 403),
            ("/dav/john-smith/nowhere/x.ics", 409),
        ],
    )
    def test_a_destination_that_is_none_changes_nothing(
        self, house: House, john: Client, one: str, target: str | None, status: int
    ) -> None:
        revision = house.revision()
        answer = john.ask("MOVE", one, Destination=target)
        assert answer.status == status
        assert answer.tree.tag == f"{D}error"
        assert house.revision() == revision
        assert john.get(one)

    def test_calendars_do_not_move(self, john: Client, private: str) -> None:
        assert john.ask("MOVE", private, Destination="/dav/john-smith/other/x.ics").status == 403
        assert john.ask("COPY", HERE, Destination=private + "x.ics").status == 403


class TestLooks:
    def patch(self, client: Client, path: str, inner: str, remove: str = "") -> tuple[int, dict[str, set[str]]]:
        gone = f"<D:remove><D:prop>{remove}</D:prop></D:remove>" if remove else ""
        body = f"<D:propertyupdate {SPACES}><D:set><D:prop>{inner}</D:prop></D:set>{gone}</D:propertyupdate>"
        answer = client.ask("PROPPATCH", path, body)
        if answer.status != 207:
            return answer.status, {}
        return answer.status, {status: answer.missing(path, status) for status in ("200", "403", "424", "507")}

    def test_name_colour_and_order_are_each_viewers_own(self, house: House, john: Client) -> None:
        view, ctag = "/dav/john-smith/company/", john.ctag("/dav/john-smith/company/")
        inner = "<D:displayname>Mine</D:displayname><I:calendar-color>#00ff00</I:calendar-color><I:calendar-order>7</I:calendar-order>"
        for path in (view, HERE):
            status, found = self.patch(john, path, inner)
            assert (status, found["200"]) == (207, {f"{D}displayname", f"{ICAL}calendar-color", f"{ICAL}calendar-order"})
            mine = john.propfind(path, "<D:displayname/><I:calendar-color/>").responses[path]
            assert mine == {f"{D}displayname": "Mine", f"{ICAL}calendar-color": "#00ff00"}
        assert john.ctag(view) != ctag
        emma = house.client(EMMA)
        assert f"{ICAL}calendar-color" in emma.propfind("/dav/emma-morris/company/", "<I:calendar-color/>").missing(
            "/dav/emma-morris/company/"
        )

    def test_dead_properties_keep_their_xml(self, john: Client) -> None:
        inner = (
            '<C:schedule-calendar-transp><C:opaque/></C:schedule-calendar-transp><X:note xmlns:X="urn:x">a &lt; <X:b k="1">c</X:b></X:note>'
        )
        assert self.patch(john, HERE, inner)[1]["200"] == {f"{C}schedule-calendar-transp", "{urn:x}note"}
        answer = john.propfind(HERE, '<C:schedule-calendar-transp/><X:note xmlns:X="urn:x"/>')
        assert [each.tag for each in answer.element(HERE, f"{C}schedule-calendar-transp")] == [f"{C}opaque"]
        [inside] = answer.element(HERE, "{urn:x}note")
        assert (inside.tag, inside.get("k"), inside.text) == ("{urn:x}b", "1", "c")

    def test_a_property_is_removed(self, john: Client) -> None:
        self.patch(john, HERE, "<I:calendar-color>#00ff00</I:calendar-color>")
        assert self.patch(john, HERE, "<I:calendar-order>1</I:calendar-order>", remove="<I:calendar-color/>")[0] == 207
        assert f"{ICAL}calendar-color" in john.propfind(HERE, "<I:calendar-color/>").missing(HERE)

    @pytest.mark.parametrize(
        "name", ["D:getetag", "D:resourcetype", "D:sync-token", "CS:getctag", "C:supported-calendar-component-set", "D:owner"]
    )
    def test_what_the_server_answers_for_cannot_be_set_and_nothing_else_is_then(self, house: House, john: Client, name: str) -> None:
        revision = house.revision()
        status, found = self.patch(john, HERE, f"<{name}>x</{name}><I:calendar-color>#00ff00</I:calendar-color>")
        assert status == 207
        assert len(found["403"]) == 1
        assert found["424"] == {f"{ICAL}calendar-color"}
        assert house.revision() == revision
        assert f"{ICAL}calendar-color" in john.propfind(HERE, "<I:calendar-color/>").missing(HERE)

    @pytest.mark.parametrize("value", ["red", "red;background:url(//evil)", "#12345", "#GGGGGG", "", "#123456789"])
    def test_a_colour_is_a_colour(self, john: Client, value: str) -> None:
        assert self.patch(john, HERE, f"<I:calendar-color>{value}</I:calendar-color>")[1]["403"] == {f"{ICAL}calendar-color"}

    def test_too_much_is_not_kept(self, john: Client) -> None:
        assert self.patch(john, HERE, f'<X:note xmlns:X="urn:x">{"x" * 20_000}</X:note>')[1]["507"] == {"{urn:x}note"}
        many = "".join(f'<X:n{number} xmlns:X="urn:x">1</X:n{number}>' for number in range(150))
        assert len(self.patch(john, HERE, many)[1]["507"]) == 150

    def test_a_home_keeps_no_properties_and_says_so_in_a_multistatus(self, john: Client) -> None:
        """macOS sets default alarms there and takes no 405 (clients.md §7)."""
        status, found = self.patch(john, "/dav/john-smith/", "<C:default-alarm-vevent-datetime>x</C:default-alarm-vevent-datetime>")
        assert (status, found["403"]) == (207, {f"{C}default-alarm-vevent-datetime"})


def test_a_password_for_reading_reads_only(house: House, john: Client) -> None:
    john.put(HERE + "one.ics", event("one@example.com"))
    reader, revision = house.client(password=READ_ONLY), house.revision()
    assert reader.get(HERE + "one.ics")
    answers = [
        reader.put(HERE + "two.ics", event("two@example.com")),
        reader.ask("DELETE", HERE + "one.ics"),
        reader.ask("MKCALENDAR", PRIVATE),
        reader.ask("MOVE", HERE + "one.ics", Destination=HERE + "x.ics"),
        reader.ask("PROPPATCH", HERE, f"<D:propertyupdate {SPACES}/>"),
    ]
    assert {(answer.status, answer.condition) for answer in answers} == {(403, f"{D}need-privileges")}
    assert house.revision() == revision
