"""Commands about calendars elsewhere: connecting them, how they stand, and what can be done about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import shapes
from gateway.cli.frame import Json, Office, Shown, command, counted
from gateway.cli.people import staff_named
from gateway.errors import GatewayError, Unavailable
from gateway.links import Direction, LinkId, Provider, Standing
from gateway.model import EntryId, Level

if TYPE_CHECKING:
    from gateway.links import Link
    from gateway.store import Snapshot

link = typer.Typer(help="Calendars at Google and Microsoft that staff members have connected.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="LINK", help="As list shows it.")]
Person = Annotated[str, typer.Argument(metavar="STAFF", help="Handle, e-mail address or id.")]


@command(link, "list")
def list_links(office: Office, all: Annotated[bool, typer.Option("--all", help="Ended ones as well.")] = False) -> Shown:
    """Every connected calendar, and how it stands."""
    with office.reading() as snapshot:
        found = [each for each in snapshot.links() if all or each.standing is not Standing.ENDED]
        rows = [_shown(each, snapshot, office) for each in found]
    return Shown(
        rows, columns=("id", "staff", "provider", "login", "direction", "standing", "status", "last_complete_look", "waiting", "dead")
    )


@command(link, "show")
def show_link(office: Office, id: Id) -> Shown:
    """One of them, with its trouble and the next step."""
    with office.reading() as snapshot:
        return Shown(_shown(snapshot.link(LinkId(id)), snapshot, office))


@command(link, "connect")
def connect(
    office: Office,
    person: Person,
    provider: Annotated[Provider, typer.Argument(help="google, outlook (personal) or office365 (work).")],
    primary: Annotated[bool, typer.Option("--primary", help="The person's own calendar, instead of one that is made.")] = False,
    organisation: Annotated[str, typer.Option("--organisation", metavar="ID", help="Microsoft 365: its administrator has agreed.")] = "",
) -> Shown:
    """Begin to connect a calendar: an address for the staff member's browser, good for ten minutes and once."""
    from gateway.app import crossing

    if organisation and provider is not Provider.OFFICE365:
        raise typer.BadParameter("only an administrator of Microsoft 365 agrees for others", param_hint="--organisation")
    with office.opened() as parts, crossing(parts).connecting() as accounts:
        if organisation:
            with office.reading() as snapshot:
                company, staff_id = snapshot.company.id, staff_named(snapshot, person).id
            with _sentences():
                made = accounts.enter(company, staff_id, organisation, primary=primary)
            with office.reading() as snapshot:
                return Shown(_shown(snapshot.link(made.link), snapshot, office))
        with office.writing() as tx:
            address = accounts.begin(tx, staff_named(tx, person).id, provider, primary=primary)
    return Shown({"authorize_url": address}, note="Open it where the staff member is signed in to the provider.")


@command(link, "organisation")
def organisation(
    office: Office,
    id: Annotated[str, typer.Argument(metavar="[ID]", help="Its id or domain; without one: where its administrator agrees.")] = "",
) -> Shown:
    """Connect everybody's Microsoft 365 mailbox at once, with the consent of the organisation's administrator."""
    from gateway.app import crossing

    with office.opened() as parts, crossing(parts).connecting() as accounts:
        if not id:
            note = "Open it as an administrator of the organisation; the page it leads back to names the id."
            return Shown({"consent_url": accounts.admin_consent()}, note=note)
        with office.reading() as snapshot:
            company, people = snapshot.company.id, [each for each in snapshot.all_staff() if each.active]
        rows: list[Json] = []
        with counted(office, "Mailboxes", len(people)) as upto:
            for number, each in enumerate(people, start=1):
                try:
                    with _sentences():
                        done = accounts.enter(company, each.id, id)
                    rows.append({"staff": each.handle, "link": done.link, "trouble": ""})
                except GatewayError as error:  # the others' mailboxes are others
                    rows.append({"staff": each.handle, "link": None, "trouble": str(error)})
                upto(number)
    return Shown(rows, columns=("staff", "link", "trouble"))


@command(link, "calendars")
def calendars(office: Office, id: Id) -> Shown:
    """The calendars of the same account: those that could be mirrored into instead, and those whose busy times block."""
    from gateway.app import crossing
    from gateway.bridge import choices

    with office.reading() as snapshot:
        company, account = snapshot.company.id, snapshot.link(LinkId(id)).account
    with office.opened() as parts, crossing(parts).connecting() as accounts, _sentences():
        found = choices.offers(accounts, company, account)
    rows: list[Json] = [
        {
            "id": each.id,
            "title": each.title,
            "primary": each.primary,
            "writable": each.writable,
            "written": each.written,
            "blocks": each.blocks,
        }
        for each in found.calendars
    ]
    note = "" if found.listed else "The provider does not let us see them all. The staff member can allow it under “Choose calendars”."
    return Shown(rows, columns=("id", "title", "primary", "writable", "written", "blocks"), note=note)


@command(link, "busy")
def busy(
    office: Office,
    id: Id,
    calendars: Annotated[list[str] | None, typer.Argument(help="As calendars shows them: these block, and no others.")] = None,
    none: Annotated[bool, typer.Option("--none", help="None blocks any more.")] = False,
) -> Shown:
    """Which calendars of the same account block the staff member when they are busy, and how reading them goes."""
    from gateway.app import crossing
    from gateway.bridge import choices

    with office.reading() as snapshot:
        company, account = snapshot.company.id, snapshot.link(LinkId(id)).account
    if calendars or none:
        with office.opened() as parts, crossing(parts).connecting() as accounts, _sentences():
            choices.block(accounts, company, account, [] if none else calendars or [], office.actor)
    with office.reading() as snapshot:
        confirmed = snapshot.foreign_origins(snapshot.account(account).staff)
        rows: list[Json] = [
            {
                "calendar": each.calendar,
                "title": each.title,
                "confirmed": shapes.stamp(confirmed[each.origin]) if each.origin in confirmed else None,
                "failing_since": None if each.failing is None else shapes.stamp(each.failing),
                "trouble": each.trouble,
            }
            for each in snapshot.blocking(account)
        ]
    return Shown(rows, columns=("calendar", "title", "confirmed", "trouble"))


@command(link, "choose")
def choose(office: Office, id: Id, calendar: Annotated[str, typer.Argument(help="As calendars shows it.")]) -> Shown:
    """Mirror into another calendar of the same account from now on; our events in the former one are removed."""
    from gateway.app import crossing

    with office.reading() as snapshot:
        company = snapshot.company.id
    with office.opened() as parts, crossing(parts).connecting() as accounts, _sentences():
        chosen = accounts.choose(company, LinkId(id), calendar)
    with office.reading() as snapshot:
        return Shown(_shown(snapshot.link(chosen), snapshot, office))


@command(link, "pause")
def pause(office: Office, id: Id) -> Shown:
    """Write nothing and read nothing until it is resumed."""
    return _changed(office, id, paused=True)


@command(link, "resume")
def resume(office: Office, id: Id) -> Shown:
    """Go on where it was paused."""
    return _changed(office, id, paused=False)


@command(link, "set")
def change_link(
    office: Office,
    id: Id,
    direction: Annotated[Direction | None, typer.Option(help="out: moves made there are turned back. both: they are proposals.")] = None,
    level: Annotated[Level | None, typer.Option(help="How much is shown there.")] = None,
) -> Shown:
    """One way or two, and how much is shown."""
    return _changed(office, id, direction=direction, level=level)


@command(link, "disconnect")
def disconnect(
    office: Office,
    id: Id,
    leave: Annotated[bool, typer.Option("--leave", help="Leave our events there.")] = False,
    keep_busy: Annotated[bool, typer.Option("--keep-busy", help="The account's other calendars go on to block.")] = False,
) -> Shown:
    """End it; our events there are removed first."""
    from gateway.bridge import orders

    with office.writing() as tx:
        return Shown(_shown(orders.disconnect(tx, LinkId(id), office.now, remove=not leave, blocking_too=not keep_busy), tx, office))


@command(link, "cleanup")
def cleanup(office: Office) -> Shown:
    """Remove everything that was ever written into calendars elsewhere, also what was left there: every link ends."""
    from gateway.bridge import orders

    with office.writing() as tx:
        ended = [(each, orders.disconnect(tx, each.id, office.now, remove=True)) for each in tx.links()]
        rows = [_shown(new, tx, office) for former, new in ended if new != former]
    return Shown(rows, columns=("id", "staff", "provider", "standing", "trouble"))


@command(link, "decide")
def decide(office: Office, id: Id, meant: Annotated[bool, typer.Option("--meant/--not-meant", help="Whether it was meant.")]) -> Shown:
    """Say whether what a brake holds back was meant: then it is done; or else everything is put back."""
    from gateway.bridge import orders

    with office.writing() as tx:
        return Shown(_shown(orders.decide(tx, LinkId(id), office.now, meant=meant), tx, office))


@command(link, "retry")
def retry(office: Office, id: Id) -> Shown:
    """Try what the provider has refused for good once more."""
    from gateway.bridge import orders

    with office.writing() as tx:
        return Shown({"items": orders.retry(tx, LinkId(id), office.now)})


@command(link, "troubles")
def troubles(office: Office, id: Id) -> Shown:
    """Events that wait for a word of a person, or that the provider refuses."""
    from gateway.bridge import orders

    with office.reading() as snapshot:
        items = [each for each in snapshot.items(snapshot.link(LinkId(id)).id) if each.condition in orders.OPEN]
    rows: list[Json] = [
        {
            "appointment": each.key.entry,
            "occurrence": None if each.key.at is None else shapes.stamp(each.key.at),
            "condition": each.condition.value,
            "trouble": each.trouble,
        }
        for each in items
    ]
    return Shown(rows, columns=("appointment", "occurrence", "condition", "trouble"))


@command(link, "settle")
def settle(
    office: Office,
    id: Id,
    appointment: Annotated[str, typer.Argument(help="As troubles shows it.")],
    keep: Annotated[bool, typer.Option("--keep/--restore", help="Leave it there as it is, or write ours once more.")],
) -> Shown:
    """Say of one appointment that waits whether it stays there as it is."""
    from gateway.bridge import orders

    with office.writing() as tx:
        return Shown({"items": orders.settle(tx, LinkId(id), EntryId(appointment), office.now, keep=keep)})


@command(link, "history")
def history(office: Office, id: Id, limit: Annotated[int, typer.Option(min=1, max=500)] = 50) -> Shown:
    """What happened to a link, the newest first."""
    with office.reading() as snapshot:
        rows: list[Json] = [
            {"at": shapes.stamp(each.at), "kind": each.kind, "sentence": each.sentence, "appointment": each.entry}
            for each in snapshot.history(snapshot.link(LinkId(id)).id, limit)
        ]
    return Shown(rows, columns=("at", "kind", "sentence"))


def _changed(
    office: Office, id: str, *, paused: bool | None = None, direction: Direction | None = None, level: Level | None = None
) -> Shown:
    from gateway.bridge import orders

    with office.writing() as tx:
        changed = orders.change(tx, LinkId(id), office.now, paused=paused, direction=direction, level=level)
        return Shown(_shown(changed, tx, office))


@contextmanager
def _sentences() -> Iterator[None]:
    """What a provider says is told like everything else that goes wrong."""
    from gateway.bridge.remote import RemoteError

    try:
        yield
    except RemoteError as error:
        raise Unavailable(str(error)) from error


def _shown(each: Link, snapshot: Snapshot, office: Office) -> Json:
    from gateway.bridge import orders
    from gateway.store import Tally

    account = snapshot.account(each.account)
    tally = snapshot.tallies(each.id).get(each.id) or Tally()
    status, trouble, step = orders.condition(snapshot.company.policy, account, each, office.now)
    return {
        "id": each.id,
        "staff": snapshot.staff(each.staff).handle,
        "provider": account.provider.value,
        "login": account.login,
        "calendar": each.title,
        "direction": each.direction.value,
        "level": each.level.value,
        "standing": each.standing.value,
        "status": status,
        "trouble": trouble,
        "next_step": step,
        "last_complete_look": None if each.pulled is None else shapes.stamp(each.pulled),
        "waiting": tally.waiting,
        "oldest_unsent": None if tally.unsent is None else shapes.stamp(tally.unsent),
        "dead": tally.dead,
        "undecided": tally.undecided,
    }
