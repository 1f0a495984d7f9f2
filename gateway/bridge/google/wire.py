"""How requests travel to Google: guarded, limited in time, never repeated; and what each answer that is no success means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httplib2
from googleapiclient.errors import HttpError

from gateway.bridge.remote import (
    CalendarGone,
    Clash,
    CursorExpired,
    Disconnected,
    Exists,
    Gone,
    Guarded,
    Rejected,
    RemoteError,
    Throttled,
    Unreachable,
)
from gateway.bridge.sending import Send

PAUSE, LONGEST = timedelta(seconds=60), timedelta(hours=1)
"""After a quota error without Retry-After: the quotas are counted by the minute. And how long we let ourselves be sent away."""

_SCOPES = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
_SWITCHED_OFF = "accessNotConfigured"
_PUSH = "push."

_ELSEWHERE = frozenset({("POST", "calendars"), ("POST", "freeBusy"), ("POST", "channels", "stop")})
"""What may be asked beside reading and events: nothing that could take a calendar away."""


class Narrow(Disconnected):
    """The access is sound and does not reach that far."""


class NoPush(Rejected):
    """Google does not send notifications to that address."""


class Line:
    """What Google's library sends through: like httplib2.Http, with guards that no caller can go round (bridge.md §5.6).

    No attendees ever travel, every write says that nobody is to be mailed, only events named by `mine` are written to, no calendar is
    changed or deleted, and nothing goes to another host than the one that is configured.
    """

    def __init__(self, send: Send, endpoint: str, bearer: Callable[[bool], str], calls: Callable[[str], None]) -> None:
        """`bearer(True)` renews the access first; `calls` is told "list" or "write" for each request."""
        self._send = send
        self._endpoint = endpoint.rstrip("/") + "/"
        self._bearer = bearer
        self._calls = calls
        self._mine: set[str] = set()

    def mine(self, event: str) -> None:
        """The event is ours: it may be written to from now on."""
        self._mine.add(event)

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> tuple[httplib2.Response, bytes]:
        """Once; a second time only after a 401, which means that nothing was done. Raises Guarded, Unreachable, Disconnected."""
        octets = body.encode() if isinstance(body, str) else body
        self._guard(method, uri, octets)
        for renew in (False, True):
            bearer = self._bearer(renew)
            self._calls("list" if method == "GET" else "write")
            sent = {name: value for name, value in (headers or {}).items() if name.lower() != "accept-encoding"}
            try:
                status, answered, content = self._send(method, uri, {**sent, "authorization": f"Bearer {bearer}"}, octets)
            except OSError as error:
                raise Unreachable("Google does not answer.") from error
            if status != 401 or _Told.of(content).reason.startswith(_PUSH):
                break
        return httplib2.Response({**answered, "status": str(status)}), content

    def close(self) -> None:
        """Nothing is kept open."""

    def _guard(self, method: str, uri: str, body: bytes | None) -> None:
        if not uri.startswith(self._endpoint):
            raise Guarded("A request to another host than Google's was stopped.")
        if method == "GET":
            return
        if "attendees" in _names(body):
            raise Guarded("An event with guests was stopped: Google would mail them.")
        address = urlsplit(uri)
        match [unquote(part) for part in uri[len(self._endpoint) :].partition("?")[0].split("/")]:
            case ["calendars", _, "events", "watch"]:
                return
            case ["calendars", _, "events"] if method == "POST":
                pass
            case ["calendars", _, "events", event] if method in ("PATCH", "DELETE") and event in self._mine:
                pass
            case parts if (method, *parts) in _ELSEWHERE:
                return
            case _:
                raise Guarded("A write to an event or calendar that is not ours was stopped.")
        if parse_qs(address.query).get("sendUpdates") != ["none"]:
            raise Guarded("A write that could send mail was stopped.")


def _names(body: bytes | None) -> set[str]:
    """The names at the top of what is about to be sent. Raises Guarded when it cannot be read: then nobody knows what it says."""
    try:
        read: Any = json.loads(body) if body else {}
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Guarded("A request that cannot be read was stopped.")
    return set(read)


@dataclass(frozen=True, slots=True)
class _Told:
    """What Google's own error body says. Without `sentence` it was not Google that answered, or half of the answer is lost."""

    reason: str = ""
    domain: str = ""
    sentence: str = ""

    @classmethod
    def of(cls, content: bytes) -> _Told:
        try:
            error: Any = json.loads(content)["error"]
            first = (error.get("errors") or error.get("details") or [{}])[0]
            return cls(str(first.get("reason", "")), str(first.get("domain", "")), str(error.get("message") or "refused")[:300])
        except (ValueError, LookupError, TypeError, AttributeError):
            return cls()


def meaning(error: HttpError, *, of: str) -> RemoteError:
    """What an error answer means; `of` is "list", "event" or "calendar". A body that is not Google's, such as the page of a proxy, says
    nothing about events: a 404 of it does not mean that one is deleted."""
    status, told = int(error.resp.status), _Told.of(error.content)
    if status == 429 or (status == 503 and "retry-after" in error.resp) or (status == 403 and _too_many(told)):
        return Throttled("Google asks for patience.", wait=_wait(error.resp))
    if status >= 500 or not told.sentence:
        return Unreachable(f"Google is in trouble ({status}).")
    match status:
        case 401 | 400 if told.reason.startswith(_PUSH):
            return NoPush(told.sentence)
        case 401:
            return Disconnected("Google no longer accepts the access. Please connect the account again.")
        case 403:
            return _forbidden(told, of)
        case 404:
            return Gone(told.sentence) if of == "event" else CalendarGone("The calendar does not exist any more at Google.")
        case 409:
            return Exists(told.sentence)
        case 410:
            return CursorExpired(told.sentence) if of == "list" else Gone(told.sentence)
        case 412:
            return Clash(told.sentence)
        case 408:
            return Unreachable("Google does not answer in time.")
        case 400 if of == "list" and "sync" in told.sentence.lower():
            return CursorExpired(told.sentence)
        case _:
            return Rejected(told.sentence)


def _too_many(told: _Told) -> bool:
    """Google says 403 also where others say 429 (bridge.md §2.7)."""
    return told.domain == "usageLimits" and told.reason != _SWITCHED_OFF


def _forbidden(told: _Told, of: str) -> RemoteError:
    """For good: of the whole access, of the calendar, or of one event."""
    if told.reason == _SWITCHED_OFF:
        return Unreachable("Google's calendar service is not switched on for this gateway. Ask whoever runs the server.")
    if told.reason in _SCOPES:
        return Narrow("The access does not reach far enough. Please connect the account again and leave every box ticked.")
    return Rejected(told.sentence) if of == "event" else CalendarGone(f"Google does not let us use this calendar: {told.sentence}")


def _wait(headers: Mapping[str, str]) -> timedelta:
    """Retry-After in seconds, or as a time (RFC 9110 §10.2.3), which is measured by the clock of whoever names it."""
    after = str(headers.get("retry-after", ""))
    if after.isdecimal():
        return min(timedelta(seconds=int(after)), LONGEST)
    until, sent = _time(after), _time(str(headers.get("date", "")))
    return min(max(until - sent, timedelta(seconds=1)), LONGEST) if until and sent else PAUSE


def _time(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
