"""Entries and instants as the database keeps them: exact both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gateway.model import (
    Appointment,
    CalendarId,
    CustomerId,
    Entry,
    EntryId,
    OnConflict,
    OnDelete,
    Override,
    Personal,
    Policy,
    Recurrence,
    Refusal,
    ServiceId,
    Span,
    Status,
    WorkingHours,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Json = dict[str, Any]  # as deep and mixed as JSON is


def micros(instant: datetime) -> int:
    """Whole microseconds after 1970 in UTC."""
    return (instant - _EPOCH) // _MICROSECOND


def maybe_micros(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // _MICROSECOND


def instant(number: int) -> datetime:
    """Aware UTC."""
    return _EPOCH + timedelta(microseconds=number)


def maybe_instant(number: int | None) -> datetime | None:
    return None if number is None else _EPOCH + timedelta(microseconds=number)


def length(span: timedelta) -> int:
    return span // _MICROSECOND


def written(value: object) -> str:
    """JSON without blanks; text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def entry_json(entry: Entry, *, text: str | None = None) -> str:
    """The entry as JSON. A personal object whose octets are `text`, which is kept beside it, is written without them."""
    match entry:
        case Appointment():
            return written(_appointment(entry))
        case Personal():
            return written(_personal(entry, with_text=entry.text != text))


def entry_from(body: str, *, text: str = "") -> Entry:
    """The entry that `entry_json` wrote; `text` is what was kept beside it."""
    read: Json = json.loads(body)
    return _appointment_from(read) if read["is"] == "appointment" else _personal_from(read, text)


def maybe_entry_json(entry: Entry | None) -> str | None:
    return None if entry is None else entry_json(entry)


def maybe_entry_from(body: str | None) -> Entry | None:
    return None if body is None else entry_from(body)


def _appointment(entry: Appointment) -> Json:
    return {
        "is": "appointment",
        "id": entry.id,
        "calendar": entry.calendar,
        "name": entry.name,
        "uid": entry.uid,
        "span": _span(entry.span),
        "zone": entry.zone,
        "customer": entry.customer,
        "service": entry.service,
        "status": entry.status.value,
        "recurrence": None if entry.recurrence is None else _recurrence(entry.recurrence),
        "notes": entry.notes,
        "sequence": entry.sequence,
        "version": entry.version,
        "extras": entry.extras,
        "created": entry.created.isoformat(),
        "changed": entry.changed.isoformat(),
    }


def _appointment_from(read: Json) -> Appointment:
    series = read["recurrence"]
    return Appointment(
        id=EntryId(read["id"]),
        calendar=CalendarId(read["calendar"]),
        name=read["name"],
        uid=read["uid"],
        span=_span_from(read["span"]),
        zone=read["zone"],
        customer=CustomerId(read["customer"]),
        service=ServiceId(read["service"]),
        status=Status(read["status"]),
        recurrence=None if series is None else _recurrence_from(series),
        notes=read["notes"],
        sequence=read["sequence"],
        version=read["version"],
        extras=tuple(read["extras"]),
        created=datetime.fromisoformat(read["created"]),
        changed=datetime.fromisoformat(read["changed"]),
    )


def _personal(entry: Personal, *, with_text: bool) -> Json:
    return {
        "is": "personal",
        "id": entry.id,
        "calendar": entry.calendar,
        "name": entry.name,
        "uid": entry.uid,
        "component": entry.component,
        "created": entry.created.isoformat(),
        "changed": entry.changed.isoformat(),
        **({"text": entry.text} if with_text else {}),
    }


def _personal_from(read: Json, text: str) -> Personal:
    return Personal(
        id=EntryId(read["id"]),
        calendar=CalendarId(read["calendar"]),
        name=read["name"],
        uid=read["uid"],
        component=read["component"],
        text=read.get("text", text),
        created=datetime.fromisoformat(read["created"]),
        changed=datetime.fromisoformat(read["changed"]),
    )


def _span(span: Span) -> list[str]:
    return [span.start.isoformat(), span.end.isoformat()]


def _span_from(read: list[str]) -> Span:
    start, end = read
    return Span(datetime.fromisoformat(start), datetime.fromisoformat(end))


def _recurrence(series: Recurrence) -> Json:
    return {
        "rule": series.rule,
        "excluded": [at.isoformat() for at in series.excluded],
        "overrides": [{"at": each.at.isoformat(), "span": _span(each.span), "extras": each.extras} for each in series.overrides],
    }


def _recurrence_from(read: Json) -> Recurrence:
    return Recurrence(
        rule=read["rule"],
        excluded=tuple(datetime.fromisoformat(at) for at in read["excluded"]),
        overrides=tuple(
            Override(at=datetime.fromisoformat(each["at"]), span=_span_from(each["span"]), extras=tuple(each["extras"]))
            for each in read["overrides"]
        ),
    )


def policy_json(policy: Policy) -> str:
    return written(
        {
            "two_way": policy.two_way,
            "on_delete": policy.on_delete.value,
            "on_conflict": policy.on_conflict.value,
            "resize": policy.resize,
            "hold": length(policy.hold),
            "refusal": policy.refusal.value,
            "google": policy.google,
            "outlook": policy.outlook,
            "office365": policy.office365,
            "self_service": policy.self_service,
            "notice": length(policy.notice),
        }
    )


def policy_from(body: str) -> Policy:
    read: Json = json.loads(body)
    return Policy(
        two_way=read["two_way"],
        on_delete=OnDelete(read["on_delete"]),
        on_conflict=OnConflict(read["on_conflict"]),
        resize=read["resize"],
        hold=timedelta(microseconds=read["hold"]),
        refusal=Refusal(read["refusal"]),
        google=read["google"],
        outlook=read["outlook"],
        office365=read["office365"],
        self_service=read.get("self_service", True),  # companies of before version 0.3
        notice=timedelta(microseconds=read.get("notice", 0)),
    )


def hours_json(hours: WorkingHours) -> str:
    return written(
        {
            "weekly": {str(weekday): times for weekday, times in hours.weekly.items()},
            "exceptions": {day.isoformat(): times for day, times in hours.exceptions.items()},
        }
    )


def hours_from(body: str) -> WorkingHours:
    read: Json = json.loads(body)
    return WorkingHours(
        weekly={int(weekday): _times(times) for weekday, times in read["weekly"].items()},
        exceptions={date.fromisoformat(day): _times(times) for day, times in read["exceptions"].items()},
    )


def _times(read: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((start, end) for start, end in read)


def properties_from(body: str | None) -> Mapping[str, str]:
    read: dict[str, str] = json.loads(body) if body else {}
    return read
