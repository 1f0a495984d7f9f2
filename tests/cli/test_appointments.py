"""Appointments from the command line, and the life of one of them told."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import desk
from gateway.booking import Move
from gateway.errors import Refused
from gateway.model import Actor, EntryId, Span
from tests.cli.house import Shell

START = "2036-11-25T10:00"  # a Tuesday far ahead, so that no clock decides here


def book(gateway: Shell, start: str = START, *more: str) -> Any:
    words = ("--staff", "john-smith", "--service", "advice", "--customer", "ann.canary@example.com", "--start", start)
    return gateway.json("appointment", "add", *words, *more)


def test_an_appointment_is_booked_in_the_time_of_the_staff_member(gateway: Shell) -> None:
    made = book(gateway)
    assert (made["start"], made["end"]) == ("2036-11-25T10:00:00+01:00", "2036-11-25T10:30:00+01:00")
    assert (made["staff"], made["service"], made["customer"], made["status"]) == ("john-smith", "Advice", "Ann Canaryname", "confirmed")
    assert gateway.json("appointment", "show", made["id"]) == made
    assert gateway.json("appointment", "show", made["uid"]) == made


def test_an_offset_is_honoured(gateway: Shell) -> None:
    assert book(gateway, "2036-11-25T10:00:00+00:00")["start"] == "2036-11-25T11:00:00+01:00"


def test_a_taken_time_is_refused_in_one_sentence(gateway: Shell) -> None:
    book(gateway)
    words = ("--staff", "john-smith", "--service", "advice", "--customer", "ann.canary@example.com", "--start", "2036-11-25T10:15")
    told = gateway("appointment", "add", *words)
    assert (told.code, told.err) == (1, "That time is already taken.\n")


def test_appointments_are_listed_by_window_and_person(gateway: Shell) -> None:
    made = book(gateway)
    window = ("--from", "2036-11-25", "--to", "2036-11-26")
    assert gateway.json("appointment", "list", *window) == [made]
    assert gateway.json("appointment", "list", *window, "--staff", "emma-morris") == []
    assert gateway.json("appointment", "list", "--from", "2036-11-26", "--to", "2036-11-27") == []


def test_an_appointment_is_moved_and_cancelled(gateway: Shell) -> None:
    made = book(gateway)
    moved = gateway.json("appointment", "move", made["id"], "--to", "2036-11-26T15:00")
    assert (moved["start"], moved["end"]) == ("2036-11-26T15:00:00+01:00", "2036-11-26T15:30:00+01:00")
    assert gateway.json("appointment", "cancel", made["uid"])["status"] == "cancelled"
    assert gateway.json("appointment", "show", made["uid"])["status"] == "cancelled"
    assert gateway.json("appointment", "list", "--from", "2036-11-26", "--to", "2036-11-27") == []
    assert len(gateway.json("appointment", "list", "--from", "2036-11-26", "--to", "2036-11-27", "--cancelled")) == 1


def test_one_occurrence_of_a_series_is_moved_and_another_cancelled(gateway: Shell) -> None:
    made = book(gateway, START, "--rule", "FREQ=WEEKLY;COUNT=4")
    gateway.json("appointment", "move", made["id"], "--to", "2036-12-03T09:00", "--occurrence", "2036-12-02T10:00")
    now = gateway.json("appointment", "cancel", made["id"], "--occurrence", "2036-12-09T10:00")
    assert now["start"] == made["start"]
    assert now["recurrence"]["excluded"] == ["2036-12-09T10:00:00+01:00"]
    assert now["recurrence"]["overrides"] == [
        {"occurrence": "2036-12-02T10:00:00+01:00", "start": "2036-12-03T09:00:00+01:00", "end": "2036-12-03T09:30:00+01:00"}
    ]


@pytest.mark.parametrize("text", ["tomorrow", "2036-13-01T10:00", ""])
def test_a_time_that_is_none_is_a_usage_error(gateway: Shell, text: str) -> None:
    made = book(gateway)
    assert gateway("appointment", "move", made["id"], "--to", text).code == 2


def test_the_life_of_an_appointment_is_told(gateway: Shell) -> None:
    made = book(gateway)
    gateway.json("appointment", "move", made["id"], "--to", "2036-11-26T15:00")
    refuse_from_the_calendar(gateway, made["id"])
    gateway.json("appointment", "cancel", made["id"])

    told = gateway.json("explain", made["uid"])

    assert told["appointment"]["id"] == made["id"]
    booked, moved, refused, cancelled = told["changes"]
    assert booked["door"] == moved["door"] == cancelled["door"] == "cli"
    assert booked["who"]
    assert booked["what"] == "booked for 2036-11-25T10:00:00+01:00"
    assert moved["what"] == "moved from 2036-11-25T10:00:00+01:00 to 2036-11-26T15:00:00+01:00"
    assert (refused["door"], refused["who"], refused["refused"]) == ("dav", "john-smith", "past")
    assert refused["what"].startswith("refused (past): ")
    assert cancelled["what"] == "cancelled"
    assert [change["revision"] for change in told["changes"]] == sorted(change["revision"] for change in told["changes"])
    assert told["letters"] == []

    plain = gateway("explain", made["uid"])
    assert plain.code == 0
    assert "moved from" in plain.out
    assert "There are none." in plain.out


def refuse_from_the_calendar(gateway: Shell, id: str) -> None:
    """What the CalDAV side does with a move into the past."""
    with gateway.store() as store:
        [company] = store.companies()
        with store.write(company.id, Actor("john-smith", "dav")) as tx:
            held = tx.held_by_id(EntryId(id))
            assert held
            past = Span(held.entry.created, held.entry.created)
            wish = Move(span=Span(past.start, past.start + (held.entry.span.length if hasattr(held.entry, "span") else past.length)))
            with pytest.raises(Refused) as refused:
                desk.apply_to(tx, tx.actor, held.entry.id, [wish], held.entry.created.replace(year=2035))
            desk.turn_back(tx, tx.actor, held.entry.calendar, held.entry.name, refused.value, "a move", held.entry.created)
