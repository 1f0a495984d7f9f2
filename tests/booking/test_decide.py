"""The rules of the trade as a table: what a wish makes of an appointment, and with which reason it is turned down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.booking import (
    Amend,
    Annotate,
    Book,
    Cancel,
    Circumstances,
    Erase,
    Intent,
    Misuse,
    Move,
    Resize,
    Taken,
    Write,
    instances,
    settle,
)
from gateway.booking.series import shifted_rule
from gateway.errors import Conflict, Invalid, Reason, Refused
from gateway.model import (
    Appointment,
    CalendarId,
    CustomerId,
    Entry,
    EntryId,
    OnConflict,
    OnDelete,
    Personal,
    Policy,
    Recurrence,
    Service,
    ServiceId,
    Span,
    Status,
    WorkingHours,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEEK = WorkingHours(weekly=dict.fromkeys(range(5), ((480, 1080),)))
OPEN = Policy(two_way=True, on_delete=OnDelete.CANCEL)
BUFFERED = Service(id=ServiceId("massage"), name="Massage", duration=timedelta(hours=1), buffer_after=timedelta(minutes=15))


def hour(day: int, hour: int, minute: int = 0, *, month: int = 12, length: int = 60) -> Span:
    start = datetime(2026, month, day, hour, minute, tzinfo=UTC)
    return Span(start, start + timedelta(minutes=length))


def booking(span: Span | None = None, **more: object) -> Appointment:
    values: dict[str, object] = {
        "id": EntryId("a"),
        "calendar": CalendarId("c"),
        "name": "a.ics",
        "uid": "a@example.com",
        "span": span or hour(1, 10),
        "zone": "UTC",
        "customer": CustomerId("ada"),
        "service": ServiceId("cut"),
        "created": NOW - timedelta(days=9),
        "changed": NOW - timedelta(days=9),
    }
    return Appointment(**(values | more))  # type: ignore[arg-type]


def series(rule: str = "FREQ=WEEKLY;COUNT=6", **more: object) -> Appointment:
    return booking(recurrence=Recurrence(rule=rule), **more)


def given(
    policy: Policy = OPEN, *, taken: Sequence[Taken] = (), proposing: bool = True, lenient: bool = False, now: datetime = NOW
) -> Circumstances:
    cut = Service(id=ServiceId("cut"), name="Haircut", duration=timedelta(hours=1))
    return Circumstances(
        now=now,
        policy=policy,
        proposing=proposing,
        lenient=lenient,
        services=lambda service: BUFFERED if service == BUFFERED.id else cut,
        hours=WEEK,
        zone="UTC",
        taken=lambda span: [other for other in taken if other.span.overlaps(span)],
        fresh_id=EntryId("new"),
        calendar=CalendarId("c"),
        name="new.ics",
    )


def reason(old: Entry | None, *wishes: Intent, to: Circumstances | None = None) -> Reason:
    with pytest.raises(Refused) as refused:
        settle(old, wishes, to or given())
    assert refused.value.detail.endswith(".")
    return refused.value.reason


CUSTOMER = Taken(hour(1, 12), booked=True)
DENTIST = Taken(hour(1, 12), booked=False)


@pytest.mark.parametrize(
    ("wish", "to", "why"),
    [
        (Move(span=hour(1, 12)), given(Policy()), Reason.TWO_WAY_OFF),
        (Resize(span=hour(1, 10, length=90)), given(Policy(resize=True)), Reason.TWO_WAY_OFF),
        (Cancel(), given(Policy()), Reason.TWO_WAY_OFF),
        (Move(span=hour(23, 10, month=11)), given(), Reason.PAST),
        (Move(span=hour(1, 12)), given(taken=[CUSTOMER]), Reason.TAKEN),
        (Move(span=hour(1, 12)), given(taken=[DENTIST]), Reason.TAKEN),
        (Move(span=hour(1, 12)), given(replace(OPEN, on_conflict=OnConflict.ASK), taken=[DENTIST]), Reason.TAKEN),
        (Move(span=hour(1, 12)), given(replace(OPEN, on_conflict=OnConflict.ACCEPT), taken=[CUSTOMER]), Reason.TAKEN),
        (Move(span=hour(1, 12, 59)), given(taken=[CUSTOMER]), Reason.TAKEN),
        (Move(span=hour(1, 11, 1)), given(taken=[CUSTOMER]), Reason.TAKEN),
        (Move(span=hour(1, 19)), given(), Reason.OUTSIDE_HOURS),
        (Move(span=hour(5, 10)), given(), Reason.OUTSIDE_HOURS),
        (Move(span=hour(2, 0, length=1440), all_day=True), given(), Reason.ALL_DAY),
        (Resize(span=hour(1, 10, length=90)), given(), Reason.DURATION),
        (Resize(span=hour(1, 10, length=0)), given(replace(OPEN, resize=True)), Reason.DURATION),
        (Move(span=hour(1, 12), at=hour(1, 10).start), given(), Reason.RECURRENCE),
        (Cancel(at=hour(1, 10).start), given(), Reason.RECURRENCE),
        (Misuse(reason="recurrence", what="An appointment does not repeat."), given(), Reason.RECURRENCE),
        (Misuse(reason="not-yours", what="Guests are invited on the platform."), given(), Reason.NOT_YOURS),
        (Cancel(), given(Policy(two_way=True)), Reason.CANCEL_ASKED),
        (Cancel(), given(replace(OPEN, on_delete=OnDelete.RESTORE)), Reason.CANCEL_RESTORED),
        (Erase(), given(Policy(two_way=True)), Reason.CANCEL_ASKED),
        (Write(uid="a@example.com", component="VEVENT", text="x"), given(), Reason.NOT_YOURS),
        (Amend(notes="Other notes"), given(), Reason.NOT_YOURS),
    ],
)
def test_a_wish_against_the_rules_is_refused_with_its_reason(wish: Intent, to: Circumstances, why: Reason) -> None:
    assert reason(booking(), wish, to=to) is why


def test_a_move_to_a_free_hour_is_granted_and_counted_once() -> None:
    moved = settle(booking(), [Move(span=hour(1, 12))], given())
    assert moved == booking(hour(1, 12), sequence=1, version=2, changed=NOW)


def test_touching_a_neighbour_is_not_overlapping() -> None:
    assert settle(booking(), [Move(span=hour(1, 11))], given(taken=[CUSTOMER])) is not None
    assert settle(booking(), [Move(span=hour(1, 13))], given(taken=[CUSTOMER])) is not None


def test_buffers_of_the_service_need_room_too() -> None:
    massage = booking(service=BUFFERED.id)
    assert reason(massage, Move(span=hour(1, 11)), to=given(taken=[CUSTOMER])) is Reason.TAKEN
    assert settle(massage, [Move(span=hour(1, 10, 45))], given(taken=[CUSTOMER])) is not None


def test_accepting_conflicts_forgives_ones_own_events_and_hours_but_no_double_booking() -> None:
    forgiving = replace(OPEN, on_conflict=OnConflict.ACCEPT)
    assert settle(booking(), [Move(span=hour(1, 12))], given(forgiving, taken=[DENTIST])) is not None
    assert settle(booking(), [Move(span=hour(5, 20))], given(forgiving)) is not None
    assert reason(booking(), Move(span=hour(1, 12)), to=given(forgiving, taken=[CUSTOMER])) is Reason.TAKEN


def test_there_and_back_is_no_change_at_all() -> None:
    old = booking()
    assert settle(old, [Move(span=hour(1, 12)), Move(span=hour(1, 10))], given()) is old
    assert settle(old, [Move(span=hour(1, 10))], given(Policy())) is old


def test_what_has_begun_stays_for_calendars_but_not_for_the_platform() -> None:
    begun = booking(Span(NOW - timedelta(minutes=5), NOW + timedelta(minutes=55)))
    assert reason(begun, Move(span=hour(1, 10))) is Reason.PAST
    assert settle(begun, [Move(span=hour(1, 10))], given(proposing=False)) is not None


def test_dragging_the_upper_edge_moves_and_keeps_the_length() -> None:
    moved = settle(booking(), [Move(span=hour(1, 9, 30)), Resize(span=hour(1, 9, 30, length=90))], given())
    assert isinstance(moved, Appointment)
    assert moved.span == hour(1, 9, 30)


def test_resizing_is_granted_where_the_company_allows_it() -> None:
    longer = settle(booking(), [Resize(span=hour(1, 10, length=90))], given(replace(OPEN, resize=True)))
    assert isinstance(longer, Appointment)
    assert (longer.span, longer.sequence) == (hour(1, 10, length=90), 1)


def test_cancelling_keeps_the_books_and_raises_the_sequence() -> None:
    gone = settle(booking(), [Cancel()], given())
    assert gone == booking(status=Status.CANCELLED, sequence=1, version=2, changed=NOW)
    assert settle(gone, [Cancel()], given()) is gone
    assert reason(gone, Move(span=hour(1, 12))) is Reason.CANCELLED


def test_deleting_what_is_over_does_not_cancel_it() -> None:
    over = booking(hour(2, 10, month=11))
    assert reason(over, Cancel()) is Reason.PAST
    assert settle(over, [Cancel()], given(proposing=False)) is not None


def test_annotations_need_no_permission_and_raise_nothing() -> None:
    marked = settle(booking(), [Annotate(extras=("CATEGORIES:Regulars",))], given(Policy()))
    assert marked == booking(extras=("CATEGORIES:Regulars",))


def test_one_occurrence_moves_alone() -> None:
    at = hour(8, 10).start
    moved = settle(series(), [Move(span=hour(9, 15), at=at)], given())
    assert isinstance(moved, Appointment)
    assert [instance.span for instance in instances(moved)][:3] == [hour(1, 10), hour(9, 15), hour(15, 10)]
    assert (moved.sequence, moved.version) == (1, 2)
    back = settle(moved, [Move(span=hour(8, 10), at=at)], given())
    assert isinstance(back, Appointment)
    assert back.recurrence == series().recurrence


def test_one_occurrence_is_cancelled_alone_and_the_last_one_ends_the_series() -> None:
    short = series("FREQ=WEEKLY;COUNT=2")
    one = settle(short, [Cancel(at=hour(8, 10).start)], given())
    assert isinstance(one, Appointment)
    assert [instance.span for instance in instances(one)] == [hour(1, 10)]
    assert one.status is Status.CONFIRMED
    none = settle(one, [Cancel(at=hour(1, 10).start)], given())
    assert isinstance(none, Appointment)
    assert none.status is Status.CANCELLED


def test_a_series_knows_no_occurrence_it_never_had() -> None:
    assert reason(series(), Move(span=hour(9, 15), at=hour(9, 10).start)) is Reason.RECURRENCE


def test_an_occurrence_may_not_be_put_on_its_own_sibling() -> None:
    assert reason(series(), Move(span=hour(15, 10, 30), at=hour(8, 10).start)) is Reason.TAKEN


def test_every_occurrence_of_a_moved_series_is_checked() -> None:
    third = Taken(hour(15, 12), booked=True)
    assert reason(series(), Move(span=hour(1, 12)), to=given(taken=[third])) is Reason.TAKEN
    assert settle(series(), [Move(span=hour(1, 13))], given(taken=[third])) is not None


def test_a_moved_series_keeps_its_exceptions() -> None:
    old = settle(series(), [Cancel(at=hour(15, 10).start), Move(span=hour(9, 15), at=hour(8, 10).start)], given())
    moved = settle(old, [Move(span=hour(1, 11))], given())
    assert isinstance(moved, Appointment)
    assert [instance.span for instance in instances(moved)][:3] == [hour(1, 11), hour(9, 15), hour(22, 11)]


def test_a_moved_series_keeps_its_wall_time_and_exceptions_over_a_change_of_clocks() -> None:
    start = datetime(2027, 3, 15, 9, tzinfo=UTC)  # 10:00 in Paris, before the clocks go forward
    old = series(span=Span(start, start + timedelta(hours=1)), zone="Europe/Paris")
    fourth = datetime(2027, 4, 5, 8, tzinfo=UTC)  # 10:00 in Paris, after
    old = settle(old, [Cancel(at=fourth)], given(proposing=False))
    assert isinstance(old, Appointment)
    assert old.recurrence is not None
    assert old.recurrence.excluded == (fourth,)
    moved = settle(old, [Move(span=Span(start + timedelta(hours=2), start + timedelta(hours=3)))], given(proposing=False))
    assert isinstance(moved, Appointment)
    assert moved.recurrence is not None
    assert moved.recurrence.excluded == (fourth + timedelta(hours=2),)


@pytest.mark.parametrize(
    ("rule", "day", "moved"),
    [
        ("FREQ=WEEKLY;COUNT=6", 2, "FREQ=WEEKLY;COUNT=6"),
        ("FREQ=WEEKLY;COUNT=6;BYDAY=TU", 2, "FREQ=WEEKLY;COUNT=6;BYDAY=WE"),
        ("FREQ=WEEKLY;COUNT=6;BYDAY=TU", 1, "FREQ=WEEKLY;COUNT=6;BYDAY=TU"),
    ],
)
def test_a_series_moved_to_another_weekday_repeats_there(rule: str, day: int, moved: str) -> None:
    new = settle(series(rule), [Move(span=hour(day, 12))], given())
    assert isinstance(new, Appointment)
    assert new.recurrence == Recurrence(rule=moved)


def test_a_series_on_several_weekdays_cannot_be_dragged_to_another_day() -> None:
    assert reason(series("FREQ=WEEKLY;COUNT=6;BYDAY=TU,TH"), Move(span=hour(2, 12))) is Reason.RECURRENCE


def test_a_series_that_has_begun_is_moved_occurrence_by_occurrence() -> None:
    begun = series(span=hour(17, 10, month=11))
    assert reason(begun, Move(span=hour(17, 12, month=11))) is Reason.RECURRENCE
    assert settle(begun, [Move(span=hour(1, 12), at=hour(1, 10).start)], given()) is not None


def test_an_occurrence_cannot_go_exactly_where_another_one_is() -> None:
    weekly = series()
    assert reason(weekly, Move(span=hour(8, 10), at=hour(1, 10).start)) is Reason.TAKEN


def test_moving_and_shortening_at_once_never_meets_what_lies_between() -> None:
    both = [Move(span=hour(1, 10, 30)), Resize(span=hour(1, 10, 30, length=30))]
    taken = [Taken(hour(1, 11), booked=True)]
    shortened = settle(booking(), both, given(replace(OPEN, resize=True), taken=taken))
    assert isinstance(shortened, Appointment)
    assert (shortened.span, shortened.sequence) == (hour(1, 10, 30, length=30), 1)


@pytest.mark.parametrize(
    ("until", "later"),
    [
        ("20261222T100000Z", "20261223T120000Z"),
        ("20261222T110000", "20261223T130000"),  # wall time in Paris
        ("20261222", "20261223"),
    ],
)
def test_the_last_occurrence_of_a_moved_series_stays_the_last(until: str, later: str) -> None:
    assert shifted_rule(f"FREQ=WEEKLY;UNTIL={until}", hour(1, 10).start, hour(2, 12).start, "Europe/Paris") == f"FREQ=WEEKLY;UNTIL={later}"


def test_an_endless_series_can_be_booked_and_moved() -> None:
    book = Book(
        uid="b",
        span=hour(1, 10),
        zone="Europe/Paris",
        customer=CustomerId("ada"),
        service=ServiceId("cut"),
        recurrence=Recurrence(rule="FREQ=WEEKLY"),
    )
    booked = settle(None, [book], given(proposing=False))
    assert isinstance(booked, Appointment)
    assert settle(booked, [Move(span=hour(1, 12))], given()) is not None


def test_the_platform_books_and_calendars_do_not() -> None:
    book = Book(uid="b", span=hour(1, 10), zone="Europe/Paris", customer=CustomerId("ada"), service=ServiceId("cut"))
    booked = settle(None, [book], given(proposing=False))
    assert isinstance(booked, Appointment)
    assert (booked.id, booked.name, booked.version, booked.sequence, booked.created) == ("new", "new.ics", 1, 0, NOW)
    assert reason(None, book) is Reason.NOT_YOURS
    assert reason(None, book, to=given(proposing=False, taken=[Taken(hour(1, 10), booked=False)])) is Reason.TAKEN
    assert reason(None, replace(book, span=hour(5, 10)), to=given(proposing=False)) is Reason.OUTSIDE_HOURS
    with pytest.raises(Invalid):
        settle(None, [replace(book, span=hour(1, 10, length=0))], given(proposing=False))


def test_an_import_takes_over_the_past_but_no_double_booking() -> None:
    book = Book(uid="b", span=hour(7, 3, month=11), zone="UTC", customer=CustomerId("ada"), service=ServiceId("cut"))
    assert settle(None, [book], given(proposing=False, lenient=True)) is not None
    clash = given(proposing=False, lenient=True, taken=[Taken(hour(7, 3, month=11), booked=True)])
    assert reason(None, book, to=clash) is Reason.TAKEN


def test_the_platform_cancels_and_amends_whatever_the_policy_for_calendars() -> None:
    strict = given(Policy(), proposing=False)
    cancelled = settle(booking(), [Cancel()], strict)
    assert isinstance(cancelled, Appointment)
    assert cancelled.status is Status.CANCELLED
    noted = settle(booking(), [Amend(notes="Allergic to lavender")], strict)
    assert noted == booking(notes="Allergic to lavender", version=2, changed=NOW)


def personal(text: str = "BEGIN:VCALENDAR…", uid: str = "p@example.com") -> Personal:
    return Personal(
        id=EntryId("new"), calendar=CalendarId("c"), name="new.ics", uid=uid, component="VEVENT", text=text, created=NOW, changed=NOW
    )


def test_personal_objects_are_written_changed_and_erased_without_permission() -> None:
    closed = given(Policy())
    written = settle(None, [Write(uid="p@example.com", component="VEVENT", text="one")], closed)
    assert written == personal("one")
    later = given(Policy(), now=NOW + timedelta(hours=1))
    changed = settle(written, [Write(uid="p@example.com", component="VEVENT", text="two")], later)
    assert changed == replace(personal("two"), changed=NOW + timedelta(hours=1))
    assert settle(changed, [Write(uid="p@example.com", component="VEVENT", text="two")], closed) is changed
    assert settle(changed, [Erase()], closed) is None


def test_a_personal_object_keeps_its_uid() -> None:
    with pytest.raises(Conflict) as conflict:
        settle(personal(), [Write(uid="q@example.com", component="VEVENT", text="two")], given())
    assert (conflict.value.condition, conflict.value.href) == ("no-uid-conflict", "new.ics")
