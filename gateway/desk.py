"""The desk: the one way anything is changed, whichever door it came through.

SKELETON — signatures other rooms may rely on; being written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway.booking import Intent
from gateway.errors import Refused
from gateway.model import *  # noqa: F403
from gateway.model import Actor, Appointment, CalendarId, Change, Entry, Shape, Span, Staff, StaffId
from gateway.store import Snapshot, Transaction


def apply(
    tx: Transaction, actor: Actor, calendar: CalendarId, name: str, intents: Sequence[Intent], now: datetime, *, seen: int | None = None
) -> Change | None:
    """Carry out the intents on the entry called `name` in `calendar`, or on a new one; all or nothing, one log line.

    None: the net change is zero and nothing was recorded. Raises Refused (nothing changed), Missing, Conflict (uid taken in
    the calendar: condition "no-uid-conflict" with the other name as href), TooLarge.
    `seen` is the appointment version the client had (stale edits without If-Match are refused with Reason.STALE,
    unless their times are those of the version seen).
    """
    raise NotImplementedError


def turn_back(tx: Transaction, actor: Actor, calendar: CalendarId, name: str, refused: Refused, proposal: str, now: datetime) -> Change | None:
    """Record that a proposal was refused: the entry gets a new ETag and the calendar a new token, the reason goes to the log
    (and from there to the staff member). `proposal` is any text naming what was asked; only its digest is kept.
    None when there is no such entry."""
    raise NotImplementedError


def free_busy(snapshot: Snapshot, staff: StaffId, window: Span) -> list[Span]:
    """The merged busy times of a staff member inside the window, without buffers, in order."""
    raise NotImplementedError


def occurrences(snapshot: Snapshot, entry: Entry, window: Span) -> Iterable[Span]:
    """Every instance of the entry that overlaps the window, from the index or by bounded expansion beyond it."""
    raise NotImplementedError
