"""Customers to be told, and the outbox: letters queued with the change they are about, claimed with a lease, sent or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text

from gateway.model import CompanyId, Entry, EntryId
from gateway.store.codec import instant, maybe_entry_from, maybe_entry_json, maybe_instant, micros
from gateway.store.credentials import fresh_id
from gateway.store.engine import Database
from gateway.store.lock import UNLOCKED
from gateway.store.reading import Reading
from gateway.store.values import Letter, Posted, Waiting
from gateway.store.writing import Writing

_AWAIT = text("""
    INSERT INTO notice (company, entry, base, due) VALUES (:company, :entry, :base, :due)
    ON CONFLICT (company, entry) DO UPDATE SET due = excluded.due
""")
_NOTICES_DUE = text("SELECT entry, base, due FROM notice WHERE company = :company AND due <= :now ORDER BY due, entry")
_NEXT_NOTICE = text("SELECT MIN(due) AS due FROM notice WHERE company = :company")
_NOTICE_DONE = text("DELETE FROM notice WHERE company = :company AND entry = :entry")
_QUEUE = text("""
    INSERT INTO letter (company, number, id, key, kind, recipient, message, entry, queued, due, fence, attempts, failure)
    SELECT :company, COALESCE(MAX(number), 0) + 1, :id, :key, :kind, :recipient, :message, :entry, :now, :now, 0, 0, ''
    FROM letter WHERE company = :company
    ON CONFLICT (company, key) DO NOTHING
""")
_LETTERS_OF = text("""
    SELECT kind, recipient, queued, sent, failed, attempts, failure FROM letter
    WHERE company = :company AND entry = :entry ORDER BY number
""")

NOTICES_DUE = text("SELECT DISTINCT company FROM notice WHERE due <= :now ORDER BY company")
NEXT_NOTICE = text("SELECT MIN(due) AS due FROM notice")

# The first letter about an entry that is neither sent nor given up; letters about nothing are all first.
CLAIMABLE = text(f"""
    SELECT l.company, l.number FROM letter l
    WHERE l.sent IS NULL AND l.failed IS NULL AND l.due <= :now AND {UNLOCKED} AND NOT EXISTS (
        SELECT 1 FROM letter o
        WHERE o.company = l.company AND o.entry = l.entry AND o.number < l.number AND o.sent IS NULL AND o.failed IS NULL
    )
    ORDER BY l.due, l.queued, l.company, l.number
    LIMIT :limit
""")  # noqa: S608 condition
CLAIMABLE_AT_ONCE = text(f"{CLAIMABLE.text.rstrip()}\n    FOR UPDATE OF l SKIP LOCKED\n")
_CLAIM = text("""
    UPDATE letter SET due = :until, fence = fence + 1, attempts = attempts + 1
    WHERE company = :company AND number = :number AND sent IS NULL AND failed IS NULL AND due <= :now
    RETURNING company, id, kind, recipient, message, queued, attempts, fence
""")
_SENT = text("""
    UPDATE letter SET sent = :now, message = :nothing
    WHERE company = :company AND id = :id AND fence = :fence AND sent IS NULL AND failed IS NULL
""")
_FAILED = text("""
    UPDATE letter SET due = :due, failed = :failed, failure = :failure
    WHERE company = :company AND id = :id AND fence = :fence AND sent IS NULL AND failed IS NULL
""")
NEXT_LETTER = text(f"""
    SELECT l.due FROM letter l
    WHERE l.sent IS NULL AND l.failed IS NULL AND {UNLOCKED} AND NOT EXISTS (
        SELECT 1 FROM letter o
        WHERE o.company = l.company AND o.entry = l.entry AND o.number < l.number AND o.sent IS NULL AND o.failed IS NULL
    )
    ORDER BY l.due
    LIMIT 1
""")  # noqa: S608 condition
OUTBOX = text("SELECT COUNT(*) AS waiting, MIN(queued) AS since FROM letter WHERE sent IS NULL AND failed IS NULL")


class Letters(Reading):
    """What became of letters."""

    def letters_of(self, entry: EntryId) -> Sequence[Posted]:
        """Oldest first."""
        return [_posted(*row) for row in self._all(_LETTERS_OF, entry=entry)]


class Posting(Writing):
    """What letters wait for, and queueing them: in the transaction of what they tell."""

    def await_notice(self, entry: EntryId, base: Entry | None, due: datetime) -> None:
        """The customer is to be told about `entry` at `due`; the first `base` (the state last told) stays, `due` moves."""
        self._run(_AWAIT, entry=entry, base=maybe_entry_json(base), due=micros(due))

    def notices_due(self, now: datetime) -> Sequence[tuple[EntryId, Entry | None, datetime]]:
        """By the hour they are due."""
        return [(EntryId(entry), maybe_entry_from(base), instant(due)) for entry, base, due in self._all(_NOTICES_DUE, now=micros(now))]

    def next_notice(self) -> datetime | None:
        row = self._one(_NEXT_NOTICE)
        return maybe_instant(row.due) if row is not None else None

    def notice_done(self, entry: EntryId) -> None:
        self._run(_NOTICE_DONE, entry=entry)

    def queue(self, letter: Letter, now: datetime) -> bool:
        """False when a letter with this key is already there, sent or not."""
        queued = self._run(
            _QUEUE,
            id=fresh_id(),
            key=letter.key,
            kind=letter.kind,
            recipient=letter.recipient,
            message=letter.message,
            entry=letter.entry,
            now=micros(now),
        )
        return queued == 1


def claim(database: Database, now: datetime, *, lease: timedelta, limit: int) -> Sequence[Waiting]:
    """Letters whose sending may begin, now taken by the caller for the time of the lease. Nobody waits for anybody."""
    given = {"now": micros(now), "until": micros(now + lease)}
    if not database.ask(CLAIMABLE, now=given["now"], limit=1):
        return []
    first = CLAIMABLE_AT_ONCE if database.postgresql else CLAIMABLE
    claimed: list[Waiting] = []
    with database.writing(first, {"now": given["now"], "limit": limit}) as (connection, found):
        for company, number in found:
            row = connection.execute(_CLAIM, {**given, "company": company, "number": number}).first()
            if row is not None:
                claimed.append(_waiting(*row))
        connection.commit()
    return claimed


def settle_sent(database: Database, letter: Waiting, now: datetime) -> bool:
    return _settle(database, _SENT, letter, now=micros(now), nothing=b"")


def settle_failed(database: Database, letter: Waiting, now: datetime, again: datetime | None, failure: str) -> bool:
    given_up = micros(now) if again is None else None
    return _settle(database, _FAILED, letter, due=micros(again or now), failed=given_up, failure=failure)


_BEGIN = text("SELECT 1")


def _settle(database: Database, statement: TextClause, letter: Waiting, **given: Any) -> bool:
    """Whether the claim still held."""
    with database.writing(_BEGIN, {}) as (connection, _):
        found = connection.execute(statement, {**given, "company": letter.company, "id": letter.id, "fence": letter.fence})
        connection.commit()
        return found.rowcount == 1


def _waiting(company: str, id: str, kind: str, recipient: str, message: bytes, queued: int, attempts: int, fence: int) -> Waiting:
    return Waiting(
        company=CompanyId(company),
        id=id,
        kind=kind,
        recipient=recipient,
        message=message,
        queued=instant(queued),
        attempts=attempts - 1,
        fence=fence,
    )


def _posted(kind: str, recipient: str, queued: int, sent: int | None, failed: int | None, attempts: int, failure: str) -> Posted:
    return Posted(
        kind=kind,
        recipient=recipient,
        queued=instant(queued),
        sent=maybe_instant(sent),
        failed=maybe_instant(failed),
        attempts=attempts,
        failure=failure,
    )
