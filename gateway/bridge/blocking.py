"""When other calendars of an account are busy: asked every few minutes, kept as times and nothing else.

A calendar that cannot be read makes nobody free: its last good times stay, and their age is known (bridge.md §4, 49). Calendars that a
link writes to are left out: our own events there would block the appointments they show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from gateway import observe
from gateway.bridge import reach
from gateway.bridge.channels import switched_on
from gateway.bridge.errand import LIVE, spread
from gateway.bridge.looking import WINDOW_AHEAD
from gateway.bridge.remote import Disconnected, House, RemoteError, Throttled, Unreachable, Vault
from gateway.links import Account, AccountId, Blocking, Claim, LinkId, Standing
from gateway.model import Actor, CompanyId, Span
from gateway.store import Snapshot, Store, Transaction

LONGEST_REST = timedelta(hours=1)
"""Between two looks at a calendar that cannot be read."""

NEAR, WHOLE_EVERY = timedelta(days=60), timedelta(hours=1)
"""How far ahead every look asks, and how often one asks for everything: Google answers no more than some two months at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """What asking for busy times works with in one turn. `every`: between two looks."""

    store: Store
    house: House
    vault: Vault
    claim: Claim
    account: Account
    every: timedelta
    clock: Callable[[], datetime]
    ending: Callable[[], bool]


def written_to(snapshot: Snapshot, account: Account) -> Collection[str]:
    """Calendars that the staff member's links at this provider write to, or that were made for one."""
    links = snapshot.links(staff=account.staff)
    return {
        link.calendar
        for link in links
        if (link.own or link.standing is not Standing.ENDED) and snapshot.account(link.account).provider is account.provider
    }


def ask(turn: Asking) -> bool:
    """Every calendar that is due; whether the provider has answered. Raises Lost, and what concerns the whole account: Throttled,
    Disconnected."""
    now = turn.clock()
    with turn.store.read(CompanyId(turn.claim.company)) as snapshot:
        due = [each for each in snapshot.blocking(turn.account.id) if each.due <= now]
        if not due:
            return False
        ours = written_to(snapshot, turn.account)
        links = [link for link in snapshot.links(account=turn.account.id) if link.standing is not Standing.ENDED]
    if links and not any(link.standing in LIVE for link in links):
        _postpone(turn, due)  # paused by the person: nothing is read, and what is known stays
        return False
    answered = False
    for number, each in enumerate(due):
        if turn.ending():
            break
        if each.calendar in ours:
            _left_out(turn, each)
            continue
        if not reach.sees_busy(turn.account):
            _failed(turn, [each], RemoteError(reach.UNSEEN))
            continue
        try:
            window, spans = _asked(turn, each)
        except (Throttled, Disconnected) as error:
            _failed(turn, due[number:], error)
            raise
        except Unreachable as error:
            _failed(turn, due[number:], error)
            break
        except RemoteError as error:
            _failed(turn, [each], error)
            answered = True
        else:
            _keep(turn, each, window, spans)
            answered = True
    return answered


def _asked(turn: Asking, blocking: Blocking) -> tuple[Span, Sequence[Span]]:
    """About which window, and what is busy in it. From this day's beginning: what is over soon changes nothing."""
    now = turn.clock()
    today = datetime.combine(now.date(), time(), UTC)
    whole = blocking.whole is None or blocking.whole + WHOLE_EVERY <= now
    window = Span(today, today + (WINDOW_AHEAD if whole else NEAR))
    return window, turn.house.busy(turn.vault, [blocking.calendar], window, now)


def _keep(turn: Asking, asked: Blocking, window: Span, found: Sequence[Span]) -> None:
    """What lies behind the window stays as it is known."""
    now = turn.clock()
    whole = window.length >= WINDOW_AHEAD
    with turn.store.write(CompanyId(turn.claim.company), _actor(turn.account)) as tx:
        kept = _still(tx, turn, asked)
        if kept is None:
            return
        beyond = [] if whole else tx.foreign_times(turn.account.staff, kept.origin, window.end)
        spans = sorted({*found, *beyond})
        digest = hashlib.sha256(repr(spans).encode()).hexdigest()
        if kept.digest == digest and kept.origin in tx.foreign_origins(turn.account.staff):
            tx.confirm_busy(turn.account.staff, kept.origin, now)
        else:
            tx.put_busy(turn.account.staff, kept.origin, spans, now)
        due = now + spread(LinkId(turn.account.id), turn.every)
        tx.save_blocking(replace(kept, digest=digest, whole=now if whole else kept.whole, due=due, failing=None, trouble=""))
    observe.count("busy_imports", provider=str(turn.account.provider), outcome="read")


def _failed(turn: Asking, asked: Sequence[Blocking], error: RemoteError) -> None:
    """The longer it fails, the longer it rests; what is known goes on blocking."""
    now = turn.clock()
    with turn.store.write(CompanyId(turn.claim.company), _actor(turn.account)) as tx:
        for kept in [found for each in asked if (found := _still(tx, turn, each)) is not None]:
            since = kept.failing or now
            rest = min(max(now - since, turn.every), LONGEST_REST)
            tx.save_blocking(replace(kept, due=now + rest, failing=since, trouble=str(error)[:500]))
    observe.count("busy_imports", provider=str(turn.account.provider), outcome="failed")
    observe.log("busy_import_failed", level="warning", account=turn.account.id, reason=type(error).__name__)


def _left_out(turn: Asking, asked: Blocking) -> None:
    """A link writes there: other people's events in it block by the link."""
    with turn.store.write(CompanyId(turn.claim.company), _actor(turn.account)) as tx:
        kept = _still(tx, turn, asked)
        if kept is not None:
            tx.clear_blocking(kept)
            tx.save_blocking(replace(kept, digest="", due=turn.clock() + turn.every, failing=None, trouble=""))


def _postpone(turn: Asking, due: Sequence[Blocking]) -> None:
    with turn.store.write(CompanyId(turn.claim.company), _actor(turn.account)) as tx:
        for kept in [found for each in due if (found := _still(tx, turn, each)) is not None]:
            tx.save_blocking(replace(kept, due=turn.clock() + turn.every, failing=None, trouble=""))


def _still(tx: Transaction, turn: Asking, asked: Blocking) -> Blocking | None:
    """As it stands now; None when it was deselected meanwhile, or its provider switched off. Raises Lost."""
    tx.must_hold(turn.claim)
    if not switched_on(tx.company.policy, turn.account.provider):
        return None
    return next((each for each in tx.blocking(turn.account.id) if each.calendar == asked.calendar), None)


def _actor(account: Account) -> Actor:
    return Actor(account.login, "mirror")


def end(tx: Transaction, account: AccountId) -> None:
    """No calendar of the account blocks any more."""
    for each in tx.blocking(account):
        tx.drop_blocking(each)
