"""The instances of a series: those its rules make, those moved, those cancelled, and the ids by which they are addressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from gateway.fakes.google.state import Calendar, Row
from gateway.fakes.series import starts
from gateway.fakes.times import DAY
from gateway.model import Span

_ID = re.compile(r"([0-9a-v_]+)_(\d{8})(T\d{6}Z)?")


def instance_id(master: Row, start: datetime) -> str:
    """Widely observed, documented as opaque: the head's id and the original start in UTC."""
    return f"{master.id}_{start:%Y%m%d}" if master.times.all_day else f"{master.id}_{start:%Y%m%dT%H%M%SZ}"


def instance(master: Row, start: datetime) -> Row:
    """The instance that the rules make there, as a row that nobody keeps yet."""
    return replace(
        master,
        id=instance_id(master, start),
        body=dict(master.body),
        times=master.times.at(start),
        lines=(),
        recurrence=None,
        master=master.id,
        original=start,
        spans=[],
    )


def original_starts(master: Row, window: Span) -> tuple[datetime, ...]:
    """When the instances begin by the rules that share time with the window, a day more on both sides for whole days."""
    assert master.recurrence is not None  # noqa: S101  the caller has a series
    wide = Span(window.start - DAY, window.end + DAY) if master.times.all_day else window
    return starts(master.times, master.recurrence, wide)


def occurs(master: Row, start: datetime) -> bool:
    """Whether the rules make an instance that begins there."""
    return master.recurrence is not None and start in starts(master.times, master.recurrence, Span(start, start))


def expand(calendar: Calendar, master: Row, window: Span, *, deleted: bool) -> Iterator[Row]:
    """The instances that share time with the window, moved ones where they are now. `deleted`: the cancelled ones, too."""
    exceptions = {row.original: row for row in calendar.exceptions(master.id)}
    for row in exceptions.values():
        if (deleted or not row.cancelled) and meets(row.times.span(calendar.zone), window):
            yield row
    for start in original_starts(master, window):
        if start not in exceptions:
            made = instance(master, start)
            if meets(made.times.span(calendar.zone), window):
                yield made


def find(calendar: Calendar, event: str) -> Row | None:
    """The event of that id: a row, or the instance of a series that the id speaks of."""
    if event in calendar.rows:
        return calendar.rows[event]
    found = _ID.fullmatch(event)
    master = calendar.rows.get(found[1]) if found else None
    if not found or master is None or not master.series or bool(found[3]) == master.times.all_day:
        return None
    try:
        start = datetime.strptime(found[2] + (found[3] or "T000000Z"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    if not occurs(master, start):
        return None
    made = instance(master, start)
    made.cancelled = master.cancelled
    return made


def meets(span: Span, window: Span) -> bool:
    """timeMin bounds the end, timeMax the start, both exclusively."""
    return span.start < window.end and span.end > window.start


def touches(calendar: Calendar, row: Row, window: Span) -> bool:
    """Whether the event, or some instance of the series, shares time with the window."""
    if not row.series:
        return meets(row.times.span(calendar.zone), window)
    return next(iter(expand(calendar, row, window, deleted=False)), None) is not None


def without_lost(calendar: Calendar, master: Row) -> list[Row]:
    """The exceptions that the changed rules of their series have no place for any more."""
    return [row for row in calendar.exceptions(master.id) if row.original is not None and not occurs(master, row.original)]
