"""What a property is asked of, and the small change that properties are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.model import Staff
from gateway.store import Collection, Row, Snapshot
from plugins.features import Kind, kind_of
from plugins.place import Place
from plugins.request import Request
from plugins.rights import delegated, letters


@dataclass(kw_only=True, slots=True, eq=False)  # not frozen, as requests are not
class Seen:
    """One resource in one consistent state: the root or a principal (neither collection nor row), a calendar, or an object (row).

    `staff` is whose home it is, set for the root and for principals; at the root it is whoever asks. `snapshot` is there where
    a property needs to look further, which none of an object does.
    """

    request: Request
    epoch: str
    place: Place
    staff: Staff | None = None
    collection: Collection | None = None
    row: Row | None = None
    snapshot: Snapshot | None = None
    listed: Sequence[Collection] | None = None  # what the home lists, when somebody has looked already

    @property
    def letters(self) -> str:
        login, delegation = self.request.login, self.request.delegation
        if delegation is not None and self.place.handle == delegation.handle:
            return delegated(self.place, read_only=login.read_only or not delegation.write)
        return letters(login.handle, self.place, read_only=login.read_only, calendar=login.calendar)

    @property
    def kind(self) -> Kind:
        return kind_of(self.place, self.request.handle)

    @property
    def at(self) -> str:
        """Its address: as the client wrote it, if it is what the request is about (clients.md §10.2)."""
        return self.request.at if self.place == self.request.place else self.place.path(self.request.prefix)

    @property
    def calendars(self) -> Sequence[Collection]:
        """What the home lists; nothing for anything else."""
        if self.listed is not None:
            return self.listed
        if self.snapshot is None or self.staff is None or self.kind is not Kind.HOME:
            return ()
        return self.snapshot.collections(self.staff.id)

    @property
    def dead(self) -> Mapping[str, str]:
        """Properties that the viewer has set."""
        return self.collection.properties if self.collection is not None and self.row is None else {}


Value = Callable[[Seen], str | None]
"""The content of a property's element as XML, or None where it does not exist."""


def on_calendar(value: Callable[[Seen, Collection], str | None]) -> Value:
    return lambda seen: value(seen, seen.collection) if seen.collection is not None and seen.row is None else None


def on_object(value: Callable[[Seen, Row], str | None]) -> Value:
    return lambda seen: value(seen, seen.row) if seen.row is not None else None


def on_home(value: Callable[[Seen], str | None]) -> Value:
    """Of the root and of principals: clients begin at either."""
    return lambda seen: value(seen) if seen.collection is None and seen.place.slug is None else None


def on_principal(value: Callable[[Seen, Staff], str | None]) -> Value:
    return lambda seen: (
        value(seen, seen.staff) if seen.staff is not None and seen.place.handle is not None and seen.place.slug is None else None
    )


def anywhere(value: str) -> Value:
    """The same of everything."""
    return lambda seen: value
