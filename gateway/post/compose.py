"""From news to a letter: which occasion it is, what stands on the paper, and the calendar file that goes with it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from gateway.ical import itip
from gateway.model import Appointment, Company, Customer, Service, Span, Staff
from gateway.post import dates
from gateway.post.line import greeted, line
from gateway.post.links import add_links
from gateway.post.news import Booked, Cancelled, News, Rescheduled, Shift, Shifted, ahead
from gateway.post.paper import Fact, Link, Look, Mood, Paper
from gateway.post.words import Occasion, Words, words

LISTED = 8
"""So many dates of a series are written out; one more than that is not worth leaving out."""

_COUNTED = 100
"""A series with more dates ahead than this goes on, for its reader, without end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Circle:
    """Everybody and everything an appointment is about."""

    company: Company
    staff: Staff
    service: Service
    customer: Customer


@dataclass(frozen=True, slots=True)
class Invitation:
    """An iTIP message (RFC 5546): its method, and the calendar object that says it."""

    method: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Composed:
    """A finished letter without its envelope; `kind` names the occasion."""

    kind: str
    subject: str
    paper: Paper
    invitation: Invitation | None = None


def compose(news: News, standing: Appointment, circle: Circle, now: datetime, *, organizer: str, page: str = "") -> Composed:
    """The letter that tells the customer. `organizer` is the mailbox the calendar file names, an addr-spec; `page` the address at which
    the customer can answer and change the appointment, "" where there is none."""
    pen = _Pen(standing, circle, now, organizer, page)
    match news:
        case Booked():
            return _booked(pen)
        case Rescheduled():
            return _rescheduled(pen, news.told)
        case Cancelled():
            return _cancelled(pen, news.told)
        case Shifted():
            return _one(pen, news.shifts[0]) if len(news.shifts) == 1 else _several(pen, news.shifts)
        case _:
            assert_never(news)


def summary(circle: Circle) -> str:
    """What the appointment is called in the customer's own calendar."""
    return " – ".join(filter(None, (line(circle.service.name), line(circle.company.name))))


def description(circle: Circle) -> str:
    """What stands there about it."""
    labels = words(circle.customer.locale, circle.company.locale).labels
    return labels.pair.format(label=labels.staff, value=line(circle.staff.name))


def listed(said: Words, lines: Sequence[str], *, endless: bool = False) -> tuple[str, ...]:
    """The first of many lines, and how many follow."""
    if len(lines) <= LISTED + 1 and not endless:
        return tuple(lines)
    rest = said.open_end if endless or len(lines) > _COUNTED else said.more.format(count=len(lines) - LISTED)
    return (*lines[:LISTED], rest)


def upcoming(said: Words, appointment: Appointment, zone: ZoneInfo, now: datetime) -> tuple[str, ...]:
    """The dates of a series that are not over, a line each; its first one when all are."""
    spans = ahead(appointment, now) or (appointment.span,)
    rule = appointment.recurrence.rule.upper() if appointment.recurrence else "COUNT="
    lines = [", ".join(dates.stretch(said.calendar, span, zone)) for span in spans]
    return listed(said, lines, endless=not ("COUNT=" in rule or "UNTIL=" in rule))


@dataclass(frozen=True, slots=True)
class _Pen:
    """What every letter to this customer about this appointment is written with."""

    standing: Appointment
    circle: Circle
    now: datetime
    organizer: str
    page: str

    @property
    def words(self) -> Words:
        return words(self.circle.customer.locale, self.circle.company.locale)

    @property
    def zone(self) -> ZoneInfo:
        return dates.zone(self.circle.customer.zone, self.circle.company.zone)

    def when(self, span: Span) -> tuple[str, ...]:
        return dates.stretch(self.words.calendar, span, self.zone)

    def moment(self, span: Span) -> str:
        return dates.moment(self.words.calendar, span.start, self.zone)

    def first(self, series: Appointment) -> Span:
        """Where its next occurrence takes place."""
        return next(iter(ahead(series, self.now)), series.span)

    def upcoming(self, series: Appointment) -> Fact:
        return Fact(self.words.labels.dates, upcoming(self.words, series, self.zone, self.now), Look.LIST)

    def there(self, span: Span | None) -> tuple[Fact, ...]:
        """The company's local time, for a customer whose clock shows another one then; not for a list of dates."""
        if span is None:
            return ()
        here, there = self.zone, dates.zone(self.circle.company.zone)
        if span.start.astimezone(here).utcoffset() == span.start.astimezone(there).utcoffset():
            return ()
        label = self.words.labels.there.format(company=line(self.circle.company.name))
        return (Fact(label, dates.stretch(self.words.calendar, span, there)),)

    def request(self, *at: datetime) -> Invitation:
        """The whole as it stands, or the occurrences that originally start `at`."""
        return Invitation("REQUEST", self._said(itip.request, at))

    def cancel(self, *at: datetime) -> Invitation:
        """The whole, or the occurrences that originally start `at`, will not take place."""
        return Invitation("CANCEL", self._said(itip.cancel, at))

    def _said(self, message: Callable[..., str], at: Sequence[datetime]) -> str:
        circle = self.circle
        return message(
            self.standing,
            company=circle.company,
            staff=circle.staff,
            service=circle.service,
            customer=circle.customer,
            organizer=self.organizer,
            at=at,
            summary=summary(self.circle),
            description=description(self.circle),
        )

    def links(self, span: Span) -> tuple[Link, ...]:
        """Other calendars' pages with the appointment filled in: for those who do not open attachments."""
        details = f"{description(self.circle)}\n{line(self.circle.company.name)}"
        return tuple(Link(name, address) for name, address in add_links(summary(self.circle), span, details))

    def change(self) -> Link | None:
        """The button of a letter that brings no new time."""
        return Link(self.words.change_button, self.page) if self.page else None

    def answer(self, at: datetime | None = None) -> Link | None:
        """The button of one that does, for the whole or for the occurrence that originally starts `at`."""
        occurrence = f"?at={at:%Y%m%dT%H%M%SZ}" if at is not None else ""
        return Link(self.words.answer_button, self.page + occurrence) if self.page else None

    @property
    def unsuitable(self) -> str:
        """What to do about a new time that does not suit."""
        return self.words.new_time_answer if self.page else self.words.new_time_unsuitable

    def letter(
        self,
        kind: str,
        occasion: Occasion,
        mood: Mood,
        span: Span,
        facts: Iterable[Fact],
        *,
        there: Span | None = None,
        invitation: Invitation,
        attached: str,
        button: Link | None = None,
        links: tuple[Link, ...] = (),
        last: tuple[str, ...],
    ) -> Composed:
        """The letter, with what is the same in all of them. `span` is the time its subject names, `there` the one it is about."""
        said, company = self.words, line(self.circle.company.name)
        name = greeted(self.circle.customer.name)
        around = (
            Fact(said.labels.zone, (dates.zone_name(self.zone),)),
            *self.there(there),
            Fact(said.labels.service, (line(self.circle.service.name),)),
            Fact(said.labels.staff, (line(self.circle.staff.name),)),
        )
        paper = Paper(
            language=said.language,
            mood=mood,
            pair=said.labels.pair,
            company=company,
            title=occasion.title,
            greeting=said.greeting.format(name=name) if name else said.greeting_nobody,
            lead=occasion.lead,
            facts=(*facts, *around),
            button=button,
            after=(attached,),
            links_label=said.add_to,
            links=links,
            last=last,
            closing=said.closing,
        )
        date = dates.day(said.calendar, span.start, self.zone)
        subject = occasion.subject.format(moment=self.moment(span), date=date)
        return Composed(kind=kind, subject=subject, paper=paper, invitation=invitation)


def _booked(pen: _Pen) -> Composed:
    said, standing = pen.words, pen.standing
    if standing.recurrence is None:
        return _takes_place(pen, "booked", said.booked, standing.span, said.attached_new)
    return pen.letter(
        "series_booked",
        said.series_booked,
        Mood.GOOD,
        pen.first(standing),
        (pen.upcoming(standing),),
        invitation=pen.request(),
        attached=said.attached_new,
        button=pen.change(),
        last=(said.cannot_come,),
    )


def _rescheduled(pen: _Pen, told: Appointment) -> Composed:
    said, standing = pen.words, pen.standing
    if told.recurrence is None and standing.recurrence is None:
        return _moved(pen, "moved", said.moved, told.span, standing.span, pen.request())
    return pen.letter(
        "series_moved",
        said.series_moved,
        Mood.CHANGED,
        pen.first(standing),
        (pen.upcoming(standing),),
        invitation=pen.request(),
        attached=said.attached_changed,
        button=pen.answer(),
        last=(pen.unsuitable,),
    )


def _cancelled(pen: _Pen, told: Appointment) -> Composed:
    said = pen.words
    if told.recurrence is None:
        return _dropped(pen, "cancelled", said.cancelled, told.span, pen.cancel())
    return pen.letter(
        "series_cancelled",
        said.series_cancelled,
        Mood.GONE,
        pen.first(told),
        (pen.upcoming(told),),
        invitation=pen.cancel(),
        attached=said.attached_changed,
        last=(said.book_again,),
    )


def _one(pen: _Pen, shift: Shift) -> Composed:
    """One occurrence of a series."""
    said = pen.words
    if shift.was is not None and shift.now is not None:
        return _moved(pen, "one_moved", said.one_moved, shift.was, shift.now, pen.request(shift.at), at=shift.at)
    if shift.now is None:
        return _dropped(pen, "one_cancelled", said.one_cancelled, shift.was or pen.standing.span, pen.cancel(shift.at))
    # With the whole series: what was taken out of it by EXDATE or CANCEL comes back with the rule only.
    return _takes_place(pen, "one_added", said.one_added, shift.now, said.attached_changed)


def _several(pen: _Pen, shifts: Sequence[Shift]) -> Composed:
    """Several occurrences at once. The file carries the whole series: one message has one method (RFC 5546 §3.2)."""
    said = pen.words
    moved = [f"{pen.moment(each.was)} → {', '.join(pen.when(each.now))}" for each in shifts if each.was and each.now]
    dropped = [", ".join(pen.when(each.was)) for each in shifts if each.was and not each.now]
    added = [", ".join(pen.when(each.now)) for each in shifts if each.now and not each.was]
    labels = said.labels
    lists = ((labels.moved, moved), (labels.cancelled, dropped), (labels.added, added))
    return pen.letter(
        "several_changed",
        said.several_changed,
        Mood.CHANGED,
        pen.first(pen.standing),
        [Fact(label, listed(said, lines), Look.LIST) for label, lines in lists if lines],
        invitation=pen.request(),
        attached=said.attached_changed,
        button=pen.answer() if moved else pen.change(),
        last=(pen.unsuitable if moved else said.book_again if dropped else said.cannot_come,),
    )


def _takes_place(pen: _Pen, kind: str, occasion: Occasion, span: Span, attached: str) -> Composed:
    said = pen.words
    return pen.letter(
        kind,
        occasion,
        Mood.GOOD,
        span,
        (Fact(said.labels.when, pen.when(span), Look.MAIN),),
        there=span,
        invitation=pen.request(),
        attached=attached,
        button=pen.change(),
        links=pen.links(span),
        last=(said.cannot_come,),
    )


def _moved(
    pen: _Pen, kind: str, occasion: Occasion, was: Span, now: Span, invitation: Invitation, *, at: datetime | None = None
) -> Composed:
    said = pen.words
    return pen.letter(
        kind,
        occasion,
        Mood.CHANGED,
        now,
        (Fact(said.labels.new, pen.when(now), Look.MAIN), Fact(said.labels.old, pen.when(was), Look.GONE)),
        there=now,
        invitation=invitation,
        attached=said.attached_changed,
        button=pen.answer(at),
        links=pen.links(now),
        last=(said.added_by_hand, pen.unsuitable),
    )


def _dropped(pen: _Pen, kind: str, occasion: Occasion, was: Span, invitation: Invitation) -> Composed:
    said = pen.words
    return pen.letter(
        kind,
        occasion,
        Mood.GONE,
        was,
        (Fact(said.labels.when, pen.when(was), Look.GONE),),
        there=was,
        invitation=invitation,
        attached=said.attached_changed,
        last=(said.book_again,),
    )
