"""Delegates: a secretary opens her provider's calendars, sees them nowhere else, and is named for what she does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.model import Appointment
from tests.dav.house import CS, DEMO, EMMA, HERE, ICAL, JOHN, NOW, SETUP, SPACES, Answer, C, Client, D, House, event

HOME, EMMAS = "/dav/john-smith/", "/dav/emma-morris/"
READ, WRITE = f"{HOME}calendar-proxy-read/", f"{HOME}calendar-proxy-write/"
START = NOW + timedelta(days=2, hours=2)
LATER = START + timedelta(hours=3)


@pytest.fixture
def emma(house: House) -> Client:
    return house.client(EMMA)


def let_in(house: House, *, write: bool) -> None:
    with house.store.write(DEMO, SETUP) as tx:
        tx.delegate(JOHN.id, EMMA.id, NOW, write=write)


def set_members(client: Client, group: str, *hrefs: str) -> Answer:
    inside = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    body = (
        f"<D:propertyupdate {SPACES}><D:set><D:prop><D:group-member-set>{inside}</D:group-member-set></D:prop></D:set></D:propertyupdate>"
    )
    answer = client.ask("PROPPATCH", group, body)
    assert answer.status in (207, 403, 404), answer.text
    return answer


def status(client: Client, path: str = HERE) -> int:
    return client.ask("PROPFIND", path, Depth="0").status


def hrefs(client: Client, path: str, name: str) -> list[str]:
    element = client.propfind(path, f"<{name}/>").element(path, name.replace("D:", D).replace("CS:", CS).replace("C:", C))
    return [href.text or "" for href in element.iter(f"{D}href")]


def move(client: Client, name: str) -> Answer:
    held = client.get(HERE + name)
    text = held.text.replace("20261126T110000", "20261126T140000").replace("20261126T113000", "20261126T143000")
    assert text != held.text
    return client.put(HERE + name, text, If_Match=held.etag)


class TestGroups:
    def test_the_owner_says_who_is_let_in(self, house: House, john: Client, emma: Client) -> None:
        assert hrefs(john, READ, "D:group-member-set") == hrefs(john, WRITE, "D:group-member-set") == []
        assert set_members(john, WRITE, EMMAS).missing(WRITE, "200") == {f"{D}group-member-set"}
        assert (hrefs(john, READ, "D:group-member-set"), hrefs(john, WRITE, "D:group-member-set")) == ([], [EMMAS])
        assert status(emma) == 207
        set_members(john, READ, EMMAS)
        assert (hrefs(john, READ, "D:group-member-set"), hrefs(john, WRITE, "D:group-member-set")) == ([EMMAS], [])
        set_members(john, READ)
        assert status(emma) == 404

    def test_a_group_says_what_it_is(self, john: Client) -> None:
        for group, kind in ((READ, "calendar-proxy-read"), (WRITE, "calendar-proxy-write")):
            answer = john.propfind(group, "<D:resourcetype/><D:displayname/><D:principal-URL/><D:owner/><D:group-membership/><D:getetag/>")
            types = {item.tag for item in answer.element(group, f"{D}resourcetype")}
            assert types == {f"{D}collection", f"{D}principal", f"{CS}{kind}"}
            found = answer.responses[group]
            assert (found[f"{D}principal-URL"], found[f"{D}owner"], found[f"{D}group-membership"]) == (group, HOME, "")
            assert answer.missing(group) == {f"{D}getetag"}
        assert "calendar-proxy" in john.ask("OPTIONS", HOME).headers["dav"]

    def test_groups_are_not_listed_among_the_calendars(self, john: Client) -> None:
        assert {READ, WRITE}.isdisjoint(john.propfind(HOME, "<D:displayname/>", "1").responses)

    @pytest.mark.parametrize("href", [HOME, "/dav/taylor/", "/dav/nobody/", "mailto:emma.morris@example.com", HERE, "x"])
    def test_a_member_is_a_colleague(self, house: House, john: Client, href: str) -> None:
        answer = set_members(john, WRITE, EMMAS, href)
        assert answer.missing(WRITE, "403") == {f"{D}group-member-set"}
        if href != HOME:
            assert "recognized-principal" in answer.text
        assert hrefs(john, WRITE, "D:group-member-set") == []

    def test_nobody_lets_himself_in(self, house: House, emma: Client) -> None:
        assert set_members(emma, WRITE, EMMAS).status == 404
        let_in(house, write=True)
        answer = set_members(emma, WRITE, EMMAS, "/dav/john-smith/")
        assert answer.missing(WRITE, "403") == {f"{D}group-member-set"}
        assert set_members(emma, READ).missing(READ, "403") == {f"{D}group-member-set"}

    def test_a_delegate_finds_whose_calendars_are_open(self, house: House, john: Client, emma: Client) -> None:
        assert hrefs(emma, EMMAS, "D:group-membership") == []
        let_in(house, write=True)
        assert hrefs(emma, EMMAS, "D:group-membership") == [WRITE]
        assert hrefs(emma, EMMAS, "CS:calendar-proxy-write-for") == [HOME]
        assert hrefs(emma, EMMAS, "CS:calendar-proxy-read-for") == []
        let_in(house, write=False)
        assert hrefs(emma, EMMAS, "D:group-membership") == [READ]
        assert hrefs(emma, EMMAS, "CS:calendar-proxy-read-for") == [HOME]
        assert john.propfind(EMMAS, "<CS:calendar-proxy-write-for/><D:group-membership/>").missing(EMMAS) >= {
            f"{CS}calendar-proxy-write-for"
        }

    def test_macos_follows_the_addresses_in_one_report(self, house: House, emma: Client) -> None:
        let_in(house, write=True)
        properties = "".join(f'<D:property name="{name}"/>' for name in ("displayname", "principal-URL"))
        body = (
            f'<D:expand-property {SPACES}><D:property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/">{properties}'
            f'</D:property><D:property name="group-membership">{properties}</D:property></D:expand-property>'
        )
        answer = emma.report(body, EMMAS)
        assert answer.status == 207
        assert JOHN.name in answer.text
        assert WRITE in answer.text

    def test_the_owner_reads_his_delegates_in_one_report(self, house: House, john: Client) -> None:
        let_in(house, write=True)
        inner = '<D:property name="displayname"/>'
        body = f'<D:expand-property {SPACES}><D:property name="group-member-set">{inner}</D:property></D:expand-property>'
        answer = john.report(body, WRITE)
        assert answer.status == 207
        assert EMMA.name in answer.text


class TestOpening:
    def test_a_home_that_is_not_open_does_not_exist(self, house: House, emma: Client) -> None:
        name = house.book(START)
        for method, path in (("PROPFIND", HERE), ("GET", HERE + name), ("REPORT", HERE), ("PUT", f"{HERE}x.ics"), ("DELETE", HERE + name)):
            closed, nobody = (emma.ask(method, at, "x") for at in (path, path.replace("john-smith", "no-nobody")))
            assert closed.status == 404
            assert closed.text == nobody.text.replace("no-nobody", "john-smith")
        assert emma.ask("PROPFIND", WRITE, Depth="0").status == 404

    @pytest.mark.parametrize("write", [True, False])
    def test_a_delegate_reads_the_calendars_and_none_of_the_views(self, house: House, emma: Client, write: bool) -> None:
        let_in(house, write=write)
        name = house.book(START)
        answer = emma.propfind(HOME, "<D:resourcetype/><D:displayname/><D:owner/><D:current-user-principal/>", "1")
        assert set(answer.responses) == {HOME, HERE}
        assert answer.responses[HERE][f"{D}owner"] == HOME
        assert answer.responses[HERE][f"{D}current-user-principal"] == EMMAS
        assert emma.propfind(HOME, "<C:calendar-home-set/>").responses[HOME][f"{C}calendar-home-set"] == HOME
        assert set(emma.sync().responses) == {HERE + name}
        assert set(emma.sync(path=HOME).responses) == {HERE}
        assert "BEGIN:VEVENT" in emma.get(HERE + name).text
        assert emma.multiget(HERE + name).responses[HERE + name][f"{C}calendar-data"]
        for view in ("company", "group-front"):
            assert emma.ask("PROPFIND", f"{HOME}{view}/", Depth="0").status == 404

    def test_they_are_seen_nowhere_else(self, house: House, emma: Client) -> None:
        before = set(emma.propfind(EMMAS, "<D:displayname/>", "1").responses)
        let_in(house, write=True)
        assert set(emma.propfind(EMMAS, "<D:displayname/>", "1").responses) == before
        assert set(emma.propfind("/dav/", "<D:displayname/>", "1").responses) == {"/dav/", EMMAS}

    @pytest.mark.parametrize("write", [True, False])
    def test_privileges_are_the_truth(self, house: House, emma: Client, write: bool) -> None:
        let_in(house, write=write)
        name = house.book(START)

        def held(path: str) -> set[str]:
            element = emma.propfind(path, "<D:current-user-privilege-set/>").element(path, f"{D}current-user-privilege-set")
            return {tag.tag.removeprefix(D) for tag in element.iter()} & {"read", "write", "write-content", "bind", "unbind"}

        assert held(HERE) == held(HERE + name) == ({"read", "write", "write-content", "bind", "unbind"} if write else {"read"})
        assert held(HOME) == {"read"}

    def test_the_list_of_who_may_do_what_names_the_groups_that_somebody_is_in(self, house: House, john: Client) -> None:
        name = house.book(START)

        def listed(path: str) -> dict[str, bool]:
            entries = john.propfind(path, "<D:acl/>").element(path, f"{D}acl")
            return {each.findtext(f"{D}principal/{D}href") or "": each.find(f".//{D}write-content") is not None for each in entries}

        assert listed(HERE) == {HOME: True}
        let_in(house, write=True)
        assert listed(HERE) == listed(HERE + name) == {HOME: True, WRITE: True}
        let_in(house, write=False)
        assert listed(HERE) == {HOME: True, READ: False}
        assert listed(f"{HOME}company/") == {HOME: False}
        body = f"<D:acl-principal-prop-set {SPACES}><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>"
        assert set(john.report(body, HERE, Depth="0").responses) == {HOME, READ}

    def test_who_may_write_moves_and_is_named_for_it(self, house: House, john: Client, emma: Client) -> None:
        let_in(house, write=True)
        name, token = house.book(START), john.token()
        assert move(emma, name).status == 204
        entry = house.entry(name)
        assert isinstance(entry, Appointment)
        assert entry.span.start == LATER
        assert house.changes()[-1].actor.who == EMMA.handle
        assert set(john.sync(token).responses) == {HERE + name}

    def test_who_may_write_keeps_events_there_too(self, house: House, john: Client, emma: Client) -> None:
        let_in(house, write=True)
        assert emma.put(f"{HERE}p.ics", event("p")).status == 201
        assert john.get(f"{HERE}p.ics").text == event("p")
        assert house.entry("p.ics", EMMA) is None
        copied = emma.ask("COPY", f"{HERE}p.ics", Destination=f"{EMMAS}appointments/p.ics")
        assert copied.status in (403, 409)
        assert emma.ask("DELETE", f"{HERE}p.ics").status == 204

    def test_who_may_only_read_changes_nothing(self, house: House, emma: Client) -> None:
        let_in(house, write=False)
        name = house.book(START)
        revision = house.revision()
        for answer in (move(emma, name), emma.put(f"{HERE}p.ics", event("p")), emma.ask("DELETE", HERE + name)):
            assert (answer.status, answer.condition) == (403, f"{D}need-privileges")
        assert house.revision() == revision

    def test_calendars_are_made_and_deleted_by_their_owner(self, house: House, john: Client, emma: Client) -> None:
        let_in(house, write=True)
        assert john.ask("MKCALENDAR", f"{HOME}private/").status == 201
        for method, path in (
            ("MKCALENDAR", f"{HOME}second/"),
            ("MKCOL", f"{HOME}second/"),
            ("DELETE", f"{HOME}private/"),
            ("DELETE", HOME),
        ):
            assert emma.ask(method, path).status == 403
        assert emma.propfind(f"{HOME}private/", "<D:displayname/>").responses

    def test_a_delegate_has_looks_of_her_own(self, house: House, john: Client, emma: Client) -> None:
        let_in(house, write=False)

        def paint(client: Client, colour: str) -> None:
            inside = f"<I:calendar-color>{colour}</I:calendar-color>"
            body = f"<D:propertyupdate {SPACES}><D:set><D:prop>{inside}</D:prop></D:set></D:propertyupdate>"
            assert client.ask("PROPPATCH", HERE, body).missing(HERE, "200") == {f"{ICAL}calendar-color"}

        def colour(client: Client, path: str = HERE) -> str | None:
            return client.propfind(path, "<I:calendar-color/>").responses[path].get(f"{ICAL}calendar-color")

        paint(john, "#112233")
        paint(emma, "#445566")
        assert (colour(john), colour(emma), colour(emma, f"{EMMAS}appointments/")) == ("#112233", "#445566", None)
        tag = john.ctag()
        paint(emma, "#778899")
        assert john.ctag() == tag

    def test_an_end_counts_from_the_next_request_on(self, house: House, emma: Client) -> None:
        let_in(house, write=True)
        name = house.book(START)
        assert emma.ask("GET", HERE + name).status == 200
        with house.store.write(DEMO, SETUP) as tx:
            tx.undelegate(JOHN.id, EMMA.id)
        assert emma.ask("GET", HERE + name).status == 404

    def test_whoever_has_left_is_opened_by_nobody(self, house: House, emma: Client) -> None:
        let_in(house, write=True)
        with house.store.write(DEMO, SETUP) as tx:
            tx.save_staff(replace(JOHN, active=False), NOW)
        assert status(emma) == 404

    def test_a_password_for_reading_or_for_one_calendar_opens_no_more_than_it_says(self, house: House) -> None:
        let_in(house, write=True)
        name = house.book(START)
        with house.store.write(DEMO, SETUP) as tx:
            tx.add_app_password(EMMA.id, "reading", "only-for-reading-emma", NOW, read_only=True)
            tx.add_app_password(EMMA.id, "one", "only-for-one-calendar", NOW, calendar="appointments")
        reading, one = house.client(EMMA, "only-for-reading-emma"), house.client(EMMA, "only-for-one-calendar")
        assert reading.ask("GET", HERE + name).status == 200
        assert reading.ask("DELETE", HERE + name).status == 403
        assert one.ask("GET", HERE + name).status == 404

    def test_the_owners_boxes_are_of_no_use_to_a_delegate(self, house: House, emma: Client) -> None:
        let_in(house, write=True)
        assert emma.propfind(HOME, "<C:schedule-outbox-URL/>").missing(HOME) == {f"{C}schedule-outbox-URL"}
        assert emma.ask("POST", f"{HOME}outbox/", "x", Content_Type="text/calendar").status == 403
