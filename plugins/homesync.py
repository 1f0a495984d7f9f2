"""sync-collection of a home: which calendars changed, came and went since a token (RFC 6578 §3)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from gateway.model import Revision
from gateway.store import Snapshot
from plugins import sights
from plugins.failures import Denied
from plugins.multistatus import answered, failed
from plugins.place import Place
from plugins.properties import found
from plugins.request import Answer, Request
from plugins.seen import Seen
from plugins.syncing import finished, level_of, limit_in, props_in, token_in
from plugins.tokens import HomeState, home_state, home_token, state_of


def answer(snapshot: Snapshot, request: Request, root: Element) -> Answer:
    """A calendar has changed when its own token has. What is in it is asked of the calendar: sync-level infinite is not answered."""
    if level_of(request, root) == "infinite":
        raise Denied(403, "A home is synchronised one level deep.", condition="sync-traversal-supported")
    sent, names, limit = token_in(root), props_in(root).names or (), limit_in(root)
    known = home_state(sent, snapshot.epoch, request.staff, snapshot.revision) if sent else HomeState(Revision(0), frozenset(), "")
    _, *there = sights.around(snapshot, request, "1")
    now = state_of(each.collection for each in there if each.collection is not None)
    gone = sorted(known.names - now.names)
    changed = sorted((each for each in there if not _known(known, each)), key=_position)
    cut = len(gone) + len(changed) if limit is None else limit
    told, left = changed[: max(0, cut - len(gone))], changed[max(0, cut - len(gone)) :]
    answers = [failed(Place(request.handle, slug).path(request.prefix), 404) for slug in gone[:cut]]
    answers += [answered(each.at, *found(each, names)) for each in told]
    more = bool(left) or len(gone) > cut
    reached = _reached(known, gone[:cut], told) if more else now
    return finished(request, answers, home_token(snapshot.epoch, request.staff, reached), more=more)


def _position(seen: Seen) -> tuple[int, str]:
    """In which order changes are told. What lies beside the calendars, such as the inbox, is older than any change."""
    return seen.collection.last if seen.collection is not None else 0, seen.place.slug or ""


def _known(known: HomeState, seen: Seen) -> bool:
    if seen.collection is not None:
        return known.knows(seen.collection)
    return known.revision > 0 or (seen.place.slug or "") <= (known.upto or "")


def _reached(known: HomeState, gone: list[str], told: list[Seen]) -> HomeState:
    """What the client knows after an answer that was cut. Views share revisions, hence the name beside the last one."""
    names = (known.names - set(gone)) | {each.collection.slug for each in told if each.collection is not None}
    last, slug = _position(told[-1]) if told else (-1, "")
    if last < known.revision:  # nothing, or one that was not seen before though it has not changed of late
        return HomeState(known.revision, names, known.upto)
    return HomeState(Revision(last), names, slug)
