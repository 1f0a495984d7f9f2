"""The VEVENTs of one appointment, whoever they are for: its times, series and exceptions around what that reader is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.ical import zones
from gateway.ical.lines import escape
from gateway.model import Appointment, Override, Recurrence, Span, Status
from gateway.recurrence import Rule

OPENING = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calendar Gateway//Appointments//EN", "CALSCALE:GREGORIAN")
CLOSING = "END:VCALENDAR\r\n"
_END = datetime(9998, 12, 31, tzinfo=UTC)


def stamps(entry: Appointment, uid: str = "") -> list[str]:
    """Who it is and when it last changed: the change's time and nothing of today, so that the text is the same until the next change."""
    changed = zones.stamp(entry.changed)
    return [f"UID:{uid or escape(entry.uid)}", f"DTSTAMP:{changed}", f"LAST-MODIFIED:{changed}", f"SEQUENCE:{entry.sequence}"]


def born(entry: Appointment) -> str:
    return f"CREATED:{zones.stamp(entry.created)}"


def state(status: Status) -> list[str]:
    """Whether it takes place and blocks time, also in Outlook's word (MS-OXCICAL; product.md §6 rules 18 and 19)."""
    match status:
        case Status.CANCELLED:
            return ["STATUS:CANCELLED", "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"]
        case Status.TENTATIVE:
            return ["STATUS:TENTATIVE", "TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"]
        case Status.CONFIRMED:
            return ["STATUS:CONFIRMED", "TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"]


def vevents(entry: Appointment, head: Sequence[str], body: Sequence[str], *, extras: bool = False) -> list[str]:
    """The master and its exceptions; `head` before and `body` after the times of each.

    With `extras`, what the staff member's own client keeps; without, exceptions that hold nothing else are left out.
    """
    own = annexed(entry.extras) if extras else ()
    times = _times(entry.span, entry.zone, repeating=entry.recurrence is not None)
    if entry.recurrence is None:
        return ["BEGIN:VEVENT", *head, *times, *body, *own, "END:VEVENT"]
    lines = ["BEGIN:VEVENT", *head, *times, *_series(entry, entry.recurrence), *body, *own, "END:VEVENT"]
    for override in entry.recurrence.overrides:
        if extras or not in_place(entry, override):
            lines += instance(entry, override.at, override.span, head, body, annexed(override.extras) if extras else ())
    return lines


def instance(entry: Appointment, at: datetime, span: Span, head: Sequence[str], body: Sequence[str], own: Sequence[str] = ()) -> list[str]:
    """One occurrence of a series, named by its original start (RFC 5545 §3.8.4.4)."""
    named = f"RECURRENCE-ID{zones.wall(at, entry.zone, repeating=True)}"
    return ["BEGIN:VEVENT", *head, named, *_times(span, entry.zone), *body, *own, "END:VEVENT"]


def in_place(entry: Appointment, override: Override) -> bool:
    """Whether an exception takes place where the rule puts it, and only carries extras."""
    return override.span == planned(entry, override.at)


def planned(entry: Appointment, at: datetime) -> Span:
    """Where the rule puts the occurrence that originally starts `at`."""
    return Span(at, at + entry.span.length)


def annexed(extras: Sequence[str]) -> list[str]:
    """Extras as content lines: properties before components, as RFC 5545 §3.6.1 wants them."""
    ordered = sorted(extras, key=lambda extra: extra[:6].upper() == "BEGIN:")
    return [line for extra in ordered for line in extra.replace("\r", "").split("\n") if line]


def years(entry: Appointment, until: datetime | None = None) -> Span:
    """What a VTIMEZONE beside the appointment has to cover: its exceptions, and, where it repeats, the time to `until`."""
    spans = [entry.span, *(override.span for override in (entry.recurrence.overrides if entry.recurrence else ()))]
    end = max(span.end for span in spans)
    if entry.recurrence is not None and until is not None:
        end = max(end, until)
    return Span(min(span.start for span in spans), end)


def _times(span: Span, zone: str, *, repeating: bool = False) -> tuple[str, str]:
    return f"DTSTART{zones.wall(span.start, zone, repeating=repeating)}", f"DTEND{zones.wall(span.end, zone)}"


def _series(entry: Appointment, series: Recurrence) -> list[str]:
    excluded = [f"EXDATE{zones.wall(at, entry.zone, repeating=True)}" for at in series.excluded]
    return [f"RRULE:{spelt(series.rule, entry.zone)}", *excluded]


@lru_cache(maxsize=4096)
def spelt(rule: str, zone: str) -> str:
    """The RRULE value in its canonical form, with UNTIL in UTC (RFC 5545 §3.3.10: DTSTART has a time and a zone)."""
    parsed = Rule.parse(rule)
    until = last_moment(parsed, zone)
    value = str(parsed)
    if until is None:
        return value
    return ";".join(f"UNTIL={zones.stamp(until)}" if part.startswith("UNTIL=") else part for part in value.split(";"))


def last_moment(rule: Rule, zone: str) -> datetime | None:
    """UNTIL as an instant: a date means the whole of that day, a time without zone is wall time. None: there is no UNTIL."""
    until = rule.until
    if until is None:
        return None
    if until.year >= _END.year:  # "for ever", as some say it; no zone can be applied to the end of the calendar
        return _END
    if not isinstance(until, datetime):
        until = datetime.combine(until, time(23, 59, 59))
    return until if until.tzinfo is UTC else until.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
