"""The turn of one account: finish what was begun, write what changed here, look over there, take in what changed, say how it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway import observe
from gateway.bridge import blocking, looking, outbound, planning
from gateway.bridge.channels import switched_on
from gateway.bridge.errand import LIVE, Allowance, Errand, Habits, spread
from gateway.bridge.remote import CalendarGone, Disconnected, House, Houses, RemoteError, Throttled, Vault
from gateway.links import Access, Account, AccountId, Claim, Condition, Happening, Link, Standing, Todo
from gateway.model import Actor, CompanyId
from gateway.store import Snapshot, Store

SURE = 2
"""So many failures in a row before a calendar is taken for gone: providers have said so by mistake."""

LONGEST_REST = timedelta(hours=1)

FEW = 3
"""After so many calls nobody has to rest: a look, and a booking."""


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
        store. What the provider does is written down and never raised. Afterwards the account rests for as long as its calls take."""
        company = CompanyId(claim.company)
        with self.store.read(company) as snapshot:
            account = snapshot.account(claim.account)
            links = [link for link in snapshot.links(account=account.id) if link.standing in LIVE]
            on = switched_on(snapshot.company.policy, account.provider)
        house = self.houses.get(account.provider)
        if house is None or not on:
            self._rest(claim, account, LONGEST_REST)
            return
        left = Allowance(self.habits.calls)
        rest = timedelta()
        try:
            answered = False
            for number, link in enumerate(links):
                if not ending():
                    errand = self._errand(claim, account, link, house, left, ending, left.share(len(links) - number))
                    answered |= _link(errand)
            answered |= blocking.ask(self._asking(claim, account, house, ending))
        except Throttled as error:
            rest = self._throttled(claim, account, error)
        except Disconnected as error:
            self._disconnected(claim, account, error)
        else:
            self._probed(claim, account, answered)
            self._given_back(company, account, house, links)
        if rest or left.used > FEW:
            self._rest(claim, account, max(rest, self.habits.rest(left.used)))

    def _given_back(self, company: CompanyId, account: Account, house: House, links: list[Link]) -> None:
        """When the last link has ended in this very turn with nothing left over there, and nothing is asked of the account any more, the
        access is given back. Whoever connects again agrees anew."""
        if not any(link.standing is Standing.ENDING for link in links):
            return
        with self.store.read(company) as snapshot:
            used = snapshot.blocking(account.id) or any(
                link.standing is not Standing.ENDED or link.trouble for link in snapshot.links(account=account.id)
            )
        if not used:
            house.revoke(self.vault(company, account.id))
            observe.log("access_given_back", company=company, account=account.id)

    def _asking(self, claim: Claim, account: Account, house: House, ending: Callable[[], bool]) -> blocking.Asking:
        vault = self.vault(CompanyId(claim.company), account.id)
        every = self.habits.busy_poll
        return blocking.Asking(
            store=self.store, house=house, vault=vault, claim=claim, account=account, every=every, clock=self.clock, ending=ending
        )

    def _rest(self, claim: Claim, account: Account, rest: timedelta) -> None:
        """Nobody calls the provider for the account before, whatever is new."""
        with self.store.write(CompanyId(claim.company), _actor(account)) as tx:
            tx.must_hold(claim)
            tx.rest_account(account.id, self.clock() + rest)

    def _errand(
        self, claim: Claim, account: Account, link: Link, house: House, left: Allowance, ending: Callable[[], bool], share: int
    ) -> Errand:
        company = CompanyId(claim.company)
        with self.store.read(company) as snapshot:
            staff, calendar = snapshot.staff(link.staff), snapshot.appointments_of(link.staff).id

        def count(kind: str) -> None:
            left.take()
            observe.count("mirror_calls", provider=str(account.provider), kind=kind)

        vault = self.vault(company, account.id)
        remote = house.open(vault, link=link.id, calendar=link.calendar, mark=claim.company, zone=staff.zone, calls=count)
        return Errand(
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
            share=share,
        )

    def _throttled(self, claim: Claim, account: Account, error: Throttled) -> timedelta:
        """How long nothing of the account is asked: as long as the provider says, and longer the oftener it has to."""
        with self.store.write(CompanyId(claim.company), _actor(account)) as tx:
            tx.must_hold(claim)
            live = [link for link in tx.links(account=account.id) if link.standing in LIVE]
            failures = max((link.failures for link in live), default=0) + 1
            factor: int = 2 ** min(failures - 1, 6)
            wait = min(error.wait * factor, max(error.wait, LONGEST_REST))
            for link in live:
                due = self.clock() + spread(link.id, wait) + wait / 10
                tx.save_link(replace(link, failures=failures, due=due, trouble=str(error), since=link.since or self.clock()))
        return wait

    def _disconnected(self, claim: Claim, account: Account, error: Disconnected) -> None:
        """The account is marked, and tried again every hour: a mark that is wrong clears itself (bridge.md §4, 41 and 42). A link that was
        ending ends."""
        now = self.clock()
        access = Access.NEEDS_ADMIN if error.admin else Access.NEEDS_REAUTH
        with self.store.write(CompanyId(claim.company), _actor(account)) as tx:
            tx.must_hold(claim)
            former = tx.account(account.id)
            tx.save_account(replace(former, access=access, trouble=str(error), since=former.since or now, probed=now))
            for link in tx.links(account=account.id):
                if link.standing is Standing.ENDING:
                    tx.save_link(_ended(tx, link))
                if link.standing in LIVE and former.access is Access.OK:
                    tx.note(link.id, Happening(at=now, kind="disconnected", sentence=str(error)))
        observe.log("mirror_disconnected", company=claim.company, account=account.id, access=access.value)

    def _probed(self, claim: Claim, account: Account, answered: bool) -> None:
        """Only an answer proves that the account works again."""
        if account.access is Access.OK and not account.trouble:
            return
        now = self.clock()
        with self.store.write(CompanyId(claim.company), _actor(account)) as tx:
            tx.must_hold(claim)
            former = tx.account(account.id)
            if not answered:
                tx.save_account(replace(former, probed=now))
                return
            tx.save_account(replace(former, access=Access.OK, trouble="", since=None, probed=now))
            for link in tx.links(account=account.id):
                if link.standing in LIVE:
                    tx.note(link.id, Happening(at=now, kind="resumed", sentence="The connection works again."))


def _actor(account: Account) -> Actor:
    return Actor(account.login, "mirror")


def _link(errand: Errand) -> bool:
    """One link; whether the provider has answered. What concerns the whole account is raised; everything else ends here.

    What changed here goes first, so that nobody waits for a look; the look finds out what has to be merged.
    """
    used = errand.left.used
    try:
        if errand.link.standing is Standing.ENDING:
            if outbound.undo_all(errand):
                _end(errand)
        else:
            daily, unread = looking.full(errand.link, errand.clock()), _unread(errand.link)
            if unread:
                looking.look(errand)
                errand.looked = True
            planning.plan(errand, daily=daily)
            outbound.carry_out(errand)
            braked = errand.link.standing is Standing.GUARD and errand.link.due > errand.clock()
            if not unread and not braked and not errand.ending():
                looking.look(errand)
                errand.looked = True
                outbound.carry_out(errand)
        _due_again(errand)
    except CalendarGone as error:
        _suspended(errand, error)
    except (Throttled, Disconnected):
        raise
    except RemoteError as error:  # no answer, or what an adapter should have said more exactly
        _failed(errand, error)
        return False
    return errand.left.used > used


def _unread(link: Link) -> bool:
    """Whether what is known of the calendar is from another time, such as after a restore: it is read in full before it is written."""
    return link.listed is None and link.pulled is not None


def _due_again(errand: Errand) -> None:
    """At once when there was no time for all, and as soon as an intent that failed is due; otherwise when the look said."""
    now = errand.clock()
    with errand.store.read(errand.company) as snapshot:
        link = snapshot.link(errand.link.id)
        intents = [item for item in snapshot.intents(link.id) if link.standing is not Standing.GUARD or item.todo is Todo.CREATE]
    again = [item.due or _patience(errand, now) for item in intents]
    if link.standing is not Standing.ENDING:
        again.append(now if link.listed is None and errand.lost else link.due)
    due = max(min(again, default=now), now)
    if link.standing in LIVE and due != link.due:
        with errand.commit() as tx:
            tx.save_link(replace(tx.link(link.id), due=due))


def _patience(errand: Errand, now: datetime) -> datetime:
    """When to go on with what was not done: at once if there was no time for it, and otherwise when something may have changed."""
    return now if not errand.may_call() else now + errand.habits.poll


def _suspended(errand: Errand, error: CalendarGone) -> None:
    """The calendar is gone; the account and its other links go on (bridge.md §4, dead calendar). Once is no proof."""
    with errand.store.read(errand.company) as snapshot:
        link = snapshot.link(errand.link.id)
    if link.failures < SURE or link.trouble != str(error):
        _failed(errand, error)
        return
    with errand.commit() as tx:
        link = tx.link(errand.link.id)
        if link.standing is Standing.ENDING:  # there is nothing left to remove
            tx.save_link(replace(link, standing=Standing.ENDED, trouble="", cursor=None))
        elif link.standing in LIVE:
            tx.save_link(replace(link, standing=Standing.SUSPENDED, trouble=str(error), since=errand.clock()))
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


def _end(errand: Errand) -> None:
    with errand.commit() as tx:
        link = _ended(tx, tx.link(errand.link.id))
        tx.save_link(link)
        tx.forget_busy(errand.staff.id, f"link:{errand.link.id}")
        errand.note(tx, "ended", link.trouble or "Our events were removed over there, and the link has ended.")


def _ended(snapshot: Snapshot, link: Link) -> Link:
    """The link without a future, and what had to be left over there."""
    left = sum(item.base is not None and item.condition is not Condition.FOREIGN for item in snapshot.items(link.id))
    trouble = f"{left} events could not be removed. Please delete them there yourself." if left else ""
    return replace(link, standing=Standing.ENDED, trouble=trouble, cursor=None)
