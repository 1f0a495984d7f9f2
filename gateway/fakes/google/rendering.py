"""Rows and calendars as Google's resources (discovery document: Event, Calendar, CalendarListEntry)."""

from __future__ import annotations

import base64
from datetime import datetime

from gateway.fakes.cursors import fingerprint
from gateway.fakes.google.state import Account, Calendar, GoogleWorld, Row
from gateway.fakes.times import Times, local, stamp
from gateway.fakes.wire import Json

REMINDERS: Json = {"useDefault": True}


def etag(row: Row) -> str:
    return f'"{row.version:016d}"'


def event(world: GoogleWorld, calendar: Calendar, row: Row, zone: str = "") -> Json:
    """The event; times in `zone`, else where the calendar is at home. A tombstone says no more than is guaranteed."""
    shown: Json = {"kind": "calendar#event", "etag": etag(row), "id": row.id, "status": _status(row)}
    if row.master:
        shown |= {"recurringEventId": row.master, "originalStartTime": _original(row, zone or calendar.zone)}
    if row.cancelled:
        return shown
    shown |= {
        "htmlLink": f"https://www.google.com/calendar/event?eid={_eid(row.id, calendar.id)}",
        "created": stamp(row.created),
        "updated": stamp(row.updated),
        "creator": _creator(world, calendar, row),
        "organizer": _organizer(world, calendar, row),
        "start": when(row.times.start, row.times, zone or calendar.zone),
        "end": when(row.times.end, row.times, zone or calendar.zone, end=True),
        "iCalUID": row.uid,
        "sequence": row.sequence,
        "reminders": REMINDERS,
        "eventType": "default",
    }
    if row.lines:
        shown["recurrence"] = list(row.lines)
    return shown | {name: value for name, value in row.body.items() if name != "status"}


def _status(row: Row) -> str:
    return "cancelled" if row.cancelled else str(row.body.get("status", "confirmed"))


def when(instant: datetime, times: Times, zone: str, *, end: bool = False) -> Json:
    """An EventDateTime: the instant with the offset of the zone asked for, and beside it the zone of the event."""
    if times.all_day:
        return {"date": instant.date().isoformat()}
    return {"dateTime": local(instant, zone), "timeZone": (times.end_zone if end else "") or times.zone}


def _original(row: Row, zone: str) -> Json:
    """Where in the series: the id tells whether that is a date, for an exception may have become all-day, or ceased to be."""
    assert row.original is not None  # noqa: S101  every instance has one
    if not row.id.endswith("Z"):
        return {"date": row.original.date().isoformat()}
    return {"dateTime": local(row.original, zone), "timeZone": row.times.zone}


def _creator(world: GoogleWorld, calendar: Calendar, row: Row) -> Json:
    if row.organizer:
        return {"email": row.organizer}
    return {"email": calendar.owner} | ({"self": True} if calendar.primary else {})


def _organizer(world: GoogleWorld, calendar: Calendar, row: Row) -> Json:
    if row.organizer:
        return {"email": row.organizer}
    return (
        {"email": calendar.id, "displayName": calendar.summary, "self": True}
        if not calendar.primary
        else {"email": calendar.id, "self": True}
    )


def _eid(event: str, calendar: str) -> str:
    return base64.urlsafe_b64encode(f"{event} {calendar}".encode()).decode().rstrip("=")


def calendar_etag(calendar: Calendar) -> str:
    return f'"{fingerprint([calendar.id, calendar.seq])}"'


def calendar(found: Calendar) -> Json:
    shown: Json = {
        "kind": "calendar#calendar",
        "etag": calendar_etag(found),
        "id": found.id,
        "summary": found.summary,
        "timeZone": found.zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    if found.description:
        shown["description"] = found.description
    if not found.primary:
        shown["dataOwner"] = found.owner
    return shown


def entry(account: Account, found: Calendar) -> Json:
    """The calendar as a line of its owner's list."""
    if found.deleted:
        return {"kind": "calendar#calendarListEntry", "etag": calendar_etag(found), "id": found.id, "deleted": True}
    shown = calendar(found) | {
        "kind": "calendar#calendarListEntry",
        "accessRole": "owner",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "colorId": "14",
        "selected": True,
        "defaultReminders": [{"method": "popup", "minutes": 30}] if found.primary else [],
    }
    if found.primary:
        shown["primary"] = True
    return shown
