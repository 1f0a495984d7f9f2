"""What the benchmark says in CalDAV, and what it understands of the answers, without an XML parser in its way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import unquote

from bench.data import merged
from gateway.model import Span

XML = 'Content-Type: application/xml; charset="utf-8"\r\n'
ICS = "Content-Type: text/calendar; charset=utf-8\r\n"

_SPACES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/"'
)
_PROLOGUE = '<?xml version="1.0" encoding="utf-8"?>'
_HOME_PROPERTIES = (
    "D:resourcetype",
    "D:displayname",
    "D:owner",
    "D:sync-token",
    "D:current-user-privilege-set",
    "D:supported-report-set",
    "D:add-member",
    "D:resource-id",
    "D:quota-available-bytes",
    "D:quota-used-bytes",
    "CS:getctag",
    "CS:allowed-sharing-modes",
    "CS:invite",
    "CS:publish-url",
    "CS:pre-publish-url",
    "CS:push-transports",
    "CS:pushkey",
    "CS:source",
    "CS:subscribed-strip-alarms",
    "CS:subscribed-strip-attachments",
    "CS:subscribed-strip-todos",
    "I:calendar-color",
    "I:calendar-order",
    "I:refreshrate",
    "I:autoprovisioned",
    "C:calendar-description",
    "C:calendar-timezone",
    "C:calendar-free-busy-set",
    "C:schedule-calendar-transp",
    "C:schedule-default-calendar-URL",
    "C:default-alarm-vevent-date",
    "C:default-alarm-vevent-datetime",
    "C:supported-calendar-component-set",
)

_RESPONSE = re.compile(rb"<(?:[\w.-]+:)?response(?:\s[^>]*)?>(.*?)</(?:[\w.-]+:)?response>", re.DOTALL)
_HREF = re.compile(rb"<(?:[\w.-]+:)?href(?:\s[^>]*)?>\s*([^<\s]+)\s*</(?:[\w.-]+:)?href>")
_TOKEN = re.compile(rb"<(?:[\w.-]+:)?sync-token(?:\s[^>]*)?>\s*([^<\s]+)\s*</")
_ETAG = re.compile(rb"<(?:[\w.-]+:)?getetag(?:\s[^>]*)?>\s*([^<]+?)\s*</")
_LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def propfind(names: Iterable[str]) -> str:
    return f"{_PROLOGUE}<D:propfind {_SPACES}><D:prop>{''.join(f'<{name}/>' for name in names)}</D:prop></D:propfind>"


CTAG = propfind(["CS:getctag", "D:sync-token"])
ETAGS = propfind(["D:getetag"])
HOME = propfind(_HOME_PROPERTIES)
"""What an iPhone asks of the home each time it wakes up: thirty-three properties, most of which nobody has."""


def query(start: datetime, end: datetime | None, *, text: bool) -> str:
    """calendar-query for the events in [start, end); None leaves the end open (RFC 4791 §9.9)."""
    until = f' end="{form(end)}"' if end is not None else ""
    return (
        f"{_PROLOGUE}<C:calendar-query {_SPACES}><D:prop><D:getetag/>{'<C:calendar-data/>' if text else ''}</D:prop><C:filter>"
        f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="{form(start)}"{until}/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )


def multiget(paths: Iterable[str]) -> str:
    hrefs = "".join(f"<D:href>{path}</D:href>" for path in paths)
    return f"{_PROLOGUE}<C:calendar-multiget {_SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>"


def sync(token: str) -> str:
    return (
        f"{_PROLOGUE}<D:sync-collection {_SPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )


def free_busy(window: Span) -> str:
    return (
        f'{_PROLOGUE}<C:free-busy-query {_SPACES}><C:time-range start="{form(window.start)}" end="{form(window.end)}"/></C:free-busy-query>'
    )


def make_calendar(title: str) -> str:
    return (
        f"{_PROLOGUE}<C:mkcalendar {_SPACES}><D:set><D:prop><D:displayname>{title}</D:displayname><C:supported-calendar-component-set>"
        '<C:comp name="VEVENT"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>'
    )


def form(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%SZ}"


def names(body: bytes) -> list[str]:
    """The calendar objects that the responses of a multistatus are about, by the last segment of their address."""
    found = (_HREF.search(response) for response in _RESPONSE.findall(body))
    paths = (unquote(href[1].decode()) for href in found if href is not None)
    return [path.rpartition("/")[2] for path in paths if path.endswith(".ics")]


def etags(body: bytes) -> dict[str, str]:
    """The ETag of every calendar object in a multistatus, by name."""
    found: dict[str, str] = {}
    for response in _RESPONSE.findall(body):
        href, etag = _HREF.search(response), _ETAG.search(response)
        if href is not None and etag is not None and href[1].endswith(b".ics"):
            found[unquote(href[1].decode()).rpartition("/")[2]] = unescape(etag[1].decode())
    return found


def token(body: bytes) -> str:
    """The sync-token in the body, as it is sent back (still escaped); "" when there is none."""
    found = _TOKEN.search(body)
    return found[1].decode() if found is not None else ""


def unescaped(text: bytes) -> str:
    """The content of an XML element as it was before it was escaped."""
    if text.startswith(b"<![CDATA["):
        return text[9:-3].decode()
    return unescape(text.decode())


def busy(body: bytes) -> list[Span]:
    """The busy time that a free-busy answer tells, merged (RFC 5545 §3.8.2.6)."""
    spans = []
    for line in body.decode().replace("\r\n", "\n").replace("\n ", "").split("\n"):
        parameters, _, periods = line.partition(":")
        if parameters.upper().startswith("FREEBUSY") and "FBTYPE=FREE" not in parameters.upper():
            spans += [_period(period) for period in periods.split(",")]
    return merged(spans)


def _period(text: str) -> Span:
    start, _, end = text.strip().partition("/")
    begin = _instant(start)
    if not end.startswith("P"):
        return Span(begin, _instant(end))
    found = _LENGTH.fullmatch(end)
    days, hours, minutes, seconds = (int(number or 0) for number in found.groups()) if found else (0, 0, 0, 0)
    return Span(begin, begin + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
