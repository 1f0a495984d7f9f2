"""Commands about companies, the people who work there, and their groups."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from itertools import chain, count
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import frame, shapes
from gateway.cli.frame import Office, Shown, command
from gateway.errors import Conflict, Missing
from gateway.model import Company, CompanyId, Group, GroupId, OnConflict, OnDelete, Policy, Staff, StaffId, WorkingHours

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.store import Snapshot, Store

company = typer.Typer(help="Companies: each has its own staff, customers and appointments.", no_args_is_help=True)
staff = typer.Typer(help="The people whose calendars are kept.", no_args_is_help=True)
group = typer.Typer(help="Groups of staff: team calendars and feeds.", no_args_is_help=True)

Name = Annotated[str, typer.Option("--name", parser=frame.words)]
Zone = Annotated[str, typer.Option("--zone", parser=frame.zone, help="IANA time zone, such as Europe/Paris.")]
Locale = Annotated[str, typer.Option("--locale", help="Language of letters: en, de, fr, es.")]
Person = Annotated[str, typer.Argument(metavar="STAFF", help="Handle, e-mail address or id.")]
Team = Annotated[str, typer.Argument(metavar="GROUP", help="Slug or id.")]
Slug = Annotated[str, typer.Option("--slug", help="Its name in addresses; from the name unless told. Never changes.")]


@command(company, "add", without=("company",))
def add_company(
    office: Office,
    name: Name,
    zone: Zone,
    slug: Slug = "",
    locale: Locale = "en",
    bidirectional: Annotated[bool, typer.Option(help="Whether staff may move appointments in their own calendars.")] = False,
) -> Shown:
    """Found a company. Its policy begins as the settings say."""
    from gateway.store import fresh_id

    slug = _slug(slug or name)
    with office.opened() as parts:
        if any(each.slug == slug for each in parts.store.companies()):
            raise Conflict(f"There is a company {slug} already; choose another --slug.")
        policy = _policy(office.settings, two_way=bidirectional)
        made = Company(id=CompanyId(fresh_id()), slug=slug, name=name, zone=zone, locale=locale, policy=policy)
        parts.store.found(made)
    return Shown(shapes.company(made))


@command(company, "list", without=("company",))
def list_companies(office: Office) -> Shown:
    """All companies."""
    with office.opened() as parts:
        rows = [shapes.company(each) for each in parts.store.companies()]
    return Shown(rows, columns=("slug", "name", "time_zone", "bidirectional"))


@command(company, "show")
def show_company(office: Office) -> Shown:
    """One company and its policy."""
    with office.reading() as snapshot:
        return Shown(shapes.company(snapshot.company))


@command(company, "change")
def change_company(
    office: Office,
    bidirectional: Annotated[bool | None, typer.Option(help="Whether staff may move appointments in their own calendars.")] = None,
    resize: Annotated[bool | None, typer.Option(help="Whether they may make them longer or shorter.")] = None,
    on_delete: Annotated[OnDelete | None, typer.Option(help="What follows when they delete one.")] = None,
    on_conflict: Annotated[OnConflict | None, typer.Option(help="What follows when a move leaves the working hours.")] = None,
    hold_seconds: Annotated[int | None, typer.Option(min=0, max=86_400, help="Quiet time before a customer is told.")] = None,
) -> Shown:
    """Change the policy; what is not named stays."""
    with office.writing() as tx:
        old = tx.company.policy
        policy = replace(
            old,
            two_way=old.two_way if bidirectional is None else bidirectional,
            resize=old.resize if resize is None else resize,
            on_delete=on_delete or old.on_delete,
            on_conflict=on_conflict or old.on_conflict,
            hold=old.hold if hold_seconds is None else timedelta(seconds=hold_seconds),
        )
        made = replace(tx.company, policy=policy)
        if made != tx.company:
            tx.save_company(made)
        return Shown(shapes.company(made))


def _policy(settings: Settings, *, two_way: bool) -> Policy:
    return Policy(
        two_way=two_way,
        on_delete=OnDelete(settings.policy.on_delete),
        on_conflict=OnConflict(settings.policy.on_conflict),
        resize=settings.policy.resize,
        hold=timedelta(seconds=settings.sync.hold_seconds),
    )


@command(staff, "add")
def add_staff(
    office: Office,
    name: Name,
    email: Annotated[str, typer.Option("--email", parser=frame.email, help="The login, beside the handle.")],
    handle: Annotated[str, typer.Option("--handle", help="Name in addresses; from the name unless told. Never changes.")] = "",
    zone: Annotated[str | None, typer.Option("--zone", parser=frame.zone, help="The company's unless told.")] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="The company's unless told.")] = None,
) -> Shown:
    """Take on a staff member, with an appointment calendar. A log-in is a second step: gateway app-password add."""
    from gateway import desk
    from gateway.store import fresh_id

    with office.opened() as parts:
        free = _slug(handle) if handle else _free_handle(parts.store, _slug(name))
    with office.writing() as tx:
        made = Staff(
            id=StaffId(fresh_id()),
            handle=free,
            name=name,
            email=email,
            zone=zone or tx.company.zone,
            locale=locale or tx.company.locale,
        )
        desk.save_staff(tx, made, office.now)
    return Shown(shapes.staff(made, office.settings.public_url))


@command(staff, "list")
def list_staff(office: Office) -> Shown:
    """Everybody, by name."""
    with office.reading() as snapshot:
        rows = [shapes.staff(each, office.settings.public_url) for each in snapshot.all_staff()]
    return Shown(rows, columns=("handle", "name", "email", "time_zone", "active"))


@command(staff, "show")
def show_staff(office: Office, person: Person) -> Shown:
    """One staff member, with groups and working hours."""
    with office.reading() as snapshot:
        found = staff_named(snapshot, person)
        groups = [each.slug for each in snapshot.groups() if found.id in each.members]
        facts = shapes.staff(found, office.settings.public_url)
        return Shown({**facts, "groups": groups, "hours": shapes.hours(snapshot.hours(found.id))})


@command(staff, "change")
def change_staff(
    office: Office,
    person: Person,
    name: Annotated[str | None, typer.Option("--name", parser=frame.words)] = None,
    email: Annotated[str | None, typer.Option("--email", parser=frame.email)] = None,
    zone: Annotated[str | None, typer.Option("--zone", parser=frame.zone)] = None,
    locale: Annotated[str | None, typer.Option("--locale")] = None,
    active: Annotated[bool | None, typer.Option(help="Whether the person may log in and be booked.")] = None,
) -> Shown:
    """Change facts about a staff member; what is not named stays. The handle stays for ever."""
    from gateway import desk

    with office.writing() as tx:
        old = staff_named(tx, person)
        made = replace(
            old,
            name=name or old.name,
            email=email or old.email,
            zone=zone or old.zone,
            locale=locale or old.locale,
            active=old.active if active is None else active,
        )
        desk.save_staff(tx, made, office.now)
    return Shown(shapes.staff(made, office.settings.public_url))


@command(staff, "hours")
def set_hours(
    office: Office,
    person: Person,
    hours: Annotated[list[str], typer.Argument(metavar="HOURS…", help='Such as "Mon-Fri 08:00-12:00,13:00-18:00" "Sat 09:00-12:00".')],
) -> Shown:
    """Set the weekly working hours, in the staff member's time zone. All of them: days that are not named are free."""
    weekly: dict[int, tuple[tuple[int, int], ...]] = {}
    for line in hours:
        days, intervals = _hours(line)
        weekly.update(dict.fromkeys(days, intervals))
    with office.writing() as tx:
        found = staff_named(tx, person)
        kept = WorkingHours(weekly=weekly, exceptions=tx.hours(found.id).exceptions)
        tx.save_hours(found.id, kept)
    return Shown({"staff": found.handle, "hours": shapes.hours(kept)})


_DAY = "|".join(shapes.DAYS)
_LINE = re.compile(rf"(?P<first>{_DAY})(-(?P<last>{_DAY}))?\s+(?P<times>\S+)", re.IGNORECASE)
_TIMES = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def _hours(line: str) -> tuple[range, tuple[tuple[int, int], ...]]:
    """Weekdays (Monday 0) and their intervals in minutes after midnight."""
    read = _LINE.fullmatch(line.strip())
    if read is None:
        raise typer.BadParameter(f'{line!r} is not understood; hours are written "Mon-Fri 08:00-12:00,13:00-18:00"', param_hint="HOURS")
    first, last = (shapes.DAYS.index(day.capitalize()) for day in (read["first"], read["last"] or read["first"]))
    intervals = []
    for each in read["times"].split(","):
        times = _TIMES.fullmatch(each)
        start, end = (int(times[1]) * 60 + int(times[2]), int(times[3]) * 60 + int(times[4])) if times else (0, 0)
        if not start < end <= 1440:
            raise typer.BadParameter(f"{each!r} is not from one time to a later one of the day", param_hint="HOURS")
        intervals.append((start, end))
    if last < first:
        raise typer.BadParameter(f"{line!r}: the week begins on Monday", param_hint="HOURS")
    return range(first, last + 1), tuple(sorted(intervals))


@command(group, "add")
def add_group(
    office: Office,
    name: Name,
    member: Annotated[list[str] | None, typer.Option("--member", help="Handle, e-mail address or id; may be repeated.")] = None,
    slug: Slug = "",
) -> Shown:
    """Make a group: a read-only team calendar for its members, and something to give a feed of."""
    from gateway.store import fresh_id

    with office.writing() as tx:
        slug = _slug(slug or name)
        if any(each.slug == slug for each in tx.groups()):
            raise Conflict(f"There is a group {slug} already; choose another --slug.")
        members = tuple(dict.fromkeys(staff_named(tx, each).id for each in member or ()))
        made = Group(id=GroupId(fresh_id()), slug=slug, name=name, members=members)
        tx.save_group(made)
        return Shown(shapes.group(made, tx))


@command(group, "list")
def list_groups(office: Office) -> Shown:
    """All groups and who is in them."""
    with office.reading() as snapshot:
        return Shown([shapes.group(each, snapshot) for each in snapshot.groups()], columns=("slug", "name", "members"))


@command(group, "show")
def show_group(office: Office, team: Team) -> Shown:
    """One group."""
    with office.reading() as snapshot:
        return Shown(shapes.group(group_named(snapshot, team), snapshot))


@command(group, "join")
def join(office: Office, team: Team, person: Person) -> Shown:
    """Take a staff member into a group."""
    return _membership(office, team, person, inside=True)


@command(group, "leave")
def leave(office: Office, team: Team, person: Person) -> Shown:
    """Take a staff member out of a group."""
    return _membership(office, team, person, inside=False)


def _membership(office: Office, team: str, person: str, *, inside: bool) -> Shown:
    with office.writing() as tx:
        old, member = group_named(tx, team), staff_named(tx, person).id
        members = tuple(each for each in old.members if each != member) + ((member,) if inside else ())
        if set(members) != set(old.members):
            old = replace(old, members=members)
            tx.save_group(old)
        return Shown(shapes.group(old, tx))


def staff_named(snapshot: Snapshot, name: str) -> Staff:
    """By handle, e-mail address (any case) or id. Raises Missing."""
    for person in snapshot.all_staff():
        if name in (person.handle, person.id) or name.casefold() == person.email.casefold():
            return person
    raise Missing(f"There is no staff member {name}.")


def group_named(snapshot: Snapshot, name: str) -> Group:
    """By slug or id. Raises Missing."""
    for team in snapshot.groups():
        if name in (team.slug, team.id):
            return team
    raise Missing(f"There is no group {name}.")


def _slug(name: str) -> str:
    """A name as it may stand in an address: small letters, digits and hyphens. Raises typer.BadParameter."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    if not slug:
        raise typer.BadParameter(f"{name!r} has no letter that may stand in an address; say one that does", param_hint="--slug or --handle")
    return slug


def _free_handle(store: Store, handle: str) -> str:
    """The handle, or the first of handle-2, handle-3 … that nobody in the installation has."""
    candidates = chain([handle], (f"{handle}-{number}" for number in count(2)))
    return next(each for each in candidates if store.find_handle(each) is None)
