"""Counting wrong passwords: who guesses too often is told to wait, and whoever knows the password never is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)


class Guesses:
    """Wrong guesses per account and address within the last minute. Thread-safe, bounded in size."""

    def __init__(self, clock: Callable[[], datetime], *, allowed: int = 10, remembered: int = 10_000) -> None:
        self._clock = clock
        self._allowed = allowed
        self._remembered = remembered
        self._wrong: OrderedDict[tuple[str, str], list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def wrong(self, account: str, address: str) -> None:
        now, key = self._clock(), (account.lower()[:200], address)
        with self._lock:
            kept = [at for at in self._wrong.pop(key, []) if now - at < WINDOW]
            self._wrong[key] = [*kept, now][-self._allowed - 1 :]
            while len(self._wrong) > self._remembered:
                self._wrong.popitem(last=False)

    def wait(self, account: str, address: str) -> int | None:
        """Seconds to wait, or None when another guess is free."""
        now, key = self._clock(), (account.lower()[:200], address)
        with self._lock:
            kept = [at for at in self._wrong.get(key, []) if now - at < WINDOW]
        if len(kept) <= self._allowed:
            return None
        return max(1, int((kept[-self._allowed] + WINDOW - now).total_seconds()) + 1)
