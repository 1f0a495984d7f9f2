"""Everybody's own account: language, password, and the browsers that are signed in."""

from __future__ import annotations

from dataclasses import replace

from gateway import passwords
from gateway.errors import Invalid
from gateway.web.languages import LANGUAGES, language
from gateway.web.site.frame import Answer, Ask, Route, Shown, Went, Who


def show(ask: Ask) -> Answer:
    return _page(ask)


def choose_language(ask: Ask) -> Answer:
    tag = ask.field("language")
    if tag not in LANGUAGES:
        return _page(ask, trouble=ask.say("There are no pages in this language yet."), status=422)
    with ask.store.write(ask.company, ask.who.actor) as tx:
        tx.save_user(replace(ask.who.user, locale=tag))
    return Went("/account", "saved")


def change_password(ask: Ask) -> Answer:
    """Asks for the old one: an unlocked screen must not be enough. Other browsers are signed out."""
    user = ask.who.user
    old, new = ((ask.form.get(name) or [""])[0] for name in ("old", "new"))
    wait = ask.parts.guesses.refuse("page", user.email, ask.peer, ask.now, may_fit=lambda: False)
    if wait is not None:
        return _page(ask, trouble=ask.say("Too many attempts. Please try again in %(seconds)s seconds.", seconds=wait), status=429)
    kept = [secret for company, found, secret in ask.store.signing_in(user.email) if (company, found.id) == (ask.company, user.id)]
    if not any(passwords.fits(each, old) for each in kept):
        ask.parts.guesses.wrong("page", user.email, ask.peer, ask.now)
        return _page(ask, trouble=ask.say("This is not your present password."), status=422)
    try:
        hashed = passwords.hashed(new, user.email, user.name)
    except Invalid as error:
        return _page(ask, trouble=ask.language.heard(str(error)), status=422)
    with ask.store.write(ask.company, ask.who.actor) as tx:
        tx.set_password(user.id, hashed, ask.now, stay=ask.who.token)
    return Went("/account", "password-set")


def end_others(ask: Ask) -> Answer:
    with ask.store.write(ask.company, ask.who.actor) as tx:
        tx.end_other_sessions(ask.who.user.id, ask.who.token)
    return Went("/account", "others-ended")


def _page(ask: Ask, *, trouble: str = "", status: int = 200) -> Shown:
    with ask.store.read(ask.company) as snapshot:
        sessions = snapshot.sessions(ask.who.user.id, ask.who.token, ask.now)
    names = [(tag, language(tag).name) for tag in LANGUAGES]
    return Shown("account.html", {"sessions": sessions, "languages": names, "trouble": trouble, "shortest": passwords.SHORTEST}, status)


ROUTES = (
    Route("GET", "/account", show, Who.SIGNED_IN),
    Route("POST", "/account/language", choose_language, Who.SIGNED_IN),
    Route("POST", "/account/password", change_password, Who.SIGNED_IN),
    Route("POST", "/account/others", end_others, Who.SIGNED_IN),
)
