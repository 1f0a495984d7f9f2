"""Watch channels: messages without a body to an address, authenticated by nothing but the echo of a token."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal
from urllib.parse import urlsplit

from gateway.fakes.cursors import fingerprint
from gateway.fakes.google.problems import invalid, problem, required
from gateway.fakes.google.state import Calendar, Channel, GoogleWorld
from gateway.fakes.wire import Json, Outgoing, loopback

LIFE = timedelta(days=7)
LONGEST = timedelta(days=30)
_ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}")


def watch(world: GoogleWorld, calendar: Calendar, wish: Json, uri: str) -> Json:
    """Open a channel; its first message says `sync`. Raises Rejected with 400 or 401."""
    name, address, token = str(wish.get("id", "")), str(wish.get("address", "")), str(wish.get("token", ""))
    if not _ID.fullmatch(name):
        raise required("Channel id required.") if not name else invalid("Invalid channel id.")
    if wish.get("type") not in ("web_hook", "webhook"):
        raise invalid("Unknown channel type.")
    if len(token) > 256:
        raise invalid("Channel token is too long.")
    if name in world.channels:
        raise problem(400, "channelIdNotUnique", f"Channel id {name} not unique")
    _check_address(address)
    channel = Channel(
        id=name,
        resource=fingerprint(["events", calendar.id]),
        uri=uri,
        calendar=calendar.id,
        address=address,
        token=token,
        until=_until(world, wish),
    )
    world.channels[name] = channel
    _say(world, channel, "sync")
    opened: Json = {
        "kind": "api#channel",
        "id": name,
        "resourceId": channel.resource,
        "resourceUri": uri,
        "expiration": str(int(channel.until.timestamp() * 1000)),
    }
    return opened | ({"token": token} if token else {})


def stop(world: GoogleWorld, wish: Json) -> None:
    """Close a channel. Raises Rejected with 404 when id and resource name none."""
    channel = world.channels.get(str(wish.get("id", "")))
    if channel is None or channel.stopped or channel.resource != wish.get("resourceId") or channel.until <= world.now:
        raise problem(404, "notFound", f"Channel '{wish.get('id', '')}' not found for project")
    channel.stopped = True
    if not world.knobs.linger:
        del world.channels[channel.id]


def notify(world: GoogleWorld, calendar: Calendar, state: Literal["exists", "not_exists"] = "exists") -> None:
    """Something has changed there. A stopped channel does not stop at once: it delivers once more."""
    for channel in [each for each in world.channels.values() if each.calendar == calendar.id]:
        if channel.until > world.now:
            _say(world, channel, state)
        if channel.stopped:
            del world.channels[channel.id]


def _check_address(address: str) -> None:
    """HTTPS on a verified domain; on loopback, where nothing can be verified, plain HTTP does, too."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(address)):
        raise problem(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")
    if not loopback(address):
        raise problem(401, "push.webhookUrlUnauthorized", f"Unauthorized WebHook callback channel: {address}")


def _until(world: GoogleWorld, wish: Json) -> datetime:
    """What is asked for, up to a month; without a wish a week."""
    parameters = wish.get("params")
    ttl, wanted = parameters.get("ttl") if isinstance(parameters, dict) else None, wish.get("expiration")
    try:
        if wanted is not None:
            until = datetime.fromtimestamp(int(wanted) / 1000, UTC)
        else:
            until = world.now + (timedelta(seconds=int(ttl)) if ttl is not None else LIFE)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid("Invalid channel expiration.") from error
    if until <= world.now:
        raise invalid("Invalid channel expiration.")
    return min(until, world.now + LONGEST)


def _say(world: GoogleWorld, channel: Channel, state: str) -> None:
    if state != "sync":
        channel.number += world.chance.number(1, 9)  # numbers grow, but not by one
    headers = {
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Expiration": format_datetime(channel.until, usegmt=True),
        "X-Goog-Resource-ID": channel.resource,
        "X-Goog-Resource-URI": channel.uri,
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": str(channel.number),
    }
    if channel.token:
        headers["X-Goog-Channel-Token"] = channel.token
    if world.knobs.push:
        world.outbox.append(Outgoing(url=channel.address, headers=headers))
