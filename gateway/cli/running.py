"""Commands that run the gateway: demo, serve, worker, migrate; and version."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.frame import Office, Shown, command, console

cli = typer.Typer()


class Half(StrEnum):
    WEB = "web"
    WORKER = "worker"


Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that share the work; about one for each core.")]
Leash = Annotated[int | None, typer.Option("--leash", hidden=True, help="What ties one of several processes to their parent.")]
Number = Annotated[int | None, typer.Option("--number", hidden=True, help="Which of several processes this one is.")]


@command(cli, "demo", without=("config", "company"))
def demo(
    office: Office,
    data: Annotated[Path, typer.Option("--data", help="Folder of the embedded database; kept from start to start.")] = Path("data/demo"),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8080,
    providers: Annotated[bool, typer.Option("--providers", help="With stand-ins for Google and Microsoft, and two people there.")] = False,
) -> None:
    """Serve a sample company at once. Nothing leaves this machine: its mail server keeps every letter."""
    from gateway import demo as sample
    from gateway import observe
    from gateway.settings import Log

    log = Log(level="info" if office.as_json else "warning", format="console")
    observe.configure(level=log.level, style=log.format)
    with _progress(office) as say:

        def ready(line: Mapping[str, Any]) -> None:
            say("")
            if office.as_json:
                typer.echo(json.dumps(line, ensure_ascii=False))
            else:
                _welcome(line)

        sample.run(data, port, log=log, say=say, ready=ready, with_providers=providers)
    _end()


@command(cli, "serve", without=("company",))
def serve(
    office: Office,
    workers: Workers = 1,
    only: Annotated[Half | None, typer.Option("--only", help="Half of the work; the other half runs in other processes.")] = None,
    leash: Leash = None,
    number: Number = None,
) -> None:
    """Serve: the front door (CalDAV, feeds, pages, REST) and the workers behind it, in one process or several, or split."""
    _serve(office, None if only is None else only.value, workers, leash, number)


@command(cli, "worker", without=("company",))
def worker(office: Office, workers: Workers = 1) -> None:
    """Only the work behind the front door: letters, and whatever follows the log. Any number of processes may do it."""
    _serve(office, "worker", workers)


@command(cli, "migrate", without=("company",))
def migrate(
    office: Office,
    renew_epoch: Annotated[
        bool, typer.Option("--renew-epoch", help="After a backup was restored: have every calendar program start over, as it must.")
    ] = False,
) -> Shown:
    """Bring the database to the newest schema. Safe to run twice, and from several machines at once."""
    from gateway import app

    with _progress(office) as say:
        say("Bringing the database to the newest schema")
        return Shown({"database": app.migrate(office.settings, renew_epoch=renew_epoch)})


@command(cli, "version", without=("config", "company"))
def version(office: Office) -> Shown:
    """Which version this is."""
    from importlib.metadata import version

    return Shown({"version": version("calendar-gateway")})


def _serve(office: Office, only: Any, workers: int, leash: int | None = None, number: int | None = None) -> None:
    """`only` is a processes.Half or None, imported late."""
    from gateway import observe, processes

    at_work = processes.tied(leash) if leash is not None else None
    settings = office.settings
    observe.configure(level=settings.log.level, style=settings.log.format, secrets=settings.secrets_in_use(), process=number)
    if workers > 1:
        processes.serve(settings, _one_of_several(office, only), workers, only=only)
        _be_deaf()
        return
    from gateway import app  # not by the parent of several, which never needs a database

    with office.opened() as parts:
        app.serve(parts, only=only, shared=at_work is not None, started=lambda _: at_work() if at_work else None)
    _end()


def _one_of_several(office: Office, only: str | None) -> Callable[[int, int], list[str]]:
    """What starts one process, given its number and its leash."""
    chosen = ["--config", str(office.config)] if office.config else []
    half = ["--only", only] if only else []

    def command(number: int, leash: int) -> list[str]:
        return [sys.executable, "-m", "gateway", "serve", *chosen, *half, "--number", str(number), "--leash", str(leash)]

    return command


def _end() -> None:
    """Leave within five seconds even if a request hangs: what was acknowledged is committed, and the store is closed."""
    from gateway import app

    _be_deaf()
    if not app.ended_threads():
        os._exit(0)


def _be_deaf() -> None:
    """Nobody can end what has ended: while the interpreter tidies up it would give signals back their usual, deadly meaning."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _progress(office: Office) -> Iterator[Callable[[str], None]]:
    """Says on the terminal what takes a moment; "" when nothing does any more. Silent for programs."""
    from rich.console import Console

    screen = Console(stderr=True)
    with screen.status("Starting", spinner="line") as status:
        if office.as_json or not screen.is_terminal:
            status.stop()

        def say(what: str) -> None:
            if what:
                status.update(what)
            else:
                status.stop()

        yield say


def _welcome(ready: Mapping[str, Any]) -> None:
    """Where to click."""
    from rich.table import Table

    screen = console()
    screen.print(f"\n[bold]The gateway is running:[/] {ready['base_url']}   (Ctrl-C ends it; the data stays)\n")
    places = Table(box=None, show_header=False, pad_edge=False)
    places.add_column(style="bold")
    places.add_column(overflow="fold")
    places.add_row("Mailbox", f"{ready['mailbox_url']}   every letter that is sent ends up here")
    places.add_row("REST", f"{ready['base_url']}/api/docs   key {ready['api_key']}")
    places.add_row("CalDAV", f"{ready['caldav_url']}   with a login and app password from below")
    places.add_row("Company feed", str(ready["company_feed_url"]))
    for group in ready["groups"]:
        places.add_row(f"Feed of {group['name']}", str(group["feed_url"]))
    screen.print(places)
    for person in ready["staff"]:
        card = Table(box=None, show_header=False, pad_edge=False)
        card.add_column()
        card.add_column(overflow="fold")
        card.add_row("login", str(person["login"]))
        card.add_row("app password", str(person["app_password"]))
        card.add_row("calendar", str(person["calendar_url"]))
        card.add_row("feed", str(person["feed_url"]))
        screen.print(f"\n[bold]{person['name']}[/]")
        screen.print(card)
    for name, places in ready.get("providers", {}).items():
        screen.print(f"\n[bold]Stand-in for {name.title()}[/] at {places['api']}, steered at {places['control']}/")
    screen.print("\nMove an appointment that lies ahead in a calendar program, then look into the mailbox.")
