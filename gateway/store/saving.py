"""Writing people and things: no line of the log, but where it changes who is shown in a view."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from gateway.errors import Conflict, Missing
from gateway.model import (
    Calendar,
    CalendarId,
    CalendarKind,
    Company,
    Customer,
    Group,
    Service,
    Staff,
    StaffId,
    WorkingHours,
)
from gateway.store.codec import hours_json, length, policy_json
from gateway.store.credentials import fresh_id
from gateway.store.linking import Linking
from gateway.store.recording import Recording
from gateway.store.writing import NO_CALENDAR

_COMPANY = text("""
    UPDATE company SET slug = :slug, name = :name, zone = :zone, locale = :locale, policy = :policy WHERE id = :company
""")
_HANDLE_TAKEN = text("SELECT 1 FROM staff WHERE handle_key = :key AND NOT (company = :company AND id = :id)")
_STAFF = text("""
    INSERT INTO staff (company, id, handle, handle_key, name, email, zone, locale, active, since)
    VALUES (:company, :id, :handle, :key, :name, :email, :zone, :locale, :active, 0)
    ON CONFLICT (company, id) DO UPDATE SET name = excluded.name, email = excluded.email, zone = excluded.zone, locale = excluded.locale,
        active = excluded.active
""")
_STAFF_SINCE = text("UPDATE staff SET since = :revision WHERE company = :company AND id = :id")
_VIEW_SINCE = text("UPDATE company SET view_since = :revision WHERE id = :company")
_TEAMS_SINCE = text("""
    UPDATE team SET since = :revision WHERE company = :company AND id IN (SELECT team FROM member WHERE company = :company AND staff = :id)
""")
_TEAM_SINCE = text("UPDATE team SET since = :revision WHERE company = :company AND id = :id")
_SLUG_TAKEN = text("SELECT 1 FROM team WHERE company = :company AND slug = :slug AND id <> :id")
_TEAM = text("""
    INSERT INTO team (company, id, slug, name, since) VALUES (:company, :id, :slug, :name, 0)
    ON CONFLICT (company, id) DO UPDATE SET slug = excluded.slug, name = excluded.name
""")
_NO_MEMBERS = text("DELETE FROM member WHERE company = :company AND team = :team")
_MEMBER = text("INSERT INTO member (company, team, staff, position) VALUES (:company, :team, :staff, :position)")
_SERVICE = text("""
    INSERT INTO service (company, id, name, duration, buffer_before, buffer_after)
    VALUES (:company, :id, :name, :duration, :buffer_before, :buffer_after)
    ON CONFLICT (company, id) DO UPDATE SET name = excluded.name, duration = excluded.duration,
        buffer_before = excluded.buffer_before, buffer_after = excluded.buffer_after
""")
_CUSTOMER = text("""
    INSERT INTO customer (company, id, name, email, locale, zone, phone) VALUES (:company, :id, :name, :email, :locale, :zone, :phone)
    ON CONFLICT (company, id) DO UPDATE SET name = excluded.name, email = excluded.email, locale = excluded.locale,
        zone = excluded.zone, phone = excluded.phone
""")
_HOURS = text("""
    INSERT INTO working_hours (company, staff, hours) VALUES (:company, :staff, :hours)
    ON CONFLICT (company, staff) DO UPDATE SET hours = excluded.hours
""")


class Saving(Recording, Linking):
    """New ones, or new facts about known ones; whatever shows them is rendered anew by the desk."""

    def save_company(self, company: Company) -> None:
        """Raises Conflict when its slug is another company's."""
        if company.id != self.company.id:
            raise ValueError("a transaction writes its own company")
        self._run(
            _COMPANY,
            slug=company.slug,
            name=company.name,
            zone=company.zone,
            locale=company.locale,
            policy=policy_json(company.policy),
        )
        if company.policy != self.company.policy:
            self.switch_providers(company.policy)
        self.company = company

    def save_staff(self, staff: Staff, at: datetime | None = None) -> None:
        """New ones get their appointments calendar. Who comes or leaves changes who is shown: a line of the log, at `at` (now, if None).

        Raises Conflict when the handle is taken in the installation, in any case of letters, or would change.
        """
        known = self._staff_or_none(staff.id)
        if known is not None and known.handle != staff.handle:
            raise Conflict("A handle never changes.")
        if self._one(_HANDLE_TAKEN, key=staff.handle.casefold(), id=staff.id) is not None:
            raise Conflict("This handle is taken.")
        self._run(
            _STAFF,
            id=staff.id,
            handle=staff.handle,
            key=staff.handle.casefold(),
            name=staff.name,
            email=staff.email,
            zone=staff.zone,
            locale=staff.locale,
            active=int(staff.active),
        )
        self._known.pop(("staff", staff.id), None)
        if known is None or known.active != staff.active:
            self._shown_anew(staff.id, known is None, at or datetime.now(UTC))

    def save_group(self, group: Group, at: datetime | None = None) -> None:
        """`since` is the store's own. A change of members is a line of the log, at `at` (now, if None). Raises Conflict when the slug
        is taken, Missing when a member is not there."""
        for staff in group.members:
            self.staff(staff)
        if self._one(_SLUG_TAKEN, slug=group.slug, id=group.id) is not None:
            raise Conflict("There is a group of this name already.")
        known = next((each for each in self.groups() if each.id == group.id), None)
        before = known.members if known is not None else ()
        self._run(_TEAM, id=group.id, slug=group.slug, name=group.name)
        if before != group.members:
            self._run(_NO_MEMBERS, team=group.id)
            members = enumerate(dict.fromkeys(group.members))
            self._run_all(_MEMBER, [{"team": group.id, "staff": staff, "position": position} for position, staff in members])
        if set(before) != set(group.members):
            self._run(_TEAM_SINCE, id=group.id, revision=self._next)
            self._line_without_entry(NO_CALENDAR, at or datetime.now(UTC))

    def save_service(self, service: Service) -> None:
        self._run(
            _SERVICE,
            id=service.id,
            name=service.name,
            duration=length(service.duration),
            buffer_before=length(service.buffer_before),
            buffer_after=length(service.buffer_after),
        )
        self._known.pop(("service", service.id), None)

    def save_customer(self, customer: Customer) -> None:
        self._run(
            _CUSTOMER,
            id=customer.id,
            name=customer.name,
            email=customer.email,
            locale=customer.locale,
            zone=customer.zone,
            phone=customer.phone,
        )
        self._known.pop(("customer", customer.id), None)

    def save_hours(self, staff: StaffId, hours: WorkingHours) -> None:
        """Raises Missing for nobody."""
        self.staff(staff)
        self._run(_HOURS, staff=staff, hours=hours_json(hours))

    def _shown_anew(self, staff: StaffId, new: bool, at: datetime) -> None:
        """The views that show, or showed, the staff member begin anew."""
        for since in (_STAFF_SINCE, _VIEW_SINCE, _TEAMS_SINCE):
            self._run(since, id=staff, revision=self._next)
        if new:
            self._make_calendar(Calendar(id=CalendarId(fresh_id()), staff=staff, slug="appointments", kind=CalendarKind.APPOINTMENTS), at)
        else:
            self._line_without_entry(NO_CALENDAR, at)

    def _staff_or_none(self, id: StaffId) -> Staff | None:
        try:
            return self.staff(id)
        except Missing:
            return None
