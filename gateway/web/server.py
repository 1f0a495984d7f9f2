"""The server: the rooms of the front door under one roof, started, and ended without losing a request."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from gateway import observe
from gateway.web import answer, api, dav, feeds, operations, pages
from gateway.web.guard import dress, guard
from gateway.web.parts import CLOSING, PARTS, POOL, Limits, Parts

__all__ = ["Limits", "Parts", "build", "serve"]

GRACE = 3.0  # seconds that requests under way get at the end
IDLE = 75.0  # seconds until a connection that says nothing, or drips a header, is closed


def build(parts: Parts) -> web.Application:
    """The application: REST, feeds, pages, operations, and CalDAV when the parts contain it. Opens nothing yet."""
    app = web.Application(middlewares=[guard], client_max_size=parts.limits.body)
    app[PARTS] = parts
    app.on_response_prepare.append(dress)
    app.cleanup_ctx.append(_threads)
    rooms = operations.routes(), pages.routes(parts), answer.routes(), feeds.routes(parts), api.routes(), dav.routes(parts)
    app.add_routes([route for room in rooms for route in room])
    return app


def serve(parts: Parts, *, host: str, port: int, started: Callable[[int, Callable[[], None]], None]) -> None:
    """Serve until SIGINT, SIGTERM or `stop`; then finish the requests under way and return.

    `started(port, stop)` is called once the port is open: with its number (0 asks for a free one) and a function, callable from
    any thread, that ends the server. Signals are only caught in the main thread. Raises OSError when the port is taken.
    """
    asyncio.run(_serve(parts, host, port, started))


async def _serve(parts: Parts, host: str, port: int, started: Callable[[int, Callable[[], None]], None]) -> None:
    app = build(parts)
    runner = web.AppRunner(
        app,
        access_log=None,  # the guard writes it, without secrets
        logger=_Wire(),
        auto_decompress=False,  # nobody compresses requests to us but attackers (trust.md A046)
        keepalive_timeout=IDLE,
        max_line_size=parts.limits.header,
        max_field_size=parts.limits.header,
        max_headers=parts.limits.headers,
        shutdown_timeout=GRACE,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=512)
        await site.start()
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, end.set)

        def stop() -> None:
            loop.call_soon_threadsafe(end.set)

        started(runner.addresses[0][1], stop)
        await end.wait()
    finally:
        app[CLOSING].set()
        await runner.cleanup()


class _Wire:
    """Takes aiohttp's complaints about what is no HTTP. Its own would be errors with a traceback and the octets that were sent,
    and a mistyped Authorization header must not end up in a log."""

    def debug(self, text: str, *values: object, exc_info: BaseException | None = None) -> None:
        if exc_info is not None:
            observe.log("wire_broken", error=type(exc_info).__name__)

    info = warning = error = exception = debug


async def _threads(app: web.Application) -> AsyncIterator[None]:
    """The pool that works on the database, and the sign that the end has come."""
    app[CLOSING] = asyncio.Event()
    app[POOL] = ThreadPoolExecutor(app[PARTS].limits.threads, thread_name_prefix="door")
    yield
    app[POOL].shutdown(wait=False, cancel_futures=True)
