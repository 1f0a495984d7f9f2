"""What a person wants done with an entry, as values: a closed union, so that a new wish shows every place to think about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.model import CustomerId, Recurrence, ServiceId, Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """A new appointment. From the platform only: a client's new event is a Write."""

    uid: str
    span: Span
    zone: str
    customer: CustomerId
    service: ServiceId
    recurrence: Recurrence | None = None
    notes: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """The appointment, or the occurrence that originally starts `at`, takes place in `span` (another start).

    `insisting`: a person who was asked wants it though it leaves the working hours or meets something personal."""

    span: Span
    at: datetime | None = None
    all_day: bool = False
    insisting: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Resize:
    """Same start, another end."""

    span: Span
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel:
    """The appointment, or one occurrence of it, shall not take place."""

    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotate:
    """What the staff member's own client keeps with the appointment: replaces `extras` (of the occurrence `at`, if given)."""

    extras: tuple[str, ...]
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Amend:
    """The platform changes facts that are not times (None: as it was)."""

    notes: str | None = None
    service: ServiceId | None = None
    recurrence: Recurrence | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Misuse:
    """The client's text asks for what an appointment cannot do; `what` is the sentence. Always refused, with `reason`."""

    reason: str
    what: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """A personal object is what this text says. The text has been read and found sound (`ical.read.personal`)."""

    uid: str
    component: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Erase:
    """A personal object goes away."""


Intent = Book | Move | Resize | Cancel | Annotate | Amend | Misuse | Write | Erase


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a client's text amounts to, in order; empty: nothing. `seen` is the version the client had before it (None: it does not say)."""

    intents: tuple[Intent, ...]
    seen: int | None = None
