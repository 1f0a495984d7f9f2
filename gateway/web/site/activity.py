"""What happened: every change with who made it and through which door, what was refused and why, what was told to whom; and undoing it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from gateway import desk
from gateway.booking import Intent, Move, Resize
from gateway.errors import GatewayError, Refused
from gateway.model import Appointment, Change, EntryId, Revision, Span, Staff, Status
from gateway.store import Posted, Snapshot
from gateway.users import Deed
from gateway.web.problems import Problem
from gateway.web.site.deeds import audit_words, deed_words, door_words, letter_words, reason_words
from gateway.web.site.frame import Answer, Ask, Route, Sent, Shown, Went

AT_ONCE = 50
EXPORTED = 10_000
_NEWEST = Revision(2**62)

DOORS = ("dav", "mirror", "rest", "page", "customer", "cli")
RESULTS = ("", "refused")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One thing that happened, in words. `undo`: what would be put back."""

    at: datetime
    who: str
    door: str
    what: str
    about: str = ""
    entry: EntryId | None = None
    staff: str = ""
    refused: str = ""
    letters: tuple[Posted, ...] = ()
    revision: int = 0
    undo: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wish:
    """The filter in the address."""

    staff: str
    door: str
    result: str
    entry: str
    before: Revision

    @property
    def plain(self) -> bool:
        """Whether deeds that are no entries belong into the list."""
        return not (self.staff or self.result or self.entry)


def show(ask: Ask) -> Answer:
    wish = _wish(ask)
    with ask.store.read(ask.company) as snapshot:
        lines, more = _lines(ask, snapshot, wish, AT_ONCE)
        people = sorted((each for each in snapshot.all_staff()), key=lambda each: each.name.casefold())
        deeds = [_deed(ask, deed) for deed in snapshot.deeds(before=ask.now + timedelta(minutes=1), limit=AT_ONCE)] if wish.plain else []
    deeds = [line for line in deeds if not wish.door or line.door == wish.door]
    return Shown(
        "activity.html",
        {
            "lines": lines,
            "deeds": deeds if wish.before == _NEWEST else [],
            "more": more,
            "people": people,
            "doors": [(door, door_words(ask.language, door)) for door in DOORS],
            "letter_words": partial(letter_words, ask.language),
            "wish": wish,
        },
    )


def export(ask: Ask) -> Answer:
    """The same lines as a file: CSV, or JSON with ?format=json."""
    with ask.store.read(ask.company) as snapshot:
        lines, _ = _lines(ask, snapshot, _wish(ask), EXPORTED)
        deeds = [_deed(ask, deed) for deed in snapshot.deeds(before=ask.now + timedelta(minutes=1), limit=EXPORTED)]
    rows = [_row(line) for line in sorted((*lines, *deeds), key=lambda line: line.at, reverse=True)]
    if ask.query.get("format") == "json":
        return Sent(json.dumps(rows, ensure_ascii=False, indent=1).encode(), "application/json", "activity.json")
    text = io.StringIO()
    writer = csv.DictWriter(text, ["at", "who", "door", "staff", "what", "about", "refused", "letters"])
    writer.writeheader()
    writer.writerows({name: _tame(value) for name, value in row.items()} for row in rows)
    return Sent(text.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", "activity.csv")


def ask_undo(ask: Ask) -> Answer:
    """What undoing would do and whom it would tell; nothing happens yet."""
    with ask.store.read(ask.company) as snapshot:
        change, now_there, intents = _undoing(ask, snapshot)
        staff = snapshot.staff(snapshot.calendar(change.calendar).staff)
        customer = snapshot.customer(now_there.customer)
        told = now_there.span.end > ask.now
        before = change.before
        to = before.span if isinstance(before, Appointment) else now_there.span
        minutes = int(snapshot.company.policy.hold.total_seconds() // 60)
        values = {
            "now_span": ask.language.stretch(now_there.span.start, now_there.span.end, staff.zone),
            "then_span": ask.language.stretch(to.start, to.end, staff.zone),
            "customer": customer.name,
            "staff": staff.name,
            "told": told,
            "minutes": minutes,
            "revision": change.revision,
            "steps": len(intents),
        }
    return Shown("undo.html", values)


def undo(ask: Ask) -> Answer:
    """Put back what one change moved, as a change of its own; the rules are asked as for any other."""
    try:
        with ask.store.write(ask.company, ask.who.actor) as tx:
            _, now_there, intents = _undoing(ask, tx)
            desk.apply_to(tx, ask.who.actor, now_there.id, intents, ask.now)
    except Refused as refused:
        raise Problem(409, ask.say("It cannot be undone: %(why)s", why=reason_words(ask.language, refused.reason))) from refused
    ask.parts.wake()
    return Went(f"/activity?entry={now_there.id}", "undone")


def _undoing(ask: Ask, snapshot: Snapshot) -> tuple[Change, Appointment, list[Intent]]:
    """The change, the appointment as it stands, and what puts it back. Raises Problem where that cannot be."""
    number = ask.match["revision"]
    found = snapshot.changes(Revision(int(number) - 1), limit=1) if number.isdecimal() and len(number) < 16 else ()
    change = found[0] if found and found[0].revision == int(number) else None
    if change is None or change.entry is None or not _can_undo(change):
        raise Problem(404, ask.say("There is nothing to undo here. Only a move can be undone."))
    held = snapshot.held_by_id(change.entry)
    there = held.entry if held is not None else None
    before, after = change.before, change.after
    if not isinstance(there, Appointment) or not isinstance(before, Appointment) or not isinstance(after, Appointment):
        raise Problem(409, ask.say("The appointment is not there any more."))
    if there.status is Status.CANCELLED:
        raise Problem(409, ask.say("The appointment has been cancelled meanwhile. Book it anew in the booking system."))
    if there.span != after.span or _moved(there) != _moved(after):
        raise Problem(409, ask.say("The appointment has been changed again since. Undo the later change first."))
    return change, there, list(_back(before, after))


def _back(before: Appointment, after: Appointment) -> Iterator[Intent]:
    if before.span.start != after.span.start:
        yield Move(span=before.span)
    elif before.span != after.span:
        yield Resize(span=before.span)
    former, later = _moved(before), _moved(after)
    for at in sorted({*former, *later}):
        if former.get(at) != later.get(at):
            length = before.span.length
            yield Move(span=former.get(at) or Span(at, at + length), at=at)


def _moved(appointment: Appointment) -> dict[datetime, Span]:
    """Where occurrences take place that were moved, by original start."""
    return {each.at: each.span for each in appointment.recurrence.overrides} if appointment.recurrence is not None else {}


def _can_undo(change: Change) -> bool:
    before, after = change.before, change.after
    if change.reason is not None or not isinstance(before, Appointment) or not isinstance(after, Appointment):
        return False
    if before.status is Status.CANCELLED or after.status is Status.CANCELLED:
        return False
    return before.span != after.span or _moved(before) != _moved(after)


def _wish(ask: Ask) -> _Wish:
    before = ask.query.get("before", "")
    door = ask.query.get("door", "")
    return _Wish(
        staff=ask.query.get("staff", "")[:64],
        door=door if door in DOORS else "",
        result="refused" if ask.query.get("result") == "refused" else "",
        entry=ask.query.get("entry", "")[:64],
        before=Revision(int(before)) if before.isdecimal() and len(before) < 16 else _NEWEST,
    )


def _lines(ask: Ask, snapshot: Snapshot, wish: _Wish, limit: int) -> tuple[list[Line], int]:
    """The lines, and where the next page begins (0: there is none)."""
    people = {str(each.id): each for each in snapshot.all_staff()}
    calendar = ""
    if wish.staff:
        if wish.staff not in people:
            return [], 0
        calendar = str(snapshot.appointments_of(people[wish.staff].id).id)
    changes = snapshot.changes_backwards(
        wish.before, limit=limit + 1, calendar=calendar, door=wish.door, entry=wish.entry, refused=bool(wish.result)
    )
    owners: dict[str, Staff | None] = {}
    for change in changes:
        if change.calendar not in owners:
            owners[change.calendar] = _owner(snapshot, change, people)
    lines = [_line(ask, snapshot, change, owners[change.calendar]) for change in changes[:limit]]
    return lines, int(changes[limit - 1].revision) if len(changes) > limit else 0


def _owner(snapshot: Snapshot, change: Change, people: dict[str, Staff]) -> Staff | None:
    try:
        return people.get(str(snapshot.calendar(change.calendar).staff))
    except GatewayError:  # the calendar is gone
        return None


def _line(ask: Ask, snapshot: Snapshot, change: Change, owner: Staff | None) -> Line:
    entry = change.after or change.before
    zone = owner.zone if owner is not None else snapshot.company.zone
    about = ""
    if isinstance(entry, Appointment):
        about = f"{snapshot.service(entry.service).name}, {snapshot.customer(entry.customer).name}"
    letters = tuple(snapshot.letters_of(change.entry)) if change.entry is not None else ()
    near = tuple(letter for letter in letters if timedelta() <= letter.queued - change.at < timedelta(days=1))
    return Line(
        at=change.at,
        who=change.actor.who,
        door=change.actor.door.partition(":")[0],
        what=deed_words(ask.language, change, zone),
        about=about,
        entry=change.entry,
        staff=owner.name if owner is not None else "",
        refused=reason_words(ask.language, change.reason) if change.reason is not None else "",
        letters=near,
        revision=change.revision,
        undo=_can_undo(change),
    )


def _deed(ask: Ask, deed: Deed) -> Line:
    names: Sequence[str] = sorted({*deed.before, *deed.after})
    said = "; ".join(f"{name}: {_value(deed.before.get(name))} → {_value(deed.after.get(name))}" for name in names)
    return Line(at=deed.at, who=deed.who, door=deed.door.partition(":")[0], what=audit_words(ask.language, deed.what), about=said)


def _value(value: object) -> str:
    if value is None:
        return "–"
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value


def _row(line: Line) -> dict[str, str]:
    return {
        "at": line.at.isoformat(),
        "who": line.who,
        "door": line.door,
        "staff": line.staff,
        "what": line.what,
        "about": line.about,
        "refused": line.refused,
        "letters": "; ".join(f"{letter.kind} to {letter.recipient}" for letter in line.letters),
    }


def _tame(value: str) -> str:
    """A cell that begins like a formula would be run by a spreadsheet (CWE-1236)."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


ROUTES = (
    Route("GET", "/activity", show),
    Route("GET", "/activity/export", export),
    Route("GET", "/activity/{revision}/undo", ask_undo),
    Route("POST", "/activity/{revision}/undo", undo),
)
