"""What every request passes: a number, limits, safe headers, one line in the log, and an answer whatever happens."""

from __future__ import annotations

import hashlib
import random
import re
import time
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict

from gateway import observe
from gateway.web.parts import PARTS, Parts, parts
from gateway.web.problems import Problem, answer, expected, problem_of

PEER = web.RequestKey("peer", str)

_SECRET_PATH = re.compile(r"^/(feeds|answer|appointment|connect|reset)/([^/]+)")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No script, style or frame but the gateway's own files; nothing written into a page can run (trust.md T9)."""

_HEADERS = CIMultiDict(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
)
_OVER_TLS = CIMultiDict({**_HEADERS, "Strict-Transport-Security": "max-age=31536000"})


def policy_towards(origins: Iterable[str]) -> str:
    """The same for a page whose forms lead on to these origins: browsers look at where a form's answer sends them, too."""
    return POLICY.replace("form-action 'self'", " ".join(("form-action 'self'", *sorted(origins))))


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost step of every request."""
    started = time.perf_counter()
    given = parts(request)
    request[PEER] = address = _peer(request, given)
    request_id = _request_id(request, given)
    status = 500
    try:
        try:
            _check_head(request, given)
            response = await handler(request)
        except Exception as error:  # the door: everything is answered here, and what nobody foresaw is noted
            if not expected(error):
                observe.log("request_failed", error=error, request=request_id, path=shown_path(request.path))
            response = answer(request, problem_of(error), request_id)
            if "Transfer-Encoding" in request.headers:
                response.force_close()  # what follows may be the rest of what was refused
        response.headers["X-Request-Id"] = request_id
        status = response.status
        return response
    finally:
        seconds = time.perf_counter() - started
        observe.request_done(_route(request), request.method, status, seconds)
        observe.request(
            request=request_id,
            method=request.method,
            path=shown_path(request.path),
            status=status,
            ms=round(seconds * 1000, 1),
            peer=address,
            agent=request.headers.get("User-Agent", "")[:120],
        )


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Headers of every response. A page may have set stricter or other ones before."""
    wear(response, request.app[PARTS])


def wear(response: web.StreamResponse, given: Parts) -> None:
    """What `dress` puts on, for those who answer without a request."""
    response.headers.merge(_OVER_TLS if given.public_url.startswith("https:") else _HEADERS)
    response.headers["Server"] = "gateway"  # not which library in which version


def shown_path(path: str) -> str:
    """The path as logs may show it: secrets in it are replaced by a digest, so that lines of one link still stand together."""
    return _SECRET_PATH.sub(lambda found: f"/{found[1]}/~{hashlib.sha256(found[2].encode()).hexdigest()[:8]}", path)[:300]


def peer(request: web.Request) -> str:
    """The client's address; X-Forwarded-For is believed only from the proxies that are configured."""
    return request[PEER]


def _peer(request: web.Request, given: Parts) -> str:
    address = request.remote or ""
    if address not in given.trusted_proxies:
        return address
    for hop in reversed([hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]):
        if hop not in given.trusted_proxies:
            return hop[:64] or address
    return address


def _request_id(request: web.Request, given: Parts) -> str:
    if request.remote in given.trusted_proxies:
        told = request.headers.get("X-Request-Id", "")
        if _GIVEN_ID.fullmatch(told):
            return told
    return f"{random.getrandbits(64):016x}"  # a name for lines in the log, and no secret


def _check_head(request: web.Request, given: Parts) -> None:
    """What no door of the gateway takes, refused before a body is read."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "Compressed requests are not accepted.", headers={"Accept-Encoding": "identity"})
    if request.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
        raise Problem(400, "A request is sent in chunks or at its length.")  # a proxy may see another end of it (RFC 9112 §6.1)
    length = request.content_length
    if length is not None and length > given.limits.body:
        raise Problem(413, f"A request may carry {given.limits.body} octets at most.", limit="limits.body")
    if "\0" in request.path:
        raise Problem(400, "The address is not understood.")


def _route(request: web.Request) -> str:
    """The address as the route names it ("/feeds/{token}.ics"): a metrics label must neither tell secrets nor grow without end."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
