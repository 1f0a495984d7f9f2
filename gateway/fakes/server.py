"""Carries requests from sockets to providers and answers back, mangled where a fault wants it; and their notifications out.

All of it runs on one event loop of one thread. Providers do the work at once; nothing waits but the network and faults.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from gateway.fakes import control
from gateway.fakes.provider import Breakage, Outcome, Provider
from gateway.fakes.wire import Ask, Heard, Outgoing, Reply, Request, loopback

NOTIFY_SECONDS = 5.0
LARGEST = 4 * 1024 * 1024  # octets of a body


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """A port on loopback. With `tls` it serves the provider's addresses; the control is plain everywhere."""

    provider: Provider
    port: int = 0
    tls: ssl.SSLContext | None = None
    control_only: bool = False


class Site:
    """One provider on the network."""

    def __init__(self, door: Door, mouth: Mouth) -> None:
        self._door = door
        self._provider = door.provider
        self._mouth = mouth
        self._busy: Counter[str] = Counter()
        self._end = asyncio.Event()
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Site]:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2, auto_decompress=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._door.port, ssl_context=self._door.tls, backlog=512).start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            self._end.set()
            await runner.cleanup()

    async def _handle(self, received: web.Request) -> web.StreamResponse:
        request = Request(
            method=received.method,
            target=received.raw_path,
            headers={name.lower(): ", ".join(received.headers.getall(name)) for name in received.headers},
            body=await received.read(),
            base=f"{received.scheme}://{received.host}",
        )
        if request.path.startswith(control.PREFIX):
            return _response(control.steer(self._provider, request))
        if self._door.control_only:
            return web.Response(status=404)
        return await self._counted(received, request)

    async def _counted(self, received: web.Request, request: Request) -> web.StreamResponse:
        """No more requests at a time than the provider bears from one caller."""
        token, limit = request.headers.get("authorization", ""), self._provider.concurrency
        if limit and token and self._busy[token] >= limit:
            return _response(_ready(self._provider.crowded(request)))
        self._busy[token] += 1
        try:
            return await self._answer(received, request)
        finally:
            self._busy[token] -= 1
            if not self._busy[token]:
                del self._busy[token]

    async def _answer(self, received: web.Request, request: Request) -> web.StreamResponse:
        outcome = self._provider.answer(request)
        if isinstance(outcome.result, Ask):
            heard = await self._mouth.ask(outcome.result.outgoing, outcome.result.seconds)
            outcome = self._provider.resume(outcome, heard)
        self._mouth.wake()
        if outcome.delay:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), outcome.delay)
        if outcome.breakage:
            return await self._broken(received, _ready(outcome), outcome.breakage)
        return _response(_ready(outcome))

    async def _broken(self, received: web.Request, reply: Reply, breakage: Breakage) -> web.StreamResponse:
        if breakage == "blackhole":
            await self._end.wait()
        if breakage == "truncate":
            half = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
            half.content_length = max(len(reply.body), 2)
            await half.prepare(received)
            await half.write((reply.body or b"{}")[: max(1, len(reply.body) // 2)])
            _hang_up(received, reset=False)
            return half
        _hang_up(received, reset=True)
        return web.Response(status=500)


def _ready(outcome: Outcome) -> Reply:
    return outcome.result if isinstance(outcome.result, Reply) else Reply(status=500)


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=dict(reply.headers), body=reply.body or None)


def _hang_up(received: web.Request, *, reset: bool) -> None:
    """End the connection in the middle; a reset tells the caller so at once and throws away what was under way."""
    transport = received.transport
    if transport is None:
        return
    wire = transport.get_extra_info("socket")
    if reset and wire is not None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort() if reset else transport.close()


class Mouth:
    """Says what the providers have to say to other addresses of this machine; never to any beyond it."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = providers
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        for provider in providers:
            provider.speak = self.wake_from_anywhere

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Mouth]:
        connector = aiohttp.TCPConnector(ssl=False, force_close=True)  # whatever certificate the gateway has: it is on this machine
        async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
            self._session = session
            try:
                yield self
            finally:
                for provider in self._providers:
                    provider.speak = _nothing
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def wake_from_anywhere(self) -> None:
        self._loop.call_soon_threadsafe(self.wake)

    def wake(self) -> None:
        """Say what has gathered."""
        for provider in self._providers:
            for outgoing in provider.take_outbox():
                task = self._loop.create_task(self._tell(provider, outgoing))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def ask(self, outgoing: Sequence[Outgoing], seconds: float) -> list[Heard | None]:
        return [await self._post(each, seconds) for each in outgoing]

    async def _tell(self, provider: Provider, outgoing: Outgoing) -> None:
        heard = await self._post(outgoing, NOTIFY_SECONDS)
        provider.delivered(outgoing, heard.status if heard else 0)

    async def _post(self, outgoing: Outgoing, seconds: float) -> Heard | None:
        if self._session is None or not loopback(outgoing.url):
            return None
        try:
            async with self._session.post(
                outgoing.url,
                data=outgoing.body,
                headers=dict(outgoing.headers),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as answer:
                return Heard(status=answer.status, kind=answer.headers.get("Content-Type", ""), text=await answer.text(errors="replace"))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None


def _nothing() -> None:
    """Nobody listens any more."""
