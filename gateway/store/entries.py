"""Reading entries: one by one, the appointments of a time, their instances, and when somebody is busy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.model import Appointment, CalendarId, Entry, EntryId, Occurrence, Revision, Span, StaffId
from gateway.store.codec import entry_from, instant, micros
from gateway.store.engine import Line
from gateway.store.listing import LENGTHY, edges
from gateway.store.reading import Reading, batches, several
from gateway.store.values import BusyTimes, Collection, Held

_HELD = text("""
    SELECT t.body, e.revision, t.text FROM entry e JOIN content t ON t.company = e.company AND t.entry = e.id
    WHERE e.company = :company AND e.calendar = :calendar AND e.name = :name AND e.shown = 1
""")
_HELD_BY_UID = text("""
    SELECT t.body, e.revision, t.text FROM entry e JOIN content t ON t.company = e.company AND t.entry = e.id
    WHERE e.company = :company AND e.calendar = :calendar AND e.uid = :uid AND e.shown = 1
""")
_HELD_BY_ID = text("""
    SELECT t.body, e.revision, t.text FROM entry e JOIN content t ON t.company = e.company AND t.entry = e.id
    WHERE e.company = :company AND e.id = :id
""")
_ENTRIES = text("SELECT entry, body, text FROM content WHERE company = :company AND entry IN :ids").bindparams(several("ids"))
_VERSION = text("""
    SELECT after FROM change WHERE company = :company AND entry = :entry AND version = :version ORDER BY revision DESC LIMIT 1
""")
_APPOINTMENTS = text("""
    SELECT t.body, e.revision, t.text
    FROM entry e JOIN content t ON t.company = e.company AND t.entry = e.id JOIN calendar c ON c.company = e.company AND c.id = e.calendar
    WHERE e.company = :company AND e.appointment = 1 AND (e.shown = 1 OR :cancelled = 1) AND (:everybody = 1 OR c.staff IN :staff)
""").bindparams(several("staff"))

# CROSS JOIN, here and below: SQLite takes the tables in this order, calendars first, and then the right stretch of each one's index.
_FOUND_WITHIN = """
    WITH found AS MATERIALIZED (
        SELECT i.entry FROM calendar c CROSS JOIN instance i
        WHERE c.company = :company AND c.kind = 'appointments' AND (:everybody = 1 OR c.staff IN :staff)
            AND i.company = c.company AND i.calendar = c.id
            AND i.lengthy = 0 AND i.starts > :earliest AND i.starts < :end AND (i.ends > :start OR i.starts >= :start)
        UNION
        SELECT i.entry FROM calendar c CROSS JOIN instance i
        WHERE c.company = :company AND c.kind = 'appointments' AND (:everybody = 1 OR c.staff IN :staff)
            AND i.company = c.company AND i.calendar = c.id
            AND i.lengthy = 1 AND i.starts < :end AND (i.ends > :start OR i.starts >= :start)
        UNION
        SELECT b.id FROM calendar c CROSS JOIN entry b
        WHERE c.company = :company AND c.kind = 'appointments' AND (:everybody = 1 OR c.staff IN :staff)
            AND b.company = c.company AND b.calendar = c.id AND b.indexed_until IS NOT NULL AND b.indexed_until < :end
            AND (b.ceil IS NULL OR (b.ceil > b.indexed_until AND b.ceil > :start)) AND (b.floor IS NULL OR b.floor < :end)
    )
"""
_APPOINTMENTS_WITHIN = text(
    _FOUND_WITHIN  # noqa: S608  both halves are constants
    + """
    SELECT t.body, e.revision, t.text
    FROM found f CROSS JOIN entry e CROSS JOIN content t
    WHERE e.company = :company AND e.id = f.entry AND e.appointment = 1 AND (e.shown = 1 OR :cancelled = 1)
        AND t.company = :company AND t.entry = f.entry
"""
).bindparams(several("staff"))
_REVISIONS_WITHIN = text(
    _FOUND_WITHIN  # noqa: S608  both halves are constants
    + """
    SELECT e.id, e.revision
    FROM found f CROSS JOIN entry e
    WHERE e.company = :company AND e.id = f.entry AND e.appointment = 1 AND (e.shown = 1 OR :cancelled = 1)
"""
).bindparams(several("staff"))
_INSTANCES = text("""
    SELECT at, starts, ends, occupied_from, occupied_to, busy FROM instance
    WHERE company = :company AND entry = :entry AND starts < :end AND (ends > :start OR starts >= :start)
    ORDER BY starts, ends, at
""")
_BUSY = text("""
    SELECT i.entry, i.at, i.starts, i.ends, i.occupied_from, i.occupied_to, i.busy
    FROM calendar c CROSS JOIN instance i
    WHERE c.company = :company AND c.staff = :staff AND i.company = c.company AND i.calendar = c.id
        AND i.busy = 1 AND i.occupied_lengthy = 0
        AND i.occupied_from > :earliest AND i.occupied_from < :end AND i.occupied_to > :start
    UNION ALL
    SELECT i.entry, i.at, i.starts, i.ends, i.occupied_from, i.occupied_to, i.busy
    FROM calendar c CROSS JOIN instance i
    WHERE c.company = :company AND c.staff = :staff AND i.company = c.company AND i.calendar = c.id
        AND i.busy = 1 AND i.occupied_lengthy = 1
        AND i.occupied_from < :end AND i.occupied_to > :start
""")
# The index tells it all; `tentative` is 2 for what has to be looked at: what goes on behind the index, or was never looked at.
_BUSY_WITHIN = text("""
    WITH found AS (
        SELECT entry, starts, ends, tentative FROM instance
        WHERE company = :company AND calendar IN :calendars AND busy = 1 AND lengthy = 0
            AND starts > :earliest AND starts < :end AND ends > :start
        UNION ALL
        SELECT entry, starts, ends, tentative FROM instance
        WHERE company = :company AND calendar IN :calendars AND busy = 1 AND lengthy = 1 AND starts < :end AND ends > :start
        UNION ALL
        SELECT id, :start, :start, 2 FROM entry
        WHERE company = :company AND calendar IN :calendars AND indexed_until IS NOT NULL AND indexed_until < :end
            AND (ceil IS NULL OR (ceil > indexed_until AND ceil > :start)) AND (floor IS NULL OR floor < :end) AND shown = 1
    )
    SELECT entry, starts, ends, tentative FROM found
    WHERE :view = 0 OR EXISTS (SELECT 1 FROM entry e WHERE e.company = :company AND e.id = found.entry AND e.team = 1)
    LIMIT :limit
""").bindparams(several("calendars"))
_BUSY_BEYOND = text("""
    SELECT e.id FROM calendar c CROSS JOIN entry e
    WHERE c.company = :company AND c.staff = :staff AND e.company = c.company AND e.calendar = c.id
        AND e.indexed_until IS NOT NULL AND e.indexed_until < :until
        AND (e.ceil IS NULL OR e.ceil > e.indexed_until) AND (e.floor IS NULL OR e.floor < :until) AND e.busy = 1
""")

_UNSURE = 2


class Entries(Reading):
    """Whole entries, decoded."""

    def held(self, calendar: CalendarId, name: str) -> Held | None:
        """A cancelled appointment is not held by its calendar any more: None."""
        return _maybe_held(self._one(_HELD, calendar=calendar, name=name))

    def held_by_id(self, id: EntryId) -> Held | None:
        """Also cancelled appointments."""
        return _maybe_held(self._one(_HELD_BY_ID, id=id))

    def held_by_uid(self, calendar: CalendarId, uid: str) -> Held | None:
        """Like `held`."""
        return _maybe_held(self._one(_HELD_BY_UID, calendar=calendar, uid=uid))

    def version(self, id: EntryId, version: int) -> Appointment | None:
        """The appointment as it last was in that version, from the log."""
        row = self._one(_VERSION, entry=id, version=version)
        entry = entry_from(row.after) if row is not None else None
        return entry if isinstance(entry, Appointment) else None

    def entries(self, ids: Iterable[EntryId]) -> dict[EntryId, Entry]:
        """Those that exist, cancelled ones too."""
        return {
            EntryId(row.entry): entry_from(row.body, text=row.text) for batch in batches(set(ids)) for row in self._all(_ENTRIES, ids=batch)
        }

    def appointments(self, *, staff: Iterable[StaffId] | None, window: Span | None, cancelled: bool = False) -> Sequence[Held]:
        """Appointments with an instance in the window (or none known yet in the part that lies beyond their index), in the order
        (start, uid). None: everybody's, or of any time. Cancelled ones only when asked for."""
        if window is not None:
            return sorted(map(held_from, self._all(_APPOINTMENTS_WITHIN, **_within(staff, window, cancelled))), key=_place)
        given: dict[str, Any] = {"everybody": int(staff is None), "staff": list(staff or ()), "cancelled": int(cancelled)}
        return sorted(map(held_from, self._all(_APPOINTMENTS, **given)), key=_place)

    def appointment_revisions(
        self, *, staff: Iterable[StaffId], window: Span, cancelled: bool = False
    ) -> Sequence[tuple[EntryId, Revision]]:
        """The same appointments, each as its id and the revision that last touched it, in no order: for who has their texts already."""
        return [
            (EntryId(entry), Revision(revision)) for entry, revision in self._all(_REVISIONS_WITHIN, **_within(staff, window, cancelled))
        ]

    def instances(self, entry: EntryId, window: Span) -> Sequence[Occurrence]:
        """Indexed instances that overlap the window, in order."""
        start, end = edges((window.start, window.end))
        return [_occurrence(*row) for row in self._all(_INSTANCES, entry=entry, start=start, end=end)]

    def busy(self, staff: StaffId, window: Span, *, without: EntryId | None = None) -> Sequence[tuple[EntryId, Occurrence]]:
        """Busy instances in any calendar of the staff member whose occupied span overlaps the window, in order."""
        start, end = edges((window.start, window.end))
        rows = self._all(_BUSY, staff=staff, start=start, earliest=start - LENGTHY, end=end)
        found = [(EntryId(row.entry), _occurrence(*row[1:])) for row in rows if row.entry != without]
        return sorted(found, key=lambda each: (each[1].span, each[0]))

    def busy_within(self, collection: Collection, window: Span, *, limit: int) -> BusyTimes:
        """When the collection's objects keep people busy, by the index: instances that overlap the window, without buffers, of which
        at most `limit` are looked at."""
        start, end = edges((window.start, window.end))
        given = {"calendars": collection.calendars, "view": int(collection.view), "limit": limit}
        found = self._all(_BUSY_WITHIN, **given, start=start, earliest=start - LENGTHY, end=end)
        unsure = frozenset(EntryId(entry) for entry, _, _, tentative in found if tentative == _UNSURE)
        sure = sorted((starts, ends, tentative) for entry, starts, ends, tentative in found if entry not in unsure)
        return BusyTimes(
            busy=_merged((starts, ends) for starts, ends, tentative in sure if not tentative),
            tentative=_merged((starts, ends) for starts, ends, tentative in sure if tentative),
            unsure=unsure,
            instances=len(found),
        )

    def busy_beyond_index(self, staff: StaffId, until: datetime) -> frozenset[EntryId]:
        """Busy entries of any calendar of the staff member with instances after their `indexed_until` and before that instant."""
        return frozenset(EntryId(one) for (one,) in self._all(_BUSY_BEYOND, staff=staff, until=micros(until)))


def _within(staff: Iterable[StaffId] | None, window: Span, cancelled: bool) -> dict[str, Any]:
    start, end = edges((window.start, window.end))
    named = list(staff or ())
    return {
        "everybody": int(staff is None),
        "staff": named,
        "cancelled": int(cancelled),
        "start": start,
        "earliest": start - LENGTHY,
        "end": end,
    }


def _merged(spans: Iterable[tuple[int, int]]) -> Sequence[Span]:
    """Spans in the order of their starts, in microseconds, as few that do not touch."""
    merged: list[tuple[int, int]] = []
    for starts, ends in spans:
        if merged and starts <= merged[-1][1]:
            if ends > merged[-1][1]:
                merged[-1] = merged[-1][0], ends
        else:
            merged.append((starts, ends))
    return [Span(instant(starts), instant(ends)) for starts, ends in merged]


def held_from(row: Line) -> Held:
    body, revision, text = row
    return Held(entry_from(body, text=text), Revision(revision), text)


def _maybe_held(row: Line | None) -> Held | None:
    return held_from(row) if row is not None else None


def _place(held: Held) -> tuple[datetime, str]:
    if not isinstance(held.entry, Appointment):
        raise TypeError("only appointments are asked for")
    return held.entry.span.start, held.entry.uid


def _occurrence(at: int, starts: int, ends: int, occupied_from: int, occupied_to: int, busy: int) -> Occurrence:
    return Occurrence(instant(at), Span(instant(starts), instant(ends)), Span(instant(occupied_from), instant(occupied_to)), bool(busy))
