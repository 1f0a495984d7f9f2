"""Every precondition of RFC 3253, 3744, 4791, 4918, 5689, 6578 and 7529 that can be broken here, broken (plugins.failures)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from plugins.failures import CONDITIONS
from tests.dav.house import HERE, NOW, READ_ONLY, SPACES, Answer, C, Client, D, House, event

ROOT = Path(__file__).parents[2]
HOME, PRIVATE, COMPANY = "/dav/john-smith/", "/dav/john-smith/private/", "/dav/john-smith/company/"

Provoke = Callable[[House, Client], Answer]


def put(text: str, name: str = "x.ics", **headers: str) -> Provoke:
    return lambda house, john: john.put(HERE + name, text, **headers)


def lines(*more: str) -> str:
    return event("x@example.com", "20261126T090000Z", "20261126T100000Z", *more)


def ask(method: str, path: str, body: str = "", **headers: str) -> Provoke:
    return lambda house, john: john.ask(method, path, body, **headers)


def query(inner: str, more: str = "") -> Provoke:
    return lambda house, john: john.query(inner, more=more)


def window(start: str, end: str) -> str:
    return f'<C:comp-filter name="VEVENT"><C:time-range start="{start}" end="{end}"/></C:comp-filter>'


def multiget(house: House, john: Client) -> Answer:
    return john.multiget(*(f"{HERE}{number}.ics" for number in range(501)))


def taken(house: House, john: Client) -> Answer:
    john.put(HERE + "one.ics", event("x@example.com"))
    return john.put(HERE + "two.ics", event("x@example.com"))


def copied(house: House, john: Client) -> Answer:
    john.ask("MKCALENDAR", PRIVATE)
    john.put(HERE + "one.ics", event("x@example.com"))
    john.put(PRIVATE + "there.ics", event("x@example.com"))
    return john.ask("COPY", HERE + "one.ics", Destination=PRIVATE + "two.ics")


def moved_tasks(house: House, john: Client) -> Answer:
    john.ask("MKCALENDAR", PRIVATE)
    john.put(PRIVATE + "one.ics", event("x@example.com").replace("VEVENT", "VTODO").replace("DTEND", "DUE"))
    return john.ask("MOVE", PRIVATE + "one.ics", Destination=HERE + "one.ics")


def crowded(house: House, john: Client) -> Answer:
    for number in range(101):
        john.put(f"{HERE}{number}.ics", event(f"{number}@example.com"))
    return john.report(f'<D:expand-property {SPACES}><D:property name="getetag"/></D:expand-property>', Depth="1")


def read_only(house: House, john: Client) -> Answer:
    return house.client(password=READ_ONLY).put(HERE + "x.ics", event("x@example.com"))


def of_a_view(house: House, john: Client) -> Answer:
    house.book(NOW + timedelta(days=1))
    [path] = john.sync(path=COMPANY).responses
    return john.ask("DELETE", path)


_GUESTS = [f"ATTENDEE:mailto:{number}@example.com" for number in range(101)]
_MOVED = "BEGIN:VEVENT\r\nUID:x@example.com\r\nDTSTAMP:20261101T000000Z\r\nRECURRENCE-ID:{0}\r\nDTSTART:{0}\r\nEND:VEVENT\r\n"
_MANY = lines("RRULE:FREQ=DAILY").replace(
    "END:VCALENDAR", "".join(_MOVED.format(f"{NOW + timedelta(days=day, hours=2):%Y%m%dT%H%M%SZ}") for day in range(501)) + "END:VCALENDAR"
)
_COLLATION = '<C:prop-filter name="SUMMARY"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter>'

CASES: list[tuple[str, Provoke]] = [
    ("propfind-finite-depth", ask("PROPFIND", HERE, Depth="infinity")),
    ("no-external-entities", ask("PROPFIND", HERE, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>')),
    ("supported-report", ask("REPORT", HERE, f"<D:version-tree {SPACES}/>")),
    ("supported-report", ask("REPORT", "/dav/", f"<C:calendar-query {SPACES}/>")),
    ("need-privileges", read_only),
    ("need-privileges", of_a_view),
    ("need-privileges", ask("PUT", COMPANY + "x.ics", event("x@example.com"))),
    ("need-privileges", ask("DELETE", HERE)),
    ("need-privileges", ask("ACL", HERE)),
    ("number-of-matches-within-limits", multiget),
    ("number-of-matches-within-limits", crowded),
    ("valid-resourcetype", ask("MKCOL", PRIVATE)),
    ("sync-traversal-supported", lambda house, john: john.report(
        f"<D:sync-collection {SPACES}><D:sync-token/><D:sync-level>infinite</D:sync-level><D:prop/></D:sync-collection>", HOME)),
    ("valid-sync-token", lambda house, john: john.sync("data:,old")),
    ("resource-must-be-null", ask("MKCALENDAR", HERE)),
    ("calendar-collection-location-ok", ask("MKCALENDAR", HERE + "inside/")),
    ("supported-calendar-data", put(event("x@example.com"), Content_Type="application/calendar+json")),
    ("supported-calendar-data", lambda house, john: john.query("", props='<C:calendar-data content-type="application/calendar+json"/>')),
    ("valid-calendar-data", put("BEGIN:VCALENDAR\r\nno line\r\nEND:VCALENDAR\r\n")),
    ("valid-calendar-data", put(lines("RRULE:FREQ=NEVER"))),
    ("valid-calendar-object-resource", put(lines().replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"))),
    ("valid-calendar-object-resource", put(lines().replace("UID:x@example.com\r\n", ""))),
    ("supported-calendar-component", put(lines().replace("VEVENT", "VFREEBUSY"))),
    ("supported-calendar-component", moved_tasks),
    ("no-uid-conflict", taken),
    ("no-uid-conflict", copied),
    ("max-resource-size", put(event("x@example.com").replace("END:VEVENT", "X-A:1\r\n" * 20_000 + "END:VEVENT"))),
    ("max-instances", put(_MANY)),
    ("max-attendees-per-instance", put(lines(*_GUESTS))),
    ("supported-rscale", put(lines("RRULE:RSCALE=CHINESE;FREQ=YEARLY"))),
    ("min-date-time", query(window("18000101T000000Z", "20260101T000000Z"))),
    ("max-date-time", query(window("20260101T000000Z", "30000101T000000Z"))),
    ("valid-filter", query(window("20270101T000000Z", "20260101T000000Z"))),
    ("supported-filter", query('<C:comp-filter name="VEVENT"><C:no-such-filter/></C:comp-filter>')),
    ("supported-collation", query(f'<C:comp-filter name="VEVENT">{_COLLATION}</C:comp-filter>')),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "provoke"), CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def test_the_broken_precondition_is_named(house: House, john: Client, condition: str, provoke: Provoke) -> None:
    answer = provoke(house, john)
    assert answer.status == (400 if condition == "no-external-entities" else 403), answer.text
    assert answer.condition == f"{{{CONDITIONS[condition]}}}{condition}"
    assert len(answer.sentence.strip()) > 10


def test_every_condition_in_the_table_is_provoked() -> None:
    """Here, or in the tests of the room that it belongs to."""
    mine = {name for name, _ in CASES}
    others = [path.read_text() for path in ROOT.joinpath("tests").rglob("test_*.py") if path != Path(__file__)]
    others.append(inspect.getsource(test_it_stands_in_the_propstat_of_the_property))
    assert not [name for name in CONDITIONS if name not in mine and not any(name in text for text in others)]


def test_every_condition_that_is_raised_is_in_the_table() -> None:
    """A condition that is not would get CalDAV's namespace, whichever RFC it is from."""
    raised: set[str] = set()
    for room in ("plugins", "gateway/ical", "gateway/recurrence", "gateway/booking", "gateway/store"):
        for path in (ROOT / room).rglob("*.py"):
            raised |= set(re.findall(r'condition="([a-z-]+)"', path.read_text()))
    assert raised <= set(CONDITIONS)


def test_the_conflicting_object_is_named(house: House, john: Client) -> None:
    assert taken(house, john).tree.findtext(f"{C}no-uid-conflict/{D}href") == HERE + "one.ics"
    assert copied(house, john).tree.findtext(f"{C}no-uid-conflict/{D}href") == PRIVATE + "there.ics"


def test_missing_privileges_are_named_with_their_resource(house: House, john: Client) -> None:
    def needed(answer: Answer) -> tuple[str | None, str]:
        resource = answer.tree.find(f"{D}need-privileges/{D}resource")
        assert resource is not None
        [privilege] = resource.findall(f"{D}privilege/*")
        return resource.findtext(f"{D}href"), privilege.tag

    assert needed(john.ask("PUT", COMPANY + "x.ics", event("x@example.com"))) == (COMPANY, f"{D}bind")
    assert needed(of_a_view(house, john)) == (COMPANY, f"{D}unbind")
    assert needed(john.ask("DELETE", HERE)) == (HOME, f"{D}unbind")
    john.put(HERE + "a.ics", event("a@example.com"))
    assert needed(john.ask("COPY", HERE + "a.ics", Destination=COMPANY + "a.ics")) == (COMPANY, f"{D}bind")


def outcome(answer: Answer) -> dict[str, tuple[str, str | None]]:
    """By property: status, and the precondition in its propstat."""
    return {
        each.tag: (
            (stat.findtext(f"{D}status") or "").split()[1],
            next((error.tag for error in stat.findall(f"{D}error/*")), None),
        )
        for stat in answer.tree.iter(f"{D}propstat")
        for each in stat.findall(f"{D}prop/*")
    }


def test_it_stands_in_the_propstat_of_the_property(john: Client) -> None:
    inner = "<D:getetag>x</D:getetag><C:calendar-timezone>x</C:calendar-timezone><D:displayname>x</D:displayname>"
    body = f"<D:propertyupdate {SPACES}><D:set><D:prop>{inner}</D:prop></D:set></D:propertyupdate>"
    answer = john.ask("PROPPATCH", HERE, body)
    assert answer.status == 207
    assert outcome(answer) == {
        f"{D}getetag": ("403", f"{D}cannot-modify-protected-property"),
        f"{C}calendar-timezone": ("403", f"{C}valid-calendar-data"),
        f"{D}displayname": ("424", None),
    }


@pytest.mark.parametrize(
    ("method", "root", "answered"),
    [("MKCOL", "D:mkcol", f"{D}mkcol-response"), ("MKCALENDAR", "C:mkcalendar", f"{C}mkcalendar-response")],
)
def test_a_calendar_that_cannot_be_what_was_asked_for_is_not_made(john: Client, method: str, root: str, answered: str) -> None:
    def make(inner: str, kind: str = "<C:calendar/>") -> Answer:
        types = f"<D:resourcetype><D:collection/>{kind}</D:resourcetype>"
        return john.ask(method, PRIVATE, f"<{root} {SPACES}><D:set><D:prop>{types}{inner}</D:prop></D:set></{root}>")

    looks = "<D:displayname>Name</D:displayname><I:calendar-color>red</I:calendar-color>"
    bad = make(looks + '<C:supported-calendar-component-set><C:comp name="VPOLL"/></C:supported-calendar-component-set>')
    assert (bad.status, bad.tree.tag) == (403, answered)
    found = outcome(bad)
    assert found[f"{D}displayname"] == ("424", None)
    assert found[f"{C}supported-calendar-component-set"] == ("403", f"{C}supported-calendar-component")
    assert "A colour is" in bad.text
    other = make("<D:displayname>Name</D:displayname>", '<X:book xmlns:X="urn:x"/>')
    assert (other.status, outcome(other)[f"{D}resourcetype"]) == (403, ("403", f"{D}valid-resourcetype"))
    protected = make("<D:getetag>x</D:getetag>")
    assert outcome(protected)[f"{D}getetag"] == ("403", f"{D}cannot-modify-protected-property")
    many = make("".join(f'<X:n{number} xmlns:X="urn:x">1</X:n{number}>' for number in range(101)))
    assert (many.status, many.tree.tag) == (507, answered)
    assert john.ask("PROPFIND", PRIVATE).status == 404
    assert make("<D:displayname>Name</D:displayname>").status == 201


def test_what_is_there_is_not_made_again(john: Client) -> None:
    for path in (HERE, COMPANY, PRIVATE):
        john.ask("MKCALENDAR", PRIVATE)
        again = john.ask("MKCOL", path)
        assert (again.status, "MKCOL" in again.headers["allow"]) == (405, False)
    assert john.ask("MKCALENDAR", "/dav/john-smith/nowhere/inside/").status == 409
