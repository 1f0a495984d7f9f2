"""The periods of a rule (its years, months … seconds), numbered, and the moments each of them holds.

Moments are whole seconds of wall time: the day's ordinal (`date.toordinal`) times 86,400 plus the second of the day. Plain
integers keep a long walk cheap and cannot leave the range of `datetime` by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import product

from gateway.recurrence.rule import DAY, UNITS, Rule

_LAST_DAY = date.max.toordinal()


class Spent(Exception):
    """The budget of steps is used up."""


@dataclass(slots=True)
class Meter:
    """Counts what an expansion looks at, so that no rule, however built, costs more than its budget."""

    left: int

    def step(self, cost: int = 1) -> None:
        self.left -= cost
        if self.left < 0:
            raise Spent


def seconds(wall: datetime) -> int:
    return wall.toordinal() * DAY + wall.hour * 3600 + wall.minute * 60 + wall.second


class Periods:
    """One rule, made explicit for its start (`Rule.explicit`), cut into periods of its frequency."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.unit = UNITS.get(rule.freq, DAY)
        self._weekdays = frozenset(weekday for _, weekday in rule.days)
        self._filters_days = bool(rule.months or rule.month_days or rule.year_days or rule.weeks or rule.days)

    def number(self, wall: datetime) -> int:
        """The number of the period that holds the wall time; periods that follow each other are one apart."""
        match self.rule.freq:
            case "YEARLY":
                return wall.year
            case "MONTHLY":
                return wall.year * 12 + wall.month - 1
            case "WEEKLY":
                return (wall.toordinal() + 6 - self.rule.week_start) // 7
            case _:
                return seconds(wall) // self.unit

    def onward(self, period: int) -> int:
        """The next period, this one included, that is worth looking at: long stretches a rule leaves out are skipped at once."""
        rule = self.rule
        if rule.freq in ("YEARLY", "WEEKLY"):
            return period
        if rule.freq == "MONTHLY":
            return period if not rule.months or period % 12 + 1 in rule.months else period + 1
        moment = period * self.unit
        day, second = divmod(moment, DAY)
        if self._filters_days and not self._day_fits(day):
            return (self._day_onward(day) * DAY) // self.unit
        if self.unit > 3600:
            return period
        hour, minute = second // 3600, second // 60 % 60
        if rule.hours and hour not in rule.hours:
            later = next((allowed for allowed in rule.hours if allowed > hour), 24)
            return (day * DAY + later * 3600) // self.unit
        if self.unit < 3600 and rule.minutes and minute not in rule.minutes:
            later = next((allowed for allowed in rule.minutes if allowed > minute), 60)
            return (day * DAY + hour * 3600 + later * 60) // self.unit
        if self.unit == 1 and rule.seconds and second % 60 not in rule.seconds:
            later = next((allowed for allowed in rule.seconds if allowed > second % 60), 60)
            return day * DAY + hour * 3600 + minute * 60 + later
        return period

    def moments(self, period: int, meter: Meter) -> Iterable[int]:
        """The moments of one period in order, BYSETPOS applied. Each costs a step."""
        if not self.rule.positions:
            return self._metered(period, meter)
        every = list(self._metered(period, meter))
        count = len(every)
        places = {place - 1 if place > 0 else count + place for place in self.rule.positions}
        return [every[place] for place in sorted(places) if 0 <= place < count]

    def regular(self) -> int | None:
        """How many moments every whole period has, where that is the same for all; else None. Counting may jump then."""
        rule = self.rule
        limits = rule.months or rule.month_days or rule.year_days or rule.weeks or rule.positions
        if limits or rule.freq in ("YEARLY", "MONTHLY") or (rule.days and rule.freq != "WEEKLY"):
            return None
        if (self.unit <= 3600 and rule.hours) or (self.unit <= 60 and rule.minutes) or (self.unit == 1 and rule.seconds):
            return None
        return max(1, len(self._weekdays)) * max(1, len(rule.hours)) * max(1, len(rule.minutes)) * max(1, len(rule.seconds))

    def _metered(self, period: int, meter: Meter) -> Iterator[int]:
        rule = self.rule
        if self.unit == DAY:
            for day in self._days(period):
                for hour, minute, second in product(rule.hours, rule.minutes, rule.seconds):
                    meter.step()
                    yield day * DAY + hour * 3600 + minute * 60 + second
            return
        minutes = rule.minutes if self.unit == 3600 else (0,)
        for minute, second in product(minutes, rule.seconds if self.unit > 1 else (0,)):
            meter.step()
            yield period * self.unit + minute * 60 + second

    def _days(self, period: int) -> list[int]:
        rule = self.rule
        match rule.freq:
            case "YEARLY":
                return self._days_of_year(period)
            case "MONTHLY":
                return self._days_of_month(*divmod(period, 12))
            case "WEEKLY":
                week = range(period * 7 - 6 + rule.week_start, period * 7 + 1 + rule.week_start)
                return [day for day in week if 1 <= day <= _LAST_DAY and self._day_fits(day)]
            case _:
                return [period]

    def _days_of_year(self, year: int) -> list[int]:
        rule, first, length = self.rule, date(year, 1, 1).toordinal(), _length(year)
        if rule.year_days:
            numbers = {number if number > 0 else length + 1 + number for number in rule.year_days}
            days = [first - 1 + number for number in sorted(numbers) if 1 <= number <= length]
        elif rule.months or rule.month_days:
            return [day for month in rule.months or range(1, 13) for day in self._days_of_month(year, month - 1)]
        else:
            days = self._on_weekdays(first, length)
        return [day for day in days if self._day_fits(day) and self._ordinal_fits(day, first, length)]

    def _days_of_month(self, year: int, month: int) -> list[int]:
        rule, first, length = self.rule, date(year, month + 1, 1).toordinal(), _length(year, month + 1)
        if rule.month_days:
            numbers = {number if number > 0 else length + 1 + number for number in rule.month_days}
            days = [first - 1 + number for number in sorted(numbers) if 1 <= number <= length]
        else:
            days = self._on_weekdays(first, length)
        return [day for day in days if self._day_fits(day) and self._ordinal_fits(day, first, length)]

    def _on_weekdays(self, first: int, length: int) -> list[int]:
        days = (range(first + (weekday - first - 6) % 7, first + length, 7) for weekday in self._weekdays)
        return sorted(day for run in days for day in run)

    def _ordinal_fits(self, day: int, first: int, length: int) -> bool:
        """BYDAY with ordinals ("2TU", "-1FR"), counted from the ends of the month or year."""
        weekday, offset = (day + 6) % 7, day - first
        nth, last = offset // 7 + 1, -((length - 1 - offset) // 7 + 1)
        return not self.rule.days or any((ordinal, weekday) in self.rule.days for ordinal in (0, nth, last))

    def _day_fits(self, day: int) -> bool:
        """Everything a day of its own can be asked; ordinals of weekdays depend on the period."""
        if not 1 <= day <= _LAST_DAY:
            return False
        rule = self.rule
        if self._weekdays and (day + 6) % 7 not in self._weekdays:
            return False
        if not (rule.months or rule.month_days or rule.year_days or rule.weeks):
            return True
        when = date.fromordinal(day)
        return (
            (not rule.months or when.month in rule.months)
            and (not rule.month_days or _counted(when.day, _length(when.year, when.month), rule.month_days))
            and (not rule.year_days or _counted(when.timetuple().tm_yday, _length(when.year), rule.year_days))
            and (not rule.weeks or _counted(*_week(day, rule.week_start), rule.weeks))
        )

    def _day_onward(self, day: int) -> int:
        """The next day that might fit after one that does not."""
        if not 1 <= day <= _LAST_DAY:
            return day + 1
        when = date.fromordinal(day)
        if not self.rule.months or when.month in self.rule.months or when.year == date.max.year:
            return day + 1
        later = next((month for month in self.rule.months if month > when.month), None)
        return (date(when.year, later, 1) if later else date(when.year + 1, self.rule.months[0], 1)).toordinal()


def _counted(number: int, length: int, allowed: tuple[int, ...]) -> bool:
    """Whether the number is allowed, counted from the beginning or from the end."""
    return number in allowed or number - length - 1 in allowed


@lru_cache(maxsize=4096)
def _length(year: int, month: int | None = None) -> int:
    """Days in the year or month."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month is None:
        return 365 + leap
    return 28 + leap if month == 2 else 30 if month in (4, 6, 9, 11) else 31


def _week(day: int, start: int) -> tuple[int, int]:
    """(number of the day's week, number of weeks) in the year its week belongs to: the one that holds four days of it."""
    first = _week_start(day, start)
    year = min(date.fromordinal(max(1, first + 3)).year, date.max.year - 1)
    begin, end = (_week_start(date(each, 1, 4).toordinal(), start) for each in (year, year + 1))
    return (first - begin) // 7 + 1, (end - begin) // 7


def _week_start(day: int, start: int) -> int:
    return day - (day + 6 - start) % 7
