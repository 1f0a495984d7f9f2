"""From the invitation in the mailbox to a connected calendar, in a real browser at the providers' stand-ins: three clicks, no more (B7)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journey.demo import Demo, eventually

WHO = {"google": ("Taylor Carpenter", "Connect Google Calendar"), "microsoft": ("Juan Sanchez", "Connect Microsoft 365")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "no Chromium on this machine; `make test` installs it or says what is missing"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo.start(tmp_path_factory.mktemp("invitation") / "data", providers=True)
    try:
        yield running
    finally:
        running.kill()


def fresh(browser: Browser) -> Page:
    """A browser of somebody's own; the stand-in for Microsoft speaks TLS with a certificate nobody knows."""
    return browser.new_context(ignore_https_errors=True).new_page()


def invite(page: Page, demo: Demo, name: str) -> None:
    """The administrator's part: sign in, the staff member's page, Send."""
    base = demo.ready["base_url"]
    page.goto(f"{base}/sign-in?next=/staff")
    page.fill("#email", demo.ready["admin"]["email"])
    page.fill("#password", demo.ready["admin"]["password"])
    page.click("button.main")
    page.wait_for_url("**/staff")
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="Invite this staff member").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("The invitation is on its way.").wait_for()


@pytest.mark.parametrize("provider", sorted(WHO))
def test_b7_three_clicks_from_the_letter_to_a_connected_calendar(demo: Demo, browser: Browser, provider: str) -> None:
    name, button = WHO[provider]
    person = demo.staff(name)
    invite(fresh(browser), demo, name)
    [letter] = eventually("the invitation", lambda: demo.mails(to=person["login"]) or None)
    found = re.search(r"http://127\.0\.0\.1:\d+/connect/[\w-]+", letter["text"])
    assert found is not None
    sent_before = len(demo.mails())

    page, clicks = fresh(browser), 0
    page.goto(found[0])  # the click in the letter
    clicks += 1
    assert f"You are {name}" in page.inner_text("h1")
    page.get_by_role("button", name=button).click()
    clicks += 1
    page.wait_for_url(lambda address: "127.0.0.1" in address and "/connect/" not in address)
    assert page.get_by_label(person["login"]).is_checked()  # whom the letter went to, as a provider's page proposes it
    page.get_by_role("button", name="Allow").click()  # at the provider
    clicks += 1
    page.wait_for_url("**/connect/**said=connected**")
    assert "The calendar is connected." in page.inner_text("main")
    assert clicks <= 3

    def connected() -> bool | None:
        [link] = demo.rest.get("links", staff=person["handle"])["items"]
        return (link["standing"] == "active" and link["last_complete_look"] is not None) or None

    assert eventually("the first filling", connected)
    assert len(demo.mails()) == sent_before, "connecting tells nobody (B4)"
    admin = fresh(browser)
    admin.goto(f"{demo.ready['base_url']}/sign-in?next=/staff")
    admin.fill("#email", demo.ready["admin"]["email"])
    admin.fill("#password", demo.ready["admin"]["password"])
    admin.click("button.main")
    admin.wait_for_url("**/staff")
    assert "connected" in admin.get_by_role("row", name=name).inner_text()


def test_the_link_is_used_up_for_everybody_else(demo: Demo, browser: Browser) -> None:
    """Whoever finds the letter later cannot connect another account with it: the page shows that it is done."""
    name, _ = WHO["google"]
    [letter] = demo.mails(to=demo.staff(name)["login"])
    found = re.search(r"http://127\.0\.0\.1:\d+/connect/[\w-]+", letter["text"])
    assert found is not None
    page = fresh(browser)
    page.goto(found[0])
    assert "Google Calendar" in page.inner_text("main")


def test_a_profile_for_an_iphone_by_its_code(demo: Demo, browser: Browser) -> None:
    import plistlib

    person = demo.staff("Juan Sanchez")
    page = fresh(browser)
    page.goto(f"{demo.ready['base_url']}/sign-in?next=/me")
    page.fill("#email", person["login"])
    page.fill("#password", person["password"])
    page.click("button.main")
    page.wait_for_url("**/me")
    page.get_by_role("link", name="iPhone, iPad").click()
    eventually("the code", lambda: page.locator(".code img").evaluate("each => each.naturalWidth") or None)
    answer = page.request.get(f"{demo.ready['base_url']}/me/profile.mobileconfig")
    assert answer.headers["content-type"] == "application/x-apple-aspen-config"
    [account] = plistlib.loads(answer.body())["PayloadContent"]
    assert (account["PayloadType"], account["CalDAVUsername"]) == ("com.apple.caldav.account", person["handle"])
    assert "CalDAVPassword" not in account
