"""The question a letter asks a staff member who deleted an appointment: cancel it, or keep it? /answer/{token}

Whoever holds the letter holds the token; nothing else identifies anybody, no cookie is set. Opening the address changes nothing:
mail programs and scanners open every link.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from aiohttp import web

from gateway import desk
from gateway.booking import Cancel, instances
from gateway.errors import Refused
from gateway.model import Actor, Appointment, Company, Span, Staff, Status
from gateway.post import dates
from gateway.post.words import words as letter_words
from gateway.store import Question, Snapshot
from gateway.web.pages import page
from gateway.web.paper import render
from gateway.web.parts import Parts, on_thread, parts
from gateway.web.problems import Problem
from gateway.web.words import ENGLISH, LANGUAGES, Words

VALID = timedelta(days=14)
_FORM = 1024  # octets of a form with one button
_UNKNOWN = "This link is not valid. Please use the link in the newest letter."

# The token stands in the address, so no other site may see it; our own form must say where it comes from, though, and
# with "no-referrer" browsers would send `Origin: null`.
_REFERRER = {"Referrer-Policy": "same-origin"}


def routes() -> list[web.RouteDef]:
    return [web.get("/answer/{token}", show), web.post("/answer/{token}", settle)]


@dataclass(frozen=True)
class _Case:
    """What is asked, for the page. `span` None: the question is settled or too old."""

    company: Company
    staff: Staff
    question: Question
    entry: Appointment | None
    span: Span | None
    facts: tuple[str, str]  # service and customer

    @property
    def language(self) -> str:
        return next((each for each in (self.staff.locale[:2], self.company.locale[:2]) if each in LANGUAGES), "en")

    @property
    def words(self) -> Words:
        return LANGUAGES.get(self.language, ENGLISH)


async def show(request: web.Request) -> web.Response:
    """The question with its two buttons; 410 once it is settled."""
    case = await on_thread(request.app, _look, parts(request), request.match_info["token"])
    words = case.words
    if case.span is None:
        return _page(case, words.over, words.over_lead, status=410)
    note = words.one_of_series if case.question.at is not None else ""
    return _page(case, words.asked, words.asked_lead, note=note, buttons=[("cancel", words.cancel), ("keep", words.keep)])


async def settle(request: web.Request) -> web.Response:
    """One of the buttons was pressed on our own page."""
    _from_here(request)
    async with asyncio.timeout(parts(request).limits.body_seconds):
        form = (await request.content.read(_FORM)).decode("ascii", "replace")
    answer = parse_qs(form).get("answer", [""])[0]
    if answer not in {"cancel", "keep"}:
        raise Problem(400, "Please answer with one of the two buttons.")
    case, refused = await on_thread(request.app, _settle, parts(request), request.match_info["token"], answer)
    words = case.words
    if case.span is None:
        return _page(case, words.over, words.over_lead, status=410)
    if refused:
        return _page(case, words.refused, words.over_lead, status=409)
    if answer == "keep":
        return _page(case, words.kept, words.kept_lead)
    parts(request).wake()
    return _page(case, words.cancelled, words.cancelled_lead)


def _from_here(request: web.Request) -> None:
    """A form on another site cannot press our buttons (trust.md A170), not even for somebody who told it the token."""
    site, origin = request.headers.get("Sec-Fetch-Site", "same-origin"), request.headers.get("Origin")
    ours = {parts(request).public_url, f"http://{request.host}", f"https://{request.host}"}
    if site != "same-origin" or (origin is not None and origin not in ours):
        raise Problem(403, "Please answer on the page that the letter leads to.")


def _look(given: Parts, token: str) -> _Case:
    """Runs on a thread."""
    known = given.store.question(token)
    if known is None:
        raise Problem(404, _UNKNOWN)
    company, question = known
    with given.store.read(company) as snapshot:
        return _case(snapshot, question, given.clock())


def _settle(given: Parts, token: str, answer: str) -> tuple[_Case, bool]:
    """The case as it stood before the answer, and whether the rules refused it. Runs on a thread."""
    case, now = _look(given, token), given.clock()
    if case.span is None:
        return case, False
    actor = Actor(case.staff.handle, "page")
    try:
        with given.store.write(case.company.id, actor) as tx:
            if not tx.answer(case.question.id, answer, now):  # somebody was quicker
                return _case(tx, case.question, now + VALID), False
            if answer == "cancel":
                desk.apply_to(tx, actor, case.question.entry, [Cancel(at=case.question.at)], now)
    except Refused:
        return case, True
    return case, False


def _case(snapshot: Snapshot, question: Question, now: datetime) -> _Case:
    held = snapshot.held_by_id(question.entry)
    entry = held.entry if held is not None and isinstance(held.entry, Appointment) else None
    open_still = question.answered is None and now < question.asked + VALID
    return _Case(
        company=snapshot.company,
        staff=snapshot.staff(question.staff),
        question=question,
        entry=entry,
        span=_span(entry, question.at) if open_still and entry is not None else None,
        facts=(snapshot.service(entry.service).name, snapshot.customer(entry.customer).name) if entry is not None else ("", ""),
    )


def _span(entry: Appointment, at: datetime | None) -> Span | None:
    if entry.status is Status.CANCELLED:
        return None
    if at is None:
        return entry.span
    return next((each.span for each in instances(entry, within=Span(at, at)) if each.at == at), None)


def _page(
    case: _Case, title: str, lead: str, *, note: str = "", buttons: list[tuple[str, str]] | None = None, status: int = 200
) -> web.Response:
    """Facts are shown as long as the question is open: a link that lies about in a mailbox tells nothing later."""
    facts: list[tuple[str, tuple[str, ...]]] = []
    if case.span is not None:
        said = letter_words(case.staff.locale, case.company.locale)
        when = dates.stretch(said.calendar, case.span, dates.zone(case.staff.zone, case.company.zone))
        service, customer = case.facts
        facts = [(said.labels.when, when), (said.labels.service, (service,)), (said.labels.customer, (customer,))]
    text = render(
        "answer.html",
        language=case.language,
        company=case.company.name,
        title=title,
        lead=lead,
        facts=facts,
        note=note,
        buttons=buttons or [],
    )
    response = page(text, status)
    response.headers.update(_REFERRER)
    return response
