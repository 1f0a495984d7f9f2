"""Connecting accounts elsewhere, and what people do with their links: pause, resume, disconnect, decide what a brake has held back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.bridge.channels import switched_on
from gateway.bridge.guards import ALLOWED
from gateway.bridge.remote import Elsewhere, Grant, House, Houses
from gateway.bridge.vault import OpenVault
from gateway.errors import Conflict, Missing
from gateway.links import (
    Access,
    Account,
    AccountId,
    Condition,
    Direction,
    Happening,
    Item,
    Link,
    LinkId,
    Provider,
    Standing,
)
from gateway.model import Actor, CompanyId, Level, OnDelete, Policy, Revision, Staff, StaffId
from gateway.seal import Seal
from gateway.store import Store, Transaction, fresh_id

CONSENT = timedelta(minutes=10)
"""How long somebody may take at the provider's page."""

OLD = timedelta(hours=1)
"""From when on a link that has not been read to its end is not in sync, whatever it says."""

NAMES = {Provider.GOOGLE: "Google Calendar", Provider.OUTLOOK: "Outlook.com", Provider.OFFICE365: "Microsoft 365"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """What came of a consent. `missing` names what was not granted; `again`: the account was known, and goes on where it was."""

    company: CompanyId
    staff: StaffId
    link: LinkId
    back: str
    missing: tuple[str, ...]
    again: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Accounts:
    """Thread-safe. `redirect` tells where each provider sends people back to."""

    store: Store
    seal: Seal
    houses: Houses
    vaults: OpenVault
    redirect: Callable[[Provider], str]
    clock: Callable[[], datetime]

    def begin(self, tx: Transaction, staff: StaffId, provider: Provider, *, primary: bool = False, back: str = "") -> str:
        """The address to send the staff member's browser to; good for ten minutes, once, and for this staff member only.

        Raises Conflict while the provider is switched off or has no client id, Missing for nobody.
        """
        house = self._house(provider)
        state, verifier, now = secrets.token_urlsafe(32), secrets.token_urlsafe(48), self.clock()
        person = tx.staff(staff)
        if not switched_on(tx.company.policy, provider):
            raise Conflict(f"{NAMES[provider]} is switched off. An administrator can switch it on under Calendar Sync.", condition="paused")
        sealed = self.seal.seal(verifier.encode())
        tx.begin_consent(state, staff, provider, sealed, primary=primary, back=back, expires=now + CONSENT, now=now)
        return house.consent(
            state=state, verifier=verifier, redirect=self.redirect(provider), login=_hint(person, provider), primary=primary
        )

    def complete(self, state: str, code: str) -> Connected:
        """The browser is back. The account is new, or known and works again; its link shows into a calendar of our own.

        Raises Missing for a state that is unknown, used or too old, and RemoteError with a sentence that says what to do.
        """
        now = self.clock()
        consent = self.store.take_consent(state, now)
        if consent is None:
            raise Missing("This sign-in was begun too long ago, or is finished already. Please begin again.")
        house = self._house(consent.provider)
        verifier = self.seal.unseal(consent.sealed).decode()
        grant = house.redeem(code=code, verifier=verifier, redirect=self.redirect(consent.provider), now=now)
        account, again = self._account(consent.company, consent.staff, consent.provider, grant, now)
        link = self._link(consent.company, account, house, primary=consent.primary, now=now)
        return Connected(company=consent.company, staff=consent.staff, link=link, back=consent.back, missing=grant.missing, again=again)

    def _account(self, company: CompanyId, staff: StaffId, provider: Provider, grant: Grant, now: datetime) -> tuple[Account, bool]:
        """The same person at the provider is the same account: connecting again makes nothing twice (bridge.md §4, 16)."""
        with self.store.write(company, _door(grant.login)) as tx:
            former = tx.account_of(staff, provider, grant.subject)
            sealed = self.seal.seal(grant.credential)
            if former is None:
                account = Account(
                    id=AccountId(fresh_id()),
                    staff=staff,
                    provider=provider,
                    login=grant.login,
                    subject=grant.subject,
                    scopes=grant.scopes,
                    created=now,
                )
                tx.add_account(account, sealed)
                return account, False
            _, version = tx.credential(former.id)
            tx.keep_credential(former.id, sealed, version)
            account = replace(former, login=grant.login, scopes=grant.scopes, access=Access.OK, trouble="", since=None, probed=now)
            tx.save_account(account)
            return account, True

    def _link(self, company: CompanyId, account: Account, house: House, *, primary: bool, now: datetime) -> LinkId:
        """The account's link: the former one goes on; a first one needs a calendar of our own."""
        with self.store.read(company) as snapshot:
            links = snapshot.links(account=account.id)
            firm, staff = snapshot.company, snapshot.staff(account.staff)
        if links:
            with self.store.write(company, _door(account.login)) as tx:
                link = replace(tx.link(links[-1].id), standing=Standing.ACTIVE, trouble="", since=None, due=now, cursor=None)
                tx.save_link(replace(link, seen=Revision(0)))
                tx.note(link.id, Happening(at=now, kind="connected", sentence=f"{account.login} was connected again."))
            return link.id
        vault = self.vaults(company, account.id)
        calendar = next((each for each in house.calendars(vault, now) if each.primary and each.writable), None) if primary else None
        own = calendar is None
        calendar = calendar or house.make_calendar(vault, f"{firm.name}: {staff.name}", staff.zone, now)
        link = Link(
            id=LinkId(fresh_id()),
            account=account.id,
            staff=account.staff,
            calendar=calendar.id,
            title=calendar.title,
            own=own,
            direction=Direction.BOTH if firm.policy.two_way else Direction.OUT,
            level=Level.FULL,
            due=now,
            created=now,
        )
        with self.store.write(company, _door(account.login)) as tx:
            tx.add_link(link)
            tx.note(link.id, Happening(at=now, kind="connected", sentence=f"{account.login} was connected; calendar “{calendar.title}”."))
        return link.id

    def calendars(self, company: CompanyId, account: AccountId) -> Sequence[Elsewhere]:
        """Those that could be chosen. Raises RemoteError."""
        with self.store.read(company) as snapshot:
            known = snapshot.account(account)
        return self._house(known.provider).calendars(self.vaults(company, account), self.clock())

    def _house(self, provider: Provider) -> House:
        house = self.houses.get(provider)
        if house is None:
            raise Conflict(
                f"{NAMES[provider]} has no client id yet. Whoever runs this server sets it in the configuration.", condition="unset"
            )
        return house


def change(
    tx: Transaction,
    link: LinkId,
    now: datetime,
    *,
    paused: bool | None = None,
    direction: Direction | None = None,
    level: Level | None = None,
    on_delete: OnDelete | None = None,
) -> Link:
    """Pause or resume, one way or two (a company's switch alone changes no link: product.md S21), how much is shown.

    Raises Missing, and Conflict for a link that has ended.
    """
    former = _live(tx, link)
    new = replace(
        former,
        direction=direction or former.direction,
        level=level or former.level,
        on_delete=on_delete or former.on_delete,
        due=now,
    )
    if paused is not None and former.standing in (Standing.ACTIVE, Standing.PAUSED, Standing.SUSPENDED):
        new = replace(new, standing=Standing.PAUSED if paused else Standing.ACTIVE, trouble="", since=None)
    if level is not None and level is not former.level:
        new = replace(new, seen=Revision(0))  # every text is another one now
    tx.save_link(new)
    if new.standing is not former.standing:
        said = "Paused: nothing is written and nothing is read." if paused else "Resumed."
        tx.note(link, Happening(at=now, kind="paused" if paused else "resumed", sentence=said))
    if new.direction is not former.direction:
        both = new.direction is Direction.BOTH
        said = "Moves made over there are taken over now." if both else "Moves made over there are turned back now."
        tx.note(link, Happening(at=now, kind="direction", sentence=said))
    return new


def disconnect(tx: Transaction, link: LinkId, now: datetime, *, remove: bool) -> Link:
    """End a link: our events over there are removed first, or left. What cannot be removed, because the consent has been taken back,
    is left as well and said so. Raises Missing."""
    former = tx.link(link)
    account = tx.account(former.account)
    possible = remove and account.access is Access.OK and former.standing is not Standing.SUSPENDED
    new = replace(former, standing=Standing.ENDING if possible else Standing.ENDED, due=now, trouble="", cursor=None)
    left = sum(item.base is not None and item.condition is not Condition.FOREIGN for item in tx.items(link))
    if remove and not possible and left:
        new = replace(new, trouble=f"{left} events could not be removed, because the access has ended. Please delete the calendar there.")
    tx.save_link(new)
    tx.forget_busy(former.staff, f"link:{link}")
    said = "Being disconnected; our events are removed." if possible else f"Disconnected; {left} events stay over there."
    tx.note(link, Happening(at=now, kind="disconnected", sentence=said))
    return new


def decide(tx: Transaction, link: LinkId, now: datetime, *, meant: bool) -> Link:
    """A person's word about what a brake has held back: it was meant (then it is done), or not (then everything is put back).

    Raises Missing, and Conflict when nothing waits.
    """
    former = _live(tx, link)
    if former.standing is not Standing.GUARD:
        raise Conflict("Nothing waits for a decision here.", condition="nothing-waits")
    if not meant:  # what is missing over there is made again, under the next generation
        for item in tx.items(link):
            if item.base is not None and item.condition is not Condition.FOREIGN and item.todo is None:
                tx.save_item(replace(item, draft=None), now)
    new = replace(
        former,
        standing=Standing.ACTIVE,
        trouble="",
        since=None,
        cursor=None,
        seen=Revision(0),
        allowed=now + ALLOWED,
        direction=former.direction if meant else Direction.OUT,
        due=now,
    )
    tx.save_link(new)
    said = (
        "It was meant: deletions and moves are taken over." if meant else "It was not meant: everything is put back; one way from now on."
    )
    tx.note(link, Happening(at=now, kind="decided", sentence=said))
    return new


def retry(tx: Transaction, link: LinkId, now: datetime) -> int:
    """Try what the provider has refused for good, and what could not be found, once more; how much that is. Raises Missing."""
    again = [item for item in tx.items(link) if item.condition in (Condition.DEAD, Condition.PARKED, Condition.CONFLICT)]
    for item in again:
        tx.save_item(_fresh(item), now)
    tx.save_link(replace(_live(tx, link), seen=Revision(0), due=now))
    return len(again)


def _fresh(item: Item) -> Item:
    gone = item.base is None and not item.remote
    condition = Condition.GONE if gone and item.key.at is None else Condition.SYNCED
    return replace(item, condition=condition, draft=None, todo=None, attempts=0, due=None, trouble="")


def _live(tx: Transaction, link: LinkId) -> Link:
    found = tx.link(link)
    if found.standing in (Standing.ENDING, Standing.ENDED):
        raise Conflict("This calendar is disconnected. Connect it again to go on.", condition="ended")
    return found


def _hint(person: Staff, provider: Provider) -> str:
    """Whom the provider's page proposes; a work address says nothing about a private account."""
    return "" if provider is Provider.OUTLOOK else person.email


def _door(login: str) -> Actor:
    return Actor(login, "page")


def condition(policy: Policy, account: Account, link: Link, now: datetime) -> tuple[str, str, str]:
    """How a link stands, for people: a colour, the trouble in one sentence, and what can be done. Green is never said of a link whose last
    complete look is old (bridge.md I16)."""
    if not switched_on(policy, account.provider):
        return "grey", "Paused by your administrator.", f"An administrator can switch {NAMES[account.provider]} on under Calendar Sync."
    if link.standing is Standing.ENDED:
        return "grey", link.trouble or "Disconnected.", "Connect the account again to go on."
    if link.standing is Standing.PAUSED:
        return "grey", "Paused.", "Resume it whenever you like."
    if account.access is Access.NEEDS_ADMIN:
        return "red", account.trouble, "Ask the administrator of your organisation to allow this app, then connect again."
    if account.access is not Access.OK:
        return "red", account.trouble, "Connect the account again: nothing is lost, and nothing is doubled."
    if link.standing is Standing.GUARD:
        return "red", link.trouble, "Say whether it was meant."
    if link.standing is Standing.SUSPENDED:
        return "red", link.trouble, "Connect the account again, or resume when the calendar is back."
    if (link.pulled or link.created) < now - OLD:
        return "red", link.trouble or "It has not been read to its end for more than an hour.", "It is tried again by itself."
    if link.trouble:
        return "yellow", link.trouble, "It is tried again by itself."
    return ("yellow", "", "The first filling is on its way.") if link.pulled is None else ("green", "", "")
