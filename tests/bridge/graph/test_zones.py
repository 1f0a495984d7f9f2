"""Windows' names of time zones, both ways (bridge.md §3.3; §4, 32)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from gateway.bridge.graph import zones
from gateway.ical.windows import windows_zones

SAMPLES = [datetime(2024, 1, 1, 1, tzinfo=UTC) + timedelta(days=5, hours=7) * number for number in range(500)]


def offsets(zone: str) -> list[timedelta | None]:
    return [each.astimezone(ZoneInfo(zone)).utcoffset() for each in SAMPLES]


@pytest.mark.parametrize("name", windows_zones())
def test_every_name_of_windows_is_a_zone_whose_name_it_is(name: str) -> None:
    found = zones.iana(name)
    assert offsets(found) == offsets(windows_zones()[name])
    again = zones.windows(found)
    assert again is not None
    assert offsets(windows_zones()[again]) == offsets(found)


def test_every_zone_of_the_world_has_a_name_whose_clocks_show_the_same_or_none() -> None:
    """About ten, such as the Troll station, have a clock of their own."""
    alone = []
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        name = zones.windows(zone)
        if name is None:
            alone.append(zone)
        else:
            assert offsets(windows_zones()[name]) == offsets(zone), zone
    assert "Antarctica/Troll" in alone
    assert len(alone) < 20


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/Madrid", "Romance Standard Time"),
        ("Europe/Rome", "W. Europe Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Antarctica/Troll", None),
    ],
)
def test_a_zone_is_called_as_exchange_knows_it(zone: str, name: str | None) -> None:
    found = zones.windows(zone)
    assert found == name or (found is not None and name is not None and offsets(windows_zones()[found]) == offsets(windows_zones()[name]))


def test_a_name_that_stands_for_many_places_means_home_where_home_is_one_of_them() -> None:
    assert zones.iana(zones.windows("Europe/Madrid") or "", "Europe/Madrid") == "Europe/Madrid"
    assert zones.iana("Tokyo Standard Time", "Europe/Madrid") == "Asia/Tokyo"
    assert zones.iana("Asia/Tokyo", "Europe/Madrid") == "Asia/Tokyo"


@pytest.mark.parametrize(
    "name", ["tzone://Microsoft/Custom", "tzone://Microsoft/Utc", "Customized Time Zone", "", "../etc", "America", "x" * 300]
)
def test_a_name_nobody_knows_is_universal_time(name: str) -> None:
    """The instant is right all the same."""
    assert zones.iana(name, "Europe/Paris") == "UTC"


def test_the_case_of_a_name_does_not_matter() -> None:
    assert zones.iana("romance standard time") == "Europe/Paris"
