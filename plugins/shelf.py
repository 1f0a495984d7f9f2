"""Radicale's collections on the gateway's store: the root and a home, and a calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Protocol, overload
from xml.etree.ElementTree import Element

from radicale.item import Item
from radicale.item import filter as stock_filter
from radicale.storage import BaseCollection, ComponentNotFoundError
from radicale.xmlutils import make_clark, make_human_tag

from gateway import desk
from gateway.booking import Cancel, Erase, Intent, Move, Resize
from gateway.errors import Invalid, Refused
from gateway.ical import read
from gateway.model import Appointment, CompanyId, Revision, StaffId
from gateway.store import Collection, Row, Snapshot, Transaction
from plugins import whole
from plugins.multistatus import CALDAV, DAV
from plugins.properties import ATTRIBUTES
from plugins.request import etag
from plugins.tokens import ctag, revision_in, token

if TYPE_CHECKING:
    from collections.abc import Callable

_DISPLAYNAME = f"{{{DAV}}}displayname"
_COMPONENT_SET = f"{{{CALDAV}}}supported-calendar-component-set"
_EVER = (0, 2**62)


class Keeper(Protocol):
    """What a calendar needs of the storage it is in."""

    clock: Callable[[], datetime]

    def reading(self, company: CompanyId) -> AbstractContextManager[Snapshot]: ...
    def changing(self) -> AbstractContextManager[Transaction]: ...


class Node(BaseCollection):
    """The root, or a home: nothing but the place where calendars are."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        return self._path

    @property
    def etag(self) -> str:
        return f'"{self._path}"'

    @property
    def last_modified(self) -> str:
        return format_datetime(datetime.fromtimestamp(0, UTC), usegmt=True)

    def get_multi(self, hrefs: Iterable[str]) -> Iterator[tuple[str, Item | None]]:
        return ((href, None) for href in hrefs)

    def get_all(self) -> Iterator[Item]:
        return iter(())

    def has_uid(self, uid: str) -> bool:
        return False

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...
    @overload
    def get_meta(self, key: str) -> str | None: ...
    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        return {} if key is None else None

    def set_meta(self, props: Mapping[str, str]) -> None:
        raise ValueError("[Errno 13] A home has no properties of its own.")

    def upload(self, href: str, item: Item) -> tuple[Item, Item | None]:
        raise ValueError("[Errno 13] Objects live in calendars.")

    def delete(self, href: str | None = None) -> None:
        raise ValueError("[Errno 13] A home stays as long as its owner.")


class Shelf(BaseCollection):
    """One calendar or view, as it was when it was looked up."""

    def __init__(self, keeper: Keeper, company: CompanyId, staff: StaffId, handle: str, calendar: Collection) -> None:
        self._keeper = keeper
        self._company = company
        self._staff = staff
        self._handle = handle
        self.calendar = calendar

    @property
    def path(self) -> str:
        return f"{self._handle}/{self.calendar.slug}"

    @property
    def etag(self) -> str:
        with self._keeper.reading(self._company) as snapshot:
            return ctag(snapshot.epoch, self.calendar)

    @property
    def last_modified(self) -> str:
        """Revisions have no hour here; a constant keeps anybody from relying on it, and every ETag is exact."""
        return format_datetime(datetime.fromtimestamp(self.calendar.last, UTC), usegmt=True)

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        with self._keeper.reading(self._company) as snapshot:
            now = token(snapshot.epoch, self.calendar, self.calendar.last)
            try:
                since = revision_in(old_token, snapshot.epoch, self.calendar) if old_token else None
            except Invalid as invalid:
                raise ValueError(str(invalid)) from invalid
        return now, self._names(since)

    def _names(self, since: Revision | None) -> Iterator[str]:
        """Lazy: PROPFIND asks for the token only."""
        with self._keeper.reading(self._company) as snapshot:
            if since is None:
                yield from [row.name for row in snapshot.rows(self.calendar)]
            else:
                yield from list(snapshot.names_since(self.calendar, since)[0])

    def get_multi(self, hrefs: Iterable[str]) -> Iterator[tuple[str, Item | None]]:
        names = list(hrefs)
        with self._keeper.reading(self._company) as snapshot:
            rows, epoch = snapshot.rows_named(self.calendar, names), snapshot.epoch
        for name in names:
            yield name, self._item(rows[name], epoch) if name in rows else None

    def get_all(self) -> Iterator[Item]:
        with self._keeper.reading(self._company) as snapshot:
            rows, epoch = list(snapshot.rows(self.calendar, text=True)), snapshot.epoch
        return (self._item(row, epoch) for row in rows)

    def get_filtered(self, filters: Iterable[Element]) -> Iterator[tuple[Item, bool]]:
        """Narrowed by SQL; Radicale looks again wherever it is not decided by component and window alone."""
        component, start, end, simple = stock_filter.simplify_prefilters(filters, "VCALENDAR")
        window = (_instant(start), _instant(end))
        with self._keeper.reading(self._company) as snapshot:
            found = (
                snapshot.rows_within(self.calendar, window, component=component, text=True)
                if window != (None, None)
                else [row for row in snapshot.rows(self.calendar, text=True) if component in (None, row.component)]
            )
            rows, epoch = list(found), snapshot.epoch
        return ((self._item(row, epoch), bool(simple) and not row.unsure) for row in rows)

    def has_uid(self, uid: str) -> bool:
        with self._keeper.reading(self._company) as snapshot:
            return any(snapshot.held_by_uid(calendar, uid) is not None for calendar in self.calendar.calendars)

    def upload(self, href: str, item: Item) -> tuple[Item, Item | None]:
        """Of an appointment the times; anything else as Radicale serialised it."""
        self._must_be_writable()
        old = dict(self.get_multi([href]))[href]
        calendar, now = self.calendar.calendars[0], self._keeper.clock()
        with self._keeper.changing() as tx:
            held, text = tx.held(calendar, href), item.serialize()
            if held is not None and isinstance(held.entry, Appointment):
                proposal = read.proposal(held.entry, held.text, text)
                self._apply(tx, href, [wish for wish in proposal.intents if isinstance(wish, Move | Resize | Cancel)], now, text)
            else:
                desk.apply(tx, tx.actor, calendar, href, [read.personal(text, zone=tx.staff(self._staff).zone)], now)
        new = dict(self.get_multi([href]))[href]
        if new is None:
            raise ValueError("[Errno 13] The object was not kept.")
        return new, old

    def delete(self, href: str | None = None) -> None:
        self._must_be_writable()
        calendar, now = self.calendar.calendars[0], self._keeper.clock()
        with self._keeper.changing() as tx:
            if href is None:
                if self.calendar.kind != "personal":
                    raise ValueError("[Errno 13] This calendar belongs to the platform.")
                tx.drop_calendar(calendar, now)
                return
            held = tx.held(calendar, href)
            if held is None:
                raise ComponentNotFoundError(href)
            self._apply(tx, href, [Cancel() if isinstance(held.entry, Appointment) else Erase()], now, "DELETE")

    def _apply(self, tx: Transaction, href: str, intents: list[Intent], now: datetime, proposal: str) -> None:
        """A refusal is recorded, which gives the entry a new ETag, and told as 403: Radicale cannot answer 204 without an ETag."""
        calendar = self.calendar.calendars[0]
        try:
            desk.apply(tx, tx.actor, calendar, href, intents, now)
        except Refused as refused:
            desk.turn_back(tx, tx.actor, calendar, href, refused, proposal, now)
            raise ValueError(f"[Errno 13] {refused.detail}") from refused

    def _must_be_writable(self) -> None:
        if not self.calendar.writable:
            raise ValueError("[Errno 13] This calendar can only be read.")

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...
    @overload
    def get_meta(self, key: str) -> str | None: ...
    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        meta = {make_human_tag(name): value for name, value in self.calendar.properties.items() if not name.endswith(ATTRIBUTES)}
        meta.setdefault(make_human_tag(_DISPLAYNAME), self.calendar.title)
        meta["tag"] = "VCALENDAR"
        meta[make_human_tag(_COMPONENT_SET)] = ",".join(self.calendar.components)
        return meta if key is None else meta.get(key)

    def set_meta(self, props: Mapping[str, str]) -> None:
        """Only what a viewer may choose; a calendar stays one (stock Radicale would lock its owner out)."""
        known = self.get_meta()
        if (
            props.get("tag") != "VCALENDAR"
            or props.get("C:supported-calendar-component-set") != known["C:supported-calendar-component-set"]
        ):
            raise ValueError("[Errno 13] What this collection is cannot be changed.")
        wishes: dict[str, str | None] = {make_clark(name): None for name in known if name not in props}
        wishes |= {make_clark(name): value for name, value in props.items() if known.get(name) != value}
        if wishes:
            with self._keeper.changing() as tx:
                tx.set_properties(self._staff, self.calendar, wishes, self._keeper.clock())

    def serialize(self, vcf_to_ics: bool = False, ShareActions: dict[str, str] = {}) -> str:  # noqa: B006, N803  Radicale's signature
        """The calendar as one object: Radicale measures it for allprop, and gives it out for a GET of the collection."""
        with self._keeper.reading(self._company) as snapshot:
            return whole.octets(snapshot, self.calendar).decode()

    def _item(self, row: Row, epoch: str) -> Item:
        return Item(
            collection=self,
            href=row.name,
            last_modified=self.last_modified,
            text=row.text,
            etag=etag(epoch, row.revision),
            uid=row.uid,
            name="VCALENDAR",
            component_name=row.component,
            time_range=_EVER,
        )


def _instant(seconds: int) -> datetime | None:
    """Radicale's ends of time mean: open."""
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 4_102_444_800 * 2 else None
