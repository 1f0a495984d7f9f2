"""Commands about delegates: who opens a staff member's calendars beside the staff member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.frame import Json, Office, Shown, command
from gateway.cli.people import staff_named
from gateway.errors import Missing

if TYPE_CHECKING:
    from gateway.store import Delegation, Snapshot

cli = typer.Typer()

Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="Whose calendars: handle, e-mail address or id.")]
Secretary = Annotated[str, typer.Argument(metavar="SECRETARY", help="Who opens them: handle, e-mail address or id.")]


@command(cli, "delegate")
def delegate(
    office: Office,
    provider: Provider,
    secretary: Secretary,
    write: Annotated[bool, typer.Option("--write", help="To change them too, and not only to read them.")] = False,
) -> Shown:
    """Let a staff member open all calendars of another one; again: with these rights from now on."""
    with office.writing() as tx:
        owner, helper = staff_named(tx, provider), staff_named(tx, secretary)
        tx.delegate(owner.id, helper.id, office.now, write=write)
        [made] = [each for each in tx.delegates(owner.id) if each.delegate == helper.id]
        return Shown(_shown(made, tx, office.settings.public_url))


@command(cli, "undelegate")
def undelegate(office: Office, provider: Provider, secretary: Secretary) -> Shown:
    """End it: effective with the next request of the delegate's calendar program."""
    with office.writing() as tx:
        owner, helper = staff_named(tx, provider), staff_named(tx, secretary)
        if not tx.undelegate(owner.id, helper.id):
            raise Missing(f"{helper.handle} opens no calendars of {owner.handle}.")
    return Shown({"owner": owner.handle, "delegate": helper.handle, "ended": True})


@command(cli, "delegates")
def list_delegates(
    office: Office, provider: Annotated[str, typer.Argument(metavar="[PROVIDER]", help="Of this staff member only.")] = ""
) -> Shown:
    """Who opens whose calendars."""
    with office.reading() as snapshot:
        owners = [staff_named(snapshot, provider)] if provider else snapshot.all_staff()
        rows = [_shown(each, snapshot, office.settings.public_url) for owner in owners for each in snapshot.delegates(owner.id)]
    return Shown(rows, columns=("owner", "delegate", "write"))


def _shown(each: Delegation, snapshot: Snapshot, public_url: str) -> Json:
    return {
        "owner": each.handle,
        "delegate": snapshot.staff(each.delegate).handle,
        "write": each.write,
        "calendar_url": f"{public_url}/dav/{each.handle}/appointments/",
    }
