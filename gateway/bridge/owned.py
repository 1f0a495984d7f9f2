"""An appointment as the events it is over there: the whole, and each occurrence that differs, at the link's level of detail. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.booking import instances
from gateway.ical import write
from gateway.links import Owned
from gateway.model import Appointment, Customer, Level, Service, Span, Status

BACK = timedelta(days=30)
"""How far back appointments are shown over there (product.md S04)."""

LONGEST_TEXT = 4000
"""Characters of a description: all providers keep so many."""

Wanted = Mapping[datetime | None, Owned | None]
"""By original start (None: the whole): what should be there; None: the occurrence is cancelled."""


def wanted(
    entry: Appointment,
    *,
    level: Level,
    service: Service,
    customer: Customer,
    now: datetime,
    ahead: datetime,
    apart: bool = False,
    known: Collection[datetime] = (),
) -> Wanted:
    """What should be over there; empty: nothing (it is cancelled, or over for long).

    A series is its rule, and an item for each occurrence that was moved or cancelled; `known` are occurrences that were such items
    once and are to be put back to where the rule has them. With `apart` it is an event of its own for each occurrence up to `ahead`.
    What does not fit the level is not in it: at "busy" neither service nor customer is looked at.
    """
    if entry.status is Status.CANCELLED:
        return {}
    title, text = write.told(entry, level=level, service=service, customer=customer)
    plain = Owned(
        span=entry.span,
        zone=entry.zone,
        title=line(title),
        text=normal(text),
        tentative=entry.status is Status.TENTATIVE,
    )
    if entry.recurrence is None:
        return {None: plain} if entry.span.end > now - BACK else {}
    if apart:
        window = Span(now - BACK, max(ahead, now))
        return {each.at: replace(plain, span=each.span) for each in instances(entry, within=window) if each.span.end > now - BACK}
    if not _goes_on(entry, now - BACK):
        return {}
    series = entry.recurrence
    found: dict[datetime | None, Owned | None] = {None: replace(plain, rule=series.rule)}
    found |= dict.fromkeys(series.excluded)
    found |= {each.at: replace(plain, span=each.span) for each in series.overrides}
    for at in known:
        if at not in found:
            place = next((each.planned for each in instances(entry, within=Span(at, at)) if each.at == at), None)
            if place is not None:
                found[at] = replace(plain, span=place)
    return found


def _goes_on(entry: Appointment, since: datetime) -> bool:
    """Whether the series has an occurrence that ends after then; it may have begun years ago."""
    reach = Span(since, max(since, entry.span.start) + timedelta(days=800))
    return any(each.span.end > since for each in instances(entry, within=reach))


def normal(text: str) -> str:
    """The form in which texts are compared: "\\n" line ends, no control characters, nothing at the ends, no blanks before a line end."""
    text = re.sub(r"\r\n?|\u2028|\u2029", "\n", text)
    text = "".join(character for character in text if character == "\n" or character.isprintable())
    return re.sub(r"[ \u00a0]+\n", "\n", text).strip()[:LONGEST_TEXT].strip()


def line(text: str) -> str:
    """The same for a title: one line."""
    return " ".join(normal(text).split())[:250].strip()
