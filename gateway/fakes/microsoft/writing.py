"""What may be written into an event, and what Exchange makes of it: types, times, bodies, places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape

from gateway.fakes.microsoft import pattern, zones
from gateway.fakes.microsoft.problems import invalid, problem, unreadable
from gateway.fakes.microsoft.rendering import plain, unsupported
from gateway.fakes.microsoft.state import Mailbox, Row
from gateway.fakes.series import Recurrence
from gateway.fakes.times import Times, zone
from gateway.fakes.wire import Json

TYPES: dict[str, type | tuple[str, ...]] = {
    "subject": str,
    "body": dict,
    "start": dict,
    "end": dict,
    "location": dict,
    "locations": list,
    "attendees": list,
    "categories": list,
    "isAllDay": bool,
    "isReminderOn": bool,
    "reminderMinutesBeforeStart": int,
    "responseRequested": bool,
    "allowNewTimeProposals": bool,
    "hideAttendees": bool,
    "isOnlineMeeting": bool,
    "recurrence": dict,
    "transactionId": str,
    "singleValueExtendedProperties": list,
    "extensions": list,
    "showAs": ("unknown", "free", "tentative", "busy", "oof", "workingElsewhere"),
    "sensitivity": ("normal", "personal", "private", "confidential"),
    "importance": ("low", "normal", "high"),
    "onlineMeetingProvider": ("unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"),
}
"""What a caller may write, with its JSON type or its values. `event` is an open type: other properties are passed over."""

PLAIN = (
    "subject",
    "categories",
    "isReminderOn",
    "reminderMinutesBeforeStart",
    "responseRequested",
    "allowNewTimeProposals",
    "hideAttendees",
    "isOnlineMeeting",
    "showAs",
    "sensitivity",
    "importance",
    "onlineMeetingProvider",
)
_KIND = r"(String|Integer|Boolean|SystemTime|Double|Binary|CLSID)"
EXTENDED = re.compile(_KIND + r" \{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\} (Name .+|Id 0x[0-9a-fA-F]+)")
_WALL = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(?:\.\d{1,7})?)?")
_ALL_DAY = "The Event.{} property for an all-day event needs to be set to midnight."


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An event as it will be: checked, and not yet kept anywhere."""

    body: Json
    times: Times
    zones: tuple[str, str]
    pattern: Json | None
    recurrence: Recurrence | None
    extended: dict[str, str]


def checked(written: Json) -> Json:
    """The properties there are, each of its type. Raises Rejected with 400."""
    for name, kind in TYPES.items():
        value = written.get(name)
        if value is None:
            continue
        if isinstance(kind, tuple):
            if not isinstance(value, str) or value not in kind:
                raise unreadable(f"Requested value '{value}' was not found.")
        elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise unreadable(f"Cannot read the value of '{name}'.")
    if len(written.get("subject") or "") > 255:
        raise invalid()
    return {name: value for name, value in written.items() if name in TYPES}


def draft(mailbox: Mailbox, written: Json, old: Row | None = None) -> Draft:
    """The event that a body describes, laid over the old one if there is one. Raises Rejected with 400."""
    written = checked(written)
    body = dict(old.body) if old else {}
    body |= {name: written[name] for name in PLAIN if name in written and written[name] is not None}
    if written.get("subject", "") is None:
        body["subject"] = None
    if "body" in written:
        body |= _body(written["body"] or {})
    if "location" in written:
        body |= _place(written["location"] or {})
    if "attendees" in written:
        body["attendees"] = [_attendee(each) for each in written["attendees"] or []]
    times, names = _times(written, old)
    shown, recurrence = (old.pattern, old.recurrence) if old else (None, None)
    if written.get("recurrence") is not None:
        if old and old.master:
            raise invalid("An occurrence cannot recur.")
        shown, recurrence, times = pattern.understood(written["recurrence"], times, names[0])
    elif "recurrence" in written:
        shown, recurrence = None, None
    elif shown is not None and old is not None and times != old.times:
        moved = {"pattern": shown["pattern"], "range": shown["range"] | {"startDate": times.wall.date().isoformat()}}
        shown, recurrence, times = pattern.understood(moved, times, names[0])
    extended = dict(old.extended) if old else {}
    extended |= _extended(written.get("singleValueExtendedProperties") or [])
    return Draft(body=body, times=times, zones=names, pattern=shown, recurrence=recurrence, extended=extended)


def _times(written: Json, old: Row | None) -> tuple[Times, tuple[str, str]]:
    start, end = written.get("start"), written.get("end")
    if old is None and (start is None or end is None):
        raise invalid("Event.Start and Event.End are required.")
    all_day = bool(written.get("isAllDay", old.times.all_day if old else False))
    first = _when(start) if start is not None else _old(old, "start")
    last = _when(end) if end is not None else _old(old, "end")
    if all_day:
        _check_midnights(first, last)
        begins, ends = first[0].replace(tzinfo=UTC), last[0].replace(tzinfo=UTC)
    else:
        begins, ends = _instant(*first), _instant(*last)
    if ends < begins:
        raise invalid("The end date you entered occurs before the start date.")
    home = zones.iana(first[1]) or "UTC"
    return Times(start=begins, end=ends, zone=home, end_zone=zones.iana(last[1]) or "UTC", all_day=all_day), (first[1], last[1])


def _check_midnights(first: tuple[datetime, str], last: tuple[datetime, str]) -> None:
    for (wall, _), name in ((first, "Start"), (last, "End")):
        if wall.time() != datetime.min.time():
            raise invalid(_ALL_DAY.format(name))
    if first[1] != last[1]:
        raise invalid("Event.Start and Event.End of an all-day event need to be in the same time zone.")
    if last[0] - first[0] < timedelta(days=1):
        raise invalid("The duration of an event marked as All day must be at least 24 hours.")


def _when(value: Json) -> tuple[datetime, str]:
    """(wall time, Windows' name of the zone) of a dateTimeTimeZone, whose dateTime has no offset."""
    text, named = value.get("dateTime"), value.get("timeZone")
    if not isinstance(text, str):
        raise unreadable("dateTime is required.")
    name = zones.windows(named) if isinstance(named, str) else "UTC"
    if name is None or (named is not None and not isinstance(named, str)):
        raise unsupported(named)
    found = _WALL.fullmatch(text)
    try:
        wall = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}") if found else None
    except ValueError:
        wall = None
    if wall is None:
        raise invalid(f"'{text}' is no date and time without an offset.")
    return wall, name


def _old(old: Row | None, which: str) -> tuple[datetime, str]:
    assert old is not None  # noqa: S101  checked by the caller
    name = old.zones[0 if which == "start" else 1]
    instant: datetime = getattr(old.times, which)
    there = UTC if old.times.all_day else zone(zones.iana(name) or "UTC")
    return instant.astimezone(there).replace(tzinfo=None), name


def _instant(wall: datetime, name: str) -> datetime:
    return wall.replace(tzinfo=zone(zones.iana(name) or "UTC")).astimezone(UTC)


def _body(written: Json) -> Json:
    """Every body becomes HTML with a head and a body of its own."""
    kind, content = str(written.get("contentType") or "text").lower(), written.get("content") or ""
    if kind not in ("text", "html") or not isinstance(content, str):
        raise unreadable(f"Requested value '{kind}' was not found.")
    html = content if kind == "html" else escape(content, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    if "<html" not in html.lower():
        head = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
        html = f"<html>\r\n<head>\r\n{head}\r\n</head>\r\n<body>\r\n{html}\r\n</body>\r\n</html>\r\n" if html else ""
    return {"body": {"contentType": "html", "content": html}, "bodyPreview": plain(html)[:255]}


def _place(written: Json) -> Json:
    name = written.get("displayName") or ""
    if not isinstance(name, str):
        raise unreadable("Cannot read the value of 'displayName'.")
    place: Json = {"displayName": name, "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {}}
    if name:
        place |= {"uniqueId": name, "uniqueIdType": "private"}
        del place["address"], place["coordinates"]
    return {"location": place, "locations": [place] if name else []}


def _attendee(written: object) -> Json:
    address = written.get("emailAddress") if isinstance(written, dict) else None
    if not isinstance(written, dict) or not isinstance(address, dict) or "@" not in str(address.get("address", "")):
        raise invalid("An attendee needs an e-mail address.")
    kind = written.get("type", "required")
    if kind not in ("required", "optional", "resource"):
        raise unreadable(f"Requested value '{kind}' was not found.")
    return {
        "type": kind,
        "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
        "emailAddress": {"name": str(address.get("name") or address["address"]), "address": str(address["address"])},
    }


def _extended(written: list[object]) -> dict[str, str]:
    extended = {}
    for each in written:
        if not isinstance(each, dict) or not EXTENDED.fullmatch(str(each.get("id", ""))) or not isinstance(each.get("value"), str):
            raise problem(400, "ErrorInvalidExtendedProperty", "The extended property attribute combination is invalid.")
        extended[str(each["id"])] = each["value"]
    return extended
