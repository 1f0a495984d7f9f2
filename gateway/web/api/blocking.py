"""REST: the calendars of a connected account, and which of them block its staff member."""

from __future__ import annotations

from gateway.bridge import choices
from gateway.bridge.remote import Disconnected, RemoteError
from gateway.errors import Conflict, Unavailable
from gateway.links import LinkId
from gateway.store import Snapshot
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Later, Operation
from gateway.web.api.schema import Flag, Instant, Listed, Maybe, Record, Text, answered
from gateway.web.connect import accounts as connector

_OFFER = answered(
    "ElsewhereCalendar",
    {
        "id": Text(about="The provider's"),
        "title": Text(),
        "primary": Flag(about="The main calendar of the account"),
        "writable": Flag(about="The appointments could be shown in it"),
        "written": Flag(about="They are"),
        "may_block": Flag(about="It can be asked when it is busy"),
        "blocks": Flag(about="Its busy times block the staff member"),
        "confirmed": Maybe(of=Instant(about="When its busy times were last read")),
        "trouble": Text(most=1000, about="Why they cannot be read; empty when there is none"),
    },
)
_OFFERS = answered(
    "ElsewhereCalendars",
    {
        "listed": Flag(about="false: the consent does not let us see which calendars there are, so not all are here"),
        "items": Listed(of=_OFFER),
    },
)
_BLOCKS = Record(
    fields={
        "calendars": Listed(
            of=Record(
                fields={"id": Text(least=1, most=1000), "title": Text(most=200)},
                required=("id",),
                name="BlockingCalendar",
            ),
            most=choices.MOST,
        )
    },
    required=("calendars",),
    name="Blocking",
)
_BLOCKED = answered("BlockingCalendars", {"items": Listed(of=_OFFER)})


def _calendars(call: Call) -> Later:
    account, accounts = call.snapshot.link(LinkId(call.path["id"])).account, connector(call.parts)

    def asked() -> Json:
        try:
            found = choices.offers(accounts, call.login.company, account)
        except Disconnected as error:
            raise Conflict(str(error), condition="reconnect") from error
        except RemoteError as error:
            raise Unavailable(str(error)) from error
        with call.parts.store.read(call.login.company) as snapshot:
            return {"listed": found.listed, "items": _offered(snapshot, found)}

    return asked


def _block(call: Call) -> Json:
    account = call.tx.link(LinkId(call.path["id"])).account
    choices.put(call.tx, account, {each["id"]: each.get("title") or each["id"] for each in call.body["calendars"]}, call.now)
    found = choices.remembered(call.tx, account)
    return {"items": [each for each in _offered(call.tx, found) if each["blocks"]]}


def _offered(snapshot: Snapshot, found: choices.Offers) -> list[Json]:
    known = {each.calendar: each for each in snapshot.blocking(found.account.id)}
    confirmed = snapshot.foreign_origins(found.account.staff)
    return [
        {
            "id": each.id,
            "title": each.title,
            "primary": each.primary,
            "writable": each.writable,
            "written": each.written,
            "may_block": each.may_block,
            "blocks": each.blocks,
            "confirmed": views.maybe_stamp(confirmed.get(known[each.id].origin), snapshot.company.zone) if each.blocks else None,
            "trouble": known[each.id].trouble if each.blocks else "",
        }
        for each in found.calendars
    ]


OPERATIONS = [
    Operation(
        method="GET",
        path="/links/{id}/calendars",
        name="getLinkCalendars",
        tag="links",
        summary="The calendars of the same account, and which of them block; asks the provider",
        run=_calendars,
        answer=_OFFERS,
    ),
    Operation(
        method="PUT",
        path="/links/{id}/blocking",
        name="setBlockingCalendars",
        tag="links",
        summary="Which calendars of the same account block the staff member when they are busy",
        about="These and no others. What one that is left out has blocked is forgotten at once. Only times are read.",
        run=_block,
        answer=_BLOCKED,
        writes=True,
        body=_BLOCKS,
    ),
]
