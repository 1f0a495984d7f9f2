"""Commands about the whole of the data: a backup while the gateway runs, putting one back, and letting it speak to the outside again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.frame import Office, Shown, command, counted

cli = typer.Typer()

File = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)]

KEY = "Keep the secret key (secrets.key or its file) somewhere else: without it feed links and letters in the backup cannot be read."
LOCKED = (
    "Everybody starts over with what is here now. No letter is sent, and no calendar elsewhere is read or written, before: gateway unlock"
)


@command(cli, "backup", without=("company",))
def back_up(
    office: Office, file: File, force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False
) -> Shown:
    """Copy the whole database into one file while the gateway runs. On PostgreSQL this is pg_dump's work."""
    from gateway.store import copies

    with counted(office, "Copying", 100) as upto:
        octets = copies.back_up(office.settings.database.url, file, force=force, upto=upto)
    return Shown({"file": str(file), "octets": octets}, note=KEY)


@command(cli, "restore", without=("company",))
def restore(office: Office, file: File) -> Shown:
    """Put a backup in the place of what is there, while no gateway runs. Nothing goes out afterwards before `gateway unlock`."""
    from gateway import app
    from gateway.store import copies

    with counted(office, "Restoring", 100) as upto:
        copies.restore(office.settings.database.url, file, office.now, upto=upto)
    return Shown({"database": app.migrate(office.settings), "locked": True}, note=LOCKED)


@command(cli, "unlock", without=("company",))
def unlock(office: Office) -> Shown:
    """After a restore: send letters and work on calendars elsewhere again. Only one installation may do so with the same data."""
    with office.opened() as parts:
        return Shown({"unlocked": parts.store.unlock()})
