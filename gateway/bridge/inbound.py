"""What is seen over there becomes a wish, an echo or a conflict: a whole listing in one transaction, together with its cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from gateway import observe
from gateway.bridge import guards, planning, proposals, strangers
from gateway.bridge.errand import Errand, spread
from gateway.bridge.guards import Brake, Toll
from gateway.bridge.owned import times
from gateway.bridge.planning import Known
from gateway.bridge.proposals import Run
from gateway.bridge.reconcile import Verdict, same_time, verdict
from gateway.bridge.remote import Seen
from gateway.errors import GatewayError, Lost, Unavailable
from gateway.links import Condition, Cursor, Item, Key, Link, Owned, Standing, Todo
from gateway.model import EntryId, Span
from gateway.store import Transaction

_FIELDS = ("span", "zone", "title", "text", "place", "tentative", "rule", "all_day")


@dataclass(slots=True)
class Listing:
    """Everything a look has brought: `full` when what is not in it does not exist. `after` is the cursor it went on from.

    `gone` are ids that were asked for and do not exist any more; `adopted` are events with the marker of an item whose id nobody knew,
    and None for those of which it is not known yet whether they are ours.
    """

    seen: list[Seen] = field(default_factory=list)
    cursor: Cursor | None = None
    after: Cursor | None = None
    full: bool = False
    window: Span | None = None
    gone: set[str] = field(default_factory=set)
    adopted: dict[str, Key | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Met:
    """One event of ours, as it is there and as it was known."""

    item: Item
    seen: Seen


def take(errand: Errand, listing: Listing) -> bool:
    """Apply the listing, write down what follows from it, and store its cursor; False when a brake was pulled and nothing was applied.

    Idempotent: the same listing twice changes nothing.
    """
    with errand.commit() as tx:
        now = errand.clock()
        errand.link = tx.link(errand.link.id)
        if errand.link.standing not in (Standing.ACTIVE, Standing.GUARD):  # a person has paused or ended it meanwhile
            return False
        met, foreign = _sorted(tx, errand, listing)
        brake, toll = _brake(tx, errand, met)
        allowed = errand.link.allowed is not None and errand.link.allowed > now
        if brake is not None and not allowed:
            _pull(tx, errand, brake, toll, now)
            return False
        run = Run(errand, tx, now, decided=brake is not None)
        caught_up = tx.revision <= errand.link.seen or not tx.touched(errand.calendar, errand.link.seen)
        _apply(run, met)
        if caught_up:  # what this very listing has changed is settled already
            errand.link = replace(errand.link, seen=tx.revision)
        strangers.keep(tx, errand.link.id, errand.staff.id, foreign, now, full=listing.full)
        _seen_to_the_end(tx, errand, listing, now)
    return True


def take_one(errand: Errand, seen: Seen) -> None:
    """One event that was asked for by its id, such as after a clash."""
    with errand.commit() as tx:
        item = tx.items_by_remote(errand.link.id, [seen.id]).get(seen.id)
        if item is not None and item.condition is not Condition.FOREIGN:
            take_within(tx, errand, item, seen)


def _anew(run: Run, item: Item) -> Item:
    """A date of a series that has just changed: it follows the series as it is now, as far as is known."""
    series = _by_key(run.tx, run.errand, Key(entry=item.key.entry, generation=item.key.generation))
    return replace(planning.following(run.errand.link.id, item.key, series), remote=item.remote)


def take_within(tx: Transaction, errand: Errand, item: Item, seen: Seen) -> None:
    """An event whose item is known, such as one that an earlier call turns out to have made."""
    _apply(Run(errand, tx, errand.clock()), [_Met(item, seen)])


def _apply(run: Run, met: Sequence[_Met]) -> None:
    """One by one; what cannot be dealt with is parked, and keeps nobody else waiting (bridge.md I12)."""
    changed: set[tuple[EntryId, int]] = set()
    for each in sorted(met, key=lambda one: one.item.key.at is not None):  # a series before its dates
        try:
            if _series(each.item.key) in changed and each.item.key.at is not None and not each.item.apart:
                each = _Met(_anew(run, each.item), each.seen)
            elif planning.changes_series(each.item, each.seen.owned):
                changed.add(_series(each.item.key))
                planning.drop_dates(run.tx, run.errand, each.item.key)
            _one(run, each)
        except (Lost, Unavailable):
            raise
        except (GatewayError, ValueError, ArithmeticError) as error:
            observe.log("mirror_parked", level="warning", link=run.errand.link.id, entry=each.item.key.entry, error=error)
            parked = replace(each.item, condition=Condition.PARKED, trouble=str(error)[:500])
            run.tx.save_item(parked, run.now)
    planning.settle(run.tx, run.errand, [each.item.key.entry for each in met])


def _seen_to_the_end(tx: Transaction, errand: Errand, listing: Listing, now: datetime) -> None:
    """A cursor that somebody has taken away meanwhile, so that everything is listed anew, stays away."""
    link = errand.link
    held = link.standing is Standing.GUARD and not _allowed(link, now) and bool(planning.astray(tx, errand))
    errand.link = replace(
        link,
        cursor=(listing.cursor or link.cursor) if link.cursor == listing.after else None,
        pulled=now,
        listed=now if listing.full and link.cursor == listing.after else link.listed,
        standing=Standing.ACTIVE if link.standing is Standing.GUARD and not held else link.standing,
        trouble=link.trouble if held else "",
        since=link.since if held else None,
        failures=0,
        due=guards.next_look(link.since or now, now) if held else now + period(tx, errand, now),
    )
    tx.save_link(errand.link)


def period(tx: Transaction, errand: Errand, now: datetime) -> timedelta:
    """How long until the next look that nobody asks for: longer where the provider has promised to tell of changes."""
    told = any(channel.expires > now for channel in tx.channels(errand.link.id))
    return spread(errand.link.id, max(errand.habits.told_poll, errand.habits.poll) if told else errand.habits.poll)


def _sorted(tx: Transaction, errand: Errand, listing: Listing) -> tuple[list[_Met], list[Seen]]:
    """Ours by id, or by what the provider said about a marker; an occurrence by its series. Everything else is foreign: a marker alone
    proves nothing, since people copy events (bridge.md §2.4)."""
    seen = {each.id: each for each in listing.seen}  # the last one counts: listings may name an event several times
    ids = {*seen, *listing.gone, *(each.master for each in listing.seen if each.master)}
    known = dict(tx.items_by_remote(errand.link.id, ids)) if ids else {}
    met: dict[str, _Met] = {}
    foreign: dict[str, Seen] = {}
    for each in seen.values():
        item = known.get(each.id)
        if item is None and each.id in listing.adopted:
            key = listing.adopted[each.id]
            if key is None:
                continue
            item = _by_key(tx, errand, key)
        if item is None and each.master and (series := known.get(each.master)) is not None and series.condition is not Condition.FOREIGN:
            if series.condition is Condition.GONE and each.owned is None:
                continue  # it went with its series
            item = _of_series(tx, errand, each, series)
        if item is None or item.condition is Condition.FOREIGN:
            foreign[each.id] = each
        elif item.condition is not Condition.GONE or each.owned is not None:
            met[each.id] = _Met(item, each)
    for remote in listing.gone - set(seen):
        item = known.get(remote)
        if item is not None and item.base is not None and item.condition not in (Condition.FOREIGN, Condition.GONE):
            met[remote] = _Met(item, Seen(id=remote, etag="", owned=None))
    ended = {_series(each.item.key) for each in met.values() if each.item.key.at is None and each.seen.owned is None}
    return [each for each in met.values() if each.item.key.at is None or each.item.apart or _series(each.item.key) not in ended], [
        *foreign.values()
    ]


def _series(key: Key) -> tuple[EntryId, int]:
    return key.entry, key.generation


def _by_key(tx: Transaction, errand: Errand, key: Key) -> Item | None:
    return next((item for item in tx.items_of(errand.link.id, [key.entry]) if item.key == key), None)


def _of_series(tx: Transaction, errand: Errand, seen: Seen, series: Item) -> Item:
    """An occurrence that differs from its series. If it has followed it until now, what was there is what the rule says."""
    key = Key(entry=series.key.entry, at=seen.at, generation=series.key.generation)
    former = _by_key(tx, errand, key)
    if former is not None:
        return replace(former, remote=seen.id)
    return replace(planning.following(errand.link.id, key, series), remote=seen.id)


def unnamed(items: Iterable[Item], listing: Listing) -> list[Item]:
    """What a full listing should have named and did not. Dates that are back where their series has them are not listed."""
    named = {each.id for each in listing.seen}
    return [
        item
        for item in items
        if item.remote
        and item.base is not None
        and item.todo is not Todo.DELETE
        and item.remote not in named
        and item.condition not in (Condition.FOREIGN, Condition.GONE)
        and (item.key.at is None or item.apart)
        and (listing.window is None or times(item.base, listing.window))
    ]


def _brake(tx: Transaction, errand: Errand, met: Sequence[_Met]) -> tuple[Brake | None, Toll]:
    """What the listing would do. What we did ourselves and have not heard of yet does not count."""
    vanished = sum(each.seen.owned is None and each.item.base is not None and each.item.todo is not Todo.DELETE for each in met)
    moved = sum(_has_moved(each) for each in met)
    if not vanished and moved <= guards.FEW:
        return None, Toll(live=0)
    live = sum(item.base is not None and item.condition is not Condition.FOREIGN for item in tx.items(errand.link.id))
    day = errand.clock() - guards.DAY
    cancelled = sum(each.kind == "cancelled" and each.at > day for each in tx.history(errand.link.id, 500))
    toll = Toll(live=live, vanished=vanished, moved=moved, cancelled=cancelled)
    return toll.brake(errand.habits.mass_delete_limit), toll


def _has_moved(met: _Met) -> bool:
    there, item = met.seen.owned, met.item
    if there is None or item.base is None or same_time(there, item.base):
        return False
    return item.draft is None or (there.span, there.all_day) != (item.draft.span, item.draft.all_day)


def _allowed(link: Link, now: datetime) -> bool:
    return link.allowed is not None and link.allowed > now


def _pull(tx: Transaction, errand: Errand, brake: Brake, toll: Toll, now: datetime) -> None:
    """Nothing of the listing is applied, and its cursor is not kept: the next look lists everything."""
    link = errand.link
    fresh = link.standing is not Standing.GUARD
    since = now if fresh or link.since is None else link.since
    what = {
        Brake.DELETE: f"{toll.vanished} of {toll.live} appointments are missing from the calendar at once. None was cancelled",
        Brake.MOVE: f"{toll.moved} of {toll.live} appointments have other times at once. None was moved",
        Brake.CANCEL: f"{toll.cancelled} appointments were deleted in the calendar within a day, and now {toll.vanished} more. "
        "These were not cancelled",
    }[brake]
    sentence = f"{what}; please say whether that was meant."
    if fresh:
        observe.count("mirror_guards", guard=str(brake))
        errand.note(tx, "guard", sentence)
    errand.link = replace(
        link, standing=Standing.GUARD, trouble=sentence, since=since, cursor=None, failures=0, due=guards.next_look(since, now)
    )
    tx.save_link(errand.link)


def _one(run: Run, met: _Met) -> None:
    """One event: what was seen, what is known and what should be, and what follows."""
    item, seen, tx = met.item, met.seen, run.tx
    if seen.etag and (seen.etag, seen.owned) == (item.etag, item.base) and item.todo is None:
        return
    state = replace(
        item,
        remote=seen.id,
        etag=seen.etag,
        base=seen.owned,
        todo=None,
        draft=None,
        attempts=0,
        due=None,
        condition=Condition.SYNCED,
        trouble="",
    )
    if _done_by_us(item, seen.owned):
        same = seen.owned is not None and item.draft is not None and _texts(seen.owned) == _texts(item.draft)
        tx.save_item(replace(state, draft=item.draft if same else None), run.now)
        if seen.owned is None:
            _leave(run, state)
        return
    entry = planning.appointment(tx, run.errand, item.key.entry)
    known = Known.of(tx.items_of(run.errand.link.id, [item.key.entry]))
    also = {item.key.at} if item.key.at is not None else set()
    local = planning.local(tx, run.errand, entry, known, also).get(item.key.at)
    remote, agreed = _in_our_words(item, seen.owned, local)
    on_delete = run.errand.link.on_delete or tx.company.policy.on_delete
    staff = local != agreed and remote != agreed and proposals.staff_moved(tx, item.key.entry)
    ruling = verdict(local, remote, agreed, on_delete=on_delete, staff_moved_here=staff)
    match ruling:
        case Verdict.ECHO:
            tx.save_item(replace(state, draft=item.draft if item.todo is None else None, condition=_resting(state)), run.now)
        case Verdict.AGREED:
            tx.save_item(replace(state, draft=local), run.now)
        case Verdict.FORGET:
            _leave(run, state)
        case Verdict.PROPOSE:
            assert remote is not None and agreed is not None and local is not None  # noqa: S101, PT018  the table says so
            taken = proposals.move(run, state.key, agreed=agreed, local=local, theirs=remote)
            tx.save_item(replace(state, draft=remote if taken else None), run.now)
        case Verdict.OVERRULE:
            proposals.overrule(run, state.key, remote)
            tx.save_item(state, run.now)
        case Verdict.RESTORE:
            run.errand.note(tx, "restored", "What was changed over there besides the time is written as it was.", state.key.entry)
            tx.save_item(state, run.now)
        case Verdict.REMOVE:
            run.errand.note(tx, "conflict", "It was changed over there and is cancelled here: it is removed there.", state.key.entry)
            tx.save_item(state, run.now)
        case Verdict.CANCEL | Verdict.ASK | Verdict.PUT_BACK:
            proposals.delete(run, state.key, ruling)
            _leave(run, state)
        case _:
            assert_never(ruling)


def _done_by_us(item: Item, there: Owned | None) -> bool:
    """Whether a call of ours with unknown outcome is what made it so."""
    if not item.attempts or item.todo is None:
        return False
    if item.todo is Todo.DELETE or there is None or item.draft is None:
        return item.todo is Todo.DELETE and there is None
    return (there.span, there.all_day, bool(there.rule)) == (item.draft.span, item.draft.all_day, bool(item.draft.rule))


def _texts(owned: Owned) -> tuple[str, str, str]:
    return owned.title, owned.text, owned.place


def _in_our_words(item: Item, remote: Owned | None, local: Owned | None) -> tuple[Owned | None, Owned | None]:
    """What is there and what was agreed, field by field as we wrote it where the provider gives back what it gave back then.

    While an intent waits, what was written last is not known any more: then only the rule needs translation, which providers spell in
    their own way.
    """
    base, draft = item.base, item.draft
    if base is None:
        return remote, draft if item.todo is Todo.CREATE and item.attempts else None
    if item.todo is None and draft is not None:
        if remote is None:
            return None, draft
        same = {name: getattr(draft, name) for name in _FIELDS if getattr(remote, name) == getattr(base, name)}
        return replace(remote, **same), draft
    if local is None or not base.rule:
        return remote, base
    if remote is not None and remote.rule == base.rule:
        remote = replace(remote, rule=local.rule)
    return remote, replace(base, rule=local.rule)


def _leave(run: Run, state: Item) -> None:
    """It is not there any more; a series takes its dates along. Its place stays known, for the next generation."""
    run.tx.save_item(replace(state, base=None, draft=None, condition=_resting(replace(state, base=None))), run.now)
    if state.key.at is None:
        forget_dates(run.tx, run.errand, state.key, run.now)


def forget_dates(tx: Transaction, errand: Errand, key: Key, now: datetime) -> None:
    """Dates go with their series."""
    for item in tx.items_of(errand.link.id, [key.entry]):
        if item.key.at is not None and not item.apart and _series(item.key) == _series(key) and item.condition is not Condition.GONE:
            tx.save_item(replace(item, base=None, draft=None, todo=None, attempts=0, due=None, condition=Condition.GONE), now)


def _resting(state: Item) -> Condition:
    """A cancelled occurrence is still an item of its series; everything else that is gone keeps only its generation."""
    return Condition.GONE if state.base is None and (state.key.at is None or state.apart) else Condition.SYNCED
