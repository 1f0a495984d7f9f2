"""The command that gives data out: appointments as one calendar file, or all records of a company as lines of JSON."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import shapes
from gateway.cli.frame import Json, Office, command
from gateway.cli.people import group_named, staff_named
from gateway.errors import Unavailable
from gateway.model import Appointment, Level, Personal, Span, StaffId

if TYPE_CHECKING:
    from gateway.store import Snapshot

cli = typer.Typer()

AHEAD = timedelta(days=10 * 366)
"""How far ahead zones are described: a series may have no end."""


@command(cli, "export")
def give_out(
    office: Office,
    file: Annotated[str, typer.Argument(metavar="FILE", help="- is standard output.")] = "-",
    staff: Annotated[str, typer.Option("--staff", help="Only of this staff member: handle, e-mail address or id.")] = "",
    group: Annotated[str, typer.Option("--group", help="Only of this group: slug or id.")] = "",
    cancelled: Annotated[bool, typer.Option("--cancelled", help="Cancelled ones as well.")] = False,
) -> None:
    """Give out all appointments, of everybody unless told, as one iCalendar file; with --json all records of the company, one a line."""
    if office.as_json and (staff or group):
        raise typer.BadParameter("with --json everything of the company is given out", param_hint="--staff or --group")
    if staff and group:
        raise typer.BadParameter("one of both, please", param_hint="--staff or --group")
    with office.reading() as snapshot:
        parts = (f"{json.dumps(each, ensure_ascii=False)}\n" for each in _records(snapshot, office)) if office.as_json else None
        _put(file, parts if parts is not None else [_calendar(snapshot, office, staff, group, cancelled)])


def _calendar(snapshot: Snapshot, office: Office, staff: str, group: str, cancelled: bool) -> str:
    """As in a feed that shows everything, without its window."""
    from gateway.ical import write

    people, name, several = _whose(snapshot, staff, group)
    services = {each.id: each for each in snapshot.services()}
    customers = {each.id: each for each in snapshot.customers()}
    found = [held.entry for held in snapshot.appointments(staff=people, window=None, cancelled=cancelled)]
    entries = sorted((each for each in found if isinstance(each, Appointment)), key=lambda each: (each.span, each.uid))
    names = {calendar: snapshot.staff(snapshot.calendar(calendar).staff).name for calendar in {each.calendar for each in entries}}
    texts = [
        write.event(
            each,
            level=Level.FULL,
            service=services[each.service],
            customer=customers[each.customer],
            prefix=names[each.calendar] if several else "",
        )
        for each in entries
    ]
    first = min([office.now, *(each.span.start for each in entries)])
    last = max([office.now, *(each.span.end for each in entries)]) + AHEAD
    zones = sorted({each.zone for each in entries})
    return write.calendar(
        [each.encode() for each in texts], name=name, zone=snapshot.company.zone, zones=zones, window=Span(first, last)
    ).decode()


def _whose(snapshot: Snapshot, staff: str, group: str) -> tuple[list[StaffId] | None, str, bool]:
    """The people (None: everybody), what the calendar is called, and whether titles name them."""
    if staff:
        person = staff_named(snapshot, staff)
        return [person.id], person.name, False
    if group:
        team = group_named(snapshot, group)
        return list(team.members), team.name, True
    return None, snapshot.company.name, True


def _records(snapshot: Snapshot, office: Office) -> Iterator[Json]:
    """Everything but secrets: the company, its people and things, every appointment, and what people keep for themselves."""
    yield {"kind": "company", **shapes.company(snapshot.company)}
    people = snapshot.all_staff()
    for person in people:
        kept = shapes.hours(snapshot.hours(person.id))
        yield {"kind": "staff", **shapes.staff(person, office.settings.public_url), "working_hours": kept}
    yield from ({"kind": "group", **shapes.group(each, snapshot)} for each in snapshot.groups())
    yield from ({"kind": "service", **shapes.service(each)} for each in snapshot.services())
    yield from ({"kind": "customer", **shapes.customer(each)} for each in snapshot.customers())
    for held in snapshot.appointments(staff=None, window=None, cancelled=True):
        if isinstance(held.entry, Appointment):
            more = {"service_id": held.entry.service, "customer_id": held.entry.customer}
            yield {"kind": "appointment", **shapes.appointment(held.entry, snapshot), **more}
    for person in people:
        for collection in snapshot.collections(person.id):
            if collection.view or collection.owner != person.id:
                continue
            rows = snapshot.rows(collection)
            for entry in snapshot.entries(row.entry for row in rows if row.version is None).values():
                if isinstance(entry, Personal):
                    yield {"kind": "personal", "staff": person.handle, "calendar": collection.slug, "uid": entry.uid, "text": entry.text}


def _put(file: str, parts: Iterable[str]) -> None:
    """Into a file that is there whole or not at all, and for nobody else's eyes: the names of customers are in it."""
    if file == "-":
        for part in parts:
            typer.echo(part, nl=False)
        return
    target = Path(file)
    part_file = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        with open(os.open(part_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8", newline="") as stream:
            stream.writelines(parts)
            stream.flush()
            os.fsync(stream.fileno())
        part_file.replace(target)
    except OSError as error:
        raise Unavailable(f"The file cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part_file.unlink()
