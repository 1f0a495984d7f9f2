"""In which zone days and times without one are meant: the request's, the calendar's, or its owner's (RFC 4791 §5.2.2, §9.8)."""

from __future__ import annotations

from datetime import tzinfo
from functools import cached_property, lru_cache
from xml.etree.ElementTree import Element

from gateway.errors import GatewayError, Invalid
from gateway.ical.clientzones import ClientZones, known
from gateway.ical.parse import Component, calendar
from gateway.store import Collection, Snapshot
from plugins import document
from plugins.filters import KINDS
from plugins.multistatus import CALDAV

LONGEST = 20_000
"""Characters of the description of a time zone; they are remembered."""

_TIMEZONE, _TIMEZONE_ID = f"{{{CALDAV}}}timezone", f"{{{CALDAV}}}timezone-id"
_OF_CALENDAR, _OF_CALENDAR_ID = f"{{{CALDAV}}}calendar-timezone", f"{{{CALDAV}}}calendar-timezone-id"


class Floating:
    """The zone for one calendar in one request. Nothing is looked up before it is needed: most objects have zones of their own."""

    def __init__(self, snapshot: Snapshot, collection: Collection, asked: tzinfo | None = None) -> None:
        self._snapshot = snapshot
        self._collection = collection
        self._asked = asked

    @cached_property
    def zone(self) -> tzinfo:
        return self._asked or self._chosen or self._owners

    @cached_property
    def indexed(self) -> bool:
        """Whether it is the one that the index of instances was made with, so that SQL's answer stands. Views show appointments
        only, and those always have a zone."""
        if self._collection.view or (self._asked is None and self._chosen is None):
            return True
        return self.zone == self._owners

    @cached_property
    def _chosen(self) -> tzinfo | None:
        """By the viewer, for this calendar."""
        properties = self._collection.properties
        named = known(properties.get(_OF_CALENDAR_ID, ""))
        return named or _described(properties.get(_OF_CALENDAR, ""))

    @cached_property
    def _owners(self) -> tzinfo:
        """Of the staff member whose calendar it is: what `desk` shapes objects with."""
        owner = self._snapshot.staff(self._snapshot.calendar(self._collection.calendars[0]).staff)
        return _sure(owner.zone)


def asked_in(root: Element) -> tzinfo | None:
    """The zone that a report names, by description or by name (RFC 7809 §5.1). Raises Invalid: valid-calendar-data, valid-timezone."""
    described, named = root.find(_TIMEZONE), root.find(_TIMEZONE_ID)
    if described is not None and named is not None:
        raise Invalid("A report names its time zone in one way.")
    if named is not None:
        zone = known(document.text_of(named))
        if zone is None:
            raise Invalid("This time zone is not known here.", condition="valid-timezone")
        return zone
    if described is None:
        return None
    zone = _described(document.text_of(described))
    if zone is None:
        raise Invalid("A time zone is a calendar with one VTIMEZONE.", condition="valid-calendar-data")
    return zone


def floats(scanned: Component) -> bool:
    """Whether an object scanned for DTSTART and DUE has days, or times without a zone."""
    dates = (line for each in scanned.components if each.name in KINDS for line in each.properties if line.name in ("DTSTART", "DUE"))
    return any(line.value.strip()[-1:].upper() != "Z" and line.parameter("TZID") is None for line in dates)


@lru_cache(maxsize=256)
def _described(text: str) -> tzinfo | None:
    """The zone of a calendar with one VTIMEZONE; None when the text is none."""
    if not 0 < len(text) <= LONGEST:
        return None
    try:
        top = calendar(text.strip())
        [zone] = top.named("VTIMEZONE")
        [named] = zone.every("TZID")
        return ClientZones(top, "UTC").named(named.value.strip('"'))
    except (GatewayError, ValueError):
        return None


def _sure(name: str) -> tzinfo:
    zone = known(name)
    if zone is None:
        raise Invalid("The time zone of this calendar's owner is not known here.")
    return zone
