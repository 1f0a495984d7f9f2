"""Hands messages to push services: whichever is slow or away keeps nobody waiting but its own devices (RFC 8030)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from gateway import observe
from gateway.egress import Egress, Limits, Response, target_of
from gateway.errors import Invalid, Misconfigured, Unavailable
from gateway.model import Revision
from gateway.push.message import CONTENT_TYPE, message, replaces
from gateway.push.news import GATHER
from gateway.seal import Seal
from gateway.store import Collection, Push, Settled, Snapshot, Store
from gateway.webpush import Recipient, Vapid, sealed_for

LEASE = timedelta(seconds=25)
"""How long a claimed message is ours; after a crash it is sent by whoever comes then."""

BEGUN = timedelta(seconds=10)
"""So long after the claim a next message is still begun; it takes ten seconds more at most."""

BATCH, WAYS, PER_SERVICE = 32, 16, 2
"""Messages claimed at once, threads that carry them, and how many of those to one push service."""

REST = timedelta(seconds=15)
"""Between two messages to a device: one in a busy company would have no quiet minute, and its battery neither."""

TTL = timedelta(days=1)
"""How long a push service keeps a message for a device that is off; afterwards the device asks by itself anyhow."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""Before the next attempt; the last one repeats."""

GIVEN_UP = timedelta(days=1)
REFUSALS = 3
"""Messages in a row that a service will not have: then the device is forgotten. It registers anew every few days."""

FORGET = timedelta(hours=1)
"""Between two looks for devices whose time is over."""

SOON = timedelta(seconds=1)
"""Between two looks while threads are on their way: none of them rings a bell when it comes back."""

IDLE = timedelta(seconds=30)
"""The longest pause: whoever noted news may have died before it rang our bell."""

LIMITS = Limits(seconds=10.0, octets=4096, cut=True)

_GONE = (404, 410)  # RFC 8030 §7.3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parcel:
    """A message ready to be sealed and sent. `last`: the collection is no more, and the device is forgotten afterwards."""

    push: Push
    recipient: Recipient
    origin: str
    text: bytes
    topic: str
    upto: Revision
    last: bool


class Carrier:
    """The chore that tells devices (worker.Chore). Any number may work at once: each message is claimed.

    `run` returns while threads are on their way; each notes what became of its messages. `state` is the sync-token of a collection.
    """

    name = "carrier"

    def __init__(
        self,
        store: Store,
        seal: Seal,
        egress: Egress,
        vapid: Vapid,
        *,
        contact: str,
        state: Callable[[Snapshot, Collection], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._seal = seal
        self._egress = egress
        self._vapid = vapid
        self._contact = contact
        self._state = state
        self._clock = clock
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._under_way: dict[threading.Thread, str] = {}
        self._resting: dict[str, tuple[int, datetime]] = {}  # services that were away: how often in a row, and until when
        self._forget_again: datetime | None = None

    def stop(self) -> None:
        """Begin nothing any more; what is on its way ends by itself."""
        self._stopped.set()

    def ended_within(self, seconds: float) -> bool:
        """Whether everything that was on its way has arrived, or failed, by then."""
        with self._lock:
            threads = list(self._under_way)
        for thread in threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in threads)

    def run(self, now: datetime) -> datetime | None:
        """Send a batch on its way; when to run again (by now: there is more), None: when there is news."""
        if self._stopped.is_set():
            return None
        self._forget(now)
        with self._lock:
            free = WAYS - len(self._under_way)
        if free <= 0:
            return now + SOON
        claimed = self._store.claim_pushes(now, lease=LEASE, limit=BATCH)
        parcels = [parcel for push in claimed if (parcel := self._packed(push, now)) is not None]
        for origin in dict.fromkeys(parcel.origin for parcel in parcels):
            self._set_out(origin, [parcel for parcel in parcels if parcel.origin == origin], now)
        if len(claimed) == BATCH:
            return now
        following = self._store.next_push(now)
        with self._lock:
            busy = bool(self._under_way)
        waits = [at for at in (following, now + SOON if busy else None) if at is not None]
        return min(*waits, now + IDLE) if waits else None

    def _forget(self, now: datetime) -> None:
        if self._forget_again is None or now >= self._forget_again:
            more = self._store.forget_devices(now) > 0
            self._forget_again = now if more else now + FORGET

    def _packed(self, push: Push, now: datetime) -> _Parcel | None:
        """None: there is nothing to tell, or nobody; that is noted."""
        try:
            recipient = Recipient.read(self._seal.unseal(push.sealed))
            with self._store.read(push.company) as snapshot:
                upto, collection = snapshot.revision, _seen(snapshot, push)
                token = self._state(snapshot, collection) if collection is not None else None
        except (Misconfigured, Invalid) as error:  # the key it was sealed with is lost: the device will come again
            observe.log("push_not_written", level="warning", company=push.company, device=push.id[:8], error=error)
            self._settle([Settled(push=push)], now)
            return None
        if collection is not None and collection.last <= push.told:
            self._settle([Settled(push=push, upto=upto)], now)
            return None
        gone = collection is None
        return _Parcel(
            push=push,
            recipient=recipient,
            origin=target_of(recipient.url, plain=True).origin,
            text=message(push.topic, token=token, contents=push.contents or gone, properties=push.properties and not gone),
            topic=replaces(push.topic, recipient, properties=push.properties),
            upto=upto,
            last=gone,
        )

    def _set_out(self, origin: str, parcels: Sequence[_Parcel], now: datetime) -> None:
        """On a thread of the service's own, unless it has enough of them, or rests."""
        with self._lock:
            resting = self._resting.get(origin, (0, now))[1]
            enough = sum(each == origin for each in self._under_way.values()) >= PER_SERVICE
        if resting > now or enough:
            again = max(resting, now + GATHER)
            self._settle([Settled(push=parcel.push, again=again, failed=resting > now) for parcel in parcels], now)
            return
        thread = threading.Thread(target=self._carry, args=(parcels, now + BEGUN), name=self.name, daemon=True)
        with self._lock:
            self._under_way[thread] = origin
        thread.start()

    def _carry(self, parcels: Sequence[_Parcel], until: datetime) -> None:
        """The whole life of a thread."""
        try:
            ends: list[Settled] = []
            for parcel in parcels:
                now = self._clock()
                if self._stopped.is_set() or now > until or self._rests(parcel.origin, now):
                    ends.append(Settled(push=parcel.push, again=now, failed=False))
                else:
                    ends.append(self._delivered(parcel))
            self._settle(ends, self._clock())
        except Exception as error:  # the end of a thread: the lease of its messages runs out, and they are sent then
            observe.log("push_failed", error=error)
        finally:
            with self._lock:
                del self._under_way[threading.current_thread()]

    def _rests(self, origin: str, now: datetime) -> bool:
        with self._lock:
            return self._resting.get(origin, (0, now))[1] > now

    def _delivered(self, parcel: _Parcel) -> Settled:
        """One attempt, and what follows from it."""
        push, now = parcel.push, self._clock()
        try:
            response = self._posted(parcel, now)
        except Invalid as problem:  # what the name means has changed since it was registered
            return self._refused(parcel, str(problem))
        except Unavailable as problem:
            self._rest(parcel.origin)
            return self._later(parcel, str(problem), timedelta())
        if 200 <= response.status < 300:
            with self._lock:
                self._resting.pop(parcel.origin, None)
            observe.count("pushes_sent")
            observe.log("push_sent", company=push.company, device=push.id[:8], attempts=push.attempts + 1)
            return Settled(push=push) if parcel.last else Settled(push=push, upto=parcel.upto)
        if response.status in _GONE:
            observe.log("push_device_gone", company=push.company, device=push.id[:8])
            return Settled(push=push)
        if response.status == 429 or response.status >= 500:
            return self._later(parcel, f"status {response.status}", _retry_after(response, now))
        return self._refused(parcel, f"status {response.status}")

    def _posted(self, parcel: _Parcel, now: datetime) -> Response:
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Content-Encoding": "aes128gcm",
            "TTL": str(int(TTL.total_seconds())),
            "Urgency": "normal",
            "Topic": parcel.topic,
            "Authorization": self._vapid.authorization(parcel.origin, self._contact, now),
        }
        sealed = sealed_for(parcel.recipient, parcel.text)
        return self._egress.fetch("POST", parcel.recipient.url, headers, sealed, limits=LIMITS)

    def _refused(self, parcel: _Parcel, failure: str) -> Settled:
        """The service does not want this message, and would not want it later."""
        _failed(parcel.push, failure, final=True)
        if parcel.last or parcel.push.refused + 1 >= REFUSALS:
            return Settled(push=parcel.push)
        return Settled(push=parcel.push, upto=parcel.upto, refused=True)

    def _later(self, parcel: _Parcel, failure: str, wait: timedelta) -> Settled:
        push, now = parcel.push, self._clock()
        final = push.failing is not None and now - push.failing > GIVEN_UP
        _failed(push, failure, final=final)
        if final:
            return Settled(push=push) if parcel.last else Settled(push=push, upto=parcel.upto)
        return Settled(push=push, again=now + max(_pause(push.attempts), wait))

    def _rest(self, origin: str) -> None:
        """The service itself is away: nobody else's message is tried there for a while."""
        now = self._clock()
        with self._lock:
            times = self._resting.get(origin, (0, now))[0]
            self._resting[origin] = times + 1, now + _pause(times)
            for each in [name for name, (_, until) in self._resting.items() if until < now - GIVEN_UP]:
                del self._resting[each]

    def _settle(self, ends: Iterable[Settled], now: datetime) -> None:
        self._store.settle_pushes(list(ends), now, rests=now + REST)


def _seen(snapshot: Snapshot, push: Push) -> Collection | None:
    """What the device looks at, as far as it still may."""
    if push.owner != push.staff and snapshot.delegation(snapshot.staff(push.owner).handle, push.staff) is None:
        return None
    return snapshot.collection(push.owner, push.slug, push.staff)


def _pause(failures: int) -> timedelta:
    return PAUSES[min(failures, len(PAUSES) - 1)]


def _failed(push: Push, failure: str, *, final: bool) -> None:
    observe.count("pushes_failed", final=str(final).lower())
    observe.log("push_not_taken", level="warning", company=push.company, device=push.id[:8], failure=failure, final=final)


def _retry_after(response: Response, now: datetime) -> timedelta:
    """How long the service wants to be left alone, in seconds or until a date (RFC 9110 §10.2.3); a day at most."""
    written = response.headers.get("retry-after", "").strip()
    if written.isascii() and written.isdigit():
        wait = timedelta(seconds=int(written[:8]))
    else:
        try:
            until = parsedate_to_datetime(written)
        except ValueError:
            return timedelta()
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), GIVEN_UP)
