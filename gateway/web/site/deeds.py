"""Changes and refusals in a reader's words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.errors import Reason
from gateway.model import Appointment, Change, Status
from gateway.web.languages import Language, marked

_DOORS = {
    "dav": marked("calendar program"),
    "mirror": marked("Google or Microsoft calendar"),
    "rest": marked("booking system"),
    "page": marked("page"),
    "customer": marked("customer's page"),
    "cli": marked("command line"),
    "import": marked("import"),
    "worker": marked("gateway"),
}

_REASONS = {
    Reason.TWO_WAY_OFF: marked("bidirectional synchronization is off"),
    Reason.PAST: marked("the new time is in the past"),
    Reason.TAKEN: marked("the time is taken"),
    Reason.OUTSIDE_HOURS: marked("outside working hours"),
    Reason.NOT_YOURS: marked("this belongs to the booking system"),
    Reason.READ_ONLY: marked("this calendar can only be read"),
    Reason.RECURRENCE: marked("how it repeats is for the booking system to change"),
    Reason.DURATION: marked("the length belongs to the service"),
    Reason.ALL_DAY: marked("an appointment has a time of day"),
    Reason.STALE: marked("it was based on a state that had changed meanwhile"),
    Reason.CANCELLED: marked("the appointment is cancelled"),
    Reason.CANCEL_ASKED: marked("a deletion does not cancel by itself; the staff member was asked"),
    Reason.CANCEL_RESTORED: marked("a deletion does not cancel; it was put back"),
    Reason.IDENTITY: marked("organizer and guests are for the booking system to change"),
}


_LETTERS = {
    "booked": marked("booking confirmed"),
    "series_booked": marked("booking confirmed"),
    "moved": marked("new time"),
    "series_moved": marked("new times"),
    "one_moved": marked("new time"),
    "cancelled": marked("cancellation"),
    "series_cancelled": marked("cancellation"),
    "one_cancelled": marked("cancellation"),
    "one_added": marked("takes place after all"),
    "several_changed": marked("changes"),
    "refused": marked("edit turned back"),
    "asked": marked("question whether to cancel"),
}

_DEEDS = {
    "settings": marked("settings changed"),
    "invitation": marked("invitation sent"),
    "invitation-revoked": marked("invitation revoked"),
    "feed": marked("feed changed"),
    "feed-made": marked("feed made"),
    "feed-renewed": marked("feed given a new address"),
    "feed-revoked": marked("feed ended"),
    "group": marked("group changed"),
    "group-made": marked("group made"),
    "service": marked("service changed"),
    "service-made": marked("service added"),
    "staff": marked("staff member changed"),
    "staff-added": marked("staff member added"),
    "hours": marked("working hours changed"),
    "external-calendar": marked("external calendar changed"),
    "link": marked("connected calendar changed"),
    "link-disconnected": marked("calendar disconnected"),
    "link-calendar": marked("appointments shown in another calendar"),
    "link-blocking": marked("calendars that block changed"),
    "link-decided": marked("brake decided"),
    "app-password": marked("app password made"),
    "app-password-revoked": marked("app password revoked"),
    "accepted-by-customer": marked("new time accepted by the customer"),
    "declined-by-customer": marked("new time declined by the customer"),
    "event-kept": marked("event elsewhere left as it is"),
    "event-restored": marked("event elsewhere written once more"),
    "link-settled": marked("event elsewhere settled"),
}


def door_words(said: Language, door: str) -> str:
    return said.say(_DOORS.get(door, door))


def reason_words(said: Language, reason: Reason) -> str:
    return said.say(_REASONS[reason])


def letter_words(said: Language, kind: str) -> str:
    """Which letter it was."""
    return said.say(_LETTERS.get(kind, kind.replace("_", " ")))


def audit_words(said: Language, what: str) -> str:
    """What somebody did that is no entry."""
    return said.say(_DEEDS.get(what, what.replace("-", " ")))


def deed_words(said: Language, change: Change, zone: str) -> str:
    """What happened, as a few words without a subject; times in the zone."""
    before, after = change.before, change.after
    if change.reason is not None:
        return said.say("turned back")
    if not isinstance(after, Appointment):
        return said.say("personal event erased") if after is None else said.say("personal event written")
    if not isinstance(before, Appointment):
        return said.say("booked for %(when)s", when=said.stretch(after.span.start, after.span.end, zone))
    return "; ".join(_differences(said, before, after, zone)) or said.say("shown anew, because facts beside it have changed")


def _differences(said: Language, before: Appointment, after: Appointment, zone: str) -> Iterator[str]:
    if before.status != after.status:
        yield said.say("cancelled") if after.status is Status.CANCELLED else said.say("confirmed")
    if before.span.start != after.span.start:
        yield said.say(
            "moved from %(former)s to %(later)s",
            former=said.stretch(before.span.start, before.span.end, zone),
            later=said.stretch(after.span.start, after.span.end, zone),
        )
    elif before.span != after.span:
        yield said.say("made longer or shorter: until %(when)s", when=said.moment(after.span.end, zone))
    if before.recurrence != after.recurrence:
        former = {each.at: each.span for each in before.recurrence.overrides} if before.recurrence else {}
        later = {each.at: each.span for each in after.recurrence.overrides} if after.recurrence else {}
        for at in sorted(at for at in {*former, *later} if former.get(at) != later.get(at)):
            place = later.get(at)
            yield said.say(
                "the date of %(at)s moved to %(when)s",
                at=said.moment(at, zone),
                when=said.moment(place.start if place else at, zone),
            )
        gone = {*(after.recurrence.excluded if after.recurrence else ())} - {*(before.recurrence.excluded if before.recurrence else ())}
        for at in sorted(gone):
            yield said.say("the date of %(at)s cancelled", at=said.moment(at, zone))
    if before.notes != after.notes:
        yield said.say("notes changed")
    if before.service != after.service:
        yield said.say("service changed")
    if before.extras != after.extras:
        yield said.say("kept in the staff member's own calendar: alarms, colours and the like")
