"""What all commands have in common: --config, --company, --json and --debug, the open house, and what is shown in the end."""

from __future__ import annotations

import functools
import getpass
import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints
from zoneinfo import ZoneInfo

import typer

from gateway.errors import GatewayError, Missing
from gateway.model import Actor

# Imported when a command needs them: `gateway --help` and `gateway version` open no database.
if TYPE_CHECKING:
    from rich.console import Console

    from gateway.app import App
    from gateway.model import Company
    from gateway.settings import Settings
    from gateway.store import Snapshot, Store, Transaction

_WIDE = 400  # characters of a line that no terminal has to show: nothing is folded for grep and awk

Json = Mapping[str, Any]  # what a program gets

Config = Annotated[Path | None, typer.Option("--config", help="The settings (default: $GATEWAY_CONFIG, else config/gateway.toml).")]
Slug = Annotated[str, typer.Option("--company", help="Which company; needed only where there are several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command answers: a thing or a list of things, the same for people and programs.

    People see `columns` of a list only, if given, and the `note` below it (on standard error: it is no part of the answer).
    """

    data: Json | Sequence[Json]
    columns: tuple[str, ...] = ()
    note: str = ""


class Office:
    """What a command works with. The database is open while `reading` or `writing` is."""

    def __init__(self, config: Path | None, company: str, as_json: bool) -> None:
        self.config = config
        self.as_json = as_json
        self._slug = company

    @cached_property
    def settings(self) -> Settings:
        from gateway.settings import load

        return load(self.config)

    @cached_property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @cached_property
    def actor(self) -> Actor:
        """Whoever is logged in on this machine."""
        try:
            return Actor(getpass.getuser(), "cli")
        except (OSError, KeyError):  # a container whose user has no name
            return Actor("operator", "cli")

    @contextmanager
    def opened(self) -> Iterator[App]:
        from gateway import app

        with app.opened(self.settings) as parts:
            yield parts

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        with self.opened() as parts, parts.store.read(self._company(parts.store).id) as snapshot:
            yield snapshot

    @contextmanager
    def writing(self, actor: Actor | None = None) -> Iterator[Transaction]:
        """Committed at the end of the block. `actor` is whoever is logged in unless told."""
        with self.opened() as parts, parts.store.write(self._company(parts.store).id, actor or self.actor) as tx:
            yield tx

    def _company(self, store: Store) -> Company:
        known = store.companies()
        fitting = [company for company in known if self._slug in ("", company.slug)]
        if len(fitting) == 1:
            return fitting[0]
        if not known:
            raise Missing("There is no company yet; begin with: gateway company add --name …")
        slugs = ", ".join(company.slug for company in known)
        if self._slug:
            raise Missing(f"There is no company {self._slug}; there are: {slugs}")
        raise typer.BadParameter(f"say which company: {slugs}", param_hint="--company")


def command(group: typer.Typer, name: str, *, without: Sequence[str] = ()) -> Callable[[Callable[..., Shown | None]], Callable[..., None]]:
    """Make a command of a function that takes an Office first: with the common options, and with errors told in one sentence.

    `without` names common options that mean nothing to it: "config", "company".
    """

    def make(function: Callable[..., Shown | None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*, config: Config = None, company: Slug = "", as_json: AsJson = False, debug: Debug = False, **wishes: Any) -> None:
            office = Office(config, company, as_json)
            try:
                shown = function(office, **wishes)
            except (typer.Exit, typer.Abort, typer.BadParameter):  # typer's own ways out
                raise
            except (Exception, KeyboardInterrupt) as error:  # the door: told in one sentence
                if debug:
                    raise
                raise typer.Exit(complain(error)) from None
            if shown is not None:
                show(shown, as_json)

        _give_signature(run, function, without)
        return group.command(name)(run)

    return make


def _give_signature(run: Callable[..., None], function: Callable[..., Any], without: Sequence[str]) -> None:
    """Have typer see the function's own parameters, without the office, and then the common ones."""
    hints = get_type_hints(function, include_extras=True)
    own = [each.replace(annotation=hints[each.name]) for each in list(inspect.signature(function).parameters.values())[1:]]
    own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    common = {"config": (Config, None), "company": (Slug, ""), "as_json": (AsJson, False), "debug": (Debug, False)}
    kind = inspect.Parameter.KEYWORD_ONLY
    common = {name: option for name, option in common.items() if name not in without}
    both = [*own, *(inspect.Parameter(name, kind, annotation=hint, default=usual) for name, (hint, usual) in common.items())]
    run.__signature__ = inspect.Signature(both)  # type: ignore[attr-defined]  # a function takes any attribute
    run.__annotations__ = {each.name: each.annotation for each in both}


def complain(error: BaseException) -> int:
    """One sentence on standard error; the exit code."""
    match error:
        case KeyboardInterrupt():
            typer.echo("Interrupted; nothing is half done.", err=True)
            return 130
        case GatewayError():
            typer.echo(str(error), err=True)
        case _:
            typer.echo(f"This should not have happened: {type(error).__name__}: {error}. Where: --debug.", err=True)
    return 1


def show(shown: Shown, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(shown.data, ensure_ascii=False, indent=2))
        return
    console().print(_table(shown.data, shown.columns))
    if shown.note:
        typer.echo(shown.note, err=True)


def console() -> Console:
    """Where people read answers."""
    from rich.console import Console

    made = Console()
    if not made.is_terminal:
        made.width = _WIDE
    return made


@contextmanager
def counted(office: Office, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal that is told how far it is. Silent for programs."""
    from rich.console import Console
    from rich.progress import Progress

    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=office.as_json or not screen.is_terminal) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda upto: progress.update(bar, completed=upto)


def _table(data: Json | Sequence[Json], columns: tuple[str, ...]) -> Any:  # whatever rich can print
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=not isinstance(data, Mapping), pad_edge=False, header_style="bold")
    if isinstance(data, Mapping):
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in data.items():
            table.add_row(_title(name), Text(_plain(value)))
        return table
    columns = columns or tuple(data[0] if data else ())
    for name in columns:
        table.add_column(_title(name), overflow="fold")
    for row in data:
        table.add_row(*(Text(_plain(row[name])) for name in columns))
    return table if data else Text("There are none.")


def _title(name: str) -> str:
    return name.replace("_", " ")


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return "\n".join(_plain(each) for each in value)
        case Mapping():
            return ", ".join(f"{_title(str(name))} {_plain(each)}" for name, each in value.items() if each not in (None, "", []))
        case _:  # a terminal obeys what somebody wrote into a name or a mail server into its answer
            return "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in str(value))


def zone(text: str) -> str:
    """An IANA time zone; for typer."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise typer.BadParameter(f"{text!r} is no time zone; one is called Europe/Paris") from None
    return text


def email(text: str) -> str:
    """An e-mail address; for typer."""
    local, at, domain = text.partition("@")
    if not (local and at and domain) or any(character.isspace() for character in text) or "@" in domain:
        raise typer.BadParameter(f"{text!r} is no e-mail address")
    return text


def words(text: str) -> str:
    """Text that shows something, on one line; for typer."""
    if not text.strip() or not text.isprintable():
        raise typer.BadParameter("it is empty, or holds characters that cannot be shown")
    return text.strip()


def moment(text: str, zone: str) -> datetime:
    """An instant in UTC from RFC 3339, or from wall time in the zone. Raises typer.BadParameter."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; one is written 2026-11-25T10:00") from None
    return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
