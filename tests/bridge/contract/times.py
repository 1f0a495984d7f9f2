"""The contract of every adapter: times in all zones and texts of all kinds come back as they were written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.bridge.owned import line, normal
from gateway.links import Key
from gateway.model import EntryId, Span
from tests.bridge.contract.setting import DAY, KEY, Setting, known, owned

ZONES = (
    "Pacific/Pago_Pago",  # UTC-11
    "Pacific/Honolulu",
    "America/St_Johns",  # half an hour off
    "America/New_York",
    "America/Sao_Paulo",
    "UTC",
    "Europe/London",
    "Europe/Paris",
    "Asia/Kathmandu",  # a quarter of an hour off
    "Australia/Lord_Howe",  # clocks change by half an hour
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",  # UTC+14
)

TEXTS = (
    "Two lines\nand <b>no markup</b> & 1 < 2 > 0",
    "&amp; stays, so does &lt;br&gt; and &nbsp;",
    "Ünïcödé 漢字 😀 עברית",
    "a  b   c\n\n\nd",
    "https://example.com/?a=1&b=2#c",
    "\"quotes\" 'and' `backticks` \\ / ; , : | %20",
    "<p>not a paragraph</p>",
)

RULES = ("FREQ=DAILY;COUNT=5", "FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=MONTHLY;BYMONTHDAY=3", "FREQ=WEEKLY;UNTIL=20260601")


def same_clock(one: str, other: str) -> bool:
    """Whether the clocks of two zones show the same throughout the year."""
    moments = [datetime(2026, month, 15, tzinfo=UTC) for month in range(1, 13)]
    return all(each.astimezone(ZoneInfo(one)).utcoffset() == each.astimezone(ZoneInfo(other)).utcoffset() for each in moments)


class TimesContract:
    """norm(read(write(x))) == x (bridge.md §5.2)."""

    @pytest.mark.parametrize("zone", ZONES)
    def test_what_is_written_is_read_again_in_every_zone(self, setting: Setting, zone: str) -> None:
        """norm(read(write(x))) == x, and what was read may be written again (bridge.md §4, 19 and 29)."""
        remote = setting.open(zone=zone)
        home = ZoneInfo(zone)
        walls = (datetime(2026, 3, 29, 0), datetime(2026, 7, 1, 23, 30), datetime(2026, 10, 25, 2, 30), datetime(2026, 12, 31, 9, 15))
        for number, wall in enumerate(walls):
            wish = owned(start=wall.replace(tzinfo=home).astimezone(UTC), zone=zone, text="x\ny", place="Room", tentative=bool(number % 2))
            key = Key(entry=EntryId(f"z{number}"))
            made = remote.create(key, wish)
            assert made.owned is not None
            assert same_clock(made.owned.zone, zone)
            assert replace(made.owned, zone=zone) == wish
            assert remote.update(known(made, key), made.owned).owned == made.owned

    @pytest.mark.parametrize("zone", ZONES)
    def test_midnight_stays_on_its_day_in_every_zone(self, setting: Setting, zone: str) -> None:
        """Timed events at local 00:00 and 24:00 (bridge.md §4, 31)."""
        start = datetime(2026, 6, 10, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        made = setting.open(zone=zone).create(KEY, owned(start=start, hours=24, zone=zone))
        assert made.owned is not None
        assert made.owned.span == Span(start, start + DAY)
        assert not made.owned.all_day

    @pytest.mark.parametrize("zone", ZONES)
    def test_an_event_made_all_day_is_its_date_in_every_zone_and_can_be_put_back(self, setting: Setting, zone: str) -> None:
        """bridge.md §4, 30: a date never shifts."""
        remote = setting.open(zone=zone)
        home = ZoneInfo(zone)
        wish = owned(start=datetime(2026, 6, 9, 10, tzinfo=home).astimezone(UTC), zone=zone)
        made = remote.create(KEY, wish)
        setting.act("move", id=made.id, start="2026-06-10", end="2026-06-11")
        there = remote.get(made.id)
        assert there is not None
        assert there.owned is not None
        assert there.owned.all_day
        days = Span(datetime(2026, 6, 10, tzinfo=home).astimezone(UTC), datetime(2026, 6, 11, tzinfo=home).astimezone(UTC))
        assert there.owned.span == days
        back = remote.update(known(there), wish).owned
        assert back is not None
        assert replace(back, zone=zone) == wish

    @pytest.mark.parametrize("text", TEXTS)
    def test_texts_are_read_as_they_were_written(self, setting: Setting, text: str) -> None:
        wish = owned(title=line(text), text=normal(text), place=line(text))
        assert setting.open().create(KEY, wish).owned == wish

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors])
    @given(text=st.text(max_size=80))
    def test_any_text_is_a_fixed_point(self, setting: Setting, text: str) -> None:
        wish = owned(title=line(text), text=normal(text), place=line(text))
        made = setting.open().create(Key(entry=EntryId(f"t{len(setting.wire.sent)}")), wish)
        assert made.owned == wish

    @pytest.mark.parametrize("rule", RULES)
    def test_a_rule_that_was_read_may_be_written_again(self, setting: Setting, rule: str) -> None:
        remote = setting.open()
        made = remote.create(KEY, owned(start=datetime(2026, 3, 3, 9, tzinfo=UTC), rule=rule))
        assert made.owned is not None
        assert made.owned.rule
        assert remote.update(known(made), made.owned).owned == made.owned
