"""Clients' text understood: what it wants of an appointment, whether an object of their own is sound, and when that takes place."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from gateway.booking import Write
from gateway.errors import Invalid, TooLarge
from gateway.ical.clientzones import ClientZones
from gateway.ical.difference import proposal
from gateway.ical.marks import check_alarms
from gateway.ical.parse import Component, calendar, unfit
from gateway.ical.series import Found, Plan, plan
from gateway.ical.times import EVER, check_order
from gateway.model import Occurrence, Personal, Shape, Span
from gateway.recurrence import Budget

__all__ = ["personal", "personal_shape", "proposal"]

KINDS = ("VEVENT", "VTODO", "VJOURNAL")
ATTENDEES = 100
"""Per component; Apple's figure."""

UID_LENGTH = 1_000
"""Characters; the longest seen in the wild (Exchange) have 112."""

PAST = timedelta(days=5 * 366)
"""Of a series with more instances than the index holds, at least so much before the horizon is indexed, or it ends early."""


_BUDGET = Budget()
_GLANCE = Budget(steps=1_000, instances=20)
"""Enough to pass through everything that the shape of an object is made of."""

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def personal(text: str, *, zone: str) -> Write:
    """An object that a staff member's client stores as its own, found sound; `text` goes on as it is.

    One VCALENDAR without METHOD, all components but VTIMEZONE of one kind and one UID (RFC 4791 §4.1), with times and rules that
    can be read: whatever is accepted here can be shaped, expanded and given out later. Raises Invalid and TooLarge. `zone` is
    the IANA name of the zone in which times without one are meant.
    """
    top = calendar(text)
    kind, components = _contents(top)
    uid = _identity(components)
    zones = ClientZones(top, zone)
    for component in components:
        _check(component)
        check_order(component, zones)
    read = plan(components, zones)
    shape = _shape(text, read, EVER.end, _GLANCE)  # a poison object fails here, and not in everybody's next query
    whole = read.first is None or shape.ceil is not None
    _lately.read = (text, zone, read, shape if whole else None) if len(text) <= _SMALL else _NOTHING
    return Write(uid=uid, component=kind, text=text)


def personal_shape(entry: Personal, *, zone: str, horizon: datetime) -> Shape:
    """When an object of a staff member's own takes place: every instance up to `horizon`, and all of them where they are few.

    `zone` as for `personal`; days are days of that zone. Of a series with more than 3,000 instances up to the horizon the first 3,000
    are indexed and nearly as many before the horizon: one that takes place daily is there for fifteen years. Of one that repeats
    faster the index ends early (`indexed_until`), and the instances nearest to the horizon are given all the same, so that a query
    beyond the index finds those of its own window.
    """
    text, known, read, shape = _lately.read
    _lately.read = _NOTHING
    if (text, known) != (entry.text, zone) or read is None:
        top = calendar(entry.text)
        read, shape = plan(_contents(top)[1], ClientZones(top, zone)), None
    return shape or _shape(entry.text, read, horizon)


class _Lately(threading.local):
    """What the thread has read last: an object that was found sound is nearly always shaped next, which begins with the same work; and
    ends with it, where there are few instances and all of them are known."""

    read: tuple[str, str, Plan | None, Shape | None] = "", "", None, None


_SMALL = 65536  # characters of what is remembered
_lately = _Lately()
_NOTHING = _Lately.read


def _contents(top: Component) -> tuple[str, list[Component]]:
    """The components that make up the object, and their kind. Private components (X-…) beside them are nobody's business."""
    components = [each for each in top.components if each.name != "VTIMEZONE" and not each.name.startswith("X-")]
    kinds = {each.name for each in components}
    if not kinds:
        raise unfit("There is no event and no task in the calendar.")
    if len(kinds) > 1:
        raise unfit("An object holds components of one kind.")
    [kind] = kinds
    if kind not in KINDS:
        raise Invalid("Calendars take events, tasks and journal entries.", condition="supported-calendar-component")
    if top.every("METHOD"):
        raise unfit("A stored object has no METHOD; that is for invitations on their way.")
    return kind, components


def _identity(components: list[Component]) -> str:
    uids = {line.text.strip() if (line := each.one("UID")) else "" for each in components}
    if len(uids) > 1:
        raise unfit("All components of an object have the same UID.")
    [uid] = uids
    if not uid:
        raise unfit("The object has no UID.")
    if len(uid) > UID_LENGTH:
        raise unfit(f"A UID may have {UID_LENGTH} characters.")
    return uid


def _check(component: Component) -> None:
    if len(component.every("ATTENDEE")) > ATTENDEES:
        raise TooLarge(f"An event may have {ATTENDEES} guests.", limit="limits.attendees", condition="max-attendees-per-instance")
    check_alarms(component)


def _shape(text: str, read: Plan, horizon: datetime, budget: Budget = _BUDGET) -> Shape:
    first = read.first
    if first is None:
        journal = read.master is not None and read.master.name == "VJOURNAL"  # matches no range, a task without dates every one
        return Shape(
            text=text, team_text="", occurrences=(), indexed_until=None, floor=_NEVER if journal else None, ceil=_NEVER if journal else None
        )
    first = min(first, EVER.end)
    horizon = min(max(horizon, first), EVER.end)
    found = read.instances(Span(first, horizon if read.endless else EVER.end), budget=budget)
    if found.complete and not read.endless:
        return _shaped(text, found, first, indexed_until=None, ceil=max((each.span.end for each in found.instances), default=first))
    if not found.complete and found.until < horizon:
        found = _nearest(read, found, first, horizon, budget)
    return _shaped(text, found, first, indexed_until=found.until if read.repeats else None, ceil=None)


def _nearest(read: Plan, head: Found, first: datetime, horizon: datetime, budget: Budget) -> Found:
    """The beginning, and as much before the horizon as the budget covers. Where that is five years or more, the index counts as whole:
    only of a series older than both together the years in between are missing."""
    if not head.instances:
        return head
    apart = min((head.until - first) / len(head.instances), PAST)
    within = apart * budget.instances * 0.9  # about so much time the budget covers
    for reach in (within, min(within, PAST)):
        tail = read.instances(Span(max(first, _back(horizon, reach)), horizon), budget=budget)
        if tail.complete:
            known = {each.at for each in head.instances}
            both = (*head.instances, *(each for each in tail.instances if each.at not in known))
            return Found(both, complete=False, until=tail.until if within >= PAST else head.until)
    return head


def _back(moment: datetime, by: timedelta) -> datetime:
    return moment - by if moment - EVER.start > by else EVER.start


def _shaped(text: str, found: Found, first: datetime, *, indexed_until: datetime | None, ceil: datetime | None) -> Shape:
    components = {id(each.component): each.component for each in found.instances}
    tentative = {key for key, component in components.items() if component.word("STATUS") == "TENTATIVE"}
    return Shape(
        text=text,
        team_text="",
        occurrences=tuple(
            Occurrence(each.at, each.span, each.span, each.busy, id(each.component) in tentative) for each in found.instances
        ),
        indexed_until=indexed_until,
        floor=first,
        ceil=ceil,
    )
