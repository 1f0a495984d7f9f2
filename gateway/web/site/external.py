"""The external calendar of a staff member: its address, trying it, and what of it counts as busy (product.md S32, W11)."""

from __future__ import annotations

from gateway.bridge import feed
from gateway.errors import Invalid, Missing
from gateway.web.problems import Problem
from gateway.web.site import staff
from gateway.web.site.frame import Answer, Ask, Route, Went
from gateway.web.site.invite import staff_of

_HABITS = {"": None, "busy": True, "free": False}


def put(ask: Ask) -> Answer:
    """Another address; empty, or a bare https://, ends it."""
    if ask.parts.sealer is None:
        raise Problem(503, ask.say("No address can be kept here. Ask whoever runs this server to set secrets.key."))
    given = ask.field("external", longest=2000)
    with ask.store.write(ask.company, ask.who.actor) as tx:
        person = staff_of(ask, tx)
        try:
            feed.put_address(tx, ask.parts.sealer, person.id, given, ask.now)
        except Invalid as error:
            return staff.page(ask, tx, person, trouble=ask.language.heard(str(error)), external=given)
        tx.audit("external-calendar", person.id, {}, {"set": tx.source(person.id) is not None}, ask.now)
    ask.parts.wake()
    return Went(f"/staff/{person.id}#calendar-sync", "saved")


def try_out(ask: Ask) -> Answer:
    """Tries the address in the form, or the one that is kept; stores nothing."""
    if ask.parts.fetcher is None:
        raise Problem(503, ask.say("No address can be tried here."))
    given = ask.field("external", longest=2000)
    with ask.store.read(ask.company) as snapshot:
        person = staff_of(ask, snapshot)
        tried = feed.trial(snapshot, ask.parts.fetcher, ask.parts.sealer, person, given, ask.now)
    found = tried()
    with ask.store.read(ask.company) as snapshot:
        return staff.page(ask, snapshot, person, external=given, probe=found)


def put_habits(ask: Ask) -> Answer:
    """What counts as busy; nothing chosen: as it is for everybody."""
    tentative, elsewhere = (_HABITS.get(ask.field(name)) for name in ("tentative", "elsewhere"))
    with ask.store.write(ask.company, ask.who.actor) as tx:
        person = staff_of(ask, tx)
        former = tx.source(person.id)
        try:
            feed.put_habits(tx, person.id, ask.now, tentative=tentative, elsewhere=elsewhere)
        except Missing as error:
            raise Problem(409, ask.language.heard(str(error))) from error
        before = {} if former is None else {"tentative": former.tentative, "elsewhere": former.elsewhere}
        tx.audit("external-calendar", person.id, before, {"tentative": tentative, "elsewhere": elsewhere}, ask.now)
    ask.parts.wake()
    return Went(f"/staff/{person.id}#calendar-sync", "saved")


ROUTES = (
    Route("POST", "/staff/{staff}/external", put),
    Route("POST", "/staff/{staff}/external/test", try_out),
    Route("POST", "/staff/{staff}/external/habits", put_habits),
)
