"""What a feed says: which appointments lie in its window, and their text. Runs on a thread, within one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.ical import write
from gateway.model import Appointment, Customer, Feed, GroupId, Level, Scope, Service, Span, Staff, StaffId, Status
from gateway.store import Held, Snapshot
from gateway.web.parts import Limits
from gateway.web.shelf import Edition, Fingerprint, Shelf

CANCELLED_DAYS = 30
"""How long a cancelled appointment is shown as cancelled: long enough for every subscriber to have seen it (product.md §6 rule 18)."""

SHORT_PAST = 7  # days back in what a reader gets who takes only so much


def fingerprint(snapshot: Snapshot, feed: Feed, now: datetime, *, past: int | None, future: int | None, small: bool) -> Fingerprint:
    """What the feed's bytes depend on now. `past` and `future` narrow its window, in days; they never widen it."""
    return Fingerprint.of(
        feed,
        revision=snapshot.feed_revision(feed),
        epoch=snapshot.epoch,
        today=now.astimezone(ZoneInfo(snapshot.company.zone)).date(),
        past=feed.past_days if past is None else min(past, feed.past_days),
        future=feed.future_days if future is None else min(future, feed.future_days),
        title=_title(snapshot, feed),
        small=small,
    )


def edition(snapshot: Snapshot, feed: Feed, wanted: Fingerprint, shelf: Shelf, limits: Limits) -> Edition:
    """The feed as bytes: the same for the same fingerprint, on every machine and after every restart."""
    modified = _modified(snapshot, wanted)
    text, events = _text(snapshot, feed, wanted, shelf)
    large = len(text.encode()) > limits.feed_bytes or events > limits.feed_events
    if large and wanted.small:
        text = _shortened(snapshot, feed, wanted, shelf, limits)
    return Edition.of(text, modified, by_reader=large)


def _shortened(snapshot: Snapshot, feed: Feed, wanted: Fingerprint, shelf: Shelf, limits: Limits) -> str:
    """As much of the near future as the reader takes: Google drops a larger feed without a word (product.md §6 rule 15)."""
    past, future = min(wanted.past, SHORT_PAST), wanted.future
    while True:
        text, events = _text(snapshot, feed, replace(wanted, past=past, future=future), shelf)
        if (len(text.encode()) <= limits.feed_bytes and events <= limits.feed_events) or future == 0:
            return text
        future //= 2


def _text(snapshot: Snapshot, feed: Feed, wanted: Fingerprint, shelf: Shelf) -> tuple[str, int]:
    """The iCalendar text, and how many appointments it holds."""
    zone = ZoneInfo(snapshot.company.zone)
    window = Span(
        _midnight(wanted.first - timedelta(days=wanted.past), zone), _midnight(wanted.first + timedelta(days=wanted.future + 1), zone)
    )
    held = _shown(snapshot, feed, window, _midnight(wanted.first - timedelta(days=CANCELLED_DAYS), zone))
    events = _Events(snapshot, feed, shelf)
    blocks = [events.block(each) for each in held]
    zones = sorted({each.entry.zone for each in held if isinstance(each.entry, Appointment)})
    text = write.calendar(blocks, name=wanted.title, zone=snapshot.company.zone, zones=zones, window=window)
    return text, len(blocks)


def _shown(snapshot: Snapshot, feed: Feed, window: Span, cancelled_since: datetime) -> Sequence[Held]:
    people = {snapshot.calendar(calendar).staff for calendar in snapshot.feed_members(feed)}
    found = snapshot.appointments(staff=people, window=window, cancelled=feed.level is not Level.BUSY)
    return [held for held in found if isinstance(held.entry, Appointment) and _live(held.entry, cancelled_since)]


def _live(entry: Appointment, cancelled_since: datetime) -> bool:
    return entry.status is not Status.CANCELLED or entry.changed >= cancelled_since


class _Events:
    """The texts of one feed's events: from the shelf, or written and put there."""

    def __init__(self, snapshot: Snapshot, feed: Feed, shelf: Shelf) -> None:
        self._snapshot = snapshot
        self._feed = feed
        self._shelf = shelf
        self._staff: dict[str, Staff] = {}
        self._services: dict[str, Service] = {each.id: each for each in snapshot.services()}
        self._customers: dict[str, Customer] = {}

    def block(self, held: Held) -> str:
        entry, feed = held.entry, self._feed
        if not isinstance(entry, Appointment):
            raise TypeError("feeds show appointments only")
        staff = self._person(entry)
        prefix = "" if feed.scope is Scope.STAFF else staff.name
        service = self._services[entry.service]
        key = (self._snapshot.epoch, entry.id, held.revision, feed.level, prefix, feed.alarm_minutes, service.name)
        text = self._shelf.events.get(key)
        if text is None:
            text = write.event(
                entry,
                level=feed.level,
                service=service,
                customer=self._customer(entry),
                prefix=prefix,
                alarm_minutes=feed.alarm_minutes,
            )
            self._shelf.events.keep(key, text)
        return text

    def _person(self, entry: Appointment) -> Staff:
        found = self._staff.get(entry.calendar)
        if found is None:
            found = self._staff[entry.calendar] = self._snapshot.staff(self._snapshot.calendar(entry.calendar).staff)
        return found

    def _customer(self, entry: Appointment) -> Customer:
        found = self._customers.get(entry.customer)
        if found is None:
            found = self._customers[entry.customer] = self._snapshot.customer(entry.customer)
        return found


def _title(snapshot: Snapshot, feed: Feed) -> str:
    if feed.label:
        return feed.label
    match feed.scope:
        case Scope.STAFF:
            return snapshot.staff(StaffId(feed.of or "")).name
        case Scope.GROUP:
            return snapshot.group(GroupId(feed.of or "")).name
        case Scope.COMPANY:
            return snapshot.company.name


def _modified(snapshot: Snapshot, wanted: Fingerprint) -> datetime:
    """When the feed last changed: with the log, or with the day, for at midnight the window moves on and lets days in and out."""
    midnight = _midnight(wanted.first, ZoneInfo(snapshot.company.zone))
    if wanted.revision == 0:
        return midnight
    newest = snapshot.changes(type(wanted.revision)(wanted.revision - 1), limit=1)
    return max([midnight, *(change.at for change in newest)])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
