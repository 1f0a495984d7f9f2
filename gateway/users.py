"""Those who sign in to the pages, and those invited to connect a calendar, as values. No I/O, no clock, no library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from gateway.model import StaffId

UserId = NewType("UserId", str)
InvitationId = NewType("InvitationId", str)


class Role(StrEnum):
    ADMIN = "admin"  # everything of the company
    STAFF = "staff"  # the staff member's own page


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Somebody who signs in by e-mail address and password. A staff member's user goes with the staff member."""

    id: UserId
    role: Role
    name: str
    email: str
    locale: str = "en"
    staff: StaffId | None = None
    active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A browser that has signed in, until `until` at the latest. `agent` and `network` are what the browser said when it did."""

    user: User
    begun: datetime
    seen: datetime
    until: datetime
    agent: str = ""
    network: str = ""


class Step(StrEnum):
    """How far an invitation has come."""

    SENT = "sent"
    OPENED = "opened"
    CONNECTED = "connected"
    FAILED = "failed"  # the letter could not be delivered
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """A letter with a link by which a staff member connects a calendar: single use, and void after `until`."""

    id: InvitationId
    staff: StaffId
    recipient: str
    subject: str
    sent: datetime
    until: datetime
    opened: datetime | None = None
    connected: datetime | None = None
    failed: datetime | None = None
    revoked: datetime | None = None
    letter: str = ""  # the key of the letter in the outbox

    @property
    def step(self) -> Step:
        """The furthest one; revoking ends everything but what was connected before."""
        if self.connected is not None:
            return Step.CONNECTED
        if self.revoked is not None:
            return Step.REVOKED
        if self.failed is not None:
            return Step.FAILED
        return Step.OPENED if self.opened is not None else Step.SENT


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Something somebody changed that is no calendar entry. `what` is a key such as "settings"; `subject` an id, or "" for the company."""

    number: int
    at: datetime
    who: str
    door: str
    what: str
    subject: str
    before: Mapping[str, Any]  # JSON-ready; only what differs
    after: Mapping[str, Any]
