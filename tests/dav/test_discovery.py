"""Setting up an account, request by request, in the manner of the programs people use (clients.md §3, §7, §8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.dav.house import CS, DEMO, EMMA, HERE, ICAL, JOHN, NOW, PASSWORD, READ_ONLY, SPACES, C, Client, D, House, raw

HOME = "/dav/john-smith/"
WRITES = {f"{D}write", f"{D}write-content", f"{D}write-properties", f"{D}all", f"{D}bind", f"{D}unbind"}


def privileges(client: Client, path: str) -> set[str]:
    answer = client.propfind(path, "<D:current-user-privilege-set/>")
    return {each.tag for privilege in answer.element(path, f"{D}current-user-privilege-set") for each in privilege}


@pytest.mark.parametrize("path", ["/.well-known/caldav", "/.well-known/caldav/"])
@pytest.mark.parametrize("method", ["GET", "PROPFIND", "OPTIONS"])
def test_the_well_known_address_leads_on(house: House, path: str, method: str) -> None:
    answer = raw(house.port, method, path)
    assert (answer.status, answer.headers["location"]) == (301, "/dav/")


@pytest.mark.parametrize("path", ["/dav/", HOME, HERE, HERE + "a.ics", "/dav/nobody/", "/dav/a/b/c/d"])
def test_options_tells_a_stranger_that_calendars_are_here_and_nothing_else(house: House, path: str) -> None:
    answer = raw(house.port, "OPTIONS", path)
    assert answer.status == 200
    classes = answer.headers["dav"].split(", ")
    assert {"1", "3", "access-control", "calendar-access", "extended-mkcol"} <= set(classes)
    assert "2" not in classes
    assert {"OPTIONS", "PROPFIND", "REPORT"} <= set(answer.headers["allow"].split(", "))
    assert "LOCK" not in answer.headers["allow"]


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL", "MOVE", "COPY"]
)
@pytest.mark.parametrize("path", [HERE, "/dav/nobody/appointments/"])
def test_a_stranger_is_asked_to_log_in_under_one_name(house: House, method: str, path: str) -> None:
    answer = raw(house.port, method, path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Basic realm="Calendar gateway"')


def test_a_login_works_by_handle_and_by_address_in_any_case(house: House) -> None:
    for login in (JOHN.handle, JOHN.email, JOHN.email.upper()):
        answer = Client(house, login, PASSWORD.format("john")).propfind("/dav/", "<D:current-user-principal/>")
        assert answer.responses["/dav/"][f"{D}current-user-principal"] == HOME


def test_macos_finds_its_way_from_the_root_of_the_host(house: House, john: Client) -> None:
    names = "<D:current-user-principal/><D:principal-URL/><D:resourcetype/>"
    answer = john.propfind("/", names, Brief="t", Prefer="return=minimal")
    assert answer.responses["/"][f"{D}current-user-principal"] == HOME
    assert answer.responses["/"][f"{D}principal-URL"] == HOME
    assert "calendar-access" in raw(house.port, "OPTIONS", "/").headers["dav"].split(", ")
    searchable = john.report(f"<D:principal-search-property-set {SPACES}/>", HOME, Depth="0")
    assert searchable.status == 200


def test_ios_reads_the_principal_and_every_name_it_asks_for_is_answered(john: Client) -> None:
    asked = (
        "<C:calendar-home-set/><C:calendar-user-address-set/><D:current-user-principal/><D:displayname/><CS:dropbox-home-URL/>"
        "<CS:email-address-set/><CS:notification-URL/><D:principal-collection-set/><D:principal-URL/><D:resource-id/>"
        "<C:schedule-inbox-URL/><C:schedule-outbox-URL/><D:supported-report-set/>"
    )
    answer = john.propfind(HOME, asked)
    found = answer.responses[HOME]
    assert found[f"{C}calendar-home-set"] == HOME
    assert found[f"{C}calendar-user-address-set"] == f"mailto:{JOHN.email}{HOME}"
    assert found[f"{D}displayname"] == "John Smith"
    assert len(found) + len(answer.missing(HOME)) == 13
    assert found[f"{C}schedule-inbox-URL"] == f"{HOME}inbox/"
    assert found[f"{C}schedule-outbox-URL"] == f"{HOME}outbox/"
    assert int(answer.headers["content-length"]) == len(answer.body)
    brief = john.propfind(HOME, asked, Brief="t")  # what iOS sends: no word about what does not exist
    assert (brief.responses[HOME], brief.missing(HOME)) == (found, set())


def test_the_home_lists_the_calendars_with_what_clients_need(john: Client) -> None:
    asked = (
        "<D:resourcetype/><D:displayname/><D:current-user-privilege-set/><I:calendar-color/><I:calendar-order/><D:owner/><D:sync-token/>"
        "<CS:getctag/><C:supported-calendar-component-set/><D:supported-report-set/><C:max-resource-size/><D:current-user-principal/>"
    )
    answer = john.propfind(HOME, asked, "1")
    calendars = {HERE, f"{HOME}group-front/", f"{HOME}company/"}
    assert set(answer.responses) == {HOME, f"{HOME}inbox/", f"{HOME}outbox/"} | calendars
    for path, found in answer.responses.items():
        assert len(found) + len(answer.missing(path)) == 12, path
        assert found[f"{D}current-user-principal"] == HOME
        assert found[f"{D}owner"] == HOME
        if path in calendars:
            assert [each.tag for each in answer.element(path, f"{D}resourcetype")] == [f"{D}collection", f"{C}calendar"]
            assert [each.get("name") for each in answer.element(path, f"{C}supported-calendar-component-set")] == ["VEVENT"]
            reports = {each.tag for each in answer.element(path, f"{D}supported-report-set").iter()}
            assert {f"{D}sync-collection", f"{C}calendar-multiget", f"{C}calendar-query", f"{C}free-busy-query"} <= reports
            assert found[f"{D}sync-token"].startswith("data:,")
            assert f"{ICAL}calendar-color" in answer.missing(path)


def test_privileges_say_what_can_be_done(house: House, john: Client) -> None:
    assert WRITES - {f"{D}all"} <= privileges(john, HERE)
    for view in ("group-front", "company"):
        assert not WRITES & privileges(john, f"{HOME}{view}/")
        assert f"{D}read" in privileges(john, f"{HOME}{view}/")
    assert not WRITES & privileges(house.client(password=READ_ONLY), HERE)


def test_thunderbird_sets_a_calendar_up(house: House, john: Client) -> None:
    assert raw(house.port, "PROPFIND", "/.well-known/caldav").status == 301
    assert raw(house.port, "PROPFIND", "/dav/").status == 401
    principal = john.propfind("/dav/", "<D:resourcetype/><D:owner/><D:displayname/><D:current-user-principal/><C:calendar-home-set/>")
    assert principal.responses["/dav/"][f"{C}calendar-home-set"] == HOME
    assert raw(house.port, "OPTIONS", HOME).status == 200
    name = house.book(NOW + timedelta(days=1))
    synced = john.sync(Depth="1")
    assert set(synced.responses) == {HERE + name}
    assert "BEGIN:VEVENT" in john.multiget(HERE + name).responses[HERE + name][f"{C}calendar-data"]


def test_davx5_syncs_with_depth_0_and_multigets_without_depth(house: House, john: Client) -> None:
    names = [house.book(NOW + timedelta(days=day)) for day in (1, 2, 3)]
    synced = john.sync(Depth="0")
    assert set(synced.responses) == {HERE + name for name in names}
    assert len(john.multiget(*(HERE + name for name in names)).responses) == 3


def test_evolution_and_vdirsyncer_list_by_query(house: House, john: Client) -> None:
    name = house.book(NOW + timedelta(days=1))
    window = '<C:comp-filter name="VEVENT"><C:time-range start="20261101T000000Z" end="20270101T000000Z"/></C:comp-filter>'
    for inner in (window, '<C:comp-filter name="VEVENT"/>', ""):
        assert set(john.query(inner).responses) == {HERE + name}
    assert set(john.query(window, depth=None).responses) == {HERE + name}


def test_an_old_mac_sends_no_sync_level(house: House, john: Client) -> None:
    name = house.book(NOW + timedelta(days=1))
    answer = john.report(f"<D:sync-collection {SPACES}><D:sync-token/><D:prop><D:getetag/></D:prop></D:sync-collection>")
    assert set(answer.responses) == {HERE + name}


def test_allprop_propname_and_an_empty_body_are_answered(house: House, john: Client) -> None:
    name = house.book(NOW + timedelta(days=1))
    for body in ("", f"<D:propfind {SPACES}><D:allprop/></D:propfind>"):
        answer = john.ask("PROPFIND", HERE, body, Depth="1")
        assert answer.status == 207
        assert answer.responses[HERE][f"{D}displayname"]
        assert answer.responses[HERE + name][f"{D}getetag"]
    bare = john.ask("PROPFIND", HERE, f"<D:propfind {SPACES}><D:propname/></D:propfind>", Depth="0")
    assert f"{D}displayname" in bare.responses[HERE]
    assert not "".join(bare.responses[HERE].values())


def test_the_answer_names_the_address_that_was_asked(john: Client) -> None:
    assert list(john.propfind("/dav/john-smith", "<D:displayname/>").responses) == ["/dav/john-smith"]
    assert list(john.propfind("/dav", "<D:displayname/>").responses) == ["/dav"]


def test_infinite_depth_is_refused(john: Client) -> None:
    answer = john.ask("PROPFIND", "/dav/", Depth="infinity")
    assert (answer.status, answer.condition) == (403, f"{D}propfind-finite-depth")


def test_somebody_elses_home_looks_like_none(house: House, john: Client) -> None:
    taken = house.book(NOW + timedelta(days=1), staff=EMMA)
    for method in ("PROPFIND", "GET", "PUT", "DELETE", "REPORT", "PROPPATCH", "MKCALENDAR", "MOVE"):
        answers = [
            john.ask(method, path, "", Destination=f"{HERE}x.ics")
            for path in (f"/dav/emma-morris/appointments/{taken}", "/dav/nobody/appointments/x.ics", "/dav/taylor/appointments/x.ics")
        ]
        assert {answer.status for answer in answers} == {404}, method
        assert len({answer.body for answer in answers}) == 1, method
    assert house.entry(taken, EMMA) is not None


def test_the_team_sees_appointments_in_its_views_only_as_far_as_it_should(house: House, john: Client) -> None:
    house.book(NOW + timedelta(days=1), staff=EMMA)
    view = f"{HOME}group-front/"
    [path] = john.sync(path=view).responses
    text = john.get(path).text
    assert "BEGIN:VEVENT" in text
    assert "X-BOOKING-REV" not in text
    assert john.put(path, text).status == 403
    assert john.ask("DELETE", path).status == 403
    assert house.revision(DEMO) == house.changes()[-1].revision
    assert f"{CS}getctag" in john.propfind(view, "<CS:getctag/>").responses[view]
