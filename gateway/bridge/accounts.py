"""Connecting accounts elsewhere: to the provider's page and back, the calendar that mirrors, and another one in its place."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.bridge import reach
from gateway.bridge.channels import switched_on
from gateway.bridge.orders import NAMES as NAMES  # as those who only show accounts know them
from gateway.bridge.orders import change as change
from gateway.bridge.orders import condition as condition
from gateway.bridge.orders import decide as decide
from gateway.bridge.orders import disconnect as disconnect
from gateway.bridge.orders import retry as retry
from gateway.bridge.orders import settle as settle
from gateway.bridge.remote import CalendarGone, Disconnected, Elsewhere, Grant, House, Houses, Organised, RemoteError
from gateway.bridge.vault import OpenVault
from gateway.errors import Conflict, Invalid, Missing
from gateway.links import Access, Account, AccountId, Direction, Happening, Link, LinkId, Provider, Standing
from gateway.model import Actor, Company, CompanyId, Level, Revision, Span, Staff, StaffId
from gateway.seal import Seal
from gateway.store import Consent, Store, Transaction, fresh_id

CONSENT = timedelta(minutes=10)
"""How long somebody may take at the provider's page."""

ANY = tuple(Provider)

_GLANCE = timedelta(days=1)
_LOCAL = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9_./?=&#-]*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """What came of a consent. `missing` names what was not granted; `again`: the account was known, and goes on where it was."""

    company: CompanyId
    staff: StaffId
    account: AccountId
    link: LinkId
    back: str
    missing: tuple[str, ...]
    again: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """Nothing came of it: a sentence that says what to do, and where it was begun."""

    sentence: str
    back: str = ""


def local(path: str) -> str:
    """The path when it leads to a page of ours and nowhere else, or else "" (trust.md A164)."""
    return path if len(path) <= 500 and _LOCAL.fullmatch(path) else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Accounts:
    """Thread-safe. `redirect` tells where each provider sends people back to."""

    store: Store
    seal: Seal
    houses: Houses
    vaults: OpenVault
    redirect: Callable[[Provider], str]
    clock: Callable[[], datetime]

    def begin(
        self,
        tx: Transaction,
        staff: StaffId,
        provider: Provider,
        *,
        primary: bool = False,
        others: bool = False,
        back: str = "",
        browser: str = "",
    ) -> str:
        """The address to send the staff member's browser to; good for ten minutes, once, and for this staff member only.

        `primary` is the wish to use a calendar of the person's own, `others` to let others block; what is in use is asked for again.
        `browser` is a secret that the browser keeps: then no other one can come back. `back` is a path of ours where it goes on.
        Raises Conflict while the provider is switched off or has no client id, Missing for nobody, Invalid for a path elsewhere.
        """
        if back != local(back):
            raise Invalid("Please give a path of these pages, such as /me.", field="back")
        house, person = self._house(provider), tx.staff(staff)
        _must_be_welcome(tx.company, person, provider)
        state, verifier, now = secrets.token_urlsafe(32) + _bound(browser), secrets.token_urlsafe(48), self.clock()
        sealed = self.seal.seal(verifier.encode())
        tx.begin_consent(state, staff, provider, sealed, primary=primary, back=back, expires=now + CONSENT, now=now)
        own, seen = _in_use(tx, staff, provider)
        return house.consent(
            state=state,
            verifier=verifier,
            redirect=self.redirect(provider),
            login=_hint(person, provider),
            primary=primary or own,
            others=others or own or seen,
        )

    def complete(self, state: str, code: str) -> Connected:
        """`returned` and `connect` in one, wherever it was begun."""
        return self.connect(self.returned(state), code)

    def returned(self, state: str, *, among: Collection[Provider] = ANY, browser: str = "") -> Consent:
        """Whose consent it is that a browser brings back; from now on the state is worth nothing.

        `among` are the providers that send people where it came back: a code of another one is nothing for us (trust.md A162).
        Raises Missing for a state that is unknown, used, too old, or another browser's.
        """
        token, _, bound = state.partition(".")
        mine = not bound or hmac.compare_digest(f".{bound}", _bound(browser))
        consent = self.store.take_consent(state, self.clock()) if token and mine else None
        if consent is None or consent.provider not in among:
            raise Missing("This sign-in was begun too long ago, or in another browser, or is finished already. Please begin again.")
        return consent

    def connect(self, consent: Consent, code: str) -> Connected:
        """The account is new, or known and works again; its link shows into a calendar of our own, unless asked otherwise.

        Raises RemoteError and Conflict with a sentence that says what to do.
        """
        now, company = self.clock(), consent.company
        house = self._house(consent.provider)
        with self.store.read(company) as snapshot:
            _must_be_welcome(snapshot.company, snapshot.staff(consent.staff), consent.provider)
        verifier = self.seal.unseal(consent.sealed).decode()
        grant = house.redeem(code=code, verifier=verifier, redirect=self.redirect(consent.provider), now=now)
        account, again = self._account(company, consent.staff, consent.provider, grant, now)
        link = self._link(company, account, house, primary=consent.primary, now=now)
        return Connected(
            company=company, staff=consent.staff, account=account.id, link=link, back=consent.back, missing=grant.missing, again=again
        )

    def admin_consent(self) -> str:
        """Where an administrator of Microsoft 365 agrees for the whole organisation. Raises Conflict without a client id."""
        house = self._house(Provider.OFFICE365)
        if not isinstance(house, Organised):
            raise Conflict("Nobody can agree for a whole organisation there.", condition="unset")
        return house.admin_consent(state=secrets.token_urlsafe(16), redirect=self.redirect(Provider.OFFICE365))

    def enter(self, company: CompanyId, staff: StaffId, tenant: str, *, primary: bool = False) -> Connected:
        """A staff member's mailbox, opened by the organisation's administrator: its address is the staff member's e-mail address.

        Raises RemoteError and Conflict with a sentence that says what to do, Missing for nobody.
        """
        now, provider = self.clock(), Provider.OFFICE365
        house = self._house(provider)
        with self.store.read(company) as snapshot:
            person = snapshot.staff(staff)
            _must_be_welcome(snapshot.company, person, provider)
        if not isinstance(house, Organised):
            raise Conflict("Nobody can agree for a whole organisation there.", condition="unset")
        grant = house.enter(tenant, person.email, now)
        account, again = self._account(company, staff, provider, grant, now)
        link = self._link(company, account, house, primary=primary, now=now)
        return Connected(company=company, staff=staff, account=account.id, link=link, back="", missing=grant.missing, again=again)

    def calendars(self, company: CompanyId, account: AccountId) -> Sequence[Elsewhere]:
        """Those that could be chosen; none where only a calendar of our own was asked for. Raises Missing, RemoteError."""
        with self.store.read(company) as snapshot:
            known = snapshot.account(account)
            ours = {link.calendar for link in snapshot.links(account=account) if link.own}
        found = self._house(known.provider).calendars(self.vaults(company, account), self.clock())
        everywhere = reach.writes_everywhere(known)
        return [replace(each, writable=each.writable and (everywhere or each.id in ours)) for each in found]

    def choose(self, company: CompanyId, link: LinkId, calendar: str) -> LinkId:
        """Mirror into another calendar of the account from now on; our events in the former one are removed.

        Raises Missing, RemoteError, and Conflict for a calendar that is not one of `calendars`, or may not be written.
        """
        with self.store.read(company) as snapshot:
            former = snapshot.link(link)
            account = snapshot.account(former.account)
        if former.calendar == calendar and former.standing is not Standing.ENDED:
            return link
        found = next((each for each in self.calendars(company, account.id) if each.id == calendar), None)
        if found is None or not found.writable:
            raise Conflict(
                "This calendar cannot be written. Connect the account again and ask for your own calendar.", condition="calendar"
            )
        return self._instead(company, account, former, found)

    def _instead(self, company: CompanyId, account: Account, former: Link, found: Elsewhere) -> LinkId:
        now = self.clock()
        with self.store.write(company, _door(account.login)) as tx:
            known = next((each for each in tx.links(account=account.id) if each.calendar == found.id), None)
            if known is not None:
                tx.save_link(replace(_revived(known, now), direction=former.direction, level=former.level, on_delete=former.on_delete))
                chosen = known.id
            else:
                new = _fresh(account, found, own=False, direction=former.direction, level=former.level, now=now)
                tx.add_link(replace(new, on_delete=former.on_delete))
                chosen = new.id
            tx.note(chosen, Happening(at=now, kind="connected", sentence=f"Chosen instead of “{former.title}”."))
            if former.standing is not Standing.ENDED:
                disconnect(tx, former.id, now, remove=True)
        return chosen

    def _account(self, company: CompanyId, staff: StaffId, provider: Provider, grant: Grant, now: datetime) -> tuple[Account, bool]:
        """The same person at the provider is the same account: connecting again makes nothing twice (bridge.md §4, 16)."""
        with self.store.write(company, _door(grant.login)) as tx:
            _must_be_free(tx, staff, provider, grant)
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
        """The account's link: what there is goes on; a first one needs a calendar of our own, or the person's when that was asked for."""
        with self.store.read(company) as snapshot:
            links = snapshot.links(account=account.id)
            firm, staff = snapshot.company, snapshot.staff(account.staff)
        lost = {each.id for each in _doubtful(links) if self._gone(firm, account, house, each)}
        with self.store.write(company, _door(account.login)) as tx:
            link = _gone_on(tx, account, lost, now)
        vault = self.vaults(company, account.id)
        found = next((each for each in house.calendars(vault, now) if each.primary and each.writable), None) if primary else None
        if link is not None:
            return self._instead(company, account, link, found) if found is not None and link.calendar != found.id else link.id
        own = found is None
        found = found or house.make_calendar(vault, f"{firm.name}: {staff.name}", staff.zone, now)
        direction = Direction.BOTH if firm.policy.two_way else Direction.OUT
        new = _fresh(account, found, own=own, direction=direction, level=Level.FULL, now=now)
        with self.store.write(company, _door(account.login)) as tx:
            tx.add_link(new)
            tx.note(new.id, Happening(at=now, kind="connected", sentence=f"{account.login} was connected; calendar “{new.title}”."))
        return new.id

    def _gone(self, firm: Company, account: Account, house: House, link: Link) -> bool:
        """Whether the calendar of a link that was suspended is really no more, now that the access is new."""
        now = self.clock()
        vault = self.vaults(firm.id, account.id)
        remote = house.open(vault, link=link.id, calendar=link.calendar, mark=firm.id, zone="UTC", calls=_nobody)
        try:
            next(iter(remote.pull(None, Span(now, now + _GLANCE), now)), None)
        except CalendarGone:
            return True
        except Disconnected:
            raise
        except RemoteError:
            return False
        return False

    def _house(self, provider: Provider) -> House:
        house = self.houses.get(provider)
        if house is None:
            raise Conflict(
                f"{NAMES[provider]} has no client id yet. Whoever runs this server sets it in the configuration.", condition="unset"
            )
        return house


def _in_use(tx: Transaction, staff: StaffId, provider: Provider) -> tuple[bool, bool]:
    """Whether a calendar of the person's own is written to, and whether the provider tells which calendars there are: a new consent takes
    the former one's place, and must reach as far."""
    known = {each.id: each for each in tx.accounts(staff) if each.provider is provider}
    live = [link for link in tx.links(staff=staff) if link.account in known and link.standing is not Standing.ENDED]
    seen = any(reach.sees_calendars(known[link.account]) for link in live) or any(tx.blocking(each) for each in known)
    return any(not link.own for link in live), seen and any(reach.sees_calendars(each) for each in known.values())


def _must_be_welcome(company: Company, person: Staff, provider: Provider) -> None:
    if not switched_on(company.policy, provider):
        raise Conflict(f"{NAMES[provider]} is switched off. An administrator can switch it on under Calendar Sync.", condition="paused")
    if not person.active:
        raise Conflict("Somebody who has left the staff connects no calendar.", condition="inactive")


def _must_be_free(tx: Transaction, staff: StaffId, provider: Provider, grant: Grant) -> None:
    """One account elsewhere shows one person's appointments (trust.md A163)."""
    for other in tx.accounts():
        same = other.staff != staff and other.provider is provider and other.subject == grant.subject
        if same and any(link.standing is not Standing.ENDED for link in tx.links(account=other.id)):
            sentence = "This account is connected for somebody else of your company. Disconnect it there first, or choose another account."
            raise Conflict(sentence, condition="connected-elsewhere")


def _gone_on(tx: Transaction, account: Account, lost: Collection[LinkId], now: datetime) -> Link | None:
    """The account's live links go on, or else the one that ended last; None: there is none. Those whose calendar is lost end for good."""
    links = tx.links(account=account.id)
    for each in links:
        if each.id in lost:
            tx.save_link(replace(each, standing=Standing.ENDED, trouble="", since=None, cursor=None))
            tx.forget_busy(each.staff, f"link:{each.id}")
            tx.note(each.id, Happening(at=now, kind="ended", sentence="Its calendar does not exist any more over there."))
    left = [each for each in links if each.id not in lost]
    chosen = [each for each in left if each.standing is not Standing.ENDED] or ([] if lost else left[-1:])
    for each in chosen:
        tx.save_link(_revived(each, now))
        tx.note(each.id, Happening(at=now, kind="connected", sentence=f"{account.login} was connected again."))
    return chosen[0] if chosen else None


def _doubtful(links: Sequence[Link]) -> list[Link]:
    """Whose calendars may have been deleted over there before they go on: suspended ones, and one that was ended."""
    live = [each for each in links if each.standing is not Standing.ENDED]
    return [each for each in live if each.standing is Standing.SUSPENDED] if live else list(links[-1:])


def _revived(link: Link, now: datetime) -> Link:
    """Looked at anew from the beginning, with what is known of its items. A brake stays pulled until a person has decided."""
    begun = replace(link, cursor=None, seen=Revision(0), failures=0, due=now)
    return begun if link.standing is Standing.GUARD else replace(begun, standing=Standing.ACTIVE, trouble="", since=None)


def _fresh(account: Account, found: Elsewhere, *, own: bool, direction: Direction, level: Level, now: datetime) -> Link:
    return Link(
        id=LinkId(fresh_id()),
        account=account.id,
        staff=account.staff,
        calendar=found.id,
        title=found.title,
        own=own,
        direction=direction,
        level=level,
        due=now,
        created=now,
    )


def _bound(browser: str) -> str:
    """What of a browser's secret stands in the state."""
    return f".{hashlib.sha256(browser.encode()).hexdigest()[:32]}" if browser else ""


def _hint(person: Staff, provider: Provider) -> str:
    """Whom the provider's page proposes; a work address says nothing about a private account."""
    return "" if provider is Provider.OUTLOOK else person.email


def _door(login: str) -> Actor:
    return Actor(login, "page")


def _nobody(kind: str) -> None:
    """Nobody counts."""
