"""After a restore: what is known of a calendar is from another time, so that it is read in full before anything is written there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.store import copies
from tests.bridge.engine.paper import UNREACHABLE, Desk
from tests.bridge.wire import NOW
from tests.bridge.world import DAY


@pytest.fixture
def url(desk: Desk, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/gateway.db"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def back_up(url: str, file: Path) -> None:
    copies.back_up(url, file, force=False, upto=lambda _: None)


def restore(desk: Desk, url: str, file: Path) -> None:
    desk.store.close()
    copies.restore(url, file, desk.clock.now, upto=lambda _: None)


def test_a_locked_gateway_takes_no_turn(desk: Desk, url: str, file: Path) -> None:
    desk.book(NOW + DAY)
    back_up(url, file)
    restore(desk, url, file)
    later = desk.clock.now + timedelta(hours=1)
    assert list(desk.store.accounts_due(later)) == []
    with pytest.raises(AssertionError, match="somebody else holds the account"):
        desk.turn()
    assert desk.asked() == []
    assert desk.store.unlock()
    desk.poll(2)
    assert desk.starts() == [NOW + DAY]


def test_what_is_there_is_read_before_anything_is_written_and_nothing_is_doubled_or_deleted(desk: Desk, url: str, file: Path) -> None:
    moved, cancelled = desk.book(NOW + DAY), desk.book(NOW + 2 * DAY)
    desk.poll(3)
    desk.book(NOW + 9 * DAY)  # written over there after the backup
    back_up(url, file)
    desk.poll(2)
    desk.move(moved.id, NOW + 5 * DAY)
    desk.cancel(cancelled.id)
    desk.book(NOW + 4 * DAY)
    desk.poll(3)
    there = {event.id for event in desk.events()}
    restore(desk, url, file)
    assert desk.store.unlock()
    mark = desk.mark
    desk.poll(4)
    assert desk.asked(mark)[0] == "list"
    assert "delete" not in desk.writes(mark)
    assert there <= {event.id for event in desk.events()}
    assert len(desk.starts()) == len(set(desk.starts()))
    assert desk.held(moved.id).span.start == NOW + 5 * DAY, "the move that was made in between is found there"
    assert desk.held(cancelled.id).status == "confirmed"


def test_as_long_as_it_cannot_be_read_nothing_is_written(desk: Desk, url: str, file: Path) -> None:
    desk.book(NOW + DAY)
    desk.poll(3)
    back_up(url, file)
    restore(desk, url, file)
    assert desk.store.unlock()
    desk.book(NOW + 2 * DAY)
    desk.failing("list", UNREACHABLE, times=2)
    mark = desk.mark
    desk.poll(2)
    assert desk.writes(mark) == []
    desk.poll(2)
    assert desk.starts() == [NOW + DAY, NOW + 2 * DAY]
