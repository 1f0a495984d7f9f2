"""Inviting a staff member to connect a calendar: a letter in somebody's own words, with a link that works once (product.md S31–S42)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.links import Provider
from gateway.model import Policy, Staff, StaffId
from gateway.post import note
from gateway.post.envelope import Written, address
from gateway.store import Snapshot, Transaction, fresh_id
from gateway.users import Invitation, InvitationId
from gateway.web.languages import Language, chosen, marked
from gateway.web.paper import EDITOR
from gateway.web.problems import Problem
from gateway.web.site import wording
from gateway.web.site.frame import LETTER, Answer, Ask, Route, Sent, Shown, Went

VALID = timedelta(days=14)

SUBJECT = marked("Sync your appointments with your calendar")

NAMES = {Provider.GOOGLE: "Google Calendar", Provider.OUTLOOK: "Outlook.com", Provider.OFFICE365: "Microsoft 365"}


def show(ask: Ask) -> Answer:
    """The dialog, as a page of its own."""
    with ask.store.read(ask.company) as snapshot:
        person = staff_of(ask, snapshot)
        said = chosen(person.locale, "")
        values = {"to": person.email, "subject": said.say(SUBJECT), "body": default_body(said, snapshot.company.policy), "copy": False}
        return _page(ask, snapshot, person, values)


def send(ask: Ask) -> Answer:
    """Into the outbox; nothing is sent when a field is wrong. A former invitation that led nowhere is revoked."""
    values: dict[str, object] = {
        "to": ask.field("to"),
        "subject": ask.field("subject", longest=200),
        "body": ask.field("body", longest=wording.LONGEST),
        "copy": ask.ticked("copy"),
    }
    answer_to = address(ask.who.user.email) or ""
    with ask.store.write(ask.company, ask.who.actor) as tx:
        person = staff_of(ask, tx)
        recipient, subject, body = (str(values[name]) for name in ("to", "subject", "body"))
        troubles = _troubles(ask, recipient, subject)
        if troubles:
            return _page(ask, tx, person, values, troubles, 422)
        made, _ = invite(tx, person, ask.letters, recipient=recipient, subject=subject, body=body, answer_to=answer_to, now=ask.now)
        if values["copy"]:
            without = ask.say("(only the invited person gets the link)")
            shown = written(tx, person, subject, body, without, answer_to=answer_to, now=ask.now)
            note.queue_written(tx, shown, ask.letters, recipient=ask.who.user.email, key=f"{made.letter}:copy", now=ask.now)
    ask.parts.wake()
    return Went(f"/staff/{person.id}#calendar-sync", "invited")


def invite(
    tx: Transaction,
    person: Staff,
    letters: note.Desk,
    *,
    recipient: str,
    subject: str,
    body: str,
    answer_to: str,
    now: datetime,
) -> tuple[Invitation, str]:
    """Remember an invitation and queue its letter; the invitation and its link, which nobody knows afterwards. Raises Invalid when nobody
    can be reached at the address."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        id=InvitationId(fresh_id()),
        staff=person.id,
        recipient=recipient,
        subject=subject,
        sent=now,
        until=now + VALID,
        letter=f"invitation:{token[:12]}",
    )
    tx.invite(invitation, token)
    link = f"{letters.public_url}/connect/{token}"
    letter = written(tx, person, subject, body, link, answer_to=answer_to, now=now)
    note.queue_written(tx, letter, letters, recipient=recipient, key=invitation.letter, now=now)
    tx.audit("invitation", str(person.id), {}, {"to": recipient, "subject": subject}, now)
    return invitation, link


def revoke(ask: Ask) -> Answer:
    with ask.store.write(ask.company, ask.who.actor) as tx:
        person = staff_of(ask, tx)
        if tx.revoke_invitations(person.id, ask.now):
            tx.audit("invitation-revoked", str(person.id), {}, {}, ask.now)
    return Went(f"/staff/{person.id}#calendar-sync", "invitation-revoked")


def preview(ask: Ask) -> Answer:
    """What the letter in the form would look like, for the frame beside it."""
    with ask.store.read(ask.company) as snapshot:
        person = staff_of(ask, snapshot)
        body = ask.field("body", longest=wording.LONGEST)
        link = f"{ask.parts.public_url}/connect/…"
        letter = written(snapshot, person, ask.field("subject", longest=200), body, link, answer_to="", now=ask.now)
    return Sent(letter.html.encode(), "text/html; charset=utf-8", policy=LETTER)


def written(snapshot: Snapshot, person: Staff, subject: str, body: str, link: str, *, answer_to: str, now: datetime) -> Written:
    """The letter with everything filled in; what a browser or a program sent is made safe here."""
    said = chosen(person.locale, "")
    values = {
        "company": snapshot.company.name,
        "staff": person.name,
        "link": link,
        "providers": listed(said, providers(snapshot.company.policy)),
        "expires": said.moment(now + VALID, person.zone),
    }
    filled = wording.filled(wording.with_link(wording.safe(body)), values, markup=True)
    title = wording.filled(subject, values, markup=False)
    return Written(
        kind="invitation",
        language=said.tag,
        company=snapshot.company.name,
        subject=title,
        html=wording.document(filled, language=said.tag, subject=title),
        text=wording.as_text(filled),
        answer_to=answer_to,
    )


def default_body(said: Language, policy: Policy) -> str:
    """The sentence of the product, completed for the providers that are switched on, and the postscript about subscribing."""
    sentence = said.say(
        "I am managing our booking for {company} online. Please click on the link below to connect your Online Scheduling appointments "
        "with your %(providers)s.",
        providers=listed(said, providers(policy)),
    )
    after = said.say(
        "PS: You can also display your Online Scheduling Calendar on other calendar solutions supporting ICS standard "
        "(such as Apple iCal), by subscribing to the ICS URL address that you find behind the same link."
    )
    until = said.say("The link works until {expires}.")
    return f"<p>{said.say('Hello {staff},')}</p>\n<p>{sentence}</p>\n<p>{{link}}</p>\n<p>{until}</p>\n<p>{after}</p>"


def providers(policy: Policy) -> list[Provider]:
    """Those that are switched on."""
    switches = {Provider.GOOGLE: policy.google, Provider.OUTLOOK: policy.outlook, Provider.OFFICE365: policy.office365}
    return [provider for provider, on in switches.items() if on]


def listed(said: Language, chosen: Sequence[Provider]) -> str:
    """Their names as a list in a sentence; none: any calendar."""
    names = [NAMES[each] for each in chosen]
    if not names:
        return said.say("calendar")
    if len(names) == 1:
        return names[0]
    return said.say("%(first)s or %(last)s", first=", ".join(names[:-1]), last=names[-1])


def staff_of(ask: Ask, snapshot: Snapshot) -> Staff:
    """Whom the address names. Raises Problem."""
    found = next((each for each in snapshot.all_staff() if each.id == StaffId(ask.match["staff"])), None)
    if found is None:
        raise Problem(404, ask.say("There is no such member of the staff. The list is on the page Staff."))
    return found


def _troubles(ask: Ask, to: str, subject: str) -> dict[str, str]:
    troubles = {}
    if "," in to or ";" in to or len(to.split()) > 1:
        troubles["to"] = ask.say("One address, please: one person, one link.")
    elif address(to) is None:
        troubles["to"] = ask.say("This is not an e-mail address a letter can be sent to.")
    if not subject:
        troubles["subject"] = ask.say("Please write a subject.")
    return troubles


def _page(
    ask: Ask,
    snapshot: Snapshot,
    person: Staff,
    values: dict[str, object],
    troubles: dict[str, str] | None = None,
    status: int = 200,
) -> Shown:
    said = chosen(person.locale, "")
    more = {
        "person": person,
        "troubles": troubles or {},
        "default_body": default_body(said, snapshot.company.policy),
        "switched_on": providers(snapshot.company.policy),
        "placeholders": wording.PLACEHOLDERS,
        "editor_folder": EDITOR,
    }
    return Shown("invite.html", values | more, status, editor=True)


ROUTES = (
    Route("GET", "/staff/{staff}/invite", show),
    Route("POST", "/staff/{staff}/invite", send),
    Route("POST", "/staff/{staff}/invite/preview", preview),
    Route("POST", "/staff/{staff}/invite/revoke", revoke),
)
