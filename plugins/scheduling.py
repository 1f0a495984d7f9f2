"""Scheduling for a booking server: colleagues' free-busy by the outbox, schedule tags, and never an invitation (RFC 6638).

What is announced is `calendar-schedule` and not `calendar-auto-schedule`. The latter says that the server sends the invitations
(RFC 6638 §2), and clients that read it stop sending their own. We send none: customers are told by the platform's letters, which
know the appointment, and what a staff member writes into an event of his own is his own affair; a server that mails what clients
write into ATTENDEE is an open relay as well (trust.md A083). So clients have to know that inviting is left to them, and the older
word says that to them all (read in their sources: Thunderbird 153, Evolution 3.46, the public headers of Apple's CalDAV framework):

- Thunderbird: either word makes it look for the outbox and ask it for free-busy; with `calendar-schedule` alone it goes on sending
  its invitations by mail (`calendar.caldav.sched.enabled` is off unless somebody switches it on).
- Evolution asks for free-busy when it reads `calendar-schedule`; whether a server invites is a setting of the account, off at first.
- Apple Calendar looks at neither for free-busy: it asks an outbox whose supported-calendar-component-set has VFREEBUSY.

SCHEDULE-AGENT needs no more than that: whatever agent is named, it is the client that acts, and the text is kept as it is.
Appointments carry neither ORGANIZER nor ATTENDEE, so that nobody is ever invited to one a second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from gateway.booking.hours import openings
from gateway.errors import Invalid, TooLarge
from gateway.ical.freebusy import Busy, Question, layered, outside, question, reply
from gateway.model import Span, Staff
from gateway.store import Collection, Row, Snapshot, Store
from plugins import document, freebusy
from plugins.failures import Denied
from plugins.features import Kind
from plugins.multistatus import CALDAV, CONTENT_TYPE, DAV, escape, failed, link, multistatus
from plugins.multistatus import document as xml_document
from plugins.place import APPOINTMENTS, INBOX, OUTBOX, Place, is_view, place_in
from plugins.request import Answer, Request, schedule_tag, xml
from plugins.seen import Seen, Value, on_calendar, on_object, on_principal

PERIODS = 20_000
"""Busy and unavailable periods of one answer, of everybody together."""

TRANSPARENCY = f"{{{CALDAV}}}schedule-calendar-transp"
_OPAQUE, _TRANSPARENT = f"{{{CALDAV}}}opaque", f"{{{CALDAV}}}transparent"


def answer(store: Store, request: Request) -> Answer:
    """POST to the outbox: when are these people busy? One response for each of them (RFC 6638 §5, §10.2)."""
    if request.delegation is not None:
        raise Denied(403, "Questions are asked from one's own outbox.")
    asked = question(_text(request))
    with store.read(request.login.company) as snapshot:
        people = {staff.email.casefold(): staff for staff in snapshot.all_staff() if staff.active}
        by_handle = {staff.handle: staff for staff in people.values()}
        organizer = _calendar_user(request, asked.organizer, people, by_handle)
        if organizer is None or organizer.id != request.viewer:
            raise Invalid("The ORGANIZER is whoever asks: you.", condition="valid-organizer")
        responses = "".join(_responses(snapshot, request, asked, people, by_handle))
    return Answer(
        200,
        xml_document(f"{{{CALDAV}}}schedule-response", responses),
        {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-cache"},
    )


def _text(request: Request) -> str:
    """Raises Invalid (supported-calendar-data, valid-calendar-data), TooLarge."""
    kind = str(request.head.get("CONTENT_TYPE", "")).split(";")[0].strip().lower()
    if kind != "text/calendar":
        raise Invalid("An outbox takes text/calendar.", condition="supported-calendar-data")
    if len(request.body) > request.limits.object_octets:
        raise TooLarge("The message is too long.", limit="limits.object_bytes", condition="max-resource-size")
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        raise Invalid("The message is not UTF-8.", condition="valid-calendar-data") from None


def _calendar_user(request: Request, address: str, people: Mapping[str, Staff], by_handle: Mapping[str, Staff]) -> Staff | None:
    """Whose address it is: mailto:, or the principal's. Customers and strangers are nobody, so that no answer tells them apart."""
    scheme, _, rest = address.partition(":")
    if scheme.lower() == "mailto":
        return people.get(unquote(rest).strip().casefold())
    place = place_in(address, request.prefix, request.host)
    return by_handle.get(place.handle or "") if place is not None and place.slug is None else None


def _responses(
    snapshot: Snapshot, request: Request, asked: Question, people: Mapping[str, Staff], by_handle: Mapping[str, Staff]
) -> Iterator[str]:
    left = PERIODS
    for address in asked.attendees:
        recipient = f"<C:recipient>{link(escape(address))}</C:recipient>"
        staff = _calendar_user(request, address, people, by_handle)
        if staff is None:
            yield f"<C:response>{recipient}<C:request-status>3.7;Invalid calendar user</C:request-status></C:response>"
            continue
        periods = _periods(snapshot, staff, asked.window)
        left -= len(periods)
        if left < 0:
            raise TooLarge("That is too much to tell at once; ask about less time, or fewer people.", limit="limits.periods")
        text = escape(reply(asked, address, periods, request.now))
        yield (
            f"<C:response>{recipient}<C:request-status>2.0;Success</C:request-status><C:calendar-data>{text}</C:calendar-data></C:response>"
        )


def _periods(snapshot: Snapshot, staff: Staff, window: Span) -> list[tuple[Span, Busy]]:
    """When, and why, somebody has no time. Working hours are told as time outside of which he is unavailable (RFC 7953 §4)."""
    own = [each for each in snapshot.collections(staff.id) if not each.view and not transparent(each)]
    busy = list(freebusy.busy_times(snapshot, own, window, None))
    hours = snapshot.hours(staff.id)
    kept = hours.weekly or hours.exceptions
    closed = outside(list(openings(hours, staff.zone, window)), window) if kept else []
    return layered(
        window,
        [
            (Busy.BUSY, [span for span, tentative in busy if not tentative]),
            (Busy.TENTATIVE, [span for span, tentative in busy if tentative]),
            (Busy.UNAVAILABLE, closed),
        ],
    )


def transparent(collection: Collection) -> bool:
    """Whether its owner has said that what is in a personal calendar keeps him not busy (RFC 6638 §9.1). Appointments always do."""
    return collection.view or (collection.kind == "personal" and "transparent" in collection.properties.get(TRANSPARENCY, ""))


def transparency_problem(place: Place, element: Element) -> str | None:
    """Why the property cannot be set to this, or None."""
    wish = [child.tag for child in element]
    if wish not in ([_OPAQUE], [_TRANSPARENT]):
        return "A calendar is either opaque or transparent."
    slug = place.slug or ""
    if is_view(slug):
        return "What colleagues do keeps nobody else busy." if wish == [_OPAQUE] else None
    return "Appointments always take time." if slug == APPOINTMENTS and wish == [_TRANSPARENT] else None


def token(epoch: str, place: Place) -> str:
    """The sync-token of an inbox or outbox, which never changes."""
    mark = hashlib.sha256(f"{place.handle}/{place.slug}".encode()).hexdigest()[:10]
    return f"data:,{epoch}-{mark}-0"


def report(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """Of an inbox or outbox, in which there is never anything."""
    now = token(snapshot.epoch, request.place)
    if root.tag == f"{{{CALDAV}}}calendar-multiget":
        hrefs = [document.text_of(each).strip() for each in document.children(root, f"{{{DAV}}}href")]
        return xml(207, multistatus(failed(escape(each), 404) for each in hrefs[: request.limits.hrefs]))
    if root.tag != f"{{{DAV}}}sync-collection":
        return xml(207, multistatus([]))
    element = root.find(f"{{{DAV}}}sync-token")
    sent = document.text_of(element).strip() if element is not None else ""
    if sent not in ("", now):
        raise Invalid("This sync-token is not valid here any more.", condition="valid-sync-token")
    return xml(207, multistatus([], after=f"<D:sync-token>{now}</D:sync-token>"))


def _box(slug: str) -> Value:
    """Where somebody's own box is; a password for one calendar opens none, and nobody else's box is of any use."""

    def where(seen: Seen, staff: Staff) -> str | None:
        request = seen.request
        if seen.kind is not Kind.HOME or request.delegation is not None or request.login.calendar is not None:
            return None
        return link(Place(staff.handle, slug).path(request.prefix))

    return on_principal(where)


def _transparency(seen: Seen, collection: Collection) -> str:
    return "<C:transparent/>" if transparent(collection) else "<C:opaque/>"


def _tag(seen: Seen, row: Row) -> str | None:
    return schedule_tag(seen.epoch, row.version) if seen.collection is not None and not seen.collection.view else None


def _components(*names: str) -> Value:
    return lambda seen: "".join(f'<C:comp name="{name}"/>' for name in names)


LIVE: Mapping[str, Value] = {
    f"{{{CALDAV}}}schedule-inbox-URL": _box(INBOX),
    f"{{{CALDAV}}}schedule-outbox-URL": _box(OUTBOX),
    TRANSPARENCY: on_calendar(_transparency),
    f"{{{CALDAV}}}schedule-tag": on_object(_tag),
}
OF_INBOX: Mapping[str, Value] = {
    f"{{{CALDAV}}}supported-calendar-component-set": _components("VEVENT", "VTODO"),
    f"{{{CALDAV}}}schedule-default-calendar-URL": lambda seen: link(Place(seen.place.handle, APPOINTMENTS).path(seen.request.prefix)),
}
OF_OUTBOX: Mapping[str, Value] = {f"{{{CALDAV}}}supported-calendar-component-set": _components("VFREEBUSY")}
