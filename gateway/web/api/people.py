"""REST: staff, groups, services and customers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway import desk
from gateway.bridge import feed
from gateway.errors import Invalid, Missing
from gateway.model import Customer, CustomerId, ServiceId, Span, Staff
from gateway.store import fresh_id
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Operation, complained
from gateway.web.api.schema import Email, Flag, Instant, Listed, Locale, Maybe, Record, Text, Whole, Zone, answered, listing

_NOT_SENT = object()
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
    },
)


_PROBE = answered(
    "ExternalCalendarTest",
    {
        "reachable": Flag(),
        "trouble": Text(most=1000, about="One sentence with a next step; empty when it can be read"),
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
    person = replace(views.staff_named(call.snapshot, call.path["id"]), **_named(body))
    if body:
        desk.save_staff(call.tx, person, call.now)
    if external is not _NOT_SENT:
        if call.parts.sealer is None:
            raise Invalid("No address can be kept here: secrets.key is not set.", field="external_ics_url")
        feed.put_address(call.tx, call.parts.sealer, person.id, external or "", call.now)
    return _shown(call, person)


def _external_test(call: Call) -> Json:
    """Tries an address; stores nothing."""
    person = views.staff_named(call.snapshot, call.path["id"])
    if call.parts.fetcher is None:
        raise Missing("No address can be tried here.")
    found = feed.probe(call.parts.fetcher, call.body["url"], zone=person.zone, now=call.now)
    return {
        "reachable": found.reachable,
        "trouble": found.trouble,
        "events": found.events,
        "time_zone": found.zone,
        "next_busy": [{"start": views.stamp(span.start, person.zone), "end": views.stamp(span.end, person.zone)} for span in found.next],
        "warnings": list(found.warnings),
    }


def _free_busy(call: Call) -> Json:
    person = views.staff_named(call.snapshot, call.path["id"])
    start, end = call.query["from"], call.query["to"]
    if not start < end <= start + _LONGEST:
        raise complained(400, [("to", "must lie after the beginning of the window, 370 days at most")])
    busy = desk.free_busy(call.snapshot, person.id, Span(start, end))
    return {
        "staff": person.id,
        "from": views.stamp(start, person.zone),
        "to": views.stamp(end, person.zone),
        "busy": [{"start": views.stamp(span.start, person.zone), "end": views.stamp(span.end, person.zone)} for span in busy],
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
        body=Record(fields={"url": Text(least=1, most=2000)}, required=("url",), name="ExternalCalendarAddress"),
    ),
    Operation(
        method="GET",
        path="/staff/{id}/free-busy",
        name="getFreeBusy",
        tag="staff",
        summary="When a staff member is busy",
        run=_free_busy,
        answer=_FREE_BUSY,
        query={"from": Instant(), "to": Instant()},
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
