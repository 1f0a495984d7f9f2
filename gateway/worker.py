"""Wakes whoever follows the log or a clock, each on a thread of its own, and lets it go on where it stopped.

A step is one plain call: `reader.catch_up(company, now)`, or `chore.run(now)`. It takes everything it needs to know from the
database and leaves everything it has done there, so it may be lost, repeated, or run by another process. Threads carry the steps
here; the workers of a queue on PostgreSQL can carry the same ones (house.md §6).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway import desk, observe
from gateway.errors import Unavailable
from gateway.model import Actor, CompanyId, EntryId
from gateway.store import Store

POLL = timedelta(seconds=1)
"""How long a reader waits for a bell at most: changes written by other processes ring none here."""

IDLE = timedelta(seconds=30)
"""The same for a chore that expects to be woken: whoever should have woken it may have died."""

GATHER = 0.1
"""Seconds between a bell and the look it asks for: of a hundred writes in a row every one rings. Looking costs as much as writing."""

BREATH = timedelta(milliseconds=20)
"""Between two looks that found something to do: what is written meanwhile is taken together."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)
"""After a failure; the pause doubles with each further one."""

Clock = Callable[[], datetime]  # aware UTC
Ending = Callable[[], bool]
Look = Callable[[Ending], timedelta]


class Reader(Protocol):
    """Follows the log of every company with a cursor of its own."""

    @property
    def name(self) -> str: ...

    def due(self, now: datetime) -> Sequence[CompanyId]:
        """Companies in which there is something to do."""

    def catch_up(self, company: CompanyId, now: datetime) -> bool:
        """Do it, or a good part of it; whether that left something for a chore. Idempotent; safe against a twin in another process."""

    def next(self, now: datetime) -> datetime | None:
        """When there will be something to do even if nothing is written."""


class Chore(Protocol):
    """Something that has to be done again and again, for all companies together."""

    @property
    def name(self) -> str: ...

    def run(self, now: datetime) -> datetime | None:
        """Do what is due, or a good part of it; answer when to run again unasked (by now: there is more), None: when woken."""


class Runner:
    """The threads of one process: one for each reader, chore and round. `lag(reader)` counts the changes a reader has not looked at.

    A round is a chore that goes by the clock alone: no bell hurries it.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        lag: Callable[[str], int],
        readers: Sequence[Reader] = (),
        chores: Sequence[Chore] = (),
        rounds: Sequence[Chore] = (),
        poll: timedelta = POLL,
    ) -> None:
        self._chores = [_Seat(chore.name, _Doing(chore, clock)) for chore in chores]
        self._rounds = [_Seat(chore.name, _Doing(chore, clock)) for chore in rounds]
        self._readers = [_Seat(reader.name, _Following(reader, clock, lag, poll, self._wake_chores)) for reader in readers]
        self._company: list[tuple[Callable[[], None], Callable[[], None], Callable[[], list[str]]]] = []

    def accompany(self, start: Callable[[], None], wake: Callable[[], None], troubles: Callable[[], list[str]]) -> None:
        """Somebody who has threads of his own is started, woken and asked for troubles together with everybody else."""
        self._company.append((start, wake, troubles))

    def start(self) -> None:
        for seat in self._seats:
            seat.start()
        for start, _, _ in self._company:
            start()

    def wake(self) -> None:
        """Have everybody look again. Returns at once; any number of calls while somebody is busy makes him look once more."""
        self._wake_chores()
        self.stir()

    def stir(self) -> None:
        """The same of those alone who follow the log, after something that is told nowhere else: they wake the others when it concerns
        them. A thread that wakes for nothing takes as long as a request that reads."""
        for seat in self._readers:
            seat.ring()
        for _, wake, _ in self._company:
            wake()

    def stop(self, timeout: float = 4.0) -> bool:
        """End every thread after the step in hand; False when one is still in it after `timeout` seconds. It ends with the process."""
        for seat in self._seats:
            seat.end()
        left = [seat.name for seat in self._seats if not seat.ended_within(timeout / len(self._seats))]
        for name in left:
            observe.log("worker_left_behind", level="warning", reader=name)
        return not left

    def troubles(self) -> list[str]:
        """A sentence for each thread that should run and does not."""
        ended = [f"The worker “{seat.name}” has ended; start the process anew." for seat in self._seats if not seat.sound]
        return [*ended, *(sentence for _, _, troubles in self._company for sentence in troubles())]

    @property
    def _seats(self) -> list[_Seat]:
        return [*self._readers, *self._chores, *self._rounds]

    def _wake_chores(self) -> None:
        for seat in self._chores:
            seat.ring()


class Rolling:
    """The chore that keeps the index of occurrences rolling ahead of now (desk.extend)."""

    name = "index"

    EVERY = timedelta(hours=1)
    BATCH = 200  # entries in one transaction: nobody waits long for the company

    def __init__(self, store: Store) -> None:
        self._store = store
        self._again: datetime | None = None
        self._left: list[tuple[CompanyId, EntryId | None]] = []

    def run(self, now: datetime) -> datetime:
        """One company, or a part of it; then the next one at once, and all of them again after an hour."""
        if not self._left:
            if self._again is not None and now < self._again:
                return self._again
            self._left = [(company.id, None) for company in self._store.companies()]
            self._again = now + self.EVERY
        if self._left:
            company, after = self._left.pop()
            with observe.about(company=company), self._store.write(company, Actor(self.name, self.name)) as tx:
                reached = desk.extend(tx, now, after=after, limit=self.BATCH)
            if reached is not None:
                self._left.append((company, reached))
        return self._again if self._again and not self._left else now


class _Seat:
    """A thread and its bell. `look` answers how long there is nothing to do unless the bell rings; it ends early when it is told to."""

    def __init__(self, name: str, look: Look) -> None:
        self.name = name
        self._look = look
        self._bell = threading.Condition()
        self._rung = self._ending = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)  # a mail server that hangs must not keep the process

    @property
    def sound(self) -> bool:
        return self._ending or self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        if self._rung:  # and not looked since: then he still will
            return
        with self._bell:
            self._rung = True
            self._bell.notify()

    def end(self) -> None:
        with self._bell:
            self._ending = True
            self._bell.notify()

    def ended_within(self, seconds: float) -> bool:
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._ending:
            with self._bell:
                self._rung = False  # before looking: what is written from here on rings again
            try:
                pause = self._look(lambda: self._ending)
            except Exception:  # the trouble could not even be logged: whoever read standard error has gone
                pause = FIRST_PAUSE
            with self._bell:
                if self._bell.wait_for(lambda: self._rung or self._ending, pause.total_seconds()):
                    self._bell.wait_for(lambda: self._ending, GATHER)


@dataclass(slots=True)
class _Setback:
    """How often something failed in a row, and when it may be tried again."""

    failures: int
    again: datetime


def _setback(former: _Setback | None, error: Exception, now: datetime) -> _Setback:
    failures = former.failures + 1 if former else 1
    pause = min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE)
    if isinstance(error, Unavailable):
        pause = max(pause, timedelta(seconds=error.retry_after))
    return _Setback(failures, now + pause)


def _noted(name: str, error: Exception) -> None:
    observe.log("reader_failed", error=error)
    observe.count("reader_failed", reader=name)


class _Following:
    """Looks after one reader: every company that is due has its turn; one that fails waits while the others go on."""

    def __init__(self, reader: Reader, clock: Clock, lag: Callable[[str], int], poll: timedelta, wake_chores: Callable[[], None]) -> None:
        self._reader = reader
        self._clock = clock
        self._lag = lag
        self._poll = poll
        self._wake_chores = wake_chores
        self._setbacks: dict[CompanyId, _Setback] = {}
        self._away: _Setback | None = None  # the database itself

    def __call__(self, ending: Ending) -> timedelta:
        with observe.about(reader=self._reader.name):
            try:
                pause = self._round(ending)
            except Exception as error:  # the worker's loop: whatever it is, the thread goes on
                _noted(self._reader.name, error)
                now = self._clock()
                self._away = _setback(self._away, error, now)
                return self._away.again - now
            self._away = None
            return pause

    def _round(self, ending: Ending) -> timedelta:
        now, done, left = self._clock(), 0, False
        due = self._reader.due(now)
        for company in due:
            if ending():
                break
            setback = self._setbacks.get(company)
            if setback is None or setback.again <= now:
                caught = self._caught_up(company)
                done, left = done + (caught is not None), left or bool(caught)
        behind = self._lag(self._reader.name) if due else 0
        observe.gauge("reader_lag", behind, reader=self._reader.name)
        if left:
            self._wake_chores()
        awaited = self._reader.next(now)
        if done and (behind or (awaited and awaited <= now)):
            return BREATH
        return min(self._poll, awaited - now) if awaited and awaited > now else self._poll

    def _caught_up(self, company: CompanyId) -> bool | None:
        """Whether that left something for a chore; None: it failed."""
        now = self._clock()
        try:
            with observe.about(company=company):
                left = self._reader.catch_up(company, now)
        except Exception as error:  # the worker's loop: one company's trouble is no other company's
            with observe.about(company=company):
                _noted(self._reader.name, error)
            self._setbacks[company] = _setback(self._setbacks.get(company), error, now)
            return None
        self._setbacks.pop(company, None)
        return left


class _Doing:
    """Looks after one chore."""

    def __init__(self, chore: Chore, clock: Clock) -> None:
        self._chore = chore
        self._clock = clock
        self._setback: _Setback | None = None

    def __call__(self, ending: Ending) -> timedelta:
        now = self._clock()
        if self._setback is not None and now < self._setback.again:
            return self._setback.again - now
        try:
            with observe.about(reader=self._chore.name):
                again = self._chore.run(now)
        except Exception as error:  # the worker's loop: whatever it is, the thread goes on
            with observe.about(reader=self._chore.name):
                _noted(self._chore.name, error)
            self._setback = _setback(self._setback, error, now)
            return self._setback.again - now
        self._setback = None
        return IDLE if again is None else max(again - now, BREATH)
