"""Commands about what a company has switched on: calendars of other providers, the two-way road, and its policies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

import typer

from gateway.cli.frame import Office, Shown, command
from gateway.model import OnConflict, OnDelete, Refusal

settings = typer.Typer(help="What a company has switched on, and its policies.", no_args_is_help=True)


@command(settings, "show")
def show_settings(office: Office) -> Shown:
    """Every switch and policy of the company."""
    with office.reading() as snapshot:
        return Shown(snapshot.company.policy.facts())


@command(settings, "set")
def change_settings(
    office: Office,
    bidirectional: Annotated[bool | None, typer.Option(help="Whether staff may move appointments in their own calendars.")] = None,
    google: Annotated[bool | None, typer.Option(help="Google Calendar. Off: its links rest, and nothing is forgotten.")] = None,
    outlook: Annotated[bool | None, typer.Option(help="Outlook.com: personal Microsoft accounts.")] = None,
    office365: Annotated[bool | None, typer.Option(help="Microsoft 365: work and school accounts.")] = None,
    on_delete: Annotated[OnDelete | None, typer.Option(help="What follows when staff delete an appointment.")] = None,
    on_conflict: Annotated[OnConflict | None, typer.Option(help="What follows when a move leaves the working hours.")] = None,
    refusal: Annotated[Refusal | None, typer.Option(help="How a refused edit is answered over CalDAV.")] = None,
    resize: Annotated[bool | None, typer.Option(help="Whether staff may make appointments longer or shorter.")] = None,
    hold_seconds: Annotated[int | None, typer.Option(min=0, max=86_400, help="Quiet time before a customer is told.")] = None,
    self_service: Annotated[bool | None, typer.Option(help="Whether customers may move and cancel on the page of their letter.")] = None,
    notice_minutes: Annotated[int | None, typer.Option(min=0, max=527_040, help="Until so long before the start.")] = None,
) -> Shown:
    """Change what is named; everything else stays."""
    wishes: dict[str, Any] = {  # Any: replace's own
        "two_way": bidirectional,
        "google": google,
        "outlook": outlook,
        "office365": office365,
        "on_delete": on_delete,
        "on_conflict": on_conflict,
        "refusal": refusal,
        "resize": resize,
        "hold": None if hold_seconds is None else timedelta(seconds=hold_seconds),
        "self_service": self_service,
        "notice": None if notice_minutes is None else timedelta(minutes=notice_minutes),
    }
    with office.writing() as tx:
        old = tx.company.policy
        new = replace(old, **{name: wish for name, wish in wishes.items() if wish is not None})
        if new != old:
            tx.save_company(replace(tx.company, policy=new))
            tx.audit("settings", "", old.facts(), new.facts(), office.now)
        return Shown(new.facts())
