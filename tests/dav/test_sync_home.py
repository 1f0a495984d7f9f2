"""sync-collection of a home: calendars that changed, came and went (RFC 6578), and what the report's body may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.model import Group, GroupId
from tests.dav.house import CS, DEMO, EMMA, HERE, JOHN, NOW, SETUP, SPACES, Answer, C, Client, D, House, event

HOME, PRIVATE, COMPANY, FRONT = (f"/dav/john-smith/{name}" for name in ("", "private/", "company/", "group-front/"))
INBOX, OUTBOX = f"{HOME}inbox/", f"{HOME}outbox/"
GONE = {"status": "404"}


def token_in(answer: Answer) -> str:
    return answer.tree.findtext(f"{D}sync-token") or ""


def news(john: Client, token: str, more: str = "", props: str = "<D:resourcetype/>") -> tuple[Mapping[str, Mapping[str, str]], str]:
    answer = john.sync(token, HOME, more=more, props=props)
    assert answer.status == 207, answer.text
    return answer.responses, token_in(answer)


def test_the_first_answer_lists_everything_in_the_home(john: Client) -> None:
    found, token = news(john, "", props="<D:displayname/><CS:getctag/><D:no-such/>")
    assert set(found) == {HERE, FRONT, COMPANY, INBOX, OUTBOX}
    assert {path: each[f"{CS}getctag"] for path, each in found.items()} == {path: john.ctag(path) for path in found}
    assert token == john.token(HOME)
    assert news(john, token)[0] == {}


def test_a_calendar_is_named_when_something_in_it_has_changed(house: House, john: Client) -> None:
    _, token = news(john, "")
    john.put(HERE + "a.ics", event("a@example.com"))
    found, token = news(john, token)
    assert HERE in found
    assert PRIVATE not in found
    assert john.ask("MKCALENDAR", PRIVATE).status == 201
    found, token = news(john, token)
    assert set(found) == {PRIVATE}
    house.book(NOW + timedelta(days=1), staff=EMMA)
    found, token = news(john, token)
    assert set(found) == {FRONT, COMPANY}
    assert news(john, token) == ({}, token)


def test_a_calendar_that_has_gone_is_not_found(john: Client) -> None:
    john.ask("MKCALENDAR", PRIVATE)
    _, token = news(john, "")
    john.ask("DELETE", PRIVATE)
    assert news(john, token)[0] == {PRIVATE: GONE}
    john.ask("MKCALENDAR", PRIVATE)
    found, newer = news(john, token)
    assert set(found) == {PRIVATE}
    assert found[PRIVATE] != GONE
    assert news(john, newer)[0] == {}


def test_a_view_goes_with_the_membership_and_comes_back(house: House, john: Client) -> None:
    def members(*staff: str) -> None:
        with house.store.write(DEMO, SETUP) as tx:
            tx.save_group(Group(id=GroupId("front"), slug="front", name="Front desk", members=staff))  # type: ignore[arg-type]

    _, token = news(john, "")
    members("emma")
    found, without = news(john, token)
    assert found == {FRONT: GONE}
    members("emma", "john")
    assert set(news(john, without)[0]) == {FRONT}
    assert set(news(john, token)[0]) == {FRONT}


def test_pages_skip_nothing_even_where_views_share_a_revision(house: House, john: Client) -> None:
    for name in ("x", "y", "z"):
        john.ask("MKCALENDAR", f"{HOME}{name}/")
    _, old = news(john, "")
    john.ask("DELETE", f"{HOME}y/")
    john.ask("DELETE", f"{HOME}z/")
    house.book(NOW + timedelta(days=1))  # changes three calendars under one revision
    for start, expected in (
        (old, {HERE, FRONT, COMPANY, f"{HOME}y/", f"{HOME}z/"}),
        ("", {HERE, FRONT, COMPANY, f"{HOME}x/", INBOX, OUTBOX}),
    ):
        token, seen = start, set[str]()
        for _ in range(10):
            found, token = news(john, token, "<D:limit><D:nresults>1</D:nresults></D:limit>")
            more = dict(found).pop(HOME, None)
            assert len(set(found) - {HOME}) == 1
            seen |= set(found) - {HOME}
            if more is None:
                break
            assert more == {"status": "507"}
        assert seen == expected
        assert token == john.token(HOME)


def test_a_home_is_synchronised_one_level_deep(john: Client) -> None:
    body = f"<D:sync-collection {SPACES}><D:sync-token/><D:sync-level>infinite</D:sync-level><D:prop/></D:sync-collection>"
    answer = john.report(body, HOME)
    assert (answer.status, answer.condition) == (403, f"{D}sync-traversal-supported")
    john.put(HERE + "a.ics", event("a@example.com"))
    assert set(john.report(body, HERE).responses) == {HERE + "a.ics"}  # a calendar has no more than one level


@pytest.mark.parametrize("path", [HOME, HERE])
@pytest.mark.parametrize(
    ("inner", "headers", "status"),
    [
        ("<D:sync-token/><D:prop/>", {}, 207),
        ("<D:prop/>", {}, 207),
        ("<D:sync-token/><D:sync-level>1</D:sync-level><D:prop/>", {"Depth": "1"}, 207),
        ("<D:sync-token/><D:sync-level>1</D:sync-level><D:prop/>", {"Depth": "infinity"}, 400),
        ("<D:sync-token/><D:sync-level>2</D:sync-level><D:prop/>", {}, 400),
        ("<D:sync-token/><D:sync-level/><D:prop/>", {}, 400),
        ("<D:sync-token/><D:sync-level>1</D:sync-level><D:allprop/>", {}, 400),
        ("<D:sync-token/><D:sync-level>1</D:sync-level><D:propname/>", {}, 400),
        ("<D:sync-token/><D:sync-level>1</D:sync-level>", {}, 400),
    ],
)
def test_the_body_says_what_it_has_to(john: Client, path: str, inner: str, headers: dict[str, str], status: int) -> None:
    assert john.report(f"<D:sync-collection {SPACES}>{inner}</D:sync-collection>", path, **headers).status == status


def test_foreign_forged_and_void_tokens_are_refused(house: House, john: Client) -> None:
    mine = john.token(HOME)
    head, _, number = mine.rpartition("-")
    start, packed = head.rsplit("-", 1)
    tokens = [
        "x",
        "data:,",
        john.token(),
        house.client(EMMA).token("/dav/emma-morris/"),
        f"{head}-{int(number) + 50}",
        f"{head}-",
        f"{head}--1",
    ]
    tokens += [
        f"{start}-{packed[:-1]}!-{number}",
        f"{start}-Li4-{number}",
        f"{start}-Lwo-{number}",
        f"{start}-{'A' * 20_000}-{number}",
        f"{mine}-{number}",
    ]
    for token in tokens:
        answer = john.sync(token, HOME)
        assert (answer.status, answer.condition) == (403, f"{D}valid-sync-token"), token
    answer = john.sync(mine)
    assert (answer.status, answer.condition) == (403, f"{D}valid-sync-token")


def test_a_restored_database_honours_no_older_token(house: House, john: Client) -> None:
    token = john.token(HOME)
    house.store.renew_epoch()
    assert john.sync(token, HOME).status == 403


def test_objects_of_several_calendars_are_fetched_at_once(john: Client) -> None:
    john.ask("MKCALENDAR", PRIVATE)
    john.put(HERE + "a.ics", event("a@example.com"))
    john.put(PRIVATE + "b.ics", event("b@example.com"))
    asked = [
        PRIVATE + "b.ics",
        HERE + "no.ics",
        HERE + "a.ics",
        HOME + "nowhere/x.ics",
        "/dav/emma-morris/appointments/x.ics",
        HERE,
        "junk",
    ]
    answer = john.multiget(*asked, at=HOME)
    assert [element.text for element in answer.tree.iter(f"{D}href")] == asked
    found = answer.responses
    assert found[PRIVATE + "b.ics"][f"{C}calendar-data"] == event("b@example.com")
    assert found[HERE + "a.ics"][f"{C}calendar-data"] == event("a@example.com")
    assert all(found[path] == GONE for path in asked[1:2] + asked[3:])


def test_the_titles_say_whose_calendar_it_is(house: House, john: Client) -> None:
    john.ask("MKCALENDAR", PRIVATE)
    answer = john.propfind(HOME, "<D:displayname/>", "1").responses
    assert {path: found[f"{D}displayname"] for path, found in answer.items() if path not in (INBOX, OUTBOX)} == {
        HOME: JOHN.name,
        HERE: JOHN.name,
        PRIVATE: "private",
        FRONT: "Front desk",
        COMPANY: "Demo Company",
    }
    with house.store.write(DEMO, SETUP) as tx:
        tx.save_staff(replace(JOHN, name="John S."))
    assert john.propfind(HERE, "<D:displayname/>").responses[HERE][f"{D}displayname"] == "John S."
