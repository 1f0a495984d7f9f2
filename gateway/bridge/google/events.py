"""Appointments as Google's events and back. Pure; what is written and read again is the same (bridge.md §5.2)."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.bridge.owned import line, normal
from gateway.bridge.remote import Seen
from gateway.ical.events import spelt
from gateway.links import Key, Owned
from gateway.model import EntryId, Span

Json = dict[str, Any]  # as Google's discovery document describes it

IDLE_TYPES = frozenset({"workingLocation", "birthday"})
"""Event types that block nobody."""

_AT = "%Y-%m-%dT%H:%M:%S.%f+00:00"
_BREAK = re.compile(r"<br\s*/?>\n?|</(?:p|div|li|tr|h\d)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z!][^>]*>")


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """How events of one link are told from all others: `mark` is the installation's and company's, `zone` the calendar's own."""

    mark: str
    link: str
    zone: str

    def id(self, key: Key) -> str:
        """The event's id, by which a second call makes no second event: base32hex in lower case (bridge.md §2.2)."""
        text = "\n".join((self.mark, self.link, key.entry, _at(key), str(key.generation)))
        return base64.b32hexencode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=").lower()

    def marker(self, key: Key) -> Json:
        """Searchable, of this copy alone, and without anything about a person."""
        return {"gw": self.mark, "lnk": self.link, "apt": key.entry, "at": _at(key), "gen": str(key.generation)}

    def key(self, event: Json) -> Key | None:
        """Which event of ours the marker names; None when it is nobody's or another link's."""
        marks = (event.get("extendedProperties") or {}).get("private") or {}
        if (marks.get("gw"), marks.get("lnk")) != (self.mark, self.link):
            return None
        try:
            at = datetime.strptime(marks["at"], _AT).replace(tzinfo=UTC) if marks.get("at") else None
            return Key(entry=EntryId(str(marks["apt"])), at=at, generation=int(marks["gen"]))
        except (LookupError, ValueError, TypeError):
            return None


def written(owned: Owned, names: Names, key: Key) -> Json:
    """Every field we own, and none besides; None clears. Series need a zone beside their times, or they would drift when clocks change.

    Whether it blocks time is the person's to say; new events do.
    """
    zone = ZoneInfo(owned.zone)
    return {
        "summary": owned.title,
        "description": html.escape(owned.text, quote=False),
        "location": owned.place,
        "start": {"dateTime": owned.span.start.astimezone(zone).isoformat(), "timeZone": owned.zone, "date": None},
        "end": {"dateTime": owned.span.end.astimezone(zone).isoformat(), "timeZone": owned.zone, "date": None},
        "status": "tentative" if owned.tentative else "confirmed",
        "recurrence": [f"RRULE:{spelt(owned.rule, owned.zone)}"] if owned.rule else None,
        "extendedProperties": {"private": names.marker(key)},
    }


def seen(event: Json, names: Names) -> Seen:
    """The event as it stands; of a tombstone no more is known than its id."""
    cancelled = event.get("status") == "cancelled"
    return Seen(
        id=str(event["id"]),
        etag=str(event.get("etag", "")),
        ours=names.key(event),
        owned=None if cancelled or "start" not in event else _owned(event, names.zone),
        master=str(event.get("recurringEventId", "")),
        at=_instant(event["originalStartTime"], names.zone)[0] if event.get("originalStartTime") else None,
        busy=event.get("transparency") != "transparent" and event.get("eventType") not in IDLE_TYPES,
        attendees=bool(event.get("attendees")),
    )


def _owned(event: Json, home: str) -> Owned:
    start, zone, all_day = _instant(event["start"], home)
    end, _, _ = _instant(event.get("end") or event["start"], home)
    return Owned(
        span=Span(start, max(start, end)),
        zone=zone,
        title=line(str(event.get("summary") or "")),
        text=_plain(str(event.get("description") or "")),
        place=line(str(event.get("location") or "")),
        tentative=event.get("status") == "tentative",
        rule=_rule(event.get("recurrence") or []),
        all_day=all_day,
    )


def _instant(moment: Json, home: str) -> tuple[datetime, str, bool]:
    """(instant in UTC, zone, whether it is a whole day). A date is midnight where the calendar is at home, and stays a date."""
    if moment.get("date"):
        return _utc(datetime.combine(date.fromisoformat(moment["date"]), time(), _zone(home))), home, True
    zone = str(moment.get("timeZone") or home)
    read = datetime.fromisoformat(str(moment["dateTime"]).replace("Z", "+00:00"))
    aware = read if read.tzinfo is not None else read.replace(tzinfo=_zone(zone))
    return _utc(aware), zone if _known(zone) else "UTC", False


def _utc(aware: datetime) -> datetime:
    """In UTC; at the ends of the calendar, where no zone can be applied, as it is written."""
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        return aware.replace(tzinfo=UTC)


def _rule(lines: list[str]) -> str:
    """The RRULE value. Lines that we never write make it another rule than ours."""
    rules = [each.partition(":")[2] for each in lines if each.upper().startswith("RRULE")]
    others = [each for each in lines if not each.upper().startswith(("RRULE", "EXDATE"))]
    return " ".join([*rules, *others])


def _plain(text: str) -> str:
    """A description as text: Google keeps HTML, and its editor puts &nbsp; between words."""
    return normal(html.unescape(_TAG.sub("", _BREAK.sub("\n", text))).replace("\u00a0", " "))


def _at(key: Key) -> str:
    return "" if key.at is None else key.at.strftime(_AT)


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name if _known(name) else "UTC")


def _known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def moment(instant: datetime) -> str:
    """RFC 3339 in UTC, as Google's parameters want it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
