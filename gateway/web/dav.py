"""The CalDAV seat: a WSGI application (Radicale with our plugins) on the front door's threads, behind the gate.

    routes(given: Parts) -> list[web.RouteDef]

`server.build` adds them like those of every other room; none when `given.dav` is None. They are: /dav and everything below it,
/.well-known/caldav (with and without slash, every method: 301 to /dav/, RFC 6764 §5), and PROPFIND and OPTIONS on "/", which
DAV clients try when somebody types the bare host name. GET on "/" stays with the pages.

The application is called on a thread with a body that has arrived completely, within its limit. It sees the headers below and no
others: what strangers could send to steer a reverse-proxied Radicale (X-Script-Name, X-Remote-User, X-Forwarded-…) never reaches it.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.web import gate
from gateway.web.guard import peer
from gateway.web.parts import Parts, on_thread, parts
from gateway.web.problems import Problem

PREFIX = "/dav"

_PASSED_ON = (
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "Brief",
    "CalDAV-Timezones",
    "Depth",
    "Destination",
    "Host",
    "If",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Schedule-Tag-Match",
    "If-Unmodified-Since",
    "Overwrite",
    "Prefer",
    "Push-Dont-Notify",
    "User-Agent",
)
_KEYS = tuple((name, f"HTTP_{name.upper().replace('-', '_')}") for name in _PASSED_ON)

Wsgi = Callable[..., Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def routes(given: Parts) -> list[web.RouteDef]:
    if given.dav is None:
        return []
    return [
        web.route("*", "/dav", calendar),
        web.route("*", "/dav/{path:.*}", calendar),
        web.route("*", "/.well-known/caldav", well_known),
        web.route("*", "/.well-known/caldav/", well_known),
        web.route("PROPFIND", "/", calendar),
        web.options("/", calendar),
    ]


async def well_known(request: web.Request) -> web.Response:
    """Relative on purpose: scheme, host and port stay as the client, or the proxy before us, has them."""
    return web.Response(status=301, headers={"Location": f"{PREFIX}/"})


async def calendar(request: web.Request) -> web.Response:
    """One CalDAV request from gate to answer."""
    given = parts(request)
    assert given.dav is not None  # noqa: S101  there is no route here otherwise
    path = gate.admit(request.method, request.raw_path, request.headers, bearer=given.bearer)
    body = await _body(request, given)
    reply = await on_thread(request.app, _call, given.dav, environ(request, path, body))
    if request.method in gate.WRITING and reply.status < 300:
        given.wake()
    return _response(request, reply)


async def _body(request: web.Request, given: Parts) -> bytes:
    """The whole body, chunked or not; Radicale itself only knows Content-Length."""
    if not request.can_read_body:
        return b""
    async with asyncio.timeout(given.limits.body_seconds):
        body = await request.read()
    if len(body) > gate.XML_OCTETS and request.method in gate.SPEAKING_XML:
        raise Problem(413, f"A request in XML may have {gate.XML_OCTETS} octets at most.")
    return body


def environ(request: web.Request, path: str, body: bytes) -> dict[str, Any]:  # as PEP 3333 has it
    """What WSGI calls the request. PATH_INFO is Unicode, as Radicale's own server gives it, and not PEP 3333's Latin-1."""
    inside = path == PREFIX or path.startswith(PREFIX + "/")
    made: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": PREFIX,
        "PATH_INFO": path[len(PREFIX) :] if inside else "/",
        "gateway.href": path if inside else "/",  # what the client asked for; its answers must name the same
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "gateway",
        "SERVER_PORT": "0",
        "REMOTE_ADDR": peer(request),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, key in _KEYS:
        if values := request.headers.getall(name, None):
            made[key] = ", ".join(values)
    return made


def _call(app: Wsgi, given: dict[str, Any]) -> Reply:
    """Run the application to its end. On a thread."""
    head: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: object = None) -> None:
        head[:] = [status, headers]

    body = b"".join(app(given, start_response))
    status, headers = head
    return Reply(int(status[:3]), headers, body)


def _response(request: web.Request, reply: Reply) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body or None)
    for name, value in reply.headers:
        if name != "Content-Length" or request.method == "HEAD":
            response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store" if reply.status != 200 else "private, no-cache")
    return response
