"""Groups of staff: who is in which, and their feeds and calendars."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from gateway.errors import Conflict
from gateway.model import Group, GroupId, Scope, StaffId
from gateway.store import Snapshot, fresh_id
from gateway.web.problems import Problem
from gateway.web.site import sync
from gateway.web.site.frame import Answer, Ask, Route, Shown, Went

LONGEST = 100


def show(ask: Ask) -> Answer:
    with ask.store.read(ask.company) as snapshot:
        return _list(ask, snapshot)


def make(ask: Ask) -> Answer:
    """A new group, with nobody in it yet."""
    name = ask.field("name", longest=LONGEST)
    with ask.store.write(ask.company, ask.who.actor) as tx:
        if not name:
            return _list(ask, tx, ask.say("Please give the group a name."))
        group = Group(id=GroupId(fresh_id()), slug=_slug(name, {each.slug for each in tx.groups()}), name=name)
        tx.save_group(group, ask.now)
        tx.audit("group-made", str(group.id), {}, {"name": name}, ask.now)
    return Went(f"/groups/{group.id}", "saved")


def show_one(ask: Ask) -> Answer:
    with ask.store.read(ask.company) as snapshot:
        return _one(ask, snapshot, _group(ask, snapshot))


def change(ask: Ask) -> Answer:
    """Its name and members. Whoever leaves disappears from the group's feed and calendar at once (product.md S17)."""
    name, wanted = ask.field("name", longest=LONGEST), ask.form.get("member", ())
    with ask.store.write(ask.company, ask.who.actor) as tx:
        former = _group(ask, tx)
        if not name:
            return _one(ask, tx, former, ask.say("Please give the group a name."))
        known = {str(each.id) for each in tx.all_staff()}
        kept = [member for member in former.members if member in wanted]
        members = (*kept, *(StaffId(each) for each in wanted if each in known and each not in kept))
        new = replace(former, name=name, members=members)
        if (new.name, set(new.members)) == (former.name, set(former.members)):
            return Went(f"/groups/{former.id}", "unchanged")
        tx.save_group(new, ask.now)
        tx.audit("group", str(new.id), _facts(former), _facts(new), ask.now)
    ask.parts.wake()
    return Went(f"/groups/{new.id}", "saved")


def _facts(group: Group) -> dict[str, object]:
    return {"name": group.name, "members": sorted(group.members)}


def _group(ask: Ask, snapshot: Snapshot) -> Group:
    found = next((each for each in snapshot.groups() if each.id == ask.match["group"]), None)
    if found is None:
        raise Problem(404, ask.say("There is no such group. The list is on the page Groups."))
    return found


def _list(ask: Ask, snapshot: Snapshot, trouble: str = "") -> Shown:
    names = {person.id: person.name for person in snapshot.all_staff() if person.active}
    rows = [(group, [names[member] for member in group.members if member in names]) for group in snapshot.groups()]
    rows.sort(key=lambda row: row[0].name.casefold())
    return Shown("groups.html", {"rows": rows, "trouble": trouble}, 422 if trouble else 200)


def _one(ask: Ask, snapshot: Snapshot, group: Group, trouble: str = "") -> Shown:
    people = sorted((person for person in snapshot.all_staff() if person.active), key=lambda person: person.name.casefold())
    feeds = [row for row in sync.rows(ask, snapshot, Scope.GROUP) if row.of == group.id]
    address = f"{ask.parts.public_url}/dav/<handle>/group-{group.slug}/"
    values = {"group": group, "people": people, "rows": feeds, "trouble": trouble, "agent": ask.agent, "address": address}
    return Shown("group.html", values, 422 if trouble else 200)


def _slug(name: str, taken: set[str]) -> str:
    """The last part of the addresses of the group's calendars: from its name, and no other group's. It stays when the name changes."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "group"
    for number in range(1, 1000):
        slug = base if number == 1 else f"{base}-{number}"
        if slug not in taken:
            return slug
    raise Conflict("There are too many groups of this name.")


ROUTES = (
    Route("GET", "/groups", show),
    Route("POST", "/groups", make),
    Route("GET", "/groups/{group}", show_one),
    Route("POST", "/groups/{group}", change),
)
