"""Those who sign in to the pages: one password, sessions that end, links that work once, invitations and how far they came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import Conflict, Missing
from gateway.model import StaffId
from gateway.users import Invitation, InvitationId, Role, Step, User, UserId
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, SETUP, Place

BOSS = User(id=UserId("boss"), role=Role.ADMIN, name="Demo administrator", email="Admin@Example.com", locale="fr")
HIS = User(id=UserId("his"), role=Role.STAFF, name="John Smith", email="john.smith@example.com", staff=JOHN.id)
ASKED = Invitation(
    id=InvitationId("one"), staff=JOHN.id, recipient="john.smith@example.com", subject="Sync", sent=NOW, until=NOW + 14 * DAY
)


@pytest.fixture
def house(place: Place) -> Place:
    with place.store.write(DEMO, SETUP) as tx:
        for user in (BOSS, HIS):
            tx.save_user(user)
    return place


def begin(place: Place, user: UserId, token: str) -> None:
    with place.store.write(DEMO, SETUP) as tx:
        tx.begin_session(user, token, NOW, NOW + DAY, agent="Firefox", network="192.0.2.0/24")


def test_a_user_is_found_by_address_in_any_case_and_by_handle(house: Place) -> None:
    assert house.store.signing_in(" admin@example.COM ") == [(DEMO, BOSS, "")]
    assert house.store.signing_in("JOHN-smith") == [(DEMO, HIS, "")]
    assert house.store.signing_in("nobody@example.com") == []


def test_an_address_signs_in_one_user_of_a_company(house: Place) -> None:
    with pytest.raises(Conflict), house.store.write(DEMO, SETUP) as tx:
        tx.save_user(replace(HIS, email="ADMIN@example.com"))


def test_a_session_ends_with_its_time_by_signing_out_and_with_the_user(house: Place) -> None:
    for token in ("one", "two", "three"):
        begin(house, BOSS.id, token)
    found = house.store.session("one", NOW)
    assert found is not None
    assert (found[0], found[1].user, found[1].agent) == (DEMO, BOSS, "Firefox")
    assert house.store.session("one", NOW + DAY) is None
    with house.store.write(DEMO, SETUP) as tx:
        assert tx.end_session("one")
        assert not tx.end_session("one")
    assert house.store.session("one", NOW) is None
    assert house.store.session("two", NOW) is not None
    with house.store.write(DEMO, SETUP) as tx:
        tx.save_user(replace(BOSS, active=False))
    assert house.store.session("two", NOW) is None
    assert house.store.signing_in(BOSS.email) == []


def test_whoever_leaves_the_staff_is_signed_out(house: Place) -> None:
    begin(house, HIS.id, "his")
    with house.store.write(DEMO, SETUP) as tx:
        tx.save_staff(replace(tx.staff(JOHN.id), active=False))
    assert house.store.session("his", NOW) is None
    assert house.store.signing_in(HIS.email) == []


def test_a_new_password_ends_every_other_session_and_every_link(house: Place) -> None:
    for token in ("here", "elsewhere"):
        begin(house, BOSS.id, token)
    begin(house, HIS.id, "his")
    with house.store.write(DEMO, SETUP) as tx:
        tx.begin_reset(BOSS.id, "link", NOW, NOW + HOUR)
        assert not tx.has_password(BOSS.id)
        tx.set_password(BOSS.id, "hash", NOW, stay="here")
        assert tx.has_password(BOSS.id)
    assert [house.store.session(token, NOW) is not None for token in ("here", "elsewhere", "his")] == [True, False, True]
    assert house.store.reset("link", NOW) is None
    assert house.store.signing_in(BOSS.email) == [(DEMO, BOSS, "hash")]


def test_a_link_for_a_new_password_works_once_and_for_its_time(house: Place) -> None:
    with house.store.write(DEMO, SETUP) as tx:
        tx.begin_reset(BOSS.id, "former", NOW, NOW + HOUR)
        tx.begin_reset(BOSS.id, "link", NOW, NOW + HOUR)
    assert house.store.reset("former", NOW) is None
    assert house.store.reset("link", NOW) == (DEMO, BOSS)
    assert house.store.reset("link", NOW + HOUR) is None
    with house.store.write(DEMO, SETUP) as tx:
        assert not tx.use_reset("link", NOW + HOUR)
        assert tx.use_reset("link", NOW)
        assert not tx.use_reset("link", NOW)


def test_nobody_gets_a_password_who_is_not_there(house: Place) -> None:
    with pytest.raises(Missing), house.store.write(DEMO, SETUP) as tx:
        tx.set_password(UserId("nobody"), "hash", NOW)


def test_a_later_invitation_revokes_the_former_ones_that_led_nowhere(house: Place) -> None:
    with house.store.write(DEMO, SETUP) as tx:
        tx.invite(ASKED, "first link")
        tx.invitation_opened(ASKED.id, NOW + HOUR)
        tx.invitation_opened(ASKED.id, NOW + 2 * HOUR)
        tx.invite(replace(ASKED, id=InvitationId("two"), sent=NOW + DAY), "second link")
    with house.store.read(DEMO) as snapshot:
        newest, former = snapshot.invitations(JOHN.id)
        assert snapshot.latest_invitations() == {JOHN.id: newest}
        assert list(snapshot.invitations(EMMA.id)) == []
    assert (newest.step, former.step, former.opened) == (Step.SENT, Step.REVOKED, NOW + HOUR)
    assert house.store.invitation("first link") == (DEMO, former)


def test_what_was_connected_stays_connected(house: Place) -> None:
    with house.store.write(DEMO, SETUP) as tx:
        tx.invite(ASKED, "link")
        assert tx.invitation_connected(ASKED.id, NOW + HOUR)
        assert not tx.invitation_connected(ASKED.id, NOW + 2 * HOUR)
        assert not tx.revoke_invitations(JOHN.id, NOW + DAY)
    found = house.store.invitation("link")
    assert found is not None
    assert found[1].step is Step.CONNECTED
    assert house.store.invitation("another") is None


def test_nobody_is_invited_who_is_not_of_the_staff(house: Place) -> None:
    with pytest.raises(Conflict), house.store.write(DEMO, SETUP) as tx:
        tx.invite(replace(ASKED, staff=StaffId("nobody")), "link")
