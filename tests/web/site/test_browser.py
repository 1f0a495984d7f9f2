"""Every page in a real browser: nothing in the way of anybody (axe-core), nothing wider than a telephone, no complaint of the browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gateway.links import Blocking, Direction, Provider
from gateway.model import CompanyId, CustomerId
from gateway.users import Invitation, InvitationId
from gateway.web.languages import LANGUAGES
from tests.web.elsewhere import reachable
from tests.web.house import JOHN, NOW, SETUP, Door, connected
from tests.web.site.booked import Booking
from tests.web.site.people import BOSS, JOHNS, PASSWORD, welcome

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
PICTURES = Path(os.environ.get("GATEWAY_TEST_PICTURES", ""))
"""Where pictures of the pages go, when somebody wants to look at them."""

TOO_WIDE = """[...document.querySelectorAll("html, button, .button, .badge, label, legend, h1, h2, h3, summary")].filter(each =>
  each.clientWidth > 0 && getComputedStyle(each).display !== "inline" && each.scrollWidth > each.clientWidth + 1
).map(each => each.innerText.slice(0, 80))"""

ADMIN = (
    "/settings/external-services/calendar-sync",
    "/settings/external-services/calendar-sync?tab=groups",
    "/staff",
    f"/staff/{JOHN.id}",
    f"/staff/{JOHN.id}/invite",
    "/groups",
    "/groups/front",
    "/services",
    "/activity",
    "/health",
    "/account",
)
STAFF = ("/me", "/me?device=iphone", "/me?device=android", "/me/calendars/account", "/account")
ANYBODY = ("/sign-in", "/forgotten", "/sign-in?said=signed-out")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "no Chromium on this machine; `make test` installs it or says what is missing"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(params=SIZES.values(), ids=SIZES.keys())
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=False)
    yield context.new_page()
    context.close()


def sign_in(page: Page, door: Door, email: str) -> None:
    page.goto(door.url + "/sign-in")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.click("button.main")
    page.wait_for_url(lambda address: "/sign-in" not in address)


def picture(page: Page, path: str) -> None:
    if PICTURES.name:
        name = path.strip("/").replace("/", "_").replace("?", "-").replace("=", "-") or "start"
        page.screenshot(path=PICTURES / f"{name}-{page.viewport_size['width'] if page.viewport_size else 0}.png", full_page=True)


def look(page: Page, door: Door, path: str) -> None:
    """Open the page and assert that nobody is shut out of it."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(door.url + path)
    page.wait_for_load_state("networkidle")
    picture(page, path)
    assert complaints == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{path} is {overflow} pixels too wide"
    assert barriers(page) == []


def barriers(page: Page) -> list[str]:
    """What axe-core finds, a line each; it runs in a world of its own, which the page's policy does not bind."""
    page.evaluate(AXE)
    found: Any = page.evaluate("rules => axe.run(document, rules)", RULES)
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found["violations"]]


@pytest.mark.parametrize("path", ANYBODY)
def test_nobody_is_shut_out_of_the_entrance(page: Page, door: Door, path: str) -> None:
    look(page, door, path)


def test_nobody_is_shut_out_of_the_administrators_pages(page: Page, door: Door) -> None:
    connected(door.store)
    door.book()
    sign_in(page, door, BOSS.email)
    for path in ADMIN:
        look(page, door, path)


def test_nobody_is_shut_out_of_the_staff_members_pages(page: Page, door: Door) -> None:
    connected(door.store)
    sign_in(page, door, JOHNS.email)
    for path in STAFF:
        look(page, door, path)


@pytest.mark.parametrize("provider", [Provider.GOOGLE, Provider.OFFICE365])
def test_nobody_is_shut_out_of_the_choice_of_calendars(page: Page, tmp_path: Path, provider: Provider) -> None:
    """With providers behind it, by the staff member and by the guest of an invitation; several calendars, one of which cannot be read."""
    with reachable(tmp_path) as elsewhere:
        door = elsewhere.door
        welcome(door.store)
        elsewhere.back(provider, elsewhere.agree(elsewhere.begin(provider)))
        [account] = elsewhere.accounts()
        names = {"a": "Private life", "b": "Choir of the music school, rehearsals and concerts"}
        blocking = [Blocking(account=account.id, calendar=name, title=title, due=NOW) for name, title in names.items()]
        invitation = Invitation(
            id=InvitationId("i"), staff=JOHN.id, recipient=JOHN.email, subject="", sent=NOW, until=NOW + timedelta(days=7)
        )
        with door.store.write(CompanyId("demo"), SETUP) as tx:
            for each in blocking:
                tx.add_blocking(each)
            tx.put_busy(JOHN.id, blocking[0].origin, [], NOW - timedelta(minutes=3))
            tx.save_blocking(replace(blocking[1], failing=NOW, trouble="That calendar does not exist any more, or may not be looked at."))
            tx.invite(invitation, "invitation-of-john")
        look(page, door, f"/connect/invitation-of-john/calendars/{account.id}")
        sign_in(page, door, JOHNS.email)
        look(page, door, f"/me/calendars/{account.id}?said=connected")
        assert page.get_by_role("group", name="You cannot be booked while these are busy").is_visible()
        page.get_by_role("checkbox", name="Private life").press("Space")
        page.get_by_role("button", name="Save").press("Enter")
        page.wait_for_url("**/me?said=calendars-chosen#calendars")
        with door.store.read(CompanyId("demo")) as snapshot:
            assert [each.title for each in snapshot.blocking()] == [names["b"]]


def test_nobody_is_shut_out_of_the_customers_pages(page: Page, door: Door) -> None:
    booking = Booking(door)
    series = Booking(door, start=booking.entry.span.start + timedelta(hours=1), recurrence={"rule": "FREQ=WEEKLY;COUNT=4"})
    booking.move(booking.entry.span.start + timedelta(days=1))
    for path in (booking.page, f"{booking.page}/times", series.page, f"{series.page}/times?at=20261202T100000Z"):
        look(page, door, path)


def test_a_customer_chooses_another_time_with_the_keyboard_alone(page: Page, door: Door) -> None:
    booking = Booking(door)
    before = booking.entry.span
    page.goto(f"{door.url}{booking.page}")
    page.get_by_role("link", name="Choose another time").press("Enter")
    page.locator("input[name=start]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_text("Your appointment has been moved.").wait_for()
    assert booking.entry.span != before
    barred = barriers(page)
    assert barred == []


def test_the_dialog_closes_with_escape_and_sends_nothing(page: Page, door: Door) -> None:
    sign_in(page, door, BOSS.email)
    page.goto(f"{door.url}/staff/{JOHN.id}/invite")
    page.wait_for_selector(".tox-tinymce")
    for menu in ("File", "Edit", "View", "Insert", "Format", "Tools", "Table"):
        assert page.get_by_role("menuitem", name=menu, exact=True).is_visible()
    page.focus("#subject")
    page.keyboard.press("Escape")
    page.wait_for_url(f"**/staff/{JOHN.id}#calendar-sync")
    with door.store.read(CompanyId("demo")) as snapshot:
        assert snapshot.invitations(JOHN.id) == []


def test_what_is_written_in_the_editor_is_sent(page: Page, door: Door) -> None:
    sign_in(page, door, BOSS.email)
    page.goto(f"{door.url}/staff/{JOHN.id}/invite")
    frame = page.frame_locator(".tox-edit-area iframe")
    frame.locator("body").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("Good morning {staff}")
    page.click("button.main")
    page.wait_for_url(f"**/staff/{JOHN.id}**")
    with door.store.read(CompanyId("demo")) as snapshot:
        assert len(snapshot.invitations(JOHN.id)) == 1


def test_leaving_with_unsaved_changes_is_warned_of(page: Page, door: Door) -> None:
    sign_in(page, door, BOSS.email)
    page.goto(f"{door.url}/settings/external-services/calendar-sync")
    page.check("input[name=google]")
    assert page.inner_text("#unsaved") == "You have changes that are not saved."
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"{door.url}/groups")
    assert asked == ["beforeunload"]


def test_everything_is_saved_without_script_too(browser: Browser, door: Door) -> None:
    connected(door.store)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, door, JOHNS.email)
    page.goto(f"{door.url}/me")
    page.get_by_role("button", name="Take over moves made there").first.click()
    page.wait_for_url("**/me?said=link-changed#calendars")
    context.close()
    with door.store.read(CompanyId("demo")) as snapshot:
        assert Direction.BOTH in {link.direction for link in snapshot.links()}


def test_a_hostile_name_runs_nowhere(page: Page, door: Door) -> None:
    with door.store.write(CompanyId("demo"), SETUP) as tx:
        tx.save_staff(replace(JOHN, name="<img src=x onerror='document.title=666'>"))
    sign_in(page, door, BOSS.email)
    for path in ("/settings/external-services/calendar-sync", "/staff", f"/staff/{JOHN.id}", f"/staff/{JOHN.id}/invite"):
        page.goto(door.url + path)
        page.wait_for_load_state("networkidle")
        assert page.title() != "666"


@pytest.mark.parametrize("tag", [tag for tag in LANGUAGES if tag != "en"])
def test_longer_words_than_english_ones_fit_too(browser: Browser, door: Door, tag: str) -> None:
    """Nothing is wider than a telephone, and no word is longer than its button."""
    connected(door.store)
    with door.store.write(CompanyId("demo"), SETUP) as tx:
        tx.save_customer(replace(tx.customer(CustomerId("ann")), locale=tag))
        for user in (BOSS, JOHNS):
            tx.save_user(replace(user, locale=tag))
    customer = Booking(door).page
    for user, paths in ((None, (customer, f"{customer}/times")), (BOSS, ADMIN), (JOHNS, STAFF)):
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        if user is not None:
            sign_in(page, door, user.email)
        for number, path in enumerate(paths):
            page.goto(door.url + path)
            page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(each => { each.open = true })")
            picture(page, f"{tag}-{path}" if user else f"{tag}-customer-{number}")
            assert page.get_attribute("html", "lang") == tag
            assert page.evaluate(TOO_WIDE) == [], f"{path} in {tag}"
        context.close()
