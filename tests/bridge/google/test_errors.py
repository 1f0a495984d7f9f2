"""What Google's refusals mean (bridge.md §2.3, §2.7, §5.8): patience, a sign-in, one event given up, or nothing at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.bridge.remote import CalendarGone, Clash, Disconnected, Exists, Gone, Rejected, RemoteError, Throttled, Unreachable
from gateway.bridge.sending import Answer
from tests.bridge.contract import KEY, Setting, gone, known, owned, pages
from tests.bridge.google.wires import events, page, problem, telling

RATES = ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "concurrentLimitExceeded")


@pytest.mark.parametrize("reason", RATES)
@pytest.mark.parametrize("status", [403, 429])
def test_a_quota_is_a_quota_whichever_status_it_comes_with(setting: Setting, status: int, reason: str) -> None:
    """Google's 403 must be split (bridge.md §2.7)."""
    remote = setting.open()
    telling(setting).instead = events(problem(status, reason, "usageLimits"))
    for ask in (lambda: remote.create(KEY, owned()), lambda: remote.find(KEY), lambda: pages(remote)):
        with pytest.raises(Throttled) as caught:
            ask()
        assert caught.value.wait == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, timedelta(seconds=7)),
        ({"retry_after": "0"}, timedelta()),
        ({"retry_after": "999999"}, timedelta(hours=1)),
        ({"retry_after": "soon"}, timedelta(minutes=1)),
        ({"retry_after": "Mon, 02 Mar 2026 08:00:30 GMT", "date": "Mon, 02 Mar 2026 08:00:00 GMT"}, timedelta(seconds=30)),
        ({"retry_after": "Mon, 02 Mar 2026 07:00:00 GMT", "date": "Mon, 02 Mar 2026 08:00:00 GMT"}, timedelta(seconds=1)),
        ({"retry_after": "Mon, 02 Mar 2026 08:00:30 GMT"}, timedelta(minutes=1)),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_to(setting: Setting, status: int, headers: dict[str, str], wait: timedelta) -> None:
    telling(setting).instead = events(problem(status, "rateLimitExceeded", "usageLimits", **headers))
    with pytest.raises(Throttled) as caught:
        setting.open().find(KEY)
    assert caught.value.wait == wait


@pytest.mark.parametrize(
    ("answer", "event", "listing"),
    [
        (problem(403, "forbiddenForNonOrganizer", "calendar"), Rejected, CalendarGone),
        (problem(403, "requiredAccessLevel", "calendar"), Rejected, CalendarGone),
        (problem(403, "insufficientPermissions"), Disconnected, Disconnected),
        (problem(403, "accessNotConfigured", "usageLimits"), Unreachable, Unreachable),
        (problem(404, "notFound"), Gone, CalendarGone),
        (problem(409, "duplicate"), Exists, Exists),
        (problem(412, "conditionNotMet"), Clash, Clash),
        (problem(400, "timeRangeEmpty", "calendar"), Rejected, Rejected),
        (problem(408, "timeout"), Unreachable, Unreachable),
        (problem(500, "backendError"), Unreachable, Unreachable),
        (problem(503, "backendError"), Unreachable, Unreachable),
    ],
)
def test_each_refusal_has_its_next_step(setting: Setting, answer: Answer, event: type[RemoteError], listing: type[RemoteError]) -> None:
    remote = setting.open()
    telling(setting).instead = events(answer)
    with pytest.raises(event):
        remote.create(KEY, owned())
    with pytest.raises(listing):
        pages(remote)


@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 409, 410, 412, 502])
def test_the_page_of_a_proxy_says_nothing_about_events(setting: Setting, status: int) -> None:
    """A 404 that is not Google's deletes nothing (bridge.md §4, 2)."""
    remote = setting.open()
    made = remote.create(KEY, owned())
    telling(setting).instead = events(page(status))
    for ask in (
        lambda: remote.get(made.id),
        lambda: remote.find(KEY),
        lambda: pages(remote),
        lambda: remote.create(KEY, owned()),
        lambda: remote.update(known(made), owned()),
        lambda: remote.delete(known(made)),
        lambda: remote.occurrence(made.id, owned().span.start),
    ):
        with pytest.raises(Unreachable):
            ask()


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{}", b'"no"', b'{"error": 3}', b'{"items": []}'])
def test_an_answer_of_another_shape_is_no_answer(setting: Setting, content: bytes) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    telling(setting).instead = events((200, {"content-type": "application/json"}, content))
    for ask in (lambda: remote.get(made.id), lambda: pages(remote), lambda: remote.create(KEY, owned())):
        with pytest.raises(Unreachable):
            ask()


def test_a_refused_token_is_renewed_once_and_the_person_asked_then(setting: Setting) -> None:
    remote = setting.open()
    telling(setting).instead = events(problem(401, "authError"))
    before = len(setting.wire.sent)
    with pytest.raises(Disconnected):
        remote.find(KEY)
    assert [address.rpartition("/")[2].partition("?")[0] for _, address in setting.wire.sent[before:]][1] == "token"
    assert len(setting.wire.sent) == before + 3


def test_412_after_a_look_is_a_clash_and_nothing_was_done(setting: Setting) -> None:
    remote = setting.open()
    made = remote.create(KEY, owned())
    setting.fault("PATCH /events/", "status:412")
    with pytest.raises(Clash):
        remote.update(known(made), owned(title="Never"))
    assert not gone(remote, made.id)


def test_a_calendar_of_somebody_else_is_beyond_the_consent(setting: Setting) -> None:
    """With the default scope Google itself keeps us from the person's own calendar (bridge.md §2.9)."""
    setting.act("create", title="Private", start="2026-03-06T10:00:00+01:00")
    with pytest.raises(Disconnected):
        pages(setting.open(calendar=setting.login))
    with pytest.raises(Disconnected):
        setting.open(calendar=setting.login).create(KEY, owned())
