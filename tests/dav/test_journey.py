"""The journey of a staff member with the `caldav` library: find the calendar, list it, move a booking, synchronise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import caldav
import pytest

from gateway.model import Appointment
from gateway.store import Store
from tests.dav.house import HERE, JOHN, NOW, PASSWORD, Client, House, event, furnish, opened

START = NOW + timedelta(days=2, hours=2)


@pytest.fixture
def house(store: Store) -> Iterator[House]:
    """On every database."""
    furnish(store)
    with opened(store) as house:
        yield house


def test_a_booking_moves_by_the_caldav_library(house: House, john: Client) -> None:
    name = house.book(START)
    url = f"http://127.0.0.1:{house.port}/dav/"
    with caldav.DAVClient(url=url, username=JOHN.email, password=PASSWORD.format("john")) as client:
        calendars = {str(each.url).removeprefix(f"http://127.0.0.1:{house.port}"): each for each in client.principal().get_calendars()}
        assert set(calendars) == {HERE, "/dav/john-smith/company/", "/dav/john-smith/group-front/"}
        calendar = calendars[HERE]
        first = calendar.get_objects_by_sync_token(load_objects=True)
        assert [str(each.url).rpartition("/")[2] for each in first] == [name]

        [found] = calendar.search(start=START - timedelta(hours=1), end=START + timedelta(hours=1), event=True, expand=False)
        found.load()
        found.data = found.data.replace("T110000", "T140000").replace("T113000", "T143000")
        found.save()

        entry = house.entry(name)
        assert isinstance(entry, Appointment)
        assert entry.span.start == START + timedelta(hours=3)
        changed = calendar.get_objects_by_sync_token(first.sync_token)
        assert [str(each.url).rpartition("/")[2] for each in changed] == [name]
        assert list(calendar.get_objects_by_sync_token(changed.sync_token)) == []

        calendar.save_event(event("mine@example.com"))
        assert len(calendar.get_events()) == 2
        mine = (
            calendar.event_by_uid("mine@example.com")
            if hasattr(calendar, "event_by_uid")
            else calendar.get_event_by_uid("mine@example.com")
        )
        mine.delete()
        assert len(calendar.get_events()) == 1


def test_a_refused_move_shows_the_old_time_under_a_new_etag(house: House, john: Client) -> None:
    name = house.book(START)
    house.book(START + timedelta(hours=3))
    held, token = john.get(HERE + name), john.token()
    text = held.text.replace("T110000", "T140000").replace("T113000", "T143000")
    assert john.put(HERE + name, text, If_Match=held.etag).status == 204
    after = john.get(HERE + name)
    assert (after.text, after.etag != held.etag) == (held.text, True)
    assert set(john.sync(token).responses) == {HERE + name}
