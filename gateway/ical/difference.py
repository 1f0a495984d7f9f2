"""What a client's text wants of an appointment: the difference to what the appointment is, as intents in the order they are carried out.

Only what a person may have meant counts. Ignored: PRODID, METHOD, DTSTAMP, CREATED, LAST-MODIFIED, SEQUENCE, folding, the zone
times are written in, and what the platform owns (SUMMARY, DESCRIPTION, LOCATION, URL, STATUS but for CANCELLED, TRANSP).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.booking import Annotate, Cancel, Intent, Misuse, Move, Proposal, Resize
from gateway.booking.series import shifted_rule
from gateway.errors import Conflict, Reason, TooLarge
from gateway.ical import exceptions
from gateway.ical.comparison import Comparison, means
from gateway.ical.events import last_moment
from gateway.ical.marks import same
from gateway.ical.moments import shown
from gateway.ical.parse import Component, calendar, unfit
from gateway.ical.series import EXCEPTIONS
from gateway.ical.times import EVER
from gateway.model import Appointment, Status
from gateway.recurrence import Rule, Series, occurrences


def proposal(held: Appointment, held_text: str, text: str) -> Proposal:
    """What `text`, put in the place of `held_text` (our own rendering of `held`), amounts to; no intents when it says the same.

    A text without the master, as some clients send for one occurrence, speaks of the occurrences in it only. Misuse comes first,
    then what concerns the whole, then occurrence by occurrence, marks last. `seen` is X-BOOKING-REV. Raises Invalid for what is
    no calendar object, TooLarge, and Conflict ("no-uid-conflict") for an object with another UID.
    """
    if text == held_text:
        return Proposal((), held.version)
    given, sent = calendar(held_text), calendar(text)
    events = _events(sent, held)
    return Proposal(tuple(_wishes(Comparison(held=held, given=given, sent=sent, events=events))), _seen(events))


def _events(sent: Component, held: Appointment) -> list[Component]:
    events = [each for each in sent.components if each.name != "VTIMEZONE" and not each.name.startswith("X-")]
    if not events or any(each.name != "VEVENT" for each in events):
        raise unfit("An appointment is an event, and nothing else.")
    if len(events) > EXCEPTIONS + 1:
        raise TooLarge(f"An object may have {EXCEPTIONS} changed occurrences.", limit="limits.exceptions", condition="max-instances")
    for each in events:
        uid = each.one("UID")
        if uid is None:
            raise unfit("The event has no UID.")
        if uid.text.strip() != held.uid:
            raise Conflict("The appointment at this address has another UID.", condition="no-uid-conflict", href=held.name)
    if sum(each.one("RECURRENCE-ID") is None for each in events) > 1:
        raise unfit("The object has two events without RECURRENCE-ID.")
    return events


def _seen(events: Sequence[Component]) -> int | None:
    """The version the client had, if it says so in a way that can be understood."""
    ordered = sorted(events, key=lambda each: bool(each.every("RECURRENCE-ID")))
    value = ordered[0].word("X-BOOKING-REV")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _wishes(compared: Comparison) -> Iterator[Intent]:
    held, master = compared.held, compared.master
    if master is not None and master.word("STATUS") == "CANCELLED":
        if held.status is not Status.CANCELLED:
            yield Cancel()
        return
    whole = [] if master is None else list(compared.times(master, held.span, None))
    parts = list(exceptions.asked(compared, whole))
    yield from dict.fromkeys([*_guests(compared), *_rule(compared), *(wish for wish in parts if isinstance(wish, Misuse))])
    yield from whole
    yield from (wish for wish in parts if isinstance(wish, Move | Resize | Cancel))
    if master is not None and not same(found := compared.marks(master, held.extras), held.extras):
        yield Annotate(extras=found)
    yield from (wish for wish in parts if isinstance(wish, Annotate))


def _guests(compared: Comparison) -> Iterator[Misuse]:
    """Whoever is added as a guest, or named organizer in somebody's place. A client that merely names its own user as the
    organizer, as some do unasked, invites nobody."""
    ours = compared.given.named("VEVENT")
    held_by, sent_by = _addresses(ours, "ORGANIZER"), _addresses(compared.events, "ORGANIZER")
    guests = _addresses(compared.events, "ATTENDEE") - _addresses(ours, "ATTENDEE") - held_by - sent_by
    if guests or (held_by and sent_by - held_by):
        yield Misuse(reason=Reason.NOT_YOURS, what="Guests are invited on the platform.")


def _addresses(events: list[Component], name: str) -> set[str]:
    return {line.value.strip().lower() for event in events for line in event.every(name)}


def _rule(compared: Comparison) -> Iterator[Misuse]:
    """Whether it repeats, and how, is for the platform to say."""
    master, series = compared.master, compared.held.recurrence
    if master is None or compared.start.day:
        return
    rules = master.every("RRULE")
    added = any(line.value.strip() for line in (*master.every("RDATE"), *master.every("EXRULE")))
    if series is None:
        if rules or added:
            yield Misuse(reason=Reason.RECURRENCE, what="An appointment cannot be made to repeat from a calendar.")
    elif added or len(rules) != 1 or not _same_rule(compared, series.rule, rules[0].value):
        yield Misuse(reason=Reason.RECURRENCE, what="How an appointment repeats cannot be changed from a calendar.")


def _same_rule(compared: Comparison, held_rule: str, value: str) -> bool:
    """Whether the client's rule, however spelt, is ours: the same parts, or at least the same instances. Where the start moves,
    also what the move makes of ours, and ours as it was."""
    theirs, expected = Rule.parse(value), [Rule.parse(held_rule)]
    start, held_start, zone = compared.start.instant, compared.held.span.start, compared.held.zone
    if means(compared.start, held_start):
        start = held_start
    elif (shifted := shifted_rule(held_rule, held_start, start, zone)) is not None:
        expected.append(Rule.parse(shifted))
    wall, slack = shown(start, compared.zone), abs(start - held_start)
    if any(_alike(theirs, each, wall, slack, zone) for each in expected):
        return True
    if theirs.endless or expected[-1].endless:
        return False
    one, other = (
        occurrences(Series(start=at, length=compared.held.span.length, zone=where, rules=(rule,)), EVER)
        for at, where, rule in ((compared.start.wall, compared.start.zone, theirs), (wall, compared.zone, expected[-1]))
    )
    return one.complete and other.complete and one.instances == other.instances


def _alike(theirs: Rule, ours: Rule, wall: datetime, slack: timedelta, zone: str) -> bool:
    """Whether two rules for a start at the wall time say the same; their ends may be as far apart as the start was moved."""
    one, other = (replace(rule, until=None) for rule in (theirs, ours))
    if one != other and one.explicit(wall) != other.explicit(wall):
        return False
    ends = [last_moment(rule, zone) for rule in (theirs, ours)]
    if ends[0] is None or ends[1] is None:
        return ends[0] == ends[1]
    return abs(ends[0] - ends[1]) <= slack
