"""WebDAV-Push as far as it is announced: how a calendar is called in messages, and by whom they are signed (draft-bitfire-webdav-push)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.seal import Seal
from gateway.store import Collection, Login
from gateway.webpush import encoded
from plugins.multistatus import PUSH
from plugins.seen import Seen, Value, on_calendar

CLASS = "webdav-push"
"""In the DAV header, where devices can register."""

_TRIGGERS = (
    f'<content-update xmlns="{PUSH}"><D:depth>1</D:depth></content-update>'
    f'<property-update xmlns="{PUSH}"><D:depth>0</D:depth></property-update>'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """What it takes to let devices register. `public_url` without a slash at its end: a registration has an absolute address, which
    its device names exactly as it was given. `key` is the public one of VAPID; `check` raises Invalid for an address that nobody may
    have us call."""

    public_url: str
    key: str
    seal: Seal
    check: Callable[[str], object]


def topic(login: Login, collection: Collection) -> str:
    """The collection's name in messages: the same for ever, and another one for everybody who sees it, because DAVx⁵ looks for *the*
    calendar of that name in all its accounts. It is made of random ids and says nothing."""
    which = collection.slug if collection.view else collection.calendars[0]
    named = "|".join(("push", login.company, login.staff or "", collection.owner, which))
    return encoded(hashlib.sha256(named.encode()).digest()[:16])


def _where_push(value: Callable[[Seen, Push, Collection], str]) -> Value:
    return on_calendar(lambda seen, collection: value(seen, seen.request.push, collection) if seen.request.push is not None else None)


LIVE: Mapping[str, Value] = {
    f"{{{PUSH}}}transports": _where_push(
        lambda seen, push, collection: (
            f'<web-push xmlns="{PUSH}"><vapid-public-key type="p256ecdsa">{push.key}</vapid-public-key></web-push>'
        )
    ),
    f"{{{PUSH}}}topic": _where_push(lambda seen, push, collection: topic(seen.request.login, collection)),
    f"{{{PUSH}}}supported-triggers": _where_push(lambda seen, push, collection: _TRIGGERS),
}
