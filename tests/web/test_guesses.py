"""API keys and feed links are not guessed from one address for long, and whoever has a right one is never turned away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import CompanyId
from gateway.web.problems import PROBLEM_TYPE
from tests.web.house import KEY, NOW, OTHER_KEY, SETUP, TOKENS, Door

MINUTE = timedelta(minutes=1)


def test_the_eleventh_wrong_api_key_is_told_to_wait(door: Door) -> None:
    answers = [door.api("GET", "/staff", key=f"wrong-{number}") for number in range(12)]
    assert [answer.status for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "60"
    assert answers[-1].headers["content-type"].startswith(PROBLEM_TYPE)
    door.clock.now += MINUTE
    assert door.api("GET", "/staff", key="wrong").status == 401


def test_the_right_api_key_passes_however_many_wrong_ones_were_sent(door: Door) -> None:
    for number in range(12):
        door.api("GET", "/staff", key=f"wrong-{number}")
    assert [door.api("GET", "/staff", key=key).status for key in (KEY, OTHER_KEY)] == [200, 200]


def test_what_is_no_api_key_at_all_is_not_counted(door: Door) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer " + "x" * 600):
        for _ in range(4):
            assert door.ask("GET", "/api/v1/staff", Authorization=header).status == 401
    assert door.api("GET", "/staff", key="wrong").status == 401


def test_an_address_that_tries_links_is_told_to_wait_and_readers_of_feeds_are_not(door: Door) -> None:
    statuses = [door.ask("GET", f"/feeds/guess-{number}.ics").status for number in range(65)]
    assert statuses == [404] * 60 + [429] * 5
    told = door.ask("GET", "/feeds/guess.ics")
    assert told.headers["retry-after"] == "60"
    assert door.feed("full").status == 200
    with door.store.write(CompanyId("demo"), SETUP) as tx:
        tx.revoke_feed(next(feed.id for feed in tx.feeds() if feed.id == "feed-busy"), NOW)
    assert door.feed("busy").status == 410
    door.clock.now += MINUTE
    assert door.ask("GET", "/feeds/guess.ics").status == 404


@pytest.mark.parametrize("change", ["last", "case", "cut", "twice", "%00", "*", "' OR '1'='1", "../x"])
def test_a_near_miss_is_answered_like_a_far_one(door: Door, change: str) -> None:
    token = TOKENS["full"]
    near = {"last": token[:-1] + "1", "case": token.upper(), "cut": token[:-1], "twice": token + token}.get(change, token + change)
    answers = [door.ask("GET", f"/feeds/{name}.ics".replace(" ", "%20")) for name in (near, "far-away")]
    if change in ("%00", "../x"):  # no feed's address at all
        assert answers[0].status in (400, 404)
        return
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert answers[0].status == 404
