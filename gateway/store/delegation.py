"""Who may open whose calendars, and which calendars are published: what a home lets others see (steps/0002_homes)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from gateway.errors import Invalid
from gateway.model import CalendarId, Feed, FeedId, StaffId
from gateway.store.codec import micros
from gateway.store.engine import Line
from gateway.store.feeds import feed_from
from gateway.store.people import People
from gateway.store.reading import Reading
from gateway.store.values import Delegation
from gateway.store.writing import Writing

# Whoever has left opens nothing and is opened by nobody; the row stays for the day he comes back.
_DELEGATION = text("""
    SELECT d.owner, o.handle, d.delegate, d.may_write
    FROM staff o JOIN delegation d ON d.company = o.company AND d.owner = o.id
    WHERE o.company = :company AND o.handle_key = :key AND o.handle = :handle AND o.active = 1 AND d.delegate = :delegate
""")
_BY_OWNER = text("""
    SELECT d.owner, o.handle, d.delegate, d.may_write
    FROM delegation d
    JOIN staff o ON o.company = d.company AND o.id = d.owner
    JOIN staff s ON s.company = d.company AND s.id = d.delegate AND s.active = 1
    WHERE d.company = :company AND d.owner = :staff
    ORDER BY s.name, s.id
""")
_BY_DELEGATE = text("""
    SELECT d.owner, o.handle, d.delegate, d.may_write
    FROM delegation d JOIN staff o ON o.company = d.company AND o.id = d.owner AND o.active = 1
    WHERE d.company = :company AND d.delegate = :staff
    ORDER BY o.name, o.id
""")
_DELEGATE = text("""
    INSERT INTO delegation (company, owner, delegate, may_write, since) VALUES (:company, :owner, :delegate, :may_write, :now)
    ON CONFLICT (company, owner, delegate) DO UPDATE SET may_write = excluded.may_write, since = excluded.since
    WHERE delegation.may_write <> excluded.may_write
""")
_UNDELEGATE = text("DELETE FROM delegation WHERE company = :company AND owner = :owner AND delegate = :delegate")
_PUBLICATION = text("""
    SELECT f.sealed, f.id, f.scope, f.of, f.label, f.level, f.past_days, f.future_days, f.alarm_minutes, f.revoked, f.last_fetched,
        f.last_agent
    FROM publication p JOIN feed f ON f.company = p.company AND f.id = p.feed
    WHERE p.company = :company AND p.calendar = :calendar AND f.revoked IS NULL
""")
_PUBLISH = text("""
    INSERT INTO publication (company, calendar, feed) VALUES (:company, :calendar, :feed)
    ON CONFLICT (company, calendar) DO UPDATE SET feed = excluded.feed
""")


class Sharing(Reading):
    """What others may see of a home. A delegation lets one member of the staff open all calendars of another one."""

    def delegation(self, handle: str, delegate: StaffId) -> Delegation | None:
        """Whether the delegate may open the home of whoever has that handle: one question, the same work whatever the answer is."""
        row = self._one(_DELEGATION, handle=handle, key=handle.casefold(), delegate=delegate)
        return _delegation_from(row) if row is not None else None

    def delegates(self, owner: StaffId) -> Sequence[Delegation]:
        """Who may open the owner's calendars, by name."""
        return [_delegation_from(row) for row in self._all(_BY_OWNER, staff=owner)]

    def delegated_to(self, delegate: StaffId) -> Sequence[Delegation]:
        """Whose calendars the delegate may open, by the owner's name."""
        return [_delegation_from(row) for row in self._all(_BY_DELEGATE, staff=delegate)]

    def publication(self, calendar: CalendarId) -> tuple[Feed, bytes] | None:
        """The feed a calendar is published by, and its sealed token; None when it is not published, or the feed was revoked."""
        row = self._one(_PUBLICATION, calendar=calendar)
        return (feed_from(*row[1:]), bytes(row[0])) if row is not None else None


class Delegating(Writing, People, Sharing):
    """No line of the log: what the calendars hold stays as it is."""

    def delegate(self, owner: StaffId, delegate: StaffId, now: datetime, *, write: bool) -> None:
        """Let the delegate open the owner's calendars; again: with these rights from now on. Raises Missing, and Invalid for oneself."""
        if owner == delegate:
            raise Invalid("Everybody may open his own calendars already.")
        self.staff(owner)
        self.staff(delegate)
        self._run(_DELEGATE, owner=owner, delegate=delegate, may_write=int(write), now=micros(now))

    def undelegate(self, owner: StaffId, delegate: StaffId) -> bool:
        """Effective with the delegate's next request; False when there was nothing to end."""
        return self._run(_UNDELEGATE, owner=owner, delegate=delegate) == 1

    def publish(self, calendar: CalendarId, feed: FeedId) -> None:
        """The calendar is published by that feed, which was added before."""
        self._run(_PUBLISH, calendar=calendar, feed=feed)


def _delegation_from(row: Line) -> Delegation:
    return Delegation(owner=StaffId(row.owner), handle=row.handle, delegate=StaffId(row.delegate), write=bool(row.may_write))
