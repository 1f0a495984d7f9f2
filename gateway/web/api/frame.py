"""How a REST request runs: who asks, what is sent, one transaction, one answer. The resources fill in the rest.

Reading operations get a Snapshot; writing ones a Transaction, so that a booking, its log line and the memory of its
Idempotency-Key are one commit.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from gateway.model import Actor, CompanyId, Revision
from gateway.store import Login, Snapshot, Transaction
from gateway.web import conditions
from gateway.web.api.schema import Field, Record, Wrong, from_query
from gateway.web.guard import peer
from gateway.web.parts import CLOSING, Parts, on_thread, parts
from gateway.web.problems import Problem

Json = dict[str, Any]  # as deep and mixed as JSON is
Later = Callable[[], Json]  # what takes its time, such as asking the network, when nothing is held any more
LOOK_AGAIN = 0.5  # seconds between two looks at the log for somebody who waits for it


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, checked. `path`, `query` and `body` hold what the fields of the operation read; absent names were not sent."""

    snapshot: Snapshot
    parts: Parts
    login: Login
    actor: Actor
    now: datetime
    path: Mapping[str, str]
    query: Json
    body: Json
    if_match: str | None

    @property
    def tx(self) -> Transaction:
        if not isinstance(self.snapshot, Transaction):
            raise TypeError("a reading operation writes nothing")
        return self.snapshot


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One line of the route table, from which both the routes and the OpenAPI document are made."""

    method: str
    path: str  # below /api/v1, with {names}
    name: str
    summary: str
    tag: str
    run: Callable[[Call], Json | Later]
    answer: Record
    status: int = 200
    writes: bool = False
    query: Mapping[str, Field] = field(default_factory=dict)
    required_query: Sequence[str] = ()
    body: Record | None = None
    body_optional: bool = False
    if_match: bool = False  # must be sent
    waits: bool = False  # may be held until the log grows, when the answer has no items
    reasons: bool = False  # may be refused with a reason code
    about: str = ""

    @property
    def remembered(self) -> bool:
        """Whether an Idempotency-Key is honoured."""
        return self.method == "POST"


@dataclass(frozen=True)
class Sent:
    """What came with a request, before anybody is asked."""

    path: Mapping[str, str]
    query: Json
    body: Json
    if_match: str | None
    key: str | None
    digest: str


def handler(operation: Operation) -> Callable[[web.Request], Any]:  # a coroutine function, as aiohttp wants it
    async def handle(request: web.Request) -> web.Response:
        given = parts(request)
        login = await on_thread(request.app, _login, given, request.headers.get("Authorization", ""), peer(request))
        if operation.writes and login.read_only:
            raise Problem(403, "This API key may only read.")
        sent = await _sent(operation, request)
        body = await on_thread(request.app, _run, given, login, operation, sent)
        if operation.waits and not body["items"] and sent.query.get("wait"):
            await _log_grows(request, login.company, Revision(body["revision"]), sent.query["wait"])
            body = await on_thread(request.app, _run, given, login, operation, sent)
        if operation.writes:
            given.wake()
        return _response(operation, request, body)

    return handle


def _login(given: Parts, authorization: str, address: str) -> Login:
    scheme, _, key = authorization.partition(" ")
    key, now, login = key.strip(), given.clock(), None
    if scheme.lower() == "bearer" and 0 < len(key) <= 512:
        seconds = given.guesses.refuse("rest", "", address, now, may_fit=lambda: given.store.may_fit("api_key", key, now))
        if seconds is not None:
            raise Problem(429, "Too many wrong API keys came from your address.", headers={"Retry-After": str(seconds)})
        login = given.store.login_by_api_key(key, now)
        if login is None:
            given.guesses.wrong("rest", "", address, now)
    if login is None:
        raise Problem(
            401, "Please send a valid API key: `Authorization: Bearer …`.", headers={"WWW-Authenticate": 'Bearer realm="Calendar gateway"'}
        )
    return login


async def _sent(operation: Operation, request: web.Request) -> Sent:
    query = _query(operation, request)
    body, raw = await _body(operation, request)
    if_match = request.headers.get("If-Match")
    if operation.if_match and not if_match:
        raise Problem(428, "Please say with If-Match which state of it you have seen: send its etag.")
    key = request.headers.get("Idempotency-Key") if operation.remembered else None
    if key is not None and not (0 < len(key) <= 255 and key.isprintable()):
        raise Problem(400, "An Idempotency-Key has 1 to 255 printable characters.")
    digest = hashlib.sha256(f"{operation.method} {request.path}\n".encode() + raw).hexdigest()
    return Sent(dict(request.match_info), query, body, if_match, key, digest)


def _query(operation: Operation, request: web.Request) -> Json:
    read: Json = {}
    complaints: list[tuple[str, str]] = [(name, "is missing") for name in operation.required_query if name not in request.query]
    for name, text in request.query.items():
        if name not in operation.query or name in read:
            complaints.append((name[:60], "is given twice" if name in read else "is not a parameter that is understood here"))
            continue
        try:
            read[name] = from_query(operation.query[name], text)
        except Wrong as wrong:
            complaints += [(name, sentence) for _, sentence in wrong.complaints]
    if complaints:
        raise complained(400, complaints)
    return read


async def _body(operation: Operation, request: web.Request) -> tuple[Json, bytes]:
    if operation.body is None or (operation.body_optional and not request.body_exists):
        return {}, b""
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise Problem(415, "Please send JSON: `Content-Type: application/json`.")
    raw = await _octets(request)
    if operation.body_optional and not raw.strip():
        return {}, b""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Problem(400, "The body is not JSON in UTF-8.") from None
    try:
        return operation.body.read(value), json.dumps(value, sort_keys=True).encode()
    except Wrong as wrong:
        raise complained(422, wrong.complaints) from None


async def _octets(request: web.Request) -> bytes:
    limits = parts(request).limits
    raw = bytearray()
    async with asyncio.timeout(limits.body_seconds):
        async for piece in request.content.iter_any():
            raw += piece
            if len(raw) > limits.json:
                raise Problem(413, f"A request may carry {limits.json} octets of JSON at most.", limit="limits.json")
    return bytes(raw)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """RFC 8259 §4 leaves open which of two equal names counts: neither does here."""
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def complained(status: int, complaints: Sequence[tuple[str, str]]) -> Problem:
    listed = [{"field": place, "detail": f"{place or 'The body'} {sentence}."} for place, sentence in complaints[:20]]
    return Problem(status, listed[0]["detail"], errors=listed)


def _run(given: Parts, login: Login, operation: Operation, sent: Sent) -> Json:
    now = given.clock()
    actor = Actor(login.handle or login.credential, "rest")

    def call(snapshot: Snapshot) -> Call:
        return Call(
            snapshot=snapshot,
            parts=given,
            login=login,
            actor=actor,
            now=now,
            path=sent.path,
            query=sent.query,
            body=sent.body,
            if_match=sent.if_match,
        )

    if not operation.writes:
        with given.store.read(login.company) as snapshot:
            found = operation.run(call(snapshot))
        return found() if callable(found) else found
    with given.store.write(login.company, actor) as tx:
        earlier = _remembered(tx, login, sent)
        if earlier is not None:
            return earlier
        body = operation.run(call(tx))
        if callable(body):
            raise TypeError("a writing operation is done when it is committed")
        if sent.key is not None:
            tx.remember(f"{login.credential}:{sent.key}", sent.digest, operation.status, json.dumps(body), now)
        return body


def _remembered(tx: Transaction, login: Login, sent: Sent) -> Json | None:
    earlier = tx.recall(f"{login.credential}:{sent.key}") if sent.key is not None else None
    if earlier is None:
        return None
    digest, _, body = earlier
    if digest != sent.digest:
        raise Problem(422, "This Idempotency-Key was used before with another request.")
    remembered: Json = json.loads(body)
    return remembered


async def _log_grows(request: web.Request, company: CompanyId, head: Revision, seconds: int) -> None:
    """Return when the company's log has grown past `head`, the time is over, the client has gone or the server ends."""
    given, closing = parts(request), request.app[CLOSING]
    loop = asyncio.get_running_loop()
    end = loop.time() + min(seconds, given.limits.wait_seconds)
    while loop.time() < end and not closing.is_set() and request.transport is not None:
        heads = await on_thread(request.app, given.store.revisions)
        if heads.get(company, 0) > head:
            return
        try:
            await asyncio.wait_for(closing.wait(), min(LOOK_AGAIN, max(0.0, end - loop.time())))
        except TimeoutError:
            continue


def _response(operation: Operation, request: web.Request, body: Json) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if "etag" in body:
        headers = {"Cache-Control": "private, no-cache", "ETag": body["etag"]}
        if request.method in {"GET", "HEAD"} and conditions.known(request.headers.get("If-None-Match"), body["etag"]):
            return web.Response(status=304, headers=headers)
    if operation.status == 201 and "id" in body:
        headers["Location"] = f"/api/v1{operation.path}/{body['id']}"
    return web.Response(
        status=operation.status, text=json.dumps(body, ensure_ascii=False), content_type="application/json", headers=headers
    )
