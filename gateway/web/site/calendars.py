"""Choosing calendars of a connected account: the one that shows the appointments, and those whose busy times block.

For whoever has signed in, and for a guest whose invitation is still good. What goes wrong at the provider becomes a sentence, and nothing
is changed then; a calendar can always be deselected, whether the provider answers or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.bridge import choices, orders
from gateway.bridge.accounts import Accounts
from gateway.bridge.remote import Disconnected, RemoteError
from gateway.errors import Conflict, Invalid, Missing
from gateway.links import AccountId
from gateway.model import Actor, CompanyId, StaffId
from gateway.web.connect import accounts as connector
from gateway.web.problems import Problem
from gateway.web.site.frame import Answer, Ask, Route, Shown, Went, Who
from gateway.web.site.guest import guest_of

NOWHERE = "nowhere"
"""Stands for no calendar at all, among those that may show the appointments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Person:
    """Who chooses, for which account; `back` is where the way goes on. A `guest` cannot connect from here."""

    company: CompanyId
    staff: StaffId
    account: AccountId
    actor: Actor
    back: str
    guest: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """How reading a calendar goes: when that was last done, or why it cannot be."""

    read: str
    trouble: str


def show(ask: Ask) -> Answer:
    return _page(ask, _member(ask))


def choose(ask: Ask) -> Answer:
    return _chosen(ask, _member(ask))


def land(ask: Ask) -> Answer:
    return _page(ask, _invited(ask))


def land_choose(ask: Ask) -> Answer:
    return _chosen(ask, _invited(ask))


def _member(ask: Ask) -> _Person:
    staff, account = ask.own_staff(), AccountId(ask.match["account"])
    return _own(ask, _Person(company=ask.company, staff=staff, account=account, actor=ask.who.actor, back="/me#calendars"))


def _invited(ask: Ask) -> _Person:
    guest = guest_of(ask)
    actor, back = Actor(guest.person.email, "page"), f"/connect/{ask.match['token']}"
    account = AccountId(ask.match["account"])
    return _own(ask, _Person(company=guest.company, staff=guest.person.id, account=account, actor=actor, back=back, guest=True))


def _own(ask: Ask, person: _Person) -> _Person:
    """Raises Problem for an account that is not the person's own."""
    with ask.store.read(person.company) as snapshot:
        if person.account not in {each.id for each in snapshot.accounts(person.staff)}:
            raise Problem(404, ask.say("This calendar is not connected any more."))
    return person


def _page(ask: Ask, person: _Person, trouble: str = "", status: int = 200) -> Shown:
    """With what the provider tells; or else with what is known, and why it does not tell."""
    step = ""
    try:
        found = choices.offers(connector(ask.parts), person.company, person.account)
    except (RemoteError, Conflict) as error:
        trouble, step = trouble or ask.language.heard(str(error)), _step(ask, error)
        with ask.store.read(person.company) as snapshot:
            found = choices.remembered(snapshot, person.account)
    values = {
        "account": found.account,
        "provider": orders.NAMES[found.account.provider],
        "found": found,
        "writing": [each for each in found.calendars if each.written or (each.writable and found.link is not None)],
        "blocking": [each for each in found.calendars if each.may_block or each.blocks],
        "known": _known(ask, person),
        "trouble": trouble,
        "next_step": step,
        "back": person.back,
        "guest": person.guest,
    }
    return Shown("calendars.html", values, status, consents=True)


def _known(ask: Ask, person: _Person) -> Mapping[str, _Known]:
    """Of the calendars that block, by id."""
    with ask.store.read(person.company) as snapshot:
        confirmed, rows = snapshot.foreign_origins(person.staff), snapshot.blocking(person.account)
    return {
        each.calendar: _Known(
            read=ask.language.ago(confirmed[each.origin], ask.now) if each.origin in confirmed else "",
            trouble=ask.language.heard(each.trouble),
        )
        for each in rows
    }


def _chosen(ask: Ask, person: _Person) -> Answer:
    write, blocks = ask.field("write", longest=1000), [each[:1000] for each in ask.form.get("blocks", ())]
    try:
        _write(ask, person, write)
        _block(ask, person, blocks)
    except (RemoteError, Conflict, Invalid, Missing) as error:
        sentence = ask.language.heard(str(error))
        return _page(ask, person, ask.say("Nothing was changed. %(why)s", why=sentence), 409)
    ask.parts.wake()
    return Went(person.back, "calendars-chosen")


def _write(ask: Ask, person: _Person, calendar: str) -> None:
    """Show the appointments there from now on. Nothing happens when they are."""
    accounts: Accounts = connector(ask.parts)
    with ask.store.read(person.company) as snapshot:
        former = choices.remembered(snapshot, person.account).link
    if former is None or calendar in ("", former.calendar):
        return
    if calendar == NOWHERE:
        with ask.store.write(person.company, person.actor) as tx:
            orders.disconnect(tx, former.id, ask.now, remove=True, blocking_too=False)
            tx.audit("link-disconnected", former.id, {}, {"remove": True}, ask.now)
        return
    chosen = accounts.choose(person.company, former.id, calendar)
    with ask.store.write(person.company, person.actor) as tx:
        tx.audit("link-calendar", chosen, {"calendar": former.title}, {"calendar": tx.link(chosen).title}, ask.now)


def _block(ask: Ask, person: _Person, calendars: list[str]) -> None:
    """The provider is asked only about calendars that did not block before. One that shows the appointments by now is left out."""
    with ask.store.write(person.company, person.actor) as tx:
        before = {each.calendar: each.title for each in tx.blocking(person.account)}
        written = {each.id for each in choices.remembered(tx, person.account).calendars if each.written}
        wanted = [each for each in calendars if each not in written]
        if set(wanted) <= set(before):
            choices.put(tx, person.account, {each: before[each] for each in wanted}, ask.now)
    if not set(wanted) <= set(before):
        choices.block(connector(ask.parts), person.company, person.account, wanted, person.actor)
    choices.give_back(connector(ask.parts), person.company, person.account)


def _step(ask: Ask, error: Exception) -> str:
    if isinstance(error, Disconnected):
        return ask.say("What was chosen before goes on as far as it can.")
    return "" if isinstance(error, Conflict) else ask.say("Please try again in a few minutes; what was chosen before goes on.")


ROUTES = (
    Route("GET", "/me/calendars/{account}", show, Who.SIGNED_IN),
    Route("POST", "/me/calendars/{account}", choose, Who.SIGNED_IN),
    Route("GET", "/connect/{token}/calendars/{account}", land, Who.ANYBODY),
    Route("POST", "/connect/{token}/calendars/{account}", land_choose, Who.ANYBODY),
)
