"""The occurrences of an appointment: where each was planned, and where it takes place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.model import Appointment, Span

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Instance:
    """One occurrence: `at` is its original start, `planned` where the rule puts it, `span` where it takes place."""

    at: datetime
    span: Span
    planned: Span


def instances(appointment: Appointment, *, within: Span | None = None) -> Iterator[Instance]:
    """WIP until gateway.recurrence lands."""
    yield Instance(appointment.span.start, appointment.span, appointment.span)


def shifted_rule(rule: str, old: datetime, new: datetime, zone: str) -> str | None:
    """The RRULE value of a series whose first start goes from `old` to `new`; None when its days do not fit the new day.

    Another time of the same day, or plain "every n weeks", needs no other rule; "every Tuesday" follows to the new weekday.
    """
    tz = ZoneInfo(zone)
    was, will = old.astimezone(tz).date(), new.astimezone(tz).date()
    parts = dict(part.split("=", 1) for part in rule.split(";"))
    if any(key in parts for key in ("BYHOUR", "BYMINUTE", "BYSECOND")):
        return None
    if "UNTIL" in parts and "T" in parts["UNTIL"]:  # the last occurrence stays the last one
        until = datetime.strptime(parts["UNTIL"].rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        parts["UNTIL"] = (until + (new - old)).strftime("%Y%m%dT%H%M%SZ")
    days = {key for key in parts if key.startswith("BY")}
    if will != was and days:
        weekly = parts["FREQ"].upper() == "WEEKLY" and days == {"BYDAY"}
        if weekly and parts["BYDAY"] in _WEEKDAYS:
            parts["BYDAY"] = _WEEKDAYS[will.weekday()]
        elif not (weekly and will.weekday() == was.weekday()):
            return None
    return ";".join(f"{key}={value}" for key, value in parts.items())
