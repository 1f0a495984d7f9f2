"""Signing in through the company's identity provider: there, and back with who it is. Whoever comes back has to be known here."""

from __future__ import annotations

import json
from datetime import timedelta

from gateway import observe, oidc
from gateway.errors import Misconfigured, Unavailable
from gateway.oidc import Promise
from gateway.tokens import Untrusted
from gateway.web.problems import Problem
from gateway.web.site.frame import Answer, Ask, Cookie, Route, Went, Who
from gateway.web.site.sign_in import again, begin, inside

COOKIE = "gateway-identity"
GOOD = timedelta(minutes=10)
"""How long somebody may take over there."""


def leave(ask: Ask) -> Answer:
    """On to the provider; what only this browser knows goes with it, sealed."""
    provider = _provider(ask)
    promise = Promise.made()
    kept = {
        "state": promise.state,
        "nonce": promise.nonce,
        "verifier": promise.verifier,
        "next": inside(ask.field("next")),
        "until": (ask.now + GOOD).timestamp(),
    }
    try:
        address = provider.consent(promise)
    except (Unavailable, Untrusted) as error:
        return _failed(ask, error)
    if ask.parts.sealer is None:
        raise Problem(503, ask.say("Nobody can sign in this way here. Ask whoever runs this server to set secrets.key."))
    sealed = ask.parts.sealer.seal(json.dumps(kept).encode()).decode("ascii")
    return Went(address, cookie=Cookie(token=sealed, seconds=int(GOOD.total_seconds()), name=COOKIE))


def come_back(ask: Ask) -> Answer:
    """The provider has sent the browser back. The session begins when it vouches for somebody who is known here."""
    provider, kept = _provider(ask), _kept(ask)
    if kept is None:
        return again(ask, "", "", ask.say("Signing in took too long, or was begun in another browser. Please try again."), 400)
    if ask.query.get("error") or not ask.query.get("code"):
        return again(ask, "", "", ask.say("You have not signed in there. Please try again, or use your password."), 400)
    promise = Promise(state=kept["state"], nonce=kept["nonce"], verifier=kept["verifier"])
    try:
        email = provider.redeem(promise, ask.query["code"][:4000], ask.query.get("state", "")[:200], ask.now)
    except (Unavailable, Untrusted) as error:
        return _failed(ask, error)
    known = ask.store.signing_in(email)
    if len(known) != 1:
        sentence = ask.say("%(email)s is not known here. Ask an administrator of your company to add you with this address.", email=email)
        return again(ask, "", "", sentence, 403)
    company, user, _ = known[0]
    return begin(ask, company, user, kept["next"])


def _provider(ask: Ask) -> oidc.Provider:
    if ask.parts.identity is None:
        raise Problem(404, ask.say("There is nothing at this address."))
    return ask.parts.identity


def _kept(ask: Ask) -> dict[str, str] | None:
    """What the browser has kept; None for nothing, for too old, and for what is not ours."""
    sealed = ask.cookie(COOKIE)
    if not sealed or ask.parts.sealer is None:
        return None
    try:
        kept = json.loads(ask.parts.sealer.unseal(sealed.encode()))
    except (Misconfigured, ValueError):
        return None
    return kept if kept["until"] > ask.now.timestamp() else None


def _failed(ask: Ask, error: Exception) -> Answer:
    observe.log("identity_refused", level="warning", error=error)
    if isinstance(error, Unavailable):
        return again(ask, "", "", ask.say("Your company's sign-in service does not answer. Please try again, or use your password."), 503)
    return again(
        ask, "", "", ask.say("Your company's sign-in service could not vouch for you. Please try again, or use your password."), 400
    )


ROUTES = (
    Route("GET", "/sign-in/oidc", leave, Who.ANYBODY),
    Route("GET", "/sign-in/oidc/callback", come_back, Who.ANYBODY),
)
