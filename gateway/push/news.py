"""Follows the log and notes which devices have to be told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.model import Actor, CalendarId, CompanyId, Revision
from gateway.store import Store, Touch, Transaction
from gateway.store.registrations import READER

BATCH = 500
"""Changes looked at in one transaction."""

GATHER = timedelta(seconds=2)
"""So long after the first change a device is told: of a hundred in a row it is told once."""

EVERYBODY = "*"
"""In `unheard`: no device is to be told of the change."""


class News:
    """The reader of the log for devices (worker.Reader). Cursor and notes move in one transaction.

    A company without devices is not looked at, however much is written there.
    """

    name = READER

    def __init__(self, store: Store) -> None:
        self._store = store
        self._actor = Actor(self.name, "worker")

    def due(self, now: datetime) -> Sequence[CompanyId]:
        """Companies whose log has grown and where a device might care."""
        return list(self._store.behind_for_devices())

    def next(self, now: datetime) -> datetime | None:
        """Nothing comes up by itself."""
        return None

    def catch_up(self, company: CompanyId, now: datetime) -> bool:
        """Read the log to its end, a batch in each transaction; then there may be devices to tell. Idempotent."""
        while not self._round(company, now):
            pass
        return True

    def _round(self, company: CompanyId, now: datetime) -> bool:
        """One transaction; whether the log was read to its end."""
        with self._store.write(company, self._actor) as tx:
            touches = tx.touches(tx.cursor(self.name), limit=BATCH)
            for found in _gathered(touches):
                found.note(tx, now + GATHER)
            if touches:
                tx.advance(self.name, touches[-1].revision)
                tx.heard(touches[-1].revision)
            return len(touches) < BATCH


_NOTHING = Revision(0)


@dataclass(slots=True)
class _Touched:
    """What has changed, by changes that the same devices are not to be told of."""

    unheard: frozenset[str]
    upto: Revision = _NOTHING
    calendars: set[CalendarId] = field(default_factory=set)  # what is in them
    teams: set[CalendarId] = field(default_factory=set)  # of these, where views show it
    themselves: set[CalendarId] = field(default_factory=set)  # how they look, or whether they are there
    views: bool = False

    def take(self, touch: Touch) -> None:
        self.upto = touch.revision
        if not touch.calendar:
            self.views = True
        elif not touch.entry:
            self.themselves.add(touch.calendar)
        else:
            self.calendars.add(touch.calendar)
            if touch.team:
                self.teams.add(touch.calendar)

    def note(self, tx: Transaction, soon: datetime) -> None:
        """Whether it is news for a device turns out when it is told: what it sees may have stayed as it was."""
        if self.calendars:
            tx.news_of_calendars(self.calendars, self.upto, soon, properties=False, unheard=self.unheard)
        if self.themselves:
            tx.news_of_calendars(self.themselves, self.upto, soon, properties=True, unheard=self.unheard)
        if self.teams:
            tx.news_of_teams(self.teams, self.upto, soon, unheard=self.unheard)
        if self.views:
            tx.news_of_views(self.upto, soon, unheard=self.unheard)


def _gathered(touches: Iterable[Touch]) -> Iterable[_Touched]:
    found: dict[frozenset[str], _Touched] = {}
    for touch in touches:
        if EVERYBODY not in touch.unheard:
            found.setdefault(touch.unheard, _Touched(touch.unheard)).take(touch)
    return found.values()
