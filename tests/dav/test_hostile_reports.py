"""Reports as an attack: no text of theirs means anything but itself, and none makes the server look without end or elsewhere."""

from __future__ import annotations

import threading

import pytest

from tests.dav.asking import comp, match, names_in, prop, span
from tests.dav.hostile import refused
from tests.dav.house import DEMO, EMMA, HERE, NOW, OTHER, SPACES, TAYLOR, C, Client, D, House, event

PATTERNS = ("(((a+)+)+)+$", "%_%", "' OR '1'='1", ".*", "[a-z]", "\\", "a\\,b", "$x", "{0}", "a*")
FOREIGN = "/dav/taylor/appointments/"


@pytest.mark.parametrize("collation", ["i;ascii-casemap", "i;octet", "i;unicode-casemap"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_word_is_looked_for_as_it_is_written(john: Client, pattern: str, collation: str) -> None:
    """No pattern, no wildcard, no SQL: only the object that has these very letters is found."""
    escaped = pattern.replace("\\", "\\\\").replace(",", "\\,")
    assert john.put(HERE + "it.ics", event("it", summary=f"before {escaped} after")).status == 201
    for number, other in enumerate(("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "x1y", "ordinary", "a, b")):
        assert john.put(f"{HERE}{number}.ics", event(str(number), summary=other.replace(",", "\\,"))).status == 201
    found = john.query(comp("VEVENT", prop("SUMMARY", match(pattern.replace("'", "&#39;"), collation=collation))))
    assert names_in(found) == ["it.ics"]


@pytest.mark.parametrize(
    "window",
    [
        '<C:time-range start="20270601T000000Z" end="20270101T000000Z"/>', '<C:time-range start="20270601T000000"/>',
        '<C:time-range start="20270601"/>', '<C:time-range start="soon"/>', '<C:time-range start="20270230T000000Z"/>', "<C:time-range/>",
    ],
)  # fmt: skip
def test_a_window_that_is_none_is_refused_by_every_report(calm: House, john: Client, window: str) -> None:
    answer = john.query(comp("VEVENT", window))
    assert (answer.status, answer.condition) == (403, f"{C}valid-filter")
    refused(john.report(f"<C:free-busy-query {SPACES}>{window}</C:free-busy-query>", Depth="1"), 400, 403)


@pytest.mark.parametrize("name", ["expand", "limit-recurrence-set", "time-range"])
def test_nine_thousand_years_are_never_looked_at(calm: House, john: Client, name: str) -> None:
    window = span("00010101T000000", "99991231T235959", name=name)
    if name == "time-range":
        answer = john.report(f"<C:free-busy-query {SPACES}>{window}</C:free-busy-query>", Depth="1")
    else:
        answer = john.query(comp("VEVENT"), props=f"<C:calendar-data>{window}</C:calendar-data>")
    refused(answer, 403)
    assert answer.condition in (f"{C}min-date-time", f"{C}max-date-time", f"{C}valid-filter", f"{D}number-of-matches-within-limits")


@pytest.mark.parametrize(
    ("inner", "statuses"),
    [
        (comp("VEVENT", '<C:comp-filter name="VALARM">' * 20 + "</C:comp-filter>" * 20), (403,)),
        (comp("VEVENT", '<C:comp-filter name="VALARM">' * 1000 + "</C:comp-filter>" * 1000), (400,)),
        (comp("VEVENT", '<C:comp-filter name="VALARM">' * 50_000), (400, 413)),
        (comp("VEVENT", '<C:prop-filter name="X"/>' * 5000), (403,)),
        (comp("VEVENT", '<C:prop-filter name="X"/>' * 100_000), (413,)),
        (comp("VEVENT", prop("SUMMARY", "<C:text-match>x</C:text-match>" * 2000)), (403,)),
        (comp("VEVENT", prop("SUMMARY", "<C:text-match>x</C:text-match>" * 20_000)), (413,)),
    ],
)
def test_a_filter_without_end_is_refused(calm: House, john: Client, inner: str, statuses: tuple[int, ...]) -> None:
    answer = john.query(inner)
    refused(answer, *statuses)
    assert answer.status != 403 or answer.condition == f"{C}valid-filter"


def test_an_order_of_letters_that_nobody_knows_is_refused(calm: House, john: Client) -> None:
    answer = john.query(comp("VEVENT", prop("SUMMARY", match("x", collation="i;rot13"))))
    assert (answer.status, answer.condition) == (403, f"{C}supported-collation")


class TestMultiget:
    def test_ten_thousand_addresses_are_refused_and_the_next_one_is_served(self, calm: House, john: Client) -> None:
        many = "".join(f"<D:href>/{number}</D:href>" for number in range(10_000))
        body = f"<C:calendar-multiget {SPACES}><D:prop><D:getetag/></D:prop>{many}</C:calendar-multiget>"
        answer = john.report(body)
        assert (answer.status, answer.condition) == (403, f"{D}number-of-matches-within-limits")
        refused(john.report(body.replace(many, many * 10)), 413)
        assert john.get(HERE + "mine.ics")

    def test_ten_thousand_times_one_address_is_one_answer(self, calm: House, john: Client) -> None:
        answer = john.multiget(*["mine.ics"] * 10_000, props="<D:getetag/>")
        assert answer.status == 207
        assert len(list(answer.tree.iter(f"{D}response"))) == 1

    @pytest.mark.parametrize(
        "href",
        [
            "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "file:///etc/passwd", "http://evil.invalid/dav/john-smith/appointments/mine.ics",
            "//evil.invalid/x", "%00", "mine.ics%00", "x" * 5000, f"{FOREIGN}theirs.ics", "/dav/taylor/",
            "/dav/emma-morris/appointments/x.ics", "javascript:alert(1)", "http://[::1", "\\\\host\\x", "?", "#", "mailto:x@example.com",
        ],
    )  # fmt: skip
    def test_what_is_not_in_the_calendar_is_not_found_and_not_fetched(self, calm: House, john: Client, href: str) -> None:
        calm.book(NOW, staff=TAYLOR, company=OTHER)
        for at in (HERE, "/dav/john-smith/"):
            answer = john.multiget(href, at=at)
            assert answer.status == 207
            assert [found["status"] for found in answer.responses.values()] == ["404"]
            assert "BEGIN:" not in answer.text


class TestTokens:
    @pytest.mark.parametrize("path", [HERE, "/dav/john-smith/"])
    def test_a_token_of_another_company_is_refused(self, calm: House, john: Client, path: str) -> None:
        taylor = calm.client(TAYLOR)
        for theirs in (FOREIGN, "/dav/taylor/"):
            answer = john.sync(taylor.token(theirs), path)
            assert (answer.status, answer.condition) == (403, f"{D}valid-sync-token")

    def test_a_megabyte_is_no_token(self, calm: House, john: Client) -> None:
        refused(john.sync("x" * 10**6), 413)
        assert john.sync("x" * 200_000).condition == f"{D}valid-sync-token"

    def test_more_than_there_is_may_be_asked_for(self, house: House, john: Client) -> None:
        for number in range(3):
            assert john.put(f"{HERE}{number}.ics", event(str(number))).status == 201
        for wanted in (3, 10**20, int("9" * 300)):
            answer = john.sync(more=f"<D:limit><D:nresults>{wanted}</D:nresults></D:limit>")
            assert len(answer.responses) == 3
            assert john.sync(answer.tree.findtext(f"{D}sync-token") or "").responses == {}


def test_neither_expanding_nor_searching_leads_to_another_company(house: House, john: Client) -> None:
    nested = '<D:property name="owner">' * 200 + "</D:property>" * 200
    refused(john.report(f"<D:expand-property {SPACES}>{nested}</D:expand-property>", "/dav/john-smith/"), 400)
    for words in ("", "Taylor", "%", "_", "*", TAYLOR.email):
        inner = f"<D:property-search><D:prop><D:displayname/></D:prop><D:match>{words}</D:match></D:property-search>"
        body = f"<D:principal-property-search {SPACES}>{inner}<D:prop><D:displayname/></D:prop></D:principal-property-search>"
        answer = john.report(body, "/dav/")
        assert answer.status in (207, 400, 403)
        assert TAYLOR.name.encode() not in answer.body
        assert b"/dav/taylor" not in answer.body
    with house.store.read(DEMO) as snapshot:
        assert TAYLOR.id not in {each.id for each in snapshot.all_staff()}


def test_fifty_first_synchronisations_at_once_keep_nobody_waiting(house: House, john: Client) -> None:
    """They go on until somebody else has been served ten times, and are all told the same."""
    for number in range(40):
        assert john.put(f"{HERE}{number}.ics", event(f"{number}@example.com", summary="x" * 2000)).status == 201
    served, answers = threading.Event(), list[bytes]()

    def synchronise() -> None:
        while True:
            answers.append(john.sync(props="<D:getetag/><C:calendar-data/>").body)
            if served.is_set():
                return

    clients = [threading.Thread(target=synchronise) for _ in range(50)]
    for client in clients:
        client.start()
    try:
        emma = house.client(EMMA)
        for number in range(10):
            assert emma.put(f"/dav/emma-morris/appointments/{number}.ics", event(f"{number}@example.com")).status == 201
    finally:
        served.set()
        for client in clients:
            client.join(30)
    assert len(answers) >= 50
    assert len(set(answers)) == 1
    assert answers[0].count(b"BEGIN:VEVENT") == 40
