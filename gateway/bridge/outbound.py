"""What was changed here goes over there: intents are written down first, then carried out one by one, each with its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway import desk, observe
from gateway.bridge import inbound
from gateway.bridge.errand import Errand
from gateway.bridge.owned import BACK, Wanted, wanted
from gateway.bridge.remote import Clash, Exists, Gone, Guarded, Inexpressible, Known, Rejected, RemoteError, Seen, Unreachable
from gateway.links import Condition, Item, Key, Owned, Standing, Todo
from gateway.model import Appointment, EntryId
from gateway.store import Transaction

PATIENT = 3
"""After so many attempts an event that exists and is not shown is taken for one that a person has deleted: by then every index knows."""

FIRST_SINGLE = 1_000_000
"""Generations of dates that are events of their own: never those of dates of a series."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)


def plan(errand: Errand, *, parked: bool = False) -> int:
    """Write down what is to be done for everything that was touched since the link looked last, and move its mark; how much that is.

    The same state planned twice is planned once. `parked`: items that could not be found are looked for again. Deleting more than the
    brake lets pass waits for a person, unless each deletion is
    somebody's recorded decision: an appointment that was cancelled here.
    """
    with errand.commit() as tx:
        errand.link = tx.link(errand.link.id)
        touched = list(dict.fromkeys([*tx.touched(errand.calendar, errand.link.seen), *_unsettled(tx, errand, parked=parked)]))
        head, now = tx.revision, errand.clock()
        planned = [item for entry in touched for item in _planned(tx, errand, entry, now)]
        planned = _held_back(tx, errand, planned, now)
        for item in planned:
            tx.save_item(item, now)
        errand.link = replace(errand.link, seen=head)
        tx.save_link(errand.link)
    return len(planned)


def carry_out(errand: Errand) -> bool:
    """Call the provider for each intent that is due; whether nothing is left. Raises what concerns the whole account or calendar."""
    with errand.store.read(errand.company) as snapshot:
        waiting = [item for item in snapshot.intents(errand.link.id) if item.due is None or item.due <= errand.clock()]
    for item in sorted(waiting, key=_urgency):
        if not errand.may_call():
            return False
        _do(errand, item)
    return True


def undo_all(errand: Errand) -> bool:
    """Take away everything we have written over there: the link ends. Whether nothing is left."""
    with errand.commit() as tx:
        now = errand.clock()
        for item in tx.items(errand.link.id):
            if item.remote and item.base is not None and item.condition is not Condition.FOREIGN and item.todo is not Todo.DELETE:
                if item.key.at is not None and not item.apart:
                    tx.save_item(replace(item, base=None, draft=None, todo=None, condition=Condition.GONE), now)  # goes with its series
                else:
                    tx.save_item(replace(item, todo=Todo.DELETE, draft=None, due=None, attempts=0), now)
            elif item.todo is Todo.CREATE and not item.remote and item.attempts == 0:
                tx.save_item(replace(item, todo=None, draft=None, condition=Condition.GONE), now)
    done = carry_out(errand)
    with errand.store.read(errand.company) as snapshot:
        return done and not snapshot.intents(errand.link.id)


def _urgency(item: Item) -> tuple[bool, int, float]:
    """A series before its dates; then what happens soonest: whoever books for this afternoon does not wait for a first filling."""
    known = item.draft or item.base
    return (item.key.at is not None and not item.apart, item.attempts, known.span.start.timestamp() if known is not None else 0.0)


def _unsettled(tx: Transaction, errand: Errand, *, parked: bool) -> list[EntryId]:
    """Entries of which something over there is not as we wrote it, such as after a move that was turned back."""
    return [
        item.key.entry
        for item in tx.items(errand.link.id)
        if item.todo is None
        and item.draft is None
        and ((item.base is not None and item.condition is Condition.SYNCED) or (parked and item.condition is Condition.PARKED))
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    """The newest items of one entry. `whole` is the appointment or series, `dates` its occurrences that differ, `singles` dates that are
    events of their own; `apart`: all dates are."""

    whole: Item | None
    dates: Mapping[datetime, Item]
    singles: Mapping[datetime, Item]
    apart: bool

    @property
    def generation(self) -> int:
        """Of the series as it is or will be; its dates have the same."""
        if self.whole is None:
            return 0
        return self.whole.key.generation + (self.whole.condition is Condition.GONE)


def _known(items: Sequence[Item]) -> _Known:
    """`items` come by generation: the last one counts."""
    whole = next((item for item in reversed(items) if item.key.at is None and not item.apart), None)
    found = _Known(whole, {}, {}, any(item.key.at is None and item.apart for item in items))
    dates = {item.key.at: item for item in items if item.key.at and not item.apart and item.key.generation == found.generation}
    singles = {item.key.at: item for item in items if item.key.at and item.apart}
    return replace(found, dates=dates, singles=singles)


def _planned(tx: Transaction, errand: Errand, entry: EntryId, now: datetime) -> Iterator[Item]:
    """The items of the entry that are not as they should be, with what is to be done."""
    known = _known(tx.items_of(errand.link.id, [entry]))
    should = _should(tx, errand, entry, now, apart=known.apart, known=set(known.dates))
    if None in should or known.whole is not None:
        yield from _event(errand, Key(entry=entry, generation=known.generation), known.whole, should.get(None), now)
    for at in sorted({at for at in {*should, *known.singles} if at is not None}):
        single, owned = known.singles.get(at), should.get(at)
        if known.apart or (single is not None and single.condition is not Condition.GONE):
            generation = FIRST_SINGLE if single is None else single.key.generation + (single.condition is Condition.GONE)
            yield from _event(errand, Key(entry=entry, at=at, generation=generation), single, owned, now, apart=True)
        elif None in should:
            yield from _date(errand, Key(entry=entry, at=at, generation=known.generation), known.dates.get(at), owned)
    if None in should:
        for at in sorted(set(known.dates) - set(should)):  # the series has no such date any more
            yield replace(known.dates[at], todo=None, draft=None, base=None, condition=Condition.GONE)


def _event(errand: Errand, key: Key, item: Item | None, owned: Owned | None, now: datetime, *, apart: bool = False) -> Iterator[Item]:
    """An event of its own: made, changed, deleted, or left as it is."""
    if owned is None:
        if item is None or item.condition in (Condition.GONE, Condition.DEAD) or _over(item, now):
            return
        if item.base is not None or item.attempts:
            yield replace(item, todo=Todo.DELETE, draft=None, due=None, attempts=0)
        elif item.todo is not None:  # nobody has been called yet
            yield replace(item, todo=None, draft=None, condition=Condition.GONE)
    elif item is None or item.condition is Condition.GONE:
        yield Item(link=errand.link.id, key=key, todo=Todo.CREATE, draft=owned, apart=apart)
    elif item.draft != owned:
        todo = Todo.UPDATE if item.remote else Todo.CREATE
        yield replace(item, todo=todo, draft=owned, due=None, condition=Condition.SYNCED, trouble="")


def _date(errand: Errand, key: Key, item: Item | None, owned: Owned | None) -> Iterator[Item]:
    """An occurrence that differs from its series: moved, cancelled, or put back."""
    item = item or Item(link=errand.link.id, key=key, condition=Condition.PARKED)
    if owned is None:
        if item.base is not None or item.condition is Condition.PARKED:
            yield replace(item, todo=Todo.DELETE, draft=None, due=None, attempts=0, condition=Condition.SYNCED)
    elif item.draft != owned:
        yield replace(item, todo=Todo.UPDATE, draft=owned, due=None, attempts=0, condition=Condition.SYNCED)


def _over(item: Item, now: datetime) -> bool:
    """What has slid out of the window is left where it is: nobody cancelled it."""
    return item.base is not None and not item.base.rule and item.base.span.end <= now - BACK


def _should(tx: Transaction, errand: Errand, entry: EntryId, now: datetime, *, apart: bool, known: set[datetime]) -> Wanted:
    held = tx.held_by_id(entry)
    if held is None or not isinstance(held.entry, Appointment) or held.entry.calendar != errand.calendar:
        return {}
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


def _held_back(tx: Transaction, errand: Errand, planned: Sequence[Item], now: datetime) -> list[Item]:
    """Without deletions that nobody decided, when there are too many of them at once."""
    undecided = [item for item in planned if item.todo is Todo.DELETE and item.key.at is None and not _decided(tx, item.key.entry)]
    live = sum(1 for item in tx.items(errand.link.id) if item.base is not None and item.condition is not Condition.FOREIGN)
    most = min(max(3, live // 10), errand.habits.mass_delete_limit)
    if len(undecided) <= most or (errand.link.allowed is not None and errand.link.allowed > now):
        return list(planned)
    sentence = f"{len(undecided)} of {live} events would be deleted over there at once. None was; please say whether that is meant."
    if errand.link.standing is not Standing.GUARD:
        observe.count("mirror_guards", guard="mass_delete")
        errand.note(tx, "guard", sentence)
    errand.link = replace(errand.link, standing=Standing.GUARD, trouble=sentence, since=errand.link.since or now)
    tx.save_link(errand.link)
    return [item for item in planned if item not in undecided]


def _decided(tx: Transaction, entry: EntryId) -> bool:
    """Whether the appointment is still there, and so was cancelled by somebody rather than lost."""
    held = tx.held_by_id(entry)
    return held is not None and isinstance(held.entry, Appointment)


def _do(errand: Errand, item: Item) -> None:
    """One intent: the call, and its result in a transaction of its own."""
    try:
        match item.todo:
            case Todo.CREATE:
                _create(errand, item)
            case Todo.UPDATE:
                _update(errand, item)
            case Todo.DELETE:
                _delete(errand, item)
            case None:
                return
    except Inexpressible:
        _set_apart(errand, item)
    except Clash:
        _settle_clash(errand, item)
    except Guarded as error:
        _leave(errand, item, Condition.CONFLICT, str(error), "conflict")
    except Rejected as error:
        _leave(errand, item, Condition.DEAD, str(error), "dead")
    except Unreachable as error:
        _postpone(errand, item, error)


def _create(errand: Errand, item: Item) -> None:
    """A first call is made at once; after a call with unknown outcome the provider is asked first whether it was done."""
    assert item.draft is not None  # noqa: S101  an intent to create carries what to create
    if item.attempts:
        there = errand.remote.find(item.key)
        if there is not None:
            _adopt(errand, item, there)
            return
    _count_attempt(errand, item)
    try:
        made = errand.remote.create(item.key, item.draft)
    except Exists:
        there = errand.remote.find(item.key)
        if there is None and item.attempts < PATIENT:
            raise Unreachable("The provider says that the event exists, and does not show it.") from None
        _adopt(errand, item, there or Seen(id="", etag="", owned=None))
        return
    if item.attempts and errand.remote.get(made.id) is None:  # an earlier call had made it, and a person has deleted it since
        _adopt(errand, item, Seen(id=made.id, etag="", owned=None))
        return
    _done(errand, item, made, "pushed")


def _adopt(errand: Errand, item: Item, there: Seen) -> None:
    """What an earlier call of ours has made. A deleted one was deleted by a person: the next generation takes its place."""
    if there.owned is None:
        with errand.commit() as tx:
            now = errand.clock()
            tx.save_item(replace(item, remote=there.id, base=None, draft=None, todo=None, condition=Condition.GONE), now)
            key = replace(item.key, generation=item.key.generation + 1)
            tx.save_item(replace(item, key=key, attempts=0, due=None), now)
        _do(errand, replace(item, key=key, attempts=0, due=None))
        return
    with errand.commit() as tx:  # somebody may have changed it since: what we wrote is what it is compared with
        made = replace(item, remote=there.id, base=item.draft, todo=None, attempts=0, due=None, condition=Condition.SYNCED, trouble="")
        tx.save_item(made, errand.clock())
    inbound.take_one(errand, there)


def _update(errand: Errand, item: Item) -> None:
    assert item.draft is not None  # noqa: S101  as above
    at = _occurrence(errand, item)
    if at is None:
        return
    try:
        changed = errand.remote.update(Known(id=at.remote, etag=at.etag, key=at.key), item.draft)
    except Gone:
        inbound.take_one(errand, Seen(id=at.remote, etag="", owned=None))
        return
    _done(errand, at, changed, "pushed")


def _delete(errand: Errand, item: Item) -> None:
    at = _occurrence(errand, item)
    if at is None:
        return
    with suppress(Gone):
        errand.remote.delete(Known(id=at.remote, etag=at.etag, key=at.key))
    with errand.commit() as tx:
        cancelled = item.key.at is not None and not item.apart
        ended = replace(at, base=None, draft=None, todo=None, attempts=0, due=None, etag="")
        tx.save_item(replace(ended, condition=Condition.SYNCED if cancelled else Condition.GONE), errand.clock())
        errand.note(tx, "removed", "An event was removed over there.", item.key.entry)


def _occurrence(errand: Errand, item: Item) -> Item | None:
    """The item with the id and etag it is written by; None: not now. A date that has followed its series until now is looked for first;
    that it is not found does not mean that it is deleted (bridge.md §4, 37)."""
    if item.remote or item.key.at is None or item.apart:
        return item if item.remote else None
    with errand.store.read(errand.company) as snapshot:
        series = _known(snapshot.items_of(errand.link.id, [item.key.entry])).whole
    if series is None or series.base is None or series.todo is not None:
        return None  # the series comes first
    there = errand.remote.occurrence(series.remote, item.key.at)
    if there is None:
        _leave(errand, replace(item, draft=None), Condition.PARKED, "A date of the series cannot be found over there.", "parked")
        return None
    return replace(item, remote=there.id, etag=there.etag)


def _done(errand: Errand, item: Item, seen: Seen, kind: str) -> None:
    with errand.commit() as tx:
        now = errand.clock()
        former = next((each for each in tx.items_of(errand.link.id, [item.key.entry]) if each.key == item.key), item)
        settled = former.draft == item.draft  # nobody has wished for something else meanwhile
        tx.save_item(
            replace(
                item,
                remote=seen.id,
                etag=seen.etag,
                base=seen.owned,
                draft=item.draft if settled else None,
                todo=None,
                attempts=0,
                due=None,
                condition=Condition.SYNCED,
                trouble="",
            ),
            now,
        )
        errand.note(tx, kind, "An appointment was written over there.", item.key.entry)


def _count_attempt(errand: Errand, item: Item) -> None:
    """Written down before the call: whoever finds it afterwards has to ask whether it was done."""
    with errand.commit() as tx:
        tx.save_item(replace(item, attempts=item.attempts + 1), errand.clock())


def _settle_clash(errand: Errand, item: Item) -> None:
    """It has changed over there meanwhile: look at it, decide as for anything that was seen, and plan anew.

    What is cancelled here goes, whatever was done to it there.
    """
    there = errand.remote.get(item.remote) or Seen(id=item.remote, etag="", owned=None)
    now = errand.clock()
    if item.todo is Todo.DELETE and there.owned is not None:
        with errand.commit() as tx:
            tx.save_item(replace(item, etag=there.etag, base=there.owned, attempts=item.attempts + 1), now)
        return
    with errand.commit() as tx:  # it is compared with what the provider had when we looked last
        tx.save_item(replace(item, todo=None, draft=item.base, attempts=0), now)
    inbound.take_one(errand, there)
    with errand.commit() as tx:
        for each in tx.items_of(errand.link.id, [item.key.entry]):
            if each.key == item.key and each.todo is None and each.base is not None:
                tx.save_item(replace(each, draft=None), now)


def _set_apart(errand: Errand, item: Item) -> None:
    """The provider cannot express it within a series: each date becomes an event of its own, or this one does."""
    with errand.commit() as tx:
        now = errand.clock()
        if item.key.at is None:
            tx.save_item(replace(item, todo=None, draft=None, base=None, apart=True, condition=Condition.GONE), now)
            errand.note(tx, "apart", "Its rule cannot be expressed over there: every date is an event of its own.", item.key.entry)
        else:
            tx.save_item(replace(item, todo=Todo.DELETE, draft=None, attempts=0, due=None), now)
            single = Key(entry=item.key.entry, at=item.key.at, generation=FIRST_SINGLE)
            tx.save_item(Item(link=item.link, key=single, todo=Todo.CREATE, draft=item.draft, apart=True), now)
            errand.note(tx, "apart", "A date moved beyond its neighbours is an event of its own over there.", item.key.entry)
        errand.link = replace(tx.link(errand.link.id), due=now)
        tx.save_link(errand.link)


def _leave(errand: Errand, item: Item, condition: Condition, sentence: str, kind: str) -> None:
    with errand.commit() as tx:
        tx.save_item(replace(item, todo=None, condition=condition, trouble=sentence[:500], attempts=0, due=None), errand.clock())
        errand.note(tx, kind, sentence, item.key.entry)


def _postpone(errand: Errand, item: Item, error: RemoteError) -> None:
    """Whether it was done is unknown: it stays an intent, and is found out the next time."""
    with errand.commit() as tx:
        now = errand.clock()
        former = next((each for each in tx.items_of(errand.link.id, [item.key.entry]) if each.key == item.key), item)
        attempts = max(former.attempts, item.attempts + 1)
        pause = min(FIRST_PAUSE * 2 ** min(attempts, 12), LONGEST_PAUSE)
        tx.save_item(replace(former, attempts=attempts, due=now + pause, trouble=str(error)[:500]), now)
        errand.link = replace(tx.link(errand.link.id), due=min(errand.link.due, now + pause))
        tx.save_link(errand.link)
