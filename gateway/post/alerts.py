"""Tells people that a calendar elsewhere has stopped: the staff member at once, the administrators after a day (product.md W09)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway import observe
from gateway.errors import Invalid
from gateway.links import Access, Account, Blocking, Link, Provider, Standing
from gateway.model import Actor, CompanyId, Policy, Staff
from gateway.post import dates, note
from gateway.post.alarms import Kind, alarms
from gateway.post.line import line
from gateway.post.note import Desk, Note
from gateway.post.paper import Fact, Look, Mood
from gateway.post.paper import Link as Button
from gateway.post.words import words
from gateway.store import Snapshot, Store, Transaction
from gateway.users import Role

EVERY = timedelta(minutes=1)
"""How soon a staff member is told."""

LATE = timedelta(days=1)
"""When administrators are told, and when a provider or an address that does not answer is worth a letter at all."""

NAMES = {Provider.GOOGLE: "Google Calendar", Provider.OUTLOOK: "Outlook.com", Provider.OFFICE365: "Microsoft 365"}

_BROKEN = {Access.NEEDS_REAUTH: Kind.ACCESS, Access.SUSPENDED: Kind.ACCESS, Access.NEEDS_ADMIN: Kind.CONSENT}
_STOPPED = {Standing.GUARD: Kind.GUARD, Standing.SUSPENDED: Kind.GONE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """One calendar that has stopped, since when. `key` names the episode: whatever comes and goes within a day is one."""

    kind: Kind
    staff: Staff
    about: str
    since: datetime
    provider: str = ""
    calendar: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.about}:{self.since:%Y-%m-%d}"


def troubles(snapshot: Snapshot, now: datetime) -> Iterator[Trouble]:
    """Of whoever works here; without what the company or the person has switched off."""
    people = {person.id: person for person in snapshot.all_staff() if person.active}
    policy = snapshot.company.policy
    for account in snapshot.accounts():
        if account.staff in people and _on(policy, account.provider):
            links = [link for link in snapshot.links(account=account.id) if link.standing not in (Standing.PAUSED, Standing.ENDED)]
            blocking = snapshot.blocking(account.id)
            yield from _of_account(account, links, blocking, people[account.staff], now)
    for staff in snapshot.sources():
        source = snapshot.source(staff)
        if staff in people and source is not None and source.failing is not None and source.failing <= now - LATE:
            yield Trouble(kind=Kind.SOURCE, staff=people[staff], about=staff, since=source.failing)


def _of_account(account: Account, links: list[Link], blocking: Sequence[Blocking], person: Staff, now: datetime) -> Iterator[Trouble]:
    """An access that is broken breaks every link: that is one trouble."""
    name = NAMES[account.provider]
    if account.access is not Access.OK:
        if links or blocking:
            since = account.since or account.probed or now
            yield Trouble(
                kind=_BROKEN[account.access],
                staff=person,
                about=account.id,
                since=since,
                provider=name,
                calendar=f"{name} ({account.login})",
            )
        return
    for link in links:
        title = f"{name}: {link.title} ({account.login})"
        if link.standing in _STOPPED:
            kind, since = _STOPPED[link.standing], link.since or now
        elif link.standing is Standing.ACTIVE and link.failures and (link.pulled or link.created) <= now - LATE:
            kind, since = Kind.STALE, link.pulled or link.created
        else:
            continue
        yield Trouble(kind=kind, staff=person, about=link.id, since=since, provider=name, calendar=title)
    yield from _unread(account, blocking, person, now)


def _unread(account: Account, blocking: Sequence[Blocking], person: Staff, now: datetime) -> Iterator[Trouble]:
    name = NAMES[account.provider]
    for each in blocking:
        if each.failing is not None and each.failing <= now - LATE:
            title = f"{name}: {each.title} ({account.login})"
            yield Trouble(kind=Kind.BUSY, staff=person, about=each.origin, since=each.failing, provider=name, calendar=title)


class Alerts:
    """The chore that looks for calendars that have stopped (worker.Chore). What was told stands in the outbox by its key, so that
    nobody is told twice, whatever process looks."""

    name = "alerts"

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk
        self._told: dict[CompanyId, set[str]] = {}

    def run(self, now: datetime) -> datetime:
        """All companies in which something has stopped; then again after a while."""
        troubled = self._store.troubled(now - LATE)
        self._told = {company: keys for company, keys in self._told.items() if company in troubled}
        for company in troubled:
            with observe.about(company=company):
                self._look(company, now)
        return now + EVERY

    def _look(self, company: CompanyId, now: datetime) -> None:
        """Most looks find what was told before: those write nothing."""
        with self._store.read(company) as snapshot:
            found = [(trouble, late) for trouble in troubles(snapshot, now) for late in _times(trouble, now)]
        told = self._told.setdefault(company, set())
        fresh = [(trouble, late) for trouble, late in found if f"{trouble.key}:{late}" not in told]
        if fresh:
            with self._store.write(company, Actor(self.name, "worker")) as tx:
                for trouble, late in fresh:
                    self._tell(tx, trouble, late, now)
        told |= {f"{trouble.key}:{late}" for trouble, late in fresh}

    def _tell(self, tx: Transaction, trouble: Trouble, late: bool, now: datetime) -> None:
        person = trouble.staff
        to = [(user.id, user.name, user.email, user.locale) for user in tx.users() if user.role is Role.ADMIN and user.active]
        for who, name, email, locale in to if late else [(person.id, person.name, person.email, person.locale)]:
            try:
                letter = self._letter(tx, trouble, late, name=name, email=email, locale=locale)
                note.queue(tx, letter, self._desk, key=f"alert:{trouble.key}:{'admin' if late else 'staff'}:{who}", now=now)
            except Invalid:  # an address nobody can be reached at; the pages show it as well
                observe.log("alert_without_address", company=tx.company.id)

    def _letter(self, tx: Transaction, trouble: Trouble, late: bool, *, name: str, email: str, locale: str) -> Note:
        said, person = words(locale, tx.company.locale), trouble.staff
        alarm = alarms(said.language)
        calendar = line(trouble.calendar or alarm.external)
        known = {"calendar": calendar, "company": line(tx.company.name), "staff": line(person.name), "provider": trouble.provider}
        told = alarm.told[trouble.kind]
        page = f"/staff/{person.id}#calendar-sync" if late else "/me#calendars"
        return Note(
            kind="alert",
            recipient=email,
            name=name,
            locale=locale,
            subject=(alarm.admin_subject if late else alarm.subject).format_map(known),
            lead=(alarm.admin_lead if late else alarm.lead).format_map(known),
            facts=(
                Fact(alarm.calendar, (calendar,), Look.MAIN),
                Fact(alarm.since, (dates.moment(said.calendar, trouble.since, dates.zone(person.zone, tx.company.zone)),)),
                Fact(alarm.why, (told.why.format_map(known),)),
                Fact(alarm.means, (told.means,)),
            ),
            after=(told.now,),
            button=Button(alarm.admin_button if late else alarm.button, f"{self._desk.public_url}{page}"),
            mood=Mood.REFUSED,
        )


def _times(trouble: Trouble, now: datetime) -> Iterator[bool]:
    """Whom to tell by now: the staff member (False), the administrators (True)."""
    yield False
    if trouble.since <= now - LATE:
        yield True


def _on(policy: Policy, provider: Provider) -> bool:
    switches: Mapping[Provider, bool] = {
        Provider.GOOGLE: policy.google,
        Provider.OUTLOOK: policy.outlook,
        Provider.OFFICE365: policy.office365,
    }
    return switches[provider]
