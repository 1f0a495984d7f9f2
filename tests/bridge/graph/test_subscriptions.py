"""Notifications of Graph: a hint to look, and never more (bridge.md §3.5)."""

from __future__ import annotations

import json

import pytest

from gateway.bridge.remote import CalendarGone, Throttled, Unreachable
from gateway.fakes.wire import Heard
from tests.bridge.contract import DAY, HOUR, KEY, NOW, WINDOW, Setting, owned
from tests.bridge.graph.wires import exchange, knobs, opened, problem, telling

ADDRESS, SECRET = "https://127.0.0.1:8443/hooks/microsoft", "s" * 43


def test_a_subscription_is_told_of_our_calendar_with_our_secret(setting: Setting) -> None:
    watching = opened(setting).watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    assert [each.partition("?")[0] for each in telling(setting).asked] == [ADDRESS, ADDRESS]
    made = setting.open().create(KEY, owned())
    setting.act("create", title="Elsewhere", start="2026-03-06T10:00:00+01:00")
    [told] = exchange(setting).take_outbox()
    [message] = json.loads(told.body)["value"]
    assert (told.url, message["clientState"], message["subscriptionId"]) == (ADDRESS, SECRET, watching.id)
    assert message["resourceData"]["id"] == made.id


def test_it_lasts_for_as_long_as_graph_says_and_not_as_we_asked(setting: Setting) -> None:
    """Stored documents say less than three days; others say seven."""
    watching = opened(setting).watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    assert NOW + 2 * DAY < watching.expires < NOW + 3 * DAY
    sooner = {"id": "s", "resource": "me/events", "expirationDateTime": "2026-03-02T09:30:00.1234567Z"}
    telling(setting).instead = lambda method, path: (201, {}, json.dumps(sooner).encode()) if path.endswith("/subscriptions") else None
    watching = opened(setting).watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    assert watching.expires == NOW + HOUR * 1.5


def test_messages_about_the_subscription_itself_come_to_the_same_address(setting: Setting) -> None:
    """Such an address cannot be given later."""
    watching = opened(setting).watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    exchange(setting).steer("lifecycle", {"account": setting.login, "event": "reauthorizationRequired"})
    [told] = exchange(setting).take_outbox()
    [message] = json.loads(told.body)["value"]
    assert (told.url, message["lifecycleEvent"], message["clientState"]) == (ADDRESS, "reauthorizationRequired", SECRET)


def test_renewing_prolongs_the_same_subscription_and_reauthorises_it(setting: Setting) -> None:
    remote = opened(setting)
    watching = remote.watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    exchange(setting).steer("lifecycle", {"account": setting.login, "event": "reauthorizationRequired"})
    exchange(setting).take_outbox()
    remote.create(KEY, owned())
    assert exchange(setting).take_outbox() == []
    setting.clock.forward(DAY)
    again = opened(setting).renew(watching.id, watching.resource, setting.clock.now)
    assert again is not None
    assert (again.id, again.resource) == (watching.id, watching.resource)
    assert again.expires == watching.expires + DAY
    setting.act("edit", id=setting.live()[0]["id"], title="x")
    assert len(exchange(setting).take_outbox()) == 1


def test_a_subscription_that_has_ended_cannot_be_renewed(setting: Setting) -> None:
    remote = opened(setting)
    watching = remote.watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    setting.clock.forward(4 * DAY)
    assert opened(setting).renew(watching.id, watching.resource, setting.clock.now) is None


def test_ending_a_subscription_twice_is_no_error(setting: Setting) -> None:
    remote = opened(setting)
    watching = remote.watch(ADDRESS, SECRET, NOW)
    assert watching is not None
    for _ in range(2):
        remote.unwatch(watching.id, watching.resource)
    remote.create(KEY, owned())
    assert exchange(setting).take_outbox() == []


@pytest.mark.parametrize(
    "heard",
    [
        Heard(status=202, kind="text/plain", text=""),
        Heard(status=200, kind="text/html", text="x"),
        Heard(status=200, kind="text/plain", text="something else"),
    ],
)
def test_where_our_address_cannot_be_reached_polling_goes_on_alone(setting: Setting, heard: Heard) -> None:
    telling(setting).heard = heard
    assert opened(setting).watch(ADDRESS, SECRET, NOW) is None
    assert exchange(setting).world.subscriptions == {}


@pytest.mark.parametrize("address", ["http://calendar.example.com/hooks/microsoft", "https://calendar.example.com/hooks/microsoft"])
def test_an_address_that_graph_does_not_take_is_no_error(setting: Setting, address: str) -> None:
    assert opened(setting).watch(address, SECRET, NOW) is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(429, "TooManyRequests", Retry_After="5"), Throttled),
        (problem(403, "ExtensionError"), CalendarGone),
        (problem(500, "InternalServerError"), Unreachable),
        ((201, {}, b"{}"), Unreachable),
    ],
)
def test_trouble_is_no_reason_to_give_push_up(setting: Setting, answer: tuple[int, dict[str, str], bytes], error: type) -> None:
    telling(setting).instead = lambda method, path: answer if path.endswith("/subscriptions") else None
    with pytest.raises(error):
        opened(setting).watch(ADDRESS, SECRET, NOW)


def test_without_any_notification_the_next_look_finds_everything(setting: Setting) -> None:
    knobs(setting).push = False
    remote = opened(setting)
    remote.watch(ADDRESS, SECRET, NOW)
    page = list(remote.pull(None, WINDOW, NOW))[-1]
    made = remote.create(KEY, owned())
    assert [each.id for part in remote.pull(page.cursor, WINDOW, NOW) for each in part.seen] == [made.id]
