"""A day with each calendar program: its account, its first sync, a move, a refused move, a private event, a quiet poll."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.errors import Reason
from gateway.model import Appointment, OnDelete, Personal
from tests.clients.desktop import CarefulEvolution, Evolution, SyncEvolution, Thunderbird, Tsdav, Vdirsyncer
from tests.clients.editing import occurrence_deleted, occurrence_moved, placed, with_lines
from tests.clients.handheld import Davx5, Davx5ByWindow, Mac, OldPhone, Phone
from tests.clients.program import Program
from tests.dav.house import HERE, NOW, House, event

START = NOW + timedelta(days=2, hours=2)
LATER = START + timedelta(hours=3)
WEEK = timedelta(weeks=1)
MINE = HERE + "E0C6E2D5-8D2D-4E5B-9B3E-4C0C35A1C1C5.ics"
PROGRAMS = (Thunderbird, Evolution, CarefulEvolution, SyncEvolution, Vdirsyncer, Tsdav, Mac, OldPhone, Phone, Davx5, Davx5ByWindow)
BELIEVE_THEMSELVES = (SyncEvolution,)
"""Whose user goes on seeing his own move, whatever the server says (clients.md §4); and our revision does not come back from it."""

every = pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
every_listener = pytest.mark.parametrize(
    "make", [make for make in PROGRAMS if make not in BELIEVE_THEMSELVES], ids=lambda make: make.__name__
)


def started(make: type[Program], house: House) -> Program:
    """Set up and synchronised for the first time."""
    program = make(house)
    program.set_up()
    program.refresh()
    program.fetched.clear()
    return program


def booked(house: House, name: str) -> datetime:
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    return entry.span.start


@every
def test_an_account_shows_the_calendars_and_what_is_booked(house: House, make: type[Program]) -> None:
    names = [house.book(START + timedelta(days=day)) for day in range(12)]
    program = make(house)
    program.set_up()
    assert {path.split("/")[-2]: found.writable for path, found in program.calendars.items()} == {
        "appointments": True,
        "group-front": False,
        "company": False,
    }
    assert program.calendars[HERE].title == "John Smith"
    program.refresh()
    assert program.shows() == {HERE + name: [START + timedelta(days=day)] for day, name in enumerate(names)}


@every
def test_a_poll_without_news_fetches_nothing(house: House, make: type[Program]) -> None:
    house.book(START)
    program = started(make, house)
    program.refresh()
    assert program.fetched == []


@every
def test_a_move_in_the_program_moves_the_booking(house: House, make: type[Program]) -> None:
    name = house.book(START)
    program = started(make, house)
    assert program.save(HERE + name, placed(program.copies[HERE + name].text, LATER)) == 204
    assert booked(house, name) == LATER
    program.refresh()
    assert program.shows() == {HERE + name: [LATER]}
    assert not program.said
    program.fetched.clear()
    program.refresh()
    assert program.fetched == []


@every_listener
def test_a_refused_move_shows_the_old_time_again(house: House, make: type[Program]) -> None:
    name = house.book(START)
    house.book(LATER, uid="taken@example.com")
    program = started(make, house)
    assert program.save(HERE + name, placed(program.copies[HERE + name].text, LATER)) == 204
    assert (booked(house, name), house.changes()[-1].reason) == (START, Reason.TAKEN)
    program.refresh()
    assert program.shows()[HERE + name] == [START]
    assert not program.said, "nobody is asked whether he wants to overwrite"
    assert program.save(HERE + name, placed(program.copies[HERE + name].text, LATER + timedelta(hours=1))) == 204
    assert booked(house, name) == LATER + timedelta(hours=1), "and the next move is no conflict"


@pytest.mark.parametrize("make", BELIEVE_THEMSELVES, ids=lambda make: make.__name__)
def test_a_refused_move_moves_nothing_even_from_a_program_that_does_not_listen(house: House, make: type[Program]) -> None:
    name = house.book(START)
    house.book(LATER, uid="taken@example.com")
    program = started(make, house)
    for _ in range(2):
        assert program.save(HERE + name, placed(program.copies[HERE + name].text, LATER)) == 204
        assert (booked(house, name), house.changes()[-1].reason) == (START, Reason.TAKEN)


@every
def test_what_the_platform_moves_arrives_with_the_next_poll(house: House, make: type[Program]) -> None:
    name = house.book(START)
    program = started(make, house)
    other = Thunderbird(house)
    other.refresh()
    other.save(HERE + name, placed(other.copies[HERE + name].text, LATER))
    late = house.book(LATER + timedelta(hours=2))
    program.refresh()
    assert program.shows() == {HERE + name: [LATER], HERE + late: [LATER + timedelta(hours=2)]}
    assert sorted(program.fetched) == sorted([HERE + name, HERE + late])


@every_listener
def test_a_stale_copy_overwrites_nothing(house: House, make: type[Program]) -> None:
    """With If-Match by 412, without by the revision that comes back inside the event (clients.md §10.6)."""
    name = house.book(START)
    program, other = started(make, house), started(Davx5, house)
    other.save(HERE + name, placed(other.copies[HERE + name].text, LATER))
    status = program.save(HERE + name, placed(program.copies[HERE + name].text, START + timedelta(hours=1)))
    assert status == (412 if program.sends_conditions else 204)
    assert booked(house, name) == LATER
    program.refresh()
    assert program.shows() == {HERE + name: [LATER]}


@every
def test_a_private_event_comes_and_goes_and_blocks_the_hour(house: House, make: type[Program]) -> None:
    name = house.book(START)
    program, other = started(make, house), started(Vdirsyncer, house)
    assert program.save(MINE, event("E0C6E2D5-8D2D-4E5B-9B3E-4C0C35A1C1C5", f"{LATER:%Y%m%dT%H%M%SZ}", f"{LATER:%Y%m%dT}140000Z")) == 201
    assert isinstance(house.entry(MINE.rpartition("/")[2]), Personal)
    assert program.copies[MINE].etag, "it is kept as it was sent, and so has its ETag at once"
    other.refresh()
    assert other.shows()[MINE] == [LATER]
    assert other.copies[MINE].text == program.copies[MINE].text
    other.save(HERE + name, placed(other.copies[HERE + name].text, LATER))
    assert booked(house, name) == START, "the hour is taken"
    program.refresh()
    assert program.delete(MINE) == 204
    other.refresh()
    program.refresh()
    assert MINE not in other.shows()
    assert MINE not in program.shows()


@every
def test_a_deleted_appointment_comes_back_and_the_staff_member_is_asked(house: House, make: type[Program]) -> None:
    name = house.book(START)
    program = started(make, house)
    assert program.delete(HERE + name) == 204
    assert house.changes()[-1].reason is Reason.CANCEL_ASKED
    program.refresh()
    assert program.shows() == {HERE + name: [START]}


@every
def test_a_deleted_appointment_is_cancelled_where_the_company_wants_that(house: House, make: type[Program]) -> None:
    house.set_policy(on_delete=OnDelete.CANCEL)
    name = house.book(START)
    program, other = started(make, house), started(Davx5, house)
    assert program.delete(HERE + name) == 204
    for each in (program, other):
        each.refresh()
        assert each.shows() == {}


@every
def test_one_occurrence_of_a_series_is_moved_alone(house: House, make: type[Program]) -> None:
    name = house.book(START, rule="FREQ=WEEKLY;COUNT=4", uid="series@example.com")
    program = started(make, house)
    to = START + WEEK + timedelta(hours=3)
    assert program.save(HERE + name, occurrence_moved(program.copies[HERE + name].text, START + WEEK, to)) == 204
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.recurrence is not None
    assert [(each.at, each.span.start) for each in entry.recurrence.overrides] == [(START + WEEK, to)]
    program.refresh()
    assert program.shows()[HERE + name] == [START, to]


@every
def test_one_occurrence_of_a_series_is_deleted_alone(house: House, make: type[Program]) -> None:
    house.set_policy(on_delete=OnDelete.CANCEL)
    name = house.book(START, rule="FREQ=WEEKLY;COUNT=4", uid="series@example.com")
    program = started(make, house)
    assert program.save(HERE + name, occurrence_deleted(program.copies[HERE + name].text, START + WEEK)) == 204
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.recurrence is not None
    assert entry.recurrence.excluded == (START + WEEK,)
    program.refresh()
    assert "EXDATE" in program.copies[HERE + name].text


@every
def test_an_alarm_stays_and_moves_nothing(house: House, make: type[Program]) -> None:
    name = house.book(START)
    program = started(make, house)
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Reminder", "TRIGGER:-PT15M", "END:VALARM")
    assert program.save(HERE + name, with_lines(program.copies[HERE + name].text, *alarm)) == 204
    assert booked(house, name) == START
    program.refresh()
    assert "TRIGGER:-PT15M" in program.copies[HERE + name].text
    program.save(HERE + name, placed(program.copies[HERE + name].text, LATER))
    program.refresh()
    assert "TRIGGER:-PT15M" in program.copies[HERE + name].text, "also after a move"
