"""patternedRecurrence: what it can say, what it cannot, and the rules it means (Graph v1.0, recurrencePattern and recurrenceRange)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from gateway.fakes import times as clock
from gateway.fakes.microsoft import zones
from gateway.fakes.microsoft.problems import invalid, problem, unreadable
from gateway.fakes.series import Recurrence, starts
from gateway.fakes.times import Times
from gateway.fakes.wire import Json
from gateway.model import Span
from gateway.recurrence import Rule

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEX = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
FREQUENCY = {
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "absoluteMonthly": "MONTHLY",
    "relativeMonthly": "MONTHLY",
    "absoluteYearly": "YEARLY",
    "relativeYearly": "YEARLY",
}
_PATTERN = {"type", "interval", "month", "dayOfMonth", "daysOfWeek", "firstDayOfWeek", "index"}
_RANGE = {"type", "startDate", "endDate", "recurrenceTimeZone", "numberOfOccurrences"}
MOST = 999  # occurrences and intervals


def understood(written: object, times: Times, zone_name: str) -> tuple[Json, Recurrence, Times]:
    """The recurrence as it is shown, its rules, and the times of the first occurrence: the first day on or after the start that fits.

    Raises Rejected with 400 for what a pattern cannot say.
    """
    if not isinstance(written, dict):
        raise unreadable("recurrence is no object.")
    pattern, reach = written.get("pattern"), written.get("range")
    if not isinstance(pattern, dict) or not isinstance(reach, dict):
        raise invalid("Recurrence needs a pattern and a range.")
    if unknown := (set(pattern) - _PATTERN - {"@odata.type"}) | (set(reach) - _RANGE - {"@odata.type"}):
        raise unreadable(f"The property '{min(unknown)}' does not exist on the recurrence.")
    rule, shown = _rule(pattern, times.wall.date())
    begin = clock.day(str(reach.get("startDate", "")))
    if begin is None:
        raise invalid("Event.Recurrence.Range.StartDate is missing.")
    if begin != times.wall.date():
        raise invalid("Event.Recurrence.Range.StartDate must be the day on which the event starts.")
    rule, limits = _limited(rule, reach, begin)
    first = _first(rule, times)
    zone = zones.windows(str(reach.get("recurrenceTimeZone") or zone_name))
    if zone is None:
        raise problem(400, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified.")
    limits |= {"startDate": first.wall.date().isoformat(), "recurrenceTimeZone": zone}
    return {"pattern": shown, "range": limits}, Recurrence(rules=(rule,)), first


def _rule(pattern: Json, start: date) -> tuple[Rule, Json]:
    kind = pattern.get("type")
    if kind not in FREQUENCY:
        raise unreadable(f"Requested value '{kind}' was not found in recurrencePatternType.")
    interval = _number(pattern, "interval", 1, MOST)
    week_start = _enum(pattern.get("firstDayOfWeek") or "sunday", DAYS, "firstDayOfWeek")
    days = [_enum(each, DAYS, "daysOfWeek") for each in _list(pattern.get("daysOfWeek"))]
    index = _enum(pattern.get("index") or "first", tuple(INDEX), "index")
    month, day = pattern.get("month") or 0, pattern.get("dayOfMonth") or 0
    if kind in ("weekly", "relativeMonthly", "relativeYearly") and not days:
        raise invalid(f"daysOfWeek is required for {kind}.")
    if kind.startswith("absolute"):
        day = _number(pattern, "dayOfMonth", 1, 31)
    if kind.endswith("Yearly"):
        month = _number(pattern, "month", 1, 12)
    if kind == "absoluteYearly" and day > _longest(month):
        raise invalid("dayOfMonth does not exist in that month.")
    shown = {
        "type": kind,
        "interval": interval,
        "month": month if kind.endswith("Yearly") else 0,
        "dayOfMonth": day if kind.startswith("absolute") else 0,
        "firstDayOfWeek": week_start,
        "index": index,
    }
    if kind in ("weekly", "relativeMonthly", "relativeYearly"):
        shown["daysOfWeek"] = days
    return _spelt(shown, days), shown


def _spelt(shown: Json, days: list[str]) -> Rule:
    """The same in RFC 5545's words. A day that a month does not have is its last one; of several days of the week one is meant."""
    kind, day = shown["type"], shown["dayOfMonth"]
    parts: Json = {"freq": FREQUENCY[kind], "interval": shown["interval"]}
    if kind.endswith("Yearly"):
        parts["months"] = (shown["month"],)
    if kind.startswith("absolute"):
        short = day > 28
        parts |= {"month_days": tuple(range(28, day + 1)) if short else (day,), "positions": (-1,) if short else ()}
    elif kind != "daily":
        parts["days"] = tuple(sorted((0, DAYS.index(each)) for each in set(days)))
        parts["week_start"] = DAYS.index(shown["firstDayOfWeek"])
    if kind.startswith("relative"):
        parts["positions"] = (INDEX[shown["index"]],)
    return Rule(**parts)


def _limited(rule: Rule, reach: Json, begin: date) -> tuple[Rule, Json]:
    kind, shown = reach.get("type"), {"type": reach.get("type"), "endDate": "0001-01-01", "numberOfOccurrences": 0}
    match kind:
        case "noEnd":
            return rule, shown
        case "endDate":
            end = clock.day(str(reach.get("endDate", "")))
            if end is None or end < begin:
                raise invalid("Event.Recurrence.Range.EndDate must be a day on or after the start.")
            return replace(rule, until=end), shown | {"endDate": end.isoformat()}
        case "numbered":
            number = _number(reach, "numberOfOccurrences", 1, MOST)
            return replace(rule, count=number), shown | {"numberOfOccurrences": number}
        case _:
            raise unreadable(f"Requested value '{kind}' was not found in recurrenceRangeType.")


def _first(rule: Rule, times: Times) -> Times:
    """RFC 5545 counts the start whether it fits or not; Exchange begins with the first day that fits."""
    if fits(rule, times.wall.date()):
        return times
    bare = replace(rule, count=None, until=None)
    window = Span(times.start, times.start + timedelta(days=366 * min(rule.interval + 1, 30)))
    for start in starts(times, Recurrence(rules=(bare,)), window)[1:2]:
        if rule.until is None or times.at(start).wall.date() <= rule.until:
            return times.at(start)
    raise problem(400, "ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrence.")


def fits(rule: Rule, day: date) -> bool:
    """Whether the rule, begun on that day, would make it: the pattern without its interval."""
    midnight = clock.midnight(day)
    eve = Times(start=midnight - timedelta(days=366 * 4 + 1), end=midnight - timedelta(days=366 * 4), zone="UTC", all_day=True)
    bare = replace(rule, count=None, until=None, interval=1)
    if bare.freq == "DAILY":
        return True
    return midnight in starts(eve, Recurrence(rules=(bare,)), Span(midnight, midnight))


def _number(values: Json, name: str, least: int, greatest: int) -> int:
    value = values.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise unreadable(f"{name} is no whole number.") if value is not None else invalid(f"{name} is required.")
    if not least <= value <= greatest:
        raise invalid(f"{name} must be between {least} and {greatest}.")
    return value


def _enum(value: object, values: tuple[str, ...], name: str) -> str:
    if not isinstance(value, str) or value[:1].lower() + value[1:] not in values:
        raise unreadable(f"Requested value '{value}' was not found for {name}.")
    return value[:1].lower() + value[1:]


def _list(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise unreadable("daysOfWeek is no list.")
    return value


def _longest(month: int) -> int:
    return 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
