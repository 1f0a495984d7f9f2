"""What things look like in an answer: the words are those of the REST resources, so that programs learn them once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gateway.cli.frame import Json
from gateway.model import Appointment, Company, Customer, Feed, Group, Service, Span, Staff, WorkingHours

if TYPE_CHECKING:
    from gateway.store import ApiKey, AppPassword, Posted, Snapshot

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def stamp(instant: datetime, zone: str = "UTC") -> str:
    """RFC 3339 with the offset of the zone, whole seconds."""
    return instant.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def maybe_stamp(instant: datetime | None) -> str | None:
    return None if instant is None else stamp(instant)


def company(firm: Company) -> Json:
    policy = firm.policy
    return {
        "slug": firm.slug,
        "name": firm.name,
        "time_zone": firm.zone,
        "locale": firm.locale,
        "bidirectional": policy.two_way,
        "on_delete": str(policy.on_delete),
        "on_conflict": str(policy.on_conflict),
        "resize": policy.resize,
        "hold_seconds": int(policy.hold.total_seconds()),
    }


def staff(person: Staff, public_url: str) -> Json:
    return {
        "id": person.id,
        "handle": person.handle,
        "name": person.name,
        "email": person.email,
        "time_zone": person.zone,
        "locale": person.locale,
        "active": person.active,
        "calendar_url": f"{public_url}/dav/{person.handle}/appointments/",
    }


def hours(kept: WorkingHours) -> list[str]:
    """A line for each weekday with hours; none: no hours are kept, every time is inside."""
    return [f"{DAYS[day]} {', '.join(_interval(each) for each in kept.weekly[day])}" for day in sorted(kept.weekly) if kept.weekly[day]]


def _interval(interval: tuple[int, int]) -> str:
    return "-".join(f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in interval)


def group(team: Group, snapshot: Snapshot) -> Json:
    members = [snapshot.staff(member).handle for member in team.members]
    return {"id": team.id, "slug": team.slug, "name": team.name, "members": members}


def service(offer: Service) -> Json:
    return {
        "id": offer.id,
        "name": offer.name,
        "duration_minutes": minutes(offer.duration),
        "buffer_before_minutes": minutes(offer.buffer_before),
        "buffer_after_minutes": minutes(offer.buffer_after),
    }


def minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)


def customer(person: Customer) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "locale": person.locale,
        "time_zone": person.zone,
        "phone": person.phone,
    }


def appointment(entry: Appointment, snapshot: Snapshot) -> Json:
    series = entry.recurrence
    return {
        "id": entry.id,
        "uid": entry.uid,
        "staff": snapshot.staff(snapshot.calendar(entry.calendar).staff).handle,
        "service": snapshot.service(entry.service).name,
        "customer": snapshot.customer(entry.customer).name,
        "start": stamp(entry.span.start, entry.zone),
        "end": stamp(entry.span.end, entry.zone),
        "time_zone": entry.zone,
        "status": str(entry.status),
        "recurrence": None
        if series is None
        else {
            "rule": series.rule,
            "excluded": [stamp(at, entry.zone) for at in series.excluded],
            "overrides": [{"occurrence": stamp(each.at, entry.zone), **span(each.span, entry.zone)} for each in series.overrides],
        },
        "notes": entry.notes,
        "version": entry.version,
    }


def span(stretch: Span, zone: str) -> dict[str, str]:
    return {"start": stamp(stretch.start, zone), "end": stamp(stretch.end, zone)}


def credential(key: AppPassword | ApiKey) -> Json:
    """Everything but the secret, which nobody knows any more."""
    return {
        "id": key.id,
        "label": key.label,
        "read_only": key.read_only,
        "created": stamp(key.created),
        "last_used": maybe_stamp(key.last_used),
        "revoked": maybe_stamp(key.revoked),
    }


def app_password(key: AppPassword) -> Json:
    return {**credential(key), "calendar": key.calendar, "last_client": key.last_client, "last_network": key.last_network}


def feed(link: Feed, of: str | None) -> Json:
    """`of`: the handle or slug of whom it is about; None for the company."""
    return {
        "id": link.id,
        "scope": str(link.scope),
        "of": of,
        "label": link.label,
        "level": str(link.level),
        "past_days": link.past_days,
        "future_days": link.future_days,
        "alarm_minutes": link.alarm_minutes,
        "revoked": maybe_stamp(link.revoked),
        "last_fetched": maybe_stamp(link.last_fetched),
        "last_agent": link.last_agent,
    }


def posted(letter: Posted) -> Json:
    return {
        "kind": letter.kind,
        "to": letter.recipient,
        "queued": stamp(letter.queued),
        "sent": maybe_stamp(letter.sent),
        "failed": maybe_stamp(letter.failed),
        "attempts": letter.attempts,
        "failure": letter.failure,
    }
