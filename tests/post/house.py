"""One company, its people, and an appointment and a series that letters are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import icalendar

from gateway.model import (
    Appointment,
    CalendarId,
    Company,
    CompanyId,
    Customer,
    CustomerId,
    EntryId,
    Override,
    Policy,
    Recurrence,
    Service,
    ServiceId,
    Span,
    Staff,
    StaffId,
    Status,
)
from gateway.post.compose import Circle, Composed, compose
from gateway.post.envelope import Mailbox, envelope, message_id
from gateway.post.news import news

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday
WEEK = timedelta(weeks=1)
ORGANIZER = "calendar@example.com"
SENDER = Mailbox("Calendar", ORGANIZER)
URL = "https://calendar.example.com"
DEMO = CompanyId("demo")
COMPANY = Company(id=DEMO, slug="demo", name="Demo Company", zone="Europe/Paris", policy=Policy(two_way=True, hold=timedelta(minutes=2)))
JOHN = Staff(id=StaffId("john"), handle="john-smith", name="John Smith", email="john.smith@example.com", zone="Europe/Paris")
ADVICE = Service(id=ServiceId("advice"), name="Advice", duration=timedelta(minutes=30))
ANN = Customer(id=CustomerId("ann"), name="Ann Canaryname", email="ann.canary@example.com", zone="Europe/Paris")
CIRCLE = Circle(company=COMPANY, staff=JOHN, service=ADVICE, customer=ANN)


def span(day: int, hour: int, minute: int = 0, *, minutes: int = 30) -> Span:
    """In November 2026, UTC; Paris is an hour ahead."""
    start = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    return Span(start, start + timedelta(minutes=minutes))


ONE = Appointment(
    id=EntryId("e1"),
    calendar=CalendarId("c1"),
    name="e1.ics",
    uid="e1@example.com",
    span=span(25, 9),  # a Wednesday, ten o'clock in Paris
    zone="Europe/Paris",
    customer=ANN.id,
    service=ADVICE.id,
    created=NOW,
    changed=NOW,
)
FIRST = ONE.span.start
SERIES = replace(ONE, recurrence=Recurrence(rule="FREQ=WEEKLY;COUNT=20"))


def later(appointment: Appointment, **changes: Any) -> Appointment:
    """The next version of it."""
    return replace(appointment, version=appointment.version + 1, sequence=appointment.sequence + 1, **changes)


def with_exceptions(*, without: tuple[datetime, ...] = (), moved: dict[datetime, Span] | None = None) -> Recurrence:
    assert SERIES.recurrence
    overrides = tuple(Override(at=at, span=place) for at, place in sorted((moved or {}).items()))
    return replace(SERIES.recurrence, excluded=without, overrides=overrides)


SECOND, THIRD, FOURTH = FIRST + WEEK, FIRST + 2 * WEEK, FIRST + 3 * WEEK
SECOND_MOVED = Span(SECOND + timedelta(days=1), SECOND + timedelta(days=1, minutes=30))

OCCASIONS: dict[str, tuple[Appointment | None, Appointment]] = {
    "booked": (None, ONE),
    "series_booked": (None, SERIES),
    "moved": (ONE, later(ONE, span=span(27, 13))),
    "series_moved": (SERIES, later(SERIES, span=span(26, 14))),
    "cancelled": (ONE, later(ONE, status=Status.CANCELLED)),
    "series_cancelled": (SERIES, later(SERIES, status=Status.CANCELLED)),
    "one_moved": (SERIES, later(SERIES, recurrence=with_exceptions(moved={SECOND: SECOND_MOVED}))),
    "one_cancelled": (SERIES, later(SERIES, recurrence=with_exceptions(without=(SECOND,)))),
    "one_added": (replace(SERIES, recurrence=with_exceptions(without=(SECOND,))), later(later(SERIES))),
    "several_changed": (
        replace(SERIES, recurrence=with_exceptions(without=(FOURTH,))),
        later(SERIES, recurrence=with_exceptions(without=(THIRD,), moved={FIRST: span(26, 10), SECOND: SECOND_MOVED})),
    ),
}
"""Each occasion to write: what the customer was told, and how it stands."""


def speaking(locale: str, circle: Circle = CIRCLE) -> Circle:
    """Everybody speaks that language."""
    return replace(circle, staff=replace(circle.staff, locale=locale), customer=replace(circle.customer, locale=locale))


def letter(kind: str, circle: Circle = CIRCLE, now: datetime = NOW) -> Composed:
    told, standing = OCCASIONS[kind]
    what = news(told, standing, now)
    assert what is not None
    return compose(what, standing, circle, now, organizer=ORGANIZER)


def octets(composed: Composed, *, recipient: str = ANN.email, key: str = "key") -> bytes:
    return envelope(composed, id=message_id(key, URL), sender=SENDER, recipient=recipient, written=NOW)


def opened(message: bytes) -> EmailMessage:
    """As a mail program reads it."""
    return message_from_bytes(message, _class=EmailMessage, policy=policy.default)


def part(mail: EmailMessage, kind: str) -> str:
    """The only part of that content type, as text."""
    [found] = [each for each in mail.walk() if each.get_content_type() == kind]
    assert isinstance(found, EmailMessage)
    content = found.get_content()
    return content.decode() if isinstance(content, bytes) else str(content)


def invitation(mail: EmailMessage) -> tuple[str, list[Any]]:
    """The method, and the events."""
    calendar = icalendar.Calendar.from_ical(part(mail, "text/calendar"))
    return str(calendar["METHOD"]), list(calendar.walk("VEVENT"))
