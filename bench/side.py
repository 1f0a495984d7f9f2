"""One calendar on one server, as its client knows it: addresses, ETags, sync-tokens, and what it has written itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from bench import dav
from bench.data import Dataset, Event
from bench.meter import Meter
from bench.wire import Answer, Wire


class Unable(Exception):
    """The server did not do what the benchmark needs before it can measure."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An existing object, the text it shall have, and the ETag it has now."""

    name: str
    text: str
    etag: str


@dataclass(kw_only=True)
class Side:
    """`wire` speaks with credentials, `stranger` without. Paths of collections end with a slash.

    `touch` changes something that the feed shows. `propose` answers changes of existing objects that the server will accept, where
    the data set alone cannot say; `adds` tells whether the client may put objects of its own into the calendar, `feeds` and
    `homely` whether the feed and the home are to be measured on this side.
    """

    name: str
    data: Dataset
    meter: Meter
    wire: Wire
    stranger: Wire
    home: str
    calendar: str
    feed: str
    feed_wire: Wire
    touch: Callable[[], None]
    propose: Callable[[], list[Proposal]] | None = None
    adds: bool = True
    feeds: bool = True
    homely: bool = True
    chance: Random = field(init=False)
    etags: dict[str, str] = field(default_factory=dict)
    editions: dict[str, int] = field(default_factory=dict)
    own: list[Event] = field(default_factory=list)  # written in this run, to be deleted again
    written: int = 0
    proposals: list[Proposal] = field(default_factory=list)
    token: str = ""
    changed: str = ""  # the one that was changed after the token
    feed_etag: str = ""

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.name}/{self.data.size}/{self.data.seed}")

    def path(self, name: str) -> str:
        return self.calendar + name

    def new_event(self) -> Event:
        self.written += 1
        return self.data.later_event(self.written, "n", self.chance)

    def proposal(self) -> Proposal | None:
        """Some change that was not made yet; None when the server has to be asked for more (`know`)."""
        if self.propose is not None:
            return self.proposals.pop() if self.proposals else None
        event = self.chance.choice(self.data.events)
        self.editions[event.name] = edition = self.editions.get(event.name, 0) + 1
        return Proposal(event.name, event.text(edition), self.etag_of(event.name))

    def know(self) -> None:
        """Ask for what changes need: every ETag, or proposals. Raises Unable."""
        if self.propose is not None:
            self.proposals = self.propose()
            return
        answer = self.must(self.wire.ask("PROPFIND", self.calendar, dav.ETAGS, f"Depth: 1\r\n{dav.XML}"), {207})
        self.etags = dav.etags(answer.body)

    def remember(self, name: str, answer: Answer) -> None:
        """The ETag after a PUT; a server that changed the text sends none."""
        self.etags.pop(name, None)
        if etag := answer.header("ETag"):
            self.etags[name] = etag

    def put_new(self) -> Event:
        """An event of its own, not measured. Raises Unable."""
        event = self.new_event()
        self.must(self.wire.ask("PUT", self.path(event.name), event.text(), dav.ICS + "If-None-Match: *\r\n"), {201, 204})
        self.own.append(event)
        return event

    def change_one(self) -> None:
        """Change some event, not measured, and note which. Raises Unable."""
        proposal = self.proposal()
        if proposal is None:
            self.know()
            proposal = self.proposal()
        if proposal is None:
            raise Unable(f"{self.name}: nothing that could be changed")
        answer = self.wire.ask("PUT", self.path(proposal.name), proposal.text, f"{dav.ICS}If-Match: {proposal.etag}\r\n")
        self.remember(proposal.name, self.must(answer, {200, 201, 204}))
        self.changed = proposal.name

    def etag_of(self, name: str) -> str:
        """Asked of the server when it is not known."""
        if name not in self.etags:
            self.etags[name] = self.must(self.wire.ask("GET", self.path(name)), {200}).header("ETag")
        return self.etags[name]

    def newest_token(self) -> str:
        answer = self.must(self.wire.ask("PROPFIND", self.calendar, dav.CTAG, f"Depth: 0\r\n{dav.XML}"), {207})
        return dav.token(answer.body)

    def tidy(self) -> None:
        """Delete what was written in this run, so that questions about the whole calendar have one right answer."""
        while self.own:
            self.wire.ask("DELETE", self.path(self.own.pop().name))

    def must(self, answer: Answer, statuses: Iterable[int]) -> Answer:
        if answer.status not in statuses:
            raise Unable(f"{self.name}: {answer.status} {answer.body[:200]!r}")
        return answer

    def close(self) -> None:
        for wire in (self.wire, self.stranger, self.feed_wire):
            wire.close()
