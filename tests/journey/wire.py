"""Plain HTTP and WebDAV as a client speaks them, without any library that would smooth things over."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode, urljoin, urlsplit
from xml.etree import ElementTree

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
XML = "application/xml; charset=utf-8"
ICS = "text/calendar; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def json(self) -> Any:  # whatever JSON holds
        return json.loads(self.body)

    @property
    def etag(self) -> str | None:
        return self.headers.get("etag")


def ask(method: str, url: str, body: str | bytes = b"", headers: Mapping[str, str] | None = None, *, timeout: float = 60.0) -> Answer:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    try:
        octets = body.encode() if isinstance(body, str) else body
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), octets or None, dict(headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def basic(login: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


@dataclass(frozen=True)
class Seat:
    """A staff member's calendar, seen from his own calendar program. Addresses of entries are absolute URLs."""

    calendar_url: str
    login: str
    password: str

    def ask(self, method: str, url: str, body: str | bytes = b"", **headers: str) -> Answer:
        """Header names are written with underscores (`If_Match`)."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(method, url, body, basic(self.login, self.password) | named)

    def put(self, url: str, text: str, etag: str | None = None) -> Answer:
        headers = {"If_Match": etag} if etag else {}
        return self.ask("PUT", url, text, Content_Type=ICS, **headers)

    def etags(self) -> dict[str, str]:
        """Every entry of the calendar: path → ETag."""
        answer = self.ask(
            "PROPFIND", self.calendar_url, '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>', Depth="1", Content_Type=XML
        )
        assert answer.status == 207, answer.text
        found = {href: found.get(f"{DAV}getetag") for href, found in _propstats(answer).items() if href != urlsplit(self.calendar_url).path}
        return {href: etag for href, etag in found.items() if etag}

    def sync(self, token: str = "") -> tuple[set[str], set[str], str]:
        """What changed since the token: the paths that are there, the paths that are gone, the new token (RFC 6578)."""
        body = (
            f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token><sync-level>1</sync-level>'
            "<prop><getetag/></prop></sync-collection>"
        )
        answer = self.ask("REPORT", self.calendar_url, body, Depth="1", Content_Type=XML)
        assert answer.status == 207, answer.text
        tree = ElementTree.fromstring(answer.body)
        there, gone = set(), set()
        for response in tree.iter(f"{DAV}response"):
            href = unquote(response.findtext(f"{DAV}href") or "")
            (gone if " 404 " in f"{response.findtext(f'{DAV}status') or ''} " else there).add(href)
        return there, gone, tree.findtext(f"{DAV}sync-token") or ""

    def at(self, path: str) -> str:
        return urljoin(self.calendar_url, path)


def _propstats(answer: Answer) -> dict[str, dict[str, str]]:
    """The properties answered with 200, by path."""
    found: dict[str, dict[str, str]] = {}
    for response in ElementTree.fromstring(answer.body).iter(f"{DAV}response"):
        properties = found.setdefault(unquote(response.findtext(f"{DAV}href") or ""), {})
        for propstat in response.iter(f"{DAV}propstat"):
            if " 200 " in f"{propstat.findtext(f'{DAV}status') or ''} ":
                properties |= {item.tag: item.text or "" for prop in propstat.iter(f"{DAV}prop") for item in prop}
    return found


@dataclass(frozen=True)
class Rest:
    """The REST resources, as the booking platform uses them."""

    api_url: str
    key: str

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        named = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(method, urljoin(self.api_url, path), json.dumps(body) if body is not None else b"", named)

    def get(self, path: str, **query: str) -> Any:  # whatever JSON holds
        answer = self.ask("GET", path + (f"?{urlencode(query)}" if query else ""))
        assert answer.status == 200, answer.text
        return answer.json
