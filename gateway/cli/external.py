"""The command about external calendars: the address whose busy times block a staff member, trying it, and what counts as busy."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import shapes
from gateway.cli.frame import Office, Shown, command
from gateway.cli.people import staff_named

if TYPE_CHECKING:
    from gateway.links import Source

cli = typer.Typer()


class Habit(StrEnum):
    """Whether events of a kind block."""

    BUSY = "busy"
    FREE = "free"
    USUAL = "usual"  # as the settings say for everybody

    @property
    def meant(self) -> bool | None:
        return None if self is Habit.USUAL else self is Habit.BUSY


@command(cli, "external-ics")
def external(
    office: Office,
    person: Annotated[str, typer.Argument(metavar="STAFF", help="Handle, e-mail address or id.")],
    url: Annotated[str, typer.Argument(help="An address that begins with https:// or webcal://.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="End it.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Try the address, or the one that is kept, and change nothing.")] = False,
    tentative: Annotated[Habit | None, typer.Option("--tentative", help="What events marked tentative are.")] = None,
    elsewhere: Annotated[Habit | None, typer.Option("--working-elsewhere", help="What events marked so in Outlook are.")] = None,
) -> Shown:
    """The external calendar whose busy times block a staff member: how it stands, or another one."""
    from gateway.bridge import feed

    if test:
        return _tried(office, person, url)
    with office.opened() as parts, office.writing() as tx:
        staff = staff_named(tx, person).id
        if url or remove:
            feed.put_address(tx, parts.seal, staff, "" if remove else url, office.now)
            tx.audit("external-calendar", staff, {}, {"set": not remove}, office.now)
        source = tx.source(staff)
        if tentative is not None or elsewhere is not None:
            before = (None, None) if source is None else (source.tentative, source.elsewhere)
            after = tuple(former if given is None else given.meant for former, given in zip(before, (tentative, elsewhere), strict=True))
            feed.put_habits(tx, staff, office.now, tentative=after[0], elsewhere=after[1])
            source = tx.source(staff)
    return Shown({"external_ics": None} if source is None else _shown(source))


def _tried(office: Office, person: str, url: str) -> Shown:
    from gateway.app import crossing
    from gateway.bridge import feed

    with office.opened() as parts:
        fetcher = crossing(parts).fetcher()
        with office.reading() as snapshot:
            trial = feed.trial(snapshot, fetcher, parts.seal, staff_named(snapshot, person), url, office.now)
        found = trial()
    return Shown(
        {
            "reachable": found.reachable,
            "trouble": found.trouble,
            "next_step": found.step,
            "events": found.events,
            "time_zone": found.zone,
            "next_busy": [f"{shapes.stamp(span.start)} – {shapes.stamp(span.end)}" for span in found.next],
            "warnings": list(found.warnings),
        }
    )


def _shown(source: Source) -> dict[str, object]:
    return {
        "fetched": None if source.fetched is None else shapes.stamp(source.fetched),
        "failing_since": None if source.failing is None else shapes.stamp(source.failing),
        "trouble": source.trouble,
        "events": source.events,
        "time_zone": source.zone,
        "warnings": list(source.warnings),
        "tentative_is_busy": source.tentative,
        "working_elsewhere_is_busy": source.elsewhere,
    }
