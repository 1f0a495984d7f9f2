"""One calendar at Microsoft: listed by delta, written under transactions of our own, each request once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from gateway.bridge.graph.events import MARKER, Json, Names, cancelled_starts, seen, written
from gateway.bridge.graph.wire import Line
from gateway.bridge.remote import CursorExpired, Gone, Guarded, Inexpressible, Known, Page, Seen, Unreachable, Watching
from gateway.links import Cursor, Key, Owned
from gateway.model import Span

AT_ONCE = 100
SUBSCRIPTION = timedelta(minutes=4200)
"""A little less than what Graph allows for events."""

_WHOLE = "?$select=id,subject,body,start,end,isAllDay,isCancelled,showAs,location,attendees,recurrence,type,seriesMasterId"
_MASTER = f"{_WHOLE},originalStartTimeZone,cancelledOccurrences&$expand=exceptionOccurrences"


class GraphCalendar:
    """`remote.Remote` for Graph. `root` is "/me", or "/users/{id}" where the company's own consent is used."""

    def __init__(self, line: Line, calendar: str, names: Names, root: str = "/me") -> None:
        self._line = line
        self._root = root
        self._names = names
        self._calendar = calendar
        self._place = f"{root}/calendars/{_spelt(calendar)}"

    def pull(self, cursor: Cursor | None, window: Span, now: datetime) -> Iterator[Page]:
        """The round of changes of the window, or a first round with everything in it. What a round calls removed may only have left the
        window, and dates that were cancelled stand on their series alone: each series that has changed is looked at again."""
        fingerprint = f"1 {self._calendar} {_moment(window.start)} {_moment(window.end)}"
        if cursor is not None and cursor.fingerprint != fingerprint:
            raise CursorExpired("The listing is asked for in another way now.")
        first = f"{self._place}/calendarView/delta?startDateTime={_moment(window.start)}&endDateTime={_moment(window.end)}"
        address = first if cursor is None else cursor.value
        masters: set[str] = set()
        while True:
            answer = self._line("GET", address, of="list", prefer=f", odata.maxpagesize={AT_ONCE}")
            found: list[Seen] = []
            for each in answer.get("value") or ():
                found += self._told(each, masters)
            onward, token = str(answer.get("@odata.nextLink") or ""), str(answer.get("@odata.deltaLink") or "")
            if onward:
                yield Page(seen=tuple(found))
                address = onward
                continue
            if not token:
                raise Unreachable("Microsoft's listing ends without a token.")
            for master in sorted(masters):
                found += self._dates(master)
            kept = Cursor(value=token, fingerprint=fingerprint, window=window, obtained=now)
            yield Page(seen=tuple(found), cursor=kept, full=cursor is None)
            return

    def _told(self, each: Json, masters: set[str]) -> list[Seen]:
        if "@removed" in each:
            return [Seen(id=str(each["id"]), etag="", owned=None, certain=False)]
        if each.get("type") == "seriesMaster":
            masters.add(str(each["id"]))
        return [] if each.get("type") == "occurrence" else [seen(each, self._names)]

    def _dates(self, master: str) -> list[Seen]:
        """Of a series: the dates that were moved, and those that were cancelled."""
        try:
            whole = self._line("GET", self._event(master) + _MASTER, of="event")
        except Gone:
            return []
        owned = seen(whole, self._names).owned
        moved = [seen(each | {"seriesMasterId": master}, self._names) for each in whole.get("exceptionOccurrences") or ()]
        if owned is None:
            return moved
        return moved + [_cancelled(master, at) for at in cancelled_starts(whole, owned)]

    def get(self, id: str) -> Seen | None:
        if id.startswith(_NO_ID):
            return None
        try:
            return seen(self._line("GET", self._event(id), of="event"), self._names)
        except Gone:
            return None

    def find(self, key: Key) -> Seen | None:
        """By the marker, which only a filter can ask for. People's copies carry it too: ours alone has our transaction."""
        wish = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARKER}' and ep/value eq '{self._names.digest(key)}')"
        answer = self._line("GET", f"{self._place}/events?$filter={quote(wish)}&$top=50", of="list")
        found = [each for each in answer.get("value") or () if each.get("type") != "occurrence"]
        ours = [each for each in found if each.get("transactionId") == self._names.transaction(key)]
        return seen(ours[0], self._names) if ours else None

    def occurrence(self, master: str, at: datetime) -> Seen | None:
        """By its original start: among the instances around it, the moved dates, or the cancelled ones."""
        reach = f"?startDateTime={_moment(at - timedelta(days=1))}&endDateTime={_moment(at + timedelta(days=1))}"
        try:
            answer = self._line("GET", self._event(master) + "/instances" + reach, of="event")
        except Gone:
            return None
        near = [seen(each | {"seriesMasterId": master}, self._names) for each in answer.get("value") or ()]
        return next((each for each in [*near, *self._dates(master)] if each.at == at), None)

    def create(self, key: Key, owned: Owned) -> Seen:
        body = {
            **written(owned),
            "transactionId": self._names.transaction(key),
            "isReminderOn": False,
            "responseRequested": False,
            "singleValueExtendedProperties": [{"id": MARKER, "value": self._names.digest(key)}],
        }
        return self._kept(self._line("POST", f"{self._place}/events", body, of="event"))

    def update(self, known: Known, owned: Owned) -> Seen:
        self._must_be_ours(known)
        body = written(owned)
        if known.key.at is not None:
            body.pop("recurrence", None)
        path = self._event(known.id)
        self._line.mine(path)
        return self._kept(self._line("PATCH", path, body, of="event", etag=known.etag))

    def delete(self, known: Known) -> None:
        """Looked at first: deleting an event that somebody has invited guests to would mail them."""
        self._must_be_ours(known)
        there = self.get(known.id)
        if there is None:
            raise Gone("It is deleted already.")
        if there.attendees:
            raise Guarded("The event has guests over there; please delete it there yourself.")
        path = self._event(known.id)
        self._line.mine(path)
        self._line("DELETE", path, of="event", etag=known.etag)

    def watch(self, address: str, secret: str, now: datetime) -> Watching | None:
        """Both addresses are asked at once whether they want to be told."""
        wish = {
            "changeType": "created,updated,deleted",
            "notificationUrl": address,
            "lifecycleNotificationUrl": address,
            "resource": f"{self._root.lstrip('/')}/calendars/{_spelt(self._calendar)}/events",
            "expirationDateTime": _moment(now + SUBSCRIPTION),
            "clientState": secret,
        }
        made = self._line("POST", "/subscriptions", wish, of="calendar")
        return Watching(id=str(made["id"]), resource=wish["resource"], expires=_read(str(made["expirationDateTime"])))

    def unwatch(self, id: str, resource: str) -> None:
        try:
            self._line("DELETE", f"/subscriptions/{_spelt(id)}", of="event")
        except Gone:
            return

    def _must_be_ours(self, known: Known) -> None:
        """The id stands in our own table; what its marker says is looked up where that is not enough. A date that is cancelled there
        cannot be called back: it becomes an event of its own."""
        if known.id.startswith(_NO_ID):
            raise Inexpressible("Outlook cannot call back a date that was cancelled.")
        if not known.etag and known.key.at is None:
            there = self.find(known.key)
            if there is None or there.id != known.id:
                raise Guarded("A write to an event that is not ours was stopped.")

    def _kept(self, answer: Any) -> Seen:
        if not isinstance(answer, dict) or "id" not in answer:
            raise Unreachable("Microsoft's answer broke off.")
        return seen(answer, self._names)

    def _event(self, id: str) -> str:
        return f"{self._root}/events/{_spelt(id)}"


_NO_ID = "cancelled:"
"""Stands before what we call a cancelled date, for which Graph has no id."""


def _cancelled(master: str, at: datetime) -> Seen:
    return Seen(id=f"{_NO_ID}{master}:{_moment(at)}", etag="", owned=None, master=master, at=at)


def _spelt(id: str) -> str:
    """Ids are case-sensitive and hold / + = (bridge.md §3.2)."""
    return quote(id, safe="")


def _moment(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text.rstrip("Z")[:26]).replace(tzinfo=UTC)
