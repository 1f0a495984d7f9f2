"""Looking over there: reading a listing to its end, and asking for what it leaves open, before anything of it is believed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.bridge import guards, inbound
from gateway.bridge.errand import Errand
from gateway.bridge.inbound import Listing
from gateway.bridge.remote import CursorExpired, Seen, Unreachable
from gateway.links import Condition, Cursor, Item, Key, Link, Standing, Todo
from gateway.model import Span

WINDOW_BACK, WINDOW_AHEAD = timedelta(days=30), timedelta(days=400)
"""What a windowed listing covers."""

ROLL = timedelta(days=7)
"""How old a window may become before everything is listed in a new one, and how far it then overlaps the old one."""

FULL_EVERY = timedelta(hours=24)


def full(link: Link, now: datetime) -> bool:
    """Whether everything is to be listed: at first, once a day, and while a brake is pulled."""
    return link.listed is None or link.listed < now - FULL_EVERY or link.standing is Standing.GUARD


def look(errand: Errand) -> bool:
    """Read the listing to its end and apply it; False when a brake holds it back. A listing that breaks off changes nothing."""
    now, link = errand.clock(), errand.link
    old = link.cursor is not None and link.cursor.window.start < now - WINDOW_BACK - ROLL
    cursor = None if full(link, now) or old else link.cursor
    try:
        listing = _read(errand, cursor, now)
    except CursorExpired:
        listing = _read(errand, None, now)
    listing.after = link.cursor
    _ask(errand, listing)
    return inbound.take(errand, listing)


def _read(errand: Errand, cursor: Cursor | None, now: datetime) -> Listing:
    """All pages. A cursor goes with the window it was made for. Raises Unreachable when the listing has no end."""
    window = cursor.window if cursor is not None else Span(now - WINDOW_BACK, now + WINDOW_AHEAD)
    listing = Listing(window=window)
    for page in errand.remote.pull(cursor, window, now):
        listing.seen += page.seen
        listing.full = listing.full or page.full
        listing.cursor = page.cursor or listing.cursor
    if listing.cursor is None:
        raise Unreachable("The listing broke off before its end.")
    return listing


def _ask(errand: Errand, listing: Listing) -> None:
    """What the listing leaves open: removals that were only hints, events that a full listing did not name, and markers of ours on events
    that nobody knows. Each is asked for by its id."""
    hinted = {each.id for each in listing.seen if not each.certain and each.owned is None}
    listing.seen = [each for each in listing.seen if each.certain or each.owned is not None]
    named = {each.ours.entry for each in listing.seen if each.ours is not None}
    with errand.store.read(errand.company) as snapshot:
        known = snapshot.items_by_remote(errand.link.id, hinted) if hinted else {}
        items = snapshot.items(errand.link.id) if listing.full or known else ()
        suspects = [remote for remote, item in known.items() if item.condition not in (Condition.FOREIGN, Condition.GONE)]
        strangers = [remote for remote, item in known.items() if item.condition is Condition.FOREIGN]
        if listing.full:
            suspects += [item.remote for item in inbound.unnamed(items, listing) if item.remote not in suspects]
        marked = _marked(snapshot.items_of(errand.link.id, named), listing) if named else {}
    listing.seen += [Seen(id=remote, etag="", owned=None) for remote in strangers]
    live = sum(item.base is not None and item.condition is not Condition.FOREIGN for item in items)
    _ask_for(errand, listing, suspects, guards.at_most(live, errand.habits.mass_delete_limit))
    for remote, key in marked.items():
        there = errand.remote.find(key)
        if there is None or there.id == remote:  # another one means that a person has made a copy
            listing.adopted[remote] = None if there is None else key


def _ask_for(errand: Errand, listing: Listing, suspects: Sequence[str], most: int) -> None:
    """One by one. Once so many are gone that a brake will be pulled, the others are taken for gone as well; not so when a person has said
    that it was meant, for then each of them is dealt with."""
    allowed = errand.link.allowed is not None and errand.link.allowed > errand.clock()
    for number, remote in enumerate(suspects):
        if number > most and len(listing.gone) == number and not allowed:
            listing.gone.update(suspects)
            return
        there = errand.remote.get(remote)
        if there is None:
            listing.gone.add(remote)
        else:
            listing.seen.append(there)
            if there.owned is None:
                listing.gone.add(remote)


def _marked(items: Sequence[Item], listing: Listing) -> dict[str, Key]:
    """Events with the marker of an item of ours whose id is not known: a call of ours may have made them, or a person a copy of one."""
    known = {item.remote for item in items}
    open_ = {item.key for item in items if not item.remote and (item.todo is Todo.CREATE or item.condition is Condition.GONE)}
    return {each.id: each.ours for each in listing.seen if each.ours is not None and each.ours in open_ and each.id not in known}
