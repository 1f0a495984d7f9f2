"""The contract of every adapter: what a listing tells, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.bridge.remote import CursorExpired, Page, RemoteError, Throttled, Unreachable
from gateway.links import Key
from gateway.model import EntryId, Span
from tests.bridge.contract.setting import DAY, KEY, NOW, OTHER, PARIS, WINDOW, Setting, gone, owned, pages, pulled


class ListingContract:
    """What a Remote reads."""

    def test_a_full_listing_has_everything_and_an_increment_what_changed(self, setting: Setting) -> None:
        remote = setting.open()
        one, two = remote.create(KEY, owned()), remote.create(OTHER, owned(start=NOW + 2 * DAY))
        theirs = setting.act("create", calendar=setting.calendar, title="Theirs", start="2026-03-06T10:00:00+01:00")
        everything = pages(remote)
        assert everything[-1].full
        seen, cursor = pulled(remote)
        assert {one.id, two.id, theirs["id"]} == set(seen)
        assert seen[one.id].owned == owned()
        assert seen[one.id].etag == one.etag
        setting.act("move", id=one.id, start="2026-03-03T15:00:00+01:00", end="2026-03-03T16:00:00+01:00")
        changed, later = pulled(remote, cursor)
        assert set(changed) == {one.id}
        assert not pages(remote, cursor)[-1].full
        assert changed[one.id].owned == owned(start=datetime(2026, 3, 3, 14, tzinfo=UTC))
        assert pulled(remote, later)[0] == {}

    def test_a_cursor_may_be_read_from_again(self, setting: Setting) -> None:
        """Reading consumes nothing: whoever crashes before the commit reads the same again."""
        remote = setting.open()
        _, cursor = pulled(remote)
        remote.create(KEY, owned())
        assert set(pulled(remote, cursor)[0]) == set(pulled(setting.open(), cursor)[0]) != set()

    def test_an_unchanged_calendar_costs_one_request(self, setting: Setting) -> None:
        remote = setting.open()
        remote.create(KEY, owned(rule="FREQ=WEEKLY;COUNT=5"))
        _, cursor = pulled(remote)
        before = len(setting.wire.sent)
        assert pulled(remote, cursor)[0] == {}
        assert len(setting.wire.sent) == before + 1

    def test_a_deletion_is_in_the_increment(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned())
        _, cursor = pulled(remote)
        setting.act("delete", id=made.id)
        seen, _ = pulled(remote, cursor)
        assert seen[made.id].owned is None
        assert seen[made.id].certain or gone(remote, made.id)

    def test_after_a_full_listing_a_deleted_event_is_missing_or_gone(self, setting: Setting) -> None:
        """A full listing after an expired cursor has no tombstones (bridge.md §4, 4)."""
        remote = setting.open()
        made = remote.create(KEY, owned())
        stays = remote.create(OTHER, owned())
        setting.act("delete", id=made.id)
        seen, _ = pulled(remote)
        assert stays.id in seen
        assert made.id not in seen or seen[made.id].owned is None

    def test_every_page_is_read_also_empty_ones(self, setting: Setting) -> None:
        remote = setting.open()
        ids = {remote.create(Key(entry=EntryId(f"e{number}")), owned(start=NOW + number * DAY)).id for number in range(7)}
        setting.fake.knobs.turn({"page_size": 2, "empty_pages": True})
        listing = pages(remote)
        assert len(listing) >= 4
        assert any(not page.seen for page in listing)
        assert {each.id for page in listing for each in page.seen} == ids

    def test_an_expired_cursor_says_so_at_any_page(self, setting: Setting) -> None:
        remote = setting.open()
        _, cursor = pulled(remote)
        setting.control("expire-cursors")
        with pytest.raises(CursorExpired):
            pages(remote, cursor)
        assert pages(remote)[-1].full

    def test_a_cursor_of_other_parameters_or_another_window_is_worth_nothing(self, setting: Setting) -> None:
        remote = setting.open()
        _, cursor = pulled(remote)
        with pytest.raises(CursorExpired):
            pages(remote, replace(cursor, fingerprint="0 of an older release"))
        with pytest.raises(CursorExpired):
            pages(remote, cursor, Span(NOW, NOW + 10 * DAY))

    @pytest.mark.parametrize("kind", ["before", "blackhole", "reset", "truncate", "status:503", "status:429"])
    @pytest.mark.parametrize("page", [0, 1, 2])
    def test_a_listing_that_breaks_off_gives_no_cursor(self, setting: Setting, page: int, kind: str) -> None:
        """A failed fetch is not an empty one (bridge.md §4, 2)."""
        remote = setting.open()
        for number in range(5):
            remote.create(Key(entry=EntryId(f"e{number}")), owned(start=NOW + number * DAY))
        setting.fake.knobs.turn({"page_size": 2})
        setting.fault("GET /(events|delta)", kind, skip=page)
        read: list[Page] = []
        with pytest.raises((Unreachable, Throttled)):
            read.extend(remote.pull(None, WINDOW, NOW))
        assert all(each.cursor is None and not each.full for each in read)

    def test_an_event_that_blocks_nobody_is_told_as_such(self, setting: Setting) -> None:
        setting.act("create", calendar=setting.calendar, title="Idea", start="2026-03-06T10:00:00+01:00", busy=False)
        [seen] = pulled(setting.open())[0].values()
        assert not seen.busy

    def test_a_calendar_that_is_gone_is_no_error_of_the_account(self, setting: Setting) -> None:
        remote = setting.open()
        remote.create(KEY, owned())
        setting.act("delete_calendar", id=setting.calendar)
        with pytest.raises(RemoteError) as caught:
            pages(remote)
        assert type(caught.value).__name__ == "CalendarGone"
        assert setting.house.make_calendar(setting.kept, "Anew", PARIS, NOW).id != setting.calendar
