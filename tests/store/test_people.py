"""People and things: companies, staff, groups, services, customers and working hours are kept as they were given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.errors import Conflict, Missing
from gateway.model import (
    CalendarId,
    CalendarKind,
    Company,
    CompanyId,
    CustomerId,
    Group,
    GroupId,
    OnConflict,
    OnDelete,
    Policy,
    Refusal,
    ServiceId,
    StaffId,
    WorkingHours,
)
from gateway.store import Snapshot, Store, fresh_id
from tests.store.house import ADVICE, ANN, CARE, COMPANY, DEMO, EMMA, FRONT, JOHN, NEIGHBOUR, OTHER, SETUP, TAYLOR, Place

EVERY_CHOICE = Policy(
    two_way=True,
    on_delete=OnDelete.CANCEL,
    on_conflict=OnConflict.ASK,
    resize=True,
    hold=timedelta(seconds=90, microseconds=500_000),
    refusal=Refusal.FORBID,
    google=True,
    outlook=True,
    office365=True,
)


def test_fresh_ids_are_url_safe_in_lower_case_and_never_the_same() -> None:
    ids = {fresh_id() for _ in range(1000)}
    assert len(ids) == 1000
    for each in ids:
        assert each == each.lower()
        assert each.replace("-", "").replace("_", "").isalnum()
        assert each.isascii()
        assert len(each) >= 22


class TestCompanies:
    def test_a_new_company_is_kept_with_every_choice(self, store: Store) -> None:
        company = Company(id=CompanyId("c"), slug="c", name="Zoë & 🦊", zone="Asia/Kathmandu", locale="es", policy=EVERY_CHOICE)
        store.found(company)
        assert list(store.companies()) == [company]
        with store.read(company.id) as snapshot:
            assert (snapshot.company, snapshot.revision) == (company, 0)

    def test_every_company_is_listed(self, place: Place) -> None:
        assert {company.id for company in place.store.companies()} == {DEMO, OTHER}

    def test_a_company_can_be_founded_only_once(self, place: Place) -> None:
        with pytest.raises(Conflict):
            place.store.found(COMPANY)
        with pytest.raises(Conflict):
            place.store.found(replace(NEIGHBOUR, id=CompanyId("third")))  # the slug is taken
        assert {company.id: company for company in place.store.companies()} == {DEMO: COMPANY, OTHER: NEIGHBOUR}

    def test_choices_can_be_changed(self, place: Place) -> None:
        changed = replace(COMPANY, name="Another name", zone="UTC", locale="de", policy=EVERY_CHOICE)
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_company(changed)
            assert tx.company == changed
        with place.store.read(DEMO) as snapshot:
            assert snapshot.company == changed

    @pytest.mark.parametrize("id", ["nobody", "", "DEMO", "demo' OR '1'='1"])
    def test_an_unknown_company_is_missing(self, place: Place, id: str) -> None:
        with pytest.raises(Missing), place.store.read(CompanyId(id)):
            pass
        with pytest.raises(Missing), place.store.write(CompanyId(id), SETUP):
            pass


class TestStaff:
    def test_a_staff_member_is_found_by_id_and_by_handle(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            assert snapshot.staff(JOHN.id) == JOHN
            assert snapshot.staff_by_handle(JOHN.handle) == JOHN
        assert place.store.find_handle(JOHN.handle) == (DEMO, JOHN.id)
        assert place.store.find_handle(TAYLOR.handle) == (OTHER, TAYLOR.id)
        assert place.store.find_handle("nobody") is None

    def test_staff_are_listed_by_name(self, place: Place) -> None:
        more = replace(JOHN, id=StaffId("a"), handle="a", name="Aaron Smith", active=False)
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_staff(more)
        with place.store.read(DEMO) as snapshot:
            assert list(snapshot.all_staff()) == [more, EMMA, JOHN]

    def test_new_facts_replace_the_old_ones(self, place: Place) -> None:
        changed = replace(JOHN, name="John Smith-Morris", email="jsm@example.com", zone="UTC", locale="fr", active=False)
        before = place.calendar()
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_staff(changed)
            assert tx.staff(JOHN.id) == changed
        with place.store.read(DEMO) as snapshot:
            assert snapshot.staff_by_handle(JOHN.handle) == changed
            assert snapshot.appointments_of(JOHN.id).id == before

    def test_a_handle_belongs_to_one_person_in_the_installation(self, place: Place) -> None:
        for taken in (JOHN.handle, TAYLOR.handle):
            with pytest.raises(Conflict), place.store.write(DEMO, SETUP) as tx:
                tx.save_staff(replace(EMMA, id=StaffId("second"), handle=taken))
        with place.store.read(DEMO) as snapshot:
            assert {person.id for person in snapshot.all_staff()} == {JOHN.id, EMMA.id}

    def test_everybody_has_exactly_one_calendar_of_appointments(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            for person in (JOHN, EMMA):
                calendar = snapshot.appointments_of(person.id)
                assert (calendar.staff, calendar.kind, calendar.slug) == (person.id, CalendarKind.APPOINTMENTS, "appointments")
                assert "VEVENT" in calendar.components
                assert [each.id for each in snapshot.calendars(person.id)] == [calendar.id]
                assert snapshot.calendar(calendar.id) == calendar


class TestHours:
    def test_hours_are_kept_to_the_minute(self, place: Place) -> None:
        hours = WorkingHours(
            weekly={0: ((480, 720), (780, 1080)), 6: ((0, 1440),)},
            exceptions={date(2026, 12, 24): ((480, 720),), date(2026, 12, 25): (), date(2028, 2, 29): ((1, 2),)},
        )
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_hours(JOHN.id, hours)
            assert tx.hours(JOHN.id) == hours
        with place.store.read(DEMO) as snapshot:
            assert snapshot.hours(JOHN.id) == hours
            assert snapshot.hours(EMMA.id) == WorkingHours()

    def test_new_hours_replace_all_of_the_old_ones(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_hours(JOHN.id, WorkingHours(weekly={0: ((480, 720),)}, exceptions={date(2026, 12, 25): ()}))
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_hours(JOHN.id, WorkingHours(weekly={1: ((480, 720),)}))
        with place.store.read(DEMO) as snapshot:
            assert snapshot.hours(JOHN.id) == WorkingHours(weekly={1: ((480, 720),)})


class TestThings:
    def test_services_and_customers_are_kept(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            assert (snapshot.service(CARE.id), snapshot.customer(ANN.id)) == (CARE, ANN)
            assert list(snapshot.services()) == [ADVICE, CARE]
            assert list(snapshot.customers()) == [ANN]

    def test_new_facts_about_them_replace_the_old_ones(self, place: Place) -> None:
        service = replace(ADVICE, name="Advice, longer", duration=timedelta(minutes=45), buffer_after=timedelta(seconds=1))
        customer = replace(ANN, name="Ann 𝒞anary", email="a@example.com", locale="fr", zone="UTC", phone="")
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_service(service)
            tx.save_customer(customer)
            assert (tx.service(service.id), tx.customer(customer.id)) == (service, customer)
        with place.store.read(DEMO) as snapshot:
            assert (snapshot.service(service.id), snapshot.customer(customer.id)) == (service, customer)
            assert len(snapshot.services()) == 2

    def test_none_of_it_is_a_line_in_the_log(self, place: Place) -> None:
        before = place.log()
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_company(replace(COMPANY, name="New"))
            tx.save_staff(replace(JOHN, name="New"))
            tx.save_service(replace(ADVICE, name="New"))
            tx.save_customer(replace(ANN, name="New"))
            tx.save_hours(JOHN.id, WorkingHours(weekly={0: ((480, 720),)}))
        assert place.log() == before

    @pytest.mark.parametrize(
        "ask",
        [
            lambda tx: tx.staff(StaffId("x")),
            lambda tx: tx.staff_by_handle("x"),
            lambda tx: tx.group(GroupId("x")),
            lambda tx: tx.service(ServiceId("x")),
            lambda tx: tx.customer(CustomerId("x")),
            lambda tx: tx.calendar(CalendarId("x")),
            lambda tx: tx.appointments_of(StaffId("x")),
        ],
    )
    def test_what_is_not_there_is_missing(self, place: Place, ask: Callable[[Snapshot], object]) -> None:
        with place.store.read(DEMO) as snapshot, pytest.raises(Missing):
            ask(snapshot)


class TestGroups:
    def test_a_group_is_kept_with_its_members(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            group = snapshot.group(FRONT.id)
            assert (group.name, group.slug, set(group.members)) == (FRONT.name, FRONT.slug, set(FRONT.members))
            assert list(snapshot.groups()) == [group]

    def test_a_change_of_membership_is_a_line_in_the_log_and_moves_since(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            before, head = snapshot.group(FRONT.id), snapshot.revision
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(replace(before, members=(EMMA.id,)))
        with place.store.read(DEMO) as snapshot:
            after = snapshot.group(FRONT.id)
            assert after.members == (EMMA.id,)
            assert head < after.since <= snapshot.revision

    def test_a_new_name_is_no_change_of_membership(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            before, head = snapshot.group(FRONT.id), snapshot.revision
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(replace(before, name="Front desk and door", members=tuple(reversed(before.members))))
        with place.store.read(DEMO) as snapshot:
            assert (snapshot.group(FRONT.id).since, snapshot.revision) == (before.since, head)
            assert snapshot.group(FRONT.id).name == "Front desk and door"

    def test_a_group_may_be_empty(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(Group(id=GroupId("empty"), slug="empty", name="Empty"))
        with place.store.read(DEMO) as snapshot:
            assert snapshot.group(GroupId("empty")).members == ()
