"""Publishing a calendar as a link that anybody can read: macOS's "Public Calendar" (calendarserver's caldav-publish).

A published calendar is a feed like those the platform gives out: its address is a secret, it can be ended at any time, and it tells
of appointments when they are and which service, never whose (level `service`). Only the calendar of appointments can be published,
and only by its owner.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.model import Feed, FeedId, Level, Scope
from gateway.seal import Seal
from gateway.store import Collection, Store, Transaction, fresh_id
from plugins import document
from plugins.failures import Denied, read_only
from plugins.multistatus import SERVER, link
from plugins.place import collection_at
from plugins.request import Answer, Request
from plugins.seen import Seen, Value, on_calendar

PUBLISH, UNPUBLISH = f"{{{SERVER}}}publish-calendar", f"{{{SERVER}}}unpublish-calendar"
LEVEL = Level.SERVICE


@dataclass(frozen=True, kw_only=True, slots=True)
class Press:
    """What it takes to publish. `public_url` without a slash at its end: whoever is given a link is elsewhere."""

    public_url: str
    seal: Seal


Work = Callable[[Store, Request], Answer]


def beside(other: Work) -> Work:
    """The answer to a POST to a calendar: ours, or that of whoever else is posted to there."""

    def answer(store: Store, request: Request) -> Answer:
        root = document.parsed(request.body) if _speaks_xml(request) else None
        if root is not None and root.tag in (PUBLISH, UNPUBLISH):
            return _publish(store, request, publish=root.tag == PUBLISH)
        return other(store, request)

    return answer


def _speaks_xml(request: Request) -> bool:
    """A form on somebody's web page cannot send this type, so that no page publishes a calendar with what a browser remembers."""
    return str(request.head.get("CONTENT_TYPE", "")).split(";")[0].strip().lower() in ("application/xml", "text/xml")


def _publish(store: Store, request: Request, *, publish: bool) -> Answer:
    """202 as calendarserver says it: the properties tell what is so now. Again: nothing changes, the link stays what it is."""
    press = request.press
    if request.delegation is not None or request.login.read_only or request.login.calendar is not None:
        raise read_only("A calendar is published by its owner, with a password for everything.")
    with store.write(request.login.company, request.actor) as tx:
        collection = collection_at(tx, request.staff, request.place)
        if press is None or not publishable(collection):
            raise Denied(403, "This calendar cannot be published.")
        known = tx.publication(collection.calendars[0])
        if publish and known is None:
            _begin(tx, request, press, collection)
        elif not publish and known is not None:
            tx.revoke_feed(known[0].id, request.now)
    return Answer(202 if publish else 200)


def _begin(tx: Transaction, request: Request, press: Press, collection: Collection) -> None:
    token = secrets.token_urlsafe(24)  # 192 bits, as every feed's
    feed = Feed(id=FeedId(fresh_id()), scope=Scope.STAFF, of=request.staff, label="", level=LEVEL)
    tx.add_feed(feed, token, press.seal.seal(token.encode()), request.now)
    tx.publish(collection.calendars[0], feed.id)


def publishable(collection: Collection) -> bool:
    return collection.kind == "appointments"


def _own(value: Callable[[Seen, Press, Collection], str | None]) -> Value:
    """Of a calendar that whoever asks could publish."""

    def asked(seen: Seen, collection: Collection) -> str | None:
        request = seen.request
        if request.press is None or request.delegation is not None or request.login.calendar is not None:
            return None
        return value(seen, request.press, collection) if publishable(collection) else None

    return on_calendar(asked)


def _address(seen: Seen, press: Press, collection: Collection) -> str | None:
    """None unless it is published."""
    known = seen.snapshot.publication(collection.calendars[0]) if seen.snapshot is not None else None
    return link(f"{press.public_url}/feeds/{press.seal.unseal(known[1]).decode()}.ics") if known is not None else None


LIVE: Mapping[str, Value] = {
    f"{{{SERVER}}}allowed-sharing-modes": _own(lambda seen, press, collection: "<CS:can-be-published/>"),
    f"{{{SERVER}}}publish-url": _own(_address),
    f"{{{SERVER}}}pre-publish-url": _own(lambda seen, press, collection: link(f"{press.public_url}/feeds/")),
}
