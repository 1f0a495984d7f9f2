"""What was changed here goes over there: intents are written down first, then carried out one by one, each with its result."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from gateway import observe
from gateway.bridge import guards, inbound, planning
from gateway.bridge.errand import LIVE, Errand
from gateway.bridge.planning import FIRST_SINGLE, Known
from gateway.bridge.reconcile import same_time
from gateway.bridge.remote import (
    CalendarGone,
    Clash,
    Exists,
    Gone,
    Guarded,
    Inexpressible,
    Rejected,
    RemoteError,
    Seen,
    Unreachable,
)
from gateway.bridge.remote import Known as Target
from gateway.errors import GatewayError
from gateway.links import Condition, Item, Key, Standing, Todo
from gateway.store import Snapshot, Transaction

PATIENT = 3
"""After so many attempts an event that exists and is not shown is taken for one that a person has deleted: by then every index knows."""

TRIES = 5
"""So often what nobody foresaw is tried; then it is taken for what it will stay."""

PASSES = 3
"""How often one item is called for in one go: after a look at it, it may have to be called for anew."""

SILENT = 3
"""So many calls in a row without an answer: it is not the item, it is the provider."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
RECENT = timedelta(minutes=15)


def carry_out(errand: Errand) -> bool:
    """Call the provider for each intent that is due; whether nothing is left. Raises what concerns the whole account or calendar.

    While a brake is pulled only what has never been there is written: a new booking shows, and nothing that looks wrong is touched.
    """
    passes: Counter[Key] = Counter()
    while True:
        waiting = [item for item in _due(errand) if passes[item.key] < PASSES]
        if not waiting:
            return True
        for item in waiting:
            if not errand.may_call():
                return False
            passes[item.key] += 1
            _do(errand, item)
        if not errand.looked:
            return True  # what changed over there meanwhile is seen first


def _due(errand: Errand) -> list[Item]:
    """A series before its dates; then what somebody has just done, and then what happens soonest: whoever books for this afternoon does
    not wait for a first filling."""
    now = errand.clock()
    with errand.store.read(errand.company) as snapshot:
        waiting = [item for item in snapshot.intents(errand.link.id) if item.due is None or item.due <= now]
        if errand.link.standing is Standing.GUARD:
            waiting = [item for item in waiting if item.todo is Todo.CREATE]
        entries = snapshot.entries({item.key.entry for item in waiting}) if len(waiting) > 1 else {}
    fresh = {each for each, entry in entries.items() if entry.changed > now - RECENT}

    def urgency(item: Item) -> tuple[bool, int, bool, float]:
        known = item.draft or item.base
        start = known.span.start.timestamp() if known is not None else 0.0
        return item.key.at is not None and not item.apart, item.attempts, item.key.entry not in fresh, start

    return sorted(waiting, key=urgency)


def undo_all(errand: Errand) -> bool:
    """Take away everything we have written over there: the link ends. Whether nothing is left that could be taken away."""
    with errand.commit() as tx:
        errand.link = tx.link(errand.link.id)
        items = tx.items(errand.link.id)
        planning.settle(tx, errand, [item.key.entry for item in items if item.condition is not Condition.FOREIGN])
    errand.looked = True  # there is nothing to see any more: what is ours goes
    done = carry_out(errand)
    with errand.store.read(errand.company) as snapshot:
        return done and not snapshot.intents(errand.link.id)


def _do(errand: Errand, item: Item) -> None:
    """One intent: the call, and its result in a transaction of its own."""
    try:
        _call(errand, item)
        errand.silent = 0
    except Inexpressible:
        _set_apart(errand, item)
    except (Clash, Gone) as error:
        if errand.looked:  # otherwise the look that follows decides, brakes and all
            _look_at(errand, item, isinstance(error, Gone))
    except Guarded as error:
        _leave(errand, item, Condition.CONFLICT, str(error), "conflict")
    except Rejected as error:
        _leave(errand, item, Condition.DEAD, str(error), "dead")
    except Unreachable as error:
        _postpone(errand, item, str(error))
        errand.silent += 1
        if errand.silent >= SILENT:
            raise
    except (RemoteError, GatewayError):
        raise
    except Exception as error:  # the loop over the items: whatever it is, it is this one's
        observe.log("mirror_item_failed", link=errand.link.id, entry=item.key.entry, error=error)
        if item.attempts + 1 < TRIES:
            _postpone(errand, item, "Something went wrong that nobody foresaw.")
        else:
            _leave(errand, item, Condition.DEAD, "It failed again and again in a way that nobody foresaw.", "dead")


def _call(errand: Errand, item: Item) -> None:
    found = _found(errand, item)
    begun = None if found is None else _begun(errand, found)
    if begun is None:
        return
    match begun.todo:
        case Todo.CREATE:
            _create(errand, begun)
        case Todo.UPDATE:
            _update(errand, begun)
        case Todo.DELETE:
            _delete(errand, begun)
        case None:
            return


def _found(errand: Errand, item: Item) -> Item | None:
    """The item with the id and etag it is written by; None: not now. A date that has followed its series until now is looked for first;
    that it is not found does not mean that it is deleted (bridge.md §4, 37)."""
    if item.remote or item.key.at is None or item.apart:
        return item if item.remote or item.todo is Todo.CREATE else None
    with errand.store.read(errand.company) as snapshot:
        series = Known.of(snapshot.items_of(errand.link.id, [item.key.entry])).whole
    if series is None or series.base is None or series.todo is not None:
        return None  # the series comes first
    there = errand.remote.occurrence(series.remote, item.key.at)
    if there is None:
        _leave(errand, replace(item, draft=None), Condition.PARKED, "A date of the series cannot be found over there.", "parked")
        return None
    found = replace(item, remote=there.id, etag=there.etag, base=item.base or there.owned)
    if there.owned is None and item.todo is Todo.DELETE:
        _deleted(errand, found)
        return None
    if item.base is not None and (there.owned is None or not same_time(there.owned, item.base)):  # it differs already, by somebody else
        if errand.looked:
            with errand.commit() as tx:
                inbound.take_within(tx, errand, found, there)
        return None
    return found


def _begun(errand: Errand, item: Item) -> Item | None:
    """The intent as it stands, marked as begun before anybody is called: whoever finds it afterwards has to ask whether it was done.
    None: it is none any more."""
    with errand.commit() as tx:
        errand.link = tx.link(errand.link.id)
        former = _standing(tx, errand, item)
        if former is None or former.todo is not item.todo or errand.link.standing not in LIVE:
            return None
        nowhere = not 0 < former.attempts <= PATIENT  # it was never called for, or is not to be found
        if former.todo is Todo.CREATE and nowhere and not _still_wanted(tx, errand, former):
            tx.save_item(replace(former, todo=None, draft=None, condition=Condition.GONE), errand.clock())
            return None
        begun = replace(
            former,
            remote=former.remote or item.remote,
            etag=former.etag or item.etag,
            base=former.base or item.base,
            attempts=former.attempts + 1,
        )
        tx.save_item(begun, errand.clock())
    return begun


def _still_wanted(snapshot: Snapshot, errand: Errand, item: Item) -> bool:
    known = Known.of(snapshot.items_of(errand.link.id, [item.key.entry]))
    entry = planning.appointment(snapshot, errand, item.key.entry)
    return planning.local(snapshot, errand, entry, known).get(item.key.at) is not None


def _standing(tx: Transaction, errand: Errand, item: Item) -> Item | None:
    return next((each for each in tx.items_of(errand.link.id, [item.key.entry]) if each.key == item.key), None)


def _create(errand: Errand, item: Item) -> None:
    """A first call is made at once; after a call with unknown outcome the provider is asked first whether it was done."""
    assert item.draft is not None  # noqa: S101  an intent to create carries what to create
    again = item.attempts > 1
    if again and (there := errand.remote.find(item.key)) is not None:
        _adopt(errand, item, there)
        return
    with errand.store.read(errand.company) as snapshot:
        unwanted = again and not _still_wanted(snapshot, errand, item)
    if unwanted:
        raise Unreachable("It is not known yet whether an event that nobody wants any more was made.")
    try:
        made = errand.remote.create(item.key, item.draft)
    except Gone as error:
        raise CalendarGone(str(error)) from error
    except Exists:
        there = errand.remote.find(item.key)
        if there is None and item.attempts <= PATIENT:
            raise Unreachable("The provider says that the event exists, and does not show it.") from None
        _adopt(errand, item, there or Seen(id="", etag="", owned=None))
        return
    if again and errand.remote.get(made.id) is None:  # an earlier call had made it, and a person has deleted it since
        _adopt(errand, item, Seen(id=made.id, etag="", owned=None))
        return
    _done(errand, item, made)


def _adopt(errand: Errand, item: Item, there: Seen) -> None:
    """What an earlier call of ours has made: somebody may have changed it since, so it is compared with what we wrote.

    A deleted one was deleted by a person when we know that we have called for it; otherwise it is older than what we know, and the next
    generation takes its place.
    """
    with errand.commit() as tx:
        if there.owned is None and item.attempts <= 1:
            tx.save_item(replace(item, remote=there.id, base=None, draft=None, todo=None, condition=Condition.GONE), errand.clock())
            planning.settle(tx, errand, [item.key.entry])
            return
        inbound.take_within(tx, errand, item, there)


def _update(errand: Errand, item: Item) -> None:
    assert item.draft is not None  # noqa: S101  as above
    _done(errand, item, errand.remote.update(_target(item), item.draft))


def _delete(errand: Errand, item: Item) -> None:
    with suppress(Gone):
        errand.remote.delete(_target(item))
    _deleted(errand, item)


def _target(item: Item) -> Target:
    return Target(id=item.remote, etag=item.etag, key=item.key)


def _done(errand: Errand, item: Item, seen: Seen) -> None:
    """With what follows: somebody may have wished for something else meanwhile."""
    with errand.commit() as tx:
        done = replace(
            item,
            remote=seen.id,
            etag=seen.etag,
            base=seen.owned,
            todo=None,
            attempts=0,
            due=None,
            condition=Condition.SYNCED,
            trouble="",
        )
        tx.save_item(done, errand.clock())
        if planning.changes_series(item, seen.owned):
            planning.drop_dates(tx, errand, item.key)
        errand.note(tx, "pushed", "An appointment was written over there.", item.key.entry)
        planning.settle(tx, errand, [item.key.entry])


def _deleted(errand: Errand, item: Item) -> None:
    with errand.commit() as tx:
        now, date = errand.clock(), item.key.at is not None and not item.apart
        gone = replace(item, base=None, draft=None, todo=None, attempts=0, due=None, etag="", trouble="")
        tx.save_item(replace(gone, condition=Condition.SYNCED if date else Condition.GONE), now)
        if item.key.at is None:
            inbound.forget_dates(tx, errand, item.key, now)
        errand.note(tx, "removed", "An event was removed over there.", item.key.entry)
        planning.settle(tx, errand, [item.key.entry])


def _look_at(errand: Errand, item: Item, gone: bool) -> None:
    """It has changed over there since: decide as for anything that was seen. What is cancelled here goes, whatever was done to it there.

    When more and more turns out to be gone, everything is listed first, and the brakes decide.
    """
    there = errand.remote.get(item.remote) or Seen(id=item.remote, etag="", owned=None)
    if item.todo is Todo.DELETE:
        if there.owned is None:
            _deleted(errand, item)
            return
        with errand.commit() as tx:
            former = _standing(tx, errand, item)
            if former is not None:
                tx.save_item(replace(former, remote=there.id, etag=there.etag, base=there.owned), errand.clock())
        return
    if there.owned is None and gone:
        errand.lost += 1
        if errand.lost > guards.FEW:
            with errand.commit() as tx:
                errand.link = replace(tx.link(errand.link.id), cursor=None, listed=None)
                tx.save_link(errand.link)
            return
    inbound.take_one(errand, there)


def _set_apart(errand: Errand, item: Item) -> None:
    """The provider cannot express it within a series: each date becomes an event of its own, or this one does."""
    with errand.commit() as tx:
        now = errand.clock()
        former = _standing(tx, errand, item) or item
        bare = replace(former, todo=None, draft=None, attempts=0, due=None)
        if item.key.at is None:
            tx.save_item(replace(bare, condition=Condition.GONE if bare.base is None else Condition.SYNCED), now)
            mark = Key(entry=item.key.entry, generation=FIRST_SINGLE)
            tx.save_item(Item(link=item.link, key=mark, apart=True, condition=Condition.GONE), now)
            errand.note(tx, "apart", "Its rule cannot be expressed over there: every date is an event of its own.", item.key.entry)
        else:
            tx.save_item(replace(bare, todo=None if bare.base is None else Todo.DELETE, condition=Condition.SYNCED), now)
            single = Key(entry=item.key.entry, at=item.key.at, generation=FIRST_SINGLE)
            tx.save_item(Item(link=item.link, key=single, todo=Todo.CREATE, draft=item.draft, apart=True), now)
            errand.note(tx, "apart", "A date moved beyond its neighbours is an event of its own over there.", item.key.entry)
        planning.settle(tx, errand, [item.key.entry])


def _leave(errand: Errand, item: Item, condition: Condition, sentence: str, kind: str) -> None:
    with errand.commit() as tx:
        left = replace(item, todo=None, condition=condition, trouble=sentence[:500], attempts=0, due=None)
        tx.save_item(left, errand.clock())
        errand.note(tx, kind, sentence, item.key.entry)
        if condition is not Condition.PARKED:
            planning.settle(tx, errand, [item.key.entry])


def _postpone(errand: Errand, item: Item, sentence: str) -> None:
    """Whether it was done is unknown: it stays an intent, and is found out the next time."""
    with errand.commit() as tx:
        now = errand.clock()
        former = _standing(tx, errand, item) or item
        attempts = max(former.attempts, item.attempts + 1)
        pause = min(FIRST_PAUSE * 2 ** min(attempts, 12), LONGEST_PAUSE)
        tx.save_item(replace(former, attempts=attempts, due=now + pause, trouble=sentence[:500]), now)
