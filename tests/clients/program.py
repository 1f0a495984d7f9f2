"""A calendar program with an account: it holds copies of what the server has, and its user sees those and nothing else."""

from __future__ import annotations

import gzip
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from tests.clients.editing import starts
from tests.dav.house import HERE, Answer, C, Client, D, House

DAV, CALDAV = "DAV:", "urn:ietf:params:xml:ns:caldav"
WRITES = {f"{D}write", f"{D}write-content", f"{D}write-properties", f"{D}all"}
"""Thunderbird takes a calendar with any of these for writable (clients.md §10.3)."""


@dataclass(frozen=True)
class Copy:
    """What a program knows of one object. An ETag that is None has to be asked for again."""

    etag: str | None
    text: str
    schedule_tag: str | None = None


@dataclass(frozen=True)
class Found:
    """A calendar in a program's list."""

    title: str
    writable: bool
    components: frozenset[str]


class Program(ABC):
    """The requests are those of the real program; what is done with the answers is what it was seen to do (clients.md §3, §7, §8)."""

    agent: ClassVar[str]
    xml: ClassVar[str] = "text/xml; charset=utf-8"
    usual: ClassVar[Mapping[str, str]] = {}  # headers of every request, names with underscores
    batch: ClassVar[int] = 100  # addresses in one multiget
    depth_of_multiget: ClassVar[str | None] = None
    sends_conditions: ClassVar[bool] = True
    deletes_with_condition: ClassVar[bool] = True

    def __init__(self, house: House, seat: Client | None = None) -> None:
        self.house = house
        self.seat = seat or house.client()
        self.calendars: dict[str, Found] = {}
        self.state = ""  # CTag or sync-token
        self.copies: dict[str, Copy] = {}
        self.fetched: list[str] = []
        self.said: list[str] = []  # what its user was told or asked

    @abstractmethod
    def set_up(self) -> None:
        """From the address that a user types to the list of calendars."""

    @abstractmethod
    def refresh(self) -> None:
        """A poll: afterwards the copies are what the server has."""

    def written(self, text: str) -> str:
        """The text as this program writes it."""
        return text

    # What its user does

    def shows(self) -> dict[str, list[datetime]]:
        """When everything takes place, by address."""
        return {path: starts(copy.text) for path, copy in self.copies.items()}

    def save(self, path: str, text: str) -> int:
        """A changed event, or a new one; the status of the answer."""
        before = self.copies.get(path)
        sent = self.written(text)
        answer = self.ask("PUT", path, sent, Content_Type="text/calendar; charset=utf-8", **self.condition(before))
        if answer.status in (200, 201, 204):
            self.copies[path] = Copy(answer.etag, sent, answer.headers.get("schedule-tag"))
            if answer.etag is None:
                self.reread(path)
        elif before is not None:
            self.refused(path, before, answer)
        return answer.status

    def delete(self, path: str) -> int:
        """The event goes from its own list at once; the next poll brings back what the server still has."""
        condition = self.condition(self.copies[path]) if self.deletes_with_condition else {}
        answer = self.ask("DELETE", path, **condition)
        if answer.status in (200, 204, 404):
            del self.copies[path]
        return answer.status

    # How it does that

    def condition(self, before: Copy | None) -> dict[str, str]:
        if before is None:
            return {"If_None_Match": "*"}
        return {"If_Match": before.etag} if self.sends_conditions and before.etag else {}

    def reread(self, path: str) -> None:
        """After an answer without an ETag (RFC 4791 §5.3.4)."""
        self.fetch([path])

    def refused(self, path: str, before: Copy, answer: Answer) -> None:
        """After an error: the user is told, and the next poll fetches the server's version."""
        self.said.append(f"{answer.status}")
        self.copies[path] = Copy(None, before.text)

    def ask(self, method: str, path: str, body: str = "", **headers: str | None) -> Answer:
        """One request as the program sends it, and the answer unpacked as it would; its length is always told (clients.md §10.2)."""
        kind = {"Content_Type": self.xml} if body else {}
        answer = self.seat.ask(method, path, body, **({"User_Agent": self.agent} | dict(self.usual) | kind | headers))
        assert answer.status == 204 or int(answer.headers["content-length"]) == len(answer.body)
        packed = answer.headers.get("content-encoding") == "gzip"
        return replace(answer, body=gzip.decompress(answer.body)) if packed else answer

    def ask_twice(self, method: str, path: str, body: str = "", **headers: str | None) -> Answer:
        """First as a stranger, then with the password that the answer asks for (clients.md §10.1)."""
        challenge = self.ask(method, path, body, Authorization=None, **headers)
        assert challenge.status == 401
        assert challenge.headers["www-authenticate"].startswith('Basic realm="Calendar gateway"')
        return self.ask(method, path, body, **headers)

    def propfind(self, path: str, names: Iterable[str], depth: str = "0") -> Answer:
        return answered(self.ask("PROPFIND", path, propfind(names), Depth=depth))

    def fetch(self, paths: Iterable[str]) -> None:
        """multiget in batches; what is not there any more goes."""
        for some in _batches(list(paths), self.batch):
            answer = answered(self.ask("REPORT", HERE, multiget(some, self.data), Depth=self.depth_of_multiget))
            for path, found in answer.responses.items():
                if "status" in found:
                    self.copies.pop(path, None)
                else:
                    self.copies[path] = Copy(found[f"{D}getetag"], found[f"{C}calendar-data"], found.get(f"{C}schedule-tag"))
            self.fetched += some

    @property
    def data(self) -> tuple[str, ...]:
        """The properties asked for with multiget."""
        return (f"{D}getetag", f"{C}calendar-data")

    def sync(self, body: str, **headers: str | None) -> None:
        """sync-collection: fetch what is new, forget what is gone, and remember the token."""
        answer = answered(self.ask("REPORT", HERE, body, **headers))
        gone = {path for path, found in answer.responses.items() if found.get("status") == "404"}
        assert self.state or not gone, "no tombstones in a first answer: iOS cannot process them (clients.md §5.1)"
        for path in gone:
            self.copies.pop(path, None)
        self.fetch(path for path in self._unlike({path: found for path, found in answer.responses.items() if path not in gone}))
        self.state = answer.tree.findtext(f"{D}sync-token") or ""

    def compare(self, listed: Answer) -> None:
        """A full list of ETags: fetch what differs, forget what is not in it."""
        found = answered(listed).responses
        for path in set(self.copies) - set(found):
            del self.copies[path]
        self.fetch(self._unlike(found))

    def _unlike(self, found: Mapping[str, Mapping[str, str]]) -> list[str]:
        return [path for path, each in found.items() if path not in self.copies or self.copies[path].etag != each[f"{D}getetag"]]

    def list_calendars(self, answer: Answer) -> None:
        """From a PROPFIND of the home with depth 1."""
        for path in answer.responses:
            if any(each.tag == f"{C}calendar" for each in answer.element(path, f"{D}resourcetype")):
                privileges = {each.tag for each in answer.element(path, f"{D}current-user-privilege-set").iter()}
                self.calendars[path] = Found(
                    title=answer.responses[path].get(f"{D}displayname", ""),
                    writable=bool(WRITES & privileges),
                    components=frozenset(_components(answer, path)),
                )


def answered(answer: Answer) -> Answer:
    """The multistatus it is, sound as Apple needs it: a type, and every address percent-encoded (clients.md §10.2)."""
    assert answer.status == 207, f"{answer.status} {answer.text[:300]}"
    assert answer.headers["content-type"].startswith(("application/xml", "text/xml"))
    for href in answer.tree.findall(f"{D}response/{D}href"):
        assert "@" not in (href.text or ""), "Apple's programs do not find it again"
    return answer


def _components(answer: Answer, path: str) -> Iterator[str]:
    name = f"{C}supported-calendar-component-set"
    if name in answer.responses[path]:
        yield from (each.get("name") or "" for each in answer.element(path, name))


def _batches(paths: list[str], size: int) -> Iterator[list[str]]:
    for first in range(0, len(paths), size):
        yield paths[first : first + size]


def element(name: str, content: str = "") -> str:
    """An element in Clark notation, with its namespace as the default one, as half of the programs write it."""
    space, _, local = name[1:].partition("}")
    return f'<{local} xmlns="{space}">{content}</{local}>' if content else f'<{local} xmlns="{space}"/>'


def propfind(names: Iterable[str]) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<propfind xmlns="DAV:"><prop>{"".join(map(element, names))}</prop></propfind>'


def multiget(paths: Iterable[str], names: Iterable[str]) -> str:
    hrefs = "".join(element(f"{D}href", path) for path in paths)
    return element(f"{C}calendar-multiget", element(f"{D}prop", "".join(map(element, names))) + hrefs)


def sync_collection(token: str, names: Iterable[str], level: str | None = "1") -> str:
    said = element(f"{D}sync-level", level) if level else ""
    return element(f"{D}sync-collection", element(f"{D}sync-token", token) + said + element(f"{D}prop", "".join(map(element, names))))


def query(names: Iterable[str], inner: str = "") -> str:
    """A calendar-query for events; `inner` narrows them."""
    events = f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{inner}</C:comp-filter></C:comp-filter>'
    prop = element(f"{D}prop", "".join(map(element, names)))
    return f'<C:calendar-query xmlns:C="{CALDAV}">{prop}<C:filter>{events}</C:filter></C:calendar-query>'


def href_in(answer: Answer, path: str, name: str) -> str:
    """The address that a property holds."""
    found: Element | None = answer.element(path, name).find(f"{D}href")
    assert found is not None
    return unquote(found.text or "")
