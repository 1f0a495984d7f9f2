"""Back from a provider's consent page, /connect/…/callback: what came of it, said in a sentence with a next step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from gateway.bridge.accounts import Accounts, Connected, Failed, local
from gateway.bridge.remote import RemoteError
from gateway.errors import Conflict, Missing
from gateway.links import Provider
from gateway.model import Actor
from gateway.web.languages import marked
from gateway.web.pages import language_of, page
from gateway.web.parts import Parts, host_cookie, on_thread, parts
from gateway.web.problems import Problem

COOKIE = "gateway-consent"
"""Held by the browser that was sent to the provider from one of our pages: no other one may come back with its state (trust.md A160)."""

_AT: Mapping[str, tuple[Provider, ...]] = {
    "/connect/google/callback": (Provider.GOOGLE,),
    "/connect/microsoft/callback": (Provider.OUTLOOK, Provider.OFFICE365),
}
_CHOOSING = re.compile(r"/me|/connect/[A-Za-z0-9_-]+")
"""Pages from which an account's calendars are chosen."""

_TENANT = re.compile(r"[0-9A-Fa-f-]{36}")
_ADMIN = ("consent_required", "interaction_required", "admin_consent_required")


_DOOR = Actor("invitation", "page")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What the provider's page has sent the browser back with (RFC 6749 §4.1.2)."""

    state: str
    code: str
    error: str
    browser: str
    among: tuple[Provider, ...]


def routes() -> list[web.RouteDef]:
    return [web.get(path, back) for path in _AT]


def accounts(given: Parts) -> Accounts:
    """Raises Problem where no calendars are connected."""
    if given.accounts is None:
        raise Problem(404, "No calendar can be connected here.")
    return given.accounts


async def back(request: web.Request) -> web.Response:
    """The person has said yes or no at the provider. GET is what OAuth prescribes; the state makes it ours, and is good once."""
    given, query = parts(request), request.query
    if "admin_consent" in query:
        return _organisation(request, query.get("tenant", ""))
    answer = _Answer(
        state=query.get("state", "")[:200],
        code=query.get("code", "")[:4000],
        error=query.get("error", "")[:100],
        browser=request.cookies.get(host_cookie(given, COOKIE), "")[:200],
        among=_AT[request.path],
    )
    done = await on_thread(request.app, _complete, given, answer)
    if isinstance(done, Failed):
        return _said(request, _title(answer.error), done.sentence, status=400, again=done.back)
    given.wake()
    if done.back and not done.missing:
        to = _onwards(done)
        mark = "&" if "?" in to else "?"
        return web.Response(status=303, headers={"Location": f"{to}{mark}said=connected", "Cache-Control": "no-store"})
    lead = marked("Your appointments appear there within a minute. You can close this page.")
    return _said(request, marked("Your calendar is connected"), lead, _unasked(request, done.missing), again=done.back)


def _onwards(done: Connected) -> str:
    """Where it was begun; with an account that is new, on to the choice of its calendars."""
    chooses = not done.again and _CHOOSING.fullmatch(done.back) is not None
    return f"{done.back}/calendars/{done.account}" if chooses else done.back


def _organisation(request: web.Request, tenant: str) -> web.Response:
    """An administrator of Microsoft 365 has agreed for everybody, or not. That changes nothing here: mailboxes are entered by name."""
    if "error" in request.query or not _TENANT.fullmatch(tenant):
        lead = "Nobody has agreed for the organisation, so nothing has changed. Please try again as its administrator."
        return _said(request, marked("Nothing was connected"), lead, status=400)
    more = language_of(request).say(
        "Whoever runs this server connects its mailboxes now with the organisation's number, which is %(tenant)s.", tenant=tenant
    )
    return _said(request, marked("Your organisation has agreed"), "", more)


def _complete(given: Parts, answer: _Answer) -> Connected | Failed:
    """Runs on a thread. The state is used up in any case: whoever comes back twice begins anew."""
    room = accounts(given)
    try:
        consent = room.returned(answer.state, among=answer.among, browser=answer.browser)
    except Missing as error:
        return Failed(sentence=str(error))
    if answer.error or not answer.code:
        return Failed(sentence=_refused(answer.error), back=local(consent.back))
    try:
        done = room.connect(consent, answer.code)
    except (RemoteError, Conflict, Missing) as error:
        return Failed(sentence=str(error), back=local(consent.back))
    _use_up(given, local(consent.back))
    return done


def _use_up(given: Parts, begun: str) -> None:
    """An invitation that has led to a connection leads to no other one (trust.md A163)."""
    if not begun.startswith("/connect/"):
        return
    found = given.store.invitation(begun.removeprefix("/connect/"))
    if found is not None:
        company, invitation = found
        with given.store.write(company, _DOOR) as tx:
            tx.invitation_connected(invitation.id, given.clock())


def _title(error: str) -> str:
    if error in _ADMIN:
        return marked("Your administrator has to agree first")
    return marked("Nothing was connected") if error else marked("The calendar is not connected")


def _refused(error: str) -> str:
    if error in _ADMIN:
        return "Ask the administrator of your organisation to allow this app, then try again."
    if error == "access_denied":
        return "You have not agreed, so nothing has changed. Use the link of your invitation to try again."
    return "The provider did not let us in. Please try again; if it happens again, tell whoever invited you."


def _unasked(request: web.Request, missing: Sequence[str]) -> str:
    """What was not granted, in the reader's language; "" when everything was."""
    said = language_of(request)
    what = "; ".join(said.heard(each) for each in missing)
    return said.say("You have not allowed us to do this: %(what)s. Connect again and tick it if you want that.", what=what) if what else ""


def _said(request: web.Request, title: str, lead: str, more: str = "", status: int = 200, again: str = "") -> web.Response:
    """`again` is the page of ours where it was begun."""
    said = language_of(request)
    return page(said.page("notice.html", title=said.say(title), lead=f"{said.heard(lead)} {more}".strip(), back=again), status)
