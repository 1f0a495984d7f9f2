"""A calendar listed in rounds: by Graph's delta where the mailbox offers it, else as a whole that is compared with the last one."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from gateway.bridge.graph.events import UNREADABLE, Json, moment
from gateway.bridge.graph.wire import Line
from gateway.bridge.remote import CalendarGone, CursorExpired, Page, Rejected, Seen, Unreachable
from gateway.links import Cursor
from gateway.model import Span

AT_ONCE = 100
MOST_PAGES = 10_000

Way = Literal["delta", "primary", "whole"]
"""delta of this calendar; of the mailbox's primary one, which is all that is documented for v1.0; or listings that are compared."""

WAYS: tuple[Way, ...] = ("delta", "primary", "whole")
_SELECT = (
    "id,subject,body,start,end,isAllDay,isCancelled,showAs,location,attendees,recurrence,type,seriesMasterId,transactionId"
    ",originalStartTimeZone"
)


class Listing:
    """Rounds of one calendar. `seen` reads an event, `dates` asks a series for its moved and cancelled dates."""

    def __init__(self, line: Line, root: str, calendar: str, seen: Callable[[Json], Seen], dates: Callable[[str], list[Seen]]) -> None:
        """`calendar` is the id as it stands in addresses."""
        self._line = line
        self._root = root
        self._place = f"{root}/calendars/{calendar}"
        self._seen = seen
        self._dates = dates

    def pull(self, cursor: Cursor | None, window: Span, now: datetime) -> Iterator[Page]:
        """As remote.Remote has it. What a round calls removed may only have left the window, and dates that were cancelled stand on their
        series alone: each series that a round names is looked at again."""
        prints = {self._print(way, window): way for way in WAYS}
        if cursor is None:
            way, answer = self._begun(window)
        elif cursor.fingerprint in prints:
            way = prints[cursor.fingerprint]
            answer = self._asked(cursor.value) if way != "whole" else self._asked(self._everything())
        else:
            raise CursorExpired("The listing is asked for in another way now.")
        fingerprint = next(text for text, name in prints.items() if name == way)
        pages = self._compared(answer, cursor) if way == "whole" else self._round(answer)
        for found, value in pages:
            kept = Cursor(value=value, fingerprint=fingerprint, window=window, obtained=now) if value else None
            yield Page(seen=found, cursor=kept, full=kept is not None and cursor is None)

    def _print(self, way: Way, window: Span) -> str:
        return f"2 {way} {self._place} {moment(window.start)} {moment(window.end)}"

    def _begun(self, window: Span) -> tuple[Way, Json]:
        """The first page of a first round, by the best way that this mailbox has (bridge.md §3.1)."""
        stretch = f"?startDateTime={moment(window.start)}&endDateTime={moment(window.end)}"
        try:
            return "delta", self._asked(f"{self._place}/calendarView/delta{stretch}")
        except (Rejected, CalendarGone):
            calendar = self._line.get(self._place, "calendar")  # raises CalendarGone when it was that
        if calendar.get("isDefaultCalendar"):
            try:
                return "primary", self._asked(f"{self._root}/calendarView/delta{stretch}")
            except (Rejected, CalendarGone):
                pass
        return "whole", self._asked(self._everything())

    def _everything(self) -> str:
        return f"{self._place}/events?$select={_SELECT}&$top={AT_ONCE}"

    def _asked(self, address: str) -> Json:
        return self._line.get(address, "list", prefer=f", odata.maxpagesize={AT_ONCE}")

    def _pages(self, answer: Json) -> Iterator[Json]:
        """The answer and those after it. Raises Unreachable when they lead in circles."""
        walked = set[str]()
        yield answer
        while onward := str(answer.get("@odata.nextLink") or ""):
            if onward in walked or len(walked) > MOST_PAGES:
                raise Unreachable("Microsoft's listing does not end.")
            walked.add(onward)
            answer = self._asked(onward)
            yield answer

    def _round(self, answer: Json) -> Iterator[tuple[tuple[Seen, ...], str]]:
        """Pages of a delta round; with the last one its token, and the dates of every series it has named, which are read last."""
        masters = set[str]()
        for page in self._pages(answer):
            found = [told for each in page.get("value") or () if (told := self._told(each, masters)) is not None]
            token = str(page.get("@odata.deltaLink") or "")
            if page.get("@odata.nextLink"):
                yield tuple(found), ""
                continue
            if not token:
                raise Unreachable("Microsoft's listing ends without a token.")
            yield (*found, *self._dates_of(masters)), token

    def _told(self, each: Json, masters: set[str]) -> Seen | None:
        """An item of a round; None for a date that follows its series, which is looked at again, and for what nobody can read."""
        if "@removed" in each:
            return Seen(id=str(each["id"]), etag="", owned=None, certain=False)
        series = each["id"] if each.get("type") == "seriesMaster" else each.get("seriesMasterId")
        masters |= {str(series)} if series else set()
        if each.get("type") == "occurrence":
            return None
        try:
            return self._seen(each)
        except UNREADABLE:
            return None

    def _dates_of(self, masters: set[str]) -> list[Seen]:
        return [each for master in sorted(masters) for each in self._dates(master)]

    def _compared(self, answer: Json, cursor: Cursor | None) -> Iterator[tuple[tuple[Seen, ...], str]]:
        """What differs from the last listing, when everything has been read. What is missing may be only overlooked between two pages."""
        former = _unpacked(cursor.value) if cursor is not None else {}
        events = {str(each["id"]): each for page in self._pages(answer) for each in page.get("value") or ()}
        present = {name: _short(each) for name, each in events.items()}
        changed = [events[name] for name, short in present.items() if former.get(name) != short]
        masters = set[str]()
        found = [told for each in changed if (told := self._told(each, masters)) is not None]
        gone = [Seen(id=name, etag="", owned=None, certain=False) for name in former if name not in present]
        yield (*found, *gone, *self._dates_of(masters)), _packed(present)


def _short(event: Json) -> str:
    return hashlib.sha256(str(event.get("@odata.etag")).encode()).hexdigest()[:12]


def _packed(present: Mapping[str, str]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(present).encode(), 9)).decode()


def _unpacked(value: str) -> dict[str, str]:
    """Raises CursorExpired for what is no such thing."""
    try:
        read: dict[str, str] = json.loads(zlib.decompress(base64.b64decode(value)))
    except (ValueError, zlib.error) as error:
        raise CursorExpired("The last listing cannot be read any more.") from error
    return read
