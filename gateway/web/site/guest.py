"""Whoever holds an invitation: nobody has signed in, the link is all there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.model import CompanyId, Staff
from gateway.users import Invitation, Step
from gateway.web.problems import Problem
from gateway.web.site.frame import Ask

RESULT = timedelta(hours=1)
"""So long after it was used an invitation shows what came of it."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Whoever holds an invitation that is still good."""

    company: CompanyId
    invitation: Invitation
    person: Staff


def guest_of(ask: Ask) -> Guest:
    """Of the token in the address. Raises Problem for one that is unknown, revoked, too old, or was used a while ago."""
    found = ask.store.invitation(ask.match["token"])
    if found is None:
        raise Problem(404, gone(ask))
    company, invitation = found
    used_up = invitation.connected is not None and invitation.connected + RESULT <= ask.now
    if used_up or invitation.until <= ask.now or invitation.step in (Step.REVOKED, Step.FAILED):
        raise Problem(410, gone(ask))
    with ask.store.read(company) as snapshot:
        person = snapshot.staff(invitation.staff)
    if not person.active:
        raise Problem(410, gone(ask))
    return Guest(company, invitation, person)


def gone(ask: Ask) -> str:
    return ask.say("This invitation has been used or revoked, or has become too old. Ask whoever invited you for a new one.")
