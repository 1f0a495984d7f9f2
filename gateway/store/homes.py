"""What a staff member's home lists: his calendars, and the views over his groups and the company."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from gateway.model import CalendarId, CalendarKind, Revision, StaffId
from gateway.store.codec import properties_from
from gateway.store.engine import Line
from gateway.store.people import People
from gateway.store.values import Collection

COMPANY, GROUP = "company", "group-"

_CALENDARS = text("""
    SELECT c.id, c.slug, c.kind, c.components, c.last, c.created, s.name AS owner, l.last AS looks, l.properties
    FROM calendar c
    JOIN staff s ON s.company = c.company AND s.id = c.staff
    LEFT JOIN looks l ON l.company = c.company AND l.viewer = :viewer AND l.slug = :worn || c.slug
    WHERE c.company = :company AND c.staff = :staff
    ORDER BY CASE c.kind WHEN 'appointments' THEN 0 ELSE 1 END, c.created, c.slug
""")
_CALENDAR = text("""
    SELECT c.id, c.slug, c.kind, c.components, c.last, c.created, s.name AS owner, l.last AS looks, l.properties
    FROM calendar c
    JOIN staff s ON s.company = c.company AND s.id = c.staff
    LEFT JOIN looks l ON l.company = c.company AND l.viewer = :viewer AND l.slug = :worn || c.slug
    WHERE c.company = :company AND c.staff = :staff AND c.slug = :slug
""")
_GROUPS = text("""
    SELECT t.slug, t.name AS title, t.since, c.id, c.staff, c.last, l.last AS looks, l.properties
    FROM member mine
    JOIN team t ON t.company = mine.company AND t.id = mine.team
    JOIN member m ON m.company = t.company AND m.team = t.id
    JOIN staff s ON s.company = m.company AND s.id = m.staff AND s.active = 1
    JOIN calendar c ON c.company = s.company AND c.staff = s.id AND c.kind = 'appointments'
    LEFT JOIN looks l ON l.company = t.company AND l.viewer = mine.staff AND l.slug = 'group-' || t.slug
    WHERE mine.company = :company AND mine.staff = :staff
    ORDER BY t.name, t.slug, c.id
""")
_GROUP = text("""
    SELECT t.slug, t.name AS title, t.since, c.id, c.staff, c.last, l.last AS looks, l.properties
    FROM team t
    JOIN member m ON m.company = t.company AND m.team = t.id
    JOIN staff s ON s.company = m.company AND s.id = m.staff AND s.active = 1
    JOIN calendar c ON c.company = s.company AND c.staff = s.id AND c.kind = 'appointments'
    LEFT JOIN looks l ON l.company = t.company AND l.viewer = :staff AND l.slug = 'group-' || t.slug
    WHERE t.company = :company AND t.slug = :team
    ORDER BY c.id
""")
_COMPANY = text("""
    SELECT '' AS slug, o.name AS title, o.view_since AS since, c.id, c.staff, c.last, l.last AS looks, l.properties
    FROM company o
    JOIN staff s ON s.company = o.id AND s.active = 1
    JOIN calendar c ON c.company = s.company AND c.staff = s.id AND c.kind = 'appointments'
    LEFT JOIN looks l ON l.company = o.id AND l.viewer = :staff AND l.slug = 'company'
    WHERE o.id = :company
    ORDER BY c.id
""")


class Homes(People):
    """Collections. Somebody who has left has calendars but no views, and is in none."""

    def collections(self, staff: StaffId, viewer: StaffId | None = None) -> Sequence[Collection]:
        """appointments, personal calendars, then a view "group-{slug}" for each group the person is in, then "company".

        Another `viewer` than the person sees the calendars, dressed as he likes, and none of the views: he has views of his own.
        """
        viewer = viewer or self.viewer
        if self.only is not None:
            one = self.collection(staff, self.only[1])
            return [one] if one is not None else []
        found = [_calendar(staff, row) for row in self._all(_CALENDARS, staff=staff, **_looks(staff, viewer))]
        if viewer not in (None, staff):
            return found
        teams: dict[str, list[Line]] = {}
        for row in self._all(_GROUPS, staff=staff):
            teams.setdefault(row.slug, []).append(row)
        views = [_view(staff, "group", rows) for rows in teams.values()]
        views.append(_view(staff, "company", self._all(_COMPANY, staff=staff)))
        return [*found, *(view for view in views if view is not None)]

    def collection(self, staff: StaffId, slug: str, viewer: StaffId | None = None) -> Collection | None:
        """One of them; None when the home has none of that name, or none for that viewer."""
        viewer = viewer or self.viewer
        if self.only is not None and self.only != (staff, slug):
            return None
        if viewer not in (None, staff) and (slug == COMPANY or slug.startswith(GROUP)):
            return None
        if slug == COMPANY:
            return _view(staff, "company", self._all(_COMPANY, staff=staff))
        if slug.startswith(GROUP):
            return _view(staff, "group", self._all(_GROUP, staff=staff, team=slug.removeprefix(GROUP)))
        row = self._one(_CALENDAR, staff=staff, slug=slug, **_looks(staff, viewer))
        return _calendar(staff, row) if row is not None else None

    def issued(self, collection: Collection, revision: Revision) -> bool:
        """Whether a sync-token with that revision may have been given out for the collection as it is, and still holds.

        Of whole answers: where a limit cuts the first answer about a view, the token names a revision before `since`, and only the
        generation that travels with it tells it from a void one.
        """
        return collection.since <= revision <= collection.last


def worn_as(owner: StaffId, viewer: StaffId | None, slug: str = "") -> str:
    """By which name a viewer's looks of a calendar are kept; those of somebody else's can be confused with none of his own."""
    return slug if viewer in (None, owner) else f"{owner}/{slug}"


def _looks(owner: StaffId, viewer: StaffId | None) -> dict[str, str]:
    return {"viewer": viewer or owner, "worn": worn_as(owner, viewer)}


def _calendar(owner: StaffId, row: Line) -> Collection:
    """Appointments are called by the name of whose they are, as views are by whom they show."""
    key, slug, kind, components, last, created, whose, looks, properties = row
    return Collection(
        slug=slug,
        title=whose if kind == CalendarKind.APPOINTMENTS else slug,
        kind=kind,
        owner=owner,
        calendars=(CalendarId(key),),
        components=tuple(filter(None, components.split(","))),
        last=Revision(max(last, looks or 0)),
        since=Revision(created),
        writable=True,
        properties=properties_from(properties),
    )


def _view(viewer: StaffId, kind: str, members: Sequence[Line]) -> Collection | None:
    """None when the viewer is not one of those it shows."""
    if not any(row.staff == viewer for row in members):
        return None
    one = members[0]
    return Collection(
        slug=COMPANY if kind == "company" else GROUP + one.slug,
        title=one.title,
        kind=kind,
        owner=viewer,
        calendars=tuple(CalendarId(row.id) for row in members),
        components=("VEVENT",),
        last=Revision(max(one.since, one.looks or 0, *(row.last for row in members))),
        since=Revision(one.since),
        writable=False,
        properties=properties_from(one.properties),
    )
