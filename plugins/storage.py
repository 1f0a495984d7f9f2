"""Radicale's storage on the gateway's store: its lock is our transaction.

Our own application (`plugins.application`) answers every method from the store and needs little of this. A stock `radicale` needs
all of it, and there two things are less good than through the gateway's own door, because Radicale's application layer hands a
plugin nothing better: it gives `upload` vobject's re-serialisation of what the client sent, so of an appointment only times are
taken (what the client keeps with it stays as it is) and a personal object is stored as serialised; and it sends an ETag after every
PUT, so that a client believes its own text of an appointment to be the one that is kept, until the next change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from radicale import types
from radicale.config import Configuration
from radicale.item import Item
from radicale.storage import BaseCollection, BaseStorage

from gateway import desk
from gateway.errors import Conflict, GatewayError
from gateway.model import Actor, CompanyId
from gateway.store import Snapshot, Store, Transaction
from plugins.opening import SCHEMA, store_from
from plugins.place import is_kept, place_of
from plugins.shelf import Node, Shelf


def _clock() -> datetime:
    return datetime.now(UTC)


class _Undo(Exception):
    """Ends a transaction without keeping it and without an error for the client: Radicale has answered already."""


class _Work(threading.local):
    """What one thread has open. `tx` is set inside a write lock; inside a read lock `looking`, and once somebody looked, `snapshot` and
    what ends it."""

    handle: str = ""
    tx: Transaction | None = None
    looking: bool = False
    snapshot: Snapshot | None = None
    opened: AbstractContextManager[Snapshot] | None = None
    failed: bool = False

    def __enter__(self) -> None:
        self.looking = True

    def __exit__(self, *why: Any) -> None:
        opened = self.opened
        self.handle, self.looking, self.snapshot, self.opened = "", False, None, None
        if opened is not None:
            opened.__exit__(*why)


class Storage(BaseStorage):
    """Thread-safe: what is open belongs to a thread."""

    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True
    _is_collision_free = True

    def __init__(self, configuration: Configuration, store: Store | None = None, clock: Callable[[], datetime] = _clock) -> None:
        super().__init__(configuration.copy(SCHEMA["storage"]) if store is None else configuration)
        self.store = store if store is not None else store_from(self.configuration, "storage")
        self.clock = clock
        self._work = _Work()

    def discover(
        self,
        path: str,
        depth: str = "0",
        child_context_manager: Callable[[str, str | None], AbstractContextManager[None]] | None = None,
        user_groups: set[str] = frozenset(),  # type: ignore[assignment]  # Radicale's default is a mutable set
    ) -> Iterator[types.CollectionOrItem]:
        """Lazy: the home of whoever is logged in, which Radicale looks up at every request, costs no look at the database."""
        try:
            place = place_of(path)
        except GatewayError:
            return
        if place.slug is None:
            if place.handle is not None and place.handle != self._work.handle and self.store.find_handle(place.handle) is None:
                return
            yield Node(place.handle or "")
            if depth != "0" and place.handle is not None:
                yield from self._shelves(place.handle)
            return
        found = self._shelf(place.handle or "", place.slug)
        if found is None:
            return
        if place.name is not None:
            item = dict(found.get_multi([place.name]))[place.name]
            if item is not None:
                yield item
            return
        yield found
        if depth != "0":
            yield from found.get_all()

    def _shelves(self, handle: str) -> Iterator[Shelf]:
        known = self.store.find_handle(handle)
        if known is None:
            return
        with self.reading(known[0]) as snapshot:
            calendars = list(snapshot.collections(known[1]))
        for calendar in calendars:
            yield Shelf(self, known[0], known[1], handle, calendar)

    def _shelf(self, handle: str, slug: str) -> Shelf | None:
        known = self.store.find_handle(handle)
        if known is None:
            return None
        with self.reading(known[0]) as snapshot:
            calendar = snapshot.collection(known[1], slug)
        return Shelf(self, known[0], known[1], handle, calendar) if calendar is not None else None

    def move(self, item: Item, to_collection: BaseCollection, to_href: str) -> None:
        source = item.collection
        if not isinstance(source, Shelf) or not isinstance(to_collection, Shelf) or item.href is None:
            raise ValueError("[Errno 13] Only objects move, and only between calendars.")
        if not (source.calendar.writable and to_collection.calendar.writable):
            raise ValueError("[Errno 13] This calendar can only be read.")
        with self.changing() as tx:
            where = (source.calendar.calendars[0], item.href), (to_collection.calendar.calendars[0], to_href)
            desk.relocate(tx, tx.actor, *where, self.clock())

    def create_collection(
        self, href: str, items: Iterable[Item] | None = None, props: Mapping[str, str] | None = None
    ) -> tuple[BaseCollection, dict[str, Item], list[str]]:
        """A personal calendar. A collection is never replaced (trust.md §5.1)."""
        place = place_of(href)
        if place.handle is None or place.slug is None or place.name is not None or items is not None:
            raise ValueError("[Errno 13] A collection cannot be overwritten.")
        if is_kept(place.slug):
            raise ValueError("[Errno 13] This name is kept for the platform's own calendars.")
        known, meta = self.store.find_handle(place.handle), dict(props or {})
        if known is None or meta.pop("tag", "") != "VCALENDAR":
            raise ValueError("[Errno 13] Only calendars can be made.")
        components = tuple(filter(None, meta.pop("C:supported-calendar-component-set", "VEVENT,VTODO,VJOURNAL").split(",")))
        with self.changing() as tx:
            desk.make_calendar(tx, known[1], place.slug, components, self.clock())
        made = self._shelf(place.handle, place.slug)
        if made is None:
            raise ValueError("[Errno 13] The calendar was not made.")
        made.set_meta({**made.get_meta(), **meta})
        return made, {}, []

    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> AbstractContextManager[None]:
        """ "r": nothing is opened before somebody looks. "w": the company's one writer, until Radicale has made up its answer."""
        if mode == "w":
            return self._writing(user)
        self._work.handle = user
        return self._work

    @contextmanager
    def _writing(self, user: str) -> Iterator[None]:
        known, work = self.store.find_handle(user), self._work
        if known is None:
            raise PermissionError("Nobody of that name may write.")
        try:
            with self.store.write(known[0], Actor(user, "dav")) as tx:
                work.handle, work.tx = user, tx
                yield
                if work.failed:
                    raise _Undo
        except _Undo:
            pass
        finally:
            work.handle, work.tx, work.failed = "", None, False

    @contextmanager
    def reading(self, company: CompanyId) -> Iterator[Snapshot]:
        """What the thread has open, or a look of its own: Radicale's PROPFIND asks after its lock is gone."""
        work = self._work
        if work.tx is not None:
            yield work.tx
        elif work.snapshot is not None:
            yield work.snapshot
        elif work.looking:
            opened = self.store.read(company)
            work.snapshot, work.opened = opened.__enter__(), opened
            yield work.snapshot
        else:
            with self.store.read(company) as snapshot:
                yield snapshot

    @contextmanager
    def changing(self) -> Iterator[Transaction]:
        """The thread's transaction. An error inside becomes the ValueError that Radicale turns into 4xx; since Radicale then leaves
        its lock as if nothing had happened, the transaction is marked and thrown away."""
        tx = self._work.tx
        if tx is None:
            raise PermissionError("Nothing is written outside a write lock.")
        try:
            yield tx
        except Conflict as conflict:
            self._work.failed = True
            raise ValueError(str(conflict)) from conflict
        except GatewayError as error:
            self._work.failed = True
            raise ValueError(f"[Errno 13] {error}") from error

    def verify(self) -> bool:
        self.store.ping()
        return True
