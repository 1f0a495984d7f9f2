"""What lies in a home beside the calendars, as properties: the scheduling inbox and outbox, and the groups of delegates.

They hold nothing and nothing ever changes in them, so that every token is for ever; what little there is to set, others keep.
"""

from __future__ import annotations

from collections.abc import Mapping

from plugins import availability, proxies, scheduling
from plugins.features import PROXIES, Kind
from plugins.multistatus import CALDAV, DAV, SERVER, link
from plugins.seen import Seen, Value

_TYPES: Mapping[Kind, str] = {
    Kind.INBOX: "<D:collection/><C:schedule-inbox/>",
    Kind.OUTBOX: "<D:collection/><C:schedule-outbox/>",
    Kind.PROXY_READ: "<D:collection/><D:principal/><CS:calendar-proxy-read/>",
    Kind.PROXY_WRITE: "<D:collection/><D:principal/><CS:calendar-proxy-write/>",
}
_NAMES: Mapping[Kind, str] = {
    Kind.INBOX: "Inbox",
    Kind.OUTBOX: "Outbox",
    Kind.PROXY_READ: "May read the calendars",
    Kind.PROXY_WRITE: "May change the calendars",
}

GENERAL = frozenset(
    f"{{{DAV}}}{name}"
    for name in (
        "current-user-principal",
        "current-user-privilege-set",
        "owner",
        "principal-collection-set",
        "supported-privilege-set",
        "supported-report-set",
    )
)
"""What is answered for them as for everything else."""


def _itself(seen: Seen) -> str:
    return link(seen.place.path(seen.request.prefix))


_ALL: Mapping[str, Value] = {
    f"{{{DAV}}}resourcetype": lambda seen: _TYPES[seen.kind],
    f"{{{DAV}}}displayname": lambda seen: _NAMES[seen.kind],
}
_BOXES: Mapping[str, Value] = {
    **_ALL,
    f"{{{DAV}}}getetag": lambda seen: f'"{seen.epoch}-{seen.kind}"',
    f"{{{DAV}}}sync-token": lambda seen: scheduling.token(seen.epoch, seen.place),
    f"{{{SERVER}}}getctag": lambda seen: f'"{seen.epoch}-{seen.kind}"',
    f"{{{CALDAV}}}supported-calendar-data": lambda seen: '<C:calendar-data content-type="text/calendar" version="2.0"/>',
    f"{{{CALDAV}}}max-resource-size": lambda seen: str(seen.request.limits.object_octets),
}
_PROXIES: Mapping[str, Value] = {
    **_ALL,
    f"{{{DAV}}}principal-URL": _itself,
    f"{{{DAV}}}alternate-URI-set": lambda seen: "",
    f"{{{DAV}}}group-membership": lambda seen: "",
    f"{{{DAV}}}group-member-set": proxies.members,
}

OWN: Mapping[Kind, Mapping[str, Value]] = {
    Kind.INBOX: {**_BOXES, **scheduling.OF_INBOX, **availability.OF_INBOX},
    Kind.OUTBOX: {**_BOXES, **scheduling.OF_OUTBOX},
    **dict.fromkeys(sorted(PROXIES), _PROXIES),
}
"""What each of them answers for itself."""
