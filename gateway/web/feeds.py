"""Subscription feeds: /feeds/{token}.ics. What it must satisfy stands in clients.md §9 and product.md §6."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import hdrs, web

from gateway import observe
from gateway.errors import GatewayError
from gateway.model import Actor, CompanyId, Feed
from gateway.store import Snapshot
from gateway.web import conditions, subscription
from gateway.web.guard import peer
from gateway.web.parts import Parts, at_leisure, on_thread
from gateway.web.problems import Problem
from gateway.web.shelf import Allowance, Edition, Fingerprint, Recent, Shelf, Stamp

NOTED_EVERY = timedelta(minutes=1)  # how often it is written down who fetched
_SMALL_READERS = ("google-calendar-importer",)
_UNKNOWN = "There is no such feed."
_REVOKED = "This feed was ended; ask whoever gave you the link for a new one."
_TYPE = "text/calendar; charset=utf-8"


def routes(given: Parts) -> list[web.RouteDef]:
    feeds = FeedDesk(given)
    return [web.get("/feeds/{token}.ics", feeds.fetch)]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One request for a feed, read."""

    token: str
    past: str | None
    future: str | None
    agent: str
    address: str
    if_none_match: str | None
    if_modified_since: str | None

    @property
    def small(self) -> bool:
        return self.agent.lower().startswith(_SMALL_READERS)

    def fits(self, stamp: Stamp) -> bool:
        """Whether the reader has this state already. If-None-Match counts alone when it is sent (RFC 9110 §13.2.2)."""
        if self.if_none_match is not None:
            return any(conditions.known(self.if_none_match, etag) for etag in (stamp.etag, stamp.packed))
        return conditions.unmodified(self.if_modified_since, stamp.modified)


@dataclass(frozen=True)
class Found:
    """What is answered: an edition, or only the stamp when the reader has it already."""

    company: CompanyId
    feed: Feed
    stamp: Stamp
    edition: Edition | None


class FeedDesk:
    """Hands out feeds, from the shelf where it can."""

    def __init__(self, given: Parts) -> None:
        self._given = given
        self._shelf = Shelf()
        self._allowance = Allowance(given.limits.feed_fetches)
        self._links: Recent[int, bool] = Recent(10_000)  # hashes of tokens that were right
        self._noted: dict[str, datetime] = {}
        self._noting: set[asyncio.Task[None]] = set()

    async def fetch(self, request: web.Request) -> web.Response:
        wish = Wish(
            token=request.match_info["token"],
            past=request.query.get("past"),
            future=request.query.get("future"),
            agent=_printable(request.headers.get("User-Agent", "")),
            address=peer(request),
            if_none_match=_list(request, hdrs.IF_NONE_MATCH),
            if_modified_since=request.headers.get(hdrs.IF_MODIFIED_SINCE),
        )
        now = self._given.clock()
        found = self._at_once(wish, now)
        if found is None:
            found = await at_leisure(request.app, self._find, wish, now)
        self._note(request.app, found, wish, now)
        return _response(request, found)

    def _at_once(self, wish: Wish, now: datetime) -> Found | None:
        """That nothing has changed, for who knows the link: on an embedded database it takes less than the way to a thread and back.
        None: it has to be looked at at leisure."""
        if wish.if_none_match is None or not self._given.store.embedded or self._links.get(hash(wish.token)) is None:
            return None
        known = self._given.store.feed_by_token(wish.token)
        if known is None or known[1].revoked is not None:
            return None
        company, feed = known
        with self._given.store.read(company) as snapshot:
            stamp = self._shelf.stamps.get(self._wanted(snapshot, feed, wish, now))
        return Found(company, feed, stamp, None) if stamp is not None and wish.fits(stamp) else None

    def _find(self, wish: Wish, now: datetime) -> Found:
        """Runs on a thread."""
        given = self._given
        seconds = given.guesses.refuse("feed", None, wish.address, now, may_fit=lambda: given.store.may_fit("feed", wish.token, now))
        if seconds is not None:
            raise Problem(429, "Too many feeds that do not exist were asked for.", headers={"Retry-After": str(seconds)})
        known = given.store.feed_by_token(wish.token)
        if known is None:
            given.guesses.wrong("feed", None, wish.address, now)
            raise Problem(404, _UNKNOWN)
        company, feed = known
        if feed.revoked is not None:
            raise Problem(410, _REVOKED)
        self._links.keep(hash(wish.token), True)
        with self._given.store.read(company) as snapshot:
            wanted = self._wanted(snapshot, feed, wish, now)
            stamp = self._shelf.stamps.get(wanted)
            if stamp is not None and wish.fits(stamp):
                return Found(company, feed, stamp, None)
            self._admit(feed, now)
            edition = self._shelf.edition(wanted)
            if edition is None:
                edition = subscription.edition(snapshot, feed, wanted, self._shelf, self._given.limits)
                self._shelf.keep(edition)
                observe.log("feed_rendered", company=company, feed=feed.id, revision=wanted.revision, octets=len(edition.octets))
        if wish.fits(edition.stamp):
            return Found(company, feed, edition.stamp, None)
        self._allowance.spend(feed.id, now)
        return Found(company, feed, edition.stamp, edition)

    @staticmethod
    def _wanted(snapshot: Snapshot, feed: Feed, wish: Wish, now: datetime) -> Fingerprint:
        past, future = _days("past", wish.past), _days("future", wish.future)
        return subscription.fingerprint(snapshot, feed, now, past=past, future=future, small=wish.small)

    def _admit(self, feed: Feed, now: datetime) -> None:
        seconds = self._allowance.wait(feed.id, now)
        if seconds:
            sentence = f"This feed was fetched too often; it may be fetched again in {seconds} seconds."
            raise Problem(429, sentence, headers={"Retry-After": str(seconds)})

    def _note(self, app: web.Application, found: Found, wish: Wish, now: datetime) -> None:
        """Have it written down who fetched, after the answer and at most once a minute."""
        last = max(filter(None, (found.feed.last_fetched, self._noted.get(found.feed.id))), default=None)
        if last is not None and now - last < NOTED_EVERY:
            return
        if len(self._noted) > 50_000:
            self._noted.clear()
        self._noted[found.feed.id] = now
        task = asyncio.ensure_future(self._write_down(app, found, wish.agent, now))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _write_down(self, app: web.Application, found: Found, agent: str, now: datetime) -> None:
        def write() -> None:
            with self._given.store.write(found.company, Actor("feed", "feed")) as tx:
                tx.feed_fetched(found.feed.id, agent, now)

        try:
            await on_thread(app, write)
        except (GatewayError, RuntimeError) as error:  # busy, or the pool has closed: the next fetch is written down
            observe.log("feed_not_noted", company=found.company, feed=found.feed.id, error=type(error).__name__)


def _response(request: web.Request, found: Found) -> web.Response:
    stamp, edition = found.stamp, found.edition
    packed = "gzip" in _accepted(request)
    headers = {
        "ETag": stamp.packed if packed else stamp.etag,
        "Last-Modified": conditions.http_date(stamp.modified),
        "Cache-Control": "private, max-age=300",
        "Vary": "Accept-Encoding, User-Agent" if stamp.by_reader else "Accept-Encoding",
        "X-Robots-Tag": "noindex",
    }
    if edition is None:
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = _TYPE
    if request.query.get("download") == "1":
        headers["Content-Disposition"] = 'attachment; filename="appointments.ics"'
    if packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=edition.gzipped if packed else edition.octets, headers=headers)


def _accepted(request: web.Request) -> set[str]:
    """The codings asked for; what is asked for with q=0 is not (RFC 9110 §12.5.3)."""
    accepted = set()
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, weight = part.strip().partition(";")
        if not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight):
            accepted.add(coding.strip())
    return accepted


def _days(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise Problem(400, f"`{name}` is a number of days, such as {name}=30.")
    return int(text)


def _list(request: web.Request, name: str) -> str | None:
    """The whole of a header that may come in several lines."""
    lines = request.headers.getall(name, None)
    return None if lines is None else ", ".join(lines)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:200]
