"""What can be booked: how long it takes, and what is kept free around it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gateway import desk
from gateway.model import Service, ServiceId
from gateway.store import Snapshot, fresh_id
from gateway.web.problems import Problem
from gateway.web.site.frame import Answer, Ask, Route, Shown, Went

LONGEST = 24 * 60
"""Minutes."""


def show(ask: Ask) -> Answer:
    with ask.store.read(ask.company) as snapshot:
        return _page(ask, snapshot)


def save(ask: Ask) -> Answer:
    """One row of the page: a service that is known, or a new one. A length that changes is the length of what is booked from now on."""
    name, known = ask.field("name", longest=100), ask.field("service")
    minutes = [_minutes(ask.field(each, "0")) for each in ("minutes", "before", "after")]
    with ask.store.write(ask.company, ask.who.actor) as tx:
        services = {each.id: each for each in tx.services()}
        if known and ServiceId(known) not in services:
            raise Problem(404, ask.say("There is no such service. The list is on the page Services."))
        former = services.get(ServiceId(known)) if known else None
        trouble = _trouble(ask, name, minutes, [each for each in services.values() if each != former])
        if trouble:
            return _page(ask, tx, trouble)
        length, before, after = (timedelta(minutes=each or 0) for each in minutes)
        new = Service(
            id=former.id if former else ServiceId(fresh_id()), name=name, duration=length, buffer_before=before, buffer_after=after
        )
        if new == former:
            return Went("/services", "unchanged")
        desk.save_service(tx, new, ask.now)
        tx.audit("service" if former else "service-made", new.id, _facts(former) if former else {}, _facts(new), ask.now)
    ask.parts.wake()
    return Went("/services", "saved")


def _trouble(ask: Ask, name: str, minutes: Sequence[int | None], others: Sequence[Service]) -> str:
    if not name or any(each.name.casefold() == name.casefold() for each in others):
        return ask.say("Please give the service a name that no other one has.")
    if None in minutes or minutes[0] == 0:
        return ask.say("Minutes: please give a number from 0 to %(most)s, and a length of 1 at least.", most=LONGEST)
    return ""


def _minutes(text: str) -> int | None:
    """None: not a number, or none that makes sense."""
    return int(text) if text.isdecimal() and len(text) < 5 and int(text) <= LONGEST else None


def _facts(service: Service) -> dict[str, object]:
    spans = {"minutes": service.duration, "minutes_before": service.buffer_before, "minutes_after": service.buffer_after}
    return {"name": service.name, **{name: int(span.total_seconds() // 60) for name, span in spans.items()}}


def _page(ask: Ask, snapshot: Snapshot, trouble: str = "") -> Shown:
    rows = [(service, _facts(service)) for service in sorted(snapshot.services(), key=lambda each: each.name.casefold())]
    return Shown("services.html", {"rows": rows, "trouble": trouble, "most": LONGEST}, 422 if trouble else 200)


ROUTES = (Route("GET", "/services", show), Route("POST", "/services", save))
