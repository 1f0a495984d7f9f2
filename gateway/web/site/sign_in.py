"""Signing in and out, and a new password for whoever has forgotten the old one."""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from gateway import passwords
from gateway.errors import Invalid
from gateway.guesses import network_of
from gateway.model import Actor, CompanyId
from gateway.post import note
from gateway.post.paper import Link, Mood
from gateway.store import Transaction
from gateway.users import Role, User
from gateway.web.languages import chosen
from gateway.web.problems import Problem
from gateway.web.site.frame import Answer, Ask, Cookie, Route, Shown, Went, Who

ABSOLUTE = timedelta(days=14)
"""How long a session lasts at most."""

IDLE = timedelta(days=3)
"""And how long without being used."""

RESET = timedelta(hours=1)

_SITE = Actor("sign-in", "page")


def show(ask: Ask) -> Answer:
    """The form; whoever has signed in goes on to his first page."""
    if ask.signed is not None:
        return Went(home(ask.signed.user))
    return Shown("sign_in.html", _form(ask, "", inside(ask.field("next")), ""))


def sign_in(ask: Ask) -> Answer:
    """Whatever is wrong with address or password, the answer and its cost are the same (trust.md T7)."""
    name, password, then = ask.field("email"), (ask.form.get("password") or [""])[0], inside(ask.field("next"))
    wait = ask.parts.guesses.refuse("page", name, ask.peer, ask.now, may_fit=lambda: False)
    if wait is not None:
        return again(ask, name, then, ask.say("Too many attempts. Please try again in %(seconds)s seconds.", seconds=wait), 429)
    known = ask.store.signing_in(name) if name else ()
    fitting = [found for found in known if passwords.fits(found[2], password)] or ([] if known else _nobody(password))
    if not fitting:
        ask.parts.guesses.wrong("page", name, ask.peer, ask.now)
        return again(
            ask, name, then, ask.say("E-mail address and password do not fit together. Check both, or ask for a new password."), 401
        )
    company, user, kept = fitting[0]
    if passwords.stale(kept):
        with ask.store.write(company, Actor(user.email, "page")) as tx:
            tx.set_password(user.id, passwords.hashed(password), ask.now)
    return begin(ask, company, user, then)


def begin(ask: Ask, company: CompanyId, user: User, then: str) -> Went:
    """A session for somebody who has proved who he is."""
    token = secrets.token_urlsafe(32)
    with ask.store.write(company, Actor(user.email, "page")) as tx:
        tx.begin_session(user.id, token, ask.now, ask.now + ABSOLUTE, agent=ask.agent, network=network_of(ask.peer, v4=24, v6=48))
    return Went(then or home(user), cookie=Cookie(token=token, seconds=int(ABSOLUTE.total_seconds())))


def sign_out(ask: Ask) -> Answer:
    who = ask.who
    with ask.store.write(who.company, who.actor) as tx:
        tx.end_session(who.token)
    return Went("/sign-in", "signed-out", Cookie(token=""))


def forgotten(ask: Ask) -> Answer:
    return Shown("forgotten.html", {"trouble": ""})


def ask_for_reset(ask: Ask) -> Answer:
    """A letter to whoever has that address. The answer does not tell whether there is somebody."""
    name = ask.field("email")
    wait = ask.parts.guesses.refuse("page", f"reset:{name}", ask.peer, ask.now, may_fit=lambda: False)
    if wait is not None:
        return Shown(
            "forgotten.html", {"trouble": ask.say("Too many attempts. Please try again in %(seconds)s seconds.", seconds=wait)}, 429
        )
    ask.parts.guesses.wrong("page", f"reset:{name}", ask.peer, ask.now)
    for company, user, _ in ask.store.signing_in(name):
        with ask.store.write(company, _SITE) as tx:
            send_reset(ask, tx, user)
    ask.parts.wake()
    return Went("/sign-in", "reset-sent")


def send_reset(ask: Ask, tx: Transaction, user: User) -> None:
    """A link by which the user sets a password, on its way by mail; former links are void."""
    token, said = secrets.token_urlsafe(32), chosen(user.locale or tx.company.locale, "")
    tx.begin_reset(user.id, token, ask.now, ask.now + RESET)
    letter = note.Note(
        kind="reset",
        recipient=user.email,
        name=user.name,
        locale=user.locale,
        subject=said.say("Set a new password"),
        lead=said.say("Somebody, probably you, asked for a new password for the calendar pages."),
        button=Link(said.say("Set the password"), f"{ask.parts.public_url}/reset/{token}"),
        after=(said.say("The link works once, for one hour. If it was not you, nothing has changed and there is nothing to do."),),
        mood=Mood.CHANGED,
    )
    note.queue(tx, letter, ask.letters, key=f"reset:{token[:12]}", now=ask.now)


def reset(ask: Ask) -> Answer:
    _, user = _resetting(ask)
    return Shown("reset.html", {"email": user.email, "shortest": passwords.SHORTEST, "trouble": ""})


def set_password(ask: Ask) -> Answer:
    """The link is used up only when the password is good enough."""
    company, user = _resetting(ask)
    password = (ask.form.get("password") or [""])[0]
    try:
        kept = passwords.hashed(password, user.email, user.name)
    except Invalid as error:
        return Shown("reset.html", {"email": user.email, "shortest": passwords.SHORTEST, "trouble": ask.language.heard(str(error))}, 422)
    with ask.store.write(company, Actor(user.email, "page")) as tx:
        if not tx.use_reset(ask.match["token"], ask.now):
            raise Problem(410, ask.say("This link has been used, or has become too old. Please ask for a new one."))
        tx.set_password(user.id, kept, ask.now)
    return Went("/sign-in", "password-set", Cookie(token=""))


def home(user: User) -> str:
    """Where somebody lands after signing in."""
    return "/settings/external-services/calendar-sync" if user.role is Role.ADMIN else "/me"


def _resetting(ask: Ask) -> tuple[CompanyId, User]:
    found = ask.store.reset(ask.match["token"], ask.now)
    if found is None:
        raise Problem(410, ask.say("This link has been used, or has become too old. Please ask for a new one."))
    return found


def again(ask: Ask, email: str, then: str, trouble: str, status: int) -> Shown:
    """The form once more, with what went wrong."""
    return Shown("sign_in.html", _form(ask, email, then, trouble), status)


def _nobody(password: str) -> list[tuple[CompanyId, User, str]]:
    """As much work as for somebody."""
    passwords.fits("", password)
    return []


def _form(ask: Ask, email: str, then: str, trouble: str) -> dict[str, object]:
    return {"email": email, "next": then, "trouble": trouble, "identity": ask.parts.identity is not None}


def inside(address: str) -> str:
    """The address if it is a page of ours, "" otherwise: nobody is sent elsewhere from here."""
    there = urlsplit(address)
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) and not there.netloc and not there.scheme else ""


ROUTES = (
    Route("GET", "/sign-in", show, Who.ANYBODY),
    Route("POST", "/sign-in", sign_in, Who.ANYBODY),
    Route("POST", "/sign-out", sign_out, Who.SIGNED_IN),
    Route("GET", "/forgotten", forgotten, Who.ANYBODY),
    Route("POST", "/forgotten", ask_for_reset, Who.ANYBODY),
    Route("GET", "/reset/{token}", reset, Who.ANYBODY),
    Route("POST", "/reset/{token}", set_password, Who.ANYBODY),
)
