"""Calendars, the list of them, and when they are busy."""

from __future__ import annotations

from datetime import timedelta

from gateway.fakes import times as clock
from gateway.fakes.cursors import fingerprint, seal, unseal
from gateway.fakes.google import instances, rendering
from gateway.fakes.google.access import Caller
from gateway.fakes.google.problems import empty_range, gone, invalid, problem, required
from gateway.fakes.google.state import Account, Calendar, GoogleWorld
from gateway.fakes.provider import page
from gateway.fakes.wire import Json, Request
from gateway.model import Span

LONGEST = timedelta(days=90)
"""What a question about busy times may span; found out by others, for the documents do not say."""

IDLE = ("birthday", "workingLocation")
"""Events of these types are transparent throughout."""


def insert(world: GoogleWorld, by: Caller, body: Json) -> Calendar:
    """A new secondary calendar. Raises Rejected with 400."""
    return add(world, by.login, body, by=by.client)


def add(world: GoogleWorld, owner: str, body: Json, *, by: str = "") -> Calendar:
    _check(body)
    if not body.get("summary"):
        raise required("Missing title.")
    made = Calendar(
        id=f"c_{world.chance.text(64, '0123456789abcdef')}@group.calendar.google.com",
        owner=owner,
        summary=body["summary"],
        zone=body.get("timeZone", "UTC"),
        description=body.get("description", ""),
        by=by,
        seq=world.step(),
        updated=world.now,
    )
    world.calendars[made.id] = made
    return made


def patch(world: GoogleWorld, found: Calendar, body: Json) -> None:
    _check(body)
    found.summary = body.get("summary", found.summary)
    found.description = body.get("description", found.description) or ""
    found.zone = body.get("timeZone", found.zone)
    found.seq, found.updated = world.step(), world.now


def delete(world: GoogleWorld, found: Calendar) -> None:
    """With everything on it. Raises Rejected with 400 for a primary calendar, which cannot be deleted."""
    if found.primary:
        raise problem(400, "cannotDeletePrimaryCalendar", "Primary calendars cannot be deleted.", domain="calendar")
    found.deleted, found.seq = True, world.step()
    for channel in [each for each in world.channels.values() if each.calendar == found.id]:
        del world.channels[channel.id]


def _check(body: Json) -> None:
    for name in ("summary", "description", "timeZone"):
        if name in body and not isinstance(body[name], str):
            raise invalid("Invalid value for: " + name)
    if "timeZone" in body and not clock.known(body["timeZone"]):
        raise invalid("Invalid time zone definition.")


def listing(world: GoogleWorld, account: Account, request: Request) -> Json:
    """One page of the person's calendar list. Raises Rejected: 400, 410."""
    text = request.first("maxResults", "100")
    if not text.isdigit() or int(text) < 1:
        raise invalid(place="maxResults")
    since, mine = -1, world.calendars_of(account.login)
    if token := request.first("syncToken"):
        facts = unseal(token)
        if request.first("minAccessRole") or facts is None or facts.get("list") != account.login:
            raise invalid("Invalid sync token value.", "syncToken")
        if facts["epoch"] != account.epoch:
            raise gone()
        since = int(facts["seq"])
    deleted = since >= 0 or request.first("showDeleted") == "true"
    keyed = [(each.id, rendering.entry(account, each)) for each in mine if each.seq > since and (deleted or not each.deleted)]
    page_token = unseal(request.first("pageToken")) if request.first("pageToken") else {"after": None}
    if page_token is None or "after" not in page_token:
        raise invalid("Invalid page token value.", "pageToken")
    part = page(keyed, page_token["after"], min(int(text), 250), empty=world.knobs.empty_pages)
    shown: Json = {"kind": "calendar#calendarList", "etag": f'"{fingerprint(part.items)}"', "items": part.items}
    if part.onward is not None:
        return shown | {"nextPageToken": seal({"after": part.onward})}
    top = max((each.seq for each in mine), default=0)
    return shown | {"nextSyncToken": seal({"list": account.login, "seq": top, "epoch": account.epoch})}


def free_busy(world: GoogleWorld, by: Caller, body: Json) -> Json:
    """When the calendars are busy; those that cannot be seen carry an error of their own. Raises Rejected with 400."""
    low, high = (clock.moment(str(body.get(name, ""))) for name in ("timeMin", "timeMax"))
    if low is None or high is None or low.tzinfo is None or high.tzinfo is None:
        raise required("Missing or invalid timeMin or timeMax.")
    if high <= low:
        raise empty_range()
    if high - low > LONGEST:
        raise problem(400, "timeRangeTooLong", "The requested time range is too long.", domain="calendar", place="timeMax")
    zone = str(body.get("timeZone") or "UTC")
    if not clock.known(zone):
        raise invalid(place="timeZone")
    asked: Json = {}
    for item in body.get("items") or []:
        name = str(item.get("id", ""))
        found = world.calendars.get(by.login if name == "primary" else name)
        if found is None or found.deleted or found.owner != by.login:
            asked[name] = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
        else:
            asked[name] = {"busy": [_period(span, zone) for span in _busy(found, Span(low, high))]}
    return {"kind": "calendar#freeBusy", "timeMin": clock.stamp(low), "timeMax": clock.stamp(high), "calendars": asked}


def _period(span: Span, zone: str) -> Json:
    return {"start": clock.local(span.start, zone), "end": clock.local(span.end, zone)}


def _busy(found: Calendar, window: Span) -> list[Span]:
    """The busy stretches inside the window, joined where they touch."""
    spans: list[Span] = []
    for row in list(found.rows.values()):
        if row.cancelled or (row.master and found.rows[row.master].cancelled) or row.master:
            continue
        parts = instances.expand(found, row, window, deleted=False) if row.series else [row]
        for each in parts:
            span = each.times.span(found.zone)
            if each.body.get("transparency") != "transparent" and each.body.get("eventType") not in IDLE and instances.meets(span, window):
                spans.append(Span(max(span.start, window.start), min(span.end, window.end)))
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
