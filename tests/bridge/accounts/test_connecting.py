"""To the provider's page and back: whose account it becomes, what is asked for, and that nothing happens twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.bridge.accounts import ANY, CONSENT
from gateway.bridge.remote import Disconnected
from gateway.errors import Conflict, Invalid, Missing
from gateway.links import Access, Direction, Provider, Standing
from gateway.model import StaffId
from tests.bridge.accounts.office import EMMA, OFFICE, PRIVATE, Office
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, JOHN, SEAL

SHORT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("provider", "login"), [(Provider.GOOGLE, JOHN.email), (Provider.OFFICE365, JOHN.email), (Provider.OUTLOOK, PRIVATE)]
)
def test_whoever_agrees_has_an_account_and_a_calendar_of_our_own(office: Office, provider: Provider, login: str) -> None:
    done = office.connect(provider, login=login)
    link, account = office.link(done.link), office.account(done.link)
    assert (account.provider, account.login, account.access) == (provider, login, Access.OK)
    assert (link.staff, link.own, link.title) == (JOHN.id, True, "Demo Company: John Smith")
    assert (link.standing, link.direction) == (Standing.ACTIVE, Direction.BOTH)
    assert (done.staff, done.again, done.missing) == (JOHN.id, False, ())


def test_what_was_booked_before_is_there_after_the_first_turns_and_nobody_gets_a_mail(office: Office) -> None:
    for days in (-20, 1, 40):
        office.book(NOW + days * DAY)
    office.connect()
    office.work()
    assert len(office.there()) == 3
    assert office.google.mails == []


def test_the_provider_is_asked_with_a_challenge_and_for_no_more_than_a_calendar_of_our_own(office: Office) -> None:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(office.begin()).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"].split() == [
        "openid",
        "email",
        "https://www.googleapis.com/auth/calendar.app.created",
        "https://www.googleapis.com/auth/calendar.freebusy",
    ]
    assert asked["redirect_uri"].endswith("/connect/google/callback")
    assert asked["login_hint"] == JOHN.email


def test_a_work_address_is_not_proposed_for_a_private_account(office: Office) -> None:
    assert "login_hint" not in parse_qs(urlsplit(office.begin(Provider.OUTLOOK)).query)


def test_neither_state_nor_verifier_stand_in_the_database(office: Office) -> None:
    state = parse_qs(urlsplit(office.begin()).query)["state"][0]
    held = office.store.take_consent(state, NOW)
    assert held is not None
    verifier = SEAL.unseal(held.sealed)
    assert verifier not in held.sealed
    assert len(verifier) >= 43  # RFC 7636 §4.1


def test_a_state_is_good_once(office: Office) -> None:
    back = office.agree(office.begin())
    office.accounts.complete(back["state"], back["code"])
    with pytest.raises(Missing, match="Please begin again"):
        office.accounts.complete(back["state"], back["code"])
    assert len(office.links()) == 1


@pytest.mark.parametrize("state", ["", "x", "." * 300, "unknown-state-000000000000000000000000000"])
def test_a_state_nobody_began_is_nothing(office: Office, state: str) -> None:
    with pytest.raises(Missing):
        office.accounts.complete(state, "code")


def test_ten_minutes_are_the_limit(office: Office) -> None:
    in_time, late = office.agree(office.begin()), office.agree(office.begin(Provider.OFFICE365))
    office.clock.forward(CONSENT - SHORT)
    assert office.accounts.returned(in_time["state"]).staff == JOHN.id
    office.clock.forward(SHORT)
    with pytest.raises(Missing):
        office.accounts.returned(late["state"])


def test_another_browser_cannot_come_back_with_the_state(office: Office) -> None:
    back = office.agree(office.begin(browser="a secret of the first browser"))
    for stranger in ("", "another browser"):
        with pytest.raises(Missing, match="another browser"):
            office.accounts.returned(back["state"], browser=stranger)
    assert office.accounts.returned(back["state"], browser="a secret of the first browser").staff == JOHN.id


def test_what_binds_a_state_to_its_browser_cannot_be_cut_off(office: Office) -> None:
    back = office.agree(office.begin(browser="mine"))
    with pytest.raises(Missing):
        office.accounts.returned(back["state"].partition(".")[0])


def test_a_code_that_comes_back_at_the_other_provider_is_nothing(office: Office) -> None:
    back = office.agree(office.begin(Provider.GOOGLE))
    with pytest.raises(Missing):
        office.accounts.returned(back["state"], among=(Provider.OUTLOOK, Provider.OFFICE365))
    with pytest.raises(Missing):  # and the state is used up
        office.accounts.returned(back["state"], among=ANY)


def test_a_code_goes_with_its_own_verifier(office: Office) -> None:
    """A stolen code, brought back with a state of one's own (RFC 7636 §1)."""
    stolen, mine = office.agree(office.begin()), office.agree(office.begin(staff=EMMA.id))
    with pytest.raises(Disconnected, match="Please connect again"):
        office.accounts.complete(mine["state"], stolen["code"])
    assert office.links(EMMA.id) == []


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/me\r\nX: y", "/" + "a" * 600]
)
def test_the_way_back_leads_to_our_own_pages_only(office: Office, path: str) -> None:
    with pytest.raises(Invalid, match="path of these pages"):
        office.begin(back=path)


@pytest.mark.parametrize("path", ["", "/", "/me", "/staff/0a1B-c_2#calendar-sync", "/connect/token?said=x&y=z"])
def test_the_way_back_is_kept(office: Office, path: str) -> None:
    back = office.agree(office.begin(back=path))
    assert office.accounts.complete(back["state"], back["code"]).back == path


def test_a_provider_that_is_switched_off_is_not_begun_with(office: Office) -> None:
    office.policy(google=False)
    with pytest.raises(Conflict, match=r"switched off\. An administrator can switch it on"):
        office.begin()
    office.begin(Provider.OFFICE365)  # S26: each has a switch of its own


def test_a_provider_that_is_switched_off_meanwhile_connects_nothing(office: Office) -> None:
    back = office.agree(office.begin())
    office.policy(google=False)
    with pytest.raises(Conflict, match="switched off"):
        office.accounts.complete(back["state"], back["code"])
    assert office.links() == []


def test_whoever_has_left_the_staff_connects_nothing(office: Office) -> None:
    with office.store.write(DEMO, OFFICE) as tx:
        tx.save_staff(replace(EMMA, active=False))
    with pytest.raises(Conflict, match="left the staff"):
        office.begin(staff=EMMA.id)


def test_nobody_connects_nothing(office: Office) -> None:
    with pytest.raises(Missing):
        office.begin(staff=StaffId("nobody"))


def test_less_than_was_asked_for_is_said_or_refused(office: Office) -> None:
    without_busy = office.agree(office.begin(), scope="openid email https://www.googleapis.com/auth/calendar.app.created")
    assert office.accounts.complete(without_busy["state"], without_busy["code"]).missing == ("see when you are busy",)
    nothing = office.agree(office.begin(staff=EMMA.id), EMMA.email, scope="openid email https://www.googleapis.com/auth/calendar.freebusy")
    with pytest.raises(Disconnected, match="leave every box ticked"):
        office.accounts.complete(nothing["state"], nothing["code"])
    assert office.links(EMMA.id) == []


def test_one_account_serves_one_person(office: Office) -> None:
    office.connect()
    with pytest.raises(Conflict, match="somebody else of your company"):
        office.connect(staff=EMMA.id, login=JOHN.email)
    assert office.links(EMMA.id) == []


def test_an_account_that_was_given_up_is_free_for_somebody_else(office: Office) -> None:
    done = office.connect()
    office.save(done.link, standing=Standing.ENDED)
    office.connect(staff=EMMA.id, login=JOHN.email)
    assert [each.standing for each in office.links(EMMA.id)] == [Standing.ACTIVE]


def test_with_two_ways_switched_off_a_link_is_one_way(office: Office) -> None:
    office.policy(two_way=False)
    done = office.connect()
    assert office.link(done.link).direction is Direction.OUT
    office.policy(two_way=True)
    assert office.link(done.link).direction is Direction.OUT  # S21: nobody's calendar becomes two-way silently


def test_the_persons_own_calendar_is_used_when_that_was_asked_for(office: Office) -> None:
    office.book(NOW + DAY)
    done = office.connect(primary=True)
    link = office.link(done.link)
    assert (link.own, link.calendar) == (False, JOHN.email)
    office.work()
    assert [each["calendar"] for each in office.there()] == [JOHN.email]
