"""One calendar at Microsoft: listed in rounds, written under transactions of our own, each request once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from gateway.bridge.graph.events import NO_ID, UNREADABLE, Json, cancelled, created, found, moment, seen, written
from gateway.bridge.graph.listing import Listing
from gateway.bridge.graph.names import MARKER, Names
from gateway.bridge.graph.wire import Line
from gateway.bridge.remote import CalendarGone, Clash, Gone, Guarded, Inexpressible, Known, Page, Rejected, Seen, Unreachable, Watching
from gateway.links import Cursor, Key, Owned
from gateway.model import Span

SUBSCRIPTION = timedelta(minutes=4200)
"""A little less than what Graph allows for events."""

_MASTER = "?$select=id,subject,body,start,end,isAllDay,isCancelled,showAs,location,attendees,recurrence,type,seriesMasterId,transactionId"
_DATES = f"{_MASTER},originalStart,originalStartTimeZone,cancelledOccurrences&$expand=exceptionOccurrences"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """What has to be known of an event before it may be written to. `whole`: of a series, its dates were looked at as well."""

    seen: Seen
    transaction: str
    guests: bool
    whole: bool


class GraphCalendar:
    """`remote.Remote` for Graph. `root` is "/me", or "/users/{id}" where a whole company has consented."""

    def __init__(self, line: Line, calendar: str, names: Names, root: str = "/me") -> None:
        self._line = line
        self._root = root
        self._names = names
        self._place = f"{root}/calendars/{_spelt(calendar)}"
        self._listing = Listing(line, root, _spelt(calendar), self._noted, self._dates)
        self._looks: dict[str, _Look] = {}

    def pull(self, cursor: Cursor | None, window: Span, now: datetime) -> Iterator[Page]:
        return self._listing.pull(cursor, window, now)

    def get(self, id: str) -> Seen | None:
        """In whichever calendar of the mailbox it lies now: one that was moved to another is neither lost nor made twice. An immutable id
        may still show what was deleted and can be recovered, which lies in none."""
        if id.startswith(NO_ID):
            return self.occurrence(*found(id))
        try:
            look = self._fetched(id)
        except Gone:
            return None
        return look.seen if look.seen.master or self._lies(look) else None

    def find(self, key: Key) -> Seen | None:
        """By the marker, which only a filter can ask for. People's copies carry it too: ours alone has our transaction."""
        ours = (each for each in self._marked(self._names.transaction(key)) if self._names.ours(each.get("transactionId"), key))
        return next((self._kept(each) for each in ours), None)

    def occurrence(self, master: str, at: datetime) -> Seen | None:
        """By its original start: among the instances around it, the moved dates, or the cancelled ones."""
        reach = f"?startDateTime={moment(at - timedelta(days=1))}&endDateTime={moment(at + timedelta(days=1))}&$top=50"
        try:
            answer = self._line.get(f"{self._event(master)}/instances{reach}", "event")
        except (Gone, Rejected):  # not there, or no series any more
            return None
        near = [self._kept(each | {"seriesMasterId": master}) for each in answer.get("value") or ()]
        here = next((each for each in near if each.at == at), None)
        return here or next((each for each in self._dates(master) if each.at == at), None)

    def create(self, key: Key, owned: Owned) -> Seen:
        return self._kept(self._line.post(f"{self._place}/events", created(key, owned, self._names), "new"))

    def update(self, known: Known, owned: Owned) -> Seen:
        """Only what differs is written; nothing at all when that is nothing."""
        if known.id.startswith(NO_ID):
            raise Inexpressible("Outlook cannot call back a date that was cancelled.")
        there = self._writable(known)
        body = written(owned, there.owned, occurrence=bool(there.master))
        if not body:
            return there
        self._looks.pop(there.master, None)
        return self._kept(self._line.patch(self._event(known.id), body, "event", etag=there.etag))

    def delete(self, known: Known) -> None:
        if known.id.startswith(NO_ID):
            raise Gone("This date is cancelled already.")
        there = self._writable(known)
        self._line.delete(self._event(known.id), "event", etag=there.etag)
        self._looks.pop(known.id, None)
        self._looks.pop(there.master, None)

    def watch(self, address: str, secret: str, now: datetime) -> Watching | None:
        """Both addresses are asked at once whether they want to be told; messages about the subscription itself come to the same one.

        None where they cannot be reached from outside: polling goes on alone.
        """
        wish = {
            "changeType": "created,updated,deleted",
            "notificationUrl": address,
            "lifecycleNotificationUrl": address,
            "resource": f"{self._place.lstrip('/')}/events",
            "expirationDateTime": moment(now + SUBSCRIPTION),
            "clientState": secret,
        }
        try:
            return _watching(self._line.post("/subscriptions", wish, "calendar"))
        except Rejected:
            return None

    def renew(self, id: str, resource: str, now: datetime) -> Watching | None:
        """Go on being told under the same subscription, which this also reauthorises; None: it does not exist any more."""
        try:
            return _watching(self._line.patch(f"/subscriptions/{_spelt(id)}", {"expirationDateTime": moment(now + SUBSCRIPTION)}, "event"))
        except Gone:
            return None

    def unwatch(self, id: str, resource: str) -> None:
        try:
            self._line.delete(f"/subscriptions/{_spelt(id)}", "event")
        except Gone:
            return

    def _writable(self, known: Known) -> Seen:
        """The event as it was looked at, in the state in which it is then written to: ours, and without guests, whom Microsoft would mail.

        Raises Guarded, Gone, and Clash when it is not as it was known.
        """
        look = self._looks.get(known.id)
        if look is None or not look.whole or look.seen.etag != known.etag:
            look = self._fetched(known.id)
        if not self._ours(look, known.key):
            raise Guarded("A write to an event that is not ours was stopped.")
        if look.guests:
            raise Guarded("The event has guests over there; please change or delete it there yourself.")
        if known.etag and look.seen.etag != known.etag:
            raise Clash("The event has changed there.")
        if not known.etag and not look.seen.master and not self._lies(look):
            raise Gone("The event was deleted there.")
        self._line.vouch(self._event(known.id), look.seen.etag)
        return look.seen

    def _lies(self, look: _Look) -> bool:
        """Whether an event that is shown lies in a calendar: this one, or another one of the mailbox."""
        if self._names.tagged(look.transaction) and any(each["id"] == look.seen.id for each in self._marked(look.transaction)):
            return True
        try:
            around = self._line.get(f"{self._event(look.seen.id)}/calendar?$select=id,name", "event")
            there = self._line.get(f"{self._root}/calendars/{_spelt(str(around['id']))}", "calendar")
            return bool(there["id"] == around["id"])
        except (Gone, Rejected, CalendarGone):
            return False
        except LookupError as error:
            raise Unreachable("Microsoft's answer is not understood.") from error

    def _ours(self, look: _Look, key: Key) -> bool:
        """By its transaction, which nobody else can have set; a date by that of its series."""
        if not look.seen.master:
            return self._names.ours(look.transaction, key)
        series = self._looks.get(look.seen.master) or self._fetched(look.seen.master)
        return key.at == look.seen.at and self._names.ours(series.transaction, replace(key, at=None))

    def _fetched(self, id: str) -> _Look:
        """Raises Gone."""
        event = self._line.get(self._event(id), "event")
        self._kept(event)
        if event.get("type") == "seriesMaster":
            self._dates(id)
        return self._looks[id]

    def _dates(self, master: str) -> list[Seen]:
        """Of a series: the dates that were moved, and those that were cancelled. Empty when it does not exist any more."""
        try:
            event = self._line.get(self._event(master) + _DATES, "event")
        except Gone:
            return []
        moved = [self._readable(each | {"seriesMasterId": master}) for each in event.get("exceptionOccurrences") or ()]
        try:
            dates = [each for each in moved if each is not None] + cancelled(event, self._names)
            self._noted(event, guests=any(each.attendees for each in dates), whole=True)
        except UNREADABLE as error:
            raise Unreachable("Microsoft's answer about a series is not understood.") from error
        return dates

    def _noted(self, event: Json, *, guests: bool = False, whole: bool = False) -> Seen:
        """The event as it stands, remembered for a write. Raises one of UNREADABLE."""
        there = seen(event, self._names)
        whole = whole or event.get("type") != "seriesMaster"
        if "attendees" in event:
            transaction = str(event.get("transactionId") or "")
            self._looks[there.id] = _Look(seen=there, transaction=transaction, guests=guests or there.attendees, whole=whole)
        return there

    def _marked(self, transaction: str) -> Iterator[Json]:
        """Events of this calendar that carry the marker: ours and people's copies of it, never dates of a series."""
        wish = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARKER}' and ep/value eq '{transaction}')"
        address = f"{self._place}/events?$filter={quote(wish)}&$top=50"
        for _ in range(20):
            answer = self._line.get(address, "list")
            yield from (each for each in answer.get("value") or () if not each.get("seriesMasterId"))
            address = str(answer.get("@odata.nextLink") or "")
            if not address:
                return
        raise Unreachable("Microsoft's listing does not end.")

    def _readable(self, event: Json) -> Seen | None:
        """One date that nobody can read is no other's trouble."""
        try:
            return self._noted(event)
        except UNREADABLE:
            return None

    def _kept(self, event: Json) -> Seen:
        try:
            return self._noted(event)
        except UNREADABLE as error:
            raise Unreachable("Microsoft's answer is not understood.") from error

    def _event(self, id: str) -> str:
        return f"{self._root}/events/{_spelt(id)}"


def _watching(made: Json) -> Watching:
    """What was granted counts, not what was asked for."""
    try:
        expires = datetime.fromisoformat(str(made["expirationDateTime"])[:19]).replace(tzinfo=UTC)
        return Watching(id=str(made["id"]), resource=str(made["resource"]), expires=expires)
    except UNREADABLE as error:
        raise Unreachable("Microsoft's answer is not understood.") from error


def _spelt(id: str) -> str:
    """Ids are case-sensitive and hold / + = (bridge.md §3.2)."""
    return quote(id, safe="")
