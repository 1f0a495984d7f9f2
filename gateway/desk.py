"""The desk: the one way anything is changed, whichever door it came through.

A door opens a transaction, asks the desk, and commits by leaving it. The desk gathers what a decision depends on, lets
`booking` decide, shapes the outcome for the wire and has it recorded: one entry, one log line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway import booking
from gateway.booking import Annotate, Circumstances, Erase, Intent, Move, Resize, Taken, Write, instances
from gateway.errors import Conflict, Missing, Reason, Refused
from gateway.ical import read, write
from gateway.model import (
    Actor,
    Appointment,
    Calendar,
    CalendarId,
    CalendarKind,
    Change,
    Customer,
    Entry,
    EntryId,
    Occurrence,
    Personal,
    Service,
    Shape,
    Span,
    Staff,
    StaffId,
    Status,
    WorkingHours,
)
from gateway.store import Snapshot, Transaction, fresh_id

HORIZON = timedelta(days=750)
"""How far ahead of now every instance is kept in the index; a daily round keeps it rolling (`extend`)."""

ROLL = timedelta(days=500)
"""An entry whose index ends nearer than this is extended: whole-year windows stay exact all the time."""


def apply(
    tx: Transaction,
    actor: Actor,
    calendar: CalendarId,
    name: str,
    intents: Sequence[Intent],
    now: datetime,
    *,
    seen: int | None = None,
) -> Change | None:
    """Carry out the intents on the entry called `name` in `calendar`, or on a new one; all or nothing, one log line.

    None: the net change is zero and nothing was recorded. `seen` is the version of the appointment the client had when it
    sends no If-Match; what it would merely set back to that version is no wish of the client's. Raises Refused (nothing has
    changed; see `turn_back`), Missing, Conflict ("no-uid-conflict" names the other entry as href), TooLarge.
    """
    held = tx.held(calendar, name)
    return _carry_out(tx, actor, calendar, name, held.entry if held else None, intents, now, seen)


def apply_to(tx: Transaction, actor: Actor, id: EntryId, intents: Sequence[Intent], now: datetime) -> Change | None:
    """The same for the platform's own doors, which know an entry by its id, cancelled ones included. Raises Missing."""
    held = tx.held_by_id(id)
    if held is None:
        raise Missing("There is no such appointment.")
    return _carry_out(tx, actor, held.entry.calendar, held.entry.name, held.entry, intents, now, None)


def turn_back(
    tx: Transaction, actor: Actor, calendar: CalendarId, name: str, refused: Refused, proposal: str, now: datetime
) -> Change | None:
    """Record that a proposal was refused: the entry gets a new ETag and the calendar a new token, so that every client fetches
    the old state anew; the reason goes to the log, and from there to the staff member. `proposal` is any text that says what
    was asked; only its digest is kept, behind "@" the original start of the occurrence it was about, when it was about one, and
    behind "=" where it was wished to, when the staff member may insist. None when there is no such entry."""
    held = tx.held(calendar, name)
    if held is None:
        return None
    digest = hashlib.sha256(proposal.encode()).hexdigest()[:16] + "".join(
        f"{mark}{refused.data[name]}" for mark, name in (("@", "at"), ("=", "wish")) if name in refused.data
    )
    shape = _shape(tx, held.entry, now + HORIZON)
    return tx.record(held.entry, held.entry, shape, now, reason=refused.reason, detail=refused.detail, proposal=digest)


def free_busy(snapshot: Snapshot, staff: StaffId, window: Span) -> list[Span]:
    """The merged busy times of a staff member inside the window, clipped to it, without buffers, in order; those from elsewhere too."""
    spans = [occurrence.span for _, occurrence in _all_busy(snapshot, staff, window, without=None)]
    spans += snapshot.foreign_busy(staff, window)
    merged: list[Span] = []
    for span in sorted(spans):
        start, end = max(span.start, window.start), min(span.end, window.end)
        if start >= end:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(end, merged[-1].end))
        else:
            merged.append(Span(start, end))
    return merged


def offers(snapshot: Snapshot, entry: Appointment, at: datetime | None, window: Span) -> list[Span]:
    """Other times within the window at which the appointment, or its occurrence that originally starts `at`, could take place as
    long as it does now: where nothing would refuse a move of the platform's. None of them where it is; in order."""
    place, staff = _place(entry, at), snapshot.staff(snapshot.calendar(entry.calendar).staff)
    if place is None:
        return []

    year = timedelta(days=366)
    around = window.widened(year, year)
    siblings = [each.span for each in instances(entry, within=around) if each.at != at] if at is not None else []
    service = snapshot.service(entry.service)
    found = openings(snapshot, staff.id, service, window, length=place.length, without=entry.id, besides=siblings)
    return [span for span in found if span != place]


def openings(
    snapshot: Snapshot,
    staff: StaffId,
    service: Service,
    window: Span,
    *,
    length: timedelta | None = None,
    without: EntryId | None = None,
    besides: Sequence[Span] = (),
) -> Iterator[Span]:
    """When the service could take place within the window, as long as it takes or for `length`, in order: where nothing would refuse a
    booking of the platform's. `without` is an entry whose times do not count, `besides` are spans that do."""

    def taken(span: Span) -> list[Span]:
        held = [occurrence.occupied for _, occurrence in _all_busy(snapshot, staff, span, without=without)]
        return [*held, *snapshot.foreign_busy(staff, span), *besides]

    hours, zone = snapshot.hours(staff), snapshot.staff(staff).zone
    return booking.offers(window, length or service.duration, service, hours=hours, zone=zone, taken=taken)


def occurrences(snapshot: Snapshot, entry: Entry, window: Span) -> Sequence[Occurrence]:
    """Every instance of the entry that overlaps the window, by bounded expansion: for what lies beyond the index."""
    shape = _shape(snapshot, entry, window.end)
    return [occurrence for occurrence in shape.occurrences if occurrence.span.overlaps(window) or occurrence.span.start == window.start]


def relocate(
    tx: Transaction, actor: Actor, source: tuple[CalendarId, str], target: tuple[CalendarId, str], now: datetime, *, keep: bool = False
) -> tuple[Change | None, Change | None]:
    """Move (or, with `keep`, copy) a personal object to another name or calendar of the same company; a target is replaced.

    Answers the log lines at the source and at the target. Appointments stay where they are: Refused NOT_YOURS. An object does not
    become another one: Conflict (RFC 4791 §5.3.2.1).
    """
    held = tx.held(*source)
    if held is None:
        raise Missing("There is nothing to move.")
    if not isinstance(held.entry, Personal):
        raise Refused(Reason.NOT_YOURS, "An appointment stays in the calendar it was booked in.")
    there = tx.held(*target)
    if there is not None and not isinstance(there.entry, Personal):
        raise Refused(Reason.NOT_YOURS, "An appointment cannot be overwritten.")
    if there is not None and there.entry.uid != held.entry.uid:
        raise Conflict("The object at the destination has another UID.", condition="no-uid-conflict", href=target[1])
    wish = Write(uid=held.entry.uid, component=held.entry.component, text=held.entry.text)
    gone = None if keep else apply(tx, actor, *source, [Erase()], now)
    if there is not None:
        apply(tx, actor, *target, [Erase()], now)
    return gone, apply(tx, actor, *target, [wish], now)


def make_calendar(tx: Transaction, staff: StaffId, slug: str, components: tuple[str, ...], now: datetime) -> Calendar:
    """A personal calendar in a staff member's home (RFC 4791 §5.3.1). Raises Conflict when the slug is taken."""
    if slug == "company" or slug.startswith("group-"):
        raise Conflict("This name is kept for a team calendar.")
    calendar = Calendar(id=CalendarId(fresh_id()), staff=staff, slug=slug, kind=CalendarKind.PERSONAL, components=components)
    tx.put_calendar(calendar, now)
    return calendar


def save_customer(tx: Transaction, customer: Customer, now: datetime) -> None:
    """A new customer, or new facts about one; appointments ahead that show them are rendered anew."""
    tx.save_customer(customer)
    _render_anew(tx, now, lambda entry: entry.customer == customer.id)


def save_service(tx: Transaction, service: Service, now: datetime) -> None:
    """A new service, or new facts about one; appointments of it are rendered anew, and need its new buffers from now on. Those that
    stand too near each other by these stay where they are."""
    known = {each.id: each for each in tx.services()}
    tx.save_service(service)
    former = known.get(service.id)
    if former is not None and replace(former, duration=service.duration) != service:
        _render_anew(tx, now, lambda entry: entry.service == service.id)


def save_staff(tx: Transaction, staff: Staff, now: datetime) -> None:
    """A new staff member, or new facts about one; the team views' texts that name them follow."""
    known = {person.id: person for person in tx.all_staff()}
    tx.save_staff(staff, now)
    if staff.id in known and (known[staff.id].name, known[staff.id].zone) != (staff.name, staff.zone):
        mine = {calendar.id for calendar in tx.calendars(staff.id)}
        _render_anew(tx, now, lambda entry: entry.calendar in mine)


def extend(tx: Transaction, now: datetime, *, after: EntryId | None = None, limit: int = 200) -> EntryId | None:
    """Keep the index rolling: entries whose instances are indexed up to less than ROLL from now get more of them.

    No log line: nothing a client could see has changed. Answers after which entry to go on; None: all have been looked at. A series
    so dense that no budget reaches ROLL is looked at in every round, and keeps nobody else from his turn.
    """
    due = tx.indexed_before(now + ROLL, limit=limit, after=after)
    for held in due:
        tx.reindex(held.entry.id, _shape(tx, held.entry, now + HORIZON))
    return due[-1].entry.id if len(due) == limit else None


def _carry_out(
    tx: Transaction,
    actor: Actor,
    calendar: CalendarId,
    name: str,
    old: Entry | None,
    intents: Sequence[Intent],
    now: datetime,
    seen: int | None,
) -> Change | None:
    wishes = _fresh(tx, old, intents, seen)
    if not wishes:
        return None
    bound = not isinstance(old, Personal) and not all(isinstance(wish, Write) for wish in wishes)
    new = booking.settle(old, wishes, _circumstances(tx, actor, calendar, name, old, now, bound=bound))
    if new == old:
        return None
    return tx.record(old, new, None if new is None else _shape(tx, new, now + HORIZON), now)


def _circumstances(
    tx: Transaction, actor: Actor, calendar: CalendarId, name: str, old: Entry | None, now: datetime, *, bound: bool
) -> Circumstances:
    """`bound`: by working hours, as nothing is that somebody keeps for himself: then nobody has to be looked up."""

    def staff() -> Staff:
        return tx.staff(tx.calendar(calendar).staff)

    without = old.id if old is not None else None

    def taken(span: Span) -> list[Taken]:
        busy = list(_all_busy(tx, staff().id, span, without=without))
        entries = tx.entries({entry for entry, _ in busy})
        own = [Taken(occurrence.occupied, isinstance(entries[entry], Appointment)) for entry, occurrence in busy]
        return own + [Taken(elsewhere, False) for elsewhere in tx.foreign_busy(staff().id, span)]

    return Circumstances(
        now=now,
        policy=tx.company.policy,
        proposing=actor.proposing,
        lenient=actor.silent,
        services=tx.service,
        hours=tx.hours(staff().id) if bound else WorkingHours(),
        zone=staff().zone if bound else tx.company.zone,
        taken=taken,
        fresh_id=EntryId(fresh_id()),
        calendar=calendar,
        name=name,
    )


def _fresh(tx: Snapshot, old: Entry | None, intents: Sequence[Intent], seen: int | None) -> list[Intent]:
    """The intents without what a client merely remembers from an older version (clients.md: Evolution sends no If-Match).

    A time that differs from the version the client saw as well as from ours was meant, but for a state that is gone: STALE.
    """
    if seen is None or not isinstance(old, Appointment) or seen == old.version:
        return list(intents)
    base = tx.version(old.id, seen)
    fresh: list[Intent] = []
    for wish in intents:
        if isinstance(wish, Annotate):
            fresh.append(wish)
        elif not (base is not None and isinstance(wish, Move | Resize) and _place(base, wish.at) == wish.span):
            raise Refused(Reason.STALE, "The appointment has changed since your calendar last fetched it.")
    return fresh


def _place(appointment: Appointment, at: datetime | None) -> Span | None:
    if at is None:
        return appointment.span
    return next((instance.span for instance in instances(appointment, within=Span(at, at)) if instance.at == at), None)


def _all_busy(snapshot: Snapshot, staff: StaffId, window: Span, *, without: EntryId | None) -> Iterable[tuple[EntryId, Occurrence]]:
    """Busy instances from the index; entries whose index ends before the window does are expanded."""
    beyond = snapshot.busy_beyond_index(staff, window.end) - {without}
    for indexed, occurrence in snapshot.busy(staff, window, without=without):
        if indexed not in beyond:
            yield indexed, occurrence
    for expanded, entry in snapshot.entries(beyond).items():
        for occurrence in _shape(snapshot, entry, window.end).occurrences:
            if occurrence.busy and occurrence.occupied.overlaps(window):
                yield expanded, occurrence


def _shape(snapshot: Snapshot, entry: Entry, horizon: datetime) -> Shape:
    staff = snapshot.staff(snapshot.calendar(entry.calendar).staff)
    if isinstance(entry, Personal):
        return read.personal_shape(entry, zone=staff.zone, horizon=horizon)
    return write.shape(
        entry,
        company=snapshot.company,
        staff=staff,
        service=snapshot.service(entry.service),
        customer=snapshot.customer(entry.customer),
        horizon=horizon,
    )


def _render_anew(tx: Transaction, now: datetime, concerns: Callable[[Appointment], bool]) -> None:
    for held in tx.appointments(staff=None, window=None):
        entry = held.entry
        if isinstance(entry, Appointment) and entry.status is not Status.CANCELLED and concerns(entry):
            tx.record(entry, entry, _shape(tx, entry, now + HORIZON), now)
