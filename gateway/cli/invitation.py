"""The command that invites a staff member to connect a calendar, as the page does: a letter with a link that works once."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import shapes
from gateway.cli.credentials import ONCE
from gateway.cli.frame import Office, Shown, command
from gateway.cli.people import staff_named
from gateway.errors import Conflict, Misconfigured

cli = typer.Typer()

NO_MAIL = "There is no mail server (mail.smtp_url): the letter waits in the outbox. Pass the link on yourself."


@command(cli, "invite")
def invite(office: Office, person: Annotated[str, typer.Argument(metavar="STAFF", help="Handle, e-mail address or id.")]) -> Shown:
    """Invite a staff member to connect a calendar: by letter, with a link for fourteen days. A former one that led nowhere is revoked."""
    from gateway.post import note
    from gateway.web.languages import chosen
    from gateway.web.site import invite as page

    settings = office.settings
    if not settings.server.public_url:
        raise Misconfigured("An invitation leads to a page of the gateway: set server.public_url, the address people reach it at.")
    with office.opened() as parts, office.writing() as tx:
        staff = staff_named(tx, person)
        if not staff.active:
            raise Conflict(f"{staff.name} does not work here any more.")
        said = chosen(staff.locale, "")
        invitation, link = page.invite(
            tx,
            staff,
            note.Desk(sender=settings.mail.sender, public_url=settings.public_url, seal=parts.seal.seal),
            recipient=staff.email,
            subject=said.say(page.SUBJECT),
            body=page.default_body(said, tx.company.policy),
            answer_to="",
            now=office.now,
        )
        facts = {"staff": staff.handle, "to": invitation.recipient, "link": link, "until": shapes.stamp(invitation.until, staff.zone)}
    return Shown(facts, note=ONCE if settings.mail.smtp_url else f"{ONCE} {NO_MAIL}")
