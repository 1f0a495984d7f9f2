"""The command line: every command a thin call into the house, an answer for people or for programs, and one sentence when it fails."""

from __future__ import annotations

import typer

from gateway.cli import (
    appointments,
    check,
    copies,
    credentials,
    delegation,
    devices,
    exports,
    external,
    imports,
    invitation,
    keys,
    links,
    people,
    running,
    switches,
    trade,
)

cli = typer.Typer(
    help="A calendar gateway for booking platforms.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
cli.add_typer(running.cli)
cli.add_typer(check.cli)
cli.add_typer(people.company, name="company")
people.staff.add_typer(delegation.cli)
people.staff.add_typer(external.cli)
cli.add_typer(people.staff, name="staff")
cli.add_typer(links.link, name="link")
cli.add_typer(people.group, name="group")
cli.add_typer(trade.service, name="service")
cli.add_typer(trade.customer, name="customer")
cli.add_typer(appointments.appointment, name="appointment")
cli.add_typer(appointments.cli)
cli.add_typer(credentials.app_password, name="app-password")
cli.add_typer(credentials.api_key, name="api-key")
cli.add_typer(credentials.feed, name="feed")
cli.add_typer(devices.device, name="device")
cli.add_typer(switches.settings, name="settings")
cli.add_typer(keys.secrets, name="secrets")
cli.add_typer(invitation.cli)
cli.add_typer(imports.cli)
cli.add_typer(exports.cli)
cli.add_typer(copies.cli)


def main() -> None:
    """Run the command that the process was called with, and end the process with its exit code."""
    cli(prog_name="gateway")
