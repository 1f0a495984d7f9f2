"""Time zones by name instead of by description: in properties, and left out of calendar data for who asks so (RFC 7809)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from gateway.ical import zonelist
from gateway.ical.clientzones import known
from gateway.model import Span
from gateway.store import Collection, Row
from plugins.features import Kind
from plugins.multistatus import CALDAV, escape, link
from plugins.request import Request
from plugins.seen import Seen, Value, on_calendar

SERVICE = "/.well-known/timezone"
"""Where gateway.web answers for zones (RFC 7808)."""

ZONE, ZONE_ID = f"{{{CALDAV}}}calendar-timezone", f"{{{CALDAV}}}calendar-timezone-id"

_DESCRIBED = re.compile(r"BEGIN:VTIMEZONE[ \t]*\r?\n(.*?)END:VTIMEZONE[ \t]*\r?\n", re.DOTALL | re.IGNORECASE)
_NAME = re.compile(r"^TZID(?:;[^:\r\n]*)?:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]")


def undescribed(request: Request) -> bool:
    """Whether descriptions of zones that everybody knows are to be left out (RFC 7809 §3.1.3). Unless told so, they are there."""
    return request.header("CalDAV-Timezones").strip().upper() == "F"


def without(text: str) -> str:
    """The calendar object without VTIMEZONEs of IANA zones; those of other names stay, for nobody else knows them."""
    return _DESCRIBED.sub(lambda found: "" if _standard(found[1]) else found[0], text)


def _standard(description: str) -> bool:
    name = _NAME.search(_FOLD.sub("", description))
    return name is not None and zonelist.known(name[1].strip())


def lightened(request: Request, text: Callable[[Row], str] | None) -> Callable[[Row], str] | None:
    """A way to give out rows (None: as they are), with zones left out where that is asked for."""
    if not undescribed(request):
        return text
    if text is None:
        return lambda row: without(row.text or "")
    return lambda row: without(text(row))


def problem(value: str) -> str | None:
    """Why the name cannot be a calendar's zone, or None."""
    return None if zonelist.known(value) else "A time zone is called by its IANA name, such as Europe/Paris."


def settled(looks: dict[str, str | None]) -> dict[str, str | None]:
    """A calendar's zone is described or named; whichever was set last counts (RFC 7809 §5.2)."""
    if looks.get(ZONE_ID) is not None:
        return {**looks, ZONE: None}
    return {**looks, ZONE_ID: None} if looks.get(ZONE) is not None else looks


def _name(seen: Seen, collection: Collection) -> str | None:
    """The name that was set, or the one in the description that was set, if it is IANA's."""
    value = collection.properties.get(ZONE_ID)
    if value is None and (described := collection.properties.get(ZONE)):
        name = _NAME.search(_FOLD.sub("", described))
        zone = known(name[1]) if name is not None else None
        value = getattr(zone, "key", None)
    return escape(value) if value else None


def _description(seen: Seen, collection: Collection) -> str | None:
    described = collection.properties.get(ZONE)
    if described:
        return escape(described)
    name = collection.properties.get(ZONE_ID)
    return escape(zonelist.text(name, _years(seen.request.now))) if name and zonelist.known(name) else None


def _years(now: datetime) -> Span:
    """Rules of today, which is what a calendar's zone is for: its floating times and days."""
    return Span(now, now)


LIVE: Mapping[str, Value] = {
    ZONE: on_calendar(_description),
    ZONE_ID: on_calendar(_name),
    f"{{{CALDAV}}}timezone-service-set": lambda seen: link(SERVICE) if seen.kind in (Kind.ROOT, Kind.HOME) else None,
}
