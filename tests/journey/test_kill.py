"""The server is killed in the middle of two hundred writes: nothing acknowledged is lost, nothing is doubled, nobody is told twice."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import icalendar

from tests.journey.calendar import Sight
from tests.journey.demo import Demo, eventually
from tests.journey.test_journey import instant, items, look
from tests.journey.wire import Seat

WRITES = 200
KILLED_AFTER = 60  # acknowledged writes
HOURS = range(8, 18)


@dataclass
class Tally:
    """What the clients know: which writes were acknowledged before the end."""

    acknowledged: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def note(self, url: str, status: int) -> int:
        with self.lock:
            if status == 204:
                self.acknowledged.add(url)
            else:
                self.refused.append(f"{status} {url}")
            return len(self.acknowledged)


def slots(zone: str, first_week: int, count: int) -> list[datetime]:
    """So many free working hours, one after the other, from that many weeks ahead; in UTC."""
    monday = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    monday += timedelta(days=-monday.weekday(), weeks=first_week)
    hours = (monday + timedelta(days=day + 2 * (day // 5), hours=hour) for day in range(count) for hour in HOURS)
    return [hour.astimezone(UTC) for hour, _ in zip(hours, range(count), strict=False)]


def test_slots_are_distinct_working_hours() -> None:
    found = slots("Europe/Paris", 20, 120)
    local = [slot.astimezone(ZoneInfo("Europe/Paris")) for slot in found]
    assert len(set(found)) == 120
    assert all(slot.weekday() < 5 and slot.hour in HOURS for slot in local)
