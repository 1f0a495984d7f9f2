"""REST: the company's settings, and the links of its feeds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.errors import Invalid, Missing
from gateway.model import Feed, FeedId, GroupId, Level, OnConflict, OnDelete, Refusal, Scope
from gateway.store import Transaction, fresh_id
from gateway.web.api import views
from gateway.web.api.frame import Call, Json, Operation
from gateway.web.api.schema import Choice, Maybe, Record, Text, Whole, listing

_SETTINGS_CHANGE = Record(fields=views.SETTINGS.fields, name="SettingsChange", about="Names that are not sent stay as they are.")

_NEW_FEED = Record(
    fields={
        "scope": Choice(values=list(Scope)),
        "of": Maybe(of=Text(least=1, most=100, about="Id of the staff member or group; nothing for the company")),
        "label": Text(),
        "level": Choice(values=list(Level), about="busy: only times. initials, service: no name of a customer. full: everything"),
        "past_days": Whole(most=3660),
        "future_days": Whole(most=3660),
        "alarm_minutes": Maybe(of=Whole(most=40_320)),
    },
    required=("scope",),
    name="NewFeed",
)
_POLICY: dict[str, tuple[str, Callable[[Any], object]]] = {  # outside: (inside, what makes the one the other)
    "bidirectional": ("two_way", bool),
    "on_delete": ("on_delete", OnDelete),
    "on_conflict": ("on_conflict", OnConflict),
    "resize": ("resize", bool),
    "hold_seconds": ("hold", lambda seconds: timedelta(seconds=seconds)),
    "refusal": ("refusal", Refusal),
    "google": ("google", bool),
    "outlook": ("outlook", bool),
    "office365": ("office365", bool),
    "self_service": ("self_service", bool),
    "notice_minutes": ("notice", lambda minutes: timedelta(minutes=minutes)),
}
_COMPANY = {"name": "name", "time_zone": "zone", "locale": "locale"}


def _settings_get(call: Call) -> Json:
    return views.settings(call.snapshot.company)


def _settings_put(call: Call) -> Json:
    body, company = call.body, call.tx.company
    policy: dict[str, Any] = {name: make(body[outside]) for outside, (name, make) in _POLICY.items() if outside in body}
    facts: dict[str, Any] = {name: body[outside] for outside, name in _COMPANY.items() if outside in body}
    new = replace(company, policy=replace(company.policy, **policy), **facts)
    if new != company:
        call.tx.save_company(new)
        call.tx.audit("settings", "", views.settings(company), views.settings(new), call.now)
    return views.settings(new)


def _feeds(call: Call) -> Json:
    rows = sorted(((f"{feed.scope}\t{feed.label}\t{feed.id}", feed) for feed in call.snapshot.feeds()), key=lambda row: row[0])
    return views.page(rows, lambda feed: views.feed(feed, None), call.query)


def _feed_post(call: Call) -> Json:
    body = call.body
    scope = Scope(body["scope"])
    feed = Feed(
        id=FeedId(fresh_id()),
        scope=scope,
        of=_of(call.tx, scope, body.get("of")),
        label=body.get("label", ""),
        level=Level(body.get("level", Level.FULL if scope is Scope.STAFF else Level.SERVICE)),
        past_days=body.get("past_days", 30),
        future_days=body.get("future_days", 400),
        alarm_minutes=body.get("alarm_minutes"),
    )
    token = secrets.token_urlsafe(24)
    sealed = call.parts.sealer.seal(token.encode()) if call.parts.sealer else b""
    call.tx.add_feed(feed, token, sealed, call.now)
    return views.feed(feed, f"{call.parts.public_url}/feeds/{token}.ics")


def _of(tx: Transaction, scope: Scope, name: str | None) -> str | None:
    """The id of whom the feed is about."""
    if scope is Scope.COMPANY:
        if name is not None:
            raise Invalid("A feed of the company is about nobody in particular.", field="of")
        return None
    if name is None:
        raise Invalid("Please say whose feed it is to be.", field="of")
    if scope is Scope.STAFF:
        return views.referred("of", lambda: views.staff_named(tx, name)).id
    return views.referred("of", lambda: tx.group(GroupId(name))).id


def _feed_revoke(call: Call) -> Json:
    feed = next((feed for feed in call.snapshot.feeds() if feed.id == call.path["id"]), None)
    if feed is None:
        raise Missing("There is no such feed.")
    if feed.revoked is None:
        call.tx.revoke_feed(feed.id, call.now)
        feed = replace(feed, revoked=call.now)
    return views.feed(feed, None)


OPERATIONS = [
    Operation(
        method="GET",
        path="/settings",
        name="getSettings",
        tag="settings",
        summary="The company's settings",
        run=_settings_get,
        answer=views.SETTINGS,
    ),
    Operation(
        method="PUT",
        path="/settings",
        name="changeSettings",
        tag="settings",
        summary="Change the company's settings",
        run=_settings_put,
        answer=views.SETTINGS,
        writes=True,
        body=_SETTINGS_CHANGE,
    ),
    Operation(
        method="GET",
        path="/feeds",
        name="listFeeds",
        tag="feeds",
        summary="The subscription feeds, without their addresses",
        run=_feeds,
        answer=listing(views.FEED),
        query=views.PAGING,
    ),
    Operation(
        method="POST",
        path="/feeds",
        name="addFeed",
        tag="feeds",
        summary="A new feed; its address is shown once",
        run=_feed_post,
        answer=views.FEED,
        status=201,
        writes=True,
        body=_NEW_FEED,
        about="Who knows the address can read the feed: give it to nobody else.",
    ),
    Operation(
        method="POST",
        path="/feeds/{id}/revoke",
        name="revokeFeed",
        tag="feeds",
        summary="End a feed: its address answers 410 from now on",
        run=_feed_revoke,
        answer=views.FEED,
        writes=True,
    ),
]
