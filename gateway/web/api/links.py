"""REST: the calendars elsewhere that staff members have connected, how they stand, and what can be done about them."""

from __future__ import annotations

from datetime import datetime

from gateway.bridge import orders
from gateway.links import Access, Direction, Link, LinkId, Provider, Standing
from gateway.model import EntryId, Level, OnDelete
from gateway.store import Snapshot, Tally
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
        "oldest_unsent": Maybe(of=Instant(about="When the oldest of them was made")),
        "dead": Whole(about="Events the provider refuses for good"),
        "undecided": Whole(about="Events that wait for a word of a person, or cannot be found"),
    },
)
_TROUBLE = answered(
    "Trouble",
    {
        "appointment": views.ID,
        "occurrence": Maybe(of=Instant(about="The original start of the occurrence, if it is about one")),
        "condition": Choice(values=[str(each) for each in orders.OPEN]),
        "trouble": Text(most=1000, about="The provider's sentence"),
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
_SETTLEMENT = Record(
    fields={
        "appointment": Text(least=1, most=100),
        "keep": Flag(about="true: leave it there as it is. false: write the booking system's version once more"),
    },
    required=("appointment", "keep"),
    name="Settlement",
)
_AGAIN = answered("Retried", {"items": Whole(about="So many events")})
_MOST = 500
"""Troubles of one answer; whoever has more has one trouble."""


def shown(snapshot: Snapshot, link: Link, now: datetime, tally: Tally | None = None) -> Json:
    """A link as programs see it; `now` decides whether its last look is old."""
    account, zone = snapshot.account(link.account), snapshot.company.zone
    tally = tally or snapshot.tallies(link.id).get(link.id) or Tally()
    status, trouble, step = orders.condition(snapshot.company.policy, account, link, now)
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
        "last_complete_look": views.maybe_stamp(link.pulled, zone),
        "waiting": tally.waiting,
        "oldest_unsent": views.maybe_stamp(tally.unsent, zone),
        "dead": tally.dead,
        "undecided": tally.undecided,
    }


def _list(call: Call) -> Json:
    tallies = call.snapshot.tallies()
    ended, staff = call.query.get("ended", False), call.query.get("staff")
    whose = None if staff is None else views.referred("staff", lambda: views.staff_named(call.snapshot, staff)).id
    found = [link for link in call.snapshot.links(staff=whose) if ended or link.standing is not Standing.ENDED]
    rows = sorted((f"{link.staff}\t{link.id}", link) for link in found)
    return views.page(rows, lambda link: shown(call.snapshot, link, call.now, tallies.get(link.id, Tally())), call.query)


def _get(call: Call) -> Json:
    return shown(call.snapshot, call.snapshot.link(LinkId(call.path["id"])), call.now)


def _post(call: Call) -> Json:
    body = call.body
    person = views.referred("staff", lambda: views.staff_named(call.tx, body["staff"]))
    given = {"primary": body.get("primary", False), "back": body.get("back", "")}
    return {"authorize_url": connector(call.parts).begin(call.tx, person.id, Provider(body["provider"]), **given)}


def _patch(call: Call) -> Json:
    body, former = call.body, call.tx.link(LinkId(call.path["id"]))
    link = orders.change(
        call.tx,
        former.id,
        call.now,
        paused=body.get("paused"),
        direction=Direction(body["direction"]) if "direction" in body else None,
        level=Level(body["level"]) if "level" in body else None,
        on_delete=OnDelete(body["on_delete"]) if "on_delete" in body else None,
    )
    call.tx.audit("link", link.id, _facts(former), _facts(link), call.now)
    return shown(call.tx, link, call.now)


def _facts(link: Link) -> Json:
    """What of it is written into the record of changes."""
    return {
        "standing": link.standing.value,
        "direction": link.direction.value,
        "level": link.level.value,
        "on_delete": None if link.on_delete is None else link.on_delete.value,
    }


def _delete(call: Call) -> Json:
    link = orders.disconnect(
        call.tx,
        LinkId(call.path["id"]),
        call.now,
        remove=call.query.get("remove", True),
        blocking_too=not call.query.get("keep_blocking", False),
    )
    call.tx.audit("link-disconnected", link.id, {}, {"remove": call.query.get("remove", True)}, call.now)
    return shown(call.tx, link, call.now)


def _decide(call: Call) -> Json:
    link = orders.decide(call.tx, LinkId(call.path["id"]), call.now, meant=call.body["meant"])
    call.tx.audit("link-decided", link.id, {}, {"meant": call.body["meant"]}, call.now)
    return shown(call.tx, link, call.now)


def _retry(call: Call) -> Json:
    return {"items": orders.retry(call.tx, LinkId(call.path["id"]), call.now)}


def _settle(call: Call) -> Json:
    link, body = LinkId(call.path["id"]), call.body
    number = orders.settle(call.tx, link, EntryId(body["appointment"]), call.now, keep=body["keep"])
    call.tx.audit("link-settled", link, {}, {"appointment": body["appointment"], "keep": body["keep"]}, call.now)
    return {"items": number}


def _troubles(call: Call) -> Json:
    snapshot = call.snapshot
    items = [item for item in snapshot.items(snapshot.link(LinkId(call.path["id"])).id) if item.condition in orders.OPEN]
    rows = [
        {
            "appointment": item.key.entry,
            "occurrence": views.maybe_stamp(item.key.at, snapshot.company.zone),
            "condition": item.condition.value,
            "trouble": item.trouble,
        }
        for item in items[:_MOST]
    ]
    return {"items": rows}


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
        query={**views.PAGING, "staff": Text(least=1, most=100, about="Id or handle"), "ended": Flag()},
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
        query={"remove": Flag(), "keep_blocking": Flag(about="The account goes on to block its owner when other calendars of it are busy")},
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
        method="GET",
        path="/links/{id}/troubles",
        name="getLinkTroubles",
        tag="links",
        summary="Events that wait for a word of a person, or that the provider refuses",
        run=_troubles,
        answer=answered("Troubles", {"items": Listed(of=_TROUBLE)}),
    ),
    Operation(
        method="POST",
        path="/links/{id}/settle",
        name="settleTrouble",
        tag="links",
        summary="Say of one appointment whether it stays there as it is",
        run=_settle,
        answer=_AGAIN,
        writes=True,
        body=_SETTLEMENT,
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
