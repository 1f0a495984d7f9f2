"""What is seen over there becomes a wish, an echo or a conflict: a whole listing in one transaction, together with its cursor."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from gateway import desk, observe
from gateway.booking import Cancel, Intent, Misuse, Move, Resize
from gateway.bridge import guards, strangers
from gateway.bridge.errand import Errand
from gateway.bridge.guards import Toll
from gateway.bridge.owned import Wanted, wanted
from gateway.bridge.reconcile import Verdict, same_time, verdict
from gateway.bridge.remote import Seen
from gateway.errors import GatewayError, Reason, Refused
from gateway.links import Condition, Cursor, Direction, Item, Key, Owned, Standing
from gateway.model import Appointment, EntryId, Span
from gateway.store import Transaction


@dataclass(slots=True)
class Listing:
    """Everything a look has brought: `full` when what is not in it does not exist."""

    seen: list[Seen] = field(default_factory=list)
    cursor: Cursor | None = None
    full: bool = False
    window: Span | None = None


@dataclass(frozen=True, slots=True)
class _Met:
    """One event of ours, as it is there and as it was known."""

    item: Item
    seen: Seen


def take(errand: Errand, listing: Listing, *, confirmed: frozenset[str] = frozenset()) -> bool:
    """Apply the listing and store its cursor; False when a brake was pulled and nothing was applied. `confirmed` are ids that were asked
    for and do not exist any more. Idempotent: the same listing twice changes nothing."""
    with errand.commit() as tx:
        now = errand.clock()
        errand.link = tx.link(errand.link.id)
        ids = {each.id for each in listing.seen} | {each.master for each in listing.seen if each.master}
        known = tx.items_by_remote(errand.link.id, ids)
        met, foreign = _sorted(tx, errand, listing.seen, known)
        missing = _missing(tx, errand, confirmed)
        met += [_Met(item, Seen(id=item.remote, etag="", owned=None)) for item in missing]
        toll = _toll(tx, errand, met)
        brake = toll.too_much(errand.habits.mass_delete_limit)
        if brake and not _allowed(errand, now):
            _brake(tx, errand, brake, toll, now)
            return False
        for each in met:
            _one(tx, errand, each, now)
        strangers.keep(tx, errand.link.id, errand.staff.id, foreign, now, full=listing.full)
        errand.link = replace(
            errand.link,
            cursor=listing.cursor or errand.link.cursor,
            pulled=now,
            listed=now if listing.full else errand.link.listed,
            standing=Standing.ACTIVE if errand.link.standing is Standing.GUARD else errand.link.standing,
            trouble="",
            since=None,
            failures=0,
        )
        tx.save_link(errand.link)
    return True


def take_one(errand: Errand, seen: Seen) -> None:
    """One event that was asked for by its id, such as after a clash."""
    with errand.commit() as tx:
        item = tx.items_by_remote(errand.link.id, [seen.id]).get(seen.id)
        if item is not None and item.condition is not Condition.FOREIGN:
            _one(tx, errand, _Met(item, seen), errand.clock())


def _sorted(tx: Transaction, errand: Errand, seen: Iterable[Seen], known: Mapping[str, Item]) -> tuple[list[_Met], list[Seen]]:
    """Ours by id, or by the key of an intent whose outcome is unknown; an occurrence by its series. Everything else is foreign: a
    marker alone proves nothing, since people copy events (bridge.md §2.4)."""
    met: dict[str, _Met] = {}
    foreign: dict[str, Seen] = {}
    keys = {item.key: item for item in tx.intents(errand.link.id)}
    for each in seen:  # the last one counts: listings may name an event several times
        item = known.get(each.id)
        if item is None and each.ours is not None and each.ours in keys and not keys[each.ours].remote:
            item = keys[each.ours]
        if item is None and each.master and (series := known.get(each.master)) is not None and series.condition is not Condition.FOREIGN:
            item = Item(link=errand.link.id, key=Key(entry=series.key.entry, at=each.at, generation=series.key.generation), remote=each.id)
            former = next((one for one in tx.items_of(errand.link.id, [item.key.entry]) if one.key == item.key), None)
            item = replace(former, remote=each.id) if former is not None else _following(tx, errand, item, series)
        if item is None or item.condition is Condition.FOREIGN:
            foreign[each.id] = each
        elif item.condition is not Condition.GONE or each.owned is not None:
            met[each.id] = _Met(item, each)
    return list(met.values()), list(foreign.values())


def _following(tx: Transaction, errand: Errand, item: Item, series: Item) -> Item:
    """An occurrence that has followed its series until now: what was there is what the rule says."""
    local = _wanted(tx, errand, item.key.entry, {item.key.at} if item.key.at is not None else set())
    place = local.get(item.key.at)
    return replace(item, base=place, draft=place, condition=Condition.SYNCED if series.base is not None else Condition.PARKED)


def unnamed(items: Iterable[Item], listing: Listing) -> list[Item]:
    """What a full listing should have named and did not. Dates that are back where their series has them are not listed."""
    named = {each.id for each in listing.seen}
    return [
        item
        for item in items
        if item.remote
        and item.base is not None
        and item.todo is None
        and item.remote not in named
        and item.condition not in (Condition.FOREIGN, Condition.GONE)
        and (item.key.at is None or item.apart)
        and (listing.window is None or item.base.rule or item.base.span.overlaps(listing.window))
    ]


def _missing(tx: Transaction, errand: Errand, confirmed: frozenset[str]) -> list[Item]:
    """What was asked for by its id and does not exist any more."""
    if not confirmed:
        return []
    found = tx.items_by_remote(errand.link.id, confirmed)
    return [item for item in found.values() if item.base is not None and item.condition not in (Condition.FOREIGN, Condition.GONE)]


def _toll(tx: Transaction, errand: Errand, met: Sequence[_Met]) -> Toll:
    live = [item for item in tx.items(errand.link.id) if item.base is not None and item.condition is not Condition.FOREIGN]
    return Toll(
        live=len(live),
        vanished=sum(each.seen.owned is None and each.item.base is not None for each in met),
        moved=sum(
            each.seen.owned is not None and each.item.base is not None and not same_time(each.seen.owned, each.item.base) for each in met
        ),
    )


def _allowed(errand: Errand, now: datetime) -> bool:
    return errand.link.allowed is not None and errand.link.allowed > now


def _brake(tx: Transaction, errand: Errand, brake: str, toll: Toll, now: datetime) -> None:
    """Nothing of the listing is applied, and its cursor is not kept: the next look lists everything."""
    fresh = errand.link.standing is not Standing.GUARD
    since = now if fresh or errand.link.since is None else errand.link.since
    number = toll.vanished if brake == "delete" else toll.moved
    what = {
        "delete": "are missing from the calendar at once. None was cancelled",
        "move": "have other times at once. None was moved",
    }[brake]
    sentence = f"{number} of {toll.live} appointments {what}; please say whether that was meant."
    if fresh:
        observe.count("mirror_guards", guard=f"mass_{brake}")
        errand.note(tx, "guard", sentence)
    errand.link = replace(
        errand.link, standing=Standing.GUARD, trouble=sentence, since=since, cursor=None, due=guards.next_look(since, now)
    )
    tx.save_link(errand.link)


def _one(tx: Transaction, errand: Errand, met: _Met, now: datetime) -> None:
    item, seen = met.item, met.seen
    ours = _in_our_words(seen.owned, item)
    if ours == item.draft and seen.owned is not None and item.todo is None:
        if (seen.etag, seen.owned) != (item.etag, item.base):
            tx.save_item(replace(item, remote=seen.id, etag=seen.etag, base=seen.owned), now)
        return
    known = {item.key.at} if item.key.at is not None else set()
    local = _wanted(tx, errand, item.key.entry, known).get(item.key.at)
    agreed = item.base if item.todo is not None or item.draft is None else item.draft
    ruling = verdict(local, ours, agreed, staff_moved_here=_staff_moved(tx, item.key.entry))
    state = replace(item, remote=seen.id, etag=seen.etag, base=seen.owned, todo=None, condition=Condition.SYNCED, trouble="")
    match ruling:
        case Verdict.ECHO:
            tx.save_item(replace(state, draft=ours if ours == local else None), now)
        case Verdict.FORGET:
            tx.save_item(replace(state, draft=None, condition=_ended(state)), now)
        case Verdict.PROPOSAL:
            _proposed(tx, errand, state, ours, now)
        case Verdict.VANISHED:
            _vanished(tx, errand, state, now)
        case Verdict.RESTORE | Verdict.REMOVE:
            tx.save_item(replace(state, draft=None), now)
        case Verdict.OVERRULED:
            tx.save_item(replace(state, draft=None, condition=Condition.SYNCED), now)
            _record_conflict(tx, errand, item.key.entry, ours)
        case _:
            assert_never(ruling)


def _in_our_words(remote: Owned | None, item: Item) -> Owned | None:
    """What is there, field by field as we wrote it where the provider gives back what it gave back then."""
    base, draft = item.base, item.draft
    if remote is None or base is None or draft is None or item.todo is not None:  # an intent's draft is not what was written last
        return remote
    names = ("span", "zone", "title", "text", "place", "tentative", "rule", "all_day")
    return replace(remote, **{name: getattr(draft, name) for name in names if getattr(remote, name) == getattr(base, name)})


def _proposed(tx: Transaction, errand: Errand, state: Item, ours: Owned | None, now: datetime) -> None:
    held = tx.held_by_id(state.key.entry)
    if held is None or ours is None:
        return
    try:
        if errand.link.direction is not Direction.BOTH:
            raise Refused(Reason.TWO_WAY_OFF, "This calendar only shows appointments; changes are made in the booking system.")
        desk.apply(tx, errand.actor, errand.calendar, held.entry.name, _wishes(state, ours), now)
    except Refused as refused:
        desk.turn_back(tx, errand.actor, errand.calendar, held.entry.name, refused, _digest(errand, state, ours), now)
        errand.note(tx, "refused", f"A move was turned back: {refused.detail}", state.key.entry)
        tx.save_item(replace(state, draft=None), now)
        return
    except GatewayError as error:
        errand.note(tx, "refused", f"A move was turned back: {error}", state.key.entry)
        tx.save_item(replace(state, draft=None), now)
        return
    errand.note(tx, "moved", "A move was taken over into the booking system.", state.key.entry)
    local = _wanted(tx, errand, state.key.entry, {state.key.at} if state.key.at is not None else set()).get(state.key.at)
    tx.save_item(replace(state, draft=ours if local == ours else None), now)


def _wishes(state: Item, ours: Owned) -> list[Intent]:
    """What the staff member did over there, as wishes."""
    before, at = state.draft or state.base, state.key.at
    if before is not None and ours.rule != before.rule:
        return [Misuse(reason=Reason.RECURRENCE, what="How an appointment repeats is changed in the booking system.")]
    if ours.all_day:
        return [Move(span=ours.span, at=at, all_day=True)]
    wishes: list[Intent] = []
    former = state.draft.span if state.draft is not None else ours.span
    if ours.span.start != former.start:
        wishes.append(Move(span=Span(ours.span.start, ours.span.start + former.length), at=at))
    if ours.span.length != former.length:
        wishes.append(Resize(span=ours.span, at=at))
    return wishes


def _vanished(tx: Transaction, errand: Errand, state: Item, now: datetime) -> None:
    """Deleted over there: what the company's policy says. Refused means that it comes back, under the next generation."""
    held = tx.held_by_id(state.key.entry)
    if held is None:
        tx.save_item(replace(state, draft=None, condition=Condition.GONE), now)
        return
    try:
        if errand.link.direction is not Direction.BOTH:
            raise Refused(Reason.TWO_WAY_OFF, "This calendar only shows appointments; they are cancelled in the booking system.")
        desk.apply(tx, errand.actor, errand.calendar, held.entry.name, [Cancel(at=state.key.at)], now)
        errand.note(tx, "cancelled", "A deletion was taken over: the appointment is cancelled.", state.key.entry)
    except Refused as refused:
        desk.turn_back(tx, errand.actor, errand.calendar, held.entry.name, refused, _digest(errand, state, None), now)
        errand.note(tx, "restored", f"A deleted appointment is put back: {refused.detail}", state.key.entry)
    tx.save_item(replace(state, base=None, draft=None, condition=_ended(state)), now)


def _ended(state: Item) -> Condition:
    """A cancelled occurrence is still an item of its series; everything else that is gone keeps only its generation."""
    return Condition.SYNCED if state.key.at is not None and not state.apart else Condition.GONE


def _wanted(tx: Transaction, errand: Errand, entry: EntryId, known: set[datetime]) -> Wanted:
    held = tx.held_by_id(entry)
    if held is None or not isinstance(held.entry, Appointment) or held.entry.calendar != errand.calendar:
        return {}
    now = errand.clock()
    apart = any(item.apart and item.key.at is None for item in tx.items_of(errand.link.id, [entry]))
    return wanted(
        held.entry,
        level=errand.link.level,
        service=tx.service(held.entry.service),
        customer=tx.customer(held.entry.customer),
        now=now,
        ahead=now + desk.HORIZON,
        apart=apart,
        known=known,
    )


def _staff_moved(tx: Transaction, entry: EntryId) -> bool:
    changes = [change for change in tx.changes_of(entry) if change.reason is None]
    return bool(changes) and changes[-1].actor.proposing


def _record_conflict(tx: Transaction, errand: Errand, entry: EntryId, theirs: Owned | None) -> None:
    when = "" if theirs is None else f" ({theirs.span.start:%Y-%m-%d %H:%M} UTC)"
    errand.note(tx, "conflict", f"Both sides moved it; the booking system's time counts, not the one over there{when}.", entry)


def _digest(errand: Errand, state: Item, ours: Owned | None) -> str:
    """The same proposal seen twice is one proposal."""
    asked = None if ours is None else (ours.span, ours.all_day, ours.rule)
    return hashlib.sha256(repr((errand.link.id, state.key, asked)).encode()).hexdigest()
