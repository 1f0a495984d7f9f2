"""The staff, and how their calendars stand; one member's page: facts, hours, invitation, links, devices, feeds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from zoneinfo import available_timezones

from gateway import desk
from gateway.bridge import accounts, feed
from gateway.errors import Conflict, Invalid
from gateway.links import Direction, Link, LinkId, Source, Standing
from gateway.model import Scope, Staff, StaffId, WorkingHours
from gateway.post.envelope import address
from gateway.store import Snapshot, Transaction, fresh_id
from gateway.users import Invitation, Role, User, UserId
from gateway.web.languages import LANGUAGES, language
from gateway.web.problems import Problem
from gateway.web.site import sync
from gateway.web.site.frame import Answer, Ask, Route, Shown, Went
from gateway.web.site.invite import NAMES, providers, staff_of
from gateway.web.site.sign_in import send_reset

AT_ONCE = 50
DAYS = 7
PER_DAY = 3
"""Stretches of work that the form has room for on each weekday."""

FILTERS = ("", "broken", "paused", "never", "one-way")


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkRow:
    """One link as pages show it."""

    link: Link
    provider: str
    login: str
    status: str
    trouble: str
    next_step: str
    waiting: int
    dead: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One member of the staff in the list."""

    person: Staff
    links: tuple[LinkRow, ...]
    devices: int
    used: bool  # one of the devices has been here
    invitation: Invitation | None
    source: Source | None

    @property
    def status(self) -> str:
        found = {each.status for each in self.links}
        if self.source is not None and self.source.failing is not None:
            found.add("yellow")
        return next((colour for colour in ("red", "yellow", "green", "grey") if colour in found), "green" if self.used else "none")


def show(ask: Ask) -> Answer:
    with ask.store.read(ask.company) as snapshot:
        return _list(ask, snapshot)


def add(ask: Ask) -> Answer:
    """A new member of the staff, who gets a letter by which to set a password."""
    name, email = ask.field("name", longest=100), ask.field("email", longest=254)
    with ask.store.write(ask.company, ask.who.actor) as tx:
        if not name or address(email) is None:
            return _list(ask, tx, ask.say("Please give a name and an e-mail address."))
        company = tx.company
        person = Staff(
            id=StaffId(fresh_id()),
            handle=_handle(ask, name),
            name=name,
            email=email,
            zone=company.zone,
            locale=company.locale,
        )
        user = User(id=UserId(fresh_id()), role=Role.STAFF, name=name, email=email, locale=company.locale, staff=person.id)
        try:
            desk.save_staff(tx, person, ask.now)
            tx.save_user(user)
        except Conflict as error:
            return _list(ask, tx, ask.language.heard(str(error)))
        if ask.parts.letters is not None:
            send_reset(ask, tx, user)
        tx.audit("staff-added", person.id, {}, {"name": name, "email": email}, ask.now)
    ask.parts.wake()
    return Went(f"/staff/{person.id}", "staff-added")


def show_one(ask: Ask) -> Answer:
    with ask.store.read(ask.company) as snapshot:
        return page(ask, snapshot, staff_of(ask, snapshot))


def change(ask: Ask) -> Answer:
    """Name, address, zone, language; and whether the person still works here."""
    with ask.store.write(ask.company, ask.who.actor) as tx:
        former = staff_of(ask, tx)
        zone, email = ask.field("zone"), ask.field("email", longest=254)
        new = replace(
            former,
            name=ask.field("name", longest=100) or former.name,
            email=email,
            zone=zone,
            locale=ask.field("locale", former.locale),
            active=ask.ticked("active"),
        )
        if zone not in available_timezones() or address(email) is None or new.locale not in LANGUAGES:
            return page(ask, tx, former, trouble=ask.say("Please check the e-mail address, the time zone and the language."))
        if new == former:
            return Went(f"/staff/{former.id}", "unchanged")
        try:
            desk.save_staff(tx, new, ask.now)
            user = tx.user_of(former.id)
            if user is not None:
                tx.save_user(replace(user, name=new.name, email=new.email))
        except Conflict as error:
            return page(ask, tx, former, trouble=ask.language.heard(str(error)))
        tx.audit("staff", new.id, _facts(former), _facts(new), ask.now)
    ask.parts.wake()
    return Went(f"/staff/{new.id}", "saved")


def put_hours(ask: Ask) -> Answer:
    """Working hours by weekday: up to three stretches a day."""
    with ask.store.write(ask.company, ask.who.actor) as tx:
        person = staff_of(ask, tx)
        former = tx.hours(person.id)
        try:
            weekly = {day: stretches for day in range(DAYS) if (stretches := _stretches(ask, day))}
        except Invalid as error:
            return page(ask, tx, person, trouble=str(error))
        new = WorkingHours(weekly=weekly, exceptions=former.exceptions)
        tx.save_hours(person.id, new)
        tx.audit("hours", person.id, {"weekly": _plain(former)}, {"weekly": _plain(new)}, ask.now)
    return Went(f"/staff/{person.id}#hours", "saved")


def change_link(ask: Ask) -> Answer:
    """Pause, resume, one way or two; disconnect; say what a brake held back; try again."""
    with ask.store.write(ask.company, ask.who.actor) as tx:
        person = staff_of(ask, tx)
        link = link_of(ask, tx, person.id)
        do(ask, tx, link)
    ask.parts.wake()
    return Went(f"/staff/{person.id}#calendar-sync", "link-changed")


def link_of(ask: Ask, snapshot: Snapshot, staff: StaffId) -> Link:
    """Raises Problem for a link of somebody else."""
    found = next((each for each in snapshot.links(staff=staff) if each.id == LinkId(ask.field("link"))), None)
    if found is None:
        raise Problem(404, ask.say("This calendar is not connected any more."))
    return found


def do(ask: Ask, tx: Transaction, link: Link) -> None:
    """What the pressed button says. Raises Problem for a button that there is not, or that came too late."""
    what = ask.field("do")
    try:
        match what:
            case "pause" | "resume":
                accounts.change(tx, link.id, ask.now, paused=what == "pause")
            case "both" | "out":
                accounts.change(tx, link.id, ask.now, direction=Direction(what))
            case "remove" | "leave":
                accounts.disconnect(tx, link.id, ask.now, remove=what == "remove")
            case "meant" | "not-meant":
                accounts.decide(tx, link.id, ask.now, meant=what == "meant")
            case "retry":
                accounts.retry(tx, link.id, ask.now)
            case _:
                raise Problem(400, ask.say("Please use one of the buttons."))
    except Conflict as error:
        raise Problem(409, ask.language.heard(str(error))) from error
    tx.audit("link", link.id, {}, {"do": what}, ask.now)


def link_rows(ask: Ask, snapshot: Snapshot, links: Sequence[Link]) -> tuple[LinkRow, ...]:
    known = {account.id: account for account in snapshot.accounts()}
    rows = []
    for link in links:
        account = known[link.account]
        status, trouble, step = accounts.condition(snapshot.company.policy, account, link, ask.now)
        items = snapshot.items(link.id)
        rows.append(
            LinkRow(
                link=link,
                provider=NAMES[account.provider],
                login=account.login,
                status=status,
                trouble=ask.language.heard(trouble),
                next_step=ask.language.heard(step),
                waiting=sum(item.todo is not None for item in items),
                dead=sum(item.condition == "dead" for item in items),
            )
        )
    return tuple(rows)


def _list(ask: Ask, snapshot: Snapshot, trouble: str = "") -> Shown:
    wanted = ask.query.get("show", "") if ask.query.get("show") in FILTERS else ""
    sought = ask.query.get("q", "").strip()[:100]
    invitations = snapshot.latest_invitations()
    links: dict[StaffId, list[Link]] = {}
    for link in snapshot.links():
        if link.standing is not Standing.ENDED:
            links.setdefault(link.staff, []).append(link)
    sources, passwords = set(snapshot.sources()), snapshot.good_app_passwords()
    people = sorted((each for each in snapshot.all_staff()), key=lambda each: (not each.active, each.name.casefold()))
    people = [each for each in people if sought.casefold() in f"{each.name} {each.email}".casefold()]
    if wanted:
        used = {each for each, owned in passwords.items() if any(password.last_used for password in owned)}
        people = [each for each in people if each.active and _fits(ask, snapshot, wanted, links.get(each.id, []), each.id in used)]
    page_number = int(ask.query["page"]) if ask.query.get("page", "").isdecimal() and len(ask.query["page"]) < 7 else 1
    page_number = max(1, page_number)
    shown = people[(page_number - 1) * AT_ONCE : page_number * AT_ONCE]
    rows = [
        Row(
            person=each,
            links=link_rows(ask, snapshot, links.get(each.id, [])),
            devices=len(passwords.get(each.id, ())),
            used=any(password.last_used for password in passwords.get(each.id, ())),
            invitation=invitations.get(each.id),
            source=snapshot.source(each.id) if each.id in sources else None,
        )
        for each in shown
    ]
    values = {
        "rows": rows,
        "number": len(people),
        "page": page_number,
        "pages": max(1, -(-len(people) // AT_ONCE)),
        "q": sought,
        "wanted": wanted,
        "trouble": trouble,
    }
    return Shown("staff.html", values, 422 if trouble else 200)


def _fits(ask: Ask, snapshot: Snapshot, wanted: str, links: Sequence[Link], used: bool) -> bool:
    match wanted:
        case "broken":
            return any(row.status == "red" for row in link_rows(ask, snapshot, links))
        case "paused":
            return any(link.standing is Standing.PAUSED for link in links)
        case "one-way":
            return any(link.direction is Direction.OUT for link in links)
        case _:
            return not links and not used


def page(ask: Ask, snapshot: Snapshot, person: Staff, *, trouble: str = "", external: str = "", probe: feed.Probe | None = None) -> Shown:
    hours = snapshot.hours(person.id)
    links = [link for link in snapshot.links(staff=person.id) if link.standing is not Standing.ENDED]
    values: dict[str, object] = {
        "person": person,
        "user": snapshot.user_of(person.id),
        "groups": [group for group in snapshot.groups() if person.id in group.members],
        "hours": [[_clock(hours, day, place) for place in range(PER_DAY)] for day in range(DAYS)],
        "days": ask.language.weekdays,
        "links": link_rows(ask, snapshot, links),
        "history": {link.id: snapshot.history(link.id, 10) for link in links},
        "invitations": snapshot.invitations(person.id)[:5],
        "source": snapshot.source(person.id),
        "origins": snapshot.foreign_origins(person.id),
        "external": external or "https://",
        "probe": probe,
        "passwords": [each for each in snapshot.app_passwords(person.id) if each.revoked is None],
        "feeds": [row for row in sync.rows(ask, snapshot, Scope.STAFF) if row.of == person.id],
        "switched_on": [NAMES[each] for each in providers(snapshot.company.policy)],
        "languages": [(tag, language(tag).name) for tag in LANGUAGES],
        "zones": sorted(available_timezones()),
        "trouble": trouble,
        "agent": ask.agent,
    }
    return Shown("person.html", values, 422 if trouble else 200)


def _clock(hours: WorkingHours, day: int, place: int) -> tuple[str, str]:
    stretches = hours.weekly.get(day, ())
    if place >= len(stretches):
        return "", ""
    return tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in stretches[place])  # type: ignore[return-value]  # two of them


def _stretches(ask: Ask, day: int) -> tuple[tuple[int, int], ...]:
    found = []
    for place in range(PER_DAY):
        start, end = ask.field(f"from-{day}-{place}"), ask.field(f"to-{day}-{place}")
        if not start and not end:
            continue
        minutes = _minutes(start), _minutes(end) or (1440 if end == "00:00" else None)
        if minutes[0] is None or minutes[1] is None or minutes[0] >= minutes[1]:
            raise Invalid(ask.say("Working hours: please give times such as 09:00 and 17:30, the earlier one first."))
        found.append((minutes[0], minutes[1]))
    found.sort()
    if any(former[1] > later[0] for former, later in pairwise(found)):
        raise Invalid(ask.say("Working hours: two stretches of the same day overlap."))
    return tuple(found)


def _minutes(text: str) -> int | None:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2})?", text)
    if found is None or int(found[1]) > 24 or int(found[2]) > 59:
        return None
    return int(found[1]) * 60 + int(found[2])


def _plain(hours: WorkingHours) -> Mapping[str, object]:
    return {str(day): [list(each) for each in stretches] for day, stretches in hours.weekly.items()}


def _facts(person: Staff) -> dict[str, object]:
    return {"name": person.name, "email": person.email, "zone": person.zone, "locale": person.locale, "active": person.active}


def _handle(ask: Ask, name: str) -> str:
    """From the name, and nobody else's in the whole installation."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "staff"
    for number in range(1, 1000):
        handle = base if number == 1 else f"{base}-{number}"
        if ask.store.find_handle(handle) is None:
            return handle
    raise Conflict("There are too many people of this name.")


ROUTES = (
    Route("GET", "/staff", show),
    Route("POST", "/staff", add),
    Route("GET", "/staff/{staff}", show_one),
    Route("POST", "/staff/{staff}", change),
    Route("POST", "/staff/{staff}/hours", put_hours),
    Route("POST", "/staff/{staff}/link", change_link),
)
