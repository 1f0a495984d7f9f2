"""Reading external calendars when they are due: believed with caution, never in the staff member's favour, kept as times and nothing else.

A source that fails makes nobody free: its last good times stay, and their age is known (bridge.md §3.9, I11). One that has become
empty all at once is believed only when it still is some hours later; how its events are named never matters, only when they are.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from gateway import observe
from gateway.bridge.errand import spread
from gateway.bridge.feed import ORIGIN, Fetched, Fetcher, Sealing, own_uids
from gateway.errors import GatewayError, Misconfigured, Missing, Unavailable
from gateway.ical.busytimes import BusyTimes, busy_times
from gateway.links import LinkId, Source
from gateway.model import Actor, CompanyId, StaffId
from gateway.store import Store, Transaction

SURE = timedelta(hours=3)
"""How long a source that has become empty all at once has to stay empty before it is believed."""

LONGEST_REST = timedelta(hours=2)
"""Between two looks at a source that fails."""

WIDTH, PER_HOST = 8, 2
"""Sources that are read at the same time, and how many of them at one host: a slow one keeps nobody else waiting (trust.md A149)."""

SLICE = 30.0
"""Seconds after which those that have become due meanwhile get their turn."""

BATCH = 2_000
_TAKEN = timedelta(minutes=2)  # for whoever reads it; it is due again when he dies
_ACTOR = Actor("imports", "imports")
_EMPTY = "The calendar is empty all at once. Its last known times go on blocking until it says so again in some hours."
_SEALED = "The address can no longer be read here, because the keys have changed. Please give it once more."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    company: CompanyId
    staff: StaffId
    host: str


class Imports:
    """The chore that reads sources when they are due (worker.Chore). Safe beside twins in other processes."""

    name = "imports"

    def __init__(self, store: Store, seal: Sealing, fetcher: Fetcher, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._seal = seal
        self._fetcher = fetcher
        self._clock = clock

    def run(self, now: datetime) -> datetime | None:
        """The sources that are due, or those that there was time for; when the next one is."""
        queue = _Queue(
            [_Job(company=company, staff=staff, host=self._host(company, staff)) for company, staff in self._store.sources_due(now, BATCH)]
        )
        more = [threading.Thread(target=self._work, args=(queue,), name="imports", daemon=True) for _ in range(queue.width - 1)]
        for thread in more:
            thread.start()
        self._work(queue)
        for thread in more:
            thread.join()
        return self._store.next_source()

    def refresh(self, company: CompanyId, staff: StaffId, age: timedelta) -> None:
        """Read the staff member's source now, unless that was done within `age`, or it fails and rests: before a slot is offered."""
        now = self._clock()
        with self._store.read(company) as snapshot:
            source = snapshot.source(staff)
        if source is None or source.failing is not None or (source.fetched is not None and now - source.fetched < age):
            return
        if self._store.locked is not None:  # a backup was restored: nobody outside is asked
            return
        with self._store.write(company, _ACTOR) as tx:
            source = tx.source(staff)
            if source is None or (source.taken is not None and source.taken > now):
                return
            tx.save_source(replace(source, due=now))
        self._one(company, staff)

    def _work(self, queue: _Queue) -> None:
        while (job := queue.take()) is not None:
            try:
                with observe.about(company=job.company, staff=job.staff):
                    self._one(job.company, job.staff)
            except Exception as error:  # the worker's loop: one source's trouble is no other source's
                observe.log("import_broken", error=error)
            finally:
                queue.done(job)

    def _host(self, company: CompanyId, staff: StaffId) -> str:
        """Whom it would ask; "" when that is not known."""
        try:
            with self._store.read(company) as snapshot:
                return urlsplit(self._address(snapshot.source_address(staff))).hostname or ""
        except (Missing, Misconfigured, ValueError):
            return ""

    def _address(self, sealed: bytes) -> str:
        return self._seal.unseal(sealed).decode()

    def _one(self, company: CompanyId, staff: StaffId) -> None:
        now = self._clock()
        with self._store.write(company, _ACTOR) as tx:
            source = tx.source(staff)
            if source is None or source.due > now:
                return  # somebody else has taken it
            source = replace(source, due=now + _TAKEN, taken=now + _TAKEN)
            tx.save_source(source)
            sealed = tx.source_address(staff)
        try:
            got = self._fetch(source, sealed, now)
            read = None if got.body is None else self._understood(company, source, got.body, now)
        except GatewayError as error:
            self._failed(company, source, sealed, error)
            return
        self._keep(company, source, sealed, got, read)

    def _fetch(self, source: Source, sealed: bytes, now: datetime) -> Fetched:
        try:
            url = self._address(sealed)
        except Misconfigured:
            raise Unavailable(_SEALED) from None
        # On a new day everything is read again: the window has moved on, and a series reaches further.
        stale = source.fetched is None or source.fetched.date() != now.date()
        return self._fetcher.fetch(url, etag="" if stale else source.etag, modified="" if stale else source.modified)

    def _understood(self, company: CompanyId, source: Source, body: bytes, now: datetime) -> BusyTimes:
        terms = self._fetcher.terms
        window, habits = terms.window(now), terms.habits_of(source)
        with self._store.read(company) as snapshot:
            person, own = snapshot.staff(source.staff), own_uids(snapshot, source.staff, window)
        return busy_times(body, zone=person.zone, window=window, own=own, people=(person.email,), habits=habits)

    def _keep(self, company: CompanyId, source: Source, sealed: bytes, got: Fetched, read: BusyTimes | None) -> None:
        """Apply a sound answer, unless the source is another one by now."""
        now = self._clock()
        with self._store.write(company, _ACTOR) as tx:
            if not _still(tx, source, sealed):
                return
            due = now + self._pause(source)
            new = replace(source, due=due, taken=None, failing=None, trouble="", etag=got.etag, modified=got.modified)
            observe.count("imports", outcome="unchanged" if read is None else "read")
            if read is None:
                tx.confirm_busy(source.staff, ORIGIN, now)
                tx.save_source(replace(new, fetched=now))
                return
            if not read.events and source.events and (source.shrunk is None or source.shrunk + SURE > now):
                observe.log("import_empty", level="warning", staff=source.staff)
                tx.save_source(replace(new, shrunk=source.shrunk or now, trouble=_EMPTY, etag="", modified=""))
                return
            digest = hashlib.sha256(repr(read.spans).encode()).hexdigest()
            if digest == source.digest and ORIGIN in tx.foreign_origins(source.staff):
                tx.confirm_busy(source.staff, ORIGIN, now)
            else:
                tx.put_busy(source.staff, ORIGIN, read.spans, now)
            told = replace(new, events=read.events, zone=read.zone, warnings=read.warnings)
            tx.save_source(replace(told, digest=digest, shrunk=None, fetched=now))

    def _failed(self, company: CompanyId, source: Source, sealed: bytes, error: GatewayError) -> None:
        now = self._clock()
        since = source.failing or now
        rest = min(max(now - since, self._pause(source), _asked_for(error)), LONGEST_REST)
        with self._store.write(company, _ACTOR) as tx:
            if _still(tx, source, sealed):
                tx.save_source(replace(source, due=now + rest, taken=None, failing=since, trouble=str(error)[:500]))
        observe.count("imports", outcome="failed")
        observe.log("import_failed", level="warning", staff=source.staff, since=since.isoformat(), reason=type(error).__name__)

    def _pause(self, source: Source) -> timedelta:
        return spread(LinkId(source.staff), self._fetcher.terms.every)


def _asked_for(error: GatewayError) -> timedelta:
    return timedelta(seconds=error.retry_after) if isinstance(error, Unavailable) else timedelta()


def _still(tx: Transaction, source: Source, sealed: bytes) -> bool:
    """Whether it is the one that was read: it may have been ended, or given another address or other habits meanwhile."""
    now = tx.source(source.staff)
    same = now is not None and (now.tentative, now.elsewhere) == (source.tentative, source.elsewhere)
    return same and tx.source_address(source.staff) == sealed


class _Queue:
    """Jobs for several threads, the longest due first, but never more than PER_HOST at one host. Ends after a slice of time."""

    def __init__(self, jobs: Sequence[_Job]) -> None:
        self._waiting = deque(jobs)
        self._busy: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._end = time.monotonic() + SLICE
        hosts = Counter(job.host for job in jobs)
        self.width = min(WIDTH, sum(min(PER_HOST, number) for number in hosts.values()))

    def take(self) -> _Job | None:
        """The next one that may be done now; waits for a host that is busy. None: no more."""
        with self._changed:
            while self._waiting and time.monotonic() < self._end:
                job = next((each for each in self._waiting if self._busy[each.host] < PER_HOST), None)
                if job is not None:
                    self._waiting.remove(job)
                    self._busy[job.host] += 1
                    return job
                self._changed.wait(SLICE)
            return None

    def done(self, job: _Job) -> None:
        with self._changed:
            self._busy[job.host] -= 1
            self._changed.notify_all()
