"""People as principals: one's own whole, a colleague's as far as a calendar program needs it, and nobody else's (RFC 3744, 5397)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.model import Staff
from tests.dav.house import CS, DEMO, EMMA, HERE, JOHN, NOW, READ_ONLY, SETUP, SPACES, TAYLOR, Answer, C, Client, D, House, event

HOME, HERS = "/dav/john-smith/", "/dav/emma-morris/"
EVERYTHING = (
    "<D:resourcetype/><D:displayname/><D:current-user-principal/><D:current-user-privilege-set/><D:principal-URL/>"
    "<D:principal-collection-set/><D:alternate-URI-set/><D:group-member-set/><D:group-membership/><D:owner/><D:group/><D:acl/>"
    "<D:acl-restrictions/><D:inherited-acl-set/><D:supported-privilege-set/><D:supported-report-set/><D:sync-token/><CS:getctag/>"
    "<C:calendar-home-set/><C:calendar-user-address-set/><C:calendar-user-type/><CS:email-address-set/><C:calendar-timezone/>"
    "<C:supported-calendar-component-sets/><C:schedule-inbox-URL/><C:schedule-outbox-URL/><C:calendar-availability/>"
)


def tags(answer: Answer, path: str, name: str) -> list[str]:
    """What stands in a property, in the order of the document."""
    return [each.tag for each in answer.element(path, name).iter()][1:]


def search(client: Client, inner: str, path: str = "/dav/", attributes: str = "", **headers: str) -> Answer:
    body = f"<D:principal-property-search {attributes} {SPACES}>{inner}<D:prop><D:displayname/></D:prop></D:principal-property-search>"
    return client.report(body, path, **headers)


def by(name: str, word: str, attributes: str = "") -> str:
    return f"<D:property-search><D:prop><{name}/></D:prop><D:match {attributes}>{word}</D:match></D:property-search>"


def left(house: House, staff: Staff) -> None:
    with house.store.write(DEMO, SETUP) as tx:
        tx.save_staff(replace(staff, active=False))


class TestOwn:
    def test_it_names_itself_and_its_home(self, john: Client) -> None:
        answer = john.propfind(HOME, EVERYTHING)
        found = answer.responses[HOME]
        assert tags(answer, HOME, f"{D}resourcetype") == [f"{D}collection", f"{D}principal"]
        assert found[f"{D}principal-URL"] == found[f"{D}owner"] == found[f"{C}calendar-home-set"] == HOME
        assert found[f"{D}principal-collection-set"] == "/dav/"
        assert found[f"{C}calendar-user-type"] == "INDIVIDUAL"
        assert found[f"{CS}email-address-set"] == JOHN.email
        assert found[f"{D}group-member-set"] == found[f"{D}alternate-URI-set"] == found[f"{D}inherited-acl-set"] == ""
        sets = [[comp.get("name") for comp in each] for each in answer.element(HOME, f"{C}supported-calendar-component-sets")]
        assert sets == [["VEVENT"], ["VTODO"], ["VJOURNAL"]]

    def test_who_may_do_what_is_one_entry_that_nobody_changes(self, house: House, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com"))
        for path, writes in ((HOME, False), (HERE, True), (HERE + "a.ics", True), (f"{HOME}company/", False)):
            answer = john.propfind(path, "<D:acl/><D:acl-restrictions/><D:supported-privilege-set/><D:current-user-privilege-set/>")
            [entry] = answer.element(path, f"{D}acl")
            assert [each.tag for each in entry] == [f"{D}principal", f"{D}grant", f"{D}protected"]
            assert entry.findtext(f"{D}principal/{D}href") == HOME
            granted = {each.tag for privilege in entry.iter(f"{D}privilege") for each in privilege}
            assert (f"{D}write" in granted) is writes
            assert granted == {each.tag for held in answer.element(path, f"{D}current-user-privilege-set") for each in held}
            assert granted < {
                each.tag for held in answer.element(path, f"{D}supported-privilege-set").iter(f"{D}privilege") for each in held
            }
            assert tags(answer, path, f"{D}acl-restrictions") == [f"{D}grant-only", f"{D}no-invert"]
        reader = house.client(password=READ_ONLY).propfind(HERE, "<D:acl/><D:current-user-privilege-set/>")
        assert f"{D}write" in tags(reader, HERE, f"{D}acl")
        assert f"{D}write" not in tags(reader, HERE, f"{D}current-user-privilege-set")

    def test_the_acl_method_changes_nothing_and_says_what_is_missing(self, house: House, john: Client) -> None:
        revision = house.revision()
        body = f"<D:acl {SPACES}><D:ace><D:principal><D:all/></D:principal><D:grant/></D:ace></D:acl>"
        for path in (HOME, HERE):
            answer = john.ask("ACL", path, body)
            assert (answer.status, answer.condition) == (403, f"{D}need-privileges")
            resource = answer.tree.find(f"{D}need-privileges/{D}resource")
            assert resource is not None
            assert resource.findtext(f"{D}href") == path
            assert resource.find(f"{D}privilege/{D}write-acl") is not None
        assert john.ask("ACL", f"{HERE}no.ics", body).status == john.ask("ACL", HERS, body).status == 404
        assert house.revision() == revision

    def test_every_report_that_is_announced_is_answered(self, john: Client) -> None:
        john.put(HERE + "a.ics", event("a@example.com"))
        bodies = {
            f"{D}sync-collection": "<D:sync-token/><D:sync-level>1</D:sync-level><D:prop/>",
            f"{C}calendar-query": '<D:prop/><C:filter><C:comp-filter name="VCALENDAR"/></C:filter>',
            f"{C}calendar-multiget": "<D:prop/>",
            f"{C}free-busy-query": '<C:time-range start="20261126T000000Z" end="20261127T000000Z"/>',
            f"{D}expand-property": '<D:property name="displayname"/>',
            f"{D}acl-principal-prop-set": "<D:prop><D:displayname/></D:prop>",
            f"{D}principal-match": "<D:self/>",
            f"{D}principal-property-search": by("D:displayname", "x") + "<D:prop/>",
            f"{D}principal-search-property-set": "",
            f"{CS}calendarserver-principal-search": "<CS:search-token>x</CS:search-token><D:prop/>",
        }
        answered = set()
        for path in ("/dav/", HOME, HERS, HERE, f"{HOME}company/", HERE + "a.ics"):
            reports = [
                each[0].tag
                for each in john.propfind(path, "<D:supported-report-set/>").element(path, f"{D}supported-report-set").iter(f"{D}report")
            ]
            assert reports
            answered |= set(reports)
            for name, body in bodies.items():
                space, _, local = name[1:].partition("}")
                answer = john.report(f'<X:{local} xmlns:X="{space}" {SPACES}>{body}</X:{local}>', path)
                if name in reports:
                    assert answer.status in (200, 207), (path, name, answer.text)
                else:
                    assert (answer.status, answer.condition) == (403, f"{D}supported-report"), (path, name)
        assert answered == set(bodies)


class TestColleagues:
    def test_a_colleague_has_a_name_and_an_address_and_nothing_else(self, john: Client) -> None:
        answer = john.propfind(HERS, EVERYTHING)
        found = answer.responses[HERS]
        assert tags(answer, HERS, f"{D}resourcetype") == [f"{D}principal"]
        assert found[f"{D}displayname"] == EMMA.name
        assert found[f"{D}principal-URL"] == HERS
        assert found[f"{C}calendar-user-address-set"] == f"mailto:{EMMA.email}{HERS}"
        assert found[f"{D}current-user-principal"] == HOME
        assert answer.missing(HERS) >= {f"{C}calendar-home-set", f"{D}sync-token", f"{D}owner", f"{D}acl", f"{D}group-membership"}
        privileges = {each.tag for held in answer.element(HERS, f"{D}current-user-privilege-set") for each in held}
        assert privileges == {f"{D}read", f"{D}read-current-user-privilege-set"}

    @pytest.mark.parametrize(
        "body", ["", f"<D:propfind {SPACES}><D:allprop/></D:propfind>", f"<D:propfind {SPACES}><D:propname/></D:propfind>"]
    )
    def test_whatever_is_asked_of_a_colleague_names_no_calendar(self, house: House, john: Client, body: str) -> None:
        house.book(NOW + timedelta(days=1), staff=EMMA)
        for depth in ("0", "1", "infinity"):
            answer = john.ask("PROPFIND", HERS, body, Depth=depth)
            assert set(answer.responses) == {HERS}
            assert "appointments" not in answer.text
            assert "sync-token" not in answer.text

    def test_who_has_left_and_who_works_elsewhere_look_like_nobody(self, house: House, john: Client) -> None:
        left(house, EMMA)
        for method, body in (
            ("PROPFIND", ""),
            ("REPORT", f'<D:expand-property {SPACES}><D:property name="displayname"/></D:expand-property>'),
        ):
            answers = [john.ask(method, f"/dav/{handle}/", body) for handle in (EMMA.handle, TAYLOR.handle, "nobody", "Emma-Morris")]
            assert {answer.status for answer in answers} == {404}
            assert len({answer.body for answer in answers}) == 1

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PROPPATCH", "MKCALENDAR", "MKCOL", "MOVE", "COPY", "ACL"])
    def test_nothing_else_can_be_done_with_a_colleague(self, house: House, john: Client, method: str) -> None:
        answers = [john.ask(method, f"/dav/{handle}/", "", Destination=HERE + "x.ics") for handle in (EMMA.handle, TAYLOR.handle, "nobody")]
        assert {answer.status for answer in answers} == {404}
        assert len({answer.body for answer in answers}) == 1

    def test_the_root_lists_no_home_but_ones_own(self, john: Client) -> None:
        assert set(john.propfind("/dav/", "<D:displayname/>", "1").responses) == {"/dav/", HOME}


class TestSearch:
    @pytest.mark.parametrize(
        ("inner", "attributes", "found"),
        [
            (by("D:displayname", "emma"), "", {HERS}),
            (by("D:displayname", "m"), "", {HOME, HERS}),
            (by("D:displayname", "MORRIS", 'match-type="ends-with"'), "", {HERS}),
            (by("D:displayname", "morris", 'match-type="starts-with"'), "", set()),
            (by("D:displayname", "emma", 'match-type="starts-with"'), "", {HERS}),
            (by("D:displayname", "emma", 'match-type="equals"'), "", set()),
            (by("CS:email-address-set", "john.smith@"), "", {HOME}),
            (by("C:calendar-user-address-set", f"mailto:{EMMA.email}"), "", {HERS}),
            (by("C:calendar-user-address-set", "example.com"), "", {HOME, HERS}),
            (by("D:displayname", "emma") + by("CS:email-address-set", "john"), "", set()),
            (by("D:displayname", "emma") + by("CS:email-address-set", "john"), 'test="anyof"', {HOME, HERS}),
            (by("D:displayname", "emma") + by("CS:last-name", "x"), 'test="anyof"', {HERS}),
            (by("D:displayname", ""), "", set()),
            (by("D:displayname", "   "), 'test="anyof"', set()),
            (by("D:displayname", "%"), "", set()),
            (by("D:displayname", "taylor"), "", set()),
            (by("C:calendar-user-address-set", TAYLOR.email), "", set()),
            (by("D:getetag", "e"), "", set()),
            (by("D:displayname", "emma"), 'type="INDIVIDUAL"', {HERS}),
            (by("D:displayname", "emma"), 'type="ROOM"', set()),
        ],
    )  # fmt: skip
    def test_colleagues_are_found_by_name_and_address(self, john: Client, inner: str, attributes: str, found: set[str]) -> None:
        answer = search(john, inner, attributes=attributes, Depth="0")
        assert answer.status == 207
        assert set(answer.responses) == found
        words = f"<D:apply-to-principal-collection-set/>{inner}"
        assert set(search(john, words, HOME, attributes).responses) == found
        assert search(john, inner, HOME, attributes).responses == {}

    def test_who_has_left_is_not_found(self, house: House, john: Client) -> None:
        left(house, EMMA)
        assert search(john, by("D:displayname", "emma")).responses == {}

    @pytest.mark.parametrize(
        ("inner", "attributes", "headers"),
        [
            ("", "", {}),
            ("<D:property-search/>", "", {}),
            (by("D:displayname", "x", 'match-type="like"'), "", {}),
            (by("D:displayname", "x"), 'test="someof"', {}),
            (by("D:displayname", "x"), "", {"Depth": "1"}),
        ],
    )
    def test_a_search_that_is_none_is_refused(self, john: Client, inner: str, attributes: str, headers: dict[str, str]) -> None:
        assert search(john, inner, attributes=attributes, **headers).status == 400

    def test_a_search_is_cut_at_its_limit_and_says_so(self, house: House, john: Client) -> None:
        with house.store.write(DEMO, SETUP) as tx:
            for number in range(120):
                tx.save_staff(replace(EMMA, id=f"many-{number}", handle=f"many-{number}", name=f"Many {number:03}"))  # type: ignore[arg-type]
        limit = "<D:limit><D:nresults>3</D:nresults></D:limit>"
        for more, count in (("", 100), (limit, 3)):
            found = search(john, by("D:displayname", "many") + more).responses
            assert found.pop("/dav/") == {"status": "507"}
            assert len(found) == count

    def test_words_find_who_has_them_all(self, john: Client) -> None:
        def words(*tokens: str, context: str = "attendee") -> set[str]:
            inner = "".join(f"<CS:search-token>{token}</CS:search-token>" for token in tokens)
            body = (
                f'<CS:calendarserver-principal-search context="{context}" {SPACES}>{inner}<D:prop><D:displayname/></D:prop>'
                "</CS:calendarserver-principal-search>"
            )
            return set(john.report(body, "/dav/").responses)

        assert words("emma", "morris") == {HERS}
        assert words("example.com") == {HOME, HERS}
        assert words("emma", "smith") == words("") == words("emma", "") == words("emma", context="location") == set()

    def test_what_can_be_searched_for_is_described(self, john: Client) -> None:
        answer = john.report(f"<D:principal-search-property-set {SPACES}/>", HOME)
        assert answer.tree.tag == f"{D}principal-search-property-set"
        names = [each[0].tag for each in answer.tree.iter(f"{D}prop")]
        assert names == [f"{D}displayname", f"{CS}email-address-set", f"{C}calendar-user-address-set"]


class TestReferences:
    def expand(self, client: Client, inner: str, path: str = HOME, **headers: str) -> Answer:
        return client.report(f"<D:expand-property {SPACES}>{inner}</D:expand-property>", path, **headers)

    def test_an_address_is_replaced_by_what_is_there(self, john: Client) -> None:
        inner = (
            '<D:property name="current-user-principal"><D:property name="displayname"/>'
            f'<D:property name="calendar-home-set" namespace="{C[1:-1]}"><D:property name="resourcetype"/></D:property>'
            '<D:property name="no-such"/></D:property><D:property name="displayname"/>'
        )
        answer = self.expand(john, inner)
        [whole] = answer.tree.findall(f"{D}response")
        inside = whole.find(f"{D}propstat/{D}prop/{D}current-user-principal/{D}response")
        assert inside is not None
        assert inside.findtext(f"{D}href") == HOME
        assert inside.findtext(f"{D}propstat/{D}prop/{D}displayname") == JOHN.name
        deeper = inside.find(f"{D}propstat/{D}prop/{C}calendar-home-set/{D}response/{D}propstat/{D}prop/{D}resourcetype")
        assert deeper is not None
        assert inside.find(f".//{D}no-such") is not None

    def test_addresses_of_another_kind_stay(self, john: Client) -> None:
        inner = f'<D:property name="calendar-user-address-set" namespace="{C[1:-1]}"><D:property name="displayname"/></D:property>'
        addresses = self.expand(john, inner, HERS).element(HERS, f"{C}calendar-user-address-set")
        assert [each.tag for each in addresses] == [f"{D}href", f"{D}response"]
        assert addresses[0].text == f"mailto:{EMMA.email}"

    def test_the_members_can_be_expanded_too(self, john: Client) -> None:
        answer = self.expand(john, '<D:property name="owner"><D:property name="displayname"/></D:property>', Depth="1")
        assert {path: found[f"{D}owner"] for path, found in answer.responses.items() if path == HERE}[HERE].startswith(HOME)

    @pytest.mark.parametrize("name", ["", "a b", "x/><evil", "1a", "a:b"])
    def test_a_name_that_is_none_is_refused(self, john: Client, name: str) -> None:
        assert self.expand(john, f'<D:property name="{name.replace("<", "&lt;").replace(">", "&gt;")}"/>').status == 400

    def test_expanding_is_bounded(self, house: House, john: Client) -> None:
        nested = '<D:property name="owner">' * 12 + '<D:property name="displayname"/>' + "</D:property>" * 12
        assert self.expand(john, nested).status == 207
        for number in range(120):
            john.put(f"{HERE}{number}.ics", event(f"{number}@example.com"))
        answer = self.expand(john, '<D:property name="getetag"/>', HERE, Depth="1")
        assert (answer.status, answer.condition) == (403, f"{D}number-of-matches-within-limits")
        assert self.expand(john, '<D:property name="owner"/>' * 300).status == 400
        assert self.expand(john, '<D:property name="owner">' * 40 + "</D:property>" * 40).status == 400

    def test_what_belongs_to_somebody_is_matched(self, john: Client) -> None:
        def matched(inner: str, path: str) -> set[str]:
            return set(
                john.report(f"<D:principal-match {SPACES}>{inner}<D:prop><D:displayname/></D:prop></D:principal-match>", path).responses
            )

        owner = "<D:principal-property><D:owner/></D:principal-property>"
        assert matched("<D:self/>", "/dav/") == matched("<D:self/>", HOME) == {HOME}
        assert matched("<D:self/>", HERE) == set()
        assert matched(owner, "/dav/") == {HOME, HERE, f"{HOME}group-front/", f"{HOME}company/"}
        assert matched(owner, HERE) == {HERE}
        assert john.report(f"<D:principal-match {SPACES}/>", "/dav/").status == 400

    def test_the_principals_of_an_acl_are_told(self, john: Client) -> None:
        body = f"<D:acl-principal-prop-set {SPACES}><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>"
        for path in (HOME, HERE, f"{HOME}company/"):
            assert john.report(body, path, Depth="0").responses == {HOME: {f"{D}displayname": JOHN.name}}
        assert john.report(body, HERE, Depth="1").status == 400
        assert john.report(body, f"{HERE}no.ics").status == 404
