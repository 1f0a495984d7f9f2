"""How requests travel to Graph: guarded, limited in time, never repeated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from gateway.bridge.graph.problems import Asked, meaning
from gateway.bridge.remote import Guarded, Unreachable
from gateway.bridge.sending import Send

PREFER = 'IdType="ImmutableId", outlook.body-content-type="text", outlook.timezone="UTC"'
"""With every request: ids that stay when an event is moved, bodies as text, times in UTC."""

Json = dict[str, Any]  # Any: whatever Graph's JSON holds

_EVENT = re.compile(r"/(?:me|users/[^/]+)/events/[^/]+")
_ELSEWHERE = re.compile(r"POST /(?:me|users/[^/]+)/calendars(?:/[^/]+/events)?|POST /subscriptions|(?:PATCH|DELETE) /subscriptions/[^/]+")
"""What may be written beside events of ours: nothing that could take a calendar away, forward an event or answer for somebody."""


class Line:
    """Requests of one account, with guards that no caller can go round (bridge.md §5.6): no attendees ever travel, an event is written to
    only in the state in which somebody has looked at it and vouched for it, and nothing goes to another address than Graph's.
    """

    def __init__(self, send: Send, root: str, bearer: Callable[[bool], str], calls: Callable[[str], None]) -> None:
        """`bearer(True)` renews the access first; `calls` is told "list" or "write" for each request."""
        self._send = send
        self._root = root.rstrip("/")
        self._bearer = bearer
        self._calls = calls
        self._vouched: dict[str, str] = {}

    def vouch(self, path: str, etag: str) -> None:
        """The event below that path is ours and nobody's mail hangs on it, as long as it has this etag."""
        self._vouched[path] = etag

    def get(self, path: str, of: Asked, prefer: str = "") -> Json:
        """`path` is below the root, or a whole link that Graph has given. Raises any RemoteError."""
        return self._sent("GET", path, None, of, prefer=prefer)

    def post(self, path: str, body: Json, of: Asked) -> Json:
        return self._sent("POST", path, body, of)

    def patch(self, path: str, body: Json, of: Asked, etag: str = "") -> Json:
        return self._sent("PATCH", path, body, of, etag=etag)

    def delete(self, path: str, of: Asked, etag: str = "") -> None:
        self._sent("DELETE", path, None, of, etag=etag)

    def _sent(self, method: str, path: str, body: Json | None, of: Asked, *, etag: str = "", prefer: str = "") -> Json:
        """One request; a second time only after a 401, which means that nothing was done."""
        address = path if "://" in path else self._root + path
        self._guard(method, address, body, etag)
        octets = None if body is None else json.dumps(body).encode()
        status, headers, content = 0, dict[str, str](), b""
        for renew in (False, True):
            sent = {"authorization": f"Bearer {self._bearer(renew)}", "accept": "application/json", "prefer": PREFER + prefer}
            sent |= {"content-type": "application/json"} if octets is not None else {}
            sent |= {"if-match": etag} if etag else {}
            self._calls("list" if method == "GET" else "write")
            try:
                status, found, content = self._send(method, address, sent, octets)
            except OSError as error:
                raise Unreachable("Microsoft does not answer.") from error
            headers = dict(found)
            if status != 401:
                break
        if status in (200, 201):
            return _read(content)
        if status in (202, 204):
            return {}
        raise meaning(status, headers, content, of=of)

    def _guard(self, method: str, address: str, body: Json | None, etag: str) -> None:
        if not address.startswith(f"{self._root}/"):
            raise Guarded("A request to another address than Microsoft's was stopped.")
        if method == "GET":
            return
        if _names_guests(body):
            raise Guarded("An event with guests was stopped: Microsoft would mail them.")
        path = address[len(self._root) :]
        if method in ("PATCH", "DELETE") and _EVENT.fullmatch(path) and etag and self._vouched.get(path) == etag:
            return
        if not _ELSEWHERE.fullmatch(f"{method} {path}"):
            raise Guarded("A write to an event or calendar that is not ours was stopped.")


def _names_guests(body: object) -> bool:
    if isinstance(body, dict):
        return "attendees" in body or any(_names_guests(each) for each in body.values())
    return isinstance(body, list) and any(_names_guests(each) for each in body)


def _read(content: bytes) -> Json:
    try:
        answer: Any = json.loads(content)
    except ValueError as error:
        raise Unreachable("Microsoft's answer broke off.") from error
    if not isinstance(answer, dict):
        raise Unreachable("Microsoft's answer is not understood.")
    return answer
