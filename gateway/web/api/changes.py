"""REST: the company's change log, for programs that keep a copy of their own."""

from __future__ import annotations

from gateway.model import Appointment, Change, Entry, Revision
from gateway.store import Snapshot
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Operation
from gateway.web.api.schema import Choice, Instant, Listed, Maybe, Record, Text, Whole, answered

_KINDS = ("booked", "changed", "cancelled", "refused", "refreshed", "personal", "calendar")

_APPOINTMENT = Record(
    fields={name: kind for name, kind in views.APPOINTMENT.fields.items() if name not in {"revision", "etag"}},
    required=tuple(name for name in views.APPOINTMENT.fields if name not in {"revision", "etag"}),
    name="AppointmentState",
    about="An appointment as it was at that point of the log",
)
_CHANGE = answered(
    "Change",
    {
        "revision": Whole(),
        "kind": Choice(
            values=_KINDS,
            about="personal and calendar concern a staff member's own events and calendars, of which nothing is told here; "
            "refreshed: only the text shown in calendars was written anew",
        ),
        "appointment": Maybe(of=views.ID),
        "before": Maybe(of=_APPOINTMENT),
        "after": Maybe(of=_APPOINTMENT),
        "actor": answered(
            "Actor", {"who": Text(), "door": Text(about="dav, rest, cli, page, import, or mirror: and the number of a link")}
        ),
        "at": Instant(),
        "reason": Maybe(of=Text(about="Why a proposal was refused")),
        "detail": Text(most=2000),
    },
)
_CHANGES = answered(
    "ChangeList",
    {
        "items": Listed(of=_CHANGE),
        "next": Whole(about="Send it as after to go on"),
        "revision": Whole(about="The head of the log"),
    },
)


def _list(call: Call) -> Json:
    after = Revision(call.query.get("after", 0))
    found = call.snapshot.changes(after, limit=call.query.get("limit", 500))
    return {
        "items": [_change(call.snapshot, change) for change in found],
        "next": found[-1].revision if found else min(after, call.snapshot.revision),
        "revision": call.snapshot.revision,
    }


def _change(snapshot: Snapshot, change: Change) -> Json:
    kind = _kind(change)
    return {
        "revision": change.revision,
        "kind": kind,
        "appointment": change.entry if kind not in {"personal", "calendar"} else None,
        "before": _state(snapshot, change.before),
        "after": _state(snapshot, change.after),
        "actor": {"who": change.actor.who, "door": change.actor.door},
        "at": views.stamp(change.at),
        "reason": str(change.reason) if change.reason else None,
        "detail": change.detail,
    }


def _kind(change: Change) -> str:
    match change.before, change.after:
        case None, None:
            return "calendar"
        case None, Appointment():
            return "booked"
        case Appointment() as before, Appointment() as after:
            if change.reason is not None:
                return "refused"
            if before == after:
                return "refreshed"
            return "cancelled" if after.status != before.status else "changed"
        case _:
            return "personal"


def _state(snapshot: Snapshot, entry: Entry | None) -> Json | None:
    """What a staff member's own event says is his own affair."""
    return views.booked(snapshot, entry) if isinstance(entry, Appointment) else None


OPERATIONS = [
    Operation(
        method="GET",
        path="/changes",
        name="listChanges",
        tag="changes",
        summary="What happened after a revision, in order and without gaps",
        run=_list,
        answer=_CHANGES,
        waits=True,
        query={
            "after": Whole(about="The last revision you have seen; 0 for the whole log"),
            "wait": Whole(most=60, about="Seconds to wait for something to happen when there is nothing yet"),
            "limit": Whole(least=1, most=1000, about="Changes of one answer; 500 unless told"),
        },
    ),
]
