"""What a user does to an event in a calendar program, as changes of the text that the program holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar

EVENT = re.compile(r"BEGIN:VEVENT\r\n.*?END:VEVENT\r\n", re.DOTALL)
TIME = re.compile(r"(?P<name>[A-Z-]+)(?:;TZID=(?P<zone>[^:;]+))?:(?P<value>\d{8}T\d{6}Z?)")


def unfolded(text: str) -> str:
    """With lines as long as they are: Apple's programs do not fold (clients.md §7)."""
    return re.sub(r"\r\n[ \t]", "", text)


def starts(text: str) -> list[datetime]:
    """When the event takes place, master first, then its moved occurrences; all-day ones at midnight UTC."""
    events = sorted(icalendar.Calendar.from_ical(text).walk("VEVENT"), key=lambda event: "RECURRENCE-ID" in event)
    return [_instant(event["DTSTART"].dt) for event in events]


def _instant(value: datetime | date) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def placed(text: str, start: datetime) -> str:
    """Dragged to another hour: the same length, in the zone it had."""
    away = start - starts(text)[0]
    return _of_master(
        text, lambda event: TIME.sub(lambda line: _shifted(line, away) if line["name"] in ("DTSTART", "DTEND") else line[0], event)
    )


def _shifted(line: re.Match[str], away: timedelta) -> str:
    zone = ZoneInfo(line["zone"]) if line["zone"] else UTC
    instant = datetime.strptime(line["value"].rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=zone).astimezone(UTC) + away
    return line[0].replace(line["value"], _wall(instant, zone))


def _wall(instant: datetime, zone: ZoneInfo | type[UTC]) -> str:
    return f"{instant.astimezone(zone):%Y%m%dT%H%M%S}" + ("Z" if zone is UTC else "")


def occurrence_moved(text: str, at: datetime, to: datetime) -> str:
    """One occurrence of a series dragged alone: an event of its own behind the master, in the same object."""
    master = _master(text)
    zone = _zone(master)
    kept = re.sub(r"(RRULE|EXDATE)[^\r]*\r\n", "", master)
    moved = re.sub(r"DTSTART[^\r]*", f"DTSTART;TZID={zone.key}:{_wall(to, zone)}\r\nRECURRENCE-ID;TZID={zone.key}:{_wall(at, zone)}", kept)
    length = icalendar.Event.from_ical(master).duration
    moved = re.sub(r"DTEND[^\r]*", f"DTEND;TZID={zone.key}:{_wall(to + length, zone)}", moved)
    return text.replace(master, master + moved)


def occurrence_deleted(text: str, at: datetime) -> str:
    """One occurrence of a series deleted: an exception date of the master."""
    zone = _zone(_master(text))
    return with_lines(text, f"EXDATE;TZID={zone.key}:{_wall(at, zone)}")


def with_lines(text: str, *lines: str) -> str:
    """More lines at the end of the master."""
    return _of_master(text, lambda event: event.replace("END:VEVENT", "\r\n".join([*lines, "END:VEVENT"])))


def without(text: str, *names: str) -> str:
    """Without the properties of these names, wherever they stand; `X-*` are all of them that begin so."""
    pattern = "|".join(re.escape(name).replace(r"\*", "[^:;]*") for name in names)
    return re.sub(rf"^(?:{pattern})[:;][^\r]*\r\n", "", unfolded(text), flags=re.MULTILINE)


def rewritten(text: str, **values: str) -> str:
    """Every event with these properties, names with underscores; those it had are replaced."""
    names = {name.replace("_", "-"): value for name, value in values.items()}

    def changed(found: re.Match[str]) -> str:
        event = without(found[0], *names)
        return event.replace("END:VEVENT", "".join(f"{name}:{value}\r\n" for name, value in names.items()) + "END:VEVENT")

    return EVENT.sub(changed, unfolded(text))


def raised(text: str) -> str:
    """With the next SEQUENCE in every event."""
    return re.sub(r"^SEQUENCE:(\d+)", lambda found: f"SEQUENCE:{int(found[1]) + 1}", text, flags=re.MULTILINE)


def signed(text: str, program: str) -> str:
    """With the program's own name in it."""
    return re.sub(r"^PRODID:[^\r]*", f"PRODID:{program}", unfolded(text), flags=re.MULTILINE)


def with_zone(text: str, lines: Sequence[str]) -> str:
    """With the program's own idea of the time zone in place of ours."""
    return re.sub(r"BEGIN:VTIMEZONE.*END:VTIMEZONE", "\r\n".join(lines), text, flags=re.DOTALL)


def _master(text: str) -> str:
    return next(event for event in EVENT.findall(text) if "RECURRENCE-ID" not in event)


def _of_master(text: str, change: Callable[[str], str]) -> str:
    plain = unfolded(text)
    master = _master(plain)
    return plain.replace(master, change(master))


def _zone(event: str) -> ZoneInfo:
    found = re.search(r"DTSTART;TZID=([^:;]+)", event)
    assert found, "the event has a time in a zone"
    return ZoneInfo(found[1])
