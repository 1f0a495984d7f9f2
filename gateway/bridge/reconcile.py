"""Who copies to whom: what both sides have and what they last agreed on, and what follows from it. One table, pure (bridge.md §5.3)."""

from __future__ import annotations

from enum import StrEnum

from gateway.links import Owned


class Verdict(StrEnum):
    """What is to be done about a change that was seen over there."""

    ECHO = "echo"  # it says what we knew, or what we want: only what is known is renewed
    PROPOSAL = "proposal"  # the staff member moved it: a command for the booking system, which may refuse
    VANISHED = "vanished"  # the staff member deleted it
    RESTORE = "restore"  # texts were changed, which are the booking system's: ours is written again
    OVERRULED = "overruled"  # both sides moved it, and the booking system's word counts: recorded, and ours is written again
    REMOVE = "remove"  # it is no longer wanted, whatever was done to it over there
    FORGET = "forget"  # neither side has it


def verdict(local: Owned | None, remote: Owned | None, base: Owned | None, *, staff_moved_here: bool = False) -> Verdict:
    """`local`: what should be there now (None: nothing, or a cancelled occurrence); `remote`: what is; `base`: what was when both agreed.

    Only time is taken over from there. When both sides moved the same thing, the latest wish of the staff member counts where the
    change here was the staff member's own (`staff_moved_here`), and the booking system's word otherwise: its change may be the
    customer's, who has been told already.
    """
    if remote in (base, local):
        return Verdict.FORGET if local is None and remote is None else Verdict.ECHO
    if local is None:
        return Verdict.REMOVE
    if remote is None:
        return Verdict.VANISHED
    if base is None or same_time(remote, base):
        return Verdict.RESTORE
    if same_time(remote, local):
        return Verdict.RESTORE
    if same_time(local, base) or staff_moved_here:
        return Verdict.PROPOSAL
    return Verdict.OVERRULED


def same_time(one: Owned, other: Owned) -> bool:
    """Whether both take place at the same time and repeat alike; the zone is how it is shown."""
    return (one.span, one.all_day, one.rule) == (other.span, other.all_day, other.rule)
