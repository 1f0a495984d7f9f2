"""REST: staff, groups, services and customers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway import desk
from gateway.bridge import feed
from gateway.bridge.imports import Imports
from gateway.errors import Invalid, Missing
from gateway.links import Source
from gateway.model import Customer, CustomerId, ServiceId, Span, Staff, StaffId
from gateway.store import Snapshot, fresh_id
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Later, Operation, complained
from gateway.web.api.schema import Choice, Email, Flag, Instant, Listed, Locale, Maybe, Record, Text, Whole, Zone, answered, listing

_NOT_SENT = object()
_HABITS = {"external_ics_tentative_is_busy": "tentative", "external_ics_working_elsewhere_is_busy": "elsewhere"}
_LONGEST = timedelta(days=370)  # of a free-busy window

NEW_CUSTOMER = Record(
    fields={
        "name": Text(least=1),
        "email": Email(),
        "locale": Locale(),
        "time_zone": Zone(),
        "phone": Text(most=50),
    },
    required=("name", "email"),
    name="NewCustomer",
)
_CUSTOMER_CHANGE = Record(fields=NEW_CUSTOMER.fields, name="CustomerChange", about="Names that are not sent stay as they are.")
_STAFF_CHANGE = Record(
    fields={
        "name": Text(least=1),
        "email": Email(),
        "time_zone": Zone(),
        "locale": Locale(),
        "active": Flag(),
        "external_ics_url": Maybe(
            of=Text(most=2000, about="https:// or webcal://; nothing ends it. Its busy times block the staff member")
        ),
        "external_ics_tentative_is_busy": Maybe(of=Flag(about="Nothing: as the installation says")),
        "external_ics_working_elsewhere_is_busy": Maybe(of=Flag(about="Nothing: as the installation says")),
    },
    name="StaffChange",
    about="Names that are not sent stay as they are.",
)
_FREE_BUSY = answered(
    "FreeBusy",
    {
        "staff": views.ID,
        "from": Instant(),
        "to": Instant(),
        "busy": Listed(of=answered("Busy", {"start": Instant(), "end": Instant()}), about="Merged, in order, clipped to the window"),
        "sources": Listed(
            of=answered(
                "BusySource",
                {
                    "kind": Choice(values=["external_ics", "link", "account"]),
                    "of": Maybe(of=views.ID),
                    "confirmed": Maybe(of=Instant(about="When it was last known to be so; nothing: it has not been read yet")),
                    "age_seconds": Maybe(of=Whole()),
                },
            ),
            about="Where busy times from elsewhere come from. One that cannot be reached goes on blocking what was known last",
        ),
    },
)


_PROBE = answered(
    "ExternalCalendarTest",
    {
        "reachable": Flag(),
        "trouble": Text(most=1000, about="One sentence; empty when it can be read"),
        "next_step": Text(most=1000, about="What to do about it, where the sentence does not say so itself"),
        "events": Whole(),
        "time_zone": Text(),
        "next_busy": Listed(of=answered("NextBusy", {"start": Instant(), "end": Instant()})),
        "warnings": Listed(of=Text(most=1000)),
    },
)


def _staff_list(call: Call) -> Json:
    rows = sorted((f"{person.name}\t{person.id}", person) for person in call.snapshot.all_staff())
    return views.page(rows, lambda person: _shown(call, person), call.query)


def _shown(call: Call, person: Staff) -> Json:
    return views.staff(person, call.parts.public_url, call.snapshot.source(person.id))


def _staff_get(call: Call) -> Json:
    return _shown(call, views.staff_named(call.snapshot, call.path["id"]))


def _staff_put(call: Call) -> Json:
    body = dict(call.body)
    external = body.pop("external_ics_url", _NOT_SENT)
    habits = {name: body.pop(name) for name in _HABITS if name in body}
    person = replace(views.staff_named(call.snapshot, call.path["id"]), **_named(body))
    if body:
        desk.save_staff(call.tx, person, call.now)
    if external is not _NOT_SENT:
        if call.parts.sealer is None:
            raise Invalid("No address can be kept here: secrets.key is not set.", field="external_ics_url")
        feed.put_address(call.tx, call.parts.sealer, person.id, external or "", call.now)
        call.tx.audit("external-calendar", person.id, {}, {"set": call.tx.source(person.id) is not None}, call.now)
    if habits:
        _put_habits(call, person.id, habits)
    return _shown(call, person)


def _put_habits(call: Call, staff: StaffId, sent: Json) -> None:
    source = views.referred(next(iter(sent)), lambda: _imported(call.snapshot, staff))
    before = {"tentative": source.tentative, "elsewhere": source.elsewhere}
    after = {**before, **{_HABITS[name]: value for name, value in sent.items()}}
    feed.put_habits(call.tx, staff, call.now, tentative=after["tentative"], elsewhere=after["elsewhere"])
    call.tx.audit("external-calendar", staff, before, after, call.now)


def _imported(snapshot: Snapshot, staff: StaffId) -> Source:
    source = snapshot.source(staff)
    if source is None:
        raise Missing("There is no external calendar.")
    return source


def _external_test(call: Call) -> Later:
    """Tries an address, or the one that is kept; stores nothing."""
    person, fetcher = views.staff_named(call.snapshot, call.path["id"]), call.parts.fetcher
    if fetcher is None:
        raise Missing("No address can be tried here.")
    trial = feed.trial(call.snapshot, fetcher, call.parts.sealer, person, call.body.get("url", ""), call.now)

    def tried() -> Json:
        found = trial()
        return {
            "reachable": found.reachable,
            "trouble": found.trouble,
            "next_step": found.step,
            "events": found.events,
            "time_zone": found.zone,
            "next_busy": [_shown_span(span, person.zone) for span in found.next],
            "warnings": list(found.warnings),
        }

    return tried


def _shown_span(span: Span, zone: str) -> Json:
    return {"start": views.stamp(span.start, zone), "end": views.stamp(span.end, zone)}


def _free_busy(call: Call) -> Json | Later:
    person = views.staff_named(call.snapshot, call.path["id"])
    start, end = call.query["from"], call.query["to"]
    if not start < end <= start + _LONGEST:
        raise complained(400, [("to", "must lie after the beginning of the window, 370 days at most")])
    fresh, fetcher, seal = call.query.get("fresh"), call.parts.fetcher, call.parts.sealer
    if fresh is None or fetcher is None or seal is None:
        return _busy_within(call.snapshot, person, Span(start, end), call.now)
    imports = Imports(call.parts.store, seal, fetcher, clock=call.parts.clock)

    def refreshed() -> Json:
        imports.refresh(call.login.company, person.id, timedelta(seconds=fresh))
        with call.parts.store.read(call.login.company) as snapshot:
            return _busy_within(snapshot, person, Span(start, end), call.parts.clock())

    return refreshed


def _busy_within(snapshot: Snapshot, person: Staff, window: Span, now: datetime) -> Json:
    return {
        "staff": person.id,
        "from": views.stamp(window.start, person.zone),
        "to": views.stamp(window.end, person.zone),
        "busy": [_shown_span(span, person.zone) for span in desk.free_busy(snapshot, person.id, window)],
        "sources": [_source(origin, confirmed, now, person.zone) for origin, confirmed in _origins(snapshot, person.id)],
    }


def _origins(snapshot: Snapshot, staff: StaffId) -> list[tuple[str, datetime | None]]:
    """Where busy times from elsewhere come from, an external calendar also before it has been read for the first time."""
    unread = {feed.ORIGIN: None} if snapshot.source(staff) is not None else {}
    return sorted({**unread, **snapshot.foreign_origins(staff)}.items())


def _source(origin: str, confirmed: datetime | None, now: datetime, zone: str) -> Json:
    kind, _, of = origin.partition(":")
    return {
        "kind": "external_ics" if kind == feed.ORIGIN else kind,
        "of": of or None,
        "confirmed": None if confirmed is None else views.stamp(confirmed, zone),
        "age_seconds": None if confirmed is None else max(0, int((now - confirmed).total_seconds())),
    }


def _groups(call: Call) -> Json:
    rows = sorted((f"{team.name}\t{team.id}", team) for team in call.snapshot.groups())
    return views.page(rows, views.group, call.query)


def _services(call: Call) -> Json:
    rows = sorted((f"{offer.name}\t{offer.id}", offer) for offer in call.snapshot.services())
    return views.page(rows, views.service, call.query)


def _service(call: Call) -> Json:
    return views.service(call.snapshot.service(ServiceId(call.path["id"])))


def _customers(call: Call) -> Json:
    wanted = call.query.get("email", "").casefold()
    rows = sorted((f"{each.name}\t{each.id}", each) for each in call.snapshot.customers() if wanted in ("", each.email.casefold()))
    return views.page(rows, views.customer, call.query)


def _customer_get(call: Call) -> Json:
    return views.customer(call.snapshot.customer(CustomerId(call.path["id"])))


def _customer_post(call: Call) -> Json:
    company = call.tx.company
    blank = Customer(id=CustomerId(fresh_id()), name="", email="", locale=company.locale, zone=company.zone)
    person = replace(blank, **_named(call.body))
    desk.save_customer(call.tx, person, call.now)
    return views.customer(person)


def _customer_put(call: Call) -> Json:
    person = replace(call.snapshot.customer(CustomerId(call.path["id"])), **_named(call.body))
    desk.save_customer(call.tx, person, call.now)
    return views.customer(person)


def _named(body: Json) -> dict[str, Any]:  # the fields' own types
    """Outside it is called time_zone, inside zone."""
    return {"zone" if name == "time_zone" else name: value for name, value in body.items()}


OPERATIONS = [
    Operation(
        method="GET",
        path="/staff",
        name="listStaff",
        tag="staff",
        summary="Staff members by name",
        run=_staff_list,
        answer=listing(views.STAFF),
        query=views.PAGING,
    ),
    Operation(
        method="GET", path="/staff/{id}", name="getStaff", tag="staff", summary="One staff member", run=_staff_get, answer=views.STAFF
    ),
    Operation(
        method="PUT",
        path="/staff/{id}",
        name="changeStaff",
        tag="staff",
        summary="Change a staff member",
        run=_staff_put,
        answer=views.STAFF,
        writes=True,
        body=_STAFF_CHANGE,
    ),
    Operation(
        method="POST",
        path="/staff/{id}/external-ics/test",
        name="testExternalCalendar",
        tag="staff",
        summary="Try an external calendar: what it would block",
        run=_external_test,
        answer=_PROBE,
        body=Record(
            fields={"url": Text(most=2000, about="Without one, the address that is kept is tried")}, name="ExternalCalendarAddress"
        ),
        body_optional=True,
    ),
    Operation(
        method="GET",
        path="/staff/{id}/free-busy",
        name="getFreeBusy",
        tag="staff",
        summary="When a staff member is busy",
        run=_free_busy,
        answer=_FREE_BUSY,
        query={
            "from": Instant(),
            "to": Instant(),
            "fresh": Whole(least=30, most=86_400, about="Seconds: an external calendar that was read longer ago is read first, for 10 s"),
        },
        required_query=("from", "to"),
    ),
    Operation(
        method="GET",
        path="/groups",
        name="listGroups",
        tag="staff",
        summary="Groups of staff",
        run=_groups,
        answer=listing(views.GROUP),
        query=views.PAGING,
    ),
    Operation(
        method="GET",
        path="/services",
        name="listServices",
        tag="services",
        summary="What can be booked",
        run=_services,
        answer=listing(views.SERVICE),
        query=views.PAGING,
    ),
    Operation(
        method="GET", path="/services/{id}", name="getService", tag="services", summary="One service", run=_service, answer=views.SERVICE
    ),
    Operation(
        method="GET",
        path="/customers",
        name="listCustomers",
        tag="customers",
        summary="Customers by name",
        run=_customers,
        answer=listing(views.CUSTOMER),
        query={"email": Email(about="Only the ones with this address"), **views.PAGING},
    ),
    Operation(
        method="POST",
        path="/customers",
        name="addCustomer",
        tag="customers",
        summary="A new customer",
        run=_customer_post,
        answer=views.CUSTOMER,
        status=201,
        writes=True,
        body=NEW_CUSTOMER,
    ),
    Operation(
        method="GET",
        path="/customers/{id}",
        name="getCustomer",
        tag="customers",
        summary="One customer",
        run=_customer_get,
        answer=views.CUSTOMER,
    ),
    Operation(
        method="PUT",
        path="/customers/{id}",
        name="changeCustomer",
        tag="customers",
        summary="Change a customer",
        run=_customer_put,
        answer=views.CUSTOMER,
        writes=True,
        body=_CUSTOMER_CHANGE,
    ),
]
