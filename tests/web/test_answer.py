"""The answer page: only a pressed button on our own page decides, once, and in the staff member's language."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model import CompanyId, EntryId, Span, StaffId, WorkingHours
from tests.journey.wire import Answer
from tests.web.house import ANN, JOHN, NOW, SETUP, Door

TOKEN = "question-token-0000000000000000"
FORM = {"Content_Type": "application/x-www-form-urlencoded", "Sec_Fetch_Site": "same-origin", "Origin": "https://calendar.example.com"}


def asked(door: Door, id: str, at: str | None = None, *, staff: str = "john", wish: Span | None = None) -> None:
    with door.store.write(CompanyId("demo"), SETUP) as tx:
        occurrence = None if at is None else datetime.fromisoformat(at).astimezone(NOW.tzinfo)
        tx.ask(EntryId(id), occurrence, StaffId(staff), TOKEN, NOW, wish=wish)


def press(door: Door, button: str, **headers: str) -> Answer:
    return door.ask("POST", f"/answer/{TOKEN}", f"answer={button}", **FORM | headers)


def state(door: Door, id: str) -> dict[str, object]:
    held: dict[str, object] = door.api("GET", f"/appointments/{id}").json
    return held


def test_opening_the_page_asks_and_changes_nothing(door: Door) -> None:
    made = door.book()
    asked(door, made["id"])
    page = door.ask("GET", f"/answer/{TOKEN}")
    assert page.status == 200
    for shown in ("Cancel this appointment?", "Demo Company", "Advice", ANN.name, "Wednesday, November 25, 2026", "10:00"):
        assert shown in page.text
    assert page.text.count("<button") == 2
    assert page.headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in page.headers
    assert door.ask("HEAD", f"/answer/{TOKEN}").status == 200
    assert state(door, made["id"]) == made


def test_cancel_cancels_and_wakes_the_letters(door: Door) -> None:
    made = door.book()
    asked(door, made["id"])
    door.woken.clear()
    page = press(door, "cancel")
    assert (page.status, state(door, made["id"])["status"]) == (200, "cancelled")
    assert "The appointment is cancelled" in page.text
    assert door.woken
    last = door.api("GET", "/changes").json["items"][-1]
    assert last["actor"] == {"who": "john-smith", "door": "page"}


def test_keep_keeps(door: Door) -> None:
    made = door.book()
    asked(door, made["id"])
    page = press(door, "keep")
    assert (page.status, state(door, made["id"])) == (200, made)
    assert "The appointment stays" in page.text


def test_one_occurrence_is_cancelled_alone(door: Door) -> None:
    made = door.book(recurrence={"rule": "FREQ=WEEKLY;COUNT=3"})
    asked(door, made["id"], "2026-12-02T10:00:00+01:00")
    page = door.ask("GET", f"/answer/{TOKEN}")
    assert "December 2" in page.text
    assert "Only this date of the series" in page.text
    assert press(door, "cancel").status == 200
    now = state(door, made["id"])
    assert now["status"] == "confirmed"
    assert now["recurrence"]["excluded"] == ["2026-12-02T10:00:00+01:00"]  # type: ignore[index]  # the answer is JSON


@pytest.mark.parametrize("first", ["cancel", "keep"])
def test_a_question_is_answered_once(door: Door, first: str) -> None:
    made = door.book()
    asked(door, made["id"])
    press(door, first)
    before = state(door, made["id"])
    for again in (press(door, "cancel"), press(door, "keep"), door.ask("GET", f"/answer/{TOKEN}")):
        assert again.status == 410
        assert "This question is settled" in again.text
        assert ANN.name not in again.text, "a settled question tells nothing any more"
    assert state(door, made["id"]) == before


def test_an_old_question_is_settled(door: Door) -> None:
    made = door.book()
    asked(door, made["id"])
    door.clock.now = NOW + timedelta(days=14)
    assert door.ask("GET", f"/answer/{TOKEN}").status == 410
    assert press(door, "cancel").status == 410
    assert state(door, made["id"]) == made


def test_an_appointment_cancelled_elsewhere_settles_the_question(door: Door) -> None:
    made = door.book()
    asked(door, made["id"])
    door.api("POST", f"/appointments/{made['id']}/cancel")
    assert door.ask("GET", f"/answer/{TOKEN}").status == 410


@pytest.mark.parametrize(
    "headers",
    [{"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_another_site_cannot_press_the_button(door: Door, headers: dict[str, str]) -> None:
    made = door.book()
    asked(door, made["id"])
    assert press(door, "cancel", **headers).status == 403
    assert state(door, made["id"]) == made


@pytest.mark.parametrize("form", ["", "answer=", "answer=maybe", "cancel=1", "answer=" + "x" * 90])
def test_a_form_without_a_known_answer_changes_nothing(door: Door, form: str) -> None:
    made = door.book()
    asked(door, made["id"])
    assert door.ask("POST", f"/answer/{TOKEN}", form, **FORM).status == 400
    assert state(door, made["id"]) == made


def late(door: Door) -> Span:
    """An evening, outside the hours John keeps from now on."""
    with door.store.write(CompanyId("demo"), SETUP) as tx:
        tx.save_hours(JOHN.id, WorkingHours(weekly=dict.fromkeys(range(5), ((9 * 60, 17 * 60),))))
    start = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
    return Span(start, start + timedelta(minutes=30))


def test_whoever_insists_moves_it_outside_the_hours(door: Door) -> None:
    made, wish = door.book(), late(door)
    asked(door, made["id"], wish=wish)
    page = door.ask("GET", f"/answer/{TOKEN}").text
    for shown in ("Move this appointment all the same?", "7:00", "10:00", ANN.name):
        assert shown in page
    assert press(door, "cancel").status == 400, "that was not the question"
    page = press(door, "move").text
    assert "The appointment is moved" in page
    assert datetime.fromisoformat(str(state(door, made["id"])["start"])) == wish.start
    assert press(door, "move").status == 410


def test_whoever_leaves_it_leaves_it(door: Door) -> None:
    made, wish = door.book(), late(door)
    asked(door, made["id"], wish=wish)
    assert "The appointment stays" in press(door, "keep").text
    assert state(door, made["id"]) == made


def test_nobody_insists_on_a_time_that_another_customer_has(door: Door) -> None:
    made, wish = door.book(), late(door)
    with door.store.write(CompanyId("demo"), SETUP) as tx:
        tx.save_hours(JOHN.id, WorkingHours())
    door.book(wish.start.isoformat())
    asked(door, made["id"], wish=wish)
    answer = press(door, "move")
    assert answer.status == 409
    assert "The appointment could not be moved" in answer.text
    assert state(door, made["id"]) == made


def test_a_time_that_has_come_is_not_asked_about(door: Door) -> None:
    made, wish = door.book(), late(door)
    asked(door, made["id"], wish=wish)
    door.clock.now = wish.start
    assert press(door, "move").status == 410


def test_an_unknown_link_says_so(door: Door) -> None:
    page = door.ask("GET", "/answer/none", Accept="text/html")
    assert page.status == 404
    assert "This link is not valid." in page.text


@pytest.mark.parametrize(
    ("locale", "title", "day"),
    [
        ("en", "Cancel this appointment?", "Wednesday, November 25, 2026"),
        ("fr-CA", "Annuler ce rendez-vous\u202f?", "mercredi 25 novembre 2026"),
        ("de", "Diesen Termin absagen?", "25. November 2026"),
        ("es", "¿Cancelar esta cita?", "25 de noviembre de 2026"),
        ("it", "Cancel this appointment?", "November 25"),
    ],
)
def test_the_page_speaks_the_staff_members_language(door: Door, locale: str, title: str, day: str) -> None:
    with door.store.write(CompanyId("demo"), SETUP) as tx:
        tx.save_staff(replace(JOHN, locale=locale))
    made = door.book()
    asked(door, made["id"])
    page = door.ask("GET", f"/answer/{TOKEN}").text
    assert title in page
    assert day.casefold() in page.casefold()
    assert f'<html lang="{locale[:2] if locale != "it" else "en"}"' in page
