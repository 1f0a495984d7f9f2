"""Feeds, rule by rule: what decides whether Outlook, Google, Apple and Thunderbird show anything at all."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
import vobject

from gateway.model import CompanyId, GroupId
from gateway.web.server import Limits
from tests.web.house import ANN, JOHN, NOW, SECRET, SETUP, TOKENS, Door, WatchedStore, built, opened

NOON = "2026-11-25T12:00:00+01:00"
MARKS = {  # what each level may tell of a booking of Ann's
    "busy": set[str](),
    "initials": {"A. C."},
    "service": {"Advice"},
    "full": {"Advice", ANN.name},
}
SECRETS = (ANN.name, "Canaryname", ANN.email, ANN.phone, SECRET, "Advice", "ann")


def events(text: str) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def booked_events(text: str) -> list[Any]:
    """Without the marker of an empty feed."""
    return [event for event in events(text) if isinstance(event["DTSTART"].dt, datetime)]


def unfolded(text: str) -> str:
    return re.sub(r"\r\n[ \t]", "", text)


def strict(octets: bytes) -> None:
    """Everything that makes a strict reader (Outlook, Google) drop or shift a feed."""
    text = octets.decode("utf-8")
    assert "\r" not in text.replace("\r\n", ""), "a lone CR"
    assert "\n" not in text.replace("\r\n", ""), "a lone LF"
    assert text.endswith("END:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n")), "a line of more than 75 octets"
    lines = unfolded(text).split("\r\n")
    assert "" not in lines[:-1], "an empty line"
    assert lines[0] == "BEGIN:VCALENDAR"
    assert "VERSION:2.0" in lines
    assert "CALSCALE:GREGORIAN" in lines
    assert "METHOD:PUBLISH" in lines
    assert any(line.startswith("PRODID:") for line in lines)
    assert any(line.startswith("X-WR-CALNAME:") for line in lines)
    assert any(re.fullmatch(r"REFRESH-INTERVAL;VALUE=DURATION:PT\d+[MH]", line) for line in lines)
    assert any(re.fullmatch(r"X-PUBLISHED-TTL:PT\d+[MH]", line) for line in lines)
    used = set(re.findall(r"TZID=([^:;]+)[:;]", "\n".join(lines)))
    declared = {line.removeprefix("TZID:") for line in lines if line.startswith("TZID:")}
    assert used <= declared, "a time zone that is used but not declared"
    assert not any(zone.startswith("/") for zone in used)
    assert not [line for line in lines if re.match(r"TZOFFSET(FROM|TO):[+-]\d{6}", line)], "an offset with seconds (local mean time)"
    told = re.sub(r"BEGIN:VTIMEZONE.*?END:VTIMEZONE\n", "", "\n".join(lines), flags=re.DOTALL).split("\n")  # wall times are right in there
    assert not [line for line in told if re.match(r"(DTSTART|DTEND|RECURRENCE-ID|EXDATE):\d{8}T\d{6}$", line)], "a floating time"
    assert not [line for line in told if re.match(r"(ORGANIZER|ATTENDEE|RDATE)[;:]", line)]
    for event in icalendar.Calendar.from_ical(text).walk("VEVENT"):
        for name in ("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "SUMMARY"):
            assert name in event, f"an event without {name}"
    parsed = vobject.readOne(text)
    assert len(parsed.contents["vevent"]) == len(icalendar.Calendar.from_ical(text).walk("VEVENT"))


@pytest.mark.parametrize("level", list(TOKENS))
def test_every_level_and_scope_passes_the_strict_reader(door: Door, level: str) -> None:
    door.book()
    door.book("2026-11-26T10:00:00+01:00", notes="é" * 200 + "\n,;\\ " + "漢字" * 60)
    door.book("2026-11-27T10:00:00+01:00", recurrence={"rule": "FREQ=WEEKLY;COUNT=4", "excluded": ["2026-12-04T10:00:00+01:00"]})
    answer = door.feed(level)
    assert answer.status == 200
    strict(answer.body)
    assert len(booked_events(answer.text)) >= 3


def test_the_headers_are_those_subscribers_need(door: Door) -> None:
    door.book()
    answer = door.feed()
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, max-age=300"
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "content-disposition" not in answer.headers
    assert "content-encoding" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert (answer.etag or "").startswith('"')
    assert "last-modified" in answer.headers
    assert door.feed(query="?download=1").headers["content-disposition"].startswith("attachment")


def test_head_answers_like_get_without_a_body(door: Door) -> None:
    door.book()
    full, head = door.feed(), door.ask("HEAD", f"/feeds/{TOKENS['full']}.ics")
    assert (head.status, head.body) == (200, b"")
    same = ("etag", "last-modified", "content-type", "content-length", "cache-control")
    assert {name: head.headers[name] for name in same} == {name: full.headers[name] for name in same}


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', 'W/"other",W/{}', "*"])
def test_an_unchanged_feed_is_not_sent_and_not_rendered_again(door: Door, form: str) -> None:
    door.book()
    first = door.feed()
    assert "appointment_revisions" in door.store.asked
    door.store.asked.clear()
    again = door.feed(If_None_Match=form.format(first.etag))
    assert (again.status, again.body, again.etag) == (304, b"", first.etag)
    assert "feed_revision" in door.store.asked
    assert "appointment_revisions" not in door.store.asked


def test_a_reader_that_only_knows_dates_gets_not_modified_too(door: Door) -> None:
    door.book()
    first = door.feed()
    assert door.feed(If_Modified_Since=first.headers["last-modified"]).status == 304
    assert door.feed(If_Modified_Since="Mon, 23 Nov 2026 00:00:00 GMT").status == 200
    assert door.feed(If_Modified_Since="yesterday").status == 200
    assert door.feed(If_Modified_Since=first.headers["last-modified"], If_None_Match='"other"').status == 200


def test_a_change_is_seen_at_once_with_a_rising_sequence_and_stamp(door: Door) -> None:
    made = door.book()
    first = door.feed()
    [before] = booked_events(first.text)
    door.clock.now = NOW + timedelta(minutes=5)
    door.api("PATCH", f"/appointments/{made['id']}", {"start": NOON}, If_Match=made["etag"])

    second = door.feed(If_None_Match=first.etag or "", If_Modified_Since=first.headers["last-modified"])

    assert second.status == 200
    assert second.etag != first.etag
    [after] = booked_events(second.text)
    assert after["DTSTART"].dt == datetime.fromisoformat(NOON)
    assert after["UID"] == before["UID"] == made["uid"]
    assert int(after["SEQUENCE"]) == int(before["SEQUENCE"]) + 1
    assert after["LAST-MODIFIED"].dt == after["DTSTAMP"].dt == door.clock.now > before["LAST-MODIFIED"].dt
    assert second.headers["last-modified"] != first.headers["last-modified"]


def test_the_same_state_gives_the_same_bytes_after_a_restart_and_later_that_day(tmp_path: Path) -> None:
    with built(tmp_path) as store, opened(store) as door:
        door.book()
        first = door.feed()
    store = WatchedStore(f"sqlite:///{tmp_path}/gateway.db")
    with opened(store) as door:
        door.clock.now = NOW + timedelta(hours=3)
        again = door.feed()
        assert (again.body, again.etag, again.headers["last-modified"]) == (first.body, first.etag, first.headers["last-modified"])
        assert door.feed(If_None_Match=first.etag or "").status == 304
    store.close()


def test_gzip_comes_only_when_asked_for_and_holds_the_same_bytes(door: Door) -> None:
    door.book()
    plain, packed = door.feed(), door.feed(Accept_Encoding="br, gzip;q=0.8")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.etag != plain.etag
    assert door.feed(Accept_Encoding="gzip", If_None_Match=packed.etag or "").status == 304
    assert "content-encoding" not in door.feed(Accept_Encoding="gzip;q=0, identity").headers


@pytest.mark.parametrize("level", list(MARKS))
def test_a_feed_tells_no_more_than_its_level(door: Door, level: str) -> None:
    door.book()
    door.book("2026-11-26T10:00:00+01:00", recurrence={"rule": "FREQ=WEEKLY;COUNT=3"})
    cancelled = door.book("2026-11-30T10:00:00+01:00")
    door.api("POST", f"/appointments/{cancelled['id']}/cancel")
    text = unfolded(door.feed(level).text)
    for secret in SECRETS:
        allowed = level == "full" or any(secret in mark for mark in MARKS[level])
        assert allowed or not re.search(rf"\b{re.escape(secret)}\b", text), secret
    if level in ("service", "full"):
        assert "Advice" in text
    if level == "full":
        assert ANN.name in text


def test_a_busy_feed_has_times_and_nothing_else(door: Door) -> None:
    made = door.book()
    [event] = booked_events(door.feed("busy").text)
    assert event["DTSTART"].dt == datetime.fromisoformat(made["start"])
    assert event["SUMMARY"] == "Busy"
    assert event["TRANSP"] == "OPAQUE"
    assert event["X-MICROSOFT-CDO-BUSYSTATUS"] == "BUSY"
    assert not {"DESCRIPTION", "LOCATION", "URL", "CATEGORIES"} & set(event)


def test_a_cancelled_appointment_is_shown_as_cancelled_for_thirty_days_and_never_as_busy(door: Door) -> None:
    made = door.book()
    door.book("2027-01-12T10:00:00+01:00")
    door.api("POST", f"/appointments/{made['id']}/cancel")
    shown = {str(event["UID"]): event for event in booked_events(door.feed().text)}
    assert shown[made["uid"]]["STATUS"] == "CANCELLED"
    assert shown[made["uid"]]["TRANSP"] == "TRANSPARENT"
    assert len(booked_events(door.feed("busy").text)) == 1

    door.clock.now = NOW + timedelta(days=31)
    assert made["uid"] not in unfolded(door.feed(query="?past=30").text)


def test_an_empty_feed_holds_a_marker_that_blocks_nothing(door: Door) -> None:
    """Google refuses a calendar without events."""
    answer = door.feed()
    strict(answer.body)
    [marker] = events(answer.text)
    assert marker["TRANSP"] == "TRANSPARENT"
    assert door.feed(If_None_Match=answer.etag or "").status == 304
    made = door.book()
    assert [str(event["UID"]) for event in events(door.feed().text)] == [made["uid"]]


def test_team_feeds_name_the_person_and_a_staff_feed_does_not(door: Door) -> None:
    mine, hers = door.book(), door.book(staff="emma")
    for scope in ("group", "company"):
        named = {str(event["UID"]): str(event["SUMMARY"]) for event in booked_events(door.feed(scope).text)}
        assert named[mine["uid"]].startswith("John Smith")
        assert named[hers["uid"]].startswith("Emma Morris")
    [event] = booked_events(door.feed("service").text)
    assert "John Smith" not in event["SUMMARY"]


def test_whoever_leaves_a_group_leaves_its_feed(door: Door) -> None:
    door.book(staff="emma")
    first = door.feed("group")
    assert len(booked_events(first.text)) == 1
    with door.store.write(CompanyId("demo"), SETUP) as tx:
        tx.save_group(replace(tx.group(GroupId("front")), members=(JOHN.id,)))
    assert booked_events(door.feed("group", If_None_Match=first.etag or "").text) == []


def test_the_window_moves_with_the_day(door: Door) -> None:
    door.book("2026-11-25T10:00:00+01:00")
    first = door.feed()
    assert len(booked_events(first.text)) == 1
    door.clock.now = datetime(2026, 12, 25, 22, 59, tzinfo=UTC)  # still the 30th day after it in Paris
    assert len(booked_events(door.feed().text)) == 1
    door.clock.now = datetime(2026, 12, 25, 23, 1, tzinfo=UTC)
    later = door.feed(If_Modified_Since=first.headers["last-modified"])
    assert (later.status, booked_events(later.text)) == (200, [])


def test_past_and_future_narrow_the_window_and_never_widen_it(door: Door) -> None:
    near, far, beyond = (
        door.book(start) for start in ("2026-11-25T10:00:00+01:00", "2026-12-20T10:00:00+01:00", "2028-06-05T10:00:00+02:00")
    )

    def shown(query: str) -> set[str]:
        return {str(event["UID"]) for event in booked_events(door.feed(query=query).text)}

    assert shown("") == {near["uid"], far["uid"]}
    assert shown("?future=5") == {near["uid"]}
    assert shown("?past=0&future=99999") == {near["uid"], far["uid"]}
    assert beyond["uid"] not in shown("?future=99999")
    for query in ("?past=-1", "?future=many", "?past=1e3", "?past=", "?future=1000000", "?past=%D9%A1"):
        answer = door.feed(query=query)
        assert answer.status == 400
        assert answer.text.endswith(".\n")


def test_a_link_that_is_nearly_right_is_as_wrong_as_any_other(door: Door) -> None:
    token = TOKENS["full"]
    answers = [
        door.ask("GET", f"/feeds/{wrong}.ics")
        for wrong in (token[:-1] + "1", token.upper(), token[:-1], token * 2, "nothing", "%00", "*", "'%20OR%201=1", "x" * 3000)
    ]
    assert {(answer.status, answer.body if b"understood" not in answer.body else b"") for answer in answers} <= {
        (404, answers[0].body),
        (400, b""),
    }
    assert door.ask("GET", "/feeds/../feeds/x.ics").status == 404


def test_a_revoked_link_is_gone_at_once(door: Door) -> None:
    first = door.feed()
    door.api("POST", "/feeds/feed-full/revoke")
    assert door.feed(If_None_Match=first.etag or "").status == 410
    assert door.feed("busy").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "REPORT", "OPTIONS"])
def test_a_feed_can_only_be_read(door: Door, method: str) -> None:
    answer = door.ask(method, f"/feeds/{TOKENS['full']}.ics")
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]


def test_a_link_fetched_too_often_has_to_wait_but_not_modified_is_free(tmp_path: Path) -> None:
    with built(tmp_path) as store, opened(store, limits=Limits(feed_fetches=3)) as door:
        door.book()
        first, *_ = [door.feed() for _ in range(3)]
        refused = door.feed()
        assert refused.status == 429
        assert 0 < int(refused.headers["retry-after"]) <= 1200
        for _ in range(5):
            assert door.feed(If_None_Match=first.etag or "").status == 304
        assert door.feed("busy").status == 200, "another link is not concerned"
        door.clock.now = NOW + timedelta(seconds=int(refused.headers["retry-after"]))
        assert door.feed().status == 200


def test_google_gets_what_it_takes_and_everybody_else_the_whole(tmp_path: Path) -> None:
    with built(tmp_path) as store, opened(store, limits=Limits(feed_events=5)) as door:
        made = [door.book((datetime(2026, 11, 25, 9, tzinfo=UTC) + timedelta(days=each)).isoformat()) for each in range(12)]
        whole, google = door.feed(), door.feed(User_Agent="Google-Calendar-Importer")
        assert len(booked_events(whole.text)) == 12
        shown = [str(event["UID"]) for event in booked_events(google.text)]
        assert 0 < len(shown) <= 5
        assert shown == [each["uid"] for each in made][: len(shown)], "the nearest ones"
        assert "user-agent" in google.headers["vary"].lower()
        assert door.feed(User_Agent="Google-Calendar-Importer", If_None_Match=google.etag or "").status == 304


def test_who_fetched_last_is_remembered(door: Door) -> None:
    door.feed(User_Agent="Google-Calendar-Importer")
    door.feed(User_Agent="Thunderbird")

    def noted() -> dict[str, Any]:
        return next(each for each in door.api("GET", "/feeds").json["items"] if each["id"] == "feed-full")

    for _ in range(200):  # it is written down after the answer
        if noted()["last_fetched"]:
            break
    assert noted()["last_agent"] == "Google-Calendar-Importer", "at most once a minute"
    assert noted()["last_fetched"] == NOW.isoformat()


def test_the_order_is_that_of_time(door: Door) -> None:
    starts = ["2026-11-27T10:00:00+01:00", "2026-11-25T10:00:00+01:00", "2026-11-26T10:00:00+01:00"]
    for start in starts:
        door.book(start)
    shown = [event["DTSTART"].dt for event in booked_events(door.feed().text)]
    assert shown == sorted(shown)


def test_alarms_come_only_where_they_are_wanted(door: Door) -> None:
    door.book()
    assert "VALARM" not in door.feed().text
    url = door.api("POST", "/feeds", {"scope": "staff", "of": "john", "level": "service", "alarm_minutes": 15}).json["url"]
    text = door.ask("GET", url.removeprefix("https://calendar.example.com")).text
    [alarm] = icalendar.Calendar.from_ical(text).walk("VALARM")
    assert alarm["ACTION"] == "DISPLAY"
    assert alarm["TRIGGER"].dt == timedelta(minutes=-15)
