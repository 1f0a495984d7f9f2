"""Reading people and things: staff, groups, services, customers, working hours, calendars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import text

from gateway.errors import Missing
from gateway.model import (
    Calendar,
    CalendarId,
    CalendarKind,
    Customer,
    CustomerId,
    Group,
    GroupId,
    Revision,
    Service,
    ServiceId,
    Staff,
    StaffId,
    WorkingHours,
)
from gateway.store.codec import hours_from
from gateway.store.engine import Found
from gateway.store.reading import Reading

_STAFF = text("SELECT id, handle, name, email, zone, locale, active FROM staff WHERE company = :company AND id = :id")
_STAFF_BY_HANDLE = text("""
    SELECT id, handle, name, email, zone, locale, active FROM staff WHERE company = :company AND handle_key = :key AND handle = :handle
""")
_ALL_STAFF = text("SELECT id, handle, name, email, zone, locale, active FROM staff WHERE company = :company ORDER BY name, id")
_GROUPS = text("""
    SELECT t.id, t.slug, t.name, t.since, m.staff
    FROM team t LEFT JOIN member m ON m.company = t.company AND m.team = t.id
    WHERE t.company = :company
    ORDER BY t.name, t.id, m.position
""")
_GROUP = text("""
    SELECT t.id, t.slug, t.name, t.since, m.staff
    FROM team t LEFT JOIN member m ON m.company = t.company AND m.team = t.id
    WHERE t.company = :company AND t.id = :id
    ORDER BY m.position
""")
_SERVICE = text("SELECT id, name, duration, buffer_before, buffer_after FROM service WHERE company = :company AND id = :id")
_SERVICES = text("SELECT id, name, duration, buffer_before, buffer_after FROM service WHERE company = :company ORDER BY name, id")
_CUSTOMER = text("SELECT id, name, email, locale, zone, phone FROM customer WHERE company = :company AND id = :id")
_CUSTOMERS = text("SELECT id, name, email, locale, zone, phone FROM customer WHERE company = :company ORDER BY name, id")
_HOURS = text("SELECT hours FROM working_hours WHERE company = :company AND staff = :staff")
_CALENDAR = text("SELECT id, staff, slug, kind, components, last, created FROM calendar WHERE company = :company AND id = :id")
_CALENDARS = text("""
    SELECT id, staff, slug, kind, components, last, created FROM calendar WHERE company = :company AND staff = :staff
    ORDER BY CASE kind WHEN 'appointments' THEN 0 ELSE 1 END, created, slug
""")


class People(Reading):
    """By id: raises Missing when there is no such id. What is asked for again and again is remembered for the snapshot's life."""

    def __init__(self, *given: Any) -> None:  # what Reading takes
        super().__init__(*given)
        self._known: dict[tuple[str, str], Any] = {}  # kind and id: a staff member, service, customer or calendar

    def staff(self, id: StaffId) -> Staff:
        found: Staff | None = self._known.get(("staff", id))
        if found is None:
            found = self._known["staff", id] = staff_from(*self._sure("There is no such staff member.", _STAFF, id=id))
        return found

    def staff_by_handle(self, handle: str) -> Staff:
        found = staff_from(*self._sure("There is no such staff member.", _STAFF_BY_HANDLE, handle=handle, key=handle.casefold()))
        if self.only is not None and self.only[0] != found.id:
            raise Missing("There is no such staff member.")
        return found

    def all_staff(self) -> Sequence[Staff]:
        """By name. To whom only one calendar is shown, nobody is shown but its owner."""
        found = [staff_from(*row) for row in self._all(_ALL_STAFF)]
        return found if self.only is None else [person for person in found if person.id == self.only[0]]

    def group(self, id: GroupId) -> Group:
        found = _groups_from(self._all(_GROUP, id=id))
        if not found:
            raise Missing("There is no such group.")
        return found[0]

    def groups(self) -> Sequence[Group]:
        """By name; the members of each in the order they were given."""
        return _groups_from(self._all(_GROUPS))

    def service(self, id: ServiceId) -> Service:
        found: Service | None = self._known.get(("service", id))
        if found is None:
            found = self._known["service", id] = _service_from(*self._sure("There is no such service.", _SERVICE, id=id))
        return found

    def services(self) -> Sequence[Service]:
        """By name."""
        return [_service_from(*row) for row in self._all(_SERVICES)]

    def customer(self, id: CustomerId) -> Customer:
        found: Customer | None = self._known.get(("customer", id))
        if found is None:
            found = self._known["customer", id] = _customer_from(*self._sure("There is no such customer.", _CUSTOMER, id=id))
        return found

    def customers(self) -> Sequence[Customer]:
        """By name."""
        return [_customer_from(*row) for row in self._all(_CUSTOMERS)]

    def hours(self, staff: StaffId) -> WorkingHours:
        """None kept when nobody has set any: everything is inside."""
        row = self._one(_HOURS, staff=staff)
        return hours_from(row.hours) if row is not None else WorkingHours()

    def calendar(self, id: CalendarId) -> Calendar:
        found: Calendar | None = self._known.get(("calendar", id))
        if found is None:
            found = self._known["calendar", id] = calendar_from(*self._sure("There is no such calendar.", _CALENDAR, id=id))
        return found

    def calendars(self, staff: StaffId) -> Sequence[Calendar]:
        """The appointments first, then personal calendars as they were made."""
        return [calendar_from(*row) for row in self._all(_CALENDARS, staff=staff)]

    def appointments_of(self, staff: StaffId) -> Calendar:
        """The calendar of kind APPOINTMENTS; every staff member has exactly one. Raises Missing for nobody."""
        self.staff(staff)
        return self.calendars(staff)[0]


def staff_from(id: str, handle: str, name: str, email: str, zone: str, locale: str, active: int) -> Staff:
    return Staff(id=StaffId(id), handle=handle, name=name, email=email, zone=zone, locale=locale, active=bool(active))


def _groups_from(lines: Found) -> list[Group]:
    """A line for every member, or one without."""
    found: list[Group] = []
    for _, lines_of_one in groupby(lines, key=lambda line: str(line.id)):
        first, *others = lines_of_one
        members = tuple(StaffId(line.staff) for line in (first, *others) if line.staff is not None)
        found.append(Group(id=GroupId(first.id), slug=first.slug, name=first.name, members=members, since=Revision(first.since)))
    return found


def _service_from(id: str, name: str, duration: int, before: int, after: int) -> Service:
    return Service(
        id=ServiceId(id),
        name=name,
        duration=timedelta(microseconds=duration),
        buffer_before=timedelta(microseconds=before),
        buffer_after=timedelta(microseconds=after),
    )


def _customer_from(id: str, name: str, email: str, locale: str, zone: str, phone: str) -> Customer:
    return Customer(id=CustomerId(id), name=name, email=email, locale=locale, zone=zone, phone=phone)


def calendar_from(id: str, staff: str, slug: str, kind: str, components: str, last: int, created: int) -> Calendar:
    return Calendar(
        id=CalendarId(id),
        staff=StaffId(staff),
        slug=slug,
        kind=CalendarKind(kind),
        components=tuple(filter(None, components.split(","))),
        last=Revision(last),
        created=Revision(created),
    )
