"""The contract of every adapter: accounts, access, calendars, busy times."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from gateway.bridge.remote import CalendarGone, Disconnected, Throttled, Unreachable
from gateway.model import Span
from tests.bridge.contract.setting import BACK, DONE, HOUR, KEY, NOW, PARIS, UNDONE, VERIFIER, WINDOW, Setting, outcome, owned, pages


class AccountContract:
    """What a House does."""

    def test_a_consent_brings_a_lasting_access_to_the_person_who_gave_it(self, setting: Setting) -> None:
        grant = setting.connect()
        assert grant.login == setting.login
        assert grant.subject
        assert grant.missing == ()
        assert setting.open(calendar=setting.calendar).get("nothing00") is None

    def test_the_same_person_has_the_same_subject_again(self, setting: Setting) -> None:
        assert setting.connect().subject == setting.connect().subject

    def test_the_consent_address_carries_a_challenge_and_not_the_verifier(self, setting: Setting) -> None:
        asked = parse_qs(urlsplit(setting.house.consent(state="s", verifier=VERIFIER, redirect=BACK)).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert VERIFIER not in str(asked)

    def test_a_code_without_its_verifier_is_worth_nothing(self, setting: Setting) -> None:
        address = setting.house.consent(state="s", verifier=VERIFIER, redirect=BACK, login=setting.login)
        _, headers, _ = setting.wire("GET", address + "&approve=auto", {}, None)
        code = dict(parse_qsl(urlsplit(headers["location"]).query))["code"]
        with pytest.raises(Disconnected):
            setting.house.redeem(code=code, verifier="w" * 50, redirect=BACK, now=NOW)

    def test_a_code_is_worth_something_once(self, setting: Setting) -> None:
        address = setting.house.consent(state="s", verifier=VERIFIER, redirect=BACK, login=setting.login)
        _, headers, _ = setting.wire("GET", address + "&approve=auto", {}, None)
        code = dict(parse_qsl(urlsplit(headers["location"]).query))["code"]
        setting.house.redeem(code=code, verifier=VERIFIER, redirect=BACK, now=NOW)
        with pytest.raises(Disconnected):
            setting.house.redeem(code=code, verifier=VERIFIER, redirect=BACK, now=NOW)

    def test_access_that_has_run_out_is_renewed_and_kept_before_it_is_used(self, setting: Setting) -> None:
        remote = setting.open()
        remote.create(KEY, owned())
        setting.clock.forward(2 * HOUR)
        before = len(setting.kept.history)
        assert setting.open().find(KEY) is not None
        assert len(setting.kept.history) == before + 1
        tokens = [number for number, (_, address) in enumerate(setting.wire.sent) if "/token" in address]
        setting.open().find(KEY)
        assert tokens == [number for number, (_, address) in enumerate(setting.wire.sent) if "/token" in address]

    def test_access_that_the_provider_has_forgotten_early_is_renewed_in_between(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        setting.fault("GET /events", "status:401")
        assert remote.get(made.id) is not None

    def test_an_access_that_was_revoked_is_disconnected_and_never_an_empty_list(self, setting: Setting) -> None:
        remote = setting.open()
        remote.create(KEY, owned())
        setting.control("revoke", account=setting.login)
        setting.clock.forward(2 * HOUR)
        for ask in (
            lambda: pages(setting.open()),
            lambda: setting.open().find(KEY),
            lambda: setting.house.calendars(setting.kept, setting.clock.now),
            lambda: setting.house.busy(setting.kept, [setting.calendar], WINDOW, setting.clock.now),
        ):
            with pytest.raises(Disconnected):
                ask()

    @pytest.mark.parametrize("kind", UNDONE + DONE)
    def test_a_renewal_that_breaks_off_loses_no_access_in_silence(self, setting: Setting, kind: str) -> None:
        """Where the provider rotates what renews the access, an answer that is lost may lose it; then it says so (I17)."""
        made = setting.open().create(KEY, owned())
        setting.clock.forward(2 * HOUR)
        setting.fault("POST /(.*/)?token", kind)
        first = outcome(lambda: setting.open().get(made.id))
        assert isinstance(first, (Unreachable, Throttled)) or kind == "duplicate"
        again = outcome(lambda: setting.open().get(made.id))
        assert again is None or (kind in DONE and isinstance(again, Disconnected))

    def test_giving_an_access_back_twice_is_no_error(self, setting: Setting) -> None:
        setting.house.revoke(setting.kept)
        setting.house.revoke(setting.kept)

    def test_a_calendar_of_our_own_is_the_persons_to_see(self, setting: Setting) -> None:
        made = setting.house.make_calendar(setting.kept, "Salon", PARIS, NOW)
        assert (made.title, made.primary, made.writable) == ("Salon", False, True)
        setting.open(calendar=made.id).create(KEY, owned())
        assert [each["calendar"] for each in setting.fake.events(setting.login) if each["ours"]] == [made.id]

    def test_busy_times_are_those_of_events_that_block(self, setting: Setting) -> None:
        primary = setting.act("create", title="Dentist", start="2026-03-03T10:00:00+01:00", end="2026-03-03T11:00:00+01:00")["calendar"]
        setting.act("create", title="Idea", start="2026-03-04T10:00:00+01:00", end="2026-03-04T11:00:00+01:00", busy=False)
        setting.act("create", title="Fair", start="2026-12-03T10:00:00+01:00", end="2026-12-03T12:00:00+01:00")
        dentist, fair = datetime(2026, 3, 3, 9, tzinfo=UTC), datetime(2026, 12, 3, 9, tzinfo=UTC)
        found = setting.house.busy(setting.kept, [primary], WINDOW, NOW)
        assert list(found) == [Span(dentist, dentist + HOUR), Span(fair, fair + 2 * HOUR)]

    def test_busy_times_are_times_and_nothing_else(self, setting: Setting) -> None:
        """Neither titles nor places, nor whose event it is; one time is told once, however many events there are."""
        private = setting.act("calendar", title="Private life")["calendar"]
        for title in ("Canary doctor", "Canary lawyer"):
            times = {"start": "2026-03-03T10:00:00+01:00", "end": "2026-03-03T11:00:00+01:00"}
            setting.act("create", calendar=private, title=title, location="Canary street", description="Canary", **times)
        found = setting.house.busy(setting.kept, [private], WINDOW, NOW)
        at = datetime(2026, 3, 3, 9, tzinfo=UTC)
        assert list(found) == [Span(at, at + HOUR)]
        assert all(type(each) is Span for each in found)
        assert setting.house.busy(setting.kept, [setting.calendar], WINDOW, NOW) == []

    def test_a_calendar_that_does_not_exist_is_not_free(self, setting: Setting) -> None:
        private = setting.act("calendar", title="Private life")["calendar"]
        setting.act("delete_calendar", id=private)
        with pytest.raises(CalendarGone):
            setting.house.busy(setting.kept, [private], WINDOW, NOW)

    def test_the_same_consent_may_ask_for_the_list_of_calendars(self, setting: Setting) -> None:
        address = setting.house.consent(state="s", verifier=VERIFIER, redirect=BACK, login=setting.login, others=True)
        _, headers, _ = setting.wire("GET", address + "&approve=auto", {}, None)
        told = dict(parse_qsl(urlsplit(headers["location"]).query))
        grant = setting.house.redeem(code=told["code"], verifier=VERIFIER, redirect=BACK, now=NOW)
        setting.kept.credential = grant.credential
        setting.act("calendar", title="Private life")
        found = setting.house.calendars(setting.kept, NOW)
        assert {"Private life", "Appointments"} <= {each.title for each in found}
        assert [each.primary for each in found].count(True) == 1
