"""What a staff member did over there, as a wish to the booking system: granted, or turned back, recorded and explained."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway import desk
from gateway.booking import Cancel, Intent, Misuse, Move, Resize
from gateway.bridge.errand import Errand
from gateway.bridge.reconcile import Verdict
from gateway.errors import Conflict, Invalid, Missing, Reason, Refused, TooLarge
from gateway.links import Direction, Key, Owned
from gateway.model import Actor, Entry, EntryId, OnDelete, Span
from gateway.store import Transaction


@dataclass(frozen=True, slots=True)
class Run:
    """One listing being applied. `decided`: a brake was pulled for it, and a person has said since whether it was meant; nobody is asked
    again, and nobody gets a letter about each of so many."""

    errand: Errand
    tx: Transaction
    now: datetime
    decided: bool = False


def move(run: Run, key: Key, *, agreed: Owned, local: Owned, theirs: Owned) -> bool:
    """The staff member moved it; whether that was granted."""
    entry = _held(run, key.entry)
    if entry is None:
        return False
    try:
        _both_ways(run)
        change = desk.apply(run.tx, run.errand.actor, run.errand.calendar, entry.name, _wishes(key, agreed, local, theirs), run.now)
    except (Refused, Invalid, Missing, Conflict, TooLarge) as error:
        refused = error if isinstance(error, Refused) else Refused(Reason.RECURRENCE, str(error))
        _turn_back(run, key, entry, refused, theirs, "refused", "A move was turned back")
        return False
    if change is not None:
        run.errand.note(run.tx, "moved", "A move was taken over into the booking system.", key.entry)
    return True


def delete(run: Run, key: Key, ruling: Verdict) -> None:
    """The staff member deleted it: cancelled, if that may be; otherwise it comes back, and whoever has to be asked is asked."""
    entry = _held(run, key.entry)
    if entry is None:
        return
    try:
        _both_ways(run)
        _cancel(run, key, entry, ruling)
        run.errand.note(run.tx, "cancelled", "A deletion was taken over: the appointment is cancelled.", key.entry)
    except Refused as refused:
        _turn_back(run, key, entry, refused, None, "restored", "A deleted appointment is put back")


def overrule(run: Run, key: Key, theirs: Owned | None) -> None:
    """Both sides moved it, and the booking system's time counts: the losing time is recorded, and the staff member told."""
    entry = _held(run, key.entry)
    when = "" if theirs is None else f", not {theirs.span.start:%Y-%m-%d %H:%M} UTC as over there"
    run.errand.note(run.tx, "conflict", f"Both sides moved it; the booking system's time counts{when}.", key.entry)
    if entry is not None:
        stale = Refused(Reason.STALE, "The appointment was moved here as well.", **_at(key))
        _turn_back(run, key, entry, stale, theirs, "refused", "A move was turned back")


def staff_moved(tx: Transaction, entry: EntryId) -> bool:
    """Whether the last change here was the staff member's own, in another calendar."""
    changes = [change for change in tx.changes_of(entry) if change.reason is None]
    return bool(changes) and changes[-1].actor.proposing


def _cancel(run: Run, key: Key, entry: Entry, ruling: Verdict) -> None:
    """The company's own policy is decided at the desk. A stricter one of the link, or a conflict, is decided here; and what a person has
    said was meant is that person's word."""
    policy, wish = run.tx.company.policy, [Cancel(at=key.at)]
    if run.decided and policy.two_way and policy.on_delete is not OnDelete.RESTORE:
        desk.apply(run.tx, Actor(run.errand.account.login, "page"), run.errand.calendar, entry.name, wish, run.now)
        return
    if ruling is Verdict.CANCEL or policy.on_delete is not OnDelete.CANCEL or not policy.two_way:
        desk.apply(run.tx, run.errand.actor, run.errand.calendar, entry.name, wish, run.now)
        return
    if ruling is Verdict.PUT_BACK:
        raise Refused(Reason.CANCEL_RESTORED, "Appointments are cancelled on the platform, not by deleting them.", **_at(key))
    raise Refused(Reason.CANCEL_ASKED, "Shall the appointment be cancelled? It stays until you have answered.", **_at(key))


def _wishes(key: Key, agreed: Owned, local: Owned, theirs: Owned) -> Sequence[Intent]:
    """What the staff member changed since both agreed, as wishes; what was changed here meanwhile and not there stays."""
    if theirs.rule != agreed.rule:
        return [Misuse(reason=Reason.RECURRENCE, what="How an appointment repeats is changed in the booking system.")]
    if theirs.all_day:
        return [Move(span=theirs.span, at=key.at, all_day=True)]
    wishes: list[Intent] = []
    start = local.span.start
    if theirs.span.start != agreed.span.start:
        start = theirs.span.start
        wishes.append(Move(span=Span(start, start + local.span.length), at=key.at))
    if theirs.span.length != agreed.span.length:
        wishes.append(Resize(span=Span(start, start + theirs.span.length), at=key.at))
    return wishes


def _both_ways(run: Run) -> None:
    if run.errand.link.direction is not Direction.BOTH:
        raise Refused(Reason.TWO_WAY_OFF, "This calendar only shows appointments; they are changed in the booking system.")


def _turn_back(run: Run, key: Key, entry: Entry, refused: Refused, theirs: Owned | None, kind: str, what: str) -> None:
    """Recorded in the log, from where the staff member is told, once for each proposal; ours is written again over there."""
    if not run.decided:
        digest = _digest(run.errand, key, theirs)
        desk.turn_back(run.tx, run.errand.actor, run.errand.calendar, entry.name, refused, digest, run.now)
    run.errand.note(run.tx, kind, f"{what}: {refused.detail}", key.entry)


def _held(run: Run, entry: EntryId) -> Entry | None:
    held = run.tx.held_by_id(entry)
    return None if held is None else held.entry


def _at(key: Key) -> dict[str, str]:
    return {} if key.at is None else {"at": key.at.isoformat()}


def _digest(errand: Errand, key: Key, theirs: Owned | None) -> str:
    """The same proposal seen twice is one proposal."""
    asked = None if theirs is None else (theirs.span, theirs.all_day, theirs.rule)
    return hashlib.sha256(repr((errand.link.id, key, asked)).encode()).hexdigest()
