"""Recurrence rules as Graph's patternedRecurrence and back; nothing is said that would mean something else (bridge.md §3.3). Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.bridge.remote import Inexpressible
from gateway.ical.events import last_moment
from gateway.links import Owned
from gateway.recurrence import Rule

Json = dict[str, Any]  # as Graph describes it

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEX = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_TYPES = {
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "absoluteMonthly": "MONTHLY",
    "relativeMonthly": "MONTHLY",
    "absoluteYearly": "YEARLY",
    "relativeYearly": "YEARLY",
}
_SHORT = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST = 999


def written(owned: Owned, zone: str) -> Json:
    """The recurrence of a series; `zone` is the name that Graph knows its zone by. Raises Inexpressible."""
    rule = Rule.parse(owned.rule)
    start = owned.span.start.astimezone(ZoneInfo(owned.zone))
    return {"pattern": _pattern(rule, start), "range": _range(rule, owned, start, zone)}


def _pattern(rule: Rule, start: datetime) -> Json:
    used = {part.partition("=")[0]: part.partition("=")[2] for part in str(rule).split(";")}
    interval = int(used.pop("INTERVAL", "1"))
    for name in ("FREQ", "COUNT", "UNTIL"):
        used.pop(name, None)
    week = used.pop("WKST", "MO")
    shape = {"interval": interval, "firstDayOfWeek": DAYS[_SHORT.index(week)]}
    if not 1 <= interval <= MOST:
        raise _cannot()
    match str(rule).partition("FREQ=")[2].partition(";")[0]:
        case "DAILY":
            return {"type": "daily", **_all_used(used), **shape}
        case "WEEKLY":
            days = used.pop("BYDAY", _SHORT[start.weekday()]).split(",")
            return {"type": "weekly", "daysOfWeek": [DAYS[_SHORT.index(day)] for day in _plain(days)], **_all_used(used), **shape}
        case "MONTHLY":
            return {**_monthly(used, start, "Monthly"), **_all_used(used), **shape}
        case "YEARLY":
            month = used.pop("BYMONTH", str(start.month))
            if not month.isdecimal():
                raise _cannot()
            return {**_monthly(used, start, "Yearly"), "month": int(month), **_all_used(used), **shape}
        case _:
            raise _cannot()


def _monthly(used: dict[str, str], start: datetime, kind: str) -> Json:
    """One day by its number, or one weekday (or the first of several) by its place in the month."""
    if "BYDAY" in used:
        days = used.pop("BYDAY").split(",")
        place = used.pop("BYSETPOS", "")
        index = {day[:-2] for day in days}
        if place and index == {""}:
            number = int(place)
        elif not place and len(days) == 1 and index != {""}:
            number, days = int(days[0][:-2]), [days[0][-2:]]
        else:
            raise _cannot()
        if number not in _INDEX:
            raise _cannot()
        return {"type": f"relative{kind}", "index": _INDEX[number], "daysOfWeek": [DAYS[_SHORT.index(day)] for day in _plain(days)]}
    day = used.pop("BYMONTHDAY", str(start.day))
    if not day.isdecimal() or not 1 <= int(day) <= 28:  # a month without such a day is skipped by the rule, and not by Graph
        raise _cannot()
    return {"type": f"absolute{kind}", "dayOfMonth": int(day)}


def _plain(days: list[str]) -> list[str]:
    if any(day not in _SHORT for day in days):
        raise _cannot()
    return days


def _all_used(used: dict[str, str]) -> Json:
    if used:
        raise _cannot()
    return {}


def _range(rule: Rule, owned: Owned, start: datetime, zone: str) -> Json:
    begin = {"startDate": start.date().isoformat(), "recurrenceTimeZone": zone}
    if rule.count is not None:
        if rule.count > MOST:
            raise _cannot()
        return {"type": "numbered", "numberOfOccurrences": rule.count, **begin}
    last = last_moment(rule, owned.zone)
    if last is None:
        return {"type": "noEnd", **begin}
    end = last.astimezone(ZoneInfo(owned.zone))
    if end.time() < start.time():  # Graph ends with a day, and would give one occurrence too many
        end -= timedelta(days=1)
    return {"type": "endDate", "endDate": end.date().isoformat(), **begin}


def read(recurrence: Json | None) -> str:
    """The RRULE value that means the same; "" for none. One text for one recurrence."""
    if not recurrence:
        return ""
    pattern, reach = recurrence.get("pattern") or {}, recurrence.get("range") or {}
    kind = str(pattern.get("type", ""))
    parts = [f"FREQ={_TYPES.get(kind, 'DAILY')}", f"INTERVAL={int(pattern.get('interval') or 1)}"]
    days = [_SHORT[DAYS.index(str(day).lower())] for day in pattern.get("daysOfWeek") or () if str(day).lower() in DAYS]
    if kind == "weekly":
        parts += [f"BYDAY={','.join(sorted(days, key=_SHORT.index))}", f"WKST={_week(pattern)}"] if days else []
    elif kind.startswith("relative"):
        index = {name: number for number, name in _INDEX.items()}.get(str(pattern.get("index") or "first"), 1)
        parts += [f"BYDAY={','.join(sorted(days, key=_SHORT.index))}", f"BYSETPOS={index}"] if days else []
    elif kind.startswith("absolute"):
        parts.append(f"BYMONTHDAY={int(pattern.get('dayOfMonth') or 1)}")
    if kind.endswith("Yearly"):
        parts.append(f"BYMONTH={int(pattern.get('month') or 1)}")
    match reach.get("type"):
        case "numbered":
            parts.append(f"COUNT={int(reach.get('numberOfOccurrences') or 1)}")
        case "endDate":
            parts.append(f"UNTIL={date.fromisoformat(str(reach['endDate'])[:10]):%Y%m%d}")
    return ";".join(parts)


def _week(pattern: Json) -> str:
    first = str(pattern.get("firstDayOfWeek") or "sunday").lower()
    return _SHORT[DAYS.index(first)] if first in DAYS else "SU"


def _cannot() -> Inexpressible:
    return Inexpressible("Outlook cannot repeat an event like this.")
