"""Watch channels: asking providers to tell of changes, for longer at half of a channel's life, and no longer where nobody wants to know.

A notification only wakes a link; without one it is looked at within its period. So nothing here is ever waited for, and whatever
goes wrong here costs minutes, not changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from gateway import observe
from gateway.bridge.remote import Houses, Remote, RemoteError
from gateway.bridge.vault import KEEPER, OpenVault
from gateway.links import Access, Account, Channel, Claim, Link, LinkId, Provider, Standing
from gateway.model import Company, CompanyId, Policy
from gateway.store import Store

OVERLAP = timedelta(minutes=10)
"""How long an old channel stays beside its successor: what the one has not told yet, the other tells."""

RETRY, NEVER = timedelta(hours=1), timedelta(days=1)
"""When it is tried again after a failure, and where the provider cannot."""

WATCHED = (Standing.ACTIVE, Standing.GUARD)

Address = Callable[[Provider], str]
"""Where the provider's notifications are to arrive."""


def address(public_url: str) -> Address:
    """Below our own address: one hook for each of the two houses."""

    def hook(provider: Provider) -> str:
        return f"{public_url}/hooks/{'google' if provider is Provider.GOOGLE else 'microsoft'}"

    return hook


def reachable(public_url: str) -> bool:
    """Whether a provider could ever call us there: by https from outside, or from this very machine, where a stand-in is."""
    parts = urlsplit(public_url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")


def switched_on(policy: Policy, provider: Provider) -> bool:
    """Whether the company uses this provider."""
    match provider:
        case Provider.GOOGLE:
            return policy.google
        case Provider.OUTLOOK:
            return policy.outlook
        case Provider.OFFICE365:
            return policy.office365


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about the channels of one link."""

    open: bool
    close: tuple[Channel, ...]
    renew: Channel | None = None  # which may be prolonged instead of opening another one


def planned(wanted: bool, channels: Sequence[Channel], now: datetime) -> Plan:
    """The newest is renewed or replaced once it has lived half of its life; the older ones go when their successor has proved itself for a
    while. One that the provider wants renewed at once counts as very old."""
    if not wanted:
        return Plan(False, tuple(channels))
    newest = max(channels, key=lambda each: each.made, default=None)
    if newest is None:
        return Plan(True, ())
    proved = newest.made + OVERLAP <= now
    close = tuple(each for each in channels if each.expires <= now or (proved and each is not newest))
    due = newest.made + (newest.expires - newest.made) / 2 <= now
    return Plan(due, close, newest if due and newest not in close else None)


class Watches:
    """Keeps the channels of an account while it is claimed."""

    def __init__(self, store: Store, houses: Houses, vaults: OpenVault, address: Address) -> None:
        self._store = store
        self._houses = houses
        self._vaults = vaults
        self._address = address
        self._again: dict[LinkId, datetime] = {}

    def keep(self, claim: Claim, now: datetime) -> None:
        """Open and close what is due for the account. Raises Lost, Missing, Unavailable; trouble with the provider is only noted."""
        company = CompanyId(claim.company)
        with self._store.read(company) as snapshot:
            account = snapshot.account(claim.account)
            on = account.access is Access.OK and switched_on(snapshot.company.policy, account.provider)
            plans = [
                (link, plan)
                for link in snapshot.links(account=account.id)
                if (plan := planned(on and link.standing in WATCHED, snapshot.channels(link.id), now)) != Plan(False, ())
            ]
            zone = snapshot.staff(account.staff).zone
            firm = snapshot.company
        house = self._houses.get(account.provider)
        if house is None or account.access is not Access.OK:
            return
        for link, plan in plans:
            if self._again.get(link.id, now) <= now:
                remote = house.open(
                    self._vaults(company, account.id),
                    link=link.id,
                    calendar=link.calendar,
                    mark=firm.id,
                    zone=zone,
                    calls=lambda kind: observe.count("mirror_calls", provider=str(account.provider), kind=kind),
                )
                self._carry_out(claim, firm, account, link, plan, remote, now)

    def _carry_out(self, claim: Claim, company: Company, account: Account, link: Link, plan: Plan, remote: Remote, now: datetime) -> None:
        try:
            if plan.open and not (plan.renew and self._renewed(claim, company, link, plan.renew, remote, now)):
                self._open(claim, company, account, link, remote, now)
            for channel in plan.close:
                if channel.expires > now:
                    remote.unwatch(channel.id, channel.resource)
                with self._store.write(company.id, KEEPER) as tx:
                    tx.must_hold(claim)
                    tx.drop_channel(link.id, channel.id)
        except RemoteError as error:
            self._again[link.id] = now + RETRY
            observe.log("watching_failed", level="warning", link=link.id, reason=str(error))

    def _renewed(self, claim: Claim, company: Company, link: Link, channel: Channel, remote: Remote, now: datetime) -> bool:
        """Whether the provider lets the channel live for longer, under the same secret. Asking twice is as good as once."""
        watching = remote.renew(channel.id, channel.resource, now)
        if watching is None:
            return False
        with self._store.write(company.id, KEEPER) as tx:
            tx.must_hold(claim)
            tx.prolong_channel(link.id, channel.id, now, watching.expires)
        self._again.pop(link.id, None)
        return True

    def _open(self, claim: Claim, company: Company, account: Account, link: Link, remote: Remote, now: datetime) -> None:
        """A crash between the two steps leaves a channel nobody knows: what it tells is not believed, and it ends by itself."""
        secret = secrets.token_urlsafe(32)
        watching = remote.watch(self._address(account.provider), secret, now)
        if watching is None:
            self._again[link.id] = now + NEVER
            return
        channel = Channel(link=link.id, id=watching.id, resource=watching.resource, secret=secret, made=now, expires=watching.expires)
        with self._store.write(company.id, KEEPER) as tx:
            tx.must_hold(claim)
            tx.add_channel(channel)
        self._again.pop(link.id, None)
