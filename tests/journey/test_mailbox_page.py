"""The demo's mailbox in a real browser: a person can read the letters, and a letter can do nothing to the person."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journey.calendar import WEEKS_AHEAD
from tests.journey.demo import Demo, eventually
from tests.journey.test_journey import items, move, sights

HOSTILE = "Ann <img src=x onerror='document.title=1'> <script>document.title=2</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "no Chromium on this machine; `make test` installs it or says what is missing"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1100, "height": 800})
    yield page
    page.close()


def test_a_person_reads_the_letter_about_the_moved_appointment(demo: Demo, page: Page) -> None:
    seat = demo.seat("John Smith")
    held = sights(seat, demo)[0]
    move(seat, held, held.start + WEEKS_AHEAD)
    mail = eventually("a letter", lambda: next(iter(demo.mails()), None))
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(demo.ready["mailbox_url"])

    assert page.get_by_text(mail["subject"]).first.is_visible()
    assert mail["to"][0] in page.content() if isinstance(mail["to"], list) else mail["to"] in page.content()
    assert complaints == []


def test_a_name_that_is_a_script_is_only_a_name(demo: Demo, page: Page) -> None:
    rest, seat = demo.rest, demo.seat("John Smith")
    staff = next(person["id"] for person in items(rest.get("staff")) if person["name"] == "John Smith")
    start = sights(seat, demo)[0].start + WEEKS_AHEAD
    customer = {"name": HOSTILE, "email": "ann@example.com"}
    body = {"staff": staff, "service": items(rest.get("services"))[0]["id"], "customer": customer, "start": start.isoformat()}
    assert rest.ask("POST", "appointments", body).status == 201
    eventually("the letter", lambda: demo.mails(to="ann@example.com") or None)

    page.goto(demo.ready["mailbox_url"])
    page.wait_for_load_state("networkidle")

    assert page.title() not in {"1", "2"}
    assert page.locator("img[onerror]").count() == 0
