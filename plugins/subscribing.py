"""POST of a push-register and DELETE of what came of it: a device wants to be told of changes, or no more (draft-bitfire-webdav-push)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from xml.etree.ElementTree import Element

from gateway.errors import Invalid, Missing
from gateway.store import Registration, Store
from gateway.webpush import Recipient, decoded
from plugins import document
from plugins.failures import Denied
from plugins.features import Kind, kind_of
from plugins.multistatus import PUSH
from plugins.place import REGISTRATIONS, Place, collection_at
from plugins.push import Push, topic
from plugins.request import Answer, Request

AT_MOST = 100
"""Registrations of one person: five devices with twenty calendars each."""

SHORTEST, USUAL, LONGEST = timedelta(hours=1), timedelta(days=7), timedelta(days=30)
"""How long a registration lasts. DAVx⁵ asks for three days, and comes again when less than two are left."""

_KINDS = frozenset({Kind.APPOINTMENTS, Kind.PERSONAL, Kind.VIEW})


def register(store: Store, request: Request) -> Answer:
    """The same push service and calendar again: the same registration, longer. Reading is all that a password must be good for."""
    root = document.parsed(request.body)
    if root is None or root.tag != f"{{{PUSH}}}push-register":
        raise Invalid("The body of POST is a push-register element.")
    push = request.push
    if push is None or kind_of(request.place, request.login.handle) not in _KINDS:
        raise Denied(403, "Nobody is told of changes of this.", condition="push-not-available")
    recipient = _recipient(root, push)
    contents, properties = _triggers(root)
    expires = _expires(root, request.now)
    with store.write(request.login.company, request.actor) as tx:
        collection = collection_at(tx, request.staff, request.place)
        device = Registration(
            staff=request.viewer,
            credential=request.login.credential,
            owner=collection.owner,
            slug=collection.slug,
            topic=topic(request.login, collection),
            resource=hashlib.sha256(recipient.url.encode()).digest(),
            sealed=push.seal.seal(recipient.written()),
            contents=contents,
            properties=properties,
            expires=expires,
        )
        registered = tx.register(device, collection, request.now, at_most=AT_MOST)
    at = Place(request.login.handle, REGISTRATIONS, registered).path(request.prefix)
    return Answer(204, None, {"Location": push.public_url + at, "Expires": format_datetime(expires, usegmt=True)})


def unregister(store: Store, request: Request) -> Answer:
    """Raises Missing, also for somebody else's."""
    place = request.place
    with store.write(request.login.company, request.actor) as tx:
        if place.handle != request.login.handle or not place.name or not tx.unregister(request.viewer, place.name, request.now):
            raise Missing("There is no such registration.")
    return Answer(204)


def _recipient(root: Element, push: Push) -> Recipient:
    """Raises Denied. DAVx⁵ up to 4.5.19 names no content-encoding (bitfireAT/davx5-ose#2859); there is only one."""
    found = root.findall(f"{{{PUSH}}}subscription/{{{PUSH}}}web-push-subscription")
    if len(found) != 1:
        raise _invalid("The subscription is one of Web Push.")
    told = {child.tag.rpartition("}")[2]: child for child in found[0] if child.tag.startswith(f"{{{PUSH}}}")}
    said = {name: document.text_of(element).strip() for name, element in told.items()}
    if said.get("content-encoding", "aes128gcm") != "aes128gcm":
        raise _invalid("Messages are encrypted as aes128gcm.")
    if "subscription-public-key" not in told or told["subscription-public-key"].get("type", "p256dh") != "p256dh":
        raise _invalid("A device gives its key of type p256dh: messages are always encrypted.")
    try:
        push.check(said.get("push-resource", ""))
        key, secret = decoded(said["subscription-public-key"]), decoded(said.get("auth-secret", ""))
        return Recipient(url=said["push-resource"], key=key, secret=secret)
    except Invalid as problem:
        raise _invalid(str(problem)) from None


def _triggers(root: Element) -> tuple[bool, bool]:
    """Whether to tell of contents, and of properties. Whoever asks for nothing in particular (DAVx⁵ up to 4.5.19, as above) is told
    of both, as the first drafts had it. Raises Denied."""
    wished = {child.tag for trigger in root.findall(f"{{{PUSH}}}trigger") for child in trigger}
    if not wished:
        return True, True
    contents, properties = f"{{{PUSH}}}content-update" in wished, f"{{{PUSH}}}property-update" in wished
    if not (contents or properties):
        raise Denied(403, "Devices are told of changes of contents and properties.", condition="no-supported-trigger")
    return contents, properties


def _expires(root: Element, now: datetime) -> datetime:
    """What was asked for, within reason; a date that is none is passed over."""
    element = root.find(f"{{{PUSH}}}expires")
    wished = now + USUAL
    if element is not None:
        try:
            read = parsedate_to_datetime(document.text_of(element).strip())
            wished = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    return min(max(wished, now + SHORTEST), now + LONGEST).replace(microsecond=0)


def _invalid(sentence: str) -> Denied:
    return Denied(403, sentence, condition="invalid-subscription")
