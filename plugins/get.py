"""GET and HEAD of one calendar object, and 304 for who has it already."""

from __future__ import annotations

from gateway.errors import Missing
from gateway.store import Store
from plugins.failures import Denied
from plugins.place import collection_at
from plugins.request import Answer, Request, check_match, etag, unchanged


def answer(store: Store, request: Request) -> Answer:
    """A calendar as a whole is not given out here: that is what feeds are for."""
    if request.place.name is None:
        raise Denied(405, "A calendar program opens this address; it is no page.", headers={"Allow": "OPTIONS, PROPFIND, REPORT"})
    with store.read(request.login.company) as snapshot:
        row = snapshot.rows_named(collection_at(snapshot, request.staff, request.place), [request.place.name]).get(request.place.name)
        if row is None or row.text is None:
            raise Missing("There is no such calendar object.")
        mark = etag(snapshot.epoch, row.revision)
    check_match(request, mark)
    if unchanged(request, mark):
        return Answer(304, None, {"ETag": mark})
    kind = f"text/calendar; charset=utf-8; component={row.component}"
    return Answer(200, row.text.encode(), {"Content-Type": kind, "ETag": mark})
