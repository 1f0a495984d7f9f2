"""The contract of every adapter: series, their occurrences, and those that differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from gateway.model import Span
from tests.bridge.contract.setting import DAY, HOUR, KEY, NOW, Setting, gone, known, owned, pulled


class SeriesContract:
    """What repeats."""

    def test_a_series_keeps_its_rule_and_its_occurrences_are_found_by_their_original_start(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned(rule="FREQ=WEEKLY;COUNT=6"))
        again = remote.get(made.id)
        assert again is not None
        assert again.owned is not None
        assert again.owned.rule
        assert again.owned.span == owned().span
        third = remote.occurrence(made.id, NOW + 15 * DAY)
        assert third is not None
        assert (third.master, third.at) == (made.id, NOW + 15 * DAY)
        assert third.owned is not None
        assert third.owned.span == Span(NOW + 15 * DAY, NOW + 15 * DAY + HOUR)
        assert remote.occurrence(made.id, NOW + 16 * DAY) is None
        assert set(pulled(remote)[0]) == {made.id}

    def test_an_occurrence_keeps_its_wall_clock_when_clocks_change(self, setting: Setting) -> None:
        """bridge.md §4, 28: a series stands in its zone, not at an offset."""
        remote = setting.open()
        made = remote.create(KEY, owned(start=datetime(2026, 3, 24, 8, tzinfo=UTC), rule="FREQ=WEEKLY;COUNT=3"))
        assert remote.occurrence(made.id, datetime(2026, 3, 31, 7, tzinfo=UTC)) is not None
        assert remote.occurrence(made.id, datetime(2026, 3, 31, 8, tzinfo=UTC)) is None

    def test_a_moved_occurrence_is_an_item_of_its_own_with_its_original_start(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned(rule="FREQ=WEEKLY;COUNT=6"))
        _, cursor = pulled(remote)
        at = NOW + 8 * DAY
        there = remote.occurrence(made.id, at)
        assert there is not None
        key = replace(KEY, at=at)
        changed = remote.update(known(there, key), owned(start=at + 2 * HOUR))
        assert changed.owned == owned(start=at + 2 * HOUR)
        for listing in (pulled(remote, cursor)[0], pulled(remote)[0]):
            [moved] = [each for each in listing.values() if each.at == at]
            assert moved.master == made.id
            assert moved.owned is not None
            assert moved.owned.span == Span(at + 2 * HOUR, at + 3 * HOUR)
        found = remote.occurrence(made.id, at)
        assert found is not None
        assert found.owned is not None
        assert found.owned.span.start == at + 2 * HOUR

    def test_a_cancelled_occurrence_is_told_with_its_series_and_original_start(self, setting: Setting) -> None:
        """By us and by the person alike, in increments and in full listings (bridge.md §4, 40)."""
        remote = setting.open()
        made = remote.create(KEY, owned(rule="FREQ=WEEKLY;COUNT=6"))
        _, cursor = pulled(remote)
        ours, theirs = NOW + 8 * DAY, NOW + 15 * DAY
        there = remote.occurrence(made.id, ours)
        assert there is not None
        remote.delete(known(there, replace(KEY, at=ours)))
        setting.act("delete", id=made.id, occurrence=theirs.isoformat())
        for listing in (pulled(remote, cursor)[0], pulled(remote)[0]):
            told = {each.at: each for each in listing.values() if each.master == made.id}
            assert set(told) == {ours, theirs}
            assert all(each.owned is None and each.certain for each in told.values())
        assert len(setting.live()) == 1

    def test_an_occurrence_moved_and_then_cancelled_is_cancelled(self, setting: Setting) -> None:
        """bridge.md §4, 36: over two looks, and within one."""
        remote = setting.open()
        made = remote.create(KEY, owned(rule="FREQ=WEEKLY;COUNT=6"))
        _, cursor = pulled(remote)
        at = NOW + 8 * DAY
        setting.act("move", id=made.id, occurrence=at.isoformat(), start=(at + 2 * HOUR).isoformat(), end=(at + 3 * HOUR).isoformat())
        _, between = pulled(remote, cursor)
        setting.act("delete", id=made.id, occurrence=at.isoformat())
        for since in (cursor, between, None):
            [told] = [each for each in pulled(remote, since)[0].values() if each.at == at]
            assert told.owned is None

    def test_a_series_that_began_years_ago_is_listed_for_what_is_ahead(self, setting: Setting) -> None:
        """bridge.md §4, 12."""
        remote = setting.open()
        made = remote.create(KEY, owned(start=datetime(2020, 1, 7, 9, tzinfo=UTC), rule="FREQ=WEEKLY"))
        assert made.id in pulled(remote)[0]

    def test_a_series_that_repeats_no_more_is_a_single_event(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned(rule="FREQ=WEEKLY;COUNT=6"))
        assert remote.update(known(made), owned()).owned == owned()
        assert remote.occurrence(made.id, NOW + 8 * DAY) is None

    def test_deleting_the_series_takes_its_occurrences_along(self, setting: Setting) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned(rule="FREQ=WEEKLY;COUNT=6"))
        there = remote.occurrence(made.id, NOW + 8 * DAY)
        assert there is not None
        remote.update(known(there, replace(KEY, at=NOW + 8 * DAY)), owned(start=NOW + 8 * DAY + HOUR))
        series = remote.get(made.id)
        assert series is not None
        remote.delete(known(series))
        assert setting.live() == []
        assert gone(remote, made.id)
