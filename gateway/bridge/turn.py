"""The turn of one account: finish what was begun, look over there, take in what changed, write what changed here, say how it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway import observe
from gateway.bridge import inbound, outbound
from gateway.bridge.errand import Allowance, Errand, Habits, spread
from gateway.bridge.inbound import Listing
from gateway.bridge.remote import CalendarGone, CursorExpired, Disconnected, Houses, RemoteError, Seen, Throttled, Unreachable, Vault
from gateway.links import Access, Account, AccountId, Claim, Condition, Cursor, Happening, Link, Standing
from gateway.model import Actor, CompanyId, Span
from gateway.store import Store

WINDOW_BACK, WINDOW_AHEAD = timedelta(days=30), timedelta(days=400)
"""What a windowed listing covers."""

ROLL = timedelta(days=7)
"""How old a window may become before everything is listed in a new one, and how far it then overlaps the old one."""

FULL_EVERY = timedelta(hours=24)
MANY = 50
"""So many missing events are asked for one by one."""

SURE = 2
"""So many failures in a row before a calendar is taken for gone."""

ROUNDS = 3
"""How often a turn plans anew, after what it found out while it wrote."""

LONGEST_REST = timedelta(hours=1)

_LIVE = (Standing.ACTIVE, Standing.GUARD, Standing.ENDING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """Carries out turns. Thread-safe: every turn has a vault and a remote of its own. Events are marked with the company's id, which is
    nobody else's in any installation."""

    store: Store
    houses: Houses
    vault: Callable[[CompanyId, AccountId], Vault]
    habits: Habits
    clock: Callable[[], datetime]

    def turn(self, claim: Claim, ending: Callable[[], bool]) -> None:
        """Everything that is due in the account, link by link. One link's trouble is no other link's. Raises Lost; GatewayError from the
        store. What the provider does is written down and never raised."""
        company = CompanyId(claim.company)
        with self.store.read(company) as snapshot:
            account = snapshot.account(claim.account)
            links = [link for link in snapshot.links(account=account.id) if link.standing in _LIVE]
        house = self.houses.get(account.provider)
        if house is None:
            self._rest(claim, account, links, LONGEST_REST)
            return
        left = Allowance(self.habits.calls)

        def count(kind: str) -> None:
            left.take(kind)
            observe.count("mirror_calls", provider=str(account.provider), kind=kind)

        try:
            for link in links:
                with self.store.read(company) as snapshot:
                    staff = snapshot.staff(link.staff)
                    calendar = snapshot.appointments_of(link.staff).id
                remote = house.open(
                    self.vault(company, account.id), link=link.id, calendar=link.calendar, mark=claim.company, zone=staff.zone, calls=count
                )
                errand = Errand(
                    store=self.store,
                    claim=claim,
                    account=account,
                    link=link,
                    staff=staff,
                    calendar=calendar,
                    remote=remote,
                    habits=self.habits,
                    clock=self.clock,
                    ending=ending,
                    left=left,
                )
                _link(errand)
        except Throttled as error:
            self._rest(claim, account, links, error.wait, str(error))
        except Disconnected as error:
            self._disconnected(claim, account, links, error)
        else:
            self._sound(claim, account)

    def _rest(self, claim: Claim, account: Account, links: list[Link], wait: timedelta, sentence: str = "") -> None:
        """Nothing of the account is asked before the wait is over."""
        now = self.clock()
        with self.store.write(CompanyId(claim.company), _actor(account)) as tx:
            tx.must_hold(claim)
            for link in links:
                fresh = tx.link(link.id)
                tx.save_link(replace(fresh, due=now + wait, trouble=sentence or fresh.trouble))

    def _disconnected(self, claim: Claim, account: Account, links: list[Link], error: Disconnected) -> None:
        """The account is marked, and tried again every hour: a mark that is wrong clears itself (bridge.md §4, 41 and 42)."""
        now = self.clock()
        access = Access.NEEDS_ADMIN if error.admin else Access.NEEDS_REAUTH
        with self.store.write(CompanyId(claim.company), _actor(account)) as tx:
            tx.must_hold(claim)
            former = tx.account(account.id)
            tx.save_account(replace(former, access=access, trouble=str(error), since=former.since or now, probed=now))
            if former.access is Access.OK:
                for link in links:
                    tx.note(link.id, Happening(at=now, kind="disconnected", sentence=str(error)))
        observe.log("mirror_disconnected", company=claim.company, account=account.id, access=access.value)

    def _sound(self, claim: Claim, account: Account) -> None:
        if account.access is Access.OK and not account.trouble:
            return
        now = self.clock()
        with self.store.write(CompanyId(claim.company), _actor(account)) as tx:
            tx.must_hold(claim)
            former = tx.account(account.id)
            tx.save_account(replace(former, access=Access.OK, trouble="", since=None, probed=now))
            for link in tx.links(account=account.id):
                if link.standing in _LIVE:
                    tx.note(link.id, Happening(at=now, kind="resumed", sentence="The connection works again."))


def _actor(account: Account) -> Actor:
    return Actor(account.login, "mirror")


def _link(errand: Errand) -> None:
    """One link. What concerns the whole account is raised; everything else ends here."""
    try:
        if errand.link.standing is Standing.ENDING:
            if outbound.undo_all(errand):
                _ended(errand)
            return
        outbound.carry_out(errand)
        sound = _look(errand)
        if sound:
            _write(errand)
        _due_again(errand)
    except CalendarGone as error:
        _suspended(errand, error)
    except Unreachable as error:
        _failed(errand, error)
    except (Throttled, Disconnected):
        raise
    except RemoteError as error:  # what an adapter should have said more exactly
        _failed(errand, error)


def _look(errand: Errand) -> bool:
    """Read the listing to its end and apply it; False when a brake holds it back. A listing that breaks off changes nothing."""
    now = errand.clock()
    link = errand.link
    full = link.listed is None or link.listed < now - FULL_EVERY or link.standing is Standing.GUARD
    cursor = None if full or (link.cursor is not None and link.cursor.window.start < now - WINDOW_BACK - ROLL) else link.cursor
    try:
        listing = _read(errand, cursor, now)
    except CursorExpired:
        listing = _read(errand, None, now)
    confirmed = frozenset(_really_gone(errand, listing))
    return inbound.take(errand, listing, confirmed=confirmed)


def _read(errand: Errand, cursor: Cursor | None, now: datetime) -> Listing:
    """All pages. A cursor goes with the window it was made for."""
    window = cursor.window if cursor is not None else Span(now - WINDOW_BACK, now + WINDOW_AHEAD)
    listing = Listing(window=window)
    for page in errand.remote.pull(cursor, window, now):
        listing.seen += page.seen
        listing.full = listing.full or page.full
        listing.cursor = page.cursor or listing.cursor
    return listing


def _really_gone(errand: Errand, listing: Listing) -> list[str]:
    """Ids whose removal was only a hint, or that a full listing did not name: each is asked for before anything is believed.

    What is found after all takes the place of the hint. When so many are missing that the brake will be pulled, nobody is asked.
    """
    hinted = {each.id for each in listing.seen if not each.certain and each.owned is None}
    listing.seen = [each for each in listing.seen if each.certain or each.owned is not None]
    with errand.store.read(errand.company) as snapshot:
        known = snapshot.items_by_remote(errand.link.id, hinted)
        suspects = [remote for remote, item in known.items() if item.base is not None and item.condition is not Condition.FOREIGN]
        strangers = [remote for remote, item in known.items() if item.condition is Condition.FOREIGN]
        if listing.full:
            suspects += [item.remote for item in inbound.unnamed(snapshot.items(errand.link.id), listing) if item.remote not in suspects]
    listing.seen += [Seen(id=remote, etag="", owned=None) for remote in strangers]
    gone = []
    for remote in suspects:
        there = errand.remote.get(remote) if len(suspects) <= MANY else None
        if there is None:
            gone.append(remote)
        else:
            listing.seen.append(there)
    return gone


def _write(errand: Errand) -> None:
    for number in range(ROUNDS):
        planned = outbound.plan(errand, parked=number == 0 and errand.link.listed == errand.link.pulled)
        if not errand.may_call() or not outbound.carry_out(errand) or not planned:
            return


def _due_again(errand: Errand) -> None:
    """When to look again: after the period, or as soon as an intent that failed is due; at once when there was no time for all."""
    now = errand.clock()
    with errand.commit() as tx:
        link = tx.link(errand.link.id)
        intents = tx.intents(link.id)
        due = link.due if link.standing is Standing.GUARD and link.due > now else now + spread(link.id, errand.habits.poll)
        due = min([due, *(item.due or now for item in intents)])
        if due != link.due:
            tx.save_link(replace(link, due=max(due, now)))


def _suspended(errand: Errand, error: CalendarGone) -> None:
    """The calendar is gone; the account and its other links go on (bridge.md §4, dead calendar). Once is no proof: providers have said so
    by mistake."""
    with errand.store.read(errand.company) as snapshot:
        if snapshot.link(errand.link.id).failures < SURE:
            _failed(errand, error)
            return
    with errand.commit() as tx:
        link = replace(tx.link(errand.link.id), standing=Standing.SUSPENDED, trouble=str(error), since=errand.clock())
        tx.save_link(link)
        errand.note(tx, "suspended", str(error))


def _failed(errand: Errand, error: RemoteError) -> None:
    """The provider cannot be reached: the next look waits longer each time, with the same spread for every link."""
    now = errand.clock()
    with errand.commit() as tx:
        link = tx.link(errand.link.id)
        failures = link.failures + 1
        pause = min(spread(link.id, errand.habits.poll) * 2 ** min(failures, 10), LONGEST_REST)
        tx.save_link(replace(link, failures=failures, due=now + pause, trouble=str(error)[:500], since=link.since or now))
        if failures == 1:
            errand.note(tx, "error", str(error))


def _ended(errand: Errand) -> None:
    with errand.commit() as tx:
        tx.save_link(replace(tx.link(errand.link.id), standing=Standing.ENDED, trouble="", cursor=None))
        tx.forget_busy(errand.staff.id, f"link:{errand.link.id}")
        errand.note(tx, "ended", "Our events were removed over there, and the link has ended.")
