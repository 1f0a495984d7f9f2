"""Recurrence rules as values: parsed, compared and spelt (RFC 5545 §3.3.10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from gateway.errors import Invalid

DAY = 86400
UNITS = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": DAY}
SUBDAILY = ("SECONDLY", "MINUTELY", "HOURLY")
FREQUENCIES = (*UNITS, "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LISTS = {  # part: (field, least magnitude, greatest, may count from the end)
    "BYSECOND": ("seconds", 0, 60, False),
    "BYMINUTE": ("minutes", 0, 59, False),
    "BYHOUR": ("hours", 0, 23, False),
    "BYMONTHDAY": ("month_days", 1, 31, True),
    "BYYEARDAY": ("year_days", 1, 366, True),
    "BYWEEKNO": ("weeks", 1, 53, True),
    "BYMONTH": ("months", 1, 12, False),
    "BYSETPOS": ("positions", 1, 366, True),
}


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, condition="valid-calendar-data")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One RRULE value. Lists are sorted; `days` holds (ordinal or 0, weekday with Monday 0)."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: date | None = None  # a date, a wall time (naive) or an instant (UTC)
    seconds: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    days: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    @classmethod
    def parse(cls, value: str) -> Rule:
        """The rule an RRULE value spells. Raises Invalid for what is no rule, or one in another calendar (RFC 7529)."""
        if len(value) > 20_000:
            raise _invalid("The recurrence rule is too long.")
        parts: dict[str, str] = {}
        for part in value.strip().rstrip(";").upper().split(";"):
            name, equals, text = part.partition("=")
            if not equals or name.strip() in parts:
                raise _invalid("The recurrence rule has a part that is not understood.")
            parts[name.strip()] = text.strip()
        freq = parts.pop("FREQ", "")
        if freq not in FREQUENCIES:
            raise _invalid("The recurrence rule does not say how often it repeats.")
        if parts.pop("RSCALE", "GREGORIAN") != "GREGORIAN" or parts.pop("SKIP", "OMIT") != "OMIT":
            raise Invalid("Only the Gregorian calendar is understood.", condition="supported-rscale")
        fields: dict[str, object] = {"freq": freq}
        for name, text in parts.items():
            if name in _LISTS:
                fields[_LISTS[name][0]] = _numbers(name, text)
            elif not name.startswith("X-"):
                fields.update(_part(name, text))
        if "count" in fields and "until" in fields:
            raise _invalid("A recurrence rule ends after COUNT or with UNTIL, not both.")
        return cls(**fields)  # type: ignore[arg-type]  # names and types come from the two tables above

    def __str__(self) -> str:
        """The canonical value: fixed order of parts, defaults left out."""
        parts = [f"FREQ={self.freq}"]
        if self.until is not None:
            parts.append(f"UNTIL={_spelt(self.until)}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        for name, (attribute, *_) in _LISTS.items():
            if numbers := getattr(self, attribute):
                parts.append(f"{name}={','.join(map(str, numbers))}")
        if self.days:
            parts.append("BYDAY=" + ",".join(f"{ordinal or ''}{WEEKDAYS[weekday]}" for ordinal, weekday in self.days))
        if self.week_start:
            parts.append(f"WKST={WEEKDAYS[self.week_start]}")
        return ";".join(parts)

    def explicit(self, start: datetime) -> Rule:
        """The rule with what it takes from its start (a wall time) written out: equal rules for one start compare equal."""
        by_day = bool(self.days or self.month_days or self.year_days)
        rule = self
        if not by_day and (self.freq == "WEEKLY" or self.weeks):
            rule = replace(rule, days=((0, start.weekday()),))
        elif self.freq == "MONTHLY" and not by_day:
            rule = replace(rule, month_days=(start.day,))
        elif self.freq == "YEARLY" and not by_day:
            rule = replace(rule, months=self.months or (start.month,), month_days=(start.day,))
        if self.freq not in ("MONTHLY", "YEARLY") or self.weeks:  # ordinals have no meaning here (RFC 5545 §3.3.10)
            rule = replace(rule, days=tuple(sorted({(0, weekday) for _, weekday in rule.days})))
        unit = UNITS.get(self.freq, DAY)
        return replace(
            rule,
            hours=rule.hours or ((start.hour,) if unit > 3600 else ()),
            minutes=rule.minutes or ((start.minute,) if unit > 60 else ()),
            seconds=tuple(sorted({min(second, 59) for second in rule.seconds})) or ((start.second,) if unit > 1 else ()),
            week_start=rule.week_start if self.weeks or (self.freq == "WEEKLY" and (self.interval > 1 or self.positions)) else 0,
        )

    @property
    def endless(self) -> bool:
        return self.count is None and self.until is None


def _numbers(name: str, text: str) -> tuple[int, ...]:
    _, least, greatest, signed = _LISTS[name]
    numbers = {_number(item) for item in text.split(",")}
    if any(not least <= (abs(number) if signed else number) <= greatest for number in numbers):
        raise _invalid(f"{name} in the recurrence rule is out of range.")
    return tuple(sorted(numbers))


def _number(text: str) -> int:
    text = text.strip()
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 30):
        raise _invalid("The recurrence rule has a number that is not understood.")
    return int(text)


def _part(name: str, text: str) -> dict[str, object]:
    match name:
        case "INTERVAL" | "COUNT":
            number = _number(text)
            if number < 1:
                raise _invalid(f"{name} in the recurrence rule must be at least one.")
            return {name.lower(): number}
        case "UNTIL":
            return {"until": _moment(text)}
        case "BYDAY":
            return {"days": tuple(sorted({_weekday(item.strip()) for item in text.split(",")}))}
        case "WKST" if text in WEEKDAYS:
            return {"week_start": WEEKDAYS.index(text)}
        case _:
            raise _invalid("The recurrence rule has a part that is not understood.")


def _weekday(text: str) -> tuple[int, int]:
    if text[-2:] not in WEEKDAYS:
        raise _invalid("BYDAY in the recurrence rule is not understood.")
    ordinal = _number(text[:-2]) if text[:-2] else 0
    if abs(ordinal) > 53 or (text[:-2] and not ordinal):
        raise _invalid("BYDAY in the recurrence rule is out of range.")
    return ordinal, WEEKDAYS.index(text[-2:])


def _moment(text: str) -> date:
    for pattern, zone in (("%Y%m%dT%H%M%SZ", UTC), ("%Y%m%dT%H%M%S", None), ("%Y%m%d", None)):
        if len(text) == {"%Y%m%d": 8, "%Y%m%dT%H%M%S": 15}.get(pattern, 16) and text.isascii():
            try:
                moment = datetime.strptime(text, pattern).replace(tzinfo=zone)
            except ValueError:
                break
            return moment.date() if len(text) == 8 else moment
    raise _invalid("UNTIL in the recurrence rule is no date and no time.")


def _spelt(moment: date) -> str:
    if isinstance(moment, datetime):
        return f"{moment.year:04}{moment:%m%dT%H%M%S}{'Z' if moment.tzinfo else ''}"
    return f"{moment.year:04}{moment:%m%d}"
