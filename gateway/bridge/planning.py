"""What is to be done over there so that it is as it should be: for an entry, from what is known of its items; written down as intents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway import desk, observe
from gateway.bridge import guards
from gateway.bridge.errand import Errand
from gateway.bridge.owned import BACK, Wanted, goes_on, wanted
from gateway.bridge.reconcile import same_time
from gateway.errors import GatewayError, Lost, Unavailable
from gateway.links import Condition, Item, Key, LinkId, Owned, Standing, Todo
from gateway.model import Appointment, EntryId, Span
from gateway.store import Snapshot, Transaction

FIRST_SINGLE = 1_000_000
"""Generations of dates that are events of their own, and of the mark that all dates of a series are: never those of a series itself."""


@dataclass(frozen=True, slots=True)
class Known:
    """The newest items of one entry. `whole` is the appointment or series, `dates` its occurrences that differ, `singles` dates that are
    events of their own; `apart`: all dates are. `former` are generations before that are there all the same."""

    whole: Item | None
    dates: Mapping[datetime, Item]
    singles: Mapping[datetime, Item]
    apart: bool
    former: Sequence[Item] = ()

    @property
    def generation(self) -> int:
        """Of the series as it is or will be; its dates have the same."""
        if self.whole is None:
            return 0
        return self.whole.key.generation + (self.whole.condition is Condition.GONE)

    @classmethod
    def of(cls, items: Sequence[Item]) -> Known:
        """`items` come by generation: the last one counts."""
        wholes = [item for item in items if item.key.at is None and not item.apart]
        whole = wholes[-1] if wholes else None
        bare = cls(whole, {}, {}, any(item.key.at is None and item.apart for item in items))
        dates = {item.key.at: item for item in items if item.key.at and not item.apart and item.key.generation == bare.generation}
        singles = {item.key.at: item for item in items if item.key.at and item.apart}
        newest = {item.key for item in (*wholes[-1:], *singles.values())}
        former = [item for item in items if item.base is not None and item.key not in newest and (item.key.at is None or item.apart)]
        return replace(bare, dates=dates, singles=singles, former=former)


def appointment(snapshot: Snapshot, errand: Errand, entry: EntryId) -> Appointment | None:
    """The entry, if it is an appointment of the calendar that is mirrored; cancelled ones too."""
    held = snapshot.held_by_id(entry)
    if held is None or not isinstance(held.entry, Appointment) or held.entry.calendar != errand.calendar:
        return None
    return held.entry


def local(snapshot: Snapshot, errand: Errand, entry: Appointment | None, known: Known, also: Collection[datetime] = ()) -> Wanted:
    """What should be over there now, of the dates that are known or asked about; nothing when the link ends."""
    if entry is None or errand.link.standing is Standing.ENDING:
        return {}
    now = errand.clock()
    return wanted(
        entry,
        level=errand.link.level,
        service=snapshot.service,
        customer=snapshot.customer,
        window=Span(now - BACK, now + desk.HORIZON),
        apart=known.apart,
        known={*known.dates, *known.singles, *also},
    )


def plan(errand: Errand, *, daily: bool = False) -> int:
    """Write down what is to be done for everything that was touched since the link looked last, and move its mark; how much that is.

    Costs nothing when nothing was touched. `daily`: what could not be found is looked for again, and series whose dates are events of
    their own are carried on as time goes by. Deleting what nobody has cancelled waits for a person when it is much.
    """
    with errand.store.read(errand.company) as snapshot:
        errand.link = snapshot.link(errand.link.id)
        touched = snapshot.touched(errand.calendar, errand.link.seen)
        rolling = _rolling(snapshot, errand) if daily else []
        behind = snapshot.appointments_of(errand.staff.id).last > errand.link.seen
    if not touched and not rolling and not behind:
        return 0
    with errand.commit() as tx:
        errand.link = tx.link(errand.link.id)
        touched, head = tx.touched(errand.calendar, errand.link.seen), tx.revision
        number = settle(tx, errand, [*touched, *rolling]) + _clear(tx, errand, touched)
        errand.link = replace(errand.link, seen=head)
        tx.save_link(errand.link)
    return number


def _rolling(snapshot: Snapshot, errand: Errand) -> list[EntryId]:
    return [
        item.key.entry
        for item in snapshot.items(errand.link.id)
        if (item.condition is Condition.PARKED and item.todo is None) or (item.apart and item.key.at is None)
    ]


def _clear(tx: Transaction, errand: Errand, touched: Sequence[EntryId]) -> int:
    """Deletions that nobody decided: an appointment is gone from the store without having been cancelled."""
    entries = tx.entries(touched)
    lost = [entry for entry in touched if not isinstance(entries.get(entry), Appointment)]
    if not lost or not any(item.base is not None for item in tx.items_of(errand.link.id, lost)):
        return 0
    now, stray = errand.clock(), astray(tx, errand)
    live = sum(item.base is not None and item.condition is not Condition.FOREIGN for item in tx.items(errand.link.id))
    allowed = errand.link.allowed is not None and errand.link.allowed > now
    if len(stray) <= guards.at_most(live, errand.habits.mass_delete_limit) or allowed:
        for item in stray:
            tx.save_item(replace(item, todo=Todo.DELETE, draft=None, due=None, attempts=0), now)
        return len(stray)
    if errand.link.standing is Standing.ACTIVE:
        sentence = f"{len(stray)} of {live} events would be deleted over there at once. None was; please say whether that is meant."
        observe.count("mirror_guards", guard=str(guards.Brake.DELETE))
        errand.note(tx, "guard", sentence)
        errand.link = replace(errand.link, standing=Standing.GUARD, trouble=sentence, since=now)
    return 0


def settle(tx: Transaction, errand: Errand, entries: Iterable[EntryId]) -> int:
    """Write down what is to be done for these entries, and how much that is. The same state settled twice is settled once.

    What was begun is left alone until it is known whether it was done. Entries that are gone from the store without having been cancelled
    are left alone as well: `astray` finds them.
    """
    number = 0
    for entry in dict.fromkeys(entries):
        held = appointment(tx, errand, entry)
        if held is None and errand.link.standing is not Standing.ENDING:
            continue
        try:
            planned = list(_planned(tx, errand, entry, held))
        except (Lost, Unavailable):
            raise
        except (GatewayError, ValueError, ArithmeticError) as error:  # whatever is wrong with it, the others go on
            observe.log("mirror_unplanned", level="warning", link=errand.link.id, entry=entry, error=error)
            continue
        for item in planned:
            tx.save_item(item, errand.clock())
        number += len(planned)
    return number


def following(link: LinkId, key: Key, series: Item | None) -> Item:
    """An occurrence that has followed its series until now: what is there is what the rule says, as far as the series is there."""
    if series is None or series.base is None or key.at is None:
        return Item(link=link, key=key, condition=Condition.PARKED)
    place = Span(key.at, key.at + series.base.span.length)
    return Item(link=link, key=key, base=replace(series.base, span=place, rule=""))


def changes_series(item: Item, there: Owned | None) -> bool:
    """Whether a series takes place otherwise than was known. Exchange then forgets every date that was moved or cancelled, and nobody
    lists them: what is known of them is worth nothing, whoever changed the series."""
    if item.key.at is not None or item.apart or item.base is None or there is None or not (item.base.rule or there.rule):
        return False
    return not same_time(there, item.base)


def drop_dates(tx: Transaction, errand: Errand, series: Key) -> None:
    """Forget what is known of the dates of a series, so that those that differ are written again."""
    for item in tx.items_of(errand.link.id, [series.entry]):
        if item.key.at is not None and not item.apart and item.key.generation == series.generation:
            tx.drop_item(errand.link.id, item.key)


def astray(tx: Snapshot, errand: Errand) -> list[Item]:
    """Events over there whose appointment is in the store no more, though nobody has cancelled it."""
    items = [
        item
        for item in tx.items(errand.link.id)
        if item.base is not None and item.todo is not Todo.DELETE and item.condition is not Condition.FOREIGN
    ]
    entries = tx.entries({item.key.entry for item in items})
    return [
        item
        for item in items
        if not (isinstance(held := entries.get(item.key.entry), Appointment) and held.calendar == errand.calendar)
        and (item.key.at is None or item.apart)
    ]


def _planned(tx: Transaction, errand: Errand, entry: EntryId, held: Appointment | None) -> Iterator[Item]:
    """The items of the entry that are not as they should be, with what is to be done."""
    known = Known.of(tx.items_of(errand.link.id, [entry]))
    since = errand.clock() - BACK
    should = local(tx, errand, held, known)
    lasting = held is not None and goes_on(held, since)
    if None in should or known.whole is not None:
        key = Key(entry=entry, generation=known.generation)
        yield from _event(errand, key, known.whole, should.get(None), new=lasting)
    for former in known.former:
        yield from _event(errand, former.key, former, None, new=False)
    for at in sorted({at for at in {*should, *known.singles} if at is not None}):
        single, owned = known.singles.get(at), should.get(at)
        recent = owned is not None and owned.span.end > since
        if known.apart or (single is not None and single.condition is not Condition.GONE):
            generation = FIRST_SINGLE if single is None else single.key.generation + (single.condition is Condition.GONE)
            yield from _event(errand, Key(entry=entry, at=at, generation=generation), single, owned, new=recent, apart=True)
        elif None in should and (at in known.dates or recent or at > since):
            key = Key(entry=entry, at=at, generation=known.generation)
            yield from _date(known.dates.get(at) or following(errand.link.id, key, known.whole), owned)
    if None in should:
        for at in sorted(set(known.dates) - set(should)):  # the series has no such date any more
            yield replace(known.dates[at], todo=None, draft=None, base=None, condition=Condition.GONE)


def _event(errand: Errand, key: Key, item: Item | None, owned: Owned | None, *, new: bool, apart: bool = False) -> Iterator[Item]:
    """An event of its own: made, changed, deleted, or left as it is. `new`: it may be made, and is not over for long."""
    if item is not None and item.todo is not None and item.attempts:
        return  # it may have been done: that is found out first
    if owned is None:
        yield from _unwanted(item)
    elif item is None or item.condition is Condition.GONE:
        if new:
            yield Item(link=errand.link.id, key=key, todo=Todo.CREATE, draft=owned, apart=apart)
    elif item.draft != owned and (new or item.draft is None or not _over(item.draft, errand.clock() - BACK)):
        todo = Todo.UPDATE if item.remote else Todo.CREATE
        yield replace(item, todo=todo, draft=owned, due=None, attempts=0, condition=Condition.SYNCED, trouble="")


def _over(owned: Owned, since: datetime) -> bool:
    """What has slid out of the window is left as it is: nobody looks at it any more."""
    return bool(owned.rule) or owned.span.end <= since


def _unwanted(item: Item | None) -> Iterator[Item]:
    """What should not be there any more. A deletion that was refused for good is not asked for again by itself."""
    if item is None or item.condition is Condition.GONE or item.todo is Todo.DELETE:
        return
    if item.base is None:  # nobody has been called yet, or in vain
        yield replace(item, todo=None, draft=None, condition=Condition.GONE)
    elif item.draft is not None or item.todo is not None or item.condition is Condition.SYNCED:
        yield replace(item, todo=Todo.DELETE, draft=None, due=None, attempts=0)


def _date(item: Item, owned: Owned | None) -> Iterator[Item]:
    """An occurrence that differs from its series: moved, cancelled, or put back."""
    if item.todo is not None and item.attempts:
        return
    if owned is None:
        if item.todo is not Todo.DELETE and (item.base is not None or item.condition is Condition.PARKED):
            yield replace(item, todo=Todo.DELETE, draft=None, due=None, attempts=0, condition=Condition.SYNCED)
    elif item.draft != owned:
        yield replace(item, todo=Todo.UPDATE, draft=owned, due=None, attempts=0, condition=Condition.SYNCED)
