"""Turns carried by threads of this process: the embedded way, which needs nothing but the database."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from gateway import observe
from gateway.bridge.rounds import Due, Rounds

POLL = timedelta(seconds=1)
"""How long until somebody looks who is due: changes written by other processes ring no bell here."""

PAUSE = timedelta(seconds=5)
"""The same after the database was away."""

GATHER = 0.1
"""Seconds between a bell and the look it asks for: of a hundred writes in a row every one rings."""

AT_ONCE = 4
"""Accounts asked for at once, for each thread: asking for one at a time would ask too often, for many would forget who is oldest."""


class Threads:
    """So many threads, one of which looks who is due whenever there is nothing left to do. Any number of processes may have some."""

    def __init__(self, rounds: Rounds, *, count: int, poll: timedelta = POLL) -> None:
        self._rounds = rounds
        self._poll = poll.total_seconds()
        self._turn = threading.Condition()
        self._waiting: deque[Due] = deque()
        self._looking = self._rung = self._ending = False
        self._threads = [threading.Thread(target=self._work, name=f"mirror-{number}", daemon=True) for number in range(1, count + 1)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Have somebody look who is due. Returns at once."""
        if self._rung:  # and nobody has looked since: then somebody still will, and need not be told once more
            return
        with self._turn:
            self._rung = True
            self._turn.notify_all()

    def stop(self, timeout: float) -> bool:
        """End every thread after the turn in hand; False when one is still in it after `timeout` seconds. It ends with the process."""
        self._rounds.stop()
        with self._turn:
            self._ending = True
            self._turn.notify_all()
        end = time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def troubles(self) -> list[str]:
        """A sentence for everything that should be and is not."""
        dead = [] if self._ending else [thread.name for thread in self._threads if not thread.is_alive()]
        return [*(f"The worker “{name}” has ended; start the process anew." for name in dead), *self._rounds.troubles()]

    def _work(self) -> None:
        while (account := self._next()) is not None:
            self._rounds.go(*account)

    def _next(self) -> Due | None:
        """Whose turn it is, as soon as it is anybody's; None: the end."""
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._ending or self._waiting or not self._looking)
                if self._ending:
                    return None
                if self._waiting:
                    return self._waiting.popleft()
                self._looking, self._rung = True, False
            self._look()

    def _look(self) -> None:
        """Ask who is due; when nobody is, wait until a bell rings or some time has passed. One thread at a time."""
        found, pause = self._due()
        with self._turn:
            self._waiting.extend(found)
            if not found:
                self._until(lambda: self._rung or self._ending, pause)
                if self._rung:
                    self._until(lambda: self._ending, GATHER)
            self._looking = False
            self._turn.notify_all()

    def _due(self) -> tuple[list[Due], float]:
        try:
            return self._rounds.due(AT_ONCE * len(self._threads)), self._poll
        except Exception as error:  # the carrier's loop: the database may come back
            observe.log("mirror_failed", error=error)
            return [], PAUSE.total_seconds()

    def _until(self, what: Callable[[], bool], seconds: float) -> None:
        self._turn.wait_for(what, seconds)
