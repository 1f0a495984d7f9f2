"""Publishing a calendar from a calendar program: a feed that anybody with the link can read, and its end."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from gateway.model import Level
from tests.dav.house import ANN, CS, DEMO, EMMA, HERE, JOHN, NOW, PUBLIC_URL, READ_ONLY, SETUP, Answer, Client, House, raw

HOME = "/dav/john-smith/"
START = NOW + timedelta(days=2, hours=2)
XML = "application/xml; charset=utf-8"
URL, BEFORE, MODES = f"{CS}publish-url", f"{CS}pre-publish-url", f"{CS}allowed-sharing-modes"
NAMES = "<CS:publish-url/><CS:pre-publish-url/><CS:allowed-sharing-modes/>"


def post(client: Client, what: str, path: str = HERE, kind: str = XML) -> Answer:
    return client.ask("POST", path, f'<CS:{what} xmlns:CS="http://calendarserver.org/ns/"/>', Content_Type=kind)


def link(client: Client) -> str | None:
    return client.propfind(HERE, NAMES).responses[HERE].get(URL)


def read(house: House, address: str) -> Answer:
    return raw(house.port, "GET", urlsplit(address).path)


def test_a_calendar_says_whether_it_can_be_published(john: Client) -> None:
    answer = john.propfind(HERE, NAMES)
    assert [item.tag for item in answer.element(HERE, MODES)] == [f"{CS}can-be-published"]
    assert answer.responses[HERE][BEFORE] == f"{PUBLIC_URL}/feeds/"
    assert answer.missing(HERE) == {URL}
    assert "POST" in john.ask("OPTIONS", HERE).headers["allow"]


def test_publishing_makes_a_link_that_anybody_can_read(house: House, john: Client) -> None:
    house.book(START)
    assert post(john, "publish-calendar").status == 202
    address = link(john)
    assert address is not None
    assert address.startswith(f"{PUBLIC_URL}/feeds/")
    answer = read(house, address)
    assert answer.status == 200
    assert "20261126T110000" in answer.text
    assert "Advice" in answer.text
    assert ANN.name not in answer.text
    with house.store.read(DEMO) as snapshot:
        [feed] = snapshot.feeds()
    assert (feed.level, feed.of) == (Level.SERVICE, JOHN.id)


def test_publishing_again_keeps_the_link(house: House, john: Client) -> None:
    post(john, "publish-calendar")
    first = link(john)
    assert post(john, "publish-calendar").status == 202
    assert link(john) == first
    with house.store.read(DEMO) as snapshot:
        assert len(snapshot.feeds()) == 1


def test_unpublishing_ends_the_link_for_good(house: House, john: Client) -> None:
    post(john, "publish-calendar")
    first = link(john)
    assert first is not None
    assert post(john, "unpublish-calendar").status == 200
    assert link(john) is None
    assert read(house, first).status == 410
    assert post(john, "unpublish-calendar").status == 200
    post(john, "publish-calendar")
    assert link(john) not in (None, first)
    assert read(house, first).status == 410


def test_a_link_that_the_platform_has_ended_is_ended(house: House, john: Client) -> None:
    post(john, "publish-calendar")
    with house.store.write(DEMO, SETUP) as tx:
        tx.revoke_feed(tx.feeds()[0].id, NOW)
    assert link(john) is None


@pytest.mark.parametrize("path", [f"{HOME}private/", f"{HOME}company/", f"{HOME}group-front/", HOME, f"{HERE}a.ics"])
def test_nothing_else_is_published(house: House, john: Client, path: str) -> None:
    assert john.ask("MKCALENDAR", f"{HOME}private/").status == 201
    assert post(john, "publish-calendar", path).status in (400, 403, 404, 405)
    if path.endswith("/"):
        assert john.propfind(path, NAMES).missing(path) == {URL, BEFORE, MODES}
    with house.store.read(DEMO) as snapshot:
        assert snapshot.feeds() == []


def test_only_the_owner_publishes_and_with_a_password_for_everything(house: House, john: Client) -> None:
    with house.store.write(DEMO, SETUP) as tx:
        tx.delegate(JOHN.id, EMMA.id, NOW, write=True)
    for client in (house.client(JOHN, READ_ONLY), house.client(EMMA)):
        assert post(client, "publish-calendar").status == 403
    assert house.client(EMMA).propfind(HERE, NAMES).missing(HERE) == {URL, BEFORE, MODES}
    post(john, "publish-calendar")
    assert house.client(EMMA).propfind(HERE, NAMES).missing(HERE) == {URL, BEFORE, MODES}
    assert link(john) is not None


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_on_a_web_page_cannot_publish(house: House, john: Client, kind: str) -> None:
    assert post(john, "publish-calendar", kind=kind).status >= 400
    assert link(john) is None


def test_what_is_neither_is_not_understood(john: Client) -> None:
    for what in ("share", "publish", "publish-calendars"):
        assert post(john, what).status >= 400
    assert john.ask("POST", HERE, "<x", Content_Type=XML).status == 400
