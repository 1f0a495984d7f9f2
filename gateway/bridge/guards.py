"""Brakes: how much one look at a calendar may delete or move before a person is asked (bridge.md §5.6, I9). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FEW = 3
"""So many are nobody's accident."""

SHARE = 10
"""Beyond them: one in so many of the live items."""

LOOKS = 3
"""So many looks' worth of deletions may be taken over in a day: what trickles in is found out as well."""

DAY = timedelta(days=1)

AGAIN = (timedelta(minutes=15), timedelta(hours=6))
"""When a listing that looked wrong is read once more, in full."""

ALLOWED = timedelta(hours=1)
"""How long a person's permission holds."""


class Brake(StrEnum):
    """What is too much."""

    DELETE = "mass_delete"
    MOVE = "mass_move"
    CANCEL = "mass_cancel"  # too many of a day, each of which a customer would be told of


@dataclass(frozen=True, kw_only=True, slots=True)
class Toll:
    """What one look would do to so many live items. `cancelled`: how many were cancelled from there in the last day."""

    live: int
    vanished: int = 0
    moved: int = 0
    cancelled: int = 0

    def brake(self, limit: int) -> Brake | None:
        """Which one is pulled. `limit` is sync.mass_delete_limit, above which no share counts."""
        most = at_most(self.live, limit)
        if self.vanished > most:
            return Brake.DELETE
        if self.moved > most:
            return Brake.MOVE
        return Brake.CANCEL if self.vanished and self.vanished + self.cancelled > most * LOOKS else None


def at_most(live: int, limit: int) -> int:
    """How many of so many live items one look may delete."""
    return min(max(FEW, live // SHARE), limit)


def next_look(since: datetime, now: datetime) -> datetime:
    """When a braked link is listed again: a quarter of an hour and six hours after it was braked, then daily."""
    for pause in AGAIN:
        if since + pause > now:
            return since + pause
    return now + DAY
