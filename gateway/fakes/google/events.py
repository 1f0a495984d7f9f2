"""Events one by one: insert, import, get, patch, update, delete, move."""

from __future__ import annotations

from dataclasses import replace

from gateway.fakes.google import channels, instances, rendering, writing
from gateway.fakes.google.access import Caller
from gateway.fakes.google.problems import invalid, problem, required
from gateway.fakes.google.state import Calendar, GoogleWorld, Row
from gateway.fakes.google.writing import Draft
from gateway.fakes.wire import Json, Request

PERSONAL = {"reminders", "colorId", "extendedProperties", "transparency"}
"""What may be changed in the copy of an event that somebody else organises."""


def insert(world: GoogleWorld, by: Caller, calendar: Calendar, request: Request) -> Row:
    """A new event. Raises Rejected: 400, or 409 for an id that exists or ever did, and for an iCalUID that exists."""
    body = json(request)
    name, uid = body.get("id"), body.get("iCalUID")
    if name is not None and not (isinstance(name, str) and writing.IDS.fullmatch(name)):
        raise invalid("Invalid resource id value.")
    if name and uid:
        raise invalid("Only one of id and iCalUID may be supplied.")
    if body.get("status") == "cancelled":
        raise invalid("Invalid value for: status")
    made = writing.draft(calendar, body)
    if name in calendar.rows or any(row.uid == uid and not row.cancelled for row in calendar.rows.values() if uid):
        raise problem(409)
    return add(world, calendar, made, name=str(name or ""), uid=str(uid or ""), by=by.client, request=request)


def add(
    world: GoogleWorld, calendar: Calendar, made: Draft, *, name: str = "", uid: str = "", by: str = "", request: Request | None = None
) -> Row:
    """Keep a new event. Without `by` it is the person's own; without a request nobody is told."""
    name = name or world.chance.text(26, "0123456789abcdefghijklmnopqrstuv")
    row = Row(
        id=name,
        uid=uid or f"{name}@google.com",
        body={},
        times=made.times,
        created=world.now,
        updated=world.now,
        by=by,
    )
    calendar.rows[name] = row
    _take(world, calendar, row, made)
    _mail(world, calendar, row, "invitation", request)
    return row


def bring_in(world: GoogleWorld, by: Caller, calendar: Calendar, request: Request) -> Row:
    """events.import: a private copy, found again by its iCalUID, deleted or not. Tells nobody. Raises Rejected with 400."""
    body = json(request)
    uid = body.get("iCalUID")
    if not (isinstance(uid, str) and uid):
        raise required("Missing iCalUID.")
    if body.get("eventType", "default") != "default":
        raise problem(400, "eventTypeRestriction", "Only events of the default type can be imported.", domain="calendar")
    made = writing.draft(calendar, body | {"privateCopy": True})
    row = next((each for each in calendar.rows.values() if each.uid == uid and not each.master), None)
    if row is None:
        row = add(world, calendar, made, uid=uid, by=by.client)
    else:
        _check_sequence(body, row)
        row.cancelled = False
        _take(world, calendar, row, made)
    row.sequence = max(row.sequence, int(body.get("sequence", 0)))
    row.organizer = str((body.get("organizer") or {}).get("email", ""))
    return row


def get(calendar: Calendar, name: str) -> Row:
    """The event, cancelled or not. Raises Rejected with 404."""
    row = instances.find(calendar, name)
    if row is None:
        raise problem(404)
    return row


def change(world: GoogleWorld, calendar: Calendar, name: str, request: Request, *, whole: bool) -> Row:
    """Patch, or with `whole` update. Raises Rejected: 400, 403, 404, 412."""
    body, row = json(request), get(calendar, name)
    _check_match(request, row)
    if row.cancelled and not (row.master and body.get("status") == "confirmed" and not _head(calendar, row).cancelled):
        raise problem(403)
    written = body if whole else writing.merged(writing.resource(row), body)
    _check_foreign(row, body)
    _check_sequence(body, row)
    if written.get("status") == "cancelled":
        remove(world, calendar, row, request)
        return row
    made = writing.draft(calendar, written, instance=bool(row.master))
    if made.type != row.body.get("eventType", "default"):
        raise problem(400, "eventTypeRestriction", "The type of an event cannot be changed.", domain="calendar")
    if row.master:
        made = _veiled(world, calendar, row, made)
    return amend(world, calendar, row, made, request)


def amend(world: GoogleWorld, calendar: Calendar, row: Row, made: Draft, request: Request | None = None) -> Row:
    """Make the event what the draft says. Instances become exceptions; a series drops those its new rules have no place for."""
    same = _without(row.body, "reminders") == _without(made.body, "reminders") and (row.times, row.lines) == (made.times, made.lines)
    if same and row.body.get("reminders") != made.body.get("reminders") and row.id in calendar.rows:
        row.body, row.version = made.body, world.step()  # neither `updated` nor the order of changes knows of reminders
        return row
    if made.times != row.times:
        row.sequence += 1
    row.cancelled = False
    calendar.rows.setdefault(row.id, row)
    _take(world, calendar, row, made)
    if row.series:
        for lost in instances.without_lost(calendar, row):
            _cancel(world, lost)
    _mail(world, calendar, row, "update", request)
    return row


def delete(world: GoogleWorld, calendar: Calendar, name: str, request: Request) -> None:
    """Delete an event, or cancel one instance. Raises Rejected: 404, 410 when it is gone already, 412."""
    row = get(calendar, name)
    if row.cancelled:
        raise problem(410, "deleted", "Resource has been deleted", domain="global")
    _check_match(request, row)
    remove(world, calendar, row, request)


def remove(world: GoogleWorld, calendar: Calendar, row: Row, request: Request | None = None) -> None:
    """Leave a tombstone; a series takes its exceptions with it."""
    calendar.rows.setdefault(row.id, row)
    _mail(world, calendar, row, "cancellation", request)
    for each in [*calendar.exceptions(row.id), row]:
        _cancel(world, each)
    channels.notify(world, calendar)


def move(world: GoogleWorld, calendar: Calendar, destination: Calendar, name: str) -> Row:
    """To another calendar, and so to another organizer; a bare tombstone stays behind. Raises Rejected: 400, 403, 404."""
    row = get(calendar, name)
    if row.cancelled or row.organizer:
        raise problem(403, "forbiddenForNonOrganizer")
    if row.master or row.body.get("eventType", "default") != "default":
        raise problem(400, "cannotChangeOrganizer", "This event cannot be moved.", domain="calendar")
    if row.id in destination.rows and not destination.rows[row.id].cancelled:
        raise problem(409)
    for each in [row, *calendar.exceptions(row.id)]:
        destination.rows[each.id] = replace(each, body=dict(each.body), seq=world.step(), version=world.tick, updated=world.now)
        _cancel(world, each)
    channels.notify(world, calendar)
    channels.notify(world, destination)
    return destination.rows[row.id]


def json(request: Request) -> Json:
    body = request.json()
    if body is None:
        raise problem(400, "parseError", "Parse Error")
    return body


def _take(world: GoogleWorld, calendar: Calendar, row: Row, made: Draft) -> None:
    row.body, row.times, row.lines, row.recurrence = made.body, made.times, made.lines, made.recurrence
    row.spans.append(made.times.span(calendar.zone))
    row.seq = row.version = world.step()
    row.updated = world.now
    channels.notify(world, calendar)


def _cancel(world: GoogleWorld, row: Row) -> None:
    row.cancelled, row.updated = True, world.now
    row.seq = row.version = world.step()


def _head(calendar: Calendar, row: Row) -> Row:
    return calendar.rows[row.master]


def _veiled(world: GoogleWorld, calendar: Calendar, row: Row, made: Draft) -> Draft:
    """Visibility belongs to the series: what is stricter holds for all its instances, what is less strict is passed over."""
    head = _head(calendar, row)
    new, old = (writing.RESTRICTION[str(body.get("visibility", "default"))] for body in (made.body, head.body))
    if new > old:
        for each in [head, *calendar.exceptions(head.id)]:
            if each.id != row.id and not each.cancelled:
                each.body = each.body | {"visibility": made.body["visibility"]}
                each.seq = each.version = world.step()
                each.updated = world.now
    if new < old:
        return replace(made, body=made.body | {"visibility": head.body["visibility"]})
    return made


def _check_match(request: Request, row: Row) -> None:
    wanted = request.headers.get("if-match")
    if wanted not in (None, "*", rendering.etag(row)):
        raise problem(412, place="If-Match", kind="header")


def _check_foreign(row: Row, body: Json) -> None:
    """What somebody else organises, or has locked, is theirs."""
    if not (row.organizer or row.body.get("locked")) or row.body.get("guestsCanModify") or set(body) <= PERSONAL:
        return
    if row.body.get("privateCopy"):
        return
    raise problem(
        403, "forbiddenForNonOrganizer", "Shared properties can only be changed by the organizer of the event.", domain="calendar"
    )


def _check_sequence(body: Json, row: Row) -> None:
    if isinstance(body.get("sequence"), int) and body["sequence"] < row.sequence:
        raise invalid("Invalid sequence value. The specified sequence number is below the current sequence number of the resource.")


def _without(body: Json, name: str) -> Json:
    return {key: value for key, value in body.items() if key != name}


def _mail(world: GoogleWorld, calendar: Calendar, row: Row, kind: str, request: Request | None) -> None:
    """Attendees are told, unless asked not to; and those who do not use Google's calendar are told all the same."""
    guests = [str(each["email"]) for each in row.body.get("attendees", []) if each.get("email") != calendar.owner]
    if not guests or request is None:
        return
    wish = request.first("sendUpdates") or ("none" if request.first("sendNotifications") == "false" else "all")
    told = guests if wish == "all" else [guest for guest in guests if guest not in world.accounts]
    despite = "sendUpdates=none" if wish == "none" else ""
    title = str(row.body.get("summary", ""))
    world.mail(told, kind=kind, account=calendar.owner, event=row.id, title=title, despite=despite)
