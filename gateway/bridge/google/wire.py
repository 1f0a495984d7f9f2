"""How requests travel to Google: guarded, limited in time, never repeated; and what each answer that is no success means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
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

PAUSE = timedelta(seconds=60)
"""After a quota error without Retry-After: the quotas are counted by the minute."""

_RATES = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "calendarUsageLimitsExceeded"})
_SCOPES = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "accessNotConfigured"})


class Line:
    """What Google's library sends through: like httplib2.Http, with guards that no caller can go round (bridge.md §5.6).

    No attendees ever travel, every write says that nobody is to be mailed, only events named by `mine` are written to, and nothing
    goes to another host than the one that is configured.
    """

    def __init__(self, send: Send, endpoint: str, bearer: Callable[[bool], str], calls: Callable[[str], None]) -> None:
        """`bearer(True)` renews the access first."""
        self._send = send
        self._endpoint = urlsplit(endpoint)
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
        """Once; a second time only after a 401, which means that nothing was done."""
        octets = body.encode() if isinstance(body, str) else body
        self._guard(method, uri, octets)
        for renew in (False, True):
            self._calls("list" if method == "GET" else "write")
            sent = {**(headers or {}), "authorization": f"Bearer {self._bearer(renew)}"}
            sent.pop("accept-encoding", None)
            try:
                status, answered, content = self._send(method, uri, sent, octets)
            except OSError as error:
                raise Unreachable("Google does not answer.") from error
            if status != 401:
                break
        return httplib2.Response({**answered, "status": str(status)}), content

    def close(self) -> None:
        """Nothing is kept open."""

    def _guard(self, method: str, uri: str, body: bytes | None) -> None:
        address = urlsplit(uri)
        if (address.scheme, address.netloc) != (self._endpoint.scheme, self._endpoint.netloc):
            raise Guarded("A request to another host than Google's was stopped.")
        if method == "GET":
            return
        if body and "attendees" in _names(body):
            raise Guarded("An event with guests was stopped: Google would mail them.")
        parts = [unquote(part) for part in address.path.split("/")]
        if "events" not in parts or parts[-1] == "watch":
            return
        if parse_qs(address.query).get("sendUpdates") != ["none"]:
            raise Guarded("A write that could send mail was stopped.")
        event = parts[parts.index("events") + 1] if parts[-1] != "events" else None
        if event is not None and event not in self._mine:
            raise Guarded("A write to an event that is not ours was stopped.")


def _names(body: bytes) -> set[str]:
    try:
        read: Any = json.loads(body)  # whatever is about to be sent
    except ValueError:
        return set()
    return set(read) if isinstance(read, dict) else set()


def meaning(error: HttpError, *, of: str) -> RemoteError:
    """What an error answer means; `of` is "list", "event" or "calendar"."""
    status, reason, sentence = int(error.resp.status), _reason(error), _sentence(error)
    match status:
        case 401:
            return Disconnected("Google no longer accepts the access. Please connect the account again.")
        case 403 if reason in _RATES:
            return Throttled("Google asks for patience.", wait=_wait(error))
        case 403 if reason in _SCOPES:
            return Disconnected("The access does not reach far enough. Please connect the account again and leave every box ticked.")
        case 403:
            return Rejected(sentence) if of == "event" else CalendarGone(f"Google does not let us use this calendar: {sentence}")
        case 404:
            return Gone(sentence) if of == "event" else CalendarGone("The calendar does not exist any more at Google.")
        case 409:
            return Exists(sentence)
        case 410:
            return CursorExpired(sentence) if of == "list" else Gone(sentence)
        case 412:
            return Clash(sentence)
        case 429:
            return Throttled("Google asks for patience.", wait=_wait(error))
        case _ if status >= 500:
            return Unreachable(f"Google is in trouble ({status}).")
        case 400 if of == "list" and "sync" in sentence.lower():
            return CursorExpired(sentence)
        case _:
            return Rejected(sentence)


def _reason(error: HttpError) -> str:
    details: Any = error.error_details  # a list of dictionaries, or a string
    if isinstance(details, list):
        for each in details:
            if isinstance(each, dict) and each.get("reason"):
                return str(each["reason"])
    try:
        return str(json.loads(error.content)["error"]["errors"][0]["reason"])
    except (ValueError, LookupError, TypeError):
        return ""


def _sentence(error: HttpError) -> str:
    try:
        return str(json.loads(error.content)["error"]["message"])[:300]
    except (ValueError, LookupError, TypeError):
        return f"Google answers {error.resp.status}."


def _wait(error: HttpError) -> timedelta:
    after = str(error.resp.get("retry-after", ""))
    return timedelta(seconds=min(int(after), 3600)) if after.isdecimal() else PAUSE
