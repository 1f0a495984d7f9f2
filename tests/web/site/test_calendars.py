"""Choosing the calendars of an account: the one that shows the appointments, and those that block; with the providers behind the door."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.links import Account, Provider, Standing
from gateway.users import Invitation, InvitationId
from tests.journey.wire import Answer, ask
from tests.web.elsewhere import DEMO, LOGIN, Elsewhere, reachable, switched_on
from tests.web.house import EMMA, JOHN, NOW, SETUP
from tests.web.site.people import EMMAS, JOHNS, Visitor, welcome

TOKEN = "invitation-of-john-0123456789"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    with reachable(tmp_path) as found:
        welcome(found.door.store)
        yield found


@pytest.fixture
def john(elsewhere: Elsewhere) -> Visitor:
    visitor = Visitor(elsewhere.door)
    assert visitor.sign_in(JOHNS).status == 303
    return visitor


def connect(elsewhere: Elsewhere, provider: Provider = Provider.OFFICE365, **more: object) -> Account:
    elsewhere.back(provider, elsewhere.agree(elsewhere.begin(provider, **more), LOGIN[provider]))
    return elsewhere.accounts()[-1]


def control(elsewhere: Elsewhere, provider: Provider, place: str, **body: object) -> Any:
    """As the control addresses have it."""
    fakes = elsewhere.fakes
    site = fakes.google if provider is Provider.GOOGLE else fakes.microsoft
    answer = ask("POST", f"{site.control}/{place}", json.dumps(body), {"Content-Type": "application/json"})
    assert answer.status == 200, answer.text
    return answer.json


def private(elsewhere: Elsewhere, provider: Provider = Provider.OFFICE365) -> str:
    """Another calendar of the account."""
    return str(control(elsewhere, provider, "act", account=LOGIN[provider], op="calendar", title="Private life")["calendar"])


def down(elsewhere: Elsewhere) -> None:
    control(elsewhere, Provider.OFFICE365, "fault", match="* /v1.0", kind="status:503", times=1000)


def blocking(elsewhere: Elsewhere) -> list[str]:
    with elsewhere.door.store.read(DEMO) as snapshot:
        return [each.title for each in snapshot.blocking()]


def deeds(elsewhere: Elsewhere) -> list[str]:
    with elsewhere.door.store.read(DEMO) as snapshot:
        return [each.what for each in snapshot.deeds(before=NOW + timedelta(days=1), limit=20)]


def ticked(page: Answer) -> dict[str, bool]:
    """What stands behind the checkboxes, and whether they are ticked."""
    found = re.findall(r'name="blocks" value="[^"]*"( checked)?> <span>([^<\n]+)', page.text)
    return {title.strip(): bool(checked) for checked, title in found}


def written(page: Answer) -> dict[str, bool]:
    found = re.findall(r'name="write" value="[^"]*"( checked)?> <span>([^<\n]+)', page.text)
    return {title.strip(): bool(checked) for checked, title in found if not title.startswith("nowhere")}


def test_after_connecting_the_way_leads_to_the_choice(elsewhere: Elsewhere, john: Visitor) -> None:
    back = elsewhere.agree(elsewhere.begin(Provider.GOOGLE, back="/me"))
    answer = elsewhere.back(Provider.GOOGLE, back)
    [account] = elsewhere.accounts()
    assert answer.headers["location"] == f"/me/calendars/{account.id}?said=connected"
    page = john.get(answer.headers["location"])
    assert page.status == 200
    assert "The calendar is connected." in page.text
    assert ticked(page) == {JOHN.email: False}


def test_the_calendars_that_block_are_chosen_and_deselected(elsewhere: Elsewhere, john: Visitor) -> None:
    account, name = connect(elsewhere), private(elsewhere)
    path = f"/me/calendars/{account.id}"
    assert ticked(john.get(path)) == {"Calendar": False, "Private life": False}
    answer = john.fill(path, {"blocks": [name]})
    assert (answer.status, answer.headers["location"]) == (303, "/me?said=calendars-chosen#calendars")
    assert "Busy times are read within a minute" in john.get("/me?said=calendars-chosen").text
    assert blocking(elsewhere) == ["Private life"]
    assert "link-blocking" in deeds(elsewhere)
    page = john.get(path)
    assert ticked(page) == {"Calendar": False, "Private life": True}
    assert "not read yet" in page.text
    assert john.fill(path, {}).status == 303
    assert blocking(elsewhere) == []


def test_another_calendar_shows_the_appointments(elsewhere: Elsewhere, john: Visitor) -> None:
    account, name = connect(elsewhere), private(elsewhere)
    path = f"/me/calendars/{account.id}"
    assert written(john.get(path)) == {"Calendar": False, "Demo Company: John Smith": True, "Private life": False}
    assert john.fill(path, {"write": name}).status == 303
    assert {link.title: link.standing for link in elsewhere.links()} == {
        "Demo Company: John Smith": Standing.ENDING,
        "Private life": Standing.ACTIVE,
    }
    assert "link-calendar" in deeds(elsewhere)
    page = john.get(path)
    assert written(page)["Private life"] is True
    assert "Private life" not in ticked(page)


def test_whoever_chooses_the_same_calendar_for_both_has_it_written_to(elsewhere: Elsewhere, john: Visitor) -> None:
    account, name = connect(elsewhere), private(elsewhere)
    assert john.fill(f"/me/calendars/{account.id}", {"write": name, "blocks": [name]}).status == 303
    assert blocking(elsewhere) == []


def test_with_the_least_consent_the_page_says_how_there_is_more(elsewhere: Elsewhere, john: Visitor) -> None:
    account = connect(elsewhere, Provider.GOOGLE)
    private(elsewhere, Provider.GOOGLE)
    path = f"/me/calendars/{account.id}"
    page = john.get(path)
    assert ticked(page) == {JOHN.email: False}
    assert "Only your main calendar can be chosen" in page.text
    sent = john.fill(path, {"provider": "google", "others": "on", "account": account.id}, to="/me/connect")
    assert "calendar.calendarlist.readonly" in sent.headers["location"]
    cookie = re.search(r"__Host-gateway-consent=([^;]+)", sent.headers["set-cookie"])
    assert cookie is not None
    answer = elsewhere.back(Provider.GOOGLE, elsewhere.agree(sent.headers["location"]), Cookie=f"__Host-gateway-consent={cookie[1]}")
    assert answer.headers["location"] == f"{path}?said=connected"
    page = john.get(path)
    assert ticked(page) == {JOHN.email: False, "Private life": False}
    assert "Only your main calendar" not in page.text
    assert "for that you have to allow us more" in page.text


class TestTrouble:
    def test_a_provider_that_does_not_answer_is_a_sentence_and_nothing_is_changed(self, elsewhere: Elsewhere, john: Visitor) -> None:
        account, name = connect(elsewhere), private(elsewhere)
        path = f"/me/calendars/{account.id}"
        down(elsewhere)
        page = john.get(path)
        assert page.status == 200
        assert "Please try again in a few minutes" in page.text
        answer = john.fill(path, {"blocks": [name], "write": name})
        assert answer.status == 409
        assert "Nothing was changed." in answer.text
        assert blocking(elsewhere) == []
        assert [link.title for link in elsewhere.links()] == ["Demo Company: John Smith"]

    def test_deselecting_needs_no_provider(self, elsewhere: Elsewhere, john: Visitor) -> None:
        account, name = connect(elsewhere), private(elsewhere)
        path = f"/me/calendars/{account.id}"
        john.fill(path, {"blocks": [name]})
        down(elsewhere)
        assert ticked(john.get(path)) == {"Private life": True}
        assert john.fill(path, {}).status == 303
        assert blocking(elsewhere) == []

    def test_a_calendar_nobody_offered_is_refused(self, elsewhere: Elsewhere, john: Visitor) -> None:
        account = connect(elsewhere)
        answer = john.fill(f"/me/calendars/{account.id}", {"blocks": ["emma's", "x" * 3000]})
        assert answer.status == 409
        assert "Please choose among those that are shown" in answer.text
        answer = john.fill(f"/me/calendars/{account.id}", {"write": "emma's"})
        assert answer.status == 409
        assert "Nothing was changed." in answer.text

    def test_s24_a_provider_that_is_switched_off_says_so(self, elsewhere: Elsewhere, john: Visitor) -> None:
        account, name = connect(elsewhere), private(elsewhere)
        switched_on(elsewhere.door.store, office365=False)
        path = f"/me/calendars/{account.id}"
        page = john.get(path)
        assert "Microsoft 365 is switched off. An administrator can switch it on under Calendar Sync." in page.text
        assert john.fill(path, {"blocks": [name]}).status == 409
        assert blocking(elsewhere) == []


class TestWhose:
    def test_nobody_sees_the_account_of_a_colleague(self, elsewhere: Elsewhere) -> None:
        account = connect(elsewhere)
        emma = Visitor(elsewhere.door)
        emma.sign_in(EMMAS)
        assert emma.get(f"/me/calendars/{account.id}").status == 404
        assert emma.fill("/me", {"blocks": ["x"]}, to=f"/me/calendars/{account.id}").status == 404

    def test_a_guest_chooses_for_the_account_of_the_invitation_only(self, elsewhere: Elsewhere) -> None:
        account, name = connect(elsewhere), private(elsewhere)
        with elsewhere.door.store.write(DEMO, SETUP) as tx:
            tx.add_account(replace(account, id="emmas", staff=EMMA.id, subject="2"), b"sealed")  # type: ignore[arg-type]  # an id
            until = NOW + timedelta(days=7)
            tx.invite(Invitation(id=InvitationId("i"), staff=JOHN.id, recipient=JOHN.email, subject="", sent=NOW, until=until), TOKEN)
        guest = Visitor(elsewhere.door)
        assert f"/connect/{TOKEN}/calendars/{account.id}" in guest.get(f"/connect/{TOKEN}").text
        path = f"/connect/{TOKEN}/calendars/{account.id}"
        page = guest.get(path)
        assert page.status == 200
        assert "/me/connect" not in page.text
        answer = guest.post(path, {"blocks": [name]})
        assert (answer.status, answer.headers["location"]) == (303, f"/connect/{TOKEN}?said=calendars-chosen")
        assert blocking(elsewhere) == ["Private life"]
        assert guest.get(f"/connect/{TOKEN}/calendars/emmas").status == 404
        assert guest.post(f"/connect/{TOKEN}/calendars/emmas", {}).status == 404
        assert guest.get(f"/connect/unknown/calendars/{account.id}").status == 404
        assert guest.post(path, {}, Origin="https://evil.example").status == 403
        assert blocking(elsewhere) == ["Private life"]

    def test_a_guest_of_an_invitation_that_has_ended_chooses_nothing(self, elsewhere: Elsewhere) -> None:
        account = connect(elsewhere)
        with elsewhere.door.store.write(DEMO, SETUP) as tx:
            until = NOW - timedelta(days=1)
            tx.invite(Invitation(id=InvitationId("i"), staff=JOHN.id, recipient=JOHN.email, subject="", sent=NOW, until=until), TOKEN)
        assert Visitor(elsewhere.door).get(f"/connect/{TOKEN}/calendars/{account.id}").status == 410


def test_an_account_may_only_say_when_one_is_busy(elsewhere: Elsewhere, john: Visitor) -> None:
    account, name = connect(elsewhere), private(elsewhere)
    path = f"/me/calendars/{account.id}"
    assert john.fill(path, {"write": "nowhere", "blocks": [name]}).status == 303
    assert [link.standing for link in elsewhere.links()] == [Standing.ENDING]
    assert blocking(elsewhere) == ["Private life"]
    with elsewhere.door.store.write(DEMO, SETUP) as tx:
        tx.save_link(replace(elsewhere.links()[0], standing=Standing.ENDED))
    page = john.get("/me")
    assert "only asked when you are busy" in page.text
    assert path in page.text
    assert ticked(john.get(path)) == {"Calendar": False, "Private life": True}
    assert "Your appointments are shown in" not in john.get(path).text


def test_whoever_deselects_the_last_calendar_of_such_an_account_gives_the_access_back(elsewhere: Elsewhere, john: Visitor) -> None:
    account = connect(elsewhere, Provider.GOOGLE)
    path = f"/me/calendars/{account.id}"
    assert john.fill(path, {"write": "nowhere", "blocks": [JOHN.email]}).status == 303
    with elsewhere.door.store.write(DEMO, SETUP) as tx:
        tx.save_link(replace(elsewhere.links()[0], standing=Standing.ENDED))
    assert john.fill(path, {}).status == 303
    assert blocking(elsewhere) == []
    asked = ask("GET", f"{elsewhere.fakes.google.control}/requests").json
    assert [each["path"] for each in asked if "revoke" in each["path"]] == ["/revoke"]
