"""The rules of the trade: what may become of an entry, decided from values alone. No I/O, no clock.

`settle` folds the wishes of one request over the held entry and answers the entry that should be, or raises Refused.
Nobody else decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import assert_never

from gateway.booking.circumstances import Circumstances
from gateway.booking.hours import open_within
from gateway.booking.intents import Amend, Annotate, Book, Cancel, Erase, Intent, Misuse, Move, Resize, Write
from gateway.booking.series import Instance, instances, shifted_rule
from gateway.errors import Conflict, Invalid, Reason, Refused
from gateway.model import (
    Appointment,
    Entry,
    OnConflict,
    OnDelete,
    Override,
    Personal,
    Recurrence,
    Span,
    Status,
)

_FORGIVABLE = frozenset({Reason.TAKEN, Reason.OUTSIDE_HOURS})


def settle(old: Entry | None, intents: Iterable[Intent], given: Circumstances) -> Entry | None:
    """The entry that should be after all the intents; `old` itself when nothing changes in the end. Raises Refused, Conflict.

    A drag of the upper edge arrives as Move and Resize together: where resizing is not allowed the move counts and the
    service keeps its length, instead of refusing both (Cal.com learnt the same: "preserves original duration when stretched").
    Where it is allowed the two are one change: what lies between them is nowhere anybody wanted to be.
    """
    entry = old
    for wish in _joined(list(intents), resizing=given.policy.resize or not given.proposing):
        entry = decide(entry, wish, given)
    return old if _same_but_stamps(old, entry) else entry


def _joined(wishes: list[Intent], *, resizing: bool) -> list[Intent]:
    """Move and Resize of the same occurrence as one Move: to the length wished for, or without it."""
    moved = {wish.at for wish in wishes if isinstance(wish, Move) and not wish.all_day}
    lengths = {wish.at: wish.span for wish in wishes if isinstance(wish, Resize) and wish.at in moved and wish.span.length}
    joined: list[Intent] = []
    for wish in wishes:
        if isinstance(wish, Resize) and wish.at in moved and (wish.at in lengths or not resizing):
            continue
        if isinstance(wish, Move) and wish.at in lengths and resizing:
            wish = replace(wish, span=lengths[wish.at])
        joined.append(wish)
    return joined


def decide(old: Entry | None, intent: Intent, given: Circumstances) -> Entry | None:
    """What becomes of `old` (None: there is nothing yet) when `intent` is granted; None when it is gone.

    Raises Refused with the reason, Conflict when a personal object would change its UID. Answers an equal entry when the wish
    changes nothing. Staff members never reach what the platform owns: Book and Amend from their clients are refused.
    """
    match intent:
        case Book():
            return _book(old, intent, given)
        case Write():
            return _write(old, intent, given)
        case Erase():
            if isinstance(old, Appointment):
                return decide(old, Cancel(), given)
            return None
        case Misuse():
            raise Refused(Reason(intent.reason), intent.what)
        case Move() | Resize() | Cancel() | Annotate() | Amend():
            if not isinstance(old, Appointment):
                raise Refused(Reason.IDENTITY, "Only an appointment can be changed this way.")
            if old.status is Status.CANCELLED:
                if isinstance(intent, Cancel):
                    return old
                raise Refused(Reason.CANCELLED, "The appointment has been cancelled.")
            try:
                return _change(old, intent, given)
            except Refused as refused:
                if not isinstance(intent, Amend) and intent.at is not None:
                    refused.data["at"] = intent.at.isoformat()  # who is told or asked has to know which occurrence it was
                if isinstance(intent, Move | Resize) and _may_insist(old, intent, refused, given):
                    refused.data["wish"] = f"{intent.span.start.isoformat()}/{intent.span.end.isoformat()}"
                raise
        case _:
            assert_never(intent)


def _change(old: Appointment, intent: Move | Resize | Cancel | Annotate | Amend, given: Circumstances) -> Appointment:
    match intent:
        case Move():
            return _move(old, intent, given)
        case Resize():
            return _resize(old, intent, given)
        case Cancel():
            return _cancel(old, intent, given)
        case Annotate():
            return _annotate(old, intent)
        case Amend():
            return _amend(old, intent, given)
        case _:
            assert_never(intent)


def _may_insist(old: Appointment, intent: Move | Resize, refused: Refused, given: Circumstances) -> bool:
    """Whether nothing stands in the way but what the company lets its staff decide, once they are asked."""
    if not given.proposing or given.policy.on_conflict is not OnConflict.ASK or refused.reason not in _FORGIVABLE:
        return False
    try:
        _change(old, intent, replace(given, forgiving=True))
    except Refused:
        return False
    return True


def _book(old: Entry | None, intent: Book, given: Circumstances) -> Appointment:
    if old is not None:
        raise Conflict("There is already an entry under this name.")
    if given.proposing:
        raise Refused(Reason.NOT_YOURS, "Appointments are booked on the platform.")
    if intent.span.length <= timedelta():
        raise Invalid("An appointment needs a length.", field="end")
    new = Appointment(
        id=given.fresh_id,
        calendar=given.calendar,
        name=given.name,
        uid=intent.uid,
        span=intent.span,
        zone=intent.zone,
        customer=intent.customer,
        service=intent.service,
        recurrence=intent.recurrence,
        notes=intent.notes,
        created=given.now,
        changed=given.now,
    )
    _admit(None, new, given)
    return new


def _move(old: Appointment, intent: Move, given: Circumstances) -> Appointment:
    held = _instance(old, intent.at)
    if intent.span == held.span:
        return old
    if intent.insisting:
        given = replace(given, forgiving=True)
    _may_propose(given)
    if intent.all_day:
        raise Refused(Reason.ALL_DAY, "An appointment has a time of day; it cannot become an all-day event.")
    whole_series = old.recurrence is not None and intent.at is None  # has a reason of its own when it has begun
    if given.proposing and not whole_series and held.span.start < given.now:
        raise Refused(Reason.PAST, "The appointment has already begun.", start=held.span.start.isoformat())
    return _placed(old, held, intent.at, intent.span, given)


def _resize(old: Appointment, intent: Resize, given: Circumstances) -> Appointment:
    held = _instance(old, intent.at)
    if intent.span == held.span:
        return old
    _may_propose(given)
    if given.proposing and not given.policy.resize:
        raise Refused(Reason.DURATION, "The length of an appointment is set by its service.")
    if intent.span.length <= timedelta():
        raise Refused(Reason.DURATION, "An appointment needs a length.")
    if given.proposing and held.span.end < given.now:
        raise Refused(Reason.PAST, "The appointment is over.", start=held.span.start.isoformat())
    return _placed(old, held, intent.at, intent.span, given)


def _placed(old: Appointment, held: Instance, at: datetime | None, span: Span, given: Circumstances) -> Appointment:
    """`old` with the whole, or the occurrence `at`, taking place in `span`; checked."""
    if old.recurrence is None:
        new = replace(old, span=span)
    elif at is None:
        new = _series_moved(old, old.recurrence, span, given)
    else:
        new = replace(old, recurrence=_overridden(old.recurrence, held, span))
    _admit(old, new, given)
    return _stamped(new, given, rescheduled=True)


def _overridden(recurrence: Recurrence, held: Instance, span: Span) -> Recurrence:
    """The series with one occurrence elsewhere; back in its old place and without extras it is an exception no more."""
    others = [override for override in recurrence.overrides if override.at != held.at]
    extras = next((override.extras for override in recurrence.overrides if override.at == held.at), ())
    if span != held.planned or extras:
        others.append(Override(at=held.at, span=span, extras=extras))
    return replace(recurrence, overrides=tuple(sorted(others, key=lambda override: override.at)))


def _series_moved(old: Appointment, series: Recurrence, span: Span, given: Circumstances) -> Appointment:
    """A whole series at another time. Its exceptions keep their places relative to it, counted in wall time."""
    if given.proposing and old.span.start < given.now:
        raise Refused(Reason.RECURRENCE, "The series has already begun; move its occurrences one by one.")
    rule = shifted_rule(series.rule, old.span.start, span.start, old.zone)
    if rule is None:
        raise Refused(Reason.RECURRENCE, "The series repeats on days that the new day does not fit.")
    plain = replace(old, span=span, recurrence=Recurrence(rule=rule))
    if not (series.excluded or series.overrides):
        return plain
    # The n-th occurrence stays the n-th: instants cannot simply be shifted, a change of clocks may lie between.
    before = [instance.at for instance in instances(replace(old, recurrence=Recurrence(rule=series.rule)))]
    after = [instance.at for instance in instances(plain)]
    place = dict(zip(before, after, strict=False))
    kept = Recurrence(
        rule=rule,
        excluded=tuple(place[at] for at in series.excluded if at in place),
        overrides=tuple(
            Override(at=place[override.at], span=override.span, extras=override.extras)
            for override in series.overrides
            if override.at in place
        ),
    )
    return replace(plain, recurrence=kept)


def _cancel(old: Appointment, intent: Cancel, given: Circumstances) -> Appointment:
    held = _instance(old, intent.at)
    _may_propose(given)
    if given.proposing:
        if held.span.end < given.now and (old.recurrence is None or intent.at is not None):
            raise Refused(Reason.PAST, "The appointment is over; it stays in the books.", start=held.span.start.isoformat())
        match given.policy.on_delete:
            case OnDelete.ASK:
                raise Refused(Reason.CANCEL_ASKED, "Shall the appointment be cancelled? It stays until you have answered.")
            case OnDelete.RESTORE:
                raise Refused(Reason.CANCEL_RESTORED, "Appointments are cancelled on the platform, not by deleting them.")
            case OnDelete.CANCEL:
                pass
            case _:
                assert_never(given.policy.on_delete)
    if intent.at is None or old.recurrence is None:
        return _stamped(replace(old, status=Status.CANCELLED), given, rescheduled=True)
    fewer = replace(
        old.recurrence,
        excluded=tuple(sorted({*old.recurrence.excluded, intent.at})),
        overrides=tuple(override for override in old.recurrence.overrides if override.at != intent.at),
    )
    new = replace(old, recurrence=fewer)
    if next(iter(instances(new)), None) is None:  # the last occurrence went
        new = replace(old, status=Status.CANCELLED)
    return _stamped(new, given, rescheduled=True)


def _annotate(old: Appointment, intent: Annotate) -> Appointment:
    """The staff member's own marks: nobody else's business, so neither version nor stamps move, and two-way need not be on."""
    if intent.at is None:
        return replace(old, extras=intent.extras)
    if old.recurrence is None:
        raise Refused(Reason.RECURRENCE, "The appointment does not repeat.")
    held = _instance(old, intent.at)
    others = [override for override in old.recurrence.overrides if override.at != intent.at]
    if intent.extras or held.span != held.planned:
        others.append(Override(at=intent.at, span=held.span, extras=intent.extras))
    return replace(old, recurrence=replace(old.recurrence, overrides=tuple(sorted(others, key=lambda override: override.at))))


def _amend(old: Appointment, intent: Amend, given: Circumstances) -> Appointment:
    if given.proposing:
        raise Refused(Reason.NOT_YOURS, "What was booked is changed on the platform.")
    new = replace(
        old,
        notes=old.notes if intent.notes is None else intent.notes,
        service=intent.service or old.service,
        recurrence=intent.recurrence or old.recurrence,
    )
    if new == old:
        return old
    if new.recurrence != old.recurrence or new.service != old.service:
        _admit(old, new, given)
    return _stamped(new, given, rescheduled=new.recurrence != old.recurrence)


def _write(old: Entry | None, intent: Write, given: Circumstances) -> Personal:
    match old:
        case Appointment():
            raise Refused(Reason.NOT_YOURS, "An appointment cannot be replaced by another event.")
        case Personal():
            if old.uid != intent.uid:
                raise Conflict("The object at this address has another UID.", condition="no-uid-conflict", href=old.name)
            if old.text == intent.text:
                return old
            return replace(old, component=intent.component, text=intent.text, changed=given.now)
        case None:
            return Personal(
                id=given.fresh_id,
                calendar=given.calendar,
                name=given.name,
                uid=intent.uid,
                component=intent.component,
                text=intent.text,
                created=given.now,
                changed=given.now,
            )
        case _:
            assert_never(old)


def _may_propose(given: Circumstances) -> None:
    if given.proposing and not given.policy.two_way:
        raise Refused(Reason.TWO_WAY_OFF, "Appointments cannot be changed from calendars: the company has not switched this on.")


def _instance(appointment: Appointment, at: datetime | None) -> Instance:
    """The occurrence that was planned for `at`; None means the appointment, or the first of its series as planned."""
    if at is None:
        return Instance(at=appointment.span.start, span=appointment.span, planned=appointment.span)
    if appointment.recurrence is None:
        raise Refused(Reason.RECURRENCE, "The appointment does not repeat.")
    found = next((instance for instance in instances(appointment, within=Span(at, at)) if instance.at == at), None)
    if found is None:
        raise Refused(Reason.RECURRENCE, "The series has no such occurrence.", start=at.isoformat())
    return found


def _admit(old: Appointment | None, new: Appointment, given: Circumstances) -> None:
    """Raise Refused unless every occurrence that is new, or elsewhere than before, may be where it is."""
    service = given.services(new.service)
    placed = list(instances(new))
    if not placed:
        raise Refused(Reason.RECURRENCE, "The series would have no occurrence at all.")
    before = list(instances(old)) if old is not None else []
    known = {instance.span for instance in before}
    fresh = [instance.span for instance in placed if instance.span not in known]
    if not given.lenient:
        for span in fresh:
            if span.start < given.now:
                raise Refused(Reason.PAST, "The new time has already passed.", start=span.start.isoformat())
    if old is not None and old.service != new.service:  # other buffers: what stays in place needs a second look as well
        fresh = [instance.span for instance in placed if instance.span.end > given.now]
    if placed != before:
        _not_twice(placed)  # nor may one go exactly where another one is, which is no fresh place
    if not fresh:
        return
    occupied = [span.widened(service.buffer_before, service.buffer_after) for span in fresh]
    others = given.taken(Span(min(span.start for span in occupied), max(span.end for span in occupied)))
    forgiving = given.forgiving or (given.proposing and given.policy.on_conflict is OnConflict.ACCEPT)
    for span, wide in zip(fresh, occupied, strict=True):
        for other in others:
            if other.span.overlaps(wide) and (other.booked or not (forgiving or given.lenient)):
                raise Refused(Reason.TAKEN, "That time is already taken.", start=span.start.isoformat())
        if not (forgiving or given.lenient or open_within(given.hours, given.zone, span)):
            raise Refused(Reason.OUTSIDE_HOURS, "That time is outside the working hours.", start=span.start.isoformat())


def _not_twice(placed: Sequence[Instance]) -> None:
    """Occurrences of one series may not overlap each other, wherever they were moved."""
    spans = sorted(instance.span for instance in placed)
    for earlier, later in pairwise(spans):
        if later.start < earlier.end:
            raise Refused(Reason.TAKEN, "Two occurrences of the series would overlap.", start=later.start.isoformat())


def _stamped(new: Appointment, given: Circumstances, *, rescheduled: bool) -> Appointment:
    return replace(new, version=new.version + 1, sequence=new.sequence + int(rescheduled), changed=given.now)


def _same_but_stamps(old: Entry | None, new: Entry | None) -> bool:
    """Moved there and back within one request: nothing happened."""
    if isinstance(old, Appointment) and isinstance(new, Appointment):
        return replace(new, version=old.version, sequence=old.sequence, changed=old.changed) == old
    return old == new
