"""What Graph's answers mean that are no success, as errors with a next step (bridge.md §3.6, §5.8). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from gateway.bridge.remote import (
    CalendarGone,
    Clash,
    CursorExpired,
    Disconnected,
    Exists,
    Gone,
    Inexpressible,
    Rejected,
    RemoteError,
    Throttled,
    Unreachable,
)

Asked = Literal["list", "event", "new", "calendar"]
"""What a request was about: a listing, an event that exists, one that is being made, or the calendar or mailbox."""

PAUSE, LONGEST = timedelta(seconds=30), timedelta(hours=1)
"""After a throttled request without Retry-After. And how long we let ourselves be sent away."""

_CURSOR = frozenset({"syncstatenotfound", "syncstateinvalid", "errorinvalidsyncstatedata", "resyncrequired"})
_CROWDED = frozenset({"mailboxconcurrency", "applicationthrottled", "toomanyrequests", "errorserverbusy"})
_NO_MAILBOX = frozenset(
    {
        "mailboxnotenabledforrestapi",
        "mailboxnotsupportedforrestapi",
        "errorinvaliduser",
        "errornonexistentmailbox",
        "request_resourcenotfound",
    }
)
_INEXPRESSIBLE = frozenset(
    {
        "erroroccurrencecrossingboundary",
        "erroroccurrencetimespantoobig",
        "errorcalendarinvalidrecurrence",
        "errorcalendardurationistoolong",
        "errorrecurrencehasnooccurrence",
        "errorrecurrenceenddatetoobig",
    }
)
_HALF_DONE = "errorconcurrentitemsave"
_GONE = frozenset({"erroritemnotfound", "resourcenotfound"})
_DELETED = "errorcannotdeleteobject"


def meaning(status: int, headers: Mapping[str, str], content: bytes, *, of: Asked) -> RemoteError:
    """The error for an answer. What was not said by Graph itself proves nothing: least of all that an event does not exist."""
    code, sentence = _told(content)
    if of == "list" and (status == 410 or code in _CURSOR):
        return CursorExpired("Microsoft has forgotten where we were: everything is listed anew.")
    if code == _HALF_DONE:
        return Unreachable("Microsoft was disturbed while it saved the event.")
    if status in (429, 509) or code in _CROWDED or (status == 503 and "retry-after" in headers):
        return Throttled("Microsoft asks for patience.", wait=wait(headers))
    if status == 401:
        return Disconnected("Microsoft no longer accepts the access. Please connect the account again.")
    if not code or status < 400 or (status >= 500 and status != 501) or status in (408, 423):
        return Unreachable(f"Microsoft is in trouble ({status}).")
    if code in _NO_MAILBOX:
        return CalendarGone("There is no calendar of this account at Microsoft that programs may use.")
    if code in _INEXPRESSIBLE:
        return Inexpressible(sentence)
    return _of(status, code, sentence, of)


def _of(status: int, code: str, sentence: str, of: Asked) -> RemoteError:
    match status, of:
        case 403, "event" if code == _DELETED:  # it can still be recovered, and not be deleted once more
            return Gone(sentence)
        case ((404 | 410), ("list" | "calendar" | "new")):
            return CalendarGone("The calendar does not exist any more at Microsoft.")
        case ((404 | 410), _):
            return Gone(sentence) if code in _GONE else Unreachable(f"Microsoft does not find it: {sentence}")
        case 403, ("list" | "calendar"):
            return CalendarGone(f"Microsoft does not let us use this calendar: {sentence}")
        case 409, "event":
            return Clash(sentence)
        case 409, "new":
            return Exists(sentence)
        case 412, _:
            return Clash(sentence)
        case _:
            return Rejected(sentence)


def _told(content: bytes) -> tuple[str, str]:
    """(code in lower case, sentence); without a code it was not Graph that answered, or half of the answer is lost."""
    try:
        error: Any = json.loads(content)["error"]
        code = str(error["code"])
        inner = str((error.get("innerError") or {}).get("code") or "")
        return (inner if inner.lower() in _CURSOR | _CROWDED else code).lower(), str(error.get("message") or code)[:300]
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", ""


def wait(headers: Mapping[str, str]) -> timedelta:
    """Retry-After in seconds or as a date (RFC 9110 §10.2.3), which is read against the answer's own date."""
    after = headers.get("retry-after", "")
    try:
        pause = timedelta(seconds=float(after))
    except (ValueError, OverflowError):
        try:
            pause = parsedate_to_datetime(after) - parsedate_to_datetime(headers.get("date", ""))
        except (ValueError, TypeError):
            pause = PAUSE
    return min(max(pause, timedelta(seconds=1)), LONGEST)
