"""A whole company at Microsoft 365: its administrator agrees once, and its mailboxes are open without anybody's own consent (§3.7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from gateway.bridge.graph import GraphHouse
from gateway.bridge.remote import CalendarGone, Disconnected, Grant, Rejected, RemoteError, Unreachable
from gateway.fakes.running import people
from gateway.links import Provider
from tests.bridge.contract import BACK, DAY, HOUR, KEY, NOW, PARIS, WINDOW, Kept, Setting, owned, pages
from tests.bridge.contract.events import EventContract
from tests.bridge.contract.listing import ListingContract
from tests.bridge.contract.series import SeriesContract
from tests.bridge.graph.conftest import JOHN, TAYLOR, housed
from tests.bridge.graph.wires import Telling, exchange, knobs, opened, telling
from tests.bridge.wire import Clock

JUAN = "juan.sanchez@example.com"


@dataclass(repr=False)
class Company(Setting):
    """John's mailbox, opened by his company's administrator."""

    def connect(self, *, primary: bool = False) -> Grant:
        made = house(self)
        grant = made.enter(exchange(self).world.tenant, self.login, self.clock.now)
        self.kept = Kept(grant.credential)
        return grant


def house(setting: Setting) -> GraphHouse:
    assert isinstance(setting.house, GraphHouse)
    return setting.house


@pytest.fixture
def setting() -> Setting:
    clock = Clock(NOW)
    _, fake = people(google=[], work=[JOHN, JUAN], personal=[TAYLOR], clock=clock, seed=1, zone=PARIS, folder=None)
    wire = Telling(fake)
    return Company(house=housed(wire, clock), fake=fake, wire=wire, clock=clock, login=JOHN).settle()


class TestCompany(EventContract, ListingContract, SeriesContract):
    """What holds for a person's own consent holds for the company's."""

    @pytest.fixture(autouse=True)
    def no_provider_ever_mails(self, setting: Setting) -> Iterator[None]:
        yield
        assert setting.fake.mails == []
        assert not [path for _, path in setting.asked() if path.startswith("/v1.0/me")]


def test_an_administrator_agrees_at_one_address_for_everybody(setting: Setting) -> None:
    knobs(setting).app_only = False
    with pytest.raises(Disconnected) as caught:
        house(setting).enter(exchange(setting).world.tenant, JUAN, NOW)
    assert caught.value.admin
    address = house(setting).admin_consent(state="s", redirect=BACK)
    assert urlsplit(address).path == "/organizations/adminconsent"
    asked = parse_qs(urlsplit(address).query)
    assert (asked["state"], asked["redirect_uri"]) == (["s"], [BACK])
    _, headers, _ = telling(setting)("GET", address, {}, None)
    told = dict(parse_qsl(urlsplit(headers["location"]).query))
    assert (told["admin_consent"], told["state"]) == ("True", "s")
    assert house(setting).enter(told["tenant"], JUAN, NOW).login == JUAN


def test_nobody_signs_in_and_no_refresh_token_exists(setting: Setting) -> None:
    assert exchange(setting).world.grants == []
    assert json.loads(setting.kept.credential) == {"tenant": exchange(setting).world.tenant, "user": JOHN}
    setting.clock.forward(100 * DAY)
    assert pages(setting.open())[-1].full
    assert setting.kept.history == []


def test_one_token_serves_all_mailboxes_of_a_company(setting: Setting) -> None:
    def tokens() -> int:
        return sum(address.endswith("/token") for _, address in telling(setting).sent)

    juan = Kept(house(setting).enter(exchange(setting).world.tenant, JUAN, NOW).credential)
    before = tokens()
    for _ in range(3):
        pages(setting.open())
        house(setting).calendars(juan, NOW)
    assert tokens() == before
    setting.clock.forward(2 * HOUR)
    pages(setting.open())
    assert tokens() == before + 1


def test_each_mailbox_is_its_own_and_addressed_by_its_owner(setting: Setting) -> None:
    juan = Kept(house(setting).enter(exchange(setting).world.tenant, JUAN, NOW).credential)
    calendar = house(setting).make_calendar(juan, "Appointments", PARIS, NOW)
    remote = house(setting).open(juan, link="juans", calendar=calendar.id, mark="demo", zone=PARIS, calls=lambda kind: None)
    made = remote.create(KEY, owned())
    assert [each["id"] for each in exchange(setting).events(JUAN) if each["ours"]] == [made.id]
    assert [each for each in exchange(setting).events(JOHN) if each["ours"]] == []
    assert [path for _, path in setting.asked()][-1].startswith("/v1.0/users/juan.sanchez%40example.com/")
    assert opened(setting).get(made.id) is None


def test_notifications_of_a_mailbox_name_its_owner(setting: Setting) -> None:
    watching = opened(setting).watch("https://127.0.0.1/hooks/microsoft", "secret", NOW)
    assert watching is not None
    assert watching.resource.startswith("users/john.smith%40example.com/calendars/")
    opened(setting).create(KEY, owned())
    [told] = exchange(setting).take_outbox()
    assert json.loads(told.body)["value"][0]["clientState"] == "secret"


def test_busy_times_of_a_mailbox_are_read_without_its_owner(setting: Setting) -> None:
    made = setting.act("create", title="Dentist", start="2026-03-06T10:00:00+01:00")
    [span] = house(setting).busy(setting.kept, [made["calendar"]], WINDOW, NOW)
    assert span.length == HOUR


def test_a_mailbox_that_was_not_opened_to_us_is_said_by_its_name(setting: Setting) -> None:
    """RBAC for Applications limits which mailboxes an app may enter; application access policies are the past."""
    knobs(setting).app_mailboxes = [JOHN]
    tenant = exchange(setting).world.tenant
    assert house(setting).enter(tenant, JOHN, NOW).login == JOHN
    with pytest.raises(Disconnected, match=r"juan\.sanchez") as caught:
        house(setting).enter(tenant, JUAN, NOW)
    assert caught.value.admin
    with pytest.raises(RemoteError):
        house(setting).enter(tenant, "nobody@example.com", NOW)


def test_a_mailbox_that_is_closed_later_loses_no_event(setting: Setting) -> None:
    """A forbidden mailbox is no empty one."""
    made = opened(setting).create(KEY, owned())
    knobs(setting).app_mailboxes = [JUAN]
    with pytest.raises(CalendarGone):
        pages(setting.open())
    with pytest.raises(Rejected):
        opened(setting).get(made.id)


def test_an_owner_who_has_left_is_a_calendar_that_is_gone_and_no_deleted_event(setting: Setting) -> None:
    made = opened(setting).create(KEY, owned())
    exchange(setting).world.mailboxes["left@example.com"] = exchange(setting).world.mailboxes.pop(JOHN)
    exchange(setting).world.mailboxes["left@example.com"].login = "left@example.com"
    with pytest.raises(CalendarGone):
        opened(setting).get(made.id)
    with pytest.raises(CalendarGone):
        pages(setting.open())


def test_personal_accounts_have_no_administrator(setting: Setting) -> None:
    made = housed(telling(setting), setting.clock, provider=Provider.OUTLOOK)
    with pytest.raises(Disconnected, match="each person"):
        made.enter("9188040d-6c67-4c5b-b112-36a304b66dad", TAYLOR, NOW)


@pytest.mark.parametrize("tenant", ["unknown.example", "organizations", "common", "Consumers", "", "../x", "a/b"])
def test_an_organisation_nobody_knows_is_said_as_such(setting: Setting, tenant: str) -> None:
    with pytest.raises(Disconnected, match="organisation"):
        house(setting).enter(tenant, JOHN, NOW)


@pytest.mark.parametrize("kind", ["before", "reset", "truncate"])
def test_a_token_that_does_not_come_is_asked_for_again(setting: Setting, kind: str) -> None:
    setting.clock.forward(2 * HOUR)
    setting.fault("POST /token", kind)
    with pytest.raises(Unreachable):
        pages(setting.open())
    assert pages(setting.open())[-1].full


def test_a_token_that_was_withdrawn_is_renewed_in_between(setting: Setting) -> None:
    exchange(setting).world.access.clear()
    assert pages(setting.open())[-1].full


def test_the_subject_of_a_mailbox_is_its_organisation_and_address(setting: Setting) -> None:
    tenant = exchange(setting).world.tenant
    told: Any = [house(setting).enter(tenant, login, NOW).subject for login in (JOHN, JOHN.upper())]
    assert told == [f"{tenant}.{JOHN}"] * 2
