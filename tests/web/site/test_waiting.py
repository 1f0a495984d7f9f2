"""What waits for a staff member: questions and events that are not equal, answered on the page of one's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.links import Condition, Item, Key, LinkId, Owned
from gateway.model import CompanyId, EntryId, Span, WorkingHours
from tests.web.house import ANN, EMMA, JOHN, NOW, SETUP, Door, connected
from tests.web.site.people import Visitor

DEMO = CompanyId("demo")
EVENING = Span(datetime.fromisoformat("2026-11-25T18:00:00+00:00").astimezone(NOW.tzinfo), NOW + timedelta(days=1, hours=10, minutes=30))


def ask(door: Door, entry: str, staff: Any = JOHN.id, wish: Span | None = None) -> str:
    with door.store.write(DEMO, SETUP) as tx:
        return tx.ask(EntryId(entry), None, staff, "token", door.clock.now, wish=wish)


def state(door: Door, entry: str) -> dict[str, Any]:
    found: dict[str, Any] = door.api("GET", f"/appointments/{entry}").json
    return found


def test_nothing_waits_and_nothing_is_said_of_it(john: Visitor) -> None:
    assert "Waiting for you" not in john.get("/me").text


def test_a_question_is_answered_on_ones_own_page_and_the_letter_is_settled_too(john: Visitor) -> None:
    door = john.door
    made = door.book()
    question = ask(door, made["id"])
    page = john.get("/me").text
    for shown in ("Waiting for you", "Cancel this appointment?", ANN.name):
        assert shown in page
    answer = john.fill("/me", {"question": question, "answer": "cancel"}, to="/me/question")
    assert answer.headers["location"] == "/me?said=question-cancel"
    assert state(door, made["id"])["status"] == "cancelled"
    assert door.ask("GET", "/answer/token").status == 410
    assert "Waiting for you" not in john.get("/me").text
    assert (
        john.fill("/me", {"question": question, "answer": "cancel"}, to="/me/question").headers["location"] == "/me?said=question-settled"
    )


def test_a_wished_time_is_granted_on_ones_own_page(john: Visitor) -> None:
    door = john.door
    made = door.book()
    with door.store.write(DEMO, SETUP) as tx:
        tx.save_hours(JOHN.id, WorkingHours(weekly=dict.fromkeys(range(5), ((9 * 60, 17 * 60),))))
    question = ask(door, made["id"], wish=EVENING)
    assert "Move this appointment all the same?" in john.get("/me").text
    john.fill("/me", {"question": question, "answer": "move"}, to="/me/question")
    assert datetime.fromisoformat(state(door, made["id"])["start"]) == EVENING.start


def test_nobody_answers_what_another_was_asked(john: Visitor) -> None:
    door = john.door
    made = door.book()
    question = ask(door, made["id"], EMMA.id)
    assert "Waiting for you" not in john.get("/me").text
    assert (
        john.fill("/me", {"question": question, "answer": "cancel"}, to="/me/question").headers["location"] == "/me?said=question-settled"
    )
    assert state(door, made["id"]) == made


@pytest.fixture
def stuck(john: Visitor) -> EntryId:
    """An appointment whose event at Google the provider has refused."""
    door = john.door
    connected(door.store)
    entry = EntryId(door.book()["id"])
    owned = Owned(span=EVENING, zone="Europe/Paris", title="x")
    item = Item(link=LinkId("link"), key=Key(entry=entry), remote="far", base=owned, condition=Condition.DEAD, trouble="Google refuses it.")
    with door.store.write(DEMO, SETUP) as tx:
        tx.save_item(item, NOW)
        tx.save_item(replace(item, key=Key(entry=EntryId("gone")), remote="other"), NOW)
    return entry


@pytest.mark.parametrize(("button", "said"), [("keep", "event-kept"), ("restore", "event-restored")])
def test_an_event_that_is_not_equal_is_decided(john: Visitor, stuck: EntryId, button: str, said: str) -> None:
    page = john.get("/me").text
    assert page.count("Not equal in Google Calendar") == 1
    assert "Google refuses it." in page
    form: dict[str, str | list[str]] = {"link": "link", "entry": stuck, "do": button}
    assert john.fill("/me", form, to="/me/waiting").headers["location"] == f"/me?said={said}"
    assert "Not equal" not in john.get("/me").text
    with john.door.store.read(DEMO) as snapshot:
        [item] = snapshot.items_of(LinkId("link"), [stuck])
        assert item.condition is not Condition.DEAD
        assert [deed.what for deed in snapshot.deeds(before=NOW + timedelta(days=1), limit=1)] == [said]


def test_a_link_of_somebody_else_is_not_decided(john: Visitor, stuck: EntryId) -> None:
    form: dict[str, str | list[str]] = {"link": "another", "entry": stuck, "do": "keep"}
    assert john.fill("/me", form, to="/me/waiting").status == 404
