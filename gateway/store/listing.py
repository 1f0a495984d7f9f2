"""Listing the objects of a collection: all, by name, by window, and what changed since a revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import TextClause, text

from gateway.model import Revision
from gateway.store.codec import micros
from gateway.store.engine import Found
from gateway.store.reading import Reading, batches, several
from gateway.store.values import Collection, Row

EVER = 2**62
"""Microseconds that no instant has: an open end."""

LENGTHY = 2 * 24 * 60 * 60 * 1_000_000
"""Microseconds from which on an instance is set apart in the index (schema.py, INSTANCE)."""

ICS = ".ics"


def _listing(statement: str) -> TextClause:
    return text(statement).bindparams(several("calendars"))


_ROWS = _listing("""
    SELECT CASE WHEN :view = 1 THEN id || '.ics' ELSE name END AS name, id, calendar, revision, uid, component,
           CASE WHEN :text = 1 THEN (
               SELECT CASE WHEN :view = 1 THEN octets(t.team_text) ELSE octets(t.text) END
               FROM content t WHERE t.company = entry.company AND t.entry = entry.id
           ) END AS octets, version
    FROM entry
    WHERE company = :company AND calendar IN :calendars AND shown = 1 AND (:view = 0 OR team = 1)
""")
_IN_ORDER = text("""
    SELECT name, id, calendar, revision, uid, component,
           CASE WHEN :text = 1 THEN (SELECT octets(t.text) FROM content t WHERE t.company = entry.company AND t.entry = entry.id) END
               AS octets, version
    FROM entry
    WHERE company = :company AND calendar = :calendar AND shown = 1
    ORDER BY name
""")
_ROWS_NAMED = _listing("""
    SELECT name, id, calendar, revision, uid, component,
           CASE WHEN :text = 1 THEN (SELECT octets(t.text) FROM content t WHERE t.company = entry.company AND t.entry = entry.id) END
               AS octets, version
    FROM entry
    WHERE company = :company AND calendar IN :calendars AND shown = 1 AND name IN :names
""").bindparams(several("names"))
_ROW_NAMED = text("""
    SELECT name, id, calendar, revision, uid, component,
           CASE WHEN :text = 1 THEN (SELECT octets(t.text) FROM content t WHERE t.company = entry.company AND t.entry = entry.id) END
               AS octets, version
    FROM entry
    WHERE company = :company AND calendar = :calendar AND shown = 1 AND name = :name
""")
_ROWS_OF_VIEW_NAMED = _listing("""
    SELECT id || '.ics' AS name, id, calendar, revision, uid, component,
           CASE WHEN :text = 1 THEN (
               SELECT octets(t.team_text) FROM content t WHERE t.company = entry.company AND t.entry = entry.id
           ) END AS octets, version
    FROM entry
    WHERE company = :company AND id IN :ids AND calendar IN :calendars AND team = 1
""").bindparams(several("ids"))

# An instance overlaps [start, end) when it begins before the end and ends after the start; one without length lies in it from its
# first instant on (RFC 4791 §9.9). Those of usual length begin at most two days before what they reach into: a short stretch of the
# index. Objects without a date match, and those whose index ends within the window may: these are unsure, unless an instance in the
# index has told already. CROSS JOIN: SQLite takes what it found first.
_ROWS_WITHIN = _listing("""
    WITH found AS MATERIALIZED (
        SELECT entry FROM instance
        WHERE company = :company AND calendar IN :calendars AND lengthy = 0 AND starts > :earliest AND starts < :end
            AND (ends > :start OR starts >= :start)
        UNION
        SELECT entry FROM instance
        WHERE company = :company AND calendar IN :calendars AND lengthy = 1 AND starts < :end AND (ends > :start OR starts >= :start)
        UNION
        SELECT id FROM entry
        WHERE company = :company AND calendar IN :calendars AND undated = 1
        UNION
        SELECT id FROM entry
        WHERE company = :company AND calendar IN :calendars AND indexed_until IS NOT NULL AND indexed_until < :end
            AND (ceil IS NULL OR (ceil > indexed_until AND ceil > :start)) AND (floor IS NULL OR floor < :end)
    )
    SELECT CASE WHEN :view = 1 THEN e.id || '.ics' ELSE e.name END AS name, e.id, e.calendar, e.revision, e.uid, e.component,
           CASE WHEN :text = 1 THEN (
               SELECT CASE WHEN :view = 1 THEN octets(t.team_text) ELSE octets(t.text) END
               FROM content t WHERE t.company = e.company AND t.entry = e.id
           ) END AS octets, e.version,
           CASE WHEN e.indexed_until < :end AND (e.ceil IS NULL OR e.ceil > e.indexed_until) AND (e.floor IS NULL OR e.floor < :end)
               AND NOT EXISTS (
                   SELECT 1 FROM instance i
                   WHERE i.company = e.company AND i.entry = e.id AND i.starts < :end AND (i.ends > :start OR i.starts >= :start)
               ) THEN 1 ELSE 0 END AS unsure
    FROM found f CROSS JOIN entry e
    WHERE e.company = :company AND e.id = f.entry AND e.shown = 1 AND (:view = 0 OR e.team = 1)
        AND (:component = '' OR e.component = :component)
""")
# What stands there, in the order of revisions; `there` is 0 for what has left the collection without leaving the table.
_CHANGED = _listing("""
    SELECT CASE WHEN :view = 1 THEN id || '.ics' ELSE name END AS name, id, calendar, revision, uid, component, NULL AS octets, version,
           CASE WHEN :view = 1 THEN team ELSE shown END AS there
    FROM entry
    WHERE company = :company AND calendar IN :calendars AND revision > :after AND (:view = 0 OR appointment = 1)
        AND (:after > 0 OR CASE WHEN :view = 1 THEN team ELSE shown END = 1)
    ORDER BY revision
    LIMIT :limit
""")
_GONE = _listing("""
    SELECT CASE WHEN :view = 1 THEN c.entry || '.ics' ELSE c.name END AS name, c.revision
    FROM change c
    WHERE c.company = :company AND c.calendar IN :calendars AND c.gone = 1 AND c.revision > :after AND (:view = 0 OR c.appointment = 1)
        AND (:view = 1 OR NOT EXISTS (
            SELECT 1 FROM entry e WHERE e.company = c.company AND e.calendar = c.calendar AND e.name = c.name
        ))
    ORDER BY c.revision
    LIMIT :limit
""")


class Listing(Reading):
    """Rows of collections. The collection must come from the same snapshot."""

    def rows(self, collection: Collection, *, text: bool = False) -> Sequence[Row]:
        """Every object, in the order of names."""
        return _sorted(self._all(_ROWS, **_of(collection), text=int(text)))

    def each(self, collection: Collection, *, text: bool = False) -> Iterator[Row]:
        """The same, one after the other: of a large calendar on an embedded database no two need to be there at once."""
        if collection.view or not self._connection.embedded:  # whose order of names may be another
            yield from self.rows(collection, text=text)
            return
        given = {"company": self.company.id, "calendar": collection.calendars[0], "text": int(text)}
        for line in self._connection.stream(_IN_ORDER, given):
            yield Row(*line)

    def rows_named(self, collection: Collection, names: Sequence[str], *, text: bool = True) -> dict[str, Row]:
        """Those of the names that exist."""
        if len(names) == 1 and not collection.view:  # nearly always
            row = self._one(_ROW_NAMED, calendar=collection.calendars[0], name=names[0], text=int(text))
            return {names[0]: Row(*row)} if row is not None else {}
        given = {"calendars": collection.calendars, "text": int(text)}
        found: list[Row] = []
        if collection.view:
            for ids in batches({name.removesuffix(ICS) for name in names if name.endswith(ICS)}):
                found += _rows(self._all(_ROWS_OF_VIEW_NAMED, **given, ids=ids))
        else:
            for batch in batches(set(names)):
                found += _rows(self._all(_ROWS_NAMED, **given, names=batch))
        return {row.name: row for row in found}

    def rows_within(
        self,
        collection: Collection,
        window: tuple[datetime | None, datetime | None],
        *,
        component: str | None = None,
        text: bool = False,
    ) -> Sequence[Row]:
        """Objects with an instance that overlaps [from, to) per RFC 4791 §9.9, in the order of names; None is an open end.

        Exact inside the index; entries that go on behind it and may reach the window there are among them (`Row.unsure`). Objects
        without any date match every window.
        """
        start, end = edges(window)
        found = self._all(
            _ROWS_WITHIN, **_of(collection), component=component or "", text=int(text), start=start, earliest=start - LENGTHY, end=end
        )
        return _sorted(found)

    def names_since(
        self, collection: Collection, after: Revision, *, limit: int | None = None
    ) -> tuple[Mapping[str, Row | None], Revision]:
        """What changed in the collection after that revision: name → row without text, or None when it is gone; and the revision this
        answer reaches (less than `collection.last` only when the limit cut it). Only the net result, in the order of revisions.

        After 0 everything there is has changed and nothing is gone.
        """
        if after >= collection.last:
            return {}, collection.last
        given = {**_of(collection), "after": after, "limit": EVER if limit is None else limit + 1}
        changed = self._all(_CHANGED, **given)
        gone = self._all(_GONE, **given) if after > 0 else []
        lines: list[_News] = [(line.revision, line.name, Row(*line[:-1]) if line.there else None) for line in changed]
        lines += [(line.revision, line.name, None) for line in gone]
        ends = [found[-1].revision for found in (changed, gone) if limit is not None and len(found) > limit]
        return _cut(sorted(lines, key=itemgetter(0)), limit, Revision(min(ends, default=collection.last)))


def edges(window: tuple[datetime | None, datetime | None]) -> tuple[int, int]:
    """The window in microseconds."""
    start, end = window
    return -EVER if start is None else micros(start), EVER if end is None else micros(end)


_News = tuple[int, str, Row | None]


def _cut(lines: Iterable[_News], limit: int | None, known: Revision) -> tuple[dict[str, Row | None], Revision]:
    """As many names as the limit allows, and how far that reaches: at most to where the lines are `known`."""
    found: dict[str, Row | None] = {}
    reached = Revision(0)
    for revision, name, row in lines:
        if revision > known or (limit is not None and len(found) >= limit and name not in found):
            return found, min(reached, known)
        found[name] = row
        reached = Revision(revision)
    return found, known


def _of(collection: Collection) -> dict[str, Any]:
    return {"calendars": collection.calendars, "view": int(collection.view)}


def _rows(lines: Found) -> list[Row]:
    return [Row(*line) for line in lines]


def _sorted(lines: Found) -> list[Row]:
    return [Row(*line) for line in sorted(lines, key=itemgetter(0))]
