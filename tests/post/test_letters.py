"""Who is told what, when, and how often: one letter for what changed in the end, and none for what did not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway import desk
from gateway.booking import Annotate, Cancel, Write
from gateway.model import Actor, CompanyId, Recurrence, Shape, StaffId
from gateway.post import letters as letters_module
from gateway.post.letters import POSTPONED, Letters
from gateway.store import Store
from tests.databases import Database
from tests.post.house import ADVICE, ANN, COMPANY, DEMO, FIRST, JOHN, NOW, SECOND, THIRD, URL, invitation, part
from tests.post.office import CLIENT, HOLD, SEAL, SETUP, Office, booked, series

HOUR = timedelta(hours=1)


def test_a_booking_is_told_when_the_hold_is_over_and_once(store: Store) -> None:
    office = Office.furnished(store)
    office.book()
    office.look()
    assert office.post() == []
    assert office.letters.next(office.now) == NOW + HOLD
    assert office.letters.due(office.now) == []
    [mail] = office.mail(HOLD)
    assert mail["Subject"] == "Your appointment on Wednesday, November 25 at 10:00 AM"
    assert str(mail["To"]) == ANN.email
    assert office.letters.next(office.now) is None
    assert office.letters.due(office.now) == []
    assert office.mail(HOUR) == []


def test_drags_within_the_hold_become_one_letter_with_the_last_time(each_store: Store) -> None:
    office, entry = booked(each_store)
    for hours in (1, 2, 3):
        office.move(entry.id, FIRST + hours * HOUR, actor=CLIENT)
        office.look(HOLD / 2)
        assert office.post() == []
    [mail] = office.mail(HOLD / 2)
    assert mail["Subject"] == "New time for your appointment: Wednesday, November 25 at 1:00 PM"
    assert "Old time: Wednesday, November 25, 2026, 10:00 AM" in part(mail, "text/plain")
    method, [event] = invitation(mail)
    assert (method, event["DTSTART"].dt, int(event["SEQUENCE"])) == ("REQUEST", FIRST + 3 * HOUR, 3)
    assert office.mail(HOUR) == []


def test_a_move_there_and_back_is_not_told(store: Store) -> None:
    office, entry = booked(store)
    office.move(entry.id, FIRST + HOUR)
    office.look(HOLD / 2)
    office.move(entry.id, FIRST)
    assert office.mail(HOUR) == []
    assert office.letters.next(office.now) is None


def test_a_booking_cancelled_within_the_hold_is_not_told(store: Store) -> None:
    office = Office.furnished(store)
    entry = office.book()
    office.look()
    office.cancel(entry.id)
    assert office.mail(HOUR) == []


def test_a_booking_moved_within_the_hold_is_told_as_a_booking(store: Store) -> None:
    office = Office.furnished(store)
    entry = office.book()
    office.move(entry.id, FIRST + HOUR)
    [mail] = office.mail()
    assert mail["Subject"] == "Your appointment on Wednesday, November 25 at 11:00 AM"


def test_two_moves_with_the_hold_between_them_are_two_letters(store: Store) -> None:
    office, entry = booked(store)
    office.move(entry.id, FIRST + HOUR)
    [first] = office.mail()
    office.move(entry.id, FIRST + 2 * HOUR)
    [second] = office.mail()
    assert [int(invitation(mail)[1][0]["SEQUENCE"]) for mail in (first, second)] == [1, 2]
    assert "Old time: Wednesday, November 25, 2026, 11:00 AM" in part(second, "text/plain")
    assert first["Message-ID"] != second["Message-ID"]


def test_a_cancellation_is_told_with_its_file(store: Store) -> None:
    office, entry = booked(store)
    office.cancel(entry.id)
    [mail] = office.mail()
    method, [event] = invitation(mail)
    assert (method, str(event["STATUS"]), int(event["SEQUENCE"])) == ("CANCEL", "CANCELLED", 1)
    assert str(event["UID"]) == entry.uid


def test_one_moved_occurrence_is_told_alone(store: Store) -> None:
    office, entry = series(store)
    office.move(entry.id, SECOND + HOUR, at=SECOND, actor=CLIENT)
    [mail] = office.mail()
    assert mail["Subject"] == "New time for your appointment: Wednesday, December 2 at 11:00 AM"
    method, [event] = invitation(mail)
    assert (method, event["RECURRENCE-ID"].dt, event["DTSTART"].dt) == ("REQUEST", SECOND, SECOND + HOUR)


def test_one_cancelled_occurrence_is_told_alone(store: Store) -> None:
    office, entry = series(store)
    office.cancel(entry.id, at=SECOND)
    [mail] = office.mail()
    method, [event] = invitation(mail)
    assert (method, event["RECURRENCE-ID"].dt) == ("CANCEL", SECOND)


def test_several_occurrences_are_one_letter(store: Store) -> None:
    office, entry = series(store)
    office.move(entry.id, SECOND + HOUR, at=SECOND)
    office.cancel(entry.id, at=THIRD)
    [mail] = office.mail()
    assert mail["Subject"] == "Changes to your appointments"
    assert len(invitation(mail)[1]) == 2


def test_two_appointments_are_two_letters(store: Store) -> None:
    office = Office.furnished(store)
    office.book(name="a")
    office.book(FIRST + HOUR, name="b")
    assert len(office.mail()) == 2


def test_an_import_tells_nobody(store: Store) -> None:
    office = Office.furnished(store)
    office.book(actor=SETUP)
    assert office.mail(HOUR) == []
    assert office.letters.next(office.now) is None


def test_an_imported_appointment_that_moves_is_told_as_moved(store: Store) -> None:
    office = Office.furnished(store)
    entry = office.book(actor=SETUP)
    office.move(entry.id, FIRST + HOUR, actor=CLIENT)
    [mail] = office.mail()
    assert mail["Subject"] == "New time for your appointment: Wednesday, November 25 at 11:00 AM"


def test_what_is_over_is_not_told(store: Store) -> None:
    office = Office.furnished(store)
    office.book()
    assert office.mail(timedelta(days=6)) == []


def test_personal_events_and_alarms_tell_nobody(store: Store) -> None:
    office, entry = booked(store)
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:p\r\nDTSTAMP:20261120T090000Z\r\n"
    text += "DTSTART:20261126T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    wish = Write(uid="p", component="VEVENT", text=text)
    office.write(lambda tx: desk.apply(tx, CLIENT, entry.calendar, "p.ics", [wish], office.now), CLIENT)
    office.do(entry.id, Annotate(extras=("CATEGORIES:Red",)), actor=CLIENT)
    assert office.mail(HOUR) == []


@pytest.mark.parametrize("email", ["", "nobody", "a@b, c@d", "Ann <ann@example.com>"])
def test_a_customer_without_a_usable_address_holds_nobody_up(store: Store, email: str) -> None:
    office = Office.furnished(store)
    office.write(lambda tx: tx.save_customer(replace(ANN, email=email)))
    office.book()
    assert office.mail() == []
    assert office.letters.next(office.now) is None


def test_the_letter_goes_to_the_address_and_in_the_language_of_today(store: Store) -> None:
    office = Office.furnished(store)
    office.book()
    office.write(lambda tx: tx.save_customer(replace(ANN, email="ann@new.example", locale="de", zone="America/New_York")))
    [mail] = office.mail()
    assert (str(mail["To"]), str(mail["Subject"])) == ("ann@new.example", "Ihr Termin: Mittwoch, 25. November, 04:00 Uhr")


class Fatal:
    """A store in whose transactions the process dies right after that many calls."""

    def __init__(self, store: Store, calls: int) -> None:
        self._store = store
        self.left = calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(self, company: CompanyId, actor: Actor) -> Iterator[Any]:
        with self._store.write(company, actor) as tx:
            yield _Dying(tx, self)


class _Dying:
    def __init__(self, tx: Any, fatal: Fatal) -> None:
        self._tx = tx
        self._fatal = fatal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if not callable(found):
            return found

        def called(*args: Any, **more: Any) -> Any:
            answer = found(*args, **more)
            self._fatal.left -= 1
            if not self._fatal.left:
                raise MemoryError(name)
            return answer

        return called


def test_a_crash_at_any_line_loses_nothing_and_doubles_nothing(each_store: Store) -> None:
    office, entry = booked(each_store)
    office.move(entry.id, FIRST + HOUR)
    office.propose(entry, Cancel())
    office.now += HOLD
    crashes = 0
    for calls in range(1, 200):
        fatal: Any = Fatal(each_store, calls)
        try:
            Letters(fatal, SEAL, sender="calendar@example.com", public_url=URL).catch_up(DEMO, office.now)
        except MemoryError:
            crashes += 1
            continue
        break
    assert crashes > 10
    subjects = sorted(str(mail["Subject"]) for mail in office.post())
    assert subjects == [
        "Cancel this appointment? Advice, Wednesday, November 25 at 11:00 AM",
        "New time for your appointment: Wednesday, November 25 at 11:00 AM",
    ]
    assert office.mail(HOUR) == []


def test_a_log_longer_than_a_batch_is_read_to_its_end_before_anybody_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters_module, "BATCH", 2)
    office, entry = booked(store)
    for hours in range(1, 8):
        office.move(entry.id, FIRST + hours * HOUR)
    [mail] = office.mail(HOUR)
    assert invitation(mail)[1][0]["DTSTART"].dt == FIRST + 7 * HOUR
    assert store.lag("letters") == 0


def test_an_appointment_that_cannot_be_told_holds_up_no_other_and_is_told_when_it_is_mended(store: Store) -> None:
    office = Office.furnished(store)
    entry = office.book(rule="FREQ=WEEKLY;COUNT=3")
    office.book(FIRST + HOUR, name="other")
    broken = replace(entry, recurrence=Recurrence(rule="FREQ=NEVER"))
    nowhere = Shape(text="", team_text="", occurrences=(), indexed_until=None, floor=None, ceil=None)
    office.write(lambda tx: tx.record(entry, broken, nowhere, office.now))
    [mail] = office.mail()
    assert mail["Subject"] == "Your appointment on Wednesday, November 25 at 11:00 AM"
    assert office.mail(HOLD) == []
    office.write(lambda tx: tx.record(broken, entry, nowhere, office.now))
    [mail] = office.mail(POSTPONED)
    assert mail["Subject"] == "Your appointments from Wednesday, November 25, 2026"


def test_a_letter_written_anew_after_a_restore_has_another_message_id(database: Database, each_store: Store) -> None:
    """The backup was taken before the letter; the lost one may have been about another time, and programs drop what they know."""
    office = Office.furnished(each_store)
    entry = office.book()
    [lost] = office.mail()
    database.ask("DELETE FROM letter", commit=True)
    each_store.renew_epoch()
    office.write(lambda tx: tx.await_notice(entry.id, None, office.now))
    [mail] = office.mail()
    assert mail["Subject"] == lost["Subject"]
    assert mail["Message-ID"] != lost["Message-ID"]


def test_two_companies_are_told_apart(store: Store) -> None:
    office = Office.furnished(store)
    other = replace(COMPANY, id=CompanyId("other"), slug="other", name="Other Company", policy=replace(COMPANY.policy, hold=2 * HOLD))
    store.found(other)
    with store.write(other.id, SETUP) as tx:
        tx.save_staff(replace(JOHN, id=StaffId("emma"), handle="emma-morris", name="Emma Morris", email="emma@example.com"))
        tx.save_service(ADVICE)
        tx.save_customer(replace(ANN, email="bob@example.com"))
    office.book()
    away = replace(office, company=other.id)
    away.book()
    assert set(office.letters.due(office.now)) == {DEMO, other.id}
    [mail] = office.mail(HOLD)
    assert (str(mail["To"]), mail["From"].addresses[0].display_name) == (ANN.email, "Demo Company")
    [mail] = office.mail(HOLD)
    assert (str(mail["To"]), mail["From"].addresses[0].display_name) == ("bob@example.com", "Other Company")
