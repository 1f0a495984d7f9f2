"""Calendars elsewhere from the command line: connecting them by the providers' own pages, and everything that can be done with a link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway import app
from gateway.fakes import Fakes, running
from gateway.fakes.browser import consented
from gateway.links import Condition, Item, Key, LinkId, Owned, Standing
from gateway.model import Actor, EntryId, Span
from gateway.settings import load
from tests.cli.house import Shell

JOHN, EMMA, PRIVATE = "john.smith@example.com", "emma.morris@example.com", "john@outlook.example"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Crossed(Shell):
    """A shell whose settings point at the stand-ins."""

    fakes: Fakes | None = None

    @property
    def settings(self) -> dict[str, str]:
        return {**super().settings, **self.there.settings()}

    @property
    def there(self) -> Fakes:
        assert self.fakes is not None
        return self.fakes


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    with running(google=[JOHN], work=[JOHN, EMMA], personal=[PRIVATE], zone="Europe/Paris") as fakes:
        yield fakes


@pytest.fixture
def crossed(gateway: Shell, fakes: Fakes) -> Crossed:
    shell = Crossed(gateway.folder, fakes=fakes)
    shell.json("settings", "set", "--google", "--outlook", "--office365")
    return shell


def connected(shell: Crossed, provider: str = "google", login: str = JOHN) -> str:
    """The whole way; the link's id. The browser comes back to a server of the same installation."""
    address = shell.json("link", "connect", "john-smith", provider)["authorize_url"]
    back = consented(address, login, shell.there.ca_file)
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
            environment.delenv(name)
        for name, value in {**shell.settings, "GATEWAY_SERVER__PUBLIC_URL": "https://calendar.example.com"}.items():
            environment.setenv(name, value)
        with app.opened(load(None), clock=lambda: datetime.now(UTC)) as parts, app.crossing(parts).connecting() as accounts:
            return accounts.complete(back["state"], back["code"]).link


@pytest.mark.parametrize(("provider", "login"), [("google", JOHN), ("office365", JOHN), ("outlook", PRIVATE)])
def test_a_calendar_is_connected_by_the_address_a_command_shows(crossed: Crossed, provider: str, login: str) -> None:
    link = connected(crossed, provider, login)
    [row] = crossed.json("link", "list")
    assert (row["id"], row["staff"], row["provider"], row["login"]) == (link, "john-smith", provider, login)
    assert (row["direction"], row["standing"], row["status"], row["waiting"]) == ("both", "active", "yellow", 0)
    assert row["next_step"] == "The first filling is on its way."
    assert crossed.json("link", "show", link) == row
    assert [each["kind"] for each in crossed.json("link", "history", link)] == ["connected"]


def test_a_provider_without_a_client_id_or_switched_off_says_who_can_change_that(crossed: Crossed, gateway: Shell) -> None:
    none = gateway("link", "connect", "john-smith", "google")
    assert (none.code, none.out) == (1, "")
    assert "Whoever runs this server sets it in the configuration" in none.err
    crossed.json("settings", "set", "--no-google")
    off = crossed("link", "connect", "john-smith", "google")
    assert (off.code, off.out) == (1, "")
    assert "An administrator can switch it on" in off.err


def test_a_link_is_paused_resumed_and_changed(crossed: Crossed) -> None:
    link = connected(crossed)
    assert crossed.json("link", "pause", link)["standing"] == "paused"
    assert crossed.json("link", "resume", link)["standing"] == "active"
    changed = crossed.json("link", "set", link, "--direction", "out", "--level", "busy")
    assert (changed["direction"], changed["level"]) == ("out", "busy")
    crossed.json("settings", "set", "--no-bidirectional")
    refused = crossed("link", "set", link, "--direction", "both")
    assert refused.code == 1
    assert "An administrator can switch that on" in refused.err


def test_a_link_is_disconnected_and_listed_no_more(crossed: Crossed) -> None:
    link = connected(crossed)
    assert crossed.json("link", "disconnect", link, "--leave")["standing"] == "ended"
    assert crossed.json("link", "list") == []
    assert [row["id"] for row in crossed.json("link", "list", "--all")] == [link]


def test_38_cleanup_removes_everything_we_ever_wrote(crossed: Crossed) -> None:
    live, left, empty = LinkId(connected(crossed)), LinkId(connected(crossed, "office365")), LinkId(connected(crossed, "outlook", PRIVATE))
    with crossed.store() as store:
        [company] = store.companies()
        with store.write(company.id, Actor("setup", "import")) as tx:
            there = Owned(span=Span(NOW, NOW + timedelta(hours=1)), zone="Europe/Paris", title="Advice")
            tx.save_item(Item(link=left, key=Key(entry=EntryId("a")), remote="r", base=there), NOW)
    for link in (left, empty):
        assert crossed.json("link", "disconnect", link, "--leave")["standing"] == "ended"
    assert {(row["id"], row["standing"]) for row in crossed.json("link", "cleanup")} == {(live, "ending"), (left, "ending")}
    assert crossed.json("link", "cleanup") == []


def test_what_waits_is_shown_and_decided(crossed: Crossed) -> None:
    link = LinkId(connected(crossed))
    with crossed.store() as store:
        [company] = store.companies()
        with store.write(company.id, Actor("setup", "import")) as tx:
            for name, condition in (("a", Condition.CONFLICT), ("b", Condition.DEAD)):
                tx.save_item(Item(link=link, key=Key(entry=EntryId(name)), remote="r", condition=condition, trouble="No."), NOW)
            tx.save_link(replace(tx.link(link), standing=Standing.GUARD, trouble="5 of 6 are missing."))
    rows = crossed.json("link", "troubles", link)
    assert [(row["appointment"], row["condition"], row["trouble"]) for row in rows] == [("a", "conflict", "No."), ("b", "dead", "No.")]
    shown = crossed.json("link", "show", link)
    assert (shown["dead"], shown["undecided"], shown["next_step"]) == (1, 1, "Say whether it was meant.")
    assert crossed.json("link", "settle", link, "a", "--keep") == {"items": 1}
    assert crossed.json("link", "retry", link) == {"items": 1}
    assert crossed.json("link", "troubles", link) == []
    assert crossed.json("link", "decide", link, "--not-meant")["direction"] == "out"
    assert crossed("link", "decide", link, "--meant").code == 1


def test_another_calendar_of_the_account_is_chosen(crossed: Crossed) -> None:
    link = connected(crossed, "office365")
    found = crossed.json("link", "calendars", link)
    own = next(each for each in found if each["primary"])
    chosen = crossed.json("link", "choose", link, own["id"])
    assert chosen["calendar"] == own["title"]
    assert crossed.json("link", "show", link)["standing"] == "ending"
    nonsense = crossed("link", "choose", chosen["id"], "nobodys")
    assert nonsense.code == 1
    assert "ask for your own calendar" in nonsense.err


def test_a_whole_organisation_is_connected_once_its_administrator_has_agreed(crossed: Crossed) -> None:
    address = crossed.json("link", "organisation")["consent_url"]
    back = consented(address, EMMA, crossed.there.ca_file)
    assert back["admin_consent"] == "True"
    rows = crossed.json("link", "organisation", back["tenant"])
    assert [(row["staff"], row["trouble"]) for row in sorted(rows, key=lambda row: row["staff"])] == [
        ("emma-morris", ""),
        ("john-smith", ""),
    ]
    links = crossed.json("link", "list")
    assert {(row["staff"], row["provider"], row["login"]) for row in links} == {
        ("emma-morris", "office365", EMMA),
        ("john-smith", "office365", JOHN),
    }
    again = crossed.json("link", "organisation", back["tenant"])
    assert {row["link"] for row in again} == {row["id"] for row in links}  # and nothing is there twice


def test_a_mailbox_that_is_not_the_organisations_is_told_in_a_sentence(crossed: Crossed) -> None:
    tenant = crossed.there.microsoft.tenant
    crossed.json("staff", "add", "--name", "Juan Sanchez", "--email", "juan.sanchez@elsewhere.example")
    answer = crossed("link", "connect", "juan-sanchez", "office365", "--organisation", tenant)
    assert (answer.code, answer.out) == (1, "")
    assert "no calendar of this account" in answer.err
    others = crossed.json("link", "organisation", tenant)
    assert [bool(row["trouble"]) for row in sorted(others, key=lambda row: row["staff"])] == [False, False, True]


def test_only_microsoft_365_has_organisations(crossed: Crossed) -> None:
    assert crossed("link", "connect", "john-smith", "google", "--organisation", "x").code == 2


@pytest.mark.parametrize("verb", ["show", "pause", "resume", "disconnect", "retry", "history", "troubles", "calendars", "busy"])
def test_a_link_that_there_is_not_is_told_in_a_sentence(crossed: Crossed, verb: str) -> None:
    answer = crossed("link", verb, "nobody")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.strip() == "There is no such link."


def test_other_calendars_of_the_account_block_and_are_deselected(crossed: Crossed) -> None:
    link = connected(crossed, "office365")
    own = next(each for each in crossed.json("link", "calendars", link) if each["primary"])
    assert (own["writable"], own["written"], own["blocks"]) == (True, False, False)
    assert crossed.json("link", "busy", link) == []
    [row] = crossed.json("link", "busy", link, own["id"])
    assert (row["calendar"], row["title"], row["confirmed"], row["failing_since"], row["trouble"]) == (
        own["id"],
        own["title"],
        None,
        None,
        "",
    )
    assert crossed.json("link", "busy", link) == [row]
    assert [each["blocks"] for each in crossed.json("link", "calendars", link) if each["primary"]] == [True]
    nonsense = crossed("link", "busy", link, "nobodys")
    assert nonsense.code == 1
    assert "Please choose among those that are shown" in nonsense.err
    assert crossed.json("link", "busy", link, "--none") == []


def test_with_the_least_consent_the_main_calendar_may_block(crossed: Crossed) -> None:
    link = connected(crossed)
    listed = crossed("link", "calendars", link)
    assert "does not let us see them all" in listed.err
    [row] = crossed.json("link", "busy", link, JOHN)
    assert row["title"] == JOHN
