"""GET of a calendar: everything in it as one iCalendar object, for programs that subscribe by password, and for keeping a copy.

Written from the texts as they lie there, a few string operations an object; only what is put together unusually is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.ical.lines import CRLF, escape, joined
from gateway.ical.parse import calendar
from gateway.store import Collection, Snapshot
from plugins import content
from plugins.request import Answer, Request, check_match, unchanged
from plugins.tokens import ctag

_OPENING = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calendar Gateway//EN", "CALSCALE:GREGORIAN")
_ZONE, _ZONE_END, _END = "BEGIN:VTIMEZONE\r\n", "END:VTIMEZONE\r\n", "END:VCALENDAR"
_NAMED = re.compile(r"^TZID[^:\r\n]*:([^\r\n]+)", re.MULTILINE)
_OTHERS = re.compile(r"^BEGIN:(?!VTIMEZONE|STANDARD|DAYLIGHT)", re.MULTILINE)


def answer(snapshot: Snapshot, request: Request, collection: Collection) -> Answer:
    """Its ETag is the calendar's CTag, so that "nothing new" reads no object."""
    mark = ctag(snapshot.epoch, collection)
    check_match(request, mark)
    if unchanged(request, mark):
        return Answer(304, None, {"ETag": mark})
    return Answer(200, text(snapshot, collection).encode(), {"Content-Type": "text/calendar; charset=utf-8", "ETag": mark})


def text(snapshot: Snapshot, collection: Collection) -> str:
    """The whole calendar; colleagues' appointments as team views show them."""
    title = escape(collection.properties.get("{DAV:}displayname") or collection.title)
    head = joined([*_OPENING, f"NAME:{title}", f"X-WR-CALNAME:{title}"])
    return head + merged(row.text or "" for row in snapshot.rows(collection, text=True)) + _END + CRLF


def merged(texts: Iterable[str]) -> str:
    """The components of calendar objects, each time zone once: as the first object that brings it has it."""
    zones: dict[str, str] = {}
    known: set[str] = set()
    bodies: list[str] = []
    for text in texts:
        described, body = _parts(text)
        if described not in known:
            known.add(described)
            for block in described.split(_ZONE_END)[:-1]:
                name = _NAMED.search(block)
                zones.setdefault(name[1] if name else block, block + _ZONE_END)
        bodies.append(body)
    return "".join((*zones.values(), *bodies))


def _parts(text: str) -> tuple[str, str]:
    """The VTIMEZONEs of an object, and its other components."""
    begin, end = text.find("\r\nBEGIN:") + 2, text.rfind(_END)
    if begin < 2 or end < begin or text.count("\n") != text.count("\r\n") or text[:begin].upper().count("BEGIN:") != 1:
        return _parsed(text)
    inner = text[begin:end]
    if _ZONE not in inner:
        return "", inner
    cut = inner.rfind(_ZONE_END) + len(_ZONE_END)
    described = inner[:cut]
    return _parsed(text) if _OTHERS.search(described) else (described, inner[cut:])


def _parsed(text: str) -> tuple[str, str]:
    """The same of a text with bare line feeds, small letters, or zones among its events."""
    parts = [(child.name == "VTIMEZONE", content.written(child)) for child in calendar(text).components]
    return "".join(part for zone, part in parts if zone), "".join(part for zone, part in parts if not zone)
