"""What every page of the site stands on: a table of routes, who has signed in, forms that only our own pages can send, and what is shown.

A page is a plain function from an `Ask` to an `Answer`; it runs on a thread of the front door and may use the store. The frame reads
cookie and form, checks role, origin and form token, chooses the language and renders the template.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType
from urllib.parse import parse_qs, quote, urlencode

from aiohttp import web

from gateway.errors import Invalid
from gateway.model import Actor, CompanyId, StaffId
from gateway.post.note import Desk
from gateway.store import Store
from gateway.users import Role, Session, User
from gateway.web.guard import peer, policy_towards
from gateway.web.languages import Language, chosen
from gateway.web.parts import Parts, host_cookie, on_thread, parts
from gateway.web.problems import LANGUAGE, Problem
from gateway.web.site import sayings

FORM = 256 * 1024  # octets: a letter with pictures pasted into it is refused, one with a table is not
FIELDS = 2000
COOKIE = "gateway-session"

# TinyMCE writes styles into the page and into the frame of the text; scripts are our own files there as everywhere.
_EDITOR_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data: blob: https:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

LETTER = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https:"
"""The policy of a letter shown as a page."""

Token = NewType("Token", str)


class Who(StrEnum):
    """Whom a page is for."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """Whoever has signed in, in which company."""

    company: CompanyId
    session: Session
    token: Token

    @property
    def user(self) -> User:
        return self.session.user

    @property
    def is_admin(self) -> bool:
        return self.user.role is Role.ADMIN

    @property
    def actor(self) -> Actor:
        return Actor(self.user.email, "page")

    @property
    def form_token(self) -> str:
        """What a form of ours carries; no other site can know it."""
        return hmac.new(self.token.encode(), b"form", hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One request as a page sees it. `form` is empty but for POST; `match` are the parts of the address that vary."""

    parts: Parts
    now: datetime
    language: Language
    match: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, Sequence[str]]
    path: str
    peer: str
    agent: str
    signed: Signed | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.parts.store

    @property
    def who(self) -> Signed:
        """Of pages that ask for it in the table; the frame has made sure."""
        if self.signed is None:
            raise Problem(401, "Please sign in.")
        return self.signed

    @property
    def company(self) -> CompanyId:
        return self.who.company

    @property
    def letters(self) -> Desk:
        """How letters are written. Raises Problem where none are."""
        if self.parts.letters is None:
            raise Problem(503, self.say("No mail can be sent from here. Ask whoever runs this server to set mail.smtp_url."))
        return self.parts.letters

    def field(self, name: str, default: str = "", *, longest: int = 500) -> str:
        """One field of the form or, for GET, of the address, trimmed. Raises Invalid when it is longer."""
        value = (self.form.get(name) or [self.query.get(name, default)])[-1].strip()
        if len(value) > longest:
            raise Invalid(self.say("This text is too long: %(longest)s characters at most.", longest=longest), field=name)
        return value

    def cookie(self, name: str) -> str:
        """What the browser keeps for us under that name; "" for nothing."""
        return self.cookies.get(host_cookie(self.parts, name), "")

    def ticked(self, name: str) -> bool:
        """Whether a checkbox was sent."""
        return bool(self.form.get(name))

    def say(self, sentence: str, **values: object) -> str:
        return self.language.say(sentence, **values)

    def own_staff(self) -> StaffId:
        """The staff member who has signed in. Raises Problem for an administrator who is none."""
        staff = self.who.user.staff
        if staff is None:
            raise Problem(404, self.say("This page belongs to members of the staff. Your account is not one."))
        return staff


@dataclass(frozen=True, kw_only=True, slots=True)
class Cookie:
    """A cookie to set, unless told otherwise that of the session; "" ends it."""

    token: str
    seconds: int = 0
    name: str = COOKIE


@dataclass(frozen=True, slots=True)
class Shown:
    """A page from a template of templates/site. `values` join those that every page has (`base_values`); `editor`: it has the editor;
    `consents`: its forms lead to providers' consent pages; `language` replaces the reader's."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    editor: bool = False
    consents: bool = False
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Went:
    """On to another address (303). `said` is a key of `sayings.SAYINGS`: the sentence shown there."""

    to: str
    said: str = ""
    cookie: Cookie | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """Octets: a file to keep (`name`), or a picture. `policy` replaces the Content-Security-Policy."""

    octets: bytes
    kind: str
    name: str = ""
    policy: str = ""


Answer = Shown | Went | Sent
Page = Callable[[Ask], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table: which page answers at an address, and whom."""

    method: str
    path: str
    page: Page
    who: Who = Who.ADMIN


def routes(table: Sequence[Route]) -> list[web.RouteDef]:
    """GET answers HEAD as well; addresses with and without a slash at the end are not the same."""
    return [web.route(each.method, each.path, _handler(each)) for each in table]


def _handler(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if route.method == "POST":
            from_here(request)
        form = await _form(request) if route.method == "POST" else {}
        ask, answer = await on_thread(request.app, _answered, route, request, form)
        return _response(request, ask, answer)

    return handle


def _answered(route: Route, request: web.Request, form: Mapping[str, Sequence[str]]) -> tuple[Ask, Answer]:
    """Runs on a thread."""
    given, now = parts(request), parts(request).clock()
    signed = _signed(given, Token(request.cookies.get(cookie_name(given), "")), now)
    ask = Ask(
        parts=given,
        now=now,
        language=chosen(signed.user.locale if signed else "", request.headers.get("Accept-Language", "")),
        match=dict(request.match_info),
        query=dict(request.query),
        form=form,
        path=request.path,
        peer=peer(request),
        agent=request.headers.get("User-Agent", "")[:200],
        signed=signed,
        cookies=dict(request.cookies),
    )
    request[LANGUAGE] = ask.language.tag
    return ask, _refused(route, ask, request.path_qs) or route.page(ask)


def _refused(route: Route, ask: Ask, address: str) -> Answer | None:
    if route.who is Who.ANYBODY:
        return None
    if ask.signed is None:
        back = address if route.method == "GET" else ""
        return Went("/sign-in?" + urlencode({"next": back}) if back not in {"", "/"} else "/sign-in", "sign-in")
    if route.who is Who.ADMIN and not ask.signed.is_admin:
        raise Problem(403, ask.say("This page is for administrators of your company. Ask one of them, or go to your own calendar."))
    if route.method == "POST" and not hmac.compare_digest(ask.field("form_token"), ask.signed.form_token):
        raise Problem(403, ask.say("This form has become too old. Please go back, reload the page and send it again."))
    return None


def _signed(given: Parts, token: Token, now: datetime) -> Signed | None:
    if not token:
        return None
    found = given.store.session(token, now)
    if found is None:
        return None
    company, session = found
    return Signed(company=company, session=session, token=token)


def from_here(request: web.Request) -> None:
    """A form on another site cannot send ours (trust.md A170). Browsers say where a form comes from; programs that do not may go on."""
    site, origin = request.headers.get("Sec-Fetch-Site", "same-origin"), request.headers.get("Origin")
    ours = {parts(request).public_url, f"http://{request.host}", f"https://{request.host}"}
    if site != "same-origin" or (origin is not None and origin not in ours):
        raise Problem(403, "This form has to be sent from our own page. Please go back and try again there.")


async def _form(request: web.Request) -> dict[str, list[str]]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise Problem(415, "Please send the form of the page.")
    async with asyncio.timeout(parts(request).limits.body_seconds):
        octets = await request.content.read(FORM + 1)
        while len(octets) <= FORM and (more := await request.content.read(FORM + 1 - len(octets))):
            octets += more
    if len(octets) > FORM:
        raise Problem(413, f"A form may carry {FORM} octets at most.")
    try:
        return parse_qs(octets.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError as error:
        raise Problem(400, "The form is not understood.") from error


def cookie_name(given: Parts) -> str:
    """Of the session."""
    return host_cookie(given, COOKIE)


def _response(request: web.Request, ask: Ask, answer: Answer) -> web.Response:
    match answer:
        case Shown():
            ask = ask if answer.language is None else replace(ask, language=answer.language)
            text = ask.language.environment.get_template(f"site/{answer.template}").render(base_values(ask) | dict(answer.values))
            response = web.Response(status=answer.status, text=text, content_type="text/html")
            if answer.editor:
                response.headers["Content-Security-Policy"] = _EDITOR_POLICY
            if answer.consents:
                origins = {facts.consent for facts in ask.parts.providers.values() if facts.consent}
                response.headers["Content-Security-Policy"] = policy_towards(origins)
        case Went():
            response = web.Response(status=303, headers={"Location": _with_saying(answer.to, answer.said)})
            if answer.cookie is not None:
                _set_cookie(response, ask.parts, answer.cookie)
        case Sent():
            response = web.Response(body=answer.octets, headers={"Content-Type": answer.kind})
            if answer.policy:
                response.headers["Content-Security-Policy"] = answer.policy
            if answer.name:
                response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(answer.name)}"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"  # with "no-referrer" browsers would send our own forms with `Origin: null`
    return response


def _with_saying(to: str, said: str) -> str:
    """Before the fragment, if there is one."""
    if not said:
        return to
    path, mark, fragment = to.partition("#")
    return f"{path}{'&' if '?' in path else '?'}said={said}{mark}{fragment}"


def _set_cookie(response: web.Response, given: Parts, cookie: Cookie) -> None:
    secure = given.public_url.startswith("https:")
    name = host_cookie(given, cookie.name)
    if cookie.token:
        response.set_cookie(name, cookie.token, max_age=cookie.seconds, httponly=True, secure=secure, samesite="Lax", path="/")
    else:
        response.del_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")


def base_values(ask: Ask) -> dict[str, object]:
    """What every template can rely on."""
    company = None
    if ask.signed is not None:
        with ask.store.read(ask.signed.company) as snapshot:
            company = snapshot.company
    said = sayings.SAYINGS.get(ask.query.get("said", ""))
    return {
        "language": ask.language.tag,
        "lang": ask.language,
        "now": ask.now,
        "path": ask.path,
        "signed": ask.signed,
        "company": company,
        "zone": company.zone if company is not None else "UTC",
        "form_token": ask.signed.form_token if ask.signed is not None else "",
        "said": (said[0], ask.say(said[1])) if said is not None else None,
        "public_url": ask.parts.public_url,
        "mailbox": ask.parts.mailbox is not None,
    }
