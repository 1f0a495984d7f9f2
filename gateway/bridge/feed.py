"""External iCalendar addresses of staff members: how one is given, fetched and tried (bridge.md §3.9, trust.md §4.8).

Whoever gives an address decides what this process connects to, so that everything goes through the guarded way out: every hop is
checked, and one deadline holds for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Container
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urljoin

from gateway.egress import Egress, Limits, Response
from gateway.errors import GatewayError, Invalid, Misconfigured, Missing, TooLarge, Unavailable
from gateway.ical import write
from gateway.ical.busytimes import Habits, busy_times
from gateway.links import Source
from gateway.model import Span, Staff, StaffId
from gateway.store import Snapshot, Transaction

OCTETS, SECONDS, HOPS = 5 * 1024 * 1024, 10.0, 5
"""Of one look: octets of the calendar, decoded; seconds for everything, redirects included; and how many of those."""

ORIGIN = "ics"
"""Under which the store keeps its busy times."""

_HEADERS = {"Accept": "text/calendar, */*;q=0.1", "Accept-Encoding": "gzip", "User-Agent": "calendar-gateway"}
_NOTHING = ("", "https://", "http://")
_REDIRECTS = (301, 302, 303, 307, 308)
_LATER = "It is tried again by itself."
_SPOKEN = (_LATER, "anew.", "iCal format.")  # how sentences end that say what to do


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """How often sources are read, which stretch of time around now is kept of them, and what counts as busy."""

    every: timedelta = timedelta(minutes=10)
    back: timedelta = timedelta(days=30)
    ahead: timedelta = timedelta(days=400)
    habits: Habits = field(default_factory=Habits)

    def window(self, now: datetime) -> Span:
        return Span(now - self.back, now + self.ahead)

    def habits_of(self, source: Source | None) -> Habits:
        """The staff member's own, the installation's where he has none."""
        usual, own = self.habits, source
        return Habits(
            tentative=usual.tentative if own is None or own.tentative is None else own.tentative,
            elsewhere=usual.elsewhere if own is None or own.elsewhere is None else own.elsewhere,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What a source answered: None for `body` when it has not changed."""

    body: bytes | None
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """The result of trying an address: `trouble` is a sentence, "" when it can be read; `step` says what to do about it."""

    reachable: bool
    trouble: str = ""
    step: str = ""
    events: int = 0
    zone: str = ""
    next: tuple[Span, ...] = ()
    warnings: tuple[str, ...] = ()


def address(given: str) -> str:
    """The address as it is fetched: webcal:// is https://. "" for none, which the field's own "https://" is as well. Raises Invalid."""
    url = given.strip()
    for scheme in ("webcals://", "webcal://"):
        if url.lower().startswith(scheme):
            url = "https://" + url[len(scheme) :]
    if url.lower() in _NOTHING:
        return ""
    if not url.lower().startswith(("https://", "http://")) or len(url) > 2000:
        raise Invalid("The address begins with https:// or webcal://.", field="external_ics_url")
    return url


class Fetcher:
    """Reads sources through the guarded way out, by the installation's terms. Thread-safe."""

    def __init__(self, egress: Egress, terms: Terms | None = None) -> None:
        self._egress = egress
        self.terms = terms or Terms()

    def fetch(self, url: str, *, etag: str = "", modified: str = "") -> Fetched:
        """Raises Invalid for an address that may not be called, and Unavailable, TooLarge with sentences."""
        headers = {**_HEADERS, **({"If-None-Match": etag} if etag else {}), **({"If-Modified-Since": modified} if modified else {})}
        try:
            answer = self._followed(url, headers)
        except TooLarge:
            raise TooLarge("The calendar is larger than 5 MB. Publish a part of it, or a shorter time.", limit="octets") from None
        if answer.status == 304 and (etag or modified):
            return Fetched(body=None, etag=etag, modified=modified)
        if answer.status != 200:
            raise Unavailable(_refusal(answer.status), retry_after=_seconds(answer.headers.get("retry-after", "")))
        return Fetched(body=answer.body, etag=_sendable(answer, "etag"), modified=_sendable(answer, "last-modified"))

    def _followed(self, url: str, headers: dict[str, str]) -> Response:
        """Each redirect is an address like the first, and checked like it (trust.md A141); none leads out of encryption."""
        end = time.monotonic() + SECONDS
        for _ in range(HOPS + 1):
            left = end - time.monotonic()
            if left <= 0:
                raise Unavailable("The address leads on and on, and takes too long.")
            answer = self._egress.fetch("GET", url, headers, limits=Limits(seconds=left, octets=OCTETS, plain=True))
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            onward = address(urljoin(url, answer.headers["location"]).partition("#")[0])
            if url.lower().startswith("https://") and not onward.lower().startswith("https://"):
                raise Unavailable("The address leads to one without encryption. Copy the address of the calendar anew.")
            url = onward
        raise Unavailable("The address leads in circles.")


def _refusal(status: int) -> str:
    if status in (401, 403):
        return "The calendar is not public: publish it in its program, or use its secret address in iCal format."
    if status in (404, 410):
        return "There is no calendar at this address any more. Copy its address anew."
    if status == 429:
        return f"The server of the calendar is asked too often. {_LATER}"
    return f"The server of the calendar answers {status}. {_LATER}"


def _sendable(answer: Response, name: str) -> str:
    """A header's value that can be sent back as it came; "" for one that no honest server sends."""
    value = answer.headers.get(name, "").strip()
    return value if len(value) <= 300 and value.isascii() and value.isprintable() else ""


def _seconds(text: str) -> int:
    """Retry-After, as far as it is a number (RFC 9110 §10.2.3)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def probe(
    fetcher: Fetcher,
    given: str,
    *,
    zone: str,
    now: datetime,
    own: Container[str] = (),
    people: Collection[str] = (),
    source: Source | None = None,
) -> Probe:
    """Try an address and say what it would block from now on; nothing is stored and nothing raised. Asks the network: in no transaction.

    `zone`, `own` and `people` as for `busy_times`; `source`: whose habits count.
    """
    try:
        url = address(given)
        if not url:
            return Probe(reachable=False, trouble="Please give the address of a calendar; it often ends in .ics.")
        body, window = fetcher.fetch(url).body or b"", Span(now, fetcher.terms.window(now).end)
        read = busy_times(body, zone=zone, window=window, own=own, people=people, habits=fetcher.terms.habits_of(source))
    except (Invalid, Unavailable, TooLarge) as error:
        return Probe(reachable=False, trouble=str(error), step=_step(error))
    return Probe(reachable=True, events=read.events, zone=read.zone, next=read.spans[:3], warnings=read.warnings)


def _step(error: GatewayError) -> str:
    """What to do next, where the sentence does not say so itself."""
    if isinstance(error, TooLarge) or str(error).endswith(_SPOKEN):
        return ""
    if isinstance(error, Unavailable):
        return "Check the address, or try again in a few minutes."
    return "Copy the address of the calendar anew; it often ends in .ics."


def trial(snapshot: Snapshot, fetcher: Fetcher, seal: Sealing | None, person: Staff, given: str, now: datetime) -> Callable[[], Probe]:
    """How to try an address, without one that which is kept, with everything that has to be known of the staff member: to be called when
    the snapshot is closed, because it asks the network."""
    source = snapshot.source(person.id)
    if given.strip().lower() in _NOTHING and source is not None and seal is not None:
        given = kept_address(snapshot, seal, person.id)
    own, people = own_uids(snapshot, person.id, fetcher.terms.window(now)), (person.email,)
    return lambda: probe(fetcher, given, zone=person.zone, now=now, own=own, people=people, source=source)


def own_uids(snapshot: Snapshot, staff: StaffId, window: Span) -> frozenset[str]:
    """The UIDs under which a staff member's own appointments come back in feeds: as the platform gives them out, without names, and as
    Google shows what we have written there. Nobody is kept busy by his own appointments a second time (product.md §7.4); what colleagues
    have is theirs, and whoever reads their feeds wants to be."""
    held = {each.entry.uid for each in snapshot.appointments(staff=[staff], window=window, cancelled=True)}
    mirrored = {f"{item.remote}@google.com" for link in snapshot.links(staff=staff) for item in snapshot.items(link.id) if item.remote}
    return frozenset(held | mirrored | set(map(write.opaque, held)))


class Sealing(Protocol):
    """As in gateway.seal."""

    def seal(self, secret: bytes) -> bytes: ...
    def unseal(self, sealed: bytes) -> bytes: ...


def kept_address(snapshot: Snapshot, seal: Sealing, staff: StaffId) -> str:
    """The address that is read for the staff member; "" when it cannot be unsealed, because the keys have changed. Raises Missing."""
    try:
        return seal.unseal(snapshot.source_address(staff)).decode()
    except Misconfigured:
        return ""


def put_address(tx: Transaction, seal: Sealing, staff: StaffId, given: str, now: datetime) -> None:
    """The staff member's external calendar from now on, read as soon as possible; "" or a bare scheme ends it. Raises Invalid, Missing.

    What the former address has said goes on blocking until the new one has been read.
    """
    url = address(given)
    tx.staff(staff)
    if not url:
        tx.remove_source(staff)
        return
    former = tx.source(staff)
    if former is not None and kept_address(tx, seal, staff) == url:
        tx.save_source(replace(former, due=now))
        return
    habits = (None, None) if former is None else (former.tentative, former.elsewhere)
    tx.save_source(Source(staff=staff, due=now, tentative=habits[0], elsewhere=habits[1]), seal.seal(url.encode()))


def put_habits(tx: Transaction, staff: StaffId, now: datetime, *, tentative: bool | None, elsewhere: bool | None) -> None:
    """What counts as busy for the staff member from now on; None: what the installation says. Raises Missing where nothing is imported."""
    former = tx.source(staff)
    if former is None:
        raise Missing("There is no external calendar.")
    if (former.tentative, former.elsewhere) != (tentative, elsewhere):
        tx.save_source(replace(former, due=now, tentative=tentative, elsewhere=elsewhere, etag="", modified=""))
