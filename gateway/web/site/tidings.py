"""What a staff member is told by letter when a customer has moved, declined or cancelled an appointment."""

from __future__ import annotations

from enum import StrEnum

from gateway.errors import Invalid
from gateway.model import Appointment, Span
from gateway.post.line import line
from gateway.post.note import Note, queue
from gateway.post.paper import Fact, Link, Look, Mood
from gateway.store import Transaction
from gateway.web.languages import Language, chosen
from gateway.web.site.frame import Ask
from gateway.web.site.holding import Case


class Tidings(StrEnum):
    MOVED = "moved"
    DECLINED = "declined"
    CANCELLED = "cancelled"


def tell(
    ask: Ask, tx: Transaction, case: Case, what: Tidings, entry: Appointment, *, now_at: Span | None = None, message: str = ""
) -> None:
    """One letter for each state of the appointment, queued with the change. Where no letters are written, or the staff member has no
    address, the log tells all the same."""
    person = case.circle.staff
    if ask.parts.letters is None or not person.active:
        return
    said = chosen(person.locale or case.circle.company.locale, "")
    subject, lead, after = _words(said, what, line(case.circle.customer.name), said.moment(case.place.start, person.zone))
    note = Note(
        kind=f"customer_{what}",
        recipient=person.email,
        name=person.name,
        locale=person.locale,
        subject=subject,
        lead=lead,
        facts=tuple(_facts(said, case, now_at, message)),
        button=Link(said.say("Open my calendar"), f"{ask.parts.public_url}/me"),
        after=(after,),
        mood={Tidings.MOVED: Mood.CHANGED, Tidings.DECLINED: Mood.REFUSED, Tidings.CANCELLED: Mood.GONE}[what],
    )
    occurrence = f":{case.at:%Y%m%dT%H%M%SZ}" if case.at is not None else ""
    try:
        queue(tx, note, ask.parts.letters, key=f"customer:{what}:{entry.id}:{entry.version}{occurrence}", now=ask.now)
    except Invalid:
        return


def _words(said: Language, what: Tidings, customer: str, when: str) -> tuple[str, str, str]:
    """Subject, first sentence, what comes of it."""
    match what:
        case Tidings.MOVED:
            return (
                said.say("%(customer)s has moved the appointment of %(when)s", customer=customer, when=when),
                said.say("The customer has chosen another time from those that were free."),
                said.say("Your calendar shows the new time already. The customer is told by mail; there is nothing for you to do."),
            )
        case Tidings.DECLINED:
            return (
                said.say("%(customer)s cannot come on %(when)s", customer=customer, when=when),
                said.say("The new time does not suit the customer, and no other time was chosen."),
                said.say("The appointment stays in your calendar until one of you changes it. Please get in touch with the customer."),
            )
        case Tidings.CANCELLED:
            return (
                said.say("%(customer)s has cancelled the appointment of %(when)s", customer=customer, when=when),
                said.say("The customer has cancelled this appointment."),
                said.say("It is gone from your calendar already. The customer is told by mail; there is nothing for you to do."),
            )


def _facts(said: Language, case: Case, now_at: Span | None, message: str) -> list[Fact]:
    zone, circle = case.circle.staff.zone, case.circle
    when = said.stretch(case.place.start, case.place.end, zone)
    times = [Fact(said.say("When"), (when,), Look.MAIN)]
    if now_at is not None:
        new = said.stretch(now_at.start, now_at.end, zone)
        times = [Fact(said.say("New time"), (new,), Look.MAIN), Fact(said.say("Old time"), (when,), Look.GONE)]
    given = [
        (said.say("Message"), line(message, 500)),
        (said.say("Service"), line(circle.service.name)),
        (said.say("Customer"), line(circle.customer.name)),
        (said.say("E-mail"), line(circle.customer.email)),
        (said.say("Telephone"), line(circle.customer.phone)),
    ]
    return times + [Fact(label, (text,)) for label, text in given if text]
