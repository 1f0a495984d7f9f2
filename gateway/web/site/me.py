"""The staff member's own page: devices, connected calendars, app passwords, feeds."""

from __future__ import annotations

import secrets

from gateway.bridge.accounts import CONSENT
from gateway.bridge.accounts import NAMES as PROVIDERS
from gateway.bridge.remote import RemoteError
from gateway.errors import Conflict
from gateway.links import AccountId, Provider, Standing
from gateway.model import Scope, StaffId
from gateway.store import Snapshot, Transaction
from gateway.web import devices
from gateway.web.connect import COOKIE as CONSENT_COOKIE
from gateway.web.connect import accounts as connector
from gateway.web.problems import Problem
from gateway.web.site import questions, sync
from gateway.web.site.frame import Answer, Ask, Cookie, Route, Sent, Shown, Went, Who
from gateway.web.site.invite import providers
from gateway.web.site.staff import do, link_of, link_rows
from gateway.web.site.trial import standing
from gateway.web.site.waiting import stuck

_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"
"""What an app password is made of: 160 random bits that can be typed, without look-alikes."""

DEVICES = ("iphone", "mac", "android", "thunderbird", "outlook", "google", "notes", "linux")
LABEL = 60


def show(ask: Ask) -> Answer:
    with ask.store.read(ask.company) as snapshot:
        return _page(ask, snapshot)


def add_password(ask: Ask) -> Answer:
    """An app password for one device, shown on this one page and never again."""
    staff, label = ask.own_staff(), ask.field("label", longest=LABEL)
    secret = "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(8))
    with ask.store.write(ask.company, ask.who.actor) as tx:
        made = tx.add_app_password(staff, label, secret, ask.now, read_only=ask.ticked("read_only"))
        tx.audit("app-password", staff, {}, {"id": made, "label": label}, ask.now)
        return _page(ask, tx, fresh=(label, secret))


def revoke_password(ask: Ask) -> Answer:
    """Effective with the device's next request."""
    staff, password = ask.own_staff(), ask.field("password")
    with ask.store.write(ask.company, ask.who.actor) as tx:
        if password not in {each.id for each in tx.app_passwords(staff)}:
            raise Problem(404, ask.say("There is no such app password any more."))
        tx.revoke_app_password(password, ask.now)
        tx.audit("app-password-revoked", staff, {}, {"id": password}, ask.now)
    return Went("/me#devices", "password-revoked")


def change_link(ask: Ask) -> Answer:
    staff = ask.own_staff()
    with ask.store.write(ask.company, ask.who.actor) as tx:
        do(ask, tx, link_of(ask, tx, staff))
    ask.parts.wake()
    return Went("/me#calendars", "link-changed")


def connect(ask: Ask) -> Answer:
    """On to the provider's page; with an account that is connected, back to the choice of its calendars."""
    staff = ask.own_staff()
    with ask.store.write(ask.company, ask.who.actor) as tx:
        account = AccountId(ask.field("account"))
        chosen = account in {each.id for each in tx.accounts(staff)}
        return begun(ask, tx, staff, f"/me/calendars/{account}" if chosen else "/me")


def profile(ask: Ask) -> Answer:
    """The configuration profile for iPhone, iPad and Mac; no password in it."""
    account = _account(ask)
    description = ask.say("Calendars of %(name)s at %(company)s", name=account.name, company=account.company)
    octets = devices.profile(account, description=description)
    signed = ask.parts.sign(octets) if ask.parts.sign is not None else octets
    return Sent(signed, devices.PROFILE_TYPE, account.file_name)


def code(ask: Ask) -> Answer:
    """QR codes for telephones: where the profile is, or DAVx⁵'s own link."""
    account = _account(ask)
    text = devices.account_link(account) if ask.query.get("for") == "android" else f"{ask.parts.public_url}/me/profile.mobileconfig"
    return Sent(devices.code_as_svg(text), "image/svg+xml")


def _account(ask: Ask) -> devices.Account:
    with ask.store.read(ask.company) as snapshot:
        person, company = snapshot.staff(ask.own_staff()), snapshot.company
    return devices.Account(public_url=ask.parts.public_url, handle=person.handle, name=person.name, company=company.name)


def _page(ask: Ask, snapshot: Snapshot, fresh: tuple[str, str] | None = None) -> Shown:
    person = snapshot.staff(ask.own_staff())
    links = [link for link in snapshot.links(staff=person.id) if link.standing is not Standing.ENDED]
    shown = {link.account for link in links}
    account = devices.Account(public_url=ask.parts.public_url, handle=person.handle, name=person.name, company=snapshot.company.name)
    values: dict[str, object] = {
        "person": person,
        "account": account,
        "android": devices.account_link(account),
        "links": link_rows(ask, snapshot, links),
        "reading": [each for each in snapshot.accounts(person.id) if each.id not in shown and snapshot.blocking(each.id)],
        "history": {link.id: snapshot.history(link.id, 50) for link in links},
        "switched_on": [(each.value, PROVIDERS[each]) for each in providers(snapshot.company.policy)],
        "passwords": [each for each in snapshot.app_passwords(person.id) if each.revoked is None],
        "feeds": [row for row in sync.rows(ask, snapshot, Scope.STAFF) if row.of == person.id and row.feed],
        "questions": questions.waiting(ask, snapshot, person.id),
        "stuck": stuck(ask, snapshot, person.id),
        "trial": standing(ask, snapshot, person) if links else None,
        "trial_at": "/me/trial",
        "two_way": snapshot.company.policy.two_way,
        "fresh": fresh,
        "chosen": ask.query.get("device", "") if ask.query.get("device") in DEVICES else "",
        "agent": ask.agent,
    }
    return Shown("me.html", values, consents=True)


def begun(ask: Ask, tx: Transaction, staff: StaffId, back: str) -> Went:
    """On to the provider; only this browser can come back. Raises Problem with what can be done."""
    browser = secrets.token_urlsafe(24)
    try:
        provider = Provider(ask.field("provider"))
        address = connector(ask.parts).begin(
            tx, staff, provider, primary=ask.ticked("primary"), others=ask.ticked("others"), back=back, browser=browser
        )
        return Went(address, cookie=Cookie(token=browser, seconds=int(CONSENT.total_seconds()), name=CONSENT_COOKIE))
    except ValueError as error:
        raise Problem(400, ask.say("Please use one of the buttons.")) from error
    except (Conflict, RemoteError) as error:
        raise Problem(409, ask.language.heard(str(error))) from error


ROUTES = (
    Route("GET", "/me", show, Who.SIGNED_IN),
    Route("POST", "/me/password", add_password, Who.SIGNED_IN),
    Route("POST", "/me/password/revoke", revoke_password, Who.SIGNED_IN),
    Route("POST", "/me/link", change_link, Who.SIGNED_IN),
    Route("POST", "/me/connect", connect, Who.SIGNED_IN),
    Route("GET", "/me/profile.mobileconfig", profile, Who.SIGNED_IN),
    Route("GET", "/me/code.svg", code, Who.SIGNED_IN),
)
