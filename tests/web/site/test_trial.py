"""The test appointment: made where everything real goes, told to nobody, dragged with the letter a customer would get, taken away again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway import desk
from gateway.booking import Move
from gateway.model import Actor, Appointment, CompanyId, Span, Status, WorkingHours
from gateway.post.letters import Letters
from tests.post.house import opened
from tests.web.house import JOHN, NOW, SEAL, SETUP, connected
from tests.web.site.people import BOSS, Visitor
from tests.web.site.test_invite import link, sent

DEMO = CompanyId("demo")


def booked(visitor: Visitor) -> list[Appointment]:
    with visitor.door.store.read(DEMO) as snapshot:
        held = [each.entry for each in snapshot.appointments(staff=[JOHN.id], window=None, cancelled=True)]
    return [entry for entry in held if isinstance(entry, Appointment)]


def letters(visitor: Visitor) -> list[str]:
    """To whom they go, and what about."""
    store, now = visitor.door.store, visitor.door.clock.now
    Letters(store, SEAL, sender="Calendar <calendar@example.com>", public_url="https://calendar.example.com").catch_up(DEMO, now)
    waiting = store.claim_letters(now, lease=timedelta(minutes=1))
    mails = [opened(SEAL.unseal(each.message)) for each in waiting]
    assert all(store.letter_sent(each, now) for each in waiting)
    return [f"{mail['To']}: {mail['Subject']}" for mail in mails]


@pytest.fixture
def linked(john: Visitor) -> Visitor:
    connected(john.door.store)
    with john.door.store.write(DEMO, SETUP) as tx:
        tx.save_hours(JOHN.id, WorkingHours(weekly=dict.fromkeys(range(5), ((9 * 60, 12 * 60),))))
    return john


def press(visitor: Visitor, what: str) -> str:
    return visitor.fill("/me", {"do": what}, to="/me/trial").headers["location"]


def test_it_is_booked_at_the_first_free_time_from_tomorrow_and_told_to_nobody(linked: Visitor) -> None:
    taken = NOW + timedelta(days=1)  # nine o'clock in Paris
    linked.door.book(taken.isoformat())
    letters(linked)
    assert "Make a test appointment" in linked.get("/me").text
    assert press(linked, "make") == "/me?said=trial-made"
    [made] = [each for each in booked(linked) if each.customer == f"test-{JOHN.id}"]
    assert made.span == Span(taken + timedelta(minutes=30), taken + timedelta(hours=1))
    assert letters(linked) == []
    page = linked.get("/me").text
    assert "Test appointment: Wednesday, November 25, 2026, 9:30" in page
    assert "Drag it to another time" in page
    assert press(linked, "make") == "/me?said=trial-made"
    assert len(booked(linked)) == 2, "there is one at a time"


def test_whoever_drags_it_gets_the_letter_a_customer_gets(linked: Visitor) -> None:
    press(linked, "make")
    [made] = booked(linked)
    moved = Span(made.span.start + timedelta(hours=1), made.span.end + timedelta(hours=1))
    with linked.door.store.write(DEMO, Actor(JOHN.handle, "dav")) as tx:
        desk.apply(tx, tx.actor, made.calendar, made.name, [Move(span=moved)], NOW)
    assert letters(linked) == [f"{JOHN.email}: New time for your appointment: Wednesday, November 25 at 10:00 AM"]


def test_it_is_taken_away_and_nobody_is_told(linked: Visitor) -> None:
    press(linked, "make")
    assert press(linked, "remove") == "/me?said=trial-removed"
    assert [each.status for each in booked(linked)] == [Status.CANCELLED]
    assert letters(linked) == []
    assert "Make a test appointment" in linked.get("/me").text
    assert press(linked, "remove") == "/me?said=trial-removed"  # a second time does no harm


def test_without_a_free_time_the_page_says_why(linked: Visitor) -> None:
    with linked.door.store.write(DEMO, SETUP) as tx:
        tx.save_hours(JOHN.id, WorkingHours(weekly={6: ((9 * 60, 9 * 60 + 5),)}))
    answer = linked.fill("/me", {"do": "make"}, to="/me/trial")
    assert answer.status == 409
    assert "There is no free time within three weeks." in answer.text
    assert booked(linked) == []


def test_a_guest_makes_one_and_takes_it_away(boss: Visitor, stranger: Visitor) -> None:
    store = boss.door.store
    connected(store)
    boss.fill(f"/staff/{JOHN.id}/invite", {"to": JOHN.email, "subject": "x", "body": "<p>{link}</p>"})
    [letter] = sent(boss)
    page = link(letter)
    assert stranger.post(f"{page}/trial", {"do": "make"}).headers["location"] == f"{page}?said=trial-made"
    assert "Remove the test appointment" in stranger.get(page).text
    stranger.post(f"{page}/trial", {"do": "remove"})
    assert [each.status for each in booked(boss)] == [Status.CANCELLED]
    assert stranger.post("/connect/unknown/trial", {"do": "make"}).status == 404


def test_who_is_not_of_the_staff_has_none(boss: Visitor) -> None:
    assert BOSS.staff is None
    assert boss.fill("/account", {"do": "make"}, to="/me/trial").status == 404
