"""One calendar at Google: listed with a sync token, written under ids of our own, each request once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from googleapiclient.errors import HttpError

from gateway.bridge.google.events import Json, Names, moment, seen, written
from gateway.bridge.google.wire import Line, NoPush, meaning
from gateway.bridge.remote import Clash, CursorExpired, Gone, Guarded, Known, Page, Seen, Unreachable, Watching
from gateway.links import Cursor, Key, Owned
from gateway.model import Span

AT_ONCE = 1000
CHANNEL = timedelta(days=7)


class GoogleCalendar:
    """`remote.Remote` for Google. `service` is Google's client, which only words requests; `line` carries them."""

    def __init__(self, service: Any, line: Line, calendar: str, names: Names) -> None:  # the library is made from a document at run time
        self._events = service.events()
        self._channels = service.channels()
        self._line = line
        self._calendar = calendar
        self._names = names

    def pull(self, cursor: Cursor | None, window: Span, now: datetime) -> Iterator[Page]:
        """What changed since the sync token, or everything that ends after the window begins. A full listing has no tombstones."""
        fingerprint = f"1 {self._calendar} singleEvents=false showDeleted=true timeMin={moment(window.start)}"
        if cursor is not None and cursor.fingerprint != fingerprint:
            raise CursorExpired("The listing is asked for in another way now.")
        given: Json = {"calendarId": self._calendar, "singleEvents": False, "showDeleted": True, "maxResults": AT_ONCE}
        given |= {"timeMin": moment(window.start)} if cursor is None else {"syncToken": cursor.value}
        page = ""
        while True:
            answer = self._asked("list", self._events.list(**given, **({"pageToken": page} if page else {})))
            page, token = str(answer.get("nextPageToken") or ""), str(answer.get("nextSyncToken") or "")
            found = tuple(self._understood(answer.get("items") or ()))
            if page:
                yield Page(seen=found)
                continue
            if not token:
                raise Unreachable("Google's listing ends without a token.")
            kept = Cursor(value=token, fingerprint=fingerprint, window=window, obtained=now)
            yield Page(seen=found, cursor=kept, full=cursor is None)
            return

    def _understood(self, items: Sequence[Json]) -> Iterator[Seen]:
        """Without what cannot be read: one odd event keeps no other from being seen (bridge.md §4, 39)."""
        for each in items:
            try:
                yield seen(each, self._names)
            except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
                continue

    def get(self, id: str) -> Seen | None:
        try:
            return self._kept(self._events.get(calendarId=self._calendar, eventId=id))
        except Gone:
            return None

    def find(self, key: Key) -> Seen | None:
        return self.get(self._names.id(key))

    def occurrence(self, master: str, at: datetime) -> Seen | None:
        """By its original start: ids of occurrences are Google's affair."""
        given = {"calendarId": self._calendar, "eventId": master, "showDeleted": True, "originalStart": moment(at), "maxResults": 5}
        try:
            answer = self._asked("event", self._events.instances(**given))
        except Gone:
            return None
        return next((each for each in self._understood(answer.get("items") or ()) if each.at == at), None)

    def create(self, key: Key, owned: Owned) -> Seen:
        body = {"id": self._names.id(key), **_without_none(written(owned, self._names, key))}
        return self._kept(self._events.insert(calendarId=self._calendar, body=body, sendUpdates="none"))

    def update(self, known: Known, owned: Owned) -> Seen:
        """A cancelled occurrence comes back by it; a deleted event does not."""
        there = self._looked_at(known)
        body = written(owned, self._names, known.key)
        if there.master:
            body.pop("recurrence")
        request = self._events.patch(calendarId=self._calendar, eventId=known.id, body=body, sendUpdates="none")
        request.headers["If-Match"] = there.etag
        return self._kept(request)

    def delete(self, known: Known) -> None:
        there = self._looked_at(known)
        if there.owned is None:
            raise Gone("It is cancelled already.")
        request = self._events.delete(calendarId=self._calendar, eventId=known.id, sendUpdates="none")
        request.headers["If-Match"] = there.etag
        done(self._line, "event", request)

    def _looked_at(self, known: Known) -> Seen:
        """The event as it stands before a write: certainly ours, without guests, and as we know it. `If-Match` then keeps it so.

        Its id follows from the key, or it is an occurrence of a series whose id does; a marker proves nothing, since people copy events.
        Guests would be mailed, whatever Google is asked (bridge.md §2.5). Raises Guarded, Gone, Clash.
        """
        at = known.key.at is not None
        series = self._names.id(replace(known.key, at=None))
        direct = known.id == self._names.id(known.key)
        if not direct and not at:
            raise Guarded("A write to an event that is not ours was stopped.")
        there = self.get(known.id)
        if there is None:
            raise Gone("It is deleted already.")
        if not direct and there.master != series:
            raise Guarded("A write to an event that is not ours was stopped.")
        if there.owned is None and not there.master:
            raise Gone("It is deleted already.")
        if there.attendees:
            raise Guarded("The event has guests over there; please change it there yourself.")
        if known.etag not in ("", there.etag):
            raise Clash("It has changed over there.")
        self._line.mine(known.id)
        return there

    def watch(self, address: str, secret: str, now: datetime) -> Watching | None:
        """A new channel; nothing can be renewed at Google, only replaced. None: Google does not send to that address."""
        body = {
            "id": uuid4().hex,
            "type": "web_hook",
            "address": address,
            "token": secret,
            "params": {"ttl": str(int(CHANNEL.total_seconds()))},
        }
        try:
            answer = self._asked("calendar", self._events.watch(calendarId=self._calendar, body=body))
        except NoPush:
            return None
        if not {"id", "resourceId"} <= set(answer):
            raise Unreachable("Google's answer broke off.")
        expires = datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC) if answer.get("expiration") else now + CHANNEL
        return Watching(id=str(answer["id"]), resource=str(answer["resourceId"]), expires=expires)

    def renew(self, id: str, resource: str, now: datetime) -> Watching | None:
        """Channels live as long as they were made for."""
        return None

    def unwatch(self, id: str, resource: str) -> None:
        try:
            done(self._line, "event", self._channels.stop(body={"id": id, "resourceId": resource}))
        except Gone:
            return

    def _kept(self, request: Any) -> Seen:
        """The event that is the answer. Raises Unreachable when there is none in it."""
        answer = self._asked("event", request)
        for found in self._understood([answer]):
            return found
        raise Unreachable("Google's answer is not understood.")

    def _asked(self, of: str, request: Any) -> Json:
        return asked(self._line, of, request)


def asked(line: Line, of: str, request: Any) -> Json:
    """Send the request that Google's client has worded, once; its answer. Raises any RemoteError; `of` as for `meaning`."""
    answer = _sent(line, of, request)
    if not isinstance(answer, dict):  # the library passes on what is no JSON as it is
        raise Unreachable("Google's answer broke off.")
    return answer


def done(line: Line, of: str, request: Any) -> None:
    """The same for a request whose answer is that there is nothing to say."""
    if _sent(line, of, request):
        raise Unreachable("Google's answer is not understood.")


def _sent(line: Line, of: str, request: Any) -> Any:  # Any: whatever JSON holds
    try:
        return request.execute(http=line, num_retries=0)
    except HttpError as error:
        raise meaning(error, of=of) from error
    except ValueError as error:
        raise Unreachable("Google's answer broke off.") from error


def _without_none(body: Json) -> Json:
    """A new event has nothing that would have to be cleared."""
    kept = {name: value for name, value in body.items() if value is not None}
    return {name: _without_none(value) if isinstance(value, dict) else value for name, value in kept.items()}
