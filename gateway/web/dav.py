"""The CalDAV seat: a WSGI application (Radicale with our plugins) on the front door's threads, behind the gate.

    routes(given: Parts) -> list[web.RouteDef]

`server.build` adds them like those of every other room; none when `given.dav` is None. They are: /dav and everything below it,
/.well-known/caldav (with and without slash, every method: 301 to /dav/, RFC 6764 §5), and PROPFIND and OPTIONS on "/", which
DAV clients try when somebody types the bare host name. GET on "/" stays with the pages.

The application is called with a body that has arrived completely, within its limit: on a thread, but for what is brief. It sees the
headers below and no others: what strangers could send to steer a reverse-proxied Radicale (X-Script-Name, X-Remote-User,
X-Forwarded-…) never reaches it.

Brief is "has anything changed?", which is most of what is asked all day, and one object. On an embedded database that takes less
than the way to a thread and back, so it is answered at once, in between. Only for whom the last answer was not 401: guesses wait
elsewhere. The application may find, having been told that it is called so, that it is not as brief as it looked (`BRIEF`). What may
become large waits for its turn among its like.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from gateway.web import gate
from gateway.web.guard import peer
from gateway.web.parts import Parts, at_leisure, on_thread
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
_SHOWN = "HTTP_AUTHORIZATION"
_KEYS = {spelt: f"HTTP_{name.upper().replace('-', '_')}" for name in _PASSED_ON for spelt in (name, name.lower(), name.upper())}

BRIEF = "gateway.brief"
"""In the environment: True asks for an answer only if it costs little; the application makes it False if it does not."""

_BRIEF_OCTETS = 4096  # of a body
_MANY = 10_000  # clients that are known

Wsgi = Callable[..., Iterable[bytes]]


@dataclass(slots=True, eq=False)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def routes(given: Parts) -> list[web.RouteDef]:
    if given.dav is None:
        return []
    calendar = Seat(given, given.dav).calendar
    return [
        web.route("*", "/dav/{path:.*}", calendar),
        web.route("*", "/dav", calendar),
        web.route("*", "/.well-known/caldav", well_known),
        web.route("*", "/.well-known/caldav/", well_known),
        web.route("PROPFIND", "/", calendar),
        web.options("/", calendar),
    ]


async def well_known(request: web.Request) -> web.Response:
    """Relative on purpose: scheme, host and port stay as the client, or the proxy before us, has them."""
    return web.Response(status=301, headers={"Location": f"{PREFIX}/"})


class Seat:
    """Where the application is called from. Of one event loop."""

    def __init__(self, given: Parts, app: Wsgi) -> None:
        self._given = given
        self._app = app
        self._known: set[int] = set()  # hashes of Authorization headers

    async def calendar(self, request: web.Request) -> web.Response:
        """One CalDAV request from gate to answer."""
        path = gate.admit(request.method, request.raw_path, request.headers, bearer=self._given.bearer)
        body = await _body(request, self._given)
        made = environ(request, path, body)
        shown = hash(made.get(_SHOWN))
        reply = self._at_once(made, path, body) if shown in self._known else None
        if reply is None:
            run = at_leisure if lengthy(made, path, body) else on_thread
            reply = await run(request.app, _call, self._app, made)
        self._remember(shown, reply)
        if request.method in gate.WRITING and reply.status < 300:
            self._given.stir()  # whatever is written here stands in the log
        return _response(request, reply)

    def _at_once(self, made: dict[str, Any], path: str, body: bytes) -> Reply | None:
        """The answer to what is brief; None: somebody has to wait for it."""
        if not self._given.store.embedded or not brief(made, path, body):
            return None
        asked = {**made, BRIEF: True}  # an application may change what it is given
        reply = _call(self._app, asked)
        if asked[BRIEF]:
            return reply
        made["wsgi.input"].seek(0)
        return None

    def _remember(self, shown: int, reply: Reply) -> None:
        """Who has been let in, and who has not."""
        if reply.status in (401, 429):
            self._known.discard(shown)
        else:
            self._known.add(shown)
            if len(self._known) > _MANY:
                self._known.clear()


def brief(made: dict[str, Any], path: str, body: bytes) -> bool:
    """Whether a request looks as if there were little to do: one object, one resource's properties, what is new in a calendar, or
    whether anything is.

    An access token may make the application ask its issuer for keys.
    """
    if made.get(_SHOWN, "")[:5].lower() != "basic":
        return False
    match made["REQUEST_METHOD"]:
        case "GET" | "HEAD":
            return path.count("/") == 4 and (not path.endswith("/") or "HTTP_IF_NONE_MATCH" in made)
        case "PROPFIND":
            return made.get("HTTP_DEPTH") == "0" and len(body) <= _BRIEF_OCTETS
        case "REPORT":
            return len(body) <= _BRIEF_OCTETS and b"sync-collection" in body
        case _:
            return False


def lengthy(made: dict[str, Any], path: str, body: bytes) -> bool:
    """Whether the answer may be a whole calendar, or as much: everything in one, what lies in a time, what is new since long ago."""
    if path.count("/") != 4 or not path.endswith("/"):
        return False
    match made["REQUEST_METHOD"]:
        case "GET" | "HEAD":
            return True
        case "PROPFIND":
            return made.get("HTTP_DEPTH") != "0"
        case "REPORT":
            return b"multiget" not in body
        case _:
            return False


async def _body(request: web.Request, given: Parts) -> bytes:
    """The whole body, chunked or not; Radicale itself only knows Content-Length."""
    if not request.can_read_body:
        return b""
    if request.content.is_eof():  # it came with the head, as small ones do
        body = request.content.read_nowait()
    else:
        async with asyncio.timeout(given.limits.body_seconds):
            body = await request.read()
    if len(body) > given.limits.body:
        raise Problem(413, f"A request may carry {given.limits.body} octets at most.", limit="limits.body")
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
    for name, value in request.headers.items():
        if (key := _KEYS.get(name) or _KEYS.get(name.lower())) is not None:
            made[key] = f"{made[key]}, {value}" if key in made else value
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
    headers = CIMultiDict(reply.headers)
    if request.method != "HEAD":
        headers.popall("Content-Length", None)  # the front door counts by itself
    headers.setdefault("Cache-Control", "no-store" if reply.status != 200 else "private, no-cache")
    return web.Response(status=reply.status, body=reply.body or None, headers=headers)
