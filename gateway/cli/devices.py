"""Commands that spare people the typing when they set up a telephone: Apple's profile, and the link and code for DAVx⁵."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.credentials import Person
from gateway.cli.frame import Office, Shown, command
from gateway.cli.people import staff_named
from gateway.errors import Misconfigured

if TYPE_CHECKING:
    from gateway.web.devices import Account

device = typer.Typer(help="Setting up telephones without typing.", no_args_is_help=True)

NEXT = "The device asks for an app password: gateway app-password add …"

Out = Annotated[Path | None, typer.Option("--out", help="Where it is written; HANDLE.mobileconfig here unless told.")]
Feed = Annotated[str | None, typer.Option("--feed", metavar="LINK", help="Subscribe to this feed as well; not for a Mac.")]


@command(device, "profile")
def write_profile(office: Office, person: Person, out: Out = None, feed: Feed = None) -> Shown:
    """Write a configuration profile for iPhone, iPad and Mac. No password is in it."""
    from gateway.trusted import profile_signer
    from gateway.web import devices

    if feed is not None and not feed.startswith(("https://", "http://")):
        raise typer.BadParameter("a feed's link begins with https://", param_hint="--feed")
    account, signer = _account(office, person), profile_signer(office.settings)
    octets = devices.profile(account, feed_url=feed)
    path = out or Path(account.file_name)
    try:
        path.write_bytes(octets if signer is None else signer.sign(octets))
    except OSError as error:
        raise Misconfigured(f"The profile cannot be written to {path}: {error.strerror or error}.") from error
    facts = {"file": str(path), "content_type": devices.PROFILE_TYPE, "signed": signer is not None}
    return Shown({**facts, "user_name": account.handle, "principal_url": account.principal}, note=NEXT)


@command(device, "link")
def show_link(office: Office, person: Person) -> Shown:
    """Show the link that sets up DAVx⁵ on Android, and the same as a code for its camera."""
    from gateway.web import devices

    account = _account(office, person)
    link = devices.account_link(account)
    if not office.as_json:
        typer.echo(devices.code_as_text(link))
    return Shown({"davx5_url": link, "user_name": account.handle, "caldav_url": account.server}, note=NEXT)


def _account(office: Office, person: str) -> Account:
    from gateway.web.devices import Account

    with office.reading() as snapshot:
        found, company = staff_named(snapshot, person), snapshot.company
    return Account(public_url=office.settings.public_url, handle=found.handle, name=found.name, company=company.name)
