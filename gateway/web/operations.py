"""For whoever keeps it running: is it alive, is it ready, what does it count. And the few files every site has."""

from __future__ import annotations

from aiohttp import web

from gateway import observe
from gateway.errors import GatewayError
from gateway.web.paper import file
from gateway.web.parts import Parts, on_thread, parts
from gateway.web.problems import Problem

# Nothing is disallowed for feeds: a robots.txt that closes them stops Google's importer silently (clients.md §9).
_ROBOTS = "User-agent: *\nAllow: /feeds/\nDisallow: /api/\nDisallow: /dav/\nDisallow: /answer/\nDisallow: /connect/\n"

_LOCKED = "A backup was restored: no letter is sent, and no calendar elsewhere is read or written, before somebody says: gateway unlock"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/healthz", alive),
        web.get("/readyz", ready),
        web.get("/metrics", metrics),
        web.get("/robots.txt", robots),
        web.get("/favicon.ico", icon),
        web.get("/static/{name:.+}", static),
    ]


async def alive(request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def ready(request: web.Request) -> web.Response:
    """The process can serve: 200, or 503 with every reason why not. After a restore it serves, and says what it does not do yet."""
    given = parts(request)
    database, reasons, notes = await on_thread(request.app, _look, given)
    body = {"status": "unavailable" if reasons else "ok", "database": database, "reasons": reasons, **({"notes": notes} if notes else {})}
    return web.json_response(body, status=503 if reasons else 200, headers={"Cache-Control": "no-store"})


def _look(given: Parts) -> tuple[str, list[str], list[str]]:
    try:
        return given.store.ping(), list(given.unready()), [_LOCKED] if given.store.locked else []
    except GatewayError as error:
        return "unavailable", [str(error), *given.unready()], []


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text. It carries no names and no secrets; a proxy need not publish it all the same."""
    text = await on_thread(request.app, observe.metrics_text)
    return web.Response(text=text, content_type="text/plain", charset="utf-8", headers={"Cache-Control": "no-store"})


async def robots(request: web.Request) -> web.Response:
    return web.Response(text=_ROBOTS, content_type="text/plain", headers={"Cache-Control": "public, max-age=86400"})


async def icon(request: web.Request) -> web.Response:
    return _file("icon.svg", "public, max-age=86400")


async def static(request: web.Request) -> web.Response:
    return _file(request.match_info["name"], "public, max-age=31536000, immutable")


def _file(name: str, cache: str) -> web.Response:
    found = file(name)
    if found is None:
        raise Problem(404, "There is nothing at this address.")
    kind, octets = found
    return web.Response(body=octets, content_type=kind, headers={"Cache-Control": cache})
