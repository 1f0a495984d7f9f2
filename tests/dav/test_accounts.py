"""App passwords: what each is good for, that it is good for nothing else, and what is noted of its use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.model import Span
from gateway.store import Login, Store
from tests.dav.house import (
    CS,
    DEMO,
    EMMA,
    HERE,
    JOHN,
    NOW,
    PASSWORD,
    READ_ONLY,
    SETUP,
    SPACES,
    TAYLOR,
    C,
    Client,
    D,
    House,
    event,
    furnish,
    opened,
    raw,
)

HOME = "/dav/john-smith/"
PRIVATE, OTHER = HOME + "private/", HOME + "other/"
TEAM, COMPANY = HOME + "group-front/", HOME + "company/"
PROPERTIES = f"<D:propertyupdate {SPACES}><D:set><D:prop><D:displayname>Mine</D:displayname></D:prop></D:set></D:propertyupdate>"
QUERY = (
    f'<C:calendar-query {SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter>'
    "</C:calendar-query>"
)


@dataclass(frozen=True)
class Devices:
    """John's calendars hold an object each; his devices have passwords for all, for reading, for one, and for both."""

    house: House
    all: Client
    reading: Client
    one: Client
    one_reading: Client
    team: Client
    booked: str  # an appointment's name


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devices]:
    folder: Path = tmp_path_factory.mktemp("accounts")
    store = Store(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    furnish(store)
    with store.write(DEMO, SETUP) as tx:
        tx.add_app_password(JOHN.id, "one", "one-calendar-only", NOW, calendar="private")
        tx.add_app_password(JOHN.id, "one, reading", "one-calendar-to-read", NOW, calendar="private", read_only=True)
        tx.add_app_password(JOHN.id, "team", "the-team-calendar", NOW, calendar="group-front")
    try:
        with opened(store) as house:
            john = house.client()
            for calendar in (PRIVATE, OTHER):
                assert john.ask("MKCALENDAR", calendar).status == 201
                assert john.put(calendar + "a.ics", event(f"a@{calendar}", summary=f"In {calendar}")).status == 201
            yield Devices(
                house,
                john,
                house.client(password=READ_ONLY),
                house.client(password="one-calendar-only"),
                house.client(password="one-calendar-to-read"),
                house.client(password="the-team-calendar"),
                house.book(NOW + timedelta(days=2)),
            )
    finally:
        store.close()


def changing(place: str, name: str) -> list[tuple[str, str, str, dict[str, str]]]:
    """Every way to change something in a calendar, and the calendar itself."""
    target = {"Destination": f"{OTHER}moved.ics"}
    return [
        ("PUT", place + name, event("new@example.com"), {}),
        ("PUT", place + "new.ics", event("new@example.com"), {}),
        ("DELETE", place + name, "", {}),
        ("MOVE", place + name, "", target),
        ("COPY", place + name, "", target),
        ("PROPPATCH", place, PROPERTIES, {}),
        ("DELETE", place, "", {}),
        ("MKCALENDAR", HOME + "made/", "", {}),
        ("MKCOL", HOME + "made/", "", {}),
        ("PROPPATCH", HOME, PROPERTIES, {}),
    ]


def state(devices: Devices) -> tuple[int, frozenset[str]]:
    return devices.house.revision(), frozenset(devices.all.propfind(HOME, "<D:displayname/>", "1").responses)


class TestReadingOnly:
    @pytest.mark.parametrize(("place", "name"), [(PRIVATE, "a.ics"), (HERE, "")])
    def test_nothing_can_be_changed(self, devices: Devices, place: str, name: str) -> None:
        before = state(devices)
        for method, path, body, headers in changing(place, name or devices.booked):
            answer = devices.reading.ask(method, path, body, **headers)
            assert answer.status == 403, (method, path)
            assert answer.condition == f"{D}need-privileges"
        assert state(devices) == before

    def test_everything_can_be_read(self, devices: Devices) -> None:
        assert devices.reading.get(PRIVATE + "a.ics").etag == devices.all.get(PRIVATE + "a.ics").etag
        paths = set(devices.reading.propfind(HOME, "<D:displayname/>", "1").responses)
        assert {HOME, HERE, PRIVATE, OTHER, TEAM, COMPANY} <= paths

    @pytest.mark.parametrize("path", [HOME, HERE, PRIVATE, PRIVATE + "a.ics", TEAM])
    def test_no_privilege_to_write_is_announced(self, devices: Devices, path: str) -> None:
        announced = privileges(devices.reading, path)
        assert f"{D}read" in announced
        assert not announced & {f"{D}write", f"{D}write-content", f"{D}write-properties", f"{D}bind", f"{D}unbind", f"{D}all"}


class TestOneCalendar:
    def test_it_is_the_only_one_in_the_home(self, devices: Devices) -> None:
        paths = set(devices.one.propfind(HOME, "<D:displayname/><D:resourcetype/>", "1").responses)
        assert {path for path in paths if path.startswith(HOME)} == {HOME, PRIVATE}

    def test_a_client_finds_it_from_the_root(self, devices: Devices) -> None:
        root = devices.one.propfind("/dav/", "<D:current-user-principal/>").element("/dav/", f"{D}current-user-principal")
        principal = root.findtext(f"{D}href") or ""
        home = devices.one.propfind(principal, "<C:calendar-home-set/>").element(principal, f"{C}calendar-home-set").findtext(f"{D}href")
        assert home == HOME
        found = devices.one.propfind(HOME, "<D:resourcetype/><CS:getctag/><D:sync-token/>", "1")
        calendars = [path for path in found.responses if found.element(path, f"{D}resourcetype").find(f"{C}calendar") is not None]
        assert calendars == [PRIVATE]
        assert found.responses[PRIVATE][f"{CS}getctag"]

    def test_in_it_everything_goes_on_as_ever(self, devices: Devices) -> None:
        one, path = devices.one, PRIVATE + "by-one.ics"
        made = one.put(path, event("by-one@example.com"), If_None_Match="*")
        assert made.status == 201
        assert one.put(path, event("by-one@example.com", summary="Later"), If_Match=made.etag).status == 204
        assert path in one.sync(path=PRIVATE).responses
        assert path in one.multiget(path, at=PRIVATE).responses
        assert path in one.report(QUERY, PRIVATE, Depth="1").responses
        assert one.ask("MOVE", path, Destination=PRIVATE + "moved.ics").status == 201
        assert one.ask("PROPPATCH", PRIVATE, PROPERTIES).status == 207
        assert one.ask("DELETE", PRIVATE + "moved.ics").status == 204

    @pytest.mark.parametrize("hidden", [OTHER, HERE, TEAM, COMPANY, HOME + "nowhere/", "/dav/emma-morris/private/"])
    def test_every_other_calendar_does_not_exist(self, devices: Devices, hidden: str) -> None:
        before = state(devices)
        name = devices.booked if hidden == HERE else "a.ics"
        asked = [
            ("PROPFIND", hidden, ""),
            ("PROPFIND", hidden + name, ""),
            ("GET", hidden + name, ""),
            ("HEAD", hidden + name, ""),
            ("REPORT", hidden, QUERY),
            ("PUT", hidden + name, event("new@example.com")),
            ("DELETE", hidden + name, ""),
            ("PROPPATCH", hidden, PROPERTIES),
            ("DELETE", hidden, ""),
            ("MOVE", hidden + name, ""),
            ("COPY", hidden + name, ""),
        ]
        for method, path, body in asked:
            answer = devices.one.ask(method, path, body, Depth="0", Destination=PRIVATE + "stolen.ics")
            assert answer.status == 404, (method, path)
        assert state(devices) == before

    @pytest.mark.parametrize("target", [OTHER, HERE, TEAM, HOME + "nowhere/", "/dav/emma-morris/appointments/"])
    def test_nothing_leaves_it(self, devices: Devices, target: str) -> None:
        before = state(devices)
        for method in ("MOVE", "COPY"):
            assert devices.one.ask(method, PRIVATE + "a.ics", Destination=target + "gone.ics").status in (403, 404, 409)
        assert state(devices) == before

    def test_no_report_looks_beyond_it(self, devices: Devices) -> None:
        there = [OTHER + "a.ics", HERE + devices.booked, TEAM + "a.ics"]
        for at in (PRIVATE, HOME):
            answer = devices.one.multiget(*there, at=at)
            assert answer.status in (207, 403)
            assert "In /dav/john-smith/other/" not in answer.text
            assert "Canaryname" not in answer.text
            if answer.status == 207:
                assert {facts.get("status") for facts in answer.responses.values()} == {"404"}
        for report in (QUERY, f"<D:sync-collection {SPACES}><D:sync-token/><D:sync-level>1</D:sync-level><D:prop/></D:sync-collection>"):
            answer = devices.one.report(report, HOME, Depth="1")
            assert not [path for path in (OTHER, HERE, TEAM, COMPANY, devices.booked) if path in answer.text]

    def test_nobody_else_is_found(self, devices: Devices) -> None:
        search = (
            f"<D:principal-property-search {SPACES}><D:property-search><D:prop><D:displayname/></D:prop><D:match>m</D:match>"
            "</D:property-search><D:prop><D:displayname/></D:prop></D:principal-property-search>"
        )
        for answer in (devices.one.report(search, path, Depth="0") for path in ("/dav/", HOME)):
            assert EMMA.name not in answer.text
        for method, body in (("PROPFIND", ""), ("REPORT", search), ("OPTIONS", "")):
            answer = devices.one.ask(method, "/dav/emma-morris/", body, Depth="0")
            assert EMMA.name not in answer.text
            assert method == "OPTIONS" or answer.status == 404
        whole = devices.one.ask("PROPFIND", "/dav/", Depth="1").text + devices.one.ask("PROPFIND", HOME, Depth="1").text
        assert not [name for name in (EMMA.name, EMMA.handle, TAYLOR.name, "other", "company", "group-front") if f"/{name}/" in whole]

    def test_no_calendar_is_made_or_deleted_with_it(self, devices: Devices) -> None:
        before = state(devices)
        for method, path in (("MKCALENDAR", HOME + "made/"), ("MKCOL", HOME + "made/"), ("DELETE", PRIVATE), ("PROPPATCH", HOME)):
            assert devices.one.ask(method, path, PROPERTIES if method == "PROPPATCH" else "").status == 403, method
        assert state(devices) == before

    def test_what_is_announced_is_true(self, devices: Devices) -> None:
        assert f"{D}write" in privileges(devices.one, PRIVATE)
        assert not privileges(devices.one, HOME) & {f"{D}write", f"{D}bind", f"{D}unbind", f"{D}write-properties"}
        assert f"{D}write" not in privileges(devices.one_reading, PRIVATE)

    def test_it_may_be_for_reading_as_well(self, devices: Devices) -> None:
        before = state(devices)
        assert devices.one_reading.get(PRIVATE + "a.ics").status == 200
        for method, path, body, headers in changing(PRIVATE, "a.ics"):
            assert devices.one_reading.ask(method, path, body, **headers).status == 403, (method, path)
        assert devices.one_reading.ask("GET", OTHER + "a.ics").status == 404
        assert state(devices) == before

    def test_it_may_be_a_team_calendar(self, devices: Devices) -> None:
        [name] = [path for path in devices.team.sync(path=TEAM).responses if path != TEAM]
        assert devices.team.get(name).status == 200
        assert devices.team.put(TEAM + "new.ics", event("new@example.com")).status == 403
        assert devices.team.ask("GET", HERE + devices.booked).status == 404

    def test_hidden_calendars_still_keep_their_time(self, house: House) -> None:
        """What is decided is decided from all there is, whatever the password shows."""
        name, taken = house.book(NOW + timedelta(days=2)), NOW + timedelta(days=3)
        assert house.client().ask("MKCALENDAR", PRIVATE).status == 201
        busy = event("b@x", f"{taken:%Y%m%dT%H%M%SZ}", f"{taken + timedelta(hours=1):%Y%m%dT%H%M%SZ}")
        assert house.client().put(PRIVATE + "b.ics", busy).status == 201
        with house.store.write(DEMO, SETUP) as tx:
            tx.add_app_password(JOHN.id, "bookings", "bookings-and-nothing-else", NOW, calendar="appointments")
        phone = house.client(password="bookings-and-nothing-else")
        text = phone.get(HERE + name).text
        moved = text.replace(f"{NOW + timedelta(days=2):%Y%m%d}", f"{taken:%Y%m%d}")
        assert phone.put(HERE + name, moved).status == 403
        entry = house.entry(name)
        assert entry
        assert entry.span == Span(NOW + timedelta(days=2), NOW + timedelta(days=2, minutes=30))


class TestUse:
    def test_it_is_noted_when_by_what_and_from_where_it_was_used(self, house: House) -> None:
        agent = "iOS/18.0 (22A3354) dataaccessd/1.0"
        house.client().ask("PROPFIND", HERE, Depth="0", User_Agent=agent)
        used = noted(house)["test"]
        assert used == (NOW, agent, "127.0.0.0/24")

    def test_what_a_program_calls_itself_is_cut_and_harmless(self, house: House) -> None:
        house.client().ask("PROPFIND", HERE, Depth="0", User_Agent="A\xadB " + "x" * 5000)
        assert noted(house)["test"][1] == "AB " + "x" * 117

    def test_the_last_use_counts(self, house: House) -> None:
        for minutes, agent in ((0, "first"), (5, "second")):
            house.clock.now = NOW + timedelta(minutes=minutes)
            house.client().ask("PROPFIND", HERE, Depth="0", User_Agent=agent)
        assert noted(house)["test"][:2] == (NOW + timedelta(minutes=5), "second")
        assert noted(house)["reading"] == (None, "", "")

    def test_a_restart_forgets_none_of_it(self, house: House, tmp_path: Path) -> None:
        house.client().ask("PROPFIND", HERE, Depth="0", User_Agent="first")
        another = Store(f"sqlite:///{tmp_path}/gateway.db")
        try:
            with another.read(DEMO) as snapshot:
                [used] = [each for each in snapshot.app_passwords(JOHN.id) if each.label == "test"]
        finally:
            another.close()
        assert (used.last_used, used.last_client, used.last_network) == (NOW, "first", "127.0.0.0/24")


class TestDoors:
    def test_a_secret_opens_its_own_door_only(self, house: House) -> None:
        with house.store.write(DEMO, SETUP) as tx:
            tx.add_api_key("platform", "the-key-of-the-platform", NOW)
        bearer = {"Authorization": f"Bearer {PASSWORD.format('john')}"}
        assert raw(house.port, "GET", "/api/v1/staff", headers=bearer).status == 401
        assert house.client(password="the-key-of-the-platform").ask("PROPFIND", "/dav/").status == 401

    def test_a_revoked_password_ends_with_the_next_request_and_the_others_stay(self, house: House) -> None:
        with house.store.write(DEMO, SETUP) as tx:
            phone = tx.add_app_password(JOHN.id, "phone", "the-password-of-a-phone", NOW, calendar="appointments")
        client = house.client(password="the-password-of-a-phone")
        assert client.ask("PROPFIND", HERE, Depth="0").status == 207
        with house.store.write(DEMO, SETUP) as tx:
            tx.revoke_app_password(phone, NOW)
        assert client.ask("PROPFIND", HERE, Depth="0").status == 401
        assert house.client().ask("PROPFIND", HERE, Depth="0").status == 207

    def test_the_login_says_which_calendar(self, house: House) -> None:
        with house.store.write(DEMO, SETUP) as tx:
            issued = tx.add_app_password(JOHN.id, "phone", "the-password-of-a-phone", NOW, calendar="appointments", read_only=True)
        found = house.store.login_by_app_password("john-smith", "the-password-of-a-phone", NOW)
        assert found == Login(company=DEMO, staff=JOHN.id, handle=JOHN.handle, credential=issued, read_only=True, calendar="appointments")


def privileges(client: Client, path: str) -> set[str]:
    current = client.propfind(path, "<D:current-user-privilege-set/>").element(path, f"{D}current-user-privilege-set")
    return {name.tag for privilege in current for name in privilege}


def noted(house: House) -> dict[str, tuple[datetime | None, str, str]]:
    with house.store.read(DEMO) as snapshot:
        known = snapshot.app_passwords(JOHN.id)
    return {each.label: (each.last_used.astimezone(UTC) if each.last_used else None, each.last_client, each.last_network) for each in known}
