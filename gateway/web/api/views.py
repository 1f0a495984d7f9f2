"""What the REST resources look like from outside: one record and one function for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.errors import Invalid, Missing
from gateway.links import Source
from gateway.model import (
    Appointment,
    Company,
    Customer,
    Feed,
    Group,
    Level,
    OnConflict,
    OnDelete,
    Recurrence,
    Refusal,
    Revision,
    Scope,
    Service,
    Staff,
    StaffId,
    Status,
)
from gateway.store import Held, Snapshot
from gateway.web.api.frame import Json
from gateway.web.api.schema import Choice, Email, Flag, Instant, Listed, Locale, Maybe, Text, Whole, Zone, answered

T = TypeVar("T")

ID = Text(least=1, most=100, about="Opaque")

CUSTOMER = answered(
    "Customer",
    {"id": ID, "name": Text(), "email": Email(), "locale": Locale(), "time_zone": Zone(), "phone": Text()},
)
RECURRENCE = answered(
    "Recurrence",
    {
        "rule": Text(most=20_000, about="RRULE value (RFC 5545 §3.3.10), in wall time of the appointment's time zone"),
        "excluded": Listed(of=Instant(), about="Original starts of occurrences that do not take place"),
        "overrides": Listed(
            of=answered("Override", {"occurrence": Instant(about="Its original start"), "start": Instant(), "end": Instant()}),
            about="Occurrences that take place at another time",
        ),
    },
)
APPOINTMENT = answered(
    "Appointment",
    {
        "id": ID,
        "uid": Text(most=1000, about="The UID in every calendar and letter (RFC 5545 §3.8.4.7)"),
        "staff": ID,
        "service": ID,
        "customer_id": ID,
        "customer": CUSTOMER,
        "start": Instant(about="Of the first occurrence"),
        "end": Instant(),
        "time_zone": Zone(),
        "status": Choice(values=list(Status)),
        "recurrence": Maybe(of=RECURRENCE),
        "notes": Text(most=10_000, lines=True),
        "sequence": Whole(about="Rises when time or status change (RFC 5546 §2.1.4)"),
        "version": Whole(about="Counts the changes that matter to others than the staff member's own calendar"),
        "revision": Whole(about="The line of the change log that touched it last"),
        "etag": Text(about="Send it as If-Match"),
        "created": Instant(),
        "changed": Instant(),
    },
)
STAFF = answered(
    "Staff",
    {
        "id": ID,
        "handle": Text(about="URL-safe, never changes"),
        "name": Text(),
        "email": Email(),
        "time_zone": Zone(),
        "locale": Locale(),
        "active": Flag(),
        "calendar_url": Text(most=2000, about="CalDAV address of the appointments"),
        "external_ics": Maybe(
            of=answered(
                "ExternalCalendar",
                {
                    "fetched": Maybe(of=Instant(about="When a sound copy was last read or confirmed")),
                    "failing_since": Maybe(of=Instant()),
                    "trouble": Text(most=1000),
                    "events": Whole(),
                    "time_zone": Text(),
                    "warnings": Listed(of=Text(most=1000)),
                    "tentative_is_busy": Maybe(of=Flag(about="Nothing: as the installation says")),
                    "working_elsewhere_is_busy": Maybe(of=Flag(about="Nothing: as the installation says")),
                },
            )
        ),
    },
)
GROUP = answered("Group", {"id": ID, "slug": Text(), "name": Text(), "members": Listed(of=ID, about="Staff ids")})
SERVICE = answered(
    "Service",
    {"id": ID, "name": Text(), "duration_minutes": Whole(), "buffer_before_minutes": Whole(), "buffer_after_minutes": Whole()},
)
FEED = answered(
    "Feed",
    {
        "id": ID,
        "scope": Choice(values=list(Scope)),
        "of": Maybe(of=ID),
        "label": Text(),
        "level": Choice(values=list(Level)),
        "past_days": Whole(),
        "future_days": Whole(),
        "alarm_minutes": Maybe(of=Whole()),
        "revoked": Maybe(of=Instant()),
        "last_fetched": Maybe(of=Instant()),
        "last_agent": Text(),
        "url": Maybe(of=Text(most=2000, about="Whoever knows it can read the feed")),
    },
)
SETTINGS = answered(
    "Settings",
    {
        "name": Text(),
        "time_zone": Zone(),
        "locale": Locale(),
        "bidirectional": Flag(about="Staff members may move appointments in their own calendars"),
        "on_delete": Choice(values=list(OnDelete)),
        "on_conflict": Choice(values=list(OnConflict)),
        "resize": Flag(),
        "hold_seconds": Whole(most=86_400, about="The customer is told this long after the last change"),
        "refusal": Choice(values=list(Refusal)),
        "google": Flag(),
        "outlook": Flag(),
        "office365": Flag(),
        "self_service": Flag(about="Customers may move and cancel their appointments on the page their letters lead to"),
        "notice_minutes": Whole(most=527_040, about="Until so long before the start"),
    },
)


def etag(snapshot: Snapshot, revision: Revision) -> str:
    return f'"{snapshot.epoch}-{revision}"'


def stamp(instant: datetime, zone: str = "UTC") -> str:
    """RFC 3339 with the offset of the zone."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()


def maybe_stamp(instant: datetime | None, zone: str = "UTC") -> str | None:
    return None if instant is None else stamp(instant, zone)


def appointment(snapshot: Snapshot, held: Held) -> Json:
    entry = held.entry
    if not isinstance(entry, Appointment):
        raise Missing("There is no such appointment.")
    return {**booked(snapshot, entry), "revision": held.revision, "etag": etag(snapshot, held.revision)}


def booked(snapshot: Snapshot, entry: Appointment) -> Json:
    """An appointment without its place in the log."""
    return {
        "id": entry.id,
        "uid": entry.uid,
        "staff": snapshot.calendar(entry.calendar).staff,
        "service": entry.service,
        "customer_id": entry.customer,
        "customer": customer(snapshot.customer(entry.customer)),
        "start": stamp(entry.span.start, entry.zone),
        "end": stamp(entry.span.end, entry.zone),
        "time_zone": entry.zone,
        "status": str(entry.status),
        "recurrence": recurrence(entry.recurrence, entry.zone) if entry.recurrence else None,
        "notes": entry.notes,
        "sequence": entry.sequence,
        "version": entry.version,
        "created": stamp(entry.created),
        "changed": stamp(entry.changed),
    }


def recurrence(series: Recurrence, zone: str) -> Json:
    return {
        "rule": series.rule,
        "excluded": [stamp(at, zone) for at in series.excluded],
        "overrides": [
            {"occurrence": stamp(each.at, zone), "start": stamp(each.span.start, zone), "end": stamp(each.span.end, zone)}
            for each in series.overrides
        ],
    }


def customer(person: Customer) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "locale": person.locale,
        "time_zone": person.zone,
        "phone": person.phone,
    }


def staff(person: Staff, public_url: str, source: Source | None = None) -> Json:
    """`source`: the staff member's external calendar, whose address is never shown."""
    return {
        "id": person.id,
        "handle": person.handle,
        "name": person.name,
        "email": person.email,
        "time_zone": person.zone,
        "locale": person.locale,
        "active": person.active,
        "calendar_url": f"{public_url}/dav/{person.handle}/appointments/",
        "external_ics": None if source is None else _external(source, person.zone),
    }


def _external(source: Source, zone: str) -> Json:
    return {
        "fetched": None if source.fetched is None else stamp(source.fetched, zone),
        "failing_since": None if source.failing is None else stamp(source.failing, zone),
        "trouble": source.trouble,
        "events": source.events,
        "time_zone": source.zone,
        "warnings": list(source.warnings),
        "tentative_is_busy": source.tentative,
        "working_elsewhere_is_busy": source.elsewhere,
    }


def group(team: Group) -> Json:
    return {"id": team.id, "slug": team.slug, "name": team.name, "members": list(team.members)}


def service(offer: Service) -> Json:
    return {
        "id": offer.id,
        "name": offer.name,
        "duration_minutes": _minutes(offer.duration),
        "buffer_before_minutes": _minutes(offer.buffer_before),
        "buffer_after_minutes": _minutes(offer.buffer_after),
    }


def feed(link: Feed, url: str | None) -> Json:
    return {
        "id": link.id,
        "scope": str(link.scope),
        "of": link.of,
        "label": link.label,
        "level": str(link.level),
        "past_days": link.past_days,
        "future_days": link.future_days,
        "alarm_minutes": link.alarm_minutes,
        "revoked": maybe_stamp(link.revoked),
        "last_fetched": maybe_stamp(link.last_fetched),
        "last_agent": link.last_agent,
        "url": url,
    }


def settings(company: Company) -> Json:
    return {"name": company.name, "time_zone": company.zone, "locale": company.locale, **company.policy.facts()}


def staff_named(snapshot: Snapshot, name: str) -> Staff:
    """By id or handle. Raises Missing."""
    try:
        return snapshot.staff(StaffId(name))
    except Missing:
        return snapshot.staff_by_handle(name)


def referred(place: str, look: Callable[[], T]) -> T:
    """What a name in the body stands for; one that stands for nothing is the body's fault, not the address's."""
    try:
        return look()
    except Missing as error:
        raise Invalid(str(error), field=place) from None


def page(rows: Iterable[tuple[str, T]], show: Callable[[T], Json], query: Json) -> Json:
    """One page of a list that is in the order of its keys: what comes after the key `after`, `limit` items at most."""
    after, limit = query.get("after"), query.get("limit", PAGE)
    found = list(islice(((key, row) for key, row in rows if after is None or key > after), limit + 1))
    return {"items": [show(row) for _, row in found[:limit]], "next": found[limit - 1][0] if len(found) > limit else None}


PAGING: dict[str, Text | Whole] = {
    "after": Text(most=2000, about="What the page before gave as next"),
    "limit": Whole(least=1, most=1000, about="Items of one page; 500 unless told"),
}
PAGE = 500


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)
