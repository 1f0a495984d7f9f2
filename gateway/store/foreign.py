"""Busy times from elsewhere, and the external iCalendar addresses that some of them come from. Only times are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text

from gateway.errors import Missing
from gateway.links import Source
from gateway.model import CompanyId, Span, StaffId
from gateway.store.codec import instant, maybe_instant, maybe_micros, micros, written
from gateway.store.engine import Database
from gateway.store.linked import said
from gateway.store.lock import UNLOCKED
from gateway.store.reading import Reading
from gateway.store.writing import Writing

_LENGTHY = timedelta(days=2)
"""As with instances: all others that reach into a window start at most two days before it, however many there are."""

_BUSY = text("""
    SELECT starts, ends FROM foreign_busy
    WHERE company = :company AND staff = :staff AND lengthy = 0 AND starts >= :earliest AND starts < :before AND ends > :after
    UNION ALL
    SELECT starts, ends FROM foreign_busy
    WHERE company = :company AND staff = :staff AND lengthy = 1 AND starts < :before AND ends > :after
    ORDER BY 1, 2
""")
_TIMES = text("""
    SELECT starts, ends FROM foreign_busy
    WHERE company = :company AND staff = :staff AND origin = :origin AND ends > :after ORDER BY starts, ends
""")
_ORIGINS = text("SELECT origin, confirmed FROM origin WHERE company = :company AND staff = :staff ORDER BY origin")
_SOURCE = text("""
    SELECT etag, modified, digest, due, fetched, failing, trouble, warnings, zone, events, shrunk, taken, tentative, elsewhere
    FROM source WHERE company = :company AND staff = :staff
""")
_SOURCES = text("SELECT staff FROM source WHERE company = :company ORDER BY staff")
_ADDRESS = text("SELECT sealed FROM source WHERE company = :company AND staff = :staff")
_DUE = text(f"SELECT company, staff FROM source WHERE due <= :now AND {UNLOCKED} ORDER BY due, company, staff LIMIT :limit")  # noqa: S608
_NEXT = text(f"SELECT MIN(due) AS due FROM source WHERE {UNLOCKED}")  # noqa: S608 condition

_CONFIRM = text("""
    INSERT INTO origin (company, staff, origin, confirmed) VALUES (:company, :staff, :origin, :now)
    ON CONFLICT (company, staff, origin) DO UPDATE SET confirmed = excluded.confirmed
""")
_CLEAR = text("DELETE FROM foreign_busy WHERE company = :company AND staff = :staff AND origin = :origin")
_FORGET = text("DELETE FROM origin WHERE company = :company AND staff = :staff AND origin = :origin")
_ADD = text("""
    INSERT INTO foreign_busy (company, staff, origin, number, lengthy, starts, ends)
    VALUES (:company, :staff, :origin, :number, :lengthy, :starts, :ends)
""")
_SAVE = text("""
    UPDATE source SET etag = :etag, modified = :modified, digest = :digest, due = :due, fetched = :fetched, failing = :failing,
        trouble = :trouble, warnings = :warnings, zone = :zone, events = :events, shrunk = :shrunk, taken = :taken,
        tentative = :tentative, elsewhere = :elsewhere
    WHERE company = :company AND staff = :staff
""")
_SAVE_ALL = text("""
    INSERT INTO source (company, staff, sealed, etag, modified, digest, due, fetched, failing, trouble, warnings, zone, events, shrunk,
        taken, tentative, elsewhere)
    VALUES (:company, :staff, :sealed, :etag, :modified, :digest, :due, :fetched, :failing, :trouble, :warnings, :zone, :events, :shrunk,
        :taken, :tentative, :elsewhere)
    ON CONFLICT (company, staff) DO UPDATE SET sealed = excluded.sealed, etag = excluded.etag, modified = excluded.modified,
        digest = excluded.digest, due = excluded.due, fetched = excluded.fetched, failing = excluded.failing, trouble = excluded.trouble,
        warnings = excluded.warnings, zone = excluded.zone, events = excluded.events, shrunk = excluded.shrunk, taken = excluded.taken,
        tentative = excluded.tentative, elsewhere = excluded.elsewhere
""")
_REMOVE = text("DELETE FROM source WHERE company = :company AND staff = :staff")

ICS = "ics"
"""The origin of busy times from an external iCalendar address."""


class Foreign(Reading):
    """When staff members are busy elsewhere."""

    def foreign_busy(self, staff: StaffId, window: Span) -> Sequence[Span]:
        """Times that overlap the window, from every origin, in order; neither merged nor clipped."""
        found = self._all(
            _BUSY,
            staff=staff,
            earliest=micros(window.start - _LENGTHY),
            before=micros(window.end),
            after=micros(window.start),
        )
        return [Span(instant(row.starts), instant(row.ends)) for row in found]

    def foreign_times(self, staff: StaffId, origin: str, after: datetime) -> Sequence[Span]:
        """What is known of one origin and ends after that, in order."""
        found = self._all(_TIMES, staff=staff, origin=origin, after=micros(after))
        return [Span(instant(row.starts), instant(row.ends)) for row in found]

    def foreign_origins(self, staff: StaffId) -> dict[str, datetime]:
        """Where busy times come from, and when each was last confirmed: what is older may have changed since."""
        return {row.origin: instant(row.confirmed) for row in self._all(_ORIGINS, staff=staff)}

    def source(self, staff: StaffId) -> Source | None:
        """How reading the staff member's external address went."""
        row = self._one(_SOURCE, staff=staff)
        if row is None:
            return None
        return Source(
            staff=staff,
            etag=row.etag,
            modified=row.modified,
            digest=row.digest,
            due=instant(row.due),
            fetched=maybe_instant(row.fetched),
            failing=maybe_instant(row.failing),
            trouble=row.trouble,
            warnings=tuple(json.loads(row.warnings)),
            zone=row.zone,
            events=row.events,
            shrunk=maybe_instant(row.shrunk),
            taken=maybe_instant(row.taken),
            tentative=None if row.tentative is None else bool(row.tentative),
            elsewhere=None if row.elsewhere is None else bool(row.elsewhere),
        )

    def sources(self) -> Sequence[StaffId]:
        """Who has an external address."""
        return [StaffId(row.staff) for row in self._all(_SOURCES)]

    def source_address(self, staff: StaffId) -> bytes:
        """Sealed. Raises Missing."""
        return bytes(self._sure("There is no external calendar.", _ADDRESS, staff=staff).sealed)


class Importing(Writing, Foreign):
    """No line of the log: what the booking calendar holds stays as it is."""

    def put_busy(self, staff: StaffId, origin: str, spans: Sequence[Span], now: datetime) -> None:
        """These are the origin's busy times from now on, all of them."""
        self._run(_CONFIRM, staff=staff, origin=origin, now=micros(now))
        self._run(_CLEAR, staff=staff, origin=origin)
        self._run_all(
            _ADD,
            [
                {
                    "staff": staff,
                    "origin": origin,
                    "number": number,
                    "lengthy": int(span.length > _LENGTHY),
                    "starts": micros(span.start),
                    "ends": micros(span.end),
                }
                for number, span in enumerate(spans)
            ],
        )

    def confirm_busy(self, staff: StaffId, origin: str, now: datetime) -> None:
        """What is known of the origin still holds."""
        self._run(_CONFIRM, staff=staff, origin=origin, now=micros(now))

    def forget_busy(self, staff: StaffId, origin: str) -> None:
        """The origin is none any more; its times block nobody."""
        self._run(_FORGET, staff=staff, origin=origin)

    def save_source(self, source: Source, address: bytes | None = None) -> None:
        """How reading went; with a sealed address, a new one for the staff member. Raises Missing when there is none."""
        given = {
            "staff": source.staff,
            "etag": source.etag,
            "modified": source.modified,
            "digest": source.digest,
            "due": micros(source.due),
            "fetched": maybe_micros(source.fetched),
            "failing": maybe_micros(source.failing),
            "trouble": said(source.trouble),
            "warnings": written([said(each) for each in source.warnings]),
            "zone": source.zone,
            "events": source.events,
            "shrunk": maybe_micros(source.shrunk),
            "taken": maybe_micros(source.taken),
            "tentative": None if source.tentative is None else int(source.tentative),
            "elsewhere": None if source.elsewhere is None else int(source.elsewhere),
        }
        if address is not None:
            self._run(_SAVE_ALL, sealed=address, **given)
        elif not self._run(_SAVE, **given):
            raise Missing("There is no external calendar any more.")

    def remove_source(self, staff: StaffId) -> None:
        """With its busy times."""
        self._run(_REMOVE, staff=staff)
        self.forget_busy(staff, ICS)


def sources_due(database: Database, now: datetime, limit: int) -> Sequence[tuple[CompanyId, StaffId]]:
    """The longest due first."""
    return [(CompanyId(row.company), StaffId(row.staff)) for row in database.ask(_DUE, now=micros(now), limit=limit)]


def next_source(database: Database) -> datetime | None:
    [(due,)] = database.ask(_NEXT)
    return maybe_instant(due)
