"""PUT: a proposal for an appointment, or a personal object kept octet for octet (RFC 4791 §5.3.2)."""

from __future__ import annotations

import re

from gateway import desk
from gateway.booking import Intent
from gateway.errors import Conflict, Invalid, Refused, TooLarge
from gateway.ical import read
from gateway.model import Appointment, CalendarId, Refusal
from gateway.store import Collection, Held, Store, Transaction
from plugins.failures import Denied, answer_to, read_only
from plugins.features import allowed, kind_of
from plugins.get import entity, tag_of
from plugins.place import Place
from plugins.prefer import REPRESENTATION
from plugins.request import Answer, Request, check_conditions, etag, names_a_version, preferred
from plugins.states import check_states

_UNFIT_FOR_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def answer(store: Store, request: Request) -> Answer:
    place = request.place
    if place.name is None:
        raise Denied(405, "A whole calendar cannot be overwritten.", headers={"Allow": allowed(kind_of(place))})
    text = _text(request)
    with store.write(request.login.company, request.actor) as tx:
        collection = _writable(tx, request)
        held = tx.held(collection.calendars[0], place.name)
        try:
            check_states(tx, request)
            check_conditions(request, etag(tx.epoch, held.revision) if held else None, tag_of(tx.epoch, held))
        except Conflict:
            if held is None or not request.prefer.representation:
                raise
            return returned(tx, request, collection, Answer(412))
        if held is not None and isinstance(held.entry, Appointment):
            answered = _propose(tx, request, collection.calendars[0], held, held.entry, text)
        else:
            answered = _keep(tx, request, collection, held, text)
        return returned(tx, request, collection, answered) if request.prefer.representation else answered


def returned(tx: Transaction, request: Request, collection: Collection, answered: Answer, place: Place | None = None) -> Answer:
    """The answer with what is stored now, as a client prefers it: of an appointment that is our own text of it, under the ETag that
    goes with it (RFC 8144 §3). Errors but a failed precondition are left as they are."""
    at = place or request.place
    row = tx.rows_named(collection, [at.name or ""]).get(at.name or "")
    if row is None or row.octets is None or answered.status not in (200, 201, 204, 412):
        return answered
    headers = {**answered.headers, **entity(tx.epoch, row), "Content-Location": at.path(request.prefix)}
    return preferred(Answer(200 if answered.status == 204 else answered.status, row.octets, headers), REPRESENTATION)


def _writable(tx: Transaction, request: Request) -> Collection:
    found = tx.collection(request.staff, request.place.slug or "")
    if found is None:
        raise Denied(409, "There is no such calendar.")  # RFC 4918 §9.7.1: a missing parent
    if not found.writable:
        raise read_only(at=request.parent, privilege="bind")
    return found


def _text(request: Request) -> str:
    """The body as text that can be kept, and given out in XML again."""
    if len(request.body) > request.limits.object_octets:
        raise TooLarge(
            f"A calendar object may have {request.limits.object_octets} octets at most.",
            limit="limits.object_bytes",
            condition="max-resource-size",
        )
    kind = str(request.head.get("CONTENT_TYPE", "")).split(";")[0].strip().lower()
    if kind not in ("", "text/calendar", "text/plain", "application/octet-stream"):
        raise Invalid("Calendar objects are sent as text/calendar.", condition="supported-calendar-data")
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        raise Invalid("The calendar object is not UTF-8.", condition="valid-calendar-data") from None
    if _UNFIT_FOR_XML.search(text):
        raise Invalid("The calendar object contains control characters.", condition="valid-calendar-data")
    return text


def _propose(tx: Transaction, request: Request, calendar: CalendarId, held: Held, entry: Appointment, text: str) -> Answer:
    proposal = read.proposal(entry, held.text, text)
    try:
        desk.apply(
            tx,
            request.actor,
            calendar,
            entry.name,
            proposal.intents,
            request.now,
            seen=None if names_a_version(request) else proposal.seen,
        )
    except Refused as refused:
        return turned_back(tx, request, calendar, entry.name, refused, text)
    # Never an ETag: what is kept is our rendering of the appointment, not the client's octets (RFC 4791 §5.3.4).
    return Answer(204, None, _tagged(tx, calendar, entry.name))


def turned_back(tx: Transaction, request: Request, calendar: CalendarId, name: str, refused: Refused, proposal: str) -> Answer:
    """The answer to a refused change, as the company wants it given; the change of ETag makes every client fetch the old state.

    Measured on Thunderbird, Evolution and vdirsyncer (clients.md §4): after 204 without ETag they all show it unaided.
    """
    desk.turn_back(tx, request.actor, calendar, name, refused, proposal, request.now)
    if tx.company.policy.refusal is Refusal.FORBID:
        return answer_to(refused, request.at)
    return Answer(204, None, _tagged(tx, calendar, name) if request.method == "PUT" else {})


def _tagged(tx: Transaction, calendar: CalendarId, name: str) -> dict[str, str]:
    """The schedule tag as it is now, which RFC 6638 §3.2.10 wants in the answer to every PUT."""
    tag = tag_of(tx.epoch, tx.held(calendar, name))
    return {"Schedule-Tag": tag} if tag is not None else {}


def _keep(tx: Transaction, request: Request, collection: Collection, held: Held | None, text: str) -> Answer:
    name, calendar = request.place.name or "", collection.calendars[0]
    wish = read.personal(text, zone=tx.staff(collection.owner).zone)
    if wish.component not in collection.components:
        raise Invalid(f"This calendar does not take {wish.component}.", condition="supported-calendar-component")
    _same_identity(held, wish.uid, name)
    intents: list[Intent] = [wish]
    change = desk.apply(tx, request.actor, calendar, name, intents, request.now)
    revision = change.revision if change is not None else held.revision if held is not None else None
    headers = {"ETag": etag(tx.epoch, revision)} if revision is not None else {}
    return Answer(204 if held else 201, None, headers)


def _same_identity(held: Held | None, uid: str, name: str) -> None:
    if held is not None and held.entry.uid != uid:
        raise Conflict("The object at this address has another UID.", condition="no-uid-conflict", href=name)
