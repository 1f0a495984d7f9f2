"""Time zones as an Exchange mailbox knows them: by Windows' names, with IANA names accepted and turned into those."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from gateway.fakes.times import known, zone
from gateway.ical.windows import windows_zones

_BY_LOWER = {name.lower(): name for name in windows_zones()}
_BY_IANA = {iana: name for name, iana in reversed(list(windows_zones().items()))}
_SAMPLES = tuple(datetime(2024, 1, 1, 1, tzinfo=UTC) + timedelta(days=7 * week) for week in range(160))


def windows(name: str) -> str | None:
    """The Windows name of a zone by either kind of name. None: the mailbox does not know it."""
    if name.lower() in _BY_LOWER:
        return _BY_LOWER[name.lower()]
    if name in ("UTC", "Etc/UTC", "Etc/GMT", "tzone://Microsoft/Utc"):
        return "UTC"
    if name in _BY_IANA:
        return _BY_IANA[name]
    return _alike(name) if known(name) else None


def iana(name: str) -> str | None:
    """The zone by whose rules the mailbox reckons."""
    found = windows(name)
    if found is None:
        return None
    return "UTC" if found == "UTC" else windows_zones()[found]


@cache
def _alike(name: str) -> str | None:
    """The Windows zone whose clocks show the same, as CLDR's territories have it."""
    mine = _offsets(name)
    return next((each for each, other in windows_zones().items() if _offsets(other) == mine), None)


@cache
def _offsets(name: str) -> tuple[timedelta | None, ...]:
    return tuple(sample.astimezone(zone(name)).utcoffset() for sample in _SAMPLES)


def supported(standard: str) -> list[dict[str, str]]:
    """outlook/supportedTimeZones: alias and what people read."""
    if standard == "Iana":
        names = sorted(set(windows_zones().values()) | {"UTC"})
        return [{"alias": name, "displayName": name} for name in names]
    return [{"alias": name, "displayName": f"({_offset(windows_zones()[name])}) {name}"} for name in windows_zones()]


def _offset(name: str) -> str:
    minutes = int((_offsets(name)[0] or timedelta()).total_seconds() // 60)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
