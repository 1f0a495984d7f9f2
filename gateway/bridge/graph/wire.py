"""How requests travel to Graph: guarded, limited in time, never repeated; and what each answer that is no success means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from gateway.bridge.remote import (
    CalendarGone,
    Clash,
    CursorExpired,
    Disconnected,
    Exists,
    Gone,
    Guarded,
    Inexpressible,
    Rejected,
    RemoteError,
    Throttled,
    Unreachable,
)
from gateway.bridge.sending import Send

PREFER = 'IdType="ImmutableId", outlook.body-content-type="text", outlook.timezone="UTC"'
"""With every request: ids that stay when an event is moved, bodies as text, times in UTC."""

PAUSE = timedelta(seconds=30)

Json = dict[str, Any]  # Any: whatever Graph's JSON holds

_CURSOR = frozenset({"syncStateNotFound", "ErrorInvalidSyncStateData", "resyncRequired", "SyncStateNotFound", "syncStateInvalid"})
_CROWDED = frozenset({"MailboxConcurrency", "ApplicationThrottled", "ErrorServerBusy", "TooManyRequests"})


class Line:
    """Requests of one account. No attendees ever travel, only events named by `mine` are written to, and nothing goes to another host."""

    def __init__(self, send: Send, root: str, bearer: Callable[[bool], str], calls: Callable[[str], None]) -> None:
        """`bearer(True)` renews the access first."""
        self._send = send
        self._root = root.rstrip("/")
        self._bearer = bearer
        self._calls = calls
        self._mine: set[str] = set()

    def mine(self, path: str) -> None:
        """Events below that path are ours: they may be written to from now on."""
        self._mine.add(path)

    def __call__(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        of: str,
        etag: str = "",
        prefer: str = "",
        expect: tuple[int, ...] = (200,),
    ) -> Json:
        """One request; a second time only after a 401, which means that nothing was done. Raises any RemoteError.

        `path` is below the root, or a whole link that Graph has given.
        """
        address = path if path.startswith(("https://", "http://")) else self._root + path
        self._guard(method, address, path, body)
        octets = None if body is None else json.dumps(body).encode()
        status, headers, content = 0, dict[str, str](), b""
        for renew in (False, True):
            self._calls("list" if method == "GET" else "write")
            sent = {"authorization": f"Bearer {self._bearer(renew)}", "accept": "application/json", "prefer": PREFER + prefer}
            sent |= {"content-type": "application/json"} if octets is not None else {}
            sent |= {"if-match": etag} if etag else {}
            try:
                status, found, content = self._send(method, address, sent, octets)
                headers = dict(found)
            except OSError as error:
                raise Unreachable("Microsoft does not answer.") from error
            if status != 401:
                break
        if status in (*expect, 201, 202, 204):
            return _read(content) if status not in (202, 204) else {}
        raise meaning(status, headers, content, of=of)

    def _guard(self, method: str, address: str, path: str, body: Json | None) -> None:
        there, root = urlsplit(address), urlsplit(self._root)
        if (there.scheme, there.netloc) != (root.scheme, root.netloc):
            raise Guarded("A request to another host than Microsoft's was stopped.")
        if body is not None and "attendees" in body:
            raise Guarded("An event with guests was stopped: Microsoft would mail them.")
        if method in ("PATCH", "PUT", "DELETE") and "/events/" in path and path not in self._mine:
            raise Guarded("A write to an event that is not ours was stopped.")


def _read(content: bytes) -> Json:
    try:
        answer: Any = json.loads(content)
    except ValueError as error:
        raise Unreachable("Microsoft's answer broke off.") from error
    if not isinstance(answer, dict):
        raise Unreachable("Microsoft's answer is not understood.")
    return answer


def meaning(status: int, headers: Mapping[str, str], content: bytes, *, of: str) -> RemoteError:
    """What an error answer means; `of` is "list", "event" or "calendar"."""
    code, sentence = _told(content, status)
    if status == 410 or code in _CURSOR:
        return CursorExpired(sentence) if of == "list" else Gone(sentence)
    if status == 429 or code in _CROWDED or (status == 503 and "retry-after" in headers):
        return Throttled("Microsoft asks for patience.", wait=_wait(headers))
    if status >= 500:
        return Unreachable(f"Microsoft is in trouble ({status}).")
    if code == "ErrorOccurrenceCrossingBoundary":
        return Inexpressible(sentence)
    if code.startswith("ErrorDuplicateTransactionId"):
        return Exists(sentence)
    match status:
        case 401:
            return Disconnected("Microsoft no longer accepts the access. Please connect the account again.")
        case 403:
            return Rejected(sentence) if of == "event" else CalendarGone(f"Microsoft does not let us use this calendar: {sentence}")
        case 404:
            return Gone(sentence) if of == "event" else CalendarGone("The calendar does not exist any more at Microsoft.")
        case 409:
            return Exists(sentence)
        case 412:
            return Clash(sentence)
        case _:
            return Rejected(sentence)


def _told(content: bytes, status: int) -> tuple[str, str]:
    try:
        error: Any = json.loads(content)["error"]
        inner = error.get("innerError") or {}
        code = str(error.get("code") or "")
        return (code if code in _CURSOR | _CROWDED else str(inner.get("code") or code)), str(error.get("message") or code)[:300]
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", f"Microsoft answers {status}."


def _wait(headers: Mapping[str, str]) -> timedelta:
    after = headers.get("retry-after", "")
    return timedelta(seconds=min(int(after), 3600)) if after.isdecimal() else PAUSE
