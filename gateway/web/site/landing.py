"""The page an invitation leads to: what is shared, which way, the buttons; and once more, what came of it."""

from __future__ import annotations

from gateway.bridge.accounts import NAMES as PROVIDERS
from gateway.links import Standing
from gateway.model import Actor, Scope
from gateway.users import Step
from gateway.web.problems import Problem
from gateway.web.site import sync
from gateway.web.site.frame import Answer, Ask, Route, Shown, Who
from gateway.web.site.guest import gone, guest_of
from gateway.web.site.invite import providers
from gateway.web.site.me import begun
from gateway.web.site.staff import link_rows
from gateway.web.site.trial import standing


def land(ask: Ask) -> Answer:
    """Where the invitation leads: what is shared, which way, and the buttons. Opening it changes nothing but that it was opened."""
    guest = guest_of(ask)
    with ask.store.write(guest.company, Actor(guest.person.email, "page")) as tx:
        tx.invitation_opened(guest.invitation.id, ask.now)
        links = [link for link in tx.links(staff=guest.person.id) if link.standing is not Standing.ENDED]
        policy, company = tx.company.policy, tx.company
        rows = link_rows(ask, tx, links)
        trial = standing(ask, tx, guest.person) if links else None
        feeds = [row for row in sync.rows(ask, tx, Scope.STAFF) if row.of == guest.person.id and row.targets]
    values = {
        "person": guest.person,
        "firm": company,
        "until": ask.language.moment(guest.invitation.until, guest.person.zone),
        "switched_on": [(each.value, PROVIDERS[each]) for each in providers(policy)],
        "two_way": policy.two_way,
        "trial": trial,
        "trial_at": f"/connect/{ask.match['token']}/trial",
        "links": rows,
        "feeds": feeds,
        "agent": ask.agent,
        "token": ask.match["token"],
        "used": guest.invitation.step is Step.CONNECTED,
    }
    return Shown("landing.html", values, consents=True)


def land_connect(ask: Ask) -> Answer:
    """One of the buttons of the landing page. The link connects once (trust.md A163)."""
    guest = guest_of(ask)
    if guest.invitation.step is Step.CONNECTED:
        raise Problem(410, gone(ask))
    with ask.store.write(guest.company, Actor(guest.person.email, "page")) as tx:
        return begun(ask, tx, guest.person.id, f"/connect/{ask.match['token']}")


ROUTES = (
    Route("GET", "/connect/{token}", land, Who.ANYBODY),
    Route("POST", "/connect/{token}", land_connect, Who.ANYBODY),
)
