"""The occurrences of an appointment: where each was planned, and where it takes place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.model import Appointment, Span
from gateway.recurrence import Rule, Series, occurrences

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Instance:
    """One occurrence: `at` is its original start, `planned` where the rule puts it, `span` where it takes place."""

    at: datetime
    span: Span
    planned: Span


REACH = timedelta(days=5 * 366)
"""How far an endless series is followed when its occurrences are compared or checked."""


def instances(appointment: Appointment, *, within: Span | None = None) -> Iterator[Instance]:
    """The occurrences planned for `within` (from the start on for five years, if None), in the order of their original starts.

    Cancelled occurrences are left out; an appointment that does not repeat is its own only occurrence. Bounded (recurrence.Budget).
    """
    window = within or Span(appointment.span.start, appointment.span.start + REACH)
    return iter(expanded(appointment, window)[0])


def expanded(appointment: Appointment, window: Span) -> tuple[list[Instance], datetime | None]:
    """The same as a list, and from when on it may lack occurrences because the budget was spent (None: it lacks none)."""
    if appointment.recurrence is None:
        return [Instance(appointment.span.start, appointment.span, appointment.span)], None
    tz = ZoneInfo(appointment.zone)
    series = Series(
        start=appointment.span.start.astimezone(tz).replace(tzinfo=None),
        length=appointment.span.length,
        zone=tz,
        rules=(Rule.parse(appointment.recurrence.rule),),
        exdates=frozenset(appointment.recurrence.excluded),
    )
    elsewhere = {override.at: override.span for override in appointment.recurrence.overrides}
    found = occurrences(series, window)
    placed = [Instance(planned.start, elsewhere.get(planned.start, planned), planned) for planned in found.instances]
    return placed, None if found.complete else found.until


def shifted_rule(rule: str, old: datetime, new: datetime, zone: str) -> str | None:
    """The RRULE value of a series whose first start goes from `old` to `new`; None when its days do not fit the new day.

    Another time of the same day, or plain "every n weeks", needs no other rule; "every Tuesday" follows to the new weekday.
    """
    tz = ZoneInfo(zone)
    was, will = old.astimezone(tz).date(), new.astimezone(tz).date()
    parts = dict(part.split("=", 1) for part in rule.split(";"))
    if any(key in parts for key in ("BYHOUR", "BYMINUTE", "BYSECOND")):
        return None
    if "UNTIL" in parts:
        parts["UNTIL"] = _later(parts["UNTIL"], old, new, tz)
    days = {key for key in parts if key.startswith("BY")}
    if will != was and days:
        weekly = parts["FREQ"].upper() == "WEEKLY" and days == {"BYDAY"}
        if weekly and parts["BYDAY"] in _WEEKDAYS:
            parts["BYDAY"] = _WEEKDAYS[will.weekday()]
        elif not (weekly and will.weekday() == was.weekday()):
            return None
    return ";".join(f"{key}={value}" for key, value in parts.items())


def _later(until: str, old: datetime, new: datetime, tz: ZoneInfo) -> str:
    """The end of a series that begins at `new` instead of `old`, spelt as before: the last occurrence stays the last one."""
    if until.endswith("Z"):
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return (moment + (new - old)).strftime("%Y%m%dT%H%M%SZ")
    spelling = "%Y%m%dT%H%M%S" if "T" in until else "%Y%m%d"
    was, will = (moment.astimezone(tz).replace(tzinfo=None) for moment in (old, new))
    shift = will - was if "T" in until else will.date() - was.date()
    return (datetime.strptime(until, spelling) + shift).strftime(spelling)  # noqa: DTZ007  a wall time
