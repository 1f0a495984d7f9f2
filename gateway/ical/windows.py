"""Windows' names of time zones, and the IANA zone each stands for where no territory is given (CLDR windowsZones, 001)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType


@cache
def windows_zones() -> Mapping[str, str]:
    """IANA names by Windows' names. Read when first asked for: most calendars never name one, and the library takes 3 MiB."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    return MappingProxyType(WINDOWS_TO_OLSON)
