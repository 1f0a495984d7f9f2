"""What a calendar program does with the text of an appointment: read its fields, write other times into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import caldav
import icalendar

WEEKS_AHEAD = timedelta(weeks=14)
"""The same wall-clock hour that many weeks later is always free in the demo."""


@dataclass(frozen=True)
class Sight:
    """One single appointment as it stands in the staff member's calendar."""

    url: str
    etag: str
    text: str

    @property
    def event(self) -> icalendar.Event:
        calendar = icalendar.Calendar.from_ical(self.text)
        return next(iter(calendar.walk("VEVENT")))

    @property
    def uid(self) -> str:
        return str(self.event["UID"])

    @property
    def summary(self) -> str:
        return str(self.event["SUMMARY"])

    @property
    def sequence(self) -> int:
        return int(self.event.get("SEQUENCE", 0))

    @property
    def start(self) -> datetime:
        """In the zone that the text names."""
        return moment(self.event["DTSTART"].dt)

    @property
    def end(self) -> datetime:
        return moment(self.event["DTEND"].dt)

    def moved(self, start: datetime) -> str:
        """The same text, beginning at `start` and lasting as long."""
        calendar = icalendar.Calendar.from_ical(self.text)
        event = next(iter(calendar.walk("VEVENT")))
        length = self.end - self.start
        event["DTSTART"].dt = start
        event["DTEND"].dt = start + length
        return calendar.to_ical().decode("utf-8")


def moment(value: object) -> datetime:
    assert isinstance(value, datetime), "a demo appointment has a time of day"
    assert value.tzinfo is not None, "and a zone"
    return value


def client(url: str, login: str, password: str) -> caldav.DAVClient:
    return caldav.DAVClient(url=url, username=login, password=password)


def instant(text: str) -> datetime:
    """An RFC 3339 time of the REST resources, in UTC."""
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None, "REST times carry an offset"
    return moment.astimezone(UTC)
