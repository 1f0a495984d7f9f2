"""Pages of a company with five hundred staff members: they stay small, and ask the database no more for it."""

from __future__ import annotations

import re

import pytest

from gateway.model import CompanyId, Feed, FeedId, Level, Scope, Staff, StaffId
from tests.web.house import NOW, SEAL, SETUP, Door
from tests.web.site.people import Visitor

SYNC = "/settings/external-services/calendar-sync"
DEMO = CompanyId("demo")
STAFF = 500
PAGES = (SYNC, f"{SYNC}?page=5", f"{SYNC}?q=member", f"{SYNC}?tab=groups", "/staff", "/groups", "/activity")


@pytest.fixture
def many(door: Door) -> Door:
    with door.store.write(DEMO, SETUP) as tx:
        for number in range(STAFF - len(tx.all_staff())):
            name = f"Staff member {number:03}"
            person = Staff(id=StaffId(f"s{number}"), handle=f"s{number}", name=name, email=f"s{number}@example.com", zone="Europe/Paris")
            tx.save_staff(person, NOW)
            feed, token = Feed(id=FeedId(f"f{number}"), scope=Scope.STAFF, of=person.id, label="", level=Level.SERVICE), f"{number:032}"
            tx.add_feed(feed, token, SEAL.seal(token.encode()), NOW)
            tx.add_app_password(person.id, "telephone", f"secret {number}", NOW)
    return door


def test_no_page_grows_beyond_three_hundred_thousand_octets(many: Door, boss: Visitor) -> None:
    for page in PAGES:
        answer = boss.get(page)
        assert answer.status == 200
        assert len(answer.body) < 300_000, page


def test_no_page_asks_for_each_of_them(many: Door, boss: Visitor) -> None:
    for page in PAGES:
        many.store.asked.clear()
        boss.get(page)
        assert len(many.store.asked) < 150, page  # fifty rows are shown at once


def test_everybody_is_found_page_by_page_and_once(many: Door, boss: Visitor) -> None:
    names: list[str] = []
    for page in range(1, 12):
        text = boss.get(f"{SYNC}?page={page}").text
        names += re.findall(r'<div class="who"><strong>([^<]+)</strong>', text)
    assert len(set(names)) == STAFF
    assert names == sorted(names, key=str.casefold)


def test_the_strip_counts_everybody(many: Door, boss: Visitor) -> None:
    assert f"{STAFF} staff members never connected" in boss.get(SYNC).text
    assert many.store.login_by_app_password("s7", "secret 7", NOW) is not None
    assert f"{STAFF - 1} staff members never connected" in boss.get(SYNC).text
