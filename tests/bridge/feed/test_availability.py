"""What busy times from elsewhere do to bookings: decided by the desk, within the transaction that books (bridge.md §4, 49)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway import desk
from gateway.booking import Book, Move
from gateway.errors import Reason, Refused
from gateway.model import Actor, Recurrence, Span
from gateway.store import fresh_id
from tests.bridge.feed.site import Room
from tests.bridge.wire import NOW
from tests.bridge.world import ADVICE, ANN, DAY, DEMO, HOUR, JOHN, PLATFORM

BUSY = Span(NOW + DAY + 2 * HOUR, NOW + DAY + 3 * HOUR)
HALF = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _busy(room: Room) -> None:
    with room.store.write(DEMO, PLATFORM) as tx:
        tx.put_busy(JOHN.id, "ics", [BUSY], NOW)


def book(room: Room, start: datetime, actor: Actor = PLATFORM, recurrence: Recurrence | None = None) -> str:
    with room.store.write(DEMO, actor) as tx:
        name = fresh_id()
        span = Span(start, start + ADVICE.duration)
        wish = Book(uid=f"{name}@demo", span=span, zone=JOHN.zone, customer=ANN.id, service=ADVICE.id, recurrence=recurrence)
        desk.apply(tx, actor, tx.appointments_of(JOHN.id).id, name, [wish], NOW)
    return name


@pytest.mark.parametrize("start", [BUSY.start, BUSY.start - HALF / 2, BUSY.end - HALF / 2])
def test_the_platforms_own_booking_over_one_is_refused(room: Room, start: datetime) -> None:
    with pytest.raises(Refused) as refused:
        book(room, start)
    assert refused.value.reason is Reason.TAKEN


@pytest.mark.parametrize("start", [BUSY.start - HALF, BUSY.end])
def test_beside_one_there_is_room(room: Room, start: datetime) -> None:
    assert book(room, start)


def test_a_series_that_meets_one_is_refused_as_a_whole(room: Room) -> None:
    with pytest.raises(Refused):
        book(room, BUSY.start - DAY, recurrence=Recurrence(rule="FREQ=DAILY;COUNT=3"))


def test_what_already_is_can_be_imported_over_one(room: Room) -> None:
    assert book(room, BUSY.start, Actor("import", "import"))


def test_a_staff_members_move_onto_one_is_refused(room: Room) -> None:
    name = book(room, BUSY.end)
    with room.store.write(DEMO, Actor(JOHN.email, "dav")) as tx, pytest.raises(Refused) as refused:
        desk.apply(tx, tx.actor, tx.appointments_of(JOHN.id).id, name, [Move(span=Span(BUSY.start, BUSY.start + HALF))], NOW)
    assert refused.value.reason is Reason.TAKEN


def test_times_that_were_learnt_after_a_booking_leave_it_where_it_is(room: Room) -> None:
    name = book(room, BUSY.end)
    with room.store.write(DEMO, PLATFORM) as tx:
        tx.put_busy(JOHN.id, "ics", [Span(BUSY.start, BUSY.end + HOUR)], NOW)
        held = tx.held(tx.appointments_of(JOHN.id).id, name)
    assert held is not None


def test_other_times_that_are_offered_lie_beside_them(room: Room) -> None:
    name = book(room, BUSY.end)
    with room.store.read(DEMO) as snapshot:
        held = snapshot.held(snapshot.appointments_of(JOHN.id).id, name)
        assert held is not None
        offered = desk.offers(snapshot, held.entry, None, Span(BUSY.start - HOUR, BUSY.end + HOUR))  # type: ignore[arg-type]  # booked above
    assert offered
    assert not any(span.overlaps(BUSY) for span in offered)


def test_times_of_several_origins_are_told_as_one(room: Room) -> None:
    with room.store.write(DEMO, PLATFORM) as tx:
        tx.put_busy(JOHN.id, "account:a", [Span(BUSY.start - HOUR, BUSY.start), Span(BUSY.start + HALF, BUSY.end + HALF)], NOW)
    book(room, BUSY.end + HALF)
    with room.store.read(DEMO) as snapshot:
        assert desk.free_busy(snapshot, JOHN.id, Span(NOW, NOW + 9 * DAY)) == [Span(BUSY.start - HOUR, BUSY.end + 2 * HALF)]
