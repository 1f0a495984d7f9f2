"""What every calendar program needs (clients.md §10), as far as no other room proves it; the whole list is in docs/compliance.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import unquote

import pytest

from gateway.errors import Reason
from gateway.model import Appointment, OnDelete, Policy, Refusal
from tests.clients.editing import occurrence_moved, placed, raised, rewritten, with_lines
from tests.dav.house import DEMO, EMMA, HERE, NOW, SETUP, SPACES, Client, D, House, event, raw

HOME = "/dav/john-smith/"
START = NOW + timedelta(days=2, hours=2)
LATER = START + timedelta(hours=3)
STRANGE = HERE + "a%40b%20c%C3%BC%2B%26.ics"


@pytest.fixture
def name(house: House) -> str:
    return house.book(START)


class TestSetup:
    @pytest.mark.parametrize("path", ["/", "/dav", "/dav/", "/dav/principals/", HOME, HERE, HERE + "x.ics", "/dav/calendar/dav/x/user/"])
    @pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH", "PUT", "DELETE", "MKCALENDAR"])
    def test_a_stranger_is_always_challenged_with_the_same_words(self, house: House, method: str, path: str) -> None:
        """Neither 403 nor 404 nor a redirect: iOS gives an account up after any of them. The root of the host is for browsers too."""
        answer = raw(house.port, method, path, b"", {"Depth": "0"})
        if path == "/" and method != "PROPFIND":
            assert answer.status in (401, 405)
        else:
            assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="Calendar gateway", charset="UTF-8"')

    @pytest.mark.parametrize("host", ["calendar.example.net", "calendar.example.net:8443", "[::1]:8080"])
    def test_the_well_known_address_keeps_host_and_port(self, house: House, host: str) -> None:
        location = raw(house.port, "PROPFIND", "/.well-known/caldav", b"", {"Host": host}).headers["location"]
        assert location == "/dav/", "without a host it stays where it is, whatever stands in front of us"

    def test_wrong_credentials_are_challenged_again_and_never_forbidden(self, house: House) -> None:
        for client in (house.client(password="wrong"), Client(house, "nobody", "wrong"), Client(house, "", "")):
            assert client.ask("PROPFIND", HOME, Depth="0").status == 401


class TestAnswers:
    def test_no_address_names_a_host(self, house: House, john: Client, name: str) -> None:
        """An address with a host would have to be that of the Host header, also behind a proxy; a path needs no care."""
        john.put(STRANGE, event("a@example.com"))
        body = f"<D:propfind {SPACES}><D:allprop/></D:propfind>"
        for path in ("/dav/", HOME, HERE):
            answer = john.ask("PROPFIND", path, body, Depth="1", Host="calendar.example.net", X_Forwarded_Host="evil.example")
            for href in answer.tree.iter(f"{D}href"):
                assert (href.text or "").startswith(("/dav/", "mailto:")), href.text

    def test_an_address_is_spelled_the_same_in_every_answer(self, john: Client) -> None:
        john.put(STRANGE, event("a@example.com"))
        answers = [
            john.propfind(STRANGE, "<D:getetag/>"),
            john.propfind(HERE, "<D:getetag/>", "1"),
            john.sync(),
            john.query(""),
            john.multiget(STRANGE),
        ]
        for answer in answers:
            hrefs = [each.text for each in answer.tree.findall(f"{D}response/{D}href") if each.text != HERE]
            assert hrefs == [STRANGE]
            assert int(answer.headers["content-length"]) == len(answer.body)

    def test_collections_end_in_a_slash_and_objects_do_not(self, house: House, john: Client, name: str) -> None:
        for path, depth in (("/dav/", "1"), (HOME, "1"), (HERE, "1")):
            answer = john.propfind(path, "<D:resourcetype/>", depth)
            for href in answer.responses:
                kinds = {each.tag for each in answer.element(href, f"{D}resourcetype")}
                assert (f"{D}collection" in kinds) == href.endswith("/"), href

    @pytest.mark.parametrize("path", ["/dav/", HOME, HERE, f"{HOME}group-front/"])
    def test_whoever_asks_learns_who_he_is_at_every_level(self, john: Client, path: str) -> None:
        found = john.propfind(path, "<D:displayname/><D:current-user-principal/><D:supported-report-set/>").responses[path]
        assert found[f"{D}current-user-principal"] == HOME
        assert found[f"{D}displayname"]
        assert found[f"{D}supported-report-set"] is not None


class TestProperties:
    @pytest.mark.parametrize("path", [HOME, HERE, f"{HOME}group-front/", f"{HOME}company/", "OBJECT"])
    @pytest.mark.parametrize(
        "looks",
        [
            "<I:calendar-order>3</I:calendar-order>",
            '<I:calendar-color symbolic-color="red">#FF2968FF</I:calendar-color>',
            "<D:displayname>Work</D:displayname>",
            "<C:schedule-calendar-transp><C:opaque/></C:schedule-calendar-transp>",
            "<C:default-alarm-vevent-date>BEGIN:VALARM\nTRIGGER:-PT15H\nEND:VALARM</C:default-alarm-vevent-date>",
            "<D:getetag>x</D:getetag>",
        ],
    )
    def test_a_wish_is_answered_property_by_property(self, john: Client, name: str, path: str, looks: str) -> None:
        """Never with 405 or an error as a whole: Apple's programs end the setup there."""
        path = path.replace("OBJECT", HERE + name)
        answer = john.ask("PROPPATCH", path, f"<D:propertyupdate {SPACES}><D:set><D:prop>{looks}</D:prop></D:set></D:propertyupdate>")
        assert answer.status == 207
        [status] = [each.text or "" for each in answer.tree.findall(f"{D}response/{D}propstat/{D}status")]
        assert status.split()[1] in ("200", "403")

    def test_one_etag_is_told_everywhere_and_is_strong(self, john: Client) -> None:
        put = john.put(HERE + "a.ics", event("a@example.com")).etag
        props = "<D:getetag/>"
        told = {
            john.get(HERE + "a.ics").etag,
            john.ask("HEAD", HERE + "a.ics").etag,
            *(
                answer.responses[HERE + "a.ics"][f"{D}getetag"]
                for answer in (
                    john.propfind(HERE + "a.ics", props),
                    john.propfind(HERE, props, "1"),
                    john.sync(),
                    john.query(""),
                    john.multiget(HERE + "a.ics"),
                )
            ),
        }
        assert told == {put}
        assert put is not None
        assert put.startswith('"')
        assert put.endswith('"')

    def test_an_etag_comes_with_a_put_only_when_what_is_stored_is_what_was_sent(self, house: House, john: Client, name: str) -> None:
        sent = event("a@example.com", summary="Dentist; at noon")
        assert john.put(HERE + "a.ics", sent).etag == john.get(HERE + "a.ics").etag
        assert john.get(HERE + "a.ics").text == sent
        held = john.get(HERE + name)
        assert john.put(HERE + name, placed(held.text, LATER), If_Match=held.etag).etag is None
        assert john.put(HERE + name, held.text).etag is None


class TestLostUpdates:
    @pytest.mark.parametrize("sequence", ["0", "1", "7", "2147483647"])
    def test_what_a_program_counts_means_nothing(self, house: House, john: Client, name: str, sequence: str) -> None:
        """Thunderbird and Evolution do not raise SEQUENCE when they move, DAVx5 and iOS raise it when they do not."""
        held = john.get(HERE + name)
        assert john.put(HERE + name, rewritten(held.text, SEQUENCE=sequence), If_Match=held.etag).status == 204
        entry = house.entry(name)
        assert isinstance(entry, Appointment)
        assert (entry.span.start, entry.sequence) == (START, 0)
        assert john.put(HERE + name, placed(rewritten(held.text, SEQUENCE=sequence), LATER)).status == 204
        entry = house.entry(name)
        assert isinstance(entry, Appointment)
        assert (entry.span.start, entry.sequence) == (LATER, 1)

    def test_an_overwrite_without_if_match_is_found_out(self, house: House, john: Client, name: str) -> None:
        """What Thunderbird sends when its user answers "overwrite" to the dialog that 412 opens."""
        held = john.get(HERE + name)
        john.put(HERE + name, placed(held.text, LATER), If_Match=held.etag)
        stale = placed(held.text, START + timedelta(hours=1))
        assert john.put(HERE + name, stale, If_Match=held.etag).status == 412
        assert john.put(HERE + name, stale).status == 204
        entry = house.entry(name)
        assert isinstance(entry, Appointment)
        assert (entry.span.start, house.changes()[-1].reason) == (LATER, Reason.STALE)

    def test_a_real_conflict_is_412_and_never_403(self, house: House, john: Client) -> None:
        """iOS cannot recover from 403 there."""
        john.put(HERE + "a.ics", event("a@example.com"))
        changed = event("a@example.com", summary="Later")
        assert john.put(HERE + "a.ics", changed, If_Match='"older"').status == 412
        assert john.ask("DELETE", HERE + "a.ics", If_Match='"older"').status == 412
        assert john.put(HERE + "a.ics", changed, If_None_Match="*").status == 412


Edit = Callable[[str], str]
WEEK = timedelta(weeks=1)


class TestRefusals:
    """Neither 409, 412, 422, 423, 429 nor 5xx for a rule of the trade (clients.md §4)."""

    @pytest.mark.parametrize("refusal", list(Refusal))
    @pytest.mark.parametrize(
        ("policy", "edit", "reason"),
        [
            (Policy(two_way=False), lambda text: placed(text, LATER + WEEK), Reason.TWO_WAY_OFF),
            (Policy(two_way=True), lambda text: placed(text, NOW - timedelta(days=1)), Reason.PAST),
            (Policy(two_way=True), lambda text: placed(text, LATER), Reason.TAKEN),
            (Policy(two_way=True), lambda text: with_lines(text, "RRULE:FREQ=WEEKLY;COUNT=3"), Reason.RECURRENCE),
            (Policy(two_way=True), lambda text: text.replace("T113000", "T120000"), Reason.DURATION),
            (Policy(two_way=True), lambda text: all_day(text), Reason.ALL_DAY),
        ],
        ids=lambda value: value.value if isinstance(value, Reason) else "",
    )
    def test_a_refused_change_is_no_conflict_and_no_failure(
        self, house: House, john: Client, name: str, policy: Policy, edit: Edit, reason: Reason, refusal: Refusal
    ) -> None:
        house.book(LATER, uid="taken@example.com")
        with house.store.write(DEMO, SETUP) as tx:
            tx.save_company(replace(tx.company, policy=replace(policy, hold=timedelta(), refusal=refusal)))
        held, token = john.get(HERE + name), john.token()
        answer = john.put(HERE + name, edit(held.text), If_Match=held.etag)
        assert (answer.status, answer.etag) == (204 if refusal is Refusal.RESTORE else 403, None)
        assert house.changes()[-1].reason is reason
        after = john.get(HERE + name)
        assert (after.text, after.etag != held.etag) == (held.text, True), "the same event under a new ETag"
        assert set(john.sync(token).responses) == {HERE + name}, "and every other program of his fetches it too"

    @pytest.mark.parametrize("on_delete", list(OnDelete))
    @pytest.mark.parametrize("refusal", list(Refusal))
    def test_a_deletion_is_never_forbidden_where_it_is_asked_about(
        self, house: House, john: Client, name: str, on_delete: OnDelete, refusal: Refusal
    ) -> None:
        """After 403 Thunderbird calls the whole calendar unavailable."""
        house.set_policy(on_delete=on_delete, refusal=refusal)
        assert john.ask("DELETE", HERE + name).status == 204


def all_day(text: str) -> str:
    day = f"{START:%Y%m%d}"
    lines = [
        f"DTSTART;VALUE=DATE:{day}"
        if line.startswith("DTSTART;TZID")
        else f"DTEND;VALUE=DATE:{START + timedelta(days=1):%Y%m%d}"
        if line.startswith("DTEND;TZID")
        else line
        for line in text.split("\r\n")
    ]
    return "\r\n".join(lines)


class TestKept:
    def test_what_a_program_adds_stays_with_the_staff_member(self, house: House, john: Client, name: str) -> None:
        added = (
            "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
            "X-MOZ-LASTACK:20261124T090000Z",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "DESCRIPTION:Leave now",
            "TRIGGER:-PT25M",
            "X-WR-ALARMUID:61A0F4E0-0000-4000-8000-000000000000",
            "END:VALARM",
        )
        held = john.get(HERE + name)
        assert john.put(HERE + name, with_lines(held.text, *added), If_Match=held.etag).status == 204
        again = john.get(HERE + name).text.split("\r\n")
        assert set(added) <= set(again)
        view = "/dav/emma-morris/group-front/"
        emma = house.client(EMMA)
        [path] = emma.sync(path=view).responses
        assert not set(added) - {"END:VALARM"} & set(emma.get(path).text.split("\r\n")), "his alarms are his own"

    @pytest.mark.parametrize("octets", [76, 116, 3000])
    def test_lines_as_long_as_they_come_are_read(self, house: House, john: Client, name: str, octets: int) -> None:
        held = john.get(HERE + name)
        long = "X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:" + "4" * (octets - 42)
        assert john.put(HERE + name, with_lines(placed(held.text, LATER), long), If_Match=held.etag).status == 204
        entry = house.entry(name)
        assert isinstance(entry, Appointment)
        assert entry.span.start == LATER

    def test_a_private_series_with_exceptions_is_kept_in_one_object(self, john: Client) -> None:
        master = event("a@example.com", "20261126T090000Z", "20261126T100000Z", "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:20261210T090000Z")
        override = master[master.index("BEGIN:VEVENT") : master.index("END:VCALENDAR")]
        override = override.replace("RRULE:FREQ=WEEKLY;COUNT=4\r\nEXDATE:20261210T090000Z", "RECURRENCE-ID:20261203T090000Z")
        override = override.replace("DTSTART:20261126T09", "DTSTART:20261204T15").replace("DTEND:20261126T10", "DTEND:20261204T16")
        text = master.replace("END:VCALENDAR", override + "END:VCALENDAR")
        answer = john.put(HERE + "a.ics", text)
        assert (answer.status, john.get(HERE + "a.ics").text) == (201, text)
        for day, found in (("1126", 1), ("1203", 0), ("1204", 1), ("1210", 0), ("1217", 1)):
            window = f'<C:time-range start="2026{day}T000000Z" end="2026{day}T235959Z"/>'
            assert len(john.query(f'<C:comp-filter name="VEVENT">{window}</C:comp-filter>').responses) == found, day


@pytest.mark.parametrize("write", [lambda text: text, raised], ids=["unraised", "raised"])
def test_an_occurrence_is_moved_back_to_where_it_was(house: House, john: Client, write: Edit) -> None:
    """A user who drags one occurrence away and back again has changed nothing."""
    name = house.book(START, rule="FREQ=WEEKLY;COUNT=4", uid="series@example.com")
    for to in (START + WEEK + timedelta(hours=3), START + WEEK):
        held = john.get(HERE + name)
        alone = held.text[: held.text.index("BEGIN:VEVENT")] + _master(held.text) + "END:VCALENDAR\r\n"
        assert john.put(HERE + name, write(occurrence_moved(alone, START + WEEK, to)), If_Match=held.etag).status == 204
    assert moved_occurrences(house, name) in ([], [START + WEEK])


def _master(text: str) -> str:
    return text[text.index("BEGIN:VEVENT") : text.index("END:VEVENT") + len("END:VEVENT\r\n")]


def moved_occurrences(house: House, name: str) -> list[datetime]:
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.recurrence is not None
    return [each.span.start for each in entry.recurrence.overrides]


def test_names_are_unquoted_once_and_only_once(john: Client) -> None:
    path = HERE + "100%2525.ics"
    assert john.put(path, event("a@example.com")).status == 201
    assert set(john.sync().responses) == {unquote(path)}
    assert john.ask("GET", HERE + "100%25.ics").status == 404
