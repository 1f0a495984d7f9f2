"""Where a company asks: a refusal says whether the staff member may insist, and insisting is granted what was in doubt and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.booking import Cancel, Circumstances, Move, settle
from gateway.errors import Reason, Refused
from gateway.model import Appointment, OnConflict, OnDelete
from tests.booking.test_decide import CUSTOMER, DENTIST, OPEN, booking, given, hour, reason

ASK = replace(OPEN, on_conflict=OnConflict.ASK)


@pytest.mark.parametrize(
    ("wish", "to", "insist"),
    [
        (Move(span=hour(1, 12)), given(ASK, taken=[DENTIST]), True),
        (Move(span=hour(1, 20)), given(ASK), True),  # outside the hours
        (Move(span=hour(1, 12)), given(ASK, taken=[DENTIST, CUSTOMER]), False),  # never two customers at once
        (Move(span=hour(1, 12)), given(ASK, taken=[CUSTOMER]), False),
        (Move(span=hour(1, 12)), given(OPEN, taken=[DENTIST]), False),  # the company does not ask
        (Move(span=hour(1, 12)), given(ASK, taken=[DENTIST], proposing=False), False),  # who is at the door can say so there
        (Cancel(), given(replace(ASK, on_delete=OnDelete.ASK)), False),
    ],
)
def test_a_refusal_says_whether_the_staff_member_may_insist(wish: Move | Cancel, to: Circumstances, insist: bool) -> None:
    with pytest.raises(Refused) as refused:
        settle(booking(), [wish], to)
    expected = f"{wish.span.start.isoformat()}/{wish.span.end.isoformat()}" if insist and isinstance(wish, Move) else None
    assert refused.value.data.get("wish") == expected


def test_whoever_insists_is_granted_what_was_in_doubt_and_no_more() -> None:
    wish = Move(span=hour(1, 12), insisting=True)
    moved = settle(booking(), [wish], given(taken=[DENTIST], proposing=False))
    assert isinstance(moved, Appointment)
    assert moved.span == wish.span
    assert reason(booking(), wish, to=given(taken=[CUSTOMER], proposing=False)) is Reason.TAKEN
