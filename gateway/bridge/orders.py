"""What people do with their links: pause, resume, disconnect, decide what a brake or a conflict holds back; and how a link stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.bridge import blocking
from gateway.bridge.channels import switched_on
from gateway.bridge.guards import ALLOWED
from gateway.errors import Conflict, Missing
from gateway.links import Access, Account, Condition, Direction, Happening, Item, Link, LinkId, Provider, Standing
from gateway.model import EntryId, Level, OnDelete, Policy, Revision
from gateway.store import Transaction

NAMES = {Provider.GOOGLE: "Google Calendar", Provider.OUTLOOK: "Outlook.com", Provider.OFFICE365: "Microsoft 365"}

OLD = timedelta(hours=1)
"""From when on a link that has not been read to its end is not in sync, whatever it says."""

OPEN = (Condition.DEAD, Condition.PARKED, Condition.CONFLICT)
"""Items that wait for somebody, or for another try."""


def change(
    tx: Transaction,
    link: LinkId,
    now: datetime,
    *,
    paused: bool | None = None,
    direction: Direction | None = None,
    level: Level | None = None,
    on_delete: OnDelete | None = None,
) -> Link:
    """Pause or resume, one way or two (a company's switch alone changes no link: product.md S21), how much is shown.

    Raises Missing, and Conflict for a link that has ended, for resuming what a brake holds back, and for two ways in a company that
    takes over no moves.
    """
    former = _live(tx, link)
    if direction is Direction.BOTH and former.direction is not Direction.BOTH and not tx.company.policy.two_way:
        sentence = "Your company takes over no changes made in other calendars. An administrator can switch that on under Calendar Sync."
        raise Conflict(sentence, condition="two-way-off")
    new = replace(
        former,
        direction=direction or former.direction,
        level=level or former.level,
        on_delete=on_delete or former.on_delete,
        due=now,
    )
    if paused is not None:
        new = _paused(new) if paused else _resumed(new)
    if new.level is not former.level:
        new = replace(new, seen=Revision(0))  # every text is another one now
    tx.save_link(new)
    for kind, sentence in _changes(former, new):
        tx.note(link, Happening(at=now, kind=kind, sentence=sentence))
    return new


def _paused(link: Link) -> Link:
    return replace(link, standing=Standing.PAUSED, trouble="", since=None)


def _resumed(link: Link) -> Link:
    """Everything is listed anew. Raises Conflict while a brake is pulled: that needs a decision."""
    if link.standing is Standing.GUARD:
        raise Conflict("Please say first whether what is held back was meant.", condition="guard")
    if link.standing is Standing.ACTIVE:
        return link
    return replace(link, standing=Standing.ACTIVE, trouble="", since=None, failures=0, cursor=None)


def _changes(former: Link, new: Link) -> Sequence[tuple[str, str]]:
    """What the history says of it."""
    said = []
    if new.standing is not former.standing:
        paused = new.standing is Standing.PAUSED
        said.append(("paused", "Paused: nothing is written and nothing is read.") if paused else ("resumed", "Resumed."))
    if new.direction is not former.direction:
        both = new.direction is Direction.BOTH
        said.append(("direction", "Moves made over there are taken over now." if both else "Moves made over there are turned back now."))
    if new.level is not former.level:
        said.append(("level", "It shows another amount of detail now."))
    return said


def disconnect(tx: Transaction, link: LinkId, now: datetime, *, remove: bool, blocking_too: bool = True) -> Link:
    """End a link: our events over there are removed first, or left. What cannot be removed, because the access has ended, is left as well
    and said so. With the last link of an account its other calendars block nobody any more, unless told otherwise. Raises Missing."""
    former = tx.link(link)
    account = tx.account(former.account)
    left = sum(item.base is not None and item.condition is not Condition.FOREIGN for item in tx.items(link))
    if former.standing is Standing.ENDED and not (remove and left):
        return former
    reachable = account.access is Access.OK and switched_on(tx.company.policy, account.provider)
    possible = remove and reachable and former.standing is not Standing.SUSPENDED
    if possible and former.standing is Standing.ENDING:
        return former
    new = replace(former, standing=Standing.ENDING if possible else Standing.ENDED, due=now, trouble="", since=None, cursor=None)
    if remove and not possible and left:
        new = replace(new, trouble=_leftover(left, former))
    tx.save_link(new)
    tx.forget_busy(former.staff, f"link:{link}")
    if blocking_too and all(each.standing in (Standing.ENDING, Standing.ENDED) for each in tx.links(account=account.id)):
        blocking.end(tx, account.id)
    said = "Being disconnected; our events are removed." if possible else f"Disconnected; {left} events stay over there."
    tx.note(link, Happening(at=now, kind="disconnected", sentence=said))
    return new


def _leftover(left: int, link: Link) -> str:
    """Never delete a calendar that is the person's own."""
    if link.own:
        return f"{left} events could not be removed, because the access has ended. Please delete the calendar there."
    return f"{left} events could not be removed, because the access has ended. Please delete them there, or connect again and disconnect."


def decide(tx: Transaction, link: LinkId, now: datetime, *, meant: bool) -> Link:
    """A person's word about what a brake has held back: it was meant (then it is done), or not (then everything is put back).

    Raises Missing, and Conflict when nothing waits.
    """
    former = _live(tx, link)
    if former.standing is not Standing.GUARD:
        raise Conflict("Nothing waits for a decision here.", condition="nothing-waits")
    new = replace(
        former,
        standing=Standing.ACTIVE,
        trouble="",
        since=None,
        cursor=None,
        seen=Revision(0),
        allowed=now + ALLOWED,
        direction=former.direction if meant else Direction.OUT,
        due=now,
    )
    tx.save_link(new)
    said = (
        "It was meant: deletions and moves are taken over." if meant else "It was not meant: everything is put back; one way from now on."
    )
    tx.note(link, Happening(at=now, kind="decided", sentence=said))
    return new


def settle(tx: Transaction, link: LinkId, entry: EntryId, now: datetime, *, keep: bool) -> int:
    """A person's word about one appointment that waits: the event over there stays as it is until the appointment changes again, or
    what the booking system says is written once more. How many events it was about.

    Raises Missing when nothing about the appointment waits.
    """
    waiting = [item for item in tx.items_of(_live(tx, link).id, [entry]) if item.condition in OPEN]
    if not waiting:
        raise Missing("Nothing about this appointment waits for a decision here.")
    for item in waiting:
        kept = replace(item, condition=Condition.SYNCED if item.remote else Condition.GONE, todo=None, trouble="", attempts=0, due=None)
        tx.save_item(kept if keep else _fresh(item), now)
    said = "It stays over there as it is." if keep else "The booking system's version is written once more."
    tx.note(link, Happening(at=now, kind="decided", sentence=said, entry=entry))
    if not keep:
        tx.save_link(replace(tx.link(link), seen=Revision(0), due=now))
    return len(waiting)


def retry(tx: Transaction, link: LinkId, now: datetime) -> int:
    """Try what the provider has refused for good, and what could not be found, once more; how much that is. Raises Missing, Conflict."""
    former = _live(tx, link)
    again = [item for item in tx.items(link) if item.condition in OPEN]
    for item in again:
        tx.save_item(_fresh(item), now)
    tx.save_link(replace(former, seen=Revision(0), due=now))
    if again:
        tx.note(link, Happening(at=now, kind="retried", sentence=f"{len(again)} events are tried once more."))
    return len(again)


def _fresh(item: Item) -> Item:
    gone = item.base is None and not item.remote
    condition = Condition.GONE if gone and item.key.at is None else Condition.SYNCED
    return replace(item, condition=condition, draft=None, todo=None, attempts=0, due=None, trouble="")


def _live(tx: Transaction, link: LinkId) -> Link:
    found = tx.link(link)
    if found.standing in (Standing.ENDING, Standing.ENDED):
        raise Conflict("This calendar is disconnected. Connect it again to go on.", condition="ended")
    return found


def condition(policy: Policy, account: Account, link: Link, now: datetime) -> tuple[str, str, str]:
    """How a link stands, for people: a colour, the trouble in one sentence, and what can be done. Green is never said of a link whose last
    complete look is old (bridge.md I16)."""
    if link.standing is Standing.ENDED:
        return "grey", link.trouble or "Disconnected.", "Connect the account again to go on."
    if not switched_on(policy, account.provider):
        return "grey", "Paused by your administrator.", f"An administrator can switch {NAMES[account.provider]} on under Calendar Sync."
    if link.standing is Standing.PAUSED:
        return "grey", "Paused.", "Resume it whenever you like."
    if account.access is Access.NEEDS_ADMIN:
        return "red", account.trouble, "Ask the administrator of your organisation to allow this app, then connect again."
    if account.access is not Access.OK:
        return "red", account.trouble, "Connect the account again: nothing is lost, and nothing is doubled."
    match link.standing:
        case Standing.GUARD:
            return "red", link.trouble, "Say whether it was meant."
        case Standing.SUSPENDED:
            return "red", link.trouble, "Connect the account again, or resume when the calendar is back."
        case Standing.ENDING:
            return "grey", "Being disconnected: our events are removed first.", "This takes a moment; nothing has to be done."
    if (link.pulled or link.created) < now - OLD:
        return "red", link.trouble or "It has not been read to its end for more than an hour.", "It is tried again by itself."
    if link.trouble:
        return "yellow", link.trouble, "It is tried again by itself."
    return ("yellow", "", "The first filling is on its way.") if link.pulled is None else ("green", "", "")
