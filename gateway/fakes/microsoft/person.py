"""What a person does in Outlook, and what can be seen of all events there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from gateway.fakes import times as clock
from gateway.fakes.chance import BASE64
from gateway.fakes.microsoft import events, occurrences, pattern, rendering, writing, zones
from gateway.fakes.microsoft.state import Folder, Mailbox, MicrosoftWorld, Row
from gateway.fakes.microsoft.writing import Draft
from gateway.fakes.wire import Json
from gateway.recurrence import Rule


def listing(mailbox: Mailbox) -> list[Json]:
    gone = [
        {
            "id": each.id,
            "calendar": each.calendar,
            "title": "",
            "start": None,
            "end": None,
            "all_day": False,
            "cancelled": True,
            "ours": False,
        }
        for each in mailbox.gone.values()
        if each.id not in mailbox.rows
    ]
    return [shown(mailbox, row) for row in mailbox.rows.values()] + gone


def shown(mailbox: Mailbox, row: Row) -> Json:
    """An event as contract.md §6 lists it, and a little more. Ids are the immutable ones."""
    times = row.times

    def text(instant: datetime) -> str:
        return instant.date().isoformat() if times.all_day else clock.local(instant, times.zone)

    return {
        "id": row.id,
        "calendar": row.calendar,
        "title": row.body.get("subject") or "",
        "start": text(times.start),
        "end": text(times.end),
        "zone": times.zone,
        "all_day": times.all_day,
        "cancelled": False,
        "ours": bool(row.by),
        "description": rendering.plain(str(row.body.get("body", {}).get("content", ""))),
        "recurrence": row.pattern,
        "series": row.master or None,
        "original_start": clock.stamp(row.original) if row.original else None,
        "attendees": [each["emailAddress"]["address"] for each in row.body.get("attendees", [])],
        "cancelled_occurrences": [clock.stamp(start) for start in sorted(row.cancelled)] if row.series else [],
    }


def act(world: MicrosoftWorld, mailbox: Mailbox, wish: Json) -> Json:
    """Do it. The events it touched come back. Raises LookupError, ValueError, or Rejected where Outlook would refuse."""
    match wish.get("op"):
        case "calendar":
            return {"calendar": add_folder(world, mailbox, str(wish.get("title", "Calendar"))).id}
        case "delete_calendar":
            folder = mailbox.folders[str(wish["id"])]
            for row in [each for each in mailbox.rows.values() if each.calendar == folder.id and not each.master]:
                events.remove(world, mailbox, row)
            del mailbox.folders[folder.id]
            return {}
        case "create":
            return {"events": [shown(mailbox, _create(world, mailbox, wish))]}
    row = _find(mailbox, wish)
    match wish.get("op"):
        case "move" | "edit":
            touched = _edit(world, mailbox, row, wish)
        case "delete":
            touched = _delete(world, mailbox, row, wish)
        case "touch":  # a category, a reminder, a response: the change key moves, nothing else that matters
            events.touch(world, mailbox, row)
            touched = [row]
        case "transfer":
            events.transfer(world, mailbox, row, mailbox.folders[str(wish["calendar"])])
            touched = [row]
        case "copy":
            made = Draft(
                body=dict(row.body),
                times=row.times,
                zones=row.zones,
                pattern=row.pattern,
                recurrence=row.recurrence,
                extended=dict(row.extended),
            )
            touched = [events.add(world, mailbox, mailbox.folders[row.calendar], made)]
        case _:
            raise ValueError("op is one of create, move, edit, delete, copy, touch, transfer, calendar, delete_calendar")
    return {"events": [shown(mailbox, each) for each in touched]}


def add_folder(world: MicrosoftWorld, mailbox: Mailbox, name: str, *, default: bool = False) -> Folder:
    folder = Folder(id=f"AAMkADF{world.chance.text(100, BASE64)}/+AAA=", name=name, default=default, change_key=world.change_key())
    mailbox.folders[folder.id] = folder
    return folder


def _find(mailbox: Mailbox, wish: Json) -> Row:
    """By id, an occurrence by its own id or by `occurrence`, its original start."""
    name = str(wish.get("id", ""))
    row = occurrences.find(mailbox, name)
    if row is not None and row.series and wish.get("occurrence") is not None:
        start, _ = clock.read(wish["occurrence"], row.times.zone)
        row = occurrences.find(mailbox, occurrences.occurrence_id(row.id, start, occurrences.IMMUTABLE))
    if row is None:
        raise LookupError(f"event {name!r} of {mailbox.login}")
    return row


def _written(world: MicrosoftWorld, row: Row | None, wish: Json) -> Json:
    """The wish as a body Outlook itself would write."""
    written: Json = {}
    zone = str(wish.get("zone") or (row.times.zone if row else world.zone))
    if wish.get("start") is not None:
        start, all_day = clock.read(wish["start"], zone)
        same = row is not None and row.times.all_day == all_day
        length = row.times.end - row.times.start if row and same else clock.DAY if all_day else timedelta(hours=1)
        end = clock.read(wish["end"], zone)[0] if wish.get("end") else start + length
        written |= {"start": _when(start, zone, all_day), "end": _when(end, zone, all_day), "isAllDay": all_day}
    elif wish.get("end") is not None:
        end, all_day = clock.read(wish["end"], zone)
        written |= {"end": _when(end, zone, all_day)}
    names = {"title": "subject", "sensitivity": "sensitivity", "showAs": "showAs", "categories": "categories"}
    written |= {ours: wish[name] for name, ours in names.items() if name in wish}
    if "description" in wish:
        written["body"] = {"contentType": "text", "content": wish["description"]}
    if "location" in wish:
        written["location"] = {"displayName": wish["location"]}
    if "busy" in wish:
        written["showAs"] = "busy" if wish["busy"] else "free"
    if "attendees" in wish:
        written["attendees"] = [
            {"emailAddress": {"address": each if isinstance(each, str) else each["email"]}} for each in wish["attendees"]
        ]
    if wish.get("recurrence") is not None:
        written["recurrence"] = _pattern(wish["recurrence"], written, zone)
    elif row is not None and row.pattern is not None and "start" in written:
        written["recurrence"] = _dragged(row, row.pattern, datetime.fromisoformat(str(written["start"]["dateTime"])).date())
    return written


def _dragged(master: Row, shown: Json, day: date) -> Json:
    """The recurrence of a series whose beginning is dragged to another day: Outlook lets its days follow."""
    shape, by = dict(shown["pattern"]), (day - master.times.wall.date()).days
    if "daysOfWeek" in shape:
        shape["daysOfWeek"] = [pattern.DAYS[(pattern.DAYS.index(each) + by) % 7] for each in shape["daysOfWeek"]]
    if shape["dayOfMonth"]:
        shape["dayOfMonth"] = day.day
    if shape["month"]:
        shape["month"] = day.month
    return {"pattern": shape, "range": shown["range"] | {"startDate": day.isoformat()}}


def _when(instant: datetime, zone: str, all_day: bool) -> Json:
    there = instant.astimezone(UTC if all_day else clock.zone(zone))
    return {"dateTime": there.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": zones.windows(zone) or "UTC"}


def _pattern(wish: object, written: Json, zone: str) -> object:
    """A patternedRecurrence as it is; of RRULE lines a plain daily or weekly one."""
    if not isinstance(wish, list):
        return wish
    rule = Rule.parse(str(wish[0]).partition(":")[2])
    if len(wish) != 1 or rule.freq not in ("DAILY", "WEEKLY") or rule.positions or rule.months:
        raise ValueError("only plain daily and weekly rules can be given as RRULE; give a patternedRecurrence")
    start = datetime.fromisoformat(str(written["start"]["dateTime"]))
    shape: Json = {"type": rule.freq.lower(), "interval": rule.interval, "firstDayOfWeek": pattern.DAYS[rule.week_start]}
    if rule.freq == "WEEKLY":
        shape["daysOfWeek"] = [pattern.DAYS[weekday] for _, weekday in rule.days] or [pattern.DAYS[start.weekday()]]
    reach: Json = {"type": "noEnd", "startDate": start.date().isoformat()}
    if rule.count:
        reach |= {"type": "numbered", "numberOfOccurrences": rule.count}
    if rule.until:
        last = rule.until.astimezone(clock.zone(zone)).date() if isinstance(rule.until, datetime) and rule.until.tzinfo else rule.until
        reach |= {"type": "endDate", "endDate": f"{last:%Y-%m-%d}"}
    return {"pattern": shape, "range": reach}


def _create(world: MicrosoftWorld, mailbox: Mailbox, wish: Json) -> Row:
    folder = mailbox.folders[str(wish["calendar"])] if wish.get("calendar") else mailbox.primary
    made = writing.draft(mailbox, _written(world, None, wish))
    row = events.add(world, mailbox, folder, made, transaction=f"localevent:{world.chance.guid()}")
    row.organizer = str(wish.get("organizer", ""))
    return row


def _edit(world: MicrosoftWorld, mailbox: Mailbox, row: Row, wish: Json) -> list[Row]:
    """`reach`: "one" (as the id says), "following" (this and following: a new series), "all" (the whole series)."""
    master = mailbox.rows.get(row.master)
    match wish.get("reach", "one"):
        case "all" if master is not None:
            made = writing.draft(mailbox, _written(world, master, _shifted(master, row, wish)), master)
            return [events.amend(world, mailbox, master, made)]
        case "following" if master is not None and row.original is not None:
            fresh = _tail(world, mailbox, master, row, wish)
            _end(world, mailbox, master, row.original)
            return [master, fresh]
        case _:
            return [events.amend(world, mailbox, row, writing.draft(mailbox, _written(world, row, wish), row))]


def _shifted(master: Row, row: Row, wish: Json) -> Json:
    """A wish about one occurrence, for the whole series: its beginning moves by as much."""
    if wish.get("start") is None or row.original is None:
        return {**wish, "end": None}
    start, all_day = clock.read(wish["start"], row.times.zone)
    if all_day != master.times.all_day:
        raise ValueError("a series cannot change between times and whole days by one of its occurrences")
    moved = master.times.start + (start - row.original)
    return {**wish, "start": moved.date().isoformat() if all_day else clock.stamp(moved), "end": None}


def _tail(world: MicrosoftWorld, mailbox: Mailbox, master: Row, row: Row, wish: Json) -> Row:
    """The new series that begins with this occurrence."""
    assert master.pattern is not None  # noqa: S101  it is a series
    body = writing.draft(mailbox, _written(world, row, wish), row)
    reach = {"type": "noEnd"} if master.pattern["range"]["type"] == "numbered" else dict(master.pattern["range"])
    begin = {"startDate": body.times.wall.date().isoformat(), "recurrenceTimeZone": body.zones[0]}
    shown, recurrence, times = pattern.understood({"pattern": master.pattern["pattern"], "range": reach | begin}, body.times, body.zones[0])
    made = replace(body, pattern=shown, recurrence=recurrence, times=times)
    return events.add(world, mailbox, mailbox.folders[master.calendar], made)


def _end(world: MicrosoftWorld, mailbox: Mailbox, master: Row, before: datetime) -> None:
    """The series ends on the day before that occurrence."""
    assert master.pattern is not None  # noqa: S101  it is a series
    last = master.times.at(before).wall.date() - timedelta(days=1)
    if last < master.times.wall.date():
        events.remove(world, mailbox, master)
        return
    reach = master.pattern["range"] | {"type": "endDate", "endDate": last.isoformat()}
    written = {"recurrence": {"pattern": master.pattern["pattern"], "range": reach}}
    events.amend(world, mailbox, master, writing.draft(mailbox, written, master))


def _delete(world: MicrosoftWorld, mailbox: Mailbox, row: Row, wish: Json) -> list[Row]:
    master = mailbox.rows.get(row.master)
    match wish.get("reach", "one"):
        case "all" if master is not None:
            row = master
        case "following" if master is not None and row.original is not None:
            _end(world, mailbox, master, row.original)
            return [master]
    events.remove(world, mailbox, row)
    return [row]
