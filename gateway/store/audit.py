"""The record of what people changed that is no calendar entry: settings, feeds, credentials. Lines are added, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text

from gateway.store.codec import instant, micros
from gateway.store.reading import Reading
from gateway.store.writing import Writing
from gateway.users import Deed

_ADD = text("""
    INSERT INTO audit (company, number, at, who, door, what, subject, before, after)
    SELECT :company, COALESCE(MAX(number), 0) + 1, :at, :who, :door, :what, :subject, :before, :after FROM audit WHERE company = :company
""")
_LINES = text("""
    SELECT number, at, who, door, what, subject, before, after FROM audit
    WHERE company = :company AND at < :before_at AND (:what = '' OR what = :what) AND (:subject = '' OR subject = :subject)
    ORDER BY at DESC, number DESC LIMIT :limit
""")


class Audits(Reading):
    """What was changed, by whom, through which door."""

    def deeds(self, *, before: datetime, limit: int, what: str = "", subject: str = "") -> Sequence[Deed]:
        """The newest first, older than `before`."""
        rows = self._all(_LINES, before_at=micros(before), limit=limit, what=what, subject=subject)
        return [
            Deed(
                number=row.number,
                at=instant(row.at),
                who=row.who,
                door=row.door,
                what=row.what,
                subject=row.subject,
                before=json.loads(row.before),
                after=json.loads(row.after),
            )
            for row in rows
        ]


class Auditing(Writing, Audits):
    """In the transaction of what it records: nothing is done without its line, and no line tells what was not done."""

    def audit(self, what: str, subject: str, before: Mapping[str, object], after: Mapping[str, object], now: datetime) -> None:
        """Add a line. `before` and `after` are JSON-ready facts, without secrets; only what differs is kept of them."""
        differs = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        self._run(
            _ADD,
            at=micros(now),
            who=self.actor.who,
            door=self.actor.door,
            what=what,
            subject=subject,
            before=json.dumps({name: before[name] for name in sorted(differs & set(before))}),
            after=json.dumps({name: after[name] for name in sorted(differs & set(after))}),
        )
