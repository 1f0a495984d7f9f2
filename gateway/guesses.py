"""Counts wrong guesses at secrets: who guesses too often is told to wait, and whoever knows the secret never is.

    seconds = guesses.refuse("dav", account, address, now, may_fit=…)   before anything is looked up: None, or how long to wait
    guesses.wrong("dav", account, address, now)                         after nothing was found

The count is kept in memory, by each process for itself: with four processes somebody may guess four times as often, at secrets of
160 random bits. Nobody sleeps here, since a thread that sleeps serves nobody.
"""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

from gateway import observe

Door = Literal["dav", "rest", "feed", "page"]

WINDOW = 60.0  # seconds
PER_ACCOUNT = 10
"""Wrong guesses that one address has at one account within the window."""

PER_ADDRESS = 60
"""Wrong guesses that one address has at everything together."""

REMEMBERED = 10_000
"""Pairs of account and address, and addresses, that are remembered at most: the oldest are forgotten first."""


class Guesses:
    """Thread-safe, bounded in size; costs nothing to speak of while nobody guesses."""

    def __init__(self, *, per_account: int = PER_ACCOUNT, per_address: int = PER_ADDRESS, remembered: int = REMEMBERED) -> None:
        self._lock = threading.Lock()
        self._accounts = _Tally(per_account, remembered)
        self._addresses = _Tally(per_address, remembered)

    def refuse(self, door: Door, account: str | None, address: str, now: datetime, *, may_fit: Callable[[], bool]) -> int | None:
        """Seconds until the next guess is free, for whoever has used up his own; None: go on.

        `account` is None where a secret is all that is shown. `may_fit` answers without looking anything up whether the secret may
        be right: then he goes on, however many wrong ones came from his address, and what he sent is looked up.
        """
        seconds = self._wait(door, account, address, now)
        if seconds is None or may_fit():
            return None
        observe.count("guesses_refused", door=door)
        return seconds

    def wrong(self, door: Door, account: str | None, address: str, now: datetime) -> None:
        """Count one that fitted nothing."""
        network, at = network_of(address), now.timestamp()
        with self._lock:
            self._addresses.add(hash(network), at)
            if account is not None:
                self._accounts.add(_pair(door, account, network), at)
        observe.count("logins_failed", door=door)

    def _wait(self, door: Door, account: str | None, address: str, now: datetime) -> int | None:
        if not self._addresses:  # the usual case
            return None
        network, at = network_of(address), now.timestamp()
        with self._lock:
            waits = [self._addresses.wait(hash(network), at)]
            if account is not None:
                waits.append(self._accounts.wait(_pair(door, account, network), at))
        longest = max(waits)
        return max(1, math.ceil(longest)) if longest > 0 else None


class _Tally(OrderedDict[int, list[float]]):
    """When each key was last counted: as many times as are free within the window. Keys are hashes, so that long names cost nothing."""

    def __init__(self, free: int, remembered: int) -> None:
        super().__init__()
        self._free = free
        self._remembered = remembered

    def add(self, key: int, at: float) -> None:
        self[key] = [*self.pop(key, ()), at][-self._free :]
        while len(self) > self._remembered:
            self.popitem(last=False)

    def wait(self, key: int, at: float) -> float:
        """Seconds until one is free again; 0 or less: now. A clock that was set back counts from then on."""
        times: Sequence[float] = self.get(key, ())
        if len(times) < self._free or times[0] > at:
            return 0.0
        return times[0] + WINDOW - at


def _pair(door: Door, account: str, network: str) -> int:
    return hash((door, account.casefold(), network))


@lru_cache(maxsize=4096)
def network_of(address: str, *, v4: int = 32, v6: int = 64) -> str:
    """The network an address belongs to, by the length of its prefix: a household has a whole IPv6 /64 to guess from.

    An IPv4 address in IPv6 clothes is the IPv4 address. What is no address stands for itself, cut to 64 characters.
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    length = v4 if known.version == 4 else v6
    if length == known.max_prefixlen:
        return str(known)
    return str(ipaddress.ip_network((known, length), strict=False))
