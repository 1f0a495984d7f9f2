"""What only Thunderbird, Evolution, tsdav or DAVx5 do (clients.md §3, §4, §8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import Appointment
from tests.clients.desktop import CarefulEvolution, Evolution, Thunderbird, Tsdav
from tests.clients.editing import placed, starts
from tests.clients.handheld import Davx5
from tests.clients.program import Program, query
from tests.dav.house import HERE, NOW, READ_ONLY, C, D, House, event

START = NOW + timedelta(days=2, hours=2)
LATER = START + timedelta(hours=3)
HOME = "/dav/john-smith/"


def ready(program: Program) -> Program:
    program.set_up()
    program.refresh()
    return program


def test_thunderbird_asks_before_it_overwrites_and_is_found_out_when_it_does(house: House) -> None:
    name = house.book(START)
    thunderbird, other = Thunderbird(house), ready(Davx5(house))
    ready(thunderbird)
    stale = placed(thunderbird.copies[HERE + name].text, START + timedelta(hours=1))
    other.save(HERE + name, placed(other.copies[HERE + name].text, LATER))
    assert thunderbird.save(HERE + name, stale) == 412
    assert thunderbird.said == ["overwrite?"]
    assert thunderbird.shows()[HERE + name] == [LATER], "its user discards his own change"
    assert thunderbird.overwrite(HERE + name, stale) == 204, "or he insists"
    entry = house.entry(name)
    assert isinstance(entry, Appointment)
    assert entry.span.start == LATER


def test_evolution_is_told_of_a_conflict_only_when_it_wants_to_know(house: House) -> None:
    path = HERE + "mine.ics"
    careless, careful, other = Evolution(house), CarefulEvolution(house), Thunderbird(house)
    other.save(path, event("mine@example.com"))
    ready(careless)
    ready(careful)
    other.save(path, event("mine@example.com", summary="Later"))
    assert careful.save(path, event("mine@example.com", summary="Mine")) == 412
    assert careless.save(path, event("mine@example.com", summary="Mine")) == 204


def test_evolution_reads_a_calendar_as_writable_from_its_privileges(house: House) -> None:
    for password, writable in ((None, True), (READ_ONLY, False)):
        evolution = Evolution(house, house.client(password=password))
        evolution.set_up()
        assert evolution.calendars[HERE].writable is writable


def test_tsdav_gets_every_occurrence_of_a_series_as_an_event_of_its_own(house: House) -> None:
    name = house.book(START, rule="FREQ=WEEKLY;COUNT=4", uid="series@example.com")
    tsdav = Tsdav(house)
    tsdav.set_up()
    first, end = f"{START:%Y%m%dT%H%M%SZ}", f"{START + timedelta(days=15):%Y%m%dT%H%M%SZ}"
    expand = f'<C:calendar-data xmlns:C="{C[1:-1]}"><C:expand start="{first}" end="{end}"/></C:calendar-data>'
    body = query([f"{D}getetag"], f'<C:time-range start="{first}" end="{end}"/>').replace("</prop>", f"{expand}</prop>")
    [found] = tsdav.ask("REPORT", HERE, body, Depth="1").responses.items()
    assert found[0] == HERE + name
    text = found[1][f"{C}calendar-data"]
    assert sorted(starts(text)) == [START + timedelta(weeks=week) for week in range(3)]
    assert "RRULE" not in text


def test_davx5_fetches_ten_at_a_time(house: House) -> None:
    for hour in range(25):
        house.book(START + timedelta(hours=hour))
    davx5 = Davx5(house)
    ready(davx5)
    assert len(davx5.shows()) == 25


@pytest.mark.parametrize("typed", ["/dav/", "/dav", HOME, HOME.rstrip("/"), HERE])
def test_davx5_finds_everything_from_any_address_that_is_typed(house: House, typed: str) -> None:
    davx5 = Davx5(house)
    davx5.typed = typed
    davx5.set_up()
    assert HERE in davx5.calendars


def test_davx5_raises_the_sequence_with_every_upload_and_our_own_goes_on(house: House) -> None:
    name = house.book(START)
    davx5 = Davx5(house)
    ready(davx5)
    for count, to in enumerate((LATER, LATER + timedelta(hours=1), START), 1):
        assert davx5.save(HERE + name, placed(davx5.copies[HERE + name].text, to)) == 204
        davx5.refresh()
        entry = house.entry(name)
        assert isinstance(entry, Appointment)
        assert (entry.span.start, entry.sequence) == (to, count)


def test_davx5_may_hold_its_state_over_a_refusal_and_is_put_right(house: House) -> None:
    """It keeps no ETag after 204 without one, and sends the next change of the same event without a condition."""
    name = house.book(START)
    house.book(LATER, uid="taken@example.com")
    davx5 = Davx5(house)
    ready(davx5)
    assert davx5.save(HERE + name, placed(davx5.copies[HERE + name].text, LATER)) == 204
    assert davx5.copies[HERE + name].etag is None
    davx5.refresh()
    assert davx5.copies[HERE + name].etag
    assert davx5.shows()[HERE + name] == [START]
