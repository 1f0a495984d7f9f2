"""How one appointment stands in calendars elsewhere, for whoever explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cli import shapes
from gateway.cli.frame import Json
from gateway.links import Condition, Item, Link, Standing, Todo
from gateway.model import Appointment

if TYPE_CHECKING:
    from gateway.store import Snapshot

_ABOUT_TO = {Todo.CREATE: "about to be made there", Todo.UPDATE: "about to be changed there", Todo.DELETE: "about to be removed there"}
_STATES = {
    Condition.SYNCED: "the same here and there",
    Condition.CONFLICT: "a person is asked",
    Condition.PARKED: "cannot be found there; looked for again",
    Condition.DEAD: "refused by the provider for good",
    Condition.GONE: "not there",
}


def items(snapshot: Snapshot, entry: Appointment) -> list[Json]:
    """A row for each event there, for each link that has or had it; and one for each link that does not show it yet."""
    rows: list[Json] = []
    for link in _links(snapshot, entry):
        found = sorted(snapshot.items_of(link.id, [entry.id]), key=lambda item: (item.key.at is not None, str(item.key.at)))
        rows += [_row(snapshot, link, entry, item) for item in found] or [_missing(snapshot, link)]
    return rows


def happenings(snapshot: Snapshot, entry: Appointment) -> list[Json]:
    """What the links' histories say about it, oldest first."""
    rows = [
        (each.at, {"at": shapes.stamp(each.at), "calendar": _named(snapshot, link), "kind": each.kind, "sentence": each.sentence})
        for link in _links(snapshot, entry)
        for each in snapshot.history(link.id, 500)
        if each.entry == entry.id
    ]
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def _links(snapshot: Snapshot, entry: Appointment) -> list[Link]:
    """Of its staff member: those that are at work, and those that have ended and still know it."""
    links = snapshot.links(staff=snapshot.calendar(entry.calendar).staff)
    return [link for link in links if link.standing is not Standing.ENDED or snapshot.items_of(link.id, [entry.id])]


def _row(snapshot: Snapshot, link: Link, entry: Appointment, item: Item) -> Json:
    return {
        "link": link.id,
        "calendar": _named(snapshot, link),
        "occurrence": None if item.key.at is None else shapes.stamp(item.key.at, entry.zone),
        "state": _ABOUT_TO[item.todo] if item.todo else _STATES.get(item.condition, str(item.condition)),
        "condition": item.condition.value,
        "shown_there": None if item.base is None else shapes.stamp(item.base.span.start, item.base.zone),
        "event": item.remote or None,
        "generation": item.key.generation,
        "attempts": item.attempts,
        "trouble": item.trouble or None,
    }


def _missing(snapshot: Snapshot, link: Link) -> Json:
    """Older than what is mirrored, or not looked at since it was booked."""
    nothing = dict.fromkeys(("occurrence", "condition", "shown_there", "event", "generation", "attempts", "trouble"))
    return {"link": link.id, "calendar": _named(snapshot, link), "state": "not there (yet)", **nothing}


def _named(snapshot: Snapshot, link: Link) -> str:
    account = snapshot.account(link.account)
    return f"{account.provider.value} {account.login}"
