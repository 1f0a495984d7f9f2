"""What customers hold of their appointments: the key of the page their letters lead to, and what they answered there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from gateway.model import CompanyId, EntryId
from gateway.store.codec import maybe_instant, micros
from gateway.store.credentials import digest
from gateway.store.engine import Database
from gateway.store.reading import Reading
from gateway.store.values import Attendance
from gateway.store.writing import Writing

_BY_TOKEN = text("SELECT company, entry FROM attendance WHERE digest = :digest")
_ONE = text("SELECT sealed, partstat, version, answered FROM attendance WHERE company = :company AND entry = :entry")
_ADD = text("""
    INSERT INTO attendance (company, entry, digest, sealed, partstat, version) VALUES (:company, :entry, :digest, :sealed, '', 0)
""")
_ANSWER = text("""
    UPDATE attendance SET partstat = :partstat, version = :version, answered = :now WHERE company = :company AND entry = :entry
""")


class Attendances(Reading):
    """What customers hold."""

    def attendance(self, entry: EntryId) -> Attendance | None:
        row = self._one(_ONE, entry=entry)
        if row is None:
            return None
        return Attendance(sealed=row.sealed, partstat=row.partstat, version=row.version, answered=maybe_instant(row.answered))


class Attending(Writing, Attendances):
    """Handing out keys, and keeping answers."""

    def hand_out(self, entry: EntryId, token: str, sealed: bytes) -> None:
        """The key of an appointment, once for its life; only its digest can be looked up."""
        self._run(_ADD, entry=entry, digest=digest(token), sealed=sealed)

    def attend(self, entry: EntryId, partstat: str, version: int, now: datetime) -> None:
        """The customer's answer; a later one replaces it."""
        self._run(_ANSWER, entry=entry, partstat=partstat, version=version, now=micros(now))


def by_token(database: Database, token: str) -> tuple[CompanyId, EntryId] | None:
    """Whose appointment the key opens."""
    for row in database.ask(_BY_TOKEN, digest=digest(token)):
        return CompanyId(row.company), EntryId(row.entry)
    return None
