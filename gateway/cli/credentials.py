"""Commands that hand out secrets and take them back: app passwords, API keys, feeds. A secret is shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import shapes
from gateway.cli.frame import Json, Office, Shown, command
from gateway.cli.people import group_named, staff_named
from gateway.errors import Missing
from gateway.model import Feed, FeedId, Level, Scope

if TYPE_CHECKING:
    from gateway.store import Snapshot

app_password = typer.Typer(help="What calendar programs log in with: one for each device.", no_args_is_help=True)
api_key = typer.Typer(help="What a booking platform calls /api/v1/ with.", no_args_is_help=True)
feed = typer.Typer(help="Links that calendar programs subscribe to.", no_args_is_help=True)

ONCE = "This is shown only now: keep it."

Person = Annotated[str, typer.Argument(metavar="STAFF", help="Handle, e-mail address or id.")]
Label = Annotated[str, typer.Option("--label", help="Where it is used, so that it can be told from others later.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="It can look and change nothing.")]
OneCalendar = Annotated[
    str | None, typer.Option("--calendar", metavar="SLUG", help="It opens this calendar only, such as appointments or company.")
]
Id = Annotated[str, typer.Argument(metavar="ID", help="As list shows it.")]
All = Annotated[bool, typer.Option("--all", help="Revoked ones as well.")]


@command(app_password, "add")
def add_app_password(office: Office, person: Person, label: Label = "", read_only: ReadOnly = False, calendar: OneCalendar = None) -> Shown:
    """Make an app password for one device of a staff member."""
    from gateway.app import fresh_password

    secret = fresh_password()
    with office.writing() as tx:
        found = staff_named(tx, person)
        if calendar is not None and tx.collection(found.id, calendar) is None:
            known = ", ".join(each.slug for each in tx.collections(found.id))
            raise Missing(f"{found.name} has no calendar {calendar}; there are: {known}")
        made = tx.add_app_password(found.id, label, secret, office.now, read_only=read_only, calendar=calendar)
    return Shown(
        {
            "id": made,
            "staff": found.handle,
            "label": label,
            "login": found.email,
            "app_password": secret,
            "caldav_url": f"{office.settings.public_url}/dav/",
            "read_only": read_only,
            "calendar": calendar,
        },
        note=ONCE,
    )


@command(app_password, "list")
def list_app_passwords(office: Office, person: Person, all: All = False) -> Shown:
    """The app passwords of a staff member, without the passwords."""
    with office.reading() as snapshot:
        found = snapshot.app_passwords(staff_named(snapshot, person).id)
    return Shown([shapes.app_password(each) for each in found if all or each.revoked is None])


@command(app_password, "revoke")
def revoke_app_password(office: Office, id: Id) -> Shown:
    """End an app password: the device that uses it is logged out at once."""
    with office.writing() as tx:
        known = {each.id for person in tx.all_staff() for each in tx.app_passwords(person.id)}
        if id not in known:
            raise Missing(f"There is no app password {id}.")
        tx.revoke_app_password(id, office.now)
    return Shown({"id": id, "revoked": shapes.stamp(office.now)})


@command(api_key, "add")
def add_api_key(office: Office, label: Label = "") -> Shown:
    """Make an API key."""
    from gateway.app import fresh_token

    secret = fresh_token()
    with office.writing() as tx:
        made = tx.add_api_key(label, secret, office.now)
    return Shown({"id": made, "label": label, "api_key": secret, "api_url": f"{office.settings.public_url}/api/v1/"}, note=ONCE)


@command(api_key, "list")
def list_api_keys(office: Office, all: All = False) -> Shown:
    """The company's API keys, without the keys."""
    with office.reading() as snapshot:
        return Shown([shapes.credential(each) for each in snapshot.api_keys() if all or each.revoked is None])


@command(api_key, "revoke")
def revoke_api_key(office: Office, id: Id) -> Shown:
    """End an API key."""
    with office.writing() as tx:
        if id not in {each.id for each in tx.api_keys()}:
            raise Missing(f"There is no API key {id}.")
        tx.revoke_api_key(id, office.now)
    return Shown({"id": id, "revoked": shapes.stamp(office.now)})


@command(feed, "add")
def add_feed(
    office: Office,
    staff: Annotated[str, typer.Option("--staff", help="Of this staff member: handle, e-mail address or id.")] = "",
    group: Annotated[str, typer.Option("--group", help="Of this group: slug or id. Neither: of the whole company.")] = "",
    level: Annotated[
        Level | None, typer.Option(help="How much it tells: full for one staff member, service otherwise, unless told.")
    ] = None,
    label: Label = "",
    past: Annotated[int | None, typer.Option(min=0, max=3660, help="Days it reaches back.")] = None,
    future: Annotated[int | None, typer.Option(min=0, max=3660, help="Days it reaches ahead.")] = None,
    alarm: Annotated[int | None, typer.Option(min=0, max=40_320, help="Minutes before the start; no alarm unless told.")] = None,
) -> Shown:
    """Make a feed. Whoever has the link can read it."""
    from gateway.app import fresh_token
    from gateway.store import fresh_id

    if staff and group:
        raise typer.BadParameter("a feed is of a staff member or of a group", param_hint="--staff, --group")
    usual, secret = office.settings.feeds, fresh_token()
    with office.opened() as parts:
        sealed = parts.seal.seal(secret.encode())
    with office.writing() as tx:
        scope, of = Scope.COMPANY, None
        if staff:
            scope, of = Scope.STAFF, str(staff_named(tx, staff).id)
        elif group:
            scope, of = Scope.GROUP, str(group_named(tx, group).id)
        made = Feed(
            id=FeedId(fresh_id()),
            scope=scope,
            of=of,
            label=label,
            level=level or (Level.FULL if staff else Level.SERVICE),
            past_days=usual.past_days if past is None else past,
            future_days=usual.future_days if future is None else future,
            alarm_minutes=alarm,
        )
        tx.add_feed(made, secret, sealed, office.now)
        return Shown({**_feed(made, tx), "url": f"{office.settings.public_url}/feeds/{secret}.ics"}, note=ONCE)


@command(feed, "list")
def list_feeds(office: Office, all: All = False) -> Shown:
    """The company's feeds, without their links, and who fetched them last."""
    with office.reading() as snapshot:
        rows = [_feed(each, snapshot) for each in snapshot.feeds() if all or each.revoked is None]
    return Shown(rows, columns=("id", "scope", "of", "label", "level", "last_fetched", "last_agent", "revoked"))


@command(feed, "revoke")
def revoke_feed(office: Office, id: Id) -> Shown:
    """End a feed: its link answers 410 from now on."""
    with office.writing() as tx:
        known = next((each for each in tx.feeds() if each.id == id), None)
        if known is None:
            raise Missing(f"There is no feed {id}.")
        tx.revoke_feed(known.id, office.now)
    return Shown({"id": id, "revoked": shapes.stamp(office.now)})


def _feed(link: Feed, snapshot: Snapshot) -> Json:
    handles = {str(person.id): person.handle for person in snapshot.all_staff()}
    slugs = {str(team.id): team.slug for team in snapshot.groups()}
    return shapes.feed(link, None if link.of is None else {**handles, **slugs}.get(link.of, link.of))
