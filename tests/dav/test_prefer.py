"""What clients prefer: small answers, what is stored in return, no root (RFC 7240, RFC 8144); and conditions on states (RFC 4918 §10.4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Refusal
from plugins.prefer import preferences
from tests.dav.house import HERE, ICAL, NOW, SPACES, Answer, C, Client, D, House, event

HOME, PRIVATE = "/dav/john-smith/", "/dav/john-smith/private/"
MINIMAL, WHOLE = "return=minimal", "return=representation"
ASKED = "<D:displayname/><D:no-such/><C:nothing/>"


@pytest.mark.parametrize(
    ("prefer", "brief", "wishes"),
    [
        ("", "", (False, False, False)),
        ("return=minimal", "", (True, False, False)),
        ("", "t", (True, False, False)),
        ("", "T ", (True, False, False)),
        ("", "f", (False, False, False)),
        ('Return = "minimal" ; x=y , depth-noroot', "", (True, False, True)),
        ("return=representation, return=minimal", "t", (False, True, False)),
        ("depth-noroot", "t", (True, False, True)),
        ("respond-async, wait=10, return=maximal", "", (False, False, False)),
        (",;=,", "", (False, False, False)),
    ],
)
def test_preferences_are_read_as_they_are_written(prefer: str, brief: str, wishes: tuple[bool, bool, bool]) -> None:
    read = preferences(prefer, brief)
    assert (read.minimal, read.representation, read.noroot) == wishes


@given(st.text(max_size=200), st.text(max_size=5))
def test_no_header_is_too_strange_to_be_read(prefer: str, brief: str) -> None:
    read = preferences(prefer, brief)
    assert not (read.minimal and read.representation)


class TestMinimal:
    @pytest.mark.parametrize("headers", [{"Prefer": MINIMAL}, {"Brief": "t"}])
    def test_nothing_is_said_about_what_does_not_exist(self, john: Client, headers: dict[str, str]) -> None:
        john.put(HERE + "a.ics", event("a@example.com"))
        multiget = (
            f"<C:calendar-multiget {SPACES}><D:prop><D:getetag/><D:no-such/></D:prop><D:href>{HERE}a.ics</D:href></C:calendar-multiget>"
        )
        sync = f"<D:sync-collection {SPACES}><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:no-such/></D:prop></D:sync-collection>"
        query = (
            f"<C:calendar-query {SPACES}><D:prop><D:no-such/></D:prop>"
            '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
        )
        answers = [john.propfind(HOME, ASKED, "1", **headers), *(john.report(body, **headers) for body in (multiget, sync, query))]
        for answer in answers:
            assert answer.status == 207
            assert "HTTP/1.1 404" not in answer.text
            assert all(response.find(f"{D}propstat/{D}prop") is not None for response in answer.tree.findall(f"{D}response"))
            assert answer.headers["preference-applied"] == MINIMAL
            assert "Prefer" in answer.headers["vary"]

    def test_an_object_that_does_not_exist_is_still_not_found(self, john: Client) -> None:
        body = f"<C:calendar-multiget {SPACES}><D:prop><D:getetag/></D:prop><D:href>{HERE}no.ics</D:href></C:calendar-multiget>"
        assert john.report(body, Prefer=MINIMAL).responses == {HERE + "no.ics": {"status": "404"}}

    def test_who_prefers_nothing_is_told_everything(self, john: Client) -> None:
        answer = john.propfind(HERE, ASKED)
        assert answer.missing(HERE) == {f"{D}no-such", f"{C}nothing"}
        assert "preference-applied" not in answer.headers

    def test_a_proppatch_that_went_well_needs_no_body(self, john: Client) -> None:
        def patch(inner: str) -> Answer:
            body = f"<D:propertyupdate {SPACES}><D:set><D:prop>{inner}</D:prop></D:set></D:propertyupdate>"
            return john.ask("PROPPATCH", HERE, body, Prefer=MINIMAL)

        well, badly = (
            patch("<I:calendar-order>1</I:calendar-order>"),
            patch("<D:getetag>x</D:getetag><I:calendar-order>2</I:calendar-order>"),
        )
        assert (well.status, well.body, well.headers["preference-applied"]) == (200, b"", MINIMAL)
        assert badly.status == 207
        assert badly.missing(HERE, "403") == {f"{D}getetag"}
        assert badly.missing(HERE, "424") == {f"{ICAL}calendar-order"}

    def test_a_calendar_is_made_without_words(self, john: Client) -> None:
        made = john.ask("MKCALENDAR", PRIVATE, Prefer=MINIMAL)
        assert (made.status, made.body, made.headers["preference-applied"]) == (201, b"", MINIMAL)

    def test_the_root_is_left_out_for_who_knows_it(self, john: Client) -> None:
        answer = john.propfind(HOME, "<D:displayname/>", "1", Prefer="depth-noroot, return=minimal")
        assert {HERE, f"{HOME}group-front/", f"{HOME}company/"} <= set(answer.responses)
        assert HOME not in answer.responses
        assert answer.headers["preference-applied"] == "return=minimal, depth-noroot"
        assert set(john.propfind(HOME, "<D:displayname/>", "0", Prefer="depth-noroot").responses) == {HOME}


class TestRepresentation:
    def test_a_put_answers_what_is_stored(self, john: Client) -> None:
        text = event("a@example.com")
        made = john.put(HERE + "a.ics", text, Prefer=WHOLE)
        assert (made.status, made.text, made.headers["content-location"]) == (201, text, HERE + "a.ics")
        assert made.headers["preference-applied"] == WHOLE
        again = john.put(HERE + "a.ics", event("a@example.com", summary="Later"), Prefer=WHOLE)
        assert (again.status, "SUMMARY:Later" in again.text) == (200, True)
        assert again.etag == john.get(HERE + "a.ics").etag != made.etag
        assert again.headers["content-type"] == "text/calendar; charset=utf-8; component=VEVENT"

    def test_of_an_appointment_it_is_our_own_text_under_its_etag(self, house: House, john: Client) -> None:
        name = house.book(NOW + timedelta(days=2, hours=2))
        held = john.get(HERE + name)
        moved = john.put(
            HERE + name, held.text.replace("T110000", "T130000").replace("T113000", "T133000"), If_Match=held.etag, Prefer=WHOLE
        )
        now = john.get(HERE + name)
        assert (moved.status, moved.etag, moved.text) == (200, now.etag, now.text)
        assert "T130000" in moved.text
        assert moved.etag != held.etag

    @pytest.mark.parametrize(("refusal", "status"), [(Refusal.RESTORE, 200), (Refusal.FORBID, 403)])
    def test_a_refused_move_comes_back_as_it_stands(self, house: House, john: Client, refusal: Refusal, status: int) -> None:
        house.set_policy(two_way=False, refusal=refusal)
        name = house.book(NOW + timedelta(days=2, hours=2))
        held = john.get(HERE + name)
        answer = john.put(HERE + name, held.text.replace("T110000", "T130000").replace("T113000", "T133000"), Prefer=WHOLE)
        now = john.get(HERE + name)
        assert answer.status == status
        if status == 200:
            assert (answer.text, answer.etag) == (now.text, now.etag)
        assert "T110000" in now.text

    def test_who_has_missed_a_change_is_shown_it(self, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com", summary="Mine"))
        answer = john.put(HERE + "a.ics", event("a@example.com"), If_Match='"x"', Prefer=WHOLE)
        now = john.get(HERE + "a.ics")
        assert (answer.status, answer.text, answer.etag) == (412, now.text, now.etag)
        assert john.put(HERE + "a.ics", event("a@example.com"), If_Match='"x"').tree.tag == f"{D}error"
        assert john.put(HERE + "no.ics", event("b@example.com"), If_Match='"x"', Prefer=WHOLE).tree.tag == f"{D}error"
        assert john.put(HERE + "a.ics", event("other@example.com"), Prefer=WHOLE).condition == f"{C}no-uid-conflict"

    def test_a_move_answers_with_the_etag_and_on_demand_with_what_is_there(self, john: Client) -> None:
        john.ask("MKCALENDAR", PRIVATE)
        john.put(HERE + "a.ics", event("a@example.com"))
        moved = john.ask("MOVE", HERE + "a.ics", Destination=PRIVATE + "a.ics")
        assert (moved.status, moved.etag) == (201, john.get(PRIVATE + "a.ics").etag)
        copied = john.ask("COPY", PRIVATE + "a.ics", Destination=HERE + "b.ics", Prefer=WHOLE)
        assert (copied.status, copied.text, copied.headers["content-location"]) == (201, event("a@example.com"), HERE + "b.ics")
        assert copied.etag == john.get(HERE + "b.ics").etag


class TestStates:
    @pytest.fixture
    def etag(self, john: Client) -> str:
        return john.put(HERE + "a.ics", event("a@example.com")).etag or ""

    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ("([{etag}])", 204),
            ('(["x"])', 412),
            ('(["x"]) ([{etag}])', 204),
            ('([{etag}] ["x"])', 412),
            ('(Not ["x"])', 204),
            ('(not ["x"] [{etag}])', 204),
            ("(Not [{etag}])", 412),
            ("([W/{etag}])", 412),
            ("(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>)", 412),
            ("(Not <DAV:no-lock>)", 204),
            ("<{here}a.ics> ([{etag}])", 204),
            ("<http://localhost{here}a.ics> ([{etag}])", 412),
            ("<{here}> (<{token}>)", 204),
            ("<{here}> (<{token}x>)", 412),
            ("(<{token}>)", 412),
            ("<{home}> (<{home_token}>)", 204),
            ("<{here}no.ics> ([{etag}])", 412),
            ("<{here}no.ics> (Not [{etag}])", 204),
            ("</dav/emma-morris/appointments/> (<{token}>)", 412),
            ("</dav/emma-morris/> (<{home_token}>)", 412),
            ("<http://evil.invalid/> (<{token}>)", 412),
            ("<{here}> (<{token}>) <{here}a.ics> ([{etag}])", 204),
            ("()", 400),
            ("(", 400),
            ("x", 400),
            ("([{etag}]", 400),
            ("(Not)", 400),
            ("(Not Not [{etag}])", 400),
            ("<{here}>", 400),
            ("([{etag}]) <{here}> (<{token}>)", 400),
            ("(([{etag}]))", 400),
        ],
    )
    def test_a_write_happens_in_the_state_that_was_named_or_not_at_all(self, john: Client, etag: str, header: str, status: int) -> None:
        home_token = john.propfind(HOME, "<D:sync-token/>").responses[HOME][f"{D}sync-token"]
        sent = header.format(etag=etag, token=john.token(), home_token=home_token, here=HERE, home=HOME)
        before = john.get(HERE + "a.ics").etag
        answer = john.put(HERE + "a.ics", event("a@example.com", summary="Later"), If=sent)
        assert answer.status == status, answer.text
        assert (john.get(HERE + "a.ics").etag != before) is (status == 204)

    def test_every_method_minds_it(self, john: Client, etag: str) -> None:
        john.ask("MKCALENDAR", PRIVATE)
        patch = f"<D:propertyupdate {SPACES}><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>"
        requests = (
            ("GET", HERE + "a.ics", ""),
            ("PROPFIND", HERE, ""),
            ("REPORT", HERE, f"<D:sync-collection {SPACES}><D:sync-token/><D:prop/></D:sync-collection>"),
            ("PROPPATCH", HERE, patch),
            ("MKCALENDAR", "/dav/john-smith/new/", ""),
            ("MOVE", HERE + "a.ics", ""),
            ("COPY", HERE + "a.ics", ""),
            ("DELETE", HERE + "a.ics", ""),
            ("DELETE", PRIVATE, ""),
        )
        for method, path, body in requests:
            assert john.ask(method, path, body, If='(["x"])', Destination=PRIVATE + "a.ics").status == 412, method
        for method, path, body in requests:
            answer = john.ask(method, path, body, If='(Not ["x"])', Destination=PRIVATE + "b.ics", Overwrite="T")
            assert answer.status < 300 or answer.status == 404, (method, answer.text)

    def test_many_conditions_are_too_many(self, john: Client, etag: str) -> None:
        assert john.put(HERE + "a.ics", event("a@example.com"), If='(["x"])' * 200).status == 400

    def test_a_date_of_modification_means_nothing_where_none_is_given_out(self, john: Client, etag: str) -> None:
        past = "Mon, 01 Jan 2001 00:00:00 GMT"
        assert "last-modified" not in john.get(HERE + "a.ics").headers
        assert john.put(HERE + "a.ics", event("a@example.com", summary="x"), If_Unmodified_Since=past).status == 204
        assert john.ask("GET", HERE + "a.ics", If_Modified_Since=past).status == 200

    @pytest.mark.parametrize(("value", "status"), [("*", 204), ('"x", {etag}', 204), ('"x","y"', 412), ("W/{etag}", 412), ("x", 412)])
    def test_if_match_takes_lists(self, john: Client, etag: str, value: str, status: int) -> None:
        assert john.put(HERE + "a.ics", event("a@example.com", summary="x"), If_Match=value.format(etag=etag)).status == status

    @pytest.mark.parametrize(("value", "status"), [("*", 412), ('"x", {etag}', 412), ("W/{etag}", 412), ('"x"', 204)])
    def test_if_none_match_takes_lists(self, john: Client, etag: str, value: str, status: int) -> None:
        assert john.put(HERE + "a.ics", event("a@example.com", summary="x"), If_None_Match=value.format(etag=etag)).status == status
