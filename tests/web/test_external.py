"""External calendars and busy times through REST: given, tried, shown with their age, and never free for having failed (S32, S33, 49)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.bridge.feed import Fetcher
from gateway.bridge.imports import Imports
from gateway.egress import Egress
from gateway.ical.busytimes import busy_times
from gateway.model import CompanyId, Span
from tests.bridge.feed.site import Asked, Site, serving
from tests.ical.test_busytimes import event
from tests.ical.test_busytimes import feed as calendar
from tests.web.house import JOHN, NOW, SEAL, SETUP, Door, built, opened

DEMO = CompanyId("demo")
NEAR = Egress(allow_private=True)
WEEK = {"from": "2026-11-24T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
TEN, ELEVEN = "2026-11-25T10:00:00+01:00", "2026-11-25T11:00:00+01:00"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with built(tmp_path) as store, opened(store, egress=NEAR) as door:
        yield door


def read_them(door: Door, later: timedelta = timedelta()) -> None:
    door.clock.now += later
    Imports(door.store, SEAL, Fetcher(NEAR), clock=door.clock).run(door.clock.now)


def put(door: Door, url: str | None) -> dict[str, object]:
    answer = door.api("PUT", "/staff/john", {"external_ics_url": url})
    assert answer.status == 200, answer.text
    found: dict[str, object] = answer.json["external_ics"]
    return found


def test_s33_its_busy_times_block_and_show_where_they_come_from(door: Door, site: Site) -> None:
    shown = put(door, site.url)
    assert (shown["fetched"], shown["failing_since"], shown["events"]) == (None, None, 0)
    assert door.woken
    free_busy = door.api("GET", "/staff/john/free-busy", query=WEEK).json
    assert free_busy["busy"] == []
    assert free_busy["sources"] == [{"kind": "external_ics", "of": None, "confirmed": None, "age_seconds": None}]
    read_them(door)
    assert door.api("GET", "/staff/john").json["external_ics"]["events"] == 1
    door.clock.now += timedelta(minutes=7)
    free_busy = door.api("GET", "/staff/john/free-busy", query=WEEK).json
    assert free_busy["busy"] == [{"start": TEN, "end": ELEVEN}]
    [source] = free_busy["sources"]
    assert (source["kind"], source["age_seconds"]) == ("external_ics", 420)
    assert door.api("POST", "/appointments", {"staff": "john", "service": "advice", "customer_id": "ann", "start": TEN}).status == 409


def test_49_a_source_that_is_down_frees_nobody_and_grows_old(door: Door, site: Site) -> None:
    put(door, site.url)
    read_them(door)
    site.status = 500
    read_them(door, timedelta(hours=10))
    read_them(door, timedelta(hours=10))
    free_busy = door.api("GET", "/staff/john/free-busy", query=WEEK).json
    assert free_busy["busy"] == [{"start": TEN, "end": ELEVEN}]
    assert free_busy["sources"][0]["age_seconds"] == 20 * 3600
    answer = door.api("POST", "/appointments", {"staff": "john", "service": "advice", "customer_id": "ann", "start": TEN})
    assert (answer.status, answer.json["reason"]) == (409, "taken")
    shown = door.api("GET", "/staff/john").json["external_ics"]
    assert "500" in shown["trouble"]
    assert shown["failing_since"].startswith("2026-11-24T19:00:00")


def test_times_from_every_origin_are_named_with_theirs(door: Door) -> None:
    with door.store.write(DEMO, SETUP) as tx:
        for origin, age in (("account:a", 60), ("link:b", 5)):
            tx.put_busy(JOHN.id, origin, [Span(NOW + timedelta(hours=1), NOW + timedelta(hours=2))], NOW - timedelta(seconds=age))
    free_busy = door.api("GET", "/staff/john/free-busy", query=WEEK).json
    assert len(free_busy["busy"]) == 1
    assert [(each["kind"], each["of"], each["age_seconds"]) for each in free_busy["sources"]] == [("account", "a", 60), ("link", "b", 5)]


class TestFresh:
    """Read on demand, before a slot is offered (product.md §7.4)."""

    def test_what_is_older_is_read_first(self, door: Door, site: Site) -> None:
        put(door, site.url)
        asked = WEEK | {"fresh": "60"}
        assert door.api("GET", "/staff/john/free-busy", query=asked).json["busy"] == [{"start": TEN, "end": ELEVEN}]
        site.body = calendar(event("DTSTART:20261126T090000Z", "DURATION:PT1H"))
        door.clock.now += timedelta(seconds=59)
        assert door.api("GET", "/staff/john/free-busy", query=asked).json["busy"][0]["start"] == TEN
        door.clock.now += timedelta(seconds=1)
        found = door.api("GET", "/staff/john/free-busy", query=asked).json
        assert (found["busy"][0]["start"], found["sources"][0]["age_seconds"]) == (TEN.replace("25", "26"), 0)
        assert len(site.asked) == 2

    def test_what_fails_rests_and_its_age_is_shown(self, door: Door, site: Site) -> None:
        put(door, site.url)
        read_them(door)
        site.status = 500
        for _ in range(3):
            door.clock.now += timedelta(minutes=2)
            found = door.api("GET", "/staff/john/free-busy", query=WEEK | {"fresh": "30"}).json
        assert found["busy"] == [{"start": TEN, "end": ELEVEN}]
        assert found["sources"][0]["age_seconds"] == 360
        assert len(site.asked) == 2

    def test_many_who_ask_at_once_make_one_look(self, door: Door, site: Site) -> None:
        put(door, site.url)
        read_them(door)
        door.clock.now += timedelta(minutes=5)

        def another(asked: Asked) -> None:
            door.api("GET", "/staff/john/free-busy", query=WEEK | {"fresh": "60"})

        site.before = another
        door.api("GET", "/staff/john/free-busy", query=WEEK | {"fresh": "60"})
        assert len(site.asked) == 2

    def test_without_an_external_calendar_nobody_is_asked(self, door: Door) -> None:
        assert door.api("GET", "/staff/john/free-busy", query=WEEK | {"fresh": "60"}).json["sources"] == []
        assert door.api("GET", "/staff/john/free-busy", query=WEEK | {"fresh": "1"}).status == 400


@pytest.mark.parametrize("level", ["busy", "service", "full"])
def test_a148_a_feed_of_ours_read_back_says_what_we_say(door: Door, level: str) -> None:
    """By another gateway, to which it is a stranger's: two roads to the same times."""
    door.book("2026-11-25T08:00:00+01:00", recurrence={"rule": "FREQ=WEEKLY;COUNT=20"})
    door.book("2027-03-27T23:45:00+01:00", recurrence={"rule": "FREQ=DAILY;COUNT=3"})
    door.book(TEN)
    window = Span(NOW, NOW + timedelta(days=300))
    told = door.api("GET", "/staff/john/free-busy", query={"from": window.start.isoformat(), "to": window.end.isoformat()}).json["busy"]
    read = busy_times(door.feed(level).text.encode(), zone="Asia/Tokyo", window=window)
    assert [(span.start, span.end) for span in read.spans] == [
        (datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"])) for each in told
    ]
    assert len(told) == 24


@pytest.mark.parametrize("nothing", [None, "", "https://", "webcal://"])
def test_s32_nothing_ends_it(door: Door, site: Site, nothing: str | None) -> None:
    put(door, site.url)
    read_them(door)
    assert put(door, nothing) is None
    free_busy = door.api("GET", "/staff/john/free-busy", query=WEEK).json
    assert (free_busy["busy"], free_busy["sources"]) == ([], [])


def test_a_change_of_something_else_leaves_it_alone(door: Door, site: Site) -> None:
    put(door, site.url)
    answer = door.api("PUT", "/staff/john", {"name": "John Smith"})
    assert answer.json["external_ics"] is not None


def test_the_address_is_nowhere_to_be_seen(door: Door, site: Site) -> None:
    put(door, site.url)
    site.status = 404
    read_them(door)
    shown = door.api("GET", "/staff/john").text + door.api("GET", "/staff").text + door.api("GET", "/staff/john/free-busy", query=WEEK).text
    assert "canary" not in shown
    with door.store.read(DEMO) as snapshot:
        lines = snapshot.deeds(before=NOW + timedelta(days=1), limit=10, what="external-calendar")
    assert [dict(line.after) for line in lines] == [{"set": True}]


@pytest.mark.parametrize("given", ["ftp://example.com/a.ics", "example.com", "file:///etc/passwd"])
def test_s32_other_addresses_are_refused_with_a_sentence(door: Door, given: str) -> None:
    answer = door.api("PUT", "/staff/john", {"external_ics_url": given})
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "external_ics_url")
    assert "https://" in answer.text


class TestHabits:
    """What counts as busy where people differ (product.md W11)."""

    def test_w11_each_staff_member_may_say_what_blocks(self, door: Door, site: Site) -> None:
        site.headers = {"ETag": '"one"'}
        site.body = calendar(event("DTSTART:20261125T090000Z", "DURATION:PT1H", "STATUS:TENTATIVE"))
        put(door, site.url)
        read_them(door)
        assert len(door.api("GET", "/staff/john/free-busy", query=WEEK).json["busy"]) == 1
        answer = door.api("PUT", "/staff/john", {"external_ics_tentative_is_busy": False})
        shown = answer.json["external_ics"]
        assert (shown["tentative_is_busy"], shown["working_elsewhere_is_busy"]) == (False, None)
        read_them(door)
        assert door.api("GET", "/staff/john/free-busy", query=WEEK).json["busy"] == []
        answer = door.api("PUT", "/staff/john", {"external_ics_working_elsewhere_is_busy": True, "external_ics_tentative_is_busy": None})
        shown = answer.json["external_ics"]
        assert (shown["tentative_is_busy"], shown["working_elsewhere_is_busy"]) == (None, True)

    def test_w11_they_stay_with_another_address_and_hold_for_a_test(self, door: Door, site: Site) -> None:
        body = {"external_ics_url": "https://example.com/a.ics", "external_ics_tentative_is_busy": False}
        assert door.api("PUT", "/staff/john", body).json["external_ics"]["tentative_is_busy"] is False
        site.body = calendar(event("DTSTART:20261125T090000Z", "DURATION:PT1H", "STATUS:TENTATIVE"))
        put(door, site.url)
        assert door.api("GET", "/staff/john").json["external_ics"]["tentative_is_busy"] is False
        assert door.api("POST", "/staff/john/external-ics/test").json["next_busy"] == []

    def test_w11_without_an_external_calendar_there_are_none(self, door: Door) -> None:
        answer = door.api("PUT", "/staff/john", {"external_ics_tentative_is_busy": False})
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "external_ics_tentative_is_busy")


class TestTheTest:
    def test_s32_it_says_what_would_block(self, door: Door, site: Site) -> None:
        site.body = calendar(
            event("DTSTART:20261101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "SUMMARY:Canary"),
            event("DTSTART:soon", uid="bad"),
            head=("X-WR-TIMEZONE:America/New_York",),
        )
        answer = door.api("POST", "/staff/john/external-ics/test", {"url": site.url.replace("http://", "http://")})
        assert answer.json["reachable"] is True
        assert (answer.json["events"], answer.json["time_zone"]) == (2, "America/New_York")
        assert [each["start"] for each in answer.json["next_busy"]] == [f"2026-11-{day}T10:00:00+01:00" for day in (24, 25, 26)]
        assert answer.json["warnings"] == ["One event cannot be read and blocks nothing."]
        assert "Canary" not in answer.text
        assert door.api("GET", "/staff/john").json["external_ics"] is None

    def test_s32_without_an_address_the_kept_one_is_tried(self, door: Door, site: Site) -> None:
        assert "give the address" in door.api("POST", "/staff/john/external-ics/test").json["trouble"]
        put(door, site.url)
        assert door.api("POST", "/staff/john/external-ics/test").json["events"] == 1

    def test_b8_a_failure_has_a_sentence_and_a_next_step(self, door: Door, site: Site) -> None:
        site.status = 403
        answer = door.api("POST", "/staff/john/external-ics/test", {"url": site.url})
        assert (answer.status, answer.json["reachable"], answer.json["next_busy"]) == (200, False, [])
        assert "publish it" in answer.json["trouble"]
        answer = door.api("POST", "/staff/john/external-ics/test", {"url": "http://10.0.0.1.5/"})
        assert answer.json["next_step"]

    def test_it_holds_nothing_while_it_waits_for_the_network(self, door: Door, site: Site) -> None:
        def changes(asked: Asked) -> None:
            assert door.api("PUT", "/staff/john", {"name": "John Q. Smith"}).status == 200

        site.before = changes
        assert door.api("POST", "/staff/john/external-ics/test", {"url": site.url}).json["reachable"] is True

    def test_our_own_network_is_not_looked_at_for_anybody(self, tmp_path: Path, site: Site) -> None:
        with built(tmp_path) as store, opened(store) as door:
            answer = door.api("POST", "/staff/john/external-ics/test", {"url": site.url})
        assert answer.json["reachable"] is False
        assert site.asked == []
