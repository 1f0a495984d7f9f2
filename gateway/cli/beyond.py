"""What the doctor finds out about calendars elsewhere: may people connect, do the links work, are external calendars read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.cli.finding import Finding, Health
from gateway.errors import GatewayError
from gateway.links import Access, Provider, Standing

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.store import Snapshot, Store

STALE = 10
"""So many periods without a complete look, and it is time to act."""

DEAD = timedelta(hours=1)
"""How long nobody may have looked at anything, at the least, before the workers are suspected."""

LEFT = timedelta(hours=24)
"""How long an external calendar may fail before somebody should look."""

_TESTING = "As long as the app is in testing at Google, access ends after seven days."


def findings(settings: Settings, store: Store, now: datetime) -> Iterator[Finding]:
    """About all companies together. Raises Unavailable."""
    yield from _credentials(settings, store)
    yield from _queue(settings)
    yield from _links(settings, store, now)
    yield from _sources(store, now)
    yield from _blocking(store, now)


def _credentials(settings: Settings, store: Store) -> Iterator[Finding]:
    """Whether the apps are known by which people connect, and whether anybody has switched on what cannot work."""
    wanted = {name for company in store.companies() for name in ("google", "outlook", "office365") if getattr(company.policy, name)}
    known = {"google": bool(settings.google.client_id), "microsoft": bool(settings.microsoft.client_id)}
    secret = {"google": bool(settings.google.client_secret), "microsoft": bool(settings.microsoft.client_secret)}
    for house, switches in (("google", {"google"}), ("microsoft", {"outlook", "office365"})):
        name, redirect = house.title(), f"{settings.public_url}/connect/{house}/callback"
        step = f"Register the app at {name} with the redirect {redirect}, and set {house}.client_id and {house}.client_secret."
        if known[house] and not secret[house]:
            yield Finding(house, Health.BROKEN, f"There is a client id and no client secret for {name}.", f"Set {house}.client_secret.")
        elif known[house]:
            note = f" {_TESTING}" if house == "google" else ""
            yield Finding(house, Health.OK, f"Staff can connect; {name} has to know {redirect}.{note}")
        elif switches & wanted:
            yield Finding(house, Health.BROKEN, f"A company has {name} switched on, and no app is registered.", step)
        else:
            yield Finding(house, Health.OK, f"No app is registered at {name}: staff connect no calendar there.")


def _queue(settings: Settings) -> Iterator[Finding]:
    if settings.sync.carrier != "procrastinate":
        return
    try:
        from gateway.crossing import ready

        ready(settings)
    except GatewayError as error:
        yield Finding("queue", Health.BROKEN, str(error), "Run gateway migrate, or set sync.carrier to threads.")
    else:
        yield Finding("queue", Health.OK, "The queue is prepared; every gateway worker takes its share.")


def _links(settings: Settings, store: Store, now: datetime) -> Iterator[Finding]:
    """Accounts that are cut off, links that rest, events that are refused, and how old the oldest complete look is."""
    name, seen = "calendars elsewhere", store.links_overview()
    live = seen.links.get(Standing.ACTIVE, 0) + seen.links.get(Standing.GUARD, 0)
    cut = sum(number for access, number in seen.accounts.items() if access is not Access.OK)
    rests = seen.links.get(Standing.SUSPENDED, 0)
    if not live + cut + rests:
        return
    if live:
        yield Finding(name, Health.OK, f"{_counted(live, 'link')} at work.")
    if cut:
        sentence = f"{_counted(cut, 'account')} cut off: {', '.join(_cut_off(store)) or 'somebody'}."
        yield Finding(name, Health.WARNING, sentence, "They have to connect again; they were told by mail.")
    if rests:
        yield Finding(name, Health.WARNING, f"{_counted(rests, 'link')} suspended: the calendar is gone.", "gateway link list tells which.")
    if held := seen.links.get(Standing.GUARD, 0):
        yield Finding(
            name, Health.WARNING, f"{_counted(held, 'link')} held back by a brake.", "Say whether it was meant: gateway link decide."
        )
    if seen.dead:
        step = "gateway link history tells why; gateway link retry tries again."
        yield Finding(name, Health.WARNING, f"{_counted(seen.dead, 'event')} refused by the provider for good.", step)
    if seen.pulled is not None:
        yield from _age(name, now - seen.pulled, timedelta(seconds=settings.sync.poll_seconds))


def _age(name: str, age: timedelta, period: timedelta) -> Iterator[Finding]:
    sentence = f"The calendar that was not looked at for the longest time was read {_minutes(age)} ago."
    if age > max(STALE * period, DEAD):
        yield Finding(name, Health.BROKEN, sentence, "See that gateway serve or gateway worker runs; gateway link list tells which.")
    elif age > STALE * period:
        yield Finding(name, Health.WARNING, sentence, "Start more workers, or raise sync.threads.")
    else:
        yield Finding(name, Health.OK, sentence)


def _cut_off(store: Store) -> Iterator[str]:
    """Who, by provider, without anybody's address."""
    found: Counter[str] = Counter()
    for company in store.companies():
        with store.read(company.id) as snapshot:
            found.update(_house(account.provider) for account in snapshot.accounts() if account.access is not Access.OK)
    yield from (f"{number} at {house}" for house, number in sorted(found.items()))


def _house(provider: Provider) -> str:
    return "Google" if provider is Provider.GOOGLE else "Microsoft"


def _sources(store: Store, now: datetime) -> Iterator[Finding]:
    """External iCalendar addresses."""
    name, sound, failing = "external calendars", 0, list[str]()
    for company in store.companies():
        with store.read(company.id) as snapshot:
            for person, since in _read(snapshot):
                if since is not None and since < now - LEFT:
                    failing.append(person)
                else:
                    sound += 1
    if failing:
        sentence = f"Of {', '.join(sorted(failing))}: not read for more than a day; the last busy times stay in force."
        yield Finding(name, Health.WARNING, sentence, "gateway staff external-ics STAFF tells why.")
    elif sound:
        yield Finding(name, Health.OK, f"{_counted(sound, 'address')} read.")


def _blocking(store: Store, now: datetime) -> Iterator[Finding]:
    """Other calendars of connected accounts that block when they are busy."""
    name, sound, failing = "calendars that block", 0, list[str]()
    for company in store.companies():
        with store.read(company.id) as snapshot:
            whose = {account.id: snapshot.staff(account.staff).handle for account in snapshot.accounts()}
            late = [each for each in snapshot.blocking() if each.failing is not None and each.failing < now - LEFT]
            failing += [whose[each.account] for each in late]
            sound += len(snapshot.blocking()) - len(late)
    if failing:
        sentence = f"Of {', '.join(sorted(set(failing)))}: not read for more than a day; the last busy times stay in force."
        yield Finding(name, Health.WARNING, sentence, "gateway link busy LINK tells why.")
    elif sound:
        yield Finding(name, Health.OK, f"{_counted(sound, 'calendar')} read.")


def _read(snapshot: Snapshot) -> Iterator[tuple[str, datetime | None]]:
    """Whose, and since when reading fails."""
    for staff in snapshot.sources():
        source = snapshot.source(staff)
        if source is not None:
            yield snapshot.staff(staff).handle, source.failing


def _counted(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural} {'is' if number == 1 else 'are'}"


def _minutes(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    return f"{minutes} minutes" if minutes < 180 else f"{minutes // 60} hours"
