"""Microsoft 365 for a whole company: its administrator agrees once, and every staff member's mailbox is entered by its address."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.bridge.remote import Disconnected
from gateway.errors import Conflict, Missing
from gateway.links import Access, Provider, Standing
from gateway.model import StaffId
from tests.bridge.accounts.office import EMMA, OFFICE, Office
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, JOHN


def tenant(office: Office) -> str:
    return office.microsoft.world.tenant


def test_where_the_administrator_agrees_is_shown(office: Office) -> None:
    address = urlsplit(office.accounts.admin_consent())
    asked = parse_qs(address.query)
    assert address.path.endswith("/adminconsent")
    assert asked["redirect_uri"][0].endswith("/connect/microsoft/callback")
    assert asked["client_id"] == [office.microsoft.world.client_id]


def test_every_mailbox_is_entered_without_its_owners_consent(office: Office) -> None:
    for person in (JOHN, EMMA):
        office.book(NOW + DAY, person.id)
        done = office.accounts.enter(DEMO, person.id, tenant(office))
        assert (office.account(done.link).login, done.again) == (person.email, False)
    office.work()
    for person in (JOHN, EMMA):
        assert len(office.there(person.email, Provider.OFFICE365)) == 1
    assert office.microsoft.mails == []


def test_entering_again_changes_nothing(office: Office) -> None:
    office.book(NOW + DAY)
    first = office.accounts.enter(DEMO, JOHN.id, tenant(office))
    office.work()
    again = office.accounts.enter(DEMO, JOHN.id, tenant(office))
    office.work()
    assert (again.link, again.again) == (first.link, True)
    assert len(office.there(provider=Provider.OFFICE365)) == 1


def test_a_drag_in_such_a_mailbox_moves_the_booking_as_in_any_other(office: Office) -> None:
    entry = office.book(NOW + DAY)
    office.accounts.enter(DEMO, JOHN.id, tenant(office))
    office.work()
    [event] = office.there(provider=Provider.OFFICE365)
    wish = {"op": "move", "id": event["id"], "start": "2026-11-26T09:00:00Z", "end": "2026-11-26T09:30:00Z"}
    office.microsoft.act({"account": JOHN.email, **wish})
    office.work()
    with office.store.read(DEMO) as snapshot:
        held = snapshot.held_by_id(entry)
    assert held is not None
    assert held.entry.span.start == NOW + 2 * DAY + (NOW.replace(hour=9) - NOW)


def test_an_administrator_who_takes_it_back_is_asked_to_agree_again(office: Office) -> None:
    done = office.accounts.enter(DEMO, JOHN.id, tenant(office))
    office.microsoft.knobs.app_only = False
    with pytest.raises(Disconnected) as refused:
        office.accounts.enter(DEMO, EMMA.id, tenant(office))
    assert refused.value.admin
    assert office.links(EMMA.id) == []
    assert office.link(done.link).standing is Standing.ACTIVE
    assert office.account(done.link).access is Access.OK


@pytest.mark.parametrize("name", ["", "common", "consumers", "organizations", "../evil", "00000000-0000-4000-8000-000000000000"])
def test_an_organisation_that_is_none_of_ours_is_told_in_a_sentence(office: Office, name: str) -> None:
    with pytest.raises(Disconnected) as refused:
        office.accounts.enter(DEMO, JOHN.id, name)
    assert str(refused.value).endswith(".")
    assert office.links() == []


def test_a_mailbox_of_another_organisation_is_not_entered(office: Office) -> None:
    with office.store.write(DEMO, OFFICE) as tx:
        tx.save_staff(replace(EMMA, email="emma@elsewhere.example"))
    with pytest.raises(Disconnected):
        office.accounts.enter(DEMO, EMMA.id, tenant(office))
    assert office.links(EMMA.id) == []


def test_it_needs_the_switch_and_somebody_who_works_here(office: Office) -> None:
    with pytest.raises(Missing):
        office.accounts.enter(DEMO, StaffId("nobody"), tenant(office))
    office.policy(office365=False)
    with pytest.raises(Conflict, match="An administrator can switch it on"):
        office.accounts.enter(DEMO, JOHN.id, tenant(office))
