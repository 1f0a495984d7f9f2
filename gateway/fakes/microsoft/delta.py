"""Delta of a calendar's window: a first round with everything, then rounds of changes, told the way Exchange tells them.

What it says is right and yet misleading: an event that was added or changed outside the window is told as removed; a cancelled
occurrence is not told at all; occurrences come without anything their master has; items may come twice and in any order.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from gateway.fakes.cursors import seal, unseal
from gateway.fakes.microsoft import occurrences, query, rendering
from gateway.fakes.microsoft.problems import bad_query, problem
from gateway.fakes.microsoft.rendering import Taste
from gateway.fakes.microsoft.state import Mailbox, MicrosoftWorld, Row
from gateway.fakes.wire import Json, Reply, Request
from gateway.model import Span

UNSUPPORTED = ("$select", "$expand", "$filter", "$orderby", "$search", "$top", "$skip")
USUAL = 50  # items of a page

Group = tuple[str, list[Json]]  # what must not be split over two pages, by what it is ordered


def round_of(world: MicrosoftWorld, mailbox: Mailbox, folder: str, request: Request, *, expand: bool) -> Reply:
    """One page of one round. `expand`: occurrences too (calendarView); else masters and singles (events).

    Raises Rejected: 400 for what delta does not take or for a dead token, 410 with the address to begin again.
    """
    for name in UNSUPPORTED:
        if request.first(name):
            raise bad_query(f"The query parameter '{name}' is not supported for this resource with delta.")
    liking = rendering.taste(request)
    facts = _facts(world, mailbox, folder, request, expand=expand)
    window = Span(*(datetime.fromisoformat(each).astimezone(UTC) for each in facts["window"]))
    groups = _groups(world, mailbox, folder, window, facts, liking, expand=expand)
    size = min(each for each in (liking.size or USUAL, world.knobs.page_size or 10_000) if each)
    items, onward = _page(groups, facts["after"], size, empty=world.knobs.empty_pages)
    answer: Json = {"@odata.context": f"{request.base}/v1.0/$metadata#Collection(event)", "value": items}
    if onward is not None:
        answer["@odata.nextLink"] = _link(request, "$skiptoken", facts | {"after": onward})
    else:
        if world.knobs.replay and items and facts["since"] >= 0:
            items.append(items[0])
        answer["@odata.deltaLink"] = _link(request, "$deltatoken", facts | {"after": None, "since": facts["upto"], "upto": None})
    headers = {"Preference_Applied": liking.applied} if liking.applied else {}
    return Reply.of(answer, 200, **headers)


def _facts(world: MicrosoftWorld, mailbox: Mailbox, folder: str, request: Request, *, expand: bool) -> Json:
    token = request.first("$skiptoken") or request.first("$deltatoken")
    if not token:
        window = query.window(request)
        start = {"mailbox": mailbox.oid, "folder": folder, "expand": expand, "epoch": mailbox.epoch, "since": -1, "after": None}
        return start | {"window": [window.start.isoformat(), window.end.isoformat()], "upto": _head(world, mailbox)}
    facts = unseal(token)
    if facts is None or (facts.get("mailbox"), facts.get("folder"), facts.get("expand")) != (mailbox.oid, folder, expand):
        raise problem(400, "ErrorInvalidSyncStateData", "The sync state data is invalid.")
    if facts["epoch"] != mailbox.epoch:
        raise _expired(world, request)
    return facts if facts["upto"] is not None else facts | {"upto": max(_head(world, mailbox), facts["since"])}


def _expired(world: MicrosoftWorld, request: Request) -> Exception:
    if world.knobs.expiry == "gone":
        return problem(410, "resyncRequired", "", Location=f"{request.base}{request.path}?$deltatoken=")
    return problem(400, world.knobs.expiry, "The sync state generation is not found; perform a full sync.")


def _head(world: MicrosoftWorld, mailbox: Mailbox) -> int:
    """The newest position that replication has reached."""
    limit = world.now - timedelta(seconds=world.knobs.lag_seconds)
    return next((seq for seq, at in reversed(mailbox.history) if at <= limit), 0)


def _groups(world: MicrosoftWorld, mailbox: Mailbox, folder: str, window: Span, facts: Json, liking: Taste, *, expand: bool) -> list[Group]:
    since, upto = facts["since"], facts["upto"]
    first = since < 0
    if not first:
        since = max(0, since - world.knobs.replay)
    groups: list[Group] = []
    for row in [each for each in mailbox.rows.values() if each.calendar == folder]:
        if (first and not row.master) or (since < row.seq <= upto and not first):
            items = _told(mailbox, row, window, liking, first=first, expand=expand)
            if items:
                groups.append((_order(row.id), items))
    if not first:
        for gone in mailbox.gone.values():
            alive = mailbox.rows.get(gone.id)
            if gone.calendar == folder and since < gone.seq <= upto and (alive is None or alive.calendar != folder):
                groups.append((_order(gone.id), [_removed(gone.id if liking.immutable else gone.rest)]))
    return sorted(groups, key=lambda group: group[0])


def _told(mailbox: Mailbox, row: Row, window: Span, liking: Taste, *, first: bool, expand: bool) -> list[Json]:
    """What a row in the order of changes is told as. Outside the window: nothing in the first round, removed in the others."""
    if row.series:
        instances = sorted(occurrences.expand(mailbox, row, window), key=lambda each: each.times.start)
        if instances:
            inside = [rendering.brief(mailbox, each, liking) if not each.kept else _full(mailbox, each, liking) for each in instances]
            return [_full(mailbox, row, liking), *(inside if expand else [each for each in inside if each["type"] == "exception"])]
    elif occurrences.meets(row, window):
        return [_full(mailbox, row, liking)]
    return [] if first else [_removed(rendering.name(row, liking))]


def _full(mailbox: Mailbox, row: Row, liking: Taste) -> Json:
    return {"@odata.type": "#microsoft.graph.event", **rendering.event(mailbox, row, liking)}


def _removed(name: str) -> Json:
    return {"@odata.type": "#microsoft.graph.event", "id": name, "@removed": {"reason": "deleted"}}


def _order(name: str) -> str:
    """Any order but that of time."""
    return hashlib.sha256(name.encode()).hexdigest()


def _page(groups: list[Group], after: str | None, size: int, *, empty: bool) -> tuple[list[Json], str | None]:
    """The items of the next page, and where the one after it begins. A series is never split."""
    if after is None and empty and len(groups) > 1:
        return [], ""
    items: list[Json] = []
    last = after
    for key, group in groups:
        if after is not None and key <= after:
            continue
        if items and len(items) + len(group) > size:
            return items, last
        items += group
        last = key
    return items, None


def _link(request: Request, name: str, facts: Json) -> str:
    return f"{request.base}{request.path}?{name}={seal(facts)}"
