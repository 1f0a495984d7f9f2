"""The external calendar on a staff member's page: saved, tried, shown with its age, told what counts as busy, and ended (S32, S33, W11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.bridge.feed import Fetcher
from gateway.bridge.imports import Imports
from gateway.egress import Egress
from gateway.links import Source
from gateway.model import CompanyId
from tests.bridge.feed.site import Site, serving
from tests.ical.test_busytimes import event
from tests.ical.test_busytimes import feed as calendar
from tests.web.house import JOHN, SEAL, Door, built, opened
from tests.web.site.people import Visitor, welcome

PAGE = f"/staff/{JOHN.id}"
EXTERNAL = f"{PAGE}/external"
NEAR = Egress(allow_private=True)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with built(tmp_path) as store:
        welcome(store)
        with opened(store, egress=NEAR) as door:
            yield door


def source(door: Door) -> Source | None:
    with door.store.read(CompanyId("demo")) as snapshot:
        found: Source | None = snapshot.source(JOHN.id)
    return found


def read(door: Door, later: timedelta = timedelta()) -> None:
    door.clock.now += later
    Imports(door.store, SEAL, Fetcher(NEAR), clock=door.clock).run(door.clock.now)


def test_s32_the_field_begins_with_https_and_nothing_is_kept_yet(boss: Visitor) -> None:
    assert 'name="external" type="text" inputmode="url" value="https://"' in boss.get(PAGE).text


def test_s32_an_address_is_saved_shown_with_its_age_and_ended(boss: Visitor, door: Door, site: Site) -> None:
    assert boss.fill(PAGE, {"external": site.url}, to=EXTERNAL).status == 303
    assert "read within a minute" in boss.get(PAGE).text
    read(door)
    door.clock.now += timedelta(minutes=12)
    shown = boss.get(PAGE).text
    assert "12 minutes ago" in shown
    assert "canary" not in shown
    assert boss.fill(PAGE, {"external": ""}, to=EXTERNAL).status == 303
    assert source(door) is None


def test_s33_a_failure_is_shown_with_its_sentence(boss: Visitor, door: Door, site: Site) -> None:
    boss.fill(PAGE, {"external": site.url}, to=EXTERNAL)
    read(door)
    site.status = 403
    read(door, timedelta(hours=1))
    shown = boss.get(PAGE).text
    assert "failing since" in shown
    assert "publish it in its program" in shown


def test_s32_trying_shows_what_would_block_and_keeps_nothing(boss: Visitor, door: Door, site: Site) -> None:
    site.body = calendar(event("DTSTART:20261125T090000Z", "DURATION:PT1H", "SUMMARY:Dentist"), event("DTSTART:soon", uid="bad"))
    shown = boss.fill(PAGE, {"external": site.url}, to=f"{EXTERNAL}/test").text
    for words in ("It can be read.", "2 events", "Europe/Paris", "November 25", "One event cannot be read and blocks nothing."):
        assert words in shown
    assert "Dentist" not in shown
    assert source(door) is None


@pytest.mark.parametrize(
    ("given", "words"), [("nonsense", "Copy the address"), ("", "Please give the address"), ("http://10.0.0.1.2/", "anew")]
)
def test_b8_a_failed_test_says_what_to_do(boss: Visitor, given: str, words: str) -> None:
    answer = boss.fill(PAGE, {"external": given}, to=f"{EXTERNAL}/test")
    assert answer.status == 200
    assert words in answer.text


def test_b8_an_address_that_is_none_is_said_and_kept_in_the_field(boss: Visitor, door: Door) -> None:
    answer = boss.fill(PAGE, {"external": "ftp://example.com/a.ics"}, to=EXTERNAL)
    assert answer.status == 422
    assert "https://" in answer.text
    assert 'value="ftp://example.com/a.ics"' in answer.text


def test_w11_what_counts_as_busy_is_a_choice(boss: Visitor, door: Door, site: Site) -> None:
    boss.fill(PAGE, {"external": site.url}, to=EXTERNAL)
    assert boss.fill(PAGE, {"tentative": "free", "elsewhere": "busy"}, to=f"{EXTERNAL}/habits").status == 303
    found = source(door)
    assert found is not None
    assert (found.tentative, found.elsewhere) == (False, True)
    assert boss.get(PAGE).text.count(" selected>") >= 2
    boss.fill(PAGE, {}, to=f"{EXTERNAL}/habits")
    assert (found := source(door)) is not None
    assert (found.tentative, found.elsewhere) == (None, None)


def test_w11_without_an_external_calendar_there_is_none(boss: Visitor) -> None:
    answer = boss.fill(PAGE, {"tentative": "free"}, to=f"{EXTERNAL}/habits")
    assert answer.status == 409
    assert "There is no external calendar." in answer.text
