"""Notifications from providers, /hooks/…: there is news and nothing else, believed only with the secret of its channel.

However many come, one thread at most looks at them, and each of them once: a storm costs nobody else an answer. A notification that
is turned away is sent again by the provider, and one that is lost costs minutes, since every calendar is looked at unasked as well.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from gateway import observe
from gateway.model import Actor
from gateway.web.parts import Parts, on_thread, parts
from gateway.web.problems import Problem

OCTETS = 256 * 1024
"""Of one request; Microsoft bundles many notifications into one."""

AT_ONCE = 1000
"""Notifications of one request that are looked at, and of one look."""

WAITING = 10_000
"""Notifications that may wait for a look; the next ones are turned away."""

AGAIN = {"Retry-After": "30"}
LONGEST = 128
"""Signs of a channel's id, and of its secret (bridge.md §2.6, §3.5)."""

HANDSHAKE = 2048

_HOOK = Actor("hook", "mirror")


@dataclass(frozen=True, slots=True)
class Ring:
    """One notification: the channel it came through, the secret it brings. `ended`: there are no more of them until it is renewed."""

    channel: str
    secret: str
    ended: bool = False


@dataclass(slots=True)
class Bell:
    """Rings that wait to be looked at. Of one event loop."""

    waiting: dict[Ring, None] = field(default_factory=dict)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


BELL = web.AppKey("bell", Bell)


def routes() -> list[web.RouteDef]:
    return [web.post("/hooks/google", google), web.post("/hooks/microsoft", microsoft)]


async def google(request: web.Request) -> web.Response:
    """Google says nothing but headers; the token is all that tells it from anybody else (bridge.md §2.6)."""
    channel, token = request.headers.get("X-Goog-Channel-ID", ""), request.headers.get("X-Goog-Channel-Token", "")
    if 0 < len(channel) <= LONGEST and 0 < len(token) <= LONGEST:
        await _ring(request, [Ring(channel, token)])
    return web.Response(status=202)


async def microsoft(request: web.Request) -> web.Response:
    """The handshake is answered with its own words as plain text; notifications with 202 (bridge.md §3.5)."""
    token = request.query.get("validationToken")
    if token is not None:
        return _echo(token)
    rings = _told(await _octets(request))
    if rings:
        await _ring(request, rings)
    return web.Response(status=202)


def _echo(token: str) -> web.Response:
    """Microsoft's tokens are words and numbers. What could be read as anything but text is not sent back to anybody."""
    if not token.isprintable() or "<" in token or len(token) > HANDSHAKE:
        raise Problem(400, "This is no validation token.")
    return web.Response(text=token, content_type="text/plain")


async def _octets(request: web.Request) -> bytes:
    read = bytearray()
    async with asyncio.timeout(parts(request).limits.body_seconds):
        async for piece in request.content.iter_any():
            read += piece
            if len(read) > OCTETS:
                raise Problem(413, f"A notification may have {OCTETS} octets at most.")
    return bytes(read)


def _told(octets: bytes) -> list[Ring]:
    """Whatever of it can be understood. Addresses in it are never followed."""
    try:
        found: Any = json.loads(octets)["value"]  # whatever somebody sends
        return [ring for each in found[:AT_ONCE] if (ring := _one(each)) is not None]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []


def _one(told: Any) -> Ring | None:
    """Removed, or to be authorised anew, means for us: renew it, or make another. "missed" is news like any other (bridge.md §3.5)."""
    if not isinstance(told, dict):
        return None
    channel, secret = told.get("subscriptionId"), told.get("clientState")
    if not (isinstance(channel, str) and isinstance(secret, str) and 0 < len(channel) <= LONGEST and 0 < len(secret) <= LONGEST):
        return None
    return Ring(channel, secret, told.get("lifecycleEvent") in ("subscriptionRemoved", "reauthorizationRequired"))


async def _ring(request: web.Request, rings: list[Ring]) -> None:
    """Returns once they have been looked at. Whoever looks takes everything that waits; whoever comes next finds nothing left to do."""
    bell = request.app[BELL]
    if len(bell.waiting) + len(rings) > WAITING:
        observe.log("hook_overrun", level="warning", waiting=len(bell.waiting))
        raise Problem(503, "Too many notifications came at once.", headers=AGAIN)
    bell.waiting |= dict.fromkeys(rings)
    async with bell.looking:
        taken = list(bell.waiting)[:AT_ONCE]
        if not taken:
            return
        for each in taken:
            del bell.waiting[each]
        try:
            await on_thread(request.app, _wake, parts(request), taken)
        except BaseException:
            bell.waiting |= dict.fromkeys(taken[: max(0, WAITING - len(bell.waiting))])  # for whoever comes next
            raise


def _wake(given: Parts, rings: list[Ring]) -> None:
    """Runs on a thread. Unknown ones are passed over: nobody learns which there are."""
    known = 0
    for ring in rings:
        found = given.store.channel(ring.channel, ring.secret)
        if found is None:
            continue
        company, link = found
        if ring.ended:
            with given.store.write(company, _HOOK) as tx:
                tx.wear_channel(link.id, ring.channel)
        given.store.wake(company, link.id, given.clock())
        known += 1
    observe.log("hook", known=known, told=len(rings))
    if known:
        given.wake()
