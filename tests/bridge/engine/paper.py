"""A calendar on paper: a provider without a wire, which keeps the rules that `remote.Remote` promises, and breaks when told to."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.bridge.errand import Habits
from gateway.bridge.owned import times
from gateway.bridge.reconcile import same_time
from gateway.bridge.remote import (
    Clash,
    CursorExpired,
    Exists,
    Gone,
    Guarded,
    Inexpressible,
    Known,
    Page,
    RemoteError,
    Seen,
    Throttled,
    Unreachable,
)
from gateway.links import Account, AccountId, Cursor, Direction, Key, Link, LinkId, Owned, Provider, Standing
from gateway.model import Level, Span
from tests.bridge.wire import NOW, Clock
from tests.bridge.world import ACCOUNT, DEMO, HOUR, JOHN, LINK, PLATFORM, SEAL, FragileStore, World, furnish


@dataclass(frozen=True, kw_only=True)
class Event:
    """What is written down of one event. `owned` None: it is deleted, or a cancelled occurrence."""

    id: str
    owned: Owned | None
    etag: int = 1
    ours: Key | None = None
    master: str = ""
    at: datetime | None = None
    busy: bool = True
    attendees: bool = False


@dataclass
class Paper:
    """Calendars by their ids; several links may write into one. `calls` is everything that was asked for, in order.

    `trouble(number, kind, when)` may raise, or note, at the `number`-th call, before (`when` is "before") or after it was done ("after").
    """

    clock: Clock
    events: dict[str, dict[str, Event]] = field(default_factory=dict)
    changes: list[tuple[str, str]] = field(default_factory=list)  # (calendar, id), in the order they happened
    calls: list[tuple[str, str]] = field(default_factory=list)
    sent: list[Owned] = field(default_factory=list)
    page: int = 3
    forgotten: int = 0
    current: str = ""  # the calendar that is asked about
    forgetful: bool = False  # a series that takes place otherwise has no moved and cancelled dates any more, as at Exchange
    hints: bool = False  # removals are only hints
    pulls: list[Callable[[], None]] = field(default_factory=list)  # what happens while a listing is read
    trouble: Callable[[int, str, str], None] = lambda number, kind, when: None
    expressible: Callable[[Key, Owned], bool] = lambda key, owned: True
    spelling: Callable[[Owned], Owned] = lambda owned: owned
    provider: Provider = Provider.GOOGLE
    given_back: int = 0

    def open(self, vault: Any, *, link: str, calendar: str, mark: str, zone: str, calls: Callable[[str], None]) -> PaperCalendar:
        return PaperCalendar(self, link, calendar, calls)

    def revoke(self, vault: Any) -> None:
        self.given_back += 1

    # what a person does over there
    def put(self, calendar: str, event: Event) -> None:
        former = self.events.setdefault(calendar, {}).get(event.id)
        self.events[calendar][event.id] = replace(event, etag=former.etag + 1 if former else event.etag)
        if self.forgetful and former and former.owned and event.owned and not same_time(former.owned, event.owned):
            for each in [each for each in self.events[calendar].values() if each.master == event.id]:
                del self.events[calendar][each.id]
        self.changes.append((calendar, event.id))

    def change(self, calendar: str, id: str, **more: Any) -> None:
        """Some fields of an event, such as its title."""
        former = self.events[calendar][id]
        assert former.owned is not None
        self.put(calendar, replace(former, owned=replace(former.owned, **more)))

    def move(self, calendar: str, id: str, start: datetime, length: timedelta = HOUR / 2) -> None:
        self.change(calendar, id, span=Span(start, start + length))

    def date(self, calendar: str, master: str, at: datetime, span: Span | None) -> str:
        """An occurrence is moved, or (None) deleted; its id."""
        series, name = self.events[calendar][master], f"{master}_{at:%Y%m%dT%H%M%SZ}"
        assert series.owned is not None
        owned = None if span is None else replace(series.owned, span=span, rule="")
        self.put(calendar, replace(self.events[calendar].get(name) or Event(id=name, owned=None), owned=owned, master=master, at=at))
        return name

    def delete(self, calendar: str, id: str) -> None:
        former = self.events[calendar][id]
        self.put(calendar, replace(former, owned=None))
        for each in list(self.events[calendar].values()):
            if each.master == id:
                self.put(calendar, replace(each, owned=None))

    def copy(self, calendar: str, id: str) -> str:
        """Marker and all."""
        former = self.events[calendar][id]
        self.put(calendar, replace(former, id=f"copy-{len(self.changes)}", etag=1))
        return f"copy-{len(self.changes) - 1}"

    def live(self, calendar: str) -> list[Event]:
        return sorted(
            (each for each in self.events.get(calendar, {}).values() if each.owned is not None),
            key=lambda each: (each.owned.span.start if each.owned else NOW, each.id),
        )


class PaperCalendar:
    """`remote.Remote` for one link."""

    def __init__(self, paper: Paper, link: str, calendar: str, calls: Callable[[str], None]) -> None:
        self._paper, self._link, self._calendar, self._count = paper, link, calendar, calls

    @property
    def _events(self) -> dict[str, Event]:
        return self._paper.events.setdefault(self._calendar, {})

    @contextmanager
    def _call(self, kind: str, about: str = "") -> Iterator[None]:
        number, self._paper.current = len(self._paper.calls), self._calendar
        self._paper.calls.append((kind, about))
        self._count(kind)
        self._paper.trouble(number, kind, "before")
        yield
        self._paper.trouble(number, kind, "after")

    def pull(self, cursor: Cursor | None, window: Span, now: datetime) -> Iterator[Page]:
        paper, fingerprint = self._paper, f"{self._calendar} {window.start}"
        with self._call("list"):
            position = len(paper.changes)
            if cursor is not None and (cursor.fingerprint != fingerprint or int(cursor.value) < paper.forgotten):
                raise CursorExpired("The listing is too old.")
            if cursor is None:
                found = [each for each in self._events.values() if each.owned is not None or each.master]
                found = [each for each in found if each.owned is None or times(each.owned, window)]
            else:
                news = dict.fromkeys(name for calendar, name in paper.changes[int(cursor.value) :] if calendar == self._calendar)
                found = [self._events[name] for name in news if name in self._events]
        kept = Cursor(value=str(position), fingerprint=fingerprint, window=window, obtained=now)
        while paper.pulls:
            paper.pulls.pop()()
        for number, batch in enumerate(
            itertools.batched(found, paper.page) if hasattr(itertools, "batched") else _batches(found, paper.page)
        ):
            if number:
                with self._call("page"):
                    pass
            yield Page(seen=tuple(self._seen(each, hint=paper.hints) for each in batch))
        yield Page(seen=(), cursor=kept, full=cursor is None)

    def get(self, id: str) -> Seen | None:
        with self._call("get", id):
            event = self._events.get(id)
            return None if event is None or (event.owned is None and not event.master) else self._seen(event)

    def find(self, key: Key) -> Seen | None:
        with self._call("find", key.entry):
            event = self._events.get(self._id(key))
            return None if event is None else self._seen(event)

    def occurrence(self, master: str, at: datetime) -> Seen | None:
        with self._call("occurrence", master):
            series = self._events.get(master)
            if series is None or series.owned is None:
                return None
            name = f"{master}_{at:%Y%m%dT%H%M%SZ}"
            if name in self._events:
                return self._seen(self._events[name])
            if at not in {span.start for span in times(series.owned, Span(at, at + timedelta(seconds=1)))}:
                return None
            span = Span(at, at + series.owned.span.length)
            return Seen(id=name, etag="0", owned=replace(series.owned, span=span, rule=""), master=master, at=at)

    def create(self, key: Key, owned: Owned) -> Seen:
        with self._call("create", key.entry):
            if not self._paper.expressible(key, owned):
                raise Inexpressible("It cannot be said here.")
            if self._id(key) in self._events:
                raise Exists("The identifier exists already.")
            self._paper.sent.append(owned)
            self._paper.put(self._calendar, Event(id=self._id(key), owned=self._paper.spelling(owned), ours=key))
        return self._seen(self._events[self._id(key)])

    def update(self, known: Known, owned: Owned) -> Seen:
        with self._call("update", known.key.entry):
            event = self._checked(known)
            if not self._paper.expressible(known.key, owned):
                raise Inexpressible("It cannot be said here.")
            self._paper.sent.append(owned)
            rule = "" if event.master else owned.rule
            self._paper.put(self._calendar, replace(event, owned=self._paper.spelling(replace(owned, rule=rule))))
        return self._seen(self._events[known.id])

    def delete(self, known: Known) -> None:
        with self._call("delete", known.key.entry):
            event = self._checked(known)
            if event.attendees:
                raise Guarded("The event has guests over there.")
            self._paper.delete(self._calendar, event.id) if not event.master else self._paper.put(
                self._calendar, replace(event, owned=None)
            )

    def watch(self, address: str, secret: str, now: datetime) -> None:
        return None

    def unwatch(self, id: str, resource: str) -> None:
        return None

    def _checked(self, known: Known) -> Event:
        event = self._events.get(known.id)
        master, _, _ = known.id.rpartition("_")
        if event is None and known.key.at is not None and master in self._events:
            there = self.occurrence(master, known.key.at)
            self._paper.calls.pop()
            if there is not None:
                return Event(id=known.id, owned=there.owned, etag=0, master=master, at=known.key.at)
        if event is None or (event.owned is None and not event.master):
            raise Gone("It does not exist any more.")
        assert event.ours is None or event.ours.entry == known.key.entry, "a write to an event of another appointment"
        assert event.ours is not None or event.master, "a write to somebody else's event"
        if known.etag and known.etag != str(event.etag):
            raise Clash("It has changed meanwhile.")
        return event

    def _seen(self, event: Event, *, hint: bool = False) -> Seen:
        return Seen(
            id=event.id,
            etag=str(event.etag),
            ours=event.ours,
            owned=event.owned,
            master=event.master,
            at=event.at,
            busy=event.busy,
            attendees=event.attendees,
            certain=event.owned is not None or bool(event.master) or not hint,
        )

    def _id(self, key: Key) -> str:
        name = repr((self._link, key.entry, key.at, key.generation))
        return hashlib.sha256(name.encode()).hexdigest()[:24]


def _batches(found: list[Event], size: int) -> Iterator[list[Event]]:
    for start in range(0, len(found), size):
        yield found[start : start + size]


@dataclass
class Desk(World):
    """John's calendar here and on paper."""

    paper: Paper = field(default_factory=lambda: Paper(Clock()))
    calendar: str = "appointments"

    def events(self, calendar: str = "") -> list[Event]:
        return self.paper.live(calendar or self.calendar)

    def starts(self) -> list[datetime]:
        """Where single events of ours are, by time."""
        return [each.owned.span.start for each in self.events() if each.owned is not None and each.ours is not None]

    def only(self) -> Event:
        [event] = self.events()
        return event

    def writes(self, since: int = 0) -> list[str]:
        return [kind for kind, _ in self.paper.calls[since:] if kind in ("create", "update", "delete")]

    def asked(self, since: int = 0) -> list[str]:
        return [kind for kind, _ in self.paper.calls[since:]]

    @property
    def mark(self) -> int:
        """How many calls there were until now."""
        return len(self.paper.calls)

    def failing(self, kind: str, error: RemoteError, *, when: str = "before", times: int = 1, skip: int = 0) -> None:
        """The next calls of a kind (a prefix; "" for all) fail, before or after they were done."""
        left = [skip, times]

        def trouble(number: int, called: str, now: str) -> None:
            if called.startswith(kind) and now == when and left[1]:
                if left[0]:
                    left[0] -= 1
                    return
                left[1] -= 1
                raise error

        self.paper.trouble = trouble

    def sound(self) -> None:
        self.paper.trouble = lambda number, kind, when: None

    def poll(self, turns: int = 1) -> None:
        """Turns, each after the account has rested and everything postponed is due."""
        for _ in range(turns):
            self.clock.forward(timedelta(minutes=5))
            self.turn()

    def decided(self, **more: Any) -> None:
        """A person's word about the link."""
        with self.store.write(DEMO, PLATFORM) as tx:
            tx.save_link(replace(tx.link(self.link), **more))

    def second(self, link: str, calendar: str, **more: Any) -> LinkId:
        """Another link of the same account."""
        with self.store.write(DEMO, PLATFORM) as tx:
            made = replace(tx.link(self.link), id=LinkId(link), calendar=calendar, cursor=None, pulled=None, listed=None, **more)
            tx.add_link(made)
        return made.id

    def account_known(self) -> Account:
        with self.store.read(DEMO) as snapshot:
            return snapshot.account(self.account)

    def due(self) -> bool:
        return (DEMO, self.account) in self.store.accounts_due(self.clock.now)


UNREACHABLE = Unreachable("No answer.")
PATIENCE = Throttled("Patience, please.", wait=timedelta(minutes=1))


@cache
def _furnished() -> bytes:
    """The database of the company, made once in each process."""
    with TemporaryDirectory() as folder:
        store = FragileStore(f"sqlite:///{folder}/gateway.db")
        store.migrate()
        furnish(store)
        store.close()
        return (Path(folder) / "gateway.db").read_bytes()


@contextmanager
def paper_desk(folder: Path, *, level: Level = Level.FULL, direction: Direction = Direction.BOTH, **policy: Any) -> Iterator[Desk]:
    """John, connected to a calendar on paper."""
    clock = Clock()
    (folder / "gateway.db").write_bytes(_furnished())
    store = FragileStore(f"sqlite:///{folder}/gateway.db")
    paper = Paper(clock)
    desk: Desk = Desk(store=store, clock=clock, fake=None, wire=None, house=paper, habits=Habits(), paper=paper)  # type: ignore[arg-type]
    with store.write(DEMO, PLATFORM) as tx:
        if policy:
            tx.save_company(replace(tx.company, policy=replace(tx.company.policy, **policy)))
        tx.add_account(
            Account(id=AccountId(ACCOUNT), staff=JOHN.id, provider=Provider.GOOGLE, login=JOHN.email, subject="1", created=NOW),
            SEAL.seal(b"credential"),
        )
        tx.add_link(
            Link(
                id=LINK,
                account=ACCOUNT,
                staff=JOHN.id,
                calendar=desk.calendar,
                title="Appointments",
                own=True,
                direction=direction,
                level=level,
                standing=Standing.ACTIVE,
                due=NOW,
                created=NOW,
            )
        )
    try:
        yield desk
    finally:
        store.close()
