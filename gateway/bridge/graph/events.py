"""Appointments as Graph's events and back. Pure; what is written and read again is the same (bridge.md §5.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.bridge.graph import pattern
from gateway.bridge.owned import line, normal
from gateway.bridge.remote import Seen
from gateway.ical.windows import WINDOWS
from gateway.links import Key, Owned
from gateway.model import Span

Json = dict[str, Any]  # as Graph's v1.0 `event` describes it

MARKER = "String {8a7e3f52-6d1c-4b0e-9a54-3f6f0f2c77d1} Name appointment"
"""The extended property by which an event of ours is found again after a call whose outcome nobody knows. It holds only a digest."""

FREE = frozenset({"free", "workingElsewhere"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """How events of one link are told from all others; `zone` is the calendar's own."""

    mark: str
    link: str
    zone: str

    def digest(self, key: Key) -> str:
        at = "" if key.at is None else key.at.astimezone(UTC).isoformat()
        return hashlib.sha256("\n".join((self.mark, self.link, key.entry, at, str(key.generation))).encode()).hexdigest()

    def transaction(self, key: Key) -> str:
        """By which Graph knows a second call for the first one."""
        return str(UUID(self.digest(key)[:32]))


def written(owned: Owned) -> Json:
    """Every field we own, and none besides. Raises Inexpressible for a rule that Graph cannot say."""
    zone = windows(owned.zone)
    home = ZoneInfo(owned.zone)
    return {
        "subject": owned.title,
        "body": {"contentType": "text", "content": owned.text},
        "location": {"displayName": owned.place},
        "start": _when(owned.span.start.astimezone(home), zone),
        "end": _when(owned.span.end.astimezone(home), zone),
        "isAllDay": False,
        "showAs": "tentative" if owned.tentative else "busy",
        **({"recurrence": pattern.written(owned, zone)} if owned.rule else {}),
    }


def seen(event: Json, names: Names) -> Seen:
    """The event as it stands; of an occurrence that follows its series there is no more than its time."""
    start = _instant(event["start"])
    original = event.get("originalStart")
    return Seen(
        id=str(event["id"]),
        etag=str(event.get("@odata.etag") or ""),
        owned=None if event.get("isCancelled") else _owned(event, names.zone),
        master=str(event.get("seriesMasterId") or ""),
        at=(_stamp(str(original)) if original else start) if event.get("seriesMasterId") else None,
        busy=str(event.get("showAs") or "busy") not in FREE,
        attendees=bool(event.get("attendees")),
    )


def _owned(event: Json, home: str) -> Owned:
    all_day = bool(event.get("isAllDay"))
    start, end = (_midnight(event[name], home) if all_day else _instant(event[name]) for name in ("start", "end"))
    body = event.get("body") or {}
    return Owned(
        span=Span(start, max(start, end)),
        zone=home if all_day else iana(str(event.get("originalStartTimeZone") or "UTC")),
        title=line(str(event.get("subject") or "")),
        text=normal(str(body.get("content") or "")),
        place=str((event.get("location") or {}).get("displayName") or ""),
        tentative=event.get("showAs") == "tentative",
        rule=pattern.read(event.get("recurrence")),
        all_day=all_day,
    )


def cancelled_starts(master: Json, owned: Owned) -> list[datetime]:
    """Original starts of the dates that were cancelled: Graph names them by their day (OID.….2026-12-02) and on the master alone."""
    zone = ZoneInfo(owned.zone)
    wall = owned.span.start.astimezone(zone).time()
    days = [date.fromisoformat(str(each)[-10:]) for each in master.get("cancelledOccurrences") or ()]
    return [datetime.combine(day, wall, zone).astimezone(UTC) for day in days]


def _when(local: datetime, zone: str) -> Json:
    return {"dateTime": local.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": zone}


def _instant(when: Json) -> datetime:
    """Always asked for in UTC."""
    text = str(when["dateTime"]).rstrip("Z")[:26]
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=ZoneInfo(iana(str(when.get("timeZone") or "UTC")))).astimezone(UTC)


def _midnight(when: Json, home: str) -> datetime:
    """Of a whole day only the date counts: it is midnight in every zone (bridge.md §3.3)."""
    return datetime.combine(date.fromisoformat(str(when["dateTime"])[:10]), time(), ZoneInfo(home)).astimezone(UTC)


def _stamp(text: str) -> datetime:
    return datetime.fromisoformat(text.rstrip("Z")[:26]).replace(tzinfo=UTC)


@cache
def windows(zone: str) -> str:
    """The name that Exchange knows the zone by: Windows' own, where there is one; it takes IANA names for many others."""
    return _BY_IANA.get(zone, zone)


@cache
def iana(name: str) -> str:
    """The zone behind a name from Exchange; UTC for one that nobody knows: the instant is right all the same."""
    found = WINDOWS.get(name, name)
    try:
        ZoneInfo(found)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
    return found


_BY_IANA: Mapping[str, str] = {iana_name: windows_name for windows_name, iana_name in reversed(list(WINDOWS.items()))}
