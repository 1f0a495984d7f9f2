"""The server: the rooms of the front door under one roof, started, and ended without losing a request."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from gateway import thrift
from gateway.web import api, connect, dav, feeds, hooks, operations, pages, site, timezones
from gateway.web.guard import dress, guard
from gateway.web.parts import CLOSING, LARGE, PARTS, POOL, Limits, Parts
from gateway.web.threads import Threads
from gateway.web.wire import Complaints, Runner

__all__ = ["Limits", "Parts", "build", "serve"]

LARGE_AT_ONCE = 2  # answers that may have megabytes, put together at the same time
GRACE = 3.0  # seconds that requests under way get at the end
LAST_LOOKS = 20  # rounds of the loop before the door closes, each with a look at the sockets: what has arrived by then is still read
BREATH = 1.0  # seconds between two looks whether memory can be given back
IDLE = 75.0  # seconds until a connection that says nothing, or drips a header, is closed

Started = Callable[[int, Callable[[], None]], None]


def build(parts: Parts) -> web.Application:
    """The application: REST, feeds, pages, operations, and CalDAV when the parts contain it. Opens nothing yet."""
    app = web.Application(middlewares=[guard], client_max_size=parts.limits.body)
    app[PARTS] = parts
    app[hooks.BELL] = hooks.Bell()
    app.on_response_prepare.append(dress)
    app.cleanup_ctx.append(_threads)
    rooms = (
        operations.routes(),
        timezones.routes(),
        pages.routes(parts),
        connect.routes(),
        hooks.routes(),
        site.routes(),
        feeds.routes(parts),
        api.routes(),
        dav.routes(parts),
    )
    app.add_routes([route for room in rooms for route in room])
    return app


def serve(parts: Parts, *, host: str, port: int, started: Started, shared: bool = False) -> None:
    """Serve until SIGINT, SIGTERM or `stop`; then finish the requests under way and return.

    `started(port, stop)` is called once the port is open: with its number (0 asks for a free one) and a function, callable from
    any thread, that ends the server. Signals are only caught in the main thread; after the first one they are ignored for good,
    since the process is about to end. `shared`: other processes listen at the same address, and the kernel deals out connections
    (SO_REUSEPORT). Raises OSError when the port is taken.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as loop:
        loop.run(_serve(parts, host, port, started, shared))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, with which a brief request takes a tenth less CPU; None, asyncio's own, where it cannot be had."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(parts: Parts, host: str, port: int, started: Started, shared: bool) -> None:
    app = build(parts)
    runner = Runner(
        app,
        access_log=None,  # the guard writes it, without secrets
        logger=Complaints(),
        auto_decompress=False,  # nobody compresses requests to us but attackers (trust.md A046)
        keepalive_timeout=IDLE,
        max_line_size=parts.limits.header,
        max_field_size=parts.limits.header,
        max_headers=parts.limits.headers,
        shutdown_timeout=GRACE,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=512, reuse_port=shared or None)
        await site.start()
        loop, end = asyncio.get_running_loop(), asyncio.Event()

        def stop() -> None:
            loop.call_soon_threadsafe(end.set)

        breathing = asyncio.create_task(_breathe(parts))
        with _signals(stop):
            started(runner.addresses[0][1], stop)
            await end.wait()
            breathing.cancel()
            for _ in range(LAST_LOOKS):
                await asyncio.sleep(0)
    finally:
        app[CLOSING].set()
        await runner.cleanup()


async def _breathe(given: Parts) -> None:
    """Memory that is free goes back to the system."""
    while True:
        await asyncio.sleep(BREATH)
        given.store.rest()
        thrift.give_back()


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Stop at the first signal, and be deaf afterwards.

    Not by the loop's own way (add_signal_handler): while the loop closes, it gives the signals back before it is done, so that an
    impatient second one kills the process in the middle of its end, or makes Python complain about a closed wake-up descriptor.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ends = (signal.SIGINT, signal.SIGTERM)

    def told(number: int, _: object) -> None:
        for each in ends:
            signal.signal(each, lambda *_: None)
        stop()

    before = {number: signal.signal(number, told) for number in ends}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is told:
                signal.signal(number, handler)


async def _threads(app: web.Application) -> AsyncIterator[None]:
    """The pool that works on the database, and the sign that the end has come."""
    app[CLOSING] = asyncio.Event()
    app[POOL], app[LARGE] = Threads(app[PARTS].limits.threads), Threads(LARGE_AT_ONCE, "door_large")
    yield
    app[POOL].close()
    app[LARGE].close()
