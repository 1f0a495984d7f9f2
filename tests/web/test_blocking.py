"""REST about the calendars of an account: which there are, which block, and when a booking is refused because of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.bridge.reach import UNSEEN
from gateway.links import Provider
from gateway.model import Span
from tests.journey.wire import ask
from tests.web.elsewhere import DEMO, Elsewhere, reachable, switched_on
from tests.web.house import JOHN, NOW, OTHER_KEY, SETUP

AT = NOW + timedelta(days=1, hours=2)  # 11:00 in Paris
DOWN = {"match": "* /v1.0", "kind": "status:503", "times": 100}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    with reachable(tmp_path) as found:
        yield found


def connect(elsewhere: Elsewhere, provider: Provider = Provider.OFFICE365) -> str:
    """The link."""
    elsewhere.back(provider, elsewhere.agree(elsewhere.begin(provider)))
    return str(elsewhere.links()[-1].id)


def test_the_calendars_of_an_account_are_listed_as_the_provider_has_them(elsewhere: Elsewhere) -> None:
    link = connect(elsewhere)
    answer = elsewhere.door.api("GET", f"/links/{link}/calendars")
    assert answer.status == 200
    assert answer.json["listed"] is True
    rows = {each["title"]: each for each in answer.json["items"]}
    assert set(rows) == {"Calendar", "Demo Company: John Smith"}
    main, ours = rows["Calendar"], rows["Demo Company: John Smith"]
    assert (main["primary"], main["writable"], main["written"], main["may_block"], main["blocks"]) == (True, True, False, True, False)
    assert (ours["primary"], ours["writable"], ours["written"], ours["may_block"], ours["blocks"]) == (False, True, True, False, False)


def test_a_calendar_blocks_and_is_deselected(elsewhere: Elsewhere) -> None:
    link, door = connect(elsewhere), elsewhere.door
    main = next(each for each in door.api("GET", f"/links/{link}/calendars").json["items"] if each["primary"])
    answer = door.api("PUT", f"/links/{link}/blocking", {"calendars": [{"id": main["id"], "title": main["title"]}]})
    assert answer.status == 200
    assert [(each["id"], each["blocks"], each["confirmed"]) for each in answer.json["items"]] == [(main["id"], True, None)]
    with door.store.write(DEMO, SETUP) as tx:
        [kept] = tx.blocking()
        tx.put_busy(JOHN.id, kept.origin, [Span(AT, AT + timedelta(hours=1))], NOW)
        assert [(each.what, each.after) for each in tx.deeds(before=NOW + timedelta(days=1), limit=1)] == [
            ("link-blocking", {"calendars": 1})
        ]
    booking = {"staff": "john", "service": "advice", "customer_id": "ann", "start": AT.isoformat()}
    refused = door.api("POST", "/appointments", booking)
    assert (refused.status, refused.json["reason"]) == (409, "taken")
    window = {"from": NOW.isoformat(), "to": (NOW + timedelta(days=2)).isoformat()}
    told = door.api("GET", "/staff/john/free-busy", query=window).json
    assert [each["kind"] for each in told["sources"]] == ["account"]
    assert [each["start"] for each in told["busy"]] == ["2026-11-25T11:00:00+01:00"]
    [shown] = [each for each in door.api("GET", f"/links/{link}/calendars").json["items"] if each["blocks"]]
    assert shown["confirmed"] == "2026-11-24T09:00:00+01:00"
    assert door.api("PUT", f"/links/{link}/blocking", {"calendars": []}).json == {"items": []}
    assert door.api("POST", "/appointments", booking).status == 201


def test_a_calendar_that_is_written_to_cannot_block(elsewhere: Elsewhere) -> None:
    link = connect(elsewhere)
    answer = elsewhere.door.api("PUT", f"/links/{link}/blocking", {"calendars": [{"id": elsewhere.links()[0].calendar}]})
    assert answer.status == 422
    assert "other people's events in it block already" in answer.json["detail"]


@pytest.mark.parametrize("body", [{}, {"calendars": [{"title": "x"}]}, {"calendars": [{"id": ""}]}, {"calendars": [{"id": "x"}] * 51}])
def test_what_is_no_choice_is_refused(elsewhere: Elsewhere, body: dict[str, object]) -> None:
    link = connect(elsewhere)
    assert elsewhere.door.api("PUT", f"/links/{link}/blocking", body).status == 422


def test_what_the_consent_does_not_allow_says_how_to_grant_it(elsewhere: Elsewhere) -> None:
    link, door = connect(elsewhere, Provider.GOOGLE), elsewhere.door
    answer = door.api("GET", f"/links/{link}/calendars")
    assert answer.json["listed"] is False
    assert [each["id"] for each in answer.json["items"] if each["may_block"]] == [JOHN.email]
    with door.store.write(DEMO, SETUP) as tx:
        [account] = tx.accounts()
        tx.save_account(replace(account, scopes=tuple(each for each in account.scopes if "freebusy" not in each)))
    refused = door.api("PUT", f"/links/{link}/blocking", {"calendars": [{"id": JOHN.email}]})
    assert (refused.status, refused.json["detail"]) == (409, UNSEEN)


def test_s26_a_provider_that_is_switched_off_is_not_asked(elsewhere: Elsewhere) -> None:
    link, door = connect(elsewhere), elsewhere.door
    switched_on(door.store, office365=False)
    for answer in (door.api("GET", f"/links/{link}/calendars"), door.api("PUT", f"/links/{link}/blocking", {"calendars": []})):
        assert answer.status == 409
        assert "An administrator can switch it on" in answer.json["detail"]


def test_nobody_elses_account_is_asked_or_changed(elsewhere: Elsewhere) -> None:
    link, door = connect(elsewhere), elsewhere.door
    assert door.api("GET", f"/links/{link}/calendars", key=OTHER_KEY).status == 404
    assert door.api("PUT", f"/links/{link}/blocking", {"calendars": []}, key=OTHER_KEY).status == 404
    assert door.api("GET", "/links/none/calendars").status == 404


@pytest.mark.parametrize(("place", "body", "status"), [("revoke", {"account": JOHN.email}, 409), ("fault", DOWN, 503)])
def test_trouble_at_the_provider_is_a_problem_with_a_sentence(
    elsewhere: Elsewhere, place: str, body: dict[str, object], status: int
) -> None:
    link, door = connect(elsewhere), elsewhere.door
    steered = ask("POST", f"{elsewhere.fakes.microsoft.control}/{place}", json.dumps(body), {"Content-Type": "application/json"})
    assert steered.status == 200
    answer = door.api("GET", f"/links/{link}/calendars")
    assert answer.status == status
    assert "Microsoft" in answer.json["detail"]
