"""What the doctor says about calendars elsewhere, and what an appointment's life tells about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.cli import beyond
from gateway.cli.finding import Finding, Health
from gateway.links import (
    Access,
    Account,
    AccountId,
    Blocking,
    Condition,
    Happening,
    Item,
    Key,
    Link,
    LinkId,
    Owned,
    Provider,
    Source,
    Standing,
    Todo,
)
from gateway.model import Actor, EntryId, Span
from gateway.settings import Database, Google, Microsoft, Settings, Sync
from gateway.store import Store, Transaction
from tests.cli.house import Shell

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SETUP = Actor("setup", "import")
BARE = Settings.model_construct(google=Google(), microsoft=Microsoft(), sync=Sync(), database=Database(url="sqlite:///data/x.sqlite"))
APPS = BARE.model_copy(
    update={"google": Google(client_id="a", client_secret="b"), "microsoft": Microsoft(client_id="c", client_secret="d")}
)


def linked(tx: Transaction, number: int = 1, **more: Any) -> Link:
    person = tx.staff_by_handle("john-smith")
    account = Account(
        id=AccountId(f"account-{number}"),
        staff=person.id,
        provider=Provider.GOOGLE,
        login="john@example.com",
        subject=f"{number}",
        created=NOW,
    )
    tx.add_account(account, b"sealed")
    link = Link(
        id=LinkId(f"link-{number}"),
        account=account.id,
        staff=person.id,
        calendar="there",
        title="Appointments",
        own=True,
        due=NOW,
        created=NOW - DAY,
        **{"pulled": NOW, **more},
    )
    tx.add_link(link)
    return link


@pytest.fixture
def store(gateway: Shell) -> Any:
    gateway.json("settings", "set", "--google", "--office365")
    with gateway.store() as store:
        yield store


def write(store: Store) -> Any:
    [company] = store.companies()
    return store.write(company.id, SETUP)


def about(store: Store, what: str, settings: Settings = APPS) -> list[Finding]:
    return [each for each in beyond.findings(settings, store, NOW) if each.what == what]


def test_a_switch_without_an_app_is_broken_and_the_step_names_the_address_to_register(store: Store) -> None:
    for house in ("google", "microsoft"):
        [finding] = about(store, house, BARE)
        assert finding.health is Health.BROKEN
        assert f"/connect/{house}/callback" in finding.next_step


def test_an_app_is_well_and_google_s_testing_mode_is_mentioned(store: Store) -> None:
    [google], [microsoft] = about(store, "google"), about(store, "microsoft")
    assert (google.health, microsoft.health) == (Health.OK, Health.OK)
    assert "seven days" in google.sentence


def test_an_app_without_its_secret_is_broken(store: Store) -> None:
    [finding] = about(store, "google", APPS.model_copy(update={"google": Google(client_id="a")}))
    assert finding.health is Health.BROKEN


def test_without_links_nothing_is_said_about_them(store: Store) -> None:
    assert about(store, "calendars elsewhere") == []
    assert about(store, "external calendars") == []


def test_links_at_work_are_well(store: Store) -> None:
    with write(store) as tx:
        linked(tx)
    assert [each.health for each in about(store, "calendars elsewhere")] == [Health.OK, Health.OK]


@pytest.mark.parametrize(("age", "health"), [(5 * MINUTE, Health.OK), (15 * MINUTE, Health.WARNING), (2 * 60 * MINUTE, Health.BROKEN)])
def test_the_older_the_oldest_look_the_worse(store: Store, age: timedelta, health: Health) -> None:
    with write(store) as tx:
        linked(tx, pulled=NOW - age)
    assert max(each.health for each in about(store, "calendars elsewhere") if "looked at" in each.sentence) == health


def test_accounts_that_are_cut_off_are_told_without_names(store: Store) -> None:
    with write(store) as tx:
        link = linked(tx)
        tx.save_account(replace(tx.account(link.account), access=Access.NEEDS_REAUTH, trouble="john@example.com has to sign in", since=NOW))
    [finding] = [each for each in about(store, "calendars elsewhere") if "cut off" in each.sentence]
    assert finding.health is Health.WARNING
    assert finding.sentence == "1 account is cut off: 1 at Google."


@pytest.mark.parametrize(("standing", "command"), [(Standing.SUSPENDED, "gateway link list"), (Standing.GUARD, "gateway link decide")])
def test_links_that_wait_for_a_person_come_with_the_command(store: Store, standing: Standing, command: str) -> None:
    with write(store) as tx:
        linked(tx, 1)
        linked(tx, 2, standing=standing)
    assert any(command in each.next_step for each in about(store, "calendars elsewhere"))


def test_events_that_are_refused_for_good_are_counted(store: Store) -> None:
    with write(store) as tx:
        link = linked(tx)
        for number in range(2):
            tx.save_item(Item(link=link.id, key=Key(entry=EntryId(f"{number}")), condition=Condition.DEAD, trouble="no"), NOW)
    assert any(each.sentence.startswith("2 events are refused") for each in about(store, "calendars elsewhere"))


def test_an_external_calendar_that_fails_for_days_is_a_warning(store: Store) -> None:
    with write(store) as tx:
        john, emma, *_ = tx.all_staff()
        for person in (john, emma):
            tx.save_source(Source(staff=person.id, due=NOW), b"sealed")
    assert [each.health for each in about(store, "external calendars")] == [Health.OK]
    with write(store) as tx:
        tx.save_source(Source(staff=emma.id, due=NOW, failing=NOW - 2 * DAY, trouble="gone"))
    [finding] = about(store, "external calendars")
    assert (finding.health, emma.handle in finding.sentence, john.handle in finding.sentence) == (Health.WARNING, True, False)


def test_a_queue_on_the_embedded_database_is_broken(store: Store) -> None:
    [finding] = about(store, "queue", APPS.model_copy(update={"sync": Sync(carrier="procrastinate")}))
    assert (finding.health, "PostgreSQL" in finding.sentence) == (Health.BROKEN, True)


def booked(gateway: Shell) -> str:
    start = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT10:00")
    words = ("--staff", "john-smith", "--service", "Advice", "--customer", "ann.canary@example.com", "--start", start)
    return str(gateway.json("appointment", "add", *words)["id"])


def test_the_life_of_an_appointment_tells_how_it_stands_elsewhere(gateway: Shell, store: Store) -> None:
    made = booked(gateway)
    assert gateway.json("explain", made)["mirrors"] == []
    with write(store) as tx:
        link = linked(tx)
    [row] = gateway.json("explain", made)["mirrors"]
    assert (row["state"], row["calendar"]) == ("not there (yet)", "google john@example.com")

    shown = Owned(span=Span(NOW, NOW + 30 * MINUTE), zone="Europe/Paris", title="Advice")
    with write(store) as tx:
        tx.save_item(
            Item(link=link.id, key=Key(entry=EntryId(made)), remote="abc", base=shown, todo=Todo.UPDATE, draft=shown, attempts=2), NOW
        )
        tx.note(link.id, Happening(at=NOW, kind="moved", sentence="It was moved there.", entry=EntryId(made)))
    told = gateway.json("explain", made)
    [row], [line] = told["mirrors"], told["mirror_history"]
    assert (row["state"], row["event"], row["attempts"]) == ("about to be changed there", "abc", 2)
    assert row["shown_there"] == "2026-11-25T09:00:00+01:00"
    assert (line["kind"], line["sentence"]) == ("moved", "It was moved there.")
    assert "In calendars elsewhere" in gateway("explain", made).out


@pytest.mark.parametrize(("since", "health"), [(None, Health.OK), (60 * MINUTE, Health.OK), (25 * 60 * MINUTE, Health.WARNING)])
def test_a_calendar_that_blocks_and_is_not_read_for_a_day_is_told(store: Store, since: timedelta | None, health: Health) -> None:
    assert about(store, "calendars that block") == []
    with write(store) as tx:
        link = linked(tx)
        failing = None if since is None else NOW - since
        tx.add_blocking(Blocking(account=link.account, calendar="private", title="Private life", due=NOW, failing=failing))
    [finding] = about(store, "calendars that block")
    assert finding.health is health
    assert "Private life" not in finding.sentence
    assert ("gateway link busy LINK" in finding.next_step) == (health is Health.WARNING)
