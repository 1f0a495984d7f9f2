"""What is news to a customer, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Reason
from gateway.model import Actor, Appointment, Change, Override, Revision, Span, Status
from gateway.post.news import Booked, Cancelled, News, Rescheduled, Shift, Shifted, matters, news
from tests.post.house import FIRST, NOW, OCCASIONS, ONE, SECOND, SECOND_MOVED, SERIES, later, span, with_exceptions

KINDS = {
    "booked": Booked,
    "series_booked": Booked,
    "moved": Rescheduled,
    "series_moved": Rescheduled,
    "cancelled": Cancelled,
    "series_cancelled": Cancelled,
    "one_moved": Shifted,
    "one_cancelled": Shifted,
    "one_added": Shifted,
    "several_changed": Shifted,
}
GONE = later(ONE, status=Status.CANCELLED)


def change(before: Appointment | None, after: Appointment | None, *, door: str = "rest", reason: Reason | None = None) -> Change:
    return Change(
        revision=Revision(1),
        calendar=ONE.calendar,
        entry=ONE.id,
        before=before,
        after=after,
        actor=Actor("somebody", door),
        at=NOW,
        reason=reason,
    )


@pytest.mark.parametrize("kind", OCCASIONS)
def test_each_occasion_is_news(kind: str) -> None:
    told, standing = OCCASIONS[kind]
    assert isinstance(news(told, standing, NOW), KINDS[kind])


@pytest.mark.parametrize(
    ("told", "standing"),
    [
        (None, GONE),
        (ONE, ONE),
        (ONE, replace(ONE, notes="other", version=7, sequence=3)),
        (ONE, replace(ONE, extras=("CATEGORIES:Red",))),
        (GONE, GONE),
        (SERIES, SERIES),
    ],
    ids=["never told", "the same", "notes", "extras", "cancelled before", "the same series"],
)
def test_nothing_to_say(told: Appointment | None, standing: Appointment) -> None:
    assert news(told, standing, NOW) is None


def test_marks_on_an_occurrence_are_not_news() -> None:
    planned = Span(SECOND, SECOND + timedelta(minutes=30))
    marked = replace(SERIES, recurrence=replace(with_exceptions(), overrides=(Override(at=SECOND, span=planned, extras=("X-A:1",)),)))
    assert news(SERIES, marked, NOW) is None
    assert not matters(change(SERIES, marked))


def test_what_is_over_is_not_news() -> None:
    end = ONE.span.end
    assert news(None, ONE, end) is None
    assert news(ONE, GONE, end) is None
    assert news(ONE, later(ONE, span=span(25, 8)), end) is None
    assert news(ONE, later(ONE, span=span(27, 8)), end) is not None
    assert news(SERIES, later(SERIES, recurrence=with_exceptions(without=(FIRST,))), end) is None


def test_shifts_name_where_the_customer_expects_it_and_where_it_is() -> None:
    told, standing = OCCASIONS["one_moved"]
    assert news(told, standing, NOW) == Shifted((Shift(SECOND, Span(SECOND, SECOND + timedelta(minutes=30)), SECOND_MOVED),))


def test_a_cancelled_booking_that_stands_again_is_a_booking() -> None:
    assert news(GONE, ONE, NOW) == Booked()


@pytest.mark.parametrize(
    ("before", "after", "more", "expected"),
    [
        (None, ONE, {}, True),
        (ONE, later(ONE, span=span(26, 9)), {}, True),
        (ONE, GONE, {}, True),
        (ONE, later(ONE, span=span(26, 9)), {"door": "dav"}, True),
        (ONE, later(ONE, span=span(26, 9)), {"door": "import"}, False),
        (ONE, ONE, {"reason": Reason.TAKEN}, False),
        (ONE, ONE, {}, False),
        (ONE, later(ONE, notes="other"), {}, False),
        (ONE, None, {}, False),
    ],
)
def test_what_matters(before: Appointment | None, after: Appointment | None, more: dict[str, object], expected: bool) -> None:
    assert matters(change(before, after, **more)) is expected  # type: ignore[arg-type]  # the table is typed loosely


@settings(max_examples=50, deadline=None)
@given(hours=st.lists(st.integers(-100, 300), min_size=1, max_size=5))
def test_the_way_there_does_not_matter_only_where_it_ends(hours: list[int]) -> None:
    """However often it was moved in between: news is the difference between what was told and what stands."""
    standing = ONE
    for hour in hours:
        standing = later(standing, span=Span(FIRST + timedelta(hours=hour), FIRST + timedelta(hours=hour, minutes=30)))
    direct: News | None = news(ONE, replace(ONE, span=standing.span), NOW)
    assert news(ONE, standing, NOW) == direct
    assert (direct is None) == (standing.span == ONE.span)
