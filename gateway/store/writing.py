"""What every part of a transaction stands on: the way something is written, and the next line of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text

from gateway.model import Actor, Appointment, CalendarId, Change, Revision
from gateway.store.codec import maybe_entry_json, micros
from gateway.store.reading import Reading

NO_CALENDAR = CalendarId("")
"""In the log: what changed is a view, which belongs to no calendar."""

_CLOCK = text("UPDATE company SET revision = :revision WHERE id = :company")
_LINE = text("""
    INSERT INTO change (company, revision, calendar, entry, name, gone, appointment, version, before, after, who, door, at, reason,
        detail, proposal)
    VALUES (:company, :revision, :calendar, :entry, :name, :gone, :appointment, :version, :before, :after, :who, :door, :at, :reason,
        :detail, :proposal)
""")

_ADVANCE = text("""
    INSERT INTO reader (company, name, revision) VALUES (:company, :name, :revision)
    ON CONFLICT (company, name) DO UPDATE SET revision = excluded.revision WHERE reader.revision < excluded.revision
""")
_UNHEARD = text("""
    INSERT INTO unheard (company, revision, registration)
    SELECT :company, :revision, :registration WHERE EXISTS (SELECT 1 FROM registration WHERE company = :company)
""")


class Writing(Reading):
    """`wrote` tells whether there is anything to commit."""

    actor: Actor
    wrote: bool = False

    def advance(self, reader: str, to: Revision) -> None:
        """Move a reader's cursor; never backwards."""
        self._run(_ADVANCE, name=reader, revision=to)

    def _run(self, statement: TextClause, **given: Any) -> int:
        """How many rows it touched."""
        given["company"] = self.company.id
        count = self._connection.execute(statement, given).rowcount
        self.wrote = self.wrote or count > 0
        return count

    def _run_all(self, statement: TextClause, given: Sequence[Mapping[str, Any]]) -> None:
        """The same statement for each; nothing when there is none."""
        if given:
            self.wrote = True
            self._connection.execute(statement, [{**each, "company": self.company.id} for each in given])

    @property
    def _next(self) -> Revision:
        """The revision of the line that will be written next; nobody else can take it."""
        return Revision(self.revision + 1)

    def _line(self, change: Change) -> Change:
        """The company's clock moves here and nowhere else, together with the log: no revision without a line."""
        entry = change.after or change.before
        self._run(_CLOCK, revision=change.revision)
        self._run(
            _LINE,
            revision=change.revision,
            calendar=change.calendar,
            entry=change.entry,
            name=None if entry is None else entry.name,
            gone=int(entry is not None and change.after is None),
            appointment=int(isinstance(entry, Appointment)),
            version=change.after.version if isinstance(change.after, Appointment) else None,
            before=maybe_entry_json(change.before),
            after=maybe_entry_json(change.after),
            who=change.actor.who,
            door=change.actor.door,
            at=micros(change.at),
            reason=None if change.reason is None else change.reason.value,
            detail=change.detail,
            proposal=change.proposal,
        )
        for registration in sorted(change.actor.unheard):
            self._run(_UNHEARD, revision=change.revision, registration=registration)
        self.revision = change.revision
        return change

    def _line_without_entry(self, calendar: CalendarId, at: datetime) -> None:
        self._line(Change(revision=self._next, calendar=calendar, entry=None, before=None, after=None, actor=self.actor, at=at))
