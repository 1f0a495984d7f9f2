"""Questions that staff members are asked about what they did in their calendars, and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from gateway.model import CompanyId, EntryId, Span, StaffId
from gateway.store.codec import instant, maybe_instant, maybe_micros, micros
from gateway.store.credentials import digest, fresh_id
from gateway.store.engine import Database, Line
from gateway.store.reading import Reading
from gateway.store.values import Question
from gateway.store.writing import Writing

_FACTS = "id, entry, at, wish_start, wish_end, staff, asked, answered, answer"
_BY_TOKEN = text(f"SELECT company, {_FACTS} FROM question WHERE digest = :digest")  # noqa: S608 columns
_OPEN = text(f"""
    SELECT {_FACTS} FROM question WHERE company = :company AND staff = :staff AND answered IS NULL AND asked > :since ORDER BY asked, id
""")  # noqa: S608 columns
_ASK = text("""
    INSERT INTO question (company, id, entry, at, wish_start, wish_end, staff, digest, asked, answer)
    VALUES (:company, :id, :entry, :at, :wish_start, :wish_end, :staff, :digest, :now, '')
""")
_ANSWER = text("UPDATE question SET answered = :now, answer = :answer WHERE company = :company AND id = :id AND answered IS NULL")


class Questions(Reading):
    """What waits for an answer."""

    def open_questions(self, staff: StaffId, since: datetime) -> Sequence[Question]:
        """Asked after `since` and not answered, oldest first."""
        return [_question_from(row) for row in self._all(_OPEN, staff=staff, since=micros(since))]


class Asking(Writing, Questions):
    """Asking, and taking answers."""

    def ask(self, entry: EntryId, at: datetime | None, staff: StaffId, token: str, now: datetime, *, wish: Span | None = None) -> str:
        """A new question, about a deletion or about moving to `wish`; its id. The token is stored as a digest."""
        new = fresh_id()
        self._run(
            _ASK,
            id=new,
            entry=entry,
            at=maybe_micros(at),
            wish_start=maybe_micros(wish.start if wish else None),
            wish_end=maybe_micros(wish.end if wish else None),
            staff=staff,
            digest=digest(token),
            now=micros(now),
        )
        return new

    def answer(self, id: str, answer: str, now: datetime) -> bool:
        """Settle it; False when it was settled before."""
        return self._run(_ANSWER, id=id, answer=answer, now=micros(now)) == 1


def by_token(database: Database, token: str) -> tuple[CompanyId, Question] | None:
    """By what its page's address ends with; settled ones too."""
    for row in database.ask(_BY_TOKEN, digest=digest(token)):
        return CompanyId(row.company), _question_from(row)
    return None


def _question_from(row: Line) -> Question:
    start, end = maybe_instant(row.wish_start), maybe_instant(row.wish_end)
    return Question(
        id=row.id,
        entry=EntryId(row.entry),
        at=maybe_instant(row.at),
        wish=Span(start, end) if start is not None and end is not None else None,
        staff=StaffId(row.staff),
        asked=instant(row.asked),
        answered=maybe_instant(row.answered),
        answer=row.answer,
    )
