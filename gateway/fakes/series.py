"""What repeats: rules as both providers keep them, and their instances through gateway.recurrence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gateway.errors import Invalid
from gateway.fakes.times import Times, zone
from gateway.model import Span
from gateway.recurrence import Budget, Rule, Series, occurrences

HORIZON = timedelta(days=731)
"""How far an endless series is followed where nobody names an end."""

_LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[A-Z-]+=[^;:]+)*):(.+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurrence:
    """The rules of a series; dates are instants, or midnights as `Times` keeps them."""

    rules: tuple[Rule, ...] = ()
    exrules: tuple[Rule, ...] = ()
    rdates: tuple[datetime, ...] = ()
    exdates: frozenset[datetime] = frozenset()

    @classmethod
    def parse(cls, lines: Sequence[str], times: Times) -> Recurrence:
        """From RFC 5545 lines (RRULE, EXRULE, RDATE, EXDATE). Raises Invalid for anything else, DTSTART included."""
        rules: list[Rule] = []
        exrules: list[Rule] = []
        dates: dict[str, list[datetime]] = {"RDATE": [], "EXDATE": []}
        for line in lines:
            found = _LINE.fullmatch(line.strip())
            if not found:
                raise Invalid("The recurrence has a line that is not understood.")
            name = found[1].upper()
            if name in dates:
                dates[name] += [_date(text, found[2], times) for text in found[3].split(",")]
            else:
                (rules if name == "RRULE" else exrules).append(Rule.parse(found[3]))
        return cls(rules=tuple(rules), exrules=tuple(exrules), rdates=tuple(dates["RDATE"]), exdates=frozenset(dates["EXDATE"]))


def _date(text: str, parameters: str, times: Times) -> datetime:
    try:
        if len(text) == 8:
            home = UTC if times.all_day else zone(times.zone)
            return datetime.strptime(text, "%Y%m%d").replace(tzinfo=home).astimezone(UTC)
        if text.endswith("Z"):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        named = re.search(r";TZID=([^;:]+)", parameters, re.IGNORECASE)
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=zone(named[1] if named else times.zone)).astimezone(UTC)
    except (ValueError, KeyError) as error:
        raise Invalid("The recurrence has a date that is not understood.") from error


@lru_cache(maxsize=20_000)
def starts(times: Times, recurrence: Recurrence, window: Span) -> tuple[datetime, ...]:
    """When the instances begin that share time with the window, by the rules alone; an endless series is entered at the window."""
    series = Series(
        start=times.wall,
        length=times.end - times.start,
        zone=UTC if times.all_day else zone(times.zone),
        all_day=times.all_day,
        rules=recurrence.rules,
        exrules=recurrence.exrules,
        rdates=recurrence.rdates,
        exdates=recurrence.exdates,
    )
    return tuple(span.start for span in occurrences(series, window, budget=Budget(steps=200_000, instances=20_000)).instances)
