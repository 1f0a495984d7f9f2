"""The If header: conditions on the states of resources, by ETag or sync-token (RFC 4918 §10.4, RFC 6578 §5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import Conflict, Invalid, Missing
from gateway.store import Snapshot
from plugins.place import Place, collection_at, place_in
from plugins.request import Request, etag
from plugins.tokens import ctag, home_token, state_of, token

_TOKEN = re.compile(r"\s*(?:<([^<>]*)>|\[\s*((?:W/)?\"[^\"]*\")\s*\]|(\()|(\))|([Nn][Oo][Tt])\b)")
_MOST = 100  # conditions of one header


@dataclass(frozen=True, slots=True)
class _Condition:
    """A state that a resource has, or with `negated` has not: an ETag with its quotes, or a state token."""

    state: str
    negated: bool


@dataclass(frozen=True, slots=True)
class _List:
    """Conditions that all hold, of the resource at an address ("": the one the request is for)."""

    address: str
    conditions: tuple[_Condition, ...]


def check_states(snapshot: Snapshot, request: Request) -> None:
    """Raises Conflict unless one of the header's lists holds, Invalid when it is not understood. Nothing holds a lock here, so no
    lock token is ever a state of anything."""
    sent = request.header("If")
    if not sent:
        return
    for each in _lists(sent):
        states = _states(snapshot, request, each.address)
        if all((condition.state in states) is not condition.negated for condition in each.conditions):
            return
    raise Conflict("The resource is not in the state that the If header names.")


def _lists(sent: str) -> list[_List]:
    """Read the header. A resource's tag holds for all lists up to the next one. Raises Invalid."""
    found: list[_List] = []
    address, negated = "", False
    conditions: list[_Condition] | None = None  # of the list that is open
    for link, mark, opens, closes, no in _tokens(sent):
        if opens and conditions is None:
            conditions = []
        elif conditions is None:
            if not link or (found and not address):
                raise _odd()
            address = link
        elif closes and conditions and not negated:
            found.append(_List(address, tuple(conditions)))
            conditions = None
        elif no and not negated:
            negated = True
        elif link or mark:
            conditions.append(_Condition(link or mark, negated))
            negated = False
        else:
            raise _odd()
    if conditions is not None or not found or sum(len(each.conditions) for each in found) > _MOST:
        raise _odd()
    return found


def _tokens(sent: str) -> Iterator[tuple[str, ...]]:
    at, text = 0, sent.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _odd()
        yield found.groups("")
        at = found.end()


def _odd() -> Invalid:
    return Invalid("The If header is not understood.")


def _states(snapshot: Snapshot, request: Request, address: str) -> frozenset[str]:
    """The states of what lies at an address; none of what is not there or somebody else's."""
    place = place_in(address, request.prefix, request.host) if address else request.place
    if place is None or place.handle != request.handle:
        return frozenset()
    if place.slug is None:
        return frozenset({home_token(snapshot.epoch, request.staff, state_of(snapshot.collections(request.staff)))})
    return _states_in(snapshot, request, place)


def _states_in(snapshot: Snapshot, request: Request, place: Place) -> frozenset[str]:
    try:
        collection = collection_at(snapshot, request.staff, place)
    except Missing:
        return frozenset()
    if place.name is None:
        return frozenset({ctag(snapshot.epoch, collection), token(snapshot.epoch, collection, collection.last)})
    row = snapshot.rows_named(collection, [place.name], text=False).get(place.name)
    return frozenset({etag(snapshot.epoch, row.revision)}) if row is not None else frozenset()
