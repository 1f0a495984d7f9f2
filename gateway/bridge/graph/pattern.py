"""Recurrence rules as Graph's patternedRecurrence and back; nothing is said that would mean something else (bridge.md §3.3). Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.bridge.remote import Inexpressible
from gateway.errors import Invalid
from gateway.ical.events import last_moment
from gateway.links import Owned
from gateway.recurrence import Rule

Json = dict[str, Any]  # as Graph describes it

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNKNOWN = "X-UNKNOWN"
"""Instead of a rule: a recurrence that nobody here can read. It equals no rule of ours."""

MOST = 999
LAST_YEAR = 4000
"""An end beyond it is none; Exchange's calendar ends soon after."""

_INDEX = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_FREQUENCIES = {
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "absoluteMonthly": "MONTHLY",
    "relativeMonthly": "MONTHLY",
    "absoluteYearly": "YEARLY",
    "relativeYearly": "YEARLY",
}
_GROUPS = (frozenset(range(7)), frozenset(range(5)), frozenset({5, 6}))
"""Several days of the week of which one is meant: day, weekday, weekend day. Of others nobody is sure which."""


def written(owned: Owned, zone: str) -> Json:
    """The recurrence of a series; `zone` is the name that Graph knows its zone by. Raises Inexpressible."""
    start = owned.span.start.astimezone(ZoneInfo(owned.zone))
    try:
        rule = Rule.parse(owned.rule)
    except Invalid as error:
        raise _cannot() from error
    full = rule.explicit(start.replace(tzinfo=None))
    once = (full.hours, full.minutes, full.seconds) == ((start.hour,), (start.minute,), (start.second,))
    if not once or full.year_days or full.weeks or full.interval > MOST:
        raise _cannot()
    pattern = _pattern(full)
    if not _begins(pattern, start.date()):
        raise _cannot()
    return {"pattern": pattern, "range": _range(rule, start, owned.zone, zone)}


def _pattern(rule: Rule) -> Json:
    """Of a rule that is explicit."""
    weekdays = [DAYS[weekday] for _, weekday in rule.days]
    days = {"daysOfWeek": weekdays, "firstDayOfWeek": DAYS[rule.week_start]}
    bare = not (rule.months or rule.month_days or rule.positions)
    match rule.freq:
        case "DAILY" if bare and not rule.days:
            return {"type": "daily", "interval": rule.interval}
        case "DAILY" if bare and rule.interval == 1:
            return {"type": "weekly", "interval": 1, **days}
        case "WEEKLY" if bare:
            return {"type": "weekly", "interval": rule.interval, **days}
        case "MONTHLY" if not rule.months:
            return {**_day(rule, "Monthly", shortest=28), "interval": rule.interval}
        case "YEARLY" if len(rule.months) == 1:
            month = rule.months[0]
            shortest = monthrange(2023, month)[1]
            return {**_day(rule, "Yearly", shortest=shortest), "interval": rule.interval, "month": month}
        case _:
            raise _cannot()


def _day(rule: Rule, kind: str, *, shortest: int) -> Json:
    """One day of the month, by its number or by its place among days of the week.

    A month without the day (`shortest` counts its days at the least) is skipped by a rule, while Exchange takes the last one it has.
    """
    if rule.days and not rule.month_days:
        number = rule.positions[0] if rule.positions else rule.days[0][0]
        plain = all(not ordinal for ordinal, _ in rule.days)
        alone = len(rule.days) == 1 and len(rule.positions) <= 1 and plain == bool(rule.positions)
        group = plain and len(rule.positions) == 1 and frozenset(weekday for _, weekday in rule.days) in _GROUPS
        if (alone or group) and number in _INDEX:
            return {"type": f"relative{kind}", "index": _INDEX[number], "daysOfWeek": [DAYS[weekday] for _, weekday in rule.days]}
    if len(rule.month_days) == 1 and not rule.days and not rule.positions and 1 <= rule.month_days[0] <= shortest:
        return {"type": f"absolute{kind}", "dayOfMonth": rule.month_days[0]}
    raise _cannot()


def _begins(pattern: Json, day: date) -> bool:
    """Whether the pattern makes the day the series begins with. A rule always counts it; Exchange begins with the first day that fits."""
    if pattern.get("month", day.month) != day.month:
        return False
    if "dayOfMonth" in pattern:
        return bool(day.day == pattern["dayOfMonth"])
    if "daysOfWeek" not in pattern:
        return True
    weekdays = {DAYS.index(each) for each in pattern["daysOfWeek"]}
    if "index" not in pattern:
        return day.weekday() in weekdays
    month = [day.replace(day=number) for number in range(1, monthrange(day.year, day.month)[1] + 1)]
    fitting = [each for each in month if each.weekday() in weekdays]
    place = next(number for number, name in _INDEX.items() if name == pattern["index"])
    return day == fitting[place - 1 if place > 0 else place]


def _range(rule: Rule, start: datetime, home: str, zone: str) -> Json:
    begin = {"startDate": start.date().isoformat(), "recurrenceTimeZone": zone}
    if rule.count is not None:
        if rule.count > MOST:
            raise _cannot()
        return {"type": "numbered", "numberOfOccurrences": rule.count, **begin}
    last = last_moment(rule, home)
    if last is None or last.year > LAST_YEAR:
        return {"type": "noEnd", **begin}
    end = last.astimezone(start.tzinfo).date()
    if datetime.combine(end, start.time(), start.tzinfo) > last:  # Graph ends with a day, and would give one occurrence too many
        end -= timedelta(days=1)
    if end < start.date():
        raise _cannot()
    return {"type": "endDate", "endDate": end.isoformat(), **begin}


def read(recurrence: Json | None) -> str:
    """The RRULE value that means the same, in its canonical form; "" for none, UNKNOWN for what cannot be read."""
    if not recurrence:
        return ""
    try:
        return str(_rule(recurrence["pattern"], recurrence["range"]))
    except (LookupError, ValueError, TypeError, AttributeError):
        return UNKNOWN


def _rule(pattern: Json, reach: Json) -> Rule:
    kind, parts = str(pattern["type"]), dict[str, Any]()
    weekdays = tuple(sorted({DAYS.index(str(each).lower()) for each in pattern.get("daysOfWeek") or ()}))
    interval = int(pattern.get("interval") or 1)
    if kind.endswith("Yearly"):
        parts["months"] = (int(pattern["month"]),)
    if kind == "weekly":
        first = DAYS.index(str(pattern.get("firstDayOfWeek") or "sunday").lower())
        parts |= {"days": tuple((0, weekday) for weekday in weekdays), "week_start": first if interval > 1 else 0}
    elif kind.startswith("relative"):
        place = {name: number for number, name in _INDEX.items()}[str(pattern.get("index") or "first").lower()]
        if len(weekdays) == 1:
            parts["days"] = ((place, weekdays[0]),)
        else:
            parts |= {"days": tuple((0, weekday) for weekday in weekdays), "positions": (place,)}
    elif kind.startswith("absolute"):
        parts |= _dated(int(pattern["dayOfMonth"]), parts.get("months", (2,))[0])
    if kind not in ("daily", *_DATED) and not weekdays:
        raise ValueError(kind)
    return Rule(freq=_FREQUENCIES[kind], interval=interval, **_ended(reach), **parts)


_DATED = ("absoluteMonthly", "absoluteYearly")


def _dated(day: int, month: int) -> Json:
    """A day that a month does not always have is its last one there."""
    shortest = monthrange(2023, month)[1]
    return {"month_days": (day,)} if day <= shortest else {"month_days": tuple(range(shortest, day + 1)), "positions": (-1,)}


def _ended(reach: Json) -> Json:
    match reach["type"]:
        case "numbered":
            return {"count": int(reach["numberOfOccurrences"])}
        case "endDate":
            return {"until": date.fromisoformat(str(reach["endDate"])[:10])}
        case "noEnd":
            return {}
        case other:
            raise ValueError(other)


def _cannot() -> Inexpressible:
    return Inexpressible("Outlook cannot repeat an event like this.")
