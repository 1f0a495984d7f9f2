"""Change notifications: a handshake before the first, a client state in each, and messages about the subscription itself."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote, unquote

from gateway.fakes import times as clock
from gateway.fakes.microsoft.problems import problem
from gateway.fakes.microsoft.state import Mailbox, MicrosoftWorld, Row, Subscription
from gateway.fakes.wire import Ask, Heard, Json, Outgoing, Reply, loopback

SHORTEST = timedelta(minutes=45)
MOST = 1000  # for one mailbox, all applications
ANSWER_SECONDS = 10.0
LIFECYCLE = ("reauthorizationRequired", "subscriptionRemoved", "missed")
CHANGES = ("created", "updated", "deleted")

_RESOURCE = re.compile(
    r"/?(me|users/[^/]+)(?:/calendar|/calendars/(?P<folder>[^/]+)|/calendars\('(?P<quoted>[^']+)'\))?/events/?(?:\?.*)?", re.IGNORECASE
)
_FIELDS = ("changeType", "clientState", "notificationUrl", "lifecycleNotificationUrl", "resource", "latestSupportedTlsVersion")


def folder_of(resource: str) -> tuple[str, str]:
    """(whose, which calendar or "") of a resource path. Raises Rejected with 400."""
    found = _RESOURCE.fullmatch(resource)
    if not found:
        raise problem(400, "InvalidRequest", f"Resource '{resource}' is not supported.")
    return unquote(found[1]), unquote(found["folder"] or found["quoted"] or "")


def subscribe(world: MicrosoftWorld, mailbox: Mailbox, folder: str, wish: Json, *, client: str, creator: str, immutable: bool) -> Ask:
    """Ask both addresses whether they want it; then open it. Raises Rejected with 400, 403."""
    _check(wish)
    until = expiry(world, wish.get("expirationDateTime"))
    if sum(1 for each in world.subscriptions.values() if each.mailbox == mailbox.login) >= MOST:
        raise problem(403, "ExtensionError", "Operation: Create; Exception: [Status Code: Forbidden; Reason: subscription limit reached]")
    addresses = [str(wish[name]) for name in ("notificationUrl", "lifecycleNotificationUrl") if wish.get(name)]
    token = f"Validation: Testing client application reachability for subscription Request-Id: {world.chance.guid()} +/=&%"

    def then(heard: Sequence[Heard | None]) -> Reply:
        for answer in heard:
            if answer is None or answer.status != 200 or not answer.kind.startswith("text/plain") or answer.text != token:
                raise problem(400, "ValidationError", "Subscription validation request failed. Must respond with 200 OK to this request.")
        made = Subscription(
            id=world.chance.guid(),
            mailbox=mailbox.login,
            folder=folder,
            client=client,
            creator=creator,
            wish={name: wish.get(name) for name in _FIELDS},
            until=until,
            immutable=immutable,
        )
        world.subscriptions[made.id] = made
        return Reply.of({"@odata.context": "$metadata#subscriptions/$entity", **shown(made)}, 201)

    headers = {"Content-Type": "text/plain; charset=utf-8"}
    asked = [Outgoing(url=f"{each}{'&' if '?' in each else '?'}validationToken={quote(token)}", headers=headers) for each in addresses]
    return Ask(outgoing=asked, seconds=ANSWER_SECONDS, then=then)


def _check(wish: Json) -> None:
    for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
        if not isinstance(wish.get(name), str) or not wish[name]:
            raise problem(400, "InvalidRequest", f"{name} is required.")
    if not set(str(wish["changeType"]).replace(" ", "").split(",")) <= set(CHANGES):
        raise problem(400, "InvalidRequest", "changeType is not supported.")
    if len(str(wish.get("clientState") or "")) > 128:
        raise problem(400, "InvalidRequest", "clientState must not be longer than 128 characters.")
    for name in ("notificationUrl", "lifecycleNotificationUrl"):
        address = wish.get(name)
        if address is None:
            continue
        if not str(address).startswith("https://") and not (str(address).startswith("http://") and loopback(str(address))):
            raise problem(400, "InvalidRequest", "Subscription notification URL must use HTTPS.")
        if not loopback(str(address)):
            raise problem(400, "ValidationError", "Subscription validation request failed. The address cannot be reached.")


def expiry(world: MicrosoftWorld, text: object) -> datetime:
    """Until when. What is too short is made longer, what is too long is refused. Raises Rejected with 400."""
    until = clock.moment(str(text))
    if until is None or until.tzinfo is None:
        raise problem(400, "InvalidRequest", "expirationDateTime is no time with an offset.")
    longest = world.knobs.longest_subscription
    if until > world.now + timedelta(minutes=longest):
        raise problem(400, "ExtensionError", f"Subscription expiration can only be {longest} minutes in the future.")
    return max(until, world.now + SHORTEST)


def find(world: MicrosoftWorld, name: str, client: str) -> Subscription:
    """A living subscription of the client. Raises Rejected with 404."""
    _forget(world)
    found = world.subscriptions.get(name)
    if found is None or found.client != client:
        raise problem(404, "ResourceNotFound", "The object was not found.")
    return found


def shown(found: Subscription) -> Json:
    return {
        "id": found.id,
        "applicationId": found.client,
        "creatorId": found.creator,
        "expirationDateTime": clock.stamp(found.until),
        "includeResourceData": None,
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
        "notificationQueryOptions": None,
        "notificationUrlAppId": None,
        **found.wish,
    }


def notify(world: MicrosoftWorld, mailbox: Mailbox, row: Row, change: Literal["created", "updated", "deleted"]) -> None:
    """Tell those who listen to the calendar."""
    _forget(world)
    for each in world.subscriptions.values():
        if each.mailbox != mailbox.login or each.folder != row.calendar or each.paused or change not in str(each.wish["changeType"]):
            continue
        name = row.id if each.immutable else row.rest
        resource = f"Users/{mailbox.oid}/Events/{name}"
        facts = {
            "changeType": change,
            "resource": resource,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": resource,
                "@odata.etag": f'W/"{row.change_key}"',
                "id": name,
            },
        }
        _say(world, mailbox, each, str(each.wish["notificationUrl"]), facts)


def lifecycle(world: MicrosoftWorld, mailbox: Mailbox, event: str) -> int:
    """Tell those who listen something about their subscriptions; how many there were. Raises ValueError for an unknown event."""
    if event not in LIFECYCLE:
        raise ValueError(f"event is one of {', '.join(LIFECYCLE)}")
    mine = [each for each in world.subscriptions.values() if each.mailbox == mailbox.login]
    for each in mine:
        each.paused = each.paused or event == "reauthorizationRequired"
        if event == "subscriptionRemoved":
            del world.subscriptions[each.id]
        if address := each.wish.get("lifecycleNotificationUrl"):
            _say(world, mailbox, each, str(address), {"lifecycleEvent": event, "resource": each.wish["resource"]})
    return len(mine)


def _say(world: MicrosoftWorld, mailbox: Mailbox, to: Subscription, address: str, facts: Json) -> None:
    message = {
        "subscriptionId": to.id,
        "subscriptionExpirationDateTime": clock.stamp(to.until),
        "clientState": to.wish.get("clientState"),
        "tenantId": mailbox.tenant,
        **facts,
    }
    body = json.dumps({"value": [message]}).encode()
    if world.knobs.push:
        world.outbox.append(Outgoing(url=address, headers={"Content-Type": "application/json; charset=utf-8"}, body=body))


def _forget(world: MicrosoftWorld) -> None:
    """Expired subscriptions are gone without a word."""
    world.subscriptions = {name: each for name, each in world.subscriptions.items() if each.until > world.now}
