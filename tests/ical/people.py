"""Who and what the texts are about: one staff member, one service, one customer, and appointments between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.ical import write
from gateway.model import (
    Appointment,
    CalendarId,
    Company,
    CompanyId,
    Customer,
    CustomerId,
    EntryId,
    Override,
    Recurrence,
    Service,
    ServiceId,
    Shape,
    Span,
    Staff,
    StaffId,
)

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday, 9 o'clock in Paris
START = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
HORIZON = NOW + timedelta(days=750)
HALF, DAY, WEEK = timedelta(minutes=30), timedelta(days=1), timedelta(weeks=1)

DEMO = Company(id=CompanyId("demo"), slug="demo", name="Demo Company", zone="Europe/Paris")
JOHN = Staff(id=StaffId("john"), handle="john-smith", name="John Smith", email="john.smith@example.com", zone="Europe/Paris")
ADVICE = Service(
    id=ServiceId("advice"),
    name="Advice",
    duration=HALF,
    buffer_before=timedelta(minutes=5),
    buffer_after=timedelta(minutes=10),
)
ANN = Customer(
    id=CustomerId("ann"), name="Ann Canaryname", email="ann.canary@example.com", phone="+33 1 23 45 67 89", zone="America/New_York"
)


def booked(start: datetime = START, *, rule: str = "", **more: Any) -> Appointment:
    """Half an hour of advice for Ann; with `rule` a series, `excluded` and `overrides` as in Recurrence."""
    series = Recurrence(rule=rule, excluded=more.pop("excluded", ()), overrides=more.pop("overrides", ())) if rule else None
    facts: dict[str, Any] = {
        "id": EntryId("1"),
        "calendar": CalendarId("c"),
        "name": "1.ics",
        "uid": "1@demo",
        "span": Span(start, start + HALF),
        "zone": "Europe/Paris",
        "customer": ANN.id,
        "service": ADVICE.id,
        "recurrence": series,
        "notes": "Bring the papers.",
        "created": NOW - DAY,
        "changed": NOW,
    }
    return Appointment(**(facts | more))


def moved(at: datetime, to: datetime, *extras: str) -> Override:
    return Override(at=at, span=Span(to, to + HALF), extras=extras)


def shaped(entry: Appointment, horizon: datetime = HORIZON, *, customer: Customer = ANN) -> Shape:
    return write.shape(entry, company=DEMO, staff=JOHN, service=ADVICE, customer=customer, horizon=horizon)


def unfolded(text: str) -> list[str]:
    return re.sub(r"\r\n[ \t]", "", text).split("\r\n")[:-1]


def sound(text: str) -> None:
    """What every reader may ask of a text, whoever it is for (RFC 5545 §3.1)."""
    assert text.endswith("END:VCALENDAR\r\n")
    assert not re.search(r"\r(?!\n)|(?<!\r)\n", text), "a lone CR or LF"
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]", text), "a control character"
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n")), "a line of more than 75 octets"
    depth: list[str] = []
    for line in unfolded(text):
        head = re.match(r'[A-Z0-9-]+(;[A-Z0-9-]+=("[^"]*"|[^";:,]*))*:', line)
        assert head, f"no content line: {line}"
        if line.startswith("BEGIN:"):
            depth.append(line[6:])
        elif line.startswith("END:"):
            assert depth.pop() == line[4:]
    assert not depth


def named(lines: Sequence[str], name: str) -> list[str]:
    return [line for line in lines if re.match(rf"{name}[;:]", line)]
