"""A letter about nothing that happened: what customers get, for whoever decides whether they get it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.model import Appointment, CalendarId, Company, Customer, CustomerId, EntryId, Service, ServiceId, Span, Staff, StaffId
from gateway.post import paper
from gateway.post.compose import Circle, compose
from gateway.post.news import Rescheduled
from gateway.post.words import words


def sample(company: Company, locale: str, now: datetime, public_url: str) -> str:
    """The HTML of a letter that says an appointment of tomorrow was moved by an hour; its button leads to no appointment."""
    labels = words(locale, company.locale).labels
    start = now.replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    told = Appointment(
        id=EntryId("sample"),
        calendar=CalendarId("sample"),
        name="sample.ics",
        uid="sample",
        span=Span(start, start + timedelta(minutes=30)),
        zone=company.zone,
        customer=CustomerId("sample"),
        service=ServiceId("sample"),
        created=now,
        changed=now,
    )
    standing = replace(told, span=Span(start + timedelta(hours=1), start + timedelta(minutes=90)), version=2, sequence=1)
    circle = Circle(
        company=company,
        staff=Staff(id=StaffId("sample"), handle="sample", name=f"({labels.staff})", email="", zone=company.zone, locale=locale),
        service=Service(id=told.service, name=f"({labels.service})", duration=timedelta(minutes=30)),
        customer=Customer(id=told.customer, name=labels.customer, email="", locale=locale, zone=company.zone),
    )
    page = f"{public_url}/appointment/…" if company.policy.self_service else ""
    return paper.html(compose(Rescheduled(told), standing, circle, now, organizer="calendar@example.com", page=page).paper)
