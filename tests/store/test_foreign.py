"""When people are busy elsewhere: every origin tells all of its times anew, and a window shows whatever reaches into it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import Conflict, Missing
from gateway.links import Source
from gateway.model import Span, StaffId
from gateway.store import Store
from tests.databases import Database
from tests.store.elsewhere import writing
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, OTHER, SETUP, TAYLOR, Place

LAW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EVER = Span(NOW - 1000 * DAY, NOW + 1000 * DAY)
HOURS = st.integers(-100, 100).map(lambda number: number * HOUR)
SPANS = st.builds(
    lambda start, length: Span(NOW + start, NOW + start + length), HOURS, st.integers(0, 80).map(lambda number: number * HOUR)
)
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9998, 12, 31)).map(lambda naive: naive.replace(tzinfo=UTC))
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


def at(hour: float, length: float = 1) -> Span:
    return Span(NOW + hour * HOUR, NOW + (hour + length) * HOUR)


def keep(place: Place, origin: str, *spans: Span, staff: StaffId = JOHN.id, now: datetime = NOW) -> None:
    with writing(place) as tx:
        tx.put_busy(staff, origin, spans, now)


def busy(place: Place, window: Span = EVER, staff: StaffId = JOHN.id) -> list[Span]:
    with place.store.read(place.company) as snapshot:
        return list(snapshot.foreign_busy(staff, window))


def origins(place: Place, staff: StaffId = JOHN.id) -> dict[str, datetime]:
    with place.store.read(place.company) as snapshot:
        return dict(snapshot.foreign_origins(staff))


class TestBusyTimes:
    def test_times_of_every_origin_come_in_order_and_are_not_merged(self, place: Place) -> None:
        keep(place, "ics", at(5), at(1))
        keep(place, "link:one", at(1, 3), at(0.5))
        assert busy(place) == [at(0.5), at(1), at(1, 3), at(5)]

    def test_an_origin_tells_all_of_its_times_anew(self, place: Place) -> None:
        keep(place, "ics", at(1), at(2), at(3))
        keep(place, "link:one", at(9))
        keep(place, "ics", at(2), at(4))
        assert busy(place) == [at(2), at(4), at(9)]
        keep(place, "ics", now=NOW + HOUR)
        assert busy(place) == [at(9)]
        assert origins(place) == {"ics": NOW + HOUR, "link:one": NOW}

    def test_a_window_shows_what_reaches_into_it_and_not_what_touches_it(self, place: Place) -> None:
        keep(place, "ics", at(0, 2), at(2, 1), at(3, 2), at(1, 9))
        assert busy(place, at(2, 1)) == [at(1, 9), at(2, 1)]
        assert busy(place, at(1, 1)) == [at(0, 2), at(1, 9)]
        assert busy(place, at(20)) == []

    def test_weeks_that_began_long_ago_still_block(self, place: Place) -> None:
        """Most times are short and found by their start; the few that last longer than two days are looked through."""
        month = Span(NOW - 20 * DAY, NOW + 10 * DAY)
        exactly, longer = Span(NOW - 2 * DAY, NOW), Span(NOW - 2 * DAY, NOW + timedelta(microseconds=1))
        keep(place, "ics", month, exactly, longer)
        assert busy(place, Span(NOW, NOW + HOUR)) == [month, longer]
        assert busy(place, Span(NOW - timedelta(microseconds=1), NOW)) == [month, exactly, longer]

    @LAW
    @given(told=st.dictionaries(st.sampled_from(["ics", "link:a", "account:b"]), st.lists(SPANS, max_size=8)), window=SPANS)
    def test_a_window_shows_exactly_what_overlaps_it(self, place: Place, told: dict[str, list[Span]], window: Span) -> None:
        for origin in ("ics", "link:a", "account:b"):
            keep(place, origin, *told.get(origin, []))
        every = [span for spans in told.values() for span in spans]
        expected = sorted(
            (span for span in every if span.start < window.end and span.end > window.start), key=lambda span: (span.start, span.end)
        )
        assert busy(place, window) == expected

    def test_everybody_has_busy_times_of_his_own(self, place: Place, neighbour: Place) -> None:
        keep(place, "ics", at(1))
        keep(place, "ics", at(2), staff=EMMA.id)
        keep(neighbour, "ics", at(3), staff=TAYLOR.id)
        assert (busy(place), busy(place, staff=EMMA.id), busy(neighbour, staff=TAYLOR.id)) == ([at(1)], [at(2)], [at(3)])

    def test_nobody_who_is_not_there_is_busy(self, place: Place) -> None:
        with pytest.raises(Conflict):
            keep(place, "ics", at(1), staff=TAYLOR.id)

    def test_busy_times_are_no_change_of_the_calendar(self, place: Place) -> None:
        before = place.store.revisions()
        keep(place, "ics", at(1))
        assert place.store.revisions() == before


class TestOrigins:
    def test_an_origin_is_as_old_as_its_last_confirmation(self, place: Place) -> None:
        keep(place, "ics", at(1))
        with writing(place) as tx:
            tx.confirm_busy(JOHN.id, "ics", NOW + HOUR)
        assert origins(place) == {"ics": NOW + HOUR}
        assert busy(place) == [at(1)]

    def test_an_origin_that_is_forgotten_blocks_nobody(self, place: Place, database: Database) -> None:
        keep(place, "ics", at(1))
        keep(place, "link:one", at(2))
        with writing(place) as tx:
            tx.forget_busy(JOHN.id, "ics")
            tx.forget_busy(JOHN.id, "ics")
        assert origins(place) == {"link:one": NOW}
        assert busy(place) == [at(2)]
        assert database.ask("SELECT COUNT(*) FROM foreign_busy")[0][0] == 1


class TestSources:
    def source(self, **more: Any) -> Source:
        return Source(staff=JOHN.id, due=NOW, **more)

    def test_a_new_address_needs_to_be_given(self, place: Place) -> None:
        with pytest.raises(Missing), writing(place) as tx:
            tx.save_source(self.source())
        with place.store.read(DEMO) as snapshot:
            assert snapshot.source(JOHN.id) is None
            assert list(snapshot.sources()) == []
            with pytest.raises(Missing):
                snapshot.source_address(JOHN.id)

    def test_an_address_stays_until_another_one_is_given(self, place: Place) -> None:
        with writing(place) as tx:
            tx.save_source(self.source(), b"\x00\xff sealed")
            tx.save_source(self.source(etag="e"))
            assert tx.source_address(JOHN.id) == b"\x00\xff sealed"
            tx.save_source(self.source(), b"other")
            assert (tx.source_address(JOHN.id), tx.source(JOHN.id)) == (b"other", self.source())
            assert list(tx.sources()) == [JOHN.id]

    @LAW
    @given(
        facts=st.fixed_dictionaries(
            {
                "etag": WORDS,
                "modified": WORDS,
                "digest": WORDS,
                "due": INSTANTS,
                "fetched": st.none() | INSTANTS,
                "failing": st.none() | INSTANTS,
                "trouble": WORDS,
                "warnings": st.lists(WORDS, max_size=3).map(tuple),
                "zone": WORDS,
                "events": st.integers(0, 10**9),
                "shrunk": st.none() | INSTANTS,
            }
        )
    )
    def test_how_reading_went_is_read_as_it_was_written(self, place: Place, facts: dict[str, Any]) -> None:
        plain, full = self.source(), replace(self.source(), **facts)
        with writing(place) as tx:
            tx.save_source(full, b"sealed")
            assert tx.source(JOHN.id) == full
            tx.save_source(plain)
            assert tx.source(JOHN.id) == plain
            tx.save_source(full)
            assert tx.source(JOHN.id) == full

    def test_a_source_goes_with_its_busy_times_and_no_others(self, place: Place) -> None:
        keep(place, "ics", at(1))
        keep(place, "link:one", at(2))
        with writing(place) as tx:
            tx.save_source(self.source(), b"sealed")
            tx.remove_source(JOHN.id)
            tx.remove_source(JOHN.id)
            assert tx.source(JOHN.id) is None
        assert busy(place) == [at(2)]
        assert place.store.sources_due(NOW + DAY) == []

    def test_sources_are_read_in_the_order_in_which_they_are_due(self, place: Place, neighbour: Place, store: Store) -> None:
        assert store.next_source() is None
        with writing(place) as tx:
            tx.save_source(Source(staff=JOHN.id, due=NOW + HOUR), b"sealed")
            tx.save_source(Source(staff=EMMA.id, due=NOW + 3 * HOUR), b"sealed")
        with store.write(OTHER, SETUP) as tx:
            tx.save_source(Source(staff=TAYLOR.id, due=NOW), b"sealed")
        assert store.next_source() == NOW
        assert store.sources_due(NOW - HOUR) == []
        assert store.sources_due(NOW + HOUR) == [(OTHER, TAYLOR.id), (DEMO, JOHN.id)]
        assert store.sources_due(NOW + DAY, limit=1) == [(OTHER, TAYLOR.id)]
        with store.write(OTHER, SETUP) as tx:
            tx.save_source(Source(staff=TAYLOR.id, due=NOW + DAY))
        assert store.next_source() == NOW + HOUR
        assert store.sources_due(NOW + 3 * HOUR) == [(DEMO, JOHN.id), (DEMO, EMMA.id)]
