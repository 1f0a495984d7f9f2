"""Every point of the seed screen, walked in a real browser (product.md §1): what is promised stands there and does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from gateway.model import CompanyId, Policy, Scope
from tests.web.house import EMMA, JOHN, SETUP, Door, connected
from tests.web.site.people import BOSS, JOHNS
from tests.web.site.test_browser import browser as browser
from tests.web.site.test_browser import sign_in

SYNC = "/settings/external-services/calendar-sync"
DEMO = CompanyId("demo")


@pytest.fixture
def page(browser: Browser, door: Door) -> Iterator[Page]:
    """An administrator on the page Calendar Sync; everybody has a feed."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    sign_in(page, door, BOSS.email)
    page.goto(door.url + SYNC)
    yield page
    context.close()


def row(page: Page, door: Door) -> Locator:
    """Emma's, with a feed that was made on the page."""
    page.locator("li", has_text=EMMA.name).get_by_role("button", name="Make one").click()
    page.goto(door.url + SYNC)
    return page.locator(".rows > li", has_text=EMMA.name)


def webcal(of: Locator) -> str:
    return quote("webcal" + of.locator("input[readonly]").input_value().removeprefix("https"), safe="")


def test_s05_s06_breadcrumb_and_four_sections(page: Page) -> None:
    crumbs = page.get_by_role("navigation", name="You are here").get_by_role("listitem").all_inner_texts()
    assert crumbs == ["Dashboard", "Scheduling Settings", "External Services", "Calendar Sync"]
    titles = page.get_by_role("heading", level=2).all_inner_texts()
    assert titles == [
        "View appointments in Outlook, Google Calendar, Lotus Notes and more",
        "Bidirectional synchronization",
        "Google Calendar",
        "Microsoft (Outlook.com / Microsoft 365)",
    ]


def test_s07_the_first_section_opens_and_closes_and_has_an_address(page: Page, door: Door) -> None:
    section = page.locator("#view-appointments")
    assert section.evaluate("each => each.open")
    section.locator("> summary").press("Enter")
    assert not section.evaluate("each => each.open")
    page.goto(f"{door.url}{SYNC}#view-appointments")
    page.reload()
    expect(page.get_by_role("navigation", name="Whose calendars")).to_be_visible()


def test_s08_each_row_has_address_copy_code_and_file(page: Page, door: Door) -> None:
    emma = row(page, door)
    address = emma.locator("input[readonly]").input_value()
    assert address.startswith("https://calendar.example.com/feeds/")
    emma.get_by_role("button", name="Copy").click()
    expect(emma.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == address
    assert emma.get_by_role("link", name="Download").get_attribute("download") == f"{EMMA.name}.ics"
    emma.get_by_role("link", name="QR").click()
    code = page.locator(".code img")
    expect(code).to_be_visible()
    assert code.evaluate("each => each.naturalWidth") > 0


def test_s09_s13_s14_steps_for_each_program_stand_beside_the_rows(page: Page) -> None:
    page.get_by_text("How to add one to each program").click()
    steps = page.locator(".programs")
    link = steps.get_by_role("link", name="Instructions from Microsoft")
    assert (link.get_attribute("target"), str(link.get_attribute("href"))[:30]) == ("_blank", "https://support.microsoft.com/")
    assert steps.locator("ol li").count() == 4
    for program in (
        "Google Calendar",
        "Outlook on Windows",
        "Apple Calendar",
        "HCL Notes",
        "Thunderbird",
        "Yahoo",
        "ICSx⁵",
        "Proton",
        "Fastmail",
    ):
        assert program in steps.inner_text()
    for delay in (
        "several hours",
        "about 3 hours",
        "from every 5 minutes",
        "every hour",
        "every 30 minutes",
        "connect the account instead",
    ):
        assert delay in steps.inner_text()


def test_s10_s11_s12_the_icons_lead_where_they_should(page: Page, door: Door) -> None:
    emma = row(page, door)
    into = webcal(emma)
    assert emma.get_by_role("link", name="Google").get_attribute("href") == f"https://calendar.google.com/calendar/r?cid={into}"
    emma.locator("summary", has_text="Microsoft").click()
    for name, host in (("Outlook.com", "outlook.live.com"), ("Microsoft 365", "outlook.office.com")):
        href = str(emma.get_by_role("link", name=name).get_attribute("href"))
        assert href == f"https://{host}/calendar/0/addfromweb/?url={into}&name={quote(EMMA.name)}"
    page.keyboard.press("Escape")
    expect(emma.get_by_role("link", name="Outlook.com")).to_be_hidden()
    assert str(emma.get_by_role("link", name="Apple").get_attribute("href")).startswith("webcal://calendar.example.com/feeds/")


def test_s15_three_tabs_by_keyboard_and_the_last_one_is_remembered(page: Page, door: Door) -> None:
    tabs = page.get_by_role("navigation", name="Whose calendars")
    assert tabs.get_by_role("link").all_inner_texts() == ["Staff Members", "Groups of staff", "Company"]
    tabs.get_by_role("link", name="Groups of staff").press("Enter")
    expect(page.get_by_text("Front desk")).to_be_visible()
    page.goto(door.url + "/staff")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Calendar Sync").click()
    expect(tabs.locator("[aria-current]")).to_have_text("Groups of staff")


def test_s16_rows_are_sorted_and_filtered(page: Page, door: Door) -> None:
    names = page.locator(".rows .who strong").all_inner_texts()
    assert names == sorted(names)
    page.goto(f"{door.url}{SYNC}?q=emma")
    assert set(page.locator(".rows .who strong").all_inner_texts()) == {EMMA.name}


@pytest.mark.parametrize(("tab", "name", "scope"), [("groups", "Front desk", Scope.GROUP), ("company", "Demo Company", Scope.COMPANY)])
def test_s17_s18_groups_and_the_company_have_feeds(page: Page, door: Door, tab: str, name: str, scope: Scope) -> None:
    page.goto(f"{door.url}{SYNC}?tab={tab}")
    assert name in page.locator(".rows").inner_text()
    with door.store.read(DEMO) as snapshot:
        assert scope in {feed.scope for feed in snapshot.feeds()}


def test_s19_the_window_of_a_feed_is_chosen(page: Page, door: Door) -> None:
    row(page, door).get_by_role("link", name="Privacy, window, alarms").click()
    page.fill("#past_days", "7")
    page.fill("#future_days", "60")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    with door.store.read(DEMO) as snapshot:
        assert (7, 60) in {(feed.past_days, feed.future_days) for feed in snapshot.feeds()}


def test_s20_s23_s28_one_save_with_the_keyboard_alone(page: Page, door: Door) -> None:
    with door.store.read(DEMO) as snapshot:
        former = snapshot.company.policy.two_way
    page.get_by_label("Activate bidirectional synchronization").focus()
    page.keyboard.press("Space")
    page.get_by_text("What the customer gets").press("Enter")
    expect(page.get_by_role("link", name="See a sample")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    with door.store.read(DEMO) as snapshot:
        assert snapshot.company.policy.two_way is not former


def test_s21_whoever_is_still_one_way_is_counted(page: Page, door: Door) -> None:
    connected(door.store)
    page.reload()
    expect(page.get_by_text("1 staff member is still one-way")).to_be_visible()
    page.get_by_role("link", name="Ask them").click()
    expect(page.get_by_role("link", name=JOHN.name)).to_be_visible()
    expect(page.get_by_role("link", name=EMMA.name)).to_be_hidden()


@pytest.mark.parametrize(
    ("switch", "button"),
    [
        ("Enable Google Calendar Syncing", "Connect Google Calendar"),
        ("Enable Outlook Calendar Syncing", "Connect Outlook.com"),
        ("Enable Office365 Calendar Syncing", "Connect Microsoft 365"),
    ],
)
def test_s24_s25_s26_each_switch_shows_and_takes_away_its_button_alone(
    page: Page, browser: Browser, door: Door, switch: str, button: str
) -> None:
    context = browser.new_context()
    theirs = context.new_page()
    sign_in(theirs, door, JOHNS.email)
    for shown in (True, False):
        page.get_by_label(switch).set_checked(shown)
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_url("**?said=saved")
        theirs.goto(door.url + "/me")
        assert theirs.get_by_role("button", name="Connect ").all_inner_texts() == ([button] if shown else [])
    context.close()


def test_s24_a_provider_switched_off_pauses_its_links_and_says_who_did(page: Page, door: Door) -> None:
    connected(door.store)
    page.reload()
    page.get_by_label("Enable Google Calendar Syncing").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**?said=saved")
    page.goto(f"{door.url}/staff/{JOHN.id}")
    expect(page.get_by_text("Paused by your administrator.").first).to_be_visible()
    with door.store.read(DEMO) as snapshot:
        assert len(snapshot.links(staff=JOHN.id)) == 2


def test_s27_each_switch_is_explained_and_leads_to_the_staff(page: Page) -> None:
    for section in ("#google", "#microsoft"):
        text = page.locator(section)
        assert "invite them to sync their calendar" in text.inner_text()
        assert text.get_by_role("link", name="Staff").get_attribute("href") == "/staff"


def test_s29_s30_s31_from_the_left_to_the_invitation(page: Page, door: Door) -> None:
    with door.store.write(DEMO, SETUP) as tx:
        tx.save_company(replace(tx.company, policy=Policy()))
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Staff").click()
    page.get_by_role("link", name=EMMA.name).click()
    crumbs = page.get_by_role("navigation", name="You are here").get_by_role("listitem").all_inner_texts()
    assert crumbs == ["Scheduling Settings", "Information Company", "Staff", EMMA.name]
    expect(page.get_by_role("link", name="Invite this staff member to subscribe")).to_be_visible()
    connected(door.store)
    page.reload()
    expect(page.get_by_role("link", name="Invite this staff member to use Google Calendar to synchronize")).to_be_visible()


def test_s34_s35_s40_the_dialog_holds_the_focus_and_sends_once(page: Page, door: Door) -> None:
    page.goto(f"{door.url}/staff/{JOHN.id}/invite")
    page.wait_for_selector(".tox-tinymce")
    assert page.locator("#invitation").evaluate("each => each.matches(':modal')")
    assert page.input_value("#to") == JOHN.email
    page.fill("#to", f"{JOHN.email}, {EMMA.email}")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("One address, please: one person, one link.")).to_be_visible()
    page.fill("#to", JOHN.email)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(f"**/staff/{JOHN.id}**")
    expect(page.get_by_role("status").filter(has_text="The invitation is on its way.")).to_be_visible()
    expect(page.locator("#calendar-sync .badge", has_text="sent")).to_be_visible()


def test_s42_ones_own_page_has_the_feed(browser: Browser, page: Page, door: Door) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("li", has_text=JOHN.name).first.get_by_role("link", name="Make a new address").click()
    page.get_by_role("button", name="Make a new address").click()
    context = browser.new_context()
    theirs = context.new_page()
    sign_in(theirs, door, JOHNS.email)
    address = theirs.locator("#feeds input[readonly]").first.input_value()
    assert door.ask("GET", address.removeprefix("https://calendar.example.com")).status == 200
    context.close()
