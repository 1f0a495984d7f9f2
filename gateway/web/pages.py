"""Pages for people: the entrance, and the mailbox of the demo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from gateway.web.languages import Language, chosen
from gateway.web.parts import Mailbox, Parts, on_thread, parts
from gateway.web.problems import Problem

Mail = Mapping[str, Any]  # as the mailbox gives it: JSON-ready

# The letter's own styles may show, but it can load, run and submit nothing, and only our own page may frame it. It is a
# document of its own and not srcdoc: srcdoc would inherit the page's policy, which forbids the styles every HTML mail needs.
_LETTER = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}


def routes(given: Parts) -> list[web.RouteDef]:
    always = [web.get("/", home)]
    demo = [
        web.get("/demo/mail", mailbox),
        web.get(r"/demo/mail/{number:\d{1,9}}", mail),
        web.get(r"/demo/mail/{number:\d{1,9}}/letter", letter),
    ]
    return always + (demo if given.mailbox is not None else [])


async def home(request: web.Request) -> web.Response:
    given = parts(request)
    return page(language_of(request).page("home.html", public_url=given.public_url, mailbox=given.mailbox is not None))


def language_of(request: web.Request) -> Language:
    """Of a page that nobody signs in to: the one the browser asks for."""
    return chosen("", request.headers.get("Accept-Language", ""))


def page(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def mailbox(request: web.Request) -> web.Response:
    """Every mail; as JSON in the order in which they came for whoever accepts that (contract.md §3)."""
    mails = await _mails(request)
    if "application/json" in request.headers.get("Accept", ""):
        return web.json_response(list(mails), headers={"Cache-Control": "no-store", "Vary": "Accept"})
    shown = [_shown(number, each) for number, each in enumerate(mails, 1)]
    return page(language_of(request).page("mailbox.html", mails=shown[::-1]))


async def mail(request: web.Request) -> web.Response:
    number, found = await _one(request)
    return page(language_of(request).page("mail.html", mail=_shown(number, found)))


async def letter(request: web.Request) -> web.Response:
    """The HTML of one mail, as a document that can do nothing."""
    _, found = await _one(request)
    return web.Response(text=found["html"] or "", content_type="text/html", headers={"Cache-Control": "no-store", **_LETTER})


async def _mails(request: web.Request) -> list[Mail]:
    box = parts(request).mailbox
    if box is None:
        raise Problem(404, "There is nothing at this address.")
    return await on_thread(request.app, _all, box)


def _all(box: Mailbox) -> list[Mail]:
    return list(box.mails())


async def _one(request: web.Request) -> tuple[int, Mail]:
    mails, number = await _mails(request), int(request.match_info["number"])
    if not 1 <= number <= len(mails):
        raise Problem(404, "There is no such mail.")
    return number, mails[number - 1]


def _shown(number: int, found: Mail) -> dict[str, Any]:  # for a template
    to = found["to"]
    return {
        **found,
        "number": number,
        "to": ", ".join(to) if isinstance(to, list | tuple) else to,
        "shown_at": f"{datetime.fromisoformat(found['sent_at']):%d %b %Y, %H:%M:%S}",
    }
