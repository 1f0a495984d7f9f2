"""What the tests of the engine do over and over: an appointment that is mirrored, an event that is dragged, and why it was turned back."""

from __future__ import annotations

from datetime import timedelta

from gateway.errors import Reason
from gateway.model import Appointment, EntryId
from tests.bridge.engine.paper import Desk
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO

HALF = timedelta(minutes=30)
AT = NOW + DAY


def booked(desk: Desk, at: int = 1) -> Appointment:
    """So many days ahead; it stands over there, and its customer has been told."""
    made = desk.book(NOW + at * DAY)
    desk.poll()
    desk.letters()
    return made


def dragged(desk: Desk, start: object, length: timedelta = HALF) -> None:
    desk.paper.move(desk.calendar, desk.only().id, start, length)  # type: ignore[arg-type]


def reasons(desk: Desk, entry: EntryId) -> list[Reason]:
    with desk.store.read(DEMO) as snapshot:
        return [change.reason for change in snapshot.changes_of(entry) if change.reason is not None]
