"""External iCalendar addresses of staff members: read now and then, believed with caution, kept as times and nothing else.

A source that fails never makes anybody free: the last good times stay, and their age is known (bridge.md §3.9, I11).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urljoin

from gateway import observe
from gateway.bridge.errand import spread
from gateway.egress import Egress, Limits, Response
from gateway.errors import GatewayError, Invalid, TooLarge, Unavailable
from gateway.ical.busytimes import BusyTimes, busy_times
from gateway.links import LinkId, Source
from gateway.model import Actor, CompanyId, Span, StaffId
from gateway.store import Store, Transaction

OCTETS, SECONDS, HOPS = 5 * 1024 * 1024, 10.0, 5
BACK, AHEAD = timedelta(days=2), timedelta(days=400)
EVERY = timedelta(minutes=10)
LONGEST_REST = timedelta(hours=2)

SURE = timedelta(hours=3)
"""How long a source that has become empty all at once has to stay empty before it is believed."""

ORIGIN = "ics"
_ACTOR = Actor("imports", "imports")
_HEADERS = {"Accept": "text/calendar, */*;q=0.1", "Accept-Encoding": "gzip", "User-Agent": "calendar-gateway"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What a source answered: None for `body` when it has not changed."""

    body: bytes | None
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """The result of trying an address: `trouble` is a sentence with a next step, "" when it can be read."""

    reachable: bool
    trouble: str = ""
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
    if url in ("", "https://", "http://"):
        return ""
    if not url.lower().startswith(("https://", "http://")) or len(url) > 2000:
        raise Invalid("The address begins with https:// or webcal://.", field="external_ics_url")
    return url


class Fetcher:
    """Reads sources through the guarded way out. Thread-safe."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    def fetch(self, url: str, *, etag: str = "", modified: str = "") -> Fetched:
        """Raises Invalid for an address that may not be called, and Unavailable, TooLarge with sentences."""
        headers = {**_HEADERS, **({"If-None-Match": etag} if etag else {}), **({"If-Modified-Since": modified} if modified else {})}
        answer = self._followed(url, headers)
        if answer.status == 304:
            return Fetched(body=None, etag=etag, modified=modified)
        if answer.status != 200:
            raise Unavailable(_refusal(answer.status))
        return Fetched(body=answer.body, etag=answer.headers.get("etag", "")[:300], modified=answer.headers.get("last-modified", "")[:100])

    def _followed(self, url: str, headers: dict[str, str]) -> Response:
        """Each redirect is an address like the first, and checked like it (trust.md A141)."""
        for _ in range(HOPS + 1):
            answer = self._egress.fetch("GET", url, headers, limits=Limits(seconds=SECONDS, octets=OCTETS, plain=True))
            if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers:
                return answer
            url = address(urljoin(url, answer.headers["location"]))
        raise Unavailable("The address leads in circles.")


def _refusal(status: int) -> str:
    if status in (401, 403):
        return "The calendar is not public: publish it in its program, or use its secret address in iCal format."
    if status in (404, 410):
        return "There is no calendar at this address any more. Copy its address anew."
    return f"The server of the calendar answers {status}. It is tried again by itself."


def probe(fetcher: Fetcher, given: str, *, zone: str, now: datetime, own: Sequence[str] = ()) -> Probe:
    """Try an address and say what it would block; nothing is stored and nothing raised."""
    try:
        url = address(given)
        if not url:
            return Probe(reachable=False, trouble="Please give the address of a calendar; it often ends in .ics.")
        got = fetcher.fetch(url)
        read = busy_times(got.body or b"", zone=zone, window=Span(now, now + AHEAD), own=own)
    except (Invalid, Unavailable, TooLarge) as error:
        return Probe(reachable=False, trouble=str(error))
    return Probe(reachable=True, events=read.events, zone=read.zone, next=read.spans[:3], warnings=read.warnings)


class Sealing(Protocol):
    """As in gateway.seal."""

    def seal(self, secret: bytes) -> bytes: ...
    def unseal(self, sealed: bytes) -> bytes: ...


def put_address(tx: Transaction, seal: Sealing, staff: StaffId, given: str, now: datetime) -> None:
    """The staff member's external calendar from now on; "" or a bare scheme ends it. Raises Invalid, Missing."""
    url = address(given)
    tx.staff(staff)
    if not url:
        tx.remove_source(staff)
        return
    former = tx.source(staff)
    if former is not None and seal.unseal(tx.source_address(staff)).decode() == url:
        return
    tx.forget_busy(staff, ORIGIN)
    tx.save_source(Source(staff=staff, due=now), seal.seal(url.encode()))


class Imports:
    """The chore that reads sources when they are due (worker.Chore)."""

    name = "imports"

    def __init__(self, store: Store, seal: Sealing, fetcher: Fetcher, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._seal = seal
        self._fetcher = fetcher
        self._clock = clock

    def run(self, now: datetime) -> datetime | None:
        """The sources that are due, one after the other; when the next one is."""
        for company, staff in self._store.sources_due(now, 20):
            with observe.about(company=company):
                self._one(company, staff, self._clock())
        return self._store.next_source()

    def _one(self, company: CompanyId, staff: StaffId, now: datetime) -> None:
        with self._store.read(company) as snapshot:
            source, person = snapshot.source(staff), snapshot.staff(staff)
            if source is None:
                return
            url = self._seal.unseal(snapshot.source_address(staff)).decode()
            confirmed = snapshot.foreign_origins(staff).get(ORIGIN)
            own = [held.entry.uid for held in snapshot.appointments(staff=[staff], window=Span(now - BACK, now + AHEAD))]
        stale = confirmed is None or confirmed.date() != now.date()  # a new day: the window has rolled on
        try:
            got = self._fetcher.fetch(url, etag="" if stale else source.etag, modified="" if stale else source.modified)
            read = None
            if got.body is not None:
                read = busy_times(got.body, zone=person.zone, window=Span(now - BACK, now + AHEAD), own=own)
        except GatewayError as error:
            self._failed(company, source, str(error), now)
            return
        self._read(company, source, got, read, now)

    def _read(self, company: CompanyId, source: Source, got: Fetched, read: BusyTimes | None, now: datetime) -> None:
        """Apply a sound answer. What has become empty all at once is believed when it still is after some hours (bridge.md §4, 1)."""
        due = now + spread(LinkId(source.staff), EVERY)
        new = replace(source, due=due, fetched=now, failing=None, trouble="", etag=got.etag, modified=got.modified)
        with self._store.write(company, _ACTOR) as tx:
            if tx.source(source.staff) is None:
                return
            if read is None:
                tx.confirm_busy(source.staff, ORIGIN, now)
            else:
                digest = hashlib.sha256(repr(read.spans).encode()).hexdigest()
                new = replace(new, events=read.events, zone=read.zone, warnings=read.warnings)
                if not read.events and source.events and (source.shrunk is None or source.shrunk + SURE > now):
                    doubt = "The calendar is empty all at once. Its last known times go on blocking until it says so again in some hours."
                    new = replace(new, shrunk=source.shrunk or now, events=source.events, trouble=doubt, etag="", modified="")
                else:
                    tx.put_busy(source.staff, ORIGIN, read.spans, now)
                    new = replace(new, digest=digest, shrunk=None)
            tx.save_source(new)

    def _failed(self, company: CompanyId, source: Source, sentence: str, now: datetime) -> None:
        since = source.failing or now
        rest = min(max(now - since, spread(LinkId(source.staff), EVERY)), LONGEST_REST)
        with self._store.write(company, _ACTOR) as tx:
            if tx.source(source.staff) is not None:
                tx.save_source(replace(source, due=now + rest, failing=since, trouble=sentence[:500]))
        observe.log("import_failed", level="warning", staff=source.staff)
