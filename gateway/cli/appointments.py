"""Commands about appointments; and explain, which tells the life of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import frame, mirrored, shapes
from gateway.cli.frame import Json, Office, Shown, command
from gateway.cli.people import staff_named
from gateway.cli.trade import customer_named, service_named
from gateway.errors import Conflict, Missing
from gateway.model import Appointment, Change, EntryId, Personal, Recurrence, Span, Status

if TYPE_CHECKING:
    from gateway.booking import Intent
    from gateway.store import Held, Snapshot, Transaction

appointment = typer.Typer(help="Appointments: booked, listed, moved, cancelled for the company.", no_args_is_help=True)
cli = typer.Typer()

One = Annotated[str, typer.Argument(metavar="APPOINTMENT", help="Id or UID.")]
Occurrence = Annotated[str, typer.Option(help="Only the occurrence of a series that originally starts then.")]
LISTED = timedelta(days=14)


@command(appointment, "add")
def add(
    office: Office,
    staff: Annotated[str, typer.Option(help="Handle, e-mail address or id.")],
    service: Annotated[str, typer.Option(help="Name or id.")],
    customer: Annotated[str, typer.Option(help="E-mail address, name or id.")],
    start: Annotated[str, typer.Option(help="Such as 2026-11-25T10:00, in the staff member's time zone unless it has an offset.")],
    minutes: Annotated[int | None, typer.Option(min=1, help="The service's length unless told.")] = None,
    rule: Annotated[str, typer.Option(help='Repeat: an RRULE value such as "FREQ=WEEKLY;COUNT=10".')] = "",
    notes: Annotated[str, typer.Option()] = "",
) -> Shown:
    """Book an appointment. The customer gets a letter."""
    from gateway import desk
    from gateway.booking import Book
    from gateway.recurrence import Rule
    from gateway.store import fresh_id

    with office.writing() as tx:
        person, offer = staff_named(tx, staff), service_named(tx, service)
        if not person.active:
            raise Conflict(f"{person.name} takes no appointments any more.")
        begin, new = frame.moment(start, person.zone), fresh_id()
        wish = Book(
            uid=f"{new}@{tx.company.slug}",
            span=Span(begin, begin + (timedelta(minutes=minutes) if minutes else offer.duration)),
            zone=person.zone,
            customer=customer_named(tx, customer).id,
            service=offer.id,
            recurrence=Recurrence(rule=str(Rule.parse(rule.removeprefix("RRULE:")))) if rule else None,
            notes=notes,
        )
        change = desk.apply(tx, office.actor, tx.appointments_of(person.id).id, f"{new}.ics", [wish], office.now)
        return _shown(tx, None if change is None else change.after)


@command(appointment, "list")
def list_appointments(
    office: Office,
    staff: Annotated[str, typer.Option(help="Only of this staff member.")] = "",
    since: Annotated[str, typer.Option("--from", help="Today unless told.")] = "",
    until: Annotated[str, typer.Option("--to", help="Two weeks later unless told.")] = "",
    cancelled: Annotated[bool, typer.Option("--cancelled", help="Cancelled ones as well.")] = False,
) -> Shown:
    """Appointments that take place between two times."""
    with office.reading() as snapshot:
        zone = snapshot.company.zone
        start = frame.moment(since or shapes.stamp(office.now, zone)[:10], zone)
        window = Span(start, frame.moment(until, zone) if until else start + LISTED)
        people = [staff_named(snapshot, staff).id] if staff else None
        found = snapshot.appointments(staff=people, window=window, cancelled=cancelled)
        rows = [shapes.appointment(held.entry, snapshot) for held in found if isinstance(held.entry, Appointment)]
    return Shown(rows, columns=("start", "end", "staff", "service", "customer", "status", "id"))


@command(appointment, "show")
def show(office: Office, one: One) -> Shown:
    """One appointment."""
    with office.reading() as snapshot:
        return _shown(snapshot, _named(snapshot, one))


@command(appointment, "move")
def move(
    office: Office,
    one: One,
    to: Annotated[str, typer.Option("--to", help="The new start, in the appointment's time zone unless it has an offset.")],
    occurrence: Occurrence = "",
) -> Shown:
    """Move an appointment, or one occurrence of it. The customer is told."""
    from gateway.booking import Move, instances

    with office.writing() as tx:
        entry = _named(tx, one)
        at, begin = _at(occurrence, entry), frame.moment(to, entry.zone)
        old = entry.span
        if at is not None:
            old = next((each.span for each in instances(entry, within=Span(at, at)) if each.at == at), old)
        return _applied(office, tx, entry, Move(span=Span(begin, begin + old.length), at=at))


@command(appointment, "cancel")
def cancel(office: Office, one: One, occurrence: Occurrence = "") -> Shown:
    """Cancel an appointment, or one occurrence of it. The customer is told."""
    from gateway.booking import Cancel

    with office.writing() as tx:
        entry = _named(tx, one)
        return _applied(office, tx, entry, Cancel(at=_at(occurrence, entry)))


def _at(occurrence: str, entry: Appointment) -> datetime | None:
    return frame.moment(occurrence, entry.zone) if occurrence else None


def _applied(office: Office, tx: Transaction, entry: Appointment, wish: Intent) -> Shown:
    from gateway import desk

    desk.apply_to(tx, office.actor, entry.id, [wish], office.now)
    held = tx.held_by_id(entry.id)
    return _shown(tx, None if held is None else held.entry)


@command(cli, "explain")
def explain(office: Office, one: One) -> Shown | None:
    """Tell the life of one appointment: every change with its door and who made it, what was refused and why, how it stands in
    calendars elsewhere, and the letters."""
    with office.reading() as snapshot:
        entry = _named(snapshot, one)
        facts = shapes.appointment(entry, snapshot)
        changes = [_change(change, entry.zone) for change in snapshot.changes_of(entry.id)]
        mirrors, happened = mirrored.items(snapshot, entry), mirrored.happenings(snapshot, entry)
        letters = [shapes.posted(letter) for letter in snapshot.letters_of(entry.id)]
    if office.as_json:
        return Shown({"appointment": facts, "changes": changes, "mirrors": mirrors, "mirror_history": happened, "letters": letters})
    frame.show(Shown(facts), False)
    typer.echo("\nWhat happened to it")
    frame.show(Shown(changes, columns=("at", "who", "door", "what")), False)
    if mirrors:
        typer.echo("\nIn calendars elsewhere")
        frame.show(Shown(mirrors, columns=("calendar", "occurrence", "state", "shown_there", "trouble")), False)
    if happened:
        typer.echo("\nWhat happened there")
        frame.show(Shown(happened, columns=("at", "calendar", "kind", "sentence")), False)
    typer.echo("\nLetters about it")
    frame.show(Shown(letters), False)
    return None


def _change(change: Change, zone: str) -> Json:
    return {
        "revision": change.revision,
        "at": shapes.stamp(change.at),
        "who": change.actor.who,
        "door": change.actor.door,
        "what": _what(change, zone),
        "refused": None if change.reason is None else str(change.reason),
    }


def _what(change: Change, zone: str) -> str:
    """The change as a sentence without a subject."""
    before, after = change.before, change.after
    if change.reason is not None:
        return f"refused ({change.reason}): {change.detail}"
    if not isinstance(after, Appointment):
        return "erased"
    if not isinstance(before, Appointment):
        return f"booked for {_when(after.span, zone)}"
    said = list(_differences(before, after, zone))
    return "; ".join(said) if said else "shown anew: facts beside it have changed"


def _differences(before: Appointment, after: Appointment, zone: str) -> Iterator[str]:
    if before.status != after.status:
        yield "cancelled" if after.status is Status.CANCELLED else f"now {after.status}"
    if before.span.start != after.span.start:
        yield f"moved from {_when(before.span, zone)} to {_when(after.span, zone)}"
    elif before.span != after.span:
        yield f"now until {shapes.stamp(after.span.end, zone)}"
    old, new = before.recurrence, after.recurrence
    if (old.rule if old else "") != (new.rule if new else ""):
        yield f"repeats: {new.rule}" if new else "does not repeat any more"
    kept = {each.at: each.span for each in old.overrides} if old else {}
    for each in new.overrides if new else ():
        if kept.get(each.at) != each.span:
            yield f"occurrence of {shapes.stamp(each.at, zone)} moved to {_when(each.span, zone)}"
    for at in sorted(set(new.excluded if new else ()) - set(old.excluded if old else ())):
        yield f"occurrence of {shapes.stamp(at, zone)} cancelled"
    for name in ("service", "customer", "notes"):
        if getattr(before, name) != getattr(after, name):
            yield f"other {name}"
    if before.extras != after.extras:
        yield "marks of the staff member's own calendar"


def _when(span: Span, zone: str) -> str:
    return shapes.stamp(span.start, zone)


def _shown(snapshot: Snapshot, entry: Appointment | Personal | None) -> Shown:
    if not isinstance(entry, Appointment):
        raise Missing("There is no such appointment.")
    return Shown(shapes.appointment(entry, snapshot))


def _named(snapshot: Snapshot, name: str) -> Appointment:
    """By id or UID, cancelled ones included. Raises Missing."""
    held = snapshot.held_by_id(EntryId(name)) or _by_uid(snapshot, name)
    if held is None or not isinstance(held.entry, Appointment):
        raise Missing(f"There is no appointment {name}.")
    return held.entry


def _by_uid(snapshot: Snapshot, uid: str) -> Held | None:
    for person in snapshot.all_staff():
        if held := snapshot.held_by_uid(snapshot.appointments_of(person.id).id, uid):
            return held
    everything = snapshot.appointments(staff=None, window=None, cancelled=True)  # a cancelled one is held by no calendar
    return next((held for held in everything if held.entry.uid == uid), None)
