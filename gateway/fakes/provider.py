"""A provider without a server: every request is numbered, remembered, broken on demand, and answered."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from gateway.fakes.faults import Fault, Faults
from gateway.fakes.wire import Ask, Heard, Json, Outgoing, Rejected, Reply, Request, Route
from gateway.fakes.world import Knobs, World

REMEMBERED = 100_000  # requests; the oldest are forgotten
BODY = 16_384  # octets of a body that is remembered

Breakage = Literal["reset", "truncate", "blackhole"]


@dataclass(kw_only=True, slots=True)
class Entry:
    """One request as the log has it. Never with its headers; with its query and body only when they hold no credential."""

    n: int
    method: str
    path: str
    query: str
    body: str
    at: datetime
    status: int = 0  # as the caller saw it; 0: it saw none
    fault: str = ""


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What becomes of a request: an answer, later by so many seconds, and how it is mangled on the way."""

    entry: Entry
    result: Reply | Ask
    breakage: Breakage | None = None
    delay: float = 0.0
    fault: Fault | None = None


@dataclass(kw_only=True, slots=True)
class Delivery:
    """A notification, and what became of it: 0 when nobody took it."""

    n: int
    outgoing: Outgoing
    status: int


class Provider(ABC):
    """The doors of one provider. Thread-safe; `clock` tells the time, aware UTC."""

    name: str
    routes: Sequence[Route]

    def __init__(self, world: World, clock: Callable[[], datetime]) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.faults = Faults()
        self.log: deque[Entry] = deque(maxlen=REMEMBERED)
        self.deliveries: list[Delivery] = []
        self.speak: Callable[[], None] = lambda: None  # tells the server that there is something to say
        self._world = world
        self._count = 0

    @property
    @abstractmethod
    def knobs(self) -> Knobs: ...

    @property
    def concurrency(self) -> int:
        """How many requests with one token may be under way; 0: any number."""
        return 0

    @abstractmethod
    def secret(self, path: str) -> bool:
        """Whether queries and bodies there carry credentials, which the log must not have."""

    @abstractmethod
    def problem(self, status: int, reason: str) -> Reply:
        """An error as this provider words it."""

    @abstractmethod
    def serve(self, route: Route, request: Request, names: dict[str, str]) -> Reply | Ask:
        """Carry out a request for which there is a route. Raises Rejected."""

    @abstractmethod
    def events(self, account: str) -> list[Json]:
        """All events of a person, as contract.md §6 lists them. Raises KeyError for a stranger."""

    @abstractmethod
    def act(self, wish: Json) -> Json:
        """Do what the person does in the provider's own user interface. Raises ValueError or KeyError."""

    @abstractmethod
    def expire_cursors(self, wish: Json) -> None: ...

    @abstractmethod
    def revoke(self, wish: Json) -> int:
        """End the consents of an account; how many there were."""

    def steer(self, place: str, wish: Json) -> Json:
        """What the control of this provider can do beside what all can. Raises LookupError for anything else."""
        raise LookupError(f"control address {place}")

    def crowded(self, request: Request) -> Outcome:
        """Turn a request away because too many are under way."""
        with self.lock:
            self.look_at_clock()
            return self._settled(self._enter(request), self.problem(503, "MailboxConcurrency"), None)

    def answer(self, request: Request) -> Outcome:
        """Carry out one request, with the fault that waits for it."""
        with self.lock:
            self.look_at_clock()
            entry = self._enter(request)
            fault = self.faults.take(request.method, request.target)
            entry.fault = f"{fault.kind}:{fault.argument}".rstrip(":") if fault else ""
            match fault.kind if fault else "":
                case "before":
                    return self._settled(entry, self.problem(500, ""), fault)
                case "status":
                    status, _, reason = fault.argument.partition(":") if fault else ("500", "", "")
                    return self._settled(entry, self.problem(int(status), reason), fault)
                case "blackhole":
                    return Outcome(entry=entry, result=Reply(), breakage="blackhole", fault=fault)
            result = self._result(request)
            if fault and fault.kind == "duplicate" and isinstance(result, Reply):
                result = self._result(request)
            return self._settled(entry, result, fault)

    def resume(self, outcome: Outcome, heard: Sequence[Heard | None]) -> Outcome:
        """Go on with an answer that waited for other addresses."""
        if not isinstance(outcome.result, Ask):
            raise TypeError("nothing was asked")
        with self.lock:
            self.look_at_clock()
            try:
                result = outcome.result.then(heard)
            except Rejected as rejected:
                result = rejected.reply
            return self._settled(outcome.entry, result, outcome.fault)

    def acting(self, wish: Json) -> Json:
        """`act`, at the present time, and the notifications that follow."""
        with self.lock:
            self.look_at_clock()
            done = self.act(wish)
        self.speak()
        return done

    def look_at_clock(self) -> None:
        """What happens next happens now."""
        self._world.now = self.clock()

    def take_outbox(self) -> list[Outgoing]:
        """What there is to say to others; each once."""
        with self.lock:
            waiting, self._world.outbox = self._world.outbox, []
            return waiting

    def delivered(self, outgoing: Outgoing, status: int) -> None:
        with self.lock:
            self.deliveries.append(Delivery(n=len(self.deliveries) + 1, outgoing=outgoing, status=status))

    @property
    def count(self) -> int:
        """How many requests and acts there have been."""
        return self._count + self._world.tick

    @property
    def mails(self) -> list[Json]:
        with self.lock:
            return [
                {name: getattr(mail, name) for name in ("to", "kind", "account", "event", "title", "despite")} | {"at": mail.at.isoformat()}
                for mail in self._world.mails
            ]

    def _enter(self, request: Request) -> Entry:
        self._count += 1
        secret = self.secret(request.path)
        entry = Entry(
            n=self._count,
            method=request.method,
            path=request.path,
            query="" if secret else request.target.partition("?")[2],
            body="" if secret else request.body[:BODY].decode(errors="replace"),
            at=self._world.now,
        )
        self.log.append(entry)
        return entry

    def _result(self, request: Request) -> Reply | Ask:
        matching = [(route, names) for route in self.routes if (names := route.match(request.path)) is not None]
        for route, names in matching:
            if route.method == request.method:
                try:
                    return self.serve(route, request, names)
                except Rejected as rejected:
                    return rejected.reply
        return self.problem(405 if matching else 404, "")

    def _settled(self, entry: Entry, result: Reply | Ask, fault: Fault | None) -> Outcome:
        """The outcome, with what the fault does to an answer that is ready."""
        outcome = Outcome(entry=entry, result=result, fault=fault)
        if isinstance(result, Ask):
            return outcome
        entry.status = result.status
        match fault.kind if fault else "":
            case "after_commit":
                outcome.result = self.problem(504, "")
                entry.status = 504
            case "reset":
                outcome.breakage = "reset"
                entry.status = 0
            case "truncate":
                outcome.breakage = "truncate"
            case "slow":
                outcome.delay = float(fault.argument) if fault else 0.0
        return outcome


def not_modified(request: Request, reply: Reply, etag: str) -> Reply:
    """The answer with its ETag; 304 when the caller has it already (RFC 9110 §13.1.2)."""
    if request.headers.get("if-none-match") in (etag, "*"):
        return Reply(status=304, headers={"ETag": etag})
    return replace(reply, headers={**reply.headers, "ETag": etag})


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: its items, and where the next begins if there is one."""

    items: list[Json] = field(default_factory=list)
    onward: str | None = None


def page(keyed: Sequence[tuple[str, Json]], after: str | None, size: int, *, empty: bool) -> Page:
    """The items whose keys come after `after`, in order of their keys. With `empty` the first of several pages holds nothing."""
    if after is None and empty and len(keyed) > size:
        return Page([], "")
    rest = sorted((pair for pair in keyed if after is None or pair[0] > after), key=lambda pair: pair[0])
    return Page([item for _, item in rest[:size]], rest[size - 1][0] if len(rest) > size else None)
