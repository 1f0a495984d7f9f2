"""Every error of the gateway, one tree; each door translates it to its own wire in one table.

    GatewayError
    ├── Refused        the rules of the trade say no; carries a reason code and a sentence for the person
    ├── Invalid        the input cannot be understood or breaks a standard; carries the DAV precondition it breaks
    ├── Missing        there is no such thing, or it is somebody else's: nobody can tell which
    ├── Conflict       a precondition failed: the caller has not seen the newest state
    ├── TooLarge       a limit was passed; says which and how far it goes
    ├── Lost           somebody else has taken over the work in hand: nothing more of it may be committed
    ├── Unavailable    the database is busy or away; may be retried after `retry_after` seconds
    └── Misconfigured  a setting is missing or wrong; the process should not start

Nothing here knows HTTP. A message is one sentence that may be shown to the person who caused it:
it never carries a secret, a customer's name or another tenant's data.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why the rules of the trade said no. The values are stable: API clients and translations depend on them."""

    TWO_WAY_OFF = "two-way-off"
    PAST = "past"
    TAKEN = "taken"
    OUTSIDE_HOURS = "outside-hours"
    NOT_YOURS = "not-yours"
    READ_ONLY = "read-only"
    RECURRENCE = "recurrence"
    DURATION = "duration"
    ALL_DAY = "all-day"
    STALE = "stale"
    CANCELLED = "cancelled"
    CANCEL_ASKED = "cancel-asked"
    CANCEL_RESTORED = "cancel-restored"
    IDENTITY = "identity"


class GatewayError(Exception):
    """The root; `str(error)` is one sentence for a person."""


class Refused(GatewayError):
    """The proposal is understood and turned down; nothing has changed.

    `detail` is an English sentence for logs and API clients; letters translate `reason` with `data` instead.
    `data` holds JSON-ready facts the sentence is made of (e.g. {"start": "2026-11-24T10:00:00+00:00"}).
    """

    def __init__(self, reason: Reason, detail: str, **data: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.data = data


class Invalid(GatewayError):
    """The input is not acceptable as such. `condition` is the local name of the precondition element it breaks
    (RFC 4791 §5.3.2.1, e.g. "valid-calendar-data"), or None outside DAV; `field` names the input field, if one is at fault.
    """

    def __init__(self, sentence: str, *, condition: str | None = None, field: str | None = None) -> None:
        super().__init__(sentence)
        self.condition = condition
        self.field = field


class Missing(GatewayError):
    """There is no such thing for this caller."""


class Conflict(GatewayError):
    """What the caller saw is no longer so. `condition` names a DAV precondition ("no-uid-conflict") or None for If-Match;
    `href` is the entry name it conflicts with, when there is one in the same calendar.
    """

    def __init__(self, sentence: str, *, condition: str | None = None, href: str | None = None) -> None:
        super().__init__(sentence)
        self.condition = condition
        self.href = href


class TooLarge(GatewayError):
    """A limit was passed. `limit` is its name in config/gateway.toml, `condition` the DAV precondition if it has one."""

    def __init__(self, sentence: str, *, limit: str, condition: str | None = None) -> None:
        super().__init__(sentence)
        self.limit = limit
        self.condition = condition


class Lost(GatewayError):
    """The claim on the work in hand is somebody else's by now; what was not committed is not committed."""


class Unavailable(GatewayError):
    """Not now; nothing has changed. Ask again after `retry_after` seconds."""

    def __init__(self, sentence: str, *, retry_after: int = 5) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Misconfigured(GatewayError):
    """The installation cannot run like this; the message lists every problem and the next step."""
