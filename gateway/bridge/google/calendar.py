"""One calendar at Google: listed with a sync token, written under ids of our own, each request once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from googleapiclient.errors import HttpError

from gateway.bridge.google.events import Json, Names, moment, seen, written
from gateway.bridge.google.wire import Line, meaning
from gateway.bridge.remote import CursorExpired, Gone, Guarded, Known, Page, Seen, Unreachable, Watching
from gateway.links import Cursor, Key, Owned
from gateway.model import Span

AT_ONCE = 250
CHANNEL = timedelta(days=7)


class GoogleCalendar:
    """`remote.Remote` for Google. `service` is Google's client over `line`."""

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
            found = tuple(seen(each, self._names) for each in answer.get("items") or ())
            if page:
                yield Page(seen=found)
                continue
            if not token:
                raise Unreachable("Google's listing ends without a token.")
            kept = Cursor(value=token, fingerprint=fingerprint, window=window, obtained=now)
            yield Page(seen=found, cursor=kept, full=cursor is None)
            return

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
        for each in answer.get("items") or ():
            found = seen(each, self._names)
            if found.at == at:
                return found
        return None

    def create(self, key: Key, owned: Owned) -> Seen:
        body = {"id": self._names.id(key), **_without_none(written(owned, self._names, key))}
        return self._kept(self._events.insert(calendarId=self._calendar, body=body, sendUpdates="none"))

    def update(self, known: Known, owned: Owned) -> Seen:
        self._must_be_ours(known)
        body = written(owned, self._names, known.key)
        if known.key.at is not None:
            body.pop("recurrence", None)
        request = self._events.patch(calendarId=self._calendar, eventId=known.id, body=body, sendUpdates="none")
        if known.etag:
            request.headers["If-Match"] = known.etag
        return self._kept(request)

    def delete(self, known: Known) -> None:
        """Looked at first: an event that somebody has invited guests to is not ours to delete (bridge.md §2.5)."""
        self._must_be_ours(known)
        there = self.get(known.id)
        if there is None or (there.owned is None and not there.master):
            raise Gone("It is deleted already.")
        if there.attendees:
            raise Guarded("The event has guests over there; please delete it there yourself.")
        request = self._events.delete(calendarId=self._calendar, eventId=known.id, sendUpdates="none")
        if known.etag:
            request.headers["If-Match"] = known.etag
        self._asked("event", request)

    def watch(self, address: str, secret: str, now: datetime) -> Watching | None:
        """A new channel; nothing can be renewed at Google, only replaced."""
        body = {
            "id": uuid4().hex,
            "type": "web_hook",
            "address": address,
            "token": secret,
            "params": {"ttl": str(int(CHANNEL.total_seconds()))},
        }
        answer = self._asked("calendar", self._events.watch(calendarId=self._calendar, body=body))
        expires = datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC) if answer.get("expiration") else now + CHANNEL
        return Watching(id=str(answer["id"]), resource=str(answer["resourceId"]), expires=expires)

    def unwatch(self, id: str, resource: str) -> None:
        try:
            self._asked("event", self._channels.stop(body={"id": id, "resourceId": resource}))
        except Gone:
            return

    def _kept(self, request: Any) -> Seen:
        """The event that is the answer. Raises Unreachable when there is none in it."""
        answer = self._asked("event", request)
        if "id" not in answer:
            raise Unreachable("Google's answer broke off.")
        return seen(answer, self._names)

    def _must_be_ours(self, known: Known) -> None:
        """The id follows from the key, or belongs to a series whose id does. Raises Guarded."""
        own = self._names.id(known.key)
        if known.id != own and known.key.at is not None:
            series = self._names.id(Key(entry=known.key.entry, generation=known.key.generation))
            there = None if known.id.startswith(f"{series}_") else self.get(known.id)
            own = known.id if there is None or there.master == series else own
        if known.id != own:
            raise Guarded("A write to an event that is not ours was stopped.")
        self._line.mine(known.id)

    def _asked(self, of: str, request: Any) -> Json:
        with said(of):
            answer: Any = request.execute(num_retries=0)
        return answer if isinstance(answer, dict) else {}


def _without_none(body: Json) -> Json:
    """A new event has nothing that would have to be cleared."""
    return {name: {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value for name, value in body.items()}


@contextmanager
def said(of: str) -> Iterator[None]:
    """Google's errors as ours; half an answer is none."""
    try:
        yield
    except HttpError as error:
        raise meaning(error, of=of) from error
    except (json.JSONDecodeError, UnicodeDecodeError, LookupError) as error:
        raise Unreachable("Google's answer broke off.") from error
    except OSError as error:
        raise Unreachable("Google does not answer.") from error
