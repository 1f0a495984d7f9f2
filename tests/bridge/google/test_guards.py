"""The guards below Google's client: no mail, nobody else's events, no other host (bridge.md §2.5, §5.6)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.bridge.google.wire import Line
from gateway.bridge.remote import Guarded
from gateway.bridge.sending import Answer
from tests.bridge.contract import DAY, KEY, NOW, Setting, known, owned
from tests.bridge.google.wires import query, telling

ENDPOINT = "https://provider.example/calendar/v3/"
EVENTS = ENDPOINT + "calendars/c%40group/events"
QUIET = "?sendUpdates=none&alt=json"


def line(sent: list[tuple[str, str]]) -> Line:
    def send(method: str, address: str, headers: object, body: bytes | None) -> Answer:
        sent.append((method, address))
        return 200, {}, b"{}"

    made = Line(send, ENDPOINT, lambda renew: "token", lambda kind: None)
    made.mine("ours0")
    return made


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("POST", EVENTS + QUIET, {"attendees": []}),
        ("POST", EVENTS + QUIET, {"summary": "x", "attendees": [{"email": "a@b.example"}]}),
        ("PATCH", EVENTS + "/ours0" + QUIET, {"attendees": [{"email": "a@b.example"}]}),
        ("POST", EVENTS, {"summary": "x"}),
        ("POST", EVENTS + "?sendUpdates=all", {"summary": "x"}),
        ("POST", EVENTS + "?sendUpdates=none&sendUpdates=all", {"summary": "x"}),
        ("PATCH", EVENTS + "/ours0?sendNotifications=true", {"summary": "x"}),
        ("DELETE", EVENTS + "/ours0", None),
        ("PATCH", EVENTS + "/theirs" + QUIET, {"summary": "x"}),
        ("PUT", EVENTS + "/theirs" + QUIET, {"summary": "x"}),
        ("PUT", EVENTS + "/ours0" + QUIET, {"summary": "x"}),
        ("DELETE", EVENTS + "/theirs" + QUIET, None),
        ("DELETE", EVENTS + "/ours0%2Ftheirs" + QUIET, None),
        ("DELETE", EVENTS + QUIET, None),
        ("POST", EVENTS + "/theirs/move" + QUIET + "&destination=x", None),
        ("POST", EVENTS + "/ours0/move" + QUIET + "&destination=x", None),
        ("POST", EVENTS + "/import" + QUIET, {"iCalUID": "x"}),
        ("POST", EVENTS + "/quickAdd" + QUIET + "&text=x", None),
        ("DELETE", ENDPOINT + "calendars/c%40group", None),
        ("PATCH", ENDPOINT + "calendars/c%40group", {"summary": "x"}),
        ("POST", ENDPOINT + "calendars/primary/clear", None),
        ("POST", ENDPOINT + "calendars/c%40group/acl", {"role": "reader"}),
        ("DELETE", ENDPOINT + "users/me/calendarList/c", None),
        ("POST", "https://provider.example/batch/calendar/v3", {"x": 1}),
        ("GET", "https://elsewhere.example/calendar/v3/calendars/c/events", None),
        ("GET", "http://provider.example/calendar/v3/calendars/c/events", None),
        ("GET", "https://provider.example.evil.example/calendar/v3/calendars/c/events", None),
        ("GET", "https://provider.example@evil.example/calendar/v3/calendars/c/events", None),
    ],
)
def test_what_could_do_harm_is_never_sent(method: str, address: str, body: object) -> None:
    sent: list[tuple[str, str]] = []
    with pytest.raises(Guarded):
        line(sent).request(address, method, None if body is None else json.dumps(body))
    assert sent == []


@pytest.mark.parametrize("body", [b"\xff\xfe", b"attendees", b'["attendees"]', b'{"attendees": [}'])
def test_what_cannot_be_read_is_never_sent(body: bytes) -> None:
    with pytest.raises(Guarded):
        line([]).request(EVENTS + QUIET, "POST", body)


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", EVENTS + "?maxResults=5"),
        ("POST", EVENTS + QUIET),
        ("PATCH", EVENTS + "/ours0" + QUIET),
        ("DELETE", EVENTS + "/ours0" + QUIET),
        ("POST", EVENTS + "/watch?alt=json"),
        ("POST", ENDPOINT + "calendars?alt=json"),
        ("POST", ENDPOINT + "freeBusy?alt=json"),
        ("POST", ENDPOINT + "channels/stop?alt=json"),
    ],
)
def test_what_we_need_is_sent_once(method: str, address: str) -> None:
    sent: list[tuple[str, str]] = []
    line(sent).request(address, method, None if method in ("GET", "DELETE") else "{}")
    assert sent == [(method, address)]


def test_every_write_says_that_nobody_is_to_be_mailed_and_what_it_was_read_as(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned(rule="FREQ=DAILY;COUNT=5"))
    there = remote.occurrence(made.id, NOW + 2 * DAY)
    assert there is not None
    remote.update(known(there, replace(KEY, at=NOW + 2 * DAY)), owned(start=NOW + 2 * DAY, title="Moved"))
    series = remote.get(made.id)
    assert series is not None
    remote.delete(replace(known(series), etag=""))
    wire = telling(setting)
    writes = [number for number, (method, address) in enumerate(wire.sent) if method != "GET" and "/events" in address]
    assert len(writes) == 3
    for number in writes:
        method, address = wire.sent[number]
        assert query(address)["sendUpdates"] == ["none"]
        assert method == "POST" or wire.headers[number]["if-match"]


def test_an_update_sends_owned_fields_and_the_marker_and_nothing_else(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    remote.update(known(made), owned(title="Other"))
    sent = json.loads(next(body for body in setting.wire.bodies if b"Other" in body))
    assert set(sent) == {"summary", "description", "location", "start", "end", "status", "recurrence", "extendedProperties"}


def test_no_token_and_no_secret_is_in_what_an_error_says(setting: Setting) -> None:
    remote = setting.open()
    secrets = [value for value in json.loads(setting.kept.read()).values() if len(str(value)) > 40]
    for kind in ("reset", "status:403:forbidden", "status:401", "before", "truncate"):
        setting.fault("GET /events", kind, times=2)
        with pytest.raises(Exception) as caught:  # noqa: PT011  whichever it is
            remote.find(KEY) if kind != "truncate" else list(remote.pull(None, owned().span, NOW))
        setting.fake.faults.rules.clear()
        assert not any(str(secret) in str(caught.value) for secret in secrets)
