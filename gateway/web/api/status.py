"""REST: how the company's calendars stand, in the numbers that tell whether somebody has to do something."""

from __future__ import annotations

from gateway.bridge.channels import switched_on
from gateway.bridge.health import facts
from gateway.links import Provider
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Operation
from gateway.web.api.schema import Flag, Instant, Listed, Maybe, Text, Whole, answered

_PROVIDER = answered(
    "ProviderStatus",
    {
        "provider": Text(),
        "switched_on": Flag(about="By the company; off means: paused by the administrator, nothing is forgotten"),
        "configured": Flag(about="Whether the server has a client id of it"),
    },
)
_STATUS = answered(
    "Status",
    {
        "staff": Whole(),
        "connected": Whole(about="Staff members who use a link or a device"),
        "never_connected": Whole(),
        "in_sync": Whole(about="Links that work"),
        "broken": Whole(about="Links that somebody has to do something about: they say what"),
        "paused": Whole(),
        "one_way": Whole(about="Staff members whose links take over no moves, while the company does"),
        "decisions": Whole(about="Questions that wait for a word of a person"),
        "waiting": Whole(about="Changes that are not over there yet"),
        "dead": Whole(about="Events that a provider refuses for good"),
        "external_failing": Whole(about="External and other calendars that block and cannot be read now"),
        "oldest_complete_look": Maybe(of=Instant(about="Of the links that work")),
        "oldest_unsent": Maybe(of=Instant(about="When the oldest change was made that is not over there yet")),
        "providers": Listed(of=_PROVIDER),
    },
)


def _get(call: Call) -> Json:
    snapshot, zone = call.snapshot, call.snapshot.company.zone
    found = facts(snapshot, call.now)
    houses = call.parts.accounts.houses if call.parts.accounts is not None else {}
    return {
        "staff": found.staff,
        "connected": found.connected,
        "never_connected": found.never,
        "in_sync": found.sound,
        "broken": found.broken,
        "paused": found.paused,
        "one_way": found.one_way,
        "decisions": found.decisions,
        "waiting": found.waiting,
        "dead": found.dead,
        "external_failing": found.failing,
        "oldest_complete_look": views.maybe_stamp(found.looked, zone),
        "oldest_unsent": views.maybe_stamp(found.unsent, zone),
        "providers": [
            {"provider": each.value, "switched_on": switched_on(snapshot.company.policy, each), "configured": each in houses}
            for each in Provider
        ],
    }


OPERATIONS = [
    Operation(
        method="GET",
        path="/status",
        name="getStatus",
        tag="settings",
        summary="How the company's calendars stand, in a few numbers",
        run=_get,
        answer=_STATUS,
    )
]
