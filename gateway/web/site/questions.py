"""Questions about what a staff member did in a calendar: shall it be cancelled, shall it be moved all the same? Answered on the page a
letter leads to, or on one's own.

Whoever holds the letter holds the token; nothing else identifies anybody there. Opening the address changes nothing: mail programs and
scanners open every link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway import desk
from gateway.booking import Cancel, Intent, Move, instances
from gateway.errors import Refused
from gateway.model import Actor, Appointment, CompanyId, Span, Staff, StaffId, Status
from gateway.store import Question, Snapshot, Transaction
from gateway.web.languages import Language, chosen
from gateway.web.problems import Problem
from gateway.web.site.frame import Answer, Ask, Route, Shown, Went, Who

VALID = timedelta(days=14)
ANSWERS = ("cancel", "move", "keep")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is asked. `span` is where the appointment, or the occurrence that is meant, takes place; None: the question is settled, or
    too old to be answered. Facts are shown as long as it is open: a link that lies about in a mailbox tells nothing later."""

    company: str
    staff: Staff
    question: Question
    entry: Appointment | None
    span: Span | None
    service: str
    customer: str
    locale: str

    @property
    def language(self) -> Language:
        return chosen(self.locale, "")

    def when(self, span: Span) -> str:
        return self.language.stretch(span.start, span.end, self.staff.zone)


def waiting(ask: Ask, snapshot: Snapshot, staff: StaffId) -> Sequence[Case]:
    """What a staff member has not answered yet."""
    found = [_case(ask, snapshot, question) for question in snapshot.open_questions(staff, ask.now - VALID)]
    return [case for case in found if case.span is not None]


def show(ask: Ask) -> Answer:
    """The question with its two buttons; 410 once it is settled."""
    company, question = _asked(ask)
    with ask.store.read(company) as snapshot:
        return _page(_case(ask, snapshot, question))


def settle(ask: Ask) -> Answer:
    """One of the buttons was pressed."""
    company, question = _asked(ask)
    case, outcome = _settled(ask, company, question)
    return _page(case, outcome)


def settle_own(ask: Ask) -> Answer:
    """The same on one's own page."""
    staff, name = ask.own_staff(), ask.field("question")
    with ask.store.read(ask.company) as snapshot:
        found = next((each for each in snapshot.open_questions(staff, ask.now - VALID) if each.id == name), None)
    if found is None:
        return Went("/me", "question-settled")
    _, outcome = _settled(ask, ask.company, found)
    return Went("/me", f"question-{outcome or 'settled'}")


def _asked(ask: Ask) -> tuple[CompanyId, Question]:
    known = ask.store.question(ask.match["token"])
    if known is None:
        raise Problem(404, ask.say("This link is not valid. Please use the link in the newest letter."))
    return known


def _settled(ask: Ask, company: CompanyId, question: Question) -> tuple[Case, str]:
    """The case as it stood before, and what came of the answer: an answer, "refused" by the rules, or "" when somebody was quicker."""
    answer = ask.field("answer", longest=100)
    if answer not in ANSWERS or answer == ("move" if question.wish is None else "cancel"):
        raise Problem(400, ask.say("Please answer with one of the two buttons."))
    with ask.store.read(company) as snapshot:
        case = _case(ask, snapshot, question)
    if case.span is None:
        return case, ""
    actor = Actor(case.staff.handle, "page")
    try:
        with ask.store.write(company, actor) as tx:
            if not tx.answer(question.id, answer, ask.now):
                return _case(ask, tx, question, settled=True), ""
            if answer != "keep":
                _carry_out(ask, tx, actor, question)
    except Refused:
        return case, "refused"
    ask.parts.wake()
    return case, answer


def _carry_out(ask: Ask, tx: Transaction, actor: Actor, question: Question) -> None:
    wish: Intent = Cancel(at=question.at) if question.wish is None else Move(span=question.wish, at=question.at, insisting=True)
    desk.apply_to(tx, actor, question.entry, [wish], ask.now)


def _case(ask: Ask, snapshot: Snapshot, question: Question, *, settled: bool = False) -> Case:
    held = snapshot.held_by_id(question.entry)
    entry = held.entry if held is not None and isinstance(held.entry, Appointment) else None
    open_still = not settled and question.answered is None and ask.now < question.asked + VALID
    if question.wish is not None and question.wish.start <= ask.now:
        open_still = False
    staff = snapshot.staff(question.staff)
    return Case(
        company=snapshot.company.name,
        staff=staff,
        question=question,
        entry=entry,
        span=_span(entry, question) if open_still and entry is not None else None,
        service=snapshot.service(entry.service).name if entry is not None else "",
        customer=snapshot.customer(entry.customer).name if entry is not None else "",
        locale=staff.locale or snapshot.company.locale,
    )


def _span(entry: Appointment, question: Question) -> Span | None:
    if entry.status is Status.CANCELLED:
        return None
    if question.at is None:
        return entry.span
    at = question.at
    return next((each.span for each in instances(entry, within=Span(at, at)) if each.at == at), None)


def _page(case: Case, outcome: str = "") -> Shown:
    status = 410 if case.span is None else 409 if outcome == "refused" else 200
    return Shown("answer.html", {"case": case, "outcome": "over" if case.span is None else outcome}, status, language=case.language)


ROUTES = (
    Route("GET", "/answer/{token}", show, Who.ANYBODY),
    Route("POST", "/answer/{token}", settle, Who.ANYBODY),
    Route("POST", "/me/question", settle_own, Who.SIGNED_IN),
)
