"""An appointment as the events it is over there: the whole, and each occurrence that differs, at the link's level of detail. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from gateway.booking import instances
from gateway.errors import GatewayError
from gateway.ical import write
from gateway.links import Owned
from gateway.model import Appointment, Customer, CustomerId, Level, Recurrence, Service, ServiceId, Span, Status
from gateway.recurrence import Rule, Series, occurrences

BACK = timedelta(days=30)
"""How far back appointments are shown over there (product.md S04)."""

FAR = timedelta(days=5 * 366)
"""How far a series that ends at some time is followed to find out whether it goes on."""

LONGEST_TEXT = 4000
"""Characters of a description: all providers keep so many."""

Wanted = Mapping[datetime | None, Owned | None]
"""By original start (None: the whole): what should be there; None: the occurrence is cancelled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """When something takes place, and nothing else: all that is known where a link shows busy times only (bridge.md §5.6)."""

    span: Span
    zone: str
    tentative: bool
    rule: str = ""


Slots = Mapping[datetime | None, Slot | None]


def wanted(
    entry: Appointment,
    *,
    level: Level,
    service: Callable[[ServiceId], Service],
    customer: Callable[[CustomerId], Customer],
    window: Span,
    apart: bool = False,
    known: Collection[datetime] = (),
) -> Wanted:
    """What should be over there; empty: nothing, because it is cancelled.

    A series is its rule, and an item for each occurrence that was moved or cancelled; `known` are occurrences that are asked about, or
    were such items once and are to be where the rule has them. With `apart` each occurrence in the `window` is an event of its own.
    Nobody is asked for service or customer where the level shows neither.
    """
    slots = _slots(entry, window, apart=apart, known=known)
    match level:
        case Level.BUSY:
            return _veiled(slots)
        case Level.INITIALS | Level.SERVICE | Level.FULL:
            title, text = write.told(entry, level=level, service=service(entry.service), customer=customer(entry.customer))
            return _told(slots, line(title), normal(text))
        case _:
            assert_never(level)


def goes_on(entry: Appointment, since: datetime) -> bool:
    """Whether it, or an occurrence of it, ends after then; a series may have begun years ago."""
    series = entry.recurrence
    if series is None:
        return entry.span.end > since
    if any(override.span.end > since for override in series.overrides):
        return True
    rule = Rule.parse(series.rule)
    if rule.count is None and rule.until is None:
        return True
    start = max(since, entry.span.start)
    return any(each.span.end > since for each in instances(entry, within=Span(since, start + FAR)))


def times(owned: Owned, window: Span) -> list[Span]:
    """Where it takes place within the window. A rule that nobody can read stands for its first time only."""
    if not owned.rule:
        return [owned.span] if owned.span.overlaps(window) else []
    try:
        zone = ZoneInfo(owned.zone)
        series = Series(
            start=owned.span.start.astimezone(zone).replace(tzinfo=None),
            length=owned.span.length,
            zone=zone,
            rules=(Rule.parse(owned.rule),),
            exdates=frozenset(),
        )
        return [span for span in occurrences(series, window).instances if span.overlaps(window)]
    except (GatewayError, ValueError):
        return [owned.span]


def _slots(entry: Appointment, window: Span, *, apart: bool, known: Collection[datetime]) -> Slots:
    if entry.status is Status.CANCELLED:
        return {}
    plain = Slot(span=entry.span, zone=entry.zone, tentative=entry.status is Status.TENTATIVE)
    if entry.recurrence is None:
        return {None: plain}
    if apart:
        spans = {each.at: each.span for each in instances(entry, within=window) if each.span.end > window.start}
        spans |= _asked(entry, set(known) - set(spans))
        return {at: replace(plain, span=span) for at, span in spans.items()}
    found: dict[datetime | None, Slot | None] = {None: replace(plain, rule=entry.recurrence.rule)}
    found |= dict.fromkeys(entry.recurrence.excluded)
    found |= {at: replace(plain, span=span) for at, span in _elsewhere(entry, entry.recurrence).items()}
    found |= {at: replace(plain, span=span) for at, span in _asked(entry, set(known) - set(found)).items()}
    return found


def _elsewhere(entry: Appointment, series: Recurrence) -> dict[datetime, Span]:
    """Occurrences that are not where the rule has them; those that only carry the staff member's own marks are."""
    return {each.at: each.span for each in series.overrides if each.span != Span(each.at, each.at + entry.span.length)}


def _asked(entry: Appointment, known: Collection[datetime]) -> dict[datetime, Span]:
    """Where these occurrences take place, as far as there are such."""
    if not known:
        return {}
    within = Span(min(known), max(known) + timedelta(seconds=1))
    return {each.at: each.span for each in instances(entry, within=within) if each.at in known}


def _veiled(slots: Slots) -> Wanted:
    return _told(slots, "Busy", "")


def _told(slots: Slots, title: str, text: str) -> Wanted:
    return {
        at: None
        if slot is None
        else Owned(span=slot.span, zone=slot.zone, title=title, text=text, tentative=slot.tentative, rule=slot.rule)
        for at, slot in slots.items()
    }


def normal(text: str) -> str:
    """The form in which texts are compared: "\\n" line ends, no control characters, nothing at the ends, no blanks before a line end."""
    text = re.sub(r"\r\n?|\u2028|\u2029", "\n", text)
    text = "".join(character for character in text if character == "\n" or character.isprintable())
    return re.sub(r"[ \u00a0]+\n", "\n", text).strip()[:LONGEST_TEXT].strip()


def line(text: str) -> str:
    """The same for a title: one line."""
    return " ".join(normal(text).split())[:250].strip()
