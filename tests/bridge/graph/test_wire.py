"""The guards below everything that is sent to Graph, and what its answers mean (bridge.md §3.4, §3.6, §5.6, §5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

import pytest

from gateway.bridge.graph.problems import Asked, meaning
from gateway.bridge.graph.wire import Line
from gateway.bridge.remote import (
    CalendarGone,
    Clash,
    CursorExpired,
    Disconnected,
    Exists,
    Gone,
    Guarded,
    Inexpressible,
    Rejected,
    Throttled,
    Unreachable,
)
from gateway.bridge.sending import Answer
from tests.bridge.contract import KEY, Setting, owned
from tests.bridge.graph.wires import page, problem, telling

ROOT = "https://graph.example/v1.0"
OURS, THEIRS = "/me/events/ours%2F%3D", "/me/events/theirs"


def line(sent: list[tuple[str, str]], *answers: Answer) -> Line:
    told = list(answers)

    def send(method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        sent.append((method, address))
        return told.pop(0) if told else (200, {}, b"{}")

    made = Line(send, ROOT + "/", lambda renew: "token", lambda kind: None)
    made.vouch(OURS, 'W/"1"')
    return made


@pytest.mark.parametrize(
    ("method", "path", "body", "etag"),
    [
        ("POST", "/me/calendars/c/events", {"attendees": []}, ""),
        ("POST", "/me/calendars/c/events", {"subject": "x", "attendees": [{"emailAddress": {"address": "a@b.example"}}]}, ""),
        ("POST", "/me/calendars/c/events", {"extensions": [{"attendees": ["a@b.example"]}]}, ""),
        ("PATCH", OURS, {"attendees": []}, 'W/"1"'),
        ("PATCH", OURS, {"subject": "x"}, 'W/"2"'),
        ("PATCH", OURS, {"subject": "x"}, ""),
        ("DELETE", OURS, None, 'W/"2"'),
        ("DELETE", OURS, None, ""),
        ("PATCH", THEIRS, {"subject": "x"}, 'W/"1"'),
        ("DELETE", THEIRS, None, 'W/"1"'),
        ("DELETE", THEIRS, None, ""),
        ("PUT", OURS, {"subject": "x"}, 'W/"1"'),
        ("POST", OURS + "/forward", {"toRecipients": []}, ""),
        ("POST", OURS + "/cancel", {}, ""),
        ("POST", OURS + "/accept", {"sendResponse": True}, ""),
        ("POST", "/me/sendMail", {"message": {}}, ""),
        ("POST", "/me/events", {"subject": "x"}, ""),
        ("DELETE", "/me/calendars/c", None, ""),
        ("PATCH", "/me/calendars/c", {"name": "x"}, ""),
        ("POST", "/me/calendars/c/permanentDelete", {}, ""),
        ("POST", "/$batch", {"requests": []}, ""),
        ("GET", "https://elsewhere.example/v1.0/me", None, ""),
        ("GET", "http://graph.example/v1.0/me", None, ""),
        ("GET", "https://graph.example.evil.example/v1.0/me", None, ""),
        ("GET", "https://graph.example/beta/me", None, ""),
        ("GET", "https://graph.example@evil.example/v1.0/me", None, ""),
    ],
)
def test_nothing_is_sent_that_mails_or_touches_what_is_not_ours(method: str, path: str, body: Any, etag: str) -> None:
    sent: list[tuple[str, str]] = []
    with pytest.raises(Guarded):
        line(sent)._sent(method, path, body, "event", etag=etag)
    assert sent == []


def test_what_was_looked_at_and_vouched_for_is_sent_once() -> None:
    sent: list[tuple[str, str]] = []
    made = line(sent)
    made.patch(OURS, {"subject": "attendees"}, "event", 'W/"1"')
    made.delete(OURS, "event", 'W/"1"')
    made.post("/me/calendars/c/events", {"subject": "x"}, "new")
    made.post("/users/a%40b.example/calendars", {"name": "x"}, "calendar")
    made.patch("/subscriptions/s", {"expirationDateTime": "x"}, "event")
    made.delete("/subscriptions/s", "event")
    made.get(THEIRS, "event")
    made.get(ROOT + "/me/calendarView/delta?$deltatoken=x", "list")
    assert [method for method, _ in sent] == ["PATCH", "DELETE", "POST", "POST", "PATCH", "DELETE", "GET", "GET"]


CASES: list[tuple[Answer, str, type]] = [
    (problem(400, "ErrorInvalidRequest"), "event", Rejected),
    (problem(400, "ErrorInvalidRequest"), "new", Rejected),
    (problem(400, "ErrorOccurrenceCrossingBoundary"), "event", Inexpressible),
    (problem(400, "ErrorCalendarInvalidRecurrence"), "new", Inexpressible),
    (problem(400, "ErrorOccurrenceTimeSpanTooBig"), "new", Inexpressible),
    (problem(400, "syncStateNotFound"), "list", CursorExpired),
    (problem(410, "resyncRequired", Location="x"), "list", CursorExpired),
    (problem(401, "InvalidAuthenticationToken"), "list", Disconnected),
    (problem(403, "ErrorAccessDenied"), "event", Rejected),
    (problem(403, "ErrorAccessDenied"), "list", CalendarGone),
    (problem(404, "ErrorItemNotFound"), "event", Gone),
    (problem(404, "ErrorItemNotFound"), "list", CalendarGone),
    (problem(404, "ErrorItemNotFound"), "new", CalendarGone),
    (problem(404, "ErrorInvalidUser"), "event", CalendarGone),
    (problem(404, "MailboxNotEnabledForRESTAPI"), "event", CalendarGone),
    (problem(404, "Request_ResourceNotFound"), "event", CalendarGone),
    (problem(404, "SomethingNew"), "event", Unreachable),
    (problem(409, "ErrorDuplicateTransactionId"), "new", Exists),
    (problem(409, "ErrorFolderExists"), "calendar", Rejected),
    (problem(409, "ErrorIrresolvableConflict"), "event", Clash),
    (problem(412, "ErrorIrresolvableConflict"), "event", Clash),
    (problem(423, "resourceLocked"), "event", Unreachable),
    (problem(429, "TooManyRequests", Retry_After="7"), "event", Throttled),
    (problem(500, "ErrorInternalServerError"), "event", Unreachable),
    (problem(501, "NotImplemented"), "list", Rejected),
    (problem(503, "ErrorServerBusy"), "list", Throttled),
    (problem(503, "ErrorMailboxStoreUnavailable"), "list", Unreachable),
    (problem(503, "UnknownError", Retry_After="3"), "list", Throttled),
    (problem(504, "UnknownError"), "new", Unreachable),
    (problem(509, "BandwidthLimitExceeded"), "list", Throttled),
    ((302, {"location": "https://login.example"}, b""), "event", Unreachable),
    ((400, {}, problem(400, "ErrorOccurrenceCrossingBoundary")[2][:30]), "event", Unreachable),
    (page(403), "list", Unreachable),
    (page(404), "event", Unreachable),
    (page(502), "new", Unreachable),
]


@pytest.mark.parametrize(("answer", "of", "error"), CASES, ids=[f"{answer[0]}-{of}-{error.__name__}" for answer, of, error in CASES])
def test_an_answer_means(answer: Answer, of: Asked, error: type) -> None:
    status, headers, content = answer
    found = meaning(status, headers, content, of=of)
    assert type(found) is error
    assert str(found)


@pytest.mark.parametrize("of", get_args(Asked))
@pytest.mark.parametrize("status", range(300, 600, 7))
def test_every_status_means_something(status: int, of: Asked) -> None:
    for content in (b"", b"{}", b"[]", b'{"error":"x"}', b'{"error":{"code":null}}', b"\xff", problem(status, "Strange")[2]):
        assert not isinstance(meaning(status, {}, content, of=of), Gone | CursorExpired) or status == 410


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "86400"}, 3600),
        ({"retry-after": "-5"}, 1),
        ({"retry-after": "soon"}, 30),
        ({"retry-after": "nan"}, 30),
        ({"retry-after": "Mon, 02 Mar 2026 08:00:20 GMT", "date": "Mon, 02 Mar 2026 08:00:00 GMT"}, 20),
        ({"retry-after": "Mon, 02 Mar 2026 08:00:20 GMT"}, 30),
        ({}, 30),
    ],
)
def test_patience_lasts_as_long_as_it_is_asked_for(headers: dict[str, str], seconds: float) -> None:
    error = meaning(429, headers, problem(429, "ApplicationThrottled")[2], of="list")
    assert isinstance(error, Throttled)
    assert error.wait == timedelta(seconds=seconds)


@pytest.mark.parametrize("kind", ["status:429:17", "status:503:17", "status:503:MailboxConcurrency"])
def test_a_crowded_mailbox_is_left_alone_for_as_long_as_it_says(setting: Setting, kind: str) -> None:
    setting.fault("GET /events", kind)
    with pytest.raises(Throttled) as caught:
        setting.open().find(KEY)
    assert caught.value.wait == timedelta(seconds=10 if kind.endswith("y") else 17)


def test_beyond_the_quota_nothing_is_asked_twice(setting: Setting) -> None:
    setting.fake.knobs.turn({"quota": 1})
    setting.clock.forward(timedelta(minutes=2))
    setting.open().find(KEY)
    before = len(setting.asked())
    with pytest.raises(Throttled):
        setting.open().find(KEY)
    assert len(setting.asked()) == before + 1


def test_no_request_of_ours_is_a_batch(setting: Setting) -> None:
    """Parts of a batch are throttled one by one, and each has a status of its own (trap)."""
    remote = setting.open()
    remote.create(KEY, owned(rule="FREQ=DAILY;COUNT=3"))
    assert not [address for _, address in telling(setting).sent if "$batch" in address]


def test_half_an_answer_is_none() -> None:
    for content in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"'):
        with pytest.raises(Unreachable):
            line([], (200, {}, content)).get(THEIRS, "event")


def test_a_token_that_is_no_longer_taken_is_renewed_once() -> None:
    sent: list[tuple[str, str]] = []
    asked: list[bool] = []

    def bearer(renew: bool) -> str:
        asked.append(renew)
        return "token"

    made = line(sent, problem(401, "InvalidAuthenticationToken"), problem(401, "InvalidAuthenticationToken"))
    made._bearer = bearer
    with pytest.raises(Disconnected):
        made.get(THEIRS, "event")
    assert asked == [False, True]
    assert len(sent) == 2
