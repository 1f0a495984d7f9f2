"""Devices whose time to be told has come: claimed with a lease, as letters are, and settled; and our key for push services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text

from gateway.model import CompanyId, Revision, StaffId
from gateway.store.codec import instant, maybe_instant, micros
from gateway.store.engine import Database, Line
from gateway.store.lock import UNLOCKED
from gateway.store.values import Push, Settled

# Whoever has left, or has revoked the app password the device came with, is told nothing any more, from that moment on.
_IN_FORCE = """
    EXISTS (SELECT 1 FROM staff s WHERE s.company = r.company AND s.id = r.staff AND s.active = 1)
    AND NOT EXISTS (SELECT 1 FROM app_password p WHERE p.company = r.company AND p.id = r.credential AND p.revoked IS NOT NULL)
"""


def _text(statement: str) -> TextClause:
    """IN_FORCE and UNLOCKED in it stand for that."""
    return text(statement.replace("IN_FORCE", _IN_FORCE).replace("UNLOCKED", UNLOCKED))


CLAIMABLE = _text("""
    SELECT r.company, r.id FROM registration r
    WHERE r.due IS NOT NULL AND r.due <= :now AND r.expires > :now AND UNLOCKED AND IN_FORCE
    ORDER BY r.due, r.company, r.id
    LIMIT :limit
""")
CLAIMABLE_AT_ONCE = text(f"{CLAIMABLE.text.rstrip()}\n    FOR UPDATE OF r SKIP LOCKED\n")
_CLAIM = text("""
    UPDATE registration SET due = :until, fence = fence + 1, attempts = attempts + 1
    WHERE company = :company AND id = :id AND due <= :now
    RETURNING company, id, staff, owner, slug, topic, sealed, contents_at, properties_at, told, attempts, failing, refused, fence
""")
NEXT = _text("SELECT MIN(r.due) AS due FROM registration r WHERE r.due IS NOT NULL AND r.expires > :now AND UNLOCKED AND IN_FORCE")

# What came while the message was on its way is told in a next one.
_TOLD = text("""
    UPDATE registration SET told = :upto, attempts = 0, failing = NULL, rests_until = :rests,
        refused = CASE WHEN :refused = 1 THEN refused + 1 ELSE 0 END,
        contents_at = CASE WHEN contents_at > :upto THEN contents_at END,
        properties_at = CASE WHEN properties_at > :upto THEN properties_at END,
        due = CASE WHEN contents_at > :upto OR properties_at > :upto THEN :rests END
    WHERE company = :company AND id = :id AND fence = :fence
""")
_LATER = text("""
    UPDATE registration SET due = :again, failing = CASE WHEN :failed = 1 THEN COALESCE(failing, :now) ELSE failing END,
        attempts = CASE WHEN :failed = 1 THEN attempts ELSE attempts - 1 END
    WHERE company = :company AND id = :id AND fence = :fence
""")
_FORGOTTEN = text("DELETE FROM registration WHERE company = :company AND id = :id AND fence = :fence")

_OVER = _text("SELECT r.company, r.id FROM registration r WHERE r.expires <= :now OR NOT (IN_FORCE) LIMIT :limit")
_CLEAR = text("DELETE FROM registration WHERE company = :company AND id = :id")
_LEFT_BEHIND = text("SELECT 1 FROM unheard u WHERE NOT EXISTS (SELECT 1 FROM registration r WHERE r.company = u.company) LIMIT 1")
_CLEAR_UNHEARD = text("DELETE FROM unheard WHERE NOT EXISTS (SELECT 1 FROM registration r WHERE r.company = unheard.company)")

BEHIND = text("""
    SELECT c.id, c.revision - COALESCE(k.revision, 0) AS lag FROM company c
    LEFT JOIN reader k ON k.company = c.id AND k.name = :reader
    WHERE c.revision > COALESCE(k.revision, 0) AND EXISTS (SELECT 1 FROM registration r WHERE r.company = c.id)
    ORDER BY c.id
""")

_KEY = text("SELECT sealed FROM vapid")
_KEEP_KEY = text("INSERT INTO vapid (one, sealed) VALUES (1, :sealed) ON CONFLICT (one) DO NOTHING")
_BEGIN = text("SELECT 1")


def key(database: Database, make: Callable[[], bytes]) -> bytes:
    """Our key, sealed; made once, whoever of several processes comes first."""
    if not (rows := database.ask(_KEY)):
        _do(database, [(_KEEP_KEY, {"sealed": make()})])
        rows = database.ask(_KEY)
    return bytes(rows[0].sealed)


def claim(database: Database, now: datetime, *, lease: timedelta, limit: int) -> Sequence[Push]:
    """Devices to be told, now taken by the caller for the time of the lease. Nobody waits for anybody."""
    given = {"now": micros(now), "until": micros(now + lease)}
    if not database.ask(CLAIMABLE, now=given["now"], limit=1):
        return []
    first = CLAIMABLE_AT_ONCE if database.postgresql else CLAIMABLE
    claimed: list[Push] = []
    with database.writing(first, {"now": given["now"], "limit": limit}) as (connection, found):
        for company, device in found:
            row = connection.execute(_CLAIM, {**given, "company": company, "id": device}).first()
            if row is not None:
                claimed.append(_push(row))
        connection.commit()
    return claimed


def settle(database: Database, ends: Sequence[Settled], now: datetime, rests: datetime) -> None:
    """Note what became of pushes; of one whose claim was lost nothing is noted."""
    _do(database, [_settlement(end, now, rests) for end in ends])


def clear(database: Database, now: datetime, *, limit: int = 500) -> int:
    """Forget devices whose time is over; how many were found, at most `limit`."""
    over = database.ask(_OVER, now=micros(now), limit=limit)
    steps: list[tuple[TextClause, dict[str, Any]]] = [(_CLEAR, {"company": company, "id": device}) for company, device in over]
    if database.ask(_LEFT_BEHIND):
        steps.append((_CLEAR_UNHEARD, {}))
    _do(database, steps)
    return len(over)


def _do(database: Database, steps: Sequence[tuple[TextClause, dict[str, Any]]]) -> None:
    if not steps:
        return
    with database.writing(_BEGIN, {}) as (connection, _):
        for statement, given in steps:
            connection.execute(statement, given)
        connection.commit()


def _settlement(end: Settled, now: datetime, rests: datetime) -> tuple[TextClause, dict[str, Any]]:
    which: dict[str, Any] = {"company": end.push.company, "id": end.push.id, "fence": end.push.fence}
    if end.upto is not None:
        return _TOLD, {**which, "upto": end.upto, "refused": int(end.refused), "rests": micros(rests)}
    if end.again is not None:
        return _LATER, {**which, "again": micros(end.again), "now": micros(now), "failed": int(end.failed)}
    return _FORGOTTEN, which


def _push(row: Line) -> Push:
    return Push(
        company=CompanyId(row.company),
        id=row.id,
        staff=StaffId(row.staff),
        owner=StaffId(row.owner),
        slug=row.slug,
        topic=row.topic,
        sealed=bytes(row.sealed),
        contents=row.contents_at is not None,
        properties=row.properties_at is not None,
        told=Revision(row.told),
        attempts=row.attempts - 1,
        failing=maybe_instant(row.failing),
        refused=row.refused,
        fence=row.fence,
    )


def due(rows: Sequence[Line]) -> datetime | None:
    """What NEXT found."""
    return next((instant(row.due) for row in rows if row.due is not None), None)
