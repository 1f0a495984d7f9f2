"""Who may open which page: every line of the table, asked by nobody, by staff, by an administrator and by the one of another company."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model import CompanyId, EntryId
from gateway.post.letters import Letters
from gateway.web.site import TABLE
from gateway.web.site.frame import Route, Who
from tests.journey.wire import Answer
from tests.web.house import ANN, JOHN, SEAL, SECRET, Door, connected
from tests.web.site.people import BOSS, JOHNS, RIVAL, Visitor

DEMO = CompanyId("demo")
CANARIES = (ANN.name, ANN.email, SECRET, JOHN.email, "Front desk", "Demo Company")
OURS = [route for route in TABLE if route.who is not Who.ANYBODY]
KEYS = ("token",)


@pytest.fixture
def furnished(door: Door) -> Door:
    connected(door.store)
    door.book()
    return door


def address(route: Route) -> str:
    """The page about something of the demo company."""
    values = {"feed": "feed-full", "staff": str(JOHN.id), "group": "front", "revision": "1", "token": "x" * 32, "account": "account"}
    return re.sub(r"\{(\w+)(?::[^}]*)?\}", lambda found: values[found[1]], route.path)


def names(route: Route) -> str:
    return f"{route.method} {route.path}"


def ask(visitor: Visitor, route: Route, form: dict[str, str | list[str]]) -> Answer:
    return visitor.get(address(route)) if route.method == "GET" else visitor.post(address(route), form)


def token_of(visitor: Visitor) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', visitor.get("/account").text)
    assert found is not None
    return found[1]


def kept(folder: Path) -> list[str]:
    """Everything the database holds of the demo company but when somebody was seen."""
    connection = sqlite3.connect(folder / "gateway.db")
    try:
        return list(_rows(connection))
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection) -> Iterator[str]:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    for table in tables:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if "company" in columns and table != "session":
            for row in connection.execute(f"SELECT * FROM {table} WHERE company = 'demo'"):
                yield f"{table} {row}"


@pytest.mark.parametrize("route", OURS, ids=names)
def test_nobody_gets_past_the_entrance(furnished: Door, tmp_path: Path, route: Route) -> None:
    before = kept(tmp_path)
    answer = ask(Visitor(furnished), route, {"form_token": "x"})
    assert answer.status == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert kept(tmp_path) == before


@pytest.mark.parametrize("route", [route for route in OURS if route.who is Who.ADMIN], ids=names)
def test_staff_members_are_no_administrators(furnished: Door, tmp_path: Path, route: Route) -> None:
    john = Visitor(furnished)
    john.sign_in(JOHNS)
    before = kept(tmp_path)
    answer = ask(john, route, {"form_token": token_of(john)})
    assert answer.status == 403
    assert "This page is for administrators of your company" in answer.text
    assert kept(tmp_path) == before


@pytest.mark.parametrize("route", [route for route in OURS if route.method == "POST"], ids=names)
def test_no_form_works_without_its_token(furnished: Door, tmp_path: Path, route: Route) -> None:
    visitor = Visitor(furnished)
    visitor.sign_in(BOSS if route.who is Who.ADMIN else JOHNS)
    before = kept(tmp_path)
    for form in ({}, {"form_token": ""}, {"form_token": token_of(visitor)[::-1]}):
        assert ask(visitor, route, dict(form)).status == 403
    assert kept(tmp_path) == before


@pytest.mark.parametrize("route", OURS, ids=names)
def test_the_administrator_of_another_company_sees_and_changes_nothing(furnished: Door, tmp_path: Path, route: Route) -> None:
    rival = Visitor(furnished)
    rival.sign_in(RIVAL)
    everything: dict[str, str | list[str]] = {
        "form_token": token_of(rival),
        "name": "taken over",
        "link": "link",
        "do": "pause",
        "password": "x",
        "provider": "google",
        "scope": "staff",
        "of": str(JOHN.id),
        "member": [str(JOHN.id)],
        "members": [str(JOHN.id)],
        "to": "rival@example.com",
        "subject": "x",
        "body": "<p>x</p>",
        "email": "rival@example.com",
    }
    before = kept(tmp_path)
    answer = ask(rival, route, everything)
    assert answer.status < 500
    assert not [canary for canary in CANARIES if canary in answer.text]
    assert kept(tmp_path) == before


def test_a_customers_key_opens_one_appointment_only(furnished: Door) -> None:
    """Two appointments of one customer, and the page of the one says nothing of the other."""
    second = EntryId(furnished.book("2026-11-26T15:00:00+01:00")["id"])
    Letters(furnished.store, SEAL, sender="calendar@example.com", public_url="https://calendar.example.com").catch_up(
        DEMO, furnished.clock.now
    )
    with furnished.store.read(DEMO) as snapshot:
        held = snapshot.attendance(second)
    assert held is not None
    page = Visitor(furnished).get(f"/appointment/{SEAL.unseal(held.sealed).decode()}").text
    assert "November 26" in page
    assert "November 25" not in page
