"""What happens once, expanded by rewriting a few lines of its text: a tenth of the work of reading it (RFC 4791 §9.6.5)."""

from __future__ import annotations

import re
from datetime import tzinfo

from gateway.errors import GatewayError
from gateway.ical.clientzones import known
from gateway.ical.moments import OneZone, moments
from gateway.ical.parse import Property
from gateway.ical.zones import stamp
from gateway.model import Span

_ZONE = re.compile(r"BEGIN:VTIMEZONE\r?\n.*?\nEND:VTIMEZONE\r?\n", re.DOTALL)
_REPEATS = re.compile(r"\n(?:RRULE|RDATE|EXRULE|RECURRENCE-ID|BEGIN:(?!VEVENT|VALARM))", re.IGNORECASE)
_ZONED = re.compile(
    r"(?<=\n)([A-Z0-9-]+)((?:;[A-Z-]+=[^;:,\"\r\n]*)*?);TZID=([^;:,\"\r\n]+)((?:;[A-Z-]+=[^;:,\"\r\n]*)*):(\d{8}T\d{6})(?=\r?\n[^ \t])"
)
_START, _END = (re.compile(rf"\n{name}(?:;VALUE=DATE-TIME)?:(\d{{8}}T\d{{6}}Z)\r?\n[^ \t]") for name in ("DTSTART", "DTEND"))


class Unsure(Exception):
    """The object may repeat, lies outside the window, or says its times in another way than nearly all do: somebody has to read it."""


def once(text: str, window: Span, zones: dict[str, tzinfo]) -> str:
    """The text without time zones and with its times in UTC. Raises Unsure. `zones` are those met before in the same answer."""
    plain = _ZONE.sub("", text)
    if plain.count("BEGIN:VEVENT") != 1 or _REPEATS.search(plain):
        raise Unsure
    in_utc = _ZONED.sub(lambda found: _in_utc(found, zones), plain)
    start, end = _START.findall(in_utc), _END.findall(in_utc)
    if len(start) != 1 or len(end) != 1 or ";TZID=" in in_utc.upper():
        raise Unsure
    begin, until = stamp(window.start), stamp(window.end)  # such stamps are in the order of their instants
    if not (start[0] < until and start[0] <= end[0] and (begin < end[0] or begin == start[0])):
        raise Unsure
    return in_utc


def _in_utc(found: re.Match[str], zones: dict[str, tzinfo]) -> str:
    name, before, tzid, after, value = found.groups()
    zone = zones.get(tzid) or known(tzid)
    if zone is None:
        raise Unsure
    zones[tzid] = zone
    try:
        [moment] = moments(Property(name, ";TZID=x", value), OneZone(zone))
    except (GatewayError, ValueError):
        raise Unsure from None
    return f"{name}{before}{after}:{stamp(moment.instant)}"
