"""sync-collection, multiget, queries and free-busy: exact answers, and tokens that never lie."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.dav.house import DEMO, EMMA, HERE, JOHN, NOW, SETUP, SPACES, Answer, C, Client, D, House, event

PRIVATE = "/dav/john-smith/private/"


def put(client: Client, *names: str, at: str = HERE) -> None:
    for name in names:
        assert client.put(f"{at}{name}.ics", event(f"{name}@example.com")).status == 201


def token_in(answer: Answer) -> str:
    return answer.tree.findtext(f"{D}sync-token") or ""


class TestTokens:
    def test_a_token_names_what_changed_since(self, john: Client) -> None:
        put(john, "a", "b", "c")
        token = token_in(john.sync())
        assert john.sync(token).responses == {}
        assert token_in(john.sync(token)) == token == john.token()
        john.put(HERE + "b.ics", event("b@example.com", summary="Later"))
        john.ask("DELETE", HERE + "c.ics")
        put(john, "d")
        answer = john.sync(token)
        assert {path: "status" in found for path, found in answer.responses.items()} == {
            HERE + "b.ics": False,
            HERE + "c.ics": True,
            HERE + "d.ics": False,
        }
        assert john.sync(token_in(answer)).responses == {}

    def test_what_came_and_went_between_is_no_lie(self, john: Client) -> None:
        put(john, "a")
        token = john.token()
        put(john, "b")
        john.ask("DELETE", HERE + "b.ics")
        john.ask("DELETE", HERE + "a.ics")
        put(john, "a")
        answer = john.sync(token).responses
        assert "status" not in answer[HERE + "a.ics"]
        assert answer.get(HERE + "b.ics", {"status": "404"}) == {"status": "404"}

    def test_the_first_sync_has_no_tombstones(self, john: Client) -> None:
        put(john, "a", "b")
        john.ask("DELETE", HERE + "a.ics")
        assert set(john.sync().responses) == {HERE + "b.ics"}

    def test_pages_skip_nothing(self, john: Client) -> None:
        put(john, "a", "b", "c", "d", "e")
        john.put(HERE + "a.ics", event("a@example.com", summary="Later"))
        seen, token = set[str](), ""
        for _ in range(10):
            answer = john.sync(token, more="<D:limit><D:nresults>2</D:nresults></D:limit>")
            assert answer.status == 207
            token = token_in(answer)
            found = answer.responses
            more = found.pop(HERE, None)
            assert len(found) <= 2
            seen |= set(found)
            if more is None:
                break
            assert more == {"status": "507"}
        assert seen == {f"{HERE}{name}.ics" for name in "abcde"}
        assert token == john.token()

    def test_pages_after_a_token_skip_nothing(self, john: Client) -> None:
        put(john, "a", "b", "c")
        token = john.token()
        john.ask("DELETE", HERE + "a.ics")
        put(john, "d", "e")
        first = john.sync(token, more="<D:limit><D:nresults>1</D:nresults></D:limit>")
        rest = john.sync(token_in(first))
        seen = {path for answer in (first, rest) for path in answer.responses} - {HERE}
        assert seen == {f"{HERE}{name}.ics" for name in "ade"}

    @pytest.mark.parametrize("number", ["0", "-1", "x", "", "1.5"])
    def test_a_limit_is_a_positive_number(self, john: Client, number: str) -> None:
        answer = john.sync(more=f"<D:limit><D:nresults>{number}</D:nresults></D:limit>")
        assert (answer.status, answer.tree.tag) == (400, f"{D}error")

    @pytest.mark.parametrize(
        "token",
        ["garbage", "-1", "data:,x-y-1", "1", "x" * 100_000, "' OR '1'='1", "http://radicale.org/ns/sync/abc", "data:,"],
    )
    def test_a_foreign_token_is_refused(self, john: Client, token: str) -> None:
        answer = john.sync(token)
        assert (answer.status, answer.condition) == (403, f"{D}valid-sync-token")

    def test_a_forged_token_is_refused(self, house: House, john: Client) -> None:
        john.ask("MKCALENDAR", PRIVATE)
        put(john, "a")
        put(john, "b", at=PRIVATE)
        head, _, number = john.token().rpartition("-")
        for token in (f"{head}-{int(number) + 5}", f"{head}-", f"{head}--1", f"{head}-1e3", f"{head}-{'9' * 30}", john.token(PRIVATE)):
            answer = john.sync(token)
            assert (answer.status, answer.condition) == (403, f"{D}valid-sync-token"), token
        other = head.replace(head.split(",")[1].split("-")[0], "00000000")
        assert john.sync(f"{other}-{number}").status == 403

    def test_a_token_of_a_calendar_that_was_made_anew_is_refused(self, john: Client) -> None:
        john.ask("MKCALENDAR", PRIVATE)
        put(john, "a", at=PRIVATE)
        token = john.token(PRIVATE)
        john.ask("DELETE", PRIVATE)
        john.ask("MKCALENDAR", PRIVATE)
        assert john.sync(token, PRIVATE).status == 403

    def test_a_change_of_membership_voids_the_tokens_of_a_group(self, house: House, john: Client) -> None:
        view = "/dav/john-smith/group-front/"
        house.book(NOW + timedelta(days=1), staff=EMMA)
        token = john.token(view)
        assert john.sync(token, view).status == 207
        with house.store.write(DEMO, SETUP) as tx:
            [group] = tx.groups()
            tx.save_group(replace(group, members=(JOHN.id,)))
        answer = john.sync(token, view)
        assert (answer.status, answer.condition) == (403, f"{D}valid-sync-token")
        assert john.sync(path=view).responses == {}

    def test_an_empty_prop_still_lists_the_members(self, john: Client) -> None:
        put(john, "a", "b")
        assert set(john.sync(props="").responses) == {HERE + "a.ics", HERE + "b.ics"}
        assert set(john.query("", props="").responses) == {HERE + "a.ics", HERE + "b.ics"}
        assert set(john.multiget(HERE + "a.ics", props="").responses) == {HERE + "a.ics"}

    def test_a_sync_with_data_brings_the_texts(self, john: Client) -> None:
        put(john, "a")
        token = john.token()
        put(john, "b")
        props = "<D:getetag/><C:calendar-data/>"
        assert john.sync(props=props).responses[HERE + "a.ics"][f"{C}calendar-data"] == event("a@example.com")
        assert john.sync(token, props=props).responses[HERE + "b.ics"][f"{C}calendar-data"] == event("b@example.com")

    def test_the_ctag_moves_with_every_change_and_with_nothing_else(self, house: House, john: Client) -> None:
        seen = [john.ctag()]
        put(john, "a")
        seen.append(john.ctag())
        john.put(HERE + "a.ics", event("a@example.com", summary="Later"))
        seen.append(john.ctag())
        john.ask(
            "PROPPATCH",
            HERE,
            f"<D:propertyupdate {SPACES}><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>",
        )
        seen.append(john.ctag())
        john.ask("DELETE", HERE + "a.ics")
        seen.append(john.ctag())
        assert len(set(seen)) == len(seen)
        house.book(NOW + timedelta(days=1), staff=EMMA)
        john.sync()
        assert john.ctag() == seen[-1]


class TestMultiget:
    def test_every_address_is_answered_once(self, house: House, john: Client) -> None:
        put(john, "a", "b")
        asked = [HERE + "a.ics", f"http://127.0.0.1:{house.port}{HERE}b.ics", HERE + "no.ics", HERE + "a.ics"]
        answer = john.multiget(*asked)
        assert {path: found.get("status") for path, found in answer.responses.items()} == {
            HERE + "a.ics": None,
            HERE + "b.ics": None,
            HERE + "no.ics": "404",
        }
        assert len(list(answer.tree.iter(f"{D}response"))) == 3

    @pytest.mark.parametrize(
        "path",
        ["../../etc/passwd", "/dav/john-smith/appointments/%2e%2e", "http://evil.invalid/dav/john-smith/appointments/a.ics",
         "/dav/emma-morris/appointments/a.ics", "/dav/john-smith/appointments/%00", "/dav/john-smith/appointments/", "", "x" * 5000],
    )  # fmt: skip
    def test_what_is_not_here_is_not_found_one_by_one(self, john: Client, path: str) -> None:
        put(john, "a")
        answer = john.multiget(path, HERE + "a.ics")
        assert answer.status == 207
        statuses = [found.get("status") for found in answer.responses.values()]
        assert sorted(map(str, statuses)) == ["404", "None"]

    def test_five_hundred_addresses_are_a_limit(self, john: Client) -> None:
        assert john.multiget(*(f"{HERE}{number}.ics" for number in range(500))).status == 207
        answer = john.multiget(*(f"{HERE}{number}.ics" for number in range(501)))
        assert (answer.status, answer.condition) == (403, f"{D}number-of-matches-within-limits")
        assert john.multiget(*([HERE + "a.ics"] * 2000)).status == 207


class TestQueries:
    def window(self, start: str, end: str) -> str:
        return f'<C:comp-filter name="VEVENT"><C:time-range start="{start}" end="{end}"/></C:comp-filter>'

    def test_a_time_range_is_half_open(self, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com", "20261126T090000Z", "20261126T100000Z"))
        for start, end, found in (
            ("20261126T080000Z", "20261126T090000Z", False),
            ("20261126T085900Z", "20261126T090001Z", True),
            ("20261126T100000Z", "20261126T110000Z", False),
            ("20261126T095959Z", "20261126T110000Z", True),
        ):
            assert bool(john.query(self.window(start, end)).responses) is found, start

    def test_open_ends_work(self, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com"))
        for attribute, found in (('start="20261101T000000Z"', 1), ('start="20270101T000000Z"', 0), ('end="20261101T000000Z"', 0)):
            assert len(john.query(f'<C:comp-filter name="VEVENT"><C:time-range {attribute}/></C:comp-filter>').responses) == found

    def test_a_series_is_found_in_every_week_it_takes_place_in(self, house: House, john: Client) -> None:
        weekly = ("RRULE:FREQ=WEEKLY", "EXDATE:20261203T090000Z")
        john.put(HERE + "a.ics", event("a@example.com", "20261126T090000Z", "20261126T100000Z", *weekly))
        for day, found in (("20261126", 1), ("20261203", 0), ("20261210", 1), ("20291129", 1), ("20291130", 0), ("20611124", 1)):
            assert len(john.query(self.window(f"{day}T000000Z", f"{day}T235959Z")).responses) == found, day

    def test_other_conditions_narrow_further(self, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com", summary="Dentist"))
        john.put(HERE + "b.ics", event("b@example.com", summary="Lunch"))
        text = '<C:prop-filter name="SUMMARY"><C:text-match>dent</C:text-match></C:prop-filter>'
        window = '<C:time-range start="20261126T000000Z" end="20261127T000000Z"/>'
        for inner in (text, window + text, text + window):
            assert set(john.query(f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>').responses) == {HERE + "a.ics"}
        absent = '<C:comp-filter name="VEVENT"><C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter></C:comp-filter>'
        assert len(john.query(absent).responses) == 2

    def test_a_bad_filter_names_its_precondition(self, john: Client) -> None:
        strange = '<C:prop-filter name="X"><C:text-match collation="x">y</C:text-match></C:prop-filter>'
        for inner, condition in (
            (self.window("20270601T000000Z", "20270101T000000Z"), "valid-filter"),
            (f'<C:comp-filter name="VEVENT">{strange}</C:comp-filter>', "supported-collation"),
        ):
            answer = john.query(inner)
            assert (answer.status, answer.condition) == (403, C + condition)

    def test_parts_of_the_data_can_be_asked_for(self, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com"))
        parts = '<C:calendar-data><C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="UID"/></C:comp></C:comp></C:calendar-data>'
        text = john.query("", props=parts).responses[HERE + "a.ics"][f"{C}calendar-data"]
        assert "UID:a@example.com" in text
        assert "SUMMARY" not in text

    def test_a_report_nobody_knows_is_refused(self, john: Client) -> None:
        for body in (f"<C:unknown {SPACES}/>", f"<D:version-tree {SPACES}/>"):
            answer = john.report(body)
            assert (answer.status, answer.condition) == (403, f"{D}supported-report")
        assert john.report("").status == 400
        assert john.report(f"<C:calendar-query {SPACES}/>", "/dav/john-smith/").status == 403


class TestFreeBusy:
    def ask(self, john: Client, start: str = "20261126T000000Z", end: str = "20261127T000000Z") -> str:
        body = f'<C:free-busy-query {SPACES}><C:time-range start="{start}" end="{end}"/></C:free-busy-query>'
        answer = john.report(body, Depth="1")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        return answer.text

    def test_busy_times_are_merged_and_nothing_is_called_free(self, house: House, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com", "20261126T090000Z", "20261126T100000Z"))
        john.put(HERE + "b.ics", event("b@example.com", "20261126T093000Z", "20261126T110000Z"))
        john.put(HERE + "c.ics", event("c@example.com", "20261126T150000Z", "20261126T160000Z", "TRANSP:TRANSPARENT"))
        text = self.ask(john)
        assert [line for line in text.split("\r\n") if line.startswith("FREEBUSY")] == ["FREEBUSY:20261126T090000Z/20261126T110000Z"]
        assert "Dentist" not in text
        assert "FREE;" not in text
        assert "FBTYPE=FREE" not in text

    def test_a_window_is_needed(self, john: Client) -> None:
        for inner in ("", '<C:time-range start="20261126T000000Z"/>'):
            answer = john.report(f"<C:free-busy-query {SPACES}>{inner}</C:free-busy-query>")
            assert (answer.status, answer.condition) == (403, f"{C}valid-filter")
