"""What feeds have been, kept at hand: so that "not modified" costs no rendering, and an event is written once per revision."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Generic, TypeVar

from gateway.model import Feed, Level, Revision

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything a feed's bytes depend on. Equal fingerprints, equal bytes."""

    feed: str
    revision: Revision
    epoch: str
    first: date  # of the window, in the company's zone
    past: int
    future: int
    level: Level
    label: str
    title: str
    alarm: int | None
    small: bool  # for a reader that takes only so much

    @property
    def place(self) -> Hashable:
        """What stays when the feed changes: whose next edition this one is."""
        return self.feed, self.past, self.future, self.small

    @classmethod
    def of(cls, feed: Feed, *, revision: Revision, epoch: str, today: date, past: int, future: int, title: str, small: bool) -> Fingerprint:
        return cls(
            feed=feed.id,
            revision=revision,
            epoch=epoch,
            first=today,
            past=past,
            future=future,
            level=feed.level,
            label=feed.label,
            title=title,
            alarm=feed.alarm_minutes,
            small=small,
        )


@dataclass(frozen=True, slots=True)
class Stamp:
    """The validators of a feed's state (RFC 9110 §8.8). `etag` names the plain bytes, `packed` the gzipped ones."""

    etag: str
    packed: str
    modified: datetime
    by_reader: bool  # whether another reader would have got other bytes


@dataclass(frozen=True)
class Edition:
    """A rendered feed, and what its bytes were made of."""

    made_of: Fingerprint
    stamp: Stamp
    octets: bytes

    @classmethod
    def of(cls, made_of: Fingerprint, octets: bytes, modified: datetime, *, by_reader: bool) -> Edition:
        digest = hashlib.sha256(octets).hexdigest()[:32]
        return cls(made_of, Stamp(f'"{digest}"', f'"{digest}-gzip"', modified, by_reader), octets)

    @cached_property
    def gzipped(self) -> bytes:
        """Compressed when somebody first asks for it; always to the same octets."""
        return gzip.compress(self.octets, 6, mtime=0)


@dataclass(frozen=True, slots=True)
class Block:
    """One appointment of a feed, written, in UTF-8: as text it would take twice that. It stands in the order (start, uid); `cancelled` is
    when it was, if it was."""

    start: datetime
    uid: str
    zone: str
    cancelled: datetime | None
    octets: bytes


class Recent(Generic[K, V]):
    """A mapping that forgets what was not asked for longest, once the weights of its values pass `most`; what alone weighs more is not
    kept at all. Thread-safe."""

    def __init__(self, most: int, weight: Callable[[V], int] = lambda value: 1) -> None:
        self._most = most
        self._weight = weight
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def keep(self, key: K, value: V) -> None:
        with self._lock:
            former = self._kept.pop(key, None)
            if former is not None:
                self._total -= self._weight(former)
            self._kept[key] = value
            self._total += self._weight(value)
            while self._total > self._most:
                self._total -= self._weight(self._kept.popitem(last=False)[1])


class Shelf:
    """One per process. Stamps are small and kept for many feeds; editions only as far as 4 MiB go, one for each feed and window, so
    that a new one takes the place of what nobody will ask for again; blocks to 12 MiB, one for each way to show an appointment: from
    them an edition is quickly made again."""

    def __init__(self) -> None:
        self.stamps: Recent[Fingerprint, Stamp] = Recent(20_000)
        self.blocks: Recent[Hashable, tuple[Revision, Block]] = Recent(12 * 2**20, lambda kept: len(kept[1].octets) + 500)
        self._editions: Recent[Hashable, Edition] = Recent(4 * 2**20, lambda edition: len(edition.octets) * 5 // 4)

    def edition(self, wanted: Fingerprint) -> Edition | None:
        kept = self._editions.get(wanted.place)
        return kept if kept is not None and kept.made_of == wanted else None

    def keep(self, edition: Edition) -> None:
        self._editions.keep(edition.made_of.place, edition)
        self.stamps.keep(edition.made_of, edition.stamp)


class Allowance:
    """How often a link may be fetched in full: a bucket of `hourly` that fills evenly. In memory, per process. Thread-safe."""

    def __init__(self, hourly: int) -> None:
        self._hourly = hourly
        self._buckets: Recent[str, tuple[float, datetime]] = Recent(50_000)
        self._lock = threading.Lock()

    def wait(self, link: str, now: datetime) -> int:
        """Seconds until the link may be fetched in full; 0: now."""
        left = self._left(link, now)
        return 0 if left >= 1 else max(1, round((1 - left) * 3600 / self._hourly))

    def spend(self, link: str, now: datetime) -> None:
        with self._lock:
            self._buckets.keep(link, (self._left(link, now) - 1, now))

    def _left(self, link: str, now: datetime) -> float:
        left, at = self._buckets.get(link) or (float(self._hourly), now)
        return min(self._hourly, left + max(0.0, (now - at).total_seconds()) * self._hourly / 3600)
