"""What may be written into an event, and what Google makes of it: times, recurrence, types, and everything it keeps as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.errors import Invalid
from gateway.fakes import times as clock
from gateway.fakes.google.problems import empty_range, invalid, problem, required
from gateway.fakes.google.state import Calendar, Row
from gateway.fakes.series import Recurrence
from gateway.fakes.times import Times
from gateway.fakes.wire import Json

IDS = re.compile(r"[a-v0-9]{5,1024}")

TYPES = ("birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation")
_NEEDS = {"focusTime": "focusTimeProperties", "outOfOffice": "outOfOfficeProperties", "workingLocation": "workingLocationProperties"}

KEPT: dict[str, type] = {
    "anyoneCanAddSelf": bool,
    "attachments": list,
    "attendees": list,
    "attendeesOmitted": bool,
    "birthdayProperties": dict,
    "colorId": str,
    "conferenceData": dict,
    "description": str,
    "eventLabelId": str,
    "eventType": str,
    "extendedProperties": dict,
    "focusTimeProperties": dict,
    "gadget": dict,
    "guestsCanInviteOthers": bool,
    "guestsCanModify": bool,
    "guestsCanSeeOtherGuests": bool,
    "location": str,
    "outOfOfficeProperties": dict,
    "privateCopy": bool,
    "reminders": dict,
    "source": dict,
    "status": str,
    "summary": str,
    "transparency": str,
    "visibility": str,
    "workingLocationProperties": dict,
}
"""What a caller may write beside times and recurrence, with its JSON type. Everything else in a body is read-only and passed over."""

_VALUES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
    "eventType": TYPES,
}
_DEFAULTS: Json = {"status": "confirmed", "transparency": "opaque", "visibility": "default", "eventType": "default"}

RESTRICTION = {"default": 0, "public": 0, "private": 1, "confidential": 1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An event as it will be: checked, and not yet kept anywhere."""

    body: Json
    times: Times
    lines: tuple[str, ...]
    recurrence: Recurrence | None

    @property
    def type(self) -> str:
        return str(self.body.get("eventType", "default"))


def draft(calendar: Calendar, written: Json, *, instance: bool = False) -> Draft:
    """The event a complete body describes. Raises Rejected with 400."""
    body = kept(written)
    lines = _lines(written)
    if instance and lines:
        raise invalid("Recurring event instances cannot recur.")
    times = _times(written, calendar, repeats=bool(lines))
    try:
        recurrence = Recurrence.parse(lines, times) if lines else None
    except Invalid as error:
        raise invalid("Invalid recurrence rule.") from error
    if recurrence is not None and not (recurrence.rules or recurrence.rdates):
        raise invalid("Invalid recurrence rule.")
    made = Draft(body=body, times=times, lines=lines, recurrence=recurrence)
    _check_type(calendar, made)
    return made


def kept(written: Json) -> Json:
    """The fields Google keeps as they are, checked for their types and values; defaults are not kept."""
    body: Json = {}
    for name, kind in KEPT.items():
        value = written.get(name)
        if value is None:
            continue
        if not isinstance(value, kind) or (name in _VALUES and value not in _VALUES[name]):
            raise invalid("Invalid value for: " + name)
        if value != _DEFAULTS.get(name):
            body[name] = value
    _check_properties(body.get("extendedProperties", {}))
    for attendee in body.get("attendees", []):
        if not isinstance(attendee, dict) or "@" not in str(attendee.get("email", "")):
            raise invalid("Invalid attendee email.", "attendees")
    if body.get("attendees"):
        body["attendees"] = [{"responseStatus": "needsAction"} | attendee for attendee in body["attendees"]]
    if "source" in body and not str(body["source"].get("url", "")).startswith(("http://", "https://")):
        raise invalid("Invalid source URL.")
    return body


def _check_properties(extended: Json) -> None:
    for side, pairs in extended.items():
        if side not in ("private", "shared") or not isinstance(pairs, dict):
            raise invalid("Invalid value for: extendedProperties")
        if not all(isinstance(value, str) and len(name) <= 44 and len(value) <= 1024 for name, value in pairs.items()) or len(pairs) > 300:
            raise invalid("Invalid value for: extendedProperties")


def _lines(written: Json) -> tuple[str, ...]:
    lines = written.get("recurrence") or []
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise invalid("Invalid value for: recurrence")
    return tuple(lines)


def _times(written: Json, calendar: Calendar, *, repeats: bool) -> Times:
    start, end = written.get("start"), written.get("end")
    if not isinstance(start, dict) or not start:
        raise required("Missing start time.")
    if not isinstance(end, dict) or not end:
        raise required("Missing end time.")
    first, begins = _when(start, calendar, "start", repeats=repeats)
    last, ends = _when(end, calendar, "end", repeats=repeats)
    if first is None or last is None:
        if first is not last:
            raise invalid("Start and end times must either both be date or both be dateTime.")
        if ends <= begins:
            raise empty_range()
        return Times(start=begins, end=ends, zone=calendar.zone, all_day=True)
    if ends <= begins:
        raise empty_range()
    return Times(start=begins, end=ends, zone=first, end_zone=last if last != first else "")


def _when(value: Json, calendar: Calendar, which: str, *, repeats: bool) -> tuple[str | None, datetime]:
    """(zone, instant), or (None, midnight) for a date."""
    named = value.get("timeZone")
    if named is not None and not (isinstance(named, str) and clock.known(named)):
        raise invalid(f"Invalid time zone definition for {which} time.")
    if value.get("date") is not None:
        day = clock.day(str(value["date"]))
        if day is None or value.get("dateTime") is not None:
            raise invalid(f"Invalid {which} time.")
        return None, clock.midnight(day)
    read = clock.moment(str(value.get("dateTime", "")))
    if read is None:
        raise invalid(f"Invalid {which} time.")
    if not named and (repeats or read.tzinfo is None):
        raise required(f"Missing time zone definition for {which} time.")
    read = read.replace(microsecond=0)
    if read.tzinfo is None:
        read = read.replace(tzinfo=clock.zone(str(named))).astimezone(UTC)
    return named or calendar.zone, read


def _check_type(calendar: Calendar, made: Draft) -> None:
    kind = made.type
    if kind == "default":
        return
    if kind == "fromGmail":
        raise problem(400, "eventTypeRestriction", "Events of this type cannot be created.", domain="calendar")
    if not calendar.primary:
        raise problem(400, "eventTypeRestriction", "Events of this type live on primary calendars only.", domain="calendar")
    if kind in _NEEDS and _NEEDS[kind] not in made.body:
        raise problem(400, f"malformed{kind[0].upper()}{kind[1:]}Event", f"{_NEEDS[kind]} is required.", domain="calendar")
    if kind in ("focusTime", "outOfOffice") and made.times.all_day:
        raise problem(400, "eventTypeRestriction", "Events of this type cannot last all day.", domain="calendar")
    if kind == "birthday" and not (
        made.times.all_day and made.recurrence and made.recurrence.rules[:1] and made.recurrence.rules[0].freq == "YEARLY"
    ):
        raise problem(400, "malformedBirthdayEvent", "Birthdays last all day and recur every year.", domain="calendar")


def resource(row: Row) -> Json:
    """The row as a body a caller could have written: what a patch is laid over."""
    times = row.times
    if times.all_day:
        start, end = ({"date": each.date().isoformat()} for each in (times.start, times.end))
    else:
        start = {"dateTime": clock.local(times.start, times.zone), "timeZone": times.zone}
        end = {"dateTime": clock.local(times.end, times.end_zone or times.zone), "timeZone": times.end_zone or times.zone}
    return {**row.body, "start": start, "end": end} | ({"recurrence": list(row.lines)} if row.lines else {})


def merged(old: Json, patch: Json) -> Json:
    """The old resource with a patch laid over it: objects are merged (date and dateTime then meet), arrays replaced, null removes."""
    new = dict(old)
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        elif isinstance(value, dict) and isinstance(new.get(name), dict):
            new[name] = merged(new[name], value)
        else:
            new[name] = value
    return new
