"""REST: appointments are booked, listed, moved and cancelled by the platform."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway import desk
from gateway.booking import Amend, Book, Cancel, Intent, Move, Resize
from gateway.errors import Conflict, Invalid, Missing
from gateway.model import Appointment, Customer, CustomerId, EntryId, Recurrence, ServiceId, Span
from gateway.recurrence import Rule
from gateway.store import Held, Transaction, fresh_id
from gateway.web import conditions
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Operation
from gateway.web.api.people import NEW_CUSTOMER
from gateway.web.api.schema import Flag, Instant, Listed, Maybe, Record, Text, Zone, listing

_LIVE = timedelta(days=3653)  # a window without an end is a long one: everything in it is indexed or expanded

_RECURRENCE = Record(
    fields={
        "rule": Text(least=1, most=20_000, about="RRULE value, such as FREQ=WEEKLY;COUNT=10"),
        "excluded": Listed(of=Instant(), most=500, about="Original starts of occurrences that do not take place"),
    },
    required=("rule",),
    name="NewRecurrence",
)
_NEW = Record(
    fields={
        "staff": Text(least=1, most=100, about="Id or handle"),
        "service": views.ID,
        "customer": NEW_CUSTOMER,
        "customer_id": views.ID,
        "start": Instant(),
        "end": Instant(about="The service's duration after the start unless told"),
        "time_zone": Zone(about="The staff member's unless told"),
        "recurrence": Maybe(of=_RECURRENCE),
        "notes": Text(most=10_000, lines=True),
    },
    required=("staff", "service", "start"),
    exactly_one_of=("customer", "customer_id"),
    name="NewAppointment",
)
_PATCH = Record(
    fields={
        "start": Instant(about="The length stays unless an end is sent with it"),
        "end": Instant(),
        "occurrence": Instant(about="Move only the occurrence of a series that originally starts here"),
        "service": views.ID,
        "notes": Text(most=10_000, lines=True),
        "recurrence": _RECURRENCE,
    },
    name="AppointmentChange",
)
_CANCEL = Record(
    fields={"occurrence": Instant(about="Cancel only the occurrence of a series that originally starts here")}, name="Cancellation"
)


def _show(call: Call, held: Held) -> Json:
    return views.appointment(call.snapshot, held)


def _held(call: Call) -> Held:
    held = call.snapshot.held_by_id(EntryId(call.path["id"]))
    if held is None or not isinstance(held.entry, Appointment):
        raise Missing("There is no such appointment.")
    return held


def _changed(call: Call, id: EntryId) -> Json:
    held = call.snapshot.held_by_id(id)
    if held is None:
        raise Missing("There is no such appointment.")
    return _show(call, held)


def _list(call: Call) -> Json:
    query = call.query
    people = [views.staff_named(call.snapshot, query["staff"]).id] if "staff" in query else None
    window = None
    if "from" in query or "to" in query:
        start = query.get("from", call.now - _LIVE)
        window = Span(start, query.get("to", max(start, call.now) + _LIVE))
    found = call.snapshot.appointments(staff=people, window=window, cancelled=query.get("cancelled", False))
    rows = ((f"{held.entry.span.start:%Y%m%dT%H%M%S}-{held.entry.uid}", held) for held in found if isinstance(held.entry, Appointment))
    return views.page(rows, lambda held: _show(call, held), query)


def _get(call: Call) -> Json:
    return _show(call, _held(call))


def _book(call: Call) -> Json:
    tx, body = call.tx, call.body
    person = views.referred("staff", lambda: views.staff_named(tx, body["staff"]))
    if not person.active:
        raise Invalid("This staff member takes no appointments any more.", field="staff")
    service = views.referred("service", lambda: tx.service(ServiceId(body["service"])))
    customer = _customer(tx, body, call.now)
    new = fresh_id()
    wish = Book(
        uid=f"{new}@{tx.company.slug}",
        span=_span(body["start"], body.get("end", body["start"] + service.duration)),
        zone=body.get("time_zone", person.zone),
        customer=customer,
        service=service.id,
        recurrence=_series(body["recurrence"]) if body.get("recurrence") else None,
        notes=body.get("notes", ""),
    )
    change = desk.apply(tx, call.actor, tx.appointments_of(person.id).id, f"{new}.ics", [wish], call.now)
    if change is None or change.entry is None:
        raise Conflict("The appointment could not be booked.", condition="booked")
    return _changed(call, change.entry)


def _patch(call: Call) -> Json:
    held = _held(call)
    entry = held.entry
    if not isinstance(entry, Appointment) or not conditions.seen(call.if_match or "", views.etag(call.snapshot, held.revision)):
        raise Conflict("The appointment has changed since you fetched it. Fetch it again and decide anew.")
    wishes = [*_move(call, entry), *_amend(call)]
    if wishes:
        desk.apply_to(call.tx, call.actor, entry.id, wishes, call.now)
    return _changed(call, entry.id)


def _move(call: Call, entry: Appointment) -> list[Intent]:
    body = call.body
    at: datetime | None = body.get("occurrence")
    if "start" not in body and "end" not in body:
        if at is not None:
            raise Invalid("An occurrence is named, but no new time for it.", field="start")
        return []
    old = _place(call, entry, at)
    start = body.get("start", old.start)
    span = _span(start, body.get("end", start + old.length))
    if span.start == old.start:
        return [Resize(span=span, at=at)]
    return [Move(span=span, at=at)]


def _place(call: Call, entry: Appointment, at: datetime | None) -> Span:
    if at is None:
        return entry.span
    override = next((each for each in entry.recurrence.overrides if each.at == at), None) if entry.recurrence else None
    return override.span if override else Span(at, at + entry.span.length)


def _amend(call: Call) -> list[Intent]:
    body = call.body
    if not {"notes", "service", "recurrence"} & body.keys():
        return []
    series = _series(body["recurrence"]) if "recurrence" in body else None
    if "service" in body:
        views.referred("service", lambda: call.snapshot.service(ServiceId(body["service"])))
    return [Amend(notes=body.get("notes"), service=body.get("service"), recurrence=series)]


def _cancel(call: Call) -> Json:
    held = _held(call)
    if call.if_match and not conditions.seen(call.if_match, views.etag(call.snapshot, held.revision)):
        raise Conflict("The appointment has changed since you fetched it. Fetch it again and decide anew.")
    desk.apply_to(call.tx, call.actor, held.entry.id, [Cancel(at=call.body.get("occurrence"))], call.now)
    return _changed(call, held.entry.id)


def _span(start: datetime, end: datetime) -> Span:
    if end <= start:
        raise Invalid("The end must lie after the start.", field="end")
    return Span(start, end)


def _series(body: Json) -> Recurrence:
    try:
        rule = str(Rule.parse(body["rule"].removeprefix("RRULE:")))
    except Invalid as error:
        raise Invalid(str(error), field="recurrence.rule") from error
    return Recurrence(rule=rule, excluded=tuple(sorted(set(body.get("excluded", ())))))


def _customer(tx: Transaction, booking: Json, now: datetime) -> CustomerId:
    """The customer with this id, or with this address and name, or a new one: nobody's facts are overwritten by a booking."""
    if "customer_id" in booking:
        return views.referred("customer_id", lambda: tx.customer(CustomerId(booking["customer_id"]))).id
    body = booking["customer"]
    for known in tx.customers():
        if (known.email.casefold(), known.name) == (body["email"].casefold(), body["name"]):
            return known.id
    new = Customer(
        id=CustomerId(fresh_id()),
        name=body["name"],
        email=body["email"],
        locale=body.get("locale", tx.company.locale),
        zone=body.get("time_zone", tx.company.zone),
        phone=body.get("phone", ""),
    )
    desk.save_customer(tx, new, now)
    return new.id


OPERATIONS = [
    Operation(
        method="GET",
        path="/appointments",
        name="listAppointments",
        tag="appointments",
        summary="Appointments with an occurrence in the window, by start",
        run=_list,
        answer=listing(views.APPOINTMENT),
        query={
            "staff": Text(least=1, most=100, about="Id or handle; everybody's unless told"),
            "from": Instant(about="The window begins here"),
            "to": Instant(about="The window ends before this"),
            "cancelled": Flag(about="Cancelled ones as well"),
            **views.PAGING,
        },
    ),
    Operation(
        method="POST",
        path="/appointments",
        name="bookAppointment",
        tag="appointments",
        summary="Book an appointment",
        run=_book,
        answer=views.APPOINTMENT,
        status=201,
        writes=True,
        body=_NEW,
        reasons=True,
        about="The customer gets a letter. 409 with a reason code when the time is taken, past or outside the working hours.",
    ),
    Operation(
        method="GET",
        path="/appointments/{id}",
        name="getAppointment",
        tag="appointments",
        summary="One appointment",
        run=_get,
        answer=views.APPOINTMENT,
    ),
    Operation(
        method="PATCH",
        path="/appointments/{id}",
        name="changeAppointment",
        tag="appointments",
        summary="Move an appointment, or change facts of it",
        run=_patch,
        answer=views.APPOINTMENT,
        writes=True,
        body=_PATCH,
        if_match=True,
        reasons=True,
        about="The customer is told when the time changes. Names that are not sent stay as they are.",
    ),
    Operation(
        method="POST",
        path="/appointments/{id}/cancel",
        name="cancelAppointment",
        tag="appointments",
        summary="Cancel an appointment, or one occurrence of it",
        run=_cancel,
        answer=views.APPOINTMENT,
        writes=True,
        body=_CANCEL,
        body_optional=True,
        reasons=True,
        about="The customer is told. A second time changes nothing. If-Match is honoured when it is sent.",
    ),
]
