"""What a feed says: which appointments lie in its window, and their text. Runs on a thread, within one snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from sys import intern
from zoneinfo import ZoneInfo

from gateway.ical import write
from gateway.model import Appointment, Customer, EntryId, Feed, GroupId, Level, Revision, Scope, Service, Span, Staff, StaffId, Status
from gateway.store import Snapshot
from gateway.web.parts import Limits
from gateway.web.shelf import Block, Edition, Fingerprint, Shelf

CANCELLED_DAYS = 30
"""How long a cancelled appointment is shown as cancelled: long enough for every subscriber to have seen it (product.md §6 rule 18)."""

BATCH = 500
"""Appointments that are decoded at a time; decoded, one takes ten times the memory of its text."""

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
    octets, events = _octets(snapshot, feed, wanted, shelf)
    large = len(octets) > limits.feed_bytes or events > limits.feed_events
    if large and wanted.small:
        octets = _shortened(snapshot, feed, wanted, shelf, limits)
    return Edition.of(wanted, octets, modified, by_reader=large)


def _shortened(snapshot: Snapshot, feed: Feed, wanted: Fingerprint, shelf: Shelf, limits: Limits) -> bytes:
    """As much of the near future as the reader takes: Google drops a larger feed without a word (product.md §6 rule 15)."""
    past, future = min(wanted.past, SHORT_PAST), wanted.future
    while True:
        octets, events = _octets(snapshot, feed, replace(wanted, past=past, future=future), shelf)
        if (len(octets) <= limits.feed_bytes and events <= limits.feed_events) or future == 0:
            return octets
        future //= 2


def _octets(snapshot: Snapshot, feed: Feed, wanted: Fingerprint, shelf: Shelf) -> tuple[bytes, int]:
    """The iCalendar text, and how many appointments it holds."""
    zone = ZoneInfo(snapshot.company.zone)
    window = Span(
        _midnight(wanted.first - timedelta(days=wanted.past), zone), _midnight(wanted.first + timedelta(days=wanted.future + 1), zone)
    )
    since = _midnight(wanted.first - timedelta(days=CANCELLED_DAYS), zone)
    shown = [block for block in _blocks(snapshot, feed, window, shelf) if block.cancelled is None or block.cancelled >= since]
    shown.sort(key=lambda block: (block.start, block.uid))
    zones = sorted({block.zone for block in shown})
    octets = write.calendar([block.octets for block in shown], name=wanted.title, zone=snapshot.company.zone, zones=zones, window=window)
    return octets, len(shown)


def _blocks(snapshot: Snapshot, feed: Feed, window: Span, shelf: Shelf) -> list[Block]:
    """The feed's appointments, in no order: from the shelf, and only what has changed since is decoded and written anew."""
    people = {snapshot.calendar(calendar).staff for calendar in snapshot.feed_members(feed)}
    found = snapshot.appointment_revisions(staff=people, window=window, cancelled=feed.level is not Level.BUSY)
    look = (snapshot.company.id, snapshot.epoch, feed.level, feed.scope is Scope.STAFF, feed.alarm_minutes)
    blocks: list[Block] = []
    fresh: dict[EntryId, Revision] = {}
    for appointment, revision in found:
        kept = shelf.blocks.get((look, appointment))
        if kept is not None and kept[0] == revision:
            blocks.append(kept[1])
        else:
            fresh[appointment] = revision
    writer, waiting = _Writer(snapshot, feed), iter(fresh)
    while batch := list(islice(waiting, BATCH)):
        for entry in snapshot.entries(batch).values():
            if isinstance(entry, Appointment):
                block = writer.block(entry)
                shelf.blocks.keep((look, entry.id), (fresh[entry.id], block))
                blocks.append(block)
    return blocks


class _Writer:
    """Writes one feed's appointments."""

    def __init__(self, snapshot: Snapshot, feed: Feed) -> None:
        self._snapshot = snapshot
        self._feed = feed
        self._staff: dict[str, Staff] = {}
        self._services: dict[str, Service] = {each.id: each for each in snapshot.services()}
        self._customers: dict[str, Customer] = {}

    def block(self, entry: Appointment) -> Block:
        feed = self._feed
        text = write.event(
            entry,
            level=feed.level,
            service=self._services[entry.service],
            customer=self._customer(entry),
            prefix="" if feed.scope is Scope.STAFF else self._person(entry).name,
            alarm_minutes=feed.alarm_minutes,
        )
        cancelled = entry.changed if entry.status is Status.CANCELLED else None
        return Block(entry.span.start, entry.uid, intern(entry.zone), cancelled, text.encode())

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
