"""REST: the calendars elsewhere that staff members have connected, how they stand, and what can be done about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.bridge import accounts
from gateway.links import Access, Condition, Direction, Link, LinkId, Provider, Standing
from gateway.model import Level, OnDelete
from gateway.store import Snapshot
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Operation
from gateway.web.api.schema import Choice, Flag, Instant, Listed, Maybe, Record, Text, Whole, answered, listing
from gateway.web.connect import accounts as connector

LINK = answered(
    "Link",
    {
        "id": views.ID,
        "staff": views.ID,
        "provider": Choice(values=list(Provider)),
        "login": Text(about="The address of the account at the provider"),
        "calendar": Text(about="What the calendar is called there"),
        "direction": Choice(values=list(Direction), about="out: moves made there are turned back. both: they are proposals"),
        "level": Choice(values=list(Level)),
        "on_delete": Maybe(of=Choice(values=list(OnDelete), about="Nothing: as the company's settings say")),
        "standing": Choice(values=list(Standing)),
        "access": Choice(values=list(Access)),
        "status": Choice(values=["green", "yellow", "red", "grey"], about="green only after a look that was complete and is not old"),
        "trouble": Text(most=1000, about="One sentence; empty when there is none"),
        "next_step": Text(most=1000),
        "last_complete_look": Maybe(of=Instant()),
        "waiting": Whole(about="Changes that are not over there yet"),
        "dead": Whole(about="Events the provider refuses for good"),
    },
)
_HAPPENING = answered("Happening", {"at": Instant(), "kind": Text(), "sentence": Text(most=1000), "appointment": Maybe(of=views.ID)})
_NEW = Record(
    fields={
        "staff": Text(least=1, most=100),
        "provider": Choice(values=list(Provider)),
        "primary": Flag(about="Ask for the person's own calendar instead of making one"),
        "back": Text(most=500, about="A path of these pages where the browser goes on"),
    },
    required=("staff", "provider"),
    name="NewLink",
)
_BEGUN = answered("Consent", {"authorize_url": Text(most=4000, about="Send the staff member's browser there; good for ten minutes, once")})
_CHANGE = Record(
    fields={
        "paused": Flag(),
        "direction": Choice(values=list(Direction)),
        "level": Choice(values=list(Level)),
        "on_delete": Choice(values=list(OnDelete)),
    },
    name="LinkChange",
)
_DECISION = Record(
    fields={"meant": Flag(about="true: delete or move as seen there. false: put everything back")}, required=("meant",), name="Decision"
)
_AGAIN = answered("Retried", {"items": Whole()})

Shown = Callable[[Any], Json]  # a row of views.page


def shown(snapshot: Snapshot, link: Link, now: Any) -> Json:
    """A link as programs see it; `now` decides whether its last look is old."""
    account = snapshot.account(link.account)
    items = snapshot.items(link.id)
    status, trouble, step = accounts.condition(snapshot.company.policy, account, link, now)
    return {
        "id": link.id,
        "staff": link.staff,
        "provider": account.provider.value,
        "login": account.login,
        "calendar": link.title,
        "direction": link.direction.value,
        "level": link.level.value,
        "on_delete": None if link.on_delete is None else link.on_delete.value,
        "standing": link.standing.value,
        "access": account.access.value,
        "status": status,
        "trouble": trouble,
        "next_step": step,
        "last_complete_look": None if link.pulled is None else views.stamp(link.pulled, snapshot.company.zone),
        "waiting": sum(item.todo is not None for item in items),
        "dead": sum(item.condition is Condition.DEAD for item in items),
    }


def _list(call: Call) -> Json:
    rows = sorted((f"{link.staff}\t{link.id}", link) for link in call.snapshot.links() if link.standing is not Standing.ENDED)
    return views.page(rows, lambda link: shown(call.snapshot, link, call.now), call.query)


def _get(call: Call) -> Json:
    return shown(call.snapshot, call.snapshot.link(LinkId(call.path["id"])), call.now)


def _post(call: Call) -> Json:
    body = call.body
    person = views.referred("staff", lambda: views.staff_named(call.tx, body["staff"]))
    given = {"primary": body.get("primary", False), "back": body.get("back", "")}
    return {"authorize_url": connector(call.parts).begin(call.tx, person.id, Provider(body["provider"]), **given)}


def _patch(call: Call) -> Json:
    body = call.body
    link = accounts.change(
        call.tx,
        LinkId(call.path["id"]),
        call.now,
        paused=body.get("paused"),
        direction=Direction(body["direction"]) if "direction" in body else None,
        level=Level(body["level"]) if "level" in body else None,
        on_delete=OnDelete(body["on_delete"]) if "on_delete" in body else None,
    )
    call.tx.audit("link", link.id, {}, {name: body[name] for name in body}, call.now)
    return shown(call.tx, link, call.now)


def _delete(call: Call) -> Json:
    link = accounts.disconnect(call.tx, LinkId(call.path["id"]), call.now, remove=call.query.get("remove", True))
    call.tx.audit("link-disconnected", link.id, {}, {"remove": call.query.get("remove", True)}, call.now)
    return shown(call.tx, link, call.now)


def _decide(call: Call) -> Json:
    link = accounts.decide(call.tx, LinkId(call.path["id"]), call.now, meant=call.body["meant"])
    call.tx.audit("link-decided", link.id, {}, {"meant": call.body["meant"]}, call.now)
    return shown(call.tx, link, call.now)


def _retry(call: Call) -> Json:
    return {"items": accounts.retry(call.tx, LinkId(call.path["id"]), call.now)}


def _history(call: Call) -> Json:
    snapshot = call.snapshot
    link = snapshot.link(LinkId(call.path["id"]))
    rows = [
        {"at": views.stamp(each.at, snapshot.company.zone), "kind": each.kind, "sentence": each.sentence, "appointment": each.entry}
        for each in snapshot.history(link.id, 100)
    ]
    return {"items": rows}


OPERATIONS = [
    Operation(
        method="GET",
        path="/links",
        name="listLinks",
        tag="links",
        summary="Calendars elsewhere that are connected, and how they stand",
        run=_list,
        answer=listing(LINK),
        query=views.PAGING,
    ),
    Operation(
        method="POST",
        path="/links",
        name="connect",
        tag="links",
        summary="Begin to connect a calendar elsewhere",
        run=_post,
        answer=_BEGUN,
        status=201,
        writes=True,
        body=_NEW,
    ),
    Operation(method="GET", path="/links/{id}", name="getLink", tag="links", summary="One link", run=_get, answer=LINK),
    Operation(
        method="PATCH",
        path="/links/{id}",
        name="changeLink",
        tag="links",
        summary="Pause, resume, one way or two, how much is shown",
        run=_patch,
        answer=LINK,
        writes=True,
        body=_CHANGE,
    ),
    Operation(
        method="DELETE",
        path="/links/{id}",
        name="disconnect",
        tag="links",
        summary="Disconnect; our events there are removed unless told otherwise",
        run=_delete,
        answer=LINK,
        writes=True,
        query={"remove": Flag()},
    ),
    Operation(
        method="POST",
        path="/links/{id}/decide",
        name="decide",
        tag="links",
        summary="Say whether what a brake holds back was meant",
        run=_decide,
        answer=LINK,
        writes=True,
        body=_DECISION,
    ),
    Operation(
        method="POST",
        path="/links/{id}/retry",
        name="retryLink",
        tag="links",
        summary="Try once more what the provider has refused",
        run=_retry,
        answer=_AGAIN,
        writes=True,
    ),
    Operation(
        method="GET",
        path="/links/{id}/history",
        name="getLinkHistory",
        tag="links",
        summary="What happened to a link, the newest first",
        run=_history,
        answer=answered("History", {"items": Listed(of=_HAPPENING)}),
    ),
]
