"""A weekly series on a desk, for the tests of series: where its dates are here and there."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.booking import instances
from gateway.links import Owned
from gateway.model import Appointment, Recurrence, Span
from tests.bridge.engine.paper import Desk
from tests.bridge.wire import NOW
from tests.bridge.world import DAY

HALF, WEEK = timedelta(minutes=30), 7 * DAY
AT = NOW + DAY
DATES = [AT + week * WEEK for week in range(4)]


def series(desk: Desk, rule: str = "FREQ=WEEKLY;COUNT=4") -> Appointment:
    made = desk.book(AT, recurrence=Recurrence(rule=rule))
    desk.poll()
    desk.letters()
    return made


def there(desk: Desk) -> list[datetime]:
    """Where our events take place on paper, occurrence by occurrence."""
    events = list(desk.paper.events.get(desk.calendar, {}).values())
    found = []
    for event in events:
        if event.owned is None or event.ours is None or event.master:
            continue
        spans = [event.owned.span]
        if event.owned.rule:
            spans = [Span(at, at + HALF) for at in _dates(event.owned)]
            differing = {each.at: each.owned for each in events if each.master == event.id}
            starts = {span.start for span in spans}
            spans = [span for span in spans if span.start not in differing]
            spans += [each.span for at, each in differing.items() if each is not None and at in starts]
        found += [span.start for span in spans]
    return sorted(found)


def _dates(owned: Owned) -> list[datetime]:
    count = int(owned.rule.rpartition("COUNT=")[2])
    step = WEEK if "WEEKLY" in owned.rule else DAY
    return [owned.span.start + number * step for number in range(count)]


def master(desk: Desk) -> str:
    return next(event.id for event in desk.events() if event.owned is not None and event.owned.rule)


def moved(desk: Desk, date: int, start: datetime) -> None:
    desk.paper.date(desk.calendar, master(desk), DATES[date], Span(start, start + HALF))


def places(desk: Desk, entry: Appointment) -> list[datetime]:
    return sorted(each.span.start for each in instances(desk.held(entry.id)))


def quiet(desk: Desk) -> None:
    before = desk.mark
    desk.poll(2)
    assert desk.writes(before) == []
