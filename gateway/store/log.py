"""Reading the log, and how far its readers have come."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from gateway.errors import Reason
from gateway.model import Actor, CalendarId, Change, EntryId, Revision
from gateway.store.codec import instant, maybe_entry_from
from gateway.store.engine import Line
from gateway.store.reading import Reading

_CHANGES = text("""
    SELECT revision, calendar, entry, before, after, who, door, at, reason, detail, proposal
    FROM change WHERE company = :company AND revision > :after ORDER BY revision LIMIT :limit
""")
_CHANGES_OF = text("""
    SELECT revision, calendar, entry, before, after, who, door, at, reason, detail, proposal
    FROM change WHERE company = :company AND entry = :entry ORDER BY revision
""")
# By calendar and by door only where that is asked; a page reads a few dozen lines from the end.
_BACKWARDS = text("""
    SELECT revision, calendar, entry, before, after, who, door, at, reason, detail, proposal
    FROM change
    WHERE company = :company AND revision < :before AND entry IS NOT NULL AND (:calendar = '' OR calendar = :calendar)
        AND (:door = '' OR door = :door OR door LIKE :door || ':%') AND (:refused = 0 OR reason IS NOT NULL)
        AND (:entry = '' OR entry = :entry)
    ORDER BY revision DESC LIMIT :limit
""")
_CURSOR = text("SELECT revision FROM reader WHERE company = :company AND name = :name")


class Log(Reading):
    """Lines in the order of revisions."""

    def changes(self, after: Revision, *, limit: int = 500) -> Sequence[Change]:
        """What happened after that revision, the first `limit` lines of it."""
        return [_change(row) for row in self._all(_CHANGES, after=after, limit=limit)]

    def changes_of(self, entry: EntryId) -> Sequence[Change]:
        return [_change(row) for row in self._all(_CHANGES_OF, entry=entry)]

    def changes_backwards(
        self, before: Revision, *, limit: int, calendar: str = "", door: str = "", entry: str = "", refused: bool = False
    ) -> Sequence[Change]:
        """What happened before that revision to entries, the newest first; "" and False: whatever it was."""
        given = {"calendar": calendar, "door": door, "entry": entry, "refused": int(refused)}
        return [_change(row) for row in self._all(_BACKWARDS, before=before, limit=limit, **given)]

    def cursor(self, reader: str) -> Revision:
        """The last revision that the reader has dealt with; 0 in the beginning."""
        row = self._one(_CURSOR, name=reader)
        return Revision(row.revision if row is not None else 0)


def _change(row: Line) -> Change:
    revision, calendar, entry, before, after, who, door, at, reason, detail, proposal = row
    return Change(
        revision=Revision(revision),
        calendar=CalendarId(calendar),
        entry=None if entry is None else EntryId(entry),
        before=maybe_entry_from(before),
        after=maybe_entry_from(after),
        actor=Actor(who, door),
        at=instant(at),
        reason=None if reason is None else Reason(reason),
        detail=detail,
        proposal=proposal,
    )
