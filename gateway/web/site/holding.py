"""One customer's appointment as that customer sees it: what takes place when, what was agreed, and what may still be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from gateway.booking import instances
from gateway.model import Appointment, CompanyId, EntryId, Span, Status
from gateway.post import dates
from gateway.post.compose import Circle
from gateway.post.news import ahead
from gateway.store import Attendance, Snapshot
from gateway.web.languages import Language, chosen
from gateway.web.problems import Problem
from gateway.web.site.frame import Ask

KEPT = timedelta(days=30)
"""So long after its end an appointment has a page."""

CHANGES = 50
"""Whoever has moved an appointment that often should talk to somebody; and nobody fills a mailbox with news of it."""

_LOOKED_BACK = 10  # versions
_LISTED = 12  # dates of a series
_FORMAT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """`at` names the occurrence of a series that is meant; without one, `place` is the next one. `former`: where it was when the
    customer last agreed or was booked, where that is elsewhere. `dates`: the occurrences of a series that lie ahead."""

    now: datetime
    page: str
    circle: Circle
    entry: Appointment
    at: datetime | None
    place: Span
    former: Span | None
    standing: bool
    attendance: Attendance
    dates: tuple[tuple[datetime, Span], ...]

    @property
    def address(self) -> str:
        """Of the page, of the same occurrence."""
        return self.page + (f"?{urlencode({'at': basic(self.at)})}" if self.at is not None else "")

    @property
    def language(self) -> Language:
        return chosen(self.circle.customer.locale or self.circle.company.locale, "")

    @property
    def zone(self) -> ZoneInfo:
        return dates.zone(self.circle.customer.zone, self.circle.company.zone)

    @property
    def when(self) -> str:
        return self.said(self.place)

    def said(self, span: Span) -> str:
        return self.language.stretch(span.start, span.end, self.zone.key)

    @property
    def elsewhere(self) -> str:
        """The same in the company's local time, for a customer whose clock shows another one then."""
        there = dates.zone(self.circle.company.zone)
        start = self.place.start
        if start.astimezone(there).utcoffset() == start.astimezone(self.zone).utcoffset():
            return ""
        return self.language.stretch(start, self.place.end, there.key)

    @property
    def whole(self) -> bool:
        """A series, and no date of it in particular."""
        return self.entry.recurrence is not None and self.at is None

    @property
    def cancelled(self) -> bool:
        return self.entry.status is Status.CANCELLED or not self.standing

    @property
    def open(self) -> bool:
        return not self.cancelled and self.place.end > self.now

    @property
    def notice(self) -> timedelta:
        """A time that the company proposed may be answered until it comes."""
        return timedelta() if self.former is not None else self.circle.company.policy.notice

    @property
    def may_cancel(self) -> bool:
        return self.open and self.circle.company.policy.self_service and self.place.start - self.now >= self.notice

    @property
    def may_move(self) -> bool:
        return self.may_cancel and not self.whole and self.place.start > self.now and self.entry.sequence < CHANGES

    @property
    def answered(self) -> str:
        """What the customer said to this very time."""
        return self.attendance.partstat if self.attendance.version == self.entry.version else ""


def opened(ask: Ask) -> tuple[CompanyId, EntryId]:
    """Whose appointment the key in the address opens. Raises Problem."""
    found = ask.store.attendance(ask.match["token"])
    if found is None:
        raise Problem(404, ask.say("This link is not valid. Please use the link in the newest letter."))
    return found


def case_of(ask: Ask, snapshot: Snapshot, id: EntryId) -> Case:
    """Raises Problem for an appointment that is long over."""
    held, attendance = snapshot.held_by_id(id), snapshot.attendance(id)
    entry = held.entry if held is not None else None
    if not isinstance(entry, Appointment) or attendance is None:
        raise Problem(410, ask.say("This link is not valid. Please use the link in the newest letter."))
    at = instant_of(ask.field("at")) if entry.recurrence is not None else None
    coming = [(each.at, each.span) for each in instances(entry, within=Span(ask.now - KEPT, ask.now + timedelta(days=400)))]
    coming = sorted((each for each in coming if each[1].end > ask.now), key=lambda each: each[1])[:_LISTED] if entry.recurrence else []
    place = _place(entry, at)
    shown = place or Span(at, at + entry.span.length) if at is not None else _next(entry, ask.now)
    circle = Circle(
        company=snapshot.company,
        staff=snapshot.staff(snapshot.calendar(entry.calendar).staff),
        service=snapshot.service(entry.service),
        customer=snapshot.customer(entry.customer),
    )
    case = Case(
        now=ask.now,
        page=f"/appointment/{ask.match['token']}",
        circle=circle,
        entry=entry,
        at=at,
        place=shown,
        former=_former(snapshot, entry, at, attendance),
        standing=place is not None or at is None,
        attendance=attendance,
        dates=tuple(coming),
    )
    if case.place.end + KEPT < ask.now:
        raise Problem(410, case.language.say("This appointment is long over, so there is nothing left to change."))
    return case


def basic(instant: datetime) -> str:
    """RFC 5545 §3.3.5, form 2: short enough for an address."""
    return instant.astimezone(UTC).strftime(_FORMAT)


def instant_of(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _next(entry: Appointment, now: datetime) -> Span:
    return next(iter(ahead(entry, now)), entry.span) if entry.recurrence is not None else entry.span


def _place(entry: Appointment, at: datetime | None) -> Span | None:
    if at is None:
        return entry.span
    return next((each.span for each in instances(entry, within=Span(at, at)) if each.at == at), None)


def _former(snapshot: Snapshot, entry: Appointment, at: datetime | None, attendance: Attendance) -> Span | None:
    """Where it was before, unless the customer has agreed to where it is."""
    place = _place(entry, at)
    agreed = snapshot.version(entry.id, attendance.version or 1)
    if place is None or agreed is None or _place(agreed, at) in (place, None):
        return None
    for version in range(entry.version - 1, max(0, entry.version - _LOOKED_BACK), -1):
        earlier = snapshot.version(entry.id, version)
        was = _place(earlier, at) if earlier is not None else None
        if was not in (place, None):
            return was
    return _place(agreed, at)
