"""Somebody else's events in a mirrored calendar: their times block the staff member; nothing else of them is kept or ever written to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from gateway import desk
from gateway.bridge.owned import times
from gateway.bridge.remote import Seen
from gateway.links import Condition, Item, Key, LinkId, Owned
from gateway.model import EntryId, Span, StaffId
from gateway.store import Transaction


def keep(tx: Transaction, link: LinkId, staff: StaffId, seen: Sequence[Seen], now: datetime, *, full: bool) -> None:
    """Take in what was listed; when the listing was full, what is not in it is gone."""
    origin = f"link:{link}"
    if not seen and not full and origin in tx.foreign_origins(staff):
        tx.confirm_busy(staff, origin, now)
        return
    kept = {item.remote: item for item in tx.items(link) if item.condition is Condition.FOREIGN}
    fresh = {each.id: item for each in seen if (item := _item(link, each)) is not None}
    gone = {each.id for each in seen} - set(fresh)
    if full:
        gone |= set(kept) - {each.id for each in seen}
    gone &= set(kept)
    changed = {remote: item for remote, item in fresh.items() if remote not in kept or kept[remote].base != item.base}
    for remote in gone:
        tx.drop_item(link, kept[remote].key)
    for item in changed.values():
        tx.save_item(item, now)
    standing = [item for remote, item in (kept | fresh).items() if remote not in gone]
    tx.put_busy(staff, origin, _times(standing, now), now)  # anew each day, because time goes by and series go on


def _item(link: LinkId, seen: Seen) -> Item | None:
    """None: it blocks nothing. A cancelled or moved occurrence stays, because its series must not block its original time."""
    if seen.owned is None and not seen.master:
        return None
    if not seen.busy and not seen.master:
        return None
    owned = seen.owned if seen.busy else None
    bare = None if owned is None else Owned(span=owned.span, zone=owned.zone, title="", rule=owned.rule, all_day=owned.all_day)
    name = hashlib.sha256((seen.master or seen.id).encode()).hexdigest()[:40]
    return Item(
        link=link,
        key=Key(entry=EntryId(f"~{name}"), at=seen.at if seen.master else None),
        remote=seen.id,
        base=bare,
        condition=Condition.FOREIGN,
    )


def _times(items: Iterable[Item], now: datetime) -> list[Span]:
    window = Span(now - timedelta(days=1), now + desk.HORIZON)
    elsewhere: dict[EntryId, set[datetime]] = {}
    for item in (items := list(items)):
        if item.key.at is not None:
            elsewhere.setdefault(item.key.entry, set()).add(item.key.at)
    found = {
        span
        for item in items
        if item.base is not None
        for span in times(item.base, window)
        if (item.key.at is not None or span.start not in elsewhere.get(item.key.entry, ()))
    }
    return sorted(found)
