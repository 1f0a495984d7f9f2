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
from plugins.request import Answer, Lengthy, Request, check_match, unchanged
from plugins.tokens import ctag

_OPENING = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calendar Gateway//EN", "CALSCALE:GREGORIAN")
_ZONE, _ZONE_END, _END = b"BEGIN:VTIMEZONE\r\n", b"END:VTIMEZONE\r\n", b"END:VCALENDAR"
_NAMED = re.compile(rb"^TZID[^:\r\n]*:([^\r\n]+)", re.MULTILINE)
_OTHERS = re.compile(rb"^BEGIN:(?!VTIMEZONE|STANDARD|DAYLIGHT)", re.MULTILINE)


def answer(snapshot: Snapshot, request: Request, collection: Collection) -> Answer:
    """Its ETag is the calendar's CTag, so that "nothing new" reads no object."""
    mark = ctag(snapshot.epoch, collection)
    check_match(request, mark)
    if unchanged(request, mark):
        return Answer(304, None, {"ETag": mark})
    if request.brief:
        raise Lengthy
    return Answer(200, octets(snapshot, collection), {"Content-Type": "text/calendar; charset=utf-8", "ETag": mark})


def octets(snapshot: Snapshot, collection: Collection) -> bytes:
    """The whole calendar, in UTF-8; colleagues' appointments as team views show them."""
    title = escape(collection.properties.get("{DAV:}displayname") or collection.title)
    head = joined([*_OPENING, f"NAME:{title}", f"X-WR-CALNAME:{title}"])
    return b"".join((head.encode(), *merged(row.octets or b"" for row in snapshot.each(collection, text=True)), _END, CRLF.encode()))


def merged(objects: Iterable[bytes]) -> list[bytes]:
    """The components of calendar objects, each time zone once and first: as the first object that brings it has it."""
    zones: dict[bytes, bytes] = {}
    known: set[bytes] = set()
    bodies: list[bytes] = []
    for each in objects:
        described, body = _parts(each, known)
        if described not in known:
            known.add(described)
            for block in described.split(_ZONE_END)[:-1]:
                name = _NAMED.search(block)
                zones.setdefault(name[1] if name else block, block + _ZONE_END)
        bodies.append(body)
    return [*zones.values(), *bodies]


def _parts(octets: bytes, known: set[bytes]) -> tuple[bytes, bytes]:
    """The VTIMEZONEs of an object, and its other components. What is `known` are VTIMEZONEs and nothing else."""
    begin, end = octets.find(b"\r\nBEGIN:") + 2, octets.rfind(_END)
    if begin < 2 or end < begin or octets.count(b"\n") != octets.count(b"\r\n") or octets[:begin].upper().count(b"BEGIN:") != 1:
        return _parsed(octets)
    cut = octets.rfind(_ZONE_END, begin, end)
    if cut < 0:
        return b"", octets[begin:end]
    cut += len(_ZONE_END)
    described = octets[begin:cut]
    return (described, octets[cut:end]) if described in known or not _OTHERS.search(described) else _parsed(octets)


def _parsed(octets: bytes) -> tuple[bytes, bytes]:
    """The same of a text with bare line feeds, small letters, or zones among its events."""
    parts = [(child.name == "VTIMEZONE", content.written(child)) for child in calendar(octets.decode()).components]
    return "".join(part for zone, part in parts if zone).encode(), "".join(part for zone, part in parts if not zone).encode()
