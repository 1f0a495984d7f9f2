"""One turn of one account, whoever carries it: claimed, kept alive while it goes on, given up when it hangs, finished."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from gateway import observe
from gateway.errors import Lost, Unavailable
from gateway.links import AccountId, Claim, LinkId
from gateway.model import CompanyId

LEASE = timedelta(seconds=45)
"""How long a claim holds unless it is renewed, which happens three times in that time. So long the account of a dead process rests."""

TURN = timedelta(minutes=5)
"""How long a turn may take. What it has not done by then stays due."""

FIRST_REST, LONGEST_REST = timedelta(seconds=1), timedelta(minutes=1)
"""How long an account rests in this process after a turn that failed in a way nobody foresaw; it doubles with each further one."""

GRACE = 0.7
"""Seconds that the turns in hand get at the end of the process."""

HANGING = 50
"""Turns left behind in a process from which on it is no longer sound."""

Clock = Callable[[], datetime]  # aware UTC
Ending = Callable[[], bool]

Turn = Callable[[Claim, Ending], None]
"""The work on one account. `ending()` is true when it shall end after the step in hand. It may raise anything."""

Due = tuple[CompanyId, AccountId]


class Leases(Protocol):
    """Who may work on an account: the port that every way of carrying turns stands on. The store keeps it."""

    def accounts_due(self, now: datetime, limit: int = 100) -> Sequence[Due]:
        """Accounts with something to do that nobody works on; the oldest due first."""

    def claim(self, company: CompanyId, account: AccountId, now: datetime, until: datetime) -> Claim | None:
        """The account for oneself; None: somebody else has it."""

    def renew(self, claim: Claim, until: datetime) -> bool:
        """Hold it longer; False: it is lost."""

    def finish(self, claim: Claim, now: datetime) -> None:
        """Let it go. Nothing happens when it is lost."""

    def wake(self, company: CompanyId, link: LinkId, now: datetime) -> None:
        """Have the account of the link be due, after the turn in hand if there is one."""


class Outcome(StrEnum):
    """What became of a turn."""

    DONE = "done"
    TAKEN = "taken"  # somebody else works on the account, or it rests here
    LOST = "lost"  # somebody else has taken the account over meanwhile; nothing more was committed
    FAILED = "failed"
    ABANDONED = "abandoned"  # it hangs, or the process ends; what it does from now on counts for nothing


@dataclass(slots=True)
class _Hand:
    """A turn in hand: its bell rings when it is over, and when the process ends."""

    bell: threading.Event = field(default_factory=threading.Event)
    over: bool = False
    told: bool = False  # to end after the step in hand
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Rest:
    failures: int
    again: datetime


class Rounds:
    """All turns of one process. Thread-safe; `go` blocks, and may be called from any number of threads."""

    def __init__(self, leases: Leases, turn: Turn, *, clock: Clock, lease: timedelta = LEASE, longest: timedelta = TURN) -> None:
        self._leases = leases
        self._turn = turn
        self._clock = clock
        self._lease = lease
        self._longest = longest.total_seconds()
        self._lock = threading.Lock()
        self._hands: dict[Due, _Hand] = {}
        self._rests: dict[Due, _Rest] = {}
        self._ending = False

    def due(self, limit: int) -> list[Due]:
        """Whose turn it is, the oldest due first; without those that rest or are in hand here. Raises Unavailable."""
        now = self._clock()
        with self._lock:
            left_out = {*self._hands, *(each for each, rest in self._rests.items() if rest.again > now)}
        found = self._leases.accounts_due(now, limit + len(left_out))
        return [each for each in found if each not in left_out][:limit]

    def go(self, company: CompanyId, account: AccountId) -> Outcome:
        """Take the account's turn, if it is free. Returns when that is over, or when its time is; raises nothing."""
        hand = self._taken((company, account))
        if hand is None:
            return Outcome.TAKEN
        started = False
        try:
            with observe.about(company=company, account=account):
                now = self._clock()
                claim = self._leases.claim(company, account, now, now + self._lease)
                if claim is None:
                    return Outcome.TAKEN
                thread = threading.Thread(target=self._run, args=(hand, claim), name=f"turn-{account}", daemon=True)
                thread.start()
                started = True
                outcome = self._accompanied(hand, claim)
        except Exception as error:  # the carrier's loop: whatever it is, the others go on
            observe.log("turn_failed", error=error, company=company, account=account)
            hand.told = True
            outcome = self._failed((company, account), error)
        finally:
            if not started:
                self._let_go((company, account), hand)
        observe.count("mirror_turns", outcome=str(outcome))
        return outcome

    def stop(self) -> None:
        """Begin no other turn; those in hand end after their step, and are given up after a moment. Returns at once."""
        with self._lock:
            self._ending = True
            hands = list(self._hands.values())
        for hand in hands:
            hand.told = True
            hand.bell.set()

    def troubles(self) -> list[str]:
        """A sentence when so many turns hang that the process should be started anew."""
        with self._lock:
            hanging = sum(hand.told for hand in self._hands.values()) if not self._ending else 0
        return [f"{hanging} accounts elsewhere hang; start the process anew."] if hanging >= HANGING else []

    def _taken(self, key: Due) -> _Hand | None:
        with self._lock:
            rest = self._rests.get(key)
            if self._ending or key in self._hands or (rest is not None and rest.again > self._clock()):
                return None
            hand = self._hands[key] = _Hand()
            return hand

    def _let_go(self, key: Due, hand: _Hand) -> None:
        with self._lock:
            if self._hands.get(key) is hand:
                del self._hands[key]

    def _run(self, hand: _Hand, claim: Claim) -> None:
        """On a thread of its own, which nobody can end: a request that hangs ends with its own patience, or with the process."""
        try:
            with observe.about(company=claim.company, account=claim.account):
                self._turn(claim, lambda: hand.told)
        except Exception as error:  # told where the turn is waited for
            hand.error = error
        finally:
            hand.over = True
            self._let_go((CompanyId(claim.company), claim.account), hand)
            hand.bell.set()

    def _accompanied(self, hand: _Hand, claim: Claim) -> Outcome:
        """Renew the claim until the turn is over, or until its time is."""
        end, held = time.monotonic() + self._longest, True
        while not hand.over:
            if hand.bell.wait(max(0.0, min(self._lease.total_seconds() / 3, end - time.monotonic()))):
                if not hand.over:
                    return self._closed(hand, claim)
            elif time.monotonic() >= end:
                hand.told = True
                observe.log("turn_abandoned", level="warning", seconds=round(self._longest))
                return Outcome.ABANDONED  # without renewal the lease runs out; who has it next has a higher fence
            elif held and not self._leases.renew(claim, self._clock() + self._lease):
                held, hand.told = False, True  # it ends at its next commit, which is refused
        return self._ended(hand, claim)

    def _closed(self, hand: _Hand, claim: Claim) -> Outcome:
        """The process ends: a moment for the step in hand, then the account is free for others."""
        hand.bell.clear()
        if not hand.over:
            hand.bell.wait(GRACE)
        if hand.over:
            return self._ended(hand, claim)
        self._leases.finish(claim, self._clock())
        return Outcome.ABANDONED

    def _ended(self, hand: _Hand, claim: Claim) -> Outcome:
        key = (CompanyId(claim.company), claim.account)
        match hand.error:
            case None:
                outcome = Outcome.DONE
                self._rests.pop(key, None)
            case Lost():
                observe.log("claim_lost", level="warning")
                return Outcome.LOST
            case error:
                observe.log("turn_failed", error=error)
                outcome = self._failed(key, error)
        self._leases.finish(claim, self._clock())
        return outcome

    def _failed(self, key: Due, error: Exception) -> Outcome:
        former = self._rests.get(key)
        failures = former.failures + 1 if former else 1
        rest = min(FIRST_REST * 2 ** min(failures - 1, 10), LONGEST_REST)
        if isinstance(error, Unavailable):
            rest = max(rest, timedelta(seconds=error.retry_after))
        with self._lock:
            self._rests[key] = _Rest(failures, self._clock() + rest)
        return Outcome.FAILED
