"""Which calendars of an account a person may choose: the one that shows the appointments, and those whose busy times block."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.bridge import blocking, reach
from gateway.bridge.accounts import Accounts
from gateway.bridge.channels import switched_on
from gateway.bridge.orders import NAMES
from gateway.bridge.remote import Elsewhere
from gateway.errors import Conflict, Invalid
from gateway.links import Access, Account, AccountId, Blocking, Link, Standing
from gateway.model import Actor, CompanyId
from gateway.store import Snapshot, Transaction

MOST = 50
"""Calendars of one account that may block."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """One calendar. `written`: a link shows the appointments in it; `writable`: one could. `may_block`: it can be asked when it is busy,
    and no link writes to it. `gone`: it was chosen, and the provider lists it no more."""

    id: str
    title: str
    primary: bool = False
    writable: bool = False
    written: bool = False
    may_block: bool = False
    blocks: bool = False
    gone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Offers:
    """What can be chosen in an account. `link` shows the appointments; None: there is none any more. The consent lets us see every calendar
    (`listed`), when it is `busy`, and write into the person's own (`everywhere`)."""

    account: Account
    link: Link | None
    calendars: tuple[Offer, ...]
    listed: bool
    busy: bool
    everywhere: bool


def offers(accounts: Accounts, company: CompanyId, account: AccountId) -> Offers:
    """As the provider lists them now. Raises Missing, Conflict while the provider is switched off, RemoteError."""
    with accounts.store.read(company) as snapshot:
        known = snapshot.account(account)
        must_be_on(snapshot, known)
    found = accounts.calendars(company, account) if reach.sees_calendars(known) else ()
    with accounts.store.read(company) as snapshot:
        return _offers(snapshot, snapshot.account(account), found)


def remembered(snapshot: Snapshot, account: AccountId) -> Offers:
    """Without asking the provider: what was chosen before. Raises Missing."""
    return _offers(snapshot, snapshot.account(account), None)


def must_be_on(snapshot: Snapshot, account: Account) -> None:
    """Raises Conflict while the company's switch is off."""
    if not switched_on(snapshot.company.policy, account.provider):
        raise Conflict(
            f"{NAMES[account.provider]} is switched off. An administrator can switch it on under Calendar Sync.", condition="paused"
        )


def block(accounts: Accounts, company: CompanyId, account: AccountId, calendars: Collection[str], actor: Actor) -> Sequence[Blocking]:
    """These calendars block from now on, and no others of the account. What a deselected one has blocked is forgotten at once.

    Raises Invalid for one that cannot be chosen, and as `offers`.
    """
    found = offers(accounts, company, account)
    known = {each.id: each for each in found.calendars}
    if any(name not in known or not (known[name].may_block or known[name].blocks) for name in calendars):
        raise Invalid("One of these calendars cannot be asked when it is busy. Please choose among those that are shown.", field="blocks")
    with accounts.store.write(company, actor) as tx:
        return put(tx, account, {name: known[name].title for name in calendars}, accounts.clock())


def put(tx: Transaction, account: AccountId, titles: Mapping[str, str], now: datetime) -> Sequence[Blocking]:
    """The same without asking the provider which calendars there are: what it does not know shows as trouble of that calendar.

    Raises Missing, Conflict while the provider is switched off or has granted too little, Invalid.
    """
    known, before = tx.account(account), {each.calendar: each for each in tx.blocking(account)}
    must_be_on(tx, known)
    if titles and not reach.sees_busy(known):
        raise Conflict(reach.UNSEEN, condition="not-granted")
    if len(titles) > MOST:
        raise Invalid(f"At most {MOST} calendars of an account may block.", field="blocks")
    if not set(titles).isdisjoint(set(blocking.written_to(tx, known)) - set(before)):
        raise Invalid("Appointments are written into one of these calendars; other people's events in it block already.", field="blocks")
    for name, each in before.items():
        if name not in titles:
            tx.drop_blocking(each)
    for name, title in titles.items():
        tx.add_blocking(Blocking(account=account, calendar=name, title=title[:200], due=now))
    if set(before) != set(titles):
        tx.audit("link-blocking", account, {"calendars": len(before)}, {"calendars": len(titles)}, now)
    return tx.blocking(account)


def give_back(accounts: Accounts, company: CompanyId, account: AccountId) -> None:
    """The access to an account that neither shows anything nor blocks any more, and was emptied. Whoever connects again agrees anew."""
    with accounts.store.read(company) as snapshot:
        known, links = snapshot.account(account), snapshot.links(account=account)
        used = snapshot.blocking(account) or any(each.standing is not Standing.ENDED or each.trouble for each in links)
    house = accounts.houses.get(known.provider)
    if links and not used and known.access is Access.OK and house is not None:
        house.revoke(accounts.vaults(company, account))


def _offers(snapshot: Snapshot, account: Account, found: Sequence[Elsewhere] | None) -> Offers:
    """`found` None: the provider was not asked."""
    links = [each for each in snapshot.links(account=account.id) if each.standing not in (Standing.ENDED, Standing.ENDING)]
    busy, listed, everywhere = reach.sees_busy(account), reach.sees_calendars(account), reach.writes_everywhere(account)
    ours, blocks = blocking.written_to(snapshot, account), {each.calendar: each for each in snapshot.blocking(account.id)}
    there = {each.id: each for each in found or ()}
    if busy and not listed and account.login:  # its id is the address of the account
        there[account.login] = Elsewhere(id=account.login, title=account.login, primary=True, writable=False)
    titles = {each.calendar: each.title for each in links} | {each.calendar: each.title for each in blocks.values()}
    written = {each.calendar for each in links}
    rows = [
        *there.values(),
        *(Elsewhere(id=name, title=titles[name], primary=False, writable=name in written) for name in titles if name not in there),
    ]
    return Offers(
        account=account,
        link=links[0] if links else None,
        calendars=tuple(
            Offer(
                id=each.id,
                title=each.title,
                primary=each.primary,
                writable=each.writable,
                written=each.id in written,
                may_block=busy and each.id not in ours,
                blocks=each.id in blocks,
                gone=listed and found is not None and each.id not in there and each.id not in written,
            )
            for each in sorted(rows, key=lambda each: (not each.primary, each.title.casefold(), each.id))
        ),
        listed=listed,
        busy=busy,
        everywhere=everywhere,
    )
