"""Staff members are told what was refused and asked what is in doubt: once, by mail, and only when no door told them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.booking import Cancel, Move, Resize
from gateway.errors import Reason
from gateway.model import Actor, OnConflict, OnDelete, Span, WorkingHours
from gateway.store import Store
from tests.post.house import FIRST, JOHN, SECOND, WEEK, part
from tests.post.office import PLATFORM, SETUP, booked, series

HOUR = timedelta(hours=1)


def test_a_refused_move_is_told_to_the_staff_member_at_once_and_to_nobody_else(store: Store) -> None:
    office, entry = booked(store)
    office.book(FIRST + HOUR, name="other", actor=SETUP)
    assert office.propose(entry, Move(span=Span(FIRST + HOUR, FIRST + 2 * HOUR))).reason is Reason.TAKEN
    [mail] = office.mail(timedelta())
    assert str(mail["To"]) == JOHN.email
    assert mail["Subject"] == "Not changed: Advice, Wednesday, November 25 at 10:00 AM"
    text = " ".join(part(mail, "text/plain").split())
    for sentence in (
        "Hello John Smith, You changed this appointment in your calendar, but the change could not be accepted.",
        "The new time is already taken.",
        "When: Wednesday, November 25, 2026, 10:00 AM – 10:30 AM",
        "Service: Advice Customer: Ann Canaryname",
        "Nothing has been changed, and the customer has not been told anything.",
    ):
        assert sentence in text
    assert office.mail(HOUR) == []


def test_the_same_refused_proposal_is_told_once_however_often_it_is_repeated(store: Store) -> None:
    office, entry = booked(store)
    resize = Resize(span=Span(FIRST, FIRST + 2 * HOUR))
    for _ in range(5):
        office.propose(entry, resize)
        office.look(HOUR)
    office.propose(entry, resize, text="another text")
    office.look()
    assert len(office.post()) == 2


@pytest.mark.parametrize("actor", [PLATFORM, Actor("john-smith", "page"), Actor("root", "cli")], ids=lambda actor: actor.door)
def test_who_is_told_at_the_door_gets_no_letter(store: Store, actor: Actor) -> None:
    office, entry = booked(store)
    office.book(FIRST + HOUR, name="other", actor=SETUP)
    office.propose(entry, Move(span=Span(FIRST + HOUR, FIRST + 2 * HOUR)), actor=actor)
    assert office.mail(HOUR) == []


def test_where_the_company_asks_a_move_after_hours_is_asked_about(store: Store) -> None:
    office, entry = booked(store)
    office.policy(on_conflict=OnConflict.ASK)
    office.write(lambda tx: tx.save_hours(JOHN.id, WorkingHours(weekly=dict.fromkeys(range(7), ((8 * 60, 18 * 60),)))))
    wish = Span(FIRST + 12 * HOUR, FIRST + 12 * HOUR + entry.span.length)
    assert office.propose(entry, Move(span=wish)).reason is Reason.OUTSIDE_HOURS
    [mail] = office.mail(timedelta())
    assert mail["Subject"] == "Move this appointment all the same? Advice, Wednesday, November 25 at 10:00 AM"
    text = " ".join(part(mail, "text/plain").split())
    for sentence in (
        "You moved this appointment in your calendar. It has not been moved yet.",
        "The new time is outside your working hours.",
        "New time: Wednesday, November 25, 2026, 10:00 PM – 10:30 PM",
        "Old time: Wednesday, November 25, 2026, 10:00 AM – 10:30 AM",
        "Until you answer, the appointment stays booked and the customer is not told anything.",
    ):
        assert sentence in text
    question = office.question(mail)
    assert (question.entry, question.at, question.wish) == (entry.id, None, wish)


def test_a_moved_occurrence_is_asked_about_by_its_own_place(store: Store) -> None:
    office, entry = series(store)
    office.policy(on_conflict=OnConflict.ASK)
    office.write(lambda tx: tx.save_hours(JOHN.id, WorkingHours(weekly=dict.fromkeys(range(7), ((8 * 60, 18 * 60),)))))
    wish = Span(SECOND + 12 * HOUR, SECOND + 12 * HOUR + entry.span.length)
    office.propose(entry, Move(span=wish, at=SECOND))
    [mail] = office.mail(timedelta())
    question = office.question(mail)
    assert (question.at, question.wish) == (SECOND, wish)


def test_a_deletion_asks_and_the_link_leads_to_the_question(store: Store) -> None:
    office, entry = booked(store)
    assert office.propose(entry, Cancel(), text="DELETE").reason is Reason.CANCEL_ASKED
    [mail] = office.mail(timedelta())
    assert mail["Subject"] == "Cancel this appointment? Advice, Wednesday, November 25 at 10:00 AM"
    question = office.question(mail)
    assert (question.entry, question.at, question.staff, question.answered) == (entry.id, None, JOHN.id, None)
    assert question.asked == office.now
    assert part(mail, "text/html").count("/answer/") == 1


def test_a_deleted_occurrence_asks_about_that_occurrence(store: Store) -> None:
    office, entry = series(store)
    office.propose(entry, Cancel(at=SECOND))
    [mail] = office.mail(timedelta())
    assert mail["Subject"] == "Cancel this appointment? Advice, Wednesday, December 2 at 10:00 AM"
    assert "Only this date of the series is meant" in part(mail, "text/plain")
    assert office.question(mail).at == SECOND


def test_a_deleted_series_asks_about_the_whole_series(store: Store) -> None:
    office, entry = series(store)
    office.propose(entry, Cancel())
    [mail] = office.mail(timedelta())
    assert mail["Subject"] == "Cancel the whole series? Advice, from Wednesday, November 25, 2026"
    assert office.question(mail).at is None


def test_a_refused_move_of_one_occurrence_names_that_occurrence(store: Store) -> None:
    office, entry = series(store)
    office.propose(entry, Resize(at=SECOND, span=Span(SECOND, SECOND + HOUR)))
    [mail] = office.mail(timedelta())
    assert mail["Subject"] == "Not changed: Advice, Wednesday, December 2 at 10:00 AM"


def test_a_repeated_deletion_asks_once_a_day(store: Store) -> None:
    office, entry = series(store)
    for _ in range(3):
        office.propose(entry, Cancel(), text="DELETE")
        office.look(HOUR)
    assert len(office.post()) == 1
    office.propose(entry, Cancel(at=SECOND + WEEK), text="DELETE")
    assert len(office.mail(timedelta(days=1))) == 1, "another occurrence is another question"
    office.propose(entry, Cancel(), text="DELETE")
    assert len(office.mail(timedelta())) == 1, "a question that was answered with keep may be asked again"


def test_a_deletion_that_is_always_undone_says_so(store: Store) -> None:
    office, entry = booked(store)
    office.policy(on_delete=OnDelete.RESTORE)
    office.propose(entry, Cancel(), text="DELETE")
    [mail] = office.mail(timedelta())
    assert "so it is back in your calendar." in " ".join(part(mail, "text/plain").split())
    assert "/answer/" not in part(mail, "text/html")


@pytest.mark.parametrize("email", ["", "nobody"])
def test_a_staff_member_without_an_address_holds_nobody_up(store: Store, email: str) -> None:
    office, entry = booked(store)
    office.write(lambda tx: tx.save_staff(replace(JOHN, email=email)))
    office.propose(entry, Cancel())
    assert office.mail(HOUR) == []


def test_the_staff_member_reads_his_own_language_and_clock(store: Store) -> None:
    office, entry = booked(store)
    office.write(lambda tx: tx.save_staff(replace(JOHN, locale="es", zone="America/New_York")))
    office.propose(entry, Cancel())
    [mail] = office.mail(timedelta())
    assert mail["Subject"] == "¿Cancelar esta cita? Advice, miércoles, 25 de noviembre, 04:00 h"
