"""Calendar files in and out: what other programs write is taken as it is, twice is once, and what is given out can be read again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from gateway import desk
from gateway.model import Personal, Span
from tests.cli.house import Shell

ZONE = """BEGIN:VTIMEZONE
TZID:Home
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE"""

EVENTS = """BEGIN:VEVENT
UID:series
DTSTAMP:20260101T000000Z
DTSTART;TZID=Home:20261201T100000
DTEND;TZID=Home:20261201T110000
RRULE:FREQ=DAILY;COUNT=3
SUMMARY:Training with a title so long that the program which has written it folds the line in
  the middle of nowhere
X-OTHER-PROGRAM:kept\\, as it is
BEGIN:VALARM
UID:of-the-alarm
ACTION:DISPLAY
DESCRIPTION:x
TRIGGER:-PT5M
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260101T000000Z
DTSTART:20261205T100000Z
DTEND:20261205T110000Z
SUMMARY:Without a UID
END:VEVENT
BEGIN:VEVENT
UID:series
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=Home:20261202T100000
DTSTART;TZID=Home:20261202T140000
DTEND;TZID=Home:20261202T150000
SUMMARY:Training\\, later
END:VEVENT"""


def file(
    shell: Shell, *parts: str, name: str = "theirs.ics", head: str = "PRODID:-//Other//Program//EN\nVERSION:2.0\nMETHOD:PUBLISH"
) -> str:
    path = shell.folder / name
    path.write_text("\n".join(["BEGIN:VCALENDAR", head, *parts, "END:VCALENDAR", ""]))
    return str(path)


def kept(shell: Shell) -> dict[str, Personal]:
    """John's imported objects, by UID."""
    with shell.store() as store, store.read(store.companies()[0].id) as snapshot:
        found: dict[str, Personal] = {}
        for calendar in snapshot.calendars(snapshot.staff_by_handle("john-smith").id):
            collection = snapshot.collection(calendar.staff, calendar.slug)
            assert collection is not None
            for entry in snapshot.entries(row.entry for row in snapshot.rows(collection)).values():
                if isinstance(entry, Personal):
                    found[entry.uid] = entry
        return found


def busy(shell: Shell, start: datetime, days: int = 1) -> list[Span]:
    with shell.store() as store, store.read(store.companies()[0].id) as snapshot:
        return desk.free_busy(snapshot, snapshot.staff_by_handle("john-smith").id, Span(start, start + timedelta(days=days)))


def test_events_are_taken_in_as_they_are_and_block_their_times(gateway: Shell) -> None:
    told = gateway.json("import", file(gateway, ZONE, EVENTS), "--staff", "john-smith")
    assert (told["objects"], told["added"], told["refused"]) == (2, 2, [])
    objects = kept(gateway)
    series = objects["series"].text
    assert "Training with a title so long that the program which has written it folds the line in\r\n  the middle" in series
    assert "X-OTHER-PROGRAM:kept\\, as it is\r\n" in series
    assert (series.count("BEGIN:VEVENT"), series.count("BEGIN:VTIMEZONE"), series.count("METHOD")) == (2, 1, 0)
    [other] = set(objects) - {"series"}
    assert objects[other].text.count("BEGIN:VTIMEZONE") == 0
    starts = [span.start for span in busy(gateway, datetime(2026, 12, 1, tzinfo=UTC), 3)]
    assert starts == [datetime(2026, 12, day, hour, tzinfo=UTC) for day, hour in ((1, 9), (2, 13), (3, 9))]


def test_twice_is_once(gateway: Shell) -> None:
    path = file(gateway, ZONE, EVENTS)
    gateway.json("import", path, "--staff", "john-smith")
    with gateway.store() as store:
        before = store.revisions()
        assert store.outbox()[0] == 0, "nobody gets a letter"
    again = gateway.json("import", path, "--staff", "john-smith")
    assert (again["added"], again["replaced"], again["unchanged"]) == (0, 0, 2)
    with gateway.store() as store:
        assert store.revisions() == before


def test_another_text_stays_out_unless_it_is_to_replace_the_former_one(gateway: Shell) -> None:
    gateway.json("import", file(gateway, ZONE, EVENTS), "--staff", "john-smith")
    path = file(gateway, ZONE, EVENTS.replace("Training", "Swimming"))
    told = gateway("import", path, "--staff", "john-smith")
    assert "--replace" in told.err
    assert "Training" in kept(gateway)["series"].text
    told = gateway.json("import", path, "--staff", "john-smith", "--replace")
    assert (told["added"], told["replaced"], told["unchanged"], told["different"]) == (0, 1, 1, 0)
    assert "Swimming" in kept(gateway)["series"].text


def test_what_cannot_be_read_is_named_with_its_reason_and_keeps_nothing_else_out(gateway: Shell) -> None:
    wrong = "BEGIN:VEVENT\nUID:wrong\nSUMMARY:No start\nEND:VEVENT"
    open_end = "BEGIN:VEVENT\nUID:open\nSUMMARY:Breaks off\nDTSTART:20261201T100000Z"
    twice = "\n".join("BEGIN:VEVENT\nUID:twice\nDTSTART:20261201T100000Z\nEND:VEVENT" for _ in range(2))
    told = gateway.json("import", file(gateway, wrong, twice, ZONE, EVENTS, open_end), "--staff", "john-smith")
    assert told["added"] == 2
    assert {each["uid"]: each["title"] for each in told["refused"]} == {"wrong": "No start", "twice": "", "open": "Breaks off"}
    assert all(each["reason"] for each in told["refused"])


@pytest.mark.parametrize("written", ["latin", "utf-16", "cr", "control", "bom"])
def test_the_quirks_of_old_programs_are_taken(gateway: Shell, written: str) -> None:
    text = Path(file(gateway, "BEGIN:VEVENT\nUID:u\nDTSTART:20261201T100000Z\nSUMMARY:Caf\xe9\nEND:VEVENT")).read_text()
    octets = {
        "latin": text.encode("cp1252"),
        "utf-16": text.encode("utf-16"),
        "cr": text.replace("\n", "\r").encode(),
        "control": text.replace("Caf", "C\x0ba\x00f").encode(),
        "bom": text.encode("utf-8-sig"),
    }[written]
    (gateway.folder / "quirk.ics").write_bytes(octets)
    assert gateway.json("import", str(gateway.folder / "quirk.ics"), "--staff", "john-smith")["added"] == 1
    assert "SUMMARY:Caf\xe9\r\n" in kept(gateway)["u"].text


def test_something_else_is_no_calendar(gateway: Shell) -> None:
    (gateway.folder / "page.ics").write_text("<html>Please sign in</html>")
    for name in ("page.ics", "missing.ics"):
        told = gateway("import", str(gateway.folder / name), "--staff", "john-smith")
        assert (told.code, told.out) == (1, "")
    assert gateway("import", file(gateway, EVENTS), "--staff", "nobody").code == 1
    assert kept(gateway) == {}


def booked(gateway: Shell, staff: str, start: str, *more: str) -> str:
    words = ("--staff", staff, "--service", "Advice", "--customer", "ann.canary@example.com", "--start", start, *more)
    return str(gateway.json("appointment", "add", *words)["uid"])


def test_everything_is_given_out_whatever_its_time(gateway: Shell) -> None:
    first = datetime.now(UTC) + timedelta(days=3)
    late = booked(gateway, "john-smith", f"{first + timedelta(days=1500):%Y-%m-%d}T10:00")
    series = booked(gateway, "john-smith", f"{first:%Y-%m-%d}T10:00", "--rule", "FREQ=WEEKLY;COUNT=4")
    hers = booked(gateway, "emma-morris", f"{first:%Y-%m-%d}T10:00")
    his = icalendar.Calendar.from_ical(gateway("export", "--staff", "john-smith").out)
    assert {str(event["UID"]) for event in his.walk("VEVENT")} == {late, series}
    assert {str(event["SUMMARY"]) for event in his.walk("VEVENT")} == {"Advice \u2013 Ann Canaryname"}
    path = gateway.folder / "all.ics"
    assert gateway("export", str(path)).code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    everybody = icalendar.Calendar.from_ical(path.read_bytes())
    assert {str(event["UID"]) for event in everybody.walk("VEVENT")} == {late, series, hers}
    gateway.json("group", "add", "--name", "Front desk", "--member", "emma-morris")
    team = icalendar.Calendar.from_ical(gateway("export", "--group", "front-desk").out)
    assert [str(event["UID"]) for event in team.walk("VEVENT")] == [hers]
    assert gateway("export", "--group", "front-desk", "--staff", "john-smith").code == 2


def test_our_own_file_comes_back_as_what_is_here_already(gateway: Shell) -> None:
    booked(gateway, "john-smith", f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}T10:00")
    path = str(gateway.folder / "out.ics")
    gateway("export", path, "--staff", "john-smith")
    told = gateway.json("import", path, "--staff", "john-smith")
    assert (told["added"], told["unchanged"]) == (0, 1)


def test_all_records_are_given_out_as_lines_of_json(gateway: Shell) -> None:
    gateway.json("import", file(gateway, ZONE, EVENTS), "--staff", "john-smith")
    booked(gateway, "john-smith", f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}T10:00")
    told = gateway("export", "--json")
    rows = [json.loads(line) for line in told.out.splitlines()]
    kinds = [row["kind"] for row in rows]
    assert sorted(kinds) == sorted(["company", "staff", "staff", "service", "customer", "appointment", "personal", "personal"])
    assert gateway("export", "--json", "--staff", "john-smith").code == 2
