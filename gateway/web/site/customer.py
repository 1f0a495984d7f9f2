"""The customer's page of an appointment, where the letters lead: accept a new time, choose another, decline, cancel, keep it in a calendar.

Whoever holds the letter holds the key in its address; nothing else identifies anybody and no cookie is set. Opening the page changes
nothing: mail programs and scanners open every link.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from gateway import desk
from gateway.booking import Cancel, Move
from gateway.errors import Reason, Refused
from gateway.ical import itip
from gateway.model import Actor, Appointment, Span
from gateway.post.compose import description, summary
from gateway.post.links import add_links
from gateway.store import Transaction
from gateway.web.problems import Problem
from gateway.web.site.frame import Answer, Ask, Route, Sent, Shown, Went, Who
from gateway.web.site.holding import Case, basic, case_of, instant_of, opened
from gateway.web.site.tidings import Tidings, tell

WEEK = timedelta(days=7)
WEEKS = 8
"""So many are looked through until one has a free time."""

AHEAD = timedelta(days=366)
"""How far ahead an appointment may be moved by a customer."""

MESSAGE = 500
_CUSTOMER = Actor("customer", "customer")


def show(ask: Ask) -> Answer:
    """How the appointment stands, and what can be done about it."""
    company, entry = opened(ask)
    with ask.store.read(company) as snapshot:
        case = case_of(ask, snapshot, entry)
        return _page(ask, case, back=_back(case, desk.offers(snapshot, case.entry, case.at, _just(case.former)) if case.former else ()))


def times(ask: Ask) -> Answer:
    """Free times, a week at a time; the first week with one when none is asked for."""
    company, entry = opened(ask)
    with ask.store.read(company) as snapshot:
        case = case_of(ask, snapshot, entry)
        if not case.may_move:
            return Went(case.address)
        begins, asked = _begins(ask, case)
        for _ in range(1 if asked else WEEKS):
            week = Span(*(_midnight(day, case.zone) for day in (begins, begins + WEEK)))
            found = _offered(case, desk.offers(snapshot, case.entry, case.at, week))
            if found or asked:
                break
            begins += WEEK
    said = case.language
    days = [(day, list(spans)) for day, spans in groupby(found, key=lambda span: span.start.astimezone(case.zone).date())]
    values = {
        "case": case,
        "days": [(said.day(day), [(basic(span.start), said.clock(span.start, case.zone.key)) for span in spans]) for day, spans in days],
        "week": (said.day(begins, short=True), said.day(begins + WEEK - timedelta(days=1), short=True)),
        "earlier": (begins - WEEK).isoformat() if begins > ask.now.astimezone(case.zone).date() else "",
        "later": (begins + WEEK).isoformat() if _midnight(begins + WEEK, case.zone) < ask.now + AHEAD else "",
    }
    return Shown("times.html", values, language=said)


def act(ask: Ask) -> Answer:
    """One of the page's buttons."""
    company, entry = opened(ask)
    try:
        with ask.store.write(company, _CUSTOMER) as tx:
            case = case_of(ask, tx, entry)
            if not case.open:
                return Went(case.address)
            match ask.field("do"):
                case "accept":
                    return _accept(ask, tx, case)
                case "decline":
                    return _decline(ask, tx, case)
                case "cancel":
                    answer = _cancel(ask, tx, case)
                case "move":
                    answer = _move(ask, tx, case)
                case _:
                    raise Problem(400, case.language.say("Please use one of the buttons."))
    except Refused as refused:
        with ask.store.read(company) as snapshot:
            return _page(ask, case_of(ask, snapshot, entry), trouble=refused.reason)
    ask.parts.wake()
    return answer


def calendar(ask: Ask) -> Answer:
    """The appointment for a calendar program that fetches it again and again."""
    company, entry = opened(ask)
    with ask.store.read(company) as snapshot:
        case = case_of(ask, snapshot, entry)
    circle = case.circle
    text = itip.publish(
        case.entry,
        company=circle.company,
        organizer=ask.letters.sender,
        summary=summary(circle),
        description=description(circle),
        url=f"{ask.parts.public_url}{case.page}",
    )
    return Sent(text.encode(), "text/calendar; charset=utf-8", "appointment.ics" if "download" in ask.query else "")


def _accept(ask: Ask, tx: Transaction, case: Case) -> Answer:
    tx.attend(case.entry.id, "ACCEPTED", case.entry.version, ask.now)
    tx.audit("accepted-by-customer", case.entry.id, {}, {"time": case.place.start.isoformat()}, ask.now)
    return Went(case.address, "time-accepted")


def _decline(ask: Ask, tx: Transaction, case: Case) -> Answer:
    """Nothing is moved: somebody of the staff hears of it and gets in touch."""
    tx.attend(case.entry.id, "DECLINED", case.entry.version, ask.now)
    tx.audit("declined-by-customer", case.entry.id, {}, {"time": case.place.start.isoformat()}, ask.now)
    tell(ask, tx, case, Tidings.DECLINED, case.entry, message=ask.field("message", longest=MESSAGE))
    ask.parts.wake()
    return Went(case.address, "time-declined")


def _cancel(ask: Ask, tx: Transaction, case: Case) -> Answer:
    if not case.may_cancel:
        return Went(case.address, "too-late")
    change = desk.apply_to(tx, _CUSTOMER, case.entry.id, [Cancel(at=case.at)], ask.now)
    if change is not None and isinstance(change.after, Appointment):
        tx.attend(case.entry.id, "DECLINED", change.after.version, ask.now)
        tell(ask, tx, case, Tidings.CANCELLED, change.after)
    return Went(case.address, "appointment-cancelled")


def _move(ask: Ask, tx: Transaction, case: Case) -> Answer:
    """Only to a time that was offered, or back to where it was."""
    if not case.may_move:
        return Went(case.address, "too-late")
    start = instant_of(ask.field("start"))
    if start is None or not ask.now + case.notice < start < ask.now + AHEAD:
        raise Problem(400, case.language.say("Please choose one of the times that are offered."))
    span = Span(start, start + case.place.length)
    if span == case.place:
        return Went(case.address)
    if span != case.former and span not in desk.offers(tx, case.entry, case.at, _just(span)):
        raise Refused(Reason.TAKEN, "That time is not free any more.")
    change = desk.apply_to(tx, _CUSTOMER, case.entry.id, [Move(span=span, at=case.at)], ask.now)
    if change is not None and isinstance(change.after, Appointment):
        tx.attend(case.entry.id, "ACCEPTED", change.after.version, ask.now)
        tell(ask, tx, case, Tidings.MOVED, change.after, now_at=span)
    return Went(case.address, "appointment-moved")


def _page(ask: Ask, case: Case, *, back: str = "", trouble: Reason | None = None) -> Shown:
    status = 409 if trouble is not None else 410 if not case.open else 200
    return Shown(
        "appointment.html",
        {
            "case": case,
            "trouble": trouble is not None,
            "back": back,
            "add": list(add_links(summary(case.circle), case.place, description(case.circle))) if case.open else [],
            "ics": f"{ask.parts.public_url}{case.page}.ics",
            "longest": MESSAGE,
        },
        status,
        language=case.language,
    )


def _back(case: Case, free: Sequence[Span]) -> str:
    """The former time as the form sends it, where it is free still."""
    return basic(case.former.start) if case.former is not None and _offered(case, [span for span in free if span == case.former]) else ""


def _offered(case: Case, spans: Sequence[Span]) -> list[Span]:
    """Those a customer may still choose."""
    return [span for span in spans if case.now + case.notice < span.start < case.now + AHEAD]


def _begins(ask: Ask, case: Case) -> tuple[date, bool]:
    """The first day to show, and whether it was asked for: without, a little before the appointment."""
    today = ask.now.astimezone(case.zone).date()
    try:
        return max(today, min(date.fromisoformat(ask.query.get("from", "")), today + AHEAD)), True
    except ValueError:
        return max(today, case.place.start.astimezone(case.zone).date() - timedelta(days=2)), False


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _just(span: Span) -> Span:
    """A window in which nothing begins but what begins with the span."""
    return Span(span.start, span.start + timedelta(seconds=1))


ROUTES = (
    Route("GET", "/appointment/{token:[A-Za-z0-9_-]+}", show, Who.ANYBODY),
    Route("POST", "/appointment/{token:[A-Za-z0-9_-]+}", act, Who.ANYBODY),
    Route("GET", "/appointment/{token:[A-Za-z0-9_-]+}.ics", calendar, Who.ANYBODY),
    Route("GET", "/appointment/{token:[A-Za-z0-9_-]+}/times", times, Who.ANYBODY),
)
