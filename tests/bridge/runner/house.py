"""Accounts that are due on a real database, carriers on it as if each was a process of its own, and turns that tell what they do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from gateway.bridge.rounds import Ending, Rounds, Turn
from gateway.bridge.threads import Threads
from gateway.crossing import Carrier
from gateway.links import Account, AccountId, Claim, Happening, Link, LinkId, Provider
from gateway.model import CompanyId
from gateway.queue import Pace, Queue
from gateway.store import Store
from tests.store.house import DEMO, JOHN, SETUP, furnish

SOON = 30.0  # seconds after which a test gives up
LATER = timedelta(hours=1)
LEASE = timedelta(seconds=1)
LONG = timedelta(seconds=60)


def clock() -> datetime:
    """The wall clock: leases run out by themselves."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Rig:
    """A furnished database, and which way turns are carried on it."""

    way: str
    url: str
    store: Store

    @contextmanager
    def carried(self, turn: Turn, *, count: int = 2, lease: timedelta = LEASE, longest: timedelta = LONG) -> Iterator[Carrier]:
        """Somebody carries turns, with a store of his own, as in a process of his own."""
        store = Store(self.url)
        rounds = Rounds(store, turn, clock=clock, lease=lease, longest=longest)
        carrier: Carrier
        if self.way == "procrastinate":
            carrier = Queue(self.url, rounds, count=count, pace=replace(Pace.of(lease), dispatch=1))
        else:
            carrier = Threads(rounds, count=count, poll=timedelta(milliseconds=50))
        carrier.start()
        try:
            yield carrier
        finally:
            assert carrier.stop(SOON)
            store.close()

    def connect(self, number: int, *, ahead: timedelta = timedelta(), first: int = 0) -> list[AccountId]:
        """So many accounts with one link each, named like their account, due one after the other in the past (or `ahead` of that)."""
        now = clock()
        with self.store.write(DEMO, SETUP) as tx:
            tx.save_company(replace(tx.company, policy=replace(tx.company.policy, google=True)))
            seen = tx.appointments_of(JOHN.id).last
            names = [f"account-{each:03}" for each in range(first, first + number)]
            for place, name in enumerate(names):
                account = Account(id=AccountId(name), staff=JOHN.id, provider=Provider.GOOGLE, login=name, subject=name, created=now)
                tx.add_account(account, b"sealed")
                due = now - timedelta(minutes=number - place) + ahead
                tx.add_link(
                    Link(
                        id=LinkId(name),
                        account=account.id,
                        staff=JOHN.id,
                        calendar=name,
                        title=name,
                        own=True,
                        seen=seen,
                        due=due,
                        created=now,
                    )
                )
        return [AccountId(name) for name in names]

    def wake(self, account: AccountId) -> None:
        self.store.wake(DEMO, LinkId(account), clock())

    def noted(self, account: AccountId) -> list[str]:
        """What turns have committed about it, oldest first."""
        with self.store.read(DEMO) as snapshot:
            return [each.sentence for each in reversed(snapshot.history(LinkId(account), 500))]


@dataclass
class Work:
    """Turns that write one line each and put the account off. `during` is called in the middle of one: there a turn waits or fails."""

    store: Store
    during: Callable[[AccountId], None] = lambda account: None
    begun: list[AccountId] = field(default_factory=list)
    done: list[AccountId] = field(default_factory=list)
    failed: list[tuple[AccountId, Exception]] = field(default_factory=list)
    overlaps: list[AccountId] = field(default_factory=list)
    _busy: set[AccountId] = field(default_factory=set)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, claim: Claim, ending: Ending) -> None:
        with self._news:
            if claim.account in self._busy:
                self.overlaps.append(claim.account)
            self._busy.add(claim.account)
            self.begun.append(claim.account)
            self._news.notify_all()
        try:
            self.during(claim.account)
            self._commit(claim)
        except Exception as error:
            with self._news:
                self._busy.discard(claim.account)
                self.failed.append((claim.account, error))
                self._news.notify_all()
            raise
        with self._news:
            self._busy.discard(claim.account)
            self.done.append(claim.account)
            self._news.notify_all()

    def _commit(self, claim: Claim) -> None:
        """As the mirror does it: everything under the claim, and the whole row of the link."""
        now = clock()
        with self.store.write(CompanyId(claim.company), SETUP) as tx:
            tx.must_hold(claim)
            link = tx.link(LinkId(claim.account))
            tx.note(link.id, Happening(at=now, kind="pushed", sentence=f"fence {claim.fence}"))
            tx.save_link(replace(link, due=now + LATER, pulled=now))

    def until(self, what: Callable[[], bool], seconds: float = SOON) -> None:
        with self._news:
            assert self._news.wait_for(what, seconds), f"begun {Counter(self.begun)}, done {Counter(self.done)}, failed {self.failed}"

    def counts(self, accounts: Sequence[AccountId], least: int) -> bool:
        done = Counter(self.done)
        return all(done[account] >= least for account in accounts)


def furnished(way: str, url: str, store: Store) -> Rig:
    furnish(store)
    return Rig(way, url, store)
