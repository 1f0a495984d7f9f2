"""Windows' names of time zones, and the IANA zone each stands for where no territory is given (CLDR windowsZones, 001)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

WINDOWS: Mapping[str, str] = MappingProxyType(WINDOWS_TO_OLSON)
