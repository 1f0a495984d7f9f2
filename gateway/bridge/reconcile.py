"""Who copies to whom: what both sides have, what they last agreed on, and what follows from it. One table, pure (bridge.md §5.3)."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from gateway.links import Owned
from gateway.model import OnDelete


class Since(StrEnum):
    """What has become of one side since both agreed."""

    SAME = "same"
    TEXTS = "texts"  # it takes place when it did, and says something else
    MOVED = "moved"
    GONE = "gone"


class Verdict(StrEnum):
    """What is to be done about what was seen over there."""

    ECHO = "echo"  # it says what we knew: only what is known is renewed
    AGREED = "agreed"  # it says what we want, whoever made it so
    FORGET = "forget"  # neither side has it
    PROPOSE = "propose"  # the staff member moved it: a command for the booking system, which may refuse
    OVERRULE = "overrule"  # both sides moved it, and the booking system's word counts: recorded and told, and ours is written again
    RESTORE = "restore"  # texts were changed, which are the booking system's: ours is written again
    REMOVE = "remove"  # it is cancelled here, whatever was done to it over there
    CANCEL = "cancel"  # deleted over there: a command for the booking system
    ASK = "ask"  # deleted over there: it comes back, and a person is asked
    PUT_BACK = "put back"  # deleted over there: it comes back


def since(now: Owned | None, agreed: Owned) -> Since:
    """What has become of one side."""
    if now is None:
        return Since.GONE
    if now == agreed:
        return Since.SAME
    return Since.TEXTS if same_time(now, agreed) else Since.MOVED


def verdict(
    local: Owned | None, remote: Owned | None, agreed: Owned | None, *, on_delete: OnDelete = OnDelete.ASK, staff_moved_here: bool = False
) -> Verdict:
    """`local`: what should be there now (None: nothing, or a cancelled occurrence); `remote`: what is; `agreed`: what both last had.

    Only time is taken over from there. `on_delete` is the policy for what was deleted over there and unchanged here; where it was changed
    here as well, nobody but a person cancels. When both sides moved it, the latest wish of the staff member counts where the change here
    was the staff member's own (`staff_moved_here`), and the booking system's word otherwise: its change may be the customer's, who has
    been told already.
    """
    if remote == local:
        return Verdict.FORGET if remote is None else Verdict.AGREED
    if agreed is None:
        return _unagreed(local, remote)
    here, there = since(local, agreed), since(remote, agreed)
    match there:
        case Since.SAME:
            return Verdict.ECHO
        case Since.TEXTS:
            return Verdict.REMOVE if here is Since.GONE else Verdict.RESTORE
        case Since.MOVED:
            return _moved(here, agree=local is not None and remote is not None and same_time(local, remote), staff=staff_moved_here)
        case Since.GONE:
            return _deleted(here, on_delete)
        case _:
            assert_never(there)


def _unagreed(local: Owned | None, remote: Owned | None) -> Verdict:
    """Nobody knows that it was there before."""
    if remote is None:
        return Verdict.ECHO  # nor is it there now
    return Verdict.REMOVE if local is None else Verdict.RESTORE


def _moved(here: Since, *, agree: bool, staff: bool) -> Verdict:
    match here:
        case Since.SAME | Since.TEXTS:
            return Verdict.PROPOSE
        case Since.MOVED if agree:
            return Verdict.RESTORE
        case Since.MOVED:
            return Verdict.PROPOSE if staff else Verdict.OVERRULE
        case Since.GONE:
            return Verdict.REMOVE
        case _:
            assert_never(here)


def _deleted(here: Since, on_delete: OnDelete) -> Verdict:
    match on_delete:
        case OnDelete.RESTORE:
            return Verdict.PUT_BACK
        case OnDelete.ASK:
            return Verdict.ASK
        case OnDelete.CANCEL:
            return Verdict.CANCEL if here is Since.SAME else Verdict.ASK
        case _:
            assert_never(on_delete)


def same_time(one: Owned, other: Owned) -> bool:
    """Whether both take place at the same time and repeat alike; the zone is how it is shown."""
    return (one.span, one.all_day, one.rule) == (other.span, other.all_day, other.rule)
