"""What a customer does not know yet: the appointment as last told against the appointment as it stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.booking import Instance, instances
from gateway.model import Appointment, Change, Recurrence, Span, Status

BEFORE = timedelta(days=366)
"""How long ago an occurrence may have been planned that now lies ahead: nobody moves one further."""

AHEAD = timedelta(days=5 * 366)
"""How far an endless series is looked at."""


@dataclass(frozen=True, slots=True)
class Booked:
    """The customer hears of the appointment for the first time."""


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """The appointment, or the whole series, has other times than the customer was told."""

    told: Appointment


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It will not take place; neither will what is left of the series."""

    told: Appointment


@dataclass(frozen=True, slots=True)
class Shift:
    """One occurrence, by its original start: where the customer expects it and where it is; None: it does not take place."""

    at: datetime
    was: Span | None
    now: Span | None


@dataclass(frozen=True, slots=True)
class Shifted:
    """Some occurrences of the series, in the order of their original starts; all the others are as told."""

    shifts: tuple[Shift, ...]


News = Booked | Rescheduled | Cancelled | Shifted


def matters(change: Change) -> bool:
    """Whether the change could be news to the customer: time, status or recurrence of an appointment, by somebody who is not silent."""
    if change.reason is not None or change.actor.silent or not isinstance(change.after, Appointment):
        return False
    if not isinstance(change.before, Appointment):
        return True
    return _plan(change.before) != _plan(change.after)


def news(told: Appointment | None, standing: Appointment, now: datetime) -> News | None:
    """What to tell about `standing` to somebody who was last told `told` (None: nothing yet); None when there is nothing to say.

    What is over at `now`, both as told and as it stands, is not announced any more.
    """
    expected = told is not None and told.status is not Status.CANCELLED
    if standing.status is Status.CANCELLED:
        return Cancelled(told) if told is not None and expected and ahead(told, now) else None
    if told is None or not expected:
        return Booked() if ahead(standing, now) else None
    if _plan(told) == _plan(standing):
        return None
    if told.span == standing.span and told.recurrence and standing.recurrence and told.recurrence.rule == standing.recurrence.rule:
        shifts = tuple(shift for shift in _shifts(told, standing) if _lies_ahead(shift, now))
        return Shifted(shifts) if shifts else None
    return Rescheduled(told) if ahead(told, now) or ahead(standing, now) else None


def ahead(appointment: Appointment, now: datetime) -> Sequence[Span]:
    """Where its occurrences take place that are not over at `now`, in order."""
    window = Span(now - BEFORE, now + AHEAD)
    return sorted(instance.span for instance in instances(appointment, within=window) if instance.span.end > now)


def _plan(appointment: Appointment) -> tuple[Span, Status, Recurrence | None]:
    """What a customer cares about: without the marks the staff member's own client keeps with an occurrence."""
    series = appointment.recurrence
    if series is None:
        return appointment.span, appointment.status, None
    bare = tuple(replace(override, extras=()) for override in series.overrides if not _in_place(appointment, override.at, override.span))
    return appointment.span, appointment.status, replace(series, overrides=bare)


def _in_place(appointment: Appointment, at: datetime, span: Span) -> bool:
    """Whether an override only carries extras: it takes place where the rule puts it."""
    return span == Span(at, at + appointment.span.length)


def _shifts(told: Appointment, standing: Appointment) -> Sequence[Shift]:
    touched: set[datetime] = set()
    for appointment in (told, standing):
        if appointment.recurrence:
            touched.update(appointment.recurrence.excluded, (override.at for override in appointment.recurrence.overrides))
    pairs = [Shift(at, _place(told, at), _place(standing, at)) for at in sorted(touched)]
    return [shift for shift in pairs if shift.was != shift.now]


def _place(appointment: Appointment, at: datetime) -> Span | None:
    found: Instance | None = next((instance for instance in instances(appointment, within=Span(at, at)) if instance.at == at), None)
    return found.span if found else None


def _lies_ahead(shift: Shift, now: datetime) -> bool:
    return any(span is not None and span.end > now for span in (shift.was, shift.now))
