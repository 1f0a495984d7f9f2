"""Instants and durations written in content lines, as far as filters compare them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugins.content import Line

_DURATION = re.compile(r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?", re.IGNORECASE)


def moment_of(line: Line) -> datetime | None:
    """The instant of a DATE or DATE-TIME property, aware UTC; a date, or a time without a known zone, counts as UTC. None: no instant."""
    value = line.value.strip()
    form = "%Y%m%d" if len(value) == 8 else "%Y%m%dT%H%M%S"
    try:
        naive = datetime.strptime(value.removesuffix("Z"), form)  # noqa: DTZ007  its zone follows
    except ValueError:
        return None
    if value.endswith("Z"):
        return naive.replace(tzinfo=UTC)
    try:
        return naive.replace(tzinfo=ZoneInfo(line.parameter("TZID") or "UTC")).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return naive.replace(tzinfo=UTC)


def duration_of(value: str) -> timedelta | None:
    """RFC 5545 §3.3.6. None: no duration."""
    found = _DURATION.fullmatch(value.strip())
    if found is None or not any(found.groups()[1:]):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] == "-" else length
