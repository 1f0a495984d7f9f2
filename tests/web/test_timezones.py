"""The time-zone service: every zone as iCalendar, found at the well-known address, and cheap to ask again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from gateway.ical import zonelist
from tests.web.house import Door

HERE = "/.well-known/timezone"


def told(door: Door, path: str) -> Any:
    answer = door.ask("GET", HERE + path)
    assert answer.status == 200, answer.text
    return json.loads(answer.text)


def test_the_well_known_address_says_what_can_be_asked(door: Door) -> None:
    said = told(door, "")
    assert said == told(door, "/capabilities")
    assert said["version"] == 1
    assert {action["name"] for action in said["actions"]} == {"capabilities", "list", "get", "expand", "find"}
    assert all(action["uri-template"].startswith(HERE) for action in said["actions"])
    assert said["info"]["formats"] == ["text/calendar"]


def test_every_zone_is_listed_and_none_when_nothing_has_changed(door: Door) -> None:
    said = told(door, "/zones")
    assert [zone["tzid"] for zone in said["timezones"]] == list(zonelist.names())
    assert len(said["timezones"]) > 400
    assert {"tzid", "etag", "last-modified", "publisher", "version"} == set(said["timezones"][0])
    assert told(door, f"/zones?changedsince={said['synctoken']}") == {"synctoken": said["synctoken"], "timezones": []}
    assert told(door, "/zones?changedsince=older") == said


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("Europe/Paris", ["Europe/Paris"]),
        ("*/new_york", ["America/New_York"]),
        ("*new york", ["America/New_York"]),
        ("europe/bu*", ["Europe/Bucharest", "Europe/Budapest", "Europe/Busingen"]),
        ("*kathm*", ["Asia/Kathmandu"]),
        ("Paris", []),
    ],
)
def test_a_zone_is_found_by_a_part_of_its_name(door: Door, pattern: str, found: list[str]) -> None:
    assert [zone["tzid"] for zone in told(door, f"/zones?pattern={pattern.replace(' ', '%20')}")["timezones"]] == found


@pytest.mark.parametrize("name", ["Europe/Paris", "Europe%2FParis", "America/Argentina/Buenos_Aires", "UTC", "Etc/UTC", "Asia/Kathmandu"])
def test_a_zone_is_given_out_as_a_calendar(door: Door, name: str) -> None:
    answer = door.ask("GET", f"{HERE}/zones/{name}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    [zone] = icalendar.Calendar.from_ical(answer.text).walk("VTIMEZONE")
    assert zone["TZID"] == name.replace("%2F", "/")
    local = zone.to_tz(lookup_tzid=False)
    for month in (1, 7):
        instant = datetime(2026, month, 15, 12, tzinfo=UTC)
        assert instant.astimezone(local).utcoffset() == instant.astimezone(ZoneInfo(name.replace("%2F", "/"))).utcoffset()


def test_the_changes_of_clocks_are_told_with_their_offsets(door: Door) -> None:
    said = told(door, "/zones/Europe/Paris/observances?start=2026-01-01T00:00:00Z&end=2027-01-01T00:00:00Z")
    assert said["tzid"] == "Europe/Paris"
    assert [(each["onset"], each["utc-offset-from"], each["utc-offset-to"]) for each in said["observances"]] == [
        ("2026-01-01T00:00:00Z", 3600, 3600),
        ("2026-03-29T01:00:00Z", 3600, 7200),
        ("2026-10-25T01:00:00Z", 7200, 3600),
    ]
    assert told(door, "/zones/UTC/observances?start=2026-01-01T00:00:00Z")["observances"][0]["utc-offset-to"] == 0


def test_what_is_told_agrees_with_the_zone_database(door: Door) -> None:
    for name in ("Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns"):
        said = told(door, f"/zones/{name}/observances?start=2025-06-01T00:00:00Z&end=2028-06-01T00:00:00Z")["observances"]
        for each in said:
            onset = datetime.fromisoformat(each["onset"])
            local = ZoneInfo(name)
            assert onset.astimezone(local).utcoffset() == timedelta(seconds=each["utc-offset-to"])
            before = (onset - timedelta(seconds=1)).astimezone(local)
            assert before.utcoffset() == timedelta(seconds=each["utc-offset-from"])


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/zones/Europe/Nowhere", 404, "tzid-not-found"),
        ("/zones/europe/paris", 404, "tzid-not-found"),
        ("/zones/..%2F..%2Fetc%2Fpasswd", 404, "tzid-not-found"),
        ("/zones/localtime", 404, "tzid-not-found"),
        ("/zones/" + "a" * 2000, 404, "tzid-not-found"),
        ("/zones/Factory/observances", 404, "tzid-not-found"),
        ("/zones/Europe/Paris?start=yesterday", 400, "invalid-start"),
        ("/zones/Europe/Paris?start=2026-02-30T00:00:00Z", 400, "invalid-start"),
        ("/zones/Europe/Paris?start=1601-01-01T00:00:00Z", 400, "invalid-start"),
        ("/zones/Europe/Paris?end=9999-01-01T00:00:00Z", 400, "invalid-end"),
        ("/zones/Europe/Paris?start=2026-01-01T00:00:00Z&end=2026-01-01T00:00:00Z", 400, "invalid-end"),
        ("/zones?pattern=*", 400, "invalid-pattern"),
        ("/zones?pattern=a*b", 400, "invalid-pattern"),
    ],
)
def test_what_is_not_understood_has_a_name(door: Door, path: str, status: int, name: str) -> None:
    answer = door.ask("GET", HERE + path)
    assert answer.status == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    said = json.loads(answer.text)
    assert (said["type"], said["status"]) == (f"urn:ietf:params:tzdist:error:{name}", status)


@pytest.mark.parametrize("path", ["", "/zones", "/zones/Europe/Paris", "/zones/Europe/Paris/observances"])
def test_who_has_it_already_is_told_so(door: Door, path: str) -> None:
    first = door.ask("GET", HERE + path)
    assert first.headers["cache-control"] == "public, max-age=86400"
    again = door.ask("GET", HERE + path, If_None_Match=first.headers["etag"])
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert door.ask("GET", HERE + path, If_None_Match='"other"').body == first.body


def test_nothing_can_be_changed_here(door: Door) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert door.ask(method, f"{HERE}/zones").status == 405
