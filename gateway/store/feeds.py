"""Subscription feeds: which calendars they show, and which revision their bytes depend on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from gateway.errors import Missing
from gateway.model import CalendarId, Feed, FeedId, Level, Revision, Scope
from gateway.store.codec import maybe_instant, micros
from gateway.store.credentials import digest
from gateway.store.engine import Found
from gateway.store.reading import Reading
from gateway.store.writing import Writing

FEED_BY_TOKEN = text("""
    SELECT company, id, scope, of, label, level, past_days, future_days, alarm_minutes, revoked, last_fetched, last_agent
    FROM feed WHERE digest = :digest
""")
_FEEDS = text("""
    SELECT id, scope, of, label, level, past_days, future_days, alarm_minutes, revoked, last_fetched, last_agent
    FROM feed WHERE company = :company ORDER BY created, id
""")

# A change of who is shown is a revision too: of the staff member, the group or the company.
_OF_STAFF = text("""
    SELECT s.since, s.active AS shown, c.id, c.last
    FROM staff s JOIN calendar c ON c.company = s.company AND c.staff = s.id AND c.kind = 'appointments'
    WHERE s.company = :company AND s.id = :of
""")
_OF_GROUP = text("""
    SELECT t.since, s.active AS shown, c.id, c.last
    FROM team t
    LEFT JOIN member m ON m.company = t.company AND m.team = t.id
    LEFT JOIN staff s ON s.company = m.company AND s.id = m.staff
    LEFT JOIN calendar c ON c.company = s.company AND c.staff = s.id AND c.kind = 'appointments'
    WHERE t.company = :company AND t.id = :of
    ORDER BY c.id
""")
_OF_COMPANY = text("""
    SELECT o.view_since AS since, s.active AS shown, c.id, c.last
    FROM company o
    LEFT JOIN staff s ON s.company = o.id
    LEFT JOIN calendar c ON c.company = s.company AND c.staff = s.id AND c.kind = 'appointments'
    WHERE o.id = :company AND COALESCE(:of, '') = ''
    ORDER BY c.id
""")
_MEMBERS = {Scope.STAFF: _OF_STAFF, Scope.GROUP: _OF_GROUP, Scope.COMPANY: _OF_COMPANY}

_ADD = text("""
    INSERT INTO feed (company, id, scope, of, label, level, past_days, future_days, alarm_minutes, digest, sealed, created, revoked,
        last_fetched, last_agent)
    VALUES (:company, :id, :scope, :of, :label, :level, :past_days, :future_days, :alarm_minutes, :digest, :sealed, :created, :revoked,
        :last_fetched, :last_agent)
""")
_CHANGE = text("""
    UPDATE feed SET label = :label, level = :level, past_days = :past_days, future_days = :future_days, alarm_minutes = :alarm_minutes
    WHERE company = :company AND id = :id AND revoked IS NULL
""")
_SEALED = text("SELECT id, sealed FROM feed WHERE company = :company AND revoked IS NULL")
_REVOKE = text("UPDATE feed SET revoked = :at WHERE company = :company AND id = :id AND revoked IS NULL")
_FETCHED = text("UPDATE feed SET last_fetched = :at, last_agent = :agent WHERE company = :company AND id = :id")


class Feeds(Reading):
    """Feeds show the appointments of people who work here."""

    def feeds(self) -> Sequence[Feed]:
        """Revoked ones too, oldest first."""
        return [feed_from(*row) for row in self._all(_FEEDS)]

    def feed_tokens(self) -> dict[FeedId, bytes]:
        """The sealed token of each feed in force, for those who may be shown its address."""
        return {FeedId(row.id): bytes(row.sealed) for row in self._all(_SEALED)}

    def feed_members(self, feed: Feed) -> tuple[CalendarId, ...]:
        return tuple(CalendarId(row.id) for row in self._members(feed) if row.shown)

    def feed_revision(self, feed: Feed) -> Revision:
        """The newest revision that could change the feed's bytes."""
        rows = self._members(feed)
        return Revision(max((max(row.since, row.last if row.shown else 0) for row in rows), default=0))

    def _members(self, feed: Feed) -> Found:
        return self._all(_MEMBERS[feed.scope], of=feed.of or "")


class FeedKeeping(Writing):
    """No line of the log: nobody else's calendar changes."""

    def add_feed(self, feed: Feed, token: str, sealed: bytes, now: datetime) -> None:
        """The token is stored as a digest, and as the caller has sealed it. Raises Conflict when it leads to a feed already."""
        self._run(
            _ADD,
            id=feed.id,
            scope=feed.scope.value,
            of=feed.of,
            label=feed.label,
            level=feed.level.value,
            past_days=feed.past_days,
            future_days=feed.future_days,
            alarm_minutes=feed.alarm_minutes,
            digest=digest(token),
            sealed=sealed,
            created=micros(now),
            revoked=None if feed.revoked is None else micros(feed.revoked),
            last_fetched=None if feed.last_fetched is None else micros(feed.last_fetched),
            last_agent=feed.last_agent,
        )

    def change_feed(self, feed: Feed) -> None:
        """Its label, level, window and alarm are these from now on. Raises Missing when it was revoked."""
        changed = self._run(
            _CHANGE,
            id=feed.id,
            label=feed.label,
            level=feed.level.value,
            past_days=feed.past_days,
            future_days=feed.future_days,
            alarm_minutes=feed.alarm_minutes,
        )
        if not changed:
            raise Missing("There is no such feed any more.")

    def revoke_feed(self, id: FeedId, now: datetime) -> None:
        """For good, from now on; the first time counts."""
        self._run(_REVOKE, id=id, at=micros(now))

    def feed_fetched(self, id: FeedId, agent: str, now: datetime) -> None:
        self._run(_FETCHED, id=id, agent=agent, at=micros(now))


def feed_from(
    id: str,
    scope: str,
    of: str | None,
    label: str,
    level: str,
    past_days: int,
    future_days: int,
    alarm_minutes: int | None,
    revoked: int | None,
    last_fetched: int | None,
    last_agent: str,
) -> Feed:
    return Feed(
        id=FeedId(id),
        scope=Scope(scope),
        of=of,
        label=label,
        level=Level(level),
        past_days=past_days,
        future_days=future_days,
        alarm_minutes=alarm_minutes,
        revoked=maybe_instant(revoked),
        last_fetched=maybe_instant(last_fetched),
        last_agent=last_agent,
    )
