"""Busy times from calendars elsewhere over CalDAV: told to whoever asks who is free, and in the way of moves (bridge.md §4, 49)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.errors import Reason
from gateway.model import OnConflict, Span, StaffId
from tests.dav.asking import span
from tests.dav.house import DEMO, EMMA, HERE, JOHN, NOW, SETUP, SPACES, Client, House
from tests.dav.test_scheduling import asked, lines, post, told

HOME = "/dav/john-smith/"
NOON = "20261126T120000Z/20261126T130000Z"
BUSY = Span(NOW.replace(day=26, hour=12), NOW.replace(day=26, hour=13))


def elsewhere(house: House, staff: StaffId, *spans: Span, origin: str = "ics") -> None:
    with house.store.write(DEMO, SETUP) as tx:
        tx.put_busy(staff, origin, spans, NOW)


def free_busy(john: Client, path: str) -> list[str]:
    body = f"<C:free-busy-query {SPACES}>{span('20261126T000000', '20261127T000000')}</C:free-busy-query>"
    answer = john.report(body, path, Depth="1")
    assert answer.status == 200, answer.text
    return [line.partition(":")[2] for line in answer.text.split("\r\n") if line.startswith("FREEBUSY")]


@pytest.mark.parametrize("path", [HERE, HOME])
def test_49_they_are_told_with_ones_own_and_once(house: House, john: Client, path: str) -> None:
    elsewhere(house, JOHN.id, BUSY)
    elsewhere(house, JOHN.id, BUSY, origin="account:a")
    elsewhere(house, EMMA.id, Span(BUSY.start + timedelta(hours=3), BUSY.end + timedelta(hours=3)))
    assert free_busy(john, path) == [NOON]


def test_49_a_team_is_busy_when_its_members_are_elsewhere(house: House, john: Client) -> None:
    elsewhere(house, EMMA.id, BUSY)
    assert free_busy(john, f"{HOME}group-front/") == [NOON]
    assert free_busy(john, HERE) == []


def test_49_a_personal_calendar_speaks_for_itself_alone(house: House, john: Client) -> None:
    elsewhere(house, JOHN.id, BUSY)
    made = john.ask("MKCALENDAR", f"{HOME}private/")
    assert made.status == 201, made.text
    assert free_busy(john, f"{HOME}private/") == []


def test_49_colleagues_who_plan_a_meeting_see_them(house: House, john: Client) -> None:
    elsewhere(house, EMMA.id, BUSY)
    [(status, text)] = told(post(john, asked(f"mailto:{EMMA.email}"))).values()
    assert status.startswith("2.0")
    assert lines(text) == [f"BUSY:{NOON}"]


@pytest.mark.parametrize("policy", OnConflict)
def test_49_a_move_onto_one_is_answered_as_onto_any_personal_event(house: House, john: Client, policy: OnConflict) -> None:
    house.set_policy(on_conflict=policy)
    name = house.book(BUSY.start - timedelta(hours=3))
    elsewhere(house, JOHN.id, BUSY)
    path = f"{HERE}{name}"
    text = john.get(path).text
    moved = text.replace("T100000", "T130000").replace("T103000", "T133000")
    assert moved != text
    john.put(path, moved)
    last = house.changes()[-1]
    assert last.reason is (None if policy is OnConflict.ACCEPT else Reason.TAKEN)
