"""Working hours as a property that a calendar program shows and sets: calendar-availability of the inbox (RFC 7953 §7.2.4).

It is asked of the inbox, where Apple Calendar looks under calendarserver's older name too, and of the home. Staff may change their
own hours here: whoever is trusted to move appointments may say when he works, and a platform that decides otherwise gives out
passwords for reading only. Nobody's delegate can. What hours cannot hold is refused, and then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gateway.errors import Invalid
from gateway.ical import availability
from gateway.model import Staff, WorkingHours
from gateway.store import Transaction
from plugins import document
from plugins.failures import read_only
from plugins.features import Kind
from plugins.multistatus import CALDAV, SERVER, escape
from plugins.request import Request
from plugins.seen import Seen, Value

if TYPE_CHECKING:  # where wishes come from
    from plugins.proppatch import Wish

NAMES = (f"{{{CALDAV}}}calendar-availability", f"{{{SERVER}}}calendar-availability")


def _availability(seen: Seen) -> str | None:
    """None where no hours are kept: everything is available then, which is what no VAVAILABILITY means."""
    if seen.kind not in (Kind.HOME, Kind.INBOX) or seen.staff is None or seen.snapshot is None:
        return None
    hours = seen.snapshot.hours(seen.staff.id)
    return escape(written(hours, seen.staff)) if hours.weekly or hours.exceptions else None


def written(hours: WorkingHours, staff: Staff) -> str:
    return availability.written(hours, zone=staff.zone, uid=f"availability-{staff.id}")


def changed(tx: Transaction, request: Request, wish: Wish) -> Callable[[], None]:
    """What makes the hours those of the wish; without a value, hours are no longer kept. Raises Invalid, Denied."""
    if request.delegation is not None:
        raise read_only("Working hours are changed by the person alone.", privilege="write-properties")
    hours = WorkingHours()
    if wish.value is not None:
        staff = tx.staff(request.staff)
        text = document.text_of(wish.element).strip()
        if len(text.encode()) > request.limits.object_octets:
            raise Invalid("The availability is too long.", condition="valid-calendar-data")
        hours = availability.read(text, zone=staff.zone, now=request.now)

    def save() -> None:
        if availability.plain(tx.hours(request.staff)) != availability.plain(hours):
            tx.save_hours(request.staff, hours)

    return save


LIVE: Mapping[str, Value] = dict.fromkeys(NAMES, _availability)
OF_INBOX: Mapping[str, Value] = LIVE
