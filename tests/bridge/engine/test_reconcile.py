"""Who copies to whom: the whole table, cell by cell, and its laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.reconcile import Since, Verdict, same_time, since, verdict
from gateway.links import Owned
from gateway.model import OnDelete, Span
from tests.bridge.wire import NOW

HOUR = timedelta(hours=1)
BASE = Owned(span=Span(NOW, NOW + HOUR), zone="Europe/Paris", title="Advice", text="Ann")
ASK, CANCEL, RESTORE = OnDelete.ASK, OnDelete.CANCEL, OnDelete.RESTORE


def moved(hours: int, title: str = "Advice") -> Owned:
    return replace(BASE, span=Span(NOW + hours * HOUR, NOW + (hours + 1) * HOUR), title=title)


SAME, TEXTS, MOVED, GONE = BASE, replace(BASE, title="Advice!"), moved(2), None
OTHER_TEXTS, OTHER_MOVE, SAME_MOVE = replace(BASE, title="Mine"), moved(3), moved(2, "Mine")

TABLE = [
    # here, there, verdict when (=|deleted) means: ask, cancel, restore; and when the move here was the staff member's own
    (SAME, SAME, "agreed agreed agreed agreed"),
    (SAME, OTHER_TEXTS, "restore restore restore restore"),
    (SAME, OTHER_MOVE, "propose propose propose propose"),
    (SAME, GONE, "ask cancel put-back ask"),
    (TEXTS, SAME, "echo echo echo echo"),
    (TEXTS, TEXTS, "agreed agreed agreed agreed"),
    (TEXTS, OTHER_TEXTS, "restore restore restore restore"),
    (TEXTS, OTHER_MOVE, "propose propose propose propose"),
    (TEXTS, GONE, "ask ask put-back ask"),
    (MOVED, SAME, "echo echo echo echo"),
    (MOVED, OTHER_TEXTS, "restore restore restore restore"),
    (MOVED, OTHER_MOVE, "overrule overrule overrule propose"),
    (MOVED, MOVED, "agreed agreed agreed agreed"),
    (MOVED, SAME_MOVE, "restore restore restore restore"),
    (MOVED, GONE, "ask ask put-back ask"),
    (GONE, SAME, "echo echo echo echo"),
    (GONE, OTHER_TEXTS, "remove remove remove remove"),
    (GONE, OTHER_MOVE, "remove remove remove remove"),
    (GONE, GONE, "forget forget forget forget"),
]


@pytest.mark.parametrize(("here", "there", "wanted"), TABLE)
def test_each_pair_of_changes_has_one_verdict(here: Owned | None, there: Owned | None, wanted: str) -> None:
    found = [verdict(here, there, BASE, on_delete=policy) for policy in (ASK, CANCEL, RESTORE)]
    found.append(verdict(here, there, BASE, staff_moved_here=True))
    assert [str(each).replace(" ", "-") for each in found] == wanted.split()


@pytest.mark.parametrize("policy", list(OnDelete))
def test_what_nobody_knew_is_ours_or_goes(policy: OnDelete) -> None:
    assert verdict(SAME, MOVED, None, on_delete=policy) is Verdict.RESTORE
    assert verdict(GONE, MOVED, None, on_delete=policy) is Verdict.REMOVE
    assert verdict(SAME, GONE, None, on_delete=policy) is Verdict.ECHO
    assert verdict(GONE, GONE, None, on_delete=policy) is Verdict.FORGET


STATES = (SAME, TEXTS, OTHER_TEXTS, MOVED, OTHER_MOVE, SAME_MOVE, GONE)


def test_every_combination_is_decided() -> None:
    for here, there, base, policy, staff in product(STATES, STATES, STATES, OnDelete, (True, False)):
        assert verdict(here, there, base, on_delete=policy, staff_moved_here=staff) in Verdict


def test_an_unchanged_side_never_wins() -> None:
    for here, policy, staff in product(STATES, OnDelete, (True, False)):  # bridge.md §4, 34
        assert verdict(here, BASE, BASE, on_delete=policy, staff_moved_here=staff) in (Verdict.ECHO, Verdict.AGREED)


def test_nobody_but_a_person_cancels_what_was_changed_here_as_well() -> None:
    for here, policy in product((TEXTS, MOVED), OnDelete):
        assert verdict(here, None, BASE, on_delete=policy) is not Verdict.CANCEL


def test_cancelled_here_is_never_undone_from_there() -> None:
    for there, base in product(STATES, STATES):
        assert verdict(None, there, base, on_delete=CANCEL, staff_moved_here=True) in (Verdict.ECHO, Verdict.FORGET, Verdict.REMOVE)


owned = st.builds(moved, st.integers(0, 3), title=st.sampled_from(["Advice", "Other"]))


@given(here=st.none() | owned, there=st.none() | owned, base=st.none() | owned)
def test_both_sides_equal_means_nothing_to_do(here: Owned | None, there: Owned | None, base: Owned | None) -> None:
    if here == there:
        assert verdict(here, there, base) in (Verdict.AGREED, Verdict.FORGET)
    elif there == base:
        assert verdict(here, there, base) is Verdict.ECHO


@given(now=owned, base=owned)
def test_what_has_become_of_a_side_is_one_of_three_things(now: Owned, base: Owned) -> None:
    found = since(now, base)
    assert (found is Since.SAME) == (now == base)
    assert (found is Since.MOVED) == (not same_time(now, base))
