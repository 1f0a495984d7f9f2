"""The customer's page of an appointment: what the key in a letter opens, what its buttons do, and who is told of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from gateway import desk
from gateway.booking import Cancel
from gateway.model import EntryId, Span, Status, WorkingHours
from tests.web.house import ANN, JOHN, SETUP, Door
from tests.web.site.booked import DEMO, HALF, PLATFORM, TEN, Booking
from tests.web.site.people import Visitor

OFFICE_HOURS = WorkingHours(weekly=dict.fromkeys(range(5), ((9 * 60, 12 * 60),)))


@pytest.fixture
def booking(door: Door) -> Booking:
    return Booking(door)


def basic(instant: datetime) -> str:
    return instant.strftime("%Y%m%dT%H%M%SZ")


def said(mail: EmailMessage) -> str:
    return str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]  # every letter has one


def test_the_letters_button_leads_to_the_page(door: Door, stranger: Visitor) -> None:
    made = door.book(TEN.isoformat())
    booking = Booking.__new__(Booking)
    booking.door, booking.id = door, EntryId(made["id"])
    [mail] = booking.tell()
    found = re.search(r"https://calendar\.example\.com(/appointment/[\w-]{32})\s", said(mail))
    assert found is not None
    assert "Change or cancel:" in said(mail)
    page = stranger.get(found[1])
    assert page.status == 200
    for fact in ("Your appointment", "Wednesday, November 25, 2026", "10:00", "Advice", "John Smith", "Europe/Paris"):
        assert fact in page.text
    assert ANN.name not in page.text
    assert ANN.email not in page.text


def test_the_same_key_opens_the_appointment_all_its_life(booking: Booking) -> None:
    before = booking.page
    booking.move(TEN + timedelta(hours=1))
    [mail] = booking.tell()
    assert f"https://calendar.example.com{before}" in said(mail)
    assert "Accept or choose another time:" in said(mail)


@pytest.mark.parametrize("key", ["x" * 32, "nothing"])
def test_another_key_opens_nothing(booking: Booking, stranger: Visitor, key: str) -> None:
    for path in (f"/appointment/{key}", f"/appointment/{key}.ics", f"/appointment/{key}/times"):
        assert stranger.get(path).status == 404
    assert stranger.post(f"/appointment/{key}", {"do": "cancel"}).status == 404
    assert booking.entry.status is Status.CONFIRMED


def test_opening_the_page_changes_nothing(booking: Booking, stranger: Visitor) -> None:
    booking.move(TEN + timedelta(hours=1))
    before = booking.entry
    for path in ("", "/times", ".ics", "?do=cancel", "?do=accept"):
        assert stranger.get(booking.page + path).status == 200
    assert (booking.entry, booking.answer) == (before, "")


def test_a_form_of_another_site_presses_no_button(booking: Booking, stranger: Visitor) -> None:
    refused = stranger.post(booking.page, {"do": "cancel"}, Origin="https://evil.example", Sec_Fetch_Site="cross-site")
    assert refused.status == 403
    assert booking.entry.status is Status.CONFIRMED


def test_a_new_time_is_accepted_and_the_log_says_so(booking: Booking, stranger: Visitor) -> None:
    booking.move(TEN + timedelta(hours=1))
    page = stranger.get(booking.page).text
    assert "Your appointment has a new time" in page
    assert page.index("11:00") < page.index("10:00")
    assert stranger.post(booking.page, {"do": "accept"}).headers["location"] == f"{booking.page}?said=time-accepted"
    assert booking.answer == "ACCEPTED"
    page = stranger.get(booking.page).text
    assert "You have accepted this time." in page
    assert "Accept the new time" not in page
    with booking.door.store.read(DEMO) as snapshot:
        [deed] = snapshot.deeds(before=booking.door.clock.now + HALF, limit=9)
    assert (deed.what, deed.subject, deed.door) == ("accepted-by-customer", booking.id, "customer")


def test_a_later_time_is_a_new_question(booking: Booking, stranger: Visitor) -> None:
    booking.move(TEN + timedelta(hours=1))
    stranger.post(booking.page, {"do": "accept"})
    booking.move(TEN + timedelta(minutes=90))
    page = stranger.get(booking.page).text
    assert "Accept the new time" in page
    assert "<s>Wednesday, November 25, 2026, 11:00" in page


def test_declining_moves_nothing_and_tells_the_staff_member_once(booking: Booking, stranger: Visitor) -> None:
    booking.move(TEN + timedelta(hours=1))
    booking.tell()
    before = booking.entry
    for _ in range(2):
        stranger.post(booking.page, {"do": "decline", "message": "Mornings only,\r\nplease: https://evil.example"})
    [mail] = booking.tell()
    assert str(mail["To"]) == JOHN.email
    assert mail["Subject"] == "Ann Canaryname cannot come on Nov 25, 2026, 11:00 AM"
    for fact in ("Mornings only, please", ANN.email, ANN.phone, "The appointment stays in your calendar"):
        assert fact in said(mail)
    assert (booking.entry, booking.answer) == (before, "DECLINED")


def test_the_times_that_are_offered_are_free_and_within_hours(booking: Booking, stranger: Visitor) -> None:
    booking.door.book((TEN + timedelta(hours=1)).isoformat())
    page = stranger.get(f"{booking.page}/times").text
    offered = [datetime.strptime(each, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for each in re.findall(r'name="start" value="(\w+)"', page)]
    wednesday = [each for each in offered if each.date() == TEN.date()]
    assert wednesday == [TEN + timedelta(minutes=minutes) for minutes in (-60, -30, 30, 90)]  # 10:00 is its own, 11:00 taken
    assert min(offered) > booking.door.clock.now
    assert {each.weekday() for each in offered} <= {0, 1, 2, 3, 4}


def test_another_time_is_chosen_and_everybody_told_once(booking: Booking, stranger: Visitor) -> None:
    chosen = TEN + timedelta(days=1)
    assert (
        stranger.post(booking.page, {"do": "move", "start": basic(chosen)}).headers["location"] == f"{booking.page}?said=appointment-moved"
    )
    assert booking.entry.span == Span(chosen, chosen + HALF)
    mails = {str(mail["To"]): mail for mail in booking.tell()}
    assert set(mails) == {JOHN.email, ANN.email}
    assert mails[JOHN.email]["Subject"] == "Ann Canaryname has moved the appointment of Nov 25, 2026, 10:00 AM"
    assert mails[ANN.email]["Subject"] == "New time for your appointment: Thursday, November 26 at 10:00 AM"
    assert booking.tell() == []
    assert "Accept the new time" not in stranger.get(booking.page).text


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (TEN + timedelta(hours=1), 409),  # taken
        (TEN + timedelta(minutes=7), 409),  # not offered, though free
        (TEN + timedelta(hours=8), 409),  # after hours
        (TEN - timedelta(days=2), 400),  # past
        (TEN + timedelta(days=800), 400),
    ],
)
def test_a_time_that_was_not_offered_is_not_taken(booking: Booking, stranger: Visitor, start: datetime, status: int) -> None:
    booking.door.book((TEN + timedelta(hours=1)).isoformat())
    before = booking.entry
    assert stranger.post(booking.page, {"do": "move", "start": basic(start)}).status == status
    assert booking.entry == before


def test_the_old_time_is_had_back_where_it_is_free(booking: Booking, stranger: Visitor) -> None:
    booking.move(TEN + timedelta(hours=1))
    page = stranger.get(booking.page).text
    assert "Back to the old time" in page
    stranger.post(booking.page, {"do": "move", "start": basic(TEN)})
    assert booking.entry.span.start == TEN
    booking.move(TEN + timedelta(hours=1))
    booking.door.book(TEN.isoformat())
    assert "Back to the old time" not in stranger.get(booking.page).text
    assert stranger.post(booking.page, {"do": "move", "start": basic(TEN)}).status == 409


def test_cancelling_tells_everybody_once_and_ends_the_page(booking: Booking, stranger: Visitor) -> None:
    for _ in range(2):
        stranger.post(booking.page, {"do": "cancel"})
    assert booking.entry.status is Status.CANCELLED
    assert sorted(str(mail["To"]) for mail in booking.tell()) == [ANN.email, JOHN.email]
    page = stranger.get(booking.page)
    assert page.status == 410
    assert "This appointment is cancelled" in page.text
    assert "<button" not in page.text


def test_the_companys_notice_binds_the_customer_but_not_a_proposal(booking: Booking, stranger: Visitor) -> None:
    booking.policy(notice=timedelta(days=2))
    page = stranger.get(booking.page).text
    assert "To change this appointment, please get in touch with us." in page
    for form in ({"do": "cancel"}, {"do": "move", "start": basic(TEN + timedelta(days=3))}):
        assert stranger.post(booking.page, form).headers["location"] == f"{booking.page}?said=too-late"
    assert booking.entry.version == 1
    booking.move(TEN + timedelta(hours=1))  # what the company proposes can be answered until it comes
    assert "Choose another time" in stranger.get(booking.page).text
    stranger.post(booking.page, {"do": "cancel"})
    assert booking.entry.status is Status.CANCELLED


def test_without_self_service_letters_have_no_button_and_pages_change_nothing(booking: Booking, stranger: Visitor) -> None:
    booking.policy(self_service=False)
    booking.move(TEN + timedelta(hours=1))
    [mail] = booking.tell()
    assert "/appointment/" not in said(mail)
    assert "please get in touch with us" in said(mail)
    assert stranger.post(booking.page, {"do": "cancel"}).headers["location"] == f"{booking.page}?said=too-late"
    assert booking.entry.status is Status.CONFIRMED
    assert "Accept the new time" in stranger.get(booking.page).text


def test_what_is_over_tells_nothing_more(booking: Booking, stranger: Visitor) -> None:
    booking.door.clock.now = TEN + timedelta(hours=1)
    page = stranger.get(booking.page)
    assert page.status == 410
    assert "This appointment is over" in page.text
    assert JOHN.name not in page.text
    booking.door.clock.now = TEN + timedelta(days=40)
    assert stranger.get(booking.page).status == 410
    assert stranger.get(f"{booking.page}.ics").status == 410


def test_one_date_of_a_series_is_changed_and_the_others_stay(door: Door, stranger: Visitor) -> None:
    booking = Booking(door, recurrence={"rule": "FREQ=WEEKLY;COUNT=4"})
    second = TEN + timedelta(weeks=1)
    page = stranger.get(booking.page).text
    assert "All dates ahead" in page
    assert page.count("?at=") == 4
    stranger.post(booking.page, {"do": "move", "at": basic(second), "start": basic(second + timedelta(days=1))})
    stranger.post(booking.page, {"do": "cancel", "at": basic(TEN + timedelta(weeks=2))})
    series = booking.entry.recurrence
    assert series is not None
    assert [(each.at, each.span.start) for each in series.overrides] == [(second, second + timedelta(days=1))]
    assert series.excluded == (TEN + timedelta(weeks=2),)
    assert "This appointment is cancelled" in stranger.get(f"{booking.page}?at={basic(TEN + timedelta(weeks=2))}").text


def test_a_letter_about_one_date_leads_to_that_date(door: Door, stranger: Visitor) -> None:
    booking = Booking(door, recurrence={"rule": "FREQ=WEEKLY;COUNT=4"})
    second = TEN + timedelta(weeks=1)
    booking.move(second + timedelta(hours=1), at=second)
    [mail] = booking.tell()
    assert f"{booking.page}?at={basic(second)}" in said(mail)
    page = stranger.get(f"{booking.page}?at={basic(second)}").text
    assert "Your appointment has a new time" in page
    assert "Wednesday, December 2, 2026, 11:00" in page


def test_the_calendar_file_follows_the_appointment(booking: Booking, stranger: Visitor) -> None:
    first = stranger.get(f"{booking.page}.ics")
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "METHOD:PUBLISH" in first.text
    assert "DTSTART;TZID=Europe/Paris:20261125T100000" in first.text
    for private in ("ATTENDEE", ANN.email, ANN.name, "Xylophone"):
        assert private not in first.text
    booking.move(TEN + timedelta(hours=1))
    second = stranger.get(f"{booking.page}.ics").text
    assert "DTSTART;TZID=Europe/Paris:20261125T110000" in second
    assert re.findall(r"UID:(.*)", first.text) == re.findall(r"UID:(.*)", second)
    with booking.door.store.write(DEMO, PLATFORM) as tx:
        desk.apply_to(tx, PLATFORM, booking.id, [Cancel()], booking.door.clock.now)
    assert "STATUS:CANCELLED" in stranger.get(f"{booking.page}.ics").text
    assert stranger.get(f"{booking.page}.ics?download").headers["content-disposition"].startswith("attachment")


def test_the_page_speaks_the_customers_language_and_clock(door: Door, stranger: Visitor) -> None:
    with door.store.write(DEMO, SETUP) as tx:
        tx.save_customer(replace(ANN, locale="de", zone="America/New_York"))
    page = stranger.get(Booking(door).page, Accept_Language="fr").text
    assert '<html lang="de"' in page
    assert "Mittwoch, 25. November 2026, 04:00 – 04:30" in page
    assert "10:00 – 10:30" in page  # and where it takes place


def test_a_staff_member_without_an_address_stops_nobody(booking: Booking, stranger: Visitor) -> None:
    with booking.door.store.write(DEMO, SETUP) as tx:
        tx.save_staff(replace(JOHN, email=""), booking.door.clock.now)
    stranger.post(booking.page, {"do": "cancel"})
    assert booking.entry.status is Status.CANCELLED
