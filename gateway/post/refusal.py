"""The letter to a staff member whose change was not made: which appointment, why, and what can be done now. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.booking import instances
from gateway.errors import Reason
from gateway.model import Appointment, Span
from gateway.post import dates
from gateway.post.compose import Circle, Composed, upcoming
from gateway.post.line import line
from gateway.post.news import ahead
from gateway.post.paper import Fact, Link, Look, Mood, Paper
from gateway.post.words import Occasion, Words, words

_NAMED = 60
"""So many characters of a service's name fit into a subject."""


def refused(reason: Reason, appointment: Appointment, at: datetime | None, circle: Circle, now: datetime) -> Composed:
    """The change of the appointment, or of its occurrence that originally starts `at`, was refused for that reason."""
    pen = _Pen(appointment, at, circle, now)
    why, advice = pen.words.reasons[reason]
    return pen.letter("refused", pen.words.refused, before=(why,), after=(advice, pen.words.nothing_changed))


def asked(appointment: Appointment, at: datetime | None, circle: Circle, now: datetime, *, address: str) -> Composed:
    """The appointment, or its occurrence, was deleted in a calendar: shall it be cancelled? It is answered at the address."""
    pen = _Pen(appointment, at, circle, now)
    said = pen.words
    occasion = said.asked if appointment.recurrence is None or at is not None else said.asked_series
    before = () if at is None else (said.asked_one,)
    return pen.letter("asked", occasion, before=before, button=Link(said.asked_button, address), after=(said.asked_note,))


def asked_to_move(
    reason: Reason, appointment: Appointment, at: datetime | None, wish: Span, circle: Circle, now: datetime, *, address: str
) -> Composed:
    """The appointment, or its occurrence, was moved to where the company lets its staff decide: shall it be moved all the same?"""
    pen = _Pen(appointment, at, circle, now)
    said = pen.words
    why, _ = said.reasons[reason]
    wanted = Fact(said.labels.new, dates.stretch(said.calendar, wish, pen.zone), Look.MAIN)
    button = Link(said.asked_button, address)
    return pen.letter("asked", said.asked_move, before=(why,), wanted=wanted, button=button, after=(said.asked_note,))


@dataclass(frozen=True, slots=True)
class _Pen:
    """What every letter to this staff member about this appointment is written with."""

    appointment: Appointment
    at: datetime | None
    circle: Circle
    now: datetime

    @property
    def words(self) -> Words:
        return words(self.circle.staff.locale, self.circle.company.locale)

    @property
    def zone(self) -> ZoneInfo:
        return dates.zone(self.circle.staff.zone, self.circle.company.zone)

    def letter(
        self,
        kind: str,
        occasion: Occasion,
        *,
        before: tuple[str, ...] = (),
        wanted: Fact | None = None,
        button: Link | None = None,
        after: tuple[str, ...],
    ) -> Composed:
        said, circle, name = self.words, self.circle, line(self.circle.staff.name)
        span, when = self._when()
        paper = Paper(
            language=said.language,
            mood=Mood.REFUSED,
            pair=said.labels.pair,
            company=line(circle.company.name),
            title=occasion.title,
            greeting=said.greeting.format(name=name) if name else said.greeting_nobody,
            lead=occasion.lead,
            before=before,
            facts=(
                *((wanted, replace(when, label=said.labels.old, look=Look.PLAIN)) if wanted is not None else (when,)),
                Fact(said.labels.zone, (dates.zone_name(self.zone),)),
                Fact(said.labels.service, (line(circle.service.name),)),
                Fact(said.labels.customer, (line(circle.customer.name),)),
            ),
            button=button,
            after=after,
            closing=said.closing,
        )
        subject = occasion.subject.format(
            service=line(circle.service.name, _NAMED),
            moment=dates.moment(said.calendar, span.start, self.zone),
            date=dates.day(said.calendar, span.start, self.zone),
        )
        return Composed(kind=kind, subject=subject, paper=paper)

    def _when(self) -> tuple[Span, Fact]:
        """The span the subject names, and the fact that shows when the appointment takes place."""
        said, held = self.words, self.appointment
        span = held.span if held.recurrence is None else self._one()
        if span is None:
            first = next(iter(ahead(held, self.now)), held.span)
            return first, Fact(said.labels.dates, upcoming(said, held, self.zone, self.now), Look.LIST)
        return span, Fact(said.labels.when, dates.stretch(said.calendar, span, self.zone), Look.MAIN)

    def _one(self) -> Span | None:
        """Where the one occurrence of the series takes place that is meant; None: all are, or it is not found."""
        if self.at is None:
            return None
        return next((each.span for each in instances(self.appointment, within=Span(self.at, self.at)) if each.at == self.at), None)
