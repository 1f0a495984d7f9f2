"""Sync-tokens and CTags: URIs that name a state, so that none can be taken for another's (RFC 6578 §3.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from gateway.errors import Invalid
from gateway.model import Revision, StaffId
from gateway.store import Collection
from plugins.place import fit
from plugins.request import etag

_HOME_LENGTH = 16 * 1024  # characters; a home of a hundred calendars with names as long as Apple's has 5,000


def token(epoch: str, collection: Collection, revision: int) -> str:
    """The token of a calendar: epoch, collection, its generation and revision.

    The generation changes with the membership of a view (RFC 6578 §3.2 lets a server call old tokens invalid).
    """
    return f"data:,{epoch}-{_mark(collection)}-{revision}"


def revision_in(sent: str, epoch: str, collection: Collection) -> Revision:
    """The revision in a token. Raises Invalid (valid-sync-token) for one that is foreign, forged or void."""
    head, _, number = sent.rpartition("-")
    known = token(epoch, collection, 0).rpartition("-")[0]
    if head != known or not number.isascii() or not number.isdigit() or len(number) > 15 or int(number) > collection.last:
        raise _void()
    return Revision(int(number))


def ctag(epoch: str, collection: Collection) -> str:
    return etag(epoch, collection.last)


def _mark(collection: Collection) -> str:
    return _digest(collection.owner, collection.kind, collection.slug, collection.since, collection.calendars)


@lru_cache(maxsize=4096)
def _digest(owner: str, kind: str, slug: str, since: int, calendars: tuple[str, ...]) -> str:
    named = "|".join((owner, kind, slug, str(since), *sorted(calendars)))
    return hashlib.sha256(named.encode()).hexdigest()[:10]


def _void() -> Invalid:
    return Invalid("This sync-token is not valid here any more.", condition="valid-sync-token")


@dataclass(frozen=True, slots=True)
class HomeState:
    """What somebody knows of a home: the calendars in it by name, and all changes up to `revision`; of that one only those of
    calendars up to the name `upto`, when an answer was cut there."""

    revision: Revision
    names: frozenset[str]
    upto: str | None = None

    def knows(self, collection: Collection) -> bool:
        """Whether that is how the calendar was known."""
        if collection.slug not in self.names or collection.last > self.revision:
            return False
        return collection.last < self.revision or self.upto is None or collection.slug <= self.upto


def state_of(collections: Iterable[Collection]) -> HomeState:
    """All there is to know of a home."""
    known = list(collections)
    return HomeState(Revision(max((each.last for each in known), default=0)), frozenset(each.slug for each in known))


def home_token(epoch: str, staff: StaffId, state: HomeState) -> str:
    """The token of a home. It carries the names of the calendars, since nothing else remembers that there was a view once which
    somebody is no longer in; so an answer to it can say what is gone."""
    names = "/".join(["" if state.upto is None else state.upto, *sorted(state.names)])  # no name has a slash or is empty
    packed = base64.urlsafe_b64encode(names.encode()).decode().rstrip("=").replace("-", "~")
    return f"data:,{epoch}-{_owner(staff)}-{packed}-{state.revision}"


def home_state(sent: str, epoch: str, staff: StaffId, head: Revision) -> HomeState:
    """What the bearer of a home's token knows. Raises Invalid (valid-sync-token). `head` is the newest revision there is."""
    parts = sent.removeprefix("data:,").split("-")
    if len(sent) > _HOME_LENGTH or len(parts) != 4 or not sent.startswith("data:,") or parts[:2] != [epoch, _owner(staff)]:
        raise _void()
    packed, number = parts[2:]
    if not (number.isascii() and number.isdigit() and len(number) <= 15 and int(number) <= head):
        raise _void()
    try:
        upto, *names = base64.b64decode(packed.replace("~", "-") + "=" * (-len(packed) % 4), b"-_", validate=True).decode().split("/")
    except (binascii.Error, ValueError):
        raise _void() from None
    if not all(fit(name) for name in [*names, *filter(None, [upto])]):
        raise _void()
    return HomeState(Revision(int(number)), frozenset(names), upto or None)


def _owner(staff: StaffId) -> str:
    return hashlib.sha256(f"home|{staff}".encode()).hexdigest()[:10]
