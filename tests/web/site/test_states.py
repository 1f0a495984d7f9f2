"""Every page in every state it can be in: nobody there yet, one, many, broken, paused, somebody without permission, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.links import Access, Standing
from gateway.model import Company, CompanyId, EntryId, Policy, Staff, StaffId
from gateway.users import Role, User, UserId
from tests.web.house import JOHN, NOW, SETUP, Door, connected
from tests.web.site.people import _KEPT, BOSS, JOHNS, Visitor
from tests.web.site.test_browser import browser as browser
from tests.web.site.test_browser import look, sign_in
from tests.web.site.test_invite import link, sent

SYNC = "/settings/external-services/calendar-sync"
DEMO, EMPTY = CompanyId("demo"), CompanyId("empty")
FIRST = User(id=UserId("first"), role=Role.ADMIN, name="First administrator", email="first@example.com")
PAGES = (SYNC, f"{SYNC}?tab=groups", "/staff", "/groups", "/activity", "/health")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def empty(door: Door) -> str:
    door.store.found(Company(id=EMPTY, slug="empty", name="Empty Company", zone="Europe/Paris"))
    with door.store.write(EMPTY, SETUP) as tx:
        tx.save_user(FIRST)
        tx.set_password(FIRST.id, _KEPT, NOW)
    return FIRST.email


def one(door: Door) -> str:
    door.book()
    return BOSS.email


def many(door: Door) -> str:
    with door.store.write(DEMO, SETUP) as tx:
        for number in range(500):
            name = f"Staff member with a rather long name {number:03}"
            tx.save_staff(Staff(id=StaffId(f"s{number}"), handle=f"s{number}", name=name, email=f"s{number}@example.com", zone="UTC"), NOW)
    return BOSS.email


def broken(door: Door) -> str:
    connected(door.store)
    with door.store.write(DEMO, SETUP) as tx:
        [account] = tx.accounts()
        tx.save_account(replace(account, access=Access.NEEDS_REAUTH, trouble="Google does not let us in any more.", since=NOW))
    return BOSS.email


def paused(door: Door) -> str:
    connected(door.store)
    with door.store.write(DEMO, SETUP) as tx:
        tx.save_company(replace(tx.company, policy=Policy()))  # every provider switched off
        for each in tx.links():
            tx.save_link(replace(each, standing=Standing.PAUSED))
    return BOSS.email


@pytest.mark.parametrize("state", [empty, one, many, broken, paused], ids=lambda state: state.__name__)
def test_the_administrators_pages_in_every_state(page: Page, door: Door, state: Callable[[Door], str]) -> None:
    sign_in(page, door, state(door))
    for path in (*PAGES, *(() if state is empty else (f"/staff/{JOHN.id}", f"/staff/{JOHN.id}/invite"))):
        look(page, door, path)


@pytest.mark.parametrize("state", [one, broken, paused], ids=lambda state: state.__name__)
def test_the_staff_members_page_in_every_state(page: Page, door: Door, state: Callable[[Door], str]) -> None:
    state(door)
    with door.store.write(DEMO, SETUP) as tx:
        for held in tx.appointments(staff=[JOHN.id], window=None):
            tx.ask(held.entry.id, None, JOHN.id, "question", NOW)
    sign_in(page, door, JOHNS.email)
    look(page, door, "/me")


def test_an_empty_company_is_told_where_to_begin(page: Page, door: Door) -> None:
    sign_in(page, door, empty(door))
    page.goto(door.url + SYNC)
    expect(page.get_by_text("There is nobody on the staff yet.")).to_be_visible()
    page.get_by_role("link", name="Add somebody").click()
    page.fill("#name", "Emma Morris")
    page.fill("#email", "emma@example.com")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Emma Morris")


def test_without_permission_the_page_says_whom_to_ask(page: Page, door: Door) -> None:
    sign_in(page, door, JOHNS.email)
    for path in PAGES:
        page.goto(door.url + path)
        expect(page.get_by_text("This page is for administrators of your company.")).to_be_visible()
    look(page, door, SYNC)


def test_pages_that_letters_lead_to(page: Page, door: Door, boss: Visitor) -> None:
    connected(door.store)
    boss.fill(f"/staff/{JOHN.id}/invite", {"to": JOHN.email, "subject": "x", "body": "<p>{link}</p>"})
    [letter] = sent(boss)
    made = door.book()
    with door.store.write(DEMO, SETUP) as tx:
        tx.ask(EntryId(made["id"]), None, JOHN.id, "question", NOW)
        tx.begin_reset(BOSS.id, "reset-token", NOW, NOW.replace(hour=23))
    for path in (link(letter), "/answer/question", "/reset/reset-token", "/connect/unknown", "/nothing/here"):
        look(page, door, path)


def test_without_script_everything_can_be_done(browser: Browser, door: Door) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, door, BOSS.email)
    page.goto(door.url + SYNC)
    page.get_by_label("Enable Google Calendar Syncing").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**?said=saved")
    page.locator("li", has_text="Emma Morris").get_by_role("button", name="Make one").click()
    page.wait_for_url("**/feed/**")
    page.get_by_role("button", name="Make a new address").click()
    page.wait_for_url("**/feed/**said=feed-renewed")
    page.goto(f"{door.url}/staff/{JOHN.id}/invite")
    page.fill("#body", "<p>Hello {staff}</p>")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(f"**/staff/{JOHN.id}?said=invited**")
    page.goto(f"{door.url}/groups/front")
    page.get_by_role("button", name="Save").first.click()
    with door.store.read(DEMO) as snapshot:
        assert snapshot.company.policy.google
        assert len(snapshot.invitations(JOHN.id)) == 1
    context.close()
