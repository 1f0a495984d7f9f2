"""Consent and access at Google (bridge.md §2.9)."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.bridge.google.house import FREE_BUSY, LIST, OWN, OWNED
from gateway.bridge.remote import CalendarGone, Disconnected, Unreachable
from gateway.bridge.sending import Answer
from tests.bridge.contract import BACK, KEY, NOW, PARIS, VERIFIER, WINDOW, Setting, owned, pages
from tests.bridge.google.wires import telling


def asked(setting: Setting, *, primary: bool = False) -> dict[str, list[str]]:
    address = setting.house.consent(state="s", verifier=VERIFIER, redirect=BACK, login=setting.login, primary=primary)
    return parse_qs(urlsplit(address).query)


def token(**answer: object) -> Answer:
    return 200, {"content-type": "application/json"}, json.dumps(answer).encode()


def test_a_calendar_of_our_own_is_all_that_is_asked_for(setting: Setting) -> None:
    wish = asked(setting)
    assert set(wish["scope"][0].split()) == {"openid", "email", OWN, FREE_BUSY}
    assert (wish["access_type"], wish["prompt"], wish["include_granted_scopes"]) == (["offline"], ["consent"], ["false"])
    assert wish["login_hint"] == [setting.login]


def test_the_persons_own_calendar_is_an_upgrade_that_has_to_be_asked_for(setting: Setting) -> None:
    assert set(asked(setting, primary=True)["scope"][0].split()) == {"openid", "email", OWNED, LIST, FREE_BUSY}
    setting.connect(primary=True)
    setting.act("calendar", title="Football")
    found = {each.title: each for each in setting.house.calendars(setting.kept, NOW)}
    assert set(found) == {setting.login, "Football", "Appointments"}
    assert [each.title for each in found.values() if each.primary] == [setting.login]
    assert all(each.writable for each in found.values())
    made = setting.open(calendar=found[setting.login].id).create(KEY, owned())
    assert [each["id"] for each in setting.fake.events(setting.login)] == [made.id]


def test_seeing_which_calendars_there_are_has_to_be_asked_for_as_well(setting: Setting) -> None:
    def wanted(**more: bool) -> set[str]:
        address = setting.house.consent(state="s", verifier=VERIFIER, redirect=BACK, login=setting.login, **more)
        return set(parse_qs(urlsplit(address).query)["scope"][0].split()) - {"openid", "email"}

    assert wanted(others=True) == {OWN, LIST, FREE_BUSY}
    assert wanted(others=True, primary=True) == {OWN, OWNED, LIST, FREE_BUSY}


def test_without_leave_to_see_when_the_person_is_busy_the_rest_goes_on(setting: Setting) -> None:
    """The access is sound: it is no reason to ask the person to sign in again."""
    setting.control("knobs", untick=["calendar.freebusy"])
    setting.connect()
    with pytest.raises(CalendarGone, match="leave that box ticked"):
        setting.house.busy(setting.kept, [setting.login], WINDOW, NOW)


def test_the_default_consent_sees_no_list_of_calendars(setting: Setting) -> None:
    assert setting.house.calendars(setting.kept, NOW) == []


def test_every_page_of_the_list_of_calendars_is_read(setting: Setting) -> None:
    setting.connect(primary=True)
    for number in range(120):
        setting.act("calendar", title=f"c{number}")
    assert len(setting.house.calendars(setting.kept, NOW)) == 122


def test_what_the_person_unticked_is_named(setting: Setting) -> None:
    """Granular consent: the connection works, with less."""
    setting.control("knobs", untick=["calendar.freebusy"])
    grant = setting.connect()
    assert grant.missing == ("see when you are busy",)
    assert FREE_BUSY not in grant.scopes
    setting.open().create(KEY, owned())


def test_without_leave_to_write_nothing_is_connected(setting: Setting) -> None:
    setting.control("knobs", untick=["calendar.app.created"])
    with pytest.raises(Disconnected, match="every box"):
        setting.connect()


@pytest.mark.parametrize("lacking", ["refresh_token", "scope", "id_token"])
def test_half_a_consent_is_none(setting: Setting, lacking: str) -> None:
    whole = {"refresh_token": "r", "access_token": "a", "scope": f"openid {OWN}", "id_token": "x.eyJzdWIiOiAiMSJ9.x", "expires_in": 3599}
    telling(setting).instead = lambda method, path: token(**whole) if path == "/token" else None
    assert setting.house.redeem(code="c", verifier=VERIFIER, redirect=BACK, now=NOW).subject == "1"
    del whole[lacking]
    with pytest.raises(Disconnected):
        setting.house.redeem(code="c", verifier=VERIFIER, redirect=BACK, now=NOW)


@pytest.mark.parametrize("kind", ["before", "after_commit", "reset", "truncate", "blackhole", "status:429"])
def test_a_code_whose_answer_is_lost_asks_for_another_try(setting: Setting, kind: str) -> None:
    setting.fault("POST /token", kind)
    with pytest.raises(Unreachable):
        setting.connect()
    setting.connect()


def test_a_rotated_refresh_token_is_kept_before_the_access_is_used(setting: Setting) -> None:
    """bridge.md §4, 43."""
    used: list[bytes] = []

    def instead(method: str, path: str) -> Answer | None:
        if path == "/token":
            return token(access_token="fresh", refresh_token="rotated", expires_in=3599, token_type="Bearer")
        used.append(setting.kept.read())
        return token(items=[], nextSyncToken="t")

    setting.clock.forward(timedelta(hours=2))
    telling(setting).instead = instead
    pages(setting.open())
    assert json.loads(used[0])["refresh_token"] == "rotated"
    assert telling(setting).headers[-1]["authorization"] == "Bearer fresh"


def test_an_access_that_another_turn_has_renewed_is_taken_over(setting: Setting) -> None:
    """A second worker adopts its peer's token instead of spending another (bridge.md §3.7)."""
    one, two = setting.open(), setting.open()
    one.find(KEY)
    two.find(KEY)
    setting.fake.world.access.clear()
    one.find(KEY)
    before = len(setting.kept.history)
    two.find(KEY)
    assert len(setting.kept.history) == before


def test_a_consent_of_a_screen_in_testing_dies_after_seven_days(setting: Setting) -> None:
    """bridge.md §4, 41: a dead access is visible, and never retried in silence."""
    setting.control("knobs", testing=True)
    setting.settle()
    setting.clock.forward(timedelta(days=6))
    pages(setting.open())
    setting.clock.forward(timedelta(days=2))
    with pytest.raises(Disconnected):
        pages(setting.open())


def test_an_access_idle_for_half_a_year_is_dead(setting: Setting) -> None:
    setting.clock.forward(timedelta(days=200))
    with pytest.raises(Disconnected):
        pages(setting.open())


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
def test_a_wrong_secret_of_the_gateway_does_not_ask_every_person_to_sign_in_again(setting: Setting, error: str) -> None:
    setting.clock.forward(timedelta(hours=2))
    refusal = 401, {"content-type": "application/json"}, json.dumps({"error": error}).encode()
    telling(setting).instead = lambda method, path: refusal if path == "/token" else None
    with pytest.raises(Unreachable, match="client id"):
        pages(setting.open())


def test_an_organisation_that_forbids_the_app_needs_its_administrator(setting: Setting) -> None:
    setting.clock.forward(timedelta(hours=2))
    refusal = 400, {"content-type": "application/json"}, b'{"error": "admin_policy_enforced"}'
    telling(setting).instead = lambda method, path: refusal if path == "/token" else None
    with pytest.raises(Disconnected) as caught:
        pages(setting.open())
    assert caught.value.admin


def test_an_access_that_is_given_back_is_worth_nothing_any_more(setting: Setting) -> None:
    setting.house.revoke(setting.kept)
    assert setting.fake.world.grants == []
    setting.clock.forward(timedelta(hours=2))
    with pytest.raises(Disconnected):
        pages(setting.open())


def test_a_calendar_is_at_home_where_the_staff_member_is(setting: Setting) -> None:
    made = setting.house.make_calendar(setting.kept, "Salon", "Asia/Tokyo", NOW)
    assert setting.fake.world.calendars[made.id].zone == "Asia/Tokyo"
    assert setting.fake.world.calendars[setting.calendar].zone == PARIS
