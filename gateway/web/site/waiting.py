"""What waits for a staff member on the page of their own: questions about edits, and events elsewhere that could not be made equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.bridge import orders
from gateway.errors import Conflict, Missing
from gateway.links import LinkId, Standing
from gateway.model import Appointment, EntryId, StaffId
from gateway.store import Snapshot
from gateway.web.problems import Problem
from gateway.web.site.frame import Answer, Ask, Route, Went, Who

LISTED = 50
"""Events of one link; whoever has more of them has another trouble."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stuck:
    """An appointment whose event elsewhere waits for a decision, and why."""

    link: LinkId
    entry: EntryId
    provider: str
    when: str
    service: str
    customer: str
    trouble: str


def stuck(ask: Ask, snapshot: Snapshot, staff: StaffId) -> Sequence[Stuck]:
    """Of all the staff member's links that are alive, an appointment once for each link."""
    person, accounts = snapshot.staff(staff), {account.id: account for account in snapshot.accounts(staff)}
    found: list[Stuck] = []
    for link in snapshot.links(staff=staff):
        if link.standing in (Standing.ENDING, Standing.ENDED):
            continue
        waiting = {item.key.entry: item for item in snapshot.items(link.id) if item.condition in orders.OPEN}
        entries = snapshot.entries(list(waiting)[:LISTED])
        for name, item in list(waiting.items())[:LISTED]:
            entry = entries.get(name)
            if not isinstance(entry, Appointment):
                continue
            found.append(
                Stuck(
                    link=link.id,
                    entry=name,
                    provider=orders.NAMES[accounts[link.account].provider],
                    when=ask.language.stretch(entry.span.start, entry.span.end, person.zone),
                    service=snapshot.service(entry.service).name,
                    customer=snapshot.customer(entry.customer).name,
                    trouble=ask.language.heard(item.trouble),
                )
            )
    return found


def settle(ask: Ask) -> Answer:
    """Leave the event over there as it is, or write it once more."""
    staff, link, entry, keep = ask.own_staff(), LinkId(ask.field("link")), EntryId(ask.field("entry")), ask.field("do") == "keep"
    if ask.field("do") not in ("keep", "restore"):
        raise Problem(400, ask.say("Please use one of the buttons."))
    with ask.store.write(ask.company, ask.who.actor) as tx:
        if link not in {each.id for each in tx.links(staff=staff)}:
            raise Problem(404, ask.say("This calendar is not connected any more."))
        try:
            orders.settle(tx, link, entry, ask.now, keep=keep)
        except (Missing, Conflict):
            return Went("/me", "question-settled")
        tx.audit("event-kept" if keep else "event-restored", link, {}, {"entry": entry}, ask.now)
    ask.parts.wake()
    return Went("/me", "event-kept" if keep else "event-restored")


ROUTES = (Route("POST", "/me/waiting", settle, Who.SIGNED_IN),)
