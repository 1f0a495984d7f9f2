"""What a person does in Google's own calendar pages, and what can be seen of all events there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from html import escape

from gateway.errors import Invalid
from gateway.fakes import times as clock
from gateway.fakes.google import calendars, channels, events, instances, writing
from gateway.fakes.google.state import Calendar, GoogleWorld, Row
from gateway.fakes.google.writing import Draft
from gateway.fakes.series import Recurrence
from gateway.fakes.times import Times
from gateway.fakes.wire import Json
from gateway.recurrence import Rule

TEXTS = {"title": "summary", "location": "location", "visibility": "visibility"}


def listing(world: GoogleWorld, login: str) -> list[Json]:
    return [shown(calendar, row) for calendar in world.calendars_of(login) if not calendar.deleted for row in calendar.rows.values()]


def shown(calendar: Calendar, row: Row) -> Json:
    """An event as contract.md §6 lists it, and a little more."""
    times = row.times

    def text(instant: datetime) -> str:
        return instant.date().isoformat() if times.all_day else clock.local(instant, times.zone)

    original = row.original.date().isoformat() if row.original and times.all_day else None
    return {
        "id": row.id,
        "calendar": calendar.id,
        "title": row.body.get("summary", ""),
        "start": text(times.start),
        "end": text(times.end),
        "zone": times.zone,
        "all_day": times.all_day,
        "cancelled": row.cancelled,
        "ours": bool(row.by),
        "description": row.body.get("description", ""),
        "recurrence": list(row.lines),
        "series": row.master or None,
        "original_start": original or (clock.stamp(row.original) if row.original else None),
        "attendees": [each["email"] for each in row.body.get("attendees", [])],
    }


def act(world: GoogleWorld, wish: Json) -> Json:
    """Do it. The events it touched come back. Raises LookupError, ValueError, or Rejected where Google's own page would refuse."""
    account = world.accounts[str(wish.get("account", ""))]
    operation = wish.get("op")
    if operation == "calendar":
        return {"calendar": calendars.add(world, account.login, {"summary": wish["title"], "timeZone": wish.get("zone", world.zone)}).id}
    if operation == "delete_calendar":
        calendars.delete(world, world.calendars[str(wish["id"])])
        return {}
    if operation == "create":
        calendar = world.calendars[str(wish.get("calendar") or account.login)]
        return {"events": [shown(calendar, _create(world, calendar, wish))]}
    calendar, row = _find(world, account.login, wish)
    match operation:
        case "move" | "edit":
            touched = _edit(world, calendar, row, wish)
        case "delete":
            touched = _delete(world, calendar, row, wish)
        case "copy":
            touched = [events.add(world, calendar, Draft(body=dict(row.body), times=row.times, lines=row.lines, recurrence=row.recurrence))]
        case _:
            raise ValueError("op is one of create, move, edit, delete, copy, calendar, delete_calendar")
    return {"events": [shown(calendar, each) for each in touched]}


def _find(world: GoogleWorld, login: str, wish: Json) -> tuple[Calendar, Row]:
    """The event meant: by id, an instance by its own id or by `occurrence`, its original start."""
    name = str(wish.get("id", ""))
    for calendar in world.calendars_of(login):
        row = instances.find(calendar, name) if not calendar.deleted else None
        if row is None:
            continue
        if wish.get("occurrence") is None or not row.series:
            return calendar, row
        start, _ = clock.read(wish["occurrence"], row.times.zone)
        found = instances.find(calendar, instances.instance_id(row, start))
        if found is not None:
            return calendar, found
    raise LookupError(f"event {name!r} of {login}")


def _create(world: GoogleWorld, calendar: Calendar, wish: Json) -> Row:
    body: Json = {"summary": wish.get("title", ""), **_texts(wish)}
    zone = str(wish.get("zone") or calendar.zone)
    start, all_day = clock.read(wish.get("start"), zone)
    end = clock.read(wish["end"], zone)[0] if wish.get("end") else start + (clock.DAY if all_day else timedelta(hours=1))
    times = Times(start=start, end=max(end, start), zone=zone, all_day=all_day)
    lines = tuple(wish.get("recurrence") or ())
    body = writing.kept(body | {name: wish[name] for name in ("eventType", "attendees", "extendedProperties") if name in wish})
    made = Draft(body=body, times=times, lines=lines, recurrence=Recurrence.parse(lines, times) if lines else None)
    row = events.add(world, calendar, made)
    row.organizer = str(wish.get("organizer", ""))
    if wish.get("locked"):
        row.body["locked"] = True
    return row


def _texts(wish: Json) -> Json:
    """What is typed into the page. Its editor writes HTML."""
    body = {ours: wish[name] for name, ours in TEXTS.items() if name in wish}
    if "description" in wish:
        body["description"] = escape(str(wish["description"]), quote=False).replace("\n", "<br>")
    if "busy" in wish:
        body["transparency"] = "opaque" if wish["busy"] else "transparent"
    return body


def _draft(row: Row, calendar: Calendar, wish: Json) -> Draft:
    """The row with what is wished."""
    zone = str(wish.get("zone") or row.times.zone)
    times = replace(row.times, zone=zone, end_zone="")
    if wish.get("start") is not None:
        start, all_day = clock.read(wish["start"], zone)
        length = row.times.end - row.times.start if all_day == row.times.all_day else (clock.DAY if all_day else timedelta(hours=1))
        times = Times(start=start, end=start + length, zone=zone, all_day=all_day)
    if wish.get("end") is not None:
        end, all_day = clock.read(wish["end"], zone)
        if all_day != times.all_day or end <= times.start:
            raise ValueError("the end does not fit the start")
        times = replace(times, end=end)
    body = row.body | writing.kept(_texts(wish) | {name: wish[name] for name in ("attendees", "reminders") if name in wish})
    lines = tuple(wish["recurrence"]) if wish.get("recurrence") is not None else row.lines
    try:
        recurrence = Recurrence.parse(lines, times) if lines else None
    except Invalid as error:
        raise ValueError(str(error)) from error
    return Draft(body=body, times=times, lines=lines, recurrence=recurrence)


def _edit(world: GoogleWorld, calendar: Calendar, row: Row, wish: Json) -> list[Row]:
    """`reach`: "one" (as the id says), "following" (this and following: a new series), "all" (the whole series)."""
    match wish.get("reach", "one"):
        case "all" if row.master:
            head = calendar.rows[row.master]
            return [events.amend(world, calendar, head, _draft(head, calendar, _shifted(head, row, wish)))]
        case "following" if row.master:
            return _following(world, calendar, row, wish)
        case _:
            return [events.amend(world, calendar, row, _draft(row, calendar, wish))]


def _shifted(head: Row, row: Row, wish: Json) -> Json:
    """A wish about one instance, for the whole series: its beginning moves by as much."""
    if wish.get("start") is None:
        return {**wish, "end": None}
    start, all_day = clock.read(wish["start"], row.times.zone)
    if all_day != head.times.all_day or row.original is None:
        raise ValueError("a series cannot change between times and whole days by one of its instances")
    moved = head.times.start + (start - row.original)
    end = (
        head.times.start + (clock.read(wish["end"], row.times.zone)[0] - row.original)
        if wish.get("end")
        else moved + (head.times.end - head.times.start)
    )

    def text(instant: datetime) -> str:
        return instant.date().isoformat() if all_day else clock.stamp(instant)

    return {**wish, "start": text(moved), "end": text(end)}


def _following(world: GoogleWorld, calendar: Calendar, row: Row, wish: Json) -> list[Row]:
    """The old series ends before this instance; a new one, with a new id, begins with it."""
    head = calendar.rows[row.master]
    if row.original is None:
        raise ValueError("this is no instance of a series")
    fresh = events.add(world, calendar, replace(_draft(row, calendar, wish), lines=head.lines, recurrence=head.recurrence))
    _end(world, calendar, head, row.original)
    return [head, fresh]


def _end(world: GoogleWorld, calendar: Calendar, head: Row, before: datetime) -> None:
    """The series ends before that instance."""
    until = (before - clock.DAY).date() if head.times.all_day else before - timedelta(seconds=1)

    def ended(line: str) -> str:
        name, _, text = line.partition(":")
        return f"{name}:{replace(Rule.parse(text), until=until, count=None)}" if name.upper() == "RRULE" else line

    lines = tuple(ended(line) for line in head.lines)
    made = Draft(body=head.body, times=head.times, lines=lines, recurrence=Recurrence.parse(lines, head.times))
    events.amend(world, calendar, head, made)


def _delete(world: GoogleWorld, calendar: Calendar, row: Row, wish: Json) -> list[Row]:
    match wish.get("reach", "one"):
        case "all" if row.master:
            row = calendar.rows[row.master]
        case "following" if row.master and row.original is not None:
            head = calendar.rows[row.master]
            _end(world, calendar, head, row.original)
            return [head]
    events.remove(world, calendar, row)
    channels.notify(world, calendar)
    return [row]
