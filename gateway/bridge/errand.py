"""What one turn works with: the claim, the account, one link of it, and how long it may go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway import observe
from gateway.bridge.remote import Remote
from gateway.links import Account, Claim, Happening, Link, LinkId, Standing
from gateway.model import Actor, CalendarId, CompanyId, EntryId, Staff
from gateway.store import Store, Transaction

LIVE = (Standing.ACTIVE, Standing.GUARD, Standing.ENDING)
"""Links that something is done for."""

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Habits:
    """The settings of the mirror.

    `poll`: between two looks; `told_poll`: where the provider has promised to tell of changes; `busy_poll`: at
    calendars that are only asked when they are busy. `mass_delete_limit`: deletions of one look.
    `calls`: of one turn; what is left stays due, so that nobody waits behind a first filling. `calls_per_minute`: of an account, on
    average; after each turn it rests for so long.
    """

    poll: timedelta = timedelta(seconds=60)
    told_poll: timedelta = timedelta(minutes=5)
    busy_poll: timedelta = timedelta(minutes=5)
    mass_delete_limit: int = 20
    calls: int = 60
    calls_per_minute: int = 300

    def rest(self, calls: int) -> timedelta:
        """How long nobody may call after so many calls."""
        return _MINUTE * calls / self.calls_per_minute


@dataclass(slots=True)
class Allowance:
    """Calls that a turn may still make, all of its links together."""

    number: int
    used: int = 0

    def take(self) -> None:
        self.used += 1

    def share(self, links: int) -> int:
        """Up to how many used ones the next of so many links may go: what it leaves is for those that follow."""
        return self.used + max(1, (self.number - self.used) // links)


@dataclass(slots=True)
class Errand:
    """One link in one turn. `link` is renewed with every commit. Not thread-safe.

    `share`: up to how many of the turn's calls it may go. `looked`: the calendar over there has been read in this turn. `lost`: events
    that turned out to be gone only when they were written to. `silent`: calls in a row that nobody answered.
    """

    store: Store
    claim: Claim
    account: Account
    link: Link
    staff: Staff
    calendar: CalendarId
    remote: Remote
    habits: Habits
    clock: Callable[[], datetime]
    ending: Callable[[], bool]
    left: Allowance
    share: int
    looked: bool = False
    lost: int = 0
    silent: int = 0

    @property
    def company(self) -> CompanyId:
        return CompanyId(self.claim.company)

    @property
    def actor(self) -> Actor:
        """Whose wishes are carried in: the staff member's, through this link."""
        return Actor(self.account.login, f"mirror:{self.link.id}")

    @contextmanager
    def commit(self) -> Iterator[Transaction]:
        """A transaction under the claim. Raises Lost when somebody else has taken the account over."""
        with self.store.write(self.company, self.actor) as tx:
            tx.must_hold(self.claim)
            yield tx

    def note(self, tx: Transaction, kind: str, sentence: str, entry: EntryId | None = None) -> None:
        """A line of the link's history."""
        tx.note(self.link.id, Happening(at=self.clock(), kind=kind, sentence=sentence, entry=entry))
        observe.log("mirror", company=self.company, link=self.link.id, kind=kind, entry=entry)

    def may_call(self) -> bool:
        """Whether there is time and allowance for another step, and still a link to make it for."""
        return self.left.used < self.share and not self.ending() and self.link.standing in LIVE


def spread(link: LinkId, period: timedelta) -> timedelta:
    """The period, a tenth longer or shorter, always the same for a link: ten thousand links do not all look in the same second."""
    share = sum(ord(sign) * (place + 7) for place, sign in enumerate(link)) % 201
    return period * (0.9 + share / 1000)
