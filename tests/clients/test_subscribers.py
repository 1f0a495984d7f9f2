"""Those who only subscribe: how Google, Microsoft, Apple, Thunderbird and Evolution fetch a feed (clients.md §3, §9, §10.10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from tests.web.house import TOKENS, Door, built, opened

PATH = f"/feeds/{TOKENS['full']}.ics"


@dataclass(frozen=True)
class Subscriber:
    """One that fetches again and again; `every` is its usual period."""

    agent: str
    every: timedelta
    accept: str | None = None
    remembers: bool = True  # sends If-None-Match
    looks_first: bool = False  # sends HEAD


SUBSCRIBERS = {
    "google": Subscriber("Google-Calendar-Importer", timedelta(hours=12), remembers=False),
    "exchange": Subscriber("Microsoft Exchange/15.20 (Windows NT 10.0; Win64; x64)", timedelta(hours=3), remembers=False),
    "outlook": Subscriber("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)", timedelta(minutes=30), "*/*"),
    "ios": Subscriber("iOS/18.0 (22A3354) dataaccessd/1.0", timedelta(minutes=30), "text/calendar", looks_first=True),
    "thunderbird": Subscriber(
        "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.7.0",
        timedelta(minutes=30),
        "text/calendar,text/plain;q=0.8,*/*;q=0.5",
    ),
    "evolution": Subscriber("Evolution/3.46.4", timedelta(seconds=20)),
    "somebody": Subscriber("", timedelta(hours=1)),
}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with built(tmp_path) as store, opened(store) as door:
        yield door


@pytest.mark.parametrize("name", list(SUBSCRIBERS))
def test_a_subscriber_sees_every_move_with_its_next_fetch_and_is_spared_what_has_not_changed(door: Door, name: str) -> None:
    subscriber = SUBSCRIBERS[name]
    made = door.book("2026-12-01T10:00:00+01:00")
    headers = {"User_Agent": subscriber.agent} if subscriber.agent else {}
    if subscriber.accept:
        headers["Accept"] = subscriber.accept
    if subscriber.looks_first:
        assert door.ask("HEAD", PATH, **headers).headers["content-type"] == "text/calendar; charset=utf-8"
    last, seen = "", dict[str, tuple[datetime, int, datetime]]()
    for start in (None, None, "2026-12-01T15:00:00+01:00", None, "2026-12-02T09:00:00+01:00"):
        door.clock.now += subscriber.every
        if start is not None:
            moved = door.api("PATCH", f"/appointments/{made['id']}", {"start": start}, If_Match=made["etag"])
            assert moved.status == 200
            made = moved.json
        answer = door.ask("GET", PATH, **headers, **({"If_None_Match": last} if last and subscriber.remembers else {}))
        assert answer.status == (304 if last and subscriber.remembers and start is None else 200)
        assert not {"set-cookie", "location", "www-authenticate"} & set(answer.headers)
        if answer.status == 200:
            shown = told(answer.text)
            assert shown[made["uid"]][0] == datetime.fromisoformat(made["start"])
            for uid, before in seen.items():
                grown = tuple(now > then for now, then in zip(shown[uid][1:], before[1:], strict=True))
                assert grown == ((start is not None,) * 2), "SEQUENCE and LAST-MODIFIED rise together, or Google keeps the old time"
            last, seen = answer.etag or "", shown


def told(text: str) -> dict[str, tuple[datetime, int, datetime]]:
    """By UID: when it begins, SEQUENCE, LAST-MODIFIED."""
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")
    return {str(each["UID"]): (each["DTSTART"].dt, int(each["SEQUENCE"]), each["LAST-MODIFIED"].dt) for each in events}


def test_apple_subscribes_under_one_name_and_refreshes_under_another(door: Door) -> None:
    door.book()
    first = door.ask("GET", PATH, User_Agent="iOS/18.0 (22A3354) accountsd/1.0", Accept="*/*")
    again = door.ask("GET", PATH, User_Agent="iOS/18.0 (22A3354) dataaccessd/1.0", If_None_Match=first.etag or "")
    assert (first.status, again.status) == (200, 304)


def test_evolution_may_ask_several_times_a_minute(door: Door) -> None:
    door.book()
    first = door.ask("GET", PATH, User_Agent="Evolution/3.46.4")
    for _ in range(40):
        door.clock.now += timedelta(seconds=3)
        assert door.ask("GET", PATH, User_Agent="Evolution/3.46.4", If_None_Match=first.etag or "").status == 304


def test_a_feed_of_a_busy_year_stays_below_a_megabyte(tmp_path: Path) -> None:
    """Google gives up beyond that."""
    with built(tmp_path) as store, opened(store) as door:
        first = datetime(2026, 11, 25, 8, tzinfo=UTC)
        for place in range(60):
            door.book((first + timedelta(days=place // 2, hours=4 * (place % 2))).isoformat(), notes="Brings the contract along.")
        octets = len(door.ask("GET", PATH, User_Agent="Google-Calendar-Importer").body)
    a_year = octets / 60 * 1500  # of a busy person
    assert a_year < 1_048_576


def test_no_agent_is_turned_away(door: Door) -> None:
    door.book()
    for agent in ("curl/8.9.1", "python-requests/2.32", "bot", "Mozilla/5.0", "-"):
        assert door.ask("GET", PATH, User_Agent=agent).status == 200
