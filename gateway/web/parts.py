"""What the front door is made of: parts handed in by the app, and the threads that wait for the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from aiohttp import web

from gateway.bridge.accounts import Accounts
from gateway.bridge.feed import Fetcher
from gateway.guesses import Guesses
from gateway.oidc import Provider
from gateway.post.note import Desk
from gateway.store import Store
from gateway.web.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")


class Mailbox(Protocol):
    """The demo's mailbox: every mail its SMTP server has taken, oldest first."""

    def mails(self) -> Sequence[Mapping[str, Any]]:
        """JSON-ready: {to, subject, text, html, attachments: [{filename, content_type, text}], sent_at} (contract.md §3)."""


class Sealer(Protocol):
    """Encrypts what must be shown again, such as a feed's address."""

    def seal(self, secret: bytes) -> bytes: ...
    def unseal(self, sealed: bytes) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one request, and one reader of a feed, may ask for."""

    body: int = 1024 * 1024  # octets of a request body; CalDAV and REST
    json: int = 64 * 1024  # octets of a REST body
    body_seconds: float = 30.0  # until a body must have arrived
    headers: int = 100
    header: int = 8190  # octets of one header, and of the request line
    threads: int = 8  # requests that work on the database at once; others wait
    wait_seconds: int = 60  # the longest long-poll
    feed_fetches: int = 60  # full answers per feed and hour; 304 costs nothing
    feed_bytes: int = 900_000  # what Google's importer takes; it drops larger feeds silently
    feed_events: int = 1000


@dataclass(frozen=True, kw_only=True)
class ProviderFacts:
    """What the pages say about a provider: whether people can connect at all, and the address it sends them back to."""

    configured: bool = False
    redirect: str = ""
    consent: str = ""  # the origin of the page where people agree


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything the pages need, as plain values and callables.

    `public_url` is what people type, without a slash at the end ("https://calendar.example.com"). `clock` answers aware UTC.
    `wake` tells all workers to look again, `stir` those alone who follow the log; both return at once. `dav` is the
    WSGI application mounted at /dav/.
    `unready` lists what else keeps the process from serving (a dead runner), a sentence each; it may block for a moment.
    """

    store: Store
    public_url: str
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    stir: Callable[[], None]
    dav: Callable[..., Any] | None = None  # WSGI: (environ, start_response) -> iterable of bytes; radicale's own type is untyped
    mailbox: Mailbox | None = None
    sealer: Sealer | None = None
    providers: Mapping[str, ProviderFacts] = field(default_factory=lambda: {"google": ProviderFacts(), "microsoft": ProviderFacts()})
    fetcher: Fetcher | None = None  # who reads external iCalendar addresses; None: none are taken
    identity: Provider | None = None  # who vouches for people at the pages; None: their passwords do
    accounts: Accounts | None = None  # who connects calendars elsewhere; None: nobody does
    letters: Desk | None = None  # how letters are written; None: none are, such as the one about a forgotten password
    unready: Callable[[], Sequence[str]] = tuple
    trusted_proxies: frozenset[str] = frozenset()  # addresses whose X-Forwarded-For is believed
    bearer: bool = False  # whether `dav` takes access tokens too
    sign: Callable[[bytes], bytes] | None = None  # a configuration profile, signed; None: they go unsigned
    limits: Limits = field(default_factory=Limits)
    guesses: Guesses = field(default_factory=Guesses)  # those at the calendars' door count as well: one for all doors


PARTS = web.AppKey("parts", Parts)
POOL = web.AppKey("pool", Threads)
LARGE = web.AppKey("large", Threads)
CLOSING = web.AppKey("closing", asyncio.Event)
"""Set when the server goes down: whoever waits for something to happen answers what he has."""


def parts(request: web.Request) -> Parts:
    return request.app[PARTS]


def host_cookie(given: Parts, name: str) -> str:
    """With its prefix browsers take a cookie from us alone, over TLS alone (RFC 6265bis §4.1.3)."""
    return f"__Host-{name}" if given.public_url.startswith("https:") else name


async def on_thread(app: web.Application, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work on the front door's own threads. It is carried to its end even if the client has gone."""
    return await app[POOL].run(partial(work, *args, **kwargs))


async def at_leisure(app: web.Application, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what may become large, such as a whole calendar: two at once. One interpreter puts more of them together no sooner,
    but holds all of them meanwhile; and nothing short waits behind them."""
    return await app[LARGE].run(partial(work, *args, **kwargs))
