"""Writing entries and calendars: each time one line of the log, under one revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from gateway.errors import Conflict, Missing, Reason, Refused
from gateway.model import (
    Appointment,
    Calendar,
    CalendarId,
    CalendarKind,
    Change,
    Entry,
    EntryId,
    Occurrence,
    Personal,
    Shape,
    Span,
    StaffId,
    Status,
)
from gateway.store.codec import entry_json, maybe_micros, micros, properties_from, written
from gateway.store.entries import held_from
from gateway.store.homes import worn_as
from gateway.store.listing import LENGTHY
from gateway.store.snapshot import Snapshot
from gateway.store.values import Collection, Held
from gateway.store.writing import NO_CALENDAR, Writing

_TAKEN = text("""
    SELECT name, uid FROM entry WHERE company = :company AND calendar = :calendar AND uid = :uid
    UNION ALL
    SELECT name, uid FROM entry WHERE company = :company AND calendar = :calendar AND name = :name
""")
_INSERT = text("""
    INSERT INTO entry (company, id, calendar, name, uid, component, appointment, version, shown, team, busy, undated, revision,
        indexed_until, floor, ceil)
    VALUES (:company, :id, :calendar, :name, :uid, :component, :appointment, :version, :shown, :team, :busy, :undated, :revision,
        :indexed_until, :floor, :ceil)
""")
_UPDATE = text("""
    UPDATE entry SET uid = :uid, component = :component, appointment = :appointment, version = :version, shown = :shown, team = :team,
        busy = :busy, undated = :undated, revision = :revision, indexed_until = :indexed_until, floor = :floor, ceil = :ceil
    WHERE company = :company AND id = :id AND calendar = :calendar AND name = :name
""")
_CONTENT = text("""
    INSERT INTO content (company, entry, body, text, team_text) VALUES (:company, :id, :body, :text, :team_text)
    ON CONFLICT (company, entry) DO UPDATE SET body = excluded.body, text = excluded.text, team_text = excluded.team_text
""")
_REINDEX = text("""
    UPDATE entry SET busy = :busy, undated = :undated, indexed_until = :indexed_until, floor = :floor, ceil = :ceil
    WHERE company = :company AND id = :id
""")
_DELETE = text("DELETE FROM entry WHERE company = :company AND id = :id AND calendar = :calendar AND name = :name")
_INSTANCES = text("""
    SELECT at, lengthy, starts, ends, busy, tentative, occupied_lengthy, occupied_from, occupied_to FROM instance
    WHERE company = :company AND entry = :entry ORDER BY number
""")
_NO_INSTANCES = text("DELETE FROM instance WHERE company = :company AND entry = :entry")
_INSTANCE = text("""
    INSERT INTO instance (company, entry, number, calendar, at, lengthy, starts, ends, busy, tentative, occupied_lengthy, occupied_from,
        occupied_to)
    VALUES (:company, :entry, :number, :calendar, :at, :lengthy, :starts, :ends, :busy, :tentative, :occupied_lengthy, :occupied_from,
        :occupied_to)
""")
_TOUCH = text("UPDATE calendar SET last = :revision WHERE company = :company AND id = :calendar")
_MAKE_CALENDAR = text("""
    INSERT INTO calendar (company, id, staff, slug, kind, components, last, created)
    VALUES (:company, :id, :staff, :slug, :kind, :components, :revision, :revision)
""")
_DROP_CALENDAR = text("DELETE FROM calendar WHERE company = :company AND id = :calendar")
_ENTRIES_OF = text("""
    SELECT t.body, e.revision, t.text FROM entry e JOIN content t ON t.company = e.company AND t.entry = e.id
    WHERE e.company = :company AND e.calendar = :calendar ORDER BY e.name
""")
_LOOKS = text("SELECT properties FROM looks WHERE company = :company AND viewer = :viewer AND slug = :slug")
_DRESS = text("""
    INSERT INTO looks (company, viewer, slug, properties, last) VALUES (:company, :viewer, :slug, :properties, :revision)
    ON CONFLICT (company, viewer, slug) DO UPDATE SET properties = excluded.properties, last = excluded.last
""")
_UNDRESS = text("DELETE FROM looks WHERE company = :company AND (viewer = :viewer AND slug = :slug OR slug = :viewer || '/' || :slug)")
_INDEXED_BEFORE = text("""
    SELECT t.body, e.revision, t.text FROM entry e JOIN content t ON t.company = e.company AND t.entry = e.id
    WHERE e.company = :company AND e.indexed_until IS NOT NULL AND e.indexed_until < :until
        AND (e.ceil IS NULL OR e.ceil > e.indexed_until) AND e.shown = 1
        AND e.id > :after
    ORDER BY e.id
    LIMIT :limit
""")

_ENDLESS = datetime(9999, 12, 31, tzinfo=UTC)
_COLUMNS = ("at", "lengthy", "starts", "ends", "busy", "tentative", "occupied_lengthy", "occupied_from", "occupied_to")


class Recording(Writing, Snapshot):
    """The only place where entries, calendars and their looks change."""

    _looked_up: tuple[CalendarId, str, Held | None] | None = None  # whoever changes an entry has looked it up before, as the desk does

    def held(self, calendar: CalendarId, name: str) -> Held | None:
        if self._looked_up is None or self._looked_up[:2] != (calendar, name):
            self._looked_up = calendar, name, super().held(calendar, name)
        return self._looked_up[2]

    def record(
        self,
        before: Entry | None,
        after: Entry | None,
        shape: Shape | None,
        at: datetime,
        *,
        reason: Reason | None = None,
        detail: str = "",
        proposal: str = "",
    ) -> Change:
        """Write an entry and its log line: the only way to write an entry. `shape` belongs to `after` (None when it is gone).

        before == after is allowed: the entry gets a new ETag (a touch). Raises Conflict when the name or the UID is taken in the
        calendar (also by a cancelled appointment), or when `before` is no longer there, and Missing for an unknown calendar.
        """
        self._looked_up = None
        entry = after or before
        if entry is None or (after is None) != (shape is None):
            raise ValueError("an entry is written with its shape, and gone without")
        if before is not None and (before.id, before.calendar, before.name) != (entry.id, entry.calendar, entry.name):
            raise ValueError("an entry keeps its id, calendar and name")
        if after is not None and (before is None or before.uid != after.uid):
            self._must_be_free(before, after)
        if before is None:
            self._touch(entry.calendar)
        if after is None or shape is None:
            self._found(self._run(_DELETE, id=entry.id, calendar=entry.calendar, name=entry.name))
        else:
            self._keep(before, after, shape)
        if before is not None:
            self._touch(entry.calendar)
        return self._line(
            Change(
                revision=self._next,
                calendar=entry.calendar,
                entry=entry.id,
                before=before,
                after=after,
                actor=self.actor,
                at=at,
                reason=reason,
                detail=detail,
                proposal=proposal,
            )
        )

    def put_calendar(self, calendar: Calendar, at: datetime) -> None:
        """Make it (a log line without entry). Raises Conflict when the slug is taken in that home."""
        if any(calendar.slug == each.slug for each in self.calendars(calendar.staff)):
            raise Conflict("There is a calendar of this name already.")
        self._make_calendar(calendar, at)

    def drop_calendar(self, calendar: CalendarId, at: datetime) -> None:
        """A personal calendar, its entries (their log lines first) and its looks go away. Raises Missing; Refused for appointments."""
        known = self.calendar(calendar)
        if known.kind is CalendarKind.APPOINTMENTS:
            raise Refused(Reason.NOT_YOURS, "The calendar of appointments belongs to the platform.")
        for row in self._all(_ENTRIES_OF, calendar=calendar):
            self.record(held_from(row).entry, None, None, at)
        self._run(_UNDRESS, viewer=known.staff, slug=known.slug)
        self._run(_DROP_CALENDAR, calendar=calendar)
        self._known.pop(("calendar", calendar), None)
        self._line_without_entry(calendar, at)

    def set_properties(self, viewer: StaffId, collection: Collection, properties: Mapping[str, str | None], at: datetime) -> None:
        """Dead properties of one viewer; None removes. Changes the CTag of that collection, unless it looks like that already."""
        slug = worn_as(collection.owner, viewer, collection.slug)
        row = self._one(_LOOKS, viewer=viewer, slug=slug)
        worn = properties_from(row.properties if row is not None else None)
        wished = {name: value for name, value in {**worn, **properties}.items() if value is not None}
        if wished == worn:
            return
        self._run(_DRESS, viewer=viewer, slug=slug, properties=written(wished), revision=self._next)
        self._line_without_entry(NO_CALENDAR if collection.view else collection.calendars[0], at)

    def indexed_before(self, until: datetime, *, limit: int, after: EntryId | None = None) -> Sequence[Held]:
        """Entries with more instances whose `indexed_until` lies before that instant, in the order of ids; those after an id."""
        return [held_from(row) for row in self._all(_INDEXED_BEFORE, until=micros(until), limit=limit, after=after or "")]

    def reindex(self, entry: EntryId, shape: Shape) -> None:
        """Replace the entry's instances and `indexed_until`; text and revision stay. No log line: no client could see it."""
        held = self.held_by_id(entry)
        if held is None:
            raise Missing("There is no such entry.")
        self._run(_REINDEX, id=entry, **_index(held.entry, shape))
        self._keep_instances(held.entry, shape)

    def _make_calendar(self, calendar: Calendar, at: datetime) -> None:
        self._run(
            _MAKE_CALENDAR,
            id=calendar.id,
            staff=calendar.staff,
            slug=calendar.slug,
            kind=calendar.kind.value,
            components=",".join(calendar.components),
            revision=self._next,
        )
        self._line_without_entry(calendar.id, at)

    def _must_be_free(self, before: Entry | None, after: Entry) -> None:
        """Nothing of the same UID or name; what has the same name as before is the entry itself."""
        for name, uid in self._all(_TAKEN, calendar=after.calendar, uid=after.uid, name=after.name):
            if uid == after.uid:
                raise Conflict("Another object of this calendar has the same UID.", condition="no-uid-conflict", href=name)
            if before is None:
                raise Conflict("This name is taken by another object of the calendar.", href=name)

    def _keep(self, before: Entry | None, after: Entry, shape: Shape) -> None:
        shown = not _cancelled(after)
        facts = {
            "id": after.id,
            "calendar": after.calendar,
            "name": after.name,
            "uid": after.uid,
            "component": after.component if isinstance(after, Personal) else "VEVENT",
            "appointment": int(isinstance(after, Appointment)),
            "version": after.version if isinstance(after, Appointment) else None,
            "shown": int(shown),
            "team": int(shown and isinstance(after, Appointment) and shape.team_text != ""),
            "revision": self._next,
            **_index(after, shape),
        }
        self._found(self._run(_INSERT if before is None else _UPDATE, **facts))
        self._run(_CONTENT, id=after.id, body=entry_json(after, text=shape.text), text=shape.text, team_text=shape.team_text)
        self._keep_instances(after, shape, new=before is None)

    def _keep_instances(self, entry: Entry, shape: Shape, *, new: bool = False) -> None:
        """Most changes move none of them."""
        instances = [_instance(entry, each) for each in _occurrences(entry, shape)]
        if not new:
            if [tuple(row) for row in self._all(_INSTANCES, entry=entry.id)] == instances:
                return
            self._run(_NO_INSTANCES, entry=entry.id)
        self._run_all(
            _INSTANCE,
            [
                {"entry": entry.id, "calendar": entry.calendar, "number": number, **dict(zip(_COLUMNS, instance, strict=True))}
                for number, instance in enumerate(instances)
            ],
        )

    def _touch(self, calendar: CalendarId) -> None:
        if not self._run(_TOUCH, calendar=calendar, revision=self._next):
            raise Missing("There is no such calendar.")
        self._known.pop(("calendar", calendar), None)

    @staticmethod
    def _found(rows: int) -> None:
        if rows != 1:
            raise Conflict("The entry is no longer what it was.")


def _cancelled(entry: Entry) -> bool:
    return isinstance(entry, Appointment) and entry.status is Status.CANCELLED


def _occurrences(entry: Entry, shape: Shape) -> Sequence[Occurrence]:
    """A cancelled appointment takes place nowhere, yet those who list cancelled ones look for it where it would have been."""
    if isinstance(entry, Appointment) and entry.status is Status.CANCELLED and not shape.occurrences:
        whole = Span(shape.floor or entry.span.start, shape.ceil or _ENDLESS)
        return [Occurrence(entry.span.start, whole, whole, False)]
    return shape.occurrences


def _index(entry: Entry, shape: Shape) -> dict[str, Any]:
    blocks = any(each.busy for each in shape.occurrences) or not shape.occurrences
    return {
        "busy": int(blocks and not _cancelled(entry)),
        "undated": int(shape.floor is None and shape.ceil is None),
        "indexed_until": maybe_micros(shape.indexed_until),
        "floor": maybe_micros(shape.floor),
        "ceil": maybe_micros(shape.ceil),
    }


def _instance(entry: Entry, each: Occurrence) -> tuple[int, ...]:
    starts, ends = micros(each.span.start), micros(each.span.end)
    occupied_from, occupied_to = micros(each.occupied.start), micros(each.occupied.end)
    return (
        micros(each.at),
        int(ends - starts > LENGTHY),
        starts,
        ends,
        int(each.busy and not _cancelled(entry)),
        int(each.tentative),
        int(occupied_to - occupied_from > LENGTHY),
        occupied_from,
        occupied_to,
    )
