"""Back from a provider's consent page, and notifications from providers: /connect/…/callback, /hooks/….

A notification says that there is news and nothing else; it is believed only with the secret of its channel, and answered at once.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from gateway import observe
from gateway.bridge.accounts import Accounts, Connected
from gateway.bridge.remote import RemoteError
from gateway.errors import Conflict, Missing
from gateway.web.pages import page
from gateway.web.paper import render
from gateway.web.parts import Parts, on_thread, parts
from gateway.web.problems import Problem

HOOK = 256 * 1024
"""Octets of a notification; Microsoft bundles many into one."""

AT_ONCE = 1000
"""Notifications of one request that are looked at."""


def routes() -> list[web.RouteDef]:
    return [
        web.get("/connect/google/callback", back),
        web.get("/connect/microsoft/callback", back),
        web.post("/hooks/google", google),
        web.post("/hooks/microsoft", microsoft),
    ]


async def back(request: web.Request) -> web.Response:
    """The person has said yes or no at the provider. GET is what OAuth prescribes (RFC 6749 §4.1.2); the state makes it ours, once."""
    state, code = request.query.get("state", ""), request.query.get("code", "")
    error = request.query.get("error", "")
    if error or not code:
        return _said(*_refused(error), status=400)
    try:
        done = await on_thread(request.app, _complete, parts(request), state, code)
    except (RemoteError, Conflict, Missing) as failed:
        return _said("The calendar is not connected", str(failed), status=400)
    parts(request).wake()
    if done.back.startswith("/") and not urlsplit(done.back).netloc:
        mark = "&" if "?" in done.back else "?"
        return web.Response(status=303, headers={"Location": f"{done.back}{mark}said=connected", "Cache-Control": "no-store"})
    lead = "Your appointments appear there within a minute. You can close this page."
    if done.missing:
        lead += f" You have not allowed us to {' and to '.join(done.missing)}: connect again and tick it if you want that."
    return _said("Your calendar is connected", lead)


def _complete(given: Parts, state: str, code: str) -> Connected:
    """Runs on a thread."""
    return accounts(given).complete(state, code)


def accounts(given: Parts) -> Accounts:
    if given.accounts is None:
        raise Problem(404, "No calendar can be connected here.")
    return given.accounts


def _refused(error: str) -> tuple[str, str]:
    if error == "access_denied":
        return "Nothing was connected", "You have not agreed, so nothing has changed. Use the link of your invitation to try again."
    if error in ("consent_required", "interaction_required", "admin_consent_required"):
        return "Your administrator has to agree first", "Ask the administrator of your organisation to allow this app, then try again."
    return "Nothing was connected", "The provider did not let us in. Please try again; if it happens again, tell whoever invited you."


def _said(title: str, lead: str, status: int = 200) -> web.Response:
    return page(render("notice.html", title=title, lead=lead), status)


async def google(request: web.Request) -> web.Response:
    """Google says nothing but headers; the token is all that tells it from anybody else (bridge.md §2.6)."""
    channel, token = request.headers.get("X-Goog-Channel-ID", "")[:128], request.headers.get("X-Goog-Channel-Token", "")[:300]
    if channel and token:
        await on_thread(request.app, _wake, parts(request), [(channel, token)])
    return web.Response(status=202)


async def microsoft(request: web.Request) -> web.Response:
    """The handshake is answered with its own words as plain text; notifications with 202 (bridge.md §3.5)."""
    token = request.query.get("validationToken")
    if token is not None:
        return web.Response(text=token[:2048], content_type="text/plain")
    async with asyncio.timeout(parts(request).limits.body_seconds):
        octets = await request.content.read(HOOK + 1)
    if len(octets) > HOOK:
        raise Problem(413, f"A notification may have {HOOK} octets at most.")
    told = _told(octets)
    if told:
        await on_thread(request.app, _wake, parts(request), told)
    return web.Response(status=202)


def _told(octets: bytes) -> list[tuple[str, str]]:
    """(subscription, secret) of each notification; lifecycle ones look alike."""
    try:
        body: Any = json.loads(octets)  # whatever somebody sends
        found = body["value"]
        return [(str(each["subscriptionId"])[:128], str(each["clientState"])[:300]) for each in found[:AT_ONCE]]
    except (ValueError, LookupError, TypeError):
        return []


def _wake(given: Parts, told: list[tuple[str, str]]) -> None:
    """Runs on a thread. Unknown ones are passed over: nobody learns which there are."""
    now: datetime = given.clock()
    known = 0
    for channel, secret in dict.fromkeys(told):
        found = given.store.channel(channel, secret)
        if found is not None:
            company, link = found
            given.store.wake(company, link.id, now)
            known += 1
    observe.log("hook", known=known, told=len(told))
    if known:
        given.wake()
