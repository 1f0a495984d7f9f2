"""Events one by one: create, change, delete; with the mails that Exchange sends as soon as somebody attends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.fakes.chance import BASE64
from gateway.fakes.cursors import fingerprint
from gateway.fakes.microsoft import occurrences, subscriptions, writing
from gateway.fakes.microsoft.problems import problem, unreadable
from gateway.fakes.microsoft.rendering import etag
from gateway.fakes.microsoft.state import Folder, Gone, Mailbox, MicrosoftWorld, Row
from gateway.fakes.microsoft.writing import Draft
from gateway.fakes.series import HORIZON
from gateway.fakes.wire import Json, Request
from gateway.model import Span


def create(world: MicrosoftWorld, mailbox: Mailbox, folder: Folder, request: Request, client: str) -> tuple[Row, bool]:
    """A new event, and whether it is new. Raises Rejected: 400, 409 for a transaction id of another event, 503.

    The same body under the same transaction id is the same event. An event with open extensions is created without them.
    """
    written = json(request)
    made = writing.draft(mailbox, written)
    name = written.get("transactionId")
    mark = fingerprint({"folder": folder.id, "body": {key: value for key, value in written.items() if key != "transactionId"}})
    if name and (known := _transaction(world, mailbox, name)):
        row = mailbox.rows.get(known[0])
        if row is not None and known[1] == mark:
            return row, False
        raise problem(
            409,
            "ErrorDuplicateTransactionId",
            "Your request can't be completed because the TransactionId value has already been used to create a different event.",
        )
    row = add(world, mailbox, folder, made, by=client, transaction=name)
    if name:
        mailbox.transactions[name] = (row.id, mark, world.now)
    if written.get("extensions"):
        raise problem(503, "ErrorConcurrentItemSave", "The item was saved by somebody else at the same time.")
    return row, True


def _transaction(world: MicrosoftWorld, mailbox: Mailbox, name: str) -> tuple[str, str, datetime] | None:
    known = mailbox.transactions.get(name)
    limit = world.knobs.transaction_seconds
    if known and limit and world.now - known[2] > timedelta(seconds=limit):
        del mailbox.transactions[name]
        return None
    return known


def add(
    world: MicrosoftWorld,
    mailbox: Mailbox,
    folder: Folder,
    made: Draft,
    *,
    by: str = "",
    transaction: str | None = None,
    mails: bool = True,
) -> Row:
    """Keep a new event. Without `by` it is the person's own."""
    row = Row(
        id=f"AAkALg{world.chance.text(56, BASE64)}/+A=",
        rest=rest_id(world),
        calendar=folder.id,
        uid="040000008200E00074C5B7101A82E008" + world.chance.text(80, "0123456789ABCDEF"),
        body={},
        times=made.times,
        zones=made.zones,
        transaction=transaction,
        created=world.now,
        modified=world.now,
        by=by,
    )
    mailbox.rows[row.id] = row
    _take(row, made)
    touch(world, mailbox, row)
    subscriptions.notify(world, mailbox, row, "created")
    if mails:
        _mail(world, mailbox, row, "invitation")
    return row


def rest_id(world: MicrosoftWorld) -> str:
    return f"AAMkAD{world.chance.text(108, BASE64)}/+AAA="


def get(world: MicrosoftWorld, mailbox: Mailbox, name: str) -> Row:
    """The event of that id, a deleted one too where it can be recovered. Raises Rejected with 404."""
    row = occurrences.find(mailbox, name) or (mailbox.bin.get(name) if world.knobs.recoverable else None)
    if row is None:
        raise problem(404)
    return row


def change(world: MicrosoftWorld, mailbox: Mailbox, name: str, request: Request) -> Row:
    """PATCH. Raises Rejected: 400, 404, 412."""
    row, written = get(world, mailbox, name), json(request)
    _check_match(request, row)
    if written.get("transactionId") not in (None, row.transaction):
        raise problem(400, "ErrorInvalidRequest", "transactionId cannot be changed.")
    made = writing.draft(mailbox, written, row)
    if row.master:
        _check_boundary(mailbox, row, made)
    return amend(world, mailbox, row, made)


def amend(world: MicrosoftWorld, mailbox: Mailbox, row: Row, made: Draft, *, mails: bool = True) -> Row:
    """Make the event what the draft says. A series whose times or pattern change forgets its exceptions and cancellations."""
    if mails:
        for _ in range(1 + (len(mailbox.exceptions(row.id)) if row.series else 0)):  # once more for each exception
            _mail(world, mailbox, replace(row, body=made.body), "update")
    if row.series and (row.times, row.pattern) != (made.times, made.pattern):
        before = _ids(mailbox, row)
        for each in mailbox.exceptions(row.id):
            del mailbox.rows[each.id]
        row.cancelled = set()
        _take(row, made)
        _bury(world, mailbox, row, before)
    else:
        _take(row, made)
    if not row.kept:
        row.kept, row.created = True, world.now
        mailbox.rows[row.id] = row
    touch(world, mailbox, row)
    if row.master:
        master = mailbox.rows[row.master]
        master.change_key, master.modified = world.change_key(), world.now
    subscriptions.notify(world, mailbox, row, "updated")
    return row


def delete(world: MicrosoftWorld, mailbox: Mailbox, name: str, request: Request) -> None:
    """Raises Rejected: 403 for what is deleted already and can be recovered, 404, 412."""
    row = get(world, mailbox, name)
    if world.knobs.recoverable and mailbox.bin.get(name) is row:
        raise problem(403, "ErrorCannotDeleteObject", "Object cannot be deleted.")
    _check_match(request, row)
    remove(world, mailbox, row)


def remove(world: MicrosoftWorld, mailbox: Mailbox, row: Row, *, mails: bool = True) -> None:
    """Delete an event; an occurrence is cancelled, which only its master's cancelledOccurrences tells."""
    if mails:
        _mail(world, mailbox, row, "cancellation")
    master = mailbox.rows.get(row.master)
    if master is not None and row.original is not None:
        mailbox.rows.pop(row.id, None)
        master.cancelled.add(row.original)
        master.change_key, master.modified = world.change_key(), world.now
        if world.knobs.occurrence_news:
            master.seq = world.mark(mailbox)
        subscriptions.notify(world, mailbox, master, "updated")
        return
    before = _ids(mailbox, row) if row.series else []
    for each in mailbox.exceptions(row.id):
        del mailbox.rows[each.id]
    del mailbox.rows[row.id]
    if world.knobs.recoverable:
        row.change_key = world.change_key()
        mailbox.bin[row.id] = row
    bury(world, mailbox, row)
    for each in before:
        bury(world, mailbox, each)
    subscriptions.notify(world, mailbox, row, "deleted")


def transfer(world: MicrosoftWorld, mailbox: Mailbox, row: Row, folder: Folder) -> None:
    """To another calendar: the immutable id stays, the other one does not."""
    bury(world, mailbox, row)
    row.calendar, row.rest = folder.id, rest_id(world)
    touch(world, mailbox, row)
    for each in mailbox.exceptions(row.id):
        assert each.original is not None  # noqa: S101  exceptions have one
        each.calendar, each.rest = folder.id, occurrences.occurrence_id(row.rest, each.original, occurrences.REST)
        touch(world, mailbox, each)
    subscriptions.notify(world, mailbox, row, "updated")


def touch(world: MicrosoftWorld, mailbox: Mailbox, row: Row) -> None:
    """The row has changed, if only in what nobody sees."""
    row.change_key, row.modified, row.seq = world.change_key(), world.now, world.mark(mailbox)


def bury(world: MicrosoftWorld, mailbox: Mailbox, row: Row) -> None:
    mailbox.gone[f"{row.calendar} {row.id}"] = Gone(id=row.id, rest=row.rest, calendar=row.calendar, seq=world.mark(mailbox))


def json(request: Request) -> Json:
    body = request.json()
    if body is None:
        raise unreadable("Unable to read JSON request payload.")
    return body


def _take(row: Row, made: Draft) -> None:
    row.body, row.times, row.zones, row.extended = made.body, made.times, made.zones, made.extended
    row.pattern, row.recurrence = made.pattern, made.recurrence


def _ids(mailbox: Mailbox, master: Row) -> list[Row]:
    """The occurrences that callers may know by id."""
    return list(occurrences.expand(mailbox, master, Span(master.times.start, master.times.start + HORIZON)))


def _bury(world: MicrosoftWorld, mailbox: Mailbox, master: Row, before: list[Row]) -> None:
    after = {row.id for row in _ids(mailbox, master)} if master.series else set()
    for row in before:
        if row.id not in after:
            bury(world, mailbox, row)


def _check_match(request: Request, row: Row) -> None:
    if request.headers.get("if-match") not in (None, "*", etag(row)):
        raise problem(412)


def _check_boundary(mailbox: Mailbox, row: Row, made: Draft) -> None:
    """An occurrence cannot be moved to or past the day of its neighbours."""
    if row.original is None or made.times == row.times:
        return
    before, after = occurrences.neighbours(mailbox, mailbox.rows[row.master], row.original)
    day = made.times.wall.date()
    if (before and day <= before.times.wall.date()) or (after and day >= after.times.wall.date()):
        raise problem(400, "ErrorOccurrenceCrossingBoundary", "Modified occurrence is crossing or overlapping adjacent occurrence.")


def _mail(world: MicrosoftWorld, mailbox: Mailbox, row: Row, kind: str) -> None:
    """There is no way to ask Exchange not to."""
    guests = [str(each["emailAddress"]["address"]) for each in row.body.get("attendees", [])]
    told = [guest for guest in guests if guest != mailbox.login]
    world.mail(told, kind=kind, account=mailbox.login, event=row.id, title=str(row.body.get("subject") or ""))
