"""REST about calendars elsewhere: how links stand, what can be done about them, and that every refusal says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.links import Access, AccountId, Condition, Item, Key, LinkId, Source, Standing, Todo
from gateway.model import CompanyId, EntryId
from gateway.store import Transaction
from tests.web.house import EMMA, JOHN, NOW, OTHER_KEY, SETUP, Door, built, connected, opened

DEMO, LINK, BRAKED = CompanyId("demo"), LinkId("link"), LinkId("braked")
HOUR = timedelta(hours=1)


@pytest.fixture
def linked(tmp_path: Path) -> Iterator[Door]:
    with built(tmp_path) as store:
        connected(store)
        with store.write(DEMO, SETUP) as tx:
            save(tx, LINK, pulled=NOW, seen=tx.revision)
        with opened(store) as door:
            yield door


def save(tx: Transaction, link: LinkId, **more: Any) -> None:
    tx.save_link(replace(tx.link(link), **more))


def write(door: Door, link: LinkId = LINK, **more: Any) -> None:
    with door.store.write(DEMO, SETUP) as tx:
        save(tx, link, **more)


def put(door: Door, name: str, link: LinkId = LINK, **more: Any) -> None:
    with door.store.write(DEMO, SETUP) as tx:
        tx.save_item(Item(link=link, key=Key(entry=EntryId(name)), **more), NOW)


def deeds(door: Door) -> list[tuple[str, dict[str, Any]]]:
    with door.store.read(DEMO) as snapshot:
        return [(each.what, dict(each.after)) for each in snapshot.deeds(before=NOW + HOUR, limit=20)]


def test_a_link_tells_how_it_stands_and_what_waits(linked: Door) -> None:
    put(linked, "a", todo=Todo.CREATE)
    put(linked, "b", condition=Condition.DEAD, trouble="The time range is empty.")
    shown = linked.api("GET", "/links/link").json
    assert (shown["staff"], shown["provider"], shown["login"], shown["standing"]) == ("john", "google", JOHN.email, "active")
    assert (shown["status"], shown["trouble"], shown["next_step"]) == ("green", "", "")
    assert (shown["waiting"], shown["dead"], shown["undecided"]) == (1, 1, 0)
    assert shown["last_complete_look"] == shown["oldest_unsent"] == "2026-11-24T09:00:00+01:00"


def test_what_was_booked_and_is_not_there_yet_waits_since_it_was_booked(linked: Door) -> None:
    linked.clock.now = NOW + HOUR
    linked.book()
    linked.book("2026-11-26T10:00:00+01:00")
    shown = linked.api("GET", "/links/link").json
    assert (shown["waiting"], shown["oldest_unsent"]) == (2, "2026-11-24T10:00:00+01:00")


def test_links_are_listed_by_staff_member_without_those_that_have_ended(linked: Door) -> None:
    assert [each["id"] for each in linked.api("GET", "/links").json["items"]] == ["braked", "link"]
    write(linked, standing=Standing.ENDED)
    assert [each["id"] for each in linked.api("GET", "/links").json["items"]] == ["braked"]
    assert [each["id"] for each in linked.api("GET", "/links", query={"ended": "true"}).json["items"]] == ["braked", "link"]
    assert [each["id"] for each in linked.api("GET", "/links", query={"staff": JOHN.handle}).json["items"]] == ["braked"]
    assert linked.api("GET", "/links", query={"staff": EMMA.handle}).json["items"] == []


@pytest.mark.parametrize(("paused", "standing", "status"), [(True, "paused", "grey"), (False, "active", "green")], ids=["paused", "active"])
def test_a_link_is_paused_and_resumed(linked: Door, paused: bool, standing: str, status: str) -> None:
    write(linked, standing=Standing.ACTIVE if paused else Standing.PAUSED)
    answer = linked.api("PATCH", "/links/link", {"paused": paused})
    assert answer.status == 200, answer.text
    assert (answer.json["standing"], answer.json["status"]) == (standing, status)
    assert linked.woken
    assert ("link", {"standing": standing}) in deeds(linked)


def test_direction_level_and_what_a_deletion_means_are_changed(linked: Door) -> None:
    sent = {"direction": "both", "level": "busy", "on_delete": "restore"}
    answer = linked.api("PATCH", "/links/link", sent).json
    assert {name: answer[name] for name in sent} == sent
    assert deeds(linked)[0] == ("link", sent)


def test_s21_two_ways_are_refused_where_the_company_takes_over_no_moves(linked: Door) -> None:
    linked.api("PUT", "/settings", {"bidirectional": False})
    answer = linked.api("PATCH", "/links/link", {"direction": "both"})
    assert answer.status == 409
    assert "An administrator can switch that on under Calendar Sync" in answer.json["detail"]
    assert linked.api("PUT", "/settings", {"bidirectional": True}).json["bidirectional"] is True
    assert linked.api("GET", "/links/link").json["direction"] == "out"


@pytest.mark.parametrize("remove", ["true", "false"])
def test_a_link_is_disconnected_with_or_without_our_events(linked: Door, remove: str) -> None:
    answer = linked.api("DELETE", "/links/link", query={"remove": remove})
    assert answer.status == 200, answer.text
    assert answer.json["standing"] == ("ending" if remove == "true" else "ended")
    assert deeds(linked)[0] == ("link-disconnected", {"remove": remove == "true"})


def test_what_a_brake_holds_back_is_decided(linked: Door) -> None:
    answer = linked.api("POST", "/links/braked/decide", {"meant": False}).json
    assert (answer["standing"], answer["direction"]) == ("active", "out")
    again = linked.api("POST", "/links/braked/decide", {"meant": True})
    assert (again.status, again.json["detail"]) == (409, "Nothing waits for a decision here.")


def test_a_brake_is_not_resumed_without_a_decision(linked: Door) -> None:
    answer = linked.api("PATCH", "/links/braked", {"paused": False})
    assert answer.status == 409
    assert "Please say first whether what is held back was meant" in answer.json["detail"]


def test_troubles_are_listed_with_the_providers_sentence_and_settled_one_by_one(linked: Door) -> None:
    put(linked, "a", condition=Condition.DEAD, remote="r", trouble="The time range is empty.")
    put(linked, "b", condition=Condition.FOREIGN, remote="f")
    assert linked.api("GET", "/links/link/troubles").json["items"] == [
        {"appointment": "a", "occurrence": None, "condition": "dead", "trouble": "The time range is empty."}
    ]
    assert linked.api("POST", "/links/link/settle", {"appointment": "a", "keep": True}).json == {"items": 1}
    assert linked.api("GET", "/links/link/troubles").json["items"] == []
    again = linked.api("POST", "/links/link/settle", {"appointment": "a", "keep": True})
    assert again.status == 404
    assert "Nothing about this appointment waits" in again.json["detail"]


def test_dead_letters_are_tried_again(linked: Door) -> None:
    put(linked, "a", condition=Condition.DEAD, remote="r")
    assert linked.api("POST", "/links/link/retry").json == {"items": 1}
    assert linked.api("GET", "/links/link").json["dead"] == 0
    assert linked.api("GET", "/links/link/history").json["items"][0]["sentence"] == "1 events are tried once more."


@pytest.mark.parametrize("switch", ["google"])
def test_s24_a_provider_that_is_switched_off_says_so_everywhere(linked: Door, switch: str) -> None:
    assert linked.api("PUT", "/settings", {switch: False}).json[switch] is False
    for link in linked.api("GET", "/links").json["items"]:
        assert (link["status"], link["trouble"]) == ("grey", "Paused by your administrator.")
        assert link["next_step"] == "An administrator can switch Google Calendar on under Calendar Sync."
    assert linked.api("GET", "/status").json["paused"] == 2
    linked.api("PUT", "/settings", {switch: True})
    assert linked.api("GET", "/links/link").json["status"] == "green"


def test_s28_settings_are_written_down_with_before_and_after(linked: Door) -> None:
    linked.api("PUT", "/settings", {"hold_seconds": 30, "refusal": "restore"})
    linked.api("PUT", "/settings", {"hold_seconds": 30})
    with linked.store.read(DEMO) as snapshot:
        [deed] = snapshot.deeds(before=NOW + HOUR, limit=20, what="settings")
    assert (deed.before["hold_seconds"], deed.after["hold_seconds"], deed.door) == (0, 30, "rest")


def test_the_strip_of_numbers_tells_who_has_to_do_something(linked: Door) -> None:
    put(linked, "a", condition=Condition.DEAD)
    put(linked, "b", todo=Todo.UPDATE)
    with linked.store.write(DEMO, SETUP) as tx:
        tx.save_source(Source(staff=EMMA.id, due=NOW, failing=NOW, trouble="404"), b"sealed")
        save(tx, LINK, seen=tx.revision)
        save(tx, BRAKED, seen=tx.revision)
    status = linked.api("GET", "/status").json
    assert status == {
        "staff": 2,
        "connected": 1,
        "never_connected": 1,
        "in_sync": 1,
        "broken": 1,
        "paused": 0,
        "one_way": 1,
        "decisions": 2,
        "waiting": 1,
        "dead": 1,
        "external_failing": 1,
        "oldest_complete_look": "2026-11-24T09:00:00+01:00",
        "oldest_unsent": "2026-11-24T09:00:00+01:00",
        "providers": [
            {"provider": "google", "switched_on": True, "configured": True},
            {"provider": "outlook", "switched_on": False, "configured": False},
            {"provider": "office365", "switched_on": False, "configured": False},
        ],
    }


def test_a_broken_access_is_red_with_a_next_step(linked: Door) -> None:
    with linked.store.write(DEMO, SETUP) as tx:
        account = tx.account(AccountId("account"))
        tx.save_account(replace(account, access=Access.NEEDS_REAUTH, trouble="Google no longer accepts the access.", since=NOW))
    shown = linked.api("GET", "/links/link").json
    assert (shown["status"], shown["access"], shown["trouble"]) == ("red", "needs_reauth", "Google no longer accepts the access.")
    assert shown["next_step"].startswith("Connect the account again")
    assert linked.api("GET", "/status").json["broken"] == 2


WRITES: list[tuple[str, str, Any]] = [
    ("PATCH", "", {"paused": True}),
    ("DELETE", "", None),
    ("POST", "/decide", {"meant": True}),
    ("POST", "/settle", {"appointment": "odd", "keep": True}),
    ("POST", "/retry", None),
]
READS: list[tuple[str, str, Any]] = [("GET", "", None), ("GET", "/history", None), ("GET", "/troubles", None)]


@pytest.mark.parametrize(("method", "path", "body"), [*READS, *WRITES])
def test_t4_a_link_of_another_company_is_missing_and_stays_as_it_is(linked: Door, method: str, path: str, body: Any) -> None:
    before = linked.api("GET", "/links").json
    theirs, nobodys = (linked.api(method, f"/links/{name}{path}", body, key=OTHER_KEY) for name in ("braked", "nobody"))
    assert theirs.status == nobodys.status == 404
    assert theirs.json | {"request_id": ""} == nobodys.json | {"request_id": ""}
    assert linked.api("GET", "/links").json == before
    assert linked.api("GET", "/links", key=OTHER_KEY).json["items"] == []
    assert linked.api("GET", "/status", key=OTHER_KEY).json["in_sync"] == 0


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/links", {"provider": "google"}, "staff"),
        ("/links", {"staff": "nobody", "provider": "google"}, "staff"),
        ("/links", {"staff": "john", "provider": "icloud"}, "provider"),
        ("/links", {"staff": "john", "provider": "google", "tenant_id": "other"}, "tenant_id"),
        ("/links", {"staff": "taylor", "provider": "google"}, "staff"),
        ("/links/braked/decide", {}, "meant"),
        ("/links/braked/settle", {"appointment": "odd"}, "keep"),
    ],
)
def test_what_is_wrong_in_a_body_is_named(linked: Door, path: str, body: dict[str, Any], field: str) -> None:
    answer = linked.api("POST", path, body)
    assert answer.status == 422, answer.text
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_a_provider_without_a_client_id_says_who_can_change_that(linked: Door) -> None:
    linked.api("PUT", "/settings", {"outlook": True})
    answer = linked.api("POST", "/links", {"staff": "john", "provider": "outlook"})
    assert answer.status == 409
    assert "Whoever runs this server sets it in the configuration" in answer.json["detail"]
