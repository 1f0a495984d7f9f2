"""Rows as Graph shows them (v1.0 event resource), with what the caller prefers: zone, kind of id, kind of body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from urllib.parse import quote

from gateway.fakes.microsoft import zones
from gateway.fakes.microsoft.problems import problem
from gateway.fakes.microsoft.state import Folder, Mailbox, Row
from gateway.fakes.times import stamp, zone
from gateway.fakes.wire import Json, Request

DEFAULTS: Json = {
    "categories": [],
    "reminderMinutesBeforeStart": 15,
    "isReminderOn": True,
    "hasAttachments": False,
    "subject": "",
    "bodyPreview": "",
    "importance": "normal",
    "sensitivity": "normal",
    "isAllDay": False,
    "isCancelled": False,
    "responseRequested": True,
    "showAs": "busy",
    "onlineMeetingUrl": None,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "allowNewTimeProposals": True,
    "isDraft": False,
    "hideAttendees": False,
    "onlineMeeting": None,
    "body": {"contentType": "html", "content": ""},
    "location": {"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {}},
    "locations": [],
    "attendees": [],
}

_PREFERENCE = re.compile(r'([A-Za-z.-]+)\s*=\s*(?:"([^"]*)"|([^,;\s]+))')


@dataclass(frozen=True, kw_only=True, slots=True)
class Taste:
    """What the caller prefers (RFC 7240)."""

    zone: str = "UTC"  # as it was named
    iana: str = "UTC"
    immutable: bool = False
    text: bool = False
    size: int = 0

    @property
    def applied(self) -> str:
        parts = [f'outlook.timezone="{self.zone}"'] if self.zone != "UTC" else []
        parts += ['IdType="ImmutableId"'] if self.immutable else []
        parts += ['outlook.body-content-type="text"'] if self.text else []
        parts += [f"odata.maxpagesize={self.size}"] if self.size else []
        return ", ".join(parts)


def taste(request: Request) -> Taste:
    """From the Prefer header. Raises Rejected with 400 for a zone the mailbox does not know."""
    named = {found[1].lower(): found[2] or found[3] or "" for found in _PREFERENCE.finditer(request.headers.get("prefer", ""))}
    name = named.get("outlook.timezone", "UTC")
    iana = zones.iana(name)
    if iana is None:
        raise unsupported(name)
    size = named.get("odata.maxpagesize", "0")
    return Taste(
        zone=name,
        iana=iana,
        immutable=named.get("idtype") == "ImmutableId",
        text=named.get("outlook.body-content-type") == "text",
        size=int(size) if size.isdigit() else 0,
    )


def unsupported(name: object) -> Exception:
    return problem(
        400,
        "TimeZoneNotSupportedException",
        f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'.",
    )


def etag(row: Row) -> str:
    return f'W/"{row.change_key}"'


def name(row: Row, liking: Taste) -> str:
    return row.id if liking.immutable else row.rest


def event(mailbox: Mailbox, row: Row, liking: Taste) -> Json:
    """The whole event."""
    shown: Json = {
        "@odata.etag": etag(row),
        "id": name(row, liking),
        "createdDateTime": _ticks(row.created),
        "lastModifiedDateTime": _ticks(row.modified),
        "changeKey": row.change_key,
        "transactionId": row.transaction,
        "originalStartTimeZone": row.zones[0],
        "originalEndTimeZone": row.zones[1],
        "iCalUId": row.uid,
        **DEFAULTS,
        **row.body,
        "isAllDay": row.times.all_day,
        "isOrganizer": not row.organizer,
        "seriesMasterId": master_id(mailbox, row, liking),
        "type": row.type,
        "webLink": f"https://outlook.office365.com/owa/?itemid={quote(row.rest, safe='')}&exvsurl=1&path=/calendar/item",
        "recurrence": row.pattern,
        "responseStatus": {"response": "notResponded" if row.organizer else "organizer", "time": "0001-01-01T00:00:00Z"},
        "start": when(row, row.times.start, liking),
        "end": when(row, row.times.end, liking),
        "organizer": {"emailAddress": {"name": row.organizer or mailbox.name, "address": row.organizer or mailbox.login}},
    }
    if row.original is not None:
        shown["originalStart"] = stamp(row.original)[:-5] + "Z"
    if liking.text:
        shown["body"] = {"contentType": "text", "content": plain(str(shown["body"]["content"]))}
    return shown


def brief(mailbox: Mailbox, row: Row, liking: Taste) -> Json:
    """An occurrence as delta shows it: nothing of what its master has."""
    return {
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": etag(row),
        "id": name(row, liking),
        "seriesMasterId": master_id(mailbox, row, liking),
        "type": row.type,
        "start": when(row, row.times.start, liking),
        "end": when(row, row.times.end, liking),
    }


def when(row: Row, instant: datetime, liking: Taste) -> Json:
    """A dateTimeTimeZone. Whole days go from midnight to midnight, whatever the zone."""
    there = instant.astimezone(UTC if row.times.all_day else zone(liking.iana))
    return {"dateTime": there.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": liking.zone}


def master_id(mailbox: Mailbox, row: Row, liking: Taste) -> str | None:
    master = mailbox.rows.get(row.master)
    return name(master, liking) if master else None


def cancelled(master: Row, liking: Taste) -> list[str]:
    """The ids of cancelled occurrences, by their days."""
    days = sorted(master.times.at(start).wall.date() for start in master.cancelled)
    return [f"OID.{name(master, liking)}.{day.isoformat()}" for day in days]


def folder(mailbox: Mailbox, found: Folder) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": found.default,
        "changeKey": found.change_key,
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": True,
        "allowedOnlineMeetingProviders": ["skypeForConsumer" if mailbox.personal else "teamsForBusiness"],
        "defaultOnlineMeetingProvider": "skypeForConsumer" if mailbox.personal else "teamsForBusiness",
        "isTallyingResponses": found.default,
        "isRemovable": not found.default,
        "owner": {"name": mailbox.name, "address": mailbox.login},
    }


def plain(html: str) -> str:
    """A body without its markup."""
    inner = re.sub(r"(?is)^.*<body[^>]*>\s*|\s*</body>.*$", "", html)
    return unescape(re.sub(r"<[^>]+>", "", re.sub(r"(?i)<br\s*/?>\r?\n?|</p>|</div>", "\r\n", inner))).strip()


def _ticks(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
