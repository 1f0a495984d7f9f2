"""Appointments as Graph's events and back. Pure; what is written and read again is the same (bridge.md §5.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

from gateway.bridge.graph import pattern, zones
from gateway.bridge.graph.names import MARKER, Names
from gateway.bridge.owned import line, normal
from gateway.bridge.remote import Inexpressible, Seen
from gateway.links import Key, Owned
from gateway.model import Span

Json = dict[str, Any]  # as Graph's v1.0 `event` describes it

FREE = frozenset({"free", "workingElsewhere"})
"""What blocks nobody."""

UNREADABLE = (LookupError, ValueError, TypeError, AttributeError)
"""What reading an event raises that is none."""

NO_ID = "cancelled:"
"""Stands before what we call a cancelled date, for which Graph has no id."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT = frozenset({"head", "style", "script"})


def created(key: Key, owned: Owned, names: Names) -> Json:
    """A new event: every field we own, its transaction and marker, and nothing that would remind or ask anybody. Raises Inexpressible."""
    return {
        **written(owned),
        "transactionId": names.transaction(key),
        "isReminderOn": False,
        "responseRequested": False,
        "singleValueExtendedProperties": [{"id": MARKER, "value": names.transaction(key)}],
    }


def written(owned: Owned, there: Owned | None = None, *, occurrence: bool = False) -> Json:
    """Fields we own, and none besides: all of them, or those in which `there` differs. Raises Inexpressible for what Graph cannot say.

    What is the same is not written: Exchange forgets the moved dates of a series whose times are written, and a meeting's own text when
    its body is. An `occurrence` has no rule of its own.
    """
    body: Json = {}
    if there is None or owned.title != there.title:
        body["subject"] = owned.title
    if there is None or owned.text != there.text:
        body["body"] = {"contentType": "text", "content": owned.text}
    if there is None or owned.place != there.place:
        body["location"] = {"displayName": owned.place}
    if there is None or owned.tentative != there.tentative:
        body["showAs"] = "tentative" if owned.tentative else "busy"
    zone = zones.windows(owned.zone)
    rule = None if occurrence or not owned.rule else _recurrence(owned, zone)
    if there is None or _when(owned, pattern.read(rule)) != _when(there, there.rule):
        body |= _times(owned, zone)
        if rule is not None or (there is not None and there.rule):
            body["recurrence"] = rule
    return body


def _when(owned: Owned, rule: str) -> tuple[Span, str, bool, str]:
    """Two events of which this is equal take place at the same times, whatever happens to clocks."""
    return owned.span, zones.windows(owned.zone) or "UTC", owned.all_day, rule


def _recurrence(owned: Owned, zone: str | None) -> Json:
    """A series in a zone that Exchange does not know would drift when clocks change."""
    if zone is None:
        raise Inexpressible("Outlook does not know the time zone of this series.")
    return pattern.written(owned, zone)


def _times(owned: Owned, zone: str | None) -> Json:
    """When it is. In UTC where Exchange does not know the zone, or where the clock shows the time twice: for one event that is as right.

    Raises Inexpressible for a series of which that is not so.
    """
    start, end = _spelt(owned.span.start, owned, zone), _spelt(owned.span.end, owned, zone)
    if owned.rule and {start["timeZone"], end["timeZone"]} != {zone}:
        raise Inexpressible("Outlook cannot repeat an event of a time that the clock shows twice.")
    return {"start": start, "end": end, "isAllDay": owned.all_day}


def _spelt(at: datetime, owned: Owned, zone: str | None) -> Json:
    wall = at.astimezone(ZoneInfo(owned.zone)).replace(tzinfo=None, fold=0)
    if not owned.all_day and (zone is None or wall.replace(tzinfo=ZoneInfo(owned.zone)).astimezone(UTC) != at):
        return {"dateTime": f"{at:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}
    return {"dateTime": f"{wall:%Y-%m-%dT%H:%M:%S}", "timeZone": zone or "UTC"}


def seen(event: Json, names: Names) -> Seen:
    """The event as it stands. Raises one of UNREADABLE."""
    master = str(event.get("seriesMasterId") or "")
    return Seen(
        id=str(event["id"]),
        etag=str(event.get("@odata.etag") or ""),
        ours=None if master else names.key(event.get("transactionId")),
        owned=None if event.get("isCancelled") else _owned(event, names.zone),
        master=master,
        at=_original(event, names.zone) if master else None,
        busy=str(event.get("showAs") or "busy") not in FREE,
        attendees=bool(event.get("attendees")),
    )


def _owned(event: Json, home: str) -> Owned:
    all_day = bool(event.get("isAllDay"))
    start, end = (_midnight(event[name]["dateTime"], home) if all_day else instant(event[name]) for name in ("start", "end"))
    return Owned(
        span=Span(start, max(start, end)),
        zone=home if all_day else zones.iana(str(event.get("originalStartTimeZone") or "UTC"), home),
        title=line(str(event.get("subject") or "")),
        text=_text(event.get("body") or {}),
        place=line(str((event.get("location") or {}).get("displayName") or "")),
        tentative=event.get("showAs") == "tentative",
        rule=pattern.read(event.get("recurrence")),
        all_day=all_day,
    )


def _original(event: Json, home: str) -> datetime:
    """When an occurrence begins by its rule. A moved one of which Graph does not say so cannot be read: it would be taken for another."""
    given = str(event.get("originalStart") or "")
    if event.get("isAllDay"):
        return _midnight(given or event["start"]["dateTime"], home)
    return _utc(given) if given or event.get("type") == "exception" else instant(event["start"])


def cancelled(master: Json, names: Names) -> list[Seen]:
    """The dates of a series that were cancelled: Graph names them by their day (OID.….2026-12-02) and on the master alone."""
    owned = _owned(master, names.zone)
    zone = ZoneInfo(owned.zone)
    wall = owned.span.start.astimezone(zone).time()
    days = [date.fromisoformat(str(each)[-10:]) for each in master.get("cancelledOccurrences") or ()]
    return [lost(str(master["id"]), datetime.combine(day, wall, zone).astimezone(UTC)) for day in days]


def lost(master: str, at: datetime) -> Seen:
    """A cancelled date."""
    return Seen(id=f"{NO_ID}{moment(at)} {master}", etag="", owned=None, master=master, at=at)


def found(id: str) -> tuple[str, datetime]:
    """(master, original start) of what we call a cancelled date."""
    at, _, master = id.removeprefix(NO_ID).partition(" ")
    return master, _utc(at)


def busy(events: Sequence[Json]) -> list[Span]:
    """When they block; a whole day where the person was who made it. Raises one of UNREADABLE."""
    spans = []
    for each in events:
        if not each.get("isCancelled") and str(each.get("showAs") or "busy") not in FREE:
            home = zones.iana(str(each.get("originalStartTimeZone") or "UTC"))
            spans.append(_owned({"start": each["start"], "end": each["end"], "isAllDay": each.get("isAllDay")}, home).span)
    return spans


def moment(at: datetime) -> str:
    """An instant as Graph's parameters want it, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def instant(when: Json) -> datetime:
    """Of a dateTimeTimeZone, which is always asked for in UTC."""
    zone = ZoneInfo(zones.iana(str(when.get("timeZone") or "UTC")))
    return _utc(str(when["dateTime"])).replace(tzinfo=zone).astimezone(UTC)


def _utc(text: str) -> datetime:
    """Without parts of seconds, of which Graph gives seven digits."""
    match = _MOMENT.match(text)
    if match is None:
        raise ValueError(text)
    return datetime.fromisoformat(match[0]).replace(tzinfo=UTC)


def _midnight(text: str, home: str) -> datetime:
    """Of a whole day only the date counts: it is midnight in every zone (bridge.md §3.3)."""
    return datetime.combine(date.fromisoformat(str(text)[:10]), time(), ZoneInfo(home)).astimezone(UTC)


def _text(body: Json) -> str:
    """A body as text, also where Graph has not heard that text was asked for."""
    content = str(body.get("content") or "")
    if str(body.get("contentType") or "text").lower() != "html":
        return normal(content)
    reader = _Words()
    reader.feed(content)
    reader.close()
    return normal("".join(reader.words))


class _Words(HTMLParser):
    """What people read of an HTML document."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in _SILENT
        if tag in _BREAKS and (tag == "br" or (self.words and self.words[-1] != "\n")):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            text = re.sub(r"\s*[\r\n]\s*", " ", data)
            self.words.append(text.lstrip(" ") if self.words and self.words[-1] == "\n" else text)
