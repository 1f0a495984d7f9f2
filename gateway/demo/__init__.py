"""A sample company, served at once: four people, their calendars full of appointments, and a mail server that keeps every letter."""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway import app, desk, passwords
from gateway.booking import Book
from gateway.demo import providers
from gateway.errors import Misconfigured
from gateway.fakes import Fakes
from gateway.fakes.browser import consented
from gateway.links import Provider
from gateway.mailbox import Mailbox
from gateway.model import (
    Actor,
    CalendarId,
    Company,
    CompanyId,
    Customer,
    CustomerId,
    Feed,
    FeedId,
    Group,
    GroupId,
    Level,
    Override,
    Policy,
    Recurrence,
    Scope,
    Service,
    ServiceId,
    Span,
    Staff,
    StaffId,
    WorkingHours,
)
from gateway.settings import Database, ExternalIcs, Log, Mail, Push, Server, Settings
from gateway.store import Transaction, fresh_id
from gateway.users import Role, User, UserId

SLUG, ZONE = "demo", "Europe/Paris"
ADMIN = "admin@example.com"
STAFF = JOHN, EMMA, *_ = ("John Smith", "Emma Morris", "Taylor Carpenter", "Juan Sanchez")
GROUPS = {"consulting": ("Consulting", (0, 1)), "workshops": ("Workshops", (2, 3))}  # slug: name, members by their place in STAFF
SERVICES = (("First consultation", 45, 15), ("Follow-up", 30, 0), ("Coaching", 60, 0), ("Phone call", 30, 0), ("Workshop", 90, 0))
"""Name, minutes, minutes kept free afterwards. One of 30 minutes without a break fits into every hour of the day."""

CUSTOMERS = (
    ("Alice Bernard", "fr", "Europe/Paris"),
    ("Hugo Lefevre", "fr", "Europe/Paris"),
    ("Camille Roux", "fr", "Europe/Brussels"),
    ("Nathan Girard", "fr", "America/Montreal"),
    ("Zoé Marchand", "fr", "Europe/Zurich"),
    ("Lukas Brandt", "de", "Europe/Berlin"),
    ("Hannah Vogel", "de", "Europe/Vienna"),
    ("Jürgen Weiß", "de", "Europe/Berlin"),
    ("Mia Schuster", "de", "Europe/Zurich"),
    ("Lucía Ortega", "es", "Europe/Madrid"),
    ("Mateo Fuentes", "es", "America/Bogota"),
    ("Sofía Núñez", "es", "Atlantic/Canary"),
    ("Diego Campos", "es", "America/Mexico_City"),
    ("Olivia Bennett", "en", "Europe/London"),
    ("Jack Whitfield", "en", "Europe/Dublin"),
    ("Grace Holloway", "en", "America/New_York"),
    ("Noah Kirkland", "en", "America/Chicago"),
    ("Ruby Ashdown", "en", "Australia/Sydney"),
    ("Priya Raman", "en", "Asia/Kolkata"),
    ("Kenji Morita", "en", "Asia/Tokyo"),
)
OPEN, CLOSE = 8, 18  # o'clock, Monday to Friday
MOVED_TO = 17  # o'clock, where an occurrence of each series takes place that begins at noon otherwise
BACK, AHEAD = 30, 60  # days
NOTES = ("", "", "", "Asked for the large room.", "Brings the contract along.", "Second visit.")
DENSITY = 0.28  # of the places of a day that are booked: some three hundred appointments

_PLACES = (8, 10, 13, 15)  # each two hours wide, so that the longest service fits wherever it begins; noon is for the series
_SEED = 4791
_SETUP = Actor("setup", "import")  # silent: nobody gets a letter about the past

Say = Callable[[str], None]
Access = Mapping[str, Any]  # the secrets of the demo, as demo.json holds them
Ready = Mapping[str, Any]  # the ready line, contract.md §3


def run(data: Path, port: int, *, log: Log, say: Say, ready: Callable[[Ready], None], with_providers: bool = False) -> None:
    """Serve the sample company from `data` until SIGINT or SIGTERM. What is there from a former start is kept.

    `with_providers`: beside stand-ins for Google and Microsoft, with two people connected to them.
    `say` hears what takes a moment, `ready` the ready line. Raises Misconfigured when the port is taken or the data is incomplete.
    """
    port = _free(port)
    mailbox = Mailbox(data / "mail", app.wall_clock)
    try:
        with ExitStack() as to_the_end:
            settings, fakes = _settings(data, port, mailbox.start(), log), None
            if with_providers:
                say("Starting the stand-ins for Google and Microsoft")
                logins = [_email(name) for name in STAFF]
                fakes = to_the_end.enter_context(providers.beside(data / "providers", logins=logins, zone=ZONE))
                settings = settings.model_copy(update=dict(providers.sections(fakes)))
            say("Preparing the database")
            app.migrate(settings)
            access = _access(data / "demo.json")
            parts = to_the_end.enter_context(app.opened(settings))
            furnish(parts, access, say)
            if fakes:
                say("Connecting two people to the stand-ins")
                _connect(parts, fakes)
            line = {**ready_line(access, parts.public_url), **({"providers": providers.line(fakes)} if fakes else {})}
            app.serve(parts, mailbox=mailbox, started=lambda _: ready(line))
    finally:
        mailbox.stop()


def _connect(parts: app.App, fakes: Fakes) -> None:
    """John is connected to Google and Emma to Microsoft 365, by the road everybody takes, unless that has been done. All switches on."""
    company = next(each.id for each in parts.store.companies() if each.slug == SLUG)
    with parts.store.write(company, _SETUP) as tx:
        policy = replace(tx.company.policy, google=True, outlook=True, office365=True)
        tx.save_company(replace(tx.company, policy=policy))
        known = {(account.staff, account.provider) for account in tx.accounts()}
        people = {person.name: person.id for person in tx.all_staff()}
    accounts = app.crossing(parts).accounts()
    for name, provider in ((JOHN, Provider.GOOGLE), (EMMA, Provider.OFFICE365)):
        if (people[name], provider) not in known and provider in accounts.houses:
            with parts.store.write(company, _SETUP) as tx:
                address = accounts.begin(tx, people[name], provider)
            back = consented(address, _email(name), fakes.ca_file)
            accounts.complete(back["state"], back["code"])


def ready_line(access: Access, base: str) -> Ready:
    """Where everything is and how to get in, as the contract words it."""
    return {
        "base_url": base,
        "caldav_url": f"{base}/dav/",
        "api_url": f"{base}/api/v1/",
        "api_key": access["api_key"],
        "admin": {"email": ADMIN, "password": access["admin"]},
        "company": SLUG,
        "time_zone": ZONE,
        "staff": [
            {
                "name": name,
                "login": _email(name),
                "app_password": access["staff"][_handle(name)]["app_password"],
                "password": access["staff"][_handle(name)]["password"],
                "handle": _handle(name),
                "calendar_url": f"{base}/dav/{_handle(name)}/appointments/",
                "feed_url": f"{base}/feeds/{access['staff'][_handle(name)]['feed']}.ics",
            }
            for name in STAFF
        ],
        "groups": [{"name": name, "feed_url": f"{base}/feeds/{access['groups'][slug]}.ics"} for slug, (name, _) in GROUPS.items()],
        "company_feed_url": f"{base}/feeds/{access['company']}.ics",
        "mailbox_url": f"{base}/demo/mail",
    }


def _settings(data: Path, port: int, smtp_url: str, log: Log) -> Settings:
    """Built without the environment: a GATEWAY_DATABASE__URL lying about must not bring sample data into a real database."""
    return Settings.model_construct(
        database=Database(url=f"sqlite:///{data}/gateway.sqlite"),
        server=Server(port=port),
        mail=Mail.model_validate({"smtp_url": smtp_url, "from": "Demo Company <calendar@example.com>"}),
        external_ics=ExternalIcs(allow_private_addresses=True),
        push=Push(allow_private_addresses=True),
        log=log,
    )


def _free(port: int) -> int:
    """The port, or a free one for 0. Raises Misconfigured before anything has been made."""
    try:
        with socket.create_server(("127.0.0.1", port)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        raise app.cannot_listen("127.0.0.1", port, error) from error


def _access(file: Path) -> Access:
    """The secrets, made once: the database keeps only digests of most of them, and a second start prints the same line."""
    try:
        known: Access = json.loads(file.read_text(encoding="utf-8"))
        ready_line(known, "")
    except FileNotFoundError:
        pass
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Misconfigured(f"{file} cannot be read as the demo's secrets; delete the folder {file.parent} to begin anew.") from error
    else:
        return known
    made = {
        "api_key": app.fresh_token(),
        "admin": app.fresh_password(),
        "staff": {
            _handle(name): {"app_password": app.fresh_password(), "password": app.fresh_password(), "feed": app.fresh_token()}
            for name in STAFF
        },
        "groups": {slug: app.fresh_token() for slug in GROUPS},
        "company": app.fresh_token(),
    }
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as kept:
        json.dump(made, kept, indent=1)
    draft.replace(file)
    return made


def furnish(parts: app.App, access: Access, say: Say) -> None:
    """Found the company and fill it, unless that has been done; all of it or nothing. Raises Misconfigured."""
    company = next((each.id for each in parts.store.companies() if each.slug == SLUG), None)
    if company is not None:
        with parts.store.read(company) as snapshot:
            if snapshot.all_staff():
                if parts.store.login_by_api_key(access["api_key"], parts.clock()) is None:
                    folder = parts.settings.folder
                    raise Misconfigured(f"The secrets in demo.json are not those of the database beside it; delete the folder {folder}.")
                return
    else:
        company = CompanyId(fresh_id())
        policy = Policy(two_way=True, hold=timedelta())
        parts.store.found(Company(id=company, slug=SLUG, name="Demo Company", zone=ZONE, policy=policy))
    say("Booking appointments for the sample company")
    now = parts.clock()
    with parts.store.write(company, _SETUP) as tx:
        people = _people(tx)
        _credentials(tx, parts, access, people, now)
        _book(tx, people, now)


def _people(tx: Transaction) -> list[StaffId]:
    """Staff, their hours and groups, services and customers."""
    people = [StaffId(fresh_id()) for _ in STAFF]
    hours = WorkingHours(weekly=dict.fromkeys(range(5), ((OPEN * 60, CLOSE * 60),)))
    for person, name in zip(people, STAFF, strict=True):
        tx.save_staff(Staff(id=person, handle=_handle(name), name=name, email=_email(name), zone=ZONE))
        tx.save_hours(person, hours)
    for slug, (name, members) in GROUPS.items():
        tx.save_group(Group(id=GroupId(fresh_id()), slug=slug, name=name, members=tuple(people[place] for place in members)))
    for name, minutes, pause in SERVICES:
        length, after = timedelta(minutes=minutes), timedelta(minutes=pause)
        tx.save_service(Service(id=ServiceId(fresh_id()), name=name, duration=length, buffer_after=after))
    for number, (name, locale, zone) in enumerate(CUSTOMERS):
        tx.save_customer(Customer(id=CustomerId(fresh_id()), name=name, email=address(name, number), locale=locale, zone=zone))
    return people


def _credentials(tx: Transaction, parts: app.App, access: Access, people: list[StaffId], now: datetime) -> None:
    tx.add_api_key("demo", access["api_key"], now)
    _users(tx, access, people, now)

    def feed(scope: Scope, of: str | None, label: str, token: str) -> None:
        level = Level.FULL if scope is Scope.STAFF else Level.SERVICE
        tx.add_feed(Feed(id=FeedId(fresh_id()), scope=scope, of=of, label=label, level=level), token, parts.seal.seal(token.encode()), now)

    for person, name in zip(people, STAFF, strict=True):
        kept = access["staff"][_handle(name)]
        tx.add_app_password(person, "demo", kept["app_password"], now)
        feed(Scope.STAFF, person, name, kept["feed"])
    for group in tx.groups():
        feed(Scope.GROUP, group.id, group.name, access["groups"][group.slug])
    feed(Scope.COMPANY, None, "Demo Company", access["company"])


def _users(tx: Transaction, access: Access, people: list[StaffId], now: datetime) -> None:
    """The administrator and the staff, who sign in to the pages."""
    users = [User(id=UserId(fresh_id()), role=Role.ADMIN, name="Demo administrator", email=ADMIN)]
    users += [
        User(id=UserId(fresh_id()), role=Role.STAFF, name=name, email=_email(name), staff=person)
        for person, name in zip(people, STAFF, strict=True)
    ]
    for user, password in zip(users, (access["admin"], *(access["staff"][_handle(name)]["password"] for name in STAFF)), strict=True):
        tx.save_user(user)
        tx.set_password(user.id, passwords.hashed(password), now)


@dataclass(frozen=True, slots=True)
class Plan:
    """One appointment to be booked; `who`, `service` and `customer` are places in the lists above, `start` is wall time in Paris."""

    who: int
    start: datetime
    service: int
    customer: int
    notes: str = ""
    weeks: int = 0  # a weekly series of so many occurrences; 0: none
    moved: int = 0  # the occurrence, counted from 0, that takes place at MOVED_TO instead
    left_out: int = 0  # the one that does not take place


def planned(today: date) -> Iterator[Plan]:
    """What is in the calendars, the same for every start on the same day. Nothing reaches further than AHEAD days."""
    chance = random.Random(_SEED)  # noqa: S311  sample data, no secret
    for who in range(len(STAFF)):
        for number, (first, moved, left_out) in enumerate(((-28, 4, 2), (3, 2, 4))):  # one series under way, one to come
            day = today + timedelta(days=first)
            day += timedelta(days=(who + number - day.weekday()) % 7)  # a weekday of its own
            yield Plan(who, _wall(day, 12, 0), 2, chance.randrange(len(CUSTOMERS)), "Weekly.", 7, moved, left_out)
        for offset in range(-BACK, AHEAD):
            for hour in _PLACES:
                drawn, minute, service = chance.random(), chance.choice((0, 15, 30)), chance.randrange(len(SERVICES))
                customer, notes = chance.randrange(len(CUSTOMERS)), chance.choice(NOTES)
                day = today + timedelta(days=offset)
                if drawn < DENSITY and day.weekday() < 5:
                    yield Plan(who, _wall(day, hour, minute), service, customer, notes)


def _book(tx: Transaction, people: list[StaffId], now: datetime) -> None:
    """Through the desk, like any other booking: what the demo shows is what the rules allow."""
    calendars: list[CalendarId] = [tx.appointments_of(person).id for person in people]
    services = {service.name: service for service in tx.services()}
    customers = {customer.name: customer.id for customer in tx.customers()}
    names = random.Random(_SEED)  # noqa: S311  names of files, no secret
    for plan in planned(now.astimezone(ZoneInfo(ZONE)).date()):
        service, name = services[SERVICES[plan.service][0]], f"{names.getrandbits(96):024x}"
        wish = Book(
            uid=f"{name}@{SLUG}",
            span=_span(plan.start, service.duration),
            zone=ZONE,
            customer=customers[CUSTOMERS[plan.customer][0]],
            service=service.id,
            recurrence=_series(plan, service.duration) if plan.weeks else None,
            notes=plan.notes,
        )
        desk.apply(tx, _SETUP, calendars[plan.who], f"{name}.ics", [wish], now)


def _series(plan: Plan, length: timedelta) -> Recurrence:
    weeks = [plan.start + timedelta(weeks=week) for week in range(plan.weeks)]  # wall time: it stays noon when the clocks change
    moved, left_out = weeks[plan.moved], weeks[plan.left_out]
    return Recurrence(
        rule=f"FREQ=WEEKLY;COUNT={plan.weeks}",
        excluded=(left_out.astimezone(UTC),),
        overrides=(Override(at=moved.astimezone(UTC), span=_span(moved.replace(hour=MOVED_TO), length)),),
    )


def _span(start: datetime, length: timedelta) -> Span:
    return Span(start.astimezone(UTC), start.astimezone(UTC) + length)


def _wall(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(ZONE))


def _handle(name: str) -> str:
    return name.lower().replace(" ", "-")


_PLAIN = str.maketrans({"é": "e", "ü": "ue", "ß": "ss", "í": "i", "ñ": "n", "ú": "u"})


def address(name: str, number: int) -> str:
    """A customer's, by the place in CUSTOMERS."""
    return _email(name, "example.org" if number % 3 else "example.com")


def _email(name: str, domain: str = "example.com") -> str:
    return f"{name.lower().translate(_PLAIN).replace(' ', '.')}@{domain}"
