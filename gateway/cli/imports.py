"""The command that takes the calendar file of another program into a staff member's home: personal events, which block their times."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.frame import Json, Office, Shown, command, counted
from gateway.cli.people import staff_named
from gateway.errors import Conflict, Invalid, Refused, TooLarge
from gateway.model import Actor, Calendar, Personal, Staff

if TYPE_CHECKING:
    from gateway.booking import Write
    from gateway.ical.files import Found
    from gateway.store import Transaction

cli = typer.Typer()

SLUG = "imported"
COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")


@dataclass(slots=True)
class _Tally:
    """What became of the objects. `different`: they are here already, with another text."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    different: int = 0
    refused: list[Json] = field(default_factory=list)

    def refuse(self, found: Found, reason: str) -> None:
        self.refused.append({"uid": found.uid, "title": found.title, "reason": reason})


@command(cli, "import")
def take_in(
    office: Office,
    file: Annotated[Path, typer.Argument(metavar="FILE.ics", dir_okay=False, help="- is standard input.")],
    staff: Annotated[str, typer.Option("--staff", help="Handle, e-mail address or id.")],
    calendar: Annotated[str, typer.Option("--calendar", metavar="SLUG", help="Into which calendar; it is made if there is none.")] = SLUG,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is here with another text.")] = False,
) -> Shown:
    """Take in the events of a calendar file: all that can be read, in one go. May be repeated: what is here already stays as it is."""
    from gateway.ical import files

    found, tally = files.objects(_octets(file)), _Tally()
    with office.reading() as snapshot:
        zone = staff_named(snapshot, staff).zone
    sound = _sound(office, found, zone, tally)
    with office.writing(Actor(office.actor.who, "import")) as tx, counted(office, "Taking in", len(sound)) as upto:
        person = staff_named(tx, staff)
        keeping = _Keeping(office, tx, person, calendar, replace, tally)
        for number, (each, wish) in enumerate(sound, 1):
            keeping.take(each, wish)
            upto(number)
    return Shown(
        {
            "staff": person.handle,
            "calendar": calendar,
            "objects": len(found),
            "added": tally.added,
            "replaced": tally.replaced,
            "unchanged": tally.unchanged,
            "different": tally.different,
            "refused": tally.refused,
        },
        note="Some are here already with another text; --replace takes that of the file." if tally.different else "",
    )


def _octets(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Invalid(f"The file cannot be read: {error.strerror}.") from error


def _sound(office: Office, found: Sequence[Found], zone: str, tally: _Tally) -> list[tuple[Found, Write]]:
    """Those that a calendar can keep: found out before anybody has to wait for the database."""
    from gateway.ical import read

    sound, longest = [], office.settings.limits.request_octets
    with counted(office, "Reading", len(found)) as upto:
        for number, each in enumerate(found, 1):
            try:
                if len(each.text.encode()) > longest:
                    raise TooLarge(f"An object may have {longest} octets (limits.request_octets).", limit="limits.request_octets")
                if each.trouble:
                    raise Invalid(each.trouble)
                sound.append((each, read.personal(each.text, zone=zone)))
            except (Invalid, TooLarge) as error:
                tally.refuse(each, str(error))
            upto(number)
    return sound


class _Keeping:
    """Puts objects into a home, each beside what is known of its UID in any of the calendars there."""

    def __init__(self, office: Office, tx: Transaction, person: Staff, slug: str, replace: bool, tally: _Tally) -> None:
        self._office, self._tx, self._person, self._slug = office, tx, person, slug
        self._replace, self._tally = replace, tally
        self._calendars = list(tx.calendars(person.id))

    def take(self, found: Found, wish: Write) -> None:
        from gateway import desk

        tally = self._tally
        held = next((held for each in self._calendars if (held := self._tx.held_by_uid(each.id, wish.uid)) is not None), None)
        if held is not None and (not isinstance(held.entry, Personal) or held.entry.text == wish.text):
            tally.unchanged += 1  # our own appointments come back in files that were exported here
            return
        if held is not None and not self._replace:
            tally.different += 1
            return
        try:
            if held is not None:
                place = held.entry.calendar, held.entry.name
            else:
                place = self._place(wish).id, f"{hashlib.sha256(wish.uid.encode()).hexdigest()[:32]}.ics"
            desk.apply(self._tx, self._tx.actor, *place, [wish], self._office.now)
        except (Invalid, TooLarge, Refused, Conflict) as error:
            tally.refuse(found, str(error))
            return
        if held is None:
            tally.added += 1
        else:
            tally.replaced += 1

    def _place(self, wish: Write) -> Calendar:
        """The calendar for new ones. Raises Invalid when it does not take such objects."""
        from gateway import desk

        found = next((each for each in self._calendars if each.slug == self._slug), None)
        if found is None:
            found = desk.make_calendar(self._tx, self._person.id, self._slug, COMPONENTS, self._office.now)
            self._calendars.append(found)
        if wish.component not in found.components:
            raise Invalid(f"The calendar {self._slug} takes no {wish.component}.")
        return found
