"""Brakes: how much one look at a calendar may delete or move before a person is asked (bridge.md §5.6, I9). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FEW = 3
"""So many are nobody's accident."""

SHARE = 10
"""Beyond them: one in so many of the live items."""

AGAIN = (timedelta(minutes=15), timedelta(hours=6))
"""When a listing that looked wrong is read once more, in full."""

ALLOWED = timedelta(hours=1)
"""How long a person's permission holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Toll:
    """What one look would do to so many live items."""

    live: int
    vanished: int = 0
    moved: int = 0

    def too_much(self, limit: int) -> str:
        """Which brake is pulled: "delete", "move" or "". `limit` is sync.mass_delete_limit, above which no share counts."""
        most = min(max(FEW, self.live // SHARE), limit)
        if self.vanished > most:
            return "delete"
        return "move" if self.moved > most else ""


def next_look(since: datetime, now: datetime) -> datetime:
    """When a braked link is listed again: a quarter of an hour and six hours after it was braked, then daily."""
    for pause in AGAIN:
        if since + pause > now:
            return since + pause
    return now + timedelta(days=1)
