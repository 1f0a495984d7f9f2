"""The occurrences of a series: those the pattern makes, the exceptions among them, and the ids by which they are addressed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from gateway.fakes.microsoft.state import Mailbox, Row
from gateway.fakes.series import HORIZON, starts
from gateway.fakes.times import DAY
from gateway.model import Span

IMMUTABLE, REST = "AAkALgO", "AAMkADO"
_KEY = 9  # octets of the master's key in an occurrence's id


def occurrence_id(name: str, start: datetime, prefix: str) -> str:
    """Made of the master's id and the original start: the same for an occurrence and for the exception it becomes."""
    return prefix + base64.b64encode(_key(name) + b"\xfb\xff" + f"{start:%Y%m%d%H%M}".encode()).decode() + "=="


def _key(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:_KEY]


def find(mailbox: Mailbox, name: str) -> Row | None:
    """The event of that id, of either kind: a row, or an occurrence that only the pattern makes."""
    if name in mailbox.rows:
        return mailbox.rows[name]
    if kept := next((row for row in mailbox.rows.values() if row.rest == name), None):
        return kept
    if not name.startswith((IMMUTABLE, REST)):
        return None
    try:
        octets = base64.b64decode(name[len(REST) : -2], validate=True)
        start = datetime.strptime(octets[_KEY + 2 :].decode(), "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    key = octets[:_KEY]
    master = next((row for row in mailbox.rows.values() if row.series and key in (_key(row.id), _key(row.rest))), None)
    if master is None or start in master.cancelled or start not in by_pattern(master, Span(start, start)):
        return None
    if any(row.original == start for row in mailbox.exceptions(master.id)):
        return None
    return occurrence(master, start)


def by_pattern(master: Row, window: Span) -> tuple[datetime, ...]:
    """The original starts that the pattern makes, cancelled or not."""
    assert master.recurrence is not None  # noqa: S101  the caller has a series
    wide = Span(window.start - DAY, window.end + DAY) if master.times.all_day and window.length else window
    return starts(master.times, master.recurrence, wide)


def occurrence(master: Row, start: datetime) -> Row:
    return replace(
        master,
        id=occurrence_id(master.id, start, IMMUTABLE),
        rest=occurrence_id(master.rest, start, REST),
        uid=f"{master.uid[:32]}{start:%Y%m%d}{master.uid[40:]}",  # different for each occurrence
        body=dict(master.body),
        times=master.times.at(start),
        pattern=None,
        recurrence=None,
        master=master.id,
        original=start,
        cancelled=set(),
        extended=dict(master.extended),
        kept=False,
    )


def expand(mailbox: Mailbox, master: Row, window: Span, home: str = "UTC") -> Iterator[Row]:
    """Occurrences and exceptions that share time with the window, in no order; exceptions where they are now."""
    exceptions = {row.original: row for row in mailbox.exceptions(master.id)}
    for row in exceptions.values():
        if meets(row, window, home):
            yield row
    for start in by_pattern(master, window):
        if start not in exceptions and start not in master.cancelled:
            made = occurrence(master, start)
            if meets(made, window, home):
                yield made


def meets(row: Row, window: Span, home: str = "UTC") -> bool:
    span = row.times.span(home)
    return span.start < window.end and (span.end > window.start or span.start == span.end == window.start)


def touches(mailbox: Mailbox, row: Row, window: Span) -> bool:
    """Whether the event, or some occurrence of the series, lies in the window."""
    return next(iter(expand(mailbox, row, window)), None) is not None if row.series else meets(row, window)


def neighbours(mailbox: Mailbox, master: Row, start: datetime) -> tuple[Row | None, Row | None]:
    """The occurrences before and after the one with that original start, where they are now."""
    around = Span(start - HORIZON, start + HORIZON)
    every = [row for row in expand(mailbox, master, around) if row.original != start]
    before = [row for row in every if row.original and row.original < start]
    after = [row for row in every if row.original and row.original > start]
    return max(before, key=_original, default=None), min(after, key=_original, default=None)


def _original(row: Row) -> datetime:
    assert row.original is not None  # noqa: S101  every occurrence has one
    return row.original
