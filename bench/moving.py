"""Moving spare appointments about as their staff member does: drag, and send the whole event back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bench import dav
from bench.data import ZONE
from bench.seeding import Spare
from bench.side import Proposal, Unable
from bench.wire import Wire

_TIME = re.compile(r"^(DTSTART|DTEND)([;:][^\r\n]*)", re.MULTILINE)
_TEXT = re.compile(rb"<(?:[\w.-]+:)?calendar-data(?:\s[^>]*)?>(.*?)</(?:[\w.-]+:)?calendar-data>", re.DOTALL)


class Mover:
    """Proposes a free hour for each spare appointment, and another one each time it is asked, from `weeks` after the last one on."""

    def __init__(self, wire: Wire, calendar: str, spares: Sequence[Spare], *, weeks: int) -> None:
        self._wire = wire
        self._calendar = calendar
        self._spares = spares
        self._next = spares[-1].span.start + timedelta(weeks=weeks)
        self._waiting: list[Proposal] = []

    def proposals(self) -> list[Proposal]:
        """One for each spare, from one look at all of them. Raises Unable."""
        body = dav.multiget(self._calendar + spare.name for spare in self._spares)
        answer = self._wire.ask("REPORT", self._calendar, body, f"Depth: 1\r\n{dav.XML}")
        if answer.status != 207:
            raise Unable(f"the spare appointments cannot be read: {answer.status}")
        etags = dav.etags(answer.body)
        texts = dict(zip(dav.names(answer.body), (dav.unescaped(text) for text in _TEXT.findall(answer.body)), strict=True))
        return [Proposal(spare.name, self._moved(texts[spare.name], spare), etags[spare.name]) for spare in self._spares]

    def move_one(self) -> None:
        """Move some spare now. Raises Unable."""
        if not self._waiting:
            self._waiting = self.proposals()
        proposal = self._waiting.pop()
        headers = f"{dav.ICS}If-Match: {proposal.etag}\r\n"
        answer = self._wire.ask("PUT", self._calendar + proposal.name, proposal.text, headers)
        if answer.status != 204:
            raise Unable(f"an appointment cannot be moved: {answer.status} {answer.body[:200]!r}")

    def _moved(self, text: str, spare: Spare) -> str:
        start, self._next = self._next, self._next + timedelta(hours=1)
        times = {"DTSTART": start, "DTEND": start + spare.span.length}
        head, mark, event = text.partition("BEGIN:VEVENT")
        return head + mark + _TIME.sub(lambda found: f"{found[1]}{_like(found[2], times[found[1]])}", event)


def _like(written: str, instant: datetime) -> str:
    """The instant in the form in which the other one is written: parameters, colon, and UTC or wall time."""
    parameters, _, value = written.rpartition(":")
    if value.endswith("Z"):
        return f"{parameters}:{dav.form(instant)}"
    return f"{parameters}:{instant.astimezone(ZoneInfo(ZONE)):%Y%m%dT%H%M%S}"
